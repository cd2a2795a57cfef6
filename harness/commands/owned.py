"""Commands that make runs: their options, and those of what is named on their line.

`partita test etcd --help` shows the options of every run, then etcd's, then those of the workload
and of the faults that the line names. To know them, the line is looked through before click
parses it.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from partita.checker.plugins import PluginError, names, one
from partita.checker.settings import REQUIRED, Parameter
from partita.harness.run.owners import (
    Owner,
    check_owners,
    fault_owner,
    system_owner,
    workload_owner,
)
from partita.harness.systems import HasWords, system_class
from partita.nemesis import schedule as plans
from partita.nemesis.faults import choices
from partita.nemesis.storms import RANDOM

_OWNERS = "partita.owners"
# The options that name owners: (for one run, for several), and what stands if none is given.
_NAMING: Mapping[str, tuple[str, ...]] = {
    "systems": ("system", "systems"),
    "workloads": ("workload", "workloads"),
    "faults": ("nemesis", "nemeses", "schedule"),
}


class RunCommand(click.Command):
    """A command whose further options are those of the things that its line names."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        params = super().get_params(ctx)
        if not ctx.resilient_parsing:
            args = in_our_words(params, args)
        taken = {str(each.name) for each in params}
        strict = not ctx.resilient_parsing
        named, doubtful = _named(params, args), _doubtful(params, args)
        ctx.meta[_OWNERS] = list(_owners(named, taken, strict=strict))
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            _refuse_unknown(named, doubtful)
            whose = ", ".join(_titles(ctx)) or "anything on this line"
            raise click.UsageError(
                f"no such option: {error.option_name}: it is none of every run's, nor of {whose}",
                ctx,
            ) from error

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        params = super().get_params(ctx)
        known = {each.name for each in params}
        for option in (each for owner in _of(ctx) for each in _options_of(owner)):
            if option.name not in known:  # two of them may both have a --keys: one option for both
                params.append(option)
                known.add(option.name)
        return params

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        owners = _of(ctx)
        owned = {option.name for owner in owners for option in _options_of(owner)}
        every = [each for each in self.get_params(ctx) if each.name not in owned]
        sections: list[tuple[str, Sequence[click.Parameter]]] = [("Options of every run", every)]
        sections += [(f"Options of {_title(owner)}", _options_of(owner)) for owner in owners]
        for title, options in sections:
            records = [record for each in options if (record := each.get_help_record(ctx))]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def in_our_words(params: Sequence[click.Parameter], args: list[str]) -> list[str]:
    """Let the systems that a line names translate it, whose users bring another tool's options."""
    for name in _named(params, args)["systems"]:
        system: Any = None
        with suppress(PluginError, click.UsageError):  # what it cannot be is said later
            system = system_class(name)
        if isinstance(system, HasWords):
            args = system.in_ours(args)
    return args


def keys_of(ctx: click.Context, kind: str) -> list[str]:
    """Return the names of the options that belong to things of a kind ("fault") on the line."""
    owners = [owner for owner in _of(ctx) if owner.kind == kind]
    return [owner.key(each) for owner in owners for each in owner.parameters()]


class Named(click.ParamType[str]):
    """The name of a thing of some kind, which shells can complete; several where `several`."""

    def __init__(self, kind: str, *, several: bool = False) -> None:
        self.kind = kind
        self.name = one(kind).upper()
        self.several = several

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take a name, which only a stored run can have otherwise."""
        if not isinstance(value, str):
            raise TypeError(f"{self.name} is no name")
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        before, comma, last = incomplete.rpartition(",") if self.several else ("", "", incomplete)
        known = _nemeses() if self.kind == "faults" else names(self.kind)
        return [CompletionItem(before + comma + name) for name in known if name.startswith(last)]


class Owned(click.ParamType[str]):
    """The value of an owner's option: text, which the owner itself reads."""

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        self.name = parameter.type.__name__

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        if self.parameter.type is Path:
            return [CompletionItem(incomplete, type="file")]
        choices = self.parameter.choices
        return [CompletionItem(each) for each in choices if each.startswith(incomplete)]


def _options_of(owner: Owner) -> list[click.Option]:
    return [_option(owner, parameter) for parameter in owner.parameters()]


def _option(owner: Owner, parameter: Parameter) -> click.Option:
    name = owner.option(parameter)
    text = parameter.about.help
    if parameter.default is REQUIRED:
        text = f"{text}  [required]"
    elif parameter.default not in (None, (), []):
        text = f"{text}  [default: {parameter.default}]"
    if parameter.type is bool:
        return click.Option([f"{name}/--no-{name[2:]}"], default=None, help=text)
    metavar = parameter.about.metavar or "|".join(parameter.choices) or None
    return click.Option([name], type=Owned(parameter), default=None, help=text, metavar=metavar)


def _title(owner: Owner) -> str:
    return f"{owner.kind} {owner.name}"


def _titles(ctx: click.Context) -> list[str]:
    return [_title(owner) for owner in _of(ctx)]


def _of(ctx: click.Context) -> list[Owner]:
    """Return the owners that the line of a context names."""
    owners: list[Owner] = ctx.meta.get(_OWNERS, [])
    return owners


