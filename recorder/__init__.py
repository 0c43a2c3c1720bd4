"""Recording: environments, players, and sessions on disk.

from recorder import record, Session, Library
"""

from recorder.agents import Agent, KeyAgent, RandomAgent
from recorder.envs import ENV_NAMES, EnvSpec, Game, get_spec
from recorder.errors import TwinplayError
from recorder.library import Library
from recorder.recording import record, recording
from recorder.schema import Episode
from recorder.session import Session
from recorder.verify import Certificate, verify

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
