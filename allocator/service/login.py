"""Logging in: secrets that are hashed, logins that are kept on the server, and tries that are slowed down.

Whoever fails is told the same, whether the name is unknown, the secret wrong, the account disabled or too
many have tried; and it takes as long. Each try, each failure and each logout stands in the log.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar, cast

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from allocator.access.authorizer import Actor, may, may_ever
from allocator.casework.codes import Clearance, Role
from allocator.casework.offices import Account, Grant
from allocator.casework.records import Kind, Link, Stored
from allocator.model import expecting
from allocator.ports import BusyError, Logged, Query, Secret, Session, Transaction
from allocator.service.desk import Desk
from allocator.service.errors import ForbiddenError, NotFoundError, RefusalError, ServiceError
from allocator.service.work import Work

IDLE = timedelta(minutes=30)
"""A login that is not used ends after this."""

LONGEST = timedelta(hours=10)
"""A login ends after this however much it is used."""

SHORTEST_SECRET, LONGEST_SECRET = 12, 200
"""In characters."""

_FEWEST_CHARACTERS = 5

FREE_TRIES = 5
"""So often can one fail before one has to wait."""

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
"""How long one waits after that; it doubles with each failure, up to the longest."""

CODE_HOLDS = timedelta(days=2)
"""How long a code to set a secret with can be used."""

T = TypeVar("T")

_SEEN_EVERY = timedelta(minutes=1)
_HASHING_AT_ONCE = 2
_HASHING_WAIT_SECONDS = 5
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_NOBODY = "nobody"
_OPERATOR = "operator"


class LoginRefusedError(ServiceError):
    """Name or secret are wrong, or too many have tried; which of them is not told."""


class SignInNeededError(ServiceError):
    """There is no login, or it has ended."""


@dataclass(frozen=True)
class Opened:
    """A login that has begun.

    Attributes:
        token: What the browser is given, and nobody else ever sees.
        session: The rest of it.
    """

    token: str
    session: Session


def check_secret(login: str, secret: str, place: str) -> None:
    """Refuse a secret that is easily guessed.

    Raises:
        RefusalError: It is too short, too long, common, or made of the name one logs in with.
    """
    plain = secret.casefold()
    core = "".join(char for char in plain if char.isalpha())
    if not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET:
        least, most = SHORTEST_SECRET, LONGEST_SECRET
        problem = expecting(place, "{least} to {most} characters", least=least, most=most)
    elif login.casefold() in plain:
        problem = expecting(place, "a secret without the name that is logged in with")
    elif plain in _common() or core in _common() or len(set(plain)) < _FEWEST_CHARACTERS:
        problem = expecting(place, "a secret that is not among the most common ones; several words are good")
    else:
        return
    raise RefusalError("request", problems=(problem,))


@cache
def _common() -> frozenset[str]:
    text = files("allocator.service").joinpath("common_secrets.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


class Logins:
    """Logging in at a desk.

    Args:
        desk: The desk.
        hasher: What hashes secrets.
    """

    def __init__(self, desk: Desk, hasher: PasswordHasher | None = None) -> None:
        self.desk = desk
        self._hasher = hasher or PasswordHasher()
        self._dummy = self._hasher.hash(secrets.token_urlsafe())
        self._hashing = threading.BoundedSemaphore(_HASHING_AT_ONCE)

    # ------------------------------------------------------------------------------------- logging in

    def log_in(self, login: str, secret: str) -> Opened:
        """Begin a login.

        Raises:
            LoginRefusedError: Nobody is let in so.
        """
        return self._tried(login, secret, "login", self._begin, code=False)

    def set_up(self, login: str, code: str, secret: str) -> None:
        """Set a secret with a code that an administrator has handed over.

        Raises:
            LoginRefusedError: The code is not that of the account, or was used, or is too old.
            RefusalError: The secret is easily guessed.
        """
        check_secret(login, secret, "/secret")
        made = self._hash(secret)

        def keep(tx: Transaction, account: Stored[Account], now: datetime) -> None:
            tx.logins.end_all(account.id)
            tx.logins.keep(Secret(account.id, made, now))

        self._tried(login, code, "secret", keep, code=True)

    def change(self, actor: Actor, old: str, new: str) -> None:
        """Set another secret; all logins of the account end.

        Raises:
            LoginRefusedError: The old one is wrong.
            RefusalError: The new one is easily guessed.
        """
        with self.desk.storage.read() as tx:
            stored = tx.get(Kind.ACCOUNT, actor.account)
        assert stored is not None
        assert isinstance(stored.body, Account)
        login = stored.body.login
        check_secret(login, new, "/new")
        made = self._hash(new)

        def keep(tx: Transaction, account: Stored[Account], now: datetime) -> None:
            tx.logins.end_all(account.id)
            tx.logins.keep(Secret(account.id, made, now))

        self._tried(login, old, "secret", keep, code=False)

    def has_secret(self, account: str) -> bool:
        """Return whether somebody has set a secret to log in with."""
        with self.desk.storage.read() as tx:
            kept = tx.logins.secret(account)
        return kept is not None and kept.setup_until is None

    def _tried(
        self,
        login: str,
        said: str,
        use: str,
        then: Callable[[Transaction, Stored[Account], datetime], T],
        *,
        code: bool,
    ) -> T:
        """Do something for whoever knows an account's secret or code, or count a failure."""
        with self.desk.storage.read() as tx:
            account = _named(tx, login)
            kept = None if account is None else tx.logins.secret(account.id)
        usable = kept is not None and (kept.setup_until is not None) is code
        right = self._verified(kept.hash if kept is not None and usable else self._dummy, said) and usable
        done: T | None = None
        with self.desk.storage.write() as tx:
            now = self.desk.clock.now()
            newest = None if account is None else tx.logins.secret(account.id)
            locked = newest is not None and newest.locked_until is not None and now < newest.locked_until
            if newest is None or kept is None or newest.hash != kept.hash or locked:
                right = False
            if newest is not None and newest.setup_until is not None and now >= newest.setup_until:
                right = False
            stored = _named(tx, login)
            if stored is None or account is None or stored.id != account.id or stored.body.disabled:
                right = False
            if right and stored is not None and newest is not None:
                tx.logins.keep(replace(newest, failed=0, locked_until=None))
                done = then(tx, stored, now)
            elif newest is not None and not locked:
                tx.logins.keep(_failed(newest, now))
            tx.append([self._entry(use, None if stored is None else stored.id, done=right)], facts=False)
        if not right:
            raise LoginRefusedError
        return cast("T", done)

    def _begin(self, tx: Transaction, account: Stored[Account], now: datetime) -> Opened:
        token = secrets.token_urlsafe(32)
        session = Session(
            token_sha256=_sha256(token),
            account=account.id,
            csrf=secrets.token_urlsafe(32),
            made_at=now,
            seen_at=now,
            ends_at=now + LONGEST,
        )
        tx.logins.drop_ended(now)
        tx.logins.begin(session)
        return Opened(token, session)

    def demo(self, role: Role, account_id: str | None = None) -> Opened:
        """Begin a login as an invented person in a role. For demonstrations on invented data only.

        Args:
            role: The role.
            account_id: Which of those who hold it; the first of them otherwise.
        """
        with self.desk.storage.write() as tx:
            now = self.desk.clock.now()
            account = _demo_account(self.desk, tx, role, account_id)
            opened = self._begin(tx, account, now)
            tx.append([self._entry("login", account.id, done=True)], facts=False)
        return opened

    # ---------------------------------------------------------------------------------- being logged in

    def session(self, token: str) -> Session:
        """Return the login that a token is of.

        Raises:
            SignInNeededError: There is none, or it has ended.
        """
        with self.desk.storage.read() as tx:
            session = tx.logins.session(_sha256(token))
            account = None if session is None else tx.get(Kind.ACCOUNT, session.account)
        now = self.desk.clock.now()
        if session is None or account is None or now >= session.ends_at or now - session.seen_at >= IDLE:
            raise SignInNeededError
        assert isinstance(account.body, Account)
        if account.body.disabled:
            raise SignInNeededError
        if now - session.seen_at >= _SEEN_EVERY:
            with self.desk.storage.write() as tx:
                tx.logins.seen(session.token_sha256, now)
        return session

    def log_out(self, session: Session) -> None:
        """End a login."""
        with self.desk.storage.write() as tx:
            tx.logins.end(session.token_sha256)
            tx.append([self._entry("logout", session.account, done=True)], facts=False)

    # ------------------------------------------------------------------------------------------- codes

    def issue(self, actor: Actor, account: str) -> tuple[str, datetime]:
        """Return a code that somebody sets their secret with, and until when; the secret they had is void.

        Raises:
            NotFoundError: There is no such account for the actor.
            ForbiddenError: They may not.
        """
        use = "accounts.issue_code"
        code, made = self._new_code()
        denied: ServiceError | None = None
        with self.desk.storage.write() as tx:
            work = Work(tx, self.desk.access, actor, self.desk.clock.now(), self.desk.clock.today(), use)
            stored = work.get(Account, account)
            if not may_ever(self.desk.access, actor, use):
                denied = ForbiddenError(use)
            elif stored is None:
                denied = NotFoundError("no such account")
            elif not may(self.desk.access, actor, use, work.circumstances(stored)):
                denied = ForbiddenError(use)
            else:
                self._keep_code(tx, stored.id, made, work.now)
                work.note(stored, outcome="done")
            if denied is not None:
                entry = self._entry(use, None if stored is None else stored.id, done=False, by=actor)
                work.notes.append(entry)
            tx.append(work.notes, facts=False)
        if denied is not None:
            raise denied
        return code, work.now + CODE_HOLDS

    def first(self, login: str, name: str) -> str:
        """Open the account of the first administrator, and return a code to set its secret with.

        Raises:
            RefusalError: There is an administrator already.
        """
        code, made = self._new_code()
        with self.desk.storage.write() as tx:
            accounts = tx.find(Query(Kind.ACCOUNT))
            if any(_holds(stored, Role.ADMINISTRATOR) for stored in accounts):
                raise RefusalError("administrator-is-there")
            granted = Grant(role=Role.ADMINISTRATOR, since=self.desk.clock.today())
            work = self._operating(tx, "accounts.open")
            stored = work.create(Account(login=login, name=name, grants=(granted,)))
            self._keep_code(tx, stored.id, made, work.now)
            tx.append(work.notes, facts=False)
        return code

    def recover(self, login: str) -> str:
        """Return a code for an account, by whoever runs the service; the secret it had is void.

        Raises:
            NotFoundError: Nobody logs in so.
        """
        code, made = self._new_code()
        with self.desk.storage.write() as tx:
            stored = _named(tx, login)
            if stored is None:
                raise NotFoundError("no such account")
            work = self._operating(tx, "accounts.issue_code")
            self._keep_code(tx, stored.id, made, work.now)
            work.note(stored, outcome="done")
            tx.append(work.notes, facts=False)
        return code

    def _operating(self, tx: Transaction, use: str) -> Work:
        """Return work of whoever runs the service; they have no account."""
        now, today = self.desk.clock.now(), self.desk.clock.today()
        return Work(tx, self.desk.access, Actor(_OPERATOR), now, today, use)

    def _new_code(self) -> tuple[str, str]:
        code = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))
        return code, self._hash(code)

    @staticmethod
    def _keep_code(tx: Transaction, account: str, made: str, now: datetime) -> None:
        tx.logins.end_all(account)
        tx.logins.keep(Secret(account, made, now, setup_until=now + CODE_HOLDS))

    # --------------------------------------------------------------------------------------- hashing

    def _hash(self, said: str) -> str:
        with self._hashing_turn():
            return self._hasher.hash(said)

    def _verified(self, hashed: str, said: str) -> bool:
        with self._hashing_turn():
            try:
                return self._hasher.verify(hashed, said)
            except (Argon2Error, InvalidHashError):
                return False

    def _hashing_turn(self) -> _Turn:
        return _Turn(self._hashing)

    def _entry(self, use: str, account: str | None, *, done: bool, by: Actor | None = None) -> Logged:
        """Return an entry for the log. An unknown name is not repeated: it may be a secret."""
        entry: dict[str, Any] = {
            "at": self.desk.clock.now().isoformat(),
            "by": by.account if by is not None else (account if done else None) or _NOBODY,
            "use": use,
            "kind": Kind.ACCOUNT.value,
            "outcome": "done" if done else "denied",
        }
        if account is not None:
            entry["id"] = account
        return Logged(entry)


