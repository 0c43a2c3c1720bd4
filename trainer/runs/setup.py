"""What a run trains, as its config.json says it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from recorder.errors import UsageError, check_version
from trainer.config import TrainConfig

_VERSION = 1


@dataclass(frozen=True)
class Source:
    """A session that is learned from: its path, its digest at the time, and the episodes taken (None: all)."""

    path: str
    digest: str
    minutes: float
    episodes: tuple[int, ...] | None = None

    @property
    def name(self) -> str:
        """The session's name."""
        return Path(self.path).name.removesuffix(".zarr")


@dataclass(frozen=True)
class Setup:
    """What a run trains. `policy` is a file name in the library's policies, or a whole path that the user gave."""

    env: str
    preset: str
    config: TrainConfig
    sources: tuple[Source, ...]
    policy: str
    created: str

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"format": "twinplay-run", "version": _VERSION, **asdict(self), "config": self.config.to_json()}

    @classmethod
    def from_json(cls, values: Any) -> Setup:
        """The inverse of `to_json`. Raises ValueError for anything else."""
        if not isinstance(values, dict) or values.get("format") != "twinplay-run":
            raise ValueError("its content is not the configuration of a run")
        check_version(values.get("version"), _VERSION)
        texts = {name: values.get(name) for name in ("env", "preset", "policy", "created")}
        if not all(isinstance(text, str) for text in texts.values()) or not values["policy"]:
            raise ValueError("its environment, preset, policy or date is missing")
        sources = values.get("sources")
        if not isinstance(sources, list) or not sources:
            raise ValueError("it names no sessions")
        try:
            config = TrainConfig.from_json(values.get("config"))
        except UsageError as error:
            raise ValueError(str(error)) from None
        return cls(config=config, sources=tuple(_source(each) for each in sources), **texts)  # type: ignore[arg-type]


def _source(values: Any) -> Source:
    if not isinstance(values, dict) or not isinstance(values.get("path"), str) or not values["path"]:
        raise ValueError("one of its sessions has no path")
    episodes = values.get("episodes")
    if episodes is not None and not (isinstance(episodes, list) and all(type(k) is int for k in episodes)):
        raise ValueError("the episodes of a session are not numbers")
    minutes = values.get("minutes")
    minutes = float(minutes) if isinstance(minutes, int | float) and 0 <= minutes < 1e9 else 0.0
    chosen = None if episodes is None else tuple(episodes)
    return Source(values["path"], str(values.get("digest", "")), minutes, chosen)
