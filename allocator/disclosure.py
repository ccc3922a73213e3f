"""Need to know: what each reader may see of an answer. Applied here, once, before any sentence is written.

* The *committee* (cleared) sees everything.
* A *member* of it who is not cleared, its secretary or a caseworker sees the same but for what confidential
  rules come to: of that, no more than scheme staff.
* *Scheme staff* see what concerns their work: dwelling, services, dates. Of the resident mix they see that
  a rule needs looking at, not about whom; in a small group not even which rule.
* The *applicant* sees their own facts and public reason codes. What they are shown is a function of the
  verdict and of findings that depend on nobody else, so it says the same whatever is true of third persons,
  given the same verdict (REQ-FVL-2).

Redacting words is not enough. Where one person lives in a house, *conflict* names them, and so does a list
that lacks one house. For readers who are not cleared a conflict or an order therefore counts at the level of
its *zone*: the smallest of living group, scheme and municipality where at least k people live. All units of
the zone then get the same verdict and place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from allocator.engines import Outcome
from allocator.facts import Range
from allocator.rules.language import Effect, Public
from allocator.scoring import (
    Assessment,
    Finding,
    NoOption,
    Ranked,
    Suggestions,
    Verdict,
    verdict_of,
    what_closes,
    zone_assessments,
    zone_verdicts,
)


class Reader(StrEnum):
    """Who reads."""

    COMMITTEE = "committee"
    MEMBER = "member"
    STAFF = "staff"
    APPLICANT = "applicant"

    @property
    def decides(self) -> bool:
        """Whether they take part in deciding: they see facts, points, and what would have to change."""
        return self in (Reader.COMMITTEE, Reader.MEMBER)


class Level(StrEnum):
    """How much of a finding is shown.

    `FULL`: everything. `TOPIC`: which rule and what it came to, no facts and nobody. `ENVIRONMENT`: that the
    living environment counts, not even which rule.
    """

    FULL = "full"
    TOPIC = "topic"
    ENVIRONMENT = "environment"


@dataclass(frozen=True)
class Shown:
    """A finding as a reader may see it."""

    finding: Finding
    level: Level


@dataclass(frozen=True)
class Released:
    """An assessment as a reader may see it.

    Attributes:
        rank: Place for this reader.
        assessment: Whose ids are shown. For those who decide it holds what they may see and nothing else; for
            others its findings, points and verdicts are not to be used.
        verdict: For this reader.
        scored: Whether points may be shown.
        findings: What may be shown of the findings.
        environment: The verdict also rests on something that this reader is not told.
        restricted: Nothing but the verdict may be shown.
    """

    rank: int
    assessment: Assessment
    verdict: Verdict
    scored: bool
    findings: tuple[Shown, ...]
    environment: bool = False
    restricted: bool = False


def release(answer: Suggestions, reader: Reader) -> tuple[Released, ...]:
    """Return the answer as *reader* may see it, in the order they may see it."""
    if reader is Reader.COMMITTEE:
        return tuple(
            Released(
                rank=entry.rank,
                assessment=entry.assessment,
                verdict=entry.assessment.verdict,
                scored=True,
                findings=tuple(Shown(finding, Level.FULL) for finding in entry.assessment.findings),
            )
            for entry in answer.ranked
        )
    show = {
        Reader.MEMBER: _for_member,
        Reader.STAFF: _for_staff,
        Reader.APPLICANT: _for_applicant,
    }[reader]
    verdicts, restricted = _coarse_verdicts(answer)
    released = [
        show(answer, entry.assessment, verdicts[i], restricted=restricted[i])
        for i, entry in enumerate(answer.ranked)
    ]
    return _ranked(answer, released)


def released_no_option(
    answer: Suggestions, reader: Reader, released: tuple[Released, ...]
) -> NoOption | None:
    """Return what closes everything, and what would open a unit, as far as *reader* may know.

    Where a restricted entry is among them nothing can be said: a count would lack it, and so might the unit
    that the fewest decisions open.
    """
    if reader is Reader.COMMITTEE:
        return answer.no_option
    if answer.applicant is None or not reader.decides or any(entry.restricted for entry in released):
        return None
    return what_closes(tuple(Ranked(entry.rank, entry.assessment) for entry in released))


def _open(assessment: Assessment) -> tuple[Finding, ...]:
    """Return the findings that say nothing of conflicts or orders, beyond that nobody has asked."""
    return assessment.opened().findings


def _coarse_verdicts(answer: Suggestions) -> tuple[list[Verdict], list[bool]]:
    """Return for each assessment the verdict an uncleared reader sees, and whether a zone gave it."""
    secret = zone_verdicts(answer)
    open_verdicts = [verdict_of(_open(entry.assessment)) for entry in answer.ranked]
    worst: dict[tuple[str, str], Verdict] = {}
    for entry, verdict in zip(answer.ranked, open_verdicts, strict=True):
        zone, hidden = secret[entry.assessment.applicant, entry.assessment.unit]
        key = (entry.assessment.applicant, zone)
        around = Verdict.SUITABLE
        if answer.unit is not None and hidden > Verdict.SUITABLE:
            others = zone_assessments(answer, entry.assessment)
            around = max((verdict_of(_open(a)) for a in others), default=around)
        worst[key] = max(worst.get(key, Verdict.SUITABLE), verdict, hidden, around)
    verdicts, restricted = [], []
    for entry, verdict in zip(answer.ranked, open_verdicts, strict=True):
        zone, hidden = secret[entry.assessment.applicant, entry.assessment.unit]
        is_restricted = hidden > Verdict.SUITABLE
        restricted.append(is_restricted)
        verdicts.append(worst[entry.assessment.applicant, zone] if is_restricted else verdict)
    return verdicts, restricted


def _ranked(answer: Suggestions, released: list[Released]) -> tuple[Released, ...]:
    """Rank by verdict, and by points where they may be shown: elsewhere they would tell of others.

    Restricted entries come last of their verdict and share a rank: where they stood between the others would
    say what they cost. Inside a rank the listing means nothing.
    """
    waiting = {a.id: a.waiting_since.isoformat() for a in answer.case.applicants}
    listing: Callable[[Released], tuple[str, ...]] = (
        (lambda r: (r.assessment.unit,))
        if answer.applicant is not None
        else (lambda r: (waiting[r.assessment.applicant], r.assessment.applicant))
    )
    ordered = sorted(released, key=lambda r: (*_worth(r), *listing(r)))
    first: dict[tuple[int, ...], int] = {}
    for place, entry in enumerate(ordered, start=1):
        first.setdefault(_worth(entry), place)
    return tuple(replace(entry, rank=first[_worth(entry)]) for entry in ordered)


def _worth(entry: Released) -> tuple[int, ...]:
    return (entry.verdict, not entry.scored, -entry.assessment.score if entry.scored else 0)


_PRACTICAL = frozenset({Public.DWELLING, Public.SERVICES, Public.AVAILABILITY, Public.AGREEMENT})
"""What scheme staff need to know in full to do their work."""


def _for_member(
    _answer: Suggestions, assessment: Assessment, verdict: Verdict, *, restricted: bool
) -> Released:
    """Return all that does not come of conflicts and orders; of a restricted entry the verdict alone.

    The assessment itself is replaced, so that points, reasons and what will be after notice can only be of
    what is shown.
    """
    told = assessment.opened()
    if restricted:
        told = replace(told, findings=(), verdict_after_notice=None, notice_ends=None)
    return Released(
        rank=0,
        assessment=told,
        verdict=verdict,
        scored=not restricted,
        findings=tuple(Shown(finding, Level.FULL) for finding in told.findings),
        restricted=restricted,
    )


def _for_staff(
    answer: Suggestions, assessment: Assessment, verdict: Verdict, *, restricted: bool
) -> Released:
    shown: list[Shown] = []
    if not restricted:
        applicant = answer.facts.applicants[assessment.applicant]
        others = answer.facts.residents(applicant, answer.facts.places[assessment.unit].group)
        small = len(others) < answer.policy.k_anonymity
        by_rule: dict[str, Finding] = {}
        for finding in _open(assessment):
            rule = finding.rule.rule
            if rule.about is Range.VETO or (not rule.reads_others and rule.public in _PRACTICAL):
                shown.append(Shown(finding, Level.FULL))
            elif not rule.reads_others or (not finding.about and rule.confidential):
                if finding.rule.effect is not Effect.NOTE:
                    shown.append(Shown(finding, Level.TOPIC))
            else:
                known = by_rule.get(rule.id)
                if known is None or finding.verdict > known.verdict:
                    by_rule[rule.id] = finding
        mix = list(by_rule.values())
        if small:
            troubling = [finding for finding in mix if finding.outcome is not Outcome.KEPT]
            if troubling:
                worst = max(troubling, key=lambda finding: finding.verdict)
                shown.append(Shown(worst, Level.ENVIRONMENT))
        else:
            shown.extend(Shown(finding, Level.TOPIC) for finding in mix)
    return Released(
        rank=0,
        assessment=assessment,
        verdict=verdict,
        scored=False,
        findings=tuple(shown),
        restricted=restricted,
    )


def _for_applicant(
    _answer: Suggestions, assessment: Assessment, verdict: Verdict, *, restricted: bool
) -> Released:
    del restricted  # an applicant cannot be told a restriction from any other reason
    own = tuple(
        finding
        for finding in assessment.findings
        if not finding.rule.rule.reads_others
        and finding.rule.rule.public is not Public.LIVING_ENVIRONMENT
        and finding.verdict is not Verdict.SUITABLE
    )
    return Released(
        rank=0,
        assessment=assessment,
        verdict=verdict,
        scored=False,
        findings=tuple(Shown(finding, Level.FULL) for finding in own),
        environment=verdict > verdict_of(own),
    )


# ------------------------------------------------------------------------------------- those who live there


@dataclass(frozen=True)
class Mutual:
    """What a rule finds among those who live in a living group, as a reader may see it.

    Attributes:
        group: The living group.
        of: Who stands in the applicant's place, by the id of a resident; None where nobody is named.
        shown: The finding.
    """

    group: str
    of: str | None
    shown: Shown


def release_mutual(answer: Suggestions, reader: Reader) -> tuple[Mutual, ...]:
    """Return what rules find among those who live together, as *reader* may see it.

    A conflict does not count at the level of a zone here: where each of two is restricted, the two are
    named. So whoever is not cleared is told of what is open and of that alone; scheme staff of each rule
    once, about nobody; an applicant of nothing.

    Args:
        answer: The answer of `scoring.together`.
        reader: Who reads.
    """
    if reader is Reader.APPLICANT:
        return ()
    living = frozenset((*answer.facts.places, *(resident.id for resident in answer.case.residents)))
    found = [
        Mutual(a.living_group, answer.facts.person(a.applicant), Shown(finding, Level.FULL))
        for a in (entry.assessment for entry in answer.ranked)
        for finding in a.findings
        if _rests_on(living, finding) and (reader is Reader.COMMITTEE or finding.open)
    ]
    return tuple(found) if reader.decides else tuple(_in_general(answer, found))


def _rests_on(living: frozenset[str], finding: Finding) -> bool:
    """Return whether a finding rests on others who live there, and not on visitors or objections."""
    rule = finding.rule.rule
    return rule.reads_others and rule.about is not Range.VETO and living.issuperset(finding.about)


def _in_general(answer: Suggestions, found: list[Mutual]) -> Iterator[Mutual]:
    """Yield the worst of each rule in a living group; in a small one, only that there is something."""
    worst: dict[str, dict[str, Finding]] = {}
    for mutual in found:
        finding = mutual.shown.finding
        if finding.rule.rule.confidential:
            continue
        of_group = worst.setdefault(mutual.group, {})
        known = of_group.get(finding.rule.id)
        if known is None or finding.verdict > known.verdict:
            of_group[finding.rule.id] = finding
    for group, of_group in worst.items():
        if answer.residents_in[group] >= answer.policy.k_anonymity:
            yield from (Mutual(group, None, Shown(finding, Level.TOPIC)) for finding in of_group.values())
            continue
        troubling = [finding for finding in of_group.values() if finding.outcome is not Outcome.KEPT]
        if troubling:
            gravest = max(troubling, key=lambda finding: finding.verdict)
            yield Mutual(group, None, Shown(gravest, Level.ENVIRONMENT))
