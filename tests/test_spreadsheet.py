"""A municipality as a spreadsheet: what is written is read again, and what people do to sheets is caught."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from allocator.casework.bodies import COLLECTIONS
from allocator.casework.cases import Case, Closing, NearWish
from allocator.casework.codes import (
    AddressProtection,
    CaseState,
    ClosureKind,
    DecisionType,
    EndReason,
    RepresentativeKind,
)
from allocator.casework.housing import Absence, Agreement, Closure, Group, Notice, Scheme, Tenancy, Unit
from allocator.casework.people import Person, Representative
from allocator.casework.records import Kind
from allocator.codes import AgreementForm
from allocator.documents import DocumentError, read_case
from allocator.exchange import documents, spreadsheets
from allocator.exchange.cases import records_of
from allocator.exchange.cells import CellError, read_cell, written_cell
from allocator.exchange.columns import Column, Shape, column_of, columns
from allocator.exchange.entries import KINDS, Record
from allocator.exchange.headings import explanation, heading, sheet_title
from allocator.model import Evidence, SchemeFacts, Wish, Wishes
from allocator.model import Reservation as Forbehold
from tests.strategies import people as facts_of_people
from tests.strategies import snapshots

CASES = sorted((Path(__file__).parent.parent / "fixtures" / "cases").glob("d*.json"))
DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 31))
IDS = st.from_regex(r"[A-Za-zÆØÅæøå0-9][\w.:-]{0,20}", fullmatch=True).filter(lambda text: text.isprintable())
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40) | st.sampled_from(
    [
        "=1+1",
        "+47 900 00 000",
        "-5",
        "@a",
        " for ",
        "\t",
        '"',
        '"a"',
        "_x000D_",
        "_x005F_",
        "a\r\nb",
        "x005F_",
        "",
    ]
)
NAMES = TEXTS.filter(bool)


def in_order(records: Any) -> list[Record]:
    """Return records by kind and id."""
    return sorted(records, key=lambda record: (record.kind, record.id))


def through(records: list[Record]) -> list[Record]:
    """Return records as they come out of the workbook they are written to."""
    return in_order(entry.record for entry in spreadsheets.read(spreadsheets.written(records)))


# ----------------------------------------------------------------------------------------- there and back


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_records_come_back_from_a_workbook(path: Path) -> None:
    """Every record of every case is the same after it."""
    records = records_of(read_case(path.read_bytes()), "import")

    assert through(records) == in_order(records)


@settings(max_examples=15)
@given(snapshots())
def test_any_municipality_comes_back_from_both_forms(case: Any) -> None:
    """The document and the workbook tell the same records."""
    try:
        records = records_of(case, "import")
    except DocumentError:
        return

    document = documents.read(documents.written(records), "import")

    assert in_order(entry.record for entry in document) == in_order(records)
    assert through(records) == in_order(records)


@st.composite
def persons(draw: st.DrawFn) -> Person:
    """Draw a person of whom anything may be known."""
    plain = draw(facts_of_people())
    body = Person(
        name=draw(st.none() | NAMES),
        protection=draw(st.sampled_from(AddressProtection)),
        contact=draw(st.none() | TEXTS),
        language=draw(st.none() | NAMES),
        interpreter=draw(st.none() | st.booleans()),
        representatives=tuple(
            draw(
                st.lists(
                    st.builds(
                        Representative, name=NAMES, kind=st.sampled_from(RepresentativeKind), since=DAYS
                    ),
                    max_size=3,
                )
            )
        ),
    )
    return body.model_copy(update={"facts": body.facts.model_copy(update=plain)})


WISHES = st.builds(
    Wishes,
    obtained_on=DAYS,
    preferred=st.lists(st.builds(Wish, scheme=IDS, rank=st.integers(1, 100)), max_size=3).map(tuple),
    reservations=st.lists(st.builds(Forbehold, scheme=IDS, reason=st.none() | TEXTS), max_size=3).map(tuple),
    comment=st.none() | TEXTS,
)
BODIES = st.one_of(
    persons(),
    st.builds(
        Scheme,
        facts=st.builds(
            SchemeFacts,
            name=NAMES,
            offer_complete=st.booleans(),
            target_groups=st.just(frozenset()) | st.none(),
            evidence=st.dictionaries(NAMES, st.builds(Evidence, source=NAMES, section=NAMES), max_size=2),
        ),
        groups=st.lists(st.builds(Group, id=IDS, name=NAMES), max_size=4).map(tuple),
    ),
    st.builds(
        Unit,
        scheme=IDS,
        group=IDS,
        first_ready_on=st.none() | DAYS,
        closure=st.none() | st.builds(Closure, kind=st.sampled_from(ClosureKind), since=DAYS, reason=TEXTS),
    ),
    st.builds(
        Tenancy,
        person=IDS,
        unit=IDS,
        scheme=IDS,
        agreements=st.lists(
            st.builds(
                Agreement,
                form=st.sampled_from(AgreementForm),
                signed_on=DAYS,
                starts_on=DAYS,
                letter_signed=st.none() | st.booleans(),
                exception_ground=st.none() | TEXTS,
            ),
            max_size=3,
        ).map(tuple),
        notice=st.none() | st.builds(Notice, move_out=DAYS, by_resident=st.none() | st.booleans()),
        absence=st.none() | st.builds(Absence, since=DAYS),
        moved_out=st.just(date(2026, 1, 1)),
        end_reason=st.sampled_from(EndReason),
    ),
    st.builds(
        Case,
        person=IDS,
        state=st.sampled_from(CaseState),
        received_on=DAYS,
        waiting_since=DAYS,
        decision_types=st.frozensets(st.sampled_from(DecisionType)),
        wishes=st.none() | WISHES,
        near=st.none() | st.builds(NearWish, person=IDS, consents=st.none() | st.booleans()),
        barred=st.frozensets(IDS, max_size=3),
        closing=st.none() | st.builds(Closing, on=DAYS, reason=TEXTS),
    ),
)


@settings(max_examples=30)
@given(st.lists(BODIES, max_size=12))
def test_any_records_come_back_from_both_forms(bodies: list[Any]) -> None:
    """Whatever the texts, lists and gaps of a record are, they are the same after it."""
    records = [Record(body.kind, f"r-{number}", body) for number, body in enumerate(bodies)]

    document = documents.read(documents.written(records), "import")

    assert in_order(entry.record for entry in document) == in_order(records)
    assert through(records) == in_order(records)


# --------------------------------------------------------------------------------------------- the sheets


def opened(data: bytes) -> Workbook:
    """Return a workbook as a spreadsheet program would have it."""
    return load_workbook(io.BytesIO(data))


def test_every_column_has_a_heading_and_an_explanation() -> None:
    """No field of a record is without words in bokmål."""
    for kind in KINDS:
        assert sheet_title(kind)
        for column in columns(kind):
            found = column_of(kind, column.name)
            assert found is not None
            assert found[0] == column
            assert heading(kind, column, found[1])
            assert explanation(column)


def test_the_headings_of_a_sheet_differ() -> None:
    """Two columns of one sheet never look alike to a reader."""
    for kind in KINDS:
        said = [heading(kind, c, (column_of(kind, c.name) or (c, ()))[1]) for c in columns(kind)]
        assert sorted(said) == sorted(set(said)), kind


def test_the_template_offers_codes_and_explains_itself() -> None:
    """It has a sheet for each kind, frozen rows, comments, and lists to choose from; it reads as empty."""
    book = opened(spreadsheets.template())

    people = book["people"]
    assert book.sheetnames == ["about", *(COLLECTIONS[kind] for kind in KINDS), "codes"]
    assert people.freeze_panes == "B3"
    assert people["A1"].value == "id"
    assert people["A2"].value == "Id"
    assert all(cell.comment is not None for cell in people[2])
    offered = {v.formula1 for v in people.data_validations.dataValidation}
    assert '"ja,nei"' in offered
    (protection,) = (v for v in people.data_validations.dataValidation if str(v.sqref).startswith("D3:"))
    sheet, place = protection.formula1.split("!")
    listed = [row[0].value for row in book[sheet][place.replace("$", "")]]
    assert listed == list(AddressProtection)
    assert spreadsheets.read(spreadsheets.template()) == []


@pytest.mark.parametrize("text", ["=1+1", '=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_text_that_looks_like_a_formula_stays_text(text: str) -> None:
    """It is written as text, marked as typed with an apostrophe before it, and read again as it was."""
    data = spreadsheets.written([Record(Kind.PERSON, "A", Person(contact=text))])

    sheet = opened(data)["people"]
    (column,) = (cell.column_letter for cell in sheet[1] if cell.value == "contact")
    cell = sheet[f"{column}3"]
    assert cell.data_type == "s"
    assert cell.quotePrefix or not str(cell.value).startswith(("=", "+", "-", "@"))
    (entry,) = spreadsheets.read(data)
    assert entry.record.body == Person(contact=text)


def test_a_text_too_long_for_a_cell_is_told_before_it_is_written() -> None:
    """Published evidence may be long; the document has room for it."""
    note = "æ" * 4000
    evidence = {f"a{n}": Evidence(source="s", section="s", note=note) for n in range(10)}
    record = Record(Kind.SCHEME, "h", Scheme(facts=SchemeFacts(name="H", evidence=evidence)))

    with pytest.raises(DocumentError) as refused:
        spreadsheets.written([record])

    assert refused.value.problems[0].path.startswith("schemes, row 3, column ")
    assert documents.read(documents.written([record]), "import")[0].record == record


# ---------------------------------------------------------------------------------- what people do to them


MIDNIGHT = datetime.fromisoformat("2026-05-17T00:00:00")
NOON = datetime.fromisoformat("2026-05-17T12:00:00")
"""Spreadsheets know no zones."""

HEAD = ["id", "name", "protection", "interpreter", "facts.birth_date.value", "facts.birth_date.source",
        "facts.birth_date.recorded_on", "facts.needs.needs", "representatives.1.name"]  # fmt: skip


def a_book(change: Callable[[Workbook, Worksheet], None] = lambda _book, _sheet: None) -> bytes:
    """Return a workbook with one person, after something was done to it."""
    book = Workbook()
    about = book.active
    assert about is not None
    about.title = "about"
    for line in (["format", "allocator-municipality"], ["version", 1], ["complete", "ja"]):
        about.append(line)
    sheet = book.create_sheet("people")
    sheet.append(HEAD)
    sheet.append(["A", "Kari Hemmelig"])
    change(book, sheet)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def told(data: bytes) -> list[tuple[str, str]]:
    """Return the faults of a workbook."""
    with pytest.raises(DocumentError) as refused:
        spreadsheets.read(data)
    assert "Hemmelig" not in str(refused.value)
    return [(problem.path, problem.expected) for problem in refused.value.problems]


def put(cell: str, value: Any) -> bytes:
    """Return the workbook with one cell changed."""

    def change(_book: Workbook, sheet: Worksheet) -> None:
        sheet[cell] = value

    return a_book(change)


@pytest.mark.parametrize(
    ("cell", "value", "place", "expected"),
    [
        ("B2", "=1+1", "people, row 2, column B (name)", "a value, not a formula"),
        ("B2", "#REF!", "people, row 2, column B (name)", "an error in the cell"),
        ("B2", 1.5, "people, row 2, column B (name)", "text"),
        ("B2", 10**15, "people, row 2, column B (name)", "text"),
        ("A2", "A B", "people, row 2, column A (id)", "an id of 1 to 64"),
        ("A2", None, "people, row 2, column A (id)", "an id of 1 to 64"),
        ("C2", "kode 6", "people, row 2, column C (protection)", "one of: `ungraded`"),
        ("C2", 6, "people, row 2, column C (protection)", "one of: `ungraded`"),
        ("D2", "kanskje", "people, row 2, column D (interpreter)", "`ja` or `nei`"),
        ("D2", 2, "people, row 2, column D (interpreter)", "`ja` or `nei`"),
        ("E2", "17. mai", "people, row 2, column E (facts.birth_date.value)", "a date"),
        ("E2", 27898, "people, row 2, column E (facts.birth_date.value)", "a date"),
        ("E2", NOON, "people, row 2, column E (facts.birth_date.value)", "time of day"),
        ("E2", "2026-02-30", "people, row 2, column E (facts.birth_date.value)", "a date that exists"),
        ("E2", date(1976, 5, 17), "people, row 2 (facts.birth_date)", "`source` for a fact"),
        ("H2", "lift, heis", "people, row 2, column H (facts.needs.needs)", "some of these"),
        ("I2", "Verge", "people, row 2 (representatives.1.kind)", "this field"),
        ("B1", "nmae", "people, row 1, column B", "the name of a column of `people`"),
        ("B1", "groups.1.id", "people, row 1, column B", "the name of a column of `people`"),
        ("B1", "id", "people, row 1, column B", "each column once"),
        ("B1", None, "people, row 2, column B", "nothing where the first row names no column"),
        ("L9", "Hemmelig", "people, row 9, column L", "nothing where the first row names no column"),
        ("A1", "name", "people, row 1", "a column `id`"),
    ],
)  # fmt: skip
def test_a_cell_that_is_not_what_it_should_be_is_told(
    cell: str, value: Any, place: str, expected: str
) -> None:
    """By sheet, row and column, with what is expected, and without what stands there."""
    faults = told(put(cell, value))

    assert any(where == place and expected in what for where, what in faults), faults


@pytest.mark.parametrize(
    ("cell", "value", "path", "read"),
    [
        ("A2", " A ", "id", "A"),
        ("A2", 101, "id", "101"),
        ("A2", 101.0, "id", "101"),
        ("B2", " Kari ", "name", " Kari "),
        ("B2", 7, "name", "7"),
        ("B2", '"Kari"', "name", "Kari"),
        ("B2", '"Kari" N', "name", '"Kari" N'),
        ("C2", " Ungraded\n", "protection", AddressProtection.UNGRADED),
        ("C2", "   ", "protection", AddressProtection.UNGRADED),
        ("D2", "JA", "interpreter", True),
        ("D2", True, "interpreter", True),
        ("D2", "nei ", "interpreter", False),
        ("D2", 0, "interpreter", False),
        ("D2", None, "interpreter", None),
    ],
)
def test_what_people_write_is_read_as_they_mean_it(cell: str, value: Any, path: str, read: Any) -> None:
    """Spaces around codes and ids mean nothing; a number may be an id; texts are kept as they are."""
    (entry,) = spreadsheets.read(put(cell, value))

    assert (entry.record.id if path == "id" else getattr(entry.record.body, path)) == read


@pytest.mark.parametrize(
    ("shape", "value", "read"),
    [
        (Shape.DATE, MIDNIGHT, "2026-05-17"),
        (Shape.DATE, date(2026, 5, 17), "2026-05-17"),
        (Shape.DATE, "17.5.2026", "2026-05-17"),
        (Shape.DATE, " 2026-05-17 ", "2026-05-17"),
        (Shape.INT, "42", 42),
        (Shape.INT, " -3 ", -3),
        (Shape.INT, 42.0, 42),
        (Shape.INT, 42, 42),
        (Shape.LIST, "a, b;c\nd,", ["a", "b", "c", "d"]),
        (Shape.LIST, "-", []),
        (Shape.LIST, 7, ["7"]),
        (Shape.JSON, '{"a": 1}', {"a": 1}),
        (Shape.TEXT, "", None),
        (Shape.TEXT, " \n", None),
        (Shape.TEXT, '""', ""),
    ],
)
def test_a_cell_is_read_by_what_its_column_is_for(shape: Shape, value: Any, read: Any) -> None:
    """Numbers as text, dates as moments, and lists with any sign between them."""
    assert read_cell(Column(("x",), shape), value) == read


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        (Shape.DATE, NOON),
        (Shape.DATE, "17/5/2026"),
        (Shape.DATE, True),
        (Shape.INT, 4.5),
        (Shape.INT, "4,5"),
        (Shape.INT, True),
        (Shape.INT, "1" * 19),
        (Shape.INT, float("inf")),
        (Shape.BOOL, 2),
        (Shape.BOOL, date(2026, 5, 17)),
        (Shape.JSON, "[1]"),
        (Shape.JSON, '{"a": 1, "a": 2}'),
        (Shape.JSON, 1),
        (Shape.NAME, 0.5),
        (Shape.NAME, True),
        (Shape.TEXT, date(2026, 5, 17)),
    ],
)
def test_a_cell_of_another_kind_is_refused(shape: Shape, value: Any) -> None:
    """Nothing is guessed."""
    with pytest.raises(CellError):
        read_cell(Column(("x",), shape), value)


@given(TEXTS)
def test_a_text_is_the_same_after_a_cell(text: str) -> None:
    """Also one that only a quoted form can keep."""
    column = Column(("x",), Shape.TEXT)

    assert read_cell(column, written_cell(column, text)) == text


def test_rows_without_anything_are_passed_over_and_all_others_read() -> None:
    """Gaps do not end a sheet, however many empty rows they have."""

    def change(_book: Workbook, sheet: Worksheet) -> None:
        sheet["A1000000"] = "Z"
        sheet["A5"] = "  "

    entries = spreadsheets.read(a_book(change))

    assert [entry.record.id for entry in entries] == ["A", "Z"]
    assert entries[1].place.at(["name"]) == "people, row 1000000, column B (name)"


def test_the_row_of_headings_may_be_there_or_not() -> None:
    """It is known by what stands over the ids."""

    def change(_book: Workbook, sheet: Worksheet) -> None:
        sheet.insert_rows(2)
        sheet["A2"], sheet["B2"] = "Id", "Hva som helst"

    assert [entry.record.id for entry in spreadsheets.read(a_book(change))] == ["A"]
    assert [entry.record.id for entry in spreadsheets.read(a_book())] == ["A"]


def test_numbered_columns_may_have_gaps_and_faults_name_the_right_one() -> None:
    """Members of a list keep their order; the second of two is that of the third column."""

    def change(_book: Workbook, sheet: Worksheet) -> None:
        for number, letter in ((1, "J"), (3, "M")):
            base = ord(letter)
            for offset, name in enumerate(("name", "kind", "since")):
                sheet[f"{chr(base + offset)}1"] = f"representatives.{number}.{name}"
        sheet["I1"] = None
        sheet["M2"], sheet["N2"], sheet["O2"] = "Verge", "guardian", "2026-01-01"

    (entry,) = spreadsheets.read(a_book(change))
    assert isinstance(entry.record.body, Person)
    assert [one.name for one in entry.record.body.representatives] == ["Verge"]

    def broken(book: Workbook, sheet: Worksheet) -> None:
        change(book, sheet)
        sheet["O2"] = "1850-01-01"

    assert told(a_book(broken)) == [
        ("people, row 2, column O (representatives.3.since)", "a date from 1900-01-01 to 2199-12-31")
    ]


def hide_row(_book: Workbook, sheet: Worksheet) -> None:
    """Hide a row with something in it."""
    sheet.row_dimensions[2].hidden = True


def hide_sheet(_book: Workbook, sheet: Worksheet) -> None:
    """Hide the sheet."""
    sheet.sheet_state = "hidden"


def merge(_book: Workbook, sheet: Worksheet) -> None:
    """Merge two cells."""
    sheet.merge_cells("B2:C2")


def another_sheet(book: Workbook, _sheet: Worksheet) -> None:
    """Add a sheet of one's own."""
    book.create_sheet("Kari Hemmelig")


