"""Who may see and do what: the table and a reference policy agree, and a table that is wrong is found."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any

import pytest

from allocator.access.authorizer import (
    HIDDEN,
    Actor,
    Circumstances,
    exports,
    imports,
    may,
    may_ever,
    reader,
    sees,
    sees_log,
)
from allocator.access.table import Access, Does, Read, Report, SuggestionReader, Where, field_names, table
from allocator.casework.codes import Clearance, Purpose, Role
from allocator.casework.offices import Account, BreakGlass, Grant
from allocator.casework.records import Kind
from allocator.disclosure import Reader
from allocator.service.catalogue import USES
from tests.access_reference import DONE, SEEN, WHOLE, Asking

REQUESTS = int(os.environ.get("ALLOCATOR_ACCESS_REQUESTS", "20000"))
"""So many random requests are compared; a release has 100 000 and more."""

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
MOST = 200_000
"""So many requests at most until a mistake in a table shows."""

SCHEMES = ("nordlia", "havna", "tunet")
ME, OTHER = "me", "other"
DONE_BESIDE = frozenset({"accounts.issue_code"})
"""What is no use case of the catalogue, but stands in the table like one."""

EVERYTHING = (
    tuple(("use", use) for use in sorted({*USES, *DONE_BESIDE})),
    tuple(("kind", kind.value) for kind in Kind),
)
_TELLING = (Purpose.MEETING, Purpose.CONFLICT_CONTROL, Purpose.APPEAL, Purpose.CRISIS)
"""Purposes on which something depends."""


# ------------------------------------------------------------------------------------ random requests


def _some(draw: random.Random, options: Any, chance: float = 0.3) -> frozenset[Any]:
    return frozenset(option for option in options if draw.random() < chance)


def _account(draw: random.Random) -> Account:
    """Return somebody with some roles, of now and of other times, some clearances, perhaps in a crisis."""
    today = NOW.date()
    grants = []
    for _ in range(draw.choice((0, 1, 1, 1, 2, 3))):
        role = draw.choice(list(Role))
        schemes = _some(draw, SCHEMES, 0.5) if table().roles[role].of_scheme or draw.random() < 0.1 else ()
        since = today + timedelta(days=draw.choice((-9, -9, -9, 0, 1)))
        until = draw.choice((None, None, None, today - timedelta(days=1), today, today + timedelta(days=9)))
        grants.append(Grant(role=role, schemes=frozenset(schemes), since=since, until=until))
    crisis = None
    if draw.random() < 0.2:
        begun = NOW - timedelta(hours=draw.choice((-1, 0, 1, 4)))
        crisis = BreakGlass(since=begun, until=begun + timedelta(hours=4), reason="Brann.")
    return Account(
        login=ME,
        name="Kari Oppdiktet",
        grants=tuple(grants),
        cleared=_some(draw, Clearance, 0.6),
        crisis=crisis,
        disabled=draw.random() < 0.05,
    )


def _about(draw: random.Random) -> Circumstances:
    """Return what a record is about."""
    return Circumstances(
        schemes=_some(draw, SCHEMES),
        heard_by=_some(draw, SCHEMES),
        appealed=draw.random() < 0.4,
        author=draw.choice((None, ME, OTHER)),
        strict=draw.random() < 0.2,
        barred=draw.choice(
            (frozenset(), frozenset(), frozenset(), frozenset({OTHER}), frozenset({ME, OTHER}))
        ),
    )


def _shown(access: Access, actor: Actor, kind: Kind, about: Circumstances) -> set[str] | None:
    """Return the fields that the product shows of a record; None if it is not there for them."""
    sight = sees(access, actor, kind, about)
    if sight.groups is None:
        return None
    return {name for name, group in access.fields[kind].items() if group in sight.groups}


def disagreement(access: Access, seed: int, requests: int) -> str | None:
    """Return the first random request on which a table and the reference policy differ."""
    draw = random.Random(seed)
    for number in range(requests):
        account, about = _account(draw), _about(draw)
        purpose = draw.choice((None, *Purpose) if draw.random() < 0.5 else _TELLING)
        actor = Actor.of(ME, account, NOW.date(), purpose, NOW)
        asking = Asking(ME, account, NOW, purpose)
        what, name = draw.choice(EVERYTHING[number % 2])
        if what == "use":
            agree = may(access, actor, name, about) is asking.may(name, about)
        else:
            agree = _shown(access, actor, Kind(name), about) == asking.sees(name, about)
        if not agree:
            return f"seed {seed}, request {number}: {name} for {account} with {purpose} of {about}"
    return None


def test_random_requests_get_the_answer_of_the_reference_policy() -> None:
    """Roles, schemes, clearances, purpose, crisis and what it is about: both policies say the same."""
    seed = int(os.environ.get("ALLOCATOR_ACCESS_SEED", str(random.SystemRandom().randrange(2**32))))
    print(f"ALLOCATOR_ACCESS_SEED={seed}")  # noqa: T201 - to have it again

    assert disagreement(table(), seed, REQUESTS) is None


def test_what_is_not_about_one_record_is_that_of_the_reference_policy() -> None:
    """Reading the log, giving extracts, importing, exporting and as whom suggestions are read."""
    for role, entry in table().roles.items():
        had = {
            "sees_log": entry.sees_log,
            "gives_extracts": entry.gives_extracts,
            "imports": entry.imports,
            "exports": entry.exports,
            "reads suggestions as a member": entry.reader is SuggestionReader.MEMBER,
            "reads suggestions as staff": entry.reader is SuggestionReader.STAFF,
            "held for schemes": entry.of_scheme,
            **{f"report: {report}": report in entry.reports for report in Report},
        }
        assert had == {name: role in who.split() for name, who in WHOLE.items()}, role


@pytest.mark.parametrize("role", Role)
def test_clearances_count_for_what_is_not_about_one_record(role: Role) -> None:
    """Importing needs that for kode 6; the cleared of the committee read as such, nobody else does."""
    grant = Grant(role=role, since=NOW.date())
    for cleared in (frozenset(), frozenset({Clearance.CONFLICTS}), frozenset(Clearance)):
        account = Account(login=ME, name=ME, grants=(grant,), cleared=cleared)
        actor = Actor.of(ME, account, NOW.date(), None, NOW)
        whole = {name for name, who in WHOLE.items() if role in who.split()}
        assert imports(table(), actor) is ("imports" in whole and Clearance.KODE_6 in cleared)
        assert exports(table(), actor) is ("exports" in whole)
        assert sees_log(table(), actor) is ("sees_log" in whole)
        read_as = reader(table(), actor)
        if "reads suggestions as a member" in whole:
            expected = Reader.COMMITTEE if Clearance.CONFLICTS in cleared else Reader.MEMBER
            assert read_as is expected
        else:
            assert read_as is (Reader.STAFF if "reads suggestions as staff" in whole else None)


def test_who_holds_no_role_may_nothing() -> None:
    """Not even see their own account, whatever they are cleared for."""
    actor = Actor(ME, cleared=frozenset(Clearance), purpose=Purpose.CASEWORK)

    assert all(sees(table(), actor, kind, Circumstances(author=ME)) == HIDDEN for kind in Kind)
    assert not any(may_ever(table(), actor, use) for use in USES)


# ---------------------------------------------------------------------------------------- wrong tables


def _roles(access: Access, role: Role, **changes: Any) -> Access:
    entry = access.roles[role].model_copy(update=changes)
    return replace(access, roles=MappingProxyType({**access.roles, role: entry}))


def _reads(role: Role, kind: Kind, change: Callable[[Read], Read | None]) -> Callable[[Access], Access]:
    """Return what changes the lines of a role that are about a kind."""

    def mutate(access: Access) -> Access:
        lines = access.roles[role].reads
        assert any(line.kind is kind for line in lines)
        changed = [change(line) if line.kind is kind else line for line in lines]
        return _roles(access, role, reads=tuple(line for line in changed if line is not None))

    return mutate


def _with(**fields: Any) -> Callable[[Any], Any]:
    return lambda line: line.model_copy(update=fields)


def _adds(role: Role, line: Read) -> Callable[[Access], Access]:
    return lambda access: _roles(access, role, reads=(*access.roles[role].reads, line))


def _does(role: Role, use: str, change: Callable[[Does], Does]) -> Callable[[Access], Access]:
    """Return what changes the lines of a role with a use case."""

    def mutate(access: Access) -> Access:
        lines = access.roles[role].does
        assert any(use in line.uses for line in lines)
        return _roles(access, role, does=tuple(change(line) if use in line.uses else line for line in lines))

    return mutate


def _lets(role: Role, use: str, where: Where = Where.ALL) -> Callable[[Access], Access]:
    line = Does(uses=frozenset({use}), where=where)
    return lambda access: _roles(access, role, does=(*access.roles[role].does, line))


def _places(kind: Kind, name: str, group: str) -> Callable[[Access], Access]:
    def mutate(access: Access) -> Access:
        assert access.fields[kind][name] != group
        return replace(access, fields={**access.fields, kind: {**access.fields[kind], name: group}})

    return mutate


MUTATIONS: dict[str, Callable[[Access], Access]] = {
    "a name without a purpose": lambda access: replace(access, purpose_needed=frozenset()),
    "health needs a purpose": lambda access: replace(
        access, purpose_needed=frozenset({"identity", "health"})
    ),
    "a field in a wider group": _places(Kind.PERSON, "facts.risk", "own"),
    "a sealed field for all": _places(Kind.DECISION, "judged_sha256", "decision"),
    "grounds among the outcome": _places(Kind.DECISION, "grounds", "outcome"),
    "the exact hash for all": _places(Kind.SUGGESTION, "facts_sha256", "suggestion"),
    "a group too many": _adds(Role.COMMITTEE_MEMBER, Read(kind=Kind.PERSON, groups=frozenset({"risk"}))),
    "a kind too many": _adds(Role.AUDITOR, Read(kind=Kind.PERSON, groups=frozenset({"own"}))),
    "that a record is there": _adds(Role.POLICY_OWNER, Read(kind=Kind.CASE, groups=frozenset())),
    "a kind too few": _reads(Role.APPEALS_BODY, Kind.OFFER, lambda _line: None),
    "a group too few": _reads(Role.CASEWORKER, Kind.CASE, _with(groups=frozenset({"process", "wishes"}))),
    "conflicts without clearance": _reads(Role.CONFLICT_OFFICER, Kind.CONFLICT, _with(cleared=frozenset())),
    "orders with the other clearance": _reads(
        Role.COMMITTEE_LEADER, Kind.ORDER, _with(cleared=frozenset({Clearance.KODE_6}))
    ),
    "conflicts for any purpose": _reads(Role.COMMITTEE_LEADER, Kind.CONFLICT, _with(purposes=frozenset())),
    "conflicts for another purpose": _reads(
        Role.COMMITTEE_LEADER, Kind.ORDER, _with(purposes=frozenset({Purpose.MEETING}))
    ),
    "cases of every scheme": _reads(Role.SCHEME_STAFF, Kind.CASE, _with(where=Where.ALL)),
    "cases of one's residents": _reads(Role.SCHEME_LEADER, Kind.CASE, _with(where=Where.SCHEME)),
    "appeals that are over": _reads(Role.APPEALS_BODY, Kind.PERSON, _with(where=Where.ALL)),
    "others' reports": _reads(Role.CASEWORKER, Kind.CONFLICT, _with(where=Where.ALL)),
    "a use case too many": _lets(Role.COMMITTEE_MEMBER, "decisions.approve"),
    "a use case too few": _does(
        Role.COMMITTEE_LEADER,
        "decisions.approve",
        lambda line: line.model_copy(update={"uses": line.uses - {"decisions.approve"}}),
    ),
    "others' objections": _does(Role.SCHEME_STAFF, "vetoes.withdraw", _with(where=Where.SCHEME)),
    "houses of others": _does(Role.SCHEME_LEADER, "vetoes.raise", _with(where=Where.ALL)),
    "orders without clearance": _does(Role.CONFLICT_OFFICER, "orders.record", _with(cleared=frozenset())),
    "anybody in a crisis": _does(Role.ASSESSOR, "accounts.break_glass", _with(where=Where.ALL)),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_table_that_is_wrong_is_found(name: str) -> None:
    """Each mistake shows within the random requests of a test run."""
    assert disagreement(MUTATIONS[name](table()), seed=1, requests=MOST) is not None


@pytest.mark.parametrize("rule", ["strict", "barred"])
def test_forgetting_to_shut_somebody_out_is_found(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither kode 6 nor a bar may be forgotten by the authorizer."""
    from allocator.access import authorizer  # noqa: PLC0415 - to take a rule out of it

    honest = authorizer.shut_out
    free: dict[str, Any] = {"strict": False} if rule == "strict" else {"barred": frozenset()}
    monkeypatch.setattr(authorizer, "shut_out", lambda actor, about: honest(actor, replace(about, **free)))

    assert disagreement(table(), seed=1, requests=MOST) is not None


