"""A trained clone that plays: an Agent, loaded from its file (trainer.policy.policy_file).

    observations ─▶ screens, positions or vectors, at several ages ─▶ network ─▶ logits or values ─▶ actions

Several players of one network share one forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from recorder.envs.spec import EnvSpec
from trainer.config import TrainConfig
from trainer.errors import PolicyError
from trainer.policy.action_selection import ActionSelection, softmax
from trainer.policy.chooser import ActionChooser
from trainer.policy.keypoints import LAG, KeypointNet, with_those_before
from trainer.policy.networks import Memory, Net, RecurrentNet, VectorNet
from trainer.policy.policy_file import read_policy
from trainer.policy.preprocess import Preprocess
from trainer.policy.saliency import attribute, attribute_by_places, heat

if TYPE_CHECKING:
    from recorder.envs.gymnasium import Env


class Policy:
    """A clone that plays. `Policy.load` reads it; `fork` makes another player with the same weights.

    It uses the action `selection` that scored best in training.
    """

    kind = "policy"

    def __init__(
        self,
        net: Net,
        spec: EnvSpec,
        config: TrainConfig,
        *,
        seed: int = 0,
        selection: ActionSelection | None = None,
        header: dict[str, Any] | None = None,
        name: str = "clone",
        device: torch.device | str = "cpu",
    ) -> None:
        self.net = net
        self.spec = spec
        self.config = config
        self.selection = selection or ActionSelection()
        self.header = header or {}
        self.name = name
        self._device = torch.device(device)
        self.chooser = ActionChooser(net, spec, self.selection, config.action_history, seed)
        self._preprocess = Preprocess.of(config)
        self.reset()

    @classmethod
    def load(cls, path: Path | str, seed: int = 0, *, alike: bool = False) -> Policy:
        """Read a policy file; `seed` seeds its sampling. It plays its best, or with `alike` like its demonstrator.

        Raises PolicyError as `read_policy` does.
        """
        path = Path(path)
        stored = read_policy(path, alike=alike)
        return cls(
            stored.net,
            stored.spec,
            stored.config,
            seed=seed,
            selection=stored.selection,
            header=stored.header,
            name=path.stem,
        )

    def fork(self, seed: int, selection: ActionSelection | None = None) -> Policy:
        """Another player with the same network, its own history and random generator, perhaps another `selection`."""
        return Policy(
            self.net,
            self.spec,
            self.config,
            seed=seed,
            selection=selection or self.selection,
            header=self.header,
            name=self.name,
            device=self._device,
        )

    def describe(self) -> dict[str, Any]:
        """The player's description, as sessions store it."""
        return {"kind": self.kind, "name": self.name, "params": {}}

    def reset(self, env: Env | None = None) -> None:
        """Begin a new episode: forget the history. The environment is not used."""
        self._single: list[npt.NDArray[np.uint8]] = []  # the last preprocessed screens, before they are pooled
        self._seen: list[npt.NDArray[np.uint8]] = []  # screens, the newest first
        self._found: list[npt.NDArray[np.float32]] = []  # their positions, if the network uses positions
        self._memory: Memory | None = None
        self.chooser.reset()

    @property
    def probabilities(self) -> npt.NDArray[np.float32] | None:
        """Those of the last act, one per action; None for continuous actions and before the first act."""
        return self.chooser.probabilities

    def act(self, observation: Any) -> Any:
        """The clone's action: int, or float32 (m,) in [-1, 1]."""
        return act_together([self], [observation])[0]

    def played(self, action: Any) -> None:
        """Another action was played than the last one that it chose (see `recorder.agents.agent.Informed`)."""
        self.chooser.played(action)

    def see(self, observation: Any) -> npt.NDArray[Any]:
        """Add an observation to the history; returns the network's input: uint8 (history, size, size), positions
        float32 (history, n) or a vector float32 (n,).

        Raises PolicyError for an observation of another environment.
        """
        return _see_together([self], [observation])[0]

    def take_in(self, observation: Any) -> npt.NDArray[Any]:
        """Add an observation to the history; returns it preprocessed: uint8 (size, size), or float32 (n,). For a
        network that locates, the screen comes with the one LAG ticks before it: uint8 (2, size, size).
        """
        observation = self._checked(observation)
        if not self.spec.sees_screen:
            return np.asarray(observation, np.float32)
        self._single = [*self._single, self._preprocess.from_rgb(observation)][-self._preprocess.pooled :]
        screen: npt.NDArray[np.uint8] = self._preprocess.pool(np.stack(self._single))[-1]
        self._seen.insert(0, screen)
        if isinstance(self.net, KeypointNet):
            del self._seen[max(self.reach, LAG) + 1 :]
            return np.stack([screen, self._seen[min(LAG, len(self._seen) - 1)]])
        del self._seen[self.reach + 1 :]
        return screen

    def stack(self, position: npt.NDArray[np.float32] | None = None) -> npt.NDArray[Any]:
        """The network's input after `take_in`; if it uses positions, `position` are those found on the new screen."""
        if position is None:
            return self._stack(self._seen)
        self._found.insert(0, position)
        del self._found[self.reach + 1 :]
        return self._stack(self._found)

    def looked_at(self, screens: npt.NDArray[np.uint8], context: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
        """What the network's inputs are made of: the preprocessed screens (n, size, size), or the positions on them.

        `context` are screens before them, of which at most LAG are used.
        """
        return self.locate(with_those_before(screens, context)) if isinstance(self.net, KeypointNet) else screens

    def keep_own(self, late: npt.NDArray[Any], now: npt.NDArray[Any]) -> None:
        """Copy the player's own rows or positions from undelayed inputs (n, history, …) into delayed ones."""
        if isinstance(self.net, KeypointNet):
            own = self.net.own.cpu().numpy()
            late[..., own] = now[..., own]
        else:
            rows, columns = self.config.hidden_pixels(self.spec.frame_shape[1])
            late[:, :, rows, columns] = now[:, :, rows, columns]

    def locate(self, screens: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """The positions float32 (n, m) that the network finds on preprocessed screens, each with the one LAG ticks
        before it, uint8 (n, 2, size, size).
        """
        assert isinstance(self.net, KeypointNet)
        with torch.inference_mode():
            seen = torch.from_numpy(np.ascontiguousarray(screens)).to(self._device)
            return np.asarray(self.net.locate(seen).float().cpu().numpy(), np.float32)

    @property
    def reach(self) -> int:
        """How many ticks back it sees, not counting a recurrent state."""
        return max(self.config.history) if self.spec.sees_screen else 0

    def _checked(self, given: Any) -> npt.NDArray[Any]:
        observation: npt.NDArray[Any] = np.asarray(given)
        if observation.shape != tuple(self.spec.observation_shape):
            raise PolicyError(
                f"the policy {self.name} expects {self.spec.title} observations of shape "
                f"{self.spec.observation_shape}, but got {observation.shape}; choose a policy of this environment"
            )
        return observation

    def _stack(self, seen: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Of `seen` screens (or positions), newest first, those at the ages in `history`."""
        return np.stack([seen[min(age, len(seen) - 1)] for age in self.config.history])

    def outputs(self, inputs: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """The network's outputs for many inputs as `see` returns them: logits (T, actions), or values (T, m).

        A recurrent network takes them as the ticks of one game, from its start. The player's state does not change.
        """
        with torch.inference_mode():
            seen = torch.from_numpy(np.ascontiguousarray(inputs)).to(self._device)
            hidden = torch.full((len(seen),), not self.selection.past, device=self._device)
            prepared = self.net.prepare(seen, hidden)
            answers = self.net(prepared[None])[0] if isinstance(self.net, RecurrentNet) else self.net(prepared)
            return np.asarray(answers[:, self.selection.output].float().cpu().numpy(), np.float32)

    @staticmethod
    def belief(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The network's own probabilities (…, actions), at temperature 1."""
        return np.asarray(softmax(logits, 1.0), np.float32)

    def attention(self, screen: Any, before: Sequence[Any] | None = None) -> npt.NDArray[np.uint8]:
        """How much each pixel of an RGB screen speaks for or against the most likely action, or adds to the largest
        component of a continuous one: uint8 (H, W). If it steers, how much it moves the place that it steers to.

        The largest value is 255; see trainer.policy.saliency for the method. `screen` is the next one to act on in the
        current game; with `before`, it follows those screens instead, oldest first. The player's history does not
        change. Raises PolicyError for a policy that does not see screens.
        """
        if isinstance(self.net, VectorNet):
            raise PolicyError(f"the policy {self.name} does not see screens; use drives() instead")
        single = [self._preprocess.from_rgb(self._checked(each)) for each in (*(before or ()), screen)]
        earlier = np.stack(self._single) if before is None and self._single else None
        pooled = self._preprocess.pool(np.stack(single), earlier)[::-1]
        screens = np.stack([*pooled, *(self._seen if before is None else ())][: max(self.reach, LAG) + 1])
        looked_at = list(self.looked_at(screens[::-1], screens[:0])[::-1])
        stack = torch.from_numpy(self._stack(looked_at)[None]).to(self._device)
        hidden = torch.tensor([not self.selection.past], device=self._device)
        prepared = self.net.prepare(stack, hidden)
        with torch.inference_mode():
            logits = self.net(prepared)[0, self.selection.output].float().cpu().numpy()
        likely = self.selection.probabilities(logits) if self.spec.discrete else np.abs(logits)
        action, output = int(likely.argmax()), self.selection.output
        if isinstance(self.net, KeypointNet):
            newest = torch.from_numpy(screens[[0, min(LAG, len(screens) - 1)]]).to(self._device)
            attribution = attribute_by_places(self.net, newest, stack, self._answer(self.net, action))
        else:
            attribution = attribute(self.net, prepared.detach(), output, action)
        return self._preprocess.on_screen(heat(attribution.float().cpu().numpy()), self.spec.observation_shape[:2])

    def _answer(self, net: KeypointNet, action: int) -> Callable[[torch.Tensor], torch.Tensor]:
        """What decides how it plays, from positions (B, history, n): the places to steer to, or an action's logits."""
        selection, steering = self.selection, net.steering
        if selection.aim and steering is not None:
            column = steering.ticks.index(selection.aim)
            return lambda positions: steering(positions, net.own)[:, column, net.own]
        hidden = torch.tensor([not selection.past], device=self._device)
        return lambda positions: net(net.prepare(positions, hidden.expand(len(positions))))[:, selection.output, action]

    def drives(self, observation: Any) -> npt.NDArray[np.float32]:
        """The gradient of every action with respect to every entry of the observation.

        float32 (m, n), per standard deviation of the entry in the training data, before actions are clipped (Simonyan
        et al. 2014, "Deep inside convolutional networks", applied to vectors). A recurrent network uses its current
        state. Raises PolicyError for a policy that sees screens.
        """
        if not isinstance(self.net, VectorNet):
            raise PolicyError(f"the policy {self.name} sees screens; only policies that see vectors have drives()")
        seen = torch.from_numpy(self.see(observation)[None]).to(self._device)
        prepared = self.net.prepare(seen, torch.zeros(1, dtype=torch.bool)).requires_grad_()
        if isinstance(self.net, RecurrentNet):
            values = self.net.step(prepared, [self._memory])[0]
        else:
            values = self.net(prepared)
        rows = [
            torch.autograd.grad(value, prepared, retain_graph=True)[0][0] for value in values[0, self.selection.output]
        ]
        return np.asarray(torch.stack(rows).cpu().numpy(), np.float32)


def act_together(policies: Sequence[Policy], observations: Sequence[Any]) -> list[Any]:
    """The actions of several players, with one forward pass through each of their networks."""
    return _act_together(policies, _see_together(policies, observations))


def act_on_positions(policies: Sequence[Policy], positions: npt.NDArray[np.float32]) -> list[Any]:
    """The actions of several players that do not see, but are told where things are: float32 (players, n)."""
    return _act_together(policies, [each.stack(found) for each, found in zip(policies, positions, strict=True)])


def _act_together(policies: Sequence[Policy], inputs: Sequence[npt.NDArray[Any]]) -> list[Any]:
    """The actions for each player's input (see Policy.see)."""
    rows: dict[int, list[int]] = {}
    for row, policy in enumerate(policies):
        rows.setdefault(id(policy.net), []).append(row)
    actions: list[Any] = [None] * len(policies)
    for together in rows.values():
        first = policies[together[0]]
        with torch.inference_mode():
            tensor = torch.from_numpy(np.stack([inputs[row] for row in together])).to(first._device)
            hidden = torch.tensor([not policies[row].selection.past for row in together], device=first._device)
            prepared = first.net.prepare(tensor, hidden)
            if isinstance(first.net, RecurrentNet):
                answer, memories = first.net.step(prepared, [policies[row]._memory for row in together])
                for row, memory in zip(together, memories, strict=True):
                    policies[row]._memory = memory
            else:
                answer = first.net(prepared)
            outputs = answer.float().cpu().numpy()
            habits = _habits([policies[row] for row in together], prepared)
            distances = _distances([policies[row] for row in together], tensor)
        chosen = _choose_together([policies[row] for row in together], outputs, habits, distances)
        for row, action in zip(together, chosen, strict=True):
            actions[row] = action
            policies[row].chooser.done.append(action)
    return actions


def _choose_together(
    policies: Sequence[Policy],
    outputs: npt.NDArray[np.float32],
    habits: Sequence[npt.NDArray[np.float32] | None],
    distances: npt.NDArray[np.float32],
) -> list[Any]:
    """The action of each player of one network, for outputs: logits (players, K, actions) or values (players, K, m);
    `habits` are the logits of the players' hands, and `distances` (players, actions) those to steer by.
    """
    actions: list[Any] = [None] * len(policies)
    by_selection: dict[ActionSelection, list[int]] = {}
    for row, (policy, habit) in enumerate(zip(policies, habits, strict=True)):
        output = outputs[row, policy.selection.output]
        if not policy.spec.discrete:
            actions[row] = np.clip(output, -1.0, 1.0)
        elif habit is not None:
            actions[row] = policy.chooser.by_hand(habit, output, distances[row])
        else:
            by_selection.setdefault(policy.selection, []).append(row)
    for selection, rows in by_selection.items():
        off = distances[rows] if selection.aim else None
        for row, likely in zip(rows, selection.probabilities(outputs[rows, selection.output], off), strict=True):
            actions[row] = policies[row].chooser.draw(likely)
    return actions


def _habits(policies: Sequence[Policy], prepared: torch.Tensor) -> Sequence[npt.NDArray[np.float32] | None]:
    """The hand's logits for each player that uses it; all share one network."""
    found: list[npt.NDArray[np.float32] | None] = [None] * len(policies)
    moving = [(row, policy.chooser.held) for row, policy in enumerate(policies) if policy.chooser.held is not None]
    net = policies[0].net
    if moving and isinstance(net, KeypointNet):
        rows = [row for row, _ in moving]
        held = torch.tensor([held for _, held in moving], device=prepared.device)
        for row, habit in zip(rows, net.habit(prepared[rows], held).float().cpu().numpy(), strict=True):
            found[row] = habit
    return found


def _distances(policies: Sequence[Policy], positions: torch.Tensor) -> npt.NDArray[np.float32]:
    """How far each action leads from where each player steers to, (players, actions); zeros for those that do not."""
    net = policies[0].net
    distances = np.zeros((len(policies), len(policies[0].spec.action_names)), np.float32)
    rows = [row for row, policy in enumerate(policies) if policy.selection.aim]
    if rows and isinstance(net, KeypointNet) and net.steering is not None:
        steering = [policies[row] for row in rows]
        done = [policy.chooser.done for policy in steering]
        beside = [policy.chooser.beside(policy._found[0]) for policy in steering]
        aims = [policy.selection.aim for policy in steering]
        distances[rows] = net.steering.distances(positions[rows], net.own, aims, done, beside)
    return distances


def _see_together(policies: Sequence[Policy], observations: Sequence[Any]) -> list[npt.NDArray[Any]]:
    """The network's input of each player after adding its observation; see Policy.see."""
    taken = [policy.take_in(seen) for policy, seen in zip(policies, observations, strict=True)]
    inputs = [
        seen if isinstance(policy.net, KeypointNet | VectorNet) else policy.stack()
        for policy, seen in zip(policies, taken, strict=True)
    ]
    nets = {id(policy.net): policy for policy in policies if isinstance(policy.net, KeypointNet)}
    for net, first in nets.items():
        looking = [row for row, policy in enumerate(policies) if id(policy.net) == net]
        positions = first.locate(np.stack([taken[row] for row in looking]))
        for row, position in zip(looking, positions, strict=True):
            inputs[row] = policies[row].stack(position)
    return inputs
