"""Role by route by object by field, over HTTP: each is answered as the reference policy says.

The routes come from the application, the use cases from the catalogue, and the objects are those of the demo
municipality. What a record is about is worked out here from its plain values, not by the product. A route or
a use case of which nothing is said here fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

import pytest

from allocator.access.authorizer import Circumstances
from allocator.access.table import Report
from allocator.casework.bodies import COLLECTIONS
from allocator.casework.cases import Case
from allocator.casework.codes import Clearance, Purpose, Role
from allocator.casework.committee import Meeting
from allocator.casework.offices import Account, BreakGlass
from allocator.casework.records import Kind
from allocator.ports import Query
from allocator.service.catalogue import USES
from allocator.service.uses import Command, UseCase
from api.description import example_of
from api.routes.records import path_of
from fixtures.demo_office import ACCOUNTS, populate
from tests.access_reference import DONE, SEEN, WHOLE, Asking
from tests.browsers import Browser, Served, problem
from tests.databases import BACKENDS
from tests.office import TODAY
from tests.test_office_api import OPEN, _routes

HOUSES = ("nordlia", "strandgata")
KIND_OF = {name: kind for kind, name in COLLECTIONS.items()}
FIELDS = {kind: frozenset(name for names in lines for name in names.split()) for kind, lines in SEEN.items()}


# ---------------------------------------------------------------------------------------- the records


class World:
    """Every record as it is now, and what each is about as far as access depends on it."""

    def __init__(self, office: Served) -> None:
        self.records: dict[tuple[str, str], dict[str, Any]] = {}
        self._known: dict[tuple[str, str], Circumstances] = {}
        with office.storage.read() as tx:
            for kind in Kind:
                for stored in tx.find(Query(kind)):
                    self.records[kind.value, stored.id] = stored.body.model_dump(mode="json")

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the records of a kind by id."""
        return {name: body for (k, name), body in self.records.items() if k == kind}

    def _about(self, kind: str, name: str) -> set[tuple[str, str]]:
        """Return what a record is about: itself, and what its own fields name."""
        body = self.records[kind, name]
        found = {(kind, name)}
        entry = body.get("entry") if kind in ("conflict", "order", "veto") else None
        for key in ("party", "counterpart", "bound", "protected"):
            found |= {("person", entry[key])} if entry and entry.get(key) else set()
        found |= {("person", person) for person in (body["about"] if kind == "recheck" else ())}
        found |= {("case", entry["applicant"])} if kind == "veto" and entry else set()
        found |= {(body["about"], body["of"])} if kind == "comment" else set()
        found |= {("case", body["only_for"])} if body.get("only_for") else set()
        found |= {("person", body["merged_into"])} if body.get("merged_into") else set()
        for key in ("person", "case", "tenancy", "scheme"):
            found |= {(key, body[key])} if isinstance(body.get(key), str) else set()
        return {one for one in found if one in self.records}

    def circumstances(self, kind: str, name: str) -> Circumstances:
        """Return what the reference policy asks of a record."""
        if (kind, name) not in self._known:
            self._known[kind, name] = self._worked_out(kind, name)
        return self._known[kind, name]

    def _worked_out(self, kind: str, name: str) -> Circumstances:
        body, about = self.records[kind, name], self._about(kind, name)
        homes = [self.records[one] for one in about if one[0] == "tenancy"]
        cases = {n for k, n in about if k == "case"}
        if kind == "case":
            cases = {name}
        if kind == "person":
            cases = {n for n, case in self.of("case").items() if case["person"] == name}
        people = {n for k, n in about if k == "person"} | {home["person"] for home in homes}
        people |= {self.records["case", n]["person"] for n in cases if kind != "person"}
        schemes = {n for k, n in about if k == "scheme"} | {home["scheme"] for home in homes}
        if kind == "person":
            current = (home for home in self.of("tenancy").values() if home["moved_out"] is None)
            schemes = {home["scheme"] for home in current if home["person"] == name}
        barred = {account for n in cases for account in self.records["case", n]["barred"]}
        for meeting in self.of("meeting").values():
            barred |= {d["account"] for d in meeting["disqualified"] if d["case"] in cases}
        heard = (h for h in self.of("hearing").values() if h["state"] == "open" and h["case"] in cases)
        appeals = (a for a in self.of("appeal").values() if a["case"] in cases)
        return Circumstances(
            schemes=frozenset(schemes),
            heard_by=frozenset(h["scheme"] for h in heard),
            appealed=any(a["state"] in ("lodged", "forwarded") for a in appeals),
            author=name if kind == "account" else self._author(body),
            strict=bool(body.get("restricted")) or any(self._strict(person) for person in people),
            barred=frozenset(barred),
        )

    @staticmethod
    def _author(body: Mapping[str, Any]) -> str | None:
        named = (body.get(key) for key in ("author", "proposed_by", "asked_by"))
        return next((account for account in named if account), None)

    def _strict(self, person: str) -> bool:
        protection = self.records["person", person]["protection"]
        return protection in ("strictly_confidential", "strictly_confidential_abroad")


