"""What a careful committee would ask: the edge cases of the domain brief, one by one."""

from __future__ import annotations

import itertools
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from allocator.codes import (
    ConflictDirection,
    ConflictStatus,
    CounterpartRole,
    FactSource,
    FactStatus,
    Gender,
    Measure,
    Need,
    PlacementKind,
    RiskHorizon,
    StayKind,
    SubstanceClass,
    SubstanceUse,
    UnitStatus,
    VetoGround,
    VetoStatus,
    ViolenceConclusion,
    VisitRule,
    WindowHeight,
)
from allocator.disclosure import Reader
from allocator.documents import read_case
from allocator.engines import Outcome
from allocator.explain import facts_sha256
from allocator.facts import Missing
from allocator.model import (
    Applicant,
    Assessed,
    GenderCondition,
    Placement,
    Resident,
    Scheme,
    Snapshot,
    Wish,
    Wishes,
)
from allocator.rules.language import Effect
from allocator.scoring import Verdict
from tests.cases import (
    HIGH_RISK,
    LONG_AGO,
    NEXT_YEAR,
    TODAY,
    TOMORROW,
    YESTERDAY,
    a_case,
    a_conflict,
    a_house,
    a_policy,
    a_resident,
    a_risk,
    a_veto,
    an_applicant,
    an_order,
    ask,
    assessed,
    changed,
    disputed,
    entry_for,
    expired,
    in_bytes,
    known,
    not_held,
    of_rule,
    shown,
    some_needs,
    switched_off,
    the_finding,
    verdict,
    with_person,
    with_scheme,
    with_unit,
)

BELONGS_TO_STORED_CASES = {
    "E-07": "two offers on the same day are compared pair by pair where simultaneous suggestions are stored",
    "E-08": "an offer that has been sent, its suspension and its letters are stored cases",
    "E-09": "a household application and its withdrawal are stored cases; the facts know single persons only",
    "E-14": "who books a unit first is settled where reservations are stored",
    "E-15": "there is no kode-6 field yet; a restricted run needs roles and a store",
    "E-19": "refusals are events of a stored case and deliberately not facts of a person",
    "E-20": "reaching somebody, deadlines and reminders are events of a stored case",
    "E-28": "disqualification blocks a reader, and readers have accounts in the store",
    "E-29": "another unit handling the case is a matter of accounts and stored cases",
    "E-30": "merging identities and keeping their history is done where people are stored",
}
"""Edge cases that no pure function of facts and policy can show, and why."""

FIXTURES = Path(__file__).parent.parent / "fixtures"
K = a_policy().k_anonymity
WOMAN, MAN = known(Gender.WOMAN), known(Gender.MAN)
MIX_RULES = ("gender-mix", "substance-mix", "age-mix", "age-mix-established", "rop-mix", "recent-move-ins")


def test_every_edge_case_is_tested_here_or_belongs_to_stored_cases() -> None:
    """Each of E-01 to E-38 has a test in this module or a reason not to, and none has both."""
    names = vars(sys.modules[__name__])
    tested = {f"E-{name[6:8]}" for name in names if name.startswith("test_e") and name[6:8].isdigit()}

    assert tested | set(BELONGS_TO_STORED_CASES) == {f"E-{number:02}" for number in range(1, 39)}
    assert not tested & set(BELONGS_TO_STORED_CASES)


def test_a_case_without_changes_suits() -> None:
    """The case that all others are changed from is suitable, costs nothing and leaves nothing unknown."""
    assessment = assessed(ask(a_case()))

    assert (assessment.verdict, assessment.score) == (Verdict.SUITABLE, 100)
    assert {finding.outcome for finding in assessment.findings} == {Outcome.KEPT}


# -------------------------------------------------------------------------------------------- E-01, E-02

UNSTATED: dict[str, Assessed[Any]] = {
    "not_asked": not_held(),
    "refused": not_held(FactStatus.REFUSED),
    "disputed": disputed(Gender.MAN),
    "undisclosed": known(Gender.UNDISCLOSED),
    "non_binary": known(Gender.NON_BINARY),
}


@pytest.mark.parametrize("gender", UNSTATED.values(), ids=UNSTATED)
def test_e01_gender_unknown_is_for_the_committee_to_look_at(gender: Assessed[Any]) -> None:
    """An unknown, undisclosed or non-binary gender needs clarification, and no scheme is dropped."""
    women_only = GenderCondition(gender=Gender.WOMAN, document="Vedtak 1/26", review_by=NEXT_YEAR)
    case = a_case(a_house("hus"), a_house("kvinnehus", gender_condition=women_only), a_house("tomt", (0,)))
    before, after = ask(case), ask(with_person(case, "a", gender=gender))

    assert {e.assessment.unit for e in after.ranked} == {e.assessment.unit for e in before.ranked}
    assert {f.outcome for f in of_rule(after, "gender-mix")} == {Outcome.UNKNOWN}
    assert the_finding(after, "gender-condition", "kvinnehus-1-v1").outcome is Outcome.UNKNOWN
    assert assessed(after, "hus-1-v1").verdict is Verdict.NEEDS_CLARIFICATION
    assert assessed(after, "kvinnehus-1-v1").verdict is Verdict.NEEDS_CLARIFICATION
    assert assessed(after, "tomt-1-v1").verdict is Verdict.SUITABLE


@pytest.mark.parametrize("gender", UNSTATED.values(), ids=UNSTATED)
def test_e01_gender_is_asked_for_only_if_a_rule_reads_it(gender: Assessed[Any]) -> None:
    """With the gender rules switched off, an unknown gender is neither asked for nor mentioned."""
    policy = a_policy(switched_off("gender-mix", "gender-condition"))
    case = with_person(a_case(), "a", gender=gender)
    missing = [f.missing for f in assessed(ask(case, policy=policy)).findings if f.missing]

    assert not missing
    assert verdict(case, policy=policy) is Verdict.SUITABLE


