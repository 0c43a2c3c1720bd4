"""What earlier versions wrote still opens, verifies, trains, plays and resumes.

tests/formats/version-0.1/   made by commit 647d91c, and never made anew:
  library/       a session of each environment, a policy of each, a paused run
  config/        the window's settings and keys, as the user's configuration folder holds them (tests/ui)
  expected.json  what that commit read in them: ticks, digests and scores of sessions; what policies answer
  learned.json   what that commit learned from them (tests/trainer/test_earlier_weights.py)
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorstore
import zarr

from player.cli import main
from recorder import Library, Session, record
from recorder.agents.experts import scripted
from recorder.errors import SessionError
from trainer import Policy, PolicyError, TrainConfig
from trainer.evaluation.evaluate import evaluate
from trainer.policy.header import POLICY_KEY, read_header
from trainer.policy.tensors import write_tensors
from trainer.runs.runs import Runs, RunState
from trainer.runs.work import perform

WRITTEN = Path(__file__).parent / "formats" / "version-0.1"
EXPECTED: dict[str, Any] = json.loads((WRITTEN / "expected.json").read_text())
SESSIONS: dict[str, Any] = EXPECTED["sessions"]
POLICIES: dict[str, Any] = EXPECTED["policies"]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A copy, as if the library had moved."""
    return Path(shutil.copytree(WRITTEN / "library", tmp_path / "library"))


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_opens_with_all_that_is_in_it(library: Path, name: str) -> None:
    session = Session.open(library / name)
    assert len(session) == SESSIONS[name]["ticks"]
    assert session.digest() == SESSIONS[name]["digest"]
    assert session.scores == SESSIONS[name]["scores"]
    assert session.player["kind"] == "scripted"
    assert session.latency is None  # measured since later


def test_what_was_thought_of_a_session_is_still_known(library: Path) -> None:
    summary = next(each for each in Library(library).sessions() if each.env == "breakout")
    assert (summary.title, list(summary.tags), summary.notes) == ("The first one", ["small"], "Made by version 0.1.")
    session = Session.open(summary.path)
    assert session.to_learn(session.episodes[0]) == [range(120), range(180, 720)]


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_verifies(library: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(library / name)]) == 0
    assert f"verified, {SESSIONS[name]['ticks']} ticks bit for bit" in capsys.readouterr().out


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_reads_the_same_with_plain_zarr(name: str) -> None:
    group = zarr.open_group(WRITTEN / "library" / name, mode="r")
    session = Session.open(WRITTEN / "library" / name)
    ticks = SESSIONS[name]["ticks"]
    np.testing.assert_array_equal(np.asarray(group["action"])[:ticks], session.actions[:])
    np.testing.assert_array_equal(np.asarray(group["reward"])[:ticks], session.rewards)
    if session.spec.name == "breakout":
        np.testing.assert_array_equal(np.asarray(group["screen"])[:ticks], session.screens(0, ticks))
    else:
        np.testing.assert_array_equal(np.asarray(group["observation"])[:ticks], session.vectors(0, ticks))


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_reads_the_same_without_zarr_python(name: str) -> None:
    same_in_tensorstore(WRITTEN / "library" / name)


@pytest.mark.parametrize("env", ["breakout", "hopper"])
def test_what_is_written_today_reads_the_same_without_zarr_python(env: str, tmp_path: Path) -> None:
    session = record(env, scripted(env, 0), library=tmp_path, seconds=5, seed=0)
    same_in_tensorstore(session.path)


def same_in_tensorstore(session: Path) -> None:
    """TensorStore has its own implementation of Zarr v3 and of every codec, in C++."""
    arrays = sorted(path.parent for path in session.rglob("zarr.json") if '"array"' in path.read_text())
    assert len(arrays) > 20
    for array in arrays:
        location = {"driver": "file", "path": f"{array}/"}
        read = tensorstore.open({"driver": "zarr3", "kvstore": location}, read=True).result().read().result()
        expected = np.asarray(zarr.open_array(array, mode="r"))
        assert (read.dtype, read.shape) == (expected.dtype, expected.shape)
        assert read.tobytes() == expected.tobytes(), array.name


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_trains(library: Path, name: str) -> None:
    out = library / "new.safetensors"
    options = ["--max-batches", "4", "--set", "play_games=0", "--set", "play_ticks=60", "--no-run", "--out", str(out)]
    assert main(["train", str(library / name), *options, "--library", str(library)]) == 0
    assert Policy.load(out).header["sessions"][0]["digest"] == SESSIONS[name]["digest"]


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_answers_as_it_did(name: str) -> None:
    policy = Policy.load(WRITTEN / "library" / "policies" / name, seed=0)
    told = POLICIES[name]
    session = next(each for each in map(opened, SESSIONS) if each.spec.name == policy.spec.name)
    policy.reset()
    for tick, observation in enumerate(session.observations[: told["ticks"][-1] + 1]):
        action = policy.act(observation)
        if tick in told["ticks"]:
            answer = action if policy.probabilities is None else policy.probabilities
            np.testing.assert_allclose(answer, told["answers"][told["ticks"].index(tick)], atol=2e-3)


