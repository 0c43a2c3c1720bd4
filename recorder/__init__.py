"""Recording: environments, players, and sessions on disk.

from recorder import record, Session, Library

Importing this package is fast: its names load on first use.
"""

from __future__ import annotations

import importlib
import os

from recorder.system.cores import available_cores

TYPE_CHECKING = False  # as in typing, whose import would take a tenth of what `twinplay --help` takes
if TYPE_CHECKING:
    from typing import Any

    from recorder.agents.agent import Agent, KeyAgent, RandomAgent
    from recorder.envs.game import Game
    from recorder.envs.registry import env_names, get_spec
    from recorder.envs.spec import EnvSpec
    from recorder.errors import TwinplayError
    from recorder.library.library import Library
    from recorder.library.verify import Certificate, verify
    from recorder.recording.headless import record
    from recorder.store.schema import Episode
    from recorder.store.session import Session

# What torch and NumPy's linear algebra read when they come in, here and in every process that is started from here:
# by themselves they start a thread for each core in sight, whatever the quota of a container.
os.environ.setdefault("OMP_NUM_THREADS", str(available_cores()))

__all__ = [
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
    "env_names",
    "get_spec",
    "record",
    "verify",
]

# No module or chapter has a name from above: as an attribute of the package, it would take that name's place.
_HOMES = {
    **dict.fromkeys(("Agent", "KeyAgent", "RandomAgent"), "agents.agent"),
    "EnvSpec": "envs.spec",
    "Game": "envs.game",
    **dict.fromkeys(("env_names", "get_spec"), "envs.registry"),
    "record": "recording.headless",
    **dict.fromkeys(("Certificate", "verify"), "library.verify"),
    "Episode": "store.schema",
    "Library": "library.library",
    "Session": "store.session",
    "TwinplayError": "errors",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"recorder.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'recorder' has no attribute {name!r}")
