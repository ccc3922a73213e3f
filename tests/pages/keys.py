"""Somebody without a mouse: what they reach by the keyboard, its name, and where the focus stands."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

MOST = 250
"""So many times Tab is pressed before something counts as out of reach."""

_SEEN = """() => {
    const one = document.activeElement;
    const drawn = getComputedStyle(one), box = one.getBoundingClientRect();
    const inside = one.type === "date" && !one.matches(":focus"); // on its button, which Chromium frames
    return {
        tag: one.tagName,
        ring: inside || (drawn.outlineStyle !== "none" && parseFloat(drawn.outlineWidth) > 0),
        shown: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
    };
}"""


class Keys:
    """A page that is used with the keyboard alone.

    Args:
        page: The page, in Chromium.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.browser = page.context.new_cdp_session(page)

    def name(self) -> str:
        """Return what a screen reader calls what has the focus."""
        found = self.browser.send("Runtime.evaluate", {"expression": "document.activeElement"})
        asked = {"objectId": found["result"]["objectId"], "fetchRelatives": False}
        node: dict[str, Any] = self.browser.send("Accessibility.getPartialAXTree", asked)["nodes"][0]
        return " ".join(str(node.get("name", {}).get("value", "")).split())

    def standing(self, where: str = "") -> str:
        """Return what has the focus; it must be something, be drawn as such, and be seen."""
        seen = self.page.evaluate(_SEEN)
        name = self.name()
        assert seen["tag"] != "BODY", f"the focus is lost {where}"
        assert seen["ring"], f"nothing shows that the focus is on {name!r}"
        assert seen["shown"], f"{name!r} has the focus and is not seen"
        return name

    def to(self, name: str | re.Pattern[str], *, back: bool = False) -> None:
        """Press Tab, or Shift and Tab, until something of that name has the focus."""
        passed: list[str] = []
        for _ in range(MOST):
            self.page.keyboard.press("Shift+Tab" if back else "Tab")
            passed.append(self.standing(f"after {passed}"))
            if re.fullmatch(name, passed[-1]) if isinstance(name, re.Pattern) else name == passed[-1]:
                return
        raise AssertionError(f"{name} is not reached: {passed}")

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, name: str | re.Pattern[str], said: str, *, back: bool = False) -> None:
        """Go to a field, and write in it."""
        self.to(name, back=back)
        self.page.keyboard.type(said)

    def choose(self, name: str | re.Pattern[str], words: str, *, back: bool = False) -> None:
        """Go to a list, and choose what begins with some words with the arrows."""
        self.to(name, back=back)
        field = self.page.locator(":focus")
        count = field.locator("option").count()
        for _ in range(count):
            if _chosen(field).startswith(words):
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{words} cannot be chosen in {name}")

    def enter(self, name: str | re.Pattern[str], *, back: bool = False) -> None:
        """Go to a link or a button, and press Enter."""
        self.to(name, back=back)
        self.page.keyboard.press("Enter")

    def told(self, words: str) -> None:
        """Expect that what was done is said where the focus stands."""
        expect(self.page.locator(":focus")).to_contain_text(words)
        self.standing()


def _chosen(field: Any) -> str:
    return str(field.evaluate("one => one.selectedOptions[0].text")).strip()
