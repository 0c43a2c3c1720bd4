"""What each speed-up of the end-to-end network is worth: `python -m tests.benchmarks network`.

    one process for each variant ─▶ rounds: some batches of every variant in turn ─▶ the median over rounds

The figure is the processor time of a batch of 128 on one core, from drawing it to the averaged weights: other programs
on the machine disturb that least. Ratios are to today's recipe in the same round.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

import trainer.learn.learner
import trainer.learn.optimizer
from recorder import Session
from tests.benchmarks.common import ROOT, Options, median, play, table
from trainer import TrainConfig
from trainer.distributed import ProcessGroup
from trainer.learn.training_process import TrainingProcess
from trainer.policy.networks import ScreenNet

ROUNDS, BATCHES, WARM_UP = 5, 4, 3


def nothing(*_: Any) -> None: ...


@dataclass(frozen=True)
class Variant:
    """`settings` change the recipe, `before` the modules and `after` what was built of them."""

    title: str
    settings: dict[str, Any] = field(default_factory=dict)
    before: Callable[[], None] = nothing
    after: Callable[[TrainingProcess], None] = nothing


def returned() -> None:
    """Freed memory goes back to the kernel, as glibc has it."""
    trainer.learn.learner.keep_freed_memory = nothing


def floats() -> None:
    """Screens are mirrored and shifted as floats."""
    augment = trainer.learn.learner.augment
    trainer.learn.learner.augment = lambda residuals, *rest: augment(residuals.float(), *rest)


def contiguous(process: TrainingProcess) -> None:
    """Channels first, as PyTorch has it."""
    ScreenNet.scaled = lambda self, residuals: residuals.float() * self.scale  # type: ignore[method-assign]
    for weight in process.learner.net.parameters():
        weight.data = weight.data.contiguous()


def unfused() -> None:
    """AdamW as a loop over the weights."""
    adamw = trainer.learn.optimizer.adamw
    trainer.learn.optimizer.adamw = lambda *tensors, **settings: adamw(*tensors, **{**settings, "fused": False})


def spread() -> None:
    """Pixels are weighed by a product that spreads over the channels."""
    ScreenNet.scaled = lambda self, residuals: (  # type: ignore[method-assign]
        residuals.to(torch.float32, memory_format=torch.channels_last) * self.scale
    )


def all_of_them() -> None:
    returned()
    floats()
    unfused()


def flush(process: TrainingProcess) -> None:
    torch.set_flush_denormal(True)


def compiled(process: TrainingProcess) -> None:
    process.learner.net.compile()


def pooled_last(process: TrainingProcess) -> None:
    """The activation before the pooling, as the article has it."""
    body = process.learner.net.body
    for at in [at for at, layer in enumerate(body) if isinstance(layer, nn.MaxPool2d)]:
        body[at], body[at + 1] = body[at + 1], body[at]


TODAY = "today"
VARIANTS = {
    TODAY: Variant("the recipe"),
    "contiguous": Variant("without channels last", after=contiguous),
    "returned": Variant("without keeping freed memory", before=returned),
    "float32": Variant("without bfloat16", {"precision": "float32"}),
    "unfused": Variant("without the fused AdamW", before=unfused),
    "floats": Variant("without mirroring and shifting bytes", before=floats),
    "spread": Variant("without weighing pixels in one layout", before=spread),
    "contiguous-float32": Variant("without bfloat16 and channels last", {"precision": "float32"}, after=contiguous),
    "none": Variant("without any of these", {"precision": "float32"}, all_of_them, contiguous),
    "flush": Variant("denormal numbers flushed to zero", after=flush),
    "compiled": Variant("torch.compile (needs a C++ compiler)", after=compiled),
    "screens": Variant("three screens instead of five", {"history": (0, 4, 16)}),
    "article64": Variant("article64", {"network": "article64"}),
    "pooled-last": Variant("article64, pooled after its activation", {"network": "article64"}, after=pooled_last),
}


def serve(name: str, session: Path) -> None:
    """One variant: for each line read, the seconds of a batch printed."""
    variant = VARIANTS[name]
    variant.before()
    config = TrainConfig.for_env(
        "breakout", **{"network": "nature", "max_batches": 100_000, "threads": 1, **variant.settings}
    )
    process = TrainingProcess([Session.open(session)], config, {}, ProcessGroup())
    try:
        for _ in process.load():
            pass
        process.start(None)
        variant.after(process)
        number = 0
        for line in sys.stdin:
            count = int(line)
            began = time.process_time()
            for _ in range(count):
                number += 1
                process.take_step(number, 0.1)
            print((time.process_time() - began) / count, flush=True)
    finally:
        process.close()


def network(options: Options) -> Iterator[str]:
    """Processor time of a batch, with each speed-up taken away in turn."""
    names = (TODAY, *list(VARIANTS)[:3]) if options.small else tuple(VARIANTS)
    rounds, batches = (1, 1) if options.small else (ROUNDS, BATCHES)
    with tempfile.TemporaryDirectory() as folder:
        session = play(Path(folder), 3_600)
        command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.network"]
        processes: dict[str, subprocess.Popen[str]] = {}

        def seconds(name: str, count: int) -> float:
            process = processes[name]
            assert process.stdin is not None
            assert process.stdout is not None
            print(count, file=process.stdin, flush=True)
            return float(process.stdout.readline() or "nan")

        try:
            able = []
            for name in dict.fromkeys(names):
                processes[name] = subprocess.Popen(
                    [*command, name, str(session.path)],
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
                able += [name] if seconds(name, WARM_UP) > 0 else []
            found = [{name: seconds(name, batches) for name in able} for _ in range(rounds)]
        finally:
            for process in processes.values():
                process.communicate()
    rows = []
    for name in able:
        ratios = sorted(each[name] / each[TODAY] for each in found)
        spread = f" ({ratios[0]:.2f} to {ratios[-1]:.2f})" if name != TODAY else ""
        milliseconds = 1e3 * median([each[name] for each in found])
        rows.append((VARIANTS[name].title, f"{milliseconds:.1f}", f"{median(ratios):.2f}{spread}"))
    yield from table(("", "ms a batch, one core", "time relative to the recipe"), iter(rows))


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
