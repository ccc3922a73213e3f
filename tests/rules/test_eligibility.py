"""Entry conditions, target groups and the state of the assessment, at their boundaries."""

from __future__ import annotations

from allocator.codes import (
    TargetGroup,
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

_GROUPS = {group.value for group in TargetGroup}
_SPECIAL = sorted(_GROUPS - {"general"})

TABLES = (
    table(
        "rop-requirement",
        ("scheme.entry_requirement", "scheme.entry_adopted", "applicant.rop"),
        [
            ("adopted, and the applicant has no ROP", "rop", True, False, BROKEN),
            ("adopted, and the applicant has ROP", "rop", True, True, KEPT),
            ("said but not adopted", "rop", False, False, KEPT),
            ("no requirement", "none", True, False, KEPT),
            ("adoption unknown", "rop", None, False, UNKNOWN),
            ("ROP unknown", "rop", True, None, UNKNOWN),
            ("requirement unknown", None, True, False, UNKNOWN),
            ("adoption and ROP unknown", "rop", None, None, UNKNOWN),
            ("adoption unknown, the applicant has ROP", "rop", None, True, KEPT),
            ("requirement unknown, the applicant has ROP", None, True, True, KEPT),
            ("ROP unknown, not adopted", "rop", False, None, KEPT),
            ("ROP unknown, no requirement", "none", True, None, KEPT),
            ("adoption unknown, no requirement", "none", None, False, KEPT),
            ("requirement unknown, not adopted", None, False, None, KEPT),
            ("nothing known", None, None, None, UNKNOWN),
        ],
    ),
    table(
        "target-group",
        ("applicant.target_groups", "scheme.target_groups"),
        [
            ("a group in common", {"rop"}, {"rop"}, KEPT),
            ("no group in common", {"rop"}, {"families"}, BROKEN),
            ("one of several in common", {"rop", "mental_illness"}, {"mental_illness", "families"}, KEPT),
            ("none of several in common", {"rop", "mental_illness"}, {"refugees", "families"}, BROKEN),
            ("the scheme is for all", {"rop"}, {"general"}, KEPT),
            ("the scheme is for all and for others", {"rop"}, {"general", "families"}, KEPT),
            ("both are general", {"general"}, {"general"}, KEPT),
            ("the applicant is general, the scheme is not", {"general"}, {"rop"}, BROKEN),
            ("the applicant belongs to none", set(), {"rop"}, BROKEN),
            ("the applicant belongs to none, the scheme is for all", set(), {"general"}, KEPT),
            ("the scheme is for none", {"rop"}, set(), BROKEN),
            ("the applicant's groups unknown", None, {"rop"}, UNKNOWN),
            ("the scheme's groups unknown", {"rop"}, None, UNKNOWN),
            ("the applicant's groups unknown, the scheme is for all", None, {"general"}, KEPT),
            ("the applicant belongs to none, the scheme's groups unknown", set(), None, UNKNOWN),
            ("the applicant's groups unknown, the scheme is for none", None, set(), BROKEN),
            ("nothing known", None, None, UNKNOWN),
        ],
    ),
    table(
        "target-group",
        ("applicant.target_groups", "scheme.target_groups"),
        [(f"in common: {code}", {code}, {code}, KEPT) for code in _SPECIAL]
        + [
            (f"all others but {code}", {code}, _GROUPS - {code, "general"}, BROKEN)
            for code in sorted(_GROUPS)
        ],
    ),
    table(
        "target-group",
        ("applicant.target_groups:rop", "applicant.target_groups:families", "scheme.target_groups"),
        [
            ("one in common, all else unknown", None, True, {"families", "rop"}, KEPT),
            ("one not in common, one unknown", None, False, {"rop"}, UNKNOWN),
        ],
    ),
    table(
        "gender-condition-overdue",
        ("scheme.gender_condition_overdue",),
        [("overdue for review", True, BROKEN), ("not overdue", False, KEPT), ("unknown", None, UNKNOWN)],
    ),
    table(
        "gender-condition",
        ("scheme.has_gender_condition", "scheme.gender", "applicant.gender"),
        [
            ("a man to a scheme for women", True, "woman", "man", BROKEN),
            ("a woman to a scheme for men", True, "man", "woman", BROKEN),
            ("a woman to a scheme for women", True, "woman", "woman", KEPT),
            ("a man to a scheme for men", True, "man", "man", KEPT),
            ("a condition that is not in force", False, "woman", "man", KEPT),
            ("applicant's gender unknown", True, "woman", None, UNKNOWN),
            ("scheme's gender unknown", True, None, "man", UNKNOWN),
            ("condition unknown", None, "woman", "man", UNKNOWN),
            ("condition unknown, same gender", None, "woman", "woman", KEPT),
            ("no condition, genders unknown", False, None, None, KEPT),
            ("nothing known", None, None, None, UNKNOWN),
        ],
    ),
    table(
        "assessment-expired",
        ("applicant.risk_valid_until", "applicant.needs_valid_until"),
        [
            ("both hold until today", TODAY, TODAY, KEPT),
            ("both hold until tomorrow", TOMORROW, TOMORROW, KEPT),
            ("risk held until yesterday", YESTERDAY, TODAY, BROKEN),
            ("needs held until yesterday", TODAY, YESTERDAY, BROKEN),
            ("both held until yesterday", YESTERDAY, YESTERDAY, BROKEN),
            ("risk not assessed", None, TODAY, UNKNOWN),
            ("needs not assessed", TODAY, None, UNKNOWN),
            ("risk not assessed, needs held until yesterday", None, YESTERDAY, BROKEN),
            ("needs not assessed, risk held until yesterday", YESTERDAY, None, BROKEN),
            ("nothing known", None, None, UNKNOWN),
        ],
    ),
    table(
        "assessment-expired",
        ("case.as_of", "applicant.risk_valid_until", "applicant.needs_valid_until"),
        [
            ("on the last day", day(7), day(7), day(7), KEPT),
            ("on the day after", day(8), day(7), day(8), BROKEN),
            ("on the day after the needs", day(8), day(8), day(7), BROKEN),
        ],
    ),
)


@by_its_table(TABLES)
def test_eligibility_rules_keep_to_their_tables(table: Table, row: Row) -> None:
    """A rule on eligibility comes out as its table says, by both engines."""
    assert judge(table, row) is row.expected
