"""Housing: which units there are and how they stand, and who lives door to door in a scheme."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from allocator.access.table import Report
from allocator.casework.mix import counts
from allocator.casework.records import Kind
from allocator.codes import FactSource, UnitStatus
from allocator.model import SchemeFacts, UnitFacts
from allocator.service import mutual
from allocator.service.closing import closed
from allocator.service.errors import NotFoundError
from allocator.service.mutual import Advice
from allocator.service.neighbours import Lodger, Room, rooms
from allocator.service.vacancies import Vacancy, vacancies
from api.pages.cases import RUNNING
from api.pages.doing import done
from api.pages.forms import Form, Sent
from api.pages.known import known
from api.pages.mutual import of_group
from api.pages.suggestions import Resident, neighbour
from api.pages.visit import Visit, Visiting, to

router = APIRouter()

View = Mapping[str, Any]

FREE = (UnitStatus.VACANT, UnitStatus.NOTICE_GIVEN)
"""How units stand that are or will be free."""

OF_UNIT = {"close": "units.close", "reopen": "units.reopen"}
OF_TENANCY = {
    "give_notice": "tenancies.give_notice",
    "take_back_notice": "tenancies.take_back_notice",
    "note_absence": "tenancies.note_absence",
    "move_out": "tenancies.move_out",
}

Chosen = Annotated[str | None, Query(max_length=64)]


@router.get("/units")
def units(visit: Visiting, view: Chosen = None) -> Response:
    """List units by scheme: those that are or will be free, or all."""
    if not visit.reads(Kind.UNIT):
        raise NotFoundError("no units for this role")
    every = view == "all"
    schemes = [
        {"scheme": scheme, "rooms": [room for room in _rooms(visit, scheme) if every or room.status in FREE]}
        for scheme in visit.find(Kind.SCHEME)
    ]
    return visit.page("housing/units.html", schemes=schemes, every=every, empty=_vacancies(visit))


def _rooms(visit: Visit, scheme: View) -> list[Room]:
    groups = (rooms(visit.office.desk, visit.actor, scheme["id"], group["id"]) for group in scheme["groups"])
    return [room for group in groups for room in group]


def _vacancies(visit: Visit) -> dict[str, Vacancy]:
    """Return the units that stand empty and what it costs those who wait, for those who may read that."""
    if not visit.may_report(Report.WAITING):
        return {}
    return {one.unit: one for one in vacancies(visit.office.desk, visit.actor)}


# ---------------------------------------------------------------------------------------------- a unit


@router.get("/units/{unit}")
def unit_page(visit: Visiting, unit: str) -> Response:
    """Show a unit: how it is built, how it stands, and what can be done with it."""
    return _unit_page(visit, unit, {}, 200)


def _unit_page(visit: Visit, unit: str, forms: Mapping[str, Form], status: int) -> Response:
    view = visit.show(Kind.UNIT, unit)
    scheme = visit.show(Kind.SCHEME, view["scheme"])
    found = rooms(visit.office.desk, visit.actor, view["scheme"], view["group"])
    room = next(one for one in found if one.unit["id"] == unit)
    held = [one for one in visit.find(Kind.RESERVATION, (Kind.UNIT, unit)) if one.get("released_on") is None]
    may = visit.may_with(Kind.UNIT, unit)
    return visit.page(
        "housing/unit.html",
        status,
        unit=view,
        known=known(visit.words, view["facts"], UnitFacts),
        scheme=scheme,
        room=room,
        held=held,
        may=may,
        may_release=visit.may("reservations.release"),
        may_fill="tenancies.move_in" in may and room.status is UnitStatus.VACANT and not visit.shared,
        vetoes=visit.find(Kind.VETO, (Kind.UNIT, unit)),
        comments=visit.find(Kind.COMMENT, (Kind.UNIT, unit)),
        empty=_vacancies(visit).get(unit),
        forms=forms,
    )


@router.post("/units/{unit}/comments")
def comment_on_unit(visit: Visiting, form: Sent, unit: str) -> Response:
    """Make a remark on a unit."""
    return _unit_done(visit, form, unit, use="comments.make", more={"about": "unit", "of": unit})


@router.post("/units/{unit}/comments/{comment}/withdraw")
def take_back_on_unit(visit: Visiting, form: Sent, unit: str, comment: str) -> Response:
    """Take a remark on a unit back."""
    visit.do("comments.withdraw", form, comment)
    return to(f"/units/{unit}", "comments.withdraw", "comments")


@router.post("/units/{unit}/reservations")
def reserve(visit: Visiting, form: Sent, unit: str) -> Response:
    """Hold a unit back."""
    return _unit_done(visit, form, unit, use="reservations.make", more={"unit": unit})


@router.post("/units/{unit}/reservations/{reservation}/release")
def release(visit: Visiting, form: Sent, unit: str, reservation: str) -> Response:
    """Let go of a unit that was held back."""
    visit.do("reservations.release", form, reservation)
    return to(f"/units/{unit}", "reservations.release")


@router.post("/units/{unit}/resident")
def first_filling(visit: Visiting, form: Sent, unit: str) -> Response:
    """Write down who lived in a unit before anybody wrote it down."""
    use = "tenancies.move_in"
    return done(
        visit,
        form,
        use,
        page=lambda again, status: _unit_page(visit, unit, {use: again}, status),
        then=lambda tenancy: f"/tenancies/{tenancy.view['id']}/more",
        needed=("person",),
        more={"unit": unit},
    )


@router.post("/units/{unit}/{verb}")
def change_unit(visit: Visiting, form: Sent, unit: str, verb: str) -> Response:
    """Close a unit for a time, or open it again."""
    if verb not in OF_UNIT:
        raise NotFoundError("no such thing to do with a unit")
    return _unit_done(visit, form, unit, use=OF_UNIT[verb], target=unit)


def _unit_done(
    visit: Visit,
    form: Form,
    unit: str,
    *,
    use: str,
    target: str | None = None,
    more: Mapping[str, Any] | None = None,
) -> Response:
    return done(
        visit,
        form,
        use,
        target,
        page=lambda again, status: _unit_page(visit, unit, {use: again}, status),
        then=f"/units/{unit}",
        more=more,
    )


# --------------------------------------------------------------------------------------------- a scheme


@router.get("/schemes/{scheme}")
def scheme_page(visit: Visiting, scheme: str, case: Chosen = None) -> Response:
    """Show a scheme: its living groups by the rules, and how they would be with an applicant."""
    return _scheme_page(visit, scheme, {}, 200, case)


def _scheme_page(
    visit: Visit, scheme: str, forms: Mapping[str, Form], status: int, case: str | None = None
) -> Response:
    view = visit.show(Kind.SCHEME, scheme)
    newcomer = _newcomer(visit, case)
    advice = mutual.advice(visit.office.desk, visit.actor, scheme, visit.language.value)
    groups = [_group(visit, scheme, group, newcomer, advice) for group in view["groups"]]
    return visit.page(
        "housing/scheme.html",
        status,
        scheme=view,
        known=known(visit.words, view["facts"], SchemeFacts),
        groups=groups,
        advice=advice,
        newcomer=newcomer,
        case=case if newcomer is not None else None,
        cases=[one["id"] for one in visit.find(Kind.CASE, states=RUNNING)],
        may=visit.may_with(Kind.SCHEME, scheme),
        tenancies={one["id"]: one for one in visit.find(Kind.TENANCY, (Kind.SCHEME, scheme))},
        vetoes=[one for one in visit.find(Kind.VETO, (Kind.SCHEME, scheme)) if one["scheme"] == scheme],
        closed=closed(visit.office.desk, visit.actor, scheme) if visit.reads(Kind.VETO) else {},
        comments=[one for one in visit.find(Kind.COMMENT, (Kind.SCHEME, scheme)) if one["of"] == scheme],
        says=visit.find(Kind.SAY, (Kind.SCHEME, scheme)),
        hazards=visit.find(Kind.HAZARD, (Kind.SCHEME, scheme)),
        forms=forms,
    )


def _newcomer(visit: Visit, case: str | None) -> Resident | None:
    """Return the applicant of a case as the visitor sees them; None without one that they see."""
    if case is None:
        return None
    person = visit.show(Kind.PERSON, visit.show(Kind.CASE, case)["person"])
    return Resident(None, neighbour(person, {}, visit.today))


def _group(
    visit: Visit, scheme: str, group: View, newcomer: Resident | None, advice: Advice | None
) -> dict[str, Any]:
    found = rooms(visit.office.desk, visit.actor, scheme, group["id"])
    plan = [
        {
            "unit": room.unit["id"],
            "here": False,
            "status": room.status.value,
            "vacant_from": room.vacant_from,
            "residents": [_resident(lodger, visit) for lodger in room.lodgers],
        }
        for room in found
    ]
    seen = [resident.seen for room in plan for resident in room["residents"]]
    mix = counts(seen, None if newcomer is None else newcomer.seen)
    known = {count.of for count in mix if count.which is not None}
    lodgers = [lodger.tenancy for room in found for lodger in room.lodgers]
    return {
        "group": group,
        "plan": plan,
        "mix": [count for count in mix if count.of in known and (count.now or count.then)],
        "lodgers": lodgers,
        "leaving": sorted(filter(_leaving, plan), key=_leaving),
        "own": None if advice is None else of_group(advice, group["id"], visit.words),
    }


def _leaving(room: Mapping[str, Any]) -> str:
    """Return the day from which a room is left, as far as the visitor sees it; nothing if nobody leaves."""
    days = [resident.leaves for resident in room["residents"] if resident.leaves is not None]
    if room["status"] == UnitStatus.NOTICE_GIVEN and room["vacant_from"] is not None:
        days.append(room["vacant_from"].isoformat())
    return min(days, default="")


def _resident(lodger: Lodger, visit: Visit) -> Resident:
    notice = lodger.tenancy.get("notice")
    return Resident(
        id=lodger.tenancy.get("person"),
        seen=neighbour(lodger.person, {}, visit.today),
        away=lodger.tenancy.get("absence") is not None,
        leaves=None if notice is None else notice["move_out"],
    )


@router.post("/schemes/{scheme}/comments")
def comment_on_scheme(visit: Visiting, form: Sent, scheme: str) -> Response:
    """Make a remark on a scheme."""
    return _scheme_done(visit, form, scheme, use="comments.make", more={"about": "scheme", "of": scheme})


@router.post("/schemes/{scheme}/comments/{comment}/withdraw")
def take_back_on_scheme(visit: Visiting, form: Sent, scheme: str, comment: str) -> Response:
    """Take a remark on a scheme back."""
    visit.do("comments.withdraw", form, comment)
    return to(f"/schemes/{scheme}", "comments.withdraw", "comments")


@router.post("/schemes/{scheme}/says")
def say(visit: Visiting, form: Sent, scheme: str) -> Response:
    """Write down what a resident was asked and answered."""
    return _scheme_done(visit, form, scheme, use="says.record", more={"scheme": scheme})


@router.post("/schemes/{scheme}/hazards")
def report_hazard(visit: Visiting, form: Sent, scheme: str) -> Response:
    """Report a risk at work."""
    return _scheme_done(visit, form, scheme, use="hazards.report", more={"scheme": scheme})


@router.post("/schemes/{scheme}/hazards/{hazard}/close")
def close_hazard(visit: Visiting, form: Sent, scheme: str, hazard: str) -> Response:
    """Close a risk that is met by measures."""
    visit.do("hazards.close", form, hazard)
    return to(f"/schemes/{scheme}", "hazards.close")


@router.post("/schemes/{scheme}/hazards/{hazard}/change")
def change_hazard(visit: Visiting, form: Sent, scheme: str, hazard: str) -> Response:
    """Describe a risk anew. What is emptied is said to be nothing; what it is, is not left out."""
    more = None if form.value("measures_text").strip() else {"measures_text": ""}
    return done(
        visit,
        form,
        "hazards.change",
        hazard,
        page=lambda again, status: _scheme_page(visit, scheme, {f"hazards.change {hazard}": again}, status),
        then=f"/schemes/{scheme}",
        anchor="hazards",
        needed=("what", "text"),
        more=more,
    )


@router.post("/schemes/{scheme}/vetoes/{veto}/renew")
def renew_veto(visit: Visiting, form: Sent, scheme: str, veto: str) -> Response:
    """Let an objection go on, on a new fact."""
    oral = form.value("fact/source") == FactSource.ORAL
    needed = ["text", "observed_on", "source", *(("told/by", "told/on") if oral else ())]
    given = {name: values for name, values in form.given.items() if oral or not name.startswith("fact/told/")}
    return _scheme_done(
        visit,
        Form(given, {}, {}, form.sent_key),
        scheme,
        use="vetoes.renew",
        target=veto,
        needed=[f"fact/{name}" for name in needed],
    )


@router.post("/schemes/{scheme}/vetoes/{veto}/withdraw")
def withdraw_veto(visit: Visiting, form: Sent, scheme: str, veto: str) -> Response:
    """Take an objection back."""
    visit.do("vetoes.withdraw", form, veto)
    return to(f"/schemes/{scheme}", "vetoes.withdraw")


@router.post("/schemes/{scheme}/tenancies/{tenancy}/{verb}")
def change_tenancy(visit: Visiting, form: Sent, scheme: str, tenancy: str, verb: str) -> Response:
    """Write down notice, absence, or that somebody is out."""
    if verb not in OF_TENANCY:
        raise NotFoundError("no such thing to do with a tenancy")
    return _scheme_done(visit, form, scheme, use=OF_TENANCY[verb], target=tenancy)


def _scheme_done(
    visit: Visit,
    form: Form,
    scheme: str,
    *,
    use: str,
    target: str | None = None,
    more: Mapping[str, Any] | None = None,
    needed: Iterable[str] = (),
) -> Response:
    name = use if target is None else f"{use} {target}"
    return done(
        visit,
        form,
        use,
        target,
        page=lambda again, status: _scheme_page(visit, scheme, {name: again}, status),
        then=f"/schemes/{scheme}",
        needed=needed,
        more=more,
    )
