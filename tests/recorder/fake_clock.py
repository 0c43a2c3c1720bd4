"""A clock that stands until a test moves it, and play at its times."""

from __future__ import annotations

from recorder.recording.presenter import RecordPresenter

TICK_NS = 16_666_667
LEFT_KEY, FIRE_KEY = 1, 2


class FakeClock:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


def play(presenter: RecordPresenter, clock: FakeClock, ticks: int) -> None:
    for _ in range(ticks):
        clock.now += TICK_NS
        presenter.poll()
