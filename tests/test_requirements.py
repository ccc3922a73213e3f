"""What law and duty demand of a suggestion, each test named after the requirement of the domain brief."""

from __future__ import annotations

import ast
import itertools
import json
import os
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from allocator import facts as facts_module
from allocator import model
from allocator.casework import codes as casework
from allocator.codes import (
    ConflictDirection,
    ConflictReach,
    ConflictStatus,
    CounterpartRole,
    EntryRequirement,
    FactSource,
    FactStatus,
    Gender,
    Measure,
    Need,
    OrderKind,
    RiskHorizon,
    SchemeKind,
    Service,
    SubstanceClass,
    SubstanceUse,
    UnitStatus,
    ViolenceConclusion,
)
from allocator.disclosure import Reader
from allocator.documents import read_case
from allocator.engines import Outcome
from allocator.explain import Explainer, source_text
from allocator.facts import VOCABULARY, CaseFacts, Protected
from allocator.handbook import handbook, handbook_sha256
from allocator.model import (
    Applicant,
    Assessed,
    NeedsAssessment,
    Order,
    Person,
    Reservation,
    RiskAssessment,
    Snapshot,
    VetoFact,
    Wish,
    Wishes,
)
from allocator.policy import Policy, PolicyError
from allocator.rules import RULEBOOK, RULES_BY_ID
from allocator.rules.language import Effect, Public, Rule, paths
from allocator.rules.sources import Basis, Law, LawVersion, cite
from allocator.scoring import Suggestions, Verdict, shortlist
from allocator.texts import Language, catalog
from tests.cases import (
    HIGH_RISK,
    LONG_AGO,
    NEXT_YEAR,
    TODAY,
    TOMORROW,
    YESTERDAY,
    House,
    a_case,
    a_conflict,
    a_house,
    a_policy,
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
from tests.strategies import DEFAULT_POLICY

ROOT = Path(__file__).parent.parent
ENGINE_FILES = sorted((ROOT / "allocator").rglob("*.py"))
SOURCES = ROOT / "allocator" / "rules" / "sources.py"
LANGUAGES = tuple(language.value for language in Language)
K = a_policy().k_anonymity
WOMAN = known(Gender.WOMAN)
YES, NO = known(value=True), known(value=False)
UNCLEARED = (Reader.MEMBER, Reader.STAFF, Reader.APPLICANT)


def demo() -> Snapshot:
    """Return the demo municipality."""
    return read_case((ROOT / "fixtures" / "cases" / "demo-municipality.json").read_bytes())


def a_lived_in_case() -> Snapshot:
    """Return a case where much speaks for and against: two groups, three schemes, every kind of entry."""
    houses = (a_house("hus", (3, 2)), a_house("stort", (5,), unit_count=20), a_house("tomt", (0,)))
    applicant = an_applicant(
        needs=some_needs(Need.LIFT, Need.QUIET, Service.DEPOT),
        wishes=Wishes(
            obtained_on=LONG_AGO,
            preferred=(Wish(scheme="hus", rank=1),),
            reservations=(Reservation(scheme="tomt"),),
        ),
        birth_date=known(date(2004, 3, 1)),
        risk=a_risk(ViolenceConclusion.ASSESSED_HIGH, Measure.ALARM),
        vulnerable=YES,
    )
    case = a_case(
        *houses,
        applicants=[applicant, an_applicant("b", gender=WOMAN), an_applicant("c", rop=NO)],
        conflicts=[
            a_conflict("a", "hus-1-r1", reach=ConflictReach.LIVING_GROUP),
            a_conflict("b", "stort-1-r1", direction=ConflictDirection.ONE_SIDED),
        ],
        orders=[an_order("c", "hus-2-r1")],
    )
    case = with_person(case, "hus-2-r1", gender=WOMAN, heavy_use=YES)
    case = with_person(case, "stort-1-r2", main_substance=known(SubstanceClass.STIMULANTS), vulnerable=YES)
    case = with_unit(case, "hus-2-v1", floor=2, quiet=False)
    return with_scheme(case, "stort", services=frozenset({Service.MEALS}))


def texts(node: Any) -> Iterator[str]:
    """Yield every text in a document."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for part in node.values() if isinstance(node, dict) else node:
            yield from texts(part)


def text_files() -> dict[str, Any]:
    """Return the text files by language."""
    folder = ROOT / "allocator" / "texts"
    return {name: tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8")) for name in LANGUAGES}


def everything_told(answer: Suggestions, reader: Reader, language: str = "nb") -> str:
    """Return all that a reader gets of an answer, comparisons of neighbours among it, as bytes."""
    explainer = Explainer(answer, reader, language)
    compared = [explainer.comparison(*pair) for pair in itertools.pairwise(explainer.released)]
    return in_bytes({**shown(answer, reader, language), "compared": compared})


def told_verdicts(answer: Suggestions, reader: Reader) -> dict[str, str]:
    """Return the verdicts that a reader is shown, by unit."""
    return {entry["unit"]: entry["verdict"] for entry in shown(answer, reader)["suggestions"]}


def outcomes(answer: Suggestions) -> object:
    """Return all that an answer decides, without the reasons why a fact is missing."""
    return [
        (
            entry.rank,
            entry.assessment.unit,
            entry.assessment.verdict,
            entry.assessment.score,
            entry.assessment.score_at_worst,
            [(f.rule.id, f.outcome, f.points, f.about) for f in entry.assessment.findings],
        )
        for entry in answer.ranked
    ]


# ------------------------------------------------------------------------------------- explanations


def test_req_fvl_1_each_reader_has_a_separate_text() -> None:
    """Committee, member, staff and applicant get a text of their own, each with rules, facts and verdict."""
    answer = ask(a_lived_in_case())
    told = {reader: shown(answer, reader) for reader in Reader}

    assert len({in_bytes(document) for document in told.values()}) == len(Reader)
    for document in told.values():
        assert all(entry["text"] for entry in document["suggestions"])
        findings = [finding for entry in document["suggestions"] for finding in entry["findings"]]
        assert findings
        assert {finding["rule"] for finding in findings} <= {*RULES_BY_ID, "living-environment"}
        assert any(finding["facts"] for finding in findings)


def test_req_fvl_1_an_applicant_reads_own_facts_only() -> None:
    """What an applicant is given of facts is about the applicant and the place, never about others."""
    for applicant in ("a", "b", "c"):
        for entry in shown(ask(a_lived_in_case(), applicant), Reader.APPLICANT)["suggestions"]:
            for finding in entry["findings"]:
                subjects = {path.partition(".")[0] for path in finding["facts"]}
                assert subjects <= {"applicant", "choice", "unit", "group", "scheme", "case"}
                assert finding["about"] == []


CODE_LISTS = {
    codes.__name__: codes
    for codes in (*vars(model).values(), *vars(casework).values(), facts_module.Nearness)
    if isinstance(codes, type) and issubclass(codes, StrEnum) and codes is not StrEnum
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CODE_LISTS)
def test_req_fvl_1_every_code_has_a_word(name: str, language: str) -> None:
    """No code of any list is without a label, so that no fact keeps an explanation from being written."""
    labels = text_files()[language]["codes"][name]

    assert [code.value for code in CODE_LISTS[name] if code.value not in labels] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reader", [Reader.COMMITTEE, Reader.STAFF])
def test_req_fvl_1_an_objection_can_be_explained(reader: Reader, language: str) -> None:
    """An answer with an objection in it can be written for those who are to read and to answer it."""
    answer = ask(a_case(vetoes=[a_veto(unit="hus-1-v1")]))

    assert entry_for(shown(answer, reader, language))["verdict"] == "advised_against"


def rules_of(public: Public) -> list[Rule]:
    """Return the rules with a public reason code."""
    return [rule for rule in RULEBOOK if rule.public is public]


@pytest.mark.parametrize("public", Public)
def test_req_fvl_2b_every_public_code_has_an_impersonal_cause(public: Public) -> None:
    """Behind each public reason code stand two rules or more, one of which reads nobody but the applicant."""
    assert len(rules_of(public)) >= 2
    assert [rule.id for rule in rules_of(public) if not rule.reads_others]


def test_req_fvl_2b_what_stems_from_others_is_told_as_the_environment() -> None:
    """Every rule that reads other persons has the one code that is shared with impersonal causes."""
    assert {rule.public for rule in RULEBOOK if rule.reads_others} == {Public.LIVING_ENVIRONMENT}


def test_req_fvl_2b_the_environment_has_impersonal_causes_in_the_default_policy() -> None:
    """Under the default policy advice about the environment can come of a rule that reads no other person."""
    policy = a_policy()
    impersonal = {
        policy.by_id[rule.id].effect for rule in rules_of(Public.LIVING_ENVIRONMENT) if not rule.reads_others
    }

    assert Effect.ADVISE_AGAINST in impersonal


@pytest.mark.parametrize("number", [1, 2, K - 1, K])
@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        ("gender-mix", {"gender": WOMAN}),
        ("substance-mix", {"main_substance": known(SubstanceClass.STIMULANTS)}),
        ("rop-mix", {"rop": NO}),
        ("gender-mix", {"gender": not_held()}),
    ],
)
def test_req_fvl_3_small_scheme_guard(number: int, rule: str, facts: dict[str, Any]) -> None:
    """Below k residents staff read one generic sentence; from k on the topic; the applicant never either."""
    case = with_person(a_case(a_house(living=(number,))), "hus-1-r1", **facts)
    answer = ask(case)
    generic = catalog("nb")("view.staff_small")
    title = catalog("nb").rule(rule, "title")
    staff, own = (in_bytes(entry_for(shown(answer, reader))) for reader in (Reader.STAFF, Reader.APPLICANT))

    assert assessed(answer).changes
    assert (generic in staff) is (number < K)
    assert (title in staff) is (rule in staff) is (number >= K)
    for told in (staff, own):
        assert "hus-1-r1" not in told
        assert "resident." not in told
    assert title not in own
    assert rule not in own
    assert "samlet vurdering av bomiljøet" in own


def test_req_fvl_8_the_handbooks_hash_stands_in_every_suggestion() -> None:
    """The hash printed in the handbook is the hash in each suggestion, and another policy has another."""
    other = a_policy({"rules.wish.points": 6})
    for policy in (a_policy(), other):
        for language in LANGUAGES:
            assert f"`{handbook_sha256(policy)}`" in handbook(policy, language)
            for reader in Reader:
                told = shown(ask(a_case(), policy=policy), reader, language)
                assert told["handbook_sha256"] == handbook_sha256(policy)
    assert handbook_sha256(other) != handbook_sha256(a_policy())


# ------------------------------------------------------------------------------- what nobody knows

PERSON_FACTS = (
    "birth_date",
    "gender",
    "rop",
    "main_substance",
    "substance_use",
    "heavy_use",
    "vulnerable",
    "child_visits",
)
APPLICANT_FACTS = (*PERSON_FACTS, "target_groups", "conflicts_asked", "orders_checked")


def without_status(status: FactStatus, path: str) -> dict[str, Any]:
    """Return one fact of a person as it is when the question has no answer."""
    if path == "risk":
        return {path: RiskAssessment(status=status)}
    if path == "needs":
        return {path: NeedsAssessment(status=status)}
    return {path: Assessed(status=status)}


RESIDENTS = ("hus-2-r1", "stort-1-r2")


def people_with_facts(case: Snapshot) -> Iterator[tuple[str, str]]:
    """Yield every fact of the applicants, and of one resident of each kind in `a_lived_in_case`."""
    for applicant in case.applicants:
        for name in (*APPLICANT_FACTS, "risk", "needs"):
            yield applicant.id, name
    for resident in RESIDENTS:
        for name in (*PERSON_FACTS, "risk"):
            yield resident, name


def with_one_fact_fewer(case: Snapshot, asked: str) -> Iterator[tuple[str, Snapshot]]:
    """Yield the case with each fact taken out in turn; of the applicants, only those of *asked*."""
    for person, name in people_with_facts(case):
        if person in {"a", "b", "c"} - {asked}:
            continue
        yield f"{person}.{name}", with_person(case, person, **without_status(FactStatus.NOT_ASKED, name))
    for resident in RESIDENTS:
        yield f"{resident}.moved_in", with_person(case, resident, moved_in=None)
    for applicant in case.applicants:
        yield f"{applicant.id}.wishes", with_person(case, applicant.id, wishes=None)
        stay = changed(applicant.placement, stay=not_held(), stay_months=not_held())
        yield f"{applicant.id}.stay", with_person(case, applicant.id, placement=stay)
    for scheme in case.schemes[:2]:
        for name in (
            "kind",
            "target_groups",
            "entry_condition",
            "unit_count",
            "night_cover",
            "services",
            "measures",
            "entrance",
            "near_transport",
            "visit_rule",
            "first_agreement",
            "agreement_max_months",
            "agreement_leads_to_tenancy",
        ):
            yield f"{scheme.id}.{name}", with_scheme(case, scheme.id, **{name: None})
        for unit in scheme.units:
            if unit.status is UnitStatus.OCCUPIED:
                continue
            for name in (
                "floor",
                "lift",
                "step_free",
                "area_m2",
                "exits",
                "window_height",
                "quiet",
                "vacant_since",
            ):
                yield f"{unit.id}.{name}", with_unit(case, unit.id, **{name: None})


@pytest.mark.parametrize("applicant", ["a", "b", "c"])
def test_req_fvl_9_a_missing_fact_is_never_a_silent_answer(applicant: str) -> None:
    """Taking out any fact leaves the verdict or makes it to be clarified, and then says what is missing."""
    case = a_lived_in_case()
    before = {e.assessment.unit: e.assessment for e in ask(case, applicant).ranked}
    for what, poorer in with_one_fact_fewer(case, applicant):
        for entry in ask(poorer, applicant).ranked:
            was, now = before[entry.assessment.unit], entry.assessment
            if now.verdict is was.verdict:
                continue
            assert now.verdict < was.verdict or now.verdict < Verdict.ADVISED_AGAINST, what
            told = [f for f in now.findings if f.outcome is Outcome.UNKNOWN and f.missing]
            assert told, what
            if was.verdict >= Verdict.NEEDS_CLARIFICATION:
                assert now.verdict >= Verdict.NEEDS_CLARIFICATION, what
                assert any(f.verdict is Verdict.NEEDS_CLARIFICATION for f in told), what


@pytest.mark.parametrize(
    ("asked", "rule"), [("conflicts_asked", "known-conflict"), ("orders_checked", "restraining-order")]
)
def test_req_fvl_9b_no_entry_proves_nothing_unless_somebody_asked(asked: str, rule: str) -> None:
    """An empty list is unknown until somebody has asked; then it is kept, until that has expired."""
    assert verdict(a_case()) is Verdict.SUITABLE
    for state in (not_held(), expired(value=True), disputed(value=True), not_held(FactStatus.REFUSED)):
        answer = ask(with_person(a_case(), "a", **{asked: state}))

        assert the_finding(answer, rule).outcome is Outcome.UNKNOWN
        assert f"applicant.{asked}" in the_finding(answer, rule).missing
        assert assessed(answer).verdict is Verdict.NEEDS_CLARIFICATION


def test_req_fvl_9b_an_entry_counts_though_nobody_asked() -> None:
    """What is known bars, also where the list may not be whole."""
    case = a_case(conflicts=[a_conflict("a", "hus-1-r1")])

    assert verdict(with_person(case, "a", conflicts_asked=not_held())) is Verdict.BLOCKED


@pytest.mark.parametrize("asked", ["conflicts_asked", "orders_checked"])
@pytest.mark.parametrize("lacking", ["recorded_by", "recorded_on", "source"])
def test_req_fvl_9b_to_have_asked_says_who_when_and_whom(asked: str, lacking: str) -> None:
    """That somebody asked counts only with who asked, on which day, and the source."""
    try:
        case = with_person(a_case(), "a", **{asked: known(value=True, **{lacking: None})})
    except ValidationError:
        return
    assert verdict(case) is Verdict.NEEDS_CLARIFICATION


# ------------------------------------------------------------------------------- equal treatment


def by_unit(answer: Suggestions, back: Callable[[str], str] = str) -> dict[str, object]:
    """Return what is decided of each unit, ids turned back with *back*."""
    return {
        back(e.assessment.unit): (
            e.rank,
            e.assessment.verdict,
            e.assessment.score,
            sorted(
                (f.rule.id, f.outcome, f.points, tuple(map(back, f.about))) for f in e.assessment.findings
            ),
        )
        for e in answer.ranked
    }


def test_req_fvl_10_other_ids_change_nothing() -> None:
    """With every id exchanged for another, in another order, each unit comes out as before."""
    case = a_lived_in_case()
    content = case.model_dump(mode="json")
    own = re.compile("(?:hus|stort|tomt)[-0-9a-z]*|[abc]|[ko]-[-0-9a-z]+")
    ids = sorted({text for text in texts(content) if own.fullmatch(text)})
    new = {identifier: f"id{len(ids) - i:03}" for i, identifier in enumerate(ids)}
    old = {fresh: stale for stale, fresh in new.items()}

    def rename(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: rename(value) for key, value in node.items()}
        if isinstance(node, list):
            return [rename(item) for item in node]
        return new.get(node, node) if isinstance(node, str) else node

    renamed = Snapshot.model_validate_json(json.dumps(rename(content)))

    assert len(ids) > 20
    for applicant in ("a", "b", "c"):
        assert by_unit(ask(renamed, new[applicant]), old.__getitem__) == by_unit(ask(case, applicant))


def test_req_fvl_10_names_change_nothing() -> None:
    """What schemes and groups are called, or how a case is described, changes no byte of what is decided."""
    case = a_lived_in_case()
    other = changed(case, notes="Noe annet", municipality=model.Municipality(code="5001", name="Trondheim"))
    for scheme in case.schemes:
        groups = tuple(changed(group, name="Åsgård Øst") for group in scheme.living_groups)
        other = with_scheme(other, scheme.id, name="Čáhppes", living_groups=groups)

    for reader in Reader:
        one, two = (shown(ask(world), reader) for world in (case, other))
        assert one["suggestions"] == two["suggestions"]


def in_another_order(node: Any) -> Any:
    """Return a document with every list turned round."""
    if isinstance(node, list):
        return [in_another_order(item) for item in reversed(node)]
    if isinstance(node, dict):
        return {key: in_another_order(value) for key, value in reversed(node.items())}
    return node


@pytest.mark.parametrize("reader", Reader)
def test_req_fvl_10_the_order_of_lists_changes_no_byte(reader: Reader) -> None:
    """Every reader gets the same bytes whatever the order in which things were entered."""
    case = a_lived_in_case()
    turned = Snapshot.model_validate_json(json.dumps(in_another_order(case.model_dump(mode="json"))))

    for applicant in ("a", "b", "c"):
        assert in_bytes(shown(ask(turned, applicant), reader)) == in_bytes(
            shown(ask(case, applicant), reader)
        )


def test_req_fvl_10_language_changes_nothing_that_is_decided() -> None:
    """Apart from sentences and the name of the language, a document is the same in every language."""

    def decided(node: Any) -> Any:
        words = {"text", "notice", "change", "language", "warnings", "source", "no_option", "facts_sha256"}
        if isinstance(node, dict):
            return {key: decided(value) for key, value in node.items() if key not in words}
        return [decided(item) for item in node] if isinstance(node, list) else node

    answer = ask(a_lived_in_case())
    for reader in Reader:
        documents = [decided(shown(answer, reader, language)) for language in LANGUAGES]
        assert documents[0] == documents[1] == documents[2]


# ---------------------------------------------------------------------------------- health, privacy


def test_req_hel_1_a_refused_fact_is_as_one_not_asked_for() -> None:
    """To have refused or withdrawn a fact changes nothing compared with never having been asked."""
    case = a_lived_in_case()
    for person, name in people_with_facts(case):
        if person in ("b", "c"):
            continue
        not_asked, refused, withdrawn = (
            outcomes(ask(with_person(case, person, **without_status(status, name))))
            for status in (FactStatus.NOT_ASKED, FactStatus.REFUSED, FactStatus.WITHDRAWN)
        )
        assert refused == withdrawn == not_asked, (person, name)


def test_req_hel_1_a_refused_fact_is_not_held() -> None:
    """What was refused or withdrawn cannot be kept with its value."""
    for status in (FactStatus.REFUSED, FactStatus.WITHDRAWN, FactStatus.NOT_ASKED):
        with pytest.raises(ValidationError):
            known(value=True, status=status)


def test_req_hel_3_a_refusal_to_share_or_plan_is_no_fact() -> None:
    """No field says that somebody refused to let information be exchanged, or an individual plan."""
    words = ("plan", "exchange", "share", "consent", "cooperat")

    assert not [f for f in Applicant.model_fields for word in words if word in f]
    assert not [path for path in VOCABULARY for word in words if word in path]


def test_req_hel_4_no_entry_condition_is_a_treatment() -> None:
    """No rule that bars reads use, medicine, services or measures, and no scheme can demand treatment."""
    sensitive = {
        "applicant.services",
        "applicant.risk_measures",
        "applicant.substance_use",
        "applicant.main_substance",
        "applicant.heavy_use",
    }
    for rule in RULEBOOK:
        if rule.effect is Effect.BAR or a_policy().by_id[rule.id].effect is Effect.BAR:
            read = {path.partition(":")[0] for expr in rule.expressions for path in paths(expr)}
            assert not read & sensitive, rule.id
    assert {requirement.value for requirement in EntryRequirement} == {"none", "rop"}
    assert not [path for path in VOCABULARY if re.search("treat|coerc|medic|sobriety", path)]


def test_req_pvn_2_an_expired_fact_is_unknown_with_a_flag() -> None:
    """An expired fact counts as one not asked for, never as the worst, and is shown to be old."""
    case = a_case(a_house("hus", (2,)))
    for person in ("a", "hus-1-r1"):
        record: Any = next(p for p in (*case.applicants, *case.residents) if p.id == person)
        for name in APPLICANT_FACTS if person == "a" else PERSON_FACTS:
            old = changed(getattr(record, name), valid_until=YESTERDAY)
            answer = ask(with_person(case, person, **{name: old}))
            not_asked = ask(with_person(case, person, **{name: not_held()}))

            assert outcomes(answer) == outcomes(not_asked), (person, name)
            assert assessed(answer).verdict <= Verdict.NEEDS_CLARIFICATION
            if any(f.missing for f in assessed(answer).findings):
                assert "utløpt" in in_bytes(entry_for(shown(answer)))


@pytest.mark.parametrize("name", ["risk", "needs"])
def test_req_pvn_2_an_assessment_says_when_it_was_made_and_how_long_it_holds(name: str) -> None:
    """An assessment without its day, its last day or the assessor's role is refused."""
    record = dict(getattr(an_applicant(), name))
    for field in ("assessed_on", "valid_until", "assessor_role", "source"):
        with pytest.raises(ValidationError):
            type(getattr(an_applicant(), name)).model_validate({**record, field: None})


def test_req_pvn_10_a_disputed_fact_is_unknown_and_the_dispute_is_shown() -> None:
    """Rules read a disputed fact as unknown, and the committee reads that it is disputed."""
    case = a_case(a_house(living=(2,)))
    for name in ("gender", "rop", "target_groups"):
        old: Assessed[Any] = getattr(an_applicant(), name)
        answer = ask(with_person(case, "a", **{name: disputed(old.value)}))

        assert outcomes(answer) == outcomes(ask(with_person(case, "a", **{name: not_held()})))
        assert "bestridt" in in_bytes(entry_for(shown(answer)))


def test_req_pvn_11_nobody_reads_names_or_free_text() -> None:
    """Documents hold ids and codes: no free text that was entered about anybody, for any reader."""
    canary = "Kanarifugl"
    case = a_lived_in_case()
    told = known(value=True, recorded_by=canary)
    wishes = changed(
        case.applicants[0].wishes or Wishes(obtained_on=LONG_AGO),
        comment=canary,
        reservations=(Reservation(scheme="tomt", reason=canary),),
    )
    risk = changed(a_risk(ViolenceConclusion.ASSESSED_HIGH), instrument=canary, assessor_role=canary)
    case = with_person(case, "a", wishes=wishes, risk=risk, vulnerable=told)
    case = changed(
        case, notes=canary, orders=tuple(changed(order, reference=canary) for order in case.orders)
    )
    for applicant, reader in itertools.product(("a", "b", "c"), Reader):
        assert canary not in everything_told(ask(case, applicant), reader)
    assert not [name for name in Person.model_fields if "name" in name]


def test_req_pvn_11_an_objections_own_words_are_not_shown() -> None:
    """The fact behind an objection may name others; it stays with the objection."""
    fact = VetoFact(observed_on=LONG_AGO, source=FactSource.STAFF, text="Kanarifugl")
    answer = ask(a_case(vetoes=[a_veto(unit="hus-1-v1", fact=fact)]))
    for reader in UNCLEARED:
        assert "Kanarifugl" not in everything_told(answer, reader)


# ---------------------------------------------------------------------------------------------- law


def string_literals(path: Path) -> Iterator[str]:
    """Yield every string in a source file that is not a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def test_req_law_1_sections_of_law_stand_in_one_table() -> None:
    """No section sign stands in a string of the source, or in a text file, outside the table of sources."""
    code = [*ENGINE_FILES, *sorted((ROOT / "api").rglob("*.py")), *sorted((ROOT / "fixtures").rglob("*.py"))]
    found = [str(path) for path in code if path != SOURCES and any("§" in s for s in string_literals(path))]

    assert found == []
    assert [
        name for name, content in text_files().items() if any("§" in text for text in texts(content))
    ] == []
    assert "§" not in DEFAULT_POLICY.read_text(encoding="utf-8")


def test_req_law_1_a_citation_reads_as_the_law_stands_on_the_day() -> None:
    """The same finding on two days refers to the section that holds on each."""
    law = Law(
        "duty",
        (
            LawVersion("gammel lov", "17", date(1970, 1, 1)),
            LawVersion("ny lov", "23", date(2027, 1, 1)),
        ),
    )
    finding = the_finding(ask(a_case()), "unit-available")
    rule = replace(finding.rule.rule, sources=(cite(law, "", Basis.DUTY),))
    dated = replace(finding, rule=replace(finding.rule, rule=rule))

    assert source_text(dated, date(2026, 12, 31)) == "gammel lov 17"
    assert source_text(dated, date(2027, 1, 1)) == "ny lov 23"


def test_req_law_1_a_suggestion_cites_the_law_of_its_own_day() -> None:
    """Every reference in a document is the one that holds on the day the facts are read at."""
    case = with_person(a_case(), "a", risk=a_risk(until=YESTERDAY))
    for day in (TODAY, TODAY + timedelta(days=30)):
        for finding in entry_for(shown(ask(changed(case, as_of=day))))["findings"]:
            sources = RULES_BY_ID[finding["rule"]].sources
            assert finding["source"] == "; ".join(dict.fromkeys(citation.at(day) for citation in sources))


FORBIDDEN = {
    "nb": ("har rett til", "har ikke rett til", "har krav på", "rettskrav"),
    "nn": ("har rett til", "har ikkje rett til", "har krav på", "rettskrav"),
    "en": ("has a right to", "have a right to", "has the right to", "have the right to", "entitled to"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_req_law_3_no_text_says_that_somebody_has_or_lacks_a_right(language: str) -> None:
    """What anyone has a right to is for people to decide, so no sentence of the product says it."""
    found = [
        text
        for text in texts(text_files()[language])
        for phrase in FORBIDDEN[language]
        if phrase in text.lower()
    ]

    assert found == []


# -------------------------------------------------------------------------------------- equality act

PROTECTED_RULES = [rule.id for rule in RULEBOOK if rule.protected]
CARD_FIELDS = (
    "legal_basis_note",
    "purpose",
    "necessity",
    "proportionality",
    "approved_by",
    "approved_on",
    "review_by",
)


@pytest.mark.parametrize("rule", PROTECTED_RULES)
def test_req_ldl_1_a_rule_on_a_protected_ground_needs_a_card(rule: str) -> None:
    """A policy in which such a rule has no justification card is refused."""
    with pytest.raises(PolicyError, match="justification"):
        a_policy({f"rules.{rule}.justification": ...})


@pytest.mark.parametrize("field", CARD_FIELDS)
def test_req_ldl_1_a_card_is_whole(field: str) -> None:
    """A card without one of its parts is refused."""
    with pytest.raises(PolicyError, match=field):
        a_policy({f"justifications.gender.{field}": ...})


@pytest.mark.parametrize("rule", PROTECTED_RULES)
def test_req_ldl_1_an_expired_card_switches_the_rule_off_with_a_warning(rule: str) -> None:
    """Past its review date the rule is off, unless it serves the applicant's own need; a warning shows."""
    card = a_policy().document.rules[rule].justification
    policy = a_policy({f"justifications.{card}.review_by": YESTERDAY})
    on_its_day = a_policy({f"justifications.{card}.review_by": TODAY})
    answer = ask(a_case(), policy=policy)

    assert bool(of_rule(answer, rule)) is RULES_BY_ID[rule].own_need
    assert rule in {warned.rule for warned in answer.warnings}
    assert rule not in {warned.rule for warned in ask(a_case(), policy=on_its_day).warnings}
    for reader in Reader:
        title = catalog("nb").rule(rule, "title")
        assert any(title in warning for warning in shown(answer, reader)["warnings"])


MIX = ("gender-mix", "gender-condition", "age-mix", "age-mix-established", "substance-mix", "rop-mix")


@pytest.mark.parametrize("rule", MIX)
def test_req_ldl_2_gender_age_and_substance_rules_can_be_switched_off(rule: str) -> None:
    """Switched off, a rule finds nothing, a warning says so, and all other rules find what they found."""
    case = a_lived_in_case()
    on, off = ask(case), ask(case, policy=a_policy(switched_off(rule)))
    for one, other in zip(
        sorted(on.ranked, key=lambda e: e.assessment.unit),
        sorted(off.ranked, key=lambda e: e.assessment.unit),
        strict=True,
    ):
        kept = [
            (f.rule.id, f.outcome, f.about, f.points) for f in one.assessment.findings if f.rule.id != rule
        ]
        assert [(f.rule.id, f.outcome, f.about, f.points) for f in other.assessment.findings] == kept
    assert ("rule_off", rule) in {(warned.code, warned.rule) for warned in off.warnings}


def test_req_ldl_3_gender_age_and_substance_never_bar_by_default() -> None:
    """By default such rules advise at most; it takes a policy's own word to make one a bar."""
    for rule in RULEBOOK:
        read = {path for expr in rule.expressions for path in paths(expr)}
        classes = {"applicant.main_substance", "resident.main_substance"}
        if rule.protected & {Protected.GENDER, Protected.AGE} or read & classes:
            assert rule.effect < Effect.BAR
            assert a_policy().by_id[rule.id].effect < Effect.BAR
    assert a_policy({"rules.gender-mix.effect": "bar"}).by_id["gender-mix"].effect is Effect.BAR


@pytest.mark.parametrize(
    "gender",
    [
        not_held(),
        not_held(FactStatus.REFUSED),
        not_held(FactStatus.WITHDRAWN),
        known(Gender.UNDISCLOSED),
        known(Gender.NON_BINARY),
    ],
)
def test_req_ldl_4_no_gender_excludes_nobody(gender: Assessed[Any]) -> None:
    """Without a gender to compare no scheme becomes blocked, and rules that read no gender are unchanged."""
    case = demo()
    for applicant in [person.id for person in case.applicants][:4]:
        before = {e.assessment.unit: e.assessment for e in ask(case, applicant).ranked}
        for entry in ask(with_person(case, applicant, gender=gender), applicant).ranked:
            was, now = before[entry.assessment.unit], entry.assessment
            about_gender = {"gender-mix", "gender-condition"}

            assert (now.verdict is Verdict.BLOCKED) is (was.verdict is Verdict.BLOCKED)
            assert [f for f in now.findings if f.rule.id not in about_gender] == [
                f for f in was.findings if f.rule.id not in about_gender
            ]
            assert not [f for f in now.findings if f.rule.id in about_gender and f.outcome is Outcome.BROKEN]


def test_req_ldl_6_origin_belief_and_orientation_are_no_fields() -> None:
    """Ethnicity, religion, nationality and sexual orientation can neither be entered nor read."""
    words = ("ethni", "relig", "nation", "orientation", "belief", "origin", "citizen")
    fields = [
        name
        for record in vars(model).values()
        if isinstance(record, type) and issubclass(record, model.Record)
        for name in record.model_fields
    ]

    assert not [name for name in (*fields, *VOCABULARY) for word in words if word in name]
    for word in ("ethnicity", "religion", "nationality", "sexual_orientation"):
        with pytest.raises(ValidationError):
            changed(an_applicant(), **{word: known("x")})


MEETS: dict[Need, dict[str, Any]] = {
    Need.NOT_GROUND_FLOOR: {"floor": 2},
    Need.LIFT: {"floor": 2, "lift": True},
    Need.SMALL_UNIT: {"area_m2": 30},
}


@pytest.mark.parametrize("need", Need)
def test_req_ldl_7_a_need_never_counts_against_anyone(need: Need) -> None:
    """In a home that meets the need, who has it stands exactly as who has not, and is equal on the list."""
    case = a_case(a_house("hus", (2,), kind=SchemeKind.SMALL_HOUSES))
    case = changed(case, applicants=(*case.applicants, an_applicant("b", needs=some_needs(need))))
    case = with_unit(case, "hus-1-v1", **MEETS.get(need, {}))
    ranked = shortlist(case, a_policy(), "hus-1-v1", "reference").ranked

    assert [(entry.rank, entry.assessment.verdict, entry.assessment.score) for entry in ranked] == [
        (1, Verdict.SUITABLE, 100)
    ] * 2


# -------------------------------------------------------------------------------------- human control


def test_req_hum_3_nothing_is_left_out() -> None:
    """Every reader sees every unit that nobody lives in; those who may list applicants see them all."""
    case = demo()
    free = sorted(u.id for s in case.schemes for u in s.units if u.status is not UnitStatus.OCCUPIED)
    people = sorted(applicant.id for applicant in case.applicants)
    without_vetoes = changed(case, vetoes=())
    answer = ask(without_vetoes, people[0])
    listed = shortlist(without_vetoes, a_policy(), free[0], "reference")

    for reader in Reader:
        assert sorted(entry["unit"] for entry in shown(answer, reader)["suggestions"]) == free
        if reader is not Reader.APPLICANT:
            assert sorted(entry["applicant"] for entry in shown(listed, reader)["suggestions"]) == people


def test_req_hum_6_only_orders_and_physical_facts_cannot_be_overruled() -> None:
    """Two rules alone bind a committee: one rests on a court order, the other on a physical fact."""
    fixed = {rule.id: rule.bases for rule in RULEBOOK if rule.fixed}

    assert fixed == {
        "restraining-order": {Basis.COURT_ORDER},
        "unit-available": {Basis.PHYSICAL_FACT},
    }
    for rule in fixed:
        for effect in ("advise_against", "weigh", "note"):
            with pytest.raises(PolicyError):
                a_policy({f"rules.{rule}.effect": effect, f"rules.{rule}.points": 5})
        with pytest.raises(PolicyError):
            a_policy(switched_off(rule))


def test_req_hum_6_every_finding_says_whether_it_can_be_overruled() -> None:
    """A bar that rests on what staff and duty say can be overruled with a reason; a court order cannot."""
    conflict = ask(a_case(conflicts=[a_conflict("a", "hus-1-r1")]))
    order = ask(a_case(orders=[an_order("a", "hus-1-r1")]))
    for answer, rule, may in ((conflict, "known-conflict", True), (order, "restraining-order", False)):
        (told,) = [f for f in entry_for(shown(answer))["findings"] if f["rule"] == rule and f["about"]]

        assert told["overridable"] is may
        assert ("Utvalget kan fravike dette med begrunnelse." in told["text"]) is may
        assert ("Dette kan ikke fravikes." in told["text"]) is not may


# ------------------------------------------------------------------------------------ reproducibility


def test_req_rep_1_stored_facts_and_policy_give_the_same_bytes() -> None:
    """From what is stored of facts and policy, the same suggestion comes out, byte by byte."""
    case = a_lived_in_case()
    stored_case, stored_policy = case.model_dump_json(), DEFAULT_POLICY.read_text(encoding="utf-8")
    for engine, reader in itertools.product(("durable", "reference"), Reader):
        first = in_bytes(shown(ask(case, engine=engine), reader))
        again = ask(
            Snapshot.model_validate_json(stored_case),
            policy=Policy.from_toml(stored_policy),
            engine=engine,
        )
        assert in_bytes(shown(again, reader)) == first


def test_req_rep_2_a_policys_hash_is_of_its_content() -> None:
    """Comments and the order of lines do not matter to the hash; any changed value does."""
    text = DEFAULT_POLICY.read_text(encoding="utf-8")
    content = tomllib.loads(text)
    rules = {name: dict(reversed(entry.items())) for name, entry in reversed(content["rules"].items())}
    turned = {**dict(reversed(content.items())), "rules": rules}

    assert Policy.from_toml(f"# en merknad\n{text}").sha256 == a_policy().sha256
    assert Policy(turned).sha256 == a_policy().sha256
    assert a_policy({"rules.wish.points": 6}).sha256 != a_policy().sha256
    assert a_policy({"change_note": "Rettet skrivefeil."}).sha256 != a_policy().sha256


@pytest.mark.parametrize("field", ["valid_from", "approved_by", "approved_on", "change_note", "version"])
def test_req_rep_2_a_policy_says_from_when_by_whom_and_why(field: str) -> None:
    """A policy without its first day, approver or change note is refused."""
    with pytest.raises(PolicyError, match=field):
        a_policy({field: ...})


def test_req_rep_2_an_accepted_policy_is_not_changed() -> None:
    """The document and the records in it are frozen."""
    document = a_policy().document
    for record, field in ((document, "version"), (document.rules["wish"], "points")):
        with pytest.raises(ValidationError):
            setattr(record, field, "2")


def test_req_rep_3_neither_clock_nor_locale_nor_hash_seed_matters() -> None:
    """In processes with other hash seeds, time zones and locales the bytes are the same."""
    command = [
        str(Path(sys.executable).parent / "allocator"),
        *("suggest", "fixtures/cases/golden-blandet-hus.json", "--format", "json", "--engine", "reference"),
    ]
    case = read_case((ROOT / "fixtures" / "cases" / "golden-blandet-hus.json").read_bytes())
    command += ["--applicant", case.applicants[0].id]
    worlds = (
        {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "2", "TZ": "Pacific/Pago_Pago", "LC_ALL": "C.UTF-8", "LANG": "tr_TR.UTF-8"},
    )
    told = {
        subprocess.run(command, cwd=ROOT, env={**os.environ, **world}, capture_output=True, check=True).stdout
        for world in worlds
    }

    assert len(told) == 1
    assert json.loads(told.pop())["suggestions"]


PURE = (
    "model",
    "facts",
    "policy",
    "scoring",
    "ranking",
    "simulation",
    "proofs",
    "disclosure",
    "explain",
    "handbook",
    "rules",
    "texts",
    "engines",
)


def test_req_rep_3_the_engine_has_no_clock_and_no_chance() -> None:
    """No module that decides or explains asks what day it is, where it is, or for chance."""
    for path in ENGINE_FILES:
        if path.relative_to(ROOT / "allocator").parts[0].removesuffix(".py") not in PURE:
            continue
        text = path.read_text(encoding="utf-8")
        if path.name in {"contained.py", "symbolic.py"}:  # how long it waits for an answer, and no more
            text = text.replace("import time\n", "", 1)
            assert set(re.findall(r"\btime\.(\w+)", text)) == {"monotonic"}
        assert not re.search(r"\.(today|now|utcnow)\(|^import (random|time|locale)\b", text, re.MULTILINE), (
            path
        )
        assert not re.search(r"^from (random|time|locale|secrets|uuid) import", text, re.MULTILINE), path


def test_req_rep_4_ties_are_listed_by_days_waited_then_by_id() -> None:
    """Equal applicants share a rank; who has waited longest is listed first, then goes the id."""
    people = [
        an_applicant("x", waiting_since=date(2026, 5, 1)),
        an_applicant("m", waiting_since=date(2026, 5, 1), birth_date=known(date(1950, 1, 1))),
        an_applicant("z", waiting_since=date(2025, 5, 1)),
    ]
    ranked = shortlist(a_case(applicants=people), a_policy(), "hus-1-v1", "reference").ranked

    assert [(entry.rank, entry.assessment.applicant) for entry in ranked] == [(1, "z"), (1, "m"), (1, "x")]


# --------------------------------------------------------------------------------------- risk, orders

EXPOSED = with_person(a_case(), "hus-1-r1", vulnerable=YES)


def test_req_ris_1_a_risk_is_a_persons_dated_conclusion_and_never_a_score() -> None:
    """A risk has a horizon, a role, a day and a last day; a raw score is no field of it."""
    record = dict(HIGH_RISK)
    for field in ("conclusion", "horizon", "assessed_on", "valid_until", "assessor_role"):
        with pytest.raises(ValidationError):
            RiskAssessment.model_validate({**record, field: None})
    with pytest.raises(ValidationError):
        RiskAssessment.model_validate({**record, "score": 7})
    assert {kind.annotation for kind in RiskAssessment.model_fields.values()}.isdisjoint({int, float})


def test_req_ris_2_a_short_horizon_carries_no_placement() -> None:
    """A screen that looks a day ahead is unknown to every rule, of applicant and resident alike."""
    screen = a_risk(ViolenceConclusion.ASSESSED_HIGH, horizon=RiskHorizon.SHORT)
    vulnerable = with_person(a_case(), "a", vulnerable=YES)
    for case in (
        with_person(EXPOSED, "a", risk=screen),
        with_person(vulnerable, "hus-1-r1", risk=screen),
    ):
        assert verdict(case) is Verdict.NEEDS_CLARIFICATION
        assert "gjelder bare for kort tid" in in_bytes(entry_for(shown(ask(case))))


def test_req_ris_3_a_missing_or_expired_assessment_is_unknown_and_asked_for() -> None:
    """Neither good nor bad follows from an old or missing assessment; the text says whom to ask."""
    for risk, why in (
        (RiskAssessment(status=FactStatus.NOT_ASKED), "ikke spurt om"),
        (a_risk(until=YESTERDAY), "utløpt"),
    ):
        answer = ask(with_person(EXPOSED, "a", risk=risk))
        (finding,) = [f for f in of_rule(answer, "risk-to-vulnerable") if f.about == ("hus-1-r1",)]
        (told,) = [
            f
            for f in entry_for(shown(answer))["findings"]
            if f["rule"] == "risk-to-vulnerable" and f["about"] == ["hus-1-r1"]
        ]

        assert finding.outcome is Outcome.UNKNOWN
        assert why in told["text"]
        assert "Spør den som kartlegger" in told["text"]


def test_req_ris_4_what_excludes_somebody_has_an_end() -> None:
    """Objections, orders, risks and confirmed conflicts must say when they end, and then bar no longer."""
    for make in (
        lambda: a_veto(scheme="hus", valid_until=None),
        lambda: an_order("a", "b", valid_until=None),
    ):
        with pytest.raises(ValidationError):
            make()
    years_on = TODAY + timedelta(days=366)
    conflict = a_case(conflicts=[a_conflict("a", "hus-1-r1", recorded_on=TODAY)])
    order = a_case(orders=[an_order("a", "hus-1-r1", valid_until=TOMORROW)])
    for case in (conflict, order):
        assert verdict(case) is Verdict.BLOCKED
        assert verdict(changed(case, as_of=years_on)) is not Verdict.BLOCKED
    veto = a_case(vetoes=[a_veto(scheme="hus", valid_until=TOMORROW)])
    later = ask(changed(veto, as_of=years_on))
    assert {f.outcome for f in of_rule(later, "staff-veto")} == {Outcome.KEPT}


@pytest.mark.parametrize("measure", Measure)
def test_req_ris_5_measures_meet_a_risk(measure: Measure) -> None:
    """With every measure in place that the assessment names, a high risk is met; lacking one, it is not."""
    case = with_person(EXPOSED, "a", risk=a_risk(ViolenceConclusion.ASSESSED_HIGH, measure))
    case = with_scheme(case, "hus", measures=frozenset({measure}))

    assert verdict(case) is Verdict.SUITABLE
    assert (
        verdict(with_scheme(case, "hus", measures=frozenset(Measure) - {measure})) is Verdict.ADVISED_AGAINST
    )
    assert verdict(with_scheme(case, "hus", measures=None)) is Verdict.NEEDS_CLARIFICATION


@pytest.mark.parametrize("bound", ["a", "hus-1-r1"])
def test_req_bf_1_only_a_verified_order_blocks(bound: str) -> None:
    """Whichever of the two is bound, a verified order blocks, and another must be looked at."""
    protected = "hus-1-r1" if bound == "a" else "a"

    assert verdict(a_case(orders=[an_order(bound, protected)])) is Verdict.BLOCKED
    unverified = ask(a_case(orders=[an_order(bound, protected, verified=False)]))
    assert assessed(unverified).verdict is Verdict.ADVISED_AGAINST
    assert [f.rule.id for f in assessed(unverified).reasons] == ["order-review"]


@pytest.mark.parametrize(
    "order",
    [an_order("a", "hus-1-r1"), an_order("a", None, forbidden_schemes=frozenset({"hus"}))],
    ids=["person", "area"],
)
def test_req_bf_2_an_active_order_bars_for_everyone_and_shows_to_the_cleared(order: Order) -> None:
    """The bar cannot be overruled; only the committee reads that it is an order."""
    answer = ask(a_case(a_house("hus"), a_house("andre"), orders=[order]))
    (finding,) = assessed(answer).reasons

    assert (finding.rule.id, finding.overridable) == ("restraining-order", False)
    assert "Et bekreftet forbud gjelder" in in_bytes(entry_for(shown(answer)))
    for reader in UNCLEARED:
        told = everything_told(answer, reader)
        assert told_verdicts(answer, reader)["hus-1-v1"] == "blocked"
        assert not re.search(r"forbud|order\b|restraining|hus-1-r1", told)


def test_req_bf_3_an_expired_order_is_to_be_looked_at() -> None:
    """On its last day an order blocks; the day after it does not vanish but must be considered."""
    on_its_last_day = a_case(orders=[an_order("a", "hus-1-r1", valid_until=TODAY)])
    day_after = a_case(orders=[an_order("a", "hus-1-r1", valid_until=YESTERDAY)])

    assert verdict(on_its_last_day) is Verdict.BLOCKED
    assert verdict(day_after) is Verdict.ADVISED_AGAINST
    assert [f.rule.id for f in assessed(ask(day_after)).reasons] == ["order-review"]


def test_req_bf_4_a_ban_from_ones_own_home_frees_no_unit() -> None:
    """A resident who must stay away from home lives there still: nothing is vacant, the mix unchanged."""
    order = Order(
        id="o",
        kind=OrderKind.VISITING_BAN,
        bound="hus-1-r1",
        forbidden_schemes=frozenset({"hus"}),
        valid_from=LONG_AGO,
        valid_until=NEXT_YEAR,
        verified=True,
    )
    case = with_person(a_case(), "hus-1-r1", gender=WOMAN)

    assert outcomes(ask(changed(case, orders=(order,)))) == outcomes(ask(case))


@pytest.mark.parametrize("field", ["ground", "fact", "valid_until", "author_role", "raised_on"])
def test_req_vet_1_an_objection_has_a_ground_a_fact_and_an_end(field: str) -> None:
    """Without ground, fact, author's role or dates an objection cannot be raised."""
    with pytest.raises(ValidationError):
        a_veto(unit="hus-1-v1", **{field: None})


@pytest.mark.parametrize("where", [{"unit": "hus-1-v1"}, {"living_group": "hus-1"}, {"scheme": "hus"}])
def test_req_vet_5_an_objection_expires(where: dict[str, str]) -> None:
    """An objection counts from the day it is raised to its last, and not a day more."""
    objection = a_veto(**where, raised_on=TODAY, valid_until=TODAY)
    for day, outcome in ((TODAY, Outcome.BROKEN), (TOMORROW, Outcome.KEPT), (YESTERDAY, Outcome.KEPT)):
        answer = ask(a_case(vetoes=[objection], as_of=day))
        assert the_finding(answer, "staff-veto").outcome is outcome


# --------------------------------------------------------------------------------- rules by people only

LEARNING = re.compile(
    r"torch|tensorflow|keras|jax|scikit|sklearn|xgboost|lightgbm|catboost|transformers|openai|anthropic|mistral"
    r"|langchain|llama|cohere|spacy|nltk|gensim|statsmodels|onnx|sentence|huggingface|vllm|litellm|ollama"
)
CHOSEN = {
    *(
        "durable-rules",
        "pydantic",
        "fastapi",
        "uvicorn",
        "sqlalchemy",
        "alembic",
        "z3-solver",
        "numpy",
        "orjson",
        "scipy",
    ),
    *("highspy", "polars", "narwhals", "typer", "rich", "jinja2", "babel", "authlib", "structlog"),
    *("prometheus-client", "openpyxl", "typst", "cryptography", "psycopg", "pysqlite3", "python-multipart"),
    *("argon2-cffi", "tzdata"),
}
"""The libraries that are chosen for what runs in a municipality."""


def test_req_ki_1_nothing_that_learns_is_installed() -> None:
    """What the product depends on is what was chosen for it, and what that needs; nothing in it learns."""
    text = (ROOT / "requirements" / "base.txt").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([A-Za-z0-9_.-]+)(?:\[.*?\])?==", text, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = {re.split(r"[^A-Za-z0-9_.-]", requirement)[0].lower() for requirement in project["dependencies"]}

    assert direct <= CHOSEN
    assert direct <= pinned
    assert not [name for name in pinned if LEARNING.search(name)]


def imported(path: Path) -> set[str]:
    """Return the packages that a source file imports."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in plain | named}


def test_req_ki_1_no_rule_is_made_at_run_time() -> None:
    """What decides imports nothing that learns or calls out, and its use leaves the policy's hash alone."""
    for path in ENGINE_FILES:
        if path.relative_to(ROOT / "allocator").parts[0].removesuffix(".py") in PURE:
            foreign = imported(path) - set(sys.stdlib_module_names)
            assert foreign <= {
                "allocator",
                "pydantic",
                "pydantic_core",
                "durable_rules_engine",
                "durable",
                "numpy",
                "orjson",
                "narwhals",
                "z3",
            }
            own_child = {"socket"} if path.name == "contained.py" else set()  # the channel to its own process
            assert not (imported(path) & {"urllib", "socket", "http", "requests", "httpx"}) - own_child
    policy = Policy.from_toml(DEFAULT_POLICY.read_text(encoding="utf-8"))
    before = policy.sha256, handbook_sha256(policy)
    ask(a_lived_in_case(), policy=policy)
    assert (policy.sha256, handbook(policy).count(before[1])) == (before[0], 1)


# ---------------------------------------------------------------------------- two worlds: third persons

OWN_WORLDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "exposed": {"birth_date": known(date(2004, 1, 1)), "vulnerable": YES, "child_visits": YES},
    "high risk": {"risk": HIGH_RISK, "needs": some_needs(Need.LIFT, Need.SHIELDING, Service.DEPOT)},
    "nobody asked": {"conflicts_asked": not_held(), "orders_checked": not_held(), "gender": not_held()},
    "lives there": {"resides_as": "stort-1-r1"},
}

