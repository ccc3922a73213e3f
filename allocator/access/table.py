"""The access table: roles are data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field

from allocator.casework.bodies import BODIES
from allocator.casework.codes import Clearance, Purpose, Role
from allocator.casework.records import Kind
from allocator.model import ApplicantFacts, Name, Record


class Where(StrEnum):
    """Which records a line of the table is about.

    `ALL`: every one. `SCHEME`: those of a scheme that the role is held for. `HEARD`: those of a case that
    such a scheme is being heard about just now (REQ-ROL-3). `APPEALED`: those of a case with an open appeal.
    `OWN`: those the reader has made.
    """

    ALL = "all"
    SCHEME = "scheme"
    HEARD = "heard"
    APPEALED = "appealed"
    OWN = "own"


class SuggestionReader(StrEnum):
    """As whom suggestions are read; who is cleared for conflicts reads them as the committee."""

    MEMBER = "member"
    STAFF = "staff"


class Report(StrEnum):
    """Figures over all that is stored, about nobody in particular.

    `VETOES`: how often staff object, what comes of it and what it closes. `RULES`: how often advice is
    followed. `WAITING`: who waits for a reply, how long people wait, and units that stand empty. `NEEDS`:
    unmet needs. `IMPACT`: suggestions and decisions by gender and age.
    """

    VETOES = "vetoes"
    RULES = "rules"
    WAITING = "waiting"
    NEEDS = "needs"
    IMPACT = "impact"


class Read(Record):
    """That a role may see some fields of some records."""

    kind: Kind
    groups: frozenset[Name] = Field(description="Groups of fields; none means: that the record is there.")
    where: Where = Where.ALL
    cleared: frozenset[Clearance] = Field(
        default=frozenset(), description="Only for those cleared for these."
    )
    purposes: frozenset[Purpose] = Field(default=frozenset(), description="Only for one of these purposes.")


class Does(Record):
    """That a role may do some things with some records."""

    uses: frozenset[Name] = Field(description="Names of use cases.")
    where: Where = Where.ALL
    cleared: frozenset[Clearance] = frozenset()


class RoleAccess(Record):
    """What one role may see and do."""

    reader: SuggestionReader | None = Field(
        default=None, description="As whom suggestions are read; missing means: not at all."
    )
    sees_log: bool = False
    gives_extracts: bool = Field(default=False, description="Tells people who has looked at them.")
    imports: bool = Field(
        default=False, description="May bring in a municipality's records; with clearances that they need."
    )
    exports: bool = Field(default=False, description="May take out what the role sees, all at once.")
    reports: frozenset[Report] = Field(
        default=frozenset(), description="Reports that it may read; for its own schemes, if held for schemes."
    )
    of_scheme: bool = Field(default=False, description="The role is held for certain schemes.")
    reads: tuple[Read, ...] = ()
    does: tuple[Does, ...] = ()


class AccessDocument(Record):
    """The table as it stands in the file."""

    purpose_needed: frozenset[Name] = Field(
        description="Groups that are shown only when a purpose is stated."
    )
    fields: dict[Kind, dict[Name, Annotated[Name, Field(min_length=1)]]]
    roles: dict[Role, RoleAccess]


class AccessError(ValueError):
    """A table that does not hang together."""


@dataclass(frozen=True)
class Access:
    """The access table, checked.

    Attributes:
        fields: Per kind of record, the group of each field.
        roles: Per role what it may see and do.
        purpose_needed: Groups that are shown only when a purpose is stated.
    """

    fields: Mapping[Kind, Mapping[str, str]]
    roles: Mapping[Role, RoleAccess]
    purpose_needed: frozenset[str]

    def groups(self, kind: Kind) -> frozenset[str]:
        """Return the groups that the fields of a kind are divided into."""
        return frozenset(self.fields[kind].values())


def field_names(kind: Kind) -> tuple[str, ...]:
    """Return the fields of a kind that the table must place: a person's facts are placed one by one."""
    names: list[str] = []
    for name in BODIES[kind].model_fields:
        if kind is Kind.PERSON and name == "facts":
            names.extend(f"facts.{fact}" for fact in ApplicantFacts.model_fields)
        else:
            names.append(name)
    return tuple(names)


def read_table(text: str) -> Access:
    """Return the table in a TOML document.

    Raises:
        AccessError: A field has no group, or a role reads a group that its records do not have.
    """
    document = AccessDocument.model_validate(tomllib.loads(text), strict=False)
    for kind in Kind:
        placed, there = set(document.fields.get(kind, {})), set(field_names(kind))
        if placed != there:
            raise AccessError(f"fields of {kind}: {sorted(placed ^ there)} placed or there, not both")
    access = Access(document.fields, document.roles, document.purpose_needed)
    if set(document.roles) != set(Role):
        raise AccessError(f"roles: {sorted(set(Role) ^ set(document.roles))}")
    for role, entry in document.roles.items():
        for read in entry.reads:
            if not read.groups <= access.groups(read.kind):
                raise AccessError(
                    f"{role} reads {sorted(read.groups - access.groups(read.kind))} of {read.kind}"
                )
            if read.where in (Where.SCHEME, Where.HEARD) and not entry.of_scheme:
                raise AccessError(f"{role} is not held for schemes")
    return access


@cache
def table() -> Access:
    """Return the table that the product comes with."""
    return read_table(files("allocator.access").joinpath("access.toml").read_text(encoding="utf-8"))
