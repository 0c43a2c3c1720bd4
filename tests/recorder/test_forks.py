"""Forks: playing on from any tick of a recording, in the very same state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from player.cli import main
from recorder import KeyAgent, Library, RandomAgent, Session, get_spec, record, verify
from recorder.envs.game import Game
from recorder.errors import SessionError, UsageError
from recorder.library.edits import edit, of_games
from recorder.library.forks import fork_at, fork_of
from recorder.library.merging import merging, splitting
from recorder.library.practice import forks_of, practice_points
from recorder.play.fork import fork_of_play
from recorder.play.rollout import Rollout
from recorder.recording.play_on import play_on_from
from recorder.recording.presenter import RecordPresenter
from recorder.recording.recordings import LiveRecording
from recorder.recording.settings import UnsavedSettings
from recorder.recording.take_limit import TakeLimit
from recorder.store.origin import origins_of_forks
from recorder.ui.game_keys import usual
from tests.recorder.fake_clock import TICK_NS, FakeClock
from tests.recorder.victim import wait_for

ENVS = ("breakout", "pong", "hopper", "cartpole")  # screens, another game, a stored state, one that is played again


class Repeated:
    """Plays given actions, whatever it sees; those shown to it before its own play are counted."""

    kind = "scripted"

    def __init__(self, actions: Any, watched: int) -> None:
        self.seen: list[Any] = []
        self._actions, self._watched = actions, watched

    def reset(self, env: Any = None) -> None:
        self.seen.clear()

    def act(self, observation: Any) -> Any:
        self.seen.append(np.array(observation))
        own = len(self.seen) - 1 - self._watched
        return self._actions[min(own, len(self._actions) - 1)] if own >= 0 else 0


@pytest.fixture(scope="module")
def parents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Session]:
    """Two games of a random player in each environment."""
    library = tmp_path_factory.mktemp("parents")
    return {env: record(env, RandomAgent(get_spec(env), 1), library=library, episodes=2, seed=5) for env in ENVS}


@pytest.mark.parametrize("env", ENVS)
def test_the_same_actions_continue_bit_for_bit(env: str, parents: dict[str, Session], tmp_path: Path) -> None:
    parent = parents[env]
    game = parent.recorded_games[1]
    tick = game.ticks // 2
    again = Repeated(parent.actions[game.line_ticks[tick:]], min(tick, 120))
    forked = record(env, again, library=tmp_path, episodes=1, forks=[fork_of(parent, game, tick)])
    lead_in, own = forked.episodes
    assert (lead_in.outcome, lead_in.excluded, own.parent, own.parent_tick) == ("lead-in", True, 0, tick)
    assert len(forked) == game.ticks
    for name, rows in parent.moments(game.start, game.stop).items():
        assert np.array_equal(rows, forked.moments(0, len(forked))[name]), name
    # What the player sees first is what was recorded there, and before it, in order, what had led there.
    assert np.array_equal(again.seen[min(tick, 120)], parent.observations[game.start + tick])
    assert np.array_equal(again.seen[0], parent.observations[game.start + max(0, tick - 120)])
    assert verify(forked).ok
    assert forked.summary()["learn_ticks"] == len(own) == game.ticks - tick
    assert forked.scores == [pytest.approx(parent.rewards[game.line_ticks[tick:]].sum())]


def test_a_fork_of_a_fork_and_what_becomes_of_both(parents: dict[str, Session], tmp_path: Path) -> None:
    parent = parents["breakout"]
    player = RandomAgent(parent.spec, 2)
    first = record("breakout", player, library=tmp_path, episodes=3, forks=[fork_at(parent, 200)])
    second = record("breakout", player, library=tmp_path, forks=[fork_of(first, first.game(2), 220)])
    origins = origins_of_forks(second.attributes, second.recorded_games)
    assert {number: (each.session, each.game, each.tick) for number, each in origins.items()} == {
        1: (first.name, 2, 220)
    }
    *_, merged = merging([first.path, second.path, parent.path], tmp_path)
    whole = Session.open(merged.made[0])
    assert verify(whole).ok
    told = origins_of_forks(whole.attributes, whole.recorded_games)
    names = {number: each.session for number, each in told.items()}
    plain = [game.number for game in whole.recorded_games if not game.forked]
    assert len(plain) == 2
    forked = sorted(set(range(1, 7)) - set(plain))
    assert names == dict(zip(forked, [parent.name] * 3 + [first.name], strict=True))
    *_, halves = splitting(first.path, 3, tmp_path)
    parts = [Session.open(path) for path in halves.made]
    assert [len(origins_of_forks(part.attributes, part.recorded_games)) for part in parts] == [2, 1]
    assert all(verify(part).ok for part in parts)


def test_a_lead_in_is_never_learned_from(parents: dict[str, Session], tmp_path: Path) -> None:
    parent = parents["hopper"]
    forked = record("hopper", RandomAgent(parent.spec, 2), library=tmp_path, forks=[fork_at(parent, 5)])
    included = edit(forked.path, excluded=of_games(forked, {1: False}))
    lead_in, own = included.episodes
    assert not lead_in.excluded
    assert included.to_learn(lead_in) == []
    assert included.to_learn(own) == [range(own.start, own.stop)]


def test_a_policy_s_unrecorded_game_from_a_varied_start(tmp_path: Path) -> None:
    spec = get_spec("breakout")
    with Game(spec) as game:
        rollout = Rollout(game, RandomAgent(spec, 4), varied=True)
        rollout.begin(77)
        steps = [rollout.tick() for _ in range(150)]
        seen = rollout.observation
    fork = fork_of_play(spec, 77, [step.action for step in steps], 150, "clone", varied=True)
    again = Repeated([0], 120)
    forked = record("breakout", again, library=tmp_path, seconds=0.5, forks=[fork])
    assert np.array_equal(again.seen[120], seen)
    assert len(forked) - len(fork.actions) == 30
    assert verify(forked).ok
    assert forked.attributes["forked_from"] == [{"policy": "clone", "seed": 77, "tick": 150}]


def test_a_person_plays_on_and_rewinds_no_further_than_the_fork(parents: dict[str, Session], tmp_path: Path) -> None:
    parent = parents["breakout"]
    fork = fork_at(parent, 130)
    with Game(fork.spec) as game:
        take = LiveRecording(
            game, KeyAgent({}), tmp_path, seed=1, key_names={}, limit=TakeLimit(minutes=1 / 60), fork=fork
        )
        assert np.array_equal(take.status.picture, parent.frames[130])
        assert (take.status.ticks, take.status.game_ticks) == (0, 130)
        for _ in range(40):
            take.advance()
        assert take.rewind(3.0, keep=False) == 40
        assert np.array_equal(take.status.picture, parent.frames[130])
        for _ in range(30):
            take.advance()
        path = take.stop()
        assert path is not None
        forked = Session.open(path)
    assert [(each.outcome, len(each), each.excluded) for each in forked.episodes] == [
        ("lead-in", 130, True),
        ("rewound", 40, True),
        ("stopped", 30, False),
    ]
    assert verify(forked).ok


def test_nothing_is_left_of_a_fork_that_nobody_played(parents: dict[str, Session], tmp_path: Path) -> None:
    fork = fork_at(parents["breakout"], 60)
    with Game(fork.spec) as game:
        take = LiveRecording(game, KeyAgent({}), tmp_path, seed=1, key_names={}, fork=fork)
        assert take.stop() is None
    assert not list(tmp_path.glob("*.zarr"))


def test_what_cannot_be_forked_is_refused(parents: dict[str, Session], tmp_path: Path) -> None:
    parent = parents["breakout"]
    game = parent.game(1)
    assert game.outcome == "game over"
    for tick in (0, game.ticks, game.ticks + 5):
        with pytest.raises(UsageError, match=f"choose from 1 to {game.ticks - 1}"):
            fork_of(parent, game, tick)
    fork = fork_of(parent, game, 100)
    other = fork.actions.copy()
    other[:60] = 3
    wrong = type(fork)(fork.spec, fork.seed, other, fork.origin, fork.moment)
    with pytest.raises(SessionError, match="leads to another moment than the recorded one"):
        record("breakout", RandomAgent(parent.spec, 1), library=tmp_path, forks=[wrong])
    assert not list(tmp_path.glob("*.zarr"))
    with pytest.raises(UsageError, match="not all of these moments"):
        record("pong", RandomAgent(get_spec("pong"), 1), library=tmp_path, forks=[fork])


def test_practice_points(parents: dict[str, Session], tmp_path: Path) -> None:
    parent = record("breakout", RandomAgent(get_spec("breakout"), 1), library=tmp_path, episodes=1, seed=5)
    game = parent.game(1)
    losses = practice_points(parent, before_s=0.5)
    assert [point.why for point in losses] == ["lost life"] * 5
    lives = parent.lives[game.line_ticks]
    assert all(lives[point.tick] < lives[point.tick - 1] for point in losses)
    ticks = [1, *(point.tick for point in losses)]
    after = max(range(5), key=lambda k: ticks[k + 1] - ticks[k])  # of the longest life
    between = (ticks[after] + ticks[after + 1]) // 2
    marked = edit(parent.path, spans=[range(between, between + 10)])
    points = practice_points(marked, before_s=0.5)
    assert [point.start for point in points if point.why == "excluded"] == [between - 30]
    practised = record(
        "breakout", RandomAgent(parent.spec, 2), library=tmp_path, seconds=0.25, forks=forks_of(marked, points)
    )
    own = [episode for episode in practised.episodes if not episode.leads_in]
    assert [len(each) for each in own] == [15] * len(points)
    assert verify(practised).ok


def test_the_commands(parents: dict[str, Session], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parent = parents["hopper"]
    begun = f"record --from {parent.path} --game 2 --at 0:00.1 --player random --library {tmp_path}".split()
    assert main([*begun, "--json"]) == 0
    made = Session.open(json.loads(capsys.readouterr().out)["path"])
    assert made.attributes["forked_from"][0]["tick"] == round(0.1 * parent.spec.rate_hz)
    assert main(["show", str(made.path)]) == 0
    assert f"game 1 plays on from 0:00.1 of {parent.name}, game 2" in capsys.readouterr().out
    assert main(["practice", str(parent.path), "--before", "0.05", "--json"]) == 0
    points = json.loads(capsys.readouterr().out)["points"]
    assert [(point["game"], point["why"]) for point in points] == [(1, "end of the game"), (2, "end of the game")]
    practised = f"practice {parent.path} --before 0.05 --player random --seconds 1 --library {tmp_path} --json".split()
    assert main(practised) == 0
    assert len(Session.open(json.loads(capsys.readouterr().out)["path"]).recorded_games) == 2
    for wrong, why in (
        (["record", "--at", "1:00"], "they need --from"),
        (["record"], "name an environment"),
        (["record", "--from", str(parent.path)], "needs the moment"),
        (["record", "breakout", "--from", str(parent.path), "--at", "5"], "not of breakout"),
    ):
        assert main([*wrong, "--library", str(tmp_path)]) == 2
        assert why in capsys.readouterr().err


def test_moments_are_practised_in_one_take_after_another(parents: dict[str, Session], tmp_path: Path) -> None:
    parent, clock = parents["breakout"], FakeClock()
    presenter = RecordPresenter(
        tmp_path, settings=UnsavedSettings("Ada"), usual_keys=usual, controllers=None, countdown_s=0, now=clock
    )
    play_on_from(presenter, [fork_at(parent, 100), fork_at(parent, 200)], 0.5)
    for _ in range(600):
        wait_for(presenter, lambda: presenter.take.recording is not None or not presenter.busy)
        if not presenter.busy:
            break
        clock.now += TICK_NS
        presenter.poll()
    assert presenter.error == ""
    found = sorted(Library(tmp_path).sessions(), key=lambda each: each.name)
    takes = [Session.open(each.path) for each in found]
    assert [[len(episode) for episode in take.episodes] for take in takes] == [[100, 30], [200, 30]]
    assert presenter.finished.ended_by == "0.5 seconds are over"
    presenter.start()
    assert presenter.status is not None
    assert presenter.status.game_ticks == 0  # a game of its own again
    presenter.shutdown()
