"""A municipality as a JSON document: a version, and a list of records for each kind.

::

    {"format": "allocator-municipality", "version": 1, "complete": true,
     "schemes": [{"id": "nordlia", "facts": {"name": "Nordlia"}, "groups": []}], "units": []}

A record is its id and its fields. `version` in a record says which version was exported; it may be left out.
A document that was exported for somebody who does not see all of it says ``"complete": false`` and is not
imported: what its reader may not see is left out, and would be taken for not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from allocator.casework.bodies import COLLECTIONS
from allocator.casework.records import Kind
from allocator.documents import DocumentError, known_fields_only, parse_json, read_case
from allocator.exchange.cases import records_of
from allocator.exchange.entries import KINDS, Derived, Entry, Faults, Pointer, plain_body, read_entry
from allocator.exchange.entries import Record as Exchanged
from allocator.model import Problem, Snapshot

FORMAT = "allocator-municipality"
VERSION = 1

_HEAD = ("format", "version", "complete")


def written(records: Iterable[Exchanged]) -> bytes:
    """Return records as a document."""
    lists: dict[Kind, list[Mapping[str, Any]]] = {}
    for record in records:
        lists.setdefault(record.kind, []).append({"id": record.id, **plain_body(record)})
    return write(lists, complete=True)


def write(items: Mapping[Kind, Iterable[Mapping[str, Any]]], *, complete: bool) -> bytes:
    """Return a document of plain records, by kind: the same bytes for the same records in that order."""
    head = {"format": FORMAT, "version": VERSION, "complete": complete}
    lists = {COLLECTIONS[kind]: list(items.get(kind, ())) for kind in KINDS}
    return orjson.dumps({**head, **lists}, option=orjson.OPT_INDENT_2) + b"\n"


def read(data: bytes, author: str) -> list[Entry]:
    """Return the records in a document, or those that a case tells of.

    Args:
        data: A municipality, or a case.
        author: The account that what comes of a case is then by.

    Raises:
        DocumentError: It is refused, with all its faults.
    """
    content = parse_json(data)
    if isinstance(content, dict) and "format" not in content and set(content) & {"as_of", "schema_version"}:
        return _of_case(read_case(data), author)
    faults = Faults()
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DocumentError((Problem(path="/format", expected=f"`{FORMAT}`, or a case"),))
    if content.get("version") != VERSION:
        faults.add("/version", f"{VERSION}")
    if content.get("complete", True) is not True:
        faults.add("/complete", "`true`: where fields were left out for a reader, nothing is imported")
    collections = {COLLECTIONS[kind]: kind for kind in KINDS}
    for name in content:
        if name not in collections and name not in _HEAD:
            faults.add("", known_fields_only("", name, collections).expected)
    entries: list[Entry] = []
    for name, kind in collections.items():
        listed = content.get(name, [])
        if not isinstance(listed, list):
            faults.add(f"/{name}", "a list")
            continue
        for index, item in enumerate(listed):
            place = Pointer(name, index)
            if not isinstance(item, dict):
                faults.add(place.at(), "an object")
                continue
            entry = read_entry(kind, item, place, faults)
            if entry is not None:
                entries.append(entry)
    faults.check()
    return entries


def _of_case(case: Snapshot, author: str) -> list[Entry]:
    """Return what a case tells of; a fault that is found later is told of the record that came of it."""
    return [Entry(record, Derived(record.kind, record.id)) for record in records_of(case, author)]
