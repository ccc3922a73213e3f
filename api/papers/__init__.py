"""Papers of the office as PDF: accessible (PDF/UA-1) and fit for an archive (PDF/A-2a), written by typst.

A paper is a list of blocks. What people have written is in them as it is, and goes to typst as data: nothing
in it is read as markup. The same paper gives the same bytes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, TypeAlias

import orjson
import typst

from allocator.texts import Catalog

_TEMPLATE = Path(__file__).parent / "paper.typ"

KEPT = (
    "\\n -~\u00a0-\u036f\u0391-\u03a1\u03a3-\u03ff\u0400-\u04ff\u1e00-\u1eff"
    "\u2010-\u2027\u2030-\u2040\u2044-\u205e\u20a0-\u20c0\u2190-\u22ff\u25a0-\u25ff"
)
"""The characters that the embedded font has, as in a set of a regular expression."""

INSTEAD = "\u25a1"
"""Stands for characters that the font does not have: a paper for an archive may not leave a hole."""

_OTHER = re.compile(f"[^{KEPT}]+")

Block: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Paper:
    """What a paper says.

    Attributes:
        title: Its title; names nobody.
        words: The sentences of its language.
        on: Its date.
        blocks: What stands under the title.
        before: What stands above it.
        reference: What it is about, in the foot of each page.
        mark: Why it is not public, in the head of each page.
    """

    title: str
    words: Catalog
    on: date
    blocks: Sequence[Block]
    before: Sequence[Block] = field(default=())
    reference: str = ""
    mark: str = ""


def heading(text: str, level: int = 1) -> Block:
    """Return a heading."""
    return {"kind": "heading", "level": level, "text": text}


def text(said: str) -> Block:
    """Return running text; an empty line begins a paragraph."""
    return {"kind": "text", "text": said}


def lead(said: str) -> Block:
    """Return a word in bold that says what follows."""
    return {"kind": "lead", "text": said}


def small(said: str) -> Block:
    """Return a note in small print."""
    return {"kind": "small", "text": said}


def points(items: Sequence[str]) -> Block:
    """Return a list."""
    return {"kind": "list", "items": list(items)}


def facts(*rows: tuple[str, str | None]) -> Block:
    """Return names with what they are; those that are nothing are left out."""
    return {"kind": "facts", "rows": [[name, said] for name, said in rows if said]}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Block:
    """Return a table."""
    return {"kind": "table", "head": list(head), "rows": [list(row) for row in rows]}


def address(to: Sequence[str], on: str) -> Block:
    """Return to whom a letter is, and its date."""
    return {"kind": "address", "to": list(to), "date": on}


def closing(said: str) -> Block:
    """Return how a letter ends."""
    return {"kind": "closing", "text": said}


def sign(*names: str) -> Block:
    """Return where people sign."""
    return {"kind": "sign", "names": list(names)}


def pdf(paper: Paper) -> bytes:
    """Return a paper as PDF."""
    content = {
        "title": paper.title,
        "language": paper.words.language.value,
        "date": [paper.on.year, paper.on.month, paper.on.day],
        "reference": paper.reference,
        "mark": paper.mark,
        "page": paper.words("papers.page"),
        "of": paper.words("papers.of"),
        "before": list(paper.before),
        "blocks": list(paper.blocks),
    }
    made = typst.compile(
        _TEMPLATE,
        format="pdf",
        sys_inputs={"paper": orjson.dumps(_writable(content)).decode()},
        pdf_standards=["ua-1", "a-2a"],  # what it can tell is not that, it refuses to write
        ignore_system_fonts=True,
        timestamp=int(datetime.combine(paper.on, time(), UTC).timestamp()),
    )
    assert isinstance(made, bytes)
    return made


def _writable(value: Any) -> Any:
    """Return plain values in letters that the font has."""
    if isinstance(value, str):
        plain = unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\t", " ")
        return _OTHER.sub(INSTEAD, plain)
    if isinstance(value, Mapping):
        return {key: _writable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(item) for item in value]
    return value
