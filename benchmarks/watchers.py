"""How many watches the harness can follow on one machine, beside a real etcd.

    python benchmarks/watchers.py [--watchers 100 300 1000] [--rate 10] [--seconds 10] [--docs docs]

One etcd is started here, on a port of its own. The clients of the workload `watch` follow its keys
with so many streams, and write a journal, while they make changes at a constant rate, if they can.
Each change is delivered to every stream. Times are those that the check `watches` finds in the
journal. The processors' time is told of the harness and of etcd, in parts of one processor.
"""

import argparse
import math
import resource
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import documents

from partita.checker import History
from partita.checker.watches.watches import Watches
from partita.harness.run.journal import Journal
from partita.harness.systems.etcd import EtcdClient
from partita.harness.systems.etcd_watches import EtcdWatches
from partita.workloads.client import Definite, Indefinite

Row = dict[str, Any]
_HOST = "127.0.0.1"
_TIMEOUT_S = 30.0
_CLIENTS = 10
# For the last changes to be delivered.
_SETTLE_S = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--watchers", type=int, nargs="+", default=[100, 300, 1000])
    add("--rate", type=float, nargs="+", default=[5.0, 20.0], help="changes a second")
    add("--seconds", type=float, default=10.0, help="for how long changes are made")
    add("--etcd", default="etcd", help="the program")
    add("--docs", type=Path, help="write the table into benchmarks.md there")
    given = parser.parse_args()
    rows, machine = [], documents.machine()
    for watchers, rate in product(given.watchers, given.rate):
        with tempfile.TemporaryDirectory(prefix="partita-watchers-") as folder:
            row = measured(given.etcd, Path(folder), watchers, rate, given.seconds)
        print(row, flush=True)
        rows.append(row)
    if given.docs:
        said = f"{documents.conditions(machine)}\n\n{table(rows)}"
        documents.put("watchers", said, given.docs)


def measured(etcd: str, folder: Path, watchers: int, rate: float, seconds: float) -> Row:
    """Let so many streams follow changes, and say how late they were and what it cost."""
    journal = Journal(folder / "history.jsonl")
    with _etcd(etcd, folder / "data") as (port, process):
        clients = [_client(journal, port, number) for number in range(_CLIENTS)]
        for number in range(watchers):
            clients[number % _CLIENTS].watch(f"watch-{number}", "key", -1)
        before, begin = _seconds_of(process.pid), time.monotonic()
        made = _changed(clients, journal, rate, seconds)
        after, took = _seconds_of(process.pid), time.monotonic() - begin
        time.sleep(_SETTLE_S)
        for client in clients:
            client.close()
    journal.close()
    history = History.read(journal.path)
    judgement = Watches(_SETTLE_S).judge(history, Watches.levels)
    harness, store = ((one - other) / took for one, other in zip(after, before, strict=True))
    figures = judgement.figures
    return {
        "watchers": watchers,
        "rate": made / took,
        "deliveries": figures["delivered"] / took,
        "missed": watchers * made - figures["delivered"],
        "lag_s": figures["lag_s"],
        "harness": harness,
        "store": store,
        "reliable": judgement.levels["reliable"],
    }


def _client(journal: Journal, port: int, number: int) -> EtcdWatches:
    client = EtcdWatches(
        EtcdClient(_HOST, _TIMEOUT_S, "linearizable", port), _HOST, _TIMEOUT_S, port
    )
    client.listen(partial(_tell, journal, number))
    return client


def _tell(journal: Journal, process: int, f: str, value: Any = None, **more: Any) -> None:
    line = {"time": journal.now(), "type": "event", "process": process, **more}
    journal.record(line | {"f": f, "value": value})


def _changed(clients: Sequence[EtcdWatches], journal: Journal, rate: float, seconds: float) -> int:
    """Let all clients write at a constant rate; return how many changes were made."""
    begin = time.monotonic()
    work = partial(_change, journal, begin, rate, begin + seconds)
    with ThreadPoolExecutor(len(clients)) as pool:
        return sum(pool.map(work, clients, range(len(clients))))


def _change(
    journal: Journal, begin: float, rate: float, until: float, client: EtcdWatches, place: int
) -> int:
    """Make every tenth change, and record it; what comes too late is left out."""
    made, number = 0, place
    while (due := begin + number / rate) < until:
        time.sleep(max(0.0, due - time.monotonic()))
        line: Row = {"process": 1_000 + place, "f": "write", "key": f"key{number % 8}"}
        line["value"] = str(number)
        journal.record(line | {"time": journal.now(), "type": "invoke"})
        answer = client.write(line["key"], line["value"])
        journal.record(line | {"time": journal.now(), "type": "ok", "version": answer.version})
        made += 1
        late = max(0.0, time.monotonic() - due)
        number += _CLIENTS * max(1, math.ceil(late * rate / _CLIENTS))
    return made


def _seconds_of(process: int) -> tuple[float, float]:
    """Return the processor's time of this process and of another one."""
    mine = resource.getrusage(resource.RUSAGE_SELF)
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return mine.ru_utime + mine.ru_stime, ticks / 100


@contextmanager
def _etcd(program: str, data: Path) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """Run an etcd of one member; yield its port for clients, and its process."""
    port, peer = _free_port(), _free_port()
    ours, theirs = f"http://{_HOST}:{port}", f"http://{_HOST}:{peer}"
    command = [
        program, "--data-dir", str(data), "--listen-client-urls", ours,
        "--advertise-client-urls", ours, "--listen-peer-urls", theirs,
        "--initial-advertise-peer-urls", theirs, "--initial-cluster", f"default={theirs}",
        "--log-level", "error",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield port, process
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((_HOST, 0))
        return int(one.getsockname()[1])


def _wait_for(port: int) -> None:
    until = time.monotonic() + _TIMEOUT_S
    while True:
        try:
            EtcdClient(_HOST, 1.0, "linearizable", port).read("key")
            return
        except (Definite, Indefinite):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def table(rows: Sequence[Row]) -> str:
    """Return the figures as Markdown."""
    lines = [
        "| watches | changes a second | deliveries a second | missed | median | 99% | longest"
        " | harness | etcd |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        lag = row["lag_s"]
        cells = [
            f"{row['watchers']:,}",
            f"{row['rate']:.1f}",
            f"{row['deliveries']:,.0f}",
            f"{row['missed']:,}",
            *(f"{1e3 * lag[name]:,.1f} ms" for name in ("median", "p99", "most")),
            f"{row['harness']:.2f}",
            f"{row['store']:.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
