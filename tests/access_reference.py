"""Who may see and do what, a second time: short, in plain Python, field by field and use by use.

Written from the table of roles (`domain.md` 3.2), and in another shape than `access.toml`, which goes role
by role: the two must agree on every request.

A word such as ``caseworker`` names a role. ``@scheme`` says of which records: those of a scheme that the role
is held for; ``@heard``: of a case that such a scheme is being heard about; ``@appealed``: of a case with an
open appeal; ``@own``: what the reader has made. ``+conflicts`` and ``+kode_6`` need that clearance,
``?meeting`` one of the purposes named.
"""

from __future__ import annotations

from datetime import date, datetime

from allocator.access.authorizer import Circumstances
from allocator.casework.codes import Role
from allocator.casework.offices import Account

_OFFICE = "caseworker committee_secretary"
_COMMITTEE = "committee_member committee_leader"
_HOUSE = "scheme_leader@scheme scheme_staff@scheme"
_HEARD = "scheme_leader@heard scheme_staff@heard"
_ANYWHERE = "scheme_leader scheme_staff"
_BOARD = "appeals_body@appealed"
_CASE = f"{_OFFICE} {_COMMITTEE} {_BOARD}"
_CLEARED = (
    "conflict_officer+conflicts committee_leader+conflicts?meeting?conflict_control "
    f"{_BOARD}+conflicts?appeal"
)
_SEALED = f"committee_leader+conflicts+kode_6?meeting?conflict_control {_BOARD}+conflicts+kode_6?appeal"
_HOUSING = f"{_OFFICE} {_COMMITTEE} {_ANYWHERE} assessor conflict_officer property_manager appeals_body"

SEEN: dict[str, dict[str, str]] = {
    "person": {
        "name representatives contact": f"{_CASE} assessor property_manager scheme_leader@scheme",
        "protection works_here": f"{_OFFICE} assessor committee_leader {_BOARD}",
        "facts.birth_date facts.gender merged_into": f"{_CASE} assessor {_HOUSE}",
        "facts.rop facts.main_substance facts.substance_use facts.heavy_use facts.vulnerable "
        "facts.target_groups": f"{_OFFICE} assessor {_BOARD}",
        "facts.risk": f"caseworker assessor {_BOARD}",
        "facts.child_visits language interpreter facts.needs": (f"{_CASE} assessor {_HOUSE} {_HEARD}"),
        "facts.conflicts_asked facts.orders_checked": f"{_CASE} assessor conflict_officer",
    },
    "scheme": {"facts groups": f"{_HOUSING} policy_owner peer_member administrator"},
    "unit": {"scheme group facts first_ready_on closure": f"{_HOUSING} policy_owner peer_member"},
    "reservation": {
        "unit scheme reason owner until released_on": _HOUSING,
        "note case": _OFFICE,
    },
    "tenancy": {
        "person case decision unit scheme moved_in shares notice absence moved_out end_reason": (
            f"{_OFFICE} {_COMMITTEE} {_HOUSE} conflict_officer property_manager"
        ),
        "agreements": f"{_OFFICE} {_HOUSE} property_manager",
    },
    "case": {
        "person state origin received_on waiting_since protection_checked_on preliminary_reply_on "
        "decision_types placement assessed_on listed_on premises_valid_until together_with handled_by "
        "responsible_municipality closing": f"{_CASE} assessor conflict_officer {_HEARD} peer_member",
        "wishes": f"{_CASE} assessor {_HEARD} peer_member",
        "near": f"{_OFFICE} assessor committee_leader {_BOARD}",
        "barred": "committee_leader committee_secretary",
    },
    "conflict": {
        "entry party_role counterpart_role explanation author review_by closing": (
            f"{_CLEARED} caseworker@own assessor@own scheme_leader@own"
        ),
        "confirmations": _CLEARED,
    },
    "order": {"entry issuer verified_by verified_on earlier closing": _CLEARED},
    "recheck": {
        "decision case unit tenancy conflicts orders about rules opened_on by state answer found answered_by "
        "closed_on": "conflict_officer+conflicts committee_leader+conflicts?meeting?conflict_control",
    },
    "veto": {
        "entry scheme author why remedy evidence hazard told hearing answered": f"{_CASE} {_HOUSE}",
        "words": f"{_OFFICE} {_BOARD} scheme_leader@scheme scheme_staff@own",
    },
    "comment": {
        "about of case scheme parent author text source told withdrawn": (
            f"{_CASE} {_HOUSE} scheme_leader@own scheme_staff@own assessor"
        ),
        "words": f"{_OFFICE} {_BOARD} scheme_leader@scheme scheme_staff@own",
    },
    "hearing": {
        "case suggestion scheme units sent_on deadline after_the_fact state statements reminded_on "
        "closed_on": f"{_CASE} {_HOUSE}",
        "words": f"{_OFFICE} scheme_leader@scheme",
    },
    "say": {
        "scheme group question asked_on asked_by answer may_be_shown": f"{_CASE} {_HOUSE}",
        "person": _HOUSE,
        "text words": "scheme_leader@scheme scheme_staff@own",
        "quote": _CASE,
    },
    "hazard": {
        "scheme what text reported_on author measures measures_text review_by closed_on": _HOUSE,
    },
    "clarification": {
        "path why ask person place scheme state opened_on closed_on": (
            f"{_CASE} assessor conflict_officer {_HOUSE}"
        ),
        "only_for cases note": f"{_CASE} assessor",
    },
    "suggestion": {
        "case unit as_of policy policy_sha256 engine engine_version made_on": f"{_CASE} {_HEARD}",
        "facts facts_sha256 answer guarded_facts guarded_answer broken facts_at": _SEALED,
    },
    "meeting": {
        "on place members chair secretary quorum agenda present restricted state minutes closed_on": (
            f"{_CASE} peer_member"
        ),
        "disqualified": "committee_leader committee_secretary",
    },
    "decision": {
        "type case outcome meeting unit scheme state made_on crisis_until ended_on suspensions": (
            f"{_CASE} {_HEARD} peer_member conflict_officer+conflicts"
        ),
        "suspended_because": _CLEARED,
        "suggestion grounds copied told_sha256 deviation replies dissents conditions agreement law "
        "appeal_body appeal_weeks stale_confirmed rests_on doubts missing proposed_by proposed_on second "
        "reverses shares housed_apart": _CASE,
        "entry judged_sha256 sealed_deviation": _SEALED,
    },
    "offer": {
        "case decision unit sent_on deadline viewing_on help told consequence recipients reminded_on state "
        "answered_on refused": _CASE,
    },
    "review": {
        "what case tenancy decision account person by held_on held_by found next_by": f"{_CASE} {_HOUSE}",
    },
    "appeal": {
        "case decision body lodged_on grounds deadline late exceptional state forwarded_on settled_on result "
        "next_unit": f"{_OFFICE} {_COMMITTEE} appeals_body",
    },
    "outcome": {
        "tenancy decision meeting what on text author": f"{_CASE} {_HOUSE}",
        "advice": "committee_leader+conflicts+kode_6?meeting?conflict_control",
    },
    "policy": {
        "name policy_version content sha256 valid_from state proposed_by approved_by change_note "
        "activated_on": (f"{_OFFICE} {_COMMITTEE} {_ANYWHERE} appeals_body auditor policy_owner"),
    },
    "account": {
        "login name grants cleared crisis disabled": " ".join(
            role if role in ("administrator", "auditor") else f"{role}@own" for role in Role
        ),
    },
}
"""Per kind of record, which fields who may see."""

