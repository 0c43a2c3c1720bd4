"""The current take: countdown, pause, resume, single steps, rewind and labels.

       open()            3, 2, 1             pause() / lost keyboard / cannot be written
IDLE ─────────▶ COUNTDOWN ──────▶ RECORDING ◀──────────────────────────────▶ PAUSED
 ▲                                 │  ▲ next_game()            resume()
 │          let_go()               ▼  │
 └── FINISHING ◀─────────────── GAME_OVER        any other failure leads to IDLE

While a take cannot be written (disk full, folder missing), `trouble` says so and the game is paused; writing is
retried, and once it succeeds, `resume()` works again. A scripted expert pauses and resumes by itself, and has no
countdown.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from enum import Enum

from recorder.agents.agent import KeyAgent
from recorder.agents.controls import Controls
from recorder.errors import TwinplayError
from recorder.recording.game_sound import GameSound
from recorder.recording.recordings import Picture, Recording
from recorder.store.write_errors import remedy
from recorder.system.jobs import Task
from recorder.system.jobs.failures import told

REWIND_S = 3.0


class RecordState(Enum):
    """See the module's docstring."""

    IDLE = "idle"
    COUNTDOWN = "countdown"
    RECORDING = "recording"
    PAUSED = "paused"
    GAME_OVER = "game over"
    FINISHING = "finishing"


class Rewind(Enum):
    """What the last rewind did, until play resumes."""

    NONE = "none"
    DONE = "done"
    AT_START = "at the start of the game"  # nothing: there is no earlier tick


