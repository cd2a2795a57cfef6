"""The picture of a cycle of transactions, as SVG: who came before whom, and how one knows.

Time runs to the right, in order but not to scale; each process has a row. A transaction is a box,
from its beginning to its end, with those of its steps that matter. The picture grows until no
label touches another one or a box.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import product
from typing import Any, Final

from partita.checker import NEVER, History
from partita.checker.explain import moment
from partita.checker.transactions.micro_ops import found, micro_ops, plain, shown
from partita.reports.palette import GRID, INK, MUTED, OUTCOME, PAPER, QUANTILE

FONT: Final = 12.0
# Of a letter of the fixed-width fonts that pages name.
LETTER: Final = FONT * 0.61
LINE: Final = FONT * 1.4
PAD: Final = 8.0
_STEPS_MAX: Final = 6
# How far an arrow may bend out, as a share of its length: to its left, or below 0 to its right.
_BOWS: Final = (0.18, 0.35, 0.6, -0.18, -0.35, 0.9, -0.6, 1.3, -0.9)
COLOURS: Final[Mapping[str, str]] = {
    "ww": OUTCOME["fail"],
    "wr": QUANTILE["0.99"],
    "rw": OUTCOME["info"],
    "process": MUTED,
    "realtime": INK,
}
MEANINGS: Final[Mapping[str, str]] = {
    "ww": "wrote what the other then replaced or added to",
    "wr": "wrote what the other read",
    "rw": "read what the other then replaced or added to",
    "process": "one process did the one, then the other",
    "realtime": "had ended before the other began",
}


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle that nothing else may touch."""

    left: float
    top: float
    width: float
    height: float

    def touches(self, other: "Area", room: float = 0.0) -> bool:
        return (
            self.left < other.left + other.width + room
            and other.left < self.left + self.width + room
            and self.top < other.top + other.height + room
            and other.top < self.top + self.height + room
        )

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2


@dataclass(frozen=True, slots=True)
class Box:
    """A transaction: its place, and its lines, of which the first is its name."""

    row: int
    area: Area
    lines: tuple[str, ...]
    outcome: str


