"""Recording: environments, players, and sessions on disk.

from recorder import record, Session, Library

Importing this package imports nothing else that takes time; its names load on first use.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from recorder.cores import available_cores

if TYPE_CHECKING:
    from recorder.agents import Agent, KeyAgent, RandomAgent
    from recorder.envs import ENV_NAMES, EnvSpec, Game, get_spec
    from recorder.errors import TwinplayError
    from recorder.headless import record, recording
    from recorder.library import Library
    from recorder.schema import Episode
    from recorder.session import Session
    from recorder.verification import Certificate, verify

# What torch and NumPy's linear algebra read when they come in, here and in every process that is started from here:
# by themselves they start a thread for each core in sight, whatever the quota of a container.
os.environ.setdefault("OMP_NUM_THREADS", str(available_cores()))

__all__ = [
    "ENV_NAMES",
    "Agent",
    "Certificate",
    "EnvSpec",
    "Episode",
    "Game",
    "KeyAgent",
    "Library",
    "RandomAgent",
    "Session",
    "TwinplayError",
    "get_spec",
    "record",
    "recording",
    "verify",
]

# No module has a name from above: as an attribute of the package, it would take that name's place.
_HOMES = {
    **dict.fromkeys(("Agent", "KeyAgent", "RandomAgent"), "agents"),
    **dict.fromkeys(("ENV_NAMES", "EnvSpec", "Game", "get_spec"), "envs"),
    **dict.fromkeys(("record", "recording"), "headless"),
    **dict.fromkeys(("Certificate", "verify"), "verification"),
    "Episode": "schema",
    "Library": "library",
    "Session": "session",
    "TwinplayError": "errors",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"recorder.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'recorder' has no attribute {name!r}")
