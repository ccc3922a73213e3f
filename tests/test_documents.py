"""Reading a case: what is refused, what is said about it, and that nothing personal is ever repeated."""

from __future__ import annotations

import copy
import json
import re
import time
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from typer.testing import CliRunner

from allocator import cli
from allocator.documents import MAX_BYTES, MAX_DEPTH, DocumentError, parse_json, read_case
from allocator.explain import facts_sha256

FIXTURES = Path(__file__).parent.parent / "fixtures"
INVALID = sorted((FIXTURES / "invalid").glob("*.json"))
SMALL_CASES = sorted(path for path in (FIXTURES / "cases").glob("*.json") if path.stat().st_size < 20_000)

BASE = "golden-besokende"
"""A case with a scheme, two units, a resident, an applicant and a conflict."""

SECONDS = 2.0
"""How long a refusal may take."""

MIB = 2**20
SIZE = 50 * MIB

Problems = list[tuple[str, str]]


@cache
def _loaded(name: str) -> Any:
    return json.loads((FIXTURES / "cases" / f"{name}.json").read_text(encoding="utf-8"))


def case_of(name: str = BASE) -> dict[str, Any]:
    """Return a copy of a fixture case, to be changed."""
    copied: dict[str, Any] = copy.deepcopy(_loaded(name))
    return copied


def encoded(content: Any) -> bytes:
    """Return a document's bytes; half characters are escaped, so that they reach the reader."""
    return json.dumps(content).encode()


Place = tuple[str | int, ...]


def place(pointer: str) -> Place:
    """Return the parts of a pointer; digits are indices."""
    return tuple(int(part) if part.isdecimal() else part for part in pointer.split("/")[1:])


def places(content: Any, at: Place = ()) -> Iterator[Place]:
    """Yield the place of everything inside a document, except the whole of it."""
    if isinstance(content, dict | list):
        for key, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield (*at, key)
            yield from places(value, (*at, key))


def inside(content: Any, where: Place) -> Any:
    """Return what stands at a place."""
    for part in where:
        content = content[part]
    return content


def with_value(where: str | Place, value: Any, name: str = BASE) -> bytes:
    """Return a fixture case with another value in one place."""
    content = case_of(name)
    *above, last = place(where) if isinstance(where, str) else where
    inside(content, tuple(above))[last] = value
    return encoded(content)


def with_raw(pointer: str, raw: str) -> bytes:
    """Return a fixture case with this JSON text in one place."""
    return with_value(pointer, "@@").replace(b'"@@"', raw.encode())


def refused(data: bytes) -> Problems:
    """Return the faults of a document that must be refused."""
    with pytest.raises(DocumentError) as error:
        read_case(data)
    found = [(problem.path, problem.expected) for problem in error.value.problems]
    assert found
    assert str(error.value) == "\n".join(f"{path}: {expected}" for path, expected in found)
    return found


# ------------------------------------------------------------------------------------ invalid fixtures

FAULTS = {
    "age-17": ("/applicants/0/birth_date/value", "at least 18 years"),
    "dangling-id": ("/conflicts/0/counterpart", "the id of a resident or an applicant in this document"),
    "dates-out-of-order": ("/residents/1", "`move_out` on or after `moved_in`"),
    "duplicate-id": ("/residents/1/id", "an id of its own; /residents/0/id has the same one"),
    "duplicate-key": ("", "each key once in an object"),
    "known-fact-without-source": ("/applicants/0/birth_date", "`source` for a fact"),
    "nan": ("", "finite numbers"),
    "not-json": ("", "JSON; line 86, column 1 is not"),
    "oral-fact-without-recorder": ("/applicants/0/birth_date", "`recorded_by` for oral information"),
    "resident-in-vacant-unit": ("/residents/1/unit", "a unit whose status is `occupied`"),
    "self-conflict": ("/conflicts/0", "two different persons"),
    "two-people-in-one-unit": (
        "/residents/1/unit",
        "a unit where nobody else lives; /residents/0 lives there",
    ),
    "unit-that-does-not-exist": ("/residents/1/unit", "the id of a unit in this document"),
    "unknown-field": ("/applicants/0", "only fields"),
    "veto-without-fact": ("/vetoes/0/fact", "this field"),
}


