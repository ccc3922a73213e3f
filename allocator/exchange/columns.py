"""The columns of each sheet: the fields of a kind of record by dotted paths, as its model has them.

A record within a record has a column for each of its fields (``notice.move_out``). A list of records has
numbered ones (``groups.1.id``). A set of codes or ids stands in one cell, with commas. What is told by key
stands as JSON.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum, StrEnum, auto
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from allocator.casework.bodies import BODIES
from allocator.casework.records import Kind
from allocator.exchange.entries import WITH_OWN_ID
from allocator.model import Id

NUMBER = "#"
"""Stands for the number of a member of a list in the path of a column."""

_NUMBERED = re.compile(r"[1-9][0-9]{0,2}")


class Shape(Enum):
    """What stands in the cells of a column."""

    TEXT = auto()
    NAME = auto()
    CODE = auto()
    LIST = auto()
    BOOL = auto()
    INT = auto()
    DATE = auto()
    JSON = auto()


@dataclass(frozen=True)
class Column:
    """A column, or one for each member of a list.

    Attributes:
        path: Names of fields; `NUMBER` for the member of a list.
        shape: What stands in its cells. `NAME` is an id: spaces around it mean nothing, as around a code.
        codes: The codes that may stand there.
        required: The record, or the one it is in, is not whole without it.
    """

    path: tuple[str, ...]
    shape: Shape
    codes: tuple[str, ...] = ()
    required: bool = False
    code_list: type[StrEnum] | None = None

    @property
    def name(self) -> str:
        """The path as it stands in the sheet, for the first member of a list."""
        return ".".join("1" if part == NUMBER else part for part in self.path)


@cache
def columns(kind: Kind) -> tuple[Column, ...]:
    """Return the columns of a kind of record, the id first."""
    own = (Column(("id",), Shape.NAME, required=True), Column(("version",), Shape.INT))
    twice = ("entry", "id") if kind in WITH_OWN_ID else None
    return (*own, *(column for column in _of_model(BODIES[kind], ()) if column.path != twice))


@cache
def _by_path(kind: Kind) -> dict[tuple[str, ...], Column]:
    return {column.path: column for column in columns(kind)}


def column_of(kind: Kind, name: str) -> tuple[Column, tuple[int | str, ...]] | None:
    """Return the column of a name such as ``groups.2.id``, and its path; None if there is none."""
    parts = name.split(".")
    pattern = tuple(NUMBER if _NUMBERED.fullmatch(part) else part for part in parts)
    column = _by_path(kind).get(pattern)
    if column is None:
        return None
    return column, tuple(
        int(part) if wanted == NUMBER else part for part, wanted in zip(parts, pattern, strict=True)
    )


def _of_model(model: type[BaseModel], at: tuple[str, ...]) -> Iterator[Column]:
    for name, field in model.model_fields.items():
        yield from _of_type(field.annotation, field, (*at, name))


def _of_type(hint: Any, field: FieldInfo, at: tuple[str, ...]) -> Iterator[Column]:
    required = field.is_required()
    hint, extra = _bare(hint)
    extra = (*extra, *field.metadata)
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (frozenset, tuple):
        member, member_extra = _bare(inner[0])
        if _is_enum(member):
            yield Column(at, Shape.LIST, tuple(member), required, member)
        elif member is str and _names(member_extra):
            yield Column(at, Shape.LIST, (), required)
        elif isinstance(member, type) and issubclass(member, BaseModel):
            yield from _of_model(member, (*at, NUMBER))
        else:
            yield Column((*at, NUMBER), _simple(member, member_extra))
    elif origin is dict:
        yield Column(at, Shape.JSON, required=required)
    elif origin is typing.Literal:
        yield Column(at, Shape.CODE, tuple(str(value) for value in inner), required, type(inner[0]))
    elif isinstance(hint, type) and issubclass(hint, BaseModel):
        yield from _of_model(hint, at)
    elif _is_enum(hint):
        yield Column(at, Shape.CODE, tuple(hint), required, hint)
    else:
        yield Column(at, _simple(hint, extra), required=required)


def _bare(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type without `None` and what is said of it, and that."""
    extra: tuple[Any, ...] = ()
    while True:
        origin = typing.get_origin(hint)
        if origin is typing.Annotated:
            extra = (*extra, *hint.__metadata__)
            hint = hint.__origin__
        elif origin in (typing.Union, types.UnionType):
            (hint,) = (part for part in typing.get_args(hint) if part is not type(None))
        else:
            return hint, extra


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, StrEnum)


def _names(extra: tuple[Any, ...]) -> bool:
    """Return whether a text is an id or another that is written as a code is: without spaces around it."""
    return any(getattr(mark, "func", None) is _IDENTIFIER or getattr(mark, "pattern", None) for mark in extra)


_IDENTIFIER = [mark.func for mark in typing.get_args(Id) if hasattr(mark, "func")][-1]


def _simple(hint: Any, extra: tuple[Any, ...]) -> Shape:
    if hint is bool:
        return Shape.BOOL
    if hint is int:
        return Shape.INT
    if hint is date:
        return Shape.DATE
    return Shape.NAME if _names(extra) else Shape.TEXT
