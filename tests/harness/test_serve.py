"""`partita serve` over a real socket: what it shows, and what it must never hand out."""

import fcntl
import io
import json
import os
import socket
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import pytest
import uvicorn
from browser import chromium, watched
from click.testing import CliRunner
from synthetic_run import Story, events_of, write_run

from partita.harness.cli import partita
from partita.harness.serve import application
from partita.reports import added, rows_of, write_all

SHORT = Story(seconds=12, cut=3, heal=8, election=2)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of runs: one drawn, one not, one invalid, one broken, and links to lead out."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.txt").write_text("secret")
    root = tmp_path_factory.mktemp("served") / "runs"
    write_all(write_run(root / "zookeeper-register" / "1", SHORT))
    write_run(root / "zookeeper-register" / "2", SHORT)
    write_run(root / "raft-append" / "3", SHORT, valid=False, reason="element 7 was lost")
    broken = write_run(root / "raft-append" / "4", SHORT)
    (broken / "results.json").write_text("{")
    (root / "latest").symlink_to("zookeeper-register/1")
    (root / "zookeeper-register" / "1" / "within").symlink_to("run.json")
    (root / "outside").symlink_to(outside)
    linked = write_run(root / "linked" / "5", SHORT)
    (linked / "out").symlink_to(outside / "secret.txt")
    (linked / "history.jsonl").rename(outside / "history.jsonl")
    (linked / "history.jsonl").symlink_to(outside / "history.jsonl")
    (root.parent / "beside.txt").write_text("secret")
    return root


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def port(runs: Path) -> Iterator[int]:
    with serving(runs) as bound:
        yield bound


class serving:
    """The application in a thread, on a port of its own."""

    def __init__(self, runs: Path) -> None:
        app = application(runs, ["127.0.0.1", "localhost"])
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        run = {"sockets": [self.socket]}
        self.thread = threading.Thread(target=self.server.run, kwargs=run, daemon=True)

    def __enter__(self) -> int:
        self.thread.start()
        return int(self.socket.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=10)


