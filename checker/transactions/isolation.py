"""The models of isolation: what they are called, which implies which.

After Adya's thesis (the PL levels), Bailis et al. (highly available transactions), Cerone et al.
(models with atomic visibility) and Jepsen's map of consistency models; the names are Jepsen's. The
*strong* form of a model asks besides that transactions keep the order of real time, the
*strong-session* form that of each process. What is said of serializability is said of single items:
predicates are not looked at, so that here repeatable read and serializability fall together, except
for what they imply.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

SESSION: Final = "strong-session-"
STRONG: Final = "strong-"


@dataclass(frozen=True, slots=True)
class Model:
    """A model: the models that it implies directly, further names, and what it means to a user."""

    implies: tuple[str, ...]
    aliases: tuple[str, ...]
    meaning: str


# The strongest first: none implies one that stands before it.
MODELS: Final[Mapping[str, Model]] = MappingProxyType(
    {
        "strict-serializable": Model(
            ("strong-session-serializable", "strong-snapshot-isolation", "strong-repeatable-read"),
            (
                "strict-serializability", "strict-1sr", "strong-1sr", "strong-serializable",
                "strong-serializability", "pl-ss", "external-consistency",
            ),
            "As if each transaction happened at one moment between its beginning and its end.",
        ),
        "strong-session-serializable": Model(
            (
                "serializable", "strong-session-snapshot-isolation",
                "strong-session-repeatable-read",
            ),
            ("strong-session-serializability", "strong-session-1sr"),
            "Serializable, and each process sees what it did before.",
        ),
        "serializable": Model(
            ("snapshot-isolation", "repeatable-read", "update-serializable"),
            ("serializability", "conflict-serializable", "pl-3", "1sr"),
            "As if the transactions ran one after the other, in some order.",
        ),
        "strong-snapshot-isolation": Model(
            ("strong-session-snapshot-isolation", "strong-read-committed"),
            (),
            "Snapshot isolation, and a snapshot has all that had been committed before.",
        ),
        "strong-session-snapshot-isolation": Model(
            ("snapshot-isolation", "strong-session-read-committed"),
            (),
            "Snapshot isolation, and a snapshot has what the same process had seen and done.",
        ),
        "snapshot-isolation": Model(
            (
                "forward-consistent-view", "monotonic-snapshot-read",
                "parallel-snapshot-isolation", "prefix",
            ),
            ("si", "pl-si", "gsi", "generalized-snapshot-isolation"),
            "Each transaction reads one state of all, and of two at once that write the same thing"
            " only one commits.",
        ),
        "strong-repeatable-read": Model(
            ("strong-session-repeatable-read", "strong-read-committed"),
            (),
            "Repeatable read, in the order of real time.",
        ),
        "strong-session-repeatable-read": Model(
            ("repeatable-read", "strong-session-read-committed"),
            (),
            "Repeatable read, in the order of each process.",
        ),
        "repeatable-read": Model(
            ("cursor-stability", "monotonic-atomic-view"),
            ("rr", "pl-2.99"),
            "Serializable as far as single items go.",
        ),
        "update-serializable": Model(
            ("forward-consistent-view",),
            ("pl-3u", "update-serializability"),
            "Serializable among those that write; who only reads may see them in another order.",
        ),
        "parallel-snapshot-isolation": Model(
            ("causal", "update-atomic"),
            ("psi", "pl-psi"),
            "Snapshot isolation, but sites may see transactions of others in different orders.",
        ),
        "prefix": Model(
            ("causal",),
            ("prefix-consistency", "consistent-prefix", "pc"),
            "Each transaction reads one state of all; updates may be lost.",
        ),
        "causal": Model(
            ("read-atomic",),
            ("causal-consistency", "causal-cerone", "cc"),
            "Who sees an effect sees its causes too.",
        ),
        "update-atomic": Model(
            ("read-atomic",), ("ua",), "Read atomic, and no update is lost."
        ),
        "read-atomic": Model(
            ("monotonic-atomic-view",),
            ("ra", "read-atomicity"),
            "Of another transaction all is seen, or nothing.",
        ),
        "forward-consistent-view": Model(
            ("consistent-view",),
            ("pl-fcv",),
            "Consistent view, and what is read may be newer than the beginning.",
        ),
        "consistent-view": Model(
            ("cursor-stability", "monotonic-view"),
            ("pl-2+", "basic-consistency"),
            "What is read belongs together: nobody sees an effect and misses what was before it.",
        ),
        "monotonic-snapshot-read": Model(
            ("read-committed",),
            ("pl-msr", "msr"),
            "Each single read sees one state, and later ones no older state.",
        ),
        "monotonic-view": Model(
            ("read-committed",),
            ("pl-2l",),
            "A transaction sees no state older than one that it has seen.",
        ),
        "monotonic-atomic-view": Model(
            ("read-committed",),
            ("mav",),
            "Once something of another transaction was seen, all of it is seen from then on.",
        ),
        "cursor-stability": Model(
            ("read-committed",), ("cs", "pl-cs"), "Read committed, and no update is lost."
        ),
        "strong-read-committed": Model(
            ("strong-session-read-committed", "strong-read-uncommitted"),
            (),
            "Read committed, in the order of real time.",
        ),
        "strong-session-read-committed": Model(
            ("read-committed", "strong-session-read-uncommitted"),
            (),
            "Read committed, in the order of each process.",
        ),
        "read-committed": Model(
            ("read-uncommitted",),
            ("rc", "pl-2"),
            "Only what was committed is read, and in its last form.",
        ),
        "strong-read-uncommitted": Model(
            ("strong-session-read-uncommitted",),
            (),
            "Read uncommitted, in the order of real time.",
        ),
        "strong-session-read-uncommitted": Model(
            ("read-uncommitted",), (), "Read uncommitted, in the order of each process."
        ),
        "read-uncommitted": Model(
            (), ("ru", "pl-1"), "What two transactions write is not mixed up."
        ),
    }
)  # fmt: skip


def named(name: str) -> str | None:
    """Return the model that a usual name or abbreviation means, None if it means none.

    `strong-` and `strong-session-` go before abbreviations too: strong-session-SI, strong-PL-2.
    """
    plain = name.strip().lower().removeprefix(":").replace("_", "-").replace(" ", "-")
    if plain in _NAMED:
        return _NAMED[plain]
    for form in (SESSION, STRONG):
        base = _NAMED.get(plain.removeprefix(form)) if plain.startswith(form) else None
        if base is not None:
            return in_form(form, base)
    return None


def in_form(form: str, model: str) -> str | None:
    """Return the strong or strong-session form of a model, None where there is none."""
    if (form, model) == (STRONG, "serializable"):
        return "strict-serializable"
    return form + model if form + model in MODELS else None


@cache
def weaker(model: str) -> frozenset[str]:
    """Return all models that a model implies, itself not."""
    found: set[str] = set()
    for each in MODELS[model].implies:
        found |= {each, *weaker(each)}
    return frozenset(found)


@cache
def stronger(model: str) -> frozenset[str]:
    """Return all models that imply a model, itself not."""
    return frozenset(each for each in MODELS if model in weaker(each))


def closure(violated: Iterable[str]) -> frozenset[str]:
    """Return what cannot hold if these do not: they, and all that is stronger."""
    given = frozenset(violated)
    return given.union(*(stronger(model) for model in given))


def in_order(models: Collection[str]) -> tuple[str, ...]:
    """Return models as they stand in the table, the strongest first."""
    return tuple(model for model in MODELS if model in models)


def weakest(models: Collection[str]) -> tuple[str, ...]:
    """Return those of the models that imply none of the others: they rule out all of them."""
    return tuple(model for model in in_order(models) if not weaker(model) & set(models))


def strongest_possible(violated: Iterable[str]) -> tuple[str, ...]:
    """Return the models that can still hold and that nothing implies that can."""
    gone = closure(violated)
    left = {model for model in MODELS if model not in gone}
    return tuple(model for model in in_order(left) if not stronger(model) & left)


_NAMED: Final = {
    **{name: name for name in MODELS},
    **{alias: name for name, model in MODELS.items() for alias in model.aliases},
}
# What an engine can decide: whether a history's graph has a cycle that the model forbids.
DECIDED: Final = frozenset(
    each
    for form in ("", SESSION, STRONG)
    for model in (
        "serializable", "snapshot-isolation", "repeatable-read", "read-committed",
        "read-uncommitted",
    )
    if (each := in_form(form, model) if form else model) is not None
)  # fmt: skip
