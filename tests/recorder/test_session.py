"""The session on disk: alignment, exactness, size, plain readability, and what a crash leaves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recorder import Game, Library, RandomAgent, Session, get_spec, record
from recorder.agents.experts import scripted
from recorder.errors import LibraryError, SessionError
from recorder.store.places import LocalFolder
from recorder.store.zarr_store import GrowingGroup, StoredGroup


@pytest.fixture(scope="module")
def minute(library: Path) -> Session:
    """A minute of scripted Breakout."""
    return record("breakout", scripted("breakout", seed=3), library=library, seconds=60, seed=3)


def test_each_screen_is_what_was_seen_when_its_action_was_chosen(minute: Session) -> None:
    episode = minute.episodes[0]
    with Game(minute.spec) as game:
        observation = game.reset(episode.seed)
        for tick in range(min(300, len(episode))):
            np.testing.assert_array_equal(minute.frames[episode.start + tick], observation)
            observation, reward, terminated, _ = game.step(int(minute.actions[episode.start + tick]))
            assert reward == minute.rewards[episode.start + tick]
            assert terminated == minute.terminated[episode.start + tick]
            assert game.lives == minute.lives[episode.start + tick]


def test_a_minute_of_breakout_takes_at_most_45_bytes_a_screen_and_60_in_all(
    minute: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    screens = sum(file.stat().st_size for file in (minute.path / "screen").iterdir()) / len(minute)
    whole = minute.size_bytes / len(minute)
    with capsys.disabled():
        print(f" [bytes a tick: {screens:.1f} screens, {whole:.1f} whole session] ", end="")
    assert screens <= 45
    assert whole <= 60


def test_chunks_are_byte_for_byte_what_zarr_itself_would_write(minute: Session, hops: Session, tmp_path: Path) -> None:
    import zarr

    for session in (minute, hops):
        ours = zarr.open_group(session.path, mode="r")
        copy = zarr.create_group(tmp_path / session.name)
        for name in ("screen", "final_screen", "observation", "state", "action", "reward", "time_ns", "terminated"):
            if name not in ours:
                continue
            metadata = ours[name].metadata
            theirs = copy.create_array(
                name,
                shape=ours[name].shape,
                chunks=ours[name].chunks,
                dtype=ours[name].dtype,
                filters=[codec for codec in metadata.codecs if type(codec).__name__ == "TransposeCodec"],
                serializer=next(codec for codec in metadata.codecs if type(codec).__name__ == "BytesCodec"),
                compressors=list(metadata.codecs[-2:]),
                fill_value=0,
                chunk_key_encoding=metadata.chunk_key_encoding,
                config={"write_empty_chunks": True},
            )
            theirs[:] = ours[name][:]
            chunks = [path for path in (session.path / name).iterdir() if path.name != "zarr.json"]
            assert chunks
            for chunk in chunks:
                assert chunk.read_bytes() == (tmp_path / session.name / name / chunk.name).read_bytes(), chunk


def test_rows_read_are_those_that_zarr_itself_reads(minute: Session, hops: Session) -> None:
    import zarr

    rng = np.random.default_rng(0)
    for session, name in ((minute, "screen"), (hops, "observation"), (hops, "state"), (minute, "action")):
        theirs = zarr.open_group(session.path, mode="r")[name][:]
        group = StoredGroup(session.path)
        ours = group.array(name, theirs.shape[1:], str(theirs.dtype))
        ends = rng.integers(0, len(theirs) + 1, (30, 2))
        for start, stop in [(0, len(theirs)), (59, 61), (60, 120), (7, 7), *ends.tolist()]:
            found = group.read(ours, slice(start, stop))
            assert found.dtype == theirs.dtype
            assert np.array_equal(found, theirs[start:stop])
        np.testing.assert_array_equal(group.read(ours, 61), theirs[61])


def test_a_table_that_shrinks_leaves_no_chunks_behind(tmp_path: Path) -> None:
    import zarr

    group = GrowingGroup(tmp_path, {})
    table = group.array("numbers", (), "int64", 2)
    table.append(np.arange(7))
    group.commit()
    table.replace(np.arange(3))
    table.finish()
    group.commit()
    assert sorted(path.name for path in (tmp_path / "numbers").iterdir()) == ["c.0", "c.1", "zarr.json"]
    assert zarr.open_group(tmp_path, mode="r")["numbers"][:].tolist() == [0, 1, 2]


def test_a_frame_is_the_same_whatever_was_read_before(minute: Session) -> None:
    everything = minute.frames[0:300]
    for tick in (5, 130, 131, 190, 6, 7, 250, 5, 59, 60, 61):
        np.testing.assert_array_equal(minute.frames[tick], everything[tick])


def test_plain_zarr_reads_every_array_with_nothing_of_ours_imported(minute: Session) -> None:
    code = """
import json, sys, zarr, numpy as np
group = zarr.open_group(sys.argv[1], mode="r")
ticks = group.attrs["ticks"]
palette = np.array(group.attrs["palette"], np.uint8)
shapes = {name: [list(array.shape), str(array.dtype)] for name, array in group.arrays()}
for name, array in group.arrays():
    array[:]
print(json.dumps({"ticks": ticks, "shapes": shapes, "frame": palette[group["screen"][100]].sum().item(),
                  "ours": [m for m in sys.modules if m.split(".")[0] in ("recorder", "trainer", "player")]}))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, minute.path], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert found["ours"] == []
    assert found["ticks"] == len(minute) == 3600
    assert found["shapes"]["screen"] == [[3600, 210, 160], "uint8"]
    assert found["shapes"]["action"] == [[3600], "uint8"]
    assert found["frame"] == int(minute.frames[100].astype(np.int64).sum())