def test_e01_nobody_is_asked_again_to_state_a_gender() -> None:
    """Somebody who is non-binary or has said no is not to be asked once more."""
    for gender in (UNSTATED["non_binary"], UNSTATED["undisclosed"], UNSTATED["refused"]):
        told = entry_for(shown(ask(with_person(a_case(), "a", gender=gender))))
        texts = [finding["text"] for finding in told["findings"] if finding["rule"] == "gender-mix"]

        assert texts
        assert not any("Spør" in text for text in texts)


def test_e01_gender_is_never_inferred_from_an_identity_number() -> None:
    """There is no identity number among the facts to infer a gender from."""
    assert not [name for name in Applicant.model_fields if "national" in name or "identity" in name]
    with pytest.raises(ValidationError):
        changed(an_applicant(), national_id="01017012345")


def test_e02_a_gender_condition_works_only_with_a_document() -> None:
    """A scheme for one gender must say where that is adopted; then it is advice to be answered, no bar."""
    with pytest.raises(ValidationError):
        GenderCondition.model_validate({"gender": "woman", "review_by": "2027-01-01"})
    condition = GenderCondition(gender=Gender.WOMAN, document="Vedtak 1/26", review_by=TODAY)
    case = with_scheme(a_case(), "hus", gender_condition=condition)

    assert the_finding(ask(case), "gender-condition").outcome is Outcome.BROKEN
    assert verdict(case) is Verdict.ADVISED_AGAINST


def test_e02_an_expired_condition_no_longer_counts() -> None:
    """After its review date a gender condition speaks against nobody, and the scheme is shown."""
    condition = GenderCondition(gender=Gender.WOMAN, document="Vedtak 1/26", review_by=YESTERDAY)

    assert verdict(with_scheme(a_case(), "hus", gender_condition=condition)) is Verdict.SUITABLE


def test_e02_a_scheme_whose_condition_has_expired_is_shown_with_a_warning() -> None:
    """The committee is told that the condition was due for review, and when."""
    condition = GenderCondition(gender=Gender.WOMAN, document="Vedtak 1/26", review_by=YESTERDAY)
    told = shown(ask(with_scheme(a_case(), "hus", gender_condition=condition)))

    assert "21.11.2026" in in_bytes(told)


def test_e02_a_rule_whose_justification_has_expired_is_off_with_a_warning() -> None:
    """When the policy's card on gender is due for review, the rule is off and every reader is told."""
    policy = a_policy({"justifications.gender.review_by": YESTERDAY})
    case = with_person(a_case(), "a", gender=WOMAN)

    assert verdict(case, policy=policy) is Verdict.SUITABLE
    for reader in Reader:
        assert "21.11.2026" in " ".join(shown(ask(case, policy=policy), reader)["warnings"])


def test_e02_ten_men_is_a_description_and_no_rule() -> None:
    """What a scheme says of itself changes nothing, and the ten men of the source are imported as that."""
    described = with_scheme(a_case(), "hus", described_as="Ti menn bor her. Bare for menn.")
    woman = with_person(a_case(a_house(living=(0,))), "a", gender=WOMAN)
    documented = read_case((FIXTURES / "cases" / "documented-schemes.json").read_bytes())
    (sobstadveien,) = [scheme for scheme in documented.schemes if scheme.id == "sobstadveien"]

    assert verdict(described) is verdict(a_case())
    assert verdict(with_scheme(woman, "hus", described_as="Bare for menn.")) is Verdict.SUITABLE
    assert "menn" in (sobstadveien.described_as or "")
    assert sobstadveien.gender_condition is None


# -------------------------------------------------------------------------------------------- E-03


def group_of(number: int, **last: Any) -> Snapshot:
    """Return a case with so many in the living group, facts of the last one changed."""
    return with_person(a_case(a_house(living=(number,))), f"hus-1-r{number}", **last)


@pytest.mark.parametrize("number", [1, 2, K - 1, K])
def test_e03_the_last_resident_of_a_gender_is_not_revealed(number: int) -> None:
    """Neither staff nor applicant learn who in the group is of another gender, in groups of any size."""
    answer = ask(group_of(number, gender=WOMAN))
    staff, own = (in_bytes(shown(answer, reader)) for reader in (Reader.STAFF, Reader.APPLICANT))

    assert assessed(answer).verdict is Verdict.ADVISED_AGAINST
    for told in (staff, own):
        assert "hus-1-r" not in told
        assert "resident.gender" not in told
        assert "blandet fra før" not in told
    assert "gender" not in own
    assert "Kvinner og menn" not in own
    assert ("gender-mix" in staff) == ("Kvinner og menn" in staff) == (number >= K)


@pytest.mark.parametrize("number", [1, 2, K - 1, K])
def test_e03_only_the_committee_gets_the_advice_in_full(number: int) -> None:
    """The committee is told about whom the advice is, that it may decide otherwise, and both sides."""
    told = entry_for(shown(ask(group_of(number, gender=WOMAN))))
    (about,) = [f for f in told["findings"] if f["rule"] == "gender-mix" and f["outcome"] == "broken"]

    assert about["about"] == [f"hus-1-r{number}"]
    assert about["effect"] == "advise_against"
    assert about["overridable"]
    assert "Kildene er uenige" in about["text"]


@pytest.mark.parametrize("number", [1, 2, K - 1])
def test_e03_a_small_group_gives_one_sentence_whatever_is_the_matter(number: int) -> None:
    """In a small group staff read the same whether gender or age speaks against, given one verdict."""
    young = {"birth_date": known(date(2004, 1, 1))}
    by_gender = with_person(group_of(number, gender=WOMAN), "a", **young)
    by_age = with_person(group_of(number, heavy_use=known(value=True)), "a", **young)

    assert verdict(by_gender) is verdict(by_age) is Verdict.ADVISED_AGAINST
    for reader in (Reader.STAFF, Reader.APPLICANT):
        assert shown(ask(by_gender), reader) == shown(ask(by_age), reader)


