"""The code lists of casework; their labels are in ``allocator/texts``."""

from __future__ import annotations

from enum import StrEnum


class AddressProtection(StrEnum):
    """Protection of a person's address in the population register (*adressebeskyttelse*)."""

    UNGRADED = "ungraded"
    CONFIDENTIAL = "confidential"  # fortrolig, kode 7
    STRICTLY_CONFIDENTIAL = "strictly_confidential"  # strengt fortrolig, kode 6
    STRICTLY_CONFIDENTIAL_ABROAD = "strictly_confidential_abroad"  # kode 6, abroad


STRICT = frozenset({AddressProtection.STRICTLY_CONFIDENTIAL, AddressProtection.STRICTLY_CONFIDENTIAL_ABROAD})
"""Kode 6: whoever is not cleared does not learn that the person is there at all (REQ-K6-1)."""


class RepresentativeKind(StrEnum):
    """Who acts for somebody."""

    ATTORNEY = "attorney"  # fullmektig
    GUARDIAN = "guardian"  # verge
    NEXT_OF_KIN = "next_of_kin"


class CaseOrigin(StrEnum):
    """How a case began."""

    APPLICATION = "application"
    DISCHARGE = "discharge"
    OWN_INITIATIVE = "own_initiative"
    TRANSFER = "transfer"
    CRISIS = "crisis"


class CaseState(StrEnum):
    """Where a case stands."""

    RECEIVED = "received"
    ASSESSMENT = "assessment"
    ASSISTANCE_ASSESSED = "assistance_assessed"
    WAITING_LIST = "waiting_list"
    SUGGESTED = "suggested"
    HEARING = "hearing"
    MEETING = "meeting"
    DECIDED = "decided"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    MOVED_IN = "moved_in"
    CRISIS = "crisis"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


ENDED_CASES = frozenset({CaseState.REFUSED, CaseState.WITHDRAWN, CaseState.CLOSED, CaseState.MOVED_IN})
"""Cases that no longer look for a home."""


class DecisionType(StrEnum):
    """Which decision it is (`domain.md` 2.0); appeal body and deadline follow from it (REQ-LAW-2)."""

    ASSISTANCE = "D1"  # boligsosial bistand
    ALLOCATION = "D2"  # tildeling av kommunalt disponert bolig
    SERVICES = "D3"  # helse- og omsorgstjenester
    LONG_STAY = "D4"  # langtidsopphold eller særskilt tilrettelagt bolig
    TEMPORARY = "D5"  # midlertidig botilbud
    DWELLING = "D6"  # hvilken bolig


class AppealBody(StrEnum):
    """Who hears an appeal."""

    COUNTY_GOVERNOR = "county_governor"  # Statsforvalteren
    MUNICIPAL_BOARD = "municipal_board"  # klagenemnda
    NONE = "none"  # not open to appeal by itself


class DecisionOutcome(StrEnum):
    """What is decided."""

    GRANTED = "granted"
    REFUSED = "refused"
    ALLOCATED = "allocated"
    NO_SUITABLE_PLACE = "no_suitable_place"


class DecisionState(StrEnum):
    """Where a decision stands. What is made is never edited; a new one reverses it (*omgjøring*)."""

    PROPOSED = "proposed"
    MADE = "made"
    DROPPED = "dropped"
    REVERSED = "reversed"


class SuspensionReason(StrEnum):
    """Why a decision is suspended, as everybody reads it: in the same words whatever lies behind (E-08)."""

    NEW_ASSESSMENT = "new_assessment"


class OfferState(StrEnum):
    """Where an offer stands."""

    SENT = "sent"
    SUSPENDED = "suspended"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


class RefusalBy(StrEnum):
    """Who says no: the applicant, or the municipality or scheme."""

    APPLICANT = "applicant"
    PROVIDER = "provider"


