"""The pages of a demo office at an address of its own, and a real browser that walks through them."""

from __future__ import annotations

import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import allocator_web
import httpx
import uvicorn
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, sync_playwright

from allocator.service.login import Logins
from allocator.store.engine import Connections, connect
from api.app import create_office
from api.office import COOKIE
from fixtures.demo_office import ACCOUNTS, populate
from tests.browsers import QUICK, default_policy
from tests.databases import fresh
from tests.office import TODAY, Office

WIDTHS = (1440, 390, 320)
HEIGHT = 900
LANGUAGES = ("nb", "nn", "en")

WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Site(Office):
    """A demo office that is served.

    Args:
        database: A populated SQLite file, which is changed.
    """

    def __init__(self, database: Path) -> None:
        super().__init__(connections=Connections(connect(f"sqlite:///{database}")))
        self.logins = Logins(self.desk, QUICK)
        self.app = create_office(
            self.connections, self.clock, default_policy(), demo=True, logins=self.logins
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.server = uvicorn.Server(
            uvicorn.Config(self.app, port=self.port, log_level="warning", access_log=False)
        )
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive()
            time.sleep(0.01)

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Stop serving."""
        self.server.should_exit = True
        self.thread.join()
        self.close()

    def token(self, login: str) -> str:
        """Return the cookie of somebody who is logged in."""
        role = next(role for name, _, role, _, _ in ACCOUNTS if name == login)
        return self.logins.demo(role, login).token

    def client(self, login: str | None = None, language: str = "nb") -> httpx.Client:
        """Return what asks for pages without showing them, for somebody or nobody."""
        cookies = {"__Host-language": language} | ({} if login is None else {COOKIE: self.token(login)})
        header = "; ".join(f"{name}={value}" for name, value in cookies.items())
        headers = {"Cookie": header, "Sec-Fetch-Site": "same-origin"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=60)


@cache
def populated() -> Path:
    """Return a SQLite file with the demo office; it is copied, not changed."""
    address = fresh("sqlite")
    office = Office(connections=Connections(connect(address)))
    populate(office.storage, TODAY)
    office.connections.engine.dispose()
    return Path(address.removeprefix("sqlite:///"))


@contextmanager
def served() -> Iterator[Site]:
    """Yield a demo office of one's own."""
    path = Path(fresh("sqlite").removeprefix("sqlite:///"))
    shutil.copy(populated(), path)
    site = Site(path)
    try:
        yield site
    finally:
        site.stop()


@cache
def axe_source() -> str:
    """Return what checks accessibility."""
    return allocator_web.AXE.read_text(encoding="utf-8")


_DRAWN = """async () => {
    await document.fonts.ready
    for (let drawn = 0; drawn < 2; drawn++) await new Promise(requestAnimationFrame)
}"""


@dataclass
class Window:
    """A browser window of somebody at a site. What goes wrong in it, fails the test.

    Attributes:
        site: The site.
        page: The page that is open.
        problems: Errors of scripts, of the content security policy, and of loading.
    """

    site: Site
    context: BrowserContext
    page: Page
    problems: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Go to a page."""
        answer = self.page.goto(f"{self.site.address}{path}", wait_until="load")
        assert answer is not None
        assert answer.status < 500, (path, answer.status)
        return self.page

    def axe(self) -> list[str]:
        """Return what is not accessible on the page as it stands, by axe's rules for WCAG 2.2 A and AA."""
        self.page.evaluate(_DRAWN)
        if self.page.evaluate("typeof axe === 'undefined'"):
            self.page.evaluate(axe_source())  # evaluated, not added: the page's policy stays as it is
        found: dict[str, Any] = self.page.evaluate(
            "tags => axe.run({runOnly: tags, resultTypes: ['violations']})", list(WCAG)
        )
        return [
            f"{one['id']}: {node['target']} {node['failureSummary']}"
            for one in found["violations"]
            for node in one["nodes"]
        ]

    def open_all(self) -> None:
        """Open every panel on the page, and wait until they are."""
        self.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        self.page.evaluate(_DRAWN)

    def faults(self, *widths: int) -> list[str]:
        """Open every panel, and return what is wrong with the page as it is looked at.

        Args:
            widths: Where it must be accessible, else at each width. It is never wider than its window.
        """
        self.open_all()
        found: list[str] = []
        for width in WIDTHS:
            self.resize(width)
            wrong = self.axe() if width in (widths or WIDTHS) else []
            if self.sideways() > 0:
                wrong.append("wider than its window")
            found += [f"{self.page.url} {width}: {one}" for one in wrong]
        return found

    def resize(self, width: int) -> None:
        """Make the window as wide as this, in CSS pixels."""
        self.page.set_viewport_size({"width": width, "height": HEIGHT})

    def sideways(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        return int(
            self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        )


class Browsers:
    """Opens windows in Debian's Chromium, and closes them."""

    def __init__(self, chromium: Chromium) -> None:
        self.chromium = chromium
        self.windows: list[Window] = []

    def window(
        self,
        site: Site,
        login: str | None = None,
        *,
        width: int = 1440,
        language: str = "nb",
        scripts: bool = True,
        **more: Any,
    ) -> Window:
        """Return a window in which somebody is logged in, or nobody."""
        still: dict[str, Any] = {"reduced_motion": "reduce"}  # else things move while they are measured
        context = self.chromium.new_context(
            viewport={"width": width, "height": HEIGHT}, java_script_enabled=scripts, **{**still, **more}
        )
        cookies = {"__Host-language": language} | ({} if login is None else {COOKIE: site.token(login)})
        for name, value in cookies.items():
            context.add_cookies(
                [
                    {
                        "name": name,
                        "value": value,
                        "url": site.address.replace("http:", "https:"),
                        "secure": True,
                        "httpOnly": True,
                        "sameSite": "Lax",
                    }
                ]
            )
        window = Window(site, context, context.new_page())
        self.windows.append(window)
        window.page.on("pageerror", lambda error: window.problems.append(str(error)))
        window.page.on(
            "console",
            lambda message: (
                window.problems.append(message.text)
                if message.type in ("error", "warning") and not _expected(message.text)
                else None
            ),
        )
        window.page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((site.address, "data:", "blob:"))
                else window.problems.append(f"asks elsewhere: {request.url}")
            ),
        )
        return window

    def done(self, window: Window) -> None:
        """Close a window in which nothing may have gone wrong."""
        assert window.problems == []
        window.context.close()
        self.windows.remove(window)

    def close(self) -> list[str]:
        """Close all windows, and return what went wrong in them."""
        problems = [problem for window in self.windows for problem in window.problems]
        for window in self.windows:
            window.context.close()
        self.windows.clear()
        return problems


def _expected(text: str) -> bool:
    """Return whether the browser only says that an answer was a refusal, which tests check themselves."""
    return re.search(r"responded with a status of (401|403|404|409|412|422|503)", text) is not None


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Yield Debian's Chromium."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path is not None, "no Chromium: run `make setup`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()
