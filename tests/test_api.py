"""The API: answers, refusals, who may ask, and what operators see."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from structlog.testing import capture_logs
from typer.testing import CliRunner

from allocator import cli
from allocator.codes import (
    UnitStatus,
)
from allocator.documents import read_case
from allocator.engines import EngineError
from allocator.handbook import handbook, handbook_sha256
from allocator.model import (
    Snapshot,
)
from allocator.policy import Policy
from api.app import MAX_BODY, BrokenOffError, WeakTokenError, create_app
from api.routes import operations, questions

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "fixtures" / "cases" / "demo-municipality.json"
SMALL = ROOT / "fixtures" / "cases" / "golden-besokende.json"
TOKEN = "not-a-secret-" * 3
CALLER = {"authorization": f"Bearer {TOKEN}"}
APPLICANT, UNIT = "S-2026-101", "nordlia-6"
NAME, NUMBER = "Kari Nordmann", "31129956715"

SECURITY = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


@cache
def loaded() -> tuple[Snapshot, Policy]:
    """Return the demo's case and the default policy."""
    text = (ROOT / "fixtures" / "policies" / "default.toml").read_text(encoding="utf-8")
    return read_case(DEMO.read_bytes()), Policy.from_toml(text)


@cache
def service(*, demo: bool = False) -> FastAPI:
    """Return the application for the demo's case."""
    return create_app(*loaded(), token=None if demo else TOKEN, demo=demo)


async def _asked(app: FastAPI, requests: list[tuple[str, str, dict[str, Any]]]) -> list[httpx.Response]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await asyncio.gather(*(client.request(how, path, **rest) for how, path, rest in requests))


def ask(
    method: str, path: str, *, app: FastAPI | None = None, headers: Mapping[str, str] = CALLER, **rest: Any
) -> httpx.Response:
    """Return the answer to one request, by default with the token."""
    request = (method, path, {"headers": dict(headers), **rest})
    return asyncio.run(_asked(app or service(), [request]))[0]


def post(path: str, content: Any, **rest: Any) -> httpx.Response:
    """Return the answer to a question."""
    return ask("POST", f"/api/v1/{path}", json=content, **rest)


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """Return the problem document that an answer must be."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    content: dict[str, Any] = response.json()
    assert content["status"] == status
    assert content["type"] == "about:blank"
    assert content["title"]
    assert set(content) <= {"type", "title", "status", "detail", "errors"}
    for error in content.get("errors", ()):
        assert set(error) == {"pointer", "expected"}
    return content


def printed(command: str, path: Path, *options: str) -> Any:
    """Return the document that the command line prints."""
    result = CliRunner().invoke(cli.app, [command, str(path), *options, "--format", "json"])
    assert result.exit_code == 0
    return json.loads(result.stdout)


# ------------------------------------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("engine", "reader", "language"),
    [("durable", "committee", "nb"), ("reference", "staff", "nn"), ("durable", "applicant", "en")],
)
def test_an_answer_is_the_command_lines(engine: str, reader: str, language: str) -> None:
    """Both questions about the loaded case are answered with the command's document."""
    choices = {"engine": engine, "reader": reader, "language": language}
    options = ("--engine", engine, "--reader", reader, "--lang", language)
    response = post("suggestions", {"applicant": APPLICANT, **choices})
    assert response.status_code == 200
    assert response.json() == printed("suggest", DEMO, "--applicant", APPLICANT, *options)
    if reader != "applicant":
        response = post("shortlists", {"unit": UNIT, **choices})
        assert response.json() == printed("shortlist", DEMO, "--unit", UNIT, *options)


def test_a_shortlist_is_refused_to_applicants() -> None:
    """A list of applicants is not for one of them."""
    refused = problem(post("shortlists", {"unit": UNIT, "reader": "applicant"}), 422)
    assert refused["errors"][0]["pointer"] == "/reader"


def test_two_units_are_compared_on_request() -> None:
    """The answer says why one stands before the other; what is not in it cannot be compared."""
    answered = post("suggestions", {"applicant": APPLICANT, "compare": ["nordlia-10", "nordlia-6"]}).json()
    assert answered["comparison"]["text"].startswith("nordlia-6 står foran nordlia-10")
    problem(post("suggestions", {"applicant": APPLICANT, "compare": ["nordlia-10", "nowhere"]}), 404)


