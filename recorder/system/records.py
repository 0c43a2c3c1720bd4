"""Records that are stored: structs whose fields say once what each may be, and what it means.

    class Step(msgspec.Struct): rate: Annotated[float, said("How far it goes.", "Rate", ge=0, le=1)] = 0.5

    JSON ─read(Step, …)─▶ Step ─plain─▶ JSON      a RecordError names the field that cannot be meant
    fields(Step) ─▶ Field: default, limits, choices, title, help ─▶ settings panel, command line, docs/format.md

msgspec checks what it reads. What is made in Python it takes as it is: a struct that `check`s itself when it is made
refuses the same there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import inspect

REQUIRED = msgspec.NODEFAULT  # the default of a field that has none
_HUGE = 1e100
_SHORT = 60  # characters of a value in a sentence; it may come from anybody
_COMPLAINT = re.compile(r"(?P<text>.*?)(?: - at (?:`key` in )?`\$\.?(?P<path>.*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_BY_MSGSPEC = ("Expected ", "Invalid ", "Object ", "Number ", "Integer ", "JSON ")
_Record = TypeVar("_Record")


class RecordError(ValueError):
    """Values are not those of a record; says which one, and what it must be. `field` is its name, or nothing."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Field:
    """One field of a record, as it is declared.

    `kind` is its type with all limits, `low` and `high` are those of a number, `choices` the words that it may be.
    `words` tell all that, as in "whole number from 1 to 256, or none". `default` is REQUIRED where there is none.
    """

    name: str
    kind: Any
    default: Any
    title: str = ""
    help: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    whole: bool = False
    listed: bool = False
    optional: bool = False
    words: str = ""

    def fits(self, value: Any) -> bool:
        """Whether it may have this value. A number counts as such also where it is one of NumPy's."""
        if value is None:
            return self.optional
        if self.choices:
            return (value.value if isinstance(value, Enum) else value) in self.choices
        if self.low is not None or self.high is not None:
            try:
                return bool((self.low is None or value >= self.low) and (self.high is None or value <= self.high))
            except TypeError:
                return False
        try:
            msgspec.convert(value, self.kind)
        except msgspec.ValidationError:
            return False
        return True

    def taken(self, value: Any) -> Any:
        """The value that a JSON value makes. Raises RecordError where it cannot be meant."""
        try:
            return msgspec.convert(value, self.kind)
        except msgspec.ValidationError:
            raise RecordError(self.complaint(value), self.name) from None

    def complaint(self, value: Any) -> str:
        """Why it cannot have this value."""
        shown = repr(value)[:_SHORT]
        if self.choices:
            return f"{self.name} {shown} is unknown; choose one of: {', '.join(self.choices)}"
        if self.low is not None and self.high is not None and _is_number(value) and not self.fits(value):
            return f"{self.name} is {shown}, but must lie between {figure(self.low)} and {figure(self.high)}"
        article = "a " if self.words.startswith(("whole", "number", "list", "table")) else ""
        return f"{self.name} is {shown}, but must be {article}{self.words}"


def said(
    help: str,
    title: str | None = None,
    *,
    ge: float | None = None,
    le: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    **extra: str,
) -> msgspec.Meta:
    """What is said of a field beside its type: what it means, its title in a panel, and its limits."""
    limits: dict[str, Any] = {"ge": ge, "le": le, "min_length": min_length, "max_length": max_length}
    return msgspec.Meta(description=help, title=title, extra=extra or None, **limits)


def fields(record: type[Any]) -> tuple[Field, ...]:
    """The fields of a record, in the order in which they are declared."""
    hashable: Any = record
    return _fields(hashable)


@cache
def _fields(record: Any) -> tuple[Field, ...]:
    found = inspect.type_info(record)
    assert isinstance(found, inspect.StructType)
    kinds = {each.name: each.type for each in msgspec.structs.fields(record)}
    return tuple(_field(each, kinds[each.name]) for each in found.fields)


def check(record: msgspec.Struct) -> None:
    """Raises RecordError, naming the field, where a record that was made in Python has a value that cannot be meant."""
    for each in fields(type(record)):
        value = getattr(record, each.name)
        if not each.fits(value):
            raise RecordError(each.complaint(value), each.name)


def read(record: type[_Record], values: Any) -> _Record:
    """The record that JSON values make; those it does not know are left out.

    Raises RecordError, naming the field that is missing or cannot be meant.
    """
    try:
        return msgspec.convert(values, record)
    except msgspec.ValidationError as error:
        raise _explained(record, values, str(error)) from None