def _owners(
    named: Mapping[str, Sequence[str]], taken: Collection[str], *, strict: bool
) -> Iterator[Owner]:
    """Find what is named. What cannot be found is said later, when it is asked for, in one line.

    A thing whose constructor cannot be understood, or takes an option of every run (`taken`), is
    said at once, unless a shell only wants to complete a line.
    """
    makers: dict[str, Callable[[str], list[Owner]]] = {
        "systems": lambda name: [system_owner(name)],
        "workloads": _of_workload,
        "faults": lambda name: [fault_owner(name)],
    }
    for kind, make in makers.items():
        for name in dict.fromkeys(named[kind]):
            with suppress(click.UsageError):
                for owner in make(name):
                    problem = _problem(owner, taken)
                    if problem is None:
                        yield owner
                    elif strict:
                        raise PluginError(problem)


def _refuse_unknown(named: Mapping[str, Sequence[str]], doubtful: Collection[str]) -> None:
    """Refuse what is named and is not there: its options cannot be known either.

    What is `doubtful` may be no system, but the value of an option that nobody knows.
    """
    for name in named["systems"]:
        if name not in doubtful:
            system_owner(name)
    for name in named["workloads"]:
        workload_owner(name)
    for name in named["nemeses"]:
        plans.fault(name)


def _doubtful(params: Sequence[click.Parameter], args: Sequence[str]) -> set[str]:
    """Return the words of a line that follow options which are not of every run."""
    known = {name for each in params for name in (*each.opts, *each.secondary_opts)}
    return {
        word
        for before, word in pairwise(args)
        if before.startswith("--") and "=" not in before and before not in known
    }


def _of_workload(name: str) -> list[Owner]:
    """Return a workload, and its checks, which bring thresholds along.

    What cannot be made is said when it is to be.
    """
    owner = workload_owner(name)
    with suppress(PluginError):
        return [owner, *check_owners(name)]
    return [owner]


def _problem(owner: Owner, taken: Collection[str]) -> str | None:
    try:
        keys = [owner.key(each) for each in owner.parameters()]
    except PluginError as error:
        return str(error)
    clash = next((key for key in keys if key in taken), None)
    if clash is None:
        return None
    return f"{_title(owner)} takes {clash!r}, which is an option of every run: rename it"


def _named(params: Sequence[click.Parameter], args: Sequence[str]) -> dict[str, list[str]]:
    """Return which systems, workloads and faults a line names, by kind."""
    given, words = _scanned(params, args)
    defaults = {each.name: each.default for each in params}
    stored = _stored(given.get("repeat"))
    found: dict[str, list[str]] = {}
    for kind, options in _NAMING.items():
        texts = [given.get(name) or stored.get(name) or defaults.get(name) for name in options]
        found[kind] = [text for text in texts if isinstance(text, str)]
    if any(each.name == "system" for each in params):
        found["systems"] = _system(words) or found["systems"]
    for kind in ("systems", "workloads"):
        found[kind] = [name.strip() for text in found[kind] for name in text.split(",")]
    found["faults"] = _faults(" ".join(found["faults"]))
    nemeses = (given.get(name) for name in ("nemesis", "nemeses"))
    text = ",".join(filter(None, nemeses)).replace("+", ",")
    found["nemeses"] = [name for name in plans.in_turn(text) if name != RANDOM]
    return found


def _scanned(
    params: Sequence[click.Parameter], args: Sequence[str]
) -> tuple[dict[str, str], list[str]]:
    """Return the values of the options that are known by now, and all words that are no options.

    Among these may be values of options that only become known by what is found here.
    """
    options = {name: each for each in params for name in (*each.opts, *each.secondary_opts)}
    given: dict[str, str] = {}
    words: list[str] = []
    left = list(args)
    while left:
        word = left.pop(0)
        name, equals, value = word.partition("=")
        if not word.startswith("--") and word[:1] == "-" and len(word) > 2:
            name, equals, value = word[:2], "=", word[2:]
        option = options.get(name)
        if not word.startswith("-"):
            words.append(word)
        elif isinstance(option, click.Option) and not option.is_flag:
            text = value if equals else left.pop(0) if left else ""
            given[str(option.name)] = text
    return given, words


def _system(words: Sequence[str]) -> list[str]:
    """Tell the system among words of which some may be values of its own options."""
    known = [word for word in words if word in names("systems") or _is_own(word)]
    return known[:1] or list(words[:1])


def _is_own(word: str) -> bool:
    return ".py:" in word or word.endswith(".toml")


def _faults(text: str) -> list[str]:
    """Return the faults that stand in a nemesis or a schedule, whatever its form."""
    known = [name for name in names("faults") if re.search(rf"(?<![\w-]){name}(?!\w)", text)]
    return known + re.findall(r"[^\s,;]+\.py:\w+", text)


def _nemeses() -> list[str]:
    return ["none", RANDOM, *choices()]


def _stored(run: str | None) -> dict[str, Any]:
    """Return what a stored run was asked for, nothing if it cannot be read: that is said later."""
    if run is None:
        return {}
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        return dict(json.loads((Path(run) / "run.json").read_text())["arguments"])
    return {}
