"""What is left when the disk is full, and when the folder goes away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from recorder import Library, Session, record, verify
from recorder.agents.experts import scripted
from recorder.recording.take_control import RecordState
from recorder.store.writer_thread import CommitTimer
from tests.recorder.victim import PROCESS_TIMEOUT_S, perform, play_for_a_moment, wait_for


def test_a_full_disk_ends_a_recording_without_a_screen_in_one_sentence_and_keeps_what_was_played(
    tmp_path: Path,
) -> None:
    process = perform("full-headless", tmp_path, stdout=subprocess.PIPE)
    output, _ = process.communicate(timeout=PROCESS_TIMEOUT_S)
    assert "could not be written: File too large" in json.loads(output)["error"]
    (summary,) = Library(tmp_path).sessions()
    assert summary.state == "interrupted"
    session = Session.open(summary.path)
    assert len(session) >= 300
    assert verify(session).ok


def test_a_full_disk_holds_the_game_until_there_is_room_and_nothing_played_is_lost(tmp_path: Path) -> None:
    process = perform("full-presenter", tmp_path, stdout=subprocess.PIPE)
    output, _ = process.communicate(timeout=PROCESS_TIMEOUT_S)
    result = json.loads(output)
    assert "cannot be written: File too large. The game is paused and nothing is lost" in result["told"]
    assert result["refused_to_go_on"]
    assert result["error"] == ""
    stopped_at, after_room, played, stored = result["ticks"]
    assert stopped_at == after_room
    assert played == stored > stopped_at
    (summary,) = Library(tmp_path).sessions()
    assert summary.state == "complete"
    certificate = verify(Session.open(summary.path))
    assert certificate.ok, certificate.difference


def test_a_folder_that_goes_away_holds_the_game_until_it_is_back(tmp_path: Path) -> None:
    library, away = tmp_path / "library", tmp_path / "unplugged"
    presenter = play_for_a_moment(library)
    library.rename(away)
    wait_for(presenter, lambda: presenter.state is RecordState.PAUSED)
    assert "cannot be written: No such file or directory. The game is paused" in presenter.take.trouble
    assert not library.exists()
    away.rename(library)
    wait_for(presenter, lambda: presenter.take.recovered)
    presenter.take.resume()
    played = presenter.status.ticks if presenter.status else 0
    wait_for(presenter, lambda: presenter.status is not None and presenter.status.ticks >= played + 60)
    presenter.stop()
    assert presenter.error == ""
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    assert len(session) >= played + 60
    assert verify(session).ok


def test_what_is_deleted_but_for_its_folder_is_not_called_kept(tmp_path: Path) -> None:
    presenter = play_for_a_moment(tmp_path / "library")
    (session,) = (tmp_path / "library").glob("*.zarr")
    for entry in session.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    wait_for(presenter, lambda: presenter.state is RecordState.PAUSED)
    presenter.stop()
    assert "its folder was deleted or moved, and what was recorded went with it" in presenter.error


def test_stopping_while_the_folder_is_away_says_so(tmp_path: Path) -> None:
    library, away = tmp_path / "library", tmp_path / "unplugged"
    presenter = play_for_a_moment(library)
    library.rename(away)
    wait_for(presenter, lambda: presenter.state is RecordState.PAUSED)
    presenter.stop()
    assert (
        "could not be written: its folder was deleted or moved, and what was recorded went with it" in presenter.error
    )
    assert presenter.state is RecordState.IDLE
    away.rename(library)
    (summary,) = Library(library).sessions()
    assert summary.state == "interrupted"
    assert summary.ticks > 0
    assert verify(Session.open(summary.path)).ok


def test_recorders_in_one_library_at_the_same_time_do_not_harm_each_other(tmp_path: Path) -> None:
    processes = [perform("brief", tmp_path) for _ in range(3)]
    assert [process.wait(PROCESS_TIMEOUT_S) for process in processes] == [0, 0, 0]
    summaries = Library(tmp_path).sessions()
    assert [(summary.state, summary.ticks) for summary in summaries] == [("complete", 600)] * 3
    assert all(verify(Session.open(summary.path)).ok for summary in summaries)


def test_a_session_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    """Another process records; whoever opens its session, again and again, never finds it damaged."""
    lengths: set[int] = set()
    deadline = time.monotonic() + PROCESS_TIMEOUT_S
    with perform("sprint", tmp_path, stdout=subprocess.DEVNULL) as recorder:
        try:
            while len(lengths) < 5:
                assert recorder.poll() is None
                assert time.monotonic() < deadline
                for summary in Library(tmp_path).sessions():
                    assert not summary.problem
                    if summary.ticks:
                        session = Session.open(summary.path)
                        lengths.add(len(session))
                        assert session.screens(len(session) - 1, len(session)).shape == (1, 210, 160)
                        assert len(session.actions) == len(session)
        finally:
            recorder.kill()


def test_no_file_that_vouches_for_something_is_replaced_before_its_successor_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut a name may point to a file whose content never arrived, unless that was synced before."""
    synced: set[int] = set()
    unsafe: list[str] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        real_fsync(descriptor)

    def replace(source: str, target: str) -> None:
        if os.path.exists(target) and os.stat(source).st_ino not in synced:
            unsafe.append(target)
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    session = record("breakout", scripted("breakout", seed=1), library=tmp_path, seconds=30)
    assert unsafe == []
    files = [file for file in (*session.path.rglob("*"), session.path, tmp_path) if file.is_file() or file.is_dir()]
    assert [str(file) for file in files if file.stat().st_ino not in synced] == []


@pytest.mark.parametrize("took_s", [0.01, 0.1, 0.3])
def test_a_commit_ends_in_time_after_the_one_before_it_began_however_slow_the_disk_is(took_s: float) -> None:
    timer = CommitTimer(0.6, now_s=0.0)
    now, began, ends = 0.0, 0.0, []
    while len(ends) < 4:
        now += 0.01
        if timer.left_s(now) <= 0:
            timer.committed(now, now + took_s)
            ends.append(now + took_s - began)
            began, now = now, now + took_s
    assert ends[0] == pytest.approx(0.6 + took_s, abs=0.02)  # it is not known yet how slow the disk is
    assert ends[1:] == pytest.approx([0.6] * 3, abs=0.02)