# -------------------------------------------------------------------------------------------- E-04 - E-06


def in_conflict(**given: Any) -> Snapshot:
    """Return a case where the applicant has a conflict with a resident."""
    return a_case(conflicts=[a_conflict("a", "hus-1-r1", **given)])


def test_e04_a_one_sided_enemy_is_a_warning_and_no_block() -> None:
    """What one of the two has said must be answered, blocks nobody, and asks for a second source."""
    answer = ask(in_conflict(direction=ConflictDirection.ONE_SIDED))
    (told,) = [
        f for f in entry_for(shown(answer))["findings"] if f["rule"] == "unconfirmed-conflict" and f["about"]
    ]

    assert assessed(answer).verdict is Verdict.ADVISED_AGAINST
    assert told["facts"]["conflict.last_confirmed"] == LONG_AGO.isoformat()
    assert "bare den ene" in told["text"]
    assert "01.01.2026" in told["text"]
    assert "annen kilde" in told["change"]


def test_e04_the_source_of_an_entry_is_shown_to_the_cleared_role() -> None:
    """The committee sees who said it: a word from the police weighs otherwise than hearsay."""
    texts = {
        source: entry_for(shown(ask(in_conflict(direction=ConflictDirection.ONE_SIDED, source=source))))
        for source in (FactSource.POLICE, FactSource.STAFF)
    }

    assert texts[FactSource.POLICE]["findings"] != texts[FactSource.STAFF]["findings"]


def test_e05_a_disputed_enemy_is_a_warning_and_a_refuted_one_nothing() -> None:
    """A disputed entry is to be answered; a refuted one is kept on record and no rule minds it."""
    disputed_entry = in_conflict(status=ConflictStatus.DISPUTED)
    refuted = in_conflict(status=ConflictStatus.REFUTED)

    assert verdict(disputed_entry) is Verdict.ADVISED_AGAINST
    assert of_rule(ask(disputed_entry), "unconfirmed-conflict")[0].outcome is Outcome.BROKEN
    assert {f.outcome for f in of_rule(ask(disputed_entry), "known-conflict")} == {Outcome.KEPT}
    assert verdict(refuted) is Verdict.SUITABLE
    assert [conflict.status for conflict in refuted.conflicts] == [ConflictStatus.REFUTED]


@pytest.mark.parametrize("role", [CounterpartRole.VISITOR, CounterpartRole.NEXT_OF_KIN])
def test_e06_an_enemy_who_visits_costs_points_where_they_come(role: CounterpartRole) -> None:
    """A visitor or relative counts in the schemes they frequent, and only there."""
    visitor = a_conflict("a", None, id="k", counterpart_role=role, frequents=frozenset({"hus"}))
    answer = ask(a_case(a_house("hus"), a_house("andre"), conflicts=[visitor]))
    finding = the_finding(answer, "visitor-conflict")

    assert (finding.outcome, finding.about) == (Outcome.BROKEN, ("k",))
    assert assessed(answer).verdict is Verdict.SUITABLE_WITH_REMARKS
    assert assessed(answer, "andre-1-v1").verdict is Verdict.SUITABLE


def test_e06_no_file_is_opened_on_an_enemy_who_is_no_resident_or_applicant() -> None:
    """A visitor has no id of their own in a conflict, only a role and the places they come to."""
    with pytest.raises(ValidationError):
        a_conflict("a", "hus-1-r1", counterpart_role=CounterpartRole.VISITOR)


# -------------------------------------------------------------------------------------------- E-10 - E-13


def test_e10_the_applicants_own_tenancy_does_not_count_against_them() -> None:
    """Who lives in the group already is not compared with their own entry, nor counted twice."""
    case = a_case(
        a_house(living=(3,)),
        applicants=[an_applicant(gender=WOMAN, rop=known(value=False), resides_as="hus-1-r1")],
    )
    own = with_person(case, "hus-1-r1", gender=WOMAN, rop=known(value=False), moved_in=YESTERDAY)
    about = {person for f in assessed(ask(own)).findings for person in f.about}

    assert about == {"hus-1-r2", "hus-1-r3"}
    assert len(of_rule(ask(own), "gender-mix")) == 2


def test_e10_a_move_within_the_house_adds_no_new_resident() -> None:
    """The applicant's own recent move in is not one of the group's recent move-ins."""
    recent = {"moved_in": TODAY - timedelta(days=10)}
    case = with_person(with_person(a_case(), "hus-1-r1", **recent), "hus-1-r2", **recent)

    assert the_finding(ask(case), "recent-move-ins").outcome is Outcome.BROKEN
    mover = with_person(case, "a", resides_as="hus-1-r1")
    assert the_finding(ask(mover), "recent-move-ins").outcome is Outcome.KEPT


def test_e10_a_conflict_entered_on_the_resident_counts_for_the_applicant() -> None:
    """One person with two entries has one set of enemies."""
    case = a_case(
        applicants=[an_applicant(resides_as="hus-1-r1")], conflicts=[a_conflict("hus-1-r1", "hus-1-r2")]
    )

    assert verdict(case) is Verdict.BLOCKED


def notice(last_day: date) -> Snapshot:
    """Return a case where the only woman of the group has given notice; her unit is in the list."""
    case = with_person(a_case(), "hus-1-r1", gender=WOMAN, move_out=last_day)
    return with_unit(
        case, "hus-1-b1", status=UnitStatus.NOTICE_GIVEN, vacant_from=last_day + timedelta(days=1)
    )


