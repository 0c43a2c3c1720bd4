"""The one visual language of the window: colours, spacing and type, in light and in dark.

A `QPalette` carries the colours, so that every widget, and whatever is painted by hand, follows the system's scheme:

    Window  Base  AlternateBase  Button  Midlight (hover)  Mid (lines)  WindowText  PlaceholderText (faint)
    Highlight (the accent; white on it)  Link (the accent as ink)   and `tone()` for what has a meaning

All ink has a contrast of at least 4.5 : 1 on what it stands on (WCAG AA); a test computes it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPalette, QRegion
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QLabel

from recorder.system.resources import asset

SMALL, GAP, WIDE, MARGIN = 6, 10, 16, 20  # spacing: inside a group, between rows, between groups, around a page
RADIUS = 8
THEMES = ("system", "light", "dark")

_ROLES = {  # role -> (light, dark)
    QPalette.ColorRole.Window: ("#f4f5f8", "#15171c"),
    QPalette.ColorRole.Base: ("#ffffff", "#1d2027"),
    QPalette.ColorRole.AlternateBase: ("#f7f8fb", "#22262e"),
    QPalette.ColorRole.Button: ("#ffffff", "#2a2e37"),
    QPalette.ColorRole.Light: ("#ffffff", "#343a45"),
    QPalette.ColorRole.Midlight: ("#e8ebf1", "#343a45"),
    QPalette.ColorRole.Mid: ("#cdd2dc", "#424957"),
    QPalette.ColorRole.Dark: ("#9aa3b2", "#0f1115"),
    QPalette.ColorRole.Shadow: ("#5b6472", "#000000"),
    QPalette.ColorRole.WindowText: ("#151922", "#eceff4"),
    QPalette.ColorRole.Text: ("#151922", "#eceff4"),
    QPalette.ColorRole.ButtonText: ("#151922", "#eceff4"),
    QPalette.ColorRole.BrightText: ("#ffffff", "#ffffff"),
    QPalette.ColorRole.PlaceholderText: ("#596273", "#a5aebb"),
    QPalette.ColorRole.Highlight: ("#1a6fad", "#1f74b3"),
    QPalette.ColorRole.HighlightedText: ("#ffffff", "#ffffff"),
    QPalette.ColorRole.Link: ("#13629c", "#6cb8f0"),
    QPalette.ColorRole.ToolTipBase: ("#232a36", "#eceff4"),
    QPalette.ColorRole.ToolTipText: ("#ffffff", "#151922"),
}
_DISABLED = ("#8b94a3", "#6c7583")
_TONES = {  # what has a meaning, as ink -> (light, dark)
    "person": ("#9a5800", "#ffb248"),  # whoever demonstrates: left, training data
    "clone": ("#00629e", "#58c4ff"),  # the twin: right
    "good": ("#0f7a3d", "#5fd38d"),
    "warning": ("#8a5a00", "#f2b84b"),
    "bad": ("#b3261e", "#ff8a80"),
    "live": ("#c62f35", "#ff6b70"),
}

LIVE = QColor("#e5484d")  # over pictures, which are dark in every scheme
_SCHEMES = dict(zip(THEMES, (Qt.ColorScheme.Unknown, Qt.ColorScheme.Light, Qt.ColorScheme.Dark), strict=True))


def _mark(name: str) -> str:
    return asset(f"marks/{name}.svg").as_posix()


BANNER = "background: #8c1d24; color: white; border-radius: 8px; padding: 10px 14px; font-weight: 600"
_LEAST_WHOLE = 0.75  # of the height that would fit: below, a picture by whole pixels gives up too much room
_APART = 8  # rows: nearer changes are painted together
PAGE = (
    """
