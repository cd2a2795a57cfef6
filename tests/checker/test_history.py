"""Histories: events in, columns inside, operations out."""

from partita.checker import History


def test_operations_come_out_as_they_went_in() -> None:
    history = History.of_events(
        [
            {"time": 1, "type": "invoke", "process": 0, "f": "write", "key": "a", "value": 5},
            {"time": 2, "type": "invoke", "process": 1, "f": "read", "key": "a", "value": None},
            {"time": 3, "type": "ok", "process": 1, "f": "read", "key": "a", "value": 5},
            {"time": 4, "type": "info", "process": 0, "f": "write", "key": "a", "error": "timeout"},
        ]
    )
    write, read = history
    assert (write.f, write.key, write.input, write.outcome) == ("write", "a", 5, "info")
    assert (write.error, write.completed) == ("timeout", None)
    assert (read.output, read.outcome, read.completed) == (5, "ok", 3)
