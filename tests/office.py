"""An office for tests: the use cases on an empty database, a clock that is set, somebody in every role."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar

from allocator.access.authorizer import Actor
from allocator.casework.codes import Clearance, Purpose, Role
from allocator.casework.housing import Group, Scheme, Tenancy, Unit
from allocator.casework.offices import Account, Grant
from allocator.casework.people import Person
from allocator.casework.records import Body, Kind, Stored
from allocator.model import SchemeFacts
from allocator.service.desk import Desk, Shown
from allocator.service.uses import Command
from allocator.store.engine import Connections
from allocator.store.repository import SqlStorage
from tests.databases import opened

B = TypeVar("B", bound=Body)

TODAY = date(2026, 11, 23)
"""The first day in the office, a Monday."""

OF_SCHEME = frozenset({Role.SCHEME_LEADER, Role.SCHEME_STAFF})


@dataclass
class SetClock:
    """A clock that stands until it is set."""

    moment: datetime = field(default_factory=lambda: datetime.combine(TODAY, time(9), UTC))

    def now(self) -> datetime:
        """Return the moment."""
        return self.moment

    def today(self) -> date:
        """Return the day."""
        return self.moment.date()

    def to(self, day: date) -> None:
        """Go to a day."""
        self.moment = datetime.combine(day, time(9), UTC)


class Office:
    """A municipality's office on an empty database.

    Args:
        backend: ``sqlite`` or ``postgresql``.
        connections: A database to use instead.
    """

    def __init__(self, backend: str = "sqlite", connections: Connections | None = None) -> None:
        self.connections = connections or opened(backend)
        self.storage = SqlStorage(self.connections)
        self.clock = SetClock()
        self.desk = Desk(self.storage, self.clock)

    def close(self) -> None:
        """Let go of the database."""
        self.connections.engine.dispose()

    # ---------------------------------------------------------------------------------------- people

    def somebody(
        self,
        role: Role,
        *schemes: str,
        cleared: Collection[Clearance] = (),
        purpose: Purpose | None = Purpose.CASEWORK,
        login: str | None = None,
    ) -> Actor:
        """Return somebody with a role, who gets an account if there is none of that login yet."""
        name = login or "-".join([role.value, *schemes, *sorted(cleared)])
        with self.storage.read() as tx:
            stored = tx.get(Kind.ACCOUNT, name)
        if stored is None:
            grant = Grant(role=role, schemes=frozenset(schemes), since=date(2026, 1, 1))
            body = Account(login=name, name=name, grants=(grant,), cleared=frozenset(cleared))
            self.seed(body, name)
        actor = self.desk.actor(name, purpose)
        assert actor is not None
        return actor

    # ----------------------------------------------------------------------------------------- records

    def seed(self, body: B, identifier: str, version: int = 1) -> Stored[B]:
        """Save a record as it is, past the use cases and the access table, but with its log entry."""
        from allocator.service.work import Work  # noqa: PLC0415 - only seeding goes past the desk

        with self.storage.write() as tx:
            work = Work(tx, self.desk.access, Actor("seed"), self.clock.now(), self.clock.today(), "seed")
            stored = work._put(body, identifier, version)
            tx.append(work.notes, facts=work.facts_changed)
        return stored

    def house(
        self,
        scheme: str = "nordlia",
        units: int = 3,
        group: str | None = None,
        ready: date = date(2026, 9, 1),
    ) -> None:
        """Seed a scheme of one living group with some empty units: ``nordlia-1``, ``nordlia-2`` and so on."""
        groups = (Group(id=group or f"{scheme}-a", name="A"),)
        self.seed(Scheme(facts=SchemeFacts(name=scheme.title()), groups=groups), scheme)
        for number in range(1, units + 1):
            unit = Unit(scheme=scheme, group=groups[0].id, first_ready_on=ready)
            self.seed(unit, f"{scheme}-{number}")

    def resident(self, person: str, unit: str, **facts: Any) -> str:
        """Seed a person who lives in a unit, and return the id of the tenancy."""
        self.seed(Person(**facts), person)
        scheme = unit.rpartition("-")[0]
        tenancy = Tenancy(person=person, unit=unit, scheme=scheme, moved_in=date(2025, 1, 1))
        self.seed(tenancy, f"L-{person}")
        return f"L-{person}"

    def run(self, actor: Actor, name: str, command: Command, target: str | None = None, **more: Any) -> Shown:
        """Do something; on a record, at its newest version unless told otherwise."""
        if target is not None and "expected" not in more:
            from allocator.service.catalogue import USES  # noqa: PLC0415 - beside its one use

            with self.storage.read() as tx:
                stored = tx.get(USES[name].kind, target)
            more["expected"] = None if stored is None else stored.version
        return self.desk.run(actor, name, command, target=target, **more)

    def now(self, body: type[B], identifier: str) -> Stored[B]:
        """Return a record as it is stored, whoever may see it."""
        with self.storage.read() as tx:
            stored = tx.get(body.kind, identifier)
        assert stored is not None
        assert isinstance(stored.body, body)
        return stored  # type: ignore[return-value]

    def log(self) -> list[dict[str, Any]]:
        """Return the entries of the log."""
        import orjson  # noqa: PLC0415 - beside its one use
        from sqlalchemy import select  # noqa: PLC0415

        from allocator.store.tables import log  # noqa: PLC0415

        with self.connections.read() as connection:
            return [
                orjson.loads(bytes(row.body)) for row in connection.execute(select(log).order_by(log.c.seq))
            ]
