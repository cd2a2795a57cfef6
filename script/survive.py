"""Kills controllers at random moments of storms, and tells what became of it.

While the nodes of one storm wait for their dead-man's switch, the next storms are under way.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from partita.checker import History
from partita.harness.nodes import local, processes
from partita.harness.nodes.cluster import Node, local_nodes, on_all
from partita.nemesis import network, switch
from partita.nemesis.hosts import FOLDER

HEALED_S = switch.SILENCE_S + 2 * switch.BEAT_S + 5  # after so long a node must be whole again
SETTING_UP_S = 4.0  # about what comes before the load, and what comes after it
# A line for each thing that is wrong with a node.
LOOK = r"""
PATH="$PATH:/usr/sbin:/sbin"
for table in filter mangle nat; do
    iptables-save -t $table 2>/dev/null | grep -q PARTITA && echo "rules in $table"
done
tc qdisc show dev eth0 2>/dev/null | grep -Eq 'netem|tbf|htb|prio' && echo "a queueing discipline"
for status in /proc/[0-9]*/status; do
    { read -r _ name; } < "$status" 2>/dev/null || continue
    case $name in
        partita-lossy) ;; # the disk of a store that goes on
        partita-*) echo "the program $name runs" ;;
    esac
    grep -q '^State:[[:space:]]*[Tt]' "$status" 2>/dev/null && echo "$name is frozen"
done
for data in $(cat /srv/partita/disk/data /srv/partita/disk-lossy/data 2>/dev/null); do
    mountpoint -q "$data" || echo "the disk at $data is not mounted"
    head -c 100000 /dev/zero > "$data/.room" 2>/dev/null || echo "no room on $data"
    rm -f "$data/.room"
done
clock=/srv/partita/programs/partita-clock
[ ! -x $clock ] || $clock read --home /srv/partita | while read -r _ name least most _; do
    [ "$least$most" = 0.0000000.000000 ] || echo "the clock of $name is off by $most s"
done
for each in $(ls /run/partita 2>/dev/null); do
    case $each in
        alive|armed|deadman|heal|*.figures) ;;
        *) echo "/run/partita/$each is left" ;;
    esac
