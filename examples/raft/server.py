"""A key-value store of linearizable registers: one process of it on each node.

    server.py --id n1 --listen 10.0.0.1:7000 --data /var/lib/raft \\
        --peer n2=10.0.0.2:7000 --peer n3=10.0.0.3:7000

Every node serves every client: what needs the leader is forwarded to it. Each request is a
POST with a JSON body and gets a JSON answer, see README.md for the list.
"""

import argparse
import asyncio
import signal
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import coordination
import operations
from coordination import Coordination
from journal import Command, Journal, JournalError
from members import CHANGES, Members
from memory import Led
from peers import Pace, Peers
from raft import Raft
from registers import Answer, Registers
from sessions import Sessions
from transactions import Transactions
from waiting import NotLeader, TimedOut
from watches import Watches
from wire import Links, Message, NoAnswer, NotSent, serve, split

BUGS = (
    "stale-follower-read",
    "stale-leader-read",
    "ack-early",
    "lost-log",
    "no-fsync",
    "fsync-error-ignored",
    "torn-log-accepted",
    "snapshot-drops-tail",
    "lease-by-wall-clock",
    "double-vote",
    "vote-not-synced",
    "commit-earlier-term",
    "apply-twice",
    "retry-applied-twice",
    "cas-early-check",
    "definite-timeout",
    "split-brain",
    "config-two-at-once",
    "own-write-unseen",
    "session-goes-back",
    "sync-noop",
    "txn-split",
    "txn-read-early",
    "txn-no-compare",
    "txn-torn-read",
    "txn-no-rollback",
    "txn-dirty-read",
    "txn-peek",
    "txn-stale-follower",
    "txn-two-queues",
    "txn-apply-twice",
    "txn-wrong-revision",
    *coordination.BUGS,
)
FIELDS = {
    "read": ("key",),
    "write": ("key", "value"),
    "cas": ("key", "old", "value"),
    "delete": ("key",),
    "txn": ("ops",),
    "members": (),
    "add": ("node", "address"),
    "remove": ("node",),
    **coordination.FIELDS,
}
REGISTERS = ("read", "write", "cas", "delete")
# What the node that was asked has a part in, beside the leader.
HERE = ("acquire", "list", "watch")
LONGEST_WAIT = 60.0


