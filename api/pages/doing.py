"""Doing what a form says: on to the next page, or the same page with what to mend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fastapi import Response

from allocator.documents import DocumentError
from allocator.model import Problem, expecting
from allocator.service.desk import Shown
from api.pages.forms import NEEDED, Form
from api.pages.refusing import MENDABLE, shown_again
from api.pages.visit import Visit, to


def done(
    visit: Visit,
    form: Form,
    use: str,
    target: str | None = None,
    *,
    page: Callable[[Form, int], Response],
    then: str | Callable[[Shown], str | Response],
    anchor: str | None = None,
    needed: Iterable[str] = (),
    more: Mapping[str, Any] | None = None,
) -> Response:
    """Do what a form says, and send the browser on.

    Args:
        visit: Who does it.
        form: What they say.
        use: The use case.
        target: The record to act on.
        page: Makes the page with the form again, given the form and the status.
        then: Where the browser is sent; or what finds it from what was done, or answers by itself.
        anchor: Where on that page.
        needed: Fields that must be filled in, whether or not the use case asks for them; with them those that
            the page marked so for what it showed.
        more: What the page knows without asking.

    Raises:
        NotFoundError: What it is about is not there, or not for them.
        ForbiddenError: They may not do it.
    """
    needed = (*needed, *(name for name in form.chosen(NEEDED) if name in form.given))
    try:
        check_filled(visit, form, use, needed, more)
        shown = visit.do(use, form, target, more=more)
    except MENDABLE as error:
        return shown_again(visit.request, form, error, page, needed)
    ahead = then if isinstance(then, str) else then(shown)
    return to(ahead, use, anchor) if isinstance(ahead, str) else ahead


def check_filled(
    visit: Visit, form: Form, use: str, needed: Iterable[str], more: Mapping[str, Any] | None = None
) -> None:
    """Refuse a form in which a field that must be filled in is empty, with all else that is wrong in it.

    Raises:
        DocumentError: One is.
    """
    missing = form.empty(needed)
    if not missing:
        return
    found: tuple[Problem, ...] = ()
    try:
        visit.command(use, form, more)
    except DocumentError as error:
        found = error.problems
    raise DocumentError((*found, *(expecting(f"/{name}", "this field") for name in missing)))
