"""One run, from top to bottom.

Install, start, wait until healthy, drive the load and the nemesis side by side, heal, read what
is left, collect logs, check, report. Healing and log collection happen whatever fails before;
a failure there never hides a verdict that exists.
"""

import fcntl
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from partita.harness.clients.client_node import ClientNode
from partita.harness.nodes.cluster import Node, on_all
from partita.harness.nodes.ssh import SshError
from partita.harness.run import logs, losses, replicas, results
from partita.harness.run.gate import Thresholds
from partita.harness.run.journal import Journal, make_run_directory, write_json
from partita.harness.run.load import Load
from partita.harness.run.losses import living
from partita.harness.run.monitor import Monitor
from partita.harness.run.progress import Progress
from partita.harness.run.store_processes import StoreProcesses
from partita.harness.systems.system import (
    BringsNodes,
    HasData,
    HasForesight,
    HasPrimaries,
    HasRunning,
    StoreError,
    System,
    serves,
)
from partita.nemesis import disks
from partita.nemesis.disks import Disk
from partita.nemesis.driver import Driver
from partita.nemesis.ground import NETWORK
from partita.nemesis.schedule import Step, needs_of
from partita.workloads.workload import HasTtl, Workload

log = logging.getLogger(__name__)

NO_THRESHOLDS = Thresholds()
HEALTH_WAIT_S = 90.0
# A node that was cut off may wait a minute before it looks for a leader again (ZooKeeper does).
RECOVERY_WAIT_S = 90.0
LOOK_S = 5.0  # how often it is looked whether the machine of a node that does not serve is there


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Everything that it takes to repeat a run, besides the nodes. Seconds and 1/seconds."""

    system: str
    workload: str
    nodes: tuple[str, ...]
    client_nodes: tuple[str, ...]  # that clients live on, none: in the controller
    concurrency: int
    rate: float
    time_limit: float
    timeout: float
    seed: int
    reconnect: str = "same"  # where a client goes that has lost its connection, see `Load`
    schedule: tuple[Step, ...] = ()
    disk: str = disks.PLAIN  # what the store's data lie on
    options: dict[str, dict[str, Any]] = field(default_factory=dict)  # by owner, defaults too
    operations: dict[str, dict[str, bool]] = field(default_factory=dict)  # what is known of each f
    promised: dict[str, str | None] = field(default_factory=dict)  # levels, by check
    expect: dict[str, str] = field(default_factory=dict)  # what is asked for in their place
    fail_on_log: tuple[str, ...] = ()  # what must stand in no log, besides the system's alarms
    arguments: dict[str, Any] = field(default_factory=dict)
    command: str = ""
    format: int = 2  # of the run directory: a newer one is refused, not misread
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    versions: dict[str, str] = field(default_factory=dict)


def run(
    spec: RunSpec,
    system: System,
    workload: Workload,
    nodes: Sequence[Node],
    runs: Path,
    progress: Progress,
    limits: Thresholds = NO_THRESHOLDS,
    client_nodes: Sequence[ClientNode] = (),
    *,
    draw: bool = True,
) -> dict[str, Any]:
    """Do one run and return its results, the same as stand in results.json.

    Without `draw` no report is drawn, which `partita report` does later. Clients live on the
    client nodes, whose programs run already, or in this process. Raises `StoreError`, `SshError`
    or `JournalError` if the run could not be made. Ctrl-C once ends the load early; a second time
    it ends everything but the healing.
    """
    directory = make_run_directory(runs, f"{spec.system}-{spec.workload}")
    handler = _log_to(directory / "controller.log")
    try:
        write_json(directory / "run.json", spec)
        if isinstance(system, HasForesight):
            system.foresee(needs_of(spec.schedule))
        try:
            set_up(system, nodes, progress, disk=disks.find(spec.disk))
            spec.versions.update(
                {"partita": version("partita"), spec.system: str(system.versions(nodes[0]))}
            )
            write_json(directory / "run.json", spec)
            driven = _drive(spec, system, workload, nodes, client_nodes, directory, progress)
        finally:
            progress.say("collecting logs")
            collected = logs.collect(living(nodes), system.logs, directory)
            if isinstance(system, BringsNodes):
                system.keep(directory)
            theirs = {each.name: [each.log] for each in client_nodes}
            hosts = [each.node for each in client_nodes]
            logs.collect(living(hosts), lambda node: theirs[node.name], directory)
        progress.say("checking")
        with driven.journal.reopened() as journal:
            alarms = logs.alarms_of(system, spec.fail_on_log)
            logs.scan(alarms, spec.schedule, collected, driven.ended, journal)
        outcome = results.conclude(
            directory,
            workload,
            driven.problems,
            limits,
            down=driven.down,
            interrupted=driven.interrupted,
            measured=system.figures() if isinstance(system, BringsNodes) else {},
        )
        if draw:
            progress.say("drawing")
            _draw(directory)
        return outcome
    except Exception:
        log.exception("the run failed")
        raise
    finally:
        logging.getLogger().removeHandler(handler)
        with suppress(OSError):  # a full disk was said already
            handler.close()


def _draw(directory: Path) -> None:
    """Draw the report. A picture that fails must not cost the verdict that it shows."""
    try:
        results.draw(directory)
    except Exception as error:
        log.exception("drawing failed")
        click.echo(f"partita: the report could not be drawn: {error!r}", err=True)


def set_up(
    system: System, nodes: Sequence[Node], progress: Progress, *, disk: Disk | None = None
) -> None:
    """Install the system, clear what an earlier run left, start it, wait until it serves.

    `disk` is what its data lie on, None: where the node keeps everything.
    Raises `StoreError` with the end of a log if it does not serve.
    """
    progress.say(f"installing {system.name}")
    system.install(nodes[0])  # first alone, because local nodes share a file system
    on_all(nodes[1:], system.install)
    progress.say(f"starting {system.name} on {len(nodes)} nodes")
    tear_down(system, nodes)
    if disk is not None and isinstance(system, HasData):
        data = system.data
        on_all(nodes, lambda node: disk.put(node, data(node)))
    on_all(nodes, lambda node: system.start(node, nodes))
    sick = _await_healthy(system, nodes, HEALTH_WAIT_S, unless_ended=1)
    # All are asked, not only the sick: who answers on the port may be a stranger.
    if ended := _ended(system, nodes):
        raise StoreError(
            f"{system.name} on {_names(ended)} ended as soon as it was started; "
            f"{_last_words(system, ended[0])}"
        )
    if sick:
        raise StoreError(
            f"{system.name} on {_names(sick)} does not serve after {HEALTH_WAIT_S:g} s; "
            f"{_last_words(system, sick[0])}"
        )


def tear_down(system: System, nodes: Sequence[Node]) -> None:
    """End the system on every node and delete what it stored."""
    on_all(nodes, system.kill)
    if isinstance(system, HasData):
        on_all(nodes, disks.take)
    on_all(nodes, system.wipe)


@dataclass(frozen=True, slots=True)
class _Driven:
    """How the load went: what speaks against trusting the run, and whether it was interrupted.

    `down` are the nodes that did not come back, with their last words, `ended` those of them whose
    process was gone.
    """

    journal: Journal
    problems: list[str]
    down: dict[str, str]
    ended: dict[str, str]
    interrupted: bool


def _drive(
    spec: RunSpec,
    system: System,
    workload: Workload,
    nodes: Sequence[Node],
    client_nodes: Sequence[ClientNode],
    directory: Path,
    progress: Progress,
) -> _Driven:
    """Load and nemesis side by side, then healing and the final reads."""
    journal = Journal(directory / "history.jsonl")
    leaders = _leaders_of(system, nodes)
    load = Load(
        system,
        workload,
        nodes,
        journal,
        concurrency=spec.concurrency,
        rate=spec.rate,
        timeout=spec.timeout,
        time_limit=spec.time_limit,
        seed=spec.seed,
        reconnect=spec.reconnect,
        client_nodes=client_nodes,
    )
    hosts = [each.node for each in client_nodes]
    driver = Driver(
        nodes,
        spec.schedule,
        spec.seed,
        _nemesis_record(journal),
        leaders,
        StoreProcesses(system, nodes),
        clients=hosts,
        session_s=session_s(workload),
        holders=load.holders,
        ground=system.ground if isinstance(system, BringsNodes) else NETWORK,
        disk=disks.find(spec.disk),
    )
    monitor = Monitor(journal, leaders)
    interrupted: float | None = None
    try:
        progress.say("looking at the network")
        driver.prepare()
        journal.begin()
        if isinstance(system, BringsNodes):
            system.began(journal.origin)
        # The nodes' logs are put on the run's clock by this moment.
        journal.note("info", "monitor", "began", datetime.now(UTC).isoformat())
        load.start()
        monitor.start()
        driver.start(journal.origin / 1e9)
        try:
            _watch(load, driver, journal, spec, progress)
        except KeyboardInterrupt:
            interrupted = journal.now() / 1e9
    finally:
        load.stop.set()
        progress.say("healing")
        uninterrupted(driver.finish)
    load.finish()
    if journal.failure:
        load.let_go()
        raise journal.failure
    journal.note("info", "nemesis", "phase", "final reads")
    progress.say("waiting for recovery")
    waiting = time.monotonic()
    # Those that are left of a minority would wait in vain.
    majority = len(nodes) // 2 + 1
    lacking = _await_healthy(system, living(nodes), RECOVERY_WAIT_S, unless_ended=majority)
    waited_s = time.monotonic() - waiting
    gone = _ended(system, [node for node in lacking if not node.lost])
    progress.say("final reads")
    load.read_finally([node for node in living(nodes) if node not in gone])
    replicas.compare(system, workload, [n for n in living(nodes) if n not in lacking], journal)
    monitor.finish()
    journal.close()
    load.let_go()
    lacking, gone = ([n for n in each if not n.lost] for each in (lacking, gone))
    problems = losses.sentences([*nodes, *hosts], driver)
    problems += _problems(load, driver, interrupted, spec) + _unrecovered(lacking, gone, waited_s)
    if isinstance(system, BringsNodes):
        problems += system.complaints()
    down = {node.name: _last_words(system, node) for node in lacking}
    ended = {node.name: down[node.name] for node in gone}
    return _Driven(journal, problems, down, ended, interrupted is not None)


def session_s(workload: Workload) -> float | None:
    """Return for how long a session lives that is not renewed, None: there are no sessions."""
    return float(workload.ttl) if isinstance(workload, HasTtl) else None


def _watch(load: Load, driver: Driver, journal: Journal, spec: RunSpec, progress: Progress) -> None:
    """Wait for the load's end and tell how it goes."""
    while load.running():
        time.sleep(0.1)
        tally, now = load.tally, journal.now() / 1e9
        faults = f", {driver.in_force}" if driver.in_force else ""
        when = f"{min(now, spec.time_limit):.0f} of {spec.time_limit:g} s"
        counts = f"{tally.ok} ok, {tally.fail} fail, {tally.info} info"
        progress.tick(f"{when}: {counts}{faults}")


