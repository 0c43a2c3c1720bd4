"""The first stage of a training whose network goes by where things are: it learns to see them.

    sample ─▶ a quarter of it ─▶ a first clone, from the sample alone ─▶ the rest ─▶ what cannot be seen is dropped

The first clone is there to be watched while a better one is trained; nothing of it but what it sees is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from recorder.system.cores import available_cores
from trainer.config import LOOK_SHARE
from trainer.learn.estimate import estimate
from trainer.learn.learner import Learner, one_cycle
from trainer.learn.operations import Operations
from trainer.learn.perception import HOPEFUL_SHARE, Perception, Sample
from trainer.learn.scout import samples_learned
from trainer.learn.steps import Steps
from trainer.policy.keypoints import KeypointNet

_FIRST_LOOK, _WARM_UP = 0.25, 0.1  # of the stage: how much there is before the first clone
_FIRST_BATCHES = 600  # of the first clone


@dataclass(frozen=True)
class Seen:
    """The share of the stage that is done, and what there is to tell; at its end the operations that it took."""

    share: float
    message: str = ""
    operations: int = 0


def learning_to_see(
    steps: Steps, sample: Sample, ticks_of_play: int, keep: Callable[[Learner], None]
) -> Iterator[Seen]:
    """Teach the network of `steps`, in all the time that its configuration gives; `keep` is called with a first clone.

    `ticks_of_play` are those of the games at the end, for the estimate of how long it will all take.
    """
    config, net = steps.config, steps.learner.net
    assert isinstance(net, KeypointNet)
    perception = Perception(net, sample, config, steps.group.device)
    batches = min(_FIRST_BATCHES, config.max_batches or _FIRST_BATCHES)
    cores = config.threads or available_cores()
    first = _FIRST_LOOK, batches
    yield Seen(0.0, str(estimate(net, config, steps.data.ticks, len(sample.screens), first, ticks_of_play, cores)))
    yield from _look(steps, perception, 0.0, _FIRST_LOOK)
    perception.drop_unseen(HOPEFUL_SHARE)
    if steps.group.size == 1:
        steps.see(perception.sight())
        for _ in steps.data.load(sample.stretches):
            yield Seen(_FIRST_LOOK)
        steps.learner.net.train()
        for batch in range(batches):
            steps.take(batch + 1, batch / batches)
            yield Seen(_FIRST_LOOK)
        keep(steps.learner)
        steps.begin()
        yield Seen(_FIRST_LOOK, "a first version can be watched; a better one is being trained")
    yield from _look(steps, perception, _FIRST_LOOK, 1.0)
    count = perception.drop_unseen()
    steps.see(perception.sight())
    located, learned = (len(sample.screens), batches) if steps.group.size == 1 else (0, 0)
    samples = learned * config.batch_size + samples_learned(config)
    operations = Operations.of(net, config).whole(perception.looked_at, located, samples, 0)
    yield Seen(1.0, f"locates {count} position{'' if count == 1 else 's'} on the screen", operations)


def _look(steps: Steps, perception: Perception, first: float, last: float) -> Iterator[Seen]:
    """From one share of the stage to another."""
    batches, seconds = steps.config.perception_batches, steps.config.max_seconds
    began = time.monotonic()

    def used(batch: int) -> float:
        shares = []
        if batches is not None:
            shares.append(batch / max(1, round((last - first) * batches)))
        if seconds is not None:
            shares.append((time.monotonic() - began) / (seconds * LOOK_SHARE * (last - first)))
        return max(shares)

    for share in perception.learn(used, lambda share: one_cycle(share, _WARM_UP)):
        yield Seen(first + (last - first) * share)
