"""Nodes that are taken out of the cluster by its own means, and later taken in again as new ones.

One change is asked for at a time. The next one waits until a majority of the voters shows the last
one, for an answer that was lost says nothing. What a node has stored is kept while it is out, and
deleted when it is known to be out and about to be taken in. So a node is never two voters.
"""

import time
from collections.abc import Mapping
from typing import Annotated, Any

from partita.checker.settings import Setting
from partita.nemesis.fault import Asked, Lasted, Scene, Traits
from partita.nemesis.hosts import Host, on_some
from partita.nemesis.membership import (
    Voters,
    against_addition,
    against_removal,
    agreed,
    untouched,
)
from partita.nemesis.targets import Scope

LEAST = 3  # voters that are left, unless one asks for fewer
REMOVAL_S = 15.0  # etcd refuses changes until its members have been connected for five seconds
AGAIN_S = 2.0  # after this time without effect the same is asked again
VIEW_S = 5.0
_LOOK_S = 0.2

# Not the folder itself: a disk of its own may be mounted there.
_EMPTY = '[ ! -d "$1" ] || find "$1" -mindepth 1 -delete'


class Members:
    """Takes nodes out of the cluster, one after another; its end takes them in again."""

    name = "members"
    traits = Traits(
        strikes="nodes",
        stacks="alone",
        silences=True,
        restarts=True,
        needs_store=True,
        needs=("members", "add", "remove", "data"),
        refuses=("all",),
        target="one",
        how="the store's own requests",
    )

    def __init__(
        self,
        members_min: Annotated[
            int, Setting("So many voters are left at least.", least=1, most=99, alone=True)
        ] = LEAST,
        reckless: Annotated[
            bool,
            Setting("Ask all nodes for it at once, and though no majority would live.", alone=True),
        ] = False,
        patience: Annotated[
            float, Setting("Seconds in which a node has to be back.", least=1, most=600)
        ] = 60,
    ) -> None:
        self._least, self._reckless, self._patience_s = members_min, reckless, patience
        self._before: Voters = frozenset()
        self._asked: set[str] = set()
        self._pending: set[str] = set()  # asked for, and nobody knows whether it will happen
        self._emptied: set[str] = set()  # must not be emptied again: they may have voted since
        self._out_after_s: dict[str, float] = {}
        self._kept: dict[str, str] = {}  # why a node was not taken out

    def refuses(self, struck: int, nodes: int) -> str | None:
        if self._reckless or nodes - struck >= self._least:
            return None
        return (
            f"{struck} of {nodes} nodes cannot be taken out, for {self._least} voters must be "
            "left: take more nodes, or members_min"
        )

    def lacks(self, host: Host) -> str | None:
        return None

    def begin(self, scene: Scene, scope: Scope) -> None:
        self._before = self._await_view(scene) or frozenset()
        if self._reckless:
            on_some(scene.hosts, scope.nodes, lambda node: self._take_out(scene, node))
            return
        for node in scope.nodes:
            if node in scene.living and not self._pending:
                self._take_out(scene, node)

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """It bit if a majority of the voters shows that none of these nodes is one."""
        voters = self._await_view(scene)
        struck = scene.living & set(scope.nodes)
        proof: dict[str, Any] = {
            "bit": bool(struck) and voters is not None and not struck & voters,
            "voters_before": sorted(self._before),
            "voters": sorted(voters or ()),
            "out_after_s": dict(sorted(self._out_after_s.items())),
        }
        return proof | ({"kept": dict(sorted(self._kept.items()))} if self._kept else {})

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        """Who votes again was taken in by another hand. Who cannot be asked says nothing."""
        again = (_view(scene) or frozenset()) & set(self._out_after_s) & set(scope.nodes)
        gone = {"voters_again": sorted(again)} if again else {}
        return Lasted(gone, {"members_removed": len(self._out_after_s)})

    def end(self, scene: Scene, scope: Scope) -> None:
        """Let the cluster be as large as it was. Raises `RuntimeError` if that takes too long."""
        failed = []
        for node in scope.nodes:
            if node in self._asked and node in scene.living:
                said = self._bring_back(scene, node)
                failed += [f"{node} does not vote and serve again: {said}"] if said else []
        if failed:
            raise RuntimeError("; ".join(failed))

    def _take_out(self, scene: Scene, node: str) -> None:
        """Ask until it is out, the time is over, or the rules forbid it."""
        request = _Request(scene, node)
        begun = time.monotonic()
        if self._reckless:
            self._demand(scene, node)
        while time.monotonic() - begun < REMOVAL_S:
            voters = _view(scene)
            if voters and node in self._asked and node not in voters:
                self._out_after_s[node] = round(time.monotonic() - begun, 1)
                self._pending.discard(node)
                self._kept.pop(node, None)
                return
            why = self._against_removal(scene, voters, node)
            if why is not None:
                self._kept[node] = why
            elif request.is_due:
                self._asked.add(node)
                answer = request.remove(_live(scene, voters or frozenset()))
                # What may still happen is not taken back by a later answer.
                self._pending |= {node} if answer.done is not False else set()
                self._kept[node] = answer.said or "no majority shows it"
            time.sleep(_LOOK_S)

    def _demand(self, scene: Scene, node: str) -> None:
        """Ask everybody at once, one that is cut off too: it may believe that it leads."""
        self._asked.add(node)
        answers = on_some(
            scene.hosts,
            scene.living - {node},
            lambda asked: scene.store.change("remove", node, asked),
        )
        if any(answer.done is not False for answer in answers.values()):
            self._pending.add(node)
        self._kept[node] = next(iter(answers.values())).said or "no majority shows it"

    def _against_removal(self, scene: Scene, voters: Voters | None, node: str) -> str | None:
        if self._reckless:
            return None
        if voters is None:
            return "no majority says who the voters are"
        return against_removal(voters, _live(scene, voters), node, self._least)

    def _bring_back(self, scene: Scene, node: str) -> str:
        """Take a node in again; return what is amiss if it does not vote and serve in time."""
        if node in scene.held:
            return "another fault keeps it down, which must be healed before"
        request, said = _Request(scene, node), ""
        begun = time.monotonic()
        while time.monotonic() - begun < self._patience_s:
            voters = _view(scene)
            if voters is None:
                said = "no majority says who the voters are"
            elif node in voters and self._is_settled(node, begun):
                if scene.store.serves(node):
                    self._forget(node)
                    return ""
                said = "it votes, and does not serve"
                request.start()
            elif node not in voters:
                if node not in self._emptied:
                    _empty(scene, node)
                    self._emptied.add(node)
                said = self._take_in(scene, voters, request) or said
            time.sleep(_LOOK_S)
        return f"{said}, for {self._patience_s:g} s"

    def _is_settled(self, node: str, since: float) -> bool:
        """Say whether a node that was to be taken out, and still votes, will stay."""
        sure = node in self._emptied or node not in self._pending
        return sure or time.monotonic() - since > REMOVAL_S

    def _forget(self, node: str) -> None:
        """It is as if the node had never been taken out."""
        self._out_after_s.pop(node, None)
        for kept in (self._asked, self._pending, self._emptied):
            kept.discard(node)

    def _take_in(self, scene: Scene, voters: Voters, request: "_Request") -> str:
        live = _live(scene, voters)
        why = None if self._reckless else against_addition(voters, live, request.node)
        if why is not None or not request.is_due:
            return why or ""
        answer = request.add(live)
        if answer.done:  # or it starts, is told that it is no member, and ends with a fatal error
            request.start()
        return answer.said or "it was asked for, and no majority shows it"

    def _await_view(self, scene: Scene) -> Voters | None:
        deadline = time.monotonic() + VIEW_S
        while (voters := _view(scene)) is None and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        return voters


