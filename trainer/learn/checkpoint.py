"""A training that is not over, in one file: killed or paused, it goes on as if nothing had happened.

    checkpoint.safetensors   tensors   net/… average/… optimizer/<parameter>/… kept/<why>/… random
                             header    {format, version, belongs, state, generator}     JSON

`belongs` says which training it is of: its configuration, and what it learns from. `state` are the counters (see
State), `generator` is numpy's random generator, which draws the batches; `random` is torch's. Loading all of it and
going on gives, on a CPU and with a budget in batches, the very weights of a training that nobody interrupted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import asdict
from safetensors import SafetensorError, safe_open
from torch import Tensor

from recorder.errors import NewerVersionError, UsageError, check_version
from recorder.system.records import read
from trainer.config import TrainConfig
from trainer.errors import TrainingError
from trainer.policy.header import read_metadata
from trainer.policy.tensors import write_tensors

# Half a minute of Breakout, a second of Hopper; docs/training-runs.md says what it costs.
CHECKPOINT_BATCHES = 500
_FORMAT, _VERSION, _KEY = "twinplay-checkpoint", 1, "twinplay"
_Count = Annotated[int, Meta(ge=0)]
_LATER = ("operations", "played")  # counters that the first versions did not have


class State(msgspec.Struct):
    """The counters of a training. Seconds are those of all its sittings; `train_s` of them count in the budget.

    `validated`, `stale` and `checked` count validations, those of them in a row without a lower loss, and the looks at
    its play. `manner` is as JSON. `operations` are those of learning to see (trainer.learn.operations), `played` the
    ticks of the games that have judged it.
    """

    stage: Literal["train", "play"] = "train"
    batch: _Count = 0
    seconds: float = 0.0
    train_s: float = 0.0
    loss: float | None = None
    accuracy: float | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None
    best_loss: float | None = None
    best_check: float | None = None
    score: float | None = None
    manner: dict[str, Any] | None = None
    validated: _Count = 0
    stale: _Count = 0
    checked: _Count = 0
    saved: bool = False
    operations: _Count = 0
    played: _Count = 0

    @classmethod
    def from_json(cls, values: Any) -> State:
        """The inverse of `asdict`; what an earlier version did not count is 0, and what a later one
        counts besides is left out. Raises ValueError for anything else."""
        if not isinstance(values, dict) or not set(cls.__struct_fields__) - set(_LATER) <= set(values):
            raise ValueError("its counters are not those of a training")
        return read(cls, values)


def write_checkpoint(
    path: Path, tensors: Mapping[str, Tensor], belongs: Mapping[str, Any], state: State, generator: Mapping[str, Any]
) -> None:
    """Replace the checkpoint; it is complete or the one before. Raises TrainingError."""
    header = {
        "format": _FORMAT,
        "version": _VERSION,
        "belongs": belongs,
        "state": asdict(state),
        "generator": generator,
    }
    try:
        write_tensors(path, tensors, _KEY, header)
    except OSError as error:
        raise TrainingError(
            f"the checkpoint {path} cannot be written: {error.strerror or error}; make room on the disk, then resume"
        ) from error


def read_checkpoint(path: Path, belongs: Mapping[str, Any]) -> tuple[dict[str, Tensor], State, dict[str, Any]]:
    """Tensors, counters and random generator of the checkpoint of the training that `belongs` describes, its data only
    where they are read already.

    Raises TrainingError for a damaged one, and for one of another training, saying what is different.
    """
    try:
        header = _read_header(path)
        state = State.from_json(header.get("state"))
        generator, stored = header.get("generator"), header.get("belongs")
        if not isinstance(generator, dict) or not isinstance(stored, dict):
            raise ValueError("it lacks its random generator")
        with safe_open(path, framework="pt") as file:
            names = file.keys()
            tensors = {name: file.get_tensor(name) for name in names}
    except (ValueError, TypeError, OSError, SafetensorError) as error:
        raise _unreadable(path, error) from None
    _compare(path, stored, belongs)
    return tensors, state, generator


def is_of(path: Path, config: TrainConfig) -> bool:
    """Whether there is a checkpoint of a training with these settings; its sessions and tensors are not looked at."""
    try:
        stored = _read_header(path).get("belongs")
    except (ValueError, OSError):
        return False
    try:
        return isinstance(stored, dict) and settings(TrainConfig.from_json(stored.get("config"))) == settings(config)
    except UsageError:
        return False


def settings(config: TrainConfig) -> dict[str, Any]:
    """What a checkpoint keeps of a configuration; another machine may have other cores, and another disk."""
    return {name: value for name, value in config.to_json().items() if name not in ("threads", "cache_bytes")}


def _read_header(path: Path) -> dict[str, Any]:
    header = read_metadata(path, _KEY)
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        raise ValueError("it is another kind of file")
    check_version(header.get("version"), _VERSION)
    return header


def _unreadable(path: Path, error: Exception) -> TrainingError:
    if isinstance(error, NewerVersionError):
        return TrainingError(f"{path} cannot be read: {error}")
    reason = (str(error).splitlines() or [""])[0][:160]
    return TrainingError(f"{path} is not a readable checkpoint ({reason}); remove it to train anew")


def _compare(path: Path, stored: Mapping[str, Any], present: Mapping[str, Any]) -> None:
    if stored.get("env") != present.get("env"):
        raise TrainingError(f"{path} is of a training in another environment; remove it to train anew")
    was, now = stored.get("config"), present["config"]
    with contextlib.suppress(UsageError):
        was = settings(TrainConfig.from_json(was))  # what an earlier version did not know is as it is by default
    if was != now:
        was = was if isinstance(was, dict) else {}
        names = sorted(name for name in {*was, *now} if was.get(name) != now.get(name))
        raise TrainingError(
            f"{path} is of a training with other settings ({', '.join(names)}); remove it to train anew"
        )
    if "data" in present and stored.get("data") != present["data"]:
        raise TrainingError(
            f"{path} is of a training on other sessions, or they have changed since (an episode left out?); "
            "undo that, or remove it to train anew"
        )
