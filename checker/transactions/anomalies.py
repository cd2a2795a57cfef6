"""The anomalies by their usual names: what they mean to a user, and which models they rule out.

After Adya (G0 to G2-item), Elle (internal, dirty-update, incompatible-order, …) and Bailis et al.
(lost-update). `-process` is said of a cycle that needs the order of a process, `-realtime` of one
that needs that of real time. Models that are stronger than these are ruled out with them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from partita.checker.transactions.isolation import SESSION, STRONG, in_form

PROCESS: Final = "-process"
REALTIME: Final = "-realtime"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of anomaly: what people call it, what it means, which models it rules out."""

    called: str
    meaning: str
    rules_out: tuple[str, ...] = ()


# Roughly the worst first.
KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "duplicate-elements": Kind(
            "a write that took effect twice",
            "What was written once is there twice, as after a retry that nobody asked for.",
            ("read-uncommitted",),
        ),
        "cyclic-versions": Kind(
            "versions without an order",
            "Of two values under one key each was there before the other.",
            ("read-uncommitted",),
        ),
        "G0": Kind(
            "dirty write",
            "What two transactions wrote is mixed up: neither of them came first.",
            ("read-uncommitted",),
        ),
        "garbage-read": Kind(
            "a value out of nothing",
            "A value was read that nobody ever wrote.",
            ("read-committed",),
        ),
        "dirty-update": Kind(
            "dirty update",
            "A transaction built upon what another one had taken back.",
            ("read-committed",),
        ),
        "incompatible-order": Kind(
            "two histories of one key",
            "Two reads show a list in two orders: one of them saw what never came to be.",
            ("read-committed",),
        ),
        "G1a": Kind(
            "aborted read",
            "What was read had been taken back: whoever acts on it acts on nothing.",
            ("read-committed",),
        ),
        "G1b": Kind(
            "intermediate read",
            "A transaction was seen half-way, with a value that it replaced itself.",
            ("read-committed",),
        ),
        "future-read": Kind(
            "a read of the future",
            "A transaction read what it wrote itself only later.",
            ("read-committed",),
        ),
        "G1c": Kind(
            "circular flow of information",
            "Each transaction saw what came of the other: neither can have come first.",
            ("read-committed",),
        ),
        "lost-update": Kind(
            "lost update",
            "Two transactions changed the same state, and one change was made without the other.",
            ("cursor-stability", "update-atomic"),
        ),
        "internal": Kind(
            "a transaction at odds with itself",
            "A transaction did not find what it had read or written itself just before.",
            ("read-atomic", "repeatable-read"),
        ),
        "G-single": Kind(
            "read skew",
            "A transaction saw one effect and missed another that came before it: what it read"
            " never stood side by side.",
            ("consistent-view", "repeatable-read"),
        ),
        "G-nonadjacent": Kind(
            "long fork",
            "Readers saw independent changes in different orders: there was no one state of all.",
            ("snapshot-isolation", "repeatable-read"),
        ),
        "G2-item": Kind(
            "write skew",
            "Each transaction missed what the other wrote: a rule that each of them checked can be"
            " broken by both together.",
            ("repeatable-read",),
        ),
        "lost-append": Kind(
            "a lost write",
            "A write was acknowledged, and was missing when somebody read afterwards.",
            ("strong-snapshot-isolation", "strong-repeatable-read"),
        ),
        "revision-mismatch": Kind(
            "revisions that do not fit",
            "The store told revisions that contradict what it returned: do not rely on them.",
        ),
    }
)

_FORMS: Final = {PROCESS: SESSION, REALTIME: STRONG}
_OF_FORMS: Final = {
    PROCESS: "the order of a process is part of it",
    REALTIME: "the order of real time is part of it",
}


def kind(name: str) -> Kind:
    """Return a kind of anomaly by its name; for a name that nobody knows a kind without words.

    With `-process` or `-realtime` it rules out only that form of the models.
    """
    base, form = parted(name)
    known = KINDS.get(base, Kind(base, ""))
    if not form:
        return known
    # Consistent view has no such forms: the next stronger model that has is snapshot isolation.
    bases = (
        "snapshot-isolation" if each == "consistent-view" else each for each in known.rules_out
    )
    models = [in_form(_FORMS[form], base) for base in bases]
    return Kind(
        f"{known.called}, {_OF_FORMS[form]}",
        known.meaning,
        tuple(model for model in models if model is not None),
    )


def parted(name: str) -> tuple[str, str]:
    """Split a name into that of the anomaly and `-process`, `-realtime` or nothing."""
    for form in _FORMS:
        if name.endswith(form):
            return name.removesuffix(form), form
    return name, ""


def in_order(names: Collection[str]) -> list[str]:
    """Return names of anomalies, the worst first; of one kind those that need no order first."""
    places = {name: place for place, name in enumerate(KINDS)}
    forms = ["", *_FORMS]

    def place(name: str) -> tuple[int, int, str]:
        base, form = parted(name)
        return forms.index(form), places.get(base, len(places)), name

    return sorted(names, key=place)