THEIR_FACTS: list[dict[str, Any]] = [
    {"gender": WOMAN},
    {"gender": not_held()},
    {"rop": NO},
    {"rop": disputed(value=False)},
    {"main_substance": known(SubstanceClass.STIMULANTS)},
    {"substance_use": known(SubstanceUse.FORMER)},
    {"heavy_use": YES},
    {"vulnerable": YES},
    {"risk": HIGH_RISK},
    {"risk": a_risk(until=YESTERDAY)},
    {"child_visits": YES},
    {"birth_date": known(date(2005, 1, 1))},
    {"moved_in": YESTERDAY},
    {"move_out": TOMORROW},
]


def worlds_of_others() -> Iterator[Snapshot]:
    """Yield worlds that differ only in facts about persons other than the applicant *a*."""
    houses = (a_house("hus", (1, 2)), a_house("stort", (5,)), a_house("lite", (1,), (0,)))
    plain = a_case(*houses, applicants=[an_applicant(), an_applicant("b")])
    yield plain
    ids = ["hus-1-r1", "hus-2-r1", "stort-1-r2"]
    for resident, facts in itertools.product(ids[:2], THEIR_FACTS):
        yield with_person(plain, resident, **facts)
    yield changed(plain, residents=plain.residents[1:])
    for resident in ids:
        for entry in (
            {"conflicts": (a_conflict("a", resident),)},
            {"conflicts": (a_conflict(resident, "a", reach=ConflictReach.LIVING_GROUP),)},
            {"conflicts": (a_conflict("a", resident, direction=ConflictDirection.ONE_SIDED),)},
            {"conflicts": (a_conflict("a", resident, status=ConflictStatus.REFUTED),)},
            {"conflicts": (a_conflict("b", resident),)},
            {"conflicts": (a_conflict("stort-1-r3", resident),)},
            {"orders": (an_order("a", resident),)},
            {"orders": (an_order(resident, "a", verified=False),)},
            {"orders": (an_order("b", resident),)},
        ):
            yield changed(plain, **entry)
    for scheme in ("hus", "stort", "lite"):
        frequents = frozenset({scheme})
        visitor = a_conflict("a", None, id="k", counterpart_role=CounterpartRole.VISITOR, frequents=frequents)
        yield changed(plain, conflicts=(visitor,))
        yield changed(plain, orders=(an_order("a", None, forbidden_schemes=frequents),))
        for applicant in ("a", "b"):
            yield changed(plain, vetoes=(a_veto(applicant=applicant, scheme=scheme),))
    everywhere = [a_conflict("a", resident) for resident in ("hus-1-r1", "stort-1-r2", "lite-1-r1")]
    yield changed(plain, conflicts=tuple(everywhere))
    yield changed(plain, conflicts=tuple(everywhere[:2]))
    yield changed(plain, applicants=plain.applicants[:1])
    yield with_person(plain, "b", gender=WOMAN, risk=HIGH_RISK)


