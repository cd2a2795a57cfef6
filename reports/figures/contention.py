"""How often a commit was refused because somebody else had changed what it was based on.

The workload says with each operation how often it began again (`retries`). Every attempt but the
last one was refused; the last one was too, if the operation failed with "mismatch".
"""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from partita.checker import OUTCOMES, History

_OK, _FAIL = OUTCOMES.index("ok"), OUTCOMES.index("fail")


@dataclass(frozen=True, slots=True)
class Contention:
    """`committed` of so many `attempts`; `given_up` were refused as often as they may be.

    `retries` maps how often an operation that committed had begun again to how many did so.
    `folded` counts writes that were sent as one with a later one of the same transaction to the
    same key, so that nobody can have seen them.
    """

    attempts: int
    committed: int
    given_up: int
    commit_rate: float
    retries_per_commit: float | None
    retries: dict[int, int]
    folded: int


def contention_of(history: History) -> dict[str, Any] | None:
    """Return it ready for JSON; None for a history that does not tell of retries."""
    told = history.extra("retries")
    refused = history.errors.index("mismatch") if "mismatch" in history.errors else None
    committed, given_up, attempts = Counter[int](), 0, 0
    for row, retries in told.items():
        if not isinstance(retries, int):
            continue
        if history.outcome[row] == _OK:
            committed[retries] += 1
        elif history.outcome[row] == _FAIL and history.error[row] == refused:
            given_up += 1
        else:
            continue
        attempts += retries + 1
    if not attempts:
        return None
    done = committed.total()
    per_commit = sum(count * times for times, count in committed.items()) / done if done else None
    return asdict(
        Contention(
            attempts=attempts,
            committed=done,
            given_up=given_up,
            commit_rate=round(done / attempts, 4),
            retries_per_commit=None if per_commit is None else round(per_commit, 4),
            retries=dict(sorted(committed.items())),
            folded=sum(each for each in history.extra("folded").values() if isinstance(each, int)),
        )
    )
