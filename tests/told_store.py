"""A store whose client does what the key says, to test programs on client nodes."""

import os
import time
from collections.abc import Sequence
from typing import Any

from partita.workloads.client import Answer, Definite, Indefinite, Mismatch, Refused, Tell


class Told:
    """Its client lives in no store at all."""

    name = "told"

    def start(self, node: Any, nodes: Sequence[Any]) -> None: ...

    def healthy(self, node: Any) -> bool:
        return True

    def client(self, node: Any, timeout: float) -> "ToldClient":
        if timeout < 1:
            raise Definite("in too much of a hurry")
        return ToldClient()


class Broken(Told):
    """It cannot be made."""

    def __init__(self) -> None:
        raise OSError("no licence")


class ToldClient:
    """Reads the process it lives in; a key may ask for something else."""

    tell: Tell

    def listen(self, tell: Tell) -> None:
        self.tell = tell
        tell("beat", True, sent=time.monotonic(), session="s1")

    def read(self, key: str) -> str | Answer | None:
        print("what a library prints is no answer")
        if key == "die":
            os._exit(3)
        if key == "slow":
            time.sleep(0.5)
        return Answer(str(os.getpid()), 7, {"session": "s1"})

    def write(self, key: str, value: str) -> None:
        if key == "tell":
            self.tell("told", value, key="k", version=9, at=time.monotonic() - 0.25, reason="asked")
        elif key != "nothing":
            raise {"definite": Definite, "refused": Refused, "indefinite": Indefinite}[key](value)

    def cas(self, key: str, old: str | None, new: str) -> None:
        raise Mismatch(new, known=True, version=3)

    def close(self) -> None:
        self.tell("close", True)
