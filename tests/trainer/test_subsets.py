"""Training on a part of the games: those marked good, or the better half."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from player.cli import main
from recorder import Library, RandomAgent, Session, get_spec, record
from recorder.library.edits import edit
from tests.trainer.train_stage import Immediately, ScriptedWorker
from trainer import Policy
from trainer.data.subsets import ALL, BEST_HALF, GOOD, Judged, choose_games, in_subset, with_tag
from trainer.runs.presenter import TrainPresenter
from trainer.runs.runs import Runs

FEW = ("--max-batches", "2", "--set", "play_games=0", "--set", "checks=0")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sessions of Hopper with five and three games."""
    path: Path = tmp_path_factory.mktemp("subsets")
    for seed, games in ((1, 5), (2, 3)):
        record("hopper", RandomAgent(get_spec("hopper"), seed), library=path, episodes=games, seed=seed)
    return path


@pytest.fixture
def sessions(recorded: Path, tmp_path: Path) -> list[Session]:
    """Copies that may be edited, the one with five games first."""
    library = Path(shutil.copytree(recorded, tmp_path / "library"))
    return sorted((Session.open(path) for path in library.glob("*.zarr")), key=lambda session: -len(session.scores))


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (ALL, [True] * 5),
        (GOOD, [False, True, False, False, True]),
        (BEST_HALF, [True, True, False, True, False]),
        (with_tag("slow"), [True, False, False, False, False]),
    ],
)
def test_a_subset_is_of_the_good_games_or_of_the_better_half(only: str, expected: list[bool]) -> None:
    games = [Judged(3, "", ("Slow",)), Judged(9, "success"), Judged(1, "failure"), Judged(3, ""), Judged(3, "success")]
    assert in_subset(games, only) == expected
    assert in_subset([], only) == []


def test_what_is_left_out_is_told_with_the_reasons(sessions: list[Session]) -> None:
    assert choose_games(sessions).episodes == {}
    assert choose_games(sessions).left_out == ""
    best = choose_games(sessions, only=BEST_HALF)
    assert best.left_out == "4 of 8 games, by score"
    kept = [
        session.episodes[index].total_reward
        for session in sessions
        for index in best.episodes.get(session.name, range(len(session.episodes)))
    ]
    assert sorted(kept) == sorted(score for session in sessions for score in session.scores)[4:]
    first = edit(sessions[0].path, excluded={0: True}, labels={1: "success"}, spans=[range(0, 1)])
    assert choose_games([first]).left_out == "1 of 5 games, excluded in the library"
    assert choose_games([first], {first.name: (1, 2, 3)}).left_out == (
        "3 of 5 games, 1 excluded in the library, 2 not selected"
    )
    good = choose_games([first, sessions[1]], only=GOOD)
    assert good.left_out == "7 of 8 games, 1 excluded in the library, 6 not marked good"
    assert good.episodes == {first.name: (1,), sessions[1].name: ()}


def test_the_command_trains_on_the_better_half_and_the_run_says_so(
    sessions: list[Session], capsys: pytest.CaptureFixture[str]
) -> None:
    library = sessions[0].path.parent
    for session in sessions:
        edit(session.path, tags=["mine"])
    where = ("--library", str(library))
    assert main(["train", "--tag", "mine", "--only", "best-half", *FEW, *where]) == 0
    assert "left out: 4 of 8 games, by score\n" in capsys.readouterr().err
    (run,) = Runs(library).all()
    assert run.setup is not None
    assert run.setup.left_out == "4 of 8 games, by score"
    assert "left out: 4 of 8 games, by score\n" in Runs(library).read_log(run.id)
    assert run.policy is not None
    learned = [each["episodes"] for each in Policy.load(run.policy).header["sessions"]]
    assert sum(len(each) for each in learned if each is not None) == 4
    assert main(["runs", run.id, *where]) == 0
    assert "  left out: 4 of 8 games, by score\n" in capsys.readouterr().out
    assert main(["runs", run.id, "--json", *where]) == 0
    assert json.loads(capsys.readouterr().out)["setup"]["left_out"] == "4 of 8 games, by score"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tag", "nobody"], "has no session with the tag nobody"),
        (["--tag", "mine", "--only", "good"], "--only good leaves no game of "),
        (["--resume", "x", "--only", "good"], "do not give sessions, --tag, --only"),
    ],
)
def test_a_subset_without_games_is_refused_in_a_sentence(
    sessions: list[Session], capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    edit(sessions[0].path, tags=["Mine"])
    assert main(["train", *arguments, "--library", str(sessions[0].path.parent)]) == 2
    assert words in capsys.readouterr().err


def test_the_page_trains_on_a_subset_until_a_game_is_ticked_by_hand(sessions: list[Session]) -> None:
    presenter = TrainPresenter(Library(sessions[0].path.parent), start=ScriptedWorker, reader=Immediately())
    presenter.refresh()
    choice = presenter.choice
    for session in sessions:
        choice.choose(session.path)
    presenter.poll()
    assert choice.selection.games == 8
    choice.choose_subset(BEST_HALF)
    assert choice.selection.games == 4
    used = choice.used_games(sessions)
    assert used.left_out == "4 of 8 games, by score"
    number = min(sessions[0].recorded_games, key=lambda game: game.score).number
    assert not choice.is_chosen(sessions[0].path, number)
    presenter.new_runs.add()
    (run,) = presenter.kept.all()
    assert run.setup is not None
    assert run.setup.left_out == "4 of 8 games, by score"
    choice.choose_game(sessions[0].path, number, True)
    assert (choice.only, choice.selection.games) == (ALL, 5)
    assert choice.used_games(sessions).left_out == "3 of 8 games, not selected"
    choice.choose_subset(GOOD)
    assert choice.selection.problem.startswith("Nothing is left to learn from")
    presenter.shutdown()


def test_a_tag_selects_the_sessions_that_have_it_and_leaves_out_the_others(sessions: list[Session]) -> None:
    edit(sessions[1].path, tags=["Slow", "left hand"])
    presenter = TrainPresenter(Library(sessions[0].path.parent), start=ScriptedWorker, reader=Immediately())
    presenter.refresh()
    choice = presenter.choice
    assert choice.tags == ["left hand", "Slow"]
    choice.choose(sessions[0].path)
    choice.choose(sessions[1].path, False)
    choice.choose_subset(with_tag("slow"))
    presenter.poll()
    assert choice.chosen == {session.path for session in sessions}
    assert choice.selection.games == 3
    presenter.new_runs.add()
    (run,) = presenter.kept.all()
    assert run.setup is not None
    assert run.setup.left_out == "5 of 8 games, not tagged slow"
    assert [source.name for source in run.setup.sources] == [sessions[1].name]
    edit(sessions[1].path, tags=[])
    presenter.refresh()
    assert (choice.tags, choice.only) == ([], ALL)
    presenter.shutdown()
