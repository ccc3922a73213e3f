"""Accounts from the command line: the first administrator, and a way back in for who is locked out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from allocator.office_cli import DatabaseOption

if TYPE_CHECKING:
    from allocator.service.login import Logins
    from allocator.store.engine import Connections

account = typer.Typer(name="account", help="Accounts that people log in with.", no_args_is_help=True)

BAD_INPUT, FAILED = 2, 1

_LONGEST = 200

LoginArgument = Annotated[str, typer.Argument(metavar="LOGIN", help="The name that is logged in with.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the ``allocator`` command."""
    app.add_typer(account)


@account.command()
def first(
    login: LoginArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The person's name.")],
    database: DatabaseOption,
) -> None:
    """Open the account of the first administrator, and print a code to set its secret with."""
    from allocator.ports import TakenError  # noqa: PLC0415 - `allocator suggest` need not wait for the database
    from allocator.service.errors import RefusalError  # noqa: PLC0415 - as above

    with _logins(database) as logins:
        try:
            code = logins.first(_said(login, "LOGIN"), _said(name, "NAME"))
        except RefusalError:
            _refuse("there is an administrator already; `allocator account code LOGIN` lets them in again")
        except TakenError:
            _refuse("LOGIN: expected a name that nobody logs in with yet")
    _tell(code)


@account.command()
def code(login: LoginArgument, database: DatabaseOption) -> None:
    """Print a code to set another secret with; the secret there was is void, and all logins end."""
    from allocator.service.errors import NotFoundError  # noqa: PLC0415 - as above

    with _logins(database) as logins:
        try:
            made = logins.recover(_said(login, "LOGIN"))
        except NotFoundError:
            _refuse("LOGIN: expected a name that somebody logs in with")
    _tell(made)


@contextmanager
def opened(database: str) -> Iterator[Connections]:
    """Give connections to a database of this version with all its guards, or say what to run."""
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - as above

    from allocator.ports import BusyError  # noqa: PLC0415 - as above
    from allocator.store import migrate  # noqa: PLC0415 - as above
    from allocator.store.engine import Connections, DatabaseUrlError, connect, parsed  # noqa: PLC0415
    from allocator.store.guards import UnguardedError  # noqa: PLC0415 - as above

    try:
        url = parsed(database)
    except DatabaseUrlError as error:
        _refuse(f"--database: expected {error}")
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        _refuse(f"there is no file {url.database}; run `allocator migrate` to make it")
    connections = Connections(connect(database))
    try:
        migrate.check(connections)
        yield connections
    except migrate.OutdatedError as error:
        _fail(f"{error}; run `allocator migrate`")
    except (BusyError, UnguardedError) as error:
        _fail(str(error))
    except DBAPIError:
        _fail("the database cannot be read; run `allocator doctor`")
    finally:
        connections.engine.dispose()


@contextmanager
def _logins(database: str) -> Iterator[Logins]:
    from allocator.clock import SystemClock  # noqa: PLC0415 - as above
    from allocator.service.desk import Desk  # noqa: PLC0415 - as above
    from allocator.service.login import Logins  # noqa: PLC0415 - as above
    from allocator.store.repository import SqlStorage  # noqa: PLC0415 - as above

    with opened(database) as connections:
        yield Logins(Desk(SqlStorage(connections), SystemClock()))


def _said(text: str, place: str) -> str:
    """Return a name in normal form."""
    plain = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(plain) <= _LONGEST or not plain.isprintable():
        _refuse(f"{place}: expected 1 to {_LONGEST} characters that can be printed")
    return plain


def _tell(made: str) -> None:
    typer.echo(f"Code: {made}")
    typer.echo("It holds for two days and is shown this once. Set a secret with it on the login page.")


def _refuse(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(BAD_INPUT)


def _fail(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(FAILED)
