"""The office over HTTP: one scheme for every kind and use case, and what every answer has in common."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, unquote

import pytest
from fastapi import FastAPI
from starlette.routing import Mount

from allocator.access.table import Report, table
from allocator.casework.bodies import BODIES, COLLECTIONS
from allocator.casework.codes import AddressProtection, Clearance, Purpose, Role
from allocator.casework.housing import Unit
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.casework.relations import Conflict
from allocator.codes import ConflictDirection, ConflictKind, ConflictStatus, FactSource
from allocator.model import Conflict as ConflictEntry
from allocator.ports import BusyError, CorruptError, StaleError, UncertainError
from allocator.service.catalogue import USES
from allocator.service.desk import Desk
from allocator.service.errors import MovedOnError, RefusalError
from allocator.service.uses import Command
from allocator.texts import Language, catalog
from api import office as office_module
from api.description import example_of
from api.routes.records import links_of, path_of
from tests.browsers import ROOT, Browser, Served, problem
from tests.databases import BACKENDS

SECURITY = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "cross-origin-resource-policy": "same-origin",
}

HIDDEN = "Kari Oppdiktet"


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Served]:
    """An office with one house and one resident, on each kind of database."""
    made = Served(request.param)
    made.house()
    made.resident("B-1", "nordlia-1", name=HIDDEN)
    yield made
    made.close()


@pytest.fixture(scope="module")
def still() -> Iterator[Served]:
    """An office that no test changes."""
    made = Served("sqlite")
    made.house()
    made.resident("B-1", "nordlia-1", name=HIDDEN)
    yield made
    made.close()


def comment(browser: Browser, text: str = "Rolig nå.", **more: Any) -> Any:
    """Make a remark on a unit."""
    return browser.post("comments/make", {"about": "unit", "of": "nordlia-1", "text": text}, **more)


# --------------------------------------------------------------------------- every route, from the code


def _routes(app: FastAPI) -> dict[tuple[str, str], Any]:
    found: dict[tuple[str, str], Any] = {}

    def add(routes: Any, prefix: str) -> None:
        for route in routes:
            if isinstance(route, Mount):
                continue  # the pages, whose routes tests/pages/test_every_page.py goes through
            if hasattr(route, "original_router"):
                add(route.original_router.routes, prefix + route.include_context.prefix)
            else:
                for method in getattr(route, "methods", None) or ("GET",):
                    found[method, prefix + route.path] = route

    add(app.routes, "")
    return found


RULES = {
    ("GET", "/api/v1/session"): "whoever is logged in, about themselves",
    ("POST", "/api/v1/login"): "everyone; throttled",
    ("POST", "/api/v1/setup"): "everyone with a code; throttled",
    ("POST", "/api/v1/secret"): "whoever is logged in, for themselves; throttled",
    ("POST", "/api/v1/logout"): "whoever is logged in, for themselves",
    ("POST", "/api/v1/accounts/{id}/setup-code"): "roles with accounts.issue_code",
    ("GET", "/api/v1/log"): "roles with sees_log",
    ("GET", "/api/v1/people/{id}/access-log"): "roles with gives_extracts, for subject_access",
    ("GET", "/api/v1/suggestions/{id}/answer"): "whoever reads suggestions; the desk leaves out the rest",
    **{
        ("GET", f"/api/v1/reports/{report}"): f"roles with reports: {report}; of few people nothing is told"
        for report in Report
    },
    ("GET", "/api/v1/appeals/{id}/pool"): "whoever sees the appeal; the others under other names",
    ("GET", "/api/v1/decisions/{id}/package"): "roles with exports, for a purpose, as they see each part",
    ("GET", "/api/v1/people/{id}/extract"): "roles with gives_extracts, for subject_access, as they see it",
    ("GET", "/api/v1/people/{id}/mentions"): "roles with gives_extracts, for subject_access",
    ("POST", "/api/v1/suggestions"): "systems with the token, on a case they send",
    ("POST", "/api/v1/shortlists"): "systems with the token, on a case they send",
    ("POST", "/api/v1/rankings"): "systems with the token",
    ("GET", "/api/v1/policy"): "systems with the token",
    ("GET", "/api/v1/handbook"): "systems with the token",
}
"""Routes that are neither a use case nor a look at records, and who may use them."""

OPEN = {"/openapi.json", "/healthz", "/readyz", "/metrics"}


def test_every_route_is_a_use_case_a_look_or_has_a_rule(still: Served) -> None:
    """A route that is none of these fails here, until somebody has written down who may use it."""
    looks = {
        ("GET", f"/api/v1/{name}{rest}")
        for name in COLLECTIONS.values()
        for rest in ("", "/{id}", "/{id}/history")
    }
    uses = {("POST", path_of(use)) for use in USES.values()}
    open_ones = {(method, path) for path in OPEN for method in ("GET", "HEAD")}

    routes = set(_routes(still.app))
    assert routes <= looks | uses | set(RULES) | open_ones
    assert looks | uses | set(RULES) <= routes


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "suggestions", "GET, POST"),
        ("OPTIONS", "accounts/open", "POST"),
        ("PUT", "people/B-1", "GET"),
        ("PUT", "/healthz", "GET"),
    ],
)
def test_whoever_uses_a_wrong_method_is_told_all_right_ones(
    still: Served, method: str, path: str, allowed: str
) -> None:
    """Also where several routes have one address; that of a use case is no record's, whatever its id."""
    answer = still.browser().ask(method, path)

    problem(answer, 405)
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("name", ["[", "a[b]", "", "id"])
def test_a_field_that_is_not_known_may_be_called_anything(still: Served, name: str) -> None:
    """Its name is not repeated, and none of them is taken for a part of ours."""
    browser = still.as_somebody(Role.CASEWORKER)

    answer = browser.post("cases/S-1/part", {name: 1}, 1)

    (found,) = problem(answer, 422, "request")["errors"]
    assert found["pointer"] == ""
    assert found["expected"].startswith("bare felter som finnes i skjemaet")


