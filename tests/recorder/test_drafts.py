"""Any Gymnasium environment: drafted from what it says of itself, added, recorded, verified and learned from."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from player.cli import main
from recorder import Game, RandomAgent, get_spec, record, verify
from recorder.envs import registry
from recorder.envs.draft import draft
from recorder.errors import UnknownEnvError, UsageError
from trainer import Policy, TrainConfig, fit

MODULE = """
import gymnasium
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
gymnasium.register("Balance-v0", CartPoleEnv, max_episode_steps=50)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(registry, "own_folder", lambda: tmp_path / "envs")
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    registry._files.cache_clear()
    registry.get_spec.cache_clear()


@pytest.mark.parametrize("env_id", ["Acrobot-v1", "MountainCar-v0", "InvertedPendulum-v5", "FrozenLake-v1", "Taxi-v4"])
def test_a_draft_is_added_recorded_verified_learned_from_and_played(env_id: str, home: Path) -> None:
    name = env_id.partition("-")[0].lower()
    file = home / f"{name}.toml"
    assert main(["env", "draft", env_id, "--out", str(file)]) == 0
    assert main(["env", "add", str(file)]) == 0
    spec = get_spec(name)
    session = record(name, RandomAgent(spec, 1), library=home, episodes=2, seed=1)
    assert verify(session).ok
    assert session.observations[0].shape == spec.observation_shape
    out = home / "clone.safetensors"
    list(fit([session], TrainConfig.for_env(name, max_batches=4, play_games=0, checks=0), out=out))
    policy = Policy.load(out)
    with Game(policy.spec) as game:
        observation = game.reset(0)
        policy.reset(game.env)
        for _ in range(5):
            observation, *_ = game.step(game.check_action(policy.act(observation)))


def test_a_numbered_state_is_a_vector_with_a_single_one() -> None:
    with Game(get_spec("frozen_lake")) as game:
        seen = [game.reset(0)] + [game.step(2)[0] for _ in range(3)]
    assert [int(each.sum()) for each in seen] == [1, 1, 1, 1]
    assert seen[0].tolist() == [1] + 15 * [0]
    assert {each.dtype for each in seen} == {np.dtype("uint8")}


def test_a_motor_that_takes_more_than_one_gets_all_of_it(home: Path) -> None:
    text = draft("InvertedPendulum-v5")
    assert 'backend = "mujoco"' in text
    assert "high = 3" in text


@pytest.mark.parametrize(
    ("env_id", "problem"),
    [
        ("Blackjack-v1", "only vectors of numbers"),
        ("ALE/Pong-v5", "needs no file"),
        ("os:system-v0", "names a Python module"),
    ],
)
def test_what_cannot_be_recorded_is_told(env_id: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        draft(env_id)
    with pytest.raises(UnknownEnvError, match="Gymnasium cannot make Nothing-v7"):
        draft("Nothing-v7")


def test_a_package_of_the_users_own_is_imported_only_once_they_agree(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "balance_envs.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(home))
    text = draft("CartPole-v1").replace("CartPole-v1", "Balance-v0").replace("[observation]", "", 1)
    head, _, rest = text.partition('kind = "vector"')
    (home / "balance.toml").write_text(f'{head}module = "balance_envs"\n\n[observation]\nkind = "vector"{rest}')
    assert main(["env", "add", str(home / "balance.toml")]) != 0  # there is no terminal to ask on
    assert "importing balance_envs needs a confirmation" in capsys.readouterr().err
    assert "balance_envs" not in sys.modules
    assert main(["env", "add", str(home / "balance.toml"), "--yes"]) == 0
    assert "balance_envs" not in sys.modules
    session = record("balance", RandomAgent(get_spec("balance"), 1), library=home, episodes=1)
    assert "balance_envs" in sys.modules
    assert verify(session).ok
    assert session.spec.module == "balance_envs"


def test_what_a_recording_names_is_never_imported(home: Path) -> None:
    stranger = replace(get_spec("cartpole"), module="antigravity")
    with Game(stranger) as game:
        game.reset(0)
    assert "antigravity" not in sys.modules
    (home / "bad.toml").write_text(draft("CartPole-v1").replace("backend", 'module = "a b"\nbackend'))
    with pytest.raises(registry.EnvFileError, match="module 'a b' is not the name of a Python module"):
        registry.read_spec(home / "bad.toml")


def test_what_mujoco_warns_of_leaves_no_file_behind(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "here").mkdir()
    monkeypatch.chdir(home / "here")
    file = home / "envs" / "half_cheetah.toml"
    file.parent.mkdir()
    file.write_text(draft("HalfCheetah-v5"))  # its model uses an attribute that MuJoCo warns of
    forget()
    with Game(get_spec("half_cheetah")) as game:
        game.reset(0)
    assert list((home / "here").iterdir()) == []
