"""Who works here: the names and roles of accounts, for all who have a role themselves.

Among colleagues names are no secret. What somebody logs in with and is cleared for is for those who keep the
accounts, and is not told here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from allocator.access.authorizer import Actor
from allocator.casework.codes import Role
from allocator.casework.offices import Account
from allocator.casework.records import Kind
from allocator.ports import Query
from allocator.service.desk import Desk


@dataclass(frozen=True)
class Colleague:
    """Somebody who works here, or did.

    Attributes:
        name: What they are called.
        roles: The roles that they hold today.
    """

    name: str
    roles: frozenset[Role]


def colleagues(desk: Desk, actor: Actor) -> Mapping[str, Colleague]:
    """Return everybody by their account, by name; nobody for who has no role."""
    if not actor.grants:
        return {}
    today = desk.clock.today()
    with desk.storage.read() as tx:
        accounts = [(stored.id, stored.body) for stored in tx.find(Query(Kind.ACCOUNT))]
    found = {
        identifier: Colleague(body.name, frozenset(grant.role for grant in body.grants_on(today)))
        for identifier, body in accounts
        if isinstance(body, Account)
    }
    return dict(sorted(found.items(), key=lambda one: (one[1].name.casefold(), one[0])))
