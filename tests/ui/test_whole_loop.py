"""The whole loop in the real window, with real keys: play, train, watch."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recorder import Library, Session, verify
from tests.ui.conftest import Hand

LEFT = 3


def runs(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The [start, stop) of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def test_play_by_hand_train_on_the_take_and_watch_the_twin(open_window: Callable[..., Hand], tmp_path: Path) -> None:
    hand = open_window("--training-batches", "6")
    hand.wait(lambda: "gameView" in hand.look()["widgets"])
    hand.xdotool("key", "space")
    hand.wait(lambda: hand.look()["state"]["recording"] == "countdown")
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
    hand.hold("space", 0.1)
    for _ in range(3):
        hand.hold("Left", 0.5)
        time.sleep(0.4)
    hand.hold("Right", 0.9)  # long enough for X11 to repeat the key
    time.sleep(0.4)
    hand.click("stopButton")
    hand.wait(lambda: "takeSummary" in hand.look()["widgets"])

    (summary,) = Library(tmp_path / "library").sessions()
    session = Session.open(summary.path)
    assert (summary.state, session.player["kind"]) == ("complete", "person")
    held_keys_and_actions_agree(session)
    certificate = verify(session)
    assert certificate.ok, certificate.difference

    hand.click("trainTakeButton")
    hand.click("trainButton")
    hand.wait(lambda: {"watchButton", "anotherButton"} <= set(hand.look()["widgets"]))  # it is over
    assert len(list((tmp_path / "library" / "policies").glob("*.safetensors"))) == 1
    hand.click("watchButton")
    hand.wait(lambda: hand.look()["state"]["page"] == "watch")
    hand.wait(lambda: min(hand.look()["state"]["watch_ticks"] or [0]) >= 20)
    before = hand.look()["state"]["watch_ticks"]
    hand.wait(lambda: all(now > then for now, then in zip(hand.look()["state"]["watch_ticks"], before, strict=True)))
    assert hand.output() == ""


def held_keys_and_actions_agree(session: Session) -> None:
    """Each LEFT run begins and ends within a tick of its key's stored times; repeats of a held key leave no trace."""
    codes = {name: code for code, name in session.key_names.items()}
    keys = session.keys
    times = session.time_ns
    for name, action, count in (("Left", LEFT, 3), ("Right", 2, 1)):
        mine = keys[keys["code"] == codes[name]]
        assert mine["down"].tolist() == [True, False] * count
        stretches = runs(session.actions == action)
        assert len(stretches) == count
        for (start, stop), (down, up) in zip(stretches, mine["time_ns"].reshape(-1, 2), strict=True):
            # the first tick at or after a transition is the one that can show it
            assert abs(start - int(np.searchsorted(times, down))) <= 1
            assert abs(stop - int(np.searchsorted(times, up))) <= 1
        if name == "Left":
            assert all(25 <= stop - start <= 40 for start, stop in stretches)
