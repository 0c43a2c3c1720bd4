"""What is around the pages, in the real window: its memory, who plays, the library's folder, the sample, help."""

from __future__ import annotations

import configparser
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from player.support.sample import SAMPLE
from recorder import Library, Session, verify
from tests.ui.conftest import ROOT, Hand
from tests.waiting import PATIENCE_S


def text(hand: Hand, name: str) -> str:
    return str(hand.look()["widgets"].get(name, {}).get("text", ""))


def pick(hand: Hand, action: str) -> None:
    """Choose an entry of the menu with the mouse."""
    hand.click("menuButton")
    hand.click(action)
    hand.wait(lambda: "appMenu" not in hand.look()["widgets"])


def play(hand: Hand) -> None:
    """A take of a second."""
    hand.click("recordButton")
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
    hand.hold("Left", 1.0)
    hand.click("stopButton")
    hand.wait(lambda: "takeSummary" in hand.look()["widgets"])


@pytest.fixture
def open_default(screen: str, tmp_path: Path) -> Iterator[Callable[[], Hand]]:
    """Opens the app without naming a library."""
    hands: list[Hand] = []

    def open_it() -> Hand:
        hands.append(Hand(screen, tmp_path))
        hands[-1].arrive()
        return hands[-1]

    yield open_it
    for hand in hands:
        hand.close()


def test_page_size_choices_theme_and_what_was_watched_are_as_they_were_left(
    open_window: Callable[..., Hand], tmp_path: Path
) -> None:
    hand = open_window()
    hand.click("envBox")
    hand.xdotool("key", "Down", "Return")
    hand.wait(lambda: "Hopper" in text(hand, "envBox"))
    hand.click("trainTab")
    hand.click("trainSampleButton")
    hand.wait(lambda: text(hand, "presetChoice") == "Quick")
    hand.click("presetChoice")
    hand.xdotool("key", "Down", "Return")
    hand.wait(lambda: text(hand, "presetChoice") == "Standard")
    hand.click("menuButton")
    hand.click("themeAction")
    hand.click("darkThemeAction")
    hand.wait(lambda: "appMenu" not in hand.look()["widgets"])
    hand.click("watchTab")
    hand.wait(lambda: hand.look()["state"]["watch_ticks"] == [0, 0])
    hand.xdotool("windowsize", "--sync", hand.window, "1100", "760")
    hand.wait(lambda: hand.look()["window"][2:] == [1100, 760])
    hand.close()

    hand = open_window()
    hand.wait(lambda: hand.look()["state"].get("page") == "watch")
    assert hand.look()["window"][2:] == [1100, 760]
    assert hand.look()["state"]["theme"] == "dark"
    hand.wait(lambda: hand.look()["state"]["watch_ticks"] == [0, 0])
    assert text(hand, "policyChoice") == "Twin · sample-breakout"
    hand.click("trainTab")
    hand.wait(lambda: text(hand, "presetChoice") == "Standard")
    hand.click("recordTab")
    hand.wait(lambda: "Hopper" in text(hand, "envBox") and "scripted" in text(hand, "playerLabel"))
    assert hand.output() == ""


def test_the_players_name_is_shown_stored_with_each_session_and_remembered(
    open_window: Callable[..., Hand], tmp_path: Path
) -> None:
    hand = open_window()
    pick(hand, "playerAction")
    hand.wait(lambda: "playerName" in hand.look()["widgets"])
    hand.xdotool("type", "Ada")
    hand.click("playerDone")
    hand.wait(lambda: text(hand, "playerLabel").startswith("Player: Ada"))
    play(hand)
    hand.close()
    hand = open_window()
    hand.wait(lambda: text(hand, "playerLabel").startswith("Player: Ada"))
    play(hand)
    found = Library(tmp_path / "library").sessions()
    assert [(each.player["kind"], each.player["name"]) for each in found] == [("person", "Ada")] * 2
    assert hand.output() == ""


