"""Small cases made in code: everything is assessed and suits, so that a single changed fact shows.

``a_case()`` is one house with five residents and one vacant unit, and one applicant of whom everything is
known and whom nothing speaks against: the verdict is *suitable* and the score 100.
"""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

from allocator.codes import (
    ConflictDirection,
    ConflictKind,
    ConflictReach,
    ConflictStatus,
    FactSource,
    FactStatus,
    Gender,
    Measure,
    Need,
    OrderKind,
    RiskHorizon,
    SchemeKind,
    Service,
    StaffRole,
    StayKind,
    SubstanceClass,
    SubstanceUse,
    TargetGroup,
    UnitStatus,
    VetoGround,
    ViolenceConclusion,
)
from allocator.disclosure import Reader
from allocator.explain import document
from allocator.model import (
    Applicant,
    Assessed,
    Conflict,
    LivingGroup,
    NeedsAssessment,
    Order,
    Placement,
    Record,
    Resident,
    RiskAssessment,
    Scheme,
    Snapshot,
    Unit,
    Veto,
    VetoFact,
    Wishes,
)
from allocator.policy import Policy
from allocator.scoring import Assessment, Finding, Suggestions, Verdict, suggest
from tests.strategies import DEFAULT_POLICY, default_policy

T = TypeVar("T")
R = TypeVar("R", bound=Record)

TODAY = date(2026, 11, 22)
YESTERDAY = TODAY - timedelta(days=1)
TOMORROW = TODAY + timedelta(days=1)
LONG_AGO = date(2026, 1, 1)
NEXT_YEAR = date(2027, 10, 1)

# -------------------------------------------------------------------------------------------- people


def known(value: T, **given: Any) -> Assessed[T]:
    """Return a fact that somebody has told."""
    told = {"source": FactSource.STAFF, "recorded_on": LONG_AGO, "recorded_by": "saksbehandler"}
    return Assessed(value=value, **{**told, **given})


def not_held(status: FactStatus = FactStatus.NOT_ASKED) -> Assessed[Any]:
    """Return a question without an answer."""
    return Assessed(status=status)


def expired(value: T) -> Assessed[T]:
    """Return a fact that held until yesterday."""
    return known(value, valid_until=YESTERDAY)


def disputed(value: T) -> Assessed[T]:
    """Return a fact that the person disputes."""
    return known(value, status=FactStatus.DISPUTED)


def _frame(until: date) -> dict[str, Any]:
    return {
        "source": FactSource.ASSESSMENT,
        "assessed_on": LONG_AGO,
        "assessor_role": "kartlegger",
        "valid_until": until,
    }


def a_risk(
    conclusion: ViolenceConclusion = ViolenceConclusion.NONE_KNOWN,
    *measures: Measure,
    horizon: RiskHorizon = RiskHorizon.LONG,
    until: date = NEXT_YEAR,
) -> RiskAssessment:
    """Return a risk assessment."""
    return RiskAssessment(
        conclusion=conclusion, horizon=horizon, measures=frozenset(measures), **_frame(until)
    )


def some_needs(*needs: Need | Service, until: date = NEXT_YEAR) -> NeedsAssessment:
    """Return a needs assessment; without arguments: assessed, and nothing special is needed."""
    return NeedsAssessment(
        needs=frozenset(need for need in needs if isinstance(need, Need)),
        services=frozenset(need for need in needs if isinstance(need, Service)),
        **_frame(until),
    )


def a_person() -> dict[str, Any]:
    """Return the facts of a man of fifty whom no rule speaks against, nor for."""
    return {
        "birth_date": known(date(1976, 5, 17)),
        "gender": known(Gender.MAN),
        "rop": known(value=True),
        "main_substance": known(SubstanceClass.OPIOIDS),
        "substance_use": known(SubstanceUse.ACTIVE),
        "heavy_use": known(value=False),
        "vulnerable": known(value=False),
        "risk": a_risk(),
        "child_visits": known(value=False),
    }


HIGH_RISK = a_risk(ViolenceConclusion.ASSESSED_HIGH)


def an_applicant(identifier: str = "a", **given: Any) -> Applicant:
    """Return an applicant of whom everything is known."""
    facts = {
        **a_person(),
        "waiting_since": LONG_AGO,
        "needs": some_needs(),
        "target_groups": known(frozenset({TargetGroup.ROP})),
        "wishes": Wishes(obtained_on=LONG_AGO),
        "placement": Placement(stay=known(StayKind.PERMANENT)),
        "conflicts_asked": known(value=True),
        "orders_checked": known(value=True),
    }
    return Applicant(id=identifier, **{**facts, **given})


def a_resident(identifier: str, unit: str, **given: Any) -> Resident:
    """Return a resident of whom everything is known."""
    return Resident(id=identifier, unit=unit, **{**a_person(), "moved_in": date(2020, 1, 1), **given})


