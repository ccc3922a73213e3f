"""Clarifications (*avklaringer*): "ask X about Y". They open, close and open again as facts change.

There is one for each fact of a person or a place, whoever waits for it. Decisions that rest on a fact get a
doubt when it changes or can no longer be read, and lose it when it is again what it was (E-32, E-33).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import orjson
from pydantic import Field

from allocator.casework.cases import Case, Clarification
from allocator.casework.codes import ClarificationState, DecisionState
from allocator.casework.committee import Decision, Rested
from allocator.casework.housing import Scheme, Unit
from allocator.casework.records import Body, Kind, Link, Stored, about
from allocator.facts import Missing, fact_type
from allocator.model import Text
from allocator.service.readings import Known, Readings, is_known, is_open, whole
from allocator.service.uses import Command, UseCase, acts
from allocator.service.work import ALPHABET, Work

_PASSING = frozenset({"unit.status", "unit.vacant_from", "unit.days_vacant"})
"""Facts that a decision itself changes: a unit that is given to somebody is not vacant any more."""

_WAITING = frozenset({ClarificationState.OPEN, ClarificationState.CANNOT_BE_KNOWN})

# ------------------------------------------------------------------------------------------ use cases


class CannotBeKnown(Command):
    """Why a question cannot be answered."""

    note: Text = Field(min_length=1)


def cannot_be_known(
    work: Work, asked: CannotBeKnown, clarification: Stored[Clarification]
) -> Stored[Clarification]:
    """Say why a fact cannot be known; nobody is asked about it any more."""
    if clarification.body.state is not ClarificationState.OPEN:
        work.refuse("clarification-closed")
    return work.change(
        clarification, state=ClarificationState.CANNOT_BE_KNOWN, note=asked.note, closed_on=work.today
    )


# -------------------------------------------------------------------------------------------- opening


def clarification_id(of: str, path: str, only_for: str | None = None) -> str:
    """Return the id of a question: the same for the same question, and telling nothing by itself."""
    number = int.from_bytes(hashlib.sha256(f"{of}\0{path}\0{only_for or ''}".encode()).digest())
    letters = []
    for _ in range(20):
        number, place = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[place])
    return "AV-" + "".join(letters)


def needed(
    work: Work, case_id: str, missing: Iterable[tuple[str, str, Missing]]
) -> list[Stored[Clarification]]:
    """Open the questions that a case waits for, or join those that are open already.

    A gender that no rule can compare is not asked about again (E-01).

    Args:
        work: The work.
        case_id: The case.
        missing: Of each fact that is missing: whom or what it is about, its path, and why.
    """
    case = work.load(Case, case_id)
    asked = {
        (of, whole(path)): why
        for of, path, why in missing
        if why is not Missing.NOT_COMPARABLE and about(path, of) is not None
    }
    return [_join(work, case, of, path, why) for (of, path), why in sorted(asked.items())]


def _join(work: Work, case: Stored[Case], of: str, path: str, why: Missing) -> Stored[Clarification]:
    # A case of somebody who is kode 6 must not show in a question that others can read.
    hidden = case.body.person in work.strict and of not in work.strict
    only_for = case.id if hidden else None
    identifier = clarification_id(of, path, only_for)
    there = work.get(Clarification, identifier)
    if there is None:
        return work.create(
            Clarification(
                path=path,
                why=why,
                ask=fact_type(path).ask,
                person=of if _is_person(path, of) else None,
                place=None if _is_person(path, of) else of,
                scheme=_scheme_of(work, path, of),
                only_for=only_for,
                cases=frozenset({case.id}),
                opened_on=work.today,
            ),
            identifier,
        )
    joined = work.change(there, cases=there.body.cases | {case.id})
    return joined if joined.body.state in _WAITING else _open(work, joined, why)


def _open(work: Work, clarification: Stored[Clarification], why: Missing) -> Stored[Clarification]:
    body = clarification.body
    return work.change(
        clarification,
        state=ClarificationState.OPEN,
        why=why,
        scheme=_scheme_of(work, body.path, body.of),
        opened_on=work.today,
        closed_on=None,
        note=None,
    )


def _is_person(path: str, of: str) -> bool:
    link = about(path, of)
    return link is not None and link.kind is Kind.PERSON


def _scheme_of(work: Work, path: str, of: str) -> str | None:
    """Return the scheme whose staff can tell."""
    match path.partition(".")[0]:
        case "resident":
            home = Readings(work, work.today).home_of(of)
            return None if home is None else home.body.scheme
        case "unit":
            unit = work.get(Unit, of)
            return None if unit is None else unit.body.scheme
        case "scheme":
            return None if work.get(Scheme, of) is None else of
        case _:
            return None


# ------------------------------------------------------------------------------------------- settling


def settle(work: Work, *changed: str) -> list[Stored[Body]]:
    """Close, open again and doubt what depends on facts of persons, units or schemes that have changed.

    To be called after each change of a person's, a case's, a tenancy's, a unit's or a scheme's facts, with
    the id of the person, unit or scheme.

    Returns:
        What was changed by it.
    """
    done: list[Stored[Body]] = []
    now = Readings(work, work.today)
    for of in changed:
        for clarification in _linked(work, Clarification, of):
            done += _settled(work, clarification, now)
        for decision in _linked(work, Decision, of):
            if decision.body.state is DecisionState.MADE and decision.body.ended_on is None:
                done += _doubted(work, decision, of, now)
    return done


def case_ended(work: Work, case_id: str) -> list[Stored[Body]]:
    """Close the questions that nobody waits for any more, now that a case has ended."""
    now = Readings(work, work.today)
    found = work.find(Clarification, Link(Kind.CASE, case_id))
    return [changed for clarification in found for changed in _settled(work, clarification, now)]


def protection_changed(work: Work, person: str) -> None:
    """Take the case of somebody who is now kode 6 out of what others can read, or put it back (REQ-K6-5)."""
    case = Readings(work, work.today).case_of(person)
    if case is None:
        return
    for clarification in work.find(Clarification, Link(Kind.CASE, case.id)):
        apart = clarification.body.only_for is not None
        if clarification.body.of != person and apart is not (person in work.strict):
            _ask_elsewhere(work, clarification, case, clarification.body.of)


def merged(work: Work, gone: str, stays: str) -> None:
    """Ask of one record of a person what was asked of another that is found to be theirs too (E-30)."""
    for clarification in work.find(Clarification, Link(Kind.PERSON, gone)):
        for name in sorted(clarification.body.cases):
            _ask_elsewhere(work, work.load(Clarification, clarification.id), work.load(Case, name), stays)


def _ask_elsewhere(work: Work, clarification: Stored[Clarification], case: Stored[Case], of: str) -> None:
    """Let a case wait for the question under which it is asked now, and no more for the one it waited for."""
    body, now = clarification.body, Readings(work, work.today)
    _settled(work, work.change(clarification, cases=body.cases - {case.id}), now)
    if body.state is not ClarificationState.NOT_NEEDED and is_open(case.body):
        _settled(work, _join(work, case, of, body.path, body.why), now)


def expired(work: Work) -> list[Stored[Body]]:
    """Settle what rests on facts that have run out: the daily round.

    Returns:
        What was changed by it.
    """
    answered = work.find(Clarification, states={ClarificationState.ANSWERED})
    asked = {c.body.of for c in answered if _waited_for(work, c)}
    made = work.find(Decision, states={DecisionState.MADE})
    rested = {fact.of for d in made if d.body.ended_on is None for fact in d.body.rests_on}
    return settle(work, *sorted(asked | rested))


def _linked(work: Work, body: type[Any], of: str) -> list[Stored[Any]]:
    found = {
        stored.id: stored
        for kind in (Kind.PERSON, Kind.UNIT, Kind.SCHEME)
        for stored in work.find(body, Link(kind, of))
    }
    return [found[name] for name in sorted(found)]


def _waited_for(work: Work, clarification: Stored[Clarification]) -> bool:
    cases = (work.get(Case, name) for name in clarification.body.cases)
    return any(case is not None and is_open(case.body) for case in cases)


def _settled(work: Work, clarification: Stored[Clarification], now: Readings) -> Sequence[Stored[Body]]:
    body = clarification.body
    reading = now.of(body.path, body.of)
    if is_known(reading):
        return [_close(work, clarification, ClarificationState.ANSWERED)] if body.state in _WAITING else ()
    if not isinstance(reading, Missing) or not _waited_for(work, clarification):
        if body.state is not ClarificationState.OPEN:
            return ()
        return [_close(work, clarification, ClarificationState.NOT_NEEDED)]
    if body.state is ClarificationState.ANSWERED:
        return [_open(work, clarification, reading)]
    if body.state is ClarificationState.OPEN and body.why is not reading:
        return [work.change(clarification, why=reading)]
    return ()


def _close(
    work: Work, clarification: Stored[Clarification], state: ClarificationState
) -> Stored[Clarification]:
    return work.change(clarification, state=state, closed_on=work.today)


# -------------------------------------------------------------------------------------------- doubting


def _doubted(work: Work, decision: Stored[Decision], of: str, now: Readings) -> Sequence[Stored[Body]]:
    """Add to a decision the doubts that a change gives rise to, and take away those that it ends.

    Facts are compared as they are read on the day of the decision, so that a birthday is no change; only
    whether they can be read at all is asked today.
    """
    body, earlier = decision.body, work.before(Decision, decision.id)
    if earlier is None or earlier.body.state is not DecisionState.MADE:
        return ()  # it is made here and now, on the facts as they are
    day = body.made_on or body.proposed_on
    then, as_it_was = Readings(work, day), Readings(work, day, before=True)
    doubts = {(doubt.of, doubt.path): doubt for doubt in body.doubts}
    # Of one who was known by another record until now, that record tells what was read (E-30).
    for fact, first in zip(body.rests_on, earlier.body.rests_on, strict=True):
        if fact.path in _PASSING or not _concerns(work, fact, of) or _not_to_be_told(work, decision, fact):
            continue
        key, reading = (fact.of, fact.path), now.of(fact.path, fact.of)
        if reading is None:
            continue  # they live or wait there no more; that is for the next suggestion to say
        today = _said(then.of(fact.path, fact.of)) if is_known(reading) else None
        doubt = doubts.get(key)
        if doubt is None:
            was = _said(as_it_was.of(fact.path, first.of))
            if was != today:
                doubts[key] = Rested(of=fact.of, path=fact.path, was=_keep(work, was))
        elif doubt.was is not None and _kept(work, doubt.was) == today:
            del doubts[key]
    if len(doubts) == len(body.doubts) and all((d.of, d.path) in doubts for d in body.doubts):
        return ()
    return [work.change(decision, doubts=tuple(doubts[key] for key in sorted(doubts)))]


def _concerns(work: Work, fact: Rested, of: str) -> bool:
    """Return whether a fact is about a person or place, or about a unit of a scheme."""
    if fact.of == of:
        return True
    unit = work.get(Unit, fact.of) if fact.path.startswith("unit.") else None
    return unit is not None and unit.body.scheme == of


def _not_to_be_told(work: Work, decision: Stored[Decision], fact: Rested) -> bool:
    """Return whether a doubt would show that something is known of somebody who is kode 6 (REQ-K6-1)."""
    return fact.of in work.strict and work.load(Case, decision.body.case).body.person not in work.strict


def _said(reading: Known | None) -> Any:
    """Return a reading as a plain value; None for what is not known, for whatever reason."""
    if not is_known(reading):
        return None
    if isinstance(reading, tuple):
        return list(reading)
    return reading.isoformat() if isinstance(reading, date) else reading


def _keep(work: Work, said: Any) -> str:
    """Keep what a fact was, apart from the decision; the hash does not tell it, since it is not alone."""
    return work.tx.keep(orjson.dumps({"said": said, "with": secrets.token_hex(16)}))


def _kept(work: Work, sha256: str) -> Any:
    content = work.tx.kept(sha256)
    return None if content is None else orjson.loads(content)["said"]


USES: tuple[UseCase[Any], ...] = (
    acts("clarifications.cannot_be_known", Clarification, CannotBeKnown, cannot_be_known),
)