def test_another_library_is_opened_from_the_menu_but_not_under_a_take(
    open_default: Callable[[], Hand], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    hand = open_default()
    hand.click("recordButton")
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
    pick(hand, "changeLibraryAction")
    hand.wait(lambda: text(hand, "noticeText").startswith("A recording is in progress. Stop it first"))
    assert hand.look()["state"]["recording"] == "paused"  # the menu took the keyboard
    hand.click("stopButton")
    hand.wait(lambda: hand.look()["state"]["recording"] == "idle")
    pick(hand, "changeLibraryAction")
    hand.wait(lambda: "libraryDialog" in hand.look()["widgets"] and not hand.look()["state"]["active"])
    hand.xdotool("type", str(other))
    hand.xdotool("key", "Return")
    hand.wait(lambda: hand.look()["state"].get("library") == str(other))
    play(hand)
    assert len(Library(other).sessions()) == 1
    hand.close()

    gone = tmp_path / "gone"
    other.rename(gone)
    hand = open_default()
    hand.wait(lambda: text(hand, "noticeText").startswith(f"Library folder not found: {other}. "))
    assert hand.look()["state"]["library"] == str(tmp_path / "data" / "twinplay" / "library")
    hand.close()
    gone.rename(other)
    hand = open_default()  # the wish was kept
    hand.wait(lambda: hand.look()["state"].get("library") == str(other))
    assert "noticeText" not in hand.look()["widgets"]
    assert hand.output() == ""


def test_the_sample_can_be_watched_before_the_first_take_with_a_tour_that_is_closed_for_good(
    open_window: Callable[..., Hand], tmp_path: Path
) -> None:
    hand = open_window()
    hand.click("recordSampleButton")
    hand.wait(lambda: min(hand.look()["state"]["watch_ticks"] or [0]) >= 20)
    assert "played by a script" in text(hand, "noticeText")
    hand.wait(lambda: text(hand, "tourText").startswith("Left: the scripted player. Right: the twin"))
    hand.click("tourNext")
    hand.wait(lambda: text(hand, "tourText").startswith("Space: play and pause."))
    hand.xdotool("key", "space")
    hand.wait(lambda: text(hand, "playButton") == "Play")  # and the hint has not taken the key
    assert text(hand, "tourText").startswith("Space: play and pause.")
    hand.click("tourClose")
    hand.wait(lambda: "tour" not in hand.look()["widgets"])
    hand.xdotool("key", "space")
    hand.wait(lambda: text(hand, "playButton") == "Pause")
    pick(hand, "tourAction")
    hand.wait(lambda: "tour" in hand.look()["widgets"])
    pick(hand, "sampleAction")
    hand.wait(lambda: "played by a script" in text(hand, "noticeText"))
    (summary,) = Library(tmp_path / "library").sessions()
    assert summary.path == SAMPLE.within(tmp_path / "library").session
    assert (summary.player["kind"], summary.player["title"]) == ("scripted", "Sample")
    assert verify(Session.open(summary.path)).ok
    assert hand.output() == ""
    hand.close()
    hand = open_window()
    hand.wait(lambda: hand.look()["state"]["watch_ticks"] == [0, 0])
    assert "tour" not in hand.look()["widgets"]
    hand.click("recordTab")
    hand.wait(lambda: hand.look()["state"]["page"] == "record")
    assert "recordSampleButton" not in hand.look()["widgets"]
    assert hand.output() == ""


def test_the_menu_and_the_shortcuts_are_reached_by_keyboard(open_window: Callable[..., Hand], tmp_path: Path) -> None:
    hand = open_window()
    hand.xdotool("key", "F1")
    hand.wait(lambda: {"recordShortcuts", "watchShortcuts", "windowShortcuts"} <= set(hand.look()["widgets"]))
    hand.xdotool("key", "Escape")
    hand.wait(lambda: "shortcutsDialog" not in hand.look()["widgets"])
    hand.focus()
    hand.xdotool("key", "F10")
    hand.wait(lambda: "appMenu" in hand.look()["widgets"])
    left, _, width, _ = hand.look()["widgets"]["appMenu"]["rect"]
    assert left + width <= hand.look()["window"][0] + hand.look()["window"][2]
    hand.xdotool("key", "Up", "Return")
    hand.wait(lambda: "aboutDialog" in hand.look()["widgets"])
    hand.xdotool("key", "Escape")
    hand.wait(lambda: "aboutDialog" not in hand.look()["widgets"])
    hand.focus()
    pick(hand, "diagnosticsAction")
    hand.wait(lambda: text(hand, "noticeText").startswith("The diagnostics are on the clipboard"))
    log = (tmp_path / "state" / "twinplay" / "log" / "twinplay.log").read_text()
    assert "page record" in log
    assert hand.output() == ""


def test_a_crash_is_told_at_the_next_start_and_what_was_recorded_is_kept(
    open_window: Callable[..., Hand], tmp_path: Path
) -> None:
    hand = open_window()
    hand.click("recordButton")
    hand.wait(lambda: text(hand, "timeFigure") == "0:02")
    hand.process.send_signal(signal.SIGSEGV)
    hand.process.wait(PATIENCE_S)
    hand = open_window()
    hand.wait(lambda: text(hand, "noticeText").startswith("Twinplay closed unexpectedly last time."))
    log = (tmp_path / "state" / "twinplay" / "log" / "twinplay.log").read_text()
    assert "Fatal Python error: Segmentation fault" in log
    (summary,) = Library(tmp_path / "library").sessions()
    assert summary.state == "interrupted"
    assert summary.ticks > 60
    hand.close()
    hand = open_window()  # told once
    assert "noticeText" not in hand.look()["widgets"]
    assert hand.output() == ""


def test_a_signal_while_the_window_is_being_built_closes_it_once_it_is_there(screen: str, tmp_path: Path) -> None:
    log = tmp_path / "state" / "twinplay" / "log" / "twinplay.log"
    for pause_s in (0.0, 0.1, 0.2, 0.3):
        log.unlink(missing_ok=True)
        hand = Hand(screen, tmp_path, "--library", str(tmp_path / "library"), "--page", "watch")
        deadline = time.monotonic() + PATIENCE_S
        while not (log.exists() and "library" in log.read_text()):
            assert time.monotonic() < deadline, hand.output()
            time.sleep(0.002)
        time.sleep(pause_s)
        hand.process.terminate()
        assert hand.process.wait(PATIENCE_S) == 128 + signal.SIGTERM, pause_s
        assert hand.output() == ""
        hand.close()


def test_settings_that_make_no_sense_are_passed_over(open_window: Callable[..., Hand], tmp_path: Path) -> None:
    file = tmp_path / "config" / "twinplay" / "settings.ini"
    file.parent.mkdir(parents=True)
    senseless = configparser.ConfigParser()
    senseless["window"] = {"geometry": "@ByteArray(nonsense)", "page": "../../etc", "theme": "mauve"}
    senseless["choices"] = {"envBox": "pong", "speedChoice": "-1"}
    senseless["watch"] = {"session": "/etc", "policy": "/etc/passwd"}
    with file.open("w") as out:
        senseless.write(out)
    hand = open_window()
    assert hand.look()["state"]["page"] == "record"
    hand.click("watchTab")
    hand.wait(lambda: hand.look()["state"]["page"] == "watch")
    time.sleep(0.3)
    assert hand.output() == ""


def test_without_a_font_a_sentence_on_the_terminal_names_the_package(screen: str, tmp_path: Path) -> None:
    fonts = tmp_path / "fonts.conf"
    fonts.write_text(f"<fontconfig><dir>{tmp_path}</dir><cachedir>{tmp_path / 'cache'}</cachedir></fontconfig>")
    env = {**os.environ, "FONTCONFIG_FILE": str(fonts), "DISPLAY": screen} | {
        f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("CONFIG", "STATE", "DATA")
    }
    command = [sys.executable, "-m", "player", "app", "--library", str(tmp_path / "library")]
    ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE_S)
    assert ended.returncode == 1
    assert "none is installed; install one with: sudo apt-get install fonts-dejavu-core" in ended.stderr
    assert "Traceback" not in ended.stderr
