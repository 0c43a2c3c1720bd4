"""A policy's file, in safetensors format.

    policy.safetensors = weights + one JSON header {format, version, env, config, play, sessions, scores, …}

The header holds everything needed to rebuild and judge the policy. Nothing in the file is executed: weights are plain
numbers, checked against the network that the header names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from recorder.envs.registry import stored_spec
from recorder.envs.spec import EnvSpec
from recorder.errors import TwinplayError, first_line
from trainer.config import TrainConfig
from trainer.errors import PolicyError
from trainer.policy.action_selection import ActionSelection
from trainer.policy.header import POLICY_FORMAT, POLICY_KEY, read_playable, version_of
from trainer.policy.keypoints import KeypointNet
from trainer.policy.networks import Net, build
from trainer.policy.tensors import write_tensors

# The exceptions that the values of a damaged header can cause.
_DAMAGE = (
    TwinplayError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RuntimeError,
    OverflowError,
    OSError,
    SafetensorError,
)


def save_policy(path: Path, net: Net, header: dict[str, Any]) -> None:
    """Write a policy file atomically. Raises PolicyError."""
    full = {"format": POLICY_FORMAT, "version": version_of(header.get("config")), **header}
    try:
        write_tensors(path, net.state_dict(), POLICY_KEY, full)
    except OSError as error:
        raise PolicyError(f"{path} cannot be written: {error}; choose another place") from error


@dataclass(frozen=True)
class StoredPolicy:
    """The content of a policy file; `net` has its weights, and `selection` says how it plays."""

    net: Net
    spec: EnvSpec
    config: TrainConfig
    selection: ActionSelection
    header: dict[str, Any]


def read_policy(path: Path, *, alike: bool = False) -> StoredPolicy:
    """Read a policy file. It plays its best, or with `alike` like its demonstrator.

    Raises PolicyError for a damaged file, for one made for another environment, and for one that cannot play like its
    demonstrator.
    """
    header = read_playable(path, alike=alike)
    spec, config = stored_spec(header.get("env")), TrainConfig.from_json(header.get("config"))
    try:
        net = build(config, spec)
        selection = ActionSelection.from_json(header["alike"]["manner"] if alike else header.get("play"))
        _check_selection(selection, net, spec, config)
        _load_weights(net, path)
    except _DAMAGE as error:
        reason = first_line(error, 200)
        raise PolicyError(f"{path} is damaged ({reason}); train it again or get an undamaged copy") from None
    net.eval()
    return StoredPolicy(net, spec, config, selection, header)


def _check_selection(selection: ActionSelection, net: Net, spec: EnvSpec, config: TrainConfig) -> None:
    """Raises ValueError for a selection that this network cannot use."""
    if selection.output >= config.outputs or max(selection.kept, default=0) >= len(spec.action_names):
        raise ValueError(
            f"it selects output {selection.output} and actions {list(selection.kept)}, which the network does not have"
        )
    if selection.pull and not (isinstance(net, KeypointNet) and (selection.prior or selection.aim)):
        raise ValueError("it plays like its demonstrator, which its network cannot do")
    if selection.aim and selection.aim not in config.aims:
        raise ValueError(f"it steers to {selection.aim} ticks later, which its network does not predict")
    if selection.prior and len(selection.prior) != len(spec.action_names):
        raise ValueError(f"it has the frequencies of {len(selection.prior)} actions")


def _load_weights(net: Net, path: Path) -> None:
    """Raises ValueError, RuntimeError, OSError and SafetensorError for weights that are not this network's."""
    weights = _read_weights(path, net.state_dict())
    net.load_state_dict(weights)
    if not all(bool(torch.isfinite(tensor).all()) for tensor in weights.values()):
        raise ValueError("its weights are not all finite")


def _read_weights(path: Path, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in a file, by name. They are read only if all have the `expected` names and shapes."""
    with safe_open(path, framework="pt") as tensors:
        names = set(tensors.keys())
        if names != set(expected):
            raise ValueError("its weights do not match its network")
        for name, value in expected.items():
            stored = tensors.get_slice(name)
            if list(stored.get_shape()) != list(value.shape):
                raise ValueError(f"weight {name} has shape {stored.get_shape()}, expected {list(value.shape)}")
        return {name: tensors.get_tensor(name) for name in names}
