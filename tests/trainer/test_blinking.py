"""Games that draw some things on every other screen: two successive screens are seen as one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recorder import Session, record
from recorder.agents.experts import scripted
from tests.player.conftest import untrained
from trainer import Policy, TrainConfig
from trainer.data.blinking import blinks, pooling
from trainer.data.tick_table import TickTable
from trainer.evaluation.agreement import _inputs, choose_game
from trainer.policy.header import version_of
from trainer.policy.preprocess import Preprocess


@pytest.fixture(scope="module")
def invaders(tmp_path_factory: pytest.TempPathFactory) -> Session:
    library = tmp_path_factory.mktemp("invaders")
    return record("space_invaders", scripted("space_invaders"), library=library, seconds=12, seed=1)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    folder: Path = tmp_path_factory.mktemp("clone")
    return Policy.load(untrained("space_invaders", folder / "p.safetensors", network="nature", pooled_screens=2))


def test_screens_are_pooled_where_things_blink_and_the_settings_do_not_say_how(
    invaders: Session, breakout: Session
) -> None:
    config = TrainConfig.for_env("space_invaders")
    assert pooling(config, [invaders]).pooled_screens == 2
    assert pooling(config.with_changes(pooled_screens=1), [invaders]).pooled_screens == 1
    assert blinks(config, [invaders, breakout])  # the other game is refused later
    assert not blinks(TrainConfig.for_env("breakout"), [breakout])
    assert pooling(TrainConfig.for_env("breakout"), [breakout]).pooled_screens == 0  # as in earlier versions


def test_a_policy_that_pools_screens_has_format_version_2() -> None:
    versions = [version_of({"pooled_screens": pooled}) for pooled in (0, 1, 2)]
    assert versions == [1, 1, 2]


def test_what_is_on_one_of_the_pooled_screens_is_seen_on_each() -> None:
    screens = np.zeros((5, 2, 2), np.uint8)
    screens[1, 0, 0] = screens[3, 0, 0] = 100  # on every other screen
    pooled = Preprocess((0, 2), 2, pooled=2).pool(screens)
    assert pooled[:, 0, 0].tolist() == [0, 100, 100, 100, 100]
    assert Preprocess((0, 2), 2, pooled=2).pool(screens[2:], screens[:2])[:, 0, 0].tolist() == [100, 100, 100]
    assert Preprocess((0, 2), 2, pooled=3).pool(screens[4:], screens[:4])[:, 0, 0].tolist() == [100]
    np.testing.assert_array_equal(Preprocess((0, 2), 2).pool(screens, screens[:1]), screens)


def test_training_comparing_and_playing_see_the_same_pooled_screens(invaders: Session, clone: Policy) -> None:
    ticks = 300
    player = clone.fork(0)
    played = np.stack([player.take_in(screen) for screen in invaders.frames[:ticks]])
    single = TickTable([(invaders, range(ticks))], invaders.spec, clone.config.with_changes(pooled_screens=1))
    table = TickTable([(invaders, range(ticks))], invaders.spec, clone.config)
    apart = np.concatenate(list(single.screens(range(ticks))))
    assert (played > apart).any(axis=(1, 2)).mean() > 0.5
    np.testing.assert_array_equal(np.concatenate(list(table.screens(range(ticks)))), played)
    np.testing.assert_array_equal(np.concatenate(list(table.screens(range(70, 250)))), played[70:250])
    np.testing.assert_array_equal(table.sample(np.array([0, 1, 64, 65, 200])), played[[0, 1, 64, 65, 200]])
    compared = np.concatenate(list(_inputs(invaders, choose_game(invaders, 1), clone)))[:ticks]
    np.testing.assert_array_equal(compared[:, 0], played)


def test_what_it_looks_at_follows_from_pooled_screens(invaders: Session, clone: Policy) -> None:
    frames = invaders.frames[:40]
    player = clone.fork(0)
    for screen in frames[:-1]:
        player.take_in(screen)
    live = player.attention(frames[-1])
    np.testing.assert_array_equal(clone.attention(frames[-1], list(frames[:-1])), live)
