"""A municipality in and out: what comes in is whole and fits, what goes out is what its reader may see."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case
from allocator.casework.codes import AddressProtection, Clearance, Purpose, Role
from allocator.casework.housing import Tenancy
from allocator.casework.people import Person
from allocator.casework.records import Kind, Link, Stored
from allocator.casework.snapshot import Register, build
from allocator.cli import app
from allocator.documents import DocumentError, read_case
from allocator.exchange import documents
from allocator.exchange.cases import records_of
from allocator.exchange.consistency import pointers
from allocator.exchange.entries import KINDS, Derived, Entry, Record
from allocator.model import Snapshot
from allocator.policy import Policy
from allocator.scoring import suggest
from allocator.service.errors import ForbiddenError
from allocator.service.exchange import Report, export_municipality, import_municipality
from allocator.store.engine import Connections, connect
from allocator.store.migrate import migrate
from tests.databases import BACKENDS
from tests.office import TODAY, Office

FIXTURES = Path(__file__).parent.parent / "fixtures"
CASES = sorted((FIXTURES / "cases").glob("*.json"))
DEMO = FIXTURES / "cases" / "demo-municipality.json"


@cache
def _policy() -> Policy:
    return Policy.from_toml((FIXTURES / "policies" / "default.toml").read_text(encoding="utf-8"))


@cache
def _case(path: Path) -> Snapshot:
    return read_case(path.read_bytes())


def register(records: Sequence[Record]) -> Register:
    """Return records as if they were stored."""
    moment = datetime.fromisoformat("2026-11-22T09:00:00+00:00")
    by_kind: dict[Kind, list[Any]] = {kind: [] for kind in KINDS}
    for kind, identifier, body in records:
        by_kind[kind].append(Stored(kind, identifier, 1, body, moment, "import", "import"))
    return Register(
        schemes=by_kind[Kind.SCHEME],
        units=by_kind[Kind.UNIT],
        people=by_kind[Kind.PERSON],
        tenancies=by_kind[Kind.TENANCY],
        reservations=by_kind[Kind.RESERVATION],
        cases=by_kind[Kind.CASE],
        conflicts=by_kind[Kind.CONFLICT],
        orders=by_kind[Kind.ORDER],
        vetoes=by_kind[Kind.VETO],
    )


def judged(case: Snapshot, applicant: str) -> list[tuple[Any, ...]]:
    """Return what the engine says of every unit for an applicant."""
    ranked = suggest(case, _policy(), applicant, "reference").ranked
    said = (entry.assessment for entry in ranked)
    return [(a.unit, a.verdict, a.score, a.findings) for a in said]


# ------------------------------------------------------------------------------------ a case as records


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_and_its_records_are_judged_alike(path: Path) -> None:
    """Verdicts, scores and findings of every applicant are the same after the way through the records."""
    case = _case(path)

    again = build(register(records_of(case, "import")), case.as_of)

    for applicant in case.applicants:
        assert judged(again, applicant.id) == judged(case, applicant.id)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_way_through_the_records_ends(path: Path) -> None:
    """A second time changes nothing: what was not told has been made up neither time."""
    case = _case(path)
    once = build(register(records_of(case, "import")), case.as_of)

    twice = build(register(records_of(once, "import")), case.as_of)

    assert twice.model_dump() == once.model_dump()


def units(*given: dict[str, Any]) -> Snapshot:
    """Return a case of one house with these units."""
    made = [{"id": f"u-{number}", **unit} for number, unit in enumerate(given, 1)]
    groups = [{"id": "g", "name": "G", "units": made}]
    residents = [{"id": "B", "unit": "u-1", "move_out": "2026-12-15"}]
    content = {
        "as_of": "2026-11-22",
        "schemes": [{"id": "h", "name": "Huset", "living_groups": groups}],
        "residents": residents if given[0]["status"] in ("occupied", "notice_given") else [],
    }
    return read_case(json.dumps(content).encode())


@pytest.mark.parametrize(
    ("unit", "status", "since", "free"),
    [
        ({"status": "vacant", "vacant_since": "2026-10-01"}, "vacant", "2026-10-01", None),
        ({"status": "vacant"}, "vacant", None, None),
        ({"status": "reserved"}, "reserved", None, None),
        ({"status": "under_repair"}, "under_repair", None, None),
        ({"status": "under_repair", "vacant_from": "2027-02-01"}, "under_repair", None, "2027-02-01"),
        ({"status": "out_of_service", "vacant_from": "2027-02-01"}, "out_of_service", None, "2027-02-01"),
        ({"status": "notice_given"}, "notice_given", None, "2026-12-16"),
        ({"status": "notice_given", "vacant_from": "2026-12-16"}, "notice_given", None, "2026-12-16"),
        ({"status": "notice_given", "vacant_from": "2027-01-10"}, "notice_given", None, "2027-01-10"),
    ],
)
def test_a_unit_stands_as_the_case_says(
    unit: dict[str, Any], status: str, since: str | None, free: str | None
) -> None:
    """Closures, reservations and notices are worked out so that the unit's status is what it was."""
    case = units(unit)

    again = build(register(records_of(case, "import")), case.as_of)

    (found,) = again.schemes[0].units
    assert found.status.value == status
    assert found.vacant_since == (None if since is None else date.fromisoformat(since))
    assert found.vacant_from == (None if free is None else date.fromisoformat(free))


