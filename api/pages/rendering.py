"""How pages are written: templates, what they can call, and the answer that carries them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

import allocator.casework.codes
import allocator.codes
from allocator.texts import Language, catalog, sentence_case
from api.pages import assets
from api.pages.forms import Form
from api.pages.language import NAMES, chosen, translations

TEMPLATES = Path(__file__).parent / "templates"

OSLO = ZoneInfo("Europe/Oslo")

_NORWEGIAN = (
    *("januar", "februar", "mars", "april", "mai", "juni"),
    *("juli", "august", "september", "oktober", "november", "desember"),
)
_ENGLISH = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@cache
def environment(language: Language) -> Environment:
    """Return what renders pages in a language."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    said = catalog(language.value)

    def code(kind: str, value: str) -> str:
        codes = getattr(allocator.casework.codes, kind, None) or getattr(allocator.codes, kind)
        return said.code(codes, value)

    def codes(kind: str) -> list[tuple[str, str]]:
        found: type[StrEnum] = getattr(allocator.casework.codes, kind, None) or getattr(allocator.codes, kind)
        return [(one.value, said.code(found, one.value)) for one in found]

    def day(value: str | date | datetime | None) -> str:
        """Return a day as it is written in running text: 26. november 2026."""
        if value is None:
            return ""
        on = _date(value)
        if language is Language.EN:
            return f"{on.day} {_ENGLISH[on.month - 1]} {on.year}"
        return f"{on.day}. {_NORWEGIAN[on.month - 1]} {on.year}"

    def moment(value: str | datetime | None) -> str:
        """Return a moment in Norway's time."""
        if value is None:
            return ""
        at = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(OSLO)
        clock = f"{at:%H:%M}" if language is Language.EN else f"kl. {at:%H.%M}"
        return f"{day(at)} {clock}"

    made.globals |= {
        "t": said,
        "code": code,
        "codes": codes,
        "icon": assets.icon,
        "asset": assets.url,
        "language": language.value,
        "blank": Form(),
        "languages": {one.value: name for one, name in NAMES.items()},
    }
    made.filters |= {
        "day": day,
        "short": lambda value: "" if value is None else said.day(_date(value)),
        "moment": moment,
        "capitalize_first": sentence_case,
        "twice": lambda value: (value, value),
        "code_of": lambda value, kind: code(kind, value),
    }
    return made


def _date(value: str | date | datetime) -> date:
    if isinstance(value, str):
        return date.fromisoformat(value[:10])
    return value.astimezone(OSLO).date() if isinstance(value, datetime) else value


def rendered(language: Language, template: str, content: Mapping[str, Any]) -> str:
    """Return a template filled in."""
    return environment(language).get_template(template).render(**content)


def answer(
    request: Request,
    template: str,
    content: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Return a page in the language of its reader."""
    language = chosen(request)
    given = {"request": request, "fragment": is_fragment(request), **content}
    page = HTMLResponse(rendered(language, template, given), status_code=status)
    page.headers["Content-Language"] = language.value
    page.headers["Vary"] = "Cookie, Accept-Language, HX-Request"
    page.headers.update(headers or {})
    return page


def is_fragment(request: Request) -> bool:
    """Return whether only part of a page is asked for, by the script that puts it in place."""
    return request.headers.get("hx-request") == "true"
