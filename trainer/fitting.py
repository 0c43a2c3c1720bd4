"""Behavioural cloning: from sessions to a policy, as a generator of Progress.

    load ─▶ train ─▶ play ─▶ done        close() at any moment keeps the best so far
              │ every so often: validate the averaged weights, let them play; the best are written to `out`

The loss is cross-entropy for discrete actions and the mean squared error for continuous ones (Pomerleau 1991). The
learning rate follows one cycle over the budget, whether that is counted in batches or in seconds.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import math
import tempfile
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
from trainer.augment import augment
from trainer.config import TrainConfig
from trainer.dataset import Batch, Dataset
from trainer.errors import PolicyError, TrainingError
from trainer.models import Net, ScreenNet, build
from trainer.policy import Manner, Policy, save_policy
from trainer.progress import Progress
from trainer.trial import (
    Arena,
    Entrant,
    Round,
    Standing,
    check_rounds,
    contest,
    finalists,
    first_rounds,
    last_rounds,
    manners,
)

_REPORT_S = 0.25
_VALIDATION_SAMPLES = 4_096
_FIRST_ROUNDS = 0.3  # of the games that choose how to play, roughly
_FIRST_CHECK = 0.4  # of the budget: earlier weights are never the best


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
    env = opened[0].spec.name
    config = config.completed(env) if config else TrainConfig.for_env(env)
    run = _Run(opened, config, out)
    try:
        yield from run.load()
        yield from run.train()
        yield from run.play()
        yield run.progress("done", 1.0, message=f"saved {out}", score=run.score)
    finally:
        run.close()


class _Run:
    """The state of one training run."""

    def __init__(self, sessions: Sequence[Session], config: TrainConfig, out: Path) -> None:
        self.config = config
        self.out = out
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.set_num_threads(config.threads or available_cores())
        _keep_freed_memory()
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
        self.best_check = -math.inf
        self.kept: dict[str, dict[str, Tensor]] = {}  # weights by why they are kept: "loss", "check", "last"
        self.score: float | None = None
        self.manner = Manner()
        self.shift: int | None = None  # which label shift plays, once play has decided
        self.bfloat16 = _use_bfloat16(config.precision, self.device)
        self.saved = False
        self.arena = Arena(config.threads or available_cores())
        self._folder = tempfile.TemporaryDirectory(prefix="twinplay-")
        self._files = 0

    def progress(
        self, stage: str, fraction: float, eta_s: float | None = None, message: str = "", score: float | None = None
    ) -> Progress:
        rows = max(1, len(self.data.train_rows))
        return Progress(
            stage=stage,
            fraction=min(1.0, fraction),
            batch=self.batch,
            batches=self.config.max_batches,
            epoch=self.batch * self.config.batch_ticks / rows,
            seconds=time.monotonic() - self.started,
            eta_s=eta_s,
            loss=self.loss,
            accuracy=self.accuracy,
            val_loss=self.val_loss,
            val_accuracy=self.val_accuracy,
            score=score,
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
            net.set_statistics(torch.from_numpy(mean), torch.from_numpy(deviation))
        self.manner = Manner(1.0, self.data.rare_actions, past=self.config.pasts[0])
        yield self.progress("load", 1.0)
        for warning in self.data.warnings:
            yield self.progress("load", 1.0, message=warning)

    def train(self) -> Iterator[Progress]:
        config, net = self.config, self.net
        rng = np.random.default_rng(config.seed)
        optimizer = self._optimizer()
        started = reported = time.monotonic()
        validated, stale, checked = 0, 0, 0
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
            if checked < config.checks and config.play_games:
                due = _FIRST_CHECK + (1 - _FIRST_CHECK) * (checked + 1) / (config.checks + 1)
                if used >= due:
                    checked += 1
                    yield from self._check(used)
            for group in optimizer.param_groups:
                group["lr"] = config.learning_rate * _one_cycle(used, config.warm_up)
            self._step(optimizer, self.data.draw(rng, config.batch_size), rng)
            if time.monotonic() - reported >= _REPORT_S:
                reported = time.monotonic()
                yield self.progress("train", used, self._eta(used, started))

    def play(self) -> Iterator[Progress]:
        """Choose the weights, and how to play them, by playing."""
        config = self.config
        self.kept["last"] = copy.deepcopy(self.average.state_dict())
        if not config.play_games:
            self.save("loss" if "loss" in self.kept else "last")
            return
        files = {str(self._policy_file(name)): name for name in self.kept}
        first = [Entrant(file, manner) for file in files for manner in self._manners(few=True)]
        yield self.progress("play", 0.0, message="trying it in play")
        rounds = first_rounds(config)
        standings: list[Standing] = []
        for step in self._contest(first, rounds):
            if isinstance(step, list):
                standings = step
            else:
                yield self.progress("play", _FIRST_ROUNDS * step)
        last = finalists(standings, self._manners())
        for step in self._contest(last, last_rounds(config), sum(r.games for r in rounds)):
            if isinstance(step, list):
                standings = step
            else:
                yield self.progress("play", _FIRST_ROUNDS + (1 - _FIRST_ROUNDS) * step)
        self.manner, self.score = standings[0].entrant.manner, standings[0].score
        self.save(files[standings[0].entrant.policy])
        message = f"plays best {_manner_text(self.manner, config, self.data.spec.discrete)}"
        yield self.progress("play", 1.0, message=message, score=self.score)

    def _check(self, used: float) -> Iterator[Progress]:
        """Let the present weights play a little; keep them if no earlier ones scored more."""
        self.kept["now"] = copy.deepcopy(self.average.state_dict())
        file = str(self._policy_file("now"))
        standings: list[Standing] = []
        for step in self._contest([Entrant(file, m) for m in self._manners(few=True)], check_rounds(self.config)):
            if isinstance(step, list):
                standings = step
            else:
                yield self.progress("train", used)
        best = standings[0]
        self.score, self.shift = best.score, best.entrant.manner.output
        now = self.kept.pop("now")
        if self.score >= self.best_check:
            self.best_check, self.manner = self.score, best.entrant.manner
            self.kept["check"] = now
            self.save("check")
        message = f"in short games after {self.batch:,} batches: {self.score:,.1f} points"
        yield self.progress("train", used, message=message, score=self.score)

    def _manners(self, few: bool = False) -> list[Manner]:
        """Every manner worth trying; the label shift is settled by the first games."""
        shifts = range(len(self.config.label_shifts)) if self.shift is None else (self.shift,)
        return manners(self.data.spec, self.config, shifts, self.data.rare_actions, few=few)

    def _contest(
        self, entrants: Sequence[Entrant], rounds: Sequence[Round], game: int = 0
    ) -> Iterator[float | list[Standing]]:
        """`contest`, with a sign of life (the share of it that is done, roughly) every so often."""
        reported = time.monotonic()
        yield 0.0
        for step in contest(self.arena, entrants, rounds, self.config.seed, game):
            if isinstance(step, list):
                yield step
            elif time.monotonic() - reported >= _REPORT_S:
                reported = time.monotonic()
                yield step

    def _policy_file(self, name: str) -> Path:
        """A file of the weights kept under this name, for those who try them in play."""
        self._files += 1
        path = Path(self._folder.name) / f"{self._files}.safetensors"
        save_policy(path, self._player(self.kept[name]).net, self._header())
        return path

    def _player(self, weights: dict[str, Tensor]) -> Policy:
        net = copy.deepcopy(self.average)
        net.load_state_dict(weights)
        return Policy(net, self.data.spec, self.config, device=self.device)

    def close(self) -> None:
        """Keep the best so far, whatever happened, and clean up."""
        with contextlib.ExitStack() as stack:
            stack.callback(self.data.close)
            stack.callback(self._folder.cleanup)
            stack.callback(self.arena.close)
            if not self.saved and self.batch:
                self.kept["last"] = copy.deepcopy(self.average.state_dict())
                self.save("last")

    def save(self, name: str) -> None:
        """Write the weights kept under this name."""
        save_policy(self.out, self._player(self.kept[name]).net, self._header())
        self.saved = True

    def _header(self) -> dict[str, Any]:
        return {
            "env": self.data.spec.to_json(),
            "config": self.config.to_json(),
            "play": self.manner.to_json(),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "sessions": [
                {
                    "name": session.name,
                    "digest": session.attributes.get("digest") or session.digest(),
                    "player": session.player,
                    "ticks": len(session),
                    "total_rewards": session.games,
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
        return torch.optim.AdamW(
            self.net.parameters(), config.learning_rate, weight_decay=config.weight_decay, fused=True
        )

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
        raw = torch.from_numpy(batch.inputs).to(self.device)
        labels = torch.from_numpy(batch.labels).to(self.device)
        if isinstance(self.net, ScreenNet):
            hidden = torch.from_numpy(rng.random(len(raw)) < self.config.hidden_share).to(self.device)
            residuals, labels, mirrored = augment(
                self.net.residuals(raw, hidden), labels, self.config, self.data.spec.mirror_actions, rng
            )
            output = self._forward(self.net, self.net.scaled(residuals), mirrored)
        else:
            nothing = torch.zeros(len(raw), dtype=torch.bool, device=self.device)
            prepared = self.net.prepare(raw, nothing)
            output = self._forward(self.net, prepared)
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
            hits = float((output.detach()[:, 0].argmax(1) == labels[:, 0]).float().mean())
            self.accuracy = hits if self.accuracy is None else self.accuracy + share * (hits - self.accuracy)

    def _forward(self, net: Net, *inputs: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            output: Tensor = net(*inputs)
        return output.float()

    def _criterion(self, output: Tensor, labels: Tensor) -> Tensor:
        if self.data.spec.discrete:
            return nn.functional.cross_entropy(output.flatten(0, 1), labels.flatten())
        # An action at its limit tells only that the demonstrator wanted that much or more (Tobin 1958, "Estimation of
        # relationships for limited dependent variables"): going further is no error, as play clips it.
        beyond = ((labels >= 1) & (output > labels)) | ((labels <= -1) & (output < labels))
        return torch.where(beyond, 0.0, output - labels).square().mean()

    def _validate(self) -> bool:
        """Judge the averaged weights on held-out episodes; keep and save them if they are the best so far."""
        losses, hits, count = 0.0, 0.0, 0
        with torch.inference_mode():
            for batch in self.data.validation_batches(256, _VALIDATION_SAMPLES):
                labels = torch.from_numpy(batch.labels).to(self.device)
                # A past that is shown makes the loss low, whatever the network has understood.
                hidden = torch.full((len(labels),), not self.config.pasts[-1], device=self.device)
                inputs = self.average.prepare(torch.from_numpy(batch.inputs).to(self.device), hidden)
                output = self._forward(self.average, inputs)
                losses += float(self._criterion(output, labels)) * len(labels)
                hits += float((output[:, 0].argmax(1) == labels[:, 0]).sum()) if self.data.spec.discrete else 0.0
                count += len(labels)
        self.val_loss = losses / count
        if self.data.spec.discrete:
            self.val_accuracy = hits / count
        if self.val_loss >= self.best_loss:
            return False
        self.best_loss, self.kept["loss"] = self.val_loss, copy.deepcopy(self.average.state_dict())
        if "check" not in self.kept:
            self.save("loss")
        return True


def _keep_freed_memory() -> None:
    """Let glibc keep what a batch frees for the next one.

    By default it returns large blocks to the kernel and gets them again, page by page and zeroed, at every batch: a
    third of a batch's time. Elsewhere than on glibc nothing is done.
    """
    trim_threshold, mmap_threshold = -1, -3
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter in (trim_threshold, mmap_threshold):
            mallopt(parameter, 1 << 30)


def _use_bfloat16(precision: str, device: torch.device) -> bool:
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Without such instructions oneDNN emulates them, which is slower than float32.
    return bool(torch.cpu.get_capabilities().get("avx512_bf16"))


def _manner_text(manner: Manner, config: TrainConfig, discrete: bool) -> str:
    shift = config.label_shifts[manner.output]
    late = f", {shift} ticks ahead of its demonstrator" if shift else ""
    if not discrete:
        return f"as it is{late}"
    if len(config.pasts) > 1:
        late += ", seeing its paddle's past" if manner.past else ", not seeing its paddle's past"
    if manner.temperature == 0:
        return f"by the likeliest action{late}"
    return f"by drawing actions at temperature {manner.temperature:g}{late}"


def _one_cycle(used: float, warm_up: float) -> float:
    """The learning rate's factor at a share of the budget: up linearly, then down along a cosine."""
    if used < warm_up:
        return 0.04 + 0.96 * used / warm_up
    return max(0.001, 0.5 * (1 + math.cos(math.pi * (used - warm_up) / (1 - warm_up))))
