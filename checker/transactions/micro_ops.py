"""What a transaction did, step by step, as those need it who tell of it or draw it."""

from dataclasses import dataclass
from typing import Any, Final

from partita.checker.explain import quoted
from partita.checker.history import History

# As Jepsen calls them, and longer; with or without the colon of a keyword.
_NAMES: Final = {"r": "r", "read": "r", "w": "w", "write": "w", "append": "append"}
# So many elements of a long list are shown, the last ones.
_SHOWN: Final = 4
_LONGEST: Final = 24


@dataclass(frozen=True, slots=True)
class MicroOp:
    """One step: `f` is "append", "w" or "r"; `known`: whether what a read found is known."""

    f: str
    key: Any
    value: Any
    known: bool = True

    @property
    def reads(self) -> bool:
        return self.f == "r"

    def done(self) -> str:
        """Say what was done: "appended 3 to x", "read x as [1, 2]"."""
        if self.f == "append":
            return f"appended {shown(self.value)} to {plain(self.key)}"
        if self.f == "w":
            return f"wrote {shown(self.value)} to {plain(self.key)}"
        if not self.known:
            return f"read {plain(self.key)}, with an answer that nobody saw"
        return f"read {plain(self.key)} as {found(self.value)}"


def micro_op(given: Any, *, known: bool = True) -> MicroOp | None:
    """Return a micro-operation as it stands in a history, None if it is none."""
    if not isinstance(given, list) or len(given) not in (2, 3) or not isinstance(given[0], str):
        return None
    f = _NAMES.get(given[0].removeprefix(":"))
    if f is None or (len(given) == 2 and f != "r"):
        return None
    return MicroOp(f, given[1], given[2] if len(given) == 3 else None, known)


def micro_ops(history: History, row: int) -> list[MicroOp]:
    """Return what a transaction did, or would have done if it is not known to have."""
    op = history[row]
    known = op.outcome == "ok"
    given = op.output if known and op.output is not None else op.input
    listed = given if isinstance(given, list) else []
    return [each for one in listed if (each := micro_op(one, known=known)) is not None]


def written(history: History, row: int, key: Any, value: Any) -> MicroOp:
    """Return the step by which a transaction put a value under a key."""
    for each in micro_ops(history, row):
        if not each.reads and each.key == key and each.value == value:
            return each
    return MicroOp("w", key, value)


def first_read(history: History, row: int, key: Any) -> MicroOp | None:
    """Return the first read of a key."""
    reads = (each for each in micro_ops(history, row) if each.reads and each.key == key)
    return next(reads, None)


def plain(key: Any) -> str:
    """Return a key as one says it: x, not "x"."""
    return key if isinstance(key, str) else quoted(key)


def shown(value: Any) -> str:
    """Return a value as it is written, on no account a long one as a whole."""
    text = quoted(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def found(value: Any) -> str:
    """Return what was read; of a long list its end."""
    if value is None:
        return "nothing"
    if isinstance(value, list) and len(value) > _SHOWN + 1:
        return f"[… {', '.join(map(shown, value[-_SHOWN:]))}]"
    return f"[{', '.join(map(shown, value))}]" if isinstance(value, list) else shown(value)
