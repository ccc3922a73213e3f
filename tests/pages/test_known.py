"""What is known of schemes and units is told in words, and what is not known is listed."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.codes import (
    EntryRequirement,
    Gender,
    NightCover,
    TargetGroup,
    UnitPurpose,
)
from allocator.model import EntryCondition, Evidence, GenderCondition, Record, SchemeFacts, UnitFacts
from allocator.texts import Language, catalog
from api.pages.known import Known, known
from tests.strategies import schemes, units

NB = catalog(Language.NB)


def told(facts: Record) -> dict[str, Known]:
    """Return what is told of facts, in bokmål."""
    return {one.field: one for one in known(NB, facts.model_dump(mode="json"), type(facts))}


@pytest.mark.parametrize(
    ("facts", "field", "said"),
    [
        (UnitFacts(), "facts/floor", None),
        (UnitFacts(floor=0), "facts/floor", "0"),
        (UnitFacts(lift=False), "facts/lift", "Nei"),
        (UnitFacts(lift=True), "facts/lift", "Ja"),
        (UnitFacts(purpose=UnitPurpose.HOME), "facts/purpose", "Bolig"),
        (UnitFacts(window_height=None), "facts/window_height", None),
        (SchemeFacts(name="x"), "facts/services", None),
        (SchemeFacts(name="x", services=frozenset()), "facts/services", ""),
        (
            SchemeFacts(name="x", target_groups=frozenset({TargetGroup.ROP, TargetGroup.SUBSTANCE_USE})),
            "facts/target_groups",
            "ROP-lidelse og rusproblemer",
        ),
        (SchemeFacts(name="x"), "facts/entry_condition", None),
        (
            SchemeFacts(name="x", entry_condition=EntryCondition(requires=EntryRequirement.ROP)),
            "facts/entry_condition/adopted",
            None,
        ),
        (
            SchemeFacts(
                name="x",
                gender_condition=GenderCondition(
                    gender=Gender.WOMAN, document="Sak 1", review_by=date(2027, 1, 2)
                ),
            ),
            "facts/gender_condition/review_by",
            "02.01.2027",
        ),
    ],
)
def test_a_fact_is_told_in_words(facts: Record, field: str, said: str | None) -> None:
    """Nothing known is no answer; that there are none is one."""
    assert told(facts)[field].said == said


def test_where_a_fact_is_published_is_told_with_it() -> None:
    """The work and the section; only for the fact that it is about."""
    facts = SchemeFacts(
        name="x",
        unit_count=12,
        night_cover=NightCover.ON_SITE,
        evidence={"unit_count": Evidence(source="sobstadveien", section="s. 3")},
    )
    assert (told(facts)["facts/unit_count"].published or "").endswith(", s. 3")
    assert told(facts)["facts/night_cover"].published is None


@given(st.one_of(schemes(), units()), st.sampled_from(Language))
def test_everything_is_told_in_every_language(one: SchemeFacts | UnitFacts, language: Language) -> None:
    """Known is told, not known is not."""
    model = SchemeFacts if isinstance(one, SchemeFacts) else UnitFacts
    facts = model(**{name: getattr(one, name) for name in model.model_fields})
    for fact in known(catalog(language), facts.model_dump(mode="json"), model):
        value = facts
        for part in fact.field.split("/")[1:]:
            value = getattr(value, part)
        assert (fact.said is None) == (value is None)
