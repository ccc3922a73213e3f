"""What the law says of each type of decision: its bases, who hears an appeal, and within how many weeks.

Sections are not written here: they stand with their dates in :mod:`allocator.rules.sources` and are named by
key (REQ-LAW-1). What nobody has looked up is marked so, for a lawyer to confirm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from allocator.casework.codes import AppealBody, DecisionType
from allocator.rules.sources import (
    ACCESS_TO_FILE,
    APPEAL,
    APPEAL_DEADLINE,
    ASSISTANCE_DECISION,
    DISADVANTAGED,
    INDIVIDUAL_DECISION,
    LAW,
    LONG_STAY,
    LONG_STAY_RIGHT,
    REASONS,
    SERVICES_APPEAL_DEADLINE,
    SERVICES_AT_HOME,
    SERVICES_RIGHT,
    SUITABLE_HOUSING,
    SUSPENSION,
    TEMPORARY_HOUSING,
    Law,
)
from allocator.texts import catalog


@dataclass(frozen=True)
class LawRef:
    """A legal reference as it holds in a period.

    Attributes:
        id: Its key, which decisions are stored with.
        act: The act.
        section: The section of it.
        valid_from: The first day it holds; None if nobody has looked it up.
        valid_to: The last day; None if it still holds.
        in_force: Whether it has been put into force.
        unverified: A lawyer has yet to confirm it.
    """

    id: str
    act: str
    section: str
    valid_from: date | None
    valid_to: date | None
    in_force: bool
    unverified: bool

    def label(self, language: str) -> str:
        """Return what it is about, in ``nb``, ``nn`` or ``en``."""
        return catalog(language)(f"law.{self.id}")

    def __str__(self) -> str:
        return f"{self.act} {self.section}"


def law_refs() -> tuple[LawRef, ...]:
    """Return every legal reference with its period: an act that is replaced keeps its line."""
    return tuple(
        LawRef(
            id=law.key,
            act=version.act,
            section=version.section,
            valid_from=version.valid_from,
            valid_to=version.valid_until
            or (following.valid_from - timedelta(days=1) if following and following.valid_from else None),
            in_force=version.in_force,
            unverified=not law.checked,
        )
        for law in LAW.values()
        for version, following in zip(law.versions, (*law.versions[1:], None), strict=True)
    )


def law_ref(identifier: str, day: date) -> LawRef:
    """Return a legal reference as it holds on *day*.

    Raises:
        KeyError: There is none of that key that holds then.
    """
    for ref in reversed(law_refs()):
        begun = ref.valid_from is None or ref.valid_from <= day
        if ref.id == identifier and ref.in_force and begun and (ref.valid_to is None or day <= ref.valid_to):
            return ref
    raise KeyError(identifier)


@dataclass(frozen=True)
class DecisionLaw:
    """What follows from a type of decision (REQ-LAW-2).

    Attributes:
        body: Who hears an appeal.
        weeks: Weeks in which to appeal, from when the party was told; 0 where there is no appeal.
        bases: What the decision rests on.
        deadline: What the weeks rest on.
        exceptionally: Who hears an appeal where it is let in as an exception.
        unverified: Body or weeks are general professional knowledge that a lawyer has to confirm.
    """

    body: AppealBody
    weeks: int
    bases: tuple[Law, ...]
    deadline: Law = APPEAL_DEADLINE
    exceptionally: AppealBody | None = None
    unverified: bool = True

    @property
    def refs(self) -> tuple[str, ...]:
        """The keys of the legal references that every such decision names."""
        return tuple(law.key for law in (*self.bases, REASONS, *self._of_appeal))

    @property
    def _of_appeal(self) -> tuple[Law, ...]:
        return (APPEAL, self.deadline, ACCESS_TO_FILE, SUSPENSION) if self.weeks else ()


DECISION_LAW: Mapping[DecisionType, DecisionLaw] = {
    DecisionType.ASSISTANCE: DecisionLaw(
        AppealBody.COUNTY_GOVERNOR, 3, (DISADVANTAGED, SUITABLE_HOUSING, ASSISTANCE_DECISION)
    ),
    DecisionType.ALLOCATION: DecisionLaw(AppealBody.MUNICIPAL_BOARD, 3, (INDIVIDUAL_DECISION,)),
    DecisionType.SERVICES: DecisionLaw(
        AppealBody.COUNTY_GOVERNOR, 4, (SERVICES_AT_HOME, SERVICES_RIGHT), SERVICES_APPEAL_DEADLINE
    ),
    DecisionType.LONG_STAY: DecisionLaw(
        AppealBody.COUNTY_GOVERNOR, 4, (LONG_STAY, LONG_STAY_RIGHT), SERVICES_APPEAL_DEADLINE
    ),
    DecisionType.TEMPORARY: DecisionLaw(AppealBody.COUNTY_GOVERNOR, 3, (TEMPORARY_HOUSING,)),
    DecisionType.DWELLING: DecisionLaw(
        AppealBody.NONE, 0, (INDIVIDUAL_DECISION,), exceptionally=AppealBody.MUNICIPAL_BOARD
    ),
}
"""Which law each type of decision comes under (`domain.md` 2.0).

The weeks are not looked up anywhere, so every line is unverified. That which dwelling is offered (D6) is not
open to appeal but where it is plainly unsuitable is the advice of Husbanken.
"""


def appeal_deadline(kind: DecisionType, told_on: date) -> date | None:
    """Return the last day to appeal, counted from the day the party was told; None if there is none."""
    weeks = DECISION_LAW[kind].weeks
    return told_on + timedelta(weeks=weeks) if weeks else None
