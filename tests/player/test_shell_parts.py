"""The sample, the log and the choice of the library, without a window."""

from __future__ import annotations

import json
import os
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from player.app import usable_library
from player.cli import main
from player.support.diagnostics import diagnostics
from player.support.sample import SAMPLE, Sample
from player.watch.presenter import WatchPresenter
from recorder import Library, Session, TwinplayError, verify
from recorder.agents.experts import from_description
from recorder.errors import LibraryError
from recorder.system.commands import guarded
from recorder.system.logfile import LOG, Failures, begin_log, end_log, last_lines, log_file
from recorder.system.resources import asset
from trainer.policy.policy import Policy
from trainer.runs.presenter import TrainPresenter

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a user of this program who never used it before."""
    for name in ("CONFIG", "STATE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.delenv("TWINPLAY_LIBRARY", raising=False)
    return tmp_path


def test_the_sample_is_small_verified_and_says_that_a_script_played(tmp_path: Path, capsys: Capture) -> None:
    assert sum(file.stat().st_size for file in asset("sample").iterdir()) < 5_000_000
    library = tmp_path / "library"
    assert main(["sample", "--library", str(library)]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{SAMPLE.about['seconds']} seconds of Breakout played by a script")
    assert main(["sample", "--library", str(library), "--json"]) == 0  # once more changes nothing
    facts = json.loads(capsys.readouterr().out)
    (summary,) = Library(library).sessions()
    session = Session.open(facts["session"])
    assert (summary.path, summary.verified, summary.state) == (session.path, True, "complete")
    assert (session.player["kind"], session.player["title"]) == ("scripted", "Sample")
    assert session.scores == [SAMPLE.about["score"]]
    assert verify(session).ok
    from_description(session.player)  # who can be asked to play again, beside the clone
    assert sorted(entry.name for entry in library.iterdir() if entry.name != ".locks") == [
        session.path.name,
        "policies",
    ]


def test_the_samples_clone_plays_and_any_other_clone_is_newer(tmp_path: Path) -> None:
    pair = SAMPLE.add(tmp_path)
    policy = Policy.load(pair.policy)
    assert policy.header["sessions"][0]["player"]["kind"] == "scripted"
    policy.reset()
    assert policy.act(Session.open(pair.session).frames[0]) in range(4)
    own = pair.policy.with_name("2026-11-22T10-00-00-breakout.safetensors")
    shutil.copyfile(pair.policy, own)
    presenter = WatchPresenter(Library(tmp_path))
    presenter.refresh()
    assert [choice.value for choice in presenter.pair.policies] == [own, pair.policy]
    assert presenter.pair.sessions[0].label.startswith("Sample, 72 points · Breakout · ")
    rows = TrainPresenter(Library(tmp_path))
    rows.refresh()
    assert [row.player for row in rows.choice.rows] == ["Sample (scripted)"]


@pytest.mark.parametrize("name", ["../out.txt", "/tmp/out.txt", "a/../../out.txt", "c:\\out.txt", "folder/"])
def test_a_sample_that_would_write_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    forged(tmp_path, lambda archive: archive.writestr(zipfile.ZipInfo(name), b"out"))
    with pytest.raises(TwinplayError, match=r"session.zip is damaged .*; install Twinplay again"):
        Sample(tmp_path / "sample").add(tmp_path / "library")
    assert not list(tmp_path.rglob("out.txt"))
    assert not list((tmp_path / "library").glob("*.part")) + list((tmp_path / "library").glob("*.zarr"))


def test_a_sample_with_a_link_or_a_bomb_in_it_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("zarr.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    forged(tmp_path, lambda archive: archive.writestr(link, "/etc/passwd"))
    with pytest.raises(TwinplayError, match="is damaged"):
        Sample(tmp_path / "sample").add(tmp_path / "library")
    forged(tmp_path, lambda archive: archive.writestr("zarr.json", bytes(30 << 20)))
    with pytest.raises(TwinplayError, match="too large"):
        Sample(tmp_path / "sample").add(tmp_path / "library")


def test_a_sample_whose_facts_lead_elsewhere_is_refused(tmp_path: Path) -> None:
    forged(tmp_path, lambda archive: None, session="../../evil")
    with pytest.raises(TwinplayError, match=r"about.json cannot be read"):
        Sample(tmp_path / "sample").add(tmp_path / "library")


def forged(folder: Path, write: Callable[[zipfile.ZipFile], object], **facts: str) -> None:
    sample = folder / "sample"
    shutil.rmtree(sample, ignore_errors=True)
    shutil.copytree(asset("sample"), sample)
    (sample / "about.json").write_text(json.dumps({**SAMPLE.about, **facts}))
    with zipfile.ZipFile(sample / "session.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        write(archive)


def test_a_full_library_is_told_in_a_sentence(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "library").write_text("no folder")
    assert main(["sample", "--library", str(tmp_path / "library")]) == 1
    assert "library is a file, not a library folder; choose a folder" in capsys.readouterr().err


def test_the_wished_library_is_opened_unless_it_has_gone_or_another_is_asked_for(mine: Path) -> None:
    wish, default = mine / "wish", mine / "data" / "twinplay" / "library"
    library, told = usable_library(None, wish)
    assert library == default
    assert told.startswith(f"Library folder not found: {wish}. Opened {default} instead.")
    wish.mkdir()
    assert usable_library(None, wish) == (wish, "")
    assert usable_library(mine / "asked", wish) == (mine / "asked", "")
    os.environ["TWINPLAY_LIBRARY"] = str(mine / "set")
    try:
        assert usable_library(None, wish) == (mine / "set", "")
    finally:
        del os.environ["TWINPLAY_LIBRARY"]
    (mine / "file").write_text("")
    assert usable_library(mine / "file", None) == (mine / "file", "")  # the window says what is wrong


def test_the_log_is_kept_and_ends_up_in_the_diagnostics_which_do_not_name_the_home(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(mine))
    assert begin_log() == ""
    try:
        LOG.info("a line of the log")
        for k in range(20_000):
            LOG.info("line %d of %s", k, mine / "secret")
    finally:
        end_log()
    assert log_file().is_relative_to(mine)
    assert [file.name for file in sorted(log_file().parent.iterdir())] == [
        "twinplay.log",
        "twinplay.log.1",
        "twinplay.log.2",
    ]
    assert sum(file.stat().st_size for file in log_file().parent.iterdir()) < 1_600_000
    text = diagnostics(mine / "library", {"Screens": "one"})
    assert str(mine) not in text
    assert "~/library" in text
    assert "line 19999 of ~/secret" in text
    assert "line 19000 " not in text
    assert "GB" in text


def test_a_log_that_cannot_be_written_is_told_and_no_more(mine: Path) -> None:
    (mine / "state").write_text("no folder")
    told = begin_log()
    end_log()
    assert told.endswith("no log is kept")
    assert last_lines(log_file(), 5) == []


def test_the_version_is_printed(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("twinplay")


def test_diagnostics_are_printed(mine: Path, capsys: Capture) -> None:
    assert main(["doctor", "--library", str(mine)]) == 0
    assert main(["diagnostics", "--library", str(mine)]) == 0  # its name in version 0.1
    printed = capsys.readouterr().out
    assert f"numpy:              {np.__version__}" in printed


def test_a_known_failure_is_told_as_it_is(capsys: Capture) -> None:
    told: list[str] = []
    Failures(told.append).take(LibraryError("the folder is full; make room"))
    assert told == ["the folder is full; make room"]
    assert "the folder is full" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(5, "Input/output error", "/mnt/a"), "/mnt/a: Input/output error; choose another name or place"),
        (MemoryError(), "there was not enough memory; close other programs and try again"),
        (KeyError("of all things"), "unexpected error (KeyError: 'of all things'); please report it"),
    ],
)
def test_what_a_command_did_not_foresee_is_in_the_log(
    mine: Path, capsys: Capture, error: Exception, sentence: str
) -> None:
    def fail() -> int:
        raise error

    assert guarded(fail) == 1
    said = capsys.readouterr().err.strip()
    assert said.startswith(f"twinplay: {sentence}")
    assert str(log_file()) in said
    assert log_file().is_relative_to(mine)
    assert "in fail" in log_file().read_text()
    assert LOG.handlers == []


def test_where_there_can_be_no_log_the_trace_is_a_temporary_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert guarded(lambda: 1 // 0) == 1
    (file,) = tmp_path.iterdir()
    assert "ZeroDivisionError" in file.read_text()
