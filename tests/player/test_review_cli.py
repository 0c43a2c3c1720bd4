"""The command that looks sessions through."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest

from player.cli import main
from recorder import Session
from tests.careless import record_careless
from tests.player.conftest import untrained
from trainer import TrainConfig, fit
from trainer.data.subsets import choose_games


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return record_careless(tmp_path_factory.mktemp("review"))


@pytest.fixture
def careless(recorded: Session, tmp_path: Path) -> Session:
    return Session.open(Path(shutil.copytree(recorded.path, tmp_path / recorded.path.name)))


def test_the_list_tells_where_and_what_and_marks_what_is_grave(
    careless: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["review", str(careless.path)]) == 0
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head == f"{careless.path}: 5 worth a look"
    assert [row.split()[0] for row in rows] == ["!", "!", "1:23", "!", "!"]
    assert rows[1].startswith("!  0:55  1     A stayed down for 25 s")
    assert main(["review", str(careless.path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["session"] == str(careless.path)
    assert [each["kind"] for each in found["findings"]][1] == "stuck key"
    assert set(found["findings"][1]) == {"kind", "game", "start", "stop", "text", "grave"}


def test_leaving_out_excludes_the_grave_ones_and_prints_what_takes_that_back(
    careless: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["review", str(careless.path), "--leave-out"]) == 0
    said, _, command = capsys.readouterr().out.splitlines()[-1].partition(". To undo: twinplay ")
    assert said == "Left out of training: 4"
    changed = Session.open(careless.path)
    assert [game.excluded for game in changed.recorded_games] == [False, True, True]
    assert len(changed.excluded_spans) == 2
    seconds = sum(map(len, changed.excluded_spans)) / 60
    told = choose_games([changed]).left_out
    assert told == f"2 of 3 games, excluded in the library; {seconds:.0f} s of the games that are used"
    assert main(["review", str(careless.path), "--leave-out"]) == 0
    assert capsys.readouterr().out.endswith("Nothing was left out.\n")
    assert main(shlex.split(command)) == 0
    changed = Session.open(careless.path)
    assert not any(game.excluded for game in changed.recorded_games)
    assert changed.excluded_spans == ()


def test_a_clone_tells_where_it_disagrees_in_games_that_it_did_not_learn_from(
    careless: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = untrained("breakout", tmp_path / "stranger.safetensors", network="nature")
    assert main(["review", str(careless.path), "--policy", str(stranger), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["findings"]) >= 5
    out = tmp_path / "clone.safetensors"
    config = TrainConfig.for_env("breakout", network="nature", max_batches=2, play_games=0, checks=0, batch_size=8)
    for _ in fit([careless], config, out=out):
        pass
    assert main(["review", str(careless.path), "--policy", str(out)]) == 1
    assert "learned from every game of" in capsys.readouterr().err


def test_nothing_is_left_out_of_a_session_at_a_url(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["review", "memory://team/x.zarr", "--leave-out"]) == 2
    assert "twinplay pull" in capsys.readouterr().err