OTHER_WORLDS = list(worlds_of_others())


@pytest.mark.parametrize("own", OWN_WORLDS.values(), ids=OWN_WORLDS)
def test_req_fvl_2_an_applicants_text_is_the_same_whatever_is_true_of_others(own: dict[str, Any]) -> None:
    """Worlds that differ only in third persons, with the same verdicts shown, give the same bytes."""
    told: dict[str, set[str]] = defaultdict(set)
    for world in OTHER_WORLDS:
        document = shown(ask(with_person(world, "a", **own)), Reader.APPLICANT)
        verdicts = str([(entry["unit"], entry["verdict"]) for entry in document["suggestions"]])
        told[verdicts].add(in_bytes(document))

    assert len(told) > 1
    differing = [sorted(several) for several in told.values() if len(several) > 1]
    assert not differing, first_difference(*differing[0][:2])


def first_difference(one: str, other: str) -> str:
    """Return where two documents begin to differ, for the message of a test that fails."""
    at = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    return f"…{one[max(0, at - 60) : at + 80]}…\n…{other[max(0, at - 60) : at + 80]}…"


def homes(*houses: tuple[str, tuple[int, ...], tuple[int, ...]]) -> tuple[House, ...]:
    """Return houses with so many residents and vacant units in each living group."""
    return tuple(a_house(name, living, vacant) for name, living, vacant in houses)