def test_every_invalid_fixture_is_in_the_table() -> None:
    """No invalid fixture goes untested, and the table names no file that is gone."""
    assert {path.stem for path in INVALID} == set(FAULTS)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_an_invalid_fixture_has_one_fault_with_its_place(name: str) -> None:
    """Each invalid fixture is refused for its one fault, at its place, saying what is expected there."""
    path, phrase = FAULTS[name]
    ((found_path, found_expected),) = refused((FIXTURES / "invalid" / f"{name}.json").read_bytes())
    assert found_path == path
    assert phrase in found_expected


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_the_rule_engine_never_sees_what_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused document ends before any question is put to an engine."""
    asked: list[object] = []
    monkeypatch.setattr(cli, "ask_suggest", lambda *given: asked.append(given))
    path = FIXTURES / "invalid" / f"{name}.json"
    result = CliRunner().invoke(cli.app, ["suggest", str(path), "--applicant", "S-01"])
    assert (result.exit_code, result.stdout, asked) == (2, "", [])


# ------------------------------------------------------------------------------------- JSON itself


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        (b"", "JSON; line 1, column 1 is not"),
        (b" \n", "JSON; line 2, column 1 is not"),
        (b"{", "JSON; line 1"),
        (b"{'a': 1}", "JSON; line 1"),
        (b"{} {}", "JSON; line 1"),
        (b'{"a": 01}', "JSON; line 1"),
        (b'{"a": "\n"}', "JSON; line 1"),
        (b"\xef\xbb\xbf{}", "JSON; line 1, column 1 is not"),
        ("{}".encode("utf-16"), "UTF-8 text; byte 0 is not"),
        ('{"a": "å"}'.encode("latin-1"), "UTF-8 text; byte 7 is not"),
        (b'{"a": "\xed\xa0\x80"}', "UTF-8 text"),
        (b"null", "an object"),
        (b"true", "an object"),
        (b"1", "an object"),
        (b'"text"', "an object"),
        (b"[]", "an object"),
        (b"[{}]", "an object"),
        (b"NaN", "finite numbers"),
        (b'{"as_of": Infinity}', "finite numbers"),
        (b'{"as_of": -Infinity}', "finite numbers"),
        (b'{"a": {"x": 1, "x": 2}}', "each key once in an object"),
        (b'{"as_of": "2026-01-01", "as_of": "2026-01-01"}', "each key once in an object"),
        (b'{"a": "\\ud800"}', "Unicode text"),
        (b'{"\\udfff": 1}', "Unicode text"),
        (b'{"a": "\\ude00\\ud83d"}', "Unicode text"),
        (b"9" * 5000, "whole numbers of at most"),
    ],
)
def test_what_is_no_sound_json_object_is_refused_as_a_whole(data: bytes, phrase: str) -> None:
    """What JSON readers disagree about is refused with one fault of the whole document."""
    ((path, expected),) = refused(data)
    assert path == ""
    assert phrase in expected


@pytest.mark.parametrize("depth", [MAX_DEPTH, 1000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deep_nesting_is_refused(depth: int, opening: str, closing: str) -> None:
    """Nesting that no case needs is refused, however deep, and never overflows the stack."""
    nested = opening * depth + "1" + closing * depth
    for data in (f'{{"notes": {nested}}}', nested + " " if depth > MAX_DEPTH else f"[{nested}]"):
        ((path, expected),) = refused(data.encode())
        assert (path, expected) == ("", f"nesting of at most {MAX_DEPTH} levels")


@pytest.mark.parametrize("text", ["[" * 4000, '{"a":' * 700, "[" * 1000 + "]" * 1000])
def test_brackets_in_text_are_no_nesting(text: str) -> None:
    """Text may look like anything, also like deeply nested JSON."""
    assert read_case(with_value("/notes", text)).notes == text


def test_nesting_in_text_that_is_too_long_is_a_fault_of_that_text() -> None:
    """A hundred thousand brackets in text are too much text, not too deep a document."""
    assert refused(with_value("/notes", "[" * 100_000)) == [("/notes", "at most 4000 characters")]


GARBAGE: dict[str, Callable[[], bytes]] = {
    "letters": lambda: b"x" * SIZE,
    "zeros": lambda: b"\0" * SIZE,
    "not UTF-8": lambda: b"\xff" * SIZE,
    "spaces": lambda: b" " * SIZE,
    "digits": lambda: b"9" * SIZE,
    "open lists": lambda: b"[" * SIZE,
    "open objects": lambda: b'{"a":' * (SIZE // 5),
    "open text": lambda: b'"' + b"a" * SIZE,
    "text": lambda: b'"' + b"a" * SIZE + b'"',
    "a long note": lambda: b'{"notes": "' + b"a" * SIZE + b'"}',
    "escapes": lambda: b'"' + b"\\ud83d\\ude00" * (SIZE // 12) + b'"',
    "too large": lambda: b" " * (MAX_BYTES + 1),
}


@pytest.mark.parametrize("name", sorted(GARBAGE))
def test_large_garbage_is_refused_quickly(name: str) -> None:
    """Fifty megabytes of nonsense are refused with a word or two and in no time."""
    data = GARBAGE[name]()
    started = time.thread_time()
    problems = refused(data)
    assert time.thread_time() - started < SECONDS
    assert len(problems) <= 2
    assert all(len(expected) < 200 for _, expected in problems)


def test_the_largest_document_is_named() -> None:
    """A document that is too large is told how large it may be."""
    assert refused(b" " * (MAX_BYTES + 1)) == [("", "a document of at most 64 MiB")]


# ----------------------------------------------------------------------------------------- numbers

AREA = "/schemes/0/living_groups/0/units/0/area_m2"
FLOOR = "/schemes/0/living_groups/0/units/0/floor"


@pytest.mark.parametrize("pointer", [FLOOR, "/schemes/0/unit_count", "/schemes/0/staff_day"])
@pytest.mark.parametrize("raw", ["1.5", "2.0", "1e2", "1E400", "-1e400", "true", "false", '"2"', "[2]", "{}"])
def test_only_a_whole_number_is_a_whole_number(pointer: str, raw: str) -> None:
    """Fractions, numbers too large to be any, yes and no, and digits in text are not whole numbers."""
    assert refused(with_raw(pointer, raw)) == [(pointer, "a whole number")]


@pytest.mark.parametrize("digits", [3, 5, 18, 19, 20, 40, 100, 4000])
def test_a_huge_number_is_too_large_and_not_a_crash(digits: int) -> None:
    """A whole number of any length is refused by the limit of its field."""
    assert refused(with_raw(FLOOR, "9" * digits)) == [(FLOOR, "at most 60")]
    assert refused(with_raw(FLOOR, "-" + "9" * digits)) == [(FLOOR, "at least -5")]


@pytest.mark.parametrize(
    "raw", ["NaN", "Infinity", "-Infinity"], ids=["nan", "infinity", "negative infinity"]
)
@pytest.mark.parametrize("pointer", [FLOOR, "/as_of", "/notes", "/residents/0/rop/value", "/conflicts"])
def test_a_number_that_is_none_is_refused_wherever_it_stands(pointer: str, raw: str) -> None:
    """NaN and Infinity are not JSON, in whatever place."""
    ((path, expected),) = refused(with_raw(pointer, raw))
    assert path == ""
    assert expected.startswith("finite numbers")


@pytest.mark.parametrize(
    "pointer", ["/as_of", "/notes", "/schema_version", "/residents/0/rop/value", "/applicants", "/schemes/0"]
)
@pytest.mark.parametrize("raw", ["1e400", "-1e400", "9" * 400])
def test_a_number_beyond_all_limits_is_a_fault_of_its_place(pointer: str, raw: str) -> None:
    """A number beyond what machines hold is a fault at its place, like any other wrong type."""
    assert pointer in dict(refused(with_raw(pointer, raw)))


@pytest.mark.parametrize(
    ("pointer", "raw"),
    [
        ("/schema_version", "true"),
        ("/schema_version", "1.0"),
        ("/applicants/0/conflicts_asked/value", "1"),
        ("/applicants/0/conflicts_asked/value", "1.0"),
    ],
)
def test_a_constant_is_of_its_own_type(pointer: str, raw: str) -> None:
    """One is not yes, and yes is not one."""
    ((path, _),) = refused(with_raw(pointer, raw))
    assert path == pointer


@pytest.mark.parametrize("raw", ["1", "0", '"true"', '"yes"', "null", "[]", "1.0"])
def test_only_yes_and_no_are_yes_and_no(raw: str) -> None:
    """A yes-or-no field takes neither numbers nor words."""
    assert refused(with_raw("/conflicts/0/confirmed", raw)) == [
        ("/conflicts/0/confirmed", "`true` or `false`")
    ]


# ------------------------------------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("value", "phrase"),
    [
        (20260101, "a date written as YYYY-MM-DD"),
        (0, "a date written as YYYY-MM-DD"),
        (1793000000.5, "a date written as YYYY-MM-DD"),
        (True, "a date written as YYYY-MM-DD"),
        (None, "a date written as YYYY-MM-DD"),
        ([2026, 1, 1], "a date written as YYYY-MM-DD"),
        ({"year": 2026}, "a date written as YYYY-MM-DD"),
        ("", "a date written as YYYY-MM-DD"),
        ("2026-11-22T00:00:00", "a date written as YYYY-MM-DD"),
        ("2026-11-22T00:00:00Z", "a date written as YYYY-MM-DD"),
        ("1793000000", "a date written as YYYY-MM-DD"),
        ("20261122", "a date written as YYYY-MM-DD"),
        ("2026-W47-7", "a date written as YYYY-MM-DD"),
        ("22.11.2026", "a date written as YYYY-MM-DD"),
        ("2026-11-2", "a date written as YYYY-MM-DD"),
        (" 2026-11-22", "a date written as YYYY-MM-DD"),
        ("2026-11-22\n", "a date written as YYYY-MM-DD"),
        ("2026-02-30", "a date that exists"),
        ("2025-02-29", "a date that exists"),
        ("2026-00-01", "a date that exists"),
        ("2026-13-01", "a date that exists"),
        ("0000-01-01", "a date that exists"),
        ("٢٠٢٦-١١-٢٢", "a date"),
    ],
)
@pytest.mark.parametrize("pointer", ["/as_of", "/conflicts/0/recorded_on"])
def test_only_a_day_that_exists_is_a_date(pointer: str, value: Any, phrase: str) -> None:
    """Numbers, times and days that no calendar has are not dates."""
    ((path, expected),) = refused(with_value(pointer, value))
    assert path == pointer
    assert phrase in expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1899-12-31", "a date from 1900-01-01 to 2199-12-31"),
        ("2200-01-01", "a date from 1900-01-01 to 2199-12-31"),
    ],
)
def test_a_date_beyond_the_limits_is_told_the_limit(value: str, expected: str) -> None:
    """A day outside two centuries is told the first or the last day, written as dates are."""
    assert refused(with_value("/as_of", value)) == [("/as_of", expected)]


# -------------------------------------------------------------------------------------------- text


@pytest.mark.parametrize("text", ["😀", "👩🏽‍⚕️", "🇳🇴", "\u202eotto", "\1", "عربي", "a" * 4000])
def test_free_text_takes_any_character(text: str) -> None:
    """Notes hold whatever people write, and it is kept as written."""
    assert read_case(with_value("/notes", text)).notes == unicodedata.normalize("NFC", text)


def test_free_text_takes_no_nul() -> None:
    """Not every database keeps it, and nobody can type it."""
    assert refused(with_value("/notes", "a\0b")) == [("/notes", "text without the character U+0000")]


@pytest.mark.parametrize(
    "identifier",
    ["", " ", "😀", "a😀", "a b", "_a", "-a", ".a", "a/b", "a\n", "a\0", "a\u202e", "[a]", "a" * 65, "<b>"],
)
@pytest.mark.parametrize("pointer", ["/residents/0/id", "/schemes/0/id", "/conflicts/0/id"])
def test_an_id_is_short_and_plain(pointer: str, identifier: str) -> None:
    """Emoji, spaces, control characters and lengths that no table can show are not in ids."""
    found = dict(refused(with_value(pointer, identifier)))
    assert found[pointer].startswith("an id of 1 to 64 letters")


@pytest.mark.parametrize("identifier", ["a", "Å-1", "bæøå", "9", "a:b.c_d-e", "李", "a" * 64])
def test_an_id_may_have_letters_of_any_language(identifier: str) -> None:
    """Ids are letters and digits of any alphabet, and a few marks between them."""
    assert read_case(with_value("/conflicts/0/id", identifier)).conflicts[0].id == identifier


def test_composed_and_decomposed_letters_are_one_id() -> None:
    """An id written with a ring above is the same id whichever way a computer writes the letter."""
    composed, decomposed = "Blåbær-Ø-é", unicodedata.normalize("NFD", "Blåbær-Ø-é")
    assert composed != decomposed
    content = case_of()
    content["residents"][0]["id"] = composed
    alike = copy.deepcopy(content)
    alike["residents"][0]["id"] = decomposed
    order = {"id": "F-1", "kind": "visiting_ban", "valid_from": "2026-01-01", "valid_until": "2027-01-01"}
    for case, bound in ((content, decomposed), (alike, composed)):
        case["orders"] = [{**order, "bound": bound, "forbidden_schemes": ["provehuset"]}]
        case["notes"] = bound
    one, other = read_case(encoded(content)), read_case(encoded(alike))
    assert one == other
    assert one.residents[0].id == composed
    assert facts_sha256(one) == facts_sha256(other)


def test_composed_and_decomposed_letters_repeat_an_id() -> None:
    """Two ids that differ in nothing but the way of writing are one id given twice."""
    content = case_of()
    content["applicants"][0]["id"] = "å"
    content["conflicts"][0]["party"] = "å"
    content["applicants"].append({"id": "a\u030a", "waiting_since": "2026-01-01"})
    assert refused(encoded(content)) == [
        ("/applicants/1/id", "an id of its own; /applicants/0/id has the same one")
    ]


@pytest.mark.parametrize("escape", ["\\\\ud800", "\\ud83d\\ude00", "\\u00e5"])
def test_escapes_for_whole_characters_are_read(escape: str) -> None:
    """An escape that is a character, or that is itself escaped, is ordinary text."""
    assert read_case(with_raw("/notes", f'"{escape}"')).notes == json.loads(f'"{escape}"')


# --------------------------------------------------------------------------------- types everywhere

WRONG: tuple[tuple[str, Any, str], ...] = (
    ("/schemes", {}, "a list"),
    ("/schemes", None, "a list"),
    ("/residents", "B-01", "a list"),
    ("/schemes/0", [], "an object"),
    ("/schemes/0", None, "an object"),
    ("/residents/0", 7, "an object"),
    ("/residents/0/gender", "man", "an object"),
    ("/residents/0/gender", None, "an object"),
    ("/residents/0/gender/value", 1, "one of: `woman`, `man`, `non_binary` or `undisclosed`"),
    ("/residents/0/gender/value", "Man", "one of: `woman`, `man`, `non_binary` or `undisclosed`"),
    ("/residents/0/gender/value", ["man"], "one of: `woman`, `man`, `non_binary` or `undisclosed`"),
    ("/residents/0/unit", 1, "text"),
    ("/residents/0/unit", None, "text"),
    ("/residents/0/rop/value", "yes", "`true` or `false`"),
    ("/schemes/0/name", "", "at least 1 character"),
    ("/schemes/0/name", "a" * 201, "at most 200 characters"),
    ("/schemes/0/services", {}, "a list"),
    ("/schemes/0/services", "meals", "a list"),
    ("/schemes/0/evidence", [], "an object"),
    ("/schemes/0/municipality", "99", "four digits"),
    (
        "/schemes/0/living_groups/0/units/0/unit_no",
        "A0101",
        "one of the letters H, L, U and K and four digits, as in H0102",
    ),
    ("/schema_version", 2, "at most 1"),
    ("/schema_version", "1", "a whole number"),
    ("/municipality", "Fjordby", "an object"),
    ("/conflicts/0/frequents", "provehuset", "a list"),
)


@pytest.mark.parametrize(("pointer", "value", "expected"), WRONG)
def test_a_value_of_the_wrong_type_is_told_what_is_expected(pointer: str, value: Any, expected: str) -> None:
    """A value of the wrong type or form is refused at its place, in words of ours."""
    found = dict(refused(with_value(pointer, value)))
    assert found[pointer] == expected


def test_an_unknown_code_in_a_set_is_told_the_codes() -> None:
    """A code that no list has is refused at its index, with the codes there are."""
    problems = refused(with_value("/schemes/0/services", ["meals", "massage"]))
    ((path, expected),) = problems
    assert path == "/schemes/0/services/1"
    assert "`meals`" in expected


@pytest.mark.parametrize("pointer", ["/as_of", "/residents/0/unit", "/residents/0/id", "/schemes/0/name"])
def test_a_missing_field_is_named(pointer: str) -> None:
    """A field that is left out is named by the place where it should stand."""
    content = case_of()
    *above, last = place(pointer)
    del inside(content, tuple(above))[last]
    assert dict(refused(encoded(content)))[pointer] == "this field"


@pytest.mark.parametrize("value", [None, {}, [], 0, "\u00e5", True])
def test_every_place_refuses_or_takes_any_wrong_type(value: Any) -> None:
    """Whatever stands in whatever place, a document is read or refused, and nothing else happens."""
    for where in places(_loaded(BASE)):
        _read_or_refuse(with_value(where, value))


def test_every_field_is_named_in_full() -> None:
    """A fault of any field of the schema, except those with digits in their names, names that field."""
    for where in places(_loaded(BASE)):
        if not any(re.search(r"\d", part) for part in where if isinstance(part, str)):
            pointer = "".join(f"/{part}" for part in where)
            assert [path for path, _ in refused(with_value(where, {"": 0})) if path.startswith(pointer)]


def test_a_field_with_a_digit_is_named_in_full() -> None:
    """A fault of the area names the area."""
    assert [path for path, _ in refused(with_value(AREA, 0))] == [AREA]


# ------------------------------------------------------------------------------ all faults in one go


def test_faults_of_different_records_are_all_reported() -> None:
    """Two people with a fault each are both named."""
    content = case_of()
    content["residents"][0]["rop"]["value"] = "perhaps"
    content["applicants"][0]["waiting_since"] = "2026-02-30"
    assert refused(encoded(content)) == [
        ("/applicants/0/waiting_since", "a date that exists, as YYYY-MM-DD"),
        ("/residents/0/rop/value", "`true` or `false`"),
    ]


def test_many_faults_of_one_record_are_all_reported() -> None:
    """A record's second and third fault do not wait for the first to be mended."""
    content = case_of()
    content["residents"][0] |= {"id": "😀", "shoe_size": 43, "moved_in": 1}
    assert [path for path, _ in refused(encoded(content))] == [
        "/residents/0",
        "/residents/0/id",
        "/residents/0/moved_in",
    ]


