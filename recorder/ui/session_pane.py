"""One session beside the list: any moment of it, its games, and what is thought of it.

┌ title ───────────────┐
│      the picture     │
│ ▐███│░░░│██▨▨██▌     │   scrubber
│ 0:12 of 3:20  [Leave out from here]
│ ☑ 1   12   0:40  …   │   games; ticked ones are used in training
│ tags, notes          │
│ timing, actions      │
└──────────────────────┘
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QRectF, QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from recorder.library.preview import Details, Moment
from recorder.store.annotations import MAX_NOTES, MAX_TITLE
from recorder.store.schema import Episode
from recorder.ui.kit import look
from recorder.ui.kit.keys import shortcut_key
from recorder.ui.library_table import RowDelegate
from recorder.ui.scrubber import Scrubber

_GAMES = ("Use", "Score", "Time", "Ended", "Label")
_SAVE_MS = 800  # after the last key
_LABELS = {"": "–", "success": "good", "failure": "bad"}
_NEXT = {"": "success", "success": "failure", "failure": "failure"}  # a label that is given again is taken off
_MOST_GAMES = 500  # a list of more is no help; the command line shows them all


class MomentView(QWidget):
    """The picture of a moment, or a sentence."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("previewPicture")
        self._moment: Moment | None = None
        self._words = ""
        self.setMinimumSize(280, 226)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(360, 226)

    def show_moment(self, moment: Moment | None, words: str) -> None:
        """Show this, and `words` where there is no picture."""
        self._moment, self._words = moment, words
        self.setAccessibleName(words or "The game at this moment")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0))
        stage = QRectF(self.rect())
        painter.drawRoundedRect(stage, look.RADIUS, look.RADIUS)
        if self._moment is not None and self._moment.picture is not None:
            pixels = np.ascontiguousarray(self._moment.picture)
            height, width = pixels.shape[:2]
            image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not self._moment.pixel_aspect)
            place = look.place_picture(
                stage.adjusted(4, 4, -4, -4), width, height, self._moment.pixel_aspect, self.devicePixelRatioF()
            )
            painter.drawImage(place, image)
        elif self._words:
            painter.setPen(QColor(255, 255, 255))
            flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(stage.adjusted(20, 12, -20, -12), flags, self._words)


