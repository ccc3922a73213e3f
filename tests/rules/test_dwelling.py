"""The dwelling, at its boundaries."""

from __future__ import annotations

from allocator.codes import (
    Need,
    UnitStatus,
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

_AVAILABLE = ("unit.status", "applicant.needed_from", "unit.vacant_from")
_NOT_VACANT = [status.value for status in UnitStatus if status is not UnitStatus.VACANT]

_WEIGHED_COMFORTS = (
    "away_from_hospital",
    "bedroom",
    "fire_safe",
    "near_activity",
    "near_transport",
    "own_entrance",
    "pet",
    "quiet",
)
_OTHER_NEEDS = sorted({need.value for need in Need} - set(_WEIGHED_COMFORTS))


def _need_and_fact(need: str, fact: str) -> tuple[str, str]:
    return (f"applicant.needs:{need}", f"unit.{fact}")


def _met_by(rule: str, need: str, fact: str) -> Table:
    """Return the table of a rule that is broken when a need is not met by one yes-or-no fact."""
    return table(
        rule,
        _need_and_fact(need, fact),
        [
            ("needed and not there", True, False, BROKEN),
            ("needed and there", True, True, KEPT),
            ("not needed and not there", False, False, KEPT),
            ("not needed and there", False, True, KEPT),
            ("needed, unknown whether it is there", True, None, UNKNOWN),
            ("unknown whether it is needed, not there", None, False, UNKNOWN),
            ("unknown whether it is needed, there", None, True, KEPT),
            ("not needed, unknown whether it is there", False, None, KEPT),
            ("nothing known", None, None, UNKNOWN),
        ],
    )


TABLES = (
    table(
        "unit-available",
        _AVAILABLE,
        [
            ("vacant and needed today", "vacant", TODAY, None, KEPT),
            ("vacant, whatever is said of a later day", "vacant", TODAY, TOMORROW, KEPT),
            ("vacant and needed later", "vacant", day(30), day(31), KEPT),
            ("lived in, needed yesterday", "occupied", YESTERDAY, YESTERDAY, BROKEN),
            ("lived in, needed today and said to be free today", "occupied", TODAY, TODAY, BROKEN),
            ("lived in, needed today and free long ago", "occupied", TODAY, day(-30), BROKEN),
            ("lived in, needed tomorrow and free today", "occupied", TOMORROW, TODAY, KEPT),
            ("lived in, needed tomorrow and free tomorrow", "occupied", TOMORROW, TOMORROW, KEPT),
            ("lived in, needed tomorrow and free the day after", "occupied", TOMORROW, day(2), BROKEN),
            ("free on the day before it is needed", "notice_given", day(30), day(29), KEPT),
            ("free on the day it is needed", "notice_given", day(30), day(30), KEPT),
            ("free on the day after it is needed", "notice_given", day(30), day(31), BROKEN),
            ("lived in, needed later, free day unknown", "occupied", TOMORROW, None, UNKNOWN),
            ("lived in, needed today, free day unknown", "occupied", TODAY, None, BROKEN),
            ("status unknown, needed today", None, TODAY, TODAY, UNKNOWN),
            ("status unknown, free too late", None, TOMORROW, day(2), UNKNOWN),
            ("status unknown, free in time", None, TOMORROW, TOMORROW, KEPT),
            ("day needed unknown", "occupied", None, TODAY, UNKNOWN),
            ("day needed unknown, vacant", "vacant", None, None, KEPT),
            ("nothing known", None, None, None, UNKNOWN),
        ],
    ),
    table(
        "unit-available",
        _AVAILABLE,
        [(f"not free now: {status}", status, TODAY, None, BROKEN) for status in _NOT_VACANT],
    ),
    table(
        "unit-available",
        ("case.as_of", *_AVAILABLE),
        [
            ("needed on the day, free that day", day(7), "notice_given", day(7), day(7), BROKEN),
            ("needed the day after, free that day", day(7), "notice_given", day(8), day(8), KEPT),
        ],
    ),
    table(
        "lift-need",
        ("applicant.needs:lift", "unit.floor", "unit.lift"),
        [
            ("upstairs without a lift", True, 2, False, BROKEN),
            ("high up without a lift", True, 3, False, BROKEN),
            ("in the basement without a lift", True, 0, False, BROKEN),
            ("deep down without a lift", True, -1, False, BROKEN),
            ("in the basement with a lift", True, 0, True, KEPT),
            ("upstairs with a lift", True, 2, True, KEPT),
            ("on the ground floor without a lift", True, 1, False, KEPT),
            ("on the ground floor with a lift", True, 1, True, KEPT),
            ("no need, upstairs without a lift", False, 2, False, KEPT),
            ("need unknown", None, 2, False, UNKNOWN),
            ("floor unknown", True, None, False, UNKNOWN),
            ("lift unknown", True, 2, None, UNKNOWN),
            ("need unknown, on the ground floor", None, 1, False, KEPT),
            ("need unknown, with a lift", None, 2, True, KEPT),
            ("floor unknown, with a lift", True, None, True, KEPT),
            ("floor unknown, no need", False, None, False, KEPT),
            ("lift unknown, on the ground floor", True, 1, None, KEPT),
            ("lift unknown, no need", False, 2, None, KEPT),
            ("nothing known", None, None, None, UNKNOWN),
        ],
    ),
    _met_by("step-free-need", "step_free", "step_free"),
    table(
        "ground-floor-need",
        _need_and_fact("ground_floor", "floor"),
        [
            ("on the ground floor", True, 1, KEPT),
            ("on the second floor", True, 2, BROKEN),
            ("on the third floor", True, 3, BROKEN),
            ("in the basement", True, 0, BROKEN),
            ("deep down", True, -1, BROKEN),
            ("no need, on the second floor", False, 2, KEPT),
            ("no need, on the ground floor", False, 1, KEPT),
            ("need unknown, on the second floor", None, 2, UNKNOWN),
            ("need unknown, on the ground floor", None, 1, KEPT),
            ("floor unknown", True, None, UNKNOWN),
            ("floor unknown, no need", False, None, KEPT),
            ("nothing known", None, None, UNKNOWN),
        ],
    ),
    table(
        "upper-floor-need",
        _need_and_fact("not_ground_floor", "floor"),
        [
            ("under the ground", True, 0, BROKEN),
            ("on the ground floor", True, 1, BROKEN),
            ("on the second floor", True, 2, KEPT),
            ("on the third floor", True, 3, KEPT),
            ("no need, on the ground floor", False, 1, KEPT),
            ("no need, on the second floor", False, 2, KEPT),
            ("need unknown, on the ground floor", None, 1, UNKNOWN),
            ("need unknown, on the second floor", None, 2, KEPT),
            ("floor unknown", True, None, UNKNOWN),
            ("floor unknown, no need", False, None, KEPT),
            ("nothing known", None, None, UNKNOWN),
        ],
    ),
    table(
        "two-exits",
        _need_and_fact("two_exits", "exits"),
        [
            ("one way out", True, 1, BROKEN),
            ("two ways out", True, 2, KEPT),
            ("three ways out", True, 3, KEPT),
            ("no need, one way out", False, 1, KEPT),
            ("need unknown, one way out", None, 1, UNKNOWN),
            ("need unknown, two ways out", None, 2, KEPT),
            ("exits unknown", True, None, UNKNOWN),
            ("exits unknown, no need", False, None, KEPT),
            ("nothing known", None, None, UNKNOWN),
        ],
    ),
    _met_by("sightline", "sightline_from_base", "sightline_from_base"),
    table(
        "unit-too-large",
        _need_and_fact("small_unit", "area_m2"),
        [
            ("49 square metres", True, 49, KEPT),
            ("50 square metres", True, 50, BROKEN),
            ("51 square metres", True, 51, BROKEN),
            ("no need, 50 square metres", False, 50, KEPT),
            ("need unknown, 50 square metres", None, 50, UNKNOWN),
            ("need unknown, 49 square metres", None, 49, KEPT),
            ("area unknown", True, None, UNKNOWN),
            ("area unknown, no need", False, None, KEPT),
            ("nothing known", None, None, UNKNOWN),
        ],
    ),
    table(
        "unit-too-small",
        _need_and_fact("large_unit", "area_m2"),
        [
            ("39 square metres", True, 39, BROKEN),
            ("40 square metres", True, 40, KEPT),
            ("41 square metres", True, 41, KEPT),
            ("no need, 39 square metres", False, 39, KEPT),
            ("need unknown, 39 square metres", None, 39, UNKNOWN),
            ("need unknown, 40 square metres", None, 40, KEPT),
            ("area unknown", True, None, UNKNOWN),
            ("area unknown, no need", False, None, KEPT),
            ("nothing known", None, None, UNKNOWN),
        ],
    ),
    table(
        "water-below",
        ("applicant.needs:water_safe", "unit.built_below", "unit.water_protected"),
        [
            ("somebody lives below, nothing keeps water out", True, True, False, BROKEN),
            ("somebody lives below, protected", True, True, True, KEPT),
            ("nothing is built below", True, False, False, KEPT),
            ("nothing is built below, protected", True, False, True, KEPT),
            ("no need", False, True, False, KEPT),
            ("need unknown", None, True, False, UNKNOWN),
            ("what is below unknown", True, None, False, UNKNOWN),
            ("protection unknown", True, True, None, UNKNOWN),
            ("need unknown, nothing below", None, False, False, KEPT),
            ("need unknown, protected", None, True, True, KEPT),
            ("what is below unknown, protected", True, None, True, KEPT),
            ("what is below unknown, no need", False, None, False, KEPT),
            ("protection unknown, nothing below", True, False, None, KEPT),
            ("protection unknown, no need", False, True, None, KEPT),
            ("nothing known", None, None, None, UNKNOWN),
        ],
    ),
    table(
        "seen-from-outside",
        ("applicant.needs:no_insight", "unit.floor", "unit.window_height"),
        [
            ("low windows on the ground floor", True, 1, "low", BROKEN),
            ("low windows under the ground floor", True, 0, "low", BROKEN),
            ("low windows on the second floor", True, 2, "low", KEPT),
            ("high windows on the ground floor", True, 1, "high", KEPT),
            ("high windows on the second floor", True, 2, "high", KEPT),
            ("no need", False, 1, "low", KEPT),
            ("need unknown", None, 1, "low", UNKNOWN),
            ("floor unknown", True, None, "low", UNKNOWN),
            ("windows unknown", True, 1, None, UNKNOWN),
            ("need unknown, on the second floor", None, 2, "low", KEPT),
            ("need unknown, high windows", None, 1, "high", KEPT),
            ("floor unknown, high windows", True, None, "high", KEPT),
            ("floor unknown, no need", False, None, "low", KEPT),
            ("windows unknown, on the second floor", True, 2, None, KEPT),
            ("windows unknown, no need", False, 1, None, KEPT),
            ("nothing known", None, None, None, UNKNOWN),
        ],
    ),
    _met_by("ligature-safe", "ligature_safe", "ligature_safe"),
    table(
        "comfort-needs",
        ("applicant.needs", "unit.features"),
        [
            ("nothing needed, nothing there", set(), set(), KEPT),
            ("nothing needed, all there", set(), _WEIGHED_COMFORTS, KEPT),
            ("all needed and there", _WEIGHED_COMFORTS, _WEIGHED_COMFORTS, KEPT),
            ("all needed, nothing there", _WEIGHED_COMFORTS, set(), BROKEN),
            ("one of two needs met", {"bedroom", "quiet"}, {"bedroom"}, BROKEN),
            ("the other of two needs met", {"bedroom", "quiet"}, {"quiet"}, BROKEN),
            ("both needs met", {"bedroom", "quiet"}, {"bedroom", "quiet"}, KEPT),
            ("something else there than what is needed", {"pet"}, {"quiet"}, BROKEN),
            ("needs unknown, nothing there", None, set(), UNKNOWN),
            ("needs unknown, all there", None, _WEIGHED_COMFORTS, KEPT),
            ("something needed, unknown what is there", {"quiet"}, None, UNKNOWN),
            ("nothing needed, unknown what is there", set(), None, KEPT),
            ("only needs that other rules weigh", _OTHER_NEEDS, set(), KEPT),
            ("nothing known", None, None, UNKNOWN),
        ],
    ),
    table(
        "comfort-needs",
        ("applicant.needs", "unit.features"),
        [
            row
            for need in _WEIGHED_COMFORTS
            for row in (
                (f"needed and not there: {need}", {need}, set(_WEIGHED_COMFORTS) - {need}, BROKEN),
                (f"needed and there: {need}", {need}, {need}, KEPT),
                (
                    f"not needed, not there: {need}",
                    set(_WEIGHED_COMFORTS) - {need},
                    set(_WEIGHED_COMFORTS) - {need},
                    KEPT,
                ),
            )
        ],
    ),
    table(
        "comfort-needs",
        ("applicant.needs", "unit.features"),
        [(f"weighed by no comfort rule: {need}", {need}, set(), KEPT) for need in _OTHER_NEEDS],
    ),
    table(
        "comfort-needs",
        ("applicant.needs", "unit.features:bedroom", "unit.features:quiet"),
        [
            ("one need not met, one unknown", {"bedroom", "quiet"}, False, None, BROKEN),
            ("one need met, one unknown", {"bedroom", "quiet"}, True, None, UNKNOWN),
            ("the need met, all else unknown", {"bedroom"}, True, None, KEPT),
        ],
    ),
    table(
        "comfort-needs",
        ("applicant.needs", "unit.features"),
        [
            ("a need that this policy weighs", {"lift"}, {"quiet"}, BROKEN),
            ("a need that it does not weigh", {"quiet"}, {"lift"}, KEPT),
        ],
        needs=("lift",),
    ),
)


@by_its_table(TABLES)
def test_dwelling_rules_keep_to_their_tables(table: Table, row: Row) -> None:
    """A rule on the dwelling comes out as its table says, by both engines."""
    assert judge(table, row) is row.expected
