"""Training from the Train page and the real window: it is paused, closed and resumed, and goes on without a window."""

from __future__ import annotations

import ctypes
import re
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QPushButton

from recorder import record
from recorder.agents.experts import scripted
from tests.ui.conftest import Hand
from tests.ui.test_train_page import Opened
from tests.ui.test_watch_page import wait_until
from tests.waiting import PATIENCE_S
from trainer.runs.policy_library import Policies
from trainer.runs.runs import Runs, RunState
from trainer.runs.train_state import TrainState

ENOUGH = 200_000  # batches that nobody waits for


class _ClientMessage(ctypes.Structure):
    """XClientMessageEvent of Xlib, padded to the size of an XEvent."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("padding", ctypes.c_long * 12),
    )


def ask_to_close(hand: Hand) -> None:
    """What a window manager sends when somebody clicks the cross of a window."""
    window = int(hand.xdotool("search", "--onlyvisible", "--name", "^Twinplay$").split()[-1])
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x11.XOpenDisplay(hand.display.encode()))
    protocols, delete = (x11.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
    client_message = 33
    message = _ClientMessage(type=client_message, window=window, message_type=protocols, format=32)
    message.data[0] = delete
    x11.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(message))
    x11.XCloseDisplay(display)


def headline(hand: Hand) -> str:
    text: str = hand.look()["widgets"].get("trainHeadline", {}).get("text", "")
    return text


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_ticking_a_session_and_clicking_train_trains_pauses_resumes_and_offers_the_twin(tmp_path: Path) -> None:
    record("hopper", scripted("hopper"), library=tmp_path, episodes=2, seed=3)
    record("breakout", scripted("breakout"), library=tmp_path, seconds=4, seed=3)
    opened = Opened(tmp_path, max_batches=20_000)
    presenter, over = opened.presenter, []
    opened.page.run_over.connect(lambda: over.append(presenter.state))
    try:
        opened.tick("Hopper")
        opened.click("trainButton")
        wait_until(lambda: len(presenter.run_list.curves.val_loss) >= 1 or presenter.state is TrainState.FAILED)
        assert presenter.state is TrainState.TRAINING, presenter.explanation
        opened.click("pauseTrainingButton")
        wait_until(lambda: presenter.state is TrainState.PAUSED)
        assert opened.find(QPushButton, "runsSegment").text() == "Runs (1 to resume)"
        reached = presenter.run_list.curves.batch[-1]
        opened.click("resumeButton")
        wait_until(lambda: presenter.state is TrainState.TRAINING and presenter.run_list.curves.batch[-1] > reached)
        opened.click("stopTrainingButton")
        wait_until(lambda: presenter.state is TrainState.DONE)
        assert over == [TrainState.DONE]  # and not when it was paused
        opened.click("watchButton")
        assert opened.watched == [presenter.policy]
        assert opened.watched[0].stat().st_size > 1000
    finally:
        opened.close()


def test_a_training_is_paused_closed_reopened_resumed_and_done(
    open_window: Callable[..., Hand], tmp_path: Path
) -> None:
    library = tmp_path / "library"
    record("hopper", scripted("hopper"), library=library, episodes=1, seed=1)
    hand = open_window("--page", "train", "--training-batches", "2000")
    hand.click("trainButton")
    hand.click("twinsSegment")
    hand.wait(lambda: {"watchButton", "twinTable"} <= set(hand.look()["widgets"]))  # a first version
    assert not hand.look()["widgets"]["renameTwinButton"]["enabled"]
    hand.click("pauseTrainingButton")
    hand.wait(lambda: "resumeButton" in hand.look()["widgets"])
    assert headline(hand).startswith("Paused after ")
    hand.click("renameTwinButton")
    hand.wait(lambda: not hand.look()["state"]["active"])  # the dialog is
    hand.xdotool("key", "ctrl+a")
    hand.xdotool("type", "Best: 1st/2?")
    hand.xdotool("key", "Return")
    wait_for(lambda: [twin.title for twin in Policies(library).all()] == ["Best: 1st/2?"])
    hand.focus()
    (run,) = Runs(library).all()
    assert run.setup is not None
    assert (run.status.state, run.setup.preset) == (RunState.PAUSED, "quick")
    assert 0 < run.status.batches < 2000
    ask_to_close(hand)
    assert hand.process.wait(PATIENCE_S) == 0
    assert hand.output() == ""

    hand = open_window("--page", "train")
    hand.wait(lambda: headline(hand).startswith("Paused after "))
    hand.click("resumeButton")
    hand.wait(lambda: headline(hand).startswith("Your twin scores "))
    assert re.match("Your twin scores [0-9,]+, the scripted player [0-9,]+.$", headline(hand))
    assert Runs(library).get(run.id).status.batches == 2000
    assert [twin.title for twin in Policies(library).all()] == ["Best: 1st/2?"]
    assert "resuming after" in Runs(library).read_log(run.id)
    assert hand.output() == ""


def test_a_training_goes_on_in_the_background_and_the_next_window_follows_it(
    open_window: Callable[..., Hand], tmp_path: Path
) -> None:
    library = tmp_path / "library"
    record("hopper", scripted("hopper"), library=library, episodes=1, seed=1)
    hand = open_window("--page", "train", "--training-batches", str(ENOUGH))
    hand.click("trainButton")
    hand.wait(lambda: "left" in headline(hand))
    ask_to_close(hand)
    hand.click("goOnInBackgroundButton")
    assert hand.process.wait(PATIENCE_S) == 0
    assert hand.output() == ""
    runs = Runs(library)
    (run,) = runs.all()
    told = (run.folder / "progress.jsonl").stat().st_size
    wait_for(lambda: (run.folder / "progress.jsonl").stat().st_size > told)
    assert runs.is_locked(run.id)

    hand = open_window("--page", "train")
    hand.wait(lambda: "left" in headline(hand))
    hand.click("stopTrainingButton")
    hand.wait(lambda: headline(hand).startswith("Your twin is ready."))
    wait_for(lambda: not runs.is_locked())
    found = runs.get(run.id)
    assert (found.status.state, found.status.stopped_early) == (RunState.DONE, True)
    assert 0 < found.status.batches < ENOUGH
    assert hand.output() == ""


def test_a_double_click_trains_once_and_a_queued_run_can_be_deleted(
    open_window: Callable[..., Hand], tmp_path: Path
) -> None:
    library = tmp_path / "library"
    record("hopper", scripted("hopper"), library=library, episodes=1, seed=1)
    runs = Runs(library)
    hand = open_window("--page", "train", "--training-batches", str(ENOUGH))

    def click(name: str, times: int) -> None:
        left, top, width, height = hand.place(name)
        hand.xdotool("mousemove", str(left + width // 2), str(top + height // 2))
        hand.xdotool("click", "--repeat", str(times), "--delay", "90", "1")

    click("trainButton", 3)
    wait_for(lambda: [run.status.state for run in runs.all()] == [RunState.RUNNING])
    time.sleep(0.6)  # another click, not one more of the same
    hand.click("trainButton")
    wait_for(lambda: len(runs.queued()) == 1)
    hand.click("runsSegment")
    left, top, width, _ = hand.place("runTable")
    hand.xdotool("mousemove", str(left + width // 2), str(top + 50), "click", "1")
    hand.wait(lambda: headline(hand) == "Queued")
    click("deleteRunButton", 2)
    wait_for(lambda: not runs.queued())
    assert [run.status.state for run in runs.all()] == [RunState.RUNNING]
    assert hand.output() == ""
