"""`allocator replay`: a stored suggestion is decided again to the same bytes, or it is told that not."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from allocator import cli
from allocator.casework.committee import Suggestion
from allocator.service.suggestions import MakeSuggestion
from allocator.store.engine import Connections, connect
from tests.databases import BACKENDS, fresh
from tests.office import Office
from tests.test_snapshot import applicant
from tests.test_stored_suggestions import with_policy, worker


class Asked:
    """An office with a stored suggestion, and the address of its database."""

    def __init__(self, backend: str) -> None:
        self.address = fresh(backend)
        self.office = Office(connections=Connections(connect(self.address)))
        self.office.house()
        applicant(self.office)
        with_policy(self.office)
        made = self.office.run(worker(self.office), "suggestions.make", MakeSuggestion(case="S-1"))
        self.id = made.stored.id

    def replayed(self, identifier: str | None = None) -> Result:
        """Run the command."""
        return CliRunner().invoke(cli.app, ["replay", identifier or self.id, "--database", self.address])


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_stored_is_decided_again_to_the_same_bytes(backend: str) -> None:
    """The hash of the answer stands twice; afterwards nothing more stands in the log."""
    asked = Asked(backend)
    before = len(asked.office.log())
    result = asked.replayed()
    body = asked.office.now(Suggestion, asked.id).body
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [f"stored {body.answer}", f"again  {body.answer}", "the same"]
    assert len(asked.office.log()) == before
    asked.office.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_another_answer_in_its_place_is_found(backend: str) -> None:
    """Even one that fits its own hash: it is not what the facts and the policy lead to."""
    asked = Asked(backend)
    body = asked.office.now(Suggestion, asked.id).body
    with asked.office.storage.write() as tx:
        kept = tx.kept(body.answer)
        assert kept is not None
        other = tx.keep(kept.replace(b"nordlia-1", b"nordlia-9"))
    asked.office.seed(body.model_copy(update={"answer": other}), asked.id, version=2)
    result = asked.replayed()
    assert result.exit_code == 1
    assert result.output.splitlines() == [f"stored {other}", f"again  {body.answer}", "NOT the same"]
    asked.office.close()


def test_what_somebody_has_changed_in_the_database_is_not_believed() -> None:
    """Facts or a policy that do not fit their hash are told of in a line."""
    asked = Asked("sqlite")
    with asked.office.connections.write() as connection:
        connection.execute(text("drop trigger content_no_update"))
        connection.execute(text("update content set body = cast(body as text) || ' '"))
    result = asked.replayed()
    assert result.exit_code == 1
    assert "not what was stored" in result.output
    assert len(result.output.splitlines()) == 1
    asked.office.close()


def test_a_suggestion_that_is_not_there_is_told_of() -> None:
    """By exit code too: it is the request that is wrong."""
    asked = Asked("sqlite")
    result = asked.replayed("FO-none")
    assert (result.exit_code, "no suggestion" in result.output) == (2, True)
    asked.office.close()
