"""A scripted player of Boxing, who keeps at arm's length and punches: far from perfect, but better than random."""

from __future__ import annotations

from recorder.agents.experts.console import HeldKeysPlayer, Memory, Screen, keys

# Addresses: Anand et al. 2019, "Unsupervised state representation learning in Atari".
OWN_X, OWN_Y, OTHER_X, OTHER_Y = 32, 34, 33, 35
# How far apart the boxers' heads are when a glove, which is above or below its boxer's head, can hit: across and along.
NEAREST, REACH = 18, 28
LOWEST, HIGHEST = 3, 8


class BoxingPlayer(HeldKeysPlayer):
    """Approaches until a glove is level with the other's head, and punches; retreats when it is too close."""

    name = "boxing-player"
    game = "Boxing"

    def _begin(self) -> None:
        super()._begin()
        self._punched = False

    def _decide(self, memory: Memory, screen: Screen) -> str:
        across, along = memory[OTHER_X] - memory[OWN_X], memory[OTHER_Y] - memory[OWN_Y]
        off = abs(along)
        down = along if off > HIGHEST else -along or 1 if off < LOWEST else 0
        right = -across if abs(across) < NEAREST else across if off < HIGHEST or abs(across) > REACH else 0
        can_hit = abs(across) < REACH + 8 and off < HIGHEST + 3
        self._punched = can_hit and not self._punched  # the button has to be released for the next punch
        return keys(right, down, self._punched)
