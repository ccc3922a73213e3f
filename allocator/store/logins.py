"""Secrets and sessions in the database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from allocator.ports import Secret, Session
from allocator.store import tables as t
from allocator.store.hot import Hot

_SESSION = Hot(
    select(
        t.session.c.account, t.session.c.csrf, t.session.c.made_at, t.session.c.seen_at, t.session.c.ends_at
    ).where(t.session.c.token_sha256 == bindparam("token"))
)


class SqlLogins:
    """Secrets and sessions within a transaction; see :class:`allocator.ports.Logins`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def secret(self, account: str) -> Secret | None:
        """Return what an account logs in with."""
        row = self.connection.execute(select(t.secret).where(t.secret.c.account == account)).one_or_none()
        if row is None:
            return None
        return Secret(
            account=row.account,
            hash=row.hash,
            changed_at=datetime.fromisoformat(row.changed_at),
            failed=row.failed,
            locked_until=_moment(row.locked_until),
            setup_until=_moment(row.setup_until),
        )

    def keep(self, secret: Secret) -> None:
        """Save what an account logs in with, in place of what was there."""
        self.connection.execute(delete(t.secret).where(t.secret.c.account == secret.account))
        self.connection.execute(
            insert(t.secret),
            {
                "account": secret.account,
                "hash": secret.hash,
                "changed_at": _text(secret.changed_at),
                "failed": secret.failed,
                "locked_until": _text(secret.locked_until),
                "setup_until": _text(secret.setup_until),
            },
        )

    def session(self, token_sha256: str) -> Session | None:
        """Return a login, whether it still holds or not."""
        for account, csrf, *moments in _SESSION.rows(self.connection, token=token_sha256):
            made_at, seen_at, ends_at = map(datetime.fromisoformat, moments)
            return Session(token_sha256, account, csrf, made_at, seen_at, ends_at)
        return None

    def begin(self, session: Session) -> None:
        """Save a new login."""
        self.connection.execute(
            insert(t.session),
            {
                "token_sha256": session.token_sha256,
                "account": session.account,
                "csrf": session.csrf,
                "made_at": _text(session.made_at),
                "seen_at": _text(session.seen_at),
                "ends_at": _text(session.ends_at),
            },
        )

    def seen(self, token_sha256: str, at: datetime) -> None:
        """Save that a login was used."""
        used = update(t.session).where(t.session.c.token_sha256 == token_sha256)
        self.connection.execute(used.values(seen_at=_text(at)))

    def end(self, token_sha256: str) -> None:
        """End a login."""
        self.connection.execute(delete(t.session).where(t.session.c.token_sha256 == token_sha256))

    def end_all(self, account: str) -> None:
        """End all logins of an account."""
        self.connection.execute(delete(t.session).where(t.session.c.account == account))

    def drop_ended(self, now: datetime) -> None:
        """Forget logins that have ended by themselves."""
        self.connection.execute(delete(t.session).where(t.session.c.ends_at <= _text(now)))


def _text(moment: datetime | None) -> Any:
    """Return a moment as it is stored: in UTC, so that texts are in the order of time."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
