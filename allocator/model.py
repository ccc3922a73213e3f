"""The facts: what a municipality knows when it asks for a suggestion.

Everything here is a frozen record. A :class:`Snapshot` is one municipality on one day (`as_of`) and is
the only input, beside a policy, that a suggestion depends on.

Three conventions hold throughout:

* An assessed fact about a person is an :class:`Assessed` value: it carries who said it, when, until when
  it holds, and whether anybody asked. A published attribute of a scheme or a unit is a plain value, and
  ``None`` means that nobody has published it. Both are *unknown* to the rules when they are missing.
* A list is a set: its order means nothing. Where order matters (ranked wishes) the rank is a field.
* Dates are calendar dates; intervals include their first day and, where the name says *until*, their
  last.

The codes are in :mod:`allocator.codes`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from allocator.codes import (
    AgreementForm,
    ConflictDirection,
    ConflictKind,
    ConflictReach,
    ConflictStatus,
    CounterpartRole,
    EntranceForm,
    EntryRequirement,
    FactSource,
    FactStatus,
    Fittings,
    Gender,
    Measure,
    Need,
    NightCover,
    OrderKind,
    PlacementKind,
    RiskHorizon,
    SchemeKind,
    Service,
    SobrietyRule,
    StaffRole,
    StayKind,
    SubstanceClass,
    SubstanceUse,
    TargetGroup,
    UnitPurpose,
    UnitStatus,
    VetoGround,
    VetoStatus,
    ViolenceConclusion,
    VisitRule,
    WindowHeight,
)

# --------------------------------------------------------------------------------------- plain types

TEMPLATE = "template"
"""Under this name a fault of a record gives what it is said by, before its values are put in."""

_ID = re.compile(r"[^\W_][\w.:-]{0,63}")

ID_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": f"^{_ID.pattern}$"}
"""What an id is, as JSON Schema has it."""


def _identifier(value: str) -> str:
    if not _ID.fullmatch(value):
        raise PydanticCustomError(
            "identifier",
            "an id of 1 to 64 letters, digits or one of . : _ - that begins with a letter or a digit",
        )
    return value


def _nfc(value: str) -> str:
    return unicodedata.normalize("NFC", value)


Id = Annotated[str, AfterValidator(_nfc), AfterValidator(_identifier), WithJsonSchema(ID_SCHEMA)]
"""An opaque key. It has no meaning and may be exchanged for any other."""


def _without_nul(value: str) -> str:
    """Refuse the one character that no database keeps in a text."""
    if "\0" in value:
        raise PydanticCustomError("nul", "text without the character U+0000")
    return value


WITHOUT_NUL = AfterValidator(_without_nul)
"""On every text that people write, so that each kind of database refuses the same."""


def _normal(most: int) -> AfterValidator:
    """Return what brings text into normal form C, in which some letters are longer than they were."""

    def normal(value: str) -> str:
        if len(made := _nfc(_without_nul(value))) > most:
            raise PydanticKnownError("string_too_long", {"max_length": most})
        return made

    return AfterValidator(normal)


Text = Annotated[str, StringConstraints(max_length=4000), _normal(4000)]
"""Free text, in Unicode normal form C. No rule reads it."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200), _normal(200)]

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
"""Days between which everything here happens."""

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _iso_date(value: object) -> object:
    """Let a date in as itself or as ``YYYY-MM-DD``; never as a number of seconds."""
    day = value
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError("iso_date", "a date that exists, as YYYY-MM-DD") from None
    if type(day) is not date:
        raise PydanticCustomError("iso_date", "a date written as YYYY-MM-DD")
    if not FIRST_DAY <= day <= LAST_DAY:
        raise PydanticCustomError("iso_date", "a date from 1900-01-01 to 2199-12-31")
    return day


Day = Annotated[
    date,
    BeforeValidator(_iso_date),
    WithJsonSchema({"type": "string", "format": "date", "pattern": "^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$"}),
]


def _yes(value: bool) -> bool:  # noqa: FBT001 - the value is what is checked
    if not value:
        raise PydanticCustomError("yes", "`true`, or another status than `known`")
    return value


