"""What of the game's picture is painted anew in a tick: what has changed, and no less."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QPainter, QRegion
from PySide6.QtWidgets import QApplication

from recorder import Game, get_spec
from recorder.agents.experts import scripted
from recorder.ui.game_view import GameView
from recorder.ui.kit import look

Picture = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    """Of two seconds of play, in which bricks, ball, paddle and score change."""
    spec, found = get_spec("breakout"), []
    agent = scripted("breakout", seed=1)
    with Game(spec) as game:
        observation = game.reset(1)
        agent.reset(game.env)
        for _ in range(200):
            observation, *_ = game.step(agent.act(observation))
            found.append(observation.copy())
    return found[80:]


@pytest.fixture
def view() -> Iterator[GameView]:
    _ = QApplication.instance() or QApplication([])
    found = GameView()
    found.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    yield found
    found.deleteLater()


def painted(view: GameView, onto: QImage, part: QRegion | None = None) -> QImage:
    painter = QPainter(onto)
    view.render(painter, QPoint() if part is None else part.boundingRect().topLeft(), part or QRegion(view.rect()))
    painter.end()
    return onto


@pytest.mark.parametrize("size", [(700, 700), (333, 301)])  # whole pixels, and such as are mixed with their neighbours
def test_what_has_changed_is_painted_and_the_rest_stays(
    view: GameView, pictures: list[Picture], size: tuple[int, int]
) -> None:
    spec = get_spec("breakout")
    view.resize(*size)
    view.show()
    view.show_game(pictures[0], spec.pixel_aspect, recording=True)
    view.show_overlay("Paused", "Any key goes on")
    place = view._place(view._own, pictures[0])
    canvas = painted(view, QImage(*size, QImage.Format.Format_RGB32))
    areas = []
    for before, picture in pairwise(pictures):
        part = look.changed_part(place, before, picture)
        assert not part.isEmpty()
        areas.append(sum(rect.width() * rect.height() for rect in part) / (place.width() * place.height()))
        view.show_game(picture, spec.pixel_aspect, recording=True)
        painted(view, canvas, part)
    assert canvas == painted(view, QImage(*size, QImage.Format.Format_RGB32))
    assert float(np.median(areas)) < 0.2


def test_a_picture_in_which_nothing_has_changed_is_told_to_be_painted_too(
    view: GameView, pictures: list[Picture]
) -> None:
    view.resize(700, 700)
    view.show()
    QApplication.processEvents()
    told: list[object] = []
    view.painted.connect(told.append)
    for picture in (pictures[0], pictures[0].copy(), pictures[0].copy()):
        view.show_game(picture, 1.9, recording=True)
        QApplication.processEvents()
        assert told[-1] is picture


def test_whoever_shows_a_picture_may_write_the_next_one_into_its_memory(
    view: GameView, pictures: list[Picture]
) -> None:
    view.resize(700, 700)
    view.show()
    memory = np.empty_like(pictures[0])
    for picture in pictures:
        memory[:] = picture
        view.show_game(memory[:], 1.9, recording=True)  # another view of the same memory
        QApplication.processEvents()
    shown = view.grab().toImage()
    fresh = GameView()
    fresh.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    fresh.resize(700, 700)
    fresh.show_game(pictures[-1], 1.9, recording=True)
    assert shown == fresh.grab().toImage()
    fresh.deleteLater()
