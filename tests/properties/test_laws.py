"""The laws of scoring and of what readers see, by plain name, over generated municipalities and policies."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from allocator.codes import (
    ConflictDirection,
    ConflictKind,
    ConflictStatus,
    FactSource,
    FactStatus,
    StaffRole,
    VetoGround,
)
from allocator.disclosure import Reader, release
from allocator.engines import Outcome
from allocator.explain import document
from allocator.facts import Missing
from allocator.model import (
    Assessed,
    Conflict,
    ExpiringAssessment,
    Snapshot,
    Veto,
    VetoFact,
)
from allocator.policy import Policy
from allocator.rules.language import Effect
from allocator.scoring import (
    BASE_SCORE,
    Assessment,
    Finding,
    Suggestions,
    Verdict,
    shortlist,
    suggest,
    verdict_of,
)
from fixtures.generator import municipality
from tests.strategies import default_policy, policies, snapshots

ROOT = Path(__file__).resolve().parent.parent.parent


FEWER = settings(max_examples=max(20, settings().max_examples // 3))
"""Each example here asks about every unit, so a third of the profile's examples are as many findings."""


@cache
def town(seed: int) -> Snapshot:
    """Return a small generated municipality."""
    return municipality(seed, 16, residents_per_group=5, applicants=2)


TOWNS = st.integers(0, 11).map(town)
CASES = st.one_of(snapshots(), TOWNS)


def answers(case: Snapshot, policy: Policy, engine: str = "reference") -> list[Suggestions]:
    """Return the answer for two applicants; the reference is the quickest engine to make."""
    return [suggest(case, policy, applicant.id, engine) for applicant in case.applicants[:2]]


def assessments(case: Snapshot, policy: Policy) -> list[Assessment]:
    """Return every assessment of every applicant."""
    return [entry.assessment for answer in answers(case, policy) for entry in answer.ranked]


def by_pair(case: Snapshot, policy: Policy) -> dict[tuple[str, str], Assessment]:
    """Return every assessment by applicant and unit."""
    return {(a.applicant, a.unit): a for a in assessments(case, policy)}


# ------------------------------------------------------------------------------------------ verdicts


@FEWER
@given(CASES, policies())
def test_points_sum_to_the_score(case: Snapshot, policy: Policy) -> None:
    """The score is 100 plus the points of all findings, and only what is weighed costs points."""
    for a in assessments(case, policy):
        assert a.score == BASE_SCORE + sum(f.points for f in a.findings)
        assert a.score_at_worst == a.score + sum(f.could_cost for f in a.findings)
        for f in a.findings:
            costs = f.outcome is Outcome.BROKEN and f.rule.effect is Effect.WEIGH
            assert (f.points < 0) == costs
            assert f.points <= 0 or f.could_cost <= 0


@FEWER
@given(CASES, policies())
def test_one_finding_per_rule_and_person(case: Snapshot, policy: Policy) -> None:
    """Every active rule leaves a finding, and never two about the same person."""
    active = {rule.id for rule in policy.active(case.as_of)}
    for a in assessments(case, policy):
        keys = [(f.rule.id, f.about) for f in a.findings]
        assert len(keys) == len(set(keys))
        assert {rule for rule, _ in keys} == active


@FEWER
@given(CASES, st.integers(1, 1000))
def test_a_bar_is_never_offset(case: Snapshot, points: int) -> None:
    """However the points are set, every verdict is the same: nothing buys off a bar, or anything else."""
    content = copy.deepcopy(_default())
    for entry in content["rules"].values():
        if entry["effect"] == "weigh":
            entry["points"] = points
    changed, plain = by_pair(case, Policy(content)), by_pair(case, default_policy())
    assert {k: a.verdict for k, a in changed.items()} == {k: a.verdict for k, a in plain.items()}


@FEWER
@given(CASES, policies())
def test_unknown_never_counts_as_kept_and_never_blocks(case: Snapshot, policy: Policy) -> None:
    """An unknown names what is missing, costs nothing, and is at worst a question."""
    for a in assessments(case, policy):
        for f in a.findings:
            if f.outcome is Outcome.UNKNOWN:
                assert f.missing
                assert f.points == 0
                assert f.verdict <= Verdict.NEEDS_CLARIFICATION
                assert (f.verdict is Verdict.SUITABLE) == (f.rule.effect is Effect.NOTE)
            else:
                assert not f.missing


