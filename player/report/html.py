"""The demo's report: one HTML file that needs only a browser, with the videos beside it."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

import numpy as np
import numpy.typing as npt
from PIL import Image

_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title><style>
:root { --ink: #0f172a; --soft: #475569; --line: #e2e8f0; --accent: #2563eb; }
* { box-sizing: border-box; }
body { margin: 0; background: #f1f5f9; color: var(--ink); font: 16px/1.55 system-ui, "Segoe UI", sans-serif; }
main { max-width: 860px; margin: 0 auto; padding: 40px 20px 64px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 8px; }
h2 { font-size: 22px; margin: 0 0 4px; }
h3 { font-size: 14px; margin: 24px 0 6px; color: var(--soft); }
p { margin: 0 0 12px; } .lead { color: var(--soft); }
section { background: #fff; border: 1px solid var(--line); border-radius: 14px; padding: 24px; margin-top: 24px; }
.verdict { font-weight: 600; } .bad { color: #b91c1c; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 14px 20px; margin: 16px 0 0; }
dt { color: var(--soft); font-size: 13px; } dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; }
.plots { display: flex; flex-wrap: wrap; gap: 12px; } .plots > * { flex: 1 1 340px; }
svg, img, video { max-width: 100%; height: auto; display: block; } video, img { border-radius: 10px; background: #000; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 15px; }
th, td { text-align: right; padding: 7px 8px; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 500; font-size: 13px; }
footer { color: var(--soft); font-size: 13px; margin-top: 24px; }
</style></head><body><main><h1>$title</h1><p class="lead">$lead</p>$sections
<footer>$footer</footer></main></body></html>
""")

_SECTION = Template("""<section><h2>$name</h2><p class="verdict$bad">$verdict</p>
<p class="lead">$honesty</p><dl>$facts</dl>
<h3>Score over unseen starts</h3>$bars
<table><tr><th>Player</th><th>Mean</th><th>95 % interval</th><th>Games</th><th>Distinct</th></tr>$rows</table>
<h3>Training</h3><div class="plots">$curves</div>
<h3>Side by side: the recording on the left, the clone on the right, from the same seed</h3>
<video controls muted preload="metadata" poster="$poster" src="$film"></video></section>""")


@dataclass(frozen=True)
class TableRow:
    """One player's line in the table of scores."""

    label: str
    mean: float
    low: float
    high: float
    games: int
    distinct: int


@dataclass(frozen=True)
class Chapter:
    """The report's section on one environment. Plots are SVG text; `film` is a file beside the report."""

    name: str
    verdict: str
    passed: bool
    honesty: str
    facts: Sequence[tuple[str, str]]
    bars: str
    curves: Sequence[str]
    rows: Sequence[TableRow]
    film: Path
    picture: npt.NDArray[np.uint8]


def write_report(path: Path, title: str, lead: str, chapters: Sequence[Chapter], footer: str) -> None:
    """Write the report to `path`; videos are linked relative to it."""
    escape = html.escape
    sections = "".join(
        _SECTION.substitute(
            name=escape(chapter.name),
            verdict=escape(chapter.verdict),
            bad="" if chapter.passed else " bad",
            honesty=escape(chapter.honesty),
            facts="".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in chapter.facts),
            bars=chapter.bars,
            rows="".join(
                f"<tr><td>{escape(row.label)}</td><td>{row.mean:,.1f}</td><td>{row.low:,.1f} to {row.high:,.1f}</td>"
                f"<td>{row.games}</td><td>{row.distinct}</td></tr>"
                for row in chapter.rows
            ),
            curves="".join(f"<div>{plot}</div>" for plot in chapter.curves),
            film=escape(chapter.film.name),
            poster=_data_url(chapter.picture),
        )
        for chapter in chapters
    )
    page = _PAGE.substitute(title=escape(title), lead=escape(lead), sections=sections, footer=escape(footer))
    path.write_text(page, encoding="utf-8")


def _data_url(picture: npt.NDArray[np.uint8]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
