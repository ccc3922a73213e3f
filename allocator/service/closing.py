"""Which vacant units the objections of a scheme's staff close, and to whom."""

from __future__ import annotations

from collections.abc import Mapping

from allocator.access.authorizer import Actor, sees
from allocator.casework import veto_cost
from allocator.casework.codes import Clearance
from allocator.casework.housing import Scheme
from allocator.casework.records import Kind, Link, Stored
from allocator.casework.veto_cost import Closed
from allocator.casework.voice import Veto
from allocator.service.desk import Desk
from allocator.service.facts import snapshot
from allocator.service.work import Work


def closed(desk: Desk, actor: Actor, scheme: str) -> Mapping[str, Closed]:
    """Return what each objection that the actor sees closes to its applicant today, by its id.

    Raises:
        NotFoundError: The scheme is not there, or not for them.
    """

    def tell(work: Work, stored: Stored[Scheme]) -> Mapping[str, Closed]:
        found = [
            veto
            for veto in work.find(Veto, Link(Kind.SCHEME, stored.id))
            if veto.body.scheme == stored.id
            and sees(work.access, actor, Kind.VETO, work.circumstances(veto)).visible
        ]
        if not found:
            return {}
        for veto in found:
            work.note(veto, outcome="shown", groups=["closed"])
        units = veto_cost.places(snapshot(work, guarded=Clearance.KODE_6 not in actor.cleared))
        entries = [veto.body.entry for veto in found]
        return {veto.id: veto_cost.closed(veto.body.entry, entries, units, work.today) for veto in found}

    return desk.look_into(actor, Scheme, scheme, "look", tell)