Yes = Annotated[bool, AfterValidator(_yes)]
"""Said only when it is so; otherwise the status says what became of the question."""

Months = Annotated[int, Field(ge=0, le=1200)]
SquareMetres = Annotated[int, Field(ge=1, le=1000)]
Floor = Annotated[int, Field(ge=-5, le=60)]
"""Floor as Norwegians count: 1 is the ground floor, 0 and below are under it."""
Count = Annotated[int, Field(ge=0, le=10_000)]
MUNICIPALITY_CODE = r"^[0-9]{4}$"
UNIT_NUMBER = r"^[HLUK][0-9]{4}$"
MunicipalityCode = Annotated[str, StringConstraints(pattern=MUNICIPALITY_CODE)]
UnitNumber = Annotated[str, StringConstraints(pattern=UNIT_NUMBER)]
"""Number of a dwelling as in the cadastre: main floor, loft, basement or cellar, floor and number."""


class Record(BaseModel):
    """Base of all facts: frozen, and refusing what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


# ------------------------------------------------------------------------------------ assessed facts

T = TypeVar("T")

_KNOWN = "`{field}` for a fact whose status is `known`"
_UNHELD = "no `value` where the status is `{status}`: what was not given is not kept"


def _fault(kind: str, template: str, **values: str) -> PydanticCustomError:
    """Return a fault that is said with values; the template goes with it, so that it can be told anew."""
    return PydanticCustomError(kind, template, {**values, TEMPLATE: template})


_NOT_HELD = frozenset({FactStatus.REFUSED, FactStatus.WITHDRAWN, FactStatus.NOT_ASKED})


class Assessed(Record, Generic[T]):
    """A fact that somebody told or assessed.

    Attributes:
        value: What is known; ``None`` when nothing is.
        status: What became of the question. Anything but ``known`` is unknown to the rules.
        source: Who it comes from. Oral information needs `recorded_by` (REQ-FVL-6).
        recorded_on: The day it was told or assessed.
        recorded_by: The role or initials of the one who wrote it down.
        valid_until: The last day it holds; ``None`` means that no end is set. Expired is unknown.
    """

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Return the name used in the schema: ``AssessedGender``, ``AssessedDate``."""
        (kind,) = params
        inner = getattr(kind, "__args__", (kind,))[0]
        many = "s" if getattr(kind, "__origin__", None) is frozenset else ""
        names = {"bool": "YesNo", "int": "Number"}
        name = getattr(inner, "__name__", str(inner))
        return f"Assessed{names.get(name, name[:1].upper() + name[1:])}{many}"

    value: T | None = None
    status: FactStatus = FactStatus.KNOWN
    source: FactSource | None = None
    recorded_on: Day | None = None
    recorded_by: Name | None = None
    valid_until: Day | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.status is FactStatus.KNOWN:
            for name in ("value", "source", "recorded_on"):
                if getattr(self, name) is None:
                    raise _fault("known_fact", _KNOWN, field=name)
        if self.value is not None and self.status in _NOT_HELD:
            raise _fault("unheld_fact", _UNHELD, status=self.status.value)
        if self.source is FactSource.ORAL and self.recorded_by is None:
            raise PydanticCustomError("oral_fact", "`recorded_by` for oral information")
        if self.valid_until and self.recorded_on and self.valid_until < self.recorded_on:
            raise PydanticCustomError("date_order", "`valid_until` on or after `recorded_on`")
        return self

    def at(self, as_of: date) -> T | None:
        """Return the value if it is a fact on that day, else ``None``."""
        if self.status is not FactStatus.KNOWN:
            return None
        if self.valid_until is not None and self.valid_until < as_of:
            return None
        return self.value