def test_every_use_case_of_the_catalogue_has_somebody_who_may(still: Served) -> None:
    """A use case that no role may do, and a role's use case that is not there, are mistakes."""
    allowed = {use for role in table().roles.values() for line in role.does for use in line.uses}

    assert set(USES) <= allowed
    assert still.app.openapi()["paths"]


def test_nobody_gets_anything_without_a_login_and_every_answer_is_guarded(still: Served) -> None:
    """Whoever is not logged in is told so, whatever they ask for; every answer has every header."""
    for method, path in _routes(still.app):
        answer = still.browser().ask(method, path.replace("{id}", "nordlia-1"))
        if path not in OPEN:
            problem(answer, 422 if path in ("/api/v1/login", "/api/v1/setup") else 401)
        assert dict(answer.headers).items() >= SECURITY.items()
        assert len(answer.headers.get_list("content-security-policy")) == 1


def test_no_change_is_made_without_the_mark_of_the_session(still: Served) -> None:
    """Every route that changes something needs the header that no other site can send."""
    browser = still.as_somebody(Role.CASEWORKER)
    browser.csrf = None
    for method, path in _routes(still.app):
        system = path.rpartition("/")[2] in ("suggestions", "shortlists", "rankings", "login", "setup")
        if method == "POST" and not system:
            problem(browser.post(path.replace("{id}", "nordlia-1")), 403, "not-from-here")


