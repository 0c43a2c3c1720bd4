"""A scripted player of Enduro, who drives in the freest lane: far from perfect, but better than random."""

from __future__ import annotations

import numpy as np

from recorder.agents.experts.console import HeldKeysPlayer, Memory, Screen, keys

# Addresses: Delfosse et al. 2024, "OCAtari".
SIDEWAYS = 46  # with a sign, in half pixels to the left of MIDDLE_X
CARS = slice(27, 34)  # from the nearest to the farthest; 0 is no car
BESIDE_MIDDLE, AT_RIGHT = 16, 1  # bits of a car
MIDDLE_X = 85
EDGES_Y = 140  # a row of pixels just ahead, where the road's edges are the outermost things
SCREEN_LEFT = 8
LANES = (0.22, 0.5, 0.78)  # where their middles are, as shares of the road's width
EXACT = 4  # pixels; it steers no more exactly
CHANGE = 0.7  # by so many places of cars another lane has to be freer for each lane to cross


class EnduroPlayer(HeldKeysPlayer):
    """Keeps the accelerator pressed and steers to the middle of the lane where the next car is farthest."""

    name = "enduro-player"
    game = "Enduro"

    def _decide(self, memory: Memory, screen: Screen) -> str:
        row = screen[EDGES_Y, SCREEN_LEFT:]
        edges = np.flatnonzero((row != row[0]).any(axis=-1)) + SCREEN_LEFT
        if not len(edges):
            return keys(fire=True)
        left, width = int(edges[0]), max(1, int(edges[-1] - edges[0]))
        own = (MIDDLE_X - _signed(memory[SIDEWAYS]) / 2 - left) / width
        lane = LANES[1] - LANES[0]
        near = _nearness(memory)
        costs = [near[k] + CHANGE * abs(middle - own) / lane for k, middle in enumerate(LANES)]
        off = (LANES[costs.index(min(costs))] - own) * width
        return keys(right=off if abs(off) > EXACT else 0, fire=True)


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def _nearness(memory: Memory) -> list[int]:
    """How near the next car of each lane is, from the left: 7 is the nearest, 0 is none."""
    near = [0, 0, 0]
    cars = memory[CARS]
    for place, car in enumerate(cars):
        if car:
            lane = 1 if not car & BESIDE_MIDDLE else 2 if car & AT_RIGHT else 0
            near[lane] = max(near[lane], len(cars) - place)
    return near
