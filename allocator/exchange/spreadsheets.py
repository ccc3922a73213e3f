"""A municipality as a spreadsheet: a sheet for each kind of record, a row for each record.

The first row has the names of the fields, the second what they are called. Nothing is calculated: a cell with
a formula is refused when it is read, and a text that begins like one is written as text.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from allocator.casework.bodies import COLLECTIONS
from allocator.casework.records import Kind
from allocator.documents import DocumentError
from allocator.exchange.cells import CellError, read_cell, written_cell
from allocator.exchange.columns import NUMBER, Column, Shape, column_of, columns
from allocator.exchange.documents import FORMAT, VERSION
from allocator.exchange.entries import KINDS, Entry, Faults, Record, plain_body, read_entry
from allocator.exchange.headings import explanation, heading
from allocator.model import Problem

MAX_BYTES = 32 * 2**20
MAX_UNPACKED = 128 * 2**20
"""A workbook is packed; one that unpacks to more than this is not opened."""

MAX_PARTS = 1000
MAX_COLUMNS = 1000
MAX_RECORDS = 100_000
"""So many rows of one sheet are read."""

ABOUT, CODES = "about", "codes"
"""Sheets beside those of the records: what the workbook is, and the lists of codes that cells offer."""

_FIRST = 3
"""The first row with a record."""

_SPARE_ROWS = 1000
_LIST_COLUMNS = 2
"""So many members of a list have columns in an empty sheet."""

_HEAD = PatternFill("solid", fgColor="DDE6EE")
_NAME_FONT, _HEADING_FONT = Font(color="555555"), Font(bold=True)
_FORMULA_LIKE = ("=", "+", "-", "@", "\t", "\r")

Path = tuple[int | str, ...]
Items = Mapping[Kind, Iterable[Mapping[str, Any]]]


# -------------------------------------------------------------------------------------------- writing


def written(records: Iterable[Record]) -> bytes:
    """Return records as a workbook."""
    items: dict[Kind, list[Mapping[str, Any]]] = {}
    for record in records:
        items.setdefault(record.kind, []).append({"id": record.id, **plain_body(record)})
    return write(items, complete=True)


def template() -> bytes:
    """Return an empty workbook to fill in."""
    return write({}, complete=True)


def write(items: Items, *, complete: bool) -> bytes:
    """Return a workbook of plain records, by kind.

    Raises:
        DocumentError: Something does not fit in a cell.
    """
    book = Workbook(write_only=True)
    about = book.create_sheet(ABOUT)
    about.append(["format", FORMAT])
    about.append(["version", VERSION])
    about.append(["complete", "ja" if complete else "nei"])
    about.append([None])
    for line in _ABOUT:
        about.append([line])
    lists = _CodeLists()
    faults = Faults()
    for kind in KINDS:
        _write_sheet(book, kind, list(items.get(kind, ())), lists, faults)
    faults.check()
    codes = book.create_sheet(CODES)
    for row in lists.rows():
        codes.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


_ABOUT = (
    "Ett ark for hver slags opplysning, én rad for hver. Rad 1 er navn som programmet leser; ikke endre dem.",
    "Rad 2 sier hva kolonnene heter. Hold musepekeren over rad 2 for å se hva som kan stå i kolonnen.",
    "Tomme celler betyr at det ikke er kjent. - betyr at det er kjent at det ikke er noen.",
    "Rader som mangler, slettes ikke. En rad som finnes fra før, erstattes av det som står her.",
)


class _CodeLists:
    """The lists of codes, each once, in a sheet of their own."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, ...], str] = {}

    def place(self, codes: tuple[str, ...]) -> str:
        """Return where a list stands."""
        if codes not in self._places:
            letter = get_column_letter(len(self._places) + 1)
            self._places[codes] = f"{CODES}!${letter}$1:${letter}${len(codes)}"
        return self._places[codes]

    def rows(self) -> Iterator[list[str | None]]:
        """Yield the rows of the sheet."""
        longest = max((len(codes) for codes in self._places), default=0)
        for row in range(longest):
            yield [codes[row] if row < len(codes) else None for codes in self._places]


