"""People: registering them, what is known of them, and whom they are protected from.

A fact is new, confirmed anew or corrected; it can be disputed, and taken back by whoever gave it. Each time a
new version of the person is saved, and what rests on the fact is settled (:mod:`.clarifications`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from allocator.access.authorizer import Circumstances, sees
from allocator.casework.bodies import BODIES
from allocator.casework.cases import NearWish
from allocator.casework.codes import AddressProtection, ReviewKind
from allocator.casework.committee import Review
from allocator.casework.housing import Tenancy
from allocator.casework.merging import Fact, exchanged, holds, one_person, same_content
from allocator.casework.people import Person, Representative
from allocator.casework.records import Body, Kind, Link, Stored
from allocator.casework.relations import Conflict
from allocator.codes import FactStatus
from allocator.model import ApplicantFacts, Assessed, Id, Name, Text
from allocator.service import clarifications
from allocator.service.errors import ForbiddenError
from allocator.service.readings import Readings
from allocator.service.uses import Command, UseCase, acts, creates
from allocator.service.work import Work

if TYPE_CHECKING:
    FactName = str
else:
    FactName = Literal[tuple(ApplicantFacts.model_fields)]
"""A fact of a person, as the model names it."""

# ------------------------------------------------------------------------------------------- commands


class RegisterPerson(Command):
    """Somebody who is not registered yet, and what is known of them."""

    name: Name | None = None
    protection: AddressProtection = AddressProtection.UNGRADED
    language: Name | None = None
    interpreter: bool | None = None
    contact: Text | None = None
    works_here: bool | None = None
    representatives: tuple[Representative, ...] = Field(default=(), max_length=20)
    facts: ApplicantFacts = ApplicantFacts()


class IdentifyPerson(Command):
    """Who somebody is and how to reach them; what is left out stays as it is."""

    name: Name | None = None
    language: Name | None = None
    interpreter: bool | None = None
    contact: Text | None = None
    works_here: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("document", "at least one field")
        return self


class ProtectPerson(Command):
    """The protection of somebody's address; lowering it needs a reason."""

    protection: AddressProtection
    reason: Text | None = Field(default=None, min_length=1)


class RepresentPerson(Command):
    """All who act for somebody from now on."""

    representatives: tuple[Representative, ...] = Field(max_length=20)


class RecordFact(Command):
    """One fact, with where it comes from and how long it holds; a correction needs a reason."""

    facts: ApplicantFacts = Field(
        description="Exactly one fact.", json_schema_extra={"minProperties": 1, "maxProperties": 1}
    )
    reason: Text | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.facts.model_fields_set) != 1:
            raise PydanticCustomError("document", "exactly one fact")
        return self


class DisputeFact(Command):
    """Somebody says that a fact is wrong, and why."""

    name: FactName
    reason: Text = Field(min_length=1)


class WithdrawFact(Command):
    """The person takes back a fact, or their consent to keep it, or will not have it told."""

    name: FactName
    status: Literal[FactStatus.WITHDRAWN, FactStatus.REFUSED] = FactStatus.WITHDRAWN
    reason: Text | None = Field(default=None, min_length=1)


class MergePeople(Command):
    """Another record is of the same person; that is known from what the reason says."""

    other: Id
    reason: Text = Field(min_length=1)


# ------------------------------------------------------------------------------------- who somebody is


def register(work: Work, asked: RegisterPerson) -> Stored[Person]:
    """Register somebody, with what is known of them.

    Whoever is not cleared may register somebody who is kode 6, so that they are protected from the first
    moment, and does not see them afterwards.
    """
    work.allow(Circumstances())
    told = sorted(asked.facts.model_fields_set)
    _check_may(work, told, Circumstances())
    _check_days(work, asked.facts, told)
    return work.create(Person(**{name: getattr(asked, name) for name in RegisterPerson.model_fields}))


def identify(work: Work, asked: IdentifyPerson, person: Stored[Person]) -> Stored[Person]:
    """Write down who somebody is, how to reach them and how to speak with them."""
    _check_stands(work, person)
    return work.change(person, **{name: getattr(asked, name) for name in asked.model_fields_set})


def represent(work: Work, asked: RepresentPerson, person: Stored[Person]) -> Stored[Person]:
    """Write down who acts for somebody."""
    _check_stands(work, person)
    return work.change(person, representatives=asked.representatives)


