"""Whose messages are whose: operations, their requests, and what led to their answers."""

import pytest
from messages_written import LEADER, write_messages
from synthetic_run import Story, write_run

from partita.reports import StoredRun, read_run
from partita.reports.figures.messages import between_nodes, by_operation, by_type
from partita.reports.figures.requests import Requests, requests_of
from partita.reports.messages import Messages, read_messages


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    story = Story(seconds=20, cut=8, heal=14, election=2)
    directory = write_run(tmp_path_factory.mktemp("runs") / "run", story)
    write_messages(directory)
    return read_run(directory)


@pytest.fixture(scope="module")
def messages(run: StoredRun) -> Messages:
    found = read_messages(run.directory)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def requests(run: StoredRun, messages: Messages) -> Requests:
    return requests_of(messages, run.history)


def test_each_client_is_found_to_be_a_process(requests: Requests) -> None:
    clients = {requests.messages.names[code]: each for code, each in requests.process.items()}
    assert len(clients) >= 10
    assert all(name == f"c{process + 1}" for name, process in clients.items())


def test_each_operation_has_its_request_and_its_answer(run: StoredRun, requests: Requests) -> None:
    asked = requests.of_operation
    assert len(asked) == len(run.history)
    for row, request in asked.items():
        op = run.history[row]
        assert 0 < requests.messages.sent[request] - op.invoked < 10**6
        assert (requests.answer(request) is None) == (op.outcome != "ok")


def test_the_way_to_an_answer_goes_through_the_leader(run: StoredRun, requests: Requests) -> None:
    for row, request in requests.of_operation.items():
        op, chain = run.history[row], requests.chain(request)
        if op.outcome == "ok":
            assert len(chain) == (2 if op.node == LEADER else 4)
            assert chain[0] == request and chain[-1] == requests.answer(request)
        else:
            assert chain == []


def test_types_and_operations_are_counted(
    run: StoredRun, messages: Messages, requests: Requests
) -> None:
    counted = {each.name: each for each in by_type(messages)}
    assert sum(each.sent for each in counted.values()) == len(messages)
    assert 0 < counted["forward"].lost <= sum(messages.lost)
    assert counted["write"].size > 10 * counted["write"].sent
    assert between_nodes(messages) == counted["forward"].sent + counted["forward_ok"].sent
    found = {each.f: each for each in by_operation(requests, run.history)}
    assert sum(each.asked for each in found.values()) == len(run.history)
    assert all(each.hops == 4 and each.traced > 0 for each in found.values())
