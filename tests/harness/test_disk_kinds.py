"""Which faults can be had on which disks is known before anything is started."""

import click
import pytest

from partita.harness.commands.test import test as command
from partita.harness.run.run import RunSpec
from partita.harness.run.session import prepare
from partita.nemesis import disks, faults, programs
from partita.nemesis.disks.ext4 import Ext4
from partita.nemesis.disks.lossy import Lossy
from partita.nemesis.hosts import Host

CUT = "1s power-cut one; 2s heal"


def prepared(*words: str) -> RunSpec:
    options = command.make_context("test", ["raft", *words]).params
    return prepare("raft", options)[2]


@pytest.mark.parametrize(
    ("disk", "schedule", "said"),
    [
        ("lossy", "1s disk-full one; 2s heal", "lossy, but with --disk ext4$"),
        ("lossy", "1s slow-disk one; 2s heal", "lossy, but with --disk ext4$"),
        ("plain", CUT, "plain, but with --disk ext4 or --disk lossy$"),
    ],
)
def test_what_a_disk_cannot_do_is_refused(disk: str, schedule: str, said: str) -> None:
    with pytest.raises(click.UsageError, match=f'^"1s .* one" cannot be had with --disk {said}'):
        prepared("--disk", disk, "--schedule", schedule)


def test_a_disk_of_its_own_is_implied_by_a_fault_that_needs_one() -> None:
    assert prepared("--schedule", CUT).disk == "ext4"
    assert prepared("--schedule", CUT, "--disk", "lossy").disk == "lossy"
    assert prepared("--schedule", "1s disk-error one; 2s heal", "--disk", "lossy").disk == "lossy"
    assert prepared("--schedule", "1s kill one; 2s heal").disk == "plain"


def test_a_storm_has_what_its_disk_can_do() -> None:
    drawn = {
        step.action
        for seed in range(30)
        for step in prepared(
            "--nemesis", "random", "--seed", str(seed), "--time-limit", "90", "--disk", "lossy"
        ).schedule
    }
    assert "power-cut" in drawn
    assert not {"disk-full", "slow-disk"} & drawn


def test_a_fault_can_be_had_if_some_disk_for_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ext4, "lacks", lambda disk, host: "no loop devices")
    monkeypatch.setattr(Lossy, "lacks", lambda disk, host: None)
    monkeypatch.setattr(faults, "names", lambda: ["power-cut", "disk-full"])
    cut, full, ext4, lossy = faults.available([Nobody()])
    assert cut.said == "yes, by a disk of the store's own that loses its power (--disk lossy)"
    assert full.said == "not available here: --disk ext4: no loop devices"
    assert (ext4.kind, ext4.name, ext4.lack) == ("disk", "ext4", "no loop devices")
    assert (lossy.kind, lossy.name, lossy.lack) == ("disk", "lossy", None)


def test_without_the_library_that_it_needs_the_program_is_missing_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(programs, "built", lambda name: False)
    lack = disks.find("lossy").lacks(Nobody())
    assert lack == "partita-lossy was not built: apt-get install libfuse3-dev, and Partita anew"


class Nobody(Host):
    """A host that nothing is run on."""

    name = "nobody"
    addresses = ()
    port = 0
    lost = False
