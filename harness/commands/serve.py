"""`partita serve`: the runs in a browser."""

import ipaddress
import socket
from contextlib import suppress
from pathlib import Path

import click
import uvicorn

from partita.harness.serve import application


@click.command()
@click.argument("runs", default="runs", type=click.Path(path_type=Path))
@click.option("--host", "-b", default="127.0.0.1", show_default=True, help="Address to bind to.")
@click.option(
    "--port",
    "-p",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port; 0 takes a free one.",
)
def serve(runs: Path, host: str, port: int) -> None:
    """Show the runs in the directory RUNS [runs] in a browser: a list, and each run's page.

    Anyone who can reach the address can read the runs: it is this machine alone unless --host
    says otherwise.
    """
    if not runs.is_dir():
        raise click.UsageError(f"{runs} is no directory: give the one that --runs-dir named")
    bound = _bind(host, port)
    name, number = bound.getsockname()[:2]
    shown = f"[{name}]" if ":" in name else name
    click.echo(f"Runs of {runs} at http://{shown}:{number}/ (Ctrl-C stops)", err=True)
    hosts = ["127.0.0.1", "localhost", "[::1]"] if _only_here(name) else ["*"]
    config = uvicorn.Config(application(runs, hosts), log_level="warning", access_log=False)
    # Ctrl-C is how one stops it: no failure.
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[bound])


def _bind(host: str, port: int) -> socket.socket:
    """Bind before serving, so that a port in use is one line and not a traceback."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise click.UsageError(
            f"cannot serve at {host}:{port}: {error.strerror}: choose another --host or --port"
        ) from error
    return bound


def _only_here(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback
