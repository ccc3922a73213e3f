"""The letter to an applicant: what was decided and why, by their own facts; of others nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.codes import (
    AppealBody,
    DecisionOutcome,
    DecisionType,
    Purpose,
    RepresentativeKind,
    Role,
    VetoAnswer,
)
from allocator.casework.committee import Dissent, VetoReply
from allocator.casework.people import Person, Representative
from allocator.codes import AgreementForm, Gender
from allocator.service.errors import ForbiddenError, NotFoundError
from allocator.service.letters import Letter, letter
from allocator.service.suggestions import MakeSuggestion
from allocator.texts import Language
from tests.cases import known
from tests.committee import BOTH, GROUNDS, WHY, Committee, person_facts
from tests.office import TODAY
from tests.test_decisions import enemies, objection, refused


@pytest.fixture
def desk() -> Iterator[Committee]:
    """An office with a committee."""
    made = Committee()
    yield made
    made.close()


def written(office: Committee, decision: str, by: Actor | None = None, language: str = "nb") -> Letter:
    """Return the letter that a caseworker takes out."""
    return letter(office.desk, by or office.worker, decision, language)


def test_a_letter_says_what_was_decided_why_and_how_to_appeal(desk: Committee) -> None:
    """To the applicant and who acts for them; the municipal board hears an appeal within three weeks."""
    acting = (
        Representative(name="Vera Verge", kind=RepresentativeKind.GUARDIAN, since=TODAY),
        Representative(
            name="Var Verge",
            kind=RepresentativeKind.GUARDIAN,
            since=TODAY - timedelta(days=9),
            until=TODAY - timedelta(days=1),
        ),
    )
    person = Person(name="Kari Oppdiktet", facts=person_facts(), representatives=acting)
    desk.seed(person, "P-1", version=2)
    decision = desk.proposed(
        "S-1",
        "nordlia-7",
        desk.sitting("S-1"),
        agreement=AgreementForm.TENANCY_FIXED,
        law=("representation",),
    )
    desk.approved(decision)

    said = written(desk, decision)

    assert (said.to, said.copies) == ("Kari Oppdiktet", ("Vera Verge",))
    assert (said.type, said.outcome) == (DecisionType.ALLOCATION, DecisionOutcome.ALLOCATED)
    assert said.home is not None
    assert (said.home.unit, said.home.scheme) == ("nordlia-7", "Botiltaket nordlia")
    assert said.agreement is AgreementForm.TENANCY_FIXED
    assert said.grounds == GROUNDS
    (reason,) = said.reasons
    assert reason.units == ("nordlia-7",)
    assert reason.text.startswith("Vi har vurdert boligen som egnet for deg")
    assert (said.appeal_body, said.appeal_weeks) == (AppealBody.MUNICIPAL_BOARD, 3)
    assert said.appeal_by == TODAY + timedelta(weeks=3)
    assert {"access-to-file", "representation"} <= {ref.id for ref in said.law}
    looks = [entry for entry in desk.log() if entry["use"] == "decisions.letter"]
    assert {(entry["kind"], entry["id"]) for entry in looks} == {("decision", decision), ("person", "P-1")}


def test_a_letter_is_the_same_whoever_of_the_others_it_is() -> None:
    """Who the enemy is, who else has applied and what is sealed leave no trace (REQ-FVL-2)."""
    letters = []
    for enemy in ("nordlia-r2", "nordlia-r5"):
        world = Committee()
        enemies(world, "P-1", enemy)
        if enemy == "nordlia-r5":
            world.seed(Person(facts=person_facts(gender=known(Gender.WOMAN))), "P-2", version=2)
        other = world.somebody(Role.COMMITTEE_LEADER, cleared=BOTH, login="leder-3", purpose=Purpose.MEETING)
        sealed = {"deviation": WHY, "sealed_deviation": f"De to er forlikte, sier {enemy}."}
        decision = world.proposed("S-1", "nordlia-7", world.sitting("S-1"), by=world.cleared, **sealed)
        world.approved(decision, by=other)
        letters.append([written(world, decision, language=language) for language in Language])
        world.close()
    one, two = ([replace(said, decision="") for said in made] for made in letters)
    assert one == two
    assert "bomiljøet" in one[0].reasons[0].text


def test_what_others_said_is_no_part_of_it(desk: Committee) -> None:
    """Not the objection and its answer, not the dissent, and not why it goes against the advice."""
    objection(desk, unit="nordlia-7")
    reply = VetoReply(veto="IN-1", answer=VetoAnswer.NOT_FOLLOWED, reason="Det er to på vakt fra neste uke.")
    dissent = Dissent(by="medlem-1", text="Jeg ville ventet til våren.")
    said_too: dict[str, Any] = {"deviation": WHY, "replies": (reply,), "dissents": (dissent,)}
    decision = desk.proposed("S-1", "nordlia-7", desk.sitting("S-1"), **said_too)
    desk.approved(decision)
    said = str(asdict(written(desk, decision)))
    for hidden in ("på vakt", "våren", WHY, "medlem-1", "nordlia-r"):
        assert hidden not in said


def test_a_no_names_what_is_true_of_all_homes_once(desk: Committee) -> None:
    """Homes of which the same is said stand together; without a suggestion there is nothing to say."""
    meeting = desk.sitting("S-1", "S-2")
    none = desk.proposed("S-1", None, meeting, suggestion=desk.suggested("S-1"))
    desk.approved(none)
    reasons = written(desk, none).reasons
    assert sorted(unit for reason in reasons for unit in reason.units) == [
        "havna-2",
        "havna-3",
        "nordlia-7",
        "nordlia-8",
    ]
    assert len({reason.text for reason in reasons}) == len(reasons)
    bare = desk.proposed("S-2", None, meeting)
    desk.approved(bare)
    assert written(desk, bare).reasons == ()
    assert written(desk, bare).home is None


def test_a_home_chosen_among_applicants_says_so(desk: Committee) -> None:
    """The others are mentioned as such, and nothing is said of them."""
    listed = desk.run(desk.leader, "suggestions.make", MakeSuggestion(unit="nordlia-7")).stored.id
    decision = desk.proposed("S-1", "nordlia-7", desk.sitting("S-1"), suggestion=listed, deviation=WHY)
    desk.approved(decision)
    (reason,) = written(desk, decision).reasons
    assert reason.text.startswith("Vi har vurdert flere søkere til boligen.")
    assert "S-2" not in reason.text


def test_grounds_that_name_somebody_else_go_out_to_nobody(desk: Committee) -> None:
    """Another case or a resident; the applicant's own case may be named."""
    meeting = desk.sitting("S-1", "S-2")
    own = desk.proposed("S-1", "nordlia-7", meeting, grounds=f"Saken S-1: {GROUNDS}")
    desk.approved(own)
    assert written(desk, own).grounds.startswith("Saken S-1")
    other = desk.proposed("S-2", "nordlia-8", meeting, grounds=f"{GROUNDS} Roligere enn nordlia-r2.")
    desk.approved(other)
    with refused("letter-names-a-record"):
        written(desk, other)


