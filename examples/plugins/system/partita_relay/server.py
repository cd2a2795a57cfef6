"""The store itself: registers in the memory of one node; the others pass on what they are asked.

    python3 server.py ADDRESS PORT PRIMARY [--cache]

A request is a JSON object: {"f": "read", "key": "a"}. With --cache, a node answers a read with
what it heard last of that key, which may be old.
"""

import json
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

ADDRESS, PORT, PRIMARY = sys.argv[1:4]
CACHE = "--cache" in sys.argv
registers = {}
lock = Lock()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            status, answer = 200, done(request)
        except OSError as error:  # nobody knows whether the primary did it
            status, answer = 502, {"error": f"no answer from {PRIMARY}: {error}"}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def done(request):
    f, key = request["f"], request["key"]
    if ADDRESS == PRIMARY:
        with lock:
            return applied(f, key, request)
    if f == "read" and CACHE and key in registers:
        return {"value": registers[key]}
    body = json.dumps(request).encode()
    with urllib.request.urlopen(f"http://{PRIMARY}:{PORT}", body, timeout=2) as passed_on:
        answer = json.loads(passed_on.read())
    registers[key] = answer["value"]
    return answer


def applied(f, key, request):
    if f == "write" or (f == "cas" and registers.get(key) == request["old"]):
        registers[key] = request["new"]
        return {"value": request["new"], "changed": True}
    return {"value": registers.get(key), "changed": False}


ThreadingHTTPServer((ADDRESS, int(PORT)), Handler).serve_forever()
