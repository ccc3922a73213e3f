"""Reading the log: who did and saw what. Whoever reads it stands in it afterwards.

What an entry tells of protected people and of conflicts is left out for readers who are not cleared, so that
the log is no way around the rest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allocator.access.authorizer import Actor, gives_extracts, sees_log, shut_out
from allocator.casework.bodies import BODIES
from allocator.casework.codes import Clearance, Role
from allocator.casework.offices import Account
from allocator.casework.people import Person
from allocator.casework.records import Kind, Link
from allocator.ports import BusyError, Logged
from allocator.service.desk import EXACT, Desk
from allocator.service.errors import ForbiddenError, NotFoundError
from allocator.service.work import Work

READ, EXTRACT, VERIFY = "log.read", "people.access_log", "log.verify"
"""What the ways of reading are called in the log and in the access table."""

_SECRET_KINDS = frozenset({Kind.CONFLICT.value, Kind.ORDER.value, Kind.RECHECK.value})
_LEFT_OUT = frozenset({Kind.RECHECK.value})
"""That there is one of these tells that somebody who was given a unit must be kept from somebody there."""

_ALIKE = frozenset({"decisions.suspend", "decisions.extend_suspension", "decisions.resume"})
"""What is done alike for many reasons: who does it would tell whether the reason is a conflict."""

_OF_DOER = ("by", "roles", "purpose")
_OF_CONTENT = ("sha256", "reason_sha256", "shown", "counts", "added", "changed", "faults", "checkpoint")


@dataclass(frozen=True)
class LogQuery:
    """Which entries to show.

    Attributes:
        person: Only those about that person.
        account: Only what that account did.
        outcome: Only those with that outcome.
        since: Only those at that moment or later.
        until: Only those before that moment.
        before: Only those before that number.
        limit: So many at most.
    """

    person: str | None = None
    account: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True)
class LogPage:
    """Entries, the last one first, and the number to go on before; None if these are the first."""

    items: tuple[Mapping[str, Any], ...]
    before: int | None


@dataclass(frozen=True)
class Proof:
    """What came of reading the whole record anew, from the first entry of the log to the last.

    Attributes:
        faults: Classes of what is wrong; none if nothing was changed, lost or added.
        checkpoint: When the newest of the signed checkpoints was made that the log was compared with; None
            without any.
    """

    faults: tuple[str, ...]
    checkpoint: datetime | None


@dataclass(frozen=True)
class Verified:
    """That the record was verified: when, by whom, and what came of it."""

    at: datetime
    by: str
    proof: Proof


class Journal:
    """The log of a desk, for those who may read it.

    Args:
        desk: The desk.
        prove: Reads the whole record anew; without it nobody can have it verified here.
    """

    def __init__(self, desk: Desk, prove: Callable[[], Proof] | None = None) -> None:
        self.desk = desk
        self._prove = prove
        self._proving = threading.Lock()

    def page(self, actor: Actor, asked: LogQuery) -> LogPage:
        """Return entries of the log; that they were read is logged.

        Raises:
            ForbiddenError: The actor may not read it.
        """
        if not sees_log(self.desk.access, actor):
            self._note(actor, READ, "denied")
            raise ForbiddenError(READ)
        found: list[tuple[int, Mapping[str, Any]]] = []
        with self.desk.storage.read() as tx:
            holding = [text for text in (asked.person, asked.account, asked.outcome) if text is not None]
            release = _Release(self._work(tx, actor))
            for number, entry in tx.logged(holding, asked.before):
                shown = release(number, entry)
                if shown is not None and _wanted(shown, asked):
                    found.append((number, shown))
                if len(found) > asked.limit:
                    break
        self._note(actor, READ, "shown", [] if asked.person is None else [asked.person])
        kept = found[: asked.limit]
        return LogPage(
            tuple(entry for _, entry in kept), kept[-1][0] if len(found) > asked.limit and kept else None
        )

    @property
    def verifies(self) -> bool:
        """Whether the record can be verified here."""
        return self._prove is not None

    def verify(self, actor: Actor) -> Proof:
        """Read the whole record anew and tell what is wrong with it; what came of it is logged.

        It takes seconds for a million entries, and goes on while others work.

        Raises:
            ForbiddenError: The actor may not read the log.
            NotFoundError: It cannot be verified here.
            BusyError: It is being verified already.
        """
        if not sees_log(self.desk.access, actor):
            self._note(actor, VERIFY, "denied")
            raise ForbiddenError(VERIFY)
        if self._prove is None:
            raise NotFoundError("nothing to verify with")
        if not self._proving.acquire(blocking=False):
            raise BusyError
        try:
            proof = self._prove()
        finally:
            self._proving.release()
        checkpoint = None if proof.checkpoint is None else proof.checkpoint.isoformat()
        self._note(actor, VERIFY, "shown", faults=list(proof.faults), checkpoint=checkpoint)
        return proof

    def verified(self, actor: Actor) -> Verified | None:
        """Return when the record was last verified here, and what came of it; None if it never was.

        Raises:
            ForbiddenError: The actor may not read the log.
        """
        if not sees_log(self.desk.access, actor):
            raise ForbiddenError(VERIFY)
        with self.desk.storage.read() as tx:
            for _, entry in tx.logged([VERIFY]):
                if entry["use"] == VERIFY and entry["outcome"] == "shown":
                    signed = entry.get("checkpoint")
                    proof = Proof(
                        tuple(entry["faults"]), None if signed is None else datetime.fromisoformat(signed)
                    )
                    return Verified(datetime.fromisoformat(entry["at"]), entry["by"], proof)
        return None

    def extract(self, actor: Actor, person: str, *, changes: bool = False) -> tuple[Mapping[str, Any], ...]:
        """Return who has looked at a person, when and why, for the person themselves (REQ-AUD-2).

        Neither what was looked at nor what it said stands there: it may be about others. Looks that tell that
        somebody has a part in a conflict or an order are told by a giver who is cleared for these.

        Args:
            actor: Who gives it.
            person: The person.
            changes: Tell also who has changed something, and of each whether it was that.

        Raises:
            ForbiddenError: The actor gives no such extracts, or not for the purpose they state.
            NotFoundError: There is no such person, or not for them.
        """
        if not gives_extracts(self.desk.access, actor):
            self._note(actor, EXTRACT, "denied")
            raise ForbiddenError(EXTRACT)
        with self.desk.storage.read() as tx:
            work = self._work(tx, actor)
            stored = work.get(Person, person)
            hidden = stored is None or shut_out(actor, work.circumstances(stored))
            looks = [] if hidden else list(self._looks(work, person, changes=changes))
        self._note(actor, EXTRACT, "denied" if hidden else "shown", [] if stored is None else [person])
        if hidden:
            raise NotFoundError("no such person")
        return tuple(looks)

    @staticmethod
    def _looks(work: Work, person: str, *, changes: bool) -> Iterator[Mapping[str, Any]]:
        release = _Release(work)
        for number, entry in work.tx.logged([person]):
            looked = entry["outcome"] == "shown" and person in _told_of(entry, work.actor)
            released = release(number, entry) if changes and entry["outcome"] == "done" else None
            if not looked and (released is None or not _tells_doer(released, person)):
                continue
            account = work.get(Account, entry["by"])
            yield {
                "at": entry["at"],
                "by": entry["by"],
                "name": None if account is None else account.body.name,
                "roles": entry.get("roles", []),
                "purpose": entry.get("purpose"),
                **({"changed": not looked} if changes else {}),
            }

    def _work(self, tx: Any, actor: Actor) -> Work:
        return Work(tx, self.desk.access, actor, self.desk.clock.now(), self.desk.clock.today(), READ)

    def _note(
        self, actor: Actor, use: str, outcome: str, people: list[str] | None = None, **more: Any
    ) -> None:
        entry: dict[str, Any] = {
            "at": self.desk.clock.now().isoformat(),
            "by": actor.account,
            "roles": sorted(actor.roles),
            "use": use,
            "outcome": outcome,
            **more,
        }
        if actor.purpose is not None:
            entry["purpose"] = actor.purpose
        if people:
            entry["people"] = people
        with self.desk.storage.write() as tx:
            tx.append([Logged(entry)], facts=False)


class _Release:
    """What an entry may tell a reader.

    Args:
        work: The reader's.
    """

    def __init__(self, work: Work) -> None:
        cleared = work.actor.cleared
        self._work = work
        self._hidden = work.hidden()
        self._kode_6 = Clearance.KODE_6 in cleared
        self._conflicts = Clearance.CONFLICTS in cleared

    def __call__(self, number: int, entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return an entry as the reader may see it; None if they may not know of it.

        That somebody asked in vain looks the same whether what they asked for is there or not.
        """
        if self._kode_6 and self._conflicts:
            return {"number": number, **entry}
        done = entry["outcome"] != "denied"
        if not self._conflicts and done and entry.get("kind") in _LEFT_OUT:
            return None
        shown = {key: value for key, value in entry.items() if key not in _OF_CONTENT}
        if not self._conflicts and done and entry["use"] in _ALIKE:
            shown = {key: value for key, value in shown.items() if key not in _OF_DOER}
        if not self._kode_6:
            if entry["outcome"] == "denied" or entry["use"] in (READ, EXTRACT):
                return _without(shown)
            known = [p for p in entry.get("people", ()) if Link(Kind.PERSON, p) not in self._hidden]
            if self._about_hidden(entry, known):
                return None
            shown = {key: value for key, value in shown.items() if key != "people"}
            shown |= {"people": known} if known else {}
        if not self._conflicts and _is_secret(entry):
            return _without(shown)
        return shown

    def _about_hidden(self, entry: Mapping[str, Any], known: Collection[str]) -> bool:
        """Return whether an entry is about what the reader may not know of; *known* of its people they may.

        A record that mentions somebody hidden in a list is there all the same, and its entries without them.
        """
        kind = entry.get("kind")
        if kind is not None and "id" in entry and Link(Kind(kind), entry["id"]) in self._hidden:
            return True
        if len(known) == len(entry.get("people", ())):
            return False
        if kind is None or "id" not in entry or (entry["outcome"] == "shown" and not known):
            return True
        stored = self._work.get(BODIES[Kind(kind)], entry["id"])
        return stored is None or shut_out(self._work.actor, self._work.circumstances(stored))


