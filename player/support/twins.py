"""The twins of a library, for whoever plays with one on the Record page."""

from __future__ import annotations

from pathlib import Path

from recorder.library.access import outputs_of
from recorder.recording.partner import TwinPlayers
from recorder.recording.remote_clone import Twin
from trainer.runs.policy_library import Policies


def twin_players(library: Path) -> TwinPlayers:
    """The twins of a library's policies, the newest first, and who plays them."""
    policies = Policies(library, outputs_of(library))

    def of(env: str) -> list[Twin]:
        return [Twin(each.title, each.path) for each in policies.all() if each.env == env and not each.problem]

    return TwinPlayers(of, "player.coach.thinking:ThinkingClone")
