"""A tick of several frames: recorded, verified, learned from and played as such, and mixed with no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from player.cli import main
from recorder import Game, RandomAgent, Session, get_spec, record, verify
from recorder.envs.registry import installed_spec
from recorder.envs.spec import EnvSpec
from recorder.errors import UsageError
from recorder.library.preview import read_details
from recorder.recording.presenter import RecordPresenter
from recorder.recording.settings import UnsavedSettings
from recorder.ui.game_keys import usual
from tests.recorder.fake_clock import FakeClock
from trainer import Policy, TrainConfig, TrainingError, fit


@pytest.fixture(scope="module")
def skipping(tmp_path_factory: pytest.TempPathFactory) -> Session:
    agent = RandomAgent(get_spec("freeway"), 1)
    return record("freeway", agent, library=tmp_path_factory.mktemp("four"), seconds=6, seed=1, frame_skip=4)


def test_a_tick_is_so_many_frames_of_the_same_action(skipping: Session) -> None:
    spec = get_spec("freeway")
    assert (skipping.spec.rate_hz, skipping.spec.frame_skip, len(skipping)) == (15.0, 4, 90)
    assert skipping.spec.episode_ticks == spec.episode_ticks // 4
    with Game(spec) as game:
        observation = game.reset(skipping.episodes[0].seed)
        for tick in range(20):
            assert np.array_equal(skipping.frames[tick], observation)
            for _ in range(4):
                observation, *_ = game.step(skipping.actions[tick])
    with Game(skipping.spec) as one, Game(skipping.spec) as other:
        for game in (one, other):
            game.reset(3)
        for _ in range(10):
            one.play(1)
            seen = other.step(1)[0]
        assert np.array_equal(one.picture(), seen)


def test_it_is_verified_and_its_spec_survives_json(skipping: Session) -> None:
    assert verify(skipping).ok
    again = EnvSpec.from_json(skipping.spec.to_json(), get_spec("freeway"))
    assert again == skipping.spec
    assert installed_spec(again).differences(again) == []
    assert get_spec("freeway").differences(again)


def test_a_clone_plays_at_the_frame_skip_that_it_learned(skipping: Session, tmp_path: Path) -> None:
    out = tmp_path / "clone.safetensors"
    small = TrainConfig.for_env("freeway", network="nature", size=36, max_batches=4, batch_size=4, play_games=0)
    list(fit([skipping], small.with_changes(checks=0), out=out))
    policy = Policy.load(out)
    assert policy.spec.frame_skip == 4
    assert main(["record", "freeway", "--player", str(out), "--seconds", "2", "--library", str(tmp_path)]) == 0
    (path,) = tmp_path.glob("*.zarr")
    played = Session.open(path)
    assert (played.spec.frame_skip, len(played)) == (4, 30)
    assert main(["record", "freeway", "--player", str(out), "--frame-skip", "2", "--library", str(tmp_path)]) == 1


def test_games_of_different_frame_skips_do_not_mix(skipping: Session, tmp_path: Path) -> None:
    usual = record("freeway", RandomAgent(get_spec("freeway"), 2), library=tmp_path, seconds=2)
    with pytest.raises(TrainingError, match="frameskip"):
        list(fit([skipping, usual], TrainConfig.for_env("freeway", max_batches=1), out=tmp_path / "x.safetensors"))


@pytest.mark.parametrize(
    ("env", "frames", "problem"),
    [("pong", 9, "a frame skip of 9; choose one from 1 to 8"), ("cartpole", 2, "CartPole knows no frame skip")],
)
def test_what_cannot_be_is_told(env: str, frames: int, problem: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=problem):
        record(env, RandomAgent(get_spec(env)), library=tmp_path, seconds=1, frame_skip=frames)


def test_a_person_plays_with_the_frame_skip_that_was_chosen_and_it_is_kept(tmp_path: Path) -> None:
    clock, settings = FakeClock(), UnsavedSettings("Ada")

    def opened() -> RecordPresenter:
        return RecordPresenter(
            tmp_path, settings=settings, usual_keys=usual, controllers=None, countdown_s=0, now=clock
        )

    presenter = opened()
    presenter.choose("freeway")
    assert presenter.status is not None  # its first screen is drawn without a frame skip
    presenter.pace.skip(4)
    assert presenter.spec.rate_hz == 15.0
    up = presenter.key_choice.bindings.keys_of(presenter.spec.action_names.index("UP"))[0]
    presenter.start()
    presenter.controls.press(up)
    for _ in range(60):  # a second
        clock.now += 16_666_667
        presenter.poll()
    presenter.stop()
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    assert (session.spec.frame_skip, session.spec.rate_hz) == (4, 15.0)
    assert 14 <= len(session) <= 16
    assert verify(session).ok
    assert read_details(session).pace == "frame skip 4"
    presenter.choose("cartpole")
    assert not presenter.pace.skips(get_spec(presenter.env))
    assert presenter.spec is get_spec("cartpole")
    presenter.shutdown()
    again = opened()
    assert again.pace.frame_skip == 4
    again.pace.skip(1)
    assert settings.frame_skip == ""
    with pytest.raises(ValueError, match="a frame skip of 9; choose one of 1, 2, 3, 4"):
        again.pace.skip(9)
    again.shutdown()
