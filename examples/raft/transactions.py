"""How a transaction is carried out: from the state if it only reads, else as one command.

That is all of it. The rest of this file is mistakes.
"""

import asyncio
from typing import Any

from journal import Command, Journal
from late import PEEK_S
from operations import WRITES, Answer, only_reads
from raft import Raft
from registers import Registers


class Transactions:
    """Has transactions carried out by the node that leads."""

    def __init__(self, raft: Raft, registers: Registers, journal: Journal, bug: str) -> None:
        self._raft = raft
        self._registers = registers
        self._journal = journal
        self._bug = bug

    async def lead(self, command: Command) -> Answer:
        """Carry a transaction out. Raises `NotLeader`."""
        # BUG txn-split: each operation is a command of its own, with others in between.
        if self._bug == "txn-split":
            return await self._split(command)
        # BUG txn-read-early: what is read is read on arrival, and only the keys that are written
        # are compared when the command is applied. (That is snapshot isolation.)
        # BUG txn-no-compare: and not even those.
        if self._bug in ("txn-read-early", "txn-no-compare"):
            return await self._early(command, compare=self._bug == "txn-read-early")
        if only_reads(command):
            return await self._read(command)
        return await self._write(command)

    def look(self, command: Command) -> Answer:
        """Answer a transaction from this node's state, however old that is."""
        return self._registers.look(command["ops"], self._raft.applied)

    async def _read(self, command: Command) -> Answer:
        # BUG txn-torn-read: each key is read by itself, and others may write in between.
        if self._bug == "txn-torn-read":
            results = []
            for each in command["ops"]:
                await self._raft.confirm()
                results += self.look(command | {"ops": [each]})["results"]
            return {"results": results, "version": self._raft.applied}
        # BUG txn-dirty-read: what is in the leader's log can be read, committed or not.
        if self._bug == "txn-dirty-read" and self._raft.role == "leader":
            return self._ahead().look(command["ops"], self._journal.last)
        await self._raft.confirm()
        return self.look(command)

    async def _write(self, command: Command) -> Answer:
        arrived = self._journal.last
        answer: Answer = await self._raft.propose(command)
        if self._bug == "txn-peek":
            await asyncio.sleep(PEEK_S)  # nobody is told before all can be read
        # BUG txn-wrong-revision: the answer tells where the log ended when the request came.
        if self._bug == "txn-wrong-revision" and "error" not in answer:
            return answer | {"version": arrived}
        return answer

    async def _split(self, command: Command) -> Answer:
        results: list[Any] = []
        answer: Answer = {}
        for place, each in enumerate(command["ops"]):
            part = command | {"ops": [each], "client": f"{command['client']}/{place}"}
            answer = await self._raft.propose(part)
            if "error" in answer:
                return answer
            results += answer["results"]
        return answer | {"results": results}

    async def _early(self, command: Command, *, compare: bool) -> Answer:
        seen = self.look(command)
        if "error" in seen or only_reads(command):
            return seen
        found = zip(command["ops"], seen["results"], strict=True)
        last = {each[1]: value for each, (value, _) in found}
        written = dict.fromkeys(each[1] for each in command["ops"] if each[0] in WRITES)
        checks = [["check", key, self._registers.read(key)[1]] for key in written if compare]
        writes = [["w", key, last[key]] for key in written]
        answer: Answer = await self._raft.propose(command | {"ops": checks + writes})
        return answer if "error" in answer else seen | {"version": answer["version"]}

    def _ahead(self) -> Registers:
        applied = self._raft.applied
        coming = enumerate(self._journal.after(applied), applied + 1)
        commands = [(i, each.command) for i, each in coming]
        return self._registers.after((i, command) for i, command in commands if command is not None)
