"""Runs on disk: what their folders tell, what is refused, and training them."""

from __future__ import annotations

import json
import os
import signal
import struct
import time
from collections.abc import Callable
from pathlib import Path

import google_crc32c
import pytest

from recorder import RandomAgent, Session, get_spec, record
from recorder.errors import UsageError
from recorder.library.edits import edit
from recorder.library.merging import merging
from recorder.system.jobs import Detached
from tests.trainer.conftest import TINY
from tests.waiting import PATIENCE_S
from trainer import Policy, Progress, TrainConfig
from trainer.errors import RunError
from trainer.policy.header import facts, read_header
from trainer.presets import PRESETS
from trainer.progress.curves import Curves
from trainer.progress.records import Follower
from trainer.progress.tensorboard import EventWriter
from trainer.runs.policy_library import Policies
from trainer.runs.runs import CHECKPOINT, PROGRESS, Runs, RunState, Status
from trainer.runs.work import perform, work

SMALL = {"max_batches": 30, "validations": 3, "checks": 0, "play_games": 0, "threads": 1}


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def a_run(runs: Runs, session: Session, **changes: object) -> str:
    config = TrainConfig.for_env(session.spec.name, **{**SMALL, **changes})
    return runs.create([session], config, preset="quick").id


def test_a_run_tells_all_in_its_folder(runs: Runs, hopper: Session) -> None:
    run = a_run(runs, hopper, play_games=1, play_ticks=60, checks=1)
    records = list(perform(runs, run))
    found = runs.get(run)
    assert found.status.state is RunState.DONE
    assert (found.status.batches, found.status.score) == (30, records[-1].score)
    assert found.setup is not None
    assert found.setup.sources[0].digest == hopper.digest()
    assert found.policy is not None
    assert Policy.load(found.policy).header["run"] == run
    names = {path.name.split(".out.")[0] for path in found.folder.iterdir()}
    assert names == {"config.json", "state.json", "progress.jsonl", "log.txt", "events"}
    told = Follower(found.folder / PROGRESS).read()
    assert told[-1] == records[-1]
    assert [r.val_loss for r in told if r.score is not None] == [r.val_loss for r in records if r.score is not None]
    assert "reading" in runs.read_log(run)
    assert runs.read_log(run).rstrip().endswith("done")


def test_a_paused_run_goes_on_and_its_curves_join(runs: Runs, hopper: Session) -> None:
    run = a_run(runs, hopper, max_batches=400)
    for step in perform(runs, run):
        if step.stage == "train" and step.batch:
            runs.request(run, "pause")
    paused = runs.get(run)
    assert paused.status.state is RunState.PAUSED
    assert 0 < paused.status.batches < 400
    assert (paused.folder / CHECKPOINT).exists()
    runs.enqueue(run)
    list(perform(runs, run))
    assert runs.get(run).status.batches == 400
    assert not (paused.folder / CHECKPOINT).exists()
    curves = Curves()
    for point in Follower(paused.folder / PROGRESS).read():
        curves.take(point)
    assert curves.val_batch == sorted(set(curves.val_batch))
    assert curves.batch[0] <= paused.status.batches < curves.batch[-1]
    assert len(curves.val_batch) == 3
    assert len(list(paused.folder.glob("events.out.tfevents.*"))) == 2


def test_a_stopped_run_keeps_its_clone_and_cannot_go_on(runs: Runs, hopper: Session) -> None:
    run = a_run(runs, hopper, max_batches=100_000)
    for step in perform(runs, run):
        if step.batch:
            runs.request(run, "stop")
    found = runs.get(run)
    assert (found.status.state, found.status.stopped_early, found.resumable) == (RunState.DONE, True, False)
    assert found.policy is not None
    assert found.policy.exists()
    assert not (found.folder / CHECKPOINT).exists()
    with pytest.raises(RunError, match="cannot be resumed: it is done"):
        runs.enqueue(run)


def test_a_request_to_end_pauses_and_keeps_the_checkpoint(runs: Runs, hopper: Session) -> None:
    run = a_run(runs, hopper, max_batches=100_000)
    before = signal.getsignal(signal.SIGTERM)
    for step in perform(runs, run):
        if step.batch:
            os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
    found = runs.get(run)
    assert (found.status.state, found.status.reason) == (RunState.PAUSED, "the training process was asked to stop")
    assert (found.folder / CHECKPOINT).exists()


def test_an_error_fails_the_run_with_its_sentence_and_leaves_the_next_one_its_turn(
    runs: Runs, hopper: Session, breakout: Session, tmp_path: Path
) -> None:
    broken = a_run(runs, hopper, network="nature")
    fine = a_run(runs, hopper)
    work(str(tmp_path))
    assert runs.get(broken).status.state is RunState.FAILED
    assert "'nature' does not fit Hopper" in runs.get(broken).status.reason
    assert runs.get(broken).resumable
    assert runs.get(fine).status.state is RunState.DONE


