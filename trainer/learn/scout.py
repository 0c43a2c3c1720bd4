"""Training screens that the recording does not show: games of a scout, which reads positions instead of seeing them.

The literature calls such a player a privileged agent (Chen et al. 2019, "Learning by cheating").

    memory of the recording, its actions ─▶ the clone's own perceptron ─▶ the scout ─▶ its games ─▶ screens, memory

A clone gets further than its demonstrator, to walls with other holes and paddles of another size. Its network does not
find things in situations that it has never been shown: one network, trained on a person's recording, was off its own
paddle by 30 pixels or more in a tenth of the screens of its play. The scout learns in a few seconds what takes a
network that has to see minutes, so it can play while that learns to see. The idea of learning from the states
that the learner's own play leads to is from Ross et al. (2011, "A reduction of imitation learning and structured
prediction to no-regret online learning"). The scout's actions are never imitated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from recorder.envs.spec import EnvSpec
from recorder.library.replayed_memory import Clip
from trainer.config import TrainConfig
from trainer.data.draw_weights import rare_among
from trainer.learn.clips import playing, prepared
from trainer.learn.learner import one_cycle
from trainer.learn.loss import shares_ahead
from trainer.learn.optimizer import AdamW
from trainer.learn.places import Places
from trainer.policy.action_selection import ActionSelection
from trainer.policy.keypoints import KeypointNet
from trainer.policy.networks import build
from trainer.policy.policy import Policy

_MOST_BATCHES, _BATCH, _RATE = 2_000, 256, 3e-3
_GAMES = 5  # of play_ticks, so many are played at most
_TICKS_PER_BATCH = 25  # played at most: a short training needs no more to see than it has the time to learn from
_TEMPERATURE = 0.25
_LEARN = 0x5C0  # separates its random generator from others


def samples_learned(config: TrainConfig) -> int:
    """The number of samples that a scout learns from; one that is drawn twice counts twice."""
    return _batches(config) * _BATCH if config.scout else 0


def ticks_to_play(config: TrainConfig) -> int:
    """How many ticks a policy plays to show more than the recording does, at most."""
    return min(_GAMES * config.play_ticks, _TICKS_PER_BATCH * _batches(config))


def scouting(
    parts: Sequence[tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]],
    places: Places,
    spec: EnvSpec,
    config: TrainConfig,
    length: int,
) -> Iterator[float | Clip]:
    """Train a scout on positions (n, m) and actions (n,) of parts of games, then let it play.

    Yields the share that is done, and clips of `length` ticks.
    """
    for step in _learning(parts, places, spec, config):
        if isinstance(step, Policy):
            scout = step
        else:
            yield 0.5 * step
    for found in playing(scout, ticks_to_play(config), length, places):
        yield found if isinstance(found, Clip) else 0.5 + 0.5 * found


def scouted(
    parts: Sequence[tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]],
    places: Places,
    spec: EnvSpec,
    config: TrainConfig,
    length: int,
    palette: npt.NDArray[np.uint8] | None,
    threads: int | None,
) -> Iterator[float | Clip]:
    """The same with the clips' screens preprocessed, for a process of its own that computes with so many `threads`."""
    if threads is not None:
        torch.set_num_threads(threads)
    for step in scouting(parts, places, spec, config, length):
        yield prepared(step, config, palette) if isinstance(step, Clip) else step


def _learning(
    parts: Sequence[tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]],
    places: Places,
    spec: EnvSpec,
    config: TrainConfig,
) -> Iterator[float | Policy]:
    """Yields the share that is done, and finally the scout."""
    lengths = [len(actions) for _, actions in parts]
    stops = np.repeat(np.cumsum(lengths), lengths)
    starts = stops - np.repeat(lengths, lengths)
    positions = torch.from_numpy(np.concatenate([found for found, _ in parts]))
    actions = np.concatenate([taken for _, taken in parts])
    count, windows = len(spec.action_names), config.label_windows
    torch.manual_seed(config.seed)
    net = build(config, spec)
    assert isinstance(net, KeypointNet)
    net.set_positions(*map(torch.from_numpy, (places.used, places.own, places.unit)))
    rng = np.random.default_rng([config.seed, _LEARN])
    batches = _batches(config)
    optimizer = AdamW(net.body.parameters())
    hidden = torch.ones(_BATCH, dtype=torch.bool)
    net.train()
    for batch in range(batches):
        rows = rng.integers(0, len(actions), (_BATCH, 1))
        outputs = net(net.prepare(positions[np.maximum(rows - np.array(config.history), starts[rows])], hidden))
        ahead = torch.from_numpy(actions[np.minimum(rows + np.arange(windows[-1]), stops[rows] - 1)])
        shares = shares_ahead(ahead, windows, count)
        loss = nn.functional.cross_entropy(outputs[:, : len(windows)].flatten(0, 1), shares.flatten(0, 1))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step(_RATE * one_cycle(batch / batches, config.warm_up))
        yield (batch + 1) / batches
    taken = np.bincount(actions, minlength=count) / len(actions)
    selection = ActionSelection(_TEMPERATURE, rare_among(taken), past=False, prior=tuple(taken.tolist()))
    yield Policy(net.eval(), spec, config, selection=selection)


def _batches(config: TrainConfig) -> int:
    return min(_MOST_BATCHES, config.max_batches or _MOST_BATCHES)
