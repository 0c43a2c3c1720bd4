"""The command line: what it prints, what it refuses, and how."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image, ImageSequence

from player.cli import main
from player.cli.clone_options import PRESET_NAMES
from recorder import Library, Session
from recorder.system.priority import GIVING_WAY
from tests.player.conftest import untrained
from tests.waiting import PATIENCE_S
from trainer.hyperparameters import NETWORKS
from trainer.presets import PRESETS

COMMANDS = (
    "record",
    "sessions",
    "review",
    "verify",
    "train",
    "runs",
    "policies",
    "evaluate",
    "agreement",
    "drives",
    "watch",
)
COMMANDS += ("show", "review", "edit", "merge", "split", "trash", "sample", "doctor", "study", "coach", "demo", "app")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a minute of Breakout and a game of Hopper, recorded by the command line."""
    path = tmp_path_factory.mktemp("cli") / "library"
    assert main(["record", "breakout", "--seconds", "30", "--library", str(path), "--seed", "1"]) == 0
    assert main(["record", "hopper", "--episodes", "1", "--library", str(path), "--seed", "1"]) == 0
    return path


@pytest.fixture(scope="module")
def sessions(library: Path) -> dict[str, str]:
    """The path of each environment's session."""
    return {summary.env: str(summary.path) for summary in Library(library).sessions()}


