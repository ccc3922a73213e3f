"""The rules as pages: each with its source, its numbers and its justification, and policies side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from allocator.access.table import Report
from allocator.casework.codes import PolicyState
from allocator.casework.offices import StoredPolicy
from allocator.casework.records import Kind, Stored
from allocator.handbook import Entry, entry, handbook_sha256
from allocator.policy import Policy
from allocator.rules import TOPICS
from allocator.service import reports
from allocator.service.errors import NotFoundError
from allocator.service.facts import policy_of
from allocator.service.work import Work
from api.pages.doing import done
from api.pages.forms import Form, Sent
from api.pages.visit import Visit, Visiting

router = APIRouter()

View = Mapping[str, Any]

Chosen = Annotated[str | None, Query(max_length=64)]

COMPARED = ("off", "broken_when", "effect", "fixed", "overridable", "params", "public", "sources", "card")
"""What is put side by side when policies are compared."""


def _policies(visit: Visit) -> list[View]:
    """Return the stored policies, the one in use first, then the newest."""
    found = visit.find(Kind.POLICY)
    order = [PolicyState.ACTIVE, PolicyState.PROPOSED, PolicyState.RETIRED]
    return sorted(found, key=lambda one: (order.index(PolicyState(one["state"])), one["valid_from"]))


def _read(visit: Visit, identifier: str) -> Policy:
    """Return a stored policy."""

    def tell(work: Work, stored: Stored[StoredPolicy]) -> Policy:
        return policy_of(work, stored.body.content)

    return visit.office.desk.look_into(visit.actor, StoredPolicy, identifier, "look", tell)


def _chosen(visit: Visit, identifier: str | None) -> tuple[View, Policy, list[View]]:
    """Return a stored policy, the one in use if none is named, and all there are."""
    known = _policies(visit)
    if not known:
        raise NotFoundError("no policy")
    view = known[0] if identifier is None else next((one for one in known if one["id"] == identifier), None)
    if view is None:
        raise NotFoundError("no such policy")
    return view, _read(visit, view["id"]), known


@router.get("/rules")
def handbook(visit: Visiting, policy: Chosen = None) -> Response:
    """Show the rules of a policy by topic, and the policies there are."""
    return _handbook(visit, policy, {}, 200)


def _handbook(visit: Visit, policy: str | None, forms: Mapping[str, Form], status: int) -> Response:
    if policy is None and visit.reads(Kind.POLICY) and not _policies(visit):
        return visit.page("rules/none.html", status, forms=forms)
    view, read, known = _chosen(visit, policy)
    topics = {topic: [entry(read, rule.id, visit.words) for rule in rules] for topic, rules in TOPICS.items()}
    return visit.page(
        "rules/handbook.html",
        status,
        policy=view,
        policies=known,
        topics=topics,
        sha256=handbook_sha256(read),
        approved=read.document,
        forms=forms,
    )


@router.post("/rules/policies/{policy}/activate")
def activate(visit: Visiting, form: Sent, policy: str) -> Response:
    """Put a proposed policy into use; another person than its proposer does."""
    return done(
        visit,
        form,
        "policies.activate",
        policy,
        page=lambda again, status: _handbook(visit, policy, {"activate": again}, status),
        then="/rules",
    )


@router.post("/rules/policies")
def propose(visit: Visiting, form: Sent) -> Response:
    """Propose a policy; everything that is wrong with its text is told at once."""
    return done(
        visit,
        form,
        "policies.propose",
        page=lambda again, status: _handbook(visit, None, {"propose": again}, status),
        then="/rules",
    )


# ------------------------------------------------------------------------------------------- comparison


@router.get("/rules/compare")
def compare(visit: Visiting, a: Chosen = None, b: Chosen = None) -> Response:
    """Put two policies side by side: only what differs."""
    known = _policies(visit)
    if len(known) < 2:  # noqa: PLR2004 - one cannot be compared
        return visit.page("rules/compare.html", policies=known, first=None, second=None, differences=[])
    first, old, _ = _chosen(visit, a)
    second, new, _ = _chosen(visit, b or next(one["id"] for one in known if one["id"] != first["id"]))
    differences = [
        (one, other, changed)
        for rules in TOPICS.values()
        for rule in rules
        for one, other in [(entry(old, rule.id, visit.words), entry(new, rule.id, visit.words))]
        if (changed := _changed(one, other))
    ]
    return visit.page(
        "rules/compare.html", policies=known, first=first, second=second, differences=differences
    )


def _changed(one: Entry, other: Entry) -> list[str]:
    """Return the parts in which two entries of a rule differ."""
    names = [part.name for part in fields(Entry) if part.name in COMPARED]
    return [name for name in names if getattr(one, name) != getattr(other, name)]


# ---------------------------------------------------------------------------------------------- one rule


@router.get("/rules/{rule}")
def rule_page(visit: Visiting, rule: str, policy: Chosen = None) -> Response:
    """Show a rule: what it says, where that comes from, and how it has been used."""
    view, read, _ = _chosen(visit, policy)
    if rule not in read.by_id:
        raise NotFoundError("no such rule")
    return visit.page(
        "rules/rule.html", rule=entry(read, rule, visit.words), policy=view, used=_used(visit, rule)
    )


def _used(visit: Visit, rule: str) -> View | None:
    """Return how often a rule was followed and overruled, for those who may read it."""
    if not visit.may_report(Report.RULES):
        return None
    found = reports.report(visit.office.desk, visit.actor, Report.RULES)
    return {
        "cases": found["cases"],
        "broken": found["broken"].get(rule, 0),
        "followed": found["followed"].get(rule),
        "overruled": found["overruled"].get(rule),
        "least": found["least"],
    }
