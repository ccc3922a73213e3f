"""Risk, vulnerability, visiting children and placements in a crisis, at their boundaries."""

from __future__ import annotations

from allocator.codes import (
    Measure,
    VisitRule,
)
from tests.rules.tables import BROKEN, KEPT, UNKNOWN, Row, Table, by_its_table, judge, table

_HIGH, _POSSIBLE, _NONE_KNOWN = "assessed_high", "possible", "none_known"
_MEASURES = {measure.value for measure in Measure}
_RISK = ("applicant.violence", "resident.vulnerable", "applicant.risk_measures", "scheme.measures")
_CHILD = ("applicant.child_visits", "resident.violence", "applicant.violence", "resident.child_visits")

TABLES = (
    table(
        "risk-to-vulnerable",
        _RISK,
        [
            ("high risk beside a vulnerable resident, no measures named", _HIGH, True, set(), set(), BROKEN),
            ("no measures named, all in place", _HIGH, True, set(), _MEASURES, BROKEN),
            ("the measure named is in place", _HIGH, True, {"alarm"}, {"alarm"}, KEPT),
            ("the measure named is not in place", _HIGH, True, {"alarm"}, set(), BROKEN),
            ("another measure is in place", _HIGH, True, {"alarm"}, {"two_exits"}, BROKEN),
            ("one of two measures in place", _HIGH, True, {"alarm", "two_exits"}, {"alarm"}, BROKEN),
            ("both measures in place", _HIGH, True, {"alarm", "two_exits"}, {"alarm", "two_exits"}, KEPT),
            ("more measures in place than named", _HIGH, True, {"alarm"}, _MEASURES, KEPT),
            ("possible risk", _POSSIBLE, True, set(), set(), KEPT),
            ("no known risk", _NONE_KNOWN, True, set(), set(), KEPT),
            ("resident not vulnerable", _HIGH, False, set(), set(), KEPT),
            ("risk unknown", None, True, set(), set(), UNKNOWN),
            ("vulnerability unknown", _HIGH, None, set(), set(), UNKNOWN),
            ("measures in place unknown", _HIGH, True, {"alarm"}, None, UNKNOWN),
            ("measures named unknown, none in place", _HIGH, True, None, set(), UNKNOWN),
            ("measures named unknown, all in place", _HIGH, True, None, _MEASURES, UNKNOWN),
            ("no measures named, those in place unknown", _HIGH, True, set(), None, BROKEN),
            ("measures unknown, resident not vulnerable", _HIGH, False, None, None, KEPT),
            ("measures unknown, possible risk", _POSSIBLE, True, None, None, KEPT),
            ("risk unknown, resident not vulnerable", None, False, set(), set(), KEPT),
            ("vulnerability unknown, no known risk", _NONE_KNOWN, None, set(), set(), KEPT),
            ("risk and vulnerability unknown, measure in place", None, None, {"alarm"}, {"alarm"}, KEPT),
            ("nothing known", None, None, None, None, UNKNOWN),
        ],
    ),
    table(
        "risk-to-vulnerable",
        _RISK,
        [
            row
            for code in sorted(_MEASURES)
            for row in (
                (f"named and in place: {code}", _HIGH, True, {code}, {code}, KEPT),
                (f"named and not in place: {code}", _HIGH, True, {code}, _MEASURES - {code}, BROKEN),
                (
                    f"not named and not in place: {code}",
                    *(_HIGH, True, _MEASURES - {code}, _MEASURES - {code}),
                    KEPT,
                ),
            )
        ],
    ),
    table(
        "risk-to-vulnerable",
        (
            "applicant.violence",
            "applicant.vulnerable",
            "resident.vulnerable",
            "resident.violence",
            *_RISK[2:],
        ),
        [
            ("the other way round", _NONE_KNOWN, True, False, _HIGH, set(), set(), KEPT),
            ("the resident's risk does not count", _POSSIBLE, False, True, _HIGH, set(), set(), KEPT),
            ("the applicant's vulnerability does not count", _HIGH, True, False, _HIGH, set(), set(), KEPT),
            ("one high, the other vulnerable", _HIGH, False, True, _NONE_KNOWN, set(), set(), BROKEN),
        ],
    ),
    table(
        "vulnerable-to-risk",
        ("applicant.vulnerable", "resident.violence"),
        [
            ("vulnerable beside high risk", True, _HIGH, BROKEN),
            ("vulnerable beside possible risk", True, _POSSIBLE, KEPT),
            ("vulnerable beside no known risk", True, _NONE_KNOWN, KEPT),
            ("not vulnerable beside high risk", False, _HIGH, KEPT),
            ("vulnerability unknown beside high risk", None, _HIGH, UNKNOWN),
            ("vulnerable beside unknown risk", True, None, UNKNOWN),
            ("vulnerability unknown beside possible risk", None, _POSSIBLE, KEPT),
            ("not vulnerable beside unknown risk", False, None, KEPT),
            ("nothing known", None, None, UNKNOWN),
        ],
    ),
    table(
        "vulnerable-to-risk",
        ("applicant.vulnerable", "applicant.violence", "resident.vulnerable", "resident.violence"),
        [
            ("the other way round", False, _HIGH, True, _NONE_KNOWN, KEPT),
            ("the applicant's own risk does not count", True, _HIGH, False, _NONE_KNOWN, KEPT),
            ("the resident's vulnerability does not count", False, _NONE_KNOWN, True, _HIGH, KEPT),
            ("one vulnerable, the other high", True, _NONE_KNOWN, False, _HIGH, BROKEN),
        ],
    ),
    table(
        "rough-milieu",
        ("applicant.vulnerable", "resident.heavy_use"),
        [
            ("nobody lives there", True, [], KEPT),
            ("the only resident is a heavy user", True, [True], BROKEN),
            ("the only resident is not", True, [False], KEPT),
            ("one of two", True, [True, False], BROKEN),
            ("none of two", True, [False, False], KEPT),
            ("one of three", True, [False, True, False], KEPT),
            ("two of three", True, [True, False, True], BROKEN),
            ("one of four", True, [True, False, False, False], KEPT),
            ("two of four", True, [True, True, False, False], BROKEN),
            ("three of four", True, [True, True, True, False], BROKEN),
            ("two of five", True, [True, True, False, False, False], KEPT),
            ("three of five", True, [True, True, True, False, False], BROKEN),
            ("49 of a hundred", True, [True] * 49 + [False] * 51, KEPT),
            ("50 of a hundred", True, [True] * 50 + [False] * 50, BROKEN),
            ("not vulnerable", False, [True, True], KEPT),
            ("vulnerability unknown", None, [True], UNKNOWN),
            ("vulnerability unknown, no heavy user", None, [False], KEPT),
            ("vulnerability unknown, nobody lives there", None, [], KEPT),
            ("the only resident unknown", True, [None], UNKNOWN),
            ("one of two, the other unknown", True, [True, None], BROKEN),
            ("none of two, the other unknown", True, [False, None], UNKNOWN),
            ("none of three, one unknown", True, [False, False, None], KEPT),
            ("one of three, one unknown", True, [True, False, None], UNKNOWN),
            ("not vulnerable, residents unknown", False, [None, None], KEPT),
        ],
    ),
    table(
        "rough-milieu",
        ("applicant.vulnerable", "applicant.heavy_use", "resident.heavy_use", "resident.vulnerable"),
        [
            ("the applicant is not counted", True, True, [False], [True], KEPT),
            ("nor is a vulnerable resident", False, True, [True], [True], KEPT),
        ],
    ),
    table(
        "rough-milieu",
        ("applicant.vulnerable", "resident.heavy_use"),
        [
            ("one of three, at a third", True, [True, False, False], BROKEN),
            ("one of four, at a third", True, [True, False, False, False], KEPT),
        ],
        rough_from_percent=33,
    ),
    table(
        "child-visits",
        ("applicant.child_visits", "scheme.visit_rule"),
        [
            *(
                (f"children visit: {rule}", True, rule.value, KEPT if rule is VisitRule.FREE else BROKEN)
                for rule in VisitRule
            ),
            ("no children visit", False, "no_children", KEPT),
            ("visits unknown", None, "no_children", UNKNOWN),
            ("visits unknown, free", None, "free", KEPT),
            ("house rule unknown", True, None, UNKNOWN),
            ("house rule unknown, no children visit", False, None, KEPT),
            ("nothing known", None, None, UNKNOWN),
        ],
    ),
    table(
        "child-visits",
        ("applicant.child_visits", "scheme.visit_rule", "resident.child_visits"),
        [
            ("a resident's children do not count", False, "no_children", [True], KEPT),
            ("nor does it help that a resident has none", True, "no_children", [False], BROKEN),
        ],
    ),
    table(
        "child-beside-risk",
        _CHILD,
        [
            ("applicant's children beside high risk", True, _HIGH, _NONE_KNOWN, False, BROKEN),
            ("resident's children beside high risk", False, _NONE_KNOWN, _HIGH, True, BROKEN),
            ("both ways", True, _HIGH, _HIGH, True, BROKEN),
            ("applicant's children beside possible risk", True, _POSSIBLE, _NONE_KNOWN, False, KEPT),
            ("resident's children beside possible risk", False, _NONE_KNOWN, _POSSIBLE, True, KEPT),
            ("applicant's children beside no known risk", True, _NONE_KNOWN, _NONE_KNOWN, False, KEPT),
            ("no children beside high risk", False, _HIGH, _HIGH, False, KEPT),
            ("applicant's children and own high risk", True, _NONE_KNOWN, _HIGH, False, KEPT),
            ("resident's children and own high risk", False, _HIGH, _NONE_KNOWN, True, KEPT),
            ("children visit both, nobody is a risk", True, _NONE_KNOWN, _NONE_KNOWN, True, KEPT),
            ("applicant's visits unknown", None, _HIGH, _NONE_KNOWN, False, UNKNOWN),
            ("resident's risk unknown", True, None, _NONE_KNOWN, False, UNKNOWN),
            ("applicant's risk unknown", False, _NONE_KNOWN, None, True, UNKNOWN),
            ("resident's visits unknown", False, _NONE_KNOWN, _HIGH, None, UNKNOWN),
            ("applicant's side unknown, resident's broken", None, None, _HIGH, True, BROKEN),
            ("resident's side unknown, applicant's broken", True, _HIGH, None, None, BROKEN),
            ("visits unknown, nobody is a risk", None, _NONE_KNOWN, _POSSIBLE, None, KEPT),
            ("risks unknown, no children", False, None, None, False, KEPT),
            ("one way certain to be kept, the other unknown", False, None, _HIGH, None, UNKNOWN),
            ("nothing known", None, None, None, None, UNKNOWN),
        ],
    ),
    table(
        "crisis-review",
        ("applicant.placement", "applicant.review_date_set"),
        [
            ("a crisis without a day for review", "crisis", False, BROKEN),
            ("a crisis with a day for review", "crisis", True, KEPT),
            ("ordinary without a day for review", "ordinary", False, KEPT),
            ("ordinary with a day for review", "ordinary", True, KEPT),
            ("kind unknown, no day for review", None, False, UNKNOWN),
            ("kind unknown, a day for review", None, True, KEPT),
            ("a crisis, day unknown", "crisis", None, UNKNOWN),
            ("ordinary, day unknown", "ordinary", None, KEPT),
            ("nothing known", None, None, UNKNOWN),
        ],
    ),
)


@by_its_table(TABLES)
def test_safety_rules_keep_to_their_tables(table: Table, row: Row) -> None:
    """A rule on safety comes out as its table says, by both engines."""
    assert judge(table, row) is row.expected
