"""Agents: a person at the keyboard, a scripted expert, a clone and a random player have the same interface.

held keys ──▶ KeyAgent ─┐
emulator RAM ▶ expert  ─┼─▶ act(observation) ─▶ action
network  ────▶ Policy  ─┘
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from recorder.envs.spec import EnvSpec
from recorder.system.profile import clean_name

if TYPE_CHECKING:
    from recorder.envs.gymnasium import Env

PLAYER_KINDS = ("person", "scripted", "policy", "random", "mixed")


@runtime_checkable
class Agent(Protocol):
    """Anything that plays. A `kind` attribute (one of PLAYER_KINDS) and a `describe()` method are optional."""

    def reset(self, env: Env | None = None) -> None:
        """Called once before every episode."""

    def act(self, observation: Any) -> Any:
        """Called once per tick with the observation; returns the action to take now."""


@runtime_checkable
class Informed(Protocol):
    """An Agent that is told what was played: not always what it chose, since another may act in its place."""

    def played(self, action: Any) -> None:
        """Called once per tick with the action that was played, after `act`."""


def tell(agent: Agent, action: Any) -> None:
    """Tell an agent what was played, if it is Informed."""
    if isinstance(agent, Informed):
        agent.played(action)


def describe(agent: Agent) -> dict[str, Any]:
    """The player as sessions and policies store it: {"kind", "name", "params"}, and a "title" if it has one.

    An agent without a kind counts as scripted: only the keyboard is ever labelled a person.
    """
    own = getattr(agent, "describe", None)
    if callable(own):
        described = dict(own())
    else:
        described = {"kind": getattr(agent, "kind", "scripted"), "name": type(agent).__name__, "params": {}}
    if described.get("kind") not in PLAYER_KINDS:
        raise ValueError(f"an agent's kind is one of {', '.join(PLAYER_KINDS)}, not {described.get('kind')!r}")
    return described


def player_title(player: Mapping[str, Any]) -> str:
    """The title of a scripted player or a clone, such as "Sample"; usually empty."""
    title = player.get("title")
    return clean_name(title[:200]) if isinstance(title, str) and player.get("kind") != "person" else ""


class RandomAgent:
    """Plays each action, or each value in [-1, 1], with the same probability."""

    kind = "random"

    def __init__(self, spec: EnvSpec, seed: int = 0) -> None:
        self._spec = spec
        self._rng = np.random.default_rng(seed)

    def reset(self, env: Env | None = None) -> None:
        """Does nothing."""

    def act(self, observation: Any) -> Any:
        """An action drawn at random."""
        if self._spec.discrete:
            return int(self._rng.integers(len(self._spec.action_names)))
        return self._rng.uniform(-1.0, 1.0, self._spec.action_shape).astype(np.float32)

    def describe(self) -> dict[str, Any]:
        """See `describe`."""
        return {"kind": self.kind, "name": "random", "params": {}}


@dataclass(frozen=True)
class KeyEvent:
    """One raw key transition: `time_ns` monotonic, the key's `code`, `down` or up."""

    time_ns: int
    code: int
    down: bool


@dataclass
class KeyAgent:
    """Turns held keys into actions. Of several held keys the one pressed last counts; after its release, the previous.

    `bindings` maps key codes to actions; `name` is the player's. A tap shorter than a tick still plays for one tick.
    `chords` are actions that several held ones make together, as UP and FIRE make UPFIRE. Of the chords that contain
    the action pressed last, the one with the most keys counts, and of several such the one pressed latest. `modifiers`
    stand in `bindings` and `chords` like actions, but outside a chord they do nothing. With `vectors`, an action is a
    vector instead: the sum of those of all that is held, within [-1, 1]. `leans` are inputs that are held in part, as a
    stick is: how far, from 0 to 1, by their codes; a vector counts in that share. Every transition of a bound key goes
    to `on_key`, which a recording sets to store it; `presses` counts the keys that went down.
    """

    bindings: Mapping[int, int]
    name: str = ""
    chords: Mapping[frozenset[int], int] = field(default_factory=dict)
    modifiers: frozenset[int] = frozenset()
    vectors: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    leans: Mapping[int, float] = field(default_factory=dict)
    on_key: Callable[[KeyEvent], None] | None = None
    kind: str = field(default="person", init=False)
    presses: int = field(default=0, init=False)
    _held: list[int] = field(default_factory=list, init=False)
    _tapped: list[int] = field(default_factory=list, init=False)

    def press(self, code: int, time_ns: int) -> bool:
        """A key went down. Returns whether it is bound; auto-repeats of a held key change nothing."""
        if code not in self.bindings:
            return False
        if code not in self._held:
            self._held.append(code)
            self._tapped.append(code)
            self.presses += 1
            self._report(time_ns, code, True)
        return True

    def release(self, code: int, time_ns: int) -> bool:
        """A key went up. Returns whether it is bound."""
        if code in self._held:
            self._held.remove(code)
            self._report(time_ns, code, False)
        return code in self.bindings

    def release_all(self, time_ns: int) -> None:
        """Count every key as released: the window lost the keyboard focus."""
        for code in list(self._held):
            self.release(code, time_ns)
        self._tapped.clear()
        self.leans = {}

    @property
    def pressing(self) -> bool:
        """Whether a bound key is held, or was tapped since the last tick, or a stick steers."""
        return bool(self._held or self._tapped or self._leaning)

    @property
    def held_actions(self) -> frozenset[int]:
        """The actions whose keys are down, to highlight them on screen."""
        return frozenset(self.bindings[code] for code in (*self._held, *self._leaning))

    def reset(self, env: Env | None = None) -> None:
        """Does nothing: keys that are held stay held in a new game."""
        self._tapped.clear()

    def act(self, observation: Any = None) -> int | npt.NDArray[np.float32]:
        """The action for this tick; 0, or zeros, when nothing is held."""
        if self.vectors:
            return self._sum()
        down = [self.bindings[code] for code in (*self._held, *self._tapped)]
        self._tapped.clear()
        held = frozenset(down)
        for last in reversed(down):
            made = [chord for chord in self.chords if last in chord and chord <= held]
            if made:
                return self.chords[max(made, key=lambda chord: (len(chord), sorted(map(down.index, chord))))]
            if last not in self.modifiers:
                return last
        return 0

    def describe(self) -> dict[str, Any]:
        """See `describe`."""
        return {"kind": self.kind, "name": self.name, "params": {}}

    @property
    def _leaning(self) -> dict[int, float]:
        """The bound inputs that are held in part; those of a discrete action are held or not."""
        return {code: far for code, far in self.leans.items() if code in self.bindings} if self.vectors else {}

    def _sum(self) -> npt.NDArray[np.float32]:
        """The vectors of all that is held, of each in its share."""
        shares: dict[int, float] = {}
        for code, share in ({code: 1.0 for code in (*self._held, *self._tapped)} | self._leaning).items():
            control = self.bindings[code]
            shares[control] = max(share, shares.get(control, 0.0))
        self._tapped.clear()
        size = len(next(iter(self.vectors.values())))
        pushes = [np.multiply(self.vectors[each], share) for each, share in shares.items() if each in self.vectors]
        action: npt.NDArray[np.float32] = np.array(pushes, np.float32).reshape(-1, size).sum(axis=0)
        return np.clip(action, -1.0, 1.0)

    def _report(self, time_ns: int, code: int, down: bool) -> None:
        if self.on_key is not None:
            self.on_key(KeyEvent(time_ns, code, down))
