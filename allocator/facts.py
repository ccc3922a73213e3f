"""The vocabulary: every fact a rule may read, and how it is read from the model.

A fact has a path such as ``resident.heavy_use``. Its first word is the *subject*: what the fact is about.
One :class:`FactType` says what kind of value it has, whether it is a protected ground, who can tell it if
it is missing, and how it is read from the records of :mod:`allocator.model`. Every engine is given facts
read here and nowhere else, so *what is missing, expired, disputed or not asked is unknown* is decided once.

A fact that is a set of codes is read as one yes-or-no fact per code (``applicant.needs:lift``): a house
may be known to have two exits while nobody knows whether it has a lift.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any

from allocator import codes, model
from allocator.model import (
    Applicant,
    Conflict,
    LivingGroup,
    Order,
    PersonFacts,
    Resident,
    Scheme,
    Snapshot,
    Unit,
    Veto,
)


class Missing(StrEnum):
    """Why a fact is unknown. Engines see only that it is; texts say why."""

    NOT_RECORDED = "not_recorded"
    NOT_ASKED = "not_asked"
    EXPIRED = "expired"
    DISPUTED = "disputed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    SHORT_HORIZON = "short_horizon"
    NOT_COMPARABLE = "not_comparable"


Value = bool | int | str | date
Reading = Value | Missing


class Kind(StrEnum):
    """Kinds of value. Whole numbers only: scores and comparisons never meet a fraction."""

    BOOL = "bool"
    INT = "int"
    DATE = "date"
    CODE = "code"
    CODES = "codes"


class Protected(StrEnum):
    """Protected grounds that rules can read, after the equality and anti-discrimination act."""

    GENDER = "gender"
    AGE = "age"
    DISABILITY = "disability"


class Ask(StrEnum):
    """Who can tell a missing fact, and may see the answer."""

    APPLICANT = "applicant"
    ASSESSOR = "assessor"
    SCHEME_STAFF = "scheme_staff"
    PROPERTY = "property"
    SCHEME_LEADER = "scheme_leader"
    CONFLICT_OFFICER = "conflict_officer"
    CASEWORKER = "caseworker"


@dataclass(frozen=True)
class FactType:
    """One entry of the vocabulary.

    Attributes:
        path: ``subject.name``.
        kind: Kind of value.
        codes: The code list, for `CODE` and `CODES`.
        ask: Who can tell it.
        protected: The protected ground it reveals, if any.
        unit: Unit of a number, as a key of the texts: ``years``, ``days``, ``months``, ``m2``.
    """

    path: str
    kind: Kind
    ask: Ask
    codes: type[StrEnum] | None = None
    protected: Protected | None = None
    unit: str | None = None
    read: Callable[[Any, date], Any] = field(repr=False, compare=False, default=lambda _record, _day: None)

    @property
    def subject(self) -> str:
        """What the fact is about."""
        return self.path.partition(".")[0]


_VOCABULARY: dict[str, FactType] = {}


def _fact(
    path: str,
    kind: Kind,
    ask: Ask,
    read: Callable[[Any, date], Any],
    *,
    codes: type[StrEnum] | None = None,
    protected: Protected | None = None,
    unit: str | None = None,
) -> None:
    _VOCABULARY[path] = FactType(path, kind, ask, codes, protected, unit, read)


def _plain(name: str) -> Callable[[Any, date], Any]:
    """Read a published attribute: ``None`` is not recorded."""

    def read(record: Any, _day: date) -> Any:
        value = getattr(record, name)
        return Missing.NOT_RECORDED if value is None else value

    return read


def _why(status: codes.FactStatus) -> Missing:
    return Missing.EXPIRED if status is codes.FactStatus.KNOWN else Missing(status.value)


def _assessed(name: str) -> Callable[[Any, date], Any]:
    """Read an assessed fact: what does not hold on the day is missing, with the reason."""

    def read(record: Any, day: date) -> Any:
        fact: model.Assessed[Any] = getattr(record, name)
        value = fact.at(day)
        return _why(fact.status) if value is None else value

    return read


def _asked_by_someone(name: str) -> Callable[[Any, date], Any]:
    """Read that a question was asked; it counts only with who asked it (REQ-FVL-9b)."""

    def read(record: Any, day: date) -> Any:
        fact: model.Assessed[Any] = getattr(record, name)
        value = _assessed(name)(record, day)
        return Missing.NOT_RECORDED if value is True and fact.recorded_by is None else value

    return read


def _gender(record: model.Person, day: date) -> Reading:
    value = record.gender.at(day)
    if value is None:
        return _why(record.gender.status)
    if value in (codes.Gender.WOMAN, codes.Gender.MAN):
        return value.value
    return Missing.NOT_COMPARABLE


def _age(record: model.Person, day: date) -> Reading:
    born = record.birth_date.at(day)
    return _why(record.birth_date.status) if born is None else model.age_on(born, day)


def _violence(record: model.Person, day: date) -> Reading:
    risk = record.risk
    if not risk.holds(day):
        return _why(risk.status)
    if risk.horizon is codes.RiskHorizon.SHORT or risk.conclusion is None:
        return Missing.SHORT_HORIZON
    return risk.conclusion.value


def _risk_measures(record: model.Person, day: date) -> Any:
    conclusion = _violence(record, day)
    return conclusion if isinstance(conclusion, Missing) else record.risk.measures


def _needs(name: str) -> Callable[[Applicant, date], Any]:
    def read(record: Applicant, day: date) -> Any:
        return getattr(record.needs, name) if record.needs.holds(day) else _why(record.needs.status)

    return read


def _assessment_date(part: str, name: str) -> Callable[[Applicant, date], Any]:
    """Read an assessment's own date, which is known also when the assessment has expired."""

    def read(record: Applicant, _day: date) -> Any:
        assessment: model.ExpiringAssessment = getattr(record, part)
        if assessment.status is not codes.FactStatus.KNOWN:
            return Missing(assessment.status.value)
        return getattr(assessment, name)

    return read


