"""The cost of a clone in floating-point operations, which does not depend on the machine.

    learning to see     3 x (batches x screens in one) x a screen
    locating            ticks x a screen
    learning to play    3 x (batches x samples in one) x an answer
    choosing by play    ticks of all games x (a screen + an answer)

"An answer" is one forward pass of the network that chooses actions. Torch counts the operations of one screen and one
answer: two for each multiply-add. A training step takes three times as many: one forward pass, and a backward pass of
twice that (Kaplan et al. 2020, "Scaling laws for neural language models").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from trainer.config import TrainConfig
from trainer.policy.keypoints import POSITIONS, KeypointNet
from trainer.policy.networks import Net, RecurrentNet, ScreenNet

_OF_A_STEP = 3
_GATES = 4  # of an LSTM


@dataclass(frozen=True)
class Operations:
    """The operations of one located screen (0 if the network does not locate), and of one answer."""

    screen: int
    answer: int

    @classmethod
    def of(cls, net: Net, config: TrainConfig) -> Operations:
        """Count the operations of a network, without dropout."""
        training = net.training
        try:
            return cls._counted(net.eval(), config)
        finally:
            net.train(training)

    @classmethod
    def _counted(cls, net: Net, config: TrainConfig) -> Operations:
        device = next(net.parameters()).device
        shown = torch.zeros(1, dtype=torch.bool, device=device)
        screen = 0
        seen: Tensor
        if isinstance(net, KeypointNet):
            rows, columns = net.locator.mean.shape
            pair = torch.zeros(1, 2, rows, columns, dtype=torch.uint8, device=device)
            screen = _flops(lambda: net.locate(pair))
            seen = torch.zeros(1, len(config.history), POSITIONS, device=device)
            held = torch.ones(1, 2, dtype=torch.long, device=device)
            return cls(screen, _flops(lambda: net(net.prepare(seen, shown), held)))
        if isinstance(net, ScreenNet):
            seen = torch.zeros(1, len(config.history), *net.mean.shape, dtype=torch.uint8, device=device)
        else:
            seen = torch.zeros(1, *net.mean.shape, device=device)
        if isinstance(net, RecurrentNet):
            return cls(screen, _flops(lambda: net.step(net.prepare(seen, shown), [None])) + _of_memory(net.memory))
        return cls(screen, _flops(lambda: net(net.prepare(seen, shown))))

    def whole(self, looked_at: int, located: int, learned: int, played: int) -> int:
        """The operations of a whole training: `looked_at` screens to learn to see, `located` screens, `learned` samples
        to learn to play, and `played` ticks. A screen or sample that is used twice counts twice.
        """
        learning = _OF_A_STEP * (looked_at * self.screen + learned * self.answer)
        return learning + located * self.screen + played * (self.screen + self.answer)


def _flops(call: Callable[[], object]) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops())


def _of_memory(memory: nn.LSTM) -> int:
    """The operations of an LSTM per tick; torch does not count these."""
    return 2 * _GATES * memory.hidden_size * (memory.input_size + memory.hidden_size)
