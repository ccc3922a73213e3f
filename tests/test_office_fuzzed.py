"""The office asked at random, as everybody who works in it, on both databases: every answer is documented.

`ALLOCATOR_FUZZ` says how many requests are drawn for each operation, with ids of what is there; each is made
by everybody in the demo office. Then come the limits of the description, asked by all who may do such a thing
and by one more in turn; what is wrong by it, asked in turn; and sequences in which one answer gives the next
request. Without it each operation is asked once by all who may, on SQLite.

All of Schemathesis's checks are made but `positive_data_acceptance`, which cannot hold where the answer
depends on what is stored: in its place a refusal of what fits the description must be in words (`in_words`).
Three say nothing of a single request: `ensure_resource_availability` is for the sequences; `use_after_free`
has no object, since nothing is ever deleted; `object_level_authorization` takes what somebody has made for
theirs alone, while here the role decides (`test_matrix.py`).
"""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test
from schemathesis.generation.meta import TestPhase
from sqlalchemy import make_url

from allocator.access.authorizer import may_ever
from allocator.casework.bodies import COLLECTIONS
from allocator.casework.records import Body, Kind, Stored
from allocator.model import FIRST_DAY, ID_SCHEMA, LAST_DAY
from allocator.ports import Query
from allocator.service.catalogue import USES
from allocator.texts import Language, catalog
from api.asking import cursor
from api.office import Listed
from fixtures.demo_office import ACCOUNTS, populate
from tests.browsers import Browser, Served
from tests.databases import BACKENDS, server
from tests.office import TODAY

EXAMPLES = int(os.environ.get("ALLOCATOR_FUZZ", "0"))

ELSEWHERE = {"POST /api/v1/suggestions", "POST /api/v1/shortlists", "POST /api/v1/rankings", "GET /metrics"}
"""Asked at length elsewhere."""

NAMED: Mapping[str, Kind] = {
    **{kind.value: kind for kind in Kind},
    **dict.fromkeys(("party", "counterpart", "bound", "protected", "admit", "bar"), Kind.PERSON),
    "by": Kind.ACCOUNT,
    **dict.fromkeys(("schemes", "forbidden_schemes", "frequents"), Kind.SCHEME),
    "units": Kind.UNIT,
    "shares": Kind.TENANCY,
    "parent": Kind.COMMENT,
}
"""Of which kind a record is whose id stands under a name."""

_COMMITTEE = [login for login, _, role, *_ in ACCOUNTS if role.value.startswith("committee")]
_ABOUT = (Kind.UNIT, Kind.CASE, Kind.VETO, Kind.HEARING, Kind.SUGGESTION, Kind.MEETING, Kind.DECISION)


def _day(days: int) -> str:
    return (TODAY + timedelta(days)).isoformat()


DAYS = [_day(days) for days in (-30, -1, 0, 1, 30, 300)] + [FIRST_DAY.isoformat(), LAST_DAY.isoformat()]

FURTHER: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "property_manager",
        "tenancies/L-B-01/give_notice",
        {"given_on": _day(-1), "move_out": _day(30), "by_resident": True},
    ),
    ("property_manager", "units/strandgata-5/close", {"kind": "under_repair"}),
    ("administrator", "accounts/open", {"login": "sluttet", "name": "Tone Oppdiktet"}),
    ("administrator", "accounts/{}/disable", {"reason": "Har sluttet."}),
    (
        "committee_secretary",
        "meetings/call",
        {"on": _day(0), "members": _COMMITTEE, "chair": "committee_leader"},
    ),
    ("caseworker", "cases/S-2026-110/wish_near", {"person": "B-02"}),
    ("caseworker", "cases/S-2026-108/apply_together", {"other": "S-2026-110"}),
    ("caseworker", "cases/open", {"person": "P-S-2026-117", "received_on": _day(-3)}),
    ("conflict_officer", "conflicts/K-01/close", {"reason": "Avklart."}),
    (
        "conflict_officer",
        "orders/record",
        {
            "kind": "visiting_ban",
            "bound": "B-03",
            "protected": "B-04",
            "valid_from": _day(-1),
            "valid_until": _day(90),
        },
    ),
    (
        "caseworker",
        "offers/send",
        {
            "decision": "decision-05",
            "deadline": _day(7),
            "told": "Et nei har ingenting å si for plassen.",
            "recipients": ["Søkeren"],
        },
    ),
    ("caseworker", "offers/{}/suspend", {}),
)
"""What is done besides, so that each thing can be done with something; `{}` is what was made last."""


