"""The replay certificate: what it holds for, and what it finds."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from recorder import Library, Session, record, verify
from recorder.agents.experts import scripted
from recorder.errors import SessionError


@pytest.fixture(scope="module")
def game(library: Path) -> Session:
    """A quarter of a minute of scripted Breakout."""
    return record("breakout", scripted("breakout", seed=3), library=library, seconds=15, seed=3)


def copy(session: Session, folder: Path) -> Path:
    return Path(shutil.copytree(session.path, folder / session.path.name))


def difference(path: Path) -> str:
    certificate = verify(Session.open(path))
    assert not certificate.ok
    return certificate.difference


def change(path: Path, **attributes: Any) -> None:
    zarr.open_group(path, mode="r+").attrs.update(attributes)


def test_the_certificate_holds_for_both_environments_and_the_library_shows_it(
    game: Session, hops: Session, tmp_path: Path
) -> None:
    for session in (game, hops):
        path = copy(session, tmp_path)
        assert not Session.open(path).verified
        certificate = verify(Session.open(path))
        assert certificate.ok, certificate.difference
        assert certificate.ticks == len(session)
        assert certificate.digest == Session.open(path).attributes["digest"]
    assert [summary.verified for summary in Library(tmp_path).sessions()] == [True, True]


def test_annotations_do_not_touch_the_certificate(game: Session, tmp_path: Path) -> None:
    path = copy(game, tmp_path)
    change(path, notes="a good one")
    zarr.open_group(path, mode="r+")["episodes/excluded"][0] = True
    assert verify(Session.open(path)).ok


def test_another_rom_or_setting_is_named(game: Session, tmp_path: Path) -> None:
    path = copy(game, tmp_path)
    change(path, env={**game.attributes["env"], "rom_sha256": "0" * 64})
    assert f"recorded with another environment (rom_sha256: {'0' * 64} here" in difference(path)
    change(path, env={**game.attributes["env"], "kwargs": {"frameskip": 4}})
    assert "recorded with another environment (kwargs: {'frameskip': 4} here" in difference(path)


def test_a_wrong_seed_is_found_by_simulation_in_hopper_and_by_the_digest_in_breakout(
    game: Session, hops: Session, tmp_path: Path
) -> None:
    for session in (game, hops):
        zarr.open_group(copy(session, tmp_path), mode="r+")["episodes/seed"][0] += 1
    assert "its digest is" in difference(tmp_path / game.path.name)
    assert difference(tmp_path / hops.path.name).startswith("tick 0 (game 1, second 0.00): observation differs in")


def test_who_played_and_when_are_covered_by_the_digest(game: Session, tmp_path: Path) -> None:
    path = copy(game, tmp_path)
    change(path, player={**game.player, "kind": "person"})
    assert "its digest is" in difference(path)
    (tmp_path / "other").mkdir()
    path = copy(game, tmp_path / "other")
    zarr.open_group(path, mode="r+")["time_ns"][5] += 1
    assert "its digest is" in difference(path)


def test_another_reward_or_life_is_named(game: Session, tmp_path: Path) -> None:
    tick = int(np.flatnonzero(game.rewards[:])[2])
    path = copy(game, tmp_path)
    zarr.open_group(path, mode="r+")["reward"][tick] = 4.0
    assert f"tick {tick} " in difference(path)
    assert "reward is 1.0 in simulation, but 4.0 as recorded" in difference(path)


def test_a_flipped_bit_in_a_chunk_is_found_and_named(game: Session, tmp_path: Path) -> None:
    path = copy(game, tmp_path)
    chunk = path / "screen" / "c.7.0.0"
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 4
    chunk.write_bytes(data)
    with pytest.raises(SessionError, match="chunk of 'screen' is damaged"):
        _ = Session.open(path).frames[7 * 60 + 1]
    assert not verify(Session.open(path)).ok


def test_a_missing_chunk_is_found_and_named(game: Session, tmp_path: Path) -> None:
    path = copy(game, tmp_path)
    (path / "screen" / "c.7.0.0").unlink()
    with pytest.raises(SessionError, match="rows 420 to 479 is missing"):
        _ = Session.open(path).frames[3]


def test_swapped_actions_are_found_by_simulation(game: Session, tmp_path: Path) -> None:
    path = copy(game, tmp_path)
    actions = zarr.open_group(path, mode="r+")["action"]
    tick = int(np.flatnonzero(np.diff(game.actions.astype(int)))[20])
    actions[tick : tick + 2] = game.actions[tick : tick + 2][::-1]
    # as a recorder that mixed two actions up would have left it: with a digest that fits
    zarr.open_group(path, mode="r+").attrs.update(digest=Session.open(path).digest())
    certificate = verify(Session.open(path))
    assert not certificate.ok
    assert "screen differs" in certificate.difference
    named = int(certificate.difference.split()[1])
    assert named in (tick + 1, tick + 2)  # the console draws an action one or two screens later
