"""The Record page in the real window: keys of one's own, and a library that goes away in the middle of a game."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from player.cli import main
from recorder import Library, Session, verify
from tests.ui.conftest import ROOT, Hand

LEFT = 3
SAMPLE_TWIN = ROOT / "assets" / "sample" / "breakout.safetensors"


def text(hand: Hand, name: str) -> str:
    return str(hand.look()["widgets"].get(name, {}).get("text", ""))


def test_keys_can_be_chosen_conflicts_are_told_and_the_choice_is_kept(
    open_window: Callable[..., Hand], tmp_path: Path
) -> None:
    hand = open_window()
    hand.click("keysButton")
    hand.click("addFireKey")
    hand.xdotool("key", "a")
    hand.wait(lambda: text(hand, "keysStatus") == "A is used for LEFT. Press it again to move it to FIRE.")
    hand.xdotool("key", "p")
    hand.wait(lambda: text(hand, "keysStatus").startswith("P is taken: pause or resume. Press another key for FIRE"))
    hand.xdotool("key", "Escape")
    hand.click("addLeftKey")
    hand.xdotool("key", "j")
    hand.wait(lambda: text(hand, "addLeftKey") == "Add key")
    hand.click("acceptKeysButton")
    hand.wait(lambda: "keysDialog" not in hand.look()["widgets"])
    hand.close()

    hand = open_window()  # as on another day
    hand.click("recordButton")
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
    hand.hold("j", 0.3)
    hand.hold("a", 0.3)
    hand.click("stopButton")
    hand.wait(lambda: "takeSummary" in hand.look()["widgets"])
    (summary,) = Library(tmp_path / "library").sessions()
    session = Session.open(summary.path)
    assert [session.key_names[code] for code in session.keys["code"][session.keys["down"]]] == ["J", "A"]
    assert int((session.actions == LEFT).sum()) > 20
    assert hand.output() == ""


def test_a_library_that_goes_away_holds_the_game_and_is_told_once(
    open_window: Callable[..., Hand], tmp_path: Path
) -> None:
    library, away = tmp_path / "library", tmp_path / "unplugged"
    hand = open_window()
    hand.click("recordButton")
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
    time.sleep(1)
    library.rename(away)
    hand.wait(lambda: hand.look()["state"]["recording"] == "paused")
    hand.wait(lambda: text(hand, "noticeText").startswith(f"Library folder not found: {library}."))
    assert "recordBanner" not in hand.look()["widgets"]
    assert not hand.look()["widgets"]["pauseButton"]["enabled"]
    away.rename(library)
    hand.wait(lambda: "notice" not in hand.look()["widgets"])
    hand.wait(lambda: hand.look()["widgets"]["pauseButton"]["enabled"])
    hand.click("pauseButton")
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
    time.sleep(1)
    hand.click("stopButton")
    hand.wait(lambda: "takeSummary" in hand.look()["widgets"])
    (summary,) = Library(library).sessions()
    assert summary.state == "complete"
    assert summary.ticks > 90
    assert verify(Session.open(summary.path)).ok
    assert hand.output() == ""


def test_a_take_says_how_soon_its_keys_showed(
    open_window: Callable[..., Hand], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library, keys = tmp_path / "library", ("Left", "Right", "space", "Left", "Right", "Left")
    (library / "policies").mkdir(parents=True)
    shutil.copy(SAMPLE_TWIN, library / "policies" / "twin.safetensors")  # so that there is somebody to play with
    hand = open_window("--name", "Ada")
    hand.wait(lambda: "partnerBox" in hand.look()["widgets"])
    buttons = {name: hand.place(name) for name in ("envBox", "recordButton")}
    hand.click("recordButton")
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
    for key in keys:
        hand.hold(key, 0.1)
    hand.xdotool("key", "p")
    hand.wait(lambda: hand.look()["state"]["recording"] == "paused")
    hand.hold("Left", 0.1)  # waits for the player
    hand.xdotool("key", "p")
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
    hand.click("stopButton")
    hand.wait(lambda: "takeSummary" in hand.look()["widgets"])
    card, takes, window = hand.place("takeCard"), hand.place("takesList"), hand.look()["window"]
    assert card[1] + card[3] <= takes[1] + takes[3] <= window[1] + window[3]
    assert {name: hand.place(name) for name in buttons} == buttons  # nothing has moved to make room for it
    (summary,) = Library(library).sessions()
    session = Session.open(summary.path)
    latency = session.latency
    assert latency is not None
    assert latency.presses == len(keys) == session.keys["down"].sum() - 1
    assert 0 < latency.tick_p50_ms < latency.picture_p50_ms <= latency.picture_p99_ms
    assert latency.tick_p50_ms <= latency.tick_p99_ms < latency.picture_p99_ms
    pressed = session.keys["time_ns"][session.keys["down"]][: len(keys)]
    waited = session.time_ns[np.searchsorted(session.time_ns, pressed)] - pressed
    assert latency.tick_p50_ms == pytest.approx(np.median(waited) / 1e6)
    assert text(hand, "takeSummary").endswith(f", key to picture {latency.picture_p50_ms:.1f} ms")
    hand.xdotool("key", "ctrl+2")
    hand.wait(lambda: text(hand, "timingLabel").splitlines()[-1:] == [f"Key to picture: {latency}"])
    assert hand.output() == ""
    assert main(["diagnostics", "--library", str(library)]) == 0
    assert f"{latency}, in the latest take" in capsys.readouterr().out
    assert main(["sessions", "--library", str(library), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["latency"] == latency.to_json()
    assert main(["show", str(summary.path)]) == 0
    assert f"key to picture: {latency}" in capsys.readouterr().out
