"""The time, where the municipality is."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the moment."""
        return datetime.now(OSLO)

    def today(self) -> date:
        """Return the day in Norway."""
        return self.now().date()
