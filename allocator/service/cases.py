"""Cases: from the application to the waiting list, those who apply together, and what happens in a crisis.

Later steps are taken by suggestions, hearings, meetings, decisions, offers and moving in. The place on the
waiting list is the day it counts from (`waiting_since`); nothing here changes that day.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from pydantic import Field

from allocator.access.authorizer import may
from allocator.casework.cases import Case, NearWish
from allocator.casework.codes import (
    ENDED_CASES,
    CaseOrigin,
    CaseState,
    DecisionOutcome,
    DecisionState,
    DecisionType,
    ReservationReason,
    ReviewKind,
)
from allocator.casework.committee import Decision, Deviation, Rested, Review
from allocator.casework.days import day_after
from allocator.casework.housing import Scheme, Unit, UnitReservation
from allocator.casework.law import DECISION_LAW
from allocator.casework.offices import Account
from allocator.casework.people import Person
from allocator.casework.records import AccountId, Kind, Link, Stored
from allocator.casework.snapshot import Register
from allocator.casework.voice import Hearing
from allocator.codes import AgreementForm, FactStatus, PlacementKind, UnitStatus
from allocator.model import ADULT_AGE, Day, Id, MunicipalityCode, Name, Placement, Text, Wishes, age_on
from allocator.service import weighing
from allocator.service.allotments import check_apart
from allocator.service.clarifications import needed, settle
from allocator.service.decisions import CRISIS_DAYS, Reason
from allocator.service.endings import decisions_in_force, end_case
from allocator.service.errors import ForbiddenError
from allocator.service.housing import allotments, held, release_now, state_today
from allocator.service.readings import whole
from allocator.service.tenancies import case_of, home_of
from allocator.service.uses import Command, Nothing, UseCase, acts, creates
from allocator.service.weighing import Said, Weighed
from allocator.service.work import Work

HEARD_WITHIN = timedelta(days=7)
"""How long a scheme has to answer after a crisis placement; a local choice."""

BEFORE_DECISION = frozenset(
    {
        CaseState.RECEIVED,
        CaseState.ASSESSMENT,
        CaseState.ASSISTANCE_ASSESSED,
        CaseState.WAITING_LIST,
        CaseState.SUGGESTED,
        CaseState.HEARING,
        CaseState.MEETING,
    }
)
"""States in which nobody has decided yet."""


_LISTED_FROM = frozenset(
    {CaseState.ASSISTANCE_ASSESSED, CaseState.WAITING_LIST, CaseState.SUGGESTED, CaseState.CRISIS}
)
"""States from which a case comes on the waiting list, or back to it."""


class Reasoned(Command):
    """Why it is done."""

    reason: Text = Field(min_length=1)


class OnDay(Command):
    """The day it was done, when that is not today."""

    on: Day | None = None


def _check_running(work: Work, case: Stored[Case]) -> None:
    if case.body.state in ENDED_CASES:
        work.refuse("case-ended")


def _check_state(work: Work, case: Stored[Case], *states: CaseState) -> None:
    _check_running(work, case)
    if case.body.state not in states:
        work.refuse("case-state")


def _day(work: Work, asked: OnDay, case: Stored[Case]) -> date:
    """Return the day something was done: not before the case began, and not ahead."""
    day = asked.on or work.today
    if not case.body.received_on <= day <= work.today:
        work.wrong("/on", "a day from `received_on` to today")
    return day


# ------------------------------------------------------------------------------------------ first steps


class OpenCase(Command):
    """An application, a notice of discharge, or what else makes a case begin."""

    person: Id
    origin: CaseOrigin = CaseOrigin.APPLICATION
    received_on: Day
    waiting_since: Day | None = Field(
        default=None, description="Missing means: from `received_on`. Earlier for who has waited elsewhere."
    )
    decision_types: frozenset[DecisionType] = Field(
        default=frozenset({DecisionType.ALLOCATION}), min_length=1
    )
    wishes: Wishes | None = None
    placement: Placement = Placement()
    handled_by: Name | None = None
    responsible_municipality: MunicipalityCode | None = None


class AskFor(Command):
    """What is asked for: when and for how long, and which decisions."""

    placement: Placement
    decision_types: frozenset[DecisionType] | None = Field(default=None, min_length=1)


class SayWishes(Command):
    """The applicant's own say."""

    wishes: Wishes


