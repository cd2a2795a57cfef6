"""The command line: which commands there are, and how errors become exit codes.

0 valid, 1 invalid, 2 unknown, 254 wrong arguments, 255 the harness itself failed.
"""

import contextlib
import errno
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from importlib import import_module

import click

WRONG_ARGUMENTS = 254
HARNESS_FAILED = 255
COMPLETING = "_PARTITA_COMPLETE"  # click's: set while a shell completes a line

# Where each command stands, and what it does, as its own help begins. It is imported when it is
# asked for: neither `partita --help` nor `partita check` must pay for what draws and speaks SSH.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "check": ("check:check_command", "Decide whether recorded histories are linearizable."),
    "cluster": (
        "cluster:cluster",
        "Make, look at and take down clusters of namespaces on this machine.",
    ),
    "compare": ("report:compare", "Show stored RUNS of one workload side by side."),
    "doctor": (
        "doctor:doctor",
        "Look whether this machine, or the named nodes, have what a run needs; name each fix.",
    ),
    "export": (
        "export:export",
        "Give the stored RUN to other tools: as Parquet, or as spans of OpenTelemetry.",
    ),
    "heal": (
        "doctor:heal",
        "Undo every fault of Partita's on the named nodes, and touch nothing else of theirs.",
    ),
    "hunt": (
        "hunt:hunt",
        "Look for a run of SYSTEM that fails, and make it short.",
    ),
    "list": (
        "list:list_things",
        "List what there is of each KIND, ours and what other packages bring along.",
    ),
    "regress": (
        "regress:regress",
        "Find known failures of released software again, each with its control.",
    ),
    "report": (
        "report:report",
        "Draw the stored RUN again, from its files alone, and name the files written.",
    ),
    "selftest": (
        "selftest:selftest",
        "Prove that planted mistakes are found, and that a correct store is not blamed.",
    ),
    "serve": (
        "serve:serve",
        "Show the runs in the directory RUNS [runs] in a browser: a list, and each run's page.",
    ),
    "test": ("test:test", "Drive SYSTEM, break its network, and check what it promised."),
    "test-all": (
        "test:test_all",
        "Do a run for each combination of systems, workloads and nemeses; the worst one counts.",
    ),
}

# What the user can mend by asking differently, or by preparing the machine; and what went wrong
# in the middle of the work. By name, for the same reason: one that was raised was imported.
ERRORS: Mapping[str, int] = {
    "partita.checker.events.HistoryError": WRONG_ARGUMENTS,
    "partita.checker.models.model.ModelError": WRONG_ARGUMENTS,
    "partita.checker.plugins.PluginError": WRONG_ARGUMENTS,
    "partita.checker.settings.SettingError": WRONG_ARGUMENTS,
    "partita.harness.run.journal.RunsDirError": WRONG_ARGUMENTS,
    "partita.harness.regress.finding.FindingError": WRONG_ARGUMENTS,
    "partita.harness.nodes.local.LocalError": WRONG_ARGUMENTS,
    "partita.nemesis.schedule.ScheduleError": WRONG_ARGUMENTS,
    "partita.reports.exports.target.ExportError": WRONG_ARGUMENTS,
    "partita.reports.stored.RunError": WRONG_ARGUMENTS,
    "partita.harness.run.journal.JournalError": HARNESS_FAILED,
    "partita.harness.nodes.ssh.SshError": HARNESS_FAILED,
    "partita.harness.systems.system.StoreError": HARNESS_FAILED,
}

# The names of the threads that check (checker/linearizability/scheduling.py) begin so. A step of a
# user's model runs in one of them, and nothing can interrupt it.
_WORKERS = "check_"
_GRACE_S = 0.5


class Commands(click.Group):
    """A group that imports a command when it is asked for, which click does by inheritance."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"partita.harness.commands.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="partita")
def partita() -> None:
    """Find out whether a coordination store keeps its promises when the network breaks."""


def main() -> None:
    """Run the command line and exit with its code."""
    # A polite end of the process must heal and tear down as Ctrl-C does.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(ending, signal.default_int_handler)
    # A log that cannot be written (a full disk) must not spill tracebacks over the result.
    logging.raiseExceptions = False
    # They tell of every lost connection, which a partition makes many of.
    for noisy in ("kazoo", "paramiko"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    code = _code_of_command()
    _leave_hung_steps(code)
    sys.exit(code)


def _leave_hung_steps(code: int) -> None:
    """End at once if a model's step does not return: leaving politely would wait for it."""
    until = time.monotonic() + _GRACE_S
    workers = [each for each in threading.enumerate() if each.name.startswith(_WORKERS)]
    with contextlib.suppress(KeyboardInterrupt):
        for worker in workers:
            worker.join(max(until - time.monotonic(), 0))
    if any(worker.is_alive() for worker in workers):
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)


def _code_of_command() -> int:
    try:
        code = partita.main(standalone_mode=False)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("partita: interrupted", err=True)
        return 2
    except SystemExit as leave:
        # click ends the process itself: after completing a line for a shell, and, with the code
        # of a violation, if nobody reads the output.
        if COMPLETING in os.environ:
            return leave.code if isinstance(leave.code, int) else 0
        if _raised_by(leave) == "click.core":
            return HARNESS_FAILED
        return _say("the code of a store or of a model called sys.exit()", HARNESS_FAILED)
    except Exception as error:
        if (known := code_of(error)) is not None:
            return _say(said(error), known)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the last flush
            return _say(f"cannot write the output: {error.strerror}", HARNESS_FAILED)
        traceback.print_exc()
        return HARNESS_FAILED
    return code if isinstance(code, int) else 0


def _raised_by(error: BaseException) -> str:
    """Return the name of the module that raised an error."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return str(frames[-1].f_globals.get("__name__")) if frames else ""


def code_of(error: BaseException) -> int | None:
    """Return the exit code of an error that a user can do something about, None for others."""
    if isinstance(error, click.ClickException):
        return WRONG_ARGUMENTS
    return ERRORS.get(f"{type(error).__module__}.{type(error).__qualname__}")


def said(error: BaseException) -> str:
    """Return an error as it is told to users."""
    return error.format_message() if isinstance(error, click.ClickException) else str(error)


def _say(text: str, code: int) -> int:
    click.echo(f"partita: {text}", err=True)
    return code
