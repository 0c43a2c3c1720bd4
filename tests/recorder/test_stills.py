"""Pictures of what only a simulator can draw: a game before its first take, and takes that store no screens."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from recorder import RandomAgent, get_spec, record
from recorder.recording.presenter import RecordPresenter
from tests.waiting import PATIENCE_S


def poll_until_drawn(presenter: RecordPresenter, *, takes: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while presenter.status is None or sum(take.picture is not None for take in presenter.finished.today.takes) < takes:
        assert time.monotonic() < deadline, "no pictures came"
        presenter.poll()
        time.sleep(0.01)


def test_a_game_that_nobody_plays_by_hand_and_its_takes_have_pictures(tmp_path: Path) -> None:
    record("hopper", RandomAgent(get_spec("hopper"), 1), library=tmp_path, seconds=1, seed=3)
    presenter = RecordPresenter(tmp_path, controllers=None, countdown_s=0)
    try:
        presenter.choose("hopper")
        presenter.finished.today.look()
        poll_until_drawn(presenter, takes=1)
        assert presenter.status is not None
        assert presenter.status.picture is not None
        for picture in (presenter.status.picture, presenter.finished.today.takes[0].picture):
            assert picture is not None
            assert picture.dtype == np.uint8
            assert np.ptp(picture) > 50  # not one colour
    finally:
        presenter.shutdown()


@pytest.mark.parametrize("deleted", [False, True])
def test_the_last_take_of_one_game_is_not_offered_beside_another(tmp_path: Path, deleted: bool) -> None:
    presenter = RecordPresenter(tmp_path, controllers=None, countdown_s=0)
    try:
        presenter.start()
        for _ in range(200):
            presenter.poll()
            time.sleep(0.001)
        presenter.stop()
        assert presenter.finished.last_summary
        if deleted:
            presenter.discard()
        presenter.choose("hopper")
        assert presenter.finished.last_take is None
        assert presenter.finished.last_summary == ""
    finally:
        presenter.shutdown()
