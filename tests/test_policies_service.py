"""Policies: proposed as a text, proved, and put into use by another person in place of the one before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.codes import PolicyState, Role
from allocator.casework.offices import StoredPolicy
from allocator.casework.records import Kind
from allocator.ports import Query, TakenError
from allocator.service.errors import ForbiddenError, RefusalError
from allocator.service.policies import ProposePolicy
from allocator.service.uses import Nothing
from tests.databases import BACKENDS
from tests.office import TODAY, Office
from tests.test_stored_suggestions import TEXT

DEFAULT = TEXT.decode()
PLANTED = Path(__file__).parent / "policies"


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office without a policy, on each kind of database."""
    made = Office(request.param)
    yield made
    made.close()


@pytest.fixture
def owner(office: Office) -> Actor:
    """The one who proposes."""
    return office.somebody(Role.POLICY_OWNER, login="eier")


@pytest.fixture
def other(office: Office) -> Actor:
    """The one who puts it into use."""
    return office.somebody(Role.POLICY_OWNER, login="fagsjef")


def version(name: str, valid_from: date | None = None) -> str:
    """Return the default policy as another version."""
    text = DEFAULT.replace('version = "2026-11"', f'version = "{name}"', 1)
    if valid_from is not None:
        text = text.replace("valid_from = 2026-11-01", f"valid_from = {valid_from}", 1)
    assert text != DEFAULT
    return text


def proposed(office: Office, actor: Actor, text: str = DEFAULT) -> str:
    """Propose a policy, and return its id."""
    return office.run(actor, "policies.propose", ProposePolicy(text=text)).stored.id


def refused(code: str) -> pytest.RaisesExc[RefusalError]:
    """Expect a refusal with a code."""
    return pytest.raises(RefusalError, match=f"^{code}$")


def test_a_policy_is_proposed_and_another_puts_it_into_use(
    office: Office, owner: Actor, other: Actor
) -> None:
    """Its text is kept by its hash; the proposer cannot put it into use, and nobody can twice."""
    shown = office.run(owner, "policies.propose", ProposePolicy(text=DEFAULT))
    body = office.now(StoredPolicy, shown.stored.id).body
    assert (body.policy_version, body.state, body.proposed_by) == ("2026-11", PolicyState.PROPOSED, "eier")
    assert (shown.view["version"], shown.view["policy_version"]) == (1, "2026-11")
    with office.storage.read() as tx:
        assert tx.kept(body.content) == TEXT

    with refused("second-person-needed"):
        office.run(owner, "policies.activate", Nothing(), shown.stored.id)
    office.run(other, "policies.activate", Nothing(), shown.stored.id)
    body = office.now(StoredPolicy, shown.stored.id).body
    assert (body.state, body.approved_by, body.activated_on) == (PolicyState.ACTIVE, "fagsjef", TODAY)
    with refused("policy-not-proposed"):
        office.run(other, "policies.activate", Nothing(), shown.stored.id)


def test_the_new_one_retires_the_old_and_one_counts_at_a_time(
    office: Office, owner: Actor, other: Actor
) -> None:
    """What was in use is kept as it was (REQ-REP-2), and the database lets no two count."""
    first = proposed(office, owner)
    office.run(other, "policies.activate", Nothing(), first)
    second = proposed(office, owner, version("2026-12"))
    office.run(other, "policies.activate", Nothing(), second)

    old, new = (office.now(StoredPolicy, name).body for name in (first, second))
    assert (old.state, new.state) == (PolicyState.RETIRED, PolicyState.ACTIVE)
    with office.storage.read() as tx:
        assert tx.kept(old.content) == TEXT
        assert tx.get(Kind.POLICY, first, 2).body.state is PolicyState.ACTIVE  # type: ignore[union-attr]
        assert len(tx.find(Query(Kind.POLICY, states=frozenset({"active"})))) == 1
    with pytest.raises(TakenError):
        office.seed(old.model_copy(update={"state": PolicyState.ACTIVE}), "PO-9")
    with refused("policy-not-proposed"):
        office.run(other, "policies.activate", Nothing(), first)


def test_a_version_stands_for_one_text(office: Office, owner: Actor) -> None:
    """The same name and version again is refused, changed or not; another version is not."""
    proposed(office, owner)
    for text in (DEFAULT, DEFAULT.replace("[k_anonymity]\nvalue = 5", "[k_anonymity]\nvalue = 6", 1)):
        with refused("policy-version-used") as caught:
            proposed(office, owner, text)
        assert caught.value.values == {"version": "2026-11"}
    assert proposed(office, owner, version("2026-11b"))


@pytest.mark.parametrize(
    "text",
    ["x = ", "name = 3", DEFAULT.replace("valid_from = 2026-11-01", "valid_from = 2026-13-01", 1)],
)
def test_what_is_no_policy_is_refused_by_place(text: str) -> None:
    """Every fault is told by its place in the text, and nothing is stored."""
    office = Office()
    owner = office.somebody(Role.POLICY_OWNER)
    with refused("request") as caught:
        proposed(office, owner, text)
    assert caught.value.problems
    assert all(problem.path.startswith("/text") for problem in caught.value.problems)
    with office.storage.read() as tx:
        assert not tx.find(Query(Kind.POLICY))
    office.close()


@pytest.mark.parametrize("name", ["own-and-guarded-entrance", "no-home-with-night-staff"])
def test_one_that_contradicts_itself_is_never_in_use(name: str) -> None:
    """It can be proposed; putting it into use is refused with reasons, and the old one stays."""
    office = Office()
    owner, other = (office.somebody(Role.POLICY_OWNER, login=login) for login in ("eier", "fagsjef"))
    first = proposed(office, owner)
    office.run(other, "policies.activate", Nothing(), first)
    planted = proposed(office, owner, (PLANTED / f"{name}.toml").read_text(encoding="utf-8"))
    with refused("policy-contradicts-itself") as caught:
        office.run(other, "policies.activate", Nothing(), planted)
    assert caught.value.problems
    assert all(problem.expected for problem in caught.value.problems)
    assert office.now(StoredPolicy, first).body.state is PolicyState.ACTIVE
    assert office.now(StoredPolicy, planted).body.state is PolicyState.PROPOSED
    office.close()


def test_it_counts_from_its_day(office: Office, owner: Actor, other: Actor) -> None:
    """The day before it is refused, on the day it is put into use."""
    policy = proposed(office, owner, version("2026-12", date(2026, 12, 1)))
    office.clock.to(date(2026, 11, 30))
    with refused("policy-not-valid-yet"):
        office.run(other, "policies.activate", Nothing(), policy)
    office.clock.to(date(2026, 12, 1))
    office.run(other, "policies.activate", Nothing(), policy)
    assert office.now(StoredPolicy, policy).body.state is PolicyState.ACTIVE


def test_only_policy_owners_propose(office: Office) -> None:
    """Whoever decides in cases does not make the rules."""
    for role in (Role.COMMITTEE_LEADER, Role.CASEWORKER, Role.ADMINISTRATOR):
        with pytest.raises(ForbiddenError):
            proposed(office, office.somebody(role))