def test_faults_of_form_and_of_fit_are_reported_together() -> None:
    """A wrong type in one record does not hide that another points at nothing."""
    content = case_of()
    content["schemes"][0]["cameras"] = "two"
    content["residents"][0]["unit"] = "nowhere"
    assert refused(encoded(content)) == [
        ("/residents/0/unit", "the id of a unit in this document"),
        ("/schemes/0/cameras", "`true` or `false`"),
    ]


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/schemes/0/name", 1),
        ("/schemes/0/living_groups/0/name", None),
        ("/schemes/0/living_groups/0/units/0/floor", 1.5),
        ("/schemes/0/living_groups/0/units/0/status", "sold"),
        ("/schemes/0/kind", "castle"),
        ("/schemes/0/wifi", True),
    ],
)
def test_a_broken_scheme_does_not_hide_faults_of_people(pointer: str, value: Any) -> None:
    """Who lives and applies is checked also where the house is not sound, and no fault is told twice."""
    content = case_of()
    *above, last = place(pointer)
    inside(content, tuple(above))[last] = value
    content["residents"][0]["birth_date"]["value"] = "2020-01-01"
    content["applicants"][0]["resides_as"] = "nobody"
    found = refused(encoded(content))
    house = pointer.rpartition("/")[0] if pointer.endswith("wifi") else pointer
    assert [path for path, _ in found] == [
        "/applicants/0/resides_as",
        "/residents/0/birth_date/value",
        house,
    ]


