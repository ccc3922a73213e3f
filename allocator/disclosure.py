"""Need to know: what each reader may see of an answer. Applied here, once, before any sentence is written.

* The *committee* (cleared) sees everything.
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

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from allocator.engines import Outcome
from allocator.facts import Range
from allocator.rules.language import Effect, Public
from allocator.scoring import (
    Assessment,
    Finding,
    Suggestions,
    Verdict,
    verdict_of,
    zone_assessments,
    zone_verdicts,
)


class Reader(StrEnum):
    """Who reads."""

    COMMITTEE = "committee"
    STAFF = "staff"
    APPLICANT = "applicant"


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
        assessment: Whose ids are shown; its findings are for cleared readers only.
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
    show = _for_staff if reader is Reader.STAFF else _for_applicant
    verdicts, restricted = _coarse_verdicts(answer)
    released = [
        show(answer, entry.assessment, verdicts[i], restricted=restricted[i])
        for i, entry in enumerate(answer.ranked)
    ]
    return _ranked(answer, released)


def _open(assessment: Assessment) -> tuple[Finding, ...]:
    """Return the findings that say nothing of conflicts or orders, beyond that nobody has asked."""
    return tuple(
        finding
        for finding in assessment.findings
        if not finding.rule.rule.confidential or (finding.outcome is Outcome.UNKNOWN and not finding.about)
    )


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
    """Rank by verdict alone: points would tell of others. Inside a rank the listing means nothing."""
    waiting = {a.id: a.waiting_since.isoformat() for a in answer.case.applicants}
    listing: Callable[[Released], tuple[str, ...]] = (
        (lambda r: (r.assessment.unit,))
        if answer.applicant is not None
        else (lambda r: (waiting[r.assessment.applicant], r.assessment.applicant))
    )
    ordered = sorted(released, key=lambda r: (r.verdict, *listing(r)))
    better: Mapping[Verdict, int] = {
        verdict: sum(r.verdict < verdict for r in released) for verdict in Verdict
    }
    return tuple(replace(r, rank=better[r.verdict] + 1) for r in ordered)


_PRACTICAL = frozenset({Public.DWELLING, Public.SERVICES, Public.AVAILABILITY, Public.AGREEMENT})
"""What scheme staff need to know in full to do their work."""


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