def test_e11_the_verdict_is_given_with_and_without_those_who_have_given_notice() -> None:
    """Until the last day the resident counts; beside it stands what the verdict will be afterwards."""
    answer = ask(notice(NEXT_YEAR))
    assessment = assessed(answer)
    told = entry_for(shown(answer))["after_notice"]

    assert assessment.verdict is Verdict.ADVISED_AGAINST
    assert assessment.verdict_after_notice is Verdict.SUITABLE
    assert assessment.notice_ends == NEXT_YEAR
    assert (told["from"], told["verdict"]) == (NEXT_YEAR.isoformat(), "suitable")
    for reader in (Reader.STAFF, Reader.APPLICANT):
        assert "after_notice" not in entry_for(shown(answer, reader))


def test_e11_the_last_day_is_one_that_the_resident_still_lives_there() -> None:
    """On the day of moving out the resident counts, and the day after no longer."""
    assert verdict(notice(TODAY)) is Verdict.ADVISED_AGAINST
    gone = a_resident("hus-1-r1", "hus-1-b1", gender=WOMAN, move_out=YESTERDAY)
    case = a_case()
    case = changed(case, residents=(gone, *case.residents[1:]))
    assert verdict(with_unit(case, "hus-1-b1", status=UnitStatus.VACANT)) is Verdict.SUITABLE


def test_e11_a_notice_is_no_vacancy_before_its_day() -> None:
    """The unit is listed and not free, unless it is needed only after the resident has moved."""
    case = notice(TOMORROW)
    later = Placement(stay=known(StayKind.PERMANENT), needed_from=TODAY + timedelta(days=2))
    too_early = Placement(stay=known(StayKind.PERMANENT), needed_from=TOMORROW)

    assert assessed(ask(case), "hus-1-b1").verdict is Verdict.BLOCKED
    for placement, outcome in ((later, Outcome.KEPT), (too_early, Outcome.BROKEN)):
        answer = ask(with_person(case, "a", placement=placement))
        assert the_finding(answer, "unit-available", "hus-1-b1").outcome is outcome


def test_e12_a_resident_in_hospital_or_prison_remains_one() -> None:
    """Nothing marks a resident as away: their unit is not vacant, and they count in mix and conflicts."""
    case = with_person(in_conflict(), "hus-1-r1", gender=WOMAN)
    answer = ask(case)

    assert not [name for name in Resident.model_fields if "absent" in name or "away" in name]
    assert "hus-1-b1" not in {entry.assessment.unit for entry in answer.ranked}
    assert {f.rule.id for f in assessed(answer).changes} == {"gender-mix", "known-conflict"}
    assert assessed(answer).verdict is Verdict.BLOCKED
    with pytest.raises(ValueError, match="occupied"):
        with_unit(case, "hus-1-b1", status=UnitStatus.VACANT)


def test_e12_an_occupied_unit_without_an_entry_is_somebody_unknown() -> None:
    """Where somebody lives of whom nothing is recorded, the mix is to be clarified and not passed over."""
    case = a_case()
    unrecorded = changed(case, residents=case.residents[1:])

    assert verdict(unrecorded) is Verdict.NEEDS_CLARIFICATION
    assert "hus-1-b1" in {who for f in of_rule(ask(unrecorded), "gender-mix") for who in f.about}


@pytest.mark.parametrize(
    ("status", "label"),
    [
        (UnitStatus.RESERVED, "reservert"),
        (UnitStatus.UNDER_REPAIR, "under istandsetting"),
        (UnitStatus.OUT_OF_SERVICE, "ute av bruk"),
    ],
)
def test_e13_a_reserved_unit_is_listed_but_not_suggested(status: UnitStatus, label: str) -> None:
    """What is not free is in the list, says why, and no committee can decide that it is free."""
    case = with_unit(a_case(), "hus-1-v1", status=status, vacant_since=None)
    told = entry_for(shown(ask(case)))
    (finding,) = [f for f in told["findings"] if f["rule"] == "unit-available"]

    assert told["verdict"] == "blocked"
    assert label in finding["text"]
    assert not finding["overridable"]


# -------------------------------------------------------------------------------------------- E-16 - E-18


def test_e16_an_expired_risk_assessment_is_unknown_and_asks_for_a_new_one() -> None:
    """An expired conclusion is read as unknown, high or not, and the committee is asked to have it redone."""
    exposed = with_person(a_case(), "hus-1-r1", vulnerable=known(value=True))
    for conclusion in ViolenceConclusion:
        answer = ask(with_person(exposed, "a", risk=a_risk(conclusion, until=YESTERDAY)))
        (finding,) = [f for f in of_rule(answer, "risk-to-vulnerable") if f.about == ("hus-1-r1",)]

        assert finding.outcome is Outcome.UNKNOWN
        assert Missing.EXPIRED in finding.missing.values()
        assert "Kartlegg på nytt" in in_bytes(entry_for(shown(answer)))


@pytest.mark.parametrize("part", ["risk", "needs"])
def test_e16_an_expired_assessment_must_be_answered_and_blocks_nothing(part: str) -> None:
    """R-22 asks for a new assessment or a written answer: everywhere, lifting nothing and barring nothing."""
    old: dict[str, Any] = {"risk": a_risk(until=YESTERDAY), "needs": some_needs(until=YESTERDAY)}
    case = with_person(a_case(), "a", **{part: old[part]})

    assert verdict(case) is Verdict.ADVISED_AGAINST
    assert [f.rule.id for f in assessed(ask(case)).reasons] == ["assessment-expired"]


def test_e16_a_screen_from_the_ward_says_nothing_about_a_home() -> None:
    """A short-term screen is unknown to the rules, whatever it came to: not better and not worse."""
    exposed = with_person(a_case(), "hus-1-r1", vulnerable=known(value=True))
    verdicts = {
        verdict(with_person(exposed, "a", risk=a_risk(conclusion, horizon=RiskHorizon.SHORT)))
        for conclusion in ViolenceConclusion
    }

    assert verdicts == {Verdict.NEEDS_CLARIFICATION}


