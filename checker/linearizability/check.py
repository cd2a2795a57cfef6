"""One history, one model, one verdict: split by key, choose engines, obey the limits.

Linearizability is local: a history is linearizable exactly if each key's part is. So each key
is checked by itself, in parallel (see `partita.checker.linearizability.scheduling`).
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Final

import numpy as np

from partita.checker.explain import quoted
from partita.checker.history import OUTCOMES, History, IntColumn
from partita.checker.linearizability.elements import merged
from partita.checker.linearizability.engine import ENGINES, engines
from partita.checker.linearizability.order import Timing, order_of
from partita.checker.linearizability.scheduling import Found, Job, decide
from partita.checker.lookalikes import lookalike
from partita.checker.models.model import EachKey, Model, ModelError, load_model
from partita.checker.verdict import Counterexample, Finding, Limits, Mismatch, Validity, Verdict

_FAIL: Final = OUTCOMES.index("fail")


def check(
    history: History,
    model: str | Model = "cas-register",
    *,
    initial: Any = None,
    engine: str = "auto",
    time_limit: float | None = None,
    memory_limit: int | None = None,
    mismatch: Mismatch = "observe",
    executor: Executor | None = None,
) -> Verdict:
    """Decide whether a history is linearizable.

    `model` is a name (`partita list models`), `path/to/file.py:Class`, or a model;
    `initial` the state before the first operation in a named model's own terms, or that of each
    key (`EachKey`). `engine` is
    "auto" or one of `ENGINES`. `time_limit` is in seconds, `memory_limit` the most bytes that
    the process may hold: when one is hit, the verdict is "unknown". A cas that failed with
    "mismatch" observes that the value was another one, unless `mismatch` is "ignore". Keys
    are checked in parallel by `executor`, by default with a thread for each core.

    Raises `ModelError` if the model or the engine does not fit the operations; what a model's
    own `step` raises goes through.
    """
    own: Mapping[str, Model] = {}
    if isinstance(model, str):
        model, own = _loaded(history, model, initial)
    elif initial is not None:
        raise ModelError("initial goes with a model's name: this model has its own")
    names = _engines(engine, model)
    begin = time.perf_counter()
    deadline = None if time_limit is None else time.monotonic() + time_limit
    limits = Limits(deadline, memory_limit, np.zeros(1, dtype=np.uint8))
    keys = _by_key(history, counting(history, model, mismatch))
    job = Job(history, model, names, limits, mismatch, own)
    findings = decide(job, [key.rows for key in keys], executor)
    return _verdict(job, keys, findings, Timing(time.perf_counter() - begin, time_limit))


def _loaded(history: History, name: str, initial: Any) -> tuple[Model, Mapping[str, Model]]:
    """Return the model of all keys, and those of keys that begin otherwise, by the key's JSON."""
    if not isinstance(initial, EachKey):
        return load_model(name, initial), {}
    begun = {quoted(key): initial.of(key) for key in history.keys}
    own = {
        key: load_model(name, value, initial.settings)
        for key, value in begun.items()
        if value is not None
    }
    return load_model(name, None, initial.settings), own


def _engines(name: str, model: Model) -> tuple[str, ...]:
    if name == "auto":
        return tuple(each.name for each in engines().values() if each.fits(model))
    if name not in ENGINES:
        raise ModelError(f"no engine is called {name!r}: take auto or one of {', '.join(ENGINES)}")
    engine = engines()[name]
    if not engine.fits(model):
        raise ModelError(f"engine {name} is for {engine.made_for} only, not for model {model.name}")
    return (name,)


def counting(history: History, model: Model, mismatch: Mismatch) -> IntColumn:
    """Return the rows of the operations that count: those that failed only as observations."""
    counts = history.outcome != _FAIL
    observes = mismatch == "observe" and getattr(model, "observes_mismatch", False)
    if observes and "mismatch" in history.errors:
        error = history.errors.index("mismatch")
        counts |= (history.error == error) & (history.f == history.f_code("cas"))
    rows: IntColumn = counts.nonzero()[0]
    return rows


