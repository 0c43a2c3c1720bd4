"""One session beside the list: any moment of it, its games, and what is thought of it.

┌ title ───────────────┐
│      the picture     │
│ ▐███│░░░│██▨▨██▌     │   scrubber
│ 0:12 of 3:20  [Exclude from here]
│ worth a look  [Leave out]     what a review found; not there if it found nothing
│ ☑ 1   12   0:40  …   │   games; ticked ones are used in training
│ tags, notes          │
│ timing, actions      │
└──────────────────────┘
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from recorder.library.findings import Finding
from recorder.library.preview import Details, Moment
from recorder.store.annotations import MAX_NOTES, MAX_TITLE
from recorder.store.episode_table import RecordedGame
from recorder.system.texts import clock
from recorder.ui.findings_list import FindingsList
from recorder.ui.games_table import MOST_GAMES, GamesTable
from recorder.ui.kit import look
from recorder.ui.kit.steady import reserve_width
from recorder.ui.kit.words import window_words
from recorder.ui.moment_view import MomentView
from recorder.ui.scrubber import Scrubber
from recorder.ui.session_figures import SessionFigures

_SAVE_MS = 800  # after the last key


class SessionPane(QWidget):
    """Shows Details, and says what is wished of them; holds only what is being typed or marked."""

    seek_requested = Signal(int)
    span_marked = Signal(object)  # range
    span_freed = Signal(int)  # a tick of it
    use_changed = Signal(int, bool)  # number of the game, whether training may use it
    label_requested = Signal(int, str)
    words_changed = Signal(object, object)  # path, {"title" | "notes" | "tags": text}

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sessionPane")
        self._details: Details | None = None
        self._tick = 0
        self._sent: dict[str, str] = {}  # what was handed on and is not stored yet
        self._refusal = ""  # why it cannot be changed
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
        self._build_moment(layout)
        self._build_games(layout)
        self._build_words(layout)
        self._figures = SessionFigures()
        layout.addWidget(self._figures)
        layout.addStretch(1)
        for edit in (self._title, self._tags):
            edit.textEdited.connect(self._saver.start)
            edit.editingFinished.connect(self.save_words)
        self._notes.textChanged.connect(self._saver.start)
        self._notes.installEventFilter(self)
        self._tips = {edit: edit.toolTip() for edit in (self._title, self._tags, self._notes, self._mark)}
        self._show_facts(None)

    def refuse(self, why: str) -> None:
        """Allow no changes, because of `why`; empty to allow them again."""
        if why == self._refusal:
            return
        self._refusal = why
        self._games.refuse(why)
        self._findings.refuse(why)
        self._scrubber.marks = not why
        for widget, tip in self._tips.items():
            widget.setToolTip(why or tip)
        self._show_words(self._details, other=False)
        self._show_marking()

    def show_details(
        self, details: Details | None, moment: Moment | None, tick: int, findings: tuple[Finding, ...] = ()
    ) -> None:
        """Show this session at this tick, and what was found in it."""
        before, self._tick = self._details, tick
        other = details is None or before is None or details.path != before.path
        if other:
            self._begun = None
        self._details = details
        if details is not before:
            self._show_words(details, other)
            self._games.show_details(details)
            self._show_facts(details)
        words = "Opening…"
        if details is not None and details.problem:
            words = f"{window_words(details.problem)}.\nDelete moves it to the trash, where it can be restored."
        elif details is not None:
            words = moment.problem if moment is not None else ""
        self._picture.show_moment(moment, words)
        self._scrubber.show_details(details, tick, self._marked)
        self._show_marking()
        self._games.show_present(self._game)
        self._findings.show_findings(findings, details)

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
        """The number of the game that is shown."""
        here = self._game
        return None if here is None else here.number

    def mark(self) -> None:
        """Begin, end, or take back a span to leave out, as the button says."""
        details = self._details
        if details is None or not details.ticks or self._refusal:
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

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._notes and event.type() == QEvent.Type.FocusOut:
            self.save_words()
        return super().eventFilter(watched, event)

    @property
    def _marked(self) -> range | None:
        if self._begun is None:
            return None
        return range(min(self._begun, self._tick), max(self._begun, self._tick) + 1)

    @property
    def _game(self) -> RecordedGame | None:
        games = self._details.games if self._details is not None else ()
        return next((game for game in games if self._tick in game), None)

    def _build_moment(self, layout: QVBoxLayout) -> None:
        self._title = QLineEdit(objectName="titleEdit", maxLength=MAX_TITLE, toolTip="The title of this session")
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
        row = QHBoxLayout()
        row.setSpacing(look.GAP)
        self._clock = look.faint(name="previewClock")
        self._clock.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._mark = QPushButton("Exclude from here", objectName="excludeButton")
        self._mark.setToolTip("Exclude a part from training: click at its start and again at its end (X)")
        reserve_width(self._mark, "Exclude from here", "Exclude to here", "Include again")
        self._mark.clicked.connect(self.mark)
        self._mark.clicked.connect(lambda: self._scrubber.setFocus())  # where arrow keys lead on
        row.addWidget(self._clock, 1)
        row.addWidget(self._mark)
        layout.addLayout(row)

    def _build_games(self, layout: QVBoxLayout) -> None:
        self._findings = FindingsList()
        self._findings.seek_requested.connect(self.seek_requested)
        self._findings.span_marked.connect(self.span_marked)
        self._findings.use_changed.connect(self.use_changed)
        layout.addWidget(self._findings)
        layout.addWidget(look.heading("Games", factor=1.0))
        self._games = GamesTable()
        self._games.game_chosen.connect(self.seek_requested)
        self._games.use_changed.connect(self.use_changed)
        self._games.label_requested.connect(self.label_requested)
        layout.addWidget(self._games)

    def _build_words(self, layout: QVBoxLayout) -> None:
        layout.addWidget(look.heading("Tags", factor=1.0))
        self._tags = QLineEdit(objectName="tagsEdit", placeholderText="Tags, separated by commas")
        self._tags.setAccessibleName("Tags")
        layout.addWidget(self._tags)
        layout.addWidget(look.heading("Notes", factor=1.0))
        self._notes = QPlainTextEdit(objectName="notesEdit", tabChangesFocus=True)
        self._notes.setPlaceholderText("Notes")
        self._notes.setAccessibleName("Notes")
        self._notes.setFixedHeight(70)
        layout.addWidget(self._notes)

    def _show_words(self, details: Details | None, other: bool) -> None:
        usable = details is not None and not details.problem
        self._sent = {}
        texts = (details.title, ", ".join(details.tags)) if details is not None else ("", "")
        self._title.setPlaceholderText("Add a title" if usable else "")
        for edit, text in zip((self._title, self._tags), texts, strict=True):
            if (other or not edit.hasFocus()) and edit.text() != text:
                edit.setText(text)
                edit.setCursorPosition(0)
            edit.setEnabled(usable)
            edit.setReadOnly(bool(self._refusal))
        notes = details.notes if details is not None else ""
        if (other or not self._notes.hasFocus()) and self._notes.toPlainText() != notes:
            blocker = QSignalBlocker(self._notes)
            self._notes.setPlainText(notes)
            blocker.unblock()
        self._notes.setEnabled(usable)
        self._notes.setReadOnly(bool(self._refusal))
        if other:
            self._saver.stop()

    def _show_facts(self, details: Details | None) -> None:
        if details is None:
            self._facts.setText("")
        else:
            more = len(details.games) - MOST_GAMES
            rest = f" · the first {MOST_GAMES} games are listed" if more > 0 else ""
            verb = "merged" if len(details.made_of) > 1 else "split"
            made = f" · {verb} from {', '.join(details.made_of)}" if details.made_of else ""
            pace = f" · {details.pace}" if details.pace else ""
            self._facts.setText(f"{details.name}{pace}{rest}{made}")
        warning = details.warning if details is not None else ""
        self._warning.setText(warning)
        self._warning.setVisible(bool(warning))
        self._figures.show_details(details)

    def _show_marking(self) -> None:
        details = self._details
        usable = details is not None and details.ticks > 0 and not details.problem
        self._mark.setEnabled(usable and not self._refusal)
        self._scrubber.setEnabled(usable)
        if not usable or details is None:
            self._clock.setText("")
            self._mark.setText("Exclude from here")
            return
        game = self._game
        where = f" · game {game.number}" if game is not None else ""
        now, whole = (clock(ticks / details.rate_hz)[:-2] for ticks in (self._tick, details.ticks))
        self._clock.setText(f"{now} of {whole}{where}")
        self._clock.setToolTip(f"Frame {self._tick:,} of {details.ticks:,}")
        if self._begun is not None:
            self._mark.setText("Exclude to here")
        elif any(self._tick in span for span in details.spans):
            self._mark.setText("Include again")
        else:
            self._mark.setText("Exclude from here")
