"""The case paper (*saksframlegg*): what the committee reads of a case before it decides.

It says what every member may read, whoever takes it out: paper lies about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from allocator.casework.codes import CaseState, StatementKind, VetoAnswer
from allocator.casework.law import LawRef, law_ref
from allocator.codes import Need, Service, VetoGround
from allocator.rules import RULES_BY_ID
from allocator.rules.sources import Law
from allocator.texts import Catalog, sentence_case
from api.papers import Block, Paper, facts, heading, lead, points, small, table, text
from api.papers.law import unconfirmed

if TYPE_CHECKING:
    from api.pages.answers import Entry, Line

View = Mapping[str, Any]


@dataclass(frozen=True)
class Matter:
    """A case with all that has been said of it, as its reader sees it.

    Attributes:
        case: The case.
        person: Whose it is, as far as the reader sees it.
        suggestion: The suggestion.
        policy: The policy it was made by.
        entries: What it says of each home.
        hearings: What staff were asked and answered.
        objections: Objections of staff.
        unanswered: The ids of those that nobody has answered.
        remarks: Remarks on the case.
        schemes: What schemes are called.
        who: What colleagues are called.
    """

    case: View
    person: View
    suggestion: View | None = None
    policy: str = ""
    entries: Sequence[Entry] = ()
    hearings: Sequence[View] = ()
    objections: Sequence[View] = ()
    unanswered: frozenset[str] = frozenset()
    remarks: Sequence[View] = ()
    schemes: Mapping[str, str] = field(default_factory=dict)
    who: Callable[[str], str] = str


def case_paper(matter: Matter, words: Catalog, today: date, mark: str) -> Paper:
    """Return the paper of one case."""
    title = words("papers.case_paper")
    name = words("papers.reference", case=matter.case["id"])
    blocks = [heading(name), *_blocks(matter, words, today)]
    return Paper(title, words, today, blocks, reference=name, mark=mark)


def case_papers(matters: Sequence[Matter], meeting: View, words: Catalog, today: date, mark: str) -> Paper:
    """Return the papers of all cases of a meeting, in one."""
    title = words("papers.case_papers", day=_day(words, meeting["on"]))
    blocks: list[Block] = []
    for matter in matters:
        blocks.append(heading(words("papers.reference", case=matter.case["id"])))
        blocks += _blocks(matter, words, today)
    return Paper(title, words, today, blocks or [text(words("papers.none"))], reference=title, mark=mark)


def _day(words: Catalog, value: str) -> str:
    return words.day(date.fromisoformat(value[:10]))


def _blocks(matter: Matter, words: Catalog, today: date) -> Iterator[Block]:
    case = matter.case
    made = matter.suggestion
    yield facts(
        (words("papers.waiting_since"), _day(words, case["waiting_since"])),
        (words("papers.state"), sentence_case(words.code(CaseState, case["state"]))),
        (words("papers.suggested_on"), None if made is None else _day(words, made["made_on"])),
        (words("papers.policy"), matter.policy),
        *_needs(matter, words, today),
    )
    yield heading(words("papers.wishes"), 2)
    yield from _wishes(matter, words)
    yield heading(words("papers.suggestion"), 2)
    yield from _suggestion(matter, words)
    yield heading(words("papers.hearings"), 2)
    yield from _hearings(matter, words)
    yield heading(words("papers.objections"), 2)
    yield from _objections(matter, words)
    if matter.remarks:
        yield heading(words("papers.comments"), 2)
        yield points([f"{one['text']} ({matter.who(one['author'])})" for one in matter.remarks])


def _needs(matter: Matter, words: Catalog, today: date) -> Iterator[tuple[str, str]]:
    """Yield the needs and services that were assessed and still hold, where the reader sees them."""
    found = matter.person.get("facts", {}).get("needs")
    if found is None:
        return
    holds = found["status"] == "known" and found["valid_until"] >= today.isoformat()
    kinds: tuple[tuple[str, type[StrEnum]], ...] = (("needs", Need), ("services", Service))
    for name, kind in kinds:
        listed = words.listing([words.code(kind, one) for one in found[name] or ()]) if holds else ""
        missing = words("papers.nothing_special") if holds else words("papers.not_assessed")
        yield words(f"papers.{name}"), sentence_case(listed) or missing


def _wishes(matter: Matter, words: Catalog) -> Iterator[Block]:
    wishes = matter.case.get("wishes")
    if not wishes:
        yield text(words("papers.wishes_missing"))
        return
    preferred = sorted(wishes["preferred"], key=lambda one: one["rank"])
    named = [matter.schemes.get(one["scheme"], one["scheme"]) for one in preferred]
    reserved = [
        matter.schemes.get(one["scheme"], one["scheme"]) + (f": {one['reason']}" if one["reason"] else "")
        for one in wishes["reservations"]
    ]
    if not (named or reserved or wishes["comment"]):
        yield text(words("papers.wishes_none"))
        return
    yield facts(
        (words("papers.preferred"), words.listing(named)),
        (words("papers.reserved"), "; ".join(reserved)),
        (words("papers.own_words"), wishes["comment"]),
    )


def _suggestion(matter: Matter, words: Catalog) -> Iterator[Block]:
    if matter.suggestion is None:
        yield text(words("papers.no_suggestion"))
        return
    yield small(words("answer.advice_only"))
    opened = [entry for entry in matter.entries if not entry.barred]
    for entry in opened:
        yield from _entry(entry, words)
    barred = [entry for entry in matter.entries if entry.barred]
    if barred:
        yield heading(words("papers.not_open"), 2)
        rows = [(entry.name, _why_not(entry)) for entry in barred]
        yield table([words("papers.home"), words("papers.why")], rows)
    sources = {line.rule: line.source for entry in opened for line in entry.against if line.source}
    if sources:
        yield heading(words("papers.sources"), 2)
        yield points([f"{words.rule(rule, 'title')}: {source}" for rule, source in sources.items()])
        made_on = date.fromisoformat(matter.suggestion["made_on"][:10])
        if note := unconfirmed(_law_behind(sources, made_on), words):
            yield small(note)


def _law_behind(rules: Iterable[str], day: date) -> Iterator[LawRef]:
    """Yield the law that rules rest on, as it holds on a day."""
    for rule in (RULES_BY_ID[name] for name in rules if name in RULES_BY_ID):
        for citation in rule.sources:
            if isinstance(citation.work, Law):
                yield law_ref(citation.work.key, day)


def _entry(entry: Entry, words: Catalog) -> Iterator[Block]:
    verdict = words.template("verdicts", entry.verdict)
    yield heading(words("papers.entry", rank=str(entry.rank), name=entry.name, verdict=verdict), 3)
    if entry.restricted:
        yield text(str(entry.told["text"]))
        return
    nothing = None if entry.against else words("answer.nothing_against")
    yield facts(
        (words("papers.for"), " ".join(_pros(entry, words))),
        (words("papers.against"), nothing),
    )
    if entry.against:
        yield lead(words("papers.against"))
        yield points([_line(line, words) for line in entry.against])


def _pros(entry: Entry, words: Catalog) -> Iterator[str]:
    kinds: dict[str, type[StrEnum]] = {"Need": Need, "Service": Service}
    pros = entry.pros
    if pros.wished:
        yield words("papers.wished")
    if pros.needs:
        listed = words.listing([words.code(kinds[kind], code) for kind, code in pros.needs])
        yield words("papers.meets", list=listed)
    if pros.topics:
        listed = words.listing([words.template("topics", topic).lower() for topic in pros.topics])
        yield words("papers.in_order", list=listed)


def _line(line: Line, words: Catalog) -> str:
    about = f" ({', '.join(line.about)})" if len(line.about) > 1 else ""
    title = words.rule(line.rule, "title") if words.has("rules", line.rule, "title") else ""
    said = [
        f"{title}: {line.said}{about}" if title and not line.said.startswith(title) else line.said + about
    ]
    if line.sides:
        said.append(words("sentence.both_sides", side_a=line.sides[0], side_b=line.sides[1]))
    if line.change:
        said.append(words("papers.change", text=line.change))
    return " ".join(said)


def _why_not(entry: Entry) -> str:
    if entry.restricted:
        return str(entry.told["text"])
    reasons = [line for line in entry.lines if line.reason] or entry.against
    return " ".join(dict.fromkeys(line.said for line in reasons))


def _hearings(matter: Matter, words: Catalog) -> Iterator[Block]:
    said = []
    for hearing in matter.hearings:
        scheme = matter.schemes.get(hearing["scheme"], hearing["scheme"])
        for one in hearing.get("statements", ()):
            kind = words.code(StatementKind, one["kind"])
            remark = f". {one['text']}" if one["text"] else ""
            said.append(words("papers.answered", scheme=scheme, kind=kind, text=remark))
        if not hearing.get("statements"):
            said.append(words("papers.no_answer", scheme=scheme))
    yield points(said) if said else text(words("papers.no_hearing"))


def _objections(matter: Matter, words: Catalog) -> Iterator[Block]:
    said = []
    for one in matter.objections:
        entry = one["entry"]
        place = entry["unit"] or entry["living_group"] or entry["scheme"]
        lines = [
            words(
                "papers.objection",
                ground=sentence_case(words.code(VetoGround, entry["ground"])),
                place=matter.schemes.get(place, place),
                fact=entry["fact"]["text"],
                day=_day(words, entry["fact"]["observed_on"]),
            )
        ]
        if one["remedy"]:
            lines.append(words("papers.remedy", text=one["remedy"]))
        if one["id"] in matter.unanswered:
            lines.append(words("papers.must_be_answered"))
        if one["answered"]:
            kind = words.code(VetoAnswer, one["answered"]["answer"])
            lines.append(words("papers.answer", answer=kind, reason=one["answered"]["reason"]))
        said.append(" ".join(lines))
    yield points(said) if said else text(words("papers.none"))
