"""The policy: which advice counts how much here, dated, hashed and never changed.

A policy is a TOML document. It names every rule of the rulebook, gives each its effect, points and
parameters, and says for every number where it comes from. A rule that reads a protected ground (gender,
age, disability) needs a justification card; when the card's review date has passed the rule is off, with a
visible warning, except where it serves the applicant's own need. What rests on statute, a court order or
physical fact cannot be weakened.

The hash is of the content, so that comments and the order of lines do not matter.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from allocator.documents import expectation
from allocator.model import (
    WITHOUT_NUL,
    Day,
    Name,
    Problem,
    Record,
    expecting,
)
from allocator.rules import RULEBOOK, RULES_BY_ID
from allocator.rules.language import Effect, Expr, ParamValue, Rule, UnfitError, bind, paths


class PolicyError(ValueError):
    """A policy that is refused, with every reason.

    `malformed` tells a document that cannot be read from one that is read and refused.
    """

    def __init__(self, problems: tuple[Problem, ...], *, malformed: bool = False) -> None:
        self.malformed = malformed
        super().__init__("\n".join(f"{p.path}: {p.expected}" for p in problems))
        self.problems = problems


Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), WITHOUT_NUL]
"""Something that somebody has to say for themselves: not blank."""


class Justification(Record):
    """Why a protected ground is read (REQ-LDL-1)."""

    legal_basis_note: Reason
    purpose: Reason
    necessity: Reason
    proportionality: Reason
    approved_by: Name
    approved_on: Day
    review_by: Day

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.review_by < self.approved_on:
            raise PydanticCustomError("date_order", "`review_by` on or after `approved_on`")
        return self


class Valued(Record):
    """A number or table with its origin: a source, or ``local choice`` and why."""

    value: Any
    origin: Reason


class RulePolicy(Record):
    """What a policy says of one rule."""

    effect: str
    origin: Reason = Field(description="Where the effect, and the points if any, come from.")
    enabled: bool = True
    off_reason: Reason | None = Field(default=None, description="Why the rule is switched off.")
    points: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="What a broken rule costs, where the effect is `weigh`."
    )
    justification: Name | None = None
    params: dict[str, Valued] = Field(default_factory=dict)


class PolicyDocument(Record):
    """The document as it stands in the file."""

    name: Name
    version: Name
    valid_from: Day
    approved_by: Name
    approved_on: Day
    change_note: Reason
    k_anonymity: Valued = Field(
        description="Smallest number of residents of a zone in which a protected fact may be told."
    )
    justifications: dict[str, Justification] = Field(default_factory=dict)
    rules: dict[str, RulePolicy]


@dataclass(frozen=True)
class BoundRule:
    """A rule with a policy's values put in."""

    rule: Rule
    effect: Effect
    points: int
    params: Mapping[str, ParamValue]
    broken_when: Expr
    remark_when: Expr | None
    justification: Justification | None

    @property
    def id(self) -> str:
        """The rule's id."""
        return self.rule.id

    @property
    def overridable(self) -> bool:
        """Whether a committee may decide against a finding of this rule."""
        return not self.rule.fixed

    @cached_property
    def own_paths(self) -> tuple[str, ...]:
        """The facts that the rule reads or tells of its member, without sets of codes and what it counts."""
        read = paths(self.broken_when, counted=False)
        told = (fact.type.path for fact in self.rule.tells)
        return tuple(dict.fromkeys(path for path in (*read, *told) if ":" not in path))


@dataclass(frozen=True)
class Warned:
    """Something about a policy that its readers must see. Text is rendered elsewhere.

    Codes: ``rule_off`` (switched off by the policy), ``review_overdue_off`` (its justification is due for
    review, so it is off), ``review_overdue_on`` (the same, but it serves the applicant's own need, so it is
    on), ``not_yet_valid`` (the policy begins later).
    """

    code: str
    rule: str | None
    day: date | None


