"""The command `coach`; `options` are the parsed arguments of `build_parser`."""

from __future__ import annotations

import json
from argparse import Namespace

from rich.table import Table

from player.cli.progress_bar import Meter
from player.cli.tables import print_table
from player.coach.results import RoundScore
from player.coach.rounds import Coaching
from recorder.library.library import Library
from recorder.system.priority import give_way


def coach(options: Namespace) -> int:
    """See the command's help."""
    give_way()
    coaching = Coaching(
        options.policy,
        library=Library(options.library).path,
        out=options.out,
        rounds=options.rounds,
        minutes=options.minutes,
        episodes=options.episodes,
        seed=options.seed,
        plain=not options.no_plain,
    )
    scores: tuple[RoundScore, ...] = ()
    with Meter("coaching", options.json) as meter:
        for step in coaching.steps():
            scores = step.scores
            meter.show(step.share, step.text)
    if options.json:
        print(json.dumps({"policy": str(options.policy), "rows": [score.to_json() for score in scores]}))
        return 0
    table = Table("player", "round", "minutes", "mean score", "95 % interval", "corrected", box=None, pad_edge=False)
    for score in scores:
        corrected = f"{score.corrected_s:.0f} s, {score.takeovers} times" if score.takeovers else ""
        table.add_row(
            score.who,
            str(score.round) if score.round else "",
            f"{score.minutes:g}" if score.minutes else "",
            f"{score.mean:,.1f}",
            f"{score.low:,.1f} to {score.high:,.1f}",
            corrected,
        )
    print_table(table)
    return 0