class Bars(QWidget):
    """Shares as bars, one below the other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("actionShares")
        self._shares: tuple[tuple[str, float], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(300, (self.fontMetrics().height() + 4) * max(1, len(self._shares)))

    def show_shares(self, shares: tuple[tuple[str, float], ...]) -> None:
        """Show these names, each with its share of 1."""
        if shares != self._shares:
            self._shares = shares
            self.setAccessibleName(", ".join(f"{name} {100 * share:.1f} %" for name, share in shares))
            self.updateGeometry()
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, metrics = self.palette(), self.fontMetrics()
        ink, accent = palette.color(QPalette.ColorRole.Text), look.tone(palette, "person")
        first = max((metrics.horizontalAdvance(name) for name, _ in self._shares), default=0) + 12.0
        last = metrics.horizontalAdvance("100.0 %") + 10.0
        high = metrics.height() + 4.0
        room = max(10.0, self.width() - first - last)
        for number, (name, share) in enumerate(self._shares):
            top = number * high
            painter.setPen(ink)
            flags = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, top, first, high), flags, name)
            number_box = QRectF(first + room, top, last, high)
            painter.drawText(number_box, flags | Qt.AlignmentFlag.AlignRight, f"{100 * share:.1f} %")
            painter.setPen(Qt.PenStyle.NoPen)
            lane = QRectF(first, top + high / 2 - 4, room, 8)
            painter.setBrush(palette.color(QPalette.ColorRole.Midlight))
            painter.drawRoundedRect(lane, 4, 4)
            if share > 0:
                painter.setBrush(accent)
                painter.drawRoundedRect(QRectF(first, lane.top(), max(3.0, room * min(1.0, share)), 8), 4, 4)


class SessionPane(QWidget):
    """Shows Details, and says what is wished of them; holds only what is being typed or marked."""

    seek_requested = Signal(int)
    span_marked = Signal(object)  # range
    span_freed = Signal(int)  # a tick of it
    use_changed = Signal(int, bool)  # episode, whether training may use it
    label_requested = Signal(int, str)
    words_changed = Signal(object, object)  # path, {"title" | "notes" | "tags": text}

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sessionPane")
        self._details: Details | None = None
        self._tick = 0
        self._sent: dict[str, str] = {}  # what was handed on and is not stored yet
        self._begun: int | None = None  # where a span to leave out begins
        self._saver = QTimer(self, interval=_SAVE_MS, singleShot=True)
        self._saver.timeout.connect(self.save_words)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        scroll = QScrollArea(objectName="sessionScroll", widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner = QWidget(objectName="sessionFacts")
        scroll.viewport().setAutoFillBackground(False)
        inner.setAutoFillBackground(False)
        scroll.setWidget(inner)
        outer.addWidget(scroll)
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(0, 0, 10, 0)
        layout.setSpacing(look.GAP)
        self._title = QLineEdit(objectName="titleEdit", maxLength=MAX_TITLE, toolTip="What to call this session")
        self._title.setFont(look.scaled(self._title.font(), 1.15, bold=True))
        self._title.setAccessibleName("Title")
        self._facts = look.faint(name="sessionFactsLabel", wrap=True)
        self._facts.setTextFormat(Qt.TextFormat.PlainText)
        self._warning = QLabel(objectName="sessionWarning", wordWrap=True, visible=False)
        self._warning.setTextFormat(Qt.TextFormat.PlainText)
        self._picture = MomentView()
        self._scrubber = Scrubber()
        self._scrubber.seek_requested.connect(self.seek_requested)
        self._scrubber.span_marked.connect(self.span_marked)
        for widget in (self._title, self._facts, self._warning, self._picture, self._scrubber):
            layout.addWidget(widget)
        layout.addLayout(self._build_marking())
        layout.addWidget(look.heading("Games", factor=1.0))
        self._games = self._build_games()
        layout.addWidget(self._games)
        layout.addWidget(look.heading("Tags", factor=1.0))
        self._tags = QLineEdit(objectName="tagsEdit", placeholderText="Words to find it by, with commas between")
        self._tags.setAccessibleName("Tags")
        layout.addWidget(self._tags)
        layout.addWidget(look.heading("Notes", factor=1.0))
        self._notes = QPlainTextEdit(objectName="notesEdit", tabChangesFocus=True)
        self._notes.setPlaceholderText("What there is to say about it")
        self._notes.setAccessibleName("Notes")
        self._notes.setFixedHeight(70)
        layout.addWidget(self._notes)
        self._share_heading = look.heading("Actions", factor=1.0)
        layout.addWidget(self._share_heading)
        self._bars = Bars()
        layout.addWidget(self._bars)
        self._timing_heading = look.heading("Timing", factor=1.0)
        self._timing = look.faint(name="timingLabel", wrap=True)
        layout.addWidget(self._timing_heading)
        layout.addWidget(self._timing)
        layout.addStretch(1)
        for edit in (self._title, self._tags):
            edit.textEdited.connect(self._saver.start)
            edit.editingFinished.connect(self.save_words)
        self._notes.textChanged.connect(self._saver.start)
        for widget in (self._notes, self._games):
            widget.installEventFilter(self)
        self._show_facts(None)

    def show_details(self, details: Details | None, moment: Moment | None, tick: int) -> None:
        """Show this session at this tick."""
        before, self._tick = self._details, tick
        other = details is None or before is None or details.path != before.path
        if other:
            self._begun = None
        self._details = details
        if details is not before:
            self._show_words(details, other)
            self._show_games(details)
            self._show_facts(details)
        words = "Opening…"
        if details is not None and details.problem:
            words = f"{details.problem}.\nTo trash takes it out of the library, and can be undone."
        elif details is not None:
            words = moment.problem if moment is not None else ""
        self._picture.show_moment(moment, words)
        self._scrubber.show_details(details, tick, self._marked)
        self._show_marking()
        self._show_present_game()

    def save_words(self) -> None:
        """Hand on what was typed and is not stored yet."""
        self._saver.stop()
        details = self._details
        if details is None or details.problem:
            return
        typed = {"title": self._title.text(), "notes": self._notes.toPlainText()[:MAX_NOTES], "tags": self._tags.text()}
        stored = {"title": details.title, "notes": details.notes, "tags": ", ".join(details.tags)}
        changed = {key: text for key, text in typed.items() if text.strip() != stored[key]}
        if changed and changed != self._sent:
            self._sent = changed
            self.words_changed.emit(details.path, changed)

    @property
    def game(self) -> int | None:
        """The index of the game that is shown."""
        here = self._episode
        return None if here is None else here.index

    def mark(self) -> None:
        """Begin, end, or take back a span to leave out, as the button says."""
        details = self._details
        if details is None or not details.ticks:
            return
        if self._begun is not None:
            span, self._begun = self._marked, None
            if span is not None:
                self.span_marked.emit(span)
        elif any(self._tick in span for span in details.spans):
            self.span_freed.emit(self._tick)
        else:
            self._begun = self._tick
        self._scrubber.show_details(details, self._tick, self._marked)
        self._show_marking()

    def forget_mark(self) -> bool:
        """Give up the span under way; returns whether there was one."""
        begun, self._begun = self._begun, None
        self._scrubber.show_details(self._details, self._tick, None)
        self._show_marking()
        return begun is not None

    def eventFilter(self, watched: QWidget, event: QEvent) -> bool:
        if watched is self._notes and event.type() == QEvent.Type.FocusOut:
            self.save_words()
        if watched is self._games and event.type() == QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            label = {int(Qt.Key.Key_G): "success", int(Qt.Key.Key_B): "failure"}.get(shortcut_key(event))
            if label is not None and self.game is not None:
                self.label_requested.emit(self.game, label)
                return True
            here = self._episode
            if event.key() == Qt.Key.Key_Space and here is not None:
                self.use_changed.emit(here.index, here.excluded)
                return True
        return super().eventFilter(watched, event)

    @property
    def _marked(self) -> range | None:
        if self._begun is None:
            return None
        return range(min(self._begun, self._tick), max(self._begun, self._tick) + 1)

    @property
    def _episode(self) -> Episode | None:
        episodes = self._details.episodes if self._details is not None else ()
        return next((episode for episode in episodes if episode.start <= self._tick < episode.stop), None)

    def _build_marking(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(look.GAP)
        self._clock = look.faint(name="previewClock")
        self._clock.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._mark = QPushButton("Leave out from here", objectName="excludeButton")
        self._mark.setToolTip("Leave a part out of training, from here to where you go next (X)")
        self._mark.clicked.connect(self.mark)
        self._mark.clicked.connect(lambda: self._scrubber.setFocus())  # where arrow keys lead on
        row.addWidget(self._clock, 1)
        row.addWidget(self._mark)
        return row

    def _build_games(self) -> QTableWidget:
        table = QTableWidget(0, len(_GAMES), objectName="gamesTable")
        table.setHorizontalHeaderLabels(list(_GAMES))
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(28)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)  # the game that is shown is in bold
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setAccessibleName("Games; ticked ones are used in training")
        table.setToolTip("Ticked games are used in training. G marks a game good, B bad; so does a click on its label.")
        table.setItemDelegate(RowDelegate(table))
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        for column, width in enumerate((60, 62, 76, 0, 62)):
            header.resizeSection(column, width)
        table.itemChanged.connect(self._ticked)
        table.currentCellChanged.connect(self._game_chosen)
        table.cellClicked.connect(self._clicked)
        return table

    def _show_words(self, details: Details | None, other: bool) -> None:
        usable = details is not None and not details.problem
        self._sent = {}
        texts = (details.title, ", ".join(details.tags)) if details is not None else ("", "")
        self._title.setPlaceholderText("Give it a title" if usable else "")
        for edit, text in zip((self._title, self._tags), texts, strict=True):
            if (other or not edit.hasFocus()) and edit.text() != text:
                edit.setText(text)
                edit.setCursorPosition(0)
            edit.setEnabled(usable)
        notes = details.notes if details is not None else ""
        if (other or not self._notes.hasFocus()) and self._notes.toPlainText() != notes:
            blocker = QSignalBlocker(self._notes)
            self._notes.setPlainText(notes)
            blocker.unblock()
        self._notes.setEnabled(usable)
        if other:
            self._saver.stop()

    def _show_games(self, details: Details | None) -> None:
        episodes = details.episodes[:_MOST_GAMES] if details is not None else ()
        table, blocker = self._games, QSignalBlocker(self._games)
        table.setRowCount(len(episodes))
        for row, episode in enumerate(episodes):
            assert details is not None
            texts = (
                str(episode.index + 1),
                f"{episode.total_reward:,.0f}",
                _clock(len(episode) / details.rate_hz),
                episode.outcome,
                _LABELS.get(episode.label, episode.label),
            )
            for column, text in enumerate(texts):
                item = table.item(row, column) or QTableWidgetItem()
                item.setText(text)
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
                if column == 0:
                    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                    item.setCheckState(Qt.CheckState.Unchecked if episode.excluded else Qt.CheckState.Checked)
                    item.setData(Qt.ItemDataRole.UserRole, episode.index)
                if table.item(row, column) is None:
                    table.setItem(row, column, item)
        blocker.unblock()
        rows = min(max(len(episodes), 1), 5)
        table.setFixedHeight(table.horizontalHeader().sizeHint().height() + 28 * rows + 4)

    def _show_present_game(self) -> None:
        blocker = QSignalBlocker(self._games)
        for row in range(self._games.rowCount()):
            present = self._games.item(row, 0).data(Qt.ItemDataRole.UserRole) == self.game
            if self._games.item(row, 0).font().bold() != present:
                for column in range(self._games.columnCount()):
                    item = self._games.item(row, column)
                    item.setFont(look.scaled(self._games.font(), 1.0, bold=present))
        blocker.unblock()

    def _show_facts(self, details: Details | None) -> None:
        if details is None:
            self._facts.setText("")
        else:
            more = len(details.episodes) - _MOST_GAMES
            rest = f" · the first {_MOST_GAMES} games are listed" if more > 0 else ""
            self._facts.setText(f"{details.name}{rest}")
        warning = details.warning if details is not None else ""
        self._warning.setText(warning)
        self._warning.setVisible(bool(warning))
        shares = details.shares if details is not None else ()
        self._bars.show_shares(shares)
        self._share_heading.setText("Actions" if details is None or details.discrete else "Mean size of each torque")
        for widget in (self._bars, self._share_heading):
            widget.setVisible(bool(shares))
        timing = details.timing if details is not None else None
        for widget in (self._timing, self._timing_heading):
            widget.setVisible(timing is not None)
        if timing is not None:
            late = 100 * timing.late_ticks / max(1, timing.ticks)
            self._timing.setText(
                f"{timing.rate_hz:.2f} actions a second; 99 % of intervals up to {timing.p99_ms:.1f} ms, the longest "
                f"{timing.max_ms:.0f} ms; {timing.late_ticks:,} of {timing.ticks:,} ticks late ({late:.2f} %)"
            )

    def _show_marking(self) -> None:
        details = self._details
        usable = details is not None and details.ticks > 0 and not details.problem
        for widget in (self._mark, self._scrubber):
            widget.setEnabled(usable)
        if not usable or details is None:
            self._clock.setText("")
            self._mark.setText("Leave out from here")
            return
        episode = self._episode
        where = f" · game {episode.index + 1}" if episode is not None else ""
        now, whole = (_clock(ticks / details.rate_hz)[:-2] for ticks in (self._tick, details.ticks))
        self._clock.setText(f"{now} of {whole}{where}")
        self._clock.setToolTip(f"Tick {self._tick:,} of {details.ticks:,}")
        if self._begun is not None:
            self._mark.setText("Leave out up to here")
        elif any(self._tick in span for span in details.spans):
            self._mark.setText("Use this part again")
        else:
            self._mark.setText("Leave out from here")

    def _ticked(self, item: QTableWidgetItem) -> None:
        if item.column() == 0:
            index = int(item.data(Qt.ItemDataRole.UserRole))
            self.use_changed.emit(index, item.checkState() is Qt.CheckState.Checked)

    def _clicked(self, row: int, column: int) -> None:
        self._game_chosen(row)
        if self._details is not None and _GAMES[column] == "Label" and row < len(self._details.episodes):
            here = self._details.episodes[row]
            self.label_requested.emit(here.index, _NEXT[here.label])

    def _game_chosen(self, row: int, *_: int) -> None:
        if self._details is not None and 0 <= row < len(self._details.episodes):
            self.seek_requested.emit(self._details.episodes[row].start)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"