TOWNS: dict[str, tuple[House, ...]] = {
    "two large groups": homes(("h", (K, K + 1), (1, 1))),
    "large groups, one without vacancy": homes(("h", (K, K), (1, 0)), ("i", (K,), (1,))),
    "scheme with a small group": homes(("h", (K, 2), (1, 1)), ("i", (K,), (1,))),
    "scheme with a small group without vacancy": homes(("h", (2, K - 2), (1, 0))),
    "scheme with an empty group": homes(("h", (2, 3, 0), (1, 1, 1)), ("i", (K,), (1,))),
    "several small schemes": homes(
        ("h", (1,), (1,)), ("i", (2, 1), (1, 1)), ("j", (1,), (2,)), ("l", (K,), (1,))
    ),
    "several small schemes, one without vacancy": homes(
        ("h", (3,), (0,)), ("i", (2,), (1,)), ("l", (K,), (1,))
    ),
    "whole municipality": homes(("h", (1,), (1,)), ("l", (K + 1,), (1,))),
    "whole municipality of one small house each": homes(
        ("h", (1,), (1,)), ("i", (1,), (1,)), ("j", (2,), (0,))
    ),
}

Separation = Callable[[str], dict[str, Any]]
SEPARATIONS: dict[str, Separation] = {
    "conflict, scheme": lambda who: {"conflicts": (a_conflict("a", who, id="k"),)},
    "conflict, living group": lambda who: {
        "conflicts": (a_conflict("a", who, id="k", reach=ConflictReach.LIVING_GROUP),)
    },
    "one-sided conflict, living group": lambda who: {
        "conflicts": (
            a_conflict(
                who, "a", id="k", direction=ConflictDirection.ONE_SIDED, reach=ConflictReach.LIVING_GROUP
            ),
        )
    },
    "order": lambda who: {"orders": (an_order("a", who, id="o"),)},
    "unverified order": lambda who: {"orders": (an_order("a", who, id="o", verified=False),)},
}


