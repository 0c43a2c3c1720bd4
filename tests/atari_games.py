"""The table of all Atari games, made anew from the emulator: `python -m tests.atari_games`.

Titles and keys are written by hand: those that the table has stay.
"""

from __future__ import annotations

import json
import re
from typing import Any

import ale_py
import gymnasium
from msgspec.structs import asdict

from recorder.envs.atari_games import ALL_ACTIONS, TABLE, AtariGame, atari_games
from recorder.envs.game import Game
from recorder.envs.registry import get_spec
from recorder.system.records import fields

_SEEDS = 100
_HEAD = """# Every game that ale-py ships: see atari_games.py. `python -m tests.atari_games` makes the rows anew.
# Titles and keys are written by hand.
"""


def env_ids() -> dict[str, str]:
    """The environments of the Arcade Learning Environment in their present version, by the names of their ROMs."""
    gymnasium.register_envs(ale_py)
    found: dict[str, str] = {}
    for env_id, spec in gymnasium.registry.items():
        if re.fullmatch(r"ALE/\w+-v5", env_id):
            found.setdefault(spec.kwargs["game"], env_id)
    return dict(sorted(found.items()))


def facts(env_id: str) -> dict[str, Any]:
    """What the emulator says of a game, as a row of the table has it."""
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    for full in (False, True):
        env = gymnasium.make(env_id, frameskip=1, full_action_space=full, disable_env_checker=True)
        core: Any = env.unwrapped
        env.reset(seed=0)
        names = core.get_action_meanings()
        found = {"actions": " ".join(names), "lines": core.ale.getScreen().shape[0], "lives": core.ale.lives()}
        env.close()
        core.ale = None
        if names[0] == "NOOP":
            break
    return {"env_id": env_id, **found, "all_actions": full}


def starts(name: str) -> int:
    """How many different games the varied starts of a hundred seeds lead to."""
    with Game(get_spec(name)) as game:
        return len({(game.reset(seed, varied=True).tobytes(), bytes(game.memory())) for seed in range(_SEEDS)})


def write(rows: dict[str, dict[str, Any]]) -> None:
    """Write the table; what is as AtariGame has it by default is left out."""
    lines = []
    for name, row in sorted(rows.items()):
        values = {each.name: row.get(each.name, each.default) for each in fields(AtariGame)}
        told = {each.name: values[each.name] for each in fields(AtariGame) if values[each.name] != each.default}
        if told["actions"].split() == list(ALL_ACTIONS):
            told["actions"] = "all"
        lines.append(f"{name} = {_value(told)}\n")
    TABLE.write_text(_HEAD + "".join(lines), encoding="utf-8")
    atari_games.cache_clear()
    get_spec.cache_clear()


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def _title(env_id: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z0-9])", " ", env_id.removeprefix("ALE/").removesuffix("-v5"))


def main() -> None:
    """Write it twice: varied starts are those of the games that it describes."""
    known = {name: asdict(game) for name, game in atari_games().items()} if TABLE.exists() else {}
    rows = {
        name: {"title": _title(env_id), "starts": 0, **known.get(name, {}), **facts(env_id)}
        for name, env_id in env_ids().items()
    }
    write(rows)
    for name, row in rows.items():
        row["starts"] = starts(name)
        print(f"{name}: {row['starts']} of {_SEEDS} varied starts differ", flush=True)
    write(rows)


if __name__ == "__main__":
    main()
