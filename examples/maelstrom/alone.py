#!/usr/bin/env python3
"""A node for the workload lin-kv that forgets the others: each node has registers of its own."""

import json
import sys

name = ""
registers = {}


def answer_to(body):
    if body["type"] == "init":
        return {"type": "init_ok"}
    key = str(body["key"])
    if body["type"] == "write":
        registers[key] = body["value"]
        return {"type": "write_ok"}
    if key not in registers:
        return {"type": "error", "code": 20, "text": "there is no such key"}
    if body["type"] == "read":
        return {"type": "read_ok", "value": registers[key]}
    if registers[key] != body["from"]:
        return {"type": "error", "code": 22, "text": "it holds another value"}
    registers[key] = body["to"]
    return {"type": "cas_ok"}


for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    name = body.get("node_id", name)
    answer = answer_to(body) | {"in_reply_to": body["msg_id"]}
    print(json.dumps({"src": name, "dest": message["src"], "body": answer}), flush=True)
