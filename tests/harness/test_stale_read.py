"""The commonest violation, a stale read, is called by its name."""

from typing import Any

from partita.checker import History, check


def op(at: int, process: int, f: str, value: Any) -> list[dict[str, Any]]:
    begin = {"time": at, "type": "invoke", "process": process, "f": f}
    end = {"time": at + 10, "type": "ok", "process": process, "f": f, "value": value}
    return [begin | ({} if f == "read" else {"value": value}), end]


def test_a_stale_read_is_named_with_what_had_replaced_its_value() -> None:
    events = [*op(0, 1, "write", 1), *op(20, 2, "write", 2), *op(40, 3, "read", 1)]
    verdict = check(History.of_events(events))
    assert verdict.valid is False
    assert verdict.counterexample is not None
    text = verdict.counterexample.explanation
    assert text.startswith("Process 3's read of 1 (40 ns to 50 ns) was stale: 2 had already")
    assert "process 2's write 2" in text
    assert verdict.counterexample.operations == (0, 1, 2)
