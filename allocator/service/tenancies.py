"""Tenancies: moving in, what is agreed, notice, absence, and moving out.

Who lives somewhere lives there until it is written down that they are out. Somebody has one home: moving
within the municipality ends the tenancy they had (E-10), and who shared it takes it over (E-09).
"""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from allocator.access.authorizer import Circumstances
from allocator.casework.agreements import WARNED_BEFORE, faults, review_of_end
from allocator.casework.cases import Case
from allocator.casework.codes import (
    ENDED_CASES,
    CaseState,
    DecisionType,
    EndReason,
    OfferState,
    ReviewKind,
)
from allocator.casework.committee import Decision, Offer, Review
from allocator.casework.days import day_before, months_after
from allocator.casework.housing import Absence, Agreement, Notice, Scheme, Tenancy, Unit
from allocator.casework.occupancy import is_held, lives_there, ready_from
from allocator.casework.people import Person
from allocator.casework.records import Kind, Link, Stored
from allocator.codes import AgreementForm
from allocator.model import ADULT_AGE, Day, Id, Text, age_on
from allocator.service import rechecks, suspensions
from allocator.service.clarifications import case_ended, settle
from allocator.service.endings import decisions_in_force, end_allotment, end_case
from allocator.service.housing import allotments, release_now, reservations_of, tenancies_in
from allocator.service.uses import Command, Nothing, UseCase, acts, creates
from allocator.service.work import Work

FOLLOW_UP_AFTER = 3
"""Months after moving in that somebody asks how it goes; a local choice."""

# -------------------------------------------------------------------------------------------- moving in


class MoveIn(Command):
    """Somebody has moved in: by a case, or, for the register's first filling, a person who lives there."""

    case: Id | None = Field(default=None, description="With an accepted offer, or placed in a crisis.")
    person: Id | None = None
    unit: Id | None = None
    moved_in: Day | None = Field(default=None, description="Missing means: before anybody wrote it down.")
    shares: Id | None = Field(default=None, description="The tenancy of the one whose unit they share.")
    agreement: Agreement | None = None

    @model_validator(mode="after")
    def _who(self) -> Self:
        by_case = self.case is not None and self.person is None and self.unit is None
        by_person = self.case is None and self.person is not None and self.unit is not None
        if not (by_case or by_person):
            raise PydanticCustomError("document", "either `case`, or `person` and `unit`")
        if by_case and self.moved_in is None:
            raise PydanticCustomError("document", "`moved_in` with a case")
        return self


def move_in(work: Work, asked: MoveIn) -> Stored[Tenancy]:
    """Write down that somebody has moved in, by an accepted offer or, as it was, for the register."""
    if asked.moved_in is not None and asked.moved_in > work.today:
        work.wrong("/moved_in", "today or an earlier day")
    return _first_filling(work, asked) if asked.case is None else _by_case(work, asked, asked.case)


def _first_filling(work: Work, asked: MoveIn) -> Stored[Tenancy]:
    """Write down who lives there already. What was agreed then is written down as it is."""
    assert asked.person is not None
    assert asked.unit is not None
    unit = work.named(Unit, asked.unit, "/unit")
    person = work.named(Person, asked.person, "/person")
    _allow(work, unit, person)
    if person.body.merged_into is not None:
        work.wrong("/person", "the record that stands for the person")
    _check_adult(work, person, asked.moved_in or work.today)
    homes = work.find(Tenancy, Link(Kind.PERSON, person.id))
    first = asked.moved_in or work.today
    if any(home.body.person == person.id and lives_there(home.body, first) for home in homes):
        work.refuse("has-a-home")
    if home_of(work, person.id) is not None:
        work.refuse("has-a-home")
    case = case_of(work, person.id)
    if case is not None and asked.moved_in is not None and asked.moved_in >= case.body.received_on:
        work.refuse("needs-decision")
    shared = _shared(work, asked, unit, None)
    _check_free(work, unit, asked.moved_in or work.today, shared, None)
    tenancy = work.create(_tenancy(asked, unit, person.id, None, None))
    _plan_reviews(work, tenancy, flagged=_faulty(work, tenancy, asked.agreement))
    settle(work, person.id, unit.id)
    return tenancy


