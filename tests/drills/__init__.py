"""Drills: what happens to acknowledged changes when power, disk, database or server fail.

Each is a command (``python -m tests.drills.<name>``) with its figures, a short form in the tests, and a
negative control that must fail, so that a drill which sees no loss any more is noticed. The seed is printed.
"""