def test_a_unit_lived_in_by_nobody_known_has_an_occupant_of_whom_nothing_is_recorded() -> None:
    """The resident has the unit's id, and is no applicant and no conflict's party."""
    case = units({"status": "vacant"}, {"status": "occupied"})

    records = {(kind, name): body for kind, name, body in records_of(case, "import")}

    assert records[Kind.PERSON, "u-2"] == Person()
    assert records[Kind.TENANCY, "L-u-2"] == Tenancy(person="u-2", unit="u-2", scheme="h")


def test_notice_without_a_day_is_refused() -> None:
    """A unit cannot be free some day that nobody has told."""
    case = units({"status": "vacant"}, {"status": "notice_given"})

    with pytest.raises(DocumentError) as refused:
        records_of(case, "import")

    assert refused.value.problems[0].path == "/schemes/0/living_groups/0/units/1"


def test_who_lives_in_a_scheme_and_applies_is_one_person() -> None:
    """The demo's applicant who lives in Strandgata is that resident, in the conflicts too."""
    records = {(kind, name): body for kind, name, body in records_of(_case(DEMO), "import")}

    case = records[Kind.CASE, "S-2026-111"]

    assert isinstance(case, Case)
    assert case.person == "B-15"
    assert (Kind.PERSON, "P-S-2026-111") not in records
    conflict: Any = records[Kind.CONFLICT, "K-01"]
    assert {conflict.entry.party, conflict.entry.counterpart} == {"P-S-2026-110", "B-03"}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_nothing_that_a_record_mentions_goes_unchecked(path: Path) -> None:
    """Where an import looks for ids is where the records say that they mention others."""
    for kind, _, body in records_of(_case(path), "import"):
        found = {Link(target, name) for _, target, name in pointers(kind, body)}
        assert found >= body.links()


# ------------------------------------------------------------------------------------------- documents


def demo_records() -> list[Record]:
    """Return the demo municipality's records."""
    return records_of(_case(DEMO), "import")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_records_come_back_from_a_document(path: Path) -> None:
    """What is written and read again is the same, byte for byte the second time."""
    records = records_of(_case(path), "import")

    written = documents.written(records)
    read = [entry.record for entry in documents.read(written, "import")]

    assert sorted(read, key=lambda r: (r.kind, r.id)) == sorted(records, key=lambda r: (r.kind, r.id))
    assert documents.written(read) == written


