from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recorder import Library, RandomAgent, get_spec, record
from recorder.jobs import JobState
from trainer.progress import Progress
from trainer.train_desk import TrainDesk, TrainState, player_label


class ScriptedJob:
    """A training process whose records the test decides."""

    def __init__(self, target: str, kwargs: dict[str, Any]) -> None:
        self.target, self.kwargs = target, kwargs
        self.state = JobState.RUNNING
        self.error: str | None = None
        self.records: list[Progress] = []
        self.stopped = self.killed = False

    def poll(self) -> list[Progress]:
        records, self.records = self.records, []
        return records

    def stop(self) -> None:
        self.stopped = True

    def kill(self) -> None:
        self.killed, self.state = True, JobState.STOPPED

    def join(self, timeout: float | None = None) -> bool:
        return True

    def end(self, state: JobState, error: str | None = None, *, keep: bool = True) -> None:
        if keep:
            Path(self.kwargs["out"]).write_bytes(b"policy")
        self.state, self.error = state, error


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("train")
    record("breakout", RandomAgent(get_spec("breakout"), 1), library=path, seconds=4, seed=3)
    record("hopper", RandomAgent(get_spec("hopper"), 1), library=path, episodes=1, seed=3)
    return path


@pytest.fixture
def desk(recorded: Path) -> Iterator[TrainDesk]:
    desk = TrainDesk(Library(recorded), start_job=ScriptedJob)
    desk.refresh()
    yield desk
    for file in desk.library.policies.glob("*"):
        file.unlink()


def started(desk: TrainDesk) -> ScriptedJob:
    jobs: list[ScriptedJob] = []

    def start(target: str, kwargs: dict[str, Any]) -> ScriptedJob:
        jobs.append(ScriptedJob(target, kwargs))
        return jobs[-1]

    desk._start_job = start
    desk.choose(path_of(desk, "breakout"))
    desk.start()
    return jobs[0]


def path_of(desk: TrainDesk, env: str) -> Path:
    return next(row.path for row in desk.rows if row.env == env)


def test_the_list_says_plainly_who_played(desk: TrainDesk) -> None:
    assert {row.player for row in desk.rows} == {"Random"}
    assert not any(row.is_person for row in desk.rows)
    assert player_label({"kind": "person", "name": "Ada"}) == "Ada (person)"
    assert player_label({"kind": "scripted", "name": "BreakoutPlayer"}) == "Scripted"


def test_nothing_chosen_cannot_be_trained_on(desk: TrainDesk) -> None:
    assert not desk.can_train
    assert desk.selection.problem == "Tick the sessions to learn from."


def test_mixed_environments_are_refused_by_name(desk: TrainDesk) -> None:
    for row in desk.rows:
        desk.choose(row.path)
    assert "Breakout and Hopper are mixed" in desk.selection.problem
    assert not desk.can_train


def test_a_short_selection_is_summarised_and_warned_about(desk: TrainDesk) -> None:
    desk.choose(path_of(desk, "breakout"))
    assert desk.selection.text == "1 session · 1 episode · 0.1 minutes · 240 ticks"
    assert "little to learn from" in desk.selection.warnings[0]
    assert desk.can_train


def test_training_names_its_policy_after_time_and_environment(desk: TrainDesk) -> None:
    job = started(desk)
    assert job.target == "trainer.fitting:fit"
    assert job.kwargs["out"].parent == desk.library.policies
    assert job.kwargs["out"].name.endswith("-breakout.safetensors")
    assert desk.state is TrainState.TRAINING


def test_records_become_curves_progress_and_time_left(desk: TrainDesk) -> None:
    job = started(desk)
    job.records = [
        Progress("train", 0.1, 10, 100, loss=1.2, accuracy=0.4, eta_s=90),
        Progress("train", 0.2, 20, 100, loss=1.0, accuracy=0.5, val_loss=1.1, val_accuracy=0.45, eta_s=80),
    ]
    assert desk.poll()
    assert desk.curves.batch == [10, 20]
    assert desk.curves.val_loss == [1.1]
    assert desk.fraction == 0.2
    assert desk.headline == "Training · 1 min 20 s left"


def test_scores_of_games_played_while_it_trains_make_a_curve(desk: TrainDesk) -> None:
    job = started(desk)
    job.records = [
        Progress("train", 0.5, 50, 100, score=12.0),
        Progress("train", 0.6, 60, 100),
        Progress("train", 0.9, 90, 100, score=30.0),
        Progress("play", 1.0, 100, 100, score=240.0),
    ]
    desk.poll()
    assert desk.curves.play_batch == [50, 90]
    assert desk.curves.play_score == [12.0, 30.0]
    assert desk.score == 240.0


def test_a_finished_training_tells_its_score_in_play(desk: TrainDesk) -> None:
    job = started(desk)
    job.records = [Progress("done", 1.0, 100, 100, score=112.4, message="kept batch 80")]
    job.end(JobState.DONE)
    desk.poll()
    assert desk.state is TrainState.DONE
    assert "112" in desk.headline
    assert desk.messages == ["kept batch 80"]
    assert desk.policy is not None
    assert desk.policy.exists()


def test_stop_asks_the_process_and_keeps_the_best_so_far(desk: TrainDesk) -> None:
    job = started(desk)
    desk.stop()
    assert job.stopped
    assert desk.state is TrainState.STOPPING
    job.end(JobState.STOPPED)
    desk.poll()
    assert desk.state is TrainState.DONE
    assert "stopped early; the best so far was kept" in desk.headline


def test_stopping_before_anything_was_kept_says_so(desk: TrainDesk) -> None:
    job = started(desk)
    desk.stop()
    job.end(JobState.STOPPED, keep=False)
    desk.poll()
    assert desk.state is TrainState.FAILED
    assert "before there was a clone" in desk.error


def test_a_crash_is_reported_with_its_reason_and_what_was_kept(desk: TrainDesk) -> None:
    job = started(desk)
    job.end(JobState.FAILED, "the process ended unexpectedly (signal 9)")
    desk.poll()
    assert desk.state is TrainState.FAILED
    assert "signal 9" in desk.error
    assert "was kept" in desk.error
    assert desk.can_train


def test_shutdown_stops_training_and_ends_a_process_that_does_not_answer(desk: TrainDesk) -> None:
    job = started(desk)
    desk.shutdown(timeout=0.05)
    assert job.stopped
    assert job.killed
    assert not desk.training


def test_a_library_that_cannot_be_written_is_refused_before_training(recorded: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "policies").write_text("in the way")
    for session in recorded.glob("*.zarr"):
        (library / session.name).symlink_to(session)
    desk = TrainDesk(Library(library), start_job=ScriptedJob)
    desk.refresh()
    desk.choose(path_of(desk, "breakout"))
    desk.start()
    assert desk.state is TrainState.FAILED
    assert "cannot be written" in desk.error