class _Request:
    """What is asked for one node, again and again, each time of another one that lives."""

    def __init__(self, scene: Scene, node: str) -> None:
        self._scene, self.node = scene, node
        self._times = 0
        self._last = self._started = float("-inf")

    @property
    def is_due(self) -> bool:
        return time.monotonic() - self._last >= AGAIN_S

    def remove(self, live: set[str]) -> Asked:
        asked = self._next(live)
        return self._scene.store.change("remove", self.node, asked) if asked else _NOBODY

    def add(self, live: set[str]) -> Asked:
        asked = self._next(live)
        return self._scene.store.change("add", self.node, asked) if asked else _NOBODY

    def start(self) -> None:
        """Start its process, which may have ended because it was too early."""
        if time.monotonic() - self._started >= AGAIN_S:
            self._started = time.monotonic()
            on_some(self._scene.hosts, [self.node], self._scene.store.start)

    def _next(self, live: set[str]) -> str | None:
        self._last = time.monotonic()
        others = sorted(live - {self.node})
        self._times += 1
        return others[self._times % len(others)] if others else None


_NOBODY = Asked(False, "no voter lives that could be asked")


def _view(scene: Scene) -> Voters | None:
    """Return the voters that a majority of them reports, None if no majority does now."""
    return agreed(on_some(scene.hosts, scene.living, scene.store.members))


def _live(scene: Scene, voters: Voters) -> set[str]:
    """Return the voters that answer a question about their health, and that we let live."""
    answers = on_some(scene.hosts, untouched(voters, scene.silent), scene.store.serves)
    return {node for node, serves in answers.items() if serves}


def _empty(scene: Scene, node: str) -> None:
    """End a node that is out, and delete what it kept."""
    path = scene.store.do("data", node)

    def empty(name: str) -> None:
        scene.store.do("kill", name)
        (host,) = (each for each in scene.hosts if each.name == name)
        host.run(["sh", "-c", _EMPTY, "empty", path])

    on_some(scene.hosts, [node], empty)
