"""Sessions in which one thing is not as any session has it: it is named in one sentence, and never read by mistake."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import zarr
from zarr.core.buffer import default_buffer_prototype

from recorder import Session, get_spec, verify
from recorder.agents.agent import describe
from recorder.agents.experts import scripted
from recorder.envs.game import Game
from recorder.errors import SessionError
from recorder.library.copying import copy_session
from recorder.library.edits import edit
from recorder.library.verify import verifying_each
from recorder.play.rollout import Rollout
from recorder.store.schema import Episode
from recorder.store.session_writer import SessionWriter
from recorder.store.untrusted import StoreError
from recorder.store.zarr_store.untrusted_stores import UntrustedStore
from tests.hostile import crc32c

TICKS = 90  # one chunk of screens, and a half


@pytest.fixture(scope="module")
def game(library: Path) -> Session:
    """A game of Breakout that went back once."""
    agent = scripted("breakout", seed=3)
    with Game(get_spec("breakout")) as played:
        writer = SessionWriter(library, played, describe(agent), seed=3)
        rollout = Rollout(played, agent, seed=3, sink=writer, rewindable=True)
        rollout.begin()
        for ticks, back in ((60, 20), (30, 0)):
            for _ in range(ticks):
                rollout.tick()
            rollout.rewind(back)
        rollout.end()
        return writer.close()


@pytest.fixture
def path(game: Session, tmp_path: Path) -> Path:
    """A session that a test may spoil."""
    return Path(shutil.copytree(game.path, tmp_path / game.path.name))


def change(file: Path, *keys: str, to: Any) -> None:
    """Give an entry of a `zarr.json` another value."""
    document = node = json.loads(file.read_text())
    for key in keys[:-1]:
        node = node[key]
    node[keys[-1]] = to
    file.write_text(json.dumps(document))


def read_all(session: Session) -> None:
    """Whatever there is to read in it."""
    _ = session.episodes, session.actions, session.rewards, session.terminated, session.truncated, session.keys
    session.screens(0, len(session))
    _ = session.palette, [session.final_observation(episode.index) for episode in session.episodes]
    _ = [session.lead_in(episode) for episode in session.episodes]


def test_what_is_not_spoiled_is_read(path: Path) -> None:
    read_all(Session.open(path))
    assert repr(Session.open(path)) == f"Session('{path}', breakout, scripted, {TICKS} ticks)"
    assert len(Session.open(path).frames) == TICKS


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("format", "another", "not one that Twinplay recorded"),
        ("version", 2, r"cannot be read: a newer Twinplay wrote it \(format version 2"),
        ("env", [], "the environment's specification is not a table"),
        ("player", "somebody", r"player is 'somebody', but must be a table of values"),
        ("player", {"kind": "ghost"}, r"it names no player of a known kind \(found .*ghost"),
        ("ticks", -1, "ticks is -1, but must lie"),
        ("ticks", True, "ticks is True, but must be a whole number"),
        ("episodes", 1e3, r"episodes is 1000\.0, but must be a whole number"),
        ("keys", None, "keys is None, but must be"),
        ("finals", 10**12, "finals is 1000000000000, but must lie"),
    ],
)
def test_what_the_attributes_say_is_checked_first(path: Path, name: str, value: Any, problem: str) -> None:
    change(path / "zarr.json", "attributes", name, to=value)
    with pytest.raises(SessionError, match=problem):
        Session.open(path)


@pytest.mark.parametrize("palette", [None, 3, [[0, 0, 0]] * 255, [[0, 0, 300]] * 256, [[0, 0, -1]] * 256, "colours"])
def test_screens_without_their_colours_are_not_shown_and_can_be_read(path: Path, palette: Any) -> None:
    change(path / "zarr.json", "attributes", "palette", to=palette)
    session = Session.open(path)
    with pytest.raises(SessionError, match="has no palette of 256 colours"):
        _ = session.frames[0]
    assert session.screens(0, 1).shape == (1, 210, 160)


def no_longer_there(path: Path) -> None:
    shutil.rmtree(path / "reward")


def half_written(path: Path) -> None:
    (path / "reward" / "zarr.json").write_text('{"zarr_format": 3')


def a_group(path: Path) -> None:
    no_longer_there(path)
    zarr.open_group(path, mode="r+").create_group("reward")


def of_another_kind(path: Path) -> None:
    change(path / "reward" / "zarr.json", "data_type", to="int64")


def too_short(path: Path) -> None:
    change(path / "reward" / "zarr.json", "shape", to=[TICKS - 1])


def endless(path: Path) -> None:
    change(path / "reward" / "zarr.json", "shape", to=[1 << 27])


def in_chunks_that_fill_the_memory(path: Path) -> None:
    change(path / "screen" / "zarr.json", "chunk_grid", "configuration", "chunk_shape", to=[60_000, 210, 160])


def cut_across(path: Path) -> None:
    change(path / "screen" / "zarr.json", "chunk_grid", "configuration", "chunk_shape", to=[60, 105, 160])


def in_chunks_of_nothing(path: Path) -> None:
    change(path / "reward" / "zarr.json", "chunk_grid", "configuration", "chunk_shape", to=[0])


def packed_otherwise(path: Path) -> None:
    codecs = json.loads((path / "reward" / "zarr.json").read_text())["codecs"]
    change(path / "reward" / "zarr.json", "codecs", to=[codecs[0], {"name": "gzip", "configuration": {"level": 5}}])


def turned_otherwise(path: Path) -> None:
    codecs = json.loads((path / "screen" / "zarr.json").read_text())["codecs"]
    change(
        path / "screen" / "zarr.json", "codecs", to=[{**codecs[0], "configuration": {"order": [2, 1, 0]}}, *codecs[1:]]
    )


def the_other_way_round(path: Path) -> None:
    codecs = json.loads((path / "reward" / "zarr.json").read_text())["codecs"]
    change(path / "reward" / "zarr.json", "codecs", to=[{**codecs[0], "configuration": {"endian": "big"}}, *codecs[1:]])


def metadata_without_end(path: Path) -> None:
    (path / "reward" / "zarr.json").write_bytes(b" " * (5 << 20))


def a_chunk_larger_than_any(path: Path) -> None:
    os.truncate(path / "reward" / "c.0", (64 << 20) + 1)


def a_link(path: Path) -> None:
    (path / "reward" / "c.0").rename(path.parent / "outside")
    (path / "reward" / "c.0").symlink_to(path.parent / "outside")


def a_pipe(path: Path) -> None:
    (path / "reward" / "c.0").unlink()
    os.mkfifo(path / "reward" / "c.0")


def chunk(header: bytes) -> Callable[[Path], None]:
    """A chunk with a good checksum that begins so."""

    def put(path: Path) -> None:
        (path / "reward" / "c.0").write_bytes(header + crc32c(header).to_bytes(4, "little"))

    return put


_SIZE_IS_STRANGE = r"the chunk 'reward/c\.0' is damaged \(its unpacked size is missing or too large\)"
_ZSTD = b"\x28\xb5\x2f\xfd"


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        pytest.param(no_longer_there, "the array 'reward' is missing", id="missing"),
        pytest.param(half_written, "the array 'reward' is damaged", id="half"),
        pytest.param(a_group, "'reward' is not an array", id="group"),
        pytest.param(of_another_kind, r"'reward' has int64 \(\) per row, expected float64", id="dtype"),
        pytest.param(too_short, "'reward' has 89 rows, expected 90", id="short"),
        pytest.param(endless, "'reward' claims 134,217,728 rows in chunks of", id="endless"),
        pytest.param(in_chunks_that_fill_the_memory, "'screen' claims .* in chunks of 2,016,000,000 bytes", id="huge"),
        pytest.param(cut_across, "'screen' is not divided into chunks of whole rows", id="cut"),
        pytest.param(in_chunks_of_nothing, "'reward' is not divided into chunks of whole rows", id="nothing"),
        pytest.param(packed_otherwise, "'reward' is stored with codecs that sessions do not use", id="codecs"),
        pytest.param(turned_otherwise, "'screen' is stored with codecs that sessions do not use", id="turned"),
        pytest.param(the_other_way_round, "'reward' is stored with codecs that sessions do not use", id="endian"),
        pytest.param(metadata_without_end, "'reward/zarr.json' has 5,242,880 bytes, more than any session", id="json"),
        pytest.param(a_chunk_larger_than_any, r"'reward/c\.0' has 67,108,865 bytes, more than any chunk", id="chunk"),
        pytest.param(a_link, r"'reward/c\.0' is a link or lies outside the session", id="link"),
        pytest.param(a_pipe, r"'reward/c\.0' is not a file", id="pipe"),
        pytest.param(chunk(b""), _SIZE_IS_STRANGE, id="empty"),
        pytest.param(chunk(b"PK\x03\x04 is no frame of zstd"), _SIZE_IS_STRANGE, id="magic"),
        pytest.param(chunk(_ZSTD + b"\x00 says no size"), _SIZE_IS_STRANGE, id="unsized"),
        pytest.param(chunk(_ZSTD + b"\xe0\x00"), _SIZE_IS_STRANGE, id="cut off"),
        pytest.param(chunk(_ZSTD + b"\xa0" + (65 << 20).to_bytes(4, "little")), _SIZE_IS_STRANGE, id="bomb"),
    ],
)
def test_what_no_recorder_writes_is_refused_here_and_by_the_certificate(
    path: Path, spoil: Callable[[Path], None], problem: str
) -> None:
    spoil(path)
    with pytest.raises(SessionError, match=problem):
        read_all(Session.open(path))
    certificate = verify(Session.open(path))
    assert not certificate.ok
    assert "\n" not in certificate.difference


@pytest.mark.parametrize("way", ["get", "get_sync"])
def test_by_whatever_way_zarr_reads_nothing_is_read_through_a_link(path: Path, way: str) -> None:
    a_link(path)
    store = UntrustedStore(path)

    def read(key: str) -> bytes | None:
        found = getattr(store, way)(key, prototype=default_buffer_prototype())
        found = asyncio.run(found) if way == "get" else found
        return None if found is None else bytes(found.to_bytes())

    assert read("action/c.0") == (path / "action" / "c.0").read_bytes()
    assert (read("action/c.1"), read("action/c.0/zarr.json")) == (None, None)
    with pytest.raises(StoreError, match="is a link or lies outside the session"):
        read("reward/c.0")


def test_an_array_that_is_missing_at_a_url_is_named_too(path: Path, memory: str) -> None:
    copy = copy_session(path, memory)
    fsspec.filesystem("memory").rm(f"{memory}/{path.name}/reward", recursive=True)
    with pytest.raises(SessionError, match="the array 'reward' is missing"):
        read_all(Session.open(copy))


@pytest.mark.parametrize(
    ("column", "row", "value", "problem"),
    [
        ("stop", 2, TICKS + 1, "episode 2 has ticks 60 to 91, but the session only 90"),
        ("start", 0, -5, "episode 0 has ticks -5 to 40"),
        ("stop", 1, 30, "episode 1 has ticks 40 to 30"),
        ("parent", 2, 7, "episode 2 continues from tick 40 of episode 7"),
        ("parent", 2, 2, "episode 2 continues from tick 40 of episode 2"),
        ("parent_tick", 2, 41, "episode 2 continues from tick 41 of episode 0"),
    ],
)
def test_episodes_that_do_not_fit_their_session_are_told_apart(
    path: Path, column: str, row: int, value: int, problem: str
) -> None:
    assert [(each.start, each.stop, each.parent) for each in Session.open(path).episodes] == [
        (0, 40, -1),
        (40, 60, 0),
        (60, TICKS, 0),
    ]
    zarr.open_group(path, mode="r+")[f"episodes/{column}"][row] = value  # type: ignore[index]
    session = Session.open(path)
    with pytest.raises(SessionError, match=problem):
        read_all(session)
    certificate = verify(session)
    assert (certificate.ok, problem.split(" claims")[0] in certificate.difference) == (False, True)


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 4)])
def test_an_episode_that_ends_before_it_begins_is_not_made(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match=f"episode 3 runs from tick {start} to {stop}"):
        Episode(3, start, stop, seed=0, total_reward=0.0, outcome="stopped")


def test_an_episode_of_no_ticks_is_none(path: Path) -> None:
    zarr.open_group(path, mode="r+")["episodes/stop"][1] = 40  # type: ignore[index]
    assert [episode.index for episode in Session.open(path).episodes] == [0, 2]


def test_another_closing_observation_is_found_by_the_certificate(hops: Session, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(hops.path, tmp_path / hops.path.name))
    zarr.open_group(copy, mode="r+")["final_observation"][1, 3] += 1e-12  # type: ignore[index]
    certificate = verify(Session.open(copy))
    assert certificate.difference == "game 2: the final observation differs"


def test_several_sessions_are_verified_one_after_the_other(path: Path, hops: Session) -> None:
    (path / "action" / "c.0").unlink()
    told = list(verifying_each([str(path), str(hops.path)]))
    certificates = [(where, progress.certificate) for where, progress in told if progress.certificate is not None]
    assert [(where, certificate.ok) for where, certificate in certificates] == [
        (str(path), False),
        (str(hops.path), True),
    ]
    assert {progress.total for where, progress in told if where == str(hops.path)} == {len(hops)}


def test_what_is_thought_of_an_interrupted_session_is_kept_and_sums_nothing_up(path: Path) -> None:
    change(path / "zarr.json", "attributes", "state", to="recording")
    change(path / "zarr.json", "attributes", "summary", to=None)
    edit(path, title="cut off", excluded={0: True})
    session = Session.open(path)
    assert (session.title, session.episodes[0].excluded, session.attributes["summary"]) == ("cut off", True, None)


def test_some_frames_from_behind_are_none_where_none_lie(game: Session) -> None:
    assert game.frames[5:9:-1].shape == (0, 210, 160, 3)
    assert np.array_equal(game.frames[-1:-4:-2], [game.frames[89], game.frames[87]])
