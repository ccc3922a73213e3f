"""Suggestions: asked for by a person, decided by the engine of record, stored with all they rest on.

The engine works on the facts as they were read; if they have changed before the answer is stored, it is asked
again. What is stored can be replayed to the same bytes, and is never changed. Each reader gets the answer as
they may see it, put together from the stored facts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Self

import orjson
from pydantic import model_validator
from pydantic_core import PydanticCustomError

from allocator import explain, scoring
from allocator.casework.cases import Case
from allocator.casework.codes import CaseState
from allocator.casework.committee import Rested, Suggestion
from allocator.casework.housing import Unit
from allocator.casework.records import Kind, Link, Stored
from allocator.casework.snapshot import snapshot_bytes
from allocator.disclosure import Level, Reader, release
from allocator.documents import read_case
from allocator.engines import Outcome
from allocator.facts import Missing
from allocator.model import Id, Snapshot
from allocator.policy import Policy
from allocator.ports import CorruptError
from allocator.service import clarifications
from allocator.service.errors import MovedOnError
from allocator.service.facts import Supposing, active_policy, policy_of, read_policy, snapshot
from allocator.service.uses import Command, UseCase, creates
from allocator.service.work import Work

_BEFORE = frozenset({CaseState.ASSISTANCE_ASSESSED, CaseState.WAITING_LIST})


class MakeSuggestion(Command):
    """Rank the units for a case, or the applicants for a unit."""

    case: Id | None = None
    unit: Id | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.case is None) is (self.unit is None):
            raise PydanticCustomError("veto_scope", "either `case` or `unit`")
        return self


@dataclass(frozen=True)
class _Prepared:
    """An answer that is not stored yet."""

    facts_at: int
    policy: str
    used: Policy
    facts: bytes
    facts_sha256: str
    answer: scoring.Suggestions
    document: bytes
    guarded_facts: bytes | None
    guarded_document: bytes | None
    broken: tuple[str, ...]


def _asked(case: Snapshot, policy: Policy, asked: MakeSuggestion | Suggestion) -> scoring.Suggestions:
    if asked.case is not None:
        return scoring.suggest(case, policy, asked.case)
    assert asked.unit is not None
    return scoring.shortlist(case, policy, asked.unit)


def _written(answer: scoring.Suggestions) -> bytes:
    return orjson.dumps(explain.document(answer, Reader.COMMITTEE, "nb"))


def _prepare(work: Work, asked: MakeSuggestion, _target: None) -> _Prepared:
    """Read the facts and let the engine decide."""
    _allow(work, asked)
    stored = active_policy(work)
    policy = policy_of(work, stored.body.content)
    facts = snapshot(work)
    if asked.case is not None and asked.case not in {a.id for a in facts.applicants}:
        work.refuse("case-ended")
    answer = _asked(facts, policy, asked)
    guarded_facts = guarded_document = None
    read_by_all = answer
    if _apart(work, asked):
        guarded = snapshot(work, guarded=True)
        guarded_facts = snapshot_bytes(guarded)
        read_by_all = _asked(guarded, policy, asked)
        guarded_document = _written(read_by_all)
    return _Prepared(
        facts_at=work.tx.head().facts_at,
        policy=stored.body.content,
        used=policy,
        facts=snapshot_bytes(facts),
        facts_sha256=explain.facts_sha256(facts),
        answer=answer,
        document=_written(answer),
        guarded_facts=guarded_facts,
        guarded_document=guarded_document,
        broken=_broken(read_by_all),
    )


def _broken(answer: scoring.Suggestions) -> tuple[str, ...]:
    """Return the rules that are broken somewhere in an answer, as every member reads it."""
    shown = (one for entry in release(answer, Reader.MEMBER) for one in entry.findings)
    broken = {
        one.finding.rule.id
        for one in shown
        if one.level is Level.FULL and one.finding.outcome is Outcome.BROKEN
    }
    return tuple(sorted(broken))


def _allow(work: Work, asked: MakeSuggestion) -> None:
    if asked.case is not None:
        work.allow_with(work.named(Case, asked.case, "/case"))
    else:
        assert asked.unit is not None
        work.allow_with(work.named(Unit, asked.unit, "/unit"))


def make(work: Work, asked: MakeSuggestion) -> Stored[Suggestion]:
    """Ask the engine which units fit a case, or which applicants fit a unit, and store the answer."""
    prepared: _Prepared = work.prepared
    if work.tx.head().facts_at != prepared.facts_at:
        raise MovedOnError
    _allow(work, asked)
    keep = work.tx.keep
    guarded_facts, guarded_answer = prepared.guarded_facts, prepared.guarded_document
    stored = work.create(
        Suggestion(
            case=asked.case,
            unit=asked.unit,
            as_of=prepared.answer.as_of,
            policy=prepared.policy,
            policy_sha256=prepared.used.sha256,
            facts=keep(prepared.facts),
            facts_sha256=prepared.facts_sha256,
            answer=keep(prepared.document),
            guarded_facts=None if guarded_facts is None else keep(guarded_facts),
            guarded_answer=None if guarded_answer is None else keep(guarded_answer),
            engine=prepared.answer.engine,
            engine_version=prepared.answer.engine_version,
            broken=prepared.broken,
            facts_at=prepared.facts_at,
            made_on=work.today,
        )
    )
    for name in sorted({entry.assessment.applicant for entry in prepared.answer.ranked}):
        clarifications.needed(work, name, _missing(work, prepared.answer, name))
    if asked.case is not None:
        case = work.load(Case, asked.case)
        if case.body.state in _BEFORE:
            work.change(case, state=CaseState.SUGGESTED)
    return stored


# ------------------------------------------------------------------------------- what an answer rests on


def _subject(work: Work, path: str, about: tuple[str, ...], a: scoring.Assessment) -> str | None:
    """Return the id of the person or place that a fact is about; None where that is not to be told.

    What conflicts and orders say is for the cleared, and so is that they were read.
    """
    match path.partition(".")[0]:
        case "applicant" | "choice":
            return work.load(Case, a.applicant).body.person
        case "resident":
            name = about[0] if about else None
            return None if name is None or name in work.strict else name
        case "unit":
            return a.unit
        case "group":
            return a.living_group
        case "scheme":
            return a.scheme
        case _:
            return None


Lacking = tuple[str, str, Missing]
"""A fact that is missing: whose, which, and why."""


def _missing(
    work: Work, answer: scoring.Suggestions, applicant: str, unit: str | None = None
) -> list[Lacking]:
    """Return the facts that are missing where they matter: in units that are not barred, or in one."""
    found: dict[tuple[str, str], Missing] = {}
    for entry in answer.ranked:
        a = entry.assessment
        passed = a.verdict is scoring.Verdict.BLOCKED if unit is None else a.unit != unit
        if a.applicant != applicant or passed:
            continue
        for finding in a.findings:
            if finding.outcome is not Outcome.UNKNOWN:
                continue
            for path, why in finding.missing.items():
                of = _subject(work, path, finding.about, a)
                if of is not None:
                    found.setdefault((of, path), why)
    return [(of, path, why) for (of, path), why in sorted(found.items())]


@dataclass(frozen=True)
class Judged:
    """What the engine says of one applicant in one unit.

    Attributes:
        entry: As the cleared committee reads it, in bokmål.
        sha256: Hash of it, without the place in the order: other units do not change it.
        verdict: The verdict's code.
        facts_at: How far the record had come when the facts were read.
        rests_on: The facts that were read and that may be told of.
        better: Units that stand before it, which nothing advises against.
        missing: The facts that could not be read, as far as they may be told of.
        hidden: Facts of kode-6 people moved the verdict: it is another for who is not cleared.
    """

    entry: Mapping[str, Any]
    sha256: str
    verdict: str
    facts_at: int
    rests_on: tuple[Rested, ...]
    better: tuple[str, ...]
    hidden: bool = False
    missing: tuple[Lacking, ...] = ()


def entry_sha256(entry: Mapping[str, Any]) -> str:
    """Return the hash of what an answer says of one unit, wherever it stands in the order."""
    said = {key: value for key, value in entry.items() if key != "rank"}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


_FREE = frozenset({"suitable", "suitable_with_remarks"})


def _judged(
    document: Mapping[str, Any], case: str, unit: str, facts_at: int, rests_on: Iterable[Rested] = ()
) -> Judged | None:
    entries = [{**e, "applicant": e.get("applicant", case)} for e in document["suggestions"]]
    found = [e for e in entries if e["unit"] == unit and e["applicant"] == case]
    if not found:
        return None
    entry = found[0]
    before = (e["unit"] for e in entries if e["applicant"] == case and e["rank"] < entry["rank"])
    better = tuple(u for u in before if any(e["unit"] == u and e["verdict"] in _FREE for e in entries))
    return Judged(entry, entry_sha256(entry), entry["verdict"], facts_at, tuple(rests_on), better)


def judged(work: Work, case: str, unit: str, supposing: Supposing | None = None) -> Judged | None:
    """Return what the engine says now of a case in a unit; None if the unit is not open to be asked about.

    It is asked on all facts, those of kode-6 people included.
    """
    policy = policy_of(work, active_policy(work).body.content)
    records = snapshot(work, supposing=supposing)
    answer = scoring.suggest(records, policy, case)
    rested: set[tuple[str, str]] = set()
    for ranked in answer.ranked:
        if ranked.assessment.unit != unit:
            continue
        for finding in ranked.assessment.findings:
            for path in finding.facts:
                of = _subject(work, path, finding.about, ranked.assessment)
                if of is not None:
                    rested.add((of, path))
    document = orjson.loads(_written(answer))
    found = _judged(
        document,
        case,
        unit,
        work.tx.head().facts_at,
        (Rested(of=of, path=path) for of, path in sorted(rested)),
    )
    if found is None:
        return None
    found = replace(found, missing=tuple(_missing(work, answer, case, unit)))
    if not work.strict:
        return found
    guarded = snapshot(work, guarded=True, supposing=supposing)
    if case not in {a.id for a in guarded.applicants}:
        return found
    other = _judged(
        orjson.loads(_written(scoring.suggest(guarded, policy, case))), case, unit, found.facts_at
    )
    moved = other is None or other.verdict != found.verdict
    return replace(found, hidden=moved)


def entry(
    work: Work, suggestion: Stored[Suggestion], case: str, unit: str, *, exact: bool = True
) -> Judged | None:
    """Return what a stored suggestion said of a case in a unit; None if it said nothing of it.

    With *exact* as the cleared committee reads it, otherwise as every member does.
    """
    if exact:
        document = _kept(work, suggestion.body.answer)
    else:
        document = answer_for(work, suggestion, Reader.MEMBER, "nb", guarded=True)
    return _judged(document, case, unit, suggestion.body.facts_at)


def _kept(work: Work, sha256: str) -> dict[str, Any]:
    found = work.tx.kept(sha256)
    if found is None:
        raise CorruptError("a suggestion's answer is not there")
    content: dict[str, Any] = orjson.loads(found)
    return content


# -------------------------------------------------------------------------------------------- reading


def _sources(work: Work, suggestion: Suggestion, *, guarded: bool) -> tuple[bytes, bytes]:
    """Return the facts and the policy that a suggestion was made of."""
    name = suggestion.guarded_facts if guarded and suggestion.guarded_facts else suggestion.facts
    facts, policy = work.tx.kept(name), work.tx.kept(suggestion.policy)
    if facts is None or policy is None:
        raise CorruptError("what a suggestion was made of is not there")
    return facts, policy


@lru_cache(maxsize=64)
def _read_again(facts: bytes, policy: bytes, asked: MakeSuggestion, reader: Reader, language: str) -> bytes:
    answer = _asked(read_case(facts), read_policy(policy), asked)
    return orjson.dumps(explain.document(answer, reader, language))


def answer_for(
    work: Work,
    suggestion: Stored[Suggestion],
    reader: Reader,
    language: str,
    *,
    guarded: bool,
    schemes: frozenset[str] | None = None,
    without: Collection[str] = (),
) -> dict[str, Any]:
    """Return a stored suggestion's answer as one reader may see it.

    Args:
        work: The work.
        suggestion: The suggestion.
        reader: Who reads.
        language: ``nb``, ``nn`` or ``en``.
        guarded: Say nothing of kode-6 people.
        schemes: Only units of these schemes, for those who are heard about them.
        without: Cases that the reader is shut out of.
    """
    body = suggestion.body
    facts, policy = _sources(work, body, guarded=guarded)
    apart = guarded and body.guarded_facts is not None
    asked = MakeSuggestion(case=body.case, unit=body.unit)
    read_as = released_as(reader, apart=apart)
    return _only(_read_again(facts, policy, asked, read_as, language), schemes, without)


def answer_now(
    work: Work,
    asked: MakeSuggestion,
    reader: Reader,
    language: str,
    *,
    guarded: bool,
    schemes: frozenset[str] | None = None,
    without: Collection[str] = (),
) -> dict[str, Any] | None:
    """Return what a suggestion would say to one reader if it were made now; None if it cannot be asked for.

    For the arguments see `answer_for`.
    """
    apart = guarded and _apart(work, asked)
    facts = snapshot(work, guarded=apart)
    policy = work.tx.kept(active_policy(work).body.content)
    if policy is None:
        raise CorruptError("a policy's text is not there")
    if asked.case is not None and asked.case not in {a.id for a in facts.applicants}:
        return None
    read_as = released_as(reader, apart=apart)
    return _only(_read_again(snapshot_bytes(facts), policy, asked, read_as, language), schemes, without)


def _apart(work: Work, asked: MakeSuggestion) -> bool:
    """Return whether those who are not cleared for kode 6 get an answer of their own."""
    subject = work.get(Case, asked.case)
    return bool(work.strict) and (subject is None or subject.body.person not in work.strict)


def released_as(reader: Reader, *, apart: bool) -> Reader:
    """Return as whom somebody reads: where a hidden person's enemy may not live is not to be told exactly."""
    return Reader.MEMBER if apart and reader is Reader.COMMITTEE else reader


