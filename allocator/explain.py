"""Findings become sentences, for one reader in one language; and answers become documents.

What a reader may see is decided in :mod:`allocator.disclosure`. Sentences are made from findings and
nowhere else: there is no second way to explain.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

from allocator.disclosure import (
    Level,
    Mutual,
    Reader,
    Released,
    Shown,
    release,
    release_mutual,
    released_no_option,
)
from allocator.engines import Outcome
from allocator.facts import Missing, Range, Reading, fact_type, needless_placeholders
from allocator.handbook import handbook_sha256, param_words
from allocator.model import (
    Snapshot,
)
from allocator.policy import BoundRule, Warned
from allocator.rules.language import AtLeast, Effect, Public, paths, walk
from allocator.rules.sources import Citation
from allocator.scoring import Finding, NoOption, Suggestions, Verdict
from allocator.texts import Catalog, catalog, fill, sentence_case

_NOT_ASKED_AGAIN = frozenset({Missing.REFUSED, Missing.WITHDRAWN})
"""A no is a no."""


class NotForApplicantsError(ValueError):
    """An applicant asks about others; they may ask about themselves."""


class Explainer:
    """Writes the sentences of one answer for one reader.

    Args:
        answer: The answer.
        reader: Who reads.
        language: ``nb``, ``nn`` or ``en``.

    Raises:
        ValueError: The product does not have that language.
        NotForApplicantsError: The answer is about several applicants and an applicant would read it.
    """

    def __init__(self, answer: Suggestions, reader: Reader, language: str = "nb") -> None:
        if reader is Reader.APPLICANT and answer.applicant is None:
            raise NotForApplicantsError("a shortlist is not for applicants")
        self.answer = answer
        self.reader = reader
        self.text = catalog(language)
        self._rules: dict[str, Mapping[str, str]] = {}
        self._move_out = {
            resident.id: resident.move_out
            for resident in answer.case.residents
            if resident.move_out and resident.id not in answer.facts.placeholders
        }

    @cached_property
    def released(self) -> tuple[Released, ...]:
        """The answer as the reader may see it."""
        return release(self.answer, self.reader)

    @cached_property
    def closing(self) -> NoOption | None:
        """What closes everything, as far as the reader may know."""
        return released_no_option(self.answer, self.reader, self.released)

    # ---------------------------------------------------------------------------------- findings

    def sentence(self, shown: Shown, *, brief: bool = False) -> str:
        """Return what a finding says; *brief* leaves out what is the same for many findings."""
        finding = shown.finding
        if shown.level is Level.ENVIRONMENT:
            return self.text("view.staff_small")
        if shown.level is Level.TOPIC:
            return self._topic(finding)
        if self.reader is Reader.APPLICANT:
            return self._to_applicant(finding)
        match finding.outcome:
            case Outcome.UNKNOWN:
                said = self._unknown(finding)
            case Outcome.KEPT:
                said = self._kept(finding)
            case Outcome.BROKEN:
                said = self._fill(finding, "broken")
        return " ".join([said, *self._additions(finding, brief=brief)])

    def change(self, finding: Finding) -> str:
        """Return what would have to change for the finding to be kept, and whether anyone can lift it."""
        if finding.outcome is Outcome.UNKNOWN:
            return self._missing(finding)
        said = self._fill(finding, "change")
        return said if finding.overridable else f"{said} {self.text('sentence.lift_nobody')}"

    def title(self, finding: Finding) -> str:
        """Return the rule's title."""
        return self.text.rule(finding.rule.id, "title")

    def _fill(self, finding: Finding, part: str) -> str:
        template = self.text.rule(finding.rule.id, part)
        return fill(template, self._values(finding)) if "{" in template else template

    def _values(self, finding: Finding) -> dict[str, str]:
        who = self._who(finding)
        return {
            **self._of_rule(finding.rule),
            **self.text.values(finding.facts),
            "who": who,
            "Who": sentence_case(who),
        }

    def _of_rule(self, active: BoundRule) -> Mapping[str, str]:
        """Return what is filled into a rule's sentences whoever it is about: numbers, and what is unknown."""
        if active.id not in self._rules:
            unknown = self.text.template("unknown")
            expressions = active.rule.expressions
            counted = (part for expr in expressions for part in walk(expr) if isinstance(part, AtLeast))
            self._rules[active.id] = {
                **{path: unknown for expr in expressions for path in paths(expr)},
                **{f"{part.over}s.{part.name}": unknown for part in counted},
                **{
                    f"params.{name}": param_words(kind, active.params[name], self.text, unit=False)
                    for name, kind in active.rule.params.items()
                },
            }
        return self._rules[active.id]

    def _who(self, finding: Finding) -> str:
        if not finding.about:
            return self.text("who.nobody")
        (identifier,) = finding.about
        facts = self.answer.facts
        is_unit = finding.rule.rule.about is Range.RESIDENT and identifier in facts.places
        if is_unit or identifier in facts.placeholders:
            return self.text("who.unknown_occupant", id=identifier)
        is_person = any(identifier == resident.id for resident in self.answer.case.residents)
        return self.text("who.resident" if is_person else "who.entry", id=identifier)

    def _kept(self, finding: Finding) -> str:
        if finding.rule.rule.about is Range.RESIDENT and not finding.about:
            return self.text("sentence.kept_nobody", title=self.title(finding))
        return self._fill(finding, "kept")

    def _unknown(self, finding: Finding) -> str:
        about = f" {self.text('sentence.unknown_about', who=self._who(finding)).strip()}"
        return self.text(
            "sentence.unknown",
            title=self.title(finding),
            about=about if finding.about else "",
            missing=self._missing(finding),
        )

    def _missing(self, finding: Finding) -> str:
        return missing_text(self.text, finding.missing)

    def both_sides(self, finding: Finding) -> str | None:
        """Return both sides of the evidence behind a broken rule, where it points both ways."""
        question = finding.rule.rule.contradiction
        if question is None or finding.outcome is not Outcome.BROKEN:
            return None
        return self.text(
            "sentence.both_sides",
            side_a=self.text.template("contradictions", question.key, "side_a"),
            side_b=self.text.template("contradictions", question.key, "side_b"),
        )

    def _additions(self, finding: Finding, *, brief: bool) -> list[str]:
        """Return what is added for those who decide: remarks, notice, both sides, overruling."""
        said = []
        if finding.remark:
            said.append(self._fill(finding, "remark"))
        if finding.could_cost:
            said.append(self.text("sentence.could_cost", points=str(-finding.could_cost)))
        if finding.outcome is Outcome.KEPT or not self.reader.decides:
            return said
        for identifier in finding.about:
            if (last_day := self._move_out.get(identifier)) is not None:
                who = sentence_case(self._who(finding))
                said.append(self.text("sentence.leaves", who=who, date=self.text.day(last_day)))
        if not brief and (both := self.both_sides(finding)) is not None:
            said.append(both)
        if finding.outcome is Outcome.BROKEN and finding.rule.effect >= Effect.ADVISE_AGAINST:
            if not finding.overridable:
                said.append(self.text("sentence.not_overridable"))
            elif not brief:
                said.append(self.text("sentence.overridable"))
        return said

    def _topic(self, finding: Finding) -> str:
        rule = finding.rule.rule
        if finding.outcome is Outcome.KEPT:
            return self.text("view.topic_kept", title=self.title(finding))
        if not rule.reads_others or rule.confidential:
            return self.text("view.topic", title=self.title(finding))
        return self.text("view.staff_mix", title=self.title(finding))

    def _to_applicant(self, finding: Finding) -> str:
        if finding.outcome is Outcome.UNKNOWN:
            topic = self.text(f"public.{finding.rule.rule.public}")
            return self.text("view.applicant_missing", list=topic)
        return self._fill(finding, "applicant")

    # ------------------------------------------------------------------------------- assessments

    def summary(self, entry: Released) -> str:
        """Return the verdict as a sentence, with what counts beside the findings shown."""
        if entry.restricted:
            return self.text("view.restricted")
        if self.reader is not Reader.APPLICANT:
            return sentence_case(self.text(f"verdicts.{entry.verdict.code}")) + "."
        said = [self.text(f"view.applicant_{entry.verdict.code}")]
        said.extend(dict.fromkeys(self.sentence(shown) for shown in entry.findings))
        if entry.environment:
            said.append(self.text("view.environment"))
        return " ".join(said)

    def compared(self, one: str, other: str) -> str:
        """Return why one of two units (or applicants) stands before the other, the better first.

        Raises:
            KeyError: One of them is not in the answer.
        """
        place = {self._name(entry): index for index, entry in enumerate(self.released)}
        first, second = sorted((place[one], place[other]))
        return self.comparison(self.released[first], self.released[second])

    def comparison(self, first: Released, second: Released) -> str:
        """Return why *first* stands before *second*: two units for an applicant, or two applicants.

        For a reader who does not decide, and so for a letter, and where one of the two is restricted, only
        verdicts and what may be shown of each are used. A letter never compares its reader with another
        applicant.
        """
        names = self._names(first, second)
        if self.reader.decides and first.scored and second.scored:
            return self._full_comparison(first, second, names)
        key = "compare.public_equal" if first.verdict == second.verdict else "compare.public_first"
        verdicts = {
            "verdict_first": self.text(f"verdicts.{first.verdict.code}"),
            "verdict_second": self.text(f"verdicts.{second.verdict.code}"),
        }
        said = [self._say(key, {**names, **verdicts})]
        for name, own, other in ((names["first"], first, second), (names["second"], second, first)):
            theirs = {self.sentence(shown) for shown in other.findings}
            told = (self.sentence(s) for s in own.findings if s.finding.outcome is not Outcome.KEPT)
            only = dict.fromkeys(sentence for sentence in told if sentence not in theirs)
            if only:
                said.append(f"{name}: {' '.join(only)}")
            if own.restricted and self.reader.decides:
                said.append(f"{name}: {self.text('view.restricted')}")
        if first.environment or second.environment:
            said.append(self.text("view.environment"))
        return " ".join(said)

    def letter(self, unit: str) -> str:
        """Return why an applicant has, or has not, come first for a unit that others want too.

        Says what is true of the applicant, by their own facts and public reasons, and nothing of the others.

        Raises:
            KeyError: The unit is not in the answer.
        """
        by_name = {self._name(entry): entry for entry in self.released}
        return f"{self.text('view.others_too')} {self.summary(by_name[unit])}"

    def _full_comparison(self, first: Released, second: Released, names: Mapping[str, str]) -> str:
        one, other = first.assessment, second.assessment
        values = {
            **names,
            "verdict_first": self.text(f"verdicts.{one.verdict.code}"),
            "verdict_second": self.text(f"verdicts.{other.verdict.code}"),
            "score_first": str(one.score),
            "score_second": str(other.score),
        }
        if one.verdict != other.verdict:
            key = "compare.verdict"
        else:
            key = "compare.equal" if one.score == other.score else "compare.score"
        said = [self._say(key, values)]
        moved = {id(f): self.sentence(Shown(f, Level.FULL)) for f in (*one.changes, *other.changes)}
        theirs = {moved[id(f)] for f in one.changes} & {moved[id(f)] for f in other.changes}
        for heading, changes in (
            ("compare.only_second", other.changes),
            ("compare.only_first", one.changes),
        ):
            only = [moved[id(f)] for f in changes if moved[id(f)] not in theirs]
            if only:
                said.append(f"{self._say(heading, names)} {' '.join(only)}")
        return " ".join(said)

    def _say(self, key: str, values: Mapping[str, str]) -> str:
        return fill(self.text.template(*key.split(".")), values)

    def _name(self, entry: Released) -> str:
        a = entry.assessment
        return a.applicant if self.answer.applicant is None else a.unit

    def _names(self, first: Released, second: Released) -> dict[str, str]:
        return {"first": self._name(first), "second": self._name(second)}

    # ------------------------------------------------------------------------------------ answers

    def warning(self, warned: Warned) -> str:
        """Return what a reader must know of the policy."""
        values = {}
        if warned.rule is not None:
            values["title"] = self.text.rule(warned.rule, "title")
            values["reason"] = self.answer.policy.document.rules[warned.rule].off_reason or ""
        if warned.day is not None:
            values["date"] = self.text.day(warned.day)
        return self._say(f"warnings.{warned.code}", values)

    def no_option(self) -> list[str]:
        """Return what is said where everything shown excludes the applicant; nothing otherwise."""
        shown = [entry.verdict for entry in self.released]
        if self.answer.applicant is None or any(v < Verdict.ADVISED_AGAINST for v in shown):
            return []
        said = [self.text("no_option.duty")]
        none = self.closing
        if none is None:
            return said
        closing = [
            self.text("no_option.closed_item", title=self.text.rule(rule, "title"), count=str(count))
            for rule, count in none.closed_by
        ]
        said.append(self.text("no_option.closed_by", list=self.text.listing(closing)))
        if none.unit is None:
            said.append(self.text("no_option.nothing"))
        else:
            lift = [self._lifted(finding) for finding in none.to_lift]
            said.append(self.text("no_option.to_lift", unit=none.unit, list=self.text.listing(lift)))
        return said

    def _lifted(self, finding: Finding) -> str:
        title = self.title(finding)
        return f"{title} ({self._who(finding)})" if finding.about else title


