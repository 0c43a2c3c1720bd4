"""Any path to a session means what its own does, and nothing is ever written into one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest

from player.app import open_app, usable_library
from player.cli import main
from player.film.film import filming
from player.film.mp4 import whole_file
from recorder import Library, RandomAgent, Session, get_spec, record, verify
from recorder.errors import LibraryError, SessionError, UsageError
from recorder.library.copying import copy_session
from recorder.library.edits import edit
from recorder.library.library import default_library, ensure_writable
from recorder.library.merging import merging
from recorder.store.locks import is_being_written, session_lock
from recorder.store.places import place
from tests.player.conftest import untrained
from trainer import TrainConfig, fit
from trainer.runs.runs import Runs

NAME = "2026-11-21T10-14-03-hopper.zarr"
# How somebody writes the path to NAME, from which folder.
SPELLINGS = {
    "dot": (NAME, "."),
    "dot and slash": (NAME, "./"),
    "up and down": (NAME, f"../{NAME}"),
    "up from below": (f"{NAME}/episodes", ".."),
    "relative": (".", NAME),
    "with a slash": (".", f"{NAME}/"),
    "through a link": ("..", "linked.zarr"),
    "through a link, with a slash": ("..", "linked.zarr/"),
    "through a linked library": ("../elsewhere", f"library/{NAME}"),
    "file URL": (".", "file://{library}/" + NAME + "/"),
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sessions of two games of Hopper."""
    folder = tmp_path_factory.mktemp("paths")
    for seed in (1, 2):
        session = record("hopper", RandomAgent(get_spec("hopper"), seed), library=folder, episodes=2, seed=seed)
        session.path.rename(folder / (NAME if seed == 1 else "other.zarr"))
    return folder