@FEWER
@given(CASES, st.randoms(use_true_random=False))
def test_making_a_fact_unknown_never_blocks_and_never_improves_in_silence(
    case: Snapshot, random: Random
) -> None:
    """Forgetting a fact blocks nothing, and a verdict that gets better says what is missing."""
    forgotten = _forgetting_one_fact(case, random)
    assume(forgotten is not None)
    assert forgotten is not None
    before, after = by_pair(case, default_policy()), by_pair(forgotten, default_policy())
    for pair, a in after.items():
        was = before[pair]
        assert a.verdict is not Verdict.BLOCKED or was.verdict is Verdict.BLOCKED
        if a.verdict < was.verdict:
            assert any(f.outcome is Outcome.UNKNOWN and f.missing for f in a.findings)
        old = {(f.rule.id, f.about): f.outcome for f in was.findings}
        for f in a.findings:
            assert f.outcome in (old.get((f.rule.id, f.about), Outcome.UNKNOWN), Outcome.UNKNOWN)


@FEWER
@given(CASES, policies(), st.randoms(use_true_random=False))
def test_turning_a_finding_into_broken_never_improves_a_verdict(
    case: Snapshot, policy: Policy, random: Random
) -> None:
    """Whatever was kept or unknown, the verdict is no better once it is broken."""
    for a in assessments(case, policy):
        index = random.randrange(len(a.findings)) if a.findings else None
        if index is not None:
            broken = [*a.findings]
            broken[index] = _as_broken(broken[index])
            assert verdict_of(broken) >= a.verdict


@FEWER
@given(CASES, st.randoms(use_true_random=False))
def test_adding_a_conflict_never_improves_a_verdict(case: Snapshot, random: Random) -> None:
    """A conflict more is never good for any unit."""
    assume(case.applicants and case.residents)
    applicant, resident = random.choice(case.applicants), random.choice(case.residents)
    assume(applicant.resides_as != resident.id)
    conflict = Conflict(
        id="one-more-conflict",
        party=applicant.id,
        counterpart=resident.id,
        kind=ConflictKind.ENEMY,
        direction=random.choice([*ConflictDirection]),
        status=random.choice([*ConflictStatus]),
        confirmed=random.random() < 0.5,
        source=FactSource.STAFF,
        recorded_on=case.as_of - timedelta(days=random.choice([0, 365, 366])),
    )
    worse = case.model_copy(update={"conflicts": (*case.conflicts, conflict)})
    before = by_pair(case, default_policy())
    assert all(a.verdict >= before[pair].verdict for pair, a in by_pair(worse, default_policy()).items())


@FEWER
@given(CASES, st.randoms(use_true_random=False))
def test_adding_a_veto_never_improves_a_verdict(case: Snapshot, random: Random) -> None:
    """An objection more is never good for any unit, and shows at once where it applies."""
    units = [unit.id for scheme in case.schemes for unit in scheme.units]
    assume(case.applicants and units)
    veto = Veto(
        id="one-more-veto",
        applicant=random.choice(case.applicants).id,
        unit=random.choice(units),
        ground=VetoGround.RESIDENT_SAFETY,
        fact=VetoFact(observed_on=case.as_of, source=FactSource.STAFF, text="-"),
        author_role=StaffRole.SCHEME_STAFF,
        raised_on=case.as_of,
        valid_until=case.as_of,
    )
    worse = case.model_copy(update={"vetoes": (*case.vetoes, veto)})
    before = by_pair(case, default_policy())
    for pair, a in by_pair(worse, default_policy()).items():
        assert a.verdict >= before[pair].verdict
        if pair == (veto.applicant, veto.unit):
            assert a.verdict >= Verdict.ADVISED_AGAINST
            assert ("one-more-veto",) in {f.about for f in a.reasons} or a.verdict is Verdict.BLOCKED


@FEWER
@given(CASES, policies())
def test_the_reasons_are_exactly_the_findings_that_moved_the_verdict(case: Snapshot, policy: Policy) -> None:
    """Each reason alone gives the verdict; without them all it is better; nothing else matters."""
    for a in assessments(case, policy):
        assert bool(a.reasons) == (a.verdict is not Verdict.SUITABLE)
        others = [f for f in a.findings if f not in a.reasons]
        for reason in a.reasons:
            assert verdict_of([reason]) is a.verdict
        assert not a.reasons or verdict_of(others) < a.verdict
        for other in others:
            assert verdict_of([f for f in a.findings if f is not other]) is a.verdict


