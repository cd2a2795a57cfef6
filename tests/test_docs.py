"""The documentation: it builds, its links lead somewhere, and its commands are commands."""

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest

from partita.checker.plugins import find, names
from partita.checker.settings import parameters
from partita.harness.cli import partita, said
from partita.harness.commands.owned import RunCommand, in_our_words
from partita.harness.run.owners import (
    Owner,
    fault_owner,
    system_owner,
    thresholds_of,
    workload_owner,
)
from partita.nemesis import schedule
from partita.nemesis.storms import RANDOM

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")) if path.name != "CHANGELOG.md"
)
# Options that pages name and that are other programs' own.
FOREIGN = {
    "--full",  # script/demo
    "--fast",  # of the reader's store
    *("--careless", "--lossy-percent"),  # of examples/plugins
    "--flood-mb",  # of the reader's fault
    *("--porcupine", "--knossos", "--folder"),  # benchmarks/checker.py
    "--delay",  # examples/raft/server.py
    # Maelstrom, which docs/maelstrom.md compares
    *("--availability", "--bin", "--consistency-models", "--max-txn-length", "--node-count"),
    *("--log-net-recv", "--log-net-send", "--log-stderr", "--key-count", "--max-writes-per-key"),
    "--once",  # examples/maelstrom/broadcast.py
    "--experimental-initial-corrupt-check",  # etcd
    "--snapshot-count",  # etcd
    "--unsafe-no-fsync",  # etcd
}
NODES = ("n1", "n2", "n3", "n4", "n5")
SEPARATORS = {"|", ">", ">>", "<", "&&", "||", ";", "&", "2>"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site, built as people build it."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [ROOT / "script/docs", "--site-dir", folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Page(HTMLParser):
    """The links and the anchors of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        loaded = given.get("src") if tag != "link" else given.get("href")
        if loaded and given.get("rel") != "canonical":
            self.loads.append(loaded)


def test_every_link_of_the_site_leads_somewhere_and_nothing_is_fetched(site: Path) -> None:
    pages = {path: Page(path.read_text()) for path in site.rglob("*.html")}
    assert len(pages) > 20
    broken = []
    for path, page in pages.items():
        if path.name == "404.html":  # it may be shown from anywhere, so its links are absolute
            continue
        broken += [f"{path.name} loads {each}" for each in page.loads if "//" in each]
        for link in [*page.links, *page.loads]:
            where, _, anchor = link.partition("#")
            if re.match(r"(https?|mailto|data):", link):
                continue
            there = (path.parent / where.partition("?")[0]).resolve() if where else path
            if not there.exists():
                broken.append(f"{path.relative_to(site)}: {link}")
            elif anchor and there in pages and anchor not in pages[there].anchors:
                broken.append(f"{path.relative_to(site)}: no anchor {link}")
    assert broken == []


def test_the_reference_has_every_option_of_every_command(site: Path) -> None:
    shown = (site / "reference/commands.html").read_text()
    context = click.Context(partita)
    for name in partita.list_commands(context):
        command = partita.get_command(context, name)
        assert command is not None
        for param in command.params:
            if isinstance(param, click.Option):
                assert param.opts[-1] in shown, f"{name} {param.opts}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_name_no_registry_and_no_path_of_a_machine(page: Path) -> None:
    said = re.findall(r"pypi\.org|files\.pythonhosted|/work/|/root/|/home/", page.read_text())
    assert said == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_a_page_quotes_would_be_understood(page: Path) -> None:
    for line in _quoted(page.read_text()):
        try:
            _understand(line)
        except (click.UsageError, schedule.ScheduleError) as error:
            pytest.fail(f"{line}\n{said(error)}")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_option_that_a_page_names_is_one(page: Path) -> None:
    named = set(re.findall(r"`(--[a-z][a-z-]+)[^`]*`", page.read_text()))
    assert named - _options() - FOREIGN == set()


@pytest.mark.parametrize(
    "line",
    [
        "partita tset etcd",
        "partita test etcd --rates 5",
        "partita test etcd --reads sync",
        "partita test etdc",
        "partita test raft --nemesis leader-minorities",
        "partita test raft --schedule '5s partition everybody'",
        "partita test raft --workload registers",
        "partita check --engine chian x.jsonl",
        "partita cluster upp",
    ],
)
def test_a_command_with_a_mistake_is_noticed(line: str) -> None:
    with pytest.raises((click.UsageError, schedule.ScheduleError)):
        _understand(line)


def _quoted(text: str) -> Iterator[str]:
    """Yield the commands of a page: in blocks, a line each, and between backticks."""
    text = text.replace("\\\n", " ")
    variables = dict(re.findall(r"^ *([A-Z_]+)='([^']*)'$", text, re.MULTILINE))
    for name in sorted(variables, key=len, reverse=True):
        text = text.replace(f'"${name}"', f"'{variables[name]}'").replace(
            f"${name}", variables[name]
        )
    yield from re.findall(r"^ *(?:\$ )?(partita [a-z].*)$", text, re.MULTILINE)
    yield from re.findall(r"`(partita [a-z][^`]*)`", text.replace("\n", " "))


def _understand(line: str) -> None:
    """Parse a command as click would. Raises `click.UsageError`, `schedule.ScheduleError`."""
    words = shlex.split(line, comments=True)
    end = next((n for n, word in enumerate(words) if word in SEPARATORS), len(words))
    words = [word.rstrip(";") for word in words[1:end]]
    command: click.Command = partita
    context = click.Context(partita, info_name="partita")
    while isinstance(command, click.Group) and words:
        name = words.pop(0)
        if "|" in name:  # any of several
            return
        found = command.get_command(context, name)
        if found is None:
            raise click.UsageError(f"there is no command {name}")
        command = found
    _parse(command, words)


def _parse(command: click.Command, words: list[str]) -> None:
    context = click.Context(command, info_name=command.name, resilient_parsing=True)
    if isinstance(command, RunCommand):
        words = in_our_words(command.params, words)
    command.parse_args(context, list(words))  # finds out whose options there are
    context.resilient_parsing = False
    line = " ".join(words)
    given, _, _ = command.make_parser(context).parse_args(list(words))
    if "--help" in words or "-h" in words:
        return
    for param in command.get_params(context):
        value = given.get(str(param.name))
        if isinstance(value, str) and not _is_placeholder(value):
            param.type_cast_value(context, value)
            _look_up(str(param.name), value)
    if command.name == "selftest":  # its options are its own
        return
    for owner in _owners():
        if owner.name in line:
            owner.settings({key: value for key, value in given.items() if isinstance(value, str)})


def _is_placeholder(value: object) -> bool:
    """Say whether something stands for what a reader puts there: SYSTEM, FILE…, `PATH`."""
    return any(re.fullmatch(r"…|\[?[A-Z][A-Z_:]*…?\]?", word) for word in str(value).split())


def _look_up(name: str, value: object) -> None:
    """Refuse a name that stands for nothing, and faults that cannot be planned."""
    for kind, options in {
        "systems": ("system", "systems"),
        "workloads": ("workload", "workloads"),
    }.items():
        known = [*names(kind), *_examples(kind)]
        if name in options:
            for each in re.split(r",\s*", str(value)):
                if each not in known and ".py:" not in each and ".toml" not in each:
                    raise click.UsageError(f"no {kind} is called {each}")
    if name == "schedule":
        schedule.parse(str(value), NODES, clients=("c1", "c2"))
    if name in ("nemesis", "nemeses"):
        for each in re.split(r"[,+]\s*", str(value)):
            if each not in ("none", RANDOM):
                schedule.fault(each)


def _examples(kind: str) -> list[str]:
    """Return what the plug-ins of the tutorials bring along: readers install them."""
    files = (ROOT / "examples/plugins").glob("*/pyproject.toml")
    declared = [tomllib.loads(file.read_text())["project"]["entry-points"] for file in files]
    return [name for each in declared for name in each.get(f"partita.{kind}", ())]


@cache
def _owners() -> tuple[Owner, ...]:
    makers = {"systems": system_owner, "workloads": workload_owner, "faults": fault_owner}
    found = [make(name) for kind, make in makers.items() for name in names(kind)]
    return (*found, *thresholds_of(find("checks", name)() for name in names("checks")))


@cache
def _options() -> set[str]:
    """Return all options that there are: of commands, systems, workloads, faults and checks."""
    owned = {owner.option(each) for owner in _owners() for each in owner.parameters()}
    checks = (find("checks", name) for name in names("checks"))
    owned |= {each.option for check in checks for each in parameters(check)}
    return owned | set(_options_of(partita)) | {"--help", "--version"}


def _options_of(command: click.Command) -> Iterator[str]:
    for param in command.params:
        yield from (*param.opts, *param.secondary_opts)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _options_of(below)
