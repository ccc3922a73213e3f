"""The whole life of a case, driven against a plain model, on both databases.

The model is a few dictionaries: who lives where, which case has been given what, which objection is open,
what has changed since it was last asked about. At each step it says whether the office should agree, and the
two must be in the same state. A life begins with a walk, a few steps that are always the same, and goes on at
random. Faults that are planted in the office are each found on the walk that leads to them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from allocator.access import authorizer
from allocator.access.authorizer import Actor, Circumstances
from allocator.casework.codes import (
    AddressProtection,
    DecisionState,
    EndReason,
    RefusalBy,
    Role,
    StatementKind,
    VetoAnswer,
)
from allocator.casework.committee import Decision, VetoReply
from allocator.casework.housing import Tenancy
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.casework.voice import Hearing, Veto
from allocator.codes import FactSource, Gender, VetoGround, VetoStatus
from allocator.model import ApplicantFacts, Assessed
from allocator.ports import StorageError
from allocator.service import decisions, desk, weighing
from allocator.service import tenancies as tenancy_uses
from allocator.service.decisions import ApproveDecision, ConfirmDecision
from allocator.service.errors import ServiceError
from allocator.service.hearings import CloseHearing, SendHearing, State
from allocator.service.offers import RefuseOffer, SendOffer
from allocator.service.people import RecordFact
from allocator.service.tenancies import MoveIn, MoveOut
from allocator.service.uses import Nothing
from allocator.service.vetoes import AnswerVeto, Objection, Observed
from allocator.service.work import Work
from allocator.store.tables import log, version
from tests.committee import WHY, Committee, person_facts
from tests.databases import BACKENDS
from tests.office import TODAY
from tests.test_tenancies import agreement

CASES = {"S-1": "P-1", "S-2": "P-2"}
UNITS = ("nordlia-7", "nordlia-8", "havna-2")
STRICT = ("P-6", "S-6")
"""A kode-6 person and their case; nobody in the machine is cleared for them."""

OPEN = VetoStatus.OPEN

PLACES = st.integers(0, 5)
"""Which of the objections or homes that there are; counted on from the first again where there are fewer."""


def at(which: int, there: Iterable[str]) -> str:
    """Return the one in a place."""
    names = sorted(there)
    return names[which % len(names)]


@dataclass
class Model:
    """What should be so.

    Attributes:
        lives: By unit, who lives there.
        allotted: By case, the unit it has been given and not yet moved into.
        offered: Cases with an open or accepted offer.
        accepted: Cases whose offer is accepted.
        heard: By case, the hearing; open or closed.
        suggested: By case, the newest suggestion.
        known: By case, the gender that the applicant has stated; residents are men, so it always counts.
        asked_of: By case, what that was when the engine was last asked.
        decided_on: By case, what that was when the committee last looked at it.
        unsure: Cases for which something has changed that may or may not count.
        vetoes: By objection: the case, the author's account, and where it stands.
        moved: Cases that have moved in.
    """

    lives: dict[str, str] = field(default_factory=dict)
    allotted: dict[str, str] = field(default_factory=dict)
    offered: dict[str, str] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    hearing: dict[str, str] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)
    suggested: dict[str, str] = field(default_factory=dict)
    known: dict[str, Gender] = field(default_factory=dict)
    asked_of: dict[str, Gender] = field(default_factory=dict)
    decided_on: dict[str, Gender] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    vetoes: dict[str, tuple[str, str, VetoStatus]] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)


class Life(RuleBasedStateMachine):
    """Two people who wait, three vacant units, and everybody who has a say."""

    backend = "sqlite"
    walks: tuple[Callable[[Life], None], ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.office: Committee

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Open the office, and take one of the walks."""
        self.office = Committee(self.backend)
        self.office.waiting(
            STRICT[1], STRICT[0], protection=AddressProtection.STRICTLY_CONFIDENTIAL, name="Ukjent"
        )
        self.staff = [
            self.office.somebody(Role.SCHEME_STAFF, "nordlia", login=f"ansatt-{number}") for number in (1, 2)
        ]
        self.house = self.office.somebody(Role.SCHEME_LEADER, "nordlia", "havna", login="botilbudsleder")
        data.draw(st.sampled_from(self.walks))(self)

    # ------------------------------------------------------------------------------------ agreeing

    def both(self, agreed: bool, do: Callable[[], Any]) -> Any:
        """Do something; the office must agree exactly if the model does."""
        refused: Exception | None = None
        done: Any = None
        try:
            done = do()
        except (ServiceError, StorageError) as error:
            refused = error
        assert agreed or refused is not None, "the office allows what the model refuses"
        assert not agreed or refused is None, f"the office refuses what the model allows: {refused!r}"
        return done

    def open_vetoes(self, case: str) -> list[str]:
        """Return the objections to a case that nobody has answered."""
        return [name for name, (of, _, now) in self.model.vetoes.items() if (of, now) == (case, OPEN)]

    def now(self, veto: str, status: VetoStatus) -> None:
        """Let an objection stand elsewhere; what the engine says of the unit may change with it."""
        case, author, _ = self.model.vetoes[veto]
        self.model.vetoes[veto] = (case, author, status)
        self.model.unsure.add(case)

    def gender(self, case: str) -> Gender:
        """Return what is known of the applicant."""
        return self.model.known.get(case, Gender.MAN)

    def doubted(self, case: str) -> bool:
        """Return whether somebody has been given a unit on other facts than what is known now."""
        return case in self.model.allotted and self.gender(case) is not self.model.decided_on[case]

    def free(self, unit: str) -> bool:
        """Return whether nobody has a unit or is about to."""
        return unit not in self.model.lives and unit not in self.model.allotted.values()

    # --------------------------------------------------------------------------------------- steps

    @rule(case=st.sampled_from(sorted(CASES)))
    def suggest(self, case: str) -> None:
        """A caseworker asks the engine."""
        if case in self.model.moved:
            return
        self.model.suggested[case] = self.office.suggested(case)
        self.model.asked_of[case] = self.gender(case)
        self.model.unsure.discard(case)

    @rule(case=st.sampled_from(sorted(CASES)), gender=st.sampled_from([Gender.MAN, Gender.WOMAN]))
    def learn(self, case: str, gender: Gender) -> None:
        """Something new is known of the applicant."""
        if self.gender(case) is gender:
            return
        told = Assessed[Gender](value=gender, source=FactSource.APPLICANT, recorded_on=TODAY)
        self.office.run(
            self.office.worker,
            "people.record_fact",
            RecordFact(facts=ApplicantFacts(gender=told), reason="Ny kartlegging sammen med søkeren."),
            CASES[case],
        )
        self.model.known[case] = gender

    @rule(case=st.sampled_from(sorted(CASES)))
    def hear(self, case: str) -> None:
        """The case goes to hearing for both schemes."""
        if case in self.model.hearing or case in self.model.moved:
            return
        if case not in self.model.suggested:
            self.suggest(case)
        for scheme in ("nordlia", "havna"):
            asked = SendHearing(case=case, scheme=scheme, deadline=TODAY + timedelta(days=7))
            shown = self.office.run(self.office.worker, "hearings.send", asked)
            self.model.hearing[case if scheme == "nordlia" else f"{case}/{scheme}"] = shown.stored.id

    @rule(case=st.sampled_from(sorted(CASES)), who=st.integers(0, 1))
    def object(self, case: str, who: int) -> None:
        """Scheme staff object in the hearing; only while it is open, and not to what has been answered."""
        hearing = self.model.hearing.get(case)
        if hearing is None:
            return
        author = self.staff[who].account
        before = {(by, now) for of, by, now in self.model.vetoes.values() if of == case}
        answered = (author, VetoStatus.UPHELD) in before or VetoStatus.OVERRULED in {now for _, now in before}
        fact = Observed(
            observed_on=TODAY - timedelta(days=3),
            source=FactSource.STAFF,
            text="To i bogruppa har sagt fra at de ikke sover om natta etter uro i gangen.",
        )
        said = State(
            kind=StatementKind.OBJECTION,
            objection=Objection(ground=VetoGround.ENVIRONMENT_CAPACITY, living_group="nordlia-a", fact=fact),
        )
        done = self.both(
            case not in self.model.heard and not answered,
            lambda: self.office.run(self.staff[who], "hearings.state", said, hearing),
        )
        if done is not None:
            statement = self.office.now(Hearing, hearing).body.statements[-1]
            assert statement.veto is not None
            for name in self.open_vetoes(case):
                if self.model.vetoes[name][1] == author:
                    self.now(name, VetoStatus.WITHDRAWN)  # who answers again takes back the first
            self.model.vetoes[statement.veto] = (case, author, OPEN)
            self.model.unsure.add(case)

    @precondition(lambda self: self.model.vetoes)
    @rule(which=PLACES, who=st.sampled_from(["ansatt-1", "ansatt-2", "saksbehandler", "botilbudsleder"]))
    def take_back(self, which: int, who: str) -> None:
        """Somebody takes an objection back: its author may, and the leader of that scheme; nobody else."""
        name = at(which, self.model.vetoes)
        _, author, now = self.model.vetoes[name]
        actor = next(a for a in (*self.staff, self.office.worker, self.house) if a.account == who)
        may = who in (author, "botilbudsleder") and now in (OPEN, VetoStatus.UPHELD)
        self.both(may, lambda: self.office.run(actor, "vetoes.withdraw", Nothing(), name))
        if may:
            self.now(name, VetoStatus.WITHDRAWN)

    @precondition(lambda self: self.model.vetoes)
    @rule(which=PLACES, followed=st.booleans())
    def answer(self, which: int, followed: bool) -> None:
        """The committee's leader answers an objection, once."""
        name = at(which, self.model.vetoes)
        is_open = self.model.vetoes[name][2] is OPEN
        answer = VetoAnswer.FOLLOWED if followed else VetoAnswer.NOT_FOLLOWED
        asked = AnswerVeto(answer=answer, reason="Utvalget har drøftet dette med personalet og husleder.")
        self.both(is_open, lambda: self.office.run(self.office.leader, "vetoes.answer", asked, name))
        if is_open:
            self.now(name, VetoStatus.UPHELD if followed else VetoStatus.OVERRULED)

    @rule(case=st.sampled_from(sorted(CASES)))
    def end_hearing(self, case: str) -> None:
        """The hearings of a case end."""
        if case not in self.model.hearing or case in self.model.heard:
            return
        for name in (case, f"{case}/havna"):
            well = State(kind=StatementKind.OK)
            self.office.run(self.house, "hearings.state", well, self.model.hearing[name])
            asked = CloseHearing(reason="Alle som ville, har svart.")
            self.office.run(self.office.worker, "hearings.close", asked, self.model.hearing[name])
        self.model.heard.add(case)

    @rule(
        case=st.sampled_from(sorted(CASES)),
        unit=st.sampled_from(UNITS),
        alone=st.booleans(),
        confirmed=st.booleans(),
        replies=st.booleans(),
    )
    def decide(self, case: str, unit: str, alone: bool, confirmed: bool, replies: bool) -> None:
        """The committee meets, decides and approves; or is refused for one good reason."""
        model = self.model
        if case not in model.heard or case in model.moved or case in model.allotted or not self.free(unit):
            return
        meeting = self.office.called()
        self.office.listed(meeting, case)
        self.office.begun(meeting)
        open_ones = self.open_vetoes(case) if unit.startswith("nordlia") else []
        reply = tuple(
            VetoReply(
                veto=name,
                answer=VetoAnswer.NOT_FOLLOWED,
                reason="Utvalget har drøftet dette med personalet og husleder.",
            )
            for name in open_ones
        )
        said: dict[str, Any] = {"replies": reply if replies else (), "deviation": WHY}
        if confirmed:
            said["stale_confirmed"] = "Utvalget har sett på de nye opplysningene i møtet."
        if case in model.unsure:
            self.suggest(case)
        said["suggestion"] = model.suggested[case]
        answered = replies or not open_ones
        current = self.gender(case) is model.asked_of[case] or confirmed
        asked = self.office.proposal(case, unit, meeting, **said)
        proposed = self.both(
            answered and current, lambda: self.office.run(self.office.leader, "decisions.propose", asked)
        )
        if proposed is None:
            return
        decision = proposed.stored.id
        approver = self.office.leader if alone else self.office.second
        approved = self.both(
            not alone,
            lambda: self.office.run(approver, "decisions.approve", ApproveDecision(), decision),
        )
        if approved is not None:
            model.allotted[case] = unit
            model.decided_on[case] = self.gender(case)
            for name in open_ones:
                self.now(name, VetoStatus.OVERRULED)

    @rule(case=st.sampled_from(sorted(CASES)), yes=st.booleans())
    def offer(self, case: str, yes: bool) -> None:
        """An offer is sent, and the applicant says yes or no."""
        model = self.model
        asked = SendOffer(
            decision=self._decision(case) or "V-none",
            deadline=TODAY + timedelta(days=14),
            told="Et nei får ingen følger; du beholder plassen på ventelista.",
            recipients=("Søkeren",),
        )
        sent = self.both(
            case in model.allotted and case not in model.accepted and not self.doubted(case),
            lambda: self.office.run(self.office.worker, "offers.send", asked),
        )
        if sent is None:
            return
        offer = sent.stored.id
        if yes:
            self.office.run(self.office.worker, "offers.accept", Nothing(), offer)
            model.accepted.add(case)
        else:
            self.office.run(self.office.worker, "offers.refuse", RefuseOffer(by=RefusalBy.APPLICANT), offer)
            del model.allotted[case]

    @precondition(lambda self: self.model.allotted)
    @rule(which=PLACES)
    def look_again(self, which: int) -> None:
        """The committee's leader lets a decision stand; only where facts that it rests on have changed."""
        case = at(which, self.model.allotted)
        asked = ConfirmDecision(reason="Utvalget har sett på saken på nytt, og vedtaket står.")
        decision = self._decision(case)
        self.both(
            self.doubted(case),
            lambda: self.office.run(self.office.leader, "decisions.confirm", asked, decision),
        )
        self.model.decided_on[case] = self.gender(case)

    def _decision(self, case: str) -> str | None:
        with self.office.storage.read() as tx:
            work = Work(tx, self.office.desk.access, Actor("x"), self.office.clock.now(), TODAY)
            made = [d.id for d in work.find(Decision, states={DecisionState.MADE}) if d.body.case == case]
            live = [name for name in made if self.office.now(Decision, name).body.ended_on is None]
        return live[0] if live else None

    @rule(case=st.sampled_from(sorted(CASES)))
    def move_in(self, case: str) -> None:
        """Somebody moves in: with an accepted offer, and never where somebody lives."""
        asked = MoveIn(case=case, moved_in=TODAY, agreement=agreement())
        done = self.both(
            case in self.model.accepted,
            lambda: self.office.run(self.house, "tenancies.move_in", asked),
        )
        if done is not None:
            unit = self.model.allotted.pop(case)
            self.model.accepted.discard(case)
            self.model.lives[unit] = CASES[case]
            self.model.moved.add(case)
            self.model.unsure |= set(CASES)

    @rule(unit=st.sampled_from(UNITS), number=st.integers(1, 3))
    def move_in_beside(self, unit: str, number: int) -> None:
        """The register is filled with somebody who is said to live there; not where anybody does."""
        person = f"P-9{number}"
        if person not in self.model.lives.values():
            with self.office.storage.read() as tx:
                known = tx.get(Kind.PERSON, person) is not None
            if not known:
                self.office.seed(Person(facts=person_facts()), person)
        asked = MoveIn(person=person, unit=unit, moved_in=TODAY)
        free = self.free(unit) and person not in self.model.lives.values()
        done = self.both(free, lambda: self.office.run(self.house, "tenancies.move_in", asked))
        if done is not None:
            self.model.lives[unit] = person
            self.model.unsure |= set(CASES)

    @precondition(lambda self: self.model.lives)
    @rule(which=PLACES)
    def move_out(self, which: int) -> None:
        """Somebody moves out; the unit is free the day after, not before."""
        unit = at(which, self.model.lives)
        home = next((t for t in self._homes() if t.body.unit == unit), None)
        if home is None:
            return  # they have moved out today already, and live there until tonight
        asked = MoveOut(moved_out=TODAY, end_reason=EndReason.OWN_HOME)
        self.office.run(self.house, "tenancies.move_out", asked, home.id)
        self.model.unsure |= set(CASES)

    def _homes(self) -> list[Any]:
        with self.office.storage.read() as tx:
            work = Work(tx, self.office.desk.access, Actor("x"), self.office.clock.now(), TODAY)
            return [t for t in work.find(Tenancy, states={"current"}) if t.body.unit in UNITS]

    # ---------------------------------------------------------------------------------- invariants

    @invariant()
    def nobody_shares_a_unit_unasked(self) -> None:
        """No unit has two tenancies."""
        units = [home.body.unit for home in self._homes()]
        assert len(units) == len(set(units)), "two tenancies in one unit"

    @invariant()
    def objections_are_as_they_should_be(self) -> None:
        """Each is open until somebody who may has answered it or taken it back."""
        for name, (_, _, now) in self.model.vetoes.items():
            status = self.office.now(Veto, name).body.entry.status
            assert status is now, f"{name} is {status}, not {now}"

    def teardown(self) -> None:
        """Look at the record and the lists once more, and close the office."""
        if hasattr(self, "office"):
            try:
                self.every_change_is_logged()
                self.nobody_uncleared_learns_of_kode_6()
            finally:
                self.office.close()

    def every_change_is_logged(self) -> None:
        """Each version has its entry, with its hash, and each entry of a change its version."""
        with self.office.connections.read() as connection:
            made = {
                (r.kind, r.id, r.version): hashlib.sha256(bytes(r.body)).hexdigest()
                for r in connection.execute(select(version))
            }
            entries = [orjson.loads(bytes(r.body)) for r in connection.execute(select(log))]
        logged = {
            (e["kind"], e["id"], e["version"]): e["sha256"]
            for e in entries
            if e["outcome"] == "done" and "sha256" in e
        }
        assert made == logged, "a change is not logged"

    def nobody_uncleared_learns_of_kode_6(self) -> None:
        """In no list of any role is there a trace of the person or the case."""
        for actor in (self.office.worker, self.office.leader, self.house):
            for kind in (Kind.PERSON, Kind.CASE):
                shown = str([item.view for item in self.office.desk.page(actor, kind, limit=200).items])
                assert not any(name in shown for name in STRICT), "a kode-6 person shows"


