from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QTableWidget

from recorder import Library, record
from recorder.experts import scripted
from tests.ui.test_watch_page import application, wait_until
from trainer.train_desk import TrainDesk, TrainState
from trainer.ui.train_page import TrainPage


def test_ticking_a_session_and_clicking_train_trains_and_offers_the_twin(tmp_path: Path) -> None:
    application()
    record("hopper", scripted("hopper"), library=tmp_path, episodes=2, seed=3)
    page = TrainPage(TrainDesk(Library(tmp_path)))
    page.desk.preset = "quick"
    asked: list[Path] = []
    page.watch_requested.connect(asked.append)
    page.show()
    try:
        train = page.findChild(QPushButton, "trainButton")
        stop = page.findChild(QPushButton, "stopTrainingButton")
        assert not train.isEnabled()
        page.findChild(QTableWidget, "sessionTable").item(0, 0).setCheckState(Qt.CheckState.Checked)
        assert train.isEnabled()
        QTest.mouseClick(train, Qt.MouseButton.LeftButton)
        assert page.desk.training
        wait_until(lambda: len(page.desk.curves.val_loss) >= 1 or not page.desk.training, 60_000)
        if page.desk.training:
            QTest.mouseClick(stop, Qt.MouseButton.LeftButton)
        wait_until(lambda: not page.desk.training, 60_000)
        assert page.desk.state is TrainState.DONE, page.desk.error
        QTest.mouseClick(page.findChild(QPushButton, "watchButton"), Qt.MouseButton.LeftButton)
        assert asked == [page.desk.policy]
        assert asked[0].stat().st_size > 1000
    finally:
        page.shutdown()
        page.close()
        page.deleteLater()
        QTest.qWait(1)


def test_an_empty_library_leads_to_the_record_page(tmp_path: Path) -> None:
    application()
    page = TrainPage(TrainDesk(Library(tmp_path)))
    asked: list[str] = []
    page.page_requested.connect(asked.append)
    page.show()
    QTest.mouseClick(page.findChild(QPushButton, "goRecordButton"), Qt.MouseButton.LeftButton)
    assert asked == ["record"]
    page.shutdown()
    page.close()
    page.deleteLater()
    QTest.qWait(1)
