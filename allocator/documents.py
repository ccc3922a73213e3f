"""Reading a case or a policy from a document, with every fault named by its place.

A fault says where it is and what is expected there. It never repeats what stands there, since that may be
about a person.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError

from allocator.model import (
    Applicant,
    Conflict,
    InconsistentSnapshotError,
    Order,
    Problem,
    Record,
    Resident,
    Scheme,
    Snapshot,
    Veto,
    inconsistencies,
)

MAX_BYTES = 64 * 1024 * 1024
"""Largest document that is read: some hundred thousand people."""

MAX_DEPTH = 64
"""Deepest nesting that is read; a case has about ten levels."""


class DocumentError(ValueError):
    """A document that is refused, with all its faults, in document order."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(f"{p.path}: {p.expected}" for p in problems))
        self.problems = problems


def read_case(data: bytes) -> Snapshot:
    """Return the snapshot in a JSON document.

    Raises:
        DocumentError: The document is refused; all its faults are given in one go.
    """
    content = parse_json(data)
    try:
        return Snapshot.model_validate_json(data)
    except ValidationError as error:
        problems = faults(error)
    raise DocumentError(tuple(_in_order([*problems, *_inconsistencies_among_sound(content)])))


def parse_json(data: bytes) -> Any:
    """Return the value in a JSON document, refusing what JSON readers disagree about.

    Raises:
        DocumentError: It is too large, not UTF-8, not JSON, too deeply nested, has a key twice, or a number
            that is not finite.
    """
    if len(data) > MAX_BYTES:
        _refuse("", f"a document of at most {MAX_BYTES // 2**20} MiB")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse("", f"UTF-8 text; byte {error.start} is not")
    try:
        content = json.loads(text, object_pairs_hook=_object, parse_constant=_not_finite)
    except json.JSONDecodeError as error:
        _refuse("", f"JSON; line {error.lineno}, column {error.colno} is not")
    except RecursionError:
        _refuse("", _SHALLOW)
    except _RefusedError as refused:
        _refuse("", str(refused))
    except ValueError:
        _refuse("", "whole numbers of at most 18 digits")
    if _depth(content) > MAX_DEPTH:
        _refuse("", _SHALLOW)
    if re.search(r"\\u[dD][89a-fA-F]", text):
        try:
            json.dumps(content, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            _refuse("", "Unicode text; an escape for half a character stands alone")
    return content


_SHALLOW = f"nesting of at most {MAX_DEPTH} levels"


class _RefusedError(Exception):
    """Something in the JSON text that is refused."""


def _refuse(path: str, expected: str) -> NoReturn:
    raise DocumentError((Problem(path=path, expected=expected),)) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _RefusedError(f"each key once in an object{_named(key, '; twice: ')}")
            seen.add(key)
    return found


def _not_finite(_text: str) -> NoReturn:
    raise _RefusedError("finite numbers; NaN and Infinity are not JSON")


def _depth(content: Any) -> int:
    """Return how deep lists and objects are nested, looking no further than is allowed."""
    level, depth = [content], 0
    while level and depth <= MAX_DEPTH:
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(v for v in item.values() if isinstance(v, dict | list))
            elif isinstance(item, list):
                inner.extend(v for v in item if isinstance(v, dict | list))
        level, depth = inner, depth + 1
    return depth


# ------------------------------------------------------------------------------------- all faults


_PARTS: Mapping[str, type[Record]] = {
    "schemes": Scheme,
    "residents": Resident,
    "applicants": Applicant,
    "conflicts": Conflict,
    "orders": Order,
    "vetoes": Veto,
}


def _inconsistencies_among_sound(content: Any) -> list[Problem]:
    """Return what does not fit together among those records that are sound on their own.

    Ids of unsound records count as known, so that one fault is not reported twice.
    """
    if not isinstance(content, dict):
        return []
    sound: dict[str, Any] = {}
    original: dict[str, list[int]] = {}
    ids: set[str] = set()
    for part, kind in _PARTS.items():
        adapter = TypeAdapter(kind)
        records, indices = [], []
        listed = content.get(part)
        for index, item in enumerate(listed if isinstance(listed, list) else ()):
            ids.update(_ids(item))
            record = _mended(adapter, item)
            if record is not None:
                records.append(record)
                indices.append(index)
        sound[part], original[part] = tuple(records), indices
    try:
        base = Snapshot.model_validate_json(json.dumps({"as_of": content.get("as_of")}))
    except ValidationError:
        return []
    case = base.model_copy(update=sound)
    known = frozenset(ids) - _sound_ids(sound)
    return [
        Problem(path=_at_original(problem.path, original), expected=problem.expected)
        for problem in inconsistencies(case, known)
    ]


_STAND_INS: Mapping[str, Any] = {"waiting_since": "1900-01-01", "name": "-"}
"""What stands in for a required field that is unsound and that nothing else depends on."""


def _mended(adapter: TypeAdapter[Any], item: Any) -> Any:
    """Return a record as it would be without its unsound fields, or None if too little is left."""
    for _ in range(2):
        try:
            return adapter.validate_json(json.dumps(item))
        except ValidationError as error:
            if not isinstance(item, dict):
                return None
            unsound = {entry["loc"][0] for entry in error.errors(include_input=False) if entry["loc"]}
            kept = {key: value for key, value in item.items() if key not in unsound}
            stand_ins = {key: value for key, value in _STAND_INS.items() if key in unsound}
            if "living_groups" in unsound:
                stand_ins["living_groups"] = [*_skeletons(item.get("living_groups"))]
            item = kept | stand_ins
    return None


def _skeletons(groups: Any) -> Iterator[dict[str, Any]]:
    """Yield living groups with nothing but their ids, so that those who live there can be checked."""
    for group in groups if isinstance(groups, list) else ():
        units = group.get("units") if isinstance(group, dict) else None
        yield {
            "id": group.get("id") if isinstance(group, dict) else None,
            "name": "-",
            "units": [
                {"id": unit.get("id"), "status": "occupied"}
                for unit in (units if isinstance(units, list) else ())
                if isinstance(unit, dict)
            ],
        }


def _ids(item: Any) -> set[str]:
    found: set[str] = set()
    if isinstance(item, dict):
        identifier = item.get("id")
        if isinstance(identifier, str):
            found.add(identifier)
        for value in item.values():
            if isinstance(value, list):
                for inner in value:
                    found |= _ids(inner)
    return found


def _sound_ids(sound: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    for part in sound.values():
        for record in part:
            found |= _ids(record.model_dump(mode="json"))
    return found


def _at_original(path: str, original: Mapping[str, list[int]]) -> str:
    _, part, index, *rest = path.split("/")
    return "/".join(["", part, str(original[part][int(index)]), *rest])


def _in_order(problems: list[Problem]) -> list[Problem]:
    def place(problem: Problem) -> list[tuple[int, int, str]]:
        return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in problem.path.split("/")]

    distinct = {(problem.path, problem.expected): problem for problem in problems}
    return sorted(distinct.values(), key=place)


# ----------------------------------------------------------------------------- one fault in words


def faults(error: ValidationError) -> list[Problem]:
    """Return what a model says is wrong with a document, as places and expectations of ours."""
    found: list[Problem] = []
    for item in error.errors(include_input=False, include_url=False):
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, InconsistentSnapshotError):
            found.extend(cause.problems)
            continue
        location = [part for part in item["loc"] if not _names_a_type(part)]
        found.append(_problem(item["type"], item["msg"], item.get("ctx", {}), location))
    return found


