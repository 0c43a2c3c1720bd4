"""Libraries that moved: a run finds its sessions again, and never takes others for them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from recorder import Library, RandomAgent, Session, get_spec, record
from recorder.system.jobs import Detached
from tests.trainer.test_runs import SMALL, a_run
from tests.waiting import PATIENCE_S
from trainer import Policy, TrainConfig
from trainer.errors import RunError
from trainer.runs.runs import Runs, RunState, Status
from trainer.runs.sources import relocate
from trainer.runs.work import perform


def paused(runs: Runs, session: Session, **changes: Any) -> str:
    """A run that was paused in the midst of its training."""
    run = a_run(runs, session, max_batches=400, **changes)
    for progress in perform(runs, run):
        if progress.stage == "train" and progress.batch:
            runs.request(run, "pause")
    assert runs.get(run).status.state is RunState.PAUSED
    return run


def resumed(runs: Runs, run: str) -> Status:
    """Where a run stands after it went on; it is not to begin anew."""
    runs.enqueue(run)
    messages = [progress.message for progress in perform(runs, run)]
    status = runs.get(run).status
    assert status.state is not RunState.DONE or any("resuming after" in message for message in messages)
    return status


@pytest.fixture
def moving(hopper: Session, tmp_path: Path) -> tuple[Path, str]:
    """A library with a session of its own, and a run on it that is paused."""
    library = tmp_path / "library"
    shutil.copytree(hopper.path, library / hopper.path.name)
    return library, paused(Runs(library), Session.open(library / hopper.path.name))


@pytest.mark.parametrize("how", ["renamed", "mounted elsewhere", "behind a link", "the session renamed"])
def test_a_run_goes_on_when_its_library_has_moved(moving: tuple[Path, str], tmp_path: Path, how: str) -> None:
    library, run = moving
    moved = tmp_path / "disk" / "lib2"
    moved.parent.mkdir()
    library.rename(moved)
    if how == "behind a link":
        (tmp_path / "link").symlink_to(moved)
        moved = tmp_path / "link"
    elif how == "the session renamed":
        (session,) = moved.glob("*.zarr")
        session.rename(moved / "mine.zarr")
    elif how == "mounted elsewhere":  # and something else lies at the old place
        library.mkdir()
        record("hopper", RandomAgent(get_spec("hopper"), 9), library=library, episodes=1, seed=9).path.rename(
            library / next(moved.glob("*.zarr")).name
        )
    runs = Runs(moved)
    assert resumed(runs, run).state is RunState.DONE
    assert "has moved to" in runs.read_log(run)
    assert (moved / "policies" / f"{run}.safetensors").exists()
    assert not (library / "policies").exists()


def test_a_run_goes_on_in_a_process_of_its_own_when_its_library_has_moved(moving: tuple[Path, str]) -> None:
    library, run = moving
    moved = library.with_name("lib2")
    library.rename(moved)
    runs = Runs(moved)
    runs.enqueue(run)
    worker = Detached("trainer.runs.work:work", {"library": str(moved)}, moved / "worker.log")
    assert worker.join(PATIENCE_S)
    assert runs.get(run).status.state is RunState.DONE


def test_a_run_says_that_its_session_is_in_the_trash_and_goes_on_once_that_is_restored(
    moving: tuple[Path, str],
) -> None:
    path, run = moving
    library, runs = Library(path), Runs(path)
    thrown = library.trash(next(path.glob("*.zarr")))
    failed = resumed(runs, run)
    assert failed.state is RunState.FAILED
    assert "is in the trash of its library; restore it there" in failed.reason
    library.restore(thrown)
    assert resumed(runs, run).state is RunState.DONE


def test_a_session_that_only_has_the_name_is_never_trained_on(moving: tuple[Path, str], hopper: Session) -> None:
    library, run = moving
    (library / hopper.path.name).rename(library.parent / "away.zarr")
    other = record("hopper", RandomAgent(get_spec("hopper"), 9), library=library, episodes=1, seed=9)
    other.path.rename(library / hopper.path.name)
    assert "has changed since this run started" in resumed(Runs(library), run).reason
    moved = library.with_name("lib2")
    library.rename(moved)
    status = resumed(Runs(moved), run)
    assert status.state is RunState.FAILED
    assert f"no longer exists, and it is not in {moved}" in status.reason
    assert "--sessions DIR" in status.reason


def test_one_can_say_where_the_sessions_of_a_run_are_now(moving: tuple[Path, str], hopper: Session) -> None:
    library, run = moving
    runs, elsewhere = Runs(library), library.with_name("archive")
    elsewhere.mkdir()
    (library / hopper.path.name).rename(elsewhere / hopper.path.name)
    with pytest.raises(RunError, match=r"is not in .*library or .*nowhere"):
        relocate(runs, run, sessions=library / "nowhere")
    assert "no longer exists" in resumed(runs, run).reason
    relocate(runs, run, sessions=elsewhere)
    assert resumed(Runs(library), run).state is RunState.DONE


def test_chosen_episodes_are_those_of_a_session_that_was_renamed(hopper: Session, tmp_path: Path) -> None:
    library = tmp_path / "library"
    copy = Path(shutil.copytree(hopper.path, library / hopper.path.name))
    runs = Runs(library)
    run = runs.create([Session.open(copy)], TrainConfig.for_env("hopper", **SMALL), episodes={hopper.name: [1]})
    copy.rename(library / "mine.zarr")
    list(perform(runs, run.id))
    assert run.policy is not None
    assert [each["episodes"] for each in Policy.load(run.policy).header["sessions"]] == [[1]]
