"""What MkDocs is asked to do besides rendering: pages from the code, code in pages.

Three things make the site say what the code says: the reference is made from the commands and the
things themselves (`reference.py`), code in tutorials is copied out of files that the tests run
(`snippets.py`), and the documents at the top of the repository are pages as well.
"""

import re
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))

import reference
import snippets

ROOT = Path(__file__).parents[2]
# What stands at the top of the repository, and is a page all the same.
TOP = {
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md",
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put a page for each kind of thing below Reference, whatever kinds there are."""
    assert config.nav is not None
    section = next(each["Reference"] for each in config.nav if "Reference" in each)
    section += [{kind.capitalize(): f"reference/{kind}.md"} for kind in reference.KINDS]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made, not written."""
    for name, page in TOP.items():
        if (ROOT / name).exists():
            files.append(File.generated(config, page, content=_moved((ROOT / name).read_text())))
    for path, content in reference.pages().items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in code, and lead links to the documents at the top to their pages."""
    up = "../" * page.file.src_uri.count("/")
    for name, there in TOP.items():
        markdown = markdown.replace(f"({up}../{name}", f"({up}{there}")
    here = (ROOT / "docs" / page.file.src_uri).parent
    return snippets.filled(_without_links_to_code(markdown, here), ROOT)


def _moved(markdown: str) -> str:
    """Return a document of the top as it reads below docs/."""
    markdown = re.sub(r"\]\(docs/", "](", markdown)
    for name, there in TOP.items():
        markdown = markdown.replace(f"]({name}", f"]({there}")
    return markdown


def _without_links_to_code(markdown: str, here: Path) -> str:
    """Leave the text of a link to a file that is no page, which only a forge can show."""

    def left(link: re.Match[str]) -> str:
        there = (here / link["path"]).resolve()
        outside = there.is_file() and not there.is_relative_to(ROOT / "docs")
        return link["text"] if outside else link[0]

    return re.sub(r"\[(?P<text>[^\]]+)\]\((?P<path>[^)#\s:]+)\)", left, markdown)
