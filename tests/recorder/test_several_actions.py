"""Environments that take several actions at a time: each combination of them is one action with a name."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from player.cli import main
from recorder import Game, Session, get_spec, verify
from recorder.agents.agent import KeyAgent
from recorder.envs import registry
from recorder.envs.draft import draft
from recorder.envs.registry import EnvFileError, read_spec
from recorder.envs.spec import EnvSpec
from recorder.errors import UsageError
from recorder.recording.presenter import RecordPresenter
from recorder.recording.settings import UnsavedSettings
from recorder.ui.game_keys import usual
from tests.recorder.fake_clock import FakeClock
from trainer import Policy

MODULE = """
import gymnasium
import numpy as np
from gymnasium.spaces import Box, MultiBinary, MultiDiscrete


class Levers(gymnasium.Env):
    '''Shows what it was given, and rewards it: all components count, with different weights.'''

    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}

    def __init__(self, space, render_mode=None):
        self.action_space, self.render_mode = space, render_mode
        self.observation_space = Box(-1.0, 9.0, (space.shape[0],), np.float32)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.seen = self.np_random.uniform(-1, 0, self.observation_space.shape).astype(np.float32)
        return self.seen, {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.seen = action.astype(np.float32)
        return self.seen, float((action * 10 ** np.arange(len(action))).sum()), False, False, {}

    def render(self):
        return np.full((64, 64, 3), 20 * int(abs(self.seen).sum()), np.uint8)


for name, space in (
    ("Sliders-v0", MultiDiscrete([3, 2, 2])),
    ("Buttons-v0", MultiBinary(3)),
    ("Many-v0", MultiDiscrete([9, 9])),
    ("Late-v0", MultiDiscrete([3, 2], start=[1, 0])),
    ("Table-v0", MultiDiscrete([[2, 2], [2, 2]])),
):
    gymnasium.register(name, lambda space=space, **kwargs: Levers(space, **kwargs), max_episode_steps=60)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's folder, with a package of environments; other processes find it, too."""
    (tmp_path / "lever_envs.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    import lever_envs  # noqa: F401  registers them for `draft`

    forget()
    yield tmp_path
    monkeypatch.undo()
    forget()


def forget() -> None:
    registry._files.cache_clear()
    registry.get_spec.cache_clear()


def add(home: Path, env_id: str, **names: str) -> EnvSpec:
    """The environment, drafted and added; `names` take the place of those in the draft."""
    text = draft(env_id).replace("\n[observation]", 'module = "lever_envs"\n\n[observation]')
    for drafted, name in names.items():
        text = text.replace(f'"{drafted}"', f'"{name}"').replace(f"{drafted} = ", f"{name} = ")
    file = home / f"{env_id.partition('-')[0].lower()}.toml"
    file.write_text(text)
    assert main(["env", "add", str(file), "--yes"]) == 0
    return get_spec(file.stem)


def test_a_draft_names_every_combination_and_its_keys_make_them(home: Path) -> None:
    spec = add(home, "Sliders-v0", A1="LEFT", A2="RIGHT", B1="FIRE")
    assert spec.action_names == (
        *("NOOP", "C1", "FIRE", "LEFT", "RIGHT", "FIRE+C1", "LEFT+C1", "LEFT+FIRE", "RIGHT+C1", "RIGHT+FIRE"),
        *("LEFT+FIRE+C1", "RIGHT+FIRE+C1"),
    )
    assert dict(zip(spec.action_names, spec.action_vectors, strict=True))["RIGHT+C1"] == (2, 0, 1)
    assert list(spec.controls) == ["LEFT", "RIGHT", "FIRE", "C1"]
    assert EnvSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    left, right, fire = (spec.action_names.index(name) for name in ("LEFT", "RIGHT", "FIRE"))
    agent = KeyAgent({1: left, 2: right, 3: fire}, chords=spec.chord_indices)
    for key in (1, 2, 3):  # of LEFT and RIGHT, one component's choices, the later one counts
        agent.press(key, 0)
    assert spec.action_names[agent.act()] == "RIGHT+FIRE"
    agent.release(2, 0)
    assert spec.action_names[agent.act()] == "LEFT+FIRE"


def test_what_is_held_together_reaches_the_simulator_as_one_vector(home: Path) -> None:
    add(home, "Buttons-v0")
    clock = FakeClock()
    presenter = RecordPresenter(
        home, settings=UnsavedSettings("Ada"), usual_keys=usual, controllers=None, countdown_s=0, now=clock
    )
    presenter.choose("buttons")
    keys = [presenter.key_choice.bindings.keys_of(presenter.spec.action_names.index(f"{each}1"))[0] for each in "ABC"]
    presenter.start()
    for held in ((), (0,), (0, 2), (0, 1, 2), (1,)):
        for index, key in enumerate(keys):
            (presenter.controls.press if index in held else presenter.controls.release)(key)
        clock.now += 50_000_000
        presenter.poll()
    presenter.stop()
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    names = session.spec.action_names
    assert [names[action] for action in session.actions] == ["NOOP", "A1", "A1+C1", "A1+B1+C1", "B1"]
    assert session.actions.dtype == np.uint8
    assert session.rewards[:].tolist() == [0, 1, 101, 111, 10]
    assert verify(session).ok
    presenter.shutdown()


@pytest.mark.parametrize("env_id", ["Sliders-v0", "Buttons-v0"])
def test_it_is_recorded_verified_learned_from_compared_and_shown(
    env_id: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = add(home, env_id)
    library = ("--library", str(home))
    assert main(["record", spec.name, "--player", "random", "--episodes", "4", "--json", *library]) == 0
    session = json.loads(capsys.readouterr().out.splitlines()[-1])["path"]
    policy, film = str(home / "clone.safetensors"), home / "film.mp4"
    budget = ("--max-batches", "20", "--set", "play_games=1", "--set", "play_ticks=60", "--set", "batch_size=32")
    for command in (
        ("verify", session),
        ("train", session, *budget, "--out", policy, "--no-run", *library),
        ("evaluate", policy, "--episodes", "2", "--session", session, *library),
        ("agreement", session, policy, *library),
        ("watch", session, policy, "--video", str(film), "--seconds", "1", *library),
    ):
        assert main(list(command)) == 0, capsys.readouterr().err
    assert film.stat().st_size > 1_000
    assert len(set(Session.open(session).actions.tolist())) == len(spec.action_names)
    clone = Policy.load(policy)
    with Game(clone.spec) as game:
        seen = game.reset(0)
        clone.reset(game.env)
        for _ in range(5):
            seen, *_ = game.step(game.check_action(clone.act(seen)))
    assert clone.probabilities is not None
    assert len(clone.probabilities) == len(spec.action_names)


def test_other_vectors_are_another_environment(home: Path) -> None:
    spec = add(home, "Sliders-v0")
    values = spec.to_json()
    values["action_vectors"] = [*values["action_vectors"][1:], values["action_vectors"][0]]
    assert "action_vectors" in spec.differences(EnvSpec.from_json(values))[0]
    values["action_vectors"] = values["action_vectors"][1:]
    with pytest.raises(ValueError, match="a list of numbers for each discrete action"):
        EnvSpec.from_json(values)


def test_a_choice_other_than_the_first_may_be_the_one_at_rest(home: Path) -> None:
    add(home, "Sliders-v0")
    text = (home / "sliders.toml").read_text()
    drafted = '[["-", "A1", "A2"], ["-", "B1"], ["-", "C1"]]'
    assert drafted in text
    file = home / "wrong.toml"
    file.write_text(text.replace(drafted, '[["A1", "-", "A2"], ["B1", "-"], ["-", "C1"]]'))
    assert read_spec(file).action_vectors[0] == (1, 1, 0)
    for components, problem in (
        ('[["A1", "A2"]]', 'each component has one choice "-"'),
        ('[["-", "A1"], ["-", "A1"]]', "names of their own"),
        ('[["-", "NOOP"]]', "names of their own"),
        ('[["-", "A+B"]]', "names without \\+"),
        ('["-", "A1"]', "lists of names"),
        (json.dumps([["-", *(f"{row}{n}" for n in range(9))] for row in "AB"]), "100 combinations; up to 64"),
        ('[["-", "A1"]]\nnames = ["NO", "A1"]', "components stand in place of names"),
    ):
        file.write_text(text.replace(drafted, components))
        with pytest.raises(EnvFileError, match=problem):
            read_spec(file)


@pytest.mark.parametrize("env_id", ["Many-v0", "Late-v0", "Table-v0"])
def test_what_has_too_many_combinations_or_another_shape_is_refused_in_a_sentence(home: Path, env_id: str) -> None:
    with pytest.raises(UsageError, match="several at a time with up to 64 combinations"):
        draft(env_id)
