"""What a use case is, and the list of them all.

A use case is named ``<collection>.<verb>``. It either creates a record, or acts on one. The access table says
who may do it; the API and the pages offer exactly these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from allocator.casework.bodies import COLLECTIONS
from allocator.casework.records import Body, Kind, Stored
from allocator.model import Record
from allocator.service.work import Work


class Command(Record):
    """What somebody asks for: the content of a request."""


class Nothing(Command):
    """Nothing more needs to be said."""


C = TypeVar("C", bound=Command)
B = TypeVar("B", bound=Body)

Prepare = Callable[[Work, C, Any], Any]
"""Works something out from the facts, the command and the record acted on, before anything is changed."""


@dataclass(frozen=True)
class UseCase(Generic[C]):
    """Something that somebody can do.

    Attributes:
        name: ``<collection>.<verb>``.
        kind: The kind of record that it creates or acts on.
        creates: Whether it creates one.
        command: What must be said.
        run: Does it, in a transaction that changes things. Returns the record that it is about.
        prepare: Works something out before that, in a transaction that only reads; :class:`Work` has the
            result as `prepared`. If the facts have changed meanwhile, `run` raises MovedOnError and it is
            done again.
    """

    name: str
    kind: Kind
    creates: bool
    command: type[C]
    run: Callable[[Work, C, Any], Stored[Body]]
    prepare: Prepare[C] | None = None

    @property
    def verb(self) -> str:
        """What is done."""
        return self.name.partition(".")[2]

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""
        return (self.run.__doc__ or "").strip().partition("\n")[0].rstrip(".")


def creates(
    name: str,
    body: type[B],
    command: type[C],
    run: Callable[[Work, C], Stored[B]],
    prepare: Prepare[C] | None = None,
) -> UseCase[C]:
    """Return a use case that creates a record. It says itself, by `Work.allow`, whether the actor may."""

    def begin(work: Work, asked: C, _target: None) -> Stored[Body]:
        return run(work, asked)

    begin.__doc__ = run.__doc__
    return _checked(UseCase(name, body.kind, True, command, begin, prepare))  # noqa: FBT003 - named above


def acts(
    name: str,
    body: type[B],
    command: type[C],
    run: Callable[[Work, C, Stored[B]], Stored[B]],
    prepare: Prepare[C] | None = None,
) -> UseCase[C]:
    """Return a use case that acts on a record; whether the actor may is checked before it runs."""
    return _checked(UseCase(name, body.kind, False, command, run, prepare))  # noqa: FBT003 - named above


def _checked(use: UseCase[C]) -> UseCase[C]:
    if use.name.partition(".")[0] != COLLECTIONS[use.kind] or not use.summary:
        raise ValueError(f"{use.name}: named after its collection, with a docstring")
    return use
