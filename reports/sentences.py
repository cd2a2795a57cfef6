"""Says what came out of a run in English, for pages, terminals and CI alike."""

from collections.abc import Mapping
from typing import Any


def verdict_word(results: Mapping[str, Any]) -> str:
    """`Valid`, `Invalid` or `Unknown`."""
    valid = results.get("valid")
    return "Valid" if valid is True else "Invalid" if valid is False else "Unknown"


def verdict_sentence(results: Mapping[str, Any]) -> str:
    """Why the verdict is what it is, in a sentence or two."""
    verdict = results.get("verdict") or {}
    if results.get("valid") is True:
        return _why_valid(results, verdict)
    explanation = verdict.get("explanation") or results.get("reason") or verdict.get("reason")
    if explanation:
        return str(explanation)
    if results.get("valid") is False:
        return "The history breaks the model; the checker gave no explanation."
    return "Nothing says why: the run's results name no reason."


def _why_valid(results: Mapping[str, Any], verdict: Mapping[str, Any]) -> str:
    if results.get("acknowledged") is not None:
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
    """A list by its elements, of which each may be a pair of nodes."""
    if not isinstance(value, list | tuple):
        return str(value)
    return " ".join(">".join(each) if isinstance(each, list) else str(each) for each in value)
