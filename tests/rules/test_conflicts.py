"""Known conflicts and restraining orders, at their boundaries."""

from __future__ import annotations

from datetime import date

from allocator.codes import (
    ConflictStatus,
    CounterpartRole,
)
from tests.rules.tables import (
    BROKEN,
    KEPT,
    TODAY,
    TOMORROW,
    UNKNOWN,
    YESTERDAY,
    Row,
    Table,
    by_its_table,
    day,
    judge,
    table,
)

_CONFLICT = (
    "conflict.nearness",
    "conflict.reach",
    "conflict.status",
    "conflict.confirmed",
    "conflict.direction",
    "conflict.last_confirmed",
)
_GROUP, _SCHEME, _VISITS = "living_group", "scheme", "visits"
_ONE, _BOTH = "one_sided", "mutual"
_RECENT, _LAST_FRESH_DAY, _STALE = day(-1), day(-365), day(-366)

_VISITOR = ("conflict.nearness", "conflict.counterpart_role", "conflict.status")

_ORDER = ("order.verified", "order.valid_from", "order.valid_until", "applicant.needed_from")

TABLES = (
    table(
        "known-conflict",
        _CONFLICT,
        [
            ("same group, reach of the group", _GROUP, _GROUP, "active", True, _BOTH, _RECENT, BROKEN),
            ("same group, reach of the scheme", _GROUP, _SCHEME, "active", True, _BOTH, _RECENT, BROKEN),
            ("same scheme, reach of the scheme", _SCHEME, _SCHEME, "active", True, _BOTH, _RECENT, BROKEN),
            ("same scheme, reach of the group", _SCHEME, _GROUP, "active", True, _BOTH, _RECENT, KEPT),
            ("a visitor, reach of the scheme", _VISITS, _SCHEME, "active", True, _BOTH, _RECENT, KEPT),
            ("a visitor, reach of the group", _VISITS, _GROUP, "active", True, _BOTH, _RECENT, KEPT),
            ("one-sided", _GROUP, _GROUP, "active", True, _ONE, _RECENT, KEPT),
            ("disputed", _GROUP, _GROUP, "disputed", True, _BOTH, _RECENT, KEPT),
            ("expired", _GROUP, _GROUP, "expired", True, _BOTH, _RECENT, KEPT),
            ("refuted", _GROUP, _GROUP, "refuted", True, _BOTH, _RECENT, KEPT),
            ("not confirmed", _GROUP, _GROUP, "active", False, _BOTH, _RECENT, KEPT),
            ("confirmation unknown", _GROUP, _GROUP, "active", None, _BOTH, _RECENT, UNKNOWN),
            ("last confirmed today", _GROUP, _GROUP, "active", True, _BOTH, TODAY, BROKEN),
            ("last confirmed 364 days ago", _GROUP, _GROUP, "active", True, _BOTH, day(-364), BROKEN),
            ("last confirmed 365 days ago", _GROUP, _GROUP, "active", True, _BOTH, _LAST_FRESH_DAY, BROKEN),
            ("last confirmed 366 days ago", _GROUP, _GROUP, "active", True, _BOTH, _STALE, KEPT),
            ("in the scheme, 365 days ago", _SCHEME, _SCHEME, "active", True, _BOTH, _LAST_FRESH_DAY, BROKEN),
            ("in the scheme, 366 days ago", _SCHEME, _SCHEME, "active", True, _BOTH, _STALE, KEPT),
            ("nearness unknown", None, _SCHEME, "active", True, _BOTH, _RECENT, UNKNOWN),
            ("nearness unknown, reach of the group", None, _GROUP, "active", True, _BOTH, _RECENT, UNKNOWN),
            ("reach unknown, same scheme", _SCHEME, None, "active", True, _BOTH, _RECENT, UNKNOWN),
            ("reach unknown, same group", _GROUP, None, "active", True, _BOTH, _RECENT, BROKEN),
            ("reach unknown, a visitor", _VISITS, None, "active", True, _BOTH, _RECENT, KEPT),
            ("status unknown", _GROUP, _GROUP, None, True, _BOTH, _RECENT, UNKNOWN),
            ("direction unknown", _GROUP, _GROUP, "active", True, None, _RECENT, UNKNOWN),
            ("last confirmation unknown", _GROUP, _GROUP, "active", True, _BOTH, None, UNKNOWN),
            ("status unknown, not confirmed", _GROUP, _GROUP, None, False, _BOTH, _RECENT, KEPT),
            ("confirmation unknown, expired", _GROUP, _GROUP, "expired", None, _BOTH, _RECENT, KEPT),
            ("confirmation unknown, old", _GROUP, _GROUP, "active", None, _BOTH, _STALE, KEPT),
            ("direction unknown, refuted", _GROUP, _GROUP, "refuted", True, None, _RECENT, KEPT),
            ("last confirmation unknown, one-sided", _GROUP, _GROUP, "active", True, _ONE, None, KEPT),
            ("nearness unknown, one-sided", None, None, "active", True, _ONE, _RECENT, KEPT),
            ("nothing known but that one visits", _VISITS, None, None, None, None, None, KEPT),
            ("nothing known", None, None, None, None, None, None, UNKNOWN),
        ],
    ),
    table(
        "known-conflict",
        ("case.as_of", *_CONFLICT),
        [
            (
                "29 February, confirmed 365 days before",
                date(2028, 2, 29),
                *(_GROUP, _GROUP, "active", True, _BOTH, date(2027, 3, 1)),
                BROKEN,
            ),
            (
                "a year with 29 February in it has 366 days",
                date(2028, 3, 1),
                *(_GROUP, _GROUP, "active", True, _BOTH, date(2027, 3, 1)),
                KEPT,
            ),
        ],
    ),
    table(
        "known-conflict",
        _CONFLICT,
        [
            ("one-sided, where the policy counts it", _GROUP, _GROUP, "active", True, _ONE, _RECENT, BROKEN),
            ("mutual, where the policy counts both", _GROUP, _GROUP, "active", True, _BOTH, _RECENT, BROKEN),
            ("direction unknown", _GROUP, _GROUP, "active", True, None, _RECENT, UNKNOWN),
        ],
        directions=("mutual", "one_sided"),
    ),
    table(
        "known-conflict",
        _CONFLICT,
        [
            ("90 days ago, at the policy's limit", _GROUP, _GROUP, "active", True, _BOTH, day(-90), BROKEN),
            ("91 days ago, past it", _GROUP, _GROUP, "active", True, _BOTH, day(-91), KEPT),
        ],
        confirmed_within_days=90,
    ),
    table(
        "unconfirmed-conflict",
        _CONFLICT,
        [
            ("firm, same group", _GROUP, _GROUP, "active", True, _BOTH, _RECENT, KEPT),
            ("firm, same scheme", _SCHEME, _SCHEME, "active", True, _BOTH, _RECENT, KEPT),
            ("one-sided, reach of the group", _GROUP, _GROUP, "active", True, _ONE, _RECENT, BROKEN),
            ("one-sided, reach of the scheme", _GROUP, _SCHEME, "active", True, _ONE, _RECENT, BROKEN),
            ("one-sided, same scheme", _SCHEME, _SCHEME, "active", True, _ONE, _RECENT, BROKEN),
            ("one-sided, out of reach", _SCHEME, _GROUP, "active", True, _ONE, _RECENT, KEPT),
            ("one-sided, a visitor", _VISITS, _SCHEME, "active", True, _ONE, _RECENT, KEPT),
            (
                "one-sided, a visitor, reach of the group",
                _VISITS,
                _GROUP,
                "active",
                True,
                _ONE,
                _RECENT,
                KEPT,
            ),
            ("disputed", _GROUP, _GROUP, "disputed", True, _BOTH, _RECENT, BROKEN),
            ("expired", _GROUP, _GROUP, "expired", True, _BOTH, _RECENT, BROKEN),
            ("refuted", _GROUP, _GROUP, "refuted", True, _BOTH, _RECENT, KEPT),
            ("refuted, one-sided and old", _GROUP, _GROUP, "refuted", False, _ONE, _STALE, KEPT),
            ("not confirmed", _GROUP, _GROUP, "active", False, _BOTH, _RECENT, BROKEN),
            ("confirmation unknown", _GROUP, _GROUP, "active", None, _BOTH, _RECENT, UNKNOWN),
            ("last confirmed 364 days ago", _GROUP, _GROUP, "active", True, _BOTH, day(-364), KEPT),
            ("last confirmed 365 days ago", _GROUP, _GROUP, "active", True, _BOTH, _LAST_FRESH_DAY, KEPT),
            ("last confirmed 366 days ago", _GROUP, _GROUP, "active", True, _BOTH, _STALE, BROKEN),
            ("nearness unknown", None, _SCHEME, "active", True, _ONE, _RECENT, UNKNOWN),
            ("nearness unknown, reach of the group", None, _GROUP, "active", True, _ONE, _RECENT, UNKNOWN),
            ("reach unknown, same scheme", _SCHEME, None, "active", True, _ONE, _RECENT, UNKNOWN),
            ("reach unknown, same group", _GROUP, None, "active", True, _ONE, _RECENT, BROKEN),
            ("reach unknown, a visitor", _VISITS, None, "active", True, _ONE, _RECENT, KEPT),
            ("status unknown", _GROUP, _GROUP, None, True, _BOTH, _RECENT, UNKNOWN),
            ("status unknown, one-sided", _GROUP, _GROUP, None, True, _ONE, _RECENT, UNKNOWN),
            ("direction unknown", _GROUP, _GROUP, "active", True, None, _RECENT, UNKNOWN),
            ("last confirmation unknown", _GROUP, _GROUP, "active", True, _BOTH, None, UNKNOWN),
            ("confirmation unknown, one-sided", _GROUP, _GROUP, "active", None, _ONE, _RECENT, BROKEN),
            ("confirmation unknown, disputed", _GROUP, _GROUP, "disputed", None, _BOTH, _RECENT, BROKEN),
            ("direction unknown, expired", _GROUP, _GROUP, "expired", True, None, _RECENT, BROKEN),
            ("all else unknown, old", _GROUP, _GROUP, "active", None, None, _STALE, BROKEN),
            ("all else unknown, refuted", None, None, "refuted", None, None, None, KEPT),
            ("nearness unknown, firm", None, None, "active", True, _BOTH, _RECENT, KEPT),
            ("nothing known but that one visits", _VISITS, None, None, None, None, None, KEPT),
            ("nothing known", None, None, None, None, None, None, UNKNOWN),
        ],
    ),
    table(
        "unconfirmed-conflict",
        _CONFLICT,
        [
            ("one-sided is firm where the policy says so", _GROUP, _GROUP, "active", True, _ONE, TODAY, KEPT),
            ("one-sided and not confirmed", _GROUP, _GROUP, "active", False, _ONE, TODAY, BROKEN),
        ],
        directions=("mutual", "one_sided"),
    ),
    table(
        "visitor-conflict",
        _VISITOR,
        [
            ("a visitor who comes there", _VISITS, "visitor", "active", BROKEN),
            ("next of kin who come there", _VISITS, "next_of_kin", "active", BROKEN),
            ("nearness unknown", None, "visitor", "active", UNKNOWN),
            ("nearness unknown, next of kin", None, "next_of_kin", "active", UNKNOWN),
            ("role unknown", _VISITS, None, "active", UNKNOWN),
            ("status unknown", _VISITS, "visitor", None, UNKNOWN),
            ("nearness unknown, a resident", None, "resident", "active", KEPT),
            ("role unknown, lives in the group", _GROUP, None, None, KEPT),
            ("role unknown, expired", _VISITS, None, "expired", KEPT),
            ("status unknown, lives in the scheme", _SCHEME, "visitor", None, KEPT),
            ("nothing known", None, None, None, UNKNOWN),
        ],
    ),
    table(
        "visitor-conflict",
        _VISITOR,
        [
            (f"only those who visit: {nearness}", nearness, "visitor", "active", KEPT)
            for nearness in (_GROUP, _SCHEME)
        ]
        + [
            (f"only visitors and kin: {role}", _VISITS, role.value, "active", KEPT)
            for role in CounterpartRole
            if role not in (CounterpartRole.VISITOR, CounterpartRole.NEXT_OF_KIN)
        ]
        + [
            (f"only an active entry: {status}", _VISITS, "visitor", status.value, KEPT)
            for status in ConflictStatus
            if status is not ConflictStatus.ACTIVE
        ],
    ),
    table(
        "restraining-order",
        _ORDER,
        [
            ("in force", True, day(-30), day(30), TODAY, BROKEN),
            ("needed the day before it begins", True, TOMORROW, day(30), TODAY, KEPT),
            ("needed the day it begins", True, TODAY, day(30), TODAY, BROKEN),
            ("needed the day after it begins", True, YESTERDAY, day(30), TODAY, BROKEN),
            ("ends tomorrow", True, day(-30), TOMORROW, TODAY, BROKEN),
            ("ends today", True, day(-30), TODAY, TODAY, BROKEN),
            ("ended yesterday", True, day(-30), YESTERDAY, TODAY, KEPT),
            ("holds for one day, today", True, TODAY, TODAY, TODAY, BROKEN),
            ("begins after today, the day the place is needed", True, day(10), day(90), day(10), BROKEN),
            ("begins the day after the place is needed", True, day(11), day(90), day(10), KEPT),
            ("ends after today, before the place is needed", True, day(-30), day(5), day(10), BROKEN),
            ("ended yesterday, and the place is needed later", True, day(-30), YESTERDAY, day(10), KEPT),
            ("known to be unverified", False, day(-30), day(30), TODAY, KEPT),
            ("verification unknown", None, day(-30), day(30), TODAY, UNKNOWN),
            ("first day unknown", True, None, day(30), TODAY, UNKNOWN),
            ("last day unknown", True, day(-30), None, TODAY, UNKNOWN),
            ("day needed unknown", True, day(-30), day(30), None, UNKNOWN),
            ("verification unknown, ended yesterday", None, day(-30), YESTERDAY, TODAY, KEPT),
            ("verification unknown, begins tomorrow", None, TOMORROW, day(30), TODAY, KEPT),
            ("first day unknown, unverified", False, None, day(30), TODAY, KEPT),
            ("first day unknown, ended yesterday", True, None, YESTERDAY, TODAY, KEPT),
            ("last day unknown, begins tomorrow", True, TOMORROW, None, TODAY, KEPT),
            ("day needed unknown, ended yesterday", True, day(-30), YESTERDAY, None, KEPT),
            ("nothing known", None, None, None, None, UNKNOWN),
        ],
    ),
    table(
        "restraining-order",
        ("case.as_of", *_ORDER),
        [
            ("its last day, seen from that day", day(9), True, TODAY, day(9), day(9), BROKEN),
            ("its last day, seen from the day after", day(10), True, TODAY, day(9), day(10), KEPT),
        ],
    ),
    table(
        "order-review",
        _ORDER,
        [
            ("verified and in force: nothing to review", True, day(-30), day(30), TODAY, KEPT),
            ("needed the day before it begins", True, TOMORROW, day(30), TODAY, BROKEN),
            ("needed the day it begins", True, TODAY, day(30), TODAY, KEPT),
            ("needed the day after it begins", True, YESTERDAY, day(30), TODAY, KEPT),
            ("ends tomorrow", True, day(-30), TOMORROW, TODAY, KEPT),
            ("ends today", True, day(-30), TODAY, TODAY, KEPT),
            ("ended yesterday", True, day(-30), YESTERDAY, TODAY, BROKEN),
            ("begins after today, the day the place is needed", True, day(10), day(90), day(10), KEPT),
            ("begins the day after the place is needed", True, day(11), day(90), day(10), BROKEN),
            ("ends after today, before the place is needed", True, day(-30), day(5), day(10), KEPT),
            ("known to be unverified, in force", False, day(-30), day(30), TODAY, BROKEN),
            ("known to be unverified, ended", False, day(-30), YESTERDAY, TODAY, BROKEN),
            ("verification unknown, in force", None, day(-30), day(30), TODAY, UNKNOWN),
            ("first day unknown", True, None, day(30), TODAY, UNKNOWN),
            ("last day unknown", True, day(-30), None, TODAY, UNKNOWN),
            ("day needed unknown", True, day(-30), day(30), None, UNKNOWN),
            ("verification unknown, ended yesterday", None, day(-30), YESTERDAY, TODAY, BROKEN),
            ("verification unknown, begins tomorrow", None, TOMORROW, day(30), TODAY, BROKEN),
            ("first day unknown, unverified", False, None, day(30), TODAY, BROKEN),
            ("last day unknown, begins tomorrow", True, TOMORROW, None, TODAY, BROKEN),
            ("day needed unknown, ended yesterday", True, day(-30), YESTERDAY, None, BROKEN),
            ("nothing known", None, None, None, None, UNKNOWN),
        ],
    ),
)


@by_its_table(TABLES)
def test_conflict_rules_keep_to_their_tables(table: Table, row: Row) -> None:
    """A rule on conflicts or restraining orders comes out as its table says, by both engines."""
    assert judge(table, row) is row.expected