def open_case(work: Work, asked: OpenCase) -> Stored[Case]:
    """Open a case for an adult who has none running."""
    person = work.named(Person, asked.person, "/person")
    work.allow_with(person)
    if person.body.merged_into is not None:
        work.wrong("/person", "the record that stands for the person")
    born = person.body.facts.birth_date.value
    if born is not None and age_on(born, work.today) < ADULT_AGE:
        work.refuse("under-age")
    if asked.received_on > work.today:
        work.wrong("/received_on", "today or an earlier day")
    waiting_since = asked.waiting_since or asked.received_on
    if waiting_since > asked.received_on:
        work.wrong("/waiting_since", "a day on or before `received_on`")
    if case_of(work, person.id) is not None:
        work.refuse("has-a-case")
    if asked.origin is CaseOrigin.TRANSFER and home_of(work, person.id) is None:
        work.refuse("transfer-needs-home")
    _check_wishes(work, asked.wishes)
    _check_placement(work, asked.placement)
    said = {name: getattr(asked, name) for name in OpenCase.model_fields}
    return work.create(Case(**{**said, "waiting_since": waiting_since}))


def _check_wishes(work: Work, wishes: Wishes | None) -> None:
    if wishes is None:
        return
    if wishes.obtained_on > work.today:
        work.wrong("/wishes/obtained_on", "today or an earlier day")
    for i, wish in enumerate(wishes.preferred):
        work.named(Scheme, wish.scheme, f"/wishes/preferred/{i}/scheme")
    for i, said in enumerate(wishes.reservations):
        work.named(Scheme, said.scheme, f"/wishes/reservations/{i}/scheme")


def _check_placement(work: Work, placement: Placement) -> None:
    if placement.kind is PlacementKind.CRISIS:
        work.wrong("/placement/kind", "`ordinary`; a crisis placement is made, not asked for")
    for name in ("stay", "stay_months"):
        recorded = getattr(placement, name).recorded_on
        if recorded is not None and recorded > work.today:
            work.wrong(f"/placement/{name}/recorded_on", "today or an earlier day")


def check_protection(work: Work, asked: OnDay, case: Stored[Case]) -> Stored[Case]:
    """Write down that address protection was looked up; before that, nothing is assessed."""
    _check_running(work, case)
    return work.change(case, protection_checked_on=_day(work, asked, case))


def reply_preliminarily(work: Work, asked: OnDay, case: Stored[Case]) -> Stored[Case]:
    """Write down that a preliminary reply was sent, due one month after the application (REQ-BSL-1)."""
    _check_state(work, case, *BEFORE_DECISION, CaseState.CRISIS)
    if case.body.preliminary_reply_on is not None:
        work.refuse("replied-already")
    return work.change(case, preliminary_reply_on=_day(work, asked, case))


def ask_for(work: Work, asked: AskFor, case: Stored[Case]) -> Stored[Case]:
    """Write down when and for how long a home is needed, and which decisions are asked for."""
    _check_running(work, case)
    _check_placement(work, asked.placement)
    if case.body.state is CaseState.CRISIS:
        work.refuse("case-state")  # until the assessment begins, the crisis is what is asked for
    types = case.body.decision_types if asked.decision_types is None else asked.decision_types
    changed = work.change(case, placement=asked.placement, decision_types=types)
    settle(work, case.body.person)
    return changed


def wish(work: Work, asked: SayWishes, case: Stored[Case]) -> Stored[Case]:
    """Write down where the applicant wants to live and does not, in the newest version."""
    _check_running(work, case)
    _check_wishes(work, asked.wishes)
    changed = work.change(case, wishes=asked.wishes)
    settle(work, case.body.person)
    return changed


