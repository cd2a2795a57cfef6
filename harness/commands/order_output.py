"""`partita check --order`: an order of a history's operations, one a line."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from partita.checker import History, Op, Order, Verdict
from partita.checker.explain import is_answered, quoted
from partita.harness.commands.written_files import refuse_order

_COLUMNS = "# place\tindex\tprocess\tf\tkey\tvalue"


# Names standard output, as it names standard input where a history is read.
STANDARD_OUTPUT = Path("-")


def refuse_place(file: Path, as_json: bool) -> None:
    """Refuse a place where no order may be written, before anything is checked."""
    if file == STANDARD_OUTPUT:
        if as_json:
            raise click.UsageError("--order - and --json both want standard output: name a file")
        return
    refuse_order(file)


def write_order(history: History, verdict: Verdict, file: Path) -> None:
    """Write the order that proves a verdict. Raises `UsageError` where it cannot be written."""
    text = "".join(f"{line}\n" for line in lines(history, verdict))
    try:
        if file == STANDARD_OUTPUT:
            sys.stdout.write(text)
            sys.stdout.flush()
        else:
            file.write_text(text)
    except OSError as error:
        raise click.UsageError(f"cannot write {file}: {error.strerror}") from error


def lines(history: History, verdict: Verdict) -> Iterator[str]:
    """Yield the lines of the file. Those that begin with # are for readers."""
    order = verdict.order
    if order is None:
        why = verdict.reason if verdict.valid == "unknown" else None
        if not verdict.find_order:
            why = f"{verdict.why_no_order}: --expect linearizable does"
        yield f"# No order is known: {why or verdict.why_no_order}"
        return
    yield f"# {_what(order)}"
    yield _COLUMNS
    for place, row in enumerate(order.rows.tolist(), 1):
        yield _line(str(place), order.history[row])
    if order.end is not None:
        follows = "cannot follow" if order.longest else "may follow or not: nobody found out"
        yield f"# At event {order.end + 1} this was over, and {follows}:"
        for row in order.stuck:
            yield _line("-", history[row])


def _what(order: Order) -> str:
    count = f"{len(order.rows):,} operations"
    if order.end is None:
        left = len(order.history) - len(order.rows)
        others = f"; {left:,} more failed, or crashed and need not have happened" if left else ""
        return f"Linearizable: {count} in an order that proves it{others}."
    surely = (
        "the longest beginning that has one"
        if order.longest
        else "the longest for which one was found in time"
    )
    return f"Not linearizable: {count} in an order of the first {order.end:,} events, {surely}."


def _line(place: str, op: Op) -> str:
    return "\t".join([place, str(op.index), str(op.process), op.f, quoted(op.key), _value(op)])


def _value(op: Op) -> str:
    """What was asked, what was answered, or both where the one does not tell the other."""
    if op.input is None:
        return quoted(op.output)
    if op.outcome == "fail":
        return f"{quoted(op.input)} → {op.error}"
    return f"{quoted(op.input)} → {quoted(op.output)}" if is_answered(op) else quoted(op.input)