@dataclass(frozen=True, slots=True)
class Arrow:
    """An edge: a curve by its two ends and the point that it bends to, and its label."""

    relation: str
    begin: tuple[float, float]
    bend: tuple[float, float]
    end: tuple[float, float]
    text: str
    label: Area

    def at(self, share: float) -> tuple[float, float]:
        return _on_curve(self.begin, self.bend, self.end, share)


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything in its place. `top` is below 0 where an arrow bends out so far."""

    width: float
    height: float
    top: float
    lanes: tuple[tuple[str, float], ...]  # the name of each process, and the middle of its row
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def cycle(history: History, rows: Sequence[int], edges: Sequence[Mapping[str, Any]]) -> str:
    """Draw a cycle. `rows` are named T1, T2, … in their order; `edges` are as in the figures."""
    return _svg(laid_out(history, rows, edges))


def laid_out(history: History, rows: Sequence[int], edges: Sequence[Mapping[str, Any]]) -> Drawing:
    """Put everything into its place, with ever more room until nothing touches."""
    for room in (1.0, 1.4, 1.9, 2.5, 3.3, 4.4, 6.0, 8.0):
        boxes = _boxes(history, rows, edges, room)
        arrows = _arrows(boxes, edges, history)
        if arrows is not None:
            break
    else:
        raise ValueError("a cycle of so many transactions cannot be drawn")
    areas = [box.area for box in boxes] + [arrow.label for arrow in arrows]
    points = [arrow.at(share / 10) for arrow in arrows for share in range(11)]
    lowest = max([area.top + area.height for area in areas] + [y for _, y in points])
    rightmost = max([area.left + area.width for area in areas] + [x for x, _ in points])
    highest = min([0.0, *(y - PAD for _, y in points)])
    lanes = _lanes(history, boxes)
    return Drawing(rightmost + 2 * PAD, lowest + 2 * PAD, highest, lanes, boxes, arrows)


# Places ------------------------------------------------------------------------------------------


def _boxes(
    history: History, rows: Sequence[int], edges: Sequence[Mapping[str, Any]], room: float
) -> tuple[Box, ...]:
    texts = {row: _lines(history, row, number, edges) for number, row in enumerate(rows, 1)}
    widths = {row: 2 * PAD + LETTER * max(map(len, lines)) for row, lines in texts.items()}
    left, right = _span(history, rows, widths, room)
    processes = list(dict.fromkeys(history.process_of(row) for row in sorted(rows)))
    margin = LETTER * max(len(f"process {process}") for process in processes) + 3 * PAD
    tallest = max(len(lines) for lines in texts.values()) * LINE + 2 * PAD
    lane = tallest + 64 * room
    return tuple(
        Box(
            row,
            Area(
                margin + left[row],
                40 * room + lane * processes.index(history.process_of(row)),
                right[row] - left[row],
                len(texts[row]) * LINE + 1.5 * PAD,
            ),
            texts[row],
            history[row].outcome,
        )
        for row in rows
    )


def _span(
    history: History, rows: Sequence[int], widths: Mapping[int, float], room: float
) -> tuple[dict[int, float], dict[int, float]]:
    """Return where each transaction begins and ends: all events in order, each box wide enough."""
    ends = {row: _ended(history, row) for row in rows}
    events = sorted(
        [(int(history.invoked_rank[row]), 0, row) for row in rows]
        + [(ends[row], 1, row) for row in rows]
    )
    left: dict[int, float] = {}
    right: dict[int, float] = {}
    place, before = 0.0, None
    for _, ending, row in events:
        # Between two transactions there is room for the label of an edge from one to the other.
        place += 0 if before is None else 110 * room if before == 1 and not ending else 28 * room
        before = ending
        if ending:
            place = right[row] = max(place, left[row] + widths[row])
        else:
            left[row] = place
    return left, right


def _ended(history: History, row: int) -> int:
    ended = int(history.ended_rank[row])
    return ended if ended < NEVER else int(NEVER)


def _lanes(history: History, boxes: Sequence[Box]) -> tuple[tuple[str, float], ...]:
    found: dict[str, float] = {}
    for box in boxes:
        found.setdefault(f"process {history.process_of(box.row)}", box.area.middle[1])
    return tuple(found.items())


def _lines(
    history: History, row: int, number: int, edges: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    """Return what stands in a box: name and time, then what was done to the keys that matter."""
    keys = [edge["key"] for edge in edges if row in (edge["from"], edge["to"])]
    steps = [step for step in micro_ops(history, row) if step.key in keys]
    lines = [_step(step.f, step.key, step.value, step.known) for step in steps]
    if len(lines) > _STEPS_MAX:
        lines = [*lines[: _STEPS_MAX - 1], f"… {len(lines) - _STEPS_MAX + 1} more"]
    state = {"info": "  no answer", "fail": "  failed"}.get(history[row].outcome, "")
    return (f"T{number}  {moment(history, row)}{state}", *lines)


def _step(f: str, key: Any, value: Any, known: bool) -> str:
    if f == "r":
        return f"read {plain(key)} → {found(value) if known else '?'}"
    return f"{'append' if f == 'append' else 'write'} {plain(key)} {shown(value)}"


# Edges -------------------------------------------------------------------------------------------


def _arrows(
    boxes: Sequence[Box], edges: Sequence[Mapping[str, Any]], history: History
) -> tuple[Arrow, ...] | None:
    """Return all arrows with their labels, None if there is no room for one of them."""
    areas = {box.row: box.area for box in boxes}
    taken = [*areas.values()]
    arrows = []
    for edge in edges:
        arrow = _arrow(edge, areas, taken, history)
        if arrow is None:
            return None
        arrows.append(arrow)
        taken.append(arrow.label)
    return tuple(arrows)


def _arrow(
    edge: Mapping[str, Any], areas: Mapping[int, Area], taken: Sequence[Area], history: History
) -> Arrow | None:
    """Return an arrow; of all ways to bend it and places of its label the first that is free."""
    one, other = areas[edge["from"]], areas[edge["to"]]
    text = label(edge, history)
    width, height = LETTER * len(text) + PAD, FONT + 6
    others = [area for area in taken if area not in (one, other)]
    best: tuple[int, Arrow] | None = None
    for bow, share in product(_BOWS, (0.5, 0.4, 0.6, 0.3, 0.7)):
        begin, bend, end = _curve(one, other, bow)
        x, y = _on_curve(begin, bend, end, share)
        area = Area(x - width / 2, y - height / 2, width, height)
        if area.left < 0 or area.top < 0 or any(area.touches(each, 3) for each in taken):
            continue
        arrow = Arrow(edge["relation"], begin, bend, end, text, area)
        crossed = sum(
            Area(px, py, 0, 0).touches(each)
            for each in others
            for px, py in (arrow.at(step / 20) for step in range(21))
        )
        if best is None or crossed < best[0]:
            best = (crossed, arrow)
        if not crossed:
            break
    return best[1] if best else None


def _curve(
    one: Area, other: Area, bow: float
) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float]]:
    """Return a curve from border to border that bends to its left, so that back is elsewhere."""
    (x1, y1), (x2, y2) = one.middle, other.middle
    dx, dy = x2 - x1, y2 - y1
    length = max(1.0, (dx * dx + dy * dy) ** 0.5)
    out = bow * length + (30 if bow > 0 else -30)
    bend = ((x1 + x2) / 2 + out * dy / length, (y1 + y2) / 2 - out * dx / length)
    return _border(one, bend), bend, _border(other, bend)


def _border(area: Area, to: tuple[float, float]) -> tuple[float, float]:
    """Return the point of a box's border that lies towards a point."""
    (x, y), (dx, dy) = area.middle, (to[0] - area.middle[0], to[1] - area.middle[1])
    shares = [half / abs(delta) for half, delta in
              ((area.width / 2, dx), (area.height / 2, dy)) if delta]  # fmt: skip
    share = min([*shares, 1.0])
    return x + dx * share, y + dy * share