# ---------------------------------------------------------------------------------------- the readers


@dataclass(frozen=True)
class Reader:
    """Somebody at a browser, and the same to the reference policy."""

    role: Role | None
    browser: Browser
    asking: Asking
    purpose: Purpose | None
    plain: bool = False
    """Somebody who is as most are in the role; the others are asked less where that tells nothing more."""

    def may_at_all(self, use: str) -> bool:
        """Return whether they may do something with any record whatever."""
        everything = Circumstances(
            frozenset(HOUSES), frozenset(HOUSES), appealed=True, author=self.asking.login
        )
        return self.asking.may(use, everything)

    def has(self, what: str) -> bool:
        """Return whether one of their roles may do what is not about one record."""
        return any(role in WHOLE[what].split() for role, _ in self.asking.held)


def _purposes(role: Role) -> Iterator[Purpose | None]:
    """Yield purposes to look for, for the cleared of a role; none where no clearance changes anything."""
    words = [word for lines in (*SEEN.values(), DONE) for who in lines.values() for word in who.split()]
    own = [word for word in words if re.match(rf"{role}\b", word) and "+" in word]
    if own:
        said = {why for word in own for why in word.split("?")[1:]}
        yield from (None, Purpose.CASEWORK, *sorted(map(Purpose, said)))


class Demo(Served):
    """The demo municipality over HTTP, with some more people at work in it."""

    def __init__(self, backend: str) -> None:
        super().__init__(backend)
        populate(self.storage, TODAY)
        with self.storage.read() as tx:
            (case, *_), (meeting, *_) = tx.find(Query(Kind.CASE)), tx.find(Query(Kind.MEETING))
        assert isinstance(case.body, Case)
        assert isinstance(meeting.body, Meeting)
        self.seed(case.body.model_copy(update={"barred": frozenset({"barred"})}), case.id, case.version + 1)
        self.seed(meeting.body.model_copy(update={"restricted": True}), "meeting-hidden")
        self.readers = list(self._readers())

    def _readers(self) -> Iterator[Reader]:
        logins = {role: login for login, _, role, _, cleared in reversed(ACCOUNTS) if not cleared}
        for role in Role:
            houses = HOUSES if role in (Role.SCHEME_LEADER, Role.SCHEME_STAFF) else ()
            plain = self._reader(role, Purpose.CASEWORK, logins.get(role, f"plain-{role}"), houses)
            yield replace(plain, plain=True)
            for purpose in _purposes(role):
                yield self._reader(role, purpose, f"cleared-{role}", houses, frozenset(Clearance))
        for cleared in Clearance:
            yield self._reader(
                Role.COMMITTEE_LEADER, Purpose.MEETING, f"leader-{cleared}", (), frozenset({cleared})
            )
        yield self._reader(Role.CASEWORKER, None, "caseworker")
        yield self._reader(Role.CASEWORKER, Purpose.CASEWORK, "barred")
        yield self._reader(Role.AUDITOR, Purpose.SUBJECT_ACCESS, "auditor")
        yield self._reader(Role.CASEWORKER, Purpose.CASEWORK, "sees-6", (), frozenset({Clearance.KODE_6}))
        yield self._in_crisis()
        gone = Account(login="gone", name="gone", disabled=False)
        self.seed(gone, "gone")
        yield self._reader(Role.PEER_MEMBER, Purpose.CASEWORK, "gone")

    def _in_crisis(self) -> Reader:
        made = self._reader(Role.ASSESSOR, Purpose.CRISIS, "in-crisis")
        account = self.now(Account, "in-crisis")
        now = self.clock.now()
        crisis = BreakGlass(
            since=now, until=datetime.fromisoformat("2026-11-23T13:00:00+00:00"), reason="Brann."
        )
        body = account.body.model_copy(update={"crisis": crisis})
        self.seed(body, "in-crisis", 2)
        return Reader(made.role, made.browser, Asking("in-crisis", body, now, Purpose.CRISIS), Purpose.CRISIS)

    def _reader(
        self,
        role: Role,
        purpose: Purpose | None,
        login: str,
        houses: tuple[str, ...] = (),
        cleared: frozenset[Clearance] = frozenset(),
    ) -> Reader:
        browser = self.as_somebody(role, *houses, cleared=cleared, purpose=purpose, login=login)
        account = self.now(Account, login).body
        return Reader(role, browser, Asking(login, account, self.clock.now(), purpose), purpose)