def test_e17_an_objection_needs_a_ground_from_the_closed_list() -> None:
    """Nine grounds, none of them a diagnosis, a gender or an origin; free words are no ground."""
    assert {ground.value for ground in VetoGround} == {
        "staff_safety",
        "resident_safety",
        "known_conflict",
        "staffing_competence",
        "physical_fitness",
        "environment_capacity",
        "target_group",
        "resident_participation",
        "other_with_reason",
    }
    for ground in ("diagnosis", "ethnicity", "Vi vil ikke ha flere med den diagnosen", None):
        with pytest.raises(ValidationError):
            a_veto(unit="hus-1-v1", ground=ground)


def test_e17_an_objection_is_to_be_answered_and_binds_nobody() -> None:
    """An objection marks the suggestion; the committee may decide otherwise, and then it marks no longer."""
    for status, outcome in (
        (VetoStatus.OPEN, Outcome.BROKEN),
        (VetoStatus.UPHELD, Outcome.BROKEN),
        (VetoStatus.OVERRULED, Outcome.KEPT),
        (VetoStatus.WITHDRAWN, Outcome.KEPT),
    ):
        finding = the_finding(ask(a_case(vetoes=[a_veto(unit="hus-1-v1", status=status)])), "staff-veto")

        assert finding.outcome is outcome
        assert finding.overridable
        assert finding.rule.effect is Effect.ADVISE_AGAINST


@pytest.mark.parametrize("reader", [Reader.COMMITTEE, Reader.STAFF])
def test_e17_the_ground_of_an_objection_is_shown(reader: Reader) -> None:
    """The committee and the staff read on which ground of the list the objection rests."""
    answer = ask(a_case(vetoes=[a_veto(unit="hus-1-v1", ground=VetoGround.ENVIRONMENT_CAPACITY)]))

    assert "kapasitet i bomiljøet" in in_bytes(shown(answer, reader))


def test_e18_an_objection_after_an_incident_holds_with_its_fact_until_it_expires() -> None:
    """Fear after a real incident is heard: with a dated fact behind it, and not after its last day."""
    for last_day, found in ((TODAY, Verdict.ADVISED_AGAINST), (YESTERDAY, Verdict.SUITABLE)):
        objection = a_veto(unit="hus-1-v1", ground=VetoGround.STAFF_SAFETY, valid_until=last_day)
        assert verdict(a_case(vetoes=[objection])) is found
    with pytest.raises(ValidationError):
        a_veto(unit="hus-1-v1", fact=None)


def test_e18_measures_come_first() -> None:
    """A high risk beside a vulnerable resident is met by the measures it asks for."""
    case = with_person(a_case(), "hus-1-r1", vulnerable=known(value=True))
    for measure, found in (
        (Measure.ALARM, Verdict.SUITABLE),
        (Measure.ALWAYS_TWO_STAFF, Verdict.ADVISED_AGAINST),
    ):
        risk = a_risk(ViolenceConclusion.ASSESSED_HIGH, measure)
        assert verdict(with_person(case, "a", risk=risk)) is found


# -------------------------------------------------------------------------------------------- E-21 - E-24


def rough_house(*, vacant: int = 1) -> Snapshot:
    """Return a case with one house of older heavy users."""
    case = a_case(a_house(vacant=(vacant,)))
    for resident in case.residents:
        case = with_person(case, resident.id, heavy_use=known(value=True))
    return case


@pytest.mark.parametrize("age", [18, 23, 24])
def test_e21_a_young_applicant_is_warned_about_and_sees_the_least_bad(age: int) -> None:
    """A warning that a committee may answer, all options still listed, and the unmet need flagged."""
    born = known(date(2026 - age, 11, 22))
    answer = ask(with_person(rough_house(vacant=2), "a", birth_date=born))

    assert {entry.assessment.verdict for entry in answer.ranked} == {Verdict.ADVISED_AGAINST}
    assert len(answer.ranked) == 2
    assert {f.overridable for f in of_rule(answer, "age-mix")} == {True}
    assert answer.no_option is not None


def test_e21_from_the_policys_age_on_there_is_no_warning() -> None:
    """At twenty-five the applicant is no longer young to the default policy."""
    grown = with_person(rough_house(), "a", birth_date=known(date(2001, 11, 22)))

    assert verdict(grown) is Verdict.SUITABLE


def test_e21_somebody_under_eighteen_is_out_of_scope() -> None:
    """The day before the eighteenth birthday is child welfare; on the birthday the case is taken."""
    with pytest.raises(ValueError, match="child welfare"):
        with_person(a_case(), "a", birth_date=known(date(2008, 11, 23)))
    grown = with_person(a_case(), "a", birth_date=known(date(2008, 11, 22)))
    assert the_finding(ask(grown), "unit-available").outcome is Outcome.KEPT


def in_crisis(review_by: date | None, **given: Any) -> Applicant:
    """Return an applicant who must have a place tonight and of whom next to nothing is known."""
    placement = Placement(kind=PlacementKind.CRISIS, review_by=review_by)
    return Applicant(id="a", waiting_since=TODAY, placement=placement, **given)


def test_e22_a_crisis_placement_needs_a_date_for_a_new_look() -> None:
    """Without a review date a crisis placement is barred everywhere; with one, only facts are missing."""
    without, with_date = (a_case(applicants=[in_crisis(day)]) for day in (None, TOMORROW))

    assert verdict(without) is Verdict.BLOCKED
    assert [f.rule.id for f in assessed(ask(without)).reasons] == ["crisis-review"]
    assert verdict(with_date) is Verdict.NEEDS_CLARIFICATION


