"""A fixture for a team's own tests: operations on an object are recorded, and checked at the end.

    def test_my_queue(history):
        history.model = "fifo-queue"
        with history.operation("enqueue", 1) as op:
            op.output = my_queue.put(1)

In a file of its own, because it needs no cluster, and imports nothing before a test asks for it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from partita.checker.recorder import Recorder

_Kept = tuple["Recorder", Path]
_KEPT: Final = pytest.StashKey[_Kept]()


@pytest.fixture
def history(request: pytest.FixtureRequest, tmp_path: Path) -> "Recorder":
    """Record what the test does to an object, and fail the test unless that is linearizable.

    Returns a `partita.Recorder`; set its `model`. When the test function has ended without an
    exception, the history is checked. A violation fails the test with an explanation in plain
    English, and so do an unknown verdict, and a history that any object would have passed: one
    in which nothing was recorded, nothing succeeded, or nothing was observed.
    """
    from partita.checker.recorder import Recorder

    recorder = Recorder()
    request.node.stash[_KEPT] = (recorder, tmp_path)
    return recorder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> "Generator[None, Any, Any]":
    """Check when the test function has ended: what fails there is the test, not its tear-down."""
    try:
        result = yield
    except Exception:
        kept = item.stash.get(_KEPT, None)
        if kept:
            _add_violation(item, *kept)
        raise
    kept = item.stash.get(_KEPT, None)
    problem = _problem(*kept) if kept else None
    if problem:
        pytest.fail(problem, pytrace=False)
    return result


def _add_violation(item: pytest.Item, recorder: "Recorder", folder: Path) -> None:
    """Show a violation beside the exception that the test ended with: it may be the reason."""
    problem = _problem(recorder, folder)
    if problem and problem.startswith("not linearizable"):
        item.add_report_section("call", "history", problem)


def _problem(recorder: "Recorder", folder: Path) -> str | None:
    from partita.checker import HistoryError, ModelError
    from partita.checker.recorder import RecordingError

    try:
        recorder.assert_valid()
    except (HistoryError, ModelError, RecordingError) as error:
        return str(error)
    except AssertionError as error:
        return f"{error}\n{_stored(recorder, folder)}".strip()
    return None


def _stored(recorder: "Recorder", folder: Path) -> str:
    """Write the history down, and say how it is drawn."""
    history = recorder.history()
    if not len(history):
        return ""
    file = folder / "history.jsonl"
    history.write(file)
    model = f" --model {recorder.model}" if isinstance(recorder.model, str) else ""
    return f"\nThe history: {file}\nDrawn: partita check{model} --html violation.html {file}"
