"""The kinds of objects whose histories are simulated: how operations are drawn and carried out.

Each that is easy has the structure that an engine knows: unique values, equal steps. The hard ones
have not, so that the search decides.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

State = dict[str, Any]
READS = ("dequeue", "read", "get", "contains", "txn", "echo", "generate", "poll")
# The log of streams, and how many messages a poll is given at most.
STREAM, POLLED = "0", 10
ACCOUNTS, REGISTERS, ELEMENTS, SMALL = 5, 3, 50, 5
# So many elements are read for each operation on a set or a list, at most.
_READ_PER_OPERATION = 20


@dataclass(slots=True)
class Call:
    """One operation: what was asked and answered, and the version if the store tells it."""

    f: str
    asked: Any
    answer: Any = None
    outcome: str = "ok"
    version: int = -1


@dataclass(frozen=True, slots=True)
class Kind:
    """How operations on one kind of object are drawn and carried out, and how it is checked.

    `draw` gets a number that no other operation has, and whether the process holds the lock.
    `check` are arguments of `partita check`. `peer` is what our driver for Porcupine calls the
    model, None if it has none. In the end, one is drained (a queue), or each process looks at it
    once more, long after all is over. All operations of one with a `key` name it.
    """

    draw: Callable[[Random, int, bool], tuple[str, Any]]
    apply: Callable[[Random, State, Call], None]
    check: Sequence[str]
    peer: str | None
    hard: bool = False
    ending: Literal["", "drained", "looked-at"] = ""
    key: str | None = None

    @property
    def model(self) -> str | None:
        """The model's name, None if it is no model that is checked."""
        return self.check[1] if self.check[0] == "--model" else None


def begun_state() -> State:
    """Return what an object holds before the first operation, whatever its kind."""
    return {
        "items": [],
        "set": set(),
        "sum": 0,
        "pieces": [],
        "value": None,
        "held": False,
        "version": 0,
        "registers": [None] * REGISTERS,
        "balances": [100] * ACCOUNTS,
    }


