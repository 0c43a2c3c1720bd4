"""The scoreboard: the recorded player, the clones and a random player, in many games from the same starts.

Scripted player  ▇▇▇▇▇▇▇▇▇▇├──┤  45.2        the bar is the mean, the bracket its 95 % interval
Clone            ▇▇▇▇▇▇▇├─┤      31.0
Random player    ▇├┤              1.3
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from player.ui.job_dialog import JobDialog
from player.watch.background import BackgroundJobState
from player.watch.presenter import WatchPresenter
from recorder.system.texts import duration_text
from recorder.ui.kit import look
from recorder.ui.kit.fold import Scroll
from recorder.ui.kit.steady import keep_room, reserve_width
from recorder.ui.kit.words import window_words
from trainer.evaluation.scores import Score
from trainer.progress.curves import time_left

_POLL_MS = 200
_ROW, _LABEL, _FIGURE = 52.0, 190.0, 190.0
_PLAYERS = 3  # the recorded player, a twin, a random player; two twins stand closer
_LINES = 5  # of words below the chart; more can be scrolled to
_NO_SCORES = "The scores appear here."
_TONES = {"demonstrator": "person", "clone": "clone"}


class ScoreChart(QWidget):
    """A bar for each player, with its interval and numbers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("scoreChart")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._rows: Sequence[Score] = ()

    def sizeHint(self) -> QSize:
        return QSize(680, round(_ROW * _PLAYERS))

    def show_rows(self, rows: Sequence[Score]) -> None:
        """Show these scores."""
        self._rows = rows
        self.setAccessibleName("; ".join(score_sentence(row) for row in rows) or _NO_SCORES)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        text, window = palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window)
        faint = palette.color(QPalette.ColorRole.PlaceholderText)
        reach = max((max(row.high, row.mean, 1e-9) for row in self._rows), default=1.0)
        room = self.width() - _LABEL - _FIGURE
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        left = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        if not self._rows:
            painter.setPen(faint)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, _NO_SCORES)
        high = min(_ROW, self.height() / max(1, len(self._rows)))
        for index, row in enumerate(self._rows):
            top = index * high - (_ROW - high) / 2
            name = _TONES.get(row.player)
            colour = faint if name is None else look.tone(palette, name)
            painter.setFont(look.scaled(self.font(), 1.0, bold=True))
            painter.setPen(text)
            title, more = row_title(row)
            place = QRectF(0, top + (6 if more else 14), _LABEL - 12, _ROW / 2)
            painter.drawText(place, right, title)
            painter.setFont(look.scaled(self.font(), 0.85))
            painter.setPen(faint)
            more = painter.fontMetrics().elidedText(more, Qt.TextElideMode.ElideMiddle, int(_LABEL) - 16)
            painter.drawText(place.translated(0, 18), right, more)
            bar = QRectF(_LABEL, top + 14, max(2.0, room * max(0.0, row.mean) / reach), _ROW - 28)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.mix(window, colour, 0.75))
            painter.drawRoundedRect(bar, 4, 4)
            painter.setPen(QPen(text, 1.6))
            least, most = (_LABEL + room * max(0.0, edge) / reach for edge in (row.low, row.high))
            middle = bar.center().y()
            painter.drawLine(QPointF(least, middle), QPointF(most, middle))
            for x in (least, most):
                painter.drawLine(QPointF(x, middle - 5), QPointF(x, middle + 5))
            figures = QRectF(self.width() - _FIGURE + 12, top, _FIGURE - 12, _ROW / 2)
            painter.setFont(look.scaled(self.font(), 1.0, bold=True))
            painter.setPen(text)
            painter.drawText(figures.adjusted(0, 6, 0, 2), left, f"{row.mean:,.1f}")
            painter.setFont(look.scaled(self.font(), 0.85))
            painter.setPen(faint)
            painter.drawText(figures.translated(0, _ROW / 2 - 4), left, interval_text(row))