def _write_sheet(
    book: Workbook, kind: Kind, items: Sequence[Mapping[str, Any]], lists: _CodeLists, faults: Faults
) -> None:
    sheet = book.create_sheet(COLLECTIONS[kind])
    sheet.freeze_panes = f"B{_FIRST}"
    used = _expanded(kind, items)
    last = _FIRST + len(items) + _SPARE_ROWS
    for number, (column, path) in enumerate(used, 1):
        letter = get_column_letter(number)
        name = heading(kind, column, path)
        sheet.column_dimensions[letter].width = max(12, min(len(name) + 2, 40))
        sheet.column_dimensions[letter].number_format = _number_format(column)
        offered = _offered(column, lists)
        if offered is not None:
            offered.add(f"{letter}{_FIRST}:{letter}{last}")
            sheet.data_validations.append(offered)
    sheet.append([_head(sheet, ".".join(map(str, path))) for _, path in used])
    sheet.append([_head(sheet, heading(kind, column, path), column) for column, path in used])
    for row, item in enumerate(items, _FIRST):
        cells = []
        for number, (column, path) in enumerate(used, 1):
            value = _value_at(item, path)
            try:
                cells.append(None if value is None else _cell(sheet, column, value))
            except CellError as error:
                faults.add(f"{sheet.title}, row {row}, column {get_column_letter(number)}", str(error))
        sheet.append(cells)


def _expanded(kind: Kind, items: Sequence[Mapping[str, Any]]) -> list[tuple[Column, Path]]:
    """Return the columns of a sheet: numbered ones for as many members as the longest list has."""
    found: list[tuple[Column, Path]] = []
    done: set[tuple[str, ...]] = set()
    for column in columns(kind):
        if NUMBER not in column.path:
            found.append((column, column.path))
            continue
        whole = column.path[: column.path.index(NUMBER)]
        if whole in done:
            continue
        done.add(whole)
        members = [c for c in columns(kind) if c.path[: len(whole) + 1] == (*whole, NUMBER)]
        longest = max((len(_value_at(item, whole) or ()) for item in items), default=0)
        for number in range(1, max(longest, _LIST_COLUMNS) + 1):
            found.extend((c, (*whole, number, *c.path[len(whole) + 1 :])) for c in members)
    return found


def _value_at(item: Any, path: Path) -> Any:
    for part in path:
        if isinstance(part, int):
            item = item[part - 1] if isinstance(item, list) and len(item) >= part else None
        else:
            item = item.get(part) if isinstance(item, Mapping) else None
    return item


def _number_format(column: Column) -> str:
    formats = {Shape.DATE: "yyyy-mm-dd", Shape.INT: "0"}
    return formats.get(column.shape, "@")


def _cell(sheet: Any, column: Column, value: Any) -> Any:
    written = written_cell(column, value)
    cell = WriteOnlyCell(sheet, written)
    cell.number_format = _number_format(column)
    if isinstance(written, str):
        cell.data_type = "s"
        cell.quotePrefix = written.startswith(_FORMULA_LIKE)
    return cell


def _head(sheet: Any, text: str, column: Column | None = None) -> Any:
    cell = WriteOnlyCell(sheet, text)
    cell.fill = _HEAD
    cell.font = _NAME_FONT if column is None else _HEADING_FONT
    if column is not None:
        cell.comment = Comment(explanation(column), "allocator", height=180, width=320)
    return cell


def _offered(column: Column, lists: _CodeLists) -> DataValidation | None:
    """Return the list that a cell offers to choose from."""
    if column.shape is Shape.BOOL:
        choice = '"ja,nei"'
    elif column.shape is Shape.CODE:
        choice = lists.place(column.codes)
    else:
        return None
    return DataValidation(type="list", formula1=choice, allow_blank=True, showErrorMessage=True)


# -------------------------------------------------------------------------------------------- reading


@dataclass(frozen=True)
class SheetPlace:
    """A record's place in a workbook.

    Attributes:
        sheet: Its sheet.
        row: Its row.
        letters: By path with the numbers of the columns, the letter of the column.
        numbers: By list, the numbers of its members in the columns, which may have gaps.
    """

    sheet: str
    row: int
    letters: Mapping[Path, str]
    numbers: Mapping[Path, Sequence[int]] = field(default_factory=dict)

    def at(self, path: Sequence[int | str] = ()) -> str:
        """Return the sheet, the row, and the column of a field with its name."""
        told: list[int | str] = []
        for part in path:
            if isinstance(part, int):
                numbers = self.numbers.get(tuple(told), ())
                told.append(numbers[part] if part < len(numbers) else part + 1)
            else:
                told.append(part)
        place = f"{self.sheet}, row {self.row}"
        if not told:
            return place
        name = ".".join(map(str, told))
        for end in range(len(told), 0, -1):
            letter = self.letters.get(tuple(told[:end]))
            if letter is not None:
                return f"{place}, column {letter} ({'.'.join(map(str, told[:end]))})"
        return f"{place} ({name})"


