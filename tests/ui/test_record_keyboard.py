"""Playing on real keyboards in the real window: keys are pressed by where they lie, whatever they mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from player.support.sample import SAMPLE
from recorder import Library, Session
from tests.ui.conftest import Hand
from tests.ui.test_record_window import text
from tests.ui.xkeyboard import XKeyboard, keyboard

NOOP, FIRE, RIGHT, LEFT = range(4)


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
    def ticks() -> int:
        return int(hand.look()["state"]["ticks"])

    stale = ticks()  # what is told of the screen may be a few ticks old
    hand.wait(lambda: ticks() > stale)
    before = ticks()
    hand.wait(lambda: ticks() >= before + more)


def finish(hand: Hand, library: Path) -> Session:
    """Stop the take; returns the newest session."""
    hand.click("stopButton")
    hand.wait(lambda: "takeSummary" in hand.look()["widgets"])
    assert hand.output() == ""
    return Session.open(max(summary.path for summary in Library(library).sessions()))


def choose_key(hand: Hand, board: XKeyboard, action: str, key: str) -> None:
    hand.click("keysButton")
    hand.click(f"add{action}Key")
    board.tap(key)
    hand.wait(lambda: text(hand, f"add{action}Key") == "Add key")
    hand.click("acceptKeysButton")
    hand.wait(lambda: "keysDialog" not in hand.look()["widgets"])


CHANGES: dict[str, tuple[str, Callable[[XKeyboard], None], Callable[[XKeyboard], None]]] = {
    "another layout": ("A", lambda board: None, lambda board: board.layout("ru")),
    "another group": ("A", lambda board: board.layout("us", "ru"), lambda board: board.group(1)),
    "NumLock": ("KP4", lambda board: None, lambda board: board.tap("NumLock")),
    "Shift": (",", lambda board: None, lambda board: board.down("Shift")),
    "AltGr": ("Q", lambda board: board.layout("de"), lambda board: board.down("AltGr")),
}


def test_a_key_ends_with_its_release_whatever_it_means_by_then(
    open_window: Callable[..., Hand], tmp_path: Path, board: XKeyboard
) -> None:
    hand = open_window()
    for name, (key, before, change) in CHANGES.items():
        before(board)
        if key in ",Q":
            choose_key(hand, board, "Left", key)
        begin(hand)
        board.down(key)
        wait_for_ticks(hand, 20)
        change(board)
        wait_for_ticks(hand, 20)
        board.up(key)
        wait_for_ticks(hand, 40)
        session = finish(hand, tmp_path / "library")
        board.as_found()
        check_what_was_held(session, name)


def check_what_was_held(session: Session, name: str) -> None:
    assert session.keys["down"].tolist() == [True, False], name
    pressed, released = session.keys["time_ns"]
    held = session.time_ns[session.actions == LEFT]
    assert len(held) >= 30, name
    assert np.array_equal(np.flatnonzero(session.actions), np.flatnonzero(session.actions == LEFT)), name
    assert not (session.time_ns[session.time_ns < held[0]] > pressed).any(), name
    assert (held > released).sum() <= 2, name  # a tick, and one that was late


def test_a_release_that_went_elsewhere_in_the_window_leaves_no_key_held(
    open_window: Callable[..., Hand], tmp_path: Path, board: XKeyboard
) -> None:
    hand = open_window()
    begin(hand)
    board.tap("P")
    wait_for_state(hand, "paused")
    board.down("Space")
    board.tap("Shift", "Tab")  # to the navigation, which does not belong to the page
    board.up("Space")
    hand.click("pauseButton")
    wait_for_state(hand, "recording")
    wait_for_ticks(hand, 30)
    session = finish(hand, tmp_path / "library")
    assert FIRE not in session.actions[-20:]


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
    assert (session.actions[start : start + 15] == RIGHT).all()


LAYOUTS = {  # what is printed where US keyboards have A and D
    "ru": ("Ф", "В"),
    "gr": ("Α", "Δ"),
    "il": ("ש", "ג"),
    "fr": ("Q", "D"),
    "de": ("A", "D"),
    "us(dvorak)": ("A", "E"),
}


def test_on_every_layout_the_same_places_play_the_caps_say_what_is_printed_and_shortcuts_work(
    open_window: Callable[..., Hand], tmp_path: Path, board: XKeyboard
) -> None:
    hand = open_window()
    hand.wait(lambda: hand.look()["state"]["keycaps"] == ["← or A", "Space or ↑", "→ or D"])
    for layout, printed in LAYOUTS.items():
        board.layout(layout)  # under a window that is open
        play_on_layout(hand, board, tmp_path / "library", layout, printed)


def play_on_layout(hand: Hand, board: XKeyboard, library: Path, layout: str, printed: tuple[str, str]) -> None:
    left, right = printed
    hand.wait(lambda: hand.look()["state"]["keycaps"] == [f"← or {left}", "Space or ↑", f"→ or {right}"])
    ctrl_r = "O" if "dvorak" in layout else "R"  # where the layout has the letter R, or what stands in for it
    board.tap("Ctrl", ctrl_r)
    wait_for_state(hand, "recording")
    for key in ("A", "D"):
        board.down(key)
        wait_for_ticks(hand, 10)
        board.up(key)
    pause = "R" if "dvorak" in layout else "P"
    board.tap(pause)
    wait_for_state(hand, "paused")
    board.tap(pause)
    wait_for_state(hand, "recording")
    session = finish(hand, library)
    assert int((session.actions == LEFT).sum()) >= 5, layout
    assert int((session.actions == RIGHT).sum()) >= 5, layout
    pressed = session.keys[session.keys["down"]]["code"]
    assert [session.key_names[code] for code in pressed] == [left, right]
    board.tap("Ctrl", "4")
    hand.wait(lambda: hand.look()["state"]["page"] == "watch")
    board.tap("Ctrl", "1")
    hand.wait(lambda: hand.look()["state"]["page"] == "record")
    assert hand.output() == ""


def test_keys_chosen_on_one_layout_play_on_another_even_where_they_are_shortcuts(
    open_window: Callable[..., Hand], tmp_path: Path, board: XKeyboard
) -> None:
    hand = open_window()
    choose_key(hand, board, "Left", ";")
    hand.close()
    board.layout("fr")  # which has an M there, that mutes the game
    hand = open_window()
    hand.wait(lambda: hand.look()["state"]["keycaps"][0] == "← or Q or M")
    begin(hand)
    board.down(";")
    wait_for_ticks(hand, 20)
    board.up(";")
    session = finish(hand, tmp_path / "library")
    assert int((session.actions == LEFT).sum()) >= 10
    pressed = session.keys[session.keys["down"]]["code"]
    assert [session.key_names[code] for code in pressed] == ["M"]


def test_keys_stored_by_an_earlier_version_mean_the_same_keys(
    open_window: Callable[..., Hand], tmp_path: Path, board: XKeyboard
) -> None:
    folder = tmp_path / "config" / "twinplay"
    folder.mkdir(parents=True)
    keys = [(0x41, "A", "LEFT"), (0x4B, "K", "RIGHT"), (0x20, "Space", "FIRE"), (-1, "controller button", "FIRE")]
    stored = [{"code": code, "name": name, "action": action} for code, name, action in keys]
    (folder / "keys.json").write_text(json.dumps({"version": 1, "keys": stored}))
    board.layout("fr")
    hand = open_window()
    hand.wait(lambda: hand.look()["state"]["keycaps"] == ["A", "Space", "K"])
    begin(hand)
    for key in ("Q", "A", "K"):  # which print A, Q and K here
        board.down(key)
        wait_for_ticks(hand, 15)
        board.up(key)
    board.layout("ru")  # which has none of these letters: their places on a US keyboard count
    hand.wait(lambda: hand.look()["state"]["keycaps"][0] == "A")
    board.down("A")
    wait_for_ticks(hand, 15)
    board.up("A")
    session = finish(hand, tmp_path / "library")
    codes = session.keys["code"][session.keys["down"]].tolist()
    assert codes == [0x41, 0x4B, 0x41]
    assert int((session.actions == LEFT).sum()) >= 20
    assert int((session.actions == RIGHT).sum()) >= 10


def test_a_shortcut_with_shift_is_not_taken_for_the_one_without(
    open_window: Callable[..., Hand], board: XKeyboard
) -> None:
    board.layout("il")  # where Shift makes the key Latin
    hand = open_window()
    begin(hand)
    wait_for_ticks(hand, 60)
    board.tap("Ctrl", "Shift", "R")
    hand.wait(lambda: hand.look()["state"]["ticks"] < 60)
    wait_for_state(hand, "recording")
    assert hand.output() == ""


def test_text_can_be_typed_in_any_script_beside_shortcuts(
    open_window: Callable[..., Hand], tmp_path: Path, board: XKeyboard
) -> None:
    board.layout("ru")
    SAMPLE.add(tmp_path / "library")
    hand = open_window("--page", "library")
    hand.wait(lambda: "librarySearch" in hand.look()["widgets"])
    board.tap("Ctrl", "F")
    board.tap("X")
    board.tap("P")
    hand.wait(lambda: text(hand, "librarySearch") == "чз")
    assert hand.output() == ""
