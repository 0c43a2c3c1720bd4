"""The values that the settings of a training may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recorder.errors import UsageError

if TYPE_CHECKING:
    from trainer.config import TrainConfig

AUTO = "auto"
NETWORKS = {"screen": ("keypoints", "nature", "article64"), "vector": ("mlp", "lstm")}
PRECISIONS = (AUTO, "float32", "bfloat16")

_CHOICES: dict[str, tuple[str, ...]] = {
    "network": (AUTO, *(name for names in NETWORKS.values() for name in names)),
    "activation": ("relu", "tanh"),
    "optimizer": ("adam", "sgd"),
    "precision": PRECISIONS,
}
_LIMITS: dict[str, tuple[float, float]] = {
    "size": (36, 210),
    "shrink": (0, 4),
    "batch_size": (1, 4_096),
    "learning_rate": (1e-7, 1.0),
    "weight_decay": (0.0, 10.0),
    "hidden_share": (0.0, 1.0),
    "every": (1, 1_000),
    "mirror": (0.0, 1.0),
    "shift": (0, 16),
    "rare_action_share": (0.0, 0.25),
    "ema": (0.0, 0.99999),
    "validation_share": (0.01, 0.5),
    "validations": (1, 1_000),
    "patience": (1, 1_000),
    "dropout": (0.0, 0.9),
    "max_batches": (1, 10_000_000),
    "max_seconds": (0.1, 10_000_000),
    "warm_up": (0.0, 0.9),
    "checks": (0, 100),
    "play_games": (0, 100),
    "play_ticks": (60, 36_000),
    "seed": (0, 2**63 - 1),  # what torch takes
    "threads": (1, 256),
    "sequence": (2, 512),
    "cache_bytes": (1e5, 1e15),
}


def limits(name: str) -> tuple[float, float]:
    """The least and the greatest value of a field that is a number."""
    return _LIMITS[name]


def check(config: TrainConfig) -> None:
    """Raises UsageError, naming the field, for values that cannot be meant."""
    for name, choices in _CHOICES.items():
        value = getattr(config, name)
        if value not in choices:
            raise UsageError(f"{name} {value!r} is unknown; choose one of: {', '.join(choices)}")
    for name, (low, high) in _LIMITS.items():
        value = getattr(config, name)
        if value is not None and not low <= value <= high:
            raise UsageError(f"{name} is {value}, but must lie between {low:g} and {high:g}")
    _check_history(config.history)
    _check_rows("crop", config.crop)
    if config.hidden_rows:
        _check_rows("hidden_rows", config.hidden_rows)
    _check_shifts(config.label_shifts)
    _check_windows(config.label_windows)
    _check_widths(config.hidden)


def _check_history(ages: tuple[int, ...]) -> None:
    if not ages or len(ages) > 16 or ages[0] != 0 or any(not 0 <= age <= 60 for age in ages):
        raise UsageError(f"history {ages} must begin with 0 and hold ages of up to 60 ticks")


def _check_rows(name: str, rows: tuple[int, ...]) -> None:
    if not (len(rows) == 2 and 0 <= rows[0] < rows[1] <= 1_000):
        raise UsageError(f"{name} {rows} must be two rows, the upper one first")


def _check_shifts(shifts: tuple[int, ...]) -> None:
    if not 1 <= len(shifts) <= 8 or list(shifts) != sorted(set(shifts)) or not 0 <= shifts[0] <= shifts[-1] <= 60:
        raise UsageError(f"label_shifts {shifts} must be one to eight different delays of up to 60 ticks, rising")


def _check_windows(windows: tuple[int, ...]) -> None:
    if not 1 <= len(windows) <= 4 or list(windows) != sorted({*windows} & {*range(1, 61)}):
        raise UsageError(f"label_windows {windows} must be one to four different numbers of 1 to 60 ticks, rising")


def _check_widths(widths: tuple[int, ...]) -> None:
    if not widths or len(widths) > 8 or any(not 1 <= width <= 4_096 for width in widths):
        raise UsageError(f"hidden {widths} must be one to eight layer widths of up to 4,096")
