"""The check `transactions`: which isolation a history of transactions can still have.

Its levels are the models of `isolation.py`. A model does not hold if the engine found what it
forbids, or if it implies one that does not hold. It holds if the engine looks for all that it
forbids and found none of it, or if a model that holds implies it. Of the others nobody knows.
"""

import time
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Final

from partita.checker.checks import Judgement
from partita.checker.history import History
from partita.checker.settings import Setting
from partita.checker.transactions.analysis import Analysis, Anomaly, Edge
from partita.checker.transactions.anomalies import in_order, kind
from partita.checker.transactions.engine import analyse
from partita.checker.transactions.explanation import example_of, explained, from_the_first
from partita.checker.transactions.isolation import (
    DECIDED,
    MODELS,
    SESSION,
    STRONG,
    closure,
    named,
    strongest_possible,
    weaker,
    weakest,
)
from partita.checker.transactions.recognition import is_of_transactions, is_written_once
from partita.checker.verdict import Counterexample, Validity

NAME: Final = "transactions"
STRICTEST: Final = "strict-serializable"
# What is asked where a history does not tell what had ended before what began.
_WITHOUT_TIME: Final = "serializable"
# These models speak of time, or of the order of a process.
_OF_ORDER: Final = frozenset(
    model for model in MODELS if model.startswith((SESSION, STRONG, STRICTEST))
)
_UNTIMED: Final = "the history does not tell which transaction had ended before which began"

FollowReads = Annotated[
    bool, Setting("Who reads a register and then writes it is taken to write right after it.")
]
LinearizableKeys = Annotated[
    bool, Setting("Each single register is taken to be linearizable: its values stand in time.")
]
SequentialKeys = Annotated[
    bool, Setting("Each single register is taken to keep the order of every process.")
]


class Transactions:
    """Which isolation transactions on lists and registers had, from what they read.

    Every value is written once to its key. `time_limit` is in seconds, `memory_limit` in bytes for
    the whole process.
    """

    name = NAME
    levels = tuple(MODELS)
    default: str | None = STRICTEST

    def __init__(
        self,
        time_limit: float | None = None,
        memory_limit: int | None = None,
        linearizable_keys: LinearizableKeys = False,
        sequential_keys: SequentialKeys = False,
        writes_follow_reads: FollowReads = True,
    ) -> None:
        self._given: Mapping[str, Any] = {
            "time_limit": time_limit,
            "memory_limit": memory_limit,
            "linearizable_keys": linearizable_keys,
            "sequential_keys": sequential_keys,
            "writes_follow_reads": writes_follow_reads,
        }

    def named(self, name: str) -> str | None:
        """Return the model that a usual name or abbreviation means, None if it means none."""
        return named(name)

    def within(self, time_limit: float | None, memory_limit: int | None) -> "Transactions":
        """Return the check with these limits, see the constructor."""
        limits = {"time_limit": time_limit, "memory_limit": memory_limit}
        return Transactions(**{**self._given, **limits})

    @staticmethod
    def recognises(history: History) -> bool:
        """Say whether a history is of transactions of which every value is written once."""
        return is_of_transactions(history) and is_written_once(history)

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        """Find out which models can hold. Raises `HistoryError` for a history that is broken."""
        begin = time.perf_counter()
        if len(history) and not is_of_transactions(history):
            nothing = "there are no transactions in it: lists of micro-operations"
            return Judgement(NAME, {}, applies=False, reason=nothing)
        analysis = analyse(history, **self._given)
        excluded = excluded_by(analysis)
        timed = tells_time(history)
        holding = _holding(analysis, excluded, timed)
        by_anomaly = {
            name: _told(history, analysis.anomalies[name]) for name in in_order(analysis.anomalies)
        }
        examples = {name: found for name, (found, _) in by_anomaly.items()}
        return Judgement(
            NAME,
            {level: _answer(level, excluded, holding) for level in MODELS if level in levels},
            {level: found for level in levels if level in excluded
             if (found := _refuting(level, examples)) is not None},
            reason=analysis.reason or (None if timed else _UNTIMED),
            figures={
                "anomalies": [row for _, row in by_anomaly.values()],
                **_figures(analysis, excluded, holding, timed),
            },
            seconds=time.perf_counter() - begin,
            engine="revisions" if analysis.figures.get("revisions") == "prove" else "dependencies",
            model=NAME,
            keys=analysis.figures.get("keys", 0),
            default=None if timed else _WITHOUT_TIME,
            notes=analysis.notes,
        )  # fmt: skip


def tells_time(history: History) -> bool:
    """Say whether a history tells what had ended before what began.

    One of completions alone does not: all of its transactions end behind the last event.
    """
    return not len(history) or bool((history.ended_rank < history.events).any())


def excluded_by(analysis: Analysis) -> frozenset[str]:
    """Return the models that do not hold, by what the engine says and by the anomalies' names."""
    by_name = (model for name in analysis.anomalies for model in kind(name).rules_out)
    return closure([*analysis.violated, *by_name])


def _holding(analysis: Analysis, excluded: frozenset[str], timed: bool) -> frozenset[str]:
    """Return the models that hold: all of what they forbid was looked for, and not found."""
    if not analysis.decided:
        return frozenset()
    decided = DECIDED - excluded if timed else DECIDED - excluded - _OF_ORDER
    return decided.union(*(weaker(model) for model in decided))


def _answer(level: str, excluded: frozenset[str], holding: frozenset[str]) -> Validity:
    return False if level in excluded else True if level in holding else "unknown"


def _refuting(level: str, examples: Mapping[str, Counterexample]) -> Counterexample | None:
    """Return the worst anomaly that a model does not allow."""
    for name, found in examples.items():
        if level in closure(kind(name).rules_out):
            return found
    return None


def _figures(
    analysis: Analysis, excluded: frozenset[str], holding: frozenset[str], timed: bool
) -> dict[str, Any]:
    unknowable = frozenset() if timed else _OF_ORDER
    possible = strongest_possible(excluded | unknowable) if analysis.decided else ()
    return {
        "violated": list(weakest(excluded)),
        "holding": [model for model in MODELS if model in holding],
        "possible": list(possible),
        "undecided": [model for model in possible if model not in holding],
        "decided_by": analysis.decided_by if analysis.decided else None,
        **analysis.figures,
    }


def _told(history: History, anomaly: Anomaly) -> tuple[Counterexample, dict[str, Any]]:
    """Tell of an anomaly by one example, in words and in a form that is ready for JSON."""
    example = from_the_first(history, example_of(history, anomaly))
    found = explained(history, anomaly.name, example)
    known = kind(anomaly.name)
    row = {
        "name": anomaly.name,
        "called": known.called,
        "meaning": known.meaning,
        "rules_out": list(known.rules_out),
        "count": anomaly.count,
        "at_least": anomaly.at_least,
        "explanation": found.explanation,
        "key": example.key,
        "value": example.value,
        "facts": dict(example.facts),
        "rows": list(example.rows),
        "edges": [_edge(edge) for edge in example.edges],
    }
    return found, row


def _edge(edge: Edge) -> dict[str, Any]:
    return {
        "from": edge.source,
        "to": edge.target,
        "relation": edge.relation,
        "key": edge.key,
        "before": edge.before,
        "after": edge.after,
        "rule": edge.rule,
    }
