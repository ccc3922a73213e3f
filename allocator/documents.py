"""Reading a case or a policy from a document, with every fault named by its place.

A fault says where it is and what is expected there. It never repeats what stands there, since that may be
about a person.
"""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError

from allocator.model import (
    LAST_DAY,
    MUNICIPALITY_CODE,
    TEMPLATE,
    UNIT_NUMBER,
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
    expecting,
    inconsistencies,
)

MAX_BYTES = 64 * 1024 * 1024
"""Largest document that is read: some hundred thousand people."""

MAX_FAULTS = 1000
"""So many faults of records are looked for; a document with more is best mended in steps."""

MAX_DEPTH = 64
"""Deepest nesting that is read; a case has about ten levels."""


class DocumentError(ValueError):
    """A document that is refused, with all its faults, ordered by their place."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(f"{p.path}: {p.expected}" for p in problems))
        self.problems = problems


def case_schema() -> dict[str, Any]:
    """Return the JSON Schema of a case."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Snapshot.model_json_schema()}


def read_case(data: bytes) -> Snapshot:
    """Return the snapshot in a JSON document.

    Raises:
        DocumentError: The document is refused; all its faults are given in one go (but no more than
            `MAX_FAULTS` of its records').
    """
    content = parse_json(data)
    if not isinstance(content, dict):
        _refuse(expecting("", "an object"))
    try:
        return Snapshot.model_validate_json(data)
    except ValidationError as error:
        of_document = [
            fault for fault in faults(error) if not fault.path.startswith(tuple(f"/{p}/" for p in _PARTS))
        ]
    raise DocumentError(tuple(_in_order([*of_document, *_faults_of_records(content)])))


