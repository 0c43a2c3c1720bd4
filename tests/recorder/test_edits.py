"""What may be changed about a session, and new sessions out of recorded ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from recorder import Library, RandomAgent, Session, get_spec, record, verify
from recorder.agents.experts import scripted
from recorder.errors import SessionError, TwinplayError, UsageError
from recorder.library.edits import edit, merge_spans, without
from recorder.library.merging import merging, splitting
from recorder.library.verify import verifying
from recorder.play.latency import Latency
from tests.recorder.test_playing import steered


@pytest.fixture
def session(hops: Session, tmp_path: Path) -> Session:
    """Three games of Hopper, to be changed."""
    return Session.open(shutil.copytree(hops.path, tmp_path / hops.path.name))


def attributes(path: Path, **values: object) -> None:
    document = json.loads((path / "zarr.json").read_text())
    document["attributes"] |= values
    (path / "zarr.json").write_text(json.dumps(document))


def merged(paths: list[Path], library: Path) -> Session:
    *_, last = merging(paths, library)
    assert last.ticks == last.total
    (path,) = last.made
    return Session.open(path)


def test_what_is_thought_of_a_session_is_kept_and_its_certificate_stays_good(session: Session) -> None:
    assert verify(session).ok
    edit(
        session.path,
        title="  My   best ",
        notes="slipped at the end\n",
        tags=["fast", "fast", "left, handed"],
        excluded={1: True},
        labels={0: "success", 2: "failure"},
        spans=[range(20, 30), range(5, 10), range(8, 12)],
    )
    found = Session.open(session.path)
    assert (found.title, found.notes, found.tags) == ("My best", "slipped at the end", ("fast", "left handed"))
    assert [episode.excluded for episode in found.episodes] == [False, True, False]
    assert [episode.label for episode in found.episodes] == ["success", "", "failure"]
    assert found.excluded_spans == (range(5, 12), range(20, 30))
    assert found.verified
    assert verify(found).ok
    edit(session.path, excluded={1: False}, tags=[])
    again = Session.open(session.path)
    assert (again.tags, again.title, again.excluded_spans) == ((), "My best", found.excluded_spans)
    assert not any(episode.excluded for episode in again.episodes)


def test_a_title_given_while_the_session_is_verified_stays(session: Session) -> None:
    steps = verifying(session)
    next(steps)
    edit(session.path, title="meanwhile")
    *_, last = steps
    assert last.certificate is not None
    assert last.certificate.ok
    found = Session.open(session.path)
    assert (found.title, found.verified) == ("meanwhile", True)


def test_plain_zarr_reads_what_was_changed(session: Session) -> None:
    import zarr

    edit(session.path, excluded={2: True}, labels={1: "success"})
    group = zarr.open_group(session.path, mode="r")
    assert group["episodes/excluded"][:3].tolist() == [False, False, True]
    assert group["episodes/label"][:3].tolist() == [0, 1, 0]


def test_what_cannot_be_meant_changes_nothing(session: Session) -> None:
    before = (session.path / "zarr.json").read_bytes()
    ticks = len(session)
    for sentence, given in (
        ("has no episode 3; choose from 0 to 2", {"excluded": {3: True}}),
        ("'bad' is not a label; choose one of: success, failure", {"labels": {0: "bad"}}),
        ("are not a valid span of a session of", {"spans": [range(0, ticks + 1)]}),
        ("are not a valid span of a session of", {"spans": [range(5, 5)]}),
        ("a title can have at most 120 characters, this one has 121", {"title": "x" * 121}),
        ("at most 24 tags of at most 32 characters", {"tags": ["x" * 33]}),
    ):
        with pytest.raises(UsageError, match=sentence):
            edit(session.path, **given)
    assert (session.path / "zarr.json").read_bytes() == before


@pytest.mark.parametrize(
    "spans", [None, 3, [[0]], [[5, 5]], [[9, 3]], [[0, 10**9]], [[0, 5], [4, 8]], [[0.0, 3]], ["ab"]]
)
def test_spans_that_cannot_be_read_are_never_learned_from_by_mistake(session: Session, spans: object) -> None:
    attributes(session.path, excluded_spans=spans)
    found = Session.open(session.path)
    with pytest.raises(SessionError, match="set them again with `twinplay edit`"):
        found.to_learn(found.episodes[0])
    edit(session.path, spans=[])
    assert Session.open(session.path).to_learn(found.episodes[0])


def test_a_strangers_words_are_cut_and_cleaned(session: Session) -> None:
    attributes(session.path, title="\x1b[31mred\u202e" + "x" * 500, notes=["no text"], tags=["a", 3, "a", "", "b\nc"])
    found = Session.open(session.path)
    assert found.title.startswith("[31mredxxx")
    assert len(found.title) <= 120
    assert (found.notes, found.tags) == ("", ("a", "b c"))


def test_no_file_is_written_through_a_strangers_link(session: Session, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("untouched")
    for name in ("zarr.json.part", "episodes/excluded/c.0.part"):
        (session.path / name).symlink_to(canary)
    with pytest.raises(TwinplayError):
        edit(session.path, title="mine", excluded={0: True})
    assert canary.read_text() == "untouched"


def test_ticks_to_learn_from_are_those_between_the_spans(session: Session) -> None:
    first, second, _ = session.episodes
    across = range(first.stop - 3, second.start + 4)
    edit(session.path, excluded={2: True}, spans=[range(0, 2), range(6, 8), across])
    found = Session.open(session.path)
    learned = [found.to_learn(episode) for episode in found.episodes]
    assert learned == [[range(2, 6), range(8, first.stop - 3)], [range(second.start + 4, second.stop)], []]
    total = sum(len(ticks) for ranges in learned for ticks in ranges)
    assert found.summary()["learn_ticks"] == total
    assert total == len(first) + len(second) - 7 - 2 - 2


def test_spans_join_and_open_again() -> None:
    assert merge_spans([range(5, 9), range(0, 3), range(3, 4)], 9) == (range(0, 4), range(5, 9))
    assert without([range(0, 4), range(5, 9)], range(2, 7)) == [range(0, 2), range(7, 9)]
    assert without([range(0, 4)], range(4, 9)) == [range(0, 4)]


def test_merged_sessions_keep_everything_and_pass_their_certificate(tmp_path: Path) -> None:
    spec = get_spec("hopper")
    parts = [record("hopper", RandomAgent(spec, k), library=tmp_path, episodes=2, seed=k) for k in (1, 2, 3)]
    edit(parts[1].path, excluded={1: True}, labels={0: "success"}, spans=[range(3, 7)], notes="two", tags=["b"])
    edit(parts[2].path, notes="three", tags=["b", "c"])
    whole = merged([parts[2].path, parts[0].path, parts[1].path], tmp_path)
    certificate = verify(whole)
    assert certificate.ok, certificate.difference
    assert certificate.ticks == sum(map(len, parts))
    np.testing.assert_array_equal(whole.actions, np.concatenate([part.actions for part in parts]))
    assert [e.seed for e in whole.episodes] == [e.seed for part in parts for e in part.episodes]
    assert whole.scores == [score for part in parts for score in part.scores]
    assert (np.diff(whole.time_ns) > 0).all()
    start = len(parts[0])
    steps = np.diff(whole.time_ns[start : start + len(parts[1])])
    np.testing.assert_array_equal(steps, np.diff(parts[1].time_ns))
    assert [episode.index for episode in whole.episodes if episode.excluded] == [3]
    assert [episode.label for episode in whole.episodes] == ["", "", "success", "", "", ""]
    assert whole.excluded_spans == (range(start + 3, start + 7),)
    assert (whole.notes, whole.tags) == ("two\n\nthree", ("b", "c"))
    assert whole.player == parts[0].player
    origins = [(origin["name"], origin["seed"]) for origin in whole.attributes["made_of"]]
    assert origins == [(part.name, part.seed) for part in parts]
    assert len(Library(tmp_path).sessions()) == 4
    assert not list(tmp_path.glob(".making-*"))


def test_how_soon_keys_showed_is_kept_by_an_edit_and_left_out_of_merged_and_split_sessions(tmp_path: Path) -> None:
    player = RandomAgent(get_spec("hopper"))
    parts = [record("hopper", player, library=tmp_path, episodes=2, seed=k).path for k in (1, 2)]
    told = Latency(presses=9, tick_p50_ms=8.0, tick_p99_ms=16.0, picture_p50_ms=12.0, picture_p99_ms=20.0)
    for part in parts:
        attributes(part, latency=told.to_json())
    edit(parts[0], title="mine")
    assert [Session.open(part).latency for part in parts] == [told, told]
    whole = merged(parts, tmp_path)
    *_, last = splitting(parts[0], 2, tmp_path)
    for made in (whole.path, *last.made):  # it holds for a whole take, and is not in the arrays
        assert Session.open(made).latency is None
        assert "latency" not in Session.open(made).attributes


@pytest.mark.parametrize("damage", [3, [], {}, {"presses": 0}, {"picture_p50_ms": "soon"}, {"tick_p99_ms": 10**400}])
def test_a_latency_that_cannot_be_read_is_as_good_as_none(session: Session, damage: object) -> None:
    told = Latency(presses=9, tick_p50_ms=8.0, tick_p99_ms=16.0, picture_p50_ms=12.0, picture_p99_ms=20.0).to_json()
    attributes(session.path, latency=told | damage if isinstance(damage, dict) and damage else damage)
    found = next(each for each in Library(session.path.parent).sessions() if each.name == session.name)
    assert (found.state, found.latency) == ("complete", None)


def test_sessions_of_two_players_merge_to_a_mixed_one(tmp_path: Path) -> None:
    one = record("hopper", RandomAgent(get_spec("hopper")), library=tmp_path, episodes=1)
    other = record("hopper", scripted("hopper"), library=tmp_path, seconds=1)
    whole = merged([one.path, other.path], tmp_path)
    assert whole.player["kind"] == "mixed"
    assert whole.player["params"]["players"] == [one.player, other.player]


def test_what_does_not_belong_together_is_not_merged(hops: Session, session: Session, tmp_path: Path) -> None:
    game = record("breakout", RandomAgent(get_spec("breakout")), library=tmp_path, seconds=1)
    for paths, sentence in (
        ([game.path, session.path], "cannot be merged"),
        ([game.path, game.path], "at least two different sessions"),
    ):
        with pytest.raises(UsageError, match=sentence):
            list(merging(paths, tmp_path))
    assert len(Library(tmp_path).sessions()) == 2


def test_a_split_session_gives_two_that_pass_and_together_are_the_whole(session: Session, tmp_path: Path) -> None:
    edit(
        session.path,
        title="three games",
        labels={2: "success"},
        spans=[range(session.episodes[1].start - 4, len(session))],
    )
    *_, last = splitting(session.path, 2, tmp_path)
    one, two = (Session.open(path) for path in last.made)
    assert [len(part.episodes) for part in (one, two)] == [1, 2]
    for part in (one, two):
        certificate = verify(part)
        assert certificate.ok, certificate.difference
    np.testing.assert_array_equal(np.concatenate([one.states, two.states]), session.states)
    np.testing.assert_array_equal(np.concatenate([one.time_ns, two.time_ns]), session.time_ns)
    assert one.excluded_spans == (range(len(one) - 4, len(one)),)
    assert two.excluded_spans == (range(0, len(two)),)
    assert [episode.label for episode in two.episodes] == ["", "success"]
    assert (one.title, two.title) == ("three games (1 of 2)", "three games (2 of 2)")
    assert (one.player, one.seed) == (session.player, session.seed)


def test_a_session_is_only_split_between_games(session: Session) -> None:
    for number in (1, 4, -1):
        with pytest.raises(UsageError, match=f"before game {number}; choose from 2 to 3"):
            list(splitting(session.path, number, session.path.parent))


def test_what_was_rewound_stays_together_through_merge_and_split(tmp_path: Path) -> None:
    plan = [("play", 300), ("rewind", 130), ("play", 200), ("keep", 60), ("play", 100), ("rewind", 30)]
    rewound, _ = steered(tmp_path, plan)
    assert sum(episode.parent >= 0 for episode in rewound.episodes) == 5
    before = record("breakout", RandomAgent(get_spec("breakout")), library=tmp_path, seconds=2)
    whole = merged([before.path, rewound.path], tmp_path)
    certificate = verify(whole)
    assert certificate.ok, certificate.difference
    assert whole.scores in (before.scores + rewound.scores, rewound.scores + before.scores)
    assert [len(game.line) for game in whole.recorded_games] in ([1, 3], [3, 1])
    *_, last = splitting(whole.path, 2, tmp_path)
    for part in last.made:
        certificate = verify(Session.open(part))
        assert certificate.ok, certificate.difference


def test_an_interrupted_session_merges_with_its_last_moment_played_again(tmp_path: Path) -> None:
    parts = [record("breakout", RandomAgent(get_spec("breakout"), k), library=tmp_path, seconds=2) for k in (1, 2)]
    cut = json.loads((parts[0].path / "zarr.json").read_text())["attributes"]
    attributes(parts[0].path, state="recording", ticks=cut["ticks"] - 17, finals=0)
    whole = merged([part.path for part in parts], tmp_path)
    assert len(whole) == len(parts[0]) + len(parts[1]) - 17
    certificate = verify(whole)
    assert certificate.ok, certificate.difference
    assert [episode.outcome for episode in whole.episodes] == ["stopped", "stopped"]


def test_a_merge_that_is_given_up_leaves_nothing_behind(hops: Session, session: Session) -> None:
    before = sorted(path.name for path in session.path.parent.iterdir())
    steps = merging([hops.path, session.path], session.path.parent)
    next(steps)
    steps.close()
    assert sorted(path.name for path in session.path.parent.iterdir()) == before