def test_pointing_at_an_unsound_record_is_no_second_fault() -> None:
    """What points at a record that is refused itself is not refused for that."""
    content = case_of()
    content["residents"][0] |= {"moved_in": "2026-02-01", "move_out": "2026-01-01"}
    content["applicants"][0]["resides_as"] = "B-01"
    assert refused(encoded(content)) == [("/residents/0", "`move_out` on or after `moved_in`")]


def test_pointing_at_an_unsound_record_is_no_second_fault_however_it_is_written() -> None:
    """The same holds where the two write the id's letters in different ways."""
    content = case_of()
    content["residents"][0] |= {"id": "a\u030a", "moved_in": "2026-02-01", "move_out": "2026-01-01"}
    content["applicants"][0]["resides_as"] = "\u00e5"
    assert refused(encoded(content)) == [("/residents/0", "`move_out` on or after `moved_in`")]


def test_a_fault_that_names_another_record_names_its_place_in_the_document() -> None:
    """Where a fault says who else is concerned, it is the place in the document that it names."""
    content = case_of()
    sound = content["residents"][0]
    unsound = {**sound, "id": "B-00", "moved_in": "2026-02-01", "move_out": "2026-01-01"}
    content["residents"] = [unsound, sound, sound]
    assert refused(encoded(content)) == [
        ("/residents/0", "`move_out` on or after `moved_in`"),
        ("/residents/2/id", "an id of its own; /residents/1/id has the same one"),
        ("/residents/2/unit", "a unit where nobody else lives; /residents/1 lives there"),
    ]