def parse_json(data: bytes) -> Any:
    """Return the value in a JSON document, refusing what JSON readers disagree about.

    Raises:
        DocumentError: It is too large, not UTF-8, not JSON, too deeply nested, has a key twice, or a number
            that is not finite.
    """
    if len(data) > MAX_BYTES:
        _refuse(expecting("", "a document of at most {size} MiB", size=MAX_BYTES // 2**20))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse(expecting("", "UTF-8 text; byte {byte} is not", byte=error.start))
    try:
        content = json.loads(text, object_pairs_hook=_object, parse_constant=_not_finite)
    except json.JSONDecodeError as error:
        at = {"line": error.lineno, "column": error.colno}
        _refuse(expecting("", "JSON; line {line}, column {column} is not", **at))
    except RecursionError:
        _refuse(_SHALLOW)
    except _RefusedError as refused:
        _refuse(refused.problem)
    except ValueError:
        _refuse(expecting("", "whole numbers of at most 18 digits"))
    if _depth(content) > MAX_DEPTH:
        _refuse(_SHALLOW)
    if re.search(r"\\u[dD][89a-fA-F]", text):
        try:
            json.dumps(content, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            _refuse(expecting("", "Unicode text; an escape for half a character stands alone"))
    return content


_SHALLOW = expecting("", "nesting of at most {levels} levels", levels=MAX_DEPTH)


class _RefusedError(Exception):
    """Something in the JSON text that is refused."""

    def __init__(self, template: str, **values: str) -> None:
        super().__init__(template)
        self.problem = expecting("", template, **values)


def _refuse(problem: Problem) -> NoReturn:
    raise DocumentError((problem,)) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                if key in _field_names():
                    raise _RefusedError("each key once in an object; `{key}` is there twice", key=key)
                raise _RefusedError("each key once in an object")
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


def _faults_of_records(content: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with each record, and what does not fit together among what is sound.

    Ids of unsound records count as known, so that one fault is not reported twice.
    """
    found: list[Problem] = []
    sound: dict[str, Any] = {}
    original: dict[str, list[int]] = {}
    ids: set[str] = set()
    for part, kind in _PARTS.items():
        adapter = TypeAdapter(kind)
        records, indices = [], []
        listed = content.get(part)
        for index, item in enumerate(listed if isinstance(listed, list) else ()):
            if len(found) >= MAX_FAULTS:
                rest = "fewer than {number} faults; mend these first, for the rest was not looked at"
                return [*found, expecting("", rest, number=MAX_FAULTS)]
            ids.update(_ids(item))
            record, wrong = _mended(adapter, item)
            found.extend(fault.model_copy(update={"path": f"/{part}/{index}{fault.path}"}) for fault in wrong)
            if record is not None:
                records.append(record)
                indices.append(index)
        sound[part], original[part] = tuple(records), indices
    case = _snapshot_at(content.get("as_of")).model_copy(update=sound)
    known = frozenset(ids) - _sound_ids(sound)
    found.extend(_moved(problem, original) for problem in inconsistencies(case, known))
    return found


def _moved(problem: Problem, original: Mapping[str, list[int]]) -> Problem:
    """Return a fault with places among the sound records turned into places of the document."""
    path = _at_original(problem.path, original)
    if not problem.template:
        return problem.model_copy(update={"path": path})
    values = {name: _at_original(value, original) for name, value in problem.values}
    return expecting(path, problem.template, **values)


def _snapshot_at(as_of: Any) -> Snapshot:
    """Return an empty snapshot of that day, or of the last one there is if it is unsound."""
    try:
        return Snapshot.model_validate_json(json.dumps({"as_of": as_of}))
    except ValidationError:
        return Snapshot(as_of=LAST_DAY)


_STAND_INS: Mapping[str, Any] = {"waiting_since": "1900-01-01", "name": "-"}
"""What stands in for a required field that is unsound and that nothing else depends on."""


def _mended(adapter: TypeAdapter[Any], item: Any) -> tuple[Any, list[Problem]]:
    """Return a record as it would be without its unsound fields, and what is wrong with it.

    The record is None if too little is left.
    """
    try:
        return adapter.validate_json(json.dumps(item)), []
    except ValidationError as error:
        wrong = faults(error)
        unsound = {entry["loc"][0] for entry in error.errors(include_input=False) if entry["loc"]}
    if not isinstance(item, dict):
        return None, wrong
    kept = {key: value for key, value in item.items() if key not in unsound}
    stand_ins = {key: value for key, value in _STAND_INS.items() if key in unsound}
    if "living_groups" in unsound:
        stand_ins["living_groups"] = [*_skeletons(item.get("living_groups"))]
    try:
        return adapter.validate_json(json.dumps(kept | stand_ins)), wrong
    except ValidationError:
        return None, wrong


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
            found.add(unicodedata.normalize("NFC", identifier))
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


def _at_original(text: str, original: Mapping[str, list[int]]) -> str:
    """Return a text with places among the sound records turned into places of the document."""

    def place(match: re.Match[str]) -> str:
        return f"/{match[1]}/{original[match[1]][int(match[2])]}"

    return re.sub(rf"/({'|'.join(_PARTS)})/([0-9]+)", place, text)


def _in_order(problems: list[Problem]) -> list[Problem]:
    def place(problem: Problem) -> list[tuple[int, int, str]]:
        return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in problem.path.split("/")]

    distinct = {(problem.path, problem.expected): problem for problem in problems}
    return sorted(distinct.values(), key=place)


# ----------------------------------------------------------------------------- one fault in words


def faults(error: ValidationError, names: frozenset[str] = frozenset()) -> list[Problem]:
    """Return what a model says is wrong with a document, as places and expectations of ours.

    Args:
        error: What it says.
        names: Fields of the model beside those of a case, that may be named.
    """
    found: list[Problem] = []
    for item in error.errors(include_input=False, include_url=False):
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, InconsistentSnapshotError):
            found.extend(cause.problems)
            continue
        found.append(_problem(item["type"], item["msg"], item.get("ctx", {}), item["loc"], names))
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
}

_FORMS = {
    MUNICIPALITY_CODE: "four digits",
    UNIT_NUMBER: "one of the letters H, L, U and K and four digits, as in H0102",
}
"""What a text of a form looks like, in words."""

_TEXT_AS_READ = "Value"
"""What pydantic calls a text whose length is looked at after we have read it; a list is called a list."""


def _problem(
    kind: str,
    message: str,
    context: Mapping[str, Any],
    location: Sequence[int | str],
    names: frozenset[str],
) -> Problem:
    known = _field_names() | names

    def pointer(parts: Sequence[int | str]) -> str:
        return _pointer([part for part in parts if not _names_a_type(part)], known)

    if kind == "extra_forbidden":
        *parent, field = location  # a field of theirs may be called anything, as a type of ours too
        return known_fields_only(pointer(parent), str(field), known)
    return expectation(pointer(location), kind, message, context)


def expectation(path: str, kind: str, message: str, context: Mapping[str, Any]) -> Problem:
    """Return what a model expects where it found a fault of that kind; what stands there is not repeated."""
    match kind:
        case "enum" | "literal_error":
            return _one_of(path, context["expected"].replace("'", "`"))
        case "greater_than_equal":
            return expecting(path, "at least {least}", least=context["ge"])
        case "less_than_equal":
            return expecting(path, "at most {most}", most=context["le"])
        case "string_too_long":
            return expecting(path, "at most {most} characters", most=context["max_length"])
        case "string_too_short" if context["min_length"] == 1:
            return expecting(path, "at least 1 character")
        case "string_too_short":
            return expecting(path, "at least {least} characters", least=context["min_length"])
        case "too_long" | "too_short" if context["field_type"] == _TEXT_AS_READ:
            return expectation(path, f"string_{kind}", message, context)
        case "too_long":
            return expecting(path, "at most {most} entries", most=context["max_length"])
        case "too_short" if context["min_length"] == 1:
            return expecting(path, "at least one entry")
        case "string_pattern_mismatch" if context["pattern"] in _FORMS:
            return expecting(path, _FORMS[context["pattern"]])
        case _ if kind in _EXPECTED:
            return expecting(path, _EXPECTED[kind])
        case _ if kind in _OURS:
            values = {name: value for name, value in context.items() if name != TEMPLATE}
            return expecting(path, context.get(TEMPLATE, message), **values)
        case _:
            return expecting(path, "a value of the form that the schema gives")


def _one_of(path: str, options: str) -> Problem:
    """Return that one of some options is expected, which a model lists as in an English sentence."""
    first, _, last = options.rpartition(" or ")
    if not first:
        return expecting(path, "one of: {options}", options=last)
    return expecting(path, "one of: {options} or {last}", options=first, last=last)


_OURS = frozenset(
    {
        "identifier",
        "yes",
        "nul",
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


def _pointer(location: list[int | str], known: frozenset[str]) -> str:
    return "".join(f"/{_safe(part, known)}" for part in location)


@cache
def _field_names() -> frozenset[str]:
    """Return every name that a field of ours has; only these are repeated in a fault."""
    names = {"case", "engine", "reader", "language", "compare", "first", *Snapshot.model_fields}
    for definition in Snapshot.model_json_schema()["$defs"].values():
        names.update(definition.get("properties", ()))
    return frozenset(names)


def _safe(part: int | str, known: frozenset[str]) -> str:
    return str(part) if isinstance(part, int) or part in known else "…"


def known_fields_only(path: str, key: str, known: Collection[str]) -> Problem:
    """Return what is expected instead of an unknown field, without repeating it."""
    meant = difflib.get_close_matches(key, sorted(known), n=1, cutoff=0.75)
    if not meant:
        return expecting(path, "only fields that the schema has")
    perhaps = "only fields that the schema has; perhaps `{field}` was meant"
    return expecting(path, perhaps, field=meant[0])
