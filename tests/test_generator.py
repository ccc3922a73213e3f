"""The generator of invented municipalities: the same everywhere, valid, and shaped as the figures say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.codes import (
    ConflictDirection,
    ConflictKind,
    ConflictReach,
    ConflictStatus,
    CounterpartRole,
    FactStatus,
    Gender,
    OrderKind,
    PlacementKind,
    SubstanceClass,
    SubstanceUse,
    UnitStatus,
    VetoGround,
    VetoStatus,
    ViolenceConclusion,
)
from allocator.documents import read_case
from allocator.facts import CaseFacts
from allocator.model import (
    Person,
    Snapshot,
    Unit,
    age_on,
)
from fixtures.generator import Settings, main, municipality, settings_table, to_json
from tests.strategies import DAYS

ROOT = Path(__file__).parent.parent
BIG = 4_000


@cache
def big() -> Snapshot:
    """Return a municipality that is large enough for shares to settle."""
    return municipality(3, BIG, applicants=2_000)


def people(case: Snapshot) -> Iterator[Person]:
    """Yield everyone in a municipality."""
    yield from case.residents
    yield from case.applicants


def units(case: Snapshot) -> list[Unit]:
    """Return all units of a municipality."""
    return [unit for scheme in case.schemes for unit in scheme.units]


def percent(values: Iterable[object], wanted: object) -> float:
    """Return how many percent of *values* are the one wanted."""
    counted = Counter(values)
    return 100 * counted[wanted] / counted.total()


def known(case: Snapshot, fact: Callable[[Person], object]) -> list[object]:
    """Return the values of a fact that are known on the day."""
    return [value for value in map(fact, people(case)) if value is not None]


# ------------------------------------------------------------------------------------- the same everywhere


def _written(hash_seed: str, *arguments: str) -> bytes:
    return subprocess.run(
        [sys.executable, "-m", "fixtures.generator", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        check=True,
    ).stdout


def test_the_same_seed_gives_the_same_bytes() -> None:
    """The same arguments give the same bytes in another process with another order of sets."""
    arguments = ("--units", "120", "--seed", "7", "--applicants", "60")
    here = to_json(municipality(7, 120, applicants=60)).encode()

    assert _written("0", *arguments) == here
    assert _written("4711", *arguments) == here


def test_another_seed_gives_another_municipality() -> None:
    """Two seeds do not give the same people or houses."""
    assert municipality(1, 30).residents != municipality(2, 30).residents
    assert municipality(1, 30).schemes != municipality(2, 30).schemes


def test_more_applicants_change_nothing_else() -> None:
    """Each topic has its own stream of chance: houses and residents do not depend on who applies."""
    few, many = municipality(5, 60, applicants=3), municipality(5, 60, applicants=30)

    assert (few.schemes, few.residents) == (many.schemes, many.residents)
    assert few.applicants[0].birth_date == many.applicants[0].birth_date or many.applicants[0].resides_as


# ----------------------------------------------------------------------------------------------- valid


@settings(max_examples=max(20, settings().max_examples // 3))
@given(
    seed=st.integers(-(2**70), 2**70),
    size=st.integers(0, 30),
    per_group=st.sampled_from((8, 1, 3, 40)),
    applicants=st.none() | st.integers(0, 20),
    as_of=st.sampled_from(DAYS),
)
def test_every_municipality_is_a_valid_case(
    seed: int, size: int, per_group: int, applicants: int | None, as_of: date
) -> None:
    """What is generated is read back from its document as it was, and has the size that was asked for."""
    case = municipality(seed, size, residents_per_group=per_group, applicants=applicants, as_of=as_of)

    assert read_case(to_json(case).encode()) == case
    assert len(units(case)) == size
    assert applicants in (None, len(case.applicants))


def test_a_big_municipality_is_a_valid_case() -> None:
    """A big municipality, with all that is rare, is read back from its document as it was."""
    assert Snapshot.model_validate_json(to_json(big())) == big()


@pytest.mark.parametrize("per_group", [1, 8, 40])
def test_living_groups_are_as_large_as_asked_for(per_group: int) -> None:
    """Living groups hold as many units as asked for, and full ones as many residents, up to 40."""
    case = municipality(11, 2_000, residents_per_group=per_group)
    groups = [group for scheme in case.schemes for group in scheme.living_groups]
    living = CaseFacts(case).residents_in

    assert {len(group.units) for group in groups} == {per_group}
    assert max(living.values()) == per_group


def test_a_municipality_always_has_a_vacant_unit() -> None:
    """However small it is, there is something to allocate."""
    for seed in range(30):
        statuses = [unit.status for unit in units(municipality(seed, 3))]
        assert UnitStatus.VACANT in statuses


@pytest.mark.parametrize(("size", "per_group", "applicants"), [(-1, 8, 0), (1, 0, 0), (1, 8, -1)])
def test_impossible_sizes_are_refused(size: int, per_group: int, applicants: int) -> None:
    """A size below what it can be is refused, with what is expected."""
    with pytest.raises(ValueError, match="at least"):
        municipality(1, size, residents_per_group=per_group, applicants=applicants)


# ------------------------------------------------------------------------------- shaped as published


def test_sex_is_as_published() -> None:
    """Of those who say that they are women or men, 70 % are men (BrukerPlan)."""
    stated = known(big(), lambda person: person.gender.value)

    assert abs(percent([g for g in stated if g in (Gender.MAN, Gender.WOMAN)], Gender.MAN) - 70) < 2


def test_mean_age_is_as_published() -> None:
    """The mean age is 42 (BrukerPlan), and everyone is an adult."""
    case = big()
    ages = [age_on(person.birth_date.value, case.as_of) for person in people(case) if person.birth_date.value]

    assert abs(sum(ages) / len(ages) - 42) < 1
    assert min(ages) >= 18


def test_comorbidity_is_as_published() -> None:
    """81 % of people with substance problems have a mental disorder too (BrukerPlan 2019: 58 and 23 %)."""
    assert abs(percent(known(big(), lambda person: person.rop.value), True) - 81.9) < 2


def test_heavy_use_is_as_published() -> None:
    """16 % use very extensively (BrukerPlan 2016)."""
    assert abs(percent(known(big(), lambda person: person.heavy_use.value), True) - 16) < 2


def test_visiting_children_are_no_more_than_published() -> None:
    """19 % have children (BrukerPlan 2019); of half of them the children visit."""
    assert abs(percent(known(big(), lambda person: person.child_visits.value), True) - 9.5) < 1.5


def test_safety_issues_are_as_published() -> None:
    """90 of 1,527 with concurrent problems are housed with a safety issue (Oslo)."""
    concluded = [
        person.risk.conclusion
        for person in people(big())
        if person.rop.value and person.risk.conclusion is not None
    ]

    assert abs(percent(concluded, ViolenceConclusion.ASSESSED_HIGH) - 5.9) < 1.5


def test_units_stand_empty_as_published() -> None:
    """5 to 8 % of units are not lived in (Statistics Norway), in every big municipality."""
    for case in (big(), *(municipality(seed, 1_000, applicants=0) for seed in range(5))):
        lived_in = [u.status in (UnitStatus.OCCUPIED, UnitStatus.NOTICE_GIVEN) for u in units(case)]
        assert 5 <= percent(lived_in, False) <= 8


def test_access_is_as_published() -> None:
    """46 % of units are accessible to wheelchair users (Statistics Norway)."""
    assert abs(percent([u.step_free for u in units(big()) if u.step_free is not None], True) - 46) < 3


def test_substitution_patients_use_as_published() -> None:
    """21 % of substitution patients use regularly (SERAF) and count as active."""
    everyone = replace(Settings(), substitution_percent=100, fact_states=(("known", 1),))
    case = municipality(3, 2_000, applicants=0, settings=everyone)
    uses = [
        person.substance_use.value
        for person in people(case)
        if person.main_substance.value is SubstanceClass.OPIOIDS
    ]

    assert set(uses) == {SubstanceUse.ACTIVE, SubstanceUse.SUBSTITUTION}
    assert abs(percent(uses, SubstanceUse.ACTIVE) - 21) < 4


def test_as_many_apply_as_published() -> None:
    """By default as many wait as a quarter of a year's applicants (Statistics Norway)."""
    assert len(municipality(1, 1_000).applicants) == 1_000 * 38_478 // 108_128 // 4


