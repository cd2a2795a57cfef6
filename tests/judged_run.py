"""Makes a run directory that several checks have judged, as the harness writes it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthetic_run import Story, write_run

from partita.checker import Counterexample, History
from partita.checker.checks import Judgement
from partita.harness.run.judging import deciding, judged, notes

SHORT = Story(seconds=20, cut=None)


@dataclass
class Said:
    """A check that has its judgement ready."""

    judgement: Judgement
    default: str | None = None

    @property
    def name(self) -> str:
        return self.judgement.check

    @property
    def levels(self) -> tuple[str, ...]:
        return tuple(self.judgement.levels)

    def judge(self, history: History, levels: Any) -> Judgement:
        return self.judgement


def found(check: str, levels: Mapping[str, Any], why: str = "", **more: Any) -> Judgement:
    """A judgement whose levels that do not hold have an explanation, and three operations."""
    broken = [level for level, answer in levels.items() if answer is False]
    refuted = {level: Counterexample((60, 61, 62), why or f"why not {level}") for level in broken}
    return Judgement(check, levels, refuted, **more)


def write_judged(
    directory: Path,
    judgements: Sequence[Judgement],
    *,
    promised: Mapping[str, str | None] | None = None,
    expect: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Path:
    """Write the run and return its directory; `spec` are further entries of run.json."""
    write_run(directory, SHORT)
    run = json.loads((directory / "run.json").read_text())
    run.pop("reads")
    run |= {"format": 2, "promised": promised or {}, "expect": expect or {}, **spec}
    run["options"] = options or {"system": {}, "workload": {}, "faults": {}}
    (directory / "run.json").write_text(json.dumps(run))
    history = History.read(directory / "history.jsonl")
    checks = judged(history, [Said(judgement) for judgement in judgements], run)
    decisive = deciding(checks)
    valid = decisive["valid"] if decisive["valid"] in (True, False) else "unknown"
    results = json.loads((directory / "results.json").read_text())
    results |= {"valid": valid, "checks": checks, "notes": notes(checks)}
    results |= {"verdict": decisive | {"operations": len(history)}, "system": "zookeeper"}
    results |= {"reason": decisive["explanation"] if valid is False else decisive["reason"]}
    (directory / "results.json").write_text(json.dumps(results))
    return directory
