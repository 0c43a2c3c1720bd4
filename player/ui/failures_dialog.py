"""Where it fails: the last two seconds of the twin's lost lives, grouped by likeness; one can play on from each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from player.ui.job_dialog import JobDialog
from player.watch.background import BackgroundJob, BackgroundJobState
from player.watch.presenter import WatchPresenter
from recorder.envs.registry import get_spec
from recorder.system.texts import duration_text
from recorder.ui.kit import look
from recorder.ui.kit.words import window_words
from trainer.evaluation.failures import BEFORE_S, PICTURES_HZ, Failure, Gallery

_POLL_MS = round(1000 / PICTURES_HZ)
_PICTURE = QSize(190, 190)
_COLUMNS = 3
_GAMES = 10
_REST = 8  # pictures for which the loss stays, before the two seconds are shown again


class FailuresDialog(JobDialog):
    """Plays games of the twin on the right in the background. Emits `play_on_requested(forks, seconds, policy)`."""

    play_on_requested = Signal(object, float, object)

    def __init__(
        self,
        presenter: WatchPresenter,
        parent: QWidget | None = None,
        *,
        start_background: Callable[[str], BackgroundJob] = BackgroundJob,
    ) -> None:
        super().__init__(start_background("trainer.evaluation.failures:finding_failures"), _POLL_MS, parent)
        self.setObjectName("failuresDialog")
        self.setWindowTitle("Where it fails")
        self._shown: list[tuple[QLabel, Failure]] = []
        self._at = 0
        self._stretch = 1.0  # of the pictures' width
        column = QVBoxLayout(self)
        column.setContentsMargins(look.MARGIN, look.WIDE, look.MARGIN, look.WIDE)
        column.setSpacing(look.WIDE)
        column.addWidget(look.heading("Where it fails", "failuresTitle"))
        self._words = look.faint(name="failuresWords", wrap=True)
        column.addWidget(self._words)
        self._bar = QProgressBar(objectName="failuresProgress")
        column.addWidget(self._bar)
        self._groups = QGridLayout()
        self._groups.setSpacing(look.WIDE)
        column.addLayout(self._groups, 1)
        row = QHBoxLayout()
        row.addStretch(1)
        close = QPushButton("Close", objectName="failuresClose", toolTip="Close (Esc)")
        close.clicked.connect(self.close)
        row.addWidget(close)
        column.addLayout(row)
        self.setMinimumWidth(min(_COLUMNS * (_PICTURE.width() + 2 * look.WIDE), self.screen().availableSize().width()))
        self._timer.start()
        policy = presenter.pair.policy or presenter.pair.against
        self._job.start(policy=str(policy), episodes=_GAMES, alike=presenter.pair.alike)
        self._tell()

    def _poll(self) -> None:
        if self._shown:
            self._at += 1
            for label, failure in self._shown:
                self._draw(label, failure)
        elif self._job.poll():
            self._tell()
            record = self._job.record
            if self._job.state is BackgroundJobState.DONE and record is not None and record.gallery is not None:
                self._show(record.gallery)

    def _tell(self) -> None:
        record = self._job.record
        self._bar.setVisible(self._job.running)
        self._bar.setRange(0, 0 if record is None else record.total)
        self._bar.setValue(0 if record is None else record.done)
        if self._job.state is BackgroundJobState.FAILED:
            self._words.setText(f"The games could not be played: {window_words(self._job.error)}.")
        else:
            lost = 0 if record is None else record.found
            self._words.setText(f"The twin plays {_GAMES} games. It has failed {lost} times so far.")

    def _show(self, gallery: Gallery) -> None:
        if not gallery.failures:
            self._words.setText(f"It lost no life in {gallery.games} games.")
            return
        self._stretch = gallery.spec.pixel_aspect or 1.0
        several = len(gallery.typical) > 1
        self._words.setText(
            f"It failed {len(gallery.failures)} times in {gallery.games} games. "
            + (
                "Failures that the network sees alike are together; each film is the most typical one of its group."
                if several
                else "They do not fall into distinct groups; this one is the most typical."
            )
        )
        by_hand = get_spec(gallery.spec.name).playable
        for number, failure in enumerate(gallery.typical):
            self._groups.addWidget(self._cell(gallery, number, failure, by_hand), number // _COLUMNS, number % _COLUMNS)
        self.adjustSize()

    def _cell(self, gallery: Gallery, number: int, failure: Failure, by_hand: bool) -> QWidget:
        cell = QWidget()
        column = QVBoxLayout(cell)
        column.setContentsMargins(0, 0, 0, 0)
        picture = QLabel(objectName=f"failure{number + 1}", alignment=Qt.AlignmentFlag.AlignCenter)
        picture.setFixedSize(_PICTURE)
        at = duration_text(failure.tick / gallery.spec.rate_hz)
        size = len(gallery.group(number))
        words = QLabel(f"{size} of {len(gallery.failures)} · this one at {at}", objectName=f"failureWords{number + 1}")
        picture.setAccessibleName(f"The last two seconds before a {failure.why} at {at}")
        column.addWidget(picture)
        column.addWidget(words)
        if by_hand:
            coach = QPushButton("Coach me here", objectName=f"coachHere{number + 1}")
            coach.setToolTip("Play this moment yourself, from two seconds before; the take can train the twin")
            coach.clicked.connect(partial(self._coach, gallery, failure))
            column.addWidget(coach)
        self._shown.append((picture, failure))
        self._draw(picture, failure)
        return cell

    def _draw(self, label: QLabel, failure: Failure) -> None:
        last = len(failure.pictures) - 1
        image = look.image_of(failure.pictures[min(self._at % (last + 1 + _REST), last)])
        stretched = QSize(round(image.width() * self._stretch), image.height())
        size = stretched.scaled(_PICTURE, Qt.AspectRatioMode.KeepAspectRatio)
        keep, smooth = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
        label.setPixmap(QPixmap.fromImage(image).scaled(size, keep, smooth))

    def _coach(self, gallery: Gallery, failure: Failure) -> None:
        self.play_on_requested.emit([gallery.fork(failure, BEFORE_S)], 0.0, None)
        page = self.parentWidget()
        for dialog in [self] if page is None else page.findChildren(QDialog):  # the scores, too, lie over the game
            dialog.close()
