"""Where the files of `assets/` are: beside the packages in a checkout, inside `recorder` in an installed wheel."""

from __future__ import annotations

from pathlib import Path


def asset(name: str) -> Path:
    """The path of `assets/<name>`."""
    package = Path(__file__).parents[1]
    installed = package / "assets"
    return (installed if installed.is_dir() else package.parent / "assets") / name