@pytest.fixture(scope="module")
def policy(sessions: dict[str, str], library: Path) -> str:
    """A Hopper clone trained by the command line."""
    out = library.parent / "hopper.safetensors"
    few = ("--max-batches", "400", "--set", "checks=0", "--set", "play_games=1")
    assert main(["train", sessions["hopper"], "--out", str(out), *few]) == 0
    return str(out)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit status and the one sentence on stderr."""
    status = main(list(arguments))
    text = capsys.readouterr().err.strip()
    assert "Traceback" not in text
    return status, text.splitlines()[-1] if text else ""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_a_command_does(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert "example:" in text
    assert f"twinplay {command}" in text


def test_sessions_are_listed_with_their_player(
    library: Path, sessions: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sessions", "--library", str(library)]) == 0
    text = capsys.readouterr().out
    assert all(Path(path).stem in text for path in sessions.values())
    assert text.count("scripted") == 2
    assert main(["sessions", "--library", str(library), "--json"]) == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert {row["player"]["kind"] for row in rows} == {"scripted"}


def test_sessions_verify_by_path_and_by_name(
    library: Path, sessions: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    name = Path(sessions["hopper"]).stem
    assert main(["verify", sessions["breakout"], name, "--library", str(library)]) == 0
    assert capsys.readouterr().out.count("verified, ") == 2


def test_evaluate_prints_every_player_and_json_for_machines(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", policy, "--episodes", "3", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [row["player"] for row in report["rows"]] == ["clone", "demonstrator", "random"]
    assert all(len(row["returns"]) == 3 for row in report["rows"])
    assert main(["evaluate", policy, "--episodes", "2"]) == 0
    assert "95 % interval" in capsys.readouterr().out


def test_a_side_by_side_film_is_h264_and_plays(sessions: dict[str, str], policy: str, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    assert main(["watch", sessions["hopper"], policy, "--video", str(out), "--seconds", "1"]) == 0
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert sum(1 for _ in container.decode(video=0)) >= 20


def test_part_of_two_clones_becomes_a_gif(policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "two.gif"
    span = ["--from", "0.2", "--to", "0.6"]
    assert main(["watch", policy, "--against", policy, "--video", str(out), *span]) == 0
    assert "two.gif: 11 frames." in capsys.readouterr().out
    with Image.open(out) as image:
        assert sum(each.info["duration"] for each in ImageSequence.Iterator(image)) == 440
    out.write_bytes(b"mine")
    code, error = refusal(capsys, "watch", policy, "--video", str(out), *span)
    assert code == 2
    assert "--yes" in error
    assert out.read_bytes() == b"mine"
    assert main(["watch", policy, "--video", str(out), "--yes", "--seconds", "0.1"]) == 0
    assert out.read_bytes().startswith(b"GIF")


def test_agreement_is_printed_with_the_clearest_disagreements(
    sessions: dict[str, str], policy: str, library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["agreement", sessions["hopper"], policy, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["ticks"] == len(Session.open(sessions["hopper"]))
    assert set(facts["mean_difference"]) == {"thigh", "leg", "foot"}
    assert 0 <= facts["share"] <= 1
    assert all(each["start"] <= each["tick"] < each["stop"] for each in facts["disagreements"])
    clone = str(untrained("breakout", tmp_path / "new.safetensors", aims=()))
    assert main(["agreement", Path(sessions["breakout"]).stem, clone, "--library", str(library), "--most", "2"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.startswith("The clone acts like the scripted player in ")
    assert len(lines) == 2
    assert all("scripted player " in line and ", clone " in line and line.endswith(" %") for line in lines)


def test_a_clone_is_scored_beside_the_player_of_a_session(
    sessions: dict[str, str], policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", policy, "--episodes", "1", "--session", sessions["hopper"], "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert rows[1]["label"].startswith("scripted")
    status, sentence = refusal(capsys, "evaluate", policy, "--session", sessions["breakout"])
    assert (status, "is a session of Breakout" in sentence) == (1, True)


def test_a_policy_can_be_recorded_and_filmed_alone(policy: str, library: Path, tmp_path: Path) -> None:
    assert main(["record", "hopper", "--player", policy, "--episodes", "1", "--library", str(tmp_path)]) == 0
    (summary,) = Library(tmp_path).sessions()
    assert Session.open(summary.path).player["kind"] == "policy"
    assert main(["watch", policy, "--video", str(tmp_path / "alone.mp4"), "--seconds", "0.5"]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["record", "tetrix"],
        ["record", "breakout", "--episodes", "0"],
        ["record", "breakout", "--seconds", "-3"],
        ["record", "breakout", "--seconds", "nan"],
        ["record", "breakout", "--episodes", "2", "--seconds", "3"],
        ["record", "breakout", "--player", "nobody"],
        ["record", "hopper", "--seed", "x"],
        ["evaluate", "x.safetensors", "--episodes", "0"],
        ["train"],
        ["train", "x.zarr", "--preset", "huge"],
        ["train", "--resume", "x", "--no-run"],
        ["train", "x.zarr", "--games", "x"],
        ["runs", "--pause"],
        ["runs", "x", "--pause", "--stop"],
        ["dance"],
        ["verify"],
        ["watch", "x.safetensors", "y.safetensors"],
        ["watch", "x.safetensors", "--video", "film.avi"],
        ["watch", "x.safetensors", "--video", "film.gif", "--from", "-1"],
        ["watch", "x.safetensors", "--video", "film.gif", "--from", "5", "--to", "5"],
        ["watch", "x.safetensors", "--video", "film.gif", "--to", "5", "--seconds", "5"],
        ["agreement", "x.zarr"],
    ],
)
def test_what_cannot_be_meant_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status, sentence = refusal(capsys, *arguments)
    assert status == 2
    assert sentence


def test_files_of_the_wrong_kind_exit_with_1_and_their_name(
    sessions: dict[str, str], policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(Path(policy).read_bytes()[:5_000])
    for arguments, named in (
        (["verify", str(text)], "notes.txt"),
        (["verify", str(tmp_path)], tmp_path.name),
        (["verify", str(tmp_path / "missing.zarr")], "missing.zarr"),
        (["train", str(text), "--out", str(tmp_path / "p.safetensors")], "notes.txt"),
        (["evaluate", str(cut)], "cut.safetensors"),
        (["evaluate", str(text)], "notes.txt"),
        (["evaluate", sessions["hopper"]], "hopper.zarr"),
        (["watch", sessions["breakout"], policy, "--video", str(tmp_path / "v.mp4")], "hopper.safetensors"),
        (["agreement", sessions["breakout"], policy], "hopper.safetensors"),
        (["agreement", sessions["hopper"], str(cut)], "cut.safetensors"),
        (["train", *sessions.values(), "--out", str(tmp_path / "p.safetensors")], "cannot be trained on together"),
        (["record", "breakout", "--episodes", "1", "--library", str(text)], "notes.txt"),
        (["record", "breakout", "--episodes", "1", "--library", "/proc/nowhere"], "/proc/nowhere"),
    ):
        status, sentence = refusal(capsys, *arguments)
        assert (status, named in sentence) == (1, True), sentence
    assert {file.name for file in tmp_path.iterdir()} == {"notes.txt", "cut.safetensors"}


def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    sessions: dict[str, str], policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "missing" / "p.safetensors")
    assert refusal(capsys, "train", sessions["hopper"], "--out", missing)[0] == 2
    assert refusal(capsys, "train", sessions["hopper"], "--out", str(tmp_path))[0] == 2
    assert refusal(capsys, "watch", sessions["hopper"], policy, "--video", str(tmp_path / "no" / "v.mp4"))[0] == 2
    status, sentence = refusal(capsys, "watch", sessions["hopper"], policy, "--against", policy)
    assert (status, "omit one of them" in sentence) == (2, True)
    other = tmp_path / "precious.safetensors"
    other.write_text("not a policy")
    assert refusal(capsys, "train", sessions["hopper"], "--out", str(other))[0] == 1
    assert other.read_text() == "not a policy"


def test_without_a_screen_the_app_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "player"], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "HOME": "/tmp"}
    )
    assert done.returncode == 1
    assert "the window needs a screen" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_reader_who_leaves_early_is_no_error(library: Path) -> None:
    command = f"{sys.executable} -m player sessions --json --library {library} | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.stderr == ""


def test_the_demo_makes_a_report_with_films(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "demo"
    assert main(["demo", "--quick", "--out", str(out)]) == 0
    page = (out / "report.html").read_text()
    assert page.count("<svg") >= 4
    assert "scripted breakout-player" in page
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    )
    for name in ("breakout.mp4", "hopper.mp4"):
        assert f'src="{name}"' in page
        assert (out / name).stat().st_size > 1_000
    assert "report: " in capsys.readouterr().out


SMALL = ("--set", "checks=0", "--set", "play_games=0", "--set", "threads=1")


def only_run(library: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["runs", "--json", "--library", str(library)]) == 0
    (run,) = json.loads(capsys.readouterr().out)
    assert isinstance(run, dict)
    return run


def test_a_training_is_paused_and_gone_on_with_as_a_run(
    sessions: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = Path(sessions["hopper"]).stem
    command = [sys.executable, "-m", "player", "train", sessions["hopper"], "--library", str(tmp_path), *SMALL]
    command += ["--max-batches", "1500", "--games", f"{name}=1", "--set", "learning_rate=0.002", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while '"stage": "train"' not in process.stdout.readline():
            assert process.poll() is None
        assert os.getpriority(os.PRIO_PROCESS, process.pid) >= GIVING_WAY
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    run = only_run(tmp_path, capsys)
    assert f"resume with: twinplay train --resume {run['id']}" in said
    assert (run["state"], run["checkpoint"], run["setup"]["sources"][0]["episodes"]) == ("paused", True, [0])
    assert run["setup"]["config"]["learning_rate"] == 0.002
    assert main(["train", "--resume", run["id"], "--library", str(tmp_path)]) == 0
    run = only_run(tmp_path, capsys)
    assert (run["state"], run["batches"]) == ("done", 1500)
    assert main(["runs", "--library", str(tmp_path)]) == 0
    assert main(["runs", run["id"], "--library", str(tmp_path)]) == 0
    assert "resuming after" in capsys.readouterr().out
    assert refusal(capsys, "train", "--resume", run["id"], "--library", str(tmp_path)) == (
        1,
        f"twinplay: the run {run['id']} cannot be resumed: it is done",
    )
    assert main(["runs", run["id"], "--delete", "--library", str(tmp_path)]) == 0
    assert main(["policies", "--rename", run["id"], "hops", "--library", str(tmp_path)]) == 0
    assert main(["policies", "--delete", "hops", "--library", str(tmp_path)]) == 0
    assert main(["policies", "--restore", "hops", "--library", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["policies", "--json", "--library", str(tmp_path)]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == ["hops"]


def test_a_policy_of_somebody_else_is_taken_over(
    policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policies", "--import", policy, "--library", str(tmp_path)]) == 0
    assert main(["policies", "--library", str(tmp_path)]) == 0
    assert "hopper-expert" in capsys.readouterr().out
    status, sentence = refusal(capsys, "policies", "--import", sys.executable, "--library", str(tmp_path))
    assert (status, "not a readable policy" in sentence) == (1, True)  # a link to a program, which is followed


def test_a_run_that_writes_outside_of_its_library_asks_for_its_place_again(
    sessions: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "elsewhere.safetensors"
    library = tmp_path / "library"
    assert (
        main(["train", sessions["hopper"], "--out", str(out), "--library", str(library), *SMALL, "--max-batches", "3"])
        == 0
    )
    run = only_run(library, capsys)
    assert run["policy"] == str(out)
    status, sentence = refusal(capsys, "train", "--resume", run["id"], "--library", str(library))
    assert (status, sentence.endswith(f"outside the library; add --out {out}")) == (2, True)


def test_without_a_run_nothing_but_the_policy_is_left(sessions: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "p.safetensors"
    command = ["train", sessions["hopper"], "--out", str(out), "--no-run", "--library", str(tmp_path), *SMALL]
    assert main([*command, "--max-batches", "3"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["p.safetensors"]


@pytest.mark.parametrize(
    "setting", ["size=huge", "hidden=3.5", "whiten=1", "nope=3", "learning_rate", "max_batches=true"]
)
def test_settings_that_cannot_be_meant_are_refused(
    sessions: dict[str, str], capsys: pytest.CaptureFixture[str], setting: str
) -> None:
    status, sentence = refusal(capsys, "train", sessions["hopper"], "--set", setting)
    assert status == 2
    assert setting.partition("=")[0] in sentence


def test_settings_are_listed_with_their_limits(sessions: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--list-settings"]) == 0
    assert "batch_size=128\n    whole number from 1 to 4,096\n    Ticks (for an lstm" in capsys.readouterr().out
    assert main(["train", sessions["hopper"], "--list-settings", "--preset", "quick", "--json"]) == 0
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert found["max_batches"]["default"] == "6000"
    assert "crop" not in found


def test_the_command_line_knows_the_presets_and_networks(capsys: pytest.CaptureFixture[str]) -> None:
    assert tuple(PRESETS) == PRESET_NAMES
    assert main(["train", "--help"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for networks in NETWORKS.values() for name in networks)
