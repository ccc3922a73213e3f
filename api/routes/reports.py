"""Reports over HTTP: figures over all that is stored, for those whose role has them."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI, Request, Response

from allocator.access.table import Report
from allocator.service import reports
from api import asking, description
from api.asking import as_json
from api.office import SignedIn, office_of

_SAID = {
    Report.VETOES: "How often schemes object, what comes of it, and what it closes now",
    Report.RULES: "How often advice is followed, and what became of it",
    Report.WAITING: "Replies that are overdue, how long people wait, and units that stand empty",
    Report.NEEDS: "Unmet needs, by code",
    Report.IMPACT: "Suggestions and decisions by gender and age",
}


def path_of(report: Report) -> str:
    """Return the address of a report."""
    return f"/api/v1/reports/{report.value}"


def install(app: FastAPI) -> None:
    """Add the routes."""
    for report, said in _SAID.items():
        app.add_api_route(
            path_of(report),
            _read(report),
            methods=["GET"],
            summary=said,
            operation_id=f"reports.{report.value}",
            tags=["reports"],
            openapi_extra={
                "parameters": [description.PURPOSE],
                "security": description.LOOKS,
                "responses": {
                    "200": {
                        "description": "Figures; null stands for a number of too few people (`least`).",
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    },
                    **description.problems(401, 403, 422),
                },
            },
        )


def _read(report: Report) -> Callable[..., Response]:
    def read(request: Request, signed: SignedIn) -> Response:
        asking.parameters(request)
        return as_json(reports.report(office_of(request).desk, signed.actor, report))

    return read
