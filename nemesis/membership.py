"""The rules by which the members of a cluster are changed: pure functions of what nodes say."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from partita.nemesis.targets import Scope

Voters = frozenset[str]


def agreed(said: Mapping[str, Collection[str] | None]) -> Voters | None:
    """Return the voters that a majority of these very voters reports; None if there is no such set.

    A node that was cut off, or taken out, may report old ones for ever: it is outvoted.
    """
    counts = Counter(frozenset(names) for node, names in said.items() if names and node in names)
    found = [voters for voters, count in counts.items() if is_majority(count, voters)]
    return found[0] if len(found) == 1 else None


def untouched(voters: Collection[str], silent: Sequence[Scope]) -> set[str]:
    """Return the voters that no fault of ours silences, or cuts off from a majority of them."""
    struck = {node for scope in silent for node in scope.nodes}
    cut = {pair for scope in silent for pair in scope.links}

    def reached(node: str) -> int:
        return sum((node, other) not in cut for other in voters)

    return {node for node in voters if node not in struck and is_majority(reached(node), voters)}


def against_removal(
    voters: Collection[str], live: Collection[str], node: str, least: int
) -> str | None:
    """Say why a node must not be taken out now; None if it may.

    Those that live must be a majority of the voters before and after. A cluster that has lost its
    majority by our hand shows nothing of its own.
    """
    after = set(voters) - {node}
    if node not in voters:
        return f"{node} is no voter"
    if len(after) < least:
        return f"{len(after)} voters would be left, and {least} must be"
    if not is_majority(len(set(live) & set(voters)), voters):
        return f"only {len(set(live) & set(voters))} of {len(set(voters))} voters live"
    if not is_majority(len(set(live) & after), after):
        return f"only {len(set(live) & after)} of the {len(after)} that would be left live"
    return None


def against_addition(voters: Collection[str], live: Collection[str], node: str) -> str | None:
    """Say why a node must not be taken in now, of which nobody knows whether it will start."""
    after = {*voters, node}
    if not is_majority(len(set(live) & set(voters)), after):
        return f"only {len(set(live) & set(voters))} of {len(after)} voters would live"
    return None


def is_majority(count: int, of: Collection[str]) -> bool:
    """Say whether so many are more than half of them."""
    return 2 * count > len(set(of))
