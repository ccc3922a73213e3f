"""Taking out of a record what its reader may not see. Done here and nowhere else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from allocator.access.table import Access
from allocator.casework.bodies import BODIES
from allocator.casework.records import Body, Kind, Link, Stored, mentioned, naming
from allocator.casework.voice import Comment


def view(
    access: Access, stored: Stored[Body], groups: Collection[str], hidden: Collection[Link] = ()
) -> dict[str, Any]:
    """Return the fields of a record that belong to some groups, as plain values.

    Args:
        access: The access table.
        stored: The record.
        groups: The groups that its reader may see.
        hidden: Records that the reader may not know of; lists are given without them.
    """
    body = stored.body.model_copy(update=_without(stored.body, frozenset(hidden)))
    plain = body.model_dump(mode="json")
    placed = access.fields[stored.kind]
    shown: dict[str, Any] = {"id": stored.id, "version": stored.version}
    for name in BODIES[stored.kind].model_fields:
        if name in placed:
            if placed[name] in groups:
                shown[name] = _in_order(plain[name])
            continue
        inner = {
            key: _in_order(value)
            for key, value in plain[name].items()
            if placed.get(f"{name}.{key}") in groups
        }
        if inner:
            shown[name] = inner
    return shown


def without_withdrawn(stored: Stored[Body], newest: Stored[Body]) -> Stored[Body]:
    """Return a version of a record without the words that its author has taken back since.

    They stay in the record, so that whoever checks it finds it whole; they are shown to nobody.
    """
    body, now = stored.body, newest.body
    if not isinstance(body, Comment) or not isinstance(now, Comment) or not now.withdrawn:
        return stored
    return replace(stored, body=body.model_copy(update={"text": now.text, "words": now.words}))


def _in_order(value: Any) -> Any:
    """Return plain values with lists of plain texts in order: those were sets, or may as well be."""
    if isinstance(value, dict):
        return {key: _in_order(item) for key, item in value.items()}
    if isinstance(value, list):
        return (
            sorted(value) if all(isinstance(item, str) for item in value) else [_in_order(i) for i in value]
        )
    return value


def _without(record: BaseModel, hidden: frozenset[Link]) -> dict[str, Any]:
    """Return the lists of a record that mention something hidden, without it."""
    if not hidden:
        return {}
    changed: dict[str, Any] = {}
    kinds = naming(type(record))
    for name in type(record).model_fields:
        value = getattr(record, name)
        if isinstance(value, tuple | frozenset):
            kept = [item for item in value if not _hides(item, kinds.get(name, ()), hidden)]
            if len(kept) != len(value):
                changed[name] = type(value)(kept)
    return changed


def _hides(item: Any, kinds: Collection[Kind], hidden: frozenset[Link]) -> bool:
    if isinstance(item, BaseModel):
        return not hidden.isdisjoint(mentioned(item))
    return any(Link(kind, item) in hidden for kind in kinds)
