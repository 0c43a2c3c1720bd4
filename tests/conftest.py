"""What all tests have in common."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
# The files that take longest begin first, so that no core waits for another at the end (with --no-loadscope-reorder).
LONGEST = (
    "test_all_atari_games.py",
    "ui/test_shell.py",
    "trainer/test_distributed.py",
    "player/test_cli.py",
    "trainer/test_training.py",
    "ui/test_record_keyboard.py",
    "ui/test_watch_clones.py",
    "trainer/test_study.py",
    "test_third_environment.py",
    "trainer/test_resume.py",
    "trainer/test_keypoints.py",
    "ui/test_play_on_window.py",
    "player/test_interrupted.py",
    "player/test_streams.py",
    "recorder/test_experts.py",
    "test_formats.py",
    "ui/test_library_page.py",
    "player/test_correcting.py",
    "ui/test_guard.py",
    "ui/test_library_access.py",
    "recorder/test_library_presenter.py",
    "test_hostile.py",
    "recorder/test_playing.py",
    "trainer/test_alike.py",
    "trainer/test_tiny_sessions.py",
    "recorder/test_game_players.py",
    "recorder/test_durability.py",
    "player/test_environment.py",
    "trainer/test_agreement.py",
    "ui/test_coaching_window.py",
    "ui/test_participants_window.py",
    "ui/test_take_window.py",
    "ui/test_library_window.py",
    "trainer/test_runs.py",
    "trainer/test_moved.py",
    "player/test_racing.py",
    "player/test_moved_cli.py",
    # Those that run beside trainings.
    "ui/test_train_window.py",
    "ui/test_whole_loop.py",
    "ui/test_record_window.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the files by how long they take; what is in a file keeps its order."""
    places = {ROOT / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


# Imports leave no garbage; looking for it takes a tenth of their time.
gc.disable()


def pytest_collection_finish() -> None:
    """The garbage collector need not look through what was imported again and again: a thirtieth of all the time."""
    gc.enable()
    gc.collect()
    gc.freeze()


# Beside another (pytest -n), a run of tests and what it starts keep to one core: threads that share one spin for it.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(autouse=True, scope="session")
def full_priority() -> Iterator[None]:
    """A training by command lowers the priority of its process; here that would be the tests', for good."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("player.cli.train.give_way", lambda: None)
        yield
