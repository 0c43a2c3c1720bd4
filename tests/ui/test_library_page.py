"""The Library page in this process, over real sessions."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QTableView,
    QTableWidget,
    QWidget,
)
from shiboken6 import isValid

from recorder import Library, RandomAgent, Session, get_spec, record
from recorder.library.edits import edit
from recorder.library.presenter import LibraryPresenter
from recorder.ui.kit.pace import IDLE_MS
from recorder.ui.library_page import LibraryPage
from recorder.ui.library_table import short_title
from recorder.ui.scrubber import Scrubber
from recorder.ui.table_dialog import TableDialog
from tests.lending import SharedService, shared_service
from tests.ui.test_watch_page import application
from tests.waiting import PATIENCE_S

Open = Callable[[Path], LibraryPage]


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A game of Breakout and three of Hopper."""
    path: Path = tmp_path_factory.mktemp("library-page")
    record("breakout", RandomAgent(get_spec("breakout"), 1), library=path, seconds=4, seed=3)
    record("hopper", RandomAgent(get_spec("hopper"), 1), library=path, episodes=3, seed=1)
    return path


@pytest.fixture(scope="module")
def previews() -> Iterator[SharedService]:
    with shared_service("recorder.library.preview:PreviewWorker") as service:
        yield service


@pytest.fixture
def open_page(previews: SharedService) -> Iterator[Open]:
    pages: list[LibraryPage] = []

    def open_it(library: Path) -> LibraryPage:
        application()
        page = LibraryPage(LibraryPresenter(Library(library), start_service=previews.lend))
        pages.append(page)
        page.resize(1_100, 760)
        page.show()
        page.activate()
        QTest.qWaitForWindowExposed(page)
        page.activateWindow()
        return page

    yield open_it
    for page in pages:
        page.shutdown()
        page.close()
        page.deleteLater()
    QTest.qWait(1)


@pytest.fixture
def page(originals: Path, tmp_path: Path, open_page: Open) -> LibraryPage:
    """The page with its first session shown."""
    page = open_page(Path(shutil.copytree(originals, tmp_path / "library")))
    wait_until(lambda: page.presenter.preview.moment is not None)
    return page


def wait_until(condition: Callable[[], object]) -> None:
    """Let the window work until something is so; unlike QTest.qWait, this leaves the presenter's threads their turn."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        QApplication.processEvents()
        time.sleep(0.005)


def child(page: QWidget, name: str, kind: type = QWidget) -> QWidget:
    found = page.findChild(kind, name)
    assert found is not None, name
    return found


def row_of(page: LibraryPage, env: str) -> int:
    table = child(page, "libraryTable", QTableView)
    rows = [table.model().index(n, 0).data(Qt.ItemDataRole.UserRole).env for n in range(table.model().rowCount())]
    return rows.index(env)


def choose(page: LibraryPage, env: str, *, add: bool = False) -> Session:
    """Click a session's row."""
    table = child(page, "libraryTable", QTableView)
    place = table.visualRect(table.model().index(row_of(page, env), 1)).center()
    held = Qt.KeyboardModifier.ControlModifier if add else Qt.KeyboardModifier.NoModifier
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, held, place)
    assert page.presenter.shown is not None
    wait_until(lambda: page.presenter.preview.details is not None and page.presenter.preview.moment is not None)
    return Session.open(page.presenter.selected[0])


def settled(page: LibraryPage) -> None:
    wait_until(lambda: not page.presenter.busy)
    QApplication.processEvents()


def test_the_page_looks_for_what_is_new_often_only_while_something_is_in_progress(page: LibraryPage) -> None:
    settled(page)
    timer = next(each for each in page.findChildren(QTimer) if each.isActive())
    wait_until(lambda: timer.interval() == IDLE_MS)
    page.presenter.refresh()
    page._render()
    assert timer.interval() < IDLE_MS
    settled(page)
    wait_until(lambda: timer.interval() == IDLE_MS)


