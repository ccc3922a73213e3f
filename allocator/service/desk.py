"""The way in: every look and every change passes here, is checked, and is logged with what it was about."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NoReturn, TypeVar

from allocator.access.authorizer import Actor, Sight, may, may_ever, reader, sees
from allocator.access.redaction import view, without_withdrawn
from allocator.access.table import Access, table
from allocator.casework.bodies import BODIES
from allocator.casework.cases import Case
from allocator.casework.codes import Clearance
from allocator.casework.committee import Suggestion
from allocator.casework.offices import Account
from allocator.casework.people import Person
from allocator.casework.records import Body, Kind, Link, Stored
from allocator.disclosure import Reader
from allocator.ports import Clock, Logged, Query, Reply, Storage
from allocator.service import suggestions
from allocator.service.catalogue import USES
from allocator.service.errors import (
    ChangedError,
    ForbiddenError,
    KeyReusedError,
    MovedOnError,
    NotFoundError,
    VersionNeededError,
)
from allocator.service.uses import Command, UseCase
from allocator.service.work import Work, new_id

B = TypeVar("B", bound=Body)
T = TypeVar("T")

EXACT = "exact"
"""Noted with a look at an answer that tells who is to be kept from whom."""

_AGAIN = 4
"""So often something is worked out anew because the facts have changed meanwhile."""

_STEP = 200
"""So many records are read at a time until a page is full."""


@dataclass(frozen=True)
class Shown:
    """A record as its reader may see it.

    Attributes:
        stored: The record; for the code, never for the reader.
        sight: What the reader sees of it.
        view: That, as plain values.
    """

    stored: Stored[Body]
    sight: Sight
    view: Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """Records in order, and where to go on; None if these are the last."""

    items: tuple[Shown, ...]
    after: tuple[str, str] | None


@dataclass(frozen=True)
class _Asked:
    """A request to do something."""

    actor: Actor
    use: UseCase[Any]
    command: Command
    target: str | None
    expected: int | None
    key: str | None

    @property
    def sha256(self) -> str:
        """Hash of what is asked for."""
        said = f"{self.use.name}\0{self.target}\0{self.expected}\0{self.command.model_dump_json()}"
        return hashlib.sha256(said.encode()).hexdigest()


class Desk:
    """The use cases of one municipality.

    Args:
        storage: Where its records are.
        clock: What time it is there.
        access: Who may see and do what.
        ids: What gives new records their ids.
    """

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        access: Access | None = None,
        ids: Callable[[Kind], str] = new_id,
    ) -> None:
        self.storage = storage
        self.clock = clock
        self.access = access or table()
        self.ids = ids

    # ------------------------------------------------------------------------------------------- doing

    def run(
        self,
        actor: Actor,
        name: str,
        command: Command,
        *,
        target: str | None = None,
        expected: int | None = None,
        key: str | None = None,
    ) -> Shown:
        """Do something, and return the record that it is about as the actor may see it.

        Args:
            actor: Who does it.
            name: The use case.
            command: What they say.
            target: The record that it acts on.
            expected: The version of it that the actor has seen.
            key: An idempotency key: the same request with the same key changes nothing a second time.

        Raises:
            ServiceError: It is not done; nothing was changed.
            StorageError: It could not be done; see there whether anything was changed.
        """
        asked = _Asked(actor, USES[name], command, target, expected, key)
        try:
            return self._again(lambda: self._once(asked))
        except (ForbiddenError, NotFoundError) as error:
            if isinstance(error, ForbiddenError) or target is not None:
                self._log_denied(actor, name, asked.use.kind, target)
            raise

    def _once(self, asked: _Asked) -> Shown:
        use, prepared = asked.use, None
        if use.prepare is not None:
            with self.storage.read(patient=True) as tx:
                work = self._work(tx, asked.actor, use.name)
                earlier = self._earlier(work, asked)
                if earlier is not None:
                    return earlier
                prepared = use.prepare(work, asked.command, self._target(work, asked))
        with self.storage.write() as tx:
            work = self._work(tx, asked.actor, use.name)
            work.prepared = prepared
            work.reason = getattr(asked.command, "reason", None)
            earlier = self._earlier(work, asked)
            if earlier is not None:
                return earlier
            done = use.run(work, asked.command, self._target(work, asked))
            if not work.allowed:
                raise AssertionError(f"{use.name} did not ask whether the actor may")
            if asked.key is not None:
                reply = Reply(asked.sha256, done.kind, done.id, done.version)
                tx.remember(_key(asked.actor, asked.key), reply, work.now)
            shown = self._shown(work, done)
            tx.append(work.notes, facts=work.facts_changed)
            return shown

    def _target(self, work: Work, asked: _Asked) -> Stored[Body] | None:
        """Return the record to act on, if the actor may; for a new one, ask whether they ever may."""
        use = asked.use
        if use.creates:
            if not may_ever(self.access, work.actor, use.name):
                raise ForbiddenError(use.name)
            return None
        stored = None if asked.target is None else work.get(BODIES[use.kind], asked.target)
        if stored is None:
            raise NotFoundError(f"no such {use.kind}")
        about = work.circumstances(stored)
        if not sees(self.access, work.actor, use.kind, about).visible:
            raise NotFoundError(f"no such {use.kind}")
        if not may(self.access, work.actor, use.name, about):
            raise ForbiddenError(use.name)
        work.allowed = True
        if asked.expected is None:
            raise VersionNeededError
        if asked.expected != stored.version:
            raise ChangedError(stored.version)
        return stored

    def _again(self, attempt: Callable[[], T]) -> T:
        for _ in range(_AGAIN - 1):
            try:
                return attempt()
            except MovedOnError:
                continue
        return attempt()

    def _earlier(self, work: Work, asked: _Asked) -> Shown | None:
        """Return what the same request with the same key came to before."""
        reply = None if asked.key is None else work.tx.reply(_key(asked.actor, asked.key))
        if reply is None:
            return None
        if reply.request != asked.sha256:
            raise KeyReusedError
        stored = work.tx.get(reply.kind, reply.id, reply.version)
        assert stored is not None
        return self._shown(work, stored)

    # ----------------------------------------------------------------------------------------- looking

    def show(self, actor: Actor, kind: Kind, identifier: str, version: int | None = None) -> Shown:
        """Return a record, or one of its versions, as the actor may see it; the look is logged.

        Raises:
            NotFoundError: It is not there, or not for them.
        """
        with self.storage.write() as tx:
            work = self._work(tx, actor, "look")
            newest = work.get(BODIES[kind], identifier)
            stored = newest if version is None else tx.get(kind, identifier, version)
            if newest is not None and stored is not None:
                shown = self._seen(work, stored, newest)
                if shown is not None:
                    self._note_look(work, shown)
                    tx.append(work.notes, facts=False)
                    return shown
        self._log_denied(actor, "look", kind, identifier)
        raise NotFoundError(f"no such {kind}")

    def several(self, actor: Actor, kind: Kind, identifiers: Iterable[str]) -> dict[str, Shown]:
        """Return records of a kind by their ids, those that the actor may see; the looks are logged."""
        found: dict[str, Shown] = {}
        with self.storage.write() as tx:
            work = self._work(tx, actor, "look")
            for identifier in dict.fromkeys(identifiers):
                stored = work.get(BODIES[kind], identifier)
                shown = None if stored is None else self._seen(work, stored, stored)
                if shown is not None:
                    self._note_look(work, shown)
                    found[identifier] = shown
            tx.append(work.notes, facts=False)
        return found

    def history(self, actor: Actor, kind: Kind, identifier: str) -> list[Shown]:
        """Return every version of a record, as the actor may see it; the look is logged.

        Raises:
            NotFoundError: It is not there, or not for them.
        """
        newest = self.show(actor, kind, identifier)
        with self.storage.read() as tx:
            work = self._work(tx, actor, "look")
            hidden = work.hidden()
            groups = newest.sight.groups or frozenset()
            return [
                Shown(
                    stored,
                    newest.sight,
                    view(self.access, without_withdrawn(stored, newest.stored), groups, hidden),
                )
                for stored in tx.history(kind, identifier)
            ]

    def page(
        self,
        actor: Actor,
        kind: Kind,
        *,
        states: frozenset[str] | None = None,
        links: tuple[Link, ...] = (),
        due_by: date | None = None,
        after: tuple[str, str] | None = None,
        limit: int = 50,
    ) -> Page:
        """Return the records of a kind that the actor may see, in order; the look is logged.

        A record is found by what it mentions only if the actor may see that it does.
        """
        with self.storage.write() as tx:
            work = self._work(tx, actor, "look")
            items: list[Shown] = []
            place = after
            more = True
            while more and len(items) <= limit:
                found = tx.find(Query(kind, states, links, due_by, place, _STEP))
                more = len(found) == _STEP
                for stored in found:
                    place = (stored.body.order(), stored.id)
                    seen = self._seen(work, stored, stored, links)
                    if seen is not None:
                        items.append(seen)
                    if len(items) > limit:
                        break
            whole = len(items) <= limit
            kept = tuple(items[:limit])
            for shown in kept:
                self._note_look(work, shown)
            tx.append(work.notes, facts=False)
            last = None if whole else (kept[-1].stored.body.order(), kept[-1].stored.id)
            return Page(kept, last)

    def answer(self, actor: Actor, identifier: str, language: str = "nb") -> dict[str, Any]:
        """Return a stored suggestion's answer as the actor may see it; the look is logged.

        Raises:
            NotFoundError: It is not there, or not for them.
        """
        read_as = reader(self.access, actor)
        with self.storage.read(patient=True) as tx:
            work = self._work(tx, actor, "look")
            stored = work.get(Suggestion, identifier)
            visible = (
                stored is not None
                and sees(self.access, actor, stored.kind, work.circumstances(stored)).visible
            )
            if stored is not None and visible and read_as is not None:
                content = suggestions.answer_for(
                    work,
                    stored,
                    read_as,
                    language,
                    guarded=Clearance.KODE_6 not in actor.cleared,
                    schemes=own_schemes(actor) if read_as is Reader.STAFF else None,
                    without=suggestions.shut_out_of(work),
                )
                people = self._people_in(work, content)
            else:
                content = {}
        if stored is None or not content:
            self._log_denied(actor, "look", Kind.SUGGESTION, identifier)
            raise NotFoundError("no such suggestion")
        with self.storage.write() as tx:
            work = self._work(tx, actor, "look")
            groups = ["answer", EXACT] if read_as is Reader.COMMITTEE else ["answer"]
            work.note(stored, outcome="shown", groups=groups, shown=sorted(people))
            tx.append(work.notes, facts=False)
        return content

    def look_into(
        self,
        actor: Actor,
        body: type[B],
        identifier: str,
        use: str,
        tell: Callable[[Work, Stored[B]], T],
        *,
        may_know: Callable[[Work, Stored[B]], bool] | None = None,
    ) -> T:
        """Return what is told of a record that the actor may see; the looks that it notes are logged.

        Args:
            actor: Who asks.
            body: The kind of record.
            identifier: Its id.
            use: What it is called in the log.
            tell: Puts together what is told.
            may_know: Whether they may know of it, where that does not depend on seeing it.

        Raises:
            NotFoundError: It is not there, or not for them.
        """
        with self.storage.read(patient=True) as tx:
            work = self._work(tx, actor, use)
            stored = work.get(body, identifier)
            known = stored is not None and (may_know or self._is_visible)(work, stored)
            told = tell(work, stored) if stored is not None and known else None
        if told is None:
            self._log_denied(actor, use, body.kind, identifier)
            raise NotFoundError(f"no such {body.kind}")
        with self.storage.write() as tx:
            tx.append(work.notes, facts=False)
        return told

    def _is_visible(self, work: Work, stored: Stored[Body]) -> bool:
        return sees(self.access, work.actor, stored.kind, work.circumstances(stored)).visible

    def refuse(self, actor: Actor, use: str, kind: Kind, identifier: str) -> NoReturn:
        """Log that somebody was refused something that their role does not have.

        Raises:
            ForbiddenError: Always.
        """
        self._log_denied(actor, use, kind, identifier)
        raise ForbiddenError(use)

    @staticmethod
    def _people_in(work: Work, content: Mapping[str, Any]) -> frozenset[str]:
        """Return the persons that an answer tells something about."""
        names: set[str] = set()
        for entry in content["suggestions"]:
            case = work.get(Case, entry.get("applicant", content.get("applicant")))
            names |= set() if case is None else {case.body.person}
            names.update(name for finding in entry["findings"] for name in finding["about"])
        return frozenset(name for name in names if work.get(Person, name) is not None)

    def _seen(
        self, work: Work, stored: Stored[Body], newest: Stored[Body], links: tuple[Link, ...] = ()
    ) -> Shown | None:
        """Return what the actor may see of a version of a record; None if they may not know of it."""
        sight = sees(self.access, work.actor, stored.kind, work.circumstances(newest))
        if sight.groups is None:
            return None
        shown = view(self.access, without_withdrawn(stored, newest), sight.groups, work.hidden())
        if not all(_tells(shown, link.id) for link in links):
            return None
        return Shown(stored, sight, shown)

    @staticmethod
    def _note_look(work: Work, shown: Shown) -> None:
        if work.people(shown.stored):
            work.note(shown.stored, outcome="shown", groups=sorted(shown.sight.groups or ()))

    def _shown(self, work: Work, stored: Stored[Body]) -> Shown:
        """Return what the actor may see of what they have just done."""
        sight = sees(self.access, work.actor, stored.kind, work.circumstances(stored))
        groups = sight.groups or frozenset()
        return Shown(stored, sight, view(self.access, stored, groups, work.hidden()))

    # ------------------------------------------------------------------------------------------- other

    def allowed(self, actor: Actor, kind: Kind, identifier: str) -> frozenset[str]:
        """Return the use cases that an actor may do with a record or about it; none if it is not for them.

        It is for showing what can be done: whether something is done is asked again when it is.
        """
        with self.storage.read() as tx:
            work = self._work(tx, actor, "look")
            stored = work.get(BODIES[kind], identifier)
            if stored is None:
                return frozenset()
            about = work.circumstances(stored)
            if not sees(self.access, actor, kind, about).visible:
                return frozenset()
            return frozenset(name for name in USES if may(self.access, actor, name, about))

    def actor(self, account: str, purpose: Any = None) -> Actor | None:
        """Return who an account is today; None if there is no such account."""
        with self.storage.read() as tx:
            stored = tx.get(Kind.ACCOUNT, account)
        if stored is None:
            return None
        assert isinstance(stored.body, Account)
        return Actor.of(account, stored.body, self.clock.today(), purpose, self.clock.now())

    def _work(self, tx: Any, actor: Actor, use: str) -> Work:
        return Work(tx, self.access, actor, self.clock.now(), self.clock.today(), use, ids=self.ids)

    def _log_denied(self, actor: Actor, use: str, kind: Kind, identifier: str | None) -> None:
        """Log that somebody was refused (REQ-AUD-3). An id that is not one is not repeated."""
        with self.storage.write() as tx:
            entry: dict[str, Any] = {
                "at": self.clock.now().isoformat(),
                "by": actor.account,
                "roles": sorted(actor.roles),
                "use": use,
                "kind": kind.value,
                "outcome": "denied",
            }
            if actor.purpose is not None:
                entry["purpose"] = actor.purpose
            stored = None if identifier is None else tx.get(kind, identifier)
            if stored is not None:
                work = self._work(tx, actor, use)
                entry |= {"id": stored.id, "people": sorted(work.people(stored))}
            tx.append([Logged(entry)], facts=False)


def own_schemes(actor: Actor) -> frozenset[str]:
    """Return the schemes that somebody holds roles for."""
    return frozenset().union(*(grant.schemes for grant in actor.grants))


def _key(actor: Actor, key: str) -> str:
    return hashlib.sha256(f"{actor.account}\0{key}".encode()).hexdigest()


def _tells(shown: Any, identifier: str) -> bool:
    """Return whether plain values hold an id."""
    if isinstance(shown, Mapping):
        return any(_tells(value, identifier) for value in shown.values())
    if isinstance(shown, list | tuple):
        return any(_tells(value, identifier) for value in shown)
    return bool(shown == identifier)


__all__ = ["Desk", "Page", "Shown"]