def get(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, bytes, dict[str, str]]:
    """Ask for exactly this path: nothing is normalised on the way."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.read(), dict(answer.getheaders())


def test_the_list_shows_every_run_once_and_says_what_is_broken(port: int) -> None:
    status, body, headers = get(port, "/")
    html = body.decode()
    assert status == 200
    assert html.count('name="run"') == 5
    assert html.count(">Valid</a>") == 2
    assert html.count(">Unreadable<") == 2 + 1, "two rows, and what one may filter by"
    assert "a link in it leads out" in html
    assert "element 7 was lost" in html
    assert "default-src 'self'" in headers["content-security-policy"]


def test_a_run_that_was_drawn_is_shown_as_stored_and_another_drawn_now(port: int) -> None:
    status, _, headers = get(port, "/run/zookeeper-register/1")
    assert (status, headers["location"]) == (307, "/runs/zookeeper-register/1/report.html")
    assert b"Valid" in get(port, headers["location"])[1]
    status, _, headers = get(port, "/run/zookeeper-register/2")
    assert (status, headers["location"]) == (307, "/runs/zookeeper-register/2/report.html")
    status, body, _ = get(port, headers["location"])
    assert (status, b"What was run" in body) == (200, True)
    assert b'href="history.jsonl"' in body
    assert get(port, "/runs/latest/run.json")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/runs/../beside.txt",
        "/runs/..%2fbeside.txt",
        "/runs/%2e%2e/beside.txt",
        "/runs/zookeeper-register/1/../../../beside.txt",
        "/runs//etc/passwd",
        "/runs/%2fetc%2fpasswd",
        "/runs/linked/5/out",
        "/run/linked/5",
        "/live/linked/5",
        "/zip/linked/5",
        "/compare?run=linked/5&run=zookeeper-register/1",
        "/runs/outside/secret.txt",
        "/runs/zookeeper-register%00",
        "/runs/" + "x" * 5000,
        "/zip/..",
        "/zip/outside",
        "/live/../..",
        "/run/..",
        "/run/",
        "/compare?run=../..&run=..",
    ],
)
def test_nothing_outside_is_served(port: int, path: str) -> None:
    status, body, _ = get(port, path)
    assert status == 404
    assert b"secret" not in body
    assert b"root:" not in body


def test_a_foreign_name_is_refused(port: int) -> None:
    assert get(port, "/", host="evil.example")[0] == 400


def test_a_zip_has_the_run_and_no_links(port: int) -> None:
    status, body, headers = get(port, "/zip/zookeeper-register/1")
    names = zipfile.ZipFile(io.BytesIO(body)).namelist()
    assert status == 200
    assert "zookeeper-register-1.zip" in headers["content-disposition"]
    assert "zookeeper-register-1/history.jsonl" in names
    assert "zookeeper-register-1/nodes/n1/zookeeper.log" in names
    assert not any(name.endswith("/within") for name in names)


def test_runs_side_by_side(port: int) -> None:
    path = "/compare?run=zookeeper-register/1&run=zookeeper-register/2"
    status, body, _ = get(port, path)
    assert (status, b"side by side" in body) == (200, True)
    status, body, _ = get(port, "/compare?run=zookeeper-register/1")
    assert (status, b"two runs at least" in body) == (400, True)
    assert get(port, "/runs/raft-append/4/report.html")[0] == 400


def test_a_history_is_followed_line_by_line(tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    assert added(history, 0) == {"events": [], "next": 0, "more": False}
    lines = [json.dumps(event) + "\n" for event in events_of(SHORT)[:10]]
    history.write_text("".join(lines[:4]) + lines[4][:20])
    found = added(history, 0)
    assert len(found["events"]) == 4
    history.write_text("".join(lines))
    assert len(added(history, found["next"])["events"]) == 6
    history.write_text("rubbish\n[]\n")
    assert added(history, 0)["events"] == []


def test_a_killed_run_is_unfinished_not_running(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", SHORT)
    (run / "results.json").unlink()
    with in_progress(run):
        assert rows_of(tmp_path)[0].state == "Running"
    assert rows_of(tmp_path)[0].state == "Unfinished"


@contextmanager
def in_progress(run: Path) -> Iterator[IO[str]]:
    """Hold the lock that the controller of a run holds, until the file is closed."""
    with (run / "controller.log").open("a") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        yield log


def test_an_offset_beyond_the_end_has_no_events(port: int) -> None:
    status, body, _ = get(port, "/live/zookeeper-register/1?from=" + "9" * 18)
    assert (status, json.loads(body)["events"]) == (200, [])


@pytest.mark.parametrize("name", ["✓", 'a"b', "a\\b; filename=evil"])
def test_any_name_of_a_run_makes_a_zip(tmp_path: Path, name: str) -> None:
    write_run(tmp_path / name, SHORT)
    with serving(tmp_path) as port:
        status, _, headers = get(port, "/zip/" + quote(name))
        assert status == 200
        assert headers["content-disposition"].endswith(f"''{quote(name)}.zip")
        assert get(port, "/run/" + quote(name))[0] == 307
        assert get(port, "/")[0] == 200


def test_odd_files_in_a_run_stop_no_list(tmp_path: Path) -> None:
    odd = write_run(tmp_path / "1", SHORT, operations="x")
    pipe = write_run(tmp_path / "2", SHORT)
    (pipe / "controller.log").unlink()
    os.mkfifo(pipe / "controller.log")
    assert {row.path: row.state for row in rows_of(tmp_path)} == {"1": "Unreadable", "2": "Valid"}
    assert odd.is_dir()


def test_scripts_in_a_run_read_nothing_else(browser: Any, tmp_path: Path) -> None:
    run = write_run(tmp_path / "1", SHORT)
    script = "<script>fetch('/').then((a) => a.text()).then((t) => document.title = t)</script>"
    (run / "report.html").write_text(f"<title>-</title>{script}")
    (run / "nodes" / "evil.html").write_text(f"<title>-</title>{script}")
    (run / "evil.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg"><script>document.title="x"</script></svg>'
    )
    with serving(tmp_path) as port:
        for path in ("report.html", "nodes/evil.html", "evil.svg"):
            page = browser.new_context().new_page()
            page.goto(f"http://127.0.0.1:{port}/runs/1/{path}")
            page.wait_for_timeout(500)
            assert page.title() in ("-", ""), path


def test_a_report_works_as_it_is_served(browser: Any, port: int) -> None:
    seen = watched(browser)
    seen.page.goto(f"http://127.0.0.1:{port}/run/zookeeper-register/1")
    seen.page.wait_for_function("document.body.dataset.ready", timeout=30_000)
    seen.page.get_by_text("history.jsonl").click()
    assert seen.page.url.endswith("/runs/zookeeper-register/1/history.jsonl")
    assert seen.errors == []


@pytest.mark.parametrize("offset", ["", "x", "-1", "1.5", "9" * 5000, "9" * 19, "\u00b2"])
def test_an_offset_that_is_none_is_refused(port: int, offset: str) -> None:
    assert get(port, "/live/zookeeper-register/1?from=" + quote(offset))[0] == 400


def test_a_port_in_use_is_one_line(runs: Path, port: int) -> None:
    found = CliRunner().invoke(partita, ["serve", str(runs), "--port", str(port)])
    assert found.exit_code != 0
    assert f"cannot serve at 127.0.0.1:{port}" in found.output
    found = CliRunner().invoke(partita, ["serve", str(runs / "nowhere")])
    assert "is no directory" in found.output


def test_the_list_in_a_browser_sorts_filters_and_compares(browser: Any, port: int) -> None:
    seen = watched(browser)
    seen.page.goto(f"http://127.0.0.1:{port}/")
    rows = seen.page.locator("#runs tbody tr:not([hidden])")
    assert rows.count() == 5
    seen.page.locator("#filter").fill("zookeeper PARTITION")
    assert rows.count() == 3
    assert seen.page.locator("#shown").inner_text() == "3 runs"
    seen.page.locator("#filter").fill("")
    seen.page.get_by_role("button", name="System").click()
    systems = [row.inner_text().split("\t")[2] for row in rows.all()]
    assert systems == sorted(systems)
    seen.page.locator("#state").select_option("Valid")
    for box in seen.page.locator("#runs tbody tr:not([hidden]) input").all():
        box.check()
    seen.page.get_by_role("button", name="Compare the chosen").click()
    seen.page.get_by_text("2 runs side by side").wait_for()
    assert seen.errors == []
    assert all(url.startswith(f"http://127.0.0.1:{port}/") for url in seen.requests)


def test_a_run_in_progress_is_followed_to_its_report(browser: Any, tmp_path: Path) -> None:
    run = write_run(tmp_path / "raft-register" / "1", SHORT)
    results = (run / "results.json").read_bytes()
    lines = (run / "history.jsonl").read_text().splitlines(keepends=True)
    (run / "results.json").unlink()
    (run / "history.jsonl").write_text("".join(lines[:100]))
    with serving(tmp_path) as port, in_progress(run) as log:
        seen = watched(browser)
        seen.page.goto(f"http://127.0.0.1:{port}/run/raft-register/1")
        seen.page.wait_for_function("Number(document.getElementById('ok').textContent) > 20")
        with (run / "history.jsonl").open("a") as history:
            history.writelines(lines[100:])
        seen.page.wait_for_function("Number(document.getElementById('ok').textContent) > 100")
        assert seen.page.locator("#time").inner_text().startswith("18 of 12")
        assert "zookeeper register" in seen.page.locator("h1").inner_text()
        bands = seen.page.evaluate("document.getElementById('charts').layout.shapes")
        assert [(band["x0"], band["x1"]) for band in bands] == [(3, 8.4)]
        (run / "results.json").write_bytes(results)
        seen.page.wait_for_timeout(1500)
        assert seen.page.get_by_text("What is run").is_visible(), "it is being drawn"
        log.close()
        seen.page.get_by_text("What was run").wait_for()
        assert seen.errors == []
