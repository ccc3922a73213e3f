"""Days and months, as deadlines and agreements count them."""

from __future__ import annotations

import calendar
from datetime import date, timedelta


def day_after(day: date) -> date:
    """Return the next day."""
    return day + timedelta(days=1)


def day_before(day: date) -> date:
    """Return the day before."""
    return day - timedelta(days=1)


def months_after(day: date, months: int) -> date:
    """Return the same day so many months later, or that month's last day if it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
