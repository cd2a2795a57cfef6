"""A time to live that a store does not grant is said, and the run goes by what it grants."""

from typing import Any

import pytest

from partita.harness.run.owners import make_workload
from partita.harness.run.time_to_live import lengthened
from partita.harness.systems.consul import Consul


@pytest.mark.parametrize("workload", ["lock", "election"])
def test_a_session_is_no_shorter_than_the_store_has_it(
    workload: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options: dict[str, Any] = {"workload": workload, "ttl": 4.0}
    made, longer = lengthened(Consul(), make_workload(workload, options), options)
    assert getattr(made, "ttl", None) == longer["ttl"] == 10.0
    assert "a session of consul lives 10 s at least" in capsys.readouterr().err
    assert lengthened(Consul(), made, longer) == (made, longer)
    assert capsys.readouterr().err == ""


def test_where_there_is_no_such_limit_nothing_changes() -> None:
    options: dict[str, Any] = {"workload": "lock", "ttl": 0.5}
    made = make_workload("lock", options)
    anything: Any = object()
    assert lengthened(anything, made, options) == (made, options)
    register = make_workload("register", {})
    assert lengthened(Consul(), register, {}) == (register, {})
