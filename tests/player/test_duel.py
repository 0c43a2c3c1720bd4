from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from player.film.compose import compose
from player.watch.duel import Duel
from player.watch.frames import DuelFrame, Side, score_text
from recorder import Game, Session, get_spec
from recorder.errors import SessionError, UsageError
from recorder.system.texts import duration_text
from tests.player.conftest import Clone, Waiting, untrained
from tests.recorder.test_playing import steered
from trainer.errors import PolicyError


class Copy(Clone):
    """Plays the recorded actions again."""

    def __init__(self, session: Session, number: int) -> None:
        super().__init__(session.spec.name)
        chosen = session.game(number)
        self._actions = session.actions[chosen.line_ticks]
        self._next = 0

    def reset(self, env: Any = None) -> None:
        self._next = 0

    def act(self, observation: Any) -> Any:
        self._next += 1
        return self._actions[min(self._next, len(self._actions)) - 1]


def left_of(side: Side | None) -> Side:
    assert side is not None
    return side


def test_a_clone_that_plays_the_recorded_actions_shows_the_recorded_pictures(breakout: Session) -> None:
    with Duel(breakout, Copy(breakout, 1)) as duel:
        for _ in range(4):
            frame = duel.tick(50)
            left, right = left_of(frame.left), left_of(frame.right)
            np.testing.assert_array_equal(left.picture, right.picture)
            assert (left.score, left.lives, left.action) == (right.score, right.lives, right.action)


def test_a_rewound_game_is_watched_from_its_start_to_its_end(tmp_path: Path) -> None:
    plan = [("play", 300), ("rewind", 100), ("play", 150), ("rewind", 200), ("play", 120)]
    session, where = steered(tmp_path, plan)
    with Duel(session, Copy(session, 1)) as duel:
        assert duel.replay_ticks == where[-1] == 270
        for tick in (1, 150, 151, 200, 269, 270):
            frame = duel.seek(tick)
            while frame.behind:
                frame = duel.catch_up(50)
            left, right = left_of(frame.left), left_of(frame.right)
            np.testing.assert_array_equal(left.picture, right.picture)
            assert (left.score, left.lives, left.action) == (right.score, right.lives, right.action)


def test_a_copied_hopper_ends_together_with_the_recording_at_the_same_score(hopper: Session) -> None:
    with Duel(hopper, Copy(hopper, 2), game=2, render=False) as duel:
        frame = duel.tick(10_000)
    left, right = left_of(frame.left), left_of(frame.right)
    assert frame.done
    assert left.score == pytest.approx(right.score, abs=1e-9)
    assert left.ticks == right.ticks == len(hopper.episodes[1])
    assert "the same as the random player" in frame.verdict


def test_at_tick_zero_nothing_has_happened_and_restart_returns_there(breakout: Session) -> None:
    with Duel(breakout, Clone("breakout")) as duel:
        first = duel.frame()
        duel.tick(30)
        again = duel.restart()
    for frame in (first, again):
        assert frame.tick == 0
        assert left_of(frame.left).action is None
        assert left_of(frame.right).score == 0
    np.testing.assert_array_equal(left_of(first.right).picture, left_of(again.right).picture)


def test_the_replay_shows_what_came_of_each_action(breakout: Session) -> None:
    with Duel(breakout) as duel:
        frame = duel.tick(100)
    left = left_of(frame.left)
    assert left.action == breakout.actions[99]
    assert left.action_label == breakout.spec.action_names[int(breakout.actions[99])]
    np.testing.assert_array_equal(left.picture, breakout.frames[100])
    assert frame.right is None


def test_the_clone_plays_on_after_the_recording_until_the_idle_cap_ends_its_game(breakout: Session) -> None:
    with Duel(breakout, Waiting("breakout")) as duel:
        frame = duel.tick(len(breakout))
        assert left_of(frame.left).over
        assert not left_of(frame.right).over
        frame = duel.tick(100_000)
    assert frame.done
    assert frame.tick == get_spec("breakout").idle_ticks
    assert "no point" in left_of(frame.right).ending


def test_the_recording_plays_on_when_the_clone_has_fallen(hopper: Session) -> None:
    lengths = [len(episode) for episode in hopper.episodes]
    with Duel(hopper, Copy(hopper, 1), game=1 + int(np.argmax(lengths)), render=False) as duel:
        frame = duel.tick(10_000)
    assert frame.tick == max(left_of(frame.left).ticks, left_of(frame.right).ticks)
    assert frame.done


def test_a_policy_alone_plays_a_game_drawn_from_its_seed() -> None:
    pictures = []
    for seed in (1, 2):
        with Duel(None, Clone("breakout"), seed=seed) as duel:
            frame = duel.frame()
            assert frame.left is None
            pictures.append(left_of(frame.right).picture)
    assert not np.array_equal(pictures[0], pictures[1])


