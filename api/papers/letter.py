"""The letter to the applicant (*vedtaksbrev*): what was decided, why, and how to appeal."""

from __future__ import annotations

from collections.abc import Iterator

from allocator.casework.codes import AppealBody, DecisionOutcome, DecisionType
from allocator.casework.law import law_ref
from allocator.codes import AgreementForm
from allocator.service.letters import Home, Letter
from allocator.texts import Catalog, sentence_case
from api.papers import Block, Paper, address, closing, facts, heading, points, small, text
from api.papers.law import cited, unconfirmed


def letter_paper(letter: Letter, words: Catalog) -> Paper:
    """Return a letter as a paper."""
    reference = words("papers.reference", case=letter.case)
    to = [letter.to or words("papers.applicant")]
    to += [words("papers.copy_to", name=name) for name in letter.copies]
    return Paper(
        title=words("papers.decision_on", type=words.code(DecisionType, letter.type)),
        words=words,
        on=letter.today,
        before=[address([*to, reference], words.day(letter.today))],
        blocks=list(_blocks(letter, words)),
        reference=reference,
    )


def _blocks(letter: Letter, words: Catalog) -> Iterator[Block]:
    bases = [law_ref(condition.legal_basis, letter.made_on) for condition in letter.conditions]
    yield text(_told(letter, words))
    if letter.home is not None:
        yield heading(words("papers.about_home"))
        yield _home(letter.home, letter.agreement, words)
        if letter.crisis_until is None:
            yield text(words("papers.offer_follows"))
    yield heading(words("papers.why_so"))
    yield text(letter.grounds)
    if letter.reasons:
        yield heading(words("papers.what_rules_say"))
        for reason in letter.reasons:
            about = (
                "" if letter.home is not None else words("papers.of_homes", list=words.listing(reason.units))
            )
            yield text(f"{about} {reason.text}".strip())
        yield small(words("papers.rules_note"))
    if letter.conditions:
        yield heading(words("papers.conditions"))
        for condition, ref in zip(letter.conditions, bases, strict=True):
            yield text(condition.text)
            yield facts(
                (words("papers.purpose"), condition.purpose),
                (words("papers.legal_basis"), cited(ref, words)),
                (words("papers.connection"), condition.connection),
                (words("papers.proportionality"), condition.proportionality),
            )
    yield from _appeal(letter, words)
    yield heading(words("papers.access"))
    yield text(words("papers.access_how"))
    yield heading(words("papers.law"))
    yield points([cited(ref, words) for ref in letter.law])
    if note := unconfirmed((*letter.law, *bases), words):
        yield small(note)
    yield closing(words("papers.sender"))


def _told(letter: Letter, words: Catalog) -> str:
    """Return what was decided, in a sentence."""
    if letter.home is None or letter.outcome is not DecisionOutcome.ALLOCATED:
        return words(f"papers.told_{letter.outcome}")
    place = {"unit": letter.home.unit, "scheme": letter.home.scheme}
    if letter.crisis_until is not None:
        return words("papers.told_crisis", **place, day=words.day(letter.crisis_until))
    return words("papers.told_allocated", **place)


def _home(home: Home, agreement: AgreementForm | None, words: Catalog) -> Block:
    def yes_or_no(value: bool | None) -> str | None:  # noqa: FBT001 - as a fact says it
        return None if value is None else sentence_case(words.template("yes" if value else "no"))

    built = home.facts
    area = None if built.area_m2 is None else words("papers.square_metres", area=str(built.area_m2))
    return facts(
        (words("papers.home"), f"{home.unit}, {home.scheme}"),
        (words("papers.area"), area),
        (words("papers.floor"), None if built.floor is None else str(built.floor)),
        (words("papers.lift"), yes_or_no(built.lift)),
        (words("papers.step_free"), yes_or_no(built.step_free)),
        (
            words("papers.agreement"),
            None if agreement is None else sentence_case(words.code(AgreementForm, agreement)),
        ),
    )


def _appeal(letter: Letter, words: Catalog) -> Iterator[Block]:
    if letter.appeal_by is None:
        yield heading(words("papers.appeal_about"))
        yield text(words("papers.appeal_none"))
        if letter.exceptionally is not None:
            body = words.code(AppealBody, letter.exceptionally)
            yield text(words("papers.appeal_exception", body=body))
    else:
        yield heading(words("papers.appeal"))
        yield text(words("papers.appeal_to", body=words.code(AppealBody, letter.appeal_body)))
        last = words.day(letter.appeal_by)
        weeks = str(letter.appeal_weeks)
        yield text(words("papers.appeal_by", weeks=weeks, day=words.day(letter.today), last=last))
        yield text(words("papers.appeal_how", case=letter.case))
        yield text(words("papers.suspension"))
    if letter.appeal_unverified:
        yield small(words("papers.appeal_unconfirmed"))
