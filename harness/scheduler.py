"""The scheduler of a Dask cluster, by the address that --executor gives."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from distributed import Client

SCHEME = "dask://"


@contextmanager
def connected(address: str) -> Iterator["Client"]:
    """Connect to a scheduler, dask://HOST:PORT. Raises `click.UsageError` if there is none."""
    if not address.startswith(SCHEME):
        raise click.UsageError(f"--executor {address}: only dask://HOST:PORT is known")
    try:
        from distributed import Client
    except ImportError:
        raise click.UsageError(
            "--executor dask://… needs Dask: pip install 'partita[dask]'"
        ) from None
    try:
        client = Client("tcp://" + address.removeprefix(SCHEME), timeout="10s")
    except (OSError, TimeoutError, ValueError) as error:
        raise click.UsageError(f"--executor {address}: no scheduler answers there") from error
    with client:
        yield client
