"""Whole municipalities under several policies: what the country looks like, without looking at anyone.

A municipality is judged by a dataframe plan (:mod:`allocator.engines.dataframe`), one row for each applicant
and unit, with the verdict, the score and the rank that :mod:`allocator.scoring` would give. What is told of
it is how many pairs come to each verdict. A number that few applicants stand behind is held back, and so is
one that tells few apart when policies are compared; this is done where the municipality is judged, so that
nothing else leaves it.

Quick and unexplained: no suggestion is made here, and the engine of record is not asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, reduce
from operator import add, or_
from typing import Any

import narwhals as nw

from allocator.codes import UnitStatus
from allocator.engines.dataframe import (
    APPLICANT,
    UNIT,
    Columns,
    Frame,
    Frames,
    Make,
    Plan,
    broken,
    maker,
    persons,
    unknown,
    unlisted,
)
from allocator.facts import LIST_KNOWN_BY, CaseFacts, Place, Range
from allocator.model import Snapshot
from allocator.policy import BoundRule, Policy
from allocator.scoring import BASE_SCORE, BROKEN_GIVES, UNKNOWN_GIVES, Verdict, cost_of

VERDICT, SCORE, SCORE_AT_WORST, RANK = "verdict", "score", "score_at_worst", "rank"

BACKEND = "pyarrow"
"""The engine that a municipality is judged with: the fastest of those that Dask brings along."""

Load = Callable[[], Snapshot]


@dataclass(frozen=True)
class Municipal:
    """A municipality to judge.

    Attributes:
        name: What it is called in the answer; never anything about a person.
        load: Gives its snapshot, there where it is judged.
    """

    name: str
    load: Load


@dataclass(frozen=True)
class Pair:
    """One applicant in one unit. Only for readers who are cleared.

    Attributes:
        applicant: Id of the applicant.
        unit: Id of the unit.
        verdict: The verdict.
        score: 100 plus the points of all findings.
        score_at_worst: The score if everything unknown turned out broken.
        rank: The unit's place among the applicant's units.
        broken: Ids of the rules that are broken, in the order of the rulebook.
        unknown: Ids of the rules of which something is unknown, in the order of the rulebook.
    """

    applicant: str
    unit: str
    verdict: Verdict
    score: int
    score_at_worst: int
    rank: int
    broken: tuple[str, ...]
    unknown: tuple[str, ...]


# ------------------------------------------------------------------------------------------ judging


def open_for_choice(place: Place) -> bool:
    """Return whether nobody lives in a unit; these are the units that suggestions rank."""
    return place.unit.status is not UnitStatus.OCCUPIED


def judged(plan: Plan, frames: Frames) -> Frame:
    """Return the outcomes of a plan with verdict, score and rank, in no order.

    A rule's unknown findings include the one that is about nobody: that its list may not be whole.
    """
    frame = plan.outcomes(frames)
    costs = [(bound, _cost(bound, frames)) for bound in plan.rules]
    for over in Range:
        frame = _with_costs(frame, over, costs, frames)
    frame = frame.with_columns(*(_unknowns(bound).alias(unknown(bound)) for bound in plan.rules))
    score = _points(costs, broken, nw.lit(BASE_SCORE))
    frame = frame.with_columns(
        _verdict(plan.rules).alias(VERDICT),
        score.alias(SCORE),
        _points(costs, unknown, score).alias(SCORE_AT_WORST),
    )
    return _ranked(frame)


Costs = Sequence[tuple[BoundRule, list[int]]]
"""Each rule with what one broken finding costs, by how many persons the rule is about."""


def _cost(bound: BoundRule, frames: Frames) -> list[int]:
    if bound.rule.about is Range.UNIT:
        return [cost_of(bound, 1)]
    return [cost_of(bound, members) for members in range(frames.most[bound.rule.about] + 1)]


def _cost_column(bound: BoundRule) -> str:
    return f"cost__{bound.id.replace('-', '_')}"


def _varies(cost: list[int]) -> bool:
    return len(set(cost)) > 1


def _with_costs(frame: Frame, over: Range, costs: Costs, frames: Frames) -> Frame:
    shared = [(bound, cost) for bound, cost in costs if bound.rule.about is over and _varies(cost)]
    if not shared:
        return frame
    columns: Columns = {persons(over): list(range(frames.most[over] + 1))}
    columns |= {_cost_column(bound): cost for bound, cost in shared}
    return frame.join(frames.make(columns), on=persons(over), how="inner")


def _points(costs: Costs, of: Callable[[BoundRule], str], start: nw.Expr) -> nw.Expr:
    for bound, cost in costs:
        if _varies(cost):
            start -= nw.col(of(bound)) * nw.col(_cost_column(bound))
        elif cost[0]:
            start -= nw.col(of(bound)) * cost[0]
    return start


def _unknowns(bound: BoundRule) -> nw.Expr:
    of_members = nw.col(unknown(bound))
    over = bound.rule.about
    return of_members + nw.col(unlisted(over)) if over in LIST_KNOWN_BY else of_members


def _verdict(rules: Iterable[BoundRule]) -> nw.Expr:
    """Return the worst verdict that any finding gives."""
    gives: dict[Verdict, list[nw.Expr]] = {}
    for bound in rules:
        gives.setdefault(BROKEN_GIVES[bound.effect], []).append(nw.col(broken(bound)))
        gives.setdefault(UNKNOWN_GIVES[bound.effect], []).append(nw.col(unknown(bound)))
    worst = nw.lit(int(Verdict.SUITABLE))
    for verdict in sorted(set(gives) - {Verdict.SUITABLE}):
        worst = nw.when(reduce(add, gives[verdict]) > 0).then(nw.lit(int(verdict))).otherwise(worst)
    return worst.cast(nw.Int64)


def _ranked(frame: Frame) -> Frame:
    """Return *frame* with each unit's place among the applicant's: by verdict, then score; ties share one.

    Counted over the few different worths that an applicant's units have, since not every engine can rank.
    """
    worth = [APPLICANT, VERDICT, SCORE]
    levels = frame.group_by(*worth).agg(nw.len().alias("alike"))
    others = levels.rename({VERDICT: "other_verdict", SCORE: "other_score", "alike": "better"})
    before = (nw.col("other_verdict") < nw.col(VERDICT)) | (
        (nw.col("other_verdict") == nw.col(VERDICT)) & (nw.col("other_score") > nw.col(SCORE))
    )
    places = (
        levels.select(*worth)
        .join(others, on=APPLICANT, how="inner")
        .with_columns(nw.when(before).then(nw.col("better")).otherwise(nw.lit(0)).alias(RANK))
        .group_by(*worth)
        .agg(nw.col(RANK).sum())
        .with_columns((nw.col(RANK) + 1).cast(nw.Int64))
    )
    return frame.join(places, on=worth, how="inner")


def pairs(
    case: Snapshot,
    policy: Policy,
    make: Make | None = None,
    wanted: Callable[[Place], bool] = open_for_choice,
) -> tuple[Pair, ...]:
    """Judge every applicant in every unit that is wanted, by id.

    Args:
        case: The snapshot.
        policy: The policy.
        make: What makes tables.
        wanted: Which units; by default those that suggestions rank.

    Raises:
        EngineError: A rule or a fact does not fit the plan.
    """
    plan = Plan(policy.active(case.as_of))
    frames = Frames.of(CaseFacts(case), plan.reads, make or maker(BACKEND), wanted)
    return _pairs(plan, frames, judged(plan, frames))


def _pairs(plan: Plan, frames: Frames, frame: Frame) -> tuple[Pair, ...]:
    if not (frames.applicants and frames.units):
        return ()
    own = [APPLICANT, UNIT, VERDICT, SCORE, SCORE_AT_WORST, RANK]
    signs = [of(bound) for of in (broken, unknown) for bound in plan.rules]
    columns = frame.select(*own, *signs).collect().to_dict(as_series=False)
    ids = [bound.id for bound in plan.rules]
    rows = sorted(zip(*(columns[name] for name in (*own, *signs)), strict=True))
    return tuple(
        Pair(
            frames.applicants[applicant],
            frames.units[unit],
            Verdict(verdict),
            score,
            at_worst,
            rank,
            _named(ids, counts[: len(ids)]),
            _named(ids, counts[len(ids) :]),
        )
        for applicant, unit, verdict, score, at_worst, rank, *counts in rows
    )


def _named(ids: list[str], counts: list[int]) -> tuple[str, ...]:
    return tuple(name for name, count in zip(ids, counts, strict=True) if count)


# ------------------------------------------------------------------------------------------ telling

Behind = Mapping[Verdict, Mapping[int, int]]
"""How many pairs come to a verdict, by the applicant behind them."""

Told = Mapping[Verdict, int | None]
"""How many pairs come to each verdict; None where that is held back."""


def told(variants: Sequence[Behind], applicants: int, k: int) -> tuple[Told, ...]:
    """Return what may be told of one municipality under several policies.

    Held back is a number that fewer than *k* applicants stand behind; one by which a policy differs from an
    earlier one for fewer than *k*; and more of the same row, smallest first, until what is held back cannot
    be had from the rest. Of fewer than *k* applicants nothing is told.

    Args:
        variants: One for each policy.
        applicants: How many applicants there are.
        k: Smallest number of applicants.
    """
    if applicants < k:
        return tuple(dict.fromkeys(Verdict) for _ in variants)
    held: list[set[Verdict]] = []
    for number, behind in enumerate(variants):
        few = {verdict for verdict in Verdict if 0 < len(behind[verdict]) < k}
        for earlier, its in zip(variants[:number], held, strict=True):
            few |= {v for v in Verdict if v not in its and 0 < _moved(earlier[v], behind[v]) < k}
        held.append(_with_cover(few, behind, k))
    return tuple(
        {v: None if v in few else sum(behind[v].values()) for v in Verdict}
        for behind, few in zip(variants, held, strict=True)
    )


def _moved(one: Mapping[int, int], other: Mapping[int, int]) -> int:
    """Return for how many applicants two numbers of pairs differ."""
    return sum(one.get(a, 0) != other.get(a, 0) for a in one.keys() | other.keys())


def _with_cover(few: set[Verdict], behind: Behind, k: int) -> set[Verdict]:
    """Return *few* with so many others that neither one of them nor all together tell of few."""
    held = set(few)
    while held and (len(held) == 1 or len(reduce(or_, (set(behind[v]) for v in held))) < k):
        left = [v for v in Verdict if v not in held]
        if not left:
            break
        held.add(min(left, key=lambda v: (not behind[v], len(behind[v]), v)))
    return held


@dataclass(frozen=True)
class Answer:
    """What is told of one municipality: for each policy numbers, and pairs if they were asked for."""

    told: tuple[Told, ...]
    pairs: tuple[tuple[Pair, ...], ...] | None


def judge(
    case: Snapshot,
    policies: Sequence[Policy],
    *,
    everything: bool = False,
    keep_pairs: bool = False,
    make: Make | None = None,
) -> Answer:
    """Judge a municipality under each policy.

    Args:
        case: The snapshot.
        policies: The policies; a number is held back by the strictest of their limits.
        everything: Look at all units, also at those that somebody lives in.
        keep_pairs: Give the pairs too.
        make: What makes tables.

    Raises:
        EngineError: A rule or a fact does not fit the plan.
    """
    plans = [_plan(policy, case.as_of) for policy in policies]
    reads = frozenset[str]().union(*(plan.reads for plan in plans))
    wanted = (lambda _place: True) if everything else open_for_choice
    frames = Frames.of(CaseFacts(case), reads, make or maker(BACKEND), wanted)
    frames_of = [judged(plan, frames) for plan in plans]
    variants = [_behind(frames, frame) for frame in frames_of]
    k = max(policy.k_anonymity for policy in policies)
    kept = (
        tuple(_pairs(plan, frames, frame) for plan, frame in zip(plans, frames_of, strict=True))
        if keep_pairs
        else None
    )
    return Answer(told(variants, len(case.applicants), k), kept)


@lru_cache(maxsize=64)
def _plan(policy: Policy, as_of: date) -> Plan:
    return Plan(policy.active(as_of))


def _behind(frames: Frames, frame: Frame) -> Behind:
    behind: dict[Verdict, dict[int, int]] = {verdict: {} for verdict in Verdict}
    if frames.applicants and frames.units:
        counts = frame.group_by(APPLICANT, VERDICT).agg(nw.len().alias("pairs")).collect()
        for applicant, verdict, number in counts.select(APPLICANT, VERDICT, "pairs").iter_rows():
            behind[Verdict(verdict)][int(applicant)] = int(number)
    return behind


@dataclass(frozen=True)
class National:
    """What is told of the country.

    Attributes:
        policies: Name, version and hash of each policy.
        municipalities: Name and answer, in the order asked.
        failed: Name of each municipality that could not be judged, and what kind of error it was.
    """

    policies: tuple[tuple[str, str, str], ...]
    municipalities: tuple[tuple[str, Answer], ...]
    failed: tuple[tuple[str, str], ...]

    def document(self) -> dict[str, Any]:
        """Return it as a document of plain values; sums are of what is told and of nothing else."""
        return {
            "policies": [
                {
                    "name": name,
                    "version": version,
                    "sha256": sha256,
                    "told": {
                        verdict.code: {
                            "pairs": sum(
                                n for _, answer in self.municipalities if (n := answer.told[i][verdict])
                            ),
                            "municipalities": sum(
                                answer.told[i][verdict] is not None for _, answer in self.municipalities
                            ),
                        }
                        for verdict in Verdict
                    },
                    "municipalities": {
                        municipality: {v.code: answer.told[i][v] for v in Verdict}
                        for municipality, answer in self.municipalities
                    },
                }
                for i, (name, version, sha256) in enumerate(self.policies)
            ],
            "failed": [{"municipality": name, "error": kind} for name, kind in self.failed],
        }

    def to_bytes(self) -> bytes:
        """Return the document as JSON: the same bytes for the same question."""
        return json.dumps(self.document(), ensure_ascii=False, indent=2).encode() + b"\n"
