"""Whatever is in a file, the readers say what is wrong with it or make a history of it.

Runs under AddressSanitizer too (script/sanitize). A longer run:
PARTITA_FUZZ_SECONDS=3600 .venv/bin/pytest tests/checker/test_fuzz.py
"""

import os
import time
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from partita.checker import History, HistoryError, ModelError, check

SECONDS = float(os.environ.get("PARTITA_FUZZ_SECONDS", 3))

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

TOKENS = b'{ } [ ] ( ) " \\ : , ; # #_ ## ^ \0 \n \xff \\u d800 -0 1e999 99999999999999999999 null'


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


@pytest.mark.parametrize(("name", "text"), [("h.jsonl", JSON), ("h.edn", EDN)])
def test_no_file_breaks_the_readers(tmp_path: Path, name: str, text: bytes) -> None:
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
    assert min(outcomes.values()) > seed / 20


def _use(history: History) -> None:
    """Look at everything, and check it if it happens to be of registers."""
    operations = list(history)
    assert len(operations) == len(history)
    assert history.events >= len(history.others) + len(history)
    with suppress(ModelError):
        check(history, time_limit=1)