def test_an_empty_library_leads_to_the_record_page(tmp_path: Path, open_page: Open) -> None:
    page = open_page(tmp_path)
    asked: list[str] = []
    page.page_requested.connect(asked.append)
    go = child(page, "goRecordFromLibraryButton", QPushButton)
    wait_until(go.isVisible)
    QTest.mouseClick(go, Qt.MouseButton.LeftButton)
    assert asked == ["record"]


def test_a_folder_that_cannot_be_used_is_said_in_a_sentence(tmp_path: Path, open_page: Open) -> None:
    (tmp_path / "file").touch()
    page = open_page(tmp_path / "file")
    banner = child(page, "libraryBanner", QLabel)
    wait_until(banner.isVisible)
    assert "is a file, not a library folder; choose a folder" in banner.text()


def test_unticking_a_game_and_marking_a_span_leave_them_out_of_training(page: LibraryPage) -> None:
    session = choose(page, "hopper")
    games = child(page, "gamesTable", QTableWidget)
    assert games.rowCount() == 3
    box = games.visualItemRect(games.item(1, 0))
    QTest.mouseClick(games.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(box.left() + 10, box.center().y()))
    settled(page)
    assert [episode.excluded for episode in Session.open(session.path).episodes] == [False, True, False]
    scrubber = child(page, "scrubber", Scrubber)
    exclude = child(page, "excludeButton", QPushButton)
    QTest.mouseClick(scrubber, Qt.MouseButton.LeftButton, pos=QPoint(scrubber.width() // 4, 17))
    first = page.presenter.preview.tick
    assert first == pytest.approx(len(session) // 4, abs=2)
    QTest.mouseClick(exclude, Qt.MouseButton.LeftButton)
    assert exclude.text() == "Exclude to here"
    assert page.focusWidget() is scrubber  # where the arrow keys lead on
    for _ in range(3):
        QTest.keyClick(scrubber, Qt.Key.Key_Right)
    QTest.mouseClick(exclude, Qt.MouseButton.LeftButton)
    settled(page)
    assert Session.open(session.path).excluded_spans == (range(first, first + 4),)
    assert exclude.text() == "Include again"
    QTest.keyClick(scrubber, Qt.Key.Key_X)
    settled(page)
    assert Session.open(session.path).excluded_spans == ()


def test_a_click_on_a_label_gives_the_next_one_and_space_leaves_the_game_out(page: LibraryPage) -> None:
    session = choose(page, "hopper")
    games = child(page, "gamesTable", QTableWidget)
    label = games.visualItemRect(games.item(1, 4)).center()
    for wanted in ("success", "failure", ""):
        QTest.mouseClick(games.viewport(), Qt.MouseButton.LeftButton, pos=label)
        settled(page)
        wait_until(lambda: page.presenter.preview.details is not None)
        assert [episode.label for episode in Session.open(session.path).episodes] == ["", wanted, ""]
        settled(page)
    QTest.keyClick(games, Qt.Key.Key_Space)
    settled(page)
    assert [episode.excluded for episode in Session.open(session.path).episodes] == [False, True, False]


def test_a_span_is_drawn_with_shift_and_given_up_with_escape(page: LibraryPage) -> None:
    session = choose(page, "hopper")
    scrubber = child(page, "scrubber", Scrubber)
    shift = Qt.KeyboardModifier.ShiftModifier
    y, wide = scrubber.height() // 2, scrubber.width()
    QTest.mousePress(scrubber, Qt.MouseButton.LeftButton, shift, QPoint(wide // 2, y))
    QTest.mouseMove(scrubber, QPoint(3 * wide // 4, y))
    QTest.mouseRelease(scrubber, Qt.MouseButton.LeftButton, shift, QPoint(3 * wide // 4, y))
    settled(page)
    (span,) = Session.open(session.path).excluded_spans
    assert (span.start, span.stop) == pytest.approx((len(session) // 2, 3 * len(session) // 4), abs=2)
    QTest.keyClick(scrubber, Qt.Key.Key_Home)
    QTest.keyClick(scrubber, Qt.Key.Key_X)
    QTest.keyClick(scrubber, Qt.Key.Key_Escape)
    assert child(page, "excludeButton", QPushButton).text() == "Exclude from here"
    settled(page)
    assert Session.open(session.path).excluded_spans == (span,)


def test_what_is_typed_is_stored_under_the_session_it_was_typed_for(page: LibraryPage) -> None:
    hops = choose(page, "hopper")
    title = child(page, "titleEdit", QLineEdit)
    notes = child(page, "notesEdit", QPlainTextEdit)
    title.setFocus()
    QTest.keyClicks(title, "Hops & <b>skips</b>")
    child(page, "tagsEdit", QLineEdit).setFocus()
    QTest.keyClicks(child(page, "tagsEdit", QLineEdit), "left, slow")
    notes.setFocus()
    QTest.keyClicks(notes, "It fell.")
    game = choose(page, "breakout")
    assert title.text() == ""
    settled(page)
    stored = Session.open(hops.path)
    assert (stored.title, stored.tags, stored.notes) == ("Hops & <b>skips</b>", ("left", "slow"), "It fell.")
    assert Session.open(game.path).title == ""


def test_what_is_typed_last_is_stored_when_the_window_closes(page: LibraryPage) -> None:
    session = choose(page, "hopper")
    notes = child(page, "notesEdit", QPlainTextEdit)
    notes.setFocus()
    QTest.keyClicks(notes, "at the last moment")
    page.shutdown()
    assert Session.open(session.path).notes == "at the last moment"


def test_the_order_of_a_column_keeps_what_is_selected(page: LibraryPage) -> None:
    session = choose(page, "hopper")
    table = child(page, "libraryTable", QTableView)
    rows = set()
    header = table.horizontalHeader()
    for _ in range(2):
        place = QPoint(header.sectionViewportPosition(3) + 10, header.height() // 2)
        QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
        rows.add(row_of(page, "hopper"))
        assert page.presenter.selected == (session.path,)
        assert [index.row() for index in table.selectionModel().selectedRows(0)] == [row_of(page, "hopper")]
    assert rows == {0, 1}


def test_search_and_filters_narrow_the_list(page: LibraryPage) -> None:
    edit(choose(page, "hopper").path, notes="falls a lot")
    page.presenter.refresh()
    settled(page)
    table = child(page, "libraryTable", QTableView)
    search = child(page, "librarySearch", QLineEdit)
    QTest.keyClicks(search, "lot falls")
    (only,) = [table.model().index(n, 0).data() for n in range(table.model().rowCount())]
    assert only.startswith("Random, ")  # who, how many points, and when
    QTest.keyClicks(search, " nowhere")
    assert table.model().rowCount() == 0
    assert child(page, "libraryNothing", QLabel).isVisible()
    search.clear()
    envs = child(page, "libraryEnvFilter", QComboBox)
    assert [envs.itemText(n) for n in range(envs.count())] == ["All games", "Breakout", "Hopper"]
    envs.setCurrentIndex(1)
    envs.activated.emit(1)
    assert table.model().rowCount() == 1
    kinds = child(page, "libraryKindFilter", QComboBox)
    assert [kinds.itemText(n) for n in range(kinds.count())] == ["Everyone", "Random players"]


def test_delete_moves_what_is_selected_to_the_trash_and_ctrl_z_brings_it_back(page: LibraryPage) -> None:
    session = choose(page, "hopper")
    table = child(page, "libraryTable", QTableView)
    QTest.keyClick(table, Qt.Key.Key_Delete)
    wait_until(lambda: table.model().rowCount() == 1)
    assert not session.path.exists()
    assert "Moved 1 session to the trash" in child(page, "libraryMessage", QLabel).text()
    QTest.keyClick(table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait_until(lambda: table.model().rowCount() == 2)
    assert session.path.exists()
    settled(page)
    assert "Undid" in child(page, "libraryMessage", QLabel).text()
    page.deactivate()
    page.activate()  # on coming back, what was done long ago is told no longer
    settled(page)
    assert child(page, "libraryMessage", QLabel).text().startswith("2 sessions, ")


def test_the_last_session_can_be_thrown_away_and_brought_back(page: LibraryPage) -> None:
    choose(page, "hopper")
    choose(page, "breakout", add=True)
    QTest.mouseClick(child(page, "trashButton", QPushButton), Qt.MouseButton.LeftButton)
    wait_until(lambda: not page.presenter.rows)
    undo = child(page, "libraryUndoButton", QPushButton)
    wait_until(undo.isVisible)
    QTest.mouseClick(undo, Qt.MouseButton.LeftButton)
    wait_until(lambda: len(page.presenter.rows) == 2)
    assert len(page.presenter.selected) == 2


def test_to_delete_with_the_mouse_leaves_the_keyboard_in_the_page_and_deletes_one(page: LibraryPage) -> None:
    choose(page, "hopper")
    delete, table = child(page, "trashButton", QPushButton), child(page, "libraryTable", QTableView)
    page.take_keyboard()
    for left in (1, 0):
        QTest.mouseClick(delete, Qt.MouseButton.LeftButton)
        wait_until(lambda left=left: len(page.presenter.rows) == left)
        settled(page)
        focused = QApplication.focusWidget()
        assert focused is not None
        assert page.isAncestorOf(focused)
        assert focused is not delete
        QTest.keyClick(focused, Qt.Key.Key_Space)
        settled(page)
        assert len(page.presenter.rows) == left
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait_until(lambda: table.model().rowCount() == 1)


def test_a_page_gets_the_keyboard_that_one_of_its_buttons_loses(page: LibraryPage) -> None:
    choose(page, "hopper")
    merge = child(page, "verifyButton", QPushButton)
    merge.setFocus()
    for button in page.findChildren(QPushButton):
        button.setEnabled(False)
    assert page.isAncestorOf(QApplication.focusWidget())


def test_the_trash_can_be_looked_through_and_emptied_after_a_question(page: LibraryPage) -> None:
    choose(page, "hopper")
    choose(page, "breakout", add=True)
    QTest.mouseClick(child(page, "trashButton", QPushButton), Qt.MouseButton.LeftButton)
    settled(page)
    page._open_trash()
    words = child(page, "trashWords", QLabel)
    wait_until(lambda: words.text().startswith("2 sessions, "))
    names = child(page, "trashList", QListWidget)
    assert all(names.item(row).text().startswith("Random, ") for row in range(2))  # as in the list, not their files
    QTest.mouseClick(child(page, "restoreButton", QPushButton), Qt.MouseButton.LeftButton)
    wait_until(lambda: len(page.presenter.rows) == 1)
    wait_until(lambda: words.text().startswith("1 session, "))
    QTest.mouseClick(child(page, "emptyTrashButton", QPushButton), Qt.MouseButton.LeftButton)
    box = QApplication.activeModalWidget()
    assert box is not None
    assert len(page.presenter.library.trashed()) == 1
    QTest.mouseClick(child(box, "confirmButton", QPushButton), Qt.MouseButton.LeftButton)
    wait_until(lambda: page.presenter.trashed == [])
    assert page.presenter.library.trashed() == []
    QTest.mouseClick(child(page, "closeTrashButton", QPushButton), Qt.MouseButton.LeftButton)


def test_verify_merge_and_split_say_what_came_of_them(page: LibraryPage) -> None:
    session = choose(page, "hopper")
    verify, split = child(page, "verifyButton", QPushButton), child(page, "splitButton", QPushButton)
    QTest.mouseClick(verify, Qt.MouseButton.LeftButton)
    assert not verify.isEnabled()
    wait_until(lambda: "verified, " in child(page, "libraryMessage", QLabel).text())
    settled(page)
    assert verify.text() == "Verified"
    assert verify.toolTip() == "It is verified already"
    assert not split.isEnabled()
    assert split.toolTip().startswith("Select a later game")
    assert child(page, "mergeButton", QPushButton).toolTip() == "Select two or more sessions"
    games = child(page, "gamesTable", QTableWidget)
    QTest.mouseClick(games.viewport(), Qt.MouseButton.LeftButton, pos=games.visualItemRect(games.item(2, 1)).center())
    assert page.presenter.preview.tick == session.episodes[2].start
    wait_until(split.isEnabled)
    assert split.toolTip() == "Split into two sessions before the selected game"
    QTest.mouseClick(split, Qt.MouseButton.LeftButton)
    wait_until(lambda: len(page.presenter.rows) == 4)
    merge = child(page, "mergeButton", QPushButton)
    settled(page)
    assert merge.isEnabled()
    assert merge.text() == "Merge 2"  # the halves, which are selected
    table = child(page, "libraryTable", QTableView)
    for number in range(table.model().rowCount()):
        if table.model().index(number, 0).data(Qt.ItemDataRole.UserRole).path == session.path:
            place = table.visualRect(table.model().index(number, 1)).center()
            held = Qt.KeyboardModifier.ControlModifier
            QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, held, place)
    assert merge.text() == "Merge 3"
    QTest.mouseClick(merge, Qt.MouseButton.LeftButton)
    wait_until(lambda: len(page.presenter.rows) == 5)
    settled(page)
    assert max(row.ticks for row in page.presenter.rows if row.env == "hopper") == 2 * len(session)


@pytest.mark.parametrize("name", ["verifyButton", "mergeButton", "splitButton"])
def test_no_button_that_deletes_gets_the_keyboard_by_itself(page: LibraryPage, name: str) -> None:
    session = choose(page, "hopper")
    if name == "mergeButton":
        record("hopper", RandomAgent(get_spec("hopper"), 5), library=page.presenter.library.path, episodes=1, seed=5)
        page.presenter.refresh()
        settled(page)
        page.presenter.select([row.path for row in page.presenter.rows if row.env == "hopper"])
        page._list.select_again()
        page._render()
    elif name == "splitButton":
        page.presenter.preview.seek(session.episodes[2].start)
        settled(page)
    button = child(page, name, QPushButton)
    wait_until(button.isEnabled)
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    wait_until(lambda: not button.isEnabled())
    for _ in range(2):
        focused = QApplication.focusWidget()
        assert focused is not None
        assert focused.objectName() != "trashButton"
        QTest.keyClick(focused, Qt.Key.Key_Space)
        settled(page)
    assert not page.presenter.library.trashed()


def test_what_is_selected_goes_to_train_and_watch(page: LibraryPage) -> None:
    trained: list[list[Path]] = []
    watched: list[Path] = []
    page.train_requested.connect(trained.append)
    page.watch_requested.connect(watched.append)
    hops = choose(page, "hopper")
    QTest.mouseClick(child(page, "libraryTrainButton", QPushButton), Qt.MouseButton.LeftButton)
    QTest.mouseClick(child(page, "libraryWatchButton", QPushButton), Qt.MouseButton.LeftButton)
    assert (trained, watched) == ([[hops.path]], [hops.path])


def test_an_unreadable_session_says_what_is_wrong_and_does_no_more(
    originals: Path, tmp_path: Path, open_page: Open
) -> None:
    library = Path(shutil.copytree(originals, tmp_path / "library"))
    broken = next(library.glob("*hopper.zarr"))
    (broken / "zarr.json").write_text("{")
    page = open_page(library)
    wait_until(lambda: len(page.presenter.rows) == 2)
    table = child(page, "libraryTable", QTableView)
    table.selectRow([row.path for row in page._list.rows].index(broken))
    wait_until(lambda: page.presenter.preview.details is not None and bool(page.presenter.preview.details.problem))
    settled(page)
    said = child(page, "previewPicture").accessibleName()
    assert said.startswith(f"“{broken.stem}” is not a readable session")
    assert str(library) not in said
    for name in ("libraryTrainButton", "libraryWatchButton", "verifyButton", "mergeButton", "splitButton"):
        assert not child(page, name, QPushButton).isEnabled(), name
    assert child(page, "trashButton", QPushButton).isEnabled()


def test_progress_shows_the_games_of_who_is_chosen(page: LibraryPage) -> None:
    choose(page, "hopper")
    QTest.mouseClick(child(page, "progressButton", QPushButton), Qt.MouseButton.LeftButton)
    assert child(page, "progressHeadline", QLabel).text().startswith("Random, Hopper: 3 games, ")


def test_a_library_that_changes_on_disk_is_shown_as_it_is_when_the_page_comes_back(page: LibraryPage) -> None:
    choose(page, "hopper")
    page.deactivate()
    shutil.rmtree(page.presenter.selected[0])
    page.activate()
    wait_until(lambda: len(page.presenter.rows) == 1)
    settled(page)
    assert page.presenter.shown is not None
    assert page.presenter.shown.env == "breakout"


def test_a_table_of_what_is_listed_is_saved_and_asks_before_it_replaces_one(page: LibraryPage, tmp_path: Path) -> None:
    def press(button: str) -> None:
        QTest.mouseClick(child(page, button, QPushButton), Qt.MouseButton.LeftButton)

    settled(page)
    file = tmp_path / "all.csv"
    for games, rows in ((True, 4), (False, 2)):
        press("tableButton")
        dialog = child(page, "tableDialog", TableDialog)
        assert child(page, "tableListed", QRadioButton).isChecked()
        if not games:
            QTest.mouseClick(child(page, "tableSessions", QRadioButton), Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
        path = child(page, "tablePath", QLineEdit)
        assert Path(path.text()).name == f"Twinplay {'games' if games else 'sessions'}.csv"
        path.selectAll()
        QTest.keyClicks(path, str(file.with_suffix("")))
        QTest.keyClick(path, Qt.Key.Key_Return)
        if not games:
            wait_until(lambda: page.findChild(QPushButton, "confirmButton") is not None)
            press("confirmButton")
        wait_until(lambda dialog=dialog: not isValid(dialog) or not dialog.isVisible())
        settled(page)
        said = child(page, "libraryMessage", QLabel).text()
        assert said == f"Saved “all.csv” in “{tmp_path.name}”: {rows} rows."
        assert len(file.read_text(encoding="utf-8-sig").splitlines()) == rows + 1
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_a_table_of_what_is_selected_leaves_out_the_rest(page: LibraryPage, tmp_path: Path) -> None:
    choose(page, "hopper")
    settled(page)
    QTest.mouseClick(child(page, "tableButton", QPushButton), Qt.MouseButton.LeftButton)
    QTest.mouseClick(child(page, "tableSelected", QRadioButton), Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
    child(page, "tablePath", QLineEdit).setText(str(tmp_path / "none" / "x.csv"))
    QTest.mouseClick(child(page, "saveTableButton", QPushButton), Qt.MouseButton.LeftButton)
    assert child(page, "tableWords", QLabel).text().startswith("There is no such folder.")
    child(page, "tablePath", QLineEdit).setText(str(tmp_path / "hops.csv"))
    QTest.mouseClick(child(page, "saveTableButton", QPushButton), Qt.MouseButton.LeftButton)
    settled(page)
    assert "breakout" not in (tmp_path / "hops.csv").read_text(encoding="utf-8-sig")


def test_names_that_are_too_long_still_tell_participants_apart(page: LibraryPage) -> None:
    metrics = child(page, "libraryTable", QTableView).fontMetrics()
    rows = [
        replace(page.presenter.rows[0], title="", player={"kind": "person", "name": f"Participant {number}"})
        for number in (1, 2, 3)
    ]
    width = metrics.horizontalAdvance("Participant 1, 1 p")
    assert [short_title(row, metrics, width)[:13] for row in rows] == [f"Participant {number}" for number in (1, 2, 3)]
    takes = [replace(row, title=f"My first try, take {number}") for number, row in enumerate(rows)]
    assert len({short_title(row, metrics, width) for row in takes}) == 3
