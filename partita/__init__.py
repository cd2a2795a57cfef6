"""Finds out whether a coordination store keeps its promises when the network breaks.

The five folders beside this one are its sub-packages, by links: `partita.checker` decides,
`partita.workloads` drives, `partita.nemesis` breaks, `partita.reports` shows, and
`partita.harness` makes a run of it all. `partita.Recorder` is for other people's tests.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from partita.checker.recorder import Recorder

__all__ = ["Recorder"]


def __getattr__(name: str) -> Any:
    """Import what is asked for, and not before: `partita --help` must not pay for it."""
    if name == "Recorder":
        from partita.checker.recorder import Recorder

        return Recorder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
