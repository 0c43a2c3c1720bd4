"""Behavioural cloning: from sessions to a policy, as a generator of Progress.

    load ─▶ train ─▶ play ─▶ done        close() at any moment keeps the best so far
              │ every so often: validate the averaged weights; the best are written to `out`

The loss is cross-entropy for discrete actions and the mean squared error for continuous ones (Pomerleau 1991). The
learning rate follows one cycle over the budget, whether that is counted in batches or in seconds.
"""

from __future__ import annotations

import contextlib
import copy
import math
import time
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recorder.jobs import available_cores
from recorder.session import Session
from trainer.config import TrainConfig
from trainer.dataset import Batch, Dataset
from trainer.errors import PolicyError, TrainingError
from trainer.evaluation import GameResult, evaluation_seed, play_clone
from trainer.models import Net, ScreenNet, build
from trainer.policy import Policy, save_policy
from trainer.progress import Progress

_REPORT_S = 0.25
_VALIDATION_SAMPLES = 4_096
_WARM_UP = 0.1  # of the budget, as in one-cycle schedules
_PLAY_SEED = 7_919
# How a clone of discrete actions may play; the likeliest action alone falls into loops in a deterministic game.
_CANDIDATES = ((False, 1.0), (False, 0.5), (True, 1.0))


def fit(
    sessions: Sequence[Path | str | Session], config: TrainConfig | None = None, *, out: Path | str
) -> Generator[Progress, None, None]:
    """Train a clone of `sessions` and write it to `out`, replacing a policy of that name.

    `config` defaults to the standard one of the sessions' environment. Closing the generator keeps the best so far.
    Raises SessionError, TrainingError or PolicyError before anything is written, when the input cannot be used.
    """
    opened = [session if isinstance(session, Session) else Session.open(session) for session in sessions]
    out = Path(out)
    if not out.parent.is_dir():
        raise PolicyError(f"{out} cannot be written: the folder {out.parent} does not exist; make it first")
    if out.is_dir():
        raise PolicyError(f"{out} is a folder; name a file for the policy")
    if not opened:
        raise TrainingError("no session is chosen; choose at least one to train on")
    config = config or TrainConfig.for_env(opened[0].spec.name)
    run = _Run(opened, config, out)
    try:
        yield from run.load()
        yield from run.train()
        yield from run.play()
        yield run.progress("done", 1.0, message=f"saved {out}")
    finally:
        run.close()


