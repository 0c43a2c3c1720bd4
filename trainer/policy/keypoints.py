"""A small convolutional network that locates things on a screen, and a perceptron that plays from their positions.

    screen, and the one LAG ticks before, uint8 (2, rows, columns)
      ─▶ the screen minus the mean one, and minus the one before
      ─▶ conv 16 7x7/3 ─▶ conv 16 3x3 ─▶ 12 maps 3x3 ─▶ spatial soft-argmax ─▶ 8 to 16 positions
    positions now and some ticks ago ─▶ 256 ─▶ 256 ─▶ one row of logits for each label shift and window
    the same with the action held    ─▶ 256 ─▶ 256 ─▶ another row: how the demonstrator's hands move (.hand)
    without the player's own         ─▶ 256 ─▶ 256 ─▶ where the demonstrator would be (.steering)

The soft-argmax of a map is the mean position under the softmax over its pixels (Levine et al. 2016, "End-to-end
training of deep visuomotor policies"). A network that has to find a ball of two pixels from a player's actions alone
needs far more play than one that is trained on the ball's position. These targets cost nothing: the console's memory
holds them, and a recording can be simulated again to read it (recorder.library.replayed_memory). They are used in
training only; the clone itself sees screens.

The difference to an earlier screen makes moving things stand out from any background. From single screens alone a
network memorises the few backgrounds of its recording, and fails as soon as its clone gets further than the player did.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from trainer.config import TrainConfig
from trainer.policy.hand import Hand
from trainer.policy.perceptron import perceptron
from trainer.policy.steering import Steering

LAG = 4  # ticks
_MAPS, _CHANNELS = 12, 16
_HIDDEN = 64
# Limits how much pixels that hardly ever change are amplified; in grey levels of 0 to 127.
_DEVIATION_FLOOR = 4.0
_MOVED_SCALE = 1 / 16


class Locator(nn.Module):
    """Positions float32 (B, n), in standard deviations from their mean, on screens uint8 (B, 2, rows, columns): each
    screen with the one LAG ticks before it. Positions that a game does not use are zero.
    """

    mean: Tensor
    scale: Tensor
    places: Tensor
    used: Tensor

    def __init__(self, rows: int, columns: int, positions: int) -> None:
        super().__init__()
        self.maps = nn.Sequential(
            nn.Conv2d(2, _CHANNELS, 7, stride=3, padding=3),
            nn.ReLU(inplace=True),
            nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(_CHANNELS, _MAPS, 3, padding=1),
        )
        for weight in self.maps.parameters():
            if weight.dim() == 4:  # takes less than half the time on a CPU
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        edges = (torch.linspace(-1.0, 1.0, (length + 2) // 3) for length in (rows, columns))
        y, x = torch.meshgrid(*edges, indexing="ij")
        self.register_buffer("places", torch.stack([x.flatten(), y.flatten()], dim=1), persistent=False)
        self.register_buffer("mean", torch.zeros(rows, columns))
        self.register_buffer("scale", torch.ones(rows, columns))
        self.register_buffer("used", torch.ones(positions))
        self.sharpness = nn.Parameter(torch.full((_MAPS, 1), 3.0))
        found = 3 * _MAPS
        self.curved = nn.Sequential(nn.Linear(found, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, positions))
        self.straight = nn.Linear(found, positions)

    def set_statistics(self, mean: Tensor, deviation: Tensor) -> None:
        """Set each pixel's mean and standard deviation, float32 (rows, columns), for normalisation."""
        self.mean.copy_(mean)
        self.scale.copy_(1 / (deviation + _DEVIATION_FLOOR))

    def scaled(self, screens: Tensor, shown: Tensor | None = None) -> Tensor:
        """Screens as floats of the order of one: the difference to the mean screen, and to the earlier screen.

        With `shown`, float32 (B, rows, columns), the first difference is computed from these instead.
        """
        now, before = screens[:, 0].float(), screens[:, 1].float()
        both = torch.empty_like(screens, dtype=torch.float32, memory_format=torch.channels_last)
        torch.mul((now if shown is None else shown) - self.mean, self.scale, out=both[:, 0])
        torch.mul(now - before, _MOVED_SCALE, out=both[:, 1])
        return both

    def forward(self, scaled: Tensor) -> Tensor:
        """float32 (B, 2, rows, columns) of `scaled` to positions (B, n)."""
        maps = self.maps(scaled.contiguous(memory_format=torch.channels_last)).contiguous().flatten(2)
        places = torch.softmax(maps * self.sharpness, dim=-1) @ self.places
        heights = torch.tanh(maps.max(dim=-1, keepdim=True).values / 4)
        found = torch.cat([places, heights], dim=-1).flatten(1)
        positions: Tensor = self.curved(found) + self.straight(found)
        return positions * self.used


