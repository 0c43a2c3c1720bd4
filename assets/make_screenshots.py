"""Takes the pictures of assets/ from the real window, on a virtual screen, driven by xdotool.

    python assets/make_screenshots.py DEMO_FOLDER     (what `twinplay demo --out DEMO_FOLDER` left)

A scripted player's recording stands in for a person's; the pages say so.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.ui.conftest import Hand, virtual_screen

HERE = Path(__file__).parent


def picture(hand: Hand, name: str) -> None:
    """Save the window's part of the screen."""
    import os

    os.environ |= {"DISPLAY": hand.display, "QT_QPA_PLATFORM": "xcb"}
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance() or QApplication([])
    left, top, width, height = hand.look()["window"]
    app.primaryScreen().grabWindow(0, left, top, width, height).save(str(HERE / name))


def main(demo: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, virtual_screen() as display:
        library = Path(folder) / "Twinplay" / "library"
        shutil.copytree(demo / "library", library)
        (library / "policies").mkdir()
        shutil.copy(demo / "breakout.safetensors", library / "policies" / "2026-11-21T10-20-00-breakout.safetensors")
        hand = Hand(display, Path(folder), "--library", str(library))
        try:
            hand.arrive()
            hand.click("recordButton")
            hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
            hand.hold("space", 0.1)
            hand.hold("Left", 0.3)
            hand.xdotool("keydown", "Right")
            time.sleep(0.45)
            picture(hand, "record.png")
            hand.xdotool("keyup", "Right")
            hand.click("discardButton")
            hand.click("watchTab")
            hand.click("playButton")
            hand.wait(lambda: min(hand.look()["state"]["watch_ticks"] or [0]) > 900)
            picture(hand, "watch.png")
            hand.click("trainTab")
            _tick_breakout(hand)
            hand.click("presetChoice")
            hand.xdotool("key", "Up", "Return")
            hand.click("trainButton")
            hand.wait(lambda: "watchButton" in hand.look()["widgets"], 600)
            time.sleep(1.0)
            picture(hand, "train.png")
        finally:
            hand.close()
        hopper = next(library.glob("*-hopper.zarr"))
        pair = ("--session", str(hopper), "--policy", str(demo / "hopper.safetensors"))
        hand = Hand(display, Path(folder), "--library", str(library), *pair)
        try:
            hand.arrive()
            hand.click("whyButton")
            hand.wait(lambda: min(hand.look()["state"]["watch_ticks"] or [0]) > 400)
            picture(hand, "hopper.png")
        finally:
            hand.close()


def _tick_breakout(hand: Hand) -> None:
    hand.wait(lambda: "sessionTable" in hand.look()["widgets"])
    left, top, *_ = hand.look()["widgets"]["sessionTable"]["rect"]
    hand.xdotool("mousemove", str(left + 80), str(top + 72), "click", "1", "key", "space")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
