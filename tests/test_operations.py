"""What the operator is told to do works as it is told, and what goes wrong is told of in a line."""

from __future__ import annotations

import os
import re
import shlex
import signal
import stat
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner, Result

from allocator import cli, doctor, operations
from allocator.audit.checkpoints import Kept, KeyFileError, Signer, make, make_key, read_signer, read_verifier
from allocator.audit.verify import verify_database
from allocator.casework.cases import Case
from allocator.casework.codes import CaseOrigin, ReservationReason, Role
from allocator.casework.housing import UnitReservation
from allocator.casework.offices import Account
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.casework.voice import Hearing
from allocator.ports import Reply
from allocator.service import housekeeping
from allocator.service.comments import MakeComment
from allocator.service.housekeeping import housekeep
from allocator.service.work import Work
from allocator.store.engine import Connections, connect
from tests.databases import BACKENDS, fresh, server
from tests.office import TODAY, Office, SetClock

PAGE = (Path(__file__).parent.parent / "docs" / "operations.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the blocks of the operator's page in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a place where an office can be set up, with the settings of the operator's page."""
    for directory in ("etc/allocator", "var/lib/allocator/checkpoints", "var/backups/allocator"):
        (tmp_path / directory).mkdir(parents=True)
    monkeypatch.setenv("ALLOCATOR_DATABASE", f"sqlite:///{tmp_path}/var/lib/allocator/office.db")
    monkeypatch.setenv("ALLOCATOR_CHECKPOINT_KEY", f"{tmp_path}/etc/allocator/checkpoint.key")
    monkeypatch.setenv("ALLOCATOR_CHECKPOINTS", f"{tmp_path}/var/lib/allocator/checkpoints")
    return tmp_path


@pytest.fixture
def keyed(place: Path) -> Path:
    """Return a place where there is a key already."""
    make_key(place / "etc/allocator/checkpoint.key", "test/allocator")
    return place


def run(*arguments: str) -> Result:
    """Return what the command says."""
    return CliRunner().invoke(cli.app, list(arguments))


def at(line: str, place: Path) -> list[str]:
    """Return the arguments of a line of the page, with its paths below a place."""
    return shlex.split(re.sub(r"(?<![\w.])/(?=(etc|var)/)", f"{place}/", line))[1:]


# -------------------------------------------------------------------------------------------- the page


def test_every_command_of_the_page_works(place: Path) -> None:
    """In the order of the page, each says what it did and ends with 0."""
    for line in (line for block in blocks("sh") for line in block.strip().splitlines()):
        result = run(*at(line, place))
        assert result.exit_code == 0, f"{line}: {result.output} {result.exception!r}"

    assert "Traceback" not in PAGE
    assert stat.S_IMODE((place / "var/lib/allocator/office.db").stat().st_mode) == 0o600
    assert len(list((place / "var/lib/allocator/checkpoints").iterdir())) == 1


def test_settings_of_the_page_are_those_that_are_read() -> None:
    """No setting is forgotten on the page, and none is made up."""
    sources = [path.read_text() for root in ("allocator", "api") for path in Path(root).rglob("*.py")]
    read = set(re.findall(r"\"(ALLOCATOR_[A-Z_]+)\"", "".join(sources)))
    assert set(re.findall(r"`(ALLOCATOR_[A-Z_]+)`", PAGE)) == read


def test_every_command_that_the_page_names_is_there() -> None:
    """Also those that stand in a sentence."""
    for command in set(re.findall(r"`allocator ((?:audit |account )?[a-z-]+)", PAGE)):
        assert run(*command.split(), "--help").exit_code == 0, command


def test_a_role_that_owns_nothing_can_do_all_of_the_work_and_nothing_else() -> None:
    """The service works with the rights that the page gives it, and cannot touch what guards the record."""
    first, then = blocks("sql")
    with psycopg.connect(server().url(), autocommit=True) as connection:
        for statement in first.strip().split(";")[:-1]:
            connection.execute(statement.encode())
    owner = server().url("allocator").replace("postgres@", "allocator_owner@")
    assert run("migrate", "--database", owner).exit_code == 0
    with psycopg.connect(owner) as connection:
        connection.execute(then.encode())

    connections = Connections(connect(owner.replace("owner", "service")))
    office = Office(connections=connections)
    office.house()
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    made = office.run(
        staff, "comments.make", MakeComment(about=Kind.UNIT, of="nordlia-1", text="Hei."), key="k"
    )
    assert made.stored.version == 1
    assert set(housekeep(office.desk).failed) == set()
    assert verify_database(connections).sound
    lines = {
        line.name: line
        for line in doctor.examine(doctor.Setup(owner.replace("owner", "service")), office.clock)
    }
    assert lines["role"].state is doctor.State.OK
    owned = {line.name: line for line in doctor.examine(doctor.Setup(owner), office.clock)}
    assert owned["role"].state is doctor.State.WARN
    for statement in (
        "alter table log disable trigger log_no_change",
        "drop trigger log_no_change on log",
        "create or replace function never_changed() returns trigger language sql as 'select 1'",
        "set session_replication_role = replica",
        "update log set body = ''",
        "delete from record_version",
        "truncate log_node",
        "drop table content",
        "insert into alembic_version values ('x')",
    ):
        with pytest.raises(DBAPIError), connections.write() as working:
            working.exec_driver_sql(statement)
    office.close()


# ----------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["audit", "verify", "--database", "mysql://x"], 2, "SQLite or PostgreSQL"),
        (["audit", "verify", "--database", "nonsense"], 2, "an address such as"),
        (["audit", "verify"], 2, "there is no file"),
        (["backup", "b.zip"], 2, "there is no file"),
        (["housekeep"], 2, "there is no file"),
        (["doctor"], 1, "run `allocator migrate`"),
        (["migrate", "--database", "sqlite:////nowhere/at/all.db"], 2, "there is no directory"),
        (["migrate", "--database", "postgresql://nobody@/none?host=/nowhere"], 1, "out of reach"),
        (["doctor", "--database", "postgresql://nobody:secret@/none?host=/nowhere"], 1, "does not answer"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(
    keyed: Path, arguments: list[str], code: int, told: str
) -> None:
    """No trace of the program's inside, and no password."""
    del keyed
    result = run(*arguments)
    assert (result.exit_code, "Traceback" in result.output) == (code, False)
    assert told in result.output
    assert "secret" not in result.output


def test_a_file_that_is_no_database_is_told_of(keyed: Path) -> None:
    """Damage is told of as damage."""
    path = keyed / "var/lib/allocator/office.db"
    path.write_bytes(b"not a database at all" * 100)
    for command in (["audit", "verify"], ["backup", str(keyed / "b.zip")], ["migrate"], ["doctor"]):
        result = run(*command)
        assert result.exit_code == 1, result.output
        assert isinstance(result.exception, SystemExit), command


def test_an_older_database_is_not_worked_with(keyed: Path) -> None:
    """Whoever has not migrated is told to."""
    (keyed / "var/lib/allocator/office.db").touch()
    for command in (["audit", "verify"], ["backup", str(keyed / "b.zip")], ["housekeep"]):
        result = run(*command)
        assert (result.exit_code, "allocator migrate" in result.output) == (1, True), result.output


def test_a_broken_record_ends_with_1(keyed: Path) -> None:
    """A script that verifies notices."""
    run("migrate")
    run("housekeep")
    connections = Connections(connect(os.environ["ALLOCATOR_DATABASE"]))
    with connections.write() as connection:
        connection.exec_driver_sql("drop trigger record_version_no_update")
        connection.exec_driver_sql("update record_version set reason = 'another'")
    connections.engine.dispose()

    result = run("audit", "verify")
    assert result.exit_code == 1
    assert "account system version 1" in result.output
    assert "guard" in result.output
    assert run("doctor").exit_code == 1
    backed_up = run("backup", str(keyed / "b.zip"))
    assert (backed_up.exit_code, (keyed / "b.zip").exists()) == (1, True)
    refused = run("restore", str(keyed / "b.zip"), "--database", f"sqlite:///{keyed}/new.db")
    assert (refused.exit_code, "nothing was restored" in refused.output) == (1, True)
    taken = run("restore", str(keyed / "b.zip"), "--unsound", "--database", f"sqlite:///{keyed}/new.db")
    assert taken.exit_code == 0


def test_without_a_key_it_is_said_loudly_what_that_means(
    keyed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody believes to be protected who is not."""
    del keyed
    monkeypatch.delenv("ALLOCATOR_CHECKPOINT_KEY")
    run("migrate")
    for command in (["audit", "verify"], ["audit", "checkpoint"], ["doctor"]):
        assert "can rewrite history unseen" in run(*command).output


# --------------------------------------------------------------------------------------- the doctor


def _looked(setup: doctor.Setup, clock: SetClock | None = None) -> dict[str, doctor.State]:
    worst: dict[str, doctor.State] = {}
    order = [doctor.State.OK, doctor.State.WARN, doctor.State.FAIL]
    for line in doctor.examine(setup, clock or SetClock()):
        worst[line.name] = max(worst.get(line.name, doctor.State.OK), line.state, key=order.index)
    return worst


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office with a house, on each kind of database."""
    address = fresh(request.param)
    made = Office(connections=Connections(connect(address)))
    made.house()
    made.address = address  # type: ignore[attr-defined]
    yield made
    made.close()


def _setup(office: Office, place: Path) -> doctor.Setup:
    (place / "kept").mkdir()
    make_key(place / "key", "test/allocator")
    return doctor.Setup(office.address, place / "key", place / "kept")  # type: ignore[attr-defined]


def test_the_doctor_finds_a_clock_that_is_behind(office: Office, tmp_path: Path) -> None:
    """An entry of the future means that the clock is wrong now, or was."""
    setup = _setup(office, tmp_path)
    assert _looked(setup, office.clock)["clock"] is not doctor.State.FAIL
    office.clock.to(TODAY - timedelta(days=1))
    assert _looked(setup, office.clock)["clock"] is doctor.State.FAIL


def test_the_doctor_finds_missing_guards_and_a_broken_end(office: Office, tmp_path: Path) -> None:
    """What verifying would find in the newest entries is seen at once."""
    setup = _setup(office, tmp_path)
    assert (_looked(setup)["guards"], _looked(setup)["log"]) == (doctor.State.OK, doctor.State.OK)
    with office.connections.write() as connection:
        connection.exec_driver_sql("drop index ix_record_hold_record")
        connection.exec_driver_sql("update log_head set size = size + 1")
    assert (_looked(setup)["guards"], _looked(setup)["log"]) == (doctor.State.FAIL, doctor.State.FAIL)


def test_the_doctor_finds_that_no_checkpoint_covers_what_is_older_than_an_hour(
    office: Office, tmp_path: Path
) -> None:
    """None yet: a warning. A fresh one: fine. An hour of work without one: a warning."""
    setup = _setup(office, tmp_path)
    signer = read_signer(tmp_path / "key")
    assert _looked(setup, office.clock)["checkpoint"] is doctor.State.WARN
    assert make(office.storage, signer, tmp_path / "kept", office.clock) is not None
    office.clock.moment += timedelta(hours=3)
    assert _looked(setup, office.clock)["checkpoint"] is doctor.State.OK
    office.house("tunet")
    assert _looked(setup, office.clock)["checkpoint"] is doctor.State.OK
    office.clock.moment += timedelta(minutes=61)
    assert _looked(setup, office.clock)["checkpoint"] is doctor.State.WARN


def test_the_doctor_finds_that_the_log_is_shorter_than_a_checkpoint(office: Office, tmp_path: Path) -> None:
    """Entries that were signed and are gone."""
    setup = _setup(office, tmp_path)
    other = Office()
    other.house()
    other.house("tunet", units=9)
    make(other.storage, read_signer(tmp_path / "key"), tmp_path / "kept", other.clock)
    other.close()
    assert _looked(setup)["checkpoint"] is doctor.State.FAIL


def test_the_doctor_finds_a_key_others_can_read_and_a_place_that_is_not_there(
    office: Office, tmp_path: Path
) -> None:
    """Settings are tried, not only read."""
    setup = _setup(office, tmp_path)
    (tmp_path / "key").chmod(0o644)
    assert _looked(setup)["key"] is doctor.State.FAIL
    (tmp_path / "kept").rmdir()
    assert _looked(setup)["checkpoints"] is doctor.State.FAIL


def test_the_doctor_warns_of_a_disk_that_fills_up(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below two gigabytes a warning, below a fifth of one a failure."""
    setup = _setup(office, tmp_path)
    for free, state in ((3 << 30, "ok"), (1 << 30, "warn"), (100 << 20, "fail")):
        monkeypatch.setattr("allocator.doctor._free_bytes", lambda _, free=free: free)
        assert _looked(setup)["disk of the checkpoints"] == state


@pytest.mark.parametrize(("number", "state"), [("3.40.1", "warn"), ("3.51.2", "warn"), ("3.51.3", "ok")])
def test_the_doctor_knows_the_versions_of_sqlite_that_lose_changes(number: str, state: str) -> None:
    """Both sides of the version that mended it."""
    assert doctor._sqlite_version(number).state == state


# ---------------------------------------------------------------------------------------- checkpoints


def test_a_key_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    """The public half says as much as is needed to verify."""
    signer = make_key(tmp_path / "key", "test/allocator")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert read_signer(tmp_path / "key") == signer
    assert read_verifier(tmp_path / "key.pub") == signer.verifier == read_verifier(tmp_path / "key")
    with pytest.raises(KeyFileError, match="never overwritten"):
        make_key(tmp_path / "key", "test/allocator")
    with pytest.raises(KeyFileError, match="not a secret key"):
        read_signer_of(tmp_path, signer.verifier.text)
    for name in ("", "two words", "a+b"):
        with pytest.raises(KeyFileError, match="a name without"):
            make_key(tmp_path / "other", name)


def read_signer_of(place: Path, content: str) -> Signer:
    """Return the key in a file of that content."""
    path = place / "some"
    path.write_text(content)
    path.chmod(0o600)
    return read_signer(path)


@pytest.mark.parametrize(
    "content", ["", "nonsense", "PRIVATE+KEY+a+b", "PRIVATE+KEY+a+b+!!", "PRIVATE+KEY+a+00000000+AAAA"]
)
def test_what_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    """A file of another sort, a cut one, and a key of another kind."""
    with pytest.raises(KeyFileError):
        read_signer_of(tmp_path, content)


def test_a_checkpoint_has_the_form_that_others_read(tmp_path: Path) -> None:
    """Origin, size, root; then the signature with the hash of name and key (C2SP signed-note)."""
    office = Office()
    office.house()
    signer = Signer("test/allocator", bytes(range(32)))
    made = make(office.storage, signer, tmp_path, office.clock)
    assert made is not None
    note = (tmp_path / f"{made.size:020}.checkpoint").read_text()
    origin, size, root, moment, empty, signature, end = note.split("\n")
    assert (origin, size, empty, end) == ("test/allocator", str(made.size), "", "")
    assert moment == f"at {made.at.isoformat()}"
    assert len(root) == 44
    assert signature.startswith("— test/allocator ")
    assert signer.verifier.opened(note.encode()) == made
    assert Signer("another", bytes(range(32))).verifier.opened(note.encode()) is None
    assert make(office.storage, signer, tmp_path, office.clock) is None
    office.house("tunet")
    assert make(office.storage, signer, tmp_path, office.clock) is not None
    assert [c is not None for _, c in Kept(tmp_path, signer.verifier).read()] == [True, True]
    office.close()


def test_the_service_signs_by_itself_while_it_runs_and_when_it_stops(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has to be remembered by anybody."""
    monkeypatch.setattr(operations, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert run("migrate").exit_code == 0
    make_key(place / "key", "test/allocator")
    connections = Connections(connect(os.environ["ALLOCATOR_DATABASE"]))
    office = Office(connections=connections)
    with operations.attended(connections, place / "key", place / "var/lib/allocator/checkpoints"):
        until = time.monotonic() + 20
        swept = False
        while not swept and time.monotonic() < until:
            time.sleep(0.05)
            with office.storage.read() as tx:
                swept = tx.get(Kind.ACCOUNT, "system") is not None
    assert swept
    kept = Kept(place / "var/lib/allocator/checkpoints", read_verifier(place / "key.pub"))
    report = verify_database(connections, kept)
    assert report.sound
    assert report.checkpoints >= 1
    office.close()


# --------------------------------------------------------------------------------------- housekeeping


def test_housekeeping_does_what_is_due_once_and_logs_it(office: Office) -> None:
    """A reservation that has run out is released by the account "system"; then nothing is left to do."""
    made = UnitReservation(
        unit="nordlia-1", scheme="nordlia", reason=ReservationReason.DECANT, owner="seed", until=TODAY
    )
    office.seed(made, "RE-1")

    assert housekeep(office.desk).done["release"] == 0
    office.clock.to(TODAY + timedelta(days=1))
    swept = housekeep(office.desk)
    again = housekeep(office.desk)

    assert (swept.done["release"], swept.failed) == (1, {})
    assert set(again.done.values()) == {0}
    released = office.now(UnitReservation, "RE-1")
    assert (released.body.released_on, released.by) == (TODAY + timedelta(days=1), "system")
    assert office.now(Account, "system").body.grants == ()
    assert office.log()[-1]["use"] == "housekeeping.release"
    assert verify_database(office.connections).sound


def test_housekeeping_reminds_of_a_hearing_once(office: Office) -> None:
    """Staff are reminded when the deadline is near, and not again the hour after."""
    office.seed(Person(), "P-1")
    office.seed(
        Case(person="P-1", origin=CaseOrigin.APPLICATION, received_on=TODAY, waiting_since=TODAY), "S-1"
    )
    hearing = Hearing(case="S-1", scheme="nordlia", sent_on=TODAY, deadline=TODAY + timedelta(days=1))
    office.seed(hearing, "HE-1")

    assert [housekeep(office.desk).done["remind"] for _ in range(2)] == [1, 0]
    assert office.now(Hearing, "HE-1").body.reminded_on == (TODAY,)
    assert office.now(Hearing, "HE-1").by == "system"


def test_a_step_that_fails_keeps_no_other_back(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is told by its kind alone, and nothing of that step is saved."""

    def fail(work: Work) -> int:
        work.create(Person(), "P-9")
        work.refuse("something-secret")

    steps = {**housekeeping._STEPS, "remind": fail}
    monkeypatch.setattr(housekeeping, "_STEPS", steps)
    swept = housekeep(office.desk)

    assert dict(swept.failed) == {"remind": "RefusalError"}
    assert set(swept.done) == set(steps) - {"remind"}
    with office.storage.read() as tx:
        assert tx.get(Kind.PERSON, "P-9") is None


def test_housekeeping_forgets_answers_after_a_month(office: Office) -> None:
    """On the thirtieth day a key still works; after it, it is forgotten, which is logged."""
    with office.storage.write() as tx:
        tx.remember("k", Reply("r", Kind.UNIT, "nordlia-1", 1), office.clock.now())
    housekeep(office.desk)
    office.clock.to(TODAY + timedelta(days=30))
    assert housekeep(office.desk).done["forget"] == 0
    office.clock.to(TODAY + timedelta(days=31))
    assert housekeep(office.desk).done["forget"] == 1
    assert office.log()[-1] == {
        "at": office.clock.now().isoformat(),
        "by": "system",
        "use": "housekeeping.forget",
        "outcome": "forgotten",
        "replies": 1,
    }
