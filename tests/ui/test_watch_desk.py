from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from player.duel import Duel
from player.scene import DuelFrame
from player.watch_desk import WatchDesk, WatchState
from recorder import Library, RandomAgent, get_spec, record
from recorder.jobs import WorkerError


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
            self.duel = Duel(args[0], None, episode=args[2], render=False)
            return self.duel.frame()
        assert self.duel is not None
        answer: DuelFrame = getattr(self.duel, method)(*args)
        return answer


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
def desk(library: Library, service: LocalService, clock: Clock) -> WatchDesk:
    desk = WatchDesk(library, start_service=lambda: service, now=clock)
    desk.refresh()
    desk.choose_defaults()
    desk.open()
    desk.poll()
    return desk


def run(desk: WatchDesk, clock: Clock, seconds: float) -> None:
    for _ in range(round(seconds * 100)):
        clock.now += 0.01
        desk.poll()


def test_opening_shows_the_first_moment_and_waits(desk: WatchDesk) -> None:
    assert desk.state is WatchState.PAUSED
    assert desk.frame is not None
    assert desk.frame.tick == 0


@pytest.mark.parametrize("speed", [0.25, 1.0, 4.0])
def test_a_second_of_the_clock_plays_a_second_of_the_game_times_the_speed(
    desk: WatchDesk, clock: Clock, speed: float
) -> None:
    desk.set_speed(speed)
    desk.toggle()
    run(desk, clock, 0.9)
    assert desk.frame is not None
    assert desk.frame.tick == pytest.approx(0.9 * 60 * speed, abs=4)


def test_pausing_holds_the_moment_and_playing_goes_on_from_it(desk: WatchDesk, clock: Clock) -> None:
    desk.toggle()
    run(desk, clock, 0.5)
    desk.toggle()
    run(desk, clock, 0.1)
    assert desk.frame is not None
    held = desk.frame.tick
    run(desk, clock, 5)
    assert desk.frame.tick == held
    desk.toggle()
    run(desk, clock, 0.5)
    assert desk.frame.tick == pytest.approx(held + 30, abs=2)


def test_a_stalled_worker_slows_the_game_down_instead_of_making_it_jump(desk: WatchDesk, clock: Clock) -> None:
    desk.toggle()
    clock.now += 30
    desk.poll()
    desk.poll()
    assert desk.frame is not None
    assert desk.frame.tick <= 15


def test_at_the_end_it_says_what_happened_and_space_starts_again(desk: WatchDesk, clock: Clock) -> None:
    desk.toggle()
    run(desk, clock, 6)
    assert desk.state is WatchState.OVER
    assert desk.frame is not None
    assert desk.frame.verdict.startswith("Random player scored")
    desk.toggle()
    desk.poll()
    assert desk.state is WatchState.PLAYING
    assert desk.frame.tick < 10


def test_restart_passes_over_the_answer_that_was_under_way(desk: WatchDesk, clock: Clock) -> None:
    desk.toggle()
    run(desk, clock, 1)
    clock.now += 0.1
    desk.poll()
    desk.restart()
    desk.poll()
    assert desk.frame is not None
    assert desk.frame.tick == 0


def test_a_dead_worker_becomes_a_sentence_and_play_opens_again(
    desk: WatchDesk, service: LocalService, clock: Clock
) -> None:
    service.failure = "the process ended unexpectedly (signal 9)"
    desk.poll()
    assert desk.state is WatchState.FAILED
    assert "signal 9" in desk.error
    service.failure = ""
    desk.toggle()
    desk.poll()
    assert desk.state is WatchState.PLAYING
    assert desk.error == ""


def test_closing_ends_the_worker(desk: WatchDesk, service: LocalService) -> None:
    desk.close()
    assert service.closed
    assert desk.state is WatchState.EMPTY


def test_an_empty_library_offers_nothing(tmp_path: Path) -> None:
    desk = WatchDesk(Library(tmp_path), start_service=LocalService)
    desk.refresh()
    desk.choose_defaults()
    desk.open()
    assert (desk.state, desk.nothing_to_watch) == (WatchState.EMPTY, "sessions")


def test_of_many_wishes_in_a_row_only_the_first_and_the_last_are_asked_for(
    desk: WatchDesk, service: LocalService
) -> None:
    for tick in range(10, 60):
        desk.seek(tick)
    assert service.asked == [("seek", (10,))]
    desk.poll()
    assert service.asked == [("seek", (59,))]
    desk.poll()
    assert desk.frame is not None
    assert desk.frame.tick == 59
    assert desk.state is WatchState.PAUSED


def test_going_elsewhere_holds_the_game_and_steps_count_from_there(desk: WatchDesk, clock: Clock) -> None:
    desk.toggle()
    run(desk, clock, 0.5)
    desk.seek(100)
    assert desk.state is WatchState.PAUSED
    desk.step(-3)
    desk.step(1)
    run(desk, clock, 0.1)
    assert desk.frame is not None
    assert desk.frame.tick == 98
    desk.toggle()
    run(desk, clock, 0.5)
    assert desk.frame.tick == pytest.approx(128, abs=3)


def test_speed_stays_within_what_is_offered(desk: WatchDesk) -> None:
    for _ in range(9):
        desk.faster()
    assert desk.speed == 8.0
    for _ in range(9):
        desk.faster(-1)
    assert desk.speed == 0.1