# ---------------------------------------------------------------------------------------- completeness


def test_every_use_case_is_somebodys_and_every_use_in_the_table_is_there() -> None:
    """In the table and in the reference policy alike."""
    granted = {use for entry in table().roles.values() for line in entry.does for use in line.uses}

    assert granted == set(USES) | DONE_BESIDE
    assert sorted(use for uses in DONE for use in uses.split()) == sorted(granted)


@cache
def _referenced() -> dict[str, list[str]]:
    return {kind: [name for names in lines for name in names.split()] for kind, lines in SEEN.items()}


@pytest.mark.parametrize("kind", Kind)
def test_every_field_is_placed_once_in_both_policies(kind: Kind) -> None:
    """A new field is nobody's until somebody has said twice whose it is."""
    assert sorted(table().fields[kind]) == sorted(field_names(kind))
    assert sorted(_referenced()[kind]) == sorted(field_names(kind))


def _unread() -> Iterator[tuple[Kind, str]]:
    for kind in Kind:
        read = {
            g for e in table().roles.values() for line in e.reads if line.kind is kind for g in line.groups
        }
        yield from ((kind, group) for group in sorted(table().groups(kind) - read))


def test_every_group_of_fields_is_read_by_somebody() -> None:
    """What nobody reads need not be stored."""
    assert list(_unread()) == []
