"""The window's settings and keys as version 0.1 left them: see tests/test_formats.py."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QMainWindow

from player.ui.memory import Memory
from recorder import get_spec
from recorder.agents.bindings import load_bindings
from tests.test_formats import WRITTEN
from trainer.presets import PRESETS


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WRITTEN / "config", tmp_path / "config"))


def test_the_windows_settings_are_still_understood(config: Path) -> None:
    QApplication.instance() or QApplication([])
    memory = Memory(config / "settings.ini")
    assert (memory.player_name, memory.theme, memory.page) == ("Ada", "dark", "watch")
    assert memory.library == Path("/srv/recordings")
    assert memory.choice("envBox") == get_spec("hopper").name
    assert memory.choice("presetChoice") in PRESETS
    assert memory.choice("speedChoice") == "0.5"
    window = QMainWindow()
    memory.restore_place(window)
    assert (window.width(), window.height()) == (1100, 760)
    window.deleteLater()


def test_keys_are_still_understood(config: Path) -> None:
    bindings = load_bindings(config / "keys.json", get_spec("breakout"))
    assert bindings is not None
    assert bindings.actions == {65: 3, 68: 2, 32: 1, -3: 1}
    assert bindings.names[-3] == "Button 1"
