"""What the nemesis needs of a host: a name, addresses, and a way to run a command there."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

T = TypeVar("T")


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
    """Do something on all hosts at once: results by name.

    Every host is tried before the first error, if any, is raised: a heal that fails on one
    host must not spare the others.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(hosts))) as pool:
        futures = {host.name: pool.submit(action, host) for host in hosts}
    return {name: future.result() for name, future in futures.items()}
