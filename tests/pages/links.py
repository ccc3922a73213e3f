"""Which links on pages lead to pages, and which pages are of one kind."""

from __future__ import annotations

import re

NOT_FOLLOWED = re.compile(r"^/(api|static)/|/package$")
"""What a page links to that is no page."""

_WORDS = frozenset({"break-glass", "setup-code", "move-in"})


def route_of(path: str) -> str:
    """Return a path without what is different from record to record."""
    parts = path.partition("?")[0].strip("/").split("/")
    return "/" + "/".join(part if not part or part.isalpha() or part in _WORDS else "*" for part in parts)
