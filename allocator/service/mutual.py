"""The advice that those who live in a scheme break among themselves today.

The municipality's own rules are asked of each resident as if they applied for the home that they have
(`scoring.together`), so it is the same rules in the same words as in a suggestion. It tells nobody to move:
it is what a committee should know of a living group before somebody moves in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from allocator import explain, scoring
from allocator.access.authorizer import Actor, reader, sees
from allocator.casework.cases import Case
from allocator.casework.codes import ENDED_CASES, Clearance, PolicyState
from allocator.casework.housing import Scheme
from allocator.casework.occupancy import lives_there
from allocator.casework.offices import StoredPolicy
from allocator.casework.people import Person
from allocator.casework.records import Kind, Stored
from allocator.casework.snapshot import Register
from allocator.disclosure import Reader
from allocator.service.desk import EXACT, Desk, own_schemes
from allocator.service.facts import policy_of, snapshot
from allocator.service.suggestions import released_as
from allocator.service.work import Work

USE = "schemes.advice"
"""What such a look is called in the log."""


@dataclass(frozen=True)
class Advice:
    """What the rules find among those who live in a scheme, as one reader may see it.

    Attributes:
        read_as: As whom it is read: only the committee is told of conflicts and orders, only those who decide
            of whom something is.
        found: The findings (`explain.mutual`).
    """

    read_as: Reader
    found: tuple[Mapping[str, Any], ...]


def advice(desk: Desk, actor: Actor, scheme: str, language: str) -> Advice | None:
    """Return what the rules find among those who live in a scheme; the look is logged.

    Args:
        desk: The desk.
        actor: Who asks.
        scheme: The scheme.
        language: ``nb``, ``nn`` or ``en``.

    Returns:
        None for who reads no suggestions, or only those for other schemes.

    Raises:
        NotFoundError: The scheme is not there, or not for them.
    """
    asks_as = reader(desk.access, actor)
    if asks_as is None or (asks_as is Reader.STAFF and scheme not in own_schemes(actor)):
        return None

    def tell(work: Work, stored: Stored[Scheme]) -> Advice:
        apart = bool(work.strict) and Clearance.KODE_6 not in actor.cleared
        read_as = released_as(asks_as, apart=apart)
        found = _found(work, stored.id, read_as, language, guarded=apart)
        hidden = {name for one in found for name in _named(one) if not _may_know(work, name)}
        told = tuple(one for one in found if hidden.isdisjoint(_named(one)))
        people = {name for one in told for name in _named(one) if work.get(Person, name) is not None}
        groups = ["answer", EXACT] if read_as is Reader.COMMITTEE else ["answer"]
        work.note(stored, outcome="shown", groups=groups, shown=sorted(people))
        return Advice(read_as, told)

    return desk.look_into(actor, Scheme, scheme, USE, tell)


def _found(work: Work, scheme: str, read_as: Reader, language: str, *, guarded: bool) -> list[dict[str, Any]]:
    """Return what the policy in use finds; nothing while there is none, or nowhere to live."""
    active = work.find(StoredPolicy, states={PolicyState.ACTIVE})
    facts = snapshot(work, guarded=guarded, supposing=lambda records: _applying(work, records, scheme))
    if not active or not any(list(there.units) for there in facts.schemes if there.id == scheme):
        return []
    answer = scoring.together(facts, policy_of(work, active[0].body.content), scheme)
    return explain.mutual(answer, read_as, language)


def _applying(work: Work, records: Register, scheme: str) -> Register:
    """Return the records as if everybody who lives in a scheme had a case; whoever has one keeps it."""
    running = {c.body.person for c in records.cases if not c.body.closing and c.body.state not in ENDED_CASES}
    homes = [t.body for t in records.tenancies if t.body.scheme == scheme and lives_there(t.body, work.today)]
    people = sorted({home.person for home in homes} - running)
    taken = {stored.id for kind in (records.people, records.cases, records.units) for stored in kind}
    free = (name for number in count(1) if (name := f"lives-there-{number}") not in taken)
    cases = [
        Stored(
            kind=Kind.CASE,
            id=name,
            version=1,
            body=Case(person=person, received_on=work.today, waiting_since=work.today),
            at=work.now,
            by=work.actor.account,
            change=work.use,
        )
        for person, name in zip(people, free, strict=False)
    ]
    return replace(records, cases=[*records.cases, *cases])


def _named(found: Mapping[str, Any]) -> frozenset[str]:
    of = () if found["of"] is None else (found["of"],)
    return frozenset((*of, *found["about"]))


def _may_know(work: Work, name: str) -> bool:
    """Return whether the actor may know of a person; what is named is otherwise a unit."""
    person = work.get(Person, name)
    return person is None or sees(work.access, work.actor, Kind.PERSON, work.circumstances(person)).visible