@pytest.fixture
def library(originals: Path, tmp_path: Path) -> Path:
    library = Path(shutil.copytree(originals, tmp_path / "library"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "library").symlink_to(library)
    (tmp_path / "linked.zarr").symlink_to(library / NAME)
    return library


@pytest.fixture(params=SPELLINGS)
def spelling(request: pytest.FixtureRequest, library: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path to the session NAME in one of its spellings, for the folder that is the present one."""
    folder, text = SPELLINGS[request.param]
    monkeypatch.chdir(library / folder)
    return text.replace("{library}", str(library))


def files_of(session: Path) -> dict[str, bytes]:
    return {path.relative_to(session).as_posix(): path.read_bytes() for path in session.rglob("*") if path.is_file()}


def names_of(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_a_session_is_found_by_every_spelling(library: Path, spelling: str) -> None:
    assert Session.open(spelling).path == library / NAME
    if "://" not in spelling:
        assert Session.open(Path(spelling)).path == library / NAME
    assert Session.open(spelling).name == NAME.removesuffix(".zarr")


def test_merging_leaves_the_originals_alone_by_every_spelling(library: Path, spelling: str) -> None:
    before = files_of(library / NAME)
    assert main(["merge", spelling, str(library / "other.zarr")]) == 0
    assert files_of(library / NAME) == before
    (made,) = names_of(library) - {NAME, "other.zarr"}
    assert verify(Session.open(library / made)).ok


def test_splitting_does_too(library: Path, spelling: str) -> None:
    before = files_of(library / NAME)
    assert main(["split", spelling, "--at", "2"]) == 0
    assert files_of(library / NAME) == before
    assert len(names_of(library) - {NAME, "other.zarr"}) == 2


def test_editing_verifying_and_copying_leave_nothing_in_it(library: Path, spelling: str, tmp_path: Path) -> None:
    before = set(files_of(library / NAME))
    assert main(["edit", spelling, "--title", "Mine"]) == 0
    assert main(["verify", spelling]) == 0
    assert main(["show", spelling]) == 0
    assert main(["push", spelling, "--to", str(tmp_path / "team")]) == 0
    assert Session.open(library / NAME).title == "Mine"
    assert Session.open(library / NAME).verified
    assert names_of(tmp_path / "team") == {NAME}
    assert {path.name for path in (library / NAME).iterdir()} == {name.split("/")[0] for name in before}


def test_the_trash_is_that_of_its_library(library: Path, spelling: str) -> None:
    assert main(["trash", spelling]) == 0
    assert [each.name for each in Library(library).trashed()] == [NAME.removesuffix(".zarr")]


def test_training_finds_session_and_library(library: Path, spelling: str, capsys: pytest.CaptureFixture[str]) -> None:
    budget = ["--max-batches", "1", "--set", "play_games=0", "--set", "checks=0"]
    assert main(["train", spelling, "--games", f"{spelling}=2", *budget, "--json"]) == 0
    (run,) = Runs(library).all()
    assert run.setup is not None
    assert [(source.path, source.episodes) for source in run.setup.sources] == [(str(library / NAME), (1,))]
    assert run.policy is not None
    assert run.policy.parent == library / "policies"


def test_a_slash_after_a_name_in_the_library_does_no_harm(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["show", f"{NAME}/", "--library", "elsewhere/../library/", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == str(library / NAME)


def test_who_records_is_seen_through_a_link(library: Path, tmp_path: Path) -> None:
    with session_lock(library / NAME):
        assert is_being_written(tmp_path / "linked.zarr")
        assert is_being_written(tmp_path / "elsewhere" / "library" / NAME)
        with pytest.raises(SessionError, match="is being recorded"):
            edit(tmp_path / "linked.zarr", title="Mine")


def test_a_link_in_a_library_keeps_its_name_there(library: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "mine.zarr").symlink_to(library / NAME)
    (row,) = Library(tmp_path / "elsewhere").sessions()
    assert (row.name, row.state) == ("mine", "complete")
    assert Library(tmp_path / "elsewhere").find(row.name) == row.path


def test_the_trash_means_the_session_of_a_link_by_whatever_way(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the window a session is named by its library, on the command line by a path or by its library."""
    elsewhere = tmp_path / "elsewhere"
    link = elsewhere / "mine.zarr"
    link.symlink_to(library / NAME)
    ways: list[Callable[[], object]] = [
        lambda: Library(elsewhere).trash("mine"),
        lambda: main(["trash", "mine", "--library", str(elsewhere)]),
        lambda: main(["trash", str(link)]),
    ]
    for throw in ways:
        throw()
        (trashed,) = Library(library).trashed()
        assert (Library(elsewhere).sessions(), Library(elsewhere).trashed()) == ([], [])
        Library(elsewhere).restore(trashed.path)
        assert [row.name for row in Library(elsewhere).sessions()] == ["mine"]
        assert verify(Session.open(link)).ok


WRITERS: dict[str, Callable[[Path], object]] = {
    "record": lambda folder: record("hopper", RandomAgent(get_spec("hopper"), 1), library=folder, episodes=1),
    "merge": lambda folder: list(merging([_top(folder), _top(folder).parent / "other.zarr"], folder)),
    "copy": lambda folder: copy_session(_top(folder).parent / "other.zarr", folder),
    "run": lambda folder: Runs(folder).create([Session.open(_top(folder))], TrainConfig.for_env("hopper")),
    "train": lambda folder: list(fit([_top(folder)], TrainConfig(max_batches=1), out=folder / "clone.safetensors")),
    "film": lambda folder: whole_file(folder / "film.mp4", ".mp4", "").__enter__(),
    "change the library": ensure_writable,
    "describe": lambda folder: open_app(["--library", str(_top(folder).parent), "--describe-to", str(folder / "a")]),
    "list": lambda folder: Library(folder).sessions(),
}


@pytest.mark.parametrize("inside", ["", "episodes", "episodes/new"])
@pytest.mark.parametrize("what", WRITERS)
def test_nothing_is_written_into_a_session(library: Path, what: str, inside: str) -> None:
    before = files_of(library / NAME)
    if what == "film" and inside.endswith("new"):
        (library / NAME / inside).mkdir()
    with pytest.raises(LibraryError, match="nothing else can be stored there; choose another folder, such as") as told:
        WRITERS[what](library / NAME / inside)
    assert len(str(told.value).splitlines()) == 1
    assert files_of(library / NAME) == before


def _top(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.name == NAME)


@pytest.mark.parametrize(
    "command",
    [
        ["record", "hopper", "--episodes", "1", "--library", "."],
        ["pull", "../other.zarr", "--library", "."],
        ["push", "../other.zarr", "--to", "."],
        ["merge", ".", "../other.zarr", "--library", "."],
        ["split", ".", "--at", "2", "--library", "episodes/.."],
        ["train", ".", "--out", "clone.safetensors"],
        ["train", ".", "--library", "."],
        ["sample", "--library", "."],
        ["demo", "--quick"],
        ["study", "hopper", "--out", "study"],
        ["sessions", "--library", "."],
    ],
)
def test_the_command_line_refuses_it_in_a_sentence(
    library: Path, command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(library / NAME)
    before = files_of(library / NAME)
    assert main(command) == 1
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert told.startswith("twinplay: ")
    assert str(library / NAME) in told
    assert f"nothing else can be stored there; choose another folder, such as {library}" in told
    assert files_of(library / NAME) == before
    assert names_of(library) == {NAME, "other.zarr"}


def test_a_film_is_refused_before_anything_is_played(library: Path, tmp_path: Path) -> None:
    policy = untrained("hopper", tmp_path / "clone.safetensors")
    with pytest.raises(LibraryError, match="nothing else can be stored there"):
        list(filming(str(library / NAME / "film.mp4"), None, str(policy), seconds=1))
    assert main(["watch", str(policy), "--video", str(library / NAME / "film.gif")]) == 1


def test_nothing_is_pushed_into_a_session_at_a_url(library: Path) -> None:
    fs = fsspec.filesystem("memory")
    try:
        copy_session(library / NAME, "memory://team/library")
        before = set(fs.find("/team"))
        for inside in (NAME, f"{NAME}/episodes"):
            with pytest.raises(LibraryError, match="is a session, and nothing else can be stored there"):
                copy_session(library / "other.zarr", f"memory://team/library/{inside}")
        assert set(fs.find("/team")) == before
    finally:
        fs.store.clear()
        fs.pseudo_dirs[:] = [""]


def test_what_lies_in_a_session_from_before_can_be_copied_out(library: Path, tmp_path: Path) -> None:
    """Earlier versions wrote merged sessions there."""
    inner = library / NAME / "2026-11-22T10-00-00-hopper.zarr"
    shutil.copytree(library / "other.zarr", inner)
    assert verify(Session.open(library / NAME)).ok
    with pytest.raises(LibraryError, match="nothing else can be stored there"):
        edit(inner, title="Mine")
    copy = copy_session(inner, tmp_path / "out")
    assert verify(Session.open(copy)).ok
    assert not (library / NAME / ".locks").exists()


def test_a_path_that_leads_nowhere_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for given in (str(tmp_path / "loop"), tmp_path / "a\0b"):
        with pytest.raises(UsageError, match=r"cannot be found .*; give another path"):
            place(given)
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(UsageError, match=r"cannot be found \(No such file or directory\); give another path"):
        place(".")


def test_the_window_does_not_open_a_session_as_its_library(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TWINPLAY_LIBRARY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with pytest.raises(LibraryError, match="is a session, and nothing else can be stored there"):
        usable_library(library / NAME, None)
    opened, told = usable_library(None, library / NAME)
    assert opened == default_library()
    assert f"{library / NAME} is a session" in told
