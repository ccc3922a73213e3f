"""The advice that those who live together break among themselves, as the page of a scheme lays it out.

Made of what the service tells the reader (`allocator.service.mutual`). Where a rule says the same of two from
both sides, it is said once, from the side of whoever it is said of most often.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from allocator.disclosure import Reader
from allocator.rules import RULES_BY_ID
from allocator.service.mutual import Advice
from allocator.texts import Catalog
from api.pages.answers import Line, lines

Told = Mapping[str, Any]

_BOOK = {rule: place for place, rule in enumerate(RULES_BY_ID)}


@dataclass(frozen=True)
class Said:
    """A sentence of a rule that is broken.

    Attributes:
        of: Who stands in the applicant's place; several, of whom each the same is said.
        line: The sentence, and whom else it is about.
    """

    of: tuple[str, ...]
    line: Line


@dataclass(frozen=True)
class Unknown:
    """Rules of which it is not known whether they are broken, since something is not known of some."""

    rules: tuple[str, ...]
    of: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """What the rules come to in one living group.

    Attributes:
        broken: What is said by each rule that is broken, the gravest first.
        unknown: What cannot be told.
        kept: Rules that are broken by nobody and known of all.
        general: What is said to those who are not told of whom it is.
    """

    broken: Mapping[str, tuple[Said, ...]]
    unknown: tuple[Unknown, ...]
    kept: tuple[str, ...]
    general: tuple[str, ...] = ()


def of_group(advice: Advice, group: str, words: Catalog) -> Group:
    """Return what the rules come to in a living group, for the reader of an advice."""
    found = [one for one in advice.found if one["living_group"] == group]
    if advice.read_as is Reader.STAFF:
        return Group({}, (), (), tuple(one["text"] for one in found if one["outcome"] != "kept"))
    by_rule: dict[str, list[Told]] = {}
    for one in found:
        by_rule.setdefault(one["rule"], []).append(one)
    broken: dict[str, tuple[Said, ...]] = {}
    lacking: dict[tuple[str, ...], list[str]] = {}
    kept = []
    for rule in sorted(by_rule, key=_BOOK.__getitem__):
        outcomes = {one["outcome"] for one in by_rule[rule]}
        if "broken" in outcomes:
            broken[rule] = _said([one for one in by_rule[rule] if one["outcome"] == "broken"], words)
        if "unknown" in outcomes:
            of = {name for one in by_rule[rule] if one["outcome"] == "unknown" for name in one["unknown_of"]}
            lacking.setdefault(tuple(sorted(of)), []).append(rule)
        if outcomes == {"kept"}:
            kept.append(rule)
    gravest = sorted(broken, key=lambda rule: -broken[rule][0].line.verdict)
    return Group(
        broken={rule: broken[rule] for rule in gravest},
        unknown=tuple(Unknown(tuple(rules), of) for of, rules in lacking.items()),
        kept=tuple(kept),
    )


def _said(broken: Sequence[Told], words: Catalog) -> tuple[Said, ...]:
    """Return what a rule says of some who live together, each two once."""
    alike: dict[str, list[Told]] = {}
    for one in broken:
        if not one["about"]:
            alike.setdefault(one["text"], []).append(one)
    alone = [Said(tuple(one["of"] for one in same), lines(same[:1], words)[0]) for same in alike.values()]
    between = [
        Said((of,), line)
        for of, told in _covering([one for one in broken if one["about"]])
        for line in lines(told, words)
    ]
    return (*between, *alone)


def _covering(found: Iterable[Told]) -> Iterable[tuple[str, list[Told]]]:
    """Yield findings by who stands in the applicant's place, until each two have been named."""
    by_name: dict[str, list[Told]] = {}
    for one in found:
        by_name.setdefault(one["of"], []).append(one)
    named: set[frozenset[str]] = set()

    def left(name: str) -> list[Told]:
        return [one for one in by_name[name] if frozenset((name, *one["about"])) not in named]

    while by_name:
        of = min(by_name, key=lambda name: (-len(left(name)), name))
        told = left(of)
        del by_name[of]
        if told:
            yield of, told
        named |= {frozenset((of, *one["about"])) for one in told}
