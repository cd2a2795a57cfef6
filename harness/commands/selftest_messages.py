"""The cases of `partita selftest` for the Raft node in `examples/maelstrom-raft/`.

Nobody can ask such a node whether it leads. So either the faults strike one node after another, and
one of them leads; or nodes die in such an order that only one can be elected. These runs need no
privilege.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from partita.harness.commands.selftest_suite import Suite

_IN_CLONE = Path(__file__).resolve().parents[2] / "examples" / "maelstrom-raft" / "raft.py"
_IN_WHEEL = Path(__file__).parent / "maelstrom_raft" / "raft.py"  # see CMakeLists.txt
PROGRAM = _IN_CLONE if _IN_CLONE.is_file() else _IN_WHEEL

# A client of a node that is cut off soon gives up a write, so that it goes on to read.
BUSY = "--workload register --local 3 --rate 150 --concurrency 8n --timeout 0.5"
IN_TURN = "0.7s partition n1; 2.7s heal; 3.5s partition n2; 5.5s heal; 6.5s partition n3; 8.5s heal"
# n2 dies for a while, and then n3. So n1 must lead, for n2 lacks what was written meanwhile.
N1_LEADS = "1s kill n2; 2.3s kill n3; 2.4s start n2; 3.4s start n3"
LEADER_CUT_OFF = f"{N1_LEADS}; 4s partition n1; 6.5s heal"
# The same, and then n1 leads again, with entries of its own. On many keys it takes long until what
# it has lost is written over.
BACK_AGAIN = (
    f"{N1_LEADS}; 3.8s partition n1; 6s heal partition; "
    "6.5s kill n2; 7.8s kill n3; 7.9s start n2; 10s heal"
)
# While n1 is cut off, its log ends with a late term and the others begin with term 0 again. So
# they write what n1 never hears of, in earlier terms, and then n1 wins against n3 alone.
FROM_ZERO = (
    "0.5s partition n1; 3.5s heal; 5s partition n1; 5.3s kill all; 5.6s heal kill; "
    "8s kill n2; 8.2s heal partition; 10s heal"
)

BUGS: Mapping[str, str] = MappingProxyType(
    {
        "stale-read": "A leader answers reads without asking whether it still leads.",
        "ack-alone": "A leader commits what only its own log has.",
        "forget-term": "Term and vote are not written down, so a restart forgets them.",
        "keep-conflict": "A follower keeps its own entries where the leader has others.",
        "wrong-error": "When the leader changes, open requests are said to have failed.",
    }
)
CASES: Mapping[str, str] = MappingProxyType(
    {
        "stale-read": f'{BUSY} --time-limit 8 --schedule "{LEADER_CUT_OFF}"',
        "ack-alone": f'{BUSY} --time-limit 8 --schedule "{LEADER_CUT_OFF}"',
        "forget-term": f'{BUSY} --keys 3 --time-limit 11 --schedule "{FROM_ZERO}"',
        "keep-conflict": f'{BUSY} --keys 400 --time-limit 11 --schedule "{BACK_AGAIN}"',
        # Messages so slow that entries are on their way when the leader changes.
        "wrong-error": f'{BUSY} --latency 20 --keys 3 --time-limit 9 --schedule "{IN_TURN}"',
    }
)
EVERYTHING = (
    "2s partition random-halves; 5s heal; 6s loss all percent=10; 9s heal; 10s kill minority; "
    "12s heal; 13s delay all ms=30 jitter=20; 16s heal; 17s kill all; 18s heal; "
    "20s partition one-way; 23s heal; 24s duplicate all; 27s heal; 28s pause one; 30s heal; "
    "31s reorder all; 34s heal; 35s partition majorities-ring; 38s heal"
)
CORRECT = (
    f'--workload register --rate 100 --concurrency 4n --time-limit 40 --schedule "{EVERYTHING}"'
)
CORRECT_SHORT = f'{BUSY} --keys 3 --time-limit 9 --schedule "{IN_TURN}"'
MAELSTROM_RAFT = Suite(
    store="maelstrom-raft",
    words=f"maelstrom --binary {shlex.quote(str(PROGRAM))}",
    plant='--server-args "--bug {}"',
    mistakes=BUGS,
    cases=CASES,
    correct=CORRECT,
    correct_short=CORRECT_SHORT,
    short=("ack-alone", "stale-read"),
    shows=MappingProxyType(dict.fromkeys(CASES, (("linearizability",),))),
)
