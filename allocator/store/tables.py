"""The tables.

What holds between them is held by the database: keys, uniqueness, and triggers that refuse to change what is
never changed (see :mod:`allocator.store.guards`).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_seq = BigInteger().with_variant(Integer, "sqlite")

version = Table(
    "record_version",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("at", String(32), nullable=False),
    Column("by", String(64), nullable=False),
    Column("change", String(64), nullable=False),
    Column("reason", Text),
    CheckConstraint("version >= 1", name="version"),
)
"""Every version of every record. Never changed."""

record = Table(
    "record",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", String(32), nullable=False),
    Column("listed", String(96), nullable=False),
    Column("due", Date),
    ForeignKeyConstraint(
        ["kind", "id", "version"], ["record_version.kind", "record_version.id", "record_version.version"]
    ),
    Index("ix_record_listed", "kind", "listed", "id"),
    Index("ix_record_state", "kind", "state", "listed", "id"),
    Index("ix_record_due", "kind", "due"),
)
"""Which version counts, and what records are found by; derived from the newest bodies."""

link = Table(
    "record_link",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("target_kind", String(32), primary_key=True),
    Column("target", String(64), primary_key=True),
    ForeignKeyConstraint(["kind", "id"], ["record.kind", "record.id"]),
    Index("ix_record_link_target", "target_kind", "target", "kind"),
)
"""Which record mentions which; derived."""

hold = Table(
    "record_hold",
    metadata,
    Column("held", String(200), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("id", String(64), nullable=False),
    ForeignKeyConstraint(["kind", "id"], ["record.kind", "record.id"]),
    Index("ix_record_hold_record", "kind", "id"),
)
"""What only one record may have at a time; derived, and the reason two tenancies never share a unit."""

content = Table(
    "content",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
"""Snapshots, policies and answers by their hash. Never changed."""

log = Table(
    "log",
    metadata,
    Column("seq", _seq, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("linked", LargeBinary, nullable=False),
)
"""The record of every change and every look. Never changed, without gaps."""

log_node = Table(
    "log_node",
    metadata,
    Column("level", Integer, primary_key=True),
    Column("place", _seq, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
)
"""Nodes of the Merkle tree over the log. Never changed."""

log_head = Table(
    "log_head",
    metadata,
    Column("one", Integer, primary_key=True),
    Column("size", _seq, nullable=False),
    Column("linked", LargeBinary, nullable=False),
    Column("facts_at", _seq, nullable=False),
    CheckConstraint("one = 1", name="one"),
)
"""The end of the log: one row, locked by whoever adds to it."""

secret = Table(
    "secret",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("hash", Text, nullable=False),
    Column("changed_at", String(32), nullable=False),
    Column("failed", Integer, nullable=False, default=0),
    Column("locked_until", String(32)),
    Column("setup_until", String(32)),
)
"""Hashes of what accounts log in with, or of the code with which they set that, until when it holds."""

session = Table(
    "session",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("made_at", String(32), nullable=False),
    Column("seen_at", String(32), nullable=False),
    Column("ends_at", String(32), nullable=False),
    Index("ix_session_account", "account"),
)
"""Logins, kept on the server; the browser has only the token, and this only its hash."""

answered = Table(
    "answered",
    metadata,
    Column("key_sha256", String(64), primary_key=True),
    Column("request_sha256", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("id", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", String(32), nullable=False),
    Index("ix_answered_at", "at"),
)
"""Requests with an idempotency key that have been answered, so that a second try is not a second change."""

APPEND_ONLY = (version, content, log, log_node)
"""Tables in which nothing is ever changed or taken away."""