class KeypointNet(nn.Module):
    """Logits from screens, through positions:

    screens uint8 (n, 2, rows, columns) ─locate─▶ (n, positions)
    (B, history, positions) ─prepare─▶ (B, n) ─forward─▶ (B, K, actions), and with what is held (B, K + 1, actions)

    Training locates every screen once and then learns from positions. `own`, bool (positions,), marks those that the
    player controls: if the past is hidden, the network sees only the present one of these.

    With `waves`, it also sees sines and cosines of the present positions. A perceptron hardly learns what repeats
    itself every few pixels, such as where the next column of invaders is, from plain positions (Tancik et al. 2020,
    "Fourier features let networks learn high frequency functions in low dimensional domains"). `unit`, float32
    (positions,), is then one standard deviation of each position in pixels.
    """

    own: Tensor
    unit: Tensor
    _turns: Tensor

    def __init__(self, config: TrainConfig, shape: tuple[int, int], actions: int) -> None:
        super().__init__()
        count, self._ages = config.positions, len(config.history)
        self.locator = Locator(*shape, count)
        self._outputs = (config.outputs, actions)
        inputs = self._ages * count + 2 * count * len(config.waves) + 1
        self.body = perceptron(inputs, config.hidden, config.outputs * actions, config.dropout)
        self.hand = Hand(self._ages * count, config.hidden, actions, config.dropout)
        self.steering: Steering | None = None
        if config.aims:
            self.steering = Steering(
                self._ages, count, config.hidden, actions, config.dropout, config.aims, config.action_history
            )
        self.register_buffer("own", torch.zeros(count, dtype=torch.bool))
        self.waves = config.waves
        if self.waves:
            self.register_buffer("unit", torch.ones(count))
            turns = torch.tensor([2 * math.pi / period for period in self.waves])
            self.register_buffer("_turns", turns, persistent=False)

    def set_positions(self, used: Tensor, own: Tensor, unit: Tensor) -> None:
        """Set which positions exist, bool (positions,), which of them are the player's own, and their `unit`."""
        self.locator.used.copy_(used)
        self.own.copy_(own)
        if self.waves:
            self.unit.copy_(unit)

    def sight(self) -> dict[str, Tensor]:
        """The part that sees, by name: the locator's tensors, and what is known of the positions."""
        return {name: tensor.clone() for name, tensor in sight(self.state_dict()).items()}

    def locate(self, screens: Tensor) -> Tensor:
        """Screens uint8 (n, 2, rows, columns), with the ones LAG ticks before, to float32 (n, positions)."""
        positions: Tensor = self.locator(self.locator.scaled(screens))
        return positions

    def prepare(self, positions: Tensor, hidden: Tensor) -> Tensor:
        """The network's input (B, n) from positions float32 (B, history, positions).

        Where bool (B,) `hidden` is true, the player's own positions are the present ones at all ages.
        """
        covered = hidden[:, None, None] & self.own
        positions = torch.where(covered, positions[:, :1], positions)
        seen = [positions.flatten(1), hidden[:, None].float()]
        if self.waves:
            angles = (positions[:, 0] * self.unit)[..., None] * self._turns
            seen[1:1] = [angles.sin().flatten(1), angles.cos().flatten(1)]
        return torch.cat(seen, dim=1)

    def forward(self, prepared: Tensor, held: Tensor | None = None) -> Tensor:
        """float32 (B, n) to logits (B, K, actions); with `held` (see Hand), the hand's row is appended."""
        logits: Tensor = self.body(prepared)
        outputs = logits.view(-1, *self._outputs)
        return outputs if held is None else torch.cat([outputs, self.habit(prepared, held)[:, None]], dim=1)

    def habit(self, prepared: Tensor, held: Tensor) -> Tensor:
        """The hand's logits (B, actions) for prepared input, float32 (B, n). It never sees the player's own past."""
        count = len(self.own)
        positions = prepared[:, : self._ages * count].reshape(len(prepared), self._ages, count)
        positions = torch.where(self.own, positions[:, :1], positions)
        logits: Tensor = self.hand(positions.flatten(1), held)
        return logits


def with_those_before(screens: npt.NDArray[np.uint8], context: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Consecutive screens (n, rows, columns), each with the one LAG ticks before it: (n, 2, rows, columns).

    `context` are the screens before them, of which at most LAG are used. If there are fewer, a game begins with the
    first one.
    """
    whole = np.concatenate([context[-LAG:], screens]) if len(context) else screens
    places = np.arange(len(whole) - len(screens), len(whole))
    return np.stack([screens, whole[np.maximum(places - LAG, 0)]], axis=1)


def sight(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a KeypointNet's part that sees, by name."""
    return {name: tensor for name, tensor in tensors.items() if name in ("own", "unit") or name.startswith("locator.")}
