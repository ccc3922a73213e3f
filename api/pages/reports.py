"""Reports as pages: under each picture stand its numbers, and small numbers about people are hidden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Response

from allocator.access.table import Report
from allocator.casework.records import Kind
from allocator.service import reports
from allocator.service.errors import NotFoundError
from api.pages.visit import Visit, Visiting

router = APIRouter()

Table = Mapping[str, Mapping[str, int | None]]


@dataclass(frozen=True)
class Bar:
    """A row of a picture: what it is about, and its number; None is too few to be told."""

    key: str
    number: int | None


@dataclass(frozen=True)
class Chart:
    """Bars on one scale."""

    bars: tuple[Bar, ...]

    @property
    def most(self) -> int:
        """The largest number, at least one."""
        return max([bar.number or 0 for bar in self.bars] + [1])

    def share(self, bar: Bar) -> int:
        """Return how long a bar is, in percent of the longest."""
        return round(100 * (bar.number or 0) / self.most)


@router.get("/reports")
def every(visit: Visiting) -> Response:
    """Show the reports that the visitor may read."""
    content = {
        report.value: reports.report(visit.office.desk, visit.actor, report)
        for report in Report
        if visit.may_report(report)
    }
    if not content:
        raise NotFoundError("no reports for this role")
    return visit.page(
        "reports/reports.html",
        content=content,
        vacant=_vacant(content.get("waiting", {})),
        needs=_needs(content.get("needs", {})),
        schemes=_names(visit),
    )


def _vacant(waiting: Mapping[str, Any]) -> Chart:
    found = sorted(waiting.get("vacant", ()), key=lambda one: -(one["days_empty"] or 0))
    return Chart(tuple(Bar(one["unit"], one["days_empty"]) for one in found))


def _needs(needs: Mapping[str, Any]) -> Chart:
    found = needs.get("needs", {})
    told = (Bar(code, number) for code, number in found.items() if number != 0)
    return Chart(tuple(sorted(told, key=lambda bar: (-(bar.number or 0), bar.key))))


def _names(visit: Visit) -> dict[str, str]:
    return {one["id"]: one["facts"]["name"] for one in visit.find(Kind.SCHEME)}
