"""What a duel shows at one tick: plain records that the worker sends to the window.

DuelFrame ── left  ── Side      a recording, or a clone
          └─ right ── Side      a clone
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.envs.spec import EnvSpec
from recorder.library.players import KINDS, kind_texts
from recorder.system.texts import count, duration_text

Picture = npt.NDArray[np.uint8]

_TITLES = {texts.title for texts in KINDS.values()}
OUTCOMES = {
    "game over": "game over",
    "time limit": "time limit reached",
    "stalled": "stopped: no points for too long",
    "stopped": "recording stopped",
    "interrupted": "recording interrupted",
}
WAYS = {"LEFT": -1, "RIGHT": 1}  # controls that are drawn with an arrow
_CUT_SHORT = (OUTCOMES["stopped"], OUTCOMES["interrupted"])


def _nothing() -> npt.NDArray[Any]:
    return np.empty(0, np.uint8)


@dataclass(frozen=True)
class Side:
    """One player at one tick.

    `picture` is RGB uint8 (height, width, 3), None where nothing is drawn. `action` is the one just taken, as an index
    or as a vector in [-1, 1] (None before the first). `kind` is one of recorder.agents.agent.PLAYER_KINDS; `twin` says
    that it learned from the player on the other side. `distance` is the distance moved forward, in metres, if the
    environment has one; `trace` are the vectors of the last second, oldest first. `drives` has a row per component of
    the action: its gradient with respect to the observation (Policy.drives). `looks` is uint8 (height, width), how much
    each pixel of the screen spoke for the action (Policy.attention), if that was asked for.

    `points` and `losses` are the ticks of this game at which it scored and lost a life, and `actions` all known
    actions, uint8 (length,) or float32 (length, m); `length` are the known ticks, all of them for a recording.
    `final` is the score at the end of the game, once that is known. `led` are the ticks that it took from a recorded
    game before its own.
    """

    kind: str
    title: str
    subtitle: str
    picture: Picture | None
    score: float
    action: int | tuple[float, ...] | None
    action_label: str
    lives: int
    ticks: int
    over: bool
    ending: str = ""  # how the game ended, in words; empty while it goes on
    twin: bool = False
    distance: float | None = None
    trace: tuple[tuple[float, ...], ...] = ()
    drives: tuple[tuple[float, ...], ...] = ()
    looks: npt.NDArray[np.uint8] | None = None
    points: tuple[int, ...] = ()
    losses: tuple[int, ...] = ()
    actions: npt.NDArray[Any] = field(default_factory=_nothing)
    length: int = 0
    final: float | None = None
    led: int = 0

    @property
    def badge(self) -> str:
        """The kind of player in one word, in capitals."""
        return kind_texts(self.kind).short.upper()

    @property
    def name(self) -> str:
        """The player's name within a sentence; a person without a name is "you"."""
        if self.kind == "person":
            return "you" if self.title == KINDS["person"].title else self.title
        if self.title not in _TITLES:
            return self.title
        return self.title.lower() if self.kind == "mixed" else f"the {self.title.lower()}"


