"""What `partita-disk` gives back of a disk that lost its power; under sanitizers too."""

import os
import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest

from partita.nemesis import programs
from partita.nemesis.disks.ext4 import PROGRAM

# The sanitizers' build lies elsewhere.
HERE = Path(os.environ.get("PARTITA_PROGRAMS", programs.HERE)) / PROGRAM
CLEAN = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}


def keep(folder: Path, how: str, seed: int) -> tuple[int, int]:
    """Have a part of `was` given back to `now`: how many files, and how many bytes."""
    command = [HERE, "keep", how, str(seed), *(folder / each for each in ("inodes", "was", "now"))]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30, env=CLEAN)
    assert said.returncode == 0, said.stderr
    files, count = said.stdout.split()
    return int(files), int(count)


class Disk:
    """A folder as it was, and as a cut left it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.was, self.now = folder / "was", folder / "now"
        self.was.mkdir()
        self.now.mkdir()
        self._inodes: list[str] = []

    def add(self, name: str, was: bytes, now: bytes | None, *, same: bool = True) -> None:
        """A file; `same`: what is there now is that one, and not an older one of its name."""
        number = 10**9 + len(self._inodes)
        for folder, content in ((self.was, was), (self.now, now)):
            if content is not None:
                (folder / name).parent.mkdir(exist_ok=True, parents=True)
                (folder / name).write_bytes(content)
        if now is not None and same:
            number = (self.now / name).stat().st_ino
        self._inodes.append(f"{number} {name}\n")
        (self.folder / "inodes").write_text("".join(self._inodes))

    def cut_again(self) -> None:
        """Begin with the same loss again."""
        first = self.folder / "first"
        if not first.exists():
            shutil.copytree(self.now, first)
        for each in self.now.rglob("*"):
            if each.is_file():
                there = first / each.relative_to(self.now)
                each.write_bytes(there.read_bytes()) if there.exists() else each.unlink()


def test_of_what_was_appended_the_first_sectors_are_kept(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    whole = Random(1).randbytes(3_000_000)
    disk.add("a log", whole, whole[:1700])
    seen = set()
    for seed in range(20):
        disk.cut_again()
        files, count = keep(tmp_path, "torn", seed)
        left = (disk.now / "a log").read_bytes()
        assert left == whole[: len(left)]
        assert len(left) == 1700 or len(left) % 512 == 0
        assert len(left) < len(whole)
        assert (files, count) == ((1, len(left) - 1536) if len(left) > 1700 else (0, 0))
        seen.add(len(left))
    assert len(seen) > 10


def test_of_what_was_written_in_the_middle_sectors_are_kept(tmp_path: Path) -> None:
    """As in a file that was given its room before it was written."""
    disk = Disk(tmp_path)
    disk.add("wal", b"\1" * 10_000 + bytes(90_000), b"\1" * 2_000 + bytes(98_000))
    for seed in range(20):
        disk.cut_again()
        keep(tmp_path, "torn", seed)
        left = (disk.now / "wal").read_bytes()
        ones = left.rindex(1) + 1
        assert left == b"\1" * ones + bytes(100_000 - ones)
        assert ones == 2_000 or ones % 512 == 0
        assert ones < 10_000


def test_some_files_are_kept_and_the_others_are_not(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    for number in range(40):
        disk.add(f"in/{number}", b"written" * number, b"wr" if number % 2 else None)
    disk.cut_again()
    files, count = keep(tmp_path, "some", 7)
    kept = [n for n in range(40) if (disk.now / f"in/{n}").exists()]
    whole = [n for n in kept if (disk.now / f"in/{n}").read_bytes() == b"written" * n and n]
    rest = set(kept) - set(whole)
    assert all((disk.now / f"in/{n}").read_bytes() == b"wr" for n in rest)
    assert all(n % 2 for n in rest)
    assert files == len(whole)
    assert count == sum(7 * n for n in whole)
    assert 8 < files < 32
    disk.cut_again()
    assert keep(tmp_path, "some", 7) == (files, count)


@pytest.mark.parametrize("how", ["some", "torn"])
def test_what_was_synced_is_as_it_was(tmp_path: Path, how: str) -> None:
    disk = Disk(tmp_path)
    disk.add("log", b"synced" * 1000, b"synced" * 1000)
    disk.add("state", b"a new file of that name", b"the old one", same=False)
    disk.add("new", b"renamed, and the name was not synced", None)
    # The same file, under its old name.
    (disk.now / "old").write_bytes(b"renamed")
    inodes = (tmp_path / "inodes").read_text().splitlines()
    inodes[2] = f"{(disk.now / 'old').stat().st_ino} new"
    (tmp_path / "inodes").write_text("\n".join(inodes) + "\n")
    before = {each.name: each.read_bytes() for each in disk.now.iterdir()}
    for seed in range(8):
        assert keep(tmp_path, how, seed) == (0, 0)
    assert {each.name: each.read_bytes() for each in disk.now.iterdir()} == before


def test_a_copy_that_is_not_there_is_said(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.add("log", b"written", None)
    (disk.was / "log").unlink()
    command = [HERE, "keep", "some", "1", *(tmp_path / each for each in ("inodes", "was", "now"))]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30, env=CLEAN)
    assert said.returncode == 1
    assert "No such file or directory" in said.stderr
