"""Game controllers, through pygame: D-pad or stick steers, any button fires.

Controllers may be plugged in and out at any time. Without one, a poll costs a few microseconds.
"""

from __future__ import annotations

import os
from typing import Any

# Key codes of controller inputs; a keyboard's are positive.
FIRE, RIGHT, LEFT = -1, -2, -3
NAMES = {FIRE: "controller button", RIGHT: "controller right", LEFT: "controller left"}

_DEAD_ZONE = 0.4  # of a stick's travel; worn sticks rest at up to 0.2


class Gamepads:
    """All connected controllers as one."""

    def __init__(self) -> None:
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # pygame needs a display to pump events; Qt owns the real one
        os.environ.setdefault("SDL_NO_SIGNAL_HANDLERS", "1")  # SDL would swallow Ctrl-C and SIGTERM
        import pygame

        self._pygame: Any = pygame
        pygame.display.init()
        pygame.joystick.init()
        self._sticks: dict[int, Any] = {}
        self._down: set[int] = set()

    def poll(self) -> list[tuple[int, bool]]:
        """What changed since the last call: (code, down) pairs."""
        pygame = self._pygame
        for event in pygame.event.get():
            if event.type == pygame.JOYDEVICEADDED:
                stick = pygame.joystick.Joystick(event.device_index)
                self._sticks[stick.get_instance_id()] = stick
            elif event.type == pygame.JOYDEVICEREMOVED:
                self._sticks.pop(event.instance_id, None)
        down = {code for stick in self._sticks.values() for code in held(stick)}
        changes = [(code, False) for code in sorted(self._down - down)]
        changes += [(code, True) for code in sorted(down - self._down)]
        self._down = down
        return changes

    def close(self) -> None:
        """Let the controllers go."""
        self._sticks.clear()
        self._pygame.joystick.quit()
        self._pygame.display.quit()


def held(stick: Any) -> set[int]:
    """The codes that a pygame Joystick holds down now."""
    across = [stick.get_hat(index)[0] for index in range(stick.get_numhats())]
    if stick.get_numaxes():
        across.append(stick.get_axis(0))
    codes = {RIGHT for x in across if x > _DEAD_ZONE} | {LEFT for x in across if x < -_DEAD_ZONE}
    if any(stick.get_button(index) for index in range(stick.get_numbuttons())):
        codes.add(FIRE)
    return codes
