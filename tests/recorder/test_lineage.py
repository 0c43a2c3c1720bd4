"""Play that lies in several sessions, because some were merged or split, counts once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from recorder import Library, RandomAgent, Session, get_spec, record
from recorder.library.copies import first_copy, without_copies
from recorder.library.lineage import names_of_parts, origins_of
from recorder.library.merging import merging, splitting
from recorder.library.presenter import history
from recorder.library.session_summary import SessionSummary


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[Session]:
    library = tmp_path_factory.mktemp("library")
    return [record("hopper", RandomAgent(get_spec("hopper"), k), library=library, episodes=3, seed=k) for k in (1, 2)]


@pytest.fixture(scope="module")
def whole(originals: list[Session]) -> Session:
    *_, last = merging([session.path for session in originals], originals[0].path.parent)
    return Session.open(last.made[0])


@pytest.fixture(scope="module")
def halves(originals: list[Session]) -> list[Session]:
    *_, last = splitting(originals[0].path, 2, originals[0].path.parent)
    return [Session.open(path) for path in last.made]


@pytest.fixture(scope="module")
def rows(originals: list[Session], whole: Session, halves: list[Session]) -> dict[str, SessionSummary]:
    names = dict(zip((each.name for each in (*originals, whole, *halves)), ("a", "b", "whole", "1", "2"), strict=True))
    found = {names[row.name]: row for row in Library(originals[0].path.parent).sessions()}
    return found | {"copy": replace(found["a"], name="copy")}  # as a file manager makes one


@pytest.mark.parametrize(
    ("there", "counted"),
    [
        ("a b whole 1 2", "a b"),
        ("a b", "a b"),
        ("b whole", "whole"),
        ("whole 1 2", "whole"),
        ("1 2", "1 2"),
        ("a 1", "a"),
        ("b 1 2", "b 1 2"),
        ("whole", "whole"),
        ("a copy", "a"),
    ],
)
def test_the_play_of_originals_and_of_what_was_made_of_them_counts_once(
    rows: dict[str, SessionSummary], there: str, counted: str
) -> None:
    found = without_copies([rows[name] for name in there.split()])
    assert [row.name for row in found] == [rows[name].name for name in counted.split()]
    games = [score for row in found for score in row.total_rewards]
    assert sorted(history([rows[name] for name in there.split()]).scores) == sorted(games)


def test_a_session_tells_what_it_was_made_of(originals: list[Session], whole: Session, halves: list[Session]) -> None:
    assert names_of_parts(originals[0]) == ()
    assert set(names_of_parts(whole)) == {session.name for session in originals}
    digests = {session.name: session.attributes["digest"] for session in originals}
    assert {digest for digest, _, _ in origins_of(whole)} == set(digests.values())
    cut = originals[0].game(2).start
    assert origins_of(halves[1]) == ((digests[originals[0].name], cut, len(originals[0])),)


def test_a_part_of_a_merged_session_has_the_origins_of_that_part(whole: Session, tmp_path: Path) -> None:
    *_, last = splitting(whole.path, 3, tmp_path)
    first, second = (Session.open(path) for path in last.made)
    assert origins_of(first) + origins_of(second) != origins_of(whole)  # one of them is cut
    assert sum(stop - start for _, start, stop in origins_of(second)) == len(second)
    summaries = Library(tmp_path).sessions()
    assert {row.made_of for row in summaries} == {(whole.name,)}
    assert without_copies([*Library(whole.path.parent).sessions(), *summaries]) == without_copies(
        Library(whole.path.parent).sessions()
    )


def test_what_version_0_1_merged_tells_its_parts_too(whole: Session, tmp_path: Path) -> None:
    origins = origins_of(whole)
    written(whole.path, "origins", None)
    assert origins_of(Session.open(whole.path)) == origins
    written(whole.path, "origins", [list(each) for each in origins])


@pytest.mark.parametrize("strange", [[["x", 5, 2]], [["x", 0, 7]], [[1, 2, 3]], "x", 7, {"a": 1}, [[]]])
def test_strange_origins_are_as_good_as_none(whole: Session, strange: object) -> None:
    before = [list(each) for each in origins_of(whole)]
    written(whole.path, "origins", strange)
    session = Session.open(whole.path)
    assert origins_of(session) == ((session.attributes["digest"], 0, len(session)),)
    written(whole.path, "origins", before)


def test_two_that_hold_the_same_play_are_named(rows: dict[str, SessionSummary]) -> None:
    assert first_copy([rows["a"], rows["b"]]) is None
    assert first_copy([rows["whole"], rows["b"], rows["a"]]) == (rows["b"], rows["whole"])
    assert first_copy([rows["1"], rows["whole"], rows["2"]]) == (rows["whole"], rows["1"])
    assert first_copy([rows["1"], rows["2"], again := replace(rows["2"], name="again")]) == (rows["2"], again)


def written(session: Path, name: str, value: object) -> None:
    path = session / "zarr.json"
    metadata = json.loads(path.read_text())
    metadata["attributes"][name] = value
    path.write_text(json.dumps(metadata))