def decode(record: type[_Record], line: bytes) -> _Record:
    """The record in a line of JSON. Raises RecordError."""
    try:
        return msgspec.json.decode(line, type=record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(f"it is damaged ({error})") from None


def plain(value: Any) -> Any:
    """A record, or what is in one, as JSON values: lists, tables, texts, numbers, true, false and none."""
    return _listed(msgspec.to_builtins(value))


def figure(number: float) -> str:
    """A limit, as one reads it."""
    return f"{int(number):,}" if number == int(number) and abs(number) < 1e20 else f"{number:g}"


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _listed(each) for name, each in value.items()}
    return [_listed(each) for each in value] if isinstance(value, list | tuple) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _explained(record: type[Any], values: Any, message: str) -> RecordError:
    """msgspec's message about these values, in our words."""
    found = _COMPLAINT.fullmatch(message)
    assert found is not None
    text, path = found["text"], found["path"] or ""
    if missing := _MISSING.fullmatch(text):
        where = f"{path}.{missing[1]}" if path else missing[1]
        return RecordError(f"it lacks {where}", where)
    if not text.startswith(_BY_MSGSPEC):  # said by the record itself
        return RecordError(text, path)
    top = re.match(r"\w*", path)
    name = top[0] if top else ""
    declared = next((each for each in fields(record) if each.name == name), None)
    if declared is not None and isinstance(values, dict) and "." not in path.replace("[...]", ""):
        return RecordError(declared.complaint(values.get(name)), name)
    text = text.replace("`", "").replace("array", "list").replace("object", "table")
    return RecordError(f"{path or 'it'}: {text[0].lower()}{text[1:]}", path)


def _field(declared: inspect.Field, kind: Any) -> Field:
    told: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    bare = _bare(declared.type, told, extra)
    parts = bare.types if isinstance(bare, inspect.UnionType) else (bare,)
    optional = any(isinstance(part, inspect.NoneType) for part in parts)
    parts = tuple(_bare(part, told, extra) for part in parts if not isinstance(part, inspect.NoneType))
    only = parts[0] if len(parts) == 1 else inspect.AnyType()
    low, high = (only.ge, only.le) if isinstance(only, inspect.IntType | inspect.FloatType) else (None, None)
    choices = _members(only) or tuple(map(str, _literals(kind)))
    factory = declared.default_factory
    return Field(
        name=declared.name,
        kind=kind,
        default=declared.default if factory is msgspec.NODEFAULT else factory(),
        title=told.get("title", ""),
        help=told.get("description", ""),
        extra=extra,
        low=low,
        high=high,
        choices=choices,
        whole=isinstance(only, inspect.IntType),
        listed=isinstance(only, inspect.VarTupleType | inspect.TupleType),
        optional=optional or isinstance(only, inspect.AnyType),
        words=(f"one of: {', '.join(choices)}" if choices else _one(only)) + (", or none" if optional else ""),
    )


def _bare(kind: inspect.Type, told: dict[str, Any], extra: dict[str, Any]) -> inspect.Type:
    """The type in all that is said about it, which goes to `told` and `extra`."""
    while isinstance(kind, inspect.Metadata):
        told |= kind.extra_json_schema or {}
        extra |= kind.extra or {}
        kind = kind.type
    return kind


def _literals(kind: Any) -> tuple[Any, ...]:
    """The values of a literal type, in the order in which they are declared."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    inner = get_args(kind)[:1] if get_origin(kind) is Annotated else get_args(kind) if _is_union(kind) else ()
    return tuple(value for each in inner for value in _literals(each))


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType)


def _members(kind: inspect.Type) -> tuple[str, ...]:
    return tuple(str(each.value) for each in kind.cls) if isinstance(kind, inspect.EnumType) else ()


def _one(kind: inspect.Type) -> str:
    """A value of a type, in words."""
    match kind:
        case inspect.Metadata():
            return _one(kind.type)
        case inspect.IntType() | inspect.FloatType():
            return f"{'whole number' if isinstance(kind, inspect.IntType) else 'number'}{_range(kind)}"
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType():
            return "text that is not empty" if kind.min_length else "text"
        case inspect.LiteralType():
            return f"one of: {', '.join(map(str, kind.values))}"
        case inspect.EnumType():
            return f"one of: {', '.join(_members(kind))}"
        case inspect.TupleType():
            return f"list of {len(kind.item_types)} {_many(kind.item_types[0])}"
        case inspect.VarTupleType() | inspect.ListType():
            return f"list of {_length(kind)}{_many(kind.item_type)}"
        case inspect.DictType():
            return f"table of {_length(kind)}{_many(kind.value_type)}"
        case inspect.StructType() | inspect.DataclassType():
            return "table"
    return "any value"


def _many(kind: inspect.Type) -> str:
    """Several values of a type, in words."""
    match kind:
        case inspect.Metadata():
            return _many(kind.type)
        case inspect.IntType() | inspect.FloatType():
            return _one(kind).replace("number", "numbers")
        case inspect.StrType():
            return "texts"
        case inspect.AnyType():
            return "values"
    return re.sub(r"^(list|table)", r"\1s", _one(kind))


def _range(kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.ge is not None and kind.le is not None:
        if kind.le > _HUGE:
            return ""  # that is to say a finite one
        return f" from {figure(kind.ge)} to {figure(kind.le)}"
    return "" if kind.ge is None else f" from {figure(kind.ge)}"


def _length(kind: inspect.VarTupleType | inspect.ListType | inspect.DictType) -> str:
    least, most = kind.min_length or 0, kind.max_length
    if most is None:
        return f"at least {least} " if least else ""
    return f"{least} to {most} " if least else f"up to {most} "
