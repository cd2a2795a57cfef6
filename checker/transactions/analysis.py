"""What the engine for transactions finds, and what explanations and pictures are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Relation = Literal["ww", "wr", "rw", "process", "realtime"]


@dataclass(frozen=True, slots=True)
class Edge:
    """One transaction (`source`) came before another one (`target`); both are rows of a history.

    `ww`: source wrote `before`, and target wrote `after`, which stood next under `key`. `wr`:
    target read `before`, which source wrote. `rw`: source read `before` (None: nothing was there
    yet), and target wrote `after`, which stood next. `process`: one process ran both. `realtime`:
    source had ended before target was invoked. `rule` says how the order of the two values is
    known, where that is not simply read from a longer list (`told`, `initial`, `unread`, …).
    """

    source: int
    target: int
    relation: Relation
    key: Any = None
    before: Any = None
    after: Any = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """One occurrence of an anomaly: a cycle of edges, or operations that show it without one.

    `edges` begin where the one before ended, and the last one ends where the first one begins.
    `rows` are the transactions, each once, in the order of the edges. `key`, `value` and `facts`
    say what an anomaly without a cycle is about.
    """

    rows: tuple[int, ...]
    edges: tuple[Edge, ...] = ()
    key: Any = None
    value: Any = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A kind of anomaly by its usual name (`G1a`, `G-single-realtime`, `lost-update`, …).

    `count` is how often it was found; `at_least`: there may be more, for looking was cut short.
    """

    name: str
    count: int
    examples: tuple[Example, ...]
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is known of a history of transactions.

    `anomalies` are by name. `violated` are models of `isolation.py` that do not hold; what they
    rule out besides, `isolation` knows. `decided_by` says what decided: values, or the revisions
    that the store told. `reason` says why no more can be said (then `decided` is False): what was
    found until then stands.
    """

    anomalies: Mapping[str, Anomaly]
    violated: frozenset[str]
    decided: bool = True
    decided_by: Literal["values", "revisions"] = "values"
    reason: str | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
