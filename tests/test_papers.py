"""Papers: a decision's package, an appeal's pool, and what is held about a person."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case, NearWish
from allocator.casework.codes import AddressProtection, Clearance, Purpose, Role
from allocator.casework.committee import Decision
from allocator.casework.housing import Tenancy
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.casework.voice import Comment, Told
from allocator.codes import FactSource
from allocator.service.appeals import LodgeAppeal
from allocator.service.errors import ForbiddenError, NotFoundError
from allocator.service.extracts import extract, mentions
from allocator.service.packages import decision_package
from tests.browsers import Served, problem
from tests.committee import Committee
from tests.databases import BACKENDS
from tests.office import TODAY, Office
from tests.test_decisions import enemies, objection


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Committee]:
    """An office with a committee, on each kind of database."""
    made = Committee(request.param)
    yield made
    made.close()


@pytest.fixture
def desk() -> Iterator[Committee]:
    """An office with a committee."""
    made = Committee()
    yield made
    made.close()


def parts(package: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the parts of a package by kind."""
    found: dict[str, list[dict[str, Any]]] = {}
    for part in package["parts"]:
        found.setdefault(part["kind"], []).append(part)
    return found


def giver(office: Office, role: Role = Role.CASEWORKER, *cleared: Clearance) -> Actor:
    """Return somebody who gives a person what is held about them."""
    return office.somebody(role, cleared=cleared, purpose=Purpose.SUBJECT_ACCESS, login=f"gir-{role.value}")


# --------------------------------------------------------------------------------------------- package


def test_a_package_has_all_that_a_decision_rests_on_and_led_to(office: Committee) -> None:
    """Suggestion with its facts, hearings, the meeting, the decision and the appeal; hashed (REQ-ARK-1)."""
    decision = office.allotted()
    appeal = office.run(office.worker, "appeals.lodge", LodgeAppeal(decision=decision)).stored.id

    package = decision_package(office.desk, office.secretary, decision)

    found = parts(package)
    assert set(found) == {"case", "suggestion", "facts", "answer", "hearing", "meeting", "decision", "appeal"}
    assert found["suggestion"][0]["content"]["policy_sha256"]
    assert found["answer"][0]["content"]["facts_sha256"]
    assert found["facts"][0]["content"]["applicant"]["needs"]["status"] == "known"
    assert len(found["hearing"]) == 2
    assert found["appeal"][0]["id"] == appeal
    for part in package["parts"]:
        written = orjson.dumps(part["content"], option=orjson.OPT_SORT_KEYS)
        assert part["sha256"] == hashlib.sha256(written).hexdigest()
    together = "\n".join(part["sha256"] for part in package["parts"])
    assert package["sha256"] == hashlib.sha256(together.encode()).hexdigest()
    looks = {(e["kind"], e["id"]) for e in office.log() if e["use"] == "decisions.package"}
    assert (Kind.DECISION, decision) in looks
    assert (Kind.APPEAL, appeal) in looks


def test_the_archive_is_told_folder_record_documents_and_why_it_is_not_public(desk: Committee) -> None:
    """In the names of Noark 5; what exempts it comes from the table of laws."""
    decision = desk.allotted()
    package = decision_package(desk.desk, desk.secretary, decision)
    noark = package["noark"]
    assert noark["mappe"]["mappeID"] == "S-1"
    assert noark["registrering"]["registreringsID"] == decision
    sums = [document["dokumentobjekt"]["sjekksum"] for document in noark["dokumentbeskrivelse"]]
    assert sums == [part["sha256"] for part in package["parts"]]
    main = [d for d in noark["dokumentbeskrivelse"] if d["tilknyttetRegistreringSom"] == "hoveddokument"]
    assert [document["tittel"] for document in main] == [f"decision {decision}"]
    assert noark["skjerming"]["tilgangsrestriksjon"] == "UO"
    assert "offentleglova § 13" in {law["hjemmel"] for law in noark["skjerming"]["skjermingshjemmel"]}


def test_others_on_the_agenda_and_what_is_sealed_are_not_in_it(desk: Committee) -> None:
    """An enemy known to the cleared leaves no trace; another's case on the same agenda is left out."""
    enemies(desk, "P-1", "nordlia-r2")
    meeting = desk.sitting("S-1", "S-2")
    sealed = {"deviation": "Utvalget har veid dette.", "sealed_deviation": "Konflikten er gjort opp her."}
    decision = desk.proposed("S-1", "nordlia-7", meeting, by=desk.cleared, **sealed)
    package = decision_package(desk.desk, desk.secretary, decision)
    assert "gjort opp" not in str(package)
    assert "known-conflict" not in str(package)
    (part,) = parts(package)["meeting"]
    assert [item["case"] for item in part["content"]["agenda"]] == ["S-1"]
    assert "sealed" in parts(package)["decision"][0]["left_out"]


