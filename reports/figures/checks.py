"""What each check of a run found, read from `results.json`.

Older runs had one check and said only its verdict: they have none here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from partita.reports.stored import StoredRun

Answer = Literal[True, False, "unknown"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found. `expected` is the level that was asked for, None if none was.

    `asked` says that `--expect` asked for it. `holds` is the strongest level that does, None if
    none is known to. `levels` has the answer for each level, the strongest first: none if the
    check had nothing to say, and `reason` says why. `valid` is None where nothing was expected.
    `rows` are the operations (of the history) that contradict each other, which `explanation`
    explains.
    """

    name: str
    expected: str | None
    asked: bool
    holds: str | None
    valid: Answer | None
    levels: Mapping[str, Answer]
    reason: str | None = None
    explanation: str | None = None
    rows: tuple[int, ...] = ()
    key: Any = None
    engine: str = ""
    model: str = ""
    seconds: float | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def refuted(self) -> list[str]:
        """The levels that do not hold, the strongest first."""
        return [level for level, answer in self.levels.items() if answer is False]

    @property
    def failed(self) -> bool:
        """Whether what was expected does not hold."""
        return self.expected is not None and self.valid is False

    @property
    def contradicted(self) -> str | None:
        """The level that the explanation and the rows are about, None if all hold."""
        if self.failed and self.levels.get(str(self.expected)) is False:
            return self.expected
        return next(iter(self.refuted), None)


def checks_of(
    results: Mapping[str, Any], spec: Mapping[str, Any] | None = None
) -> list[CheckResult]:
    """The checks of a run, in the order of its workload, from results.json and run.json."""
    asked = (spec or {}).get("expect") or {}
    return [
        _check(name, said, name in asked) for name, said in (results.get("checks") or {}).items()
    ]


def _check(name: str, said: Mapping[str, Any], asked: bool) -> CheckResult:
    expected = said.get("expected")
    return CheckResult(
        name=name,
        expected=expected,
        asked=asked,
        holds=said.get("holds"),
        valid=None if expected is None else said.get("valid"),
        levels=said.get("levels") or {},
        reason=said.get("reason"),
        explanation=said.get("explanation"),
        rows=tuple(said.get("counterexample") or ()),
        key=said.get("key"),
        engine=said.get("engine") or "",
        model=said.get("model") or "",
        seconds=said.get("seconds"),
        figures=said.get("figures") or {},
    )


def contradicting_rows(run: StoredRun) -> list[int]:
    """The operations that the verdict is about, as rows of the history; empty if there are none."""
    failed = [check.rows for check in checks_of(run.results) if check.failed and check.rows]
    verdict = run.results.get("verdict") or {}
    rows = failed[0] if failed else verdict.get("counterexample") or ()
    return [row for row in rows if 0 <= row < len(run.history)]
