"""For operators: is it up, is it ready, and how is it doing. No data about anyone, so open to all."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import select

from allocator import __version__
from allocator.engines import EngineError
from allocator.engines.registry import ENGINES, engine
from allocator.ports import BusyError
from api.errors import problem

router = APIRouter(tags=["operations"])


@router.get("/healthz", summary="Up")
async def healthz() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "up", "version": __version__}


@router.get("/readyz", summary="Ready", responses={503: {"description": "Not ready."}})
def readyz(request: Request) -> JSONResponse:
    """Say whether the rules are loaded, and the engine of record and the database answer."""
    state: Any = request.app.state
    try:
        record = engine(next(iter(ENGINES)), state.policy, state.case.as_of)
        record.judge(())
    except EngineError:
        return problem(503, "the engine of record does not answer")
    office = getattr(state, "office", None)
    if office is not None:
        try:
            with office.connections.read() as connection:
                connection.execute(select(1))
        except BusyError:
            return problem(503, "the database does not answer")
    return JSONResponse({"status": "ready", "engine": record.name, "engine_version": record.version})


@router.get("/metrics", summary="Figures in Prometheus format", response_class=PlainTextResponse)
async def metrics() -> Response:
    """Return counters and times."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
