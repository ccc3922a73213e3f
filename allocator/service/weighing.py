"""What the engine says of a case in a unit, weighed against what somebody wants to decide.

Two readings are kept apart. What is *told* is what every member of the committee may read, in which what is
known of conflicts, orders and kode-6 people counts at the level of a zone. What is *exact* is for those who
are cleared. Whether facts have changed and whether a decision needs a reason of its own is settled by what is
told, so that neither a refusal nor the decision says more than its readers know. Only the bar is exact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from allocator import explain, scoring
from allocator.access.authorizer import reader
from allocator.casework.cases import Case
from allocator.casework.codes import Clearance
from allocator.casework.committee import Suggestion
from allocator.casework.records import Stored
from allocator.casework.snapshot import Register, build
from allocator.disclosure import Reader
from allocator.engines import Outcome
from allocator.facts import VOCABULARY
from allocator.ports import CorruptError
from allocator.rules import RULES_BY_ID
from allocator.rules.language import Effect
from allocator.service import suggestions
from allocator.service.errors import MovedOnError
from allocator.service.facts import Supposing, active_policy, policy_of, snapshot
from allocator.service.suggestions import Judged
from allocator.service.work import Work
from allocator.texts import Language

FREE = frozenset({"suitable", "suitable_with_remarks"})
"""Verdicts that nothing speaks against."""

_AGAINST = frozenset({"advised_against", "blocked"})
_STRONG = frozenset({"bar", "advise_against"})
_PASSING = frozenset({"days", "years"})
_TODAY = frozenset({"case.as_of", "applicant.needed_from"})  # the latter is today where nothing is said
TAKEN = "unit-available"
"""The rule that bars a unit that is taken: no bar for the second of two who share it."""

Entry = Mapping[str, Any]

Bars: TypeAlias = frozenset[tuple[str, tuple[str, ...]]]
"""What bars a unit: by which rule, and of whom."""


@dataclass(frozen=True)
class Weighed:
    """What is known of a case in a unit when somebody decides.

    Attributes:
        exact: What the engine says now, on all facts.
        told: What members may read of that.
        then: What the stored suggestion told members, if one is named.
        exact_then: What it said exactly.
        passed_over: A unit or an applicant that nothing speaks against stood before this one, now or then.
        cleared: The actor reads exactly.
        facts_at: How far the record had come.
        in_words: What is told, in every language that it can be read in.
    """

    exact: Judged
    told: Entry
    then: Entry | None
    exact_then: Entry | None
    passed_over: bool
    cleared: bool
    facts_at: int
    in_words: tuple[str, ...] = ()

    @property
    def told_sha256(self) -> str:
        """Hash of what members may read."""
        return gist(self.told)

    @property
    def judged_sha256(self) -> str:
        """Hash of what the engine says."""
        return gist(self.exact.entry)


@dataclass(frozen=True)
class Said:
    """What the decider says to it.

    Attributes:
        deviation: Why against the advice that members read.
        sealed_deviation: Why against what only the cleared read.
        stale_confirmed: Why though the facts have changed.
    """

    deviation: str | None
    sealed_deviation: str | None
    stale_confirmed: str | None


def weigh(
    work: Work,
    case: str,
    unit: str,
    suggestion: Stored[Suggestion] | None,
    supposing: Supposing | None = None,
) -> Weighed | None:
    """Ask the engine about a case in a unit; None if it has nothing to say of them."""
    exact = suggestions.judged(work, case, unit, supposing)
    guarded = bool(work.strict) and work.load(Case, case).body.person not in work.strict
    policy = policy_of(work, active_policy(work).body.content)
    answer = scoring.suggest(snapshot(work, guarded=guarded, supposing=supposing), policy, case)
    now = explain.document(answer, Reader.MEMBER, "nb")
    told = _entry(now, case, unit)
    if exact is None or told is None:
        return None
    then = exact_then = None
    passed_over = _passed_over(now, told)
    if suggestion is not None:
        stored = suggestions.answer_for(work, suggestion, Reader.MEMBER, "nb", guarded=guarded)
        then = _entry(stored, case, unit)
        exactly = suggestions.entry(work, suggestion, case, unit)
        exact_then = None if exactly is None else exactly.entry
        passed_over = passed_over or (then is not None and _passed_over(stored, then))
    return Weighed(
        exact=exact,
        told=told,
        then=then,
        exact_then=exact_then,
        passed_over=passed_over,
        cleared=is_cleared(work),
        facts_at=exact.facts_at,
        in_words=tuple(word for language in Language for word in _in_words(answer, language, unit)),
    )


def is_cleared(work: Work) -> bool:
    """Return whether the actor reads suggestions exactly."""
    exactly = reader(work.access, work.actor) is Reader.COMMITTEE
    return exactly and (Clearance.KODE_6 in work.actor.cleared or not work.strict)


def _entry(document: Entry, case: str, unit: str) -> Entry | None:
    found = (
        entry
        for entry in document["suggestions"]
        if entry["unit"] == unit and entry.get("applicant", case) == case
    )
    return next(found, None)


def _in_words(answer: scoring.Suggestions, language: str, unit: str) -> Iterable[str]:
    explainer = explain.Explainer(answer, Reader.MEMBER, language)
    for entry in explainer.released:
        if entry.assessment.unit == unit:
            yield explainer.summary(entry)
            yield from (explainer.sentence(shown) for shown in entry.findings)


def stored_entries(work: Work, suggestion: Stored[Suggestion], case: str) -> list[Entry]:
    """Return what a stored suggestion says of a case, as it is stored."""
    kept = work.tx.kept(suggestion.body.answer)
    if kept is None:
        raise CorruptError("a suggestion's answer is not there")
    return [e for e in orjson.loads(kept)["suggestions"] if e.get("applicant", case) == case]


def _passed_over(document: Entry, entry: Entry) -> bool:
    return any(e["rank"] < entry["rank"] and e["verdict"] in FREE for e in document["suggestions"])


def gist(entry: Entry) -> str:
    """Return the hash of what an answer says of one unit.

    Neither its place in the order nor its words count, nor how many days or years something has lasted:
    these change by themselves, and facts have not.
    """
    said = {
        "verdict": entry["verdict"],
        "findings": [
            {
                **{
                    key: found[key]
                    for key in ("rule", "outcome", "effect", "overridable", "about", "missing")
                },
                "facts": {path: value for path, value in found["facts"].items() if not passes(path)},
            }
            for found in entry["findings"]
        ],
    }
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def passes(path: str) -> bool:
    """Return whether what a fact says changes by itself, as time passes."""
    known = VOCABULARY.get(path.partition(":")[0])
    return path in _TODAY or (known is not None and known.unit in _PASSING)


# ------------------------------------------------------------------------------------------- deciding


def check(
    work: Work,
    weighed: Weighed | None,
    said: Said,
    *,
    crisis: bool = False,
    since: tuple[str, str] | None = None,
) -> None:
    """Refuse a decision that does not go with what the engine says, unless what it needs is said.

    Args:
        work: The work.
        weighed: What was worked out before the transaction.
        said: What the decider says to it.
        crisis: In a crisis much is unknown and there is nothing to choose from; only advice against counts.
        since: For a decision that was proposed before, the hashes of what was told and exact then.
    """
    if weighed is None:
        work.refuse("unit-not-available")
    if work.tx.head().facts_at != weighed.facts_at:
        raise MovedOnError
    check_told(work, weighed)
    if not said.stale_confirmed and is_stale(weighed, since):
        work.refuse("facts-changed")
    if not said.deviation and needs_deviation(weighed, crisis=crisis):
        work.refuse("deviation-needed")
    check_hidden(work, weighed)
    if weighed.cleared and not said.sealed_deviation and sealed_rules(weighed):
        work.refuse("sealed-deviation-needed")


def sealed_bars(work: Work, case: str, unit: str, records: Register) -> Bars:
    """Return what only the cleared read of what bars a unit: by which rule, and because of whom."""
    policy = policy_of(work, active_policy(work).body.content)
    answer = scoring.suggest(build(records, work.today), policy, case)
    (found,) = (entry.assessment for entry in answer.ranked if entry.assessment.unit == unit)
    return frozenset(
        (finding.rule.id, finding.about)
        for finding in found.findings
        if finding.outcome is Outcome.BROKEN
        and finding.rule.effect is Effect.BAR
        and _is_confidential(finding.rule.id)
    )


def check_shared(work: Work, weighed: Weighed | None) -> None:
    """Refuse what would bar the second of two in one unit (E-09): all but that the first has it already."""
    if weighed is None:
        work.refuse("unit-not-available")
    if work.tx.head().facts_at != weighed.facts_at:
        raise MovedOnError
    check_told(work, weighed, but=TAKEN)
    check_hidden(work, weighed, but=TAKEN)


def check_told(work: Work, weighed: Weighed, but: str | None = None) -> None:
    """Refuse a unit that is barred by what every member reads, but for one rule."""
    _check_bars(work, [bar for bar in _bars(weighed.told["findings"]) if bar["rule"] != but])


def check_hidden(work: Work, weighed: Weighed, but: str | None = None) -> None:
    """Refuse, in words that fit any cause, a unit that is barred by what the actor may not know."""
    if weighed.cleared:
        _check_bars(work, [bar for bar in _bars(weighed.exact.entry["findings"]) if bar["rule"] != but])
        return
    told = {bar["rule"] for bar in _bars(weighed.told["findings"])}
    hidden = [bar for bar in _bars(weighed.exact.entry["findings"]) if bar["rule"] not in told | {but}]
    if hidden:
        work.refuse("unit-not-available")


def needs_deviation(weighed: Weighed, *, crisis: bool = False) -> bool:
    """Return whether a decision needs a reason for going against what members read."""
    if crisis:
        return weighed.told["verdict"] in _AGAINST
    return weighed.told["verdict"] not in FREE or weighed.passed_over


def sealed_rules(weighed: Weighed) -> tuple[str, ...]:
    """Return the confidential rules that speak against the unit because of somebody."""
    against = _against(weighed.exact.entry["findings"])
    return tuple(sorted({f["rule"] for f in against if f["about"] and _is_confidential(f["rule"])}))


def told_rules(weighed: Weighed) -> tuple[str, ...]:
    """Return the rules that members read to speak against the unit."""
    return tuple(sorted({finding["rule"] for finding in _against(weighed.told["findings"])}))


def _against(findings: Iterable[Entry]) -> list[Entry]:
    return [f for f in findings if f["outcome"] != "kept" and f["effect"] in _STRONG]


def _bars(findings: Iterable[Entry]) -> list[Entry]:
    return [f for f in findings if f["outcome"] == "broken" and f["effect"] == "bar"]


def _is_confidential(rule: str) -> bool:
    known = RULES_BY_ID.get(rule)
    return known is not None and known.confidential


def _check_bars(work: Work, bars: Iterable[Entry]) -> None:
    """Refuse what nobody may overrule (REQ-HUM-6)."""
    for bar in bars:
        if not bar["overridable"]:
            work.refuse("bar-not-overridable", rule=bar["rule"])


def is_stale(weighed: Weighed, since: tuple[str, str] | None) -> bool:
    """Return whether what the actor reads has changed since the suggestion, or since it was proposed."""
    if since is not None:
        told, exact = since
        return told != weighed.told_sha256 or (weighed.cleared and exact != weighed.judged_sha256)
    if weighed.then is None or weighed.exact_then is None:
        return False
    return gist(weighed.then) != weighed.told_sha256 or (
        weighed.cleared and gist(weighed.exact_then) != weighed.judged_sha256
    )
