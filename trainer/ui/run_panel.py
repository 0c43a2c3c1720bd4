"""One run: what is going on with it, its curves, its confusion matrix, its settings and its log."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QProgressBar, QPushButton, QVBoxLayout, QWidget

from recorder.envs.registry import get_spec
from recorder.system.texts import count, local_time
from recorder.ui.kit import look
from recorder.ui.kit.icons import show_icon
from trainer.runs.presenter import TrainPresenter
from trainer.runs.runs import Run
from trainer.runs.train_state import TrainState
from trainer.settings import SETTINGS, off
from trainer.ui.confusion_view import ConfusionView
from trainer.ui.curve_plots import CurvePlots
from trainer.ui.run_headline import RunHeadline
from trainer.ui.segments import Segments

_NOTHING = (
    "Here you will see your twin learn: how often it matches you, what it mixes up, and how it scores in test games."
)
_AT_WORK = (TrainState.WAITING, TrainState.TRAINING, TrainState.PAUSING, TrainState.STOPPING)
_Action = Callable[[], object] | SignalInstance


class RunPanel(QWidget):
    """Shows the run that `presenter` shows; `changed` after a button changed something, `watch_requested` for its
    clone.
    """

    changed = Signal()
    watch_requested = Signal()

    def __init__(self, presenter: TrainPresenter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.presenter = presenter
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.GAP)
        self._headline = RunHeadline(presenter)
        self._about = look.faint(name="runAbout", wrap=True)
        self._explanation = QLabel(objectName="runExplanation", wordWrap=True, visible=False)
        self._progress = QProgressBar(objectName="trainProgress")
        self._progress.setAccessibleName("How much of this stage is done")
        layout.addWidget(self._headline)
        layout.addWidget(self._about)
        layout.addLayout(self._build_buttons())  # above what comes and goes
        layout.addWidget(self._progress)
        layout.addWidget(self._explanation)
        self._plots = CurvePlots()
        self._confusion = ConfusionView()
        self._settings = QPlainTextEdit(objectName="runSettings", accessibleName="Settings of the run", readOnly=True)
        self._log = QPlainTextEdit(objectName="trainMessages", accessibleName="Log of the run", readOnly=True)
        self._log.setPlaceholderText("Messages from the training appear here.")
        self._segments = Segments(
            [
                ("curves", "Curves", self._plots),
                ("confusion", "Mix-ups", self._confusion),
                ("settings", "Settings", self._settings),
                ("log", "Log", self._log),
            ]
        )
        self._nothing = look.faint(_NOTHING, "noRunHint", wrap=True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(self._nothing, 1)
        self._segments.switched.connect(lambda _: self.show_state())
        layout.addWidget(self._segments, 1)

    def _build_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(look.SMALL)

        def button(text: str, name: str, icon: str, tip: str, action: _Action, primary: bool = False) -> QPushButton:
            made = QPushButton(text, objectName=name, toolTip=tip)
            made.setProperty("primary", primary)
            if icon:
                show_icon(made, icon)
            made.clicked.connect(action)
            row.addWidget(made)
            return made

        tips = (
            "Resume from where it stopped",
            "Pause; it can be resumed later",
            "Stop and keep the best version so far",
        )
        self._resume = button("Resume", "resumeButton", "play", tips[0], self._do(self.presenter.resume), primary=True)
        self._pause = button("Pause", "pauseTrainingButton", "pause", tips[1], self._do(self.presenter.pause))
        self._stop = button("Stop", "stopTrainingButton", "stop", tips[2], self._do(self.presenter.stop))
        # The last one: it comes in the middle of a training, with the first version, and moves none of the others.
        self._watch = button("Watch your twin", "watchButton", "", "See it play", self.watch_requested, primary=True)
        row.addStretch(1)
        again = self._do(self.presenter.again)
        self._another = button("New training", "anotherButton", "", "Leave this run and choose anew", again)
        self._another.setProperty("quiet", True)
        return row

    def show_state(self) -> None:
        """Show the run as it stands."""
        presenter, run_list = self.presenter, self.presenter.run_list
        state, run = presenter.state, run_list.run
        at_work = state in _AT_WORK
        self._headline.show_state()
        self._about.setText(_about(run) if run else "Select sessions to learn from, then click Train.")
        self._explanation.setText(presenter.explanation)
        self._explanation.setVisible(bool(presenter.explanation))
        self._progress.setVisible(at_work)
        fraction = presenter.fraction if state is not TrainState.WAITING else None
        if at_work:
            self._progress.setRange(0, 0 if fraction is None else 1000)
            if fraction is not None:
                self._progress.setValue(round(1000 * fraction))
        self._pause.setVisible(at_work)
        self._pause.setEnabled(state in (TrainState.TRAINING, TrainState.WAITING))
        self._stop.setVisible(at_work and state is not TrainState.WAITING)
        self._stop.setEnabled(state in (TrainState.TRAINING, TrainState.PAUSING))
        self._resume.setVisible(presenter.resumable)
        self._watch.setText(f"Watch {presenter.whose_twin}")
        self._watch.setVisible(presenter.policy is not None)
        self._set_primary(self._watch, not at_work and not presenter.resumable)
        self._another.setVisible(run is not None and not at_work)
        self._segments.setVisible(run is not None)
        self._nothing.setVisible(run is None)
        page = self._segments.current
        if page == "curves":
            runs = {each.id: each for each in run_list.runs}
            others = [(_begun(runs[each]), run_list.curves_of(each)) for each in run_list.compared if each in runs]
            self._plots.show_curves(run_list.curves, others)
        elif page == "confusion":
            self._show_confusion(run)
        elif page == "settings":
            _set_text(self._settings, _settings_text(run) if run else "")
        else:
            _set_text(self._log, presenter.log().rstrip(), to_end=True)

    def _show_confusion(self, run: Run | None) -> None:
        if run is None or run.setup is None:
            self._confusion.show_table(None, (), "Choose a run to see which actions its twin mixes up.")
            return
        spec = get_spec(run.setup.env)
        reason = "Available after the first validation."
        if not spec.discrete:
            reason = f"{spec.title} has continuous actions, which are never simply right or wrong."
        self._confusion.show_table(self.presenter.run_list.curves.confusion, tuple(spec.action_names), reason)

    def _do(self, what: Callable[[], object]) -> Callable[[], None]:
        def act() -> None:
            what()
            self.changed.emit()

        return act

    @staticmethod
    def _set_primary(button: QPushButton, primary: bool) -> None:
        if button.property("primary") != primary:
            button.setProperty("primary", primary)
            button.style().unpolish(button)
            button.style().polish(button)


def _begun(run: Run) -> str:
    """When it was begun, like "2026-11-21 10:14:03"."""
    return run.id if run.setup is None else local_time(run.setup.created, "%Y-%m-%d %H:%M:%S")


def _about(run: Run) -> str:
    if run.setup is None:
        return run.id
    setup = run.setup
    minutes = sum(source.minutes for source in setup.sources)
    preset = setup.preset.capitalize() if setup.preset else "Custom settings"
    preset = f"Goes on from {setup.goes_on_from}" if setup.parent else preset
    sessions = count(len(setup.sources), "session")
    left_out = f" · left out: {setup.left_out}" if setup.left_out else ""
    return f"{get_spec(setup.env).title} · {preset} · {sessions}, {minutes:.1f} minutes{left_out}"


def _settings_text(run: Run) -> str:
    if run.setup is None:
        return run.problem
    setup = run.setup
    lines = ["Learned from"]
    for source in setup.sources:
        lines.append(f"    {source.name} ({source.amount})")
    values = setup.config.to_json()
    lines += ["", "Settings"]
    for setting in SETTINGS:
        value = values.pop(setting.name)
        lines.append(f"    {setting.title}: {off(setting) if value is None else value}")
    lines += ["", "Other settings", *(f"    {name}: {value}" for name, value in values.items())]
    lines += ["", f"Folder: {run.folder}"]
    return "\n".join(lines)


def _set_text(edit: QPlainTextEdit, text: str, to_end: bool = False) -> None:
    if text != edit.toPlainText():
        edit.setPlainText(text)
        if to_end:
            edit.verticalScrollBar().setValue(edit.verticalScrollBar().maximum())
