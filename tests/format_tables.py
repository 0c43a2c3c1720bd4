"""The tables of docs/format.md that tell a record's fields, made from the records: `python -m tests.format_tables`.

<!-- fields of EnvSpec -->
| field | type | meaning | default |        ◀── made anew, up to the next empty line
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from recorder.envs.spec import EnvSpec
from recorder.play.latency import Latency
from recorder.play.timing import Timing
from recorder.store.head import SessionAttributes
from recorder.store.origin import ForkedFrom
from recorder.store.races import RacedGame, RaceRecord
from recorder.system.records import REQUIRED, Field, fields, plain
from trainer import TrainConfig
from trainer.policy.action_selection import ActionSelection
from trainer.policy.hand import Pull
from trainer.policy.header import LearnedFrom, PolicyHeader, SeenPosition, TrainingFigures
from trainer.progress.records import Progress
from trainer.runs.runs import Status
from trainer.runs.setup import Setup, Source

PAGE = Path(__file__).parents[1] / "docs" / "format.md"
RECORDS: dict[str, type[Any]] = {
    each.__name__: each
    for each in (
        *(SessionAttributes, ForkedFrom, RaceRecord, RacedGame, Timing, Latency, EnvSpec, PolicyHeader),
        *(ActionSelection, Pull, LearnedFrom, SeenPosition),
        *(TrainingFigures, TrainConfig, Setup, Source, Status, Progress),
    )
}
_TABLE = re.compile(r"<!-- fields of (\w+) -->\n(?:\|.*\n)*")


def table(record: type[Any]) -> str:
    """The fields of a record as a Markdown table."""
    lines = ["| field | type | meaning | default |", "|---|---|---|---|"]
    return "\n".join([*lines, *map(_row, fields(record))]) + "\n"


def renewed(page: str) -> str:
    """The page with each table as its record is by now."""
    return _TABLE.sub(lambda found: f"<!-- fields of {found[1]} -->\n{table(RECORDS[found[1]])}", page)


def _row(field: Field) -> str:
    kind = str(field.extra.get("shown", field.words))
    kind = re.sub(r"\btable\b", "object", re.sub(r"\btables\b", "objects", kind)).replace("or none", "or null")
    default = field.extra.get("absent", _default(field))
    return f"| `{field.name}` | {kind} | {field.help} | {default} |".replace("|  |", "| |")


def _default(field: Field) -> str:
    if field.default is REQUIRED:
        return ""
    if field.default is None:
        return str(field.extra.get("off", "null"))
    value = plain(field.default)
    if isinstance(value, dict) or value in ("", []):
        return "empty"
    return value if isinstance(value, str) else json.dumps(value)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