def test_the_service_is_ready_only_with_its_database(office: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the database does not answer, the service says that it is not ready."""
    assert office.browser().get("/readyz").status_code == 200

    def gone() -> None:
        raise BusyError("out of reach")

    monkeypatch.setattr(office.connections, "read", gone)
    assert office.browser().get("/readyz").status_code == 503


# --------------------------------------------------------------------------------------------- looking


def test_a_record_is_shown_with_the_tag_of_its_version(office: Served) -> None:
    """What may be seen, and what to send back with a change."""
    answer = office.as_somebody(Role.CASEWORKER).get("people/B-1")

    assert answer.headers["etag"] == '"1"'
    assert answer.json()["name"] == HIDDEN


def test_a_name_needs_a_purpose_and_only_one_of_the_list(office: Served) -> None:
    """Without a purpose there is no name; a purpose that is none is refused and not repeated."""
    browser = office.as_somebody(Role.CASEWORKER, purpose=None)

    assert "name" not in browser.get("people/B-1").json()
    answer = browser.get("people/B-1", headers={"X-Purpose": "nosiness"})
    assert problem(answer, 422)["errors"][0]["pointer"] == "/header/X-Purpose"
    assert "nosiness" not in answer.text


def test_what_is_not_there_and_what_is_not_for_the_reader_are_told_alike(office: Served) -> None:
    """The same bytes for a kode-6 person, a person who is not there, and an id that is none."""
    office.seed(Person(protection=AddressProtection.STRICTLY_CONFIDENTIAL), "B-2")
    browser = office.as_somebody(Role.CASEWORKER)

    answers = [browser.get(f"people/{name}") for name in ("B-2", "B-3", "%00", "x" * 65, "-")]
    assert {problem(answer, 404, "not-found")["code"] for answer in answers} == {"not-found"}
    assert len({(answer.content, str(answer.headers)) for answer in answers}) == 1


def test_an_id_may_have_any_letter(office: Served) -> None:
    """Ids are percent-encoded in addresses, and answered as they are."""
    office.seed(Person(name="Åse Oppdiktet"), "Åse:1.ø")
    browser = office.as_somebody(Role.CASEWORKER)

    assert browser.get(f"people/{quote('Åse:1.ø')}").json()["id"] == "Åse:1.ø"


def test_an_older_version_is_shown_as_it_was(office: Served) -> None:
    """Each version has its own tag; one that is not there is not there."""
    office.seed(
        office.now(Unit, "nordlia-2").body.model_copy(update={"first_ready_on": None}), "nordlia-2", 2
    )
    browser = office.as_somebody(Role.CASEWORKER)

    first, second = (browser.get(f"units/nordlia-2?version={n}") for n in (1, 2))
    assert [first.headers["etag"], second.headers["etag"]] == ['"1"', '"2"']
    assert first.json()["first_ready_on"] == "2026-09-01"
    problem(browser.get("units/nordlia-2?version=3"), 404)
    problem(browser.get("units/nordlia-2?version=0"), 422)
    problem(browser.get("units/nordlia-2?version=2147483648"), 422)


def test_the_history_says_by_whom_only_to_those_who_see_all(office: Served) -> None:
    """Why something was changed can be about any field."""
    seen = office.as_somebody(Role.CASEWORKER).get("units/nordlia-1/history").json()["items"]
    partly = office.as_somebody(Role.SCHEME_STAFF, "nordlia").get("people/B-1/history").json()["items"]

    assert [(item["version"], item["by"], item["change"]) for item in seen] == [(1, "seed", "seed")]
    assert [set(item) for item in partly] == [{"version", "at", "record"}]
    assert HIDDEN not in str(partly)


def test_pages_put_together_are_the_whole(office: Served) -> None:
    """All units come, each once, and the last page says that it is the last."""
    browser = office.as_somebody(Role.CASEWORKER)
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = browser.get(f"units?limit=2{f'&after={after}' if after else ''}").json()
        seen += [item["id"] for item in page["items"]]
        after = page["after"]

    assert seen == ["nordlia-1", "nordlia-2", "nordlia-3"]


def test_lists_are_filtered(office: Served) -> None:
    """By state, by whom or what is mentioned, and by the day something is due."""
    office.house("havna", units=1)
    browser = office.as_somebody(Role.CASEWORKER)

    def ids(query: str) -> list[str]:
        return [item["id"] for item in browser.get(query).json()["items"]]

    assert ids("units?scheme=havna") == ["havna-1"]
    assert ids("tenancies?person=B-1&unit=nordlia-1") == ["L-B-1"]
    assert ids("tenancies?state=current&state=ended") == ["L-B-1"]
    assert ids("tenancies?state=ended") == []
    assert ids("tenancies?due_by=2030-01-01") == []
    assert ids("tenancies?person=B-9") == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/query/limit"),
        ("limit=201", "/query/limit"),
        ("limit=Nordmann", "/query/limit"),
        ("limit=%D9%A3", "/query/limit"),
        ("state=Nordmann", "/query/state"),
        ("state=%00", "/query/state"),
        ("due_by=Nordmann", "/query/due_by"),
        ("due_by=2026-02-30", "/query/due_by"),
        ("scheme=", "/query/scheme"),
        ("scheme=%00", "/query/scheme"),
        ("after=Nordmann", "/query/after"),
        ("after=WyJcdTAwMDAiLCAiWCJd", "/query/after"),
        ("limit=1&limit=2", "/query"),
        ("nordmann=1", "/query"),
    ],
)
def test_a_wrong_parameter_is_named_and_not_repeated(still: Served, query: str, pointer: str) -> None:
    """What is wrong after the question mark is refused by its name, without its value."""
    answer = still.as_somebody(Role.CASEWORKER).get(f"units?{query}")

    assert [error["pointer"] for error in problem(answer, 422, "request")["errors"]] == [pointer]
    assert "ordmann" not in answer.text


def test_nobody_lists_everything_at_once(office: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has had very much listed waits; looking at one thing still goes; others are not held up."""
    monkeypatch.setattr(office_module, "LISTED_MOST", 5)
    browser = office.as_somebody(Role.CASEWORKER)
    assert [browser.get("units").status_code for _ in range(2)] == [200, 200]
    answer = browser.get("units")

    problem(answer, 429, "too-many")
    assert answer.headers["retry-after"] == "601"
    assert browser.get("units/nordlia-1").status_code == 200
    assert office.as_somebody(Role.ASSESSOR).get("units").status_code == 200
    office.clock.moment += timedelta(minutes=10)
    assert browser.get("units").status_code == 200


# ----------------------------------------------------------------------------------------------- doing


def test_what_is_created_is_answered_with_its_address(office: Served) -> None:
    """201, the record, its tag, and an address at which it is."""
    browser = office.as_somebody(Role.SCHEME_STAFF, "nordlia")
    made = comment(browser)

    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    assert browser.get(made.headers["location"]).json() == made.json()
    assert unquote(made.headers["location"]) == f"/api/v1/comments/{made.json()['id']}"


def test_a_change_needs_the_version_that_was_seen(office: Served) -> None:
    """Without a tag 428, with one that is not the newest 412 with the newest; a sound one goes through."""
    browser = office.as_somebody(Role.SCHEME_STAFF, "nordlia")
    address = comment(browser).headers["location"] + "/withdraw"

    problem(browser.post(address), 428, "version-needed")
    for tag in ('"7"', "*", 'W/"1"', "1", '"1", "2"', '"0"', '"99999999999999"'):
        stale = browser.post(address, headers={"If-Match": tag})
        problem(stale, 412, "changed")
        assert stale.headers["etag"] == '"1"'
    done = browser.post(address, version=1)
    assert (done.status_code, done.headers["etag"], done.json()["withdrawn"]) == (200, '"2"', True)


def test_the_same_request_with_the_same_key_is_done_once(office: Served) -> None:
    """A second try is answered like the first; the key is no other request's."""
    browser = office.as_somebody(Role.SCHEME_STAFF, "nordlia")
    key = {"Idempotency-Key": "a" * 128}
    first = comment(browser, headers=key)

    assert comment(browser, headers=key).json() == first.json()
    problem(comment(browser, "Noe annet.", headers=key), 422, "key-reused")
    assert len(browser.get("comments").json()["items"]) == 1


@pytest.mark.parametrize("key", ["", "a" * 129, "a b", "å", "\x7f"])
def test_a_key_is_visible_ascii(still: Served, key: str) -> None:
    """Anything else is refused by name."""
    browser = still.as_somebody(Role.SCHEME_STAFF, "nordlia")
    answer = comment(browser, headers={"Idempotency-Key": key.encode()})

    assert problem(answer, 422, "request")["errors"][0]["pointer"] == "/header/Idempotency-Key"


def test_a_text_that_grows_too_long_in_normal_form_is_refused(still: Served) -> None:
    """Some letters are written with two marks there: what is kept must fit as well."""
    browser = still.as_somebody(Role.SCHEME_STAFF, "nordlia")
    comment = {"about": "unit", "of": "nordlia-1"}

    (error,) = problem(browser.post("comments/make", comment | {"text": "\u0958" * 4000}), 422)["errors"]
    assert error["pointer"] == "/text"
    assert browser.post("comments/make", comment | {"text": "\u0958" * 2000}).status_code == 201


@pytest.mark.parametrize("escaped", ["\\u0000", "a\\u0000b"])
def test_no_text_has_the_character_that_one_database_keeps_and_another_does_not(
    office: Served, escaped: str
) -> None:
    """PostgreSQL keeps no NUL: it is refused by name wherever people write, also before anybody is known."""
    login = f'{{"login": "{escaped}", "secret": "{escaped}"}}'.encode()
    comment = f'{{"about": "unit", "of": "nordlia-1", "text": "{escaped}"}}'.encode()
    note = f'change_note = "{escaped}"'
    policy = (ROOT / "fixtures/policies/default.toml").read_text(encoding="utf-8")
    proposed = re.sub(r"^change_note = .*$", lambda _: note, policy, count=1, flags=re.MULTILINE)
    staff = office.as_somebody(Role.SCHEME_STAFF, "nordlia")
    owner = office.as_somebody(Role.POLICY_OWNER)
    kind = {"content-type": "application/json"}
    for answer, pointer in (
        (office.browser().ask("POST", "login", content=login, headers=kind), "/login"),
        (staff.ask("POST", "comments/make", content=comment, headers=kind), "/text"),
        (owner.post("policies/propose", {"text": proposed}), "/text (change_note)"),
    ):
        assert pointer in [error["pointer"] for error in problem(answer, 422, "request")["errors"]]


@pytest.mark.parametrize("letter", ["a", "\u0390"])  # the second is three letters when it is folded
def test_a_login_is_short_enough_to_be_held(office: Served, letter: str) -> None:
    """A longer one was an internal error with PostgreSQL."""
    browser = office.as_somebody(Role.ADMINISTRATOR)
    opened = browser.post("accounts/open", {"login": letter * 60, "name": "Tone Oppdiktet"})
    assert opened.status_code == 201
    answer = browser.post("accounts/open", {"login": letter * 61, "name": "Tone Oppdiktet"})
    assert [error["pointer"] for error in problem(answer, 422, "request")["errors"]] == ["/login"]


@pytest.mark.parametrize(
    ("content", "pointer", "expected"),
    [
        ({"of": "nordlia-1", "text": "x"}, "/about", "this field"),
        ({"about": "house", "of": "nordlia-1", "text": "x"}, "/about", "one of"),
        ({"about": "unit", "of": "-", "text": "x"}, "/of", "an id"),
        ({"about": "unit", "of": "nordlia-1", "text": ""}, "/text", "at least 1"),
        ({"about": "unit", "of": "nordlia-1", "text": "x" * 4001}, "/text", "at most 4000"),
        ({"about": "unit", "of": "nordlia-1", "text": 7}, "/text", "text"),
        ({"about": "unit", "of": "nordlia-1", "text": "a\0b"}, "/text", "U+0000"),
        ({"about": "unit", "of": "nordlia-1", "text": "x", "Ola Nordmann": 1}, "", "only fields"),
        ({"about": "unit", "of": "nordlia-9", "text": "x"}, "/of", "the id of a record"),
        ([], "", "an object"),
    ],
)
def test_each_fault_is_named_by_its_place_and_what_was_sent_is_not_repeated(
    still: Served, content: Any, pointer: str, expected: str
) -> None:
    """A command is read strictly; the place is a JSON pointer."""
    browser = still.as_somebody(Role.SCHEME_STAFF, "nordlia")
    answer = browser.ask("POST", "comments/make", json=content, headers={"accept-language": "en"})

    (error,) = problem(answer, 422, "request")["errors"]
    assert error["pointer"] == pointer
    assert expected in error["expected"]
    assert "Nordmann" not in answer.text
    assert "house`" not in answer.text


@pytest.mark.parametrize(
    "data", [b"{", b'{"text": "x", "text": "y"}', b'{"text": NaN}', b"\xff", b'{"text": "\\ud800"}', b"null"]
)
def test_what_is_no_json_of_ours_is_refused(still: Served, data: bytes) -> None:
    """What JSON readers disagree about is refused as elsewhere."""
    browser = still.as_somebody(Role.SCHEME_STAFF, "nordlia")

    problem(browser.ask("POST", "comments/make", content=data), 422, "request")


def test_a_body_of_another_kind_is_415(still: Served) -> None:
    """A form, which any site can send, is refused unread."""
    browser = still.as_somebody(Role.SCHEME_STAFF, "nordlia")
    form = {"content-type": "application/x-www-form-urlencoded"}

    problem(browser.ask("POST", "comments/make", content=b"{}", headers=form), 415, "media-type")
    sound = {"content-type": "application/json; charset=utf-8"}
    problem(browser.ask("POST", "comments/make", content=b"{}", headers=sound), 422)


def test_who_may_not_is_refused_and_logged(office: Served) -> None:
    """A role without the right, and the right with another scheme."""
    others = [office.as_somebody(Role.AUDITOR), office.as_somebody(Role.SCHEME_STAFF, "havna")]
    for browser in others:
        problem(comment(browser), 403, "not-allowed")

    assert [entry["outcome"] for entry in office.log()[-2:]] == ["denied", "denied"]


# ------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("error", "status", "code", "headers"),
    [
        (BusyError("x"), 503, "busy", {"retry-after": "2"}),
        (UncertainError("x"), 503, "uncertain", {"retry-after": "2"}),
        (MovedOnError(), 503, "busy", {"retry-after": "2"}),
        (CorruptError("x"), 500, "corrupt", {}),
        (StaleError(Kind.UNIT, "x"), 409, "stale", {}),
        (RefusalError("own-account"), 409, "own-account", {}),
        (RefusalError("no-such-words", {"who": HIDDEN}), 409, "no-such-words", {}),
    ],
)
@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_every_refusal_has_a_code_and_words(  # noqa: PLR0917 - a table of refusals
    still: Served,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    code: str,
    headers: dict[str, str],
    language: str,
) -> None:
    """What cannot be done is told in the reader's language, with what to do, and about nobody."""

    def fail(*_given: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr(Desk, "page", fail)
    browser = still.as_somebody(Role.CASEWORKER)
    answer = browser.get("units", headers={"Accept-Language": f"{language}, de;q=0.9"})

    content = problem(answer, status, code)
    assert answer.headers["content-language"] == language
    assert dict(answer.headers).items() >= headers.items()
    assert content["detail"]
    assert HIDDEN not in answer.text
    said = catalog(language)
    if said.has("refusals", code):
        assert content["detail"] == said.template("refusals", code)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "nb"),
        ("no", "nb"),
        ("nn-NO", "nn"),
        ("de, en;q=0.5", "en"),
        ("en;q=0.2, nn;q=0.8", "nn"),
        ("en;q=x, nn", "nn"),
        ("en;q=0", "nb"),
        ("*", "nb"),
    ],
)
def test_the_language_is_the_most_wanted_of_ours(still: Served, header: str, language: str) -> None:
    """Without a wish that we have, bokmål."""
    answer = still.browser().get("session", headers={"Accept-Language": header})

    assert answer.headers["content-language"] == language


