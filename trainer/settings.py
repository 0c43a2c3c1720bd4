"""The settings of a training as people change them: each a field of TrainConfig, described where it is declared.

The advanced panel of the Train page shows those that have a title; the command line takes every one.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from recorder.envs.registry import get_spec
from recorder.errors import UsageError
from recorder.store.places import place
from recorder.store.session import Session
from recorder.system.records import Field, RecordError, fields
from trainer.config import TrainConfig
from trainer.data.subsets import ALL, UsedGames, choose_games
from trainer.policy.header import read_header
from trainer.presets import networks

Setting = Field
SETTINGS = tuple(each for each in fields(TrainConfig) if each.title)


def off(setting: Setting) -> str:
    """What None is called; nothing where it cannot be None."""
    return str(setting.extra.get("off", ""))


def choices(setting: Setting, env: str) -> tuple[str, ...]:
    """The words that it may be in an environment; none for a number."""
    return networks(get_spec(env)) if setting.name == "network" else setting.choices


def settings_for(env: str) -> list[Setting]:
    """Those of SETTINGS that mean something to an environment."""
    return [setting for setting in SETTINGS if _means(setting, env)]


def listed(env: str | None = None, preset: str = "standard") -> list[tuple[str, str, str, str]]:
    """Every setting: its name, default, what it may be, and what it does; the defaults of `env`, where it is named."""
    config = TrainConfig() if env is None else TrainConfig.for_env(env, preset=preset)
    known = fields(TrainConfig) if env is None else [each for each in fields(TrainConfig) if _means(each, env)]
    return [(each.name, _shown(getattr(config, each.name)), each.words, each.help) for each in known]


def parse_settings(texts: Iterable[str]) -> dict[str, Any]:
    """From "name=value" to fields of TrainConfig. Raises UsageError for a name or a value that cannot be meant."""
    known = {each.name: each for each in fields(TrainConfig)}
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, written = text.partition("=")
        if not equals or name not in known:
            raise UsageError(f"{text!r} is not a setting; write name=value with one of: {', '.join(known)}")
        try:
            value = json.loads(written)
        except ValueError:
            value = None if written.lower() == "none" else written
        if known[name].listed and not isinstance(value, list):
            value = [value]
        if known[name].whole and isinstance(value, float) and value.is_integer():  # 1e9
            value = int(value)
        try:
            values[name] = known[name].taken(value)
        except RecordError as error:
            raise UsageError(f"{error}; it is by default {_shown(known[name].default)}") from None
    return values


def further_config(parent: Path, overrides: Mapping[str, Any]) -> TrainConfig:
    """The settings of a training that goes on from a policy. Raises PolicyError and UsageError."""
    return TrainConfig.from_json(read_header(parent).get("config")).further(**overrides)


def chosen_config(env: str, options: Namespace) -> TrainConfig:
    """What `twinplay train` and `python -m trainer` were asked for. Raises UsageError and PolicyError."""
    names = ("network", "max_batches", "max_seconds", "label_shifts")
    overrides = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    overrides = {"seed": options.seed, **overrides, **parse_settings(options.set)}
    if options.parent is not None:
        return further_config(options.parent, overrides)
    return TrainConfig.for_env(env, preset=options.preset, **overrides)


def used_games(sessions: Sequence[Session], options: Namespace) -> UsedGames:
    """The games to learn from, as `--games` and `--only` name them.

    Raises UsageError for a game that does not exist, for a session that is not among `sessions`, and if nothing is in
    the subset.
    """
    games = {place(name).name.removesuffix(".zarr"): numbers for name, numbers in options.games}
    if strange := set(games) - {session.name for session in sessions}:
        raise UsageError(f"--games names {', '.join(sorted(strange))}, which is not among the sessions")
    for session in sessions:
        for number in games.get(session.name, ()):
            session.game(number)
    used = choose_games(sessions, games, options.only)
    taken = [used.episodes.get(session.name) for session in sessions]
    if options.only != ALL and not any(episodes is None or episodes for episodes in taken):
        raise UsageError(
            f"--only {options.only} leaves no game of {', '.join(session.name for session in sessions)}; "
            "mark games good with `twinplay edit SESSION --good 1,2`, or train on all"
        )
    return used


def _kind(env: str) -> str:
    return "screen" if get_spec(env).sees_screen else "vector"


def _means(setting: Setting, env: str) -> bool:
    """Whether it means something to an environment."""
    return bool(setting.extra.get("kind", _kind(env)) == _kind(env))


def _shown(value: Any) -> str:
    """As `--set` takes it."""
    return "none" if value is None else value if isinstance(value, str) else json.dumps(value)
