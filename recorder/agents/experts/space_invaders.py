"""A scripted player of Space Invaders, who shoots and dodges: far from perfect, but better than random."""

from __future__ import annotations

from recorder.agents.experts.console import HeldKeysPlayer, Memory, Screen, keys

# Addresses: Anand et al. 2019, "Unsupervised state representation learning in Atari"; the bombs and rows are those of
# Delfosse et al. 2024, "OCAtari".
CANNON_X = 28
COLUMNS_X = 26  # of the leftmost column that is left
ROWS = slice(18, 24)  # bits: which columns are left in a row, the leftmost one is bit 0
BOMBS_X, BOMBS_Y = slice(83, 85), slice(81, 83)
COLUMN = 16  # pixels from a column to the next
# A bomb counts while its y is in between, and so many pixels from the cannon.
BOMBS_FROM, BOMBS_TO, NEAR = 65, 96, 8
BOMB_OFF = -5  # a bomb over the cannon's middle is at this x from it
LEAD = 3  # pixels; how far the columns move while a shot rises
EXACT = 2  # pixels


class SpaceInvadersPlayer(HeldKeysPlayer):
    """Aims ahead of the nearest column, firing all the time, and steps aside for bombs that come down on it."""

    name = "space-invaders-player"
    game = "Space Invaders"

    def _begin(self) -> None:
        super()._begin()
        self._columns_x = 0  # when it looked last
        self._lead = 0

    def _decide(self, memory: Memory, screen: Screen) -> str:
        moved = memory[COLUMNS_X] - self._columns_x
        self._columns_x = memory[COLUMNS_X]
        if moved:  # they stand still between their steps
            self._lead = LEAD if moved > 0 else -LEAD
        x = memory[CANNON_X]
        for bomb_x, bomb_y in zip(memory[BOMBS_X], memory[BOMBS_Y], strict=True):
            away = x - bomb_x - BOMB_OFF
            if BOMBS_FROM < bomb_y < BOMBS_TO and abs(away) < NEAR:
                return keys(right=away or 1, fire=True)
        off = min((column + self._lead - x for column in _columns(memory)), key=abs, default=0)
        return keys(right=off if abs(off) > EXACT else 0, fire=True)


def _columns(memory: Memory) -> list[int]:
    """Where the columns are, that are left."""
    left = 0
    for row in memory[ROWS]:
        left |= row
    first = (left & -left).bit_length() - 1
    return [memory[COLUMNS_X] + COLUMN * (bit - first) for bit in range(6) if left >> bit & 1]