def test_every_codec_is_of_zarrs_core_or_registered_set(minute: Session, hops: Session) -> None:
    allowed = {"transpose", "bytes", "zstd", "crc32c"}
    for session in (minute, hops):
        for metadata in session.path.rglob("zarr.json"):
            used = {codec["name"] for codec in json.loads(metadata.read_text()).get("codecs", [])}
            assert used <= allowed
            assert not used or "crc32c" in used


def test_frames_can_be_indexed_like_an_array(minute: Session) -> None:
    everything = minute.frames[0:200]
    np.testing.assert_array_equal(minute.frames[57:130:7], everything[57:130:7])
    np.testing.assert_array_equal(minute.frames[130:57:-7], everything[130:57:-7])
    np.testing.assert_array_equal(minute.frames[-1], minute.frames[len(minute) - 1])
    assert minute.frames[5:5].shape == (0, 210, 160, 3)
    with pytest.raises(IndexError):
        minute.frames[len(minute)]


def test_timestamps_are_monotonic_and_real(minute: Session) -> None:
    steps = np.diff(minute.time_ns)
    assert (steps > 0).all()
    assert len(np.unique(steps)) > 100  # computed ones would all be alike


def test_every_episode_has_its_own_seed_and_adds_up(hops: Session) -> None:
    assert len({episode.seed for episode in hops.episodes}) == len(hops.episodes) == 3
    for before, after in zip(hops.episodes, hops.episodes[1:], strict=False):
        assert before.stop == after.start
    for episode in hops.episodes:
        assert episode.total_reward == pytest.approx(hops.rewards[episode.start : episode.stop].sum())
        assert hops.final_observation(episode.index).shape == (11,)


def test_a_restored_state_continues_bit_for_bit(hops: Session) -> None:
    episode = hops.episodes[1]
    middle = episode.start + len(episode) // 2
    with Game(hops.spec) as game:
        game.restore(hops.states[middle])
        for tick in range(middle, episode.stop - 1):
            observation, *_ = game.step(hops.actions[tick])
            np.testing.assert_array_equal(observation, hops.observations[tick + 1])


def test_a_part_of_the_vectors_is_what_all_of_them_hold_there(hops: Session) -> None:
    middle = len(hops) // 2
    some = Session.open(hops.path).vectors(middle, middle + 9)
    np.testing.assert_array_equal(some, hops.observations[middle : middle + 9])
    assert some.shape == (9, 11)


def test_a_game_of_hopper_goes_back_bit_for_bit_and_to_no_state_of_another_robot(hops: Session) -> None:
    rng = np.random.default_rng(0)
    with Game(hops.spec) as game:
        game.reset(5)
        for _ in range(3):
            game.step(rng.uniform(-1, 1, 3).astype(np.float32))
        here, action = game.snapshot(), rng.uniform(-1, 1, 3).astype(np.float32)
        first, *_ = game.step(action)
        game.step(action)
        game.go_back(here)
        np.testing.assert_array_equal(game.step(action)[0], first)
        with pytest.raises(SessionError, match="a stored state has 3 numbers, expected 19"):
            game.restore(np.zeros(3))


def test_frames_of_a_session_without_screens_are_refused_in_words(hops: Session) -> None:
    with pytest.raises(SessionError, match=r"no screens; read session\.observations"):
        _ = hops.frames


def test_two_recorders_in_one_second_get_folders_of_their_own(tmp_path: Path) -> None:
    spec = get_spec("hopper")
    paths = {record("hopper", RandomAgent(spec), library=tmp_path, episodes=1, seed=k).path for k in range(3)}
    assert len(paths) == 3
    assert len(Library(tmp_path).sessions()) == 3


def test_a_library_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(LibraryError, match=r"cannot be written.*choose another library folder"):
        record("hopper", RandomAgent(get_spec("hopper")), library=tmp_path / "file", episodes=1)


@pytest.mark.parametrize("content", [None, "", "{}", '{"zarr_format": 3, "node_type": "group", "attributes": {}}'])
def test_what_is_not_a_session_is_refused_in_one_sentence(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "x.zarr"
    if content is not None:
        path.mkdir()
        (path / "zarr.json").write_text(content)
    with pytest.raises(SessionError, match=r"x\.zarr is not a readable session: "):
        Session.open(path)


@pytest.mark.parametrize("moment", ["before", "while its chunks are listed"])
def test_a_session_whose_folder_goes_away_says_so_and_can_be_read_once_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    session = record("hopper", RandomAgent(get_spec("hopper")), library=tmp_path / "library", episodes=1)
    away, listed = tmp_path / "unplugged", LocalFolder.names

    def goes_away(folder: LocalFolder, name: str) -> set[str]:
        session.path.rename(away)
        return listed(folder, name)

    if moment == "before":
        session.path.rename(away)
    else:
        monkeypatch.setattr(LocalFolder, "names", goes_away)
    with pytest.raises(SessionError, match=r"\.zarr is no longer there; restore its folder$"):
        _ = session.keys
    monkeypatch.setattr(LocalFolder, "names", listed)
    away.rename(session.path)
    assert len(session.actions) == len(session)


def test_a_file_is_not_taken_for_a_missing_folder(tmp_path: Path) -> None:
    path = tmp_path / "x.zarr"
    path.write_text("not a session")
    with pytest.raises(SessionError, match=r"x\.zarr is not a readable session: it is a file; choose a \.zarr folder"):
        Session.open(path)


def test_trash_takes_a_session_out_and_gives_it_back(tmp_path: Path) -> None:
    session = record("hopper", RandomAgent(get_spec("hopper")), library=tmp_path, episodes=1)
    library = Library(tmp_path)
    trashed = library.trash(session.name)
    assert library.sessions() == []
    assert library.restore(trashed) == session.path
    assert [summary.name for summary in library.sessions()] == [session.name]