def no_about(book: Workbook, _sheet: Worksheet) -> None:
    """Take the first sheet away."""
    del book["about"]


def not_whole(book: Workbook, _sheet: Worksheet) -> None:
    """Make it one that was exported for somebody who does not see everything."""
    book["about"]["B3"] = "nei"


def another_format(book: Workbook, _sheet: Worksheet) -> None:
    """Make it another's."""
    book["about"]["B1"] = "something"


def another_version(book: Workbook, _sheet: Worksheet) -> None:
    """Make it a later one's."""
    book["about"]["B2"] = 2


@pytest.mark.parametrize(
    ("change", "place", "expected"),
    [
        (hide_row, "people, row 2", "a row that is not hidden"),
        (hide_sheet, "people", "a sheet that is not hidden"),
        (merge, "people, cells B2:C2", "cells that are not merged"),
        (another_sheet, "sheet 3", "only these sheets: about, schemes"),
        (no_about, "", "a sheet `about`"),
        (not_whole, "about, row 3", "`complete` and `ja`"),
        (another_format, "about, row 1", "`format`"),
        (another_version, "about, row 2", "`version` and 1"),
    ],
)
def test_what_is_done_to_a_whole_sheet_is_told(
    change: Callable[[Workbook, Worksheet], None], place: str, expected: str
) -> None:
    """What a reader does not see, or what is not ours, is not read."""
    ((where, what),) = told(a_book(change))

    assert where == place
    assert expected in what


