"""A scripted player of Ms. Pac-Man, who keeps away from ghosts: far from perfect, but better than random.

screen ──▶ corridors and dots, on a grid of 14 × 18 cells ─┐
memory ──▶ where Ms. Pac-Man and the ghosts are ───────────┴▶ the nearest dot by ways without ghosts ──▶ a direction
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from recorder.agents.experts.console import HeldKeysPlayer, Memory, Screen

# Addresses: Anand et al. 2019, "Unsupervised state representation learning in Atari".
OWN_X, OWN_Y = 10, 16
GHOSTS_X, GHOSTS_Y = slice(6, 10), slice(12, 16)
# The cells' centres on screen; a figure's centre is at RAM x - 8, y + 5.
ROWS, COLUMNS = 14, 18
CENTRES_X = np.array([*range(10, 82, 8), *range(86, 158, 8)])
DOTS_Y, FLOORS_Y = slice(7, 175, 12), slice(3, 171, 12)  # rows of pixels with dots, and without
BORDER_X = 1  # where only a tunnel is open
FAR = ROWS * COLUMNS
SPARE = 1  # the steps by which it has to be somewhere before a ghost

Cell = tuple[int, int]
Maze = dict[Cell, dict[str, Cell]]  # where each direction leads from each cell


class MsPacmanPlayer(HeldKeysPlayer):
    """Goes to the nearest dot where it is before any ghost, by cells of which the same is true; otherwise it runs."""

    name = "ms-pacman-player"
    game = "Ms. Pac-Man"

    def _decide(self, memory: Memory, screen: Screen) -> str:
        solid = (screen == screen[4, 1]).all(axis=-1)  # the border's colour is also that of walls and dots
        maze, dots = _maze(~solid[FLOORS_Y]), solid[DOTS_Y, CENTRES_X]
        own = _cell(memory[OWN_X], memory[OWN_Y])
        ghosts = [_cell(x, y) for x, y in zip(memory[GHOSTS_X], memory[GHOSTS_Y], strict=True)]
        return _way(maze, own, dots, _steps(maze, ghosts))


def _way(maze: Maze, own: Cell, dots: npt.NDArray[np.bool_], far: dict[Cell, int]) -> str:
    """The first direction of the shortest safe way to a dot, or else of the one that ends farthest from ghosts.

    `far` is how many steps the nearest ghost needs to each cell.
    """
    first, steps = {own: "NOOP"}, {own: 0}
    queue = deque([own])
    while queue:
        cell = queue.popleft()
        if cell != own and dots[cell]:
            return first[cell]
        for direction, place in maze[cell].items():
            if place not in first and far.get(place, FAR) > steps[cell] + 1 + SPARE:
                first[place] = direction if cell == own else first[cell]
                steps[place] = steps[cell] + 1
                queue.append(place)
    return first[max(first, key=lambda cell: far.get(cell, FAR) - steps[cell])]


def _cell(x: int, y: int) -> Cell:
    """The cell of a figure, from its position in memory."""
    return min(max(round((y - 2) / 12), 0), ROWS - 1), int(np.abs(CENTRES_X - (x - 8)).argmin())


def _maze(free: npt.NDArray[np.bool_]) -> Maze:
    """The corridors, from a row of pixels in each row of cells; the tunnels at the sides lead to the other side."""
    maze: Maze = {(row, column): {} for row in range(ROWS) for column in range(COLUMNS)}
    for row, column in maze:
        if not free[row, CENTRES_X[column]]:
            continue
        right, below = (row, (column + 1) % COLUMNS), (row + 1, column)
        if free[row, CENTRES_X[right[1]]] and (right[1] or free[row, BORDER_X]):
            maze[row, column]["RIGHT"], maze[right]["LEFT"] = right, (row, column)
        if below in maze and free[below[0], CENTRES_X[column]]:
            maze[row, column]["DOWN"], maze[below]["UP"] = below, (row, column)
    return maze


def _steps(maze: Maze, starts: Iterable[Cell]) -> dict[Cell, int]:
    """The number of steps to each cell from the nearest of some."""
    found = dict.fromkeys(starts, 0)
    queue = deque(found)
    while queue:
        cell = queue.popleft()
        for place in maze[cell].values():
            if place not in found:
                found[place] = found[cell] + 1
                queue.append(place)
    return found
