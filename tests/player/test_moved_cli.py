"""A library that moved between Ctrl-C and --resume, on the command line."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from player.cli import main
from recorder import Session
from tests.waiting import PATIENCE_S
from trainer import Policy

SMALL = ("--set", "play_games=0", "--set", "checks=0", "--set", "validations=3", "--max-batches", "400")


def interrupted(library: Path, *options: str) -> dict[str, Any]:
    """A training of the library's session that Ctrl-C paused; its run."""
    (session,) = library.glob("*.zarr")
    command = [sys.executable, "-m", "player", "train", str(session), *SMALL, *options, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while '"stage": "train"' not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    (config,) = library.glob("runs/*/config.json")
    return {"id": config.parent.name, **json.loads(config.read_text())}


def last_sentence(capsys: pytest.CaptureFixture[str]) -> str:
    text = capsys.readouterr().err
    assert "Traceback" not in text
    return text.strip().splitlines()[-1]


@pytest.fixture
def library(hopper: Session, tmp_path: Path) -> Path:
    shutil.copytree(hopper.path, tmp_path / "lib" / hopper.path.name)
    return tmp_path / "lib"


def test_a_training_goes_on_where_its_library_has_moved_to(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = interrupted(library)
    moved = library.rename(library.with_name("lib2"))
    assert main(["train", "--resume", run["id"], "--library", str(moved)]) == 0
    assert Policy.load(moved / "policies" / f"{run['id']}.safetensors").header["run"] == run["id"]
    assert not library.exists()


def test_one_says_where_the_sessions_and_the_policy_are_to_be_found_now(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    run = interrupted(library, "--out", str(tmp_path / "out" / "clone.safetensors"))
    shutil.rmtree(tmp_path / "out")
    archive = tmp_path / "archive"
    archive.mkdir()
    (session,) = library.glob("*.zarr")
    session.rename(archive / session.name)
    resume = ["train", "--resume", run["id"], "--library", str(library)]
    assert main(resume) == 2
    assert last_sentence(capsys).endswith("no longer exists; give --out POLICY")
    resume += ["--out", str(tmp_path / "clone.safetensors")]
    assert main(resume) == 1
    assert "twinplay train --resume RUN --sessions DIR" in last_sentence(capsys)
    assert main([*resume, "--sessions", str(tmp_path / "nowhere")]) == 1
    assert re.search(r"is not in .*nowhere; restore it", last_sentence(capsys))
    assert main([*resume, "--sessions", str(archive)]) == 0
    assert Policy.load(tmp_path / "clone.safetensors").header["run"] == run["id"]
    assert not (tmp_path / "out").exists()
    assert main(["train", str(archive / session.name), "--sessions", str(archive)]) == 2
    assert "it needs --resume RUN" in last_sentence(capsys)
