"""Code in pages, copied out of the files that the tests run.

A line of a page that reads `--8<-- "examples/x.py"` becomes that file, `--8<-- "examples/x.py:A.b"`
the class or function of that name, docstring and all. What is not there fails the build.
"""

import ast
import re
import textwrap
from pathlib import Path

_LINE = re.compile(r'^--8<-- "(?P<path>[^":]+)(?::(?P<name>[\w.]+))?"$', re.MULTILINE)


class SnippetError(Exception):
    """A page asks for code that is not there."""


def filled(markdown: str, root: Path) -> str:
    """Return a page with the code that it asks for. Raises `SnippetError`."""
    page = _LINE.sub(lambda found: _code(root / found["path"], found["name"]), markdown)
    if left := re.search(r"^ *--8.*", page, re.MULTILINE):
        raise SnippetError(f'not understood: {left[0]}: write --8<-- "PATH" or "PATH:NAME"')
    return page


def _code(path: Path, name: str | None) -> str:
    if not path.is_file():
        raise SnippetError(f"there is no file {path}")
    text = path.read_text()
    return text.rstrip() if name is None else _part(text, name, path)


def _part(text: str, name: str, path: Path) -> str:
    body = ast.parse(text).body
    node: ast.stmt | None = None
    for part in name.split("."):
        node = next((each for each in body if getattr(each, "name", None) == part), None)
        if not isinstance(node, ast.ClassDef | ast.FunctionDef):
            raise SnippetError(f"{path} has no {name}")
        body = node.body
    assert isinstance(node, ast.ClassDef | ast.FunctionDef)
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    return textwrap.dedent("\n".join(text.splitlines()[first - 1 : node.end_lineno]))
