"""An error's sentence as the window says it: files by their names, and no commands that need a terminal.

Also texts that come from anybody.
"""

from __future__ import annotations

import re
from html import escape

# "; `twinplay sessions` lists them", "(see: twinplay runs)", "; resume with: twinplay train --resume …"
_COMMAND = re.compile(
    r"\s*\([^()]*`?twinplay [a-z][^()]*\)|[;,]\s*[^;,]*`twinplay [^`]*`[^;,.]*|;\s*[^;]*with: twinplay [^;]*"
)
# Folders may have spaces in their names, which ends the path where no known file follows.
_PATH = re.compile(
    r"(?<![\w/:.])(?:[A-Za-z]:\\|/)(?:[^:;,“”\"'()]+?\.(?:zarr|safetensors|mp4|gif|json|png)\b|[^\s:;,“”\"'()]+)"
)
_ENDINGS = (".zarr", ".safetensors")


def window_words(sentence: str) -> str:
    """The sentence without commands of the command line, and with the last part of each path in place of the whole.

    Sessions and policies are named without the suffix of their file.
    """
    return _PATH.sub(_name, _COMMAND.sub("", sentence))


def tip_of(text: str) -> str:
    """A text of anybody's as a tool tip, which would otherwise obey its markup."""
    return f"<span>{escape(text)}</span>"


def _name(found: re.Match[str]) -> str:
    path = found[0].rstrip(".")
    dots = found[0][len(path) :]
    name = re.split(r"[\\/]", path)[-1] or path
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return f"“{name}”{dots}"
