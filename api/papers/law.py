"""How a paper names the law: what each reference is about, and which of them no lawyer has confirmed yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from allocator.casework.law import LawRef
from allocator.texts import Catalog


def cited(ref: LawRef, words: Catalog) -> str:
    """Return what a reference is about, and where it stands."""
    return f"{ref.label(words.language.value)} ({ref})"


def marked(refs: Sequence[LawRef], words: Catalog) -> str:
    """Return references in a row, with a mark at those that no lawyer has confirmed."""
    if all(ref.unverified for ref in refs):
        return words("papers.law_marked", law=words.listing([str(ref) for ref in refs]))
    return words.listing(
        [words("papers.law_marked", law=str(ref)) if ref.unverified else str(ref) for ref in refs]
    )


def unconfirmed(refs: Iterable[LawRef], words: Catalog) -> str:
    """Return the sentence that says which references no lawyer has confirmed; empty if there are none."""
    named = {str(ref): ref.unverified for ref in refs}
    waiting = [name for name, unverified in named.items() if unverified]
    if not waiting:
        return ""
    if len(waiting) == len(named) > 1:
        return words("papers.law_unconfirmed")
    return words("papers.law_some_unconfirmed", list=words.listing(waiting))
