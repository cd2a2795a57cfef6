"""Money moved between accounts by transactions; all accounts together always hold the same.

Each account has its balance under a key of its own. An account that nobody has written yet holds
what it was opened with, so nothing has to be set up.
"""

from collections.abc import Iterable, Mapping
from random import Random
from typing import Annotated, Any

from partita.checker.bank import BankTotal
from partita.checker.settings import Setting
from partita.workloads.capabilities.transactions import Seen, Transactions
from partita.workloads.client import Answer, Definite
from partita.workloads.guarded_commit import Committed, Retries, commit, retried
from partita.workloads.workload import Operation


class Bank:
    """Money moved between accounts: none is ever made or lost."""

    name = "bank"
    capability = "transactions"
    operations: Mapping[str, Operation] = {
        "transfer": Operation(answers=True),
        "read": Operation(reads=True),
    }

    def __init__(
        self,
        accounts: Annotated[int, Setting("Accounts.", least=2, most=60)] = 8,
        balance: Annotated[
            int, Setting("What each account is opened with.", least=1, most=1_000_000)
        ] = 10,
        most: Annotated[
            int, Setting("The most that is moved at a time.", least=1, most=1_000_000)
        ] = 5,
        negative: Annotated[bool, Setting("Accounts may be in debt.")] = False,
        txn_retries: Retries = 5,
    ) -> None:
        self.accounts = [f"account{number}" for number in range(accounts)]
        self.balance, self.most, self.negative = balance, most, negative
        self._retries = txn_retries
        self.checks = (BankTotal(total=accounts * balance, negative=negative),)

    def draw(self, random: Random, number: int) -> tuple[str, None, Any]:
        if random.random() < 0.5:
            return "read", None, None
        source, target = random.sample(self.accounts, 2)
        amount = random.randint(1, self.most)
        return "transfer", None, {"from": source, "to": target, "amount": amount}

    def prepare(self, f: str, key: None, value: Any) -> Any:
        return value

    def invoke(self, client: Any, f: str, key: None, value: Any, until: float) -> Answer:
        if not isinstance(client, Transactions):
            raise Definite("bank needs a client that has snapshot() and commit()")
        if f == "read":
            return self._read(client, until)
        return self._transfer(client, value, until)

    def final(self) -> Iterable[tuple[str, None]]:
        return [("read", None)]

    def _read(self, client: Transactions, until: float) -> Answer:
        done, refused = retried(
            lambda: commit(client, self.accounts, lambda _: {}), self._retries, until
        )
        balances = {account: self._balance(done.seen[account]) for account in self.accounts}
        return Answer(balances, done.version, {"retries": refused})

    def _transfer(self, client: Transactions, asked: Mapping[str, Any], until: float) -> Answer:
        """Move money and return what was moved, False if there was not enough."""
        source, target = asked["from"], asked["to"]

        def moved(seen: Mapping[str, Seen]) -> dict[str, str]:
            left = self._balance(seen[source]) - asked["amount"]
            if left < 0 and not self.negative:
                return {}
            return {
                source: str(left),
                target: str(self._balance(seen[target]) + asked["amount"]),
            }

        def attempt() -> Committed:
            return commit(client, [source, target], moved)

        done, refused = retried(attempt, self._retries, until)
        output = dict(asked) if moved(done.seen) else False
        return Answer(output, done.version, {"retries": refused})

    def _balance(self, seen: Seen) -> int:
        return self.balance if seen.value is None else int(seen.value)