def packed(parts: dict[str, bytes]) -> bytes:
    """Return a file of parts."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return data.getvalue()


def with_part(name: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return the workbook with one part changed."""
    with zipfile.ZipFile(io.BytesIO(a_book())) as file:
        parts = {part: file.read(part) for part in file.namelist()}
    return packed({**parts, name: change(parts.get(name, b""))})


SHEET = "xl/worksheets/sheet2.xml"
ENTITY = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>'


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "a workbook (.xlsx)"),
        (b"id,name\nA,Kari Hemmelig\n", "a workbook (.xlsx)"),
        (packed({"a.txt": b"Hemmelig"}), "a workbook (.xlsx) that is whole"),
        (packed({f"{n}.txt": b"" for n in range(1001)}), "when it is unpacked"),
        (packed({"bomb.xml": b"0" * (128 * 2**20 + 1)}), "when it is unpacked"),
        (a_book()[:-200], "a workbook (.xlsx)"),
        (with_part(SHEET, lambda part: part[: len(part) // 2]), "that is whole"),
        (with_part(SHEET, lambda part: ENTITY + part), "without document types"),
        (with_part(SHEET, lambda part: b" " * 5000 + ENTITY + part), "without document types"),
        (with_part(SHEET, lambda part: part.decode().encode("utf-16")), "in UTF-8"),
        (with_part("xl/workbook.xml", lambda _part: b"<x"), "that is whole"),
        (b"x" * (32 * 2**20 + 1), "at most 32 MiB"),
    ],
    ids=range(12),
)
def test_a_file_that_is_no_sound_workbook_is_refused(data: bytes, expected: str) -> None:
    """Nothing is unpacked that is too large, and a damaged one is not half read."""
    ((_, what),) = told(data)

    assert expected in what


def test_a_municipality_of_two_thousand_people_is_read() -> None:
    """With their facts, homes and cases."""
    case = read_case(CASES[0].read_bytes())
    records = records_of(case, "import")
    facts = [body for kind, _, body in records if kind is Kind.PERSON]
    many = [Record(Kind.PERSON, f"P-{n}", facts[n % len(facts)]) for n in range(2000)]
    data = spreadsheets.written(many)

    entries = spreadsheets.read(data)

    assert len(entries) == 2000