def test_all_languages_have_the_same_refusals() -> None:
    """A code has words in all three, or in none."""
    said = [catalog(language.value)._content for language in Language]
    for part in ("refusals", "problems"):
        assert len({frozenset(content[part]) for content in said}) == 1


# --------------------------------------------------------------------------------------------- the log


def test_who_saw_a_person_between_two_moments_is_one_question(office: Served) -> None:
    """By person, account, time and outcome; the newest first; and the reading stands there too."""
    worker = office.as_somebody(Role.CASEWORKER, login="kari")
    worker.get("people/B-1")
    office.clock.to(date(2026, 11, 24))
    worker = office.as_somebody(Role.CASEWORKER, login="kari")
    worker.get("people/B-1")
    auditor = office.as_somebody(Role.AUDITOR, purpose=Purpose.CONTROL)
    asked = "log?person=B-1&account=kari&outcome=shown&since=2026-11-23T00:00:00Z&until=2026-11-24T00:00:00Z"

    (entry,) = auditor.get(asked).json()["items"]
    assert (entry["by"], entry["at"], entry["purpose"]) == ("kari", "2026-11-23T09:00:00+00:00", "casework")
    read = office.log()[-1]
    assert (read["use"], read["by"], read["people"]) == ("log.read", "auditor", ["B-1"])


