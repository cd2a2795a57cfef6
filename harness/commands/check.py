"""`partita check`: verdicts on stored histories, from files to exit code."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from click.core import ParameterSource

from partita.checker import (
    ENGINES,
    OUTCOMES,
    History,
    HistoryError,
    ModelError,
    ReadingStopped,
    Validity,
    Verdict,
    check,
    load_model,
    vacuous,
)
from partita.checker.checks import Recognises
from partita.checker.explain import quoted
from partita.checker.linearizability.chain import recorded
from partita.checker.models.cas_register import CasRegister
from partita.checker.models.fitting import POSSIBLE, SHOWN, fitting_models
from partita.checker.models.model import EachKey, Model, key_names
from partita.checker.plugins import PluginError, find, names
from partita.checker.reading import STANDARD_INPUT, stored_history
from partita.checker.statistics import GIVING, READS, unread
from partita.checker.verdict import Mismatch
from partita.harness.commands.model_options import CheckCommand, settings_of
from partita.harness.commands.order_output import refuse_place, write_order
from partita.harness.commands.parameters import Json, Size, finite
from partita.harness.commands.verdict_output import Outcome, anomalies_of, as_object, as_text
from partita.harness.commands.written_files import refuse_page, refuse_same

if TYPE_CHECKING:
    from partita.harness.commands.asked import Asked
from partita.harness.scheduler import connected

# None: a file that could not be checked.
_EXIT_CODES: Mapping[Validity | None, int] = {True: 0, False: 1, "unknown": 2, None: 254}
_MODEL_OF_WORKLOAD = {"append": "append", "register": "cas-register"}
# Beyond it, clocks overflow: thirty years.
_SECONDS_MAX = 10**9


@dataclass(frozen=True, slots=True)
class Request:
    """What to check with, as the options say."""

    model: str | None
    initial: Any
    engine: str
    time_limit: float | None
    memory_limit: int | None
    mismatch: Mismatch | None
    keyed: bool | None
    executor: Executor | None
    format: str | None
    expect: Sequence[str]
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """How to tell what came out, as the options say."""

    as_json: bool
    anomalies: bool
    html: Path | None
    order: Path | None


@click.command("check", cls=CheckCommand)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each file.")
@click.option(
    "--model",
    help=f"{', '.join(names('models'))}, or path/to/file.py:Model. [by the operations]",
)
@click.option(
    "--initial",
    type=Json(),
    help="The value before the first operation, or an object of those of all keys. [null]",
)
@click.option(
    "--format",
    help=f"{', '.join(names('formats'))}, or path/to/file.py:Class. [by the file's content]",
)
@click.option(
    "--engine",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", *ENGINES]),
    help="auto: the quickest that applies.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True, max=_SECONDS_MAX),
    callback=finite,
    metavar="SECONDS",
    help="For each file, reading included; then the verdict is unknown.",
)
@click.option("--memory-limit", type=Size(), help="For the whole process, as 2GB.")
@click.option(
    "--mismatch",
    type=click.Choice(["observe", "ignore"]),
    help="Whether a cas that failed with mismatch observed another value."
    " [observe; Jepsen's: ignore]",
)
@click.option(
    "--keyed/--no-keyed",
    default=None,
    help="Whether values are [key, value] pairs. [if all are, and reads or cas show it]",
)
@click.option(
    "--expect",
    multiple=True,
    metavar="[CHECK=]LEVEL",
    help="A level to be reached: partita list checks. [linearizable; of a run: what it was asked]",
)
@click.option(
    "--anomalies", is_flag=True, help="Of transactions: tell each kind of anomaly that was found."
)
@click.option("--executor", "address", help="dask://HOST:PORT checks keys on a Dask cluster.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw the violation, if there is one, as a page.",
)
@click.option(
    "--order",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="Write an order that proves it; if invalid, how far there is one. -: standard output.",
)
@click.option(
    "--recover", is_flag=True, help="Give a run whose controller died its results and report."
)
def check_command(
    files: tuple[Path, ...],
    as_json: bool,
    anomalies: bool,
    address: str | None,
    html: Path | None,
    order: Path | None,
    recover: bool,
    **given: Any,
) -> int:
    """Decide whether recorded histories are linearizable.

    FILE is a history in JSON or Jepsen's EDN or text, compressed or not, `-` for standard input, or
    the directory of a run, ours or Jepsen's.

    Exit codes: 0 valid, 1 invalid, 2 unknown, 254 wrong arguments, 255 failure. Of several files
    the worst decides: invalid, then one that could not be checked, then unknown.
    """
    if recover:
        _refuse_others_with_recover()
        return _exit_code([_recover(file, as_json) for file in files])
    if html:
        if len(files) > 1:
            raise click.UsageError("--html draws the violation of one FILE")
        refuse_page(html)
    if order:
        if len(files) > 1:
            raise click.UsageError("--order tells the order of one FILE")
        refuse_place(order, as_json)
    refuse_same(("--html", html), ("--order", order))
    with _executor(address) as executor:
        settings = settings_of(given)
        request = Request(**given, executor=executor, settings=settings)
        shown = Shown(as_json, anomalies, html, order)
        return _exit_code([_print_outcome(file, request, shown) for file in files])


def _exit_code(validities: Sequence[Validity | None]) -> int:
    """Return the code of the worst one."""
    ranked: tuple[Validity | None, ...] = (False, None, "unknown")
    return _EXIT_CODES[next((each for each in ranked if each in validities), True)]


def _refuse_others_with_recover() -> None:
    """Refuse the options that say how to check: a run is concluded as it was begun."""
    context = click.get_current_context()
    for option in context.command.params:
        name = str(option.name)
        given = context.get_parameter_source(name) is not ParameterSource.DEFAULT
        if given and name not in ("files", "as_json", "recover"):
            raise click.UsageError(f"--recover goes with --json alone, not with {option.opts[0]}")


def _recover(directory: Path, as_json: bool) -> Validity | None:
    """Conclude a run that was cut off: it is unknown or invalid. None: it could not be."""
    # Here, because checking a history must not pay for what draws.
    from partita.harness.cli import said
    from partita.harness.commands.summary import summary
    from partita.harness.run.results import recover
    from partita.reports import RunError

    try:
        outcome = recover(directory)
    except (RunError, click.UsageError) as error:
        click.echo(f"partita: {said(error)}", err=True)
        return None
    click.echo(json.dumps(outcome) if as_json else summary(outcome))
    return outcome["valid"]  # type: ignore[no-any-return]


def _print_outcome(file: Path, request: Request, shown: Shown) -> Validity | None:
    """Check one file; None: it could not be, which must not keep the others from being."""
    try:
        outcome = _outcome(file, request)
        if shown.anomalies and outcome.history and anomalies_of(outcome) is None:
            raise HistoryError(f"{file}: --anomalies tells those of transactions: there are none")
    except (HistoryError, ModelError) as error:
        click.echo(f"partita: {error}", err=True)
        return None
    said = as_text(outcome, anomalies=shown.anomalies)
    click.echo(json.dumps(as_object(outcome)) if shown.as_json else said)
    if shown.html and outcome.history and outcome.verdict.valid is False:
        _draw(outcome.history, outcome.verdict, shown.html, file.name)
    if shown.order and outcome.history:
        write_order(outcome.history, outcome.verdict, shown.order)
    return outcome.verdict.valid


def _draw(history: History, verdict: Verdict, page: Path, title: str) -> None:
    # Here, because checking a history must not pay for what draws.
    from partita.reports import write_violation

    write_violation(history, verdict, page, title)


@contextmanager
def _executor(address: str | None) -> Iterator[Executor | None]:
    """Connect to where keys are checked; None: threads of this process."""
    if address is None:
        yield None
        return
    with connected(address) as client:
        yield client.get_executor()


def _outcome(file: Path, request: Request) -> Outcome:
    begin = time.monotonic()
    deadline = begin + request.time_limit if request.time_limit else None
    path, run = _stored(file)
    try:
        history = History.read(
            path,
            keyed=request.keyed,
            deadline=deadline,
            memory_bytes=request.memory_limit,
            format=request.format,
        )
    except ReadingStopped as stopped:
        verdict = Verdict("unknown", "none", request.model or "none", 0, 0, 0.0)
        seconds = time.monotonic() - begin
        return Outcome(file, None, replace(verdict, reason=str(stopped)), seconds, [])
    load_seconds = time.monotonic() - begin
    _refuse_empty(file, history, request)
    left = max(deadline - time.monotonic(), 0.0) if deadline else None
    if asked := _asked(history, replace(request, time_limit=left), run):
        return _told(file, history, asked, load_seconds, run)
    blind = unread(history)
    try:
        models, why = _models(history, request, run)
    except ModelError:
        if blind is None or not set(history.fs) <= GIVING | READS:
            raise
        # Which model is meant does not matter: no answer can be wrong.
        verdict = Verdict("unknown", "none", "none", len(history), 0, 0.0, reason=blind)
        return Outcome(file, history, verdict, load_seconds, [*history.notes])
    verdict, loaded = _judged(history, models, request, deadline)
    nothing = vacuous(history, _spared(run))
    if nothing and run and verdict.valid is True:
        # The test of a store that did nothing is not passed.
        verdict = replace(verdict, valid="unknown", reason=nothing)
        nothing = None
    if blind and verdict.valid is True:
        verdict, nothing = replace(verdict, valid="unknown", reason=blind), None
    doubt = _doubt(file) if run else None
    if doubt and verdict.valid is True:
        verdict, doubt = replace(verdict, valid="unknown", reason=doubt), None
    cut_off = run and not (file / "results.json").exists()
    died = "the run was cut off: partita check --recover makes its results" if cut_off else None
    wild = _unrecorded(history, loaded)
    said = [why, *verdict.notes, nothing, wild, doubt, died]
    notes = [*history.notes, *filter(None, said)]
    return Outcome(file, history, verdict, load_seconds, notes)


def _asked(history: History, request: Request, run: dict[str, Any] | None) -> "Asked | None":
    """Return the checks to be asked by name, None where linearizability alone is meant.

    Those are the checks of a run, unless the options say how to check, or those of --expect, or
    one that knows such a history as its own.
    """
    own = request.model or request.initial is not None or request.engine != "auto"
    of_run = run is not None and not own and (request.expect or "promised" in run)
    knowing = None if own or of_run or request.expect else _knowing(history)
    if not (of_run or request.expect or knowing):
        return None
    # Here, because checking a file must not pay for what makes runs.
    from partita.harness.commands import asked

    limits = {"time_limit": request.time_limit, "memory_limit": request.memory_limit}
    given = {**limits, **request.settings}
    if of_run and run is not None:
        return asked.of_run(run, request.expect, given)
    if knowing:
        return asked.of_one(knowing, given)
    return asked.of_file(request.expect, given, lambda: _models(history, request, run)[0][0])


def _knowing(history: History) -> str | None:
    """Return the name of the check that knows a history as one of its own, None if none does."""
    for name in names("checks"):
        with suppress(PluginError):  # nobody asked for it, so that it need not work
            make = find("checks", name)
            if isinstance(make, Recognises) and make.recognises(history):
                return name
    return None


def _told(
    file: Path, history: History, asked: "Asked", load_seconds: float, run: dict[str, Any] | None
) -> Outcome:
    """Let the checks judge a history. Of a run, what was in doubt then is in doubt still."""
    try:
        verdict, notes, rows = asked.answer(history)
    except HistoryError as error:
        raise HistoryError(f"{file}: {error}") from error
    doubts = [vacuous(history, _spared(run)), _doubt(file)] if run else []
    doubt = next(filter(None, doubts), None)
    if doubt and verdict.valid is True:
        verdict = replace(verdict, valid="unknown", reason=doubt)
    return Outcome(file, history, verdict, load_seconds, [*history.notes, *notes], rows)


def _spared(run: Mapping[str, Any] | None) -> list[str]:
    """Return the operations of a run that need not have succeeded."""
    known = (run or {}).get("operations") or {}
    return [f for f, operation in known.items() if not operation.get("needed", True)]


def _judged(
    history: History, models: Sequence[str], request: Request, deadline: float | None
) -> tuple[Verdict, Model]:
    """Check with the first model. Where others may be meant, none of them must say otherwise."""
    first = _checked(history, models[0], request, deadline)
    for other in models[1:] if first[0].valid is False else ():
        with suppress(ModelError):
            if _checked(history, other, request, deadline)[0].valid is True:
                reason = (
                    f"no {models[0]} would do so, but a {other} might: the operations do not show"
                    f" which of them is meant: --model {models[0]} or --model {other}"
                )
                unsure = replace(first[0], valid="unknown", counterexample=None, reason=reason)
                return unsure, first[1]
    return first


def _checked(
    history: History, model: str, request: Request, deadline: float | None
) -> tuple[Verdict, Model]:
    initial = _initial(history, request)
    each = isinstance(initial, EachKey)
    loaded = load_model(model, None if each else initial, request.settings)
    verdict = check(
        history,
        model if each else loaded,
        initial=initial if each else None,
        engine=request.engine,
        time_limit=max(deadline - time.monotonic(), 0.0) if deadline else None,
        memory_limit=request.memory_limit,
        mismatch=request.mismatch or ("observe" if history.observes_mismatch else "ignore"),
        executor=request.executor,
    )
    return verdict, loaded


def _initial(history: History, request: Request) -> Any:
    """Tell an object of values for each key from a value that is an object."""
    given = request.initial
    if not isinstance(given, Mapping) or not len(history.keys):
        return given
    known = {name for key in history.keys for name in key_names(key)}
    return EachKey(given, request.settings) if given and given.keys() <= known else given


def _unrecorded(history: History, model: Model) -> str | None:
    """Say that reads of null fit anywhere, as in Jepsen's histories, if there are any."""
    if not isinstance(model, CasRegister):
        return None
    count = len(history) - len(recorded(history, np.arange(len(history)), model))
    if not count:
        return None
    began = f"the register began with {quoted(model.value)}, and nothing wrote null"
    return f"{count:,} reads of null were taken for values that were not recorded: {began}"