QPushButton, QToolButton {
    background: palette(button); border: 1px solid palette(mid); border-radius: 7px; padding: 6px 14px; outline: 0;
}
QToolButton { padding: 6px 8px; }
QPushButton:hover, QToolButton:hover { background: palette(midlight); }
QPushButton:pressed, QToolButton:pressed { background: palette(mid); }
QPushButton:focus, QToolButton:focus { border: 2px solid palette(highlight); padding: 5px 13px; }
QToolButton:focus { padding: 5px 7px; }
QPushButton:checked, QToolButton:checked { background: palette(highlight); color: palette(highlighted-text); }
QPushButton:disabled, QToolButton:disabled { background: palette(window); border-color: palette(midlight); }
QPushButton[primary="true"] {
    background: palette(highlight); color: white; font-weight: 600; border: 0; padding: 8px 18px;
}
QPushButton[primary="true"]:hover { background: palette(link); color: palette(base); }
QPushButton[primary="true"]:focus { border: 2px solid palette(window-text); padding: 6px 16px; }
QPushButton[primary="true"]:disabled { background: palette(midlight); color: palette(placeholder-text); }
QPushButton[tight="true"] { padding: 6px 8px; }
QPushButton[tight="true"]:focus { padding: 5px 7px; }
QPushButton[quiet="true"] { background: transparent; border: 0; color: palette(link); padding: 6px 8px; }
QPushButton[quiet="true"]:hover { background: palette(midlight); }
QPushButton[quiet="true"]:checked { background: palette(midlight); color: palette(button-text); font-weight: 600; }
QPushButton[quiet="true"]:disabled { color: palette(placeholder-text); background: transparent; }
QPushButton[quiet="true"]:focus { border: 2px solid palette(highlight); padding: 4px 6px; }
QLineEdit {
    background: palette(base); border: 1px solid palette(mid); border-radius: 7px; padding: 5px 10px; min-height: 18px;
}
QLineEdit:focus { border: 2px solid palette(highlight); padding: 4px 9px; }
QComboBox {
    background: palette(button); color: palette(button-text); border: 1px solid palette(mid); border-radius: 7px;
    padding: 5px 10px; min-height: 18px; combobox-popup: 0;
}
QComboBox:hover { background: palette(midlight); }
QComboBox:focus { border: 2px solid palette(highlight); padding: 4px 9px; }
QComboBox:disabled { color: palette(placeholder-text); background: palette(window); border-color: palette(midlight); }
QComboBox::drop-down { border: 0; width: 24px; }
QComboBox::down-arrow { image: url("CHEVRON"); width: 12px; height: 12px; }
QComboBox QAbstractItemView {
    background: palette(base); color: palette(text); border: 1px solid palette(mid);
    selection-background-color: palette(highlight); selection-color: palette(highlighted-text);
}
QComboBox QAbstractItemView::item { min-height: 26px; padding: 0 8px; }
QSpinBox, QDoubleSpinBox {
    background: palette(base); color: palette(text); border: 1px solid palette(mid); border-radius: 7px;
    padding: 4px 24px 4px 2px; min-height: 18px;
}
QSpinBox:focus, QDoubleSpinBox:focus { border: 2px solid palette(highlight); padding: 3px 23px 3px 1px; }
QSpinBox:disabled, QDoubleSpinBox:disabled { color: palette(placeholder-text); background: palette(window); }
QSpinBox::up-button, QDoubleSpinBox::up-button { subcontrol-position: top right; width: 22px; border: 0; }
QSpinBox::down-button, QDoubleSpinBox::down-button { subcontrol-position: bottom right; width: 22px; border: 0; }
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow { image: url("RISE"); width: 9px; height: 9px; }
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow { image: url("CHEVRON"); width: 9px; height: 9px; }
QRadioButton::indicator {
    width: 14px; height: 14px; border: 1px solid palette(placeholder-text); border-radius: 8px;
    background: palette(base);
}
QRadioButton::indicator:checked {
    width: 6px; height: 6px; border: 5px solid palette(highlight); background: palette(highlighted-text);
}
QRadioButton:focus { outline: 1px solid palette(highlight); }
QTableView, QListView, QTreeView, QPlainTextEdit, QTextEdit {
    background: palette(base); alternate-background-color: palette(alternate-base);
    border: 1px solid palette(mid); border-radius: 8px;
}
QTableView:focus, QListView:focus, QPlainTextEdit:focus { border: 1px solid palette(highlight); }
QTableView::item, QTreeView::item { padding: 0 5px; }
QHeaderView { background: transparent; }
QHeaderView::section {
    background: palette(base); color: palette(placeholder-text); border: 0; border-bottom: 1px solid palette(mid);
    padding: 7px 8px; font-weight: 600;
}
QTableView::indicator, QTreeView::indicator {
    width: 14px; height: 14px; border: 1px solid palette(placeholder-text); border-radius: 3px;
    background: palette(base);
}
QTableView::indicator:checked, QTreeView::indicator:checked {
    background: palette(highlight); border: 1px solid palette(base); image: url("CHECK");
}
QTreeView::indicator:indeterminate { background: palette(midlight); border: 1px solid palette(highlight); }
QProgressBar {
    background: palette(midlight); border: 0; border-radius: 5px; min-height: 10px; max-height: 10px;
    color: transparent;
}
QProgressBar::chunk { background: palette(highlight); border-radius: 5px; }
QSplitter::handle { background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: palette(mid); border-radius: 4px; min-height: 28px; min-width: 28px; margin: 1px; }
QScrollBar::handle:hover { background: palette(dark); }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }
QFrame[card="true"] { background: palette(base); border: 1px solid palette(mid); border-radius: 10px; }
QLabel[faint="true"] { color: palette(placeholder-text); }
""".replace("CHEVRON", _mark("chevron"))
    .replace("RISE", _mark("rise"))
    .replace("CHECK", _mark("check"))
)


def palette_for(dark: bool) -> QPalette:
    """The whole palette of a scheme."""
    palette = QPalette()
    for role, pair in _ROLES.items():
        palette.setColor(role, QColor(pair[dark]))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(_DISABLED[dark]))
    palette.setColor(
        QPalette.ColorGroup.Disabled, QPalette.ColorRole.Highlight, QColor(_ROLES[QPalette.ColorRole.Mid][dark])
    )
    return palette


def apply_theme(app: QApplication, theme: str = "system") -> None:
    """Give the application its style, type and colours, as `set_theme` chooses them."""
    app.setStyle("Fusion")
    font = app.font()
    font.setPointSizeF(max(font.pointSizeF(), 10.5))
    app.setFont(font)
    app.styleHints().colorSchemeChanged.connect(lambda: _paint(app))
    set_theme(app, theme)


def set_theme(app: QApplication, theme: str) -> None:
    """Light, dark, or what the system has: one of THEMES. Raises ValueError for anything else."""
    if theme not in THEMES:
        raise ValueError(f"theme {theme!r} is not one of {', '.join(THEMES)}")
    app.setProperty("theme", theme)
    app.styleHints().setColorScheme(_SCHEMES[theme])  # title bars and dialogs of the system's own
    _paint(app)


def _paint(app: QApplication) -> None:
    theme = app.property("theme")
    dark = app.styleHints().colorScheme() is Qt.ColorScheme.Dark if theme == "system" else theme == "dark"
    app.setPalette(palette_for(dark))
    for widget in app.allWidgets():  # Qt does not tell those with a style sheet, nor what is in them
        sheet = widget.styleSheet()
        if sheet:
            widget.setStyleSheet("")
            widget.setStyleSheet(sheet)


def is_dark(palette: QPalette) -> bool:
    """Whether a palette is a dark one."""
    return palette.color(QPalette.ColorRole.Window).lightness() < 128


def tone(palette: QPalette, name: str) -> QColor:
    """The ink of a meaning: person, clone, good, warning, bad or live."""
    return QColor(_TONES[name][is_dark(palette)])


def tone_on_black(name: str) -> QColor:
    """The ink of a meaning around pictures, which are dark in every scheme."""
    return QColor(_TONES[name][True])


def indent(spin: QAbstractSpinBox) -> None:
    """Room before the figure; the padding of the style sheet is passed over where there are arrows at the other end."""
    spin.lineEdit().setTextMargins(SMALL, 0, 0, 0)


def heading(text: str, name: str = "", factor: float = 1.2) -> QLabel:
    """A label in bold, larger type."""
    label = QLabel(text, objectName=name)
    label.setFont(scaled(label.font(), factor, bold=True))
    return label


def faint(text: str = "", name: str = "", *, wrap: bool = False) -> QLabel:
    """A label of lesser weight: explanations, captions."""
    label = QLabel(text, objectName=name, wordWrap=wrap)
    label.setProperty("faint", True)
    return label


def scaled(font: QFont, factor: float, *, bold: bool = False) -> QFont:
    """A font of another size."""
    other = QFont(font)
    other.setPointSizeF(font.pointSizeF() * factor)
    other.setBold(bold)
    return other


def mix(one: QColor, other: QColor, share: float) -> QColor:
    """`share` of `other` in `one`."""
    pairs = ((one.red(), other.red()), (one.green(), other.green()), (one.blue(), other.blue()))
    return QColor(*(round(a + (b - a) * share) for a, b in pairs))


def image_of(picture: npt.NDArray[np.uint8]) -> QImage:
    """A picture, uint8 RGB (height, width, 3), as an image of 32 bits: one of 24 takes five times as long to scale."""
    pixels = np.ascontiguousarray(picture)
    height, width = pixels.shape[:2]
    image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return image.convertToFormat(QImage.Format.Format_RGB32)


def place_picture(stage: QRectF, width: int, height: int, pixel_aspect: float, ratio: float) -> QRectF:
    """Where a picture goes on `stage`: a console's screen by whole device pixels, unless that would leave much of the
    stage empty, and anything else as large as it fits.

    A console's pixels are `pixel_aspect` times as wide as high; 0 for other pictures. `ratio` is the number of device
    pixels in a unit of `stage`.
    """
    across = width * (pixel_aspect or 1.0)
    scale = min(stage.width() / across, stage.height() / height)
    wide, high = across * scale, height * scale
    if pixel_aspect:
        # Lines are whole, columns the nearest whole number to what their shape asks for.
        best = (0, 0)
        for lines in range(1, 12):
            columns = round(lines * pixel_aspect)
            if columns * width <= stage.width() * ratio and lines * height <= stage.height() * ratio:
                best = (columns, lines)
        whole = best[1] * height / ratio
        if whole >= _LEAST_WHOLE * high:
            wide, high = best[0] * width / ratio, whole
    left = round((stage.center().x() - wide / 2) * ratio) / ratio
    top = round((stage.center().y() - high / 2) * ratio) / ratio
    return QRectF(left, top, wide, high)


def changed_part(place: QRectF, before: npt.NDArray[np.uint8], picture: npt.NDArray[np.uint8]) -> QRegion:
    """Where `picture` differs from the one drawn at `place` before, which has the same shape: bands of its rows.

    Never empty, so that whoever waits for its painting is told.
    """
    height, width = picture.shape[:2]
    rows = np.flatnonzero((before.reshape(height, -1) != picture.reshape(height, -1)).any(axis=1))
    bands = np.split(rows, np.flatnonzero(np.diff(rows) > _APART) + 1) if len(rows) else []
    across, down = place.width() / width, place.height() / height
    part = QRegion() if bands else QRegion(QRect(place.topLeft().toPoint(), QSize(1, 1)))
    for band in bands:
        top, bottom = int(band[0]), int(band[-1]) + 1
        columns = np.flatnonzero((before[top:bottom] != picture[top:bottom]).any(axis=(0, 2)))
        first, last = int(columns[0]), int(columns[-1]) + 1
        # A smoothly scaled picture mixes neighbours.
        area = QRectF(first - 1, top - 1, last - first + 2, bottom - top + 2)
        scaled = QRectF(area.x() * across, area.y() * down, area.width() * across, area.height() * down)
        part += scaled.translated(place.topLeft()).intersected(place).toAlignedRect()
    return part


def draw_picture(painter: QPainter, place: QRectF, picture: npt.NDArray[np.uint8], pixel_aspect: float) -> None:
    """Draw a picture where `place_picture` puts it: with sharp pixels if each is a whole number of the screen's."""
    device = painter.device()
    ratio = device.devicePixelRatioF() if device is not None else 1.0
    whole = bool(pixel_aspect) and round(place.width() * ratio) % picture.shape[1] == 0
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not whole)
    painter.drawImage(place, image_of(picture))
