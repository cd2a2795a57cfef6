"""What is said between the controller and a client node arrives as it was."""

from typing import Any

import pytest

from partita.harness.clients import wire
from partita.workloads.capabilities.transactions import Seen, Snapshot
from partita.workloads.client import Answer, Definite, Indefinite, Mismatch, Refused


def passed_on(line: Any, hint: Any = Any) -> Any:
    return wire.came_to(wire.decoded(wire.encoded(line)), hint)


@pytest.mark.parametrize(
    "returned",
    [None, "text", 7, [["a", 1]], Answer("x", 12, {"session": "s", "ttl": 4.0}), Answer()],
)
def test_an_answer(returned: Any) -> None:
    assert passed_on(wire.outcome(returned)) == returned


def test_an_answer_of_a_type_that_json_does_not_have() -> None:
    snapshot = Snapshot([Seen("v", 3), Seen(None)], 9, settled=False)
    found = passed_on(wire.outcome(snapshot), wire.hints("transactions", "snapshot")[1])
    assert found == snapshot
    assert found.seen[0].version == 3


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Definite("refused"), Definite),
        (Refused("held"), Refused),
        (Indefinite("lost"), Indefinite),
        (ZeroDivisionError("oops"), Indefinite),
        (KeyboardInterrupt(), Indefinite),
    ],
)
def test_an_error(error: BaseException, kind: type[Exception]) -> None:
    with pytest.raises(kind) as raised:
        passed_on(wire.trouble(error))
    assert type(raised.value) is kind
    assert str(raised.value) == (str(error) or type(error).__name__)


def test_a_mismatch() -> None:
    met = Mismatch("3", known=True, version=7, fields={"retries": 2})
    with pytest.raises(Mismatch) as raised:
        passed_on(wire.trouble(met))
    found = raised.value
    assert (found.actual, found.known, found.version) == ("3", True, 7)
    assert found.fields == {"retries": 2}
    with pytest.raises(Mismatch) as raised:
        passed_on(wire.trouble(Mismatch()))
    assert not raised.value.known


def test_arguments_have_the_types_that_the_capability_says() -> None:
    types, _ = wire.hints("transactions", "commit")
    guards, writes = wire.decoded(wire.encoded({"args": [[("k", Seen("v", 3))], [("k", "w")]]}))[
        "args"
    ]
    assert wire.typed(guards, types[0]) == [("k", Seen("v", 3))]
    assert wire.typed(guards, types[0])[0][1].version == 3
    assert wire.typed(writes, types[1]) == [("k", "w")]


def test_a_method_beside_the_capability_and_one_that_nobody_knows() -> None:
    assert wire.hints("transactions", "execute")[1] is Answer
    assert wire.hints("transactions", "dance") == ((), Any)
    assert wire.hints("nobody's", "read") == ((), Any)


def test_a_line_that_is_none() -> None:
    with pytest.raises(ValueError, match="no JSON object"):
        wire.decoded(b"[1]\n")
