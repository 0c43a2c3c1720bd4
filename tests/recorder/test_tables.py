"""Sessions and games as CSV tables, as the programs of researchers read them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from recorder import Library, RandomAgent, Session, get_spec, record
from recorder.agents.agent import KeyAgent
from recorder.errors import LibraryError
from recorder.library.edits import edit
from recorder.library.session_summary import SessionSummary
from recorder.library.tables import TableProgress, writing_table

GUARDED = "=HYPERLINK(1)"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Two seconds by somebody with a hostile name, three games of a hopper, and a session that cannot be read."""
    path: Path = tmp_path_factory.mktemp("tables")
    record("breakout", KeyAgent({}, GUARDED), library=path, seconds=2, seed=1)
    hops = record("hopper", RandomAgent(get_spec("hopper"), 1), library=path, episodes=3, seed=1)
    edit(hops.path, title="Zoë, “slow”", notes="one\ntwo", tags=["a", "b"], labels={1: "success"}, excluded={2: True})
    broken = path / "2020-01-01T00-00-00-hopper.zarr"
    broken.mkdir()
    (broken / "zarr.json").write_text("{")
    return Library(path)


def written(file: Path, rows: list[SessionSummary], *, games: bool) -> tuple[list[dict[str, str]], TableProgress]:
    *_, last = writing_table(file, rows, games=games)
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream)), last


def test_there_is_a_row_for_each_game_with_all_that_tells_games_apart(library: Library, tmp_path: Path) -> None:
    rows, last = written(tmp_path / "games.csv", library.sessions(), games=True)
    hops = Session.open(next(row.path for row in library.sessions() if row.env == "hopper"))
    found = [row for row in rows if row["environment"] == "hopper"]
    assert [(row["game"], int(row["ticks"]), row["label"], row["excluded"]) for row in found] == [
        ("1", hops.recorded_games[0].ticks, "", "FALSE"),
        ("2", hops.recorded_games[1].ticks, "success", "FALSE"),
        ("3", hops.recorded_games[2].ticks, "", "TRUE"),
    ]
    assert [float(row["score"]) for row in found] == pytest.approx(hops.scores, abs=1e-5)
    assert float(found[0]["seconds"]) == pytest.approx(hops.recorded_games[0].ticks / 125)
    assert (found[2]["learn_ticks"], found[0]["rewinds"], found[0]["late_ticks"]) == ("0", "0", "")  # no clock
    assert found[0] | {"session": hops.name, "title": "Zoë, “slow”", "date": hops.created} == found[0]
    assert (last.rows, len(last.left_out)) == (4, 1)


def test_there_is_a_row_for_each_session_an_unreadable_one_too(library: Library, tmp_path: Path) -> None:
    rows, last = written(tmp_path / "sessions.csv", library.sessions(), games=False)
    assert [row["state"] for row in rows] == ["complete", "complete", "unreadable"]
    hops = next(row for row in rows if row["environment"] == "hopper")
    assert (hops["games"], hops["successes"], hops["tags"], hops["notes"]) == ("3", "1", "a; b", "one two")
    assert last.left_out == ()


def test_no_cell_is_a_formula(library: Library, tmp_path: Path) -> None:
    for games in (True, False):
        rows, _ = written(tmp_path / "table.csv", library.sessions(), games=games)
        assert next(row["player"] for row in rows if row["player_kind"] == "person") == f"'{GUARDED}"
        assert not [cell for row in rows for cell in row.values() if cell[:1] in tuple("=+-@")]


def test_one_header_line_and_the_mark_by_which_excel_knows_utf_8(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "games.csv"
    written(file, library.sessions(), games=True)
    content = file.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfsession,title,player,")
    assert content.count(b"\n") == 5


def test_a_table_that_is_not_finished_replaces_nothing(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "games.csv"
    file.write_text("mine")
    steps = writing_table(file, library.sessions(), games=True)
    next(steps)
    steps.close()
    assert file.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(LibraryError, match="cannot be written"):
        list(writing_table(tmp_path / "none" / "games.csv", library.sessions(), games=True))
    with pytest.raises(LibraryError):
        list(writing_table(library.sessions()[0].path / "games.csv", [], games=True))
