"""Comparisons, letters, and that every sentence there may be can be written, in every language."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from allocator.codes import ConflictReach, Gender, UnitStatus
from allocator.disclosure import Level, Reader, Shown
from allocator.documents import read_case
from allocator.explain import Explainer, NotForApplicantsError, document, facts_sha256
from allocator.facts import CaseFacts, Missing
from allocator.model import Resident, Snapshot
from allocator.policy import Policy
from allocator.rules import RULEBOOK
from allocator.rules.language import AtLeast, Public, paths, walk
from allocator.scoring import Suggestions, Verdict, shortlist, suggest
from allocator.texts import Language, catalog, placeholders
from tests.cases import (
    LONG_AGO,
    NEXT_YEAR,
    a_case,
    a_conflict,
    a_house,
    ask,
    changed,
    entry_for,
    known,
    shown,
    with_person,
    with_unit,
)

ROOT = Path(__file__).resolve().parent.parent
CASE = read_case((ROOT / "fixtures/cases/demo-municipality.json").read_bytes())
POLICY = Policy.from_toml((ROOT / "fixtures/policies/default.toml").read_text(encoding="utf-8"))
UNIT = "tunet-2"


def _texts(language: str) -> dict[str, str]:
    """Return every sentence of a language by its dotted key."""

    def flat(node: dict[str, Any], before: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in node.items():
            found |= flat(value, f"{before}{key}/") if isinstance(value, dict) else {f"{before}{key}": value}
        return found

    path = ROOT / f"allocator/texts/{language}.toml"
    return flat(tomllib.loads(path.read_text(encoding="utf-8")), "")


def _answer(applicant: str = "S-2026-101") -> Suggestions:
    return suggest(CASE, POLICY, applicant, "reference")


@pytest.mark.parametrize("language", ["nn", "en"])
def test_every_language_has_the_same_sentences_with_the_same_placeholders(language: str) -> None:
    """No sentence is missing, none is left over, and each is filled with the same values."""
    bokmal, other = _texts("nb"), _texts(language)
    assert other.keys() == bokmal.keys()
    assert {k: placeholders(v) for k, v in other.items()} == {k: placeholders(v) for k, v in bokmal.items()}
    assert all(text.strip() for text in other.values())


@pytest.mark.parametrize("rule", RULEBOOK, ids=lambda rule: rule.id)
def test_a_rules_sentences_use_only_what_the_rule_reads(rule: Any) -> None:
    """A placeholder is a fact that the rule reads or tells, a count of its own, a parameter, or whom."""
    read = {path for expr in rule.expressions for path in paths(expr)}
    read |= {fact.type.path for fact in rule.tells}
    read |= {
        f"{part.over}s.{part.name}"
        for expr in rule.expressions
        for part in walk(expr)
        if isinstance(part, AtLeast)
    }
    allowed = read | {f"params.{name}" for name in rule.params} | {"who", "Who"}
    for language in Language:
        text = catalog(language)
        parts = ["title", "why", "broken", "kept", "change"]
        parts += ["applicant"] * (rule.public is not Public.LIVING_ENVIRONMENT)
        parts += ["remark"] * (rule.remark_when is not None)
        for part in parts:
            assert placeholders(text.rule(rule.id, part)) <= allowed, (language, part)


@pytest.mark.parametrize("language", [*Language])
def test_every_finding_of_the_demo_can_be_said_to_every_reader(language: str) -> None:
    """Whatever is found of anyone, it is said in whole sentences without a placeholder left."""
    for applicant in CASE.applicants:
        answer = suggest(CASE, POLICY, applicant.id, "reference")
        for reader in Reader:
            explainer = Explainer(answer, reader, language)
            for entry in explainer.released:
                said = [explainer.summary(entry)]
                for item in entry.findings:
                    said.append(explainer.sentence(item))
                    if reader.decides:
                        said.append(explainer.change(item.finding))
                assert [s for s in said if re.search(r"[{}]|\bNone\b|Missing\.", s)] == []
                assert [s for s in said if not s.rstrip().endswith((".", "?"))] == []


def test_a_comparison_gives_the_better_first_and_what_sets_them_apart() -> None:
    """Whichever way round two units are asked about, the better is first, with what only the other has."""
    explainer = Explainer(_answer(), Reader.COMMITTEE)
    said = explainer.compared("nordlia-10", "nordlia-6")

    assert said == explainer.compared("nordlia-6", "nordlia-10")
    assert said.startswith("nordlia-6 står foran nordlia-10: vurderingen er «egnet» for nordlia-6")
    assert "Bare hos nordlia-10: Søkeren bruker opioider" in said
    assert "Botiltaket har 10 boenheter" not in said


def test_a_comparison_for_the_applicant_has_their_own_facts_and_public_reasons_only() -> None:
    """Nobody who lives there is in it, and no points are."""
    said = Explainer(_answer(), Reader.APPLICANT).compared("nordlia-6", "nordlia-10")

    assert "opioider" not in said
    assert "B-0" not in said
    assert "poeng" not in said
    assert "nordlia-10" in said


def test_two_applicants_are_compared_for_the_committee() -> None:
    """For a unit, the comparison names both applicants and what sets them apart."""
    answer = shortlist(CASE, POLICY, UNIT, "reference")
    told = document(answer, compare=("S-2026-101", "S-2026-105"))

    assert told["comparison"]["text"].startswith("S-2026-105 står foran S-2026-101")


def test_a_shortlist_is_not_for_applicants() -> None:
    """An applicant may ask about themselves and not about others."""
    with pytest.raises(NotForApplicantsError):
        document(shortlist(CASE, POLICY, UNIT, "reference"), Reader.APPLICANT)


def test_a_letter_says_nothing_of_the_other_applicants() -> None:
    """Why somebody did not come first is said by their own facts; the others' have no effect on a byte."""
    alone = CASE.model_copy(
        update={
            "applicants": tuple(a for a in CASE.applicants if a.id == "S-2026-101"),
            "vetoes": tuple(v for v in CASE.vetoes if v.applicant == "S-2026-101"),
            "conflicts": (),
            "orders": (),
        }
    )
    letters = {
        Explainer(suggest(case, POLICY, "S-2026-101", "reference"), Reader.APPLICANT).letter(UNIT)
        for case in (CASE, alone)
    }

    (letter,) = letters
    assert letter.startswith("Vi har vurdert flere søkere til boligen.")
    assert "Du har ønsket andre steder enn dette." in letter
    with pytest.raises(KeyError):
        Explainer(_answer(), Reader.APPLICANT).letter("nowhere")


