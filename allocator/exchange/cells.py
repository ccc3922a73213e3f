"""What stands in a cell, and what it means: codes, dates, yes and no, lists and texts, there and back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from typing import Any

from allocator.documents import DocumentError, parse_json
from allocator.exchange.columns import Column, Shape

MAX_CELL = 32_767
"""Most characters that a cell can hold."""

EMPTY_LIST = "-"
"""Says that it is known that there are none; an empty cell says nothing."""

_YES = frozenset({"ja", "yes", "true", "1", "sant"})
_NO = frozenset({"nei", "no", "false", "0", "usant"})
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NORWEGIAN = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_EXACT = 10**15
"""From here on a spreadsheet's numbers are no longer what was typed."""


class CellError(ValueError):
    """A cell is not what its column is for; the message says what is expected."""


def read_cell(column: Column, value: Any) -> Any:
    """Return what a cell says, as JSON has it; None if it says nothing.

    Raises:
        CellError: It is not what the column is for.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return _READERS[column.shape](column, value)


def _text(_column: Column, value: Any) -> str:
    if isinstance(value, str):
        return _unquoted(value)
    return _number_as_text(value)


def _name(_column: Column, value: Any) -> str:
    return value.strip() if isinstance(value, str) else _number_as_text(value)


def _number_as_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or abs(value) >= _EXACT:
        raise CellError("text; format the cell as text before it is written")
    return str(value)


def _code(column: Column, value: Any) -> str:
    code = _codes(column).get(value.strip().casefold()) if isinstance(value, str) else None
    if code is None:
        raise CellError(f"one of: {_quoted(column.codes)}")
    return code


def _codes(column: Column) -> dict[str, str]:
    """Return the codes of a column by how they may be written: small and capital letters mean the same."""
    return {code.casefold(): str(code) for code in column.codes}


def _list(column: Column, value: Any) -> list[str]:
    text = value if isinstance(value, str) else _number_as_text(value)
    if text.strip() == EMPTY_LIST:
        return []
    parts = [part.strip() for part in re.split(r"[,;\n]", text)]
    parts = [part for part in parts if part]
    if not column.codes:
        return parts
    known = _codes(column)
    codes = [known[part.casefold()] for part in parts if part.casefold() in known]
    if len(codes) < len(parts):
        raise CellError(f"some of these, with commas between: {_quoted(column.codes)}")
    return codes


def _bool(_column: Column, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().casefold() if isinstance(value, str | int) else ""
    if word in _YES or word in _NO:
        return word in _YES
    raise CellError("`ja` or `nei`")


def _int(_column: Column, value: Any) -> int:
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    raise CellError("a whole number")


def _date(_column: Column, value: Any) -> str:
    if isinstance(value, datetime):
        if value.time() != time(0):
            raise CellError("a date without a time of day")
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    text = value.strip() if isinstance(value, str) else ""
    if (norwegian := _NORWEGIAN.fullmatch(text)) is not None:
        text = f"{norwegian[3]}-{int(norwegian[2]):02}-{int(norwegian[1]):02}"
    if not _ISO.fullmatch(text):
        raise CellError("a date")
    return text


def _json(_column: Column, value: Any) -> Any:
    try:
        content = parse_json(value.encode()) if isinstance(value, str) else None
    except (DocumentError, UnicodeEncodeError):
        content = None
    if not isinstance(content, dict):
        raise CellError("an object in JSON")
    return content


_READERS: dict[Shape, Callable[[Column, Any], Any]] = {
    Shape.TEXT: _text,
    Shape.NAME: _name,
    Shape.CODE: _code,
    Shape.LIST: _list,
    Shape.BOOL: _bool,
    Shape.INT: _int,
    Shape.DATE: _date,
    Shape.JSON: _json,
}


def written_cell(column: Column, value: Any) -> Any:
    """Return what is written for a value as JSON has it: text, a number or a date.

    Raises:
        CellError: It is longer than a cell can hold.
    """
    match column.shape:
        case Shape.INT:
            return value
        case Shape.DATE:
            return date.fromisoformat(value)
        case Shape.BOOL:
            return "ja" if value else "nei"
        case Shape.LIST:
            written = ", ".join(value) if value else EMPTY_LIST
        case Shape.JSON:
            written = json.dumps(value, sort_keys=True)
        case Shape.TEXT:
            written = _quoted_if_needed(value)
        case _:
            written = value
    if len(written) > MAX_CELL:
        raise CellError(f"at most {MAX_CELL} characters in a cell; the JSON document has no such limit")
    return written


def _quoted(codes: Iterable[str]) -> str:
    return ", ".join(f"`{code}`" for code in codes)


# A spreadsheet keeps some characters of a text as they are not: control characters, spaces at the ends, and
# `x005F_`, which stands for an underscore in its files. Such a text is written as JSON writes it, in quotes.

_FRAGILE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ufffe\uffff\u2028\u2029]|x005F_|_x[0-9A-Fa-f]{4}_")


def _quoted_if_needed(text: str) -> str:
    if text == text.strip() and text and not _FRAGILE.search(text) and _unquoted(text) == text:
        return text
    written = json.dumps(text, ensure_ascii=False).replace("_x", "_\\u0078")
    written = written.replace("x005F_", "\\u0078005F_")
    return _FRAGILE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            content = json.loads(text)
        except ValueError:
            return text
        if isinstance(content, str):
            return content
    return text
