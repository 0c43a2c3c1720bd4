"""The gallery of a clone's failures as files: for each group a contact sheet, and the most typical one as a GIF."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from player.film.gif import writing_gif
from recorder.system.files import replacing
from trainer.evaluation.failures import PICTURES_HZ, Failure, Gallery

_ROWS, _COLUMNS = 8, 6  # of a contact sheet: failures, and moments of each
_HEIGHT, _GAP = 140, 4
_GREY = 235


def write_gallery(gallery: Gallery, folder: Path) -> Iterator[Path]:
    """Write the files of a gallery, and `failures.json`; yields each path. Raises VideoError or OSError."""
    for number, typical in enumerate(gallery.typical):
        sheet = folder / f"group-{number + 1}.png"
        with replacing(sheet) as part:
            contact_sheet(gallery.group(number)).save(part, "PNG")
        yield sheet
        film = folder / f"group-{number + 1}.gif"
        for _ in writing_gif(typical.pictures, film, PICTURES_HZ):
            pass
        yield film
    listed = folder / "failures.json"
    with replacing(listed) as part:
        part.write_text(json.dumps(gallery.to_json(), indent=1), encoding="utf-8")
    yield listed


def contact_sheet(failures: tuple[Failure, ...]) -> Image.Image:
    """A row for each failure, at most eight of them: moments of its last two seconds, the loss on the right."""
    shown = [failures[int(k)] for k in np.linspace(0, len(failures) - 1, min(_ROWS, len(failures)))]
    rows = [[_small(picture) for picture in _moments(each)] for each in shown]
    width = max(image.width for row in rows for image in row)
    sheet = Image.new(
        "RGB", (_COLUMNS * (width + _GAP) + _GAP, len(rows) * (_HEIGHT + _GAP) + _GAP), (_GREY, _GREY, _GREY)
    )
    for y, row in enumerate(rows):
        for x, image in enumerate(row, start=_COLUMNS - len(row)):
            sheet.paste(image, (_GAP + x * (width + _GAP), _GAP + y * (_HEIGHT + _GAP)))
    return sheet


def _moments(failure: Failure) -> list[npt.NDArray[np.uint8]]:
    count = len(failure.pictures)
    return [failure.pictures[k] for k in np.unique(np.linspace(0, count - 1, min(_COLUMNS, count)).astype(int))]


def _small(picture: npt.NDArray[np.uint8]) -> Image.Image:
    height, width = picture.shape[:2]
    return Image.fromarray(picture).resize((max(1, round(width * _HEIGHT / height)), _HEIGHT), Image.Resampling.BOX)