def test_an_unsound_day_does_not_hide_what_does_not_fit_together() -> None:
    """A fault in `as_of` hides nothing that does not depend on the day."""
    content = case_of()
    content["as_of"] = "today"
    content["residents"][0]["unit"] = "nowhere"
    assert [path for path, _ in refused(encoded(content))] == ["/as_of", "/residents/0/unit"]


def test_faults_come_once_and_in_a_fixed_order() -> None:
    """Faults are sorted by place, indices by number, and none comes twice."""
    content = case_of()
    content["residents"] = [{"id": f"B-{i}", "unit": "provehuset-1", "rop": 1} for i in range(12)]
    paths = [path for path, _ in refused(encoded(content)) if path.endswith("/rop")]
    assert paths == [f"/residents/{i}/rop" for i in range(12)]


# ------------------------------------------------------------------------------- nothing is repeated

NAME = "Kari Nordmann"
NUMBER = "31129956715"
MAIL = "kari.nordmann@example.no"
WORDS = ("kari", "nordmann", NUMBER)


def _refusal(data: bytes) -> DocumentError | None:
    """Return the refusal of a document, or None if it is a case."""
    try:
        read_case(data)
    except DocumentError as error:
        return error
    return None


def _assert_silent(data: bytes) -> None:
    error = _refusal(data)
    if error is not None:
        said = f"{error}{error!r}{error.problems!r}".lower()
        assert not [word for word in WORDS if word in said]
        assert error.__cause__ is None


