"""The Watch page with a clone in it: agreement, what it looks at, two clones, films and scores."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageSequence
from PySide6.QtCore import QObject, QPoint, QRect, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFrame,
    QLabel,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPushButton,
    QRadioButton,
    QSpinBox,
)

from player.ui.score_dialog import ScoreChart
from player.ui.timeline import Timeline
from player.ui.watch_page import WatchPage
from player.watch.background import BackgroundJob, BackgroundJobState
from player.watch.clone_comparison import moment_of
from player.watch.presenter import WatchPresenter, WatchState
from recorder import Library, RandomAgent, get_spec, record
from tests.lending import SharedJobs, SharedService, shared_jobs, shared_service
from tests.player.conftest import untrained
from tests.ui.conftest import Hand
from tests.ui.test_watch_page import application, wait_until
from trainer.runs.policy_library import Policies


class Sweeper(RandomAgent):
    """Holds each action for a third of a second, one after the other."""

    ticks = 0

    def act(self, observation: Any) -> Any:
        self.ticks += 1
        return (1, 2, 3, 0)[self.ticks // 20 % 4]


PLAYERS = {"breakout": Sweeper, "hopper": RandomAgent}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A short recording, and a clone that has not learned anything, of each environment."""
    found = Library(tmp_path_factory.mktemp("watch-clones"))
    found.policies.mkdir()
    for env, seconds in (("breakout", 4), ("hopper", 0.3)):
        record(env, PLAYERS[env](get_spec(env), 1), library=found.path, seconds=seconds, seed=3)
        untrained(env, found.policies / f"new-{env}.safetensors")
    return found


@pytest.fixture(scope="module")
def duels() -> Iterator[SharedService]:
    with shared_service("player.watch.duel:DuelWorker") as service:
        yield service


@pytest.fixture(scope="module")
def jobs() -> Iterator[SharedJobs]:
    with shared_jobs() as jobs:
        yield jobs


@pytest.fixture
def page(library: Library, duels: SharedService, jobs: SharedJobs) -> Iterator[WatchPage]:
    application()

    def start_background(target: str, **options: Any) -> BackgroundJob:
        """Scoring starts processes itself, which the shared one may not."""
        return BackgroundJob(target, **options, **({} if target.endswith(":scoring") else {"start_job": jobs.start}))

    page = WatchPage(WatchPresenter(library, start_service=duels.lend, start_background=start_background))
    page.resize(1140, 740)
    page.show()
    QTest.qWaitForWindowExposed(page)
    page.activateWindow()
    yield page
    page.shutdown()
    page.close()
    page.deleteLater()
    QTest.qWait(1)


def watch(page: WatchPage, env: str, *, alone: bool = False) -> None:
    """Show a clone of this environment, beside the recording or itself, paused at the start."""
    pair = page.presenter.pair
    page.presenter.refresh()
    policy = page.presenter.pair.library.policies / f"new-{env}.safetensors"
    session = next(choice.value for choice in pair.sessions if choice.env == env)
    page.watch(None if alone else session, policy, policy if alone else None)
    wait_until(lambda: page.presenter.state is WatchState.PLAYING)
    page.setFocus()
    QTest.keyClick(page, Qt.Key.Key_Space)
    assert page.presenter.state is WatchState.PAUSED


def here(page: WatchPage) -> int:
    return -1 if page.presenter.frame is None else page.presenter.frame.tick


def dialog_of(page: WatchPage, name: str) -> QDialog:
    wait_until(lambda: page.findChild(QDialog, name) is not None)
    dialog = page.findChild(QDialog, name)
    assert dialog is not None
    assert dialog.isVisible()
    return dialog


