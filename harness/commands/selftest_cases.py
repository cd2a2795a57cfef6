"""The cases of `partita selftest` for raft: for each planted mistake, how it is met and what must
be found.

A case is the arguments of `partita test`, so that whoever doubts it can run it alone.
"""

from collections.abc import Mapping
from types import MappingProxyType

from partita.harness.commands.selftest_suite import Suite
from partita.harness.systems.raft import BUGS

# Enough workers that each node has several in flight when a fault begins: what is in flight
# then is what tells a wrong store from a right one.
BUSY = "--rate 150 --concurrency 6n --keys 3"

CUTS = (
    "2s partition leader-minority; 6s heal; 9s partition leader; 13s heal; "
    "16s partition leader-minority; 20s heal"
)
# Many elections among four, in a network so slow that two of the four often stand at a time.
ELECTIONS = (
    "1s delay all ms=60; 2s partition leader; 5s heal partition; 7s partition leader; "
    "10s heal partition; 12s partition leader; 15s heal partition; 17s partition leader; 20s heal"
)
ONE_WAYS = (
    "2s partition one-way; 5s heal; 8s partition one-way; 11s heal; "
    "14s partition one-way; 17s heal; 20s partition one-way; 23s heal"
)
EVERYTHING = (
    "3s partition leader-minority; 9s heal; 12s partition one-way; 17s heal; 20s kill leader; "
    "22s heal; 25s pause leader; 29s heal; 32s kill all; 33s heal; 37s partition leader; "
    "39s kill minority; 43s heal; 47s partition majorities-ring; 52s heal"
)
# n1 must lead, in a term that the power takes from the others' disks again. So they elect another
# leader in that term, or in an earlier one, while n1 is cut off with what it has in its log. Then
# neither n1 nor the last one of the others can know that its log is not as new as it looks.
TERM_AGAIN = (
    "1s kill n2; 2s kill n3; 3s start n2; 5.5s start n3; 7s power-cut n2,n3; 7.2s partition n1; "
    "8s heal power-cut; 13s kill n2; 13.2s heal partition; 16s heal"
)
# n3 has nothing of what the two others acknowledge. One of these leads anew, so it sends its
# snapshot to the other one, and is killed before it has sent again what that one threw away.
TAIL = (
    "1s partition n3; 7s delay all ms=60; 7.2s kill leader; 8.2s heal kill; 12.5s kill leader; "
    "12.7s heal partition; 12.8s heal delay; 16.5s heal"
)
# The leader has time to be asked, before it finds out that nobody hears it any more.
LEADER_ALONE = "2s partition leader; 2.2s members n1,n2,n3 reckless=yes; 10s heal"
# What a leader had acknowledged when it was cut off, another one is asked for again.
SEVERAL_LEADERS = (
    "2s partition leader; 4.5s heal; 6s partition leader; 8.5s heal; "
    "10s partition leader; 12.5s heal"
)
# The order of events of figure 8 in the Raft paper, with messages slow enough to meet it: a
# leader is cut off with entries that few have, then the next one as soon as it is elected, and
# then the first one again, once it has counted its old entries on a majority. Many keys and no
# load afterwards, so that nothing is written over what was lost.
FIGURE_8 = (
    "4s partition leader-minority; 6.2s partition leader-minority; "
    "12.8s partition leader-minority; 17s heal"
)
SLOW = '--server-args "--delay 0.5 --batch 4 --election-timeout 1.5 --heartbeat 0.25"'

A_LITTLE = (
    "3s partition leader-minority; 8s heal; 10s kill leader; 12s heal; 14s pause one; 16s heal"
)

# Messages slow enough that what is only checked, or only read, too early is so every time.
LAGGING = '--rate 80 --concurrency 6n --time-limit 8 --server-args "--delay 0.1"'

# Transactions meet each other on few keys. As fast as they go: nothing else has to happen.
TXN = "--workload txn-append --local 3 --rate 0 --concurrency 4n --time-limit 3"

# Clients in the controller are quicker; where they are to be frozen they have nodes of their own.
LOCK = "--workload lock --local 3 --client-nodes 0"
FROZEN = (
    "--workload lock --local 3 --concurrency 2n --locks 1 --hold 1.5 --wait 10 --timeout 15 "
    "--ttl 1 --time-limit 14"
)
LEASE = "--workload lease --local 3 --client-nodes 0 --ttl 2"
WATCH = "--workload watch --local 3 --client-nodes 0 --settle 2"