def test_a_detached_process_works_off_the_queue_and_its_death_leaves_a_run_that_goes_on(
    runs: Runs, hopper: Session, tmp_path: Path
) -> None:
    run = a_run(runs, hopper, max_batches=100_000, batch_size=8, validations=1_000)
    worker = Detached("trainer.runs.work:work", {"library": str(tmp_path)}, tmp_path / "worker.log")

    def wait_for(condition: Callable[[], object]) -> None:
        while not condition():
            assert worker.poll(), (tmp_path / "worker.log").read_text()
            time.sleep(0.02)  # its core is also the worker's

    wait_for(Follower(runs.path(run) / PROGRESS).read)
    assert runs.is_locked(run)
    assert runs.is_locked()
    assert runs.settle() == []
    wait_for((runs.path(run) / CHECKPOINT).exists)
    os.kill(runs.get(run).status.pid, signal.SIGKILL)
    assert worker.join(PATIENCE_S)
    assert worker.error == "the process ended unexpectedly (signal 9), often because memory ran out"
    (lost,) = runs.settle(worker.error)
    assert (lost.id, lost.status.state, lost.resumable) == (run, RunState.INTERRUPTED, True)
    runs.enqueue(run)
    for step in perform(runs, run):
        if step.stage == "train":
            assert step.batch >= 500
            runs.request(run, "stop")


def test_the_queue_is_worked_off_in_order_and_one_at_a_time(runs: Runs, hopper: Session, tmp_path: Path) -> None:
    first, second = a_run(runs, hopper), a_run(runs, hopper)
    assert first < second
    assert [run.id for run in runs.queued()] == [first, second]
    runs.request(first, "pause")
    assert [run.id for run in runs.queued()] == [second]
    runs.enqueue(first)
    assert [run.id for run in runs.queued()] == [second, first]
    with runs.lock("").acquire(timeout=0):
        assert runs.is_locked()
    with runs.lock(second).acquire(timeout=0), pytest.raises(RunError, match="trained by another process"):
        list(perform(runs, second))


def test_runs_of_one_second_are_in_the_order_in_which_they_were_made(
    runs: Runs, breakout: Session, hopper: Session
) -> None:
    made = [
        runs.create([session], TrainConfig.for_env(session.spec.name)).id for session in (breakout, breakout, hopper)
    ]
    assert [run.id for run in runs.all()] == made[::-1]


def test_a_session_that_has_changed_or_gone_fails_the_run(runs: Runs, hopper: Session) -> None:
    run = a_run(runs, hopper)
    path = runs.path(run) / "config.json"
    setup = json.loads(path.read_text())
    for change, complaint in (({"digest": "0" * 64}, "has changed"), ({"path": "/nowhere/x.zarr"}, "no longer exists")):
        path.write_text(json.dumps({**setup, "sources": [{**setup["sources"][0], **change}]}))
        runs.set_status(run, Status())
        list(perform(runs, run))
        assert complaint in runs.get(run).status.reason


@pytest.mark.parametrize("name", ["..", "../policies", "", "a/b", "/etc", ".locks", "missing", "x" * 200])
def test_names_that_are_no_runs_are_refused(runs: Runs, hopper: Session, name: str) -> None:
    a_run(runs, hopper)
    with pytest.raises(RunError, match="has no run named"):
        runs.get(name)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", "{"),
        ("config.json", "[]"),
        ("config.json", '{"format": "twinplay-run", "version": 1}'),
        ("config.json", "[" * 100_000),
        ("policy", "../../elsewhere.safetensors"),
        ("policy", "sub/x.safetensors"),
        ("config", {"network": "nature", "size": 10**9}),
        ("sources", [{"path": 7}]),
        ("state.json", "not json"),
        ("state.json", '{"state": "dancing"}'),
        ("state.json", '{"state": "done", "batches": "many"}'),
    ],
)
def test_damaged_files_are_told_in_a_sentence(runs: Runs, hopper: Session, file: str, content: object) -> None:
    run = a_run(runs, hopper)
    folder = runs.path(run)
    if file.endswith(".json"):
        (folder / file).write_text(str(content))
    else:
        setup = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**setup, file: content}))
        file = "config.json"
    (found,) = runs.all()
    assert found.status.state is RunState.FAILED
    assert f"{file} cannot be read" in found.status.reason
    assert "\n" not in found.status.reason
    assert runs.queued() == []


