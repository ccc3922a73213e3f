"""Quick rankings: every unit for an applicant, or every applicant for a unit, at once and not kept anywhere.

The columnar engine alone answers, on the loaded case, which is laid out once. The engine of record has not
checked it, so every answer says that it is no suggestion; what a committee decides on is asked for at
`/suggestions` and `/shortlists`.

They are for the cleared committee. For everyone else what is known of conflicts and orders counts at the
level of a zone (:mod:`allocator.disclosure`). A ranking is exact: place, verdict and score of a unit, the ids
of its rules and whom a finding is about each tell of one house that somebody's enemy lives there, so leaving
out words would not be enough, and to coarsen it would take the zones that a suggestion is released by. Other
readers are therefore refused, all alike and before anything is looked up, and are pointed to where they are
answered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from allocator.codes import (
    UnitStatus,
)
from allocator.disclosure import Reader
from allocator.documents import DocumentError, faults, parse_json
from allocator.engines.columnar import ColumnarEngine
from allocator.explain import Explainer, facts_sha256
from allocator.facts import CaseFacts
from allocator.model import (
    Problem,
    Snapshot,
)
from allocator.policy import Policy
from allocator.ranking import Brief, Rankings
from allocator.scoring import Suggestions, Verdict
from allocator.texts import Language, catalog
from api.auth import caller
from api.errors import RefusedError
from api.metrics import ANSWERS
from api.schemas import ProblemOut, RankingAnswer, RankingQuestion

router = APIRouter(tags=["questions"], dependencies=[Depends(caller)])

AT_ONCE = 1000
"""So much is answered on the spot, counted in entries; longer work is done in a thread of its own."""

_FINDINGS = 10
"""An entry with findings counts as so many without."""

_SMALL = 4096
"""A question has no more bytes than this, unless it is blank for the most part."""

_KEPT = 1 << 16
"""So many findings are kept as they are written."""

_VERDICTS = tuple(verdict.code for verdict in Verdict)
_ANSWERED = ANSWERS.labels(ColumnarEngine.name, Reader.COMMITTEE.value)


# ------------------------------------------------------------------------------------------ laying out


class Written(dict[Brief, bytes]):
    """Findings as JSON, each written once, since most of them come again; an answer is never kept.

    Args:
        effects: What each rule does when it is broken.
    """

    def __init__(self, effects: Mapping[str, str]) -> None:
        super().__init__()
        self._effects = effects

    def __missing__(self, brief: Brief) -> bytes:
        if len(self) >= _KEPT:
            self.clear()
        written = self[brief] = orjson.dumps(
            {
                "rule": brief.rule,
                "outcome": brief.outcome,
                "effect": self._effects[brief.rule],
                "points": brief.points,
                "could_cost": brief.could_cost,
                "about": brief.about,
            }
        )
        return written


@dataclass(frozen=True)
class Laid:
    """A case and a policy laid out for quick rankings.

    Attributes:
        case: The case.
        policy: The policy.
        rankings: Both in columns.
        ranked: How many units are ranked: those that are not lived in.
        units: Every unit.
        applicants: Every applicant.
        heads: What every answer says first, by language.
        findings: Findings as JSON.
    """

    case: Snapshot
    policy: Policy
    rankings: Rankings
    ranked: int
    units: frozenset[str]
    applicants: frozenset[str]
    heads: Mapping[str, Mapping[str, Any]]
    findings: Written


def lay_out(case: Snapshot, policy: Policy) -> Laid:
    """Return a case and a policy laid out.

    Raises:
        EngineError: The columnar engine could not be made.
    """
    facts = CaseFacts(case)
    ranked = [name for name, place in facts.places.items() if place.unit.status is not UnitStatus.OCCUPIED]
    return Laid(
        case=case,
        policy=policy,
        rankings=Rankings(facts, policy, ranked),
        ranked=len(ranked),
        units=frozenset(facts.places),
        applicants=frozenset(facts.applicants),
        heads={language.value: _head(facts, policy, language) for language in Language},
        findings=Written({bound.id: bound.effect.code for bound in policy.active(facts.as_of)}),
    )


def _head(facts: CaseFacts, policy: Policy, language: Language) -> Mapping[str, Any]:
    """Return what every answer of a case says first: what it is, and what it rests on."""
    warnings = policy.warnings(facts.as_of)
    nothing = Suggestions(
        facts=facts,
        policy=policy,
        engine=ColumnarEngine.name,
        engine_version=ColumnarEngine.version,
        applicant=None,
        unit=None,
        ranked=(),
        warnings=warnings,
        no_option=None,
    )
    explainer = Explainer(nothing, Reader.COMMITTEE, language.value)
    return {
        "quick": True,
        "notice": catalog(language.value)("answer.quick"),
        "engine": ColumnarEngine.name,
        "engine_version": ColumnarEngine.version,
        "policy": {"name": policy.name, "version": policy.version, "sha256": policy.sha256},
        "facts_sha256": facts_sha256(facts.case),
        "as_of": facts.as_of.isoformat(),
        "reader": Reader.COMMITTEE.value,
        "language": language.value,
        "warnings": [explainer.warning(warned) for warned in warnings],
    }


class Layouts:
    """Lays out the loaded case when it is first asked about, and anew when another takes its place.

    Args:
        make: What lays out.
    """

    def __init__(self, make: Callable[[Snapshot, Policy], Laid] = lay_out) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._laid: Laid | None = None

    def ready(self, case: Snapshot, policy: Policy) -> Laid | None:
        """Return what is laid out, if it is that case and policy."""
        laid = self._laid
        return laid if laid is not None and laid.case is case and laid.policy is policy else None

    def of(self, case: Snapshot, policy: Policy) -> Laid:
        """Return that case and policy laid out; whoever asks meanwhile waits.

        Raises:
            EngineError: The columnar engine could not be made.
        """
        with self._lock:
            laid = self.ready(case, policy)
            if laid is None:
                laid = self._laid = self._make(case, policy)
            return laid


def install(app: FastAPI) -> None:
    """Make *app* answer quick rankings of its loaded case."""
    app.state.layouts = Layouts()


def prepare(app: FastAPI) -> None:
    """Lay out the loaded case, so that who asks first does not wait for it.

    Raises:
        EngineError: The columnar engine could not be made.
    """
    app.state.layouts.of(app.state.case, app.state.policy)


# ------------------------------------------------------------------------------------------ answering


def answer(laid: Laid, question: RankingQuestion) -> bytes:
    """Return the answer as JSON: ranked anew, the same bytes for the same question.

    Raises:
        RefusedError: The case has no such applicant or unit.
        EngineError: The engine could not answer.
    """
    if question.applicant is not None:
        if question.applicant not in laid.applicants:
            raise RefusedError(404, "no such applicant in the case")
        asked, each = {"applicant": question.applicant}, "unit"
        ranking = laid.rankings.units_for(question.applicant)
    else:
        assert question.unit is not None
        if question.unit not in laid.units:
            raise RefusedError(404, "no such unit in the case")
        asked, each = {"unit": question.unit}, "applicant"
        ranking = laid.rankings.applicants_for(question.unit)
    entries: list[dict[str, Any]] = [
        {
            "rank": rank,
            each: name,
            "verdict": _VERDICTS[verdict],
            "score": score,
            "broken": broken,
            "unknown": unknown,
        }
        for name, rank, verdict, score, broken, unknown in ranking.lines()
    ]
    written = laid.findings
    for entry, briefs in zip(entries, ranking.briefs(question.first), strict=False):
        entry["findings"] = orjson.Fragment(b"[%s]" % b",".join([written[brief] for brief in briefs]))
    head = laid.heads[question.language]
    return orjson.dumps({**head, **asked, "total": len(entries), "entries": entries})


# ---------------------------------------------------------------------------------------------- asking


async def _asked(request: Request) -> RankingQuestion:
    """Return the question in the request's body."""
    body = await request.body()
    content = parse_json(body) if len(body) <= _SMALL else await run_in_threadpool(parse_json, body)
    try:
        question = RankingQuestion.model_validate(content)
    except ValidationError as error:
        raise DocumentError(tuple(faults(error))) from None
    request.state.reader = question.reader
    if question.reader != Reader.COMMITTEE.value:
        expected = "`committee`: a quick ranking is not for others; they are answered at /api/v1/suggestions"
        raise RefusedError(422, "the question is refused", (Problem(path="/reader", expected=expected),))
    if (question.applicant is None) is (question.unit is None):
        raise DocumentError((Problem(path="", expected="either `applicant` or `unit`"),))
    return question


@router.post(
    "/rankings",
    summary="Rank all units for an applicant, or all applicants for a unit, at once",
    responses={
        200: {"model": RankingAnswer},
        401: {"model": ProblemOut, "description": "No valid token."},
        404: {"model": ProblemOut, "description": "No such applicant or unit in the case."},
        413: {"model": ProblemOut, "description": "The body is too large."},
        422: {"model": ProblemOut, "description": "The question is refused, or not for this reader."},
        500: {"model": ProblemOut, "description": "The engine could not answer; nothing is shown."},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": f"#/components/schemas/{RankingQuestion.__name__}"}}
            },
        }
    },
)
async def rankings(request: Request) -> Response:
    """Answer for the committee by the columnar engine alone, unchecked and not kept anywhere."""
    question = await _asked(request)
    state = request.app.state
    laid: Laid = state.layouts.ready(state.case, state.policy) or await run_in_threadpool(
        state.layouts.of, state.case, state.policy
    )
    at_once = question.applicant is not None and laid.ranked + _FINDINGS * question.first <= AT_ONCE
    body = answer(laid, question) if at_once else await run_in_threadpool(answer, laid, question)
    _ANSWERED.inc()
    return Response(body, media_type="application/json")
