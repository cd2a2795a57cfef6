"""What strangers write may lack anything: that is one line before the run, and costs nothing."""

from pathlib import Path
from typing import Any

import click
import pytest
from conftest import Partita

from partita.checker import History
from partita.checker.checks import Judgement
from partita.checker.plugins import PluginError
from partita.harness.run.expectations import promised
from partita.harness.run.judging import deciding, judged
from partita.harness.run.owners import make_workload
from partita.harness.systems import load_system
from partita.nemesis import faults

WORKLOADS = """
from partita.checker.checks import Judgement
from partita.checker.linearizability.linearizability import Linearizability
from partita.workloads.workload import Operation

class Whole:
    name = "whole"
    capability = "registers"
    operations = {"read": Operation(reads=True)}
    checks = (Linearizability("cas-register"),)
    def draw(self, random, number): return "read", "a", None
    def prepare(self, f, key, value): return value
    def invoke(self, client, f, key, value, until): return client.read(key)
    def final(self): return []

class Check:
    name, levels, default = "c", ("strong", "weak"), "strong"
    def judge(self, history, levels): return Judgement("c", {})

class Bare: pass
class Raising(Whole):
    def __init__(self): raise RuntimeError("no\\nluck")
class Leaving(Whole):
    def __init__(self): raise SystemExit(3)
class Climbing(Whole):
    name = "../../etc"
class Listing(Whole):
    operations = ["read"]
class Silent(Whole):
    operations = {"read": "only reads"}
class Unjudged(Whole):
    checks = ()
class Worded(Whole):
    checks = ("linearizability",)
class Twofold(Whole):
    checks = (Linearizability("register"), Linearizability("cas-register"))
class Mistyped(Whole):
    checks = (Linearizability("cas-registr"),)
class Levelless(Whole):
    class Made(Check): levels = ()
    checks = (Made(),)
class Defaulting(Whole):
    class Made(Check): default = "strnog"
    checks = (Made(),)
class Answerless(Whole):
    class Made(Check):
        def judge(self, history, levels): return True
    checks = (Made(),)
class Straying(Whole):
    class Made(Check):
        def judge(self, history, levels): return Judgement("c", {"storng": True})
    checks = (Made(),)
class Vague(Whole):
    class Made(Check):
        def judge(self, history, levels): return Judgement("c", {"strong": None})
    checks = (Made(),)
made = Whole()
"""
SYSTEMS = """
class Whole:
    name = "whole"
    def start(self, node, nodes): ...
    def healthy(self, node): return True
    def client(self, node, timeout): ...

class Climbing(Whole):
    name = "../../etc"
class Raising(Whole):
    def __init__(self): raise RuntimeError("no\\nluck")
class Listing(Whole):
    offers = ["registers"]
class Breaking(Whole):
    @property
    def offers(self): raise RuntimeError("no\\nluck")
made = Whole()
"""
FAULTS = """
from partita.nemesis.fault import Traits

class Bare: pass
class Unlike:
    name = "unlike"
    traits = {"strikes": "nodes"}
    lacks = begin = prove = lasted = end = None
class Raising(Unlike):
    traits = Traits(strikes="nodes")
    def __init__(self): raise RuntimeError("no\\nluck")
"""


def written(folder: Path, text: str, name: str) -> str:
    path = folder / "mine.py"
    path.write_text(text)
    return f"{path}:{name}"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Bare", "has no name and no capability and no operations and no checks and no draw"),
        ("Raising", "cannot be made: RuntimeError: no luck"),
        ("Leaving", "cannot be made: SystemExit: 3"),
        ("Climbing", "is called '../../etc': use letters, digits and dashes"),
        ("Listing", "must say its operations: a mapping of each f to an Operation"),
        ("Silent", "says nothing of its operation 'read': that is an Operation"),
        ("Unjudged", "must be judged: checks is a sequence of at least one check"),
        ("Worded", "has a check that has no name and no levels and no default and no judge"),
        ("Twofold", "has two checks that are called linearizability"),
        ("Mistyped", "linearizability that fails on an empty history: ModelError: no model is"),
        ("Levelless", "has a check c without levels: a tuple of names, the strongest first"),
        ("Defaulting", "has a check c whose default 'strnog' is none of its levels: strong, weak"),
        ("Answerless", "judge() returned no Judgement but True"),
        ("Straying", "judge() answers for 'storng', which is none of the check's levels"),
        ("Vague", 'judge() answers True, False or "unknown", and not None'),
    ],
)
def test_what_a_workload_lacks_is_said(tmp_path: Path, name: str, said: str) -> None:
    make_workload(written(tmp_path, WORKLOADS, "Whole"), {})
    with pytest.raises(PluginError) as raised:
        make_workload(written(tmp_path, WORKLOADS, name), {})
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_made_already_is_no_class(tmp_path: Path) -> None:
    for make, text in ((make_workload, WORKLOADS), (load_system, SYSTEMS)):
        with pytest.raises(click.UsageError, match="made is no class, but of type Whole"):
            make(written(tmp_path, text, "made"), {})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Climbing", "is called '../../etc': use letters, digits and dashes"),
        ("Raising", "could not be made: RuntimeError: no luck"),
        ("Listing", "must offer a mapping of capabilities to what makes a client"),
        ("Breaking", "cannot be looked at: RuntimeError: no luck"),
    ],
)
def test_what_is_wrong_with_a_system_is_said(tmp_path: Path, name: str, said: str) -> None:
    load_system(written(tmp_path, SYSTEMS, "Whole"), {})
    with pytest.raises(click.UsageError) as raised:
        load_system(written(tmp_path, SYSTEMS, name), {})
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Bare", "has no name and no traits and no lacks and no begin"),
        ("Unlike", "its traits are no Traits"),
        ("Raising", "cannot be made: RuntimeError: no luck"),
    ],
)
def test_what_is_wrong_with_a_fault_is_said(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(PluginError) as raised:
        faults.make(written(tmp_path, FAULTS, name), {})
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("promises", "said"),
    [
        ({"linearizability": "linearisable"}, "promises 'linearisable' for linearizability, whose"),
        (None, "must map checks to levels, not None"),
        (KeyError("x"), "promises() of whole failed: KeyError: 'x'"),
    ],
)
def test_a_promise_that_no_check_can_hold_it_to_is_refused(
    tmp_path: Path, promises: Any, said: str
) -> None:
    class Promising:
        name = "whole"

        def promises(self, capability: str) -> Any:
            if isinstance(promises, Exception):
                raise promises
            return promises

    workload = make_workload(written(tmp_path, WORKLOADS, "Whole"), {})
    with pytest.raises(PluginError) as raised:
        promised(Promising(), workload)  # type: ignore[arg-type]
    assert said in str(raised.value)


def test_a_level_of_which_a_check_says_nothing_is_unknown_and_says_why() -> None:
    class Forgetful:
        name, levels, default = "c", ("strong", "weak"), "strong"

        def judge(self, history: History, levels: Any) -> Judgement:
            return Judgement("c", {"weak": True})

    row = deciding(judged(History.of_events([]), [Forgetful()], {}))
    assert (row["valid"], row["reason"]) == ("unknown", "the check c says nothing of strong")


def test_the_command_says_it_before_anything_is_made(partita: Partita, tmp_path: Path) -> None:
    done = partita("test", "raft", "--workload", written(tmp_path, WORKLOADS, "Mistyped"))
    assert done.returncode == 254
    (line,) = done.stderr.splitlines()
    assert "no model is called 'cas-registr'" in line
    assert not (tmp_path / "runs").exists()
