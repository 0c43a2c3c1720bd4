"""Playing on real keyboards in the real window: keys are pressed by where they lie, whatever they mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from recorder import Library, Session
from tests.ui.conftest import Hand
from tests.ui.xkeyboard import XKeyboard, keyboard

NOOP, FIRE, RIGHT, LEFT = range(4)
_TICK_NS = 16_666_667


@pytest.fixture
def board(screen: str) -> Iterator[XKeyboard]:
    with keyboard(screen) as board:
        yield board


def wait_for_state(hand: Hand, state: str) -> None:
    hand.wait(lambda: hand.look()["state"]["recording"] == state)


def begin(hand: Hand) -> None:
    hand.click("recordButton")
    wait_for_state(hand, "recording")


def wait_for_ticks(hand: Hand, more: int) -> None:
    before = hand.look()["state"]["ticks"]
    hand.wait(lambda: hand.look()["state"]["ticks"] >= before + more)


def finish(hand: Hand, library: Path) -> Session:
    hand.click("stopButton")
    hand.wait(lambda: "takeSummary" in hand.look()["widgets"])
    assert hand.output() == ""
    (summary,) = Library(library).sessions()
    return Session.open(summary.path)


CHANGES: dict[str, tuple[str, Callable[[XKeyboard], None], Callable[[XKeyboard], None]]] = {
    "another layout": ("A", lambda board: None, lambda board: board.layout("ru")),
    "another group": ("A", lambda board: board.layout("us", "ru"), lambda board: board.group(1)),
    "NumLock": ("KP4", lambda board: None, lambda board: board.tap("NumLock")),
    "Shift": (",", lambda board: None, lambda board: board.down("Shift")),
    "AltGr": ("Q", lambda board: board.layout("de"), lambda board: board.down("AltGr")),
}


@pytest.mark.parametrize(("key", "before", "change"), CHANGES.values(), ids=CHANGES.keys())
def test_a_key_ends_with_its_release_whatever_it_means_by_then(
    open_window: Callable[..., Hand],
    tmp_path: Path,
    board: XKeyboard,
    key: str,
    before: Callable[[XKeyboard], None],
    change: Callable[[XKeyboard], None],
) -> None:
    before(board)
    hand = open_window()
    if key in ",Q":
        hand.click("keysButton")
        hand.click("addLeftKey")
        board.tap(key)
        hand.wait(lambda: hand.look()["widgets"]["addLeftKey"]["text"] == "Add key")
        hand.click("acceptKeysButton")
        hand.wait(lambda: "keysDialog" not in hand.look()["widgets"])
    begin(hand)
    board.down(key)
    wait_for_ticks(hand, 20)
    change(board)
    wait_for_ticks(hand, 20)
    board.up(key)
    wait_for_ticks(hand, 40)
    session = finish(hand, tmp_path / "library")
    assert session.keys["down"].tolist() == [True, False]
    pressed, released = session.keys["time_ns"]
    held = session.time_ns[session.actions == LEFT]
    assert len(held) >= 40
    assert np.array_equal(np.flatnonzero(session.actions), np.flatnonzero(session.actions == LEFT))
    assert held[0] - pressed < 3 * _TICK_NS
    assert held[-1] - released < 2 * _TICK_NS  # a tick, and one that was late


def test_a_release_that_went_to_a_button_leaves_no_key_held(
    open_window: Callable[..., Hand], tmp_path: Path, board: XKeyboard
) -> None:
    hand = open_window()
    begin(hand)
    board.tap("P")
    wait_for_state(hand, "paused")
    board.down("Space")
    for _ in range(3):  # to a button, to which Space belongs
        hand.xdotool("key", "Tab")
    board.up("Space")
    hand.click("pauseButton")
    wait_for_state(hand, "recording")
    wait_for_ticks(hand, 30)
    session = finish(hand, tmp_path / "library")
    assert FIRE not in session.actions[-30:]


def test_what_was_tapped_while_paused_is_no_move_and_what_is_still_held_is_one(
    open_window: Callable[..., Hand], tmp_path: Path, board: XKeyboard
) -> None:
    hand = open_window()
    begin(hand)
    wait_for_ticks(hand, 10)
    board.tap("P")
    wait_for_state(hand, "paused")
    board.tap("Left")
    board.tap("Space")
    board.tap(".")
    board.tap("P")
    wait_for_state(hand, "recording")
    wait_for_ticks(hand, 10)
    board.down("Right")
    wait_for_ticks(hand, 10)
    board.tap("P")
    wait_for_state(hand, "paused")
    board.tap("Left")
    board.tap("P")
    wait_for_state(hand, "recording")
    wait_for_ticks(hand, 10)
    board.up("Right")
    session = finish(hand, tmp_path / "library")
    assert set(session.actions.tolist()) == {NOOP, RIGHT}
    start = int(np.argmax(session.actions == RIGHT))
    assert (session.actions[start : start + 20] == RIGHT).all()
