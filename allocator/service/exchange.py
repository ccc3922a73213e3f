"""A municipality in and out: each in one transaction, logged with how many records of which kinds.

These are not use cases of one record, so they have lines of their own in the access table: `imports` and
`exports`. What is taken out is redacted as any look is; what is brought in is all stored or nothing is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from allocator.access.authorizer import Actor, Circumstances, exports, imports, sees, shut_out
from allocator.access.redaction import view
from allocator.casework.codes import Clearance
from allocator.casework.records import Body, Kind, Stored
from allocator.exchange.consistency import Key, check
from allocator.exchange.entries import KINDS, Entry, Faults
from allocator.ports import Logged, Query, TakenError, Transaction
from allocator.service.desk import Desk
from allocator.service.errors import ForbiddenError
from allocator.service.work import Work

IMPORT, EXPORT = "municipality.import", "municipality.export"

_CLEARED_ONLY = frozenset({Kind.CONFLICT, Kind.ORDER})


@dataclass(frozen=True)
class Change:
    """A stored record that an import changes: where it stands in the document, and which of its fields."""

    place: str
    fields: tuple[str, ...]


@dataclass
class Report:
    """What an import does, or would do.

    Attributes:
        added: By kind, how many records are new.
        changed: By kind, how many are there and differ.
        same: By kind, how many are there just so.
        changes: Those that differ.
    """

    added: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    changed: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    same: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    changes: list[Change] = field(default_factory=list)


@dataclass(frozen=True)
class Export:
    """What somebody may take out.

    Attributes:
        items: By kind, the records as they see them.
        complete: They see every field, so that nothing is lost when it is brought in again.
    """

    items: Mapping[Kind, Sequence[Mapping[str, Any]]]
    complete: bool


def import_municipality(
    desk: Desk, actor: Actor, entries: Sequence[Entry], *, dry_run: bool = False
) -> Report:
    """Store records: new ones, and new versions of those that differ. Nothing is taken away.

    Args:
        desk: The municipality's desk.
        actor: Who does it.
        entries: The records as they were read.
        dry_run: Only say what it would do.

    Raises:
        ForbiddenError: The actor may not.
        DocumentError: The records do not fit together, or not with what is stored; all faults are told.
        StorageError: It could not be done; nothing was changed.
    """
    guarded = any(entry.record.kind in _CLEARED_ONLY for entry in entries)
    if not imports(desk.access, actor) or (guarded and Clearance.CONFLICTS not in actor.cleared):
        _denied(desk, actor, IMPORT)
        raise ForbiddenError(IMPORT)
    faults, report = Faults(), Report()
    with desk.storage.write(patient=True) as tx:
        work = _work(desk, tx, actor, IMPORT)
        stored = {(kind, one.id): one for kind in KINDS for one in tx.find(Query(kind))}
        bodies = {key: one.body for key, one in stored.items()}
        check(entries, bodies, lambda kind, name: tx.get(kind, name) is not None, work.today, faults)
        differing, new = _sorted_out(work, entries, stored, report, faults)
        faults.check()
        if not dry_run:
            _store(work, differing, new, faults)
        outcome = "tried" if dry_run else "imported"
        done = {"added": sum(report.added.values()), "changed": sum(report.changed.values())}
        work.notes.append(_summary(work, outcome, _counts(entries), **done))
        tx.append(work.notes, facts=work.facts_changed)
    return report


def _sorted_out(
    work: Work,
    entries: Sequence[Entry],
    stored: Mapping[Key, Stored[Body]],
    report: Report,
    faults: Faults,
) -> tuple[list[tuple[Entry, Stored[Body]]], list[Entry]]:
    """Return which records differ and which are new, and count them."""
    differing, new = [], []
    for entry in entries:
        kind = entry.record.kind
        there = stored.get((kind, entry.record.id))
        if there is None:
            report.added[kind] += 1
            new.append(entry)
        elif there.body == entry.record.body:
            report.same[kind] += 1
        else:
            if shut_out(work.actor, work.circumstances(there)):
                faults.add(entry.place.at(["id"]), "a record that whoever imports may change")
            if entry.version is not None and entry.version != there.version:
                stale = f"{there.version}: it has been changed since it was exported; export it again"
                faults.add(entry.place.at(["version"]), stale)
            report.changed[kind] += 1
            report.changes.append(Change(entry.place.at(), _differences(there.body, entry.record.body)))
            differing.append((entry, there))
    return differing, new


def _differences(old: Body, new: Body) -> tuple[str, ...]:
    """Return the fields that differ; of facts, which of them."""
    found: list[str] = []
    for name in type(old).model_fields:
        one, other = getattr(old, name), getattr(new, name)
        if one == other:
            continue
        inner = type(one).model_fields if name == "facts" else ()
        found.extend(f"{name}.{fact}" for fact in inner if getattr(one, fact) != getattr(other, fact))
        found.extend([] if inner else [name])
    return tuple(found)


def _store(
    work: Work, differing: Sequence[tuple[Entry, Stored[Body]]], new: Sequence[Entry], faults: Faults
) -> None:
    """Save them; first those that let go of what others may then hold."""
    lets_go = sorted(differing, key=lambda pair: bool(pair[0].record.body.holds() - pair[1].body.holds()))
    entry: Entry | None = None
    try:
        for entry, there in lets_go:
            body = entry.record.body
            work.change(there, **{name: getattr(body, name) for name in type(body).model_fields})
        for entry in new:
            work.create(entry.record.body, entry.record.id)
    except TakenError:
        assert entry is not None
        faults.add(
            entry.place.at(),
            "a record that holds nothing which another lets go of in the same import; do it in two",
        )
        faults.check()


def export_municipality(desk: Desk, actor: Actor) -> Export:
    """Return every record that the actor may see, as they may see it; each look at a person is logged.

    Raises:
        ForbiddenError: The actor may not take anything out.
    """
    if not exports(desk.access, actor) or actor.purpose is None:
        _denied(desk, actor, EXPORT)
        raise ForbiddenError(EXPORT)
    items: dict[Kind, list[Mapping[str, Any]]] = {}
    with desk.storage.read(patient=True) as tx:
        work = _work(desk, tx, actor, EXPORT)
        hidden = work.hidden()
        for kind in KINDS:
            for stored in tx.find(Query(kind)):
                sight = sees(desk.access, actor, kind, work.circumstances(stored))
                if not sight.groups:
                    continue
                if work.people(stored):
                    work.note(stored, outcome="shown", groups=sorted(sight.groups))
                items.setdefault(kind, []).append(_told(view(desk.access, stored, sight.groups, hidden)))
        counts = {kind: len(found) for kind, found in items.items()}
        work.notes.append(_summary(work, "shown", counts))
    with desk.storage.write(patient=True) as tx:
        tx.append(work.notes, facts=False)
    return Export(items, complete=_sees_every_field(desk, actor))


def _sees_every_field(desk: Desk, actor: Actor) -> bool:
    """Return whether the actor's rights, whatever is stored, leave no field out."""
    groups = ((kind, sees(desk.access, actor, kind, Circumstances()).groups or frozenset()) for kind in KINDS)
    return Clearance.KODE_6 in actor.cleared and all(
        seen >= desk.access.groups(kind) for kind, seen in groups
    )


