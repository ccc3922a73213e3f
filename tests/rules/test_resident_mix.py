"""Resident mix, at its boundaries."""

from __future__ import annotations

import pytest

from allocator.codes import (
    SubstanceClass,
)
from allocator.facts import Range
from tests.rules.tables import BROKEN, KEPT, UNKNOWN, Facts, Row, Table, by_its_table, judge, remark, table

_SUBSTANCES = (
    "applicant.main_substance",
    "applicant.substance_use",
    "resident.main_substance",
    "resident.substance_use",
)
_CLASSES = [code.value for code in SubstanceClass]

TABLES = (
    table(
        "gender-mix",
        ("applicant.gender", "resident.gender"),
        [
            ("a woman beside a woman", "woman", "woman", KEPT),
            ("a man beside a man", "man", "man", KEPT),
            ("a woman beside a man", "woman", "man", BROKEN),
            ("a man beside a woman", "man", "woman", BROKEN),
            ("an applicant of unknown gender beside a woman", None, "woman", UNKNOWN),
            ("an applicant of unknown gender beside a man", None, "man", UNKNOWN),
            ("a woman beside a resident of unknown gender", "woman", None, UNKNOWN),
            ("a man beside a resident of unknown gender", "man", None, UNKNOWN),
            ("both of unknown gender", None, None, UNKNOWN),
        ],
    ),
    table(
        "substance-mix",
        _SUBSTANCES,
        [
            ("opioids beside stimulants", "opioids", "active", "stimulants", "active", BROKEN),
            ("stimulants beside opioids", "stimulants", "active", "opioids", "active", BROKEN),
            ("opioids beside opioids", "opioids", "active", "opioids", "active", KEPT),
            ("stimulants beside stimulants", "stimulants", "active", "stimulants", "active", KEPT),
            ("multiple substances beside opioids", "multiple", "active", "opioids", "active", KEPT),
            ("multiple substances beside stimulants", "multiple", "active", "stimulants", "active", KEPT),
            ("opioids beside multiple substances", "opioids", "active", "multiple", "active", KEPT),
            ("stimulants beside multiple substances", "stimulants", "active", "multiple", "active", KEPT),
            ("cocaine beside opioids", "cocaine", "active", "opioids", "active", KEPT),
            ("opioids beside cocaine", "opioids", "active", "cocaine", "active", KEPT),
            ("cocaine beside stimulants", "cocaine", "active", "stimulants", "active", KEPT),
            ("applicant in substitution treatment", "opioids", "substitution", "stimulants", "active", KEPT),
            ("resident in substitution treatment", "stimulants", "active", "opioids", "substitution", KEPT),
            ("applicant's former use", "opioids", "former", "stimulants", "active", KEPT),
            ("resident's former use", "opioids", "active", "stimulants", "former", KEPT),
            ("applicant does not use now", "stimulants", "none", "opioids", "active", KEPT),
            ("resident does not use now", "stimulants", "active", "opioids", "none", KEPT),
            ("classes clash, the applicant's use unknown", "opioids", None, "stimulants", "active", UNKNOWN),
            ("classes clash, the resident's use unknown", "opioids", "active", "stimulants", None, UNKNOWN),
            ("the same, the other way round", "stimulants", None, "opioids", "active", UNKNOWN),
            ("the same for the resident", "stimulants", "active", "opioids", None, UNKNOWN),
            ("classes clash, both uses unknown", "opioids", None, "stimulants", None, UNKNOWN),
            ("applicant's class unknown beside opioids", None, "active", "opioids", "active", UNKNOWN),
            ("applicant's class unknown beside stimulants", None, "active", "stimulants", "active", UNKNOWN),
            ("resident's class unknown beside opioids", "opioids", "active", None, "active", UNKNOWN),
            ("resident's class unknown beside stimulants", "stimulants", "active", None, "active", UNKNOWN),
            ("both classes unknown", None, "active", None, "active", UNKNOWN),
            ("nothing known", None, None, None, None, UNKNOWN),
            ("class unknown beside alcohol, which clashes with nothing", None, None, "alcohol", None, KEPT),
            ("alcohol beside an unknown class", "alcohol", None, None, None, KEPT),
            ("same class, both uses unknown", "opioids", None, "opioids", None, KEPT),
            ("classes clash, one former and one use unknown", "opioids", "former", "stimulants", None, KEPT),
            ("the same, the other way round: former", "opioids", None, "stimulants", "former", KEPT),
            ("both classes unknown, applicant in treatment", None, "substitution", None, None, KEPT),
            ("both classes unknown, resident in treatment", None, None, None, "substitution", KEPT),
        ],
    ),
    table(
        "substance-mix",
        _SUBSTANCES,
        [
            (f"no clash in the default table: {one} beside {other}", one, "active", other, "active", KEPT)
            for one in _CLASSES
            for other in _CLASSES
            if {one, other} != {"opioids", "stimulants"}
        ],
    ),
    table(
        "substance-mix",
        _SUBSTANCES,
        [
            ("a pair that this policy names", "cocaine", "active", "opioids", "active", BROKEN),
            ("the same pair the other way round", "opioids", "active", "cocaine", "active", BROKEN),
            ("another pair that it names", "alcohol", "active", "sedatives", "active", BROKEN),
            ("one class of each pair", "alcohol", "active", "opioids", "active", KEPT),
            (
                "the pair of the default table, not named here",
                "opioids",
                "active",
                "stimulants",
                "active",
                KEPT,
            ),
            ("an unknown class beside one that clashes", None, "active", "sedatives", "active", UNKNOWN),
        ],
        clashing_classes=(("opioids", "cocaine"), ("alcohol", "sedatives")),
    ),
    table(
        "age-mix",
        ("applicant.age", "resident.heavy_use", "resident.age"),
        [
            ("24 beside a heavy user of 39", 24, True, 39, KEPT),
            ("24 beside a heavy user of 40", 24, True, 40, BROKEN),
            ("24 beside a heavy user of 41", 24, True, 41, BROKEN),
            ("25 beside a heavy user of 40", 25, True, 40, KEPT),
            ("26 beside a heavy user of 40", 26, True, 40, KEPT),
            ("25 beside a heavy user of 41", 25, True, 41, KEPT),
            ("25 beside a heavy user of 39", 25, True, 39, KEPT),
            ("18 beside a heavy user of 80", 18, True, 80, BROKEN),
            ("24 beside someone of 40 who is no heavy user", 24, False, 40, KEPT),
            ("40 beside a heavy user of 24", 40, True, 24, KEPT),
            ("40 beside a heavy user of 40", 40, True, 40, KEPT),
            ("24 beside a heavy user of 24", 24, True, 24, KEPT),
            ("applicant's age unknown", None, True, 40, UNKNOWN),
            ("resident's use unknown", 24, None, 40, UNKNOWN),
            ("resident's age unknown", 24, True, None, UNKNOWN),
            ("applicant's age unknown beside a heavy user of 39", None, True, 39, KEPT),
            ("applicant's age unknown beside no heavy user", None, False, 40, KEPT),
            ("resident's use unknown, applicant 25", 25, None, 40, KEPT),
            ("resident's use unknown, resident 39", 24, None, 39, KEPT),
            ("resident's age unknown, applicant 25", 25, True, None, KEPT),
            ("resident's age unknown, no heavy user", 24, False, None, KEPT),
            ("nothing known but that the applicant is 25", 25, None, None, KEPT),
            ("nothing known", None, None, None, UNKNOWN),
        ],
    ),
    table(
        "age-mix",
        ("applicant.age", "applicant.heavy_use", "resident.heavy_use", "resident.age"),
        [
            ("the applicant's own heavy use does not count", 24, True, False, 40, KEPT),
            ("a young heavy user beside an older one", 24, True, True, 40, BROKEN),
        ],
    ),
    table(
        "age-mix-established",
        ("applicant.heavy_use", "applicant.age", "resident.age"),
        [
            ("a heavy user of 39 beside someone of 24", True, 39, 24, KEPT),
            ("a heavy user of 40 beside someone of 24", True, 40, 24, BROKEN),
            ("a heavy user of 41 beside someone of 24", True, 41, 24, BROKEN),
            ("a heavy user of 40 beside someone of 25", True, 40, 25, KEPT),
            ("a heavy user of 40 beside someone of 26", True, 40, 26, KEPT),
            ("a heavy user of 39 beside someone of 25", True, 39, 25, KEPT),
            ("a heavy user of 80 beside someone of 18", True, 80, 18, BROKEN),
            ("someone of 40 who is no heavy user beside someone of 24", False, 40, 24, KEPT),
            ("a heavy user of 24 beside someone of 40", True, 24, 40, KEPT),
            ("a heavy user of 40 beside someone of 40", True, 40, 40, KEPT),
            ("a heavy user of 24 beside someone of 24", True, 24, 24, KEPT),
            ("applicant's use unknown", None, 40, 24, UNKNOWN),
            ("applicant's age unknown", True, None, 24, UNKNOWN),
            ("resident's age unknown", True, 40, None, UNKNOWN),
            ("applicant's use unknown, applicant 39", None, 39, 24, KEPT),
            ("applicant's use unknown, resident 25", None, 40, 25, KEPT),
            ("applicant's age unknown, no heavy user", False, None, 24, KEPT),
            ("applicant's age unknown, resident 25", True, None, 25, KEPT),
            ("resident's age unknown, applicant 39", True, 39, None, KEPT),
            ("resident's age unknown, no heavy user", False, 40, None, KEPT),
            ("nothing known", None, None, None, UNKNOWN),
        ],
    ),
    table(
        "age-mix-established",
        ("applicant.heavy_use", "resident.heavy_use", "applicant.age", "resident.age"),
        [
            ("the resident's heavy use does not count", False, True, 40, 24, KEPT),
            ("an older heavy user beside a young one", True, True, 40, 24, BROKEN),
        ],
    ),
    table(
        "rop-mix",
        ("applicant.rop", "resident.rop"),
        [
            ("both have ROP", True, True, KEPT),
            ("neither has ROP", False, False, KEPT),
            ("ROP beside no ROP", True, False, BROKEN),
            ("no ROP beside ROP", False, True, BROKEN),
            ("applicant unknown beside ROP", None, True, UNKNOWN),
            ("applicant unknown beside no ROP", None, False, UNKNOWN),
            ("ROP beside an unknown resident", True, None, UNKNOWN),
            ("no ROP beside an unknown resident", False, None, UNKNOWN),
            ("both unknown", None, None, UNKNOWN),
        ],
    ),
    table(
        "recent-move-ins",
        ("resident.days_lived",),
        [
            ("nobody lives there", [], KEPT),
            ("one moved in today", [0], KEPT),
            ("one moved in 60 days ago", [60], KEPT),
            ("two moved in 59 and 60 days ago", [59, 60], BROKEN),
            ("two moved in 60 days ago", [60, 60], BROKEN),
            ("two moved in 60 and 61 days ago", [60, 61], KEPT),
            ("two moved in 61 days ago", [61, 61], KEPT),
            ("three moved in, two of them 60 days ago", [60, 61, 60], BROKEN),
            ("three moved in lately", [0, 1, 2], BROKEN),
            ("three have lived there long", [61, 700, 7000], KEPT),
            ("one moved in, of one nothing is recorded", [60, None], UNKNOWN),
            ("of two nothing is recorded", [None, None], UNKNOWN),
            ("of one alone nothing is recorded", [None], KEPT),
            ("one has lived there long, of one nothing is recorded", [61, None], KEPT),
            ("one moved in, one not, of one nothing is recorded", [60, 61, None], UNKNOWN),
            ("two moved in, of one nothing is recorded", [60, 60, None], BROKEN),
        ],
    ),
)


@by_its_table(TABLES)
def test_resident_mix_rules_keep_to_their_tables(table: Table, row: Row) -> None:
    """A rule on resident mix comes out as its table says, by both engines."""
    assert judge(table, row) is row.expected


@pytest.mark.parametrize(
    ("genders", "applies"),
    [
        ([], False),
        (["woman"], False),
        (["man"], False),
        (["woman", "woman"], False),
        (["man", "man"], False),
        (["woman", "man"], True),
        (["man", "woman", "man"], True),
        (["woman", None], False),
        ([None, "man"], False),
        ([None, None], False),
        (["woman", None, "man"], True),
    ],
)
def test_gender_mix_remarks_on_a_group_that_is_mixed_already(
    genders: list[str | None], applies: bool
) -> None:
    """The remark applies where at least one woman and one man are known to live in the group."""
    members: list[Facts] = [{} if gender is None else {"resident.gender": gender} for gender in genders]

    assert remark("gender-mix", {"applicant.gender": "woman"}, Range.RESIDENT, members) is applies
