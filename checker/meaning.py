"""What the values of a history file mean, where its writer's habits differ from ours.

Each habit is looked for in the values themselves. What was read otherwise than it stands there is
said in a note, and everything that is assumed of a file stands in docs/checker.md.
"""

from collections.abc import Hashable, Iterator
from typing import Any, Final

import numpy as np

from partita.checker.formats.format import Columns
from partita.checker.keys import Fields, codes, noted, split_keys, split_versions
from partita.checker.values import NULL

_NEVER: Final = np.iinfo(np.int64).max
_OK, _FAIL, _INFO = range(3)

# What these are invoked with is written, and their answer tells at most what was.
_GIVING: Final = ("write", "append", "add", "put", "enqueue")
_NO_OBSERVERS: Final = frozenset({*_GIVING, "cas", "acquire", "release", "transfer"})

# Clocks that begin so late count from the start of a machine or of 1970: told from the first event.
_LATE_NS: Final = 3_600 * 10**9
# Clocks of several threads are a little behind each other; more than this contradicts the lines.
_BACKWARDS_NS: Final = 10**9


def meant(fields: Fields, columns: Columns, keyed: bool | None, name: str) -> Fields:
    """Return the fields of a `History` with all habits of the file's writer undone."""
    fields = {**fields, "notes": [*fields["notes"], *_about(columns)]}
    fields = _named_processes(fields, columns)
    fields = split_versions(fields)
    if (fields["version"] < 0).all() or keyed:
        fields = split_versions(split_keys(fields, keyed, name))
    return _from_the_first_event(_answered(fields), columns)


def _about(columns: Columns) -> Iterator[str]:
    """Say what is unusual about the lines."""
    if columns["markers"]:
        what = "1 event names" if columns["markers"] == 1 else f"{columns['markers']:,} events name"
        yield f"{what} no process: left out as markers"
    if columns["nameless"]:
        yield "no event names a process, and none is an invocation: nothing is known of their order"
    if columns["paired"]:
        yield "no event names a process: each invocation is completed by the event after it"
    if columns["ordered_by_index"]:
        yield "the events stand in the order of their indexes, which is not that of their lines"
    elif columns["disordered"]:
        yield "the indexes of events do not grow from line to line: the order of the lines counts"
    back, event = columns["backwards"]
    earliest, latest = columns["span"]
    if back > 0 and back > min((latest - earliest) / 20, _BACKWARDS_NS):
        yield (
            f"the clocks contradict the lines: at event {event:,} they go back by"
            f" {_duration(back)}. The order of the lines counts, not that of the times"
        )


def _duration(ns: int) -> str:
    return f"{ns / 1e9:.3f} s" if ns >= 10**6 else f"{ns:,} ns"


def _named_processes(fields: Fields, columns: Columns) -> Fields:
    """Give processes with names the numbers behind all others, and keep the names."""
    names, process = columns["process_names"], fields["process"]
    if not names:
        return fields
    named = process >= columns["named_process"]
    first = int(process[~named].max(initial=-1)) + 1
    process = np.where(named, process - columns["named_process"] + first, process)
    table = {first + number: name for number, name in enumerate(names)}
    return {**fields, "process": process, "process_names": table}


def _answered(fields: Fields) -> Fields:
    """Look at answers of operations that usually have none: values that the store chose, or no."""
    asking = _are(fields, (*_GIVING, "cas"))
    answered = asking & (fields["outcome"] == _OK) & (fields["output"] != NULL)
    if not answered.any():
        return fields
    is_cas = _are(fields, ("cas",))
    return _chosen(_refused(fields, answered, is_cas), answered & ~is_cas)


def _are(fields: Fields, names: Any) -> Any:
    """Say of each operation whether it is one of these f, by a table: a million are looked at."""
    table = np.zeros(len(fields["fs"]), dtype=bool)
    table[codes(fields, names)] = True
    return table[fields["f"]]


