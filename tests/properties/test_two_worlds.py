"""Two worlds that differ only in what an uncleared reader must not learn give that reader the same bytes.

In one world somebody's enemy, and whom an order protects, is one resident of a house, in the other another;
a kode-6 resident is described differently, and in one world alone somebody who is kode 6 applies. The same is
done and asked in both, step by step, by everybody who is not cleared.
"""

from __future__ import annotations

import base64
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import pytest

from allocator.access import authorizer, redaction
from allocator.access.authorizer import Sight
from allocator.access.table import Read, table
from allocator.casework.bodies import COLLECTIONS
from allocator.casework.codes import AddressProtection, Clearance, Purpose, Role
from allocator.casework.committee import AgendaItem, Meeting
from allocator.casework.housing import Group, Scheme, Unit
from allocator.casework.people import Person
from allocator.casework.records import Kind, Link
from allocator.codes import ConflictDirection, ConflictKind, ConflictReach, FactSource, Gender, OrderKind
from allocator.disclosure import Reader
from allocator.model import Assessed
from allocator.ports import Query
from allocator.service import desk as desk_module
from allocator.service import exchange, journal, outcomes, suggestions
from allocator.service.comments import MakeComment
from allocator.service.desk import Desk, Page, Shown
from allocator.service.exchange import export_municipality
from allocator.service.relations import ConfirmConflict, Reason, RecordConflict, RecordOrder
from allocator.service.suspensions import ResumeDecision, SuspendDecision
from allocator.service.work import Work
from allocator.store.repository import SqlTransaction
from tests.browsers import Browser, Served
from tests.committee import BOTH, GROUNDS, WHY, Committee, person_facts
from tests.office import TODAY
from tests.test_matrix import KIND_OF
from tests.test_office_api import _routes
from tests.test_rechecks import given

Told = tuple[str, bytes]
"""What was asked, and the whole answer."""

SIX = AddressProtection.STRICTLY_CONFIDENTIAL


class _Seal:
    """Closes places in the log so that tests can compare them: by the order in which they are asked for."""

    def __init__(self) -> None:
        self.places: list[bytes] = []

    def encrypt(self, place: bytes) -> bytes:
        self.places.append(place)
        return base64.urlsafe_b64encode(str(len(self.places)).encode())

    def decrypt(self, token: bytes) -> bytes:
        return self.places[int(base64.urlsafe_b64decode(token)) - 1]


class Town(Committee, Served):
    """A committee's office over HTTP, in one of two worlds.

    Args:
        other: The other world.
        backend: ``sqlite`` or ``postgresql``.
    """

    def __init__(self, *, other: bool, backend: str = "sqlite") -> None:
        super().__init__(backend)
        self.other = other
        self.app.state.office.seal = _Seal()
        numbers: defaultdict[Kind, Iterator[int]] = defaultdict(lambda: itertools.count(1))
        hidden: defaultdict[Kind, Iterator[int]] = defaultdict(lambda: itertools.count(1))
        self.secretly = False

        def ids(kind: Kind) -> str:
            return f"X-{kind}-{next(hidden[kind])}" if self.secretly else f"{kind}-{next(numbers[kind])}"

        self.desk.ids = ids
        self.officer = self.somebody(
            Role.CONFLICT_OFFICER, cleared=BOTH, login="kontroll", purpose=Purpose.CONFLICT_CONTROL
        )
        self._relations()
        self._protected()

    def _relations(self) -> None:
        """Let an applicant and a resident have an enemy, and another an order against them, in one house."""
        enemy, protected = ("nordlia-r2", "nordlia-r4") if self.other else ("nordlia-r1", "nordlia-r3")
        for party in ("P-1", "nordlia-r6"):
            conflict = RecordConflict(
                party=party,
                counterpart=enemy,
                kind=ConflictKind.ENEMY,
                source=FactSource.STAFF,
                explanation="Oppdiktet.",
                confirmed=True,
            )
            self.run(self.officer, "conflicts.record", conflict)
        order = RecordOrder(
            kind=OrderKind.VISITING_BAN,
            bound="P-2",
            protected=protected,
            valid_from=TODAY,
            valid_until=date(2027, 6, 1),
        )
        self.run(self.officer, "orders.record", order)

    def _protected(self) -> None:
        """Let a resident be kode 6; in the other world they are another, and somebody like them applies."""
        facts = person_facts()
        if self.other:
            gender = Assessed[Gender](value=Gender.WOMAN, source=FactSource.STAFF, recorded_on=TODAY)
            facts = facts.model_copy(update={"gender": gender})
        name = "Kari" if self.other else "Ola"
        self.seed(Person(name=name, protection=SIX, facts=facts), "nordlia-r5", 2)
        self.secretly = True
        cleared = self.somebody(Role.CASEWORKER, cleared=(Clearance.KODE_6,), login="seks")
        if self.other:
            self.waiting("S-6", "P-6", name="Kari Skjermet", protection=SIX)
            remark = MakeComment(about=Kind.CASE, of="S-6", text="Ring ikke.")
            self.run(cleared, "comments.make", remark)
            self.desk.show(cleared, Kind.PERSON, "P-6")
        agenda = [AgendaItem(no=no, case=case) for no, case in enumerate(("S-1", "S-6"), 1)]
        meeting = Meeting(on=date(2026, 11, 30), agenda=tuple(agenda if self.other else agenda[:1]))
        self.seed(meeting, "M-1")
        self.secretly = False

    def reader(self, role: Role, purpose: Purpose = Purpose.CASEWORK, login: str | None = None) -> Browser:
        """Return the browser of somebody in a role who is not cleared."""
        schemes = ("nordlia",) if table().roles[role].of_scheme else ()
        return self.as_somebody(role, *schemes, purpose=purpose, login=login or f"u-{role}")


