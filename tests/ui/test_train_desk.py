from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from recorder import Library, RandomAgent, get_spec, record
from recorder.errors import UsageError
from trainer.progress.curves import time_left
from trainer.progress.records import Progress
from trainer.runs.presenter import TrainDesk, TrainState
from trainer.runs.runs import CHECKPOINT, Run, Runs, RunState
from trainer.runs.selection import FactsReader, SessionFacts, player_label, read_facts


class Immediately(FactsReader):
    """Reads without a thread."""

    def __init__(self) -> None:
        self.found: dict[Path, SessionFacts] = {}

    @property
    def busy(self) -> bool:
        return bool(self.found)

    def want(self, path: Path) -> None:
        self.found[path] = read_facts(path)

    def forget(self) -> None: ...

    def take(self) -> dict[Path, SessionFacts]:
        found, self.found = self.found, {}
        return found

    def close(self) -> None: ...


class ScriptedWorker:
    """A training process that does what the test says."""

    def __init__(self, library: Path) -> None:
        self.runs = Runs(library)
        self.error: str | None = None
        self.left = False
        self.lock = self.runs.lock("")
        self.lock.acquire()
        self.run_lock = self.lock

    def poll(self) -> bool:
        return self.lock.is_locked

    def join(self, timeout: float | None = None) -> bool:
        return not self.poll()

    def leave(self) -> None:
        self.left = True

    def begin(self, run: str) -> None:
        self.run_lock = self.runs.lock(run)
        self.run_lock.acquire()
        self.set(run, RunState.RUNNING)

    def tell(self, run: str, *records: Progress) -> None:
        with (self.runs.path(run) / "progress.jsonl").open("a") as file:
            file.writelines(json.dumps(each.to_json()) + "\n" for each in records)

    def set(self, run: str, state: RunState, **facts: object) -> None:
        self.runs.set_status(run, replace(self.runs.get(run).status, state=state, **facts))

    def end(self, run: str, state: RunState, **facts: object) -> None:
        self.set(run, state, **facts)
        self.vanish()

    def vanish(self, error: str | None = None) -> None:
        self.error = error
        self.run_lock.release()
        self.lock.release()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("train")
    record("breakout", RandomAgent(get_spec("breakout"), 1), library=path, episodes=2, seed=3)
    record("hopper", RandomAgent(get_spec("hopper"), 1), library=path, episodes=1, seed=3)
    return path


@pytest.fixture
def library(recorded: Path, tmp_path: Path) -> Library:
    for session in recorded.glob("*.zarr"):
        (tmp_path / session.name).symlink_to(session)
    return Library(tmp_path)


class Stage:
    """A desk, and the processes that it started."""

    def __init__(self, library: Library) -> None:
        self.workers: list[ScriptedWorker] = []
        self.desk = TrainDesk(library, start=self.start, reader=Immediately())
        self.desk.refresh()

    def start(self, library: Path) -> ScriptedWorker:
        self.workers.append(ScriptedWorker(library))
        return self.workers[-1]

    def choose(self, env: str = "breakout") -> Path:
        path = next(row.path for row in self.desk.choice.rows if row.env == env)
        self.desk.choice.choose(path)
        self.desk.poll()
        return path

    def train(self) -> tuple[ScriptedWorker, str]:
        """A run that has begun."""
        self.choose()
        self.desk.start()
        assert self.desk.error == ""
        run = self.desk.shown
        self.workers[-1].begin(run)
        self.desk.poll()
        return self.workers[-1], run


@pytest.fixture
def stage(library: Library) -> Iterator[Stage]:
    stage = Stage(library)
    yield stage
    for worker in stage.workers:
        worker.vanish()


def test_the_list_says_plainly_who_played(stage: Stage) -> None:
    assert {row.player for row in stage.desk.choice.rows} == {"Random"}
    assert not any(row.is_person for row in stage.desk.choice.rows)
    assert player_label({"kind": "person", "name": "Ada"}) == "Ada (person)"
    assert player_label({"kind": "scripted", "name": "BreakoutPlayer"}) == "Scripted"


def test_the_newest_session_is_ticked_until_somebody_chooses(stage: Stage) -> None:
    choice = stage.desk.choice
    assert [row.env for row in choice.rows] == ["hopper", "breakout"]
    assert choice.chosen == {choice.rows[0].path}
    assert stage.desk.can_train
    older = stage.choose("breakout")
    assert choice.chosen == {older}  # of another environment, so the one ticked by itself makes way
    choice.choose(older, False)
    stage.desk.refresh()
    assert choice.chosen == set()


