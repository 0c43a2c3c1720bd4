from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from player.watch.background import BackgroundJobState
from player.watch.duel import Duel
from player.watch.frames import DuelFrame
from player.watch.presenter import WatchPresenter, WatchState
from recorder import Library, RandomAgent, get_spec, record
from recorder.system.jobs import WorkerError
from tests.player.conftest import untrained
from trainer import Policy, PolicyError
from trainer.evaluation.agreement import Agreement, Comparison
from trainer.evaluation.alike import Alike
from trainer.evaluation.scores import GameResult
from trainer.policy.action_selection import ActionSelection
from trainer.policy.hand import Pull
from trainer.policy.policy_file import save_policy
from trainer.runs.policy_library import Policies


class LocalService:
    """Answers at the next poll what a worker process would, without one."""

    def __init__(self) -> None:
        self.duel: Duel | None = None
        self.asked: list[tuple[str, Any]] = []
        self.failure = ""
        self.closed = False

    def request(self, method: str, *args: Any) -> None:
        self.asked.append((method, args))

    def poll(self) -> list[tuple[str, Any]]:
        if self.failure:
            raise WorkerError(self.failure)
        answers = [(method, self._answer(method, args)) for method, args in self.asked]
        self.asked = []
        return answers

    def close(self) -> None:
        self.closed = True
        if self.duel is not None:
            self.duel.close()

    def _answer(self, method: str, args: tuple[Any, ...]) -> DuelFrame:
        if method == "open":
            self.opened = args
            self.duel = Duel(args[0], None, game=args[2], render=False)
            return self.duel.frame()
        assert self.duel is not None
        answer: DuelFrame = getattr(self.duel, method)(*args)
        return answer


