"""Says what came out of a run in English, for pages, terminals and CI alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from partita.checker.explain import capital
from partita.reports.figures.checks import CheckResult, checks_of

# How a level came to be expected, and how one that was not is spoken of.
ASKED = {"promise": "promised", "expect": "asked for with --expect", "check": "expected"}
# What may become of the elements of a list or a queue, in docs/glossary.md's words.
FATES = ("lost", "duplicated", "reordered", "recovered", "unexpected")
UNASKED = {"promise": "not promised", "expect": "not asked for", "check": "not asked for"}


def verdict_word(results: Mapping[str, Any]) -> str:
    """`Valid`, `Invalid` or `Unknown`."""
    valid = results.get("valid")
    return "Valid" if valid is True else "Invalid" if valid is False else "Unknown"


def verdict_sentence(results: Mapping[str, Any]) -> str:
    """Why the verdict is what it is, in a sentence or two."""
    verdict = results.get("verdict") or {}
    if results.get("valid") is True:
        return " ".join([_why_valid(results, verdict), *_notes(results)])
    explanation = verdict.get("explanation") or results.get("reason") or verdict.get("reason")
    if explanation:
        return str(explanation)
    if results.get("valid") is False:
        return "The history breaks the model; the checker gave no explanation."
    return "Nothing says why: the run's results name no reason."


def _notes(results: Mapping[str, Any]) -> list[str]:
    """What does not hold though nobody asked for it, and what was to be judged but was not."""
    found: dict[str, str] = {}
    for check in checks_of(results):
        for level in check.unasked:
            note = f"Not {level}, which is {unasked(check)}{because(check, level)}"
            found.setdefault(level, stopped(note))
        if check.expected and not check.applies:
            why = check.reason or "it does not apply"
            found[check.name] = stopped(f"The check {check.name} did not judge it: {why}")
    return list(found.values())


def stopped(text: str) -> str:
    """A text that ends as a sentence does."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _why_valid(results: Mapping[str, Any], verdict: Mapping[str, Any]) -> str:
    checks = [check for check in checks_of(results) if check.valid is True]
    if not checks:
        return _why_linearizable(results, verdict)
    return " ".join(_why_held(check, results) for check in checks)


def _why_held(check: CheckResult, results: Mapping[str, Any]) -> str:
    if check.holds == "linearizable" and check.model:
        return _why_linearizable(results, {"model": check.model})
    return stopped(capital(f"{check.name}: {_held(check)}"))


def _why_linearizable(results: Mapping[str, Any], verdict: Mapping[str, Any]) -> str:
    a_list = results.get("reordered") is None  # only a queue counts these
    if results.get("acknowledged") is not None and a_list:
        return _why_append_valid(results)
    ok, model = results.get("ok", 0), verdict.get("model", "the model")
    return (
        f"All {ok:,} acknowledged operations fit into one order that {model} and real time allow."
    )


def _why_append_valid(results: Mapping[str, Any]) -> str:
    acknowledged, recovered = results["acknowledged"], results.get("recovered") or 0
    sentence = f"All {acknowledged:,} acknowledged elements were there in the end: none was lost."
    if recovered:
        were = "element was" if recovered == 1 else "elements were"
        sentence += f" {recovered:,} unacknowledged {were} committed all the same."
    return sentence


def check_sentences(results: Mapping[str, Any]) -> dict[str, str]:
    """What each check found, by its name: what was expected, what holds, and what does not.

    A level that does not hold though nobody asked for it is told once, with the explanation, by
    the first check that has it. Empty for older runs, which had one check and no more to say.
    """
    told: set[str] = set()
    found = {}
    for check in checks_of(results):
        fresh = [level for level in check.unasked if level not in told]
        found[check.name] = _check_sentence(check, fresh)
        told |= {*fresh, str(check.expected)}
    return found


def brief_checks(results: Mapping[str, Any]) -> dict[str, str]:
    """What each check found, by its name, in a few words; empty for older runs."""
    return {check.name: _brief(check) for check in checks_of(results)}


