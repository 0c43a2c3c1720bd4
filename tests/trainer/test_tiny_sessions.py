"""Sessions of a few ticks: they can be trained on from two ticks on, and what cannot be is told with what helps."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recorder import RandomAgent, Session, get_spec, record
from recorder.library.edits import edit
from trainer import Policy, TrainConfig, fit
from trainer.data.dataset import Dataset
from trainer.errors import TrainingError

LITTLE: dict[str, Any] = {
    "max_batches": 2,
    "play_ticks": 60,
    "validations": 2,
    "checks": 0,
    "play_games": 0,
    "threads": 1,
    "batch_size": 4,
}
Play = Callable[[str, int], Session]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    def played(env: str, ticks: int) -> Session:
        spec = get_spec(env)
        session = record(env, RandomAgent(spec, ticks), library=tmp_path, seconds=ticks / spec.rate_hz, seed=ticks)
        assert len(session) == ticks
        return session

    return played


@pytest.mark.parametrize("env", ["hopper", "breakout"])
@pytest.mark.parametrize("ticks", [(2,), (3,), (6,), (1, 1), (1, 2, 3)])
def test_a_few_ticks_can_be_learned_from(env: str, ticks: tuple[int, ...], play: Play, tmp_path: Path) -> None:
    out = tmp_path / "p.safetensors"
    list(fit([play(env, each) for each in ticks], TrainConfig.for_env(env, **LITTLE), out=out))
    assert Policy.load(out).spec.name == env


@pytest.mark.parametrize("changes", [{"validation_share": 0.5}, {"every": 1_000}, {"cache_bytes": 1e5}], ids=str)
@pytest.mark.parametrize("network", ["mlp", "lstm"])
def test_settings_for_more_play_do_not_hinder(
    network: str, changes: dict[str, Any], play: Play, tmp_path: Path
) -> None:
    config = TrainConfig.for_env("hopper", network=network, sequence=512, **LITTLE, **changes)
    list(fit([play("hopper", 3)], config, out=tmp_path / "p.safetensors"))


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("ticks", [(2,), (3,), (1, 1), (2, 2), (1, 2), (1, 1, 2), (2, 3, 4)], ids=str)
def test_there_is_always_something_to_learn_from_and_something_to_validate_with(
    share: float, ticks: tuple[int, ...], play: Play
) -> None:
    sessions = [play("hopper", each) for each in ticks]
    for seed in range(5):
        data = Dataset(sessions, TrainConfig.for_env("hopper", validation_share=share, seed=seed))
        try:
            list(data.load())
            assert len(data.train_rows) + len(data.validation_rows) == sum(ticks)
            assert len(data.train_rows)
            assert len(data.validation_rows)
        finally:
            data.close()


def complaint(session: Session, out: Path, **options: Any) -> str:
    config = TrainConfig.for_env(session.spec.name, **LITTLE)
    with pytest.raises(TrainingError) as caught:
        list(fit([session], config, out=out, **options))
    return str(caught.value).removeprefix(f"{session.place}: ")


@pytest.mark.parametrize("env", ["hopper", "breakout"])
def test_what_cannot_be_learned_from_is_told_with_what_helps(env: str, play: Play, tmp_path: Path) -> None:
    out = tmp_path / "p.safetensors"
    remedy = "is too little to train on; record more play, or exclude less of it"
    assert complaint(play(env, 1), out) == f"1 tick {remedy}"
    session = play(env, 5)
    assert complaint(session, out, episodes={session.name: [7]}) == (
        "nothing is left to learn from in the chosen episodes; choose others"
    )
    assert complaint(edit(session.path, spans=[range(1, 5)]), out) == f"1 tick of 5 {remedy}"
    assert complaint(edit(session.path, spans=[range(5)]), out) == (
        "all of it is excluded from training; include some of it again, or choose another session"
    )


def test_taking_too_few_of_few_ticks_is_told(play: Play, tmp_path: Path) -> None:
    """Of every thousandth tick the first alone is there, and that one validates with some seeds."""
    sessions, told = [play("hopper", 2), play("hopper", 9)], []
    for seed in range(6):
        config = TrainConfig.for_env("hopper", every=1_000, seed=seed, **LITTLE)
        try:
            list(fit(sessions, config, out=tmp_path / "p.safetensors"))
        except TrainingError as error:
            told.append(str(error))
    assert told
    sentence = r"with every=1000, none of the 9 ticks to learn from are used; lower every, or record more play"
    assert all(re.fullmatch(sentence, each) for each in told)