def members_by_zone(case: Snapshot) -> dict[str, list[str]]:
    """Return the residents of each zone of the default policy."""
    read = CaseFacts(case)
    members: dict[str, list[str]] = defaultdict(list)
    for resident in case.residents:
        members[read.zone(read.places[resident.unit].group.id, K).name].append(resident.id)
    return members


def a_few(case: Snapshot, members: Iterable[str]) -> list[str]:
    """Return the first and the last member of each living group."""
    by_group: dict[str, list[str]] = defaultdict(list)
    home = {resident.id: resident.unit for resident in case.residents}
    for member in sorted(members):
        by_group[CaseFacts(case).places[home[member]].group.id].append(member)
    return [who for group in by_group.values() for who in dict.fromkeys((group[0], group[-1]))]


@dataclass(frozen=True)
class Told:
    """What is told of a world in which one member of a zone is the enemy, or has the order."""

    zone: str
    who: str
    exact: dict[str, str]
    documents: dict[Reader, dict[str, Any]]


@cache
def told_in(town: str, separation: str, *, reserved: bool = False) -> tuple[Told, ...]:
    """Return what is told in each world of a town; *reserved*: its first vacant unit is not free."""
    case = a_case(*TOWNS[town])
    if reserved:
        first = next(u.id for s in case.schemes for u in s.units if u.status is UnitStatus.VACANT)
        case = with_unit(case, first, status=UnitStatus.RESERVED, vacant_since=None)
    told = []
    for zone, members in members_by_zone(case).items():
        for who in a_few(case, members):
            answer = ask(changed(case, **SEPARATIONS[separation](who)))
            exact = {e.assessment.unit: e.assessment.verdict.code for e in answer.ranked}
            told.append(Told(zone, who, exact, {reader: shown(answer, reader) for reader in UNCLEARED}))
    return tuple(told)


