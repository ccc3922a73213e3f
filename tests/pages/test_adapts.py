"""Pages on paper, with letters twice as large, and in colours that the reader has chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.pages.site import Browsers, Site, Window

PLACES: Mapping[str, str] = {
    "/": "committee_secretary",
    "/cases": "caseworker",
    "/cases/S-2026-101": "caseworker",
    "/suggestions/suggestion-05": "committee_leader",
    "/suggestions/suggestion-05/entries/tunet-2": "committee_leader",
    "/units": "caseworker",
    "/units/tunet-2": "caseworker",
    "/schemes/strandgata": "scheme_leader",
    "/hearings/hearing-06": "committee_secretary",
    "/meetings/meeting-03": "committee_secretary",
    "/meetings/meeting-02/items/2": "committee_leader",
    "/decisions/decision-01": "caseworker",
    "/rules": "policy_owner",
    "/rules/age-mix": "policy_owner",
    "/log": "auditor",
    "/reports": "committee_secretary",
}
"""The main pages, and somebody who reads each."""

PAPER = 688
"""So many pixels are as wide as what is printed on an A4 sheet."""

_PRESSED = ".top, .foot, nav, form, button, .ds-button, .tour"


def _opened(browsers: Browsers, site: Site, path: str, **more: Any) -> Window:
    window = browsers.window(site, PLACES[path], **more)
    window.go(path)
    return window


def _overlapping(window: Window) -> list[str]:
    """Return tags that lie over the heading beside them."""
    found: list[str] = window.page.evaluate(
        """() => [...document.querySelectorAll('.agenda-item, .option-head, .page-head, .tasks h2')].flatMap(
            (row) => [...row.children].flatMap((one, i, all) => all.slice(i + 1).filter((other) => {
              const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
              const beside = a.right > b.left + 1 && b.right > a.left + 1;
              return beside && a.bottom > b.top + 1 && b.bottom > a.top + 1;
            }).map((other) => `${one.textContent} / ${other.textContent}`)))"""
    )
    return found


@pytest.mark.parametrize("path", PLACES)
def test_letters_twice_as_large_fit(shown: Site, browsers: Browsers, path: str) -> None:
    """By the size of letters, and by enlarging all: nothing is wider than the window or lies over another."""
    window = _opened(browsers, shown, path, width=1280)
    window.page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")
    window.open_all()
    assert window.sideways() == 0
    assert _overlapping(window) == []
    enlarged = _opened(browsers, shown, path, width=720, device_scale_factor=2)
    enlarged.open_all()
    assert enlarged.sideways() == 0
    assert _overlapping(enlarged) == []


@pytest.mark.parametrize("path", PLACES)
def test_on_paper_stands_what_is_said_and_nothing_to_press(
    shown: Site, browsers: Browsers, path: str
) -> None:
    """No menus, forms or buttons; black on white; panels open, unless they hold a form or are counted."""
    window = _opened(browsers, shown, path, width=PAPER)
    window.page.emulate_media(media="print")
    page = window.page
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.locator(_PRESSED).filter(visible=True).count() == 0
    expect(page.get_by_text("Kan inneholde taushetsbelagte opplysninger")).to_be_visible()
    assert window.sideways() == 0
    tinted: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('body, main, main .ds-card, main td, main .ds-tag')]
            .filter((one) => one.checkVisibility())
            .map((one) => getComputedStyle(one))
            .filter((style) => style.backgroundColor !== 'rgba(0, 0, 0, 0)' || style.color !== 'rgb(0, 0, 0)')
            .map((style) => `${style.color} on ${style.backgroundColor}`)"""
    )
    assert [one for one in tinted if not one.startswith("rgb(51, 51, 51) on rgba(0, 0, 0, 0)")] == []
    closed: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('main details')]
            .filter((one) => one.checkVisibility() && !one.matches('.kept'))
            .filter((one) => !one.lastElementChild.checkVisibility({contentVisibilityAuto: true}))
            .map((one) => one.textContent)"""
    )
    assert closed == []


def test_a_page_on_the_screen_says_nothing_of_paper(shown: Site, browsers: Browsers) -> None:
    """The line about who has printed it is for paper alone."""
    window = _opened(browsers, shown, "/cases/S-2026-101")
    expect(window.page.get_by_text("Kan inneholde taushetsbelagte opplysninger")).not_to_be_visible()


def test_in_chosen_colours_rooms_marks_and_what_is_chosen_are_seen(shown: Site, browsers: Browsers) -> None:
    """What tints and shadows say otherwise, is said by borders and by the reader's own colours."""
    dark = {"forced_colors": "active", "color_scheme": "dark"}
    page = _opened(browsers, shown, "/schemes/strandgata", **dark).page
    letter = page.locator(".figure").first.evaluate(
        "(one) => [getComputedStyle(one.firstElementChild).fill, getComputedStyle(one.lastElementChild).fill]"
    )
    assert letter[0] != letter[1]
    assert page.locator(".room").first.evaluate("(one) => getComputedStyle(one).borderTopStyle") == "solid"
    lines = page.locator(".main-menu a").evaluate_all(
        "(all) => all.map((one) => [one.matches('[aria-current]'), getComputedStyle(one).borderBottomColor])"
    )
    here = {color for current, color in lines if current}
    assert len(here) == 1
    assert here.isdisjoint({color for current, color in lines if not current})
    page = _opened(browsers, shown, "/cases", **dark).page
    chosen = page.locator(".views a").evaluate_all(
        "(all) => all.map((one) => [one.matches('[aria-current]'), getComputedStyle(one).backgroundColor])"
    )
    assert {color for current, color in chosen if current}.isdisjoint(
        {color for current, color in chosen if not current}
    )
    page = _opened(browsers, shown, "/suggestions/suggestion-05", **dark).page
    page.locator(".option h3 a").first.focus()
    ring = page.locator(".option h3 a").first.evaluate("(one) => getComputedStyle(one).outlineStyle")
    assert ring == "solid"
