"""What becomes of messages, without any process."""

import pytest

from partita.harness.messages.links import AT_ONCE, CUT, LOST, Links, Rule

LINK = ("n1", "n2")


def fates(links: Links, count: int = 2000) -> list[tuple[float, ...]]:
    return [links.fate(LINK).after for _ in range(count)]


def test_without_faults_all_arrives_at_once() -> None:
    assert all(Links(seed=1).fate(LINK) == AT_ONCE for _ in range(10))


@pytest.mark.parametrize("spread", ["constant", "uniform", "exponential"])
def test_latency_is_what_was_asked_for_on_the_average(spread: str) -> None:
    waits = [after for (after,) in fates(Links(seed=1, latency_ms=20, spread=spread))]  # type: ignore[arg-type]
    assert sum(waits) / len(waits) == pytest.approx(0.02, rel=0.1)
    assert (len(set(waits)) == 1) == (spread == "constant")


def test_a_cut_strikes_one_direction_and_ends() -> None:
    links = Links(seed=1)
    cut = Rule({LINK}, cut=True)
    links.add(cut)
    assert (links.fate(LINK).after, links.fate(LINK).why) == ((), CUT)
    assert links.fate(("n2", "n1")) == AT_ONCE
    assert cut.count == 2
    links.remove(cut)
    assert links.fate(LINK) == AT_ONCE


def test_a_share_is_lost_and_counted() -> None:
    links, loss = Links(seed=3), Rule({LINK}, lost=0.2)
    links.add(loss)
    found = [links.fate(LINK) for _ in range(5000)]
    lost = [fate for fate in found if fate.why == LOST]
    assert len(lost) == loss.count == pytest.approx(1000, rel=0.1)


def test_a_delay_adds_to_others_and_keeps_its_bounds() -> None:
    links = Links(seed=1, latency_ms=10)
    links.add(Rule({LINK}, ms=50, jitter=20))
    waits = [after for (after,) in fates(links)]
    assert min(waits) == pytest.approx(0.04, abs=0.002)
    assert max(waits) == pytest.approx(0.08, abs=0.002)


def test_a_share_overtakes() -> None:
    links = Links(seed=1)
    links.add(Rule({LINK}, ms=20, early=0.25, keeps_order=False))
    found = [links.fate(LINK) for _ in range(4000)]
    assert sum(fate.after == (0.0,) for fate in found) == pytest.approx(1000, rel=0.1)
    assert not any(fate.keeps_order for fate in found)


def test_what_a_link_draws_depends_on_nothing_but_its_own_count() -> None:
    """So a run that is repeated with other faults meets the same delays."""
    plain = Links(seed=7, latency_ms=10, spread="exponential")
    alone = fates(plain, 100)
    busy = Links(seed=7, latency_ms=10, spread="exponential")
    busy.add(loss := Rule({LINK}, lost=0.5))
    for _ in range(50):
        busy.fate(("n3", "n4"))
    struck = [busy.fate(LINK).after for _ in range(50)]
    busy.remove(loss)
    assert fates(busy, 50) == alone[50:]
    assert [after for after in struck if after] == [
        after for after, kept in zip(alone, struck, strict=False) if kept
    ]
    assert fates(Links(seed=8, latency_ms=10, spread="exponential"), 100) != alone