def _only(answer: bytes, schemes: frozenset[str] | None, without: Collection[str]) -> dict[str, Any]:
    """Return an answer; with less than all of it, it holds nothing that tells of the rest."""
    content: dict[str, Any] = orjson.loads(answer)
    kept = [
        entry
        for entry in content["suggestions"]
        if (schemes is None or entry["scheme"] in schemes) and entry.get("applicant") not in without
    ]
    if schemes is None and len(kept) == len(content["suggestions"]):
        return content
    places = sorted({entry["rank"] for entry in kept})
    shown = [{**entry, "rank": places.index(entry["rank"]) + 1} for entry in kept]
    sha256 = hashlib.sha256(orjson.dumps(shown, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return {**content, "no_option": None, "facts_sha256": sha256, "suggestions": shown}


@dataclass(frozen=True)
class Replayed:
    """A stored suggestion, decided once more from what is stored.

    Attributes:
        same: Every byte is the same.
        stored: Hash of the stored answer.
        again: Hash of the one decided now.
    """

    same: bool
    stored: str
    again: str


def replay(work: Work, suggestion: Stored[Suggestion]) -> Replayed:
    """Decide a stored suggestion once more, from the facts and the policy that are stored with it."""
    body = suggestion.body
    asked = MakeSuggestion(case=body.case, unit=body.unit)
    pairs = [(body.answer, False)]
    if body.guarded_answer is not None:
        pairs.append((body.guarded_answer, True))
    hashes = []
    for stored, guarded in pairs:
        facts, policy = _sources(work, body, guarded=guarded)
        written = _written(_asked(read_case(facts), read_policy(policy), asked))
        hashes.append((stored, hashlib.sha256(written).hexdigest()))
    same = all(stored == again for stored, again in hashes)
    return Replayed(same, "+".join(s for s, _ in hashes), "+".join(a for _, a in hashes))


def shut_out_of(work: Work) -> frozenset[str]:
    """Return the cases that the actor may not know of, though others who read as they do may."""
    return frozenset(link.id for link in work.hidden() if link.kind is Kind.CASE)


def newest_for(work: Work, case: str) -> Stored[Suggestion] | None:
    """Return the newest suggestion for a case."""
    found = [s for s in work.find(Suggestion, Link(Kind.CASE, case)) if s.body.case == case]
    return max(found, key=lambda s: (s.at, s.id), default=None)


USES: tuple[UseCase[Any], ...] = (creates("suggestions.make", Suggestion, MakeSuggestion, make, _prepare),)
