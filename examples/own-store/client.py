"""A client of the raft example for `partita test store.toml`: JSON lines in, JSON lines out."""

import json
import os
import sys
import uuid
from http.client import HTTPConnection

ADDRESS, TIMEOUT = os.environ["ADDRESS"], float(os.environ["TIMEOUT"])
NAME = uuid.uuid4().hex


def main() -> None:
    for number, line in enumerate(sys.stdin, 1):
        print(json.dumps(answer(json.loads(line), number)), flush=True)


def answer(request: dict, number: int) -> dict:
    f, value = request["f"], request["value"]
    body = {"key": request["key"], "client": NAME, "number": number, "timeout": 0.9 * TIMEOUT}
    if f == "write":
        body["value"] = value
    elif f == "cas":
        body["old"], body["value"] = value
    elif f == "txn":
        body["ops"] = [[f, key] if f == "r" else [f, key, given] for f, key, given in value]
    connection = HTTPConnection(ADDRESS, 7000, timeout=TIMEOUT)
    try:
        connection.connect()
    except OSError as error:
        return {"type": "fail", "error": str(error)}  # it was never sent
    try:
        connection.request("POST", f"/{f}", json.dumps(body))
        said = json.loads(connection.getresponse().read())
    except (OSError, ValueError) as error:
        return {"type": "info", "error": str(error)}  # it was sent; nobody knows
    finally:
        connection.close()
    if said.get("error") == "mismatch":
        return {"type": "fail", "error": "mismatch", "actual": said["actual"]}
    if "error" in said:
        return {"type": "fail" if said["definite"] else "info", "error": said["error"]}
    if f == "txn":
        return transacted(value, said)
    return {"type": "ok", "value": said.get("value")}


def transacted(asked: list, said: dict) -> dict:
    """Say what a transaction read, and which versions it saw; null is its own."""
    done = [
        [f, key, found if f == "r" else given]
        for (f, key, given), (found, _) in zip(asked, said["results"], strict=True)
    ]
    version = said["version"]
    versions = [version if each is None else each or None for _, each in said["results"]]
    return {"type": "ok", "value": done, "version": version, "versions": versions}


main()
