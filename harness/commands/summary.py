"""The results of a run as a table that fits a terminal of 80 columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

WORDS = {True: ("VALID", "green"), False: ("INVALID", "red"), "unknown": ("UNKNOWN", "yellow")}
WIDTH = 80
# Of the time, from which share on a router of messages is told to be one of the reasons for delays.
ROUTER_BUSY = 0.25


def summary(outcome: dict[str, Any]) -> str:
    """Return the summary, several lines without a final newline."""
    word, colour = WORDS[outcome["valid"]]
    lines = [
        *_down(outcome),
        click.style(word, fg=colour, bold=True) + f"  {outcome['system']} {outcome['workload']}",
    ]
    if outcome["valid"] is True and outcome["missed"]:
        lines.append(click.style("  but it does not pass: a threshold was missed", fg="red"))
    if outcome["reason"]:
        lines.append(wrapped(outcome["reason"]))
    lines += _checks(outcome)
    lines.append("")
    counts = ", ".join(f"{outcome[name]} {name}" for name in ("ok", "fail", "info"))
    lines.append(f"  operations   {outcome['operations']}: {counts}")
    lines += _elements(outcome)
    lines += _contention(outcome)
    lines.append(f"  availability {_percent(outcome['availability'])}" + _by_node(outcome))
    if outcome["longest_unavailability"] is not None:
        lines.append(f"  longest time without an answer {outcome['longest_unavailability']:.1f} s")
    lines += _messages(outcome)
    for fault in outcome["faults"]:
        lines += _fault(fault)
    lines += [f"  missed       {missed}" for missed in outcome["missed"]]
    lines += ["", f"  {outcome['run']}/report.html"]
    return "\n".join(lines)


def table(outcomes: Sequence[Mapping[str, Any]]) -> str:
    """Return a line for each of several runs, and the reason under those that did not pass."""
    lines = []
    for outcome in outcomes:
        word, colour = WORDS[outcome["valid"]]
        faults = " ".join(dict.fromkeys(fault["target"] for fault in outcome.get("faults", ())))
        what = f"{outcome['system']} {outcome['workload']} {faults}".strip()
        share = _percent(outcome.get("availability"))
        seed = "" if outcome["seed"] is None else outcome["seed"]
        lines.append(f"{click.style(f'{word:8}', fg=colour)} {what:44} {share:>8}  {seed}")
        reasons = [outcome["reason"], *outcome.get("missed", ())]
        if not outcome["passed"]:
            lines += [f"         {reason}" for reason in reasons if reason]
    return "\n".join(lines)


def _down(outcome: Mapping[str, Any]) -> list[str]:
    """Say before the verdict which nodes did not come back, and what each said last."""
    down = outcome.get("down") or {}
    if not down:
        return []
    most = 2 * len(down) > len(outcome.get("availability_by_node") or ())
    who = f"{', '.join(down)}{', most of the nodes' if most and len(down) > 1 else ''}"
    lines = [click.style("DOES NOT COME BACK", fg="red", bold=True) + f"  {who}"]
    for node, words in down.items():
        said = words.strip().splitlines() or ["no words"]
        lines.append(wrapped(f"{node} said last: {said[-1].strip()}"))
    return [*lines, ""]


def _checks(outcome: Mapping[str, Any]) -> list[str]:
    """What each check found; the reason above tells at length why the run is invalid."""
    from partita.reports import check_sentences  # what draws is not for partita check to import

    lines = []
    for name, sentence in check_sentences(outcome).items():
        said = sentence.replace(f": {outcome['reason']}", "") if outcome["reason"] else sentence
        lines.append(wrapped(f"{name}: {said}"))
    return lines


def _elements(outcome: Mapping[str, Any]) -> list[str]:
    from partita.reports import fates

    if outcome["acknowledged"] is None:
        return []
    return [f"  elements     {outcome['acknowledged']} acknowledged, {fates(outcome)}"]


def _contention(outcome: Mapping[str, Any]) -> list[str]:
    told = outcome.get("contention")
    if not told:
        return []
    per_commit = told["retries_per_commit"]
    per_commit = "" if per_commit is None else f", {per_commit:.2f} retries per commit"
    rate = _percent(told["commit_rate"])
    return [f"  commits      {told['committed']}, {rate} of all attempts{per_commit}"]


def _messages(outcome: Mapping[str, Any]) -> list[str]:
    """Say that nodes sent more than can be passed on at once: not all that is slow is theirs."""
    told = outcome.get("messages") or {}
    busy, slowed = told.get("router_share") or 0, told.get("slowed") or {}
    if busy <= ROUTER_BUSY and not slowed:
        return []
    lines = [
        f"  messages     {told['delivered']}; passing them on took {_percent(busy)} of the time"
    ]
    if slowed:
        lines.append(f"               {', '.join(slowed)} sent more than may wait, and was held up")
    return lines


def _by_node(outcome: dict[str, Any]) -> str:
    shares = outcome["availability_by_node"].items()
    text = ", ".join(f"{node} {_percent(share)}" for node, share in shares)
    return f"  ({text})" if len(text) < WIDTH - 25 else ""


def _fault(fault: dict[str, Any]) -> list[str]:
    what = f"{fault['action']} {fault['target']}: {fault['description']}"
    end = "the end" if fault["to"] is None else f"{fault['to']:.0f} s"
    bit = "bit" if fault["bit"] else "did NOT bite"
    lines = [f"fault {fault['fault']}      {what}", f"from {fault['from']:.0f} s to {end}; {bit}"]
    leader, recovery = fault["seconds_to_new_leader"], fault["seconds_to_recover"]
    if leader is not None:
        lines.append(f"first write on the majority side after {leader:.1f} s")
    if recovery is not None:
        lines.append(f"last node to write again {recovery:.1f} s after the heal")
    return [f"  {lines[0]}", *(f"               {line}" for line in lines[1:])]


def wrapped(text: str) -> str:
    """Indent a text and wrap each of its lines by itself."""
    return "\n".join(click.wrap_text(line, WIDTH, "  ", "  ") for line in text.splitlines())


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"
