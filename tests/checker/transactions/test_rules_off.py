"""Each rule of the engine is needed: with any of them switched off, some test fails.

Building the engine anew for each takes many minutes: PARTITA_MUTANTS=1. Without it only this is
looked at, that each rule still stands where it is said to stand.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ENGINE = Path("checker/native/transactions")
# By what is switched off: the file, what stands there, and what stands there instead.
RULES = {
    "what was read stands in its order": (
        "link_lists.cpp", "links.add({key, before, element, Rule::read});", ";",
    ),
    "what nobody read comes last": (
        "link_lists.cpp", "links.add({key, before, each->element, Rule::unread});", ";",
    ),
    "null comes first": (
        "link_registers.cpp", "if (!is_later[i]) link(none, values_[i], Rule::initial);", ";",
    ),
    "writes follow reads": (
        "link_registers.cpp", "if (rules_.writes_follow_reads) link_updates();", "",
    ),
    "told versions": ("link_registers.cpp", "        link_told();\n", ""),
    "linearizable keys": (
        "link_registers.cpp", "if (rules_.linearizable_keys) link_in_time();", "",
    ),
    "sequential keys": (
        "link_registers.cpp", "if (rules_.sequential_keys) link_processes();", "",
    ),
    "versions without an order": (
        "link_registers.cpp", "report(found, sorted, group, groups);", "",
    ),
    "ww": ("graph.cpp", "connect(txns.writer_of(link.before), Relation::ww, range);", ";"),
    "wr": ("graph.cpp", "if (writer != txn) add(writer, txn, Relation::wr);", ";"),
    "rw": ("graph.cpp", "if (range.size() > 0) connect(txn, Relation::rw, range);", ";"),
    "process": ("graph.cpp", "if (before != none) add(before, txn, Relation::process);", ""),
    "real time": (
        "graph.cpp",
        "barrier_after_[ended[rank]] = static_cast<uint32_t>(begun_.size()) - 1;",
        "",
    ),
    "no two rw in a row": (
        "cycles.cpp", "model == layered_model, components_,", "false, components_,",
    ),
    "what was seen was committed": (
        "orders.cpp", "if (txns.given.outcome[txn] == info) txns.committed[txn] = 1;", "",
    ),
    "own appends stand in their order": (
        "orders.cpp",
        "if (txns.elements[later].place < txns.elements[op.element].place) {",
        "if (false) {",
    ),
    "dirty updates": ("orders.cpp", "            aborted = element;\n", "            ;\n"),
    "duplicates": (
        "orders.cpp",
        "if (known.place != none) {",
        "if (known.place != none) continue;\n        if (false) {",
    ),
    "lists that diverge": ("reads.cpp", "            diverging(i);\n", ""),
    "aborted reads": (
        "reads.cpp",
        "if (aborted_[op.key] < op.length) aborted_read(i, order[aborted_[op.key]]);",
        "",
    ),
    "garbage reads": (
        "reads.cpp",
        "if (garbage_[op.key] < op.length) garbage_read(i, order[garbage_[op.key]]);",
        "",
    ),
    "intermediate reads": ("reads.cpp", "&& !txns_.elements[op.element].is_last) {", "&& false) {"),
    "internal reads": ("reads.cpp", "if (agrees(op, seen_[op.key].second)) return;", "return;"),
    "future reads": (
        "reads.cpp", "|| !txns_.elements[op.element].is_read) return;", "|| true) return;",
    ),
    "lost updates": ("losses.cpp", "update(txn, read_[op.key]);", ""),
    "no update of what one wrote oneself": (
        "losses.cpp", "if (op.element != none && txns_.writer_of(op.element) == txn) return;", "",
    ),
    "lost appends": (
        "losses.cpp",
        "if (txns.given.invoked[reader] <= txns.given.completed[txn]) continue;",
        "continue;",
    ),
    "a loss must have been over before": (
        "losses.cpp", "if (txns.given.invoked[reader] <= txns.given.completed[txn]) continue;", "",
    ),
    "revisions fit what was read": (
        "witness.cpp", "op.act == Act::read && is_first && !fits(op)", "false",
    ),
    "revisions fit real time": (
        "witness.cpp", "if (revision_[txn] < least + (writes_[txn] && least > 0)) stale_++;", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_stands_where_it_is_said_to_stand(rule: str) -> None:
    file, text, _ = RULES[rule]
    assert (ROOT / ENGINE / file).read_text().count(text) == 1


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a copy of the native code, configured to be built."""
    if not os.environ.get("PARTITA_MUTANTS"):
        pytest.skip("takes many minutes: PARTITA_MUTANTS=1")
    root = tmp_path_factory.mktemp("engine")
    shutil.copy(ROOT / "CMakeLists.txt", root)
    for folder in ("checker/native", "nemesis/native", "examples/raft"):
        shutil.copytree(ROOT / folder, root / folder)
    nanobind = [sys.executable, "-m", "nanobind", "--cmake_dir"]
    folder = subprocess.run(nanobind, capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run(
        ["cmake", "-S", root, "-B", root / "build", "-DCMAKE_BUILD_TYPE=Release",
         f"-DPython_EXECUTABLE={sys.executable}", f"-Dnanobind_DIR={folder}"],
        check=True, capture_output=True,
    )  # fmt: skip
    yield root


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("rule", [None, *RULES])
def test_without_a_rule_some_test_fails(source: Path, rule: str | None) -> None:
    """And with all of them, none does."""
    if rule is None:
        assert passes(source)
        return
    file, text, instead = RULES[rule]
    path = source / ENGINE / file
    whole = path.read_text()
    path.write_text(whole.replace(text, instead))
    try:
        assert not passes(source)
    finally:
        path.write_text(whole)


def passes(source: Path) -> bool:
    """Build the engine, and run the tests of transactions with it."""
    build = ["cmake", "--build", source / "build", "--target", "_native", "--parallel", "2"]
    subprocess.run(build, check=True, capture_output=True)
    native = source / "build" / f"_native{sysconfig.get_config_var('EXT_SUFFIX')}"
    if not native.exists():
        (native,) = (source / "build").glob("_native*.so")
    environment = {"PARTITA_NATIVE": str(native), "PARTITA_MUTANTS": "", "PYTHONPATH": "tests"}
    environment["PARTITA_HISTORIES"] = "200"  # with much fewer, some tests see too little
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "other_native", "-p",
               "no:cacheprovider", "tests/checker/transactions"]  # fmt: skip
    done = subprocess.run(
        pytest_, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.returncode == 0