def test_nothing_chosen_cannot_be_trained_on(stage: Stage) -> None:
    stage.desk.choice.choose(stage.desk.choice.rows[0].path, False)
    assert not stage.desk.can_train
    assert stage.desk.choice.selection.problem == "Tick the sessions to learn from."


def test_mixed_environments_are_refused_by_name(stage: Stage) -> None:
    for row in stage.desk.choice.rows:
        stage.desk.choice.choose(row.path)
    assert "Breakout and Hopper are mixed" in stage.desk.choice.selection.problem
    assert not stage.desk.can_train


def test_a_selection_tells_minutes_and_the_share_of_each_action_and_is_warned_about(stage: Stage) -> None:
    path = stage.choose()
    selection, choice = stage.desk.choice.selection, stage.desk.choice
    assert selection.text.startswith("1 session · 2 games · ")
    assert [name for name, _ in selection.shares] == ["NOOP", "FIRE", "RIGHT", "LEFT"]
    assert sum(share for _, share in selection.shares) == pytest.approx(1.0)
    assert "little to learn from" in selection.warnings[0]
    facts = choice.facts[path]
    silent = tuple(replace(each, counts=(each.ticks, 0, 0, 0)) for each in facts.episodes)
    choice.know(path, SessionFacts(silent))
    warnings = " ".join(choice.selection.warnings)
    assert "no FIRE" in warnings
    assert "RIGHT and LEFT is never pressed" in warnings
    assert "same action" in warnings


def test_single_episodes_can_be_left_out_and_excluded_ones_never_count(stage: Stage) -> None:
    choice = stage.desk.choice
    path = stage.choose()
    first, second = choice.facts[path].episodes
    choice.choose_episode(path, first.index, False)
    assert choice.selection.ticks == second.ticks
    assert not choice.is_chosen(path, first.index)
    choice.choose_episode(path, second.index, False)
    assert choice.chosen == set()
    choice.choose_episode(path, first.index)
    assert choice.selection.ticks == first.ticks
    assert [choice.is_chosen(path, each.index) for each in (first, second)] == [True, False]
    choice.know(path, SessionFacts((replace(first, excluded=True), second)))
    choice.choose(path)
    assert choice.selection.ticks == second.ticks
    choice.choose_episode(path, first.index, False)
    assert choice.selection.ticks == second.ticks


def test_a_run_is_made_of_what_is_chosen_and_shown_at_once(stage: Stage) -> None:
    path = stage.choose()
    stage.desk.choice.choose_episode(path, 1, False)
    stage.desk.choose_preset("quick")
    stage.desk.start()
    run = stage.desk.run
    assert run is not None
    assert run.setup is not None
    assert run.setup.preset == "quick"
    assert run.setup.sources[0].episodes == (0,)
    assert run.policy == stage.desk.library.policies / f"{run.id}.safetensors"
    assert stage.desk.state is TrainState.WAITING
    assert stage.desk.headline == "Starting the training process…"
    assert len(stage.workers) == 1


def test_changed_settings_belong_to_their_environment_and_go_with_the_preset(stage: Stage) -> None:
    desk = stage.desk
    desk.change("breakout", {"learning_rate": 0.5})
    assert desk.config("breakout").learning_rate == 0.5
    assert desk.config("hopper").learning_rate != 0.5
    with pytest.raises(UsageError, match="learning_rate is 7"):
        desk.change("breakout", {"learning_rate": 7})
    assert desk.config("breakout").learning_rate == 0.5
    desk.choose_preset("best")
    assert desk.config("breakout").learning_rate != 0.5


def test_records_become_curves_progress_and_time_left(stage: Stage) -> None:
    worker, run = stage.train()
    table = ((3, 1), (0, 2))
    worker.tell(
        run,
        Progress("train", 0.1, 10, 100, loss=1.2, accuracy=0.4, eta_s=90),
        Progress("train", 0.2, 20, 100, loss=1.0, accuracy=0.5, val_loss=1.1, val_accuracy=0.45, confusion=table),
        Progress("train", 0.5, 50, 100, score=12.0, eta_s=80),
    )
    assert stage.desk.poll()
    assert stage.desk.state is TrainState.TRAINING
    assert stage.desk.curves.batch == [10, 20]
    assert stage.desk.curves.val_loss == [1.1]
    assert stage.desk.curves.play_score == [12.0]
    assert stage.desk.curves.confusion == table
    assert stage.desk.fraction == 0.5
    assert stage.desk.headline == "Training · 1 min 20 s left"
    assert time_left(7_400) == "2 h 03 min"


