"""The code lists: closed vocabularies of the field, in English; their labels are in ``allocator/texts``.

They follow BrukerPlan, ICD-10 F10-F19 and Matrikkelen where these have a list.
"""

from enum import StrEnum


class Gender(StrEnum):
    """Gender as the person states it (a local list; never derived from a national identity number)."""

    WOMAN = "woman"
    MAN = "man"
    NON_BINARY = "non_binary"
    UNDISCLOSED = "undisclosed"


class SubstanceClass(StrEnum):
    """Main substance class, after ICD-10 F10-F19."""

    NONE = "none"
    ALCOHOL = "alcohol"  # F10
    OPIOIDS = "opioids"  # F11
    CANNABINOIDS = "cannabinoids"  # F12
    SEDATIVES = "sedatives"  # F13
    COCAINE = "cocaine"  # F14
    STIMULANTS = "stimulants"  # F15, amphetamines among them
    HALLUCINOGENS = "hallucinogens"  # F16
    SOLVENTS = "solvents"  # F18
    MULTIPLE = "multiple"  # F19


class SubstanceUse(StrEnum):
    """How the main substance is used now; only `ACTIVE` says anything about daily life next door."""

    ACTIVE = "active"
    SUBSTITUTION = "substitution"  # opioid substitution treatment (LAR)
    FORMER = "former"
    NONE = "none"


class ViolenceConclusion(StrEnum):
    """A person's conclusion from a risk assessment. A raw score is never a fact here (REQ-RIS-1)."""

    NONE_KNOWN = "none_known"
    POSSIBLE = "possible"
    ASSESSED_HIGH = "assessed_high"


class RiskHorizon(StrEnum):
    """How far ahead the instrument looks; a short one cannot carry a permanent placement (REQ-RIS-2)."""

    SHORT = "short"
    LONG = "long"


class Need(StrEnum):
    """What a person needs from the dwelling or the house."""

    GROUND_FLOOR = "ground_floor"
    NOT_GROUND_FLOOR = "not_ground_floor"
    LIFT = "lift"
    STEP_FREE = "step_free"
    SHIELDING = "shielding"
    NO_INSIGHT = "no_insight"
    OWN_ENTRANCE = "own_entrance"
    TWO_EXITS = "two_exits"
    NIGHT_STAFF = "night_staff"
    SIGHTLINE_FROM_BASE = "sightline_from_base"
    SMALL_UNIT = "small_unit"
    LARGE_UNIT = "large_unit"
    BEDROOM = "bedroom"
    QUIET = "quiet"
    NEAR_ACTIVITY = "near_activity"
    NEAR_TRANSPORT = "near_transport"
    AWAY_FROM_HOSPITAL = "away_from_hospital"
    WATER_SAFE = "water_safe"
    LIGATURE_SAFE = "ligature_safe"
    FIRE_SAFE = "fire_safe"
    PET = "pet"


class Service(StrEnum):
    """Services and competence that a person needs and a scheme can give."""

    MEDICATION_SUPPORT = "medication_support"
    DEPOT = "depot"
    ECONOMY_SUPPORT = "economy_support"
    MEALS = "meals"
    VISIT_SUPPORT = "visit_support"
    DAILY_LIVING = "daily_living"
    SUBSTANCE_COMPETENCE = "substance_competence"
    MENTAL_HEALTH_COMPETENCE = "mental_health_competence"
    FEW_STAFF = "few_staff"


class Measure(StrEnum):
    """What lowers an assessed risk when it is in place (REQ-RIS-5)."""

    NIGHT_STAFF_ON_SITE = "night_staff_on_site"
    ALWAYS_TWO_STAFF = "always_two_staff"
    TWO_EXITS = "two_exits"
    MEDICATION_SUPPORT = "medication_support"
    SIGHTLINE_FROM_BASE = "sightline_from_base"
    ALARM = "alarm"
    WEAPON_CHECK = "weapon_check"


class TargetGroup(StrEnum):
    """Whom a scheme is for, and which of these an applicant is assessed to belong to."""

    ROP = "rop"
    SEVERE_ROP_VIOLENCE_RISK = "severe_rop_violence_risk"
    SUBSTANCE_USE = "substance_use"
    MENTAL_ILLNESS = "mental_illness"
    INTELLECTUAL_DISABILITY = "intellectual_disability"
    REFUGEES = "refugees"
    FAMILIES = "families"
    GENERAL = "general"


class SchemeKind(StrEnum):
    """Form of housing."""

    CO_LOCATED = "co_located"
    SHARED_LIVING = "shared_living"
    SMALL_HOUSES = "small_houses"
    SINGLE = "single"
    REINFORCED = "reinforced"
    CARE_HOME = "care_home"
    ORDINARY_MUNICIPAL = "ordinary_municipal"
    OWN_HOME_FOLLOW_UP = "own_home_follow_up"
    INSTITUTION_LIKE = "institution_like"
    TEMPORARY = "temporary"


