"""Icons: sharp at any scale, and in the ink of what they stand on, whatever the theme."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QPushButton

from recorder.system.resources import asset
from recorder.ui.kit import look
from recorder.ui.kit.icons import SIZE, app_icon, icon, show_icon

NAMES = sorted(path.stem for path in asset("icons").glob("*.svg"))


@pytest.fixture
def app() -> Iterator[QApplication]:
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    before = app.palette()
    yield app
    look.set_theme(app, "system")
    app.setPalette(before)


def ink(picture: QPixmap) -> str:
    """The colour of what is fully drawn; where strokes overlap, rounding may be off by one."""
    image = picture.toImage()
    points = ((x, y) for x in range(image.width()) for y in range(image.height()))
    colours = (image.pixelColor(x, y) for x, y in points)
    found = Counter(colour.getRgb()[:3] for colour in colours if colour.alpha() == 255)
    usual = found.most_common(1)[0][0]
    assert all(abs(a - b) <= 1 for other in found for a, b in zip(usual, other, strict=True))
    return QColor(*usual).name()


@pytest.mark.parametrize("name", NAMES)
def test_an_icon_is_one_stroke_in_one_ink(app: QApplication, name: str) -> None:
    drawing = asset(f"icons/{name}.svg").read_text()
    assert QSvgRenderer(drawing.encode()).isValid()
    assert 'viewBox="0 0 24 24"' in drawing
    assert 'stroke-width="1.8"' in drawing
    assert set(re.findall(r'(?:stroke|fill)="([^"]*)"', drawing)) <= {"none", "currentColor"}
    palette = look.palette_for(True)
    assert ink(icon(name, palette).pixmap(QSize(SIZE, SIZE), 3.0)) == palette.color(QPalette.ColorRole.Text).name()


def test_an_icon_has_as_many_pixels_as_the_screen(app: QApplication) -> None:
    made = icon("record", look.palette_for(False))
    for ratio in (1.0, 1.5, 2.0, 3.0):
        assert made.pixmap(QSize(SIZE, SIZE), ratio).width() == round(SIZE * ratio)
    assert not app_icon().pixmap(256, 256).isNull()


def test_a_buttons_icon_follows_the_theme_and_is_white_on_the_accent(app: QApplication) -> None:
    look.set_theme(app, "light")
    button = QPushButton("Record", checkable=True)
    show_icon(button, "stop")
    try:
        for theme in ("dark", "light"):
            look.set_theme(app, theme)
            QApplication.processEvents()
            assert look.is_dark(button.palette()) == (theme == "dark")
            text = button.palette().color(QPalette.ColorRole.ButtonText)
            drawn = button.icon()
            assert ink(drawn.pixmap(button.iconSize(), 3.0)) == text.name()
            checked = drawn.pixmap(button.iconSize(), 3.0, QIcon.Mode.Normal, QIcon.State.On)
            assert ink(checked) == "#ffffff"
        assert button.iconSize().width() > SIZE  # room between picture and words
        before = button.icon().cacheKey()
        show_icon(button, "stop")
        assert button.icon().cacheKey() == before
        show_icon(button, "play")
        assert button.icon().cacheKey() != before
    finally:
        button.deleteLater()


def test_an_unknown_theme_is_a_mistake(app: QApplication) -> None:
    with pytest.raises(ValueError, match="mauve"):
        look.set_theme(app, "mauve")
