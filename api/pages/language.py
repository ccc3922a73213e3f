"""In which language a page is read, and its words.

The words of pages stand in the templates in bokmål; nynorsk and English are in
``locale/<language>/<topic>.po``. What the rules say, and what codes are called, is in ``allocator/texts``.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from fastapi import Request

from allocator.texts import Language
from api.refusals import words

COOKIE = "__Host-language"

LOCALE = Path(__file__).parent / "locale"

NAMES = {Language.NB: "Bokmål", Language.NN: "Nynorsk", Language.EN: "English"}


def chosen(request: Request) -> Language:
    """Return the language that the reader has chosen, or else the one that their browser prefers."""
    said = request.cookies.get(COOKIE)
    return Language(said) if said in set(Language) else words(request).language


@cache
def translations(language: Language) -> NullTranslations:
    """Return the words of pages in a language."""
    found = NullTranslations()
    for path in sorted((LOCALE / language.value).glob("*.po")):
        with path.open("rb") as file:
            content = read_po(file, locale=language.value)
        packed = BytesIO()
        write_mo(packed, content)
        packed.seek(0)
        read = Translations(fp=packed)
        read.add_fallback(found)
        found = read
    return found