@pytest.mark.parametrize("secret", [NAME, NUMBER, int(NUMBER), [NAME], {NAME: NUMBER}, {NUMBER: NAME}, MAIL])
def test_no_value_is_repeated(secret: Any) -> None:
    """Whatever personal thing stands in whatever place, no fault repeats it."""
    for where in places(_loaded(BASE)):
        _assert_silent(with_value(where, secret))


@pytest.mark.parametrize("secret", [NAME, NUMBER, MAIL, f"{NUMBER}a", "Kari-Nordmann", "kåri_nordmann", ""])
def test_no_unknown_key_that_may_be_personal_is_repeated(secret: str) -> None:
    """A name or number that somebody used as a key is not repeated, in whatever object it stands."""
    for where in ((), *places(_loaded(BASE))):
        content = case_of()
        holder = inside(content, where)
        if isinstance(holder, dict):
            holder[secret] = secret
            _assert_silent(encoded(content))


@pytest.mark.parametrize("secret", ["Nordmann", "kari_nordmann", "KARINORDMANN"])
@pytest.mark.parametrize("pointer", ["/applicants/0", "/schemes/0/evidence", "/residents/0/gender"])
def test_no_name_of_one_word_is_repeated_as_a_key(pointer: str, secret: str) -> None:
    """A surname that somebody used as a key is not repeated either."""
    content = case_of()
    content["schemes"][0]["evidence"] = {}
    inside(content, place(pointer))[secret] = 1
    _assert_silent(encoded(content))


