"""Brings the translations of pages up to date with the templates, or says what is missing.

`python scripts/texts.py` adds what is new to ``api/pages/locale/<language>/<topic>.po`` and takes out what is
no longer there; `--check` changes nothing and fails if there is anything to add, take out or translate. The
topic is the directory of the template; those in none, and the macros, have one in common.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "api" / "pages"
TEMPLATES = PAGES / "templates"
LANGUAGES = ("nn", "en")
COMMON = "common"

Texts = dict[str | tuple[str, ...], set[str]]
"""What a topic says, and in which templates."""

_PLACEHOLDER = re.compile(r"(?<!%)%\((\w+)\)s")


def topic_of(path: Path) -> str:
    """Return the topic of a template."""
    inner = path.relative_to(TEMPLATES)
    return inner.parts[0] if len(inner.parts) > 1 and inner.parts[0] != "macros" else COMMON


def said() -> dict[str, Texts]:
    """Return what templates say, by topic, and where."""
    found: dict[str, Texts] = {}
    for path in sorted(TEMPLATES.rglob("*.*")):
        options = {"trimmed": "true", "extensions": "jinja2.ext.do"}
        for _line, message, _comments, _context in extract_from_file(
            "jinja2.ext:babel_extract", path, options=options
        ):
            text = tuple(message) if isinstance(message, list | tuple) else message
            place = str(path.relative_to(PAGES))
            found.setdefault(topic_of(path), {}).setdefault(text, set()).add(place)
    return found


def place_of(topic: str, language: str) -> Path:
    """Return where a topic's translations are."""
    return PAGES / "locale" / language / f"{topic}.po"


def kept(topic: str, language: str) -> Catalog:
    """Return a topic's translations as they are."""
    path = place_of(topic, language)
    if not path.exists():
        return Catalog(language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def updated(topic: str, language: str, texts: Texts) -> Catalog:
    """Return a topic's translations with what is gone taken out, and what is new added.

    What another topic says already is said the same way.
    """
    own, new = kept(topic, language), Catalog(language, fuzzy=False)
    others = [kept(path.stem, language) for path in sorted(place_of(topic, language).parent.glob("*.po"))]
    for text in sorted(texts, key=str):
        known = (one.get(text if isinstance(text, str) else text[0]) for one in (own, *others))
        new.add(text, next((one.string for one in known if one is not None and all(_forms(one.string))), ""))
    return new


def faults(topic: str, language: str, texts: Texts) -> list[str]:
    """Return what is wrong with a topic's translations."""
    known, wanted = kept(topic, language), updated(topic, language, texts)
    there, said_now = {str(one.id) for one in known if one.id}, {str(one.id) for one in wanted if one.id}
    return (
        [f"run scripts/texts.py: {text}" for text in sorted(there ^ said_now)]
        + [f"not translated: {one.id}" for one in wanted if one.id and not all(_forms(one.string))]
        + [f"other placeholders: {one.id}" for one in wanted if one.id and not _agree(one)]
    )


def leftover(topics: Collection[str], language: str) -> list[Path]:
    """Return translations of topics that are no longer there."""
    return [path for path in sorted((PAGES / "locale" / language).glob("*.po")) if path.stem not in topics]


def main(*, check: bool, only: Collection[str] = ()) -> int:
    """Do it. Returns how many things are wrong."""
    wrong = []
    topics = said()
    for language in LANGUAGES:
        for path in leftover(topics, language):
            wrong.append(f"{path.relative_to(ROOT)}: nothing says this any more")
            if not check:
                path.unlink()
        for topic, texts in sorted(topics.items()):
            if only and topic not in only:
                continue
            path = place_of(topic, language)
            if not check:
                made = updated(topic, language, texts)
                path.parent.mkdir(exist_ok=True)
                with path.open("wb") as file:
                    write_po(file, made, width=110, omit_header=True, sort_output=False)
            wrong += [f"{path.relative_to(ROOT)}: {fault}" for fault in faults(topic, language, texts)]
    for fault in wrong:
        print(fault)
    return len(wrong)


def _forms(text: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [text or ""] if isinstance(text, str | None) else list(text)


def _agree(one: Message) -> bool:
    """Return whether a translation is filled with the same values; one of several forms may need fewer."""
    wanted = {name for form in _forms(one.id) for name in _PLACEHOLDER.findall(form)}
    forms = [set(_PLACEHOLDER.findall(form)) for form in _forms(one.string) if form]
    return all(form <= wanted for form in forms) and (not forms or set().union(*forms) == wanted)


if __name__ == "__main__":
    named = [argument for argument in sys.argv[1:] if argument != "--check"]
    sys.exit(min(main(check="--check" in sys.argv, only=named), 1))
