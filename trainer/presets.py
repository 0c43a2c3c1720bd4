"""The default settings for each kind of environment and each preset.

input                   network        learns from
screens of a console    keypoints      the positions of things on them
screens                 nature, …      their pixels
vectors                 mlp, lstm      their numbers
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recorder.envs.spec import EnvSpec
from recorder.errors import UsageError
from trainer.hyperparameters import AUTO, NETWORKS

# A description of each for the user; `defaults` returns its settings.
PRESETS = {
    "quick": "A quick first impression.",
    "standard": "Plays well.",
    "best": "The same recipe with three to five times the time, and more test games.",
}
# Earlier defaults of the network "keypoints".
EARLIER: Mapping[str, Any] = {"batch_size": 256, "learning_rate": 1e-3}


@dataclass(frozen=True)
class _Recipe:
    """Settings that are the same for all presets, and those of each."""

    settings: Mapping[str, Any]
    presets: Mapping[str, Mapping[str, Any]]


_KEYPOINTS = _Recipe(
    {
        "network": "keypoints",
        "shrink": 2,
        "history": (0, 2, 4, 8, 16, 24),
        "label_windows": (1, 8),
        "aims": (2, 4, 8, 16),
        "action_history": 4,
        "hidden": (256, 256),
        "dropout": 0.1,
        "batch_size": 512,
        "learning_rate": 3e-3,
        "mirror": 0.0,
        "shift": 0,
        "hidden_rows": (),
        "ema": 0.998,
        "checks": 0,
    },
    {
        "quick": {"max_batches": 1_200, "play_games": 3, "play_ticks": 4_000},
        "standard": {"max_batches": 4_000, "play_games": 4, "play_ticks": 6_000},
        "best": {"max_batches": 12_000, "play_games": 10},
    },
)
_PIXELS = _Recipe(
    {"network": "nature"},
    {
        "quick": {"max_seconds": 150.0, "checks": 1, "play_games": 3, "play_ticks": 4_000},
        "standard": {"max_seconds": 400.0},
        "best": {"max_seconds": 1_800.0, "checks": 6, "play_games": 10},
    },
)
_VECTORS = _Recipe(
    {
        "network": "mlp",
        # Strong decay keeps the network as simple as the data allow. Trained on one game of the expert, the clone then
        # falls in none of 50 games, without decay in 1 to 14 (docs/hopper.md).
        "learning_rate": 3e-3,
        "weight_decay": 1.0,
        "mirror": 0.0,
        "shift": 0,
        "play_ticks": 1_000,
    },
    {
        "quick": {"max_batches": 6_000, "play_games": 12},
        "standard": {"max_batches": 20_000, "play_games": 24},
        "best": {"max_batches": 60_000, "checks": 6, "play_games": 48},
    },
)


def check_preset(name: str) -> None:
    """Raises UsageError for an unknown preset."""
    if name not in PRESETS:
        raise UsageError(f"there is no preset {name!r}; choose one of: {', '.join(PRESETS)}")


def networks(spec: EnvSpec) -> tuple[str, ...]:
    """The networks that suit an environment: only a console's memory tells where things are."""
    known = NETWORKS["screen" if spec.sees_screen else "vector"]
    return tuple(name for name in known if name != "keypoints" or spec.colours == "palette")


def defaults(spec: EnvSpec, preset: str, network: str) -> dict[str, Any]:
    """The fields of TrainConfig that a preset sets for an environment and a network (or AUTO)."""
    seen: dict[str, Any] = {"crop": spec.playfield} if spec.sees_screen and spec.playfield else {}
    if not spec.sees_screen:
        recipe = _VECTORS
    elif network == "keypoints" or (network == AUTO and "keypoints" in networks(spec)):
        recipe = _KEYPOINTS
    else:
        recipe = _PIXELS
        seen["hidden_rows"] = spec.own_rows
    return {**recipe.settings, **recipe.presets[preset], **seen}