def test_hopper_is_drawn_from_the_stored_states(hopper: Session) -> None:
    with Duel(hopper, Clone("hopper")) as duel:
        before = left_of(duel.frame().left).picture
        after = left_of(duel.tick(10).left).picture
    with Game(hopper.spec, render=True) as game:
        assert duel.game is not None
        game.restore(hopper.states[duel.game.start + 10])
        np.testing.assert_array_equal(after, game.picture())
    assert not np.array_equal(before, after)


def test_hopper_shows_how_far_it_came_its_torques_and_what_drives_them(hopper: Session) -> None:
    class Driven(Copy):
        def drives(self, observation: Any) -> Any:
            return np.outer([1, 2, 3], observation)

    with Duel(hopper, Driven(hopper, 1), game=1, render=False) as duel:
        start = left_of(duel.frame().left)
        frame = duel.tick(8)
    left, right = left_of(frame.left), left_of(frame.right)
    np.testing.assert_array_equal(left.trace, hopper.actions[:8])
    assert left.trace == right.trace
    assert start.distance == pytest.approx(0, abs=0.01)
    assert left.distance == right.distance != start.distance
    # The reward is the speed forward plus 1 for standing less the torques' cost: the distance follows from it.
    torques = np.square(hopper.actions[:8].astype(float)).sum(axis=1)
    gone = 0.008 * (hopper.rewards[:8] - 1 + 1e-3 * torques).sum()
    assert left.distance is not None
    assert start.distance is not None
    assert left.distance - start.distance == pytest.approx(gone, abs=1e-4)
    np.testing.assert_allclose(right.drives, np.outer([1, 2, 3], hopper.observations[8]))
    assert left.drives == ()
    assert len(frame.observation_names) == 11


def seen(frame: DuelFrame) -> tuple[Any, ...]:
    """What both sides show at a moment."""
    sides = (left_of(frame.left), left_of(frame.right))
    return tuple(
        (side.ticks, side.score, side.lives, side.action, side.distance, side.over, np.asarray(side.picture).tobytes())
        for side in sides
    )


def test_any_tick_can_be_seen_again_and_play_goes_on_from_where_it_was(breakout: Session) -> None:
    with Duel(breakout, Copy(breakout, 1)) as duel:
        moments = [seen(duel.frame())] + [seen(duel.tick()) for _ in range(150)]
        for tick in (100, 99, 31, 30, 1, 0, 60, 61, 62, 149):
            assert seen(duel.seek(tick)) == moments[tick], tick
        assert seen(duel.tick()) == moments[150]
        later = seen(duel.tick(20))
    with Duel(breakout, Copy(breakout, 1)) as duel:
        assert seen(duel.tick(170)) == later


def test_a_hopper_of_a_moment_ago_stands_where_it_stood(hopper: Session) -> None:
    with Duel(hopper, Copy(hopper, 1), game=1, render=False) as duel:
        moments = [seen(duel.frame())] + [seen(duel.tick()) for _ in range(10)]
        assert [seen(duel.seek(tick)) for tick in (7, 2, 10)] == [moments[tick] for tick in (7, 2, 10)]


def test_ahead_of_the_clone_the_recording_is_there_at_once_and_the_clone_catches_up(breakout: Session) -> None:
    with Duel(breakout, Copy(breakout, 1)) as duel:
        there = seen(duel.tick(120))
    with Duel(breakout, Copy(breakout, 1)) as duel:
        frame = duel.seek(120)
        assert (left_of(frame.left).ticks, left_of(frame.right).ticks, frame.behind) == (120, 0, 120)
        assert seen(frame)[0] == there[0]
        assert duel.catch_up(50).behind == 70
        frame = duel.catch_up(1_000)
        assert frame.behind == 0
        assert seen(frame) == there
        end = duel.seek(10**6)
        assert left_of(end.left).ticks == len(breakout.episodes[0])
        assert left_of(end.left).over


def test_the_marks_of_a_game_are_its_points_and_lost_lives(breakout: Session) -> None:
    with Duel(breakout, Copy(breakout, 1), render=False) as duel:
        frame = duel.tick(len(breakout.episodes[0]))
    left, right = left_of(frame.left), left_of(frame.right)
    assert (left.points, left.losses, left.length) == (right.points, right.losses, right.length)
    assert len(left.points) == (np.asarray(breakout.rewards[: left.length]) > 0).sum() > 0
    assert len(left.losses) == 5 - left.lives


def test_a_scripted_or_random_player_is_never_shown_as_a_person(breakout: Session) -> None:
    with Duel(breakout, Clone("breakout")) as duel:
        frame = duel.frame()
    assert left_of(frame.left).title == "Random player"
    assert left_of(frame.right).title == "Twin"


