"""Environments of one's own in this process: their files, how their games go back, and what a stranger says of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from recorder import Game, Library, RandomAgent, Session, get_spec, record, verify
from recorder.agents.agent import describe
from recorder.envs import registry
from recorder.envs.registry import (
    EnvFileError,
    add_file,
    described_names,
    env_names,
    own_folder,
    simulator_notes,
    usable_specs,
)
from recorder.envs.spec import EnvSpec
from recorder.errors import SessionError, UnknownEnvError
from recorder.library.replay import show_tick
from recorder.play.rollout import Rollout
from recorder.store.session_writer import SessionWriter
from tests.envs import CARTPOLE, PONG


def forget() -> None:
    """Let the files be looked for anew, as a program does that starts."""
    registry._files.cache_clear()
    get_spec.cache_clear()


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the environments of a user lie who has one, cartpole."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = own_folder()
    assert folder.is_relative_to(tmp_path)
    folder.mkdir(parents=True)
    (folder / "cartpole.toml").write_text(CARTPOLE)
    forget()
    yield folder
    monkeypatch.undo()
    forget()


class Balancer:
    """Keeps the pole up."""

    def reset(self, env: Any = None) -> None: ...

    def act(self, observation: Any) -> int:
        return int(observation[2] + observation[3] / 2 > 0)


def steered(library: Path) -> Session:
    """A game of cartpole in which the player goes back twice, over more ticks than lie between two snapshots."""
    with Game(get_spec("cartpole")) as game:
        agent = Balancer()
        writer = SessionWriter(library, game, describe(agent), seed=1)
        rollout = Rollout(game, agent, seed=1, sink=writer, rewindable=True)
        rollout.begin()
        for played, back in ((80, 3), (60, 40), (30, 0)):
            for _ in range(played):
                rollout.tick()
            rollout.rewind(back)
        rollout.end()
        return writer.close()


def test_a_simulator_without_a_state_goes_back_by_playing_again(own: Path, tmp_path: Path) -> None:
    session = steered(tmp_path)
    assert [(each.start, each.stop, each.parent) for each in session.episodes] == [
        (0, 77, -1),
        (77, 80, 0),
        (80, 100, 0),
        (100, 140, 2),
        (140, 170, 2),
    ]
    certificate = verify(session)
    assert certificate.ok, certificate.difference


@pytest.mark.parametrize("name", ["breakout", "hopper", "cartpole"])
def test_a_tick_that_nobody_looks_at_leads_to_the_same_moment(own: Path, name: str) -> None:
    spec = get_spec(name)
    actions = [1] * 5 if spec.discrete else [np.full(spec.action_shape, 0.5, np.float32)] * 5
    moments = []
    for unseen in (False, True):
        with Game(spec) as game:
            game.reset(3)
            for action in actions:
                (game.play if unseen else game.step)(action)
            moments.append(game.step(actions[0])[0].tobytes())
    assert moments[0] == moments[1]


def test_a_game_that_nobody_watches_ends_at_its_limit(own: Path, tmp_path: Path) -> None:
    (own / "cartpole.toml").write_text(CARTPOLE.replace("episode_ticks = 500", "episode_ticks = 40"))
    forget()
    session = record("cartpole", Balancer(), library=tmp_path, episodes=2, seed=1)
    assert [(episode.outcome, len(episode)) for episode in session.episodes] == [("time limit", 40)] * 2
    assert np.flatnonzero(session.truncated).tolist() == [39, 79]


def test_a_moment_of_a_recording_is_drawn_by_playing_up_to_it(own: Path, tmp_path: Path) -> None:
    session = steered(tmp_path)
    pictures = []
    with Game(session.spec, render=True) as shown, Game(session.spec, render=True) as played:
        for tick in (0, 60):
            show_tick(shown, session, tick)
            pictures.append(shown.picture())
        played.reset(session.episodes[0].seed)
        for action in [*session.actions[:77], *session.actions[80:95]]:
            played.step(int(action))
        show_tick(shown, session, 95)  # after the first time that the player went back
        assert np.array_equal(shown.picture(), played.picture())
    assert pictures[0].shape == (400, 600, 3)
    assert not np.array_equal(pictures[0], pictures[1])


def test_a_moment_of_a_recording_with_states_is_drawn_from_the_one_stored_there(hops: Session) -> None:
    tick = hops.episodes[1].start + 4
    with Game(hops.spec, render=True) as shown, Game(hops.spec, render=True) as played:
        show_tick(shown, hops, tick)
        played.restore(hops.states[tick])
        assert np.array_equal(shown.picture(), played.picture())
        assert np.array_equal(shown.state(), hops.states[tick])
        show_tick(shown, hops, tick - 3)
        assert not np.array_equal(shown.picture(), played.picture())


@pytest.mark.parametrize("name", ["breakout", "cartpole"])
def test_a_state_is_neither_taken_nor_set_where_none_is_stored(own: Path, name: str) -> None:
    with Game(get_spec(name)) as game:
        assert game.state_size == 0
        with pytest.raises(NotImplementedError, match=r"the state of .* cannot be taken out"):
            game.state()
        with pytest.raises(NotImplementedError, match="cannot be put into a state"):
            game.restore(np.zeros(4))


def test_a_simulator_without_memory_sound_or_lives_has_none(own: Path) -> None:
    with Game(get_spec("cartpole"), sound=True) as game:
        game.reset(0)
        assert (game.memory(), len(game.sound()), game.lives) == (None, 0, 0)


def test_a_file_that_was_changed_and_added_again_is_what_counts(own: Path, tmp_path: Path) -> None:
    file = tmp_path / "pong.toml"
    assert "pong" not in described_names()
    for rate in (60.0, 30.0):
        file.write_text(PONG.replace("rate_hz = 60.0", f"rate_hz = {rate}"))
        assert add_file(file) == own / "pong.toml"
        assert get_spec("pong").rate_hz == rate
    gymnasium = ("car_racing", "cartpole", "frozen_lake", "lunar_lander", "mountain_car", "pendulum")
    assert described_names() == ("breakout", "hopper", *gymnasium, "pong")
    assert env_names().count("pong") == 1


def test_a_file_of_ones_own_that_cannot_be_used_hides_no_other(own: Path) -> None:
    (own / "broken.toml").write_text(CARTPOLE.replace('title = "Cart and pole"', ""))
    (own / "Old copy.toml").write_text(CARTPOLE)
    (own / "hopper.toml").write_text(CARTPOLE)  # counts before the one that ships
    forget()
    specs, problems = usable_specs()
    titles = ["Breakout", "Cart and pole", "Car Racing", "Cart and pole", "Frozen Lake"]
    assert [spec.title for spec in specs][:5] == titles
    assert sorted(problem.partition(" does not describe an environment ")[2] for problem in problems) == [
        "(its name may contain only lower-case letters, digits and underscores); see docs/environments.md",
        "(the environment's specification has no usable 'title'); see docs/environments.md",
    ]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("rate_hz = 50.0", "rate_hz = 0", "rate_hz is 0, but must lie between 0.1 and 10,000"),
        ("rate_hz = 50.0", "rate_hz = inf", "no usable 'rate_hz'"),
        ("rate_hz = 50.0", 'rate_hz = "fast"', "no usable 'rate_hz'"),
        ("rate_hz = 50.0", "rate_hz = 50.0\npoints = 1", "no usable 'points'"),
        ("episode_ticks = 500", "episode_ticks = 0.5", "no usable 'episode_ticks'"),
        ("episode_ticks = 500", "", "no usable 'episode_ticks'"),
        ('title = "Cart and pole"', "title = 3", "no usable 'title'"),
        ('backend = "gymnasium"', "", "'backend' is missing"),
        ('kind = "vector"', 'kind = "smell"', "observation_kind 'smell' is unknown; choose one of: screen, vector"),
        ('kind = "vector"', 'kind = "screen"', r"a screen does not have the shape \(4,\)"),
        ('dtype = "float32"', 'dtype = "float32"\ncolour = 1', r"\[observation\] has unknown entries: colour"),
        ('names = ["LEFT", "RIGHT"]', 'names = "LEFT, RIGHT"', "its mirror is a list of the same names"),
        ('names = ["LEFT", "RIGHT"]', 'names = ["LEFT", "UP"]', "its mirror is a list of the same names"),
        ('names = ["LEFT", "RIGHT"]', 'names = ["LEFT", "RIGHT", 3]', "no usable 'action_names'"),
        ('mirror = ["RIGHT", "LEFT"]', 'mirror = ["LEFT", "LEFT"]', "each action needs one that mirrors it"),
        ('["ArrowLeft"]', '"ArrowLeft"', "no usable 'controls'"),
        ("episode_ticks = 500", "episode_ticks = 500\nchords = 3", "no usable 'chords'"),
        ("episode_ticks = 500", "episode_ticks = 500\nepisodes = 3", "the entry episodes is unknown"),
        ('backend = "gymnasium"', 'backend = "amiga"', "backend 'amiga' is unknown; choose one of: atari, mujoco, gym"),
        ('"CartPole-v1"', '"os:system-v1"', "env_id 'os:system-v1' names a Python module; name it as"),
        ('["ArrowRight"]', '["ArrowRight"]\n[held]\nLEFT = [1.0]', "a number for each component of a continuous"),
        ('LEFT = ["ArrowLeft"]', 'UP = ["ArrowUp"]', "there is no action named UP; there are LEFT, RIGHT"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_what_is_wrong_in_it(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    file = tmp_path / "cartpole.toml"
    assert CARTPOLE.count(old) == 1
    file.write_text(CARTPOLE.replace(old, new))
    with pytest.raises(EnvFileError, match=f"cartpole.toml does not describe an environment .*{problem}"):
        registry.read_spec(file)


def test_what_cannot_be_added_is_told_with_the_reason(own: Path, tmp_path: Path) -> None:
    file = tmp_path / "breakout.toml"
    file.write_text(CARTPOLE)
    with pytest.raises(EnvFileError, match="an environment named breakout ships with Twinplay"):
        add_file(file)
    shutil.rmtree(own)
    own.write_text("a file where the folder should be")
    with pytest.raises(EnvFileError, match=r"pole\.toml cannot be added: .*exists"):
        add_file(file.rename(tmp_path / "pole.toml"))


def test_settings_that_the_simulator_refuses_are_told_in_a_sentence() -> None:
    spec = get_spec("breakout")
    with pytest.raises(UnknownEnvError, match=r"ALE/Breakout-v5 cannot be built with .*'frameskip': 0"):
        Game(replace(spec, kwargs={**spec.kwargs, "frameskip": 0}))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"env_id": "ALE/Pong-v5"}, "Breakout is ALE/Breakout-v5 with frameskip, .* settings, not 'ALE/Pong-v5'"),
        ({"kwargs": {"obs_type": "ram"}}, "Breakout is ALE/Breakout-v5 with .* settings, not .*'obs_type': 'ram'"),
        ({"stores_state": True}, "Breakout here stores other data than this file says; it cannot be played"),
    ],
)
def test_a_game_that_only_a_file_knows_is_not_built(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(UnknownEnvError, match=problem):
        Game(replace(get_spec("breakout"), **change))


def test_what_a_file_lacks_is_guessed_only_where_its_environment_is_not_known(own: Path) -> None:
    oldest = {
        name: value
        for name, value in get_spec("cartpole").to_json().items()
        if name not in ("observation_kind", "lives", "points", "stores_state", "backend", "tick_bytes", "controls")
    }
    guessed = EnvSpec.from_json(oldest)
    assert (guessed.observation_kind, guessed.stores_state, guessed.backend) == ("vector", True, "")
    assert (guessed.lives, guessed.points, guessed.tick_bytes, guessed.controls) == (False, False, 100, {})
    known = EnvSpec.from_json(oldest, get_spec("cartpole"))
    assert (known.stores_state, known.backend, list(known.controls)) == (False, "gymnasium", ["LEFT", "RIGHT"])
    with pytest.raises(ValueError, match="is not a table"):
        EnvSpec.from_json([])


def test_what_players_see_and_do_decides_whether_a_player_fits() -> None:
    breakout = get_spec("breakout")
    assert breakout.interface == replace(breakout, rate_hz=30.0, kwargs={}, title="Slow").interface
    assert breakout.interface != replace(breakout, action_dtype="int64").interface
    assert breakout.interface != get_spec("hopper").interface


def test_a_simulation_that_there_is_not_is_named(own: Path, tmp_path: Path) -> None:
    file = tmp_path / "pang.toml"
    file.write_text(PONG.replace("ALE/Pong-v5", "ALE/Pang-v5"))
    with pytest.raises(UnknownEnvError, match=r"^ALE/Pang-v5 is not a game of the Arcade Learning Environment"):
        add_file(file)
    assert not (own / "pang.toml").exists()
    (own / "runner.toml").write_text(CARTPOLE.replace('"gymnasium"', '"mujoco"').replace("CartPole-v1", "Runner-v5"))
    forget()
    with pytest.raises(UnknownEnvError, match=r"^Runner-v5 cannot be built with \{\}"):
        Game(get_spec("runner"))


def test_what_goes_wrong_in_a_picture_and_not_with_its_library_stays_what_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Game(get_spec("hopper"), render=True) as game:
        game.reset(0)
        monkeypatch.setattr(game.env, "render", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            game.picture()


def test_what_has_controls_is_played_by_hand(own: Path) -> None:
    specs = [get_spec(name) for name in described_names()]
    assert [spec.name for spec in specs if not spec.playable] == ["hopper"]
    assert [spec.serve_index for spec in specs] == [1, *7 * [None]]


def test_only_what_has_neither_screens_nor_states_is_drawn_while_it_is_played(own: Path) -> None:
    drawn_live = ["cartpole", "frozen_lake", "lunar_lander", "mountain_car", "pendulum"]
    assert [spec.name for spec in usable_specs()[0] if spec.drawn_live] == drawn_live


def test_a_stored_distance_that_is_not_there_is_no_distance() -> None:
    spec = replace(get_spec("hopper"), distance_index=500)
    assert spec.distance([0.0, 1.5]) is None
    assert get_spec("hopper").distance([0.0, 1.5]) == 1.5
    assert get_spec("breakout").distance([0.0, 1.5]) is None


def test_recordings_and_policies_of_other_simulators_are_noted_by_name() -> None:
    here = get_spec("hopper")
    there = replace(here, versions={**here.versions, "mujoco": "2.0\n", "gymnasium": "0.9"})
    phrase = f"gymnasium 0.9, not {here.versions['gymnasium']}; mujoco 2.0, not {here.versions['mujoco']}"
    assert simulator_notes({"mine": here, "theirs": there}) == (
        f"theirs was made with a different simulator version ({phrase})",
    )


@pytest.mark.parametrize("rate", [0, -60, 1e-300, 1e300])
def test_a_rate_at_which_nothing_can_be_played_makes_a_session_unreadable_and_its_library_is_listed(
    tmp_path: Path, rate: float
) -> None:
    session = record("hopper", RandomAgent(get_spec("hopper")), library=tmp_path, episodes=1)
    metadata = json.loads((session.path / "zarr.json").read_text())
    metadata["attributes"]["env"]["rate_hz"] = rate
    (session.path / "zarr.json").write_text(json.dumps(metadata))
    (row,) = Library(tmp_path).sessions()
    assert (row.state, "rate_hz is" in row.problem) == ("unreadable", True)
    with pytest.raises(SessionError, match="rate_hz is"):
        Session.open(session.path)