def _on_curve(
    begin: tuple[float, float], bend: tuple[float, float], end: tuple[float, float], share: float
) -> tuple[float, float]:
    rest = 1 - share
    x, y = (
        rest * rest * begin[axis] + 2 * rest * share * bend[axis] + share * share * end[axis]
        for axis in (0, 1)
    )
    return x, y


def label(edge: Mapping[str, Any], history: History) -> str:
    """Say in a few letters how one knows that the one came before the other."""
    relation, key = edge["relation"], edge["key"]
    if relation == "process":
        return f"process {history.process_of(edge['from'])}"
    if relation == "realtime":
        return "real time"
    before = "nothing" if edge["before"] is None else shown(edge["before"])
    if relation == "wr":
        return f"wr {plain(key)}: {before}"
    return f"{relation} {plain(key)}: {before} → {shown(edge['after'])}"


# SVG ---------------------------------------------------------------------------------------------


def _svg(drawing: Drawing) -> str:
    width, top, height = drawing.width, drawing.top, drawing.height - drawing.top
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 {top:.0f} {width:.0f} {height:.0f}"'
        ' font-family="ui-monospace, DejaVu Sans Mono, Liberation Mono, monospace"'
        f' font-size="{FONT:g}">',
        *_markers(),
        *(_lane(name, y, width) for name, y in drawing.lanes),
        *(_path(arrow) for arrow in drawing.arrows),
        *(part for box in drawing.boxes for part in _box(box)),
        *(part for arrow in drawing.arrows for part in _label(arrow)),
        "</svg>",
    ]
    return "\n".join(lines)


def _markers() -> Iterator[str]:
    yield "<defs>"
    for relation, colour in COLOURS.items():
        yield (
            f'<marker id="{relation}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8"'
            f' markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
            f'<path d="M0,0 L8,4 L0,8 z" fill="{colour}"/></marker>'
        )
    yield "</defs>"


def _lane(name: str, y: float, width: float) -> str:
    return (
        f'<path d="M{PAD:g},{y:.1f} H{width - PAD:.1f}" stroke="{GRID}"/>'
        f'<rect x="0" y="{y - 9:.1f}" width="{LETTER * len(name) + 2 * PAD:.1f}" height="18"'
        f' fill="{PAPER}"/><text class="lane" x="{PAD:g}" y="{y + 4:.1f}" fill="{MUTED}">'
        f"{escape(name)}</text>"
    )


def _path(arrow: Arrow) -> str:
    (x1, y1), (bx, by), (x2, y2) = arrow.begin, arrow.bend, arrow.end
    dashed = ' stroke-dasharray="5 4"' if arrow.relation in ("process", "realtime") else ""
    return (
        f'<path d="M{x1:.1f},{y1:.1f} Q{bx:.1f},{by:.1f} {x2:.1f},{y2:.1f}" fill="none"'
        f' stroke="{COLOURS[arrow.relation]}" stroke-width="1.8"{dashed}'
        f' marker-end="url(#{arrow.relation})"/>'
    )


def _box(box: Box) -> Iterator[str]:
    area, hollow = box.area, box.outcome != "ok"
    dashed = ' stroke-dasharray="5 4"' if hollow else ""
    yield (
        f'<rect class="box" x="{area.left:.1f}" y="{area.top:.1f}" width="{area.width:.1f}"'
        f' height="{area.height:.1f}" rx="5" fill="{PAPER}" stroke="{OUTCOME[box.outcome]}"'
        f' stroke-width="1.5"{dashed}/>'
    )
    for number, text in enumerate(box.lines):
        weight = ' font-weight="bold"' if not number else ""
        yield (
            f'<text class="step" x="{area.left + PAD:.1f}"'
            f' y="{area.top + PAD / 2 + FONT + LINE * number:.1f}" fill="{INK}"{weight}'
            f' xml:space="preserve">{escape(text)}</text>'
        )


def _label(arrow: Arrow) -> Iterator[str]:
    area = arrow.label
    yield (
        f'<rect class="label" x="{area.left:.1f}" y="{area.top:.1f}" width="{area.width:.1f}"'
        f' height="{area.height:.1f}" rx="4" fill="{PAPER}" stroke="{COLOURS[arrow.relation]}"/>'
    )
    yield (
        f'<text class="label" x="{area.middle[0]:.1f}" y="{area.middle[1] + FONT / 3:.1f}"'
        f' text-anchor="middle" fill="{INK}">{escape(arrow.text)}</text>'
    )