def test_e22_in_a_crisis_the_safety_rules_still_run() -> None:
    """A known enemy, a restraining order and a unit that is not free bar at night as by day."""
    tonight = [in_crisis(TOMORROW)]
    houses = (a_house("hus"), a_house("andre"))
    enemy = a_case(*houses, conflicts=[a_conflict("a", "hus-1-r1")], applicants=tonight)
    order = a_case(*houses, orders=[an_order("a", "hus-1-r1")], applicants=tonight)
    taken = with_unit(
        a_case(*houses, applicants=tonight), "hus-1-v1", status=UnitStatus.RESERVED, vacant_since=None
    )

    for case in (enemy, order, taken):
        assert verdict(case) is Verdict.BLOCKED
        assert verdict(case, "andre-1-v1") is Verdict.NEEDS_CLARIFICATION


def test_e22_in_a_crisis_what_is_missing_is_listed() -> None:
    """With minimal facts the committee reads what nobody has asked yet, and no tenancy is spoken of."""
    told = entry_for(shown(ask(a_case(applicants=[in_crisis(TOMORROW)]))))
    missing = {path for finding in told["findings"] for path in finding["missing"]}

    assert {"applicant.conflicts_asked", "applicant.orders_checked", "applicant.gender"} <= missing
    assert not {"agreement", "tenancy"} & set(told)


def test_e23_when_all_is_blocked_the_answer_says_what_closes_it() -> None:
    """No suitable place: what closes, by number of units and not by person, and the one thing that opens."""
    case = a_case(
        a_house("hus", vacant=(2,)),
        a_house("andre"),
        conflicts=[a_conflict("a", "hus-1-r1"), a_conflict("a", "hus-1-r2")],
        applicants=[an_applicant(needs=some_needs(Need.LIFT))],
    )
    case = with_unit(case, "andre-1-v1", floor=2)
    answer = ask(case)
    none = shown(answer)["no_option"]

    assert none["closed_by"] == [{"rule": "known-conflict", "units": 2}, {"rule": "lift-need", "units": 1}]
    assert "hus-1-r" not in str(none["closed_by"])
    assert (none["unit"], none["to_lift"]) == ("andre-1-v1", [{"rule": "lift-need", "about": []}])
    assert "Kjent konflikt (2)" in none["text"]
    assert "plikt" in none["text"]


def test_e23_where_nothing_can_be_lifted_the_answer_says_so() -> None:
    """If only physical facts and court orders close, no committee can open, and the duty stays."""
    case = a_case(a_house("hus"), a_house("andre"), orders=[an_order("a", "hus-1-r1")])
    case = with_unit(case, "andre-1-v1", status=UnitStatus.UNDER_REPAIR, vacant_since=None)
    none = shown(ask(case))["no_option"]

    assert (none["unit"], none["to_lift"]) == (None, [])
    assert "kan ikke åpne noen" in none["text"]
    assert "plikt" in none["text"]


def test_e23_what_closes_is_told_to_the_committee_alone() -> None:
    """Staff and applicant read that the duty to help remains, and not what closes what."""
    told = [
        shown(ask(case), reader)["no_option"]
        for reader in (Reader.STAFF, Reader.APPLICANT)
        for case in (
            in_conflict(),
            a_case(orders=[an_order("a", "hus-1-r1")]),
            with_unit(a_case(), "hus-1-v1", status=UnitStatus.RESERVED, vacant_since=None),
        )
    ]

    assert told == [{"text": told[0]["text"]}] * len(told)
    assert "plikt" in told[0]["text"]


def test_e23_an_open_unit_is_an_option() -> None:
    """One unit that only needs clarification is enough for there to be an option."""
    case = a_case(a_house("hus"), a_house("andre"), conflicts=[a_conflict("a", "hus-1-r1")])
    unclear = with_person(case, "andre-1-r1", gender=not_held())

    assert verdict(unclear, "andre-1-v1") is Verdict.NEEDS_CLARIFICATION
    assert ask(unclear).no_option is None


def test_e24_opposite_needs_are_both_shown() -> None:
    """Who needs the ground floor and fears being seen meets one need or the other; nothing is averaged."""
    case = with_person(a_case(), "a", needs=some_needs(Need.GROUND_FLOOR, Need.NO_INSIGHT))
    low = with_unit(case, "hus-1-v1", floor=1, window_height=WindowHeight.LOW)
    high = with_unit(case, "hus-1-v1", floor=3, window_height=WindowHeight.LOW)

    assert [f.rule.id for f in assessed(ask(low)).changes] == ["seen-from-outside"]
    assert [f.rule.id for f in assessed(ask(high)).changes] == ["ground-floor-need"]
    for unit in (low, high):
        assert "Kildene er uenige" in in_bytes(entry_for(shown(ask(unit))))


def test_e24_hoarding_and_room_for_helpers_are_both_weighed() -> None:
    """Who needs a small home and room for helpers sees the one or the other need unmet, at its full cost."""
    case = with_person(a_case(), "a", needs=some_needs(Need.SMALL_UNIT, Need.LARGE_UNIT))
    for area, rule in ((55, "unit-too-large"), (35, "unit-too-small")):
        assessment = assessed(ask(with_unit(case, "hus-1-v1", area_m2=area)))

        assert [f.rule.id for f in assessment.changes] == [rule]
        assert assessment.score == 90


# -------------------------------------------------------------------------------------------- E-25 - E-27


