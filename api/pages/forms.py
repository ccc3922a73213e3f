"""Forms: what was filled in, as the content of a use case, and what must be mended, by field.

A field is named like its place in the content: ``entry/ground``, ``facts/0/value``. A name that ends in
``[]`` is a list of all that was chosen (an empty hidden field beside it says that nothing may be),
``[lines]`` one of the lines of a text, ``[int]`` a number and ``[yes]`` a yes or no. What is left empty is
not said; or it says, where the form asks for that, that nothing stands there any more. Names that begin with
``_`` are about the form itself.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

from allocator.model import Problem

VERSION = "_version"
"""The field with the version of the record that was seen."""

KEY = "_key"
"""The field with the key under which the form is done once, however often it is sent."""

NEEDED = "_needed"
"""The hidden fields that name those which must be filled in, where that depends on what the page shows."""

EMPTIED = "_emptied"
"""The hidden fields that name those which, left empty, take away what stood there."""

MOST_FIELDS = 400

_INTEGER = re.compile(r"-?[0-9]{1,9}")
_USABLE_KEY = re.compile(r"[!-~]{1,64}")


@dataclass(frozen=True)
class Form:
    """A form: empty, or as it was sent.

    Attributes:
        given: What was filled in, by the names of fields.
        files: Files that were chosen, by the names of fields.
        problems: What must be mended, by the names of fields; what is about no field is under ``""``.
        sent_key: The key under which it is done once, if it was sent.
    """

    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: Mapping[str, UploadFile] = field(default_factory=dict)
    problems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sent_key: str = ""

    @property
    def key(self) -> str:
        """The key under which it is done once, however often it is sent; a new one each time it is shown."""
        return self.sent_key or secrets.token_urlsafe(12)

    @classmethod
    def filled(cls, values: Mapping[str, str | Iterable[str]]) -> Form:
        """Return a form with values to begin with."""
        return cls({name: (one,) if isinstance(one, str) else tuple(one) for name, one in values.items()})

    def value(self, name: str, otherwise: str = "") -> str:
        """Return what stands in a field."""
        found = self.given.get(name, ())
        return found[0] if found else otherwise

    def chosen(self, name: str) -> tuple[str, ...]:
        """Return all that is chosen in a field."""
        return self.given.get(name, ())

    def empty(self, names: Iterable[str]) -> list[str]:
        """Return those of some fields in which nothing stands."""
        filled = {plain(name) for name, values in self.given.items() if any(one.strip() for one in values)}
        return [name for name in names if name not in filled]

    def wrong(self, name: str) -> tuple[str, ...]:
        """Return what must be mended in a field."""
        return self.problems.get(plain(name), ())

    @property
    def version(self) -> int | None:
        """The version of the record that was seen; what is no number is 0, which no record has."""
        said = self.value(VERSION)
        if not said:
            return None
        return int(said) if _INTEGER.fullmatch(said) else 0

    def content(self, more: Mapping[str, Any] | None = None) -> bytes:
        """Return what was filled in as the content of a request.

        Args:
            more: What the page knows without asking, by the names of fields.
        """
        said: dict[str, Any] = {}
        for name, values in self.given.items():
            if not name.startswith("_"):
                value = _read(name, values)
                if value is not None:
                    _put(said, plain(name), value)
        for name in self.empty(self.chosen(EMPTIED)):
            _put(said, name, None)
        for name, value in (more or {}).items():
            if value is not None:
                _put(said, name, value)
        return orjson.dumps(_lists(said))

    def mended(self, problems: Iterable[Problem], general: str | None = None) -> Form:
        """Return the form as it was sent, with what must be mended in it.

        Args:
            problems: Places in the content, and what is expected there.
            general: What is to be said about the whole of it.
        """
        names = {plain(name) for name in self.given}
        found: dict[str, list[str]] = {} if general is None else {"": [general]}
        for problem in problems:
            place = problem.path.removeprefix("/body").strip("/")
            found.setdefault(_nearest(place, names), []).append(problem.expected)
        kept = {name: tuple(dict.fromkeys(texts)) for name, texts in found.items()}
        return Form(self.given, {}, kept)


def plain(name: str) -> str:
    """Return where a field's value goes."""
    return name.partition("[")[0]


def _nearest(place: str, names: Iterable[str]) -> str:
    """Return the field that a place belongs to: itself, or one that it is part of."""
    known = set(names)
    parts = place.split("/")
    for count in range(len(parts), 0, -1):
        name = "/".join(parts[:count])
        if name in known:
            return name
    return place


def _read(name: str, values: tuple[str, ...]) -> Any:
    kind = name.partition("[")[2].rstrip("]")
    said = [one.strip().replace("\r\n", "\n") for one in values]
    if name.endswith("[]"):
        return [one for one in said if one]
    match kind:
        case "lines":
            return [line.strip() for one in said for line in one.split("\n") if line.strip()]
        case "int":
            return int(said[-1]) if _INTEGER.fullmatch(said[-1]) else said[-1] or None
        case "yes":
            return {"yes": True, "no": False}.get(said[-1])
        case _:
            return said[-1] or None


def _put(said: dict[str, Any], place: str, value: Any) -> None:
    *way, last = place.split("/")
    at = said
    for part in way:
        inner = at.setdefault(part, {})
        if not isinstance(inner, dict):
            return
        at = inner
    at[last] = value


def _lists(said: Any) -> Any:
    """Return what was said, where places that are numbered are a list; gaps close."""
    if not isinstance(said, dict):
        return said
    inner = {name: _lists(value) for name, value in said.items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


async def sent(request: Request) -> Form:
    """Return the form that was sent."""
    given: FormData = await request.form(max_fields=MOST_FIELDS)
    fields: dict[str, list[str]] = {}
    files: dict[str, UploadFile] = {}
    for name, value in given.multi_items():
        if isinstance(value, UploadFile):
            files[name] = value
        else:
            fields.setdefault(name, []).append(value)
    key = fields.pop(KEY, [""])[-1]
    kept = {name: tuple(values) for name, values in fields.items()}
    return Form(kept, files, {}, key if _USABLE_KEY.fullmatch(key) else "")


Sent = Annotated[Form, Depends(sent)]