@FEWER
@given(CASES, policies())
def test_what_would_have_to_change_is_all_of_it_and_nothing_else(case: Snapshot, policy: Policy) -> None:
    """With all of the changes the unit is suitable; with all but one it is not."""
    for a in assessments(case, policy):
        changed = {id(f) for f in a.changes}

        def verdict_without(treated: set[int], findings: tuple[Finding, ...] = a.findings) -> Verdict:
            return verdict_of(f.treated_as_kept() if id(f) in treated else f for f in findings)

        assert verdict_without(changed) is Verdict.SUITABLE
        assert all(verdict_without(changed - {one}) is not Verdict.SUITABLE for one in changed)


@FEWER
@given(CASES, policies())
def test_no_option_names_the_fewest_decisions_that_open_a_unit(case: Snapshot, policy: Policy) -> None:
    """Lifting what is named opens that unit, no unit needs less, and what cannot be lifted is not named."""
    for answer in answers(case, policy):
        none = answer.no_option
        shut = [e.assessment for e in answer.ranked]
        assert (none is None) == any(a.verdict < Verdict.ADVISED_AGAINST for a in shut)
        if none is None:
            continue
        needed = {a.unit: [f for f in a.findings if f.verdict >= Verdict.ADVISED_AGAINST] for a in shut}
        can_open = {unit: fs for unit, fs in needed.items() if all(f.overridable for f in fs)}
        if none.unit is None:
            assert not can_open
            assert not none.to_lift
        else:
            assert list(none.to_lift) == can_open[none.unit]
            assert len(none.to_lift) == min(map(len, can_open.values()))
        for rule, count in none.closed_by:
            assert count == sum(rule in {f.rule.id for f in fs} for fs in needed.values())


# ------------------------------------------------------------------------------------------- ranking


@FEWER
@given(CASES, policies())
def test_rank_goes_by_verdict_then_points_and_ties_are_shared(case: Snapshot, policy: Policy) -> None:
    """Nobody stands before a better one; equals share a rank; the rank is one more than those before."""
    for answer in answers(case, policy):
        keys = [(e.assessment.verdict, -e.assessment.score) for e in answer.ranked]
        assert keys == sorted(keys)
        for entry, key in zip(answer.ranked, keys, strict=True):
            assert entry.rank == 1 + sum(other < key for other in keys)


@FEWER
@given(CASES)
def test_inside_a_rank_applicants_are_listed_by_days_waited(case: Snapshot) -> None:
    """For a unit, who has waited longest is listed first among equals."""
    units = [unit.id for scheme in case.schemes for unit in scheme.units]
    assume(units)
    waiting = {applicant.id: applicant.waiting_since for applicant in case.applicants}
    answer = shortlist(case, default_policy(), units[0], "reference")
    listed = [(entry.rank, waiting[entry.assessment.applicant]) for entry in answer.ranked]
    assert listed == sorted(listed)


@FEWER
@given(CASES, st.randoms(use_true_random=False))
def test_the_order_of_lists_never_matters(case: Snapshot, random: Random) -> None:
    """Shuffling every list of the document gives the same bytes, for every reader."""
    assume(case.applicants)
    shuffled = Snapshot.model_validate_json(json.dumps(_shuffled(case.model_dump(mode="json"), random)))
    applicant = case.applicants[0].id
    for reader in Reader:
        assert _bytes(case, applicant, reader) == _bytes(shuffled, applicant, reader)


@FEWER
@given(CASES)
def test_names_never_matter(case: Snapshot) -> None:
    """Other names of schemes and groups, and other notes, change nothing but the hash of the facts."""
    assume(case.applicants)
    content = case.model_dump(mode="json")
    content["notes"] = "Ø" * 7
    for scheme in content["schemes"]:
        scheme["name"] = "Zz"
        for group in scheme["living_groups"]:
            group["name"] = "Aa"
    renamed = Snapshot.model_validate_json(json.dumps(content))
    one = json.loads(_bytes(case, case.applicants[0].id, Reader.COMMITTEE))
    other = json.loads(_bytes(renamed, case.applicants[0].id, Reader.COMMITTEE))
    del one["facts_sha256"], other["facts_sha256"]
    assert one == other