def test_what_cannot_be_watched_is_refused_in_a_sentence(breakout: Session, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"plays Hopper, but .* is a session of Breakout"):
        Duel(breakout, Clone("hopper"))
    with pytest.raises(UsageError, match="give a session, a policy, or both"):
        Duel()
    with pytest.raises(UsageError, match="no game 9; choose"):
        Duel(breakout, game=9)
    with pytest.raises(SessionError, match="not a readable session"):
        Duel(tmp_path / "missing.zarr")


def test_the_composed_picture_keeps_its_even_size_and_shows_both_screens_sharply(breakout: Session) -> None:
    with Duel(breakout, Clone("breakout")) as duel:
        first = compose(duel.frame())
        later = compose(duel.tick(100_000))
    assert first.shape == later.shape
    assert first.dtype == np.uint8
    assert first.shape[0] % 2 == first.shape[1] % 2 == 0
    screen = breakout.frames[0]
    enlarged = screen.repeat(3, 0).repeat(5, 1)
    rows, columns = np.where((first[: -enlarged.shape[0], : -enlarged.shape[1]] == enlarged[0, 0]).all(-1))
    assert any(
        np.array_equal(first[y : y + enlarged.shape[0], x : x + enlarged.shape[1]], enlarged)
        for y, x in zip(rows[:500], columns[:500], strict=True)
    )


def test_numbers_read_as_people_write_them() -> None:
    assert score_text(1234.4) == "1,234"
    assert duration_text(83.9) == "1:23"


class Seer(Clone):
    """Says that it looks at the left half of the screen, and remembers what it was shown."""

    reach = 4

    def __init__(self, seconds: float = 0.0, clock: list[float] | None = None) -> None:
        super().__init__("breakout")
        self.asked: list[tuple[Any, Any]] = []
        self._seconds, self._clock = seconds, clock or [0.0]

    def attention(self, screen: Any, before: Any = None) -> Any:
        self.asked.append((screen, before))
        self._clock[0] += self._seconds
        looks = np.zeros(screen.shape[:2], np.uint8)
        looks[:, :80] = 255
        return looks


def test_what_the_clone_looks_at_is_shown_only_when_asked_for(breakout: Session) -> None:
    seer = Seer()
    with Duel(breakout, seer) as duel:
        assert duel.frame().can_look
        assert left_of(duel.tick(5).right).looks is None
        assert seer.asked == []
        right = left_of(duel.look(True).right)
        assert right.looks is not None
        assert right.looks[:, :80].all()
        np.testing.assert_array_equal(seer.asked[-1][0], right.picture)
        assert seer.asked[-1][1] is None  # it stands there itself, and knows what it saw
        assert left_of(duel.look(False).right).looks is None
        asked = len(seer.asked)
        duel.tick(5)
        assert len(seer.asked) == asked


def test_what_it_looked_at_a_moment_ago_is_asked_with_what_came_before(breakout: Session) -> None:
    seer = Seer()
    with Duel(breakout, seer) as duel:
        pictures = [left_of(duel.frame().right).picture] + [left_of(duel.tick().right).picture for _ in range(100)]
        duel.look(True)
        for tick in (62, 31, 2, 0):
            assert left_of(duel.seek(tick).right).looks is not None
            screen, before = seer.asked[-1]
            np.testing.assert_array_equal(screen, pictures[tick])
            assert len(before) == min(4, tick)
            for age, seen in enumerate(reversed(before), 1):
                np.testing.assert_array_equal(seen, pictures[tick - age])


def test_looking_leaves_two_thirds_of_the_time_to_play(breakout: Session) -> None:
    clock = [0.0]
    seer = Seer(0.010, clock)
    with Duel(breakout, seer, now=lambda: clock[0]) as duel:
        duel.look(True)
        asked, began = len(seer.asked), clock[0]
        for _ in range(100):
            clock[0] += 0.001  # what a tick takes
            assert left_of(duel.tick().right).looks is not None or duel.frame().tick > 15
        spent = 0.010 * (len(seer.asked) - asked)
        assert 0.2 < spent / (clock[0] - began) < 0.36


def test_two_policies_play_from_the_same_start_each_in_its_own_way() -> None:
    with Duel(None, Clone("breakout", 1), against=Clone("breakout", 2), seed=3) as duel:
        first = duel.frame()
        np.testing.assert_array_equal(left_of(first.left).picture, left_of(first.right).picture)
        frame = duel.tick(90)
        assert not np.array_equal(left_of(frame.left).actions, left_of(frame.right).actions)
        later = seen(duel.tick(30))
        duel.tick(30)
        assert seen(duel.seek(120)) == later
        end = duel.tick(100_000)
    assert end.done
    assert left_of(end.left).kind == left_of(end.right).kind == "policy"
    assert end.length == max(left_of(end.left).ticks, left_of(end.right).ticks)


