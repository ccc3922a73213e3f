"""Two worlds that differ only in what an uncleared reader must not learn give that reader the same pages.

Each reader walks through all pages that links lead to, in both worlds in step, and to some that none leads
to; sources, order, counts, statuses and headers must be the same, byte by byte, but for the keys that make
every form different from every other.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from allocator.access import authorizer
from allocator.access.authorizer import Sight
from allocator.casework.codes import Clearance, Role
from allocator.casework.records import Kind
from allocator.disclosure import Reader
from allocator.service import desk as desk_module
from allocator.service import mutual
from api.pages.visit import Visit
from tests.browsers import Browser
from tests.pages.links import NOT_FOLLOWED, route_of
from tests.properties.test_two_worlds import Town, story

EACH = 4
"""So many pages of a route are compared for each reader."""

ROLES = tuple(Role)

UNLINKED = (
    "/cases/S-6",
    "/cases/S-6/history",
    "/people/P-6/facts/gender",
    "/people/nordlia-r5/facts/gender",
    "/people/nordlia-r1/facts/gender",
    "/people/P-1/looks",
    "/meetings/M-1",
    "/units/nordlia-5",
    "/schemes/nordlia",
    "/schemes/nordlia?case=S-1",
    "/schemes/nordlia?case=S-6",
    "/conflicts",
    "/log",
    "/reports",
    "/accounts",
)
"""Pages that are asked for whether or not a link leads there."""

SOUGHT = ("S-6", "S-1", "S-7")

_KEY = re.compile(rb'name="_key" value="[^"]*"')

Answer = tuple[int, list[tuple[str, str]], bytes]


def answered(browser: Browser, path: str, content: bytes | None = None) -> Answer:
    """Return the whole answer to a request from a page, without the keys of its forms."""
    if content is None:
        answer = browser.get(path)
    else:
        headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
        answer = browser.ask("POST", path, content=content, headers=headers)
    head = sorted((name, value) for name, value in answer.headers.multi_items() if name != "content-length")
    return answer.status_code, head, _KEY.sub(b"", answer.content)


def walk(one: Browser, other: Browser) -> Iterator[tuple[str, Answer, Answer]]:
    """Yield every page that links lead to in the first world, as it is in both."""
    ahead: deque[str] = deque(["/", *UNLINKED])
    seen, counted = set(ahead), dict[str, int]()
    while ahead:
        path = ahead.popleft()
        route = route_of(path)
        counted[route] = counted.get(route, 0) + 1
        if counted[route] > EACH and path not in UNLINKED:
            continue
        first, second = answered(one, path), answered(other, path)
        yield path, first, second
        for link in re.findall(rb'href="(/[^"#]*)', first[2]):
            address = link.decode().replace("&amp;", "&")
            if address not in seen and not NOT_FOLLOWED.search(address):
                seen.add(address)
                ahead.append(address)


def differences(worlds: tuple[Town, Town], role: Role) -> Iterator[str]:
    """Yield the pages that differ for a reader in a role."""
    one, other = (world.reader(role) for world in worlds)
    for path, first, second in walk(one, other):
        if first != second:
            yield path
    for number in SOUGHT:
        body = f"number={number}".encode()
        if answered(one, "/cases", body) != answered(other, "/cases", body):
            yield f"looked for {number}"


@pytest.fixture(scope="module")
def worlds() -> Iterator[tuple[Town, Town]]:
    """Both worlds after the same story."""
    made = (Town(other=False), Town(other=True))
    for world in made:
        assert list(story(world))
    yield made
    for world in made:
        world.close()


@pytest.mark.parametrize("role", ROLES)
def test_the_uncleared_get_the_same_pages_in_both_worlds(worlds: tuple[Town, Town], role: Role) -> None:
    """Whoever the enemy is, whoever is protected, and whether somebody who is kode 6 applies."""
    assert list(differences(worlds, role)) == []


def test_a_shared_screen_shows_the_cleared_what_anybody_may_see(worlds: tuple[Town, Town]) -> None:
    """A projector in the meeting room is the uncleared reader."""
    browsers = [
        world.as_somebody(Role.COMMITTEE_LEADER, cleared=tuple(Clearance), login="klarert")
        for world in worlds
    ]
    for browser in browsers:
        browser.cookies["__Host-shared-screen"] = "yes"
    assert [path for path, first, second in walk(*browsers) if first != second] == []


def test_the_worlds_do_differ_for_the_cleared(worlds: tuple[Town, Town]) -> None:
    """Else nothing would be shown by their being alike for others."""
    browsers = [
        world.as_somebody(Role.CONFLICT_OFFICER, cleared=tuple(Clearance), login="kontroll-2")
        for world in worlds
    ]
    assert any(first != second for _, first, second in walk(*browsers))


# ----------------------------------------------------------------------------------------- planted leaks

_find = Visit.find


def _uncounted(self: Visit, kind: Kind, *links: tuple[Kind, str], **more: Any) -> list[Mapping[str, Any]]:
    found = _find(self, kind, *links, **more)
    if kind is not Kind.CASE:
        return found
    with self.office.desk.storage.read() as tx:
        hidden = tx.get(Kind.CASE, "S-6")
    return (
        found
        if hidden is None
        else [*found, {**hidden.body.model_dump(mode="json"), "id": "S-6", "version": 1}]
    )


LEAKS: Mapping[str, tuple[Role, Callable[[pytest.MonkeyPatch], None]]] = {
    "nobody is shut out": (
        Role.CASEWORKER,
        lambda patch: patch.setattr(authorizer, "shut_out", lambda *_: False),
    ),
    "a page finds a case that is hidden": (
        Role.COMMITTEE_SECRETARY,
        lambda patch: patch.setattr(Visit, "find", _uncounted),
    ),
    "residents are told apart by who their enemies are": (
        Role.COMMITTEE_MEMBER,
        lambda patch: patch.setattr(mutual, "released_as", lambda *_, **__: Reader.COMMITTEE),
    ),
    "everything is seen of what is seen": (
        Role.CASEWORKER,
        lambda patch: patch.setattr(
            desk_module,
            "sees",
            lambda *args: replace(Sight(frozenset()), groups=frozenset(args[0].groups(args[2]))),
        ),
    ),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_planted_leak_is_caught(
    worlds: tuple[Town, Town], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What a page might let out is found by the comparison."""
    role, plant = LEAKS[name]
    plant(monkeypatch)
    assert next(differences(worlds, role), None) is not None
