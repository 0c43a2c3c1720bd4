"""Training: behavioural cloning, from recorded sessions to a policy that plays.

    from trainer import TrainConfig, fit, Policy, evaluate, compare

Importing this package, or its `config` and `progress`, does not import torch; the names that need it load on first use.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from trainer.config import TrainConfig
from trainer.errors import PolicyError, TrainingError
from trainer.evaluation.agreement import Agreement, compare
from trainer.progress.records import Progress

if TYPE_CHECKING:
    from trainer.evaluation.evaluate import evaluate
    from trainer.learn.fit import fit
    from trainer.policy.policy import Policy

__all__ = [
    "Agreement",
    "Policy",
    "PolicyError",
    "Progress",
    "TrainConfig",
    "TrainingError",
    "compare",
    "evaluate",
    "fit",
]

# How long a torch thread spins before it sleeps. The default, milliseconds, makes training very slow once another
# process uses the same cores. Without any spinning (OMP_WAIT_POLICY=PASSIVE), waking takes a third of a batch's time.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

_NEED_TORCH = {"Policy": "trainer.policy.policy", "evaluate": "trainer.evaluation.evaluate", "fit": "trainer.learn.fit"}


def __getattr__(name: str) -> Any:
    if name not in _NEED_TORCH:
        raise AttributeError(f"module 'trainer' has no attribute {name!r}")
    return getattr(importlib.import_module(_NEED_TORCH[name]), name)
