"""What a use case works with: one transaction, one actor, one moment.

`load` and `find` read for the rules of casework and are not looks: nobody is shown anything. `create` and
`change` save a new version and note it for the log. What an actor is shown goes through
:mod:`allocator.service.desk`, which checks and logs it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NoReturn, TypeVar, cast

from allocator.access.authorizer import Actor, Circumstances, may, shut_out
from allocator.access.table import Access
from allocator.casework.cases import Case
from allocator.casework.codes import AppealState, Clearance, HearingState
from allocator.casework.committee import Appeal, Meeting
from allocator.casework.housing import Tenancy
from allocator.casework.people import Person
from allocator.casework.records import FACT_KINDS, Body, Kind, Link, Stored, body_sha256, reason_sha256
from allocator.casework.voice import Hearing
from allocator.model import expecting
from allocator.ports import Logged, Query, Transaction
from allocator.service.errors import ForbiddenError, NotFoundError, RefusalError

B = TypeVar("B", bound=Body)

_PREFIX = {kind: kind.value[:2].upper() for kind in Kind} | {
    Kind.PERSON: "P",
    Kind.CASE: "S",
    Kind.CONFLICT: "K",
    Kind.CLARIFICATION: "AV",
    Kind.DECISION: "V",
    Kind.OFFER: "T",
}
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


def new_id(kind: Kind) -> str:
    """Return an id that tells nothing: neither who nor when."""
    return f"{_PREFIX[kind]}-" + "".join(secrets.choice(ALPHABET) for _ in range(10))


@dataclass
class Work:
    """One use case at work.

    Attributes:
        tx: The transaction.
        access: The access table.
        actor: Who acts.
        now: The moment.
        today: The day.
        use: The use case.
        prepared: What was worked out before the transaction began, if the use case does that.
        reason: Why the actor does it, where they say so.
        began: What has been changed so far, with the version it had before; 0 if it was not there.
        ids: What gives new records their ids.
    """

    tx: Transaction
    access: Access
    actor: Actor
    now: datetime
    today: date
    use: str = ""
    prepared: Any = None
    reason: str | None = None
    ids: Callable[[Kind], str] = new_id
    notes: list[Logged] = field(default_factory=list)
    facts_changed: bool = False
    allowed: bool = False
    began: dict[tuple[Kind, str], int] = field(default_factory=dict)
    _seen: dict[tuple[Kind, str], Stored[Body] | None] = field(default_factory=dict)
    _strict: frozenset[str] | None = None
    _hidden: frozenset[Link] | None = None

    # ---------------------------------------------------------------------------------------- reading

    def get(self, body: type[B], identifier: str | None) -> Stored[B] | None:
        """Return a record as it is now; None if there is none."""
        if identifier is None:
            return None
        key = (body.kind, identifier)
        if key not in self._seen:
            self._seen[key] = self.tx.get(body.kind, identifier)
        return cast("Stored[B] | None", self._seen[key])

    def load(self, body: type[B], identifier: str) -> Stored[B]:
        """Return a record as it is now.

        Raises:
            NotFoundError: There is none.
        """
        stored = self.get(body, identifier)
        if stored is None:
            raise NotFoundError(f"no such {body.kind}")
        return stored

    def named(self, body: type[B], identifier: str, place: str) -> Stored[B]:
        """Return a record that the request names at a place, or refuse the request there.

        One that the actor may not know of is refused like one that is not there.
        """
        stored = self.get(body, identifier)
        if stored is None or self._shut_out(stored):
            self.wrong(place, "the id of a record of the kind `{kind}` that is there", kind=body.kind)
        return stored

    def find(
        self,
        body: type[B],
        *links: Link,
        states: Iterable[str] | None = None,
        due_by: date | None = None,
    ) -> Sequence[Stored[B]]:
        """Return the records of a kind that mention all of *links* and are in one of *states*."""
        wanted = None if states is None else frozenset(str(state) for state in states)
        query = Query(body.kind, states=wanted, links=links, due_by=due_by)
        return cast("Sequence[Stored[B]]", self.tx.find(query))

    def before(self, body: type[B], identifier: str) -> Stored[B] | None:
        """Return a record as it was when this work began; None if it was not there."""
        version = self.began.get((body.kind, identifier))
        if version is None:
            return self.get(body, identifier)
        return None if version == 0 else cast("Stored[B]", self.tx.get(body.kind, identifier, version))

    # --------------------------------------------------------------------------------------- changing

    def create(self, body: B, identifier: str | None = None) -> Stored[B]:
        """Save a new record and return it."""
        return self._put(body, identifier or self.ids(body.kind), 1)

    def change(self, stored: Stored[B], **fields: Any) -> Stored[B]:
        """Save a new version of a record with some fields changed, and return it.

        The body is checked as a whole again, so that no change makes it unsound.
        """
        body = type(stored.body).model_validate({**_fields(stored.body), **fields})
        if body == stored.body:
            return stored
        return self._put(body, stored.id, stored.version + 1)

    def _put(self, body: B, identifier: str, version: int) -> Stored[B]:
        stored = Stored(
            kind=body.kind,
            id=identifier,
            version=version,
            body=body,
            at=self.now,
            by=self.actor.account,
            change=self.use,
            reason=self.reason,
        )
        self.tx.put(stored)
        self.began.setdefault((body.kind, identifier), version - 1)
        self._seen[body.kind, identifier] = stored
        self._hidden = None
        if body.kind is Kind.PERSON:
            self._strict = None
        self.facts_changed = self.facts_changed or body.kind in FACT_KINDS
        sha256 = body_sha256(body)
        self.note(
            stored,
            outcome="done",
            sha256=sha256,
            reason_sha256=reason_sha256(sha256, stored.reason),
        )
        return stored

    def note(self, stored: Stored[Body], *, outcome: str, **more: Any) -> None:
        """Note for the log what was done with, or shown of, a record."""
        entry: dict[str, Any] = {
            "at": self.now.isoformat(),
            "by": self.actor.account,
            "roles": sorted(self.actor.roles),
            "use": self.use,
            "kind": stored.kind.value,
            "id": stored.id,
            "version": stored.version,
            "people": sorted(self.people(stored)),
            "purpose": self.actor.purpose,
            "outcome": outcome,
            **more,
        }
        self.notes.append(Logged({key: value for key, value in entry.items() if value not in (None, [])}))

    # -------------------------------------------------------------------------------------- refusing

    def refuse(self, code: str, **values: str) -> NoReturn:
        """Refuse what was asked for, since it does not go with how things stand."""
        raise RefusalError(code, values)

    def wrong(self, place: str, template: str, **values: object) -> NoReturn:
        """Refuse the request for what stands at a place in it, and say what is expected there.

        Args:
            place: The place.
            template: What is expected, in English, as it stands in ``allocator/texts/expected.toml``.
            values: What is put in: days, numbers and codes, never anything that was sent.
        """
        raise RefusalError("request", problems=(expecting(place, template, **values),))

    # ----------------------------------------------------------------------------------------- access

    def allow(self, about: Circumstances) -> None:
        """Let the use case go on, if the actor may do it with such a record.

        Raises:
            ForbiddenError: They may not.
        """
        if not may(self.access, self.actor, self.use, about):
            raise ForbiddenError(self.use)
        self.allowed = True

    def allow_with(self, stored: Stored[Body]) -> None:
        """Let the use case go on, if the actor may do it with what belongs to that record."""
        self.allow(self.circumstances(stored))

    @property
    def strict(self) -> frozenset[str]:
        """The ids of all who are kode 6."""
        if self._strict is None:
            self._strict = frozenset(p.id for p in self.find(Person, states={"strict"}))
        return self._strict

    def people(self, stored: Stored[Body]) -> frozenset[str]:
        """Return the persons that a record mentions, itself or by a case or tenancy it is about."""
        found = {link.id for link in stored.body.links() if link.kind is Kind.PERSON}
        if stored.kind is Kind.PERSON:
            found.add(stored.id)
        for case in self._cases_of(stored):
            found.add(case.body.person)
        for link in stored.body.subjects():
            if link.kind is Kind.TENANCY and (tenancy := self.get(Tenancy, link.id)) is not None:
                found.add(tenancy.body.person)
        return frozenset(found)

    def subjects(self, stored: Stored[Body]) -> frozenset[str]:
        """Return the persons that a record is about."""
        found = {link.id for link in stored.body.subjects() if link.kind is Kind.PERSON}
        if stored.kind is Kind.PERSON:
            found.add(stored.id)
        for case in self._cases_of(stored, subjects=True):
            found.add(case.body.person)
        for link in stored.body.subjects():
            if link.kind is Kind.TENANCY and (tenancy := self.get(Tenancy, link.id)) is not None:
                found.add(tenancy.body.person)
        return frozenset(found)

    def _cases_of(self, stored: Stored[Body], *, subjects: bool = False) -> list[Stored[Case]]:
        links = stored.body.subjects() if subjects else stored.body.links()
        names = {link.id for link in links if link.kind is Kind.CASE}
        if stored.kind is Kind.CASE:
            names = {stored.id}
        return [case for name in sorted(names) if (case := self.get(Case, name)) is not None]

    def circumstances(self, stored: Stored[Body]) -> Circumstances:
        """Return what a record is about, as far as access depends on it."""
        cases = self._cases_of(stored, subjects=True)
        people = self.subjects(stored)
        if stored.kind is Kind.PERSON:
            cases = list(self.find(Case, Link(Kind.PERSON, stored.id)))
            cases = [case for case in cases if case.body.person == stored.id]
        heard: set[str] = set()
        barred: set[str] = set()
        for case in cases:
            named = Link(Kind.CASE, case.id)
            heard |= {h.body.scheme for h in self.find(Hearing, named, states={HearingState.OPEN})}
            barred |= case.body.barred
            for meeting in self.find(Meeting, named):
                barred |= {d.account for d in meeting.body.disqualified if d.case == case.id}
        return Circumstances(
            schemes=self._schemes(stored),
            heard_by=frozenset(heard),
            appealed=any(self._appealed(case.id) for case in cases),
            author=stored.id if stored.kind is Kind.ACCOUNT else _author(stored.body),
            strict=not people.isdisjoint(self.strict) or _is_restricted(stored.body),
            barred=frozenset(barred),
        )

    def _appealed(self, case: str) -> bool:
        open_ones = {AppealState.LODGED, AppealState.FORWARDED}
        return bool(self.find(Appeal, Link(Kind.CASE, case), states=open_ones))

    def _schemes(self, stored: Stored[Body]) -> frozenset[str]:
        if stored.kind is Kind.SCHEME:
            return frozenset({stored.id})
        if stored.kind is Kind.PERSON:
            homes = self.find(Tenancy, Link(Kind.PERSON, stored.id), states={"current"})
            return frozenset(home.body.scheme for home in homes if home.body.person == stored.id)
        found = {link.id for link in stored.body.subjects() if link.kind is Kind.SCHEME}
        for link in stored.body.subjects():
            if link.kind is Kind.TENANCY and (tenancy := self.get(Tenancy, link.id)) is not None:
                found.add(tenancy.body.scheme)
        return frozenset(found)

    def _shut_out(self, stored: Stored[Body]) -> bool:
        """Return whether the actor may not know that a record is there."""
        return shut_out(self.actor, self.circumstances(stored))

    def hidden(self) -> frozenset[Link]:
        """Return the records that the actor may not know of and that lists may mention.

        These are kode-6 people's, and the cases that the actor is barred or disqualified from.
        """
        if self._hidden is None:
            self._hidden = frozenset(self._barred() | self._strict_links())
        return self._hidden

    def _barred(self) -> set[Link]:
        me = self.actor.account
        cases = {case.id for case in self.find(Case, Link(Kind.ACCOUNT, me)) if me in case.body.barred}
        for meeting in self.find(Meeting, Link(Kind.ACCOUNT, me)):
            cases |= {entry.case for entry in meeting.body.disqualified if entry.account == me}
        return {Link(Kind.CASE, case) for case in cases}

    def _strict_links(self) -> set[Link]:
        if Clearance.KODE_6 in self.actor.cleared:
            return set()
        links = {Link(Kind.PERSON, person) for person in self.strict}
        for person in self.strict:
            for kind in (Case, Tenancy):
                links |= {Link(kind.kind, found.id) for found in self.find(kind, Link(Kind.PERSON, person))}
        return links


def _fields(body: Body) -> dict[str, Any]:
    return {name: getattr(body, name) for name in type(body).model_fields}


def _is_restricted(body: Body) -> bool:
    return isinstance(body, Meeting) and body.restricted


def _author(body: Body) -> str | None:
    for name in ("author", "made_by", "proposed_by", "asked_by"):
        value = getattr(body, name, None)
        if isinstance(value, str):
            return value
    return None