def test_a_posted_case_is_answered_in_place_of_the_loaded_one() -> None:
    """A question may bring its own case, and is answered from that alone."""
    case = json.loads(SMALL.read_text(encoding="utf-8"))
    response = post("suggestions", {"applicant": "S-2026-001", "case": case})
    assert response.json() == printed("suggest", SMALL, "--applicant", "S-2026-001")
    response = post("shortlists", {"unit": "provehuset-2", "case": case})
    assert response.json() == printed("shortlist", SMALL, "--unit", "provehuset-2")
    problem(post("suggestions", {"applicant": APPLICANT, "case": case}), 404)


def test_defaults_are_the_engine_of_record_and_the_committee() -> None:
    """A question with nothing but an id is answered by the engine of record for the committee."""
    content = post("suggestions", {"applicant": APPLICANT}).json()
    assert (content["engine"], content["reader"], content["language"]) == ("durable", "committee", "nb")
    assert post("suggestions", {"applicant": APPLICANT, "case": None}).json() == content


# ------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    "header", [{}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}, {"x-token": TOKEN}]
)
def test_without_the_token_nothing_is_answered(header: dict[str, str]) -> None:
    """A missing, wrong or misplaced token is refused, whatever is asked."""
    for path, content in (("suggestions", {"applicant": APPLICANT}), ("shortlists", {"unit": "?"})):
        assert "errors" not in problem(post(path, content, headers=header), 401)


@pytest.mark.parametrize("token", [None, "", "short", "x" * 31])
def test_a_weak_token_is_refused_at_the_start(token: str | None) -> None:
    """An application without a secret worth the name does not start."""
    with pytest.raises(WeakTokenError, match="at least 32 characters"):
        create_app(*loaded(), token=token)


def test_the_demo_is_open() -> None:
    """In demo mode everyone is let in, also with a wrong token."""
    for headers in ({}, {"authorization": "Bearer wrong"}):
        assert ask("GET", "/api/v1/policy", app=service(demo=True), headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("suggestions", {"applicant": "nobody"}),
        ("suggestions", {"applicant": "B-01"}),
        ("shortlists", {"unit": "nowhere"}),
        ("shortlists", {"unit": "nordlia"}),
    ],
)
def test_an_unknown_id_is_404(path: str, content: dict[str, str]) -> None:
    """An id that the case does not have is a problem of its own, and is not repeated."""
    response = post(path, content)
    problem(response, 404)
    assert not [value for value in content.values() if value in response.text]


BAD_QUESTIONS: tuple[tuple[Any, str, str], ...] = (
    ({}, "/applicant", "this field"),
    ({"applicant": 1}, "/applicant", "text"),
    ({"applicant": NAME}, "/applicant", "an id of 1 to 64 letters"),
    ({"applicant": "a", "engine": NAME}, "/engine", "one of: `durable` or `reference`"),
    ({"applicant": "a", "reader": NAME}, "/reader", "one of: "),
    ({"applicant": "a", "language": NAME}, "/language", "one of: "),
    ({"applicant": "a", NAME: NUMBER}, "", "only fields"),
    ({"applicant": "a", "case": NAME}, "/case", "an object"),
    ({"applicant": "a", "case": []}, "/case", "an object"),
    ({"applicant": "a", "case": {}}, "/case/as_of", "this field"),
    ({"applicant": "a", "case": {"as_of": NAME}}, "/case/as_of", "a date"),
    ({"applicant": "a", "case": {"as_of": "2026-11-22", NAME: NUMBER}}, "/case", "only fields"),
    (
        {"applicant": "a", "case": {"as_of": "2026-11-22", "residents": [{"id": "b", "unit": "x"}]}},
        "/case/residents/0/unit",
        "the id of a unit in this document",
    ),
    ([], "", "an object"),
    (NAME, "", "an object"),
    ([{"applicant": NAME}], "", "an object"),
)


