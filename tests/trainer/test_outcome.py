"""What is said of a training that is over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recorder import Session
from recorder.library.preview import THUMB_HEIGHT, THUMB_WIDTH, Thumbnail
from recorder.system.jobs import JobState
from trainer import TrainConfig
from trainer.evaluation.demonstrator import scores_learned_from
from trainer.policy.header import facts, read_header
from trainer.runs.outcome import basis, headline, whose
from trainer.runs.policy_library import PolicySummary, summarize
from trainer.runs.run_picture import RunPictures
from trainer.runs.runs import Runs

ADA, NOBODY = ({"kind": "person", "name": name} for name in ("Ada", ""))
SCRIPT = {"kind": "scripted", "name": "breakout-player", "params": {"aim_error": 6.0}}
TWIN = PolicySummary(
    Path("twin.safetensors"),
    score=61.4,
    accuracy=0.731,
    players=(ADA,),
    test_games=3,
    test_seconds=66.7,
    demonstrator_scores=(40.0, 56.0),
)


@pytest.mark.parametrize(
    ("players", "sentence"),
    [
        ([ADA], "Your twin scores 61, you 48; it does as you do in 73 % of moments."),
        ([NOBODY], "Your twin scores 61, you 48; it does as you do in 73 % of moments."),
        (
            [{"kind": "person", "name": "Bo"}] * 2,
            "Bo's twin scores 61, Bo 48; it does as Bo does in 73 % of moments.",
        ),
        (
            [SCRIPT, {**SCRIPT, "params": {}}],
            "Your twin scores 61, the scripted player 48; it does as the scripted player does in 73 % of moments.",
        ),
        (
            [ADA, SCRIPT],
            "Your twin scores 61, the players it learned from 48; it does as they do in 73 % of moments.",
        ),
    ],
)
def test_the_headline_names_who_was_learned_from(players: list[dict[str, Any]], sentence: str) -> None:
    assert headline(replace(TWIN, players=tuple(players)), "Ada", tested=True) == sentence


def test_a_button_says_whose_twin_it_shows() -> None:
    def called(name: str) -> str:
        return whose(replace(TWIN, players=({"kind": "person", "name": name},)), "Ada")

    assert [called(name) for name in ("Ada", "", "Bo", "Bartholomew the Younger of Ghent")] == [
        "your twin",
        "your twin",
        "Bo's twin",
        "this twin",
    ]


def test_what_is_not_known_is_left_out() -> None:
    agrees = "it does as you do in 73 % of moments."
    assert headline(TWIN, "", tested=False) == f"Your twin is ready: {agrees}"
    assert headline(replace(TWIN, score=None), "", tested=True) == f"Your twin is ready: {agrees}"
    assert headline(replace(TWIN, demonstrator_scores=()), "", tested=True) == f"Your twin scores 61; {agrees}"
    torques = replace(TWIN, accuracy=None, players=(SCRIPT,), score=3210.2, demonstrator_scores=(3500.0,))
    assert headline(torques, "", tested=True) == "Your twin scores 3,210, the scripted player 3,500."
    assert headline(replace(torques, score=None), "", tested=True) == "Your twin is ready."


def test_the_figures_say_what_they_rest_on_and_that_few_games_tell_little() -> None:
    held_out = "The moments are of play kept out of training."
    assert basis(TWIN, "Ada", tested=True) == (
        "Means of 3 test games and 2 of your games, each up to 1 min 07 s. "
        f"Few games: “Scores…” on the Watch page plays more, to their end. {held_out}"
    )
    many = replace(TWIN, test_games=24, demonstrator_scores=(48.0,) * 12, accuracy=None)
    assert basis(many, "Ada", tested=True) == ("Means of 24 test games and 12 of your games, each up to 1 min 07 s.")
    assert basis(TWIN, "", tested=False) == (
        f"Training was stopped early; the best version so far was kept. {held_out}"
    )
    assert basis(replace(TWIN, score=None), "", tested=True).startswith("No test games were played")
    earlier = replace(TWIN, test_games=0, demonstrator_scores=())  # a version that did not count them
    assert basis(earlier, "", tested=True) == held_out


def test_a_policy_knows_its_test_games_and_its_players_scores_in_games_of_that_length(
    hopper: Session, hopper_policy: Path
) -> None:
    training = facts(read_header(hopper_policy)).training
    assert training.score_games >= 1
    assert training.score_ticks in (500, 1_000)
    assert training.demonstrator_scores == pytest.approx(
        [hopper.rewards[game.line_ticks[: training.score_ticks]].sum() for game in hopper.recorded_games]
    )
    told = summarize(hopper_policy)
    assert (told.test_games, told.test_seconds) == (training.score_games, training.score_ticks / 125)
    assert headline(told, "", tested=True).startswith("Your twin scores ")


def test_games_that_were_stopped_count_only_as_far_as_they_went(breakout: Session, hopper: Session) -> None:
    (game,) = breakout.recorded_games  # stopped after a minute
    assert game.outcome == "stopped"
    assert scores_learned_from([breakout], {}, game.ticks + 1) == ()
    assert scores_learned_from([breakout], {}, game.ticks) == (game.score,)
    assert len(scores_learned_from([hopper], {hopper.name: (0, 2)}, 1_000)) == 2


class Drawing:
    """A process that draws when the test says so."""

    def __init__(self, target: str, arguments: dict[str, Any]) -> None:
        self.state, self.error = JobState.RUNNING, None
        self.takes: list[str] = arguments["takes"]
        self.records: list[Thumbnail] = []

    def poll(self) -> list[Any]:
        records, self.records = self.records, []
        return records

    def stop(self) -> None: ...

    def kill(self) -> None:
        self.state = JobState.FAILED

    def join(self, timeout: float | None = None) -> bool:
        return True


def test_a_run_has_the_picture_of_the_session_that_it_learned_most_from(hopper: Session, tmp_path: Path) -> None:
    jobs: list[Drawing] = []

    def start(target: str, arguments: dict[str, Any]) -> Drawing:
        jobs.append(Drawing(target, arguments))
        return jobs[-1]

    run = Runs(tmp_path).create([hopper], TrainConfig.for_env("hopper", max_batches=1))
    pictures = RunPictures(tmp_path, start)
    session = pictures.session(run)
    assert session == hopper.path
    assert pictures.of(session) is None
    assert pictures.busy
    assert not pictures.poll()
    assert jobs[0].takes == [str(session)]
    jobs[0].records.append(Thumbnail(session, hopper_picture := np.zeros((THUMB_HEIGHT, THUMB_WIDTH, 3), np.uint8)))
    jobs[0].state = JobState.DONE
    assert pictures.poll()
    assert pictures.of(session) is hopper_picture
    assert not pictures.busy
    assert len(jobs) == 1
