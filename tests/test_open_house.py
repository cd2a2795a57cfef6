"""One new thing is one new file: what drives, judges and shows a run names none of the things."""

import re
from pathlib import Path

import pytest

from partita.checker.plugins import KINDS, PluginError, entries, find, names, one

ROOT = Path(__file__).parents[1]
# What must not know which systems, workloads, checks, faults and sections there are.
NAMELESS = (
    "harness/run/expectations.py",
    "harness/run/gate.py",
    "harness/run/judging.py",
    "harness/run/load.py",
    "harness/run/owners.py",
    "harness/run/results.py",
    "harness/run/run.py",
    "harness/run/series.py",
    "harness/run/session.py",
    "harness/run/worker.py",
    "harness/commands/owned.py",
    "harness/commands/list.py",
    "nemesis/driver.py",
    "nemesis/schedule.py",
    "reports/page.py",
    "workloads/workload.py",
)
# A word that is a name and also plain English, or the usual word for something else.
ENGLISH = {
    "set",
    "one",
    "all",
    "start",
    "stop",
    "register",
    "append",
    "counter",
    "json",
    "leader",
    "faults",
    "plain",
}


@pytest.mark.parametrize("path", NAMELESS)
def test_nothing_that_runs_knows_what_there_is(path: str) -> None:
    code = _without_prose((ROOT / path).read_text())
    # Sections of a page are called by plain words ("faults"), which only a page must not know.
    kinds = ["systems", "workloads", "checks", "models", "faults", "targets", "formats", "disks"]
    kinds += ["sections"] if path.startswith("reports/") else []
    known = {name for kind in kinds for name in names(kind)} - ENGLISH
    said = {word for text in re.findall(r'"([^"\n]*)"', code) for word in [text.strip()]}
    assert known & said == set()


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_is_declared_can_be_loaded_and_says_what_it_is(kind: str) -> None:
    for name, entry in entries(kind).items():
        thing = find(kind, name)
        if entry.source == "partita":
            assert (getattr(thing, "__doc__", "") or "").strip(), f"{one(kind)} {name} says nothing"


def test_a_name_that_is_unknown_says_what_there_is() -> None:
    with pytest.raises(PluginError, match=r"no workload is called 'x': choose from append.*own as"):
        find("workloads", "x")


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("class Mine: pass\n")
    assert find("faults", f"{path}:Mine").__name__ == "Mine"
    with pytest.raises(PluginError, match="there is no file"):
        find("faults", f"{tmp_path}/none.py:Mine")
    path.write_text("raise ValueError('a\\nb')\n")
    with pytest.raises(PluginError, match=r"mine.py cannot be imported: ValueError: a b"):
        find("faults", f"{path}:Mine")


def _without_prose(code: str) -> str:
    return re.sub(r'""".*?"""', "", code, flags=re.DOTALL)
