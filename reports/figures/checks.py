"""What each check of a run found, read from `results.json`.

Older runs had one check and said only its verdict: they have none here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from partita.checker.verdict import Beginning
from partita.reports.stored import StoredRun

Answer = Literal[True, False, "unknown"]


@dataclass(frozen=True, slots=True)
class Refutation:
    """Why a level does not hold. `rows` are the operations that contradict each other.

    `beginning` is how far there is an order of all operations, where that is known.
    """

    explanation: str | None = None
    rows: tuple[int, ...] = ()
    beginning: Beginning | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found.

    `expected` is the level that was asked for, None if none was; `asked` says by what: "expect"
    (the option), "promise" (of the system) or "check" (by itself). `holds` is the strongest level
    that does, None if none is known to. `levels` has the answer for each level, the strongest
    first. `valid` is None where nothing is judged: nothing was expected, or the check does not
    apply, and `reason` says why.
    """

    name: str
    expected: str | None
    asked: str
    holds: str | None
    valid: Answer | None
    applies: bool
    levels: Mapping[str, Answer]
    reason: str | None = None
    refuted: Mapping[str, Refutation] = field(default_factory=dict)
    engine: str = ""
    model: str = ""
    seconds: float | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def failed(self) -> bool:
        """Whether what was expected does not hold."""
        return self.valid is False

    @property
    def tells_anomalies(self) -> bool:
        """Whether it tells what it found by name, which has a section of its own."""
        return "anomalies" in self.figures

    @property
    def unasked(self) -> list[str]:
        """The levels that do not hold and were not asked for, the strongest first."""
        return [
            level
            for level, answer in self.levels.items()
            if answer is False and level != self.expected
        ]


def checks_of(results: Mapping[str, Any]) -> list[CheckResult]:
    """The checks of a run, in the order of its workload, from the content of results.json."""
    return [_check(name, said) for name, said in (results.get("checks") or {}).items()]


def _check(name: str, said: Mapping[str, Any]) -> CheckResult:
    refuted = {level: _refutation(each) for level, each in (said.get("refuted") or {}).items()}
    return CheckResult(
        name=name,
        expected=said.get("expected"),
        asked=str(said.get("asked") or "check"),
        holds=said.get("holds"),
        valid=said.get("valid"),
        applies=said.get("applies") is not False,
        levels=said.get("levels") or {},
        reason=said.get("reason"),
        refuted=refuted,
        engine=said.get("engine") or "",
        model=said.get("model") or "",
        seconds=said.get("seconds"),
        figures=said.get("figures") or {},
        notes=tuple(said.get("notes") or ()),
    )


def _refutation(said: Mapping[str, Any]) -> Refutation:
    far = said.get("beginning")
    beginning = Beginning(far["end"], tuple(far["last"]), tuple(far["stuck"])) if far else None
    return Refutation(said.get("explanation"), tuple(said.get("counterexample") or ()), beginning)


def contradicting_rows(run: StoredRun) -> list[int]:
    """The operations that the verdict is about, as rows of the history; empty if there are none."""
    verdict = run.results.get("verdict") or {}
    return within(run, verdict.get("counterexample") or ())


def within(run: StoredRun, rows: Iterable[int]) -> list[int]:
    """Those of some rows that the history has: results may be about another."""
    return [row for row in rows if 0 <= row < len(run.history)]
