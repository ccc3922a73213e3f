"""What readers without clearance are told: which member of a zone it is, and who is kode 6, shows nowhere."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from rich.console import Console

from allocator import disclosure, explain
from allocator.codes import (
    ConflictDirection,
    ConflictKind,
    ConflictReach,
    ConflictStatus,
    FactSource,
    OrderKind,
    UnitStatus,
)
from allocator.disclosure import Level, Reader, Released, Shown, release
from allocator.explain import Explainer, document
from allocator.facts import CaseFacts, Range, is_placeholder
from allocator.model import Applicant, Conflict, Order, Resident, Snapshot
from allocator.policy import Policy
from allocator.ranking import Rankings
from allocator.scoring import Assessment, Suggestions, Verdict, shortlist, suggest
from allocator.terminal import View, rendered
from allocator.texts import Language
from fixtures.generator import municipality
from tests.strategies import default_policy, policies, snapshots

FEWER = settings(max_examples=max(20, settings().max_examples // 3))
"""Each example here asks for every reader in every language."""

UNCLEARED = (Reader.MEMBER, Reader.STAFF, Reader.APPLICANT)


@cache
def town(seed: int) -> Snapshot:
    """Return a small generated municipality."""
    return municipality(seed, 16, residents_per_group=5, applicants=2)


CASES = st.one_of(snapshots(), st.integers(0, 11).map(town))
POLICIES = st.one_of(st.builds(default_policy), policies())


def everything_told(answer: Suggestions, reader: Reader) -> Iterator[str]:
    """Yield all that a reader gets: documents in every language, comparisons, letters, the table."""
    explainer = Explainer(answer, reader)
    names = [
        e.assessment.applicant if answer.applicant is None else e.assessment.unit for e in explainer.released
    ]
    compare = (names[0], names[-1]) if names else None
    for language in Language:
        yield json.dumps(document(answer, reader, language.value, compare), ensure_ascii=False)
    for pair in itertools.pairwise(explainer.released):
        yield explainer.comparison(*pair)
    yield from map(explainer.letter, names)
    console = Console(file=io.StringIO(), width=100)
    for part in rendered(explainer, View(kept=True, top=0, score=True, unranked=False)):
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    yield console.file.getvalue()


def questions(case: Snapshot, policy: Policy, applicant: str) -> Iterator[Suggestions]:
    """Yield the suggestions for an applicant, and the shortlist for the first unit that is not lived in."""
    yield suggest(case, policy, applicant, "reference")
    units = (u.id for s in case.schemes for u in s.units if u.status is not UnitStatus.OCCUPIED)
    for unit in sorted(units)[:1]:
        yield shortlist(case, policy, unit, "reference")


# ---------------------------------------------------------------------------- conflicts and orders


@dataclass(frozen=True, repr=False)
class Worlds:
    """Two worlds that differ only in which member of a zone an applicant is to be kept apart from."""

    one: Snapshot
    other: Snapshot
    policy: Policy
    applicant: str


def zones_of(case: Snapshot, policy: Policy, applicant: Applicant) -> list[dict[str, list[str]]]:
    """Return who else lives in each zone for an applicant, by living group."""
    read = CaseFacts(case)
    applying = {a.resides_as for a in case.applicants}
    zones: dict[str, dict[str, list[str]]] = {}
    for resident in case.residents:
        if case.lives_here(resident) and resident.id not in applying:
            group = read.group_of(resident.id).id
            zone = read.zone(group, policy.k_anonymity + (applicant.resides_as is not None))
            zones.setdefault(zone.name, {}).setdefault(group, []).append(resident.id)
    return [groups for _, groups in sorted(zones.items())]


@st.composite
def worlds(draw: DrawFn) -> Worlds:
    """Draw two worlds: one entry more in each, alike but for whom of a zone it points at."""
    case, policy = draw(CASES), draw(POLICIES)
    assume(case.applicants)
    applicant = draw(st.sampled_from(case.applicants))
    zones = [list(itertools.chain(*groups.values())) for groups in zones_of(case, policy, applicant)]
    several = [members for members in zones if len(members) > 1]
    assume(several)
    pair = draw(st.permutations(draw(st.sampled_from(several))))[:2]
    entry: Callable[[str], dict[str, Any]]
    if draw(st.booleans()):
        conflict = Conflict(
            id="k-new",
            party=applicant.id,
            counterpart=pair[0],
            kind=ConflictKind.ENEMY,
            direction=draw(st.sampled_from(ConflictDirection)),
            status=draw(st.sampled_from(ConflictStatus)),
            confirmed=draw(st.booleans()),
            source=FactSource.STAFF,
            recorded_on=case.as_of - timedelta(days=draw(st.sampled_from((1, 366)))),
            reach=draw(st.sampled_from(ConflictReach)),
        )

        def entry(who: str) -> dict[str, Any]:
            return {"conflicts": (*case.conflicts, conflict.model_copy(update={"counterpart": who}))}

    else:
        order = Order(
            id="o-new",
            kind=OrderKind.VISITING_BAN,
            bound=applicant.id,
            protected=pair[0],
            valid_from=case.as_of - timedelta(days=30),
            valid_until=case.as_of + timedelta(days=draw(st.sampled_from((-1, 30)))),
            verified=draw(st.booleans()),
        )

        def entry(who: str) -> dict[str, Any]:
            return {"orders": (*case.orders, order.model_copy(update={"protected": who}))}

    one, other = (Snapshot.model_validate({**dict(case), **entry(who)}) for who in pair)
    return Worlds(one, other, policy, applicant.id)


def across_groups() -> Iterator[Worlds]:
    """Yield worlds without chance: somebody's enemy lives in the one or the other living group of a zone."""
    policy = default_policy()
    for seed in range(12):
        case = municipality(seed, 16, residents_per_group=2, applicants=2)
        for applicant in case.applicants:
            for groups in zones_of(case, policy, applicant):
                if len(groups) > 1:
                    enemies = [members[0] for members in groups.values()]
                    one, other = (_with_an_enemy(case, applicant.id, who) for who in enemies[:2])
                    yield Worlds(one, other, policy, applicant.id)


