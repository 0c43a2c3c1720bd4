"""Files that others may read: as the user's umask says, whoever writes them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from player.film.gif import writing_gif
from player.film.mp4 import write_video
from player.support.sample import SAMPLE
from recorder import Library, RandomAgent, get_spec, record
from recorder.agents.bindings import Bindings, save_bindings
from recorder.library.preview import PreviewWorker
from trainer import TrainConfig
from trainer.runs.policy_library import Policies
from trainer.runs.runs import CHECKPOINT, Runs
from trainer.runs.work import perform


@pytest.fixture(params=[0o022, 0o027, 0o002], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_every_file_that_is_written_has_the_permissions_that_the_umask_gives(umask: int, tmp_path: Path) -> None:
    library = tmp_path / "library"
    session = record("hopper", RandomAgent(get_spec("hopper"), 1), library=library, episodes=2, seed=1)
    old = session.path / "zarr.json"
    os.utime(old, (1, 1))  # what is being written is left out of the index
    assert Library(library).sessions()
    PreviewWorker().thumbnail(str(session.path))
    runs = Runs(library)
    config = TrainConfig.for_env("hopper", max_batches=40, validations=2, checks=0, play_games=0, threads=1)
    done = runs.create([session], config)
    list(perform(runs, done.id))
    paused = runs.create([session], config.with_changes(max_batches=4_000))
    for progress in perform(runs, paused.id):
        if progress.stage == "train" and progress.batch:
            runs.request(paused.id, "pause")
    assert done.policy is not None
    Policies(library).take_over(done.policy)
    SAMPLE.add(tmp_path / "sample")
    save_bindings(tmp_path / "keys.json", Bindings({1: 1}, {1: "Space"}), get_spec("breakout"))
    pictures = [np.full((48, 64, 3), level, np.uint8) for level in (0, 99)]
    write_video(pictures, tmp_path / "film.mp4", 25)
    list(writing_gif(pictures, tmp_path / "film.gif", 25))

    paths = {str(path.relative_to(tmp_path)): path for path in tmp_path.rglob("*")}
    wrong = {
        name: oct(mode)
        for name, path in paths.items()
        if (mode := stat.S_IMODE(path.stat().st_mode)) != (0o777 if path.is_dir() else 0o666) & ~umask
    }
    assert wrong == {}
    files = {path.name if path.parent != library / "policies" else path.suffix for path in paths.values()}
    assert {".index.json", CHECKPOINT, ".safetensors", "state.json", "film.gif", "film.mp4", "keys.json"} <= files
    assert any(path.parent.name == ".thumbnails" for path in paths.values())