def _brief(check: CheckResult) -> str:
    if not check.applies:
        return "not judged"
    if check.failed:
        return f"not {check.expected}"
    if check.expected and check.valid == "unknown":
        return f"unknown whether {check.expected}"
    if check.holds:
        return check.holds if check.expected else f"{check.holds} (not asked for)"
    if check.unasked:
        return f"not {check.unasked[-1]} ({unasked(check)})"
    return f"unknown ({unasked(check)})"


def _check_sentence(check: CheckResult, missing: Sequence[str]) -> str:
    if not check.applies:
        return f"not judged: {check.reason or 'it does not apply'}"
    said = [_expected(check)] if check.expected else []
    if check.holds and (check.expected is None or check.failed):
        said.append(f"{check.holds} holds")
    for level in () if check.failed else missing:
        said.append(f"not {level}, which is {unasked(check)}{because(check, level)}")
    if not said:
        known = ", ".join(check.levels)
        said.append(f"nobody knows whether {known} holds" if known else "it said nothing")
        said[0] += f": {check.reason}" if check.reason else ""
    return "; ".join(said)


def _expected(check: CheckResult) -> str:
    """What became of the level that was expected."""
    how = ASKED.get(check.asked, "expected")
    if check.valid is True:
        return _held(check)
    if check.valid is False:
        why = because(check, str(check.expected))
        return f"not {check.expected}, though that is {how}{why}"
    reason = f": {check.reason}" if check.reason else ""
    return f"nobody knows whether {check.expected} holds, which is {how}{reason}"


def _held(check: CheckResult) -> str:
    how = ASKED.get(check.asked, "expected")
    if check.holds in (None, check.expected):
        return f"{check.expected} holds, as {how}"
    return f"{check.holds} holds, which is more than {check.expected}, the level {how}"


def because(check: CheckResult, level: str) -> str:
    """The explanation of why a level does not hold, as the end of a sentence."""
    why = check.refuted.get(level)
    return f": {why.explanation}" if why and why.explanation else ""


def unasked(check: CheckResult) -> str:
    """How to speak of a level of a check that does not hold, but need not."""
    return UNASKED.get(check.asked, "not asked for")


def fates(results: Mapping[str, Any]) -> str:
    """What became of the elements that were put somewhere, as far as a check counted it."""
    known = ((results.get(name), name) for name in FATES)
    return ", ".join(f"{count:,} {name}" for count, name in known if count is not None)


def availability_sentence(results: Mapping[str, Any]) -> str:
    """How available the store was, beside what the network allowed."""
    share, bound = results.get("availability"), results.get("quorum_bound")
    if share is None:
        return "No operation was due, so nothing is known about availability."
    sentence = f"{share:.1%} of the due operations were acknowledged in time"
    if bound is not None and results.get("faults"):
        sentence += f"; a majority could be reached from {bound:.1%} of the nodes, on average"
        if share > bound:
            sentence += " (what is due during a fault may be answered in time after it)"
    return sentence + "."


def proof_sentence(fault: Mapping[str, Any]) -> str:
    """What shows that a fault bit, or that it did not."""
    if fault.get("error"):
        return f"injection failed: {fault['error']}"
    proof = fault.get("proof") or {}
    said = []
    if "pairs_cut" in proof:
        said.append(f"{proof.get('pairs_unreachable', 0)} of {proof['pairs_cut']} pairs cut off")
    if "packets_dropped" in proof:
        said.append(f"{proof['packets_dropped']:,} packets dropped")
    known = ("pairs_cut", "pairs_unreachable", "packets_dropped")
    others = (name for name in proof if name not in known)
    said += [f"{name.replace('_', ' ')}: {_listed(proof[name])}" for name in others]
    return ", ".join(said) or "nobody looked"


def _listed(value: Any) -> str:
    """A list by its elements, of which each may be a pair of nodes; a mapping by name and value."""
    if isinstance(value, Mapping):
        return " ".join(f"{name} {each}" for name, each in value.items())
    if not isinstance(value, list | tuple):
        return str(value)
    return " ".join(">".join(each) if isinstance(each, list) else str(each) for each in value)
