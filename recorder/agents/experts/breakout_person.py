"""A scripted player of Breakout that imitates a person's eyes and hands more closely than `breakout` does.

    RAM ─▶ the ball `delay` ticks ago ─▶ a guess where it lands ─▶ hold LEFT or RIGHT for that distance ─▶ look again

Sources of the figures (a tick is 1/60 s):
- It sees late, by 10 to 18 ticks: people act 250 to 300 ms after what they saw (Zhang et al. 2020, "Atari-HEAD").
- It makes a new plan 2 to 5 times a second, and carries it out without looking: people who steer an object with its own
  velocity make no new decision for about 350 ms, and for 250 ms if it has none (van de Kamp et al. 2013,
  "Refractoriness in sustained visuo-manual control").
- It holds keys for at least 3 to 6 ticks: a struck key stays down for about a tenth of a second (Dhakal et al. 2018,
  "Observations on typing from 136 million keystrokes").
- The error of a movement is proportional to its length (Schmidt et al. 1979, "Motor-output variability"), the error of
  a guess to how far it looks ahead.
The sizes of the errors were chosen so that the styles score like occasional players; no person was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recorder.agents.experts.ball import FIRE, LEFT, NOOP, RIGHT, velocity
from recorder.agents.experts.breakout_ball import CENTRED, PADDLE_Y, BreakoutBallPlayer, reflected
from recorder.agents.experts.console import ticks_between

# How far the paddle moves for each tick that a key is held: it starts slowly, but glides on afterwards.
_PIXELS_PER_TICK = 5.7
_TICKS_PER_S = 60


class BreakoutPerson(BreakoutBallPlayer):
    """Plays by guesses and held keys.

    Lengths are in screen pixels, times in ticks; a pair is a range (both ends included) from which values are drawn.

    delay        how old the ball's position is that it sees; it knows where its own paddle is now
    guess_error  standard deviation of its guess where the ball will land, for each tick that it looks ahead
    move_error   standard deviation of how long a key is held, as a share of that time
    hold         the shortest time a key is held
    rest         time between releasing a key and looking again
    dead_zone    the paddle does not move while its centre is this close to the guess
    follow_zone  the same while the ball rises and only has to be followed roughly
    lapses       how often it stops looking, per second
    lapse        how long that lasts
    serve_wait   time between seeing that the ball is lost and pressing FIRE

    Raises ValueError for values out of range.
    """

    name = "breakout-person"

    def __init__(
        self,
        seed: int = 0,
        *,
        delay: int | Sequence[int] = (10, 15),
        guess_error: float = 0.11,
        move_error: float = 0.15,
        hold: int | Sequence[int] = (3, 5),
        rest: int | Sequence[int] = (3, 8),
        dead_zone: float = 6.5,
        follow_zone: float = 16.0,
        lapses: float = 0.05,
        lapse: int | Sequence[int] = (15, 45),
        serve_wait: int | Sequence[int] = (40, 120),
    ) -> None:
        if not (
            0 <= guess_error <= 10
            and 0 <= move_error <= 1
            and 0 <= dead_zone <= 160
            and 0 <= follow_zone <= 160
            and 0 <= lapses <= _TICKS_PER_S
        ):
            raise ValueError(
                f"out of range: {guess_error=}, {move_error=}, {dead_zone=}, {follow_zone=} or {lapses=} a second"
            )
        self.guess_error = float(guess_error)
        self.move_error = float(move_error)
        self.hold = ticks_between("hold", hold)
        self.rest = ticks_between("rest", rest)
        self.dead_zone = float(dead_zone)
        self.follow_zone = float(follow_zone)
        self.lapses = float(lapses)
        self.lapse = ticks_between("lapse", lapse)
        self.serve_wait = ticks_between("serve_wait", serve_wait)
        super().__init__(seed, ticks_between("delay", delay))

    def _begin(self) -> None:
        super()._begin()
        self._key = NOOP
        self._busy = 0  # ticks for which the held key does not change
        self._serves = False

    def _follow(self, paddle: int) -> int:
        if self._busy == 0 and self._key != NOOP:
            served = self._key == FIRE  # it sees the ball only after its delay
            self._key, self._busy = NOOP, self._draw(self.rest) + (self.delay[1] if served else 0)
        if self._rng.random() < self.lapses / _TICKS_PER_S:
            self._busy += self._draw(self.lapse)
        if self._busy == 0:
            self._decide(paddle)
        self._busy = max(0, self._busy - 1)
        return self._key

    def _params(self) -> dict[str, Any]:
        return {
            "delay": list(self.delay),
            "guess_error": self.guess_error,
            "move_error": self.move_error,
            "hold": list(self.hold),
            "rest": list(self.rest),
            "dead_zone": self.dead_zone,
            "follow_zone": self.follow_zone,
            "lapses": self.lapses,
            "lapse": list(self.lapse),
            "serve_wait": list(self.serve_wait),
        }

    def _decide(self, paddle: int) -> None:
        """Look, and press a key for as long as the guess requires, or none."""
        lag = self._draw(self.delay)
        path = self._path(lag)
        if not path:
            return
        x, y = path[-1]
        if y == 0:
            self._serve()
            return
        self._serves = False
        velocity_x, velocity_y = velocity(path)
        falling = velocity_y > 0
        ahead = (PADDLE_Y - y) / velocity_y if falling else float(lag)
        guess = reflected(x + velocity_x * ahead) + float(self._rng.normal(0.0, self.guess_error * max(ahead, 0.0)))
        offset = guess + CENTRED - paddle
        if abs(offset) <= (self.dead_zone if falling else self.follow_zone):
            return
        needed = abs(offset) / _PIXELS_PER_TICK * float(self._rng.normal(1.0, self.move_error))
        self._press(RIGHT if offset > 0 else LEFT, round(needed))

    def _serve(self) -> None:
        if self._serves:
            self._press(FIRE, 0)
        else:
            self._busy = self._draw(self.serve_wait)
        self._serves = not self._serves

    def _press(self, key: int, ticks: int) -> None:
        self._key, self._busy = key, max(ticks, self._draw(self.hold))
