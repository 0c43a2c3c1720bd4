"""Files, classes and functions that fit into a head; what does not is named here, with the reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.test_architecture import ROOT, modules

FILE, CLASS, FUNCTION = 400, 250, 60

EXCEPTIONS: dict[str, str] = {}


def too_long(path: Path) -> Iterator[str]:
    """What in a file is over its limit, each as "file" or "file:name"."""
    where, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    if len(text.splitlines()) > FILE:
        yield where
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            limit = CLASS if isinstance(node, ast.ClassDef) else FUNCTION
            assert node.end_lineno is not None
            if node.end_lineno - node.lineno + 1 > limit:
                yield f"{where}:{node.name}"


def test_everything_fits_into_a_head() -> None:
    found = {name for path in modules() for name in too_long(path)}
    assert found - set(EXCEPTIONS) == set(), "split it, or name it above with the reason"
    assert set(EXCEPTIONS) - found == set(), "these fit by now"
