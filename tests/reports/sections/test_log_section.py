"""What the nodes logged around a fault."""

from pathlib import Path

import pytest
from synthetic_run import write_run

from partita.reports import read_run
from partita.reports.sections.logs import excerpts


def test_log_lines_stand_on_the_runs_clock(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "run"))
    begins, healed = excerpts(run)
    assert begins.title == "Fault 1 (partition n1 n2 | n3 n4 n5) begins"
    assert [line.at for line in begins.lines] == sorted(line.at for line in begins.lines)
    assert begins.lines[0].at == pytest.approx(66.0)
    assert begins.lines[0].text.startswith("WARN Connection broken")
    assert {line.node for line in healed.lines} == {"n1", "n2", "n3", "n4", "n5"}


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-11-22 18:01:06,000 [myid:1] WARN",
        "2026-11-22T18:01:06Z WARN",
        "2026-11-22T20:01:06.000000+02:00 WARN",
        '{"level":"warn","ts":"2026-11-22T18:01:06.000Z"}',
        "2026-11-22 13:01:06.000 WARN of a node whose clock is set to New York",
    ],
)
def test_stamps_of_many_forms_are_read(tmp_path: Path, stamp: str) -> None:
    directory = write_run(tmp_path / "run")
    for log in directory.glob("nodes/*/*.log"):
        log.write_text("")
    (directory / "nodes" / "n1" / "store.log").write_text(f"no stamp at all\n{stamp}\n")
    begins = excerpts(read_run(directory))[0]
    assert [line.at for line in begins.lines] == [pytest.approx(66.0)]


def test_talkative_nodes_are_cut_short_and_that_is_said(tmp_path: Path) -> None:
    directory = write_run(tmp_path / "run")
    lines = "".join(f"2026-11-22 18:01:06.{n:03} line {n}\n" for n in range(100))
    (directory / "nodes" / "n1" / "store.log").write_text(lines)
    begins = excerpts(read_run(directory))[0]
    assert begins.left_out > 80
