"""The log proves itself to those who read it, and tells a person who has looked at and changed anything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from allocator.access.authorizer import Actor
from allocator.audit.checkpoints import Kept, Signer, make
from allocator.casework.codes import Clearance, Purpose, Role
from allocator.casework.people import Person
from allocator.ports import BusyError
from allocator.service.errors import ForbiddenError, NotFoundError
from allocator.service.journal import Journal, LogQuery, Proof
from api.app import create_office
from tests.browsers import default_policy
from tests.committee import Committee
from tests.decided import Decided
from tests.office import Office
from tests.test_suspensions import officer, suspend

SIGNER = Signer("prove.example/allocator", bytes(range(32)))


@pytest.fixture
def desk() -> Iterator[Committee]:
    """An office with a committee."""
    made = Committee()
    yield made
    made.close()


def served(office: Office, kept: Kept | None = None) -> Journal:
    """Return the log as the application has it."""
    app = create_office(office.connections, office.clock, default_policy(), kept=kept)
    journal: Journal = app.state.office.journal
    return journal


def auditor(office: Office, *cleared: Clearance) -> Actor:
    """Return somebody who reads the log."""
    return office.somebody(Role.AUDITOR, cleared=cleared, purpose=Purpose.CONTROL)


def test_a_sound_record_is_said_to_be_sound_and_when(desk: Committee) -> None:
    """Before that, that nobody has verified it; afterwards who did, and when."""
    journal, reads = served(desk), auditor(desk)
    assert journal.verified(reads) is None
    assert journal.verify(reads) == Proof((), None)
    found = journal.verified(reads)
    assert found is not None
    assert (found.at, found.by, found.proof) == (desk.clock.now(), reads.account, Proof((), None))
    assert journal.verify(reads) == Proof((), None)


def test_what_was_changed_past_the_service_is_found(desk: Committee) -> None:
    """And what came of it stands in the log until somebody verifies again."""
    journal, reads = served(desk), auditor(desk)
    with desk.connections.engine.begin() as connection:
        connection.execute(text("delete from record_link where kind = 'case'"))
    assert journal.verify(reads).faults == ("derived",)
    found = journal.verified(reads)
    assert found is not None
    assert found.proof.faults == ("derived",)


def test_it_is_compared_with_the_signed_checkpoints_that_are_kept(desk: Committee, tmp_path: Path) -> None:
    """The newest of them is told; with none there it was compared with none."""
    kept = Kept(tmp_path, SIGNER.verifier)
    journal, reads = served(desk, kept), auditor(desk)
    assert journal.verify(reads) == Proof((), None)
    made = make(desk.storage, SIGNER, tmp_path, desk.clock)
    assert made is not None
    assert journal.verify(reads) == Proof((), made.at)
    (file,) = tmp_path.iterdir()
    file.unlink()
    assert journal.verify(reads).faults == ("checkpoint",)


def test_only_who_reads_the_log_has_it_verified(desk: Committee) -> None:
    """Others are refused, and that is logged; where there is nothing to verify with, it is not there."""
    journal = served(desk)
    for actor in (desk.leader, desk.somebody(Role.ADMINISTRATOR)):
        with pytest.raises(ForbiddenError):
            journal.verify(actor)
        assert (desk.log()[-1]["use"], desk.log()[-1]["outcome"]) == ("log.verify", "denied")
        with pytest.raises(ForbiddenError):
            journal.verified(actor)
    alone = Journal(desk.desk)
    assert not alone.verifies
    with pytest.raises(NotFoundError):
        alone.verify(auditor(desk))


def test_it_is_read_once_at_a_time(desk: Committee) -> None:
    """Whoever asks meanwhile is asked to wait, and it can be read again afterwards."""
    begun, go_on = threading.Event(), threading.Event()

    def prove() -> Proof:
        begun.set()
        go_on.wait()
        return Proof((), None)

    journal, reads = Journal(desk.desk, prove), auditor(desk)
    first = threading.Thread(target=journal.verify, args=(reads,))
    first.start()
    begun.wait()
    try:
        with pytest.raises(BusyError):
            journal.verify(reads)
    finally:
        go_on.set()
        first.join()
    assert journal.verify(reads) == Proof((), None)


def test_what_was_found_is_told_to_the_cleared_log_reader_alone(desk: Committee) -> None:
    """Entries are the same for all others, with what was found left out."""
    journal = served(desk)
    journal.verify(auditor(desk))
    for reads, told in ((auditor(desk), False), (auditor(desk, *Clearance), True)):
        (entry,) = [e for e in journal.page(reads, LogQuery()).items if e["use"] == "log.verify"]
        assert ("faults" in entry) is told


# ----------------------------------------------------------------------------------------- the extract


def giver(office: Office, *cleared: Clearance) -> Actor:
    """Return somebody who tells people who has looked at them."""
    return office.somebody(Role.AUDITOR, cleared=cleared, purpose=Purpose.SUBJECT_ACCESS)


def test_an_extract_can_tell_who_has_changed_something_too(desk: Committee) -> None:
    """The last first, and of each whether it was a look; without that, looks alone, as before."""
    desk.desk.show(desk.worker, Person.kind, "P-1")
    desk.suggested("S-1")
    found = Journal(desk.desk).extract(giver(desk), "P-1", changes=True)
    by = [(one["by"], one["changed"]) for one in found if one["by"] != "seed"]
    assert by[-1] == (desk.worker.account, False)
    assert (desk.worker.account, True) in by
    looks = Journal(desk.desk).extract(giver(desk), "P-1")
    assert all("changed" not in one for one in looks)
    before = [one["by"] for one in found if not one["changed"]]
    assert [one["by"] for one in looks] == [giver(desk).account, *before]


def test_a_change_that_tells_of_a_conflict_is_told_by_the_cleared_alone() -> None:
    """Who suspends a decision would tell why; the person is told neither that nor of a conflict."""
    office = Decided()
    suspend(office)
    uncleared = Journal(office.desk).extract(giver(office), "P-1", changes=True)
    assert officer(office).account not in {one["by"] for one in uncleared}
    cleared = Journal(office.desk).extract(giver(office, *Clearance), "P-1", changes=True)
    assert officer(office).account in {one["by"] for one in cleared}
    office.close()
