"""The command line: which commands there are, and how errors become exit codes.

0 valid, 1 invalid, 2 unknown, 254 wrong arguments, 255 the harness itself failed.
"""

import logging
import signal
import sys
import traceback

import click

from checker import HistoryError, ModelError
from harness.check_command import check_command
from harness.cluster_command import cluster
from harness.doctor_command import doctor, heal
from harness.journal import JournalError, RunsDirError
from harness.local import LocalError
from harness.report_command import compare, report
from harness.serve_command import serve
from harness.ssh import SshError
from harness.systems import StoreError
from harness.test_command import test, test_all
from nemesis.schedule import ScheduleError
from reports import RunError

WRONG_ARGUMENTS = 254
HARNESS_FAILED = 255

# What the user can mend by asking differently, or by preparing the machine.
_MISTAKES = (
    HistoryError,
    LocalError,
    ModelError,
    RunError,
    RunsDirError,
    ScheduleError,
    click.ClickException,
)
# What went wrong in the middle of the work.
_FAILURES = (JournalError, SshError, StoreError)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="partita")
def partita() -> None:
    """Find out whether a coordination store keeps its promises when the network breaks."""


partita.add_command(check_command)
partita.add_command(cluster)
partita.add_command(doctor)
partita.add_command(heal)
partita.add_command(compare)
partita.add_command(report)
partita.add_command(serve)
partita.add_command(test)
partita.add_command(test_all)


def main() -> None:
    """Run the command line and exit with its code."""
    # A polite end of the process must heal and tear down as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A log that cannot be written (a full disk) must not spill tracebacks over the result.
    logging.raiseExceptions = False
    sys.exit(_code_of_command())


def _code_of_command() -> int:
    try:
        code = partita.main(standalone_mode=False)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except _MISTAKES as error:
        return _say(error, WRONG_ARGUMENTS)
    except _FAILURES as error:
        return _say(error, HARNESS_FAILED)
    except (click.Abort, KeyboardInterrupt):
        click.echo("partita: interrupted", err=True)
        return 2
    except BrokenPipeError:
        return HARNESS_FAILED
    except Exception:
        traceback.print_exc()
        return HARNESS_FAILED
    return code if isinstance(code, int) else 0


def _say(error: Exception, code: int) -> int:
    text = error.format_message() if isinstance(error, click.ClickException) else str(error)
    click.echo(f"partita: {text}", err=True)
    return code
