"""Environments, agents, rollouts and pacing."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recorder import Game, KeyAgent, RandomAgent, Session, get_spec
from recorder.agents.agent import KeyEvent, describe
from recorder.agents.experts import scripted
from recorder.envs import atari
from recorder.envs.palette import colour
from recorder.envs.registry import env_names
from recorder.envs.spec import EnvSpec
from recorder.errors import AgentError, UnknownEnvError, UsageError
from recorder.library.edits import edit, of_games
from recorder.library.verify import verify
from recorder.play.clock import Pacer
from recorder.play.rollout import Phase, Rollout, episode_seed
from recorder.play.timing import measure
from recorder.recording.headless import record
from recorder.store.episode_table import recorded_games
from recorder.store.session_writer import SessionWriter

NOOP, FIRE, RIGHT, LEFT = range(4)
SPACE, ARROW_LEFT, ARROW_RIGHT = 32, 1, 2


@pytest.fixture
def keys() -> KeyAgent:
    return KeyAgent({SPACE: FIRE, ARROW_LEFT: LEFT, ARROW_RIGHT: RIGHT})


@pytest.mark.parametrize("name", env_names())
def test_a_spec_survives_json(name: str) -> None:
    spec = get_spec(name)
    assert EnvSpec.from_json(spec.to_json()).differences(spec) == []
    assert spec.versions["gymnasium"]


def test_an_unknown_environment_is_answered_with_those_there_are() -> None:
    with pytest.raises(
        UnknownEnvError,
        match=r"named 'tetrix', did you mean tetris\? choose one of: breakout, hopper, .*pendulum, or an",
    ):
        get_spec("tetrix")


def test_the_palette_is_the_emulators() -> None:
    with Game(get_spec("breakout")) as game:
        observation = game.reset(0)
        rows = {"screen": np.zeros((1, 210, 160), np.uint8)}
        for tick in range(200):
            game.capture(observation, rows, 0)
            np.testing.assert_array_equal(game.palette[rows["screen"][0]], observation)
            observation, *_ = game.step([FIRE, RIGHT, LEFT, NOOP][tick % 4])


def test_varied_starts_differ_and_repeat_with_their_seed() -> None:
    with Game(get_spec("breakout")) as game:
        starts = {seed: game.reset(seed, varied=True).tobytes() for seed in range(12)}
        assert game.reset(5, varied=True).tobytes() == starts[5]
    assert len(set(starts.values())) > 6


@pytest.mark.parametrize(
    ("name", "sticky"),
    [("breakout", 0.0), ("breakout", 0.25), ("solaris", 0.0), ("demon_attack", 0.0), ("tennis", 0.0)],
)
def test_a_game_does_not_depend_on_those_played_before_it(name: str, sticky: float) -> None:
    """A session's later games are played on one emulator, and simulated again on another."""

    def play(game: Game, seed: int) -> list[bytes]:
        moves = np.random.default_rng(seed).integers(0, 4, 400)  # each of these games has so many actions
        screens = [game.reset(seed)] + [game.step(int(move))[0] for move in moves]
        return [screen.tobytes() for screen in screens]

    spec = get_spec(name)
    atari.free_spare()
    with Game(spec, sticky=sticky) as used, Game(spec, sticky=sticky, fresh=True) as fresh:
        play(used, 1)
        again = play(used, 2)
        expected = play(fresh, 2)
        emulators = used.env, fresh.env
    assert again == expected
    assert len(set(again)) > 100
    with Game(spec, sticky=sticky) as another:  # on the emulator of a game that is closed, if that is possible
        assert (another.env in emulators) == (sticky == 0.0)
        assert play(another, 2) == expected


def test_the_camera_follows_the_hopper() -> None:
    expert = scripted("hopper")
    with Game(get_spec("hopper"), render=True) as game:
        observation = game.reset(0)
        expert.reset(game.env)
        for _ in range(300):
            observation, *_ = game.step(expert.act(observation))
        picture = game.picture().astype(int)
    middle = picture[100:340, 120:280]
    assert ((middle[..., 0] - middle[..., 2]) > 30).sum() > 500  # its brown limbs, not sky or floor


def test_the_key_pressed_last_wins_and_gives_way_when_released(keys: KeyAgent) -> None:
    keys.press(ARROW_LEFT, 0)
    assert keys.act() == LEFT
    keys.press(ARROW_RIGHT, 1)
    assert keys.act() == RIGHT
    keys.release(ARROW_RIGHT, 2)
    assert keys.act() == LEFT
    keys.release(ARROW_LEFT, 3)
    assert keys.act() == NOOP


