"""What the player's hands do: keys and controllers that are down, and what is asked for with a controller.

keyboard ──press, release──┐
                           ├─▶ KeyAgent ─▶ actions
controllers ──────poll()───┤
                           └─▶ commands() ─▶ begin, pause, go on, next game
"""

from __future__ import annotations

from collections.abc import Callable

from recorder.agents.agent import KeyAgent
from recorder.agents.gamepad import FIRE, START, Device, Gamepads


class Controls:
    """Steers `keys`; `controllers` is None where there are to be none.

    `listening` says whether the keyboard would be heard: what controllers do counts only then. `waiting` says whether a
    button of a controller begins a game rather than plays.
    """

    def __init__(
        self, keys: KeyAgent, controllers: Gamepads | None, waiting: Callable[[], bool], now: Callable[[], int]
    ) -> None:
        self.listening = True
        self._keys, self._controllers, self._waiting, self._now = keys, controllers, waiting, now
        self._down: list[int] = []  # whether or not the game runs
        self._commands: list[int] = []

    @property
    def devices(self) -> tuple[Device, ...]:
        """The controllers that are plugged in."""
        return () if self._controllers is None else self._controllers.devices

    def use(self, device: Device) -> None:
        """Let this controller steer from now on (see `Gamepads.use`)."""
        if self._controllers is not None:
            self._controllers.use(device)

    def press(self, code: int) -> bool:
        """A key went down; returns whether it means something to the game."""
        if code not in self._down:
            self._down.append(code)
        return self._keys.press(code, self._now())

    def release(self, code: int, ago_ns: int = 0) -> bool:
        """A key went up, so many nanoseconds ago."""
        if code in self._down:
            self._down.remove(code)
        return self._keys.release(code, self._now() - ago_ns)

    def lose_keyboard(self) -> None:
        """No key of the keyboard is held any more, as far as is known: what is let go of now may go unseen."""
        for code in [each for each in self._down if each > 0]:
            self.release(code)

    def begin_play(self) -> None:
        """Play is about to go on: what was tapped while it waited is no move, what is still down is one."""
        self.poll()
        for code in self._down:
            self._keys.press(code, self._now())
        self._keys.reset()

    def poll(self) -> None:
        """Take in what controllers did."""
        if self._controllers is None:
            return
        for code, down in self._controllers.poll():
            if not down:
                self.release(code)
            elif self.listening:
                if code == START or (code == FIRE and self._waiting()):
                    self._commands.append(code)
                else:
                    self.press(code)

    def commands(self) -> list[int]:
        """What was asked for with a controller since the last call: START, or FIRE where a game was waited for."""
        self.poll()
        commands, self._commands = self._commands, []
        return commands

    def close(self) -> None:
        """Let the controllers go."""
        if self._controllers is not None:
            self._controllers.close()
            self._controllers = None
