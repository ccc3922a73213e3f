"""The register: schemes and units are added and described; nothing that is not known is claimed, or lost."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from playwright.sync_api import Locator, Page, expect

from allocator.access.authorizer import Actor
from allocator.casework.codes import Role
from allocator.casework.housing import Scheme, Unit
from allocator.codes import EntryRequirement, Service, TargetGroup, UnitPurpose
from allocator.model import Evidence, SchemeFacts, UnitFacts
from allocator.model import Scheme as SchemeOf
from allocator.model import Unit as UnitOf
from allocator.service.housing import DescribeScheme, DescribeUnit
from api.office import read
from api.pages.register import filled
from api.routes.records import names_of
from tests.pages.site import LANGUAGES, Browsers, Site
from tests.strategies import schemes, units

MANAGER = "property_manager"
PAGES = (
    "/schemes/new",
    "/schemes/nordlia/describe",
    "/schemes/nordlia/units/new",
    "/units/nordlia-1/describe",
)


def done(page: Page) -> str:
    """Return what the page says was done."""
    return page.locator("#done").inner_text()


def untick(boxes: Locator) -> None:
    """Take every tick in a list away."""
    for box in reversed(boxes.get_by_role("checkbox", checked=True).all()):
        box.uncheck()


# -------------------------------------------------------------------------------- what a form says


@given(schemes())
def test_what_is_known_of_a_scheme_is_what_its_form_says(scheme: SchemeOf) -> None:
    """Saved as it is, nothing changes: unknown stays unknown, none stays none."""
    facts = SchemeFacts.model_validate({name: getattr(scheme, name) for name in SchemeFacts.model_fields})
    view = {"facts": facts.model_dump(mode="json"), "groups": [{"id": "g", "name": "G"}]}
    said = read(DescribeScheme, filled(view).content({"groups": view["groups"]}), names_of(DescribeScheme))
    assert said.facts == facts


@given(units())
def test_what_is_known_of_a_unit_is_what_its_form_says(unit: UnitOf) -> None:
    """Saved as it is, nothing changes."""
    facts = UnitFacts.model_validate({name: getattr(unit, name) for name in UnitFacts.model_fields})
    view = {"facts": facts.model_dump(mode="json"), "group": "g", "first_ready_on": None}
    said = read(DescribeUnit, filled(view).content(), names_of(DescribeUnit))
    assert said == DescribeUnit(group="g", facts=facts)


@pytest.mark.parametrize(
    ("path", "facts", "beside"),
    [(PAGES[0], SchemeFacts, {"evidence"}), (PAGES[1], SchemeFacts, {"evidence"})]
    + [(path, UnitFacts, set()) for path in PAGES[2:]],
)
def test_every_fact_has_a_field(
    shown: Site, path: str, facts: type[SchemeFacts | UnitFacts], beside: set[str]
) -> None:
    """A fact that the model gets is missed here until it can be filled in."""
    with shown.client(MANAGER) as client:
        page = client.get(path).text
    names = {f'name="facts/{name}' for name in facts.model_fields.keys() - beside}
    assert {name for name in names if f"{name}" not in page} == set()


# ------------------------------------------------------------------------------------------- units


def test_a_unit_is_added_and_described(site: Site, browsers: Browsers) -> None:
    """From the scheme, without scripts: what is missing is said and what was written is kept."""
    page = browsers.window(site, MANAGER, scripts=False).go("/schemes/nordlia")
    page.get_by_role("link", name="Ny bolig").click()
    page.get_by_label("Størrelse i m²").fill("41")
    page.get_by_label("Heis").select_option(label="Nei")
    page.get_by_role("button", name="Lagre boligen").click()
    expect(page.get_by_role("alert")).to_contain_text("Hva boligen brukes til: må fylles ut")
    assert page.locator("[aria-invalid=true]").count() == 2
    assert page.get_by_label("Størrelse i m²").input_value() == "41"
    page.get_by_label("Bogruppe").select_option(label="Nordlia B")
    page.get_by_label("Hva boligen brukes til").select_option("home")
    page.get_by_label("Bruksenhetsnummer").fill("302")
    page.get_by_role("button", name="Lagre boligen").click()
    expect(page.get_by_role("alert")).to_contain_text("en av bokstavene H, L, U og K og fire sifre")
    page.get_by_label("Bruksenhetsnummer").fill("H0302")
    page.get_by_role("button", name="Lagre boligen").click()

    assert done(page) == "Boligen er lagt til."
    identifier = page.url.partition("/units/")[2].partition("?")[0]
    facts = UnitFacts(unit_no="H0302", purpose=UnitPurpose.HOME, area_m2=41, lift=False)
    assert site.now(Unit, identifier).body == Unit(scheme="nordlia", group="nordlia-b", facts=facts)

    page.get_by_role("link", name="Endre boligen").click()
    page.get_by_label("Heis").select_option(label="Ikke kjent")
    page.get_by_label("Etasje").fill("3")
    page.get_by_label("Korteste botid i måneder").fill("12")
    page.get_by_label("Lengste botid i måneder").fill("6")
    page.get_by_role("button", name="Lagre boligen").click()
    expect(page.get_by_role("alert")).to_have_text(
        "Ikke lagret ennå Lengste botid i måneder: kan ikke være mindre enn den korteste"
    )
    assert page.get_by_label("Lengste botid i måneder").get_attribute("aria-invalid") == "true"
    page.get_by_label("Lengste botid i måneder").fill("36")
    page.get_by_role("button", name="Lagre boligen").click()

    assert done(page) == "Beskrivelsen av boligen er lagret."
    changed = {"lift": None, "floor": 3, "min_stay_months": 12, "max_stay_months": 36}
    assert site.now(Unit, identifier).body.facts == facts.model_copy(update=changed)

    for day, ready_on in (("2026-09-01", date(2026, 9, 1)), ("", None)):
        page.get_by_role("link", name="Endre boligen").click()
        page.get_by_label("Klar for innflytting").fill(day)
        page.get_by_role("button", name="Lagre boligen").click()
        assert done(page) == "Beskrivelsen av boligen er lagret."
        assert site.now(Unit, identifier).body.first_ready_on == ready_on


# ----------------------------------------------------------------------------------------- schemes


def test_a_scheme_is_added_and_claims_nothing(site: Site, browsers: Browsers) -> None:
    """From the list; what nobody answered is not known, and a requirement says where it is adopted."""
    page = browsers.window(site, MANAGER).go("/units")
    page.get_by_role("link", name="Nytt botiltak").click()
    page.get_by_label("Navn", exact=True).fill("Solsiden")
    page.get_by_label("Navn på bogruppene").fill("Første etasje\n\nAndre etasje\n")
    page.get_by_label("ROP-lidelse", exact=True).check()
    page.get_by_label("Hva kreves av alle som får plass?").select_option("rop")
    page.get_by_label("Har kommunen vedtatt kravet?").select_option(label="Ja")
    page.get_by_role("button", name="Lagre botiltaket").click()
    expect(page.get_by_role("alert")).to_contain_text("Hvor står kravet?: må fylles ut")
    assert page.get_by_label("Navn på bogruppene").input_value() == "Første etasje\n\nAndre etasje\n"
    page.get_by_label("Hvor står kravet?").fill("Sak 1/2026")
    page.get_by_role("button", name="Lagre botiltaket").click()

    assert done(page) == "Botiltaket er lagt til."
    made = site.now(Scheme, page.url.partition("/schemes/")[2].partition("?")[0]).body
    assert [group.name for group in made.groups] == ["Første etasje", "Andre etasje"]
    told = made.facts.model_dump(exclude_none=True, exclude={"evidence"})
    assert told == {
        "name": "Solsiden",
        "target_groups": {TargetGroup.ROP},
        "entry_condition": {"requires": EntryRequirement.ROP, "adopted": True, "document": "Sak 1/2026"},
        "offer_complete": False,
    }


def published(site: Site, manager: Actor) -> SchemeFacts:
    """Say of a scheme where two of its facts are published. Returns its facts."""
    evidence = {name: Evidence(source="kilde", section="1") for name in ("staff_day", "visit_rule")}
    facts = site.now(Scheme, "nordlia").body.facts.model_copy(update={"evidence": evidence})
    site.run(manager, "schemes.describe", DescribeScheme(facts=facts), "nordlia")
    return facts


def test_a_scheme_is_described_by_its_leader(site: Site, browsers: Browsers) -> None:
    """What is not touched stays, with where it is published; what is changed is no longer published there."""
    facts = published(site, site.somebody(Role.PROPERTY_MANAGER))
    before = site.now(Scheme, "nordlia").body
    page = browsers.window(site, "scheme_leader").go("/schemes/nordlia")
    assert page.get_by_role("link", name="Ny bolig").count() == 0
    page.get_by_role("link", name="Endre botiltaket").click()
    page.get_by_role("button", name="Lagre botiltaket").click()
    assert done(page) == "Beskrivelsen av botiltaket er lagret."
    assert site.now(Scheme, "nordlia").body == before

    page.get_by_role("link", name="Endre botiltaket").click()
    page.get_by_label("Ansatte på dagen").fill("3")
    page.get_by_label("Kameraer").select_option(label="Ikke kjent")
    services = page.get_by_role("group", name="Tjenester")
    untick(services)
    services.get_by_label("Ingen av disse").check()
    measures = page.get_by_role("group", name="Tiltak mot risiko")
    untick(measures)
    page.get_by_label("Ny bogruppe").first.fill("Nordlia C")
    page.get_by_label("Bogruppe 1").fill("")
    page.get_by_role("button", name="Lagre botiltaket").click()
    expect(page.get_by_role("alert")).to_contain_text("Bogruppa har boliger.")
    assert page.get_by_label("Ansatte på dagen").input_value() == "3"
    assert measures.get_by_role("checkbox", checked=True).count() == 0
    page.get_by_label("Bogruppe 1").fill("Tun A")
    page.get_by_role("button", name="Lagre botiltaket").click()

    assert done(page) == "Beskrivelsen av botiltaket er lagret."
    after = site.now(Scheme, "nordlia").body
    changed = {
        "staff_day": 3,
        "cameras": None,
        "services": frozenset[Service](),
        "measures": None,
        "evidence": {"visit_rule": facts.evidence["visit_rule"]},
    }
    assert after.facts == facts.model_copy(update=changed)
    assert [group.name for group in after.groups] == ["Tun A", "Nordlia B", "Nordlia C"]
    assert [group.id for group in after.groups[:2]] == ["nordlia-a", "nordlia-b"]


def test_a_group_without_units_is_taken_out(site: Site, browsers: Browsers) -> None:
    """A scheme keeps at least one, and two cannot have one name."""
    page = browsers.window(site, MANAGER).go("/schemes/nordlia/describe")
    page.get_by_label("Ny bogruppe").first.fill("Nordlia A")
    page.get_by_role("button", name="Lagre botiltaket").click()
    expect(page.get_by_role("alert")).to_contain_text("Bogrupper: ulike navn")
    page.get_by_label("Ny bogruppe").first.fill("Nordlia C")
    page.get_by_role("button", name="Lagre botiltaket").click()
    page.get_by_role("link", name="Endre botiltaket").click()
    page.get_by_label("Bogruppe 3").fill("")
    page.get_by_role("button", name="Lagre botiltaket").click()
    assert [group.id for group in site.now(Scheme, "nordlia").body.groups] == ["nordlia-a", "nordlia-b"]


# ---------------------------------------------------------------------------------------- for whom


@pytest.mark.parametrize(
    ("login", "there"),
    [
        (MANAGER, set(PAGES)),
        ("scheme_leader", {PAGES[1], PAGES[3]}),
        ("scheme_leader_2", set()),
        ("scheme_staff", set()),
        ("committee_secretary", set()),
    ],
)
def test_each_page_is_for_those_who_may(shown: Site, login: str, there: set[str]) -> None:
    """For others it is not there, nor a way to it."""
    with shown.client(login) as client:
        assert {path for path in PAGES if client.get(path).status_code == 200} == there
        ways = "".join(client.get(path).text for path in ("/units", "/schemes/nordlia", "/units/nordlia-1"))
    assert {path for path in PAGES if f'href="{path}"' in ways} == there


@pytest.mark.parametrize(("path", "language"), [*zip(PAGES, (*LANGUAGES, "nn"), strict=True)])
def test_they_are_accessible_when_something_is_wrong(
    shown: Site, browsers: Browsers, path: str, language: str
) -> None:
    """Each fault leads to its field."""
    window = browsers.window(shown, MANAGER, language=language)
    page = window.go(path)
    page.evaluate("for (const field of document.querySelectorAll('main form [required]')) field.value = ''")
    page.locator("main form button").last.click()
    faults = page.locator("main .ds-error-summary a")
    expect(faults).to_have_count(2)
    for fault in faults.all():
        target = fault.get_attribute("href")
        assert target is not None
        assert page.locator(target).get_attribute("aria-invalid") == "true"
    assert window.faults() == []
