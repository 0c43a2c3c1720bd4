"""Loads a clone in a process of its own that runs beside play in the window."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from recorder.system.priority import follow_play

if TYPE_CHECKING:
    from trainer.policy.policy import Policy


def load_beside_play(policy: str, seed: int) -> Policy:
    """The clone of a policy file. Raises PolicyError for a file that cannot play.

    The process gets one thread, which gives way to the window's: the network sees one screen at a time.
    """
    follow_play()
    os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is first imported
    from trainer.policy.policy import Policy

    return Policy.load(policy, seed=seed)
