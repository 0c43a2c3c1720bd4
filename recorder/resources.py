"""Where the files of `assets/` are: beside the packages in a checkout, inside `recorder` in an installed wheel."""

from __future__ import annotations

from pathlib import Path


def asset(name: str) -> Path:
    """The path of `assets/<name>`."""
    installed = Path(__file__).parent / "assets"
    return (installed if installed.is_dir() else Path(__file__).parents[1] / "assets") / name
