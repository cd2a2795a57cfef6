"""What each fault does here: carries out one after another on raft, and prints a table of it.

    python benchmarks/faults.py [--docs docs]

The table says by what each fault is done, what was measured as its effect, how it heals when the
controller is killed, and what it needs. With --docs that of docs/faults.md is written anew.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from documents import put

from partita.harness.systems.raft import Raft
from partita.nemesis import faults
from partita.nemesis.fault import Traits
from partita.reports.sentences import proof_sentence

HEAD = (
    "| fault | by | measured here | if the controller is killed | needs of the system |",
    "|---|---|---|---|---|",
)
RAFT = Path(__file__).parents[1] / "examples" / "raft"
LASTS_S, PEACE_S = 2.5, 1.0
# What a fault must be told so that it is felt within its time by a store as small as raft.
SETTINGS = {
    "members": "members_min=2",
    "memory-limit": "mb=1",
    "starve": "percent=2",
    "slow": "kbit=200",
    "disk-error": "calls=fsync",
    "flap": "period=1",
}
# After these a node may refuse to run: so they are the last.
LAST = ("disk-error", "truncate-file", "flip-byte")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", type=Path, help="where the pages lie")
    asked = parser.parse_args()
    names = sorted(faults.names(), key=lambda name: LAST.index(name) + 1 if name in LAST else 0)
    system = Raft(next_release=RAFT)
    possible = [name for name in names if all(hasattr(system, each) for each in traits(name).needs)]
    measured = carried_out(possible)
    rows = [row(name, measured.get(name, "not on raft")) for name in sorted(names)]
    table = "\n".join([*HEAD, *rows])
    print(table)
    if asked.docs:
        put("faults", table, asked.docs, "faults.md")


def traits(name: str) -> Traits:
    found: Traits = faults.kind_of(name).traits
    return found


def carried_out(names: list[str]) -> dict[str, str]:
    """Carry the faults out in one run; what its report says of each."""
    steps, at = [], 1.0
    for name in names:
        steps.append(f"{at:g}s {name} {target(name)} {SETTINGS.get(name, '')}".strip())
        at += LASTS_S
        if not traits(name).momentary:
            steps.append(f"{at:g}s heal")
        at += PEACE_S
    folder = Path(tempfile.mkdtemp(prefix="partita-faults-"))
    command = [sys.executable, "-m", "partita", "test", "raft", "--local", "3", "--disk", "ext4"]
    command += ["--client-nodes", "1", "--next-release", str(RAFT), "--rate", "100"]
    command += ["--time-limit", f"{at + 1:g}", "--runs-dir", str(folder)]
    done = subprocess.run(
        [*command, "--schedule", "; ".join(steps)], capture_output=True, text=True
    )
    found = list(folder.glob("*/*/results.json"))
    if not found:
        sys.exit(done.stderr or done.stdout)
    told: list[dict[str, Any]] = json.loads(found[0].read_text())["faults"]
    shutil.rmtree(folder)
    return {each["action"]: said(each) for each in told}


def target(name: str) -> str:
    strikes = traits(name).strikes
    return {"links": "one", "nodes": "one", "clients": "c1"}[strikes]


def said(fault: dict[str, Any]) -> str:
    bit = "" if fault["bit"] else "**did not bite**: "
    told = proof_sentence(fault).replace("|", "/")
    return bit + ("no figure, but it bit" if told == "nobody looked" and fault["bit"] else told)


def row(name: str, measured: str) -> str:
    known = traits(name)
    needs = [f"`{each}()`" for each in known.needs] + (["its own disk"] if known.own_disk else [])
    needs += ["client nodes"] if known.strikes == "clients" else []
    cells = [f"`{name}`", known.how, measured, healing(known), ", ".join(needs)]
    return f"| {' | '.join(cells)} |".replace(" |  |", " | |")


def healing(known: Traits) -> str:
    """Say what becomes of a fault in force when nobody heals it any more."""
    if known.needs_store:
        return "the cluster stays as it is then"
    if known.heal:
        store = ", but the store stays down" if known.restarts else ""
        return f"each node undoes it within a minute{store}"
    if known.momentary:
        return "it is over by itself"
    return "the store stays down" if known.restarts else "the node undoes it"


if __name__ == "__main__":
    main()
