"""docs/transactions.md: its examples have the anomalies that it says, and its table the names."""

import re
from pathlib import Path

import pytest

from partita.checker import History
from partita.checker.transactions.anomalies import KINDS
from partita.checker.transactions.isolation import MODELS, named
from partita.checker.transactions.transactions import Transactions

PAGE = (Path(__file__).parents[3] / "docs" / "transactions.md").read_text()
EXAMPLES = dict(re.findall(r"### `([^`]+)`\n.*?```clojure\n(.*?)```", PAGE, re.DOTALL))
# What comes with some of them by necessity.
ALSO = {
    "cyclic-versions": {"G1c"},
    "dirty-update": {"G1a"},
    "incompatible-order": {"G1b"},
    "G1b": {"G-single"},
    "lost-update": {"G-single"},
    "lost-append": {"G-single-realtime"},
}


def found(path: Path, text: str) -> list[str]:
    path.write_text(text)
    check = Transactions()
    figures = check.judge(History.read(path), check.levels).figures
    return [each["name"] for each in figures["anomalies"]]


@pytest.mark.parametrize("anomaly", KINDS)
def test_each_example_has_its_anomaly_first(tmp_path: Path, anomaly: str) -> None:
    names = found(tmp_path / "example.edn", EXAMPLES[anomaly])
    assert names[0] == anomaly
    assert set(names[1:]) == ALSO.get(anomaly, set())


def test_the_example_of_a_process(tmp_path: Path) -> None:
    text = PAGE.split("### With `-process`")[1].split("```clojure\n")[1].split("```")[0]
    assert found(tmp_path / "example.edn", text) == ["G-single-process"]


def test_all_models_are_there_with_all_their_names() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", PAGE.split("## Models")[1], re.M)
    told = {name: (re.findall("`([^`]+)`", also), meaning) for name, also, meaning in rows}
    for name, model in MODELS.items():
        assert told[name] == (list(model.aliases), model.meaning)
        assert all(named(alias.upper()) == name for alias in model.aliases)