def _by_case(work: Work, asked: MoveIn, case_id: str) -> Stored[Tenancy]:
    assert asked.moved_in is not None
    case = work.named(Case, case_id, "/case")
    decision = _decision_for(work, case)
    assert decision.body.unit is not None
    unit = work.load(Unit, decision.body.unit)
    _allow(work, unit, case)
    suspensions.check(work, decision)
    shared = _shared(work, asked, unit, case)
    in_crisis = case.body.state is CaseState.CRISIS
    _check_agreement(work, asked, unit, decision, in_crisis=in_crisis)
    person = work.load(Person, case.body.person)
    _check_adult(work, person, asked.moved_in)
    old = home_of(work, person.id)
    if old is not None:
        if in_crisis:
            work.refuse("crisis-keeps-home")
        if old.body.unit == unit.id:
            work.refuse("lives-there-already")
        if old.body.moved_in is not None and old.body.moved_in >= asked.moved_in:
            work.wrong("/moved_in", "a day after the person moved into the home they leave")
        end_tenancy(work, old, day_before(asked.moved_in), EndReason.TRANSFER)
    _check_free(work, unit, asked.moved_in, shared, decision)
    tenancy = work.create(_tenancy(asked, unit, person.id, case.id, decision.id))
    for used in decisions_in_force(work, case.id):
        end_allotment(work, used)
    if not in_crisis:
        work.change(case, state=CaseState.MOVED_IN)
    _plan_reviews(work, tenancy, flagged=False)
    case_ended(work, case.id)
    settle(work, person.id, unit.id)
    return tenancy


def _allow(work: Work, unit: Stored[Unit], who: Stored[Case] | Stored[Person]) -> None:
    about = work.circumstances(who)
    work.allow(Circumstances(frozenset({unit.body.scheme}), strict=about.strict, barred=about.barred))


def _tenancy(
    asked: MoveIn, unit: Stored[Unit], person: str, case: str | None, decision: str | None
) -> Tenancy:
    return Tenancy(
        person=person,
        unit=unit.id,
        scheme=unit.body.scheme,
        moved_in=asked.moved_in,
        shares=asked.shares,
        agreements=() if asked.agreement is None else (asked.agreement,),
        case=case,
        decision=decision,
    )


def home_of(work: Work, person: str) -> Stored[Tenancy] | None:
    """Return the tenancy of the home that somebody has now."""
    homes = work.find(Tenancy, Link(Kind.PERSON, person), states={"current"})
    return next((home for home in homes if home.body.person == person), None)


def case_of(work: Work, person: str) -> Stored[Case] | None:
    """Return the case in which somebody looks for a home."""
    running = set(CaseState) - ENDED_CASES
    cases = work.find(Case, Link(Kind.PERSON, person), states=running)
    return next((case for case in cases if case.body.person == person), None)


def _check_adult(work: Work, person: Stored[Person], day: date) -> None:
    born = person.body.facts.birth_date.value
    if born is not None and age_on(born, day) < ADULT_AGE:
        work.refuse("under-age")


def _decision_for(work: Work, case: Stored[Case]) -> Stored[Decision]:
    """Return the decision that gives the home."""
    in_force = decisions_in_force(work, case.id)
    if case.body.state is CaseState.CRISIS:
        own = [d for d in in_force if d.body.type is DecisionType.TEMPORARY]
    else:
        offers = work.find(Offer, Link(Kind.CASE, case.id), states={OfferState.ACCEPTED})
        accepted = {offer.body.decision for offer in offers}
        said_yes = case.body.state is CaseState.ACCEPTED
        own = [d for d in in_force if said_yes and d.id in accepted]
    if own:
        return own[0]
    work.allow_with(case)
    return work.refuse("no-accepted-offer")


def _shared(
    work: Work, asked: MoveIn, unit: Stored[Unit], case: Stored[Case] | None
) -> Stored[Tenancy] | None:
    """Return the tenancy of the one whose unit is shared; only those who applied together share one."""
    if asked.shares is None:
        return None
    host = work.named(Tenancy, asked.shares, "/shares")
    if host.body.moved_out is not None or host.body.shares is not None or host.body.unit != unit.id:
        work.wrong("/shares", "a current tenancy of the unit that shares nobody else's")
    theirs = work.get(Case, host.body.case)
    if case is None and theirs is None:
        return host  # who lived together before the register was filled had no cases here
    together = (
        case is not None
        and theirs is not None
        and case.body.together_with == theirs.id
        and theirs.body.together_with == case.id
    )
    if not together:
        work.refuse("not-together")
    return host


def _check_free(
    work: Work,
    unit: Stored[Unit],
    day: date,
    shared: Stored[Tenancy] | None,
    decision: Stored[Decision] | None,
) -> None:
    """Refuse a unit that is not ready, that somebody lives in, or that is held back for somebody else."""
    for other in tenancies_in(work, unit.id):
        of_household = shared is not None and shared.id in (other.id, other.body.shares)
        if not of_household and (other.body.moved_out is None or lives_there(other.body, day)):
            work.refuse("unit-lived-in")
    if ready_from(unit.body, day) != day:
        work.refuse("unit-not-ready")
    for taken in allotments(work, unit.id):
        ours = decision is not None and decision.id in (taken.id, taken.body.shares)
        if not ours and (decision is None or decision.body.shares != taken.id):
            work.refuse("unit-allotted")
    for reservation in reservations_of(work, unit.id):
        if decision is not None and reservation.body.case == decision.body.case:
            release_now(work, reservation)
        elif is_held(reservation.body, work.today):
            work.refuse("unit-reserved")


