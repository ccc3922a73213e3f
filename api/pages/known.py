"""What is known of a scheme or a unit, fact by fact in words, and what nobody has found out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar, get_args

from allocator.model import Record
from allocator.rules.sources import WORKS
from allocator.texts import Catalog, sentence_case

View = Mapping[str, Any]
Kind = TypeVar("Kind")

TOLD_ABOVE = frozenset({"name", "described_as", "evidence"})
"""What a page says in its head, and what is about the other facts."""


@dataclass(frozen=True)
class Known:
    """One fact.

    Attributes:
        field: Its name, as in the forms that ask for it: ``facts/floor``.
        said: What it is, in words: empty if it is none of what there could be, None if nobody knows.
        published: Where it is published, if it is.
    """

    field: str
    said: str | None
    published: str | None = None


def known(words: Catalog, facts: View, model: type[Record]) -> list[Known]:
    """Return the facts of a scheme or a unit in the order of the model, known or not.

    Args:
        words: In which language.
        facts: As they are shown.
        model: What they are.
    """
    return list(_known(words, facts, model, "facts", facts.get("evidence") or {}))


def _known(words: Catalog, facts: View, model: type[Record], at: str, evidence: View) -> Iterator[Known]:
    for name, field in model.model_fields.items():
        if name in TOLD_ABOVE:
            continue
        place, value = f"{at}/{name}", facts.get(name)
        inner = _of_kind(field.annotation, Record)
        if isinstance(value, Mapping) and inner is not None:
            yield from _known(words, value, inner, place, {})
        else:
            said = None if value is None else sentence_case(_said(words, field.annotation, value))
            yield Known(place, said, _published(evidence.get(name)))


def _said(words: Catalog, annotation: Any, value: Any) -> str:
    """Return a value in words."""
    codes = _of_kind(annotation, StrEnum)
    match value:
        case bool():
            return words.template("yes" if value else "no")
        case list() if codes is not None:
            return words.listing(words.code(codes, one) for one in sorted(value))
        case str() if codes is not None:
            return words.code(codes, value)
        case str() if _of_kind(annotation, date) is not None:
            return words.day(date.fromisoformat(value))
        case _:
            return str(value)


def _of_kind(annotation: Any, kind: type[Kind]) -> type[Kind] | None:
    """Return the type of a kind that a field is declared with, however it may be left out or repeated."""
    if isinstance(annotation, kind):  # one code of several
        return type(annotation)
    if isinstance(annotation, type) and issubclass(annotation, kind):
        return annotation
    found = (_of_kind(one, kind) for one in get_args(annotation))
    return next((one for one in found if one is not None), None)


def _published(evidence: View | None) -> str | None:
    if evidence is None:
        return None
    source, section = evidence["source"], evidence["section"]
    return f"{WORKS.get(source, source)}, {section}"
