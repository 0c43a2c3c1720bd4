"""Learning to see: trains a Locator on a sample of screens, with targets from the emulator's memory.

    sample (trainer.learn.sample) ─▶ regression ─▶ the positions that can be seen

Some bytes that change like positions (trainer.learn.position_bytes) cannot be seen on the screen (a frame counter, for
example): bytes that the regression cannot predict on held-out screens are dropped. So are, at last, those that it
predicts much worse than the others: in the clone's own play they are worse still, and the clone would rely on them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from trainer.config import TrainConfig
from trainer.hyperparameters import LEAST_POSITIONS
from trainer.learn.optimizer import AdamW
from trainer.learn.position_bytes import moving_pixels
from trainer.learn.sample import Sample
from trainer.policy.keypoints import LAG, KeypointNet

HOPEFUL_SHARE, SEEN_SHARE = 0.2, 0.6  # of a byte's variance that must be explained, for the first clone and at the end
_CLEAR, _VAGUE = 0.995, 0.99  # once so much of the median position is explained, one of less is left out, too
_BATCH, _RATE, _DECAY, _BETA = 64, 3e-3, 1e-3, 0.1
_REFINED = 1 / 3  # of this rate, to learn more of it
_AT_ONCE = 256
_TRIMMED = 0.25  # of the squared errors, the largest ones, which do not count
_LEAST_SPREAD = 0.05  # of the variance: if less is left without them, they do count
_ELSEWHERE_SHARE = 0.5  # of the samples: shown in front of another stretch's background
_RESTING = 0.08  # of the ticks: what changes less often rests
_HELD_OUT, _JUDGED = 10, 1_024  # one in so many stretches is held out; about so many of their screens validate


class Perception:
    """Trains the locator of a copy of a network on the sample; `sight` returns the result.

    `looked_at` counts the screens used for training so far. With `refine`, the network sees already: it learns to do so
    on this sample, too.
    """

    def __init__(
        self, net: KeypointNet, sample: Sample, config: TrainConfig, device: torch.device, *, refine: bool = False
    ) -> None:
        self._net = copy.deepcopy(net)
        self._device = device
        self.looked_at = 0
        self._rng = np.random.default_rng([config.seed, 0xE7E])
        self._rate = _RATE * (_REFINED if refine else 1.0)
        self._exchange_own = True
        self.show(sample)
        if not refine:
            self._begin(sample)
        self._used = self._net.locator.used.cpu().numpy() > 0
        self._weights = torch.from_numpy(self._used).to(device)

    def show(self, sample: Sample) -> None:
        """From now on, learn from this sample, which has the same positions."""
        self._screens = torch.from_numpy(sample.screens)
        self._targets = torch.from_numpy(sample.targets)
        lengths = np.array(sample.lengths)
        held_out = np.repeat(np.arange(len(lengths)) % _HELD_OUT == _HELD_OUT - 1, lengths)
        self._learned = torch.from_numpy(np.flatnonzero(~held_out))
        apart = np.flatnonzero(held_out if held_out.any() else ~held_out)
        self._held_out = torch.from_numpy(apart[:: max(1, len(apart) // _JUDGED)])
        firsts = np.cumsum(lengths) - lengths
        starts = np.repeat(firsts, lengths)
        self._before = torch.from_numpy(np.maximum(np.arange(len(starts)) - LAG, starts))
        self._stretch = torch.from_numpy(np.repeat(np.arange(len(lengths)), lengths))
        still = [
            np.median(sample.screens[first : first + length : max(1, length // 5)], axis=0)
            for first, length in zip(firsts, lengths, strict=True)
        ]
        self._still = torch.from_numpy(np.stack(still).astype(np.float32))  # each stretch's background
        self._own_pixels = torch.from_numpy(
            moving_pixels(sample.targets[:, sample.own], sample.screens, sample.lengths)
        )
        # In a game with few positions, what seldom changes is not a thing that rests, but a direction.
        if len(sample.own) > LEAST_POSITIONS:
            for column in np.flatnonzero(_resting(sample) & sample.used & ~sample.own):
                pixels = moving_pixels(sample.targets[:, [column]], sample.screens, sample.lengths)
                self._still[:, torch.from_numpy(pixels)] = 0
        if not self._exchange_own:
            self.leave_own()

    def _begin(self, sample: Sample) -> None:
        count = len(sample.screens)
        some = sample.screens[np.linspace(0, count - 1, min(count, 4_096)).astype(int)]
        locator = self._net.locator
        locator.set_statistics(torch.from_numpy(some.mean(axis=0)), torch.from_numpy(some.std(axis=0)))
        self._net.set_positions(*map(torch.from_numpy, (sample.used, sample.own, sample.places.unit)))

    def sight(self, least: float | None = None) -> dict[str, torch.Tensor]:
        """See KeypointNet. Positions of which less than the share `least` is explained are left out; if that would be
        all, the best one is kept. Once the others are seen clearly, those that are not are left out, too.
        """
        found = self._net.sight()
        if least is not None:
            explained = self.validate()
            seen = self._used & (explained >= least)
            if not seen.any():
                seen = self._used & (explained == explained[self._used].max())
            if np.median(explained[seen]) >= _CLEAR:
                seen &= explained >= _VAGUE
            found["locator.used"].copy_(torch.from_numpy(seen))
            found["own"].logical_and_(torch.from_numpy(seen).to(self._device))
        return found

    def leave_own(self) -> None:
        """From now on, do not exchange the background where the player's own figure moves: it may be part of it."""
        self._exchange_own = False
        self._still[:, self._own_pixels] = 0

    def learn(self, used: Callable[[int], float], rate: Callable[[float], float]) -> Iterator[float]:
        """Train until `used(batches so far)` is 1; yields this share after every batch.

        `rate` returns the learning rate's factor at that share.
        """
        locator = self._net.locator
        optimizer = AdamW(locator.parameters(), _DECAY)
        batch = 0
        while (share := used(batch)) < 1.0:
            picks = self._learned[torch.from_numpy(self._rng.integers(0, len(self._learned), _BATCH))]
            positions = self._net.locator(self._elsewhere(picks))
            targets = self._targets[picks].to(self._device)
            loss = nn.functional.smooth_l1_loss(positions[:, self._weights], targets[:, self._weights], beta=_BETA)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step(self._rate * rate(share))
            batch += 1
            self.looked_at += _BATCH
            yield share

    def validate(self) -> npt.NDArray[np.float64]:
        """The share of each column's variance that is explained on held-out screens, float64 (positions,).

        The largest quarter of the deviations and of the errors does not count: after a ball is lost, the memory still
        holds a position for it, which cannot be seen.
        """
        picks = self._held_out
        with torch.inference_mode():
            found = torch.cat([self._positions(some).cpu() for some in torch.split(picks, _AT_ONCE)]).numpy()
        targets = self._targets[picks].numpy()
        errors, deviations = np.square(found - targets), np.square(targets - np.median(targets, axis=0))
        variance = np.maximum(targets.var(axis=0), 1e-6)
        rest, whole = _trimmed_mean(errors), _trimmed_mean(deviations)
        still = whole < _LEAST_SPREAD * variance  # it hardly ever moves, so the rare movements must count
        rest, whole = np.where(still, errors.mean(axis=0), rest), np.where(still, variance, whole)
        return np.asarray(np.where(self._used, 1 - rest / whole, 0.0))

    def _pairs(self, picks: torch.Tensor) -> torch.Tensor:
        return torch.stack([self._screens[picks], self._screens[self._before[picks]]], dim=1)

    def _elsewhere(self, picks: torch.Tensor) -> torch.Tensor:
        """The locator's input, with some screens shown in front of the background of another stretch.

        So a position is learned from the thing itself, not from the state of the game at that time.
        """
        pairs = self._pairs(picks)
        moved = torch.from_numpy(self._rng.random(len(picks)) < _ELSEWHERE_SHARE)
        others = picks[torch.from_numpy(self._rng.permutation(len(picks)))]
        change = self._still[self._stretch[others]] - self._still[self._stretch[picks]]
        shown = (pairs[:, 0].float() + change * moved[:, None, None]).clamp_(0, 127)
        return self._net.locator.scaled(pairs.to(self._device), shown.to(self._device))

    def _positions(self, picks: torch.Tensor) -> torch.Tensor:
        return self._net.locate(self._pairs(picks).to(self._device))


def _resting(sample: Sample) -> npt.NDArray[np.bool_]:
    """Which positions change so seldom, bool (positions,), that their things are part of a stretch's background.

    The block of invaders moves in a tick of twenty. In front of another background there would be two blocks, or none.
    """
    inside = np.ones(len(sample.targets) - 1, bool)
    inside[np.cumsum(sample.lengths)[:-1] - 1] = False
    moved = (np.diff(sample.targets, axis=0) != 0)[inside]
    return np.asarray(moved.mean(axis=0) < _RESTING)


def _trimmed_mean(squares: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The mean of each column of (n, m), without its largest values."""
    kept = max(1, round((1 - _TRIMMED) * len(squares)))
    return np.asarray(np.sort(squares, axis=0)[:kept].mean(axis=0))