# ------------------------------------------------------------------------------- assessment, waiting list


class Assess(OnDay):
    """The assessment is complete; or `reason` lists what is missing."""

    reason: Text | None = Field(default=None, description="What is missing, and why it cannot be had now.")


class ListCase(Reasoned):
    """The priority ground, and until when what it was made on holds."""

    premises_valid_until: Day


def begin_assessment(work: Work, _asked: Nothing, case: Stored[Case]) -> Stored[Case]:
    """Begin the assessment; after a crisis placement, of what comes after it."""
    _check_state(work, case, CaseState.RECEIVED, CaseState.CRISIS)
    if case.body.protection_checked_on is None:
        work.refuse("protection-not-checked")
    person = work.load(Person, case.body.person)
    if person.body.works_here and case.body.handled_by is None:
        work.refuse("hand-over-first")
    placement = case.body.placement.model_copy(update={"kind": PlacementKind.ORDINARY, "review_by": None})
    return work.change(case, state=CaseState.ASSESSMENT, placement=placement)


def assess(work: Work, asked: Assess, case: Stored[Case]) -> Stored[Case]:
    """Close the assessment: it is complete, or what is missing is listed."""
    _check_state(work, case, CaseState.ASSESSMENT)
    needs = work.load(Person, case.body.person).body.facts.needs
    if asked.reason is None and (case.body.wishes is None or needs.status is FactStatus.NOT_ASKED):
        work.refuse("assessment-incomplete")
    day = _day(work, asked, case)
    return work.change(case, state=CaseState.ASSISTANCE_ASSESSED, assessed_on=day)


def list_case(work: Work, asked: ListCase, case: Stored[Case]) -> Stored[Case]:
    """Put a case on the waiting list, or say that what it was listed on still holds."""
    _check_state(
        work,
        case,
        CaseState.ASSISTANCE_ASSESSED,
        CaseState.WAITING_LIST,
        CaseState.SUGGESTED,
        CaseState.CRISIS,
    )
    if case.body.state is CaseState.CRISIS and case.body.listed_on is None:
        work.refuse("case-state")  # who was on the list before the crisis is put back; others are assessed
    if asked.premises_valid_until < work.today:
        work.wrong("/premises_valid_until", "today or a later day")
    if DecisionType.ASSISTANCE in case.body.decision_types and not _assistance_granted(work, case):
        work.refuse("assistance-not-decided")
    return work.change(
        case,
        state=CaseState.WAITING_LIST,
        placement=case.body.placement.model_copy(update={"kind": PlacementKind.ORDINARY, "review_by": None}),
        listed_on=case.body.listed_on or work.today,
        premises_valid_until=asked.premises_valid_until,
    )


def _assistance_granted(work: Work, case: Stored[Case]) -> bool:
    made = work.find(Decision, Link(Kind.CASE, case.id), states={DecisionState.MADE})
    of_case = [d.body for d in made if d.body.case == case.id and d.body.type is DecisionType.ASSISTANCE]
    return any(decision.outcome is DecisionOutcome.GRANTED for decision in of_case)


# ------------------------------------------------------------------------------------ together, and near


class ApplyTogether(Command):
    """The case of the one they apply with."""

    other: Id


class WishNear(Command):
    """Somebody they wish to live near; without one, the wish is taken back."""

    person: Id | None = None


class AnswerNear(Command):
    """What the one they wish to live near said to staff."""

    asked_on: Day
    consents: bool


def apply_together(work: Work, asked: ApplyTogether, case: Stored[Case]) -> Stored[Case]:
    """Join two cases: they look for one home together, and each is assessed alone as well (E-09)."""
    other = work.named(Case, asked.other, "/other")
    if not may(work.access, work.actor, work.use, work.circumstances(other)):
        raise ForbiddenError(work.use)
    if other.body.person == case.body.person:
        work.wrong("/other", "the case of somebody else")
    for one in (case, other):
        _check_state(work, one, *BEFORE_DECISION)
        if one.body.together_with is not None:
            work.refuse("together-already")
    work.change(other, together_with=case.id)
    return work.change(case, together_with=other.id)