def test_only_roles_that_export_take_it_out_and_for_a_purpose(desk: Committee) -> None:
    """The leader reads the decision but takes nothing out; a decision on a hidden person is not there."""
    decision = desk.allotted()
    with pytest.raises(ForbiddenError):
        decision_package(desk.desk, desk.leader, decision)
    without = desk.somebody(Role.COMMITTEE_SECRETARY, login="sekretaer", purpose=None)
    with pytest.raises(ForbiddenError):
        decision_package(desk.desk, without, decision)
    assert desk.log()[-1]["outcome"] == "denied"
    with pytest.raises(NotFoundError):
        decision_package(desk.desk, desk.secretary, "V-none")
    person = desk.now(Person, "P-1").body.model_copy(
        update={"protection": AddressProtection.STRICTLY_CONFIDENTIAL}
    )
    desk.seed(person, "P-1", version=2)
    with pytest.raises(NotFoundError):
        decision_package(desk.desk, desk.secretary, decision)


# --------------------------------------------------------------------------------------------- extract


def test_a_person_is_given_what_is_held_about_them_and_nothing_about_others(office: Committee) -> None:
    """Their facts, case, suggestion and decision; no other person, no conflict, no source (REQ-PVN-9)."""
    decision = office.allotted()
    enemies(office, "P-1", "nordlia-r2")
    objection(office, unit="nordlia-7")
    told = Told(by="naboen", on=TODAY)
    remark = Comment(
        about=Kind.CASE,
        of="S-1",
        case="S-1",
        author="x",
        text="Rolig i går.",
        source=FactSource.ORAL,
        told=told,
    )
    office.seed(remark, "ME-1")

    given = extract(office.desk, giver(office), "P-1")

    records = given["records"]
    assert set(records) >= {"person", "case", "suggestion", "decision", "hearing", "veto", "comment"}
    assert [r["id"] for r in records["decision"]] == [decision]
    assert records["person"][0]["facts"]["needs"]["status"] == "known"
    assert records["comment"][0]["text"] == "Rolig i går."
    for hidden in ("naboen", "nordlia-r2", "P-2", "S-2"):
        assert f"'{hidden}'" not in str(records)
    assert not {"conflict", "order"} & set(records)
    looks = {(e["kind"], e["id"]) for e in office.log() if e["use"] == "people.extract"}
    assert {(Kind.PERSON, "P-1"), (Kind.DECISION, decision)} <= looks


def test_the_list_of_what_is_withheld_does_not_tell_whether_there_is_anything(desk: Committee) -> None:
    """With a conflict and without, it is the same; it names kinds and why."""
    before = extract(desk.desk, giver(desk), "P-1")["withheld"]
    enemies(desk, "P-1", "nordlia-r2")
    after = extract(desk.desk, giver(desk), "P-1")["withheld"]
    assert before == after
    assert {"conflict", "order"} <= {entry["kind"] for entry in after}
    assert all(entry["why"] for entry in after)


def test_a_wish_to_live_near_somebody_is_told_only_with_their_yes(desk: Committee) -> None:
    """A no is as if nobody had been asked; and who it is stands in no extract (E-26)."""
    body = desk.now(Case, "S-1").body
    answers = (None, None), (TODAY, False), (TODAY, True)
    for version, (asked, consents) in enumerate(answers, start=2):
        wish = NearWish(person="nordlia-r3", asked_on=asked, consents=consents)
        desk.seed(body.model_copy(update={"near": wish}), "S-1", version=version)
        (case,) = extract(desk.desk, giver(desk), "P-1")["records"]["case"]
        assert case["near"] == ({"consents": True} if consents else None)
        assert "nordlia-r3" not in str(case)


def test_extracts_are_given_by_some_and_for_that_purpose_alone(desk: Committee) -> None:
    """Other roles and other purposes are refused and logged; a hidden person is not there."""
    for actor in (desk.worker, desk.leader, giver(desk, Role.COMMITTEE_SECRETARY)):
        for give in (extract, mentions):
            with pytest.raises(ForbiddenError):
                give(desk.desk, actor, "P-1")
            assert desk.log()[-1]["outcome"] == "denied"
    body = Person(protection=AddressProtection.STRICTLY_CONFIDENTIAL)
    desk.seed(body, "P-9")
    for give in (extract, mentions):
        with pytest.raises(NotFoundError):
            give(desk.desk, giver(desk), "P-9")
        with pytest.raises(NotFoundError):
            give(desk.desk, giver(desk), "P-none")