# ----------------------------------------------------------------------------------------- the office


class Filled(Served):
    """The demo office with everybody logged in. It can be put back as it was filled."""

    def __init__(self, backend: str) -> None:
        super().__init__(backend)
        populate(self.storage, TODAY)
        self.people = {login: self.as_somebody(role, login=login) for login, _, role, *_ in ACCOUNTS}
        self._do_further()
        self._able = {
            use: [one for login, one in self.people.items() if self._may(login, use)] for use in USES
        }
        self._turn = 0
        self._used = str(make_url(self.connections.engine.url).database)
        self._kept = f"{self._used}_kept"
        self._copy(self._used, self._kept)

    def _do_further(self) -> None:
        made = ""
        for login, place, content in FURTHER:
            address = place.format(made)
            version = self._version(address, address.split("/")[1])
            answer = self.people[login].post(address, content, version)
            assert answer.status_code < 300, answer.text
            made = answer.json()["id"]

    def _may(self, login: str, use: str) -> bool:
        actor = self.desk.actor(login, None)
        assert actor is not None
        return may_ever(self.desk.access, actor, use)

    def put_back(self) -> None:
        """Let everything be as it was filled."""
        self._copy(self._kept, self._used)
        self.app.state.office.listed = Listed()

    def _copy(self, kept: str, to: str) -> None:
        self.connections.engine.dispose()
        if self.connections.engine.dialect.name == "sqlite":
            shutil.copy(kept, to)
            return
        with psycopg.connect(server().url(), autocommit=True) as connection:
            connection.execute(f'drop database if exists "{to}" with (force)')
            connection.execute(f'create database "{to}" template "{kept}"')

    def ids(self) -> Mapping[Kind, list[str]]:
        """Return ids of records of each kind, some in every state."""
        with self.storage.read() as tx:
            return {kind: _some(tx.find(Query(kind))) for kind in Kind}

    def those_who(self, use: str | None) -> list[Browser]:
        """Return whose turn it is, and all who may do something with some record."""
        everybody = list(self.people.values())
        self._turn = (self._turn + 1) % len(everybody)
        first = everybody[self._turn]
        return [first, *(one for one in self._able.get(use or "", ()) if one is not first)]

    def sent_by(self, browser: Browser, case: Any) -> dict[str, Any]:
        """Return what a browser sends by itself, and the version and key that a page would."""
        assert browser.csrf is not None
        headers = {"X-CSRF-Token": browser.csrf}
        if case.meta.generation.mode.is_positive:
            if "If-Match" in case.headers:
                headers["If-Match"] = f'"{self._version(case.path, case.path_parameters["id"])}"'
            if "Idempotency-Key" in case.headers:
                headers["Idempotency-Key"] = f"{case.id}-{browser.csrf[:9]}"
        return {"headers": headers, "cookies": dict(browser.cookies)}

    def _version(self, path: str, identifier: str) -> int:
        kind = kind_at(path)
        assert kind is not None
        with self.storage.read() as tx:
            stored = tx.get(kind, identifier)
        return 1 if stored is None else stored.version


def _some(found: Iterable[Stored[Body]]) -> list[str]:
    of: dict[str, list[str]] = defaultdict(list)
    for stored in found:
        of[stored.body.get_state()].append(stored.id)
    return [identifier for ids in of.values() for identifier in ids[:2]]


