"""The window on a small screen: all of a page can be reached, and no button's text is cut off."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QFontMetricsF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QPushButton, QScrollArea, QWidget

from player.ui.choice_box import ChoiceBox
from player.ui.memory import Memory
from player.ui.window import PAGES, Window
from player.watch.pairing import Choice
from recorder import Library, RandomAgent, get_spec, record
from recorder.agents.bindings import Bindings
from recorder.library.presenter import History, history
from recorder.library.preview import Details
from recorder.store.episode_table import RecordedGame
from recorder.store.schema import Episode
from recorder.ui.game_keys import rows, usual
from recorder.ui.games_table import GamesTable
from recorder.ui.keys_dialog import KeysDialog
from recorder.ui.kit import look
from recorder.ui.kit.fold import Scroll
from recorder.ui.kit.keys import Keyboard
from recorder.ui.kit.pace import IDLE_MS
from recorder.ui.progress_plot import ProgressPlot
from tests.waiting import PATIENCE_S
from trainer.runs.presenter import TrainPresenter

SIZES = ((640, 480), (1024, 700), (1180, 800))
BUTTONS = {
    "record": ("recordButton", "pauseButton", "stopButton", "discardButton", "keysButton", "soundButton"),
    "library": ("libraryTrainButton", "libraryWatchButton", "verifyButton", "trashButton", "openTrashButton"),
    "train": ("trainButton", "advancedButton", "sourcesSegment", "runsSegment", "twinsSegment"),
    "watch": ("playButton", "restartButton", "scoresButton", "saveButton"),
}


def application() -> QApplication:
    found = QApplication.instance()
    return found if isinstance(found, QApplication) else QApplication([])


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("small")
    record("breakout", RandomAgent(get_spec("breakout"), 1), library=path, seconds=4, seed=3)
    return path


@pytest.fixture
def window(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    application()
    made = Window(library, lambda folder: TrainPresenter(Library(folder)), Memory(tmp_path / "settings.ini"))
    made.show()
    yield made
    made.shutdown()
    made.close()
    made.deleteLater()
    QTest.qWait(1)


def paces(window: Window) -> list[int]:
    """How often the pages look for what is new, in milliseconds."""
    return [timer.interval() for timer in window.findChildren(QTimer) if timer.isActive()]


def come_to_rest(window: Window) -> None:
    """Wait until all is read and shown: libraries are read in a thread, and drawn in a process."""
    deadline, rests = time.monotonic() + PATIENCE_S, 0
    while rests < 2 * IDLE_MS:  # within which a page at rest has looked once
        assert time.monotonic() < deadline, paces(window)
        QTest.qWait(50)
        rests = rests + 50 if min(paces(window), default=0) >= IDLE_MS else 0


def where(widget: QWidget, inside: QWidget) -> QRect:
    return QRect(widget.mapTo(inside, QPoint(0, 0)), widget.size())


def reachable(widget: QWidget, window: QWidget) -> bool:
    """Whether a widget is inside everything that holds it, but for areas that can be scrolled to it."""
    inner = widget
    while inner is not window:
        outer = inner.parentWidget()
        assert outer is not None
        area = outer.parentWidget()
        if isinstance(area, QScrollArea) and outer is area.viewport():
            across = area.horizontalScrollBarPolicy() is Qt.ScrollBarPolicy.ScrollBarAlwaysOff
            if across and not outer.rect().left() <= where(widget, outer).right() <= outer.rect().right():
                return False
            inner = widget = area
        elif not outer.rect().contains(where(widget, outer)):
            return False
        else:
            inner = outer
    return True


def cut_off(page: QWidget) -> list[str]:
    """The visible texts that have less room than they need."""
    kinds = (QPushButton, QLabel, QComboBox)
    shown = [each for kind in kinds for each in page.findChildren(kind) if each.isVisible()]
    cut = []
    for each in shown:
        if isinstance(each, QLabel) and (each.wordWrap() or each.sizePolicy().horizontalPolicy().name == "Ignored"):
            continue
        if each.width() < each.minimumSizeHint().width() or each.height() < each.minimumSizeHint().height():
            cut.append(f"{each.objectName()} {each.text() if not isinstance(each, QComboBox) else ''}")
    return cut


@pytest.mark.parametrize("name", PAGES)
def test_every_page_works_in_a_window_of_every_size(window: Window, name: str) -> None:
    window.show_page(name)
    for size in SIZES:
        window.resize(*size)
        come_to_rest(window)
        assert (window.width(), window.height()) == size
        for button in BUTTONS[name]:
            found = window.findChild(QPushButton, button)
            assert found is not None
            assert found.isVisibleTo(window), (button, size)
            assert reachable(found, window), (button, size)
        assert cut_off(window) == [], size


def test_play_stays_in_sight_where_the_watch_page_scrolls(window: Window) -> None:
    window.show_page("watch")
    window.resize(*SIZES[0])
    play = window.findChild(QPushButton, "playButton")
    assert play is not None
    come_to_rest(window)
    assert play.isVisible()
    assert window.rect().contains(where(play, window))


def test_a_resting_page_hardly_wakes_the_processor(window: Window) -> None:
    for name in PAGES:
        window.show_page(name)
        come_to_rest(window)
        assert len(paces(window)) <= 3, name


def test_the_keys_of_a_game_with_many_actions_fit_a_small_screen() -> None:
    application()
    parent = QWidget()
    parent.setStyleSheet(look.PAGE)
    many = [(action, f"ACTION{action}") for action in range(18)]
    spec = get_spec("breakout")
    assert rows(spec)
    dialog = KeysDialog(Bindings({}, {}), usual(spec), many, {}, Keyboard(parent), list, parent)
    try:
        assert dialog.minimumSizeHint().width() <= 640
        assert dialog.minimumSizeHint().height() <= 440
    finally:
        dialog.deleteLater()
        parent.deleteLater()
        QTest.qWait(1)


def test_a_consoles_screen_keeps_its_shape_where_whole_pixels_do_not_fit() -> None:
    aspect = get_spec("breakout").pixel_aspect
    place = look.place_picture(QRectF(0, 0, 240, 150), 160, 210, aspect, 1.0)
    assert place.width() <= 240
    assert place.height() == pytest.approx(150)
    assert place.width() / place.height() == pytest.approx(160 * aspect / 210)


@pytest.mark.parametrize("wide", range(640, 1300, 44))
def test_a_consoles_screen_fills_most_of_its_stage_at_every_width(wide: int) -> None:
    aspect = get_spec("breakout").pixel_aspect
    place = look.place_picture(QRectF(0, 0, wide, 640), 160, 210, aspect, 1.0)
    fits = min(640.0, wide / (160 * aspect / 210))
    assert 0.75 * fits <= place.height() <= 640
    assert place.width() <= wide


@pytest.mark.parametrize("size", SIZES)
def test_a_notice_moves_nothing(window: Window, size: tuple[int, int]) -> None:
    window.resize(*size)
    come_to_rest(window)
    page = window.record
    before = [*places(page, BUTTONS["record"]), where(page, window), where(page._view, window)]
    window.notice.warn(f"Library folder not found: {window.library}. Restore it or choose another.", "Library folder…")
    QTest.qWait(200)
    assert window.notice.isVisible()
    assert window.rect().contains(window.notice.geometry())
    text = window.notice.findChild(QLabel, "noticeText")
    assert text is not None
    assert text.height() >= text.heightForWidth(text.width())  # all of it is to be read
    assert [*places(page, BUTTONS["record"]), where(page, window), where(page._view, window)] == before
    for tab in PAGES:
        button = window.findChild(QPushButton, f"{tab}Tab")
        assert button is not None
        assert not where(button, window).intersects(window.notice.geometry())


COVERED = {"record": "gameView", "library": "libraryTable", "train": "sessionTable", "watch": "rightSide"}


@pytest.mark.parametrize("name", PAGES)
def test_a_problem_moves_nothing_and_hides_no_button(window: Window, name: str) -> None:
    window.show_page(name)
    page = next(each for each in (window.record, window.sessions, window.train, window.watch) if each.isVisible())
    covered, banner = page.findChild(QWidget, COVERED[name]), page.findChild(QLabel, f"{name}Banner")
    for size in (SIZES[0], SIZES[-1]):
        window.resize(*size)
        come_to_rest(window)
        assert covered.isVisible()
        before = [*places(page, BUTTONS[name]), where(covered, page)]
        page.show_problem(f"{window.library} cannot be written: no space is left on the disk; free some, then resume")
        assert banner.isVisible()
        assert [*places(page, BUTTONS[name]), where(covered, page)] == before
        assert page.rect().contains(banner.geometry())
        assert where(covered, page).intersects(banner.geometry())
        assert banner.height() >= banner.heightForWidth(banner.width())  # all of it is to be read
        seen = [each for each in page.findChildren(QPushButton) if not each.visibleRegion().isEmpty()]
        assert [each.objectName() for each in seen if where(each, page).intersects(banner.geometry())] == []
        page.show_problem("")
        assert not banner.isVisible()


def places(page: QWidget, names: tuple[str, ...]) -> list[QRect]:
    QTest.qWait(50)
    return [where(button, page) for name in names if (button := page.findChild(QPushButton, name)) is not None]


def test_buttons_stay_in_place_when_the_text_of_one_changes(window: Window) -> None:
    window.show_page("train")
    window.resize(1024, 700)
    come_to_rest(window)
    names = ("sourcesSegment", "runsSegment", "twinsSegment")
    before = places(window.train, names)
    window.train._left.set_title("runs", "Runs (2 to resume)")
    assert places(window.train, names) == before

    window.show_page("library")
    come_to_rest(window)
    names = ("libraryTrainButton", "libraryWatchButton", "verifyButton", "mergeButton", "splitButton", "trashButton")
    before = places(window.sessions, names)
    for name, text in (("mergeButton", "Merge 3"), ("verifyButton", "Verified"), (names[0], "Train on these 3")):
        button = window.findChild(QPushButton, name)
        assert button is not None
        button.setText(text)
    assert places(window.sessions, names) == before

    window.show_page("record")
    come_to_rest(window)
    names = BUTTONS["record"]
    before = places(window.record, names)
    for name, text in (("pauseButton", "Resume"), ("soundButton", "Sound: off")):
        button = window.findChild(QPushButton, name)
        assert button is not None
        button.setText(text)
    assert places(window.record, names) == before
    window.record.presenter.choose("hopper")  # whose player needs two lines
    window.record._render()
    assert places(window.record, names) == before


def test_a_long_list_of_choices_scrolls_and_cuts_no_entry_off() -> None:
    application()
    page = QWidget()
    page.setStyleSheet(look.PAGE)
    box = ChoiceBox("sessionChoice", "What to watch", page)
    names = [f"A recording with a long title, number {number}" for number in range(60)]
    box.show_choices([Choice(name, number) for number, name in enumerate(names)], 30)
    page.resize(300, 60)
    page.show()
    QTest.qWait(100)
    try:
        box.showPopup()
        QTest.qWait(300)
        view = box.view()
        assert view.verticalScrollBar().isVisible()
        assert view.verticalScrollBar().maximum() > 0
        assert view.height() < page.screen().size().height() / 2
        assert view.viewport().width() >= max(map(view.fontMetrics().horizontalAdvance, names))
        box.hidePopup()
    finally:
        page.close()
        page.deleteLater()
        QTest.qWait(1)


def test_the_preview_of_a_session_grows_with_the_window(window: Window) -> None:
    window.show_page("library")
    window.resize(1024, 700)
    preview = window.findChild(QWidget, "previewPicture")
    assert preview is not None
    come_to_rest(window)
    assert preview.isVisible()
    small = preview.size()
    window.resize(1800, 1100)
    QTest.qWait(300)
    assert preview.width() > small.width()
    assert preview.height() > small.height()


@pytest.mark.parametrize(("games", "step"), [(1, 1), (4, 1), (30, 5), (900, 100)])
def test_games_are_numbered_in_whole_numbers_below_a_plot_of_their_scores(games: int, step: int) -> None:
    application()
    plot = ProgressPlot()
    try:
        plot.show_history(History((1.0,) * games, (1.0,) * games, 2.0), "Ada")
        axis = plot.findChild(QWidget, "scorePlot").getAxis("bottom")
        ((spacing, ticks),) = axis.tickValues(0.6, games + 0.4, 700)
        assert (spacing, len(ticks)) == (step, games // step)
        assert all(tick == round(tick) for tick in ticks)
    finally:
        plot.close()
        plot.deleteLater()
        QTest.qWait(1)


def test_how_a_game_ended_is_whole_in_the_narrowest_list_of_games() -> None:
    application()
    table = GamesTable()
    try:
        table.resize(344, 200)  # in a session's pane at its narrowest
        games = tuple(
            RecordedGame(10 + k, (Episode(k, 2_400 * k, 2_400 * (k + 1), 1, score, outcome),), ())
            for k, (score, outcome) in enumerate(
                zip(
                    (48, 13_579, 9, 0, 1), ("game over", "time limit", "stalled", "stopped", "interrupted"), strict=True
                )
            )
        )
        table.show()
        heading = QFontMetrics(look.scaled(table.font(), 1.0, bold=True))
        for details in (None, Details(Path(), "", games=games)):
            table.show_details(details)
            for column, text in enumerate(("Use", "Score", "Time", "Ended", "Label")):
                assert table.columnWidth(column) >= heading.horizontalAdvance(text) + 16, text
        for game in games:
            table.show_present(game)
            for column in range(table.columnCount()):
                item = table.item(game.number - 10, column)
                assert item is not None
                assert item.font().bold() == (column < 3)
                wide = QFontMetricsF(item.font()).horizontalAdvance(item.text())
                assert table.columnWidth(column) >= wide + (32 if column == 0 else 16), item.text()
    finally:
        table.close()
        table.deleteLater()
        QTest.qWait(1)


def test_a_plot_of_scores_without_scores_is_not_drawn() -> None:
    application()
    plot = ProgressPlot()
    plot.show()
    try:
        plot.show_history(history([]), "No game has been finished yet.")
        axes = plot.findChild(QWidget, "scorePlot")
        assert axes is not None
        assert not axes.isVisible()
    finally:
        plot.close()
        plot.deleteLater()
        QTest.qWait(1)


def test_the_wheel_scrolls_a_page_and_changes_no_choice_on_the_way(window: Window) -> None:
    window.resize(*SIZES[0])
    box = window.findChild(QComboBox, "limitKind")
    side = window.record.findChildren(Scroll)[-1]  # the page itself can scroll, too
    assert box is not None
    window.activateWindow()
    window.record.setFocus()
    come_to_rest(window)
    side.ensureWidgetVisible(box)
    QTest.qWait(300)
    chosen, place = box.currentIndex(), side.verticalScrollBar().value()
    turn_wheel(box)
    assert box.currentIndex() == chosen
    assert side.verticalScrollBar().value() > place
    side.ensureWidgetVisible(box)
    QTest.qWait(50)
    box.setFocus()
    turn_wheel(box)
    assert box.currentIndex() == chosen + 1


def turn_wheel(widget: QWidget) -> None:
    """Turn the mouse wheel down by one notch, over the middle of a widget."""
    middle = widget.mapToGlobal(widget.rect().center())
    subprocess.run(["xdotool", "mousemove", str(middle.x()), str(middle.y()), "click", "5"], check=True)
    QTest.qWait(100)