def test_a_case_is_read_as_a_municipality() -> None:
    """A document that is a case is known by its shape."""
    entries = documents.read(DEMO.read_bytes(), "import")

    assert [entry.record for entry in entries] == demo_records()


def house(**more: Any) -> dict[str, Any]:
    """Return a document of one house of two units, two residents and one case."""
    return {
        "format": "allocator-municipality",
        "version": 1,
        "schemes": [{"id": "h", "facts": {"name": "Huset"}, "groups": [{"id": "g", "name": "G"}]}],
        "units": [
            {"id": "u-1", "scheme": "h", "group": "g"},
            {"id": "u-2", "scheme": "h", "group": "g"},
        ],
        "people": [{"id": "A"}, {"id": "B"}],
        "tenancies": [{"id": "L-A", "person": "A", "unit": "u-1", "scheme": "h"}],
        "cases": [
            {"id": "S-B", "person": "B", "received_on": "2026-10-01", "waiting_since": "2026-10-01"},
        ],
        **more,
    }


def told(content: Any) -> list[tuple[str, str]]:
    """Return the faults of a document."""
    with pytest.raises(DocumentError) as refused:
        documents.read(json.dumps(content).encode(), "import")
    return [(problem.path, problem.expected) for problem in refused.value.problems]


KARI = {"name": "Kari Hemmelig"}


@pytest.mark.parametrize(
    ("content", "path", "expected"),
    [
        ([], "/format", "`allocator-municipality`, or a case"),
        ({"format": "something"}, "/format", "`allocator-municipality`, or a case"),
        (house(version=2), "/version", "1"),
        (house(complete=False), "/complete", "`true`"),
        (house(persons=[]), "", "only fields that the schema has"),
        (house(peopel=[]), "", "perhaps `people` was meant"),
        (house(people={}), "/people", "a list"),
        (house(people=[3]), "/people/0", "an object"),
        (house(people=[KARI]), "/people/0/id", "an id of 1 to 64"),
        (house(people=[{"id": "-"}]), "/people/0/id", "an id of 1 to 64"),
        (house(people=[{"id": "A", "version": 0}]), "/people/0/version", "a whole number from 1"),
        (house(people=[{"id": "A", "version": True}]), "/people/0/version", "a whole number from 1"),
        (house(people=[{"id": "A", "name": 3}]), "/people/0/name", "text"),
        (house(people=[{"id": "A", "nmae": "Kari"}]), "/people/0", "perhaps `name` was meant"),
        (house(people=[{"id": "A", "protection": "kode6"}]), "/people/0/protection", "one of: `ungraded`"),
        (
            house(people=[{"id": "A", "facts": {"gender": {"value": "woman"}}}]),
            "/people/0/facts/gender",
            "`source` for a fact whose status is `known`",
        ),
        (house(units=[{"id": "u-1", "scheme": "h"}]), "/units/0/group", "this field"),
        (
            house(tenancies=[{"id": "L", "person": "A", "unit": "u-1", "scheme": "h", "moved_in": "1.2.26"}]),
            "/tenancies/0/moved_in",
            "a date written as YYYY-MM-DD",
        ),
    ],
)
def test_a_document_is_refused_at_the_place_of_its_fault(content: Any, path: str, expected: str) -> None:
    """Each fault has its place and what is expected there."""
    faults = told(content)

    assert [place for place, _ in faults] == [path]
    assert expected in faults[0][1]


def test_all_faults_are_told_and_none_repeats_what_stands_there() -> None:
    """Whoever mends a document sees everything at once; the answer may be logged."""
    people = [{"id": f"P-{n}", "name": 7, "Hemmelig": 1, "protection": "Hemmelig"} for n in range(3)]

    faults = told(house(people=people, schemes=[{"id": "Hemmelig!"}]))

    assert len(faults) == 3 * 3 + 2
    assert "Hemmelig" not in str(faults)