def kind_at(path: str) -> Kind | None:
    """Return of which kind the records at a path are."""
    collection = path.removeprefix("/api/v1/").partition("/")[0]
    return next((kind for kind, name in COLLECTIONS.items() if name == collection), None)


@pytest.fixture(params=BACKENDS if EXAMPLES else BACKENDS[:1], scope="module")
def office(request: pytest.FixtureRequest) -> Iterator[Filled]:
    """The demo office."""
    made = Filled(request.param)
    yield made
    made.close()


# ------------------------------------------------------------------------------------ its description

REFS = "#/components/schemas/"
ASKED = f"{REFS}Asked"


def there(office: Filled) -> dict[str, Any]:
    """Return what the office says of itself, but with only what is there to ask for: ids, days about now."""
    ids, document = office.ids(), office.app.openapi()
    offered: dict[str, list[Any]] = {name: ids[kind] for name, kind in NAMED.items()}
    offered |= {
        **dict.fromkeys(("chair", "secretary", "member", "members", "present", "substitute"), _COMMITTEE),
        "of": [ids[kind][0] for kind in _ABOUT],
        "day": DAYS,
        "version": [1, 2],
        "after": [cursor(("", "nordlia"))],
    }
    paths: dict[str, Any] = {}
    for path, item in document["paths"].items():
        kind, here = kind_at(path), offered
        if kind is not None:
            here = offered | {"id": ids[kind], "other": ids[kind]}
        if path == "/api/v1/log":
            here = offered | {"after": [office.app.state.office.seal.encrypt(b"9").decode()]}
        paths[path] = {method: _offering(operation, here) for method, operation in item.items()}
    schemas = document["components"]["schemas"]
    asked = {f"Asked{name}": _offered(schema, offered) for name, schema in schemas.items()}
    return document | {"paths": paths, "components": document["components"] | {"schemas": schemas | asked}}


