"""The office asked at random, as each role, on both databases: every answer is one that is documented.

`ALLOCATOR_FUZZ` says how many requests are made per operation; without it only a few, each operation once on
one of the databases.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi import checks

from allocator.access.table import table
from allocator.casework.codes import Clearance, Role
from allocator.casework.people import Person
from tests.browsers import Browser, Served
from tests.databases import BACKENDS

EXAMPLES = int(os.environ.get("ALLOCATOR_FUZZ", "0"))
SHORT = 1

THERE: Mapping[str, tuple[str, ...]] = {
    "people": ("B-1", "P-1"),
    "schemes": ("nordlia",),
    "units": ("nordlia-1", "nordlia-2"),
    "tenancies": ("L-B-1",),
    "accounts": ("caseworker-conflicts",),
}
"""Ids of records that are there, by collection."""

UNFIT = [
    checks.positive_data_acceptance,  # what fits the schema may still not go with how things stand
    checks.use_after_free,
    checks.ensure_resource_availability,
]
"""Checks that would need to know what a use case does."""


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Served]:
    """An office with a house, a resident and an applicant."""
    made = Served(request.param)
    made.house()
    made.resident("B-1", "nordlia-1", name="Kari Oppdiktet")
    made.seed(Person(name="Per Oppdiktet"), "P-1")
    yield made
    made.close()


def everyone(office: Served) -> list[Browser]:
    """Return a browser for somebody in each role."""
    return [
        office.as_somebody(
            role,
            *(("nordlia",) if table().roles[role].of_scheme else ()),
            cleared=(Clearance.CONFLICTS,),
        )
        for role in Role
    ]


def headers(browser: Browser) -> dict[str, str]:
    """Return what a browser sends by itself."""
    assert browser.csrf is not None
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    return {"Cookie": cookies, "X-CSRF-Token": browser.csrf}


def test_every_answer_is_one_that_is_documented(office: Served) -> None:
    """No 5xx, no undocumented status, type, header or shape; no route without a login."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", office.app)
    people = everyone(office)
    at = BACKENDS.index(office.connections.engine.dialect.name)
    asked: list[int] = []
    results: Any = schema.get_all_operations()
    for number, operation in enumerate(result.ok() for result in results):
        if operation.path in ("/api/v1/suggestions", "/api/v1/shortlists", "/api/v1/rankings", "/metrics"):
            continue  # asked at length elsewhere
        if EXAMPLES == 0 and number % len(BACKENDS) != at:
            continue
        _ask(operation, people, asked)

    assert len(asked) > len(Role)


def _ask(operation: Any, people: list[Browser], asked: list[int]) -> None:
    collection = operation.path.split("/")[3] if operation.path.startswith("/api/v1/") else ""
    there = THERE.get(collection, ("nowhere",))

    @settings(
        max_examples=EXAMPLES or SHORT,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        derandomize=EXAMPLES == 0,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), known=st.sampled_from([*there, None]), seen=st.integers(0, 2))
    def ask(case: Any, known: str | None, seen: int) -> None:
        asked.append(1)
        browser = people[len(asked) % len(people)]
        if known is not None and "id" in (case.path_parameters or {}):
            case.path_parameters["id"] = known
        given = headers(browser)
        if seen:
            given["If-Match"] = f'"{seen}"'
        response = case.call(headers=given)
        case.validate_response(response, excluded_checks=UNFIT)

    ask()