def test_the_clone_is_compared_and_keys_lead_from_one_disagreement_to_the_next(page: WatchPage) -> None:
    watch(page, "breakout")
    wait_until(lambda: page.presenter.comparison.agreement is not None)
    agreement = page.presenter.comparison.agreement
    assert agreement is not None
    assert len(agreement.disagreements) > 2
    button = page.findChild(QPushButton, "agreementButton")
    wait_until(lambda: button.text() == agreement.headline)
    assert re.fullmatch(r"\d+ % agree", button.text())

    page.presenter.seek(0)
    wait_until(lambda: here(page) == 0)
    first, second = (moment_of(each) for each in agreement.disagreements[:2])
    QTest.keyClick(page, Qt.Key.Key_N)
    wait_until(lambda: here(page) == first)
    QTest.mouseClick(page.findChild(QPushButton, "nextDisagreement"), Qt.MouseButton.LeftButton)
    wait_until(lambda: here(page) == second)
    QTest.keyClick(page, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    wait_until(lambda: here(page) == first)

    menu = page.findChild(QMenu, "clearestMenu")
    menu.aboutToShow.emit()
    clearest = agreement.clearest[0]
    heading = menu.actions()[0]
    assert heading.text() == "Time   Recorded, and what the twin would do\tTwin's certainty"
    assert not heading.isEnabled()
    assert f"random player {clearest.recorded}, twin {clearest.clone}" in menu.actions()[1].text()
    assert menu.actions()[1].text().endswith(f"{100 * clearest.sure:.0f} %")
    menu.actions()[1].trigger()
    wait_until(lambda: here(page) == moment_of(clearest))

    timeline = page.findChild(Timeline, "timeline")
    words = timeline.describe(clearest.tick)
    assert f"Random player: {clearest.recorded}" in words
    assert f"The twin would choose {clearest.clone}" in words


def test_what_the_clone_looks_at_glows_over_its_picture_alone(page: WatchPage) -> None:
    watch(page, "breakout")
    page.presenter.seek(40)
    wait_until(lambda: here(page) == 40 and page.presenter.frame is not None and not page.presenter.frame.behind)
    left, right = page.sides.left.grab().toImage(), page.sides.right.grab().toImage()
    QTest.keyClick(page, Qt.Key.Key_L)
    wait_until(lambda: page.presenter.frame is not None and page.presenter.frame.right.looks is not None)
    assert page.findChild(QPushButton, "lookButton").isChecked()
    assert page.sides.left.grab().toImage() == left
    assert page.sides.right.grab().toImage() != right
    QTest.keyClick(page, Qt.Key.Key_L)
    wait_until(lambda: page.presenter.frame is not None and page.presenter.frame.right.looks is None)
    assert page.sides.right.grab().toImage() == right


def test_hopper_has_torques_apart_and_what_drives_them(page: WatchPage) -> None:
    watch(page, "hopper")
    wait_until(lambda: page.presenter.comparison.agreement is not None)
    button = page.findChild(QPushButton, "agreementButton")
    wait_until(lambda: button.text().endswith("apart"))
    assert "thigh" in button.toolTip()
    assert not page.findChild(QPushButton, "lookButton").isVisible()
    before = page.sides.right.grab().toImage()
    QTest.keyClick(page, Qt.Key.Key_W)
    assert page.sides.right.explains
    assert page.sides.right.grab().toImage() != before


def test_a_clone_is_chosen_for_the_left_and_both_play_to_the_end(page: WatchPage) -> None:
    watch(page, "hopper")
    left, right = page.findChild(QComboBox, "sessionChoice"), page.findChild(QComboBox, "policyChoice")
    index = left.findText("Twin · new-hopper")
    assert index > 0
    left.setCurrentIndex(index)
    left.activated.emit(index)
    wait_until(lambda: page.presenter.frame is not None and page.presenter.frame.left.kind == "policy")
    assert right.currentText() == "Twin · new-hopper"
    assert not page.findChild(QComboBox, "gameChoice").isVisible()
    assert not page.findChild(QPushButton, "agreementButton").isVisible()
    QTest.keyClick(page, Qt.Key.Key_Space)
    verdict = page.findChild(QLabel, "verdict")
    wait_until(lambda: verdict.isVisible())
    assert re.fullmatch(r"Twin new-hopper · seed 0 scored .* twin new-hopper · seed 1.*", verdict.text())
    assert page.sides.rect().contains(verdict.geometry())


def test_a_renamed_clone_finds_its_recording_and_stays_when_one_is_chosen(page: WatchPage) -> None:
    kept = Policies(page.presenter.pair.library.path)
    renamed = kept.rename("new-hopper", "Hoppity")
    try:
        page.watch_policy(renamed)
        wait_until(lambda: page.presenter.state is WatchState.PLAYING)
        left, right = page.findChild(QComboBox, "sessionChoice"), page.findChild(QComboBox, "policyChoice")
        assert " · Hopper · " in left.currentText()
        index = left.currentIndex()
        left.setCurrentIndex(left.findText("Twin alone"))
        left.activated.emit(left.currentIndex())
        left.setCurrentIndex(index)
        left.activated.emit(index)
        assert " · Hopper · " in left.currentText()
        assert right.currentText() == "Twin · Hoppity"
        wait_until(lambda: page.presenter.frame is not None and page.presenter.frame.left is not None)
        page.deactivate()
        kept.rename("Hoppity", "Hoppity 2")  # on another page, while it is open here
        page.activate()
        assert right.currentText() == "Twin · Hoppity 2"
        wait_until(lambda: page.presenter.frame is not None and page.presenter.state is WatchState.PAUSED)
        trashed = kept.trash("Hoppity 2")
        page.activate()
        assert page.findChild(QLabel, "watchBanner").text().startswith("“Hoppity 2” was deleted or moved.")
        assert page.sides.left.accessibleName() == page.sides.right.accessibleName() == "Nothing to show."
        kept.restore(trashed)
        page.activate()
        assert right.currentText() == "Twin · Hoppity 2"
    finally:
        kept.rename(page.presenter.pair.policy.stem, "new-hopper")


def test_part_of_a_duel_is_saved_as_a_gif_while_one_watches(page: WatchPage, tmp_path: Path) -> None:
    watch(page, "breakout")
    QTest.keyClick(page, Qt.Key.Key_E)
    dialog = dialog_of(page, "exportDialog")
    dialog.findChild(QLineEdit, "exportPath").setText(str(tmp_path / "film.mp4"))
    dialog.findChild(QComboBox, "exportFormat").setCurrentIndex(1)
    assert dialog.findChild(QLineEdit, "exportPath").text() == str(tmp_path / "film.gif")
    dialog.findChild(QDoubleSpinBox, "exportFrom").setValue(1.0)
    dialog.findChild(QDoubleSpinBox, "exportTo").setValue(0.5)
    assert dialog.findChild(QRadioButton, "exportPart").isChecked()
    go, words = dialog.findChild(QPushButton, "exportButton"), dialog.findChild(QLabel, "exportWords")
    QTest.mouseClick(go, Qt.MouseButton.LeftButton)
    assert words.text() == "The end must come after the beginning."
    dialog.findChild(QDoubleSpinBox, "exportTo").setValue(2.0)
    QTest.mouseClick(go, Qt.MouseButton.LeftButton)
    assert go.text() == "Cancel"
    wait_until(lambda: page.presenter.filming.state is BackgroundJobState.DONE)
    wait_until(lambda: words.text().startswith("Saved “film.gif” ("))
    with Image.open(tmp_path / "film.gif") as image:
        assert sum(each.info["duration"] for each in ImageSequence.Iterator(image)) == pytest.approx(1_000, abs=50)
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    wait_until(lambda: page.findChild(QDialog, "exportDialog") is None)


def test_an_export_asks_before_it_replaces_a_file_and_leads_to_what_it_saved(page: WatchPage, tmp_path: Path) -> None:
    watch(page, "breakout")
    page.findChild(QPushButton, "saveButton").click()
    dialog = dialog_of(page, "exportDialog")
    go, field = dialog.findChild(QPushButton, "exportButton"), dialog.findChild(QLineEdit, "exportPath")
    assert re.fullmatch(r"Random player and twin, Breakout, Random player \d+", Path(field.text()).stem)
    show, play = dialog.findChild(QPushButton, "exportShow"), dialog.findChild(QPushButton, "exportOpen")
    assert not show.isVisible()
    kept = tmp_path / "kept.gif"
    kept.write_text("dear to someone")
    dialog.findChild(QComboBox, "exportFormat").setCurrentIndex(1)
    dialog.findChild(QDoubleSpinBox, "exportFrom").setValue(0.0)
    dialog.findChild(QDoubleSpinBox, "exportTo").setValue(0.0)
    go.click()
    words = dialog.findChild(QLabel, "exportWords")
    assert words.text() == "The end must come after the beginning."
    dialog.findChild(QDoubleSpinBox, "exportTo").setValue(0.5)
    assert words.text() == "Both games are re-simulated for the video."
    field.setText(str(tmp_path / "kept"))  # the suffix is added
    go.click()
    question = dialog.findChild(QMessageBox, "confirmReplace")
    assert "“kept.gif” already exists" in question.text()
    QTest.keyClick(question, Qt.Key.Key_Return)
    QTest.qWait(50)
    assert not page.presenter.filming.running
    assert kept.read_text() == "dear to someone"
    go.click()
    dialog.findChild(QMessageBox, "confirmReplace").findChild(QPushButton, "confirmButton").click()
    wait_until(lambda: show.isVisible() and play.isVisible())
    assert kept.read_bytes()[:4] == b"GIF8"
    opener = Opener()
    QDesktopServices.setUrlHandler("file", opener, "open")
    try:
        show.click()
        play.click()
    finally:
        QDesktopServices.unsetUrlHandler("file")
    assert opener.opened == [str(tmp_path), str(kept)]
    kept.unlink()
    play.click()
    assert "no longer there" in dialog.findChild(QLabel, "exportWords").text()
    dialog.close()


class Opener(QObject):
    """Notes what the system is asked to open."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(url.toLocalFile())


def test_a_film_that_is_cancelled_leaves_no_file(page: WatchPage, tmp_path: Path) -> None:
    watch(page, "breakout")
    page.findChild(QPushButton, "saveButton").click()
    dialog = dialog_of(page, "exportDialog")
    dialog.findChild(QLineEdit, "exportPath").setText(str(tmp_path / "film.mp4"))
    go = dialog.findChild(QPushButton, "exportButton")
    go.click()
    wait_until(lambda: page.presenter.filming.record is not None and page.presenter.filming.record.pictures > 0)
    assert list(tmp_path.iterdir())
    go.click()
    assert page.presenter.filming.state is BackgroundJobState.IDLE
    assert "no file was left" in dialog.findChild(QLabel, "exportWords").text()
    wait_until(lambda: not list(tmp_path.iterdir()))


def test_the_tour_never_covers_a_game_and_ends_at_the_last_hint(page: WatchPage) -> None:
    closed: list[bool] = []
    page.tour_closed.connect(lambda: closed.append(True))
    page.tour.offer()
    watch(page, "breakout")
    card, text = page.findChild(QFrame, "tour"), page.findChild(QLabel, "tourText")
    for last in (False, False, True):
        for width, height in ((640, 420), (1140, 740), (1700, 1000)):
            page.resize(width, height)
            QTest.qWait(20)
            # All of it is to be read.
            wait_until(lambda: card.isVisible() and text.height() >= text.heightForWidth(text.width()))
            shown = QRect(card.mapTo(page, QPoint(0, 0)), card.size())
            for side in (page.sides.left, page.sides.right):
                game = side.stage.toAlignedRect()
                assert not shown.intersects(QRect(side.mapTo(page, game.topLeft()), game.size()))
        button = page.findChild(QPushButton, "tourNext")
        assert button.text() == ("Done" if last else "Next")
        assert closed == []
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert closed == [True]
    assert not card.isVisible()
    assert page.hasFocus()


def test_the_scoreboard_plays_games_and_shows_them_with_their_intervals(page: WatchPage) -> None:
    watch(page, "hopper")
    QTest.keyClick(page, Qt.Key.Key_S)
    dialog = dialog_of(page, "scoreDialog")
    dialog.findChild(QSpinBox, "scoreGames").setValue(2)
    go = dialog.findChild(QPushButton, "scoreButton")

    def places() -> list[QRect]:
        QTest.qWait(20)
        kinds = (QPushButton, QSpinBox, ScoreChart)
        return [dialog.rect(), *(each.geometry() for kind in kinds for each in dialog.findChildren(kind))]

    before = places()
    go.click()
    assert go.text() == "Cancel"
    assert places() == before
    chart = dialog.findChild(ScoreChart, "scoreChart")
    wait_until(lambda: page.presenter.scoring.record is not None and page.presenter.scoring.record.rows)
    assert page.presenter.scoring.running
    wait_until(lambda: "mean" in chart.accessibleName())  # while the other games are played
    assert places() == before
    words = dialog.findChild(QLabel, "scoreWords")
    said = re.match(r"[0-3] of 4 games, .* (narrow|is over yet)", words.text())
    assert said is not None
    assert (said[1] == "narrow") == ("Twin" in chart.accessibleName())
    wait_until(lambda: page.presenter.scoring.state is BackgroundJobState.DONE)
    wait_until(lambda: go.text() == "Play the games")
    assert re.search(r"Random.*; Twin new-hopper: mean [\d.]+, .*; Random player", chart.accessibleName())
    assert "2 games each, all distinct" in dialog.findChild(QLabel, "scoreWords").text()
    assert places() == before
    go.click()
    wait_until(lambda: page.presenter.scoring.running)
    go.click()
    assert page.presenter.scoring.state is BackgroundJobState.IDLE
    dialog.close()


def test_choices_are_shortened_where_there_is_no_room_and_whole_in_their_tooltips(page: WatchPage) -> None:
    watch(page, "breakout")
    box = page.findChild(QComboBox, "sessionChoice")
    assert box.currentText() in box.toolTip()
    page.resize(960, 620)
    QTest.qWait(50)
    window = page.rect()
    for name in ("playButton", "lookButton", "clock", "scoresButton", "saveButton", "timeline", "rightSide"):
        widget = page.findChild(object, name)
        corner = widget.mapTo(page, QPoint(0, 0))
        assert window.contains(corner), name
        assert window.contains(corner + QPoint(widget.width() - 1, widget.height() - 1)), name
        assert widget.width() >= widget.minimumSizeHint().width(), name


def test_in_the_real_window_keys_play_look_and_lead_through_disagreements(
    open_window: Callable[..., Hand], library: Library
) -> None:
    session = next(choice for choice in library.sessions() if choice.env == "breakout").path
    policy = library.policies / "new-breakout.safetensors"
    hand = open_window("--session", str(session), "--policy", str(policy))
    hand.wait(lambda: min(hand.look()["state"]["watch_ticks"] or [0]) > 30)
    hand.wait(lambda: hand.look()["widgets"].get("agreementButton", {}).get("text", "").endswith("% agree"))
    hand.xdotool("key", "space")
    hand.wait(lambda: hand.look()["widgets"]["playButton"]["text"] in ("Play", "Play again"))

    def tick() -> int:
        return int(hand.look()["widgets"]["clock"]["text"].split("frame ")[1].replace(",", ""))

    hand.xdotool("key", "Home")
    hand.wait(lambda: tick() == 0)
    hand.xdotool("key", "n")
    hand.wait(lambda: tick() > 0)
    first = tick()
    hand.xdotool("key", "n")
    hand.wait(lambda: tick() > first)
    hand.xdotool("key", "shift+n")
    hand.wait(lambda: tick() == first)
    hand.xdotool("key", "l")
    hand.wait(lambda: "looks at" in hand.look()["widgets"]["rightSide"]["name"])
    hand.click("lookButton")
    hand.wait(lambda: "looks at" not in hand.look()["widgets"]["rightSide"]["name"])
    hand.click("saveButton")
    hand.wait(lambda: "exportButton" in hand.look()["widgets"])
    hand.click("exportClose")
    hand.wait(lambda: "exportButton" not in hand.look()["widgets"])
    assert hand.output() == ""