@dataclass(frozen=True, slots=True)
class _Key:
    """One key's operations that count."""

    code: int
    rows: IntColumn


def _by_key(history: History, rows: IntColumn) -> list[_Key]:
    codes = history.key[rows]
    if not len(codes) or not len(history.keys) or (codes == codes[0]).all():
        return [_Key(int(codes[0]), rows)] if len(codes) else []
    order = np.argsort(codes, kind="stable")
    rows, codes = rows[order], codes[order]
    borders = np.flatnonzero(np.diff(codes)) + 1
    return [_Key(int(history.key[part[0]]), part) for part in np.split(rows, borders)]


def _verdict(job: Job, keys: Sequence[_Key], findings: list[Found], timing: Timing) -> Verdict:
    valid, index = _worst([finding for _, finding in findings])
    names = [name for name, _ in findings]
    used = "+".join(name for name in engines() if name in names) or "none"
    verdict = Verdict(
        valid=valid,
        engine=used,
        model=job.model.name,
        operations=len(job.history),
        keys=len(keys),
        seconds=timing.took_s,
        details=_details(job, keys, findings),
        notes=_notes(job, keys, findings),
        find_order=cache(partial(order_of, job, [key.rows for key in keys], findings, timing)),
    )
    if not len(job.history):
        return replace(verdict, valid="unknown", reason="nothing to check: no operations")
    if valid is True:
        return verdict
    key = job.history.decoded_key(keys[index].code)
    if valid is False:
        finding = findings[index][1]
        hint = lookalike(job.history, finding.operations)
        explanation = f"{finding.explanation} {hint}" if hint else finding.explanation
        shown = tuple(sorted({*finding.operations, *finding.beside}))
        example = Counterexample(shown, explanation, key)
        return replace(verdict, engine=names[index], counterexample=example)
    return replace(verdict, reason=_reason(job, key, findings))


def _worst(findings: Sequence[Finding]) -> tuple[Validity, int]:
    """An invalid key makes all invalid, else an unknown one makes all unknown."""
    validities = [finding.valid for finding in findings]
    for validity in (False, "unknown"):
        if validity in validities:
            return validity, validities.index(validity)
    return True, 0


def _reason(job: Job, key: Any, findings: list[Found]) -> str:
    unknown = [finding for _, finding in findings if finding.valid == "unknown"]
    reason = unknown[0].reason or "undecided"
    if unknown[0].proven is not None:
        reason += f"; linearizable up to event {unknown[0].proven} of {job.history.events}"
    if len(findings) > 1:
        reason = f"key {quoted(key)}: {reason}"
    if len(unknown) > 1:
        reason += f" (and {len(unknown) - 1} more keys are unknown)"
    return reason


def _notes(job: Job, keys: Sequence[_Key], findings: Sequence[Found]) -> tuple[str, ...]:
    """Say why a quicker engine declined, for the first of the keys where one did."""
    noted = [
        (job.history.decoded_key(key.code), finding.note)
        for key, (_, finding) in zip(keys, findings, strict=True)
        if finding.note
    ]
    if not noted or len(keys) == 1:
        return tuple(note for _, note in noted)
    more = f" (and so are {len(noted) - 1} more keys)" if len(noted) > 1 else ""
    return (f"key {quoted(noted[0][0])}: {noted[0][1]}{more}",)


def _details(job: Job, keys: Sequence[_Key], findings: list[Found]) -> dict[str, Any]:
    each: Iterable[tuple[Any, dict[str, Any]]] = (
        (job.history.decoded_key(key.code), finding.details)
        for key, (_, finding) in zip(keys, findings, strict=True)
        if finding.details
    )
    listed = list(each)
    return listed[0][1] if len(keys) == 1 and listed else merged(listed)