def _is_secret(entry: Mapping[str, Any]) -> bool:
    """Return whether it would tell of a conflict or an order whom or what an entry is about.

    The conflict officer looks at a decision for no other reason.
    """
    if entry["outcome"] == "shown" and entry.get("kind") == Kind.DECISION:
        return set(entry.get("roles", ())) == {Role.CONFLICT_OFFICER}
    return entry.get("kind") in _SECRET_KINDS


def _told_of(entry: Mapping[str, Any], giver: Actor) -> tuple[str, ...]:
    """Return whom an entry is about, as far as the giver of an extract may know."""
    about, shown = (*entry.get("people", ()),), (*entry.get("shown", ()),)
    if Clearance.CONFLICTS in giver.cleared:
        return (*about, *shown)
    if _is_secret(entry):
        return ()
    return about if EXACT in entry.get("groups", ()) else (*about, *shown)


def _tells_doer(released: Mapping[str, Any], person: str) -> bool:
    """Return whether a change, as its reader may see it, tells of a person and of who made it."""
    return person in released.get("people", ()) and "by" in released


def _without(shown: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in shown.items() if key not in ("people", "id")}


def _wanted(entry: Mapping[str, Any], asked: LogQuery) -> bool:
    """Return whether an entry, as it is shown, is asked for."""
    at = datetime.fromisoformat(entry["at"])
    return (
        (asked.person is None or asked.person in (*entry.get("people", ()), *entry.get("shown", ())))
        and (asked.account is None or entry.get("by") == asked.account)
        and (asked.outcome is None or entry["outcome"] == asked.outcome)
        and (asked.since is None or at >= asked.since)
        and (asked.until is None or at < asked.until)
    )
