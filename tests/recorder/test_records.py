"""Records that are stored: what their fields say, and what is said where one cannot be meant."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from recorder.system.records import REQUIRED, RecordError, check, decode, fields, plain, read, said


class Kind(Enum):
    ROUND = "round"
    SQUARE = "square"


class Part(msgspec.Struct, frozen=True):
    name: Annotated[str, said("its name", min_length=1)]
    sizes: tuple[int, ...] = ()


class Whole(msgspec.Struct, frozen=True):
    rate: Annotated[float, said("How fast.", "Rate", ge=0, le=1_000, off="never")]
    count: Annotated[int, said("How many.", ge=1, le=64)] | None = None
    kind: Kind = Kind.ROUND
    word: Literal["zebra", "ant"] = "ant"
    ages: Annotated[tuple[Annotated[int, Meta(ge=0)], ...], Meta(min_length=1, max_length=3)] = (0,)
    parts: tuple[Part, ...] = ()
    table: Annotated[dict[str, Any], Meta(max_length=2)] = {}
    likely: Annotated[float, Meta(ge=-1e300, le=1e300)] = 0.0

    def __post_init__(self) -> None:
        check(self)
        if self.ages[0] != 0:
            raise ValueError("ages begin with 0")


def test_a_field_tells_all_that_is_declared() -> None:
    rate, count, kind, word, ages, parts, table, likely = fields(Whole)
    assert (rate.title, rate.help, rate.low, rate.high, rate.extra) == ("Rate", "How fast.", 0, 1_000, {"off": "never"})
    assert (rate.default, rate.whole, rate.optional) == (REQUIRED, False, False)
    assert (count.default, count.whole, count.optional, count.help) == (None, True, True, "How many.")
    assert (kind.choices, word.choices) == (("round", "square"), ("zebra", "ant"))
    assert (ages.listed, parts.listed, table.listed) == (True, True, False)
    assert [each.words for each in (rate, count, kind, word, ages, parts, table, likely)] == [
        "number from 0 to 1,000",
        "whole number from 1 to 64, or none",
        "one of: round, square",
        "one of: zebra, ant",
        "list of 1 to 3 whole numbers from 0",
        "list of tables",
        "table of up to 2 values",
        "number",
    ]


def test_what_is_read_is_written_the_same() -> None:
    values = {"rate": 1.5, "count": 3, "kind": "square", "word": "zebra", "ages": [0, 5], "table": {"a": [1, {}]}}
    values |= {"parts": [{"name": "x", "sizes": [1]}], "likely": 0.25}
    record = read(Whole, values | {"of a later version": 1})
    assert record == Whole(1.5, 3, Kind.SQUARE, "zebra", (0, 5), (Part("x", (1,)),), {"a": [1, {}]}, 0.25)
    assert plain(record) == values
    assert decode(Whole, msgspec.json.encode(values)) == record


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "it lacks rate"),
        ([], "it: expected table, got list"),
        ({"rate": "fast"}, "rate is 'fast', but must be a number from 0 to 1,000"),
        ({"rate": 1e6}, "rate is 1000000.0, but must lie between 0 and 1,000"),
        ({"rate": float("nan")}, "rate is nan, but must lie between 0 and 1,000"),
        ({"rate": 1, "count": True}, "count is True, but must be a whole number from 1 to 64, or none"),
        ({"rate": 1, "count": 2**70}, "count is 1180591620717411303424, but must lie between 1 and 64"),
        ({"rate": 1, "word": "bee"}, "word 'bee' is unknown; choose one of: zebra, ant"),
        ({"rate": 1, "kind": 5}, "kind 5 is unknown; choose one of: round, square"),
        ({"rate": 1, "ages": []}, "ages is [], but must be a list of 1 to 3 whole numbers from 0"),
        ({"rate": 1, "ages": [0, "x"]}, "ages is [0, 'x'], but must be a list of 1 to 3 whole numbers from 0"),
        ({"rate": 1, "ages": [1]}, "ages begin with 0"),
        ({"rate": 1, "parts": [{"sizes": []}]}, "it lacks parts[0].name"),
        ({"rate": 1, "parts": [{"name": 5}]}, "parts[0].name: expected str, got int"),
        ({"rate": 1, "table": dict.fromkeys("abc")}, "table is {'a': None, 'b': None, 'c': None}, but must be a table"),
        ({"rate": "\n" + "x" * 100_000}, "rate is '\\nxxx"),
    ],
)
def test_what_cannot_be_meant_is_told_in_a_sentence(values: Any, sentence: str) -> None:
    with pytest.raises(RecordError) as told:
        read(Whole, values)
    assert str(told.value).startswith(sentence)
    assert len(str(told.value)) < 200
    assert "\n" not in str(told.value)


def test_what_is_made_in_python_is_refused_the_same() -> None:
    with pytest.raises(RecordError, match=r"^count is 65, but must lie between 1 and 64$"):
        Whole(1.0, 65)
    with pytest.raises(RecordError, match=r"^rate is 'x', but must be a number"):
        Whole("x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^ages begin with 0$"):
        Whole(1.0, ages=(3,))


@pytest.mark.parametrize("line", [b"", b"{", b'{"rate": NaN}', b"\xff", b"[" * 100_000, b'{"rate": 1e999}'])
def test_a_damaged_line_is_no_record(line: bytes) -> None:
    with pytest.raises(RecordError):
        decode(Whole, line)
