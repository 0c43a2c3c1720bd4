"""A training that is killed in its middle: `python -m tests.trainer.resume_victim JOB.json`.

The job names a session, the settings, the files, and the batch before which the process kills itself.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from trainer import TrainConfig, fit
from trainer.learn.learner import Learner

_step = Learner.step


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())

    def step(self: Learner, batch: Any, number: int, *rest: Any) -> Any:
        if number == job["killed_at"] and Path(job["checkpoint"]).exists():  # a first clone takes steps before
            os.kill(os.getpid(), signal.SIGKILL)
        return _step(self, batch, number, *rest)

    Learner.step = step  # type: ignore[method-assign]
    config = TrainConfig.from_json(job["config"])
    list(fit([job["session"]], config, out=job["out"], checkpoint=job["checkpoint"], every=job["every"]))


if __name__ == "__main__":
    main()