def test_damaged_progress_is_passed_over_and_half_a_line_is_waited_for(tmp_path: Path) -> None:
    good = json.dumps(Progress("train", 0.5, 3, loss=1.0).to_json())
    path = tmp_path / "progress.jsonl"
    path.write_text(f'garbage\n{{"stage": "dance"}}\n{{"stage": "train", "loss": "x"}}\n{good}\n{good[:20]}')
    follower = Follower(path)
    assert [step.batch for step in follower.read()] == [3]
    with path.open("a") as file:
        file.write(good[20:] + "\n")
    assert [step.batch for step in follower.read()] == [3]
    assert follower.read() == []


def test_points_that_a_killed_run_tells_again_are_replaced() -> None:
    curves = Curves()
    for batch, loss in ((10, 1.0), (20, 0.8), (30, 0.7), (15, 0.9), (25, 0.75)):
        curves.take(Progress("train", 0.1, batch, loss=loss, val_loss=loss, score=float(batch)))
    assert curves.batch == curves.val_batch == curves.play_batch == [10, 15, 25]
    assert curves.loss == [1.0, 0.9, 0.75]


def test_a_run_goes_to_the_trash_and_comes_back(runs: Runs, hopper: Session) -> None:
    run = a_run(runs, hopper)
    with runs.lock(run).acquire(timeout=0), pytest.raises(RunError, match="stop it first"):
        runs.trash(run)
    trashed = runs.trash(run)
    assert runs.all() == []
    runs.restore(trashed)
    assert [found.id for found in runs.all()] == [run]


def test_tensorboard_can_read_the_curves(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path)
    writer.scalar("loss", 0.5, 300)
    writer.close()
    (file,) = tmp_path.iterdir()
    data, events = file.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        for part, crc in ((data[:8], data[8:12]), (data[12 : 12 + length], data[12 + length : 16 + length])):
            plain = int(google_crc32c.value(part))
            masked = (((plain >> 15) | (plain << 17)) + 0xA282EAD8) & 0xFFFFFFFF
            assert struct.unpack("<I", crc) == (masked,)
        events.append(data[12 : 12 + length])
        data = data[16 + length :]
    assert events[0][9:] == b"\x1a\x0dbrain.Event:2"
    # step 300 is a varint of two bytes; Summary { Value { tag "loss", simple_value 0.5 } }
    assert events[1][9:] == b"\x10\xac\x02" + b"\x2a\x0d\x0a\x0b" + b"\x0a\x04loss" + b"\x15" + struct.pack("<f", 0.5)


@pytest.mark.parametrize("env", ["breakout", "hopper"])
def test_presets_differ_in_time_and_games_alone(env: str) -> None:
    quick, standard, best = (TrainConfig.for_env(env, preset=preset) for preset in PRESETS)
    for lesser, greater in ((quick, standard), (standard, best)):
        budgets = [config.max_seconds or config.max_batches or 0 for config in (lesser, greater)]
        assert budgets[0] < budgets[1]
        assert lesser.play_games < greater.play_games
        names = {key for key, value in lesser.to_json().items() if value != greater.to_json()[key]}
        assert names <= {"max_seconds", "max_batches", "checks", "play_games", "play_ticks"}
    assert "then a few test games" in best.budget_text


def test_a_run_of_breakout_tells_its_confusion(runs: Runs, breakout: Session) -> None:
    config = TrainConfig.for_env("breakout", **{**TINY, "play_games": 0, "batch_size": 8, "max_batches": 3})
    run = runs.create([breakout], config).id
    list(perform(runs, run))
    tables = [point.confusion for point in Follower(runs.path(run) / PROGRESS).read() if point.confusion]
    assert len(tables) == 3
    with pytest.raises(UsageError, match="no session is chosen"):
        runs.create([], config)


def test_play_that_several_sessions_hold_is_counted_once_and_what_is_left_out_not_at_all(tmp_path: Path) -> None:
    agent = RandomAgent(get_spec("hopper"))
    first, second = (record("hopper", agent, library=tmp_path, episodes=3, seed=seed) for seed in (1, 2))
    *_, merged = merging([first.path, second.path], tmp_path)
    game = first.episodes[1]
    edit(first.path, excluded={game.index: True})
    sessions = [Session.open(path) for path in (first.path, merged.made[0], second.path)]
    kept = Runs(tmp_path)
    run = kept.create(sessions, TrainConfig.for_env("hopper", **SMALL), episodes={second.name: [0]})
    assert run.setup is not None
    ticks = [source.minutes * 60 * 125 for source in run.setup.sources]
    assert ticks == pytest.approx([len(first) - len(game), len(second) + len(game), 0])
    assert run.setup.sources[2].amount == "adds no play"
    list(perform(kept, run.id))
    assert run.policy is not None
    assert [each.learned for each in facts(read_header(run.policy)).sessions] == pytest.approx(ticks)
    assert Policies(tmp_path).summary(run.policy).minutes * 60 * 125 == pytest.approx(sum(ticks))
