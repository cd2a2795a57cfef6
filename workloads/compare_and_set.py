"""A register changed by a compare-and-set loop: read, change, and write back if it is unchanged.

On a mismatch the loop begins again, until its time is up.
"""

import time
from collections.abc import Callable

from partita.workloads.capabilities.registers import Registers
from partita.workloads.client import Answer, Definite, Indefinite, Mismatch, answer_of

Text = str | None


def change(
    client: Registers, key: str, changed: Callable[[Text], Text], until: float
) -> tuple[Text, Answer]:
    """Put `changed(old)` in the place of what a register holds; return that, and the answer.

    What is unchanged is not written. `until` is a moment of `time.monotonic`; there is one attempt
    at least. Raises `Definite` where nothing was written, else what the client raises.
    """
    attempts = 0
    while time.monotonic() < until or not attempts:
        attempts += 1
        read = _read(client, key)
        old: Text = read.value
        new = changed(old)
        if new is None or new == old:
            return old, read
        try:
            return old, answer_of(client.cas(key, old, new))
        except Mismatch:
            continue
    raise Definite(f"mismatch {attempts} times, then out of time")


def _read(client: Registers, key: str) -> Answer:
    """Read the register. Whatever goes wrong here, nothing was changed yet."""
    try:
        return answer_of(client.read(key))
    except Indefinite as error:
        raise Definite(f"could not read it first: {error}") from error
