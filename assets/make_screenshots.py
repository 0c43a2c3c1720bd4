"""Takes the pictures of assets/ from the real window, on a virtual screen, driven by xdotool.

    python assets/make_screenshots.py DEMO_FOLDER     (what `twinplay demo --out DEMO_FOLDER` left)

record, library, train, watch.png    the pages, in light         watch-dark, hopper.png    in dark
loop.gif                             record, train, watch, in a few seconds

A scripted player's recording stands in for a person's; the pages say so.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.ui.conftest import Hand, virtual_screen

HERE = Path(__file__).parent
GIF_SIZE, GIF_COLOURS = (590, 400), 96


def grab(hand: Hand) -> Image.Image:
    """The window's part of the screen."""
    os.environ |= {"DISPLAY": hand.display, "QT_QPA_PLATFORM": "xcb"}
    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance() or QApplication([])
    left, top, width, height = hand.look()["window"]
    image = app.primaryScreen().grabWindow(0, left, top, width, height).toImage()
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    return Image.frombytes(
        "RGB", (image.width(), image.height()), image.constBits(), "raw", "RGB", image.bytesPerLine()
    )


def picture(hand: Hand, name: str) -> None:
    """Save the window as it is now."""
    grab(hand).save(HERE / name, optimize=True)


class Film:
    """Pictures of the window for a GIF, each with how long it is shown."""

    def __init__(self) -> None:
        self._frames: list[Image.Image] = []
        self._ms: list[int] = []

    def shoot(self, hand: Hand, seconds: float, every: float = 0.125, shown_ms: int = 125) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._frames.append(grab(hand).resize(GIF_SIZE, Image.Resampling.LANCZOS))
            self._ms.append(shown_ms)
            time.sleep(every)

    def save(self, path: Path) -> None:
        first, *rest = [frame.quantize(GIF_COLOURS, dither=Image.Dither.NONE) for frame in self._frames]
        first.save(path, save_all=True, append_images=rest, duration=self._ms, loop=0, optimize=True)


@contextmanager
def window(display: str, folder: Path, *arguments: str, theme: str = "light") -> Iterator[Hand]:
    settings = folder / "config" / "twinplay" / "settings.ini"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f"[window]\ntheme={theme}\n[player]\nname=Ada\n[tour]\nclosed=yes\n")
    library = str(folder / "Twinplay" / "library")
    hand = Hand(display, folder, "--library", library, "--countdown", "3", *arguments)
    try:
        hand.arrive()
        yield hand
    finally:
        hand.close()


def main(demo: Path) -> None:
    with tempfile.TemporaryDirectory() as name, virtual_screen() as display:
        folder = Path(name)
        library = folder / "Twinplay" / "library"
        shutil.copytree(demo / "library", library)
        (library / "policies").mkdir(exist_ok=True)
        clone = library / "policies" / "2026-11-21T10-20-00-breakout.safetensors"
        shutil.copy(demo / "breakout.safetensors", clone)
        breakout, hopper = (next(library.glob(f"*-{env}.zarr")) for env in ("breakout", "hopper"))
        film = Film()
        with window(display, folder) as hand:
            record(hand, film)
            look_through(hand)
            train(hand, film)
        with window(display, folder, "--session", str(breakout), "--policy", str(clone)) as hand:
            watch(hand, film)
        film.save(HERE / "loop.gif")
        pair = ("--session", str(breakout), "--policy", str(clone))
        with window(display, folder, *pair, theme="dark") as hand:
            hand.wait(lambda: min(hand.look()["state"]["watch_ticks"] or [0]) > 900)
            hand.xdotool("key", "l")
            hand.wait(lambda: min(hand.look()["state"]["watch_ticks"] or [0]) > 1_500)
            picture(hand, "watch-dark.png")
        pair = ("--session", str(hopper), "--policy", str(demo / "hopper.safetensors"))
        with window(display, folder, *pair, theme="dark") as hand:
            hand.click("whyButton")
            hand.wait(lambda: min(hand.look()["state"]["watch_ticks"] or [0]) > 400)
            picture(hand, "hopper.png")


def record(hand: Hand, film: Film) -> None:
    time.sleep(3)  # the list of takes draws what has no stored screen when it has nothing else to do
    hand.click("recordButton")
    film.shoot(hand, 2.5, every=0.4, shown_ms=400)
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
    hand.hold("space", 0.1)
    hand.hold("Left", 0.3)
    hand.xdotool("keydown", "Right")
    time.sleep(0.45)
    picture(hand, "record.png")
    hand.xdotool("keyup", "Right")
    for key in ("Left", "Right", "Left"):
        hand.xdotool("keydown", key)
        film.shoot(hand, 0.5)
        hand.xdotool("keyup", key)
        film.shoot(hand, 0.25)
    hand.click("discardButton")


def look_through(hand: Hand) -> None:
    hand.click("libraryTab")
    hand.wait(lambda: "librarySplitter" in hand.look()["widgets"])
    left, top, *_ = hand.look()["widgets"]["librarySplitter"]["rect"]
    hand.xdotool("mousemove", str(left + 120), str(top + 116), "click", "1")
    time.sleep(3)
    picture(hand, "library.png")


def train(hand: Hand, film: Film) -> None:
    hand.click("trainTab")
    hand.wait(lambda: "sessionTable" in hand.look()["widgets"])
    left, top, *_ = hand.look()["widgets"]["sessionTable"]["rect"]
    hand.xdotool("mousemove", str(left + 80), str(top + 72), "click", "1", "key", "space")
    hand.click("presetChoice")
    hand.xdotool("key", "Up", "Return")
    hand.click("trainButton")
    while not {"watchButton", "anotherButton"} <= set(hand.look()["widgets"]):
        film.shoot(hand, 0.1, every=6.0)
    time.sleep(1.0)
    film.shoot(hand, 0.1, shown_ms=1_500)
    picture(hand, "train.png")


def watch(hand: Hand, film: Film) -> None:
    hand.wait(lambda: min(hand.look()["state"]["watch_ticks"] or [0]) > 900)
    film.shoot(hand, 5.0)
    hand.wait(lambda: "agree" in str(hand.look()["widgets"].get("agreementButton", {}).get("text", "")))
    picture(hand, "watch.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