def read(data: bytes) -> list[Entry]:
    """Return the records in a workbook.

    Raises:
        DocumentError: It is refused, with all its faults.
    """
    parts = _unpacked(data)
    faults = Faults()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
            entries = _read_book(book, parts, faults)
    except DocumentError:
        raise
    except Exception:  # noqa: BLE001 - what a damaged workbook makes the library raise is not told anywhere
        _refuse("a workbook (.xlsx) that is whole")
    faults.check()
    return entries


def _refuse(expected: str) -> Any:
    raise DocumentError((Problem(path="", expected=expected),)) from None


def _unpacked(data: bytes) -> zipfile.ZipFile:
    """Return the parts of a workbook, having seen that they are no more than can be opened."""
    if len(data) > MAX_BYTES:
        _refuse(f"a workbook of at most {MAX_BYTES // 2**20} MiB")
    try:
        parts = zipfile.ZipFile(io.BytesIO(data))
        listed = parts.infolist()
        if len(listed) > MAX_PARTS or sum(part.file_size for part in listed) > MAX_UNPACKED:
            _refuse(f"a workbook of at most {MAX_UNPACKED // 2**20} MiB when it is unpacked")
        for part in listed:
            if not part.filename.endswith((".xml", ".rels")):
                continue
            content = parts.read(part)
            if b"<!DOCTYPE" in content or b"\0" in content[:100]:
                _refuse("a workbook without document types, in UTF-8")
    # NotImplementedError is what zipfile says of a compression that it does not know
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError):
        _refuse("a workbook (.xlsx)")
    return parts


def _read_book(book: Any, parts: zipfile.ZipFile, faults: Faults) -> list[Entry]:
    kinds = {COLLECTIONS[kind]: kind for kind in KINDS}
    entries: list[Entry] = []
    names = [str(sheet.title).strip().casefold() for sheet in book.worksheets]
    if ABOUT not in names:
        faults.add("", f"a sheet `{ABOUT}`, as the template has it")
    for number, (name, sheet) in enumerate(zip(names, book.worksheets, strict=True), 1):
        if name == ABOUT:
            _read_about(sheet, faults)
        elif name in kinds:
            if sheet.sheet_state != "visible":
                faults.add(name, "a sheet that is not hidden")
            _look_for_hidden(name, parts.read(sheet._worksheet_path), faults)  # noqa: SLF001 - told nowhere else
            entries.extend(_read_sheet(name, kinds[name], sheet, faults))
        elif name != CODES:
            faults.add(f"sheet {number}", f"only these sheets: {', '.join([ABOUT, *kinds, CODES])}")
    return entries


def _read_about(sheet: Any, faults: Faults) -> None:
    told = {
        str(row[0]).strip(): row[1]
        for row in sheet.iter_rows(max_row=20, max_col=2, values_only=True)
        if len(row) > 1 and row[0] is not None
    }
    if told.get("format") != FORMAT:
        faults.add(f"{ABOUT}, row 1", f"`format` and `{FORMAT}`")
    if str(told.get("version")) != str(VERSION):
        faults.add(f"{ABOUT}, row 2", f"`version` and {VERSION}")
    if str(told.get("complete", "")).strip().casefold() != "ja":
        whole = "`complete` and `ja`: where fields were left out for a reader, nothing is imported"
        faults.add(f"{ABOUT}, row 3", whole)


_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?\bref=\"([A-Z0-9:]{1,40})\"")
_HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\s(?=[^>]*\bhidden=\"(?:1|true)\")[^>]*?\br=\"([0-9]{1,7})\"")


def _look_for_hidden(name: str, part: bytes, faults: Faults) -> None:
    """Note what whoever reads the sheet does not see as it is: merged cells and hidden rows."""
    for found in _MERGED.finditer(part):
        faults.add(f"{name}, cells {found[1].decode()}", "cells that are not merged")
    for found in _HIDDEN_ROW.finditer(part):
        faults.add(f"{name}, row {found[1].decode()}", "a row that is not hidden")


