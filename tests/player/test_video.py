from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from player.duel import Duel
from player.film import film
from player.video import VideoError, write_video, writing
from recorder import Session
from tests.player.conftest import Clone


def pictures(count: int) -> Iterator[np.ndarray]:
    for index in range(count):
        yield np.full((48, 64, 3), (40 * index, 80, 200), np.uint8)


def test_a_film_reads_back_as_h264_with_the_pictures_that_went_in(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    assert write_video(pictures(5), path, 30) == 5
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == 30
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(decoded) == 5
    for index, picture in enumerate(decoded):
        np.testing.assert_allclose(picture.mean((0, 1)), (40 * index, 80, 200), atol=6)


def test_a_film_of_a_duel_plays_at_true_speed_and_reports_progress(breakout: Session, tmp_path: Path) -> None:
    with Duel(breakout, Clone("breakout")) as duel:
        records = list(film(duel, tmp_path / "duel.mp4", seconds=2))
    assert records[-1].path == tmp_path / "duel.mp4"
    assert records[-1].ticks == 120
    fractions = [record.fraction or 0.0 for record in records]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    with av.open(str(tmp_path / "duel.mp4")) as container:
        stream = container.streams.video[0]
        assert sum(1 for _ in container.decode(stream)) == records[-1].pictures
        assert records[-1].pictures / float(stream.average_rate or 0) == pytest.approx(2, abs=0.1)


def test_hopper_films_at_true_speed_with_fewer_pictures(hopper: Session, tmp_path: Path) -> None:
    with Duel(hopper, Clone("hopper")) as duel:
        last = list(film(duel, tmp_path / "hopper.mp4", seconds=0.08))[-1]
    assert (last.ticks, last.pictures) == (10, 3)
    with av.open(str(tmp_path / "hopper.mp4")) as container:
        assert container.streams.video[0].average_rate == 25


def test_a_stopped_or_failed_film_leaves_no_file_and_keeps_the_older_one(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"older")
    stopped = writing(pictures(5), path, 30)
    next(stopped)
    stopped.close()
    with pytest.raises(VideoError, match="no picture"):
        write_video(pictures(0), path, 30)
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_hold_a_video_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="not a folder; create it"):
        write_video(pictures(1), tmp_path / "missing" / "film.mp4", 30)
    with pytest.raises(VideoError, match=r"ends in \.mp4"):
        write_video(pictures(1), tmp_path / "film.avi", 30)
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(VideoError, match="is a folder"):
        write_video(pictures(1), tmp_path / "folder.mp4", 30)
