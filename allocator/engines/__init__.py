"""Engines: readers of rules that decide. One interface, :class:`Engine`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from allocator.facts import Candidate


class Outcome(StrEnum):
    """What a rule comes to for one member of its range."""

    KEPT = "kept"
    BROKEN = "broken"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, broken: bool | None) -> Outcome:  # noqa: FBT001 - a three-valued truth
        """Return the outcome for the truth of *broken when*."""
        if broken is None:
            return cls.UNKNOWN
        return cls.BROKEN if broken else cls.KEPT


class EngineError(RuntimeError):
    """An engine could not answer. Never carries facts."""


@dataclass(frozen=True)
class Judgement:
    """Outcomes for one candidate.

    Attributes:
        outcomes: Rule id -> one outcome for each member of the rule's range, in the range's order.
        remarks: Rule id -> whether its remark applies, for rules that have one.
    """

    outcomes: Mapping[str, tuple[Outcome, ...]]
    remarks: Mapping[str, bool]


class Engine(Protocol):
    """A reader of rules. It is made for the rules of one policy on one day."""

    name: str
    version: str

    def judge(self, candidates: Iterable[Candidate]) -> list[Judgement]:
        """Judge candidates, in the order given.

        Raises:
            EngineError: The engine could not answer; nothing is returned.
        """
        ...