@pytest.mark.parametrize(("content", "pointer", "words"), BAD_QUESTIONS)
def test_a_question_that_is_refused_says_where_and_repeats_nothing(
    content: Any, pointer: str, words: str
) -> None:
    """A fault of a question or its case is told by place and expectation, and no input is echoed."""
    response = post("suggestions", content)
    found = {error["pointer"]: error["expected"] for error in problem(response, 422)["errors"]}
    assert words in found[pointer]
    assert NAME not in response.text
    assert NUMBER not in response.text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"applicant=a",
        b'{"applicant": NaN}',
        b'{"applicant": 1e400}',
        b'{"applicant": "a", "applicant": "b"}',
        b'{"applicant": "\\ud800"}',
        b"\xff",
        b"[" * 100_000,
        b'{"case": ' * 1000 + b"1" + b"}" * 1000,
        b"null",
        b"9" * 5000,
    ],
)
def test_a_body_that_is_no_question_is_422(data: bytes) -> None:
    """Whatever bytes are sent, the answer is a problem that says what is expected."""
    for path in ("suggestions", "shortlists"):
        content = problem(ask("POST", f"/api/v1/{path}", content=data), 422)
        assert content["errors"]


def test_all_faults_of_a_posted_case_are_told() -> None:
    """A posted case is told all its faults in one go, each under `/case`."""
    case = json.loads(SMALL.read_text(encoding="utf-8"))
    case["residents"][0]["unit"] = "nowhere"
    case["applicants"][0]["waiting_since"] = "2026-02-30"
    errors = problem(post("suggestions", {"applicant": "S-2026-001", "case": case}), 422)["errors"]
    assert [error["pointer"] for error in errors] == [
        "/case/applicants/0/waiting_since",
        "/case/residents/0/unit",
    ]


def test_a_large_body_is_413() -> None:
    """A body beyond the limit, or one that does not say how large it is, is refused unread."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"{}"

    problem(ask("POST", "/api/v1/suggestions", content=b" " * (MAX_BODY + 1)), 413)
    problem(ask("POST", "/api/v1/suggestions", content=pieces()), 413)
    problem(ask("POST", "/api/v1/suggestions", content=b" " * 10), 422)


def test_an_engine_that_cannot_answer_is_500_and_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the engine fails, the answer is a problem without its reason, and the reason is logged."""

    def fail(*_given: object) -> None:
        raise EngineError("out of memory")

    monkeypatch.setattr(questions, "suggest", fail)
    with capture_logs() as logs:
        response = post("suggestions", {"applicant": APPLICANT})
    assert problem(response, 500)["title"] == "the engine could not answer"
    assert "out of memory" not in response.text
    assert [entry["reason"] for entry in logs if entry["event"] == "engine_failed"] == ["out of memory"]


def _crash(*_given: object) -> None:
    raise RuntimeError(NAME)


def test_an_unforeseen_error_is_500_and_says_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw is a problem too; neither answer nor log repeats its message."""
    monkeypatch.setattr(questions, "suggest", _crash)
    with capture_logs() as logs:
        response = post("suggestions", {"applicant": APPLICANT})
    problem(response, 500)
    assert NAME not in response.text
    assert NAME not in str(logs)
    assert [entry["kind"] for entry in logs if entry["event"] == "unexpected_error"] == ["RuntimeError"]


@pytest.mark.parametrize("part", ["headers", "log"])
def test_an_unforeseen_error_is_answered_and_logged_like_others(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also such an answer has the security headers, and the access is logged."""
    monkeypatch.setattr(questions, "suggest", _crash)
    with capture_logs() as logs:
        response = post("suggestions", {"applicant": APPLICANT})
    if part == "headers":
        assert dict(response.headers).items() >= SECURITY.items()
    else:
        assert [entry["status"] for entry in logs if entry["event"] == "access"] == [500]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/v1/suggestions", "POST"),
        ("DELETE", "/api/v1/shortlists", "POST"),
        ("POST", "/api/v1/units", "GET"),
        ("PUT", "/healthz", "GET"),
    ],
)
def test_a_wrong_method_is_405(method: str, path: str, allowed: str) -> None:
    """A method that a route does not have is refused with those that it has."""
    response = ask(method, path, content=b"{}")
    problem(response, 405)
    assert response.headers["allow"] == allowed


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1", "/api/v1/people", "/api/v1/applicants/S-2026-101"])
def test_an_unknown_route_is_404(path: str) -> None:
    """A route that is not there is a problem too."""
    problem(ask("GET", path), 404)