def test_what_is_not_in_the_answer_cannot_be_compared() -> None:
    """A unit that somebody lives in, or that is not there, is refused."""
    with pytest.raises(KeyError):
        Explainer(_answer(), Reader.COMMITTEE).compared("nordlia-6", "nowhere")


def test_brief_sentences_leave_out_what_is_said_once_for_all() -> None:
    """Both sides of contested evidence, and who may overrule, are left out; the finding itself is not."""
    explainer = Explainer(_answer(), Reader.COMMITTEE)
    shown = [Shown(f, Level.FULL) for e in explainer.released for f in e.assessment.reasons]
    contested = [s for s in shown if explainer.both_sides(s.finding) is not None]

    assert contested
    for item in contested:
        long, brief = explainer.sentence(item), explainer.sentence(item, brief=True)
        assert long.startswith(brief)
        assert (explainer.both_sides(item.finding) or "-") in long


def test_a_gender_that_a_rule_cannot_compare_is_not_called_missing() -> None:
    """Somebody who is non-binary has told it: the committee assesses, and nobody asks again."""
    answer = _answer("S-2026-106")
    for language, missing in (("nb", "Mangler"), ("nn", "Manglar"), ("en", "Missing")):
        explainer = Explainer(answer, Reader.COMMITTEE, language)
        said = [
            explainer.sentence(shown)
            for entry in explainer.released
            for shown in entry.findings
            if [*shown.finding.missing.values()] == [Missing.NOT_COMPARABLE]
        ]
        assert said
        assert not any(missing in sentence for sentence in said)