@pytest.mark.parametrize("secret", [NAME, NUMBER])
def test_a_personal_key_that_stands_twice_is_not_repeated(secret: str) -> None:
    """A key given twice is told without the key where it may be about a person."""
    _assert_silent(f'{{"{secret}": 1, "{secret}": 2}}'.encode())


def test_a_name_of_one_word_that_stands_twice_is_not_repeated() -> None:
    """A surname given twice as a key is not repeated."""
    _assert_silent(b'{"Nordmann": 1, "Nordmann": 2}')


@pytest.mark.parametrize("wrong", ["{", "[" * 100, "\ud800", "NaN", "9" * 5000])
def test_broken_json_around_personal_text_repeats_nothing(wrong: str) -> None:
    """JSON that cannot be read at all is not quoted."""
    text = f'{{"{NAME}": "{NUMBER}", "a": {wrong} '
    _assert_silent(text.encode("utf-8", "surrogatepass"))


# --------------------------------------------------------------------------------- anything whatever

_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=()), max_size=8),
    st.sampled_from(
        ["2026-11-22", "2026-02-30", "known", "B-01", "S-2026-001", "provehuset", "provehuset-1"]
    ),
)
_values: SearchStrategy[Any] = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def _read_or_refuse(data: bytes) -> None:
    error = _refusal(data)
    if error is None:
        return
    assert error.problems
    assert len(set(error.problems)) == len(error.problems)
    for problem in error.problems:
        assert re.fullmatch(r"(/[^/\n]+)*", problem.path)
        assert problem.expected
        assert "\n" not in problem.expected