class RefusalReason(StrEnum):
    """Why an offer came to nothing. The applicant need not say (E-19)."""

    NOT_STATED = "not_stated"
    LOCATION = "location"
    DWELLING = "dwelling"
    LIVING_ENVIRONMENT = "living_environment"
    AGREEMENT_FORM = "agreement_form"
    COST = "cost"
    OTHER_HOME = "other_home"
    HEALTH_OR_SAFETY = "health_or_safety"
    UNIT_NOT_READY = "unit_not_ready"
    CHANGED_NEEDS = "changed_needs"
    OTHER = "other"


class Consequence(StrEnum):
    """What a refused offer leads to; told beforehand, and a person decides (E-19)."""

    NONE = "none"  # keeps the place on the waiting list
    NEW_SUGGESTION = "new_suggestion"
    REASSESSMENT = "reassessment"
    REVIEW_BY_COMMITTEE = "review_by_committee"


class ClosureKind(StrEnum):
    """Why nobody can move into a unit."""

    UNDER_REPAIR = "under_repair"
    OUT_OF_SERVICE = "out_of_service"


class ReservationReason(StrEnum):
    """Why a vacant unit is held back."""

    OTHER_PROCESS = "other_process"
    ASSESSMENT = "assessment"
    DECANT = "decant"  # residents moved for a renovation (E-36)
    EMERGENCY = "emergency"
    APPEAL = "appeal"


class EndReason(StrEnum):
    """Why somebody no longer lives in a unit."""

    TRANSFER = "transfer"
    OWN_HOME = "own_home"
    OTHER_SCHEME = "other_scheme"
    INSTITUTION = "institution"
    EVICTION = "eviction"
    DEATH = "death"
    STAY_ENDED = "stay_ended"
    UNKNOWN = "unknown"


class AbsenceKind(StrEnum):
    """Why a resident is away; they live there all the same (E-12)."""

    HOSPITAL = "hospital"
    PRISON = "prison"
    TREATMENT = "treatment"
    OTHER = "other"


class PartyRole(StrEnum):
    """What somebody was to the other in a conflict."""

    EXPOSED = "exposed"
    EXPOSING = "exposing"
    BOTH = "both"
    UNKNOWN = "unknown"


class RecheckState(StrEnum):
    """Where it stands that a placement must be looked at again."""

    OPEN = "open"
    ANSWERED = "answered"
    NOT_NEEDED = "not_needed"  # nothing bars it any more, or nobody has the place


class RecheckAnswer(StrEnum):
    """What somebody cleared found when they looked at a placement again."""

    STANDS = "stands"
    TAKEN_UP = "taken_up"  # it is decided anew, or met with measures where they live


class VetoAnswer(StrEnum):
    """How the committee answers an objection (REQ-VET-3)."""

    FOLLOWED = "followed"
    PARTLY = "partly"
    NOT_FOLLOWED = "not_followed"


class VetoOutcome(StrEnum):
    """What has become of an objection, as the figures count it (REQ-VET-4)."""

    OPEN = "open"
    FOLLOWED = "followed"
    PARTLY = "partly"
    NOT_FOLLOWED = "not_followed"
    WITHDRAWN = "withdrawn"
    RUN_OUT = "run_out"  # before anybody answered it


class Evidence(StrEnum):
    """What an objection can point to beside its fact."""

    INCIDENT_REPORT = "incident_report"
    RISK_ASSESSMENT = "risk_assessment"
    STAFFING_PLAN = "staffing_plan"
    HOUSE_MEETING = "house_meeting"
    POLICE_INFORMATION = "police_information"
    OBSERVATION = "observation"


class StatementKind(StrEnum):
    """What scheme staff answer in a hearing."""

    OK = "ok"
    COMMENT = "comment"
    OBJECTION = "objection"


class HearingState(StrEnum):
    """Where a hearing stands."""

    OPEN = "open"
    CLOSED = "closed"


class SayQuestion(StrEnum):
    """What residents are asked; never about anyone in particular."""

    NEW_NEIGHBOUR = "new_neighbour"
    QUIET_AND_SAFETY = "quiet_and_safety"
    SHARED_ROOMS = "shared_rooms"
    VISITS = "visits"
    OWN_WISH_TO_MOVE = "own_wish_to_move"


