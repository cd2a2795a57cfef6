"""Messages read from a run's file, of which some are long, lost, broken or too many."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from partita.reports.messages import FILE, NONE, read_messages


def written(folder: Path, *lines: dict[str, Any] | str) -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (folder / FILE).write_text("\n".join(texts) + "\n")
    return folder


def message(number: int, **given: Any) -> dict[str, Any]:
    plain = {"id": number, "sent": 10 * number, "src": "n1", "dest": "n2", "at": 10 * number + 5}
    return plain | given | {"body": {"type": "vote", "msg_id": 7}}


def test_a_run_without_messages_has_none(tmp_path: Path) -> None:
    assert read_messages(tmp_path) is None


def test_columns_are_in_the_order_of_sending(tmp_path: Path) -> None:
    late = message(1, at=900)
    read = read_messages(written(tmp_path, message(2), message(3, src="c4", by="n3"), late))
    assert read is not None
    assert read.id.tolist() == [1, 2, 3]
    assert read.at.tolist() == [900, 25, 35]
    assert [read.names[code] for code in read.sender] == ["n1", "n1", "n3"]
    assert [read.names[code] for code in read.src] == ["n1", "n1", "c4"]
    assert read.number.tolist() == [7, 7, 7]
    assert read.answers.tolist() == [NONE] * 3
    assert [json.loads(body) for body in read.bodies([2])] == [{"type": "vote", "msg_id": 7}]


def test_what_was_lost_says_why_and_arrives_nowhere(tmp_path: Path) -> None:
    lost = message(1, lost="cut")
    del lost["at"]
    read = read_messages(written(tmp_path, lost, message(2, copy=True)))
    assert read is not None
    assert (read.lost.tolist(), read.copy.tolist()) == ([True, False], [False, True])
    assert read.fates[read.fate[0]] == "cut"
    assert read.at[0] == read.sent[0]


def test_bytes_are_those_of_the_body_however_long_it_was(tmp_path: Path) -> None:
    body = '{"type":"x","text":"ä"}'
    line = '{"id":1,"sent":1,"src":"n1","dest":"n2","at":2,"body":' + body + "}"
    read = read_messages(written(tmp_path, line, message(2, bytes=123_456)))
    assert read is not None
    assert read.size.tolist() == [len(body.encode()), 123_456]
    assert read.bodies([0]) == [body]


def test_what_is_too_much_is_counted_and_what_is_broken_too(tmp_path: Path) -> None:
    folder = written(
        tmp_path, message(1), '{"id":2,"sent":', "[]", *(message(n) for n in (3, 4, 5))
    )
    read = read_messages(folder, most=2)
    assert read is not None
    assert (len(read), read.unreadable, read.unread) == (2, 2, 2)


def test_an_empty_file_has_no_messages(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("")
    read = read_messages(tmp_path)
    assert read is not None and len(read) == 0 and not np.any(read.of_clients())
