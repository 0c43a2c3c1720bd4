"""The stages of a training, each a generator of Progress that works on a given Training.

load (and look, if the network learns to see) ─▶ train ─▶ play
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

from recorder.system.texts import count
from trainer.errors import TrainingError
from trainer.evaluation.alike import Demonstration
from trainer.evaluation.select_by_play import CandidateScore
from trainer.learn.checkpoint import read_checkpoint
from trainer.learn.choosing import SIGN_OF_LIFE_S, selection_text
from trainer.learn.learner import ValidationMetrics, below
from trainer.learn.seeing import learning_to_see, learning_to_see_better
from trainer.learn.training import Training
from trainer.policy.keypoints import sight
from trainer.progress.records import Progress

_VALIDATION_SAMPLES = 4_096
_FIRST_CHECK = 0.4  # of the budget: earlier weights are never the best


def load(training: Training) -> Iterator[Progress]:
    """Learn to see, if the network does, and load the ticks; or restore this from a checkpoint."""
    ticks = f"{count(training.data.ticks, 'tick')} of {count(len(training.sessions), 'session')}"
    resumed = training.checkpoint is not None and training.checkpoint.exists()
    if training.config.perceives and resumed:
        yield from _recall(training)
    elif training.sample is not None:
        yield from _look(training)
    yield training.progress("load", 0.0, message=f"reading {ticks}")
    reported = time.monotonic()
    for fraction in training.process.load():
        if time.monotonic() - reported >= SIGN_OF_LIFE_S:
            reported = time.monotonic()
            yield training.progress("load", fraction)
    training.process.start(training.restore if resumed else None)
    for _ in training.data.resume(training.state.batch):
        yield training.progress("load", 1.0)
    yield training.progress("load", 1.0)
    for warning in training.data.warnings:
        yield training.progress("load", 1.0, message=warning)
    if resumed:
        yield training.progress("load", 1.0, message=f"resuming after {training.state.batch:,} batches")
    training.ready = True


def _recall(training: Training) -> Iterator[Progress]:
    """Restore how the network sees from the checkpoint."""
    assert training.checkpoint is not None
    tensors, *_ = read_checkpoint(training.checkpoint, training.kind_of_training())
    try:
        training.process.see(sight(below(tensors, "net")))
    except (ValueError, RuntimeError):
        raise TrainingError(f"{training.checkpoint} is damaged; delete it to start a new training") from None
    yield training.progress("load", 0.0)


def _look(training: Training) -> Iterator[Progress]:
    """Learn to see where things are."""
    began = reported = time.monotonic()
    if training.origin is not None:
        look = learning_to_see_better(training.process, training.take_sample())
    else:
        ticks = training.choosing.likely_ticks
        look = learning_to_see(training.process, training.take_sample(), ticks, training.keep_first)
    for seen in look:
        now = time.monotonic()
        if seen.message or now - reported >= SIGN_OF_LIFE_S:
            reported, training.state.operations = now, seen.operations
            left = (now - began) * (1 - seen.share) / seen.share if seen.share else None
            yield training.progress("look", seen.share, left, seen.message)


def train(training: Training) -> Iterator[Progress]:
    """Learn to play, until the budget is used or validation no longer improves."""
    config, state = training.config, training.state
    if state.stage != "train":
        return
    training.budget.start(state.train_s)
    reported = time.monotonic()
    training.learner.net.train()
    while True:
        used = training.budget.used(state.batch)
        if used >= (state.validated + 1) / config.validations or used >= 1.0:
            state.validated = max(state.validated + 1, math.floor(used * config.validations))
            metrics = _validate(training)
            yield training.progress("train", used, training.budget.left_s(used), metrics=metrics)
            if used >= 1.0:
                break
        if state.stale >= config.patience:
            yield training.progress("train", used, 0.0, "the validation loss no longer improves; stopping early")
            break
        if state.checked < config.checks and config.play_games:
            due = _FIRST_CHECK + (1 - _FIRST_CHECK) * (state.checked + 1) / (config.checks + 1)
            if used >= due:
                yield from _check(training, used)
        if state.batch % training.every == 0 and state.batch:
            training.write_checkpoint()
        _step(training, used)
        if time.monotonic() - reported >= SIGN_OF_LIFE_S:
            reported = time.monotonic()
            yield training.progress("train", used, training.budget.left_s(used))


def _step(training: Training, used: float) -> None:
    state = training.state
    loss, accuracy = training.process.take_step(state.batch + 1, used)
    state.batch += 1
    if not math.isfinite(loss):
        raise TrainingError(
            f"the loss became {loss} at batch {state.batch}; lower the learning rate "
            f"({training.config.learning_rate:g}) and train again"
        )
    share = max(0.02, 1 / state.batch)
    state.loss = loss if state.loss is None else state.loss + share * (loss - state.loss)
    if accuracy is not None:
        before = state.accuracy
        state.accuracy = accuracy if before is None else before + share * (accuracy - before)


def _validate(training: Training) -> ValidationMetrics:
    """Judge the averaged weights on held-out episodes; keep and save them if they are the best so far."""
    state = training.state
    metrics = training.learner.validate(training.data.validation_batches(256, _VALIDATION_SAMPLES))
    state.val_loss, state.val_accuracy = metrics.loss, metrics.accuracy
    if state.best_loss is not None and metrics.loss >= state.best_loss:
        state.stale += 1
        return metrics
    state.stale, state.best_loss = 0, metrics.loss
    training.keep("loss")
    if "check" not in training.kept:
        training.save("loss")
    return metrics


def _check(training: Training, used: float) -> Iterator[Progress]:
    """Play a few test games with the current weights; keep them if no earlier ones scored more."""
    state = training.state
    now = training.kept.present()
    file = str(training.kept.file(now))
    best: CandidateScore | None = None
    for step in training.choosing.in_passing(file):
        if isinstance(step, CandidateScore):
            best = step
        else:
            yield training.progress("train", used)
    assert best is not None
    state.checked += 1
    training.judged(best)
    if state.best_check is None or best.score >= state.best_check:
        state.best_check, state.manner = best.score, best.candidate.selection.to_json()
        training.keep("check", now)
        training.save("check")
    message = f"short test games after {state.batch:,} batches: mean score {state.score:,.1f}"
    yield training.progress("train", used, message=message, score=state.score)


def play(training: Training) -> Iterator[Progress]:
    """Choose the weights, and the way to play, by test games."""
    config, state = training.config, training.state
    if state.stage == "train":
        state.stage = "play"
        training.keep("last")
        training.write_checkpoint()
    if not config.play_games:
        training.finish("loss" if "loss" in training.kept else "last")
        return
    if "loss" in training.kept and "last" in training.kept and (config.perceives or training.kept.same("loss", "last")):
        training.kept.drop("last")  # the average of a perceptron's weights hardly changes any more
    files = {str(training.kept.file(reason)): reason for reason in training.kept.reasons}
    demonstration = Demonstration.of(training.sessions, training.episodes) if config.perceives else None
    yield training.progress("play", 0.0, message="playing test games")
    best: CandidateScore | None = None
    for step in training.choosing.best(list(files), demonstration):
        if isinstance(step, float):
            yield training.progress("play", step)
        elif isinstance(step, CandidateScore):
            best = step
            state.manner = best.candidate.selection.to_json()
            training.judged(best)
            training.save(files[best.candidate.policy])  # in case the following games are interrupted
        elif step.plays_best:
            assert best is not None
            state.manner = step.selection.to_json()
            training.judged(CandidateScore(best.candidate, step.played, best.ticks))
        else:
            training.alike = step
            message = f"when it plays like its demonstrator: mean score {step.score:,.1f}"
            yield training.progress("play", 1.0, message=message)
    assert best is not None
    training.finish(files[best.candidate.policy])
    message = f"plays best with {selection_text(training.selection, config, training.data.spec.discrete)}"
    yield training.progress("play", 1.0, message=message, score=state.score)
