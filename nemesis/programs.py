"""Our own small programs, which are built with the package and brought to the hosts as they are.

They are linked statically, so that a host needs nothing for them but the same processor.
"""

import hashlib
from functools import cache
from pathlib import Path

from partita.checker import _native
from partita.nemesis.hosts import Host

# Beside the folders of daemons. Not in /run, from which some hosts let nothing be started.
PROGRAMS = "/srv/partita/programs"

HERE = Path(_native.__file__).parents[1] / "nemesis" / "programs"  # see CMakeLists.txt

_HAS = 'echo "$1  $2" | sha256sum --check --status 2>/dev/null'
_PUT = 'set -e; mkdir -p "${1%/*}"; cat > "$1.new"; chmod 755 "$1.new"; mv -f "$1.new" "$1"'
_RUNS = '"$1" --version 2>/dev/null || uname -m'


def path(name: str) -> str:
    """Return where a program lies on each host that it was brought to."""
    return f"{PROGRAMS}/{name}"


def built(name: str) -> bool:
    """Say whether a program was built with Partita: one of them needs a library for that."""
    return (HERE / name).exists()


def bring(host: Host, name: str) -> None:
    """Copy a program to a host that does not have it as it is here."""
    content, sum_ = _program(name)
    if host.run(["sh", "-c", _HAS, "has", sum_, path(name)], check=False).status != 0:
        host.run(["sh", "-c", _PUT, "put", path(name)], stdin=content)


def lacks(host: Host, name: str) -> str | None:
    """Bring a program to a host, and say why it does not run there, or None if it does."""
    try:
        bring(host, name)
    except FileNotFoundError:
        return f"{name} was not built with Partita: install it from its own wheel"
    said = host.run(["sh", "-c", _RUNS, "runs", path(name)], check=False).stdout.strip()
    return None if said.startswith(name) else f"{name} was not built for {said}"


@cache
def _program(name: str) -> tuple[bytes, str]:
    content = (HERE / name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()
