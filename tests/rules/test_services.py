"""Staffing, services, shielding and the size of the house, at their boundaries."""

from __future__ import annotations

from allocator.codes import (
    SchemeKind,
    Service,
)
from tests.rules.tables import BROKEN, KEPT, UNKNOWN, Row, Table, by_its_table, judge, table

_SERVICES = {service.value for service in Service}
_SHIELDED = ("small_houses", "single")
_SHIELDING = ("applicant.needs:shielding", "scheme.kind", "group.unit_count")

TABLES = (
    table(
        "night-staff",
        ("applicant.needs:night_staff", "scheme.night_cover"),
        [
            ("staff on site", True, "on_site", KEPT),
            ("staff that come when called", True, "ambulant", BROKEN),
            ("no staff", True, "none", BROKEN),
            ("no need, no staff", False, "none", KEPT),
            ("no need, staff that come when called", False, "ambulant", KEPT),
            ("need unknown, no staff", None, "none", UNKNOWN),
            ("need unknown, staff that come when called", None, "ambulant", UNKNOWN),
            ("need unknown, staff on site", None, "on_site", KEPT),
            ("cover unknown", True, None, UNKNOWN),
            ("cover unknown, no need", False, None, KEPT),
            ("nothing known", None, None, UNKNOWN),
        ],
    ),
    table(
        "night-staff",
        ("applicant.needs:night_staff", "scheme.night_cover"),
        [
            ("ambulant is enough where the policy says so", True, "ambulant", KEPT),
            ("none is not", True, "none", BROKEN),
        ],
        not_enough=("none",),
    ),
    table(
        "service-cover",
        ("applicant.services", "scheme.services"),
        [
            ("nothing needed, nothing given", set(), set(), KEPT),
            ("nothing needed, all given", set(), _SERVICES, KEPT),
            ("all needed and given", _SERVICES, _SERVICES, KEPT),
            ("all needed, nothing given", _SERVICES, set(), BROKEN),
            ("one of two given", {"depot", "meals"}, {"depot"}, BROKEN),
            ("both given", {"depot", "meals"}, {"depot", "meals"}, KEPT),
            ("something else given", {"depot"}, {"meals"}, BROKEN),
            ("needs unknown", None, set(), UNKNOWN),
            ("needs unknown, all given", None, _SERVICES, KEPT),
            ("services unknown", {"depot"}, None, UNKNOWN),
            ("services unknown, nothing needed", set(), None, KEPT),
            ("nothing known", None, None, UNKNOWN),
        ],
    ),
    table(
        "service-cover",
        ("applicant.services", "scheme.services"),
        [
            row
            for code in sorted(_SERVICES)
            for row in (
                (f"needed and not given: {code}", {code}, _SERVICES - {code}, BROKEN),
                (f"needed and given: {code}", {code}, {code}, KEPT),
                (f"not needed and not given: {code}", _SERVICES - {code}, _SERVICES - {code}, KEPT),
            )
        ],
    ),
    table(
        "service-cover",
        ("applicant.services", "scheme.services:depot", "scheme.services:meals"),
        [
            ("one service lacking, one unknown", {"depot", "meals"}, False, None, BROKEN),
            ("one service given, one unknown", {"depot", "meals"}, True, None, UNKNOWN),
        ],
    ),
    table(
        "shielding",
        _SHIELDING,
        [
            ("four together", True, "co_located", 4, KEPT),
            ("five together", True, "co_located", 5, BROKEN),
            ("three together", True, "co_located", 3, KEPT),
            ("six together", True, "co_located", 6, BROKEN),
            ("no need, five together", False, "co_located", 5, KEPT),
            ("need unknown, five together", None, "co_located", 5, UNKNOWN),
            ("kind unknown, five together", True, None, 5, UNKNOWN),
            ("number unknown", True, "co_located", None, UNKNOWN),
            ("need unknown, four together", None, "co_located", 4, KEPT),
            ("need unknown, small houses", None, "small_houses", 5, KEPT),
            ("kind unknown, four together", True, None, 4, KEPT),
            ("kind unknown, no need", False, None, 5, KEPT),
            ("number unknown, small houses", True, "small_houses", None, KEPT),
            ("number unknown, a house of its own", True, "single", None, KEPT),
            ("number unknown, no need", False, "co_located", None, KEPT),
            ("nothing known", None, None, None, UNKNOWN),
        ],
    ),
    table(
        "shielding",
        _SHIELDING,
        [
            (f"five together: {kind}", True, kind.value, 5, KEPT if kind in _SHIELDED else BROKEN)
            for kind in SchemeKind
        ],
    ),
    table(
        "shielding",
        (*_SHIELDING, "scheme.unit_count"),
        [
            ("a small group in a large scheme", True, "co_located", 4, 40, KEPT),
            ("a group as large as its scheme", True, "co_located", 5, 5, BROKEN),
        ],
    ),
    table(
        "scheme-size",
        ("scheme.unit_count",),
        [
            ("seven homes", 7, KEPT),
            ("eight homes", 8, KEPT),
            ("nine homes", 9, BROKEN),
            ("ten homes", 10, BROKEN),
            ("number unknown", None, UNKNOWN),
        ],
    ),
    table(
        "scheme-size",
        ("scheme.unit_count", "group.unit_count"),
        [
            ("the number in the group does not count", 8, 9, KEPT),
            ("a large scheme of small groups", 9, 3, BROKEN),
        ],
    ),
)


@by_its_table(TABLES)
def test_service_rules_keep_to_their_tables(table: Table, row: Row) -> None:
    """A rule on staffing, services or the house comes out as its table says, by both engines."""
    assert judge(table, row) is row.expected
