"""Versions of the simulator are told, not judged: interface, settings and ROM decide, and play where it is verified."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zarr

from player.cli import main
from player.watch.duel import Duel
from recorder import Library, RandomAgent, Session, get_spec, record, verify
from recorder.errors import SessionError, UsageError
from recorder.library.merging import merging
from tests.player.conftest import untrained
from trainer.policy.header import read_header
from trainer.runs.policy_library import summarize
from trainer.runs.selection import Row, describe
from trainer.runs.session_facts import read_facts

INSTALLED = importlib.metadata.version("gymnasium")
PHRASE = f"a different simulator version (gymnasium 1.3.0, not {INSTALLED})"
BUDGET = ("--max-batches", "1", "--set", "play_games=0", "--set", "checks=0", "--no-run")


@contextlib.contextmanager
def elsewhere() -> Iterator[None]:
    """As on a computer with another version of Gymnasium."""
    original = importlib.metadata.version
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.metadata, "version", lambda name: "1.3.0" if name == "gymnasium" else original(name))
        get_spec.cache_clear()
        yield
    get_spec.cache_clear()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of a session that was recorded here, and one that was recorded elsewhere."""
    library = tmp_path_factory.mktemp("simulators")
    agent = RandomAgent(get_spec("breakout"), 1)
    record("breakout", agent, library=library, seconds=4, seed=1).path.rename(library / "here.zarr")
    with elsewhere():
        record("breakout", agent, library=library, seconds=4, seed=2).path.rename(library / "there.zarr")
    return library


@pytest.fixture
def library(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "library"))


def change_an_action(path: Path) -> None:
    """Let the session have been played otherwise, with a digest that fits."""
    group = zarr.open_group(path, mode="r+")
    actions = np.asarray(group["action"])
    actions[:120] = np.where(actions[:120] == 2, 3, 2)
    group["action"][:120] = actions[:120]  # type: ignore[index]
    group.attrs.update(digest=Session.open(path).digest())


def test_verify_judges_play_and_says_nothing_of_versions_where_it_agrees(library: Path) -> None:
    session = Session.open(library / "there.zarr")
    assert session.spec.versions["gymnasium"] == "1.3.0"
    certificate = verify(session)
    assert (certificate.ok, certificate.difference, certificate.notes) == (True, "", ())
    assert Session.open(session.path).verified


def test_verify_names_versions_where_play_differs_and_only_there(library: Path) -> None:
    change_an_action(library / "there.zarr")
    change_an_action(library / "here.zarr")
    difference = verify(Session.open(library / "there.zarr")).difference
    assert "screen differs" in difference
    assert difference.endswith(f"; recorded with {PHRASE}")
    assert "simulator" not in verify(Session.open(library / "here.zarr")).difference


def test_verify_does_not_name_versions_where_only_the_digest_differs(library: Path) -> None:
    zarr.open_group(library / "there.zarr", mode="r+")["time_ns"][5] += 1  # type: ignore[index, operator]
    difference = verify(Session.open(library / "there.zarr")).difference
    assert "its digest is" in difference
    assert "gymnasium" not in difference