def part(work: Work, _asked: Nothing, case: Stored[Case]) -> Stored[Case]:
    """Part two cases; either of them may want it, and both keep their places."""
    other = work.get(Case, case.body.together_with)
    if other is None or Link(Kind.CASE, other.id) in work.hidden():
        work.refuse("not-together")
    work.change(other, together_with=None)
    return work.change(case, together_with=None)


def wish_near(work: Work, asked: WishNear, case: Stored[Case]) -> Stored[Case]:
    """Write down a wish to live near a resident; it counts only with that person's yes (E-26)."""
    _check_running(work, case)
    if asked.person is None:
        return work.change(case, near=None)
    friend = work.named(Person, asked.person, "/person")
    if friend.id == case.body.person or home_of(work, friend.id) is None:
        work.wrong("/person", "somebody else, who lives in a scheme")
    if case.body.near is not None and case.body.near.person == friend.id:
        return case  # asking again would lose the answer
    return work.change(case, near=NearWish(person=friend.id))


def answer_near(work: Work, asked: AnswerNear, case: Stored[Case]) -> Stored[Case]:
    """Write down what the resident answered; they may say something else later."""
    _check_running(work, case)
    near = case.body.near
    if near is None:
        work.refuse("no-near-wish")
    if asked.asked_on > work.today:
        work.wrong("/asked_on", "today or an earlier day")
    return work.change(
        case, near=NearWish(person=near.person, asked_on=asked.asked_on, consents=asked.consents)
    )


# ----------------------------------------------------------------------------------------- who handles it


class Bar(Reasoned):
    """Accounts that may not see the case, and those that may again."""

    bar: frozenset[AccountId] = frozenset()
    admit: frozenset[AccountId] = frozenset()


class HandOver(Reasoned):
    """Another unit of the municipality that handles the case, or another municipality that pays."""

    handled_by: Name | None = None
    responsible_municipality: MunicipalityCode | None = None


def bar(work: Work, asked: Bar, case: Stored[Case]) -> Stored[Case]:
    """Shut accounts out of a case that they may not handle (E-28); for them it is no longer there."""
    for account in sorted(asked.bar):
        work.named(Account, account, "/bar")
    if asked.bar & asked.admit:
        work.wrong("/admit", "other accounts than `bar`")
    return work.change(case, barred=(case.body.barred | asked.bar) - asked.admit)


def hand_over(work: Work, asked: HandOver, case: Stored[Case]) -> Stored[Case]:
    """Hand a case over to another unit, as for somebody who works here (E-29), or say who pays (E-31)."""
    _check_running(work, case)
    if asked.handled_by is None and asked.responsible_municipality is None:
        work.wrong("/handled_by", "who handles it, or `responsible_municipality`")
    return work.change(
        case,
        handled_by=asked.handled_by or case.body.handled_by,
        responsible_municipality=asked.responsible_municipality or case.body.responsible_municipality,
    )


# ------------------------------------------------------------------------------------------------ endings


def withdraw(work: Work, asked: Reasoned, case: Stored[Case]) -> Stored[Case]:
    """End a case since the applicant no longer wants it."""
    _check_running(work, case)
    return end_case(work, case, CaseState.WITHDRAWN, asked.reason)


def close(work: Work, asked: Reasoned, case: Stored[Case]) -> Stored[Case]:
    """End a case, with the questions, hearings and offers that wait in it; or lay it away after moving in."""
    if case.body.state in (CaseState.CLOSED, CaseState.WITHDRAWN):
        work.refuse("case-ended")
    return end_case(work, case, CaseState.CLOSED, asked.reason)


# ------------------------------------------------------------------------------------------------- crisis


