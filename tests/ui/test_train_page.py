"""The Train page, with runs that this process trains itself."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QTableWidget,
    QTreeWidget,
    QWidget,
)

from recorder import Library, Session, record
from recorder.agents.agent import KeyAgent
from recorder.agents.experts import scripted
from recorder.library.edits import edit
from tests.ui.test_watch_page import application, wait_until
from trainer import TrainConfig
from trainer.progress.records import Progress
from trainer.runs.policy_library import Policies
from trainer.runs.presenter import TrainPresenter
from trainer.runs.runs import Runs, RunState
from trainer.runs.train_state import TrainState
from trainer.runs.work import perform
from trainer.ui.confusion_view import ConfusionView
from trainer.ui.share_bars import ShareBars
from trainer.ui.train_page import TrainPage

SMALL = {"max_batches": 400, "validations": 4, "checks": 0, "play_games": 0, "threads": 1}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("page")
    record("hopper", scripted("hopper"), library=path, episodes=2, seed=3)
    record("breakout", scripted("breakout"), library=path, seconds=4, seed=3)
    return path


@pytest.fixture
def library(recorded: Path, tmp_path: Path) -> Path:
    for session in recorded.glob("*.zarr"):
        (tmp_path / session.name).symlink_to(session)
    return tmp_path


class Opened:
    """A page, and what it asked for."""

    def __init__(self, library: Path, **overrides: object) -> None:
        application()
        self.page = TrainPage(TrainPresenter(Library(library), overrides={**SMALL, **overrides}))
        self.presenter = self.page.presenter
        self.watched: list[Path] = []
        self.page.watch_requested.connect(self.watched.append)
        self.page.resize(1000, 640)
        self.page.show()

    def find(self, kind: type, name: str) -> QWidget:
        found = self.page.findChild(kind, name)
        assert found is not None, name
        return found

    def click(self, name: str) -> None:
        button = self.find(QPushButton, name)
        assert button.isVisible(), name
        assert button.isEnabled(), name
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def tick(self, env: str, ticked: bool = True) -> None:
        tree = self.find(QTreeWidget, "sessionTable")
        for index in range(tree.topLevelItemCount()):
            item = tree.topLevelItem(index)
            if item.text(0).endswith(env):
                item.setCheckState(0, Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)

    def close(self) -> None:
        self.page.shutdown()
        self.page.close()
        self.page.deleteLater()
        QTest.qWait(1)


@pytest.fixture
def opened(library: Path) -> Iterator[Opened]:
    opened = Opened(library)
    yield opened
    opened.close()


def test_an_empty_library_leads_to_the_record_page(tmp_path: Path) -> None:
    opened = Opened(tmp_path)
    asked: list[str] = []
    opened.page.page_requested.connect(asked.append)
    opened.click("goRecordButton")
    assert asked == ["record"]
    opened.close()


def test_games_can_be_ticked_one_by_one_and_bars_show_the_share_of_each_action(opened: Opened) -> None:
    choice = opened.presenter.choice
    opened.tick("Breakout", False)
    opened.tick("Breakout")  # by somebody, whether or not it is the newest
    wait_until(lambda: bool(choice.selection.shares))
    bars = opened.find(ShareBars, "shareBars")
    assert bars.isVisible()
    assert "FIRE" in bars.accessibleName()
    tree = opened.find(QTreeWidget, "sessionTable")
    hopper = next(item for item in map(tree.topLevelItem, range(2)) if item.text(0).endswith("Hopper"))
    hopper.setExpanded(True)
    wait_until(lambda: hopper.childCount() == 2)
    assert hopper.checkState(0) is Qt.CheckState.Unchecked
    opened.tick("Hopper")
    assert [hopper.child(k).checkState(0) for k in range(2)] == [Qt.CheckState.Checked] * 2
    hopper.child(1).setCheckState(0, Qt.CheckState.Unchecked)
    assert hopper.checkState(0) is Qt.CheckState.PartiallyChecked
    assert "mixed" in opened.find(QLabel, "selectionSummary").text()
    opened.tick("Breakout", False)
    assert "Hopper: 1 session" in opened.find(QLabel, "selectionSummary").text()


def test_a_list_filled_while_it_was_narrow_shows_whole_headings_once_it_is_wide(library: Path, opened: Opened) -> None:
    tree = opened.find(QTreeWidget, "sessionTable")
    assert tree.isColumnHidden(3)
    shutil.copytree(next(library.glob("*-hopper.zarr")).resolve(), library / "2020-01-01T00-00-00-hopper.zarr")
    opened.page.activate()
    assert tree.topLevelItemCount() == 3
    opened.page.resize(2_000, 640)
    wait_until(lambda: not tree.isColumnHidden(3))
    header = tree.header()
    assert all(header.sectionSize(column) >= header.sectionSizeHint(column) for column in range(tree.columnCount()))


def test_a_session_is_found_by_its_title_and_curves_wait_for_the_first_batch(library: Path) -> None:
    path = next(library.glob("*-hopper.zarr"))
    titled = library / "2020-01-01T00-00-00-hopper.zarr"
    shutil.copytree(path.resolve(), titled)
    edit(titled, title="My first take")
    opened = Opened(library)
    tree = opened.find(QTreeWidget, "sessionTable")
    assert "My first take" in [tree.topLevelItem(index).text(0) for index in range(3)]
    Runs(library).create([Session.open(path)], TrainConfig.for_env("hopper", **SMALL))
    opened.presenter.refresh()
    opened.presenter.run_list.show(opened.presenter.run_list.runs[0].id)
    opened.page._changed()
    hint = opened.find(QLabel, "noCurvesHint")
    assert hint.isVisible()
    opened.presenter.run_list.curves.take(Progress("train", 0.1, 10, 100, loss=1.2))
    opened.page._changed()
    assert not hint.isVisible()
    opened.close()


def test_advanced_settings_are_refused_or_used_and_go_back_to_the_preset(opened: Opened) -> None:
    opened.tick("Hopper")
    opened.click("advancedButton")
    dialog = opened.page.findChild(QWidget, "advancedDialog")
    dialog.findChild(QDoubleSpinBox, "learning_rateField").setValue(0.25)
    dialog.findChild(QComboBox, "networkField").setCurrentText("lstm")
    dialog.findChild(QDoubleSpinBox, "max_secondsField").setValue(0.05)
    QTest.mouseClick(dialog.findChild(QPushButton, "useSettingsButton"), Qt.MouseButton.LeftButton)
    assert "max_seconds is 0.05" in dialog.findChild(QLabel, "advancedProblem").text()
    dialog.findChild(QDoubleSpinBox, "max_secondsField").setValue(0)
    QTest.mouseClick(dialog.findChild(QPushButton, "useSettingsButton"), Qt.MouseButton.LeftButton)
    assert opened.presenter.changes == {"hopper": {"network": "lstm", "learning_rate": 0.25}}
    assert "2 custom settings" in opened.find(QLabel, "presetHint").text()
    opened.click("backToPresetButton")
    assert opened.presenter.changes == {}


def finished(library: Path, env: str, **changes: object) -> str:
    """A run that is over before any window looks."""
    session = Session.open(next(library.glob(f"*-{env}.zarr")))
    runs = Runs(library)
    run = runs.create([session], TrainConfig.for_env(env, **{**SMALL, "max_batches": 4, **changes}), preset="quick").id
    list(perform(runs, run))
    assert runs.get(run).status.state is RunState.DONE
    return run


def test_runs_are_shown_compared_and_deleted_and_the_confusion_is_read_out(library: Path) -> None:
    first, second = (finished(library, "breakout", network="nature", batch_size=size) for size in (16, 8))
    other = finished(library, "hopper")
    opened = Opened(library)
    opened.click("runsSegment")
    table = opened.find(QTableWidget, "runTable")
    assert [table.item(row, 2).text() for row in range(3)] == [
        "Scripted, Hopper, quick",
        *["Scripted, Breakout, quick"] * 2,
    ]
    table.selectRow(1)
    assert opened.presenter.run_list.shown == second
    said = "Your twin is ready: it does as the scripted player does in [0-9]+ % of moments.$"
    assert re.match(said, opened.find(QLabel, "trainHeadline").text())
    assert "No test games were played" in opened.find(QLabel, "runBasis").text()
    assert opened.find(QWidget, "runPicture").isVisible()
    pictures, run = opened.presenter.pictures, opened.presenter.run_list.run
    wait_until(lambda: pictures.of(pictures.session(run)) is not None)
    table.item(0, 0).setCheckState(Qt.CheckState.Checked)  # another game: nothing to compare
    assert opened.presenter.run_list.compared == []
    table.item(2, 0).setCheckState(Qt.CheckState.Checked)
    assert opened.presenter.run_list.compared == [first]
    opened.click("confusionSegment")
    wait_until(lambda: "NOOP" in opened.find(ConfusionView, "confusionView").accessibleName())
    opened.click("settingsSegment")
    assert "Batch size: 8" in opened.find(QPlainTextEdit, "runSettings").toPlainText()
    opened.click("logSegment")
    assert "reading" in opened.find(QPlainTextEdit, "trainMessages").toPlainText()
    opened.click("deleteRunButton")
    assert [run.id for run in opened.presenter.run_list.runs] == [other, first]
    opened.click("undoRunButton")
    assert len(opened.presenter.run_list.runs) == 3
    opened.close()


def test_twins_are_renamed_deleted_brought_back_and_watched(library: Path) -> None:
    run = finished(library, "hopper")
    opened = Opened(library)
    opened.click("twinsSegment")
    table = opened.find(QTableWidget, "twinTable")
    table.selectRow(0)
    opened.page._twins.rename("Hoppity")
    assert [twin.name for twin in Policies(library).all()] == ["Hoppity"]
    opened.presenter.run_list.show(run)
    assert opened.presenter.policy == library / "policies" / "Hoppity.safetensors"  # found again by the run it names
    table.selectRow(0)
    opened.click("watchTwinButton")
    assert opened.watched == [library / "policies" / "Hoppity.safetensors"]
    table.selectRow(0)
    opened.click("deleteTwinButton")
    assert Policies(library).all() == []
    opened.click("undoTwinButton")
    assert [twin.name for twin in Policies(library).all()] == ["Hoppity"]
    assert opened.presenter.messages.notice
    opened.click("runsSegment")
    assert not opened.presenter.messages.notice  # it was about the twins
    opened.close()


@pytest.mark.parametrize(
    ("button", "closes", "background"),
    [("cancelCloseButton", False, False), ("pauseAndCloseButton", True, False), ("goOnInBackgroundButton", True, True)],
)
def test_closing_while_training_asks(opened: Opened, button: str, closes: bool, background: bool) -> None:
    assert opened.page.may_close()
    runs = Runs(opened.presenter.library.path)
    session = Session.open(next(opened.presenter.library.path.glob("*-hopper.zarr")))
    runs.create([session], TrainConfig.for_env("hopper", **SMALL))
    opened.presenter.refresh()

    def answer() -> None:
        box = opened.page.findChild(QMessageBox, "closeWhileTraining")
        QTest.mouseClick(box.findChild(QPushButton, button), Qt.MouseButton.LeftButton)

    with runs.lock("").acquire(timeout=0):
        QTimer.singleShot(50, answer)
        assert opened.page.may_close() is closes
        assert opened.presenter.in_background is background
    opened.presenter.in_background = False


def test_sessions_that_another_page_sends_are_ticked_alone(opened: Opened) -> None:
    choice = opened.presenter.choice
    both = {row.path for row in choice.rows}
    opened.click("twinsSegment")
    opened.page.choose(*both)
    assert choice.chosen == both
    assert opened.find(QTreeWidget, "sessionTable").isVisible()
    one = both.pop()
    opened.page.choose(one)
    assert choice.chosen == {one}


def test_one_twin_for_each_participant_is_one_click_and_the_queue_names_them(tmp_path: Path) -> None:
    for name in ("Ada", "Bo", ""):
        record("breakout", KeyAgent({}, name), library=tmp_path, seconds=1, seed=1)
    opened = Opened(tmp_path)
    tree = opened.find(QTreeWidget, "sessionTable")
    assert {tree.topLevelItem(index).text(1) for index in range(3)} == {"Ada", "Bo", "Person"}
    assert tree.topLevelItem(0).text(0) == "Breakout"
    edit(opened.presenter.choice.rows[0].path, title="Evening")
    opened.page.activate()
    assert tree.topLevelItem(0).text(0) == "Evening"
    each = opened.find(QPushButton, "trainEachButton")
    choice = opened.presenter.choice
    with Runs(tmp_path).lock("").acquire(timeout=0):  # as if another process worked the queue off
        opened.page.choose(*(row.path for row in choice.rows if "Bo" not in row.player))
        assert each.isVisible()
        assert not each.isEnabled()
        assert "Select sessions of two or more people who gave their names" in each.toolTip()
        opened.page.choose(*(row.path for row in choice.rows if "Ada" in row.player))
        assert not each.isVisible()
        opened.page.choose(*(row.path for row in choice.rows))
        opened.click("trainEachButton")
        assert "one for each of Ada and Bo" in opened.find(QLabel, "trainNotice").text()
        opened.click("runsSegment")
        table = opened.find(QTableWidget, "runTable")
        said = [[table.item(row, column).text() for column in (2, 3)] for row in range(table.rowCount())]
        assert said == [["Bo, Breakout, quick", "queued"], ["Ada, Breakout, quick", "queued"]]
    opened.close()


def test_the_best_half_is_chosen_beside_the_summary_and_the_run_says_what_it_left_out(opened: Opened) -> None:
    presenter = opened.presenter
    opened.tick("Hopper")
    wait_until(lambda: not presenter.choice.busy and presenter.choice.selection.games == 2)
    choice = opened.find(QComboBox, "subsetChoice")
    assert isinstance(choice, QComboBox)
    QTest.keyClick(choice, Qt.Key.Key_End)
    assert choice.currentText() == "Best half"
    assert "1 session · 1 game · " in opened.find(QLabel, "selectionSummary").text()
    opened.click("trainButton")
    assert opened.find(QLabel, "runAbout").text().endswith(" · left out: 1 of 2 games, by score")
    wait_until(lambda: presenter.state is TrainState.DONE)
    run = presenter.run_list.run
    assert run is not None
    assert presenter.log().splitlines()[1].endswith("left out: 1 of 2 games, by score")
