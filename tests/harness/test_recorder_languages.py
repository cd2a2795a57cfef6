"""The recorders that are shown for other languages: what they write is read, and found valid.

Each is run where its tools are there already; nothing is installed for it.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from partita.checker import History, check

EXAMPLES = Path(__file__).parents[2] / "examples/recorder/languages"
DOCUMENT = Path(__file__).parents[2] / "docs/recorder.md"
# What is needed, and the commands, with {source} and {file}.
LANGUAGES = {
    "recorder.go": ("go", ["go run {source} {file}"]),
    "Recorder.java": ("javac", ["java {source} {file}"]),
    "recorder.rs": ("rustc", ["rustc -o recorder {source}", "./recorder {file}"]),
    "recorder.ts": (
        "tsc",
        ["tsc --noCheck --target es2022 --outDir . {source}", "node recorder.js {file}"],
    ),
}


@pytest.mark.parametrize("name", LANGUAGES)
def test_what_it_writes_is_valid(name: str, tmp_path: Path) -> None:
    tool, commands = LANGUAGES[name]
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    # On a busy machine threads may happen to run one after the other, which would prove nothing.
    assert any(ran_side_by_side(name, commands, tmp_path / str(time)) for time in range(5))


def ran_side_by_side(name: str, commands: list[str], folder: Path) -> bool:
    folder.mkdir()
    file = folder / "history.jsonl"
    for command in commands:
        words = command.format(source=EXAMPLES / name, file=file).split()
        subprocess.run(words, cwd=folder, check=True, timeout=120)
    history = History.read(file)
    assert len(history) == 2_000
    assert len(set(history.process)) == 4
    assert check(history, "register").valid is True
    return bool((history.completed_rank > history.invoked_rank + 1).any())


@pytest.mark.parametrize("name", LANGUAGES)
def test_the_document_shows_it_as_it_is(name: str) -> None:
    source = (EXAMPLES / name).read_text()
    shown = source.partition("begin of the recorder\n")[2].partition("end of the recorder")[0]
    lines = [line for line in shown.splitlines()[:-1] if line.strip()]
    assert 5 < len(lines) <= 14
    document = DOCUMENT.read_text()
    assert all(line.strip() in document for line in lines)
