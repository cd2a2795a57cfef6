"""The parts a page is made of: packed operations, log excerpts, sentences."""

import base64
import gzip
from pathlib import Path

import numpy as np
import pytest
from synthetic_run import Story, write_run

from partita.reports import read_run
from partita.reports.packing import pack, shortened
from partita.reports.sentences import proof_sentence, verdict_sentence


def unpacked(run: Path) -> dict[str, np.ndarray]:
    packed = pack(read_run(run))
    raw, offset, columns = gzip.decompress(base64.b64decode(packed.data)), 0, {}
    for name, dtype in packed.header["columns"]:
        columns[name] = np.frombuffer(raw, dtype, packed.header["count"], offset)
        offset += columns[name].nbytes
    return columns


def test_packed_operations_are_those_of_the_history(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", Story(seconds=20, cut=5, heal=12))
    history, columns = read_run(run).history, unpacked(run)
    assert (columns["process"] == history.process).all()
    assert (columns["outcome"] == history.outcome).all()
    assert np.abs(columns["sent"] - history.invoked_ns / 1000).max() <= 1
    assert (columns["input"].astype(np.int32) == history.input).all()


def test_a_workers_processes_share_a_lane(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", Story(seconds=60, cut=5, heal=50, workers=5))
    packed, history = pack(read_run(run)), read_run(run).history
    assert len(np.unique(history.process)) > 10
    assert packed.header["lanes"] == [f"n{n + 1} · {n}" for n in range(5)]


def test_too_many_operations_are_thinned_out_but_not_the_wanted_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partita.reports.packing.OPERATIONS_MAX", 100)
    run = read_run(write_run(tmp_path / "run", Story(seconds=50, cut=5, heal=30)))
    packed = pack(run, wanted=[17, 18, 19])
    raw = gzip.decompress(base64.b64decode(packed.data))
    count = packed.header["count"]
    assert count <= 110
    assert packed.header["left_out"] == len(run.history) - count
    rows = np.frombuffer(raw, np.uint32, count, offset=(8 + 12) * count)
    assert {17, 18, 19} <= set(rows.tolist())


def test_long_values_are_shortened() -> None:
    assert shortened([1, 2]) == "[1,2]"
    assert shortened(list(range(2000))) == "[…, 1997, 1998, 1999] (2,000 elements)"
    assert len(shortened("x" * 500)) == 48


def test_sentences() -> None:
    assert "no reason" in verdict_sentence({"valid": "unknown"})
    assert verdict_sentence({"valid": "unknown", "reason": "nothing was read"}) == (
        "nothing was read"
    )
    found = {"valid": True, "acknowledged": 1200, "recovered": 1}
    assert verdict_sentence(found) == (
        "All 1,200 acknowledged elements were there in the end: none was lost. "
        "1 unacknowledged element was committed all the same."
    )
    struck = {"proof": {"silent": ["n1", "n2"], "strays": [["n1", "n3"]]}}
    assert proof_sentence(struck) == "silent: n1 n2, strays: n1>n3"
    clocks = {"proof": {"seconds_off": {"n1": 100.0, "n2": -0.5}}}
    assert proof_sentence(clocks) == "seconds off: n1 100.0 n2 -0.5"
    assert proof_sentence({"proof": {}}) == "nobody looked"
    assert proof_sentence({"error": "no iptables"}) == "injection failed: no iptables"
