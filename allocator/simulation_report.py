"""What a simulation came to, as a document and as what people look at.

Everyone is counted and nobody named: ids of applicants and units, and the hash of the facts, are left out
unless they are asked for. The totals are exact, so a report is for those who may see the whole case.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from allocator import __version__
from allocator.explain import facts_sha256
from allocator.facts import fact_type
from allocator.handbook import handbook_sha256
from allocator.policy import BoundRule, Policy, Warned
from allocator.ranking import ENGINE
from allocator.rules import RULEBOOK
from allocator.scoring import Verdict
from allocator.simulation import (
    UNKNOWN,
    Change,
    Grouping,
    GroupRow,
    GroupTable,
    Report,
    Simulation,
    UnitChange,
)
from allocator.small_cells import REST
from allocator.texts import Catalog, catalog, fill, sentence_case

HIDDEN = "·"
"""What stands in place of a hidden number."""


def inputs(simulation: Simulation) -> dict[str, Any]:
    """Return the hashes of all that a simulation depends on, by what a caller knows it as."""
    policies = {"policy": simulation.after, "against": simulation.before}
    return {
        "cases": [facts_sha256(case) for case in simulation.cases],
        **{name: policy.sha256 for name, policy in policies.items()},
        "handbook": {name: handbook_sha256(policy) for name, policy in policies.items()},
        "version": __version__,
    }


# ------------------------------------------------------------------------------------------- documents


def document(simulation: Simulation, report: Report, language: str = "nb", *, ids: bool) -> dict[str, Any]:
    """Return a report as a document of plain values.

    Keys and their order are fixed; the same cases and policies give the same bytes.

    Args:
        simulation: What was simulated.
        report: What it came to.
        language: ``nb``, ``nn`` or ``en``.
        ids: Name applicants and units by their ids.
    """
    text = catalog(language)
    return {
        "notice": text("simulation.notice"),
        "engine": ENGINE,
        "engine_version": __version__,
        "language": language,
        "policy": _policy(report.after),
        "against": _policy(report.before),
        "as_of": [day.isoformat() for day in report.days],
        "facts_sha256": inputs(simulation)["cases"] if ids else None,
        "k_anonymity": report.k,
        "warnings": {name: _warnings(policy, report, text) for name, policy in _both(report)},
        "changed_rules": [
            {"rule": old.id, "against": _stated(report.before, old), "policy": _stated(report.after, new)}
            for old, new in changed_rules(report)
        ],
        "verdicts": {
            "all": sum(report.moves.values()),
            "worse": report.worse,
            "better": report.better,
            "moves": [_move(*move, number) for move, number in report.moves.items()],
        },
        "applicants": dict(report.people),
        "units": dict(report.units),
        "rules": [dataclasses.asdict(rule) for rule in report.rules],
        "groups": {table.grouping.name: [_group(row) for row in table.rows] for table in report.groups},
        "ids": _ids(report) if ids else None,
    }


def _both(report: Report) -> tuple[tuple[str, Policy], tuple[str, Policy]]:
    return ("policy", report.after), ("against", report.before)


def _policy(policy: Policy) -> dict[str, str]:
    return {
        "name": policy.name,
        "version": policy.version,
        "sha256": policy.sha256,
        "handbook_sha256": handbook_sha256(policy),
    }


def _move(before: int, after: int, number: int | None) -> dict[str, Any]:
    return {"before": Verdict(before).code, "after": Verdict(after).code, "count": number}


def _group(row: GroupRow) -> dict[str, Any]:
    return {
        "group": row.group,
        "all": row.total,
        "before": {verdict.code: row.before(verdict) for verdict in Verdict},
        "after": {verdict.code: row.after(verdict) for verdict in Verdict},
        "moves": [_move(*move, number) for move, number in row.moves.items()],
    }


def _ids(report: Report) -> dict[str, Any]:
    return {
        "applicants": [
            {
                "as_of": change.day.isoformat(),
                "applicant": change.applicant,
                "best": [Verdict(verdict).code for verdict in change.best],
                "open": list(change.open),
                "first": None if change.first == ((), ()) else [list(units) for units in change.first],
            }
            for change in report.changes
        ],
        "units": [
            {
                "as_of": change.day.isoformat(),
                "unit": change.unit,
                "best": [Verdict(verdict).code for verdict in change.best],
            }
            for change in report.unit_changes
        ],
    }


def _stated(policy: Policy, rule: BoundRule) -> dict[str, Any]:
    params = {name: rule.params[name] for name in rule.rule.params}
    enabled = policy.document.rules[rule.id].enabled
    return {"enabled": enabled, "effect": rule.effect.code, "points": rule.points, "params": params}


def changed_rules(report: Report) -> list[tuple[BoundRule, BoundRule]]:
    """Return the rules that the two policies say different things of, in the order of the rulebook."""
    pairs = ((report.before.by_id[rule.id], report.after.by_id[rule.id]) for rule in RULEBOOK)
    return [(old, new) for old, new in pairs if _stated(report.before, old) != _stated(report.after, new)]


def _warnings(policy: Policy, report: Report, text: Catalog) -> list[str]:
    warned = dict.fromkeys(warned for day in report.days for warned in policy.warnings(day))
    return [_warning(policy, one, text) for one in warned]


def _warning(policy: Policy, warned: Warned, text: Catalog) -> str:
    values = {}
    if warned.rule is not None:
        values["title"] = text.rule(warned.rule, "title")
        values["reason"] = policy.document.rules[warned.rule].off_reason or ""
    if warned.day is not None:
        values["date"] = text.day(warned.day)
    return fill(text.template("warnings", warned.code), values)


# --------------------------------------------------------------------------------- what people look at


@dataclass(frozen=True)
class Heading:
    """A heading."""

    said: str


@dataclass(frozen=True)
class Bar:
    """A number before and after, out of a whole, to be drawn as two bars."""

    verdict: Verdict
    said: str
    before: int
    after: int
    whole: int

    def eighths(self, number: int, width: int) -> int:
        """Return how long a number's bar is in a space of *width* columns, in eighths of a column."""
        return -(-number * width * 8 // self.whole) if self.whole else 0


@dataclass(frozen=True)
class Bars:
    """Bars under one another, with what the upper and the lower of each stand for."""

    before: str
    after: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Grid:
    """A table; a verdict in its head stands for its mark. After the first *left* columns stand numbers."""

    head: tuple[str | Verdict, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1


Part = str | Heading | Bars | Grid


def pages(report: Report, language: str = "nb", *, ids: bool) -> Iterator[Part]:
    """Yield what people look at, from top to bottom.

    Args:
        report: What a simulation came to.
        language: ``nb``, ``nn`` or ``en``.
        ids: Name applicants and units by their ids.
    """
    text = catalog(language)

    def say(key: str, **values: str) -> str:
        return text(f"simulation.{key}", **values)

    names = {
        name: text("answer.policy", name=policy.name, version=policy.version)
        for name, policy in _both(report)
    }
    yield Heading(say("title", day=_days(report, text)))
    yield say("before_is", policy=names["against"])
    yield say("after_is", policy=names["policy"])
    yield say("notice")
    for _, policy in _both(report):
        for warning in _warnings(policy, report, text):
            yield f"! {policy.version}: {warning}"
    yield Heading(say("changed_rules"))
    changed = changed_rules(report)
    if not changed:
        yield say("same_policies")
    else:
        yield Grid(
            (say("rule"), say("before"), say("after")),
            tuple((text.rule(old.id, "title"), *_changed(report, old, new, text)) for old, new in changed),
            left=3,
        )
    yield Heading(say("verdicts"))
    yield say("verdicts_are")
    yield from _verdicts(report, text)
    yield Heading(say("applicants"))
    yield _people(report, text)
    yield Heading(say("units"))
    yield _homes(report, text)
    if report.worse or report.better:
        yield Heading(say("rules"))
        yield say("rules_are")
        yield Grid(
            (say("rule"), say("worse"), say("better")),
            tuple(
                (text.rule(rule.rule, "title"), str(rule.worse), str(rule.better))
                for rule in report.rules
                if rule.worse is not None
            ),
        )
    yield Heading(say("groups"))
    yield say("groups_are", k=str(report.k), hidden=HIDDEN)
    for table in report.groups:
        yield from _groups(table, text)
    if ids:
        yield Heading(say("one_by_one"))
        yield from _one_by_one(report, text)


def _days(report: Report, text: Catalog) -> str:
    first, last = text.day(report.days[0]), text.day(report.days[-1])
    if len(report.days) == 1:
        return text("simulation.one_day", date=first)
    return text("simulation.many_days", count=str(len(report.days)), first=first, last=last)


def _changed(report: Report, old: BoundRule, new: BoundRule, text: Catalog) -> tuple[str, str]:
    """Return what the policies say of a rule; where only limits or tables differ, that they do."""
    said = tuple(_effect(policy, rule, text) for policy, rule in ((report.before, old), (report.after, new)))
    differ = f" ({text('simulation.other_limits')})" if old.params != new.params else ""
    return said[0], f"{said[1]}{differ}"


def _effect(policy: Policy, rule: BoundRule, text: Catalog) -> str:
    if not policy.document.rules[rule.id].enabled:
        return text("simulation.off")
    effect = text(f"effects.{rule.effect.code}")
    return f"{effect} ({rule.points})" if rule.points else effect


def _verdicts(report: Report, text: Catalog) -> Iterator[Part]:
    before = {v: sum(n for (old, _), n in report.moves.items() if old == v) for v in Verdict}
    after = {v: sum(n for (_, new), n in report.moves.items() if new == v) for v in Verdict}
    whole = sum(report.moves.values())
    yield Bars(
        text("simulation.before"),
        text("simulation.after"),
        tuple(
            Bar(verdict, text(f"verdicts.{verdict.code}"), before[verdict], after[verdict], whole)
            for verdict in Verdict
        ),
    )
    yield text("simulation.moved", worse=str(report.worse), better=str(report.better), all=str(whole))
    if report.worse or report.better:
        yield Grid(
            (text("simulation.matrix"), *Verdict),
            tuple(
                (
                    sentence_case(text(f"verdicts.{old.code}")),
                    *(str(report.moves.get((old, new), 0)) for new in Verdict),
                )
                for old in Verdict
            ),
        )


_OUTCOMES = ("gains", "loses", "mixed", "unchanged")


def _people(report: Report, text: Catalog) -> Grid:
    people = report.people
    rows = [(text(f"simulation.people.{name}"), str(people[name])) for name in ("all", *_OUTCOMES)]
    rows += [
        (text(f"simulation.people.{name}"), str(people[name]))
        for name in ("loses_last", "gets_first", "other_first", "touched")
    ]
    none = text("simulation.people.none")
    rows.append((none, text("simulation.from_to", **_pair(people["none_before"], people["none_after"]))))
    return Grid(("", text("simulation.number")), tuple(rows))


def _homes(report: Report, text: Catalog) -> Grid:
    units = report.units
    rows = [(text(f"simulation.homes.{name}"), str(units[name])) for name in ("all", "closes", "opens")]
    rows += [
        (
            text(f"simulation.homes.{name}"),
            text("simulation.from_to", **_pair(units[f"{name}_before"], units[f"{name}_after"])),
        )
        for name in ("open", "barred")
    ]
    return Grid(("", text("simulation.number")), tuple(rows))


def _pair(before: int | None, after: int | None) -> dict[str, str]:
    return {"before": _number(before), "after": _number(after)}


def _number(number: int | None) -> str:
    return HIDDEN if number is None else str(number)


def _groups(table: GroupTable, text: Catalog) -> Iterator[Part]:
    title = sentence_case(text(f"simulation.by.{table.grouping.name}"))
    if not table.rows:
        yield text("simulation.not_by", by=title)
        return
    yield Grid(
        (title, *Verdict, text("simulation.all")),
        tuple(
            (
                sentence_case(_group_label(table.grouping, row.group, text)),
                *(_cell(row, verdict, text) for verdict in Verdict),
                str(row.total),
            )
            for row in table.rows
        ),
    )


def _cell(row: GroupRow, verdict: Verdict, text: Catalog) -> str:
    before, after = row.before(verdict), row.after(verdict)
    if before == after:
        return _number(before)
    return text("simulation.from_to", **_pair(before, after))


def _group_label(grouping: Grouping, group: str, text: Catalog) -> str:
    codes = fact_type(grouping.path).codes
    if group in (UNKNOWN, REST):
        return text(f"simulation.{group}")
    if codes is not None:
        return text.code(codes, group)
    if not grouping.limits:
        return text(group)
    kind, *numbers = group.replace("_to_", "_").split("_")
    if kind in ("under", "from"):
        return text(f"simulation.age_{kind}", age=numbers[0])
    return text("simulation.age_between", low=kind, high=numbers[0])


def _one_by_one(report: Report, text: Catalog) -> Iterator[Part]:
    def verdicts(pair: tuple[int, int]) -> str:
        old, new = (text(f"verdicts.{Verdict(verdict).code}") for verdict in pair)
        return old if old == new else text("simulation.from_to", before=old, after=new)

    def applicant(change: Change) -> tuple[str, ...]:
        first = (
            ""
            if change.first == ((), ())
            else text(
                "simulation.from_to", before=", ".join(change.first[0]), after=", ".join(change.first[1])
            )
        )
        number = text("simulation.from_to", **_pair(*change.open))
        return (change.applicant, verdicts(change.best), number, first, text.day(change.day))

    def unit(change: UnitChange) -> tuple[str, ...]:
        return (change.unit, verdicts(change.best), text.day(change.day))

    say = {name: text(f"simulation.{name}") for name in ("best", "open", "first", "best_for_anyone", "day")}
    if report.changes:
        yield Grid(
            (text("answer.applicant"), say["best"], say["open"], say["first"], say["day"]),
            tuple(map(applicant, report.changes)),
            left=5,
        )
    if report.unit_changes:
        yield Grid(
            (text("answer.unit"), say["best_for_anyone"], say["day"]),
            tuple(map(unit, report.unit_changes)),
            left=3,
        )
    if not report.changes and not report.unit_changes:
        yield text("simulation.nobody")