def answered(name: str, browser: Browser, method: str, path: str, *args: Any, **more: Any) -> Told:
    """Return the whole answer to a request: status, headers and body, byte by byte."""
    answer = browser.post(path, *args, **more) if method == "POST" else browser.get(path, **more)
    head = sorted((key, value) for key, value in answer.headers.multi_items())
    return f"{name} {method} {path} {args}", orjson.dumps([answer.status_code, head]) + answer.content


# ------------------------------------------------------------------------------------------- the story


def story(town: Town) -> Iterator[Told]:
    """Do what an office does, and yield what those who do it are told."""
    worker = town.reader(Role.CASEWORKER, login="saksbehandler")
    leader = town.reader(Role.COMMITTEE_LEADER, Purpose.MEETING, login="leder")
    staff = town.reader(Role.SCHEME_STAFF, Purpose.HEARING)
    for asked in ({"case": "S-1"}, {"case": "S-2"}, {"unit": "nordlia-7"}, {"unit": "havna-2"}):
        yield answered("worker", worker, "POST", "suggestions/make", asked)
    for person in ("nordlia-r1", "nordlia-r2", "nordlia-r5", "P-6", "nobody"):
        report = {
            "party": "P-2",
            "counterpart": person,
            "kind": "enemy",
            "source": "applicant",
            "explanation": "Oppdiktet.",
        }
        yield answered("worker", worker, "POST", "conflicts/report", report)
        if person not in ("nordlia-r1", "nordlia-r2"):
            merge = {"other": person, "reason": "Samme."}
            yield answered("worker", worker, "POST", "people/P-1/merge", merge, 1)
        yield answered("worker", worker, "POST", f"people/{person}/identify", {"language": "engelsk"}, 1)
    for about, of in (("case", "S-1"), ("case", "S-6"), ("unit", "nordlia-5"), ("tenancy", "L-nordlia-r5")):
        yield answered("worker", worker, "POST", "comments/make", {"about": about, "of": of, "text": "Nå."})
    yield answered("worker", worker, "POST", "hearings/send", {"case": "S-2", "scheme": "nordlia"})
    yield answered("staff", staff, "POST", "hearings/hearing-1/state", {"kind": "ok"}, 1)
    yield answered("worker", worker, "POST", "hearings/hearing-1/close", {}, 2)
    meeting = town.sitting("S-1", "S-2")
    for case, unit, suggestion in (
        ("S-1", "nordlia-7", "suggestion-1"),
        ("S-1", "nordlia-5", "suggestion-1"),
        ("S-2", "nordlia-8", "suggestion-2"),
        ("S-2", "nordlia-8", "suggestion-4"),
        ("S-1", "havna-2", "suggestion-1"),
    ):
        for why in (None, WHY):
            proposal = {
                "type": "D2",
                "case": case,
                "outcome": "allocated",
                "unit": unit,
                "meeting": meeting,
                "suggestion": suggestion,
                "grounds": GROUNDS,
                "deviation": why,
            }
            yield answered("leader", leader, "POST", "decisions/propose", proposal)
    for decision in ("decision-1", "decision-2"):
        second = town.reader(Role.COMMITTEE_LEADER, Purpose.MEETING, login="leder-2")
        yield answered("second", second, "POST", f"decisions/{decision}/approve", {}, 1)
    look = town.somebody(Role.COMMITTEE_LEADER, cleared=BOTH, login="leder-klarert", purpose=Purpose.MEETING)
    town.desk.answer(look, "suggestion-1")
    town.desk.show(town.officer, Kind.CONFLICT, "conflict-1")
    yield answered("worker", worker, "POST", "appeals/lodge", {"decision": "decision-1"})
    town.run(town.officer, "conflicts.dispute", Reason(reason="Sier nei."), "conflict-1")
    town.run(
        town.officer, "conflicts.confirm", ConfirmConflict(source=FactSource.STAFF, text="Ja."), "conflict-1"
    )
    confirmed = {"stale_confirmed": WHY}
    yield answered("second", second, "POST", "decisions/decision-2/approve", confirmed, 1)
    offer = {
        "decision": "decision-1",
        "deadline": "2026-12-07",
        "told": "Et nei endrer ikke plassen på lista.",
        "recipients": ["søker"],
    }
    yield answered("worker", worker, "POST", "offers/send", offer)
    plan = {"what": "follow_up", "tenancy": "L-nordlia-r5", "by": "2026-12-07"}
    yield answered("worker", worker, "POST", "reviews/plan", plan)
    yield answered("worker", worker, "POST", "suggestions/make", {"case": "S-2"})
    yield answered("worker", worker, "POST", "hearings/send", {"case": "S-2", "scheme": "nordlia"})


