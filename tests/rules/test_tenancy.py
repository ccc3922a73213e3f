"""Stays, agreements and empty units, at their boundaries."""

from __future__ import annotations

from allocator.codes import (
    AgreementForm,
)
from tests.rules.tables import BROKEN, KEPT, UNKNOWN, Row, Table, by_its_table, judge, table

_STAY = (
    "unit.purpose",
    "applicant.stay",
    "applicant.stay_months",
    "unit.min_stay_months",
    "unit.max_stay_months",
)
_AGREEMENT = (
    "scheme.first_agreement",
    "scheme.agreement_leads_to_tenancy",
    "applicant.stay",
    "applicant.stay_months",
    "scheme.agreement_max_months",
)
_SERVICE = "service_agreement"

TABLES = (
    table(
        "stay-limit",
        _STAY,
        [
            ("shorter than the shortest stay", "assessment", "limited", 0, 1, 3, BROKEN),
            ("as long as the shortest stay", "assessment", "limited", 1, 1, 3, KEPT),
            ("between", "assessment", "limited", 2, 1, 3, KEPT),
            ("as long as the longest stay", "assessment", "limited", 3, 1, 3, KEPT),
            ("longer than the longest stay", "assessment", "limited", 4, 1, 3, BROKEN),
            ("a home for good", "assessment", "permanent", 2, 1, 3, BROKEN),
            ("a home for good, months unknown", "assessment", "permanent", None, 1, 3, BROKEN),
            ("a home for good, limits unknown", "assessment", "permanent", 2, None, None, BROKEN),
            ("in a unit that is a home", "home", "permanent", 4, 1, 3, KEPT),
            ("in a unit for emergencies", "emergency", "permanent", 4, 1, 3, KEPT),
            ("purpose unknown", None, "permanent", 4, 1, 3, UNKNOWN),
            ("purpose unknown, stay within the limits", None, "limited", 2, 1, 3, KEPT),
            ("kind of stay unknown", "assessment", None, 2, 1, 3, UNKNOWN),
            ("kind of stay unknown, too long", "assessment", None, 4, 1, 3, BROKEN),
            ("kind of stay unknown, too short", "assessment", None, 0, 1, 3, BROKEN),
            ("months unknown", "assessment", "limited", None, 1, 3, UNKNOWN),
            ("longest stay unknown", "assessment", "limited", 3, 1, None, UNKNOWN),
            ("longest stay unknown, too short", "assessment", "limited", 0, 1, None, BROKEN),
            ("shortest stay unknown", "assessment", "limited", 1, None, 3, UNKNOWN),
            ("shortest stay unknown, too long", "assessment", "limited", 4, None, 3, BROKEN),
            ("nothing known but that it is a home", "home", None, None, None, None, KEPT),
            ("nothing known", None, None, None, None, None, UNKNOWN),
        ],
    ),
    table(
        "agreement-limit",
        _AGREEMENT,
        [
            ("shorter than the agreement", _SERVICE, False, "limited", 11, 12, KEPT),
            ("as long as the agreement", _SERVICE, False, "limited", 12, 12, KEPT),
            ("longer than the agreement", _SERVICE, False, "limited", 13, 12, BROKEN),
            ("a home for good", _SERVICE, False, "permanent", 12, 12, BROKEN),
            ("a home for good, months unknown", _SERVICE, False, "permanent", None, 12, BROKEN),
            ("a home for good, limit unknown", _SERVICE, False, "permanent", 12, None, BROKEN),
            ("it leads to a tenancy, longer", _SERVICE, True, "limited", 13, 12, KEPT),
            ("it leads to a tenancy, for good", _SERVICE, True, "permanent", 13, 12, KEPT),
            ("form unknown", None, False, "permanent", 13, 12, UNKNOWN),
            ("form unknown, it leads to a tenancy", None, True, "permanent", 13, 12, KEPT),
            ("form unknown, not longer than it", None, False, "limited", 12, 12, KEPT),
            ("unknown whether it leads to a tenancy", _SERVICE, None, "permanent", 13, 12, UNKNOWN),
            ("the same, not longer than it", _SERVICE, None, "limited", 12, 12, KEPT),
            ("kind of stay unknown", _SERVICE, False, None, 12, 12, UNKNOWN),
            ("kind of stay unknown, longer", _SERVICE, False, None, 13, 12, BROKEN),
            ("months unknown", _SERVICE, False, "limited", None, 12, UNKNOWN),
            ("limit unknown", _SERVICE, False, "limited", 12, None, UNKNOWN),
            ("stay unknown, it leads to a tenancy", _SERVICE, True, None, None, None, KEPT),
            ("nothing known but that it is a tenancy", "tenancy_open", None, None, None, None, KEPT),
            ("nothing known", None, None, None, None, None, UNKNOWN),
        ],
    ),
    table(
        "agreement-limit",
        _AGREEMENT,
        [
            (f"only this form has the limit: {form}", form.value, False, "permanent", 13, 12, KEPT)
            for form in AgreementForm
            if form is not AgreementForm.SERVICE_AGREEMENT
        ],
    ),
    table(
        "long-vacancy",
        ("unit.days_vacant",),
        [
            ("vacant since today", 0, KEPT),
            ("vacant for 59 days", 59, KEPT),
            ("vacant for 60 days", 60, KEPT),
            ("vacant for 61 days", 61, BROKEN),
            ("vacant for 62 days", 62, BROKEN),
            ("unknown since when", None, UNKNOWN),
        ],
    ),
)


@by_its_table(TABLES)
def test_tenancy_rules_keep_to_their_tables(table: Table, row: Row) -> None:
    """A rule on stays, agreements or vacancy comes out as its table says, by both engines."""
    assert judge(table, row) is row.expected