@cache
def demo(backend: str) -> Demo:
    """Return the office, once for all tests here; what they expect they work out anew each time."""
    return Demo(backend)


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Demo:
    """The demo municipality on each kind of database."""
    return demo(request.param)


def some(office: Demo, whole: list[Any], few: int) -> list[Any]:
    """Return all on SQLite, and a few on PostgreSQL, where only the storage is another."""
    if office.connections.engine.dialect.name == "sqlite":
        return whole
    return whole[:: max(1, len(whole) // few)]


# --------------------------------------------------------------------------------------------- looking


def check_fields(shown: Mapping[str, Any], kind: str, seen: set[str]) -> None:
    """Assert that exactly the fields that are seen are shown, a person's facts one by one."""
    inner = {name.partition(".")[2] for name in seen if "." in name}
    expected = {"id", "version"} | {name.partition(".")[0] for name in seen}
    assert shown.keys() == expected, kind
    if kind == "person" and inner:
        assert shown["facts"].keys() == inner


def _sample(world: World, kind: str, most: int) -> list[str]:
    """Return records of a kind that are as different as can be in what they are about."""
    by: dict[Any, str] = {}
    for name in world.of(kind):
        about = world.circumstances(kind, name)
        by.setdefault(
            (about.strict, about.appealed, bool(about.heard_by), bool(about.barred), bool(about.schemes)),
            name,
        )
    return [*by.values(), *world.of(kind)][:most]


def test_every_kind_of_record_is_there(office: Demo) -> None:
    """And some that are hidden, appealed, heard about and barred from: else the rest would prove little."""
    world = World(office)
    abouts = [world.circumstances(kind, name) for kind, name in world.records]

    assert {kind for kind, _ in world.records} == {kind.value for kind in Kind}
    assert any(about.strict for about in abouts)
    assert any(about.appealed for about in abouts)
    assert any(about.heard_by for about in abouts)
    assert any(about.barred for about in abouts)


def test_lists_have_the_records_and_fields_of_the_reference_policy(office: Demo) -> None:
    """Every list, for every reader: no record and no field more or less."""
    world = World(office)
    about = {key: world.circumstances(*key) for key in world.records}
    for reader in some(office, office.readers, 4):
        for kind in Kind:
            answer = reader.browser.get(f"{COLLECTIONS[kind]}?limit=200")
            assert answer.status_code == 200
            seen = {
                name: fields
                for name in world.of(kind)
                if (fields := reader.asking.sees(kind, about[kind.value, name])) is not None
            }
            items = answer.json()["items"]
            assert {item["id"] for item in items} == set(seen), (reader.asking.login, kind)
            assert len(items) == len(seen)
            assert answer.json()["after"] is None
            for item in items:
                check_fields(item, kind, seen[item["id"]])


def test_a_record_and_its_history_are_shown_as_the_reference_policy_says(office: Demo) -> None:
    """Every kind, every reader: 404 for what is hidden; who changed it and why for who sees all of it."""
    world = World(office)
    for reader in some(office, office.readers, 3):
        for kind in Kind:
            first, *more = _sample(world, kind, 2)
            for name in (first, *more) if reader.plain else (first,):
                seen = reader.asking.sees(kind, world.circumstances(kind, name))
                at = f"{COLLECTIONS[kind]}/{name}"
                shown = reader.browser.get(at)
                told = reader.browser.get(f"{at}/history") if name == first else None
                if seen is None:
                    problem(shown, 404, "not-found")
                    assert told is None or told.content == shown.content
                    continue
                check_fields(shown.json(), kind, seen)
                for version in told.json()["items"] if told is not None else ():
                    check_fields(version["record"], kind, seen)
                    whole = {"by", "change", "reason"} if seen == FIELDS[kind] else set()
                    assert version.keys() == {"version", "at", "record"} | whole


def _answer(reader: Reader, world: World) -> Iterator[tuple[str, int]]:
    reads = reader.has("reads suggestions as a member") or reader.has("reads suggestions as staff")
    for name in _sample(world, "suggestion", 3):
        seen = reader.asking.sees("suggestion", world.circumstances("suggestion", name))
        yield f"suggestions/{name}/answer", 200 if reads and seen is not None else 404


def _report(name: str) -> Any:
    def told(reader: Reader, _world: World) -> Iterator[tuple[str, int]]:
        yield f"reports/{name}", 200 if reader.has(f"report: {name}") else 403

    return told


def _extract(reader: Reader, world: World) -> Iterator[tuple[str, int]]:
    gives = reader.has("gives_extracts") and reader.purpose is Purpose.SUBJECT_ACCESS
    for name in _sample(world, "person", 3):
        hidden = reader.asking.shut_out(world.circumstances("person", name))
        yield f"people/{name}/access-log", (404 if hidden else 200) if gives else 403


def _pool(reader: Reader, world: World) -> Iterator[tuple[str, int]]:
    for name in _sample(world, "appeal", 3):
        decision = world.records["decision", world.records["appeal", name]["decision"]]
        there = 200 if decision["suggestion"] else 409
        seen = reader.asking.sees("appeal", world.circumstances("appeal", name))
        yield f"appeals/{name}/pool", 404 if seen is None else there


def _package(reader: Reader, world: World) -> Iterator[tuple[str, int]]:
    takes = reader.has("exports") and reader.purpose is not None
    for name in _sample(world, "decision", 2):
        seen = reader.asking.sees("decision", world.circumstances("decision", name))
        yield f"decisions/{name}/package", (404 if seen is None else 200) if takes else 403


def _held(reader: Reader, world: World) -> Iterator[tuple[str, int]]:
    gives = reader.has("gives_extracts") and reader.purpose is Purpose.SUBJECT_ACCESS
    for name in _sample(world, "person", 2):
        about = world.circumstances("person", name)
        seen = reader.asking.sees("person", about) is not None
        known = seen or (reader.has("sees_log") and not reader.asking.shut_out(about))
        yield f"people/{name}/extract", (200 if seen else 404) if gives else 403
        yield f"people/{name}/mentions", (200 if known else 404) if gives else 403


BESIDE: dict[str, Any] = {
    "/api/v1/session": lambda _reader, _world: iter([("session", 200)]),
    "/api/v1/log": lambda reader, _world: iter([("log", 200 if reader.has("sees_log") else 403)]),
    "/api/v1/suggestions/{id}/answer": _answer,
    "/api/v1/people/{id}/access-log": _extract,
    "/api/v1/appeals/{id}/pool": _pool,
    "/api/v1/decisions/{id}/package": _package,
    "/api/v1/people/{id}/extract": _held,
    "/api/v1/people/{id}/mentions": lambda _reader, _world: iter(()),
    **{f"/api/v1/reports/{report}": _report(report) for report in Report},
    "/api/v1/policy": lambda _reader, _world: iter([("policy", 401)]),
    "/api/v1/handbook": lambda _reader, _world: iter([("handbook", 401)]),
}
"""Looks that are neither a list nor a record nor a history, with their answers; the last are for systems."""


def test_every_other_look_is_answered_as_the_reference_policy_says(office: Demo) -> None:
    """Every GET route of the application is a list, a record, a history, or stands above."""
    looks = {
        f"/api/v1/{name}{rest}" for name in COLLECTIONS.values() for rest in ("", "/{id}", "/{id}/history")
    }
    routes = {path for method, path in _routes(office.app) if method == "GET"} - OPEN
    assert routes == looks | set(BESIDE)

    world = World(office)
    for reader in some(office, office.readers, 3):
        for rule in BESIDE.values():
            for path, status in rule(reader, world):
                assert reader.browser.get(path).status_code == status, (path, reader.asking.login)


# ----------------------------------------------------------------------------------------------- doing

FACT = {"rop": {"value": True, "source": "staff", "recorded_on": "2026-11-20"}}

BODIES_OF: dict[str, Any] = {
    "appeals.settle": {"state": "upheld", "result": "Vedtaket blir stående slik det er."},
    "meetings.write_minutes": {"minutes": "To saker ble behandlet, og begge fikk bolig."},
    "people.identify": {"language": "engelsk"},
    "people.record_fact": {"facts": FACT},
    "people.dispute_fact": {"name": "rop", "reason": "Sier nei."},
    "people.withdraw_fact": {"name": "rop"},
    "rechecks.answer": {"answer": "stands", "found": "De to er forlikte, sier begge."},
    "reviews.hold": {"found": "Alt er bra."},
}
"""What to say where no example is made by itself."""

OBSERVED = {"observed_on": "2026-11-20", "source": "staff", "text": "Oppdiktet."}

OF: dict[str, tuple[dict[str, Any], Kind | None, str]] = {
    "accounts.open": ({"login": "ny", "name": "Ny"}, None, ""),
    "appeals.lodge": ({}, Kind.DECISION, "decision"),
    "cases.open": ({"received_on": "2026-11-20"}, Kind.PERSON, "person"),
    "comments.make": ({"about": "case", "text": "Rolig."}, Kind.CASE, "of"),
    "decisions.propose": ({"type": "D1", "outcome": "granted", "grounds": "Oppdiktet."}, Kind.CASE, "case"),
    "hazards.report": ({"what": "violence", "text": "Oppdiktet."}, Kind.SCHEME, "scheme"),
    "hearings.send": ({"scheme": "nordlia"}, Kind.CASE, "case"),
    "schemes.add": ({"facts": {"name": "Nytt"}, "groups": ["A"]}, None, ""),
    "units.add": ({"group": "nowhere"}, Kind.SCHEME, "scheme"),
    "reservations.make": ({"reason": "emergency", "until": "2026-11-20"}, Kind.UNIT, "unit"),
    "meetings.call": ({"on": "2026-11-01", "members": ["nobody"], "chair": "nobody"}, None, ""),
    "offers.send": (
        {
            "deadline": "2026-11-01",
            "told": "Et nei får ingen følger for plassen på lista.",
            "recipients": ["søker"],
        },
        Kind.DECISION,
        "decision",
    ),
    "outcomes.record": ({"what": "settled", "on": "2027-01-01"}, Kind.TENANCY, "tenancy"),
    "people.register": ({"facts": {"rop": {**FACT["rop"], "recorded_on": "2027-01-01"}}}, None, ""),
    "policies.propose": ({"text": "ikke TOML ="}, None, ""),
    "conflicts.report": ({"counterpart": "nobody"}, Kind.PERSON, "party"),
    "conflicts.record": ({"counterpart": "nobody"}, Kind.PERSON, "party"),
    "orders.record": ({"protected": "nobody"}, Kind.PERSON, "bound"),
    "reviews.plan": ({"what": "follow_up", "by": "2026-11-01"}, Kind.TENANCY, "tenancy"),
    "says.record": ({"person": "nobody"}, Kind.SCHEME, "scheme"),
    "suggestions.make": ({}, Kind.CASE, "case"),
    "tenancies.move_in": ({"unit": "havna-1", "moved_in": "2026-11-01"}, Kind.PERSON, "person"),
    "vetoes.raise": ({"case": "nowhere", "fact": OBSERVED}, Kind.SCHEME, "scheme"),
}
"""Of what creates a record: what to say, so that little comes of it, and on which record it rests who may."""


def _example(use: UseCase[Any]) -> dict[str, Any]:
    """Return something that can be said for a use case."""
    command: type[Command] = use.command
    made = BODIES_OF.get(use.name, example_of(command))
    assert made is not None or use.creates, f"nothing to say for {use.name}"
    return dict(made or {})


def test_acting_on_a_record_is_refused_as_the_reference_policy_says(office: Demo) -> None:
    """404 for what is hidden, 403 for who may not; who may is told to say which version they have seen."""
    world = World(office)
    for use in some(office, [use for use in USES.values() if not use.creates], 20):
        first, *more = _sample(world, use.kind, 2)
        for name in (first, *more):
            about = world.circumstances(use.kind, name)
            path = path_of(use).replace("{id}", name)
            for reader in some(office, office.readers, 3):
                if not reader.may_at_all(use.name) and (name != first or not reader.plain):
                    continue
                status = 428
                if reader.asking.sees(use.kind, about) is None:
                    status = 404
                elif not reader.asking.may(use.name, about):
                    status = 403
                answer = reader.browser.post(path, _example(use))
                assert answer.status_code == status, (use.name, name, reader.asking.login, answer.text)


def test_creating_a_record_is_refused_as_the_reference_policy_says(office: Demo) -> None:
    """403 for who may not; what is hidden is not there; who may is answered otherwise."""
    makers = {use.name: use for use in USES.values() if use.creates}
    assert set(makers) == set(OF)

    world = World(office)
    for use in some(office, list(makers.values()), 8):
        said, kind, place = OF[use.name]
        first, *more = [""] if kind is None else _sample(world, kind, 3)
        for name in (first, *more):
            about = Circumstances() if kind is None else world.circumstances(kind, name)
            if use.name == "tenancies.move_in":
                about = Circumstances(frozenset({"havna"}), strict=about.strict, barred=about.barred)
            for reader in some(office, office.readers, 3):
                if not reader.may_at_all(use.name) and (name != first or not reader.plain):
                    continue
                body = {**_example(use), **said, **({place: name} if kind else {})}
                answer = reader.browser.post(path_of(use), body)
                who = (use.name, name, reader.asking.login, answer.text)
                if not reader.may_at_all(use.name):
                    assert answer.status_code == 403, who
                elif kind is not None and reader.asking.shut_out(about):
                    assert answer.status_code == 422, who
                    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{place}"], who
                elif not reader.asking.may(use.name, about):
                    assert answer.status_code == 403, who
                else:
                    assert answer.status_code in (201, 409, 422), who


def test_only_who_may_issues_codes(office: Demo) -> None:
    """The one change that is neither a use case nor about oneself."""
    for reader in some(office, office.readers, 3):
        answer = reader.browser.post("accounts/nobody-at-all/setup-code")
        assert answer.status_code == (404 if reader.may_at_all("accounts.issue_code") else 403)


def test_every_change_is_a_use_case_or_about_oneself(office: Demo) -> None:
    """Every POST route of the application is one that is tried above, or for everybody, or for systems."""
    beside = {"login", "setup", "secret", "logout", "suggestions", "shortlists", "rankings"}
    beside.add("accounts/{id}/setup-code")
    routes = {path for method, path in _routes(office.app) if method == "POST"}

    assert routes == {path_of(use) for use in USES.values()} | {f"/api/v1/{path}" for path in beside}
    assert all(re.fullmatch(r"/api/v1/[\w/{}-]+", path) for path in routes)