WORLDS = [
    *((town, separation, False) for town in TOWNS for separation in SEPARATIONS),
    *((town, separation, True) for town in TOWNS for separation in ("conflict, living group", "order")),
]


@pytest.mark.parametrize("reader", UNCLEARED)
@pytest.mark.parametrize(("town", "separation", "reserved"), WORLDS)
def test_req_fvl_2_which_member_of_a_zone_it_is_shows_to_nobody(
    town: str, separation: str, reserved: bool, reader: Reader
) -> None:
    """Worlds that differ only in which member of a zone is the enemy, or has the order, are the same."""
    by_zone: dict[str, set[str]] = defaultdict(set)
    for told in told_in(town, separation, reserved=reserved):
        by_zone[told.zone].add(in_bytes(told.documents[reader]))
    for documents in by_zone.values():
        assert len(documents) == 1, first_difference(*sorted(documents)[:2])


Entry = Callable[[str], dict[str, Any]]
AREAS: dict[str, Entry] = {
    "visitor": lambda place: {
        "conflicts": (
            a_conflict(
                "a", None, id="k", counterpart_role=CounterpartRole.VISITOR, frequents=frozenset({place})
            ),
        )
    },
    "order": lambda place: {"orders": (an_order("a", None, id="o", forbidden_schemes=frozenset({place})),)},
}


