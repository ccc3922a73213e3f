"""Objections by scheme staff, at their boundaries."""

from __future__ import annotations

from allocator.codes import (
    VetoStatus,
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

_VETO = ("veto.status", "veto.raised_on", "veto.valid_until")
_STANDING = (VetoStatus.OPEN, VetoStatus.UPHELD)

TABLES = (
    table(
        "staff-veto",
        _VETO,
        [
            *(
                (
                    f"in its time: {status}",
                    status.value,
                    day(-9),
                    day(9),
                    BROKEN if status in _STANDING else KEPT,
                )
                for status in VetoStatus
            ),
            ("raised yesterday", "open", YESTERDAY, day(9), BROKEN),
            ("raised today", "open", TODAY, day(9), BROKEN),
            ("raised tomorrow", "open", TOMORROW, day(9), KEPT),
            ("ends tomorrow", "open", day(-9), TOMORROW, BROKEN),
            ("ends today", "open", day(-9), TODAY, BROKEN),
            ("ended yesterday", "open", day(-9), YESTERDAY, KEPT),
            ("upheld, raised and ending today", "upheld", TODAY, TODAY, BROKEN),
            ("upheld, ended yesterday", "upheld", day(-9), YESTERDAY, KEPT),
            ("upheld, raised tomorrow", "upheld", TOMORROW, day(9), KEPT),
            ("status unknown", None, day(-9), day(9), UNKNOWN),
            ("first day unknown", "open", None, day(9), UNKNOWN),
            ("first day unknown, upheld", "upheld", None, day(9), UNKNOWN),
            ("last day unknown", "open", day(-9), None, UNKNOWN),
            ("status unknown, ended yesterday", None, day(-9), YESTERDAY, KEPT),
            ("status unknown, raised tomorrow", None, TOMORROW, day(9), KEPT),
            ("days unknown, overruled", "overruled", None, None, KEPT),
            ("last day unknown, withdrawn", "withdrawn", day(-9), None, KEPT),
            ("first day unknown, ended yesterday", "open", None, YESTERDAY, KEPT),
            ("nothing known", None, None, None, UNKNOWN),
        ],
    ),
    table(
        "staff-veto",
        ("case.as_of", *_VETO),
        [
            ("on its first day", day(7), "open", day(7), day(30), BROKEN),
            ("on the day before", day(6), "open", day(7), day(30), KEPT),
            ("on its last day", day(30), "open", day(7), day(30), BROKEN),
            ("on the day after", day(31), "open", day(7), day(30), KEPT),
        ],
    ),
)


@by_its_table(TABLES)
def test_objections_keep_to_their_tables(table: Table, row: Row) -> None:
    """An objection comes out as its table says, by both engines."""
    assert judge(table, row) is row.expected
