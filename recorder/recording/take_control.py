"""The take under way: count it down, hold it, let it go on, step, rewind and mark it.

       open()            3, 2, 1             pause() / lost keyboard / cannot be written
IDLE ─────────▶ COUNTDOWN ──────▶ RECORDING ◀──────────────────────────────▶ PAUSED
 ▲                                 │  ▲ next_game()            resume()
 │          let_go()               ▼  │
 └── FINISHING ◀─────────────── GAME_OVER        any other failure leads to IDLE

While a take cannot be written (disk full, folder gone) `trouble` says so and the game waits; writing is tried again and
again, and once it works, `resume()` does, too. A scripted expert waits and goes on by itself, and needs no count-down.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from recorder.agents.agent import KeyAgent
from recorder.agents.controls import Controls
from recorder.errors import TwinplayError
from recorder.recording.game_sound import GameSound
from recorder.recording.recordings import Recording
from recorder.system.jobs import Task

REWIND_S = 3.0


class RecordState(Enum):
    """See the module's docstring."""

    IDLE = "idle"
    COUNTDOWN = "countdown"
    RECORDING = "recording"
    PAUSED = "paused"
    GAME_OVER = "game over"
    FINISHING = "finishing"


class TakeControl:
    """Controls `recording`, which is None without a take and while one is being begun.

    A person gets `countdown_s` seconds to find the keys before a take begins. `fail` is told why a take failed; whoever
    is told lets go of it.
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
        self._keys, self._controls, self._sound = keys, controls, sound
        self._countdown_ns = round(countdown_s * 1e9)
        self._go_ns = 0  # when the count-down ends
        self._now, self._fail = now, fail
        self._by_hand = True
        self._opening: Task | None = None
        self._wishes: list[Callable[[], None]] = []  # what is to be done with the take that is being begun

    @property
    def busy(self) -> bool:
        """Whether a take is under way, or just being begun."""
        return self.opening or self.recording is not None

    @property
    def opening(self) -> bool:
        """Whether a take is being begun."""
        return self._opening is not None

    @property
    def countdown(self) -> int:
        """Seconds until the take begins, counted 3, 2, 1; 0 when none is counted."""
        left = self._go_ns - self._now() if self.state is RecordState.COUNTDOWN else 0
        return max(0, -(-left // 1_000_000_000))

    @property
    def trouble(self) -> str:
        """Why the take cannot be written at the moment, what that means and what to do; empty while it can."""
        reason = self.recording.status.trouble if self.recording is not None else ""
        remedy = "The game is paused and nothing is lost; free some disk space, or restore the folder"
        return f"{reason}. {remedy}" if reason else ""

    @property
    def wait_ns(self) -> int | None:
        """Nanoseconds until a tick of the player's is due; None while none is."""
        return self.recording.wait_ns if self.recording is not None else None

    def demonstrate(self, recording: Recording) -> None:
        """A scripted expert plays, from now on."""
        self.recording, self.state, self._by_hand = recording, RecordState.RECORDING, False
        self.recovered = self.lost_keyboard = False

    def open(self, opening: Task) -> None:
        """A take by hand is being begun; the count-down runs meanwhile."""
        self._opening, self._by_hand = opening, True
        self.state, self._go_ns = RecordState.COUNTDOWN, self._now() + self._countdown_ns
        self.recovered = self.lost_keyboard = False

    def join_opening(self) -> None:
        """Wait for the take that is being begun, if one is."""
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
        wishes, self._wishes = self._wishes, []
        for wish in wishes:
            wish()

    def once_begun(self, wish: Callable[[], None]) -> bool:
        """Whether a take is being begun: then the wish is served when it is there."""
        if self.opening:
            self._wishes.append(wish)
        return self.opening

    def poll(self) -> bool:
        """Advance the take; returns whether there is something new to show."""
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
        except TwinplayError as error:
            self._fail(str(error))
            return True
        if self.trouble and self._by_hand:
            self.pause()
        elif before and not self.trouble:
            self.recovered = True
        if self.recording.status.game_over:
            self.state = RecordState.GAME_OVER
        return fresh

    def lose_keyboard(self) -> None:
        """The window is no longer the active one: no key is held, and the game waits."""
        self._controls.lose_keyboard()
        self._keys.release_all(self._now())
        if self._by_hand and self.state in (RecordState.COUNTDOWN, RecordState.RECORDING):
            self.pause()
            self.lost_keyboard = True

    def pause(self) -> None:
        """Hold the game; one that is being begun, as soon as it is there."""
        if self.once_begun(self.pause):
            return
        if self.recording is not None and self.state in (RecordState.COUNTDOWN, RecordState.RECORDING):
            self._keys.release_all(self._now())
            self.recording.pause()
            self.state = RecordState.PAUSED
            self._sound.silence()

    def resume(self) -> None:
        """Go on after a pause, unless there is `trouble`; keys that are still down count as held again."""
        if self.recording is not None and self.state is RecordState.PAUSED and not self.trouble:
            self._go()
            self.recovered = self.lost_keyboard = False

    def change_speed(self, steps: int) -> None:
        """Slower (negative) or faster by so many of the take's speeds; the next take begins at full speed."""
        if self.recording is not None:
            speeds = self.recording.speeds
            index = speeds.index(self.recording.status.speed) + steps
            self.recording.set_speed(speeds[min(max(index, 0), len(speeds) - 1)])

    def advance(self) -> None:
        """While the game is held, play a single tick."""
        if self.recording is None or self.state is not RecordState.PAUSED or not self._by_hand:
            return
        self._controls.begin_play()
        try:
            self.recording.advance()
        except TwinplayError as error:
            self._fail(str(error))
            return
        if self.recording.status.game_over:
            self.state = RecordState.GAME_OVER

    def rewind(self, keep: bool = False) -> None:
        """Go back a few seconds in the game and hold it there; `keep` lets what was undone count as play."""
        playing = self.state in (RecordState.RECORDING, RecordState.PAUSED)
        if self.recording is None or not self._by_hand or not playing:
            return
        self.pause()
        try:
            self.recording.rewind(REWIND_S, keep)
        except TwinplayError as error:
            self._fail(str(error))

    def mark(self, label: str) -> None:
        """Label the game under way, or just over, "success" or "failure"; the same label again takes it off."""
        if self.recording is None:
            return
        try:
            self.recording.mark("" if self.recording.status.label == label else label)
        except TwinplayError as error:
            self._fail(str(error))

    def next_game(self) -> None:
        """After a game is over, play another in the same take."""
        if self.recording is not None and self.state is RecordState.GAME_OVER and not self.trouble:
            self._controls.begin_play()
            self.recording.next_game()
            self.state, self.recovered = RecordState.RECORDING, False

    def let_go(self, state: RecordState) -> Recording | None:
        """Leave the take to whoever finishes it; `state` is what follows."""
        recording, self.recording, self.state = self.recording, None, state
        self._wishes = []
        return recording

    def _go(self) -> None:
        assert self.recording is not None
        self._controls.begin_play()
        self.recording.resume()
        self.state = RecordState.RECORDING
