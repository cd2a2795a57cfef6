"""What a run's reports show, drawn from stored files alone."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic_run import Story, write_run

from partita.reports import RunError, compared, read_run, write_all
from partita.reports.palette import ON_DARK, OUTCOME


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def written(run: Path) -> list[Path]:
    return write_all(run)


def test_everything_is_drawn_and_nothing_else(run: Path, written: list[Path]) -> None:
    names = {path.name for path in written}
    charts = ("latency", "latency-fault-1", "availability", "latency-quantiles", "rate")
    assert names == {f"{c}.{e}" for c in charts for e in ("png", "svg")} | {"report.html"}
    assert all(path.stat().st_size > 1000 for path in written)


def test_the_page_says_the_verdict_first_and_fetches_nothing(written: list[Path]) -> None:
    html = written[-1].read_text()
    text = re.sub(r"<[^>]+>", " ", html.split("</style>")[1])
    assert text.index("Valid") < text.index("fit into one order") < text.index("What was run")
    assert "partita test zookeeper" in text
    assert "12 of 12 pairs cut off, 4,711 packets dropped" in text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', html)
    assert not re.findall(r"@import|url\((?!#)", html)


def test_a_chart_of_less_than_a_power_of_ten_has_times_on_its_axis(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", Story(seconds=10, cut=None))
    lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    begun: dict[Any, int] = {}
    for event in lines:
        event.pop("due", None)
        if event["type"] != "invoke" and isinstance(event["process"], int):
            event |= {"type": "ok", "time": begun[event["process"]] + 3_000_000 + event["time"] % 9}
        begun[event["process"]] = event["time"]
    (run / "history.jsonl").write_text("".join(json.dumps(event) + "\n" for event in lines))
    svg = {path.name: path for path in write_all(run, ["svg"])}["latency-quantiles.svg"]
    text = svg.read_text()
    assert ">3 ms<" in text
    assert "mathdefault" not in text


def test_ids_in_the_page_are_unique(written: list[Path]) -> None:
    ids = re.findall(r'\bid="([^"]+)"', written[-1].read_text())
    assert len(ids) == len(set(ids))


def test_the_same_run_gives_the_same_bytes(run: Path, written: list[Path]) -> None:
    before = {path: path.read_bytes() for path in written}
    assert {path: path.read_bytes() for path in write_all(run)} == before


def test_names_in_a_run_cannot_break_out_of_the_page(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    run = write_run(tmp_path / "run", Story(seconds=5, cut=None), valid="unknown", reason=evil)
    html = write_all(run)[-1].read_text()
    assert evil not in html
    assert "&lt;script&gt;alert(1)" in html


def test_a_run_without_faults_and_one_without_operations_can_be_drawn(tmp_path: Path) -> None:
    calm = write_run(tmp_path / "calm", Story(seconds=5, cut=None))
    assert "No fault was injected" in write_all(calm)[-1].read_text()
    empty = write_run(tmp_path / "empty", Story(seconds=5, cut=None))
    (empty / "history.jsonl").write_text("")
    assert "No operation was due" in write_all(empty)[-1].read_text()


def test_a_run_nobody_checked_is_unknown(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", Story(seconds=5, cut=None))
    (run / "results.json").unlink()
    assert read_run(run).results["valid"] == "unknown"


# As of a clock that counts from 1970.
FAR = '{%s:1780000000000000000,"process":1,"type":"invoke","f":"read"}'


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("run.json", None, "is no run directory: it has no run.json"),
        ("run.json", "{", "cannot be read"),
        ("run.json", "[]", "holds no JSON object"),
        ("run.json", '{"nodes": []}', "foreign: Object missing required field `timeout`"),
        ("run.json", '{"nodes": [], "timeout": 1, "format": "2"}', "foreign"),
        ("run.json", '{"nodes": [], "timeout": 1, "rate": "fast"}', "foreign"),
        ("run.json", '{"nodes": [], "timeout": 1, "schedule": [{"at": "x"}]}', "foreign"),
        ("results.json", '{"valid": "perhaps"}', "foreign"),
        ("results.json", '{"operations": "x"}', "foreign"),
        ("results.json", '{"verdict": {"counterexample": [true]}}', "foreign"),
        ("run.json", '{"nodes": [], "timeout": 1e300}', "no operation has a time-out of 1e+300 s"),
        ("run.json", '{"nodes": [], "timeout": 0}', "no operation has a time-out of 0 s"),
        (
            "history.jsonl",
            f'{{"time":{10**18},"process":"nemesis","type":"info","f":"x"}}\n',
            "weeks",
        ),
        ("history.jsonl", f'{{"due":{10**18},"process":1,"type":"invoke","f":"read"}}\n', "weeks"),
        ("results.json", '{"verdict": {"explanation": 7}}', "foreign"),
        ("run.json", '{"nodes": [], "timeout": 1, "format": 99}', "newer Partita"),
        ("run.json", '{"nodes": 7, "timeout": "x"}', "foreign"),
        ("history.jsonl", None, "recorded nothing"),
        ("history.jsonl", "what is this\n", "history.jsonl"),
        ("history.jsonl", '{"a": 1}\n', "history.jsonl"),
        ("results.json", "{]", "cannot be read"),
    ],
)
def test_a_directory_that_is_no_run_is_refused(
    tmp_path: Path, name: str, content: str | None, said: str
) -> None:
    run = write_run(tmp_path / "run", Story(seconds=2, cut=None))
    (run / name).unlink() if content is None else (run / name).write_text(content)
    with pytest.raises(RunError, match=re.escape(said)) as error:
        read_run(run)
    assert "\n" not in str(error.value)


def test_a_verdict_about_more_than_is_there_is_dropped(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", Story(seconds=5, cut=None))
    text = (run / "history.jsonl").read_text()
    (run / "history.jsonl").write_text(text[: len(text) // 2])
    found = read_run(run)
    assert found.results["valid"] == "unknown"
    assert "the stored verdict is about 104 operations" in found.results["reason"]
    page = write_all(run, ["html"])[-1].read_text()
    assert "About the history: " in page
    assert "the stored verdict is about 104 operations" in page


def test_dollars_and_odd_events_are_drawn(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", Story(seconds=12, cut=3, heal=8))
    odd = r"v$\frac_1$ and x$^$"
    lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    for event in lines:
        event["node"] = odd if event.get("node") == "n1" else event.get("node")
        if event["f"] == "leader":
            event["value"] = 5
    lines[1]["value"] = (
        {"description": odd} if lines[1]["process"] == "nemesis" else lines[1]["value"]
    )
    (run / "history.jsonl").write_text("".join(json.dumps(event) + "\n" for event in lines))
    spec = json.loads((run / "run.json").read_text())
    spec |= {"system": odd, "nodes": [odd, *spec["nodes"][1:]]}
    (run / "run.json").write_text(json.dumps(spec))
    (run / "nodes" / "n1" / "folder.log").mkdir()
    assert write_all(run)
    write_run(tmp_path / "other", Story(seconds=5, cut=None))
    assert compared([run, tmp_path / "other"])


def test_what_results_say_of_availability_is_computed_anew(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", Story(seconds=5, cut=None), availability=0.123)
    assert json.loads((run / "results.json").read_text())["availability"] == 0.123
    assert read_run(run).results["availability"] == 1.0


# Machado, Oliveira and Fernandes 2009: how each deficiency, at its strongest, sees linear RGB.
SEEN_BY = {
    "protanope": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranope": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanope": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def lab(colour: str, seen_by: str) -> np.ndarray:
    srgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(SEEN_BY[seen_by]) @ linear, 0, 1)
    x, y, z = np.cbrt(np.array(TO_XYZ) @ seen / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("seen_by", SEEN_BY)
@pytest.mark.parametrize("ground", ["light", "dark"])
def test_outcomes_differ_for_the_colour_blind(seen_by: str, ground: str) -> None:
    colours = [c if ground == "light" else ON_DARK[c] for c in OUTCOME.values()]
    seen = [lab(colour, seen_by) for colour in colours]
    # A difference of 2 can just be told side by side; 30 is a different colour at a glance.
    for i, one in enumerate(seen):
        assert all(np.linalg.norm(one - other) > 30 for other in seen[:i])
