"""Everything that decides how a clone is trained. Frozen, checked, and stored in each policy."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from recorder.envs.registry import get_spec
from recorder.errors import UsageError
from trainer.limits import AUTO, check
from trainer.presets import EARLIER, check_preset, defaults

LOOK_SHARE = 0.6  # of a budget in seconds, for learning to see; and batches of that, for each that learns to play


@dataclass(frozen=True)
class TrainConfig:
    """How to train. `TrainConfig.for_env` gives the defaults that suit an environment; `fit` puts them in the place of
    network "auto", and of a budget where there is none.

    Input: screens cropped to rows `crop`, grey, `size` x `size`, or, with `shrink`, so many times smaller, which is
    quicker and keeps whole pixels whole; `history` are the ages (in ticks) of those stacked.
    In `hidden_share` of the samples the older ones do not show the screen's rows `hidden_rows`, where only the player's
    own paddle moves: a clone that always sees what it did a moment ago learns to repeat it instead of watching the ball
    (de Haan et al. 2019, "Causal confusion in imitation learning"), one that never does cannot know how fast its paddle
    glides (Bansal et al. 2019, "ChauffeurNet", hide a driver's past in half of the samples). Play decides whether the
    clone sees them. `whiten` divides every pixel by how much it varies. Vectors pass through layers of `hidden` widths;
    a network with a memory ("lstm") learns from `sequence` ticks at a time, and `batch_size` counts those sequences.

    Sampling: `every` takes only each so-many-th tick of the play to learn from (what is seen and played stays as it is,
    tick by tick); `mirror` is the share of samples seen in the mirror, with outputs of their own, so that a player who
    favours a side keeps it; `shift` is the largest displacement in pixels; an action rarer than `rare_action_share` is
    drawn until it has that share (without it a clone may never learn to serve).
    `label_shifts` are reaction times, in ticks, that the demonstrator may have, each with outputs of its own. At 0 an
    action answers to what is on the screen. At 12 it answers to what was there 12 ticks before, as a person's does, but
    for the rows `hidden_rows`: where one's own paddle is, one knows without looking. The clone sees all of it as it is
    now, and so answers at once. Every sample is of one of them, drawn evenly; play chooses among them.

    `label_windows` are how many ticks, from its own on, a sample's label is of, each with outputs of its own. Of 1: the
    action of the tick alone. Of 8: the shares of the actions in the next eight ticks, which tell what the player means
    to do better than the tick does at which a key happens to go down. Play chooses among these, too.

    A network "keypoints" first learns to see where things are (trainer.policy.keypoints), in `perception_batches` of
    its own, from screens of the recording and what the emulator's memory holds at them. Then it learns to play from
    where things are, and what is said of screens above is said of positions. It knows no `mirror`, no `shift` and no
    `hidden_rows`: what is the player's own is found out by trying. `dropout` is that of its layers. With `scout`, a
    player that is told where things are shows it more screens than the recording has (trainer.learn.scout).

    Budget: whichever of `max_batches` and `max_seconds` comes first; the one-cycle learning rate (Smith 2018) spans it,
    its first `warm_up` rising. Training stops early after `patience` validations (of `validations` in the budget)
    without a lower loss. `ema` averages the weights (Polyak 1992); the average is what is validated, saved and played.
    `precision` of the network while training: "bfloat16", "float32", or "auto" for the faster one on this machine.

    Selection: `checks` times in the later part of training a few short games judge the weights; the best are kept. At
    last games of at most `play_ticks` ticks, `play_games` of them in the last round, choose how the clone plays best.
    These last ones come on top of the budget.

    Machine: `threads` of the network, all cores by default; `cache_bytes` of temporary files at most, of which no more
    than the disk has free are taken. They are enough for 180 hours of Breakout at once; of more than that, batches are
    drawn from one large random part after the other (see trainer.data.sampler).

    Raises UsageError for values that cannot be meant.
    """

    network: str = AUTO
    crop: tuple[int, int] = (0, 1_000)
    size: int = 84
    shrink: int = 0
    history: tuple[int, ...] = (0, 2, 4, 8, 16)
    hidden_rows: tuple[int, ...] = ()
    hidden_share: float = 0.5
    whiten: bool = True
    hidden: tuple[int, ...] = (128, 64)
    sequence: int = 32
    activation: str = "relu"
    optimizer: str = "adam"
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    every: int = 1
    mirror: float = 0.5
    shift: int = 5
    rare_action_share: float = 0.01
    label_shifts: tuple[int, ...] = (0,)
    label_windows: tuple[int, ...] = (1,)
    dropout: float = 0.0
    scout: bool = True
    ema: float = 0.999
    validation_share: float = 0.1
    validations: int = 20
    patience: int = 12
    warm_up: float = 0.03
    precision: str = AUTO
    checks: int = 3
    max_batches: int | None = None
    max_seconds: float | None = None
    play_games: int = 6
    play_ticks: int = 9_000
    seed: int = 0
    threads: int | None = None
    cache_bytes: int = 8_000_000_000

    def __post_init__(self) -> None:
        check(self)

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
    def pasts(self) -> tuple[bool, ...]:
        """Whether the clone may play with its past shown, with its past hidden, or either."""
        if self.hidden_share == 0 or not (self.hidden_rows or self.perceives):
            return (True,)
        return (True, False) if self.hidden_share < 1 else (False,)

    @property
    def hidden_pixels(self) -> slice:
        """The rows of a preprocessed screen that `hidden_rows` are in."""
        if not self.hidden_rows:
            return slice(0, 0)
        top, bottom = self.crop
        rows = (bottom - top) // self.shrink if self.shrink else self.size
        first, last = ((row - top) * rows / (bottom - top) for row in self.hidden_rows)
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

    def without_perception(self, env: str) -> TrainConfig:
        """The same training with a network that needs to be told nothing, for recordings that tell nothing."""
        default, former = TrainConfig.for_env(env, network="nature"), TrainConfig.for_env(env)
        # A run of an earlier version has that version's defaults, and goes on with the network that it began with.
        earlier = {name: value for name, value in EARLIER.items() if getattr(self, name) == value}
        return self._based_on(default, replace(former, **earlier))

    def _based_on(self, default: TrainConfig, former: TrainConfig) -> TrainConfig:
        """`default`, with what is here another than in the default that it was `former` based on."""
        changes = {name: value for name, value in vars(self).items() if value != vars(former)[name]}
        if changes.get("max_batches") or changes.get("max_seconds"):
            default = replace(default, max_batches=None, max_seconds=None)
        return replace(default, **changes)

    def with_changes(self, **changes: Any) -> TrainConfig:
        """A copy with some fields changed, checked again."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, values: Any) -> TrainConfig:
        """The inverse of `to_json`; what a later version added is left out. Raises UsageError for anything else."""
        if not isinstance(values, dict) or "network" not in values:
            raise UsageError("these are not the settings of a training run")
        known = {field.name: values[field.name] for field in fields(cls) if field.name in values}
        try:
            settings: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in known.items()}
            return cls(**settings)
        except TypeError as error:
            raise UsageError(f"the settings of the training run are damaged ({error})") from None
