"""Studies: cells that are run once, and the table."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from player.cli.clone_options import STUDY_NAMES
from player.report.figures import draw
from recorder.errors import UsageError
from trainer.config import TrainConfig
from trainer.learn.fit import fit
from trainer.learn.learner import Learner
from trainer.studies.catalogue import STUDIES, Finding, Row, Study
from trainer.studies.runner import run_cell, run_study

LITTLE = {"play_games": 1, "checks": 0}
SMALL = Study(
    "small",
    "A small study",
    (
        Row("mlp", env="hopper", minutes=0.1, settings={"max_batches": 60, **LITTLE}, ways=("chosen", "greedy")),
        Row("wide", env="hopper", minutes=0.1, settings={"max_batches": 40, "hidden": (64,), **LITTLE}, random=True),
    ),
    episodes=2,
)


def test_a_study_runs_what_is_missing_and_writes_its_table(tmp_path: Path) -> None:
    first = list(run_study(SMALL, tmp_path, only="mlp"))
    result = json.loads((tmp_path / "small" / "mlp-seed0.json").read_text())
    assert len(result["reports"]["chosen"]["rows"][0]["returns"]) == 2
    assert result["settings"]["max_batches"] == 60
    assert first[-1].table is not None
    before = first[-1].table.read_text()
    assert "| mlp | 0 min |" in before
    assert "wide" not in before
    written = (tmp_path / "small" / "mlp-seed0.json").stat().st_mtime_ns

    second = list(run_study(SMALL, tmp_path, jobs=2))
    assert second[0].message == "1 of 2 cells are already finished"
    assert (tmp_path / "small" / "mlp-seed0.json").stat().st_mtime_ns == written
    assert second[-1].table is not None
    table = second[-1].table.read_text()
    assert "| demonstrator | clone (95 % interval) | random player | ratio |" in table
    wide = json.loads((tmp_path / "small" / "wide-seed0.json").read_text())["reports"]["chosen"]["rows"]
    assert [row["player"] for row in wide] == ["clone", "demonstrator", "random"]
    clone, teacher, chance = (row["mean"] for row in wide)
    (line,) = [line for line in table.splitlines() if line.startswith("| wide |")]
    assert f"| {chance:,.0f} ({wide[2]['low']:,.0f} to {wide[2]['high']:,.0f}) |" in line
    assert f"| {(clone - chance) / (teacher - chance):.2f} |" in line  # counted from the random player's score
    assert len(list((tmp_path / "sessions").glob("*/*.zarr"))) == 1  # both rows learn from the same play


def test_a_cell_that_was_interrupted_goes_on_to_the_very_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = replace(SMALL.rows[0], ways=("chosen",))
    config = TrainConfig.for_env("hopper", **{**row.settings, "max_batches": 70, "threads": 1})
    monkeypatch.setattr("trainer.studies.runner.fit", partial(fit, every=50))  # batches between checkpoints
    step, numbers = Learner.step, []

    def counted(self: Learner, batch: Any, number: int, *rest: Any) -> Any:
        numbers.append(number)
        if numbers[-2:] == [60, 61]:  # of the first training
            raise KeyboardInterrupt
        return step(self, batch, number, *rest)

    def run(folder: str) -> dict[str, Any]:
        (tmp_path / folder).mkdir(exist_ok=True)
        run_cell(str(tmp_path), str(tmp_path / folder), row, 0, 2, config)
        return dict(json.loads((tmp_path / folder / "mlp-seed0.json").read_text()))

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "step", counted)
        with pytest.raises(KeyboardInterrupt):
            run("interrupted")
    left = {path.suffix for path in (tmp_path / "interrupted").iterdir()}
    assert left == {".checkpoint", ".progress", ".safetensors"}
    numbers.clear()
    with monkeypatch.context() as patch:
        patch.setattr(Learner, "step", lambda *given: (numbers.append(given[2]), step(*given))[1])
        interrupted = run("interrupted")
    assert numbers == list(range(51, 71))
    whole = run("whole")
    for part in ("losses", "curve", "play"):
        assert interrupted[part] == whole[part]
    assert len(whole["losses"]) == config.validations
    scores = [result["reports"]["chosen"]["rows"][0]["returns"] for result in (interrupted, whole)]
    assert scores[0] == scores[1]
    assert {path.suffix for path in (tmp_path / "interrupted").iterdir()} == {".json", ".safetensors"}


def test_a_study_of_games_tells_what_its_results_say_and_draws_them_and_every_row_has_its_first_seed_first(
    tmp_path: Path,
) -> None:
    settings = {"max_batches": 200, "play_games": 1, "play_ticks": 60, "checks": 0}
    study = Study(
        "games",
        "Two networks",
        tuple(
            Row(f"{name}; 1 game", "hopper", seeds=seeds, games=1, settings={**settings, **change}, published=published)
            for name, seeds, change, published in (
                ("good", (0, 1), {}, 900.0),
                ("bad", (0,), {"learning_rate": 1e-7}, 200.0),
            )
        ),
        episodes=3,
        findings=(Finding("good over bad", (("good", "bad"),)), Finding("bad over good", (("bad", "good"),))),
        errors=("good; 1 game", "bad; 1 game"),
        note="A note.",
    )
    *said, last = run_study(study, tmp_path)
    finished = [step.message.split(":")[0] for step in said if "done in" in step.message]
    assert finished == ["good; 1 game, seed 0", "bad; 1 game, seed 0", "good; 1 game, seed 1"]
    assert last.table is not None
    table = last.table.read_text()
    assert "| row | recorded | training | operations | the article | demonstrator |" in table
    assert "| good; 1 game | 1 game |" in table
    assert "A note." in table
    assert "From 1 game, good over bad holds (" in table
    assert "; bad over good is reversed (" in table
    assert [path.name for path in draw(study, last.table.parent)] == ["scores.svg", "errors.svg"]
    errors = last.table.parent / "errors.svg"
    assert "<svg" in errors.read_text()
    assert "stroke-dasharray" not in errors.read_text()
    draw(replace(study, held_out=True), last.table.parent)
    assert "stroke-dasharray" in errors.read_text()  # the errors of held-out ticks


def test_a_study_without_a_chosen_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the rows are: mlp, wide"):
        list(run_study(SMALL, tmp_path, only="resnet"))


def test_rows_are_chosen_by_a_part_of_a_name_or_by_several() -> None:
    breakout = STUDIES["breakout"]
    assert [row.name for row in breakout.rows_with("person, 30 minutes")] == ["person, 30 minutes"]
    assert [row.name for row in breakout.rows_with("late, sloppy")] == ["late, 30 minutes", "sloppy, 30 minutes"]
    assert breakout.rows_with("") == list(breakout.rows)


def test_the_command_line_offers_every_study() -> None:
    assert tuple(STUDIES) == STUDY_NAMES