def test_the_log_goes_on_where_a_page_ended(office: Served) -> None:
    """All entries come, each once, though each reading adds one; places tell nothing."""
    auditor = office.as_somebody(Role.AUDITOR)
    size = len(office.log())
    seen: list[Any] = []
    after: str | None = ""
    while after is not None:
        page = auditor.get(f"log?limit=3{f'&after={after}' if after else ''}").json()
        seen += page["items"]
        after = page["after"]

    assert len(seen) == size
    problem(auditor.get("log?after=Nordmann"), 422)
    problem(auditor.get("log?since=yesterday"), 422)
    problem(auditor.get("log?since=0"), 422)
    problem(auditor.get("log?outcome=seen"), 422)


def test_only_some_roles_read_the_log(still: Served) -> None:
    """The table says which; whoever tries otherwise stands in it."""
    for role in Role:
        schemes = ("nordlia",) if table().roles[role].of_scheme else ()
        status = 200 if table().roles[role].sees_log else 403
        assert still.as_somebody(role, *schemes).get("log").status_code == status


def test_the_log_is_no_way_around_the_rest(office: Served) -> None:
    """Readers who are not cleared learn neither of kode-6 people nor whose enemy somebody is."""
    office.seed(Person(protection=AddressProtection.STRICTLY_CONFIDENTIAL), "B-6")
    entry = ConflictEntry(
        id="K-1",
        party="B-1",
        counterpart="B-6",
        kind=ConflictKind.THREAT,
        direction=ConflictDirection.MUTUAL,
        status=ConflictStatus.ACTIVE,
        source=FactSource.STAFF,
        recorded_on=date(2026, 11, 1),
    )
    body = Conflict(entry=entry, explanation="Politiet.", author="seed", review_by=date(2027, 1, 1))
    office.seed(body, "K-1")
    office.as_somebody(Role.CASEWORKER).get("people/B-6")

    def read(*cleared: Clearance) -> str:
        return office.as_somebody(Role.AUDITOR, cleared=cleared, login=f"a{len(cleared)}").get("log").text

    plain = read()
    assert "B-6" not in plain
    assert "K-1" not in plain
    assert "sha256" not in plain
    assert "B-6" in read(Clearance.CONFLICTS, Clearance.KODE_6)


