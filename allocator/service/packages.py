"""The decision package: all that a decision rests on and led to, in one document for the archive (REQ-ARK-1).

Each part is a record as its reader may see it, with a hash; the package has one over all of them. What is
said about the archive uses the names of Noark 5, which are Norwegian.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from allocator.access.authorizer import Actor, exports, reader, sees
from allocator.access.redaction import view
from allocator.casework.cases import Case
from allocator.casework.codes import Clearance
from allocator.casework.committee import Appeal, Decision, Meeting, Offer, Suggestion
from allocator.casework.law import law_ref
from allocator.casework.people import Person
from allocator.casework.records import Body, Kind, Link, Stored
from allocator.casework.voice import Hearing, Veto
from allocator.disclosure import Reader
from allocator.model import ApplicantFacts
from allocator.rules.sources import CONFIDENTIALITY, EXEMPT_FROM_PUBLIC, SERVICES_CONFIDENTIALITY
from allocator.service import suggestions
from allocator.service.appeals import facts_then
from allocator.service.desk import Desk
from allocator.service.work import Work

FORMAT, VERSION = "allocator-decision-package", 1
USE = "decisions.package"

ACCESS_CODE = "UO"
"""The archive's code for a document that is not public (*unntatt offentlighet*)."""

EXEMPT_BY = (EXEMPT_FROM_PUBLIC, CONFIDENTIALITY, SERVICES_CONFIDENTIALITY)
"""What exempts it: it is about somebody's health and personal life."""

Part = dict[str, Any]


def decision_package(desk: Desk, actor: Actor, identifier: str) -> dict[str, Any]:
    """Return the package of a decision as the actor may see it; each look is logged.

    Raises:
        ForbiddenError: Their role takes nothing out, or they say no purpose.
        NotFoundError: It is not there, or not for them.
    """
    if not exports(desk.access, actor) or actor.purpose is None:
        desk.refuse(actor, USE, Kind.DECISION, identifier)
    return desk.look_into(actor, Decision, identifier, USE, _package)


def _package(work: Work, decision: Stored[Decision]) -> dict[str, Any]:
    parts = [part for part in _parts(work, decision) if part is not None]
    total = hashlib.sha256("\n".join(part["sha256"] for part in parts).encode()).hexdigest()
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_at": work.now.isoformat(),
        "decision": decision.id,
        "parts": parts,
        "sha256": total,
        "noark": _noark(work, decision, parts),
    }


def _parts(work: Work, decision: Stored[Decision]) -> Iterator[Part | None]:
    body = decision.body
    case = Link(Kind.CASE, body.case)
    yield _record(work, work.load(Case, body.case))
    suggestion = work.get(Suggestion, body.suggestion)
    if suggestion is not None:
        yield _record(work, suggestion)
        yield _facts(work, suggestion, body)
        yield _answer(work, suggestion)
    heard = (*work.find(Hearing, case), *work.find(Veto, case))
    yield from (_record(work, stored) for stored in heard if case in stored.body.subjects())
    meeting = work.get(Meeting, body.meeting)
    if meeting is not None:
        yield _meeting(work, meeting, body.case)
    yield _record(work, decision)
    made = Link(Kind.DECISION, decision.id)
    followed = (*work.find(Offer, made), *work.find(Appeal, made))
    yield from (_record(work, stored) for stored in followed)


def _record(work: Work, stored: Stored[Body]) -> Part | None:
    """Return a record as the reader sees it, with the groups that they do not; None if not at all."""
    groups = sees(work.access, work.actor, stored.kind, work.circumstances(stored)).groups
    if groups is None:
        return None
    work.note(stored, outcome="shown", groups=sorted(groups))
    content = view(work.access, stored, groups, work.hidden())
    return _part(stored.kind.value, stored.id, content, sorted(work.access.groups(stored.kind) - groups))


def _part(kind: str, identifier: str, content: Mapping[str, Any], left_out: list[str]) -> Part:
    written = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return {
        "kind": kind,
        "id": identifier,
        "content": content,
        "left_out": left_out,
        "bytes": len(written),
        "sha256": hashlib.sha256(written).hexdigest(),
    }