def _doubt(directory: Path) -> str | None:
    """Say what, beside its history, made a run unknown when it was made: that has not changed."""
    try:
        doubts = json.loads((directory / "results.json").read_text())["doubts"]
        return "; ".join(doubts) or None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _stored(file: Path) -> tuple[Path, dict[str, Any] | None]:
    """Return the history's path, and what is known of the run if FILE is its directory."""
    if file == STANDARD_INPUT or not file.is_dir():
        return file, None
    path = stored_history(file)
    if path is None:
        raise HistoryError(
            f"{file}: this directory is no run: it has no history.jsonl, and no history.edn or"
            " history.txt of Jepsen's"
        )
    if not (file / "run.json").exists():
        return path, None
    # Here, because checking a file must not pay for it.
    from partita.reports import RunError, read_spec

    try:
        return path, read_spec(file)
    except RunError as error:
        raise HistoryError(f"{error}: partita check {path} checks its history alone") from error


def _refuse_empty(file: Path, history: History, request: Request) -> None:
    """Refuse what cannot show anything. Who names a model asks about exactly this history."""
    if not len(history):
        raise HistoryError(f"{file}: nothing to check: no operation is in it")
    if request.model is None and (history.outcome == OUTCOMES.index("fail")).all():
        raise HistoryError(
            f"{file}: nothing to check: all {len(history)} operations failed"
            " (with --model it is checked, for what that is worth)"
        )


def _models(
    history: History, request: Request, run: dict[str, Any] | None
) -> tuple[list[str], str | None]:
    """Return the model to check with, others that may be meant, and why it was chosen."""
    if request.model:
        return [request.model], None
    if run and run.get("workload") in _MODEL_OF_WORKLOAD:
        return [_MODEL_OF_WORKLOAD[run["workload"]]], None
    # Whoever says what the object was at first knows that it has a state to begin with.
    models = fitting_models(history, least=SHOWN if request.initial is None else POSSIBLE)
    operations = ", ".join(sorted(history.fs))
    chosen = f"model {models[0]} was chosen by the operations: {operations}"
    return models, f"{chosen} (--model names another)"
