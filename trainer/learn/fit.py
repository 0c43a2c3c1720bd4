"""Behavioural cloning: from sessions to a policy, as a generator of Progress.

    load ─▶ look ─▶ train ─▶ play ─▶ done        close() at any moment keeps the best so far
              │       │ every so often: validate the averaged weights, let them play; the best are written to `out`
              │       │ every so many batches, and on close(): the checkpoint, from which another `fit` goes on
              │ a network that goes by where things are learns to see them; after the first part of that a
              │ first clone is trained in a moment, so that there is one to watch

The learning rate follows one cycle over the budget, whether that is counted in batches or in seconds. A budget in
seconds counts those of all sittings, but not what was lost with a process that was killed.

Of several processes (trainer.distributed) the first one does this, the others take the steps that it orders.
"""

from __future__ import annotations

import contextlib
import copy
import math
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from recorder.store.places import Place, keep_out_of_sessions, on_this_computer, place
from recorder.store.session import Session
from trainer.config import LOOK_SHARE, TrainConfig
from trainer.data.temporary import TemporaryFolder
from trainer.distributed import ProcessGroup
from trainer.errors import PolicyError, TrainingError
from trainer.evaluation.alike import Alike, Demonstration
from trainer.evaluation.select_by_play import Candidate, CandidateScore
from trainer.learn.checkpoint import CHECKPOINT_BATCHES, State, is_of, read_checkpoint, settings, write_checkpoint
from trainer.learn.choosing import SIGN_OF_LIFE_S, Choosing
from trainer.learn.learner import Learner, ValidationMetrics, below
from trainer.learn.operations import Operations
from trainer.learn.perception import Sample, sampling
from trainer.learn.seeing import learning_to_see
from trainer.learn.steps import Steps
from trainer.policy.keypoints import sight
from trainer.policy.policy import ActionSelection, Policy, save_policy
from trainer.progress.records import Progress

_VALIDATION_SAMPLES = 4_096
_CHOSEN = 0.8  # of the games at the end, roughly, where some more choose how to play like the demonstrator
_FIRST_CHECK = 0.4  # of the budget: earlier weights are never the best
_FIRST_TEMPERATURE = 0.25
_KEPT = ("loss", "check", "last")  # why weights are kept: the lowest loss, the best play in passing, the last ones


def fit(
    sessions: Sequence[Place | str | Session],
    config: TrainConfig | None = None,
    *,
    out: Path | str,
    episodes: Mapping[str, Sequence[int]] | None = None,
    checkpoint: Path | str | None = None,
    every: int = CHECKPOINT_BATCHES,
    run: str = "",
    group: ProcessGroup | None = None,
) -> Generator[Progress, None, None]:
    """Train a clone of `sessions` and write it to `out`, replacing a policy of that name.

    `config` defaults to the standard one of the sessions' environment. Closing the generator keeps the best so far.
    `episodes` names, for sessions that are not to be learned from whole, the indices of the episodes to take.

    `checkpoint` is a file that is replaced after `every` batches and on closing, and removed at the end. Where there is
    one, training goes on from it: with a budget in batches and on a CPU, to the very weights that it would have come to
    without the interruption. `run` is noted in the policy as where it comes from.

    `group` are the processes that train together, each of which calls this with the same arguments. The first one's
    records tell of the training, the others have none; it alone reads and writes the checkpoint and `out`.

    Raises SessionError, TrainingError, PolicyError or LibraryError before anything is written, when the input cannot be
    used or `out` lies in a session; a checkpoint of another training, or of sessions that have changed, is such an
    input.
    """
    group, out, began = group or ProcessGroup(), Path(out), time.monotonic()
    with contextlib.ExitStack() as stack:
        with group.all_or_none():
            opened = [session if isinstance(session, Session) else Session.open(session) for session in sessions]
            for file in (out, Path(checkpoint or out)):
                keep_out_of_sessions(on_this_computer(place(file)))
            if not out.parent.is_dir():
                raise PolicyError(f"{out} cannot be written: the folder {out.parent} does not exist; make it first")
            if out.is_dir():
                raise PolicyError(f"{out} is a folder; name a file for the policy")
            if not opened:
                raise TrainingError("no session is chosen; choose at least one to train on")
            env = opened[0].spec.name
            config = config.completed(env) if config else TrainConfig.for_env(env)
            steps = Steps(opened, config, episodes or {}, group)
            stack.callback(lambda: steps.close())
        sample: Sample | None = None
        if config.perceives:
            reason, resumed = "", checkpoint is not None and Path(checkpoint).exists()
            if resumed and is_of(Path(checkpoint or ""), config.without_perception(env)):
                reason = "it did so before it was interrupted"
            with group.all_or_none():
                for step in sampling(steps.data.tick_table, config) if group.first and not resumed else ():
                    if isinstance(step, Sample):
                        sample = step
                    elif isinstance(step, str):
                        reason = step
                    else:
                        yield Progress("load", step, message="" if step else "playing the recording again")
            if reason := group.agree(reason):
                steps.close()
                with group.all_or_none():
                    steps = Steps(opened, config.without_perception(env), episodes or {}, group)
                steps.data.warnings.append(f"the clone learns from screens alone, since {reason}")
        if not group.first:
            steps.follow()
            return
        kept_at = Path(checkpoint) if checkpoint else None
        training = _Training(opened, steps, sample, out, episodes, kept_at, every, run, began)
        sample = None  # the training lets go of its screens once they are not wanted any more
        stack.enter_context(training)
        try:
            yield from training.load()
            yield from training.train()
            yield from training.play()
            yield training.progress("done", 1.0, message=f"saved {out}", score=training.state.score)
        except GeneratorExit:
            training.write_checkpoint()
            group.dismiss()
            raise
        group.dismiss()