# -------------------------------------------------------------------------------------------------- walks


def nowhere(_life: Life) -> None:
    """Two people wait."""


def objected_to(life: Life) -> None:
    """Staff have objected, and somebody else tries to take that back."""
    life.hear("S-1")
    life.object("S-1", 0)
    life.take_back(0, "saksbehandler")


def decided_over_an_objection(life: Life) -> None:
    """Staff have objected, and the decision answers them."""
    life.hear("S-1")
    life.object("S-1", 0)
    life.end_hearing("S-1")
    life.decide("S-1", "nordlia-7", alone=False, confirmed=False, replies=True)


def decided_alone(life: Life) -> None:
    """All is heard, and who proposed a decision tries to approve it as well."""
    life.hear("S-1")
    life.end_hearing("S-1")
    life.decide("S-1", "nordlia-7", alone=True, confirmed=False, replies=False)


def decided_late(life: Life) -> None:
    """Something has been learnt since the engine was asked, and nobody has looked at it again."""
    life.hear("S-1")
    life.end_hearing("S-1")
    life.learn("S-1", Gender.WOMAN)
    life.decide("S-1", "nordlia-7", alone=False, confirmed=False, replies=False)


def given_a_home(life: Life) -> None:
    """Somebody has been given a home."""
    life.hear("S-1")
    life.end_hearing("S-1")
    life.decide("S-1", "nordlia-7", alone=False, confirmed=False, replies=False)


