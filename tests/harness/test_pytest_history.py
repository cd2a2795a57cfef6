"""The fixture `history`, used as a team would: in a pytest run with nothing else of ours."""

import subprocess
import sys
from pathlib import Path

import pytest

SUITE = '''
import sys, time
import pytest

class Cell:
    """Forgets every second value."""
    def __init__(self): self.value, self.writes = None, 0
    def write(self, value):
        self.writes += 1
        if self.writes % 2: self.value = value

def use(history, *values):
    cell = Cell()
    for value in values:
        with history.operation("write", value):
            cell.write(value)
        with history.operation("read") as op:
            op.output = cell.value

def test_good(history):
    history.model = "register"
    use(history, 1)

def test_violation(history):
    history.model = "register"
    use(history, 1, 2)

def test_violation_behind_an_assertion(history):
    history.model = "register"
    use(history, 1, 2)
    assert False, "the team's own assertion"

def test_own_assertion(history):
    history.model = "register"
    use(history, 1)
    assert False, "the team's own assertion"

def test_nothing_recorded(history):
    history.model = "register"

def test_no_model(history):
    use(history, 1)

def test_wrong_model(history):
    history.model = "mutex"
    use(history, 1)

def test_unknown(history):
    history.model, history.time_limit = Slow(), 0.2
    use(history, 1)

class Slow:
    name, initial = "slow", 0
    def step(self, state, op):
        time.sleep(0.3)
        return state + 1

def test_forgotten_output(history):
    history.model = "register"
    with history.operation("read"):
        pass

@pytest.mark.xfail(strict=True)
def test_known_violation(history):
    history.model = "register"
    use(history, 1, 2)

def test_skipped(history):
    pytest.skip("not today")

def test_light(history):
    history.model = "register"
    use(history, 1)
    heavy = {"paramiko", "kazoo", "click", "matplotlib", "plotly", "starlette"}
    assert not heavy & set(sys.modules)

def test_without():
    pass

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_violation_in_a_coroutine(history):
    history.model = "register"
    use(history, 1, 2)

class TestOwn:
    @pytest.fixture
    def history(self):
        return "the team's own"

    def test_own_fixture(self, history):
        assert history == "the team's own"
'''

EXAMPLES = Path(__file__).parents[2] / "examples/recorder"


def said_of(suite: Path, folder: Path) -> dict[str, str]:
    """Run pytest on a suite; return what it said of each failed test, and the last line as ""."""
    alone = ["--rootdir", str(folder), "-p", "no:cacheprovider", "-c", "/dev/null"]
    command = [sys.executable, "-P", "-m", "pytest", "-q", *alone, str(suite)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    parts = done.stdout.split("\n____")
    said = {part.strip("_ ").partition(" ")[0]: part for part in parts[1:]}
    return said | {"": done.stdout.splitlines()[-1]}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("team")
    (folder / "test_suite.py").write_text(SUITE)
    (folder / "harness.py").write_text("raise ImportError('this is the team's own harness')")
    return said_of(folder / "test_suite.py", folder)


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("test_violation", "Process 0's read of 1"),
        ("test_violation", "process 0 (MainThread)  write 2"),
        ("test_violation", "Drawn: partita check --model register --html"),
        ("test_violation_in_a_coroutine", "Process 0's read of 1"),
        ("test_violation_behind_an_assertion", "the team's own assertion"),
        ("test_violation_behind_an_assertion", "Process 0's read of 1"),
        ("test_own_assertion", "the team's own assertion"),
        ("test_nothing_recorded", "not proven: nothing was recorded"),
        ("test_no_model", "what is the object? Name its model"),
        ("test_wrong_model", "model mutex does not fit the history"),
        ("test_unknown", "not proven: time limit reached"),
        ("test_forgotten_output", "read by MainThread: has no output"),
    ],
)
def test_a_test_fails_in_plain_words(said: dict[str, str], test: str, words: str) -> None:
    assert words in said[test]


def test_nothing_else_fails(said: dict[str, str]) -> None:
    assert said[""].startswith("9 failed, 4 passed, 1 skipped, 1 xfailed")
    assert "linearizable" not in said["test_own_assertion"]
    assert "Traceback" not in "".join(said.values())


def test_the_history_of_a_failed_test_is_kept(said: dict[str, str]) -> None:
    lines = said["test_violation"].splitlines()
    file = next(line for line in lines if line.startswith("The history: "))
    path = Path(file.removeprefix("The history: "))
    command = [sys.executable, "-m", "partita", "check", "--model", "register", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr


def test_the_examples_do_what_they_say(tmp_path: Path) -> None:
    said = said_of(EXAMPLES, tmp_path)
    assert said[""].startswith("1 failed, 2 passed")
    told = " ".join(said["test_the_cache"].split())  # lines break where they must
    assert "read of 10" in told
    assert "stale: 20 had already" in told
    assert 'key "price"' in told