def _days_since(name: str) -> Callable[[Any, date], Reading]:
    def read(record: Any, day: date) -> Reading:
        since: date | None = getattr(record, name)
        return Missing.NOT_RECORDED if since is None else (day - since).days

    return read


def _placement(name: str) -> Callable[[Applicant, date], Any]:
    def read(record: Applicant, day: date) -> Any:
        return _assessed(name)(record.placement, day)

    return read


def _features(unit: Unit, scheme: Scheme) -> dict[str, Reading]:
    """Which needs the dwelling and the house meet; each is known or unknown on its own."""

    def known(value: bool | None) -> Reading:  # noqa: FBT001 - a three-valued fact, not a switch
        return Missing.NOT_RECORDED if value is None else value

    entrance = unit.entrance or scheme.entrance
    return {
        codes.Need.BEDROOM: known(unit.bedroom),
        codes.Need.OWN_ENTRANCE: known(None if entrance is None else entrance is codes.EntranceForm.OWN),
        codes.Need.QUIET: known(unit.quiet),
        codes.Need.PET: known(unit.pets_allowed),
        codes.Need.FIRE_SAFE: known(unit.fire_safe),
        codes.Need.NEAR_ACTIVITY: known(scheme.activities_on_site),
        codes.Need.NEAR_TRANSPORT: known(scheme.near_transport),
        codes.Need.AWAY_FROM_HOSPITAL: known(
            None if scheme.near_hospital is None else not scheme.near_hospital
        ),
    }


def _offer(name: str) -> Callable[[Scheme, date], Any]:
    """Read what a scheme offers; if the list is not complete, what it leaves out is unknown."""

    def read(scheme: Scheme, day: date) -> Any:
        offered = _plain(name)(scheme, day)
        if isinstance(offered, Missing) or scheme.offer_complete:
            return offered
        codes = VOCABULARY[f"scheme.{name}"].codes or ()
        return {code: True if code in offered else Missing.NOT_RECORDED for code in codes}

    return read


def _unit_then_scheme(name: str) -> Callable[[Place, date], Any]:
    def read(place: Place, _day: date) -> Any:
        value = getattr(place.unit, name)
        if value is None:
            value = getattr(place.scheme, name)
        return Missing.NOT_RECORDED if value is None else value

    return read


def _of_unit(name: str) -> Callable[[Place, date], Any]:
    return lambda place, day: _plain(name)(place.unit, day)


@dataclass(frozen=True)
class Place:
    """A unit with its living group and scheme."""

    unit: Unit
    group: LivingGroup
    scheme: Scheme


@dataclass(frozen=True)
class Choice:
    """What one applicant has said about one scheme."""

    wishes: model.Wishes | None
    scheme: str

    @staticmethod
    def mentioned(wishes: model.Wishes | None) -> frozenset[str]:
        """Return the schemes that are named; of all others the same is known."""
        if wishes is None:
            return frozenset()
        return frozenset(wish.scheme for wish in wishes.preferred) | frozenset(
            reservation.scheme for reservation in wishes.reservations
        )


def _wished(choice: Choice, _day: date) -> Reading:
    if choice.wishes is None:
        return Missing.NOT_ASKED
    return any(wish.scheme == choice.scheme for wish in choice.wishes.preferred)


def _any_wish(choice: Choice, _day: date) -> Reading:
    return Missing.NOT_ASKED if choice.wishes is None else bool(choice.wishes.preferred)


def _reserved(choice: Choice, _day: date) -> Reading:
    if choice.wishes is None:
        return Missing.NOT_ASKED
    return any(reservation.scheme == choice.scheme for reservation in choice.wishes.reservations)


@dataclass(frozen=True)
class NearConflict:
    """A conflict entry seen from one unit: how near the other person lives or comes."""

    conflict: Conflict
    nearness: str


class Nearness(StrEnum):
    """How near the counterpart of a conflict is to the unit."""

    LIVING_GROUP = "living_group"
    SCHEME = "scheme"
    VISITS = "visits"


def _entry(facts: str, name: str) -> Callable[[Any, date], Any]:
    return lambda record, day: _plain(name)(getattr(record, facts), day)


# ------------------------------------------------------------------------------- the vocabulary itself

_fact("case.as_of", Kind.DATE, Ask.CASEWORKER, lambda _record, day: day)

