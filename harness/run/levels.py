"""Which levels `--expect` asks for. Apart from what systems promise, since checking needs none."""

from collections.abc import Iterable, Sequence

import click

from partita.checker.checks import Check, HasNames


def expected(texts: Sequence[str], checks: Iterable[Check], judged: str) -> dict[str, str]:
    """Read `--expect CHECK=LEVEL`, or `LEVEL` alone: that of every check that has it.

    `judged` is what these checks judge. Raises `click.UsageError` for a check that is none of
    them, or a level that the check does not have.
    """
    known = {check.name: check for check in checks}
    found: dict[str, str] = {}
    for text in texts:
        name, equals, said = text.rpartition("=")
        if equals and name not in known:
            raise click.UsageError(
                f"--expect {text}: {judged} is not judged by {name!r}, but by {', '.join(known)}"
            )
        meant = {each: _level(known[each], said) for each in ([name] if equals else known)}
        chosen = {each: level for each, level in meant.items() if level is not None}
        if not chosen:
            levels = "; ".join(f"{each}={'|'.join(known[each].levels)}" for each in known)
            raise click.UsageError(f"--expect {text}: there is no such level: choose from {levels}")
        for each, level in chosen.items():
            if found.get(each, level) != level:
                raise click.UsageError(f"--expect says two things of {each}: which is meant?")
            found[each] = level
    return found


def _level(check: Check, said: str) -> str | None:
    """Return the level of a check that a text names, by its own name or a further one."""
    if said in check.levels:
        return said
    level = check.named(said) if isinstance(check, HasNames) else None
    return level if level in check.levels else None