@pytest.mark.parametrize(
    ("substance", "use", "outcome"),
    [
        (SubstanceClass.STIMULANTS, SubstanceUse.ACTIVE, Outcome.BROKEN),
        (SubstanceClass.STIMULANTS, SubstanceUse.FORMER, Outcome.KEPT),
        (SubstanceClass.STIMULANTS, SubstanceUse.SUBSTITUTION, Outcome.KEPT),
        (SubstanceClass.STIMULANTS, SubstanceUse.NONE, Outcome.KEPT),
        (SubstanceClass.MULTIPLE, SubstanceUse.ACTIVE, Outcome.KEPT),
        (SubstanceClass.NONE, SubstanceUse.NONE, Outcome.KEPT),
    ],
)
def test_e25_history_alone_clashes_with_nobody(
    substance: SubstanceClass, use: SubstanceUse, outcome: Outcome
) -> None:
    """Only use today clashes: not several substances, substitution treatment or a use that has ended."""
    told = {"main_substance": known(substance), "substance_use": known(use)}
    for person in ("a", "hus-1-r1"):
        case = with_person(a_case(a_house(living=(1,))), person, **told)
        assert the_finding(ask(case), "substance-mix").outcome is outcome


def test_e25_what_is_out_of_date_is_unknown() -> None:
    """An old word on use is neither a clash nor its absence."""
    case = with_person(
        a_case(),
        "a",
        main_substance=known(SubstanceClass.STIMULANTS),
        substance_use=expired(SubstanceUse.ACTIVE),
    )

    assert {f.outcome for f in of_rule(ask(case), "substance-mix")} == {Outcome.UNKNOWN}
    assert verdict(case) is Verdict.SUITABLE_WITH_REMARKS


def test_e26_a_wish_is_for_a_place_and_never_reveals_a_friend() -> None:
    """A wish names a scheme; that a friend lives there is a comment that no rule reads and nobody is told."""
    wishes = Wishes(obtained_on=LONG_AGO, preferred=(Wish(scheme="hus", rank=1),))
    case = a_case(a_house("hus"), a_house("andre"), applicants=[an_applicant(wishes=wishes)])
    friend = changed(wishes, comment="Vil bo med hus-1-r1, min beste venn.")

    assert assessed(ask(case)).score == 100
    assert assessed(ask(case), "andre-1-v1").score == 95
    for reader in (Reader.STAFF, Reader.APPLICANT):
        assert shown(ask(with_person(case, "a", wishes=friend)), reader) == shown(ask(case), reader)
        assert "venn" not in in_bytes(shown(ask(with_person(case, "a", wishes=friend)), reader))


ALONE: dict[str, dict[str, Any]] = {
    "gender-mix": {"gender": WOMAN},
    "age-mix": {"heavy_use": known(value=True)},
    "vulnerable-to-risk": {"risk": HIGH_RISK},
    "rough-milieu": {"heavy_use": known(value=True), "birth_date": known(date(2000, 1, 1))},
}


@pytest.mark.parametrize("reader", [Reader.STAFF, Reader.APPLICANT])
def test_e27_of_one_who_lives_alone_nothing_is_told(reader: Reader) -> None:
    """With one resident, every mix reason that gives a verdict reads the same outside the committee."""
    case = with_person(
        a_case(a_house(living=(1,), kind="single")),
        "a",
        birth_date=known(date(2004, 1, 1)),
        vulnerable=known(value=True),
    )
    told = set()
    for rule, facts in ALONE.items():
        answer = ask(with_person(case, "hus-1-r1", **facts))
        assert rule in {f.rule.id for f in assessed(answer).reasons}
        told.add(in_bytes(shown(answer, reader)))

    (text,) = told
    assert not [rule for rule in ALONE if rule in text]


# -------------------------------------------------------------------------------------------- E-31 - E-34


def test_e31_who_pays_is_distinct_from_where_the_scheme_lies() -> None:
    """A place paid for by another municipality is assessed as any other."""
    case = with_scheme(a_case(), "hus", municipality="5001")
    told = {
        in_bytes(entry_for(shown(ask(with_person(case, "a", responsible_municipality=code)))))
        for code in (None, "5001", "5028")
    }

    assert len(told) == 1
    assert "municipality" in Scheme.model_fields
    assert "responsible_municipality" in Applicant.model_fields


def test_e32_a_suggestion_shows_the_policy_it_was_made_under() -> None:
    """Version and hash of the policy are in the document, and the old one can be had again unchanged."""
    old = a_policy()
    new = a_policy({"version": "2026-12", "rules.wish.points": 7})
    before, after = shown(ask(a_case(), policy=old)), shown(ask(a_case(), policy=new))

    assert before["policy"] == {"name": old.name, "version": old.version, "sha256": old.sha256}
    assert after["policy"]["version"] == "2026-12"
    assert before["policy"]["sha256"] != after["policy"]["sha256"]
    assert shown(ask(a_case(), policy=old)) == before


def test_e33_changed_facts_show_in_the_hash_of_the_facts() -> None:
    """Any changed fact changes the hash that a stored suggestion carries; the order of lists does not."""
    case = a_case(a_house("hus"), a_house("andre"))
    turned = changed(case, residents=case.residents[::-1], schemes=case.schemes[::-1])

    assert facts_sha256(turned) == facts_sha256(case) == shown(ask(case))["facts_sha256"]
    assert facts_sha256(with_person(case, "hus-1-r1", gender=WOMAN)) != facts_sha256(case)
    assert facts_sha256(with_unit(case, "hus-1-v1", exits=1)) != facts_sha256(case)


def test_e34_why_not_there_is_answered_with_own_facts_and_one_sentence() -> None:
    """The applicant reads their own facts in plain words, and of the rest that the environment counts."""
    case = with_person(in_conflict(), "a", needs=some_needs(Need.LIFT))
    told = entry_for(shown(ask(with_unit(case, "hus-1-v1", floor=3)), Reader.APPLICANT))

    assert told["verdict"] == "blocked"
    assert "Du trenger heis. Boligen ligger i 3. etasje uten heis." in told["text"]
    assert [finding["rule"] for finding in told["findings"]] == ["lift-need"]
    assert told["score"] is None