for _who, _tell in (("applicant", Ask.ASSESSOR), ("resident", Ask.SCHEME_STAFF)):
    _fact(
        f"{_who}.gender",
        Kind.CODE,
        Ask.APPLICANT if _who == "applicant" else Ask.SCHEME_STAFF,
        _gender,
        codes=codes.Gender,
        protected=Protected.GENDER,
    )
    _fact(f"{_who}.age", Kind.INT, Ask.CASEWORKER, _age, protected=Protected.AGE, unit="years")
    _fact(f"{_who}.rop", Kind.BOOL, _tell, _assessed("rop"), protected=Protected.DISABILITY)
    _fact(
        f"{_who}.main_substance",
        Kind.CODE,
        _tell,
        _assessed("main_substance"),
        codes=codes.SubstanceClass,
        protected=Protected.DISABILITY,
    )
    _fact(f"{_who}.substance_use", Kind.CODE, _tell, _assessed("substance_use"), codes=codes.SubstanceUse)
    _fact(f"{_who}.heavy_use", Kind.BOOL, _tell, _assessed("heavy_use"))
    _fact(f"{_who}.vulnerable", Kind.BOOL, _tell, _assessed("vulnerable"))
    _fact(f"{_who}.violence", Kind.CODE, _tell, _violence, codes=codes.ViolenceConclusion)
    _fact(f"{_who}.child_visits", Kind.BOOL, _tell, _assessed("child_visits"))

_fact("applicant.risk_measures", Kind.CODES, Ask.ASSESSOR, _risk_measures, codes=codes.Measure)
_fact(
    "applicant.needs",
    Kind.CODES,
    Ask.ASSESSOR,
    _needs("needs"),
    codes=codes.Need,
    protected=Protected.DISABILITY,
)
_fact("applicant.services", Kind.CODES, Ask.ASSESSOR, _needs("services"), codes=codes.Service)
_fact(
    "applicant.target_groups", Kind.CODES, Ask.ASSESSOR, _assessed("target_groups"), codes=codes.TargetGroup
)
_fact("applicant.risk_valid_until", Kind.DATE, Ask.ASSESSOR, _assessment_date("risk", "valid_until"))
_fact("applicant.needs_valid_until", Kind.DATE, Ask.ASSESSOR, _assessment_date("needs", "valid_until"))
_fact("applicant.conflicts_asked", Kind.BOOL, Ask.CONFLICT_OFFICER, _asked_by_someone("conflicts_asked"))
_fact("applicant.orders_checked", Kind.BOOL, Ask.CONFLICT_OFFICER, _asked_by_someone("orders_checked"))
_fact(
    "applicant.placement",
    Kind.CODE,
    Ask.CASEWORKER,
    lambda record, _day: record.placement.kind,
    codes=codes.PlacementKind,
)
_fact(
    "applicant.review_date_set",
    Kind.BOOL,
    Ask.CASEWORKER,
    lambda record, _day: record.placement.review_by is not None,
)
_fact(
    "applicant.needed_from",
    Kind.DATE,
    Ask.CASEWORKER,
    lambda record, day: max(record.placement.needed_from or day, day),
)
_fact("applicant.stay", Kind.CODE, Ask.CASEWORKER, _placement("stay"), codes=codes.StayKind)
_fact("applicant.stay_months", Kind.INT, Ask.CASEWORKER, _placement("stay_months"), unit="months")

_fact("choice.reserved_against", Kind.BOOL, Ask.APPLICANT, _reserved)
_fact("choice.wished", Kind.BOOL, Ask.APPLICANT, _wished)
_fact("choice.any_wish", Kind.BOOL, Ask.APPLICANT, _any_wish)

_fact("unit.status", Kind.CODE, Ask.PROPERTY, _of_unit("status"), codes=codes.UnitStatus)
_fact("unit.purpose", Kind.CODE, Ask.PROPERTY, _of_unit("purpose"), codes=codes.UnitPurpose)
_fact("unit.vacant_from", Kind.DATE, Ask.PROPERTY, _of_unit("vacant_from"))
_fact(
    "unit.days_vacant",
    Kind.INT,
    Ask.PROPERTY,
    lambda place, day: _days_since("vacant_since")(place.unit, day),
    unit="days",
)
_fact("unit.floor", Kind.INT, Ask.PROPERTY, _of_unit("floor"))
for _name in ("lift", "step_free", "sightline_from_base", "built_below", "water_protected", "ligature_safe"):
    _fact(f"unit.{_name}", Kind.BOOL, Ask.PROPERTY, _of_unit(_name))
_fact("unit.area_m2", Kind.INT, Ask.PROPERTY, _of_unit("area_m2"), unit="m2")
_fact("unit.exits", Kind.INT, Ask.PROPERTY, _of_unit("exits"))
_fact("unit.window_height", Kind.CODE, Ask.PROPERTY, _of_unit("window_height"), codes=codes.WindowHeight)
_fact("unit.max_stay_months", Kind.INT, Ask.PROPERTY, _of_unit("max_stay_months"), unit="months")
_fact("unit.min_stay_months", Kind.INT, Ask.PROPERTY, _of_unit("min_stay_months"), unit="months")
_fact("unit.entrance", Kind.CODE, Ask.PROPERTY, _unit_then_scheme("entrance"), codes=codes.EntranceForm)
_fact("unit.fittings", Kind.CODE, Ask.PROPERTY, _unit_then_scheme("fittings"), codes=codes.Fittings)
_fact(
    "unit.features",
    Kind.CODES,
    Ask.PROPERTY,
    lambda place, _day: _features(place.unit, place.scheme),
    codes=codes.Need,
)

