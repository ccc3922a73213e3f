"""From outcomes to findings, verdicts, points and ranks; and from there to suggestions.

* A *finding* is one rule's outcome for one person (or for the unit). One finding per rule and person, so
  that one resident's clash never hides what is unknown of another.
* The *verdict* of a unit is the worst that any finding gives it. Points never change a verdict, so a bar is
  never bought off.
* The *score* is 100 plus the points of all findings, exactly. An unknown costs nothing and says what it
  could cost.
* *Rank* goes by verdict, then score; ties share a rank. Inside a rank the listing is by id, which means
  nothing (applicants for a unit: by days waited first).

Everything here is a pure function of facts and policy: no clock, no locale, whole numbers only.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import IntEnum
from functools import cached_property
from operator import itemgetter

from allocator.codes import (
    UnitStatus,
)
from allocator.engines import Engine, Judgement, Outcome
from allocator.engines.reference import World, support
from allocator.engines.registry import ENGINES, engine
from allocator.facts import LIST_KNOWN_BY, Candidate, CaseFacts, Item, Missing, Range, Reading, Zone
from allocator.model import (
    Snapshot,
)
from allocator.policy import BoundRule, Policy, Warned
from allocator.rules.language import Effect

BASE_SCORE = 100
"""The score of a unit that costs nothing."""


class Verdict(IntEnum):
    """What a unit comes to for an applicant; a higher number is worse."""

    SUITABLE = 0
    SUITABLE_WITH_REMARKS = 1
    NEEDS_CLARIFICATION = 2
    ADVISED_AGAINST = 3
    BLOCKED = 4

    @property
    def code(self) -> str:
        """The name used in documents."""
        return self.name.lower()


BROKEN_GIVES = {
    Effect.BAR: Verdict.BLOCKED,
    Effect.ADVISE_AGAINST: Verdict.ADVISED_AGAINST,
    Effect.WEIGH: Verdict.SUITABLE_WITH_REMARKS,
    Effect.NOTE: Verdict.SUITABLE,
}
"""The verdict that a broken rule of each effect gives."""

UNKNOWN_GIVES = {
    Effect.BAR: Verdict.NEEDS_CLARIFICATION,
    Effect.ADVISE_AGAINST: Verdict.NEEDS_CLARIFICATION,
    Effect.WEIGH: Verdict.SUITABLE_WITH_REMARKS,
    Effect.NOTE: Verdict.SUITABLE,
}
"""The verdict that a rule of each effect gives while nobody knows whether it is broken."""


@dataclass(frozen=True)
class Finding:
    """What one rule found for one person, or for the unit.

    Attributes:
        rule: The rule, with the policy's values.
        outcome: Kept, broken or unknown.
        points: What it costs now, zero or less.
        could_cost: What it would cost if an unknown turned out broken, zero or less.
        about: Ids of whom or what it concerns; empty if only the applicant and the unit.
        evidence: What the rule was read against, once for each entry about this person that came out so.
        told: Facts that are given where nothing was read: that a list is whole, or that nobody knows.
        remark: Whether the rule's remark applies.
    """

    rule: BoundRule
    outcome: Outcome
    points: int
    could_cost: int
    about: tuple[str, ...]
    evidence: tuple[World, ...] = field(default=(), compare=False, repr=False)
    told: Mapping[str, Reading] = field(default_factory=dict, compare=False, repr=False)
    remark: bool = False

    @cached_property
    def facts(self) -> Mapping[str, Reading]:
        """The facts that decided, and the other known ones that were read; a missing one has its reason.

        Put together only when asked for, since most findings are never looked at.
        """
        parts = [_read(self.rule, world) for world in self.evidence]
        facts: dict[str, Reading] = dict(self.told)
        for part in sorted(parts, key=_canonical) if len(parts) > 1 else parts:
            facts = {**part, **facts}
        return dict(sorted(facts.items()))

    @property
    def verdict(self) -> Verdict:
        """The verdict that this finding alone gives the unit."""
        if self.outcome is Outcome.KEPT:
            return Verdict.SUITABLE
        return (BROKEN_GIVES if self.outcome is Outcome.BROKEN else UNKNOWN_GIVES)[self.rule.effect]

    @property
    def overridable(self) -> bool:
        """Whether a committee may decide against it."""
        return self.rule.overridable

    @property
    def missing(self) -> Mapping[str, Missing]:
        """The facts that are unknown, with the reason."""
        return {path: value for path, value in self.facts.items() if isinstance(value, Missing)}

    @property
    def confidential(self) -> bool:
        """Whether only cleared readers may learn of it.

        That nobody has asked about conflicts is no secret; what an entry says is.
        """
        return self.rule.rule.confidential and bool(self.about)

    @property
    def open(self) -> bool:
        """Whether it says nothing of conflicts or orders, beyond that nobody has asked.

        That there is none here is not open: it would tell where there is one.
        """
        return not self.rule.rule.confidential or (self.outcome is Outcome.UNKNOWN and not self.about)

    def treated_as_kept(self) -> Finding:
        """Return the finding as it would be if the rule were kept."""
        return replace(self, outcome=Outcome.KEPT, points=0, could_cost=0)


@dataclass(frozen=True)
class Assessment:
    """All findings for one applicant in one unit.

    Attributes:
        applicant: Who.
        unit: Where.
        living_group: The unit's living group.
        scheme: The unit's scheme.
        findings: What every rule found.
        verdict_after_notice: The verdict when those who have given notice are gone.
        open_after_notice: The same, as the open findings alone will give it.
        notice_ends: The last day of the last of them.
    """

    applicant: str
    unit: str
    living_group: str
    scheme: str
    findings: tuple[Finding, ...]
    verdict_after_notice: Verdict | None = None
    open_after_notice: Verdict | None = None
    notice_ends: date | None = None

    @cached_property
    def verdict(self) -> Verdict:
        """The worst that any finding gives."""
        return verdict_of(self.findings)

    @cached_property
    def score(self) -> int:
        """100 plus the points of all findings, never clamped."""
        return BASE_SCORE + sum(finding.points for finding in self.findings)

    @cached_property
    def score_at_worst(self) -> int:
        """The score if everything unknown turned out broken."""
        return self.score + sum(finding.could_cost for finding in self.findings)

    @cached_property
    def reasons(self) -> tuple[Finding, ...]:
        """The findings that moved the verdict: each alone gives it, and without all of them it is better."""
        if self.verdict is Verdict.SUITABLE:
            return ()
        return tuple(finding for finding in self.findings if finding.verdict is self.verdict)

    @property
    def changes(self) -> tuple[Finding, ...]:
        """What would have to change for the unit to be suitable: all of it, and nothing else."""
        return tuple(finding for finding in self.findings if finding.verdict is not Verdict.SUITABLE)

    def opened(self) -> Assessment:
        """Return the assessment as it would be if there were no conflicts and no orders to find."""
        return replace(
            self,
            findings=tuple(finding for finding in self.findings if finding.open),
            verdict_after_notice=self.open_after_notice,
        )


@dataclass(frozen=True)
class Ranked:
    """An assessment with its place; those with the same place are equal."""

    rank: int
    assessment: Assessment


@dataclass(frozen=True)
class NoOption:
    """For an applicant whom everything excludes: what closes, and what would open.

    Attributes:
        closed_by: Rule id and the number of units it closes, most first.
        unit: A unit that the fewest decisions would open; None if nothing can be lifted anywhere.
        to_lift: The bars, advice and objections on that unit that a committee may decide against.
    """

    closed_by: tuple[tuple[str, int], ...]
    unit: str | None
    to_lift: tuple[Finding, ...]


@dataclass(frozen=True)
class Suggestions:
    """An answer to a question, with everything it rests on."""

    facts: CaseFacts
    policy: Policy
    engine: str
    engine_version: str
    applicant: str | None
    unit: str | None
    ranked: tuple[Ranked, ...]
    warnings: tuple[Warned, ...]
    no_option: NoOption | None

    @property
    def case(self) -> Snapshot:
        """The snapshot it was asked of."""
        return self.facts.case

    @property
    def residents_in(self) -> Mapping[str, int]:
        """How many live in each living group."""
        return self.facts.residents_in

    @property
    def as_of(self) -> date:
        """The day the facts are read at."""
        return self.case.as_of


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """Return the worst verdict that any finding gives."""
    return max((finding.verdict for finding in findings), default=Verdict.SUITABLE)


# ------------------------------------------------------------------------------------- asking


DEFAULT_ENGINE = next(iter(ENGINES))
"""The engine of record."""


def suggest(case: Snapshot, policy: Policy, applicant: str, engine_name: str = DEFAULT_ENGINE) -> Suggestions:
    """Rank the units that are not lived in for an applicant.

    Units that are reserved, under repair or given notice on are listed, so that nobody wonders where they
    went; the rules say that they are not free.

    Raises:
        KeyError: There is no such applicant or engine.
    """
    facts = CaseFacts(case)
    if applicant not in facts.applicants:
        raise KeyError(applicant)
    open_units = [
        unit_id
        for unit_id, place in sorted(facts.places.items())
        if place.unit.status is not UnitStatus.OCCUPIED
    ]
    assessments = _assess(facts, policy, engine_name, [(applicant, unit_id) for unit_id in open_units])
    ranked = _rank(assessments, lambda a: (a.unit,))
    return _answer(facts, policy, engine_name, ranked, applicant=applicant, unit=None)


def shortlist(case: Snapshot, policy: Policy, unit: str, engine_name: str = DEFAULT_ENGINE) -> Suggestions:
    """Rank the applicants for a unit; inside a rank, who has waited longest is listed first.

    Raises:
        KeyError: There is no such unit or engine.
    """
    facts = CaseFacts(case)
    if unit not in facts.places:
        raise KeyError(unit)
    assessments = _assess(facts, policy, engine_name, [(name, unit) for name in sorted(facts.applicants)])
    ranked = _rank(
        assessments, lambda a: (facts.applicants[a.applicant].waiting_since.isoformat(), a.applicant)
    )
    return _answer(facts, policy, engine_name, ranked, applicant=None, unit=unit)


def together(case: Snapshot, policy: Policy, scheme: str, engine_name: str = DEFAULT_ENGINE) -> Suggestions:
    """Assess those applicants who live in a scheme, each in their own home.

    What the rules find of each of them beside the others is the advice that they break among themselves. To
    ask it of everybody who lives there, let each be an applicant in *case*, with `resides_as`. An advice on
    the mix is not found of two who share a home: they have chosen it themselves (E-09).

    Raises:
        KeyError: There is no such scheme or engine.
    """
    facts = CaseFacts(case)
    if scheme not in {place.scheme.id for place in facts.places.values()}:
        raise KeyError(scheme)
    homes = {resident.id: resident.unit for resident in case.residents if case.lives_here(resident)}
    lived_in = {
        applicant.id: homes[applicant.resides_as]
        for applicant in case.applicants
        if applicant.resides_as in homes and facts.places[homes[applicant.resides_as]].scheme.id == scheme
    }
    assessments = [
        _apart(assessment, homes)
        for assessment in _assess(facts, policy, engine_name, sorted(lived_in.items()))
    ]
    ranked = _rank(assessments, lambda a: (a.unit, a.applicant))
    return _answer(facts, policy, engine_name, ranked, applicant=None, unit=None)


def _apart(assessment: Assessment, homes: Mapping[str, str]) -> Assessment:
    """Return an assessment without what the resident mix comes to with those in the same unit."""
    kept = tuple(
        finding
        for finding in assessment.findings
        if finding.rule.rule.about is not Range.RESIDENT
        or not finding.about
        or homes.get(finding.about[0]) != assessment.unit
    )
    return replace(assessment, findings=kept)


def _answer(
    facts: CaseFacts,
    policy: Policy,
    engine_name: str,
    ranked: tuple[Ranked, ...],
    *,
    applicant: str | None,
    unit: str | None,
) -> Suggestions:
    used = engine(engine_name, policy, facts.as_of)
    return Suggestions(
        facts=facts,
        policy=policy,
        engine=used.name,
        engine_version=used.version,
        applicant=applicant,
        unit=unit,
        ranked=ranked,
        warnings=policy.warnings(facts.as_of),
        no_option=None if applicant is None else what_closes(ranked),
    )


def _assess(
    facts: CaseFacts, policy: Policy, engine_name: str, pairs: Sequence[tuple[str, str]]
) -> list[Assessment]:
    used = engine(engine_name, policy, facts.as_of)
    rules = policy.active(facts.as_of)
    candidates = [facts.candidate(*pair) for pair in pairs]
    judgements = used.judge(candidates)
    assessments = [
        _assessment(candidate, rules, judgement)
        for candidate, judgement in zip(candidates, judgements, strict=True)
    ]
    return _after_notice(facts, used, rules, assessments)


def zone_verdicts(answer: Suggestions) -> Mapping[tuple[str, str], tuple[str, Verdict]]:
    """Return, per applicant and unit, the zone and what confidential rules come to in all of it.

    Whoever of the zone a conflict or an order is about, the answer is the same.
    """
    facts, policy = answer.facts, answer.policy
    used = engine(answer.engine, policy, facts.as_of)
    rules = policy.active(facts.as_of)
    candidates = [
        facts.candidate(a.applicant, a.unit, _zone(answer, a))
        for a in (entry.assessment for entry in answer.ranked)
    ]
    verdicts = {}
    for candidate, judgement in zip(candidates, used.judge(candidates), strict=True):
        assert candidate.zone is not None
        secret = (f for f in _assessment(candidate, rules, judgement).findings if f.confidential)
        key = (candidate.applicant.id, candidate.place.unit.id)
        verdicts[key] = (candidate.zone.name, verdict_of(secret))
    return verdicts


def _zone(answer: Suggestions, assessment: Assessment) -> Zone:
    """Return the zone of an assessment's unit; an applicant who lives there does not count."""
    own = answer.facts.applicants[assessment.applicant].resides_as is not None
    return answer.facts.zone(assessment.living_group, answer.policy.k_anonymity + own)


