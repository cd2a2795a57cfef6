"""Histories that other checkers ship with their own tests, with the verdicts stated there.

They are not part of this repository: PARTITA_CORPORA names their folder.
"""

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from partita.checker import History, check

HERE = Path(__file__).parents[2]
CORPORA = Path(os.environ.get("PARTITA_CORPORA", HERE.parent / "shared" / "corpora"))

pytestmark = pytest.mark.skipif(
    not CORPORA.is_dir(), reason=f"no corpora in {CORPORA}: name their folder in PARTITA_CORPORA"
)

INITIAL: dict[str, Any] = {"0": 0, "{:x 0 :y 0}": {":x": 0, ":y": 0}}


def recorded() -> Iterator[tuple[Path, str, Any, bool]]:
    with (CORPORA / "index.tsv").open() as index:
        for row in csv.DictReader(index, delimiter="\t"):
            path = CORPORA / row["group"] / f"{row['name']}.jsonl"
            yield path, row["model"].split()[0], INITIAL.get(row["init"]), row["expect"] == "True"


def test_every_verdict_is_the_one_stated() -> None:
    wrong = []
    seconds = 0.0
    for path, model, initial, expected in recorded():
        verdict = check(History.read(path), model, initial=initial, time_limit=20)
        seconds += verdict.seconds
        if verdict.valid != expected:
            wrong.append(f"{path.name}: {verdict}")
    assert not wrong
    assert seconds < 20


def test_edn_says_the_same_as_json_lines() -> None:
    for path in (CORPORA / "edn").glob("*.edn"):
        edn = History.read(path)
        assert len(edn) > 1 and not edn.notes
        twin = next(CORPORA.glob(f"*/{path.stem}.jsonl"), None)
        if twin is None:
            continue
        json = History.read(twin)
        assert list(edn) == list(json)
        assert edn.invoked_rank.tolist() == json.invoked_rank.tolist()
