"""Contested advice, at its boundaries: for each side that a municipality can take, and for neither."""

from __future__ import annotations

from collections.abc import Iterable

from allocator.codes import (
    AgreementForm,
    EntranceForm,
    Fittings,
    SchemeKind,
)
from tests.rules.tables import BROKEN, KEPT, UNKNOWN, Row, Table, by_its_table, judge, table

OPEN = "open"


def _coded(rule: str, path: str, side: str, codes: Iterable[str], broken: Iterable[str]) -> Table:
    """Return the table of one side of a rule that reads one code."""
    departs = set(broken)
    rows = [(f"{code}", str(code), BROKEN if code in departs else KEPT) for code in codes]
    return table(rule, (path,), [*rows, ("unknown", None, UNKNOWN)], side=side)


def _two_sided(rule: str, path: str, side_a: str, side_b: str) -> tuple[Table, Table]:
    """Return the tables of a rule that reads one yes-or-no fact: *side_a* wants it, *side_b* does not."""
    wants, avoids = (BROKEN, KEPT), (KEPT, BROKEN)
    return tuple(  # type: ignore[return-value]  # one table for each of two sides
        table(
            rule,
            (path,),
            [("no", False, without), ("yes", True, with_), ("unknown", None, UNKNOWN)],
            side=side,
        )
        for side, (without, with_) in ((side_a, wants), (side_b, avoids))
    )


def _left_open(one: Table) -> Table:
    """Return the same rows where the policy has left the question open: always kept."""
    rows = tuple(Row(row.shows, KEPT, row.facts) for row in one.rows)
    return Table(one.rule, rows, (("side", OPEN),))


_NOT_OWN = [form for form in EntranceForm if form is not EntranceForm.OWN]
_NOT_GUARDED = [form for form in EntranceForm if form is not EntranceForm.GUARDED]
_TENANCIES = [form for form in AgreementForm if form is not AgreementForm.SERVICE_AGREEMENT]
_LARGER = [kind for kind in SchemeKind if kind is not SchemeKind.SMALL_HOUSES]

SIDES = (
    _coded("entrance-form", "unit.entrance", "own", EntranceForm, _NOT_OWN),
    _coded("entrance-form", "unit.entrance", "overlooked", EntranceForm, ["own"]),
    _coded("fittings", "unit.fittings", "robust", Fittings, ["porcelain"]),
    _coded("fittings", "unit.fittings", "homely", Fittings, ["steel"]),
    _coded("first-agreement", "scheme.first_agreement", "service_agreement", AgreementForm, _TENANCIES),
    _coded("first-agreement", "scheme.first_agreement", "tenancy", AgreementForm, ["service_agreement"]),
    *_two_sided("cameras", "scheme.cameras", "with", "without"),
    _coded("guarded-entrance", "unit.entrance", "with", EntranceForm, _NOT_GUARDED),
    _coded("guarded-entrance", "unit.entrance", "without", EntranceForm, ["guarded"]),
    *_two_sided("near-hospital", "scheme.near_hospital", "near", "apart"),
    *_two_sided("activities", "scheme.activities_on_site", "on_site", "elsewhere"),
    *_two_sided("institution-like", "scheme.institution_like", "accept", "avoid"),
    _coded(
        "care-intensity", "scheme.kind", "dense", SchemeKind, ["own_home_follow_up", "ordinary_municipal"]
    ),
    _coded("care-intensity", "scheme.kind", "sparse", SchemeKind, ["institution_like", "care_home"]),
    _coded("small-houses", "scheme.kind", "prefer", SchemeKind, _LARGER),
    _coded("small-houses", "scheme.kind", "avoid", SchemeKind, ["small_houses"]),
)

LEFT_OPEN = tuple({one.rule: _left_open(one) for one in SIDES}.values())

TABLES = (*SIDES, *LEFT_OPEN, *(Table(one.rule, one.rows) for one in LEFT_OPEN))
"""Each side, the question left open, and what the default policy says, which is the same."""


@by_its_table(TABLES)
def test_contested_rules_keep_to_their_tables(table: Table, row: Row) -> None:
    """A contested rule notes what departs from the side that the policy takes; nothing if it takes none."""
    assert judge(table, row) is row.expected
