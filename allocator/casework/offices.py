"""Accounts with their roles, and the municipality's policies."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from allocator.casework.codes import Clearance, PolicyState, Role
from allocator.casework.records import AccountId, Body, KeptSha256, Kind, SchemeId
from allocator.model import Day, Name, Record, Text

LoginName = Annotated[Name, Field(max_length=60)]
"""What somebody logs in with; so short that no folding of its letters makes it too long to be held."""


class Grant(Record):
    """A role that an account has, where, and until when."""

    role: Role
    schemes: frozenset[SchemeId] = Field(default=frozenset(), description="For roles of one scheme.")
    since: Day
    until: Day | None = Field(default=None, description="Last day; missing means: until it is taken back.")


class BreakGlass(Record):
    """Access taken in a crisis: reasoned, short, and looked at the next day (REQ-ROL-2)."""

    since: AwareDatetime
    until: AwareDatetime
    reason: Text


class Account(Body):
    """Somebody who can log in. The secret they log in with is kept elsewhere."""

    kind: ClassVar[Kind] = Kind.ACCOUNT

    login: LoginName
    name: Name
    grants: tuple[Grant, ...] = ()
    cleared: frozenset[Clearance] = frozenset()
    crisis: BreakGlass | None = None
    disabled: bool = False

    def get_state(self) -> str:
        """Say whether it can be used."""
        return "disabled" if self.disabled else "active"

    def holds(self) -> frozenset[str]:
        """Hold the name that is logged in with."""
        return frozenset({f"login:{self.login.casefold()}"})

    def grants_on(self, day: date) -> tuple[Grant, ...]:
        """Return the roles that are held on *day*."""
        return tuple(
            grant
            for grant in self.grants
            if grant.since <= day and (grant.until is None or grant.until >= day) and not self.disabled
        )

    def in_crisis(self, now: datetime) -> bool:
        """Return whether access was taken in a crisis and its time has not run out."""
        return self.crisis is not None and self.crisis.since <= now < self.crisis.until and not self.disabled


class StoredPolicy(Body):
    """A policy of the municipality: its text by content hash, who approved it, and from when it counts."""

    kind: ClassVar[Kind] = Kind.POLICY

    name: Name
    policy_version: Name
    content: KeptSha256 = Field(description="Content hash of its text.")
    sha256: Name = Field(description="Hash as suggestions show it.")
    valid_from: Day
    state: PolicyState = PolicyState.PROPOSED
    proposed_by: AccountId
    approved_by: AccountId | None = None
    change_note: Text
    activated_on: Day | None = None

    def holds(self) -> frozenset[str]:
        """Let one policy be active at a time (REQ-REP-2)."""
        return frozenset({"policy:active"}) if self.state is PolicyState.ACTIVE else frozenset()

    def order(self) -> str:
        """List by the day it counts from."""
        return self.valid_from.isoformat()