@FEWER
@given(CASES, st.randoms(use_true_random=False))
def test_renaming_ids_changes_only_ids_and_the_listing_inside_a_rank(case: Snapshot, random: Random) -> None:
    """With new ids every unit has its rank, verdict, score and findings, under the new names."""
    names = {name: f"x{number}" for number, name in enumerate(_shuffle(sorted(_ids(case)), random))}
    renamed = Snapshot.model_validate_json(json.dumps(_renamed(case.model_dump(mode="json"), names)))
    for applicant in case.applicants:
        one = suggest(case, default_policy(), applicant.id, "reference")
        other = suggest(renamed, default_policy(), names[applicant.id], "reference")
        assert _by_unit(one, names) == _by_unit(other, {})


@FEWER
@given(CASES, policies())
def test_same_input_same_bytes(case: Snapshot, policy: Policy) -> None:
    """Asking twice, whatever was asked in between, gives the same bytes."""
    assume(case.applicants)
    first = json.dumps(document(suggest(case, policy, case.applicants[0].id)))
    for applicant in case.applicants[1:]:
        suggest(case, policy, applicant.id)
    assert json.dumps(document(suggest(case, policy, case.applicants[0].id))) == first


def test_same_bytes_in_another_process() -> None:
    """Two processes with different hash seeds print the same bytes."""
    program = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from allocator.documents import read_case\n"
        "from allocator.explain import document\n"
        "from allocator.policy import Policy\n"
        "from allocator.scoring import suggest\n"
        "case = read_case(Path('fixtures/cases/demo-municipality.json').read_bytes())\n"
        "policy = Policy.from_toml(Path('fixtures/policies/default.toml').read_text())\n"
        "for applicant in case.applicants:\n"
        "    sys.stdout.write(json.dumps(document(suggest(case, policy, applicant.id))))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(outputs) == 1


# ------------------------------------------------------------------------------------------- readers


@FEWER
@given(CASES, st.randoms(use_true_random=False))
def test_third_party_silence(case: Snapshot, random: Random) -> None:
    """Whatever is true of others, a unit with the same verdict gets the same text for the applicant."""
    assume(case.applicants)
    applicant = case.applicants[0]
    other_world = _with_other_third_persons(case, applicant.id, random)
    one, other = (
        {
            s["unit"]: s
            for s in document(suggest(world, default_policy(), applicant.id, "reference"), Reader.APPLICANT)[
                "suggestions"
            ]
        }
        for world in (case, other_world)
    )
    assert one.keys() == other.keys()
    for unit, said in one.items():
        again = other[unit]
        if said["verdict"] == again["verdict"]:
            assert {**said, "rank": 0} == {**again, "rank": 0}


@FEWER
@given(CASES, st.sampled_from([Reader.STAFF, Reader.APPLICANT]))
def test_readers_who_are_not_cleared_never_see_a_better_verdict(case: Snapshot, reader: Reader) -> None:
    """What is hidden still counts: for no reader does a unit look better than it is."""
    for answer in answers(case, default_policy()):
        exact = {(e.assessment.applicant, e.assessment.unit): e.assessment.verdict for e in answer.ranked}
        for entry in release(answer, reader):
            assert entry.verdict >= exact[entry.assessment.applicant, entry.assessment.unit]


@FEWER
@given(CASES)
def test_ids_of_others_are_never_shown_to_an_applicant(case: Snapshot) -> None:
    """No id of another person, of a conflict, an order or a veto is in the applicant's document."""
    assume(case.applicants)
    own = case.applicants[0].id
    told = json.dumps(
        document(suggest(case, default_policy(), own, "reference"), Reader.APPLICANT)["suggestions"]
    )
    places = {own} | {i for s in case.schemes for i in (s.id, *(g.id for g in s.living_groups))}
    places |= {unit.id for s in case.schemes for unit in s.units}
    for name in sorted(_ids(case) - places):
        assert f'"{name}"' not in told
        assert f" {name} " not in told


# ------------------------------------------------------------------------------------------- helpers


@cache
def _default() -> dict[str, Any]:
    return tomllib.loads((ROOT / "fixtures/policies/default.toml").read_text(encoding="utf-8"))


def _as_broken(finding: Finding) -> Finding:
    points = finding.points + finding.could_cost
    return replace(finding, outcome=Outcome.BROKEN, points=points, could_cost=0)


def _bytes(case: Snapshot, applicant: str, reader: Reader) -> str:
    return json.dumps(document(suggest(case, default_policy(), applicant, "reference"), reader))


def _shuffle(items: list[str], random: Random) -> list[str]:
    random.shuffle(items)
    return items


def _shuffled(value: Any, random: Random) -> Any:
    if isinstance(value, dict):
        return {key: _shuffled(item, random) for key, item in value.items()}
    if isinstance(value, list):
        items = [_shuffled(item, random) for item in value]
        random.shuffle(items)
        return items
    return value


