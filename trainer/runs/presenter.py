"""What the Train page knows and does, without Qt.

run_list   the runs: the one that is shown (its states: trainer.runs.train_state), those compared with it, their curves
choice     the sessions to learn from
further    the twin that the training goes on from, if any
new_runs   puts runs into the queue
edits      what is done to runs and clones: delete, bring back, rename, import
messages   what is told of the last action

Runs are trained by a process that outlives the window (trainer.runs.work) and tells all in their folders
(trainer.runs.runs); `poll()` reads what is new there, and sees to it that the queue is worked off
(trainer.runs.supervision). Nothing else connects the two, so a window that is opened later, or again, follows a
training as well as the one that started it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from recorder.library.access import outputs_of
from recorder.library.library import Library
from recorder.store.places import on_this_computer
from trainer.config import TrainConfig
from trainer.runs import outcome, run_texts
from trainer.runs.further import Further
from trainer.runs.library_edits import LibraryEdits
from trainer.runs.messages import Messages
from trainer.runs.new_runs import NewRuns
from trainer.runs.news import OVER, YOURS, News, clone_of, has_first_version, news_of
from trainer.runs.policy_library import Policies, PolicySummary
from trainer.runs.run_list import RunList
from trainer.runs.run_picture import RunPictures
from trainer.runs.runs import Run, Runs, RunState
from trainer.runs.selection import Choice
from trainer.runs.session_facts import FactsReader
from trainer.runs.supervision import Supervision
from trainer.runs.train_state import TrainState, state_of
from trainer.runs.worker import WorkerLike, start_worker


class TrainPresenter:
    """See the module's docstring. `overrides` go into every TrainConfig; `start` starts the process that trains."""

    def __init__(
        self,
        library: Library,
        *,
        overrides: Mapping[str, Any] | None = None,
        start: Callable[[Path], WorkerLike] = start_worker,
        reader: FactsReader | None = None,
    ) -> None:
        self.library = library
        folder = on_this_computer(library.place)
        self.outputs = outputs_of(folder)  # the library that runs and clones go to
        self.kept = Runs(self.outputs)
        self.policies = Policies(folder, self.outputs)
        self.choice = Choice(library, reader or FactsReader())
        self.preset = "quick"  # whoever trains for the first time wants to see what comes of it
        self.changes: dict[str, dict[str, Any]] = {}  # by environment: settings that differ from the preset's
        self.run_list = RunList(self.kept)
        self.twins: list[PolicySummary] = []
        self.in_background = False
        self.messages = Messages()
        self.edits = LibraryEdits(self.kept, self.policies, self.run_list, self.messages, self._read_library)
        self._overrides = dict(overrides or {})
        self.further = Further(lambda: self.twins, self.choice)
        self.new_runs = NewRuns(self.kept, self.policies, self.run_list, self.choice, self.messages, self._settings)
        self.player_name: Callable[[], str] = str  # of whoever trains; empty: whoever played
        self.pictures = RunPictures(self.outputs)
        self._supervision = Supervision(self.kept, start, self.messages)
        self._asked: dict[str, str] = {}  # what was asked of a run that is still at work
        self._over: list[Run] = []  # the runs that have ended, until that is told
        self._arrive()

    def refresh(self) -> None:
        """Read the library again; what was chosen stays chosen where it still exists."""
        self.messages.error = self.choice.refresh() or self.messages.error
        self._read_library()

    def config(self, env: str) -> TrainConfig:
        """The settings as they stand for an environment. Raises UsageError for values that cannot be meant."""
        return TrainConfig.for_env(env, preset=self.preset, **{**self.changes.get(env, {}), **self._overrides})

    def _settings(self, env: str) -> tuple[TrainConfig, str, Path | None]:
        twin = self.further.twin(env)
        if twin is not None:
            return self.further.config(twin, self._overrides), "", twin.path
        return self.config(env), "" if self.changes.get(env) else self.preset, None

    def choose_preset(self, preset: str) -> None:
        """Train by a preset, without changes to it."""
        self.preset, self.changes = preset, {}

    def change(self, env: str, changes: dict[str, Any]) -> None:
        """Train an environment with these settings changed. Raises UsageError for what cannot be meant."""
        TrainConfig.for_env(env, preset=self.preset, **changes)
        self.changes = {**self.changes, env: dict(changes)}

    @property
    def elsewhere(self) -> str:
        """Where runs and clones go, in a sentence, if that is not the library."""
        away = self.outputs != on_this_computer(self.library.place)
        return f"The library is read-only: the run and its twin are saved in {self.outputs}." if away else ""

    @property
    def state(self) -> TrainState:
        """The state of the run that is shown."""
        return state_of(self.run_list.run, self._asked.get(self.run_list.shown, ""))

    @property
    def training(self) -> bool:
        """True while any run is trained or waits for it."""
        return bool(self.run_list.active)

    @property
    def in_charge(self) -> bool:
        """Whether the window's process trains, and not only a command line that is followed."""
        return self.training and self._supervision.at_work

    @property
    def busy(self) -> bool:
        """True while `poll` may bring something new."""
        reading = self.choice.busy or self.run_list.unread or self.pictures.busy
        return self.training or self._supervision.started or reading

    @property
    def policy(self) -> Path | None:
        """The clone of the run that is shown, once there is one."""
        return clone_of(self.run_list.run, self.twins)

    @property
    def twin(self) -> PolicySummary | None:
        """What is known of that clone."""
        return None if self.policy is None else self.policies.summary(self.policy)

    @property
    def can_train(self) -> bool:
        """True when the selection can be trained on; while another run is trained it will wait."""
        return not self.choice.selection.problem

    @property
    def resumable(self) -> bool:
        """Whether the run that is shown can go on."""
        run = self.run_list.run
        return run is not None and run.resumable

    @property
    def fraction(self) -> float | None:
        """How much of the present stage is done, 0 to 1; None before it is known."""
        latest = self.run_list.curves.latest
        return None if latest is None else min(1.0, max(0.0, float(latest.fraction)))

    @property
    def headline(self) -> str:
        """What is going on with the run that is shown, in one line."""
        run = self.run_list.run
        if run is None:
            return "How it learns"
        behind, curves = self.run_list.is_behind(run), self.run_list.curves
        return run_texts.headline(run, self.state, curves, self.twin, behind=behind, you=self.player_name())

    @property
    def whose_twin(self) -> str:
        """What the twin of the run that is shown is called on a button."""
        return YOURS if self.twin is None else outcome.whose(self.twin, self.player_name())

    @property
    def basis(self) -> str:
        """What the figures of the headline rest on; empty while there are none."""
        run, twin = self.run_list.run, self.twin
        if run is None or twin is None or self.state is not TrainState.DONE:
            return ""
        return outcome.basis(twin, self.player_name(), tested=not run.status.stopped_early)

    @property
    def explanation(self) -> str:
        """Why the run that is shown stands where it does, what is kept of it, and what to do."""
        run = self.run_list.run
        if run is None:
            return ""
        return run_texts.explanation(run, self.state, self.run_list.curves, has_clone=self.policy is not None)

    def poll(self) -> bool:
        """Read what is new; returns whether anything changed."""
        at_work = {run.id for run in self.run_list.active}
        changed = self.choice.poll()
        changed |= self._supervise()
        for before, run in self.run_list.poll():
            changed = True
            if run.status.state is not before.status.state:
                self.messages.notice = ""
            if not run.active:
                self._asked.pop(run.id, None)
                self.twins = self.policies.all()
        if has_first_version(self.run_list.active, self.twins):
            self.twins, changed = self.policies.all(), True
        self._over += [run for run in self.run_list.runs if run.id in at_work and state_of(run) in OVER]
        changed |= self.pictures.poll()
        return self.run_list.read_curves() or changed

    def news(self) -> list[News]:
        """What came of the runs that have ended since the last call, also of those that are not shown."""
        over, self._over = self._over, []
        return [news_of(run, self.policies, self.twins, self.player_name()) for run in over]

    def start(self) -> None:
        """Train on what is chosen, at once or when the runs before it are over. A problem is told in `messages`."""
        if self.can_train:
            self.new_runs.add()
            self._supervise()

    def start_each(self) -> None:
        """Train a twin for each participant, one after another. A problem is told in `messages`."""
        if self.can_train:
            self.new_runs.add_each()
            self._supervise()

    def pause(self) -> None:
        """Ask the run that is shown to pause: it goes on from there with `resume`."""
        self._ask("pause")

    def stop(self) -> None:
        """Ask the run that is shown to end and to keep the best so far."""
        self._ask("stop")

    def resume(self) -> None:
        """Let the run that is shown go on."""
        self.messages.clear()
        run = self.run_list.run
        if run is None or not run.resumable:
            return
        if run.policy is not None and run.policy.parent != self.policies.folder:
            self.messages.error = (
                f"This run saves its policy as {run.policy}, outside the library; "
                "resume it with `twinplay train --resume`."
            )
            return
        if self.messages.attempt(lambda: self.kept.enqueue(run.id)):
            self._read_library()
            self._supervise()

    def again(self) -> None:
        """Show no run, and choose anew."""
        self.run_list.shown = ""
        self.messages.clear()

    def log(self) -> str:
        """The log of the run that is shown."""
        return self.kept.read_log(self.run_list.shown) if self.run_list.run is not None else ""

    def shutdown(self, timeout: float = 15.0) -> None:
        """Pause what is trained, within `timeout` seconds, or leave it alone if it is to go on in the background."""
        self.choice.close()
        self.pictures.close()
        if self.in_background:
            self._supervision.leave()
        else:
            self._supervision.pause_and_leave(self.run_list.runs, timeout)

    def _arrive(self) -> None:
        """Take up what an earlier window left: follow what is trained, and offer what is not over."""
        if self.kept.folder.is_dir():
            self.messages.attempt(self.kept.settle)
            if not self.kept.is_locked():
                self._supervision.pause_waiting()
        self._read_library()
        found = self.run_list.active[-1:] or self.run_list.offered[:1]
        if found:
            self.run_list.show(found[0].id)

    def _read_library(self) -> None:
        self.run_list.refresh()
        self.twins = self.policies.all()

    def _supervise(self) -> bool:
        """See to it that a process trains what waits; returns whether anything changed."""
        ended = self._supervision.take_in_end()
        if ended:
            self._read_library()
        return self._supervision.start_if_needed(self.run_list.active) or ended

    def _ask(self, what: str) -> None:
        run = self.run_list.run
        if run is None or not run.active:
            return
        self.messages.error = ""
        if self.messages.attempt(lambda: self.kept.request(run.id, what)):
            if run.status.state is RunState.RUNNING:
                self._asked[run.id] = what
            self._read_library()