@pytest.mark.parametrize(
    "headers",
    [
        {"content-length": "2", "transfer-encoding": "chunked"},
        {"content-length": "9" * 5000},
        {"content-length": "-1"},
        {"content-length": "²"},
    ],
)
def test_a_length_that_says_nothing_is_413(headers: dict[str, str]) -> None:
    """A body in pieces, whatever length it states, and a length that is no number are refused unread."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    assert _sent(service(), raw)[0]["status"] == 413


def _sent(app: FastAPI, headers: list[tuple[bytes, bytes]], path: str = "/x") -> list[Any]:
    """Return the messages that a request is answered with, with headers as they come off the wire."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
    }
    sent: list[Any] = []
    received = iter([{"type": "http.request", "body": b"{}"}])

    async def receive() -> dict[str, Any]:
        for message in received:
            return message
        await asyncio.sleep(10)  # the caller stays
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


def _with_route(answer: Any) -> FastAPI:
    app = create_app(*loaded(), token=TOKEN)
    app.add_api_route("/x", answer, methods=["POST"])
    return app


def test_an_answer_that_breaks_off_is_logged_and_not_ended() -> None:
    """Where half an answer is out, the connection is broken, and neither log nor server learns why."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"half"
        raise RuntimeError(NAME)

    app = _with_route(lambda: StreamingResponse(pieces()))
    with capture_logs() as logs, pytest.raises(BrokenOffError) as broken:
        _sent(app, [(b"content-length", b"2")])
    assert NAME not in "".join(traceback.format_exception(broken.value))
    assert NAME not in str(logs)
    assert [(entry["event"], entry.get("kind"), entry.get("status")) for entry in logs] == [
        ("unexpected_error", "RuntimeError", None),
        ("access", None, 200),
    ]


def test_security_headers_stand_once_whatever_a_route_says() -> None:
    """A route cannot weaken a security header or send it twice; its other headers are its own."""
    theirs = {"Cache-Control": "public", "X-Own": "yes"}
    app = _with_route(lambda: Response(b"", headers=theirs))
    (start, _) = _sent(app, [(b"content-length", b"2")])
    names = [name for name, _ in start["headers"]]
    assert len(set(names)) == len(names)
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    assert found.items() >= {**SECURITY, "x-own": "yes"}.items()


# ------------------------------------------------------------------------------ every route, from the code


def _routes(app: FastAPI) -> dict[str, tuple[str, ...]]:
    """Return the methods of every route of the application, by its full path."""
    found: dict[str, tuple[str, ...]] = {}

    def add(routes: Any, prefix: str) -> None:
        for route in routes:
            if hasattr(route, "original_router"):
                add(route.original_router.routes, prefix + route.include_context.prefix)
            else:
                methods = tuple(sorted(getattr(route, "methods", None) or ("GET",)))
                found[prefix + route.path] = (*found.get(prefix + route.path, ()), *methods)

    add(app.routes, "")
    return found


OPEN = {"/openapi.json", "/healthz", "/readyz", "/metrics"}


def test_routes_are_those_of_the_api_and_a_few_open_ones() -> None:
    """No route lies outside `/api/v1` but those that are open on purpose."""
    paths = set(_routes(service()))
    assert {path for path in paths if not path.startswith("/api/v1/")} == OPEN
    described = set(service().openapi()["paths"])
    assert described | {"/openapi.json"} == paths
    assert {f"/api/v1/{name}" for name in ("suggestions", "shortlists", "schemes", "units")} <= paths


@pytest.mark.parametrize(
    ("path", "method"),
    [(path, method) for path, methods in sorted(_routes(service()).items()) for method in methods],
)
def test_every_route_of_the_api_needs_the_token_and_every_answer_is_guarded(path: str, method: str) -> None:
    """No route under `/api/v1` answers without the token, and every answer has the security headers."""
    asked = re.sub(r"\{[^}]*\}", "x", path)
    body: dict[str, Any] = {"content": b"{}"} if method in ("POST", "PUT", "PATCH") else {}
    response = ask(method, asked, headers={}, **body)
    if path not in OPEN:
        problem(response, 401)
    else:
        assert response.status_code == 200
    assert dict(response.headers).items() >= SECURITY.items()


def test_refusals_have_the_security_headers() -> None:
    """Every kind of refusal has the security headers as well."""
    responses = [
        ask("GET", "/nowhere"),
        ask("GET", "/api/v1/suggestions"),
        ask("GET", "/api/v1/units?limit=0"),
        post("suggestions", {}),
        post("suggestions", {"applicant": "nobody"}),
        ask("POST", "/api/v1/suggestions", content=b" " * (MAX_BODY + 1)),
    ]
    assert [response.status_code for response in responses] == [404, 405, 422, 422, 404, 413]
    for response in responses:
        assert dict(response.headers).items() >= SECURITY.items()


# -------------------------------------------------------------------------------------------- listings


@pytest.mark.parametrize("name", ["schemes", "units", "applicants"])
def test_pages_put_together_are_the_whole(name: str) -> None:
    """Pages follow one another without gap or overlap, each with the total; beyond the end is empty."""
    whole = ask("GET", f"/api/v1/{name}?limit=200").json()
    assert whole["total"] == len(whole["items"]) > 3
    assert (whole["offset"], whole["limit"]) == (0, 200)
    pages = [ask("GET", f"/api/v1/{name}?limit=3&offset={at}").json() for at in range(0, whole["total"], 3)]
    assert [item for page in pages for item in page["items"]] == whole["items"]
    assert {page["total"] for page in pages} == {whole["total"]}
    assert ask("GET", f"/api/v1/{name}?offset=10000000").json()["items"] == []
    assert ask("GET", f"/api/v1/{name}").json()["limit"] == 50


def test_listings_are_in_order() -> None:
    """Schemes and units come by id, applicants by how long they have waited."""
    for name in ("schemes", "units"):
        ids = [item["id"] for item in ask("GET", f"/api/v1/{name}?limit=200").json()["items"]]
        assert ids == sorted(ids)
    applicants = ask("GET", "/api/v1/applicants").json()["items"]
    assert applicants == sorted(applicants, key=lambda item: (item["waiting_since"], item["id"]))
    assert {frozenset(item) for item in applicants} == {frozenset({"id", "waiting_since"})}


@pytest.mark.parametrize("status", list(UnitStatus))
def test_units_are_filtered_by_status(status: UnitStatus) -> None:
    """A status lists the units that have it, all of them and no others."""
    expected = sorted(u.id for scheme in loaded()[0].schemes for u in scheme.units if u.status is status)
    page = ask("GET", f"/api/v1/units?limit=200&status={status}").json()
    assert [item["id"] for item in page["items"]] == expected
    assert page["total"] == len(expected)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/query/limit"),
        ("limit=201", "/query/limit"),
        ("limit=Nordmann", "/query/limit"),
        ("offset=-1", "/query/offset"),
        ("offset=1.5", "/query/offset"),
        ("offset=99999999999999999999", "/query/offset"),
        ("status=Nordmann", "/query/status"),
        ("status=", "/query/status"),
    ],
)
def test_a_wrong_parameter_is_named_and_not_repeated(query: str, pointer: str) -> None:
    """A parameter out of range or of the wrong kind is refused by name, without its value."""
    response = ask("GET", f"/api/v1/units?{query}")
    assert [error["pointer"] for error in problem(response, 422)["errors"]] == [pointer]
    assert "Nordmann" not in response.text


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_the_handbook_is_markdown_with_its_hash(language: str) -> None:
    """The handbook is served as the library writes it, with its hash as the entity tag."""
    response = ask("GET", f"/api/v1/handbook?language={language}")
    policy = loaded()[1]
    assert response.text == handbook(policy, language)
    assert response.headers["content-type"] == "text/markdown; charset=utf-8"
    assert response.headers["etag"] == f'"{handbook_sha256(policy)}-{language}"'


def test_the_handbook_is_in_bokmaal_unless_asked_otherwise() -> None:
    """Without a language the handbook is in bokmål, and a language that is not there is refused."""
    assert ask("GET", "/api/v1/handbook").text == handbook(loaded()[1], "nb")
    problem(ask("GET", "/api/v1/handbook?language=se"), 422)


def test_the_policy_is_named_with_its_hash() -> None:
    """Callers can see which policy is in use."""
    policy = loaded()[1]
    assert ask("GET", "/api/v1/policy").json() == {
        "name": policy.name,
        "version": policy.version,
        "sha256": policy.sha256,
    }


# ------------------------------------------------------------------------------------------- operators


def test_operators_see_that_it_is_up_and_nothing_else() -> None:
    """Health, readiness and figures are open, and hold no id of anyone or anything."""
    post("suggestions", {"applicant": APPLICANT})
    post("suggestions", {"applicant": NAME})
    case = loaded()[0]
    ids = {record.id for part in (case.residents, case.applicants, case.schemes) for record in part}
    for path in ("/healthz", "/readyz", "/metrics"):
        response = ask("GET", path, headers={})
        assert response.status_code == 200
        assert not [name for name in {*ids, NAME, NUMBER, TOKEN} if name in response.text]
    assert ask("GET", "/healthz").json()["status"] == "up"
    assert ask("GET", "/readyz").json()["engine"] == "durable"
    assert 'allocator_answers_total{engine="durable",reader="committee"}' in ask("GET", "/metrics").text


def test_an_engine_that_cannot_be_made_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the engine cannot be made, the service says that it is not ready."""

    def fail(*_given: object) -> None:
        raise EngineError("no engine")

    monkeypatch.setattr(operations, "engine", fail)
    assert ask("GET", "/readyz").status_code == 503


