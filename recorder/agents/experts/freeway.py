"""A scripted player of Freeway, who waits for gaps between the cars: far from perfect, but better than random."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from recorder.agents.experts.console import HeldKeysPlayer, Memory, Screen

# Addresses: Anand et al. 2019, "Unsupervised state representation learning in Atari".
CHICKEN_Y = 14  # grows upwards
CARS = slice(108, 118)  # their x, from the lowest lane to the highest
CHICKEN_X = 48
ROAD_WIDTH = 160
# The chicken's y while it is level with a car: of the lowest lane, and what each lane adds.
LOWEST_LANE, LANE = 17, 16
# Nearer than this, a car and the chicken touch.
TOUCH_X, TOUCH_Y = 8, 10
STEPS = {"UP": 1, "NOOP": 0, "DOWN": -1}  # how far a tick of each action goes
LOOK_BACK, LOOK_AHEAD = 30, 24  # ticks


class FreewayPlayer(HeldKeysPlayer):
    """Goes up; if a car would hit it within the next ticks, it waits, or goes back."""

    name = "freeway-player"
    game = "Freeway"

    def _begin(self) -> None:
        super()._begin()
        self._seen: deque[Memory] = deque(maxlen=LOOK_BACK)  # the cars of the last ticks

    def _play(self, memory: Memory, screen: Screen) -> int:
        self._seen.append(memory[CARS])
        return super()._play(memory, screen)

    def _decide(self, memory: Memory, screen: Screen) -> str:
        cars, y = memory[CARS], memory[CHICKEN_Y]
        speeds = [_across(now - then) / len(self._seen) for now, then in zip(cars, self._seen[0], strict=True)]
        free = {name: _free(cars, speeds, y, step) for name, step in STEPS.items()}
        return max(free, key=lambda name: free[name])  # the first of those that are free for longest


def _across(distance: float) -> float:
    """A distance on the road, whose two ends are one."""
    return (distance + ROAD_WIDTH / 2) % ROAD_WIDTH - ROAD_WIDTH / 2


def _free(cars: Memory, speeds: Sequence[float], y: float, step: int) -> int:
    """The number of ticks until a car hits the chicken, if it goes on with such steps."""
    for tick in range(LOOK_AHEAD):
        height = y + step * tick - LOWEST_LANE
        for lane in range(max(0, math.ceil((height - TOUCH_Y) / LANE)), min(9, int((height + TOUCH_Y) // LANE)) + 1):
            if abs(_across(cars[lane] + speeds[lane] * tick - CHICKEN_X)) < TOUCH_X:
                return tick
    return LOOK_AHEAD
