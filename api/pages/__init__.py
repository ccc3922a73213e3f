"""The pages that people work in: written on the server, from the same use cases as the API."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from api.office import Office
from api.pages import (
    accounts,
    appeals,
    assets,
    case_more,
    cases,
    conflicts,
    decisions,
    hearings,
    housing,
    log,
    me,
    meetings,
    objections,
    offers,
    papers,
    people,
    people_more,
    refusing,
    register,
    reports,
    reviews,
    rules,
    signing_in,
    start,
    suggestions,
    tenancy_more,
    tour,
)

TOPICS = (
    signing_in,
    start,
    cases,
    case_more,
    conflicts,
    people,
    people_more,
    accounts,
    me,
    suggestions,
    meetings,
    hearings,
    objections,
    decisions,
    offers,
    appeals,
    register,
    housing,
    tenancy_more,
    reviews,
    log,
    reports,
    rules,
    papers,
    tour,
)
"""Each has the router of its pages."""


def create(office: Office) -> FastAPI:
    """Return the pages of an office, as an application to be mounted."""
    pages = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    pages.state.office = office
    assets.install(pages)
    refusing.install(pages)
    for topic in TOPICS:
        pages.include_router(topic.router)
    pages.add_middleware(refusing.Unexpected)
    pages.add_middleware(GZipMiddleware, minimum_size=1000)
    return pages
