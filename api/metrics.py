"""Figures for operators. No label has a value that comes from a person or a case."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

REQUESTS = Counter("allocator_requests", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram("allocator_request_seconds", "Time to answer a request.", ["route"])
ANSWERS = Counter("allocator_answers", "Questions answered by an engine.", ["engine", "reader"])
JUDGED = Counter("allocator_candidates_judged", "Candidates judged for an answer.", ["engine"])
CHECKED = Counter(
    "allocator_candidates_checked", "Candidates of the engine of record judged by a second one."
)
DISAGREEMENTS = Counter("allocator_disagreements", "Candidates that the two engines disagreed about.")
FAILURES = Counter("allocator_engine_failures", "Processes of the engine of record that failed.")