@given(data=st.data(), value=_values, name=st.sampled_from([path.stem for path in SMALL_CASES]))
def test_a_changed_case_is_read_or_refused(data: st.DataObject, value: Any, name: str) -> None:
    """A valid case with anything put anywhere is either read or refused with faults, never anything else."""
    content = case_of(name)
    where: tuple[Any, ...] = data.draw(st.sampled_from(list(places(content))))
    *above, key = where
    holder: Any = inside(content, tuple(above))
    match data.draw(st.sampled_from(["put", "delete", "add", "repeat", "exchange"])):
        case "delete":
            del holder[key]
        case "add" if isinstance(holder, dict):
            holder[data.draw(st.text(max_size=10))] = value
        case "repeat" if isinstance(holder, list):
            holder.append(holder[key])
        case "exchange":
            other = data.draw(st.sampled_from(list(places(content))))
            holder[key] = copy.deepcopy(inside(content, other))
        case _:
            holder[key] = value
    _read_or_refuse(encoded(content))


@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Any bytes whatever are refused with faults, or are a case."""
    _read_or_refuse(data)


@given(value=_values)
def test_any_json_is_parsed_to_what_it_says(value: Any) -> None:
    """What is accepted as JSON is read as Python reads it."""
    data = encoded(value)
    try:
        parsed = parse_json(data)
    except DocumentError:
        return
    assert parsed == json.loads(data)


# ------------------------------------------------------------------------------------- lists are sets


def _shuffled(value: Any, shuffle: Callable[[list[Any]], None]) -> Any:
    if isinstance(value, dict):
        return {key: _shuffled(inner, shuffle) for key, inner in value.items()}
    if isinstance(value, list):
        inner = [_shuffled(item, shuffle) for item in value]
        shuffle(inner)
        return inner
    return value


@given(
    random=st.randoms(use_true_random=False),
    name=st.sampled_from(["golden-innvending", "golden-besokende"]),
)
def test_the_order_of_lists_does_not_change_the_hash(random: Any, name: str) -> None:
    """The hash of the facts is the same in whatever order the document lists them."""
    mixed = _shuffled(_loaded(name), random.shuffle)
    assert facts_sha256(read_case(encoded(mixed))) == facts_sha256(read_case(encoded(_loaded(name))))


def test_any_change_of_a_fact_changes_the_hash() -> None:
    """Two cases that differ in a fact have different hashes."""
    hashes = {facts_sha256(read_case(encoded(_loaded(BASE))))}
    changes = [("/as_of", "2026-11-23"), (FLOOR, 2), ("/residents/0/gender/value", "woman"), ("/notes", None)]
    for pointer, value in changes:
        hashes.add(facts_sha256(read_case(with_value(pointer, value))))
    assert len(hashes) == len(changes) + 1
