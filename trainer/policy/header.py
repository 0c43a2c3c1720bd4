"""Reads the JSON header of a safetensors file without its tensors and without torch, so that the window can do it.

    8 bytes: length of what follows │ JSON {"__metadata__": {KEY: our header as text}, tensor: {dtype, shape}} │ tensors

Files may come from strangers: the number of bytes read is limited, and the header is plain JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from recorder.errors import NewerVersionError, check_version
from trainer.errors import PolicyError

POLICY_FORMAT = "twinplay-policy"
POLICY_VERSION = 1
POLICY_KEY = "twinplay"
_MAX_HEADER_BYTES = 8 << 20


def read_metadata(path: Path, key: str) -> Any:
    """The value that the file's header holds under `key`, or None.

    Raises ValueError with the reason for a file that is not safetensors or is truncated.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
        if length > min(_MAX_HEADER_BYTES, path.stat().st_size):
            raise ValueError("it is incomplete, or a different kind of file")
        with safe_open(path, framework="np") as tensors:
            metadata = tensors.metadata() or {}
        return json.loads(metadata.get(key, "null"))
    except (OSError, SafetensorError, ValueError, RecursionError) as error:
        raise ValueError((str(error).splitlines() or [""])[0][:160]) from None


def read_header(path: Path | str) -> dict[str, Any]:
    """The header of a policy file, without its weights. Raises PolicyError when the file is not a policy."""
    path = Path(path)
    if not path.is_file():
        raise PolicyError(f"{path} does not exist; `twinplay train` makes a policy")
    try:
        header = read_metadata(path, POLICY_KEY)
    except ValueError as error:
        raise PolicyError(
            f"{path} is not a readable policy ({error}); train it again or get an undamaged copy"
        ) from None
    if not isinstance(header, dict) or header.get("format") != POLICY_FORMAT:
        raise PolicyError(f"{path} is a safetensors file, but not a policy of Twinplay; choose another file")
    try:
        check_version(header.get("version"), POLICY_VERSION)
    except NewerVersionError as error:
        raise PolicyError(f"{path} cannot be read: {error}") from None
    except ValueError as error:
        raise PolicyError(f"{path} cannot be read: {error}; train it again") from None
    return header


def check_alike(path: Path, header: Mapping[str, Any]) -> None:
    """Raises PolicyError for a policy that cannot play like its demonstrator."""
    if header.get("alike") is None:
        raise PolicyError(
            f"{path} cannot play like its demonstrator; let it play its best, or train it again with the network "
            "keypoints"
        )
