"""What to learn from: sessions and their games to tick, what is chosen, and how much to train."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from recorder.envs.registry import env_names
from recorder.errors import UsageError
from recorder.library.names import name_of, session_name
from recorder.system.texts import count
from recorder.ui.kit import look
from recorder.ui.kit.icons import show_icon
from recorder.ui.kit.steady import reserve_lines
from recorder.ui.kit.words import tip_of
from trainer.config import TrainConfig
from trainer.presets import PRESETS
from trainer.runs.presenter import TrainPresenter
from trainer.runs.selection import Row
from trainer.runs.session_facts import GameFacts
from trainer.ui.advanced_dialog import AdvancedDialog
from trainer.ui.origin_box import OriginBox
from trainer.ui.sessions_tree import COLUMNS, GAMES, RIGHT, SessionsTree
from trainer.ui.share_bars import ShareBars
from trainer.ui.subset_box import SubsetBox

_KEY = Qt.ItemDataRole.UserRole  # (path, game number or 0)


class SourcesPanel(QWidget):
    """Shows `presenter.choice` and the preset; `changed` after every choice, `start_requested` by the Train button,
    `start_each_requested` by the one below the warnings.
    """

    changed = Signal()
    start_requested = Signal()
    start_each_requested = Signal()

    def __init__(self, presenter: TrainPresenter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.presenter = presenter
        self._rows: list[Row] = []
        self._drawn = -1  # which of the choice's changes the ticks show
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.GAP)
        self._tree = SessionsTree()
        self._tree.itemChanged.connect(self._ticked)
        self._tree.itemExpanded.connect(self._opened)
        layout.addWidget(self._tree, 1)
        self._summary = QLabel(objectName="selectionSummary", wordWrap=True)
        self._why = look.faint(name="selectionReason", wrap=True)
        self._bars = ShareBars()
        self._warnings = QLabel(objectName="selectionWarnings", wordWrap=True)
        self._only = SubsetBox(presenter.choice)
        self._only.changed.connect(self.changed)
        chosen = QHBoxLayout()
        chosen.setSpacing(look.GAP)
        chosen.addWidget(self._summary, 1)
        chosen.addWidget(self._only, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._why)
        layout.addLayout(chosen)
        layout.addWidget(self._bars)
        layout.addWidget(self._warnings)
        self._each = QPushButton("One twin for each participant", objectName="trainEachButton", visible=False)
        self._each.clicked.connect(self.start_each_requested)
        layout.addWidget(self._each, 0, Qt.AlignmentFlag.AlignLeft)
        self._notice = QLabel(objectName="trainNotice", wordWrap=True, visible=False)
        self._notice.setTextFormat(Qt.TextFormat.PlainText)
        layout.addWidget(self._notice)
        self._origin = OriginBox(presenter)
        self._origin.changed.connect(self.changed)
        layout.addWidget(self._origin)
        layout.addLayout(self._build_presets())
        self._hint = look.faint(name="presetHint", wrap=True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        reserve_lines(self._hint, 2)  # below the Train button, which it would move
        layout.addWidget(self._hint)

    def _build_presets(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(look.GAP)
        self._preset = QComboBox(objectName="presetChoice", toolTip="How much to train")
        self._preset.setAccessibleName("Preset")
        for key in PRESETS:
            self._preset.addItem(key.capitalize(), key)
        self._preset.activated.connect(self._preset_chosen)
        self._advanced = QPushButton("Advanced…", objectName="advancedButton", toolTip="Change individual settings")
        self._advanced.clicked.connect(self.open_advanced)
        self._back = QPushButton("Reset to the preset", objectName="backToPresetButton")
        self._back.setProperty("quiet", True)
        self._back.clicked.connect(self._back_to_preset)
        self._train = QPushButton("Train", objectName="trainButton")
        self._train.setProperty("primary", True)
        show_icon(self._train, "train")
        self._train.setMinimumWidth(110)
        self._train.clicked.connect(self.start_requested)
        row.addWidget(self._preset)
        row.addWidget(self._advanced)
        row.addWidget(self._back)
        row.addStretch(1)
        row.addWidget(self._train)
        return row

    def fill(self) -> None:
        """Show the sessions anew, if they are others; what was expanded stays so."""
        self._drawn = -1
        if self._rows == self.presenter.choice.rows:
            self.show_ticks()
            return
        self._rows = list(self.presenter.choice.rows)
        opened = {item.data(0, _KEY)[0] for item in self._sessions() if item.isExpanded()}
        blocker = QSignalBlocker(self._tree)
        self._tree.clear()
        for row in self._rows:
            item = QTreeWidgetItem(_texts(row))
            item.setData(0, _KEY, (row.path, 0))
            facts = session_name(row.summary), row.env_title, row.player, row.path.name, row.problem
            tip = "\n".join(filter(None, facts))
            for column in range(len(COLUMNS)):
                item.setToolTip(column, tip)
                if column >= GAMES:
                    item.setTextAlignment(column, RIGHT)
            if row.problem:
                item.setFlags(Qt.ItemFlag.ItemIsSelectable)
            else:
                item.setFlags(_flags())
                item.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.ShowIndicator)
            self._tree.addTopLevelItem(item)
            item.setExpanded(row.path in opened)
        blocker.unblock()
        self._tree.fit_columns()
        self.show_ticks()

    def show_state(self) -> None:
        """Show what is chosen."""
        presenter, selection = self.presenter, self.presenter.choice.selection
        self.show_ticks()
        self._summary.setText(selection.problem or f"{selection.env_title}: {selection.text}")
        self._why.setText(presenter.choice.why)
        self._why.setVisible(bool(presenter.choice.why))
        self._bars.show_shares(selection.shares)
        self._warnings.setText("\n".join(f"Note: {warning}" for warning in selection.warnings))
        self._warnings.setVisible(bool(selection.warnings))
        self._only.show_state()
        self._origin.show_state(selection.env)
        anew = presenter.further.twin(selection.env) is None
        for widget in (self._preset, self._advanced):
            widget.setEnabled(anew)
        self._preset.setCurrentIndex(self._preset.findData(presenter.preset))
        changes = presenter.changes.get(selection.env, {})
        self._back.setVisible(bool(changes) and anew)
        self._hint.setText(self._hint_text(selection.env, len(changes)))
        self._train.setEnabled(presenter.can_train)
        self._train.setText("Queue" if presenter.training else "Train")
        when = ", after the training in progress" if presenter.training else ""
        self._train.setToolTip(selection.problem or f"Train on the selected sessions{when} (Ctrl+Return)")
        self._show_each(selection.problem)
        self._notice.setText(presenter.messages.notice)
        self._notice.setVisible(bool(presenter.messages.notice))

    def _show_each(self, problem: str) -> None:
        """Offer a twin for each participant where several players are ticked; a tooltip says why not, if so."""
        participants = self.presenter.new_runs.participants
        rows, anew = self.presenter.choice.chosen_rows, self._preset.isEnabled()
        self._each.setVisible(anew and len({row.player for row in rows}) > 1)
        why_not = problem or participants.why_not
        self._each.setEnabled(not why_not)
        self._each.setToolTip(tip_of(why_not or f"Queue a training for each of {participants.names}"))

    def show_ticks(self) -> None:
        """Show which sessions and games are ticked; games appear once they are read."""
        choice = self.presenter.choice
        if self._drawn == choice.changes:
            return
        self._drawn = choice.changes
        blocker = QSignalBlocker(self._tree)
        for item in self._sessions():
            path: Path = item.data(0, _KEY)[0]
            facts = choice.facts.get(path)
            if item.isDisabled():
                continue
            partly = path in choice.chosen and bool(choice.skipped.get(path))
            item.setCheckState(0, _check_state(path in choice.chosen, partly))
            if facts is None or not item.isExpanded():
                continue
            if item.childCount() != len(facts.games):
                item.takeChildren()
                for game in facts.games:
                    item.addChild(_game_item(path, game))
                self._tree.fit_columns()
            for child, game in zip(_children(item), facts.games, strict=True):
                if not game.excluded:
                    child.setCheckState(0, _check_state(choice.is_chosen(path, game.number)))
        blocker.unblock()

    def open_advanced(self) -> AdvancedDialog:
        """Show the settings; what is accepted changes the presenter's."""
        env = self.presenter.choice.selection.env or env_names()[0]
        dialog = AdvancedDialog(env, self.presenter.preset, self.presenter.changes.get(env, {}), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted_changes.connect(lambda changes: self._change(env, changes))
        dialog.open()
        return dialog

    def start_if_possible(self) -> None:
        """What the Train button does, if it may."""
        if self._train.isEnabled():
            self.start_requested.emit()

    def _hint_text(self, env: str, changed: int) -> str:
        presenter = self.presenter
        twin = presenter.further.twin(env)
        if twin is not None:
            return presenter.further.sentence(twin)
        text = PRESETS[presenter.preset]
        if env:
            try:
                config: TrainConfig = presenter.config(env)
            except UsageError:
                return text
            own = f" {count(changed, 'custom setting')}." if changed else ""
            text = f"{text} {config.budget_text}.{own} {presenter.elsewhere}".rstrip()
        return text

    def _sessions(self) -> list[QTreeWidgetItem]:
        items = (self._tree.topLevelItem(index) for index in range(self._tree.topLevelItemCount()))
        return [item for item in items if item is not None]

    def _ticked(self, item: QTreeWidgetItem, column: int) -> None:
        if column:
            return
        path, number = item.data(0, _KEY)
        ticked = item.checkState(0) is Qt.CheckState.Checked
        if not number:
            self.presenter.choice.choose(path, ticked)
        else:
            self.presenter.choice.choose_game(path, number, ticked)
        self.changed.emit()

    def _opened(self, item: QTreeWidgetItem) -> None:
        self.presenter.choice.open_session(item.data(0, _KEY)[0])
        self._drawn = -1
        self.changed.emit()

    def _preset_chosen(self, index: int) -> None:
        self.presenter.choose_preset(self._preset.itemData(index))
        self.changed.emit()

    def _back_to_preset(self) -> None:
        self.presenter.choose_preset(self.presenter.preset)
        self.changed.emit()

    def _change(self, env: str, changes: dict[str, object]) -> None:
        self.presenter.change(env, changes)
        self.changed.emit()


def _flags() -> Qt.ItemFlag:
    return Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable


def _check_state(ticked: bool, partly: bool = False) -> Qt.CheckState:
    if partly:
        return Qt.CheckState.PartiallyChecked
    return Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked


def _children(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    children = (item.child(index) for index in range(item.childCount()))
    return [child for child in children if child is not None]


def _texts(row: Row) -> list[str]:
    """The columns of a session. What tells titles apart is often at their end, so nothing follows them."""
    if row.problem:
        return [row.env_title, row.problem if row.env else row.path.stem, row.date, "", "", ""]
    score = "" if row.score is None else f"{row.score:,.0f}"
    who = name_of(row.summary.player) if row.is_person else row.player  # a kind would take the room of the name
    return [row.title or row.env_title, who, row.date, str(row.games), f"{row.minutes:.1f}", score]


def _game_item(path: Path, game: GameFacts) -> QTreeWidgetItem:
    said = ", ".join(filter(None, (game.outcome, game.label, "excluded" if game.excluded else "")))
    item = QTreeWidgetItem([f"Game {game.number}", "", said, "", f"{game.minutes:.1f}", f"{game.score:,.0f}"])
    for column in range(len(COLUMNS)):
        item.setToolTip(column, f"{game.ticks:,} ticks")
    item.setData(0, _KEY, (path, game.number))
    item.setFlags(Qt.ItemFlag.ItemIsSelectable if game.excluded else _flags())
    for column in (4, 5):
        item.setTextAlignment(column, RIGHT)
    return item