class _Training:
    """One training, from its sessions to its policy."""

    def __init__(
        self,
        sessions: Sequence[Session],
        steps: Steps,
        sample: Sample | None,
        out: Path,
        episodes: Mapping[str, Sequence[int]] | None,
        checkpoint: Path | None,
        every: int,
        run: str,
        began: float,
    ) -> None:
        self.steps = steps
        self.config = steps.config
        self.out = out
        self.sessions = sessions
        self.episodes = dict(episodes or {})
        self.run = run
        self.state = State()
        self.data = steps.data
        self.device = steps.group.device
        self.kept: dict[str, dict[str, Tensor]] = {}  # weights by why they are kept
        self.choosing = Choosing(self.data, self.config)
        self._alike: Alike | None = None
        self._sample = sample
        self._checkpoint = checkpoint
        self._every = every
        self._written = -1  # the batch of the latest checkpoint; none before the data are there
        self._ready = False
        self._began = self._train_began = began
        self._seconds_before = self._train_before = 0.0
        self._played_before = 0
        self._temporary = TemporaryFolder()
        self._files = 0

    @property
    def learner(self) -> Learner:
        """What learns."""
        return self.steps.learner

    @property
    def manner(self) -> ActionSelection:
        """How the kept weights play best, as far as is known."""
        if self.state.manner is None and self.config.perceives:
            last = len(self.config.label_windows) - 1
            shares = self.data.action_shares
            return ActionSelection(_FIRST_TEMPERATURE, self.data.rare_actions, last, self.config.pasts[-1], shares)
        if self.state.manner is None:
            return ActionSelection(1.0, self.data.rare_actions, past=self.config.pasts[0])
        return ActionSelection.from_json(self.state.manner)

    @property
    def seconds(self) -> float:
        """Of all sittings."""
        return self._seconds_before + time.monotonic() - self._began

    def progress(
        self,
        stage: str,
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
            seconds=self.seconds,
            eta_s=eta_s,
            loss=state.loss,
            accuracy=state.accuracy,
            val_loss=state.val_loss,
            val_accuracy=state.val_accuracy,
            score=score,
            confusion=metrics.confusion if metrics else None,
            message=message,
        )

    def load(self) -> Iterator[Progress]:
        ticks = f"{self.data.ticks:,} ticks of {len(self.sessions)} session{'s' if len(self.sessions) > 1 else ''}"
        resumed = self._checkpoint is not None and self._checkpoint.exists()
        if self.config.perceives and resumed:
            yield from self._recall()
        elif self._sample is not None:
            sample, self._sample = self._sample, None
            yield from self._look(sample)
            del sample
        yield self.progress("load", 0.0, message=f"reading {ticks}")
        reported = time.monotonic()
        for fraction in self.steps.load():
            if time.monotonic() - reported >= SIGN_OF_LIFE_S:
                reported = time.monotonic()
                yield self.progress("load", fraction)
        self.steps.start(self._restore if resumed else None)
        for _ in self.data.resume(self.state.batch):
            yield self.progress("load", 1.0)
        yield self.progress("load", 1.0)
        for warning in self.data.warnings:
            yield self.progress("load", 1.0, message=warning)
        if resumed:
            yield self.progress("load", 1.0, message=f"going on after {self.state.batch:,} batches")
        self._ready = True

    def _recall(self) -> Iterator[Progress]:
        """See as before the interruption."""
        assert self._checkpoint is not None
        tensors, *_ = read_checkpoint(self._checkpoint, self._kind_of_training())
        try:
            self.steps.see(sight(below(tensors, "net")))
        except (ValueError, RuntimeError):
            raise TrainingError(f"{self._checkpoint} is damaged; remove it to train anew") from None
        yield self.progress("load", 0.0)

    def _look(self, sample: Sample) -> Iterator[Progress]:
        """Learn to see where things are."""
        began = reported = time.monotonic()
        for seen in learning_to_see(self.steps, sample, self.choosing.most_ticks, self._keep_first):
            now = time.monotonic()
            if seen.message or now - reported >= SIGN_OF_LIFE_S:
                reported, self.state.operations = now, seen.operations
                left = (now - began) * (1 - seen.share) / seen.share if seen.share else None
                yield self.progress("look", seen.share, left, seen.message)

    def _keep_first(self, learner: Learner) -> None:
        save_policy(self.out, learner.average, self._header())

    def train(self) -> Iterator[Progress]:
        config, state = self.config, self.state
        if state.stage != "train":
            return
        self._train_before, self._train_began = state.train_s, time.monotonic()
        reported = time.monotonic()
        self.learner.net.train()
        while True:
            used = self._budget_used()
            if used >= (state.validated + 1) / config.validations or used >= 1.0:
                state.validated = max(state.validated + 1, math.floor(used * config.validations))
                metrics = self._validate()
                yield self.progress("train", used, self._eta(used), metrics=metrics)
                if used >= 1.0:
                    break
            if state.stale >= config.patience:
                yield self.progress("train", used, 0.0, "validation stopped improving; ending early")
                break
            if state.checked < config.checks and config.play_games:
                due = _FIRST_CHECK + (1 - _FIRST_CHECK) * (state.checked + 1) / (config.checks + 1)
                if used >= due:
                    yield from self._check(used)
            if state.batch % self._every == 0 and state.batch:
                self.write_checkpoint()
            self._step(used)
            if time.monotonic() - reported >= SIGN_OF_LIFE_S:
                reported = time.monotonic()
                yield self.progress("train", used, self._eta(used))

    def play(self) -> Iterator[Progress]:
        """Choose the weights, and how to play them, by playing."""
        config, state = self.config, self.state
        if state.stage == "train":
            state.stage = "play"
            self.kept["last"] = self._weights()
            self.write_checkpoint()
        if not config.play_games:
            self._finish("loss" if "loss" in self.kept else "last")
            return
        if {"loss", "last"} <= set(self.kept) and (config.perceives or _equal(self.kept["loss"], self.kept["last"])):
            del self.kept["last"]  # the average of a perceptron's weights hardly changes any more
        files = {str(self._policy_file(name)): name for name in _KEPT if name in self.kept}
        chosen = _CHOSEN if config.perceives else 1.0
        yield self.progress("play", 0.0, message="trying it in play")
        best: CandidateScore | None = None
        for step in self.choosing.best(list(files)):
            if isinstance(step, CandidateScore):
                best = step
            else:
                yield self.progress("play", chosen * step)
        assert best is not None
        state.manner, state.score = best.candidate.manner.to_json(), best.score
        self.save(files[best.candidate.policy])  # whatever becomes of the games that follow
        yield from self._find_alike(best.candidate)
        self._finish(files[best.candidate.policy])
        message = f"plays best {_manner_text(self.manner, config, self.data.spec.discrete)}"
        yield self.progress("play", 1.0, message=message, score=state.score)

    def _find_alike(self, best: Candidate) -> Iterator[Progress]:
        """Choose how it plays like its demonstrator, where its network knows how hands move."""
        demonstration = Demonstration.of(self.sessions, self.episodes) if self.config.perceives else None
        if demonstration is None:
            return
        for step in self.choosing.alike(best, demonstration):
            if isinstance(step, Alike) and step.plays_best:
                self.state.manner, self.state.score = step.manner.to_json(), step.score
            elif isinstance(step, Alike):
                self._alike = step
                message = f"plays like its demonstrator at {step.score:,.1f} points"
                yield self.progress("play", 1.0, message=message)
            else:
                yield self.progress("play", _CHOSEN + (1 - _CHOSEN) * step)

    def write_checkpoint(self) -> None:
        """Replace the checkpoint, if one is wanted and there is something new to keep."""
        if self._checkpoint is None or not self._ready or self._written == self.state.batch:
            return
        self.state.seconds, self.state.played = self.seconds, self._played
        if self.state.stage == "train":
            self.state.train_s = self._train_s
        tensors = self.learner.tensors()
        for why, weights in self.kept.items():
            tensors |= {f"kept/{why}/{name}": value for name, value in weights.items()}
        write_checkpoint(self._checkpoint, tensors, self._belongs(), self.state, self.steps.rng.bit_generator.state)
        self._written = self.state.batch if self.state.stage == "train" else -1

    def __enter__(self) -> _Training:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Keep the best so far, whatever happened, and clean up."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._temporary.close)
            stack.callback(self.choosing.close)
            if not self.state.saved and self.state.batch:
                self.kept["last"] = self._weights()
                if isinstance(error, Exception):  # it is the one to tell
                    stack.enter_context(contextlib.suppress(PolicyError))
                self.save("last")

    def save(self, name: str) -> None:
        """Write the weights kept under this name."""
        save_policy(self.out, self._player(self.kept[name]).net, self._header())
        self.state.saved = True

    def _finish(self, name: str) -> None:
        self.save(name)
        self._ready = False
        if self._checkpoint is not None:
            self._checkpoint.unlink(missing_ok=True)

    def _belongs(self) -> dict[str, Any]:
        return {**self._kind_of_training(), "data": self.data.fingerprint()}

    def _kind_of_training(self) -> dict[str, Any]:
        return {"env": self.data.spec.name, "config": settings(self.config)}

    def _restore(self) -> None:
        assert self._checkpoint is not None
        tensors, self.state, generator = read_checkpoint(self._checkpoint, self._belongs())
        try:
            self.learner.restore(tensors)
            self.steps.rng.bit_generator.state = generator
            expected = {name: value.shape for name, value in self.learner.average.state_dict().items()}
            for why in _KEPT:
                weights = {name: value.to(self.device) for name, value in below(tensors, f"kept/{why}").items()}
                if weights and {name: value.shape for name, value in weights.items()} != expected:
                    raise ValueError(f"the weights kept for {why} are of another network")
                if weights:
                    self.kept[why] = weights
            self.state.saved = self.state.saved and self.out.exists()
            _ = self.manner
        except (ValueError, TypeError, KeyError, RuntimeError, OverflowError) as error:
            reason = (str(error).splitlines() or [""])[0][:160]
            raise TrainingError(f"{self._checkpoint} is damaged ({reason}); remove it to train anew") from None
        self._seconds_before, self._began = self.state.seconds, time.monotonic()
        self._played_before = self.state.played

    def _weights(self) -> dict[str, Tensor]:
        return copy.deepcopy(self.learner.average.state_dict())

    def _step(self, used: float) -> None:
        state = self.state
        loss, accuracy = self.steps.take(state.batch + 1, used)
        state.batch += 1
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss became {loss} at batch {state.batch}; lower the learning rate "
                f"({self.config.learning_rate:g}) and train again"
            )
        share = max(0.02, 1 / state.batch)
        state.loss = loss if state.loss is None else state.loss + share * (loss - state.loss)
        if accuracy is not None:
            before = state.accuracy
            state.accuracy = accuracy if before is None else before + share * (accuracy - before)

    def _validate(self) -> ValidationMetrics:
        """Judge the averaged weights on held-out episodes; keep and save them if they are the best so far."""
        state = self.state
        metrics = self.learner.validate(self.data.validation_batches(256, _VALIDATION_SAMPLES))
        state.val_loss, state.val_accuracy = metrics.loss, metrics.accuracy
        if state.best_loss is not None and metrics.loss >= state.best_loss:
            state.stale += 1
            return metrics
        state.stale, state.best_loss = 0, metrics.loss
        self.kept["loss"] = self._weights()
        if "check" not in self.kept:
            self.save("loss")
        return metrics

    def _check(self, used: float) -> Iterator[Progress]:
        """Let the present weights play a little; keep them if no earlier ones scored more."""
        state = self.state
        now = self._weights()
        file = str(self._policy_file("now", now))
        best: CandidateScore | None = None
        for step in self.choosing.in_passing(file):
            if isinstance(step, CandidateScore):
                best = step
            else:
                yield self.progress("train", used)
        assert best is not None
        state.checked += 1
        state.score = best.score
        if state.best_check is None or best.score >= state.best_check:
            state.best_check, state.manner = best.score, best.candidate.manner.to_json()
            self.kept["check"] = now
            self.save("check")
        message = f"in short games after {state.batch:,} batches: {state.score:,.1f} points"
        yield self.progress("train", used, message=message, score=state.score)

    def _policy_file(self, name: str, weights: dict[str, Tensor] | None = None) -> Path:
        """A file of the weights kept under this name, or of these, for those who try them in play."""
        self._files += 1
        path = self._temporary.path / f"{self._files}.safetensors"
        save_policy(path, self._player(weights or self.kept[name]).net, self._header())
        return path

    def _player(self, weights: dict[str, Tensor]) -> Policy:
        net = copy.deepcopy(self.learner.average)
        net.load_state_dict(weights)
        return Policy(net, self.data.spec, self.config, device=self.device)

    def _header(self) -> dict[str, Any]:
        state = self.state
        return {
            "env": self.data.spec.to_json(),
            "config": self.config.to_json(),
            "play": self.manner.to_json(),
            **({"alike": self._alike.to_json()} if self._alike else {}),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "run": self.run,
            "sessions": [
                {
                    "name": session.name,
                    "digest": session.attributes.get("digest") or session.digest(),
                    "player": session.player,
                    "ticks": len(session),
                    "total_rewards": session.games,
                    **({"episodes": list(self.episodes[session.name])} if session.name in self.episodes else {}),
                }
                for session in self.sessions
            ],
            "training": {
                "batches": state.batch,
                "seconds": round(self.seconds, 1),
                "operations": self._operations,
                "validation_loss": state.best_loss,
                "validation_accuracy": state.val_accuracy,
                "score_in_play": state.score,
                "warnings": self.data.warnings,
                "torch": str(torch.__version__),
            },
        }

    @property
    def _operations(self) -> int:
        """The floating-point operations that all of it took so far."""
        state, located = self.state, self.data.ticks if self.config.perceives else 0
        return state.operations + self._one_each.whole(0, located, state.batch * self.config.batch_ticks, self._played)

    @property
    def _played(self) -> int:
        """Ticks of games, of all sittings."""
        return self._played_before + self.choosing.ticks

    @cached_property
    def _one_each(self) -> Operations:
        return Operations.of(self.learner.average, self.config)

    @property
    def _train_s(self) -> float:
        return self._train_before + time.monotonic() - self._train_began

    def _budget_used(self) -> float:
        shares = []
        if self.config.max_batches is not None:
            shares.append(self.state.batch / self.config.max_batches)
        if self.config.max_seconds is not None:
            rest = 1.0 - (LOOK_SHARE if self.config.perceives else 0.0)
            shares.append(self._train_s / (rest * self.config.max_seconds))
        return max(shares)

    def _eta(self, used: float) -> float | None:
        return self._train_s * (1 - used) / used if used > 0.01 else None


def _equal(weights: dict[str, Tensor], others: dict[str, Tensor]) -> bool:
    return all(torch.equal(weight, others[name]) for name, weight in weights.items())


def _manner_text(manner: ActionSelection, config: TrainConfig, discrete: bool) -> str:
    shift = config.shift_of(manner.output)
    late = f", {shift} ticks quicker than its demonstrator" if shift else ""
    if not discrete:
        return f"as it is{late}"
    if len(config.pasts) > 1:
        late += ", seeing its paddle's past" if manner.past else ", not seeing its paddle's past"
    if len(config.label_windows) > 1:
        window = config.window_of(manner.output)
        late += f", by what is done in the next {window} ticks" if window > 1 else ", tick by tick"
    late += ", each action weighed by how rarely it is taken" if manner.prior else ""
    if manner.pull is not None:
        return f"moving its hands as its demonstrator does{late}"
    if manner.temperature == 0:
        return f"by the likeliest action{late}"
    return f"by drawing actions at temperature {manner.temperature:g}{late}"
