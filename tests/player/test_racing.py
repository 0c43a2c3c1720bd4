"""A person races a twin on the Record page, without a window; the twin plays in a process of its own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from recorder import Library, Session, get_spec
from recorder.envs.game import Game, start_actions
from recorder.library.together import together_text
from recorder.play.fork import Fork
from recorder.play.rollout import Rollout
from recorder.recording.partner import Company
from recorder.recording.race import RaceStatus
from recorder.recording.race_series import next_game, so_far
from recorder.recording.take_control import RecordState
from recorder.store.races import RacedGame, RaceRecord, read_race
from tests.player.conftest import untrained
from tests.player.test_correcting import FIRE_KEY, LEFT_KEY, Player
from trainer import Policy
from trainer.evaluation.demonstrator import scores_from_the_start


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    library: Path = tmp_path_factory.mktemp("race")
    (library / "policies").mkdir()
    untrained("breakout", library / "policies" / "Bo.safetensors")
    player = Player(library)
    player.presenter.partner.choose(Company.RACE, player.presenter.partner.twins[0])
    yield player
    player.presenter.shutdown()


@pytest.fixture
def player(opened: Player) -> Player:
    """Nothing is held, the twin is ready, and races are single ones."""
    opened.presenter.partner.set_series(0)
    opened.presenter.controls.release(LEFT_KEY)
    opened.until(lambda: not opened.presenter.partner.getting_ready)
    return opened


def race(player: Player) -> RaceStatus:
    assert player.presenter.status is not None
    found = player.presenter.status.companion
    assert isinstance(found, RaceStatus)
    return found


def lose(player: Player) -> None:
    """Nobody moves: five lives are soon lost."""
    for _ in range(3_000):
        player.presenter.controls.press(FIRE_KEY)
        player.presenter.controls.release(FIRE_KEY)
        player.ticks(1)
        if player.presenter.state is RecordState.GAME_OVER:
            return
    raise AssertionError("the game is not over")


def test_both_play_from_the_same_start_on_one_clock_and_the_scores_are_kept(player: Player) -> None:
    presenter = player.presenter
    presenter.start()
    player.until(lambda: race(player).picture is not None)
    assert presenter.status is not None
    np.testing.assert_array_equal(race(player).picture, presenter.status.picture)  # the same start
    player.ticks(60)
    presenter.take.rewind()
    presenter.take.resume()
    assert presenter.status.ticks == 60  # a race is not rewound
    presenter.controls.press(LEFT_KEY)
    player.ticks(60, 0.01)
    session = player.stop()
    start, play = session.episodes
    assert session.actions[: len(start)].tolist() == start_actions(session.spec, start.seed)
    assert len(play) == 120
    assert session.player["kind"] == "person"
    assert session.corrections is None
    told = read_race(session.attributes)
    assert told is not None
    assert (told.twin, told.policy) == ("Bo", "Bo")
    (game,) = told.games
    assert (game.score, game.twin_over) == (sum(session.rewards), False)
    assert game.twin_score is not None
    assert together_text(session) == f"Race against Bo: {game.score:.0f} to {game.twin_score:.0f}"
    summary = next(each for each in Library(presenter.library).sessions() if each.path == session.path)
    assert summary.together == together_text(session)
    assert presenter.finished.today.takes[0].together == together_text(session)


def test_the_score_of_each_game_is_kept_also_if_the_next_one_begins_at_once(player: Player) -> None:
    presenter = player.presenter
    presenter.start()
    player.until(lambda: race(player).picture is not None)
    lose(player)
    next_game(presenter)
    player.ticks(10)
    player.until(lambda: race(player).caught_up)
    session = player.stop()
    told = read_race(session.attributes)
    assert told is not None
    first, second = told.games
    assert first.twin_score is not None
    assert second.twin_score == 0
    assert [first.score, second.score] == session.scores
    assert [first.over, second.over] == [True, False]
    starts = [game.line[0] for game in session.recorded_games]
    one, other = (session.actions[start.start : start.stop].tolist() for start in starts)
    assert one != other
    assert scores_from_the_start(session) == session.scores


def test_a_series_ends_once_somebody_has_won_two_and_space_begins_another(player: Player) -> None:
    presenter = player.presenter
    presenter.partner.set_series(3)
    played = [take.race for take in presenter.finished.today.takes if take.race is not None]
    presenter.start()
    scores: list[tuple[float, float]] = []
    while not race(player).settled:
        before = race(player).won
        lose(player)
        player.until(lambda: race(player).result)
        assert presenter.status is not None
        scores.append((presenter.status.score, race(player).score))
        you, twin = race(player).won
        assert (you, twin) == (
            sum(mine > its for mine, its in scores),
            sum(mine < its for mine, its in scores),
        )
        assert (before == (you, twin)) is (scores[-1][0] == scores[-1][1])  # a draw
        if max(you, twin) < 2:
            assert race(player).standing == f"You {you}, your twin {twin}, of three"
            next_game(presenter)
            assert presenter.state is RecordState.RECORDING
    you, twin = race(player).won
    assert max(you, twin) == 2
    next_game(presenter)
    player.until(lambda: presenter.state is RecordState.RECORDING)
    assert race(player).won == (0, 0)
    earlier = [one.won for one in played]
    assert so_far(presenter) == f"You {you + sum(n for n, _ in earlier)} : {twin + sum(n for _, n in earlier)} Bo"
    series = presenter.finished.today.takes[0].race
    assert series is not None
    assert series.best_of == 3
    assert presenter.partner.twin is not None
    assert series.created == presenter.partner.twin.created != ""
    assert series.was_against("Cleo", series.created)  # also once it is renamed
    assert not series.was_against("Bo", "2020-01-01T00:00:00+00:00")
    assert [(game.score, game.twin_score) for game in series.games] == scores
    how = "won" if you > twin else "lost"
    assert series.sentence.startswith(f"Race against Bo, best of three, {how} {you} to {twin}: ")
    player.ticks(5)
    session = player.stop()
    assert together_text(session) == "Race against Bo, best of three, 0 to 0, not finished: 0 to 0"


def test_a_twin_that_dies_ends_its_side_alone(player: Player) -> None:
    presenter = player.presenter
    presenter.start()
    player.ticks(20, 0.01)
    os.kill(presenter.partner.process, signal.SIGKILL)
    player.until(lambda: race(player).lost)
    player.ticks(20)
    assert presenter.state is RecordState.RECORDING
    session = player.stop()
    assert len(session.episodes[-1]) == 40
    told = read_race(session.attributes)
    assert told is not None
    assert told.games[0].twin_score is None
    assert together_text(session) == "Race against Bo: 0 to ?"


def test_a_hung_twin_holds_up_neither_a_tick_nor_the_end(player: Player) -> None:
    presenter = player.presenter
    presenter.start()
    player.ticks(10, 0.01)
    process = presenter.partner.process
    os.kill(process, signal.SIGSTOP)
    try:
        began = time.monotonic()
        player.ticks(120)
        assert time.monotonic() - began < 120 / 60
        session = player.stop()
        assert time.monotonic() - began < 10
    finally:
        os.kill(process, signal.SIGCONT)
    assert len(session.episodes[-1]) == 130
    assert together_text(session) == "Race against Bo: 0 to ?"


def test_the_twin_plays_what_it_would_play_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its game is that of the person's seed: nothing of the race changes it."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # which it sets, and should not for other tests
    monkeypatch.setattr("player.coach.loading.follow_play", lambda: None)
    from player.coach.racing import RacingClone
    from recorder.system.jobs import SharedRows

    path = untrained("breakout", tmp_path / "Bo.safetensors")
    spec = get_spec("breakout")
    pictures = SharedRows(3, (210, 160, 3), "uint8")
    racer = RacingClone(str(path), pictures, seed=4)
    racer.begin(1, 77, [0] * 5, 1)
    moment = racer.play(40, 2)
    while moment.ticks < 40:
        moment = racer.play(40, 2)
    shown = pictures.rows[2].copy()
    racer.close()
    with Game(spec) as game:
        rollout = Rollout(game, Policy.load(path, seed=4))
        rollout.begin(0)
        rollout.tick()
        rollout.begin(fork=Fork(spec, 77, np.zeros(5, np.uint8), {}))
        for _ in range(35):
            rollout.tick()
        np.testing.assert_array_equal(shown, game.picture())
        assert (moment.game, moment.ticks, moment.score) == (1, 40, rollout.score)


def test_who_wins_a_game_and_a_series() -> None:
    won, lost, drawn = RacedGame(5, 3), RacedGame(3, 5), RacedGame(4, 4)
    stopped, alone = RacedGame(9, 1, over=False), RacedGame(9, None)
    assert [game.winner for game in (won, lost, drawn, stopped, alone)] == [1, -1, 0, 0, 0]
    assert RaceRecord("Bo", "Bo", (won, won)).standing == ""
    open_series = RaceRecord("Bo", "Bo", (won, drawn, stopped, alone), 3)
    assert open_series.standing == "You 1, your twin 0, of three"
    assert open_series.sentence == ("Race against Bo, best of three, 1 to 0, not finished: 5 to 3, 4 to 4, 9 to 1, …")
    assert RaceRecord("Bo", "Bo", (won, lost, won), 3).standing == "You win the series, 2 to 1"
    assert RaceRecord("Bo", "Bo", (lost, drawn, lost), 3).standing == "Your twin wins the series, 2 to 0"


def test_damaged_races_are_no_races() -> None:
    assert read_race({}) is None
    assert read_race({"race": {"games": [{"score": "many"}]}}) is None
    told = read_race({"race": {"twin": "x" * 1_000, "later": 1}})
    assert told is not None
    assert len(told.sentence) < 300


def test_sessions_of_one_player_say_nothing_of_two(breakout: Session) -> None:
    assert together_text(breakout) == ""
