"""Law as dated data: what follows from each type of decision."""

from __future__ import annotations

from datetime import date

import pytest

from allocator.casework import law
from allocator.casework.codes import AppealBody, DecisionType
from allocator.casework.committee import Decision
from allocator.casework.law import DECISION_LAW, appeal_deadline, law_ref, law_refs
from allocator.rules.sources import LAW, Law, LawVersion


def test_every_type_has_its_appeal_body_and_weeks() -> None:
    """Assistance goes to the county governor, allocation to the municipal board (REQ-LAW-2)."""
    assert set(DECISION_LAW) == set(DecisionType)
    assert DECISION_LAW[DecisionType.ASSISTANCE].body is AppealBody.COUNTY_GOVERNOR
    assert DECISION_LAW[DecisionType.ALLOCATION].body is AppealBody.MUNICIPAL_BOARD
    assert DECISION_LAW[DecisionType.DWELLING].body is AppealBody.NONE
    assert DECISION_LAW[DecisionType.DWELLING].exceptionally is AppealBody.MUNICIPAL_BOARD


def test_a_decision_cannot_be_without_a_type() -> None:
    """The type is no field that may be left out."""
    assert Decision.model_fields["type"].is_required()
    assert Decision.model_fields["appeal_body"].is_required()


@pytest.mark.parametrize(
    ("kind", "last"),
    [
        (DecisionType.ALLOCATION, date(2026, 12, 14)),
        (DecisionType.SERVICES, date(2026, 12, 21)),
        (DecisionType.DWELLING, None),
    ],
)
def test_the_deadline_counts_from_when_the_party_was_told(kind: DecisionType, last: date | None) -> None:
    """Three weeks, or four for health and care services, or none."""
    assert appeal_deadline(kind, date(2026, 11, 23)) == last


def test_every_reference_of_a_decision_holds_today_and_has_a_label_in_each_language() -> None:
    """No decision names a reference that is not in the table."""
    for rules in DECISION_LAW.values():
        for key in rules.refs:
            assert law_ref(key, date(2026, 11, 23)).section
    for ref in law_refs():
        assert len({ref.label(language) for language in ("nb", "nn", "en")}) >= 1


def test_what_nobody_has_looked_up_stays_marked() -> None:
    """The weeks to appeal are professional knowledge; so is the section that sets them."""
    assert all(rules.unverified for rules in DECISION_LAW.values())
    assert law_ref("appeal-deadline", date(2026, 11, 23)).unverified
    assert not law_ref("assistance-decision", date(2026, 11, 23)).unverified


def test_a_reference_reads_as_it_holds_on_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same key gives the old section until its last day, and the new one from the next (REQ-LAW-1)."""
    replaced = Law(
        "appeal",
        (
            LawVersion("gammel lov", "28", date(1970, 1, 1)),
            LawVersion("ny lov", "40", date(2027, 1, 1)),
        ),
    )
    monkeypatch.setattr(law, "LAW", {**LAW, "appeal": replaced})

    assert str(law_ref("appeal", date(2026, 12, 31))) == "gammel lov 28"
    assert str(law_ref("appeal", date(2027, 1, 1))) == "ny lov 40"
    with pytest.raises(KeyError):
        law_ref("appeal", date(1969, 12, 31))


def test_an_act_that_is_not_in_force_holds_on_no_day() -> None:
    """It stands in the table for the day somebody writes down when it begins."""
    assert any(ref.id == "documented-system" and not ref.in_force for ref in law_refs())
    with pytest.raises(KeyError):
        law_ref("documented-system", date(2030, 1, 1))