class ExpiringAssessment(Record):
    """The frame of an assessment that must say how long it holds (REQ-PVN-2, REQ-RIS-1)."""

    status: FactStatus = FactStatus.KNOWN
    source: FactSource | None = None
    assessed_on: Day | None = None
    assessor_role: Name | None = None
    valid_until: Day | None = None

    @model_validator(mode="after")
    def _dated(self) -> Self:
        if self.status is FactStatus.KNOWN:
            for name in ("source", "assessed_on", "assessor_role", "valid_until"):
                if getattr(self, name) is None:
                    raise _fault("known_fact", _KNOWN, field=name)
        if self.valid_until and self.assessed_on and self.valid_until < self.assessed_on:
            raise PydanticCustomError("date_order", "`valid_until` on or after `assessed_on`")
        return self

    def holds(self, as_of: date) -> bool:
        """Return whether the assessment may be read as fact on *as_of*."""
        return self.status is FactStatus.KNOWN and self.valid_until is not None and self.valid_until >= as_of


class RiskAssessment(ExpiringAssessment):
    """A person's conclusion on violence, with the measures that would meet it.

    Only a long-horizon conclusion is a fact to the rules: ward screens such as BVC look a day ahead and
    must not decide where somebody lives (REQ-RIS-2).
    """

    conclusion: ViolenceConclusion | None = None
    horizon: RiskHorizon | None = None
    instrument: Name | None = None
    measures: frozenset[Measure] = frozenset()

    @model_validator(mode="after")
    def _concluded(self) -> Self:
        if self.status is FactStatus.KNOWN:
            for name in ("conclusion", "horizon"):
                if getattr(self, name) is None:
                    raise _fault("known_fact", _KNOWN, field=name)
        return self


class NeedsAssessment(ExpiringAssessment):
    """What the person needs. An empty set means: assessed, and nothing special is needed."""

    needs: frozenset[Need] = frozenset()
    services: frozenset[Service] = frozenset()


# -------------------------------------------------------------------------------------------- people


class Identified(Record):
    """Somebody or something with an id."""

    id: Id


class PersonFacts(Record):
    """What the rules may know about anyone who lives or may come to live in a scheme.

    National identity number, name, ethnicity, religion, nationality and sexual orientation are not
    fields, and neither is a refusal to share information or to have an individual plan (REQ-LDL-6,
    REQ-HEL-3).
    """

    birth_date: Assessed[Day] = Field(default=Assessed[Day](status=FactStatus.NOT_ASKED))
    gender: Assessed[Gender] = Field(default=Assessed[Gender](status=FactStatus.NOT_ASKED))
    rop: Assessed[bool] = Field(
        default=Assessed[bool](status=FactStatus.NOT_ASKED),
        description="Assessed to live with both a substance-use and a mental disorder.",
    )
    main_substance: Assessed[SubstanceClass] = Field(
        default=Assessed[SubstanceClass](status=FactStatus.NOT_ASKED)
    )
    substance_use: Assessed[SubstanceUse] = Field(default=Assessed[SubstanceUse](status=FactStatus.NOT_ASKED))
    heavy_use: Assessed[bool] = Field(
        default=Assessed[bool](status=FactStatus.NOT_ASKED),
        description="Assessed as an established heavy user.",
    )
    vulnerable: Assessed[bool] = Field(
        default=Assessed[bool](status=FactStatus.NOT_ASKED),
        description="Assessed as in great danger of being exploited or exposed to violence.",
    )
    risk: RiskAssessment = Field(default=RiskAssessment(status=FactStatus.NOT_ASKED))
    child_visits: Assessed[bool] = Field(
        default=Assessed[bool](status=FactStatus.NOT_ASKED),
        description="Own children come to visit at home.",
    )


class ApplicantFacts(PersonFacts):
    """What the rules may also know about somebody whose housing is considered."""

    needs: NeedsAssessment = Field(default=NeedsAssessment(status=FactStatus.NOT_ASKED))
    target_groups: Assessed[frozenset[TargetGroup]] = Field(
        default=Assessed[frozenset[TargetGroup]](status=FactStatus.NOT_ASKED)
    )
    conflicts_asked: Assessed[Yes] = Field(
        default=Assessed[Yes](status=FactStatus.NOT_ASKED),
        description="Somebody asked about enemies; without it an empty list proves nothing (REQ-FVL-9b).",
    )
    orders_checked: Assessed[Yes] = Field(
        default=Assessed[Yes](status=FactStatus.NOT_ASKED),
        description="Somebody checked for restraining orders.",
    )