def test_controls_held_together_make_an_action_where_the_game_has_one() -> None:
    up, right, fire, up_right, up_fire, up_right_fire = range(1, 7)
    chords = {frozenset({up, right}): up_right, frozenset({up, fire}): up_fire}
    chords[frozenset({up, right, fire})] = up_right_fire
    keys = KeyAgent({10: up, 11: right, 12: fire}, chords=chords)
    keys.press(10, 1)
    assert keys.act() == up
    keys.press(12, 2)
    assert keys.act() == up_fire
    keys.press(11, 3)
    assert keys.act() == up_right_fire
    keys.release(10, 4)
    assert keys.act() == right  # RIGHT and FIRE make nothing here: the one pressed last counts
    keys.release(11, 5)
    assert keys.act() == fire
    keys.press(10, 6)
    keys.release(10, 7)
    assert keys.act() == up_fire  # a tap shorter than a tick


def test_a_tap_shorter_than_a_tick_still_plays(keys: KeyAgent) -> None:
    keys.press(SPACE, 0)
    keys.release(SPACE, 1)
    assert [keys.act(), keys.act()] == [FIRE, NOOP]


def test_auto_repeat_and_unbound_keys_leave_no_trace(keys: KeyAgent) -> None:
    events: list[KeyEvent] = []
    keys.on_key = events.append
    keys.press(ARROW_LEFT, 10)
    keys.press(ARROW_LEFT, 11)
    assert not keys.press(99, 12)
    keys.release_all(20)
    assert events == [KeyEvent(10, ARROW_LEFT, True), KeyEvent(20, ARROW_LEFT, False)]
    assert keys.act() == NOOP


@pytest.mark.parametrize("answer", [4, -1, 1.0, None, "LEFT", np.float32(2)])
def test_what_is_not_an_action_is_refused(answer: Any) -> None:
    with Game(get_spec("breakout")) as game, pytest.raises(AgentError, match="not an action of Breakout"):
        game.check_action(answer)


@pytest.mark.parametrize("answer", [[0, 0], [np.nan, 0, 0], "x", 3])
def test_what_is_not_a_torque_is_refused(answer: Any) -> None:
    with Game(get_spec("hopper")) as game, pytest.raises(AgentError, match="3 finite numbers"):
        game.check_action(answer)


def test_a_game_in_which_nothing_happens_is_ended_as_stalled() -> None:
    class Idle:
        def reset(self, env: Any = None) -> None: ...

        def act(self, observation: Any) -> int:
            return NOOP

    with Game(get_spec("breakout")) as game:
        rollout = Rollout(game, Idle())
        rollout.begin()
        while rollout.phase is Phase.PLAYING:
            rollout.tick()
    assert rollout.outcome == "stalled"
    assert rollout.ticks == 3_600


def test_episode_seeds_are_distinct_over_runs_and_episodes() -> None:
    seeds = {episode_seed(seed, k) for seed in range(50) for k in range(50)}
    assert len(seeds) == 2_500