@pytest.mark.parametrize("part", ["figures", "log"])
def test_a_made_up_method_is_neither_counted_nor_logged_by_name(part: str) -> None:
    """A method is whatever a caller writes, so only known ones become labels or stand in the log."""
    with capture_logs() as logs:
        problem(ask("NORDMANN", "/healthz", headers={}), 405)
    assert "NORDMANN" not in (ask("GET", "/metrics").text if part == "figures" else str(logs))


def test_the_access_log_says_what_was_done_and_about_nobody() -> None:
    """Each access is logged once, with route, status, caller and reader, and no id, name or body."""
    with capture_logs() as logs:
        post("suggestions", {"applicant": APPLICANT, "reader": "staff"})
        post("suggestions", {"applicant": NAME, NUMBER: NAME})
        post("suggestions", {"applicant": "nobody"}, headers={})
        ask("GET", f"/api/v1/applicants/{APPLICANT}")
        ask("GET", f"/api/v1/units?status={NUMBER}")
    assert [(entry["event"], entry["status"], entry["caller"], entry["reader"]) for entry in logs] == [
        ("access", 200, "system", "staff"),
        ("access", 422, "system", None),
        ("access", 401, "nobody", None),
        ("access", 404, "nobody", None),
        ("access", 422, "system", None),
    ]
    keys = {"event", "log_level", "method", "route", "status", "caller", "reader", "milliseconds"}
    assert {frozenset(entry) for entry in logs} == {frozenset(keys)}
    for word in (APPLICANT, NAME, NUMBER, "nobody_", TOKEN, *(r.id for r in loaded()[0].residents)):
        assert word not in str(logs)