# -------------------------------------------------------------------------------------------- mentions


def test_every_record_that_mentions_a_person_is_found(office: Committee) -> None:
    """Also as counterpart, and where facts of theirs were read; by kind and id (REQ-PVN-8)."""
    decision = office.allotted()
    enemies(office, "P-1", "nordlia-r2")
    auditor = giver(office, Role.AUDITOR, Clearance.CONFLICTS)

    of_applicant = {(m["kind"], m["id"]): m["how"] for m in mentions(office.desk, auditor, "P-1")}
    assert of_applicant["case", "S-1"] == "subject"
    assert of_applicant["decision", decision] == "subject"
    assert "conflict" in {kind for kind, _ in of_applicant}
    of_enemy = {(m["kind"], m["id"]): m["how"] for m in mentions(office.desk, auditor, "nordlia-r2")}
    assert "conflict" in {kind for kind, _ in of_enemy}
    suggestion = office.now(Decision, decision).body.suggestion
    assert of_enemy["suggestion", suggestion] == "read"
    assert set(of_enemy) >= {("tenancy", office.now(Tenancy, "L-nordlia-r2").id)}
    assert office.log()[-1]["use"] == "people.mentions"


def test_whoever_is_not_cleared_does_not_learn_of_a_conflict_by_it() -> None:
    """Neither a caseworker nor an auditor: the list is the same with a conflict and without."""
    for role in (Role.CASEWORKER, Role.AUDITOR):
        world = Committee()
        before = mentions(world.desk, giver(world, role), "P-1")
        enemies(world, "P-1", "nordlia-r2")
        assert mentions(world.desk, giver(world, role), "P-1") == before
        world.close()


# ------------------------------------------------------------------------------------------- over HTTP


def test_papers_over_http() -> None:
    """What is not there, not for them, or not for that purpose is refused as everywhere; a pool is logged."""
    office = Served("sqlite")
    office.seed(Person(), "P-1")
    office.seed(Case(person="P-1", received_on=TODAY, waiting_since=TODAY), "S-1")
    worker = office.as_somebody(Role.CASEWORKER, purpose=Purpose.SUBJECT_ACCESS)
    answer = worker.get("people/P-1/extract")
    assert answer.status_code == 200
    assert answer.json()["records"]["case"][0]["id"] == "S-1"
    assert {"kind": "case", "id": "S-1", "how": "subject"} in worker.get("people/P-1/mentions").json()[
        "items"
    ]
    problem(worker.get("people/P-9/extract"), 404)
    problem(worker.get("decisions/V-9/package"), 404)
    problem(worker.get("appeals/AP-9/pool"), 404)
    assert office.log()[-1]["use"] == "appeals.pool"
    assert office.log()[-1]["outcome"] == "denied"
    worker.purpose = Purpose.CASEWORK
    problem(worker.get("people/P-1/extract"), 403)
    problem(worker.get("people/P-1/mentions?x=1"), 422)
    office.close()


def test_a_pool_is_shown_to_the_appeal_body_over_http() -> None:
    """Through the desk, and the look is logged; a decision without a suggestion has none to show."""
    world = Committee()
    decision = world.allotted()
    appeal = world.run(world.worker, "appeals.lodge", LodgeAppeal(decision=decision)).stored.id
    served = Served.__new__(Served)
    served.__dict__.update(world.__dict__)
    served.__dict__.update(_app(world))
    board = served.as_somebody(Role.APPEALS_BODY, purpose=Purpose.APPEAL)
    answer = board.get(f"appeals/{appeal}/pool")
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert {applicant["name"] for applicant in shown["applicants"]} == {"A1", "A2"}
    assert "P-1" not in answer.text
    last = world.log()[-1]
    assert (last["use"], last["id"], last["groups"]) == ("appeals.pool", appeal, ["pool"])
    world.close()


def _app(world: Office) -> dict[str, Any]:
    from allocator.service.login import Logins  # noqa: PLC0415 - beside its one use
    from api.app import create_office  # noqa: PLC0415
    from tests.browsers import QUICK, default_policy  # noqa: PLC0415

    logins = Logins(world.desk, QUICK)
    return {
        "logins": logins,
        "app": create_office(world.connections, world.clock, default_policy(), logins=logins),
    }
