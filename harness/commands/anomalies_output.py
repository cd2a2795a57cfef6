"""Anomalies of transactions in the terminal: what was found, and what can still hold."""

from collections.abc import Iterator, Mapping
from typing import Any

from partita.checker.explain import listed


def summary(figures: Mapping[str, Any]) -> Iterator[str]:
    """Say in a line each which anomalies there are, and which models can still hold."""
    if figures["anomalies"]:
        yield f"anomalies: {', '.join(_counted(each) for each in figures['anomalies'])}"
    if figures["violated"]:
        yield f"ruled out: {listed(figures['violated'])}, and all that is stronger"
        undecided = set(figures["undecided"])
        possible = [f"{each} (not decided)" if each in undecided else each
                    for each in figures["possible"]]  # fmt: skip
        if possible:
            yield f"the strongest that can still hold: {listed(possible)}"


def each_told(figures: Mapping[str, Any]) -> Iterator[str]:
    """Tell each kind of anomaly by one example."""
    for anomaly in figures["anomalies"]:
        name, _, told = anomaly["explanation"].partition("\n")
        yield f"{name.rstrip('.')}, {_times(anomaly)}.\n{told}"


def _counted(anomaly: Mapping[str, Any]) -> str:
    return f"{anomaly['name']} ({_times(anomaly)})"


def _times(anomaly: Mapping[str, Any]) -> str:
    least = "at least " if anomaly["at_least"] else ""
    return f"{least}{anomaly['count']:,} found"