def zone_assessments(answer: Suggestions, assessment: Assessment) -> list[Assessment]:
    """Return the applicant's assessments of every unit of the zone that is not lived in."""
    groups = _zone(answer, assessment).groups
    pairs = [
        (assessment.applicant, unit_id)
        for unit_id, place in sorted(answer.facts.places.items())
        if place.group.id in groups and place.unit.status is not UnitStatus.OCCUPIED
    ]
    return _assess(answer.facts, answer.policy, answer.engine, pairs)


def _after_notice(
    facts: CaseFacts, used: Engine, rules: tuple[BoundRule, ...], assessments: list[Assessment]
) -> list[Assessment]:
    """Add the verdict as it will be when those who have given notice are gone (E-11)."""
    leaving = facts.leavers
    affected = [a for a in assessments if a.living_group in leaving]
    if not affected:
        return assessments
    gone = frozenset(resident.id for leavers in leaving.values() for resident in leavers)
    later = CaseFacts(facts.case, gone)
    candidates = [later.candidate(a.applicant, a.unit) for a in affected]
    then = {
        (c.applicant.id, c.place.unit.id): _assessment(c, rules, judgement)
        for c, judgement in zip(candidates, used.judge(candidates), strict=True)
    }
    return [
        replace(
            a,
            verdict_after_notice=then[a.applicant, a.unit].verdict,
            open_after_notice=then[a.applicant, a.unit].opened().verdict,
            notice_ends=leaving[a.living_group][-1].move_out,
        )
        if (a.applicant, a.unit) in then
        else a
        for a in assessments
    ]