class PlaceInCrisis(Reasoned):
    """A roof at once: where, why, until when, and when it is looked at again.

    Attributes:
        deviation: Needed where something that members read advises against the unit.
        sealed_deviation: Needed, from the cleared, where something speaks against it that only they read.
    """

    unit: Id
    review_by: Day
    until: Day = Field(description="Last day of the placement.")
    answer_by: Day | None = Field(default=None, description="When the scheme answers; missing: in a week.")
    deviation: Reason | None = None
    sealed_deviation: Reason | None = None


def _weigh_crisis(work: Work, asked: PlaceInCrisis, case: Stored[Case]) -> Weighed | None:
    """Ask the engine about the unit, as things would stand."""
    _check_state(work, case, *BEFORE_DECISION)
    return weigh_crisis(work, case, work.named(Unit, asked.unit, "/unit"), asked.review_by)


def weigh_crisis(work: Work, case: Stored[Case], unit: Stored[Unit], review_by: date) -> Weighed | None:
    """Ask the engine about a unit in a crisis: what is held back for emergencies is free.

    Args:
        work: The work.
        case: The case.
        unit: The unit.
        review_by: When the placement is looked at again.
    """
    freed = to_release(work, case, unit)
    placed = replace(
        case, body=case.body.model_copy(update={"placement": _crisis_placement(review_by, case)})
    )

    def supposing(records: Register) -> Register:
        return replace(
            records,
            cases=[placed if other.id == case.id else other for other in records.cases],
            reservations=[r for r in records.reservations if freed is None or r.id != freed.id],
        )

    return weighing.weigh(work, case.id, unit.id, None, supposing)


def place_in_crisis(work: Work, asked: PlaceInCrisis, case: Stored[Case]) -> Stored[Case]:
    """Place somebody in a crisis: decided at once, with an end, heard afterwards, looked at the next day.

    One person decides it, and another looks at it the next day. The rules are asked all the same: what may
    not be overruled bars the unit, and what nobody knows is listed in the decision and asked for afterwards
    (E-22). The place on the waiting list is kept.
    """
    _check_state(work, case, *BEFORE_DECISION)
    unit = work.named(Unit, asked.unit, "/unit")
    longest = work.today + timedelta(days=CRISIS_DAYS)
    if asked.until > longest:
        work.wrong("/until", "a day until {last}", last=longest)
    if not work.today < asked.review_by <= asked.until:
        work.wrong("/review_by", "a day after today, on or before `until`")
    answer_by = asked.answer_by or work.today + HEARD_WITHIN
    if answer_by < work.today:
        work.wrong("/answer_by", "today or a later day")
    check_no_place(work, case)
    weighed = _checked_for_safety(work, asked, case, unit)
    decision = work.create(_crisis_decision(work, asked, case, unit, weighed))
    work.create(
        Hearing(
            case=case.id,
            scheme=unit.body.scheme,
            units=(unit.id,),
            sent_on=work.today,
            deadline=answer_by,
            after_the_fact=True,
        )
    )
    for day in sorted({day_after(work.today), asked.review_by}):
        work.create(Review(what=ReviewKind.CRISIS, case=case.id, decision=decision.id, by=day))
    placed = work.change(case, state=CaseState.CRISIS, placement=_crisis_placement(asked.review_by, case))
    needed(work, case.id, weighed.exact.missing)
    return placed


def _crisis_placement(review_by: date, case: Stored[Case]) -> Placement:
    return case.body.placement.model_copy(update={"kind": PlacementKind.CRISIS, "review_by": review_by})