class Person(PersonFacts, Identified):
    """Anyone who lives or may come to live in a scheme."""


class Wish(Record):
    """A scheme that the applicant would like; rank 1 is dearest, and two may share a rank."""

    scheme: Id
    rank: Annotated[int, Field(ge=1, le=100)]


class Reservation(Record):
    """A place where the applicant does not want to live. The reason is theirs to give or not."""

    scheme: Id
    reason: Text | None = None


class Wishes(Record):
    """The applicant's own say, with the day it was asked for (REQ-BSL-4)."""

    obtained_on: Day
    preferred: tuple[Wish, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    comment: Text | None = None


class Placement(Record):
    """What is asked for: when, for how long, and whether in a crisis."""

    kind: PlacementKind = PlacementKind.ORDINARY
    needed_from: Day | None = Field(default=None, description="Missing means: from `as_of`.")
    review_by: Day | None = Field(default=None, description="When a crisis placement is looked at again.")
    stay: Assessed[StayKind] = Field(default=Assessed[StayKind](status=FactStatus.NOT_ASKED))
    stay_months: Assessed[Months] = Field(
        default=Assessed[Months](status=FactStatus.NOT_ASKED),
        description="Length of a limited stay, in months.",
    )


class Applicant(ApplicantFacts, Person):
    """A person whose housing is considered."""

    waiting_since: Day
    wishes: Wishes | None = Field(default=None, description="Missing means: not obtained.")
    placement: Placement = Placement()
    resides_as: Id | None = Field(
        default=None, description="The applicant's own entry among the residents, if they live there now."
    )
    responsible_municipality: MunicipalityCode | None = Field(
        default=None, description="Who pays, when it is another municipality or district (E-31)."
    )


class Resident(Person):
    """A person who lives in a unit on `as_of`, also while in hospital or prison (E-12).

    A notice is not a vacancy: the resident is one until the day of `move_out` has passed (E-11).
    """

    unit: Id
    moved_in: Day | None = None
    move_out: Day | None = Field(default=None, description="Last day in the unit, when notice is given.")
    household: Id | None = Field(
        default=None, description="Those who share a unit have the same (E-09); missing means: lives alone."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.moved_in and self.move_out and self.move_out < self.moved_in:
            raise PydanticCustomError("date_order", "`move_out` on or after `moved_in`")
        return self


# ------------------------------------------------------------------------------------------- housing


class Evidence(Record):
    """Where a published attribute is published."""

    source: Name = Field(description="Key of a citation in `allocator.rules.sources`.")
    section: Name
    note: Text | None = None


class UnitFacts(Record):
    """What is published or measured of one dwelling, whoever lives there."""

    unit_no: UnitNumber | None = None
    purpose: UnitPurpose = UnitPurpose.HOME
    floor: Floor | None = None
    lift: bool | None = None
    step_free: bool | None = None
    area_m2: SquareMetres | None = None
    bedroom: bool | None = None
    exits: Annotated[int, Field(ge=1, le=9)] | None = None
    window_height: WindowHeight | None = None
    sightline_from_base: bool | None = None
    built_below: bool | None = Field(default=None, description="There is a built area under the unit.")
    water_protected: bool | None = None
    ligature_safe: bool | None = None
    fire_safe: bool | None = None
    pets_allowed: bool | None = None
    quiet: bool | None = None
    entrance: EntranceForm | None = None
    fittings: Fittings | None = None
    max_stay_months: Months | None = None
    min_stay_months: Months | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        longest, shortest = self.max_stay_months, self.min_stay_months
        if longest is not None and shortest is not None and longest < shortest:
            raise PydanticCustomError("order", "`max_stay_months` of at least `min_stay_months`")
        return self


class Unit(UnitFacts, Identified):
    """One dwelling (*boenhet*)."""

    status: UnitStatus
    vacant_since: Day | None = None
    vacant_from: Day | None = Field(
        default=None, description="Day from which a unit that is not vacant yet can be moved into."
    )

    @model_validator(mode="after")
    def _vacancy(self) -> Self:
        if self.status is not UnitStatus.VACANT and self.vacant_since is not None:
            raise PydanticCustomError("vacant_since", "`vacant_since` only where the status is `vacant`")
        return self


class LivingGroup(Record):
    """Units whose residents meet daily (*bogruppe*). Resident-mix rules look inside one of these."""

    id: Id
    name: Name
    units: tuple[Unit, ...]


class EntryCondition(Record):
    """What everyone who gets a place must fulfil, and whether that is formally adopted."""

    requires: EntryRequirement
    adopted: bool | None = Field(default=None, description="Adopted by the municipality, not just said.")
    document: Name | None = Field(default=None, description="Reference to the adopted document.")

    @model_validator(mode="after")
    def _documented(self) -> Self:
        if self.adopted and self.document is None:
            raise PydanticCustomError("document", "`document` for an adopted entry condition")
        return self


class GenderCondition(Record):
    """A scheme for one gender. Only an adopted, documented and reviewed condition works (E-02)."""

    gender: Literal[Gender.WOMAN, Gender.MAN]
    document: Name
    review_by: Day


class SchemeFacts(Record):
    """What is published of a scheme. ``None`` is unknown, never a guess."""

    name: Name
    municipality: MunicipalityCode | None = None
    kind: SchemeKind | None = None
    described_as: Text | None = Field(
        default=None, description="The scheme in its own words; a description, never a rule."
    )
    target_groups: frozenset[TargetGroup] | None = None
    entry_condition: EntryCondition | None = None
    gender_condition: GenderCondition | None = None
    sobriety_rule: SobrietyRule | None = None
    unit_count: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None, description="Published number of homes, also those that are not listed here."
    )
    staff_day: Count | None = None
    staff_evening: Count | None = None
    staff_night: Count | None = None
    night_cover: NightCover | None = None
    services: frozenset[Service] | None = None
    measures: frozenset[Measure] | None = None
    offer_complete: bool = Field(
        default=True,
        description="`services` and `measures` are the whole offer; if not, what they leave out is unknown.",
    )
    cameras: bool | None = None
    entrance: EntranceForm | None = None
    fittings: Fittings | None = None
    common_rooms: bool | None = None
    near_hospital: bool | None = None
    near_transport: bool | None = None
    activities_on_site: bool | None = None
    institution_like: bool | None = None
    visit_rule: VisitRule | None = None
    first_agreement: AgreementForm | None = None
    agreement_max_months: Months | None = None
    agreement_leads_to_tenancy: bool | None = None
    opened_year: Annotated[int, Field(ge=1800, le=2199)] | None = None
    built_year: Annotated[int, Field(ge=1800, le=2199)] | None = None
    linked_users: Count | None = Field(default=None, description="People served who live elsewhere.")
    evidence: dict[Name, Evidence] = Field(
        default_factory=dict, description="Published attribute -> where it is published."
    )


class Scheme(SchemeFacts, Identified):
    """Housing with staff and a target group (*botiltak*)."""

    living_groups: tuple[LivingGroup, ...] = ()

    @property
    def units(self) -> Iterator[Unit]:
        """All units of the scheme that are listed."""
        for group in self.living_groups:
            yield from group.units


# ----------------------------------------------------------------- what binds and separates people


class Conflict(Record):
    """Two who should be kept apart. `party` and `counterpart` may be exchanged without any effect.

    A counterpart who lives nowhere in the system (a visitor, a relative) has no entry of their own: only
    `counterpart_role` and the schemes they frequent are kept (E-06).
    """

    id: Id
    party: Id
    counterpart: Id | None = None
    counterpart_role: CounterpartRole = CounterpartRole.RESIDENT
    frequents: frozenset[Id] = Field(default=frozenset(), description="Schemes that a visitor frequents.")
    kind: ConflictKind
    direction: ConflictDirection
    status: ConflictStatus
    confirmed: bool = Field(default=False, description="A second source has confirmed it.")
    source: FactSource
    recorded_on: Day
    last_confirmed: Day | None = None
    reach: ConflictReach = ConflictReach.SCHEME

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.counterpart is not None and self.counterpart == self.party:
            raise PydanticCustomError("self_conflict", "two different persons in a conflict")
        outside = self.counterpart_role in (CounterpartRole.VISITOR, CounterpartRole.NEXT_OF_KIN)
        if self.counterpart is None and not outside:
            raise PydanticCustomError("counterpart", "`counterpart` for a resident or an applicant")
        if self.counterpart is not None and outside:
            raise PydanticCustomError(
                "counterpart", "no `counterpart` for a visitor or next of kin: no file is opened on them"
            )
        if self.frequents and not outside:
            raise PydanticCustomError("frequents", "`frequents` only for a visitor or next of kin")
        if self.last_confirmed and self.last_confirmed < self.recorded_on:
            raise PydanticCustomError("date_order", "`last_confirmed` on or after `recorded_on`")
        return self


class Order(Record):
    """A restraining order. The rules read no more of it than whether it holds here (REQ-PVN-7)."""

    id: Id
    kind: OrderKind
    bound: Id = Field(description="The person who must stay away.")
    protected: Id | None = Field(default=None, description="Missing when they are in no register here.")
    forbidden_schemes: frozenset[Id] = frozenset()
    valid_from: Day
    valid_until: Day
    verified: bool = Field(default=False, description="Somebody has seen the order itself.")
    reference: Name | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.valid_until < self.valid_from:
            raise PydanticCustomError("date_order", "`valid_until` on or after `valid_from`")
        if self.protected is not None and self.protected == self.bound:
            raise PydanticCustomError("self_conflict", "two different persons in an order")
        if self.protected is None and not self.forbidden_schemes:
            raise PydanticCustomError("order_reach", "`protected` or `forbidden_schemes`, or both")
        return self


class VetoFact(Record):
    """The dated fact or event that an objection rests on."""

    observed_on: Day
    source: FactSource
    text: Text


class Veto(Record):
    """A reasoned objection by scheme staff (*innvending*), against an applicant in one place.

    Exactly one of `unit`, `living_group` and `scheme` says where. It binds nobody: the committee answers
    it in writing, and it ends by itself after `valid_until`.
    """

    id: Id
    applicant: Id
    unit: Id | None = None
    living_group: Id | None = None
    scheme: Id | None = None
    ground: VetoGround
    fact: VetoFact
    author_role: StaffRole
    raised_on: Day
    valid_until: Day
    status: VetoStatus = VetoStatus.OPEN

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if sum(place is not None for place in (self.unit, self.living_group, self.scheme)) != 1:
            raise PydanticCustomError("veto_scope", "exactly one of `unit`, `living_group` and `scheme`")
        if self.valid_until < self.raised_on:
            raise PydanticCustomError("date_order", "`valid_until` on or after `raised_on`")
        if self.raised_on < self.fact.observed_on:
            raise PydanticCustomError("date_order", "`raised_on` on or after the fact's `observed_on`")
        return self


# ------------------------------------------------------------------------------------- the snapshot


class Municipality(Record):
    """Whose snapshot it is."""

    code: MunicipalityCode
    name: Name


class Problem(Record):
    """One thing wrong with a document: where, and what is expected there.

    Attributes:
        path: The place.
        expected: What is expected there, in English; never what stands there.
        template: The same before its values were put in, by which it is told in other languages; empty if it
            has none.
        values: These values by name: days, numbers, places and codes, which are alike in all languages.
        words: The same in other languages, by language, where it is put together anew each time.
    """

    path: str
    expected: str
    template: str = ""
    values: tuple[tuple[str, str], ...] = ()
    words: tuple[tuple[str, str], ...] = ()


def expecting(path: str, template: str, **values: object) -> Problem:
    """Return that something is expected at a place, said with some values."""
    said = {name: str(value) for name, value in values.items()}
    filled = template.format(**said)
    return Problem(path=path, expected=filled, template=template, values=tuple(said.items()))


class InconsistentSnapshotError(ValueError):
    """The records are sound one by one but do not fit together."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{p.path}: {p.expected}" for p in problems))
        self.problems = problems


class Snapshot(Record):
    """One municipality on one day: everything a suggestion depends on beside the policy."""

    schema_version: Annotated[int, Field(ge=1, le=1)] = 1
    as_of: Day
    municipality: Municipality | None = None
    notes: Text | None = Field(default=None, description="What this case is; no rule reads it.")
    schemes: Annotated[tuple[Scheme, ...], FailFast()] = ()
    residents: Annotated[tuple[Resident, ...], FailFast()] = ()
    applicants: Annotated[tuple[Applicant, ...], FailFast()] = ()
    conflicts: Annotated[tuple[Conflict, ...], FailFast()] = ()
    orders: Annotated[tuple[Order, ...], FailFast()] = ()
    vetoes: Annotated[tuple[Veto, ...], FailFast()] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = tuple(inconsistencies(self))
        if problems:
            raise InconsistentSnapshotError(problems)
        return self

    def lives_here(self, resident: Resident) -> bool:
        """Return whether *resident* still lives in their unit on `as_of`."""
        return resident.move_out is None or resident.move_out >= self.as_of


ADULT_AGE = 18
"""Younger people are the responsibility of child welfare, not of an allocation committee (E-21)."""


def age_on(birth_date: date, day: date) -> int:
    """Return completed years on *day*. Someone born on 29 February turns a year older on 1 March."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


_A_RESIDENT = "the id of a resident in this document"
_AN_APPLICANT = "the id of an applicant in this document"
_A_PERSON = "the id of a resident or an applicant in this document"
_A_SCHEME = "the id of a scheme in this document"
_A_GROUP = "the id of a living group in this document"
_A_UNIT = "the id of a unit in this document"


def inconsistencies(case: Snapshot, also_known: frozenset[str] = frozenset()) -> Iterator[Problem]:
    """Yield everything in *case* that does not fit together, in document order.

    Args:
        case: The snapshot; it may have been put together from those records of a document that are sound.
        also_known: Ids that are in the document but not in *case*, because their own record is unsound.
            Pointing at one of these is not reported a second time.
    """
    yield from _repeated_ids(case)
    groups: dict[str, str] = {}
    units: dict[str, Unit] = {}
    schemes = {scheme.id for scheme in case.schemes}
    for scheme in case.schemes:
        for group in scheme.living_groups:
            groups[group.id] = scheme.id
            units.update((unit.id, unit) for unit in group.units)
    residents = {resident.id for resident in case.residents}
    applicants = {applicant.id for applicant in case.applicants}
    people = residents | applicants | also_known

    def points_at(path: str, value: str | None, targets: Iterable[str], expected: str) -> Iterator[Problem]:
        if value is not None and value not in targets and value not in also_known:
            yield Problem(path=path, expected=expected)

    yield from _occupancy(case, units, also_known)
    moving: dict[str, int] = {}
    for i, applicant in enumerate(case.applicants):
        at = f"/applicants/{i}"
        yield from _adult(f"{at}/birth_date/value", applicant, case.as_of)
        yield from points_at(f"{at}/resides_as", applicant.resides_as, residents, _A_RESIDENT)
        first = moving.setdefault(applicant.resides_as or f"nobody {i}", i)
        if first != i:
            yield expecting(
                f"{at}/resides_as",
                "a resident of their own; {other} has that one",
                other=f"/applicants/{first}",
            )
        if applicant.wishes is not None:
            for j, wish in enumerate(applicant.wishes.preferred):
                yield from points_at(f"{at}/wishes/preferred/{j}/scheme", wish.scheme, schemes, _A_SCHEME)
            for j, reservation in enumerate(applicant.wishes.reservations):
                yield from points_at(
                    f"{at}/wishes/reservations/{j}/scheme", reservation.scheme, schemes, _A_SCHEME
                )
    for i, conflict in enumerate(case.conflicts):
        at = f"/conflicts/{i}"
        yield from points_at(f"{at}/party", conflict.party, people, _A_PERSON)
        yield from points_at(f"{at}/counterpart", conflict.counterpart, people, _A_PERSON)
        for place in sorted(conflict.frequents):
            yield from points_at(f"{at}/frequents", place, schemes, _A_SCHEME)
        yield from _same_person(at, case, conflict.party, conflict.counterpart)
    for i, order in enumerate(case.orders):
        at = f"/orders/{i}"
        yield from points_at(f"{at}/bound", order.bound, people, _A_PERSON)
        yield from points_at(f"{at}/protected", order.protected, people, _A_PERSON)
        for place in sorted(order.forbidden_schemes):
            yield from points_at(f"{at}/forbidden_schemes", place, schemes, _A_SCHEME)
        yield from _same_person(at, case, order.bound, order.protected)
    for i, veto in enumerate(case.vetoes):
        at = f"/vetoes/{i}"
        yield from points_at(f"{at}/applicant", veto.applicant, applicants, _AN_APPLICANT)
        yield from points_at(f"{at}/unit", veto.unit, units, _A_UNIT)
        yield from points_at(f"{at}/living_group", veto.living_group, groups, _A_GROUP)
        yield from points_at(f"{at}/scheme", veto.scheme, schemes, _A_SCHEME)


def _repeated_ids(case: Snapshot) -> Iterator[Problem]:
    seen: dict[tuple[str, str], str] = {}

    def check(kind: str, path: str, value: str) -> Iterator[Problem]:
        first = seen.setdefault((kind, value), path)
        if first != path:
            yield expecting(path, "an id of its own; {other} has the same one", other=first)

    for i, scheme in enumerate(case.schemes):
        yield from check("place", f"/schemes/{i}/id", scheme.id)
        for j, group in enumerate(scheme.living_groups):
            yield from check("place", f"/schemes/{i}/living_groups/{j}/id", group.id)
            for k, unit in enumerate(group.units):
                yield from check("place", f"/schemes/{i}/living_groups/{j}/units/{k}/id", unit.id)
    for i, resident in enumerate(case.residents):
        yield from check("person", f"/residents/{i}/id", resident.id)
    for i, applicant in enumerate(case.applicants):
        yield from check("person", f"/applicants/{i}/id", applicant.id)
    for i, conflict in enumerate(case.conflicts):
        yield from check("conflict", f"/conflicts/{i}/id", conflict.id)
    for i, order in enumerate(case.orders):
        yield from check("order", f"/orders/{i}/id", order.id)
    for i, veto in enumerate(case.vetoes):
        yield from check("veto", f"/vetoes/{i}/id", veto.id)


def _occupancy(case: Snapshot, units: dict[str, Unit], also_known: frozenset[str]) -> Iterator[Problem]:
    living_in: dict[str, int] = {}
    lived_in = (UnitStatus.OCCUPIED, UnitStatus.NOTICE_GIVEN)
    for i, resident in enumerate(case.residents):
        at = f"/residents/{i}"
        yield from _adult(f"{at}/birth_date/value", resident, case.as_of)
        if resident.moved_in and resident.moved_in > case.as_of:
            yield Problem(path=f"{at}/moved_in", expected="a day on or before `as_of`")
        unit = units.get(resident.unit)
        if unit is None:
            if resident.unit not in also_known:
                yield Problem(path=f"{at}/unit", expected=_A_UNIT)
            continue
        if not case.lives_here(resident):
            continue
        first = living_in.setdefault(resident.unit, i)
        if first != i and (
            resident.household is None or case.residents[first].household != resident.household
        ):
            yield expecting(
                f"{at}/unit",
                "a unit where nobody else lives; {other} lives there",
                other=f"/residents/{first}",
            )
        if unit.status not in lived_in:
            yield expecting(
                f"{at}/unit",
                "a unit whose status is `occupied` or `notice_given`, not `{status}`",
                status=unit.status,
            )


def _adult(path: str, person: Person, as_of: date) -> Iterator[Problem]:
    born = person.birth_date.value
    if born is None:
        return
    if born > as_of:
        yield Problem(path=path, expected="a birth date on or before `as_of`")
    elif age_on(born, as_of) < ADULT_AGE:
        yield expecting(
            path, "a person of at least {years} years on `as_of`; younger is child welfare", years=ADULT_AGE
        )


def _same_person(path: str, case: Snapshot, one: str, other: str | None) -> Iterator[Problem]:
    for applicant in case.applicants:
        if applicant.resides_as is not None and {one, other} == {applicant.id, applicant.resides_as}:
            yield Problem(path=path, expected="two different persons; these two ids are one person")
