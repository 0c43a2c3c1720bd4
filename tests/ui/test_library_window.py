"""The Library page in the real window, with a real mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recorder import RandomAgent, Session, get_spec, record
from tests.careless import IDLE, STUCK, record_careless
from tests.ui.conftest import Hand
from tests.ui.test_record_window import text


def press(hand: Hand, name: str, left: int, top: int) -> None:
    """Click at a place of a named widget, once it has come to rest."""
    x, y, _, _ = hand.place(name)
    hand.xdotool("mousemove", str(x + left), str(y + top), "click", "1")


def test_choose_exclude_a_game_trash_undo_and_go_on_to_train(open_window: Callable[..., Hand], tmp_path: Path) -> None:
    library = tmp_path / "library"
    record("hopper", RandomAgent(get_spec("hopper"), 1), library=library, episodes=1, seed=1)
    session = record("hopper", RandomAgent(get_spec("hopper"), 2), library=library, episodes=3, seed=2)
    hand = open_window()
    hand.xdotool("key", "ctrl+2")
    hand.wait(lambda: hand.look()["state"]["page"] == "library")
    hand.wait(lambda: text(hand, "libraryMessage").startswith("2 sessions, "))
    hand.wait(lambda: text(hand, "sessionFactsLabel") == session.name)  # the newest is shown
    press(hand, "gamesTable", 14, 38 + 28 + 14)
    hand.wait(lambda: [e.excluded for e in Session.open(session.path).episodes] == [False, True, False])
    press(hand, "gamesTable", 100, 38 + 14)
    hand.xdotool("key", "g")
    hand.wait(lambda: Session.open(session.path).episodes[0].label == "success")

    press(hand, "libraryTable", 130, 60)
    hand.xdotool("key", "Delete")
    hand.wait(lambda: not session.path.exists())
    hand.wait(lambda: "Moved 1 session to the trash" in text(hand, "libraryMessage"))
    hand.xdotool("key", "ctrl+z")
    hand.wait(session.path.exists)
    hand.wait(lambda: "Undid: deleted 1 session" in text(hand, "libraryMessage"))

    press(hand, "libraryTable", 130, 60)
    hand.wait(lambda: text(hand, "sessionFactsLabel") == session.name)
    hand.click("libraryTrainButton")
    hand.wait(lambda: hand.look()["state"]["page"] == "train")
    hand.wait(lambda: "1 session" in text(hand, "selectionSummary"))
    hand.xdotool("key", "ctrl+2")
    hand.click("libraryWatchButton")
    hand.wait(lambda: hand.look()["state"]["page"] == "watch")
    assert hand.output() == ""


def test_go_to_what_is_worth_a_look_leave_it_out_and_take_that_back(
    open_window: Callable[..., Hand], tmp_path: Path
) -> None:
    session = record_careless(tmp_path / "library")
    hand = open_window()
    hand.xdotool("key", "ctrl+2")
    hand.wait(lambda: text(hand, "sessionFactsLabel") == session.name)
    hand.wait(lambda: hand.look()["widgets"].get("findingsList", {}).get("visible", True))
    press(hand, "findingsList", 60, 12)
    hand.wait(lambda: text(hand, "previewClock").startswith("0:16 of "))
    hand.xdotool("key", "Down")
    hand.wait(lambda: text(hand, "previewClock").startswith(f"0:{STUCK.start // 60} of "))
    hand.xdotool("key", "x")
    hand.wait(lambda: Session.open(session.path).excluded_spans == (STUCK,))
    hand.xdotool("key", "ctrl+z")
    hand.wait(lambda: Session.open(session.path).excluded_spans == ())
    press(hand, "findingsList", 60, 12)
    hand.wait(lambda: text(hand, "previewClock").startswith("0:16 of "))
    hand.click("leaveOutButton")
    hand.wait(lambda: any(IDLE.stop - 1 in span for span in Session.open(session.path).excluded_spans))

    def first_of_the_list() -> str:
        press(hand, "findingsList", 60, 12)
        return text(hand, "previewClock")

    hand.wait(lambda: first_of_the_list().startswith(f"0:{STUCK.start // 60} of "))  # what was left out has gone
    hand.xdotool("key", "Down")
    hand.wait(lambda: text(hand, "previewClock").startswith("1:23 of "))
    hand.xdotool("key", "Down")
    hand.wait(lambda: "game 2" in text(hand, "previewClock"))
    hand.xdotool("key", "Delete")
    hand.wait(lambda: Session.open(session.path).recorded_games[1].excluded)
    assert session.path.exists()
    assert hand.output() == ""
