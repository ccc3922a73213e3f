"""The log as a page for those who may read it, and, for a person, who has looked at what is held of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from cryptography.fernet import InvalidToken
from fastapi import APIRouter, Query, Response

from allocator.casework.codes import Purpose
from allocator.casework.records import Kind
from allocator.service.catalogue import USES
from allocator.service.errors import NotFoundError
from allocator.service.journal import EXTRACT, LogQuery
from api import asking
from api.pages.forms import Form, Sent
from api.pages.rendering import OSLO
from api.pages.visit import Visit, Visiting, to
from api.refusals import WrongError

router = APIRouter()

OUTCOMES = ("done", "shown", "denied")
PAGE = 100

Text = Annotated[str | None, Query(max_length=800)]


@router.get("/log")
def read(visit: Visiting, outcome: Text = None, after: Text = None) -> Response:
    """Show the log, the last entry first."""
    return _page(visit, Form(), outcome if outcome in OUTCOMES else None, after)


@router.post("/log")
def search(visit: Visiting, form: Sent) -> Response:
    """Show the entries about a person or by an account; whom is never in an address."""
    outcome = form.value("outcome")
    return _page(visit, form, outcome if outcome in OUTCOMES else None, form.value("_after") or None)


def _page(visit: Visit, form: Form, outcome: str | None, after: str | None) -> Response:
    if not visit.sees_log:
        visit.office.desk.refuse(visit.actor, "log.read", Kind.ACCOUNT, visit.actor.account)
    given = {name: form.value(name) for name in ("person", "account") if form.value(name)}
    since, until = (_day(form, name) for name in ("since", "until"))
    asked = LogQuery(
        person=asking.an_id(given, "person"),
        account=asking.an_id(given, "account"),
        outcome=outcome,
        since=None if since is None else _begin(since),
        until=None if until is None else _begin(until + timedelta(days=1)),
        before=_before(visit, after),
        limit=PAGE,
    )
    office = visit.office
    now = office.desk.clock.now()
    office.listed.check(visit.actor.account, now)
    page = office.journal.page(visit.actor, asked)
    office.listed.add(visit.actor.account, now, len(page.items))
    following = None if page.before is None else office.seal.encrypt(str(page.before).encode()).decode()
    return visit.page(
        "log/log.html",
        entries=page.items,
        form=form,
        outcome=outcome,
        outcomes=OUTCOMES,
        after=following,
        known=USES,
        verified=office.journal.verified(visit.actor),
        verifies=office.journal.verifies,
        searched=bool(given or since or until),
    )


def _day(form: Form, name: str) -> date | None:
    return asking.day({name: form.value(name)}, name) if form.value(name) else None


def _begin(on: date) -> datetime:
    return datetime.combine(on, time(), OSLO).astimezone(UTC)


def _before(visit: Visit, after: str | None) -> int | None:
    if after is None:
        return None
    try:
        return int(visit.office.seal.decrypt(after.encode()))
    except InvalidToken:
        raise WrongError(
            asking.wrong("after", "what the page before gave as `after`; or begin anew")
        ) from None


@router.post("/log/verify")
def verify(visit: Visiting) -> Response:
    """Read the whole record anew; the log says then what came of it."""
    visit.office.journal.verify(visit.actor)
    return to("/log")


@router.get("/people/{person}/looks")
def looks_page(visit: Visiting, person: str) -> Response:
    """Show where an extract for a person is made; the purpose is said with the button."""
    if not visit.gives_extracts:
        visit.office.desk.refuse(visit.actor, EXTRACT, Kind.PERSON, person)
    return visit.page("log/looks.html", person=person, case=visit.case_of(person), looks=None)


@router.post("/people/{person}/looks")
def looks(visit: Visiting, person: str) -> Response:
    """Show who has looked at a person or changed something about them, because they ask."""
    if visit.shared:
        raise NotFoundError("not on a shared screen")
    asking_for_them = visit.with_purpose(Purpose.SUBJECT_ACCESS)
    found = visit.office.journal.extract(asking_for_them.actor, person, changes=True)
    given = visit.office.desk.clock.now()
    return visit.page("log/looks.html", person=person, case=visit.case_of(person), looks=found, given=given)
