"""`partita-packets` by itself, in a network of its own; under sanitizers too (script/sanitize)."""

import os
import subprocess
from pathlib import Path

import pytest

from partita.nemesis import programs
from partita.nemesis.packets import PROGRAM

# The sanitizers' build lies elsewhere.
HERE = Path(os.environ.get("PARTITA_PROGRAMS", programs.HERE)) / PROGRAM

# Datagrams that are sent to oneself all pass the queue.
SCRIPT = """
set -e
ip link set lo up
iptables -t mangle -A INPUT -p udp -m mark ! --mark 1/1 -j NFQUEUE --queue-num 5 --queue-bypass
figures=$2
"$1" --queue 5 --mark 1 --figures "$figures" $3 &
program=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -e "$figures" ] && break; sleep 0.2; done
python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0)); s.settimeout(1)
for _ in range(100): s.sendto(b"." * 500, s.getsockname())
got = intact = 0
try:
    while True: intact += s.recv(2000) == b"." * 500; got += 1
except TimeoutError: print("got", got); print("intact", intact)
'
kill "$program"
wait "$program"
cat "$figures"
"""


def run(tmp_path: Path, options: str) -> dict[str, int]:
    """Send a hundred datagrams through it; what arrived, and what it counted."""
    command = ["unshare", "--net", "bash", "-c", SCRIPT, "test", str(HERE)]
    said = subprocess.run(
        [*command, str(tmp_path / "figures"), options],
        capture_output=True,
        text=True,
        timeout=60,
        env={key: value for key, value in os.environ.items() if key != "LD_PRELOAD"},
    )
    assert said.returncode == 0, said.stderr
    lines = [line.split() for line in said.stdout.splitlines() if line != "ready"]
    return {word: int(count) for word, count in lines}


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("options", "held"),
    [
        ("", 0),
        ("--delay-ms 30", 100),
        ("--delay-ms 30 --jitter-ms 30 --seed 7", 100),
        ("--kbit 8000", 100),
    ],
)
def test_each_packet_passes_once(tmp_path: Path, options: str, held: int) -> None:
    said = run(tmp_path, options)
    assert said.pop("intact") == 100
    assert said == {"got": 100, "seen": 100, "held": held, "lost": 0, "damaged": 0}


@pytest.mark.cluster
def test_some_do_not_wait(tmp_path: Path) -> None:
    said = run(tmp_path, "--delay-ms 30 --reorder-percent 40")
    assert said["got"] == said["seen"] == 100
    assert 40 <= said["held"] <= 80


@pytest.mark.cluster
def test_what_has_no_room_is_lost(tmp_path: Path) -> None:
    """At 50 kbit/s a datagram of 528 bytes takes 84 ms, and two seconds of them may wait."""
    said = run(tmp_path, "--kbit 50")
    assert said["seen"] == 100
    assert 70 <= said["lost"] <= 80


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("options", "got", "intact", "damaged"),
    [
        ("--damage-percent 100 --fits 0", 0, 0, 100),  # the kernel throws them away
        ("--damage-percent 100 --fits 1", 100, 0, 100),
        ("--damage-percent 100 --fits 1 --delay-ms 30", 100, 0, 100),
    ],
)
def test_what_is_damaged_is_refused_unless_its_checksum_fits(
    tmp_path: Path, options: str, got: int, intact: int, damaged: int
) -> None:
    said = run(tmp_path, options)
    assert (said["got"], said["intact"], said["damaged"]) == (got, intact, damaged)


@pytest.mark.cluster
def test_some_are_damaged_and_the_others_are_as_they_were(tmp_path: Path) -> None:
    said = run(tmp_path, "--damage-percent 40 --fits 1")
    assert said["got"] == 100
    assert said["intact"] == 100 - said["damaged"]
    assert 20 <= said["damaged"] <= 60


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--queue"], "--queue needs a value"),
        (["--delay-ms", "soon"], "--delay-ms needs a number, not soon"),
        (["--delay-ms", "-5"], "--delay-ms needs a number, not -5"),
        (["--colour", "1"], "no option is called --colour"),
    ],
)
def test_what_it_cannot_read_it_says(options: list[str], message: str) -> None:
    clean = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    said = subprocess.run([HERE, *options], capture_output=True, text=True, timeout=20, env=clean)
    assert (said.returncode, said.stderr) == (1, f"{PROGRAM}: {message}\n")
