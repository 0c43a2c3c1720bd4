"""Behavioural cloning: from sessions to a policy, as a generator of Progress.

    load ─▶ look ─▶ train ─▶ play ─▶ done        close() at any moment keeps the best so far
              │       │ every so often: validate the averaged weights, let them play; the best are written to `out`
              │       │ every so many batches, and on close(): the checkpoint, from which another `fit` goes on
              │ a network that uses positions learns to see them; after the first part of this stage a
              │ first clone is trained quickly, so that you can watch one early

The learning rate follows one cycle over the budget, in batches or in seconds. A budget in seconds counts the time
before and after pauses, but not the work lost with a killed process.

With several processes (trainer.distributed) the first one does this; the others take the steps that it orders.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

from recorder.store.places import Place, keep_out_of_sessions, on_this_computer, place
from recorder.store.session import Session
from trainer.config import TrainConfig
from trainer.data.blinking import pooling
from trainer.data.own_band import hiding_own
from trainer.data.playfield import framed
from trainer.distributed import ProcessGroup
from trainer.errors import PolicyError, TrainingError
from trainer.learn.checkpoint import CHECKPOINT_BATCHES, as_begun, is_of
from trainer.learn.origin import Origin
from trainer.learn.replays import NoSample
from trainer.learn.sample import Sample, sampling
from trainer.learn.stages import load, play, train
from trainer.learn.training import Training
from trainer.learn.training_process import TrainingProcess
from trainer.progress.records import Progress


def fit(
    sessions: Sequence[Place | str | Session],
    config: TrainConfig | None = None,
    *,
    out: Path | str,
    episodes: Mapping[str, Sequence[int]] | None = None,
    checkpoint: Path | str | None = None,
    every: int = CHECKPOINT_BATCHES,
    run: str = "",
    parent: Path | str | None = None,
    group: ProcessGroup | None = None,
) -> Generator[Progress, None, None]:
    """Train a clone of `sessions` and write it to `out`, replacing a policy of that name.

    `config` defaults to the standard one of the sessions' environment. Closing the generator keeps the best so far.
    `episodes` maps the name of a session to the indices of its chosen episodes; other sessions are used whole.
    `checkpoint` is a file that is replaced every `every` batches and on closing, and removed at the end. If it exists,
    training resumes from it; on a CPU and with a budget in batches it then ends with the same weights as without the
    interruption. `run` is stored in the policy as its origin. With a `parent`, a policy file, learning goes on from its
    weights; `config` defaults to a shorter training than the parent's (`TrainConfig.further`). `group` are the
    processes that train together; each calls this with the same arguments. Only the first one yields records, writes
    the checkpoint and `out`, and resumes from the checkpoint; all read its settings.

    Raises SessionError, TrainingError, PolicyError or LibraryError before anything is written, when the input cannot be
    used, `out` lies in a session, or the checkpoint is of another training or of sessions that have changed.
    """
    group, out, began = group or ProcessGroup(), Path(out), time.monotonic()
    kept_at = Path(checkpoint) if checkpoint else None
    with contextlib.ExitStack() as stack:
        with group.all_or_none():
            opened = [session if isinstance(session, Session) else Session.open(session) for session in sessions]
            _check_input(opened, out, kept_at)
            origin = None if parent is None else Origin.read(Path(parent), opened[0].spec, out)
            config = _completed(config, opened, origin, kept_at)
            process = TrainingProcess(opened, config, episodes or {}, group, None if origin is None else origin.net)
            stack.callback(lambda: process.close())
        sample, reason = yield from _sample(process, kept_at, origin)
        if (reason := group.agree(reason)) and origin is not None:
            process.data.warnings.append(f"the policy sees as the one that it goes on from: {reason}")
        elif reason:
            process = process.without_perception(reason)
        elif origin is None:
            process = process.with_positions(group.agree(0 if sample is None else len(sample.places.bytes_)))
        if not group.first:
            process.follow()
            return
        training = Training(opened, process, sample, out, episodes, kept_at, every, run, began, origin)
        del sample  # so that the training can free its screens
        stack.enter_context(training)
        try:
            yield from load(training)
            yield from train(training)
            yield from play(training)
            yield training.progress("done", 1.0, message=f"saved {out}", score=training.state.score)
        except GeneratorExit:
            training.write_checkpoint()
            group.end_training()
            raise
        group.end_training()


def _check_input(sessions: Sequence[Session], out: Path, checkpoint: Path | None) -> None:
    """Raises PolicyError or LibraryError if files cannot be written, TrainingError if no session is chosen."""
    for file in (out, checkpoint or out):
        keep_out_of_sessions(on_this_computer(place(file)))
    if not out.parent.is_dir():
        raise PolicyError(f"{out} cannot be written: the folder {out.parent} does not exist; create it first")
    if out.is_dir():
        raise PolicyError(f"{out} is a folder; name a file for the policy")
    if not sessions:
        raise TrainingError("no session is chosen; choose at least one to train on")


def _completed(
    config: TrainConfig | None, sessions: Sequence[Session], origin: Origin | None, checkpoint: Path | None
) -> TrainConfig:
    """The whole configuration. Raises PolicyError if it does not fit the policy that the training goes on from."""
    env = sessions[0].spec.name
    config = config or (TrainConfig.for_env(env) if origin is None else origin.config.further())
    config = config.completed(env)
    if origin is not None:
        origin.check(config)
    else:
        if checkpoint is not None:
            config = as_begun(checkpoint, config)
        for step in (framed, hiding_own, pooling):
            if checkpoint is None or not is_of(checkpoint, config):  # an earlier version's training goes on as it began
                config = step(config, sessions)
    return config


def _sample(
    process: TrainingProcess, checkpoint: Path | None, origin: Origin | None
) -> Generator[Progress, None, tuple[Sample | None, str]]:
    """The sample for learning to see, if the network does; or none, with the reason if it cannot be made."""
    config, group, earlier = process.config, process.group, None if origin is None else origin.earlier
    if not config.perceives or (origin is not None and earlier is None):
        return None, ""
    resumed = checkpoint is not None and checkpoint.exists()
    sample, reason, done = None, "", 0.0
    if checkpoint is not None and resumed and is_of(checkpoint, config.without_perception(process.data.spec.name)):
        reason = "it did so before it was interrupted"
    with group.all_or_none():
        for step in sampling(process.data.tick_table, config, earlier) if group.first and not resumed else ():
            if isinstance(step, Sample):
                sample = step
            elif isinstance(step, NoSample):
                reason = step.reason
            elif isinstance(step, str):
                yield Progress("load", done, message=step)
            else:
                done = step
                yield Progress("load", done)
    return sample, reason
