"""Empty environments for tests that install things, and what stands in them beside Partita."""

import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
_OURS = ("partita", "_editable_skbc_partita", "__editable__")


class Environment:
    """An environment of its own in which nothing of ours is, but everything that we depend on."""

    def __init__(self, folder: Path) -> None:
        make = [sys.executable, "-m", "venv", "--without-pip", folder]
        subprocess.run(make, check=True)
        self.folder = folder
        (self.packages,) = folder.glob("lib/python*/site-packages")
        # They were installed once already, for the tests: as links they are there at once.
        third_party = folder / "third_party"
        third_party.mkdir()
        for name in ("purelib", "platlib"):
            for each in Path(sysconfig.get_paths()[name]).iterdir():
                link = third_party / each.name
                if not each.name.startswith(_OURS) and not link.exists():
                    link.symlink_to(each)
        (self.packages / "third_party.pth").write_text(f"{third_party}\n")

    def install(self, *what: Path) -> None:
        """Install wheels or folders with pip, without what they depend on."""
        pip = [sys.executable, "-m", "pip", "--python", self.folder / "bin/python", "install"]
        pip += ["-q", "--no-deps", "--disable-pip-version-check", *what]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def run(
        self, command: Sequence[str | Path], folder: Path
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program of the environment in a folder."""
        program = self.folder / "bin" / command[0]
        return subprocess.run(
            [program, *command[1:]], cwd=folder, capture_output=True, text=True, check=False
        )


def build_wheel(folder: Path) -> Path:
    """Build Partita's wheel, of what script/bootstrap has compiled: to compile it takes minutes."""
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--disable-pip-version-check"]
    pip += ["--no-build-isolation", f"--config-settings=build-dir={REPOSITORY / 'build/native'}"]
    subprocess.run([*pip, "-w", folder, REPOSITORY], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel
