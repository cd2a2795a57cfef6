"""The check `uniqueness`: no id is given twice.

Ids are compared as JSON: the order of an object's members does not matter, and 1 is not "1".
"""

import time
from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from partita.checker.checks import Judgement
from partita.checker.explain import capital, quoted, when
from partita.checker.history import OUTCOMES, CodeColumn, History, IntColumn
from partita.checker.values import canonical
from partita.checker.verdict import Counterexample

LEVEL = "unique"
_OK = OUTCOMES.index("ok")


class Uniqueness:
    """Whether no id that was generated was given to two takers."""

    name = "uniqueness"
    levels = (LEVEL,)
    default = LEVEL

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        begin = time.perf_counter()
        asked = history.f == history.f_code("generate")
        if len(history) and not asked.any():
            return Judgement(self.name, {}, reason="no id was asked for", applies=False)
        rows = np.flatnonzero(asked & (history.outcome == _OK))
        labels = _labels(history, rows)
        again = _repeated(labels)
        found = {LEVEL: _told(history, rows, labels, again)} if len(again) else {}
        return Judgement(
            self.name,
            {LEVEL: False if found else True if len(rows) else "unknown"},
            found,
            reason=None if len(rows) else "no id was given",
            figures={"ids": len(rows), "given_again": len(again)},
            seconds=time.perf_counter() - begin,
            engine="comparing",
            keys=1,
        )


def _labels(history: History, rows: IntColumn) -> CodeColumn:
    """Return a number for each id, the same for those that are equal."""
    codes = history.output[rows]
    different = np.unique(codes)
    values = history.values.several(different)
    first: dict[bytes, int] = {}
    labels = [
        first.setdefault(canonical(value), code) if isinstance(value, list | dict) else code
        for code, value in zip(different.tolist(), values, strict=True)
    ]
    by_code = np.array(labels, dtype=np.int32)
    return by_code[np.searchsorted(different, codes)]


def _repeated(labels: CodeColumn) -> npt.NDArray[np.int64]:
    """Return the places of ids that had been given before."""
    _, first = np.unique(labels, return_index=True)
    again = np.ones(len(labels), dtype=bool)
    again[first] = False
    return np.flatnonzero(again)


def _told(
    history: History, rows: IntColumn, labels: CodeColumn, again: npt.NDArray[np.int64]
) -> Counterexample:
    """Tell the first id that was given again."""
    place = int(again[0])
    before = int(np.flatnonzero(labels == labels[place])[0])
    first, second = int(rows[before]), int(rows[place])
    more = f" So were {len(again) - 1} more." if len(again) > 1 else ""
    text = f"the id {quoted(history[second].output)} was given twice: {_giving(history, first)}"
    text += f", and {_giving(history, second)}.{more}"
    return Counterexample((first, second), capital(text))


def _giving(history: History, row: int) -> str:
    op = history[row]
    return f"{op.node or 'the store'} gave it to process {op.process} ({when(history, row)})"
