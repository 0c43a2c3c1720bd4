"""The list of sessions: a model that filters and sorts thousands at once, and how a row is drawn.

▣ title                     date     games  minutes  mean  best  size  ✓  tags
  Breakout · Ada (person)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QFontMetrics, QPainter, QPainterPath, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from recorder.library.names import session_name
from recorder.library.players import player_label
from recorder.library.preview import Picture
from recorder.library.session_summary import SessionSummary, matches, sort_key
from recorder.system.texts import local_time
from recorder.ui.kit import look

Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("Session", "Date", "Games", "Minutes", "Mean", "Best", "MB", "✓", "Tags")
_SORTS = ("title", "date", "games", "minutes", "mean", "best", "size")
_TIPS = ("", "", "", "Minutes of play", "Mean score of a game", "Best score of a game", "Size", "Replay verified", "")
_SESSION, _DATE, _SIZE, _VERIFIED, _TAGS = 0, 1, 6, 7, 8
_ROW, _THUMB_WIDE, _THUMB_HIGH = 54, 56, 42
_STATES = {"recording": "being recorded", "interrupted": "interrupted", "unreadable": "unreadable"}
_WIDTHS = (0, 128, 62, 72, 62, 58, 58, 34, 110)
ROW_ROLE = Qt.ItemDataRole.UserRole


class LibraryModel(QAbstractTableModel):
    """SessionSummary rows that match a search, an environment and a kind of player, in the order of a column.

    `thumbnail` gives the picture of one, or None while there is none. It sorts and filters by itself: a
    QSortFilterProxyModel asks Python for each comparison, which holds the window up with a thousand rows.
    """

    def __init__(self, thumbnail: Callable[[SessionSummary], Picture | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[SessionSummary] = []
        self._everything: Sequence[SessionSummary] = ()
        self._thumbnail = thumbnail
        self._wanted = ("", "", "")
        self._column, self._order = _DATE, Qt.SortOrder.DescendingOrder

    def show_rows(self, rows: Sequence[SessionSummary]) -> None:
        """Show those of these sessions that are wanted."""
        self._everything = rows
        self._arrange()

    def narrow(self, search: str, env: str, kind: str) -> None:
        """Show only sessions like that; what is empty does not narrow."""
        if (search, env, kind) != self._wanted:
            self._wanted = (search, env, kind)
            self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._column, self._order = column, order
        self._arrange()

    def _arrange(self) -> None:
        search, env, kind = self._wanted
        rows = [
            row
            for row in self._everything
            if (not env or row.env == env)
            and (not kind or row.player.get("kind") == kind)
            and (not search or matches(row, search))
        ]
        rows.sort(key=self._key, reverse=self._order is Qt.SortOrder.DescendingOrder)
        if [row.path for row in rows] != [row.path for row in self.rows]:
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()
            return
        for number, (new, old) in enumerate(zip(rows, self.rows, strict=True)):
            if new is not old and new != old:
                self.dataChanged.emit(self.index(number, 0), self.index(number, len(COLUMNS) - 1))
        self.rows = rows

    def _key(self, row: SessionSummary) -> tuple[Any, ...]:
        if self._column < len(_SORTS):
            return sort_key(row, _SORTS[self._column])
        return (row.verified if self._column == _VERIFIED else row.tags, row.created, row.name)

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | Qt.AlignmentFlag | None:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return _TIPS[section] or None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(row, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return _escape("\n".join(filter(None, (title(row), subtitle(row), row.problem, row.notes))))
        if role == Qt.ItemDataRole.DecorationRole and index.column() == _SESSION:
            return self._thumbnail(row)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(index.column())
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == _SESSION:
            return ", ".join((title(row), subtitle(row)))
        return None


class LibraryTable(QTableView):
    """The view of it all."""

    def __init__(self, model: LibraryModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("libraryTable")
        self.setModel(model)
        self.setItemDelegate(RowDelegate(self))
        self.setItemDelegateForColumn(_SESSION, _SessionDelegate(self))
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(_ROW)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Sessions")
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(30)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(_SESSION, QHeaderView.ResizeMode.Stretch)
        scale = self.fontMetrics().horizontalAdvance("0") / 8
        for column, width in enumerate(_WIDTHS):
            if width:
                header.resizeSection(column, round(width * max(1.0, scale)))
        self.setSortingEnabled(True)
        self.sortByColumn(_DATE, Qt.SortOrder.DescendingOrder)

    def resizeEvent(self, event: QResizeEvent) -> None:
        # A narrow window keeps what tells sessions apart; the pane beside tells the rest of the one that is chosen.
        wide = self.viewport().width()
        for column, needed in ((_TAGS, 900), (_SIZE, 780), (4, 640), (2, 600)):
            self.setColumnHidden(column, wide < needed)
        super().resizeEvent(event)


class RowDelegate(QStyledItemDelegate):
    """A cell without a frame of its own: rows are chosen, not cells."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        option.state &= ~QStyle.StateFlag.State_HasFocus


