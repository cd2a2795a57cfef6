"""Power cuts and full disks, on real disks of the nodes' own."""

import time
from collections.abc import Iterator

import pytest
from sleepers import Events, Sleepers, driven

from partita.harness.nodes.cluster import Node, on_all
from partita.nemesis import disks, faults
from partita.nemesis.disks import Disk
from partita.nemesis.disks.ext4 import AT
from partita.nemesis.schedule import ScheduleError, check, parse

pytestmark = pytest.mark.cluster

DATA = "/srv/partita/sleeper/data"


@pytest.fixture
def disk(request: pytest.FixtureRequest) -> Disk:
    """What the nodes of a test have: an ext4 image, if the test names no other kinds."""
    return disks.find(getattr(request, "param", "ext4"))


@pytest.fixture
def with_disks(nodes: list[Node], disk: Disk) -> Iterator[list[Node]]:
    """Nodes of which the first two have a disk at the sleeper's data."""
    if lack := disk.lacks(nodes[0]):
        pytest.skip(lack)
    on_all(nodes[:2], lambda node: disk.put(node, DATA))
    yield nodes
    on_all(nodes, disks.take)
    left = "mount | grep -e /srv/partita/disk -e partita-lossy; ls -d /srv/partita/disk*; true"
    assert on_all(nodes[:2], lambda node: node.run(["sh", "-c", left]).stdout) == ["", ""]
    for node in nodes[:2]:
        running = node.run(["sh", "-c", "cat /proc/[0-9]*/comm"], check=False).stdout
        assert "partita-lossy" not in running


of_each_kind = pytest.mark.parametrize("disk", ["ext4", "lossy"], indirect=True)


def write(node: Node, name: str, text: str, *, sync: bool) -> None:
    put = f'printf "%s" "$2" >> "{DATA}/$1"' + (f'; sync "{DATA}/$1" "{DATA}"' if sync else "")
    node.run(["sh", "-c", put, "write", name, text])


def read(node: Node, name: str) -> str | None:
    done = node.run(["cat", f"{DATA}/{name}"], check=False)
    return done.stdout if done.status == 0 else None


def probes(events: Events) -> list[dict[str, object]]:
    return [value for _, f, value in events if f == "probe"]


@of_each_kind
def test_what_was_synced_stays_and_the_rest_is_gone(
    sleepers: Sleepers, with_disks: list[Node], disk: Disk
) -> None:
    node, other = with_disks[:2]
    write(node, "log", "promised", sync=True)
    write(node, "log", " not promised", sync=False)
    write(node, "new", "nobody asked for it to stay", sync=False)
    write(other, "log", "untouched", sync=False)
    driver, events = driven(sleepers, with_disks, "0s power-cut n1", disk)
    lost = {"files": 2, "files_changed": 2, "bytes_lost": 13 + 27}
    # This one sees each write. A name lasts there at once.
    seen = {"writes_lost": 2} if disk.name == "lossy" else {}
    assert probes(events) == [{"fault": 1, "bit": True, **lost, **seen}]
    assert not sleepers.healthy(node)
    assert (read(node, "log"), read(node, "new")) == ("promised", "" if seen else None)
    assert read(other, "log") == "untouched"
    driver.finish()
    assert driver.failure is None
    assert sleepers.healthy(node)
    write(node, "log", ", and goes on", sync=True)
    assert read(node, "log") == "promised, and goes on"


@of_each_kind
def test_a_torn_cut_keeps_the_first_sectors(
    sleepers: Sleepers, with_disks: list[Node], disk: Disk
) -> None:
    node = with_disks[0]
    synced, written = "a" * 5000, "b" * 20_000
    write(node, "log", synced, sync=True)
    write(node, "log", written, sync=False)
    driver, events = driven(sleepers, with_disks, "0s power-cut n1 lose=torn", disk)
    left = read(node, "log") or ""
    assert left == (synced + written)[: len(left)]
    assert 5000 <= len(left) < 25_000
    assert len(left) in (5000, len(left) // 512 * 512)
    (probe,) = probes(events)
    assert (probe["bit"], probe["bytes_lost"]) == (True, 25_000 - len(left))
    assert len(left) - 5000 <= probe["bytes_kept"] <= len(left) - 5000 + 511
    driver.finish()


@of_each_kind
def test_a_kill_keeps_what_a_power_cut_takes(
    sleepers: Sleepers, with_disks: list[Node], disk: Disk
) -> None:
    write(with_disks[0], "log", "written", sync=False)
    driver, _ = driven(sleepers, with_disks, "0s kill n1", disk)
    assert read(with_disks[0], "log") == "written"
    driver.finish()


def test_a_disk_with_nothing_on_it_proves_nothing(
    sleepers: Sleepers, with_disks: list[Node], disk: Disk
) -> None:
    driver, events = driven(sleepers, with_disks, "0s power-cut n1", disk)
    assert probes(events)[0]["bit"] is False
    driver.finish()


def test_a_full_disk_takes_nothing_more_until_it_is_healed(
    sleepers: Sleepers, with_disks: list[Node], disk: Disk
) -> None:
    node = with_disks[0]
    write(node, "log", "before", sync=True)
    driver, events = driven(sleepers, with_disks, "0s disk-full n1", disk)
    assert probes(events) == [{"fault": 1, "bit": True}]
    command = ["dd", "if=/dev/zero", f"of={DATA}/more", "bs=4096", "count=1", "conv=fsync"]
    assert "No space left" in node.run(command, check=False).stderr
    assert read(node, "log") == "before"
    driver.finish()
    assert driver.failure is None
    node.run(command)


def test_a_host_that_hears_nothing_mounts_its_disk_and_makes_room(
    sleepers: Sleepers, with_disks: list[Node], disk: Disk
) -> None:
    node = with_disks[0]
    write(node, "log", "there", sync=True)
    driver, _ = driven(sleepers, with_disks, "0s disk-full n1", disk)
    # As if the controller had died in the middle of a power cut.
    node.run(["umount", DATA])
    node.run(["umount", f"{AT}/mounted"])
    node.run(["sh", "-c", faults.heals()])
    assert read(node, "log") == "there"
    write(node, "log", " and more", sync=True)
    driver.finish()
    deadline = time.monotonic() + 5
    while read(node, "log") != "there and more":
        assert time.monotonic() < deadline


@pytest.mark.parametrize("disk", ["lossy"], indirect=True)
@pytest.mark.parametrize("signal", ["KILL", "STOP"])
def test_nobody_hangs_if_the_program_ends_or_freezes_and_the_host_heals(
    with_disks: list[Node], signal: str
) -> None:
    node = with_disks[0]
    write(node, "log", "there", sync=False)
    program = 'kill -"$1" "$(cat /srv/partita/disk-lossy/pid)"'
    node.run(["sh", "-c", program, "end", signal])
    if signal == "STOP":  # the disk goes all the same, see the fixture
        return
    assert "not connected" in node.run(["cat", f"{DATA}/log"], check=False).stderr
    for _ in range(2):
        node.run(["sh", "-c", faults.heals()])
        assert read(node, "log") == "there"


def test_it_needs_a_system_that_says_where_its_data_lie() -> None:
    steps = parse("1s power-cut all; 2s heal")
    with pytest.raises(ScheduleError, match=r"needs a system with data\(\)"):
        check(steps, 5, 10, has=lambda name: name != "data")
    check(steps, 5, 10, has=lambda name: True)