class _Turn:
    """Hashing takes much memory; so only few do it at once."""

    def __init__(self, semaphore: threading.Semaphore) -> None:
        self._semaphore = semaphore

    def __enter__(self) -> None:
        if not self._semaphore.acquire(timeout=_HASHING_WAIT_SECONDS):
            raise BusyError("too many are logging in; nothing was saved")

    def __exit__(self, *_error: object) -> None:
        self._semaphore.release()


def _failed(secret: Secret, now: datetime) -> Secret:
    """Return a secret after one more failure."""
    failed = secret.failed + 1
    if failed < FREE_TRIES:
        return replace(secret, failed=failed)
    doublings = min(failed - FREE_TRIES, 10)
    return replace(secret, failed=failed, locked_until=now + min(FIRST_WAIT * 2**doublings, LONGEST_WAIT))


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def same(one: str, other: str) -> bool:
    """Return whether two secrets are the same, in a time that does not tell how far."""
    return hmac.compare_digest(one.encode(), other.encode())


def _named(tx: Transaction, login: str) -> Stored[Account] | None:
    link: Link | None = tx.holder(f"login:{login.casefold()}")
    return None if link is None else cast("Stored[Account] | None", tx.get(link.kind, link.id))


def _holds(stored: Stored[Any], role: Role) -> bool:
    return not stored.body.disabled and any(grant.role is role for grant in stored.body.grants)