_fact(
    "group.unit_count",
    Kind.INT,
    Ask.SCHEME_LEADER,
    lambda place, _day: len(place.group.units),
)

_fact("scheme.kind", Kind.CODE, Ask.SCHEME_LEADER, _plain("kind"), codes=codes.SchemeKind)
_fact(
    "scheme.unit_count",
    Kind.INT,
    Ask.SCHEME_LEADER,
    lambda scheme, _day: (
        Missing.NOT_RECORDED
        if scheme.unit_count is None
        else max(scheme.unit_count, sum(1 for _ in scheme.units))
    ),
)
_fact("scheme.target_groups", Kind.CODES, Ask.SCHEME_LEADER, _plain("target_groups"), codes=codes.TargetGroup)
_fact(
    "scheme.entry_requirement",
    Kind.CODE,
    Ask.SCHEME_LEADER,
    lambda scheme, _day: (
        Missing.NOT_RECORDED if scheme.entry_condition is None else scheme.entry_condition.requires
    ),
    codes=codes.EntryRequirement,
)
_fact(
    "scheme.entry_adopted",
    Kind.BOOL,
    Ask.SCHEME_LEADER,
    lambda scheme, day: (
        Missing.NOT_RECORDED
        if scheme.entry_condition is None
        else _plain("adopted")(scheme.entry_condition, day)
    ),
)
_fact(
    "scheme.has_gender_condition",
    Kind.BOOL,
    Ask.SCHEME_LEADER,
    lambda scheme, day: scheme.gender_condition is not None and scheme.gender_condition.review_by >= day,
)
_fact(
    "scheme.gender_condition_overdue",
    Kind.BOOL,
    Ask.SCHEME_LEADER,
    lambda scheme, day: scheme.gender_condition is not None and scheme.gender_condition.review_by < day,
)
_fact(
    "scheme.gender_review_by",
    Kind.DATE,
    Ask.SCHEME_LEADER,
    lambda scheme, _day: (
        Missing.NOT_RECORDED if scheme.gender_condition is None else scheme.gender_condition.review_by
    ),
)
_fact(
    "scheme.gender",
    Kind.CODE,
    Ask.SCHEME_LEADER,
    lambda scheme, _day: (
        Missing.NOT_RECORDED if scheme.gender_condition is None else scheme.gender_condition.gender
    ),
    codes=codes.Gender,
)
_fact("scheme.night_cover", Kind.CODE, Ask.SCHEME_LEADER, _plain("night_cover"), codes=codes.NightCover)
_fact("scheme.services", Kind.CODES, Ask.SCHEME_LEADER, _offer("services"), codes=codes.Service)
_fact("scheme.measures", Kind.CODES, Ask.SCHEME_LEADER, _offer("measures"), codes=codes.Measure)
for _name in (
    "cameras",
    "near_hospital",
    "activities_on_site",
    "institution_like",
    "agreement_leads_to_tenancy",
):
    _fact(f"scheme.{_name}", Kind.BOOL, Ask.SCHEME_LEADER, _plain(_name))
_fact("scheme.visit_rule", Kind.CODE, Ask.SCHEME_LEADER, _plain("visit_rule"), codes=codes.VisitRule)
_fact(
    "scheme.first_agreement",
    Kind.CODE,
    Ask.SCHEME_LEADER,
    _plain("first_agreement"),
    codes=codes.AgreementForm,
)
_fact(
    "scheme.agreement_max_months", Kind.INT, Ask.SCHEME_LEADER, _plain("agreement_max_months"), unit="months"
)

_fact("resident.days_lived", Kind.INT, Ask.SCHEME_STAFF, _days_since("moved_in"), unit="days")

for _name, _codes in (
    ("kind", codes.ConflictKind),
    ("direction", codes.ConflictDirection),
    ("status", codes.ConflictStatus),
    ("counterpart_role", codes.CounterpartRole),
    ("source", codes.FactSource),
    ("reach", codes.ConflictReach),
):
    _fact(f"conflict.{_name}", Kind.CODE, Ask.CONFLICT_OFFICER, _entry("conflict", _name), codes=_codes)
_fact("conflict.confirmed", Kind.BOOL, Ask.CONFLICT_OFFICER, _entry("conflict", "confirmed"))
_fact(
    "conflict.last_confirmed",
    Kind.DATE,
    Ask.CONFLICT_OFFICER,
    lambda near, _day: near.conflict.last_confirmed or near.conflict.recorded_on,
)
_fact(
    "conflict.nearness",
    Kind.CODE,
    Ask.CONFLICT_OFFICER,
    lambda near, _day: near.nearness,
    codes=Nearness,
)

_fact("order.verified", Kind.BOOL, Ask.CONFLICT_OFFICER, _plain("verified"))
_fact("order.valid_from", Kind.DATE, Ask.CONFLICT_OFFICER, _plain("valid_from"))
_fact("order.valid_until", Kind.DATE, Ask.CONFLICT_OFFICER, _plain("valid_until"))