# --------------------------------------------------------------------- a member who is not cleared


def _leaving(**given: Any) -> Snapshot:
    """Return a case where one of five who live together has given notice."""
    case = with_person(a_case(), "hus-1-r1", move_out=NEXT_YEAR, gender=known(Gender.WOMAN))
    case = with_unit(case, "hus-1-b1", status=UnitStatus.NOTICE_GIVEN)
    return changed(case, **given)


def test_a_member_is_not_told_by_what_will_be_after_notice() -> None:
    """Whether the enemy is the one who leaves shows to the committee alone."""
    cases = [_leaving(conflicts=(a_conflict("a", who, id="k"),)) for who in ("hus-1-r1", "hus-1-r2")]
    exact, told = (
        [{**shown(ask(case), reader), "facts_sha256": ""} for case in cases]
        for reader in (Reader.COMMITTEE, Reader.MEMBER)
    )

    assert entry_for(exact[0])["after_notice"]["verdict"] == "suitable"
    assert entry_for(exact[1])["after_notice"]["verdict"] == "blocked"
    assert told[0] == told[1]
    assert "after_notice" not in entry_for(told[0])
    assert "after_notice" in entry_for(shown(ask(_leaving()), Reader.MEMBER))


def test_what_will_be_after_notice_is_told_of_open_findings_alone() -> None:
    """In a zone without conflicts a member gets the verdict that the open findings will give."""
    answer = ask(_leaving(conflicts=(a_conflict("a", "hus-1-r2", id="k"),)))
    (assessment,) = [e.assessment for e in answer.ranked if e.assessment.unit == "hus-1-v1"]

    assert assessment.verdict_after_notice is Verdict.BLOCKED
    assert assessment.opened().verdict_after_notice is Verdict.SUITABLE


def test_a_member_is_told_one_sentence_of_a_restricted_unit() -> None:
    """No points, no findings, the verdict of the zone, and last among those with the same verdict."""
    houses = (a_house("hus", (5, 5)), a_house("annet", (5,)))
    case = a_case(*houses, conflicts=[a_conflict("a", "hus-1-r1", id="k", reach=ConflictReach.LIVING_GROUP)])
    answer = ask(with_unit(case, "annet-1-v1", status=UnitStatus.RESERVED, vacant_since=None))
    told = shown(answer, Reader.MEMBER)
    explainer = Explainer(answer, Reader.MEMBER)

    assert [(e["unit"], e["rank"]) for e in told["suggestions"]] == [
        ("hus-2-v1", 1),
        ("annet-1-v1", 2),
        ("hus-1-v1", 3),
    ]
    restricted, reserved = entry_for(told), entry_for(told, "annet-1-v1")
    assert (restricted["verdict"], restricted["score"], restricted["findings"]) == ("blocked", None, [])
    assert restricted["text"] == explainer.text("view.restricted")
    assert reserved["score"] == 100
    assert any(finding.get("reason") for finding in reserved["findings"])
    assert "hus-1-v1: Dette stedet er vurdert" in explainer.compared("annet-1-v1", "hus-1-v1")
    assert "hus-1-v1: Dette stedet" not in Explainer(answer, Reader.STAFF).compared("annet-1-v1", "hus-1-v1")


def test_what_closes_everything_is_told_to_a_member_where_nothing_is_restricted() -> None:
    """With a restricted unit among them only the duty to help is said; else what the committee is told."""
    closed = with_unit(a_case(), "hus-1-v1", status=UnitStatus.RESERVED, vacant_since=None)
    apart = changed(closed, conflicts=(a_conflict("a", "hus-1-r1", id="k"),))

    assert shown(ask(closed), Reader.MEMBER)["no_option"] == shown(ask(closed))["no_option"]
    assert [*shown(ask(apart), Reader.MEMBER)["no_option"]] == ["text"]
    assert "closed_by" in shown(ask(apart))["no_option"]


