"""The networks, by name. Each maps preprocessed inputs to logits (or to continuous actions), once per label shift.

    keypoints   uint8 (B, history, 82, 80) ─▶ positions (B, history, n) ─▶ 256 ─▶ 256 ─▶ (K, actions): see .keypoints
    nature      uint8 (B, history, 84, 84) ─▶ conv 32 8x8/4 ─▶ conv 64 4x4/2 ─▶ conv 64 3x3/1 ─▶ 512 ─▶ (S, K, actions)
                Mnih et al. 2015, "Human-level control through deep reinforcement learning"
    article64   three times (conv 64 3x3, 2x2 max pooling) ─▶ 128 ─▶ 64 ─▶ (S, K, actions)
    mlp         float32 (B, n) ─▶ 128 ─▶ 64 ─▶ (K, actions), on normalised observations
    lstm        float32 (B, T, n) ─▶ 128 ─▶ 64 ─▶ LSTM of 64 (Hochreiter and Schmidhuber 1997) ─▶ (K, actions)

K counts label shifts and their windows. S is 2 if training also mirrors screens. Mirrored screens have separate
outputs; otherwise a player who favours one side would be blurred with a mirror image that favours the other. The first
side plays.

Statistics of the data (mean and standard deviation of each pixel, or of each entry of a vector) are buffers, stored
with the weights. Weights are initialised as in He et al. 2015, for ReLU: with PyTorch's smaller default weights the
signal of a two-pixel ball vanishes in the layers, and at first training makes no progress.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from recorder.envs.spec import EnvSpec
from trainer.config import TrainConfig
from trainer.errors import TrainingError
from trainer.policy.keypoints import KeypointNet
from trainer.policy.preprocess import Preprocess
from trainer.presets import networks

# Limits how much pixels that hardly ever change are amplified; in grey levels of 0 to 127.
_DEVIATION_FLOOR = 4.0
# Used if pixels are not divided by their deviation: the ball is about 55 levels above the background.
_PLAIN_SCALE = 1 / 32


class ScreenNet(nn.Module):
    """Logits from stacked screens, in steps, so that training can augment the residuals before they become floats:

    screens uint8 (B, history, size, size) ─residuals─▶ int8 ─scaled─▶ float32 ─forward─▶ logits (B, S, K, actions)
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, body: nn.Module, config: TrainConfig, outputs: tuple[int, int, int], width: int) -> None:
        super().__init__()
        self.body = body
        for weight in body.parameters():
            if weight.dim() == 4:  # channels last saves a seventh of a batch's time in float32 on CPUs
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        self.register_buffer("mean", torch.zeros(config.size, config.size, dtype=torch.int8))
        self.register_buffer("scale", torch.full((config.size, config.size), _PLAIN_SCALE))
        self._outputs = outputs
        self._whiten = config.whiten
        self._hidden_rows, self._hidden_columns = config.hidden_pixels(width)

    def set_statistics(self, mean: Tensor, deviation: Tensor) -> None:
        """Set each pixel's mean and standard deviation, float32 (size, size) in grey levels, for normalisation."""
        self.mean.copy_(mean.round())
        if self._whiten:
            self.scale.copy_(1 / (deviation + _DEVIATION_FLOOR))

    def residuals(self, screens: Tensor, hidden: Tensor) -> Tensor:
        """The difference of screens uint8 (B, history, size, size), 0 to 127, to the mean screen, as int8.

        Where bool (B,) `hidden` is true, the hidden pixels of all screens except the newest are blank.
        """
        residuals = screens.view(torch.int8) - self.mean
        residuals[:, 1:, self._hidden_rows, self._hidden_columns] *= (~hidden).to(torch.int8)[:, None, None, None]
        return residuals

    def scaled(self, residuals: Tensor) -> Tensor:
        """int8 (B, history, size, size) as float32 of the order of one."""
        # With both factors in the same layout, the product is a fourth faster than with one broadcast over channels.
        scale = self.scale.expand(1, residuals.shape[1], -1, -1).contiguous(memory_format=torch.channels_last)
        return residuals.to(torch.float32, memory_format=torch.channels_last).mul_(scale)

    def prepare(self, screens: Tensor, hidden: Tensor) -> Tensor:
        """The network's input during play; see `residuals`."""
        return self.scaled(self.residuals(screens, hidden))

    def forward(self, prepared: Tensor, mirrored: Tensor | None = None) -> Tensor:
        """float32 (B, history, size, size) to logits (B, K, actions) of the side in int64 (B,), or of the first."""
        logits: Tensor = self.body(prepared)
        sides = logits.view(-1, *self._outputs)
        if mirrored is None or self._outputs[0] == 1:
            return sides[:, 0]
        return sides[torch.arange(len(sides), device=sides.device), mirrored]


