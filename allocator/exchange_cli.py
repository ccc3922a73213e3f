"""A municipality in and out from the command line."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from allocator.casework.codes import Purpose
from allocator.documents import MAX_BYTES, DocumentError
from allocator.login_cli import opened
from allocator.office_cli import DatabaseOption

if TYPE_CHECKING:
    from allocator.access.authorizer import Actor
    from allocator.exchange.entries import Entry
    from allocator.service.desk import Desk
    from allocator.service.exchange import Report

BAD_INPUT, FAILED = 2, 1

AccountOption = Annotated[
    str, typer.Option("--as", envvar="ALLOCATOR_LOGIN", metavar="LOGIN", help="Whose account does it.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the ``allocator`` command."""
    app.command("import")(bring_in)
    app.command("export")(take_out)


def bring_in(
    path: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A spreadsheet, a municipality or a case.")
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", envvar="ALLOCATOR_DATABASE", help="Where it is stored.")
    ] = None,
    login: Annotated[
        str | None,
        typer.Option("--as", envvar="ALLOCATOR_LOGIN", metavar="LOGIN", help="Whose account does it."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,  # noqa: FBT002
    template: Annotated[
        Path | None,
        typer.Option(
            "--template", metavar="FILE.xlsx", help="Write an empty spreadsheet to fill in, instead."
        ),
    ] = None,
) -> None:
    """Bring in a municipality from a spreadsheet or JSON: all of it, or nothing if anything is wrong."""
    if template is not None:
        from allocator.exchange import spreadsheets  # noqa: PLC0415 - `allocator suggest` need not wait for it

        _save(template, spreadsheets.template())
        return
    if path is None or database is None or login is None:
        _refuse(["expected FILE, --database and --as; or --template"])
    with _office(database) as desk:
        from allocator.service.errors import ForbiddenError  # noqa: PLC0415 - as above
        from allocator.service.exchange import import_municipality  # noqa: PLC0415 - as above

        actor = _actor(desk, login, None)
        try:
            report = import_municipality(desk, actor, _read(path, actor.account), dry_run=dry_run)
        except DocumentError as error:
            _refuse(
                [
                    ": ".join(filter(None, (str(path), p.path, f"expected {p.expected}")))
                    for p in error.problems
                ]
            )
        except ForbiddenError:
            _fail("the account may not import this: it needs a role that imports, and clearances")
    _tell(report, dry_run=dry_run)


def take_out(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A new file: .json or .xlsx.")],
    database: DatabaseOption,
    login: AccountOption,
    purpose: Annotated[Purpose, typer.Option("--purpose", help="Why; it is logged.")],
) -> None:
    """Take out everything that an account may see, as JSON or a spreadsheet; it is logged."""
    if path.suffix not in (".json", ".xlsx"):
        _refuse([f"{path}: expected a name that ends in .json or .xlsx"])
    if path.exists():
        _refuse([f"{path}: expected a new file"])
    with _office(database) as desk:
        from allocator.exchange import documents, spreadsheets  # noqa: PLC0415 - as above
        from allocator.service.errors import ForbiddenError  # noqa: PLC0415 - as above
        from allocator.service.exchange import export_municipality  # noqa: PLC0415 - as above

        try:
            export = export_municipality(desk, _actor(desk, login, purpose))
        except ForbiddenError:
            _fail("the account may not export: it needs a role that exports")
    write = documents.write if path.suffix == ".json" else spreadsheets.write
    try:
        _save(path, write(export.items, complete=export.complete))
    except DocumentError as error:
        _refuse([f"{p.path}: expected {p.expected}" for p in error.problems])
    if not export.complete:
        typer.echo("What the account may not see is left out; this file cannot be imported.")


# ------------------------------------------------------------------------------------------- in common


@contextmanager
def _office(database: str) -> Iterator[Desk]:
    """Give the desk of a database of this version, or say what to run."""
    from allocator.clock import SystemClock  # noqa: PLC0415 - as above
    from allocator.service.desk import Desk  # noqa: PLC0415 - as above
    from allocator.store.repository import SqlStorage  # noqa: PLC0415 - as above

    with opened(database) as connections:
        yield Desk(SqlStorage(connections), SystemClock())


def _actor(desk: Desk, login: str, purpose: Purpose | None) -> Actor:
    """Return who an account is that can be used."""
    with desk.storage.read() as tx:
        found = tx.holder(f"login:{login.casefold()}")
    actor = None if found is None else desk.actor(found.id, purpose)
    if actor is None:
        _refuse(["--as: expected a name that somebody logs in with"])
    return actor


def _read(path: Path, author: str) -> list[Entry]:
    from allocator.exchange import documents, spreadsheets  # noqa: PLC0415 - as above

    try:
        if path.stat().st_size > MAX_BYTES:
            _refuse([f"{path}: expected at most {MAX_BYTES // 2**20} MiB"])
        data = path.read_bytes()
    except OSError as error:
        _refuse([f"{path}: expected a file that can be read ({error.strerror})"])
    if path.suffix.casefold() == ".xlsx" or data.startswith(b"PK"):
        return spreadsheets.read(data)
    return documents.read(data, author)


def _tell(report: Report, *, dry_run: bool) -> None:
    from allocator.casework.bodies import COLLECTIONS  # noqa: PLC0415 - as above

    would = "would be " if dry_run else ""
    for kind, name in COLLECTIONS.items():
        counts = [report.added.get(kind, 0), report.changed.get(kind, 0), report.same.get(kind, 0)]
        if any(counts):
            added, changed, same = counts
            typer.echo(f"{name}: {added} {would}added, {changed} {would}changed, {same} the same")
    for change in report.changes:
        typer.echo(f"{change.place}: {', '.join(change.fields)}")


def _save(path: Path, data: bytes) -> None:
    """Write a new file whole or not at all; nobody but its owner may read it."""
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(half, path)
    except OSError as error:
        _refuse([f"{path}: expected a new file that can be written ({error.strerror})"])
    finally:
        half.unlink(missing_ok=True)


def _refuse(lines: list[str]) -> NoReturn:
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(BAD_INPUT)


def _fail(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(FAILED)
