"""Everything that decides how a clone is trained. Frozen, checked, and stored in each policy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict, replace

from recorder.envs.registry import get_spec
from recorder.errors import UsageError
from recorder.system.records import RecordError, fields, plain, read
from trainer.hyperparameters import AUTO, Hyperparameters
from trainer.presets import EARLIER, check_preset, defaults

_FURTHER = 4
LOOK_SHARE = 0.6  # of a budget in seconds, for learning to see; and batches of that, for each that learns to play


class TrainConfig(Hyperparameters, frozen=True):
    """How to train: the Hyperparameters, which say what each of them does, and what follows from them.

    `TrainConfig.for_env` gives the defaults that suit an environment; `fit` puts them in the place of network "auto",
    and of a budget where there is none. Games that judge the play come on top of the budget.

    Raises UsageError for values that cannot be meant.
    """

    @property
    def outputs(self) -> int:
        """How many outputs the network has: one for each window of each label shift, in this order."""
        return len(self.label_shifts) * len(self.label_windows)

    def shift_of(self, output: int) -> int:
        """The label shift that an output is of, in ticks."""
        return self.label_shifts[output // len(self.label_windows)]

    def window_of(self, output: int) -> int:
        """The label window that an output is of, in ticks."""
        return self.label_windows[output % len(self.label_windows)]

    @property
    def perceives(self) -> bool:
        """Whether the network first learns to see where things are."""
        return self.network == "keypoints"

    @property
    def perception_batches(self) -> int | None:
        """How many batches it learns that from; None where time is the budget."""
        return None if self.max_batches is None else math.ceil(LOOK_SHARE * self.max_batches)

    @property
    def past_choices(self) -> tuple[bool, ...]:
        """Whether the clone may play with its past shown, with its past hidden, or either."""
        if self.hidden_share == 0 or not (self.hidden_rows or self.hidden_columns or self.perceives):
            return (True,)
        return (True, False) if self.hidden_share < 1 else (False,)

    def hidden_pixels(self, width: int) -> tuple[slice, slice]:
        """The rows and columns of a preprocessed screen, `width` pixels wide before, that are hidden."""
        rows, columns = self.hidden_rows, self.hidden_columns
        if not rows and not columns:
            return slice(0, 0), slice(0, 0)
        return self._pixels(rows, self.crop), self._pixels(columns, (0, width))

    def _pixels(self, places: tuple[int, ...], span: tuple[int, int]) -> slice:
        """Where rows or columns of a screen are once this span of them is preprocessed; all of it without any."""
        if not places:
            return slice(None)
        begin, end = span
        pixels = (end - begin) // self.shrink if self.shrink else self.size
        first, last = ((place - begin) * pixels / (end - begin) for place in places)
        return slice(max(0, math.floor(first)), max(0, math.ceil(last)))

    @property
    def recurrent(self) -> bool:
        """Whether the network remembers, and learns from sequences."""
        return self.network == "lstm"

    @property
    def batch_ticks(self) -> int:
        """Ticks in a batch."""
        return self.batch_size * (self.sequence if self.recurrent else 1)

    @classmethod
    def for_env(cls, env: str, preset: str = "standard", **overrides: Any) -> TrainConfig:
        """The defaults for an environment; `preset` is one of PRESETS, `overrides` are fields of this class.

        A budget given in `overrides` replaces the preset's. Raises UsageError for an unknown preset or field.
        """
        check_preset(preset)
        unknown = set(overrides) - {field.name for field in fields(cls)}
        if unknown:
            raise UsageError(f"training has no setting named {', '.join(sorted(unknown))}")
        values = defaults(get_spec(env), preset, overrides.get("network", AUTO))
        if overrides.get("max_batches") is not None or overrides.get("max_seconds") is not None:
            values |= {"max_batches": None, "max_seconds": None}
        return cls(**{**values, **overrides})

    @property
    def budget_text(self) -> str:
        """The budget in words, like "Up to 6.7 minutes, then a few test games to pick the best version"."""
        parts = []
        if self.max_seconds is not None:
            seconds = self.max_seconds
            parts.append(f"{seconds:g} seconds" if seconds < 90 else f"{seconds / 60:.2g} minutes")
        if self.max_batches is not None:
            parts.append(f"{self.max_batches:,} batches")
        text = f"Up to {' or '.join(parts)}" if parts else "As long as the environment's standard"
        return f"{text}, then a few test games to pick the best version" if self.play_games else text

    def completed(self, env: str) -> TrainConfig:
        """With a network and a budget. A network "auto" brings along all that suits it in this environment, in the
        place of what is as it is by default.
        """
        default = TrainConfig.for_env(env)
        config = self._based_on(default, TrainConfig()) if self.network == AUTO else self
        if config.max_batches is None and config.max_seconds is None:
            config = replace(config, max_batches=default.max_batches, max_seconds=default.max_seconds)
        return config

    def further(self, **overrides: Any) -> TrainConfig:
        """A training that goes on from a policy that was trained like this: a quarter as long, at a third of the rate,
        with half as many test games. `overrides` are other fields; a budget among them replaces that quarter.
        """
        batches = None if self.max_batches is None else max(1, self.max_batches // _FURTHER)
        seconds = None if self.max_seconds is None else max(0.1, self.max_seconds / _FURTHER)
        if overrides.get("max_batches") is not None or overrides.get("max_seconds") is not None:
            batches = seconds = None
        shorter = {
            "max_batches": batches,
            "max_seconds": seconds,
            "learning_rate": self.learning_rate / 3,
            "validations": min(self.validations, 5),
            "checks": 0,
            "play_games": -(-self.play_games // 2),
        }
        return replace(self, **{**shorter, **overrides})

    def without_perception(self, env: str) -> TrainConfig:
        """The same training with a network that needs to be told nothing, for recordings that tell nothing."""
        default, former = TrainConfig.for_env(env, network="nature"), TrainConfig.for_env(env)
        # A run of an earlier version has that version's defaults, and goes on with the network that it began with.
        earlier = {name: value for name, value in EARLIER.items() if getattr(self, name) == value}
        return self._based_on(default, replace(former, **earlier))

    def _based_on(self, default: TrainConfig, former: TrainConfig) -> TrainConfig:
        """`default`, with what is here another than in the default that it was `former` based on."""
        changes = {name: value for name, value in asdict(self).items() if value != getattr(former, name)}
        if changes.get("max_batches") or changes.get("max_seconds"):
            default = replace(default, max_batches=None, max_seconds=None)
        return replace(default, **changes)

    def with_changes(self, **changes: Any) -> TrainConfig:
        """A copy with some fields changed, checked again."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        values: dict[str, Any] = plain(self)
        return values

    @classmethod
    def from_json(cls, values: Any) -> TrainConfig:
        """The inverse of `to_json`; what a later version added is left out. Raises UsageError for anything else."""
        if not isinstance(values, dict) or "network" not in values:
            raise UsageError("these are not the settings of a training run")
        try:
            return read(cls, values | _rounded(values))
        except RecordError as error:
            raise UsageError(f"the settings of the training run are damaged ({error})") from None


def _rounded(values: Mapping[str, Any]) -> dict[str, int]:
    """Whole numbers that stand there as 1e9 or 2.5, which earlier versions took."""
    written = {each.name: values.get(each.name) for each in fields(TrainConfig) if each.whole}
    return {name: round(each) for name, each in written.items() if isinstance(each, float) and math.isfinite(each)}
