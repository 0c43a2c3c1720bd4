"""A finished study as figures beside its table: scores.svg, and errors.svg where the study compares training errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from player.report.plots import BLUE, GREEN, GREY, ORANGE, Bar, Curve, bars, curves
from trainer.evaluation.scores import bootstrap
from trainer.studies.catalogue import Study
from trainer.studies.runner import clone_games, demonstrator_mean, results

_COLOURS = (ORANGE, BLUE, GREEN, GREY)


def draw(study: Study, folder: Path) -> list[Path]:
    """Write the figures of the finished results in a study's folder; returns their paths.

    Raises TwinplayError for a result that cannot be read.
    """
    cells = results(folder)
    figures = {"scores.svg": _scores(study, cells), "errors.svg": _errors(study, cells)}
    written = []
    for name, svg in figures.items():
        if svg:
            (folder / name).write_text(svg, encoding="utf-8")
            written.append(folder / name)
    return written


def _scores(study: Study, cells: Sequence[Mapping[str, Any]]) -> str:
    rows, teachers = [], []
    for row in study.rows:
        games = clone_games(cells, row.name)
        if games:
            rows.append(Bar("clone", row.name, *bootstrap(games), published=row.published))
            teachers += demonstrator_mean(cells, row.name)
    if not rows:
        return ""
    if len(set(teachers)) == 1:
        rows.append(Bar("demonstrator", "demonstrator", *(3 * teachers[:1])))
    return bars(rows, "mean score over unseen starts, with its 95 % interval")


def _errors(study: Study, cells: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for name, colour in zip(study.errors, _COLOURS, strict=False):
        runs = [cell["losses"] for cell in cells if cell["row"]["name"] == name and cell["losses"]]
        if runs:
            points = list(zip(*runs, strict=False))
            batches = [step[0]["batch"] for step in points]
            lines.append(Curve(name, batches, _means(points, "loss"), colour))
            if study.held_out:
                lines.append(Curve("", batches, _means(points, "val_loss"), colour, dashed=True))
    label = "error (dashed: held out)" if study.held_out else "training error"
    return curves(lines, "batches", label, logarithmic=True) if lines else ""


def _means(points: Sequence[Sequence[Mapping[str, Any]]], name: str) -> list[float]:
    return [sum(p[name] for p in seeds) / len(seeds) for seeds in points]
