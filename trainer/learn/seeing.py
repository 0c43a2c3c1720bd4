"""The first stage of training a network that uses positions: it learns to see them.

    sample ─▶ a quarter of the stage ─▶ a first clone, from the sample alone ─▶ its games join the sample
                                        a scout, in another process ─▶ its games ─▶ ┘
           ─▶ the rest of the stage ─▶ drop what cannot be seen

The first clone can be watched while a better one is trained; only its part that sees is kept. The games of a scout
(trainer.learn.scout) get further than the recording. A network sees badly in other places than those that a recording
or a scout lead to: a clone that loses the ball, for example, stays where it does so. Screens of its own play show it
these places (Ross et al. 2011, DAgger).

In the first quarter, backgrounds are exchanged everywhere, also where the player's own figure rests. Without that, a
network may guess the ball from the paddle under it, and never learn to find the ball itself. Later, its own figure is
left where it is, so that its position is learned exactly.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

from recorder.library.replayed_memory import Clip
from recorder.system.cores import available_cores
from recorder.system.jobs import Jobs
from recorder.system.texts import count
from trainer.config import LOOK_SHARE
from trainer.learn.choosing import first_selection
from trainer.learn.clips import playing, prepared
from trainer.learn.estimate import estimate
from trainer.learn.learner import Learner, one_cycle
from trainer.learn.operations import Operations
from trainer.learn.perception import HOPEFUL_SHARE, SEEN_SHARE, Perception
from trainer.learn.sample import STRETCH_TICKS, Sample
from trainer.learn.scout import samples_learned, ticks_to_play
from trainer.learn.training_process import TrainingProcess
from trainer.policy.keypoints import KeypointNet
from trainer.policy.policy import Policy

_FIRST_LOOK, _WARM_UP = 0.25, 0.1  # of the batches: those before the first clone, and the warm-up
_LOOKED, _TRAINED, _PLAYED = 0.15, 0.3, 0.5  # approximate shares of the time, until the first clone has done so
_FIRST_BATCHES = 600  # of the first clone
_WORTH_A_PROCESS = 10_000  # ticks: a scout plays them in the time in which a process starts
_PATIENCE_S = 0.25


@dataclass(frozen=True)
class Seen:
    """The share of the stage that is done, and a message if any; at its end, the operations it took."""

    share: float
    message: str = ""
    operations: int = 0


def learning_to_see(
    process: TrainingProcess, sample: Sample, ticks_of_play: int, keep: Callable[[Learner], None]
) -> Iterator[Seen]:
    """Train the network of `process` to see, for as long as it is configured; `keep` is called with a first clone.

    `ticks_of_play` are those of the test games at the end, for the estimate of the total time.
    """
    config, net = process.config, process.learner.net
    assert isinstance(net, KeypointNet)
    perception = Perception(net, sample, config, process.group.device)
    batches = min(_FIRST_BATCHES, config.max_batches or _FIRST_BATCHES)
    cores = config.threads or available_cores()
    first = _FIRST_LOOK, batches
    sampled = sum(map(len, sample.stretches))
    alone = process.group.size == 1
    own_play = ticks_to_play(config) if config.scout and alone else 0
    ticks_of_play += cores * own_play  # those are played on one core
    yield Seen(0.0, str(estimate(net, config, process.data.ticks, sampled, first, ticks_of_play, cores)))
    yield from _look(process, perception, _FIRST_LOOK, 0.0, _LOOKED)
    if alone:
        process.see(perception.sight(HOPEFUL_SHARE))
        yield from _train_first(process, sample, batches)
        keep(process.learner)
        yield Seen(_TRAINED, "a first version can be watched; a better one is being trained")
    if config.scout:
        sample = yield from _see_more(process, sample, alone=alone)
        perception.show(sample)
    if alone:
        process.begin()
    if not config.exchange_own:
        perception.leave_own()
    yield from _look(process, perception, 1 - _FIRST_LOOK, _PLAYED, 1.0)
    sight = perception.sight(SEEN_SHARE)
    process.see(sight)
    located, learned = (sampled, batches) if alone else (0, 0)
    samples = learned * config.batch_size + samples_learned(config)
    operations = Operations.of(net, config).whole(perception.looked_at, located, samples, own_play)
    yield Seen(1.0, _located(sight), operations)


def _train_first(process: TrainingProcess, sample: Sample, batches: int) -> Iterator[Seen]:
    """Train a clone that sees as it does so far, from the sample's part of the recording."""
    for _ in process.data.load(sample.stretches):
        yield Seen(_LOOKED)
    process.fit_steering()
    process.learner.net.train()
    for batch in range(batches):
        process.take_step(batch + 1, batch / batches)
        yield Seen(_LOOKED + (_TRAINED - _LOOKED) * batch / batches)