def _offering(operation: Mapping[str, Any], offered: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Return an operation that asks for what is offered; what it answers is described as ever."""
    asks = {part: operation[part] for part in ("parameters", "requestBody") if part in operation}
    return {**operation, **_offered(asks, offered)}


def _offered(described: Any, offered: Mapping[str, list[Any]], name: str = "") -> Any:
    if isinstance(described, list):
        return [_offered(item, offered, name) for item in described]
    if not isinstance(described, dict):
        return described
    if described.get("pattern") == ID_SCHEMA["pattern"]:
        return {"type": "string", "enum": offered.get(name, offered["of"])}
    if described.get("format") == "date":
        return {"type": "string", "enum": offered["day"]}
    if name in ("version", "after") and "type" in described:
        return {"type": described["type"], "enum": offered[name]}
    if "$ref" in described:
        return {"$ref": described["$ref"].replace(REFS, ASKED)}
    if "in" in described:
        return {**described, "schema": _offered(described["schema"], offered, described["name"])}
    if "properties" in described:
        properties = {key: _offered(value, offered, key) for key, value in described["properties"].items()}
        return {**described, "properties": properties}
    return {key: _offered(value, offered, name) for key, value in described.items()}


CHECKS = {
    "positive_data_acceptance": {"enabled": False},
    "missing_required_header": {"expected-statuses": ["401", "403", "404", "415", "422", "428"]},
    "negative_data_rejection": {
        "expected-statuses": ["401", "403", "404", "405", "409", "412", "413", "415", "422", "428", "429"]
    },
}
METHODS = ["put", "post", "delete", "options", "patch", "trace"]
"""Tried where they are not described; a `GET` of a use case's address asks for a record of that name."""


def schema(office: Filled, document: Mapping[str, Any], mode: str) -> Any:
    """Return a description as Schemathesis has it, for drawing what is right or wrong by it."""
    config = SchemathesisConfig.from_dict(
        {
            "generation": {"mode": mode, "with-security-parameters": False},
            "phases": {"coverage": {"unexpected-methods": METHODS}},
            "checks": CHECKS,
        }
    )
    made = schemathesis.openapi.from_dict(dict(document), config=config)
    made.app = office.app
    return made


def operations(described: Any) -> dict[str, Any]:
    """Return all operations but those that are asked elsewhere, by what they are called."""
    found = (result.ok() for result in described.get_all_operations())
    return {operation.label: operation for operation in found if operation.label not in ELSEWHERE}


# --------------------------------------------------------------------------------------------- asking

DRAWN = settings(
    max_examples=EXAMPLES or 1,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    database=None,
    derandomize=not EXAMPLES,
    suppress_health_check=list(HealthCheck),
)


def test_every_answer_is_one_that_is_documented(office: Filled, subtests: pytest.Subtests) -> None:
    """No 5xx, no undocumented status, type, header or shape; no route without a login."""
    load_all_checks()
    right = operations(schema(office, there(office), "positive"))
    wrong = operations(schema(office, office.app.openapi(), "negative")) if EXAMPLES else {}

    for label, operation in right.items():
        with subtests.test(label):
            _ask(office, operation)
            if label in wrong and _says_something(wrong[label]):
                _ask(office, wrong[label])


def _says_something(operation: Any) -> bool:
    """Return whether there is anything in a request that could be wrong."""
    return bool({"parameters", "requestBody"} & operation.definition.raw.keys())


def _ask(office: Filled, operation: Any) -> None:
    use = operation.definition.raw.get("operationId")

    def asked(case: Any) -> None:
        fits = case.meta.generation.mode.is_positive
        drawn = fits and case.meta.phase.name is TestPhase.FUZZING
        asking = office.people.values() if drawn and EXAMPLES else office.those_who(use if fits else None)
        for browser in asking:
            sent = office.sent_by(browser, case)
            response = case.call(**sent)
            case.validate_response(
                response, headers=sent["headers"], transport_kwargs=sent, additional_checks=[in_words]
            )
            if case.method == "POST" and response.status_code < 300:
                office.put_back()

    office.put_back()
    config = HypothesisTestConfig(
        project=operation.schema.config,
        modes=list(HypothesisTestMode) if EXAMPLES else [HypothesisTestMode.FUZZING],
        explicit_settings=DRAWN,
    )
    create_test(operation=operation, test_func=asked, config=config)()


def in_words(_context: Any, response: Any, case: Any) -> None:
    """What fits the description is refused with a code that has words, and a request's faults with places."""
    if response.status_code < 400 or not case.meta.generation.mode.is_positive:
        return
    content = response.json()
    if not case.operation.tags or "policy" in case.operation.tags:  # those are for systems, in English
        return
    code = content["code"]
    for language in Language:
        said = catalog(language.value)
        assert said.has("refusals", code) or said.has("problems", code, "detail"), f"{code} in {language}"
    assert content["detail"]
    assert (code == "request") == bool(content.get("errors"))


@pytest.mark.skipif(not EXAMPLES, reason="sequences are long: `ALLOCATOR_FUZZ` says how many are drawn")
def test_what_one_answer_gives_the_next_request_may_take(office: Filled) -> None:
    """Lists give ids, and what somebody made is there for them: sequences of requests, each by one person."""
    machine: Any = schema(office, office.app.openapi(), "positive").as_state_machine()

    class Sequence(machine):  # type: ignore[misc]
        @initialize(login=st.sampled_from(sorted(office.people)))
        def log_in(self, login: str) -> None:
            office.put_back()
            self.browser = office.people[login]

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return office.sent_by(self.browser, case)

        def validate_response(self, response: Any, case: Any, *_: Any, **sent: Any) -> None:
            super().validate_response(response, case, additional_checks=[in_words], **sent)

    Sequence.run(settings=settings(DRAWN, max_examples=10 * EXAMPLES, stateful_step_count=30))
