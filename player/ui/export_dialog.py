"""Export the duel, or a part of it, as MP4 or GIF, while the user keeps watching."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QStandardPaths, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from player.ui.job_dialog import JobDialog
from player.watch.background import BackgroundJobState
from player.watch.presenter import WatchPresenter
from recorder.system.files import portable_name
from recorder.system.texts import duration_text
from recorder.ui.kit import look
from recorder.ui.kit.confirm import ask_to_replace
from recorder.ui.kit.save_file import choose_file, user_folder, why_not_there
from recorder.ui.kit.words import window_words

_POLL_MS = 100
_FORMATS = (("Video (MP4)", ".mp4"), ("Animation (GIF)", ".gif"))
_AROUND_S = 5.0  # a part is, to begin with, from this long before the present moment to this long after it


class ExportDialog(JobDialog):
    """Asks what to export and where, and shows the progress. Closing it cancels a running export."""

    def __init__(self, presenter: WatchPresenter, parent: QWidget | None = None) -> None:
        super().__init__(presenter.filming, _POLL_MS, parent)
        self.presenter = presenter
        self._saved = Path()  # the video written last
        self.setObjectName("exportDialog")
        self.setWindowTitle("Export video")
        self.setMinimumWidth(640)
        column = QVBoxLayout(self)
        column.setContentsMargins(look.MARGIN, look.WIDE, look.MARGIN, look.WIDE)
        column.setSpacing(look.WIDE)
        column.addWidget(look.heading("Export video", "exportTitle"))
        column.addLayout(self._build_form())
        self._bar = QProgressBar(objectName="exportProgress", maximum=1000)
        column.addWidget(self._bar)
        self._words = look.faint(name="exportWords", wrap=True)
        column.addWidget(self._words)
        row = QHBoxLayout()
        row.setSpacing(look.GAP)
        self._show = QPushButton(
            "Show in folder", objectName="exportShow", toolTip="Open the folder that the video is in"
        )
        self._show.clicked.connect(lambda: self._open_outside(self._saved.parent))
        self._open = QPushButton("Open", objectName="exportOpen", toolTip="Play the video")
        self._open.clicked.connect(lambda: self._open_outside(self._saved))
        row.addWidget(self._show)
        row.addWidget(self._open)
        row.addStretch(1)
        self._close = QPushButton("Close", objectName="exportClose", toolTip="Close (Esc)")
        self._close.clicked.connect(self.close)
        self._go = QPushButton("Export", objectName="exportButton", default=True, toolTip="Export the video (Enter)")
        self._go.setProperty("primary", True)
        self._go.clicked.connect(self._start)
        row.addWidget(self._close)
        row.addWidget(self._go)
        column.addLayout(row)
        for changed in (self._from.valueChanged, self._to.valueChanged, self._path.textEdited, self._whole.toggled):
            changed.connect(lambda _: self._render())  # what was wrong before may be right now
        presenter.filming.cancel()  # what was saved before is no news
        self._render()

    def _build_form(self) -> QGridLayout:
        form = QGridLayout()
        form.setHorizontalSpacing(look.WIDE)
        form.setVerticalSpacing(look.GAP)
        frame = self.presenter.frame
        now = 0.0 if frame is None else frame.seconds
        self._format = QComboBox(objectName="exportFormat", toolTip="MP4 is sharper; a GIF plays on any page")
        self._format.setAccessibleName("Format")
        for label, suffix in _FORMATS:
            self._format.addItem(label, suffix)
        self._format.currentIndexChanged.connect(self._rename)
        self._whole = QRadioButton("Entire game", objectName="exportWhole", checked=True)
        self._part = QRadioButton("From", objectName="exportPart")
        spans = QButtonGroup(self)
        spans.addButton(self._whole)
        spans.addButton(self._part)
        self._from = _seconds("exportFrom", "From second", max(0.0, now - _AROUND_S))
        self._to = _seconds("exportTo", "To second", now + _AROUND_S)
        for box in (self._from, self._to):
            box.valueChanged.connect(lambda _: self._part.setChecked(True))
        part = QHBoxLayout()
        part.setSpacing(look.GAP)
        part.addWidget(self._part)
        part.addWidget(self._from)
        part.addWidget(QLabel("to"))
        part.addWidget(self._to)
        part.addStretch(1)
        self._suggested = str(self._suggestion())
        self._path = QLineEdit(self._suggested, objectName="exportPath", toolTip="The file to write")
        self._path.setAccessibleName("File")
        self._choose = QPushButton("Choose…", objectName="exportBrowse", toolTip="Choose the folder and the name")
        self._choose.clicked.connect(self._browse)
        for row, (label, item) in enumerate((("Format", self._format), ("Range", self._whole))):
            form.addWidget(QLabel(label), row, 0)
            form.addWidget(item, row, 1, 1, 2)
        form.addLayout(part, 2, 1, 1, 2)
        form.addWidget(QLabel("File"), 3, 0)
        form.addWidget(self._path, 3, 1)
        form.addWidget(self._choose, 3, 2)
        form.setColumnStretch(1, 1)
        return form

    def _suggestion(self) -> Path:
        frame = self.presenter.frame
        name = portable_name("" if frame is None else frame.file_title, "Twinplay video")
        return _unused(_videos() / name, self._format.currentData())

    def _rename(self) -> None:
        text = self._path.text().strip()
        if text == self._suggested:
            self._suggested = str(self._suggestion())
            self._path.setText(self._suggested)
        elif text:
            self._path.setText(_with_suffix(text, self._format.currentData()))

    def _browse(self) -> None:
        label, suffix = _FORMATS[self._format.currentIndex()]
        if name := choose_file(self, "Export video as", self._path.text(), f"{label} (*{suffix})"):
            self._path.setText(_with_suffix(name, suffix))

    def _start(self) -> None:
        if self.presenter.filming.running:
            self._stop()
            self._render()
            self._words.setText("Cancelled; no file was left behind.")
            return
        text = self._path.text().strip()
        path = _videos() / Path(_with_suffix(text, self._format.currentData())).expanduser()
        start, seconds = 0.0, None
        if self._part.isChecked():
            start, seconds = self._from.value(), self._to.value() - self._from.value()
        problem = why_not_there(text, path)
        if not problem and seconds is not None and seconds <= 0:
            problem = "The end must come after the beginning."
        if problem:
            self._words.setText(problem)
            return
        self._path.setText(str(path))
        if path.exists():
            ask_to_replace(path, "video", lambda: self._export(path, start, seconds), self)
        else:
            self._export(path, start, seconds)

    def _export(self, path: Path, start: float, seconds: float | None) -> None:
        self.presenter.export(path, start=start, seconds=seconds)
        self._timer.start()
        self._render()

    def _open_outside(self, path: Path) -> None:
        """Let the system open the video, or its folder."""
        if not path.exists():
            self._words.setText("The video is no longer there. It was moved or deleted.")
        elif not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            self._words.setText(f"No program could be started to open it. The video is in {self._saved.parent}.")

    def _poll(self) -> None:
        if self.presenter.filming.poll():
            self._render()

    def _render(self) -> None:
        job = self.presenter.filming
        running, record = job.running, job.record
        self._go.setText("Cancel" if running else "Export")
        self._go.setToolTip("Stop; no file is left behind" if running else "Export the video (Enter)")
        for widget in (self._format, self._whole, self._part, self._from, self._to, self._path, self._choose):
            widget.setEnabled(not running)
        self._bar.setVisible(running)
        saved = record is not None and record.path is not None and job.state is BackgroundJobState.DONE
        for button in (self._show, self._open):
            button.setVisible(saved)
        fraction = 0.0 if record is None else record.fraction
        self._bar.setRange(0, 0 if fraction is None else 1000)
        self._bar.setValue(round(1000 * (fraction or 0.0)))
        if running:
            rate = self.presenter.frame.rate_hz if self.presenter.frame is not None else 60.0
            at = "Preparing" if record is None else f"Exporting, at {duration_text(record.ticks / rate)}"
            pictures = 0 if record is None else record.pictures
            self._words.setText(f"{at}: {pictures:,} frames. You can keep watching.")
            return
        self._timer.stop()
        if saved:
            self._saved = record.path
            size = self._saved.stat().st_size if self._saved.exists() else 0
            amount = f"{size / 1e6:.1f}\u00a0MB" if size >= 1e6 else f"{size / 1e3:.0f}\u00a0kB"
            self._words.setText(f"Saved “{self._saved.name}” ({amount}).")
        elif job.state is BackgroundJobState.FAILED:
            self._words.setText(f"Export failed: {window_words(job.error)}.")
        else:
            self._words.setText("Both games are re-simulated for the video.")


def _seconds(name: str, title: str, value: float) -> QDoubleSpinBox:
    box = QDoubleSpinBox(objectName=name, maximum=36_000.0, decimals=1, singleStep=1.0, suffix=" s")
    look.indent(box)
    box.setValue(value)
    box.setToolTip("Seconds of play")
    box.setAccessibleName(title)
    return box


def _videos() -> Path:
    return user_folder(QStandardPaths.StandardLocation.MoviesLocation)


def _with_suffix(name: str, suffix: str) -> str:
    """The name with this suffix, in place of that of another format; a dot within the name is no suffix."""
    for _, other in _FORMATS:
        if name.lower().endswith(other):
            return name[: -len(other)] + suffix
    return name + suffix


def _unused(path: Path, suffix: str) -> Path:
    """The path with this suffix, and a number if that file exists."""
    number, candidate = 2, path.with_name(path.name + suffix)
    while candidate.exists():
        candidate = path.with_name(f"{path.name} ({number}){suffix}")
        number += 1
    return candidate