def _rank(
    assessments: list[Assessment], listing: Callable[[Assessment], tuple[str, ...]]
) -> tuple[Ranked, ...]:
    def worth(a: Assessment) -> tuple[int, int]:
        return (a.verdict, -a.score)

    ordered = sorted(assessments, key=lambda a: (*worth(a), *listing(a)))
    ranked: list[Ranked] = []
    for place, assessment in enumerate(ordered, start=1):
        tied = ranked and worth(ranked[-1].assessment) == worth(assessment)
        ranked.append(Ranked(ranked[-1].rank if tied else place, assessment))
    return tuple(ranked)


def what_closes(ranked: tuple[Ranked, ...]) -> NoOption | None:
    """Return what closes everything, or None if something is open (E-23)."""
    if any(entry.assessment.verdict < Verdict.ADVISED_AGAINST for entry in ranked):
        return None
    closing: Counter[str] = Counter()
    ways: list[tuple[int, int, str, tuple[Finding, ...]]] = []
    for place, entry in enumerate(ranked):
        shut = tuple(f for f in entry.assessment.findings if f.verdict >= Verdict.ADVISED_AGAINST)
        closing.update({finding.rule.id for finding in shut})
        if all(finding.overridable for finding in shut):
            ways.append((len(shut), place, entry.assessment.unit, shut))
    closed_by = tuple(sorted(closing.items(), key=lambda item: (-item[1], item[0])))
    if not ways:
        return NoOption(closed_by, None, ())
    _, _, unit, to_lift = min(ways, key=lambda way: way[:2])
    return NoOption(closed_by, unit, to_lift)


