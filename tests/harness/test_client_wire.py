"""What a client raises or returns on its own node is the same when it reaches the controller."""

import pytest

from partita.harness.clients import wire
from partita.workloads.client import Answer, Definite, Indefinite, Mismatch, Refused


@pytest.mark.parametrize(
    "error",
    [
        Definite("not sent"),
        Indefinite("timeout"),
        Refused("not granted"),
        Mismatch("1", known=True),
    ],
)
def test_an_error_is_of_its_kind_on_both_sides(error: Exception) -> None:
    line = wire.decoded(wire.encoded(wire.trouble(error)))
    with pytest.raises(type(error)) as raised:
        wire.came_to(line)
    assert type(raised.value) is type(error)
    assert str(raised.value) == str(error)


def test_an_answer_keeps_its_version_and_fields() -> None:
    answer = Answer("x", 7, {"session": "s1", "ttl": 4.0})
    assert wire.came_to(wire.decoded(wire.encoded(wire.outcome(answer)))) == answer
