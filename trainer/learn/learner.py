"""The learner: a network, its running average and its optimiser; one step, one validation."""

from __future__ import annotations

import contextlib
import copy
import ctypes
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from recorder.envs.spec import EnvSpec
from trainer.config import TrainConfig
from trainer.data.samples import Batch
from trainer.distributed import ProcessGroup
from trainer.learn.augment import Views, augment
from trainer.learn.loss import Loss
from trainer.learn.optimizer import SGD, AdamW
from trainer.policy.keypoints import KeypointNet
from trainer.policy.networks import Net, ScreenNet, VectorNet, build

_AT_ONCE = 256  # screens: more do not fit into a processor's cache


@dataclass(frozen=True)
class ValidationMetrics:
    """The metrics of the averaged weights on held-out ticks.

    `confusion[k][j]` counts the ticks at which the demonstrator took action k and the network's most likely action is
    j. `confusion` and `accuracy` are None for continuous actions.
    """

    loss: float
    accuracy: float | None
    confusion: tuple[tuple[int, ...], ...] | None


class Learner:
    """Initialised from torch's random generator. The average, not the network itself, is judged, saved and played."""

    def __init__(self, config: TrainConfig, spec: EnvSpec, device: torch.device) -> None:
        self.config = config
        self.spec = spec
        self.device = device
        self.net: Net = build(config, spec).to(device)
        self._group = ProcessGroup()
        self.average: Net = copy.deepcopy(self.net).requires_grad_(False).eval()
        self.optimizer = _optimizer(self.net, config)
        # A walk through all modules to find these takes a twentieth of a small network's step.
        self._weights, self._averages = list(self.net.parameters()), list(self.average.parameters())
        self._loss = Loss.of(config, spec)
        self.bfloat16 = _use_bfloat16(config, device)
        keep_freed_memory()

    def set_statistics(self, mean: npt.NDArray[np.float32], deviation: npt.NDArray[np.float32]) -> None:
        """Set the statistics of the data in both networks; see the networks."""
        for net in (self.net, self.average):
            assert not isinstance(net, KeypointNet)
            net.set_statistics(torch.from_numpy(mean), torch.from_numpy(deviation))

    def sight(self) -> dict[str, Tensor]:
        """The tensors of the part that sees; see KeypointNet."""
        assert isinstance(self.net, KeypointNet)
        return self.net.sight()

    def see(self, sight: Mapping[str, Tensor]) -> None:
        """Use these tensors to see from now on, without training them. Raises ValueError for another network's."""
        expected = {name: value.shape for name, value in self.sight().items()}
        if {name: value.shape for name, value in sight.items()} != expected:
            raise ValueError("its perception belongs to another network")
        for net in (self.net, self.average):
            net.load_state_dict(sight, strict=False)
            assert isinstance(net, KeypointNet)
            net.locator.requires_grad_(False)

    def locate(self, screens: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """The positions float32 (n, m) on screens uint8 (n, 2, size, size); see KeypointNet."""
        assert isinstance(self.average, KeypointNet)
        with torch.inference_mode():
            parts = torch.split(torch.from_numpy(screens), _AT_ONCE)
            positions = torch.cat([self.average.locate(part.to(self.device)) for part in parts])
            return np.asarray(positions.float().cpu().numpy(), np.float32)

    def set_follows(self, follows: npt.NDArray[np.bool_]) -> None:
        """Set in both networks' hands which action ever directly follows which, bool (actions, actions)."""
        for net in (self.net, self.average):
            assert isinstance(net, KeypointNet)
            net.hand.follows.copy_(torch.from_numpy(follows))

    def fit_steering(self, batch: Batch) -> None:
        """Learn how actions move the player's own positions, if the network steers; see Steering."""
        assert isinstance(self.net, KeypointNet)
        assert isinstance(self.average, KeypointNet)
        if self.net.steering is not None and self.average.steering is not None:
            known = (batch.inputs, batch.later, batch.ahead, batch.before)
            self.net.steering.fit(*(torch.from_numpy(part).to(self.device) for part in known))
            for found, copied in zip(self.net.steering.buffers(), self.average.steering.buffers(), strict=True):
                copied.copy_(found)

    def begin_from(self, parent: Net) -> None:
        """Start from the weights of a policy. Raises RuntimeError for one with another network."""
        for net in (self.net, self.average):
            net.load_state_dict(parent.state_dict())

    @property
    def own_positions(self) -> npt.NDArray[np.bool_]:
        """Which of the positions are the player's own, bool (m,)."""
        assert isinstance(self.average, KeypointNet)
        return np.asarray(self.average.own.cpu().numpy(), bool)

    def join(self, group: ProcessGroup) -> None:
        """Train together with other processes: each learns from its part of every batch, and all take the same step."""
        self._group = group
        group.take_over(self._weights)

    def step(self, batch: Batch, number: int, rate: float, rng: np.random.Generator) -> tuple[float, float | None]:
        """Learn from batch `number` (from 1) at a learning rate; returns its loss, and its accuracy if there is one."""
        raw = torch.from_numpy(batch.inputs).to(self.device)
        labels = self._loss.labels(batch).to(self.device)
        if isinstance(self.net, VectorNet):
            nothing = torch.zeros(len(raw), dtype=torch.bool, device=self.device)
            output = self._forward(self.net, self.net.prepare(raw, nothing))
        else:
            mirrored = self.spec.mirror_actions if self.spec.discrete else ()
            views = Views.draw(rng, batch.size, self.config, bool(mirrored)).of(batch.places)
            hidden = torch.from_numpy(views.hidden).to(self.device)
            if isinstance(self.net, ScreenNet):
                residuals, labels, sides = augment(self.net.residuals(raw, hidden), labels, views, mirrored)
                output = self._forward(self.net, self.net.scaled(residuals), sides)
            else:
                held = torch.from_numpy(batch.held).to(self.device)
                output = self._forward(self.net, self.net.prepare(raw, hidden), held)
        share = len(batch.places) / batch.size
        # The mean over an empty part is undefined, but all processes need gradients of all weights, here zeros.
        moving: Tensor | float = 0.0
        if isinstance(self.net, KeypointNet):
            output, habit = output[:, :-1], output[:, -1]
            each = nn.functional.cross_entropy(habit, labels[:, 0], reduction="none")
            # Hand and steering learn from samples without a label shift only: at play nothing is delayed.
            if self.net.steering is not None:
                later = torch.from_numpy(batch.later).to(self.device)
                each = each + self.net.steering.loss(raw, self.net.own, later)
            moving = (each * torch.from_numpy(batch.shifts == 0).to(self.device)).sum() / batch.size
        output = self._loss.of_shift(output, batch)
        loss = self._loss(output, labels) * share if share else output.sum() * 0.0
        self.optimizer.zero_grad()
        torch.autograd.backward(loss + moving)
        self._group.add_up([weight.grad for weight in self._weights if weight.grad is not None])
        nn.utils.clip_grad_norm_(self._weights, 10.0)
        self.optimizer.step(rate)
        # The averaging window starts short and grows to the configured length, so that early weights do not linger.
        decay = min(self.config.ema, number / (number + 10))
        update = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        update(self._averages, self._weights, None)
        hits = self._loss.hits(output, labels)
        told, right = self._group.total(np.array([float(loss.detach()), 0.0 if hits is None else float(hits)]))
        return float(told), None if hits is None else float(right) / batch.size

    def validate(self, batches: Iterable[Batch]) -> ValidationMetrics:
        """The metrics of the averaged weights on these batches."""
        losses, count = 0.0, 0
        actions = len(self.spec.action_names)
        pairs = torch.zeros(actions * actions, dtype=torch.int64)
        with torch.inference_mode():
            for batch in batches:
                labels = self._loss.labels(batch).to(self.device)
                # With its past shown, the loss is low even if the network only continues its own movement.
                hidden = torch.full((len(labels),), not self.config.past_choices[-1], device=self.device)
                inputs = self.average.prepare(torch.from_numpy(batch.inputs).to(self.device), hidden)
                output = self._loss.of_shift(self._forward(self.average, inputs), batch)
                losses += float(self._loss(output, labels)) * len(labels)
                count += len(labels)
                if self.spec.discrete:
                    likeliest = output[:, 0].argmax(1)
                    pairs += torch.bincount(labels[:, 0] * actions + likeliest, minlength=actions * actions).cpu()
        if not self.spec.discrete:
            return ValidationMetrics(losses / count, None, None)
        table = pairs.reshape(actions, actions)
        return ValidationMetrics(
            losses / count, int(table.trace()) / count, tuple(tuple(row) for row in table.tolist())
        )

    def tensors(self) -> dict[str, Tensor]:
        """All learned tensors, by name, for a checkpoint."""
        found = {f"net/{name}": tensor for name, tensor in self.net.state_dict().items()}
        found |= {f"average/{name}": tensor for name, tensor in self.average.state_dict().items()}
        for index, parameter in enumerate(self.net.parameters()):
            for name, value in self.optimizer.state[parameter].items():
                found[f"optimizer/{index}/{name}"] = value
        return found | {"random": torch.get_rng_state()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """The inverse of `tensors`. Raises ValueError or RuntimeError for tensors that do not fit."""
        for part, net in (("net", self.net), ("average", self.average)):
            net.load_state_dict(below(tensors, part))
        for index, parameter in enumerate(self.net.parameters()):
            state = self.optimizer.state[parameter]
            for name, value in below(tensors, f"optimizer/{index}").items():
                if value.dim() and value.shape != parameter.shape:
                    raise ValueError(f"the optimizer's {name} of weight {index} has shape {tuple(value.shape)}")
                # In the weight's memory format, as the optimiser itself would have created it.
                state[name] = torch.empty_like(parameter).copy_(value) if value.dim() else value.clone()
        torch.set_rng_state(tensors["random"])

    def _forward(self, net: nn.Module, *inputs: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            output: Tensor = net(*inputs)
        return output.float()


def below(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """The tensors named `part`/…, by the rest of their name."""
    return {name.removeprefix(f"{part}/"): value for name, value in tensors.items() if name.startswith(f"{part}/")}


def one_cycle(used: float, warm_up: float) -> float:
    """The learning rate's factor at a share of the budget: a linear rise, then a cosine decay (Smith 2018)."""
    if used < warm_up:
        return 0.04 + 0.96 * used / warm_up
    return max(0.001, 0.5 * (1 + math.cos(math.pi * (used - warm_up) / (1 - warm_up))))


def _optimizer(net: Net, config: TrainConfig) -> AdamW | SGD:
    kind = SGD if config.optimizer == "sgd" else AdamW
    return kind(net.parameters(), config.weight_decay)


def keep_freed_memory() -> None:
    """Let glibc keep the memory that a batch frees for the next one.

    By default it returns large blocks to the kernel and requests them again, page by page and zeroed, in every batch.
    The larger the blocks, the more that costs (in float32 more than in bfloat16). Without glibc nothing is done.
    """
    trim_threshold, mmap_threshold = -1, -3
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter in (trim_threshold, mmap_threshold):
            mallopt(parameter, 1 << 30)


def _use_bfloat16(config: TrainConfig, device: torch.device) -> bool:
    if config.precision != "auto":
        return config.precision == "bfloat16"
    if config.perceives:
        return False  # a perceptron gains no time by it, and positions would be off by a third of a pixel
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Without bfloat16 instructions oneDNN emulates them, which is slower than float32.
    return bool(torch.cpu.get_capabilities().get("avx512_bf16"))
