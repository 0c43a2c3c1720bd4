"""A twin that plays along in the real window: real keys take over from it, it is trained on that, and raced."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from recorder import Library, Session, verify
from recorder.agents.shared_control import Handover
from recorder.library.edits import edit
from recorder.store.races import read_race
from tests.player.conftest import untrained
from tests.ui.conftest import Hand
from tests.ui.test_record_window import text

LEFT = 3


def recording(hand: Hand) -> None:
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")


def played(hand: Hand, ticks: int) -> None:
    """So many more ticks of the take."""
    before = hand.look()["state"]["ticks"]
    hand.wait(lambda: hand.look()["state"]["ticks"] >= before + ticks)


def newest(hand: Hand, library: Library, count: int) -> Session:
    """The take that was stopped by Esc."""
    hand.xdotool("key", "Escape")
    hand.wait(lambda: hand.look()["state"]["recording"] == "idle" and len(library.sessions()) == count)
    summary, *_ = library.sessions()
    assert summary.state == "complete"
    session = Session.open(summary.path)
    assert verify(session).ok
    return session


def correct(hand: Hand, library: Library) -> None:
    hand.click("partnerBox")
    hand.xdotool("key", "Down", "Return")
    hand.wait(lambda: text(hand, "partnerBox") == "Correct Bo")
    assert not hand.look()["widgets"]["paceBox"]["enabled"]
    hand.xdotool("key", "space")  # the take begins once the twin is ready
    recording(hand)
    played(hand, 30)
    hand.hold("Left", 0.3)
    played(hand, 60)
    session = newest(hand, library, 1)
    together = session.corrections
    assert together is not None
    assert together.takeovers == 1
    (pressed,) = np.flatnonzero(together.handovers == Handover.KEY)
    down = int(session.keys["time_ns"][session.keys["down"]][-1])
    assert pressed == np.searchsorted(session.time_ns, down)  # the very next tick is the person's
    assert session.actions[pressed] == LEFT
    let_go = int(session.keys["time_ns"][~session.keys["down"]][-1])
    (back,) = np.flatnonzero(together.handovers == Handover.LET_GO)
    waited = back - np.searchsorted(session.time_ns, let_go)
    assert 28 <= waited <= 30  # half a second
    assert text(hand, "takePlayer") == "Ada and twin Bo"
    assert text(hand, "takeTogether").startswith("Corrected once, for 1 s of ")
    edit(session.path, tags=["slow"])
    hand.click("trainTakeButton")
    hand.wait(lambda: text(hand, "originBox") == "Go on from Bo")
    time.sleep(0.5)  # a click that follows another one at once opens no list
    hand.click("subsetChoice")
    hand.wait(lambda: "subsetList" in hand.look()["widgets"])
    hand.xdotool("key", "End", "Return")
    hand.wait(lambda: text(hand, "subsetChoice") == "Tagged slow")
    assert text(hand, "selectionSummary").startswith("Breakout: 1 session")
    hand.click("recordTab")


def lose_the_twin(hand: Hand, library: Library) -> None:
    hand.xdotool("key", "space")
    recording(hand)
    played(hand, 20)
    os.kill(thinking(hand), signal.SIGKILL)
    played(hand, 30)
    together = newest(hand, library, 2).corrections
    assert together is not None
    assert Handover.LOST in together.handovers
    assert together.correcting[-1]


def race(hand: Hand, library: Library) -> None:
    hand.click("partnerBox")
    hand.xdotool("key", "Down", "Return")
    hand.wait(lambda: text(hand, "partnerBox") == "Race Bo")
    hand.click("seriesBox")
    hand.xdotool("key", "Down", "Return")
    hand.wait(lambda: text(hand, "seriesBox") == "Best of 3")
    hand.xdotool("key", "space")
    recording(hand)
    while hand.look()["state"]["recording"] == "recording":  # nobody moves: five lives are soon lost
        hand.xdotool("key", "Up")  # serves
        time.sleep(0.1)
    hand.wait(lambda: "of three" in words(hand))
    result = words(hand)
    hand.xdotool("key", "space")  # the next race of the series
    recording(hand)
    played(hand, 30)
    session = newest(hand, library, 3)
    told = read_race(session.attributes)
    assert told is not None
    assert told.twin == "Bo"
    assert told.best_of == 3
    assert [game.over for game in told.games] == [True, False]
    assert result.startswith(f"{told.games[0].sentence}\nYou {told.won[0]}, your twin {told.won[1]}, of three.")
    assert text(hand, "takeTogether") == told.sentence
    you, twin = told.won
    assert text(hand, "racesSoFar") == (f"You {you} : {twin} Bo" if you or twin else "")
    hand.click("libraryTab")
    hand.click("librarySearch")
    hand.xdotool("type", "race")
    hand.wait(lambda: text(hand, "libraryMessage").startswith("1 session,"))


def words(hand: Hand) -> str:
    """What stands over the game."""
    return str(hand.look()["widgets"]["gameView"].get("description", ""))


def thinking(hand: Hand) -> int:
    """The process of the window's that has loaded torch."""
    for task in Path(f"/proc/{hand.process.pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            if "libtorch" in Path(f"/proc/{child}/maps").read_text():
                return int(child)
    raise AssertionError("no process has loaded torch")


def test_a_twin_is_corrected_lost_and_raced_with_real_keys(open_window: Callable[..., Hand], tmp_path: Path) -> None:
    policies = tmp_path / "library" / "policies"
    policies.mkdir(parents=True)
    untrained("breakout", policies / "Bo.safetensors")
    hand = open_window("--name", "Ada")
    library = Library(tmp_path / "library")
    correct(hand, library)
    lose_the_twin(hand, library)
    race(hand, library)
    assert "Traceback" not in hand.output()
    assert hand.output() == ""
