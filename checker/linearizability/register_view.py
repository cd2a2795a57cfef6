"""What is a register under other names: a key that is only put and got."""

from dataclasses import dataclass, replace

import numpy as np

from partita.checker.explain import capital, who
from partita.checker.history import CodeColumn, History, IntColumn
from partita.checker.linearizability.monitors.operations import are_plain
from partita.checker.models.cas_register import CasRegister, register
from partita.checker.models.kv import KeyValue
from partita.checker.models.model import Model
from partita.checker.values import NULL
from partita.checker.verdict import Finding

_NAMES = {"get": "read", "put": "write"}


@dataclass(frozen=True, slots=True)
class RegisterView:
    """A history as a register's engines want it, and what it is really called."""

    history: History
    model: CasRegister
    original: History

    def told(self, finding: Finding) -> Finding:
        """Return what an engine found, with operations called as they are."""
        text = finding.explanation
        for row in (*finding.operations, *finding.beside):
            for timed in (True, False):
                theirs = who(self.history, row, timed=timed)
                ours = who(self.original, row, timed=timed)
                text = text.replace(theirs, ours).replace(capital(theirs), capital(ours))
        return replace(finding, explanation=text)


def register_view(history: History, rows: IntColumn, model: Model) -> RegisterView | None:
    """Return a key's history as one of a register, None if it is no such thing.

    The empty text and null are the same to `kv`. Where it begins with something else, a get of
    null is left to the model.
    """
    if not isinstance(model, KeyValue):
        return None
    present = np.flatnonzero(np.bincount(history.f[rows]))  # np.unique takes long to load
    named = {history.fs[code] for code in present}
    given, returned = history.input[rows], history.output[rows]
    is_put = history.f[rows] == history.f_code("put")
    if not named <= set(_NAMES) or (given[is_put] == NULL).any():
        return None
    if not are_plain(history, np.concatenate([given[is_put], returned])):
        return None
    initial = model.initial
    if initial != "" and (not isinstance(initial, str) or (returned[~is_put] == NULL).any()):
        return None
    view = replace(history, fs=[_NAMES.get(f, f) for f in history.fs])
    if initial == "":
        view.input = _with_null(history, history.input, rows)
        view.output = _with_null(history, history.output, rows)
    return RegisterView(view, register(initial or None), history)


def _with_null(history: History, column: CodeColumn, rows: IntColumn) -> CodeColumn:
    """Return a column in which the empty text of these rows is null."""
    values = history.values
    rows = rows[column[rows] >= 0]
    rows = rows[values.is_text[column[rows]] == 1]
    texts = values.payload[column[rows]]
    begins = np.where(texts > 0, values.text_ends[texts - 1], 0)
    rows = rows[values.text_ends[texts] - begins == len('""')]
    if not len(rows):
        return column
    changed = column.copy()
    changed[rows] = NULL
    return changed