# ------------------------------------------------------------------------------------- all that is rare


def test_everything_that_happens_is_there() -> None:
    """Every state of a fact, unit, conflict, order and objection turns up in a big municipality."""
    case = big()

    assert {person.gender.value for person in people(case)} == {*Gender, None}
    assert {person.gender.status for person in people(case)} == set(FactStatus)
    assert any(p.rop.status is FactStatus.KNOWN and p.rop.at(case.as_of) is None for p in people(case))
    assert {person.risk.holds(case.as_of) for person in people(case)} == {True, False}
    assert {unit.status for unit in units(case)} == set(UnitStatus)
    assert {conflict.kind for conflict in case.conflicts} == set(ConflictKind)
    assert {conflict.status for conflict in case.conflicts} == set(ConflictStatus)
    assert {conflict.direction for conflict in case.conflicts} == set(ConflictDirection)
    assert {conflict.reach for conflict in case.conflicts} == set(ConflictReach)
    assert {conflict.counterpart_role for conflict in case.conflicts} == set(CounterpartRole)
    assert {conflict.confirmed for conflict in case.conflicts} == {True, False}
    assert {order.kind for order in case.orders} == set(OrderKind)
    assert {order.verified for order in case.orders} == {True, False}
    assert {order.protected is None for order in case.orders} == {True, False}
    assert {order.valid_until >= case.as_of for order in case.orders} == {True, False}
    assert {veto.ground for veto in case.vetoes} == set(VetoGround)
    assert {veto.status for veto in case.vetoes} == set(VetoStatus)
    assert {veto.valid_until >= case.as_of for veto in case.vetoes} == {True, False}
    assert all(any(getattr(v, place) for v in case.vetoes) for place in ("unit", "living_group", "scheme"))
    assert {applicant.placement.kind for applicant in case.applicants} == set(PlacementKind)
    assert any(applicant.resides_as for applicant in case.applicants)
    assert any(a.wishes and a.wishes.reservations for a in case.applicants)
    assert any(applicant.wishes is None for applicant in case.applicants)
    assert {case.lives_here(resident) for resident in case.residents} == {True, False}


