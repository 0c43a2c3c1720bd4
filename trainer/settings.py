"""The settings of a training as people change them: what each is called, what it does, and how it is written.

The advanced panel of the Train page shows those named here; the command line takes every field of TrainConfig.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from recorder.envs.registry import get_spec
from recorder.errors import UsageError
from recorder.store.places import place
from recorder.store.session import Session
from trainer.config import TrainConfig
from trainer.limits import AUTO, NETWORKS, PRECISIONS, limits


@dataclass(frozen=True)
class Setting:
    """A field of TrainConfig: its title, and what it does in a sentence or two.

    `kind` is "screen" or "vector" where it only means something to such environments. `whole` numbers have no fraction;
    `off` is what None is called, where it may be None.
    """

    name: str
    title: str
    help: str
    kind: str = ""
    whole: bool = False
    off: str = ""

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the greatest value."""
        return limits(self.name)

    def choices(self, env: str) -> tuple[str, ...]:
        """The words that it may be; none for a number."""
        known = {
            "network": NETWORKS["screen" if get_spec(env).sees_screen else "vector"],
            "optimizer": ("adam", "sgd"),
            "precision": PRECISIONS,
        }
        return known.get(self.name, ())


SETTINGS = (
    Setting(
        "max_seconds", "Maximum time (s)", "Training ends after this many seconds of all sittings.", off="no limit"
    ),
    Setting(
        "max_batches",
        "Maximum batches",
        "Training ends after this many batches. With a budget in batches a run can be repeated exactly.",
        whole=True,
        off="no limit",
    ),
    Setting(
        "network",
        "Network",
        "keypoints: for screens; first learns where things are, then to play from that. nature: the network of Mnih et "
        "al. 2015; article64: a smaller one. mlp: two layers for vectors; lstm: one with a memory.",
    ),
    Setting("batch_size", "Batch size", "Ticks (for an lstm: sequences) that each step learns from.", whole=True),
    Setting(
        "learning_rate",
        "Learning rate",
        "How far each step goes, at most: it rises at first and then falls over the whole budget.",
    ),
    Setting("weight_decay", "Weight decay", "Pulls weights towards zero: more of it keeps the clone simple."),
    Setting("optimizer", "Optimizer", "adam suits nearly everything; sgd is the classic, with momentum 0.9."),
    Setting(
        "hidden_share",
        "Hide the paddle's past",
        "In this share of the samples the clone does not see where its own paddle was. A clone that always sees it "
        "learns to repeat itself instead of watching the ball.",
        "screen",
    ),
    Setting(
        "mirror",
        "Mirror",
        "The share of samples that are seen in the mirror: as good as twice the play. Not for keypoints.",
        "screen",
    ),
    Setting(
        "shift",
        "Shift (pixels)",
        "Screens are moved by up to this much, so that places count less. Not for keypoints.",
        "screen",
        True,
    ),
    Setting("dropout", "Dropout", "The share of a layer that is left out at random. For keypoints only.", "screen"),
    Setting(
        "rare_action_share",
        "Rare actions",
        "An action rarer than this (the serve) is drawn until it has that share of the samples.",
        "screen",
    ),
    Setting("ema", "Averaging", "How long the running average of the weights is: it is what plays. 0: none."),
    Setting("patience", "Patience", "Training ends after this many validations without a lower loss.", whole=True),
    Setting("validation_share", "Held out", "The share of the play that is kept apart to judge the clone by."),
    Setting("checks", "Games while training", "How often a few short games judge it while it trains.", whole=True),
    Setting("play_games", "Games at the end", "Games that choose how the clone plays best; 0: none.", whole=True),
    Setting("precision", "Precision", "Numbers of the network while it trains; auto takes the faster on this machine."),
    Setting("seed", "Seed", "Another seed draws other weights and batches.", whole=True),
)


def settings_for(env: str) -> list[Setting]:
    """Those that mean something to an environment."""
    kind = "screen" if get_spec(env).sees_screen else "vector"
    return [setting for setting in SETTINGS if setting.kind in ("", kind)]


def parse_settings(texts: Iterable[str]) -> dict[str, Any]:
    """From "name=value" to fields of TrainConfig. Raises UsageError for a name or a value that cannot be meant."""
    known = {each.name: each.default for each in fields(TrainConfig)}
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, written = text.partition("=")
        if not equals or name not in known:
            raise UsageError(f"{text!r} is not a setting; write name=value with one of: {', '.join(known)}")
        try:
            value = json.loads(written)
        except ValueError:
            value = None if written.lower() == "none" else written
        if isinstance(known[name], tuple):
            value = tuple(value) if isinstance(value, list) else (value,)
        if not _fits(value, known[name]):
            raise UsageError(f"{name} cannot be {written!r}; it is by default {_shown(known[name])}")
        values[name] = value
    return values


def chosen_config(env: str, options: Namespace) -> TrainConfig:
    """What `twinplay train` and `python -m trainer` were asked for. Raises UsageError."""
    names = ("network", "max_batches", "max_seconds", "label_shifts")
    overrides = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    overrides = {"seed": options.seed, **overrides, **parse_settings(options.set)}
    return TrainConfig.for_env(env, preset=options.preset, **overrides)


def chosen_episodes(sessions: Sequence[Session], options: Namespace) -> dict[str, tuple[int, ...]]:
    """The indices of the episodes of those games that they are to take, by the name of the session.

    Raises UsageError for a game that does not exist, and for a session that is not among `sessions`.
    """
    games = {place(name).name.removesuffix(".zarr"): numbers for name, numbers in options.games}
    if strange := set(games) - {session.name for session in sessions}:
        raise UsageError(f"--games names {', '.join(sorted(strange))}, which is not among the sessions")
    return {
        session.name: tuple(
            episode.index for number in games[session.name] for episode in session.game(number).segments
        )
        for session in sessions
        if session.name in games
    }


def _fits(value: Any, default: Any) -> bool:
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, tuple):
        return all(type(part) is int for part in value)
    if isinstance(default, str):
        return isinstance(value, str)
    return (value is None and default is None) or (isinstance(value, int | float) and not isinstance(value, bool))


def _shown(default: Any) -> str:
    return "none" if default is None else AUTO if default == AUTO else json.dumps(default)
