"""Every use case, by name: the one list that the API, the pages and the access tests go by."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from allocator.service import (
    accounts,
    appeals,
    cases,
    clarifications,
    comments,
    decisions,
    hazards,
    hearings,
    housing,
    meetings,
    offers,
    outcomes,
    people,
    policies,
    rechecks,
    relations,
    reviews,
    says,
    suggestions,
    suspensions,
    tenancies,
    vetoes,
)
from allocator.service.uses import UseCase

_MODULES = (
    accounts,
    appeals,
    cases,
    clarifications,
    comments,
    decisions,
    hazards,
    hearings,
    housing,
    meetings,
    offers,
    outcomes,
    people,
    policies,
    rechecks,
    relations,
    reviews,
    says,
    suggestions,
    suspensions,
    tenancies,
    vetoes,
)


def _by_name() -> Mapping[str, UseCase[Any]]:
    found: dict[str, UseCase[Any]] = {}
    for module in _MODULES:
        for use in module.USES:
            if use.name in found:
                raise ValueError(f"two use cases are named {use.name}")
            found[use.name] = use
    return MappingProxyType(found)


USES = _by_name()
