"""How fast and how large the suggestion page is, beside the JSON of the same answer.

::

    python -m bench.pages                    # 60 vacant units, a suggestion that is stored and computed
    python -m bench.pages --vacant 13 --rounds 5

An invented municipality of which every tenth unit is vacant; one suggestion for one applicant, made before.
Page and JSON are asked for over HTTP by the same reader, in turns, so that whatever else the machine does is
in both; by a cleared reader and by one who is not. Sizes are of what goes over the wire, compressed: the
page, and what a browser that has nothing yet fetches beside it.
"""

from __future__ import annotations

import argparse
import gc
import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import httpx
import structlog
from rich.console import Console
from rich.table import Table

from allocator.access.authorizer import Actor
from allocator.casework.codes import PolicyState
from allocator.casework.offices import Account, Grant, StoredPolicy
from allocator.exchange.cases import records_of
from allocator.exchange.entries import Derived, Entry
from allocator.service.exchange import import_municipality
from allocator.service.suggestions import MakeSuggestion
from bench.measure import Job, rounds
from fixtures.demo_office import ACCOUNTS
from fixtures.generator import Settings, municipality
from tests.browsers import default_policy
from tests.databases import fresh
from tests.office import TODAY
from tests.pages.site import Site

ROOT = Path(__file__).resolve().parent.parent
SEED = 20261122
READERS = ("committee_leader", "committee_member")
AIM_RATIO, AIM_FIRST, AIM_LATER = 3.0, 150_000, 20_000
"""Aims: the page within so many times of its JSON; bytes of a first visit, and of later pages."""

PATIENCE = 120.0
"""Seconds to wait for an answer: the first one is worked out."""

_console = Console(highlight=False, soft_wrap=True)


def office(vacant: int) -> tuple[Site, str]:
    """Return an office with so many vacant units that is served, and the id of a suggestion in it."""
    settings = replace(Settings(), not_lived_in_per_mille=(100, 100), empty_states=(("vacant", 100),))
    case = municipality(SEED, vacant * 10, applicants=40, as_of=TODAY, settings=settings)
    site = Site(Path(fresh("sqlite").removeprefix("sqlite:///")))
    for login, name, role, schemes, cleared in ACCOUNTS:
        grant = Grant(role=role, schemes=schemes, since=date(2026, 1, 1))
        site.seed(Account(login=login, name=name, grants=(grant,), cleared=cleared), login)
    _use_policy(site)
    entries = [Entry(record, Derived(record.kind, record.id)) for record in records_of(case, "caseworker")]
    import_municipality(site.desk, _actor(site, "administrator"), entries)
    asked = MakeSuggestion(case=case.applicants[0].id)
    made = site.desk.run(_actor(site, "committee_secretary"), "suggestions.make", asked)
    return site, made.stored.id


def _use_policy(site: Site) -> None:
    policy = default_policy()
    with site.storage.write() as tx:
        content = tx.keep((ROOT / "fixtures/policies/default.toml").read_bytes())
    stored = StoredPolicy(
        name=policy.name,
        policy_version=policy.version,
        content=content,
        sha256=policy.sha256,
        valid_from=policy.document.valid_from,
        state=PolicyState.ACTIVE,
        proposed_by="policy_owner",
        approved_by="committee_leader",
        change_note="Det første.",
        activated_on=TODAY,
    )
    site.seed(stored, "policy-1")


def _actor(site: Site, login: str) -> Actor:
    actor = site.desk.actor(login)
    assert actor is not None
    return actor


def _asked(client: httpx.Client, path: str) -> httpx.Response:
    answer = client.get(path, headers={"Accept-Encoding": "gzip"}, timeout=PATIENCE)
    answer.raise_for_status()
    return answer


def on_the_wire(client: httpx.Client, path: str) -> int:
    """Return how many bytes an answer has as it is sent, without its headers."""
    with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}, timeout=PATIENCE) as answer:
        return sum(len(part) for part in answer.iter_raw())


def _times(site: Site, suggestion: str, repeats: int) -> Table:
    table = Table(title="Milliseconds, median", title_justify="left", box=None, pad_edge=False)
    for heading in ("reader", "entries", "JSON", "page", "page / JSON", "one entry", "aim"):
        table.add_column(heading, justify="left" if heading == "reader" else "right")
    for reader in READERS:
        with site.client(reader) as client:
            path = f"/suggestions/{suggestion}"
            json, page = f"/api/v1{path}/answer", path
            listed = _asked(client, json).json()["suggestions"]
            entry = f"{path}/entries/{listed[0]['unit']}"
            jobs = [
                Job(name, lambda _, place=place: _asked(client, place))  # type: ignore[misc]
                for name, place in (("JSON", json), ("page", page), ("entry", entry))
            ]
            rounds(jobs, repeats, 60.0, Random(SEED))
            ratio = jobs[1].median / jobs[0].median
            table.add_row(
                reader,
                str(len(listed)),
                *(f"{job.median:.0f}" for job in jobs[:2]),
                f"{ratio:.2f}",
                f"{jobs[2].median:.0f}",
                f"{AIM_RATIO:.0f}",
            )
    return table


def _sizes(site: Site, suggestion: str) -> Table:
    table = Table(title="\nBytes on the wire", title_justify="left", box=None, pad_edge=False)
    for heading in ("reader", "JSON", "page", "first visit", "aims"):
        table.add_column(heading, justify="left" if heading == "reader" else "right")
    for reader in READERS:
        with site.client(reader) as client:
            path = f"/suggestions/{suggestion}"
            text = _asked(client, path).text
            files = sorted(set(re.findall(r'(?:href|src)="(/static/[^"]+)"', text)))
            page = on_the_wire(client, path)
            first = page + sum(on_the_wire(client, file) for file in files)
            json = on_the_wire(client, f"/api/v1{path}/answer")
            aims = f"{AIM_LATER:,}, {AIM_FIRST:,}"
            table.add_row(reader, *(f"{size:,}" for size in (json, page, first)), aims)
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="The suggestion page beside its JSON.")
    parser.add_argument("--vacant", type=int, default=60, help="vacant units")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    site, suggestion = office(options.vacant)
    gc.collect()
    try:
        _console.print(_times(site, suggestion, options.rounds))
        _console.print(_sizes(site, suggestion))
    finally:
        site.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