# ---------------------------------------------------------------------------------- findings


def _assessment(candidate: Candidate, rules: tuple[BoundRule, ...], judgement: Judgement) -> Assessment:
    place = candidate.place
    return Assessment(
        applicant=candidate.applicant.id,
        unit=place.unit.id,
        living_group=place.group.id,
        scheme=place.scheme.id,
        findings=findings(candidate, rules, judgement),
    )


def findings(candidate: Candidate, rules: tuple[BoundRule, ...], judgement: Judgement) -> tuple[Finding, ...]:
    """Return one finding per rule and person, rules in the order of the rulebook."""
    common = World.of(candidate)
    worlds = common.members()
    found: list[Finding] = []
    for bound in rules:
        members = candidate.items(bound.rule.about)
        remark = judgement.remarks.get(bound.id, False)
        cost = cost_of(bound, len({item.about for item in members}))
        by_person: dict[tuple[str, ...], list[tuple[Outcome, Item, World]]] = {}
        outcomes = judgement.outcomes[bound.id]
        for item, world, outcome in zip(members, worlds[bound.rule.about], outcomes, strict=True):
            by_person.setdefault(item.about, []).append((outcome, item, world))
        of_rule = [
            _finding(bound, about, entries, cost=cost, remark=remark) for about, entries in by_person.items()
        ]
        of_rule.extend(_about_nobody(bound, common, members, cost))
        found.extend(finding for _, finding in sorted(of_rule, key=itemgetter(0)))
    return tuple(found)


