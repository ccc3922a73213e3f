"""A visit to a page: who it is, what they may, and the use cases they reach from there.

Pages look and act through the desk as the API does, so that the same checks and the same log apply.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse

from allocator.access.authorizer import Actor, gives_extracts, imports, may_ever, may_report, sees_log
from allocator.access.table import Report
from allocator.casework.codes import Clearance, Purpose
from allocator.casework.offices import Account
from allocator.casework.records import Kind, Link, Stored
from allocator.ports import Session
from allocator.service.catalogue import USES
from allocator.service.colleagues import Colleague, colleagues
from allocator.service.desk import Shown
from allocator.service.login import SignInNeededError
from allocator.service.uses import Command
from allocator.texts import Catalog, Language, catalog
from api.office import COOKIE, Office, office_of, read
from api.pages.forms import Form
from api.pages.language import chosen
from api.pages.rendering import answer
from api.refusals import AnswerError
from api.routes.records import names_of

SHARED = "__Host-shared-screen"
"""The cookie that says that others look at the screen too."""

CRISIS = "__Host-crisis"
"""The cookie that says that access taken in a crisis is used; it gives nothing to who has not taken any."""

_STEP = 200


@dataclass(frozen=True)
class Visit:
    """Somebody who is logged in, at a page.

    Attributes:
        request: The request.
        session: Their login.
        actor: Who they are and what they may, with no purpose said: names of people are not shown. On a
            shared screen they are cleared for nothing.
        shared: Whether others look at the screen too.
        crisis: Whether they use access taken in a crisis. That is their purpose then, and each look says so.
    """

    request: Request
    session: Session
    actor: Actor
    shared: bool = False
    crisis: bool = False

    @property
    def office(self) -> Office:
        """The office."""
        return office_of(self.request)

    @property
    def language(self) -> Language:
        """The language that they read."""
        return chosen(self.request)

    @property
    def words(self) -> Catalog:
        """Labels of codes, and sentences that are not of pages, in that language."""
        return catalog(self.language.value)

    @property
    def today(self) -> date:
        """Today, where the office is."""
        return self.office.desk.clock.today()

    @cached_property
    def account(self) -> Stored[Account]:
        """Their account."""
        with self.office.desk.storage.read() as tx:
            stored = tx.get(Kind.ACCOUNT, self.actor.account)
        assert stored is not None
        assert isinstance(stored.body, Account)
        return cast("Stored[Account]", stored)

    @property
    def name(self) -> str:
        """What they are called."""
        return self.account.body.name

    @cached_property
    def colleagues(self) -> Mapping[str, Colleague]:
        """Who works here, by account."""
        return colleagues(self.office.desk, self.actor)

    def who(self, account: str) -> str:
        """Return what somebody who works here is called."""
        known = self.colleagues.get(account)
        return account if known is None else known.name

    @property
    def crisis_until(self) -> datetime | None:
        """Until when they can use access taken in a crisis; None if they have taken none."""
        account = self.account.body
        running = account.in_crisis(self.office.desk.clock.now())
        return account.crisis.until if account.crisis is not None and running else None

    def with_purpose(self, purpose: Purpose) -> Visit:
        """Return the visit with a purpose said: names are shown, and the log says why."""
        if self.shared or self.crisis:
            return self
        return replace(self, actor=replace(self.actor, purpose=purpose))

    # ------------------------------------------------------------------------------------------ may

    def may(self, use: str) -> bool:
        """Return whether they may do something with some record."""
        return may_ever(self.office.desk.access, self.actor, use)

    @property
    def gives_extracts(self) -> bool:
        """Whether they tell people who has looked at them."""
        return gives_extracts(self.office.desk.access, self.with_purpose(Purpose.SUBJECT_ACCESS).actor)

    def may_with(self, kind: Kind, identifier: str) -> frozenset[str]:
        """Return the use cases that they may do with a record."""
        return self.office.desk.allowed(self.actor, Kind(kind), identifier)

    def reads(self, kind: Kind) -> bool:
        """Return whether they may see some record of a kind."""
        roles = self.office.desk.access.roles
        return any(
            line.kind == kind and line.cleared <= self.actor.cleared
            for grant in self.actor.grants
            for line in roles[grant.role].reads
        )

    @property
    def sees_log(self) -> bool:
        """Whether they may read the log."""
        return sees_log(self.office.desk.access, self.actor)

    @property
    def imports(self) -> bool:
        """Whether they may bring in a municipality's records."""
        return imports(self.office.desk.access, self.actor)

    @property
    def reports(self) -> bool:
        """Whether they may read any report."""
        return any(self.may_report(report) for report in Report)

    def may_report(self, report: Report) -> bool:
        """Return whether they may read a report about at least something."""
        schemes = may_report(self.office.desk.access, self.actor, report)
        return schemes is None or bool(schemes)

    # ---------------------------------------------------------------------------------------- look

    def show(self, kind: Kind, identifier: str, version: int | None = None) -> Mapping[str, Any]:
        """Return what they see of a record. Raises NotFoundError if it is not there, or not for them."""
        return self.office.desk.show(self.actor, kind, identifier, version).view

    def find(
        self,
        kind: Kind,
        *links: tuple[Kind, str],
        states: Iterable[str] | None = None,
        due_by: date | None = None,
        most: int | None = None,
    ) -> list[Mapping[str, Any]]:
        """Return what they see of all records of a kind, in order; nothing if they see none of it.

        Args:
            kind: The kind.
            links: Records that each must mention.
            states: States that each may be in.
            due_by: Only what is due by then.
            most: No more than so many.
        """
        if not self.reads(kind):
            return []
        found: list[Mapping[str, Any]] = []
        after: tuple[str, str] | None = None
        while most is None or len(found) < most:
            page = self.office.desk.page(
                self.actor,
                kind,
                states=None if states is None else frozenset(states),
                links=tuple(Link(*link) for link in links),
                due_by=due_by,
                after=after,
                limit=_STEP if most is None else min(_STEP, most - len(found)),
            )
            found += [item.view for item in page.items]
            after = page.after
            if after is None:
                break
        return found

    def case_of(self, person: str) -> str | None:
        """Return the case of a person that they see, if any: the one that was opened last."""
        mentioning = self.find(Kind.CASE, (Kind.PERSON, person))
        return max((one["id"] for one in mentioning if one["person"] == person), default=None)

    # ------------------------------------------------------------------------------------------ do

    def do(
        self,
        use: str,
        form: Form,
        target: str | None = None,
        *,
        more: Mapping[str, Any] | None = None,
    ) -> Shown:
        """Do what a form says.

        Args:
            use: The use case.
            form: The form.
            target: The record to act on.
            more: What the page knows without asking, by the names of fields.

        Raises:
            DocumentError: The form says something else than is expected; see `refusing.shown_again`.
            ServiceError: It is not done; nothing was changed.
            StorageError: It could not be done.
        """
        said = self.command(use, form, more)
        expected = form.version
        key = f"form:{form.key}"
        return self.office.desk.run(self.actor, use, said, target=target, expected=expected, key=key)

    @staticmethod
    def command(use: str, form: Form, more: Mapping[str, Any] | None = None) -> Command:
        """Return what a form says to a use case.

        Raises:
            DocumentError: The form says something else than is expected.
        """
        command: type[Command] = USES[use].command
        return read(command, form.content(more), names_of(command))

    # -------------------------------------------------------------------------------------- answer

    def page(
        self,
        template: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **content: Any,
    ) -> Response:
        """Return a page."""
        given = {"visit": self, "today": self.today, "saved": saved(self.request), **content}
        return answer(self.request, template, given, status, headers)


