"""What torchrun starts in the tests: `torchrun … -m tests.trainer.distributed_job FOLDER` or `… JOB ARGUMENTS`.

FOLDER    cases.json names sessions and settings; each process takes some steps of each case, and leaves there
          <rank>-<case>.safetensors (weights and gradients) and <rank>.json (what it read, what it was told, and
          whether it loaded torch's compiler)
          trainings.json does so, too; together they train <name>.safetensors, with the losses of the validations in
          <name>.json
JOB       "who@batch=kill" or "who@batch=interrupt", then the arguments of `python -m trainer`, which is run; before
          that batch the first time that process kills itself, or asks torchrun to end as Ctrl-C does
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

import trainer.learn.fit
from recorder import Session
from recorder.errors import TwinplayError
from trainer import TrainConfig, TrainingError
from trainer.__main__ import main
from trainer.distributed import ProcessGroup, join
from trainer.learn.learner import Learner
from trainer.learn.training_process import TrainingProcess

EVERY = 7  # batches between checkpoints
STEPS = 2


def take_steps(session: Session, config: TrainConfig, group: ProcessGroup) -> dict[str, Any]:
    """Weights and gradients, by name, after some process."""
    process = TrainingProcess([session], config, {}, group)
    try:
        if group.first:
            list(process.load())
            process.start(None)
            for number in range(1, STEPS + 1):
                process.take_step(number, number / 1_000)
            group.end_training()
        else:
            process.follow()
        found = {name: value.detach().clone() for name, value in process.learner.net.named_parameters()}
        parameters = process.learner.net.named_parameters()
        return found | {f"{name}.grad": value.grad for name, value in parameters if value.grad is not None}
    finally:
        process.close()


def compare(folder: Path) -> None:
    group = join()
    facts: dict[str, Any] = {"read": {}}
    try:
        with group.all_or_none():
            if group.rank == 1:
                raise TrainingError("its disk is full")
    except TwinplayError as error:
        facts["told"] = [type(error).__name__, str(error)]
    read = Session.screens

    def screens(self: Session, start: int, stop: int) -> Any:
        facts["read"][case] = facts["read"].get(case, 0) + stop - start
        return read(self, start, stop)

    Session.screens = screens  # type: ignore[method-assign]
    for case, job in json.loads((folder / "cases.json").read_text()).items():
        tensors = take_steps(Session.open(job["session"]), TrainConfig.from_json(job["config"]), group)
        save_file({name: value.contiguous() for name, value in tensors.items()}, folder / f"{group.rank}-{case}")
    train_all(folder, group)
    facts["compiler"] = "torch._dynamo" in sys.modules
    (folder / f"{group.rank}.json").write_text(json.dumps(facts))
    group.leave()


def train_all(folder: Path, group: ProcessGroup) -> None:
    for name, job in json.loads((folder / "trainings.json").read_text()).items():
        losses: list[float] = []
        out, config = folder / f"{name}.safetensors", TrainConfig.from_json(job["config"])
        for step in trainer.learn.fit.fit([job["session"]], config, out=out, group=group):
            if step.val_loss is not None and step.val_loss not in losses:
                losses.append(step.val_loss)
        if group.first:
            (folder / f"{name}.json").write_text(json.dumps(losses))


def train(job: str, arguments: list[str]) -> int:
    who, _, rest = job.partition("@")
    batch, _, how = rest.partition("=")
    step = Learner.step

    def stepped(self: Learner, drawn: Any, number: int, *more: Any) -> Any:
        first_time = os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"
        if first_time and number == int(batch) and os.environ["RANK"] == who:
            if how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            # Nothing goes on before torchrun has handed the signal on.
            heard: list[int] = []
            handler = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
            os.kill(os.getppid(), signal.SIGINT)
            while not heard:
                time.sleep(0.01)
            signal.signal(signal.SIGINT, handler)
            signal.raise_signal(signal.SIGINT)
        return step(self, drawn, number, *more)

    Learner.step = stepped  # type: ignore[method-assign]
    trainer.learn.fit.fit = functools.partial(trainer.learn.fit.fit, every=EVERY)  # type: ignore[assignment]
    return main(arguments)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        compare(Path(sys.argv[1]))
    else:
        sys.exit(train(sys.argv[1], sys.argv[2:]))
