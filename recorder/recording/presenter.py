"""What the Record page does, without Qt.

       start()           3, 2, 1             pause() / lost keyboard / cannot be written
IDLE ─────────▶ COUNTDOWN ──────▶ RECORDING ◀──────────────────────────────▶ PAUSED
 ▲                                 │  ▲ next_game()            resume()
 │            stop()               ▼  │
 └── FINISHING ◀─────────────── GAME_OVER        any other failure leads to IDLE with `error` set

While a take cannot be written (disk full, folder gone) `trouble` says so and the game waits; writing is tried again and
again, and once it works, `resume()` does, too. A scripted expert waits and goes on by itself, and needs no count-down.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from enum import Enum
from functools import partial
from pathlib import Path

from recorder.agents.agent import KeyAgent
from recorder.agents.bindings import Bindings, load_bindings, save_bindings
from recorder.agents.controls import Controls
from recorder.agents.gamepad import START, Gamepads
from recorder.envs.game import Game
from recorder.envs.registry import env_names, get_spec
from recorder.envs.spec import EnvSpec
from recorder.errors import TwinplayError
from recorder.library.disk_space import free_hours
from recorder.play.sound import Speaker
from recorder.recording.recent import RecentRecording, RecentRecordings, recent_recording, take_summary
from recorder.recording.recordings import LiveRecording, Recording, RecordingStatus, WorkerRecording
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


class RecordPresenter:
    """`bindings` say which key plays which action. Without them these are the player's own for each environment, which
    `bindings_file` keeps, or else the `usual_keys`.

    A person gets `countdown_s` seconds to find the keys before a take begins.
    """

    def __init__(
        self,
        library: Path,
        bindings: Bindings | None = None,
        *,
        bindings_file: Path | None = None,
        usual_keys: Callable[[EnvSpec], Bindings] | None = None,
        player_name: str = "",
        controllers: Callable[[], Gamepads] | None = Gamepads,
        speaker: Speaker | None = None,
        countdown_s: float = 3.0,
        now: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.library = library
        self.bindings = bindings or Bindings({}, {})
        self.keys = KeyAgent(self.bindings.actions, player_name)
        self.name_keys = dict  # says what is printed on keys, given the names that they had when they were chosen
        self.state = RecordState.IDLE
        self.env = env_names()[0]
        self.error = ""
        self.last_take: Path | None = None
        self.last_summary = ""
        self.just_kept = False  # a take was kept, and nothing has been done since
        self.recovered = False  # there was trouble, and it is over; until play goes on
        self._bindings_file, self._usual_keys = bindings_file, usual_keys
        self._speaker = speaker
        self._countdown_ns = round(countdown_s * 1e9)
        self._go_ns = 0  # when the count-down ends
        self._now = now
        self._take: Recording | None = None
        self.today = RecentRecordings(library)
        self.lost_keyboard = False  # why it is paused
        self.controls = Controls(self.keys, None if controllers is None else controllers(), self._waits, now)
        self.controls.use(self.bindings.controller)
        self._poster: RecordingStatus | None = None  # what is shown without a take
        self._game: Game | None = None  # to be played by hand; to make one takes 150 ms, so it is kept
        self._starting: Task | None = None
        self._wishes: list[Callable[[], None]] = []  # what is to be done with the take that is being begun
        self._finishing: Task | None = None
        self._afterwards: Callable[[], None] = lambda: None
        self._take_up_keys()

    @property
    def spec(self) -> EnvSpec:
        """The chosen environment."""
        return get_spec(self.env)

    @property
    def by_hand(self) -> bool:
        """Whether a person plays the chosen environment; else its scripted expert demonstrates."""
        return self.spec.playable

    @property
    def busy(self) -> bool:
        """Whether a take is under way, or just being begun or finished."""
        return any(part is not None for part in (self._starting, self._take, self._finishing))

    @property
    def status(self) -> RecordingStatus | None:
        """What the take shows; before one, the first screen of the game where that is to be had at once."""
        if self._take is not None:
            return self._take.status
        if self._poster is None and self.by_hand and self._starting is None:
            game = self._lend_game()
            game.reset(0)
            self._poster = RecordingStatus(game.picture(), 0.0, game.lives, 0, 0, False, 0)
        return self._poster

    def choose(self, env: str) -> None:
        """Another environment, between takes."""
        if not self.busy and env != self.env:
            self._return_game()
            self.env, self._poster, self.just_kept = env, None, False
            self._take_up_keys()

    def _take_up_keys(self) -> None:
        """The keys for the chosen environment: the player's own, or the usual ones."""
        self.keys.chords = self.spec.chord_indices
        if self._usual_keys is None or not self.by_hand:
            return
        own = None
        if self._bindings_file is not None:
            try:
                own = load_bindings(self._bindings_file, self.spec)
            except TwinplayError as error:
                self.error = str(error)
        self.bindings = own or self._usual_keys(self.spec)
        self.keys.bindings = self.bindings.actions
        self.controls.use(self.bindings.controller)

    def rebind(self, bindings: Bindings) -> None:
        """Play with other keys from now on, and keep them; between takes."""
        if self.busy:
            return
        self.bindings, self.keys.bindings, self.error = bindings, bindings.actions, ""
        self.controls.use(bindings.controller)
        if self._bindings_file is not None:
            try:
                save_bindings(self._bindings_file, bindings, self.spec)
            except TwinplayError as error:
                self.error = str(error)

    def start(self, wait: bool = True) -> None:
        """Begin a take. A session on disk takes a moment to make: without `wait`, `poll` tells when it is there."""
        if self.busy:
            return
        self.error, self.last_take, self.last_summary = "", None, ""
        self.recovered = self.just_kept = self.lost_keyboard = False
        seed = time.time_ns() & 0x7FFFFFFF
        if not self.by_hand:
            try:
                self._take = WorkerRecording(self.env, self.library, seed=seed, now=self._now)
                self.state = RecordState.RECORDING
            except TwinplayError as error:
                self._fail(str(error))
            return
        self.state, self._go_ns = RecordState.COUNTDOWN, self._now() + self._countdown_ns
        self._starting = Task(partial(self._begin_by_hand, self._lend_game(), seed), "begin-take")
        if self._speaker is not None:
            self._speaker.open()
        if wait:
            self._take_in_started()

    @property
    def wait_ns(self) -> int | None:
        """Nanoseconds until a tick of the player's is due; None while none is."""
        return self._take.wait_ns if self._take is not None else None

    def poll(self) -> bool:
        """Advance the take, and do what a controller asks for; returns whether there is something new to show."""
        commands = self.controls.commands()
        for command in commands:
            self._obey(command)
        return self._poll_take() or bool(commands)

    def _poll_take(self) -> bool:
        if self._finishing is not None:
            return self._finishing.poll() and self._take_in_finished()
        began = self._starting is not None and self._starting.poll()
        if began:
            self._take_in_started()
        if self._starting is not None or (began and self._take is None):
            return began
        if self._take is None:
            return self.today.poll()
        before = self.trouble
        counted = False
        if self.state is RecordState.COUNTDOWN and self._now() >= self._go_ns:
            counted = True
            self._go()
        try:
            fresh = self._take.poll() or began or counted
        except TwinplayError as error:
            self._fail(str(error))
            return True
        if self.trouble and self.by_hand:
            self.pause()
        elif before and not self.trouble:
            self.recovered = True
        if self._take.status.game_over:
            self.state = RecordState.GAME_OVER
        return fresh

    @property
    def countdown(self) -> int:
        """Seconds until the take begins, counted 3, 2, 1; 0 when none is counted."""
        left = self._go_ns - self._now() if self.state is RecordState.COUNTDOWN else 0
        return max(0, -(-left // 1_000_000_000))

    @property
    def muted(self) -> bool:
        """Whether the game's sound is off."""
        return self._speaker is None or self._speaker.muted

    @property
    def has_sound(self) -> bool:
        """Whether there is something to hear the game with, as far as is known."""
        return self._speaker is not None and not self._speaker.missing

    def mute(self, muted: bool) -> None:
        """Turn the game's sound off, or on."""
        if self._speaker is not None:
            self._speaker.muted = muted
            self._speaker.silence()

    @property
    def trouble(self) -> str:
        """Why the take cannot be written at the moment, what that means and what to do; empty while it can."""
        reason = self._take.status.trouble if self._take is not None else ""
        remedy = "The game waits, and nothing is lost: make room there, or bring the folder back"
        return f"{reason}. {remedy}" if reason else ""

    def press(self, code: int) -> bool:
        """A key went down; returns whether it means something to the game."""
        return self.controls.press(code)

    def release(self, code: int, ago_ns: int = 0) -> bool:
        """A key went up, so many nanoseconds ago."""
        return self.controls.release(code, ago_ns)

    def lose_keyboard(self) -> None:
        """The window is no longer the active one: no key is held, and the game waits."""
        self.controls.lose_keyboard()
        self.keys.release_all(self._now())
        if self.by_hand and self.state in (RecordState.COUNTDOWN, RecordState.RECORDING):
            self.pause()
            self.lost_keyboard = True

    def pause(self) -> None:
        """Hold the game; one that is being begun, as soon as it is there."""
        if self._once_begun(self.pause):
            return
        if self._take is not None and self.state in (RecordState.COUNTDOWN, RecordState.RECORDING):
            self.keys.release_all(self._now())
            self._take.pause()
            self.state = RecordState.PAUSED
            self._silence()

    def resume(self) -> None:
        """Go on after a pause, unless there is `trouble`; keys that are still down count as held again."""
        if self._take is not None and self.state is RecordState.PAUSED and not self.trouble:
            self.controls.begin_play()
            self._take.resume()
            self.state, self.recovered, self.lost_keyboard = RecordState.RECORDING, False, False

    def change_speed(self, steps: int) -> None:
        """Slower (negative) or faster by so many of the take's speeds; the next take begins at full speed."""
        if self._take is not None:
            speeds = self._take.speeds
            index = speeds.index(self._take.status.speed) + steps
            self._take.set_speed(speeds[min(max(index, 0), len(speeds) - 1)])

    def advance(self) -> None:
        """While the game is held, play a single tick."""
        if self._take is None or self.state is not RecordState.PAUSED or not self.by_hand:
            return
        self.controls.begin_play()
        try:
            self._take.advance()
        except TwinplayError as error:
            self._fail(str(error))
            return
        if self._take.status.game_over:
            self.state = RecordState.GAME_OVER

    def rewind(self, keep: bool = False) -> None:
        """Go back a few seconds in the game and hold it there; `keep` lets what was undone count as play."""
        if self._take is None or not self.by_hand or self.state not in (RecordState.RECORDING, RecordState.PAUSED):
            return
        self.pause()
        try:
            self._take.rewind(REWIND_S, keep)
        except TwinplayError as error:
            self._fail(str(error))

    def mark(self, label: str) -> None:
        """Label the game under way, or just over, "success" or "failure"; the same label again takes it off."""
        if self._take is None:
            return
        try:
            self._take.mark("" if self._take.status.label == label else label)
        except TwinplayError as error:
            self._fail(str(error))

    def next_game(self) -> None:
        """After a game is over, play another in the same take."""
        if self._take is not None and self.state is RecordState.GAME_OVER and not self.trouble:
            self.controls.begin_play()
            self._take.next_game()
            self.state, self.recovered = RecordState.RECORDING, False

    def stop(self, wait: bool = True) -> None:
        """Finish the take and keep it. That takes a moment: without `wait`, `poll` tells when it is done."""
        if not wait and self._once_begun(partial(self.stop, wait=False)):
            return
        self._take_in_started()
        take, self._take = self._take, None
        if take is not None:
            self._silence()
            self.state = RecordState.FINISHING
            self._finishing = Task(partial(_finish, take), "finish-take")
        if wait and self._finishing is not None:
            self._finishing.join()
            self._take_in_finished()

    @property
    def room(self) -> str:
        """For how much play the disk has room, in words; empty where it does not say."""
        try:
            hours = free_hours(self.library, self.env)
        except OSError:
            return ""
        return f"{hours:,.0f} h" if hours >= 2 else f"{60 * hours:,.0f} min"

    def discard(self, path: Path | None = None, wait: bool = True) -> None:
        """Move a take to the library's trash: this one, or the one under way, or else the last; it can be undone.

        Without `wait` it is done once the take under way is finished.
        """
        if self.busy:
            if path is not None:
                return
            if not wait:
                self._afterwards = self.discard
                self.stop(wait=False)
                return
            self.stop()
        path = path or self.last_take
        if path is None:
            return
        try:
            self.today.discard(path)
            self.just_kept = False
            self.last_summary = "Discarded. Ctrl+Z brings it back."
            if path == self.last_take:
                self.last_take = None
        except TwinplayError as error:
            self.error = str(error)

    def label(self, path: Path, label: str) -> None:
        """Label all games of a finished take "success" or "failure"; the same label again takes it off."""
        try:
            self.today.label(path, label)
        except TwinplayError as error:
            self.error = str(error)

    @property
    def can_undo(self) -> bool:
        """Whether a discarded take can be brought back."""
        return self.today.has_discarded and not self.busy

    def undo_discard(self, path: Path | None = None) -> None:
        """Bring a take back: this one, or the one discarded last."""
        if not self.can_undo:
            return
        try:
            restored = self.today.restore(path)
            if restored is not None:
                self.last_take, self.last_summary = restored, take_summary(restored)
        except TwinplayError as error:
            self.error = str(error)

    def restart(self) -> None:
        """Discard the take under way and begin another once it is finished; `poll` tells when."""
        if self.busy:
            self._afterwards = self._discard_and_start
            self.stop(wait=False)

    def shutdown(self) -> None:
        """The window closes: keep what was played."""
        while self.busy:  # a take that was to be begun again has begun once the first one is finished
            self.stop()
        self.today.join()
        self.controls.close()
        if self._speaker is not None:
            self._speaker.close()
            self._speaker = None
        self._return_game()

    def _lend_game(self) -> Game:
        if self._game is None:
            self._game = Game(self.spec, render=not self.spec.sees_screen, sound=self._speaker is not None)
        return self._game

    def _return_game(self) -> None:
        if self._game is not None:
            self._game.close()
            self._game = None

    def _begin_by_hand(self, game: Game, seed: int) -> LiveRecording:
        return LiveRecording(
            game,
            self.keys,
            self.library,
            seed=seed,
            key_names=self.name_keys(self.bindings.names),
            before_tick=self.controls.poll,
            hear=None if self._speaker is None else self._speaker.play,
            now=self._now,
        )

    def _once_begun(self, wish: Callable[[], None]) -> bool:
        """Whether a take is being begun: then the wish is served when it is there."""
        if self._starting is not None:
            self._wishes.append(wish)
        return self._starting is not None

    def _take_in_started(self) -> None:
        """Wait for the take that is being begun, if one is."""
        begun, self._starting = self._starting, None
        if begun is None:
            return
        begun.join()
        if begun.error:
            self._fail(begun.error)
            return
        self._take = begun.result
        if not self._countdown_ns:
            self._go()
        wishes, self._wishes = self._wishes, []
        for wish in wishes:
            wish()

    def _go(self) -> None:
        assert self._take is not None
        self.controls.begin_play()
        self._take.resume()
        self.state = RecordState.RECORDING

    def _take_in_finished(self) -> bool:
        done, self._finishing, self.state = self._finishing, None, RecordState.IDLE
        assert done is not None
        if done.error:
            self.error = done.error
        else:
            self.last_take, self.last_summary, line = done.result
            self.just_kept = line is not None
            if line is not None:
                self.today.add(line)
        afterwards, self._afterwards = self._afterwards, lambda: None
        afterwards()
        return True

    def _discard_and_start(self) -> None:
        self.discard()
        self.start(wait=False)

    def _silence(self) -> None:
        if self._speaker is not None:
            self._speaker.silence()

    def _waits(self) -> bool:
        return self.state in (RecordState.IDLE, RecordState.GAME_OVER)

    def _obey(self, command: int) -> None:
        """Do what a controller asks for (see `Controls.commands`)."""
        if self.state is RecordState.IDLE:
            self.start(wait=False)
        elif self.state is RecordState.GAME_OVER:
            self.next_game()
        elif command == START:
            (self.resume if self.state is RecordState.PAUSED else self.pause)()

    def _fail(self, error: str) -> None:
        take, self._take, self.state = self._take, None, RecordState.IDLE
        self.error, self._wishes, self._afterwards = error, [], lambda: None
        if take is not None:
            with contextlib.suppress(TwinplayError):  # the first failure is the one to tell
                self.last_take = take.stop()


def _finish(take: Recording) -> tuple[Path | None, str, RecentRecording | None]:
    """Finish a take: where it lies, its summary, and its line in the list of the day; nothing of one not played."""
    path = take.stop()
    return path, take_summary(path), None if path is None else recent_recording(path)