def _problems(load: Load, driver: Driver, interrupted: float | None, spec: RunSpec) -> list[str]:
    """Say what, beside the history, speaks against trusting the run.

    `interrupted` is the second at which Ctrl-C came: less happened then than was asked for.
    """
    problems = []
    planned = sum(step.begins for step in spec.schedule)
    if interrupted is not None:
        problems.append(f"the run was interrupted after {interrupted:.0f} of {spec.time_limit:g} s")
    elif driver.begun < planned and not driver.failure:
        problems.append(f"only {driver.begun} of {planned} faults were begun before the load ended")
    if load.tally.died:
        problems.append(f"the load died: {load.tally.died}")
    if hung := load.hung():
        clients = "1 client" if hung == 1 else f"{hung} clients"
        problems.append(
            f"{clients} never came back from a call, whose time-out is {spec.timeout:g} s"
        )
    if driver.failure:
        problems.append(driver.failure)
    return problems


def _unrecovered(lacking: Sequence[Node], gone: Sequence[Node], waited_s: float) -> list[str]:
    """Say which nodes did not recover, and of which of them the process was `gone`."""
    found = []
    if gone:
        found.append(f"the process of {_names(gone)} was gone after the last heal")
    if rest := [node for node in lacking if node not in gone]:
        found.append(f"{_names(rest)} did not recover within {waited_s:.0f} s of the last heal")
    return found


