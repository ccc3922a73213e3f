"""Hypothesis profiles; `ALLOCATOR_HYPOTHESIS=long` asks for the thorough one."""

import os

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
