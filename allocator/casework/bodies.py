"""Every kind of stored record, by kind: the one list that storage, access and the API go by."""

from __future__ import annotations

from collections.abc import Mapping

from allocator.casework import cases, committee, housing, offices, people, relations, voice
from allocator.casework.records import Body, Kind

BODIES: Mapping[Kind, type[Body]] = {
    body.kind: body
    for body in (
        people.Person,
        housing.Scheme,
        housing.Unit,
        housing.Tenancy,
        housing.UnitReservation,
        cases.Case,
        cases.Clarification,
        relations.Conflict,
        relations.Order,
        relations.Recheck,
        voice.Veto,
        voice.Comment,
        voice.Hearing,
        voice.Say,
        voice.Hazard,
        committee.Suggestion,
        committee.Meeting,
        committee.Decision,
        committee.Offer,
        committee.Review,
        committee.Appeal,
        committee.Outcome,
        offices.StoredPolicy,
        offices.Account,
    )
}
"""The body of each kind."""

COLLECTIONS: Mapping[Kind, str] = {
    Kind.PERSON: "people",
    Kind.CASE: "cases",
    Kind.TENANCY: "tenancies",
    Kind.SAY: "says",
    Kind.POLICY: "policies",
    Kind.VETO: "vetoes",
    **{
        kind: f"{kind.value}s"
        for kind in Kind
        if kind not in (Kind.PERSON, Kind.CASE, Kind.TENANCY, Kind.SAY, Kind.POLICY, Kind.VETO)
    },
}
"""What each kind is called in the plural, as in the addresses of the API."""
