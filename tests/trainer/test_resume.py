"""A training that is killed or paused goes on as if nothing had happened."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from recorder import Session
from tests.trainer.conftest import TINY
from trainer import Policy, TrainConfig, TrainingError, fit
from trainer.learn.checkpoint import read_checkpoint
from trainer.progress.records import Progress

ROOT = Path(__file__).parents[2]


def same_policy(one: Path, other: Path) -> bool:
    """Bit for bit the same weights, with the same action selection, after as many batches."""
    first, second = Policy.load(one), Policy.load(other)
    facts = [
        (p.selection, p.header["training"]["batches"], p.header["training"]["score_in_play"]) for p in (first, second)
    ]
    weights = [policy.net.state_dict() for policy in (first, second)]
    return facts[0] == facts[1] and all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def config_of(session: Session, **changes: object) -> TrainConfig:
    quick = {"play_games": 1, "play_ticks": 60, "threads": 1}
    if session.spec.name == "breakout":
        quick["play_games"] = 0  # Hopper's trainings end with play
        return TrainConfig.for_env("breakout", **{**TINY, "batch_size": 16, "max_batches": 20, **quick, **changes})
    tiny = {"network": "lstm", "batch_size": 8, "max_batches": 60, "checks": 1}
    return TrainConfig.for_env("hopper", **{**tiny, **quick, **changes})


@pytest.mark.parametrize(
    ("env", "network", "killed_at"), [("breakout", "keypoints", 16), ("breakout", "nature", 16), ("hopper", "lstm", 50)]
)
def test_a_killed_training_goes_on_to_the_very_weights_of_one_that_was_not(
    request: pytest.FixtureRequest, tmp_path: Path, env: str, network: str, killed_at: int
) -> None:
    session: Session = request.getfixturevalue(env)
    config = config_of(session, network=network)
    checkpoint, out = tmp_path / "checkpoint.safetensors", tmp_path / "killed.safetensors"
    job = {
        "session": str(session.path),
        "config": config.to_json(),
        "out": str(out),
        "checkpoint": str(checkpoint),
        "every": 7,
        "killed_at": killed_at,
    }
    (tmp_path / "job.json").write_text(json.dumps(job))
    command = [sys.executable, "-m", "tests.trainer.resume_victim", str(tmp_path / "job.json")]
    assert subprocess.run(command, cwd=ROOT).returncode == -signal.SIGKILL
    assert checkpoint.exists()

    records = list(fit([session], config, out=out, checkpoint=checkpoint, every=7))
    last_kept = (killed_at - 1) // 7 * 7
    assert any(record.message == f"resuming after {last_kept} batches" for record in records)
    assert not checkpoint.exists()

    whole = tmp_path / "whole.safetensors"
    list(fit([session], config, out=whole))
    assert same_policy(out, whole)


@pytest.fixture(scope="module")
def whole(hopper: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a training that was never paused makes of `hopper`."""
    out = tmp_path_factory.mktemp("whole") / "whole.safetensors"
    list(fit([hopper], config_of(hopper), out=out))
    return out


def paused(session: Session, config: TrainConfig, folder: Path, batch: int) -> Path:
    """The checkpoint of a training that was closed at the first record from `batch` on."""
    checkpoint = folder / "checkpoint.safetensors"
    training = fit([session], config, out=folder / "p.safetensors", checkpoint=checkpoint, every=1_000)
    for progress in training:
        if progress.stage == "train" and progress.batch >= batch:
            break
    training.close()
    return checkpoint


@pytest.mark.parametrize(("stage", "share"), [("load", 1.0), ("train", 0.3), ("train", 1.0), ("play", 0.0)])
def test_a_paused_training_goes_on_to_the_same_weights_wherever_it_was_paused(
    hopper: Session, whole: Path, tmp_path: Path, stage: str, share: float
) -> None:
    config = config_of(hopper)
    checkpoint, out = tmp_path / "checkpoint.safetensors", tmp_path / "paused.safetensors"
    training = fit([hopper], config, out=out, checkpoint=checkpoint)
    assert any(record.stage == stage and record.fraction >= share for record in training)  # and no further
    training.close()
    list(fit([hopper], config, out=out, checkpoint=checkpoint))
    assert same_policy(out, whole)


def test_time_used_so_far_counts_in_a_budget_of_seconds(hopper: Session, tmp_path: Path) -> None:
    config = config_of(hopper, max_batches=None, max_seconds=600.0, play_games=0)
    checkpoint = paused(hopper, config, tmp_path, 3)
    data = header(checkpoint)["belongs"]
    tensors, state, generator = read_checkpoint(checkpoint, data)
    assert 0 < state.train_s < state.seconds < 600
    state.train_s = 599.9999
    from trainer.learn.checkpoint import write_checkpoint

    write_checkpoint(checkpoint, tensors, data, state, generator)
    records = list(fit([hopper], config, out=tmp_path / "p.safetensors", checkpoint=checkpoint))
    assert records[-1].stage == "done"
    assert records[-1].batch <= state.batch + 1
    assert records[-1].seconds >= state.seconds