def test_a_policy_file_can_play_against_itself(tmp_path: Path) -> None:
    path = untrained("hopper", tmp_path / "hopper.safetensors")
    with Duel(None, path, against=path, render=False, seed=4) as duel:
        frame = duel.tick(5)
    assert (left_of(frame.right).subtitle, left_of(frame.left).subtitle) == ("hopper · seed 4", "hopper · seed 5")


def test_policies_of_two_environments_are_refused() -> None:
    with pytest.raises(PolicyError, match="plays Breakout, but the policy plays Hopper"):
        Duel(None, Clone("breakout"), against=Clone("hopper"))


def test_a_side_tells_all_that_it_did(breakout: Session) -> None:
    with Duel(breakout, Copy(breakout, 1), render=False) as duel:
        frame = duel.tick(100)
    left, right = left_of(frame.left), left_of(frame.right)
    np.testing.assert_array_equal(left.actions, breakout.actions[: len(breakout.episodes[0])])
    np.testing.assert_array_equal(right.actions, left.actions[:100])


def side(kind: str, title: str, score: float, ticks: int, ending: str = "game over", **more: Any) -> Side:
    return Side(kind, title, more.pop("subtitle", ""), None, score, 0, "", 0, ticks, True, ending, **more)


@pytest.mark.parametrize(
    ("left", "right", "sentence"),
    [
        (
            side("person", "Person", 332, 6_000),
            side("policy", "Twin", 412, 7_860, twin=True),
            "Your twin scored 412, 80 more than you, and played 31 seconds longer.",
        ),
        (
            side("person", "Ada", 1_500, 6_000, "recording stopped"),
            side("policy", "Twin", 12, 5_940, twin=True),
            "Ada's twin scored 12, 1,488 less than Ada by the time the recording stopped, and played 1 second less.",
        ),
        (
            side("scripted", "Scripted player", 12, 600),
            side("policy", "Twin", 12, 610),
            "The twin scored 12, the same as the scripted player.",
        ),
        (
            side("policy", "Twin", 5, 600, subtitle="old"),
            side("policy", "Twin", 7, 18_600, subtitle="new"),
            "Twin new scored 7, 2 more than twin old, and played 5 minutes longer.",
        ),
        (None, side("policy", "Twin", 7, 600), "The twin scored 7 in 0:10 (game over)."),
    ],
)
def test_the_result_is_stated_in_a_sentence(left: Side | None, right: Side, sentence: str) -> None:
    frame = DuelFrame(9_000, 60.0, "Breakout", ("NOOP",), True, True, left, right)
    assert frame.verdict == sentence
    assert frame.title_of(right) == (sentence.partition(" scored")[0] if right.twin else "Twin")


@pytest.mark.parametrize(
    ("left", "right", "title"),
    [
        (
            side("person", "Ada", 3, 6_000, final=48.0),
            side("policy", "Twin", 61, 6_000, twin=True, final=61.0),
            "Ada and twin, Breakout, 48 to 61",
        ),
        (
            side("scripted", "Scripted player", 3, 600, final=1_500.0),
            side("policy", "Twin", 2, 600),
            "Scripted player and twin, Breakout, Scripted player 1500",
        ),
        (
            side("policy", "Twin", 5, 600, subtitle="old"),
            side("policy", "Twin", 7, 600, subtitle="new"),
            "Twin old and twin new, Breakout",
        ),
        (None, side("policy", "Twin", 7, 600, subtitle="new", final=7.0), "Twin new, Breakout, 7"),
    ],
)
def test_a_video_is_named_after_who_plays_what_and_the_scores_that_are_known(
    left: Side | None, right: Side, title: str
) -> None:
    assert DuelFrame(9_000, 60.0, "Breakout", ("NOOP",), True, True, left, right).file_title == title


@pytest.mark.parametrize("env", ["breakout", "hopper"])
def test_a_clone_plays_on_from_a_tick_of_the_recording(
    env: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    session: Session = request.getfixturevalue(env)
    policy = untrained(env, tmp_path / "clone.safetensors")
    game = session.game(1)
    tick = game.ticks // 2
    with Duel(session, policy, game=1) as duel:
        frame = duel.play_on(tick)
        assert frame.behind == tick
        while frame.behind:
            frame = duel.catch_up(40)
        left, right = left_of(frame.left), left_of(frame.right)
        assert right.ticks == right.led == tick
        np.testing.assert_array_equal(left.picture, right.picture)
        assert (left.score, left.action) == (pytest.approx(right.score), right.action)
        frame = duel.tick(20)
        played = left_of(frame.right).actions
        np.testing.assert_array_equal(played[:tick], session.actions[game.line_ticks[:tick]])
        assert not np.array_equal(played[tick:], session.actions[game.line_ticks[tick : len(played)]])
        assert left_of(duel.play_on(0).right).led == 0
