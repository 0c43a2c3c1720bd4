"""What becomes of runs on the Train page, without a window."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from recorder import Library, record
from recorder.agents.agent import KeyAgent
from recorder.agents.shared_control import PersonAtKeys, PlayingClone, SharedControl
from recorder.errors import UsageError
from tests.trainer.train_stage import Stage
from trainer import Policy, TrainConfig
from trainer.policy.header import read_header
from trainer.progress.curves import time_left
from trainer.progress.records import Progress
from trainer.runs.news import News
from trainer.runs.policy_library import summarize
from trainer.runs.runs import CHECKPOINT, Run, Runs, RunState
from trainer.runs.train_state import TrainState


def test_a_run_is_made_of_what_is_chosen_and_shown_at_once(stage: Stage) -> None:
    path = stage.choose()
    stage.presenter.choice.choose_game(path, 2, False)
    stage.presenter.choose_preset("quick")
    stage.presenter.start()
    run = stage.presenter.run_list.run
    assert run is not None
    assert run.setup is not None
    assert run.setup.preset == "quick"
    assert run.setup.sources[0].episodes == (0,)
    assert run.policy == stage.presenter.library.policies / f"{run.id}.safetensors"
    assert stage.presenter.state is TrainState.WAITING
    assert stage.presenter.headline == "Starting the training process…"
    assert len(stage.workers) == 1


def test_changed_settings_belong_to_their_environment_and_go_with_the_preset(stage: Stage) -> None:
    presenter = stage.presenter
    presenter.change("breakout", {"learning_rate": 0.5})
    assert presenter.config("breakout").learning_rate == 0.5
    assert presenter.config("hopper").learning_rate != 0.5
    with pytest.raises(UsageError, match="learning_rate is 7"):
        presenter.change("breakout", {"learning_rate": 7})
    assert presenter.config("breakout").learning_rate == 0.5
    presenter.choose_preset("best")
    assert presenter.config("breakout").learning_rate != 0.5


def test_records_become_curves_progress_and_time_left(stage: Stage) -> None:
    worker, run = stage.train()
    table = ((3, 1), (0, 2))
    worker.tell(
        run,
        Progress("train", 0.1, 10, 100, loss=1.2, accuracy=0.4, eta_s=90),
        Progress("train", 0.2, 20, 100, loss=1.0, accuracy=0.5, val_loss=1.1, val_accuracy=0.45, confusion=table),
        Progress("train", 0.5, 50, 100, score=12.0, eta_s=80),
    )
    assert stage.presenter.poll()
    assert stage.presenter.state is TrainState.TRAINING
    assert stage.presenter.run_list.curves.batch == [10, 20]
    assert stage.presenter.run_list.curves.val_loss == [1.1]
    assert stage.presenter.run_list.curves.play_score == [12.0]
    assert stage.presenter.run_list.curves.confusion == table
    assert stage.presenter.fraction == 0.5
    assert stage.presenter.headline == "Training · 1 min 20 s left"
    assert time_left(7_400) == "2 h 03 min"


def test_while_it_learns_to_see_the_page_tells_how_long_all_will_take_and_of_a_first_clone(stage: Stage) -> None:
    worker, run = stage.train()
    worker.tell(
        run,
        Progress(
            "look", 0.0, message="about 4 minutes on this computer; a first version can be watched after 30 seconds"
        ),
    )
    assert stage.presenter.poll()
    assert stage.presenter.headline == "Learning to see…"
    assert (
        stage.presenter.explanation
        == "About 4 minutes on this computer; a first version can be watched after 30 seconds."
    )
    worker.tell(run, Progress("look", 0.3, eta_s=50.0, message="a first version can be watched"))
    stage.presenter.poll()
    assert stage.presenter.explanation == "A first version can be watched."
    worker.tell(run, Progress("train", 0.1, 10, 100))
    stage.presenter.poll()
    assert stage.presenter.explanation == ""


def test_the_last_games_are_no_part_of_the_curve(stage: Stage) -> None:
    worker, run = stage.train()
    worker.tell(run, Progress("train", 0.5, 50, 100, score=12.0), Progress("play", 1.0, 100, 100, score=240.0))
    stage.presenter.poll()
    assert stage.presenter.run_list.curves.play_score == [12.0]
    assert stage.presenter.run_list.curves.score == 240.0


def test_a_finished_run_tells_its_score_and_offers_its_twin(stage: Stage) -> None:
    worker, run = stage.train()
    worker.end(run, RunState.DONE, score=112.4)
    found = stage.presenter.kept.get(run)
    assert found.policy is not None
    found.policy.write_bytes(b"policy")
    stage.presenter.poll()
    assert stage.presenter.state is TrainState.DONE
    assert stage.presenter.headline == "Your twin is ready."  # a file that says nothing of itself
    found.policy.unlink()
    assert "not in the library any more" in stage.presenter.headline
    found.policy.write_bytes(b"policy")
    assert stage.presenter.explanation.startswith("Quick gives a first impression.")
    assert stage.presenter.policy == found.policy


def test_pause_asks_the_process_and_resume_waits_for_it_again(stage: Stage) -> None:
    worker, run = stage.train()
    stage.presenter.pause()
    assert stage.presenter.state is TrainState.PAUSING
    assert worker.runs.requested(run) == "pause"
    worker.end(run, RunState.PAUSED, batches=40)
    stage.presenter.poll()
    assert stage.presenter.state is TrainState.PAUSED
    assert "40 batches" in stage.presenter.headline
    assert stage.presenter.resumable
    stage.presenter.poll()
    stage.presenter.resume()
    assert stage.presenter.state is TrainState.WAITING
    assert worker.runs.requested(run) == ""
    assert len(stage.workers) == 2


def test_stop_keeps_the_best_so_far(stage: Stage) -> None:
    worker, run = stage.train()
    stage.presenter.stop()
    assert (stage.presenter.state, worker.runs.requested(run)) == (TrainState.STOPPING, "stop")
    worker.end(run, RunState.DONE, stopped_early=True)
    stage.presenter.poll()
    assert stage.presenter.basis == ""  # nothing was saved
    policy = stage.presenter.kept.get(run).policy
    assert policy is not None
    policy.write_bytes(b"policy")
    assert "stopped early; the best version so far was kept" in stage.presenter.basis


def test_several_runs_wait_for_their_turn(stage: Stage) -> None:
    worker, run = stage.train()
    stage.presenter.start()
    assert stage.presenter.run_list.shown == run
    assert stage.presenter.messages.notice.startswith("Queued behind")
    waiting = stage.presenter.run_list.runs[0].id
    stage.presenter.run_list.show(waiting)
    assert (stage.presenter.state, stage.presenter.headline) == (TrainState.WAITING, "Queued")
    assert len(stage.workers) == 1
    stage.presenter.pause()
    assert stage.presenter.state is TrainState.PAUSED
    worker.end(run, RunState.DONE)


def test_a_twin_is_not_renamed_while_it_trains_and_a_paused_run_follows_its_new_name(stage: Stage) -> None:
    worker, run = stage.train()
    presenter = stage.presenter
    policy = presenter.run_list.run.policy
    policy.parent.mkdir(exist_ok=True)
    policy.write_bytes(b"half trained")
    presenter.edits.rename_twin(policy.stem, "Hoppity")
    presenter.edits.delete_twin(policy.stem)
    assert presenter.messages.error == f"“{policy.stem}” is in training; pause or stop that first"
    worker.end(run, RunState.PAUSED)
    presenter.poll()
    presenter.edits.rename_twin(policy.stem, "My twin (2)")
    assert presenter.messages.error == ""
    found = presenter.kept.get(run)
    assert found.policy == presenter.policy == policy.with_name("My twin (2).safetensors")
    assert found.policy.exists()
    assert found.resumable
    assert not policy.exists()
    presenter.resume()
    stage.workers[-1].begin(run)
    presenter.poll()
    presenter.edits.undo()
    assert presenter.messages.error == "“My twin (2)” is in training; pause or stop that first"
    assert presenter.edits.undone.next.endswith("to “My twin (2)”")  # it can be undone later
    stage.workers[-1].end(run, RunState.PAUSED)
    presenter.poll()
    presenter.edits.undo()
    assert (presenter.messages.error, presenter.policy) == ("", policy)


def test_the_end_of_a_run_is_told_whichever_is_shown_and_a_first_version_is_listed_at_once(stage: Stage) -> None:
    worker, run = stage.train()
    presenter = stage.presenter
    presenter.start()
    policy = presenter.kept.get(run).policy
    presenter.poll()
    assert presenter.twins == []
    policy.parent.mkdir(exist_ok=True)
    policy.write_bytes(b"a first version")
    assert presenter.poll()
    assert [twin.path for twin in presenter.twins] == [policy]
    presenter.again()  # none is shown
    assert presenter.news() == []
    worker.end(run, RunState.DONE)
    presenter.poll()
    assert presenter.news() == [News("Your twin is ready.", policy)]
    assert presenter.news() == []


def test_a_run_that_is_stopped_before_it_has_a_twin_did_not_fail(stage: Stage) -> None:
    worker, run = stage.train()
    worker.end(run, RunState.FAILED, stopped_early=True, reason="it was stopped before the first policy was saved")
    stage.presenter.poll()
    sentence = "Stopped before there was a first version to watch"
    assert (stage.presenter.headline, stage.presenter.explanation) == (sentence, "Resume starts it again.")
    assert stage.presenter.resumable
    assert stage.presenter.news() == [News(f"{sentence}. Resume starts it again.")]


def test_a_queued_run_is_deleted_and_one_that_another_window_deletes_leaves_the_list(stage: Stage) -> None:
    worker, run = stage.train()
    for _ in range(2):
        stage.presenter.start()
    first, second = (each.id for each in stage.presenter.run_list.runs[:2])
    stage.presenter.edits.delete_run(first)
    assert stage.presenter.messages.notice == "Moved the run to the trash."
    Runs(stage.presenter.library.path).trash(second)
    assert stage.presenter.poll()
    assert [each.id for each in stage.presenter.run_list.runs] == [run]
    stage.presenter.edits.delete_run(run)
    assert "is being trained; stop it first" in stage.presenter.messages.error
    worker.end(run, RunState.DONE)


def test_a_process_that_vanishes_is_told_with_its_reason_and_what_is_kept(stage: Stage) -> None:
    worker, run = stage.train()
    folder = stage.presenter.kept.path(run)
    (folder / CHECKPOINT).write_bytes(b"kept")
    found = stage.presenter.kept.get(run)
    assert found.policy is not None
    found.policy.write_bytes(b"kept")
    worker.vanish("the process ended unexpectedly (signal 9), often because memory ran out")
    stage.presenter.poll()
    stage.presenter.poll()
    assert stage.presenter.state is TrainState.INTERRUPTED
    assert stage.presenter.explanation == (
        "The process ended unexpectedly (signal 9), often because memory ran out. "
        "The best version so far was kept. Resume continues from the last checkpoint."
    )
    assert stage.presenter.resumable
    assert len(stage.workers) == 1


def test_a_process_that_cannot_begin_is_not_started_for_ever(stage: Stage) -> None:
    stage.choose()
    stage.presenter.start()
    stage.workers[0].vanish("the process ended unexpectedly (exit status 1)")
    for _ in range(5):
        stage.presenter.poll()
    assert stage.presenter.state is TrainState.FAILED
    assert "could not start: the process ended unexpectedly (exit status 1)" in stage.presenter.explanation
    assert len(stage.workers) == 1


def test_another_window_follows_a_run_in_the_background_and_offers_one_that_was_left(
    stage: Stage, library: Library
) -> None:
    worker, run = stage.train()
    worker.tell(run, Progress("train", 0.4, 40, 100, loss=1.0))
    stage.presenter.in_background = True
    stage.presenter.shutdown()
    assert worker.left
    assert worker.runs.requested(run) == ""
    later = Stage(library)
    later.presenter.poll()
    assert later.presenter.run_list.shown == run
    assert later.presenter.run_list.curves.batch == [40]
    assert later.presenter.in_charge
    assert later.workers == []
    worker.vanish()  # the computer was switched off
    third = Stage(library)
    assert third.presenter.state is TrainState.INTERRUPTED
    assert [offered.id for offered in third.presenter.run_list.offered] == [run]
    assert "ended unexpectedly" in third.presenter.explanation


def test_closing_pauses_what_is_trained_and_what_waits(stage: Stage, library: Library) -> None:
    worker, run = stage.train()
    stage.presenter.start()
    waiting = stage.presenter.run_list.runs[0].id
    stage.presenter.shutdown(timeout=0.05)
    assert worker.runs.requested(run) == "pause"
    assert worker.left  # it did not end in time, but has been asked
    assert worker.runs.get(waiting).status.state is RunState.PAUSED


def test_runs_are_compared_three_at_most_beside_the_one_that_is_shown(stage: Stage) -> None:
    stage.choose()
    made: list[Run] = []
    for _ in range(5):
        stage.presenter.start()
        made.insert(0, stage.presenter.run_list.runs[0])
    names = [run.id for run in made]
    stage.presenter.run_list.show(names[0])
    for name in names:
        stage.presenter.run_list.compare(name)
    assert stage.presenter.run_list.compared == names[2:]
    stage.workers[0].tell(names[3], Progress("train", 0.1, 7, loss=0.5))
    stage.presenter.poll()
    assert stage.presenter.run_list.curves_of(names[3]).batch == [7]
    stage.presenter.run_list.show(names[3])
    assert stage.presenter.run_list.compared == [names[2], names[4]]
    stage.presenter.run_list.compare(names[2], False)
    assert stage.presenter.run_list.compared == [names[4]]


def test_a_deleted_run_and_a_deleted_twin_can_be_brought_back(stage: Stage) -> None:
    worker, run = stage.train()
    stage.presenter.edits.delete_run(run)
    assert "stop it first" in stage.presenter.messages.error
    worker.end(run, RunState.DONE)
    policy = stage.presenter.kept.get(run).policy
    assert policy is not None
    policy.write_bytes(b"policy")
    stage.presenter.poll()
    stage.presenter.edits.delete_run(run)
    assert (stage.presenter.run_list.runs, stage.presenter.state) == ([], TrainState.CHOOSING)
    stage.presenter.edits.undo()
    assert [found.id for found in stage.presenter.run_list.runs] == [run]
    stage.presenter.edits.delete_twin(policy.stem)
    assert stage.presenter.twins == []
    stage.presenter.edits.undo()
    assert [twin.name for twin in stage.presenter.twins] == [policy.stem]
    assert stage.presenter.messages.notice == f"Undid: deleted “{policy.stem}”."
    stage.presenter.edits.rename_twin(policy.stem, "Ada")
    assert [twin.name for twin in stage.presenter.twins] == ["Ada"]
    stage.presenter.edits.undo()
    assert [twin.name for twin in stage.presenter.twins] == [policy.stem]
    assert stage.presenter.messages.notice == f"Undid: renamed “{policy.stem}” to “Ada”."
    stage.presenter.edits.rename_twin(policy.stem, "x" * 81)
    assert "is not a valid name" in stage.presenter.messages.error
    assert not stage.presenter.edits.can_undo


def test_a_library_that_cannot_be_written_is_refused_before_training(library: Library) -> None:
    (library.path / "policies").write_text("in the way")
    stage = Stage(library)
    stage.choose()
    stage.presenter.start()
    assert "cannot be written" in stage.presenter.messages.error
    assert stage.presenter.run_list.runs == []


def test_a_training_goes_on_from_a_twin_with_its_sessions_and_a_shorter_budget(
    library: Library, stage: Stage, breakout_policy: Path
) -> None:
    path = next(row.path for row in stage.presenter.choice.rows if row.env == "breakout")
    library.policies.mkdir(exist_ok=True)
    twin = library.policies / "Ada.safetensors"
    shutil.copy(breakout_policy, twin)
    (learned_from,) = summarize(twin).learned_from
    presenter = stage.presenter
    presenter.refresh()
    further = presenter.further
    assert [each.path for each in further.twins("breakout")] == [twin]
    assert further.twins("hopper") == []
    assert further.twin("breakout") is None  # begins anew
    presenter.choice.choose(path, False)
    further.choose(twin)
    chosen = further.twin("breakout")
    assert chosen is not None
    assert further.twin("hopper") is None
    assert learned_from not in {row.summary.name for row in presenter.choice.rows}
    assert further.sentence(chosen).endswith("Not here any more: 1 session that it learned from.")
    together = SharedControl(PlayingClone(Policy.load(twin)), PersonAtKeys(KeyAgent({}, name="Bo"), 5))
    corrected = record("breakout", together, library=library.path, seconds=2)
    presenter.refresh()
    further.choose(twin)
    presenter.poll()
    assert presenter.choice.paths == [corrected.path]  # what was played with it
    further.suggest([path])
    assert further.twin("breakout") is None
    presenter.choice.choose(path, False)
    presenter.choice.choose(corrected.path, False)
    further.suggest([corrected.path])  # as "Train on it" does after a correction
    assert further.twin("breakout") == chosen
    assert presenter.choice.paths == [corrected.path]
    presenter.start()
    assert presenter.messages.error == ""
    run = presenter.run_list.run
    assert run is not None
    assert run.setup is not None
    assert (run.setup.parent, run.setup.goes_on_from) == ("Ada.safetensors", "Ada")
    assert run.named == "Bo"
    parent = TrainConfig.from_json(read_header(twin)["config"])
    assert run.setup.config == parent.further()
    assert twin.exists()
    further.choose(None)
    presenter.start()
    (other,) = [each for each in presenter.run_list.runs if each.id != run.id]
    assert other.setup is not None
    assert other.setup.parent == ""
