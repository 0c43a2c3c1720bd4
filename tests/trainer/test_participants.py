"""One twin for each participant: a run for each of them in the queue, named after them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder import Library, RandomAgent, get_spec, record
from recorder.agents.agent import KeyAgent
from recorder.library.edits import edit
from tests.trainer.train_stage import Stage
from trainer.errors import PolicyError
from trainer.runs.participants import Participants
from trainer.runs.policy_library import Policies
from trainer.runs.runs import RunState


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bo and then Ada twice, somebody without a name, somebody whose play is excluded, and random players."""
    path: Path = tmp_path_factory.mktemp("participants")
    for name in ("Bo / 2", "Ada", "Ada", "", "Eve"):
        session = record("breakout", KeyAgent({}, name), library=path, seconds=1, seed=1)
        if name == "Eve":
            edit(session.path, spans=[range(len(session))])
    record("breakout", RandomAgent(get_spec("breakout"), 1), library=path, seconds=1, seed=1)
    record("hopper", RandomAgent(get_spec("hopper"), 1), library=path, episodes=1, seed=1)
    return path


@pytest.fixture
def stage(recorded: Path, tmp_path: Path) -> Iterator[Stage]:
    for session in recorded.glob("*.zarr"):
        (tmp_path / session.name).symlink_to(session)
    stage = Stage(Library(tmp_path))
    yield stage
    for worker in stage.workers:
        worker.vanish()


def choose_all(stage: Stage, env: str = "breakout") -> None:
    for row in stage.presenter.choice.rows:
        stage.presenter.choice.choose(row.path, row.env == env)
    stage.presenter.poll()


def test_a_run_for_each_person_waits_in_the_order_in_which_they_played(stage: Stage) -> None:
    choose_all(stage)
    presenter = stage.presenter
    presenter.start_each()
    assert presenter.messages.error == ""
    assert presenter.messages.notice == (
        "Queued 2 trainings, one for each of Bo / 2 and Ada; see Runs. Left out: 3 sessions without a person's name."
    )
    queued = presenter.kept.queued()
    assert [run.named for run in queued] == ["Bo - 2", "Ada"]
    assert [len(run.setup.sources) for run in queued if run.setup] == [1, 2]
    assert presenter.run_list.shown == queued[0].id
    assert len(stage.workers) == 1  # one process works the queue off


def test_the_same_people_again_get_twins_of_another_name(stage: Stage) -> None:
    choose_all(stage)
    stage.presenter.start_each()
    stage.presenter.start_each()
    assert [run.named for run in stage.presenter.kept.queued()] == ["Bo - 2", "Ada", "Bo - 2 (2)", "Ada (2)"]


def test_a_training_in_progress_stays_in_view(stage: Stage) -> None:
    worker, run = stage.train()
    choose_all(stage)
    stage.presenter.start_each()
    assert stage.presenter.run_list.shown == run
    assert len(stage.presenter.kept.queued()) == 2
    worker.set(run, RunState.DONE)


def test_one_player_or_two_environments_are_refused_with_the_reason(stage: Stage) -> None:
    presenter, choice = stage.presenter, stage.presenter.choice
    choose_all(stage, "hopper")
    assert presenter.new_runs.participants.why_not == "Select sessions of two or more people who gave their names"
    presenter.start_each()
    choose_all(stage)
    choice.choose(next(row.path for row in choice.rows if row.env == "hopper"))
    assert not presenter.new_runs.participants.why_not
    presenter.start_each()
    assert choice.selection.problem.startswith("Choose sessions of one environment")
    assert presenter.kept.all() == []


def test_games_that_are_not_ticked_are_learned_from_by_nobody(stage: Stage) -> None:
    choose_all(stage)
    choice = stage.presenter.choice
    bo = next(row.path for row in choice.rows if row.player.startswith("Bo"))
    choice.choose(bo, False)
    assert list(stage.presenter.new_runs.participants.sessions) == ["Ada"]


def test_many_names_are_counted() -> None:
    many = Participants({f"P{number}": () for number in range(1, 11)}, 0)
    assert many.names == "P1, P2, P3 and 7 more"


@pytest.mark.parametrize("name", ["Ada", "O’Brien", "…", "+1", "(Bo)", "Zoë B.", "a/b\\c", "x" * 40])
def test_a_twin_can_be_named_after_anybody(tmp_path: Path, name: str) -> None:
    policies = Policies(tmp_path)
    file = policies.new_file(name)
    assert file.parent == policies.folder
    assert policies.new_file(name, [file]).stem == f"{file.stem} (2)"
    policies.folder.mkdir()
    file.touch()
    try:
        policies.find(file.stem)
    except PolicyError as error:
        pytest.fail(str(error))
