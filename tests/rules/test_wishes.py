"""The applicant's own say, at its boundaries."""

from __future__ import annotations

from tests.rules.tables import BROKEN, KEPT, UNKNOWN, Row, Table, by_its_table, judge, table

TABLES = (
    table(
        "reservation",
        ("choice.reserved_against",),
        [
            ("does not want to live there", True, BROKEN),
            ("has nothing against it", False, KEPT),
            ("has not been asked", None, UNKNOWN),
        ],
    ),
    table(
        "reservation",
        ("choice.reserved_against", "choice.wished", "choice.any_wish"),
        [
            ("not wished is not the same as not wanted", False, False, True, KEPT),
            ("wished and yet with a reservation", True, True, True, BROKEN),
        ],
    ),
    table(
        "wish",
        ("choice.any_wish", "choice.wished"),
        [
            ("wishes for another scheme", True, False, BROKEN),
            ("wishes for this scheme", True, True, KEPT),
            ("wishes for nothing", False, False, KEPT),
            ("has not been asked", None, None, UNKNOWN),
            ("unknown whether there is a wish, not for this scheme", None, False, UNKNOWN),
            ("unknown whether there is a wish, for this scheme", None, True, KEPT),
            ("a wish, unknown which", True, None, UNKNOWN),
            ("no wish, unknown which", False, None, KEPT),
        ],
    ),
)


@by_its_table(TABLES)
def test_wish_rules_keep_to_their_tables(table: Table, row: Row) -> None:
    """A rule on wishes comes out as its table says, by both engines."""
    assert judge(table, row) is row.expected
