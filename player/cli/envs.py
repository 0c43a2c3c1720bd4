"""The commands about environments: envs, env add, env draft; `options` are the parsed arguments of `build_parser`."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from typing import Any

from rich.table import Table

from player.cli.commands import agreed, may_write
from player.cli.tables import print_table
from recorder.agents.experts import has_expert
from recorder.envs.draft import draft
from recorder.envs.registry import add_file, missing_packages, read_spec, usable_specs, varied_starts
from recorder.envs.spec import EnvSpec


def envs(options: Namespace) -> int:
    """See the command's help."""
    specs, problems = usable_specs()
    for problem in problems:
        print(f"twinplay: {problem}", file=sys.stderr)
    wanted = [spec for spec in specs if options.words.casefold() in f"{spec.name} {spec.title}".casefold()]
    if options.json:
        print(json.dumps([_values(spec) for spec in wanted]))
        return 0
    table = Table("name", "title", "played by", "ticks/s", "sees", "a person holds", "actions", "starts")
    table.box, table.pad_edge = None, False
    for spec in wanted:
        missing = missing_packages(spec)
        players = [who for who, can in (("keyboard", spec.playable), ("expert", has_expert(spec.name))) if can]
        table.add_row(
            *(spec.name, spec.title),
            f"nobody; pip install {' '.join(missing)}" if missing else " and ".join(players) or "random",
            f"{spec.rate_hz:g}",
            f"{spec.observation_kind}, {' × '.join(map(str, spec.observation_shape))}",
            ", ".join(spec.controls),
            str(len(spec.action_names)) if spec.discrete else f"{len(spec.action_names)} numbers",
            str(varied_starts(spec.name) or ""),
        )
    print_table(table)
    if wanted:
        print("\nstarts: how many of a hundred varied starts differ, where that was counted")
    return 0


def _values(spec: EnvSpec) -> dict[str, Any]:
    found = {"scripted": has_expert(spec.name), "varied_starts": varied_starts(spec.name)}
    return spec.to_json() | found | {"missing_packages": missing_packages(spec)}


def env(options: Namespace) -> int:
    """See the command's help."""
    if options.what == "draft":
        text = draft(options.id, pictures=options.pictures, module=options.module)
        if options.out is None:
            print(text, end="")
        elif may_write(options.out, options.yes):
            options.out.write_text(text, encoding="utf-8")
            print(f"{options.out} is written; read and change it, then `twinplay env add {options.out}`")
        return 0
    module = read_spec(options.file).module
    question = f"To play it, Twinplay will import the Python module {module}, which may do anything. Allow that? (y/n) "
    if module and not options.yes and not agreed(question, f"importing {module}"):
        print("Nothing was added.")
        return 0
    print(f"{add_file(options.file)} is added; try it with `twinplay record {options.file.stem} --player random`")
    return 0
