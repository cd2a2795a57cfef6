"""`partita-lossy` by itself: what a power cut leaves; under sanitizers too (script/sanitize)."""

import errno
import mmap
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from partita.nemesis import programs
from partita.nemesis.disks.lossy import PROGRAM

# The sanitizers' build lies elsewhere.
HERE = Path(os.environ.get("PARTITA_PROGRAMS", programs.HERE)) / PROGRAM
CLEAN = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
SECTOR = 512

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not HERE.exists(), reason="built without libfuse3-dev"),
    pytest.mark.skipif(not os.access("/dev/fuse", os.W_OK), reason="no /dev/fuse"),
]


class Disk:
    """A disk in mounts of its own, which end with its program."""

    def __init__(self, folder: Path, bytes_most: int = 1 << 20) -> None:
        self.below, place = folder / "below", folder / "at"
        self.below.mkdir()
        place.mkdir()
        command = ["unshare", "--mount", HERE, "mount", self.below, place, str(bytes_most)]
        self.program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=CLEAN)
        assert self.program.stdout is not None
        assert self.program.stdout.readline() == "ready\n"
        self.at = Path(f"/proc/{self.program.pid}/root{place}")

    def write(self, name: str, text: bytes, at: int | None = None, *, sync: bool = False) -> None:
        file = os.open(self.at / name, os.O_CREAT | os.O_WRONLY)
        os.pwrite(file, text, os.fstat(file).st_size if at is None else at)
        if sync:
            os.fsync(file)
        os.close(file)

    def read(self, name: str) -> bytes:
        return (self.at / name).read_bytes()

    def cut(self, how: str = "all", seed: int = 1) -> tuple[int, ...]:
        """How many files, writes and bytes were lost, and how many bytes were kept."""
        said = self.asked(how, seed)
        deadline = time.monotonic() + 5  # a file that was closed is closed a little later
        while said.returncode and "busy" in said.stderr and time.monotonic() < deadline:
            time.sleep(0.01)
            said = self.asked(how, seed)
        assert said.returncode == 0, said.stderr
        return tuple(map(int, said.stdout.split()))

    def asked(self, how: str, seed: int) -> "subprocess.CompletedProcess[str]":
        command = [HERE, "cut", self.at, how, str(seed)]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, env=CLEAN)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    made = Disk(tmp_path)
    yield made
    made.program.terminate()
    assert made.program.wait(timeout=10) == 0


def test_what_was_synced_stays_and_the_rest_is_gone(disk: Disk) -> None:
    disk.write("log", b"promised", sync=True)
    disk.write("log", b", not promised")
    disk.write("log", b"P", at=0)
    disk.write("new", b"nobody asked for it to stay")
    assert disk.read("log") == b"Promised, not promised"
    assert disk.cut() == (2, 3, 14 + 1 + 27, 0)
    assert (disk.read("log"), disk.read("new")) == (b"promised", b"")
    disk.write("log", b", and goes on", sync=True)
    assert disk.cut() == (0, 0, 0, 0)
    assert disk.read("log") == b"promised, and goes on"


def test_there_are_several_ways_to_sync(disk: Disk) -> None:
    for how in (os.O_DSYNC, os.O_SYNC):
        file = os.open(disk.at / str(how), os.O_CREAT | os.O_WRONLY | how)
        os.write(file, b"synced")
        os.close(file)
    file = os.open(disk.at / "data", os.O_CREAT | os.O_WRONLY)
    os.write(file, b"synced")
    os.fdatasync(file)
    os.close(file)
    disk.write("mapped", bytes(2 * mmap.PAGESIZE), sync=True)
    file = os.open(disk.at / "mapped", os.O_RDWR)
    with mmap.mmap(file, 2 * mmap.PAGESIZE) as mapped:
        mapped[:6] = b"synced"
        mapped.flush()
        mapped[mmap.PAGESIZE : mmap.PAGESIZE + 4] = b"lost"
    os.close(file)
    disk.cut()
    for name in (str(os.O_DSYNC), str(os.O_SYNC), "data"):
        assert disk.read(name) == b"synced"
    assert disk.read("mapped") == b"synced" + bytes(2 * mmap.PAGESIZE - 6)