def test_merging_goes_on_and_says_so(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", str(library / "here.zarr"), str(library / "there.zarr")]) == 0
    assert f"note: some of it was recorded with {PHRASE}" in capsys.readouterr().err
    (made,) = {path.name for path in library.glob("*.zarr")} - {"here.zarr", "there.zarr"}
    merged = Session.open(library / made)
    assert verify(merged).ok
    assert [part["versions"]["gymnasium"] for part in merged.attributes["made_of"]] == [INSTALLED, "1.3.0"]


@pytest.mark.parametrize("changed", [{"rom_sha256": "0" * 64}, {"kwargs": {"frameskip": 4}}, {"env_id": "ALE/Pong-v5"}])
def test_another_rom_or_setting_is_refused(library: Path, changed: dict[str, object]) -> None:
    paths = [library / "here.zarr", library / "there.zarr"]
    group = zarr.open_group(paths[1], mode="r+")
    group.attrs.update(env={**group.attrs["env"], **changed})  # type: ignore[dict-item]
    with pytest.raises(UsageError, match=f"cannot be merged .{next(iter(changed))}: "):
        list(merging(paths, library))
    assert main(["train", *map(str, paths), "--out", str(library / "clone.safetensors"), *BUDGET]) == 1


def test_an_interrupted_session_is_closed_by_play_that_agrees(library: Path) -> None:
    paths = [library / "here.zarr", library / "there.zarr"]
    head = paths[1] / "zarr.json"
    head.write_text(head.read_text().replace('"complete"', '"recording"'))
    with zarr.config.set({"array.write_empty_chunks": True}):
        zarr.open_group(paths[1], mode="r+")["episodes/outcome"][0] = 0  # type: ignore[index]
    *_, last = merging(paths, library)
    assert verify(Session.open(last.made[0])).ok
    change_an_action(paths[1])
    with pytest.raises(SessionError, match=r"its last moment cannot be simulated again \(gymnasium 1\.3\.0, not"):
        list(merging(paths, library))


def test_training_goes_on_and_the_policy_says_so(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = library / "clone.safetensors"
    sessions = [str(library / "here.zarr"), str(library / "there.zarr")]
    assert main(["train", *sessions, "--out", str(policy), *BUDGET]) == 0
    warning = f"some of it was recorded with {PHRASE}"
    assert warning in capsys.readouterr().err
    assert warning in read_header(policy)["training"]["warnings"]
    assert summarize(policy).note == ""  # of the first session's simulator


def test_the_train_page_says_so(library: Path) -> None:
    rows = [Row.of(summary) for summary in Library(library).sessions()]
    selection = describe(rows, {row.path: read_facts(row.path) for row in rows}, {})
    assert selection.problem == ""
    assert f"Some of it was recorded with {PHRASE}." in selection.warnings


def test_a_policy_of_another_simulator_plays_and_says_so(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (library / "policies").mkdir()
    with elsewhere():
        policy = untrained("breakout", library / "policies" / "clone.safetensors")
    note = f"clone was made with {PHRASE}"
    assert main(["policies", "--library", str(library), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["note"], row["problem"]) == (note, "")
    assert main(["policies", "--library", str(library)]) == 0
    assert note in capsys.readouterr().err
    film = library / "film.gif"
    assert main(["watch", str(policy), "--video", str(film), "--seconds", "0.2"]) == 0
    assert f"note: {note}" in capsys.readouterr().err
    assert film.exists()
    with Duel(Session.open(library / "there.zarr"), policy, render=False) as duel:
        assert duel.frame().note == f"there was made with {PHRASE}; {note}"


def test_an_evaluation_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with elsewhere():
        policy = untrained("hopper", tmp_path / "clone.safetensors")
    assert main(["evaluate", str(policy), "--episodes", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["notes"] == [f"clone was made with {PHRASE}"]
    assert main(["evaluate", str(policy), "--episodes", "1"]) == 0
    assert f"note: clone was made with {PHRASE}" in capsys.readouterr().out


def say_versions(path: Path, version: str) -> None:
    document = json.loads((path / "zarr.json").read_text())
    document["attributes"]["env"]["versions"]["gymnasium"] = version
    (path / "zarr.json").write_text(json.dumps(document))


def test_what_a_session_says_of_versions_is_no_part_of_its_digest(library: Path) -> None:
    before = Session.open(library / "here.zarr").digest()
    say_versions(library / "here.zarr", "1.3.0")
    session = Session.open(library / "here.zarr")
    assert session.digest() == before == session.attributes["digest"]
    assert verify(session).ok


def test_a_session_whose_digest_was_made_with_the_versions_keeps_it(library: Path) -> None:
    """As they were recorded before versions were left out."""
    path = library / "here.zarr"
    session = Session.open(path)
    files = sorted(name for name in session.files() if name != "zarr.json" and "excluded" not in name)
    digest = hashlib.sha256()
    for key in ("version", "ticks", "env", "player", "seed", "palette"):
        digest.update(json.dumps([key, session.attributes[key]], sort_keys=True).encode())
    for name in files:
        if not name.startswith("episodes/label/"):
            digest.update(f"{name} {hashlib.sha256((path / name).read_bytes()).hexdigest()}\n".encode())
    document = json.loads((path / "zarr.json").read_text())
    document["attributes"]["digest"] = digest.hexdigest()
    (path / "zarr.json").write_text(json.dumps(document))
    old = Session.open(path)
    assert old.digest() == digest.hexdigest() != session.digest()
    assert verify(old).ok
    say_versions(path, "1.3.0")
    assert "something else was changed" in verify(Session.open(path)).difference
