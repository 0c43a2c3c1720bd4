"""A row of participants at the Record page of the real window: the question for a name, and takes that end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recorder import Library
from tests.ui.conftest import Hand
from tests.ui.test_record_window import text


def shown(hand: Hand, name: str) -> bool:
    return name in hand.look()["widgets"]


def wait_for_state(hand: Hand, state: str) -> None:
    hand.wait(lambda: hand.look()["state"]["recording"] == state)


def players(library: Path) -> list[str]:
    """Who played, the latest first."""
    return [row.player["name"] for row in Library(library).sessions()]


def test_space_plays_at_once_without_an_answer_and_the_question_does_not_come_again(
    open_window: Callable[..., Hand], tmp_path: Path
) -> None:
    hand = open_window()
    assert shown(hand, "nameField")
    hand.xdotool("key", "space")
    wait_for_state(hand, "recording")
    hand.wait(lambda: not shown(hand, "nameField"))
    hand.hold("Right", 0.3)
    hand.xdotool("key", "Escape")
    hand.wait(lambda: shown(hand, "takeSummary"))
    assert text(hand, "playerLabel") == "Player: you"
    hand.close()
    hand = open_window()
    assert text(hand, "playerLabel") == "Player: you"
    assert players(tmp_path / "library") == [""]
    assert hand.output() == ""


def test_participants_play_takes_of_a_fixed_length_one_after_another(
    open_window: Callable[..., Hand], tmp_path: Path
) -> None:
    hand = open_window()
    hand.click("nameField")
    hand.xdotool("type", "gamP 1")  # letters that play, mark and pause, and a space that would begin
    hand.xdotool("key", "Return")
    hand.wait(lambda: text(hand, "playerLabel") == "Player: gamP 1")
    assert hand.look()["state"]["recording"] == "idle"
    hand.click("limitKind")
    hand.xdotool("key", "Down", "Return")
    hand.wait(lambda: text(hand, "limitNumber") == "5")
    hand.click("limitNumber")
    hand.xdotool("key", "ctrl+a")
    hand.xdotool("type", "0.02")
    hand.xdotool("key", "Return")
    hand.xdotool("key", "space")  # the game has the keyboard again
    hand.wait(lambda: shown(hand, "takeSummary"))
    assert hand.look()["state"]["recording"] == "idle"

    hand.click("nextParticipantButton")
    hand.wait(lambda: text(hand, "nameField") == "gamP 2")
    hand.wait(lambda: not shown(hand, "takeSummary"))
    assert text(hand, "takePlayer") == "gamP 1"
    hand.click("recordButton")  # which takes the suggestion
    hand.wait(lambda: shown(hand, "takeSummary"))
    assert text(hand, "playerLabel") == "Player: gamP 2"

    hand.click("changeNameButton")
    hand.wait(lambda: text(hand, "nameField") == "gamP 2")
    hand.xdotool("type", "Bo")  # in place of the old one
    hand.xdotool("key", "Escape")
    hand.wait(lambda: text(hand, "playerLabel") == "Player: gamP 2")
    hand.close()
    assert players(tmp_path / "library") == ["gamP 2", "gamP 1"]
    assert [row.ticks for row in Library(tmp_path / "library").sessions()] == [72, 72]
    hand = open_window()  # all of it is remembered
    assert text(hand, "playerLabel") == "Player: gamP 2"
    assert text(hand, "limitNumber") == "0.02"
    assert hand.output() == ""
