"""What the Train page knows and does, without Qt.

             start()              the last record
    CHOOSING ───────▶ TRAINING ──────────────────▶ DONE
        ▲                │ stop()                    ▲
        │                ▼                           │ the best so far was kept
        │            STOPPING ───────────────────────┤
        └── again() ◀── FAILED ◀── any error ────────┘

Training runs in a process of its own; `poll()` collects its records and turns them into curves and sentences.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Protocol, TypeGuard

from recorder.agents import player_title
from recorder.errors import TwinplayError
from recorder.jobs import Job, JobState
from recorder.library import Library, SessionSummary, ensure_writable
from recorder.session import Session
from trainer.config import TrainConfig
from trainer.progress import Progress

_SHORT_MINUTES = 2.0  # of Breakout; below this a clone rarely learns to return the ball


class TrainState(Enum):
    """Drawn in the module's docstring."""

    CHOOSING = "choosing"
    TRAINING = "training"
    STOPPING = "stopping"
    DONE = "done"
    FAILED = "failed"


class JobLike(Protocol):
    """What the desk needs of recorder.jobs.Job."""

    state: JobState
    error: str | None

    def poll(self) -> list[Any]: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def join(self, timeout: float | None = None) -> bool: ...


@dataclass(frozen=True)
class Row:
    """One session as the list shows it. `problem` is empty for one that can be learned from."""

    path: Path
    env: str
    env_title: str
    player: str
    is_person: bool
    date: str
    episodes: int
    minutes: float
    ticks: int
    score: float | None
    problem: str


@dataclass(frozen=True)
class Selection:
    """What is chosen. `problem` says why it cannot be trained on; `warnings` do not prevent it."""

    sessions: int
    episodes: int
    minutes: float
    ticks: int
    env_title: str
    problem: str
    warnings: tuple[str, ...]

    @property
    def text(self) -> str:
        """One line, like "2 sessions · 7 episodes · 12.5 minutes · 45,000 ticks"."""
        parts = (_count(self.sessions, "session"), _count(self.episodes, "episode"))
        return " · ".join((*parts, f"{self.minutes:.1f} minutes", f"{self.ticks:,} ticks"))


@dataclass
class Curves:
    """What is drawn: x is the batch. Validation has fewer points than training."""

    batch: list[float] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    val_batch: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    play_batch: list[float] = field(default_factory=list)
    play_score: list[float] = field(default_factory=list)


def player_label(player: dict[str, Any]) -> str:
    """Who played, plainly: nothing scripted reads as a person."""
    kind, name = str(player.get("kind", "")), str(player.get("name", "")).strip()
    if kind == "person":
        return f"{name} (person)" if name else "Person"
    titles = {"scripted": "Scripted", "policy": "Clone", "random": "Random", "mixed": "Mixed"}
    title = player_title(player)
    return f"{title} ({titles.get(kind, kind).lower()})" if title else titles.get(kind, kind)


