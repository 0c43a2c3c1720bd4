"""The commands about environments: envs and env add; `options` are the parsed arguments of `build_parser`."""

from __future__ import annotations

import json
import sys
from argparse import Namespace

from rich.table import Table

from player.cli.tables import print_table
from recorder.agents.experts import has_expert
from recorder.envs.registry import add_file, usable_specs


def envs(options: Namespace) -> int:
    """See the command's help."""
    specs, problems = usable_specs()
    for problem in problems:
        print(f"twinplay: {problem}", file=sys.stderr)
    if options.json:
        print(json.dumps([spec.to_json() | {"scripted": has_expert(spec.name)} for spec in specs]))
        return 0
    table = Table("name", "title", "played by", "ticks/s", "sees", "does", box=None, pad_edge=False)
    for spec in specs:
        players = [who for who, can in (("keyboard", spec.playable), ("expert", has_expert(spec.name))) if can]
        seen = " × ".join(map(str, spec.observation_shape))
        does = ", ".join(spec.action_names[:6]) + (", …" if len(spec.action_names) > 6 else "")
        seen = f"{spec.observation_kind}, {seen}"
        table.add_row(spec.name, spec.title, " and ".join(players) or "random", f"{spec.rate_hz:g}", seen, does)
    print_table(table)
    return 0


def env(options: Namespace) -> int:
    """See the command's help."""
    print(f"{add_file(options.file)} is added; try it with `twinplay record {options.file.stem} --player random`")
    return 0