class Policy:
    """A policy that has been accepted.

    Args:
        content: The parsed document.

    Raises:
        PolicyError: The policy is refused; every reason is given.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        try:
            document = PolicyDocument.model_validate(content)
        except ValidationError as error:
            raise PolicyError(tuple(_problems(error)), malformed=True) from None
        self.document = document
        self.sha256 = hashlib.sha256(
            json.dumps(content, sort_keys=True, default=str, ensure_ascii=False).encode()
        ).hexdigest()
        problems: list[Problem] = []
        bound = [self._bind(rule, problems) for rule in RULEBOOK]
        problems.extend(
            Problem(path=f"rules.{name}", expected="the id of a rule in the rulebook")
            for name in sorted(set(document.rules) - set(RULES_BY_ID))
        )
        k = document.k_anonymity.value
        if type(k) is not int or not 2 <= k <= 100:  # noqa: PLR2004 - stated in the message
            problems.append(Problem(path="k_anonymity.value", expected="a whole number from 2 to 100"))
        if problems:
            raise PolicyError(tuple(problems))
        self.rules: tuple[BoundRule, ...] = tuple(rule for rule in bound if rule is not None)

    @classmethod
    def from_toml(cls, text: str) -> Policy:
        """Read a policy.

        Raises:
            PolicyError: It is not TOML, or it is refused.
        """
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            unread = expecting("", "a TOML document: {fault}", fault=error)
            raise PolicyError((unread,), malformed=True) from None
        except (ValueError, RecursionError):
            unread = Problem(
                path="", expected="a TOML document of plain tables, texts, dates and whole numbers"
            )
            raise PolicyError((unread,), malformed=True) from None
        return cls(content)

    @property
    def name(self) -> str:
        """Name of the policy."""
        return self.document.name

    @property
    def version(self) -> str:
        """Version of the policy."""
        return self.document.version

    @property
    def k_anonymity(self) -> int:
        """Smallest number of residents of a zone in which a protected fact may be told."""
        return int(self.document.k_anonymity.value)

    @cached_property
    def by_id(self) -> Mapping[str, BoundRule]:
        """Bound rules by id."""
        return {rule.id: rule for rule in self.rules}

    def active(self, as_of: date) -> tuple[BoundRule, ...]:
        """Return the rules that are on that day."""
        off = {w.rule for w in self.warnings(as_of) if w.code in ("rule_off", "review_overdue_off")}
        return tuple(rule for rule in self.rules if rule.id not in off)

    def warnings(self, as_of: date) -> tuple[Warned, ...]:
        """Return what a reader must see beside a suggestion made under this policy that day."""
        warnings = []
        if as_of < self.document.valid_from:
            warnings.append(Warned("not_yet_valid", None, self.document.valid_from))
        for rule in self.rules:
            if not self.document.rules[rule.id].enabled:
                warnings.append(Warned("rule_off", rule.id, None))
            elif rule.justification is not None and rule.justification.review_by < as_of:
                code = "review_overdue_on" if rule.rule.own_need else "review_overdue_off"
                warnings.append(Warned(code, rule.id, rule.justification.review_by))
        return tuple(warnings)

    def _bind(self, rule: Rule, problems: list[Problem]) -> BoundRule | None:
        at = f"rules.{rule.id}"
        entry = self.document.rules.get(rule.id)
        if entry is None:
            problems.append(Problem(path=at, expected="an entry for this rule; every rule is decided on"))
            return None
        found = len(problems)
        effect = _effect(rule, entry, at, problems)
        if effect is Effect.WEIGH and entry.points is None:
            problems.append(Problem(path=f"{at}.points", expected="points, since the effect is `weigh`"))
        if effect is not Effect.WEIGH and entry.points is not None:
            problems.append(
                Problem(path=f"{at}.points", expected="no points: only the effect `weigh` costs points")
            )
        if not entry.enabled and rule.fixed:
            problems.append(
                expecting(
                    f"{at}.enabled",
                    "`{code}`: the rule rests on statute, a court order or physical fact",
                    code="true",
                )
            )
        if not entry.enabled and entry.off_reason is None:
            problems.append(Problem(path=f"{at}.off_reason", expected="why the rule is switched off"))
        justification = self._justification(rule, entry, at, problems)
        params = _params(rule, entry, at, problems)
        if len(problems) > found:
            return None
        return BoundRule(
            rule=rule,
            effect=effect,
            points=entry.points or 0,
            params=params,
            broken_when=bind(rule.broken_when, params),
            remark_when=None if rule.remark_when is None else bind(rule.remark_when, params),
            justification=justification,
        )

    def _justification(
        self, rule: Rule, entry: RulePolicy, at: str, problems: list[Problem]
    ) -> Justification | None:
        if entry.justification is None:
            if rule.protected:
                grounds = ", ".join(sorted(rule.protected))
                wanted = "a justification card, since the rule reads a protected ground ({grounds})"
                problems.append(expecting(f"{at}.justification", wanted, grounds=grounds))
            return None
        card = self.document.justifications.get(entry.justification)
        if card is None:
            problems.append(
                Problem(path=f"{at}.justification", expected="the name of a card under `justifications`")
            )
        return card


def _effect(rule: Rule, entry: RulePolicy, at: str, problems: list[Problem]) -> Effect:
    try:
        effect = Effect.of(entry.effect)
    except KeyError:
        codes = ", ".join(effect.code for effect in reversed(Effect))
        problems.append(expecting(f"{at}.effect", "one of: {options}", options=codes))
        return rule.effect
    if rule.fixed and effect < rule.effect:
        fixed = "`{code}`: the rule rests on statute, a court order or physical fact"
        problems.append(expecting(f"{at}.effect", fixed, code=rule.effect.code))
    return effect


def _params(rule: Rule, entry: RulePolicy, at: str, problems: list[Problem]) -> dict[str, ParamValue]:
    params: dict[str, ParamValue] = {}
    for name in sorted(set(entry.params) - set(rule.params)):
        place, known = f"{at}.params.{name}", ", ".join(sorted(rule.params))
        if known:
            problems.append(expecting(place, "a parameter of the rule; it has: {options}", options=known))
        else:
            problems.append(expecting(place, "no parameter; the rule has none"))
    for name, kind in rule.params.items():
        given = entry.params.get(name)
        if given is None:
            problems.append(Problem(path=f"{at}.params.{name}", expected="a value with its origin"))
            continue
        try:
            params[name] = kind.check(given.value)
        except UnfitError as error:
            problems.append(error.problem.model_copy(update={"path": f"{at}.params.{name}.value"}))
    return params


def _problems(error: ValidationError) -> list[Problem]:
    found = []
    for item in error.errors(include_input=False, include_url=False):
        path = ".".join(str(part) for part in item["loc"])
        kind = item["type"]
        if kind == "extra_forbidden":
            found.append(expecting(path, "only fields that a policy has"))
        elif kind in _TABLES:
            found.append(expecting(path, "a table"))
        else:
            found.append(expectation(path, kind, item["msg"], item.get("ctx", {})))
    return found


_TABLES = frozenset({"dict_type", "model_type", "model_attributes_type"})