# ---------------------------------------------------------------------------------------- who reads what

KINDS = tuple(Kind)


def _paths(town: Town) -> Iterator[str]:
    """Yield every look that the application has, at what is there, what is hidden and what is not there."""
    ids: dict[Kind, list[str]] = {
        Kind.PERSON: ["P-1", "nordlia-r1", "nordlia-r2", "nordlia-r5", "P-6"],
        Kind.CASE: ["S-1", "S-2", "S-6"],
        Kind.TENANCY: ["L-nordlia-r1", "L-nordlia-r5"],
        Kind.UNIT: ["nordlia-5", "nordlia-7"],
        Kind.CONFLICT: ["conflict-1", "conflict-2"],
        Kind.SUGGESTION: [f"suggestion-{n}" for n in range(1, 7)],
        Kind.COMMENT: ["comment-1", "X-comment-1"],
    }
    for method, path in sorted(_routes(town.app)):
        if (
            method != "GET"
            or not path.startswith("/api/v1/")
            or path.endswith(("session", "policy", "handbook"))
        ):
            continue
        collection, _, rest = path.removeprefix("/api/v1/").partition("/")
        kind = KIND_OF.get(collection)
        if "{id}" not in path:
            yield path
        elif kind is not None:
            for name in ids.get(kind, [f"{kind}-1"]):
                yield path.replace("{id}", name)
                if rest == "{id}/answer":
                    yield from (f"{path.replace('{id}', name)}?language={code}" for code in ("nn", "en"))
    for name in ("nordlia-r1", "nordlia-r2", "nordlia-r5", "P-1"):
        for kind in (Kind.TENANCY, Kind.CASE, Kind.CONFLICT, Kind.ORDER, Kind.CLARIFICATION, Kind.SAY):
            yield f"/api/v1/{COLLECTIONS[kind]}?person={name}"
        yield f"/api/v1/log?person={name}&limit=200"
    yield "/api/v1/cases?limit=1"
    yield "/api/v1/log?limit=2"
    yield "/api/v1/log?outcome=done&limit=200"
    yield "/api/v1/log?outcome=shown&limit=200"
    yield "/api/v1/people?limit=4"