def missing_text(text: Catalog, missing: Mapping[str, Missing]) -> str:
    """Return what is missing, why, and who can tell it."""
    sentences: dict[str, None] = {}
    for path, why in missing.items():
        label = text.question(path)
        if why is Missing.NOT_COMPARABLE:  # it is told, so nothing is missing
            said = text("sentence.not_comparable", label=sentence_case(label))
        elif why in _NOT_ASKED_AGAIN:
            said = text("sentence.missing_no_ask", label=label, why=text(f"missing.{why}"))
        else:
            ask = text(f"ask.{fact_type(path).ask}")
            said = text("sentence.missing_one", label=label, why=text(f"missing.{why}"), ask=ask)
        sentences[said] = None
    return " ".join(sentences)


# ---------------------------------------------------------------------------------------- documents


def facts_sha256(case: Snapshot) -> str:
    """Return the hash of a snapshot; the order of its lists does not matter, nor do needless placeholders."""
    needless = needless_placeholders(case)
    if needless:
        kept = tuple(resident for resident in case.residents if resident.id not in needless)
        case = case.model_copy(update={"residents": kept})
    return _sha256(_unordered(case.model_dump(mode="json")))


def _unordered(value: Any) -> Any:
    if isinstance(value, list):
        return sorted((_unordered(item) for item in value), key=_dumps)
    if isinstance(value, dict):
        return {key: _unordered(item) for key, item in value.items()}
    return value


