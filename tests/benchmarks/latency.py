"""From a key to the picture: keys pressed in an X server (XTEST), and the paddle's pixels there, read from its memory.

    press ─▶ X server ─▶ window ─▶ the next tick ─▶ emulator ─▶ picture ─▶ X server ─▶ a changed pixel

The console itself takes a tick of this: an action first changes the screen after the next one. So the latency of the
program is what is measured, less a tick. Before the first serve the paddle moves as ever, and no ball is lost.
"""

from __future__ import annotations

import ctypes
import mmap
import random
import struct
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from player.report.plots import histogram
from recorder import Library
from recorder.play.latency import Latency
from tests.benchmarks.common import Figure, Lines, Options, Ratio

PRESSES = 600
GOALS_MS = (12.0, 20.0)  # median, 99th percentile
_PADDLE = (0.78, 0.9)  # of the height of the view: the rows around the paddle, above the picture of the keys
_HOLD_S, _MOST_S = 0.03, 0.25
_STABLE_S = 0.08  # nothing changes for so long before a press
_BARS, _BAR_MS = 16, 2


class Screen:
    """The picture of an X server that keeps it in a file (Xvfb's -fbdir), in the format of xwd."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "Xvfb_screen0").open("rb")
        self._memory = mmap.mmap(self._file.fileno(), 0, prot=mmap.PROT_READ)
        header = struct.unpack(">25I", self._memory[:100])
        _, height, line = header[4], header[5], header[12]
        start = header[0] + 12 * header[19]
        self._pixels = np.frombuffer(self._memory, np.uint8, height * line, start).reshape(height, line)

    def part(self, left: int, top: int, width: int, height: int) -> npt.NDArray[np.uint8]:
        """A copy of some pixels, as bytes."""
        return self._pixels[top : top + height, 4 * left : 4 * (left + width)].copy()


class Keys:
    """Presses keys in an X server."""

    def __init__(self, display: str) -> None:
        self._x11, self._xtest = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._x11.XStringToKeysym.restype = ctypes.c_ulong
        self._display = ctypes.c_void_p(self._x11.XOpenDisplay(display.encode()))

    def send(self, key: str, down: bool) -> None:
        symbol = ctypes.c_ulong(self._x11.XStringToKeysym(key.encode()))
        code = self._x11.XKeysymToKeycode(self._display, symbol)
        self._xtest.XTestFakeKeyEvent(self._display, ctypes.c_uint(code), int(down), ctypes.c_ulong(0))
        self._x11.XFlush(self._display)


def measure(presses: int) -> tuple[npt.NDArray[np.float64], Latency | None]:
    """Milliseconds from each press to the first changed pixel of the paddle, and what the session says."""
    from tests.ui.conftest import Hand, virtual_screen

    rng = random.Random(0)
    found = []
    with tempfile.TemporaryDirectory() as name, virtual_screen(Path(name)) as display:
        folder = Path(name)
        hand = Hand(display, folder, "--library", str(folder / "library"))
        try:
            hand.arrive()
            hand.click("recordButton")
            hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
            left, top, width, height = hand.look()["widgets"]["gameView"]["rect"]
            rows = [top + round(share * height) for share in _PADDLE]
            screen, keys = Screen(folder), Keys(display)

            def paddle() -> npt.NDArray[np.uint8]:
                return screen.part(left, rows[0], width, rows[1] - rows[0])

            for number in range(presses):
                before, since = paddle(), time.monotonic()
                wait = _STABLE_S + rng.uniform(0, 1 / 60)  # so that presses come at any time between two ticks
                while time.monotonic() - since < wait:
                    time.sleep(0.001)
                    if not np.array_equal(now := paddle(), before):
                        before, since = now, time.monotonic()
                key, begun = ("Left", "Right")[number % 2], time.monotonic_ns()
                keys.send(key, True)
                while np.array_equal(paddle(), before) and time.monotonic_ns() - begun < _MOST_S * 1e9:
                    time.sleep(0.0002)
                found.append((time.monotonic_ns() - begun) / 1e6)
                time.sleep(_HOLD_S)
                keys.send(key, False)
            hand.click("stopButton")
            hand.wait(lambda: "takeSummary" in hand.look()["widgets"])
        finally:
            hand.close()
        (session,) = Library(folder / "library").sessions()
    return np.array(found), session.latency


def _figure(own: npt.NDArray[np.float64], marks: dict[str, float]) -> Figure:
    width = _BAR_MS * (1 + int(max(marks.values()) // (_BARS * _BAR_MS)))  # so that they reach beyond the marks
    edges = np.arange(0, (_BARS + 1) * width, width)
    counts, _ = np.histogram(own.clip(0, edges[-1] - 1), edges)  # the last bar holds whatever took longer
    bars = [
        f"{edge:3} to {edge + width:3} ms {count:5} {'█' * round(60 * count / max(1, counts.max()))}"
        for edge, count in zip(edges, counts, strict=False)
    ]
    svg = histogram(own.tolist(), edges.tolist(), marks, ("milliseconds from a key to the picture", "presses"))
    return Figure("latency.svg", svg, "How many presses took how many milliseconds", "\n".join(bars))


def latency(options: Options) -> Lines:
    """The figures and a histogram."""
    measured, stored = measure(20 if options.small else PRESSES)
    tick = 1e3 / 60
    own = measured - tick
    median, late = np.percentile(own, (50, 99))
    yield f"{len(own)} presses: median {median:.1f} ms, 99 % within {late:.1f} ms, longest {own.max():.1f} ms,"
    yield f"besides the tick ({tick:.1f} ms) that the console itself takes before an action shows."
    yield f"The session itself says: {stored}."
    yield ""
    yield _figure(own, {f"median {median:.1f} ms": median, f"99 % within {late:.1f} ms": late})
    yield Ratio("latency, goal / median", GOALS_MS[0] / median)
    yield Ratio("latency, goal / 99th percentile", GOALS_MS[1] / late)