done
true
"""


@dataclass
class Storm:
    """One storm: what was killed when, and all that was wrong afterwards."""

    seed: int
    moment: str = ""  # of the run in which the controller was killed
    kept: bool = False  # a history, with operations
    healed: bool = False  # by its own switch, which had been armed
    subnet: int | None = None  # of the cluster that it left
    problems: list[str] = field(default_factory=list)

    def wrong(self, what: str) -> None:
        self.problems.append(what)


def main() -> int:
    asked = _arguments()
    chance = random.Random(asked.seed)
    storms: list[Storm] = []
    with (
        tempfile.TemporaryDirectory(prefix="partita-survive-") as folder,
        ThreadPoolExecutor(max_workers=asked.together) as pool,
    ):
        waiting = []
        ends = time.monotonic() + asked.seconds - HEALED_S - 15
        for number in range(asked.storms):
            if asked.seconds and time.monotonic() > ends:
                break
            storm = Storm(asked.seed * 10_000 + number)
            runs = Path(folder) / f"runs-{number}"
            after_s = chance.uniform(1, asked.time_limit + 2 * SETTING_UP_S)
            killed = _kill_one(storm, runs, after_s, asked)
            waiting.append(pool.submit(_look, storm, runs, killed, time.monotonic()))
            storms.append(storm)
            while sum(not each.done() for each in waiting) >= asked.together:
                time.sleep(0.2)
        for each in waiting:
            each.result()
    _look_at_interfaces(storms)
    return _tell(storms)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/survive", description=__doc__)
    parser.add_argument("storms", nargs="?", type=int, default=100)
    parser.add_argument("seed", nargs="?", type=int, default=1)
    parser.add_argument("--time-limit", type=float, default=15.0, help="seconds of each storm")
    parser.add_argument("--together", type=int, default=8, help="clusters that wait at a time")
    parser.add_argument("--seconds", type=float, default=0, help="end after so long [all storms]")
    parser.add_argument("--options", default="--disk ext4", help="further ones of partita test")
    return parser.parse_args()


def _kill_one(
    storm: Storm, runs: Path, after_s: float, asked: argparse.Namespace
) -> local.LocalCluster | None:
    """Start a run, kill it after some seconds, and return the cluster that it left."""
    command = [sys.executable, "-m", "partita", "test", "raft", "--nemesis", "random"]
    command += ["--seed", str(storm.seed), "--time-limit", f"{asked.time_limit:g}"]
    command += ["--runs-dir", str(runs), "--rate", "100", *asked.options.split()]
    said = runs.with_suffix(".said")
    with said.open("w") as output:
        run = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    try:
        run.wait(after_s)
        storm.moment = "after its end"
        if run.returncode not in (0, 2):
            words = said.read_text().strip().splitlines() or ["nothing"]
            storm.wrong(f"the run ended by itself, with {run.returncode}: {words[-1]}")
    except subprocess.TimeoutExpired:
        run.send_signal(signal.SIGKILL)
        run.wait()
        storm.moment = _moment(runs)
    left = [each for each in local.clusters() if each.owner and each.owner.pid == run.pid]
    return left[0] if left else None


def _moment(runs: Path) -> str:
    events = list(_notes(runs))
    if not events:
        return "before the load"
    if any(each["f"] == "phase" for each in events):
        return "after the load"
    struck: set[int] = set()
    for each in events:
        value = each["value"] if isinstance(each["value"], dict) else {}
        if each["process"] == "nemesis" and each["type"] == "invoke" and "fault" in value:
            struck.add(value["fault"])
        if each["process"] == "nemesis" and each["type"] == "ok":
            struck -= set(value.get("faults", ()))
    return "in a fault" if struck else "between faults"


def _notes(runs: Path) -> Iterator[dict[str, object]]:
    """Yield what nemesis and monitor wrote; the last line may be cut off."""
    for path in runs.glob("*/*/history.jsonl"):
        for line in path.read_text().splitlines():
            if '"process":"' in line and line.endswith("}"):
                yield json.loads(line)


def _look(storm: Storm, runs: Path, left: local.LocalCluster | None, killed_at: float) -> None:
    try:
        _look_at_history(storm, runs)
        if left is None:
            return
        nodes = local_nodes(left)
        try:
            if len(nodes) == 5:  # else it was killed while it made them
                time.sleep(max(0.0, killed_at + HEALED_S - time.monotonic()))
                _look_at_nodes(storm, nodes)
        finally:
            for node in nodes:
                node.close()
        _look_at_rest(storm, left)
    except Exception as error:  # one storm must not keep the others from being told
        storm.wrong(f"could not be looked at: {error!r}")


def _look_at_history(storm: Storm, runs: Path) -> None:
    histories = list(runs.glob("*/*/history.jsonl"))
    if not histories:
        return
    storm.kept = len(History.read(histories[0])) > 0
    # What was killed before its first operation has nothing to check.
    if storm.moment == "after its end" or not storm.kept:
        return
    done = _partita("report", str(histories[0].parent))
    if done.returncode != 0:
        storm.wrong(f"no report of its history: {_last(done)}")
    done = _partita("check", str(histories[0]))
    # Hardly anything may have happened yet, and then nobody knows; raft makes no mistake.
    if done.returncode not in (0, 2):
        storm.wrong(f"partita check says {done.returncode}: {_last(done)}")


def _look_at_nodes(storm: Storm, nodes: list[Node]) -> None:
    said = on_all(nodes, lambda node: node.run(["sh", "-c", LOOK, "look"]).stdout)
    for node, words in zip(nodes, said, strict=True):
        for line in words.splitlines():
            storm.wrong(f"{node.name}: {line}")
    missing = 20 - len(network.reachable(nodes))
    if missing:
        storm.wrong(f"{missing} pairs of nodes do not reach each other")
    signs = on_all(nodes, lambda node: node.run(["ls", FOLDER], check=False).stdout.split())
    storm.healed = all("deadman" in each for each in signs)
    if any("armed" in each for each in signs):
        storm.wrong("a switch is still armed")


def _look_at_interfaces(storms: list[Storm]) -> None:
    """Look whether any is left, once no new cluster of ours can have taken it over."""
    used = {each.subnet for each in local.clusters()}
    for storm in storms:
        if storm.subnet is None or storm.subnet in used:
            continue
        if Path(f"/sys/class/net/partita{storm.subnet}").exists():
            storm.wrong(f"the interface partita{storm.subnet} is left")


def _look_at_rest(storm: Storm, left: local.LocalCluster) -> None:
    storm.subnet = left.subnet if left.subnet >= 0 else None
    done = _partita("cluster", "down", left.name)
    if done.returncode != 0:
        storm.wrong(f"cluster down: {_last(done)}")
    for process in processes.marked(str(left.folder)):
        storm.wrong(f"process {process.pid} is left")
    if left.folder.exists():
        storm.wrong("the cluster's folder is left")
    if str(left.folder) in Path("/proc/mounts").read_text():
        storm.wrong("a mount is left")
    command = ["losetup", "--list", "--output", "BACK-FILE"]
    loops = subprocess.run(command, capture_output=True, text=True, check=False)
    if str(left.folder) in loops.stdout:
        storm.wrong("a loop device is left")


def _partita(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "partita", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _last(done: "subprocess.CompletedProcess[str]") -> str:
    return ((done.stderr or done.stdout).strip().splitlines() or [""])[-1]


def _tell(storms: list[Storm]) -> int:
    moments = Counter(storm.moment for storm in storms)
    killed = [storm for storm in storms if storm.moment != "after its end"]
    loaded = [storm for storm in killed if storm.moment != "before the load"]
    print(f"{len(storms)} storms, {len(killed)} controllers killed")
    for moment, count in moments.most_common():
        print(f"  {count:4} {moment}")
    print(f"{sum(storm.kept for storm in loaded)} of {len(loaded)} histories kept, and checkable")
    print(
        f"{sum(storm.healed for storm in loaded)} of {len(loaded)} clusters healed by their switch"
    )
    bad = [storm for storm in storms if storm.problems]
    print(f"{len(bad)} storms after which something was wrong")
    for storm in bad:
        for problem in storm.problems:
            print(f"  seed {storm.seed}, killed {storm.moment}: {problem}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