_fact("veto.ground", Kind.CODE, Ask.SCHEME_STAFF, _plain("ground"), codes=codes.VetoGround)
_fact("veto.status", Kind.CODE, Ask.SCHEME_STAFF, _plain("status"), codes=codes.VetoStatus)
_fact("veto.raised_on", Kind.DATE, Ask.SCHEME_STAFF, _plain("raised_on"))
_fact("veto.valid_until", Kind.DATE, Ask.SCHEME_STAFF, _plain("valid_until"))

VOCABULARY: Mapping[str, FactType] = _VOCABULARY
"""Every fact that a rule may read, by path."""


def fact_type(path: str) -> FactType:
    """Return the type of a fact, also of one code of a set (``applicant.needs:lift``)."""
    return VOCABULARY[path.partition(":")[0]]


# ---------------------------------------------------------------------------------- reading a snapshot

SUBJECT_FACTS: Mapping[str, tuple[FactType, ...]] = {
    subject: tuple(fact for fact in VOCABULARY.values() if fact.subject == subject)
    for subject in dict.fromkeys(fact.subject for fact in VOCABULARY.values())
}

Facts = Mapping[str, Reading]


def read_facts(subject: str, record: Any, day: date) -> dict[str, Reading]:
    """Read all facts about one *subject* from its record, as they stand on *day*."""
    facts: dict[str, Reading] = {}
    for fact in SUBJECT_FACTS[subject]:
        value = fact.read(record, day)
        if fact.kind is Kind.CODES:
            facts.update(_spread_codes(fact, value))
        elif isinstance(value, StrEnum) and not isinstance(value, Missing):
            facts[fact.path] = value.value
        else:
            facts[fact.path] = value
    return facts


def _spread_codes(fact: FactType, value: Any) -> Iterable[tuple[str, Reading]]:
    assert fact.codes is not None
    if isinstance(value, Mapping):
        return ((f"{fact.path}:{code}", reading) for code, reading in value.items())
    if isinstance(value, Missing):
        return ((f"{fact.path}:{code}", value) for code in fact.codes)
    return ((f"{fact.path}:{code}", code in value) for code in fact.codes)


class Range(StrEnum):
    """What a rule is about: the unit itself, or each of several persons or entries."""

    UNIT = "unit"
    RESIDENT = "resident"
    CONFLICT = "conflict"
    ORDER = "order"
    VETO = "veto"


COMMON_SUBJECTS = frozenset({"case", "applicant", "choice", "unit", "group", "scheme"})
"""Subjects that every rule may read; a rule about each of a range may read that range's too."""

LIST_KNOWN_BY: Mapping[Range, str] = {
    Range.CONFLICT: "applicant.conflicts_asked",
    Range.ORDER: "applicant.orders_checked",
}
"""The fact without which a list proves nothing by being short (REQ-FVL-9b)."""


@dataclass(frozen=True)
class Item:
    """One member of a range: whom it is about, and its own facts."""

    about: tuple[str, ...]
    facts: Facts

    @cached_property
    def content(self) -> str:
        """What is known of it, without its ids: two members of whom the same is known are alike."""
        return "|".join("?" if isinstance(value, Missing) else str(value) for value in self.facts.values())


@dataclass(frozen=True)
class Zone:
    """An area so large that telling something about it tells nothing about one person in it."""

    name: str
    groups: frozenset[str]
    schemes: frozenset[str]


def is_placeholder(resident: Resident) -> bool:
    """Return whether a resident stands for somebody of whom only that they live there may be known.

    Their id is that of their unit, and nothing is known of them.
    """
    return resident.id == resident.unit and all(
        getattr(resident, name) == fact.default for name, fact in PersonFacts.model_fields.items()
    )


def needless_placeholders(case: Snapshot) -> frozenset[str]:
    """Return the placeholders without which every fact of *case* is read the same.

    They are those at whom no entry points, in a unit that would be read as lived in anyway.
    """
    pointed_at = {person for conflict in case.conflicts for person in (conflict.party, conflict.counterpart)}
    pointed_at |= {person for order in case.orders for person in (order.bound, order.protected)}
    pointed_at |= {applicant.resides_as for applicant in case.applicants}
    recorded = {resident.unit for resident in case.residents if not is_placeholder(resident)}
    given_notice = {
        unit.id
        for scheme in case.schemes
        for unit in scheme.units
        if unit.status is codes.UnitStatus.NOTICE_GIVEN
    }
    return frozenset(
        resident.id
        for resident in case.residents
        if is_placeholder(resident) and resident.id not in pointed_at | (recorded & given_notice)
    )


