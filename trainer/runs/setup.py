"""What a run trains, as its config.json says it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec

from recorder.errors import UsageError, check_version
from recorder.system.records import plain, read, said
from trainer.config import TrainConfig

_VERSION = 1


class Source(msgspec.Struct, frozen=True):
    """A session that is learned from."""

    path: Annotated[str, said("where it lay", min_length=1)]
    digest: Annotated[str, said("its digest at the time")] = ""
    minutes: Annotated[
        float, said("minutes of play that are learned from and that no session before it holds", ge=0, le=1e9)
    ] = 0.0
    episodes: Annotated[tuple[int, ...] | None, said("the episodes taken; null: all")] = None
    player: Annotated[str, said("who played; may be empty")] = ""

    @property
    def name(self) -> str:
        """The session's name."""
        return Path(self.path).name.removesuffix(".zarr")

    @property
    def amount(self) -> str:
        """How much is learned from, like "6.5 minutes, some of its games"."""
        if not self.minutes:
            return "adds no play"
        return f"{self.minutes:.1f} minutes{'' if self.episodes is None else ', some of its games'}"


class Setup(msgspec.Struct, frozen=True):
    """What a run trains."""

    env: Annotated[str, said("name of the environment")]
    preset: Annotated[str, said("the preset that it began with; may be empty")]
    config: Annotated[TrainConfig, said("the settings, fields of `trainer.TrainConfig`")]
    sources: Annotated[tuple[Source, ...], said("the sessions that it learns from", min_length=1)]
    policy: Annotated[
        str, said("a file name in the library's policies, or a whole path that the user gave", min_length=1)
    ]
    created: Annotated[str, said("date and time, ISO 8601, UTC")]
    parent: Annotated[
        str, said("the policy that the training goes on from, named like `policy`", absent="it begins anew")
    ] = ""
    left_out: Annotated[str, said("what of these sessions is not learned from, in words", absent="not told")] = ""

    @property
    def goes_on_from(self) -> str:
        """The name of the policy that the training goes on from; empty if it begins anew."""
        return Path(self.parent).stem

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"format": "twinplay-run", "version": _VERSION, **plain(self)}

    @classmethod
    def from_json(cls, values: Any) -> Setup:
        """The inverse of `to_json`. Raises ValueError for anything else."""
        if not isinstance(values, dict) or values.get("format") != "twinplay-run":
            raise ValueError("its content is not the configuration of a run")
        check_version(values.get("version"), _VERSION)
        try:
            config = TrainConfig.from_json(values.get("config"))
        except UsageError as error:
            raise ValueError(str(error)) from None
        return read(cls, values | {"config": config})
