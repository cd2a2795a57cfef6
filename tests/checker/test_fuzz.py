"""Whatever is in a file, the readers say what is wrong with it or make a history of it.

Runs under AddressSanitizer too (script/sanitize). A longer run:
PARTITA_FUZZ_SECONDS=3600 PARTITA_PIECES=100000 .venv/bin/pytest tests/checker/test_fuzz.py
"""

import os
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from partita.checker import History, HistoryError, ModelError, _native, check

SECONDS = float(os.environ.get("PARTITA_FUZZ_SECONDS", 3))
TEXTS = int(os.environ.get("PARTITA_PIECES", 300))

JSON = b"""{"process":0,"type":"invoke","f":"write","value":1,"time":12,"node":"n1"}
{"process":0,"type":"ok","f":"write","value":1,"time":1.5e1}
{"process":1,"type":"invoke","f":"cas","key":"k","value":[1,[2,"\\u00e9\\n"]],"due":3}
{"process":"nemesis","type":"info","f":"start","value":{"a":[true,null],"b":-0.5}}
{"process":1,"type":"fail","f":"cas","value":[1,2],"error":"mismatch","actual":7}
"""

EDN = b"""; history
[{:process 0, :type :invoke, :f :write, :value 1, :time 12}
 {:process 0, :type :ok, :f :write, :value 1N}
 #_ignored #op{:process 1, :type :invoke, :f :cas, :value [1 [2 "\\u00e9\\n"]]}
 {:process :nemesis, :type :info, :f :start, :value {:a #{1 2}, "b" \\x, 3 4/5}}
 ^:meta {:process 1, :type :info, :f :cas, :value (1 2), :error [:msg "x"]}]
"""

# Numbers of every notation, sets in sets, texts like keywords, names of processes, versions.
EDN_VALUES = b"""#_{:ignored 1}
{:index 1, :process "a", :type :invoke, :f :write, :value [7 [nil 0xfF]]}
{:index 2, :process "a", :type :ok, :f :write, :value [7 [36rZz9N 017]], :version -0}
{:index 0, :process 2, :type :invoke, :f :cas, :value [7 [nil {:from #{#{2 1} #{}}, :to ":a"}]]}
{:process :b, :type :event, :f :watch, :value [1/3 -2r101 +5. 6.02e23M 08.5 \\u0041]}
{:index 3, :process 2, :type :ok, :f :cas, :value [7 [99999999999999999999999N [1 2]]]}
"""

ARRAY = b"""[{"index":2,"process":0,"type":"invoke","f":"read","value":null},
{"index":3,"process":0,"type":"ok","f":"read","value":[1,{"a":"\\u003ab"}]}, {"index":0,
 "process":"x","type":"invoke","f":"add","value":1},{"index":1,"process":"x","type":"ok","f":"add",
 "value":false}]
"""

NAMELESS = b"""{"type":"ok","f":"read","value":1,"time":99}
{"type":"info","f":"read","value":1,"time":3}
{"type":"info","event":"phase"}
"""

LINES = b"""0\t:invoke\t:write\t3
INFO [2024-03-01 10:00:00,001] jepsen worker 1 - jepsen.util 1\t:invoke\t:cas\t[3 #{4 "]"}]
1\t:info\t:cas\t[3 #{4 "]"}]\t:timed-out
0 :ok :write 3 "it was \\"slow\\""
:nemesis\t:info\t:start\t{:n1 [:n2]}
"""

CALLS = b"""
{"ClientId":1,"Input":{"Type":"put","Key":"a","Value":"1"},"Call":10,"Output":{},"Return":20}
{"ClientId":1,"Input":{"Type":"get","Key":"a"},"Call":20,"Output":{"Value":"1"},"Return":40}
"""

TOKENS = (
    b'{ } [ ] ( ) " \\ : , ; # #_ ## ^ \0 \n \xff \\u d800 -0 1e999 99999999999999999999 null'
    b" 0x 0r 2r 1/ /0 #{ \t"
)


