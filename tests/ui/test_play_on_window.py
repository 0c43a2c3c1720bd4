"""In the real window: from a moment of a game and from a lost life one plays on oneself; the twin plays on, too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recorder import Library, RandomAgent, Session, get_spec, record, verify
from tests.player.conftest import untrained
from tests.ui.conftest import Hand


def choose(hand: Hand, entry: str) -> None:
    """Choose an entry of the menu, by its name."""
    hand.click("fromHereButton")
    hand.click(entry)
    hand.wait(lambda: "fromHereMenu" not in hand.look()["widgets"])


def test_from_a_moment_of_a_recording_the_twin_and_then_a_person_play_on(
    open_window: Callable[..., Hand], tmp_path: Path
) -> None:
    library = Library(tmp_path / "library")
    library.policies.mkdir(parents=True)
    parent = record("breakout", RandomAgent(get_spec("breakout"), 1), library=library.path, seconds=20, seed=3)
    policy = untrained("breakout", library.policies / "new.safetensors", network="nature", size=36)  # which acts fast
    hand = open_window("--session", str(parent.path), "--policy", str(policy))
    hand.wait(lambda: min(hand.look()["state"]["watch_ticks"] or [0]) > 100)
    hand.xdotool("key", "space")
    hand.wait(lambda: hand.look()["widgets"]["playButton"]["text"] == "Play")
    tick = hand.look()["state"]["watch_ticks"][0]
    choose(hand, "letTwin")  # the twin
    hand.wait(lambda: hand.look()["state"]["watch_ticks"] == [tick, tick])
    choose(hand, "playOnFromTwin")  # oneself, from the twin's game
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
    hand.hold("Right", 0.3)
    hand.xdotool("key", "Escape")
    hand.wait(lambda: "takeSummary" in hand.look()["widgets"])
    (made,) = (Session.open(each.path) for each in library.sessions() if each.path != parent.path)
    assert made.attributes["forked_from"] == [{"policy": "new", "seed": parent.episodes[0].seed, "tick": tick}]
    lead_in = made.episodes[0]
    assert made.actions[: len(lead_in)].tolist() == parent.actions[:tick].tolist()  # which the twin had taken
    assert made.player["kind"] == "person"
    assert verify(made).ok
    hand.click("watchTab")
    choose(hand, "correctFromTwin")  # it plays on, until one takes over
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
    hand.hold("Right", 0.3)
    hand.xdotool("key", "Escape")
    hand.wait(lambda: hand.look()["state"]["recording"] == "idle")
    corrected = Session.open(library.sessions()[0].path)
    assert corrected.corrections is not None
    assert corrected.corrections.takeovers == 1
    assert corrected.attributes["forked_from"][0]["policy"] == "new"
    assert verify(corrected).ok
    hand.click("watchTab")
    hand.click("scoresButton")
    hand.click("failuresButton")
    hand.click("coachHere1")
    hand.wait(lambda: "scoreDialog" not in hand.look()["widgets"])
    hand.focus()
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
    hand.hold("Right", 0.3)
    hand.xdotool("key", "Escape")
    hand.wait(lambda: hand.look()["state"]["recording"] == "idle")
    known = (parent.path, made.path, corrected.path)
    coached = [Session.open(each.path) for each in library.sessions() if each.path not in known]
    assert [each.attributes["forked_from"][0]["policy"] for each in coached] == ["new"]
    assert coached[0].player["kind"] == "person"  # alone again
    assert hand.output() == ""
