"""Maelstrom's own options, in ours: people bring their command lines along."""

import shlex
from collections.abc import Callable, Mapping, Sequence

import click

# What Maelstrom calls our workloads.
_WORKLOADS = {
    "lin-kv": "register",
    "txn-list-append": "txn-append",
    "txn-rw-register": "txn-register",
}
_NO_USE = {
    "--log-stderr": "what nodes write to standard error is in the report",
    "--log-net-send": "each message is in messages.jsonl",
    "--log-net-recv": "each message is in messages.jsonl",
}


def in_ours(words: Sequence[str]) -> list[str]:
    """Return the words of a command line with our options in the place of Maelstrom's.

    What means nothing here is left out, and said. Raises `click.UsageError` for what Maelstrom
    has and we have not.
    """
    left, arguments = _parted(words)
    found: list[str] = []
    while left:
        word = left.pop(0)
        name, equals, value = word.partition("=")
        if name in _NO_USE:
            click.echo(f"partita: {name} means nothing here: {_NO_USE[name]}", err=True)
        elif name not in _MEANT or not (equals or left):
            found.append(word)
        else:
            found += _MEANT[name](value if equals else left.pop(0))
    return found + (["--server-args", shlex.join(arguments)] if arguments else [])


def _parted(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part a line at `--`: what comes after it are arguments of the node's program."""
    words = list(words)
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _renamed(name: str) -> Callable[[str], list[str]]:
    return lambda value: [name, value]


def _workload(value: str) -> list[str]:
    return ["--workload", _WORKLOADS.get(value, value)]


def _nemesis(value: str) -> list[str]:
    names = ["random-halves" if each.strip() == "partition" else each for each in value.split(",")]
    return ["--nemesis", ",".join(names)]


def _availability(value: str) -> list[str]:
    return ["--min-availability", "1" if value == "total" else value]


def _models(value: str) -> list[str]:
    if "," in value:
        raise click.UsageError(
            "--consistency-models names several: here it takes one, the strongest"
        )
    return ["--expect", value]


_MEANT: Mapping[str, Callable[[str], list[str]]] = {
    "--bin": _renamed("--binary"),
    "--node-count": _renamed("--local"),
    "--max-txn-length": _renamed("--txn-length"),
    "--max-writes-per-key": _renamed("--writes-per-key"),
    "--key-count": _renamed("--keys"),
    "--workload": _workload,
    "-w": _workload,
    "--nemesis": _nemesis,
    "--availability": _availability,
    "--consistency-models": _models,
}
