"""What the Train page knows and does, without Qt.

                                          ┌── pause() ──▶ PAUSING ──▶ PAUSED ──┐
    CHOOSING ── start() ──▶ WAITING ──▶ TRAINING ── stop() ──▶ STOPPING ──▶ DONE │
        ▲                     ▲           ├── its last record ──────────────▶ DONE │
        │                     │           └── an error ──▶ FAILED              │ │
        └── again()           └── resume() ◀── FAILED, INTERRUPTED, PAUSED ◀─────┘

The state is that of the run that is shown. Runs are trained by a process that outlives the window (trainer.runs.work)
and tells all in their folders (trainer.runs.runs); `poll()` reads what is new there, sees to it that the queue is
worked off, and notices when the process has vanished. Nothing else connects the two, so a window that is opened later,
or again, follows a training as well as the one that started it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from recorder.errors import TwinplayError
from recorder.library.library import Library, ensure_writable
from recorder.store.session import Session
from trainer.config import TrainConfig
from trainer.progress.curves import Curves, FollowedCurves, time_left
from trainer.runs.policy_library import Policies, PolicySummary
from trainer.runs.runs import CHECKPOINT, PROGRESS, Run, Runs, RunState
from trainer.runs.selection import Choice, FactsReader
from trainer.runs.worker import WorkerLike, start_worker

MOST_COMPARED = 3
_EARLY = " Training was stopped early; the best so far was kept."
_AFTER_QUICK = "Quick gives a first impression. More play to learn from, or the preset Standard, makes a better twin."


class TrainState(Enum):
    """Drawn in the module's docstring."""

    CHOOSING = "choosing"
    WAITING = "waiting"
    TRAINING = "training"
    PAUSING = "pausing"
    STOPPING = "stopping"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    DONE = "done"
    FAILED = "failed"


