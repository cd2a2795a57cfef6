"""What becomes of each message: whether it arrives, how often, and when.

Nothing here touches a process. What is drawn for a message follows from the seed, from the link
(who sends, who receives) and from how many messages that link has had. So it does not depend on
what other links do, nor on which faults are in force.
"""

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from math import log
from random import Random
from typing import Literal

Link = tuple[str, str]  # who sends, who receives
Spread = Literal["constant", "uniform", "exponential"]
CUT, LOST = "cut", "loss"  # why a message does not arrive


@dataclass(slots=True)
class Rule:
    """What is done to the messages of some links; `count` is to how many it was done.

    `beside` are the nodes whose clients it strikes too, where clients are not spared.
    `lost` and `twice` are shares of the messages, from 0 to 1. All of them wait `ms`, more or less
    `jitter`; but a share of them, `early`, does not.
    """

    links: Collection[Link]
    cut: bool = False
    lost: float = 0.0
    twice: float = 0.0
    ms: float = 0.0
    jitter: float = 0.0
    early: float = 0.0
    keeps_order: bool = True
    beside: Collection[str] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Fate:
    """When each copy of a message arrives, seconds from now; none: `why` it is lost.

    `keeps_order`: no copy overtakes what its link was sent before.
    """

    after: tuple[float, ...]
    why: str = ""
    keeps_order: bool = True


AT_ONCE = Fate((0.0,))


@dataclass(slots=True)
class Links:
    """All links. Rules come and go in one thread while another one asks `fate`.

    `latency_ms` is how long each message takes on the average, `spread` how that differs.
    `spares_clients`: messages from and to clients arrive at once, whatever happens.
    """

    seed: int = 0
    latency_ms: float = 0.0
    spread: Spread = "constant"
    spares_clients: bool = True
    _rules: tuple[Rule, ...] = ()
    _drawing: dict[Link, Random] = field(default_factory=dict)
    _changing: threading.Lock = field(default_factory=threading.Lock)

    def add(self, rule: Rule) -> None:
        with self._changing:
            self._rules = (*self._rules, rule)

    def remove(self, rule: Rule) -> None:
        """Take a rule away; harmless if it is gone."""
        with self._changing:
            self._rules = tuple(each for each in self._rules if each is not rule)

    def holds(self, rule: Rule) -> bool:
        return any(each is rule for each in self._rules)

    def cuts(self, link: Link) -> bool:
        """Say whether nothing arrives on a link."""
        return any(rule.cut and link in rule.links for rule in self._rules)

    def fate(self, link: Link, beside: str | None = None) -> Fate:
        """Decide on the next message of a link, which may be of a client beside a node."""
        draw = self._drawing.get(link)
        if draw is None:
            draw = self._drawing[link] = Random(f"{self.seed} {link[0]} {link[1]}")
        # All is drawn whether or not it is used, so that faults do not change later draws.
        late, lost, jitter, early, twice = (draw.random() for _ in range(5))
        rules = [
            rule
            for rule in self._rules
            if (link in rule.links if beside is None else beside in rule.beside)
        ]
        wait, again, in_order = self._latency(late), False, True
        for rule in rules:
            if rule.cut or lost < rule.lost:
                rule.count += 1
                return Fate((), CUT if rule.cut else LOST)
        for rule in rules:
            if rule.ms and early >= rule.early:
                rule.count += 1
                wait += max(0.0, rule.ms + (2 * jitter - 1) * rule.jitter) / 1000
            in_order &= rule.keeps_order
            if twice < rule.twice:
                rule.count += 1
                again = True
        return Fate((wait, wait) if again else (wait,), keeps_order=in_order)

    def _latency(self, drawn: float) -> float:
        mean = self.latency_ms / 1000
        if self.spread == "uniform":
            return 2 * mean * drawn
        return -mean * log(1 - drawn) if self.spread == "exponential" else mean
