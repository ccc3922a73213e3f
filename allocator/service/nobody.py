"""Texts that must be about nobody in particular: what residents say, and the workplace risks of staff.

A writer must not learn from a refusal who has applied: staff may not know the applicants. So a text is
refused for its form alone: a capital letter in mid-sentence looks like a name, whoever's it may be. An id is
looked up, since who writes it knows it; that of somebody the writer may not know of counts as no id.
"""

from __future__ import annotations

import re

from allocator.access.authorizer import shut_out
from allocator.casework.cases import Case
from allocator.casework.codes import ENDED_CASES
from allocator.casework.people import Person
from allocator.casework.records import Body
from allocator.service.work import Work

_TOKEN = re.compile(r"[^\W_][\w.:-]*\w")
_MADE_HERE = re.compile(r"[A-Z]{1,2}-(?=[a-z]*[2-9])[2-9a-z]{10}")
_LONGEST_ID = 64
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_SENTENCE_END = re.compile(r"""[.!?:;…\n]["»”')\]]*\s*$|^\s*$""")
_OPENING = "\"«“'(["


def names_a_record(work: Work, *texts: str | None) -> bool:
    """Return whether some texts hold the id of a case or a person."""
    tokens = {token for text in texts if text is not None for token in _TOKEN.findall(text)}
    return any(_MADE_HERE.fullmatch(token) or _is_there(work, token) for token in tokens)


def _is_there(work: Work, token: str) -> bool:
    if len(token) > _LONGEST_ID or not ("-" in token or any(letter.isdigit() for letter in token)):
        return False
    kinds: tuple[type[Body], ...] = (Case, Person)
    found = [work.get(kind, token) for kind in kinds]
    return any(one is not None and not shut_out(work.actor, work.circumstances(one)) for one in found)


def looks_like_a_name(text: str) -> bool:
    """Return whether a word in mid-sentence begins with a capital letter and is no abbreviation."""
    return any(
        word[0][:1].isupper()
        and not word[0].isupper()
        and not _SENTENCE_END.search(text[: word.start()].rstrip(_OPENING))
        for word in _WORD.finditer(text)
    )


def names_an_applicant(work: Work, text: str) -> bool:
    """Return whether a text holds the name, or a part of the name, of somebody with a case.

    Names of kode-6 people are not looked for: that a text is held back would tell of them.
    """
    applying = {case.body.person for case in work.find(Case) if case.body.state not in ENDED_CASES}
    folded, words = text.casefold(), set(_WORD.findall(text))
    names = (person.body.name for person in work.find(Person, states={"open"}) if person.id in applying)
    return any(
        name.casefold() in folded or not words.isdisjoint(_WORD.findall(name))
        for name in names
        if name is not None
    )
