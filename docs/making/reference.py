"""The reference: pages made from the commands and from the things themselves.

What a page says about an option is what `--help` says, and what it says about a system or a fault
is its own docstring and the parameters of its constructor. So the reference cannot say anything
that the program does not do.
"""

import html
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from itertools import product
from typing import Any

import click

from partita.checker.plugins import KINDS, Entry, entries, find, one, summary
from partita.checker.settings import REQUIRED, Parameter, make_with, parameters
from partita.harness.cli import partita
from partita.harness.run.owners import Owner, fault_owner, system_owner, workload_owner
from partita.harness.systems.system import StoreError
from partita.nemesis.faults import targets_of

MADE = "*This page is made from the code.*"
# How the settings of a thing are given, by kind; a kind that is not here has none on the line.
OWNERS = {"systems": system_owner, "workloads": workload_owner, "faults": fault_owner}
INTRODUCTION: Mapping[str, str] = {
    "systems": "`partita test NAME` tests one. [What was found](../systems.md) says what each of "
    "them promises and how it did. Your own works in the same place: [your own "
    "store](../your-own-store.md).",
    "capabilities": "A workload needs one, and a system offers some. A workload runs on each "
    "system that offers what it needs.",
    "workloads": "`partita test SYSTEM --workload NAME` runs one.",
    "checks": "A workload says which checks judge its history. `--expect CHECK=LEVEL` asks for "
    "another level than the one that the system promises. [Checking "
    "histories](../checker.md) says how they work.",
    "models": "`partita check --model NAME FILE` checks a history against one. `--initial` gives "
    "the state before the first operation. [Checking histories](../checker.md#models) shows how "
    "to write your own.",
    "engines": "`partita check --engine NAME` names one. Otherwise the quickest that applies is "
    "taken. [Checking histories](../checker.md#engines) says how they work.",
    "faults": "A step of a [schedule](../faults.md) names one, with its settings as "
    "`setting=value`. `--nemesis NAME-TARGET` lets several take turns; there, the settings are "
    "options of the command.",
    "targets": "A target says whom a fault strikes. It stands behind the fault in a "
    "[schedule](../faults.md), or in `--nemesis FAULT-TARGET`.",
    "disks": "`partita test --disk NAME` lets the store's data lie on one. [Faults of "
    "disks](../faults.md#disks) says which faults can strike which.",
    "formats": "`partita check` reads a file in any of these formats, and finds out by itself "
    "which it is. [Checking histories](../checker.md) says what is assumed of a file.",
    "sections": "A section is a part of a run's page. Each says by itself whether it has "
    "something to say about a run. [Reports](../reports.md) says what the figures mean.",
}


def pages() -> dict[str, str]:
    """Return the pages of the reference: path below docs/, and Markdown."""
    made = {"reference/index.md": _index(), "reference/commands.md": _commands()}
    return made | {f"reference/{kind}.md": _kind(kind) for kind in KINDS}


def _index() -> str:
    return _joined(
        "# Reference",
        "Everything here is made from the code, so it says what this version does. `partita "
        "--help` and `partita list` print the same.",
        "[Commands and their options](commands.md), with the exit codes.",
        "Then the kinds of things that a run is made of. Other packages can bring more of each "
        "kind along, and `partita list` shows those as well.",
        "\n".join(
            f"* [{kind.capitalize()}]({kind}.md): {about}. "
            + (", ".join(f"`{name}`" for name in entries(kind)) or "None.")
            for kind, about in KINDS.items()
        ),
    )


def _commands() -> str:
    context = click.Context(partita, info_name="partita")
    parts = [
        "# Commands",
        f"{MADE} `partita COMMAND --help` prints the same. With `partita test` and "
        "`partita test-all` it also prints the options of the systems, workloads and faults that "
        "are on the line; here these stand under [Systems](systems.md), [Workloads](workloads.md) "
        "and [Faults](faults.md).",
        "Every command ends with one of these exit codes:",
        _table(
            ("exit code", "meaning"),
            [
                ("0", "valid, or done"),
                ("1", "invalid: a violation, or a missed threshold"),
                ("2", "unknown: nobody can say, so it is no success"),
                ("254", "wrong arguments, or a machine that lacks something"),
                ("255", "Partita itself failed: nothing was learned about the store"),
            ],
        ),
    ]
    for name in partita.list_commands(context):
        command = partita.get_command(context, name)
        assert command is not None
        parts += _command(command, context, name, "##")
    return _joined(*parts)


def _command(command: click.Command, parent: click.Context, name: str, level: str) -> list[str]:
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parts = [f"{level} {context.command_path}", f"    {usage}", _prose(command.help or "")]
    parts.append(_options(command, context))
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            below = command.get_command(context, each)
            assert below is not None
            parts += _command(below, context, each, level + "#")
    return parts


def _options(command: click.Command, context: click.Context) -> str:
    """Return a table of what has something to say; every command has --help."""
    records = [each.get_help_record(context) for each in command.params]
    rows = [(_code(each[0]), _text(each[1])) for each in records if each and each[1]]
    return _table(("option", ""), rows) if rows else ""


def _kind(kind: str) -> str:
    parts = [f"# {kind.capitalize()}", f"{MADE} `partita list {kind}` prints the list."]
    parts += [f"{KINDS[kind].capitalize()}. {INTRODUCTION.get(kind, '')}"]
    if not entries(kind):
        parts.append(f"Partita brings no {one(kind)} along that is found by its name.")
    for name, entry in entries(kind).items():
        thing = find(kind, name)
        parts += [f"## {name}", _prose(_described(thing, entry))]
        parts += _details(kind, name, thing)
        parts.append(f"*{_file(entry.point.value)}*")
    return _joined(*parts)