def _dumps(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _sha256(value: Any) -> str:
    return hashlib.sha256(_dumps(value).encode()).hexdigest()


def document(
    answer: Suggestions,
    reader: Reader = Reader.COMMITTEE,
    language: str = "nb",
    compare: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Return an answer as a document of plain values, for one reader in one language.

    Keys and their order are fixed; the same answer gives the same bytes.

    Args:
        answer: The answer.
        reader: Who reads.
        language: ``nb``, ``nn`` or ``en``.
        compare: Two units (or applicants) of the answer to compare.

    Raises:
        NotForApplicantsError: The answer is about several applicants and an applicant would read it.
        KeyError: What is to be compared is not in the answer.
    """
    explainer = Explainer(answer, reader, language)
    compared = None if compare is None else explainer.compared(*compare)
    suggestions = [_suggestion(explainer, entry) for entry in explainer.released]
    asked = {"applicant": answer.applicant} if answer.unit is None else {"unit": answer.unit}
    facts = _sha256_for(reader, answer.case, suggestions)
    return {
        "engine": answer.engine,
        "engine_version": answer.engine_version,
        "policy": {
            "name": answer.policy.name,
            "version": answer.policy.version,
            "sha256": answer.policy.sha256,
        },
        "handbook_sha256": handbook_sha256(answer.policy),
        "facts_sha256": facts,
        "as_of": answer.as_of.isoformat(),
        "reader": reader.value,
        "language": language,
        **asked,
        "notice": explainer.text("answer.advice_only"),
        "warnings": [explainer.warning(warned) for warned in answer.warnings],
        "no_option": _no_option(explainer),
        **({} if compared is None else {"comparison": {"of": list(compare or ()), "text": compared}}),
        "suggestions": suggestions,
    }


def _sha256_for(reader: Reader, case: Snapshot, released: list[dict[str, Any]]) -> str:
    """Return the hash of the facts, or for a reader who is not cleared of what is released to them."""
    return facts_sha256(case) if reader is Reader.COMMITTEE else _sha256(released)


def _no_option(explainer: Explainer) -> dict[str, Any] | None:
    said = explainer.no_option()
    if not said:
        return None
    told: dict[str, Any] = {"text": " ".join(said)}
    none = explainer.closing
    if none is not None:
        told["closed_by"] = [{"rule": rule, "units": count} for rule, count in none.closed_by]
        told["unit"] = none.unit
        told["to_lift"] = [
            {"rule": finding.rule.id, "about": list(finding.about)} for finding in none.to_lift
        ]
    return told


def _suggestion(explainer: Explainer, entry: Released) -> dict[str, Any]:
    a = entry.assessment
    told: dict[str, Any] = {"rank": entry.rank}
    if explainer.answer.applicant is None:
        told["applicant"] = a.applicant
    told |= {
        "unit": a.unit,
        "living_group": a.living_group,
        "scheme": a.scheme,
        "verdict": entry.verdict.code,
        "score": a.score if entry.scored else None,
        "score_at_worst": a.score_at_worst if entry.scored else None,
        "text": explainer.summary(entry),
        "findings": [_finding(explainer, entry, shown) for shown in entry.findings],
    }
    if entry.scored and a.verdict_after_notice is not None and a.notice_ends is not None:
        told["after_notice"] = {
            "from": a.notice_ends.isoformat(),
            "verdict": a.verdict_after_notice.code,
            "text": explainer.text(
                "answer.after_notice",
                date=explainer.text.day(a.notice_ends),
                verdict=explainer.text(f"verdicts.{a.verdict_after_notice.code}"),
            ),
        }
    return told


PUBLIC_RULE = Public.LIVING_ENVIRONMENT.replace("_", "-")
"""What stands in place of a rule's id where not even that may be shown."""


def _finding(explainer: Explainer, entry: Released, shown: Shown) -> dict[str, Any]:
    finding = shown.finding
    full = shown.level is Level.FULL
    hidden = shown.level is Level.ENVIRONMENT
    facts = _facts_for(explainer.reader, finding) if full else {}
    told: dict[str, Any] = {
        "rule": PUBLIC_RULE if hidden else finding.rule.id,
        "outcome": finding.outcome.value,
        "effect": finding.rule.effect.code,
        "overridable": finding.overridable,
        "points": finding.points if entry.scored else None,
        "could_cost": finding.could_cost if entry.scored else None,
        "about": list(finding.about) if full else [],
        "facts": {path: _plain(value) for path, value in facts.items()},
        "missing": {path: value.value for path, value in facts.items() if isinstance(value, Missing)},
        "source": None if hidden else source_text(finding, explainer.answer.as_of),
        "text": explainer.sentence(shown),
    }
    if explainer.reader.decides:
        told["reason"] = any(finding is reason for reason in entry.assessment.reasons)
        told["change"] = None if finding.verdict is Verdict.SUITABLE else explainer.change(finding)
    return told


def mutual(
    answer: Suggestions, reader: Reader = Reader.COMMITTEE, language: str = "nb"
) -> list[dict[str, Any]]:
    """Return what rules find among those who live together, as plain values for one reader in one language.

    Args:
        answer: The answer of `scoring.together`.
        reader: Who reads.
        language: ``nb``, ``nn`` or ``en``.
    """
    explainer = Explainer(answer, reader, language)
    return [_mutual(explainer, one) for one in release_mutual(answer, reader)]


def _mutual(explainer: Explainer, one: Mutual) -> dict[str, Any]:
    finding, level = one.shown.finding, one.shown.level
    full, hidden = level is Level.FULL, level is Level.ENVIRONMENT
    return {
        "living_group": one.group,
        "of": one.of,
        "rule": PUBLIC_RULE if hidden else finding.rule.id,
        "outcome": finding.outcome.value,
        "effect": finding.rule.effect.code,
        "overridable": finding.overridable,
        "about": list(finding.about) if full else [],
        "unknown_of": _unknown_of(one) if full else [],
        "source": None if hidden else source_text(finding, explainer.answer.as_of),
        "text": explainer.sentence(one.shown),
    }


def _unknown_of(one: Mutual) -> list[str]:
    """Return of whom something is not known: of whoever stands in the applicant's place, or of the other.

    Where others are counted it is not told of whom.
    """
    finding = one.shown.finding
    others: Mapping[str, tuple[str, ...]] = {"resident": finding.about, "unit": (), "group": (), "scheme": ()}
    own = () if one.of is None else (one.of,)
    return sorted({name for path in finding.missing for name in others.get(path.partition(".")[0], own)})


_OWN_SUBJECTS = frozenset({"applicant", "choice"})


def _facts_for(reader: Reader, finding: Finding) -> Mapping[str, Reading]:
    """Return the facts that a reader may see; an applicant sees their own (REQ-FVL-1)."""
    if reader is not Reader.APPLICANT:
        return finding.facts
    return {path: value for path, value in finding.facts.items() if path.partition(".")[0] in _OWN_SUBJECTS}


def source_text(finding: Finding, day: date) -> str:
    """Return where the rule comes from, as the references read on *day*."""
    return _sources_at(finding.rule.rule.sources, day)


@lru_cache(maxsize=1000)
def _sources_at(sources: tuple[Citation, ...], day: date) -> str:
    return "; ".join(dict.fromkeys(citation.at(day) for citation in sources))


def _plain(value: Reading) -> bool | int | str | None:
    if isinstance(value, Missing):
        return None
    return value.isoformat() if isinstance(value, date) else value