@pytest.mark.parametrize("reader", UNCLEARED)
@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("town", TOWNS)
def test_req_fvl_2_which_scheme_of_a_zone_it_is_shows_to_nobody(town: str, area: str, reader: Reader) -> None:
    """The same holds for the scheme that an enemy visits, or that the applicant must stay away from."""
    case = a_case(*TOWNS[town])
    by_zone: dict[str, set[str]] = defaultdict(set)
    for scheme in case.schemes:
        document = in_bytes(shown(ask(changed(case, **AREAS[area](scheme.id))), reader))
        for group in scheme.living_groups[:1]:
            by_zone[CaseFacts(case).zone(group.id, K).name].add(document)
    for documents in by_zone.values():
        assert len(documents) == 1, first_difference(*sorted(documents)[:2])


@pytest.mark.parametrize("reader", UNCLEARED)
def test_req_fvl_2_comparisons_show_no_more(reader: Reader) -> None:
    """Also the sentences that compare one unit with the next are the same whoever of a zone it is."""
    case = a_case(*TOWNS["several small schemes"])
    members = members_by_zone(case)["small schemes"]
    for separation in SEPARATIONS.values():
        told = {everything_told(ask(changed(case, **separation(who))), reader) for who in members}
        assert len(told) == 1, first_difference(*sorted(told)[:2])


