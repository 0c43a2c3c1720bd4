"""The Library page's presenter: what it lists, shows, changes and undoes, with real sessions, threads and processes."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recorder import Library, Session, record, verify
from recorder.agents.experts import scripted
from recorder.library.presenter import LibraryPresenter, LibraryState, history
from recorder.library.preview import (
    THUMB_HEIGHT,
    THUMB_WIDTH,
    THUMBNAILS,
    PreviewWorker,
    prune_thumbnails,
    telling_tick,
)
from recorder.library.session_summary import SessionSummary
from recorder.system.jobs import JobState, Service
from tests.careless import record_careless
from tests.lending import SharedService, shared_service
from tests.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def previews() -> Iterator[SharedService]:
    with shared_service("recorder.library.preview:PreviewWorker") as service:
        yield service


@pytest.fixture
def presenter(game: Session, hops: Session, tmp_path: Path, previews: SharedService) -> Iterator[LibraryPresenter]:
    """A presenter over a library of a game of Breakout and three of Hopper."""
    for session in (game, hops):
        shutil.copytree(session.path, tmp_path / session.path.name)
    presenter = LibraryPresenter(Library(tmp_path), start_service=previews.lend)
    yield presenter
    presenter.close()


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A quarter of a minute of scripted Breakout."""
    library = tmp_path_factory.mktemp("game")
    return record("breakout", scripted("breakout", seed=3), library=library, seconds=15, seed=3)


