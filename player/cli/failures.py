"""The command `failures`; `options` are the parsed arguments of `build_parser`."""

from __future__ import annotations

import json
from argparse import Namespace

from rich.table import Table

from player.cli.progress_bar import Meter
from player.cli.tables import print_table
from recorder.errors import UsageError
from recorder.library.library import ensure_writable
from recorder.system.texts import duration_text
from trainer.evaluation.failures import Gallery, finding_failures


def failures(options: Namespace) -> int:
    """See the command's help."""
    if options.out is not None:
        if options.out.exists() and not options.out.is_dir():
            raise UsageError(f"{options.out} is a file; give a folder for the pictures")
        ensure_writable(options.out)
    gallery: Gallery | None = None
    steps = finding_failures(options.policy, episodes=options.episodes, seed=options.seed, alike=options.alike)
    with Meter("playing", options.json) as meter:
        for step in steps:
            gallery = step.gallery
            meter.show(step.done / step.total, f"{step.done} of {step.total} games, {step.found} failures")
    assert gallery is not None
    files = []
    if options.out is not None:
        from player.report.gallery import write_gallery

        files = [str(path) for path in write_gallery(gallery, options.out)]
    if options.json:
        print(json.dumps({**gallery.to_json(), "files": files}))
        return 0
    _tell(gallery)
    for file in files:
        print(file)
    return 0


def _tell(gallery: Gallery) -> None:
    if not gallery.failures:
        print(f"No life was lost in {gallery.games} games.")
        return
    table = Table("group", "game's seed", "time", "tick", "score", "what happened", box=None, pad_edge=False)
    for each in sorted(gallery.failures, key=lambda each: each.group):
        at = duration_text(each.tick / gallery.spec.rate_hz)
        typical = " (typical)" if any(each is one for one in gallery.typical) else ""
        table.add_row(
            str(each.group + 1), str(each.seed), at, f"{each.tick:,}", f"{each.score:,.0f}", each.why + typical
        )
    print_table(table)
    sizes = [len(gallery.group(number)) for number in range(len(gallery.typical))]
    alike = f"silhouette {gallery.silhouette:.2f}" if len(sizes) > 1 else "they do not fall into distinct groups"
    shares = ", ".join(str(size) for size in sizes)
    print(f"{len(gallery.failures)} failures in {gallery.games} games; in each group: {shares} ({alike}).")