def _see_more(process: TrainingProcess, sample: Sample, *, alone: bool) -> Generator[Seen, None, Sample]:
    """Let a scout play, and the first clone if there is one; returns the sample with clips of their games."""
    data, config = process.data, process.config
    session, _ = data.tick_table.at(sample.stretches[0])
    apart = ticks_to_play(config) >= _WORTH_A_PROCESS
    call = {
        "parts": sample.simulated,
        "places": sample.places,
        "spec": data.spec,
        "config": config,
        "length": STRETCH_TICKS,
        "palette": session.palette,
        "threads": 1 if apart else None,
    }
    scouts: list[Clip] = []
    own: list[Clip] = []
    with contextlib.closing(Jobs("trainer.learn.scout:scouted", [call], apart=apart)) as jobs:

        def scout(timeout: float = 0.0) -> None:
            scouts.extend(step for _, step in jobs.poll(timeout) if isinstance(step, Clip))

        for step in _first_games(process) if alone else ():
            scout()
            if isinstance(step, Clip):
                own.append(prepared(step, config, session.palette))
            else:
                yield Seen(_TRAINED + (_PLAYED - _TRAINED) * step)
        while jobs.running:
            scout(_PATIENCE_S)
            yield Seen(_PLAYED if alone else _TRAINED)
    return sample.with_clips([*scouts, *own])


def _first_games(process: TrainingProcess) -> Iterator[float | Clip]:
    data, config, net = process.data, process.config, process.learner.average
    net.eval()
    policy = Policy(net, data.spec, config, selection=first_selection(config, data), device=process.group.device)
    return playing(policy, ticks_to_play(config), STRETCH_TICKS)


def learning_to_see_better(process: TrainingProcess, sample: Sample) -> Iterator[Seen]:
    """The same for a training that goes on from a policy: its network sees already, and learns what is new."""
    net = process.learner.net
    assert isinstance(net, KeypointNet)
    perception = Perception(net, sample, process.config, process.group.device, refine=True)
    if not process.config.exchange_own:
        perception.leave_own()
    yield from _look(process, perception, 1.0, 0.0, 1.0)
    sight = perception.sight()
    process.see(sight)
    played = ticks_to_play(process.config) if process.config.scout else 0
    operations = Operations.of(net, process.config).whole(perception.looked_at, 0, 0, played)
    yield Seen(1.0, _located(sight), operations)


def _located(sight: Mapping[str, Tensor]) -> str:
    return f"locates {count(int(sight['locator.used'].sum()), 'position')} on the screen"


def _look(process: TrainingProcess, perception: Perception, part: float, first: float, last: float) -> Iterator[Seen]:
    """Train for a part of the batches, or of the time for them; this is the stage from one share to another."""
    batches, seconds = process.config.perception_batches, process.config.max_seconds
    began = time.monotonic()

    def used(batch: int) -> float:
        shares = []
        if batches is not None:
            shares.append(batch / max(1, round(part * batches)))
        if seconds is not None:
            shares.append((time.monotonic() - began) / (seconds * LOOK_SHARE * part))
        return max(shares)

    for share in perception.learn(used, lambda share: one_cycle(share, _WARM_UP)):
        yield Seen(first + (last - first) * share)