def _draw_queue(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return ("enqueue", number) if random.random() < 0.5 else ("dequeue", None)


def _draw_repeating_queue(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return ("enqueue", number % ELEMENTS) if random.random() < 0.5 else ("dequeue", None)


def _apply_queue(random: Random, state: State, call: Call) -> None:
    items = state["items"]
    if call.f == "enqueue":
        items.append(call.asked)
    elif items:
        call.answer = items.pop(0)


def _apply_bag(random: Random, state: State, call: Call) -> None:
    items = state["items"]
    if call.f == "dequeue" and items:
        call.answer = items.pop(random.randrange(len(items)))
    else:
        _apply_queue(random, state, call)


def _is_read_whole(random: Random, number: int) -> bool:
    """So rarely that the cost of an operation does not grow with the history."""
    return random.random() < min(0.2, _READ_PER_OPERATION / number)


def _draw_set(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return ("read", None) if _is_read_whole(random, number) else ("add", number)


def _draw_members(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return random.choice(["add", "remove", "contains", "contains"]), random.randrange(ELEMENTS)


def _apply_set(random: Random, state: State, call: Call) -> None:
    elements = state["set"]
    if call.f == "add":
        elements.add(call.asked)
    elif call.f == "remove":
        elements.discard(call.asked)
    else:
        call.answer = sorted(elements) if call.f == "read" else call.asked in elements


def _draw_append(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return ("read", None) if _is_read_whole(random, number) else ("append", number)


def _apply_append(random: Random, state: State, call: Call) -> None:
    if call.f == "append":
        state["items"].append(call.asked)
    else:
        call.answer = list(state["items"])


def _draw_counter(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return ("add", 1) if random.random() < 0.5 else ("read", None)


def _draw_mixed_counter(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return ("add", random.randint(1, SMALL)) if random.random() < 0.5 else ("read", None)


def _apply_counter(random: Random, state: State, call: Call) -> None:
    if call.f == "add":
        state["sum"] += call.asked
    else:
        call.answer = state["sum"]


def _draw_put(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return ("put", f"v{number}") if random.random() < 0.5 else ("get", None)


def _draw_text(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    # A get returns all that was appended, so that it must be as rare as a read of a set.
    return ("get", None) if _is_read_whole(random, number) else ("append", f"v{number}.")


def _draw_put_or_append(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    f = random.choice(["put", "append", "append", "append", "get", "get", "get", "get"])
    return f, None if f == "get" else f"v{number}."


def _apply_text(random: Random, state: State, call: Call) -> None:
    pieces = state["pieces"]  # a text that grows is copied with every piece
    if call.f == "get":
        call.answer = "".join(pieces)
        return
    if call.f == "put":
        pieces.clear()
    pieces.append(call.asked)


def _draw_register(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return ("write", number) if random.random() < 0.5 else ("read", None)


def _draw_small_register(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return ("write", random.randint(1, SMALL)) if random.random() < 0.5 else ("read", None)


def _apply_register(random: Random, state: State, call: Call) -> None:
    if call.f == "write":
        state["value"] = call.asked
        state["version"] += 1
    else:
        call.answer = state["value"]
    call.version = state["version"]


def _apply_register_without_versions(random: Random, state: State, call: Call) -> None:
    _apply_register(random, state, call)
    call.version = -1


def _draw_mutex(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return ("release", None) if holds else ("acquire", None)


def _apply_mutex(random: Random, state: State, call: Call) -> None:
    if call.f == "acquire" and state["held"]:
        call.outcome = "fail"
    state["held"] = call.f == "acquire"


def _draw_registers(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    chosen = sorted(random.sample(range(REGISTERS), 2))
    writes = random.random() < 0.5
    values = [number if writes and random.random() < 0.7 else None for _ in chosen]
    return "txn", [
        ["r" if value is None else "w", register, value]
        for register, value in zip(chosen, values, strict=True)
    ]


def _apply_registers(random: Random, state: State, call: Call) -> None:
    registers = state["registers"]
    call.answer = []
    for f, register, value in call.asked:
        if f == "w":
            registers[register] = value
        call.answer.append([f, register, registers[register]])


def _draw_bank(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    if random.random() < 0.3:
        return "read", None
    source, target = map(str, random.sample(range(ACCOUNTS), 2))
    return "transfer", {"from": source, "to": target, "amount": random.randint(1, SMALL)}


def _apply_bank(random: Random, state: State, call: Call) -> None:
    balances = state["balances"]
    if call.f == "read":
        call.answer = {str(account): balance for account, balance in enumerate(balances)}
        return
    source, target, amount = (call.asked[name] for name in ("from", "to", "amount"))
    if balances[int(source)] < amount:
        call.outcome = "fail"
        return
    balances[int(source)] -= amount
    balances[int(target)] += amount


def _draw_id(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return "generate", None


def _apply_id(random: Random, state: State, call: Call) -> None:
    state["version"] += 1
    call.answer = f"id-{state['version']}"


def _draw_echo(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return "echo", f"Please echo {number}"


def _apply_echo(random: Random, state: State, call: Call) -> None:
    call.answer = call.asked


def _draw_stream(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    if random.random() < 0.5:
        return "send", number
    return "poll", {STREAM: random.randrange(max(1, number // 3))}


def _apply_stream(random: Random, state: State, call: Call) -> None:
    log = state["items"]
    if call.f == "send":
        call.version = len(log)
        log.append(call.asked)
        return
    asked = call.asked[STREAM]
    pairs = enumerate(log[asked : asked + POLLED], asked)
    call.answer = {STREAM: [list(pair) for pair in pairs]}


def _model(name: str, *more: str) -> Sequence[str]:
    return ["--model", name, *more]


_BALANCES = '{"0": 100, "1": 100, "2": 100, "3": 100, "4": 100}'

KINDS = {
    "fifo-queue": Kind(_draw_queue, _apply_queue, _model("fifo-queue"), "fifo-queue"),
    "unordered-queue": Kind(_draw_queue, _apply_bag, _model("unordered-queue"), "unordered-queue"),
    "set": Kind(_draw_set, _apply_set, _model("set"), "set"),
    "members": Kind(_draw_members, _apply_set, _model("set"), "members"),
    "counter": Kind(_draw_counter, _apply_counter, _model("counter"), "counter"),
    "kv": Kind(_draw_put, _apply_text, _model("kv"), "kv"),
    "kv-append": Kind(_draw_text, _apply_text, _model("kv"), "kv"),
    "append": Kind(_draw_append, _apply_append, _model("append"), "append"),
    "register": Kind(
        _draw_register, _apply_register_without_versions, _model("cas-register"), "cas-register"
    ),
    "mutex": Kind(_draw_mutex, _apply_mutex, _model("mutex"), "mutex"),
    "sessions": Kind(_draw_register, _apply_register, ["--expect", "sessions=sequential"], None),
    "delivery": Kind(
        _draw_queue, _apply_queue, ["--expect", "delivery=once"], None, ending="drained"
    ),
    "convergence-set": Kind(
        _draw_set, _apply_set, ["--expect", "convergence=eventual"], None, ending="looked-at"
    ),
    "convergence-counter": Kind(
        _draw_mixed_counter,
        _apply_counter,
        ["--expect", "convergence=eventual"],
        None,
        ending="looked-at",
    ),
    "uniqueness": Kind(_draw_id, _apply_id, ["--expect", "uniqueness=unique"], None),
    "echo": Kind(_draw_echo, _apply_echo, ["--expect", "echo=echoed"], None),
    "streams": Kind(_draw_stream, _apply_stream, ["--expect", "streams=log"], None, key=STREAM),
    "register-small": Kind(
        _draw_small_register,
        _apply_register_without_versions,
        _model("cas-register"),
        "cas-register",
        hard=True,
    ),
    "counter-mixed": Kind(
        _draw_mixed_counter, _apply_counter, _model("counter"), "counter", hard=True
    ),
    "kv-mixed": Kind(_draw_put_or_append, _apply_text, _model("kv"), "kv"),
    "multi-register": Kind(
        _draw_registers, _apply_registers, _model("multi-register"), "multi-register", hard=True
    ),
    "bank": Kind(
        _draw_bank, _apply_bank, _model("bank", "--initial", _BALANCES), "bank", hard=True
    ),
    "fifo-queue-repeating": Kind(
        _draw_repeating_queue, _apply_queue, _model("fifo-queue"), "fifo-queue", hard=True
    ),
}