class _SessionDelegate(RowDelegate):
    """The first column: picture, title, and below it what and who."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(260, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        self.initStyleOption(option, index)
        option.text = ""
        option.features &= ~QStyleOptionViewItem.ViewItemFeature.HasDecoration
        style = option.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        row: SessionSummary = index.data(ROW_ROLE)
        picture: Picture | None = index.data(Qt.ItemDataRole.DecorationRole)
        palette = option.palette
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        ink = palette.color(QPalette.ColorRole.HighlightedText if chosen else QPalette.ColorRole.Text)
        pale = ink if chosen else palette.color(QPalette.ColorRole.PlaceholderText)
        area = QRectF(option.rect)
        frame = QRectF(area.left() + 8, area.center().y() - _THUMB_HIGH / 2 + 0.5, _THUMB_WIDE, _THUMB_HIGH)
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        shape = QPainterPath()
        shape.addRoundedRect(frame, 4, 4)
        painter.fillPath(shape, palette.color(QPalette.ColorRole.Midlight))
        if picture is not None:
            painter.setClipPath(shape)
            painter.drawImage(frame, look.image_of(picture))
            painter.setClipping(False)
        left = frame.right() + 10
        lines = QRectF(left, area.top() + 7, area.right() - left - 6, 20)
        font = look.scaled(option.font, 1.0, bold=True)
        painter.setFont(font)
        painter.setPen(ink)
        elide, middle = Qt.TextElideMode.ElideMiddle, Qt.AlignmentFlag.AlignVCenter
        painter.drawText(lines, middle, short_title(row, painter.fontMetrics(), round(lines.width())))
        painter.setFont(look.scaled(option.font, 0.92))
        lines.translate(0, 20)
        painter.setPen(look.tone(palette, _tone(row)) if row.state in _STATES and not chosen else pale)
        painter.drawText(lines, middle, painter.fontMetrics().elidedText(subtitle(row), elide, round(lines.width())))
        painter.restore()


def title(row: SessionSummary) -> str:
    """What a session is called in the list."""
    return session_name(row)


def short_title(row: SessionSummary, metrics: QFontMetrics, width: int) -> str:
    """As much of the title as fits into `width` pixels.

    Titles often begin alike; a name by default begins with the player, and columns tell the rest of it.
    """
    cut = Qt.TextElideMode.ElideMiddle if row.title else Qt.TextElideMode.ElideRight
    return metrics.elidedText(title(row), cut, width)


def subtitle(row: SessionSummary) -> str:
    """What was played, by whom, and what is to be known of it."""
    marks = [f"{number} {label}" for label, number in row.labels.items() if number]
    own = row.ticks - row.led_ticks
    if own > row.learn_ticks and row.state == "complete":
        marks.append(f"{100 * (own - row.learn_ticks) / own:.0f} % excluded")
    parts = [_STATES[row.state]] if row.state in _STATES else []
    parts += [row.env_title] if row.env_title and title(row) != row.env_title else []
    parts += [row.together] if row.together else []
    parts += [player_label(row.player)] if row.player and row.title else []  # the default name says it
    if row.made_of:
        marks.append(f"merged from {len(row.made_of)}" if len(row.made_of) > 1 else "split from another")
    return " · ".join((*parts, *marks))


def _alignment(column: int) -> Qt.AlignmentFlag:
    across = Qt.AlignmentFlag.AlignLeft if column in (_SESSION, _DATE, _TAGS) else Qt.AlignmentFlag.AlignRight
    return across | Qt.AlignmentFlag.AlignVCenter


def _tone(row: SessionSummary) -> str:
    return {"recording": "live", "interrupted": "warning"}.get(row.state, "bad")


def _text(row: SessionSummary, column: int) -> str:
    if row.state == "unreadable" and column != _SESSION:
        return ""
    return _TEXTS[column](row)


def _mean(row: SessionSummary) -> str:
    mean = row.mean_score
    return "" if mean is None else f"{mean:,.1f}" if abs(mean) < 1_000 else f"{mean:,.0f}"


_TEXTS: tuple[Callable[[SessionSummary], str], ...] = (
    title,
    lambda row: local_time(row.created),
    lambda row: f"{row.episodes:,}",
    lambda row: f"{row.seconds / 60:.1f}",
    _mean,
    lambda row: "" if row.best_score is None else f"{row.best_score:,.0f}",
    lambda row: f"{row.size_bytes / 1e6:.1f}",
    lambda row: "✓" if row.verified else "",
    lambda row: ", ".join(row.tags),
)


def _escape(text: str) -> str:
    """For a tool tip, which would obey a stranger's markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