def test_several_entries_about_the_same_two() -> None:
    """Some pairs have more than one conflict entry."""
    pairs = Counter(frozenset((c.party, c.counterpart)) for c in big().conflicts if c.counterpart is not None)

    assert max(pairs.values()) > 1


def test_whoever_wants_to_move_is_one_person() -> None:
    """An applicant who lives here has the same facts in both entries."""
    case = big()
    residents = {resident.id: resident for resident in case.residents}
    movers = [applicant for applicant in case.applicants if applicant.resides_as]

    for applicant in movers:
        resident = residents[applicant.resides_as or ""]
        assert all(
            getattr(applicant, name) == getattr(resident, name)
            for name in Person.model_fields
            if name != "id"
        )
    assert len({applicant.resides_as for applicant in movers}) == len(movers)


# --------------------------------------------------------------------------------- where numbers are from


def test_every_setting_says_where_its_number_is_from() -> None:
    """Each setting names a published source, or says that it is an assumption; never both."""
    for entry in fields(Settings):
        assert set(entry.metadata) in ({"source"}, {"assumption"}), entry.name
        assert all(text.strip() for text in entry.metadata.values()), entry.name


def test_every_published_figure_is_in_its_source() -> None:
    """A setting with a source repeats its own figures there."""
    for entry in fields(Settings):
        if "source" in entry.metadata:
            said = set(re.findall(r"\d+", entry.metadata["source"].replace(",", "")))
            assert set(re.findall(r"\d+", str(entry.default))) <= said, entry.name


def test_the_table_of_settings_has_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    """`--settings` prints every setting with its value and origin."""
    assert main(["--settings"]) == 0

    printed = capsys.readouterr().out
    assert printed == settings_table(Settings())
    assert all(f"{entry.name} = " in printed for entry in fields(Settings))


# ------------------------------------------------------------------------------------------ the command


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--units", "many"], "a whole number of at least 0"),
        (["--units", "-1"], "a whole number of at least 0"),
        (["--residents-per-group", "0"], "a whole number of at least 1"),
        (["--as-of", "2026-02-30"], "a date written as YYYY-MM-DD"),
    ],
)
def test_bad_arguments_say_what_is_expected(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bad argument ends with status 2 and says what is expected."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)

    assert stopped.value.code == 2
    assert expected in capsys.readouterr().err


def test_help_says_how_to_use_it(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` explains every argument and gives an example."""
    with pytest.raises(SystemExit):
        main(["--help"])

    printed = capsys.readouterr().out
    assert "example: python -m fixtures.generator --units 100 --seed 7 > case.json" in printed
    assert "\n  --applicants N" in printed