def test_e34_where_others_are_the_reason_a_generic_sentence_is_the_answer() -> None:
    """A bar that comes of another person reads as a judgement of the environment, and names nothing."""
    told = entry_for(shown(ask(in_conflict()), Reader.APPLICANT))

    assert told["findings"] == []
    assert "samlet vurdering av bomiljøet" in told["text"]
    assert not [word for word in ("konflikt", "fiende", "beboer hus", "forbud") if word in told["text"]]


# -------------------------------------------------------------------------------------------- E-35 - E-38


def test_e35_the_language_of_a_letter_changes_nothing_but_the_words() -> None:
    """Every reader gets the same verdicts in the same order in each language."""
    answer = ask(a_case(a_house("hus"), a_house("andre"), conflicts=[a_conflict("a", "hus-1-r1")]))
    for reader in Reader:
        told = [
            [
                (entry["rank"], entry["unit"], entry["verdict"])
                for entry in shown(answer, reader, language)["suggestions"]
            ]
            for language in ("nb", "nn", "en")
        ]
        assert told[0] == told[1] == told[2]


def test_e35_nothing_is_inferred_from_language_or_capacity() -> None:
    """Interpreter, hearing and capacity to consent are no facts that a rule could read."""
    words = ("language", "interpreter", "hearing", "capacity", "guardian", "representative")

    assert not [name for name in Applicant.model_fields for word in words if word in name]


@pytest.mark.parametrize("status", [UnitStatus.UNDER_REPAIR, UnitStatus.OUT_OF_SERVICE])
def test_e36_a_unit_under_renovation_is_closed_until_its_date(status: UnitStatus) -> None:
    """A unit that is being renovated is not free until the day it is ready, and free from then on."""
    case = with_unit(a_case(), "hus-1-v1", status=status, vacant_since=None, vacant_from=NEXT_YEAR)
    for needed, outcome in (
        (TODAY, Outcome.BROKEN),
        (NEXT_YEAR - timedelta(days=1), Outcome.BROKEN),
        (NEXT_YEAR, Outcome.KEPT),
    ):
        placement = Placement(stay=known(StayKind.PERMANENT), needed_from=needed)
        answer = ask(with_person(case, "a", placement=placement))
        assert the_finding(answer, "unit-available").outcome is outcome


@pytest.mark.parametrize(
    ("need", "feature", "label"),
    [(Need.PET, "pets_allowed", "plass til kjæledyr"), (Need.FIRE_SAFE, "fire_safe", "ekstra brannsikring")],
)
def test_e37_pets_and_fire_safety_are_needs_with_codes(need: Need, feature: str, label: str) -> None:
    """A need with a code costs points where the dwelling is known to lack it, and is told in plain words."""
    case = with_unit(with_person(a_case(), "a", needs=some_needs(need)), "hus-1-v1", **{feature: False})

    assert the_finding(ask(case), "comfort-needs").outcome is Outcome.BROKEN
    assert label in entry_for(shown(ask(case), Reader.APPLICANT))["text"]


def test_e37_a_ban_on_weapons_is_a_measure_with_a_code() -> None:
    """An agreement on weapon checks is a measure that a scheme has or lacks, never free text."""
    case = with_person(a_case(), "hus-1-r1", vulnerable=known(value=True))
    case = with_person(case, "a", risk=a_risk(ViolenceConclusion.ASSESSED_HIGH, Measure.WEAPON_CHECK))

    assert verdict(case) is Verdict.ADVISED_AGAINST
    assert verdict(with_scheme(case, "hus", measures=frozenset(Measure))) is Verdict.SUITABLE


def test_e38_a_visiting_child_beside_a_high_risk_is_a_warning_to_the_committee() -> None:
    """Whichever of the two has the child and the other the risk, the committee is warned."""
    child = {"child_visits": known(value=True)}
    risk = {"risk": HIGH_RISK}
    for own, theirs in ((child, risk), (risk, child)):
        case = with_person(with_person(a_case(), "a", **own), "hus-1-r1", **theirs)
        (finding,) = [f for f in of_rule(ask(case), "child-beside-risk") if f.outcome is Outcome.BROKEN]

        assert finding.about == ("hus-1-r1",)
        assert verdict(case) is Verdict.ADVISED_AGAINST


def test_e38_the_risk_of_a_resident_is_disclosed_to_nobody_else() -> None:
    """The applicant whose child visits reads the same as if something else in the environment counted."""
    case = with_person(a_case(), "a", child_visits=known(value=True))
    by_risk = with_person(case, "hus-1-r1", risk=HIGH_RISK)
    by_gender = with_person(case, "hus-1-r1", gender=WOMAN)

    assert shown(ask(by_risk), Reader.APPLICANT) == shown(ask(by_gender), Reader.APPLICANT)
    assert "barn" not in in_bytes(shown(ask(by_risk), Reader.APPLICANT))


def test_e38_a_rule_of_the_house_on_visits_is_noted() -> None:
    """Where children may not come freely, the committee is told, and it costs nothing."""
    case = with_person(a_case(), "a", child_visits=known(value=True))
    answer = ask(with_scheme(case, "hus", visit_rule=VisitRule.BY_APPOINTMENT))

    assert the_finding(answer, "child-visits").outcome is Outcome.BROKEN
    assert assessed(answer).verdict is Verdict.SUITABLE


def test_what_is_missing_of_several_residents_is_said_alike_whatever_their_ids() -> None:
    """Of two whose facts are missing for different reasons, the reason told does not hang on who is first."""
    told = []
    for first, second in itertools.permutations((not_held(), expired(value=True))):
        case = with_person(a_case(), "a", vulnerable=known(value=True))
        for number, resident in enumerate(case.residents):
            case = with_person(case, resident.id, heavy_use=second if number else first)
        finding = the_finding(ask(case), "rough-milieu")
        assert finding.outcome is Outcome.UNKNOWN
        told.append(finding.missing)

    assert told[0] == told[1]