_DEMO_CLEARED: Mapping[Role, frozenset[Clearance]] = {
    Role.CONFLICT_OFFICER: frozenset({Clearance.CONFLICTS}),
    Role.COMMITTEE_LEADER: frozenset({Clearance.CONFLICTS}),
    Role.APPEALS_BODY: frozenset({Clearance.CONFLICTS}),
}


def _demo_account(desk: Desk, tx: Transaction, role: Role, named: str | None) -> Stored[Account]:
    """Return the account named if it holds a role, else the first that does, or a new one."""
    today = desk.clock.today()
    for stored in tx.find(Query(Kind.ACCOUNT)):
        assert isinstance(stored.body, Account)
        if named in (None, stored.id) and any(grant.role is role for grant in stored.body.grants_on(today)):
            return cast("Stored[Account]", stored)
    schemes: frozenset[str] = frozenset()
    if desk.access.roles[role].of_scheme:
        schemes = frozenset(stored.id for stored in tx.find(Query(Kind.SCHEME, limit=1)))
    work = Work(tx, desk.access, Actor(_OPERATOR), desk.clock.now(), today, "accounts.open")
    name = f"demo-{role.value}"
    made = work.create(
        Account(
            login=name,
            name=name,
            grants=(Grant(role=role, schemes=schemes, since=today),),
            cleared=_DEMO_CLEARED.get(role, frozenset()),
        ),
        name,
    )
    tx.append(work.notes, facts=False)
    return made
