"""The cost of a clone in floating-point operations, which does not depend on the machine.

    learning to see     3 x (batches x screens in one) x a screen
    locating            ticks x a screen
    learning to play    3 x (batches x samples in one) x an answer
    choosing by play    ticks of all games x (a screen + an answer)

"An answer" is one forward pass of the network that chooses actions. The operations of one screen and one answer are
those of its convolutions and products: two for each multiply-add. A training step takes three times as many: one
forward pass, and a backward pass of twice that (Kaplan et al. 2020, "Scaling laws for neural language models").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from trainer.config import TrainConfig
from trainer.policy.keypoints import KeypointNet
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
            seen = torch.zeros(1, len(config.history), config.positions, device=device)
            held = torch.ones(1, 2, dtype=torch.long, device=device)
            answer = _flops(lambda: net(net.prepare(seen, shown), held))
            if (steering := net.steering) is not None:
                answer += _flops(lambda: steering(seen, net.own))
            return cls(screen, answer)
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
    counter = _Counter()
    with torch.no_grad(), counter:
        call()
    return counter.total


class _Counter(TorchFunctionMode):
    """Counts what torch.utils.flop_counter counts, but without importing torch's compiler, which takes a second."""

    total = 0

    def __torch_function__(
        self, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        if function in (nn.functional.conv2d, nn.functional.linear):
            self.total += 2 * result.numel() * args[1][0].numel()
        elif function in (Tensor.__matmul__, Tensor.matmul):
            self.total += 2 * result.numel() * args[0].shape[-1]
        return result


def _of_memory(memory: nn.LSTM) -> int:
    """The operations of an LSTM per tick."""
    return 2 * _GATES * memory.hidden_size * (memory.input_size + memory.hidden_size)