@dataclass(frozen=True)
class DuelFrame:
    """Both sides after `tick` ticks; `rate_hz` ticks are one second of play. `observation_names` name the values of
    a vector observation; for `pixel_aspect`, `controls`, `chords` and `serve_action` see EnvSpec. `behind` is how
    many ticks a clone still has to play to reach `tick`. `can_look` tells whether a clone can show what it looks at.
    `note` tells of a side made with another simulator version than the installed one. `seed` is that of the games.
    """

    tick: int
    rate_hz: float
    env_title: str
    action_names: tuple[str, ...]
    discrete: bool
    has_lives: bool
    left: Side | None
    right: Side | None
    observation_names: tuple[str, ...] = ()
    pixel_aspect: float = 0.0
    controls: tuple[str, ...] = ()
    chords: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    serve_action: str = ""
    behind: int = 0
    can_look: bool = False
    note: str = ""
    seed: int = 0

    @property
    def keycaps(self) -> tuple[str, ...]:
        """The keys that a person would hold, in their order on the keyboard; all actions if no person can play."""
        return self.controls or self.action_names

    def holding(self, keycap: str) -> tuple[int, ...]:
        """The actions, by index, for which a key is held."""
        return tuple(index for index, name in enumerate(self.action_names) if keycap in self.chords.get(name, (name,)))

    def holds(self, side: Side, keycap: str) -> bool:
        """Whether a side holds a key at this tick; after its game it holds none."""
        return side.action in self.holding(keycap) and not side.over

    @property
    def seconds(self) -> float:
        """Seconds of play so far."""
        return self.tick / self.rate_hz

    @property
    def sides(self) -> tuple[Side, ...]:
        """The existing sides, left first."""
        return tuple(side for side in (self.left, self.right) if side is not None)

    @property
    def length(self) -> int:
        """Known ticks of the longer game."""
        return max((side.length for side in self.sides), default=0)

    @property
    def done(self) -> bool:
        """True once every side is over."""
        return all(side.over for side in self.sides)

    @property
    def verdict(self) -> str:
        """The result in one sentence; empty until all sides have ended."""
        if not self.done:
            return ""
        if self.left is None or self.right is None:
            side = self.sides[0]
            seconds = side.ticks / self.rate_hz
            who = _capital(side.name)
            return f"{who} scored {score_text(side.score)} in {duration_text(seconds)} ({side.ending})."
        left, right = self.left, self.right
        who, other = self._names(left, right)
        gap = round(right.score) - round(left.score)
        compared = (
            f"{score_text(abs(gap))} {'more' if gap > 0 else 'less'} than {other}" if gap else f"the same as {other}"
        )
        if left.ending in _CUT_SHORT:
            compared += " by the time the recording stopped"
        seconds = round(right.ticks / self.rate_hz) - round(left.ticks / self.rate_hz)
        longer = f", and played {_span(abs(seconds))} {'longer' if seconds > 0 else 'less'}" if seconds else ""
        return f"{who} scored {score_text(right.score)}, {compared}{longer}."

    @property
    def file_title(self) -> str:
        """Who plays, what, and the scores known so far, for the name of a file: "Ada and twin, Breakout, 48 to 61"."""
        alike = len({side.title for side in self.sides}) < len(self.sides)
        names: list[str] = []
        for side in self.sides:
            name = (
                f"{side.title} {side.subtitle}"
                if side.kind == "policy" and (alike or self.left is None)
                else side.title
            )
            names.append(name[:1].lower() + name[1:] if names and side.title in _TITLES else name)
        known = [
            (name, round(side.final)) for name, side in zip(names, self.sides, strict=True) if side.final is not None
        ]
        scores = [str(score) for _, score in known]
        if len(known) < len(names):
            scores = [f"{name} {score}" for name, score in known]
        return ", ".join(filter(None, (" and ".join(names), self.env_title, " to ".join(scores))))

    def title_of(self, side: Side) -> str:
        """The heading of a side: a clone of the player beside it is called that player's twin."""
        if side.twin and self.left is not None and self.left.kind == "person":
            return self._names(self.left, side)[0]
        return side.title

    @staticmethod
    def _names(left: Side, right: Side) -> tuple[str, str]:
        """The right side's name at the start of a sentence, and the left side's name within it."""
        other = left.name
        if right.twin and left.kind == "person":
            return ("Your twin" if other == "you" else f"{other}'s twin"), other
        if left.title == right.title:
            return f"{right.title} {right.subtitle}", f"{left.title.lower()} {left.subtitle}"
        return _capital(right.name), other


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _span(seconds: int) -> str:
    if seconds >= 120:
        return f"{seconds / 60:.0f} minutes"
    return count(seconds, "second")


def score_text(score: float) -> str:
    """A score with thousands separators and no decimals."""
    return f"{round(score):,}"


def action_label(spec: EnvSpec, action: Any) -> str:
    """An action in words: its name, or the components of a vector with their names."""
    if action is None:
        return ""
    if spec.discrete:
        return spec.action_names[int(action)]
    values = np.asarray(action, float).tolist()
    return "  ".join(f"{name} {value:+.2f}" for name, value in zip(spec.action_names, values, strict=True))
