"""The seeds of small random histories that a test compares with a reference."""

import os


def how_many(usual: int) -> int:
    """Return how many histories to try: `usual` many, or as many as `PARTITA_HISTORIES` says."""
    return int(os.environ.get("PARTITA_HISTORIES", usual))


def seeds(usual: int) -> range:
    """Return the seeds to try, see `how_many`.

    They begin at `PARTITA_FIRST`, so that a proof of many hours can be made in parts.
    """
    first = int(os.environ.get("PARTITA_FIRST", 0))
    return range(first, first + how_many(usual))
