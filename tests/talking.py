"""Programs that speak in messages, as small as will do. Each is a script for Python."""

PREAMBLE = """
import json, os, sys, threading, time
node, last, waiting = None, 0, {}
lock = threading.Lock()
def send(dest, body):
    with lock:
        print(json.dumps({"src": node, "dest": dest, "body": body}), flush=True)
def reply(message, body):
    send(message["src"], body | {"in_reply_to": message["body"]["msg_id"]})
def messages():
    global node
    for line in sys.stdin:
        message = json.loads(line)
        if message["body"]["type"] == "init":
            node = message["body"]["node_id"]
            reply(message, {"type": "init_ok"})
        else:
            yield message
"""

# Answers whatever it is asked with that.
ECHO = (
    PREAMBLE
    + """
for message in messages():
    body = message["body"]
    if "msg_id" in body:
        reply(message, body | {"type": body["type"] + "_ok"})
"""
)

# Hands every request of a client to a service, and its answer back.
PROXY = (
    PREAMBLE
    + """
service = sys.argv[1]
for message in messages():
    body = message["body"]
    if "in_reply_to" in body:
        asked = waiting.pop(body["in_reply_to"], None)
        ids = "in_reply_to", "msg_id"
        if asked: reply(asked, {k: v for k, v in body.items() if k not in ids})
    else:
        last += 1
        waiting[last] = message
        send(service, body | {"msg_id": last})
"""
)

# Every node has registers of its own, which no other hears of.
ALONE = (
    PREAMBLE
    + """
held = {}
for message in messages():
    body = message["body"]
    key = body["key"]
    if body["type"] == "read":
        reply(message, {"type": "read_ok", "value": held.get(key)})
    elif body["type"] == "write" or held.get(key) == body["from"]:
        held[key] = body["value"] if body["type"] == "write" else body["to"]
        reply(message, {"type": body["type"] + "_ok"})
    else:
        reply(message, {"type": "error", "code": 22, "text": "not equal"})
"""
)