CORRECT = f'{BUSY} --time-limit 60 --schedule "{EVERYTHING}"'
CORRECT_SHORT = f'{BUSY} --time-limit 20 --schedule "{A_LITTLE}"'
CASES: Mapping[str, str] = MappingProxyType(
    {
        "stale-follower-read": f"{LAGGING} --keys 3",
        "stale-leader-read": f'{BUSY} --time-limit 14 --schedule "2s partition leader; 11s heal"',
        "ack-early": f'{BUSY} --time-limit 24 --schedule "{CUTS}"',
        "lost-log": f'{BUSY} --time-limit 12 --schedule "6s kill all; 7s heal"',
        "no-fsync": '--rate 100 --keys 30 --time-limit 8 --schedule "4s power-cut all; 5s heal"',
        # What was refused is gone with the power, and was acknowledged before.
        "fsync-error-ignored": "--rate 100 --keys 30 --time-limit 9 "
        '--schedule "2s disk-error all; 5s power-cut all; 6s heal"',
        # Its clock is slow before it is cut off: then it believes for long that it was just heard.
        "lease-by-wall-clock": f"{BUSY} --time-limit 13 "
        '--schedule "2s clock-rate leader factor=0.01; 4s partition leader; 9s heal"',
        # In the middle of a slow fsync, a part of what the others have is on the disk. It shows as
        # soon as that node leads.
        "torn-log-accepted": "--local 3 --rate 100 --concurrency 8n --keys 1000 --time-limit 12 "
        '--schedule "1s slow-fsync n1 ms=300; 3s power-cut n1 lose=torn; 3.5s heal; 4s kill n2; '
        '5s heal; 6s kill n3; 7s heal; 8s kill n2; 9s heal; 10s kill n3; 11s heal"',
        # Messages so few and slow that it takes seconds to send what was thrown away once more.
        "snapshot-drops-tail": "--local 3 --rate 100 --keys 1000 --time-limit 18 "
        f'--server-args "--batch 2 --compact 200" --schedule "{TAIL}"',
        "double-vote": f'{BUSY} --time-limit 23 --schedule "{ELECTIONS}"',
        # Many keys, so that little is written over what differs.
        "vote-not-synced": "--local 3 --rate 100 --keys 1000 --time-limit 17 "
        f'--schedule "{TERM_AGAIN}"',
        "commit-earlier-term": "--rate 30 --concurrency 5n --keys 30 --time-limit 18 --timeout 12 "
        f'{SLOW} --schedule "{FIGURE_8}"',
        "apply-twice": f'{BUSY} --time-limit 26 --timeout 10 --schedule "{ONE_WAYS}"',
        "retry-applied-twice": f"{BUSY} --time-limit 15 --timeout 10 "
        f'--schedule "{SEVERAL_LEADERS}"',
        "cas-early-check": f"{LAGGING} --keys 1",
        # Messages so slow that many a write commits after its client has given up.
        "definite-timeout": "--rate 40 --concurrency 6n --keys 3 --time-limit 12 --timeout 0.7 "
        '--server-args "--delay 0.4 --election-timeout 1.5 --heartbeat 0.25"',
        "split-brain": f'{BUSY} --time-limit 26 --schedule "{ONE_WAYS}"',
        # Cut off, it takes out one node after another, until it is all of the cluster.
        "config-two-at-once": "--local 3 --rate 100 --concurrency 4n --keys 3 --time-limit 14 "
        '--server-args "--election-timeout 2.5" '
        f'--schedule "{LEADER_ALONE}"',
        # Clients that do not rest: each reads soon after it has written.
        "own-write-unseen": "--rate 0 --concurrency 2n --keys 3 --reads local --time-limit 4 "
        '--server-args "--delay 0.1"',
        # Who was at the second node goes on at the third, which has heard of nothing for long.
        "session-goes-back": f"{BUSY} --reads local --reconnect any --time-limit 13 "
        '--schedule "2s partition n3; 6s kill n2; 10s heal"',
        "sync-noop": f"{LAGGING} --keys 3 --reads sync",
        "txn-split": TXN,
        "txn-read-early": TXN,
        "txn-no-compare": TXN,
        "txn-torn-read": TXN,
        # What is refused is told to have failed, and is not tried again.
        "txn-no-rollback": f"{TXN} --guard all --txn-retries 0",
        "txn-dirty-read": "--workload txn-append --rate 150 --concurrency 6n --read-only 0.6 "
        '--time-limit 10 --schedule "3s partition leader-minority; 6s heal"',
        "txn-peek": TXN,
        "txn-stale-follower": TXN,
        "txn-two-queues": f"{TXN} --keys 2 --txn-length 2 --read-only 0.5",
        # Messages so few and slow that a follower loses patience and sends again.
        "txn-apply-twice": "--workload txn-append --local 3 --rate 40 --concurrency 8n "
        '--time-limit 6 --server-args "--delay 0.1 --batch 2 --election-timeout 0.4"',
        "txn-wrong-revision": TXN,
        "lock-early-check": f"{LOCK} --concurrency 6n --locks 1 --hold 0.05 --additions 1 "
        '--time-limit 5 --server-args "--delay 0.05"',
        # What is free when the leader is cut off is granted on both sides.
        "lock-local": f"{LOCK} --concurrency 2n --locks 6 --hold 0.2 --additions 1 --ttl 6 "
        '--time-limit 13 --schedule "2s partition leader; 5s heal; 7s partition leader; 10s heal"',
        "token-restarts": f"{LOCK} --concurrency 2n --locks 1 --hold 0.1 --additions 1 "
        '--time-limit 7 --schedule "2s kill leader; 3s heal"',
        "grant-to-the-dead": f'{FROZEN} --schedule "3s client-pause c1; 8s client-pause c2"',
        "release-any": f'{FROZEN} --schedule "3s client-pause holder; 8s client-pause holder"',
        "two-leaders-a-term": "--workload election --local 3 --client-nodes 0 --concurrency 6n "
        '--time-limit 6 --server-args "--delay 0.05"',
        "lease-from-open": f"{LEASE} --time-limit 8",
        "beat-unlogged": f"{LEASE} --concurrency 6n --rate 100 --keys 20 --timeout 1 "
        '--time-limit 13 --schedule "2s partition leader; 10s heal"',
        "close-leaves": f"{LEASE} --rate 100 --keys 6 --time-limit 8",
        "expire-here": f"{LEASE} --time-limit 8",
        "orphan-after-election": "--workload lease --local 3 --client-nodes 0 --ttl 3 "
        '--time-limit 10 --schedule "3s kill leader; 5s heal"',
        "watch-latest-only": f'{WATCH} --rate 200 --time-limit 6 --server-args "--delay 0.05"',
        "watch-uncommitted": f"{WATCH} --rate 200 --time-limit 10 "
        '--schedule "2s partition leader; 6s heal"',
        "watch-inclusive": f"{WATCH} --rate 100 --time-limit 6",
        "watch-forgotten": f"{WATCH} --rate 100 --time-limit 10 "
        '--schedule "3s kill leader; 4s heal"',
        "version-local": f"{WATCH} --rate 100 --time-limit 8 "
        '--server-args "--compact 100" --schedule "3s kill one; 4s heal"',
    }
)
# What is right only if it is called by its name: of each of these groups, one anomaly must be
# found, or one rule broken.
SHOWS: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "txn-split": (("G-single",), ("G1c",)),
        "txn-read-early": (("G2-item",),),
        "txn-no-compare": (("lost-update",),),
        "txn-torn-read": (("G-single",),),
        "txn-no-rollback": (("G1a",), ("dirty-update",)),
        "txn-dirty-read": (("G1a", "incompatible-order"),),
        "txn-peek": (("G1b",),),
        "txn-stale-follower": (("G-single-realtime",),),
        "txn-two-queues": (("G-nonadjacent",),),
        "txn-apply-twice": (("duplicate-elements",),),
        "txn-wrong-revision": (("revision-mismatch",),),
        "lock-early-check": (("exclusive",),),
        "lock-local": (("exclusive",),),
        "token-restarts": (("once",),),
        "grant-to-the-dead": (("alive",),),
        "release-any": (("exclusive",),),
        "two-leaders-a-term": (("one leader a term",),),
        "lease-from-open": (("early",),),
        "beat-unlogged": (("early",),),
        "close-leaves": (("orphan",),),
        "expire-here": (("divergence",),),
        "orphan-after-election": (("forever",),),
        "watch-latest-only": (("gap",),),
        "watch-uncommitted": (("phantom", "truth"),),
        "watch-inclusive": (("unique", "start"),),
        "watch-forgotten": (("arrives",),),
        "version-local": (("truth",),),
    }
)
SHORT = ("stale-follower-read", "cas-early-check", "lost-log")
RAFT = Suite(
    store="raft",
    words="raft",
    plant="--bug {}",
    mistakes=BUGS,
    cases=CASES,
    correct=CORRECT,
    correct_short=CORRECT_SHORT,
    short=SHORT,
    shows=SHOWS,
)
