"""The networks, by name. Each maps a batch of preprocessed input to logits (or to torques).

    nature      uint8 (B, history, 84, 84) ─▶ conv 32 8x8/4 ─▶ conv 64 4x4/2 ─▶ conv 64 3x3/1 ─▶ 512 ─▶ actions
                Mnih et al. 2015, "Human-level control through deep reinforcement learning"
    article64   three times (conv 64 3x3, 2x2 max pooling) ─▶ 128 ─▶ 64 ─▶ actions
    mlp         float32 (B, n) ─▶ 128 ─▶ 64 ─▶ torques, on normalised observations

Statistics of the data (the mean screen; mean and deviation of a vector) are buffers: they travel with the weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recorder.envs import EnvSpec
from trainer.config import NETWORKS, TrainConfig
from trainer.errors import TrainingError

# Grey levels are 0-255 and the ball's is about 110 above the background: this brings it to the order of one.
_GREY_SCALE = 1 / 64


class ScreenNet(nn.Module):
    """Logits from stacked screens. `prepare` subtracts the mean screen; `forward` takes its result."""

    mean: Tensor

    def __init__(self, body: nn.Module, size: int) -> None:
        super().__init__()
        self.body = body
        for weight in body.parameters():
            if weight.dim() == 4:  # channels last halves the time of a batch on CPUs
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        self.register_buffer("mean", torch.zeros(size, size))

    def prepare(self, screens: Tensor) -> Tensor:
        """uint8 (B, history, size, size) to float32 of the same shape."""
        return (screens.float() - self.mean) * _GREY_SCALE

    def forward(self, prepared: Tensor) -> Tensor:
        """float32 (B, history, size, size) to logits (B, actions)."""
        logits: Tensor = self.body(prepared.contiguous(memory_format=torch.channels_last))
        return logits


class VectorNet(nn.Module):
    """Torques from an observation vector."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, body: nn.Module, inputs: int) -> None:
        super().__init__()
        self.body = body
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("deviation", torch.ones(inputs))

    def prepare(self, observations: Tensor) -> Tensor:
        """float (B, n) to normalised float32 (B, n)."""
        return (observations.float() - self.mean) / self.deviation

    def forward(self, prepared: Tensor) -> Tensor:
        """float32 (B, n) to torques (B, m)."""
        torques: Tensor = self.body(prepared)
        return torques


Net = ScreenNet | VectorNet


def build(config: TrainConfig, spec: EnvSpec) -> Net:
    """The network of a configuration for an environment, freshly initialised from torch's generator.

    Raises TrainingError when the two do not fit.
    """
    kind = "screen" if spec.has_screen else "vector"
    if config.network not in NETWORKS[kind]:
        raise TrainingError(
            f"the network {config.network!r} does not fit {spec.title}; choose one of: {', '.join(NETWORKS[kind])}"
        )
    activation: type[nn.Module] = nn.ReLU if config.activation == "relu" else nn.Tanh
    if spec.has_screen:
        build_body = _nature if config.network == "nature" else _article64
        body = build_body(len(config.history), config.size, len(spec.action_names), activation)
        return ScreenNet(body, config.size)
    inputs, outputs = spec.observation_shape[0], spec.action_shape[0]
    layers: list[nn.Module] = []
    for width_in, width_out in zip((inputs, *config.hidden), config.hidden, strict=False):
        layers += [nn.Linear(width_in, width_out), activation()]
    return VectorNet(nn.Sequential(*layers, nn.Linear(config.hidden[-1], outputs)), inputs)


def _nature(channels: int, size: int, actions: int, activation: type[nn.Module]) -> nn.Sequential:
    convolutions = [
        nn.Conv2d(channels, 32, 8, stride=4),
        activation(),
        nn.Conv2d(32, 64, 4, stride=2),
        activation(),
        nn.Conv2d(64, 64, 3),
        activation(),
        nn.Flatten(),
    ]
    edge = ((size - 8) // 4 + 1 - 4) // 2 + 1 - 2
    return nn.Sequential(*convolutions, nn.Linear(64 * edge * edge, 512), activation(), nn.Linear(512, actions))


def _article64(channels: int, size: int, actions: int, activation: type[nn.Module]) -> nn.Sequential:
    layers: list[nn.Module] = []
    edge = size
    for width in (channels, 64, 64):
        layers += [nn.Conv2d(width, 64, 3), activation(), nn.MaxPool2d(2)]
        edge = (edge - 2) // 2
    layers += [nn.Flatten(), nn.Linear(64 * edge * edge, 128), activation(), nn.Linear(128, 64), activation()]
    return nn.Sequential(*layers, nn.Linear(64, actions))
