"""Reads the JSON header of a safetensors file without its tensors and without torch, so that the window can do it.

    8 bytes: length of what follows │ JSON {"__metadata__": {KEY: our header as text}, tensor: {dtype, shape}} │ tensors

Files may come from strangers: the number of bytes read is limited, and the header is plain JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from safetensors import SafetensorError, safe_open

from recorder.envs.registry import get_spec, stored_spec
from recorder.errors import NewerVersionError, TwinplayError, check_version, first_line
from recorder.system.records import RecordError, read, said
from trainer.config import TrainConfig
from trainer.errors import PolicyError
from trainer.hyperparameters import LEAST_POSITIONS, MOST_POSITIONS

POLICY_FORMAT = "twinplay-policy"
POLICY_KEY = "twinplay"
_MAX_HEADER_BYTES = 8 << 20


class LearnedFrom(msgspec.Struct, frozen=True):
    """A session that a policy learned from."""

    name: Annotated[str, said("its name")] = "?"
    digest: Annotated[str, said("its digest at the time")] = ""
    player: Annotated[dict[str, Any], said("who played it, as in the recording")] = {}
    ticks: Annotated[int, said("its ticks")] = 0
    learned: (
        Annotated[
            int,
            said("those learned from that no session before it holds", ge=0, le=10**12, absent="all its ticks"),
        ]
        | None
    ) = None
    total_rewards: Annotated[tuple[float, ...], said("the scores of its games")] = ()
    episodes: Annotated[tuple[int, ...] | None, said("the episodes taken", absent="all")] = None
    corrections: Annotated[
        int, said("ticks in which a supervisor corrected a clone, if those are all it shows", absent="it is play")
    ] = 0


class TrainingFigures(msgspec.Struct, frozen=True):
    """What a training took, and how well it ended."""

    batches: Annotated[int, said("batches that it took")] = 0
    seconds: Annotated[float, said("seconds of all its sittings")] = 0.0
    operations: Annotated[int | None, said("floating-point operations", absent="not counted")] = None
    validation_loss: Annotated[float | None, said("the least loss on the play that was held out")] = None
    validation_accuracy: Annotated[float | None, said("its accuracy on that play; null for continuous actions")] = None
    score_in_play: Annotated[float | None, said("mean return of the games that chose how it plays best")] = None
    score_games: Annotated[int, said("how many such games", absent="not counted")] = 0
    score_ticks: Annotated[int, said("ticks that each of them lasted at most", absent="not counted")] = 0
    demonstrator_scores: Annotated[
        tuple[float, ...],
        said("scores of the games that it learned from, of each as far as `score_ticks`; without those stopped before"),
    ] = ()
    warnings: Annotated[tuple[str, ...], said("what the reader of its sessions noticed")] = ()
    torch: Annotated[str, said("version of PyTorch")] = ""


class ParentPolicy(msgspec.Struct, frozen=True):
    """The policy that a training went on from."""

    name: Annotated[str, said("its file's name, without the ending")] = "?"
    sha256: Annotated[str, said("SHA-256 of its file")] = ""
    called: Annotated[str, said("what people called it")] = ""
    parents: Annotated[int, said("how many trainings it had behind it, beside its own", ge=0)] = 0


class SeenPosition(msgspec.Struct, frozen=True):
    """A byte of the console's memory that a network learned to see as a position."""

    byte: Annotated[int, said("its place in the memory", ge=0, le=127)]
    mean: Annotated[float, said("its mean in the first training")]
    deviation: Annotated[float, said("its standard deviation there, the network's unit", ge=1e-3)]


class PolicyHeader(msgspec.Struct, frozen=True):
    """The header of a policy file. What decides how it plays is checked where it is loaded."""

    format: Annotated[str, said("`twinplay-policy`", absent="")] = POLICY_FORMAT
    version: Annotated[
        int, said("1; 2 if it has more than eight positions, `waves` or `pooled_screens`", absent="")
    ] = 1
    env: Annotated[Any, said("the environment that it was trained in, as above", shown="table")] = None
    config: Annotated[
        Any, said("the settings of its training, below: they say which network the tensors belong to", shown="table")
    ] = None
    play: Annotated[Any, said("how it plays best, below", shown="table")] = None
    alike: Annotated[
        Any,
        said(
            "how it plays like its demonstrator: `manner` (as `play`, with a `pull`), `score`, `demonstrator` (its "
            "score), `classifier`",
            shown="table",
            absent="it knows no such way",
        ),
    ] = None
    called: Annotated[str, said("what people call it, any text", absent="its file's name")] = ""
    created: Annotated[str, said("date and time, ISO 8601, UTC")] = ""
    run: Annotated[str, said("the training run that it comes from")] = ""
    parent: Annotated[ParentPolicy | None, said("the policy that its training went on from, below", absent="none")] = (
        None
    )
    sessions: Annotated[tuple[LearnedFrom, ...], said("what it learned from, below")] = ()
    positions: Annotated[
        tuple[SeenPosition, ...],
        said(
            "which bytes of the console's memory the network sees, in order, below",
            max_length=MOST_POSITIONS,
            absent="not stored",
        ),
    ] = ()
    training: Annotated[TrainingFigures, said("what its training took and came to, below")] = TrainingFigures()


def version_of(config: Any) -> int:
    """The format version of a policy with these settings, as JSON: 2 for a network that version 1 does not know."""
    stored = config if isinstance(config, dict) else {}
    positions = stored.get("positions")
    larger = isinstance(positions, int) and positions > LEAST_POSITIONS
    pooled = stored.get("pooled_screens")
    return 2 if larger or stored.get("waves") or (isinstance(pooled, int) and pooled > 1) else 1


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
        raise ValueError(first_line(error)) from None


def read_header(path: Path | str) -> dict[str, Any]:
    """The header of a policy file, without its weights. Raises PolicyError when the file is not a policy."""
    path = Path(path)
    if path.is_dir():
        raise PolicyError(f"{path} is a folder, not a policy; give a file that ends in .safetensors")
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
        check_version(header.get("version"), version_of(header.get("config")))
    except NewerVersionError as error:
        raise PolicyError(f"{path} cannot be read: {error}") from None
    except ValueError as error:
        raise PolicyError(f"{path} cannot be read: {error}; train it again") from None
    try:
        read(PolicyHeader, header)
    except RecordError as error:
        raise PolicyError(f"{path} is damaged ({error}); train it again or get a whole copy") from None
    return header


def read_playable(path: Path, *, alike: bool = False) -> dict[str, Any]:
    """The header of a policy that can play here, with `alike` like its demonstrator; its weights are not read.

    Raises PolicyError for any other file.
    """
    header = read_header(path)
    if alike:
        check_alike(path, header)
    try:
        spec = stored_spec(header.get("env"))
        installed = get_spec(spec.name)
        TrainConfig.from_json(header.get("config"))
    except (TwinplayError, ValueError, TypeError) as error:
        raise PolicyError(f"{path} is damaged ({first_line(error, 200)}); get an undamaged copy") from None
    if spec.interface != installed.interface:
        raise PolicyError(f"{path} was made for a different version of {spec.title}; train it again")
    return header


def facts(header: Mapping[str, Any]) -> PolicyHeader:
    """What a header that `read_header` gave says."""
    return read(PolicyHeader, header)


def check_alike(path: Path, header: Mapping[str, Any]) -> None:
    """Raises PolicyError for a policy that cannot play like its demonstrator."""
    if header.get("alike") is None:
        raise PolicyError(
            f"{path} cannot play like its demonstrator; let it play its best, or train it again with the network "
            "keypoints"
        )