def moved_in(life: Life) -> None:
    """Somebody has been given a home, said yes and moved in."""
    given_a_home(life)
    life.offer("S-1", yes=True)
    life.move_in("S-1")


def moved_in_twice(life: Life) -> None:
    """Somebody is said to live where somebody lives."""
    life.move_in_beside("nordlia-7", 1)
    life.move_in_beside("nordlia-7", 2)


WALKS = (
    nowhere,
    objected_to,
    decided_over_an_objection,
    decided_alone,
    decided_late,
    given_a_home,
    moved_in,
    moved_in_twice,
)


def machine(backend: str, *walks: Callable[[Life], None]) -> type[Life]:
    """Return the machine on a kind of database, which begins with one of some walks."""
    return type(f"Life_{backend}", (Life,), {"backend": backend, "walks": walks})


QUICK = settings(
    max_examples=max(15, settings().max_examples // 4),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
WALK = settings(QUICK, max_examples=1, stateful_step_count=1, phases=(Phase.generate,))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.__name__)
def test_every_walk_is_as_the_model_says(walk: Callable[[Life], None], backend: str) -> None:
    """Each on its own, so that none is left to chance."""
    run_state_machine_as_test(machine(backend, walk), settings=WALK)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_life_of_a_case_is_as_the_model_says(backend: str) -> None:
    """Whatever is done in whatever order, office and model agree."""
    run_state_machine_as_test(machine(backend, *WALKS), settings=QUICK)


# ----------------------------------------------------------------------------------------- planted faults


def _anyone_lifts_a_veto(patch: pytest.MonkeyPatch) -> None:
    usual = authorizer.may

    def may(access: Any, actor: Actor, use: str, about: Circumstances) -> bool:
        return use == "vetoes.withdraw" or usual(access, actor, use, about)

    patch.setattr(desk, "may", may)


def _two_in_one_unit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tenancy_uses, "_check_free", lambda *_: None)
    patch.setattr(
        Tenancy, "holds", lambda self: frozenset({f"lives:{self.person}"} if self.moved_out is None else ())
    )


