"""What the Record page does, without Qt.

         start()         pause() / lost keyboard / cannot be written
IDLE ───────────▶ RECORDING ◀──────────────────────────────▶ PAUSED
 ▲                 │  ▲ next_game()            resume()
 │   stop()        ▼  │
 └──────────── GAME_OVER        any other failure leads to IDLE with `error` set

While a take cannot be written (disk full, folder gone) `trouble` says so and the game waits; writing is tried again and
again, and once it works, `resume()` does, too. A scripted expert waits and goes on by itself.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from recorder.agents import KeyAgent
from recorder.bindings import Bindings, save_bindings
from recorder.envs import EnvSpec, Game, get_spec
from recorder.errors import TwinplayError
from recorder.gamepad import Gamepads
from recorder.library import Library
from recorder.session import Session
from recorder.takes import LiveTake, StagedTake, Take, TakeStatus

REWIND_S = 3.0


class DeskState(Enum):
    """See the module's docstring."""

    IDLE = "idle"
    RECORDING = "recording"
    PAUSED = "paused"
    GAME_OVER = "game over"


class RecordDesk:
    """`bindings` say which key plays which action; `bindings_file` is where other ones are kept once chosen."""

    def __init__(
        self,
        library: Path,
        bindings: Bindings,
        *,
        bindings_file: Path | None = None,
        player_name: str = "",
        controllers: Callable[[], Gamepads] | None = Gamepads,
        now: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.library = library
        self.bindings = bindings
        self.keys = KeyAgent(bindings.actions, player_name)
        self.state = DeskState.IDLE
        self.env = "breakout"
        self.error = ""
        self.last_take: Path | None = None
        self.last_summary = ""
        self.recovered = False  # there was trouble, and it is over; until play goes on
        self._bindings_file = bindings_file
        self._now = now
        self._take: Take | None = None
        self._discarded: Path | None = None
        self._controllers = controllers() if controllers is not None else None
        self._poster: TakeStatus | None = None

    @property
    def spec(self) -> EnvSpec:
        """The chosen environment."""
        return get_spec(self.env)

    @property
    def by_hand(self) -> bool:
        """Whether a person plays the chosen environment; else its scripted expert demonstrates."""
        return self.spec.discrete

    @property
    def busy(self) -> bool:
        """Whether a take is under way."""
        return self._take is not None

    @property
    def status(self) -> TakeStatus | None:
        """What the take shows; before one, the first screen of the game where that is to be had at once."""
        if self._take is not None:
            return self._take.status
        if self._poster is None and self.by_hand:
            with Game(self.spec) as game:
                game.reset(0)
                self._poster = TakeStatus(game.picture(), 0.0, game.lives, 0, 0, False, 0)
        return self._poster

    def choose(self, env: str) -> None:
        """Another environment, between takes."""
        if not self.busy and env != self.env:
            self.env, self._poster = env, None

    def rebind(self, bindings: Bindings) -> None:
        """Play with other keys from now on, and keep them; between takes."""
        if self.busy:
            return
        self.bindings, self.keys.bindings, self.error = bindings, bindings.actions, ""
        if self._bindings_file is not None:
            try:
                save_bindings(self._bindings_file, bindings, self.spec.action_names)
            except TwinplayError as error:
                self.error = str(error)

    def start(self) -> None:
        """Begin a take."""
        if self.busy:
            return
        self.error, self.last_take, self.last_summary, self.recovered = "", None, "", False
        seed = time.time_ns() & 0x7FFFFFFF
        try:
            if self.by_hand:
                self._take = LiveTake(
                    self.env,
                    self.keys,
                    self.library,
                    seed=seed,
                    key_names=dict(self.bindings.names),
                    before_tick=self._poll_controllers,
                    now=self._now,
                )
            else:
                self._take = StagedTake(self.env, self.library, seed=seed, now=self._now)
            self.state = DeskState.RECORDING
        except TwinplayError as error:
            self._fail(error)

    @property
    def wait_ns(self) -> int | None:
        """Nanoseconds until a tick of the player's is due; None while none is."""
        return self._take.wait_ns if self._take is not None else None

    def poll(self) -> bool:
        """Advance the take; returns whether there is something new to show."""
        if self._take is None:
            return False
        before = self.trouble
        try:
            fresh = self._take.poll()
        except TwinplayError as error:
            self._fail(error)
            return True
        if self.trouble and self.by_hand:
            self.pause()
        elif before and not self.trouble:
            self.recovered = True
        if self._take.status.game_over:
            self.state = DeskState.GAME_OVER
        return fresh

    @property
    def trouble(self) -> str:
        """Why the take cannot be written at the moment, what that means and what to do; empty while it can."""
        reason = self._take.status.trouble if self._take is not None else ""
        remedy = "The game waits, and nothing is lost: make room there, or bring the folder back"
        return f"{reason}. {remedy}" if reason else ""

    def press(self, code: int) -> bool:
        """A key went down; returns whether it means something to the game."""
        return self.keys.press(code, self._now())

    def release(self, code: int, ago_ns: int = 0) -> bool:
        """A key went up, so many nanoseconds ago."""
        return self.keys.release(code, self._now() - ago_ns)

    def lose_keyboard(self) -> None:
        """The window is no longer the active one: no key is held, and the game waits."""
        self.keys.release_all(self._now())
        if self.by_hand:
            self.pause()

    def pause(self) -> None:
        """Hold the game."""
        if self._take is not None and self.state is DeskState.RECORDING:
            self.keys.release_all(self._now())
            self._take.pause()
            self.state = DeskState.PAUSED

    def resume(self) -> None:
        """Go on after a pause, unless there is `trouble`."""
        if self._take is not None and self.state is DeskState.PAUSED and not self.trouble:
            self._take.resume()
            self.state, self.recovered = DeskState.RECORDING, False

    def change_speed(self, steps: int) -> None:
        """Slower (negative) or faster by so many of the take's speeds; the next take begins at full speed."""
        if self._take is not None:
            speeds = self._take.speeds
            index = speeds.index(self._take.status.speed) + steps
            self._take.set_speed(speeds[min(max(index, 0), len(speeds) - 1)])

    def advance(self) -> None:
        """While the game is held, play a single tick."""
        if self._take is None or self.state is not DeskState.PAUSED or not self.by_hand:
            return
        try:
            self._take.advance()
        except TwinplayError as error:
            self._fail(error)
            return
        if self._take.status.game_over:
            self.state = DeskState.GAME_OVER

    def rewind(self, keep: bool = False) -> None:
        """Go back a few seconds in the game and hold it there; `keep` lets what was undone count as play."""
        if self._take is None or not self.by_hand or self.state not in (DeskState.RECORDING, DeskState.PAUSED):
            return
        self.pause()
        try:
            self._take.rewind(REWIND_S, keep)
        except TwinplayError as error:
            self._fail(error)

    def mark(self, label: str) -> None:
        """Label the game under way, or just over, "success" or "failure"; the same label again takes it off."""
        if self._take is None:
            return
        try:
            self._take.mark("" if self._take.status.label == label else label)
        except TwinplayError as error:
            self._fail(error)

    def next_game(self) -> None:
        """After a game is over, play another in the same take."""
        if self._take is not None and self.state is DeskState.GAME_OVER and not self.trouble:
            self._take.next_game()
            self.state, self.recovered = DeskState.RECORDING, False

    def stop(self) -> None:
        """Finish the take and keep it."""
        take, self._take, self.state = self._take, None, DeskState.IDLE
        if take is None:
            return
        try:
            self.last_take = take.stop()
            self.last_summary = _summary(self.last_take)
        except TwinplayError as error:
            self.error = str(error)

    def discard(self) -> None:
        """Move the take under way, or else the last one, to the library's trash; `undo_discard` brings it back."""
        if self.busy:
            self.stop()
        path, self.last_take = self.last_take, None
        if path is None:
            return
        try:
            self._discarded = Library(self.library).trash(path.name)
            self.last_summary = "Discarded. Ctrl+Z brings it back."
        except TwinplayError as error:
            self.error = str(error)

    @property
    def can_undo(self) -> bool:
        """Whether a discarded take can be brought back."""
        return self._discarded is not None and not self.busy

    def undo_discard(self) -> None:
        """Bring the take back that was discarded last."""
        if self._discarded is None or self.busy:
            return
        trashed, self._discarded = self._discarded, None
        try:
            self.last_take = Library(self.library).restore(trashed)
            self.last_summary = _summary(self.last_take)
        except TwinplayError as error:
            self.error = str(error)

    def restart(self) -> None:
        """Discard the take under way and begin another."""
        if self.busy:
            self.discard()
            self.start()

    def shutdown(self) -> None:
        """The window closes: keep what was played."""
        self.stop()
        if self._controllers is not None:
            self._controllers.close()
            self._controllers = None

    def _poll_controllers(self) -> None:
        if self._controllers is not None:
            for code, down in self._controllers.poll():
                (self.press if down else self.release)(code)

    def _fail(self, error: TwinplayError) -> None:
        take, self._take, self.state = self._take, None, DeskState.IDLE
        self.error = str(error)
        if take is not None:
            with contextlib.suppress(TwinplayError):  # the first failure is the one to tell
                self.last_take = take.stop()


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def _summary(path: Path | None) -> str:
    if path is None:
        return "Nothing was played, so nothing was kept."
    session = Session.open(path)
    scores = session.games
    games = "1 game" if len(scores) == 1 else f"{len(scores)} games"
    best = "score" if len(scores) == 1 else "best score"
    minutes, seconds = divmod(round(session.duration_s), 60)
    clock = f"\n{session.timing}" if session.timing is not None else ""
    return f"{games}, {minutes}:{seconds:02d} of play, {best} {max(scores):,.0f}, {_size(session.size_bytes)}{clock}"