# --------------------------------------------------------------------------------- a placeholder


def _guarded(**given: Any) -> Snapshot:
    """Return a case where a placeholder lives in one of the units, and has given notice."""
    case = with_unit(a_case(), "hus-1-b1", status=UnitStatus.NOTICE_GIVEN)
    placeholder = Resident(id="hus-1-b1", unit="hus-1-b1", moved_in=LONG_AGO, move_out=NEXT_YEAR)
    return changed(case, residents=(placeholder, *case.residents[1:]), **given)


def test_of_a_placeholder_it_is_said_that_they_are_not_recorded() -> None:
    """No day of leaving, and an id that is the unit's; also where the committee reads of a conflict."""
    case = _guarded(conflicts=(a_conflict("a", "hus-1-b1", id="k"),))
    entry = entry_for(shown(ask(case)))
    said = [finding["text"] for finding in entry["findings"] if finding["about"] == ["hus-1-b1"]]

    assert "after_notice" not in entry
    assert any("den som bor i hus-1-b1 (ikke registrert)" in text for text in said)
    assert not [text for text in said if "beboer hus-1-b1" in text or "2027" in text]


def test_a_needless_placeholder_is_no_fact() -> None:
    """The hash is that of the case without it; where an entry points at it, it counts."""
    case = _guarded()
    without = changed(case, residents=case.residents[1:])
    conflicts = (a_conflict("a", "hus-1-b1", id="k"),)

    assert facts_sha256(case) == facts_sha256(without)
    stayed = changed(case, conflicts=conflicts)
    gone = with_person(stayed, "hus-1-b1", move_out=LONG_AGO)
    assert facts_sha256(stayed) != facts_sha256(gone)


def test_who_is_known_is_no_placeholder() -> None:
    """A municipality may call a resident by the unit's id; what is known of them is read."""
    case = with_unit(a_case(), "hus-1-b1", status=UnitStatus.NOTICE_GIVEN)
    resident = changed(case.residents[0], id="hus-1-b1")
    facts = CaseFacts(changed(case, residents=(resident, *case.residents[1:])))

    assert not facts.placeholders
    assert Missing.NOT_RECORDED not in facts.everyone_in(facts.group_of("hus-1-b1"))[0].facts.values()
    with pytest.raises(ValueError, match="placeholder"):
        facts.replaced(Resident(id="hus-1-b1", unit="hus-1-b1"))


def test_what_replaces_a_placeholder_is_read_as_one() -> None:
    """A placeholder stays an occupant of whom nothing is known; it cannot become known in place."""
    facts = CaseFacts(_guarded())
    group = facts.group_of("hus-1-b1")
    again = facts.replaced(Resident(id="hus-1-b1", unit="hus-1-b1"))

    assert again.everyone_in(group) == facts.everyone_in(group)
    with pytest.raises(ValueError, match="placeholder"):
        facts.replaced(Resident(id="hus-1-b1", unit="hus-1-b1", gender=known(Gender.MAN)))


def test_a_placeholder_adds_nobody_where_somebody_is_known_to_live() -> None:
    """Beside a known resident of the same household there is no second occupant; but a home, there is."""
    case = with_person(a_case(), "hus-1-r1", household="h")
    both = (*case.residents, Resident(id="hus-1-b1", unit="hus-1-b1", household="h"))
    facts = CaseFacts(changed(case, residents=both))

    assert facts.residents_in == CaseFacts(case).residents_in
    assert facts.group_of("hus-1-b1").id == "hus-1"


def test_a_placeholder_lives_in_a_unit_that_somebody_has_left() -> None:
    """Where one who has moved out is still recorded, the placeholder counts, and so does it in the hash."""
    case = with_person(_guarded(), "hus-1-r2", unit="hus-1-b1", move_out=date(2024, 1, 1))
    without = changed(case, residents=case.residents[1:])

    assert CaseFacts(case).residents_in["hus-1"] == CaseFacts(without).residents_in["hus-1"] + 1
    assert facts_sha256(case) != facts_sha256(without)
