"""Whether a stored suggestion still says what it would say today, to the one who reads it.

Both answers are put together for that reader, so nothing is told here that they could not read by asking
again. What changes by itself, such as how many days a unit has stood empty, does not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from allocator.access.authorizer import Actor, reader
from allocator.casework.codes import Clearance
from allocator.casework.committee import Suggestion
from allocator.casework.records import Stored
from allocator.disclosure import Reader
from allocator.service import suggestions
from allocator.service.desk import Desk, own_schemes
from allocator.service.errors import NotFoundError
from allocator.service.facts import active_policy
from allocator.service.suggestions import MakeSuggestion
from allocator.service.weighing import gist
from allocator.service.work import Work


@dataclass(frozen=True)
class Since:
    """What has become of a suggestion since it was made.

    Attributes:
        open: It could still be asked for: the case runs.
        policy: Another policy is in use now.
        changed: Units, or applicants, that come out otherwise than they did, by id.
        new: Those that it does not mention.
        gone: Those that it mentions and that cannot be asked about any more.
    """

    open: bool = True
    policy: bool = False
    changed: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def stale(self) -> bool:
        """Whether it would say something else today."""
        return bool(self.policy or self.changed or self.new or self.gone)


def since(desk: Desk, actor: Actor, identifier: str) -> Since:
    """Return what has become of a suggestion, as far as the actor may read it.

    Raises:
        NotFoundError: It is not there, or not for them.
    """
    return desk.look_into(actor, Suggestion, identifier, "look", _since)


def _since(work: Work, stored: Stored[Suggestion]) -> Since:
    read_as = reader(work.access, work.actor)
    if read_as is None:
        raise NotFoundError("no such suggestion")
    work.note(stored, outcome="shown", groups=["answer"])
    body = stored.body
    policy = active_policy(work).body.content != body.policy
    if not policy and work.tx.head().facts_at == body.facts_at and work.today == body.as_of:
        return Since()
    guarded = Clearance.KODE_6 not in work.actor.cleared
    schemes = own_schemes(work.actor) if read_as is Reader.STAFF else None
    without = suggestions.shut_out_of(work)
    asked = MakeSuggestion(case=body.case, unit=body.unit)
    now = suggestions.answer_now(
        work, asked, read_as, "nb", guarded=guarded, schemes=schemes, without=without
    )
    if now is None:
        return Since(open=False, policy=policy)
    then = suggestions.answer_for(
        work, stored, read_as, "nb", guarded=guarded, schemes=schemes, without=without
    )
    before, after = _gists(then), _gists(now)
    return Since(
        policy=policy,
        changed=tuple(sorted(n for n in before.keys() & after.keys() if before[n] != after[n])),
        new=tuple(sorted(after.keys() - before.keys())),
        gone=tuple(sorted(before.keys() - after.keys())),
    )


def _gists(content: Mapping[str, Any]) -> dict[str, str]:
    return {entry.get("applicant", entry["unit"]): gist(entry) for entry in content["suggestions"]}
