"""Files that commands write beside what they print: no slip in a name loses anybody's file."""

import os
from collections.abc import Callable
from pathlib import Path

import click

# How pages and orders begin: any other file is somebody's. A page's title may be long.
_PAGE, _PAGE_GOES_ON = b"<!doctype html>\n", b'</title>\n<link rel="icon" href="data:,">\n<style>\n'
_ORDERS = (b"# No order is known: ", b"# Linearizable: ", b"# Not linearizable: ")
_HEAD = 65_536


def refuse_page(file: Path) -> None:
    """Refuse a place where no page may be written, before any work is done."""
    _refuse(file, "page", _is_page)


def refuse_order(file: Path) -> None:
    """Refuse a place where no order may be written, before any work is done."""
    _refuse(file, "order", lambda head: head.startswith(_ORDERS))


def refuse_same(one: tuple[str, Path | None], other: tuple[str, Path | None]) -> None:
    """Refuse two options (each its name, and the file if it was given) that name one file."""
    (first, file), (second, also) = one, other
    if file is None or also is None or (file.exists() and not file.is_file()):
        return
    if file.resolve() == also.resolve():
        raise click.UsageError(f"{first} and {second} name the same file: {file}")


def _is_page(head: bytes) -> bool:
    return head.startswith(_PAGE) and _PAGE_GOES_ON in head


def _refuse(file: Path, kind: str, ours: Callable[[bytes], bool]) -> None:
    """Let nothing be replaced but a file of this kind, or an empty one.

    What is no file, such as /dev/stdout, loses nothing.
    """
    if not file.parent.is_dir():
        raise click.UsageError(f"cannot write {file}: {file.parent} is no directory")
    if file.is_dir():
        raise click.UsageError(f"cannot write {file}: it is a directory")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise click.UsageError(f"cannot write {file}: permission denied")
    if not file.is_file():
        return
    try:
        with file.open("rb") as opened:
            head = opened.read(_HEAD)
    except OSError as error:
        raise click.UsageError(f"cannot write {file}: {error.strerror}") from error
    if head and not ours(head):
        raise click.UsageError(
            f"{file} is there already, and is no {kind} that could be written anew: "
            "choose another name"
        )
