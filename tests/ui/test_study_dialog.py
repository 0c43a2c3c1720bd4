"""A finished study in the window."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtSvgWidgets import QSvgWidget
from PySide6.QtWidgets import QApplication, QTextBrowser

from player.report.plots import Bar, bars, histogram
from player.ui.study_dialog import StudyDialog


@pytest.fixture
def application() -> QApplication:
    found = QApplication.instance()
    return found if isinstance(found, QApplication) else QApplication([])


def test_a_study_shows_its_table_and_its_figures(application: QApplication, tmp_path: Path) -> None:
    (tmp_path / "table.md").write_text("# Two networks\n\n| row | clone |\n|---|---:|\n| good | 3,500 |\n")
    (tmp_path / "scores.svg").write_text(bars([Bar("clone", "a good one", 3.0, 2.0, 4.0)], "mean score"))
    waits = histogram([1.0, 3.0, 99.0], [0, 2, 4], {"median 3": 3.0}, ("milliseconds", "presses"))
    (tmp_path / "waits.svg").write_text(waits)
    (tmp_path / "broken.svg").write_text("")
    dialog = StudyDialog(tmp_path)
    dialog.show()
    table = dialog.findChild(QTextBrowser, "studyTable")
    assert table is not None
    assert "Two networks" in table.toPlainText()
    assert "3,500" in table.toPlainText()
    shown = [figure.objectName() for figure in dialog.findChildren(QSvgWidget) if figure.isVisible()]
    assert shown == ["scoresFigure", "waitsFigure"]
    dialog.close()
    dialog.deleteLater()


def test_another_folder_is_refused_with_what_to_do(application: QApplication, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no table\.md.*twinplay study"):
        StudyDialog(tmp_path)
