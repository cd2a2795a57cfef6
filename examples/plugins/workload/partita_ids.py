"""A workload and its check: every id is given to one taker only.

partita test etcd --workload ids --nemesis leader-minority
partita test etcd --workload ids --careless     # a mistake, to see that the check finds it
"""

import time
from collections.abc import Collection, Mapping, Sequence
from random import Random
from typing import Annotated, Any

from partita.checker import Counterexample, History
from partita.checker.checks import Judgement
from partita.checker.settings import Setting
from partita.workloads.capabilities.registers import Registers
from partita.workloads.client import Definite, Indefinite, Mismatch, answer_of
from partita.workloads.workload import Operation


class Unique:
    """Whether no id was given twice."""

    name = "unique"
    levels = ("unique",)  # the strongest first, for a check that can tell several apart
    default = "unique"  # what is asked for where a system promises nothing else

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        taken: dict[int, int] = {}  # the row that an id was given in
        for row, operation in enumerate(history):
            if operation.outcome != "ok":
                continue
            before = taken.setdefault(operation.output, row)
            if before != row:
                first, second = history[before].process, operation.process
                text = f"Process {first} and process {second} were both given {operation.output}."
                found = Counterexample((before, row), text)
                return Judgement(self.name, {"unique": False}, {"unique": found})
        return Judgement(self.name, {"unique": True}, figures={"taken": len(taken)})


class Ids:
    """Ids taken from a register that counts; none is given twice."""

    name = "ids"
    capability = "registers"
    # `answers`: what came back is not what was asked with.
    operations: Mapping[str, Operation] = {"take": Operation(answers=True)}
    checks = (Unique(),)

    def __init__(
        self,
        careless: Annotated[bool, Setting("Take ids by a read and a write.")] = False,
    ) -> None:
        self.careless = careless

    def draw(self, random: Random, number: int) -> tuple[str, str, Any]:
        return "take", "last-id", None

    def prepare(self, f: str, key: str, value: Any) -> Any:
        return value

    def invoke(self, client: Registers, f: str, key: str, value: Any, until: float) -> int:
        while True:
            last = self._last(client, key)
            given = int(last or 0) + 1
            try:
                if self.careless:
                    client.write(key, str(given))
                else:
                    client.cas(key, last, str(given))
                return given
            except Mismatch:  # somebody was quicker: once more, while there is time
                if time.monotonic() > until:
                    raise Definite("somebody else was always quicker") from None

    def final(self) -> Sequence[tuple[str, str]]:
        return [("take", "last-id")]  # every node must give one more in the end

    def _last(self, client: Registers, key: str) -> str | None:
        try:
            last: str | None = answer_of(client.read(key)).value
            return last
        except Indefinite as error:  # nothing was changed yet, so this is certain
            raise Definite(f"could not read the last id: {error}") from error
