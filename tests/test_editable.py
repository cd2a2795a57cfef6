"""In an editable install every tool finds the same files: those of the five folders."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import grimp
import pytest

import partita

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDERS = ("checker", "harness", "nemesis", "reports", "workloads")
# What a user of the package writes in another folder, with a mistake that types show.
USE = """
from partita.checker import check
from partita.harness.systems.etcd import Etcd
reveal_type(Etcd)
check(3, colour="red")
"""

assert partita.__file__ is not None
pytestmark = pytest.mark.skipif(
    not Path(partita.__file__).is_relative_to(REPOSITORY), reason="not an editable install"
)


def files() -> dict[str, Path]:
    """Return where each module of ours must be found."""
    found = {}
    for folder in FOLDERS:
        for path in (REPOSITORY / folder).rglob("*.py"):
            parts = path.relative_to(REPOSITORY).with_suffix("").parts
            found[".".join(("partita", *parts)).removesuffix(".__init__")] = path
    return found


def test_python_imports_them() -> None:
    for name, path in files().items():
        spec = find_spec(name)
        assert spec is not None, name
        assert spec.origin is not None
        assert Path(spec.origin).resolve() == path


def test_import_linter_sees_them() -> None:
    graph = grimp.build_graph("partita", cache_dir=None)
    assert set(files()) <= graph.modules


@pytest.mark.slow
def test_mypy_reads_them_from_any_folder(tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(USE)
    command = [sys.executable, "-m", "mypy", "-v", "--cache-dir", tmp_path / "cache", "use.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert 'Unexpected keyword argument "colour" for "check"' in done.stdout
    assert "systems.etcd.Etcd" in done.stdout
    for name in ("partita.checker", "partita.harness.systems.etcd"):
        (line,) = (
            line for line in done.stderr.splitlines() if "Parsing" in line and f"({name})" in line
        )
        assert Path(line.split()[2]).resolve() == files()[name]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pyright") is None, reason="pyright is not installed")
def test_pyright_reads_them_from_any_folder(tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(USE)
    command = ["pyright", "--pythonpath", sys.executable, "use.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert 'No parameter named "colour"' in done.stdout
    assert 'Type of "Etcd" is "type[Etcd]"' in done.stdout
