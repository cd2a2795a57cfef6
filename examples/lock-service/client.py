"""A client of the lock service for `partita test store.toml`: JSON lines in, JSON lines out.

One session, which a thread renews. What the thread learns is printed as an event.
"""

import json
import os
import sys
import threading
import time
from http.client import HTTPConnection

ADDRESS, TIMEOUT = os.environ["ADDRESS"], float(os.environ["TIMEOUT"])
printing = threading.Lock()


def say(line: dict) -> None:
    with printing:
        print(json.dumps(line), flush=True)


def ask(what: str, **body: object) -> dict:
    """Ask the service. ConnectionError: it was not sent. OSError: nobody knows."""
    connection = HTTPConnection(ADDRESS, 7100, timeout=TIMEOUT)
    try:
        try:
            connection.connect()
        except OSError as error:
            raise ConnectionError(str(error)) from error
        try:
            connection.request("POST", f"/{what}", json.dumps(body))
            return json.loads(connection.getresponse().read())
        except (OSError, ValueError) as error:
            raise TimeoutError(str(error)) from error
    finally:
        connection.close()  # what was given up must not arrive later


class Session:
    """A session of the service, renewed three times in its time to live."""

    def __init__(self, ttl: float) -> None:
        sent = time.monotonic()
        said = ask("open", ttl=ttl)
        self.name, self.ttl, self.over = said["session"], said["ttl"], threading.Event()
        # The service ends a session at once when its time is over: half a second is generous.
        self.about = {"session": self.name, "ttl": self.ttl, "grace": 0.5}
        self.tell("beat", True, sent)
        threading.Thread(target=self.renew, daemon=True).start()

    def tell(self, f: str, value: bool | None, sent: float) -> None:
        say({"type": "event", "f": f, "value": value, "sent": sent, **self.about})

    def renew(self) -> None:
        while not self.over.wait(self.ttl / 3):
            sent = time.monotonic()
            try:
                over = "error" in ask("beat", session=self.name)
            except ConnectionError:
                continue  # it was not sent: there is nothing to tell
            except OSError:
                self.tell("beat", None, sent)
                continue
            self.tell("beat", not over, sent)
            if over:
                self.over.set()
                say({"type": "event", "f": "told", "session": self.name})

    def close(self) -> None:
        self.over.set()
        sent = time.monotonic()
        try:
            ask("close", session=self.name)
            self.tell("close", True, sent)
        except OSError:
            self.tell("close", None, sent)


session: Session | None = None


def answer(f: str, key: str, value: dict | None) -> dict:
    global session
    try:
        if session is None or session.over.is_set():
            session = Session(value["ttl"] if value else 10.0)
        more = {"wait": value["wait"]} if f == "acquire" else {}
        said = ask(f, session=session.name, key=key, **more)
    except ConnectionError as error:
        return {"type": "fail", "error": str(error)}
    except OSError as error:
        return {"type": "info", "error": str(error)}
    if "error" in said:
        return {"type": "fail", **said}
    return {"type": "ok", "version": said.get("token", -1), **session.about}


for line in sys.stdin:
    request = json.loads(line)
    say(answer(request["f"], request["key"], request["value"]))
if session is not None:  # the last one asked: the session ends with the program
    session.close()
