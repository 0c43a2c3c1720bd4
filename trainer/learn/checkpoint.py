"""An unfinished training in one file: after a kill or a pause it resumes as if nothing had happened.

    checkpoint.safetensors   tensors   net/… average/… optimizer/<parameter>/… kept/<why>/… random
                             header    {format, version, belongs, state, generator}     JSON

`belongs` identifies the training: its configuration and its data. `state` are the counters (see State); `generator` is
the state of numpy's random generator, which draws the batches, and `random` that of torch's. On a CPU and with a budget
in batches, a resumed training ends with exactly the weights of an uninterrupted one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from safetensors import SafetensorError, safe_open
from torch import Tensor

from recorder.errors import NewerVersionError, UsageError, check_version, first_line
from recorder.system.records import plain, read
from trainer.config import TrainConfig
from trainer.errors import TrainingError
from trainer.policy.header import SeenPosition, read_metadata
from trainer.policy.tensors import write_tensors

# Half a minute of Breakout, a second of Hopper; docs/training-runs.md has the cost.
CHECKPOINT_BATCHES = 500
_FORMAT, _VERSION, _KEY = "twinplay-checkpoint", 1, "twinplay"
_Count = Annotated[int, Meta(ge=0)]
# The first versions had none of these.
_LATER = ("operations", "played", "score_games", "score_ticks", "accuracies", "positions")


class State(msgspec.Struct):
    """The counters of a training. Seconds are those of all its sittings; `train_s` of them count in the budget.

    `validated`, `stale` and `checked` count validations, those of them in a row without a lower loss, and the looks at
    its play. `manner` is the ActionSelection that plays best, as JSON. `score` is the mean of `score_games` games of at
    most `score_ticks` ticks. `accuracies` are those on held-out play of the weights kept for each reason. `operations`
    are those of learning to see (trainer.learn.operations), `played` the ticks of the games that have judged it.
    `positions` are what it sees.
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
    score_games: _Count = 0
    score_ticks: _Count = 0
    accuracies: dict[str, float | None] = {}
    positions: tuple[SeenPosition, ...] = ()

    @classmethod
    def from_json(cls, values: Any) -> State:
        """The inverse of `plain`; what an earlier version did not count is 0, and what a later one
        counts besides is left out. Raises ValueError for anything else."""
        if not isinstance(values, dict) or not set(cls.__struct_fields__) - set(_LATER) <= set(values):
            raise ValueError("its counters are not those of a training")
        return read(cls, values)


def write_checkpoint(
    path: Path,
    tensors: Mapping[str, Tensor],
    fingerprint: Mapping[str, Any],
    state: State,
    generator: Mapping[str, Any],
) -> None:
    """Replace the checkpoint atomically. Raises TrainingError."""
    header = {
        "format": _FORMAT,
        "version": _VERSION,
        "belongs": fingerprint,
        "state": plain(state),
        "generator": generator,
    }
    try:
        write_tensors(path, tensors, _KEY, header)
    except OSError as error:
        raise TrainingError(
            f"the checkpoint {path} cannot be written: {error.strerror or error}; free some disk space, then resume"
        ) from error


def read_checkpoint(path: Path, fingerprint: Mapping[str, Any]) -> tuple[dict[str, Tensor], State, dict[str, Any]]:
    """Tensors, counters and random generator of a checkpoint of the training that `fingerprint` describes. Its data are
    compared only if `fingerprint` has them (they are known once read).

    Raises TrainingError for a damaged checkpoint, and for one of another training, saying what is different.
    """
    try:
        header = _read_header(path)
        state = State.from_json(header.get("state"))
        generator, stored = header.get("generator"), header.get("belongs")
        if not isinstance(generator, dict) or not isinstance(stored, dict):
            raise ValueError("the state of its random generator is missing")
        with safe_open(path, framework="pt") as file:
            names = file.keys()
            tensors = {name: file.get_tensor(name) for name in names}
    except (ValueError, TypeError, OSError, SafetensorError) as error:
        raise _unreadable(path, error) from None
    _compare(path, stored, fingerprint)
    return tensors, state, generator


def as_begun(path: Path, config: TrainConfig) -> TrainConfig:
    """With as many positions as the training of a checkpoint has found in its recordings, if there is one."""
    try:
        belongs = _read_header(path).get("belongs")
        stored = TrainConfig.from_json(belongs.get("config") if isinstance(belongs, dict) else None)
    except (ValueError, OSError, UsageError):
        return config  # whoever reads the whole checkpoint says what is wrong with it
    if stored.positions <= config.positions:
        return config
    return config.with_changes(positions=stored.positions, waves=config.waves or stored.waves)


def is_of(path: Path, config: TrainConfig) -> bool:
    """Whether there is a checkpoint of a training with these settings; sessions and tensors are not compared."""
    try:
        stored = _read_header(path).get("belongs")
    except (ValueError, OSError):
        return False
    try:
        return isinstance(stored, dict) and settings(TrainConfig.from_json(stored.get("config"))) == settings(config)
    except UsageError:
        return False


def settings(config: TrainConfig) -> dict[str, Any]:
    """The settings that must be equal to resume: not those of the machine, such as cores and disk space."""
    return {name: value for name, value in config.to_json().items() if name not in ("threads", "cache_bytes")}


def _read_header(path: Path) -> dict[str, Any]:
    header = read_metadata(path, _KEY)
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        raise ValueError("it is a different kind of file")
    check_version(header.get("version"), _VERSION)
    return header


def _unreadable(path: Path, error: Exception) -> TrainingError:
    if isinstance(error, NewerVersionError):
        return TrainingError(f"{path} cannot be read: {error}")
    reason = first_line(error)
    return TrainingError(f"{path} is not a readable checkpoint ({reason}); delete it to start a new training")


def _compare(path: Path, stored: Mapping[str, Any], present: Mapping[str, Any]) -> None:
    if stored.get("env") != present.get("env"):
        raise TrainingError(f"{path} belongs to a training in another environment; delete it to start a new training")
    was, now = stored.get("config"), present["config"]
    with contextlib.suppress(UsageError):
        was = settings(TrainConfig.from_json(was))  # a setting that an earlier version did not know has its default
    if was != now:
        was = was if isinstance(was, dict) else {}
        names = sorted(name for name in {*was, *now} if was.get(name) != now.get(name))
        raise TrainingError(
            f"{path} belongs to a training with other settings ({', '.join(names)}); delete it to start a new training"
        )
    if "data" in present and stored.get("data") != present["data"]:
        raise TrainingError(
            f"{path} belongs to a training on other sessions, or they were edited since (an episode excluded?); "
            "undo that, or delete it to start a new training"
        )
