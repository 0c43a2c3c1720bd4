"""Where the player's own figure moves, found by trying what each action does; a network's past does not show it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from recorder import RandomAgent, Session, get_spec, record
from recorder.agents.experts import has_expert, scripted
from trainer import Policy, TrainConfig, fit
from trainer.data.own_band import hiding_own, own_band
from trainer.policy.networks import build


def played(name: str, folder: Path, seconds: float = 30) -> Session:
    agent = scripted(name, 1) if has_expert(name) else RandomAgent(get_spec(name), 1)
    return record(name, agent, library=folder, seconds=seconds, seed=1)


@pytest.mark.parametrize(
    ("env", "rows", "columns"),
    [
        ("breakout", (189, 193), None),  # the paddle, within the rows that its description names
        ("pong", None, (140, 144)),  # a paddle that goes up and down
        ("seaquest", None, None),  # a boat that goes everywhere
    ],
)
def test_the_own_figure_is_where_actions_make_a_difference(
    env: str, rows: tuple[int, int] | None, columns: tuple[int, int] | None, tmp_path: Path
) -> None:
    assert own_band([played(env, tmp_path)]) == (rows, columns)


def test_it_is_looked_for_only_where_nothing_is_said_of_it_and_a_network_learns_from_pixels(tmp_path: Path) -> None:
    pong = [played("pong", tmp_path, 1.5)]
    for config in (
        TrainConfig.for_env("pong"),  # keypoints
        TrainConfig.for_env("pong", network="nature", hidden_rows=(100, 120)),
        TrainConfig.for_env("pong", network="nature", hidden_share=0.0),
        TrainConfig.for_env("pong", network="nature"),  # too short to tell
    ):
        assert hiding_own(config, pong) == config
    breakout = TrainConfig.for_env("breakout", network="nature")
    assert hiding_own(breakout, [played("breakout", tmp_path, 30)]) == breakout
    assert breakout.hidden_rows == (189, 196)


def test_only_older_screens_are_blank_there_and_the_clone_may_play_either_way(tmp_path: Path) -> None:
    session, out = played("pong", tmp_path), tmp_path / "clone.safetensors"
    small = TrainConfig.for_env("pong", network="nature", max_batches=4, batch_size=4, play_games=0)
    list(fit([session], replace(small, checks=0), out=out))
    config = Policy.load(out).config
    assert (config.hidden_rows, config.hidden_columns) == ((), (140, 144))
    assert config.past_choices == (True, False)
    rows, columns = config.hidden_pixels(160)
    assert (rows, columns) == (slice(None), slice(73, 76))
    net = build(config, session.spec)
    screens = torch.full((2, len(config.history), config.size, config.size), 9, dtype=torch.uint8)
    seen = net.residuals(screens, torch.tensor([False, True])).numpy()
    assert (seen[0] == 9).all()
    assert (seen[1, 0] == 9).all()
    blank = np.flatnonzero((seen[1, 1:] == 0).all(axis=(0, 1)))
    assert blank.tolist() == [73, 74, 75]
    assert (np.delete(seen[1, 1:], blank, axis=-1) == 9).all()


def test_rows_and_columns_together_hide_where_they_cross() -> None:
    config = TrainConfig(size=80, crop=(0, 160), hidden_rows=(20, 40), hidden_columns=(0, 10))
    assert config.hidden_pixels(160) == (slice(10, 20), slice(0, 5))
    assert TrainConfig().hidden_pixels(160) == (slice(0, 0), slice(0, 0))
