"""What the columns are called in bokmål, and the words that explain them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from allocator.casework.records import Kind
from allocator.exchange.columns import NUMBER, Column, Shape
from allocator.texts import catalog

_SILENT = frozenset({"facts", "entry", "value"})
"""Parts of a path that say nothing to a reader."""

_EXPLAINED = {
    Shape.TEXT: "Tekst.",
    Shape.NAME: "En id eller et nummer, skrevet som tekst.",
    Shape.BOOL: "ja eller nei. Tom celle: ikke kjent.",
    Shape.INT: "Et helt tall.",
    Shape.DATE: "En dato.",
    Shape.JSON: "Et objekt i JSON. La kolonnen stå urørt.",
}


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    text = files("allocator.exchange").joinpath("headings.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def sheet_title(kind: Kind) -> str:
    """Return what a sheet's records are called."""
    return _words()["sheets"][kind.value]


def heading(kind: Kind, column: Column, numbers: tuple[int | str, ...]) -> str:
    """Return what a column is called.

    Args:
        kind: The kind of record.
        column: The column.
        numbers: Its path, with numbers in it.
    """
    names, own = _words()["names"], _words().get(kind.value, {})
    whole = own.get(".".join(column.path))
    if whole is not None:
        return whole
    said: list[str] = []
    for part, pattern in zip(numbers, column.path, strict=True):
        if pattern == NUMBER:
            said[-1] += f" {part}"
        elif pattern not in _SILENT:
            said.append(names[pattern])
    return " – ".join([said[0], *(word[:1].lower() + word[1:] for word in said[1:])])


def explanation(column: Column) -> str:
    """Return what may stand in a column, and what its codes mean."""
    if column.code_list is not None:
        words, name = catalog("nb"), column.code_list.__name__
        several = "Én av disse:" if column.shape is Shape.CODE else "Ingen eller flere av disse, med komma:"
        labels = (
            f"{code} = {words.template('codes', name, code)}" if words.has("codes", name, code) else code
            for code in column.codes
        )
        text = "\n".join([several, *labels])
    elif column.shape is Shape.LIST:
        text = "Id-er med komma imellom. - betyr at det ikke er noen."
    else:
        text = _EXPLAINED[column.shape]
    if column.path == ("version",):
        return "Settes av eksporten. Hindrer at nyere endringer skrives over. Kan stå tom."
    return f"{text}\nMå fylles ut." if column.required and len(column.path) == 1 else text
