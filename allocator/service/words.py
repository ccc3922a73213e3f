"""The word list: words of protected characteristics that do not belong in an objection (REQ-VET-2).

Finding one stops nothing: author and leader are told, and the committee sees that they were.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return what to look for: each line of the list is the beginning of a word."""
    text = files("allocator.service").joinpath("words.txt").read_text(encoding="utf-8")
    stems = (line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return tuple((stem, re.compile(rf"\b{re.escape(stem)}", re.IGNORECASE)) for stem in stems)


def found_words(*texts: str | None) -> tuple[str, ...]:
    """Return the entries of the word list that occur in some texts, in the order of the list."""
    return tuple(
        stem
        for stem, pattern in _patterns()
        if any(text is not None and pattern.search(text) for text in texts)
    )
