"""Variables that our libraries read and that are wrong, and missing system libraries: a sentence, never a crash."""

from __future__ import annotations

import ctypes.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import player.app
from player.cli import main
from recorder import Session, get_spec
from recorder.envs.game import Game
from recorder.errors import SystemLibraryError


def run(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "player", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
    )


@pytest.mark.parametrize(
    "environment",
    [
        {"DISPLAY": ":7777"},
        {"DISPLAY": "no such"},
        {"DISPLAY": "", "WAYLAND_DISPLAY": "no-such"},
        {"DISPLAY": ":7777", "QT_QPA_PLATFORM": "no-such"},
        {"DISPLAY": ":7777", "QT_QPA_PLATFORM_PLUGIN_PATH": "/no/such", "QT_PLUGIN_PATH": "/no/such"},
    ],
)
def test_a_screen_that_is_not_there_is_no_crash(tmp_path: Path, environment: dict[str, str]) -> None:
    wrong = {"QT_QPA_PLATFORM": "", **environment, "XDG_STATE_HOME": str(tmp_path / "state")}
    done = run(["app", "--library", str(tmp_path / "library")], wrong)
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert said.startswith("twinplay: no window can be opened: ")
    assert all(f"{name}={value}" in said for name, value in environment.items() if value)
    (note,) = (tmp_path / "state").rglob("crash.txt")
    assert note.read_text() == ""  # else the next start says that this one crashed


@pytest.mark.parametrize(
    "environment",
    [
        {"ZARR_DEFAULT_ZARR_FORMAT": "2", "ZARR_ASYNC__CONCURRENCY": "abc", "ZARR_ARRAY__ORDER": "Z"},
        {"OMP_NUM_THREADS": "abc", "TZ": "No/Such", "LC_ALL": "xx_YY", "LANG": "no such", "TMPDIR": "/no/such"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_what_is_meant_for_other_programs_does_not_matter(hopper: Session, environment: dict[str, str]) -> None:
    done = run(["verify", str(hopper.path)], environment)
    assert (done.returncode, "bit for bit" in done.stdout) == (0, True), done


def test_a_renderer_that_there_is_not_is_named(hopper: Session) -> None:
    done = run(["verify", str(hopper.path)], {"MUJOCO_GL": "no-such"})
    assert done.returncode == 1
    assert "MUJOCO_GL=no-such is not supported; set it to egl" in done.stdout


@pytest.mark.parametrize("renderer", ["glfw", "osmesa"])
def test_a_renderer_that_cannot_draw_here_is_told_in_a_sentence(hopper: Session, tmp_path: Path, renderer: str) -> None:
    wrong = {"MUJOCO_GL": renderer, "DISPLAY": ":7777", "WAYLAND_DISPLAY": ""}
    film = tmp_path / "film.mp4"
    done = run(["watch", str(hopper.path), "--video", str(film), "--seconds", "0.05"], wrong)
    if renderer == "osmesa" and ctypes.util.find_library("OSMesa"):
        assert (done.returncode, film.exists()) == (0, True), done
        return
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert said.startswith(f"twinplay: MuJoCo cannot draw with MUJOCO_GL={renderer}: ")


def test_opengl_is_the_one_that_draws_without_a_screen(hopper: Session, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    done = run(["watch", str(hopper.path), "--video", str(film), "--seconds", "0.05"], {"PYOPENGL_PLATFORM": "glx"})
    assert (done.returncode, film.exists()) == (0, True), done


def test_plots_heed_neither_a_backend_nor_a_folder_nor_dollars() -> None:
    code = "from player.report.plots import Bar, bars; "
    code += r"print(len(bars([Bar('clone', r'$x$ \\frac{ $', 1, 0, 2)], 'score')))"
    wrong = {**os.environ, "MPLBACKEND": "no-such", "MPLCONFIGDIR": "/dev/null"}
    done = subprocess.run([sys.executable, "-c", code], env=wrong, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("place", ["/dev/null", "/dev/null/x", "/dev/full"])
def test_folders_that_are_none_are_named(
    place: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("TWINPLAY_LIBRARY", "XDG_DATA_HOME"):
        monkeypatch.setenv("TWINPLAY_LIBRARY", "")
        monkeypatch.setenv(name, place)
        for arguments in (["sessions"], ["record", "breakout", "--seconds", "1"], ["runs"], ["sample"]):
            assert main(arguments) in (1, 2)
            (said,) = capsys.readouterr().err.splitlines()
            assert said.startswith("twinplay: /dev/"), said


LONG = "n" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", LONG],
        ["evaluate", LONG],
        ["sessions", "--library", f"/tmp/{LONG}"],
        ["sessions", "--library", ""],
        ["record", "breakout", "--seconds", "1", "--library", f"/tmp/{LONG}"],
        ["runs", LONG],
        ["policies", "--restore", LONG],
        ["policies", "--import", LONG],
        ["train", LONG, "--out", f"/tmp/{LONG}.safetensors"],
        ["demo", "--out", f"/tmp/{LONG}"],
        ["study", "hopper", "--out", f"/tmp/{LONG}", "--only", "1 game"],
        ["merge", LONG, "\udcff"],
        ["push", LONG, "--to", f"/tmp/{LONG}"],
        ["sample", "--library", "/dev/full"],
        ["doctor", "--library", f"/tmp/{LONG}"],
        ["app", "--library", f"/tmp/{LONG}"],
    ],
    ids=lambda arguments: " ".join(arguments).encode("ascii", "replace").decode()[:30],
)
def test_names_that_cannot_be_are_told_in_a_sentence(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"TWINPLAY_LIBRARY": str(tmp_path), "QT_QPA_PLATFORM": "", "DISPLAY": ""}.items():
        monkeypatch.setenv(name, value)
    status = main(arguments)
    told = capsys.readouterr().err
    if arguments[0] == "doctor":
        assert "unexpected error" not in told
        return
    assert status in (1, 2), told
    (said,) = [line for line in told.splitlines() if not line.startswith(("study ", "evaluating"))]
    assert said.startswith("twinplay: ")
    assert "unexpected error" not in said


@pytest.mark.parametrize("command", ["verify", "evaluate"])
def test_a_name_that_is_no_text_is_told_too(command: str) -> None:
    done = run([command, "\udcff"], {})
    assert done.returncode == 1
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == ["twinplay"]
    assert "unexpected error" not in done.stderr


def test_missing_system_libraries_are_named_by_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.setattr(player.app, "_SYSTEM_LIBRARIES", {"libnothere.so.9": "libnothere9"})
    with pytest.raises(SystemLibraryError, match="apt-get install libnothere9"):
        player.app.check_system()


def test_a_renderer_that_is_missing_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    game = Game(get_spec("hopper"), render=True)
    game.reset(0)

    def riddle() -> None:
        raise AttributeError("'NoneType' object has no attribute 'eglQueryString' (OpenGL)")

    monkeypatch.setattr(game.env, "render", riddle)
    with pytest.raises(SystemLibraryError, match="apt-get install libegl1"):
        game.picture()
    game.close()
