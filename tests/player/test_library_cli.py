"""The commands that look after a library."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from player.cli import main
from recorder import Library, RandomAgent, Session, get_spec, record, verify

Run = Callable[..., str]


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds of Breakout, and three games of Hopper."""
    path = tmp_path_factory.mktemp("library-cli")
    record("breakout", RandomAgent(get_spec("breakout"), 1), library=path, seconds=20, seed=1)
    record("hopper", RandomAgent(get_spec("hopper"), 1), library=path, episodes=3, seed=1)
    return path


@pytest.fixture
def library(originals: Path, tmp_path: Path) -> Library:
    return Library(shutil.copytree(originals, tmp_path / "library"))


@pytest.fixture
def run(library: Library, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command over the library and returns what it printed, to stderr where it failed with `status`."""

    def run_it(*arguments: str, status: int = 0) -> str:
        capsys.readouterr()
        assert main([*arguments, "--library", str(library.path)]) == status
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return captured.err.strip() if status else captured.out

    return run_it


def session(library: Library, env: str) -> Session:
    return Session.open(next(row.path for row in library.sessions() if row.env == env))


@pytest.mark.parametrize("command", ["show", "edit", "merge", "split", "trash"])
def test_help_says_what_a_command_does(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert "example:" in text
    assert f"twinplay {command}" in text


def test_edit_changes_what_is_thought_of_a_session_and_show_tells_it(library: Library, run: Run) -> None:
    game = session(library, "breakout")
    run("edit", game.name, "--title", "[red]Left hand", "--tag", "slow", "--tag", "late", "--notes", "my cat helped")
    run("edit", game.name, "--exclude", "2s-5s", "--exclude", "0:10-0:12.5", "--exclude", "1100-1200", "--good", "1")
    run("edit", game.name, "--untag", "late", "--include", "4s-11s")
    found = Session.open(game.path)
    assert found.excluded_spans == (range(120, 240), range(660, 750), range(1100, 1200))
    assert (found.title, found.tags, found.notes) == ("[red]Left hand", ("slow",), "my cat helped")
    text = run("show", game.name)
    assert "title: [red]Left hand" in text
    assert "excluded: 0:02.0-0:04.0, 0:11.0-0:12.5, 0:18.3-0:20.0" in text
    assert "0:14.8 (74 %) used in training" in text
    assert "success" in text
    facts: dict[str, Any] = json.loads(run("show", game.name, "--json"))
    assert facts["learn_ticks"] == 1200 - 120 - 90 - 100
    assert facts["episodes"][0]["label"] == "success"
    run("edit", game.name, "--include", "all", "--unlabel", "1")
    assert Session.open(game.path).excluded_spans == ()
    assert verify(Session.open(game.path)).ok


def test_games_are_left_out_and_taken_in_again(library: Library, run: Run) -> None:
    hops = session(library, "hopper")
    run("edit", str(hops.path), "--exclude-games", "1,3", "--bad", "2")
    assert [e.excluded for e in Session.open(hops.path).episodes] == [True, False, True]
    run("edit", str(hops.path), "--include-games", "3")
    assert [e.excluded for e in Session.open(hops.path).episodes] == [True, False, False]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        ((), 2, "no change is given"),
        (("--exclude", "5s-90s"), 2, "5s-90s is not a valid span of"),
        (("--exclude", "9s-3s"), 2, "9s-3s is not a valid span of"),
        (("--exclude", "soon"), 2, "'soon' is not a span; give one such as 10s-25s"),
        (("--exclude-games", "7"), 2, "has no game 7; choose from 1 to"),
        (("--exclude-games", "x"), 2, "'x' is not the number of a game"),
        (("--title", "x" * 200), 2, "a title can have at most 120 characters, this one has 200"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    library: Library, run: Run, arguments: tuple[str, ...], status: int, sentence: str
) -> None:
    assert sentence in run("edit", session(library, "breakout").name, *arguments, status=status)


def test_sessions_are_searched_filtered_and_sorted(library: Library, run: Run) -> None:
    run("edit", session(library, "hopper").name, "--notes", "It fell, and fell.")
    assert len(json.loads(run("sessions", "--json", "--search", "FELL and"))) == 1
    assert [row["env"] for row in json.loads(run("sessions", "--json", "--sort", "minutes"))] == ["breakout", "hopper"]
    assert [row["env"] for row in json.loads(run("sessions", "--json", "--env", "hopper"))] == ["hopper"]
    assert json.loads(run("sessions", "--json", "--player", "person")) == []
    assert "has 2 sessions, but none of them match" in run("sessions", "--search", "nowhere")
    assert "there is no environment named 'pomg'" in run("sessions", "--env", "pomg", status=2)


def test_split_and_merge_make_new_sessions_and_trash_the_originals_when_asked(library: Library, run: Run) -> None:
    hops = session(library, "hopper")
    run("split", hops.name, "--at", "2", "--trash")
    parts = [row for row in library.sessions() if row.env == "hopper"]
    assert sorted(row.episodes for row in parts) == [1, 2]
    assert [trashed.name for trashed in library.trashed()] == [hops.name]
    run("merge", *(row.name for row in parts), "--title", "whole again")
    whole = next(row for row in library.sessions() if row.title == "whole again")
    assert (whole.ticks, whole.episodes) == (len(hops), 3)
    assert verify(Session.open(whole.path)).ok
    assert len(library.sessions()) == 4
    assert "at least two different sessions" in run("merge", whole.name, status=2)
    assert "choose from 2 to 3" in run("split", whole.name, "--at", "4", status=2)


def test_the_trash_is_listed_restored_from_and_emptied(library: Library, run: Run) -> None:
    hops, game = session(library, "hopper"), session(library, "breakout")
    assert "is empty" in run("trash")
    run("trash", hops.name, game.name)
    assert library.sessions() == []
    assert hops.name in run("trash")
    run("trash", "--restore", hops.name)
    assert [row.name for row in library.sessions()] == [hops.name]
    assert "use --yes to confirm" in run("trash", "--empty", status=2)
    assert len(library.trashed()) == 1
    assert "Deleted 1 session" in run("trash", "--empty", "--yes")
    assert library.trashed() == []
    assert "is not in the trash of" in run("trash", "--restore", game.name, status=1)
    assert "has no session named" in run("trash", "nobody", status=1)


def test_a_table_of_sessions_or_games_is_written_and_replaced_only_if_wanted(
    library: Library, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "games.csv"
    said = run("sessions", "--env", "hopper", "--csv", str(file), "--games")
    assert said == f"{file}: 3 games of 1 session\n"
    assert len(file.read_text(encoding="utf-8-sig").splitlines()) == 4
    assert "use --yes to confirm" in run("sessions", "--csv", str(file), status=2)
    assert run("sessions", "--csv", str(file), "--yes") == f"{file}: 2 sessions\n"
    assert len(file.read_text(encoding="utf-8-sig").splitlines()) == 3
    assert "must end in .csv" in run("sessions", "--csv", str(tmp_path / "games.txt"), status=2)
    assert "give --csv FILE" in run("sessions", "--games", status=2)


def test_record_counts_games(library: Library, run: Run) -> None:
    facts = json.loads(run("record", "hopper", "--player", "random", "--games", "2", "--json"))
    assert len(facts["scores"]) == 2
