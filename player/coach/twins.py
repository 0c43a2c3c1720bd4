"""The twins of a library, for whoever plays with one on the Record page."""

from __future__ import annotations

from recorder.recording.partner import TwinPlayers
from recorder.recording.remote_twin import Twin
from trainer.runs.policy_library import Policies


def twin_players(policies: Policies) -> TwinPlayers:
    """The twins of a library, the newest first, and the classes that play them."""

    def of(env: str) -> list[Twin]:
        return [Twin(each.title, each.path) for each in policies.all() if each.env == env and not each.problem]

    return TwinPlayers(of, "player.coach.thinking:ThinkingClone", "player.coach.racing:RacingClone")
