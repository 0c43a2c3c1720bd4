"""Takes assets/coaching.gif from the real window, on a virtual screen: a race against a twin, and a take-over from it.

    python assets/make_coaching_gif.py POLICY     (a clone that plays Breakout)

A script presses real keys in place of a person: it looks at the window and steers the paddle to where the ball is.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from assets.make_screenshots import grab, window
from tests.ui.conftest import Hand, virtual_screen

HERE = Path(__file__).parent
SIZE, ROOMY = (980, 560), (1180, 800)  # of the window, shown pixel by pixel
COLOURS = 256
EVERY_S = 0.1  # between two pictures of the film
# Rows and columns of the emulator's picture: the walls with the score, and where the ball and the paddle are.
WALLS, WIDE, FLIGHT, PADDLE, INSIDE = (5, 189), 160, (94, 187), (190, 193), (8, 152)
NEAR, FAR = 4, 22  # columns: the paddle is where it should be; a tap of the key is enough
TAP_S = 0.03


class Film:
    """Pictures of the window, each shown for as long as it was there."""

    def __init__(self) -> None:
        self.frames: list[Image.Image] = []
        self.ms: list[int] = []

    def add(self, frame: Image.Image, seconds: float) -> None:
        self.frames.append(frame)
        self.ms.append(max(20, 10 * round(100 * seconds)))

    def save(self, path: Path) -> None:
        """All pictures in the same colours, the commonest ones, so that what stays as it was costs nothing."""
        counts: Counter[tuple[int, int, int]] = Counter()
        for frame in self.frames[:: max(1, len(self.frames) // 12)]:
            counts.update({colour: number for number, colour in frame.getcolors(frame.width * frame.height)})
        palette = Image.new("P", (1, 1))
        palette.putpalette([value for colour, _ in counts.most_common(COLOURS) for value in colour])
        first, *rest = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames]
        first.save(path, save_all=True, append_images=rest, duration=self.ms, loop=0, optimize=True)


class Player:
    """Steers the paddle of the game in the left `share` of the stage by real keys, and films meanwhile.

    It presses none where the paddle is as `near` as so many columns to where it should be.
    """

    def __init__(self, hand: Hand, film: Film, share: float, near: float = NEAR) -> None:
        self._hand, self._film, self._share, self._near = hand, film, share, near
        self._held = ""
        self._ball: tuple[float, float, float] | None = None  # when it was seen last, and where

    def play(self, seconds: float, *, steering: bool = True, filming: bool = True) -> None:
        began = shot = time.monotonic()
        frame = grab(self._hand)
        while (now := time.monotonic()) < began + seconds:
            if filming and now - shot >= EVERY_S:
                self._film.add(frame, now - shot)
                shot = now
            frame = grab(self._hand)
            if steering:
                self._steer(frame, now)
            time.sleep(0.01)
        self._hold("")

    def _hold(self, key: str) -> None:
        if key == self._held:
            return
        if self._held:
            self._hand.xdotool("keyup", self._held)
        if key:
            self._hand.xdotool("keydown", key)
        self._held = key

    def _steer(self, frame: Image.Image, now: float) -> None:
        """Bring the paddle to where the ball comes down, and serve where there is none."""
        ball, paddle = where(np.asarray(frame), self._hand.look()["widgets"]["gameView"]["rect"], self._share)
        before, self._ball = self._ball, None if ball is None else (now, *ball)
        if paddle is None or ball is None:
            self._hold("" if paddle is None else "Up")
            return
        target = ball[0] if before is None else comes_down(before, (now, *ball))
        way = target - paddle[0]
        key = "Right" if way > 0 else "Left"
        self._hold(key if abs(way) > FAR else "")
        if self._near < abs(way) <= FAR:
            self._hold(key)
            time.sleep(TAP_S)
            self._hold("")


def comes_down(before: tuple[float, float, float], now: tuple[float, float, float]) -> float:
    """The column where a ball that was seen twice (when, column, row) comes to the paddle; it bounces off the walls."""
    seconds, across, down = (after - earlier for earlier, after in zip(before, now, strict=True))
    if down <= 0 or seconds <= 0 or seconds > 0.3:
        return now[1]
    column = now[1] + across / down * (PADDLE[0] - now[2]) - INSIDE[0]
    wide = INSIDE[1] - INSIDE[0]
    column %= 2 * wide
    return INSIDE[0] + min(column, 2 * wide - column)


Spot = tuple[float, float]  # column and row


def where(pixels: npt.NDArray[np.uint8], stage: list[int], share: float) -> tuple[Spot | None, Spot | None]:
    """Where ball and paddle are in the emulator's picture; None for what is not seen."""
    left, top, width, height = stage
    shown = pixels[top : top + height, left : left + round(width * share)].astype(np.int16)
    red, green, blue = shown[..., 0], shown[..., 1], shown[..., 2]
    grey = (abs(red - green) < 8) & (abs(red - blue) < 8) & (abs(red - 142) < 12)
    rows, columns = np.flatnonzero(grey.sum(1) > 5), np.flatnonzero(grey.sum(0) > 40)
    if not len(rows) or not len(columns):
        return None, None
    high = (rows[-1] - rows[0]) / (WALLS[1] - WALLS[0])
    wide = (columns[-1] + 1 - columns[0]) / WIDE
    reddish = (red > 150) & (green < 120) & (blue < 120)

    def spot(between: tuple[int, int]) -> Spot | None:
        first, last = (round(rows[0] + high * (row - WALLS[0])) for row in between)
        start, stop = (round(columns[0] + wide * each) for each in INSIDE)
        found = np.argwhere(reddish[first:last, start:stop])
        if not len(found):
            return None
        row, column = found.mean(0).tolist()
        return INSIDE[0] + column / wide, between[0] + row / high

    return spot(FLIGHT), spot(PADDLE)