def _read_sheet(name: str, kind: Kind, sheet: Any, faults: Faults) -> Iterator[Entry]:
    sheet.reset_dimensions()
    rows = enumerate(sheet.iter_rows(), 1)
    head: dict[int, tuple[Column, Path]] = {}
    letters: dict[Path, str] = {}
    number = 0
    for row, cells in rows:
        if row == 1:
            head = dict(_read_head(name, kind, cells, faults))
            letters = {path: get_column_letter(index + 1) for index, (_, path) in head.items()}
            if ("id",) not in letters:
                faults.add(f"{name}, row 1", "a column `id`")
            continue
        told = [(index, cell) for index, cell in enumerate(cells) if cell.value is not None]
        told = [(index, cell) for index, cell in told if not _is_blank(cell)]
        if not told or (row == 2 and _is_headings(kind, told, head)):  # noqa: PLR2004 - the second row
            continue
        number += 1
        if number > MAX_RECORDS:
            faults.add(f"{name}, row {row}", f"at most {MAX_RECORDS} records in a sheet")
        if faults.too_many or number > MAX_RECORDS:
            return
        entry = _read_row(SheetPlace(name, row, letters), kind, told, head, faults)
        if entry is not None:
            yield entry


def _is_blank(cell: Any) -> bool:
    value = cell.value
    return value is None or (isinstance(value, str) and not value.strip())


def _is_headings(kind: Kind, told: list[tuple[int, Any]], head: Mapping[int, tuple[Column, Path]]) -> bool:
    """Return whether a row is that of the headings, which somebody may have taken away."""
    return all(
        index in head and cell.value == heading(kind, *head[index])
        for index, cell in told
        if index in head and head[index][1] == ("id",)
    ) and any(head.get(index, (None, ()))[1] == ("id",) for index, _ in told)


def _read_head(
    name: str, kind: Kind, cells: Sequence[Any], faults: Faults
) -> Iterator[tuple[int, tuple[Column, Path]]]:
    seen: set[Path] = set()
    for index, cell in enumerate(cells):
        if _is_blank(cell):
            continue
        place = f"{name}, row 1, column {get_column_letter(index + 1)}"
        found = column_of(kind, str(cell.value).strip())
        if found is None:
            faults.add(place, f"the name of a column of `{name}`, as the template has them")
        elif found[1] in seen:
            faults.add(place, "each column once")
        else:
            seen.add(found[1])
            yield index, found


def _read_row(
    place: SheetPlace,
    kind: Kind,
    told: list[tuple[int, Any]],
    head: Mapping[int, tuple[Column, Path]],
    faults: Faults,
) -> Entry | None:
    content: dict[str, Any] = {}
    lists: dict[Path, dict[int, Any]] = {}
    sound = True
    for index, cell in told:
        at = f"{place.at()}, column {get_column_letter(index + 1)}"
        if index not in head:
            faults.add(at, "nothing where the first row names no column")
            sound = False
            continue
        column, path = head[index]
        try:
            value = _read(column, cell)
        except CellError as error:
            faults.add(place.at(path), str(error))
            sound = False
            continue
        _put(content, lists, path, value)
    numbers: dict[Path, Sequence[int]] = {}
    for whole, members in lists.items():
        numbers[whole] = sorted(members)
        _put(content, {}, whole, [members[number] for number in numbers[whole]])
    there = SheetPlace(place.sheet, place.row, place.letters, numbers)
    return read_entry(kind, content, there, faults) if sound else None


def _read(column: Column, cell: Any) -> Any:
    """Return what a cell says. Nothing is calculated. Raises CellError."""
    if cell.data_type == "f":
        raise CellError("a value, not a formula")
    if cell.data_type == "e":
        raise CellError("a value; there is an error in the cell")
    return read_cell(column, cell.value)


def _put(content: dict[str, Any], lists: dict[Path, dict[int, Any]], path: Path, value: Any) -> None:
    """Put a value where its path says; members of lists are gathered by their numbers."""
    for end, part in enumerate(path):
        if isinstance(part, int):
            members = lists.setdefault(path[:end], {})
            if end == len(path) - 1:
                members[part] = value
            else:
                _put(members.setdefault(part, {}), {}, path[end + 1 :], value)
            return
    for part in path[:-1]:
        content = content.setdefault(str(part), {})
    content[str(path[-1])] = value
