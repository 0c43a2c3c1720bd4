"""The settings of a training one by one, beside what the preset sets."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from recorder.errors import UsageError
from recorder.ui.kit import look
from recorder.ui.kit.fold import resize_within_screen
from trainer.config import TrainConfig
from trainer.settings import Setting, choices, off, settings_for

_WIDEST = 2**31 - 1  # what a QSpinBox holds

_Field = QComboBox | QSpinBox | QDoubleSpinBox
_Value = str | float | None  # of a setting; None is its `off`


class AdvancedDialog(QDialog):
    """Edits `changes` to a preset; `accepted_changes` brings those that differ from it, once they can be meant."""

    accepted_changes = Signal(dict)

    def __init__(self, env: str, preset: str, changes: Mapping[str, _Value], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("advancedDialog")
        self.setWindowTitle("Advanced settings")
        self.setStyleSheet(look.PAGE)
        resize_within_screen(self, 480, 620)
        self._env, self._preset = env, preset
        self._default = TrainConfig.for_env(env, preset=preset)
        self._fields: dict[str, tuple[Setting, _Field]] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(look.MARGIN, look.WIDE, look.MARGIN, look.WIDE)
        layout.setSpacing(look.GAP)
        intro = f"Starting from the preset {preset.capitalize()}. Point at a setting to see what it does."
        layout.addWidget(look.faint(intro, wrap=True))
        form_holder = QWidget()
        form = QFormLayout(form_holder)
        form.setSpacing(look.GAP)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for setting in settings_for(env):
            field = _field(setting, env)
            field.setObjectName(f"{setting.name}Field")
            field.setToolTip(setting.help)
            field.setAccessibleName(setting.title)
            label = QLabel(setting.title, toolTip=setting.help)
            label.setBuddy(field)
            form.addRow(label, field)
            self._fields[setting.name] = (setting, field)
        area = QScrollArea(widgetResizable=True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(form_holder)
        layout.addWidget(area, 1)
        self._problem = QLabel(objectName="advancedProblem", wordWrap=True, visible=False)
        layout.addWidget(self._problem)
        buttons = QHBoxLayout()
        buttons.setSpacing(look.GAP)
        back = QPushButton("Reset to the preset", objectName="resetSettingsButton", autoDefault=False)
        back.clicked.connect(lambda: self._show({}))
        cancel = QPushButton("Cancel", objectName="cancelSettingsButton", autoDefault=False)
        cancel.clicked.connect(self.reject)
        use = QPushButton("Apply", objectName="useSettingsButton", default=True)
        use.setProperty("primary", True)
        use.clicked.connect(self._accept)
        buttons.addWidget(back)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(use)
        layout.addLayout(buttons)
        self._show(changes)

    def changes(self) -> dict[str, _Value]:
        """The settings that differ from the preset's."""
        values = {name: _read(setting, field) for name, (setting, field) in self._fields.items()}
        return {name: value for name, value in values.items() if value != getattr(self._default, name)}

    def _show(self, changes: Mapping[str, _Value]) -> None:
        for name, (_, field) in self._fields.items():
            _write(field, changes.get(name, getattr(self._default, name)))
        self._problem.hide()

    def _accept(self) -> None:
        changes = self.changes()
        try:
            TrainConfig.for_env(self._env, preset=self._preset, **changes)
        except UsageError as error:
            self._problem.setText(f"{error}.")
            self._problem.show()
            return
        self.accepted_changes.emit(changes)
        self.accept()


class _Figure(QDoubleSpinBox):
    """Shows 0.001 as 0.001, not as 0.0010000."""

    def textFromValue(self, value: float) -> str:
        return f"{value:g}" if abs(value) < 1e5 else f"{value:.0f}"


def _field(setting: Setting, env: str) -> _Field:
    if words := choices(setting, env):
        box = QComboBox()
        for word in words:
            box.addItem(word, word)
        return box
    assert setting.low is not None
    assert setting.high is not None
    low, high = setting.low, setting.high
    if setting.whole:
        spin: QSpinBox | QDoubleSpinBox = QSpinBox()
        spin.setRange(0 if off(setting) else int(low), min(int(high), _WIDEST))
        spin.setGroupSeparatorShown(True)
    else:
        spin = _Figure()
        spin.setDecimals(7)
        spin.setRange(0.0 if off(setting) else low, high)
    look.indent(spin)
    spin.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
    spin.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    if off(setting):
        spin.setSpecialValueText(off(setting))
    return spin


def _read(setting: Setting, field: _Field) -> _Value:
    if isinstance(field, QComboBox):
        chosen: str = field.currentData()
        return chosen
    value = field.value()
    if off(setting) and value == field.minimum():
        return None
    return int(value) if setting.whole else float(value)


def _write(field: _Field, value: _Value) -> None:
    if isinstance(field, QComboBox):
        field.setCurrentIndex(max(0, field.findData(value)))
    elif isinstance(field, QSpinBox):
        field.setValue(field.minimum() if value is None else int(value))
    else:
        field.setValue(field.minimum() if value is None else float(value))