def looks(town: Town, roles: tuple[Role, ...] = tuple(Role)) -> Iterator[Told]:
    """Yield the answer to every look, for everybody who is not cleared."""
    purposes = {Role.COMMITTEE_LEADER: Purpose.MEETING, Role.APPEALS_BODY: Purpose.APPEAL}
    for role in roles:
        browser = town.reader(role, purposes.get(role, Purpose.CASEWORK))
        for path in _paths(town):
            if path.endswith(("access-log", "extract", "mentions")):
                continue
            yield answered(role, browser, "GET", path)
        if table().roles[role].exports:
            actor = town.somebody(role, login=f"u-{role}")
            found = export_municipality(town.desk, actor)
            yield (
                f"{role} export",
                orjson.dumps([found.items, found.complete], option=orjson.OPT_NON_STR_KEYS),
            )
        if table().roles[role].gives_extracts:
            giver = town.reader(role, Purpose.SUBJECT_ACCESS)
            for path in _paths(town):
                if path.endswith(("access-log", "extract", "mentions")):
                    yield answered(f"{role} for the person", giver, "GET", path)


def everything(town: Town) -> Iterator[Told]:
    """Yield the whole story, and then what everybody may look at."""
    yield from story(town)
    yield from looks(town)


def difference(one: Iterator[Told], other: Iterator[Told]) -> str | None:
    """Return the first request to which the two worlds give other answers."""
    for (asked, here), (asked_there, there) in zip(one, other, strict=True):
        assert asked == asked_there
        if here != there:
            return f"{asked}\n{here.decode()}\n{there.decode()}"
    return None


def told_in(backend: str, ask: Callable[[Town], Iterator[Told]]) -> Iterator[tuple[Iterator[Told], ...]]:
    """Yield what is told in both worlds."""
    worlds = [Town(other=other, backend=backend) for other in (False, True)]
    yield tuple(map(ask, worlds))
    for world in worlds:
        world.close()


def test_an_uncleared_reader_is_told_the_same_in_both_worlds() -> None:
    """Every answer, list, history, suggestion, report, export, log and refusal, byte by byte."""
    for told in told_in("sqlite", everything):
        assert difference(*told) is None


def test_they_are_told_the_same_by_the_other_database() -> None:
    """On PostgreSQL the story, and the looks of those who see most."""
    seeing = (Role.CASEWORKER, Role.AUDITOR)
    for told in told_in("postgresql", lambda town: itertools.chain(story(town), looks(town, seeing))):
        assert difference(*told) is None


def test_the_cleared_are_told_what_differs() -> None:
    """Who is cleared sees whom it is about: the two worlds do differ."""
    told = []
    for other in (False, True):
        town = Town(other=other)
        told.append(town.desk.show(town.officer, Kind.CONFLICT, "conflict-1").view["entry"]["counterpart"])
        town.close()
    assert told == ["nordlia-r1", "nordlia-r2"]


# ------------------------------------------------------------------------ what comes to light afterwards


class Later(Town):
    """S-1 has been given a unit in the first half of a house when it comes to light who the enemy is.

    In one world they live in that half, and it is work for the cleared; in the other one they live in the
    second half, where nothing stands in the way. Neither half has residents enough to be a zone by itself.
    """

    def _relations(self) -> None:
        self.scheme("tunet", 8, living=6)
        halves = (Group(id="tunet-a", name="A"), Group(id="tunet-b", name="B"))
        house = self.now(Scheme, "tunet").body
        self.seed(house.model_copy(update={"groups": halves}), "tunet", 2)
        for number in (4, 5, 6, 8):
            unit = self.now(Unit, f"tunet-{number}").body
            self.seed(unit.model_copy(update={"group": "tunet-b"}), f"tunet-{number}", 2)
        given(self, "S-1", "tunet-7", "decision-1")

    def _protected(self) -> None:
        """Leave everybody as they are."""

    def learn(self) -> None:
        """Record the conflict, confirmed by both."""
        conflict = RecordConflict(
            party="P-1",
            counterpart="tunet-r4" if self.other else "tunet-r1",
            kind=ConflictKind.ENEMY,
            direction=ConflictDirection.MUTUAL,
            reach=ConflictReach.LIVING_GROUP,
            source=FactSource.POLICE,
            explanation="Oppdiktet.",
            confirmed=True,
        )
        self.run(self.officer, "conflicts.record", conflict)


