"""Files that are whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from recorder.files import replacing


def test_what_is_replaced_stays_as_it_was_until_its_successor_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text("old")

    def interrupted() -> None:
        with replacing(path) as part:
            part.write_text("half of the n")
            assert path.read_text() == "old"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [file.name for file in tmp_path.iterdir()] == ["settings.json"]
    assert path.read_text() == "old"
    with replacing(path) as part:
        part.write_text("new")
    assert [file.name for file in tmp_path.iterdir()] == ["settings.json"]
    assert path.read_text() == "new"


def test_a_name_as_long_as_names_may_be_can_be_replaced_and_a_longer_one_is_refused_at_once(tmp_path: Path) -> None:
    with replacing(tmp_path / ("ü" * 127)) as part:
        part.write_text("whole")
    assert (tmp_path / ("ü" * 127)).read_text() == "whole"
    with pytest.raises(OSError, match="File name too long"), replacing(tmp_path / ("ü" * 128)):
        pytest.fail("there was work done for a name that cannot be")
