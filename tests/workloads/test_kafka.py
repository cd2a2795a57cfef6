"""What clients of logs ask for depends on what they were given, and in the end on nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from partita.workloads.client import Answer
from partita.workloads.kafka import Kafka


class Logs:
    """One node with two messages in a log, which gives one of them at a time."""

    def __init__(self) -> None:
        self.done: dict[str, int] = {}

    def send(self, key: str, message: str) -> Answer:
        return Answer(version=7)

    def poll(self, offsets: Mapping[str, int]) -> Mapping[str, Sequence[tuple[int, str]]]:
        return {"0": [(at, str(at)) for at in (0, 3) if at >= offsets["0"]][:1]}

    def commit(self, offsets: Mapping[str, int]) -> None:
        self.done |= offsets

    def committed(self, keys: Sequence[str]) -> Mapping[str, int]:
        return self.done

    def close(self) -> None:
        """Nothing is open."""


def do(workload: Kafka, client: Logs, f: str, value: Any = None) -> tuple[Any, Any]:
    asked = workload.prepare(f, None, value)
    return asked, workload.invoke(client, f, "0", asked, 0.0).value


def test_a_client_goes_on_behind_what_it_was_given() -> None:
    workload, client = Kafka(keys=1), Logs()
    assert do(workload, client, "committed", ["0"]) == (["0"], {})
    assert do(workload, client, "poll") == ({"0": 0}, {"0": [[0, 0]]})
    assert do(workload, client, "commit")[0] == {"0": 0}
    assert do(workload, client, "poll") == ({"0": 1}, {"0": [[3, 3]]})
    assert do(workload, client, "poll") == ({"0": 4}, {"0": []})
    assert do(workload, client, "committed", ["0"])[1] == {"0": 0}
    assert do(workload, client, "poll")[0] == {"0": 1}
    assert workload.invoke(client, "send", "0", 5, 0.0).version == 7


def test_in_the_end_all_is_polled_from_the_beginning() -> None:
    workload, client = Kafka(keys=1), Logs()
    do(workload, client, "poll")
    polls = [do(workload, client, f) for f, _ in workload.final()]
    assert polls == [
        ({"0": 0}, {"0": [[0, 0]]}),
        ({"0": 1}, {"0": [[3, 3]]}),
        ({"0": 4}, {"0": []}),
    ]
