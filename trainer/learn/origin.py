"""The policy that a training goes on from: its weights, how it played, and what is told of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recorder.envs.spec import EnvSpec
from recorder.system.records import plain
from trainer.config import TrainConfig
from trainer.errors import PolicyError
from trainer.learn.places import Places
from trainer.learn.sample import Earlier
from trainer.policy.action_selection import ActionSelection
from trainer.policy.header import ParentPolicy, facts
from trainer.policy.keypoints import KeypointNet
from trainer.policy.networks import Net, build
from trainer.policy.policy import Policy
from trainer.policy.policy_file import read_policy


@dataclass(frozen=True)
class Origin:
    """See the module's docstring; `path` is the policy's file. `earlier` is known if its network uses positions and its
    file names them.
    """

    path: Path
    spec: EnvSpec
    net: Net
    config: TrainConfig
    selection: ActionSelection
    told: ParentPolicy
    earlier: Earlier | None

    @classmethod
    def read(cls, path: Path, spec: EnvSpec, out: Path) -> Origin:
        """Read a policy file, to learn more from sessions of `spec` and write that to `out`. Raises PolicyError."""
        if path.resolve() == out.resolve():
            raise PolicyError(f"{path} would be replaced by what is learned from it; choose another name")
        stored = read_policy(path)
        if differences := stored.spec.differences(spec):
            raise PolicyError(
                f"{path} was trained in another environment than the sessions ({'; '.join(differences)}); choose a "
                "policy of theirs"
            )
        header = facts(stored.header)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        parents = 0 if header.parent is None else header.parent.parents + 1
        told = ParentPolicy(path.stem, digest, header.called, parents)
        earlier = None
        if len(header.positions) > stored.config.positions:
            raise PolicyError(f"{path} is damaged (it names more positions than its network has); get a whole copy")
        if header.positions and isinstance(stored.net, KeypointNet):
            policy = Policy(stored.net, spec, stored.config, selection=stored.selection)
            places = Places.known(header.positions, stored.net.own.numpy())
            earlier = Earlier(policy, places, frozenset(each.name for each in header.sessions))
        return cls(path, stored.spec, stored.net, stored.config, stored.selection, told, earlier)

    def check(self, config: TrainConfig) -> None:
        """Raises PolicyError for a configuration with another network."""
        shapes = [
            {name: tensor.shape for name, tensor in net.state_dict().items()}
            for net in (self.net, build(config, self.spec))
        ]
        alike = all(
            getattr(config, name) == getattr(self.config, name) for name in ("network", "waves", "pooled_screens")
        )
        if shapes[0] != shapes[1] or not alike:
            raise PolicyError(
                f"{self.path} has another network than the settings say; leave out the settings of the network"
            )

    def to_json(self) -> dict[str, Any]:
        """What the header of the new policy says of this one."""
        values: dict[str, Any] = plain(self.told)
        return values
