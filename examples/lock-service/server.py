"""A lock service of one node, in memory: sessions that must be renewed, and locks with tokens.

It is an example of what to test, and no more: what it kept is gone when it ends.
"""

import json
import sys
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition

change = Condition()
sessions: dict[str, tuple[float, float]] = {}  # time to live, and when it is over
holders: dict[str, tuple[str, int]] = {}  # by lock: the session that holds it, and its token
tokens = time.time_ns()  # so that they grow over a restart, too


def alive(session: str) -> bool:
    return session in sessions and time.monotonic() < sessions[session][1]


def open_session(ttl: float) -> dict:
    session = uuid.uuid4().hex
    sessions[session] = (ttl, time.monotonic() + ttl)
    return {"session": session, "ttl": ttl}


def beat(session: str) -> dict:
    if not alive(session):
        return {"error": "the session is over"}
    ttl = sessions[session][0]
    sessions[session] = (ttl, time.monotonic() + ttl)
    return {}


def close(session: str) -> dict:
    sessions.pop(session, None)
    change.notify_all()
    return {}


def acquire(session: str, key: str, wait: float) -> dict:
    global tokens
    until = time.monotonic() + wait
    while key in holders and alive(holders[key][0]):
        left = until - time.monotonic()
        if left <= 0:
            return {"error": "the lock is held"}
        change.wait(min(left, sessions[holders[key][0]][1] - time.monotonic()))
    if not alive(session):
        return {"error": "the session is over"}
    tokens += 1
    holders[key] = (session, tokens)
    return {"token": tokens}


def release(session: str, key: str) -> dict:
    if key in holders and holders[key][0] == session:
        del holders[key]
        change.notify_all()
        return {}
    return {"error": "another session holds the lock, or none"}


ACTIONS = {"open": open_session, "beat": beat, "close": close}
ACTIONS |= {"acquire": acquire, "release": release}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with change:
            answer = json.dumps(ACTIONS[self.path.strip("/")](**body)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