class TakeControl:
    """Controls `recording`, which is None without a take and while one is starting.

    A person gets a countdown of `countdown_s` seconds before a take starts. `fail` is called with the reason if a take
    fails, and must then call `let_go`.
    """

    def __init__(
        self,
        keys: KeyAgent,
        controls: Controls,
        sound: GameSound,
        *,
        countdown_s: float,
        now: Callable[[], int],
        fail: Callable[[str], None],
    ) -> None:
        self.state = RecordState.IDLE
        self.recording: Recording | None = None
        self.recovered = False  # there was trouble, and it is over; until play goes on
        self.lost_keyboard = False  # why it is paused
        self.rewound = Rewind.NONE  # since play stopped
        self._keys, self._controls, self._sound = keys, controls, sound
        self._countdown_ns = round(countdown_s * 1e9)
        self._go_ns = 0  # when the count-down ends
        self._now, self._fail = now, fail
        self._by_hand = True
        self._opening: Task | None = None
        self._postponed: list[Callable[[], None]] = []  # what is to be done with the take that is being begun

    @property
    def busy(self) -> bool:
        """Whether a take is in progress or starting."""
        return self.opening or self.recording is not None

    @property
    def opening(self) -> bool:
        """Whether a take is starting."""
        return self._opening is not None

    @property
    def countdown(self) -> int:
        """Seconds until the take starts: 3, 2, 1; 0 without a countdown."""
        left = self._go_ns - self._now() if self.state is RecordState.COUNTDOWN else 0
        return max(0, -(-left // 1_000_000_000))

    @property
    def trouble(self) -> str:
        """Why the take cannot be written at the moment, and what to do; empty while it can."""
        reason = self.recording.status.trouble if self.recording is not None else ""
        advice = f"The game is paused and nothing is lost; {remedy(reason)}"
        if reason.endswith(os.strerror(errno.ENOENT)):
            advice = "The game is paused; restore the folder to resume, or what was recorded is lost"
        return f"{reason}. {advice}" if reason else ""

    @property
    def complete(self) -> bool:
        """Whether the take has reached its limit and can be finished."""
        return self.recording is not None and self.recording.status.complete and not self.trouble

    @property
    def wait_ns(self) -> int | None:
        """Nanoseconds until the player's next tick is due; None if none is."""
        return self.recording.wait_ns if self.recording is not None else None

    def demonstrate(self, recording: Recording) -> None:
        """Start a take by a scripted expert."""
        self.recording, self.state, self._by_hand = recording, RecordState.RECORDING, False
        self.recovered = self.lost_keyboard = False

    def open(self, opening: Task) -> None:
        """Start a take by a person; the countdown runs meanwhile."""
        self._opening, self._by_hand = opening, True
        self.state, self._go_ns = RecordState.COUNTDOWN, self._now() + self._countdown_ns
        self.recovered = self.lost_keyboard = False

    def join_opening(self) -> None:
        """Wait for a take that is starting, if there is one."""
        opening, self._opening = self._opening, None
        if opening is None:
            return
        opening.join()
        if opening.error:
            self._fail(opening.error)
            return
        self.recording = opening.result
        if not self._countdown_ns:
            self._go()
        postponed, self._postponed = self._postponed, []
        for request in postponed:
            request()

    def once_begun(self, request: Callable[[], None]) -> bool:
        """Whether a take is starting: if so, `request` is called once it has started."""
        if self.opening:
            self._postponed.append(request)
        return self.opening

    def poll(self) -> bool:
        """Advance the take; returns whether there is anything new to show."""
        began = self._opening is not None and self._opening.poll()
        if began:
            self.join_opening()
        if self.recording is None:
            return began
        before = self.trouble
        counted = self.state is RecordState.COUNTDOWN and self._now() >= self._go_ns
        if counted:
            self._go()
        try:
            fresh = self.recording.poll() or began or counted
        except Exception as error:
            self._break_off(error)
            return True
        if self.trouble and self._by_hand:
            self.pause()
        elif before and not self.trouble:
            self.recovered = True
        if self.recording.status.game_over:
            self.state = RecordState.GAME_OVER
        return fresh

    def lose_keyboard(self) -> None:
        """The window is no longer active: release all keys and pause."""
        self._controls.lose_keyboard()
        self._keys.release_all(self._now())
        if self._by_hand and self.state in (RecordState.COUNTDOWN, RecordState.RECORDING):
            self.pause()
            self.lost_keyboard = True

    def pause(self) -> None:
        """Pause the game; if it is starting, once it has started."""
        if self.once_begun(self.pause):
            return
        if self.recording is not None and self.state in (RecordState.COUNTDOWN, RecordState.RECORDING):
            self._keys.release_all(self._now())
            self.recording.pause()
            self.state = RecordState.PAUSED
            self._sound.silence()

    def resume(self) -> None:
        """Resume after a pause, unless there is `trouble`; keys that are still down count as held again."""
        if self.recording is not None and self.state is RecordState.PAUSED and not self.trouble:
            self._go()
            self.recovered = self.lost_keyboard = False

    def change_speed(self, steps: int) -> None:
        """Change the speed by some steps, negative for slower; the next take starts at full speed."""
        if self.recording is not None:
            speeds = self.recording.speeds
            index = speeds.index(self.recording.status.speed) + steps
            self.recording.set_speed(speeds[min(max(index, 0), len(speeds) - 1)])

    def advance(self) -> None:
        """While the game is paused, play a single tick."""
        if self.recording is None or self.state is not RecordState.PAUSED or not self._by_hand:
            return
        self._controls.begin_play()
        try:
            self.recording.advance()
        except Exception as error:
            self._break_off(error)
            return
        if self.recording.status.game_over:
            self.state = RecordState.GAME_OVER

    def rewind(self, keep: bool = False) -> None:
        """Go back a few seconds in the game and pause; with `keep` the undone part still counts as play."""
        playing = self.state in (RecordState.RECORDING, RecordState.PAUSED)
        if self.recording is None or not self._by_hand or not playing:
            return
        self.pause()
        try:
            undone = self.recording.rewind(REWIND_S, keep)
            self.rewound = Rewind.DONE if undone else Rewind.AT_START
            if undone:
                self._sound.tell_rewind()
        except Exception as error:
            self._break_off(error)

    def mark(self, label: str) -> None:
        """Label the current game, or the one just ended, "success" or "failure"; the same label again removes it."""
        if self.recording is None:
            return
        try:
            self.recording.mark("" if self.recording.status.label == label else label)
        except TwinplayError as error:
            self._fail(str(error))

    def next_game(self) -> None:
        """After the end of a game, play another in the same take."""
        if self.recording is not None and self.state is RecordState.GAME_OVER and not self.trouble:
            self._controls.begin_play()
            self.recording.next_game()
            self.state, self.recovered = RecordState.RECORDING, False

    def shown(self, picture: Picture) -> None:
        """This picture was handed over to the window system just now."""
        if self.recording is not None:
            self.recording.shown(picture)

    def let_go(self, state: RecordState) -> Recording | None:
        """Hand the take over to be finished; `state` is the next state."""
        recording, self.recording, self.state = self.recording, None, state
        self._postponed = []
        return recording

    def _break_off(self, error: Exception) -> None:
        """End the take after an error. An unforeseen one is raised again for the log, and ends the take only if game
        and recording no longer agree; otherwise whoever handles it pauses the take.
        """
        expected = isinstance(error, (TwinplayError, MemoryError))
        if expected or (self.recording is not None and self.recording.torn):
            self._fail(told(error) if expected else f"{type(error).__name__}: {error}")
        if not expected:
            raise error

    def _go(self) -> None:
        assert self.recording is not None
        self._controls.begin_play()
        self.recording.resume()
        self.state, self.rewound = RecordState.RECORDING, Rewind.NONE