def _with_an_enemy(case: Snapshot, applicant: str, who: str) -> Snapshot:
    conflict = Conflict(
        id="k-new",
        party=applicant,
        counterpart=who,
        kind=ConflictKind.ENEMY,
        direction=ConflictDirection.MUTUAL,
        status=ConflictStatus.ACTIVE,
        confirmed=True,
        source=FactSource.STAFF,
        recorded_on=case.as_of,
        reach=ConflictReach.LIVING_GROUP,
    )
    return Snapshot.model_validate({**dict(case), "conflicts": (*case.conflicts, conflict)})


def the_same_is_told(given_worlds: Worlds, readers: Sequence[Reader]) -> None:
    """Assert that none of the readers is told anything else in one world than in the other."""
    answers = zip(
        questions(given_worlds.one, given_worlds.policy, given_worlds.applicant),
        questions(given_worlds.other, given_worlds.policy, given_worlds.applicant),
        strict=True,
    )
    for one, other in answers:
        for reader in readers:
            if one.unit is not None and reader is Reader.APPLICANT:
                continue
            assert list(everything_told(one, reader)) == list(everything_told(other, reader))


@FEWER
@given(worlds())
def test_which_member_of_a_zone_it_is_shows_to_nobody(given_worlds: Worlds) -> None:
    """Worlds that differ only in whom of a zone a conflict or an order is about give the same bytes."""
    the_same_is_told(given_worlds, UNCLEARED)


def _count(entry: Released, exact: Assessment) -> Released:
    secret = tuple(Shown(f, Level.ENVIRONMENT) for f in exact.findings if f.confidential)
    return replace(entry, findings=(*entry.findings, *secret))


def _score(entry: Released, exact: Assessment) -> Released:
    return replace(entry, assessment=replace(entry.assessment, findings=exact.findings), scored=True)


def _about(entry: Released, exact: Assessment) -> Released:
    secret = tuple(Shown(f, Level.FULL) for f in exact.findings if f.confidential)
    return replace(entry, findings=(*entry.findings, *secret[:1]))


