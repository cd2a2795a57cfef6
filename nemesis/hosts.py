"""What the nemesis needs of a host, and how something is done on all of them at once.

A host can be lost in mid-run: its machine ends, or nothing reaches it any more. It is given up as
soon as that is seen, and the rest goes on without it: nobody waits for a machine that is gone
while others are to be healed.
"""

import socket
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, wait
from functools import partial
from threading import Thread
from typing import Protocol, TypeVar

T = TypeVar("T")

# In the environment of each process that clients of the store consist of, on a host of their own.
CLIENTS_MARK = "PARTITA_CLIENTS"
# Control groups that a fault has made: one a line. They outlive their processes, so whoever takes a
# local node down looks there.
GROUPS = "/srv/partita/cgroups"
FOLDER = "/run/partita"  # all that is ours on a host; gone after a reboot, as faults are

PATIENCE_S = 0.5  # a command that takes longer makes us look whether its host is there
PATIENCE_S_MAX = 5.0
# A host on which no connection is accepted in this time is lost. The kernel sends a lost
# packet again after a second.
DEAD_S = 1.5
# A host whose sshd refuses to talk for so long is lost too, though its kernel still answers: that
# of a machine which has just ended goes on for a while, and others must not wait for it.
REFUSING_S = 1.0


class Completed(Protocol):
    """A command's exit status and output."""

    @property
    def status(self) -> int: ...
    @property
    def stdout(self) -> str: ...


class Host(Protocol):
    """A node, as far as faults are concerned."""

    @property
    def name(self) -> str: ...
    @property
    def addresses(self) -> tuple[str, ...]: ...
    @property
    def port(self) -> int: ...

    @property
    def lost(self) -> bool:
        """Whether it was given up."""

    def give_up(self) -> None:
        """Never reach for it again: from now on every command fails at once."""

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout_s: float = 60.0,
        check: bool = True,
    ) -> Completed:
        """Run a command as root and wait for it; raise if the host cannot be reached."""


def on_all(hosts: Sequence[Host], action: Callable[[Host], T]) -> dict[str, T]:
    """Do something on all hosts at once: results by name, of those that are not lost.

    Every host is tried before the first error, if any, is raised: a heal that fails on one
    host must not spare the others. A host that turns out to be lost is given up, and is no error.
    """
    calls = [(host, _begun(partial(action, host))) for host in hosts if not host.lost]
    patience, begun = PATIENCE_S, time.monotonic()
    while late := [(host, call) for host, call in calls if not (call.done() or host.lost)]:
        wait([call for _, call in late], timeout=patience)
        patient = time.monotonic() - begun < REFUSING_S
        give_up_the_dead([host for host, call in late if not call.done()], refusing=patient)
        patience = min(2 * patience, PATIENCE_S_MAX)
    failed = [host for host, call in calls if not host.lost and call.exception()]
    give_up_the_dead(failed, refusing=False)
    return {host.name: call.result() for host, call in calls if not host.lost}


def on_some(
    hosts: Sequence[Host], names: Collection[str], action: Callable[[str], T]
) -> dict[str, T]:
    """Do something for each of the named hosts that is not lost, by its name."""
    return on_all([host for host in hosts if host.name in names], lambda host: action(host.name))


def give_up_the_dead(hosts: Sequence[Host], *, refusing: bool = True) -> None:
    """Look which hosts are there, and give up those that are not.

    `refusing` lets a machine pass that answers, though its sshd does not: it may be starting.
    """
    looks = [(host, _begun(partial(_answers, host, refusing))) for host in hosts]
    for host, there in looks:
        if not there.result():
            host.give_up()


def _answers(host: Host, refusing: bool) -> bool:
    if not host.port:  # no machine of its own: it is here
        return True
    try:
        socket.create_connection((host.addresses[0], host.port), timeout=DEAD_S).close()
    except ConnectionRefusedError:
        return refusing
    except OSError:
        return False
    return True


def _begun(call: Callable[[], T]) -> "Future[T]":
    """Begin a call in a thread that nobody waits for, not even the interpreter at its end."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # raised where the result is asked for
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future