class TrainDesk:
    """See the module's docstring. `overrides` go into every TrainConfig; `clock` gives the time that names a policy."""

    def __init__(
        self,
        library: Library,
        *,
        overrides: Mapping[str, Any] | None = None,
        start_job: Callable[[str, dict[str, Any]], JobLike] = Job,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.library = library
        self.state = TrainState.CHOOSING
        self.rows: list[Row] = []
        self.chosen: set[Path] = set()
        self.preset = "standard"
        self.curves = Curves()
        self.progress: Progress | None = None
        self.messages: list[str] = []
        self.error = ""
        self.policy: Path | None = None
        self.score: float | None = None
        self.stopped_early = False
        self._overrides = dict(overrides or {})
        self._start_job = start_job
        self._clock = clock
        self._job: JobLike | None = None
        self._serves: dict[Path, bool] = {}

    @property
    def training(self) -> bool:
        """True while a process is at work."""
        return self.state in (TrainState.TRAINING, TrainState.STOPPING)

    def refresh(self) -> None:
        """Read the library again; what was chosen stays chosen where it still exists."""
        try:
            self.rows = [_row(summary) for summary in self.library.sessions()]
        except TwinplayError as error:
            self.rows, self.error = [], str(error)
            return
        self.chosen &= {row.path for row in self.rows if not row.problem}

    def choose(self, path: Path, chosen: bool = True) -> None:
        """Tick or untick one session; one that cannot be learned from stays unticked."""
        if chosen and any(row.path == path and not row.problem for row in self.rows):
            self.chosen.add(path)
        else:
            self.chosen.discard(path)

    @property
    def selection(self) -> Selection:
        """What is chosen, with what is wrong or doubtful about it."""
        rows = [row for row in self.rows if row.path in self.chosen]
        titles = sorted({row.env_title for row in rows})
        minutes = sum(row.minutes for row in rows)
        problem, warnings = "", []
        if not rows:
            problem = "Tick the sessions to learn from."
        elif len(titles) > 1:
            problem = f"Choose sessions of one environment: {' and '.join(titles)} are mixed."
        elif sum(row.ticks for row in rows) == 0:
            problem = "The chosen sessions are empty; record some play first."
        elif rows[0].env == "breakout":
            if minutes < _SHORT_MINUTES:
                warnings.append(f"{minutes:.1f} minutes is little to learn from; ten or more are better.")
            if not any(self._has_serve(row.path) for row in rows):
                warnings.append("Nobody serves in this selection (no FIRE), so the clone cannot learn to serve.")
        if len({row.player for row in rows}) > 1 and not problem:
            warnings.append("Different players are mixed; the clone learns an average of them.")
        return Selection(
            len(rows),
            sum(row.episodes for row in rows),
            minutes,
            sum(row.ticks for row in rows),
            titles[0] if len(titles) == 1 else "",
            problem,
            tuple(warnings),
        )

    @property
    def can_train(self) -> bool:
        """True when the selection can be trained on and nothing is under way."""
        return not self.training and not self.selection.problem

    def start(self) -> None:
        """Train on what is chosen. A problem ends in FAILED with its sentence."""
        if not self.can_train:
            return
        paths = [row.path for row in self.rows if row.path in self.chosen]
        env = next(row.env for row in self.rows if row.path in self.chosen)
        self.curves, self.progress, self.messages, self.error = Curves(), None, [], ""
        self.score, self.stopped_early = None, False
        try:
            ensure_writable(self.library.policies)
            self.policy = self._free_path(env)
            config = TrainConfig.for_env(env, preset=self.preset, **self._overrides)
            arguments = {"sessions": [str(path) for path in paths], "config": config, "out": self.policy}
            self._job = self._start_job("trainer.fitting:fit", arguments)
        except (TwinplayError, OSError) as error:
            self._fail(str(error))
            return
        self.state = TrainState.TRAINING

    def stop(self) -> None:
        """Ask training to end and to keep the best so far."""
        if self.state is TrainState.TRAINING and self._job is not None:
            self._job.stop()
            self.state = TrainState.STOPPING

    def poll(self) -> bool:
        """Collect the records that arrived; returns whether anything changed."""
        if self._job is None:
            return False
        records = self._job.poll()
        for record in records:
            self._take(record)
        if self._job.state is JobState.RUNNING:
            return bool(records)
        state, error, self._job = self._job.state, self._job.error, None
        if state is JobState.FAILED:
            kept = "; the best clone so far was kept" if self.policy is not None and self.policy.exists() else ""
            self._fail(f"Training failed: {error}{kept}")
        elif self.policy is None or not self.policy.exists():
            self._fail("Training was stopped before there was a clone to keep.")
        else:
            self.state, self.stopped_early = TrainState.DONE, state is JobState.STOPPED
        return True

    def again(self) -> None:
        """Leave a result or an error and choose anew."""
        if not self.training:
            self.state, self.error = TrainState.CHOOSING, ""

    def shutdown(self, timeout: float = 15.0) -> None:
        """Stop training, wait up to `timeout` seconds for what it keeps, then end the process."""
        if self._job is None:
            return
        self._job.stop()
        deadline = time.monotonic() + timeout
        while self._job.state is JobState.RUNNING and time.monotonic() < deadline:
            self._job.poll()  # an unread pipe would hold the process up
            self._job.join(0.05)
        if self._job.state is JobState.RUNNING:
            self._job.kill()
        self._job = None
        self.state = TrainState.CHOOSING

    @property
    def fraction(self) -> float | None:
        """How much of the present stage is done, 0 to 1; None before it is known."""
        return None if self.progress is None else min(1.0, max(0.0, float(self.progress.fraction)))

    @property
    def accuracy_known(self) -> bool:
        """False once training runs on continuous actions, which are never simply right or wrong."""
        return not self.curves.batch or any(map(math.isfinite, self.curves.accuracy))

    @property
    def headline(self) -> str:
        """What is going on, in one line."""
        progress = self.progress
        if self.state is TrainState.STOPPING:
            return "Stopping; the best so far is kept…"
        if self.state is TrainState.DONE:
            played = "" if self.score is None else f" It scores {self.score:,.0f} on average in play."
            early = " Training was stopped early; the best so far was kept." if self.stopped_early else ""
            return f"Your twin is ready.{played}{early}"
        if self.state is TrainState.FAILED:
            return self.error
        if progress is None:
            return "Starting the training process…"
        stage = {"load": "Reading the sessions", "play": "Trying the clone in play"}.get(progress.stage, "Training")
        left = progress.eta_s
        if left is None or not math.isfinite(left):
            return f"{stage}…"
        return f"{stage} · {_time_left(left)} left"

    def _take(self, record: Progress) -> None:
        self.progress = record
        curves, batch = self.curves, float(record.batch)
        if _known(record.loss) and (not curves.batch or batch > curves.batch[-1]):
            curves.batch.append(batch)
            curves.loss.append(float(record.loss))
            curves.accuracy.append(float(record.accuracy) if _known(record.accuracy) else math.nan)
        if _known(record.val_loss) and (not curves.val_batch or batch > curves.val_batch[-1]):
            curves.val_batch.append(batch)
            curves.val_loss.append(float(record.val_loss))
            curves.val_accuracy.append(float(record.val_accuracy) if _known(record.val_accuracy) else math.nan)
        if _known(record.score):
            self.score = float(record.score)
            # The games that choose at the end are longer, so their scores belong to another curve.
            if record.stage == "train":
                curves.play_batch.append(batch)
                curves.play_score.append(self.score)
        if record.message and (not self.messages or self.messages[-1] != record.message):
            self.messages.append(record.message)

    def _has_serve(self, path: Path) -> bool:
        if path not in self._serves:
            try:
                self._serves[path] = bool((Session.open(path).actions == 1).any())
            except TwinplayError:
                self._serves[path] = True  # reading it again in training will say what is wrong
        return self._serves[path]

    def _free_path(self, env: str) -> Path:
        stem = f"{self._clock():%Y-%m-%dT%H-%M-%S}"
        path = self.library.policies / f"{stem}-{env}.safetensors"
        number = 2
        while path.exists():
            path = self.library.policies / f"{stem}.{number}-{env}.safetensors"
            number += 1
        return path

    def _fail(self, sentence: str) -> None:
        self.state, self.error = TrainState.FAILED, sentence


def _row(summary: SessionSummary) -> Row:
    problem = summary.problem
    if summary.state == "recording":
        problem = "is being recorded"
    elif not problem and not summary.ticks:
        problem = "is empty"
    return Row(
        summary.path,
        summary.env,
        summary.env_title or "Unreadable",
        player_label(summary.player),
        summary.player.get("kind") == "person",
        summary.created[:16].replace("T", " "),
        summary.episodes,
        summary.seconds / 60,
        summary.ticks,
        summary.mean_score,
        problem,
    )


def _known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _time_left(seconds: float) -> str:
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
