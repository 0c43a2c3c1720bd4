"""Every Atari game can be chosen in the window, by its picture or by its name, and is then at hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from recorder import Session, get_spec, verify
from recorder.envs.registry import described_names
from recorder.recording.env_choice import EnvChoice
from recorder.recording.game_pictures import SIZE, GamePictures, draw, pictures_folder
from recorder.recording.settings import UnsavedSettings
from tests.ui.conftest import Hand


def test_a_game_is_found_by_name_played_with_its_keys_and_comes_first_from_then_on(
    open_window: Callable[..., Hand], tmp_path: Path
) -> None:
    hand = open_window()
    hand.click("gamesButton")
    hand.wait(lambda: "gamesSearch" in hand.look()["widgets"])
    hand.wait(lambda: not hand.look()["state"]["active"])  # the keyboard has gone over to the dialog
    hand.xdotool("type", "kung")
    hand.wait(lambda: "Kung-Fu Master" in hand.look()["widgets"]["gameWords"]["text"])
    hand.xdotool("type", "zzz")
    hand.wait(lambda: "No game" in hand.look()["widgets"]["gameWords"]["text"])
    assert not hand.look()["widgets"]["chooseGameButton"]["enabled"]
    hand.xdotool("key", "BackSpace", "BackSpace", "BackSpace", "Return")
    hand.wait(lambda: "gamesSearch" not in hand.look()["widgets"])
    hand.focus()
    assert hand.look()["widgets"]["envBox"]["text"] == "Kung-Fu Master"

    hand.click("recordButton")
    hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
    hand.xdotool("keydown", "Right")
    hand.hold("Shift_L", 0.3)  # no key of the game: it only passes the time
    hand.xdotool("keydown", "space")
    hand.hold("Shift_L", 0.3)
    hand.xdotool("keyup", "space", "keyup", "Right")
    hand.click("stopButton")
    hand.wait(lambda: "takeSummary" in hand.look()["widgets"])
    (path,) = (tmp_path / "library").glob("*.zarr")
    session = Session.open(path)
    spec = get_spec("kung_fu_master")
    played = {spec.action_names[action] for action in session.actions.tolist()}
    assert {"RIGHT", "RIGHTFIRE"} <= played
    assert "FIRE" not in spec.action_names
    assert verify(session).ok
    hand.close()

    hand = open_window()  # another start
    assert hand.look()["widgets"]["envBox"]["text"] == "Kung-Fu Master"


def test_what_was_played_last_comes_first_and_only_what_can_be_used_is_offered() -> None:
    settings = UnsavedSettings(recent_envs="pong,gone,hopper")
    others = [name for name in described_names() if name not in ("breakout", "hopper")]
    choice = EnvChoice(settings)
    assert [spec.name for spec in choice.specs] == ["pong", "hopper", "breakout", *others]
    assert choice.default == "breakout"
    choice.take_in("seaquest")
    choice.take_in("hopper")  # at hand already: nothing moves
    assert [spec.name for spec in choice.specs][:4] == ["seaquest", "pong", "hopper", "breakout"]
    choice.played("hopper")
    assert settings.recent_envs == "hopper,seaquest,pong,gone"
    assert choice.neighbour("hopper", -1) == "pendulum"
    names = [spec.name for spec in choice.every()]
    assert names[:5] == ["hopper", "seaquest", "pong", "breakout", "car_racing"]
    assert len(names) == len(set(names)) == 111


def test_pictures_are_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert GamePictures().picture("pong") is None
    assert [drawn.env for drawn in draw(["pong", "nothing", "freeway"])] == ["pong", "freeway"]
    pictures = GamePictures()
    picture = pictures.picture("pong")
    assert picture is not None
    assert picture.shape == (SIZE[1], SIZE[0], 3)
    assert len(list(pictures_folder().glob("*.png"))) == 2
    pictures.want(["pong", "freeway"])
    assert not pictures.drawing
