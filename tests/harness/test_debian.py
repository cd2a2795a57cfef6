"""Consul's program comes out of a package of an older Debian, without a thought of the user's."""

import sys
from pathlib import Path

import pytest
from conftest import Partita

from partita.harness.nodes.doctor import Ailment
from partita.harness.systems.consul import PACKAGE, Consul
from partita.harness.systems.system import StoreError

UNREACHABLE = "http://127.0.0.1:9/debian"


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file that apt takes its mirrors from in this test; nothing is cached yet."""
    listed = tmp_path / "sources.list"
    (tmp_path / "parts").mkdir()
    (tmp_path / "apt.conf").write_text(
        f'Dir::Etc::SourceList "{listed}"; Dir::Etc::SourceParts "{tmp_path}/parts";'
    )
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    listed.write_text(f"deb {UNREACHABLE} bookworm main\n")
    return listed


def test_without_a_network_one_line_says_so_before_anything_is_made(
    partita: Partita, sources: Path, tmp_path: Path
) -> None:
    done = partita("test", "consul")
    announced, said = done.stderr.splitlines()
    assert done.returncode == 254
    assert announced.startswith("partita: fetching consul 1.8.7 once, Debian 11's package, from")
    assert said.startswith("partita: consul's program cannot be fetched: no mirror gives Debian 11")
    assert said.endswith("or give one with --binary FILE or --archive FILE-OR-URL")
    assert not (tmp_path / "runs").exists()


def test_doctor_says_how_consul_stands(partita: Partita, sources: Path) -> None:
    done = partita("doctor")
    assert "no   this machine  consul's program: no mirror gives Debian 11's" in done.stdout
    assert "       let this machine reach its Debian mirror\n" in done.stdout
    before = done.returncode
    cached()
    done = partita("doctor")
    assert f"ok   this machine  consul's program: 1.8.7, cached in {PACKAGE.cached}" in done.stdout
    # It is needed by those only who test it.
    assert done.returncode == before


def test_what_is_cached_needs_no_network(sources: Path) -> None:
    cached()
    assert Consul().fetch() == PACKAGE.cached


def test_a_program_that_is_given_is_not_fetched(sources: Path) -> None:
    assert Consul(binary=Path(sys.executable)).fetch() == Path(sys.executable).resolve()


def test_a_mirror_that_does_not_sign_as_debian_does_is_refused(
    sources: Path, tmp_path: Path
) -> None:
    """It has a package of that name and version, but its Release bears no signature of Debian's."""
    release = tmp_path / "debian/dists/bullseye"
    release.mkdir(parents=True)
    (release / "Release").write_text("Origin: Debian\nCodename: bullseye\nComponents: main\n")
    sources.write_text(f"deb file:{tmp_path}/debian bookworm main\n")
    with pytest.raises(StoreError, match="is not signed"):
        Consul().fetch()
    assert not PACKAGE.cached.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "apt knows no Debian mirror"), (f"deb {UNREACHABLE} stable-x main\n", "knows no Debian")],
)
def test_a_machine_without_a_mirror_is_told_so(sources: Path, text: str, said: str) -> None:
    sources.write_text(text)
    with pytest.raises(Ailment, match=said):
        Consul.examine()


def test_a_cache_that_cannot_be_written_is_said(
    sources: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(StoreError, match="Not a directory: make room, or name another folder"):
        Consul().fetch()


def test_another_system_than_debian_is_said(
    sources: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreError, match="has no apt-get: take a machine with Debian, or"):
        Consul().fetch()


def cached() -> None:
    PACKAGE.cached.parent.mkdir(parents=True)
    PACKAGE.cached.write_text("#!/bin/sh\n")
    PACKAGE.cached.chmod(0o755)