DONE: dict[str, str] = {
    "people.register people.identify people.protect people.represent people.merge": "caseworker",
    "people.record_fact clarifications.cannot_be_known": (
        "caseworker assessor conflict_officer scheme_leader@scheme"
    ),
    "people.dispute_fact people.withdraw_fact": "caseworker assessor",
    "cases.begin_assessment cases.assess cases.wish cases.ask_for": "caseworker assessor",
    "cases.open cases.check_protection cases.reply_preliminarily cases.list cases.apply_together cases.part "
    "cases.wish_near cases.answer_near cases.hand_over cases.withdraw cases.close": "caseworker",
    "cases.bar": "caseworker committee_leader",
    "cases.place_in_crisis": "committee_leader",
    "conflicts.report": "caseworker assessor scheme_leader@scheme",
    "conflicts.record conflicts.confirm conflicts.dispute conflicts.refute conflicts.close conflicts.reopen "
    "orders.record orders.verify orders.extend orders.close": "conflict_officer+conflicts",
    "comments.make": f"{_OFFICE} {_COMMITTEE} assessor {_HOUSE} {_HEARD} peer_member",
    "comments.withdraw": (
        "caseworker@own assessor@own scheme_leader@own scheme_staff@own committee_member@own "
        "committee_leader@own committee_secretary@own peer_member@own"
    ),
    "suggestions.make": f"{_OFFICE} {_COMMITTEE}",
    "hearings.send hearings.remind hearings.extend hearings.close": _OFFICE,
    "hearings.state vetoes.raise says.record hazards.report": _HOUSE,
    "vetoes.withdraw vetoes.renew": "scheme_leader@scheme scheme_staff@own",
    "vetoes.answer": "committee_leader committee_secretary",
    "hazards.change hazards.close tenancies.note_absence": "scheme_leader@scheme",
    "meetings.call meetings.invite meetings.put_on_agenda meetings.take_off_agenda meetings.order_agenda "
    "meetings.open meetings.close meetings.cancel": "committee_leader committee_secretary",
    "meetings.disqualify": "committee_member committee_leader committee_secretary",
    "meetings.write_minutes": "committee_secretary",
    "decisions.propose decisions.drop": "committee_leader committee_secretary",
    "decisions.approve decisions.reverse decisions.confirm": "committee_leader",
    "decisions.suspend": "caseworker committee_leader conflict_officer+conflicts",
    "decisions.extend_suspension decisions.resume rechecks.answer": (
        "conflict_officer+conflicts committee_leader+conflicts"
    ),
    "offers.send offers.remind appeals.lodge appeals.forward": _OFFICE,
    "offers.suspend offers.resume offers.accept offers.refuse offers.lapse offers.withdraw": "caseworker",
    "appeals.withdraw": "caseworker",
    "appeals.settle": "appeals_body",
    "reviews.plan": f"{_OFFICE} committee_leader scheme_leader@scheme",
    "reviews.hold outcomes.record": "caseworker committee_leader scheme_leader@scheme",
    "tenancies.move_in": "caseworker scheme_leader@scheme",
    "tenancies.agree": "caseworker property_manager scheme_leader@scheme",
    "tenancies.give_notice tenancies.take_back_notice tenancies.move_out units.close units.reopen "
    "units.describe schemes.describe": "property_manager scheme_leader@scheme",
    "reservations.make reservations.release": "caseworker property_manager",
    "schemes.add units.add": "property_manager",
    "policies.propose policies.activate": "policy_owner",
    "accounts.open accounts.grant accounts.clear accounts.take_back accounts.disable accounts.enable "
    "accounts.issue_code": "administrator",
    "accounts.break_glass": (
        "assessor@own conflict_officer@own scheme_leader@own scheme_staff@own committee_leader@own "
        "committee_secretary@own"
    ),
}
"""Which use cases who may do."""

