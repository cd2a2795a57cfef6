"""Small histories of watches for the tests: a log, streams that follow it, and mistakes."""

from random import Random
from typing import Any

from held_histories import Event, event, in_order, operation

MISTAKES = ("gap", "duplicate", "order", "phantom", "content", "early", "inclusive", "silent",
            "latest only", "split", "mark")  # fmt: skip


def followed(random: Random, mistake: str | None = None) -> tuple[list[Event], bool]:
    """Return a history of a log and three streams, one of which makes a mistake, if it can.

    The second result says whether it could.
    """
    events, log, time = _written(random)
    planted = False
    for process in range(3):
        wrong = mistake if process == 1 else None
        told, did = _stream(random, 50 + process, log, wrong)
        events += told
        planted |= did
    events.append(event(time + 30, 99, "told", stream="none"))
    return in_order(events), planted


def _written(random: Random) -> tuple[list[Event], list[tuple[int, str, Any, float]], float]:
    """Write and delete; some that were never answered happened, some did not."""
    events: list[Event] = []
    log: list[tuple[int, str, Any, float]] = []
    time, revision = 0.0, random.randint(1, 5)
    for number in range(random.randint(2, 9)):
        time += 1
        key, deletes = random.choice("ab"), random.random() < 0.25
        f, value = ("delete", None) if deletes else ("write", number)
        outcome = random.choice(["ok", "ok", "ok", "ok", "info", "lost", "fail"])
        if outcome in ("ok", "info"):
            revision += random.randint(1, 2)
            log.append((revision, key, value, time + 0.1))
        said = {"version": revision} if outcome == "ok" else {}
        type_ = "info" if outcome == "lost" else outcome
        events += operation(time, time + 0.5, 10 + number, f, key, type_, value=value, **said)
    if log and random.random() < 0.5:
        version, key, value, _ = log[-1]
        if value is not None:
            read = {"version": version, "answer": value}
            events += operation(time + 1, time + 1.5, 40, "read", key, **read)
    return events, log, time


def _stream(
    random: Random, process: int, log: list[tuple[int, str, Any, float]], mistake: str | None
) -> tuple[list[Event], bool]:
    """Follow the log in pieces, each from where the one before was."""
    events: list[Event] = []
    prefix = random.choice(["", "", "a"])
    position = random.choice([1, 1, log[0][0] + 1 if log else 1])
    now, planted = 0.5, False
    named = {"stream": process}

    def say(f: str, value: Any = None, **more: Any) -> None:
        events.append(event(now, process, f, value=value, **named, **more))

    while True:
        say("resume", key=prefix, version=position)
        part = [each for each in log if each[0] >= position and each[1].startswith(prefix)]
        goes_on = random.random() < 0.5 and len(part) > 1
        part = part[: random.randint(1, len(part) - 1)] if goes_on else part
        told = [(each[0], each[1], each[2], number) for number, each in enumerate(part)]
        if mistake and len(told) > 2 and not planted:
            told, planted = _mistaken(random, mistake, told, log)
        for version, key, value, batch in told:
            moment = next((each[3] for each in log if each[0] == version), now)
            now = max(now, moment + random.random() / 4)
            if mistake == "early" and planted and value is not None:
                now = max(0.6, moment - 0.2)
            say("event", value, key=key, version=version, batch=batch)
        if mistake == "mark" and planted and told:
            say("progress", version=told[-1][0] + 0)
            say("event", told[-1][2], key=told[-1][1], version=told[-1][0], batch=99)
        elif random.random() < 0.3 and not goes_on and log:
            say("progress", version=log[-1][0])
        if not goes_on:
            break
        position = part[-1][0] + (0 if mistake == "inclusive" else 1)
        if mistake == "inclusive":
            events.append(event(now, process, "resume", key=prefix, version=position + 1, **named))
            say("event", part[-1][2], key=part[-1][1], version=part[-1][0])
            planted, position = True, position + 1
        now += 0.1
    if random.random() < 0.3 and mistake != "silent":
        say("ended", "enough")
    return events, planted


def _mistaken(
    random: Random, mistake: str, told: list[Any], log: list[Any]
) -> tuple[list[Any], bool]:
    first, second = told[0], told[1]
    if mistake == "gap":
        return [first, *told[2:]], True
    if mistake == "latest only":
        return told[1:], True
    if mistake == "duplicate":
        return [first, second, second, *told[2:]], True
    if mistake == "order":
        return [second, first, *told[2:]], True
    if mistake == "phantom":
        return [first, (*second[:2], 999, second[3]), *told[2:]], True
    if mistake == "content" and second[2] is not None:
        other = None if first[2] is None else first[2]
        return [first, (*second[:2], other, second[3]), *told[2:]], True
    if mistake == "silent":
        return told[:-2], True
    if mistake == "early":
        return told, any(each[2] is not None for each in told)
    if mistake == "split":
        return told, False
    return told, mistake == "mark"


def changed(random: Random, events: list[Event]) -> list[Event]:
    """Return a history with one line changed, moved, dropped or repeated."""
    events = [dict(each) for each in events]
    for _ in range(random.randint(1, 2)):
        lines = [at for at, each in enumerate(events) if each["type"] == "event"]
        lines = lines[:-1]  # the last is where the history ends
        at = random.choice(lines)
        line = events[at]
        what = random.choice(["version", "value", "key", "drop", "repeat", "swap", "batch", "mark"])
        if what == "version" and line.get("version", -1) > 0:
            line["version"] += random.choice([-1, 1, 2])
        elif what == "value" and line["f"] == "event":
            line["value"] = random.choice([None, 0, 1, 2, 3, 77])
        elif what == "key" and line["f"] == "event":
            line["key"] = random.choice("ab")
        elif what == "drop" and line["f"] != "told":
            line["f"] = random.choice(["ended", "told", "told"])
        elif what == "repeat":
            events.insert(at, dict(line))
        elif what == "swap":
            other = random.choice(lines)
            time, events[other]["time"] = events[other]["time"], line["time"]
            line["time"] = time
        elif what == "batch" and line["f"] == "event":
            line["batch"] = random.randint(0, 2)
        elif what == "mark" and line["f"] == "event":
            line |= {"f": "progress", "value": None}
    return in_order(events)
