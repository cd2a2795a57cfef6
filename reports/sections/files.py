"""What else lies in the run directory."""

from collections.abc import Iterator
from pathlib import Path

from partita.reports.fragments import fragment
from partita.reports.section import Part
from partita.reports.stored import StoredRun


class Files:
    """What else lies in the run directory."""

    title = "Files"
    order = 100  # so that the pictures of all others lie there

    def applies(self, run: StoredRun) -> bool:
        return True

    def draw(self, run: StoredRun) -> Iterator[Part]:
        yield fragment("files.html", files=_files(run.directory))


def _files(directory: Path) -> list[str]:
    """The files, as paths relative to the page."""
    kept = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return [str(path.relative_to(directory)) for path in kept if path.name != "report.html"]
