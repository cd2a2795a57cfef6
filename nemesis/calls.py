"""`partita-calls`, which finds a store's processes and traces them (`nemesis/native/calls/`)."""

from pathlib import PurePosixPath

from partita.nemesis.programs import PROGRAMS

PROGRAM = "partita-calls"


def of_store(data: str) -> list[str]:
    """Return the options by which it knows the processes of a store whose data lie there."""
    # Our daemons work in the folder that their data lie in. Elsewhere it is anybody's.
    home = PurePosixPath(data).parent
    ours = PurePosixPath(PROGRAMS).parent in home.parents
    return ["--data", data, *(["--home", str(home)] if ours else [])]