def test_while_it_learns_to_see_the_page_tells_how_long_all_will_take_and_of_a_first_clone(stage: Stage) -> None:
    worker, run = stage.train()
    worker.tell(
        run, Progress("look", 0.0, message="about 4 minutes here; a first clone can be watched after 30 seconds")
    )
    assert stage.desk.poll()
    assert stage.desk.headline == "Learning to see…"
    assert stage.desk.explanation == "About 4 minutes here; a first clone can be watched after 30 seconds."
    worker.tell(run, Progress("look", 0.3, eta_s=50.0, message="a first clone can be watched"))
    stage.desk.poll()
    assert stage.desk.explanation == "A first clone can be watched."
    worker.tell(run, Progress("train", 0.1, 10, 100))
    stage.desk.poll()
    assert stage.desk.explanation == ""


def test_the_last_games_are_no_part_of_the_curve(stage: Stage) -> None:
    worker, run = stage.train()
    worker.tell(run, Progress("train", 0.5, 50, 100, score=12.0), Progress("play", 1.0, 100, 100, score=240.0))
    stage.desk.poll()
    assert stage.desk.curves.play_score == [12.0]
    assert stage.desk.curves.score == 240.0


def test_a_finished_run_tells_its_score_and_offers_its_twin(stage: Stage) -> None:
    worker, run = stage.train()
    worker.end(run, RunState.DONE, score=112.4)
    found = stage.desk.kept.get(run)
    assert found.policy is not None
    found.policy.write_bytes(b"policy")
    stage.desk.poll()
    assert stage.desk.state is TrainState.DONE
    assert stage.desk.headline == "Your twin is ready. It scores 112 on average in play."
    assert stage.desk.explanation.startswith("Quick gives a first impression.")
    assert stage.desk.policy == found.policy


def test_pause_asks_the_process_and_resume_waits_for_it_again(stage: Stage) -> None:
    worker, run = stage.train()
    stage.desk.pause()
    assert stage.desk.state is TrainState.PAUSING
    assert worker.runs.requested(run) == "pause"
    worker.end(run, RunState.PAUSED, batches=40)
    stage.desk.poll()
    assert stage.desk.state is TrainState.PAUSED
    assert "40 batches" in stage.desk.headline
    assert stage.desk.resumable
    stage.desk.poll()
    stage.desk.resume()
    assert stage.desk.state is TrainState.WAITING
    assert worker.runs.requested(run) == ""
    assert len(stage.workers) == 2


def test_stop_keeps_the_best_so_far(stage: Stage) -> None:
    worker, run = stage.train()
    stage.desk.stop()
    assert (stage.desk.state, worker.runs.requested(run)) == (TrainState.STOPPING, "stop")
    worker.end(run, RunState.DONE, stopped_early=True)
    stage.desk.poll()
    assert "stopped early; the best so far was kept" in stage.desk.headline


def test_several_runs_wait_for_their_turn(stage: Stage) -> None:
    worker, run = stage.train()
    stage.desk.start()
    assert stage.desk.shown == run
    assert "waits" in stage.desk.notice
    waiting = stage.desk.runs[0].id
    stage.desk.show(waiting)
    assert (stage.desk.state, stage.desk.headline) == (TrainState.WAITING, "Waiting for its turn…")
    assert len(stage.workers) == 1
    stage.desk.pause()
    assert stage.desk.state is TrainState.PAUSED
    worker.end(run, RunState.DONE)


def test_a_process_that_vanishes_is_told_with_its_reason_and_what_is_kept(stage: Stage) -> None:
    worker, run = stage.train()
    folder = stage.desk.kept.path(run)
    (folder / CHECKPOINT).write_bytes(b"kept")
    found = stage.desk.kept.get(run)
    assert found.policy is not None
    found.policy.write_bytes(b"kept")
    worker.vanish("the process ended unexpectedly (signal 9), often for want of memory")
    stage.desk.poll()
    stage.desk.poll()
    assert stage.desk.state is TrainState.INTERRUPTED
    assert stage.desk.explanation == (
        "The process ended unexpectedly (signal 9), often for want of memory. "
        "The best clone so far was kept. Resume goes on from its last checkpoint."
    )
    assert stage.desk.resumable
    assert len(stage.workers) == 1


