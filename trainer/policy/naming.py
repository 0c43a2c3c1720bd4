"""What people call a policy: any text, in the header of its file, whose own name is Twinplay's to choose."""

from __future__ import annotations

import json
import os
import re
import shutil
import unicodedata
from pathlib import Path

from recorder.system.files import replacing
from trainer.errors import PolicyError
from trainer.policy.header import POLICY_KEY, read_header

MAX_NAME = 80  # characters
_ALIGNED = 8  # bytes: tensors begin at such a place


def checked_name(text: str) -> str:
    """A name as it is stored, in one line. Raises PolicyError for one that cannot be."""
    name = " ".join(text.split())
    if not name or len(name) > MAX_NAME or any(unicodedata.category(letter) in ("Cc", "Cs", "Co") for letter in name):
        raise PolicyError(f"{text[:100]!r} is not a valid name; use 1 to {MAX_NAME} characters")
    return name


def file_stem(name: str) -> str:
    """A name for the file of a policy that is called so: the same, as far as a file may be called that."""
    return re.sub(r"[^\w .,()+-]+", "-", name)[:70].strip(" .-") or "twin"


def write_name(path: Path, name: str) -> None:
    """Store what people call a policy; its weights are copied as they are. Raises PolicyError."""
    header = read_header(path)
    if header.get("called", "") == name:
        return
    facts = path.stat()
    try:
        with path.open("rb") as old, replacing(path, durable=True) as part, part.open("wb") as new:
            whole = json.loads(old.read(int.from_bytes(old.read(8), "little")))
            whole["__metadata__"][POLICY_KEY] = json.dumps({**header, "called": name})
            text = json.dumps(whole, separators=(",", ":")).encode()
            text += b" " * (-len(text) % _ALIGNED)
            new.write(len(text).to_bytes(8, "little") + text)
            shutil.copyfileobj(old, new)
        # Its place among the others stays, and whoever knew the file sees that it is another.
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1_000))
    except OSError as error:
        raise PolicyError(f"{path} cannot be changed: {error.strerror}; free some disk space") from error
