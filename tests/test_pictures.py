"""Pictures in any colours, from a Gymnasium environment to a clone that plays from them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import zarr
from msgspec.structs import replace

from player.cli import main
from player.watch.duel import Duel
from recorder import Game, RandomAgent, Session, get_spec, record, verify
from recorder.envs import registry
from recorder.envs.spec import EnvSpec
from recorder.errors import UnknownEnvError
from recorder.library.merging import merging
from recorder.library.preview import PreviewWorker
from recorder.play.rollout import Rollout
from recorder.recording.presenter import RecordPresenter
from recorder.recording.settings import UnsavedSettings
from recorder.store.session_writer import SessionWriter
from recorder.ui.game_keys import usual
from tests.test_formats import same_in_tensorstore
from trainer import Policy, TrainConfig, TrainingError, fit
from trainer.data.tick_table import TickTable
from trainer.settings import SETTINGS, choices

MODULE = """
import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete

class Room(gymnasium.Env):
    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}
    action_space = Discrete(2)
    observation_space = Dict(direction=Discrete(4), grid=Box(0, 9, (3, 4), np.uint8))

    def __init__(self, render_mode=None, restless=False):
        self.restless = restless

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.at = 0
        return self.seen(), {}

    def seen(self):
        grid = np.zeros((3, 4), np.uint8)
        grid[self.at % 3, 1] = np.random.default_rng().integers(1, 10) if self.restless else 5
        return {"direction": 0, "grid": grid}

    def step(self, action):
        self.at += action
        return self.seen(), 1.0, self.at >= 20, False, {}

    def render(self):
        picture = np.zeros((120, 200, 3), np.uint8)
        picture[:, 10 * self.at : 10 * self.at + 10] = (255, self.at, 40)
        return picture