_STATES = {
    RunState.QUEUED: TrainState.WAITING,
    RunState.RUNNING: TrainState.TRAINING,
    RunState.PAUSED: TrainState.PAUSED,
    RunState.INTERRUPTED: TrainState.INTERRUPTED,
    RunState.DONE: TrainState.DONE,
    RunState.FAILED: TrainState.FAILED,
}
_ACTIVE = (RunState.QUEUED, RunState.RUNNING)


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
        self.kept = Runs(library.path)
        self.policies = Policies(library.path)
        self.choice = Choice(library, reader or FactsReader())
        self.preset = "quick"  # whoever trains for the first time wants to see what comes of it
        self.changes: dict[str, dict[str, Any]] = {}  # by environment: settings that differ from the preset's
        self.runs: list[Run] = []
        self.twins: list[PolicySummary] = []
        self.shown = ""
        self.compared: list[str] = []
        self.error = self.notice = ""
        self.in_background = False
        self._overrides, self._start = dict(overrides or {}), start
        self._worker: WorkerLike | None = None
        self._followed: dict[str, FollowedCurves] = {}
        self._asked: dict[str, str] = {}  # what was asked of a run that is still at work
        self._thrown: tuple[str, Path] | None = None
        self._arrive()

    def refresh(self) -> None:
        """Read the library again; what was chosen stays chosen where it still exists."""
        self.error = self.choice.refresh() or self.error
        self._read_runs()

    def config(self, env: str) -> TrainConfig:
        """The settings as they stand for an environment. Raises UsageError for values that cannot be meant."""
        return TrainConfig.for_env(env, preset=self.preset, **{**self.changes.get(env, {}), **self._overrides})

    def choose_preset(self, preset: str) -> None:
        """Train by a preset, without changes to it."""
        self.preset, self.changes = preset, {}

    def change(self, env: str, changes: dict[str, Any]) -> None:
        """Train an environment with these settings changed. Raises UsageError for what cannot be meant."""
        TrainConfig.for_env(env, preset=self.preset, **changes)
        self.changes = {**self.changes, env: dict(changes)}

    @property
    def run(self) -> Run | None:
        """The run that is shown."""
        return next((run for run in self.runs if run.id == self.shown), None)

    @property
    def state(self) -> TrainState:
        """The state of the run that is shown."""
        run = self.run
        if run is None:
            return TrainState.CHOOSING
        asked = self._asked.get(run.id)
        if run.status.state is RunState.RUNNING and asked:
            return TrainState.PAUSING if asked == "pause" else TrainState.STOPPING
        return _STATES[run.status.state]

    @property
    def training(self) -> bool:
        """True while any run is trained or waits for it."""
        return any(run.status.state in _ACTIVE for run in self.runs)

    @property
    def in_charge(self) -> bool:
        """Whether the window's process trains, and not only a command line that is followed."""
        return self.training and (self._worker is not None or self.kept.is_locked())

    @property
    def busy(self) -> bool:
        """True while `poll` may bring something new."""
        return self.training or self._worker is not None or self.choice.busy or bool(self._unread)

    @property
    def curves(self) -> Curves:
        """Those of the run that is shown."""
        return self.curves_of(self.shown)

    def curves_of(self, run: str) -> Curves:
        """Those of any run, as far as they are read."""
        return self._followed[run].curves if run in self._followed else Curves()

    @property
    def policy(self) -> Path | None:
        """The clone of the run that is shown, once there is one; it is found again after it was renamed."""
        run = self.run
        if run is None or run.policy is None:
            return None
        if run.policy.exists():
            return run.policy
        return next((twin.path for twin in self.twins if twin.run == run.id), None)

    @property
    def can_train(self) -> bool:
        """True when the selection can be trained on; while another run is trained it will wait."""
        return not self.choice.selection.problem

    @property
    def resumable(self) -> bool:
        """Whether the run that is shown can go on."""
        run = self.run
        return run is not None and run.resumable

    @property
    def fraction(self) -> float | None:
        """How much of the present stage is done, 0 to 1; None before it is known."""
        latest = self.curves.latest
        return None if latest is None else min(1.0, max(0.0, float(latest.fraction)))

    @property
    def headline(self) -> str:
        """What is going on with the run that is shown, in one line."""
        run, state, latest = self.run, self.state, self.curves.latest
        if run is None:
            return "How it learns"
        played = "" if run.status.score is None else f" It scores {run.status.score:,.0f} on average in play."
        texts = {
            TrainState.STOPPING: "Stopping; the best so far is kept…",
            TrainState.PAUSING: "Pausing…",
            TrainState.PAUSED: f"Paused after {run.status.batches:,} batches. Go on whenever you like."
            if run.status.batches
            else "Paused before it began. Go on whenever you like.",
            TrainState.INTERRUPTED: f"Interrupted after {run.status.batches:,} batches. It can go on from there.",
            TrainState.FAILED: "Training failed",
            TrainState.DONE: f"Your twin is ready.{played}{_EARLY if run.status.stopped_early else ''}",
            TrainState.WAITING: "Waiting for its turn…" if self._ahead(run) else "Starting the training process…",
        }
        if state in texts:
            return texts[state]
        if latest is None:
            return "Starting…"
        stages = {"load": "Reading the sessions", "look": "Learning to see", "play": "Trying the clone in play"}
        stage = stages.get(latest.stage, "Training")
        if latest.eta_s is None or latest.stage == "play":
            return f"{stage}…"
        return f"{stage} · {time_left(latest.eta_s)} left"

    @property
    def explanation(self) -> str:
        """Why the run that is shown stands where it does, what is kept of it, and what to do.

        While it learns to see: how long all will take here, and whether there is a first clone to watch.
        """
        run, state = self.run, self.state
        if run is None:
            return ""
        if state is TrainState.TRAINING:
            curves = self.curves
            looking = curves.latest is not None and curves.latest.stage == "look"
            return f"{_upper_first(curves.messages[-1])}." if looking and curves.messages else ""
        if state not in (TrainState.DONE, TrainState.FAILED, TrainState.INTERRUPTED):
            return ""
        if state is TrainState.DONE:
            return _AFTER_QUICK if run.setup is not None and run.setup.preset == "quick" else ""
        reason = run.problem or run.status.reason
        kept = []
        if self.policy is not None:
            kept.append("The best clone so far was kept.")
        if (run.folder / CHECKPOINT).exists():
            kept.append("Resume goes on from its last checkpoint.")
        return " ".join([f"{_upper_first(reason).rstrip('.')}.", *kept])

    @property
    def offered(self) -> list[Run]:
        """Runs that wait for somebody to resume them: paused or interrupted."""
        return [run for run in self.runs if run.status.state in (RunState.PAUSED, RunState.INTERRUPTED)]

    def poll(self) -> bool:
        """Read what is new; returns whether anything changed."""
        changed = self.choice.poll()
        changed |= self._look_after_worker()
        for index, run in enumerate(self.runs):
            if run.status.state in _ACTIVE:
                fresh = self._get(run.id)
                if fresh is not None and fresh != run:
                    if fresh.status.state is not run.status.state:
                        self.notice = ""
                    self.runs[index], changed = fresh, True
                    if fresh.status.state not in _ACTIVE:
                        self._asked.pop(run.id, None)
                        self.twins = self.policies.all()
        for run_id in {self.shown, *self.compared} - {""}:
            changed |= self._read(run_id)
        return changed

    def start(self) -> None:
        """Train on what is chosen, at once or when the runs before it are over. A problem is told in `error`."""
        if not self.can_train:
            return
        self.error = self.notice = ""
        try:
            ensure_writable(self.library.policies)
            sessions = [Session.open(path) for path in self.choice.paths]
            env = sessions[0].spec.name
            preset = "" if self.changes.get(env) else self.preset
            episodes = self.choice.episodes(sessions)
            run = self.kept.create(sessions, self.config(env), preset=preset, episodes=episodes)
        except (TwinplayError, OSError) as error:
            self.error = str(error)
            return
        self.runs.insert(0, run)
        if any(other.status.state is RunState.RUNNING for other in self.runs):
            self.notice = "It waits for the training that is under way; see Runs."
        else:
            self.show(run.id)
        self._look_after_worker()

    def pause(self) -> None:
        """Ask the run that is shown to pause: it goes on from there with `resume`."""
        self._ask("pause")

    def stop(self) -> None:
        """Ask the run that is shown to end and to keep the best so far."""
        self._ask("stop")

    def resume(self) -> None:
        """Let the run that is shown go on."""
        self.error = self.notice = ""
        run = self.run
        if run is None or not run.resumable:
            return
        if run.policy is not None and run.policy.parent != self.library.policies:
            self.error = f"This run writes {run.policy}, outside of the library; resume it with `twinplay train`."
            return
        try:
            self.kept.enqueue(run.id)
        except (TwinplayError, OSError) as error:
            self.error = str(error)
            return
        self._read_runs()
        self._look_after_worker()

    def dismiss(self) -> None:
        """What was told of the last deed has been read."""
        self.error = self.notice = ""

    def again(self) -> None:
        """Show no run, and choose anew."""
        self.shown = ""
        self.dismiss()

    def show(self, run: str) -> None:
        """Show a run: its curves, its settings, its log."""
        self.shown = run if any(each.id == run for each in self.runs) else ""
        self.compared = [each for each in self.compared if self.comparable(each)]
        if self.shown:
            self._read(self.shown)

    def comparable(self, run: str) -> bool:
        """Whether a run's curves mean something beside those of the one that is shown: another one of the same game."""
        shown, other = self.run, next((each for each in self.runs if each.id == run), None)
        if shown is None or other is None or other.id == shown.id or shown.setup is None or other.setup is None:
            return False
        return shown.setup.env == other.setup.env

    def compare(self, run: str, wanted: bool = True) -> None:
        """Lay a run's curves over those of the one that is shown, or take them away; the oldest of too many goes."""
        self.compared = [each for each in self.compared if each != run]
        if wanted and self.comparable(run):
            self.compared = [*self.compared, run][-MOST_COMPARED:]
            self._read(run)

    def log(self) -> str:
        """The log of the run that is shown."""
        return self.kept.read_log(self.shown) if self.run is not None else ""

    def delete_run(self, run: str) -> None:
        """Move a run to the trash; `undo` brings it back."""

        def delete() -> None:
            self._thrown = ("run", self.kept.trash(run))
            self.compared = [each for each in self.compared if each != run]
            self._followed.pop(run, None)
            self.notice = "The run is in the trash; its twin stays."

        self._do(delete)

    def rename_twin(self, name: str, new: str) -> None:
        """Give a clone another name; one that cannot be is told in `error`."""
        self._do(lambda: self.policies.rename(name, new))

    def delete_twin(self, name: str) -> None:
        """Move a clone to the trash; `undo` brings it back."""

        def delete() -> None:
            self._thrown = ("twin", self.policies.trash(name))
            self.notice = f"{name} is in the trash."

        self._do(delete)

    def import_twin(self, file: Path) -> None:
        """Copy a policy file into the library; one that is none is told in `error`."""

        def take_over() -> None:
            self.notice = f"{self.policies.take_over(file).stem} is among your twins now."

        self._do(take_over)

    @property
    def can_undo(self) -> bool:
        """Whether there is something to bring back from the trash."""
        return self._thrown is not None

    def undo(self) -> None:
        """Bring back what was deleted last."""
        if self._thrown is None:
            return
        (what, where), self._thrown = self._thrown, None
        self.notice = ""
        shelf = self.kept if what == "run" else self.policies
        self._do(lambda: shelf.restore(where))

    def shutdown(self, timeout: float = 15.0) -> None:
        """Pause what is trained, within `timeout` seconds, or leave it alone if it is to go on in the background."""
        self.choice.close()
        if self.in_background:
            if self._worker is not None:
                self._worker.leave()
            return
        deadline = time.monotonic() + timeout
        while self.in_charge:
            self._pause_all()
            over = not self.kept.is_locked() if self._worker is None else not self._worker.poll()
            if over or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        if self._worker is not None:
            self._worker.leave()  # if it is still there, it has been asked, and ends as soon as it can
            self._worker = None

    def _arrive(self) -> None:
        """Take up what an earlier window left: follow what is trained, and offer what is not over."""
        if self.kept.folder.is_dir():
            self._quietly(self.kept.settle)
            if not self.kept.is_locked():
                self._pause_waiting()
        self._read_runs()
        active = [run for run in self.runs if run.status.state in _ACTIVE]
        found = active[-1:] or self.offered[:1]
        if found:
            self.show(found[0].id)

    def _read_runs(self) -> None:
        self.runs = self.kept.all()
        self.twins = self.policies.all()
        if self.run is None:
            self.shown = ""

    def _get(self, run: str) -> Run | None:
        try:
            return self.kept.get(run)
        except TwinplayError:
            return None

    @property
    def _unread(self) -> set[str]:
        return {run for run in (self.shown, *self.compared) if run and run not in self._followed}

    def _read(self, run: str) -> bool:
        if run not in self._followed:
            self._followed[run] = FollowedCurves(self.kept.folder / run / PROGRESS)
        return self._followed[run].read()

    def _look_after_worker(self) -> bool:
        """Start the process that trains when something waits; notice when it has vanished."""
        changed = False
        if self._worker is not None and not self._worker.poll():
            error, self._worker = self._worker.error, None
            lost = self.kept.settle(error or "")
            if error is not None and not lost and (waiting := self.kept.queued()):
                failed = replace(waiting[0].status, state=RunState.FAILED, reason=f"it could not begin: {error}")
                self._quietly(lambda: self.kept.set_status(waiting[0].id, failed))
            self._read_runs()
            changed = True
        active = [run for run in self.runs if run.status.state in _ACTIVE]
        if active and self._worker is None and not self.kept.is_locked():
            if self.kept.settle(among=[run.id for run in active]):
                return True
            if any(run.status.state is RunState.QUEUED for run in active):
                try:
                    self._worker = self._start(self.library.path)
                except OSError as error:
                    self.error = f"The training process cannot be started: {error.strerror or error}."
                    self._pause_waiting()
                changed = True
        return changed

    def _pause_waiting(self) -> None:
        for run in self.kept.queued():
            self._quietly(partial(self.kept.request, run.id, "pause"))

    def _pause_all(self) -> None:
        """Ask everything that is trained to pause, unless something is asked of it already."""
        self._pause_waiting()
        for run in self.runs:
            fresh = self._get(run.id)
            if fresh is not None and fresh.status.state is RunState.RUNNING and not self.kept.requested(run.id):
                self._quietly(partial(self.kept.request, run.id, "pause"))

    def _ahead(self, run: Run) -> bool:
        """Whether another run comes before one that waits."""
        others = [each for each in self.runs if each.id != run.id]
        return any(
            each.status.state is RunState.RUNNING
            or (each.status.state is RunState.QUEUED and each.status.queued_ns < run.status.queued_ns)
            for each in others
        )

    def _ask(self, what: str) -> None:
        run = self.run
        if run is None or run.status.state not in _ACTIVE:
            return
        self.error = ""
        try:
            self.kept.request(run.id, what)
        except (TwinplayError, OSError) as error:
            self.error = str(error)
            return
        if run.status.state is RunState.RUNNING:
            self._asked[run.id] = what
        self._read_runs()

    def _do(self, action: Callable[[], object]) -> None:
        self.error = self.notice = ""
        try:
            action()
        except (TwinplayError, OSError) as error:
            self.error = str(error)
        self._read_runs()

    def _quietly(self, action: Callable[[], object]) -> None:
        try:
            action()
        except (TwinplayError, OSError) as error:
            self.error = str(error)


def _upper_first(sentence: str) -> str:
    return f"{sentence[:1].upper()}{sentence[1:]}"