@pytest.mark.parametrize(("town", "separation", "reserved"), WORLDS)
def test_req_bf_2_the_exact_bar_holds_for_the_committee(town: str, separation: str, reserved: bool) -> None:
    """The committee sees the bar where it is and nowhere else, whatever others are shown."""
    case = a_case(*TOWNS[town])
    places = CaseFacts(case).places
    home = {resident.id: places[resident.unit] for resident in case.residents}
    advice = "unverified" in separation or "one-sided" in separation
    for told in told_in(town, separation, reserved=reserved):
        for unit, code in told.exact.items():
            lives, place = home[told.who], places[unit]
            near = (
                lives.group.id == place.group.id
                if "living group" in separation
                else lives.scheme.id == place.scheme.id
            )
            expected = ("advised_against" if advice else "blocked") if near else "suitable"
            not_free = reserved and unit == next(
                u.id for s in case.schemes for u in s.units if u.status is UnitStatus.VACANT
            )
            assert code == ("blocked" if not_free else expected)


@pytest.mark.parametrize(("town", "separation", "reserved"), WORLDS)
def test_req_bf_2_nobody_sees_a_better_verdict_than_the_exact_one(
    town: str, separation: str, reserved: bool
) -> None:
    """What is shown to readers without clearance is never better than what the committee sees."""
    for told in told_in(town, separation, reserved=reserved):
        for document in told.documents.values():
            for entry in document["suggestions"]:
                assert Verdict[entry["verdict"].upper()] >= Verdict[told.exact[entry["unit"]].upper()]


@pytest.mark.parametrize("town", TOWNS)
def test_req_fvl_3_every_zone_that_can_holds_k_residents(town: str) -> None:
    """A zone in which somebody lives has at least k residents, unless the whole municipality has fewer."""
    case = a_case(*TOWNS[town])
    zones = members_by_zone(case)

    assert min(map(len, zones.values())) >= min(K, len(case.residents))
    for group in (g.id for s in case.schemes for g in s.living_groups):
        assert group in CaseFacts(case).zone(group, K).groups


@pytest.mark.parametrize("reader", UNCLEARED)
@pytest.mark.parametrize("applicant", ["S-2026-101", "S-2026-102", "S-2026-111"])
def test_req_fvl_2_in_the_demo_nobody_sees_better_than_the_committee(applicant: str, reader: Reader) -> None:
    """Also in a whole municipality no uncleared verdict is better than the exact one."""
    answer = ask(changed(demo(), vetoes=()), applicant)
    exact = told_verdicts(answer, Reader.COMMITTEE)

    for unit, code in told_verdicts(answer, reader).items():
        assert Verdict[code.upper()] >= Verdict[exact[unit].upper()]
