"""What the tests of pages share: one browser, one demo office that is only looked at, and ones to change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser as Chromium

from tests.pages.site import Browsers, Site, chromium, served


@pytest.fixture(scope="session")
def chrome() -> Iterator[Chromium]:
    """The browser."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def browsers(chrome: Chromium) -> Iterator[Browsers]:
    """Opens windows; whatever goes wrong in one of them fails the test."""
    opened = Browsers(chrome)
    yield opened
    assert opened.close() == []


@pytest.fixture(scope="session")
def shown() -> Iterator[Site]:
    """A demo office that is only looked at."""
    with served() as site:
        yield site


@pytest.fixture
def site() -> Iterator[Site]:
    """A demo office of the test's own."""
    with served() as one:
        yield one