def protect(work: Work, asked: ProtectPerson, person: Stored[Person]) -> Stored[Person]:
    """Raise or lower the protection of somebody's address, at once; what it bears on is looked at again.

    Whoever is not cleared may raise it to kode 6, and does not see the person from then on (REQ-K6-5).
    """
    _check_stands(work, person)
    grades = list(AddressProtection)
    if grades.index(asked.protection) < grades.index(person.body.protection) and asked.reason is None:
        work.wrong("/reason", "why the protection is lowered")
    return _protected(work, person, asked.protection)


def _protected(work: Work, person: Stored[Person], protection: AddressProtection) -> Stored[Person]:
    if person.body.protection is protection:
        return person
    changed = work.change(person, protection=protection)
    for earlier in work.find(Person, Link(Kind.PERSON, person.id)):
        work.change(earlier, protection=protection)
    clarifications.protection_changed(work, person.id)
    _plan_review(work, person.id)
    return changed


def _plan_review(work: Work, person: str) -> None:
    """Let somebody look today at what a change of protection bears on, the open case first."""
    waiting = work.find(Review, Link(Kind.PERSON, person), states={"due"})
    if any(review.body.what is ReviewKind.PROTECTION_CHANGED for review in waiting):
        return
    case = Readings(work, work.today).case_of(person)
    home = next((t for t in _homes(work, person)), None)
    work.create(
        Review(
            what=ReviewKind.PROTECTION_CHANGED,
            person=person,
            case=None if case is None else case.id,
            tenancy=None if home is None else home.id,
            by=work.today,
        )
    )


# ---------------------------------------------------------------------------------- what is known of them


def record_fact(work: Work, asked: RecordFact, person: Stored[Person]) -> Stored[Person]:
    """Write down one fact: a new one, one that is confirmed anew, or a correction with its reason."""
    (name,) = asked.facts.model_fields_set
    _check_fact(work, person, name)
    _check_days(work, asked.facts, (name,))
    old, new = _fact(person, name), getattr(asked.facts, name)
    if new.status in (FactStatus.DISPUTED, FactStatus.WITHDRAWN):
        work.wrong(f"/facts/{name}/status", "one of: `known`, `refused`, `not_asked`")
    if asked.reason is None and _corrects(work, old, new):
        work.refuse("fact-correction-needs-reason")
    return _with_fact(work, person, name, new)


def dispute_fact(work: Work, asked: DisputeFact, person: Stored[Person]) -> Stored[Person]:
    """Write down that a fact is disputed; it is kept, and not read until somebody has found out."""
    _check_fact(work, person, asked.name)
    fact = _fact(person, asked.name)
    if fact.status is not FactStatus.KNOWN:
        work.refuse("fact-not-known")
    return _with_fact(work, person, asked.name, fact.model_copy(update={"status": FactStatus.DISPUTED}))


def withdraw_fact(work: Work, asked: WithdrawFact, person: Stored[Person]) -> Stored[Person]:
    """Take back a fact, as the person wants: from now on it is not held any more."""
    _check_fact(work, person, asked.name)
    fact = _fact(person, asked.name)
    if asked.status is FactStatus.WITHDRAWN and fact.status not in (FactStatus.KNOWN, FactStatus.DISPUTED):
        work.refuse("fact-not-known")
    on: dict[str, Any] = {"recorded_on": work.today} if isinstance(fact, Assessed) else {}
    return _with_fact(work, person, asked.name, type(fact)(status=asked.status, **on))


def _fact(person: Stored[Person], name: str) -> Fact:
    fact: Fact = getattr(person.body.facts, name)
    return fact


def _with_fact(work: Work, person: Stored[Person], name: str, fact: Fact) -> Stored[Person]:
    changed = work.change(person, facts=person.body.facts.model_copy(update={name: fact}))
    clarifications.settle(work, person.id)
    return changed


def _corrects(work: Work, old: Fact, new: Fact) -> bool:
    """Return whether what was held until now is said to be wrong, or older than what is there."""
    if old.status is FactStatus.DISPUTED:
        return True
    if not holds(old, work.today):
        return False
    return new.status is not FactStatus.KNOWN or not same_content(old, new) or _told(new) < _told(old)


def _told(fact: Fact) -> Any:
    return fact.recorded_on if isinstance(fact, Assessed) else fact.assessed_on


def _check_fact(work: Work, person: Stored[Person], name: str) -> None:
    _check_may(work, (name,), work.circumstances(person))
    _check_stands(work, person)


