"""A scripted player of Skiing, who steers for the next gate: far from perfect, but better than random."""

from __future__ import annotations

from recorder.agents.experts.console import HeldKeysPlayer, Memory, Screen, keys

# Addresses: Anand et al. 2019, "Unsupervised state representation learning in Atari", and Delfosse et al. 2024,
# "OCAtari".
OWN_X, FACING = 25, 15
THINGS_X, KINDS, THINGS_Y = slice(62, 70), slice(70, 78), slice(86, 94)
GATE = 2  # the kind
GATE_MIDDLE = 16  # from a gate's x
OWN_Y = 138  # things come up, that is, their y grows
# It faces straight down with 7 and 8, and farther to the left with each number below, to the right with each above. How
# far it then goes across for each pixel down:
SLOPES = (0.0, 0.1, 0.17, 0.27, 0.4, 0.55, 0.8, 1.2)


class SkiingPlayer(HeldKeysPlayer):
    """Turns so that its slope leads through the next gate."""

    name = "skiing-player"
    game = "Skiing"

    def _decide(self, memory: Memory, screen: Screen) -> str:
        things = zip(memory[THINGS_X], memory[KINDS], memory[THINGS_Y], strict=True)
        gates = [(y, x) for x, kind, y in things if kind == GATE and y < OWN_Y]
        if not gates:
            return "NOOP"
        y, x = max(gates)
        slope = (x + GATE_MIDDLE - memory[OWN_X]) / max(OWN_Y - y, 8)
        turn = min(range(len(SLOPES)), key=lambda step: abs(SLOPES[step] - abs(slope)))
        facing = memory[FACING]
        wanted = 8 + turn if slope > 0 else 7 - turn
        return keys(right=0 if turn == 0 and facing in (7, 8) else wanted - facing)
