"""What a team writes in its own tests. Run it with pytest, as root: the store is real.

Put your own store in place of "raft", as "path/to/store.py:MyStore".
"""

from partita.harness.pytest_plugin import Partita


def test_my_store_survives_partitions(partita: Partita) -> None:
    results = partita("raft", nemesis="leader-minority", time_limit=20, min_ok=["write=20"])
    (fault,) = results["faults"]
    assert fault["seconds_to_new_leader"] < 10


def test_my_store_survives_a_killed_leader(partita: Partita) -> None:
    partita("raft", nemesis="kill-leader", time_limit=20, workload="append")
