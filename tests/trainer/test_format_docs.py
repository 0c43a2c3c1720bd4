"""docs/format.md names every field that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import zarr

from recorder import Session
from recorder.envs.spec import EnvSpec
from recorder.store.schema import EPISODE_COLUMNS, KEY_COLUMNS, OUTCOMES, TICK_COLUMNS, Column
from recorder.system.records import fields
from tests.format_tables import RECORDS, renewed
from trainer.policy.header import read_header

TEXT = (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8")


def part(title: str) -> str:
    """What stands under a heading."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def row(title: str, name: str) -> str:
    """The line of the table under a heading that names a field first."""
    lines = [line for line in part(title).splitlines() if line.startswith("|") and f"`{name}`" in line.split("|")[1]]
    assert len(lines) == 1, f"{title}: {name} is in {len(lines)} lines"
    return lines[0]


@pytest.mark.parametrize(
    ("title", "prefix", "columns"),
    [
        ("Arrays with one row per tick", "", TICK_COLUMNS),
        ("Episodes", "episodes/", EPISODE_COLUMNS),
        ("Key transitions", "keys/", KEY_COLUMNS),
    ],
)
def test_every_array_is_there_with_its_dtype(title: str, prefix: str, columns: tuple[Column, ...]) -> None:
    for column in columns:
        assert column.dtype in row(title, f"{prefix}{column.name}")


def test_outcomes_are_numbered_as_stored() -> None:
    assert ", ".join(f"{number} {name}" for number, name in enumerate(OUTCOMES)) in row("Episodes", "episodes/outcome")


def test_every_attribute_of_a_recording_is_there(breakout: Session, hopper: Session) -> None:
    for session in (breakout, hopper):
        for name in session.attributes:
            assert row("Attributes", name)


def test_every_array_of_a_recording_is_there(breakout: Session, hopper: Session) -> None:
    for session in (breakout, hopper):
        group = zarr.open_group(session.path, mode="r")
        assert all(f"`{name}`" in TEXT for name, _ in group.arrays())
        for table, each in group.groups():
            assert all(f"`{table}/{name}`" in TEXT for name, _ in each.arrays())


def test_the_tables_of_fields_are_as_the_records_declare_them() -> None:
    assert set(re.findall("<!-- fields of (.*) -->", TEXT)) == set(RECORDS)
    assert renewed(TEXT) == TEXT, "make them anew: python -m tests.format_tables"


def test_every_field_of_an_environment_is_there() -> None:
    for field in fields(EnvSpec):
        assert row("The environment", field.name)


def test_every_field_of_a_policy_is_there(breakout_policy: Path, hopper_policy: Path) -> None:
    for path in (breakout_policy, hopper_policy):
        header = read_header(path)
        for name in (*header, "alike"):
            assert row("A policy", name)
        for name in (*header["training"], *header["play"], "prior"):
            assert row("A policy", name)
        for session in header["sessions"]:
            assert all(row("A policy", name) for name in session)