def _refused(fields: Fields, answered: Any, is_cas: Any) -> Fields:
    """An answer `false` is a no: of a cas that nothing was done, of others at least perhaps."""
    no = answered & (fields["output"] == fields["values"].number(False))
    no &= fields["input"] != fields["output"]
    outcome, output = fields["outcome"].copy(), fields["output"].copy()
    completed, error, errors = (
        fields["completed_rank"].copy(),
        fields["error"].copy(),
        fields["errors"],
    )
    failed, doubtful = no & is_cas, no & ~is_cas
    outcome[failed], outcome[doubtful] = _FAIL, _INFO
    completed[doubtful] = _NEVER
    output[no | (answered & is_cas)] = NULL
    if failed.any():
        errors = errors if "mismatch" in errors else [*errors, "mismatch"]
        error[failed] = errors.index("mismatch")
        fields = noted(fields, f"{_counted(failed, 'cas')} answered false: nothing was done")
    if doubtful.any():
        what = f"{_counted(doubtful, 'operation')} answered false"
        fields = noted(fields, f"{what}: that may mean that nothing was done, or that it was")
    changed = {"outcome": outcome, "output": output, "completed_rank": completed}
    return {**fields, **changed, "error": error, "errors": errors}


def _chosen(fields: Fields, answered: Any) -> Fields:
    """Where a write completed with another value than it was invoked with, the store chose it.

    Unless the answer is only an acknowledgement ("OK", true, a revision): then nobody ever reads
    it. What was written without a value must have been chosen.
    """
    answered = answered & (fields["output"] != NULL)
    rows = np.flatnonzero(answered)
    if not len(rows):
        return fields
    seen = _seen(fields)
    unsaid = fields["input"][rows] == NULL
    answers = [fields["values"].decoded(code) for code in fields["output"][rows].tolist()]
    asked = [fields["values"].decoded(code) for code in fields["input"][rows].tolist()]
    read = np.array([_frozen(each) in seen for each in answers])
    flag = np.array([isinstance(each, bool) for each in answers])
    by_answer = int(read[~unsaid].sum())
    by_input = sum(_frozen(each) in seen for each, no in zip(asked, unsaid, strict=True) if not no)
    chosen = np.where(unsaid, ~flag | read, by_answer > by_input)
    given, returned = fields["input"].copy(), fields["output"].copy()
    given[rows[chosen]] = returned[rows[chosen]]
    returned[rows[chosen]] = NULL
    if not chosen.any():
        return fields
    note = (
        f"{_counted(chosen, 'operation')} completed with another value than on invocation:"
        " the store chose it, and it is what was written"
    )
    return noted({**fields, "input": given, "output": returned}, note)


def _seen(fields: Fields) -> set[Hashable]:
    """Return all values that operations were answered, and the elements of those with any."""
    observers = ~np.isin(fields["f"], codes(fields, _NO_OBSERVERS)) & (fields["outcome"] == _OK)
    seen: set[Hashable] = set()
    for code in np.unique(fields["output"][observers & (fields["output"] != NULL)]).tolist():
        value = fields["values"].decoded(code)
        seen.add(_frozen(value))
        if isinstance(value, list):
            seen.update(map(_frozen, value))
    return seen


def _frozen(value: Any) -> Hashable:
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    if isinstance(value, dict):
        return frozenset((name, _frozen(each)) for name, each in value.items())
    # Python's True is 1, which is not what a file says.
    return (str, value) if isinstance(value, bool) else value


def _counted(which: Any, what: str) -> str:
    count = int(which.sum())
    return f"1 {what}" if count == 1 else f"{count:,} {what}{'' if what == 'cas' else 's'}"


def _from_the_first_event(fields: Fields, columns: Columns) -> Fields:
    """Count times from the first event if they count from long before it."""
    earliest, latest = columns["span"]
    fields = {**fields, "span_ns": max(0, latest - earliest)}
    if latest < 0 or earliest < max(_LATE_NS, 10 * (latest - earliest)):
        return fields
    times = fields["others"].time
    origin = int(times[times >= 0].min(initial=earliest))
    clocks = ("invoked_ns", "completed_ns", "due_ns")
    changed = {name: np.where(fields[name] < 0, -1, fields[name] - origin) for name in clocks}
    others = fields["others"].since(origin)
    note = f"times are told from the first event on, which was at {origin} ns"
    return noted({**fields, **changed, "others": others, "origin_ns": origin}, note)
