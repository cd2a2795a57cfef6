"""A stored run for other people's tools: as Parquet, and as spans of OpenTelemetry.

What each of them needs is in the extra `partita[export]`, and is imported when it is asked for.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from partita.reports.exports.target import ExportError, whole, writable
from partita.reports.stored import read_run

# What is done so far, and of how much, for a progress line.
Tell = Callable[[int, int], None]

__all__ = ["ExportError", "Tell", "export"]

# Which module writes what a target's suffix, or the beginning of its address, asks for.
_WRITERS = {".parquet": "parquet", ".jsonl": "otlp", ".json": "otlp"}
_ADDRESSES = ("http://", "https://")


def export(run_directory: Path, to: str, tell: Tell) -> str:
    """Export a run to a file or an address, and return a sentence that says what is there now.

    A file is written whole or not at all. Raises `ExportError` if that cannot be done, and
    `RunError` for a directory that holds no run.
    """
    if to.startswith(_ADDRESSES):
        sending = _needed("sending")
        url = sending.endpoint(to)
        return str(sending.send(read_run(run_directory), url, tell))
    path = Path(to)
    name = _WRITERS.get(path.suffix.lower())
    if name is None:
        raise ExportError(
            f"--to {to}: this names no kind of export: give a FILE.parquet, a FILE.jsonl (spans "
            "of OpenTelemetry), or http://HOST:PORT of whoever takes spans"
        )
    writer = _needed(name)
    writable(path)
    run = read_run(run_directory)
    with whole(path) as unfinished:
        written = writer.write(run, unfinished, tell)
    return f"{written} in {to}"


def _needed(name: str) -> Any:
    """Import a module that needs what not everybody has installed."""
    try:
        return import_module(f"partita.reports.exports.{name}")
    except ImportError as error:
        if (error.name or "").startswith("partita"):
            raise
        raise ExportError(
            f"export needs {error.name}, which is not installed: pip install 'partita[export]'"
        ) from error
