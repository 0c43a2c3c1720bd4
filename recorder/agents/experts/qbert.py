"""A scripted player of Q*bert, who keeps away from enemies: far from perfect, but better than random.

row 0         0
row 1       0   1         DOWN goes to the cube below at the left, RIGHT to the one below at the right,
row 2     0   1   2       LEFT to the one above at the left, UP to the one above at the right
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from recorder.agents.experts.console import HeldKeysPlayer, Memory, Screen

# Addresses: Anand et al. 2019, "Unsupervised state representation learning in Atari".
OWN_X, OWN_Y = 43, 67
COLOURS = (21, 52, 54, 83, 85, 87, 98, 100, 102, 104, 1, 3, 5, 7, 9, 32, 34, 36, 38, 40, 42)
ROWS = 6
# In memory, a figure on a cube is at x = 77 - 12 row + 24 column, y = 25 + 28 row.
TOP_X, TOP_Y, SIDE, DOWN = 77, 25, 12, 28
ENEMIES = ((146, 70, 192), (181, 83, 40))  # the snake and its egg, and the red balls (and Q*bert itself)
HOPS = {"DOWN": (1, 0), "RIGHT": (1, 1), "LEFT": (-1, -1), "UP": (-1, 0)}

Cube = tuple[int, int]
CUBES = [(row, column) for row in range(ROWS) for column in range(row + 1)]


class QbertPlayer(HeldKeysPlayer):
    """Takes the shortest way to a cube that still has its first colour; it never hops off or next to an enemy."""

    name = "qbert-player"
    game = "Q*bert"
    usual_slips = 0.01  # each may be the last

    def _begin(self) -> None:
        super()._begin()
        self._first = 0  # the cubes' colour when the round began

    def _decide(self, memory: Memory, screen: Screen) -> str:
        colours = [memory[address] for address in COLOURS]
        if len(set(colours)) == 1:
            self._first = colours[0]
        row, below = divmod(memory[OWN_Y] - TOP_Y, DOWN)
        column = round((memory[OWN_X] - TOP_X + SIDE * row) / (2 * SIDE))
        if below or (row, column) not in CUBES:
            return "NOOP"  # it is in the air
        enemies = [cube for cube in CUBES if cube != (row, column) and _occupied(screen, cube)]
        taken = {*enemies, *(place for cube in enemies for _, place in _hops(cube))}
        wanted = {cube for cube, colour in zip(CUBES, colours, strict=True) if colour == self._first}
        return self._hop((row, column), wanted, taken)

    def _hop(self, own: Cube, wanted: set[Cube], taken: set[Cube]) -> str:
        """The first hop of the shortest way to a wanted cube; without a way, one out of danger, or none."""
        first = {own: ""}
        queue = deque([own])
        while queue:
            cube = queue.popleft()
            if cube != own and cube in wanted:
                return first[cube]
            for hop, place in _hops(cube):
                if place not in first and place not in taken:
                    first[place] = first[cube] or hop
                    queue.append(place)
        escapes = [hop for hop, place in _hops(own) if place not in taken]
        return escapes[int(self._rng.integers(len(escapes)))] if own in taken and escapes else "NOOP"


def _hops(cube: Cube) -> Iterator[tuple[str, Cube]]:
    for hop, (down, right) in HOPS.items():
        place = (cube[0] + down, cube[1] + right)
        if place in CUBES:
            yield hop, place


def _occupied(screen: Screen, cube: Cube) -> bool:
    """Whether an enemy's colours are right above a cube."""
    x, y = TOP_X + 1 - SIDE * cube[0] + 2 * SIDE * cube[1], TOP_Y + 11 + DOWN * cube[0]
    above = screen[max(0, y - 14) : y + 2, x - 5 : x + 6].reshape(-1, 3)
    return any(int(np.count_nonzero((above == colour).all(axis=1))) >= 6 for colour in ENEMIES)