TOUCHED = (
    *(f"decisions{rest}" for rest in ("", "?due_by=2026-12-24", "/decision-1", "/decision-1/history")),
    *(f"offers{rest}" for rest in ("", "/offer-1", "/offer-1/history")),
    *(f"rechecks{rest}" for rest in ("", "?decision=decision-1", "/recheck-1", "/recheck-1/history")),
    *(f"people/{name}" for name in ("P-1", "tunet-r1", "tunet-r4")),
    *(f"conflicts{rest}" for rest in ("", "/conflict-1")),
    *(f"reports/{report}" for report in ("rules", "waiting")),
    *("cases/S-1", "cases/S-1/history", "tenancies?scheme=tunet", "units/tunet-7", "clarifications"),
    *("reviews", "suggestions/suggestion-1", "suggestions/suggestion-1/answer", "log?limit=200"),
    *(f"log?person={person}&limit=200" for person in ("P-1", "tunet-r1", "tunet-r4")),
    *(f"log?account={account}&limit=200" for account in ("kontroll", "saksbehandler")),
)
"""Looks at what a conflict found after an offer, and a suspension, have to do with."""


def afterwards(town: Town, roles: tuple[Role, ...]) -> Iterator[Told]:
    """Let it come to light between the offer and the answer, and suspend the decision for a while."""
    assert isinstance(town, Later)
    worker = town.reader(Role.CASEWORKER, login="saksbehandler")
    grounds = {"grounds": "Det må ses på en gang til om dette er forsvarlig."}
    told = {"told": "Et nei endrer ikke plassen på lista.", "recipients": ["søker"]}
    offer = {"decision": "decision-1", "deadline": "2026-12-07", **told}
    yield answered("worker", worker, "POST", "offers/send", offer)
    town.learn()
    yield from _looked(town, roles)
    yield answered("worker", worker, "POST", "suggestions/make", {"case": "S-1"})
    suspend = SuspendDecision(until=date(2026, 12, 1), grounds=grounds["grounds"])
    town.run(town.officer, "decisions.suspend", suspend, "decision-1")
    for use in ("accept", "remind", "lapse"):
        yield answered("worker", worker, "POST", f"offers/offer-1/{use}", {}, 1)
    yield answered("worker", worker, "POST", "decisions/decision-1/resume", grounds, 2)
    yield from _looked(town, roles)
    town.run(town.officer, "decisions.resume", ResumeDecision(**grounds), "decision-1")
    yield answered("worker", worker, "POST", "offers/offer-1/accept", {}, 1)


def _looked(town: Town, roles: tuple[Role, ...]) -> Iterator[Told]:
    purposes = {Role.COMMITTEE_LEADER: Purpose.MEETING, Role.CONFLICT_OFFICER: Purpose.CONFLICT_CONTROL}
    for role in roles:
        browser = town.reader(role, purposes.get(role, Purpose.CASEWORK))
        for path in TOUCHED:
            yield answered(role, browser, "GET", f"/api/v1/{path}")
        if table().roles[role].gives_extracts:
            giver = town.reader(role, Purpose.SUBJECT_ACCESS)
            for person in ("P-1", "tunet-r1", "tunet-r4"):
                for what in ("access-log", "extract", "mentions"):
                    yield answered(role, giver, "GET", f"/api/v1/people/{person}/{what}")


@pytest.mark.parametrize(
    ("backend", "roles"), [("sqlite", tuple(Role)), ("postgresql", (Role.CASEWORKER, Role.AUDITOR))]
)
def test_what_comes_to_light_after_an_offer_tells_the_uncleared_nothing(
    backend: str, roles: tuple[Role, ...]
) -> None:
    """Neither that there is something to look at again, nor why the decision is suspended (E-08)."""
    worlds = [Later(other=other, backend=backend) for other in (False, True)]
    assert difference(*(afterwards(world, roles) for world in worlds)) is None
    found = []
    for world in worlds:
        found.append(len(world.desk.page(world.officer, Kind.RECHECK).items))
        world.close()
    assert found == [1, 0]


# ----------------------------------------------------------------------------------------- planted leaks


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Town, Town]]:
    """Both worlds after the story; what is asked of them here changes nothing but the log."""
    one, other = Town(other=False), Town(other=True)
    for town in (one, other):
        assert list(story(town))
    yield one, other
    one.close()
    other.close()