def _names_a_type(part: int | str) -> bool:
    """Return whether a part of a location names a type of ours rather than a place in the document."""
    return isinstance(part, str) and "[" in part


_EXPECTED = {
    "missing": "this field",
    "string_type": "text",
    "bool_type": "`true` or `false`",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "list_type": "a list",
    "tuple_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "date_type": "a date written as YYYY-MM-DD",
    "date_parsing": "a date written as YYYY-MM-DD",
    "date_from_datetime_parsing": "a date that exists, written as YYYY-MM-DD",
    "string_unicode": "Unicode text",
    "json_invalid": "JSON",
    "string_pattern_mismatch": "text of the form that the schema gives",
}


def _problem(kind: str, message: str, context: Mapping[str, Any], location: list[int | str]) -> Problem:
    match kind:
        case "extra_forbidden":
            *parent, field = location
            return Problem(
                path=_pointer(parent),
                expected=f"no field{_named(str(field), ' ', ' that')} the schema does not have",
            )
        case "enum" | "literal_error":
            expected = f"one of: {context['expected']}".replace("'", "`")
        case "greater_than_equal":
            expected = f"at least {context['ge']}"
        case "less_than_equal":
            expected = f"at most {context['le']}"
        case "string_too_long":
            expected = f"at most {context['max_length']} characters"
        case "string_too_short":
            expected = f"at least {context['min_length']} character"
        case _ if kind in _EXPECTED:
            expected = _EXPECTED[kind]
        case _ if kind in _OURS:
            expected = message
        case _:
            expected = "a value of the form that the schema gives"
    return Problem(path=_pointer(location), expected=expected)


_OURS = frozenset(
    {
        "identifier",
        "iso_date",
        "known_fact",
        "unheld_fact",
        "oral_fact",
        "date_order",
        "order",
        "vacant_since",
        "document",
        "self_conflict",
        "counterpart",
        "frequents",
        "order_reach",
        "veto_scope",
    }
)
"""Kinds of fault whose message is our own and quotes nothing."""


def _pointer(location: list[int | str]) -> str:
    return "".join(f"/{_safe(part)}" for part in location)


_FIELD = re.compile(r"[A-Za-z_]{1,40}")


def _safe(part: int | str) -> str:
    return str(part) if isinstance(part, int) or _FIELD.fullmatch(part) else "…"


def _named(key: str, before: str, after: str = "") -> str:
    """Return a key in backticks if it looks like the name of a field and not like something personal."""
    return f"{before}`{key}`{after}" if _FIELD.fullmatch(key) else after