def test_the_end_of_a_file_moves_back(disk: Disk) -> None:
    for name in ("shorter", "longer", "emptied"):
        disk.write(name, b"0123456789", sync=True)
    os.truncate(disk.at / "shorter", 3)
    disk.write("shorter", b"abc")
    os.truncate(disk.at / "longer", 5000)
    os.close(os.open(disk.at / "emptied", os.O_WRONLY | os.O_TRUNC))
    (disk.at / "nothing").write_bytes(b"")
    file = os.open(disk.at / "room", os.O_CREAT | os.O_WRONLY)
    os.posix_fallocate(file, 0, 100_000)
    os.fsync(file)
    os.posix_fallocate(file, 0, 200_000)
    os.pwrite(file, b"x" * 1000, 99_500)
    os.close(file)
    assert disk.read("shorter") == b"012abc"
    assert disk.cut() == (4, 6, 3 + 1000, 0)
    for name in ("shorter", "longer", "emptied"):
        assert disk.read(name) == b"0123456789"
    assert disk.read("room") == bytes(100_000)


def test_names_last_and_what_is_in_the_files_does_not(disk: Disk) -> None:
    disk.write("old", b"old", sync=True)
    disk.write("new", b"half ", sync=True)
    disk.write("new", b"done")
    (disk.at / "new").rename(disk.at / "old")
    disk.write("gone", b"removed")
    (disk.at / "gone").unlink()
    assert disk.cut() == (1, 1, 4, 0)
    assert sorted(each.name for each in disk.at.iterdir()) == ["old"]
    assert disk.read("old") == b"half "


def test_a_cut_leaves_what_a_model_of_it_leaves(disk: Disk) -> None:
    """Whatever is done, in whatever order: a file is as it was when it was synced last."""
    random = Random(14)
    now: dict[str, bytes] = {}
    synced: dict[str, bytes] = {}
    for _ in range(600):
        name, other = (f"f{random.randrange(6)}" for _ in range(2))
        at, count = random.randrange(3000), random.randrange(1, 2000)
        match random.randrange(6) if name in now else 0:
            case 0 | 1:
                text = random.randbytes(count)
                disk.write(name, text, at)
                before = now.get(name, b"").ljust(at, b"\0")
                now[name] = before[:at] + text + before[at + count :]
                synced.setdefault(name, b"")
            case 2:
                os.truncate(disk.at / name, at)
                now[name] = now[name][:at].ljust(at, b"\0")
            case 3:
                disk.write(name, b"", at, sync=True)
                synced[name] = now[name]
            case 4 if name != other:
                (disk.at / name).rename(disk.at / other)
                now[other], synced[other] = now.pop(name), synced.pop(name)
            case 5:
                (disk.at / name).unlink()
                del now[name], synced[name]
        if random.randrange(40) == 0:
            disk.cut()
            now = dict(synced)
        assert disk.read(name) == now[name] if name in now else not (disk.at / name).exists()
    assert len(now) > 2


def test_of_some_writes_each_is_there_or_not(disk: Disk) -> None:
    disk.write("log", b"s" * 10, sync=True)
    left = set()
    for seed in (*range(6), 0):
        for number in range(40):
            disk.write("log", bytes([97 + number % 26]) * 10)
        files, writes, lost, kept = disk.cut("some", seed)
        text = disk.read("log")
        parts = [text[at : at + 10] for at in range(10, len(text), 10)]
        there = [at for at, part in enumerate(parts) if part != bytes(10)]
        assert all(parts[at] == bytes([97 + at % 26]) * 10 for at in there)
        assert text[:10] == b"s" * 10
        assert (files, writes, lost, kept) == (1, 40 - len(there), 400 - kept, 10 * len(there))
        left.add(tuple(there))
        os.truncate(disk.at / "log", 10)
        disk.write("log", b"", sync=True)
    assert len(left) == 6  # the same seed took the same


def test_a_torn_file_ends_at_a_sector_of_a_write(disk: Disk) -> None:
    disk.write("log", b"s" * 700, sync=True)
    sizes = [300, 1, 1000, 5]
    starts = [700 + sum(sizes[:number]) for number in range(len(sizes))]
    ends: dict[int, int] = {}
    for seed in (*range(30), *range(3)):
        for number, size in enumerate(sizes):
            disk.write("log", bytes([97 + number]) * size)
        _, writes, lost, kept = disk.cut("torn", seed)
        text = disk.read("log")
        whole = b"s" * 700 + b"".join(bytes([97 + n]) * size for n, size in enumerate(sizes))
        assert text == whole[: len(text)]
        assert len(text) in starts or len(text) % SECTOR == 0
        assert (lost, kept) == (len(whole) - len(text), len(text) - 700)
        assert writes == sum(
            start + size > len(text) for start, size in zip(starts, sizes, strict=True)
        )
        assert ends.setdefault(seed, len(text)) == len(text)
        os.truncate(disk.at / "log", 700)
        disk.write("log", b"", sync=True)
    assert set(starts) < set(ends.values())