def _as(role: Role, *paths: str, purpose: Purpose = Purpose.CASEWORK) -> Callable[[Town], Iterator[Told]]:
    def ask(town: Town) -> Iterator[Told]:
        browser = town.reader(role, purpose)
        for path in paths:
            yield answered(role, browser, "GET", f"/api/v1/{path}")

    return ask


def _exported(town: Town) -> Iterator[Told]:
    found = export_municipality(town.desk, town.somebody(Role.CASEWORKER, login="u-caseworker"))
    yield "export", orjson.dumps(found.items, option=orjson.OPT_NON_STR_KEYS)


def _named(town: Town) -> Iterator[Told]:
    remark = {"about": "case", "of": "S-6", "text": "Nå."}
    yield answered("worker", town.reader(Role.CASEWORKER), "POST", "comments/make", remark)


def _in_conflict(desk: Desk, person: str) -> bool:
    """Return whether somebody stands in an entry that uncleared readers do not know of."""
    with desk.storage.read() as tx:
        found = tx.find(Query(Kind.CONFLICT, links=(Link(Kind.PERSON, person),)))
    return any(stored.id == "conflict-1" for stored in found)


def _exactly(facts: bytes, policy: bytes, asked: Any, _reader: Reader, language: str) -> bytes:
    return _read_again(facts, policy, asked, Reader.COMMITTEE, language)


_read_again = suggestions._read_again
_page, _show, _history = Desk.page, Desk.show, Desk.history


def _counted_page(self: Desk, actor: Any, kind: Kind, **more: Any) -> Page:
    with self.storage.read() as tx:
        there = len(tx.find(Query(kind)))
    return replace(_page(self, actor, kind, **more), after=("", f"n{there}"))


def _sorted_page(self: Desk, actor: Any, kind: Kind, **more: Any) -> Page:
    page = _page(self, actor, kind, **more)
    return replace(page, items=tuple(sorted(page.items, key=lambda i: _in_conflict(self, i.stored.id))))


def _bumped(self: Desk, actor: Any, kind: Kind, identifier: str, version: int | None = None) -> Shown:
    shown = _show(self, actor, kind, identifier, version)
    later = shown.stored.version + _in_conflict(self, identifier)
    return replace(shown, stored=replace(shown.stored, version=later))


def _longer(self: Desk, actor: Any, kind: Kind, identifier: str) -> list[Shown]:
    return _history(self, actor, kind, identifier) * (1 + _in_conflict(self, identifier))


def _groups(kind: Kind, role: Role, *groups: str) -> Callable[[Any], Any]:
    """Return what gives a role some groups of the fields of a kind."""

    def widened(access: Any) -> Any:
        entry = access.roles[role]
        line = Read(kind=kind, groups=frozenset(groups))
        wider = entry.model_copy(update={"reads": (*entry.reads, line)})
        return replace(access, roles={**access.roles, role: wider})

    return widened


Plant = Callable[[pytest.MonkeyPatch, Town], None]


def _patched(owner: Any, name: str, leaking: Any) -> Plant:
    return lambda patch, _town: patch.setattr(owner, name, leaking)


def _table(widened: Callable[[Any], Any]) -> Plant:
    return lambda patch, town: patch.setattr(town.desk, "access", widened(table()))


_ANSWERS = _as(Role.COMMITTEE_MEMBER, *(f"suggestions/suggestion-{n}/answer" for n in (1, 2, 3)))
_PEOPLE = ("people/nordlia-r1", "people/nordlia-r2")

