"""What the scripted players of Atari games share: they read the console's memory, and some of them also the screen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recorder.errors import AgentError

if TYPE_CHECKING:
    from recorder.envs.gymnasium import Env

Memory = Sequence[int]
Screen = npt.NDArray[np.uint8]


class ConsolePlayer(ABC):
    """A player that reads the console's memory: one act() per tick at 60 Hz, without frame skip.

    `game` is the title of its game. `_params` are the constructor's arguments, without the seed.
    """

    kind = "scripted"
    name: str
    game: str

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._read: Callable[[], Any] | None = None
        self._begin()

    def reset(self, env: Env | None = None) -> None:
        """Read this environment's emulator from now on. Raises AgentError without an Atari environment."""
        emulator = getattr(env.unwrapped, "ale", None) if env is not None else None
        if emulator is None:
            raise AgentError(
                f"the scripted {self.game} player reads the emulator's memory; reset it with a {self.game} game"
            )
        self._read = emulator.getRAM
        self._begin()

    def act(self, observation: Any = None) -> int:
        """The action for this tick. The observation, if one is needed, is the RGB screen, uint8 (210, 160, 3)."""
        if self._read is None:
            raise AgentError(f"the scripted {self.game} player must be reset with a game first")
        return self._play(self._read().tolist(), observation)

    def describe(self) -> dict[str, Any]:
        """The player as sessions store it; `recorder.agents.experts.from_description` builds it again."""
        return {"kind": self.kind, "name": self.name, "params": self._params()}

    @abstractmethod
    def _begin(self) -> None:
        """Reset for a new game."""

    @abstractmethod
    def _play(self, memory: Memory, screen: Any) -> int:
        """The action for this tick."""

    @abstractmethod
    def _params(self) -> dict[str, Any]:
        """The constructor's arguments, without the seed."""

    def _draw(self, ticks: tuple[int, int]) -> int:
        return int(self._rng.integers(ticks[0], ticks[1] + 1))


class HeldKeysPlayer(ConsolePlayer):
    """Decides anew every few ticks, holds its keys meanwhile, and now and then presses wrong ones.

    Times are in ticks; a pair is a range (both ends included) from which values are drawn.

    pace    time from one decision to the next
    slips   the share of decisions that are slips: an action drawn from all of the game's; `usual_slips` by default
    slip    how long a slip lasts

    Raises ValueError for values out of range.
    """

    usual_slips = 0.03

    def __init__(
        self,
        seed: int = 0,
        *,
        pace: int | Sequence[int] = (4, 8),
        slips: float | None = None,
        slip: int | Sequence[int] = (6, 12),
    ) -> None:
        slips = self.usual_slips if slips is None else slips
        if not 0 <= slips <= 1:
            raise ValueError(f"slips is {slips}; expected a share between 0 and 1")
        self.pace, self.slips, self.slip = ticks_between("pace", pace), float(slips), ticks_between("slip", slip)
        self._actions: list[str] = []
        super().__init__(seed)

    def reset(self, env: Env | None = None) -> None:
        """Read this environment's emulator from now on. Raises AgentError without an Atari environment."""
        super().reset(env)
        assert env is not None  # that has been checked
        emulator: Any = env.unwrapped
        self._actions = emulator.get_action_meanings()

    def _begin(self) -> None:
        self._held = 0
        self._left = 0  # ticks for which the held keys do not change

    def _play(self, memory: Memory, screen: Any) -> int:
        if self._left == 0:
            if self._rng.random() < self.slips:
                self._held, self._left = int(self._rng.integers(len(self._actions))), self._draw(self.slip)
            else:
                self._held, self._left = self._actions.index(self._decide(memory, screen)), self._draw(self.pace)
        self._left = max(0, self._left - 1)
        return self._held

    @abstractmethod
    def _decide(self, memory: Memory, screen: Screen) -> str:
        """The name of the action to hold until the next decision."""

    def _params(self) -> dict[str, Any]:
        return {"pace": list(self.pace), "slips": self.slips, "slip": list(self.slip)}


def keys(right: float = 0, down: float = 0, fire: bool = False) -> str:
    """The action of these keys, held together. The sign says which: for example, a negative `right` is LEFT."""
    vertical = "DOWN" if down > 0 else "UP" if down < 0 else ""
    horizontal = "RIGHT" if right > 0 else "LEFT" if right < 0 else ""
    return vertical + horizontal + ("FIRE" if fire else "") or "NOOP"


def ticks_between(name: str, value: int | Sequence[int]) -> tuple[int, int]:
    """A number of ticks, or a range of them, as a range. Raises ValueError outside 0 to 600."""
    low, high = (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))
    if not 0 <= low <= high <= 600:
        raise ValueError(f"{name} is {value}; expected ticks, or (fewest, most), between 0 and 600")
    return low, high
