"""One host reached by SSH: run a command, move a file, keep the connection alive.

Everything above this module is the same for a node of the local cluster and for a rented
machine. Commands are lists of arguments and are quoted here, once; text from outside never
reaches a remote shell any other way.
"""

import logging
import select
import shlex
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import paramiko
from paramiko.ssh_exception import NoValidConnectionsError

log = logging.getLogger(__name__)

KEEPALIVE_S = 15
UPLOAD_S = 600
_PIECE = 1 << 18
_LOST = -1  # what paramiko gives as the status of a command whose end nobody heard of


class SshError(Exception):
    """A host that cannot be reached or a command that failed: one line, naming the host."""


@dataclass(frozen=True, slots=True)
class Login:
    """How to log in: the same for every node of a cluster.

    `known_hosts` None means the user's own file. With `strict` false an unknown host key is
    accepted and not stored.
    """

    username: str = "root"
    port: int = 22
    key: Path | None = None
    known_hosts: Path | None = None
    strict: bool = True
    connect_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Completed:
    """What a command left behind: its exit status (-1: killed by a signal) and its output."""

    status: int
    stdout: str
    stderr: str


class Remote:
    """A connection to one host, made at the first use and remade when it breaks.

    Safe to use from several threads: each command has its own channel.
    """

    def __init__(self, name: str, host: str, login: Login) -> None:
        self.name = name
        self.host = host
        self.login = login
        self.lost = False  # given up
        self._lock = threading.Lock()
        self._client: paramiko.SSHClient | None = None

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout_s: float = 60.0,
        check: bool = True,
    ) -> Completed:
        """Run a command as root (by sudo where the user is not root) and wait for its end.

        Raises `SshError` if the host cannot be reached, if the command does not end within
        `timeout_s`, connecting included, or, with `check`, if its status is not 0.
        """
        deadline = time.monotonic() + timeout_s
        channel = self._channel(timeout_s)
        try:
            channel.exec_command(shlex.join(self._as_root(command)))
            completed = _converse(channel, stdin, deadline)
        except TimeoutError:
            raise SshError(
                f"{self.name}: {_short(command)} did not end within {timeout_s:g} s"
            ) from None
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise SshError(f"{self.name}: connection lost: {error}") from error
        finally:
            channel.close()
        if check and completed.status != 0:
            raise SshError(_failure(self.name, command, completed))
        return completed

    def opened(self, command: Sequence[str]) -> paramiko.Channel:
        """Start a command as root, and return the channel to its standard input and output.

        Closing the channel ends no command that does not read to the end of its input. Raises
        `SshError`.
        """
        channel = self._channel()
        try:
            channel.exec_command(shlex.join(self._as_root(command)))
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise SshError(f"{self.name}: connection lost: {error}") from error
        return channel

    def write(self, path: str, content: bytes, *, mode: int = 0o644) -> None:
        """Write a file whole, its folder made if missing."""
        script = 'umask 077; mkdir -p "$(dirname "$1")" && cat > "$1.new" && chmod "$2" "$1.new"'
        script += ' && mv "$1.new" "$1"'
        command = ["sh", "-c", script, "write", path, f"{mode:o}"]
        self.run(command, stdin=content, timeout_s=UPLOAD_S)

    def upload(self, local: Path, path: str, *, mode: int | None = None) -> None:
        """Copy a file to the host."""
        self.write(path, local.read_bytes(), mode=mode or local.stat().st_mode & 0o777)

    def download(self, path: str, local: Path) -> None:
        """Copy a file from the host; `SshError` if it is not there."""
        channel = self._channel()
        try:
            channel.exec_command(shlex.join(self._as_root(["cat", "--", path])))
            local.parent.mkdir(parents=True, exist_ok=True)
            with local.open("wb") as file:
                while block := channel.recv(1 << 20):
                    file.write(block)
            if channel.recv_exit_status() != 0:
                local.unlink()
                raise SshError(f"{self.name}: no readable file {path}")
        except (paramiko.SSHException, TimeoutError) as error:
            raise SshError(f"{self.name}: download of {path} failed: {error}") from error
        finally:
            channel.close()

    def peer(self) -> str:
        """Return the address that the host's name stands for."""
        return str(self._transport().getpeername()[0])

    def give_up(self) -> None:
        """Never connect again: the host is lost, and every command fails at once from now on."""
        self.lost = True

    def close(self) -> None:
        """End the connection; never raises."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _as_root(self, command: Sequence[str]) -> list[str]:
        return list(command) if self.login.username == "root" else ["sudo", "-n", "--", *command]

    def _channel(self, limit_s: float = 60.0) -> paramiko.Channel:
        """Open a channel, over a new connection if the present one is dead."""
        for attempt in (1, 2):
            if self.lost:
                raise SshError(f"{self.name} is lost: it cannot be reached any more")
            transport = self._transport(limit_s)
            try:
                return transport.open_session(timeout=min(limit_s, self.login.connect_s))
            except (paramiko.SSHException, OSError, EOFError) as error:
                self.close()
                if attempt == 2:
                    raise SshError(f"{self.name}: no SSH channel: {error}") from error
        raise AssertionError("not reached")

    def _transport(self, limit_s: float = 60.0) -> paramiko.Transport:
        with self._lock:
            transport = self._client.get_transport() if self._client else None
            if transport is None or not transport.is_active():
                self._client = _connect(self.name, self.host, self.login, limit_s)
                transport = self._client.get_transport()
                assert transport is not None
                transport.set_keepalive(KEEPALIVE_S)
            return transport


def _connect(name: str, host: str, login: Login, limit_s: float) -> paramiko.SSHClient:
    """Log in, again and again until `connect_s` has passed while the host only seems down.

    `limit_s` is the caller's own, if it is less.
    """
    deadline = time.monotonic() + min(limit_s, login.connect_s)
    while True:
        client = paramiko.SSHClient()
        _trust(client, login)
        try:
            client.connect(
                host,
                port=login.port,
                username=login.username,
                key_filename=str(login.key) if login.key else None,
                allow_agent=login.key is None,
                look_for_keys=login.key is None,
                timeout=max(0.1, deadline - time.monotonic()),
                banner_timeout=login.connect_s,
                auth_timeout=login.connect_s,
            )
            return client
        except Exception as error:
            client.close()
            message = _reason(host, login, error)
            if message or time.monotonic() > deadline:
                detail = message or f"{_said(error)}: is it up, with sshd running?"
                raise SshError(f"{name} ({host}:{login.port}): {detail}") from error
            log.debug("%s: %s, trying again", name, error)
            time.sleep(0.1)


def _said(error: Exception) -> str:
    """Say what went wrong without the address, which stands before it."""
    # An sshd that is too busy hangs up too, or says nothing in time: so it was asked again.
    if "protocol banner" in str(error):
        return "what listens there does not speak SSH (check --ssh-port), or is too busy to"
    if isinstance(error, NoValidConnectionsError):
        error = next(iter(error.errors.values()))
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _trust(client: paramiko.SSHClient, login: Login) -> None:
    if login.known_hosts is not None:
        client.load_host_keys(str(login.known_hosts))
    elif login.strict:
        client.load_system_host_keys()
    # The base class accepts an unknown key without a word and stores nothing.
    policy = paramiko.RejectPolicy() if login.strict else paramiko.MissingHostKeyPolicy()
    client.set_missing_host_key_policy(policy)


def _reason(host: str, login: Login, error: Exception) -> str | None:
    """Say why trying again is pointless, or None if it is not."""
    if isinstance(error, paramiko.BadHostKeyException):
        return "its host key is not the one in known_hosts: is this the machine you think it is?"
    if isinstance(error, paramiko.AuthenticationException):
        key = f"the key {login.key}" if login.key else "the keys found"
        return f"{login.username} may not log in with {key}: check --username and --ssh-private-key"
    if isinstance(error, socket.gaierror):
        return "no such host name"
    if isinstance(error, (FileNotFoundError, PermissionError)):
        return f"cannot read the key {login.key}"
    if "not found in known_hosts" in str(error):
        return (
            f"its host key is not known: run ssh-keyscan -p {login.port} {host} >> "
            "~/.ssh/known_hosts once you trust it, or pass --no-strict-host-key-checking"
        )
    if isinstance(error, paramiko.SSHException) and "key" in str(error).lower():
        return f"{error}"
    return None


def _converse(channel: paramiko.Channel, stdin: bytes, deadline: float) -> Completed:
    """Send stdin, gather both outputs until the command ends; `TimeoutError` past the deadline."""
    channel.settimeout(max(0.1, deadline - time.monotonic()))
    _send(channel, stdin)
    stdout, stderr = bytearray(), bytearray()
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        select.select([channel], [], [], min(left, 0.5))
        while channel.recv_ready():
            stdout += channel.recv(1 << 16)
        while channel.recv_stderr_ready():
            stderr += channel.recv_stderr(1 << 16)
        if channel.exit_status_ready() and (channel.eof_received or channel.closed):
            # What arrived between the last look and the end of the stream.
            while channel.recv_ready():
                stdout += channel.recv(1 << 16)
            while channel.recv_stderr_ready():
                stderr += channel.recv_stderr(1 << 16)
            status = channel.recv_exit_status()
            return Completed(
                status, stdout.decode(errors="replace"), stderr.decode(errors="replace")
            )


def _send(channel: paramiko.Channel, stdin: bytes) -> None:
    """Send stdin, as far as the command reads it before it ends."""
    try:
        # In pieces, since paramiko copies what is left of a text for each packet that it sends.
        for start in range(0, len(stdin), _PIECE):
            channel.sendall(stdin[start : start + _PIECE])
        channel.shutdown_write()
    except TimeoutError:
        raise
    except OSError:
        if not channel.closed or channel.recv_exit_status() == _LOST:
            raise


def _failure(name: str, command: Sequence[str], completed: Completed) -> str:
    said = (completed.stderr.strip() or completed.stdout.strip()).splitlines()
    return f"{name}: {_short(command)}: status {completed.status}" + (
        f": {said[-1]}" if said else ""
    )


def _short(command: Sequence[str]) -> str:
    """Return a command as a message can bear it: of a script the name that it was given."""
    if tuple(command[1:2]) == ("-c",) and len(command) > 3:
        return f"the script {command[3]!r}"
    short = " ".join(shlex.join(command).split())
    return short if len(short) <= 120 else short[:117] + "..."
