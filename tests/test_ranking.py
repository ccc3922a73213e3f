"""Quick rankings: what scoring says, for everything at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.engines import Outcome
from allocator.engines.reference import ReferenceEngine
from allocator.facts import CaseFacts, Range
from allocator.model import Applicant, Resident, Snapshot
from allocator.policy import Policy
from allocator.ranking import Ranking, Rankings
from allocator.rules.language import Any, AtLeast, Effect, conflict
from allocator.scoring import Assessment, Suggestions, Verdict, findings, shortlist, suggest
from fixtures.generator import municipality
from tests.strategies import default_policy, policies, snapshots


def _ids(assessment: Assessment, outcome: Outcome) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f.rule.id for f in assessment.findings if f.outcome is outcome))


def _lines(answer: Suggestions) -> list[tuple[object, ...]]:
    """Return what scoring says, as lines of a ranking."""
    return [
        (
            entry.assessment.applicant if answer.applicant is None else entry.assessment.unit,
            entry.rank,
            entry.assessment.verdict,
            entry.assessment.score,
            _ids(entry.assessment, Outcome.BROKEN),
            _ids(entry.assessment, Outcome.UNKNOWN),
        )
        for entry in answer.ranked
    ]


def _findings(answer: Suggestions) -> list[list[tuple[object, ...]]]:
    return [
        [
            (f.rule.id, f.outcome.value, f.points, f.could_cost, f.about)
            for f in entry.assessment.findings
            if f.outcome is not Outcome.KEPT
        ]
        for entry in answer.ranked
    ]


def _same(ranking: Ranking, answer: Suggestions) -> None:
    assert [tuple(row) for row in ranking.rows()] == _lines(answer)
    assert [[tuple(brief) for brief in briefs] for briefs in ranking.briefs()] == _findings(answer)
    written = json.loads(ranking.to_json(3))
    assert [(entry["id"], entry["verdict"], entry["score"]) for entry in written] == [
        (name, Verdict(verdict).code, score) for name, _, verdict, score, _, _ in ranking.rows(3)
    ]
    assert [
        [
            (f["rule"], f["outcome"], f["points"], f["could_cost"], tuple(f["about"]))
            for f in entry["findings"]
        ]
        for entry in written
    ] == _findings(answer)[:3]


@given(case=snapshots(), policy=policies())
def test_units_rank_as_scoring_ranks_them(case: Snapshot, policy: Policy) -> None:
    """For any facts and policy: the units, ranks, verdicts, scores and findings that scoring comes to."""
    rankings = Rankings(CaseFacts(case), policy)

    for applicant in case.applicants:
        answer = suggest(case, policy, applicant.id, "reference")
        for _ in range(2):  # the first question lays the applicant out; the second finds it there
            _same(rankings.units_for(applicant.id), answer)


@given(case=snapshots(), policy=policies())
def test_applicants_rank_as_scoring_ranks_them(case: Snapshot, policy: Policy) -> None:
    """For any facts and policy: the applicants, ranks, verdicts, scores and findings scoring comes to."""
    rankings = Rankings(CaseFacts(case), policy)

    for unit in sorted(rankings.facts.places):
        _same(rankings.applicants_for(unit), shortlist(case, policy, unit, "reference"))


@settings(max_examples=max(3, settings().max_examples // 20))
@given(seed=st.integers(0, 10**6), per_group=st.sampled_from((8, 3, 40)), policy=policies())
def test_municipalities_rank_as_scoring_ranks_them(seed: int, per_group: int, policy: Policy) -> None:
    """Whole invented municipalities rank alike, groups of any size among them."""
    case = municipality(seed, 120, residents_per_group=per_group, applicants=6)
    rankings = Rankings(CaseFacts(case), policy)

    for applicant in case.applicants:
        _same(rankings.units_for(applicant.id), suggest(case, policy, applicant.id, "reference"))
    for unit in sorted(rankings.facts.places)[::40]:
        _same(rankings.applicants_for(unit), shortlist(case, policy, unit, "reference"))


def test_findings_in_full_are_scorings() -> None:
    """Findings in full carry the same facts as scoring's, whoever is looked at."""
    case = municipality(5, 120, applicants=4)
    rankings = Rankings(CaseFacts(case), default_policy())
    applicant = case.applicants[0].id
    ranking = rankings.units_for(applicant)

    for entry in suggest(case, default_policy(), applicant, "reference").ranked:
        found = ranking.findings(entry.assessment.unit)
        assert found == entry.assessment.findings
        assert [dict(f.facts) for f in found] == [dict(f.facts) for f in entry.assessment.findings]
    assert ranking.all_findings(3) == [ranking.findings(name) for name in ranking.ids[:3]]
    with pytest.raises(KeyError):
        ranking.findings("nowhere")


def _same_everywhere(rankings: Rankings, fresh: Rankings, applicants: Sequence[str]) -> None:
    for applicant in applicants:
        one, other = rankings.units_for(applicant), fresh.units_for(applicant)
        assert one.rows() == other.rows()
        assert one.briefs() == other.briefs()


