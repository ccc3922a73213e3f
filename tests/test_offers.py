"""Offers: who is told, what a no costs, and what silence means; and reviews."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from allocator.casework.cases import Case
from allocator.casework.codes import (
    CaseState,
    Consequence,
    DecisionState,
    OfferState,
    RefusalBy,
    RefusalReason,
    RepresentativeKind,
    ReviewKind,
    Role,
)
from allocator.casework.committee import Decision, Offer, Rested, Review
from allocator.casework.people import Person, Representative
from allocator.casework.records import Kind
from allocator.service.errors import ForbiddenError, RefusalError
from allocator.service.offers import (
    RefuseOffer,
    RemindOffer,
    ResumeOffer,
    SendOffer,
    refusals,
)
from allocator.service.reviews import HoldReview, PlanReview
from allocator.service.uses import Nothing
from allocator.service.work import Work
from tests.databases import BACKENDS
from tests.decided import Decided
from tests.office import TODAY

TOLD = "Et nei koster ikke plassen på ventelista."


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Decided]:
    """An office with a decision that gives a unit, on each kind of database."""
    made = Decided(request.param)
    yield made
    made.close()


def refused(code: str) -> pytest.RaisesExc[RefusalError]:
    """Expect a refusal with a code."""
    return pytest.raises(RefusalError, match=f"^{code}$")


def offering(**more: Any) -> SendOffer:
    """Return what is sent."""
    said: dict[str, Any] = {
        "decision": "V-1",
        "deadline": TODAY + timedelta(days=7),
        "told": TOLD,
        "recipients": ("Søkeren",),
    }
    return SendOffer(**{**said, **more})


def sent(office: Decided, **more: Any) -> str:
    """Send an offer, and return its id."""
    return office.run(office.worker, "offers.send", offering(**more)).stored.id


def test_an_offer_is_sent_and_accepted(office: Decided) -> None:
    """The case follows; the unit is held until somebody moves in."""
    offer = sent(office, viewing_on=TODAY + timedelta(days=2))
    assert office.state("S-1") is CaseState.OFFERED
    with refused("case-not-decided"):
        sent(office)

    office.run(office.worker, "offers.accept", Nothing(), offer)

    assert office.state("S-1") is CaseState.ACCEPTED
    assert office.now(Offer, offer).body.answered_on == TODAY
    assert office.now(Decision, "V-1").body.holds() == {"allotted:nordlia-7", "allotted-to:S-1"}
    with refused("offer-not-open"):
        office.run(office.worker, "offers.accept", Nothing(), offer)


def test_who_acts_for_the_applicant_is_told(office: Decided) -> None:
    """Every current representative is a recipient; one who acts no longer is not (REQ-BSL-2)."""
    acting = [
        Representative(name="Verge Oppdiktet", kind=RepresentativeKind.GUARDIAN, since=TODAY),
        Representative(
            name="Før Oppdiktet",
            kind=RepresentativeKind.ATTORNEY,
            since=date(2025, 1, 1),
            until=date(2026, 1, 1),
        ),
    ]
    office.seed(Person(representatives=tuple(acting)), "P-1", version=2)

    with refused("representative-missing") as caught:
        sent(office)
    assert "Oppdiktet" not in str(caught.value.values)
    offer = sent(office, recipients=("Søkeren", "verge oppdiktet"))
    assert office.now(Offer, offer).body.state is OfferState.SENT


@pytest.mark.parametrize("deadline", [TODAY - timedelta(days=1), TODAY])
def test_a_deadline_lies_ahead(deadline: date) -> None:
    """Today is too short."""
    office = Decided()
    with pytest.raises(RefusalError, match="request"):
        sent(office, deadline=deadline)
    with pytest.raises(RefusalError, match="request"):
        sent(office, viewing_on=TODAY + timedelta(days=8))
    office.close()


def test_what_cannot_be_offered(office: Decided) -> None:
    """A decision that is doubted, proposed or ended gives nothing to offer."""
    body = office.now(Decision, "V-1").body
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"doubts": (Rested(of="P-1", path="applicant.age"),)}, "decision-doubted"),
        ({"crisis_until": TODAY}, "crisis-not-offered"),
        ({"state": DecisionState.PROPOSED}, "nothing-to-offer"),
        ({"ended_on": TODAY}, "nothing-to-offer"),
    )
    for version, (changes, code) in enumerate(wrong, start=2):
        office.seed(body.model_copy(update=changes), "V-1", version=version)
        with refused(code):
            sent(office)
    member = office.somebody(Role.COMMITTEE_MEMBER)
    with pytest.raises(ForbiddenError):
        office.run(member, "offers.send", offering())


def test_a_suspended_offer_tells_nobody_why(office: Decided) -> None:
    """It stands still; resumed, it has a new deadline (E-08)."""
    offer = sent(office)
    shown = office.run(office.worker, "offers.suspend", Nothing(), offer)
    assert shown.view["state"] == "suspended"
    assert shown.stored.reason is None
    for use, asked in (
        ("offers.accept", Nothing()),
        ("offers.lapse", Nothing()),
        ("offers.remind", RemindOffer()),
    ):
        with refused("offer-not-open"):
            office.run(office.worker, use, asked, offer)
    office.clock.to(TODAY + timedelta(days=30))
    with pytest.raises(RefusalError, match="request"):
        office.run(office.worker, "offers.resume", ResumeOffer(deadline=TODAY), offer)
    later = TODAY + timedelta(days=37)
    office.run(office.worker, "offers.resume", ResumeOffer(deadline=later), offer)
    assert office.now(Offer, offer).body.deadline == later


def test_a_no_frees_the_unit_and_keeps_the_place_on_the_list(office: Decided) -> None:
    """The applicant need not say why; waiting counts from the same day as before (E-19)."""
    waited = office.now(Case, "S-1").body.waiting_since
    offer = sent(office)

    office.run(office.worker, "offers.refuse", RefuseOffer(by=RefusalBy.APPLICANT), offer)

    case = office.now(Case, "S-1").body
    assert (case.state, case.waiting_since) == (CaseState.WAITING_LIST, waited)
    assert office.now(Decision, "V-1").body.ended_on == TODAY
    assert office.now(Decision, "V-1").body.holds() == frozenset()
    with office.storage.read() as tx:
        work = Work(tx, office.desk.access, office.worker, office.clock.now(), office.clock.today())
        assert refusals(work, "S-1") == 1


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"by": "applicant", "reason": "unit_not_ready"}, "request"),
        ({"by": "provider", "reason": "location"}, "request"),
        ({"by": "provider", "reason": "other", "consequence": "reassessment"}, "consequence-not-theirs"),
        (
            {"by": "applicant", "reason": "health_or_safety", "consequence": "reassessment"},
            "consequence-not-theirs",
        ),
        (
            {"by": "applicant", "reason": "location", "consequence": "review_by_committee"},
            "consequence-not-told",
        ),
        ({"by": "applicant", "reason": "location", "consequence": "reassessment"}, None),
        ({"by": "applicant", "reason": "location", "consequence": "new_suggestion"}, None),
        ({"by": "provider", "reason": "unit_not_ready"}, None),
    ],
)
def test_a_no_costs_only_what_was_told(asked: dict[str, str], code: str | None) -> None:
    """Reasons are split by who says no; a hard consequence is the one that was told beforehand."""
    office = Decided()
    offer = sent(office, consequence=Consequence.REASSESSMENT)
    command = RefuseOffer(
        by=RefusalBy(asked["by"]),
        reason=RefusalReason(asked["reason"]),
        consequence=Consequence(asked.get("consequence", "none")),
    )
    if code is None:
        office.run(office.worker, "offers.refuse", command, offer)
        assert office.now(Offer, offer).body.state is OfferState.REFUSED
    else:
        with refused(code):
            office.run(office.worker, "offers.refuse", command, offer)
        assert office.state("S-1") is CaseState.OFFERED
    office.close()


def test_silence_lapses_after_the_deadline_and_a_reminder(office: Decided) -> None:
    """It is no refusal, and the place is kept (E-20)."""
    offer = sent(office)
    office.clock.to(TODAY + timedelta(days=7))
    with refused("deadline-not-passed"):
        office.run(office.worker, "offers.lapse", Nothing(), offer)
    office.clock.to(TODAY + timedelta(days=8))
    with refused("reminder-missing"):
        office.run(office.worker, "offers.lapse", Nothing(), offer)
    with pytest.raises(RefusalError, match="request"):
        office.run(office.worker, "offers.remind", RemindOffer(deadline=TODAY + timedelta(days=8)), offer)
    later = TODAY + timedelta(days=12)
    office.run(office.worker, "offers.remind", RemindOffer(deadline=later), offer)
    with refused("deadline-not-passed"):
        office.run(office.worker, "offers.lapse", Nothing(), offer)
    office.clock.to(TODAY + timedelta(days=13))
    office.run(office.worker, "offers.lapse", Nothing(), offer)

    assert office.state("S-1") is CaseState.WAITING_LIST
    with office.storage.read() as tx:
        work = Work(tx, office.desk.access, office.worker, office.clock.now(), office.clock.today())
        assert refusals(work, "S-1") == 0


def test_a_withdrawn_offer_leaves_the_decision(office: Decided) -> None:
    """It can be offered anew."""
    offer = sent(office)
    office.run(office.worker, "offers.withdraw", Nothing(), offer)
    assert office.state("S-1") is CaseState.DECIDED
    assert sent(office)


def test_a_yes_may_be_taken_back_until_somebody_moves_in(office: Decided) -> None:
    """After that they move out."""
    offer = sent(office)
    office.run(office.worker, "offers.accept", Nothing(), offer)
    version = office.now(Decision, "V-1").version
    used = office.now(Decision, "V-1").body.model_copy(update={"ended_on": TODAY})
    office.seed(used, "V-1", version=version + 1)
    with refused("already-moved-in"):
        office.run(office.worker, "offers.refuse", RefuseOffer(by=RefusalBy.APPLICANT), offer)


# ------------------------------------------------------------------------------------------- reviews


def test_a_review_is_planned_held_and_planned_again(office: Decided) -> None:
    """What was found is kept; a next day makes the next one."""
    asked = PlanReview(what=ReviewKind.FOLLOW_UP, decision="V-1", by=TODAY)
    review = office.run(office.worker, "reviews.plan", asked).stored.id
    later = TODAY + timedelta(days=90)
    held = HoldReview(found="Bor godt, ønsker lengre avtale.", next_by=later)
    again = held.model_copy(update={"next_by": TODAY})
    with pytest.raises(RefusalError, match="request"):
        office.run(office.worker, "reviews.hold", again, review)
    office.run(office.worker, "reviews.hold", held, review)

    page = office.desk.page(office.worker, Kind.REVIEW, states=frozenset({"due"}))
    bodies = [item.stored.body for item in page.items]
    assert [(b.what, b.by, b.decision) for b in bodies if isinstance(b, Review)] == [
        (ReviewKind.FOLLOW_UP, later, "V-1")
    ]
    with refused("review-held"):
        office.run(office.worker, "reviews.hold", held, review)


def test_what_is_not_planned(office: Decided) -> None:
    """Not for a day that has been, not what follows by itself, and about one thing."""
    for wrong in (
        PlanReview(what=ReviewKind.FOLLOW_UP, case="S-1", by=TODAY - timedelta(days=1)),
        PlanReview(what=ReviewKind.BREAK_GLASS, case="S-1", by=TODAY),
        PlanReview(what=ReviewKind.FOLLOW_UP, case="ukjent", by=TODAY),
    ):
        with pytest.raises(RefusalError, match="request"):
            office.run(office.worker, "reviews.plan", wrong)
    with pytest.raises(ValueError, match="one of"):
        PlanReview(what=ReviewKind.FOLLOW_UP, by=TODAY)


def test_a_scheme_leader_reviews_the_tenancies_of_their_scheme(office: Decided) -> None:
    """Of their own, not of others."""
    asked = PlanReview(what=ReviewKind.AGREEMENT_STEP, tenancy="L-B-1", by=TODAY)
    own = office.somebody(Role.SCHEME_LEADER, "nordlia")
    other = office.somebody(Role.SCHEME_LEADER, "havna")

    with pytest.raises(ForbiddenError):
        office.run(other, "reviews.plan", asked)
    review = office.run(own, "reviews.plan", asked).stored.id

    held = HoldReview(found="Avtalen forlenges.")
    assert office.run(own, "reviews.hold", held, review).view["held_by"] == own.account