def _check_may(work: Work, names: Iterable[str], about: Circumstances) -> None:
    """Refuse facts that the actor may not see of the person: who may not read a fact may not write it."""
    groups = sees(work.access, work.actor, Kind.PERSON, about).groups or frozenset()
    placed = work.access.fields[Kind.PERSON]
    if not groups.issuperset(placed[f"facts.{name}"] for name in names):
        raise ForbiddenError(work.use)


def _check_days(work: Work, facts: ApplicantFacts, names: Iterable[str]) -> None:
    for name in names:
        fact: Fact = getattr(facts, name)
        field = "recorded_on" if isinstance(fact, Assessed) else "assessed_on"
        told = _told(fact)
        if told is not None and told > work.today:
            work.wrong(f"/facts/{name}/{field}", "today or an earlier day")
    born = facts.birth_date.value
    if born is not None and born > work.today:
        work.wrong("/facts/birth_date/value", "today or an earlier day")


def _check_stands(work: Work, person: Stored[Person]) -> None:
    if person.body.merged_into is not None:
        work.refuse("person-merged")


# ------------------------------------------------------------------------------- two records, one person


def standing(work: Work, person: Stored[Person]) -> Stored[Person]:
    """Return the record that stands for a person, wherever it has been merged into."""
    while person.body.merged_into is not None:
        person = work.load(Person, person.body.merged_into)
    return person


def merge(work: Work, asked: MergePeople, person: Stored[Person]) -> Stored[Person]:
    """Make two records of one person one: all that pointed at the other points at this one (E-30)."""
    _check_stands(work, person)
    other = work.named(Person, asked.other, "/other")
    if other.id == person.id or other.body.merged_into is not None:
        work.wrong("/other", "another record that stands for the person")
    work.allow_with(other)
    now = Readings(work, work.today)
    if now.case_of(person.id) and now.case_of(other.id):
        work.refuse("merge-two-cases")
    if _homes(work, person.id) and _homes(work, other.id):
        work.refuse("merge-two-homes")
    whole = one_person(person.body, other.body, work.today)
    changed = work.change(person, **{**vars(whole), "protection": person.body.protection})
    work.change(other, **vars(Person(protection=whole.protection, merged_into=person.id)))
    for kind in BODIES.values():
        if kind.kind is not Kind.CLARIFICATION:
            for stored in work.find(kind, Link(Kind.PERSON, other.id)):
                _point(work, stored, other.id, person.id)
    changed = _protected(work, changed, whole.protection)
    clarifications.merged(work, other.id, person.id)
    clarifications.settle(work, person.id)
    return changed


def _point(work: Work, stored: Stored[Body], gone: str, stays: str) -> None:
    """Let a record point at the person who stays.

    What keeps the two records apart from each other cannot: it is left as it is, and the conflict officer is
    to look at it today. Whoever merges is not told of it, since they may not know of the conflict.
    """
    both = {Link(Kind.PERSON, gone), Link(Kind.PERSON, stays)} <= stored.body.links()
    if both and stored.kind in (Kind.CONFLICT, Kind.ORDER):
        if isinstance(stored.body, Conflict):
            work.change(stored, review_by=work.today)
        return
    fields = exchanged(stored.body, gone, stays)
    near = fields.get("near")
    if (
        isinstance(near, NearWish)
        and near.person == stays
        and stored.body.subjects() & {Link(Kind.PERSON, stays)}
    ):
        fields["near"] = None  # nobody can wish to live near themselves
    work.change(stored, **fields)


def _homes(work: Work, person: str) -> list[Stored[Tenancy]]:
    found = work.find(Tenancy, Link(Kind.PERSON, person), states={"current"})
    return [tenancy for tenancy in found if tenancy.body.person == person]


USES: tuple[UseCase[Any], ...] = (
    creates("people.register", Person, RegisterPerson, register),
    acts("people.identify", Person, IdentifyPerson, identify),
    acts("people.protect", Person, ProtectPerson, protect),
    acts("people.represent", Person, RepresentPerson, represent),
    acts("people.record_fact", Person, RecordFact, record_fact),
    acts("people.dispute_fact", Person, DisputeFact, dispute_fact),
    acts("people.withdraw_fact", Person, WithdrawFact, withdraw_fact),
    acts("people.merge", Person, MergePeople, merge),
)
