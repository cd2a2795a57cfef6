"""Registers in the tests' own memory, which fail as they are told to."""

from partita.workloads.client import Mismatch


class Registers:
    """One register a key; each call first takes the next of `troubles`, if any."""

    def __init__(self, *troubles: Exception | None) -> None:
        self.values: dict[str, str] = {}
        self.troubles = list(troubles)

    def read(self, key: str) -> str | None:
        self._trouble()
        return self.values.get(key)

    def write(self, key: str, value: str) -> None:
        self._trouble()
        self.values[key] = value

    def cas(self, key: str, old: str | None, new: str) -> None:
        self._trouble()
        if self.values.get(key) != old:
            raise Mismatch
        self.values[key] = new

    def close(self) -> None: ...

    def _trouble(self) -> None:
        if self.troubles and (trouble := self.troubles.pop(0)):
            raise trouble