def test_nothing_is_lost_while_a_file_is_open(disk: Disk) -> None:
    file = os.open(disk.at / "log", os.O_CREAT | os.O_WRONLY)
    os.write(file, b"written")
    said = disk.asked("all", 1)
    assert (said.returncode, "busy" in said.stderr) == (1, True)
    assert disk.read("log") == b"written"
    os.close(file)
    assert disk.cut() == (1, 1, 7, 0)


def test_what_would_need_too_much_memory_counts_as_synced(tmp_path: Path) -> None:
    disk = Disk(tmp_path, 100_000)
    disk.write("little", b"lost")
    for _ in range(20):
        disk.write("much", bytes(9_000))
    assert disk.cut()[0] == 2
    assert disk.read("little") == b""
    assert 90_000 <= len(disk.read("much")) < 180_000
    disk.program.terminate()
    disk.program.wait(timeout=10)


def test_a_file_without_a_name_can_be_used_as_long_as_it_is_open(disk: Disk) -> None:
    file = os.open(disk.at / "log", os.O_CREAT | os.O_RDWR)
    os.write(file, b"written")
    (disk.at / "log").unlink()
    os.write(file, b" more")
    assert (os.fstat(file).st_size, os.pread(file, 20, 0)) == (12, b"written more")
    os.close(file)
    assert disk.cut() == (0, 0, 0, 0)
    assert list(disk.at.iterdir()) == []


def test_it_is_a_file_system_like_others(disk: Disk) -> None:
    (disk.at / "in").mkdir()
    disk.write("in/log", b"written")
    (disk.at / "link").symlink_to("in/log")
    (disk.at / "hard").hardlink_to(disk.at / "in/log")
    os.mkfifo(disk.at / "fifo")
    (disk.at / "in/log").chmod(0o640)
    os.utime(disk.at / "in/log", (1, 2))
    found = (disk.at / "link").stat()
    assert (found.st_mode & 0o777, found.st_mtime, found.st_nlink) == (0o640, 2, 2)
    assert found.st_ino == (disk.at / "hard").stat().st_ino
    assert sorted(each.name for each in disk.at.iterdir()) == ["fifo", "hard", "in", "link"]
    with pytest.raises(OSError, match="not empty"):
        (disk.at / "in").rmdir()
    assert os.statvfs(disk.at).f_blocks == os.statvfs(disk.below).f_blocks
    assert disk.cut()[0] == 1  # by whatever name


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be others")
def test_what_is_made_belongs_to_whoever_made_it(disk: Disk) -> None:
    disk.at.chmod(0o777)
    other = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"]
    script = "echo text > file && mkdir folder && ln -s file link"
    subprocess.run([*other, "sh", "-c", script], check=True, cwd=disk.at, env=CLEAN)
    owners = {each.name: each.lstat().st_uid for each in disk.at.iterdir()}
    assert owners == {"file": 12345, "folder": 12345, "link": 12345}


def test_nobody_hangs_if_it_is_killed_and_what_was_written_is_there(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.write("log", b"written")
    file = os.open(disk.at / "log", os.O_RDONLY)
    disk.program.kill()
    disk.program.wait(timeout=10)
    with pytest.raises(OSError) as failed:
        os.fstat(file)
    assert failed.value.errno == errno.ENOTCONN
    os.close(file)
    assert (disk.below / "log").read_bytes() == b"written"


def test_it_ends_when_it_is_unmounted(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    enter = ["nsenter", f"--mount=/proc/{disk.program.pid}/ns/mnt", "umount", tmp_path / "at"]
    subprocess.run(enter, check=True, env=CLEAN)
    assert disk.program.wait(timeout=10) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "usage: partita-lossy mount"),
        (["mount", "/no/such", "/no/such/either", "1"], "/no/such: No such file"),
        (["cut", "/", "all", "1"], "/: Inappropriate ioctl"),
        (["cut", "/", "most", "1"], "most: all, some or torn"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(words: list[str], said: str) -> None:
    done = subprocess.run([HERE, *words], capture_output=True, text=True, env=CLEAN)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