def mutated(random: Random, text: bytes) -> bytes:
    data = bytearray(text)
    for _ in range(random.choice([1, 1, 2, 8])):
        at = random.randrange(len(data) + 1)
        to = min(len(data), at + random.choice([0, 1, 2, 10, 100]))
        change = random.randrange(5)
        if change == 0:
            data[at:to] = bytes(random.randrange(256) for _ in range(to - at))
        elif change == 1:
            del data[at:to]
        elif change == 2:
            data[at:at] = random.choice(TOKENS.split(b" ")) * random.choice([1, 1, 2, 300])
        elif change == 3:
            data[at:at] = data[to:][: random.randrange(200)]
        else:
            del data[at:]
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "text", "refused"),
    [
        ("h.jsonl", JSON, 20),
        ("h.edn", EDN, 20),
        ("values.edn", EDN_VALUES, 20),
        ("array.json", ARRAY, 20),
        ("nameless.jsonl", NAMELESS, 20),
        ("history.txt", LINES, 500),  # what is no line of an operation is left out
        ("calls.jsonl", CALLS, 20),
    ],
)
def test_no_file_breaks_the_readers(tmp_path: Path, name: str, text: bytes, refused: int) -> None:
    """At least one file in `refused` is, and as many are read."""
    path = tmp_path / name
    path.write_bytes(text)
    assert len(History.read(path)) == 2
    outcomes = {"read": 0, "refused": 0}
    seed, end = 0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        seed += 1
        path.write_bytes(mutated(Random(seed), text))
        try:
            _use(History.read(path))
            outcomes["read"] += 1
        except HistoryError as error:
            assert "\n" not in str(error), f"seed {seed}"
            outcomes["refused"] += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
    assert min(outcomes.values()) > seed / refused


@pytest.mark.parametrize(
    ("notation", "text"),
    [
        ("json-lines", JSON),
        ("json-lines", NAMELESS),
        ("json", ARRAY),
        ("edn", EDN),
        ("edn", EDN_VALUES),
    ],
)
def test_pieces_make_no_difference(notation: str, text: bytes) -> None:
    """From the second one on, events are taken in another thread, behind what is being read."""
    read, refused = 0, 0
    for seed in range(TEXTS):
        random = Random(seed)
        given = mutated(random, text * random.choice([1, 3])) if seed else text
        piece, by_index = random.choice([8, 64, 300]), random.random() < 0.2
        whole = _plain(_native.read_text(given, notation, by_index))
        assert _plain(_native.read_text(given, notation, by_index, piece)) == whole, f"seed {seed}"
        read, refused = read + (whole[0] is not None), refused + (whole[0] is None)
    assert min(read, refused) > TEXTS / 50


@pytest.mark.parametrize("ending", ["\n", " "])  # events on lines of their own, or all on one
def test_mistakes_in_a_long_file_are_where_they_are(tmp_path: Path, ending: str) -> None:
    events, wrong = 60_000, 50_001
    lines = [_event(at) for at in range(events)]
    path = tmp_path / "history.edn"
    path.write_text(ending.join(lines))
    assert len(History.read(path)) == events / 2
    assert path.stat().st_size > 4 << 20
    # Two mistakes: the first one is told, whichever of the two threads comes upon it.
    lines[wrong] = _event(wrong).replace(":ok", ":done")
    lines[wrong + 100] = "{:process }"
    path.write_text(ending.join(lines))
    with pytest.raises(HistoryError) as refused:
        History.read(path)
    place = f"line {wrong + 1}" if ending == "\n" else f"event {wrong + 1}"
    assert place in str(refused.value).replace(",", "")
    assert '"done"' in str(refused.value)


def _use(history: History) -> None:
    """Look at everything, and check it if it happens to be of registers."""
    operations = list(history)
    assert len(operations) == len(history)
    assert history.events >= len(history.others) + len(history)
    with suppress(ModelError):
        check(history, time_limit=1)


def _event(at: int) -> str:
    kind = "ok" if at % 2 else "invoke"
    value = f'[[:r {at // 2} "{"x" * 60}"]]'
    return f"{{:type :{kind}, :f :txn, :process {at // 2}, :value {value}}}"


def _plain(found: Any) -> Any:
    """Return what was read in a form that can be compared."""
    if isinstance(found, np.ndarray):
        return found.tolist()
    if isinstance(found, dict):
        return {name: _plain(value) for name, value in found.items()}
    return tuple(map(_plain, found)) if isinstance(found, tuple) else found
