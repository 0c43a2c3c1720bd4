from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image, ImageSequence

from player.film.compose import compose
from player.film.film import film, filming
from player.film.gif import WIDTH, writing_gif
from player.film.mp4 import VideoError, write_video, writing
from player.watch.duel import Duel
from recorder import Session
from recorder.errors import UsageError
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


COLOURS = ((200, 72, 72), (66, 72, 200), (162, 162, 42), (255, 178, 72), (88, 196, 255), (27, 30, 39), (255, 0, 0))


def flat(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((48, 64, 3), colour, np.uint8)


def test_a_film_says_which_colours_it_holds_and_holds_them(tmp_path: Path) -> None:
    write_video(map(flat, COLOURS), tmp_path / "film.mp4", 30)
    with av.open(str(tmp_path / "film.mp4")) as container:
        stream = container.streams.video[0]
        told = stream.codec_context
        assert {int(told.colorspace), int(told.color_primaries), int(told.color_trc)} == {1}  # BT.709, in H.273
        assert told.color_range == ColorRange.MPEG
        # As a player converts them, which reads the tag, and takes a film for BT.709 that has none.
        decoded = [
            frame.reformat(format="rgb24", src_colorspace=Colorspace.ITU709, src_color_range=ColorRange.MPEG)
            for frame in container.decode(stream)
        ]
    for picture, colour in zip(decoded, COLOURS, strict=True):
        np.testing.assert_allclose(picture.to_ndarray().reshape(-1, 3), np.full((48 * 64, 3), colour), atol=3)


def test_a_film_of_a_duel_shows_bricks_in_their_colour(breakout: Session, tmp_path: Path) -> None:
    with Duel(breakout) as duel:
        picture = compose(duel.frame())
        list(film(duel, tmp_path / "duel.mp4", seconds=0.1))
        list(film(duel, tmp_path / "duel.gif", seconds=0.1))
    brick = (picture == (200, 72, 72)).all(axis=2)
    inside = cv2.erode(brick.astype(np.uint8), np.ones((9, 9))) == 1  # two pixels share a colour, and blocks blur it
    with av.open(str(tmp_path / "duel.mp4")) as container:
        frame = next(container.decode(video=0))
    shown = frame.reformat(format="rgb24", src_colorspace=Colorspace.ITU709).to_ndarray()
    assert inside.sum() > 1_000
    np.testing.assert_allclose(np.median(shown[inside], axis=0), (200, 72, 72), atol=3)
    assert (200, 72, 72) in {tuple(map(int, pixel)) for pixel in decoded(tmp_path / "duel.gif")[0][0].reshape(-1, 3)}


def test_a_gif_keeps_the_commonest_colours_as_they_are(tmp_path: Path) -> None:
    """Beside more shades than it has room for."""
    picture = np.random.default_rng(0).integers(0, 256, (96, 64, 3), np.uint8)
    for row, colour in enumerate((*COLOURS, (28, 30, 39))):  # two of them hardly differ
        picture[6 * row : 6 * row + 6] = colour
    list(writing_gif([picture, picture[:, ::-1]], tmp_path / "film.gif", 20))
    for shown in decoded(tmp_path / "film.gif")[0]:
        np.testing.assert_array_equal(shown[:48], picture[:48])


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
    with pytest.raises(VideoError, match="no frames"):
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


def decoded(path: Path) -> tuple[list[np.ndarray], list[int]]:
    """The pictures of a GIF, RGB, and how long each is shown, in milliseconds."""
    with Image.open(path) as image:
        frames = [(np.asarray(each.convert("RGB")), each.info["duration"]) for each in ImageSequence.Iterator(image)]
    return [picture for picture, _ in frames], [duration for _, duration in frames]


def moving_square(count: int) -> Iterator[np.ndarray]:
    for index in range(count):
        picture = np.full((48, 64, 3), (20, 22, 30), np.uint8)
        picture[8:16, 40:56] = (88, 196, 255)
        picture[20:30, 4 * index : 4 * index + 8] = (255, 178, 72)
        yield picture


def test_a_gif_reads_back_exactly_with_the_pictures_that_went_in(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    assert list(writing_gif(moving_square(6), path, 20)) == [1, 2, 3, 4, 5, 6]
    pictures, durations = decoded(path)
    assert durations == [50] * 6
    for picture, expected in zip(pictures, moving_square(6), strict=True):
        np.testing.assert_array_equal(picture, expected)
    assert path.read_bytes()[:6] == b"GIF89a"


def test_a_picture_that_does_not_change_keeps_its_time(tmp_path: Path) -> None:
    picture = next(moving_square(1))
    list(writing_gif([picture] * 4, tmp_path / "still.gif", 25))
    pictures, durations = decoded(tmp_path / "still.gif")
    assert sum(durations) == 160
    for each in pictures:
        np.testing.assert_array_equal(each, picture)


def test_a_gif_of_part_of_a_duel_is_small_and_as_long_as_the_part(breakout: Session, tmp_path: Path) -> None:
    path = tmp_path / "part.gif"
    with Duel(breakout, Clone("breakout")) as duel:
        last = list(film(duel, path, start=1, seconds=1.5))[-1]
        first = compose(duel.seek(60))
    assert last.ticks == 150
    assert last.path == path
    pictures, durations = decoded(path)
    assert sum(durations) == pytest.approx(1_500, abs=50)
    assert pictures[0].shape[1] == WIDTH
    scale = first.shape[1] / WIDTH
    for y, x in ((40, 100), (120, 300), (150, 560)):  # bricks, and the cards around them
        np.testing.assert_allclose(
            pictures[0][y, x], first[round((y + 0.5) * scale), round((x + 0.5) * scale)], atol=24
        )
    assert path.stat().st_size < 250_000


def test_a_film_of_files_begins_and_ends_where_it_should(breakout: Session, tmp_path: Path) -> None:
    steps = list(filming(str(tmp_path / "part.mp4"), str(breakout.path), None, start=2, seconds=1))
    assert [step.pictures for step in steps if step.ticks < 120] == [0] * (120 // 30 - 1)
    assert (steps[-1].ticks, steps[-1].pictures) == (180, 31)


def test_a_film_cannot_begin_after_the_end(breakout: Session, tmp_path: Path) -> None:
    with Duel(breakout) as duel, pytest.raises(UsageError, match="the games end at 0:04; start the video earlier"):
        list(film(duel, tmp_path / "late.gif", start=60))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_a_film_that_is_cancelled_leaves_nothing(breakout: Session, tmp_path: Path, suffix: str) -> None:
    steps = filming(str(tmp_path / f"film{suffix}"), str(breakout.path), None)
    while next(steps).pictures < 3:
        pass
    assert len(list(tmp_path.iterdir())) == 1  # the part file
    steps.close()
    assert list(tmp_path.iterdir()) == []


def test_films_of_other_kinds_are_refused(breakout: Session, tmp_path: Path) -> None:
    with Duel(breakout) as duel, pytest.raises(VideoError, match=r"ends in \.mp4 or \.gif"):
        list(film(duel, tmp_path / "film.avi"))
