"""Policies: proposed as a text, proved to hang together, activated by another person, never changed."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Annotated, Any

from pydantic import StringConstraints

from allocator.access.authorizer import Circumstances
from allocator.casework.codes import PolicyState
from allocator.casework.offices import StoredPolicy
from allocator.casework.records import Stored
from allocator.model import Problem
from allocator.policy import Policy, PolicyError
from allocator.service.errors import RefusalError
from allocator.service.facts import policy_of
from allocator.service.uses import Command, Nothing, UseCase, acts, creates
from allocator.service.work import Work
from allocator.texts import Language

MAX_TEXT = 400_000
"""Longest text of a policy, in characters; the default one has about 25 000."""


class ProposePolicy(Command):
    """The text of a policy, in TOML."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]


def propose(work: Work, asked: ProposePolicy) -> Stored[StoredPolicy]:
    """Propose a policy; everything that is wrong with its text is told at once."""
    work.allow(Circumstances())
    try:
        policy = Policy.from_toml(asked.text)
    except PolicyError as error:
        problems = tuple(p.model_copy(update={"path": f"/text ({p.path})"}) for p in error.problems)
        raise RefusalError("request", problems=problems) from None
    known = work.find(StoredPolicy)
    if any((p.body.name, p.body.policy_version) == (policy.name, policy.version) for p in known):
        work.refuse("policy-version-used", version=policy.version)
    return work.create(
        StoredPolicy(
            name=policy.name,
            policy_version=policy.version,
            content=work.tx.keep(asked.text.encode()),
            sha256=policy.sha256,
            valid_from=policy.document.valid_from,
            proposed_by=work.actor.account,
            change_note=policy.document.change_note,
        )
    )


def _prove(work: Work, _asked: Nothing, policy: Stored[StoredPolicy]) -> tuple[Problem, ...]:
    """Return what makes the policy unfit for use: contradictions, and people whom it locks out."""
    _check_ready(work, policy)
    return _unfit(policy_of(work, policy.body.content), work.today)


@lru_cache(maxsize=8)
def _unfit(policy: Policy, day: date) -> tuple[Problem, ...]:
    # the prover takes longer to load than anything else here
    from allocator.proof_report import reasons  # noqa: PLC0415
    from allocator.proofs import obstacles  # noqa: PLC0415

    found = obstacles(policy, day)
    told = [[(language, said) for said in reasons(policy, found, language)] for language in Language]
    return tuple(
        Problem(path="/text", expected=dict(said)[Language.EN], words=said)
        for said in zip(*told, strict=True)
    )


def _check_ready(work: Work, policy: Stored[StoredPolicy]) -> None:
    if policy.body.state is not PolicyState.PROPOSED:
        work.refuse("policy-not-proposed")
    if policy.body.proposed_by == work.actor.account:
        work.refuse("second-person-needed")
    if policy.body.valid_from > work.today:
        work.refuse("policy-not-valid-yet")


def activate(work: Work, _asked: Nothing, policy: Stored[StoredPolicy]) -> Stored[StoredPolicy]:
    """Put a proposed policy into use, in place of the one in use; another person than its proposer does."""
    _check_ready(work, policy)
    found: tuple[Problem, ...] = work.prepared
    if found:
        raise RefusalError("policy-contradicts-itself", problems=found)
    for active in work.find(StoredPolicy, states={PolicyState.ACTIVE}):
        work.change(active, state=PolicyState.RETIRED)
    return work.change(
        policy, state=PolicyState.ACTIVE, approved_by=work.actor.account, activated_on=work.today
    )


USES: tuple[UseCase[Any], ...] = (
    creates("policies.propose", StoredPolicy, ProposePolicy, propose),
    acts("policies.activate", StoredPolicy, Nothing, activate, _prove),
)
