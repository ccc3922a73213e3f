"""The minutes (*protokoll*): who was there, what was discussed in own words, and what was decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from allocator.casework.codes import AppealBody, DecisionOutcome, DecisionState, DecisionType, VetoAnswer
from allocator.casework.law import law_ref
from allocator.texts import Catalog, sentence_case
from api.papers import Block, Paper, facts, heading, points, sign, small, text
from api.papers.law import cited, unconfirmed

View = Mapping[str, Any]


def minutes_paper(
    meeting: View,
    items: Sequence[tuple[View, Sequence[View], Sequence[str]]],
    words: Catalog,
    today: date,
    *,
    mark: str,
    who: Callable[[str], str],
) -> Paper:
    """Return the minutes of a meeting.

    Args:
        meeting: The meeting.
        items: What was on the agenda, what was decided of each, and who could not take part in it.
        words: The sentences of the language.
        today: The date of the paper.
        mark: Why it is not public.
        who: What colleagues are called.
    """
    on = words.day(date.fromisoformat(meeting["on"]))
    present = [who(one) for one in meeting["present"]]
    absent = [who(one) for one in meeting["members"] if one not in meeting["present"]]
    blocks: list[Block] = [
        facts(
            (words("papers.day"), on),
            (words("papers.place"), meeting["place"]),
            (words("papers.chair"), None if meeting["chair"] is None else who(meeting["chair"])),
            (words("papers.secretary"), None if meeting["secretary"] is None else who(meeting["secretary"])),
            (words("papers.present"), words.listing(present)),
            (words("papers.absent"), words.listing(absent)),
        )
    ]
    if meeting["state"] != "closed":
        blocks.append(small(words("papers.draft")))
    blocks += [heading(words("papers.minutes")), text(meeting["minutes"] or words("papers.not_written"))]
    blocks.append(heading(words("papers.decided")))
    for item, decisions, away in items:
        name = item["case"] or item["unit"]
        blocks.append(heading(words("papers.item", no=str(item["no"]), name=name), 2))
        blocks += _item(item, decisions, [who(one) for one in away], words, who)
    blocks.append(sign(words("papers.chair"), words("papers.secretary")))
    title = words("papers.minutes_of", day=on)
    return Paper(title, words, today, blocks, reference=title, mark=mark)


def _item(
    item: View, decisions: Sequence[View], away: Sequence[str], words: Catalog, who: Callable[[str], str]
) -> Iterator[Block]:
    if away or item["postponed"]:
        yield facts(
            (words("papers.disqualified"), words.listing(away)),
            (words("papers.postponed"), item["postponed"]),
        )
    if not decisions and not item["postponed"]:
        yield text(words("papers.not_decided"))
    for one in decisions:
        yield from _decision(one, words, who)


def _decision(one: View, words: Catalog, who: Callable[[str], str]) -> Iterator[Block]:
    outcome = sentence_case(words.code(DecisionOutcome, one["outcome"]))
    proposed = one["state"] == DecisionState.PROPOSED
    second = one.get("second")
    yield facts(
        (words("papers.type"), sentence_case(words.code(DecisionType, one["type"]))),
        (words("papers.outcome"), f"{outcome} – {one['unit']}" if one["unit"] else outcome),
        (words("papers.state"), words("papers.waits") if proposed else None),
        (words("papers.proposed_by"), who(one["proposed_by"]) if one.get("proposed_by") else None),
        (words("papers.approved_by"), None if second is None else who(second)),
        (words("papers.grounds"), one.get("grounds")),
        (words("papers.deviation"), _deviation(one, words)),
        (
            words("papers.appeal_body"),
            sentence_case(words.code(AppealBody, one["appeal_body"])) if one.get("appeal_body") else None,
        ),
    )
    said = [
        words("papers.reply", answer=words.code(VetoAnswer, reply["answer"]), reason=reply["reason"])
        for reply in one.get("replies", ())
    ]
    said += [
        words("papers.dissent", name=who(dissent["by"]), text=dissent["text"])
        for dissent in one.get("dissents", ())
    ]
    if said:
        yield points(said)
    for no, condition in enumerate(one.get("conditions", ()), start=1):
        yield heading(words("papers.condition", no=str(no)), 3)
        ref = law_ref(condition["legal_basis"], _day_of(one))
        yield text(condition["text"])
        yield facts(
            (words("papers.legal_basis"), cited(ref, words)),
            (words("papers.purpose"), condition["purpose"]),
            (words("papers.connection"), condition["connection"]),
            (words("papers.proportionality"), condition["proportionality"]),
        )
        if note := unconfirmed([ref], words):
            yield small(note)


def _day_of(one: View) -> date:
    """Return the day whose law a decision rests on: when it was made, or else proposed."""
    return date.fromisoformat(one.get("made_on") or one["proposed_on"])


def _deviation(one: View, words: Catalog) -> str | None:
    said = one.get("deviation")
    if not said:
        return None
    verdict = words.template("verdicts", said["verdict"])
    return f"{words('papers.verdict_was', verdict=verdict)} {said['reason']}"