def _meeting(work: Work, meeting: Stored[Meeting], case: str) -> Part | None:
    """Return the minutes, and of the agenda what is about this case."""
    part = _record(work, meeting)
    if part is None:
        return None
    content = dict(part["content"])
    for name in ("agenda", "disqualified"):
        if name in content:
            content[name] = [item for item in content[name] if item["case"] == case]
    return _part(part["kind"], part["id"], content, part["left_out"])


def _answer(work: Work, suggestion: Stored[Suggestion]) -> Part | None:
    """Return what the engine said, as the reader may read it."""
    read_as = reader(work.access, work.actor)
    if read_as not in (Reader.MEMBER, Reader.COMMITTEE):
        return None
    guarded = Clearance.KODE_6 not in work.actor.cleared
    content = suggestions.answer_for(work, suggestion, read_as, "nb", guarded=guarded)
    return _part("answer", suggestion.id, content, [])


def _facts(work: Work, suggestion: Stored[Suggestion], decision: Decision) -> Part | None:
    """Return the facts that the suggestion was made of, of this applicant and this scheme.

    The others who waited are no part of this package; the appeal's pool has them, under other names.
    """
    facts = facts_then(work, suggestion.body)
    person = work.load(Person, work.load(Case, decision.case).body.person)
    groups = sees(work.access, work.actor, Kind.PERSON, work.circumstances(person)).groups or frozenset()
    placed = work.access.fields[Kind.PERSON]
    names = {name for name in ApplicantFacts.model_fields if placed[f"facts.{name}"] in groups}
    applicants = (a.model_dump(mode="json", include=names) for a in facts.applicants if a.id == decision.case)
    schemes = [s.model_dump(mode="json") for s in facts.schemes if s.id == decision.scheme]
    content = {
        "as_of": facts.as_of.isoformat(),
        "applicant": _in_order(next(applicants, None)),
        "schemes": _in_order(schemes),
    }
    return _part("facts", suggestion.id, content, sorted(work.access.groups(Kind.PERSON) - groups))


def _in_order(value: Any) -> Any:
    """Return plain values with lists of plain texts in order: those were sets."""
    if isinstance(value, dict):
        return {key: _in_order(item) for key, item in value.items()}
    if isinstance(value, list):
        texts = all(isinstance(item, str) for item in value)
        return sorted(value) if texts else [_in_order(item) for item in value]
    return value


def _noark(work: Work, decision: Stored[Decision], parts: list[Part]) -> dict[str, Any]:
    """Return what an archive needs to know: case folder, record, documents, and why it is not public."""
    body, case = decision.body, work.load(Case, decision.body.case).body
    made = body.made_on or body.proposed_on
    return {
        "mappe": {
            "mappeID": decision.body.case,
            "mappetype": "saksmappe",
            "tittel": "Tildeling av bolig",
            "saksdato": case.received_on.isoformat(),
        },
        "registrering": {
            "registreringsID": decision.id,
            "registreringstype": "journalpost",
            "journalposttype": "U",
            "tittel": f"Vedtak {body.type.value}",
            "dokumentetsDato": made.isoformat(),
        },
        "dokumentbeskrivelse": [
            {
                "dokumentnummer": number,
                "tittel": f"{part['kind']} {part['id']}",
                "tilknyttetRegistreringSom": "hoveddokument" if part["id"] == decision.id else "vedlegg",
                "dokumentobjekt": {
                    "variantformat": "A",
                    "format": "JSON",
                    "filstoerrelse": part["bytes"],
                    "sjekksum": part["sha256"],
                    "sjekksumAlgoritme": "SHA-256",
                },
            }
            for number, part in enumerate(parts, start=1)
        ],
        "skjerming": {
            "tilgangsrestriksjon": ACCESS_CODE,
            "skjermingshjemmel": [
                {"id": ref.id, "hjemmel": str(ref), "ubekreftet": ref.unverified}
                for ref in (law_ref(law.key, made) for law in EXEMPT_BY)
            ],
        },
    }