class SayAnswer(StrEnum):
    """What a resident answers."""

    WELCOMES = "welcomes"
    NO_OBJECTION = "no_objection"
    CONCERNED = "concerned"
    DOES_NOT_WANT = "does_not_want"
    WOULD_NOT_SAY = "would_not_say"


class HazardKind(StrEnum):
    """A workplace risk of staff (REQ-AML-1)."""

    VIOLENCE = "violence"
    THREATS = "threats"
    WORKING_ALONE = "working_alone"
    ESCAPE_ROUTES = "escape_routes"
    STAFFING = "staffing"
    COMPETENCE = "competence"
    OTHER = "other"


class ClarificationState(StrEnum):
    """Where a question for a human stands."""

    OPEN = "open"
    ANSWERED = "answered"
    CANNOT_BE_KNOWN = "cannot_be_known"
    NOT_NEEDED = "not_needed"


class MeetingState(StrEnum):
    """Where a meeting stands."""

    PLANNED = "planned"
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class DisqualificationGround(StrEnum):
    """Why somebody may not take part in a case (*inhabilitet*, REQ-FVL-7)."""

    RELATED = "related"
    TREATING_PROFESSIONAL = "treating_professional"
    STAFF_OF_SCHEME = "staff_of_scheme"
    OWN_INTEREST = "own_interest"
    OTHER_CIRCUMSTANCES = "other_circumstances"


class ReviewKind(StrEnum):
    """What is looked at again."""

    CRISIS = "crisis"
    FOLLOW_UP = "follow_up"
    AGREEMENT_STEP = "agreement_step"
    STAY_ENDS = "stay_ends"
    PROTECTION_CHANGED = "protection_changed"
    BREAK_GLASS = "break_glass"


class AppealState(StrEnum):
    """Where an appeal stands."""

    LODGED = "lodged"
    FORWARDED = "forwarded"
    UPHELD = "upheld"  # the decision stands
    REVERSED = "reversed"
    SENT_BACK = "sent_back"
    WITHDRAWN = "withdrawn"


class OutcomeKind(StrEnum):
    """What became of a tenancy, for learning whether the advice was good."""

    SETTLED = "settled"
    CONFLICT = "conflict"
    MOVE_WITHIN = "move_within"
    MOVE_AWAY = "move_away"
    EVICTION = "eviction"
    SERIOUS_INCIDENT = "serious_incident"


class PolicyState(StrEnum):
    """Where a policy stands; an activated one is never changed (REQ-REP-2)."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    RETIRED = "retired"


class Role(StrEnum):
    """What an account may be; what each may see and do is in ``allocator/access/access.toml``."""

    CASEWORKER = "caseworker"
    ASSESSOR = "assessor"
    CONFLICT_OFFICER = "conflict_officer"
    SCHEME_LEADER = "scheme_leader"
    SCHEME_STAFF = "scheme_staff"
    COMMITTEE_MEMBER = "committee_member"
    COMMITTEE_LEADER = "committee_leader"
    COMMITTEE_SECRETARY = "committee_secretary"
    PROPERTY_MANAGER = "property_manager"
    APPEALS_BODY = "appeals_body"
    AUDITOR = "auditor"
    POLICY_OWNER = "policy_owner"
    ADMINISTRATOR = "administrator"
    PEER_MEMBER = "peer_member"


class Clearance(StrEnum):
    """What a person may be cleared for beside a role."""

    CONFLICTS = "conflicts"  # who somebody's enemy is, and orders
    KODE_6 = "kode_6"


class Purpose(StrEnum):
    """Why somebody looks (*formål*); stated with each look at a person, and logged (REQ-AUD-1)."""

    CASEWORK = "casework"
    ASSESSMENT = "assessment"
    HEARING = "hearing"
    MEETING = "meeting"
    CONFLICT_CONTROL = "conflict_control"
    HOUSING_MANAGEMENT = "housing_management"
    APPEAL = "appeal"
    SUBJECT_ACCESS = "subject_access"
    CONTROL = "control"
    CRISIS = "crisis"
