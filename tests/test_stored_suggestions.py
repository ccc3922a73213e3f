"""Stored suggestions: made once, replayed to the same bytes, and read by each as they may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from allocator import scoring
from allocator.access.authorizer import Actor
from allocator.casework.cases import Case
from allocator.casework.codes import (
    AddressProtection,
    CaseState,
    Clearance,
    HearingState,
    PolicyState,
    Purpose,
    Role,
)
from allocator.casework.committee import Suggestion
from allocator.casework.offices import StoredPolicy
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.casework.voice import Hearing
from allocator.policy import Policy
from allocator.ports import CorruptError
from allocator.service import suggestions
from allocator.service.errors import ForbiddenError, NotFoundError, RefusalError
from allocator.service.suggestions import MakeSuggestion, entry, judged, replay
from allocator.service.work import Work
from tests.databases import BACKENDS
from tests.office import TODAY, Office
from tests.test_snapshot import applicant, conflict, facts

TEXT = (Path(__file__).parent.parent / "fixtures/policies/default.toml").read_bytes()


def with_policy(office: Office, text: bytes = TEXT) -> None:
    """Seed a policy as the one in use, the default one if none is given."""
    policy = Policy.from_toml(text.decode())
    with office.storage.write() as tx:
        content = tx.keep(text)
    office.seed(
        StoredPolicy(
            name=policy.name,
            policy_version=policy.version,
            content=content,
            sha256=policy.sha256,
            valid_from=policy.document.valid_from,
            state=PolicyState.ACTIVE,
            proposed_by="A",
            approved_by="B",
            change_note="Første.",
        ),
        "PO-1",
    )


def filled(backend: str) -> Office:
    """Return an office with two houses, residents, somebody who waits, and a policy."""
    office = Office(backend)
    office.house("nordlia", units=8)
    office.house("havna", units=3)
    for number in range(1, 7):
        office.resident(f"B-{number}", f"nordlia-{number}", facts=facts())
    office.resident("B-9", "havna-1", facts=facts())
    applicant(office, state=CaseState.WAITING_LIST)
    with_policy(office)
    return office


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office on each kind of database."""
    made = filled(request.param)
    yield made
    made.close()


def worker(office: Office, *cleared: Clearance) -> Actor:
    """Return a caseworker."""
    return office.somebody(Role.CASEWORKER, cleared=cleared)


def working(office: Office, actor: Actor, do: object) -> object:
    """Do something that reads, as the use cases do."""
    with office.storage.read() as tx:
        work = Work(tx, office.desk.access, actor, office.clock.now(), office.clock.today())
        return do(work)  # type: ignore[operator]


def test_a_suggestion_is_stored_and_replayed_to_the_same_bytes(office: Office) -> None:
    """What is stored is enough to decide it again, on another day too."""
    shown = office.run(worker(office), "suggestions.make", MakeSuggestion(case="S-1"))
    office.clock.to(date(2027, 3, 1))
    stored = office.now(Suggestion, shown.stored.id)

    replayed = working(office, worker(office), lambda work: replay(work, stored))

    assert isinstance(replayed, suggestions.Replayed)
    assert replayed.same
    assert stored.body.engine == "durable"
    assert office.now(Case, "S-1").body.state is CaseState.SUGGESTED


def test_a_shortlist_is_stored_too(office: Office) -> None:
    """The applicants for a unit are ranked, and no case changes its state by that."""
    applicant(office, "S-2", "P-2", state=CaseState.WAITING_LIST)
    shown = office.run(worker(office), "suggestions.make", MakeSuggestion(unit="nordlia-7"))

    content = office.desk.answer(worker(office), shown.stored.id)

    assert {e["applicant"] for e in content["suggestions"]} == {"S-1", "S-2"}
    assert office.now(Case, "S-1").body.state is CaseState.WAITING_LIST


def test_facts_that_change_while_the_engine_works_are_read_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stored was decided on the facts as they were when it was stored."""
    usual = scoring.suggest
    asked: list[int] = []

    def slow(*args: object) -> scoring.Suggestions:
        if not asked:
            office.seed(office.now(Person, "B-1").body.model_copy(update={"contact": "?"}), "B-1", version=2)
        asked.append(1)
        return usual(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(scoring, "suggest", slow)

    shown = office.run(worker(office), "suggestions.make", MakeSuggestion(case="S-1"))

    stored = office.now(Suggestion, shown.stored.id).body
    with office.storage.read() as tx:
        before = tx.head().facts_at
    assert len(asked) == 2
    assert stored.facts_at < before


def test_scheme_staff_read_their_own_units_alone_and_only_while_heard(office: Office) -> None:
    """Staff see the case's suggestion when it has gone to hearing for their scheme, and lose it after."""
    shown = office.run(worker(office), "suggestions.make", MakeSuggestion(case="S-1"))
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia", purpose=Purpose.HEARING)
    with pytest.raises(NotFoundError):
        office.desk.answer(staff, shown.stored.id)
    hearing = Hearing(case="S-1", scheme="nordlia", sent_on=TODAY, deadline=TODAY)
    office.seed(hearing, "H-1")

    content = office.desk.answer(staff, shown.stored.id)

    assert {e["scheme"] for e in content["suggestions"]} == {"nordlia"}
    assert content["reader"] == "staff"
    closed = {"state": HearingState.CLOSED, "closed_on": TODAY}
    office.seed(hearing.model_copy(update=closed), "H-1", version=2)
    with pytest.raises(NotFoundError):
        office.desk.answer(staff, shown.stored.id)


