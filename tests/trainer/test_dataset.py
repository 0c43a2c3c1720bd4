"""What batches are drawn from: packed without loss, mixed over all sessions, within the room there is."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from recorder import Session
from tests.benchmarks.mixing import draws, figures, material, shuffle_buffer
from trainer import TrainConfig, TrainingError, fit
from trainer.data.dataset import Dataset
from trainer.data.frame_codec import NoRoomError, PackedFrames, PlainRows
from trainer.data.sampler import Sampler
from trainer.data.temporary import TemporaryFolder, remove_abandoned
from trainer.policy.preprocess import Preprocess

SMALL, SMALL_HOPPER = 500_000, 200_000  # bytes: room for pools of an eighth to a third of the recording


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files that must be empty afterwards."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.glob("twinplay-*")) == []


def loaded(session: Session, **settings: object) -> Dataset:
    data = Dataset([session], TrainConfig.for_env(session.spec.name, **settings))
    list(data.load())
    return data


def bytes_in(folder: Path) -> int:
    found = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # what is read ahead comes and goes
            found += file.stat().st_size if file.is_file() else 0
    return found


@pytest.mark.parametrize("kind", ["play", "noise", "still", "one", "uneven"])
def test_packed_screens_come_back_as_they_were(breakout: Session, tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(0)
    preprocess = Preprocess.of(TrainConfig.for_env("breakout", network="nature"))
    runs = {
        "play": lambda: [preprocess.from_stored(breakout.screens(0, 700), breakout.palette)],
        "noise": lambda: [rng.integers(0, 128, (130, 84, 84), np.uint8)],
        "still": lambda: [np.full((130, 84, 84), 9, np.uint8)],
        "one": lambda: [rng.integers(0, 128, (1, 84, 84), np.uint8)],
        "uneven": lambda: [rng.integers(0, 2, (n, 84, 84), np.uint8) for n in (1, 119, 120, 121, 2)],
    }[kind]()
    store = PackedFrames(tmp_path, (84, 84), 1 << 30)
    for run in runs:
        store.append(run)
    store.seal()
    screens = np.concatenate(runs)
    positions = rng.integers(0, len(screens), 300)
    np.testing.assert_array_equal(store.take(positions), screens[positions])
    np.testing.assert_array_equal(store.take(np.arange(len(screens))), screens)
    assert store.take(np.arange(0)).shape == (0, 84, 84)


def test_packed_play_takes_a_thirtieth_of_its_pixels(minute: Session, tmp_path: Path) -> None:
    store = PackedFrames(tmp_path, (84, 84), 1 << 30)
    store.append(
        Preprocess.of(TrainConfig.for_env("breakout", network="nature")).from_stored(
            minute.screens(0, 3_000), minute.palette
        )
    )
    store.seal()
    assert bytes_in(tmp_path) < 3_000 * 84 * 84 / 30


def test_a_limit_of_bytes_is_kept_and_what_was_stored_before_can_be_had(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    screens = rng.integers(0, 2, (120, 84, 84), np.uint8)
    store = PackedFrames(tmp_path, (84, 84), 2_000_000)
    store.append(screens)
    with pytest.raises(NoRoomError):
        store.append(screens)
    store.seal()
    assert bytes_in(tmp_path) <= 2_000_000
    np.testing.assert_array_equal(store.take(np.arange(120)), screens)
    vectors = PlainRows(tmp_path, (11,), "float32", 7_000)
    vectors.append(np.ones((100, 11), np.float32))
    with pytest.raises(NoRoomError):
        vectors.append(np.ones((100, 11), np.float32))
    vectors.seal()
    assert vectors.take(np.array([99])).tolist() == [[1.0] * 11]


@pytest.mark.parametrize(
    ("env", "settings", "room"),
    [
        ("minute", {}, SMALL),
        ("minute", {"label_shifts": (0, 20)}, SMALL),
        ("hopper", {"network": "lstm", "label_shifts": (0, 5)}, SMALL_HOPPER),
    ],
)
def test_a_pool_gives_the_very_samples_that_all_at_hand_would_give(
    request: pytest.FixtureRequest, env: str, settings: dict[str, object], room: int
) -> None:
    session: Session = request.getfixturevalue(env)
    everything, pooled = loaded(session, **settings), loaded(session, cache_bytes=room, **settings)
    try:
        assert pooled._sampler is not None
        assert pooled._sampler.pooled
        rng = np.random.default_rng(0)
        drawn = set()
        for _ in range(10):
            rows = pooled._sampler.draw(rng, 64)
            drawn |= set(rows.tolist())
            shifts = rng.integers(0, len(pooled.config.label_shifts), len(rows))
            here, there = pooled._gather(rows, shifts), everything._gather(rows, shifts)
            np.testing.assert_array_equal(here.inputs, there.inputs)
            np.testing.assert_array_equal(here.labels, there.labels)
        assert drawn <= {row for block in everything.train_rows.blocks() for row in block.tolist()}
        assert everything.fingerprint() == pooled.fingerprint()
        for here, there in zip(
            pooled.validation_batches(100, 400), everything.validation_batches(100, 400), strict=True
        ):
            np.testing.assert_array_equal(here.inputs, there.inputs)
            np.testing.assert_array_equal(here.labels, there.labels)
    finally:
        everything.close()
        pooled.close()


def test_vectors_are_those_that_were_seen(hopper: Session) -> None:
    data = loaded(hopper)
    rows = np.random.default_rng(0).integers(0, len(hopper), 200)
    batch = data._gather(rows, np.zeros(len(rows), int))
    data.close()
    np.testing.assert_array_equal(batch.inputs, hopper.observations[:][rows].astype(np.float32))
    np.testing.assert_array_equal(batch.labels, hopper.actions[rows])


def test_batches_are_as_diverse_as_shuffled_ones_and_those_of_a_pool_nearly(tmp_path: Path) -> None:
    """Of 16 sessions; see tests.benchmarks.mixing, whose shuffle buffer of the same size comes nowhere near."""
    count, ticks = 16, 1_000
    sessions = material(tmp_path, count, ticks)
    total, batches = count * ticks, 100
    rng = np.random.default_rng(5)
    found = {}
    for name, room in (("all", 2_000_000), ("pool", 900_000)):
        draw, close, _, share = draws(sessions, room)
        found[name] = figures(draw, total, count, batches)
        assert (share < 0.5) == (name == "pool")
        size = int(share * total)
        close()
    found["buffer"] = figures(shuffle_buffer(total, size, rng), total, count, batches)
    for name, least in (("all", 15.0), ("pool", 7.0)):
        assert found[name]["sessions"] > least  # 128 independent samples hold 15.995 of the 16
        assert 0.9 < found[name]["distance"] < 1.1
        assert found[name]["spread of places"] < (1.4 if name == "all" else 6)
        assert found[name]["spread of sessions"] < (1.4 if name == "all" else 12)
    assert found["buffer"]["spread of places"] > 20
    assert found["buffer"]["distance"] < 0.7


def test_temporary_files_stay_within_their_room(minute: Session, temporary: Path) -> None:
    data = loaded(minute, cache_bytes=SMALL, batch_size=1_024)
    rng = np.random.default_rng(0)
    try:
        seen = [bytes_in(temporary)]
        for _ in range(16):
            data.draw(rng, 64)
            seen.append(bytes_in(temporary))
        for _ in data.validation_batches(256, 4_096):
            seen.append(bytes_in(temporary))
        assert max(seen) <= SMALL
        assert data._sampler is not None
        assert data._sampler._number >= 1  # pools were replaced
    finally:
        data.close()


def test_pools_come_from_the_whole_recording_and_leave_little_of_it_out(hopper: Session) -> None:
    data = loaded(hopper, cache_bytes=SMALL_HOPPER, batch_size=600)
    rng = np.random.default_rng(0)
    assert data._sampler is not None
    try:
        pools: dict[int, set[int]] = {}
        for _ in range(80):
            rows = data._sampler.draw(rng, 600).tolist()
            pools.setdefault(data._sampler._number, set()).update(rows)
        train = {row for block in data.train_rows.blocks() for row in block.tolist()}
        assert len(pools) > 8
        assert all(len(pool) / len(train) < 0.5 for pool in pools.values())
        assert len(set().union(*pools.values())) > 0.95 * len(train)
        mix, count = data._sampler, len(data._sampler._pieces)
        stream = mix._pieces_of(0)[: mix._first] + [
            piece for number in range(1, 20) for piece in mix._pieces_of(number)
        ]
        one, two, three = (stream[k : k + count] for k in (0, count, 2 * count))
        assert sorted(each.start for each in one) == sorted(each.start for each in two)  # nothing twice in a pass
        assert one != two != three  # each pass in an order of its own
    finally:
        data.close()


def test_a_pooled_training_that_is_paused_goes_on_with_the_same_draws(
    hopper: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[list[int]] = []
    draw = Sampler.draw

    def noted(self: Sampler, rng: np.random.Generator, count: int) -> np.ndarray:
        rows = draw(self, rng, count)
        drawn.append(rows.tolist())
        return rows

    monkeypatch.setattr(Sampler, "draw", noted)
    settings = {"max_batches": 30, "batch_size": 600, "play_games": 0, "cache_bytes": SMALL_HOPPER, "threads": 1}
    config = TrainConfig.for_env("hopper", **settings)
    list(fit([hopper], config, out=tmp_path / "whole.safetensors"))
    whole = list(drawn)
    drawn.clear()
    checkpoint = tmp_path / "checkpoint.safetensors"
    training = fit([hopper], config, out=tmp_path / "p.safetensors", checkpoint=checkpoint)
    for progress in training:
        if progress.stage == "train" and progress.batch >= 10:
            break
    training.close()
    assert len(drawn) < 30
    list(fit([hopper], config, out=tmp_path / "p.safetensors", checkpoint=checkpoint))
    assert drawn == whole


def test_what_a_killed_process_left_is_removed_by_the_next_one(temporary: Path) -> None:
    code = (
        "import os, signal, sys, tempfile; tempfile.tempdir = sys.argv[1]; "
        "from trainer.data.temporary import TemporaryFolder; "
        "scratch = TemporaryFolder(); (scratch.path / 'file').write_text('x'); print(scratch.path, flush=True); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[2]
    killed = subprocess.run([sys.executable, "-c", code, str(temporary)], cwd=root, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL
    left = Path(killed.stdout.strip())
    assert (left / "file").exists()
    mine = TemporaryFolder()
    try:
        assert not left.exists()
        remove_abandoned(temporary)
        assert mine.path.is_dir()  # what is in use stays
        assert sorted(path.name for path in temporary.iterdir()) == [mine.path.name, f"{mine.path.name}.lock"]
        assert mine.path.stat().st_mode & 0o077 == 0
    finally:
        mine.close()


def test_only_ones_own_files_are_cleared_up(temporary: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    (temporary / "twinplay-x.lock").touch()
    os.symlink(outside, temporary / "twinplay-x")
    os.symlink(outside / "kept", temporary / "twinplay-y.lock")
    remove_abandoned(temporary)
    assert (outside / "kept").exists()
    for file in temporary.iterdir():
        file.unlink()


def test_room_for_less_than_ten_seconds_is_refused(breakout: Session) -> None:
    data = Dataset([breakout], TrainConfig.for_env("breakout", cache_bytes=100_000))
    with pytest.raises(TrainingError, match="are too little for ten seconds of play; free some disk space"):
        list(data.load())
    data.close()


def test_a_full_disk_is_told_in_a_sentence(breakout: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    data = Dataset([breakout], TrainConfig.for_env("breakout"))
    monkeypatch.setattr("trainer.data.frame_codec.PackedFrames.append", full)
    with pytest.raises(TrainingError, match=r"No space left on device.*free some disk space, or set TMPDIR"):
        list(data.load())
    data.close()


def test_an_action_that_the_environment_has_not_is_refused(breakout: Session, tmp_path: Path) -> None:
    import zarr

    path = tmp_path / breakout.path.name
    shutil.copytree(breakout.path, path)
    zarr.open_group(path, mode="r+")["action"][5] = 9
    data = Dataset([Session.open(path)], TrainConfig.for_env("breakout"))
    with pytest.raises(TrainingError, match=r"has action 9, but the actions of .* are 0 to 3"):
        list(data.load())
    data.close()