_SEVERITY = {Outcome.BROKEN: 0, Outcome.UNKNOWN: 1, Outcome.KEPT: 2}


_Place = tuple[int, tuple[str, ...], tuple[str, ...]]
"""Where a finding is listed among those of its rule: by outcome, by what is known, and only then by id."""


def _finding(
    bound: BoundRule,
    about: tuple[str, ...],
    entries: list[tuple[Outcome, Item, World]],
    *,
    cost: int,
    remark: bool,
) -> tuple[_Place, Finding]:
    """Return the finding about one person: the worst outcome of the entries about them."""
    worst = min((outcome for outcome, _, _ in entries), key=_SEVERITY.__getitem__)
    place = (_SEVERITY[worst], tuple(sorted(item.content for _, item, _ in entries)), about)
    return place, Finding(
        rule=bound,
        outcome=worst,
        points=-cost if worst is Outcome.BROKEN else 0,
        could_cost=-cost if worst is Outcome.UNKNOWN else 0,
        about=about,
        evidence=tuple(world for outcome, _, world in entries if outcome is worst),
        remark=remark and worst is Outcome.BROKEN,
    )


def _read(bound: BoundRule, world: World) -> dict[str, Reading]:
    """Return the facts that decided, and the other known facts that the rule reads of the same member.

    Of a set of codes only those that decided are told.
    """
    known = {
        path: value
        for path in bound.own_paths
        if not isinstance(value := world.facts.get(path, Missing.NOT_RECORDED), Missing)
    }
    return known | support(bound.broken_when, world)


def _about_nobody(
    bound: BoundRule, common: World, members: tuple[Item, ...], cost: int
) -> Iterable[tuple[_Place, Finding]]:
    """Yield what is to be said when a list is empty, or when nobody knows whether it is whole."""
    known_by = LIST_KNOWN_BY.get(bound.rule.about)
    whole = common.facts.get(known_by) if known_by is not None else True
    if isinstance(whole, Missing):
        assert known_by is not None
        told = {known_by: whole}
        unknown = Finding(bound, Outcome.UNKNOWN, points=0, could_cost=-cost, about=(), told=told)
        yield (_SEVERITY[Outcome.UNKNOWN], (), ()), unknown
    elif not members:
        facts = {} if known_by is None or whole is None else {known_by: whole}
        yield (
            (_SEVERITY[Outcome.KEPT], (), ()),
            Finding(bound, Outcome.KEPT, points=0, could_cost=0, about=(), told=facts),
        )


def cost_of(bound: BoundRule, members: int) -> int:
    """Return what one broken finding costs; shared points are divided and rounded up."""
    if bound.effect is not Effect.WEIGH:
        return 0
    if bound.rule.shared_points and members:
        return -(-bound.points // members)
    return bound.points


def _canonical(facts: Mapping[str, Reading]) -> str:
    return json.dumps({k: str(v) for k, v in facts.items()}, sort_keys=True)
