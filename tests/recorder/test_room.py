"""How much play the disk has room for, and what a player is called."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from recorder import record
from recorder.agents.agent import RandomAgent, player_title
from recorder.envs.registry import get_spec
from recorder.library.disk_space import free_hours
from recorder.system.profile import MAX_NAME, clean_name


def test_hours_of_play_follow_from_the_free_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def usage(folder: Path) -> object:
        asked.append(Path(folder))
        return SimpleNamespace(free=45 * 60 * 3_600 * 7)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    assert free_hours(tmp_path / "not" / "there yet", "breakout") == pytest.approx(7.0)
    assert asked == [tmp_path]
    assert free_hours(tmp_path, "hopper") == pytest.approx(7.0 * 45 * 60 / (250 * 125))


def test_a_recording_takes_about_what_is_reckoned_with(tmp_path: Path) -> None:
    session = record("breakout", RandomAgent(get_spec("breakout"), 0), library=tmp_path, seconds=120)
    assert 0.5 < session.size_bytes / len(session) / session.spec.tick_bytes < 1.2


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("  Ada \n Lovelace ", "Ada Lovelace"), ("\x00\u202eAda\t", "Ada"), ("x" * 99, "x" * MAX_NAME), (" ", "")],
)
def test_a_name_is_one_printable_line(typed: str, stored: str) -> None:
    assert clean_name(typed) == stored


def test_only_what_is_no_person_has_a_title() -> None:
    assert player_title({"kind": "scripted", "title": "Sample"}) == "Sample"
    assert player_title({"kind": "person", "title": "Sample"}) == ""
    assert player_title({"kind": "scripted", "title": ["Sample"]}) == ""