@pytest.mark.parametrize("limits", [{}, {"episodes": 1, "seconds": 1.0}, {"episodes": 0}, {"seconds": -1.0}])
def test_recording_needs_one_sensible_limit(tmp_path: Any, limits: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        record("hopper", RandomAgent(get_spec("hopper")), library=tmp_path, **limits)
    assert list(tmp_path.iterdir()) == []


class FakeClock:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


def test_pacing_keeps_sixty_hertz_whatever_the_wake_ups_jitter() -> None:
    clock = FakeClock()
    pacer = Pacer(60.0, clock)
    rng = np.random.default_rng(0)
    while clock.now < 10_000_000_000:
        clock.now += int(rng.integers(1_000_000, 6_000_000))
        while pacer.due():
            pass
    assert abs(pacer.ticks - 600) <= 1
    assert pacer.stalls == 0


def test_timing_tells_jitter_from_pauses_and_slow_motion() -> None:
    clock = FakeClock()
    pacer = Pacer(60.0, clock)
    ticks: list[tuple[int, int, int]] = []

    def play(count: int, lateness_ns: int, speed: int) -> None:
        for _ in range(count):
            clock.now += pacer.wait_ns() + lateness_ns
            assert pacer.due()
            ticks.append((clock.now, pacer.due_ns, speed))

    play(100, 1_000_000, 100)
    play(1, 9_000_000, 100)  # late, but within its tick
    play(100, 1_000_000, 100)
    clock.now += 5_000_000_000  # a pause
    pacer.restart()
    play(100, 1_000_000, 100)
    ticks.append((clock.now, clock.now, 0))  # a single tick
    pacer.set_rate(30.0)
    play(50, 1_000_000, 50)
    time_ns, due_ns, speed = (np.array(column) for column in zip(*ticks, strict=True))
    timing = measure(time_ns, due_ns, speed.astype(np.uint8), 60.0)
    assert timing is not None
    assert timing.rate_hz == pytest.approx(60.0, abs=0.01)
    assert timing.p50_ms == pytest.approx(1000 / 60, abs=0.01)
    assert timing.max_ms == pytest.approx(1000 / 60 + 8, abs=0.01)
    assert (timing.ticks, timing.late_ticks, timing.slow_ticks, timing.single_ticks) == (351, 1, 50, 1)


def test_of_slow_motion_alone_only_the_late_ticks_are_told() -> None:
    due_ns = np.arange(1, 31, dtype=np.int64) * 50_000_000
    time_ns = due_ns + np.where(np.arange(30) == 7, 9_000_000, 0)
    timing = measure(time_ns, due_ns, np.full(30, 33, np.uint8), 60.0)
    assert timing is not None
    assert (timing.rate_hz, timing.max_ms, timing.ticks, timing.slow_ticks) == (0.0, 0.0, 30, 30)
    assert str(timing) == "1 late tick"


def test_without_a_clock_there_is_no_timing(tmp_path: Path) -> None:
    session = record("hopper", RandomAgent(get_spec("hopper")), library=tmp_path, seconds=0.1)
    assert session.timing is None
    assert not session.due_ns.any()


def test_a_stall_rebases_the_schedule_instead_of_catching_up() -> None:
    clock = FakeClock()
    pacer = Pacer(60.0, clock)
    clock.now = 2_000_000_000
    assert pacer.due()
    assert not pacer.due()
    assert (pacer.stalls, pacer.late_ticks) == (1, 1)
    assert pacer.wait_ns() == pytest.approx(1e9 / 60, abs=1)


def steered(library: Path, plan: list[tuple[str, int]], seed: int = 3) -> tuple[Session, list[int]]:
    """A recording by a scripted player that is told to play and to rewind; with the game's tick after each step."""
    where = []
    with Game(get_spec("breakout")) as game:
        agent = scripted("breakout", seed)
        writer = SessionWriter(library, game, describe(agent), seed=seed)
        rollout = Rollout(game, agent, seed=seed, sink=writer, rewindable=True)
        rollout.begin()
        for what, ticks in plan:
            if what == "play":
                for _ in range(ticks):
                    rollout.tick()
            else:
                rollout.rewind(ticks, keep=what == "keep")
            where.append(rollout.ticks)
        rollout.end()
        return writer.close(), where


def test_in_real_time_complete_chunks_are_half_as_large_and_hold_the_same(tmp_path: Path) -> None:
    sizes, sessions = {}, []
    for real_time in (False, True):
        with Game(get_spec("breakout")) as game:
            agent = scripted("breakout", 3)
            writer = SessionWriter(tmp_path / str(real_time), game, describe(agent), seed=3, real_time=real_time)
            rollout = Rollout(game, agent, seed=3, sink=writer)
            rollout.begin()
            for tick in range(1_800):
                rollout.tick()
                while tick % 60 == 59 and len([*(writer.path / "screen").glob("c.*")]) < tick // 60:
                    time.sleep(0.002)  # the writer is not behind, as in real time
            rollout.end()
            sessions.append(writer.close())
        sizes[real_time] = sum(chunk.stat().st_size for chunk in (sessions[-1].path / "screen").iterdir())
    assert sizes[True] < 0.65 * sizes[False]
    np.testing.assert_array_equal(sessions[0].screens(0, 1_800), sessions[1].screens(0, 1_800))
    assert verify(sessions[1]).ok


def test_colouring_screens_looks_each_index_up(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    palette = rng.integers(0, 256, (256, 3), dtype=np.uint8)
    for shape in ((0, 210, 160), (210, 160), (1, 3, 5), (2, 70, 7, 9)):
        screens = rng.integers(0, 256, shape, dtype=np.uint8)
        for given in (screens, screens[..., ::-1]):
            np.testing.assert_array_equal(colour(given, palette), palette[given])


def test_a_rewound_game_keeps_its_certificate_and_counts_once(tmp_path: Path) -> None:
    session, where = steered(tmp_path, [("play", 500), ("rewind", 130), ("play", 300), ("keep", 60), ("play", 400)])
    assert where == [500, 370, 670, 610, 1_010]
    assert [(e.start, e.stop, e.parent, e.excluded) for e in session.episodes] == [
        (0, 370, -1, False),
        (370, 500, 0, True),
        (500, 740, 0, False),
        (740, 800, 2, False),
        (800, 1_200, 2, False),
    ]
    certificate = verify(session)
    assert certificate.ok, certificate.difference
    assert certificate.ticks == 1_200
    played = [*range(370), *range(500, 740), *range(800, 1_200)]
    assert session.scores == [pytest.approx(session.rewards[played].sum())]
    final = session.final_observation(0)
    assert final is not None
    np.testing.assert_array_equal(final, session.frames[370])


def test_two_rewinds_in_a_row_go_back_further_and_a_game_may_end_there(tmp_path: Path) -> None:
    session, where = steered(tmp_path, [("play", 600), ("rewind", 180), ("rewind", 180)])
    assert where == [600, 420, 240]
    assert [(e.start, e.stop, e.excluded) for e in session.episodes] == [(0, 240, False), (240, 600, True)]
    assert session.scores == [pytest.approx(session.rewards[:240].sum())]
    assert verify(session).ok


def test_a_rewind_goes_back_beyond_the_one_before_it(tmp_path: Path) -> None:
    plan = [("play", 500), ("rewind", 130), ("play", 300), ("rewind", 400), ("play", 100)]
    session, where = steered(tmp_path, plan)
    assert where == [500, 370, 670, 270, 370]
    assert [(e.start, e.stop, e.parent, e.parent_tick, e.excluded, e.outcome) for e in session.episodes] == [
        (0, 270, -1, -1, False, "rewound"),
        (270, 370, 0, 270, True, "rewound"),
        (370, 500, 1, 370, True, "rewound"),
        (500, 800, 1, 370, True, "rewound"),
        (800, 900, 0, 270, False, "stopped"),
    ]
    certificate = verify(session)
    assert certificate.ok, certificate.difference
    assert session.scores == [pytest.approx(session.rewards[[*range(270), *range(800, 900)]].sum())]


def test_a_rewound_game_is_one_game_and_its_label_is_of_all_of_it(tmp_path: Path) -> None:
    plan = [("play", 500), ("rewind", 130), ("play", 300), ("keep", 400), ("play", 100)]
    session, where = steered(tmp_path, plan)
    (game,) = session.recorded_games
    assert (game.number, game.ticks, game.outcome, game.excluded) == (1, where[-1], "stopped", False)
    assert [episode.index for episode in game.line] == [0, 4]
    assert [episode.excluded for episode in game.undone] == [False, True, False]
    assert game.line_ticks.tolist() == [*range(270), *range(800, 900)]
    edit(session.path, labels=of_games(session, {1: "success"}, undone=True), excluded=of_games(session, {1: True}))
    session = Session.open(session.path)
    assert {episode.label for episode in session.episodes} == {"success"}
    assert [episode.excluded for episode in session.episodes] == [True, False, True, False, True]
    summary = session.summary()
    assert (summary["episodes"], summary["labels"]) == (1, {"success": 1, "failure": 0})
    with pytest.raises(UsageError, match="has no game 2; choose from 1 to 1"):
        session.game(2)


def test_a_game_that_was_killed_right_after_a_rewind_is_still_a_game(tmp_path: Path) -> None:
    session, _ = steered(tmp_path, [("play", 300), ("rewind", 60), ("play", 5)])
    table = [replace(episode, outcome="rewound") for episode in session.episodes[:2]]
    (game,) = recorded_games(table)
    assert (game.ticks, game.score) == (240, table[0].total_reward)


def test_a_rewind_goes_back_to_the_first_tick_from_wherever(tmp_path: Path) -> None:
    plan = [("play", 200), ("rewind", 50), ("play", 20), ("rewind", 10), ("keep", 500), ("rewind", 9), ("play", 30)]
    session, where = steered(tmp_path, plan)
    assert where == [200, 150, 170, 160, 1, 1, 31]
    assert verify(session).ok
    assert len(session.scores) == 1
    assert [e.stop for e in session.episodes if not e.excluded and e.outcome != "rewound"] == [len(session)]


@pytest.mark.parametrize("seed", range(6))
def test_however_one_rewinds_the_session_keeps_its_certificate(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = rng.choice(["play", "play", "rewind", "keep"], 14).tolist()
    plan = [("play", 60), *((kind, int(rng.integers(1, 150))) for kind in kinds)]
    session, where = steered(tmp_path, plan, seed)
    certificate = verify(session)
    assert certificate.ok, certificate.difference
    leaf = session.episodes[-1]
    if leaf.outcome == "stopped":
        line = session.lead_in(leaf)
        assert sum(map(len, line)) + len(leaf) == where[-1]
        ticks = [tick for part in line for tick in part] + [*range(leaf.start, leaf.stop)]
        assert session.scores == [pytest.approx(session.rewards[ticks].sum())]
    assert [e.start for e in session.episodes] == [0, *(e.stop for e in session.episodes[:-1])]