NAMES = frozenset({"name", "representatives", "contact"})
"""Of a person, and shown only to those who say why they look."""


class Asking:
    """Somebody with an account who asks for something on a day, and perhaps says why."""

    def __init__(self, login: str, account: Account, now: datetime, purpose: str | None) -> None:
        self.login, self.purpose = login, purpose
        self.cleared = set() if account.disabled else {str(c) for c in account.cleared}
        self.held: list[tuple[str, frozenset[str]]] = []
        if not account.disabled:
            day: date = now.date()
            for grant in account.grants:
                if grant.since <= day and (grant.until is None or day <= grant.until):
                    self.held.append((str(grant.role), grant.schemes))
            crisis = account.crisis
            if purpose == "crisis" and crisis is not None and crisis.since <= now < crisis.until:
                self.held.append(("caseworker", frozenset()))

    def _is(self, who: str, about: Circumstances) -> bool:
        who, *purposes = who.split("?")
        who, *clearances = who.split("+")
        role, _, where = who.partition("@")
        if (purposes and self.purpose not in purposes) or not self.cleared.issuperset(clearances):
            return False
        return any(held == role and self._reaches(schemes, where, about) for held, schemes in self.held)

    def _reaches(self, schemes: frozenset[str], where: str, about: Circumstances) -> bool:
        return {
            "": True,
            "scheme": not schemes.isdisjoint(about.schemes),
            "heard": not schemes.isdisjoint(about.heard_by),
            "appealed": about.appealed,
            "own": about.author == self.login,
        }[where]

    def shut_out(self, about: Circumstances) -> bool:
        """Return whether it is about a kode-6 person, without clearance, or a case they are barred from."""
        return (about.strict and "kode_6" not in self.cleared) or self.login in about.barred

    def sees(self, kind: str, about: Circumstances) -> set[str] | None:
        """Return the fields that they see of a record; None if it is not there for them."""
        lines = [] if self.shut_out(about) else list(SEEN[kind].items())
        found = [names for names, everyone in lines if any(self._is(who, about) for who in everyone.split())]
        if not found:
            return None
        fields = {name for names in found for name in names.split()}
        return fields - NAMES if kind == "person" and self.purpose is None else fields

    def may(self, use: str, about: Circumstances) -> bool:
        """Return whether they may do something with a record."""
        (everyone,) = (everyone for uses, everyone in DONE.items() if use in uses.split())
        return not self.shut_out(about) and any(self._is(who, about) for who in everyone.split())


WHOLE: dict[str, str] = {
    "sees_log": "auditor",
    "gives_extracts": "auditor caseworker",
    "imports": "administrator",
    "exports": f"{_OFFICE} property_manager",
    "reads suggestions as a member": f"{_OFFICE} {_COMMITTEE} appeals_body",
    "reads suggestions as staff": _ANYWHERE,
    "held for schemes": _ANYWHERE,
    "report: vetoes": "scheme_leader committee_leader committee_secretary",
    "report: rules": "committee_leader committee_secretary policy_owner",
    "report: waiting": f"{_OFFICE} committee_leader",
    "report: needs": f"{_OFFICE} committee_leader",
    "report: impact": "committee_leader committee_secretary",
}
"""What is not about one record: which roles may, at all."""