def _described(thing: Any, entry: Entry) -> str:
    """Return what is said of a thing: by itself, or else, of what is no class, by its file."""
    module = import_module(entry.point.module)
    if isinstance(thing, type) or inspect.isroutine(thing):
        said = inspect.getdoc(thing)
    else:
        said = getattr(thing, "__dict__", {}).get("__doc__")
    return said or module.__doc__ or summary(thing)


def _file(value: str) -> str:
    """Return where an entry point's thing stands in the repository."""
    module, _, name = value.partition(":")
    return f"`{name}` in `{module.removeprefix('partita.').replace('.', '/')}.py`"


def _details(kind: str, name: str, thing: Any) -> Iterator[str]:
    if kind in OWNERS:
        yield from _settings(OWNERS[kind](name))
    if kind == "systems":
        yield from _promises(thing)
    if kind == "faults":
        yield from _traits(name, thing)
    if kind == "targets":
        yield _needs(thing)
    if kind == "workloads":
        yield from _workload(make_with(thing, {}))
    if kind == "checks":
        yield from _levels(make_with(thing, {}))


def _settings(owner: Owner) -> Iterator[str]:
    found = owner.parameters()
    if not found:
        return
    rows = [
        (
            _code(f"{owner.option(each)} {_kind_of(each)}"),
            f"{_text(each.about.help)} {_default(each)}",
        )
        for each in found
    ]
    yield _table(("option", ""), rows)


def _kind_of(parameter: Parameter) -> str:
    if parameter.type is bool:
        return ""
    return parameter.about.metavar or "|".join(parameter.choices) or parameter.type.__name__.upper()


def _default(parameter: Parameter) -> str:
    least, most = parameter.about.least, parameter.about.most
    bounds = [f"at least {least:g}"] if least is not None else []
    bounds += [f"at most {most:,g}"] if most is not None else []
    limits = f"{' and '.join(bounds).capitalize()}. " if bounds else ""
    if parameter.default is REQUIRED:
        return f"{limits}It must be given."
    if parameter.default in (None, (), [], False):
        return limits
    return f"{limits}Default: {_code(str(parameter.default))}."


def _traits(name: str, fault: Any) -> Iterator[str]:
    traits = fault.traits
    given = ", ".join(_code(f"{each.name}=…") for each in parameters(fault))
    if given:
        yield f"In a schedule its settings are written as {given}."
    second = {
        "replace": "takes the place of the first",
        "add": "comes beside it",
        "alone": "is refused",
    }[traits.stacks]
    yield (
        f"It strikes {traits.strikes}. A second one, begun while the first is in force, {second}."
        + (f" It needs a system with {' and '.join(traits.needs)}." if traits.needs else "")
    )
    yield "Targets: " + ", ".join(f"[{each}](targets.md#{each})" for each in targets_of(name)) + "."


def _needs(target: Any) -> str:
    what = "nodes, or the links between them and the rest" if target.strikes == "nodes" else "links"
    least = f" It needs at least {target.least} nodes." if target.least > 1 else ""
    leader = " It needs a system that says who leads." if target.needs_leader else ""
    return f"It says {what}.{least}{leader}"


def _promises(make: Any) -> Iterator[str]:
    """Show what a system promises for each choice that it leaves."""
    if any(each.default is REQUIRED for each in parameters(make)):
        return  # nobody knows here what it would be told
    chosen = [each for each in parameters(make) if each.choices and each.name != "bug"]
    rows: dict[tuple[str, str], list[str]] = {}
    for values in product(*(each.choices for each in chosen)):
        try:
            system = make_with(make, dict(zip((each.name for each in chosen), values, strict=True)))
        except StoreError:  # it needs to be told more, such as where its program is
            return
        options = " ".join(
            f"{each.option} {value}" for each, value in zip(chosen, values, strict=True)
        )
        for capability in system.offers:
            promised = getattr(system, "promises", lambda _: {})(capability)
            levels = [f"{check}: {level or 'nothing'}" for check, level in promised.items()]
            said = "; ".join(levels) or "what each check asks for by itself"
            rows.setdefault((options, said), []).append(_code(capability))
    shown = [
        (_code(options) if options else "", ", ".join(offered), _text(said))
        for (options, said), offered in rows.items()
    ]
    yield _table(("with", "offers", "promises"), shown)


def _workload(workload: Any) -> Iterator[str]:
    checks = ", ".join(f"[{each.name}](checks.md#{each.name})" for each in workload.checks)
    needs = f"[{workload.capability}](capabilities.md#{workload.capability})"
    yield f"Needs the capability {needs}. Judged by {checks}."
    rows = [
        (_code(f), "yes" if each.reads else "", "yes" if each.needed else "")
        for f, each in workload.operations.items()
    ]
    yield _table(("operation", "only reads", "a run needs a success of it"), rows)


def _levels(check: Any) -> Iterator[str]:
    levels = " > ".join(f"`{level}`" for level in check.levels)
    asked = f"`{check.default}`" if check.default else "none: it is shown, and not judged"
    yield f"Levels, strongest first: {levels}. Asked for where no system says more: {asked}."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [" | ".join(head), " | ".join("---" for _ in head), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines)


def _code(text: str) -> str:
    return f"<code>{_text(text).replace('&#124;', '&#124;<wbr>')}</code>"


def _text(text: str) -> str:
    return html.escape(" ".join(text.split()), quote=False).replace("|", "&#124;")


def _prose(text: str) -> str:
    """Return a docstring as Markdown: what stands below :: is code, a click mark is none."""
    text = inspect.cleandoc(text).replace("\b\n", "")
    return re.sub(r"::\n", ":\n", text)


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
