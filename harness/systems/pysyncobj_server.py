"""A small store around PySyncObj, as a team would write one: registers by HTTP and JSON.

Runs on the nodes, next to the library, and knows nothing of Partita. Reads go through the log as
writes do, for PySyncObj has no other way to read what is certain to be the latest.

    python3 server.py --me ADDRESS --listen ADDRESS --peer ADDRESS … --journal FILE
"""

import argparse
import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pysyncobj import SyncObj, SyncObjConf, SyncObjException, replicated
from pysyncobj.config import FAIL_REASON

# What the library says before anything is in a log.
DEFINITE = {
    FAIL_REASON.QUEUE_FULL: "queue full",
    FAIL_REASON.MISSING_LEADER: "no leader is known",
    FAIL_REASON.NOT_LEADER: "it leads no more",
    FAIL_REASON.REQUEST_DENIED: "denied",
}


class Registers(SyncObj):  # type: ignore[misc]
    """Text under keys, which every node has."""

    def __init__(self, me: str, peers: list[str], journal: str) -> None:
        conf = SyncObjConf(journalFile=journal, commandsWaitLeader=False)
        super().__init__(me, peers, conf)
        self._values: dict[str, str] = {}

    @replicated  # type: ignore[untyped-decorator]
    def read(self, key: str) -> dict[str, Any]:
        return {"value": self._values.get(key)}

    @replicated  # type: ignore[untyped-decorator]
    def write(self, key: str, value: str) -> dict[str, Any]:
        self._values[key] = value
        return {}

    @replicated  # type: ignore[untyped-decorator]
    def cas(self, key: str, old: str | None, value: str) -> dict[str, Any]:
        actual = self._values.get(key)
        if actual != old:
            return {"mismatch": True, "actual": actual}
        self._values[key] = value
        return {}

    def own(self, key: str) -> dict[str, Any]:
        """Return what this node has, without asking any other."""
        return {"value": self._values.get(key)}

    def status(self) -> dict[str, Any]:
        """Say whether it has caught up, whether it leads, and in which term."""
        said = self.getStatus()
        leads = self._isLeader() and bool(said["has_quorum"])
        return {"ready": self.isReady(), "leads": leads, "term": said["raft_term"]}


def answered(registers: Registers, request: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out a request; say in the answer whether one that failed certainly did nothing."""
    if request == "status":
        return registers.status()
    if request == "own":
        return registers.own(fields["key"])
    names = {"read": ("key",), "write": ("key", "value"), "cas": ("key", "old", "value")}
    arguments = [fields[name] for name in names[request]]
    try:
        return getattr(registers, request)(*arguments, sync=True, timeout=fields["timeout"]) or {}
    except SyncObjException as error:
        definite = error.errorCode in DEFINITE
        return {"error": DEFINITE.get(error.errorCode, str(error)), "definite": definite}


def serve(registers: Registers, host: str, port: int) -> None:
    class Requests(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            fields = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = json.dumps(answered(registers, self.path[1:], fields)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *said: Any) -> None:
            """Say nothing: a line for each request would be most of the log."""

    ThreadingHTTPServer((host, port), Requests).serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--me", required=True, help="this node's HOST:PORT, for the others")
    parser.add_argument("--listen", required=True, help="HOST:PORT for clients")
    parser.add_argument("--peer", action="append", default=[], help="another node's HOST:PORT")
    parser.add_argument("--journal", required=True, help="file of the log")
    asked = parser.parse_args()
    host, _, port = asked.listen.rpartition(":")
    serve(Registers(asked.me, asked.peer, asked.journal), host.strip("[]"), int(port))


if __name__ == "__main__":
    main()
