"""The facts as they stand now, and the policy that is active: what a suggestion is asked of."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from allocator.casework.cases import Case
from allocator.casework.codes import DecisionState, PolicyState
from allocator.casework.committee import Decision
from allocator.casework.housing import Scheme, Tenancy, Unit, UnitReservation
from allocator.casework.offices import StoredPolicy
from allocator.casework.people import Person
from allocator.casework.records import Stored
from allocator.casework.relations import Conflict, Order
from allocator.casework.snapshot import Register, build
from allocator.casework.voice import Veto
from allocator.model import Snapshot
from allocator.policy import Policy
from allocator.ports import CorruptError
from allocator.service.work import Work

Supposing = Callable[[Register], Register]
"""What is supposed of the records while a question is asked of them: that something was done already."""


def register(work: Work) -> Register:
    """Return the newest version of every record that a snapshot is put together from."""
    return Register(
        schemes=work.find(Scheme),
        units=work.find(Unit),
        people=work.find(Person, states={"open", "strict"}),
        tenancies=work.find(Tenancy),
        reservations=work.find(UnitReservation, states={"open"}),
        cases=work.find(Case),
        conflicts=work.find(Conflict),
        orders=work.find(Order, states={"open"}),
        vetoes=work.find(Veto),
        decisions=work.find(Decision, states={DecisionState.MADE}),
    )


def snapshot(work: Work, *, guarded: bool = False, supposing: Supposing | None = None) -> Snapshot:
    """Return the facts as they stand today, or as they would stand."""
    records = register(work)
    return build(records if supposing is None else supposing(records), work.today, guarded=guarded)


@lru_cache(maxsize=8)
def read_policy(content: bytes) -> Policy:
    """Return the policy in a text that was accepted when it was stored."""
    return Policy.from_toml(content.decode())


def policy_of(work: Work, content: str) -> Policy:
    """Return a stored policy by the hash of its text.

    Raises:
        CorruptError: It is not there.
    """
    text = work.tx.kept(content)
    if text is None:
        raise CorruptError("a policy's text is not there")
    return read_policy(text)


def active_policy(work: Work) -> Stored[StoredPolicy]:
    """Return the policy in use; refuse what was asked for while there is none."""
    found = work.find(StoredPolicy, states={PolicyState.ACTIVE})
    if not found:
        work.refuse("no-active-policy")
    return found[0]
