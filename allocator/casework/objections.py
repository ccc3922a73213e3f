"""What an objection must rest on and how long it may stand: the conditions, apart from who asks."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from allocator.casework.codes import Evidence
from allocator.codes import FactSource, VetoStatus
from allocator.model import Veto as VetoEntry

USUAL_DAYS = 90
"""How long an objection stands unless its author says otherwise.

Origin: local choice. Risk is no static assessment (`domain.md` K3-K5: it changes with medicine, a safe home
and substance use), and a committee that meets monthly sees it three times.
"""

LONGEST_DAYS = 180
"""How long it may stand at most, and how old the fact may be that it rests on.

Origin: local choice, twice the usual. What is older than an objection may last does not carry a new one.
"""

_ASSESSED_BY = frozenset(
    {FactSource.ASSESSMENT, FactSource.SPECIALIST_SERVICE, FactSource.POLICE, FactSource.COURT}
)
_ASSESSED_IN = frozenset({Evidence.INCIDENT_REPORT, Evidence.RISK_ASSESSMENT, Evidence.POLICE_INFORMATION})

STANDING = frozenset({VetoStatus.OPEN, VetoStatus.UPHELD})
"""Objections that count for as long as they last."""


def oldest_fact(today: date) -> date:
    """Return the first day that a fact may be of, to carry an objection."""
    return today - timedelta(days=LONGEST_DAYS)


def usual_end(today: date) -> date:
    """Return the last day of an objection whose author has not said otherwise."""
    return today + timedelta(days=USUAL_DAYS)


def latest_end(today: date) -> date:
    """Return the last day that an objection may last to."""
    return today + timedelta(days=LONGEST_DAYS)


def is_assessed(source: FactSource, evidence: Collection[Evidence]) -> bool:
    """Return whether somebody whose task it is has assessed the fact; fear alone is no ground (E-18)."""
    return source in _ASSESSED_BY or not _ASSESSED_IN.isdisjoint(evidence)


def stands(entry: VetoEntry, day: date) -> bool:
    """Return whether an objection counts on a day, as the rule `staff-veto` reads it."""
    return entry.status in STANDING and entry.raised_on <= day <= entry.valid_until


def is_reasoned(text: str) -> bool:
    """Return whether a text says something: an answer of "no" or "see minutes" is none (REQ-VET-3)."""
    words = {word.casefold() for word in text.split() if any(letter.isalpha() for letter in word)}
    return len(words) >= _LEAST_WORDS and len(text.strip()) >= LEAST_LETTERS


LEAST_LETTERS = 20
"""How long a reason is at least. Origin: the shortest sentence with a subject, a verb and a because."""

_LEAST_WORDS = 4
