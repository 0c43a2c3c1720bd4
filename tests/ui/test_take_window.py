"""Takes in the real window that no clock decides: held, discarded, stopped, and played by an expert."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import zarr

from recorder import Library, Session, verify
from tests.ui.conftest import Hand
from tests.ui.test_record_window import text


def begin(hand: Hand) -> None:
    hand.click("recordButton")
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")


def pause_discard_and_lose_the_keyboard(hand: Hand, library: Library) -> None:
    begin(hand)
    hand.xdotool("key", "p")
    hand.wait(lambda: hand.look()["state"]["recording"] == "paused")
    hand.xdotool("key", "p")
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
    hand.click("trainTab")
    hand.click("recordTab")
    hand.wait(lambda: hand.look()["state"]["recording"] == "paused")
    hand.click("discardButton")
    hand.wait(lambda: hand.look()["state"]["recording"] == "idle")
    assert library.sessions() == []


def leave_the_page_while_a_take_is_saved(hand: Hand, library: Library) -> None:
    """It is saved, and here deleted, behind the other page."""
    begin(hand)
    hand.click("discardButton")
    hand.click("libraryTab")
    hand.wait(lambda: hand.look()["state"]["recording"] == "idle")
    assert hand.look()["state"]["page"] == "library"
    assert library.sessions() == []
    assert len(library.trashed()) == 2
    hand.click("recordTab")


def stop_by_esc(hand: Hand, library: Library) -> None:
    """The game that Esc stops ends truncated."""
    begin(hand)
    hand.hold("Right", 0.3)
    hand.xdotool("key", "Escape")
    hand.wait(lambda: "takeSummary" in hand.look()["widgets"])
    (summary,) = library.sessions()
    truncated = np.asarray(zarr.open_group(summary.path, mode="r")["truncated"])
    assert np.flatnonzero(truncated).tolist() == [len(truncated) - 1]
    assert verify(Session.open(summary.path)).ok


def let_the_expert_demonstrate(hand: Hand, library: Library) -> None:
    """It is labelled scripted."""
    (before,) = library.sessions()
    hand.click("envBox")
    hand.xdotool("key", "Down", "Return")
    hand.wait(lambda: "scripted" in text(hand, "playerLabel"))
    begin(hand)
    hand.wait(lambda: text(hand, "timeFigure") == "0:01")
    hand.click("stopButton")
    hand.wait(lambda: "takeSummary" in hand.look()["widgets"])
    (summary,) = (each for each in library.sessions() if each.path != before.path)
    assert (summary.env, summary.player["kind"]) == ("hopper", "scripted")
    assert verify(Session.open(summary.path)).ok


def test_takes_are_held_discarded_stopped_by_esc_and_played_by_the_expert(
    open_window: Callable[..., Hand], tmp_path: Path
) -> None:
    hand = open_window()
    library = Library(tmp_path / "library")
    pause_discard_and_lose_the_keyboard(hand, library)
    leave_the_page_while_a_take_is_saved(hand, library)
    stop_by_esc(hand, library)
    let_the_expert_demonstrate(hand, library)
    assert hand.output() == ""