def _crisis_decision(
    work: Work, asked: PlaceInCrisis, case: Stored[Case], unit: Stored[Unit], weighed: Weighed
) -> Decision:
    law = DECISION_LAW[DecisionType.TEMPORARY]
    deviation = None
    if asked.deviation is not None:
        verdict, rules = weighed.told["verdict"], weighing.told_rules(weighed)
        deviation = Deviation(reason=asked.deviation, verdict=verdict, rules=rules)
    return Decision(
        type=DecisionType.TEMPORARY,
        case=case.id,
        outcome=DecisionOutcome.ALLOCATED,
        unit=unit.id,
        scheme=unit.body.scheme,
        grounds=asked.reason,
        told_sha256=weighed.told_sha256,
        judged_sha256=weighed.judged_sha256,
        deviation=deviation,
        sealed_deviation=asked.sealed_deviation if weighed.cleared else None,
        agreement=AgreementForm.EMERGENCY,
        law=law.refs,
        appeal_body=law.body,
        appeal_weeks=law.weeks,
        rests_on=weighed.exact.rests_on,
        missing=tuple(Rested(of=of, path=path) for of, path in _lacking(weighed)),
        crisis_until=asked.until,
        state=DecisionState.MADE,
        proposed_by=work.actor.account,
        proposed_on=work.today,
        made_on=work.today,
    )


def _lacking(weighed: Weighed) -> list[tuple[str, str]]:
    """Return what nobody knows, each fact once however many of its values are asked about."""
    return sorted({(of, whole(path)) for of, path, _ in weighed.exact.missing})


def to_release(work: Work, case: Stored[Case], unit: Stored[Unit]) -> Stored[UnitReservation] | None:
    """Return the reservation that a crisis placement ends: one for emergencies, or for this very case."""
    reservation = held(work, unit.id)
    if reservation is None or allotments(work, unit.id):
        return None
    for_this = reservation.body.case == case.id
    return reservation if reservation.body.reason is ReservationReason.EMERGENCY or for_this else None


def check_free(work: Work, case: Stored[Case], unit: Stored[Unit]) -> None:
    """Refuse a unit in which nobody can be placed tonight; a reservation that would end does not hold it."""
    state = state_today(work, unit, without=to_release(work, case, unit))
    if state.status is not UnitStatus.VACANT:
        work.refuse("unit-not-free")


def check_no_place(work: Work, case: Stored[Case]) -> None:
    """Refuse to place somebody who has a place already."""
    if decisions_in_force(work, case.id):
        work.refuse("has-a-place")


def _checked_for_safety(work: Work, asked: PlaceInCrisis, case: Stored[Case], unit: Stored[Unit]) -> Weighed:
    """Refuse a crisis placement that the rules bar, or in a unit that is not free (E-22).

    Nobody is placed near somebody they must be kept apart from who was given a unit there and has not moved
    in. Whoever may not know of what bars the unit is told what fits any cause.
    """
    check_free(work, case, unit)
    reservation = to_release(work, case, unit)
    if reservation is not None:
        release_now(work, reservation)
    weighed: Weighed | None = work.prepared
    said = Said(asked.deviation, asked.sealed_deviation, None)
    weighing.check(work, weighed, said, crisis=True)
    assert weighed is not None
    check_apart(work, case, unit)
    return weighed


USES: tuple[UseCase[Any], ...] = (
    creates("cases.open", Case, OpenCase, open_case),
    acts("cases.check_protection", Case, OnDay, check_protection),
    acts("cases.reply_preliminarily", Case, OnDay, reply_preliminarily),
    acts("cases.ask_for", Case, AskFor, ask_for),
    acts("cases.wish", Case, SayWishes, wish),
    acts("cases.begin_assessment", Case, Nothing, begin_assessment),
    acts("cases.assess", Case, Assess, assess),
    acts("cases.list", Case, ListCase, list_case),
    acts("cases.apply_together", Case, ApplyTogether, apply_together),
    acts("cases.part", Case, Nothing, part),
    acts("cases.wish_near", Case, WishNear, wish_near),
    acts("cases.answer_near", Case, AnswerNear, answer_near),
    acts("cases.bar", Case, Bar, bar),
    acts("cases.hand_over", Case, HandOver, hand_over),
    acts("cases.withdraw", Case, Reasoned, withdraw),
    acts("cases.close", Case, Reasoned, close),
    acts("cases.place_in_crisis", Case, PlaceInCrisis, place_in_crisis, _weigh_crisis),
)
