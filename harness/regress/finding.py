"""A row of the table of known failures: what was promised, what breaks it, and what keeps it.

A row is a file of TOML. Those that come with Partita lie in `harness/findings/`; anybody's own is
named by its path, or by that of the folder that it lies in.
"""

import shlex
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

FOLDER = Path(__file__).parents[1] / "findings"
_COMMAND = ("partita", "test")
# The table says which seeds are run, and where the runs go.
_OURS = ("--seed", "--runs-dir", "--json", "--junit", "--summary", "--test-count", "--repeat")

# These make no run, or leave something behind.
_NEVER = ("--help", "-h", "--leave-running")

Text = Annotated[str, msgspec.Meta(min_length=1)]


class FindingError(Exception):
    """A row that cannot be used: one line with the file, the key, and what is wrong."""


class Shows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must come out of a run of the failing version.

    `invalid`: the check of that name is violated. `missed`: a threshold is. The sentence that says
    so must have all the words, and `rule` must be among the rules or anomalies that were found.
    """

    verdict: Literal["invalid", "missed"]
    check: Text | None = None
    rule: Text | None = None
    words: tuple[Text, ...] = ()


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What keeps the promise: its command, which must pass, and what is different about it."""

    command: Text
    what: Text


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row.

    `kind` says what it is: a defect of the version, documented behaviour, or a setting that gives
    the promise up. `time_limit` are the seconds for which it is looked for each time, and `runs`
    how often it is to be found. `quick`: `partita regress --quick` looks for it too.
    """

    title: Text
    software: Text
    version: Text
    kind: Literal["defect", "documented", "setting"]
    promise: Text
    source: Text
    command: Text
    shows: Shows
    control: Control
    time_limit: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]
    page: Text | None = None
    known: tuple[Text, ...] = ()
    runs: Annotated[int, msgspec.Meta(ge=1)] = 5
    quick: bool = True


class Row(msgspec.Struct, frozen=True):
    """A finding with its name and its file."""

    name: str
    path: Path
    finding: Finding


def rows(names: Sequence[str]) -> list[Row]:
    """Return the rows of these names, files and folders; without any, those of ours.

    Raises `FindingError` for the first one that is wrong.
    """
    paths = [path for name in names for path in _paths(name)] if names else _of_folder(FOLDER)
    found = [Row(path.stem, path, read(path)) for path in dict.fromkeys(paths)]
    for row in found:
        if twice := [each for each in found if each.name == row.name and each is not row]:
            raise FindingError(f"{twice[0].path}: a row is called so already: {row.path}")
    return found


def read(path: Path) -> Finding:
    """Read a row's file. Raises `FindingError`."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FindingError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FindingError(f"{path} is no TOML: {error}") from error
    try:
        finding = msgspec.convert(given, Finding)
    except msgspec.ValidationError as error:
        raise FindingError(f"{path}: {_mistake(str(error))}") from error
    for key, command in commands(finding).items():
        if complaint := _complaint(command):
            raise FindingError(f"{path}: {key}: {complaint}")
    return finding


def commands(finding: Finding) -> Mapping[str, str]:
    """Return the two commands of a row, by the keys under which they stand in its file."""
    return {"command": finding.command, "control.command": finding.control.command}


def words_of(command: str) -> list[str]:
    """Return what stands behind `partita test`."""
    return shlex.split(command)[len(_COMMAND) :]


def as_object(row: Row) -> dict[str, Any]:
    """Return all that a row says, ready for JSON."""
    said: dict[str, Any] = msgspec.to_builtins(row.finding)
    return {"row": row.name, "file": str(row.path), **said}


def _paths(name: str) -> list[Path]:
    path = Path(name)
    if path.is_dir():
        if not (inside := _of_folder(path)):
            raise FindingError(f"{path}: there is no row in this folder: a row is a file *.toml")
        return inside
    if path.suffix == ".toml":
        return [path]
    known = {each.stem: each for each in _of_folder(FOLDER)}
    if name not in known:
        raise FindingError(
            f"no row is called {name!r}: choose from {', '.join(known)}, "
            "or give your own as path/to/file.toml"
        )
    return [known[name]]


def _of_folder(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.toml"))


def _mistake(said: str) -> str:
    """Put the key first: "Expected `str`, got `int` - at `$.control.what`" has it last."""
    text, _, place = said.partition(" - at `$")
    inside = place.rstrip("`").removeprefix(".")
    if not inside:
        return text
    return f"{inside}: {text}"


def _complaint(command: str) -> str | None:
    try:
        words = shlex.split(command)
    except ValueError as error:
        return f"no command: {error}"
    if tuple(words[: len(_COMMAND)]) != _COMMAND:
        return "a command begins with: partita test"
    ours = next((word for word in words if word.partition("=")[0] in _OURS), None)
    never = next((word for word in words if word in _NEVER), None)
    if ours is None and never is None:
        return None
    return f"{ours} is for partita regress to give" if ours else f"{never} has no place in a row"
