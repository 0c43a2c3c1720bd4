"""Several processes, started by the real torchrun, train as one would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from player.cli.parser import build_parser as whole_parser
from recorder import Session
from tests.trainer import test_earlier_weights as earlier
from tests.trainer.distributed_job import EVERY, take_steps
from trainer import Policy, TrainConfig, fit
from trainer.__main__ import build_parser, main
from trainer.data.dataset import Dataset
from trainer.distributed import ProcessGroup

ROOT = Path(__file__).parents[2]


class Place(ProcessGroup):
    """One of several processes, as its data see it."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size


def torchrun(*arguments: object, restarts: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the tests' job in two processes that find each other over loopback."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["--max-restarts", str(restarts), "-m", "tests.trainer.distributed_job", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def tiny(env: str, **changes: object) -> TrainConfig:
    tiny = {"precision": "float32", "threads": 1, "checks": 0, "play_games": 0}
    return TrainConfig.for_env(env, **{**tiny, **changes})


def test_the_parts_of_a_batch_are_the_batch(breakout: Session) -> None:
    config = tiny("breakout", max_batches=1, validation_share=0.3, label_shifts=(0, 9))
    parts = {size: [Dataset([breakout], config, group=Place(rank, size)) for rank in range(size)] for size in (1, 3)}
    ((whole,), some) = parts.values()
    try:
        for data in (whole, *some):
            list(data.load())
        expected = whole.draw(np.random.default_rng(3), 200)
        found = [data.draw(np.random.default_rng(3), 200) for data in some]
        assert sorted(np.concatenate([batch.places for batch in found]).tolist()) == list(range(200))
        for batch in found:
            np.testing.assert_array_equal(batch.inputs, expected.inputs[batch.places])
            np.testing.assert_array_equal(batch.labels, expected.labels[batch.places])
            assert 0.7 < 3 * len(batch.places) / batch.size < 1.4
        judged = [batch.inputs.sum() for batch in some[0].validation_batches(256, 4_096)]
        assert judged == [batch.inputs.sum() for batch in whole.validation_batches(256, 4_096)]
    finally:
        for data in (whole, *some):
            data.close()


@pytest.fixture(scope="module")
def cases(breakout: Session, hopper: Session) -> dict[str, tuple[Session, TrainConfig]]:
    return {
        "screens": (breakout, tiny("breakout", network="nature", max_batches=5, batch_size=24, label_shifts=(0, 6))),
        "places": (breakout, tiny("breakout", max_batches=5, batch_size=24, label_shifts=(0, 6), dropout=0.0)),
        # Each time one of them has none.
        "one place": (breakout, tiny("breakout", max_batches=3, batch_size=1, dropout=0.0)),
        "one": (breakout, tiny("breakout", network="nature", max_batches=5, batch_size=1)),
        "memory": (hopper, tiny("hopper", max_batches=5, network="lstm", batch_size=6)),
    }


@pytest.fixture(scope="module")
def together(cases: dict[str, tuple[Session, TrainConfig]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes left, in one run."""
    folder = tmp_path_factory.mktemp("together")
    steps = {
        name: {"session": str(session.path), "config": config.to_json()} for name, (session, config) in cases.items()
    }
    (folder / "cases.json").write_text(json.dumps(steps))
    trainings = {
        env: {"session": str(earlier.session(env)), "config": earlier.config(env).to_json()} for env in earlier.ENVS
    }
    (folder / "trainings.json").write_text(json.dumps(trainings))
    done = torchrun(folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("env", earlier.ENVS)
def test_two_processes_learn_the_weights_that_they_learned_in_version_0_1(env: str, together: Path) -> None:
    losses = json.loads((together / f"{env}.json").read_text())
    earlier.check_learned(env, 2, losses, together / f"{env}.safetensors")


def test_two_processes_take_the_same_step_as_one_with_the_whole_batch_and_read_half(
    breakout: Session, cases: dict[str, tuple[Session, TrainConfig]], together: Path
) -> None:
    for name, (session, config) in cases.items():
        expected = take_steps(session, config, ProcessGroup())
        assert max(float(value.abs().max()) for key, value in expected.items() if key.endswith(".grad")) > 1e-3
        first, second = (load_file(together / f"{rank}-{name}") for rank in range(2))
        for key, value in expected.items():
            assert torch.equal(first[key], second[key]), (name, key)
            torch.testing.assert_close(first[key], value, rtol=0, atol=1e-5, msg=lambda text, key=key: f"{key}: {text}")
    facts = [json.loads((together / f"{rank}.json").read_text()) for rank in range(2)]
    assert facts[0]["told"] == ["TrainingError", "process 1 of this training failed to start: its disk is full"]
    assert facts[1]["told"][0] == "ToldElsewhereError"
    assert not any(each["compiler"] for each in facts)
    read = [each["read"]["screens"] / len(breakout) for each in facts]
    assert read[0] + read[1] >= 1
    assert max(read) < 0.7  # a tenth of it validates, and it is read by the chunk


def close(one: Path, other: Path) -> bool:
    weights = [Policy.load(path).net.state_dict() for path in (one, other)]
    return all(torch.allclose(weights[0][name].float(), weights[1][name].float(), atol=1e-4) for name in weights[0])


def arguments(session: Session, config: TrainConfig, out: Path) -> list[object]:
    settings = [
        f"{name}={json.dumps(getattr(config, name))}" for name in ("precision", "threads", "checks", "play_games")
    ]
    return [
        session.path,
        "--out",
        out,
        "--max-batches",
        config.max_batches,
        *(x for s in settings for x in ("--set", s)),
    ]


def test_when_one_is_killed_torchrun_starts_all_anew_and_they_go_on(hopper: Session, tmp_path: Path) -> None:
    config, out = tiny("hopper", max_batches=24), tmp_path / "killed.safetensors"
    done = torchrun("1@17=kill", *arguments(hopper, config, out), restarts=1)
    assert done.returncode == 0, done.stderr
    assert f"resuming after {16 // EVERY * EVERY} batches" in done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("twinplay: ")] == [
        "twinplay: a process of this training ended early (killed, or out of memory?); "
        "run the same command again to continue from the last checkpoint"
    ]
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    list(fit([hopper], config, out=tmp_path / "whole.safetensors"))
    assert close(out, tmp_path / "whole.safetensors")


def test_after_ctrl_c_one_process_goes_on_where_two_were_interrupted(hopper: Session, tmp_path: Path) -> None:
    config, out = tiny("hopper", max_batches=24), tmp_path / "paused.safetensors"
    done = torchrun("0@11=interrupt", *arguments(hopper, config, out))
    told = [line for line in done.stderr.splitlines() if line.startswith("twinplay: ")]
    assert len(told) == 1, done.stderr
    assert told[0].startswith("twinplay: paused after 1")
    assert (tmp_path / "paused.checkpoint").exists()

    assert main([str(each) for each in arguments(hopper, config, out)]) == 0
    assert not (tmp_path / "paused.checkpoint").exists()
    list(fit([hopper], config, out=tmp_path / "whole.safetensors"))
    assert close(out, tmp_path / "whole.safetensors")


def test_its_options_are_those_of_twinplay_train() -> None:
    def options(parser: object) -> dict[str, tuple[object, ...]]:
        return {a.dest: (a.option_strings, a.choices, a.metavar, a.default) for a in parser._actions}  # type: ignore

    commands = next(action for action in whole_parser()._actions if action.dest == "command")
    theirs, ours = options(commands.choices["train"]), options(build_parser())  # type: ignore[index]
    assert set(theirs) - set(ours) == {"resume", "no_run", "moved_to", "list_settings", "tag"}
    assert {name: theirs[name] for name in ours} == ours


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        (["nothing-here"], 1, "has no session named nothing-here"),
        (["SESSION", "--out", "clone.txt"], 2, "clone.txt must end in .safetensors"),
        (["SESSION", "--set", "batches=3"], 2, "'batches=3' is not a setting"),
        (["SESSION", "--games", "other=1"], 2, "--games names other"),
        (["SESSION", "--max-batches", "0"], 2, "max_batches is 0"),
        (["SESSION", "--network", "nature"], 1, "does not fit Hopper"),
    ],
)
def test_what_cannot_be_meant_is_told_in_a_sentence(
    hopper: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str], given: list[str], status: int, said: str
) -> None:
    given = [str(hopper.path) if each == "SESSION" else each for each in given]
    out = [] if "--out" in given else ["--out", str(tmp_path / "p.safetensors")]
    assert main([*given, *out, "--library", str(tmp_path)]) == status
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