def recording(hand: Hand) -> None:
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")


def choose(hand: Hand, box: str, key: str, words: str) -> None:
    """Choose an entry of a list, for which the window is larger than in the film."""
    resize(hand, ROOMY)
    hand.click(box)
    time.sleep(0.5)  # until the list has the keyboard
    hand.xdotool("key", key, "Return")
    hand.wait(lambda: hand.look()["widgets"][box]["text"].startswith(words))
    resize(hand, SIZE)
    hand.focus()


def resize(hand: Hand, size: tuple[int, int]) -> None:
    hand.xdotool("windowsize", hand.window, *map(str, size))
    hand.wait(lambda: hand.look()["window"][2:] == list(size))


def race(hand: Hand, film: Film) -> None:
    """Before the start, some seconds of the race, and its result."""
    choose(hand, "partnerBox", "End", "Race")
    choose(hand, "seriesBox", "End", "Best")
    hand.wait(lambda: "best of three" in hand.look()["widgets"]["gameView"].get("description", ""))
    player = Player(hand, film, 0.5)
    player.play(1.5, steering=False)
    hand.xdotool("key", "space")
    recording(hand)
    player.play(7.0)
    while hand.look()["state"]["recording"] == "recording":  # the rest is not shown: nobody moves
        hand.xdotool("key", "Up")
        time.sleep(0.1)
    hand.wait(lambda: "of three" in hand.look()["widgets"]["gameView"].get("description", ""))
    player.play(2.5, steering=False)
    hand.xdotool("key", "Escape")
    hand.wait(lambda: hand.look()["state"]["recording"] == "idle")


def take_over(hand: Hand, film: Film) -> None:
    """The twin plays, the person takes over, and the twin goes on."""
    choose(hand, "partnerBox", "Up", "Correct")
    hand.xdotool("key", "space")
    recording(hand)
    time.sleep(2.0)  # it serves
    player = Player(hand, film, 1.0, near=0.0)  # whoever presses no key hands back
    player.play(3.0, steering=False)
    player.play(2.5)
    player.play(3.0, steering=False)


def main(policy: Path) -> None:
    with tempfile.TemporaryDirectory() as name, virtual_screen() as display:
        folder = Path(name)
        policies = folder / "Twinplay" / "library" / "policies"
        policies.mkdir(parents=True)
        shutil.copy(policy, policies / "Ada's twin.safetensors")
        film = Film()
        with window(display, folder) as hand:
            race(hand, film)
            take_over(hand, film)
        film.save(HERE / "coaching.gif")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
