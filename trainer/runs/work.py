"""Training the runs of a library, one after another; everything that happens is told in the run's folder.

    queue ─▶ perform(run): fit ─▶ progress.jsonl, log.txt, state.json, TensorBoard ─▶ DONE | PAUSED | FAILED

`work` is what the window's detached process does; the command line performs its one run itself.
"""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TextIO

from filelock import Timeout
from msgspec.structs import replace

from recorder.errors import TwinplayError
from recorder.library.library import ensure_writable
from recorder.store.session import Session
from recorder.system.interrupts import Noted
from trainer.errors import RunError
from trainer.progress.records import Progress
from trainer.progress.tensorboard import EventWriter
from trainer.runs.runs import CHECKPOINT, PROGRESS, Run, Runs, RunState, Status
from trainer.runs.setup import Setup
from trainer.runs.sources import open_sources

_CURVES = ("loss", "accuracy", "val_loss", "val_accuracy", "score")
# A record at most this often in seconds, and later on this share of the time: an hour's run tells some thousands.
_OFTEN_S, _SHARE = 0.25, 1 / 1_000
_PATIENCE_S = 2.0  # whoever only looks whether a lock is held, holds it for a moment
_ENDED = "the training process was asked to stop"


def work(library: str) -> None:
    """Train what waits in the queue until nothing is left; at once over when another process does so already."""
    runs = Runs(Path(library))
    with contextlib.suppress(Timeout), runs.lock("").acquire(timeout=_PATIENCE_S):
        while waiting := runs.queued():
            with contextlib.suppress(RunError):  # somebody else took it, or it was paused just now
                for _ in perform(runs, waiting[0].id):
                    pass
            found = runs.find(waiting[0].id)  # unless it was deleted while it waited
            if found is not None and found.status.reason == _ENDED:
                return


def perform(runs: Runs, run: str, noted: Noted | None = None) -> Iterator[Progress]:
    """Train one run, from its checkpoint where there is one; failures end in FAILED, not in an exception.

    Signals that ask to end pause it; with `noted` the caller has entered that, and learns which one came.

    Raises RunError when the run cannot be trained because another process does, or its files are damaged. It belongs on
    the main thread, which is told of signals.
    """
    lock = runs.lock(runs.path(run).name)
    try:
        lock.acquire(timeout=_PATIENCE_S)
    except Timeout:
        raise RunError(f"the run {run} is being trained by another process") from None
    try:
        found = runs.get(run)
        if found.status.state is not RunState.QUEUED:
            raise RunError(found.problem or f"the run {run} is not queued; it is {found.status.state.value}")
        with Noted() if noted is None else contextlib.nullcontext(noted) as signals:
            yield from _Performance(runs, found).run(signals)
    finally:
        lock.release()


class _Performance:
    """One sitting of a run."""

    def __init__(self, runs: Runs, run: Run) -> None:
        self.runs = runs
        self.found = run
        self.run_id = run.id
        self.status = replace(run.status, state=RunState.RUNNING, reason="", pid=os.getpid(), stopped_early=False)
        self._written_s = 0.0
        self._last: Progress | None = None

    def run(self, signals: Noted) -> Iterator[Progress]:
        found, setup = self.found, self.found.setup
        assert setup is not None
        assert found.policy is not None
        checkpoint = found.folder / CHECKPOINT
        (found.folder / "request").unlink(missing_ok=True)
        self.runs.set_status(self.run_id, self.status)
        self.runs.log(self.run_id, "resumed" if checkpoint.exists() else "started")
        end, reason = RunState.DONE, ""
        signals.holding = False  # until there is something to keep
        try:
            from trainer.learn.fit import fit  # torch comes with it

            ensure_writable(found.policy.parent)
            parent, (sessions, episodes) = self.runs.parent(setup), self._open_sources(setup)
            train = partial(fit, sessions, setup.config, out=found.policy, episodes=episodes, parent=parent)
            steps = train(checkpoint=checkpoint, run=self.run_id)
            with (
                contextlib.closing(steps),
                contextlib.closing(EventWriter(found.folder)) as events,
                (found.folder / PROGRESS).open("a", encoding="utf-8") as lines,
            ):
                for progress in steps:
                    self._tell(progress, lines, events)
                    signals.holding = True
                    yield progress
                    asked = "pause" if signals.seen else self.runs.requested(self.run_id)
                    if asked in ("pause", "stop"):
                        steps.close()
                        end, reason = self._ended(asked, bool(signals.seen))
                        break
                    signals.holding = progress.stage not in ("load", "look")
        except GeneratorExit:
            end, reason = RunState.PAUSED, "it was closed"
            raise
        except KeyboardInterrupt:
            end, reason = RunState.PAUSED, _ENDED
        except TwinplayError as error:
            end, reason = RunState.FAILED, str(error)
        except MemoryError:
            end, reason = RunState.FAILED, "there was not enough memory; close other programs, or choose fewer sessions"
        except Exception as error:
            self.runs.log(self.run_id, traceback.format_exc())
            end, reason = (
                RunState.FAILED,
                f"unexpected error ({type(error).__name__}: {error}); see the run's log",
            )
        finally:
            signals.holding = True
            (found.folder / "request").unlink(missing_ok=True)
            if self._last is not None:
                self.status = _with_figures(self.status, self._last)
            self.status = replace(self.status, state=end, reason=reason, pid=0)
            self.runs.set_status(self.run_id, self.status)
            self.runs.log(self.run_id, f"{end.value}{': ' if reason else ''}{reason}")

    def _open_sources(self, setup: Setup) -> tuple[list[Session], dict[str, tuple[int, ...]]]:
        """The sessions, and by their names the episodes to take of those that are not taken as a whole."""
        sessions = open_sources(setup, self.runs.library)
        episodes = {}
        for source, session in zip(setup.sources, sessions, strict=True):
            if source.episodes is not None:
                episodes[session.name] = source.episodes
            if str(where := session.place) != source.path:
                self.runs.log(self.run_id, f"the session {source.path} has moved to {where}")
        return sessions, episodes

    def _ended(self, asked: str, by_signal: bool) -> tuple[RunState, str]:
        assert self.found.policy is not None
        if asked == "pause":
            return RunState.PAUSED, _ENDED if by_signal else ""
        (self.found.folder / CHECKPOINT).unlink(missing_ok=True)
        self.status = replace(self.status, stopped_early=True)
        if not self.found.policy.exists():
            return RunState.FAILED, "it was stopped before the first policy was saved"
        return RunState.DONE, ""

    def _tell(self, progress: Progress, lines: TextIO, events: EventWriter) -> None:
        last, self._last = self._last, progress
        news = last is None or (progress.stage, progress.val_loss) != (last.stage, last.val_loss)
        news = news or progress.confusion is not None or progress.score is not None
        soon = progress.seconds - self._written_s < max(_OFTEN_S, _SHARE * progress.seconds)
        if soon and not news and not progress.message:
            return
        self._written_s = progress.seconds
        lines.write(progress.to_line())
        lines.flush()
        if progress.message:
            self.runs.log(self.run_id, progress.message)
        for name in _CURVES:
            value = getattr(progress, name)
            if value is not None and progress.stage in ("train", "play"):
                events.scalar(name, float(value), progress.batch)
        if news:
            self.status = _with_figures(self.status, progress)
            self.runs.set_status(self.run_id, self.status)


def _with_figures(status: Status, progress: Progress) -> Status:
    return replace(
        status,
        batches=progress.batch,
        seconds=progress.seconds,
        score=status.score if progress.score is None else progress.score,
        val_loss=progress.val_loss,
        val_accuracy=progress.val_accuracy,
    )