def saved(request: Request) -> str | None:
    """Return the use case that has just been done, if the address says so."""
    said = request.query_params.get("saved")
    return said if said in USES else None


def to(place: str, done: str | None = None, anchor: str | None = None) -> Response:
    """Return the answer that sends a browser on, after something was done."""
    address = place if done is None else f"{place}{'&' if '?' in place else '?'}saved={done}"
    return RedirectResponse(address if anchor is None else f"{address}#{anchor}", status_code=303)


def visiting(request: Request) -> Visit:
    """Return who visits; their roles are read anew each time.

    Raises:
        SignInNeededError: Nobody is logged in, or the login has ended.
        AnswerError: A change that does not come from a page of ours.
    """
    if request.method not in ("GET", "HEAD"):
        from_our_page(request)
    office = office_of(request)
    session = office.logins.session(request.cookies.get(COOKIE, ""))
    actor = office.desk.actor(session.account)
    if actor is None:
        raise SignInNeededError
    request.state.caller = "person"
    shared = request.cookies.get(SHARED) == "yes"
    if shared:
        actor = replace(actor, cleared=frozenset[Clearance]())
    visit = Visit(request, session, actor, shared)
    if shared or request.cookies.get(CRISIS) != "yes" or visit.crisis_until is None:
        return visit
    acting = office.desk.actor(session.account, Purpose.CRISIS)
    return visit if acting is None else replace(visit, actor=acting, crisis=True)


def from_our_page(request: Request) -> None:
    """Refuse a change unless the browser says itself that one of our pages has sent it.

    Browsers state where a request comes from and no page can alter that, so forms need carry no secret.

    Raises:
        AnswerError: It comes from elsewhere, or nothing says where from.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    same = origin is not None and urlsplit(origin).netloc == request.headers.get("host", "")
    if not (site == "same-origin" or (site is None and same)) or (origin is not None and not same):
        raise AnswerError(403, "not-from-here")


Visiting = Annotated[Visit, Depends(visiting)]