def test_who_takes_out_a_letter(desk: Committee) -> None:
    """Roles that take things out, for a purpose, of decisions that are made."""
    decision = desk.proposed("S-1", "nordlia-7", desk.sitting("S-1"))
    with refused("decision-not-made"):
        written(desk, decision)
    desk.approved(decision)
    for actor in (desk.leader, desk.somebody(Role.COMMITTEE_SECRETARY, login="sekretaer", purpose=None)):
        with pytest.raises(ForbiddenError):
            written(desk, decision, actor)
    with pytest.raises(NotFoundError):
        written(desk, decision, desk.somebody(Role.PROPERTY_MANAGER, purpose=Purpose.HOUSING_MANAGEMENT))
    assert written(desk, decision, desk.secretary).decision == decision


def test_types_of_decision_go_to_different_bodies(desk: Committee) -> None:
    """Assistance is heard by the county governor, and says so (REQ-LAW-2)."""
    more: dict[str, Any] = {"type": DecisionType.ASSISTANCE, "outcome": DecisionOutcome.GRANTED}
    proposal = desk.proposal("S-1", None, None, **more)
    decision = desk.run(desk.leader, "decisions.propose", proposal).stored.id
    desk.approved(decision)
    said = written(desk, decision)
    assert (said.appeal_body, said.appeal_weeks) == (AppealBody.COUNTY_GOVERNOR, 3)
    assert "assistance-decision" in {ref.id for ref in said.law}
