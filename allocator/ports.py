"""What the use cases need from the outside: storage, a clock, and the errors that storage may answer with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from allocator.casework.records import Body, Kind, Link, Stored


class StorageError(Exception):
    """Storage could not do what was asked. The message never holds what was to be stored."""


class StaleError(StorageError):
    """Somebody else has changed the record since it was read."""

    def __init__(self, kind: Kind, identifier: str) -> None:
        super().__init__(f"the {kind} has been changed since it was read")
        self.kind, self.id = kind, identifier


class TakenError(StorageError):
    """Another record holds what this one would hold: a unit, a case's one offer."""

    def __init__(self, kind: Kind, held: str) -> None:
        super().__init__(f"another {kind} holds this already")
        self.kind, self.held = kind, held


class BusyError(StorageError):
    """Storage is busy, full or out of reach; nothing was saved."""


class UncertainError(BusyError):
    """The connection broke while a change was being saved: it may have been, or not. Ask again to know."""


class CorruptError(StorageError):
    """What is stored is not what was stored: it does not fit its hash or its schema."""


@dataclass(frozen=True)
class Query:
    """Which records of a kind to find.

    Attributes:
        kind: Their kind.
        states: Only those in one of these states.
        links: Only those that mention all of these.
        due_by: Only those with something to do by that day.
        after: Only those listed after this place, which the answer before gave.
        limit: So many at most.
    """

    kind: Kind
    states: frozenset[str] | None = None
    links: tuple[Link, ...] = ()
    due_by: date | None = None
    after: tuple[str, str] | None = None
    limit: int | None = None


@dataclass(frozen=True)
class Logged:
    """One entry of the log, before it is linked: plain values, no health data, nobody's name."""

    entry: Mapping[str, Any]


@dataclass(frozen=True)
class LogHead:
    """The end of the log: how many entries, the last link, and the entry that last changed a fact."""

    size: int
    linked: bytes
    facts_at: int


@dataclass(frozen=True)
class Reply:
    """What a request with an idempotency key came to: that version of that record.

    Attributes:
        request: Hash of the request, so that a key is not used for two.
        kind: Kind of the record.
        id: Its id.
        version: The version that the request made.
    """

    request: str
    kind: Kind
    id: str
    version: int


@dataclass(frozen=True)
class Secret:
    """What an account logs in with.

    Attributes:
        account: Id of the account.
        hash: Hash of its password; or of a code to set one with.
        changed_at: When it was set.
        failed: How often somebody has failed to log in since it last went well.
        locked_until: Nobody is let in before that.
        setup_until: If the hash is that of a code, until when it can be used.
    """

    account: str
    hash: str
    changed_at: datetime
    failed: int = 0
    locked_until: datetime | None = None
    setup_until: datetime | None = None


@dataclass(frozen=True)
class Session:
    """A login.

    Attributes:
        token_sha256: Hash of what the browser sends.
        account: Whose it is.
        csrf: What every change must repeat, so that no other site can make one.
        made_at: When it began.
        seen_at: When it was last used, to the minute.
        ends_at: When it ends however much it is used.
    """

    token_sha256: str
    account: str
    csrf: str
    made_at: datetime
    seen_at: datetime
    ends_at: datetime


class Logins(Protocol):
    """Secrets and sessions. They are no records: they have no history and nobody is shown them."""

    def secret(self, account: str) -> Secret | None:
        """Return what an account logs in with."""

    def keep(self, secret: Secret) -> None:
        """Save what an account logs in with, in place of what was there."""

    def session(self, token_sha256: str) -> Session | None:
        """Return a login, whether it still holds or not."""

    def begin(self, session: Session) -> None:
        """Save a new login."""

    def seen(self, token_sha256: str, at: datetime) -> None:
        """Save that a login was used."""

    def end(self, token_sha256: str) -> None:
        """End a login."""

    def end_all(self, account: str) -> None:
        """End all logins of an account."""

    def drop_ended(self, now: datetime) -> None:
        """Forget logins that have ended by themselves."""


class Transaction(Protocol):
    """One transaction: everything in it is saved together, or nothing is."""

    @property
    def logins(self) -> Logins:
        """Secrets and sessions."""

    def get(self, kind: Kind, identifier: str, version: int | None = None) -> Stored[Body] | None:
        """Return a record as it is, or as it was at a version; None if there is none."""

    def find(self, query: Query) -> Sequence[Stored[Body]]:
        """Return the records that a query asks for, by their order and id."""

    def count(self, query: Query) -> int:
        """Return how many records a query asks for."""

    def holder(self, held: str) -> Link | None:
        """Return which record holds a key; None if none does."""

    def history(self, kind: Kind, identifier: str) -> Sequence[Stored[Body]]:
        """Return all versions of a record, the first one first."""

    def put(self, stored: Stored[Body]) -> None:
        """Save a version.

        Raises:
            StaleError: That version is there already.
            TakenError: Another record holds what this one would hold.
        """

    def keep(self, content: bytes) -> str:
        """Save content by its hash, once, and return the hash."""

    def kept(self, sha256: str) -> bytes | None:
        """Return content by its hash.

        Raises:
            CorruptError: It does not fit its hash.
        """

    def head(self) -> LogHead:
        """Return the end of the log; in a writing transaction nobody else can add to it meanwhile."""

    def reply(self, key: str) -> Reply | None:
        """Return what was answered to a request with that key."""

    def remember(self, key: str, reply: Reply, at: datetime) -> None:
        """Remember what was answered, together with the change it was about."""

    def forget_replies(self, before: datetime) -> int:
        """Forget what was answered before a moment, and return how many answers that were."""

    def logged(
        self, holding: Sequence[str] = (), before: int | None = None
    ) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield the entries of the log with their numbers, the last one first.

        Args:
            holding: Only those in which each of these texts stands somewhere.
            before: Only those before this number.
        """

    def append(self, entries: Iterable[Logged], *, facts: bool) -> int:
        """Add entries to the log and return the number of the last; *facts* says whether facts changed."""


class Storage(Protocol):
    """Where records are kept."""

    def write(self, *, patient: bool = False) -> AbstractContextManager[Transaction]:
        """Begin a transaction that may change things; they happen one after another.

        Args:
            patient: It may take long: much is changed at once, and everybody else waits.

        Raises:
            BusyError: It could not begin, or could not be saved.
        """

    def read(self, *, patient: bool = False) -> AbstractContextManager[Transaction]:
        """Begin a transaction that sees one state of everything and changes nothing.

        Args:
            patient: It may take long, since something is worked out meanwhile.
        """


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """Return the moment, with its time zone."""

    def today(self) -> date:
        """Return the day, where the municipality is."""
