"""Adding an environment is adding one file: it records, verifies, trains, plays and is filmed.

The programs run in processes of their own, as the user's would: the environments there are found once in each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from player.cli import main
from recorder import RandomAgent, Session, get_spec, record
from tests.envs import CARTPOLE, PONG

ROOT = Path(__file__).parents[1]

Twinplay = Callable[..., str]
Several = Callable[[list[tuple[str, ...]]], list[tuple[int, str, str]]]

# Several commands in one process, which loads torch once: exit status, output and errors of each.
_BATCH = """
import contextlib, io, json, sys
from player.cli import main
ended = []
for arguments in json.load(sys.stdin):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as errors:
        status = main(arguments)
    ended.append((status, out.getvalue(), errors.getvalue()))
print(json.dumps(ended))
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a user who has two environments of their own."""
    folder = tmp_path / "config" / "twinplay" / "envs"
    folder.mkdir(parents=True)
    (folder / "pong.toml").write_text(PONG.replace("1_500", "600"))
    (folder / "cartpole.toml").write_text(CARTPOLE)
    return {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config"), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def twinplay(tmp_path: Path, environment: dict[str, str]) -> Twinplay:
    """The command; returns what it prints, on stderr where it is to fail."""

    def run(*arguments: object, status: int = 0) -> str:
        command = [sys.executable, "-m", "player", *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr

    return run


@pytest.fixture
def several(tmp_path: Path, environment: dict[str, str]) -> Several:
    """Several commands, one after the other in one process."""

    def run(commands: list[tuple[str, ...]]) -> list[tuple[int, str, str]]:
        command = [sys.executable, "-c", _BATCH]
        given = json.dumps(commands)
        done = subprocess.run(command, input=given, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [(status, out, errors) for status, out, errors in json.loads(done.stdout)]

    return run


@pytest.mark.parametrize(
    ("env", "training", "row"),
    [
        ("pong", ("--set", "network=nature", "--set", "size=36"), "screen"),
        ("cartpole", (), "observation"),
    ],
)
def test_a_third_environment_does_all_that_the_first_two_do(
    twinplay: Twinplay, several: Several, tmp_path: Path, env: str, training: tuple[str, ...], row: str
) -> None:
    library = ("--library", str(tmp_path))
    recorded = twinplay("record", env, "--player", "random", "--seconds", 6, "--seed", 1, *library, "--json")
    session = json.loads(recorded)["path"]
    assert row in {path.name for path in Path(session).iterdir()}
    policy, film = str(tmp_path / "policy.safetensors"), tmp_path / "side by side.mp4"
    budget = ("--max-batches", "20", "--set", "play_games=1", "--set", "play_ticks=60", "--set", "batch_size=32")
    budget += ("--set", "checks=1")
    commands = [
        ("verify", session),
        ("train", session, *budget, *training, "--out", policy, "--no-run", *library),
        ("evaluate", policy, "--episodes", "1", "--session", session, *library),
        ("record", env, "--player", policy, "--seconds", "3", *library),
        ("agreement", session, policy, *library),
        ("watch", session, policy, "--video", str(film), "--seconds", "1", *library),
        ("sessions", *library),
    ]
    ended = several(commands)
    assert [status for status, _, _ in ended] == [0] * len(commands), ended
    told = "".join(out for _, out, _ in ended)
    assert "verified" in told
    assert "random player" in told
    assert film.stat().st_size > 5_000
    assert told.count(f"-{env}") >= 2


def test_environments_are_listed_and_added_by_the_command_line(
    twinplay: Twinplay, several: Several, tmp_path: Path
) -> None:
    file = tmp_path / "space_invaders.toml"
    file.write_text(PONG.replace("Pong", "SpaceInvaders"))
    ended = several([("envs", "--json"), ("envs",), ("env", "add", str(file))])
    assert [status for status, *_ in ended] == [0] * 3, ended
    stored, listed, added = (out for _, out, _ in ended)
    names = [each["name"] for each in json.loads(stored)]
    assert names[:4] == ["breakout", "hopper", "car_racing", "cartpole"]
    assert (names.count("pong"), names.count("seaquest")) == (1, 1)
    assert any("hopper" in line and "expert" in line for line in listed.splitlines())
    assert any("cartpole" in line and "keyboard" in line for line in listed.splitlines())
    assert "is added" in added
    assert "space_invaders" in twinplay("envs")
    wrong = (
        ("title = ", "does not describe an environment"),
        (PONG.replace('"atari"', '"amiga"'), "backend 'amiga' is unknown"),
        (PONG.replace("ALE/Pong-v5", "os:system-v0"), "names a Python module"),
        (PONG.replace("ALE/Pong-v5", "ALE/Pang-v5"), "is not a game of the Arcade Learning Environment"),
        (PONG.replace('serve = "FIRE"', 'serve = "SHOOT"'), "there is no action named SHOOT"),
        (PONG.replace("rate_hz", "rate"), "the entry rate is unknown"),
    )
    for number, (text, _) in enumerate(wrong):
        (tmp_path / f"wrong_{number}.toml").write_text(text)
    (tmp_path / "breakout.toml").write_text(PONG)
    files = [*(f"wrong_{number}" for number in range(len(wrong))), "breakout"]
    ended = several([("env", "add", str(tmp_path / f"{file}.toml")) for file in files])
    problems = [*(problem for _, problem in wrong), "ships with Twinplay"]
    for problem, (status, _, errors) in zip(problems, ended, strict=True):
        assert status == (2 if "not a game" in problem else 1), errors
        assert problem in errors
        assert len(errors.splitlines()) == 1


def test_an_environment_without_an_expert_says_so(twinplay: Twinplay, tmp_path: Path) -> None:
    told = twinplay("record", "tennis", "--seconds", 1, "--library", tmp_path, status=1)
    assert "tennis has no scripted player" in told
    assert len(told.splitlines()) == 1


def test_recordings_are_read_where_their_environment_is_not_known(
    twinplay: Twinplay, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    recorded = twinplay("record", "pong", "--player", "random", "--seconds", 2, "--library", tmp_path, "--json")
    session = Session.open(json.loads(recorded)["path"])
    assert session.spec.title == "Pong"
    assert session.frames[5].shape == (210, 160, 3)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("pixel_aspect", 1e9, "pixel_aspect is 1000000000.0"),
        ("start_noops", 10**9, "start_noops is 1000000000"),
        ("stores_state", True, "stores other data than this file says"),
        ("controls", {"SHOOT": []}, "there is no action named SHOOT"),
        ("chords", [], "no usable 'chords'"),
    ],
)
def test_what_a_strangers_file_says_of_an_environment_is_refused_in_a_sentence(
    tmp_path: Path, field: str, value: object, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    session = record("breakout", RandomAgent(get_spec("breakout")), library=tmp_path, seconds=1, seed=0)
    metadata = json.loads((session.path / "zarr.json").read_text())
    metadata["attributes"]["env"][field] = value
    (session.path / "zarr.json").write_text(json.dumps(metadata))
    assert main(["verify", str(session.path)]) == 1
    told = capsys.readouterr()
    assert problem in told.out + told.err