# --------------------------------------------------------------------------------------------- openapi


@cache
def described() -> Any:
    """Return the OpenAPI document, as it is served."""
    return ask("GET", "/openapi.json", headers={}).json()


def _inside(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _inside(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _inside(inner)


def test_the_description_has_the_shape_of_openapi_3_1() -> None:
    """The document has what OpenAPI 3.1 demands: version, info, and for each operation its responses."""
    content = described()
    assert re.fullmatch(r"3\.1\.\d+", content["openapi"])
    assert {"title", "version"} <= set(content["info"])
    operations_seen: list[str] = []
    for path, item in content["paths"].items():
        assert path.startswith("/")
        for method, operation in item.items():
            assert method in {"get", "post", "put", "patch", "delete"}
            operations_seen.append(operation["operationId"])
            assert operation["summary"]
            assert all(re.fullmatch(r"[1-5]\d\d", status) for status in operation["responses"])
            assert all(response["description"] for response in operation["responses"].values())
            for parameter in operation.get("parameters", ()):
                assert {"name", "in", "schema"} <= set(parameter)
            secured = bool(operation.get("security"))
            assert secured == path.startswith("/api/v1/")
    assert len(set(operations_seen)) == len(operations_seen)


def test_every_reference_of_the_description_resolves() -> None:
    """Each `$ref` points at something in the document."""
    content = described()
    references = {part["$ref"] for part in _inside(content) if isinstance(part.get("$ref"), str)}
    assert references
    for reference in references:
        place = content
        assert reference.startswith("#/")
        for step in reference[2:].split("/"):
            place = place[step]
        assert place


def test_questions_are_described_with_examples() -> None:
    """Both questions have a body, described, with an example."""
    for path in ("suggestions", "shortlists"):
        operation = described()["paths"][f"/api/v1/{path}"]["post"]
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert described()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["example"]
        assert {"200", "401", "404", "413", "422", "500"} <= set(operation["responses"])


def test_the_examples_work_in_the_demo() -> None:
    """Whoever tries the described example in the demo gets an answer."""
    schemas = described()["components"]["schemas"]
    assert post("shortlists", schemas["ShortlistQuestion"]["example"]).status_code == 200
    assert post("suggestions", schemas["SuggestionsQuestion"]["example"]).status_code == 200


def _undescribed(value: Any, schema: dict[str, Any]) -> set[str]:
    """Return keys of an answer that its description does not have."""
    schemas = described()["components"]["schemas"]
    while "$ref" in schema or "anyOf" in schema:
        if "$ref" in schema:
            schema = schemas[schema["$ref"].rpartition("/")[2]]
        else:
            schema = next(option for option in schema["anyOf"] if option.get("type") != "null")
    if isinstance(value, list):
        return {key for item in value for key in _undescribed(item, schema.get("items", {}))}
    if isinstance(value, dict) and "properties" in schema:
        found = set(value) - set(schema["properties"])
        for key, inner in value.items():
            if key in schema["properties"]:
                found |= {f"{key}.{k}" for k in _undescribed(inner, schema["properties"][key])}
        return found
    return set()


def test_answers_have_nothing_that_is_not_described() -> None:
    """Each key of an answer is in its description."""
    answer = {"$ref": "#/components/schemas/Answer"}
    found: set[str] = set()
    for applicant in loaded()[0].applicants[:2]:
        content = post("suggestions", {"applicant": applicant.id, "engine": "reference"}).json()
        found |= _undescribed(content, answer)
    assert found == set()


# ------------------------------------------------------------------------------------------- together


def test_many_callers_at_once_get_their_own_answers() -> None:
    """Twenty threads and twenty requests at once are answered as one would be."""
    cases = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(SMALL.parent.glob("golden-b*.json"))
    ]
    different = [{"applicant": case["applicants"][0]["id"], "case": case} for case in cases]
    alone = [post("suggestions", question).content for question in different]
    assert len(set(alone)) == len(alone) > 3
    turns = [i % len(different) for i in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda i: post("suggestions", different[i]).content, turns))
    assert answers == [alone[i] for i in turns]
    requests = [("POST", "/api/v1/suggestions", {"headers": CALLER, "json": different[i]}) for i in turns]
    together = asyncio.run(_asked(service(), requests))
    assert [response.content for response in together] == [alone[i] for i in turns]