class VectorNet(nn.Module):
    """Continuous actions from an observation vector."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, body: nn.Module, config: TrainConfig, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = body
        self._outputs = (config.outputs, outputs)
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("deviation", torch.ones(inputs))

    def set_statistics(self, mean: Tensor, deviation: Tensor) -> None:
        """Set the mean and standard deviation, float32 (n,), for normalisation."""
        self.mean.copy_(mean)
        self.deviation.copy_(deviation.clamp(min=1e-6))

    def prepare(self, observations: Tensor, hidden: Tensor) -> Tensor:
        """float (B, n) to normalised float32 (B, n); nothing is hidden in vectors."""
        return (observations.float() - self.mean) / self.deviation

    def forward(self, prepared: Tensor) -> Tensor:
        """float32 (B, n) to actions (B, K, m)."""
        actions: Tensor = self.body(prepared)
        return actions.view(-1, *self._outputs)


Memory = tuple[Tensor, Tensor]


class RecurrentNet(VectorNet):
    """Continuous actions from an observation vector and the recurrent state.

    It learns from sequences, each of which begins with an empty state. It plays tick by tick and keeps its state
    through a game.
    """

    def __init__(self, body: nn.Module, config: TrainConfig, inputs: int, outputs: int) -> None:
        super().__init__(body, config, inputs, outputs)
        width = config.hidden[-1]
        self.memory = nn.LSTM(width, width, batch_first=True)
        self.head = nn.Linear(width, math.prod(self._outputs))

    def forward(self, prepared: Tensor) -> Tensor:
        """float32 (B, T, n) to actions (B, T, K, m)."""
        actions: Tensor = self.head(self.memory(self.body(prepared))[0])
        return actions.view(*actions.shape[:-1], *self._outputs)

    def step(self, prepared: Tensor, memories: Sequence[Memory | None]) -> tuple[Tensor, list[Memory]]:
        """float32 (B, n) and each player's state to actions (B, K, m) and each player's new state."""
        nothing = prepared.new_zeros(1, self.memory.hidden_size)
        hidden, cell = (
            torch.stack([nothing if memory is None else memory[part] for memory in memories], dim=1) for part in (0, 1)
        )
        seen, (hidden, cell) = self.memory(self.body(prepared)[:, None], (hidden, cell))
        actions: Tensor = self.head(seen[:, 0])
        return actions.view(-1, *self._outputs), list(zip(hidden.unbind(1), cell.unbind(1), strict=True))


Net = ScreenNet | KeypointNet | VectorNet


def build(config: TrainConfig, spec: EnvSpec) -> Net:
    """The network of a configuration for an environment, newly initialised from torch's random generator.

    Raises TrainingError when the two do not match.
    """
    if config.network not in networks(spec):
        raise TrainingError(
            f"the network {config.network!r} does not fit {spec.title}; choose one of: {', '.join(networks(spec))}"
        )
    activation: type[nn.Module] = nn.ReLU if config.activation == "relu" else nn.Tanh
    net: Net
    if config.perceives:
        shape = Preprocess.of(config).shape(spec.observation_shape)
        net = KeypointNet(config, shape, len(spec.action_names))
        _initialise(net.body)
        return net
    if spec.sees_screen:
        sides = 2 if config.mirror and spec.mirror_actions and spec.discrete else 1
        outputs = (sides, config.outputs, len(spec.action_names))
        build_body = _nature if config.network == "nature" else _article64
        body = build_body(config, math.prod(outputs), activation)
        net = ScreenNet(body, config, outputs, spec.frame_shape[1])
    else:
        inputs, actions = spec.observation_shape[0], len(spec.action_names)
        layers: list[nn.Module] = []
        for width_in, width_out in zip((inputs, *config.hidden), config.hidden, strict=False):
            layers += [nn.Linear(width_in, width_out), activation()]
        if config.recurrent:
            body = nn.Sequential(*layers)
            net = RecurrentNet(body, config, inputs, actions)
            _initialise(nn.Sequential(*body, net.head))
            return net
        body = nn.Sequential(*layers, nn.Linear(config.hidden[-1], config.outputs * actions))
        net = VectorNet(body, config, inputs, actions)
    _initialise(body)
    return net


def _initialise(body: nn.Sequential) -> None:
    for layer in body:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    last = body[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        last.weight.mul_(0.1)  # every action is about equally likely at first


def _nature(config: TrainConfig, outputs: int, activation: type[nn.Module]) -> nn.Sequential:
    convolutions = [
        nn.Conv2d(len(config.history), 32, 8, stride=4),
        activation(),
        nn.Conv2d(32, 64, 4, stride=2),
        activation(),
        nn.Conv2d(64, 64, 3),
        activation(),
        nn.Flatten(),
    ]
    edge = ((config.size - 8) // 4 + 1 - 4) // 2 + 1 - 2
    return nn.Sequential(*convolutions, nn.Linear(64 * edge * edge, 512), activation(), nn.Linear(512, outputs))


def _article64(config: TrainConfig, outputs: int, activation: type[nn.Module]) -> nn.Sequential:
    layers: list[nn.Module] = []
    edge = config.size
    for width in (len(config.history), 64, 64):
        # Both activations are monotonic, so they can follow the pooling, on a quarter of the numbers.
        layers += [nn.Conv2d(width, 64, 3), nn.MaxPool2d(2), activation()]
        edge = (edge - 2) // 2
    layers += [nn.Flatten(), nn.Linear(64 * edge * edge, 128), activation(), nn.Linear(128, 64), activation()]
    return nn.Sequential(*layers, nn.Linear(64, outputs))
