"""What became of the elements of a list: Jepsen's set checker, whose words these are.

Acknowledged: the client was told ok. Ok: attempted and in the final read. Lost: acknowledged,
and not in the final read. Recovered: never acknowledged, yet in the final read. Unexpected:
in the final read, though nobody added it, or though its operation failed. Duplicated: in the
final read more than once.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping
from itertools import chain
from typing import Any

from partita.checker.explain import quoted


def counted(
    attempted: Collection[Hashable],
    acknowledged: Collection[Hashable],
    due: Collection[Hashable],
    final: list[Hashable],
) -> dict[str, Any]:
    """Return the count of each class, and under "elements" its elements as text.

    `attempted` are the elements of all adds that did not fail, `due` the acknowledged ones
    that the final read should have returned, `final` what it did return.
    """
    read = set(final)
    classes: dict[str, Iterable[Hashable]] = {
        "acknowledged": acknowledged,
        "ok": read & set(attempted),
        "lost": set(due) - read,
        "recovered": (read & set(attempted)) - set(acknowledged),
        "unexpected": read - set(attempted),
        "duplicated": [element for element, times in Counter(final).items() if times > 1],
    }
    members = {name: list(elements) for name, elements in classes.items()}
    return {
        "attempted": len(attempted),
        **{name: len(elements) for name, elements in members.items()},
        "elements": {name: intervals(elements) for name, elements in members.items()},
    }


def merged(each: Iterable[tuple[Any, Mapping[str, Any]]]) -> dict[str, Any]:
    """Add up the counts of several keys; their elements stand behind the key's name."""
    total: dict[str, Any] = {}
    for key, details in each:
        for name, value in details.items():
            if isinstance(value, int):
                total[name] = total.get(name, 0) + value
            elif isinstance(value, Mapping):
                texts = total.setdefault(name, {})
                for kind, text in value.items():
                    joined = [texts.get(kind, ""), f"{quoted(key)}: {text}" if text else ""]
                    texts[kind] = "; ".join(filter(None, joined))
    return total


def intervals(elements: Iterable[Hashable]) -> str:
    """Write a set of elements as Jepsen does: "0..4 7"; what is no number as JSON."""
    numbers = sorted(each for each in elements if type(each) is int)
    others = sorted(quoted(each) for each in elements if type(each) is not int)
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    texts = (str(low) if low == high else f"{low}..{high}" for low, high in runs)
    return " ".join(chain(texts, others))