def test_a_document_with_very_many_faults_is_mended_in_steps() -> None:
    """No more than a thousand are told, and that there may be more."""
    faults = told(house(people=[{"id": f"P-{n}", "name": 7} for n in range(1200)]))

    assert len(faults) == 1001
    assert faults[-1][0] == ""


# --------------------------------------------------------------------------------------------- storage


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An empty office, on each kind of database."""
    made = Office(request.param)
    yield made
    made.close()


def importer(office: Office) -> Actor:
    """Return somebody who may import everything."""
    return office.somebody(Role.ADMINISTRATOR, cleared=tuple(Clearance), login="import")


def read(content: Any) -> list[Entry]:
    """Return the records of a document."""
    return documents.read(json.dumps(content).encode(), "import")


def bring_in(office: Office, content: Any, *, dry_run: bool = False) -> Report:
    """Import a document."""
    return import_municipality(office.desk, importer(office), read(content), dry_run=dry_run)


def refused(office: Office, content: Any) -> list[tuple[str, str]]:
    """Return why a document is not imported, having seen that nothing was."""
    actor, size = importer(office), len(office.log())
    with pytest.raises(DocumentError) as error:
        import_municipality(office.desk, actor, read(content))
    assert len(office.log()) == size
    return [(problem.path, problem.expected) for problem in error.value.problems]


def test_a_municipality_comes_in_once(office: Office) -> None:
    """The first time all is added, the second nothing changes; each record has its entry in the log."""
    entries = [Entry(record, Derived(record.kind, record.id)) for record in demo_records()]
    actor = importer(office)
    before = len(office.log())

    first = import_municipality(office.desk, actor, entries)
    log = office.log()[before:]
    again = import_municipality(office.desk, actor, entries)

    assert sum(first.added.values()) == len(entries)
    assert again.same == first.added
    assert [entry["outcome"] for entry in log] == ["done"] * len(entries) + ["imported"]
    assert log[-1]["counts"]["person"] == 33 + 11 - 1
    assert office.log()[-1]["counts"] == log[-1]["counts"]
    assert office.log()[-1]["added"] == 0
    assert office.now(Case, "S-2026-111").body.person == "B-15"


def test_a_dry_run_counts_and_changes_nothing(office: Office) -> None:
    """What would be added, changed and left is told, and that somebody tried is logged."""
    bring_in(office, house())
    size = len(office.log())
    changed = house(people=[{"id": "A", "language": "samisk"}, {"id": "B"}, {"id": "C"}])

    report = bring_in(office, changed, dry_run=True)

    assert (report.added[Kind.PERSON], report.changed[Kind.PERSON], report.same[Kind.PERSON]) == (1, 1, 1)
    assert [(change.place, change.fields) for change in report.changes] == [("/people/0", ("language",))]
    assert office.now(Person, "A").version == 1
    assert [entry["outcome"] for entry in office.log()[size:]] == ["tried"]


def test_what_differs_becomes_a_new_version(office: Office) -> None:
    """Only the record that differs, and its history stays."""
    bring_in(office, house())

    report = bring_in(office, house(people=[{"id": "A", "language": "samisk"}, {"id": "B"}]))

    assert sum(report.changed.values()) == 1
    assert office.now(Person, "A").version == 2
    assert office.now(Person, "B").version == 1


def test_a_record_that_was_changed_since_it_was_exported_is_not_overwritten(office: Office) -> None:
    """The version in the document must be the stored one, if anything differs."""
    bring_in(office, house())
    office.seed(Person(language="samisk"), "A", version=2)

    stale = house(people=[{"id": "A", "version": 1, "language": "urdu"}, {"id": "B", "version": 1}])
    found = refused(office, stale)
    same = bring_in(office, house(people=[{"id": "A", "version": 1, "language": "samisk"}, {"id": "B"}]))

    assert [place for place, _ in found] == ["/people/0/version"]
    assert sum(same.changed.values()) == 0


HOME = {"id": "L-B", "person": "B", "unit": "u-2", "scheme": "h"}
LIVES = {"id": "L-A", "person": "A", "unit": "u-1", "scheme": "h"}
WAITS = {"id": "S-B", "person": "B", "received_on": "2026-10-01", "waiting_since": "2026-10-01"}
VETO = {
    "id": "I",
    "scheme": "h",
    "author": "x",
    "entry": {
        "applicant": "S-B",
        "scheme": "h",
        "ground": "staff_safety",
        "fact": {"observed_on": "2026-10-01", "source": "staff", "text": "Oppdiktet."},
        "author_role": "scheme_leader",
        "raised_on": "2026-10-02",
        "valid_until": "2027-01-01",
    },
}
CONFLICT = {
    "id": "K",
    "explanation": "Oppdiktet.",
    "author": "x",
    "review_by": "2027-01-01",
    "entry": {
        "party": "A",
        "counterpart": "B",
        "kind": "enemy",
        "direction": "mutual",
        "status": "active",
        "source": "staff",
        "recorded_on": "2026-10-02",
    },
}


def with_entry(record: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return an objection or a conflict with some fields of its entry changed."""
    kept = {key: value for key, value in record["entry"].items() if more.get(key, ...) is not None}
    return {**record, "entry": kept | {key: value for key, value in more.items() if value is not None}}


