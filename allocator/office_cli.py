"""What an operator runs: the record's checkpoints, verification and replay, migrations, backups, a doctor.

Where the database is comes from ``--database`` or ALLOCATOR_DATABASE. What holds a password is better set in
the environment than given as an option, which others on the machine can read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

audit = typer.Typer(
    name="audit",
    help="The record of every change and every look: verify it, and sign checkpoints of it.",
    no_args_is_help=True,
)

DatabaseOption = Annotated[
    str,
    typer.Option(
        "--database",
        envvar="ALLOCATOR_DATABASE",
        help="sqlite:///FILE or postgresql://HOST/NAME.",
        show_default=False,
    ),
]
KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--key",
        envvar="ALLOCATOR_CHECKPOINT_KEY",
        metavar="FILE",
        help="The key that checkpoints are signed with; to verify, the public one is enough.",
    ),
]
PlaceOption = Annotated[
    Path | None,
    typer.Option(
        "--checkpoints", envvar="ALLOCATOR_CHECKPOINTS", metavar="DIRECTORY", help="Where they are kept."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the operator's commands to the ``allocator`` command."""
    app.add_typer(audit)
    for command in (migrate, backup, restore, doctor, housekeep, replay):
        app.command()(command)


@audit.command()
def verify(database: DatabaseOption, key: KeyOption = None, place: PlaceOption = None) -> None:
    """Verify the whole record: 0 if nothing was changed, lost or added, 1 if something was."""
    from allocator import operations  # noqa: PLC0415 - `allocator suggest` need not wait for the database

    operations.verify(database, key, place)


@audit.command()
def checkpoint(database: DatabaseOption, key: KeyOption = None, place: PlaceOption = None) -> None:
    """Sign how the record stands now, if anything new stands in it."""
    from allocator import operations  # noqa: PLC0415 - as above

    operations.checkpoint(database, key, place)


@audit.command()
def keygen(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, outside the database.")],
    name: Annotated[str, typer.Option("--name", help="Which record, such as arendal.kommune.no/allocator.")],
) -> None:
    """Make the key that checkpoints are signed with; only its owner can read it."""
    from allocator import operations  # noqa: PLC0415 - as above

    operations.keygen(path, name)


def migrate(database: DatabaseOption) -> None:
    """Bring the database to this version, and make what guards it anew."""
    from allocator import operations  # noqa: PLC0415 - as above

    operations.migrate(database)


def backup(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")], database: DatabaseOption
) -> None:
    """Write everything to one file, as it is at this moment, while others go on working."""
    from allocator import operations  # noqa: PLC0415 - as above

    operations.backup(path, database)


def restore(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    database: DatabaseOption,
    unsound: Annotated[  # noqa: FBT002 - an option of a command
        bool, typer.Option("--unsound", help="Also if its record is broken, when there is nothing better.")
    ] = False,
) -> None:
    """Put a backup into an empty database: all of it, or nothing."""
    from allocator import operations  # noqa: PLC0415 - as above

    operations.restore(path, database, unsound=unsound)


def doctor(database: DatabaseOption, key: KeyOption = None, place: PlaceOption = None) -> None:
    """Look at settings, versions, database, disk, clock, log and checkpoints, and tell what to do."""
    from allocator import operations  # noqa: PLC0415 - as above

    operations.doctor(database, key, place)


def housekeep(database: DatabaseOption) -> None:
    """Do what is due because time has passed: reminders, expired facts, reservations that run out."""
    from allocator import operations  # noqa: PLC0415 - as above

    operations.housekeep(database)


def replay(
    suggestion: Annotated[str, typer.Argument(metavar="ID", help="The id of a stored suggestion.")],
    database: DatabaseOption,
) -> None:
    """Decide a stored suggestion once more: 0 if every byte of the answer is the same, 1 if not."""
    from allocator import operations  # noqa: PLC0415 - as above

    operations.replay(suggestion, database)