class CaseFacts:
    """A snapshot read into facts, once; candidates are put together from the parts.

    A placeholder (`is_placeholder`) stands for somebody whose address is strictly confidential (kode 6), in a
    snapshot for readers who must not learn that such a person exists. What it is read as is decided here, for
    all engines: as an occupant of whom nothing is recorded, such as any unit may have. The item is the same,
    with the unit's id and every fact `NOT_RECORDED`; no day on which they leave is known; and beside somebody
    who is known to live in the unit there is no such item. So the same is read of the case with it or
    without it. What it adds is a home: a conflict or an order that points at it is found where they live, so
    that a bar holds and nobody is told of whom.

    Args:
        case: The snapshot.
        gone: Residents to read as if they had moved out already.
    """

    def __init__(self, case: Snapshot, gone: frozenset[str] = frozenset()) -> None:
        self.case = case
        self.as_of = case.as_of
        self.applicants = {applicant.id: applicant for applicant in case.applicants}
        self.places: dict[str, Place] = {
            unit.id: Place(unit, group, scheme)
            for scheme in case.schemes
            for group in scheme.living_groups
            for unit in group.units
        }
        self._same_person = {
            applicant.id: applicant.resides_as for applicant in case.applicants if applicant.resides_as
        }
        self._home: dict[str, Place] = {}
        self._in_group: dict[str, list[Item]] = {}
        self.placeholders = frozenset(resident.id for resident in case.residents if is_placeholder(resident))
        known = [resident for resident in case.residents if resident.id not in self.placeholders]
        lived_in = {resident.unit for resident in known if case.lives_here(resident)}
        held = {r.unit for r in case.residents if r.id in self.placeholders and case.lives_here(r)}
        recorded = {resident.unit for resident in known} - (held - lived_in)
        for resident in sorted(case.residents, key=lambda r: r.id):
            if case.lives_here(resident) and resident.id not in gone:
                place = self.places[resident.unit]
                self._home[resident.id] = place
                if resident.id in self.placeholders:
                    continue
                item = Item((resident.id,), read_facts("resident", resident, self.as_of))
                self._in_group.setdefault(place.group.id, []).append(item)
        nobody = {fact.path: Missing.NOT_RECORDED for fact in SUBJECT_FACTS["resident"]}
        for unit_id, place in sorted(self.places.items()):
            if _has_unknown_occupant(place.unit, unit_id in recorded, unit_id in lived_in):
                self._in_group.setdefault(place.group.id, []).append(Item((unit_id,), nobody))
        self._scheme_facts = {scheme.id: read_facts("scheme", scheme, self.as_of) for scheme in case.schemes}
        self._unit_facts: dict[str, dict[str, Reading]] = {}
        self._applicant_facts: dict[str, dict[str, Reading]] = {}
        self._zones_by_size: dict[int, dict[str, Zone]] = {}
        self._involving: dict[str, list[Conflict]] = {}
        for conflict in sorted(case.conflicts, key=lambda c: c.id):
            for person in {self.person(conflict.party), self.person(conflict.counterpart)} - {None}:
                self._involving.setdefault(str(person), []).append(conflict)
        self._involving_in: dict[str, dict[str, list[Conflict]]] = {}
        self._scheme_of = {place.group.id: place.scheme.id for place in self.places.values()}
        self._binding: dict[str, list[Order]] = {}
        for order in sorted(case.orders, key=lambda o: o.id):
            for person in {self.person(order.bound), self.person(order.protected)} - {None}:
                self._binding.setdefault(str(person), []).append(order)
        self._against: dict[str, list[Veto]] = {}
        for veto in sorted(case.vetoes, key=lambda v: v.id):
            self._against.setdefault(veto.applicant, []).append(veto)

    def person(self, identifier: str | None) -> str | None:
        """Return the one id of a person who has an entry both as applicant and as resident."""
        return None if identifier is None else self._same_person.get(identifier, identifier)

    def candidate(self, applicant_id: str, unit_id: str, zone: Zone | None = None) -> Candidate:
        """Return the facts of one applicant in one unit.

        Args:
            applicant_id: The applicant.
            unit_id: The unit.
            zone: If given, whoever lives in the zone is read as living in the unit's own living group
                where conflicts and orders are concerned: what is said then of any unit of the zone is
                the same, whichever of its members it is about.

        Raises:
            KeyError: There is no such applicant or unit.
        """
        return Candidate(self, self.applicants[applicant_id], self.places[unit_id], zone)

    def zone(self, group_id: str, at_least: int) -> Zone:
        """Return the zone of a living group, in a division of the municipality where so many live in each."""
        return self._zones(at_least)[group_id]

    def _zones(self, at_least: int) -> dict[str, Zone]:
        if at_least not in self._zones_by_size:
            self._zones_by_size[at_least] = _partition(self.case, self.residents_in, at_least)
        return self._zones_by_size[at_least]

    def applicant_facts(self, applicant: Applicant) -> Facts:
        """Return the facts about the applicant."""
        if applicant.id not in self._applicant_facts:
            self._applicant_facts[applicant.id] = read_facts("applicant", applicant, self.as_of)
        return self._applicant_facts[applicant.id]

    def place_facts(self, place: Place) -> Facts:
        """Return the facts about the unit, its living group and its scheme."""
        if place.unit.id not in self._unit_facts:
            self._unit_facts[place.unit.id] = {
                **read_facts("unit", place, self.as_of),
                **read_facts("group", place, self.as_of),
                **self._scheme_facts[place.scheme.id],
            }
        return self._unit_facts[place.unit.id]

    def residents(self, applicant: Applicant, group: LivingGroup) -> tuple[Item, ...]:
        """Return the current residents of a living group, the applicant's own entry left out (E-10)."""
        return tuple(item for item in self.everyone_in(group) if item.about != (applicant.resides_as,))

    def everyone_in(self, group: LivingGroup) -> tuple[Item, ...]:
        """Return all current residents of a living group, by id."""
        return tuple(self._in_group.get(group.id, ()))

    @cached_property
    def residents_in(self) -> Mapping[str, int]:
        """How many live in each living group, those included of whom nothing is recorded."""
        return {place.group.id: len(self._in_group.get(place.group.id, ())) for place in self.places.values()}

    @cached_property
    def leavers(self) -> Mapping[str, tuple[Resident, ...]]:
        """Current residents who have given notice, by living group, earliest day first."""
        leaving: dict[str, list[Resident]] = {}
        for resident in self.case.residents:
            if resident.id in self.placeholders:
                continue
            if resident.move_out is not None and resident.id in self._home:
                leaving.setdefault(self._home[resident.id].group.id, []).append(resident)
        return {
            group: tuple(sorted(residents, key=lambda r: (r.move_out or self.as_of, r.id)))
            for group, residents in leaving.items()
        }

    def conflicts(self, applicant: Applicant, place: Place, zone: Zone | None = None) -> tuple[Item, ...]:
        """Return the applicant's conflict entries whose counterpart lives in, or visits, the scheme."""
        own = self.person(applicant.id)
        schemes = frozenset({place.scheme.id}) if zone is None else zone.schemes
        items = []
        for conflict in self._conflicts_near(str(own), zone, place.scheme.id):
            other = self.person(
                conflict.counterpart if self.person(conflict.party) == own else conflict.party
            )
            home = self._home.get(other) if other is not None else None
            near = None if home is None else _near(home, place, zone)
            if near is not None:
                about = (str(other),)
            elif other is None and schemes & conflict.frequents:
                near, about = Nearness.VISITS, (conflict.id,)
            else:
                continue
            record = NearConflict(conflict, near)
            items.append(Item(about, read_facts("conflict", record, self.as_of)))
        return tuple(items)

    def orders(self, applicant: Applicant, place: Place, zone: Zone | None = None) -> tuple[Item, ...]:
        """Return the restraining orders that touch this applicant in this scheme."""
        own = self.person(applicant.id)
        schemes = frozenset({place.scheme.id}) if zone is None else zone.schemes
        items = []
        for order in self._binding.get(str(own), ()):
            bound, protected = self.person(order.bound), self.person(order.protected)
            other = protected if own == bound else bound
            home = self._home.get(other) if other is not None else None
            if home is not None and _near(home, place, zone) is not None:
                about: tuple[str, ...] = (str(other),)
            elif own == bound and schemes & order.forbidden_schemes:
                about = (order.id,)
            else:
                continue
            items.append(Item(about, read_facts("order", order, self.as_of)))
        return tuple(items)

    def vetoes(self, applicant: Applicant, place: Place) -> tuple[Item, ...]:
        """Return the objections against this applicant that cover this unit."""
        return tuple(
            Item((veto.id,), read_facts("veto", veto, self.as_of))
            for veto in self._against.get(applicant.id, ())
            if _covers(veto, place)
        )

    def touched(self, applicant: Applicant) -> frozenset[str]:
        """Return the schemes in which a conflict, an order or an objection may concern the applicant.

        In any other scheme those lists are empty for this applicant.
        """
        own = self.person(applicant.id)
        conflicts, orders = self._involving.get(str(own), ()), self._binding.get(str(own), ())
        others = {self.person(p) for c in conflicts for p in (c.party, c.counterpart)}
        others |= {self.person(p) for o in orders for p in (o.bound, o.protected)}
        homes = (self._home[other] for other in others if other is not None and other in self._home)
        schemes = {home.scheme.id for home in homes}
        schemes.update(*(conflict.frequents for conflict in conflicts))
        schemes.update(*(order.forbidden_schemes for order in orders))
        for veto in self._against.get(applicant.id, ()):
            if veto.scheme is not None:
                schemes.add(veto.scheme)
            if veto.living_group in self._scheme_of:
                schemes.add(self._scheme_of[veto.living_group])
            if veto.unit in self.places:
                schemes.add(self.places[veto.unit].scheme.id)
        return frozenset(schemes)

    def _conflicts_near(self, own: str, zone: Zone | None, scheme: str) -> Iterable[Conflict]:
        """Return the conflict entries that may matter in a scheme: of any, if there is a zone."""
        if zone is not None:
            return self._involving.get(own, ())
        if own not in self._involving_in:
            near: dict[str, list[Conflict]] = {}
            for conflict in self._involving.get(own, ()):
                parties = (self.person(conflict.party), self.person(conflict.counterpart))
                homes = (
                    self._home[who].scheme.id for who in parties if who is not None and who in self._home
                )
                for where in dict.fromkeys((*homes, *sorted(conflict.frequents))):
                    near.setdefault(where, []).append(conflict)
            self._involving_in[own] = near
        return self._involving_in[own].get(scheme, ())

    def replaced(self, person: Applicant | Resident) -> CaseFacts:
        """Return the case with what is known of one person replaced; everything else is shared.

        Raises:
            KeyError: No such person is in the case.
            ValueError: It changes where somebody lives, or whether they may be known; then the case must be
                read anew.
        """
        new = copy(self)
        new.__dict__.pop("leavers", None)
        if isinstance(person, Applicant):
            if self.applicants[person.id].resides_as != person.resides_as:
                raise ValueError("`resides_as` has changed")
            new.applicants = {**self.applicants, person.id: person}
            new._applicant_facts = {i: f for i, f in self._applicant_facts.items() if i != person.id}  # noqa: SLF001 - of its own kind
            applicants = tuple(person if a.id == person.id else a for a in self.case.applicants)
            new.case = self.case.model_copy(update={"applicants": applicants})
            return new
        home = self._home[person.id]
        new.case = self.case.model_copy(
            update={"residents": tuple(person if r.id == person.id else r for r in self.case.residents)}
        )
        if home.unit.id != person.unit or not new.case.lives_here(person):
            raise ValueError("`unit` or a day of moving has changed")
        if is_placeholder(person) != (person.id in self.placeholders):
            raise ValueError("a placeholder has become known, or the other way round")
        if person.id in self.placeholders:
            return new
        item = Item((person.id,), read_facts("resident", person, self.as_of))
        group = tuple(item if old.about == item.about else old for old in self._in_group[home.group.id])
        new._in_group = {**self._in_group, home.group.id: list(group)}  # noqa: SLF001 - of its own kind
        return new

    def group_of(self, resident: str) -> LivingGroup:
        """Return the living group where a resident lives. Raises KeyError if nowhere."""
        return self._home[resident].group

    def choice_facts(self, applicant: Applicant, scheme: str) -> Facts:
        """Return what the applicant has said about a scheme."""
        return read_facts("choice", Choice(applicant.wishes, scheme), self.as_of)