# -------------------------------------------------------------------------------------------- houses


def a_unit(identifier: str, status: UnitStatus = UnitStatus.VACANT, **given: Any) -> Unit:
    """Return a dwelling on the ground floor of which everything is published."""
    facts: dict[str, Any] = {
        "floor": 1,
        "lift": False,
        "step_free": True,
        "area_m2": 45,
        "bedroom": True,
        "exits": 2,
        "window_height": "high",
        "sightline_from_base": True,
        "built_below": False,
        "water_protected": True,
        "ligature_safe": True,
        "fire_safe": True,
        "pets_allowed": True,
        "quiet": True,
        "entrance": "own",
        "fittings": "porcelain",
    }
    if status is UnitStatus.VACANT:
        facts["vacant_since"] = YESTERDAY
    return Unit.model_validate({"id": identifier, "status": status, **facts, **given}, strict=False)


@dataclass(frozen=True)
class House:
    """A scheme with those who live there."""

    scheme: Scheme
    residents: tuple[Resident, ...]


def a_house(
    name: str = "hus", living: Sequence[int] = (5,), vacant: Sequence[int] | None = None, **given: Any
) -> House:
    """Return a scheme of which everything is published.

    Its living groups are ``hus-1``, ``hus-2`` and so on; the lived-in units of the first are ``hus-1-b1``,
    ``hus-1-b2`` ..., its vacant ones ``hus-1-v1`` ..., and ``hus-1-r1`` lives in ``hus-1-b1``.

    Args:
        name: Id of the scheme.
        living: How many live in each living group.
        vacant: How many units are vacant in each; one, if not given.
        given: Attributes of the scheme.
    """
    groups, residents = [], []
    for i, (number, free) in enumerate(zip(living, vacant or [1] * len(living), strict=True), start=1):
        group = f"{name}-{i}"
        lived_in = [a_unit(f"{group}-b{j}", UnitStatus.OCCUPIED) for j in range(1, number + 1)]
        open_units = [a_unit(f"{group}-v{j}") for j in range(1, free + 1)]
        groups.append(LivingGroup(id=group, name=f"Gruppe {i}", units=(*lived_in, *open_units)))
        residents += [a_resident(f"{group}-r{j}", f"{group}-b{j}") for j in range(1, number + 1)]
    facts: dict[str, Any] = {
        "name": f"Botiltaket {name}",
        "kind": SchemeKind.CO_LOCATED,
        "target_groups": frozenset({TargetGroup.ROP}),
        "entry_condition": {"requires": "none", "adopted": False},
        "unit_count": 6,
        "night_cover": "on_site",
        "services": frozenset(Service),
        "measures": frozenset({Measure.ALARM}),
        "cameras": False,
        "near_hospital": False,
        "near_transport": True,
        "activities_on_site": True,
        "institution_like": False,
        "visit_rule": "free",
        "first_agreement": "tenancy_open",
        "agreement_max_months": 36,
        "agreement_leads_to_tenancy": True,
    }
    content = {"id": name, "living_groups": tuple(groups), **facts, **given}
    return House(Scheme.model_validate(content, strict=False), tuple(residents))


# ------------------------------------------------------------------------------------- what separates


def a_conflict(party: str, counterpart: str | None, **given: Any) -> Conflict:
    """Return a confirmed, mutual and recent conflict; who it is with decides how near is too near."""
    facts: dict[str, Any] = {
        "id": f"k-{party}-{counterpart}",
        "kind": ConflictKind.ENEMY,
        "direction": ConflictDirection.MUTUAL,
        "status": ConflictStatus.ACTIVE,
        "confirmed": True,
        "source": FactSource.STAFF,
        "recorded_on": LONG_AGO,
        "reach": ConflictReach.SCHEME,
    }
    return Conflict(party=party, counterpart=counterpart, **{**facts, **given})


def an_order(bound: str, protected: str | None, **given: Any) -> Order:
    """Return a restraining order that is in force and verified."""
    facts: dict[str, Any] = {
        "id": f"o-{bound}-{protected}",
        "kind": OrderKind.VISITING_BAN,
        "valid_from": LONG_AGO,
        "valid_until": TOMORROW,
        "verified": True,
    }
    return Order(bound=bound, protected=protected, **{**facts, **given})


def a_veto(**given: Any) -> Veto:
    """Return an open objection of scheme staff against the applicant."""
    facts: dict[str, Any] = {
        "id": "v",
        "applicant": "a",
        "ground": VetoGround.STAFF_SAFETY,
        "fact": VetoFact(observed_on=LONG_AGO, source=FactSource.STAFF, text="Hendelse i fellesstua."),
        "author_role": StaffRole.SCHEME_STAFF,
        "raised_on": YESTERDAY,
        "valid_until": TOMORROW,
    }
    return Veto(**{**facts, **given})