def _told(value: Any) -> Any:
    """Return plain values without what is not known: nothing is told by leaving it out."""
    if isinstance(value, Mapping):
        return {key: _told(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_told(item) for item in value]
    return value


# ------------------------------------------------------------------------------------------------ log


def _work(desk: Desk, tx: Transaction, actor: Actor, use: str) -> Work:
    return Work(tx, desk.access, actor, desk.clock.now(), desk.clock.today(), use)


def _counts(entries: Sequence[Entry]) -> dict[Kind, int]:
    counts: dict[Kind, int] = {}
    for entry in entries:
        counts[entry.record.kind] = counts.get(entry.record.kind, 0) + 1
    return counts


def _summary(work: Work, outcome: str, counts: Mapping[Kind, int], **more: int) -> Logged:
    entry: dict[str, Any] = {
        "at": work.now.isoformat(),
        "by": work.actor.account,
        "roles": sorted(work.actor.roles),
        "use": work.use,
        "outcome": outcome,
        "counts": {kind.value: counts[kind] for kind in KINDS if counts.get(kind)},
        **more,
    }
    if work.actor.purpose is not None:
        entry["purpose"] = work.actor.purpose
    return Logged(entry)


def _denied(desk: Desk, actor: Actor, use: str) -> None:
    with desk.storage.write() as tx:
        tx.append([_summary(_work(desk, tx, actor, use), "denied", {})], facts=False)


__all__ = ["Change", "Export", "Report", "export_municipality", "import_municipality"]
