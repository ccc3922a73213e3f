"""Comments (*merknader*): free remarks in threads. They have no effect on any rank.

Taking a remark back takes its words away and leaves its place in the thread, so that answers keep theirs.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from allocator.access.authorizer import sees
from allocator.casework.bodies import BODIES
from allocator.casework.records import Body, Kind, Stored
from allocator.casework.voice import Comment, Told
from allocator.codes import FactSource
from allocator.model import Id, Text
from allocator.service.uses import Command, Nothing, UseCase, acts, creates
from allocator.service.words import found_words
from allocator.service.work import Work

COMMENTED = frozenset(
    {
        Kind.CASE,
        Kind.UNIT,
        Kind.SCHEME,
        Kind.VETO,
        Kind.HEARING,
        Kind.SUGGESTION,
        Kind.MEETING,
        Kind.DECISION,
        Kind.TENANCY,
    }
)
"""What one can remark on."""


class MakeComment(Command):
    """A remark on a record, or an answer to another remark on it."""

    about: Kind
    of: Id
    text: Text = Field(min_length=1)
    parent: Id | None = None
    source: FactSource | None = None
    told: Told | None = Field(default=None, description="Who told it and when, for an oral source.")


def make(work: Work, asked: MakeComment) -> Stored[Comment]:
    """Make a remark on a record."""
    if asked.about not in COMMENTED:
        work.wrong(
            "/about", "one of: {options}", options=", ".join(f"`{kind}`" for kind in sorted(COMMENTED))
        )
    target: Stored[Body] = work.named(BODIES[asked.about], asked.of, "/of")
    work.allow_with(target)
    _check(work, asked)
    links = {link.kind: link.id for link in target.body.subjects()} | {target.kind: target.id}
    return work.create(
        Comment(
            about=asked.about,
            of=asked.of,
            case=links.get(Kind.CASE),
            scheme=links.get(Kind.SCHEME),
            parent=asked.parent,
            author=work.actor.account,
            text=asked.text,
            source=asked.source,
            told=asked.told,
            words=found_words(asked.text),
        )
    )


def _check(work: Work, asked: MakeComment) -> None:
    if not asked.text.strip():
        work.wrong("/text", "the remark")
    oral = asked.source is FactSource.ORAL
    if oral is (asked.told is None):
        work.wrong("/told", "who told it and when, for an oral source, and only there")
    if asked.told is not None and asked.told.on > work.today:
        work.wrong("/told/on", "a day until {last}", last=work.today)
    if asked.parent is None:
        return
    parent = work.named(Comment, asked.parent, "/parent")
    if not sees(work.access, work.actor, Kind.COMMENT, work.circumstances(parent)).visible:
        work.wrong("/parent", "the id of a record of the kind `{kind}` that is there", kind=Kind.COMMENT)
    if (parent.body.about, parent.body.of) != (asked.about, asked.of):
        work.wrong("/parent", "a remark on the same record")
    if parent.body.withdrawn:
        work.refuse("comment-withdrawn")


def withdraw(work: Work, _asked: Nothing, comment: Stored[Comment]) -> Stored[Comment]:
    """Take a remark back; its text is no longer shown, but who had seen it can be told."""
    return work.change(comment, withdrawn=True, text="–", words=())


USES: tuple[UseCase[Any], ...] = (
    creates("comments.make", Comment, MakeComment, make),
    acts("comments.withdraw", Comment, Nothing, withdraw),
)