class Server:
    """What clients and peers can ask of one node."""

    def __init__(
        self,
        raft: Raft,
        registers: Registers,
        transactions: Transactions,
        coordination: Coordination,
        members: Members,
        links: Links,
        bug: str,
    ) -> None:
        self._raft = raft
        self._registers = registers
        self._transactions = transactions
        self._coordination = coordination
        self._members = members
        self._links = links
        self._bug = bug
        self._led = Led()
        self._told: dict[str, int] = {}  # see BUG session-goes-back

    async def handle(self, path: str, body: Message) -> tuple[int, Message]:
        """Answer one request: status and body."""
        name = path.strip("/")
        if name == "append":
            return 200, self._raft.on_append(body)
        if name == "snapshot":
            return 200, self._raft.on_snapshot(body)
        if name == "vote":
            return 200, self._raft.on_vote(body)
        if name == "status":
            return 200, self._raft.status()
        if name == "forward":
            return await self._serve_follower(body)
        if name in FIELDS:
            return await self._serve_client(name, body)
        return 404, {"error": f"no such request: {path}", "definite": True}

    async def _serve_client(self, f: str, body: Message) -> tuple[int, Message]:
        wrong = _complaint(f, body)
        if wrong:
            return 400, {"error": wrong, "definite": True}
        # A client that gives itself no name has one command only, and this is its name.
        named = "client" in body
        fields = (*FIELDS[f], *coordination.MORE.get(f, ()))
        command = {"f": f} | {field: body[field] for field in fields if field in body}
        command["client"] = body["client"] if named else uuid.uuid4().hex
        command["number"] = body["number"] if named else 1
        if operations.only_reads(command) and "seen" in body:
            # BUG session-goes-back: what the client has seen at another node counts for nothing.
            goes_back = self._bug == "session-goes-back"
            command["seen"] = self._told.get(command["client"], 0) if goes_back else body["seen"]
        try:
            deadline = time.monotonic() + body.get("timeout", 5.0)
            if f in HERE:
                answer = await self._coordination.here(command, self._finish, deadline)
            else:
                answer = await self._finish(command, deadline)
        except TimedOut as error:
            # BUG definite-timeout: "it did not work", although it may have, or yet may.
            definite = error.definite or self._bug == "definite-timeout"
            return 503 if definite else 504, {"error": str(error), "definite": definite}
        if self._bug == "session-goes-back":
            known = self._told.get(command["client"], 0)
            self._told[command["client"]] = max(known, answer.get("version", 0))
        return 409 if "error" in answer else 200, answer

    async def _serve_follower(self, command: Message) -> tuple[int, Message]:
        # BUG lease-from-open: a renewal that comes through a follower does not reach the timer.
        if self._bug == "lease-from-open" and command["f"] == "beat":
            command = command | {"unnoticed": True}
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                return 200, await self._lead(command)
        except NotLeader:
            return 503, {"error": "not the leader", "definite": True}
        except TimeoutError:
            return 504, {"error": "no answer in time", "definite": False}

    async def _finish(self, command: Message, deadline: float) -> Answer:
        """Try here or at the leader, again and again, until it is done or the time is up.

        Trying again is safe because a command is applied once only, however often it is sent.
        """
        certain = True
        while (left := deadline - time.monotonic()) > 0:
            try:
                return await self._attempt(command, left)
            except (NotSent, NotLeader):
                await asyncio.sleep(min(left, 0.02))
            except (NoAnswer, TimeoutError):
                certain = operations.only_reads(command)
                # But a change of the members is not remembered, so it is sent only once.
                if command["f"] in CHANGES:
                    break
        raise TimedOut(certain)

    async def _attempt(self, command: Message, left: float) -> Answer:
        if "seen" in command:
            async with asyncio.timeout(left):
                return await self._read_here(command)
        # BUG sync-noop: where the log stands is what this node knows of it.
        if self._bug == "sync-noop" and command["f"] == "sync":
            return {"version": self._raft.applied}
        # BUG txn-stale-follower: a transaction that only reads is answered by every node from what
        # it has. (With txn-two-queues too: it is the followers whose queues can be told apart.)
        if self._bug in ("txn-stale-follower", "txn-two-queues") and _only_looks(command):
            return self._transactions.look(command)
        leader = self._raft.leader
        here = self._bug == "stale-follower-read" and command["f"] == "read"
        if self._raft.role == "leader" or here:
            async with asyncio.timeout(left):
                return await self._lead(command)
        address = None if leader is None else self._members.address(leader)
        if address is None:
            raise NotLeader
        # Not all the time that is left: if this leader is gone there will be another one.
        patience = min(left, 2 * self._raft.pace.election)
        status, answer = await self._links.to(address).call("/forward", command, patience)
        if status == 503:
            raise NotLeader
        if status != 200:
            raise NoAnswer(f"status {status}")
        return answer

    async def _lead(self, command: Message) -> Answer:
        if command["f"] == "txn":
            return await self._transactions.lead(command)
        if command["f"] == "members":
            await self._raft.confirm()
            return self._raft.members()
        if command["f"] not in (*REGISTERS, *CHANGES):
            return await self._coordination.lead(command)
        if command["f"] == "read":
            await self._raft.confirm()
            return self._value(command["key"])
        # BUG cas-early-check: the value is compared before the command has its place in the
        # log; by the time that it is applied another one may have changed it.
        if self._bug == "cas-early-check" and command["f"] == "cas":
            actual, version = self._registers.read(command["key"])
            if actual != command["old"]:
                return {"error": "mismatch", "actual": actual, "version": version}
            command = command | {"f": "write"}
        # BUG retry-applied-twice: that a command was done before is known by whoever led then, and
        # by nobody else: it is not in the state that all nodes have.
        if self._bug == "retry-applied-twice":
            return await self._led.once(command, self._raft.propose)
        answer: Answer = await self._raft.propose(command)
        return answer

    def _value(self, key: str) -> Answer:
        value, version = self._registers.read(key)
        return {"value": value, "version": version}

    async def _read_here(self, command: Command) -> Answer:
        """Answer from this node's own state, as soon as that has what the client has seen."""
        # BUG own-write-unseen: a node that has not heard yet of what its client wrote (or saw at
        # another node) answers all the same.
        while self._raft.applied < command["seen"] and self._bug != "own-write-unseen":
            await asyncio.sleep(0.002)
        if command["f"] == "txn":
            return self._transactions.look(command)
        return self._value(command["key"])


