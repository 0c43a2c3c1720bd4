"""What the Record page does, without Qt: it chooses an environment, and starts, finishes and deletes takes.

env_choice   which environments are at hand
take         the current take and its states (recorder.recording.take_control)
key_choice   which key plays which action
sound        the game's sound
finished     today's finished takes
player       who plays, and the question for a name
play_on      the moments of earlier games that takes play on from
limit, pace  when a take ends by itself; whether the game waits for the player, and its frame skip
partner      a twin that plays along
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from recorder.agents.agent import KeyAgent
from recorder.agents.bindings import Bindings
from recorder.agents.controls import Controls
from recorder.agents.gamepad import Gamepads
from recorder.envs.registry import get_spec
from recorder.envs.spec import EnvSpec
from recorder.errors import TwinplayError
from recorder.library.disk_space import room_text
from recorder.play.sound import Speaker
from recorder.recording.controller_commands import GameChooser, commands_of, obey, repeated
from recorder.recording.env_choice import EnvChoice
from recorder.recording.finished_takes import FinishedTakes
from recorder.recording.game_sound import GameSound
from recorder.recording.hand_play import HandPlay
from recorder.recording.key_choice import KeyChoice
from recorder.recording.pace import PaceChoice
from recorder.recording.page_on_show import PageOnShow
from recorder.recording.partner import PartnerChoice, TwinPlayers
from recorder.recording.play_on import PlayOn, cancel_start, practise_next
from recorder.recording.player_name import PlayerName
from recorder.recording.recordings import RecordingStatus
from recorder.recording.settings import RecordSettings, UnsavedSettings
from recorder.recording.stills import Stills
from recorder.recording.take_control import RecordState, TakeControl
from recorder.recording.take_limit import LimitChoice
from recorder.recording.wake_up import wait_ns
from recorder.recording.worker_recording import WorkerRecording
from recorder.system.jobs import Task


class RecordPresenter:
    """`bindings` map keys to actions. Without them, the player's own keys for each environment are used, which
    `bindings_file` stores, or else the `usual_keys`.

    A person gets a countdown of `countdown_s` seconds before a take starts. `twins` can play along.
    """

    def __init__(
        self,
        library: Path,
        bindings: Bindings | None = None,
        *,
        bindings_file: Path | None = None,
        usual_keys: Callable[[EnvSpec], Bindings] | None = None,
        settings: RecordSettings | None = None,
        controllers: Callable[[], Gamepads] | None = Gamepads,
        speaker: Speaker | None = None,
        countdown_s: float = 3.0,
        twins: TwinPlayers | None = None,
        now: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.library = library
        self.error = self._refusal = ""  # `_refusal`: why nothing can be recorded here; see `refuse`
        bindings, settings = bindings or Bindings({}, {}), settings or UnsavedSettings()
        self.env_choice = EnvChoice(settings)
        self.env = self.env_choice.default
        self.keys = KeyAgent(bindings.actions)
        self.player, self.limit = PlayerName(self.keys, settings), LimitChoice(settings)
        self.pace, self.play_on = PaceChoice(settings), PlayOn()
        self.chooser: GameChooser | None = None  # while all games are offered
        self.open_games: Callable[[], None] = lambda: None  # offers them, by a window
        pads = controllers and controllers()
        self.controls = Controls(self.keys, pads, lambda: commands_of(self), now, lambda: repeated(self))
        self.key_choice = KeyChoice(
            bindings, self.keys, self.controls, bindings_file=bindings_file, usual_keys=usual_keys, report=self._report
        )
        self.sound = GameSound(speaker)
        self.take = TakeControl(self.keys, self.controls, self.sound, countdown_s=countdown_s, now=now, fail=self._fail)
        self.finished, self._now = FinishedTakes(library, self._report), now
        self._stills = Stills()
        self._hand_play = HandPlay(library, self.keys, self.controls, self.key_choice, self.sound, now)
        begin, shape = partial(self.start, wait=False), lambda: self._hand_play.picture_shape(self.spec)
        self.partner = PartnerChoice(twins, settings, self._report, self.sound.tell_control, begin, shape)
        self._finishing: Task | None = None
        self._afterwards: Callable[[], None] = lambda: None
        self.page = PageOnShow(self.take, begin, lambda: self._finishing is not None)
        self.key_choice.take_up(self.spec)
        self.partner.look(self.spec)

    @property
    def spec(self) -> EnvSpec:
        """The chosen environment, at the chosen pace."""
        return self.pace.paced(get_spec(self.env))

    @property
    def by_hand(self) -> bool:
        """Whether a person plays the chosen environment; otherwise its scripted expert plays."""
        return self.spec.playable

    @property
    def state(self) -> RecordState:
        """The state of the current take."""
        return self.take.state

    @property
    def busy(self) -> bool:
        """Whether a take is in progress, starting or finishing."""
        return self.take.busy or self._finishing is not None

    @property
    def status(self) -> RecordingStatus | None:
        """The state of the take to show; before a take, the first screen of the game if it is available at once."""
        if self.take.recording is not None:
            return self.take.recording.status
        return self._hand_play.first_screen(self.spec, self._stills, free=not self.take.opening)

    @property
    def refusal(self) -> str:
        """Why nothing can be recorded, as a sentence: in this library, or of this environment."""
        return self._refusal or self._hand_play.problem

    @property
    def disk_space(self) -> str:
        """How much play fits on the disk, in words; empty if unknown, or if nothing can be recorded."""
        return "" if self.refusal else room_text(self.library, self.env)

    def choose(self, env: str) -> None:
        """Choose another environment, between takes."""
        if not self.busy and env != self.env:
            self._hand_play.leave_env()
            self.env = env
            self.env_choice.take_in(env)
            self.finished.begin_another()  # what was played before is no longer at hand
            self.key_choice.take_up(self.spec)
            self.partner.look(self.spec)

    def rebind(self, bindings: Bindings) -> None:
        """Use other keys from now on, and store them; between takes."""
        if not self.busy:
            self.error = ""
            self.key_choice.change(bindings, self.spec)

    def refuse(self, why: str) -> None:
        """Start no take, because of `why`; empty once the library can be written again, which is then read anew."""
        if self._refusal and not why:
            self.error = ""
            self.finished.today.look_again()
        self._refusal = why

    def start(self, wait: bool = True) -> None:
        """Start a take, once a twin that plays along is ready. Creating a session on disk takes a moment: without
        `wait`, `poll` reports when it is ready. While the page is hidden, it starts once that is shown again.
        """
        if self.busy or self.refusal or self.page.postpone_start():
            return
        self.error = ""
        if self.partner.wait_for_twin():
            return
        self.env_choice.played(self.env)
        self.finished.begin_another()
        (fork, limit), seed = self.play_on.take(self.limit.limit, self.env), time.time_ns() & 0x7FFFFFFF
        try:
            if not self.by_hand:
                self.take.demonstrate(WorkerRecording(self.env, self.library, seed=seed, limit=limit, now=self._now))
                return
            self.player.save()  # before the take asks who plays
            companion = self.partner.companion(self.keys)
            opening = self._hand_play.begin(self.spec, seed, limit, self.pace.steps_hz, companion, fork)
        except TwinplayError as error:
            self._fail(str(error))
            return
        self.take.open(opening)
        self.sound.open()
        if wait:
            self.take.join_opening()

    def next_participant(self) -> None:
        """Ask who plays next, and show nothing more of the one before; between takes."""
        if not self.busy and self.by_hand:
            self.error = ""
            self.finished.begin_another()
            self.player.ask_next({take.player for take in self.finished.today.takes})

    def poll(self) -> bool:
        """Advance the take, and obey the game controller; returns whether there is anything new to show."""
        commands = self.controls.commands()
        for command in commands:
            obey(self, command)
        changed = not self.busy and self.partner.poll()
        changed |= self._poll_take() or bool(commands)
        return changed or (not self.busy and self._stills.serve(self.finished.today))

    def wait_ns(self, margin_ns: int = 0) -> int:
        """How many nanoseconds may pass until the next `poll`, so that it comes `margin_ns` before the next tick."""
        return wait_ns(self, margin_ns)

    def stop(self, wait: bool = True) -> None:
        """Finish and save the take. That takes a moment: without `wait`, `poll` reports when it is done."""
        cancel_start(self)
        if not wait and self.take.once_begun(partial(self.stop, wait=False)):
            return
        self.take.join_opening()
        if self.take.recording is not None:
            self.sound.silence()
            self._finishing = self.finished.finish(self.take.recording)
            self.take.let_go(RecordState.FINISHING)
        if wait and self._finishing is not None:
            self._finishing.join()
            self._take_in_finished()

    def discard(self, path: Path | None = None, wait: bool = True) -> None:
        """Move a take to the library's trash: this one, or the current one, or else the last; it can be restored.

        Without `wait` it is done once the current take is finished.
        """
        if self.busy:
            if path is not None:
                return
            if not wait:
                self._afterwards = self.discard
                self.stop(wait=False)
                return
            self.stop()
        self.finished.discard(path)

    @property
    def can_undo(self) -> bool:
        """Whether something that was done to finished takes can be undone."""
        return bool(self.finished.undone) and not self.busy

    def undo_discard(self, path: Path | None = None) -> None:
        """Restore this take; without one, take back what was done last to finished takes."""
        if path is not None and not self.busy:
            self.finished.restore(path)
        elif self.can_undo:
            self.finished.undo()

    def restart(self, keep: bool = False) -> None:
        """Finish the current take, delete it unless it is to be kept, and start another; `poll` reports when."""
        if self.busy:
            self._afterwards = partial(self.start, wait=False) if keep else self._discard_and_start
            self.stop(wait=False)

    def shutdown(self) -> None:
        """The window closes: save what was played."""
        while self.busy:  # a take that was to be begun again has begun once the first one is finished
            self.stop()
        self.finished.today.join()
        self.controls.close()
        self.sound.close()
        self._hand_play.close()
        self._stills.close()
        self.partner.close()

    def _poll_take(self) -> bool:
        if self._finishing is not None:
            return self._finishing.poll() and self._take_in_finished()
        if not self.take.busy:
            return self.finished.today.poll()
        fresh = self.take.poll()
        if self.take.complete or (self.play_on.practising and self.state is RecordState.GAME_OVER):
            self.finished.ended_by = self.play_on.limit.over if self.take.complete else ""
            self._afterwards = partial(practise_next, self)
            self.stop(wait=False)
        return fresh

    def _take_in_finished(self) -> bool:
        finishing, self._finishing = self._finishing, None
        assert finishing is not None
        self.take.state = RecordState.IDLE
        self.finished.take_in(finishing)
        afterwards, self._afterwards = self._afterwards, lambda: None
        afterwards()
        return True

    def _discard_and_start(self) -> None:
        self.discard()
        self.play_on.again()
        self.start(wait=False)

    def _report(self, error: str) -> None:
        self.error = error

    def _fail(self, error: str) -> None:
        self._afterwards = lambda: None
        self._report(error)
        recording = self.take.let_go(RecordState.IDLE)
        if recording is not None:
            with contextlib.suppress(TwinplayError, MemoryError):  # the first failure is the one to tell
                self.finished.last_take = recording.stop()