def uninterrupted(action: Callable[[], None]) -> None:
    """Do something to its end whatever signals come; raise what it raised, or the interrupt."""
    interrupt: KeyboardInterrupt | None = None
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(action)
        while not future.done():
            try:
                wait([future])
            except KeyboardInterrupt as error:
                interrupt = error
    future.result()
    if interrupt:
        raise interrupt


def _nemesis_record(journal: Journal) -> Callable[[str, str, Any, str | None], None]:
    return lambda kind, f, value, error: journal.note(kind, "nemesis", f, value, error)


def _leaders_of(system: System, nodes: Sequence[Node]) -> Callable[[], list[str]]:
    if isinstance(system, HasPrimaries):
        return lambda: system.primaries([node for node in nodes if not node.lost])
    return list


def _await_healthy(
    system: System, nodes: Sequence[Node], wait_s: float, *, unless_ended: int
) -> list[Node]:
    """Wait until every node serves; return those that do not after `wait_s` seconds.

    Nobody waits for a process that is not there any more, nor for a machine. If so many processes
    as `unless_ended` are gone, nobody waits for the others either.
    """
    deadline = time.monotonic() + wait_s
    looked = time.monotonic()
    while True:
        answers = on_all(nodes, lambda node: serves(system, node))
        sick = [node for node, healthy in zip(nodes, answers, strict=True) if not healthy]
        if time.monotonic() > looked + LOOK_S:
            looked = time.monotonic()
            living(sick)
        waited = [node for node in sick if not node.lost]
        gone = _ended(system, waited)
        if len(waited) == len(gone) or len(gone) >= unless_ended or time.monotonic() > deadline:
            return sick
        time.sleep(0.2)


def _ended(system: System, nodes: Sequence[Node]) -> list[Node]:
    """Return the nodes whose process is gone, as far as the system can tell."""
    if not isinstance(system, HasRunning):
        return []

    def runs(node: Node) -> bool:
        try:
            return system.running(node)
        except SshError:  # nobody knows
            return True

    return [node for node, yes in zip(nodes, on_all(nodes, runs), strict=True) if not yes]


def _names(nodes: Sequence[Node]) -> str:
    return ", ".join(node.name for node in nodes)


def _last_words(system: System, node: Node) -> str:
    for path in system.logs(node):
        if text := node.tail(path, 20):
            return f"the end of {path} on {node.name}:\n{text}"
    return f"{node.name} has no log"


def _log_to(path: Path) -> logging.Handler:
    """Log to a file, whose lock says that the run is in progress: it ends with this process."""
    handler = logging.FileHandler(path)
    if handler.stream is not None:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handler.stream, fcntl.LOCK_EX)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return handler
