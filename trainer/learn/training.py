"""One training: its state, its results, and how it resumes after an interruption."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

from recorder.errors import TwinplayError, first_line
from recorder.library.names import default_name
from recorder.store.session import Session
from recorder.system.records import plain
from trainer.data.chosen_episodes import ticks_learned
from trainer.errors import PolicyError, TrainingError
from trainer.evaluation.alike import Alike
from trainer.evaluation.demonstrator import scores_from_the_start, scores_learned_from
from trainer.evaluation.select_by_play import CandidateScore
from trainer.learn.budget import Budget
from trainer.learn.checkpoint import State, read_checkpoint, settings, write_checkpoint
from trainer.learn.choosing import Choosing, first_selection
from trainer.learn.kept_weights import KeptWeights, Weights
from trainer.learn.learner import Learner, ValidationMetrics
from trainer.learn.operations import Operations
from trainer.learn.origin import Origin
from trainer.learn.sample import Sample
from trainer.learn.training_process import TrainingProcess
from trainer.policy.action_selection import ActionSelection
from trainer.policy.header import SeenPosition, read_header
from trainer.policy.policy_file import save_policy
from trainer.progress.records import Progress, Stage


class Training:
    """One training, from its sessions to its policy."""

    def __init__(
        self,
        sessions: Sequence[Session],
        process: TrainingProcess,
        sample: Sample | None,
        out: Path,
        episodes: Mapping[str, Sequence[int]] | None,
        checkpoint: Path | None,
        every: int,
        run: str,
        began: float,
        origin: Origin | None = None,
    ) -> None:
        self.process = process
        self.config = process.config
        self.out = out
        self.sessions = sessions
        self.episodes = dict(episodes or {})
        self.run = run
        self._called = "" if out.stem == run else _called(out, run)
        self.origin = origin
        self.state = State(positions=_seen(sample, origin))
        self.data = process.data
        self.budget = Budget(self.config, began)
        self.choosing = Choosing(self.data, self.config)
        self.kept = KeptWeights(lambda: self.learner, self._header)
        self.alike: Alike | None = None
        self.sample = sample
        self.checkpoint = checkpoint
        self.every = every
        self._written = -1  # the batch of the latest checkpoint; -1 before the data are loaded
        self.ready = False
        self._played_before = 0
        self._scores: dict[int, tuple[float, ...]] = {}  # the demonstrator's, by the ticks that count

    @property
    def learner(self) -> Learner:
        """The learner of this process."""
        return self.process.learner

    @property
    def selection(self) -> ActionSelection:
        """How the kept weights play best, as known so far."""
        if self.state.manner is not None:
            return ActionSelection.from_json(self.state.manner)
        if self.origin is not None:
            return self.origin.selection
        return first_selection(self.config, self.data)

    def progress(
        self,
        stage: Stage,
        fraction: float,
        eta_s: float | None = None,
        message: str = "",
        score: float | None = None,
        metrics: ValidationMetrics | None = None,
    ) -> Progress:
        state = self.state
        return Progress(
            stage=stage,
            fraction=min(1.0, fraction),
            batch=state.batch,
            batches=self.config.max_batches,
            epoch=state.batch * self.config.batch_ticks / self.data.train_ticks,
            seconds=self.budget.seconds,
            eta_s=eta_s,
            loss=state.loss,
            accuracy=state.accuracy,
            val_loss=state.val_loss,
            val_accuracy=state.val_accuracy,
            score=score,
            confusion=metrics.confusion if metrics else None,
            message=message,
        )

    def take_sample(self) -> Sample:
        """Hand over the sample, so that its screens are freed once they are replaced by those of a larger one."""
        sample, self.sample = self.sample, None
        assert sample is not None
        return sample

    def keep_first(self, learner: Learner) -> None:
        """Write a first clone, to watch until there is a better one.

        It then plays on one core, for longer than a scout needs another: time to start processes for test games.
        """
        save_policy(self.out, learner.average, self._header())
        self.choosing.get_ready()

    def keep(self, reason: str, weights: Weights | None = None) -> None:
        """Keep weights (default: the current ones) for a reason, with the accuracy of the latest validation."""
        self.kept.keep(reason, weights)
        self.state.accuracies[reason] = self.state.val_accuracy

    def judged(self, by_play: CandidateScore) -> None:
        """Test games were played."""
        state = self.state
        state.score, state.score_games, state.score_ticks = by_play.score, len(by_play.played), by_play.ticks

    def write_checkpoint(self) -> None:
        """Replace the checkpoint, if one is wanted and something has changed."""
        if self.checkpoint is None or not self.ready or self._written == self.state.batch:
            return
        self.state.seconds, self.state.played = self.budget.seconds, self._played
        if self.state.stage == "train":
            self.state.train_s = self.budget.train_s
        tensors = self.learner.tensors() | self.kept.tensors()
        generator = self.process.rng.bit_generator.state
        write_checkpoint(self.checkpoint, tensors, self._fingerprint(), self.state, generator)
        self._written = self.state.batch if self.state.stage == "train" else -1

    def __enter__(self) -> Training:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Keep the best so far in any case, and clean up."""
        with contextlib.ExitStack() as stack:
            stack.callback(self.kept.close)
            stack.callback(self.choosing.close)
            if not self.state.saved and self.state.batch:
                self.keep("last")
                if isinstance(error, Exception):  # report this one, not a second one from cleaning up
                    stack.enter_context(contextlib.suppress(PolicyError))
                self.save("last")

    def save(self, reason: str) -> None:
        """Write the weights kept for a reason as the policy."""
        self.kept.save(reason, self.out)
        self.state.saved = True

    def finish(self, reason: str) -> None:
        """End the training: write the weights kept for a reason as the policy, and remove the checkpoint."""
        self.save(reason)
        self.ready = False
        if self.checkpoint is not None:
            self.checkpoint.unlink(missing_ok=True)

    def _fingerprint(self) -> dict[str, Any]:
        return {**self.kind_of_training(), "data": self.data.fingerprint()}

    def kind_of_training(self) -> dict[str, Any]:
        """The part of a checkpoint's identification that is known before the data are read."""
        return {"env": self.data.spec.name, "config": settings(self.config)}

    def restore(self) -> None:
        """Resume from the checkpoint. Raises TrainingError for a damaged one, and for one of another training."""
        assert self.checkpoint is not None
        tensors, self.state, generator = read_checkpoint(self.checkpoint, self._fingerprint())
        try:
            self.learner.restore(tensors)
            self.process.rng.bit_generator.state = generator
            self.kept.restore(tensors)
            self.state.saved = self.state.saved and self.out.exists()
            _ = self.selection
        except (ValueError, TypeError, KeyError, RuntimeError, OverflowError) as error:
            reason = first_line(error)
            raise TrainingError(f"{self.checkpoint} is damaged ({reason}); delete it to start a new training") from None
        self.budget.resume(self.state.seconds)
        self._played_before = self.state.played

    def _header(self, reason: str = "") -> dict[str, Any]:
        """The header of a policy with the weights that are kept for a reason; none: the current ones."""
        state = self.state
        training = {
            "batches": state.batch,
            "seconds": round(self.budget.seconds, 1),
            "operations": self._operations,
            "validation_loss": state.best_loss,
            "validation_accuracy": state.accuracies.get(reason, state.val_accuracy),
            "score_in_play": state.score,
            "score_games": state.score_games,
            "score_ticks": state.score_ticks,
            "demonstrator_scores": self._demonstrator_scores,
            "warnings": self.data.warnings,
            "torch": str(torch.__version__),
        }
        now, players = datetime.now(UTC).isoformat(timespec="seconds"), [session.player for session in self.sessions]
        called = default_name(players, state.score, now) if self.out.stem == self.run else self._called
        return {
            "env": self.data.spec.to_json(),
            "config": self.config.to_json(),
            "play": self.selection.to_json(),
            **({"alike": self.alike.to_json()} if self.alike else {}),
            **({"called": called} if called else {}),
            "created": now,
            "run": self.run,
            **({"parent": self.origin.to_json()} if self.origin is not None else {}),
            "sessions": self._learned_from,
            **({"positions": plain(self.state.positions)} if self.state.positions else {}),
            "training": training,
        }

    @property
    def _demonstrator_scores(self) -> tuple[float, ...]:
        """The demonstrator's scores, to compare with that of the test games; none before there are any."""
        ticks = self.state.score_ticks
        if ticks and ticks not in self._scores:
            with contextlib.suppress(TwinplayError):  # a session may have gone since it was read
                self._scores[ticks] = scores_learned_from(self.sessions, self.episodes, ticks)
        return self._scores.get(ticks, ())

    @cached_property
    def _learned_from(self) -> list[dict[str, Any]]:
        learned = ticks_learned(self.sessions, self.episodes)
        return [_told(session, self.episodes, ticks) for session, ticks in zip(self.sessions, learned, strict=True)]

    @property
    def _operations(self) -> int:
        """The floating-point operations of the training so far."""
        state, located = self.state, self.data.ticks if self.config.perceives else 0
        return state.operations + self._one_each.whole(0, located, state.batch * self.config.batch_ticks, self._played)

    @property
    def _played(self) -> int:
        """The ticks of all test games, also before an interruption."""
        return self._played_before + self.choosing.ticks

    @cached_property
    def _one_each(self) -> Operations:
        return Operations.of(self.learner.average, self.config)


def _seen(sample: Sample | None, origin: Origin | None) -> tuple[SeenPosition, ...]:
    """What the network sees, if that is known."""
    if sample is not None:
        return sample.places.told
    return () if origin is None or origin.earlier is None else origin.earlier.places.told


def _told(session: Session, episodes: Mapping[str, Sequence[int]], learned: int) -> dict[str, Any]:
    """The entry in a policy's header for a session of which it learned from so many ticks."""
    together = session.corrections
    return {
        "name": session.name,
        "digest": session.attributes.get("digest") or session.digest(),
        "player": session.player,
        "ticks": len(session),
        "learned": learned,
        "total_rewards": scores_from_the_start(session),
        **({"corrections": int(together.to_imitate().sum())} if together is not None else {}),
        **({"episodes": list(episodes[session.name])} if session.name in episodes else {}),
    }


def _called(policy: Path, run: str) -> str:
    """What people called the policy of a run that is resumed, where its file's name does not say it."""
    with contextlib.suppress(PolicyError):
        header = read_header(policy)
        if header.get("run") == run:
            return str(header.get("called", ""))
    return ""