def test_who_is_cleared_reads_exactly_and_others_by_zone(office: Office) -> None:
    """Whose enemy lives where is told only to who is cleared for it."""
    conflict(office, "P-1", "B-9")
    shown = office.run(worker(office), "suggestions.make", MakeSuggestion(case="S-1"))

    exact = office.desk.answer(worker(office, Clearance.CONFLICTS), shown.stored.id)
    coarse = office.desk.answer(worker(office), shown.stored.id)

    assert exact["reader"] == "committee"
    assert "known-conflict" in str(exact)
    assert coarse["reader"] == "member"
    assert "known-conflict" not in str(coarse)
    assert "B-9" not in str(coarse)


def test_a_kode_6_resident_is_nowhere_in_what_the_uncleared_read(office: Office) -> None:
    """They read the guarded answer: the unit is occupied, and by whom nobody has recorded."""
    strict = AddressProtection.STRICTLY_CONFIDENTIAL
    office.seed(Person(facts=facts(), protection=strict), "B-9", version=2)
    conflict(office, "P-1", "B-9")
    shown = office.run(worker(office), "suggestions.make", MakeSuggestion(case="S-1"))

    uncleared = office.desk.answer(worker(office, Clearance.CONFLICTS), shown.stored.id)
    cleared = office.desk.answer(worker(office, Clearance.CONFLICTS, Clearance.KODE_6), shown.stored.id)

    assert "B-9" not in str(uncleared)
    assert uncleared["reader"] == "member"
    assert "B-9" in str(cleared)


def test_the_entry_of_a_unit_is_the_same_until_its_facts_change(office: Office) -> None:
    """What is judged now has the stored entry's hash; a fact of a neighbour changes it."""
    shown = office.run(worker(office), "suggestions.make", MakeSuggestion(case="S-1"))
    stored = office.now(Suggestion, shown.stored.id)

    before = working(office, worker(office), lambda w: judged(w, "S-1", "nordlia-7"))
    said = working(office, worker(office), lambda w: entry(w, stored, "S-1", "nordlia-7"))
    office.seed(Person(), "B-1", version=2)
    after = working(office, worker(office), lambda w: judged(w, "S-1", "nordlia-7"))

    assert isinstance(before, suggestions.Judged)
    assert isinstance(said, suggestions.Judged)
    assert isinstance(after, suggestions.Judged)
    assert before.sha256 == said.sha256
    assert after.sha256 != said.sha256
    assert ("B-1", "resident.gender") in {(r.of, r.path) for r in before.rests_on}
    assert not any(r.path.startswith(("conflict.", "order.")) for r in before.rests_on)


def test_a_suggestion_needs_a_policy_a_case_and_somebody_who_may(office: Office) -> None:
    """What is missing is said; scheme staff may not ask."""
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    with pytest.raises(ForbiddenError):
        office.run(staff, "suggestions.make", MakeSuggestion(case="S-1"))
    with pytest.raises(RefusalError, match="request"):
        office.run(worker(office), "suggestions.make", MakeSuggestion(case="S-9"))
    office.seed(
        office.now(StoredPolicy, "PO-1").body.model_copy(update={"state": PolicyState.RETIRED}), "PO-1", 2
    )
    with pytest.raises(RefusalError, match="no-active-policy"):
        office.run(worker(office), "suggestions.make", MakeSuggestion(case="S-1"))


def test_what_is_kept_is_not_believed_if_it_does_not_fit_its_hash() -> None:
    """A snapshot that somebody has changed in the database is refused, not replayed."""
    office = filled("sqlite")
    shown = office.run(worker(office), "suggestions.make", MakeSuggestion(case="S-1"))
    with office.connections.write() as connection:
        connection.execute(text("drop trigger content_no_update"))
        connection.execute(text("update content set body = cast(body as text) || ' '"))

    with pytest.raises(CorruptError):
        office.desk.answer(worker(office), shown.stored.id)
    office.close()


def test_every_reading_is_logged_with_whom_it_touched(office: Office) -> None:
    """The residents that a finding was about are in the log too (REQ-AUD-1)."""
    shown = office.run(worker(office), "suggestions.make", MakeSuggestion(case="S-1"))
    office.desk.answer(worker(office), shown.stored.id)

    entry_of_look = office.log()[-1]

    assert entry_of_look["kind"] == Kind.SUGGESTION
    assert {"P-1", "B-1"} <= set(entry_of_look["shown"])