def header(checkpoint: Path) -> dict[str, dict[str, object]]:
    with safe_open(checkpoint, framework="pt") as file:
        found: dict[str, dict[str, object]] = json.loads(file.metadata()["twinplay"])
    return found


def test_a_checkpoint_of_other_settings_or_other_sessions_is_refused(
    hopper: Session, breakout: Session, tmp_path: Path
) -> None:
    config = config_of(hopper)
    checkpoint = paused(hopper, config, tmp_path, 1)
    before = checkpoint.read_bytes()
    out = tmp_path / "p.safetensors"

    def refused(session: Session, settings: TrainConfig, **more: object) -> str:
        with pytest.raises(TrainingError) as caught:
            list(fit([session], settings, out=out, checkpoint=checkpoint, **more))  # type: ignore[arg-type]
        return str(caught.value)

    other = config.with_changes(learning_rate=0.5, seed=3)
    assert "other settings (learning_rate, seed)" in refused(hopper, other)
    assert "other sessions, or they were edited" in refused(hopper, config, episodes={hopper.name: [0, 1]})
    assert "another environment" in refused(breakout, config_of(breakout))
    assert checkpoint.read_bytes() == before
    list(fit([hopper], config.with_changes(threads=1), out=out, checkpoint=checkpoint))  # another machine's cores


@pytest.mark.parametrize("damage", ["cut", "text", "counters", "weights", "generator"])
def test_a_damaged_checkpoint_is_refused_in_a_sentence(hopper: Session, tmp_path: Path, damage: str) -> None:
    from safetensors.torch import save_file

    config = config_of(hopper)
    checkpoint = paused(hopper, config, tmp_path, 1)
    facts = header(checkpoint)
    with safe_open(checkpoint, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if damage == "cut":
        checkpoint.write_bytes(checkpoint.read_bytes()[:-1000])
    elif damage == "text":
        checkpoint.write_text("nothing of the kind " * 50)
    elif damage == "counters":
        facts["state"]["batch"] = "many"
    elif damage == "weights":
        tensors = {name: value[:1].clone() if value.dim() else value for name, value in tensors.items()}
    else:
        facts["generator"] = {"bit_generator": "MT19937"}
    if damage in ("counters", "weights", "generator"):
        save_file(tensors, checkpoint, {"twinplay": json.dumps(facts)})
    with pytest.raises(TrainingError, match=r"checkpoint\.safetensors is .*start a new training") as caught:
        list(fit([hopper], config, out=tmp_path / "p.safetensors", checkpoint=checkpoint))
    assert "\n" not in str(caught.value)


def test_a_checkpoint_from_before_operations_were_counted_goes_on(hopper: Session, whole: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    config = config_of(hopper)
    checkpoint = paused(hopper, config, tmp_path, 1)
    facts = header(checkpoint)
    with safe_open(checkpoint, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    del facts["state"]["operations"], facts["state"]["played"]
    save_file(tensors, checkpoint, {"twinplay": json.dumps(facts)})
    out = tmp_path / "p.safetensors"
    list(fit([hopper], config, out=out, checkpoint=checkpoint))
    assert same_policy(out, whole)


def test_chosen_episodes_alone_are_learned_from_and_named_in_the_policy(hopper: Session, tmp_path: Path) -> None:
    out = tmp_path / "p.safetensors"
    config = config_of(hopper, play_games=0)
    records = list(fit([hopper], config, out=out, episodes={hopper.name: [1]}))
    ticks = len(hopper.episodes[1])
    assert records[0].message == f"reading {ticks:,} ticks of 1 session"
    assert Policy.load(out).header["sessions"][0]["episodes"] == [1]


def test_each_validation_of_discrete_actions_comes_with_its_confusion(breakout: Session, tmp_path: Path) -> None:
    records = list(fit([breakout], config_of(breakout, network="nature"), out=tmp_path / "p.safetensors"))
    (last,) = [record for record in records if record.confusion is not None][-1:]
    table = last.confusion
    assert table is not None
    assert len(table) == len(table[0]) == 4
    total = sum(map(sum, table))
    assert last.val_accuracy == pytest.approx(sum(table[k][k] for k in range(4)) / total)
    assert Progress.from_json(json.loads(json.dumps(last.to_json()))) == last


def test_a_checkpoint_is_absent_or_whole_when_the_disk_is_full(
    hopper: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(hopper, max_batches=100_000, validations=1, checks=0)  # nothing else is written meanwhile
    checkpoint = paused(hopper, config, tmp_path, 1)
    before = checkpoint.read_bytes()
    shutil.copy(checkpoint, tmp_path / "copy")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(TrainingError, match=r"No space left on device; free some disk space, then resume"):
        list(fit([hopper], config.with_changes(), out=tmp_path / "p.safetensors", checkpoint=checkpoint, every=1))
    assert checkpoint.read_bytes() == before
