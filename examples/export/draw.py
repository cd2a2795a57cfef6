"""Draw the spans in a file of OTLP: python draw.py spans.jsonl trace.png [BEGIN END]

One lane for each process of a node, faults as bands above all lanes, seconds since the root began.
It reads nothing but the file, so that the picture shows what any viewer of traces would get.
"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt

COLOURS = {"ok": "#4878a8", "fail": "#d8a03c", "info": "#c03028"}


def spans(path):
    """Yield each span as a plain dictionary, its attributes among the rest."""
    for line in path.read_text().splitlines():
        for resource in json.loads(line)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    said = {each["key"]: plain(each["value"]) for each in span["attributes"]}
                    begin, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
                    yield {"name": span["name"], "begin": begin, "end": end, **said}


def plain(value):
    """Return an attribute's value: OTLP writes down its kind as well."""
    ((kind, said),) = value.items()
    return int(said) if kind == "intValue" else said


def draw(path, target, begin=None, end=None):
    found = list(spans(path))
    zero = min(span["begin"] for span in found)
    from_, to = (zero + (second or 0) * 1e9 for second in (begin, end))
    found = [span for span in found if span["end"] >= from_ and (end is None or span["begin"] < to)]
    lanes = sorted({lane(span) for span in found if "partita.outcome" in span}, reverse=True)
    figure, axes = plt.subplots(figsize=(10, 1.2 + 0.32 * len(lanes)), dpi=110)
    for span in found:
        at, lasted = (span["begin"] - zero) / 1e9, (span["end"] - span["begin"]) / 1e9
        if "partita.outcome" in span:
            colour = COLOURS[span["partita.outcome"]]
            axes.broken_barh(
                [(at, lasted)], (lanes.index(lane(span)) - 0.35, 0.7), color=colour,
                edgecolor=colour, linewidth=0.5,
            )  # fmt: skip
        elif "partita.fault.number" in span:
            axes.axvspan(at, at + lasted, color="#888888", alpha=0.2, linewidth=0)
            axes.annotate(
                span["name"], (max(at, begin or 0), 1), xycoords=("data", "axes fraction"),
                xytext=(2, 4), textcoords="offset points", annotation_clip=False,
            )  # fmt: skip
    axes.set_yticks(range(len(lanes)), [f"{node} · {process}" for node, process in lanes])
    axes.set_xlim(begin, end)
    axes.set_xlabel("seconds since the run began")
    bars = [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in COLOURS.values()]
    axes.legend(
        bars, list(COLOURS), loc="lower left", ncols=3, bbox_to_anchor=(0.7, 1), frameon=False
    )
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(target)


def lane(span):
    return span.get("server.address", "?"), span["partita.process"]


if __name__ == "__main__":
    source, target, *window = sys.argv[1:]
    draw(Path(source), Path(target), *map(float, window))