class FakeBackgroundJob:
    """Notes what it is to do; says what it is told to say."""

    def __init__(self, target: str, *, cleans_up: bool = False) -> None:
        self.target, self.cleans_up = target, cleans_up
        self.state, self.record, self.error = BackgroundJobState.IDLE, None, ""
        self.wish: dict[str, Any] | None = None
        self.closed = False
        self._news = False

    @property
    def running(self) -> bool:
        return self.state is BackgroundJobState.RUNNING

    def start(self, **arguments: Any) -> None:
        self.wish, self.record, self.state = arguments, None, BackgroundJobState.RUNNING

    def say(self, record: Any, state: BackgroundJobState = BackgroundJobState.RUNNING) -> None:
        self.record, self.state, self._news = record, state, True

    def poll(self) -> bool:
        news, self._news = self._news, False
        return news

    def cancel(self) -> None:
        self.state = BackgroundJobState.IDLE

    def close(self) -> None:
        self.closed = True


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    path: Path = tmp_path_factory.mktemp("watch")
    record("breakout", RandomAgent(get_spec("breakout"), 1), library=path, seconds=4, seed=3)
    return Library(path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service() -> LocalService:
    return LocalService()


@pytest.fixture
def presenter(library: Library, service: LocalService, clock: Clock) -> WatchPresenter:
    presenter = WatchPresenter(library, start_service=lambda: service, start_background=FakeBackgroundJob, now=clock)
    presenter.refresh()
    presenter.pair.choose_defaults()
    presenter.open()
    presenter.poll()
    return presenter


def run(presenter: WatchPresenter, clock: Clock, seconds: float) -> None:
    for _ in range(round(seconds * 100)):
        clock.now += 0.01
        presenter.poll()


def test_opening_shows_the_first_moment_and_waits(presenter: WatchPresenter) -> None:
    assert presenter.state is WatchState.PAUSED
    assert presenter.frame is not None
    assert presenter.frame.tick == 0


@pytest.mark.parametrize("speed", [0.25, 1.0, 4.0])
def test_a_second_of_the_clock_plays_a_second_of_the_game_times_the_speed(
    presenter: WatchPresenter, clock: Clock, speed: float
) -> None:
    presenter.set_speed(speed)
    presenter.toggle()
    run(presenter, clock, 0.9)
    assert presenter.frame is not None
    assert presenter.frame.tick == pytest.approx(0.9 * 60 * speed, abs=4)


def test_pausing_holds_the_moment_and_playing_goes_on_from_it(presenter: WatchPresenter, clock: Clock) -> None:
    presenter.toggle()
    run(presenter, clock, 0.5)
    presenter.toggle()
    run(presenter, clock, 0.1)
    assert presenter.frame is not None
    held = presenter.frame.tick
    run(presenter, clock, 5)
    assert presenter.frame.tick == held
    presenter.toggle()
    run(presenter, clock, 0.5)
    assert presenter.frame.tick == pytest.approx(held + 30, abs=2)


def test_a_stalled_worker_slows_the_game_down_instead_of_making_it_jump(
    presenter: WatchPresenter, clock: Clock
) -> None:
    presenter.toggle()
    clock.now += 30
    presenter.poll()
    presenter.poll()
    assert presenter.frame is not None
    assert presenter.frame.tick <= 15


def test_at_the_end_it_says_what_happened_and_space_starts_again(presenter: WatchPresenter, clock: Clock) -> None:
    presenter.toggle()
    run(presenter, clock, 6)
    assert presenter.state is WatchState.OVER
    assert presenter.frame is not None
    assert presenter.frame.verdict.startswith("The random player scored")
    presenter.toggle()
    presenter.poll()
    assert presenter.state is WatchState.PLAYING
    assert presenter.frame.tick < 10


def test_restart_passes_over_the_answer_that_was_under_way(presenter: WatchPresenter, clock: Clock) -> None:
    presenter.toggle()
    run(presenter, clock, 1)
    clock.now += 0.1
    presenter.poll()
    presenter.restart()
    presenter.poll()
    assert presenter.frame is not None
    assert presenter.frame.tick == 0


def test_a_dead_worker_becomes_a_sentence_and_play_opens_again(
    presenter: WatchPresenter, service: LocalService, clock: Clock
) -> None:
    service.failure = "the process ended unexpectedly (signal 9)"
    presenter.poll()
    assert presenter.state is WatchState.FAILED
    assert "signal 9" in presenter.error
    service.failure = ""
    presenter.toggle()
    presenter.poll()
    assert presenter.state is WatchState.PLAYING
    assert presenter.error == ""


def test_closing_ends_the_worker(presenter: WatchPresenter, service: LocalService) -> None:
    presenter.close()
    assert service.closed
    assert presenter.state is WatchState.EMPTY


def test_an_empty_library_offers_nothing(tmp_path: Path) -> None:
    presenter = WatchPresenter(Library(tmp_path), start_service=LocalService)
    presenter.refresh()
    presenter.pair.choose_defaults()
    presenter.open()
    assert (presenter.state, presenter.pair.nothing_to_watch) == (WatchState.EMPTY, "sessions")


def test_of_many_wishes_in_a_row_only_the_first_and_the_last_are_asked_for(
    presenter: WatchPresenter, service: LocalService
) -> None:
    for tick in range(10, 60):
        presenter.seek(tick)
    assert service.asked == [("seek", (10,))]
    presenter.poll()
    assert service.asked == [("seek", (59,))]
    presenter.poll()
    assert presenter.frame is not None
    assert presenter.frame.tick == 59
    assert presenter.state is WatchState.PAUSED


def test_going_elsewhere_holds_the_game_and_steps_count_from_there(presenter: WatchPresenter, clock: Clock) -> None:
    presenter.toggle()
    run(presenter, clock, 0.5)
    presenter.seek(100)
    assert presenter.state is WatchState.PAUSED
    presenter.step(-3)
    presenter.step(1)
    run(presenter, clock, 0.1)
    assert presenter.frame is not None
    assert presenter.frame.tick == 98
    presenter.toggle()
    run(presenter, clock, 0.5)
    assert presenter.frame.tick == pytest.approx(128, abs=3)


def test_speed_stays_within_what_is_offered(presenter: WatchPresenter) -> None:
    for _ in range(9):
        presenter.faster()
    assert presenter.speed == 8.0
    for _ in range(9):
        presenter.faster(-1)
    assert presenter.speed == 0.1


def agreement_of(presenter: WatchPresenter, stretches: list[tuple[int, int]]) -> Agreement:
    """An agreement with the recording on show but for these stretches, the surest in the middle of each."""
    assert presenter.frame is not None
    assert presenter.frame.left is not None
    recorded = np.zeros(presenter.frame.left.length, np.int64)
    clone, sure = recorded.copy(), np.full(len(recorded), 0.4, np.float32)
    for start, stop in stretches:
        clone[start:stop] = 2
        sure[(start + stop) // 2] = 0.9
    return Agreement(recorded, clone, sure, ("NOOP", "FIRE", "RIGHT", "LEFT"), 60.0)


@pytest.fixture
def policies(library: Library) -> Iterator[list[Path]]:
    """Policies of both environments, the newest first, whose names say nothing of them."""
    library.policies.mkdir(exist_ok=True)
    names = {"one-breakout": "breakout", "Hoppity": "breakout", "three": "hopper"}
    paths = [untrained(env, library.policies / f"{name}.safetensors") for name, env in names.items()]
    for number, path in enumerate(paths):
        os.utime(path, (1_000 - number, 1_000 - number))
    yield paths
    for path in paths:
        path.unlink()


def knows_two_ways(path: Path, **training: Any) -> Path:
    """The policy file, which now says how it plays like its demonstrator."""
    policy = Policy.load(path)
    selection = ActionSelection(prior=(0.7, 0.01, 0.15, 0.14), pull=Pull())
    alike = Alike(selection, [GameResult(43.0, 100, "game over", "")], 48.25, 0.66).to_json()
    save_policy(path, policy.net, {**policy.header, "alike": alike, "training": {"score_in_play": 71.2} | training})
    return path


@pytest.fixture
def paired(presenter: WatchPresenter, policies: list[Path]) -> WatchPresenter:
    """The presenter with a recording on the left and a policy on the right."""
    presenter.refresh()
    presenter.pair.set_right(policies[0])
    presenter.open()
    presenter.poll()
    return presenter


def test_a_recording_and_a_clone_are_compared_once_they_are_on_show(paired: WatchPresenter) -> None:
    job = paired.comparison.job
    pair = paired.pair
    assert job.target == "trainer.evaluation.agreement:comparing"
    assert job.wish == {"session": str(pair.session), "policy": str(pair.policy), "game": pair.game}
    job.say(Comparison(50, 240))
    assert paired.poll()
    assert paired.comparison.agreement is None
    found = agreement_of(paired, [(50, 60)])
    job.say(Comparison(240, 240, found), BackgroundJobState.DONE)
    paired.poll()
    assert paired.comparison.agreement is found

    job.wish = None  # the same pair again: it is known
    paired.open()
    assert paired.comparison.agreement is None
    paired.poll()
    assert (paired.comparison.agreement, job.wish) == (found, None)


def test_a_recording_alone_and_two_clones_are_not_compared(presenter: WatchPresenter, policies: list[Path]) -> None:
    assert presenter.comparison.job.wish is None
    presenter.refresh()
    presenter.pair.set_left(policies[1])
    presenter.pair.set_right(policies[0])
    presenter.open()
    assert presenter.comparison.job.wish is None


def test_disagreements_are_visited_in_order_and_one_by_one(paired: WatchPresenter) -> None:
    paired.comparison.job.say(
        Comparison(240, 240, agreement_of(paired, [(20, 30), (90, 110), (200, 204)])), BackgroundJobState.DONE
    )
    paired.poll()
    visited = []
    for steps in (1, 1, 1, 1, -1, -1, -1):
        paired.seek_disagreement(steps)
        paired.poll()
        paired.poll()
        assert paired.frame is not None
        visited.append(paired.frame.tick)
    assert visited == [26, 101, 203, 203, 101, 26, 26]
    assert paired.state is WatchState.PAUSED
    paired.seek_disagreement(1)
    paired.seek_disagreement(1)  # faster than the worker answers
    paired.poll()
    paired.poll()
    assert paired.frame is not None
    assert paired.frame.tick == 203


def test_looking_is_asked_for_and_again_at_the_moment_of_a_pause(
    presenter: WatchPresenter, service: LocalService, clock: Clock
) -> None:
    presenter.look(True)
    assert service.asked == [("look", (True,))]
    presenter.poll()
    presenter.toggle()
    run(presenter, clock, 0.3)
    presenter.poll()
    presenter.toggle()
    assert service.asked[-1] == ("look", (True,))
    presenter.poll()
    presenter.look(False)
    assert service.asked[-1] == ("look", (False,))
    presenter.poll()
    presenter.looking = True
    presenter.open()
    presenter.poll()
    assert service.opened[-2:] == (True, False)


def test_a_choice_of_another_environment_brings_what_fits(presenter: WatchPresenter, policies: list[Path]) -> None:
    presenter.refresh()
    pair = presenter.pair
    breakout = pair.session
    pair.set_right(policies[2])
    assert (pair.policy, pair.session) == (policies[2], None)
    pair.set_left(breakout)
    assert (pair.session, pair.policy) == (breakout, policies[0])
    pair.set_left(policies[1])
    assert (pair.left, pair.session, pair.games, pair.policy) == (policies[1], None, [], policies[0])
    pair.set_left(None)
    assert (pair.left, pair.chosen) == (None, True)


def test_what_a_policy_is_of_is_read_from_it_whatever_its_name_and_wherever_it_lies(
    presenter: WatchPresenter, policies: list[Path], tmp_path: Path
) -> None:
    pair, breakout = presenter.pair, presenter.pair.session
    elsewhere = [untrained("breakout", tmp_path / "a-hopper.safetensors")]
    elsewhere.append(untrained("hopper", tmp_path / "new-breakout.safetensors"))
    for policy, fits in ((policies[1], True), (policies[2], False), (elsewhere[0], True), (elsewhere[1], False)):
        assert pair.newest_session(policy) == (breakout if fits else None)
        for refreshed in (False, True):
            pair.set_left(breakout)
            pair.set_right(policy)
            if refreshed:
                presenter.refresh()
            assert (pair.policy, pair.session) == (policy, breakout if fits else None)
            pair.set_left(breakout)
            assert pair.policy == (policy if fits else policies[0])


def test_the_newest_policy_that_can_play_is_opened_first(presenter: WatchPresenter, policies: list[Path]) -> None:
    os.utime(policies[1])
    damaged = presenter.pair.library.policies / "newest-hopper.safetensors"
    damaged.write_bytes(b"no policy")
    try:
        presenter.refresh()
        breakout, presenter.pair.session = presenter.pair.session, None
        assert damaged in [choice.value for choice in presenter.pair.policies]
        presenter.pair.choose_defaults()
        assert (presenter.pair.policy, presenter.pair.session) == (policies[1], breakout)
    finally:
        damaged.unlink()


def test_two_clones_are_opened_without_a_session(
    presenter: WatchPresenter, service: LocalService, policies: list[Path]
) -> None:
    presenter.pair.set_left(policies[0])
    presenter.pair.set_right(policies[0])
    presenter.open()
    assert service.asked[-1] == ("open", (None, str(policies[0]), None, 0, str(policies[0]), False, False))


def test_what_is_watched_is_followed_when_it_is_renamed_deleted_and_restored(
    tmp_path: Path, service: LocalService, clock: Clock
) -> None:
    record("breakout", RandomAgent(get_spec("breakout"), 1), library=tmp_path, seconds=1, seed=3)
    record("breakout", RandomAgent(get_spec("breakout"), 2), library=tmp_path, seconds=1, seed=4)
    library, kept = Library(tmp_path), Policies(tmp_path)
    kept.folder.mkdir()
    untrained("breakout", kept.folder / "first.safetensors")
    presenter = WatchPresenter(library, start_service=lambda: service, start_background=FakeBackgroundJob, now=clock)
    presenter.refresh()
    pair = presenter.pair
    pair.choose_defaults()
    presenter.open()
    presenter.poll()
    assert pair.policy is not None
    assert presenter.state is WatchState.PAUSED
    presenter.seek(20)
    presenter.poll()
    renamed = kept.rename("first", "Hoppity")
    presenter.refresh()
    assert (pair.policy, presenter.state) == (renamed, WatchState.OPENING)
    presenter.poll()
    assert service.opened[1] == str(renamed)
    presenter.poll()
    assert presenter.frame is not None
    assert (presenter.frame.tick, presenter.state) == (20, WatchState.PAUSED)  # where it stood

    trashed = kept.trash("Hoppity")
    presenter.refresh()
    assert (pair.policy, presenter.state, presenter.frame) == (None, WatchState.FAILED, None)
    assert presenter.error == "“Hoppity” was deleted or moved. Choose another above, or restore it."
    kept.restore(trashed)
    presenter.refresh()
    assert (pair.policy, presenter.state, presenter.error) == (renamed, WatchState.OPENING, "")

    session = pair.session
    assert session is not None
    moved = session.rename(tmp_path / "moved.zarr")
    presenter.refresh()
    assert pair.session == moved
    library.trash(moved.name)
    presenter.refresh()
    assert presenter.error.startswith("“Random, 0 points, ")  # as it is called in the lists
    assert presenter.comparison.agreement is None
    pair.set_left(pair.sessions[0].value)
    presenter.refresh()
    presenter.open()
    assert (presenter.state, presenter.error) == (WatchState.OPENING, "")
    presenter.close()


def test_filming_and_scoring_are_of_what_is_on_show(paired: WatchPresenter, tmp_path: Path) -> None:
    session, policy = str(paired.pair.session), str(paired.pair.policy)
    paired.export(tmp_path / "film.gif", start=2.0, seconds=3.0)
    assert paired.filming.cleans_up
    assert paired.filming.wish == {
        "path": str(tmp_path / "film.gif"),
        "session": session,
        "policy": policy,
        "against": None,
        "game": paired.pair.game,
        "alike": False,
        "start": 2.0,
        "seconds": 3.0,
    }
    paired.score(12)
    assert paired.scoring.wish == {"policies": [policy], "session": session, "episodes": 12, "seed": 0, "alike": False}
    paired.close()
    assert all(job.closed for job in (paired.comparison.job, paired.filming, paired.scoring))


def test_a_clone_that_knows_two_ways_is_watched_filmed_and_scored_in_the_one_chosen(
    paired: WatchPresenter, service: LocalService, policies: list[Path], tmp_path: Path
) -> None:
    pair = paired.pair
    assert pair.play_choices == []
    able = knows_two_ways(policies[0])
    pair.refresh()
    assert "“Like its player” 43, the player in whole games 48.\nA" in pair.play_choices_text  # an earlier version's
    knows_two_ways(policies[0], demonstrator_scores=[38.0, 44.0])
    pair.refresh()
    assert [(choice.label, choice.value) for choice in pair.play_choices] == [
        ("Its best · 71", False),
        ("Like its player · 43", True),
    ]
    assert pair.play_choices_text == (
        "In test games of at most 1:40 “Its best” scores 71, “Like its player” 43, the player 41.\nA classifier "
        "tells “Like its player” from the player in 66 % of clips (50 % is chance)."
    )
    name = policies[0].stem
    assert pair.test_games_text.startswith(f"On the Train page {name} has 71: its test games end after ")
    pair.alike = True
    paired.open()
    assert service.asked[-1][1][-1] is True
    paired.export(tmp_path / "film.gif")
    assert paired.filming.wish["alike"] is True
    paired.score(3)
    assert paired.scoring.wish["alike"] is True
    pair.refresh()
    assert pair.alike
    pair.set_right(policies[1])
    assert (pair.alike, pair.play_choices) == (False, [])
    with Duel(None, able, alike=True) as duel:
        assert duel.tick(5).tick == 5
    with pytest.raises(PolicyError, match="cannot play like its demonstrator"):
        Duel(None, policies[1], alike=True)
