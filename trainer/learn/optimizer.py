"""AdamW and SGD with momentum, as torch.optim's classes of these names compute them.

Decision: call the functions that do the computation, and keep their state here.
Background: constructing one of torch.optim's classes imports torch's compiler, which nothing here uses: 1.4 s of
processor time and 820 modules in every process that trains.
Alternatives: the classes with their undocumented decorators removed.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

_MOMENTUM = 0.9


class _Optimizer:
    """What both share. `state` holds tensors for each weight by name; empty before its first step."""

    def __init__(self, parameters: Iterable[nn.Parameter], weight_decay: float) -> None:
        self.state: dict[nn.Parameter, dict[str, Tensor]] = {parameter: {} for parameter in parameters}
        self._weight_decay = weight_decay

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.state:
            parameter.grad = None

    def _gradients(self) -> dict[nn.Parameter, Tensor]:
        """The weights that have a gradient, with it."""
        return {parameter: parameter.grad for parameter in self.state if parameter.grad is not None}


class AdamW(_Optimizer):
    """Loshchilov & Hutter 2019, with their betas (0.9, 0.999) and epsilon 1e-8; one kernel for all weights.

    `state` holds for each weight: step float32 (), exp_avg and exp_avg_sq as the weight. Empty before its first step.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], weight_decay: float = 1e-2) -> None:
        super().__init__(parameters, weight_decay)

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move every weight that has a gradient, at a learning rate."""
        moved = self._gradients()
        for parameter in moved:
            if not self.state[parameter]:
                first, second = torch.zeros_like(parameter), torch.zeros_like(parameter)
                step = torch.zeros((), dtype=torch.float32, device=parameter.device)
                self.state[parameter] = {"step": step, "exp_avg": first, "exp_avg_sq": second}
        states = [self.state[parameter] for parameter in moved]
        adamw(
            list(moved),
            list(moved.values()),
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=rate,
            weight_decay=self._weight_decay,
            eps=1e-8,
            maximize=False,
        )


class SGD(_Optimizer):
    """Stochastic gradient descent with momentum 0.9.

    `state` holds for each weight: momentum_buffer as the weight. Empty before its first step.
    """

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move every weight that has a gradient, at a learning rate."""
        moved = self._gradients()
        buffers = [self.state[parameter].get("momentum_buffer") for parameter in moved]
        sgd(
            list(moved),
            list(moved.values()),
            buffers,
            weight_decay=self._weight_decay,
            momentum=_MOMENTUM,
            lr=rate,
            dampening=0.0,
            nesterov=False,
            maximize=False,
        )
        for parameter, buffer in zip(moved, buffers, strict=True):
            assert buffer is not None
            self.state[parameter] = {"momentum_buffer": buffer}
