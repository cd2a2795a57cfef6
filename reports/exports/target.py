"""Files that an export may be written to, and how: nobody's file is lost by a slip in its name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# How the files begin that exports write: any other file is somebody's.
OURS = (b"PAR1", b'{"resourceSpans":')


class ExportError(Exception):
    """A run that cannot be exported: one line that says why, and what to do."""


def writable(path: Path) -> None:
    """Refuse a target that is there already and is no export, before any work is done."""
    try:
        if path.exists() and not _is_export(path):
            raise ExportError(
                f"{path} is there already, and is no export that could be written anew: "
                "choose another name"
            )
    except OSError as error:
        raise _failed(path, error) from error


def _is_export(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(max(map(len, OURS)))
    return not head or head.startswith(OURS)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Lend a file beside `path` that takes its place once it is complete, and else is removed."""
    path = path.resolve()  # where a link leads, the link stays
    unfinished = path.with_name(path.name + ".new")
    try:
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        raise _failed(path, error) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _failed(path: Path, error: OSError) -> ExportError:
    reason = error.strerror or str(error)
    return ExportError(f"cannot write {path}: {reason}: choose another --to")