def test_a_person_is_told_who_has_looked_at_them(office: Served) -> None:
    """Who, when, in which role and why; not what they saw, which may be about others."""
    office.as_somebody(Role.CASEWORKER, login="kari").get("people/B-1")
    giver = office.as_somebody(Role.CASEWORKER, login="ola", purpose=Purpose.SUBJECT_ACCESS)

    (look,) = giver.get("people/B-1/access-log").json()["items"]
    assert look == {
        "at": "2026-11-23T09:00:00+00:00",
        "by": "kari",
        "name": "kari",
        "roles": ["caseworker"],
        "purpose": "casework",
    }
    assert [item["by"] for item in giver.get("people/B-1/access-log").json()["items"]] == ["ola", "kari"]


def test_such_an_extract_is_given_by_some_and_for_that_purpose_alone(office: Served) -> None:
    """Another role, another purpose, or a person who is not for the giver: refused and logged."""
    office.seed(Person(protection=AddressProtection.STRICTLY_CONFIDENTIAL), "B-6")
    why = Purpose.SUBJECT_ACCESS

    asked = [
        (office.as_somebody(Role.CASEWORKER), "B-1", 403),
        (office.as_somebody(Role.ASSESSOR, purpose=why), "B-1", 403),
        (office.as_somebody(Role.CASEWORKER, purpose=why), "B-6", 404),
        (office.as_somebody(Role.AUDITOR, purpose=why), "B-7", 404),
    ]
    for browser, person, status in asked:
        problem(browser.get(f"people/{person}/access-log"), status)
    assert [entry["outcome"] for entry in office.log()[-4:]] == ["denied"] * 4


