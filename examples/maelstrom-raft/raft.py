#!/usr/bin/env python3
"""Raft in one file: a node that speaks Maelstrom's protocol, and serves the workload lin-kv.

    partita test maelstrom --binary examples/maelstrom-raft/raft.py --nemesis random-halves

Read it beside figure 2 of the Raft paper (Ongaro and Ousterhout, 2014): the words are the same.
What a node must remember is in its working folder, so it may be killed at any time. There are no
snapshots and no changes of members. `--bug NAME` plants one of five mistakes, marked BUG below.
"""

import argparse
import json
import os
import random
import select
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Body = dict[str, Any]
Request = tuple[str, int]  # the client, and its msg_id: no two requests have the same
FOLLOWER, CANDIDATE, LEADER = "follower", "candidate", "leader"
HEARTBEAT_S = 0.05
ELECTION_S = 0.3  # a follower waits so long for a leader, or up to twice as long
QUORUM_S = 2.0  # a leader that hears from no majority for so long gives up
RETRY_S = 0.3  # a request that is not answered is sent again
FORGET_S = 10.0  # and then its client has given up
ENTRIES_MAX = 200  # in one message
NOT_SUPPORTED, UNAVAILABLE, NO_KEY, PRECONDITION = 10, 11, 20, 22

BUGS = {
    "stale-read": "A leader answers reads without asking whether it still leads.",
    "ack-alone": "A leader commits what only its own log has.",
    "forget-term": "Term and vote are not written down, so a restart forgets them.",
    "keep-conflict": "A follower keeps its own entries where the leader has others.",
    "wrong-error": "When the leader changes, open requests are said to have failed.",
}


class Disk:
    """What survives a kill: term, vote and log, in a file of lines that only grows."""

    def __init__(self, path: Path, bug: str | None) -> None:
        self.term, self.vote, self.bug = 0, "", bug
        self.log: list[Body] = []  # the entry of index 1 comes first
        self.file = path.open("a+b")
        self.file.seek(0)
        whole = 0
        for line in self.file:
            if line.endswith(b"\n"):  # a kill may cut one short, but nobody was told of that yet
                whole += len(line)
                self._take(json.loads(line))
        self.file.truncate(whole)
        self.changed = False

    def be_in(self, term: int, vote: str = "") -> None:
        """Begin a term, or vote in it."""
        self.term, self.vote = term, vote
        if self.bug != "forget-term":  # BUG forget-term: after a restart this is term 0 again
            self._write({"term": term, "vote": vote})

    def put(self, index: int, entry: Body) -> None:
        """Set the entry of an index; what came after it is gone."""
        self._write({"index": index, "entry": entry})

    def last(self) -> int:
        return len(self.log)

    def term_at(self, index: int) -> int:
        """Return the term of an entry, 0 if there is none."""
        return self.log[index - 1]["term"] if 0 < index <= len(self.log) else 0

    def sync(self) -> None:
        """Return when all is on the disk."""
        if self.changed:
            self.file.flush()
            os.fsync(self.file)
            self.changed = False

    def _write(self, record: Body) -> None:
        self.file.write(json.dumps(record).encode() + b"\n")
        self.changed = True
        self._take(record)

    def _take(self, record: Body) -> None:
        if "entry" in record:
            self.log[record["index"] - 1 :] = [record["entry"]]
        else:
            self.term, self.vote = record["term"], record["vote"]


