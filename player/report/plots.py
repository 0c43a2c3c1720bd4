"""Plots for reports, as SVG text. The only module that uses matplotlib."""

# ruff: noqa: E402  matplotlib speaks while it comes in
from __future__ import annotations

import io
import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

os.environ["MPLBACKEND"] = "svg"  # matplotlib does not come in with a wrong one, and nothing is shown on a screen

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # where it may not cache fonts, it tells so at length

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

BLUE, ORANGE, GREEN, GREY = "#2563eb", "#d97706", "#15803d", "#64748b"
_COLOURS = {"clone": BLUE, "demonstrator": ORANGE, "random": GREY}
_STYLE: dict[Any, Any] = {
    "text.usetex": False,
    "text.parse_math": False,  # names have dollars
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#94a3b8",
    "axes.labelcolor": "#334155",
    "xtick.color": "#475569",
    "ytick.color": "#475569",
    "svg.fonttype": "path",
    "svg.hashsalt": "twinplay",  # the same plot gives the same file
}


@dataclass(frozen=True)
class Curve:
    """A named line: `x` and `y` of the same length. A dashed line belongs to the line before it and has no name."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str
    dashed: bool = False


@dataclass(frozen=True)
class Bar:
    """A mean with its interval, and a published value to compare with."""

    player: str
    label: str
    mean: float
    low: float
    high: float
    published: float | None = None


def curves(lines: Sequence[Curve], xlabel: str, ylabel: str, *, logarithmic: bool = False) -> str:
    """Several lines in one plot, as SVG."""
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure(4.6, 2.7)
        for line in lines:
            style = "--" if line.dashed else "-"
            axes.plot(line.x, line.y, style, color=line.colour, linewidth=1.8, label=line.name or None)
        if logarithmic:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_locator(NullLocator())
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.grid(axis="y", color="#e2e8f0", linewidth=0.8)
        if any(line.name for line in lines):
            figure.legend(frameon=False, loc="outside upper left")  # where it hides no line
        return _svg(figure)


def bars(rows: Sequence[Bar], xlabel: str) -> str:
    """Horizontal bars with intervals and their figures, as SVG."""
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure(7.0, 0.6 + min(0.5, 0.2 + 1.5 / len(rows)) * len(rows))
        names = [row.label for row in rows]
        means = [row.mean for row in rows]
        errors = [[row.mean - row.low for row in rows], [row.high - row.mean for row in rows]]
        places = list(range(len(rows)))
        axes.barh(places, means, color=[_COLOURS.get(row.player, GREY) for row in rows], height=0.55)
        axes.errorbar(means, places, xerr=errors, fmt="none", ecolor="#0f172a", capsize=3, linewidth=1.2)
        reach = max(row.high for row in rows)
        for place, row in enumerate(rows):
            axes.text(max(row.high, 0) + 0.02 * reach, place, f"{row.mean:,.0f}", va="center", color="#0f172a")
        published = [(row.published, place) for place, row in enumerate(rows) if row.published is not None]
        if published:
            axes.plot(*zip(*published, strict=True), "D", color=ORANGE, markersize=6, label="the article")
            axes.legend(frameon=False, loc="lower right")
        axes.set_yticks(places, names)
        axes.set_xlim(0, 1.12 * reach)
        axes.invert_yaxis()
        axes.set_xlabel(xlabel)
        return _svg(figure)


def histogram(
    values: Sequence[float], edges: Sequence[float], marks: Mapping[str, float], labels: tuple[str, str]
) -> str:
    """How many of the values lie between two edges each, as SVG. The last bar has the rest; `marks` are named."""
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure(7.0, 2.4)
        axes.hist(
            [min(value, edges[-1]) for value in values], list(edges), color=BLUE, alpha=0.75, rwidth=0.9, zorder=2
        )
        for name, value in marks.items():
            axes.axvline(value, color=ORANGE, linewidth=1.6, zorder=3)
            axes.text(value, 1.03, name, color="#0f172a", ha="center", transform=axes.get_xaxis_transform())
        axes.set_xlim(edges[0], edges[-1])
        axes.set_xticks(edges[::2])
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])
        axes.grid(axis="y", color="#e2e8f0", linewidth=0.8, zorder=0)
        return _svg(figure)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    # A space is a glyph without a path, which Qt's renderer complains about at every use.
    for name in re.findall(r'<path id="([^"]+)"(?: transform="[^"]*")?/>', text):
        text = re.sub(rf'<(?:path id="{name}"|use xlink:href="#{name}")[^>]*/>', "", text)
    return text[text.index("<svg") :]