def _decided_on_stale_facts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(weighing, "is_stale", lambda *_: False)


def _not_logged(patch: pytest.MonkeyPatch) -> None:
    usual = Work.note

    def note(self: Work, stored: Any, **more: Any) -> None:
        if self.use != "hearings.state":
            usual(self, stored, **more)

    patch.setattr(Work, "note", note)


def _kode_6_shows(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(authorizer, "shut_out", lambda actor, about: actor.account in about.barred)


def _one_person_decides(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decisions, "needs_two", lambda _decision: False)


ALLOWED = "the office allows what the model refuses"
FAULTS: dict[Callable[[pytest.MonkeyPatch], None], tuple[Callable[[Life], None], str]] = {
    _anyone_lifts_a_veto: (objected_to, ALLOWED),
    _two_in_one_unit: (moved_in_twice, ALLOWED),
    _decided_on_stale_facts: (decided_late, ALLOWED),
    _not_logged: (objected_to, "a change is not logged"),
    _kode_6_shows: (nowhere, "a kode-6 person shows"),
    _one_person_decides: (decided_alone, ALLOWED),
}
"""Each with the walk on which it shows, and as what."""


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__.strip("_"))
def test_planted_faults_are_found(plant: Callable[[pytest.MonkeyPatch], None]) -> None:
    """The control: while the office is honest a walk is as the model says; with the fault it is not."""
    walk, shows = FAULTS[plant]
    life = machine("sqlite", walk)
    run_state_machine_as_test(life, settings=WALK)
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        with pytest.raises(AssertionError, match=shows):
            run_state_machine_as_test(life, settings=WALK)
