"""A scripted player of Seaquest, who hunts and surfaces for air: far from perfect, but better than random."""

from __future__ import annotations

from recorder.agents.experts.console import HeldKeysPlayer, Memory, Screen, keys

# Addresses: Anand et al. 2019, "Unsupervised state representation learning in Atari", and Delfosse et al. 2024,
# "OCAtari". There are four lanes, from the lowest to the highest.
OWN_X, OWN_Y = 70, 97
FACING, FACING_LEFT = 86, 8
ENEMIES_X = 30  # of the leftmost place of each lane
PLACES = 36  # bits: which of a lane's three places are taken, the leftmost one is bit 2
DIVERS_X = 71  # of each lane's diver, or of its submarine's torpedo
KINDS = 89  # of what is in each lane
OXYGEN, DIVERS = 102, 62
# Where OWN_Y is at the surface, and level with the lanes.
SURFACE, LOWEST_LANE, LANE = 13, 105, 24
MIDDLE = (80, LOWEST_LANE - 2 * LANE)
PLACE = 16  # pixels from a place to the next
SCREEN_WIDTH = 160
FULL_CREW = 6
LITTLE_AIR, ENOUGH_AIR = 18, 60
NEAR = 40  # pixels; it does not go nearer to an enemy
EXACT = 3  # pixels

Place = tuple[int, int]


class SeaquestPlayer(HeldKeysPlayer):
    """Goes to the nearest row with enemies, faces and shoots them; picks up divers, and surfaces with one for air."""

    name = "seaquest-player"
    game = "Seaquest"

    def _begin(self) -> None:
        super()._begin()
        self._breathing = False
        self._fired = False

    def _decide(self, memory: Memory, screen: Screen) -> str:
        own = memory[OWN_X], memory[OWN_Y]
        air, divers = memory[OXYGEN], memory[DIVERS]
        low = air < LITTLE_AIR or divers == FULL_CREW
        filling = self._breathing and own[1] <= SURFACE + 2 and air < ENOUGH_AIR
        self._breathing = (low and divers > 0) or filling
        if self._breathing:
            return keys(down=-1)
        swimming, enemies = _divers(memory), _enemies(memory)
        if swimming and (low or not enemies):
            return _towards(own, _nearest(own, swimming))
        if not enemies:
            return _towards(own, MIDDLE)
        return self._fight(own, _nearest(own, enemies), facing_left=memory[FACING] == FACING_LEFT)

    def _fight(self, own: Place, enemy: Place, *, facing_left: bool) -> str:
        """Get level with the enemy at a distance, and shoot it."""
        across, down = enemy[0] - own[0], enemy[1] - own[1]
        near = abs(across) < NEAR
        if abs(down) > EXACT:
            return keys(-across if near else 0, down)
        self._fired = not self._fired  # the button has to be released for the next shot
        return keys(0 if near and facing_left == (across < 0) else across, 0, self._fired)


def _nearest(own: Place, places: list[Place]) -> Place:
    """The nearest place, where rows count twice: on the way to another row it cannot shoot."""
    return min(places, key=lambda place: abs(place[0] - own[0]) + 2 * abs(place[1] - own[1]))


def _towards(own: Place, place: Place) -> str:
    across, down = place[0] - own[0], place[1] - own[1]
    return keys(across if abs(across) > EXACT else 0, down if abs(down) > EXACT else 0)


def _enemies(memory: Memory) -> list[Place]:
    """Where sharks and submarines are, on the screen."""
    found = []
    for lane in range(4):
        for place in range(3):
            x = (memory[ENEMIES_X + lane] + PLACE * place) % 256
            if memory[PLACES + lane] >> (2 - place) & 1 and x < SCREEN_WIDTH:
                found.append((x, LOWEST_LANE - LANE * lane))
    return found


def _divers(memory: Memory) -> list[Place]:
    """Where divers are, on the screen; a lane of submarines has none."""
    return [
        (memory[DIVERS_X + lane], LOWEST_LANE - LANE * lane)
        for lane in range(4)
        if 0 < memory[DIVERS_X + lane] < SCREEN_WIDTH and not 3 < memory[KINDS + lane] % 8 < 7
    ]