OTHER = {"id": "h-2", "facts": {"name": "Nr. 2"}, "groups": [{"id": "g-2", "name": "G"}]}
SCHEME = house()["schemes"][0]


@pytest.mark.parametrize(
    ("content", "path", "expected"),
    [
        (house(people=[{"id": "A"}, {"id": "B"}, {"id": "A"}]), "/people/2/id", "/people/0 has the same"),
        (house(people=[{"id": "B"}]), "/tenancies/0/person", "the id of a person that is here or stored"),
        (house(tenancies=[LIVES, {**HOME, "person": "A"}]), "/tenancies/1/person", "lives in one place"),
        (house(tenancies=[LIVES, {**HOME, "unit": "u-1"}]), "/tenancies/1/unit", "nobody else lives"),
        (house(tenancies=[{**LIVES, "unit": "u-9"}]), "/tenancies/0/unit", "the id of a unit"),
        (
            house(tenancies=[LIVES, {**HOME, "shares": "L-A"}]),
            "/tenancies/1/shares",
            "the tenancy of whom they live with",
        ),
        (house(schemes=[SCHEME, OTHER], tenancies=[{**LIVES, "scheme": "h-2"}]), "/tenancies/0/scheme", "of"),
        (house(tenancies=[{**LIVES, "decision": "V-1"}]), "/tenancies/0/decision", "stored, or nothing"),
        (house(cases=[WAITS, {**WAITS, "id": "S-2"}]), "/cases/1/person", "a person with one open case"),
        (house(cases=[{**WAITS, "barred": ["nobody"]}]), "/cases/0/barred", "the id of a account"),
        (house(cases=[{**WAITS, "received_on": "2026-11-24"}]), "/cases/0/received_on", "not in the future"),
        (
            house(
                cases=[
                    {
                        **WAITS,
                        "wishes": {
                            "obtained_on": "2026-10-01",
                            "preferred": [{"scheme": "h", "rank": 1}, {"scheme": "x", "rank": 2}],
                        },
                    }
                ]
            ),
            "/cases/0/wishes/preferred/1/scheme",
            "the id of a scheme",
        ),
        (
            house(units=[{"id": "u-1", "scheme": "h", "group": "x"}]),
            "/units/0/group",
            "a living group of that",
        ),
        (
            house(schemes=[{**SCHEME, "groups": [*SCHEME["groups"], {"id": "u-1", "name": "-"}]}]),
            "/units/0/id",
            "an id of its own",
        ),
        (house(conflicts=[with_entry(CONFLICT, party="X")]), "/conflicts/0/entry/party", "a person"),
        (house(vetoes=[with_entry(VETO, applicant="X")]), "/vetoes/0/entry/applicant", "a case"),
        (
            house(vetoes=[with_entry(VETO, scheme=None, living_group="x")]),
            "/vetoes/0/entry/living_group",
            "of",
        ),
        (house(vetoes=[with_entry(VETO, raised_on="2026-11-24")]), "/vetoes/0/entry/raised_on", "future"),
        (
            house(
                people=[
                    {"id": "A"},
                    {
                        "id": "B",
                        "facts": {
                            "birth_date": {
                                "value": "2008-11-24",
                                "source": "applicant",
                                "recorded_on": "2026-10-01",
                            }
                        },
                    },
                ]
            ),
            "/people/1/facts/birth_date/value",
            "18 years",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(content: Any, path: str, expected: str) -> None:
    """The fault is told at its place and nothing is stored."""
    office = Office()
    found = refused(office, content)

    assert [place for place, _ in found][-1] == path
    assert expected in found[-1][1]
    office.close()


def test_somebody_of_eighteen_on_the_day_is_an_adult() -> None:
    """The boundary's other side; and what was told today is not of the future."""
    office = Office()
    born = {"value": "2008-11-23", "source": "applicant", "recorded_on": TODAY.isoformat()}

    bring_in(office, house(people=[{"id": "A"}, {"id": "B", "facts": {"birth_date": born}}]))

    assert office.now(Person, "B").version == 1
    office.close()


def test_what_is_stored_counts_too(office: Office) -> None:
    """Somebody stored lives in the unit; and a stored resident's unit cannot go to another scheme."""
    bring_in(office, house())
    more = {"format": "allocator-municipality", "version": 1}

    taken = refused(
        office,
        {
            **more,
            "people": [{"id": "C"}],
            "tenancies": [{"id": "L-C", "person": "C", "unit": "u-1", "scheme": "h"}],
        },
    )
    moved = refused(
        office, {**more, "schemes": [OTHER], "units": [{"id": "u-1", "scheme": "h-2", "group": "g-2"}]}
    )

    assert taken == [
        (
            "/tenancies/0/unit",
            (
                "a unit where nobody else lives, or `shares` for those who live together; "
                "a stored one has it already"
            ),
        ),
    ]
    assert [place for place, _ in moved] == ["/units/0"]


def test_somebody_moves_out_and_another_in_with_one_import(office: Office) -> None:
    """What lets go of a unit is saved before what takes it."""
    bring_in(office, house())
    gone = {**LIVES, "moved_out": "2026-11-01", "end_reason": "own_home"}

    bring_in(office, house(tenancies=[{**HOME, "unit": "u-1"}, gone]))

    assert office.now(Tenancy, "L-B").body.unit == "u-1"


def test_two_who_exchange_homes_need_two_imports(office: Office) -> None:
    """It is refused whole, with what to do instead."""
    bring_in(office, house(tenancies=[LIVES, HOME]))

    found = refused(office, house(tenancies=[{**LIVES, "unit": "u-2"}, {**HOME, "unit": "u-1"}]))

    assert "do it in two" in found[0][1]
    assert office.now(Tenancy, "L-A").version == 1


@pytest.mark.parametrize(
    ("role", "cleared"),
    [
        (Role.CASEWORKER, tuple(Clearance)),
        (Role.PROPERTY_MANAGER, tuple(Clearance)),
        (Role.ADMINISTRATOR, ()),
        (Role.ADMINISTRATOR, (Clearance.CONFLICTS,)),
    ],
)
def test_others_import_nothing(office: Office, role: Role, cleared: tuple[Clearance, ...]) -> None:
    """It needs a role that imports and the clearance for kode 6; in vain is logged too."""
    actor = office.somebody(role, cleared=cleared)

    with pytest.raises(ForbiddenError):
        import_municipality(office.desk, actor, read(house()))

    assert office.log()[-1]["outcome"] == "denied"
    assert office.desk.page(office.somebody(Role.CASEWORKER), Kind.PERSON).items == ()


def test_conflicts_are_imported_by_the_cleared(office: Office) -> None:
    """Without the clearance for conflicts everything else may be imported."""
    actor = office.somebody(Role.ADMINISTRATOR, cleared=(Clearance.KODE_6,))

    import_municipality(office.desk, actor, read(house()))
    with pytest.raises(ForbiddenError):
        import_municipality(office.desk, actor, read(house(conflicts=[CONFLICT])))


# ----------------------------------------------------------------------------------------------- export


def exporter(office: Office, *roles: Role, cleared: Sequence[Clearance] = ()) -> Actor:
    """Return somebody who works with cases and exports, and may have more roles."""
    wanted = (Role.CASEWORKER, *roles)
    grants = tuple(grant for role in wanted for grant in office.somebody(role).grants)
    return Actor("ut", grants, frozenset(cleared), Purpose.CASEWORK)


def everything(office: Office) -> Actor:
    """Return somebody who sees every field."""
    more = (Role.CONFLICT_OFFICER, Role.COMMITTEE_SECRETARY)
    return exporter(office, *more, cleared=tuple(Clearance))


def test_what_goes_out_whole_comes_in_the_same(office: Office) -> None:
    """Whoever sees everything exports a document that changes nothing when it is imported."""
    entries = [Entry(record, Derived(record.kind, record.id)) for record in demo_records()]
    import_municipality(office.desk, importer(office), entries)

    export = export_municipality(office.desk, everything(office))
    document = documents.write(export.items, complete=export.complete)
    report = import_municipality(office.desk, importer(office), documents.read(document, "import"))

    assert export.complete
    assert sum(report.same.values()) == len(entries)


def test_an_export_is_redacted_and_then_not_imported(office: Office) -> None:
    """Without clearances there are no conflicts in it, and nobody can take it for the whole."""
    bring_in(office, house(conflicts=[CONFLICT]))

    export = export_municipality(office.desk, exporter(office))
    document = documents.write(export.items, complete=export.complete)

    assert Kind.CONFLICT not in export.items
    with pytest.raises(DocumentError):
        documents.read(document, "import")


def test_kode_6_goes_out_to_the_cleared_alone(office: Office) -> None:
    """For others the document is as if the person were not there."""
    protected = AddressProtection.STRICTLY_CONFIDENTIAL.value
    people = [{"id": "A", "protection": protected}, {"id": "B"}]
    bring_in(office, house(people=people))

    seen = export_municipality(office.desk, everything(office))
    unseen = export_municipality(office.desk, exporter(office))

    assert {item["id"] for item in seen.items[Kind.PERSON]} == {"A", "B"}
    assert {item["id"] for item in unseen.items[Kind.PERSON]} == {"B"}
    assert Kind.TENANCY not in unseen.items


def test_an_export_is_logged_with_whom_it_was_about_and_how_many(office: Office) -> None:
    """Each look at a person, and the whole with kinds and numbers."""
    bring_in(office, house())
    size = len(office.log())

    export_municipality(office.desk, exporter(office))

    log = office.log()[size:]
    looks = [entry for entry in log if "people" in entry]
    assert {person for entry in looks for person in entry["people"]} == {"A", "B"}
    assert log[-1]["counts"] == {"scheme": 1, "unit": 2, "person": 2, "tenancy": 1, "case": 1}
    assert (log[-1]["use"], log[-1]["by"], log[-1]["purpose"]) == ("municipality.export", "ut", "casework")


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.COMMITTEE_MEMBER, Role.AUDITOR])
def test_others_export_nothing(office: Office, role: Role) -> None:
    """It needs a role that exports; in vain is logged too."""
    with pytest.raises(ForbiddenError):
        export_municipality(office.desk, office.somebody(role))

    assert office.log()[-1]["outcome"] == "denied"


def test_an_export_needs_a_purpose(office: Office) -> None:
    """Whoever does not say why exports nothing."""
    with pytest.raises(ForbiddenError):
        export_municipality(office.desk, office.somebody(Role.CASEWORKER, purpose=None))


# --------------------------------------------------------------------------------------------- commands


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory with a database in which somebody may import and export, on the office's day."""
    office = Office(connections=Connections(connect(f"sqlite:///{tmp_path}/a.db")))
    migrate(office.connections)
    importer(office)
    office.somebody(Role.CASEWORKER, login="ut")
    monkeypatch.setattr("allocator.clock.SystemClock", lambda: office.clock)
    monkeypatch.setenv("ALLOCATOR_DATABASE", f"sqlite:///{tmp_path}/a.db")
    yield tmp_path
    office.close()


def command(*arguments: str) -> tuple[int, str, str]:
    """Run the command, and return its exit code and what it printed."""
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("suffix", ["json", "xlsx"])
def test_the_commands_bring_in_and_take_out(place: Path, suffix: str) -> None:
    """A case comes in, after a dry run, and goes out as a file that only its owner can read."""
    out = place / f"ut.{suffix}"

    tried = command("import", str(DEMO), "--as", "import", "--dry-run")
    done = command("import", str(DEMO), "--as", "IMPORT")
    again = command("import", str(DEMO), "--as", "import")
    taken = command("export", str(out), "--as", "ut", "--purpose", "control")

    assert (tried[0], done[0], again[0], taken[0]) == (0, 0, 0, 0), (tried, done, again, taken)
    assert "people: 43 would be added, 0 would be changed, 0 the same" in tried[1]
    assert "people: 43 added, 0 changed, 0 the same" in done[1]
    assert "people: 0 added, 0 changed, 43 the same" in again[1]
    assert "cannot be imported" in taken[1]
    assert out.stat().st_mode & 0o077 == 0
    assert command("import", str(out), "--as", "import")[0] == 2


def test_the_template_is_imported_when_it_is_filled_in(place: Path) -> None:
    """The empty spreadsheet has every column; what is typed into it is stored."""
    path = place / "mal.xlsx"

    code, *_ = command("import", "--template", str(path))
    book = load_workbook(path)
    book["people"]["A3"], book["people"]["C3"] = "P-1", "Kari Oppdiktet"
    book.save(path)
    done = command("import", str(path), "--as", "import")

    assert code == 0
    assert done[1] == "people: 1 added, 0 changed, 0 the same\n"
    assert command("import", "--template", str(path))[0] == 2


def test_the_commands_say_what_is_wrong(place: Path) -> None:
    """Every fault by its place, and nothing of what stands there."""
    path = place / "inn.json"
    path.write_text(json.dumps(house(people=[{"id": "A", "name": 7}, {"id": "B", "protection": "Hemmelig"}])))

    code, _, told_ = command("import", str(path), "--as", "import")

    assert code == 2
    assert "/people/0/name: expected text" in told_
    assert "/people/1/protection: expected one of:" in told_
    assert "Hemmelig" not in told_


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("import",), 2, "expected FILE, --database and --as"),
        (("import", "nowhere.json", "--as", "import"), 2, "a file that can be read"),
        (("import", str(DEMO), "--as", "nobody"), 2, "--as: expected a name that somebody logs in with"),
        (("import", str(DEMO), "--as", "ut"), 1, "may not import"),
        (("export", "ut.txt", "--as", "ut", "--purpose", "control"), 2, "ends in .json or .xlsx"),
        (("export", str(DEMO), "--as", "ut", "--purpose", "control"), 2, "expected a new file"),
        (("export", "ut.json", "--as", "import", "--purpose", "control"), 1, "may not export"),
        (("export", "nowhere/ut.json", "--as", "ut", "--purpose", "control"), 2, "can be written"),
    ],
)
def test_the_commands_refuse(
    place: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """What cannot be done is told, with the exit code of its kind."""
    monkeypatch.chdir(place)

    found, _, errors = command(*arguments)

    assert found == code
    assert said in errors
