"""The proof of a cut: who reaches whom now, against who should."""

from collections.abc import Mapping
from typing import Any

from partita.nemesis.fault import Scene
from partita.nemesis.grudges import cut_pairs
from partita.nemesis.network import reachable
from partita.nemesis.targets import Scope


def proof(scene: Scene, scope: Scope) -> Mapping[str, Any]:
    """Say whether the cut is what was meant: what should be cut is, and nothing else."""
    answered, living = reachable(scene.hosts), scene.living
    pairs = [pair for pair in cut_pairs(scope.grudge) if set(pair) <= living]
    unreachable = [pair for pair in pairs if pair not in answered and pair[::-1] not in answered]
    # Only what was reached before can be shown to be cut, and in both directions.
    proven = [pair for pair in unreachable if {pair, pair[::-1]} <= set(scene.reached)]
    strays = sorted(scene.undisturbed(scope) - answered)
    return {
        "bit": bool(pairs) and len(proven) == len(pairs) and not strays,
        "cut": pairs,
        "unreachable": unreachable,
        "strays": strays,
    }
