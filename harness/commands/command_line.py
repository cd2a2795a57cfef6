"""The command that makes a run with given options again: what a person copies into a shell."""

import shlex
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import click

UNSAID = ("system", "runs_dir", "as_json")


def command_line(
    system: str,
    options: Mapping[str, Any],
    parameters: Iterable[click.Parameter],
    defaults: Mapping[str, Any],
    unsaid: Collection[str] = (),
) -> str:
    """Return `partita test SYSTEM …` with all options that differ from the command's defaults.

    `parameters` are those of `partita test` for this run, and `unsaid` are left out.
    """
    words = ["partita", "test", system]
    for parameter in parameters:
        name = str(parameter.name)
        said = isinstance(parameter, click.Option) and name not in (*UNSAID, *unsaid)
        if said and options.get(name) != defaults.get(name):
            words += _words(parameter, options.get(name))
    return shlex.join(words)


def _words(option: click.Parameter, value: Any) -> list[str]:
    if value is None or value == ():
        return []
    long = max(option.opts, key=len)
    if isinstance(option, click.Option) and option.is_flag:
        return [long] if value else [max(option.secondary_opts, key=len)]
    values = value if option.multiple else [value]
    return [word for each in values for word in (long, _text(each))]


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