class _Run:
    """The state of one training run."""

    def __init__(self, sessions: Sequence[Session], config: TrainConfig, out: Path) -> None:
        self.config = config
        self.out = out
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.set_num_threads(config.threads or available_cores())
        torch.manual_seed(config.seed)
        self.net: Net = build(config, sessions[0].spec).to(self.device)
        self.average: Net = copy.deepcopy(self.net).requires_grad_(False).eval()
        self.data = Dataset(sessions, config)
        self.sessions = sessions
        self.started = time.monotonic()
        self.trained_s = 0.0
        self.batch = 0
        self.loss: float | None = None
        self.accuracy: float | None = None
        self.val_loss: float | None = None
        self.val_accuracy: float | None = None
        self.best_loss = math.inf
        self.best: dict[str, Tensor] | None = None
        self.score: float | None = None
        self.play_settings: dict[str, Any] = {"greedy": not sessions[0].spec.discrete, "temperature": 1.0}
        self.saved = False

    def progress(self, stage: str, fraction: float, eta_s: float | None = None, message: str = "") -> Progress:
        rows = max(1, len(self.data.train_rows))
        return Progress(
            stage=stage,
            fraction=min(1.0, fraction),
            batch=self.batch,
            batches=self.config.max_batches,
            epoch=self.batch * self.config.batch_size / rows,
            seconds=time.monotonic() - self.started,
            eta_s=eta_s,
            loss=self.loss,
            accuracy=self.accuracy,
            val_loss=self.val_loss,
            val_accuracy=self.val_accuracy,
            score=self.score,
            message=message,
        )

    def load(self) -> Iterator[Progress]:
        ticks = f"{self.data.ticks:,} ticks of {len(self.sessions)} session{'s' if len(self.sessions) > 1 else ''}"
        yield self.progress("load", 0.0, message=f"reading {ticks}")
        reported = time.monotonic()
        for fraction in self.data.load():
            if time.monotonic() - reported >= _REPORT_S:
                reported = time.monotonic()
                yield self.progress("load", fraction)
        mean, deviation = self.data.statistics()
        for net in (self.net, self.average):
            net.mean.copy_(torch.from_numpy(mean))
            if not isinstance(net, ScreenNet):
                net.deviation.copy_(torch.from_numpy(np.maximum(deviation, 1e-6)))
        yield self.progress("load", 1.0)
        for warning in self.data.warnings:
            yield self.progress("load", 1.0, message=warning)

    def train(self) -> Iterator[Progress]:
        config, net = self.config, self.net
        rng = np.random.default_rng(config.seed)
        optimizer = self._optimizer()
        started = reported = time.monotonic()
        validated, stale = 0, 0
        net.train()
        while True:
            used = self._budget_used(time.monotonic() - started)
            if used >= (validated + 1) / config.validations or used >= 1.0:
                validated = max(validated + 1, math.floor(used * config.validations))
                stale = 0 if self._validate() else stale + 1
                self.trained_s = time.monotonic() - started
                yield self.progress("train", used, self._eta(used, started))
                if used >= 1.0:
                    break
                if stale >= config.patience:
                    yield self.progress("train", used, 0.0, "validation stopped improving; ending early")
                    break
            for group in optimizer.param_groups:
                group["lr"] = config.learning_rate * _one_cycle(used)
            self._step(optimizer, self.data.draw(rng, config.batch_size), rng)
            if time.monotonic() - reported >= _REPORT_S:
                reported = time.monotonic()
                yield self.progress("train", used, self._eta(used, started))

    def play(self) -> Iterator[Progress]:
        """Choose how to play by playing: each candidate meets the same starts."""
        config = self.config
        if self.best is None or not config.play_games:
            return
        self.average.load_state_dict(self.best)
        candidates = _CANDIDATES if self.data.spec.discrete else ((True, 1.0),)
        seeds = [evaluation_seed(_PLAY_SEED + config.seed, k) for k in range(config.play_games)]
        policy = Policy(self.average, self.data.spec, config, device=self.device)
        best = -math.inf
        for index, (greedy, temperature) in enumerate(candidates):
            manner = "likeliest action" if greedy else f"sampled, temperature {temperature:g}"
            share = index / len(candidates)
            message = f"trying it in play: {manner}" if self.data.spec.discrete else "trying it in play"
            yield self.progress("play", share, message=message)
            results: list[GameResult] | None = None
            reported = time.monotonic()
            for results in play_clone(
                policy.fork(0, greedy=greedy, temperature=temperature), seeds, max_ticks=config.play_ticks
            ):
                if results is None and time.monotonic() - reported >= _REPORT_S:
                    reported = time.monotonic()
                    yield self.progress("play", share)
            assert results is not None
            mean = float(np.mean([game.score for game in results]))
            if mean > best:
                best, self.score = mean, mean
                self.play_settings = {"greedy": greedy, "temperature": temperature}
        self.save()
        yield self.progress("play", 1.0)

    def close(self) -> None:
        """Keep the best so far, whatever happened, and clean up."""
        with contextlib.ExitStack() as stack:
            stack.callback(self.data.close)
            if not self.saved and self.batch:
                if self.best is None:
                    self.best = copy.deepcopy(self.average.state_dict())
                self.save()

    def save(self) -> None:
        assert self.best is not None
        net = copy.deepcopy(self.average)
        net.load_state_dict(self.best)
        save_policy(self.out, net, self._header())
        self.saved = True

    def _header(self) -> dict[str, Any]:
        return {
            "env": self.data.spec.to_json(),
            "config": self.config.to_json(),
            "play": self.play_settings,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "sessions": [
                {
                    "name": session.name,
                    "digest": session.attributes.get("digest") or session.digest(),
                    "player": session.player,
                    "ticks": len(session),
                    "total_rewards": [episode.total_reward for episode in session.episodes if not episode.excluded],
                }
                for session in self.sessions
            ],
            "training": {
                "batches": self.batch,
                "seconds": round(time.monotonic() - self.started, 1),
                "validation_loss": None if math.isinf(self.best_loss) else self.best_loss,
                "validation_accuracy": self.val_accuracy,
                "score_in_play": self.score,
                "warnings": self.data.warnings,
                "torch": str(torch.__version__),
            },
        }

    def _optimizer(self) -> torch.optim.Optimizer:
        config = self.config
        if config.optimizer == "sgd":
            return torch.optim.SGD(
                self.net.parameters(), config.learning_rate, momentum=0.9, weight_decay=config.weight_decay
            )
        return torch.optim.AdamW(self.net.parameters(), config.learning_rate, weight_decay=config.weight_decay)

    def _budget_used(self, seconds: float) -> float:
        shares = []
        if self.config.max_batches is not None:
            shares.append(self.batch / self.config.max_batches)
        if self.config.max_seconds is not None:
            shares.append(seconds / self.config.max_seconds)
        return max(shares)

    def _eta(self, used: float, started: float) -> float | None:
        return (time.monotonic() - started) * (1 - used) / used if used > 0.01 else None

    def _step(self, optimizer: torch.optim.Optimizer, batch: Batch, rng: np.random.Generator) -> None:
        inputs = self.net.prepare(torch.from_numpy(batch.inputs).to(self.device))
        labels = torch.from_numpy(batch.labels).to(self.device)
        if isinstance(self.net, ScreenNet):
            inputs, labels = augment(inputs, labels, self.config, self.data.spec.mirror_actions, rng)
        output = self.net(inputs)
        loss = self._criterion(output, labels)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.net.parameters(), 10.0)
        optimizer.step()
        self.batch += 1
        # The average starts short and grows to the configured length, so that early weights do not linger.
        decay = min(self.config.ema, self.batch / (self.batch + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.net.parameters()), 1 - decay)
        if not math.isfinite(value := float(loss.detach())):
            raise TrainingError(
                f"the loss became {value} at batch {self.batch}; lower the learning rate "
                f"({self.config.learning_rate:g}) and train again"
            )
        share = max(0.02, 1 / self.batch)
        self.loss = value if self.loss is None else self.loss + share * (value - self.loss)
        if self.data.spec.discrete:
            hits = float((output.detach().argmax(1) == labels).float().mean())
            self.accuracy = hits if self.accuracy is None else self.accuracy + share * (hits - self.accuracy)

    def _criterion(self, output: Tensor, labels: Tensor) -> Tensor:
        if self.data.spec.discrete:
            return nn.functional.cross_entropy(output, labels)
        return nn.functional.mse_loss(output, labels)

    def _validate(self) -> bool:
        """Judge the averaged weights on held-out episodes; keep and save them if they are the best so far."""
        losses, hits, count = 0.0, 0.0, 0
        with torch.inference_mode():
            for batch in self.data.validation_batches(256, _VALIDATION_SAMPLES):
                labels = torch.from_numpy(batch.labels).to(self.device)
                output = self.average(self.average.prepare(torch.from_numpy(batch.inputs).to(self.device)))
                losses += float(self._criterion(output, labels)) * len(labels)
                hits += float((output.argmax(1) == labels).sum()) if self.data.spec.discrete else 0.0
                count += len(labels)
        self.val_loss = losses / count
        if self.data.spec.discrete:
            self.val_accuracy = hits / count
        if self.val_loss >= self.best_loss:
            return False
        self.best_loss, self.best = self.val_loss, copy.deepcopy(self.average.state_dict())
        self.save()
        return True


