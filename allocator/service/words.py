"""The word list: words of protected characteristics that do not belong in an objection (REQ-VET-2).

Finding one stops nothing and takes nothing away: the author and their leader are told. No rule reads it.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the entries of the list, and what to look for."""
    text = files("allocator.service").joinpath("words.txt").read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return tuple((line.rstrip("*"), _pattern(line)) for line in lines if line and not line.startswith("#"))


def _pattern(line: str) -> re.Pattern[str]:
    """Return what finds an entry: a beginning of words if it ends with a star, else whole words only."""
    words = r"\s+".join(re.escape(word) for word in line.rstrip("*").split())
    return re.compile(rf"\b{words}" + ("" if line.endswith("*") else r"\b"), re.IGNORECASE)


def found_words(*texts: str | None) -> tuple[str, ...]:
    """Return the entries of the word list that occur in some texts, in the order of the list."""
    said = [text for text in texts if text is not None]
    return tuple(entry for entry, pattern in _patterns() if any(pattern.search(text) for text in said))
