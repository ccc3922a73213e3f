"""The loaded case: its schemes, units and applicants, so that a caller knows what to ask about."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from allocator.codes import (
    UnitStatus,
)
from allocator.model import (
    Snapshot,
)
from api.auth import caller
from api.schemas import ApplicantOut, Page, ProblemOut, SchemeOut, UnitOut

router = APIRouter(
    tags=["case"],
    dependencies=[Depends(caller)],
    responses={401: {"model": ProblemOut, "description": "No valid token."}},
)

Offset = Annotated[int, Query(ge=0, le=10_000_000)]
Limit = Annotated[int, Query(ge=1, le=200)]


class SchemePage(Page):
    """Schemes, by id."""

    items: list[SchemeOut]


class UnitPage(Page):
    """Units, by id."""

    items: list[UnitOut]


class ApplicantPage(Page):
    """Applicants, who has waited longest first."""

    items: list[ApplicantOut]


def _case(request: Request) -> Snapshot:
    case: Snapshot = request.app.state.case
    return case


@router.get("/schemes", summary="Schemes of the loaded case")
def schemes(request: Request, offset: Offset = 0, limit: Limit = 50) -> SchemePage:
    """Return a page of schemes."""
    found = sorted(_case(request).schemes, key=lambda scheme: scheme.id)
    items = [
        SchemeOut(
            id=scheme.id,
            name=scheme.name,
            kind=scheme.kind,
            municipality=scheme.municipality,
            unit_count=scheme.unit_count,
            living_groups=[group.id for group in scheme.living_groups],
        )
        for scheme in found[offset : offset + limit]
    ]
    return SchemePage(total=len(found), offset=offset, limit=limit, items=items)


@router.get("/units", summary="Units of the loaded case")
def units(
    request: Request,
    status: Annotated[UnitStatus | None, Query()] = None,
    offset: Offset = 0,
    limit: Limit = 50,
) -> UnitPage:
    """Return a page of units, of one status if asked for."""
    found = sorted(
        (
            (unit, group, scheme)
            for scheme in _case(request).schemes
            for group in scheme.living_groups
            for unit in group.units
            if status is None or unit.status is status
        ),
        key=lambda found: found[0].id,
    )
    items = [
        UnitOut(
            id=unit.id,
            living_group=group.id,
            scheme=scheme.id,
            status=unit.status,
            purpose=unit.purpose,
            floor=unit.floor,
            area_m2=unit.area_m2,
        )
        for unit, group, scheme in found[offset : offset + limit]
    ]
    return UnitPage(total=len(found), offset=offset, limit=limit, items=items)


@router.get("/applicants", summary="Applicants of the loaded case")
def applicants(request: Request, offset: Offset = 0, limit: Limit = 50) -> ApplicantPage:
    """Return a page of applicants: only the case number and how long they have waited."""
    found = sorted(_case(request).applicants, key=lambda a: (a.waiting_since, a.id))
    items = [
        ApplicantOut(id=a.id, waiting_since=a.waiting_since.isoformat())
        for a in found[offset : offset + limit]
    ]
    return ApplicantPage(total=len(found), offset=offset, limit=limit, items=items)