def _has_unknown_occupant(unit: Unit, recorded: bool, lived_in: bool) -> bool:  # noqa: FBT001 - two facts
    """Return whether somebody lives in the unit of whom nothing is recorded."""
    match unit.status:
        case codes.UnitStatus.OCCUPIED:
            return not lived_in
        case codes.UnitStatus.NOTICE_GIVEN:
            return not recorded
        case _:
            return False


def _near(home: Place, place: Place, zone: Zone | None) -> Nearness | None:
    """Return how near a home is to a place; whoever lives in the zone lives as near as can be."""
    if home.group.id == place.group.id or (zone is not None and home.group.id in zone.groups):
        return Nearness.LIVING_GROUP
    return Nearness.SCHEME if home.scheme.id == place.scheme.id else None


def _partition(case: Snapshot, living: Mapping[str, int], at_least: int) -> dict[str, Zone]:
    """Divide the living groups into zones: none in which somebody lives holds fewer than *at_least*.

    A living group is a zone of its own if all groups of its scheme are large enough; else its scheme is
    one. Schemes that are too small are one zone together; if that is too small too, everything is one.
    The zones do not overlap, so that one zone's answer never tells in which part of another somebody is.
    """

    def too_few(number: int) -> bool:
        return 0 < number < at_least

    small: list[Scheme] = []
    zones: dict[str, Zone] = {}
    for scheme in case.schemes:
        groups = [group.id for group in scheme.living_groups]
        if not any(too_few(living.get(group, 0)) for group in groups):
            here = frozenset({scheme.id})
            zones |= {group: Zone(f"group {group}", frozenset({group}), here) for group in groups}
        elif too_few(sum(living.get(group, 0) for group in groups)):
            small.append(scheme)
        else:
            zones |= _one_zone(f"scheme {scheme.id}", [scheme])
    if too_few(sum(living.get(group.id, 0) for scheme in small for group in scheme.living_groups)):
        return _one_zone("municipality", case.schemes)
    return zones | _one_zone("small schemes", small)


