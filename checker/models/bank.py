"""Accounts between which money is moved, and never made or lost."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from partita.checker.explain import quoted
from partita.checker.history import Op
from partita.checker.models.cells import (
    ADD,
    LEARN,
    NEVER,
    NOT_NEGATIVE,
    UNKNOWN,
    Cells,
    Numbers,
    Step,
    is_whole,
)
from partita.checker.models.fitting import SHOWN, UNFIT, Operations
from partita.checker.models.model import State, begins_with, unfit
from partita.checker.settings import Setting


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank: `transfer` moves an amount from one account to another, `read` gives all balances.

    A state holds the balances that are known: of those that were not given, the first read tells
    what was there. A transfer that would leave a debt is not possible, unless debts are allowed.
    """

    balances: Any = None
    negative: Annotated[bool, Setting("Accounts may be in debt.")] = False
    name: str = "bank"
    takes: ClassVar = (
        'transfer with {"from": …, "to": …, "amount": …}, and read, answered by {account: balance}'
    )

    @staticmethod
    def fits(operations: Operations) -> int:
        has_transfers = "transfer" in operations.names
        return SHOWN if has_transfers and operations.names <= {"transfer", "read"} else UNFIT

    def __post_init__(self) -> None:
        begins_with(self.name, self.balances, Mapping, "an object of balances")

    @property
    def initial(self) -> Hashable:
        return frozenset((self.balances or {}).items())

    def step(self, state: State, op: Op) -> Hashable | None:
        balances = dict(state)
        if op.f == "read" and isinstance(op.output, Mapping | None):
            return self._read(balances, op)
        if op.f == "transfer":
            return self._transfer(balances, op)
        raise unfit(self, op)

    def _read(self, balances: dict[str, Any], op: Op) -> Hashable | None:
        for account, balance in (op.output or {}).items() if op.outcome == "ok" else ():
            if balance is None:
                continue  # not recorded
            if balances.setdefault(account, balance) != balance:
                return None
            if balance < 0 and not self.negative:
                return None
        return frozenset(balances.items())

    def _transfer(self, balances: dict[str, Any], op: Op) -> Hashable | None:
        source, target, amount = _parts(self, op)
        if op.output is False:  # refused
            return frozenset(balances.items())
        if source in balances:
            balances[source] -= amount
            if balances[source] < 0 and not self.negative:
                return None
        if target in balances:
            balances[target] += amount
        return frozenset(balances.items())

    def in_cells(self, ops: Sequence[Op]) -> Cells | None:
        """A cell for each account. Numbers with a fraction are left to `step`."""
        accounts = Numbers({name: at for at, name in enumerate(self.balances or {})})
        steps = [self._steps(op, accounts) for op in ops]
        if not _plain(self, steps):
            return None
        first = [(self.balances or {}).get(name, UNKNOWN) for name in accounts.known]
        return Cells(first, steps)

    def _steps(self, op: Op, accounts: Numbers) -> list[Step]:
        if op.f == "read" and isinstance(op.output, Mapping | None):
            told = op.output if op.output and op.outcome == "ok" else {}
            return [
                step
                for account, balance in told.items()
                if balance is not None
                for step in self._told(accounts.of(account), balance)
            ]
        if op.f != "transfer":
            raise unfit(self, op)
        source, target, amount = _parts(self, op)
        if op.output is False:  # refused
            return []
        enough = [] if self.negative else [(NOT_NEGATIVE, accounts.of(source), 0)]
        return [(ADD, accounts.of(source), -amount), *enough, (ADD, accounts.of(target), amount)]

    def _told(self, cell: int, balance: Any) -> list[Step]:
        if isinstance(balance, int | float) and balance < 0 and not self.negative:
            return [(NEVER, cell, 0)]
        return [(LEARN, cell, balance)]


def _plain(model: Bank, steps: Sequence[Sequence[Step]]) -> bool:
    numbers = [value for each in steps for _, _, value in each]
    return all(map(is_whole, [*(model.balances or {}).values(), *numbers]))


def _parts(model: Bank, op: Op) -> tuple[str, str, Any]:
    if not isinstance(op.input, Mapping):
        raise unfit(model, op)
    given = {name.removeprefix(":"): value for name, value in op.input.items()}
    amount = given.get("amount")
    if "from" not in given or "to" not in given or not isinstance(amount, int | float):
        raise unfit(model, op)
    return _account(given["from"]), _account(given["to"]), amount


def _account(name: Any) -> str:
    """Return an account as the names in a JSON object have it."""
    return name if isinstance(name, str) else quoted(name)
