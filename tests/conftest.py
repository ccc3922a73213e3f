"""Hypothesis profiles (`ALLOCATOR_HYPOTHESIS=long` asks for the thorough one), and what is not traced."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci",
    derandomize=True,
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # how fast the machine is says nothing about the test
)
settings.register_profile(
    "long", parent=settings.get_profile("ci"), derandomize=False, max_examples=2000, print_blob=True
)
settings.load_profile(os.environ.get("ALLOCATOR_HYPOTHESIS", "ci"))


NOT_TRACED = (
    "tests/properties/",
    "tests/rules/test_tables_are_whole.py",
    "tests/test_access.py",
    "tests/test_demo_office.py",
    "tests/test_drills.py",
    "tests/test_matrix.py",
    "tests/test_office_fuzzed.py",
    "tests/test_tampering.py",
)
"""Tests that go through the same lines very many times: others tell which these are, at half the cost."""

OF_STORAGE = ("tests/test_backup.py", "tests/test_desk.py", "tests/test_hot.py", "tests/test_operations.py")
"""Tests of what is one way on SQLite and another on PostgreSQL; elsewhere the lines are the same on both."""


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Leave the heaviest tests out of the measuring of coverage, and what is done a second time."""
    for item in items:
        many = item.nodeid.startswith(NOT_TRACED) or getattr(item.obj, "is_hypothesis_test", False)
        again = "postgresql" in item.nodeid and not item.nodeid.startswith(OF_STORAGE)
        if many or again:
            item.add_marker(pytest.mark.no_cover)
