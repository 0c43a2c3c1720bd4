"""Sixty batches teach the weights that they taught in version 0.1, bit for bit.

tests/formats/version-0.1/learned.json was written by commit 647d91c and is never made anew: from its sessions, the
losses of the validations, and a SHA-256 of the policy's weights, learned in one process and in two (test_distributed).
Another processor, or another torch, rounds in another way; there the losses are compared.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from trainer import TrainConfig, fit

WRITTEN = Path(__file__).parents[1] / "formats" / "version-0.1"
ENVS = ("breakout", "hopper")
LEARNED: dict[str, Any] = json.loads((WRITTEN / "learned.json").read_text())


def processor() -> str:
    """What decides how numbers are rounded here."""
    cpuinfo = Path("/proc/cpuinfo")
    told = cpuinfo.read_text() if cpuinfo.exists() else ""
    kind = [re.search(rf"^{name}\s*: (.*)", told, re.MULTILINE) for name in ("cpu family", "model", "flags")]
    return hashlib.sha256(repr([found and found[1] for found in kind]).encode()).hexdigest()[:16]


def digest(policy: Path) -> str:
    found = hashlib.sha256()
    for name, tensor in sorted(load_file(policy).items()):
        found.update(name.encode() + tensor.numpy().tobytes())
    return found.hexdigest()


def config(env: str) -> TrainConfig:
    return TrainConfig.for_env(env, **LEARNED["settings"], **LEARNED[env]["settings"])


def session(env: str) -> Path:
    return next(WRITTEN.glob(f"library/*-{env}.zarr"))


def check_learned(env: str, processes: int, losses: list[float], policy: Path) -> None:
    assert losses == pytest.approx(LEARNED[env]["losses"], rel=2e-3)
    if (processor(), str(torch.__version__)) == (LEARNED["processor"], LEARNED["torch"]):
        assert digest(policy) == LEARNED[env]["digests"][str(processes)]


@pytest.mark.parametrize("env", ENVS)
def test_one_process_learns_the_same_weights(env: str, tmp_path: Path) -> None:
    out, losses = tmp_path / "learned.safetensors", list[float]()
    for step in fit([session(env)], config(env), out=out):
        if step.val_loss is not None and step.val_loss not in losses:
            losses.append(step.val_loss)
    check_learned(env, 1, losses, out)
