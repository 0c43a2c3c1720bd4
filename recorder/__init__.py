"""Recording: environments, players, and sessions on disk.

from recorder import record, Session, Library
"""

import os

from recorder.agents import Agent, KeyAgent, RandomAgent
from recorder.cores import available_cores
from recorder.envs import ENV_NAMES, EnvSpec, Game, get_spec
from recorder.errors import TwinplayError
from recorder.library import Library
from recorder.recording import record, recording
from recorder.schema import Episode
from recorder.session import Session
from recorder.verify import Certificate, verify

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