def test_a_process_that_cannot_begin_is_not_started_for_ever(stage: Stage) -> None:
    stage.choose()
    stage.desk.start()
    stage.workers[0].vanish("the process ended unexpectedly (exit status 1)")
    for _ in range(5):
        stage.desk.poll()
    assert stage.desk.state is TrainState.FAILED
    assert "could not begin: the process ended unexpectedly (exit status 1)" in stage.desk.explanation
    assert len(stage.workers) == 1


def test_another_window_follows_a_run_in_the_background_and_offers_one_that_was_left(
    stage: Stage, library: Library
) -> None:
    worker, run = stage.train()
    worker.tell(run, Progress("train", 0.4, 40, 100, loss=1.0))
    stage.desk.in_background = True
    stage.desk.shutdown()
    assert worker.left
    assert worker.runs.requested(run) == ""
    later = Stage(library)
    later.desk.poll()
    assert later.desk.shown == run
    assert later.desk.curves.batch == [40]
    assert later.desk.in_charge
    assert later.workers == []
    worker.vanish()  # the computer was switched off
    third = Stage(library)
    assert third.desk.state is TrainState.INTERRUPTED
    assert [offered.id for offered in third.desk.offered] == [run]
    assert "without a word" in third.desk.explanation


def test_closing_pauses_what_is_trained_and_what_waits(stage: Stage, library: Library) -> None:
    worker, run = stage.train()
    stage.desk.start()
    waiting = stage.desk.runs[0].id
    stage.desk.shutdown(timeout=0.05)
    assert worker.runs.requested(run) == "pause"
    assert worker.left  # it did not end in time, but has been asked
    assert worker.runs.get(waiting).status.state is RunState.PAUSED


def test_runs_are_compared_three_at_most_beside_the_one_that_is_shown(stage: Stage) -> None:
    stage.choose()
    made: list[Run] = []
    for _ in range(5):
        stage.desk.start()
        made.insert(0, stage.desk.runs[0])
    names = [run.id for run in made]
    stage.desk.show(names[0])
    for name in names:
        stage.desk.compare(name)
    assert stage.desk.compared == names[2:]
    stage.workers[0].tell(names[3], Progress("train", 0.1, 7, loss=0.5))
    stage.desk.poll()
    assert stage.desk.curves_of(names[3]).batch == [7]
    stage.desk.show(names[3])
    assert stage.desk.compared == [names[2], names[4]]
    stage.desk.compare(names[2], False)
    assert stage.desk.compared == [names[4]]


def test_a_deleted_run_and_a_deleted_twin_can_be_brought_back(stage: Stage) -> None:
    worker, run = stage.train()
    stage.desk.delete_run(run)
    assert "stop it first" in stage.desk.error
    worker.end(run, RunState.DONE)
    policy = stage.desk.kept.get(run).policy
    assert policy is not None
    policy.write_bytes(b"policy")
    stage.desk.poll()
    stage.desk.delete_run(run)
    assert (stage.desk.runs, stage.desk.state) == ([], TrainState.CHOOSING)
    stage.desk.undo()
    assert [found.id for found in stage.desk.runs] == [run]
    stage.desk.delete_twin(policy.stem)
    assert stage.desk.twins == []
    stage.desk.undo()
    assert [twin.name for twin in stage.desk.twins] == [policy.stem]
    stage.desk.rename_twin(policy.stem, "../out")
    assert "cannot name a policy" in stage.desk.error
    assert not stage.desk.can_undo


def test_a_library_that_cannot_be_written_is_refused_before_training(library: Library) -> None:
    (library.path / "policies").write_text("in the way")
    stage = Stage(library)
    stage.choose()
    stage.desk.start()
    assert "cannot be written" in stage.desk.error
    assert stage.desk.runs == []


def test_facts_are_read_by_a_thread_that_ends(recorded: Path) -> None:
    reader = FactsReader()
    path = next(recorded.glob("*-breakout.zarr"))
    reader.want(path)
    reader.want(path)
    assert reader.busy
    found: dict[Path, SessionFacts] = {}
    while reader.busy:
        found |= reader.take()
    assert [len(each.counts) for each in found[path].episodes] == [4, 4]
    reader.close()


def test_a_session_that_cannot_be_read_is_no_reason_to_fail(tmp_path: Path) -> None:
    assert "not a readable session" in read_facts(tmp_path / "none.zarr").problem