LEAKS: dict[str, tuple[Plant, Callable[[Town], Iterator[Told]]]] = {
    "a line too many in the table": (
        _table(_groups(Kind.CONFLICT, Role.CASEWORKER, "conflict")),
        _as(Role.CASEWORKER, "conflicts"),
    ),
    "the exact hash of the facts": (
        _table(_groups(Kind.SUGGESTION, Role.COMMITTEE_MEMBER, "sealed")),
        _as(Role.COMMITTEE_MEMBER, "suggestions"),
    ),
    "answers as the cleared read them": (
        _patched(suggestions, "_read_again", _exactly),
        _ANSWERS,
    ),
    "answers to the facts of all": (
        _patched(
            suggestions,
            "_sources",
            lambda work, body, **_: (work.tx.kept(body.facts), work.tx.kept(body.policy)),
        ),
        _ANSWERS,
    ),
    "kode 6 forgotten": (
        _patched(authorizer, "shut_out", lambda *_: False),
        _as(Role.CASEWORKER, "people/P-6"),
    ),
    "a list with what is hidden": (
        _patched(redaction, "_without", lambda *_: {}),
        _as(Role.COMMITTEE_MEMBER, "meetings/M-1"),
    ),
    "found by what is hidden": (
        _patched(desk_module, "_tells", lambda *_: True),
        _as(Role.COMMITTEE_MEMBER, "meetings?case=S-6"),
    ),
    "a count of all there is": (
        _patched(Desk, "page", _counted_page),
        _as(Role.CASEWORKER, "cases"),
    ),
    "in the order of what is hidden": (
        _patched(Desk, "page", _sorted_page),
        _as(Role.CASEWORKER, "people"),
    ),
    "a tag that moves with what is hidden": (
        _patched(Desk, "show", _bumped),
        _as(Role.CASEWORKER, *_PEOPLE),
    ),
    "a history with what is hidden": (
        _patched(Desk, "history", _longer),
        _as(Role.CASEWORKER, *(f"{person}/history" for person in _PEOPLE)),
    ),
    "a refusal that tells": (
        _patched(Work, "_shut_out", lambda *_: False),
        _named,
    ),
    "the log as it is": (
        _patched(journal._Release, "__call__", lambda _self, _number, entry: entry),
        _as(Role.AUDITOR, "log?limit=200"),
    ),
    "an extract that tells of conflicts": (
        _patched(journal, "_told_of", lambda entry, _: (*entry.get("people", ()), *entry.get("shown", ()))),
        _as(Role.CASEWORKER, "people/nordlia-r1/access-log", purpose=Purpose.SUBJECT_ACCESS),
    ),
    "an export of all there is": (
        _patched(exchange, "sees", lambda access, _actor, kind, _about: Sight(access.groups(kind))),
        _exported,
    ),
    "a report of what the cleared read": (
        _patched(outcomes, "is_cleared", lambda _work: True),
        _as(Role.COMMITTEE_LEADER, "reports/rules"),
    ),
}
"""Mistakes that would tell, each with what shows it."""


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_is_found(leak: str, pair: tuple[Town, Town], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told alike by the honest office differs as soon as one thing leaks."""
    plant, ask = LEAKS[leak]
    monkeypatch.setattr(SqlTransaction, "append", lambda *_, **__: 0)  # else the next test would read of it
    assert difference(ask(pair[0]), ask(pair[1])) is None
    for town in pair:
        plant(monkeypatch, town)

    assert difference(ask(pair[0]), ask(pair[1])) is not None


@pytest.fixture(scope="module")
def later() -> Iterator[tuple[Town, Town]]:
    """Both worlds in which something has come to light; what is asked of them here changes nothing."""
    one, other = Later(other=False), Later(other=True)
    for town in (one, other):
        town.learn()
        town.reader(Role.CASEWORKER)
        town.reader(Role.AUDITOR)
    yield one, other
    one.close()
    other.close()


LATER_LEAKS: dict[str, tuple[Plant, Callable[[Town], Iterator[Told]]]] = {
    "a list of what is to be looked at": (
        _table(_groups(Kind.RECHECK, Role.CASEWORKER, "recheck")),
        _as(Role.CASEWORKER, "rechecks?due_by=2026-12-24"),
    ),
    "an entry of the log without its id": (
        _patched(journal, "_LEFT_OUT", frozenset()),
        _as(Role.AUDITOR, "log?limit=200"),
    ),
}
"""Mistakes that would tell that there is something to look at again."""


@pytest.mark.parametrize("leak", LATER_LEAKS)
def test_a_leak_of_what_came_to_light_is_found(
    leak: str, later: tuple[Town, Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As above, of what came to light after an offer."""
    plant, ask = LATER_LEAKS[leak]
    monkeypatch.setattr(SqlTransaction, "append", lambda *_, **__: 0)
    assert difference(ask(later[0]), ask(later[1])) is None
    for town in later:
        plant(monkeypatch, town)

    assert difference(ask(later[0]), ask(later[1])) is not None
