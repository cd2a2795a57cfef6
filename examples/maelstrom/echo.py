#!/usr/bin/env python3
"""The smallest node: it answers each message with the same message."""

import json
import sys

name = ""
for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    if body["type"] == "init":
        name = body["node_id"]
        answer = {"type": "init_ok"}
    else:
        answer = {"type": "echo_ok", "echo": body["echo"]}
    answer["in_reply_to"] = body["msg_id"]
    print(json.dumps({"src": name, "dest": message["src"], "body": answer}), flush=True)
