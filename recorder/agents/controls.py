"""The player's input: held keys, controllers, and commands given with a controller.

keyboard ──press, release──┐
                           ├─▶ KeyAgent ─▶ actions
controllers ──────poll()───┤
                           └─▶ commands() ─▶ begin, pause, resume, next game
"""

from __future__ import annotations

from collections.abc import Callable, Container

from recorder.agents.agent import KeyAgent
from recorder.agents.gamepad import Device, Gamepads

_REPEAT_AFTER_NS, _REPEAT_NS = 400_000_000, 100_000_000


class Controls:
    """Passes input on to `keys`; `controllers` is None if controllers are not used.

    `listening` says whether the window has the keyboard focus; controllers count only then. `commanding` says which
    inputs of a controller are commands at the moment, and do not play; `repeating`, which of these are given again and
    again while their input is held.
    """

    def __init__(
        self,
        keys: KeyAgent,
        controllers: Gamepads | None,
        commanding: Callable[[], Container[int]],
        now: Callable[[], int],
        repeating: Callable[[], Container[int]] = tuple,
    ) -> None:
        self.listening = True
        self._keys, self._controllers, self._commanding, self._now = keys, controllers, commanding, now
        self._repeating = repeating
        self._down: list[int] = []  # also while the game does not run
        self._commands: list[int] = []
        self._again: dict[int, int] = {}  # inputs held that commanded something, and when they would do so again

    @property
    def devices(self) -> tuple[Device, ...]:
        """The connected controllers."""
        return () if self._controllers is None else self._controllers.devices

    def use(self, device: Device, *, pedals: bool) -> None:
        """Let this controller steer from now on (see `Gamepads.use`)."""
        if self._controllers is not None:
            self._controllers.use(device, pedals=pedals)

    def press(self, code: int) -> bool:
        """A key went down; returns whether the game uses it."""
        if code not in self._down:
            self._down.append(code)
        return self._keys.press(code, self._now())

    def release(self, code: int, ago_ns: int = 0) -> bool:
        """A key went up, `ago_ns` nanoseconds ago."""
        if code in self._down:
            self._down.remove(code)
        return self._keys.release(code, self._now() - ago_ns)

    def lose_keyboard(self) -> None:
        """Count all keys of the keyboard as released: from now on the window may not see a release."""
        for code in [each for each in self._down if each > 0]:
            self.release(code)

    def begin_play(self) -> None:
        """Play is about to resume: keys tapped during the pause are no moves, keys still held are."""
        self.poll()
        for code in self._down:
            self._keys.press(code, self._now())
        self._keys.reset()

    def poll(self) -> None:
        """Process the controllers' input."""
        if self._controllers is None:
            return
        for code, down in self._controllers.poll():
            if not down:
                self._again.pop(code, None)
                self.release(code)
            elif self.listening:
                if code in self._commanding():
                    self._commands.append(code)
                    self._again[code] = self._now() + _REPEAT_AFTER_NS
                else:
                    self.press(code)
        leans = self._controllers.leans
        self._keys.leans = {code: far for code, far in leans.items() if self.listening or code in self._down}

    def commands(self) -> list[int]:
        """The commands given with a controller since the last call, by their codes."""
        self.poll()
        for code, due_ns in self._again.items():
            if self.listening and self._now() >= due_ns and code in self._repeating():
                self._commands.append(code)
                self._again[code] = self._now() + _REPEAT_NS
        commands, self._commands = self._commands, []
        return commands

    def close(self) -> None:
        """Release the controllers."""
        if self._controllers is not None:
            self._controllers.close()
            self._controllers = None