class NightCover(StrEnum):
    """Staff cover at night."""

    ON_SITE = "on_site"
    AMBULANT = "ambulant"
    NONE = "none"


class EntryRequirement(StrEnum):
    """What a scheme demands of everyone who gets a place."""

    NONE = "none"
    ROP = "rop"


class SobrietyRule(StrEnum):
    """House rule on substance use."""

    NONE = "none"
    SOBER_COMMON_AREAS = "sober_common_areas"
    SOBER = "sober"


class EntranceForm(StrEnum):
    """How one gets in."""

    OWN = "own"
    GALLERY = "gallery"
    STAIRWELL = "stairwell"
    GUARDED = "guarded"


class Fittings(StrEnum):
    """What sinks and toilets are made of."""

    STEEL = "steel"
    PORCELAIN = "porcelain"


class AgreementForm(StrEnum):
    """Form of agreement for living in a unit."""

    TENANCY = "tenancy"  # ordinary; whether open or fixed is not stated
    TENANCY_OPEN = "tenancy_open"
    TENANCY_FIXED = "tenancy_fixed"
    SERVICE_AGREEMENT = "service_agreement"
    ASSESSMENT_STAY = "assessment_stay"
    EMERGENCY = "emergency"


class UnitPurpose(StrEnum):
    """What a unit is set aside for."""

    HOME = "home"
    ASSESSMENT = "assessment"
    EMERGENCY = "emergency"


class UnitStatus(StrEnum):
    """State of a unit."""

    VACANT = "vacant"
    RESERVED = "reserved"
    NOTICE_GIVEN = "notice_given"
    UNDER_REPAIR = "under_repair"
    OUT_OF_SERVICE = "out_of_service"
    OCCUPIED = "occupied"


class WindowHeight(StrEnum):
    """Whether one can look in from the ground."""

    LOW = "low"
    HIGH = "high"


class VisitRule(StrEnum):
    """House rule on visits by children."""

    FREE = "free"
    BY_APPOINTMENT = "by_appointment"
    NO_CHILDREN = "no_children"


class ConflictKind(StrEnum):
    """What a conflict is about."""

    ENEMY = "enemy"
    THREAT = "threat"
    DEBT = "debt"
    PARTNER_VIOLENCE = "partner_violence"
    GROUP = "group"


class ConflictDirection(StrEnum):
    """Whether one or both count the other as an enemy."""

    ONE_SIDED = "one_sided"
    MUTUAL = "mutual"


class ConflictStatus(StrEnum):
    """Where a conflict entry stands."""

    ACTIVE = "active"
    EXPIRED = "expired"
    DISPUTED = "disputed"
    REFUTED = "refuted"


class ConflictReach(StrEnum):
    """How far apart the two must live."""

    LIVING_GROUP = "living_group"
    SCHEME = "scheme"


class CounterpartRole(StrEnum):
    """What the other person is to the house."""

    RESIDENT = "resident"
    APPLICANT = "applicant"
    VISITOR = "visitor"
    NEXT_OF_KIN = "next_of_kin"


class OrderKind(StrEnum):
    """Kind of restraining order."""

    VISITING_BAN = "visiting_ban"  # besøksforbud
    CONTACT_BAN = "contact_ban"  # kontaktforbud


class VetoGround(StrEnum):
    """The closed list of grounds that staff may object on."""

    STAFF_SAFETY = "staff_safety"
    RESIDENT_SAFETY = "resident_safety"
    KNOWN_CONFLICT = "known_conflict"
    STAFFING_COMPETENCE = "staffing_competence"
    PHYSICAL_FITNESS = "physical_fitness"
    ENVIRONMENT_CAPACITY = "environment_capacity"
    TARGET_GROUP = "target_group"
    RESIDENT_PARTICIPATION = "resident_participation"
    OTHER_WITH_REASON = "other_with_reason"


class VetoStatus(StrEnum):
    """Where an objection stands."""

    OPEN = "open"
    UPHELD = "upheld"
    OVERRULED = "overruled"
    WITHDRAWN = "withdrawn"


class StaffRole(StrEnum):
    """Who among the staff raises an objection."""

    SCHEME_LEADER = "scheme_leader"
    SCHEME_STAFF = "scheme_staff"


class FactStatus(StrEnum):
    """What became of the question. Only `KNOWN` is a fact to the rules."""

    KNOWN = "known"
    NOT_ASKED = "not_asked"
    DISPUTED = "disputed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class FactSource(StrEnum):
    """Who a fact comes from."""

    APPLICANT = "applicant"
    STAFF = "staff"
    ASSESSMENT = "assessment"
    SPECIALIST_SERVICE = "specialist_service"
    POLICE = "police"
    COURT = "court"
    REGISTER = "register"
    ORAL = "oral"


class PlacementKind(StrEnum):
    """Ordinary allocation, or emergency placement in a crisis."""

    ORDINARY = "ordinary"
    CRISIS = "crisis"


class StayKind(StrEnum):
    """Whether the person needs a home or a stay of limited length."""

    PERMANENT = "permanent"
    LIMITED = "limited"