def _only_looks(command: Command) -> bool:
    return command["f"] == "txn" and operations.only_reads(command)


def _complaint(f: str, body: Message) -> str | None:
    """Say what is wrong with a client's request, None if nothing is."""
    missing = [field for field in FIELDS[f] if field not in body]
    if missing:
        return f"{f} needs {', '.join(missing)}"
    if f == "txn" and (wrong := operations.complaint(body["ops"])):
        return wrong
    if f in coordination.FIELDS and (wrong := coordination.complaint(f, body)):
        return wrong
    if f == "add" and (wrong := _misplaced(body["address"])):
        return wrong
    for field in FIELDS[f] if f in (*REGISTERS, *CHANGES) else ():
        if not isinstance(body[field], str) and not (field == "old" and body[field] is None):
            return f"{field} must be a string"
    if "client" in body and not (isinstance(body["client"], str) and _is_count(body.get("number"))):
        return "client must be a string, and number a whole number from 1 that grows"
    seen = body.get("seen", 0)
    if not (_is_count(seen) or seen == 0):
        return "seen must be a version, which is a whole number from 0"
    timeout = body.get("timeout", 5.0)
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout <= 0:
        return "timeout must be a positive number of seconds"
    return None


def _is_count(thing: object) -> bool:
    return isinstance(thing, int) and not isinstance(thing, bool) and thing >= 1


async def run(arguments: argparse.Namespace) -> None:
    """Serve until the process is ended."""
    bug, pace = (
        arguments.bug or "",
        Pace(
            arguments.election_timeout,
            arguments.heartbeat,
            arguments.delay,
            arguments.batch,
            arguments.compact,
        ),
    )
    known = dict(arguments.peer) | {arguments.id: arguments.listen}
    members, links = Members(known, joins=arguments.join), Links(pace.election / 2)
    registers = Registers(bug=bug, node=arguments.id)
    journal = Journal(arguments.data / "journal.jsonl", members, bug)
    peers = Peers(members, links, pace)
    raft = Raft(arguments.id, peers, journal, pace, bug)
    transactions = Transactions(raft, registers, journal, bug)
    watches = Watches(raft, registers, journal, bug)
    coordinated = Coordination(raft, registers, Sessions(registers, bug), watches, bug)
    raft.drive(coordinated)
    server = Server(raft, registers, transactions, coordinated, members, links, bug)
    await serve(arguments.listen, server.handle)
    print(f"{arguments.id} listens on {arguments.listen}, term {raft.term}", flush=True)
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    try:
        await asyncio.gather(raft.run(), coordinated.run())
    finally:
        journal.close()


def _peer(text: str) -> tuple[str, str]:
    name, equals, address = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=ADDRESS:PORT")
    return name, _address(address)


def _misplaced(address: Any) -> str | None:
    try:
        _address(str(address))
    except argparse.ArgumentTypeError as error:
        return f"address: {error}"
    return None


def _address(text: str) -> str:
    try:
        split(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="One node of a small Raft key-value store.")
    add, pace = parser.add_argument, Pace()
    add("--id", required=True, help="this node's name")
    add("--listen", required=True, type=_address, metavar="ADDRESS:PORT")
    add("--peer", action="append", default=[], type=_peer, metavar="NAME=ADDRESS:PORT")
    add("--join", action="store_true", help="be a member only when the others say so: see /add")
    add("--data", required=True, type=Path, metavar="DIR", help="where the journal is kept")
    add("--bug", choices=BUGS, help="a mistake to make, for testing those who look for it")
    add("--election-timeout", type=float, default=pace.election, metavar="S")
    add("--heartbeat", type=float, default=pace.heartbeat, metavar="S")
    add(
        "--delay", type=float, default=pace.delay, metavar="S", help="before each message to a peer"
    )
    add("--batch", type=int, default=pace.batch, metavar="N", help="most entries in one message")
    add(
        "--compact",
        type=int,
        default=pace.compact,
        metavar="N",
        help="entries after which a leader takes a snapshot; 0: never",
    )
    return parser.parse_args()


def main() -> None:
    arguments = _arguments()
    try:
        asyncio.run(run(arguments))
    except (OSError, JournalError) as error:
        sys.exit(f"server.py: {error}")
    except (KeyboardInterrupt, asyncio.CancelledError):
        pass


if __name__ == "__main__":
    main()
