"""How long an agreement for living somewhere may and must run (REQ-HUS-1, REQ-HUS-2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from enum import StrEnum

from allocator.casework.codes import ReviewKind
from allocator.casework.days import day_after, months_after
from allocator.casework.housing import Agreement
from allocator.codes import AgreementForm
from allocator.model import SchemeFacts, UnitFacts

LEAST_FIXED_TERM = 36
"""Months: main rule of the Tenancy Act for a fixed term; to be checked against the act of 1 July 2026."""

SERVICE_AGREEMENT_AT_MOST = 12
"""Months: Idrettsveien (Melhus); counts where a scheme has published no other figure."""

ASSESSMENT_STAY_AT_LEAST, ASSESSMENT_STAY_AT_MOST = 1, 3
"""Months: Idrettsveien (Melhus); counts where a unit has no other figures."""

WARNED_BEFORE = {
    AgreementForm.TENANCY_FIXED: timedelta(days=90),
    AgreementForm.SERVICE_AGREEMENT: timedelta(days=60),
    AgreementForm.ASSESSMENT_STAY: timedelta(days=14),
    AgreementForm.EMERGENCY: timedelta(days=7),
}
"""How long before its end somebody is reminded; local choices, since the sources give no figures."""

_STAYS = frozenset({AgreementForm.ASSESSMENT_STAY, AgreementForm.EMERGENCY})


class Fault(StrEnum):
    """What an agreement lacks."""

    NO_END = "agreement-needs-end"
    OPEN_WITH_END = "open-agreement-has-end"
    SHORT_TERM = "fixed-term-too-short"
    LONG_SERVICE_AGREEMENT = "service-agreement-too-long"
    STAY_LENGTH = "assessment-stay-length"


def faults(
    agreement: Agreement, earlier: Sequence[Agreement], scheme: SchemeFacts, unit: UnitFacts
) -> Iterator[Fault]:
    """Yield what an agreement lacks.

    The limits of agreements that must end count from the first of an unbroken row of the same form: they are
    not got round by signing anew.

    Args:
        agreement: The agreement.
        earlier: Those of the same tenancy before it, by start.
        scheme: The scheme, which may have a limit of its own.
        unit: The unit, likewise.
    """
    form = agreement.form
    if form is AgreementForm.TENANCY_OPEN and agreement.ends_on is not None:
        yield Fault.OPEN_WITH_END
    if form in WARNED_BEFORE and agreement.ends_on is None:
        yield Fault.NO_END
    if agreement.ends_on is None:
        return
    out = day_after(agreement.ends_on)
    if form in (AgreementForm.TENANCY_FIXED, AgreementForm.TENANCY):
        reasoned = agreement.exception_ground and agreement.written_notice_given
        if out < months_after(agreement.starts_on, LEAST_FIXED_TERM) and not reasoned:
            yield Fault.SHORT_TERM
    row_began = agreement.starts_on
    for before in reversed(earlier):
        if before.form is not form:
            break
        row_began = before.starts_on
    if form is AgreementForm.SERVICE_AGREEMENT:
        limit = scheme.agreement_max_months or SERVICE_AGREEMENT_AT_MOST
        if out > months_after(row_began, limit):
            yield Fault.LONG_SERVICE_AGREEMENT
    if form is AgreementForm.ASSESSMENT_STAY:
        least = ASSESSMENT_STAY_AT_LEAST if unit.min_stay_months is None else unit.min_stay_months
        most = unit.max_stay_months or ASSESSMENT_STAY_AT_MOST
        if not months_after(row_began, least) <= out <= months_after(row_began, most):
            yield Fault.STAY_LENGTH


def review_of_end(agreement: Agreement) -> ReviewKind:
    """Return what is looked at before an agreement ends: the next agreement, or where they go."""
    return ReviewKind.STAY_ENDS if agreement.form in _STAYS else ReviewKind.AGREEMENT_STEP