def wait(presenter: LibraryPresenter, until: Callable[[], Any]) -> None:
    """Poll the presenter until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline, (presenter.state, presenter.error, presenter.message)
        presenter.poll()
        time.sleep(0.005)


def settle(presenter: LibraryPresenter) -> None:
    """Poll the presenter until nothing is under way."""
    presenter.poll()
    wait(presenter, lambda: not presenter.busy)


def chosen(presenter: LibraryPresenter, env: str) -> Session:
    """Let the presenter show the session of an environment."""
    presenter.refresh()
    settle(presenter)
    path = next(row.path for row in presenter.rows if row.env == env)
    presenter.select([path])
    wait(presenter, lambda: presenter.preview.details is not None and presenter.preview.moment is not None)
    return Session.open(path)


def now(session: Session) -> Session:
    return Session.open(session.path)


def test_the_library_is_listed_from_a_thread(presenter: LibraryPresenter) -> None:
    assert presenter.state is LibraryState.LOADING
    presenter.refresh()
    wait(presenter, lambda: presenter.state is LibraryState.LISTED)
    assert {row.env for row in presenter.rows} == {"breakout", "hopper"}


def test_a_folder_that_is_no_library_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    presenter = LibraryPresenter(Library(tmp_path / "file"))
    presenter.refresh()
    wait(presenter, lambda: presenter.state is LibraryState.FAILED)
    assert "is a file, not a library folder; choose a folder" in presenter.error
    presenter.close()


def test_a_folder_that_goes_away_is_told_and_found_again(presenter: LibraryPresenter) -> None:
    chosen(presenter, "hopper")
    away = presenter.library.path.with_name("unplugged")
    presenter.library.path.rename(away)
    presenter.refresh()
    wait(presenter, lambda: presenter.state is LibraryState.FAILED)
    assert "is missing; restore it" in presenter.error
    away.rename(presenter.library.path)
    presenter.refresh()
    wait(presenter, lambda: presenter.state is LibraryState.LISTED)
    assert (len(presenter.rows), presenter.error) == (2, "")


def test_a_thumbnail_asked_for_while_the_folder_was_away_is_made_once_it_is_back(presenter: LibraryPresenter) -> None:
    presenter.refresh()
    settle(presenter)
    row, away = presenter.rows[0], presenter.library.path.with_name("unplugged")
    presenter.library.path.rename(away)
    assert presenter.preview.thumbnail(row) is None
    settle(presenter)
    assert presenter.preview.thumbnail(row) is None
    presenter.refresh()
    wait(presenter, lambda: presenter.state is LibraryState.FAILED)
    away.rename(presenter.library.path)
    presenter.refresh()
    wait(presenter, lambda: presenter.state is LibraryState.LISTED)
    wait(presenter, lambda: presenter.preview.thumbnail(row) is not None)


def test_any_moment_of_both_environments_can_be_seen(presenter: LibraryPresenter) -> None:
    session = chosen(presenter, "breakout")
    presenter.preview.seek(100)
    presenter.preview.seek(250)
    presenter.preview.seek(10**9)
    wait(presenter, lambda: presenter.preview.moment is not None and presenter.preview.moment.tick == len(session) - 1)
    assert presenter.preview.moment is not None
    np.testing.assert_array_equal(presenter.preview.moment.picture, session.frames[-1])
    assert presenter.preview.details is not None
    assert dict(presenter.preview.details.shares)["LEFT"] == pytest.approx(float((session.actions == 3).mean()))
    chosen(presenter, "hopper")
    assert presenter.preview.moment is not None
    assert presenter.preview.moment.picture is not None
    assert presenter.preview.moment.picture.shape == (400, 400, 3)
    assert presenter.preview.moment.picture.std() > 10


def test_thumbnails_are_made_kept_outside_the_session_and_found_again(
    presenter: LibraryPresenter, game: Session
) -> None:
    presenter.refresh()
    settle(presenter)
    for row in presenter.rows:
        assert presenter.preview.thumbnail(row) is None
    settle(presenter)
    pictures = [presenter.preview.thumbnail(row) for row in presenter.rows]
    assert all(picture is not None and picture.shape == (THUMB_HEIGHT, THUMB_WIDTH, 3) for picture in pictures)
    files = sorted((presenter.library.path / THUMBNAILS).iterdir())
    assert len(files) == 2
    assert not list(presenter.library.path.glob("*.zarr/*.png"))
    again = PreviewWorker().thumbnail(str(presenter.rows[0].path)).picture
    np.testing.assert_array_equal(again, pictures[0])
    files[0].write_bytes(b"\x89PNG nonsense")
    previews = PreviewWorker()
    whole = [previews.thumbnail(str(row.path)).picture for row in presenter.rows]
    previews.close()
    assert all(picture is not None for picture in whole)
    shutil.rmtree(presenter.rows[0].path)
    prune_thumbnails(presenter.library.path)
    assert len(list((presenter.library.path / THUMBNAILS).iterdir())) == 1
    points = np.flatnonzero(game.rewards)
    assert telling_tick(game) == points[-1]


def test_what_is_said_of_a_session_is_stored_in_order_and_shown(presenter: LibraryPresenter) -> None:
    session = chosen(presenter, "hopper")
    presenter.edits.use_game(2, False)
    presenter.edits.label_game(1, "success")
    presenter.edits.set_words(session.path, title="Hops", tags="a, b,,", notes="all three")
    presenter.edits.exclude(range(2, 6))
    presenter.edits.exclude(range(9, 12))
    settle(presenter)
    stored = now(session)
    assert [episode.excluded for episode in stored.episodes] == [False, True, False]
    assert (stored.title, stored.tags, stored.notes) == ("Hops", ("a", "b"), "all three")
    assert stored.excluded_spans == (range(2, 6), range(9, 12))
    assert presenter.preview.details is not None
    assert presenter.preview.details.spans == stored.excluded_spans
    assert presenter.shown is not None
    assert (presenter.shown.title, presenter.shown.labels["success"]) == ("Hops", 1)
    presenter.edits.include(3)
    presenter.edits.label_game(1, "success")
    settle(presenter)
    assert now(session).excluded_spans == (range(9, 12),)
    assert now(session).episodes[0].label == ""
    assert verify(now(session)).ok


def test_spans_that_cannot_be_read_are_told_and_replaced(presenter: LibraryPresenter) -> None:
    import zarr

    session = chosen(presenter, "hopper")
    zarr.open_group(session.path, mode="r+").attrs["excluded_spans"] = [[5, 1]]
    presenter.select([])
    chosen(presenter, "hopper")
    assert presenter.preview.details is not None
    assert "its excluded spans are not an ordered list" in presenter.preview.details.warning
    presenter.edits.exclude(range(0, 4))
    settle(presenter)
    assert now(session).excluded_spans == (range(0, 4),)
    assert presenter.preview.details.warning == ""


def test_trash_undo_and_empty(presenter: LibraryPresenter) -> None:
    chosen(presenter, "hopper")
    presenter.select([row.path for row in presenter.rows])
    presenter.trash()
    settle(presenter)
    assert presenter.rows == []
    assert presenter.selected == ()
    assert presenter.message == "Moved 2 sessions to the trash. Ctrl+Z restores them."
    presenter.undo()
    settle(presenter)
    assert len(presenter.rows) == 2
    assert not presenter.can_undo
    presenter.select([presenter.rows[0].path])
    presenter.trash()
    presenter.list_trash()
    settle(presenter)
    assert presenter.trashed is not None
    assert len(presenter.trashed) == 1
    presenter.empty_trash()
    settle(presenter)
    assert (len(presenter.rows), presenter.can_undo, presenter.trashed) == (1, False, [])


def test_whatever_was_done_last_is_undone_first_and_said(presenter: LibraryPresenter) -> None:
    session = chosen(presenter, "hopper")
    presenter.edits.set_words(session.path, title="Hops", tags="a, b")
    presenter.edits.label_game(1, "success")
    presenter.edits.use_game(2, False)
    presenter.edits.exclude(range(3, 9))
    settle(presenter)
    presenter.split(2)
    settle(presenter)
    halves = presenter.selected
    presenter.merge()
    settle(presenter)
    presenter.trash()
    settle(presenter)
    told = []
    while presenter.can_undo:
        presenter.undo()
        settle(presenter)
        assert presenter.error == ""
        told.append(presenter.message)
        if told[-1] == "Undid: merged 2 sessions.":
            assert set(presenter.selected) == set(halves)
    assert told == [
        "Undid: deleted 1 session.",
        "Undid: merged 2 sessions.",
        "Undid: split a session.",
        "Undid: excluded a part.",
        "Undid: excluded game 2.",
        "Undid: labelled game 1 good.",
        "Undid: changed the title and tags.",
    ]
    after = now(session)
    assert [row.path for row in presenter.rows if row.env == "hopper"] == [session.path]
    assert (after.title, after.tags, after.excluded_spans) == (session.title, session.tags, ())
    assert {(episode.label, episode.excluded) for episode in after.episodes} == {("", False)}
    assert len(presenter.library.trashed()) == 3  # what was merged and split, for whoever undid too much


def test_what_is_restored_from_the_trash_can_be_deleted_again_and_what_is_gone_is_not_undone(
    presenter: LibraryPresenter,
) -> None:
    chosen(presenter, "hopper")
    presenter.trash()
    settle(presenter)
    (thrown,) = presenter.library.trashed()
    presenter.restore(thrown.path)
    settle(presenter)
    presenter.undo()
    settle(presenter)
    assert (presenter.message, len(presenter.rows)) == ("Undid: restored 1 session.", 1)
    assert not presenter.can_undo
    presenter.edits.set_words(presenter.rows[0].path, title=presenter.rows[0].title)
    settle(presenter)
    assert not presenter.can_undo  # nothing was changed


def test_verifying_goes_on_beside_and_ends_in_a_sentence(presenter: LibraryPresenter) -> None:
    session = chosen(presenter, "breakout")
    presenter.verify()
    assert presenter.work is not None
    presenter.merge()
    assert presenter.message == "Merging cannot start yet: verifying is in progress."
    settle(presenter)
    assert presenter.work is None
    assert f"verified, all {len(session):,} frames reproduced exactly (" in presenter.message
    assert presenter.shown is not None
    assert presenter.shown.verified


def test_what_does_not_verify_is_told_with_the_first_difference(presenter: LibraryPresenter) -> None:
    import zarr

    session = chosen(presenter, "breakout")
    zarr.open_group(session.path, mode="r+")["reward"][7] = 4.0
    presenter.verify()
    settle(presenter)
    assert "not verified: tick 7 " in presenter.message
    assert presenter.shown is not None
    assert not presenter.shown.verified


def test_merging_and_splitting_make_sessions_that_show_up(presenter: LibraryPresenter) -> None:
    session = chosen(presenter, "hopper")
    presenter.split(2)
    settle(presenter)
    assert presenter.message == "Created two new sessions. The original is unchanged."
    halves = [row for row in presenter.rows if row.env == "hopper" and row.path != session.path]
    assert sum(row.ticks for row in halves) == len(session)
    assert {row.path for row in presenter.chosen} == {row.path for row in halves}  # what came of it is selected
    assert sorted(row.title[-8:] for row in halves) == ["(1 of 2)", "(2 of 2)"]
    assert {row.made_of for row in halves} == {(session.path.stem,)}
    presenter.merge()
    settle(presenter)
    (whole,) = presenter.chosen
    assert re.fullmatch(r"Random, \w{3} \d+ \(1 of 2\) \(merged\)", whole.title)
    originals = [row for row in presenter.rows if not row.made_of]
    assert history(presenter.rows).scores == history(originals).scores
    assert [row.ticks for row in presenter.rows if row.env == "hopper"].count(len(session)) == 2
    presenter.select([row.path for row in presenter.rows])  # of two environments
    presenter.merge()
    settle(presenter)
    assert "cannot be merged" in presenter.error


def test_a_session_that_cannot_be_read_is_said_to_be_so(presenter: LibraryPresenter) -> None:
    session = chosen(presenter, "hopper")
    (session.path / "zarr.json").write_text("{")
    presenter.refresh()
    settle(presenter)
    presenter.select([])
    presenter.select([session.path])
    wait(presenter, lambda: presenter.preview.details is not None)
    assert presenter.preview.details is not None
    assert "is not a readable session" in presenter.preview.details.problem


def test_a_session_that_went_away_is_no_longer_selected(presenter: LibraryPresenter) -> None:
    session = chosen(presenter, "hopper")
    shutil.rmtree(session.path)
    presenter.refresh()
    settle(presenter)
    assert (presenter.selected, presenter.shown, presenter.preview.details) == ((), None, None)


def test_a_preview_process_that_dies_is_told_and_started_anew(hops: Session, tmp_path: Path) -> None:
    shutil.copytree(hops.path, tmp_path / hops.path.name)
    started: list[Service] = []

    def start() -> Service:
        started.append(Service("recorder.library.preview:PreviewWorker", {}))
        return started[-1]

    presenter = LibraryPresenter(Library(tmp_path), start_service=start)
    chosen(presenter, "hopper")
    started[0]._process.kill()
    started[0]._process.join()
    presenter.preview.seek(3)
    wait(presenter, lambda: presenter.error)
    assert "The preview failed: the process ended unexpectedly" in presenter.error
    presenter.preview.seek(4)
    wait(presenter, lambda: presenter.preview.moment is not None and presenter.preview.moment.tick == 4)
    assert len(started) == 2
    presenter.close()


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
    presenter = LibraryPresenter(Library(tmp_path), start_job=lambda target, arguments: Failing())
    chosen(presenter, "hopper")
    presenter.verify()
    wait(presenter, lambda: presenter.error == "out of memory")
    assert presenter.work is None
    presenter.close()


def test_history_is_in_the_order_of_play_with_a_running_mean() -> None:
    def row(created: str, *scores: float) -> SessionSummary:
        return SessionSummary(Path(created), created, "", "", {}, created, "complete", 0, 0, 60.0, scores, 0)

    found = history([row("2026-02", 3.0, 5.0), row("2026-01", 1.0)], window=2)
    assert found.scores == (1.0, 3.0, 5.0)
    assert found.means == (1.0, 2.0, 4.0)
    assert found.minutes == 2.0


def test_what_is_worth_a_look_is_found_once_and_goes_when_it_is_left_out(
    tmp_path: Path, previews: SharedService
) -> None:
    session = record_careless(tmp_path)
    presenter = LibraryPresenter(Library(tmp_path), start_service=previews.lend)
    try:
        chosen(presenter, "breakout")
        wait(presenter, lambda: presenter.preview.findings)
        found = presenter.preview.findings
        assert [each.kind for each in found] == ["idle", "stuck key", "late ticks", "no play", "near-duplicate"]
        presenter.edits.use_game(2, False)
        wait(presenter, lambda: len(presenter.preview.findings) == 4)
        presenter.edits.exclude(range(found[1].start, found[1].stop))
        wait(presenter, lambda: [each.kind for each in presenter.preview.findings][1] == "late ticks")
        presenter.undo()
        presenter.undo()
        wait(presenter, lambda: presenter.preview.findings == found)
        shutil.copytree(session.path, tmp_path / "copy.zarr")  # now there are two of them, as a file manager makes one
        presenter.refresh()
        wait(presenter, lambda: len(presenter.rows) == 2)
        settle(presenter)
        assert presenter.preview.findings == found
        presenter.select([tmp_path / "copy.zarr"])
        wait(presenter, lambda: presenter.preview.findings)
        assert presenter.preview.findings[0].text.startswith("Games 1 to 3 are also in ")
    finally:
        presenter.close()
