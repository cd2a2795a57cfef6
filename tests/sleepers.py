"""A store whose process only sleeps, and schedules carried out on it: to test faults."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from partita.harness.nodes.cluster import Node
from partita.harness.run.store_processes import StoreProcesses
from partita.nemesis.disks import Disk
from partita.nemesis.driver import Driver
from partita.nemesis.faults import kind_of
from partita.nemesis.schedule import HEAL, START, parse
from partita.workloads.client import Client

NAME = "sleeper"
LEADER = "n2"
Events = list[tuple[str, str, Any]]


class Sleepers:
    """A system whose process sleeps; it serves if the process is there and not frozen."""

    name = NAME

    def install(self, node: Node) -> None:
        """There is nothing to install."""

    def versions(self, node: Node) -> str:
        return "1"

    def start(self, node: Node, nodes: Sequence[Node]) -> None:
        node.start_daemon(NAME, ["sleep", "1000"])

    def healthy(self, node: Node) -> bool:
        return self.state(node) == "S"

    def state(self, node: Node) -> str:
        """The process's state as the kernel has it: S sleeps, T is frozen, "" is not there."""
        script = 'pid=$(cat /srv/partita/sleeper/pid) && cut -d" " -f3 "/proc/$pid/stat"'
        return node.run(["sh", "-c", script], check=False).stdout.strip()

    def stop(self, node: Node) -> None:
        node.stop_daemon(NAME)

    def kill(self, node: Node) -> None:
        node.stop_daemon(NAME, signal="KILL")

    def pause(self, node: Node) -> None:
        node.signal_daemon(NAME, "STOP")

    def resume(self, node: Node) -> None:
        node.signal_daemon(NAME, "CONT")

    def wipe(self, node: Node) -> None:
        node.wipe(NAME)

    def logs(self, node: Node) -> Sequence[str]:
        return []

    def client(self, node: Node, timeout: float) -> Client:
        raise NotImplementedError


def carried_out(events: Events, steps: int) -> bool:
    """Say whether the last step of a schedule is done: a probe, or a heal of a step's own."""
    done = [f for kind, f, _ in events if kind == "ok"]
    probed = [f for _, f, _ in events].count("probe")
    faults_done = Counter(f for f in done if f not in (HEAL, START))
    replaced = sum(n - 1 for f, n in faults_done.items() if n > 1 and _replaces(f))
    # What does not last is probed, and healed without a step of its own.
    moments = done.count("restart") + done.count("rolling-restart")
    return probed + done.count("heal") + done.count("start") - replaced - moments == steps


def _replaces(fault: str) -> bool:
    return bool(kind_of(fault).traits.stacks == "replace")


def driven(
    sleepers: Sleepers, nodes: list[Node], schedule: str, disk: Disk | None = None
) -> tuple[Driver, Events]:
    """Carry a schedule out to its last step, and stop before the driver heals the rest."""
    events: Events = []
    steps = parse(schedule, [node.name for node in nodes])
    driver = Driver(
        nodes,
        steps,
        1,
        lambda kind, f, value, error: events.append((kind, f, value)),
        lambda: [LEADER],
        StoreProcesses(sleepers, nodes),
        disk=disk,
    )
    driver.prepare()
    driver.start(time.monotonic())
    deadline = time.monotonic() + 60
    while not carried_out(events, len(steps)):
        assert driver.failure is None
        assert time.monotonic() < deadline, events
        time.sleep(0.05)
    return driver, events