def _ids(case: Snapshot) -> set[str]:
    def collect(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("id"), str):
                yield value["id"]
            for item in value.values():
                yield from collect(item)
        elif isinstance(value, list):
            for item in value:
                yield from collect(item)

    return set(collect(case.model_dump(mode="json")))


_REFERENCES = frozenset(
    {"id", "unit", "living_group", "scheme", "applicant", "party", "counterpart", "bound", "protected"}
    | {"resides_as", "frequents", "forbidden_schemes"}
)


def _renamed(value: Any, names: dict[str, str], *, is_id: bool = False) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item, names, is_id=key in _REFERENCES) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names, is_id=is_id) for item in value]
    return names.get(value, value) if is_id and isinstance(value, str) else value


def _by_unit(answer: Suggestions, names: dict[str, str]) -> dict[str, tuple[object, ...]]:
    def named(identifier: str) -> str:
        return names.get(identifier, identifier)

    return {
        named(entry.assessment.unit): (
            entry.rank,
            entry.assessment.verdict,
            entry.assessment.score,
            entry.assessment.verdict_after_notice,
            sorted(
                (
                    f.rule.id,
                    f.outcome,
                    f.points,
                    sorted(map(named, f.about)),
                    sorted(map(str, f.facts.items())),
                )
                for f in entry.assessment.findings
            ),
        )
        for entry in answer.ranked
    }


def _forgetting_one_fact(case: Snapshot, random: Random) -> Snapshot | None:
    """Return the case with one fact about a person or a place forgotten, or None if nothing is known."""
    ways: list[Callable[[], Snapshot]] = []
    for part in ("applicants", "residents"):
        people = getattr(case, part)
        for index, person in enumerate(people):
            for name in type(person).model_fields:
                value = getattr(person, name)
                if isinstance(value, Assessed | ExpiringAssessment) and value.status is FactStatus.KNOWN:
                    unasked = type(value)(status=FactStatus.NOT_ASKED)
                    ways.append(_forget(case, part, index, name, unasked))
            if getattr(person, "wishes", None) is not None:
                ways.append(_forget(case, part, index, "wishes", None))
    for index, scheme in enumerate(case.schemes):
        ways.extend(
            _forget(case, "schemes", index, name, None)
            for name in ("kind", "entry_condition", "night_cover", "services", "measures", "visit_rule")
            if getattr(scheme, name) is not None
        )
    return random.choice(ways)() if ways else None


def _forget(case: Snapshot, part: str, index: int, name: str, value: object) -> Callable[[], Snapshot]:
    def forgotten() -> Snapshot:
        records = list(getattr(case, part))
        records[index] = records[index].model_copy(update={name: value})
        return case.model_copy(update={part: tuple(records)})

    return forgotten


def _with_other_third_persons(case: Snapshot, own: str, random: Random) -> Snapshot:
    """Return the case with facts of the residents exchanged, and other conflicts, orders and vetoes."""
    residents = list(case.residents)
    shuffled = residents[:]
    random.shuffle(shuffled)
    keep = {"id", "unit", "moved_in", "move_out"}
    exchanged = tuple(
        resident.model_copy(update={n: getattr(other, n) for n in type(other).model_fields if n not in keep})
        for resident, other in zip(residents, shuffled, strict=True)
    )
    others = tuple(a for a in case.applicants if a.id == own or random.random() < 0.5)
    known = {a.id for a in others} | {r.id for r in residents}

    def some(records: tuple[Any, ...], *people: str) -> tuple[Any, ...]:
        return tuple(
            record
            for record in records
            if random.random() < 0.5
            and all(getattr(record, name) is None or getattr(record, name) in known for name in people)
        )

    return case.model_copy(
        update={
            "residents": exchanged,
            "applicants": others,
            "conflicts": some(case.conflicts, "party", "counterpart"),
            "orders": some(case.orders, "bound", "protected"),
            "vetoes": some(case.vetoes, "applicant"),
        }
    )


def test_helpers_forget_and_exchange() -> None:
    """The helpers above do change something, so that the laws are about something."""
    case = town(3)
    forgotten = _forgetting_one_fact(case, Random(1))
    assert forgotten is not None
    assert forgotten != case
    other = _with_other_third_persons(case, case.applicants[0].id, Random(1))
    assert other.residents != case.residents
    assert Missing.NOT_ASKED in Missing
    assert case.as_of == date(2026, 11, 22)
