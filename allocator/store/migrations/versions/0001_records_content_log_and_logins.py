"""Records, content, log and logins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward."""
    op.create_table(
        "answered",
        sa.Column("key_sha256", sa.String(length=64), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("key_sha256", name=op.f("pk_answered")),
    )
    with op.batch_alter_table("answered", schema=None) as batch_op:
        batch_op.create_index("ix_answered_at", ["at"], unique=False)

    op.create_table(
        "content",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_content")),
    )
    op.create_table(
        "log",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("linked", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log")),
    )
    op.create_table(
        "log_head",
        sa.Column("one", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("linked", sa.LargeBinary(), nullable=False),
        sa.Column("facts_at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("one = 1", name=op.f("ck_log_head_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_log_head")),
    )
    op.create_table(
        "log_node",
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("place", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "place", name=op.f("pk_log_node")),
    )
    op.create_table(
        "record_version",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("change", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("version >= 1", name=op.f("ck_record_version_version")),
        sa.PrimaryKeyConstraint("kind", "id", "version", name=op.f("pk_record_version")),
    )
    op.create_table(
        "secret",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.String(length=32), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.String(length=32), nullable=True),
        sa.Column("setup_until", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_secret")),
    )
    op.create_table(
        "session",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.String(length=32), nullable=False),
        sa.Column("seen_at", sa.String(length=32), nullable=False),
        sa.Column("ends_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_session")),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index("ix_session_account", ["account"], unique=False)

    op.create_table(
        "record",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("listed", sa.String(length=96), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["kind", "id", "version"],
            ["record_version.kind", "record_version.id", "record_version.version"],
            name=op.f("fk_record_record_version"),
        ),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_record")),
    )
    with op.batch_alter_table("record", schema=None) as batch_op:
        batch_op.create_index("ix_record_due", ["kind", "due"], unique=False)
        batch_op.create_index("ix_record_listed", ["kind", "listed", "id"], unique=False)
        batch_op.create_index("ix_record_state", ["kind", "state", "listed", "id"], unique=False)

    op.create_table(
        "record_hold",
        sa.Column("held", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["kind", "id"], ["record.kind", "record.id"], name=op.f("fk_record_hold_record")
        ),
        sa.PrimaryKeyConstraint("held", name=op.f("pk_record_hold")),
    )
    with op.batch_alter_table("record_hold", schema=None) as batch_op:
        batch_op.create_index("ix_record_hold_record", ["kind", "id"], unique=False)

    op.create_table(
        "record_link",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("target_kind", sa.String(length=32), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["kind", "id"], ["record.kind", "record.id"], name=op.f("fk_record_link_record")
        ),
        sa.PrimaryKeyConstraint("kind", "id", "target_kind", "target", name=op.f("pk_record_link")),
    )
    with op.batch_alter_table("record_link", schema=None) as batch_op:
        batch_op.create_index("ix_record_link_target", ["target_kind", "target", "kind"], unique=False)


def downgrade() -> None:
    """Bring it back."""
    with op.batch_alter_table("record_link", schema=None) as batch_op:
        batch_op.drop_index("ix_record_link_target")

    op.drop_table("record_link")
    with op.batch_alter_table("record_hold", schema=None) as batch_op:
        batch_op.drop_index("ix_record_hold_record")

    op.drop_table("record_hold")
    with op.batch_alter_table("record", schema=None) as batch_op:
        batch_op.drop_index("ix_record_state")
        batch_op.drop_index("ix_record_listed")
        batch_op.drop_index("ix_record_due")

    op.drop_table("record")
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_index("ix_session_account")

    op.drop_table("session")
    op.drop_table("secret")
    op.drop_table("record_version")
    op.drop_table("log_node")
    op.drop_table("log_head")
    op.drop_table("log")
    op.drop_table("content")
    with op.batch_alter_table("answered", schema=None) as batch_op:
        batch_op.drop_index("ix_answered_at")

    op.drop_table("answered")