# --------------------------------------------------------------------------------------------- openapi


def test_examples_are_of_invented_people_and_taken_by_the_use_case() -> None:
    """An example that is shown is one that would be read."""
    commands: dict[str, type[Command]] = {use.name: use.command for use in USES.values()}
    shown = {name: example_of(command) for name, command in commands.items()}

    assert {"comments.make", "accounts.open"} <= {name for name, example in shown.items() if example}
    for name, example in shown.items():
        if example is not None:
            commands[name].model_validate_json(json.dumps(example))


def test_what_is_described_can_be_followed(still: Served) -> None:
    """Every reference goes somewhere, every path parameter is described, every refusal is a problem."""
    described = still.app.openapi()
    text = str(described)
    for name in set(re.findall(r"#/components/schemas/([\w.-]+)", text)):
        assert name in described["components"]["schemas"], name
    for path, operations in described["paths"].items():
        for operation in operations.values():
            named = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))
            for status, answer in operation["responses"].items():
                if status >= "400" and "content" in answer:
                    assert set(answer["content"]) <= {"application/problem+json", "application/json"}


def test_what_is_asked_for_is_described_as_it_is_asked_for(still: Served) -> None:
    """An id as an id, and the version that was seen as what nothing is changed without."""
    described = still.app.openapi()
    paths, schemas = described["paths"], described["components"]["schemas"]
    an_id = paths["/api/v1/people/{id}"]["get"]["parameters"][0]["schema"]

    place = schemas["PlaceInCrisis"]["properties"]["unit"]
    assert {key: place[key] for key in an_id} == an_id
    assert schemas["OpenMeeting"]["properties"]["present"]["items"] == an_id
    for use in USES.values():
        parameters = paths[path_of(use)]["post"]["parameters"]
        needed = {parameter["name"] for parameter in parameters if parameter.get("required")}
        assert needed == (set() if use.creates else {"id", "If-Match"})


@pytest.mark.parametrize("kind", Kind)
def test_records_can_be_found_by_what_they_mention(kind: Kind) -> None:
    """Every kind that a body's ids are of is a filter, but for its own."""
    from allocator.casework.records import naming  # noqa: PLC0415 - beside its one use

    named = {name for kinds in naming(BODIES[kind]).values() for name in kinds}
    single = {Kind(name) for name in BODIES[kind].model_fields if name in set(Kind)}
    assert (named & single) - {kind} <= set(links_of(kind))


def test_everyone_sees_their_own_account(still: Served) -> None:
    """Whatever the role; and of others' only who administers or audits."""
    for role in Role:
        schemes = ("nordlia",) if table().roles[role].of_scheme else ()
        browser = still.as_somebody(role, *schemes, login=f"own-{role.value}")
        assert browser.get(f"accounts/own-{role.value}").json()["login"] == f"own-{role.value}"
        others = role in (Role.ADMINISTRATOR, Role.AUDITOR)
        still.somebody(Role.PEER_MEMBER, login="other")
        assert browser.get("accounts/other").status_code == (200 if others else 404)