@settings(max_examples=max(20, settings().max_examples // 2))
@given(case=snapshots(), data=st.data())
def test_one_fact_changes_in_place(case: Snapshot, data: st.DataObject) -> None:
    """After one person's facts have changed, columns say what they would if they were laid out anew."""
    rankings = Rankings(CaseFacts(case), default_policy())
    names = [applicant.id for applicant in case.applicants]
    _same_everywhere(rankings, Rankings(CaseFacts(case), default_policy()), names)
    for _ in range(3):
        people: list[Applicant | Resident] = [
            *case.applicants,
            *(r for r in case.residents if case.lives_here(r)),
        ]
        if not people:
            return
        one, other = data.draw(st.sampled_from(people)), data.draw(st.sampled_from(people))
        taken = {name: getattr(other, name) for name in ("gender", "birth_date", "heavy_use", "rop", "risk")}
        changed = one.model_copy(update=taken)
        rankings.update(changed)
        kind = "residents" if isinstance(changed, Resident) else "applicants"
        records = tuple(changed if r.id == changed.id else r for r in getattr(case, kind))
        case = case.model_copy(update={kind: records})

        _same_everywhere(rankings, Rankings(CaseFacts(case), default_policy()), names)


def test_a_move_is_no_change_in_place() -> None:
    """Who moves changes the groups, so the case must be read anew; the columns are as they were."""
    case = municipality(5, 60, applicants=2)
    rankings = Rankings(CaseFacts(case), default_policy())
    before = rankings.units_for(case.applicants[0].id).rows()
    resident = next(r for r in case.residents if case.lives_here(r))
    gone = resident.model_copy(update={"move_out": case.as_of - timedelta(days=1)})

    with pytest.raises(ValueError, match="moving"):
        rankings.update(gone)
    with pytest.raises(ValueError, match="resides_as"):
        rankings.update(case.applicants[0].model_copy(update={"resides_as": resident.id}))
    with pytest.raises(KeyError):
        rankings.update(resident.model_copy(update={"id": "nobody"}))
    assert rankings.units_for(case.applicants[0].id).rows() == before


def test_chosen_units_alone_are_ranked() -> None:
    """A ranking of chosen units holds these, lived in or not, and says so when there is no such unit."""
    case = municipality(5, 60, applicants=2)
    facts = CaseFacts(case)
    chosen = sorted(facts.places)[:7]

    assert sorted(Rankings(facts, default_policy(), chosen).units_for(case.applicants[0].id).ids) == chosen
    with pytest.raises(KeyError):
        Rankings(facts, default_policy(), ["nowhere"])
    assert Rankings(facts, default_policy(), []).units_for(case.applicants[0].id).rows() == []


def test_nobody_asked_about_is_said() -> None:
    """Unknown ids are a `KeyError`."""
    rankings = Rankings(CaseFacts(municipality(5, 20, applicants=1)), default_policy())

    with pytest.raises(KeyError):
        rankings.units_for("nobody")
    with pytest.raises(KeyError):
        rankings.applicants_for("nowhere")


@settings(max_examples=max(20, settings().max_examples // 2))
@given(case=snapshots(), percent=st.sampled_from((None, 50)))
def test_points_shared_among_persons_of_a_list_are_divided_alike(case: Snapshot, percent: int | None) -> None:
    """Rules about conflicts, orders and objections may share their points too, or count them."""
    counted = AtLeast("entries", Range.CONFLICT, ~conflict.confirmed, 1, percent)
    rules = tuple(
        replace(
            bound,
            effect=Effect.WEIGH,
            points=7,
            rule=replace(bound.rule, shared_points=True),
            broken_when=Any((bound.broken_when, counted)),
        )
        if bound.rule.about in (Range.CONFLICT, Range.ORDER, Range.VETO)
        else bound
        for bound in default_policy().active(case.as_of)
    )
    policy = Policy(default_policy().document.model_dump(mode="json"))
    with mock.patch.object(Policy, "active", return_value=rules):
        rankings = Rankings(CaseFacts(case), policy)
        for applicant in case.applicants:
            ranking = rankings.units_for(applicant.id)
            candidates = [rankings.facts.candidate(applicant.id, unit) for unit in ranking.ids]
            judged = ReferenceEngine(rules).judge(candidates)
            expected = [
                findings(candidate, rules, judgement)
                for candidate, judgement in zip(candidates, judged, strict=True)
            ]

            assert ranking.scores.tolist() == [100 + sum(f.points for f in found) for found in expected]
            assert [[tuple(brief) for brief in briefs] for briefs in ranking.briefs()] == [
                [
                    (f.rule.id, f.outcome.value, f.points, f.could_cost, f.about)
                    for f in found
                    if f.outcome is not Outcome.KEPT
                ]
                for found in expected
            ]