def augment(
    inputs: Tensor, labels: Tensor, config: TrainConfig, mirror_actions: Sequence[int], rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Mirror and shift prepared screens float32 (B, C, H, W); what moves in is background, which is zero.

    Each sample is mirrored, its action with it, with probability `config.mirror`, and shifted by up to `config.shift`
    pixels either way.
    """
    count, _, height, width = inputs.shape
    if mirror_actions and config.mirror:
        chosen = torch.from_numpy(rng.random(count) < config.mirror).to(inputs.device)
        mirrored = torch.tensor(mirror_actions, device=labels.device)[labels]
        labels = torch.where(chosen, mirrored, labels)
        inputs = torch.where(chosen[:, None, None, None], inputs.flip(3), inputs)
    if config.shift:
        reach = config.shift
        padded = nn.functional.pad(inputs, (reach, reach, reach, reach))
        offsets = rng.integers(0, 2 * reach + 1, (count, 2)).tolist()
        inputs = torch.stack([padded[i, :, y : y + height, x : x + width] for i, (y, x) in enumerate(offsets)])
    return inputs, labels


def _one_cycle(used: float) -> float:
    """The learning rate's factor at a share of the budget: up linearly, then down along a cosine."""
    if used < _WARM_UP:
        return 0.04 + 0.96 * used / _WARM_UP
    return max(0.001, 0.5 * (1 + math.cos(math.pi * (used - _WARM_UP) / (1 - _WARM_UP))))
