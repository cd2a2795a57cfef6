"""A store's program that the user gives, as a file or inside an archive, and how nodes get it."""

import hashlib
import io
import shutil
import tarfile
import tempfile
import urllib.request
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from partita.checker.settings import Setting
from partita.harness.nodes.cluster import FOLDER, Node
from partita.harness.systems.system import StoreError

DOWNLOAD_S = 60

# What a store's constructor takes to say which program is run, and how.
Binary = Annotated[Path | None, Setting("The store's program to use.", metavar="FILE")]
Archive = Annotated[
    str | None, Setting("An archive that contains the program.", metavar="FILE-OR-URL")
]
Arguments = Annotated[
    Sequence[str], Setting('More for the program: "--flag value".', metavar="WORDS")
]


def local(name: str, binary: Path | None, archive: str | None) -> Path | None:
    """Return the program on this machine, None if none was given. Raises `StoreError`."""
    if binary is not None and archive is not None:
        raise StoreError("--binary and --archive exclude each other")
    if archive is not None:
        binary = _unpacked(name, archive)
    if binary is None:
        return None
    if not binary.is_file():
        raise StoreError(f"no file {binary}: --binary takes the path of {name}'s program")
    if binary.open("rb").read(4) != b"\x7fELF" and binary.open("rb").read(2) != b"#!":
        raise StoreError(f"{binary} is no program: --archive takes an archive")
    return binary.resolve()


def put(node: Node, name: str, binary: Path) -> None:
    """Bring the program to the node, unless it is there already."""
    here = hashlib.sha256(binary.read_bytes()).hexdigest()
    there = node.run(["sha256sum", "--", path(name)], check=False).stdout.split()
    if there[:1] != [here]:
        node.remote.upload(binary, path(name), mode=0o755)


def put_all(node: Node, name: str, files: Mapping[str, Path]) -> str:
    """Bring files to the node, by their paths there in a folder of that name; return its path."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for there, here in files.items():
            archive.add(here, there)
    folder, content = path(name), packed.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    if node.run(["cat", f"{folder}/.sha256"], check=False).stdout.strip() != digest:
        node.run(["mkdir", "-p", folder])
        node.run(["tar", "-x", "-C", folder], stdin=content)
        node.write(f"{folder}/.sha256", digest)
    return folder


def path(name: str) -> str:
    """Return where the program is on a node: beside the folders that a run deletes."""
    return f"{FOLDER}/bin/{name}"


def version(node: Node, name: str, command: list[str]) -> str:
    """Ask the program for its version, and so find out whether it runs on the node at all."""
    done = node.run(command, check=False)
    said = (done.stdout or done.stderr).strip().splitlines()
    if done.status != 0 or not said or name not in said[0].lower():
        why = said[0] if said else f"status {done.status}"
        raise StoreError(
            f"{command[0]} does not run on {node.name}: {why}: is it {name}, "
            "and for that machine's architecture?"
        )
    # "etcd Version: 3.4.23", "Consul v1.8.7"
    return said[0].split()[-1].removeprefix("v")


def _unpacked(name: str, archive: str) -> Path:
    """Fetch the archive if need be; take the file called `name` out of it."""
    folder = Path(tempfile.mkdtemp(prefix="partita-"))
    source = _fetched(archive, folder) if "://" in archive else Path(archive)
    if not source.is_file():
        raise StoreError(f"no file {archive}: --archive takes a .tar.gz, .tar.xz or .zip, or a URL")
    target = folder / name
    try:
        if zipfile.is_zipfile(source):
            _from_zip(source, name, target)
        else:
            _from_tar(source, name, target)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise StoreError(f"{archive} cannot be unpacked: {error}") from error
    if not target.exists():
        raise StoreError(f"{archive} contains no file called {name}")
    target.chmod(0o755)
    return target


def _fetched(url: str, folder: Path) -> Path:
    target = folder / "archive"
    try:
        with urllib.request.urlopen(url, timeout=DOWNLOAD_S) as answer, target.open("wb") as file:
            shutil.copyfileobj(answer, file)
    except (OSError, ValueError) as error:
        raise StoreError(f"{url} cannot be fetched: {error}") from error
    return target


def _from_zip(source: Path, name: str, target: Path) -> None:
    with zipfile.ZipFile(source) as archive:
        for member in archive.namelist():
            if Path(member).name == name:
                target.write_bytes(archive.read(member))
                return


def _from_tar(source: Path, name: str, target: Path) -> None:
    with tarfile.open(source) as archive:
        for member in archive:
            if member.isfile() and Path(member.name).name == name:
                content = archive.extractfile(member)
                assert content is not None
                target.write_bytes(content.read())
                return
