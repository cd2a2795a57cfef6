"""Colours, in one place, for pictures and pages, on light and on dark ground.

Outcomes begin with Jepsen's blue, orange and pink, and are pulled apart in lightness until people
with any of the three colour-vision deficiencies can tell them apart; charts never rely on colour
alone all the same: an uncertain or failed operation is drawn hollow.
"""

from zlib import crc32

INK = "#1f2328"
MUTED = "#636c76"
GRID = "#d9dee3"
PAPER = "#ffffff"

OUTCOME = {"ok": "#4a91dd", "info": "#ee9a00", "fail": "#a31358"}

# Four shades of one hue, from the median to the maximum.
QUANTILE = {"0.5": "#9fc6f1", "0.95": "#4a91dd", "0.99": "#2a5f9e", "1": "#133257"}

# What a band behind the points says about the fault in force (Jepsen's, where it has one).
FAULT = {
    "partition": "#e9dca0",
    "kill": "#e9a4a0",
    "pause": "#a0b1e9",
    "stop": "#d9b8e0",
}
# For all others, by their names: any kind of fault may be added.
OTHER_FAULTS = ("#b5dfd0", "#ecc9a2", "#c9d6a0", "#e3bcd0")

# Messages between nodes, by their types: the most frequent is the calmest.
MESSAGE = ("#8c98a6", "#7a4fc9", "#12876f", "#a5681f", "#6b7a12", "#c2569b")

# The same on dark ground, for pages: each colour above that would be lost there.
ON_DARK = {
    INK: "#e6edf3",
    MUTED: "#9aa4ae",
    GRID: "#30363d",
    PAPER: "#0d1117",
    OUTCOME["ok"]: "#5aa2ee",
    OUTCOME["info"]: "#ffc04d",
    OUTCOME["fail"]: "#f0437f",
    QUANTILE["0.5"]: "#2c5b8f",
    QUANTILE["0.99"]: "#9cc8f7",
    QUANTILE["1"]: "#e2effd",
    FAULT["partition"]: "#6b5f1f",
    FAULT["kill"]: "#77332f",
    FAULT["pause"]: "#33467f",
    FAULT["stop"]: "#5f3f68",
    OTHER_FAULTS[0]: "#2b6353",
    OTHER_FAULTS[1]: "#75502a",
    OTHER_FAULTS[2]: "#55632a",
    OTHER_FAULTS[3]: "#6d3d56",
    MESSAGE[0]: "#7f8b99",
    MESSAGE[1]: "#b596f7",
    MESSAGE[2]: "#43c9a9",
    MESSAGE[3]: "#dba65f",
    MESSAGE[4]: "#b3c24f",
    MESSAGE[5]: "#ea92cb",
}


def fault_colour(action: str) -> str:
    """The colour of a fault's bands: the same wherever it is drawn."""
    return FAULT.get(action) or OTHER_FAULTS[crc32(action.encode()) % len(OTHER_FAULTS)]