# ------------------------------------------------------------------------------------------ agreements


def _check_agreement(
    work: Work, asked: MoveIn, unit: Stored[Unit], decision: Stored[Decision], *, in_crisis: bool
) -> None:
    agreement = asked.agreement
    if in_crisis:
        until = decision.body.crisis_until
        if agreement is None:
            return
        late = until is not None and (agreement.ends_on or date.max) > until
        if agreement.form is not AgreementForm.EMERGENCY or late:
            work.refuse("crisis-agreement")
    if agreement is None:
        work.refuse("agreement-missing")
    _check_terms(work, unit, agreement, ())


def _check_terms(
    work: Work, unit: Stored[Unit], agreement: Agreement, earlier: tuple[Agreement, ...]
) -> None:
    if agreement.signed_on > work.today:
        work.wrong("/agreement/signed_on", "today or an earlier day")
    scheme = work.load(Scheme, unit.body.scheme)
    for fault in faults(agreement, earlier, scheme.body.facts, unit.body.facts):
        work.refuse(fault.value)


def _faulty(work: Work, tenancy: Stored[Tenancy], agreement: Agreement | None) -> bool:
    if agreement is None:
        return False
    scheme, unit = work.load(Scheme, tenancy.body.scheme), work.load(Unit, tenancy.body.unit)
    return any(faults(agreement, (), scheme.body.facts, unit.body.facts))


def _plan_reviews(work: Work, tenancy: Stored[Tenancy], *, flagged: bool) -> None:
    """Plan the follow-up after moving in, and what comes before an agreement ends."""
    moved_in = tenancy.body.moved_in
    if moved_in is not None and months_after(moved_in, FOLLOW_UP_AFTER) >= work.today:
        _plan(work, tenancy, ReviewKind.FOLLOW_UP, months_after(moved_in, FOLLOW_UP_AFTER))
    if flagged:
        _plan(work, tenancy, ReviewKind.AGREEMENT_STEP, work.today)
    else:
        _plan_end(work, tenancy)


def _plan_end(work: Work, tenancy: Stored[Tenancy]) -> None:
    for agreement in tenancy.body.agreements[-1:]:
        if agreement.ends_on is not None:
            ahead = WARNED_BEFORE.get(agreement.form, WARNED_BEFORE[AgreementForm.TENANCY_FIXED])
            by = max(work.today, agreement.ends_on - ahead)
            _plan(work, tenancy, review_of_end(agreement), by)


def _plan(work: Work, tenancy: Stored[Tenancy], what: ReviewKind, by: date) -> None:
    body = tenancy.body
    work.create(Review(what=what, case=body.case, tenancy=tenancy.id, decision=body.decision, by=by))


def _drop_reviews(work: Work, tenancy: Stored[Tenancy], kinds: frozenset[ReviewKind], by: str | None) -> None:
    """Take planned reviews off the lists; without `by` there is no more to look at."""
    for review in work.find(Review, Link(Kind.TENANCY, tenancy.id), states={"due"}):
        if review.body.tenancy == tenancy.id and review.body.what in kinds:
            work.change(review, held_on=work.today, held_by=by)


class Agree(Command):
    """An agreement that was signed for a tenancy."""

    agreement: Agreement


_OF_AGREEMENT = frozenset({ReviewKind.AGREEMENT_STEP, ReviewKind.STAY_ENDS})
_OF_TENANCY = _OF_AGREEMENT | {ReviewKind.FOLLOW_UP}


def agree(work: Work, asked: Agree, tenancy: Stored[Tenancy]) -> Stored[Tenancy]:
    """Write down an agreement that was signed after the last one, with the reminder before it ends."""
    _check_current(work, tenancy)
    earlier = tenancy.body.agreements
    if earlier and asked.agreement.starts_on <= earlier[-1].starts_on:
        work.wrong("/agreement/starts_on", "a day after the last agreement began")
    _check_terms(work, work.load(Unit, tenancy.body.unit), asked.agreement, earlier)
    changed = work.change(tenancy, agreements=(*earlier, asked.agreement))
    _drop_reviews(work, changed, _OF_AGREEMENT, work.actor.account)
    _plan_end(work, changed)
    return changed


def _check_current(work: Work, tenancy: Stored[Tenancy]) -> None:
    if tenancy.body.moved_out is not None:
        work.refuse("tenancy-ended")


