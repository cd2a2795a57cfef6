"""A real browser for the tests of pages: Debian's chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


@dataclass
class Watched:
    """A page, and what it did that it should not: errors, and requests to elsewhere."""

    page: Any
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a browser, or skip the test where there is none."""
    executable = shutil.which("chromium")
    if not executable:
        pytest.skip("chromium is not installed: script/bootstrap installs it")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=QUIET)
        try:
            yield browser
        finally:
            browser.close()


def watched(
    browser: Any, *, width: int = 1200, height: int = 900, scheme: str = "light"
) -> Watched:
    """A new page that notes its errors and requests."""
    viewport = {"width": width, "height": height}
    page = browser.new_context(viewport=viewport, color_scheme=scheme).new_page()
    seen = Watched(page)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("console", lambda said: said.type == "error" and seen.errors.append(said.text))
    page.on("request", lambda request: seen.requests.append(request.url))
    return seen
