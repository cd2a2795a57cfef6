#!/usr/bin/env python3
"""A node for the workload broadcast: it tells its neighbours of a message until they have it.

With --once it tells them once, and never looks whether that arrived.
"""

import json
import sys
import threading
import time

once = "--once" in sys.argv
name = ""
messages = set()
known = {}  # by neighbour: what it has for certain, as far as this node knows
lock = threading.Lock()


def send(dest, body):
    print(json.dumps({"src": name, "dest": dest, "body": body}), flush=True)


def gossip():
    while True:
        time.sleep(0.1)
        with lock:
            for neighbour, has in known.items():
                if new := messages - has:
                    send(neighbour, {"type": "gossip", "messages": sorted(new)})
                    has |= new if once else set()


def answer_to(sender, body):
    global name
    kind = body["type"]
    if kind == "init":
        name = body["node_id"]
    elif kind == "topology":
        for neighbour in body["topology"][name]:
            known.setdefault(neighbour, set())
    elif kind == "broadcast":
        messages.add(body["message"])
    elif kind == "read":
        return {"messages": sorted(messages)}
    elif kind == "gossip":
        messages.update(body["messages"])
        known.setdefault(sender, set()).update(body["messages"])
        return {"messages": body["messages"]}
    elif kind == "gossip_ok":
        known[sender].update(body["messages"])
    return {}


threading.Thread(target=gossip, daemon=True).start()
for line in sys.stdin:
    message = json.loads(line)
    sender, body = message["src"], message["body"]
    with lock:
        answer = {"type": body["type"] + "_ok"} | answer_to(sender, body)
        if not body["type"].endswith("_ok"):
            send(sender, answer | {"in_reply_to": body.get("msg_id")})
