"""Where things are on a screen: a small convolutional network that locates them, and what plays from where they are.

    screen, and the one LAG ticks before, uint8 (2, rows, columns)
      ─▶ the screen minus the mean one, and minus the one before
      ─▶ conv 16 7x7/3 ─▶ conv 16 3x3 ─▶ 12 maps 3x3 ─▶ spatial soft-argmax ─▶ 8 positions
    positions now and at some ages ─▶ 256 ─▶ 256 ─▶ one row of logits for each label shift and window
    and, with what is held, ─▶ another one, of how the demonstrator's hands move (trainer.policy.hand)

The soft-argmax of a map is the mean place under the softmax over its pixels (Levine et al. 2016, "End-to-end training
of deep visuomotor policies"). A network that must find a ball of two pixels through the actions of a player alone needs
far more play than one that is told where it is, and to be told is free: the console's own memory says so, and a
recording can be played again for it (recorder.library.replayed_memory). It is a target of training only. The clone
itself sees screens.

What has moved stands out from what has not, whatever that looks like. From single screens alone a network learns the
few backgrounds of its recording by heart, and is lost as soon as its clone gets further than the player did.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from trainer.config import TrainConfig
from trainer.policy.hand import Hand

POSITIONS = 8  # at most; those that a game has no use for are zero
LAG = 4  # ticks
_MAPS, _CHANNELS = 12, 16
_HIDDEN = 64
# Pixels that hardly ever change would otherwise be blown up without bound; in grey levels of 0 to 127.
_DEVIATION_FLOOR = 4.0
_MOVED_SCALE = 1 / 16


class Locator(nn.Module):
    """Positions float32 (B, POSITIONS), in standard deviations from their mean, on screens uint8 (B, 2, rows, columns),
    each with the one LAG ticks before it.
    """

    mean: Tensor
    scale: Tensor
    places: Tensor
    used: Tensor

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.maps = nn.Sequential(
            nn.Conv2d(2, _CHANNELS, 7, stride=3, padding=3),
            nn.ReLU(),
            nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(_CHANNELS, _MAPS, 3, padding=1),
        )
        for weight in self.maps.parameters():
            if weight.dim() == 4:  # on a processor that takes less than half the time
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        edges = (torch.linspace(-1.0, 1.0, (length + 2) // 3) for length in (rows, columns))
        y, x = torch.meshgrid(*edges, indexing="ij")
        self.register_buffer("places", torch.stack([x.flatten(), y.flatten()], dim=1), persistent=False)
        self.register_buffer("mean", torch.zeros(rows, columns))
        self.register_buffer("scale", torch.ones(rows, columns))
        self.register_buffer("used", torch.ones(POSITIONS))
        self.sharpness = nn.Parameter(torch.full((_MAPS, 1), 3.0))
        found = 3 * _MAPS
        self.curved = nn.Sequential(nn.Linear(found, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, POSITIONS))
        self.straight = nn.Linear(found, POSITIONS)

    def set_statistics(self, mean: Tensor, deviation: Tensor) -> None:
        """Centre and weigh every pixel by these float32 (rows, columns)."""
        self.mean.copy_(mean)
        self.scale.copy_(1 / (deviation + _DEVIATION_FLOOR))

    def scaled(self, screens: Tensor, shown: Tensor | None = None) -> Tensor:
        """Screens as floats of the order of one: what differs from the mean screen, and from the one before.

        With `shown`, float32 (B, rows, columns), the screens differ from the mean screen as these do.
        """
        now, before = screens[:, 0].float(), screens[:, 1].float()
        differs = ((now if shown is None else shown) - self.mean) * self.scale
        return torch.stack([differs, (now - before) * _MOVED_SCALE], dim=1)

    def forward(self, scaled: Tensor) -> Tensor:
        """float32 (B, 2, rows, columns) of `scaled` to positions (B, POSITIONS)."""
        maps = self.maps(scaled.contiguous(memory_format=torch.channels_last)).flatten(2)
        places = torch.softmax(maps * self.sharpness, dim=-1) @ self.places
        heights = torch.tanh(maps.amax(dim=-1, keepdim=True) / 4)
        found = torch.cat([places, heights], dim=-1).flatten(1)
        positions: Tensor = self.curved(found) + self.straight(found)
        return positions * self.used


class KeypointNet(nn.Module):
    """Logits from screens, by way of positions:

    screens uint8 (n, 2, rows, columns) ─locate─▶ (n, POSITIONS)
    (B, history, POSITIONS) ─prepare─▶ (B, n) ─forward─▶ (B, K, actions), and with what is held (B, K + 1, actions)

    Training locates every screen once, and then learns from positions. `own` are the positions that the player
    controls: of these a clone whose past is hidden sees only the present one.
    """

    own: Tensor

    def __init__(self, config: TrainConfig, shape: tuple[int, int], actions: int) -> None:
        super().__init__()
        self.locator = Locator(*shape)
        self._outputs = (config.outputs, actions)
        widths = (len(config.history) * POSITIONS + 1, *config.hidden)
        layers: list[nn.Module] = []
        for width_in, width_out in pairwise(widths):
            layers += [nn.Linear(width_in, width_out), nn.ReLU(), nn.Dropout(config.dropout)]
        self.body = nn.Sequential(*layers, nn.Linear(widths[-1], config.outputs * actions))
        self.hand = Hand(len(config.history) * POSITIONS, config.hidden, actions, config.dropout)
        self.register_buffer("own", torch.zeros(POSITIONS, dtype=torch.bool))

    def sight(self) -> dict[str, Tensor]:
        """What it knows of seeing, by name: its locator, and which positions are the player's own."""
        return {name: tensor.clone() for name, tensor in sight(self.state_dict()).items()}

    def locate(self, screens: Tensor) -> Tensor:
        """Screens uint8 (n, 2, rows, columns), with the ones LAG ticks before, to positions float32 (n, POSITIONS)."""
        positions: Tensor = self.locator(self.locator.scaled(screens))
        return positions

    def prepare(self, positions: Tensor, hidden: Tensor) -> Tensor:
        """float32 (B, history, POSITIONS) as the network takes them, (B, n).

        Where bool (B,) `hidden` is true, all ages of what is the player's own show it where it is now.
        """
        covered = hidden[:, None, None] & self.own
        positions = torch.where(covered, positions[:, :1], positions)
        return torch.cat([positions.flatten(1), hidden[:, None].float()], dim=1)

    def forward(self, prepared: Tensor, held: Tensor | None = None) -> Tensor:
        """float32 (B, n) to logits (B, K, actions), or with what is `held`, see Hand, to those and that of the hand."""
        logits: Tensor = self.body(prepared)
        outputs = logits.view(-1, *self._outputs)
        return outputs if held is None else torch.cat([outputs, self.habit(prepared, held)[:, None]], dim=1)

    def habit(self, prepared: Tensor, held: Tensor) -> Tensor:
        """The hand's logits (B, actions) for what is prepared, float32 (B, n), whose own past it never sees."""
        ages = (prepared.shape[1] - 1) // POSITIONS
        positions = prepared[:, :-1].reshape(len(prepared), ages, POSITIONS)
        positions = torch.where(self.own, positions[:, :1], positions)
        logits: Tensor = self.hand(positions.flatten(1), held)
        return logits


def with_those_before(screens: npt.NDArray[np.uint8], context: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Screens (n, rows, columns) that follow each other, each with the one LAG ticks before it: (n, 2, rows, columns).

    `context` are those that precede them, at most LAG; where there are fewer, a game begins with the first of all.
    """
    whole = np.concatenate([context[-LAG:], screens]) if len(context) else screens
    places = np.arange(len(whole) - len(screens), len(whole))
    return np.stack([screens, whole[np.maximum(places - LAG, 0)]], axis=1)


def sight(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Of a KeypointNet's tensors, by name, what it knows of seeing."""
    return {name: tensor for name, tensor in tensors.items() if name == "own" or name.startswith("locator.")}