class Registers:
    """The state machine. It knows its last answer to each client, and does nothing twice."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.answers: dict[str, tuple[int, Body]] = {}

    def apply(self, request: Request, body: Body) -> Body | None:
        """Carry a request out, and return the answer; None if it is over long ago."""
        client, number = request
        latest, answer = self.answers.get(client, (-1, {}))
        if number > latest:
            latest, answer = self.answers[client] = number, self._change(body)
        return answer if number == latest else None

    def read(self, body: Body) -> Body:
        key = json.dumps(body["key"])
        if key not in self.values:
            return error(NO_KEY, f"there is no key {key}")
        return {"type": "read_ok", "value": self.values[key]}

    def _change(self, body: Body) -> Body:
        key = json.dumps(body["key"])
        if body["type"] == "cas":
            if key not in self.values:
                return error(NO_KEY, f"there is no key {key}")
            if self.values[key] != body["from"]:
                return error(PRECONDITION, f"key {key} holds {self.values[key]!r}")
        self.values[key] = body["to"] if body["type"] == "cas" else body["value"]
        return {"type": f"{body['type']}_ok"}


@dataclass
class Follower:
    """What a leader knows of a follower."""

    heard: float  # when it spoke last
    next: int  # the first entry that it was not sent
    match: int = 0  # up to this index its log is ours
    round: int = 0  # the last round that it has answered


class Node:
    """One node. `step` is called with what has come; what it wants to say is in `outbox`."""

    def __init__(self, name: str, names: list[str], disk: Disk, bug: str | None) -> None:
        self.name, self.disk, self.bug, self.now = name, disk, bug, time.monotonic()
        self.peers = [each for each in names if each != name]
        self.majority = len(names) // 2 + 1
        self.registers = Registers()
        self.role, self.leader = FOLLOWER, ""
        self.commit = 0  # all entries up to this index are committed, and applied
        self.votes: set[str] = set()
        self.followers: dict[str, Follower] = {}
        self.round = 0  # counts how often a leader has spoken to all
        self.speaks = False  # and now it has something to say
        self.reads: list[tuple[int, Body]] = []  # each waits until its round is confirmed
        self.open: dict[Request, tuple[Body, float, float]] = {}  # asked when, last sent when
        self.outbox: list[Body] = []
        self._wait()

    def step(self, messages: list[Body]) -> None:
        """Take what has come. What is in `outbox` may go once the disk is synced."""
        self.now = time.monotonic()
        for message in messages:
            self._take(message["src"], message["body"])
        if self.now >= self.alarm:
            self._ring()
        self._retry()
        if self.role == LEADER and self.speaks:
            self._speak()

    def _take(self, src: str, body: Body) -> None:
        if "term" in body and body["term"] > self.disk.term:
            self.disk.be_in(body["term"])
            self._follow("")
        getattr(self, f"on_{body['type']}", self.on_request)(src, body)

    def _send(self, dest: str, body: Body) -> None:
        if dest == self.name:
            self._take(dest, body)
        else:
            self.outbox.append({"src": self.name, "dest": dest, "body": body})

    # --- requests: whoever is asked hands them to the leader until there is an answer --------

    def on_request(self, src: str, body: Body) -> None:
        kind, request = body["type"], (src, body["msg_id"])
        if kind not in ("read", "write", "cas"):
            self.answer(request, error(NOT_SUPPORTED, f"there is no request {kind!r}"))
        elif not self.leader:
            self.answer(request, error(UNAVAILABLE, "nobody is known to lead"))
        else:
            self._forward(request, body, self.now)

    def answer(self, request: Request, answer: Body) -> None:
        self.open.pop(request, None)
        self._send(request[0], answer | {"in_reply_to": request[1]})

    def _forward(self, request: Request, body: Body, since: float) -> None:
        self.open[request] = body, since, self.now
        self._send(self.leader, {"type": "forward", "request": request, "body": body})

    def _retry(self) -> None:
        """Send again what waits too long. It may be in the log: then it is not done twice."""
        for request, (body, since, tried) in list(self.open.items()):
            if self.now > since + FORGET_S:
                del self.open[request]
            elif self.leader and self.now > tried + RETRY_S:
                self._forward(request, body, since)

    def on_forward(self, src: str, body: Body) -> None:
        if self.role != LEADER:
            return
        asked = {"via": src, "request": body["request"], "body": body["body"]}
        if body["body"]["type"] != "read":
            self._propose(asked)
        elif self.bug == "stale-read":  # BUG stale-read: others may have elected another leader
            self._reply(asked, self.registers.read(body["body"]))
        else:
            self.reads.append((self.round + 1, asked))
            self.speaks = True

    def _reply(self, asked: Body, answer: Body | None) -> None:
        self._send(asked["via"], {"type": "answer", "request": asked["request"], "answer": answer})

    def on_answer(self, src: str, body: Body) -> None:
        request = tuple(body["request"])
        if request in self.open and body["answer"]:
            self.answer(request, body["answer"])

    # --- elections ---------------------------------------------------------------------------

    def _wait(self) -> None:
        """Be patient with the leader, or with an election; each time for another while."""
        self.alarm = self.now + random.uniform(ELECTION_S, 2 * ELECTION_S)

    def _ring(self) -> None:
        near = sum(self.now < each.heard + QUORUM_S for each in self.followers.values())
        if self.role == LEADER and near + 1 >= self.majority:
            self.speaks = True
        else:
            self._campaign()

    def _campaign(self) -> None:
        self._follow("")
        self.role, self.votes = CANDIDATE, {self.name}
        self.disk.be_in(self.disk.term + 1, self.name)
        last = self.disk.last()
        log = {"last_index": last, "last_term": self.disk.term_at(last)}
        for peer in self.peers:
            self._send(peer, {"type": "vote", "term": self.disk.term} | log)
        self._count()

    def on_vote(self, src: str, body: Body) -> None:
        last = self.disk.last()
        as_new = (body["last_term"], body["last_index"]) >= (self.disk.term_at(last), last)
        granted = body["term"] == self.disk.term and self.disk.vote in ("", src) and as_new
        if granted:
            self.disk.be_in(self.disk.term, src)
            self._wait()
        self._send(src, {"type": "vote_ok", "term": self.disk.term, "granted": granted})

    def on_vote_ok(self, src: str, body: Body) -> None:
        if self.role == CANDIDATE and body["term"] == self.disk.term and body["granted"]:
            self.votes.add(src)
            self._count()

    def _count(self) -> None:
        if len(self.votes) < self.majority:
            return
        self._say("leads")
        self.role, self.leader, self.alarm = LEADER, self.name, self.now
        after = self.disk.last() + 1
        self.followers = {peer: Follower(self.now, after) for peer in self.peers}
        self._propose({})  # once this is committed, all earlier entries are

    def _follow(self, leader: str) -> None:
        if self.role == LEADER:
            self._say("does not lead any more")
        if self.bug == "wrong-error" and leader != self.leader:  # BUG wrong-error: who knows?
            for request in list(self.open):
                self.answer(request, error(UNAVAILABLE, "the leader has changed"))
        self.role, self.leader = FOLLOWER, leader
        self.reads.clear()  # whoever was asked sends them to the next leader
        self._wait()

    def _say(self, text: str) -> None:
        print(f"term {self.disk.term}: {self.name} {text}", file=sys.stderr, flush=True)

    # --- the log -----------------------------------------------------------------------------

    def _propose(self, command: Body) -> None:
        self.disk.put(self.disk.last() + 1, {"term": self.disk.term, **command})
        self.speaks = True
        self._advance()

    def _speak(self) -> None:
        """Send every follower what it does not have yet. If that is nothing, it is a heartbeat."""
        self.speaks, self.alarm = False, self.now + HEARTBEAT_S
        self.round += 1
        for name, follower in self.followers.items():
            self._append(name, follower)
        self._serve_reads()

    def _append(self, name: str, follower: Follower) -> None:
        before = follower.next - 1
        entries = self.disk.log[before : before + ENTRIES_MAX]
        follower.next += len(entries)  # if they get lost, the follower will miss them
        log = {"prev_index": before, "prev_term": self.disk.term_at(before), "entries": entries}
        told = {"term": self.disk.term, "commit": self.commit, "round": self.round}
        self._send(name, {"type": "append"} | told | log)

    def on_append(self, src: str, body: Body) -> None:
        answer = {"type": "append_ok", "term": self.disk.term, "round": body["round"]}
        if body["term"] < self.disk.term:
            self._send(src, answer | {"success": False, "index": 0})
            return
        self._follow(src)
        before, entries = body["prev_index"], body["entries"]
        if self.disk.term_at(before) != body["prev_term"]:
            # The entry before is missing, or another one. What is committed is the same everywhere.
            self._send(src, answer | {"success": False, "index": min(self.commit, before - 1)})
            return
        for index, entry in enumerate(entries, before + 1):
            if self.bug == "keep-conflict" and index <= self.disk.last():
                continue  # BUG keep-conflict: it may be another entry
            if self.disk.term_at(index) != entry["term"]:
                self.disk.put(index, entry)
        same = before + len(entries)
        self._apply(min(body["commit"], same))
        self._send(src, answer | {"success": True, "index": same})

    def on_append_ok(self, src: str, body: Body) -> None:
        if self.role != LEADER or body["term"] != self.disk.term:
            return
        follower = self.followers[src]
        follower.heard = self.now
        follower.round = max(follower.round, body["round"])
        if body["success"]:
            follower.match = max(follower.match, body["index"])
            self._advance()
        else:
            follower.next = max(follower.match, body["index"]) + 1
        if follower.next <= self.disk.last():
            self._append(src, follower)
        self._serve_reads()

    def _advance(self) -> None:
        """Commit what a majority has, if it ends with an entry of our own term (figure 8)."""
        index = self._of_majority([self.disk.last(), *(f.match for f in self.followers.values())])
        if self.bug == "ack-alone":
            index = self.disk.last()  # BUG ack-alone: nobody else may have it
        if self.disk.term_at(index) == self.disk.term:
            self._apply(index)

    def _apply(self, commit: int) -> None:
        while self.commit < commit:
            self.commit += 1
            entry = self.disk.log[self.commit - 1]
            if "body" in entry:
                answer = self.registers.apply(tuple(entry["request"]), entry["body"])
                if self.role == LEADER and entry["term"] == self.disk.term:
                    self._reply(entry, answer)

    def _serve_reads(self) -> None:
        """Answer the reads that came before a round that a majority has answered."""
        confirmed = self._of_majority([self.round, *(f.round for f in self.followers.values())])
        if self.disk.term_at(self.commit) != self.disk.term:
            return  # earlier leaders may have committed more than we know
        while self.reads and self.reads[0][0] <= confirmed:
            asked = self.reads.pop(0)[1]
            self._reply(asked, self.registers.read(asked["body"]))

    def _of_majority(self, figures: list[int]) -> int:
        """Return what a majority has reached."""
        return sorted(figures, reverse=True)[self.majority - 1]


def error(code: int, text: str) -> Body:
    return {"type": "error", "code": code, "text": text}


def main() -> None:
    parser = argparse.ArgumentParser(description="A Raft node that speaks Maelstrom's protocol.")
    parser.add_argument("--bug", choices=BUGS, help="a mistake to make")
    bug = parser.parse_args().bug
    first = json.loads(sys.stdin.buffer.raw.readline())  # whoever introduces us waits for an answer
    name, names = first["body"]["node_id"], first["body"]["node_ids"]
    node = Node(name, names, Disk(Path(f"{name}.log"), bug), bug)
    node.answer((first["src"], first["body"]["msg_id"]), {"type": "init_ok"})
    data = b""
    while True:
        *lines, data = data.split(b"\n")
        node.step([json.loads(line) for line in lines])
        node.disk.sync()  # nobody is told anything that is not yet on the disk
        sys.stdout.write("".join(json.dumps(each) + "\n" for each in node.outbox))
        sys.stdout.flush()
        node.outbox.clear()
        if select.select([0], [], [], HEARTBEAT_S / 5)[0]:
            if not (more := os.read(0, 1 << 20)):
                return
            data += more


if __name__ == "__main__":
    main()