def _one_zone(name: str, schemes: Iterable[Scheme]) -> dict[str, Zone]:
    schemes = list(schemes)
    groups = frozenset(group.id for scheme in schemes for group in scheme.living_groups)
    return dict.fromkeys(groups, Zone(name, groups, frozenset(scheme.id for scheme in schemes)))


def _covers(veto: Veto, place: Place) -> bool:
    return veto.unit == place.unit.id or veto.living_group == place.group.id or veto.scheme == place.scheme.id


class Candidate:
    """One applicant in one unit: the facts common to all rules, and the members of each range."""

    def __init__(
        self, source: CaseFacts, applicant: Applicant, place: Place, zone: Zone | None = None
    ) -> None:
        self.zone = zone
        self.source = source
        self.applicant = applicant
        self.place = place

    @cached_property
    def facts(self) -> Facts:
        """The facts that every rule may read."""
        return {
            "case.as_of": self.source.as_of,
            **self.source.applicant_facts(self.applicant),
            **self.source.choice_facts(self.applicant, self.place.scheme.id),
            **self.source.place_facts(self.place),
        }

    @cached_property
    def _ranges(self) -> Mapping[Range, tuple[Item, ...]]:
        source, applicant, place = self.source, self.applicant, self.place
        return {
            Range.UNIT: (Item((), {}),),
            Range.RESIDENT: source.residents(applicant, place.group),
            Range.CONFLICT: source.conflicts(applicant, place, self.zone),
            Range.ORDER: source.orders(applicant, place, self.zone),
            Range.VETO: source.vetoes(applicant, place),
        }

    def items(self, over: Range) -> tuple[Item, ...]:
        """Return the members of a range, in the order of their ids."""
        return self._ranges[over]