class ScoreDialog(JobDialog):
    """Plays the games in the background and shows the scores. Closing it cancels running games.

    Nothing in it moves while figures come in. Emits `failures_requested`, to show where the twin fails.
    """

    failures_requested = Signal()

    def __init__(self, presenter: WatchPresenter, parent: QWidget | None = None) -> None:
        super().__init__(presenter.scoring, _POLL_MS, parent)
        self.presenter = presenter
        self._began = self._heard = 0.0  # when the games began, and when they were last heard of
        self.setObjectName("scoreDialog")
        self.setWindowTitle("Scoreboard")
        self.setMinimumWidth(min(720, self.screen().availableSize().width()))
        column = QVBoxLayout(self)
        column.setContentsMargins(look.MARGIN, look.WIDE, look.MARGIN, look.WIDE)
        column.setSpacing(look.WIDE)
        column.addWidget(look.heading("Scoreboard", "scoreTitle"))
        self._chart = ScoreChart()
        column.addWidget(self._chart)
        self._words = look.faint(name="scoreWords", wrap=True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop)
        words = Scroll(self._words)
        words.setMinimumHeight(_LINES * self._words.fontMetrics().lineSpacing())
        column.addWidget(words, 1)
        self._bar = QProgressBar(objectName="scoreProgress")
        keep_room(self._bar)
        column.addWidget(self._bar)
        row = QHBoxLayout()
        row.setSpacing(look.GAP)
        self._games = QSpinBox(objectName="scoreGames", minimum=1, maximum=200, value=10)
        look.indent(self._games)
        self._games.setAccessibleName("Games each")
        self._games.setToolTip("More games take longer and give narrower intervals")
        row.addWidget(QLabel("Games each"))
        row.addWidget(self._games)
        row.addStretch(1)
        fails = QPushButton("Where it fails", objectName="failuresButton")
        fails.setToolTip("The last two seconds before each lost life of the twin, grouped by likeness")
        fails.clicked.connect(self.failures_requested)
        row.addWidget(fails)
        close = QPushButton("Close", objectName="scoreClose", toolTip="Close (Esc)")
        close.clicked.connect(self.close)
        self._go = QPushButton(objectName="scoreButton", default=True)
        self._go.setProperty("primary", True)
        reserve_width(self._go, "Play the games", "Cancel")
        self._go.clicked.connect(self._start)
        row.addWidget(close)
        row.addWidget(self._go)
        column.addLayout(row)
        self._render()

    def _start(self) -> None:
        if self.presenter.scoring.running:
            self._stop()
        else:
            self._began = time.monotonic()
            self.presenter.score(self._games.value())
            self._timer.start()
        self._render()

    def _poll(self) -> None:
        if self.presenter.scoring.poll():
            self._heard = time.monotonic()
        self._render()

    def _render(self) -> None:
        job = self.presenter.scoring
        running, record = job.running, job.record
        self._go.setText("Cancel" if running else "Play the games")
        self._go.setToolTip("Stop the games" if running else "All play from the same starts, none of them trained on")
        self._games.setEnabled(not running)
        self._bar.setVisible(running)
        report = None if record is None else record.report
        self._chart.show_rows(() if record is None else record.rows)
        if running:
            done, total = (0, 0) if record is None else (record.done, record.total)
            self._bar.setRange(0, total)
            self._bar.setValue(done)
            waited = f"{duration_text(time.monotonic() - self._began)} so far"
            left = None if record is None else record.left_s
            if left is not None:
                waited = f"about {time_left(max(1.0, left - (time.monotonic() - self._heard)))} left"
            twin = record is not None and any(row.player == "clone" for row in record.rows)
            rest = "The intervals narrow as games come in." if twin else "None of the twin's games is over yet."
            games = f"{done} of {total} games, {waited}. {rest}"
            self._words.setText(games if total else "Preparing…")
            return
        self._timer.stop()
        if job.state is BackgroundJobState.FAILED:
            self._words.setText(f"The games could not be played: {window_words(job.error)}.")
        elif report is not None:
            words = f"Mean score with its 95 % interval over distinct games: {_games_played(report.rows)}."
            alike = [report.likeness.sentence] if report.likeness is not None else []
            tested = filter(None, (self.presenter.pair.test_games_text,))
            notes = (f"Note: {note}." for note in report.notes)
            self._words.setText("\n".join((words, *alike, *tested, *notes)))
        else:
            self._words.setText(
                "How good is the twin, really? It plays many games from starts that it has never seen, beside the "
                "recorded player and a random player. For a person, the recorded games count."
            )


def row_title(row: Score) -> tuple[str, str]:
    """The kind of player, and its name."""
    kind, _, which = row.label.partition(" ")
    title = kind.rstrip(",")
    return ("twin" if title in ("clone", "policy") else title).capitalize(), which


def score_sentence(row: Score) -> str:
    """A player's row in words."""
    games = f"{len(row.returns)} games, {row.distinct} distinct"
    return f"{' '.join(row_title(row))}: mean {row.mean:,.1f}, {row.low:,.1f} to {row.high:,.1f} ({games})"


def interval_text(row: Score) -> str:
    """The interval of a row, which a single game does not have."""
    return "one game" if row.distinct == 1 else f"{row.low:,.1f} to {row.high:,.1f}"


def _games_played(rows: Sequence[Score]) -> str:
    """How many games were played, and how many of them are distinct."""
    counts = {(len(row.returns), row.distinct) for row in rows}
    if len(counts) == 1:
        ((games, distinct),) = counts
        return f"{games} games each, {'all' if distinct == games else distinct} distinct"
    return ", ".join(f"{row_title(row)[0].lower()} {row.distinct} of {len(row.returns)}" for row in rows)
