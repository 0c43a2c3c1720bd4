"""The few colours that pages set themselves, alike in light and dark; everything else follows the palette.

White on each of them has a contrast above 4.5 : 1 (WCAG AA).
"""

BANNER = "background: #8c1d24; color: white; border-radius: 8px; padding: 10px 14px; font-weight: 600"
PAGE = """
QPushButton { padding: 6px 14px; }
QPushButton[primary="true"] {
    background: #1a6fad; color: white; font-weight: 600; border: 0; border-radius: 7px; padding: 8px 18px;
}
QPushButton[primary="true"]:hover { background: #1d7cc1; }
QPushButton[primary="true"]:focus { border: 2px solid palette(window-text); padding: 6px 16px; }
QPushButton[primary="true"]:disabled { background: palette(button); color: palette(mid); }
QTableView::indicator { width: 14px; height: 14px; border: 1px solid palette(text); border-radius: 3px; }
QTableView::indicator:checked { background: #1a6fad; border: 1px solid #1a6fad; }
"""
