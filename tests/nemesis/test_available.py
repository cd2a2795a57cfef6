"""What hosts lack for faults: known of every fault before the run, and said in one line each."""

from dataclasses import dataclass

import pytest

from partita.harness.run.session import Unavailable, _require_faults, prepare
from partita.harness.systems.raft import SOURCES
from partita.nemesis import faults
from partita.nemesis.faults import available


@dataclass(frozen=True)
class Said:
    status: int
    stdout: str
    stderr: str = ""


class Bare:
    """A host that has nothing: no command is found on it."""

    name = "bare"
    addresses = ("192.0.2.1",)
    port = 22
    lost = False

    def give_up(self) -> None: ...

    def run(self, command, *, check=True, **more):  # type: ignore[no-untyped-def]
        return Said(127, "")


def test_what_strikes_links_or_disks_needs_something_of_the_host() -> None:
    found = available([Bare()], [Bare()])
    lacks = {each.name: each.lack for each in found if each.kind == "fault"}
    assert set(lacks) == set(faults.names())
    assert {each.name for each in found if each.kind == "disk" and each.lack} == {"ext4", "lossy"}
    for name, lack in lacks.items():
        traits = faults.kind_of(name).traits
        if traits.strikes == "links" or traits.own_disk:
            assert lack, f"{name} says that it needs nothing"
        assert lack is None or len(lack.splitlines()) == 1


@pytest.mark.parametrize("name", faults.names())
def test_a_schedule_that_cannot_be_carried_out_is_refused_before_anything_is_started(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from partita.harness.commands.test import test

    monkeypatch.setattr(faults.kind_of(name), "lacks", lambda fault, host: "no luck: buy some")
    targets = faults.targets_of(name)
    schedule = f"1s {name} {'one' if 'one' in targets else targets[0]}"
    more = ["--client-nodes", "1", "--next-release", str(SOURCES)]
    words = ["raft", *more, "--schedule", schedule]
    options = test.make_context("test", words).params
    store, _, spec = prepare("raft", options)
    said = rf"^{name} on bare: not available here: no luck: buy some"
    with pytest.raises(Unavailable, match=said):
        _require_faults(store, [Bare()], spec)  # type: ignore[list-item]


def test_a_fault_that_cannot_be_loaded_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "names", lambda: ["kill", "no-such-fault"])
    kill, other, *disks = available([Bare()])
    assert {each.kind for each in disks} == {"disk"}
    assert (kill.name, kill.how, kill.lack) == ("kill", "signals to the store's process", None)
    assert other.lack and other.lack.startswith("no fault is called 'no-such-fault'")
