"""Why something is not done. Each has a stable code; its words are in the texts, by code."""

from __future__ import annotations

from collections.abc import Mapping

from allocator.model import Problem


class ServiceError(Exception):
    """Something that was asked for is not done, and nothing was changed."""


class NotFoundError(ServiceError):
    """It is not there, or not for this reader: the two are told alike."""


class ForbiddenError(ServiceError):
    """The actor may not do this."""

    def __init__(self, use: str) -> None:
        super().__init__(f"not allowed: {use}")
        self.use = use


class RefusalError(ServiceError):
    """What was asked for does not go with how things stand.

    Attributes:
        code: Stable; its words are under ``refusals`` in the texts.
        values: What is filled into the words. Never about a person.
        problems: Places in the request, where it is the request that must change.
    """

    def __init__(
        self, code: str, values: Mapping[str, str] | None = None, problems: tuple[Problem, ...] = ()
    ) -> None:
        super().__init__(code)
        self.code, self.values, self.problems = code, dict(values or {}), problems


class ChangedError(ServiceError):
    """The record is of another version than the one the actor has seen."""

    def __init__(self, version: int) -> None:
        super().__init__("the record has been changed since it was read")
        self.version = version


class VersionNeededError(ServiceError):
    """To change a record one must say which version one has seen."""


class KeyReusedError(ServiceError):
    """An idempotency key was used for another request before."""


class MovedOnError(ServiceError):
    """The facts have changed while something was being worked out; it is done again."""