def _leaking(what: Callable[[Released, Assessment], Released]) -> Callable[..., Released]:
    honest = disclosure._for_member

    def leaks(answer: Suggestions, exact: Assessment, verdict: Verdict, *, restricted: bool) -> Released:
        return what(honest(answer, exact, verdict, restricted=restricted), exact)

    return leaks


def _exact_order(answer: Suggestions, reader: Reader) -> tuple[Released, ...]:
    place = {(e.assessment.applicant, e.assessment.unit): n for n, e in enumerate(answer.ranked)}
    told = release(answer, reader)
    return tuple(sorted(told, key=lambda r: place[r.assessment.applicant, r.assessment.unit]))


def _exact_hash(_reader: Reader, case: Snapshot, _released: object) -> str:
    return explain.facts_sha256(case)


LEAKS: dict[str, tuple[Any, str, Any]] = {
    "count": (disclosure, "_for_member", _leaking(_count)),
    "order": (explain, "release", _exact_order),
    "score": (disclosure, "_for_member", _leaking(_score)),
    "about": (disclosure, "_for_member", _leaking(_about)),
    "facts_sha256": (explain, "_sha256_for", _exact_hash),
    "what closes": (explain, "released_no_option", lambda answer, _reader, _released: answer.no_option),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_is_found(leak: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The law above fails as soon as a member is told by count, order, score, id, hash or otherwise."""

    def tells(given_worlds: Worlds) -> bool:
        try:
            the_same_is_told(given_worlds, [Reader.MEMBER])
        except AssertionError:
            return True
        return False

    with monkeypatch.context() as patch:
        patch.setattr(*LEAKS[leak])
        found = next(filter(tells, across_groups()), None)

    assert found is not None
    assert not tells(found), "it is the leak that tells"


@FEWER
@given(CASES, POLICIES)
def test_a_member_sees_what_the_committee_sees_where_nobody_is_to_be_kept_apart(
    case: Snapshot, policy: Policy
) -> None:
    """Without conflicts and orders only the hash differs, and no confidential rule is told to be kept."""
    case = case.model_copy(update={"conflicts": (), "orders": ()})
    assume(case.applicants)
    for answer in questions(case, policy, case.applicants[0].id):
        exact, told = (document(answer, reader) for reader in (Reader.COMMITTEE, Reader.MEMBER))
        confidential = {rule.id for rule in policy.rules if rule.rule.confidential}
        for entry in exact["suggestions"]:
            entry["findings"] = [
                f for f in entry["findings"] if f["outcome"] != "kept" or f["rule"] not in confidential
            ]
        assert {**told, "reader": "", "facts_sha256": ""} == {**exact, "reader": "", "facts_sha256": ""}


@FEWER
@given(CASES, POLICIES)
def test_points_that_a_member_sees_are_of_what_they_see(case: Snapshot, policy: Policy) -> None:
    """A score is 100 plus the points shown; a restricted entry has none and stands last of its verdict."""
    assume(case.applicants)
    for answer in questions(case, policy, case.applicants[0].id):
        exact = {(e.assessment.applicant, e.assessment.unit): e.assessment for e in answer.ranked}
        told = document(answer, Reader.MEMBER)["suggestions"]
        worths = []
        for entry, released in zip(told, release(answer, Reader.MEMBER), strict=True):
            points = sum(f["points"] for f in entry["findings"])
            assert entry["score"] == (None if released.restricted else 100 + points)
            assert not released.restricted or (entry["findings"], "after_notice" in entry) == ([], False)
            key = (released.assessment.applicant, released.assessment.unit)
            assert released.verdict >= exact[key].verdict
            worths.append((released.verdict, released.restricted, -(entry["score"] or 0)))
        assert worths == sorted(worths)
        assert [entry["rank"] for entry in told] == [worths.index(worth) + 1 for worth in worths]


# -------------------------------------------------------------------------------------------- kode 6


@st.composite
def guarded(draw: DrawFn) -> tuple[Snapshot, Snapshot]:
    """Draw a case where nobody is recorded in a unit that is lived in, and one with a placeholder there."""
    case = draw(CASES)
    lived_in = (UnitStatus.OCCUPIED, UnitStatus.NOTICE_GIVEN)
    units = sorted(u.id for s in case.schemes for u in s.units if u.status in lived_in)
    assume(units and case.applicants)
    unit = draw(st.sampled_from(units))
    gone = {resident.id for resident in case.residents if resident.unit == unit}
    bare = {
        **dict(case),
        "residents": tuple(r for r in case.residents if r.id not in gone),
        "applicants": tuple(
            a.model_copy(update={"resides_as": None}) if a.resides_as in gone else a for a in case.applicants
        ),
        "conflicts": tuple(c for c in case.conflicts if not gone & {c.party, c.counterpart}),
        "orders": tuple(o for o in case.orders if not gone & {o.bound, o.protected}),
    }
    days = st.sampled_from((None, 0, 30))
    moved_in, move_out = (
        None if day is None else case.as_of + timedelta(days=sign * day)
        for sign, day in ((-1, draw(days)), (1, draw(days)))
    )
    placeholder = Resident(id=unit, unit=unit, moved_in=moved_in, move_out=move_out)
    assert is_placeholder(placeholder)
    without = Snapshot.model_validate(bare)
    return without, Snapshot.model_validate({**bare, "residents": (placeholder, *without.residents)})


@FEWER
@given(guarded(), POLICIES, st.sampled_from(["reference", "columnar"]))
def test_a_placeholder_is_an_occupant_like_any_other(
    cases: tuple[Snapshot, Snapshot], policy: Policy, engine: str
) -> None:
    """With a placeholder and without it every reader gets the same bytes, by either engine."""
    without, placed = cases
    applicant = without.applicants[0].id
    units = [u.id for s in without.schemes for u in s.units]
    answers = [
        (suggest(case, policy, applicant, engine), shortlist(case, policy, units[0], engine))
        for case in (without, placed)
    ]
    for one, other in zip(*answers, strict=True):
        for reader in Reader if one.unit is None else (Reader.COMMITTEE, Reader.MEMBER, Reader.STAFF):
            assert list(everything_told(one, reader)) == list(everything_told(other, reader))
    quick = [
        Rankings(CaseFacts(case), policy, units).units_for(applicant).to_json() for case in (without, placed)
    ]
    assert quick[0] == quick[1]


@FEWER
@given(guarded(), st.booleans())
def test_what_separates_is_found_where_a_placeholder_lives(
    cases: tuple[Snapshot, Snapshot], is_order: bool
) -> None:
    """A conflict or an order that points at a placeholder is found in their group, and holds there."""
    _, case = cases
    applicant = case.applicants[0]
    (who,) = {r.id for r in case.residents if is_placeholder(r)}
    assume(applicant.resides_as is None)
    if is_order:
        order = Order(
            id="o-new",
            kind=OrderKind.VISITING_BAN,
            bound=applicant.id,
            protected=who,
            valid_from=case.as_of,
            valid_until=case.as_of,
            verified=True,
        )
        case = Snapshot.model_validate({**dict(case), "orders": (*case.orders, order)})
    else:
        conflict = Conflict(
            id="k-new",
            party=who,
            counterpart=applicant.id,
            kind=ConflictKind.ENEMY,
            direction=ConflictDirection.MUTUAL,
            status=ConflictStatus.ACTIVE,
            confirmed=True,
            source=FactSource.STAFF,
            recorded_on=case.as_of,
        )
        case = Snapshot.model_validate({**dict(case), "conflicts": (*case.conflicts, conflict)})
    facts = CaseFacts(case)
    over = Range.ORDER if is_order else Range.CONFLICT
    group = facts.group_of(who)
    for unit in group.units:
        assert (who,) in [item.about for item in facts.candidate(applicant.id, unit.id).items(over)]
    told = release(suggest(case, default_policy(), applicant.id, "reference"), Reader.MEMBER)
    here = [entry for entry in told if entry.assessment.living_group == group.id]
    assert all(entry.verdict is Verdict.BLOCKED and entry.restricted for entry in here)
