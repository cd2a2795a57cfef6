"""How many messages a second pass through the router, with loss and delay in force.

    python benchmarks/messages.py [--messages 100000] [--diagram RUN]

Two programs send to each other as fast as they can, and do nothing else. Every message waits 5 ms
on the average, and a tenth is lost. The router's processor time for each message is told beside
the rate, because it depends less on what else the machine has to do. `--diagram` times instead how
long the diagram of the first 2,000 messages of a stored run takes.
"""

import argparse
import io
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from partita.harness.messages.journal import Messages
from partita.harness.messages.links import Links, Rule
from partita.harness.messages.router import Router
from partita.reports.diagram import diagram
from partita.reports.messages import read_messages
from partita.reports.spacetime import DRAWN_MAX, space_time
from partita.reports.stored import read_run

# Sends so many messages in small pieces, while it reads what it is sent.
FLOODS = r"""
import sys, threading
me, other, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
body = '{"type":"append_entries","msg_id":%d,"term":3,"leader":"n1","entries":[["w",7,12]]}'
line = '{"src":"' + me + '","dest":"' + other + '","body":' + body + '}\n'
def send():
    for number in range(count):
        sys.stdout.write(line % number)
    sys.stdout.flush()
sys.stdin.readline()  # whoever is spawned first waits until the other one is there
threading.Thread(target=send).start()
for _ in sys.stdin: pass
"""
PATIENCE_S = 300.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--diagram", type=Path, metavar="RUN")
    options = parser.parse_args()
    if options.diagram:
        draw(options.diagram.resolve())
        return
    with tempfile.TemporaryDirectory() as folder:
        elapsed, cpu_s, passed = flood(Path(folder), options.messages // 2)
    print(f"{passed / elapsed:,.0f} messages a second")
    print(f"{cpu_s / passed * 1e6:.1f} µs of a processor for each message")


def draw(directory: Path) -> None:
    """Draw the messages from a run's beginning on, as a file, and say how long it took."""
    messages = read_messages(directory)
    if messages is None:
        raise SystemExit(f"{directory} has no messages")
    drawn = space_time(read_run(directory), messages)
    first = int(np.searchsorted(messages.sent, 0))
    last = min(first + DRAWN_MAX, len(messages) - 1)
    vars(drawn)["interval"] = int(messages.sent[first]), int(messages.sent[last])
    begin, cpu = time.perf_counter(), time.process_time()
    figure, _, kept = diagram(drawn)
    figure.savefig(io.BytesIO(), format="svg")
    elapsed, cpu = time.perf_counter() - begin, time.process_time() - cpu
    print(f"{kept:,} messages drawn in {elapsed:.1f} s, {cpu:.1f} s of a processor")


def flood(folder: Path, each: int) -> tuple[float, float, int]:
    """Return how long it took, the router's processor time, and how many messages passed."""
    both = ("n1", "n2")
    links = Links(seed=1, latency_ms=5, spread="exponential")
    links.add(Rule({both, both[::-1]}, lost=0.1))
    journal = Messages(folder / "messages.jsonl", 1_000_000)
    router = Router(links, journal)
    router.begin(time.monotonic_ns())
    begin = time.monotonic()
    for me, other in (both, both[::-1]):
        command = [sys.executable, "-c", FLOODS, me, other, str(each)]
        router.spawn(me, command, folder / me, folder / "said.log")
    for name in both:
        router.send("c0", name, {})
    deadline = begin + PATIENCE_S
    while journal.counts.total() < 2 * each + 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    elapsed = time.monotonic() - begin
    time.sleep(1)  # the router tells its processor time twice a second
    router.close()
    if router.troubles:
        raise SystemExit(router.troubles[0])
    print(", ".join(f"{number:,} {what}" for what, number in journal.counts.items()))
    passed = journal.counts.total()
    return elapsed, router.cpu_s, passed


if __name__ == "__main__":
    main()
