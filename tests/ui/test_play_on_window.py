"""In the real window: from a moment of a recording, one plays on oneself, and the twin plays on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recorder import Library, RandomAgent, Session, get_spec, record, verify
from tests.player.conftest import untrained
from tests.ui.conftest import Hand


def test_from_a_moment_of_a_recording_the_twin_and_then_a_person_play_on(
    open_window: Callable[..., Hand], tmp_path: Path
) -> None:
    library = Library(tmp_path / "library")
    library.policies.mkdir(parents=True)
    parent = record("breakout", RandomAgent(get_spec("breakout"), 1), library=library.path, seconds=4, seed=3)
    policy = untrained("breakout", library.policies / "new.safetensors")
    hand = open_window("--session", str(parent.path), "--policy", str(policy))
    hand.wait(lambda: min(hand.look()["state"]["watch_ticks"] or [0]) > 100)
    hand.xdotool("key", "space")
    hand.wait(lambda: hand.look()["widgets"]["playButton"]["text"] == "Play")
    tick = hand.look()["state"]["watch_ticks"][0]
    hand.click("fromHereButton")
    hand.xdotool("key", "Down", "Down", "Down", "Return")  # the third entry: the twin
    hand.wait(lambda: hand.look()["state"]["watch_ticks"] == [tick, tick])
    hand.click("fromHereButton")
    hand.xdotool("key", "Down", "Return")  # the first: oneself
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
    hand.hold("Right", 0.3)
    hand.xdotool("key", "Escape")
    hand.wait(lambda: "takeSummary" in hand.look()["widgets"])
    (made,) = (Session.open(each.path) for each in library.sessions() if each.path != parent.path)
    assert made.attributes["forked_from"] == [
        {"session": parent.name, "digest": parent.attributes["digest"], "game": 1, "tick": tick}
    ]
    assert made.player["kind"] == "person"
    assert verify(made).ok
    assert hand.output() == ""
