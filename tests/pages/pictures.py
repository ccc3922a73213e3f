"""Takes a picture of every kind of page, at the width of a laptop and of a phone, and lists them.

python -m tests.pages.pictures
"""

from __future__ import annotations

import base64
import html
import logging
import re
from pathlib import Path

import structlog
from playwright.sync_api import BrowserContext, Page

from tests.pages.links import first_of_each_kind
from tests.pages.site import Browsers, chromium, served

FOLDER = Path(__file__).parents[2] / "docs" / "pages"
WIDTHS = (1440, 390)
SCALE = 0.75
TALLEST = 4000
"""Pixels; what stands further down on a page is left out."""


def name_of(kind: str) -> str:
    """Return what a kind of page is called in a file name."""
    return re.sub(r"[{}]", "", kind).strip("/").replace("/", "-") or "start"


def taken(context: BrowserContext, page: Page) -> bytes:
    """Return a picture of a whole page, as WebP."""
    size = page.evaluate("[innerWidth, document.documentElement.scrollHeight]")
    shot = context.new_cdp_session(page).send(
        "Page.captureScreenshot",
        {
            "format": "webp",
            "quality": 50,
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": size[0], "height": min(size[1], TALLEST), "scale": SCALE},
        },
    )
    return base64.b64decode(shot["data"])


def main() -> None:
    """Take them all."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.webp"):
        old.unlink()
    lines = ["# The pages", "", "As `make demo` shows them. Everybody in the pictures is invented.", ""]
    with served() as site, chromium() as browser:
        for kind, (login, path) in sorted(first_of_each_kind(site).items(), key=lambda one: one[0]):
            browsers, pictures, title = Browsers(browser), [], ""
            for width in WIDTHS:
                window = browsers.window(site, login, width=width)
                page = window.go(path)
                title = page.title().partition(" – ")[0]
                name = f"{name_of(kind)}-{width}.webp"
                (FOLDER / name).write_bytes(taken(window.context, page))
                alt = html.escape(f"{title}, {width} px")
                pictures.append(f'<img src="{name}" alt="{alt}" width="{width // 3}">')
            browsers.close()
            lines += [f"## {title}", "", f"`{kind}`, as {login or 'nobody'}", "", *pictures, ""]
    (FOLDER / "README.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