# -------------------------------------------------------------------------------------- notice, absence


class GiveNotice(Command):
    """Notice to quit: when it was given, by whom, and the last day in the unit."""

    given_on: Day
    move_out: Day
    by_resident: bool


class NoteAbsence(Command):
    """Somebody is away; without `absence`, that they are back."""

    absence: Absence | None = None


def give_notice(work: Work, asked: GiveNotice, tenancy: Stored[Tenancy]) -> Stored[Tenancy]:
    """Write down notice to quit; the unit is not vacant before they are out (E-11)."""
    _check_current(work, tenancy)
    if tenancy.body.notice is not None:
        work.refuse("notice-given-already")
    if asked.given_on > work.today:
        work.wrong("/given_on", "today or an earlier day")
    if asked.move_out < asked.given_on:
        work.wrong("/move_out", "a day on or after `given_on`")
    if tenancy.body.moved_in is not None and asked.move_out < tenancy.body.moved_in:
        work.wrong("/move_out", "a day on or after they moved in")
    notice = Notice(given_on=asked.given_on, move_out=asked.move_out, by_resident=asked.by_resident)
    return _changed(work, tenancy, notice=notice)


def _changed(work: Work, tenancy: Stored[Tenancy], **fields: Any) -> Stored[Tenancy]:
    changed = work.change(tenancy, **fields)
    settle(work, tenancy.body.person, tenancy.body.unit)
    return changed


def take_back_notice(work: Work, _asked: Nothing, tenancy: Stored[Tenancy]) -> Stored[Tenancy]:
    """Take notice back, unless the unit has been promised to somebody else meanwhile."""
    _check_current(work, tenancy)
    if tenancy.body.notice is None:
        work.refuse("no-notice")
    if allotments(work, tenancy.body.unit):
        work.refuse("unit-promised")
    return _changed(work, tenancy, notice=None)


def note_absence(work: Work, asked: NoteAbsence, tenancy: Stored[Tenancy]) -> Stored[Tenancy]:
    """Write down that a resident is away or back; whoever is away lives there all the same (E-12)."""
    _check_current(work, tenancy)
    if asked.absence is not None and asked.absence.since > work.today:
        work.wrong("/absence/since", "today or an earlier day")
    return work.change(tenancy, absence=asked.absence)


# ------------------------------------------------------------------------------------------- moving out


class MoveOut(Command):
    """Somebody no longer lives in a unit."""

    moved_out: Day = Field(description="Last day they lived there.")
    end_reason: EndReason
    reason: Text | None = None


def move_out(work: Work, asked: MoveOut, tenancy: Stored[Tenancy]) -> Stored[Tenancy]:
    """Write down that somebody is out; who shared the unit takes it over."""
    _check_current(work, tenancy)
    if asked.moved_out > work.today:
        work.wrong("/moved_out", "today or an earlier day")
    if tenancy.body.moved_in is not None and asked.moved_out < tenancy.body.moved_in:
        work.wrong("/moved_out", "a day on or after they moved in")
    ended = end_tenancy(work, tenancy, asked.moved_out, asked.end_reason)
    if asked.end_reason is EndReason.DEATH:
        case = case_of(work, tenancy.body.person)
        if case is not None:
            end_case(work, case, CaseState.CLOSED, asked.reason or EndReason.DEATH.value)
    return ended


def end_tenancy(work: Work, tenancy: Stored[Tenancy], last: date, reason: EndReason) -> Stored[Tenancy]:
    """End a tenancy; the one who has shared the unit longest takes it over, the others share with them."""
    ended = work.change(tenancy, moved_out=last, end_reason=reason)
    sharing = [t for t in tenancies_in(work, tenancy.body.unit) if t.body.shares == tenancy.id]
    sharing = [other for other in sharing if other.body.moved_out is None]
    sharing.sort(key=lambda other: (other.body.moved_in or date.min, other.id))
    for other in sharing:
        work.change(other, shares=None if other is sharing[0] else sharing[0].id)
    _drop_reviews(work, ended, _OF_TENANCY, None)
    rechecks.moved_out(work, ended)
    settle(work, tenancy.body.person, tenancy.body.unit)
    return ended


USES: tuple[UseCase[Any], ...] = (
    creates("tenancies.move_in", Tenancy, MoveIn, move_in),
    acts("tenancies.agree", Tenancy, Agree, agree),
    acts("tenancies.give_notice", Tenancy, GiveNotice, give_notice),
    acts("tenancies.take_back_notice", Tenancy, Nothing, take_back_notice),
    acts("tenancies.note_absence", Tenancy, NoteAbsence, note_absence),
    acts("tenancies.move_out", Tenancy, MoveOut, move_out),
)
