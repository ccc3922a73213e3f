"""Comparisons, letters, and that every sentence there may be can be written, in every language."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from allocator.disclosure import Level, Reader, Shown
from allocator.documents import read_case
from allocator.explain import Explainer, NotForApplicantsError, document
from allocator.facts import Missing
from allocator.policy import Policy
from allocator.rules import RULEBOOK
from allocator.rules.language import AtLeast, Public, paths, walk
from allocator.scoring import Suggestions, shortlist, suggest
from allocator.texts import Language, catalog, placeholders

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
                for shown in entry.findings:
                    said.append(explainer.sentence(shown))
                    if reader is Reader.COMMITTEE:
                        said.append(explainer.change(shown.finding))
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
