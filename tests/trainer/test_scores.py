"""What is estimated from test games that end at a time limit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from recorder import get_spec
from recorder.agents.experts import scripted
from recorder.envs.game import Game
from trainer.evaluation.scores import GameResult, whole_game_score
from trainer.evaluation.table import QueuedAgent, Table, evaluation_seed

FIRE = 1


def games(*played: tuple[float, float]) -> list[GameResult]:
    return [GameResult(score, 100, "", "", None, played_out) for score, played_out in played]


def test_the_score_of_whole_games_is_their_mean() -> None:
    assert whole_game_score(games((10, 1), (30, 1))) == 20
    assert whole_game_score(games((-21, 1), (-19, 1))) == -20


def test_of_two_with_the_same_score_the_one_with_more_lives_left_would_score_more() -> None:
    half, fifth = games((100, 0.6), (100, 0.4)), games((100, 0.2), (100, 0.2))
    assert 100 < whole_game_score(half) < whole_game_score(fifth) < 500
    assert whole_game_score(half) == pytest.approx(200 / 1.2 * 1.1)
    # Without a loss nobody knows how long it would go on, but it is not for ever.
    assert whole_game_score(games((100, 0.0))) == pytest.approx(600)


def test_less_than_nothing_does_not_become_more_with_lives_left() -> None:
    assert whole_game_score(games((-3, 0.2), (-5, 0.0))) == -4


def played(name: str, action: Callable[[int], int], ticks: int) -> GameResult:
    with Game(get_spec(name)) as game:
        agent = QueuedAgent()
        table = Table(game, agent, evaluation_seed(0, 0), ticks)
        while table.playing:
            agent.action = action(table.rollout.ticks)
            table.tick()
        return table.result()


def test_a_game_is_played_out_by_the_lives_that_are_lost() -> None:
    serving = played("breakout", lambda tick: FIRE if tick % 60 == 0 else 0, 480)
    assert serving.outcome == "time limit"
    assert 0 < serving.played_out < 1
    assert serving.played_out * 5 == pytest.approx(round(serving.played_out * 5))
    over = played("breakout", lambda tick: FIRE if tick % 60 == 0 else 0, 6_000)
    assert (over.outcome, over.played_out) == ("game over", 1.0)


def test_a_game_in_which_nothing_is_scored_any_more_is_played_out() -> None:
    assert played("breakout", lambda tick: 0, 1_199).played_out == 0.0  # nobody serves
    assert played("breakout", lambda tick: 0, 1_200).played_out == 1.0


def test_without_lives_nothing_tells() -> None:
    assert played("pong", lambda tick: 0, 300).played_out == 1.0


def test_a_player_who_loses_no_life_has_played_out_nothing() -> None:
    with Game(get_spec("breakout")) as game:
        table = Table(game, scripted("breakout"), evaluation_seed(0, 0), 600)
        while table.playing:
            table.tick()
    assert table.result().played_out == 0.0
    assert table.result().score > 0
