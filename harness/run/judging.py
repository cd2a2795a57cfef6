"""What came out of a run's checks, beside what was asked of them.

A check tells which of its levels hold. What is asked is the level that `--expect` names, else the
one that the system promises, else the check's own. A level that does not hold though nobody asked
for it is told, and judged by nobody.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import msgspec
import numpy as np

from partita.checker import History, HistoryError
from partita.checker.checks import Check, Judgement
from partita.checker.plugins import in_a_line
from partita.checker.verdict import Counterexample, Validity
from partita.harness.run.fitting import judgement_of

log = logging.getLogger(__name__)

Row = dict[str, Any]


def judged(
    history: History, checks: Sequence[Check], run: Mapping[str, Any], *, strict: bool = False
) -> dict[str, Row]:
    """Let each check judge the history; return what stands in results.json, by check.

    `run` is the content of run.json, of which `expect` and `promised` are used. `valid` of a row
    is None where nothing was asked. If `strict`, a history that a check finds to be broken raises
    `HistoryError`; else that check is unknown.
    """
    return {check.name: _judged(check, history, run, strict) for check in checks}


def deciding(checks: Mapping[str, Row]) -> Row:
    """Return the row that decides: the first that fails, else one that nobody knows, else one
    that holds, else one of which nothing was asked."""
    for answer in (False, "unknown", True):
        for row in checks.values():
            if row["valid"] == answer and type(row["valid"]) is type(answer):
                return row
    return next(iter(checks.values()))


def notes(checks: Mapping[str, Row]) -> list[str]:
    """Say what does not hold though nobody asked for it, each level once."""
    found: dict[str, str] = {}
    for row in checks.values():
        for level, why in _unasked(row).items():
            asked = "is not promised" if row["asked"] == "promise" else "was not asked for"
            first, _, _ = why.partition("\n")  # who wants to know more is told by the check itself
            found.setdefault(level, f"not {level}, which {asked}: {first}".rstrip(": "))
        found |= {note: note for note in row.get("notes", ())}
        if not row["applies"] and row["reason"]:
            found.setdefault(row["check"], f"{row['check']} was not judged: {row['reason']}")
    return list(found.values())


def _unasked(row: Row) -> dict[str, str]:
    """Return the levels that do not hold and were not asked for, each with the reason.

    Of those that have one reason only the weakest is told, and none if what was expected fails
    for the same reason.
    """
    refuted = [level for level, answer in row["levels"].items() if answer is False]
    reasons = {level: row["refuted"].get(level, {}).get("explanation", "") for level in refuted}
    weakest = {why: level for level, why in reasons.items()}
    told = reasons.pop(row["expected"], None)
    return {
        level: why
        for level, why in reasons.items()
        if not why or (weakest[why] == level and why != told)
    }


def _judged(check: Check, history: History, run: Mapping[str, Any], strict: bool) -> Row:
    """A check that breaks must not take the others' answers with it."""
    try:
        return _row(check, judgement_of(check, history), run)
    except HistoryError as broken:
        if strict:
            raise
        return _row(check, Judgement(check.name, _unknown(check), reason=str(broken)), run)
    except (Exception, SystemExit) as error:
        log.exception("check %s failed", check.name)
        reason = f"the check {check.name} failed: {in_a_line(error)}"
        return _row(check, Judgement(check.name, _unknown(check), reason=reason), run)


def _unknown(check: Check) -> dict[str, Validity]:
    return {level: "unknown" for level in check.levels}


def _row(check: Check, judgement: Judgement, run: Mapping[str, Any]) -> Row:
    expected, asked = _asked(check, judgement, run)
    refuted = {level: _counterexample(each) for level, each in judgement.found.items()}
    shown: Row = refuted.get(expected or "", {})
    return {
        "check": check.name,
        "expected": expected,
        "asked": asked,
        "holds": judgement.holds(),
        "valid": _valid(judgement, expected, asked),
        "applies": judgement.applies,
        "levels": dict(judgement.levels),
        "reason": judgement.reason or _unanswered(judgement, expected),
        "explanation": shown.get("explanation"),
        "counterexample": shown.get("counterexample"),
        "key": shown.get("key"),
        "refuted": refuted,
        "engine": judgement.engine,
        "model": judgement.model,
        "keys": judgement.keys,
        "seconds": round(judgement.seconds, 6),
        "notes": list(judgement.notes),
        "figures": _plain(judgement.figures),
    }


def _unanswered(judgement: Judgement, expected: str | None) -> str | None:
    if expected is None or not judgement.applies or expected in judgement.levels:
        return None
    return f"the check {judgement.check} says nothing of {expected}"


def _asked(check: Check, judgement: Judgement, run: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return the level that is asked for, and by what: "expect", "promise" or "check"."""
    for asked, said in (("expect", run.get("expect")), ("promise", run.get("promised"))):
        if said and check.name in said:
            return said[check.name], asked
    return judgement.default or check.default, "check"


def _valid(judgement: Judgement, expected: str | None, asked: str) -> Any:
    if expected is None:
        return None
    if not judgement.applies:
        return "unknown" if asked == "expect" else None
    return judgement.levels.get(expected, "unknown")


def _plain(figures: Mapping[str, Any]) -> Row:
    """Return figures as JSON has them: numbers of NumPy's, say, must not cost the results."""
    text = msgspec.json.encode(dict(figures), enc_hook=_encoded)
    plain: Row = msgspec.json.decode(text)
    return plain


def _encoded(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)


def _counterexample(found: Counterexample) -> Row:
    row: Row = {
        "explanation": found.explanation,
        "counterexample": [int(row) for row in found.operations],
        "key": found.key,
    }
    if found.beginning:
        row["beginning"] = asdict(found.beginning)
    return row
