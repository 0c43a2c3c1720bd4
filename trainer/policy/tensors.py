"""Safetensors files with one JSON header, written atomically.

A policy and a checkpoint are such files. Nothing in them is executed: tensors are plain numbers, the header is JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from recorder.system.files import replacing


def write_tensors(path: Path, tensors: Mapping[str, Tensor], key: str, header: Mapping[str, Any]) -> None:
    """Write a file atomically: complete under its name, or not at all. Raises OSError."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        with replacing(path, durable=True) as part:
            save_file(plain, part, {key: json.dumps(header)})
    except SafetensorError as error:
        raise OSError(str(error)) from error
