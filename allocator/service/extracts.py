"""What is held about a person, for that person (REQ-PVN-9), and where they are mentioned (REQ-PVN-8).

An extract must not harm others: other people's data, and who told something in confidence, are left out. What
is left out is told by kind and always alike, so that the list does not tell whether there is anything. Free
text may name others all the same: whoever gives the extract reads it through first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from allocator.access.authorizer import Actor, Circumstances, gives_extracts, sees, sees_log, shut_out
from allocator.access.redaction import view, without_withdrawn
from allocator.casework.bodies import BODIES
from allocator.casework.cases import Case
from allocator.casework.codes import Clearance
from allocator.casework.committee import Suggestion
from allocator.casework.housing import Tenancy
from allocator.casework.people import Person
from allocator.casework.records import Body, Kind, Link, Stored
from allocator.service.desk import Desk
from allocator.service.work import Work

EXTRACT, MENTIONS = "people.extract", "people.mentions"

SEALED = frozenset({Kind.CONFLICT, Kind.ORDER, Kind.RECHECK})
"""Kinds that are about two people, and rest on what somebody told in confidence."""

_SEALED_GROUPS = frozenset(
    {"sealed", "advice", "conflict", "control", "order", "suspension", "disqualified", "barred"}
)
_SOURCES = frozenset({"told"})

_WITHHELD: tuple[Mapping[str, str], ...] = (
    {"kind": Kind.CONFLICT.value, "why": "about another person too, and told in confidence"},
    {"kind": Kind.ORDER.value, "why": "about another person too, and told in confidence"},
    {"kind": Kind.RECHECK.value, "why": "about another person too, and told in confidence"},
    {"kind": Kind.HAZARD.value, "why": "about the workplace, and about nobody in particular"},
    {"kind": "anything", "why": "about another person, or who told it in confidence"},
)


def extract(desk: Desk, actor: Actor, person: str) -> dict[str, Any]:
    """Return all that is held about a person, as far as the actor's role reads it; each look is logged.

    Raises:
        ForbiddenError: The actor gives no such extracts, or not for the purpose they state.
        NotFoundError: There is no such person, or not for them.
    """
    _check(desk, actor, EXTRACT, person)
    return desk.look_into(actor, Person, person, EXTRACT, _extract)


def mentions(desk: Desk, actor: Actor, person: str) -> list[dict[str, Any]]:
    """Return every record that mentions a person, by kind and id; the look is logged.

    Raises:
        ForbiddenError: The actor gives no such extracts, or not for the purpose they state.
        NotFoundError: There is no such person, or not for them.
    """
    _check(desk, actor, MENTIONS, person)
    return desk.look_into(
        actor,
        Person,
        person,
        MENTIONS,
        lambda work, stored: list(_mentions(work, stored)),
        may_know=_may_know,
    )


def _check(desk: Desk, actor: Actor, use: str, person: str) -> None:
    if not gives_extracts(desk.access, actor):
        desk.refuse(actor, use, Kind.PERSON, person)


# --------------------------------------------------------------------------------------------- mentions


def _mentions(work: Work, person: Stored[Person]) -> Iterator[dict[str, Any]]:
    work.note(person, outcome="shown", groups=["mentions"])
    yield {"kind": Kind.PERSON.value, "id": person.id, "how": "subject"}
    there = _records(work, person.id)
    for stored in there:
        if _may_know(work, stored):
            how = "subject" if person.id in work.subjects(stored) else "mentioned"
            yield {"kind": stored.kind.value, "id": stored.id, "how": how}
    listed = {stored.id for stored in there}
    own = [s.id for s in work.find(Case, Link(Kind.PERSON, person.id)) if s.body.person == person.id]
    named = [f'"{name}"'.encode() for name in (person.id, *own)]
    for suggestion in work.find(Suggestion):
        known = suggestion.id not in listed and _may_know(work, suggestion)
        facts = (work.tx.kept(suggestion.body.facts) or b"") if known else b""
        if any(name in facts for name in named):
            yield {"kind": suggestion.kind.value, "id": suggestion.id, "how": "read"}


def _may_know(work: Work, stored: Stored[Body]) -> bool:
    """Return whether the reader may know that a record is there: by their role, or from the log."""
    about = work.circumstances(stored)
    if sees(work.access, work.actor, stored.kind, about).visible:
        return True
    cleared = stored.kind not in SEALED or Clearance.CONFLICTS in work.actor.cleared
    return sees_log(work.access, work.actor) and cleared and not shut_out(work.actor, about)


def _records(work: Work, person: str) -> list[Stored[Body]]:
    """Return the records that mention a person, or a case or a tenancy of theirs."""
    named = Link(Kind.PERSON, person)
    links = [named]
    links += [Link(Kind.CASE, s.id) for s in work.find(Case, named) if s.body.person == person]
    links += [Link(Kind.TENANCY, s.id) for s in work.find(Tenancy, named) if s.body.person == person]
    found = {
        (stored.kind, stored.id): stored
        for kind in Kind
        for link in links
        for stored in work.find(BODIES[kind], link)
        if (stored.kind, stored.id) != (Kind.PERSON, person)
    }
    return [found[key] for key in sorted(found)]


# ---------------------------------------------------------------------------------------------- extract


def _extract(work: Work, person: Stored[Person]) -> dict[str, Any]:
    others = _others(work, person.id)
    records: dict[str, list[Any]] = {}
    for stored in (person, *_records(work, person.id)):
        if person.id not in work.subjects(stored) or stored.kind in SEALED:
            continue
        groups = sees(work.access, work.actor, stored.kind, work.circumstances(stored)).groups
        if groups is None:
            continue
        work.note(stored, outcome="shown", groups=sorted(groups))
        records.setdefault(stored.kind.value, []).append(_told(work, stored, groups - _SEALED_GROUPS, others))
    return {
        "person": person.id,
        "as_of": work.today.isoformat(),
        "records": records,
        "withheld": [*_WITHHELD, *_not_read(work)],
    }


def _told(
    work: Work, stored: Stored[Body], groups: Collection[str], others: frozenset[Link]
) -> dict[str, Any]:
    """Return a record without other people: their ids, what they were asked, and who told something."""
    body = stored.body
    hidden = work.hidden() | others
    content = view(work.access, without_withdrawn(stored, stored), groups, hidden)
    if isinstance(body, Case) and "near" in content:
        # Without the other's yes it is as if nobody had been asked.
        content["near"] = {"consents": True} if body.near is not None and body.near.counts else None
    ids = frozenset(link.id for link in hidden)
    return {key: _without(value, ids) for key, value in content.items() if key not in _SOURCES}


def _without(value: Any, ids: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {k: _without(item, ids) for k, item in value.items() if k not in _SOURCES}
    if isinstance(value, list):
        return [_without(item, ids) for item in value if not (isinstance(item, str) and item in ids)]
    return None if isinstance(value, str) and value in ids else value


def _others(work: Work, person: str) -> frozenset[Link]:
    """Return the other people, with their cases and tenancies."""
    people = {Link(Kind.PERSON, other.id) for other in work.find(Person) if other.id != person}
    cases = {Link(Kind.CASE, s.id) for s in work.find(Case) if s.body.person != person}
    homes = {Link(Kind.TENANCY, s.id) for s in work.find(Tenancy) if s.body.person != person}
    return frozenset(people | cases | homes)


def _not_read(work: Work) -> Iterator[dict[str, Any]]:
    """Yield what the reader's role does not read, whatever is stored."""
    for kind in Kind:
        if kind in SEALED:
            continue
        seen = sees(work.access, work.actor, kind, Circumstances()).groups or frozenset()
        left = work.access.groups(kind) - seen
        if left:
            yield {"kind": kind.value, "groups": sorted(left), "why": "not read by the role that gives this"}