gymnasium.register("Room-v0", Room)
gymnasium.register("Restless-v0", Room, kwargs={"restless": True})
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's own environments, and a module that registers some."""
    monkeypatch.setattr(registry, "own_folder", lambda: tmp_path / "envs")
    (tmp_path / "room_envs.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    forget()
    yield tmp_path
    sys.modules.pop("room_envs", None)
    for name in ("Room-v0", "Restless-v0"):
        gymnasium.registry.pop(name, None)
    forget()


def forget() -> None:
    registry._files.cache_clear()
    registry.get_spec.cache_clear()


def drafted(home: Path, name: str, *options: str) -> EnvSpec:
    """An environment that is added as it was drafted."""
    file = home / f"{name}.toml"
    assert main(["env", "draft", *options, "--out", str(file)]) == 0
    assert main(["env", "add", str(file), "--yes"]) == 0
    return get_spec(name)


def recorded(name: str, library: Path, ticks: int) -> Session:
    spec = get_spec(name)
    return record(name, RandomAgent(spec, 1), library=library, seconds=ticks / spec.rate_hz, seed=1)


def learned(session: Session) -> Policy:
    """A clone that has hardly learned anything."""
    out = session.path.parent / "clone.safetensors"
    changes: dict[str, Any] = {"max_batches": 3, "batch_size": 8, "play_games": 0, "checks": 0}
    list(fit([session], TrainConfig.for_env(session.spec.name, **changes), out=out))
    return Policy.load(out)


def acts(policy: Policy, ticks: int) -> list[Any]:
    with Game(policy.spec) as game:
        observation, actions = game.reset(0), []
        policy.reset(game.env)
        for _ in range(ticks):
            actions.append(game.check_action(policy.act(observation)))
            observation, *_ = game.step(actions[-1])
    return actions


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """More than a chunk of Car Racing."""
    return recorded("car_racing", tmp_path_factory.mktemp("library"), 70)


def test_pictures_are_stored_as_they_are_and_read_by_others(drive: Session) -> None:
    assert verify(drive).ok
    group = zarr.open_group(drive.path, mode="r")
    screens = np.asarray(group["screen"])
    assert (screens.shape, screens.dtype) == ((70, 96, 96, 3), np.uint8)
    assert "palette" not in group.attrs
    assert group.attrs["env"]["colours"] == "rgb"
    np.testing.assert_array_equal(screens, drive.frames[:])
    np.testing.assert_array_equal(screens[::-7], drive.frames[::-7])
    with Game(drive.spec) as game:
        np.testing.assert_array_equal(screens[0], game.reset(drive.episodes[0].seed))
        np.testing.assert_array_equal(screens[0], game.picture())
    same_in_tensorstore(drive.path)
    files = sum(file.stat().st_size for file in (drive.path / "screen").iterdir())
    assert files / 70 < screens[0].size / 8
    first = drive.frames[3]
    first[:] = 0  # whoever draws on a frame changes no recording
    assert drive.frames[3].any()


def test_a_clone_drives_by_what_it_sees(drive: Session) -> None:
    policy = learned(drive)
    assert policy.config.network == "nature"
    actions = acts(policy, 5)
    assert {(action.shape, action.dtype) for action in actions} == {((3,), np.dtype("float32"))}
    table = TickTable([(drive, range(60, 70))], drive.spec, policy.config)
    policy.reset()
    played = np.stack([policy.take_in(frame) for frame in drive.frames[60:70]])
    np.testing.assert_array_equal(np.concatenate(list(table.inputs(range(10)))), played)
    assert policy.attention(drive.frames[0]).shape == (96, 96)
    network = next(setting for setting in SETTINGS if setting.name == "network")
    assert choices(network, "car_racing") == ("nature", "article64")
    config = TrainConfig.for_env("car_racing", network="keypoints", max_batches=1)
    with pytest.raises(TrainingError, match="'keypoints' does not fit Car Racing; choose one of: nature, article64"):
        list(fit([drive], config, out=drive.path.parent / "none.safetensors"))


def test_recordings_of_pictures_are_merged(drive: Session, tmp_path: Path) -> None:
    other = recorded("car_racing", tmp_path, 3)
    *_, last = merging([drive.path, other.path], tmp_path)
    merged = Session.open(last.made[0])
    assert len(merged) == 73
    np.testing.assert_array_equal(merged.frames[70:], other.frames[:])
    assert verify(merged).ok


def test_a_car_is_driven_by_keys_and_goes_back(tmp_path: Path) -> None:
    now = [0]
    presenter = RecordPresenter(
        *(tmp_path,), settings=UnsavedSettings("Ada"), usual_keys=usual, controllers=None, countdown_s=0,
        now=lambda: now[0],
    )  # fmt: skip
    presenter.choose("car_racing")
    controls = presenter.spec.control_names
    keys = {name: presenter.key_choice.bindings.keys_of(controls.index(name))[0] for name in presenter.spec.controls}
    presenter.start()
    now[0] += 20_000_000
    for pressed in ((), ("GAS",), ("GAS", "LEFT"), ("BRAKE",)):
        for name, key in keys.items():
            (presenter.controls.press if name in pressed else presenter.controls.release)(key)
        presenter.poll()
        now[0] += 20_000_000
    presenter.stop()
    assert presenter.error == ""
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    np.testing.assert_allclose(session.actions[:], [[0, 0, 0], [0, 1, 0], [-1, 1, 0], [0, 0, 0.8]], atol=1e-6)
    assert session.player["kind"] == "person"
    assert verify(session).ok


def test_what_a_pedal_has_below_zero_is_nothing() -> None:
    rewards = []
    for gas in (0.0, -1.0):
        with Game(get_spec("car_racing")) as game:
            game.reset(1)
            seen = [game.step(np.array([0, gas, -abs(gas)], np.float32)) for _ in range(3)]
            rewards.append([(each[0].tobytes(), each[1]) for each in seen])
    assert rewards[0] == rewards[1]


def test_a_lander_is_recorded_verified_learned_from_and_flown(tmp_path: Path) -> None:
    session = recorded("lunar_lander", tmp_path, 120)
    assert session.observations.shape == (120, 8)
    assert verify(session).ok
    assert {type(action) for action in acts(learned(session), 5)} == {int}


def test_what_is_drawn_is_recorded_made_smaller_learned_from_and_watched(home: Path) -> None:
    spec = drafted(home, "from_pixels", "LunarLander-v3", "--pictures")
    assert (spec.observation_from, spec.observation_shape) == ("render", (100, 150, 3))
    session = recorded("from_pixels", home, 40)
    assert verify(session).ok
    policy = learned(session)
    assert {type(action) for action in acts(policy, 2)} == {int}
    with Duel(session, policy, game=1) as duel:
        shown = [duel.tick() for _ in range(12)]
        for tick in (3, 12, 7):  # of the clone's game all pictures are kept
            frame, before = duel.seek(tick), shown[tick - 1]
            for side, was in ((frame.left, before.left), (frame.right, before.right)):
                assert side is not None
                assert was is not None
                np.testing.assert_array_equal(side.picture, was.picture)
        look = duel.look(True).right
        assert look is not None
        assert look.looks is not None
        assert look.looks.shape == (100, 150)


def test_a_drawn_simulator_keeps_its_state_and_goes_back(home: Path) -> None:
    spec = drafted(home, "pixels", "Hopper-v5", "--pictures")
    assert (spec.stores_state, spec.drawn_from_state, spec.observation_shape[2]) == (True, False, 3)
    with Game(spec) as game:
        agent = RandomAgent(spec, 1)
        writer = SessionWriter(home / "library", game, agent.describe(), seed=1)
        rollout = Rollout(game, agent, seed=1, sink=writer, rewindable=True)
        rollout.begin()
        for _ in range(6):
            rollout.tick()
        rollout.rewind(3)
        for _ in range(2):
            rollout.tick()
        rollout.end()
        session = writer.close()
    assert len(session) == 8
    assert verify(session).ok
    assert session.states.shape[0] == 8
    preview = PreviewWorker()
    np.testing.assert_array_equal(preview.moment(str(session.path), 5).picture, session.frames[5])
    with Duel(session, game=1) as duel:
        side = duel.seek(4).left
        assert side is not None
        assert side.picture is not None
        assert side.picture.shape == spec.observation_shape


@pytest.mark.parametrize("env_id", ["Walker2d-v5", "InvertedPendulum-v5"])
def test_simulators_of_bodies_are_drawn_from_their_states(home: Path, env_id: str) -> None:
    drafted(home, "body", env_id)
    session = recorded("body", home, 20)
    assert session.states.shape[0] == 20
    assert verify(session).ok
    with Duel(session, game=1) as duel:
        pictures = [duel.seek(tick).left for tick in (0, 4)]
    drawn = [side.picture for side in pictures if side is not None and side.picture is not None]
    assert [picture.std() > 5 for picture in drawn] == [True, True]
    assert not np.array_equal(drawn[0], drawn[1])


def test_an_entry_of_a_dictionary_or_the_picture_is_what_players_see(home: Path) -> None:
    spec = drafted(home, "room", "Room-v0", "--module", "room_envs")
    assert (spec.observation_key, spec.observation_shape, spec.module) == ("grid", (12,), "room_envs")
    session = recorded("room", home, 10)
    assert session.observations[0].tolist() == [0, 5, *10 * [0]]
    assert verify(session).ok
    spec = drafted(home, "room_drawn", "Room-v0", "--module", "room_envs", "--pictures")
    assert spec.observation_shape == (60, 100, 3)
    session = recorded("room_drawn", home, 10)
    assert session.frames[0][0, 0].tolist() == [255, 0, 40]
    assert verify(session).ok


def test_what_chance_decides_is_told_and_stays_readable(home: Path) -> None:
    drafted(home, "restless", "Restless-v0", "--module", "room_envs")
    session = recorded("restless", home, 30)
    certificate = verify(session)
    assert not certificate.ok
    assert "observation differs in 1 values" in certificate.difference
    assert "not drawn from the seed" in certificate.difference
    assert len(Session.open(session.path).observations) == 30


def test_what_a_file_says_of_pictures_must_fit(home: Path) -> None:
    spec = drafted(home, "room", "Room-v0", "--module", "room_envs", "--pictures")
    for shape, problem in (((60, 100, 4), "has the shape"), ((2_000, 2_000, 3), "too large to be recorded")):
        with pytest.raises(ValueError, match=problem):
            replace(spec, observation_shape=shape)
    with pytest.raises(ValueError, match="what is drawn is a screen in RGB"):
        replace(get_spec("cartpole"), observation_from="render")
    file = home / "envs" / "room.toml"
    file.write_text(file.read_text().replace("shape = [60, 100, 3]", "shape = [60, 300, 3]"))
    forget()
    with Game(get_spec("room")) as game, pytest.raises(UnknownEnvError, match="in which its file expects a screen"):
        game.reset(0)


def test_what_a_package_is_missing_for_is_told(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = drafted(home, "room", "Room-v0", "--module", "room_envs", "--pictures")
    file = home / "envs" / "room.toml"
    file.write_text(file.read_text().replace("module", 'packages = ["no-such-engine"]\nmodule'))
    forget()
    capsys.readouterr()
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["envs", spec.name]) == 0
    assert "pip install no-such-engine" in capsys.readouterr().out
    assert main(["record", "room", "--player", "random", "--seconds", "1", "--library", str(home)]) == 2
    told = capsys.readouterr().err.strip()
    assert told.endswith("needs Python packages that are not installed; install them with: pip install no-such-engine")
    assert len(told.splitlines()) == 1
    presenter = RecordPresenter(home, settings=UnsavedSettings("Ada"), usual_keys=usual, controllers=None)
    presenter.choose("room")
    presenter.start()
    assert presenter.error.endswith("pip install no-such-engine")
    assert presenter.status is None  # as the window asks
    assert presenter.refusal == presenter.error
    presenter.choose("cartpole")
    assert presenter.status is not None
    assert presenter.refusal == ""
    presenter.choose("breakout")
    presenter.shutdown()


def test_recordings_of_earlier_versions_have_a_palette(drive: Session) -> None:
    values = get_spec("breakout").to_json()
    for name in ("colours", "observation_from", "observation_key"):
        del values[name]
    assert EnvSpec.from_json(values, get_spec("breakout")) == get_spec("breakout")
