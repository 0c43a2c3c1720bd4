"""The commands that take a URL, and those that say why they do not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import pytest

from player.cli import main
from recorder import Library, RandomAgent, Session, get_spec, record
from tests.player.conftest import untrained
from trainer.config import TrainConfig
from trainer.errors import RunError
from trainer.runs.runs import Runs
from trainer.runs.sources import open_sources

TEAM = "memory://team/library"
Run = Callable[..., str]


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with a short game of Hopper, and one of Breakout."""
    library = tmp_path_factory.mktemp("mine")
    record("hopper", RandomAgent(get_spec("hopper"), 1), library=library, episodes=1, seed=1)
    record("breakout", RandomAgent(get_spec("breakout"), 1), library=library, seconds=3, seed=1)
    return library


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    """Runs a command and returns what it printed, to stderr where it failed with `status`."""
    monkeypatch.setenv("TWINPLAY_LIBRARY", str(tmp_path / "own"))

    def run_it(*arguments: str | Path, status: int = 0) -> str:
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == status
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return captured.err.strip() if status else captured.out

    yield run_it
    fs = fsspec.filesystem("memory")
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]


@pytest.fixture
def hopper(mine: Path, run: Run) -> str:
    """The URL of the game of Hopper, pushed."""
    path = next(mine.glob("*-hopper.zarr"))
    run("push", path, "--to", TEAM)
    return f"{TEAM}/{path.name}"


def test_a_library_is_pushed_listed_and_pulled(mine: Path, run: Run, tmp_path: Path) -> None:
    names = sorted(path.name for path in mine.glob("*.zarr"))
    pushed = run("push", mine, "--to", TEAM).splitlines()
    assert sorted(pushed) == [f"{TEAM}/{name}: copied" for name in names]
    again = run("push", names[0], "--library", mine, "--to", TEAM)
    assert again == f"{TEAM}/{names[0]}: already exists\n"
    listed = json.loads(run("sessions", "--library", TEAM, "--json", "--sort", "title"))
    assert sorted(row["path"] for row in listed) == [f"{TEAM}/{name}" for name in names]
    assert "hopper" in run("sessions", "--library", TEAM)
    pulled = [json.loads(line) for line in run("pull", TEAM, "--library", tmp_path / "new", "--json").splitlines()]
    assert sorted(fact["copy"] for fact in pulled) == [str(tmp_path / "new" / name) for name in names]
    assert {row.digest for row in Library(tmp_path / "new").sessions()} == {
        row.digest for row in Library(mine).sessions()
    }


def test_one_session_that_cannot_be_copied_keeps_no_other_back(mine: Path, run: Run, tmp_path: Path) -> None:
    good = next(mine.glob("*-hopper.zarr"))
    sentence = run("push", tmp_path / "gone.zarr", good, "--to", TEAM, status=1)
    assert "gone.zarr is not a readable session: there is no such folder" in sentence
    assert "1 of 2 sessions could not be copied" in sentence
    assert [row.name for row in Library(TEAM).sessions()] == [good.stem]
    assert "has no sessions" in run("push", tmp_path, "--to", TEAM, status=1)


def test_show_and_verify_take_a_url_or_a_name_in_a_library_there(hopper: str, run: Run) -> None:
    name = hopper.rpartition("/")[2].removesuffix(".zarr")
    assert run("show", hopper).startswith(f"{hopper}\n")
    assert json.loads(run("show", name, "--library", TEAM, "--json"))["path"] == hopper
    (certificate,) = map(json.loads, run("verify", name, "--library", TEAM, "--json").splitlines())
    assert (certificate["path"], certificate["ok"]) == (hopper, True)


def test_a_clone_is_trained_from_a_url_and_compared_with_it(hopper: str, run: Run, tmp_path: Path) -> None:
    policy = tmp_path / "clone.safetensors"
    run("train", hopper, "--out", policy, "--max-batches", "2", "--set", "play_games=0", "--set", "checks=0")
    (made,) = Runs(tmp_path / "own").all()  # a run needs a folder: it is kept in the app's own library
    assert made.setup is not None
    assert [source.path for source in made.setup.sources] == [hopper]
    assert json.loads(run("agreement", hopper, policy, "--json"))["session"] == hopper


def test_a_run_finds_its_sessions_at_their_urls_again(hopper: str, tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    made = runs.create([Session.open(hopper)], TrainConfig.for_env("hopper", max_batches=2))
    assert made.setup is not None
    (session,) = open_sources(made.setup, tmp_path)
    assert str(session.place) == hopper
    head = json.loads(fsspec.filesystem("memory").cat_file(f"{hopper}/zarr.json"))
    head["attributes"]["digest"] = "0" * 64
    fsspec.filesystem("memory").pipe_file(f"{hopper}/zarr.json", json.dumps(head).encode())
    with pytest.raises(RunError, match="has changed since this run started"):
        open_sources(made.setup, tmp_path)


def test_a_film_is_made_from_a_url(mine: Path, run: Run, tmp_path: Path) -> None:
    path = next(mine.glob("*-breakout.zarr"))
    run("push", path, "--to", TEAM)
    policy = untrained("breakout", tmp_path / "clone.safetensors")
    film = tmp_path / "film.gif"
    run("watch", f"{TEAM}/{path.name}", policy, "--video", film, "--seconds", "0.5")
    assert film.stat().st_size > 0
    assert "pull` first" in run("watch", f"{TEAM}/{path.name}", policy, status=2)


@pytest.mark.parametrize(
    "command",
    [
        ("record", "hopper", "--library", TEAM),
        ("edit", "{session}", "--title", "mine"),
        ("merge", "{session}", "{session}"),
        ("split", "{session}", "--at", "2"),
        ("trash", "{session}"),
        ("trash", "--library", TEAM),
        ("runs", "--library", TEAM),
        ("policies", "--library", TEAM),
        ("sample", "--library", TEAM),
        ("train", "{session}", "--library", TEAM),
        ("pull", "{session}", "--library", TEAM),
        ("app", "--library", TEAM),
    ],
)
def test_what_needs_a_folder_says_so_and_writes_nothing(hopper: str, run: Run, command: tuple[str, ...]) -> None:
    before = dict(fsspec.filesystem("memory").store)
    sentence = run(*(part.format(session=hopper) for part in command), status=2)
    assert sentence.startswith("twinplay: memory://team/library")
    assert "is a URL, but a folder on this computer is needed; " in sentence
    assert "\n" not in sentence
    assert fsspec.filesystem("memory").store == before


def test_training_without_a_run_takes_a_library_at_a_url(hopper: str, run: Run, tmp_path: Path) -> None:
    name = hopper.rpartition("/")[2]
    settings = ("--max-batches", "2", "--set", "play_games=0", "--set", "checks=0")
    run("train", name, "--library", TEAM, "--no-run", "--out", tmp_path / "clone.safetensors", *settings)
    assert not (tmp_path / "own").exists()


def test_a_driver_that_is_missing_is_named(run: Run) -> None:
    sentence = run("sessions", "--library", "gs://bucket/library", status=1)
    assert sentence.startswith("twinplay: gs://bucket/library needs a driver that is not installed (")


@pytest.mark.parametrize("command", ["push", "pull"])
def test_help_says_what_a_command_does(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"twinplay {command}" in capsys.readouterr().out
