"""Where a clone fails: its losses, grouped by likeness, and played on from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from player.cli import main
from recorder import RandomAgent, get_spec, record, verify
from tests.player.conftest import untrained
from trainer.evaluation.clusters import grouped, middle_of
from trainer.evaluation.failures import Gallery, finding_failures


def gallery_of(policy: Path, episodes: int) -> Gallery:
    *_, last = finding_failures(policy, episodes=episodes, seed=3)
    assert last.gallery is not None
    return last.gallery


def test_groups_are_found_and_the_largest_comes_first() -> None:
    rng = np.random.default_rng(1)
    centres = rng.normal(0, 4, (3, 40))
    labels = np.repeat([0, 1, 2], [5, 12, 8])
    found, silhouette = grouped(centres[labels] + rng.normal(0, 0.3, (25, 40)))
    assert found.tolist() == [{1: 0, 2: 1, 0: 2}[label] for label in labels]
    assert silhouette > 0.8


def test_points_without_groups_are_one() -> None:
    assert grouped(np.zeros((9, 4)))[0].tolist() == [0] * 9
    assert grouped(np.eye(3))[0].tolist() == [0] * 3


def test_the_middle_of_a_group_is_its_most_typical_point() -> None:
    points = np.array([[0.0], [1.0], [5.0], [100.0]])
    assert middle_of(points, np.array([0, 0, 0, 1]), 0) == 1
    assert middle_of(points, np.array([0, 0, 0, 1]), 1) == 3


@pytest.mark.parametrize("env", ["breakout", "hopper"])
def test_each_loss_of_a_clone_can_be_seen_and_played_on_from(env: str, tmp_path: Path) -> None:
    policy = untrained(env, tmp_path / "clone.safetensors")
    gallery = gallery_of(policy, 1 if env == "breakout" else 5)
    spec = get_spec(env)
    assert len(gallery.failures) == 5
    assert {each.why for each in gallery.failures} == {"lost life" if spec.lives else "end of the game"}
    for each in gallery.failures:
        assert 2 <= len(each.pictures) <= 21
        assert each.pictures.ndim == 4
        assert len(each.actions) == each.tick
    last = gallery.failures[-1]
    forked = record(env, RandomAgent(spec, 1), library=tmp_path, seconds=0.1, forks=[gallery.fork(last, 0.2)])
    assert verify(forked).ok
    assert forked.attributes["forked_from"][0]["policy"] == "clone"
    # The same actions lead to the same loss.
    whole = gallery.fork(last, 1 / spec.rate_hz)
    assert len(whole.actions) >= last.tick - 1


def test_the_command_writes_sheets_and_lists_seeds_and_ticks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = untrained("breakout", tmp_path / "clone.safetensors")
    out = tmp_path / "where"
    assert main(["failures", str(policy), "--episodes", "1", "--seed", "3", "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["why"] for each in told["failures"]] == ["lost life"] * 5
    assert {Path(file).name for file in told["files"]} == {path.name for path in out.iterdir()}
    with Image.open(out / "group-1.png") as sheet:
        assert sheet.width > 6 * 100
    with Image.open(out / "group-1.gif") as film:
        assert getattr(film, "n_frames", 1) > 2
    assert main(["failures", str(policy), "--out", str(policy)]) == 2
    assert "give a folder" in capsys.readouterr().err
