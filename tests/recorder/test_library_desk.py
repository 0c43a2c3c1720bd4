"""The Library page's desk: what it lists, shows, changes and undoes, with real sessions, threads and processes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recorder import Library, Session, record, verify
from recorder.agents.experts import scripted
from recorder.library.library import SessionSummary
from recorder.library.presenter import LibraryDesk, LibraryState, history
from recorder.library.preview import THUMB_HEIGHT, THUMB_WIDTH, THUMBNAILS, Projector, prune_thumbnails, telling_tick
from recorder.system.jobs import JobState, Service

PATIENCE_S = 60


@pytest.fixture
def desk(game: Session, hops: Session, tmp_path: Path) -> Iterator[LibraryDesk]:
    """A desk over a library of a game of Breakout and three of Hopper."""
    for session in (game, hops):
        shutil.copytree(session.path, tmp_path / session.path.name)
    desk = LibraryDesk(Library(tmp_path))
    yield desk
    desk.close()


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A quarter of a minute of scripted Breakout."""
    library = tmp_path_factory.mktemp("game")
    return record("breakout", scripted("breakout", seed=3), library=library, seconds=15, seed=3)


def wait(desk: LibraryDesk, until: Callable[[], Any]) -> None:
    """Poll the desk until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline, (desk.state, desk.error, desk.message)
        desk.poll()
        time.sleep(0.005)


def settle(desk: LibraryDesk) -> None:
    """Poll the desk until nothing is under way."""
    desk.poll()
    wait(desk, lambda: not desk.busy)


def chosen(desk: LibraryDesk, env: str) -> Session:
    """Let the desk show the session of an environment."""
    desk.refresh()
    settle(desk)
    path = next(row.path for row in desk.rows if row.env == env)
    desk.select([path])
    wait(desk, lambda: desk.details is not None and desk.moment is not None)
    return Session.open(path)


def now(session: Session) -> Session:
    return Session.open(session.path)


def test_the_library_is_listed_from_a_thread(desk: LibraryDesk) -> None:
    assert desk.state is LibraryState.LOADING
    desk.refresh()
    wait(desk, lambda: desk.state is LibraryState.LISTED)
    assert {row.env for row in desk.rows} == {"breakout", "hopper"}


def test_a_folder_that_is_no_library_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    desk = LibraryDesk(Library(tmp_path / "file"))
    desk.refresh()
    wait(desk, lambda: desk.state is LibraryState.FAILED)
    assert "is a file, not a library folder; choose a folder" in desk.error
    desk.close()


def test_a_folder_that_goes_away_is_told_and_found_again(desk: LibraryDesk) -> None:
    chosen(desk, "hopper")
    away = desk.library.path.with_name("unplugged")
    desk.library.path.rename(away)
    desk.refresh()
    wait(desk, lambda: desk.state is LibraryState.FAILED)
    assert "is not there; bring the folder back" in desk.error
    away.rename(desk.library.path)
    desk.refresh()
    wait(desk, lambda: desk.state is LibraryState.LISTED)
    assert (len(desk.rows), desk.error) == (2, "")


def test_any_moment_of_both_environments_can_be_seen(desk: LibraryDesk) -> None:
    session = chosen(desk, "breakout")
    desk.seek(100)
    desk.seek(250)
    desk.seek(10**9)
    wait(desk, lambda: desk.moment is not None and desk.moment.tick == len(session) - 1)
    assert desk.moment is not None
    np.testing.assert_array_equal(desk.moment.picture, session.frames[-1])
    assert desk.details is not None
    assert dict(desk.details.shares)["LEFT"] == pytest.approx(float((session.actions == 3).mean()))
    chosen(desk, "hopper")
    assert desk.moment is not None
    assert desk.moment.picture is not None
    assert desk.moment.picture.shape == (400, 400, 3)
    assert desk.moment.picture.std() > 10


def test_thumbnails_are_made_kept_outside_the_session_and_found_again(desk: LibraryDesk, game: Session) -> None:
    desk.refresh()
    settle(desk)
    for row in desk.rows:
        assert desk.thumbnail(row) is None
    settle(desk)
    pictures = [desk.thumbnail(row) for row in desk.rows]
    assert all(picture is not None and picture.shape == (THUMB_HEIGHT, THUMB_WIDTH, 3) for picture in pictures)
    files = sorted((desk.library.path / THUMBNAILS).iterdir())
    assert len(files) == 2
    assert not list(desk.library.path.glob("*.zarr/*.png"))
    again = Projector().thumbnail(str(desk.rows[0].path)).picture
    np.testing.assert_array_equal(again, pictures[0])
    files[0].write_bytes(b"\x89PNG nonsense")
    projector = Projector()
    whole = [projector.thumbnail(str(row.path)).picture for row in desk.rows]
    projector.close()
    assert all(picture is not None for picture in whole)
    shutil.rmtree(desk.rows[0].path)
    prune_thumbnails(desk.library.path)
    assert len(list((desk.library.path / THUMBNAILS).iterdir())) == 1
    points = np.flatnonzero(game.rewards)
    assert telling_tick(game) == points[-1]


def test_what_is_said_of_a_session_is_stored_in_order_and_shown(desk: LibraryDesk) -> None:
    session = chosen(desk, "hopper")
    desk.use_episode(1, False)
    desk.label_episode(0, "success")
    desk.set_words(session.path, title="Hops", tags="a, b,,", notes="all three")
    desk.exclude(range(2, 6))
    desk.exclude(range(9, 12))
    settle(desk)
    stored = now(session)
    assert [episode.excluded for episode in stored.episodes] == [False, True, False]
    assert (stored.title, stored.tags, stored.notes) == ("Hops", ("a", "b"), "all three")
    assert stored.excluded_spans == (range(2, 6), range(9, 12))
    assert desk.details is not None
    assert desk.details.spans == stored.excluded_spans
    assert desk.shown is not None
    assert (desk.shown.title, desk.shown.labels["success"]) == ("Hops", 1)
    desk.include(3)
    desk.label_episode(0, "success")
    settle(desk)
    assert now(session).excluded_spans == (range(9, 12),)
    assert now(session).episodes[0].label == ""
    assert verify(now(session)).ok


def test_spans_that_cannot_be_read_are_told_and_replaced(desk: LibraryDesk) -> None:
    import zarr

    session = chosen(desk, "hopper")
    zarr.open_group(session.path, mode="r+").attrs["excluded_spans"] = [[5, 1]]
    desk.select([])
    chosen(desk, "hopper")
    assert desk.details is not None
    assert "its excluded spans are no list" in desk.details.warning
    desk.exclude(range(0, 4))
    settle(desk)
    assert now(session).excluded_spans == (range(0, 4),)
    assert desk.details.warning == ""


def test_trash_undo_and_empty(desk: LibraryDesk) -> None:
    chosen(desk, "hopper")
    desk.select([row.path for row in desk.rows])
    desk.trash()
    settle(desk)
    assert desk.rows == []
    assert desk.selected == ()
    assert desk.message == "Moved 2 sessions to the trash. Ctrl+Z brings them back."
    desk.undo()
    settle(desk)
    assert len(desk.rows) == 2
    assert not desk.can_undo
    desk.select([desk.rows[0].path])
    desk.trash()
    desk.list_trash()
    settle(desk)
    assert desk.trashed is not None
    assert len(desk.trashed) == 1
    desk.empty_trash()
    settle(desk)
    assert (len(desk.rows), desk.can_undo, desk.trashed) == (1, False, [])


def test_verifying_goes_on_beside_and_ends_in_a_sentence(desk: LibraryDesk) -> None:
    session = chosen(desk, "breakout")
    desk.verify()
    assert desk.work is not None
    desk.merge()
    assert desk.message == "Merging has to wait: verifying is under way."
    settle(desk)
    assert desk.work is None
    assert f"verified, {len(session):,} ticks bit for bit in" in desk.message
    assert desk.shown is not None
    assert desk.shown.verified


def test_what_does_not_verify_is_told_with_the_first_difference(desk: LibraryDesk) -> None:
    import zarr

    session = chosen(desk, "breakout")
    zarr.open_group(session.path, mode="r+")["reward"][7] = 4.0
    desk.verify()
    settle(desk)
    assert "not verified: tick 7 " in desk.message
    assert desk.shown is not None
    assert not desk.shown.verified


def test_merging_and_splitting_make_sessions_that_show_up(desk: LibraryDesk) -> None:
    session = chosen(desk, "hopper")
    desk.split(1)
    settle(desk)
    assert desk.message == "Made two new sessions. What they were made of is untouched."
    halves = [row for row in desk.rows if row.env == "hopper" and row.path != session.path]
    assert sum(row.ticks for row in halves) == len(session)
    desk.select([row.path for row in halves])
    desk.merge()
    settle(desk)
    assert [row.ticks for row in desk.rows if row.env == "hopper"].count(len(session)) == 2
    desk.select([row.path for row in desk.rows])  # of two environments
    desk.merge()
    settle(desk)
    assert "cannot be merged" in desk.error


def test_a_session_that_cannot_be_read_is_said_to_be_so(desk: LibraryDesk) -> None:
    session = chosen(desk, "hopper")
    (session.path / "zarr.json").write_text("{")
    desk.refresh()
    settle(desk)
    desk.select([])
    desk.select([session.path])
    wait(desk, lambda: desk.details is not None)
    assert desk.details is not None
    assert "is not a readable session" in desk.details.problem


def test_a_session_that_went_away_is_no_longer_selected(desk: LibraryDesk) -> None:
    session = chosen(desk, "hopper")
    shutil.rmtree(session.path)
    desk.refresh()
    settle(desk)
    assert (desk.selected, desk.shown, desk.details) == ((), None, None)


def test_a_preview_process_that_dies_is_told_and_started_anew(hops: Session, tmp_path: Path) -> None:
    shutil.copytree(hops.path, tmp_path / hops.path.name)
    started: list[Service] = []

    def start() -> Service:
        started.append(Service("recorder.library.preview:Projector", {}))
        return started[-1]

    desk = LibraryDesk(Library(tmp_path), start_service=start)
    chosen(desk, "hopper")
    started[0]._process.kill()
    started[0]._process.join()
    desk.seek(3)
    wait(desk, lambda: desk.error)
    assert "The preview failed: the process ended unexpectedly" in desk.error
    desk.seek(4)
    wait(desk, lambda: desk.moment is not None and desk.moment.tick == 4)
    assert len(started) == 2
    desk.close()


def test_a_job_that_fails_leaves_its_reason(hops: Session, tmp_path: Path) -> None:
    class Failing:
        state = JobState.FAILED
        error = "out of memory"

        def poll(self) -> list[Any]:
            return []

        def stop(self) -> None: ...
        def kill(self) -> None: ...
        def join(self, timeout: float | None = None) -> bool:
            return True

    shutil.copytree(hops.path, tmp_path / hops.path.name)
    desk = LibraryDesk(Library(tmp_path), start_job=lambda target, arguments: Failing())
    chosen(desk, "hopper")
    desk.verify()
    wait(desk, lambda: desk.error == "out of memory")
    assert desk.work is None
    desk.close()


def test_history_is_in_the_order_of_play_with_a_running_mean() -> None:
    def row(created: str, *scores: float) -> SessionSummary:
        return SessionSummary(Path(created), created, "", "", {}, created, "complete", 0, 0, 60.0, scores, 0)

    found = history([row("2026-02", 3.0, 5.0), row("2026-01", 1.0)], window=2)
    assert found.scores == (1.0, 3.0, 5.0)
    assert found.means == (1.0, 2.0, 4.0)
    assert found.minutes == 2.0