# ------------------------------------------------------------------------------------------ the case


def a_case(
    *houses: House,
    applicants: Iterable[Applicant] | None = None,
    conflicts: Iterable[Conflict] = (),
    orders: Iterable[Order] = (),
    vetoes: Iterable[Veto] = (),
    as_of: date = TODAY,
) -> Snapshot:
    """Return a case; without arguments, one house with one vacant unit that suits the one applicant."""
    houses = houses or (a_house(),)
    return Snapshot(
        as_of=as_of,
        schemes=tuple(house.scheme for house in houses),
        residents=tuple(resident for house in houses for resident in house.residents),
        applicants=(an_applicant(),) if applicants is None else tuple(applicants),
        conflicts=tuple(conflicts),
        orders=tuple(orders),
        vetoes=tuple(vetoes),
    )


def changed(record: R, **given: Any) -> R:
    """Return a record with some fields changed, checked anew."""
    return type(record).model_validate({**dict(record), **given})


def with_person(case: Snapshot, identifier: str, **given: Any) -> Snapshot:
    """Return the case with facts of one applicant or resident changed."""
    return changed(
        case,
        applicants=tuple(changed(p, **given) if p.id == identifier else p for p in case.applicants),
        residents=tuple(changed(p, **given) if p.id == identifier else p for p in case.residents),
    )


def with_scheme(case: Snapshot, identifier: str, **given: Any) -> Snapshot:
    """Return the case with attributes of one scheme changed."""
    return changed(
        case, schemes=tuple(changed(s, **given) if s.id == identifier else s for s in case.schemes)
    )


def with_unit(case: Snapshot, identifier: str, **given: Any) -> Snapshot:
    """Return the case with attributes of one unit changed."""

    def of_group(group: LivingGroup) -> LivingGroup:
        units = tuple(changed(u, **given) if u.id == identifier else u for u in group.units)
        return changed(group, units=units)

    schemes = tuple(
        changed(scheme, living_groups=tuple(map(of_group, scheme.living_groups))) for scheme in case.schemes
    )
    return changed(case, schemes=schemes)


# ------------------------------------------------------------------------------------------- policies


def a_policy(changes: Mapping[str, Any] | None = None) -> Policy:
    """Return the default policy with values changed, by dotted path; a value of ``...`` takes one out."""
    if not changes:
        return default_policy()
    content = copy.deepcopy(tomllib.loads(DEFAULT_POLICY.read_text(encoding="utf-8")))
    for path, value in changes.items():
        *parents, last = path.split(".")
        node = content
        for parent in parents:
            node = node[parent]
        if value is ...:
            del node[last]
        else:
            node[last] = value
    return Policy(content)


def switched_off(*rules: str) -> dict[str, Any]:
    """Return the changes that switch rules off."""
    off: dict[str, Any] = {}
    for rule in rules:
        off |= {f"rules.{rule}.enabled": False, f"rules.{rule}.off_reason": "Ikke i bruk hos oss."}
    return off


# -------------------------------------------------------------------------------------------- answers


def ask(
    case: Snapshot, applicant: str = "a", policy: Policy | None = None, engine: str = "reference"
) -> Suggestions:
    """Return the suggestions for an applicant."""
    return suggest(case, policy or default_policy(), applicant, engine)


def assessed(answer: Suggestions, unit: str = "hus-1-v1") -> Assessment:
    """Return what the answer says of one unit."""
    (found,) = [entry.assessment for entry in answer.ranked if entry.assessment.unit == unit]
    return found


def verdict(case: Snapshot, unit: str = "hus-1-v1", **how: Any) -> Verdict:
    """Return the verdict of one unit for the applicant."""
    return assessed(ask(case, **how), unit).verdict


def of_rule(answer: Suggestions, rule: str, unit: str = "hus-1-v1") -> tuple[Finding, ...]:
    """Return the findings of one rule on one unit."""
    return tuple(finding for finding in assessed(answer, unit).findings if finding.rule.id == rule)


def the_finding(answer: Suggestions, rule: str, unit: str = "hus-1-v1") -> Finding:
    """Return the only finding of one rule on one unit."""
    (finding,) = of_rule(answer, rule, unit)
    return finding


def shown(answer: Suggestions, reader: Reader = Reader.COMMITTEE, language: str = "nb") -> dict[str, Any]:
    """Return the answer as a reader sees it."""
    return document(answer, reader, language)


def entry_for(told: Mapping[str, Any], unit: str = "hus-1-v1") -> dict[str, Any]:
    """Return what a document says of one unit."""
    (found,) = [entry for entry in told["suggestions"] if entry["unit"] == unit]
    return dict(found)


def in_bytes(told: Mapping[str, Any]) -> str:
    """Return a document as it is sent."""
    return json.dumps(told, ensure_ascii=False)
