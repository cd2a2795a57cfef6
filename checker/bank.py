"""The check `bank`: money is moved between accounts, and never made or lost.

It looks at each read alone, so that its time follows the length of the history: all accounts
together hold what they held before any transfer, and none is in debt unless that is allowed. Every
state between two transfers has both, so a read that lacks one saw no such state. This asks less
than serializability does: money that was moved twice, back and forth, is not missed.
"""

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from partita.checker.checks import Judgement
from partita.checker.explain import capital, quoted, who
from partita.checker.history import OUTCOMES, History
from partita.checker.verdict import Counterexample

LEVEL = "total-kept"
_OK = OUTCOMES.index("ok")


@dataclass(frozen=True, slots=True)
class BankTotal:
    """Whether every read of all accounts finds the same total, and no debt that is not allowed.

    `total` is what there must be; None: what the first read found. Reads are answered by
    {account: balance}; all that are read by any must be read by each.
    """

    total: int | None = None
    negative: bool = False
    name: str = field(default="bank", init=False)
    levels: tuple[str, ...] = field(default=(LEVEL,), init=False)
    default: str | None = field(default=LEVEL, init=False)

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        begin = time.perf_counter()
        reads = dict(_reads(history))
        if odd := [row for row, balances in reads.items() if not _is_ledger(balances)]:
            why = f"{who(history, odd[0])} returned {quoted(history[odd[0]].output)}, no balances"
            return Judgement(self.name, {}, reason=why, applies=False)
        total = self._expected(reads)
        wrong = {row: text for row in reads if (text := self._wrong(reads, row, total))}
        found = _told(history, wrong)
        return Judgement(
            self.name,
            {LEVEL: False if found else True if reads else "unknown"},
            {LEVEL: found} if found else {},
            reason=None if reads else "no account was ever read",
            figures=_figures(history, reads, total, len(wrong)),
            seconds=time.perf_counter() - begin,
            engine="counting",
            keys=1,
        )

    def _expected(self, reads: Mapping[int, Mapping[str, int]]) -> int:
        first = next(iter(reads.values()), {})
        return sum(first.values()) if self.total is None else self.total

    def _wrong(self, reads: Mapping[int, Mapping[str, int]], row: int, total: int) -> str | None:
        """Say what is wrong with what a read found, None if nothing is."""
        balances = reads[row]
        first = next(iter(reads.values()))
        if balances.keys() != first.keys():
            differing = sorted(map(str, balances.keys() ^ first.keys()))
            return f"read other accounts than the first read did: {', '.join(differing)}"
        there = sum(balances.values())
        if there != total:
            gone = f"{total - there} are gone" if there < total else f"{there - total} too much"
            return f"found {there} in all accounts together, and there are {total}: {gone}"
        debts = [account for account, balance in balances.items() if balance < 0]
        if debts and not self.negative:
            return f"found {balances[debts[0]]} in account {debts[0]}, and nobody may be in debt"
        return None


def _reads(history: History) -> Iterator[tuple[int, Any]]:
    read = history.f_code("read")
    for row in range(len(history)):
        if history.f[row] == read and history.outcome[row] == _OK:
            yield row, history[row].output


def _is_ledger(balances: Any) -> bool:
    return isinstance(balances, Mapping) and all(type(each) is int for each in balances.values())


def _told(history: History, wrong: Mapping[int, str]) -> Counterexample | None:
    """Tell the first read that went wrong, and what it found."""
    if not wrong:
        return None
    row, text = next(iter(wrong.items()))
    more = f" {len(wrong)} reads went wrong." if len(wrong) > 1 else ""
    return Counterexample((row,), capital(f"{who(history, row)} {text}.{more}"))


def _figures(history: History, reads: Mapping[int, Any], total: int, wrong: int) -> dict[str, Any]:
    code = history.f_code("transfer")
    transfers = [history[row] for row in range(len(history)) if history.f[row] == code]
    done = [op for op in transfers if op.outcome == "ok"]
    return {
        "total": total,
        "reads": len(reads),
        "wrong_reads": wrong,
        "transfers": sum(op.output is not False for op in done),
        "refused": sum(op.output is False for op in done),
        "unknown_transfers": sum(op.outcome == "info" for op in transfers),
    }