# -------------------------------------------------------------------------------------- a real service


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_up(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, "the service has ended"
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{address}/readyz", trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise TimeoutError("the service does not answer")


def test_the_demo_serves_and_stops_when_told() -> None:
    """The demo is started, asked over HTTP, also by many at once, and ends cleanly when it is told to.

    A connection that is idle for some seconds, as a proxy's may be, is still open for the next request.
    """
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    program = Path(sys.executable).with_name("allocator")
    with subprocess.Popen(
        [program, "demo", "--port", str(port)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            _until_up(address, process)
            url = f"{address}/api/v1/suggestions"
            kept = HTTPConnection("127.0.0.1", port, timeout=20)
            kept.request("GET", "/healthz")
            kept.getresponse().read()
            idle_since = time.monotonic()

            def answer(_number: int) -> httpx.Response:
                return httpx.post(url, json={"applicant": APPLICANT}, trust_env=False, timeout=30)

            with ThreadPoolExecutor(20) as pool:
                responses = list(pool.map(answer, range(20)))
            time.sleep(max(0, 6 - (time.monotonic() - idle_since)))
            kept.sock.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")  # no second connection for it
            assert kept.sock.recv(12) == b"HTTP/1.1 200"
            kept.close()
            process.send_signal(signal.SIGTERM)
            stdout, stderr = process.communicate(timeout=20)
        finally:
            process.kill()
    assert {response.status_code for response in responses} == {200}
    assert {response.content for response in responses} == {responses[0].content}
    assert responses[0].json() == printed("suggest", DEMO, "--applicant", APPLICANT)
    assert "server" not in responses[0].headers
    assert process.returncode in (0, -signal.SIGTERM)
    assert address in stdout.decode()
    logged = [json.loads(line) for line in stderr.decode().splitlines()]
    assert [entry["route"] for entry in logged if entry["caller"] == "demo"] == ["/api/v1/suggestions"] * 20
    assert APPLICANT not in stderr.decode()
