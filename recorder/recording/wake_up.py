"""How soon the Record page has something to do: with a take, with a controller, or with a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recorder.recording.race_series import race_of
from recorder.recording.take_control import RecordState

if TYPE_CHECKING:
    from recorder.recording.presenter import RecordPresenter

# For a controller while a person plays and while nobody does, for a process or a thread, and for one to be plugged in.
# Keys do not wait for it.
_STEERED_NS, _CONTROLLER_NS, _IN_PROGRESS_NS, _IDLE_NS = 2_000_000, 16_000_000, 4_000_000, 250_000_000


def wait_ns(presenter: RecordPresenter, margin_ns: int) -> int:
    """How many nanoseconds may pass until the next poll, so that it comes `margin_ns` before the next tick."""
    tick_ns, devices = presenter.take.wait_ns, presenter.controls.devices
    if tick_ns is not None:
        return max(0, min(tick_ns - margin_ns, _STEERED_NS if devices else tick_ns))
    resting = presenter.state in (RecordState.PAUSED, RecordState.GAME_OVER)
    if (presenter.busy and not resting) or presenter.partner.getting_ready or _awaits_result(presenter):
        return _IN_PROGRESS_NS
    return _CONTROLLER_NS if devices else _IDLE_NS


def _awaits_result(presenter: RecordPresenter) -> bool:
    """Whether the person's game is over and the twin comes to its end soon."""
    race = race_of(presenter) if presenter.state is RecordState.GAME_OVER else None
    return race is not None and not race.caught_up
