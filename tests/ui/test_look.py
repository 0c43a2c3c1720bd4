"""The window's colours can be read: WCAG 2.1, contrast as defined under "relative luminance", level AA."""

from __future__ import annotations

from itertools import product

import pytest
from PySide6.QtGui import QColor, QPalette

from recorder.ui.kit import look

ROLE = QPalette.ColorRole
GROUNDS = (ROLE.Window, ROLE.Base, ROLE.AlternateBase)


def luminance(colour: QColor) -> float:
    parts = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.getRgbF()[:3])
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def contrast(one: QColor, other: QColor) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_is_21_to_1() -> None:
    assert contrast(QColor("black"), QColor("white")) == pytest.approx(21)


@pytest.mark.parametrize("dark", [False, True])
def test_all_ink_can_be_read_on_all_it_stands_on(dark: bool) -> None:
    palette = look.palette_for(dark)
    pairs = list(product((ROLE.WindowText, ROLE.Text, ROLE.PlaceholderText, ROLE.Link), GROUNDS))
    pairs += [(ROLE.ButtonText, ROLE.Button), (ROLE.ButtonText, ROLE.Midlight), (ROLE.HighlightedText, ROLE.Highlight)]
    pairs += [(ROLE.PlaceholderText, ROLE.Midlight), (ROLE.ToolTipText, ROLE.ToolTipBase), (ROLE.Base, ROLE.Link)]
    found = {(ink.name, ground.name): contrast(palette.color(ink), palette.color(ground)) for ink, ground in pairs}
    assert {pair: round(ratio, 2) for pair, ratio in found.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["person", "clone", "good", "warning", "bad", "live"])
def test_ink_with_a_meaning_can_be_read(name: str, dark: bool) -> None:
    palette = look.palette_for(dark)
    for ground in GROUNDS:
        assert contrast(look.tone(palette, name), palette.color(ground)) >= 4.5, ground
