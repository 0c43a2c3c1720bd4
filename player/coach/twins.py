"""The twins of a library, for whoever plays with one on the Record page."""

from __future__ import annotations

from recorder.envs.spec import EnvSpec
from recorder.recording.partner import TwinPlayers
from recorder.recording.remote_twin import Twin
from trainer.runs.policy_library import Policies


def twin_players(policies: Policies) -> TwinPlayers:
    """The twins of a library, the newest first, and the classes that play them."""

    def of(spec: EnvSpec) -> list[Twin]:
        fitting = (each for each in policies.all() if not each.problem and each.env == spec.name)
        return [Twin(each.title, each.path, each.created) for each in fitting if each.frame_skip == spec.frame_skip]

    return TwinPlayers(of, "player.coach.thinking:ThinkingClone", "player.coach.racing:RacingClone")
