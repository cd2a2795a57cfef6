"""The seeds of small random histories that a test compares with a reference."""

import os


def seeds(usual: int) -> range:
    """Return the seeds to try: `usual` many, or as many as `PARTITA_HISTORIES` says.

    They begin at `PARTITA_FIRST`, so that a proof of many hours can be made in parts.
    """
    first = int(os.environ.get("PARTITA_FIRST", 0))
    return range(first, first + int(os.environ.get("PARTITA_HISTORIES", usual)))