def opened(name: str) -> Session:
    return Session.open(WRITTEN / "library" / name)


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_plays_and_is_filmed(library: Path, name: str) -> None:
    policy = library / "policies" / name
    *_, last = evaluate(policy, episodes=1, players=("clone",))
    assert last.report is not None
    assert last.report.rows[0].player == "clone"
    session = next(each for each in SESSIONS if policy.stem in each)
    video = library / "side by side.mp4"
    assert main(["watch", str(library / session), str(policy), "--video", str(video), "--seconds", "0.5"]) == 0
    assert video.stat().st_size > 2_000


def test_a_paused_run_is_gone_on_with(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run,) = (path for path in (library / "runs").iterdir() if path.is_dir() and not path.name.startswith("."))
    assert main(["runs", "--library", str(library)]) == 0
    assert "paused" in capsys.readouterr().out
    before = json.loads((run / "state.json").read_text())["batches"]
    assert main(["train", "--resume", run.name, "--library", str(library), "--json"]) == 0
    steps = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert f"resuming after {before} batches" in [step["message"] for step in steps]
    assert json.loads((run / "state.json").read_text())["state"] == "done"
    assert Policy.load(library / "policies" / f"{run.name}.safetensors").header["training"]["batches"] == 3_000


def test_what_a_newer_version_wrote_is_refused_with_what_to_install(library: Path) -> None:
    session = next(library.glob("*breakout.zarr"))
    metadata = json.loads((session / "zarr.json").read_text())
    metadata["attributes"]["version"] = 2
    (session / "zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(SessionError, match=r"newer Twinplay wrote it \(format version 2, this one reads 1\); install"):
        Session.open(session)
    policy = library / "policies" / "hopper.safetensors"
    header = {**read_header(policy), "version": 2}
    write_tensors(policy, Policy.load(policy).net.state_dict(), POLICY_KEY, header)
    with pytest.raises(PolicyError, match=r"newer Twinplay wrote it .*; install a newer Twinplay$"):
        Policy.load(policy)
    config = next(library.glob("runs/*/config.json"))
    config.write_text(json.dumps({**json.loads(config.read_text()), "version": 2}))
    problem = Runs(library).get(config.parent.name).problem
    assert problem.endswith("install a newer Twinplay")


def test_fields_that_a_later_version_adds_do_no_harm_and_stay(library: Path) -> None:
    session = next(library.glob("*breakout.zarr"))
    metadata = json.loads((session / "zarr.json").read_text())
    metadata["attributes"] |= {"mood": "cheerful"}
    metadata["attributes"]["env"] |= {"weather": "fine"}
    (session / "zarr.json").write_text(json.dumps(metadata))
    assert main(["edit", str(session), "--title", "Another"]) == 0
    attributes = Session.open(session).attributes
    assert (attributes["title"], attributes["mood"]) == ("Another", "cheerful")
    assert attributes["env"]["weather"] == "fine"
    policy = library / "policies" / "hopper.safetensors"
    header = read_header(policy)
    header |= {"mood": "calm", "config": {**header["config"], "weather": 1}, "play": {**header["play"], "weather": 2}}
    write_tensors(policy, Policy.load(policy).net.state_dict(), POLICY_KEY, header)
    assert Policy.load(policy).header["mood"] == "calm"
    config = next(library.glob("runs/*/config.json"))
    values = json.loads(config.read_text())
    values |= {"mood": "patient", "config": {**values["config"], "weather": 1}}
    config.write_text(json.dumps(values))
    runs, run = Runs(library), config.parent.name
    runs.enqueue(run)
    before = runs.get(run).status.batches
    for step in perform(runs, run):
        if step.batch > before:  # another test goes all the way
            runs.request(run, "stop")
    assert (runs.get(run).status.state, runs.get(run).status.stopped_early) == (RunState.DONE, True)
    kept = json.loads(config.read_text())
    assert (kept["mood"], kept["config"]["weather"]) == ("patient", 1)


def test_a_run_that_could_not_see_goes_on_with_the_defaults_it_began_with() -> None:
    former = TrainConfig.for_env("breakout", batch_size=256, learning_rate=1e-3).to_json()
    del former["scout"]
    nature = TrainConfig.for_env("breakout", network="nature")
    assert TrainConfig.from_json(former).without_perception("breakout") == nature
    chosen = TrainConfig.for_env("breakout", batch_size=64).without_perception("breakout")
    assert chosen.batch_size == 64
