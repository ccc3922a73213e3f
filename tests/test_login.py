"""Logging in: who gets in, for how long, and what nobody learns from trying."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from allocator import cli
from allocator.casework.codes import Clearance, Purpose, ReviewKind, Role
from allocator.casework.committee import Review
from allocator.casework.offices import Account
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.ports import Query
from allocator.service import login as login_service
from allocator.service.accounts import BreakTheGlass, GrantRole, OpenAccount, Reasoned
from allocator.service.errors import ForbiddenError, NotFoundError, RefusalError
from allocator.service.login import CODE_HOLDS, IDLE, LONGEST, Logins, check_secret
from allocator.store.tables import secret as secrets_table
from allocator.store.tables import session as sessions_table
from api.office import COOKIE
from tests.browsers import Browser, Served, problem
from tests.databases import BACKENDS, fresh

SECRET = "mose fjord kaffe åtte"  # noqa: S105 - of an invented person
OTHER = "lang tur i regnet 7"


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Served]:
    """An office with a caseworker who has a secret, on each kind of database."""
    made = Served(request.param)
    made.somebody(Role.CASEWORKER, login="kari")
    made.secret("kari", SECRET)
    yield made
    made.close()


def logged_in(office: Served) -> Browser:
    """Return a browser in which the caseworker has logged in."""
    browser = office.browser()
    assert browser.log_in("kari", SECRET).status_code == 200
    return browser


def later(office: Served, time: timedelta) -> None:
    """Let time pass."""
    office.clock.moment += time


# ------------------------------------------------------------------------------------------ getting in


def test_who_logs_in_is_told_who_they_are_and_what_they_may(office: Served) -> None:
    """The answer to a login is the session, and the same is told afterwards."""
    browser = office.browser()
    answer = browser.log_in("Kari", SECRET)

    told = answer.json()
    assert (told["account"], told["roles"], told["demo"]) == ("kari", ["caseworker"], False)
    assert {"comments.make", "people.access_log"} <= set(told["uses"])
    assert "accounts.open" not in told["uses"]
    assert browser.get("session").json() == told


def test_the_cookie_is_for_this_site_alone_and_no_script_reads_it(office: Served) -> None:
    """The cookie has the prefix, and every attribute that the prefix needs and more."""
    given = office.browser().log_in("kari", SECRET).headers["set-cookie"]

    name, *attributes = [part.strip() for part in given.split(";")]
    assert name.startswith(f"{COOKIE}=")
    assert {part.lower() for part in attributes} == {"httponly", "path=/", "samesite=lax", "secure"}


def test_the_database_has_neither_tokens_nor_secrets(office: Served) -> None:
    """What is stored of a login is a hash; a login is new each time."""
    browsers = [logged_in(office), logged_in(office)]

    tokens = {browser.cookies[COOKIE] for browser in browsers}
    assert len(tokens) == 2
    assert all(len(token) >= 43 for token in tokens)
    with office.connections.read() as connection:
        stored = str(connection.execute(select(sessions_table)).all())
        stored += str(connection.execute(select(secrets_table)).all())
    assert not [text for text in (*tokens, SECRET) if text in stored]


def test_every_failure_is_told_alike(office: Served) -> None:
    """An unknown name, a wrong secret, no secret, a disabled account: the same bytes."""
    office.somebody(Role.CASEWORKER, login="ola")
    office.seed(Account(login="dis", name="Dis", disabled=True), "dis")
    office.secret("dis", SECRET)

    tries = [("kari", OTHER), ("nobody-here", SECRET), ("ola", SECRET), ("dis", SECRET)]
    answers = [office.browser().log_in(*given) for given in tries]

    assert {problem(answer, 401, "login-refused")["code"] for answer in answers} == {"login-refused"}
    assert len({answer.content for answer in answers}) == 1
    assert len({str(sorted(answer.headers.items())) for answer in answers}) == 1


def test_an_unknown_name_costs_as_much_as_a_wrong_secret(
    office: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is tried, one hash is verified."""
    verified: list[str] = []
    usual = Logins._verified

    def counted(self: Logins, hashed: str, said: str) -> bool:
        verified.append(said)
        return usual(self, hashed, said)

    monkeypatch.setattr(Logins, "_verified", counted)
    for name in ("kari", "nobody-here"):
        office.browser().log_in(name, OTHER)

    assert verified == [OTHER, OTHER]


def test_tries_are_logged_without_what_was_said(office: Served) -> None:
    """Login, failure and logout stand in the log; neither secrets nor unknown names do."""
    browser = logged_in(office)
    office.browser().log_in("kari", OTHER)
    office.browser().log_in("mitt hemmelige passord", OTHER)
    browser.post("logout")

    entries = office.log()[-4:]
    assert [(e["use"], e["by"], e.get("id"), e["outcome"]) for e in entries] == [
        ("login", "kari", "kari", "done"),
        ("login", "nobody", "kari", "denied"),
        ("login", "nobody", None, "denied"),
        ("logout", "kari", "kari", "done"),
    ]
    assert not [text for text in (SECRET, OTHER, "hemmelige") if text in str(office.log())]


# ----------------------------------------------------------------------------------------- throttling


def test_after_five_failures_one_must_wait_and_longer_each_time(office: Served) -> None:
    """Four failures cost nothing; from the fifth on the wait doubles, up to a quarter of an hour."""
    for _ in range(4):
        office.browser().log_in("kari", OTHER)
    assert office.browser().log_in("kari", SECRET).status_code == 200
    waits = []
    for _ in range(5):
        office.browser().log_in("kari", OTHER)
    for _ in range(7):
        with office.storage.read() as tx:
            kept = tx.logins.secret("kari")
        assert kept is not None
        assert kept.locked_until is not None
        wait = kept.locked_until - office.clock.now()
        waits.append(wait.total_seconds())
        later(office, wait - timedelta(seconds=1))
        problem(office.browser().log_in("kari", SECRET), 401)
        later(office, timedelta(seconds=1))
        problem(office.browser().log_in("kari", OTHER), 401)

    assert waits == [30, 60, 120, 240, 480, 900, 900]


def test_after_the_wait_the_right_secret_lets_in_and_failures_are_forgotten(office: Served) -> None:
    """Who knows the secret gets in when the wait is over."""
    for _ in range(5):
        office.browser().log_in("kari", OTHER)
    problem(office.browser().log_in("kari", SECRET), 401)
    later(office, timedelta(seconds=30))

    assert office.browser().log_in("kari", SECRET).status_code == 200
    with office.storage.read() as tx:
        kept = tx.logins.secret("kari")
    assert kept is not None
    assert (kept.failed, kept.locked_until) == (0, None)


# ------------------------------------------------------------------------------------------- sessions


@pytest.mark.parametrize(("idle", "status"), [(IDLE - timedelta(seconds=1), 200), (IDLE, 401)])
def test_a_login_that_is_not_used_ends(office: Served, idle: timedelta, status: int) -> None:
    """After half an hour without use one must log in again."""
    browser = logged_in(office)
    later(office, idle)

    assert browser.get("session").status_code == status


@pytest.mark.parametrize(("longest", "status"), [(LONGEST - timedelta(minutes=1), 200), (LONGEST, 401)])
def test_a_login_ends_however_much_it_is_used(office: Served, longest: timedelta, status: int) -> None:
    """After ten hours one must log in again, also if one has been at work all the time."""
    browser = logged_in(office)
    began = office.clock.now()
    while office.clock.now() + timedelta(minutes=29) < began + longest:
        later(office, timedelta(minutes=29))
        assert browser.get("session").status_code == 200
    office.clock.moment = began + longest

    assert browser.get("session").status_code == status


def test_who_logs_out_is_out(office: Served) -> None:
    """The token is worth nothing afterwards, and the browser is told to forget it."""
    browser = logged_in(office)
    answer = browser.post("logout")

    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]
    problem(browser.get("session"), 401, "sign-in-needed")


def test_a_disabled_account_is_out_at_once(office: Served) -> None:
    """Its logins end, and it cannot log in again until it is enabled."""
    browser = logged_in(office)
    admin = office.somebody(Role.ADMINISTRATOR)
    office.run(admin, "accounts.disable", Reasoned(reason="Sluttet."), "kari")

    problem(browser.get("session"), 401)
    problem(office.browser().log_in("kari", SECRET), 401)
    office.run(admin, "accounts.enable", Reasoned(reason="Tilbake."), "kari")
    problem(browser.get("session"), 401)
    assert office.browser().log_in("kari", SECRET).status_code == 200


def test_a_role_counts_from_the_next_request_on(office: Served) -> None:
    """What an account may is read each time; nothing is kept from the login."""
    browser = logged_in(office)
    admin = office.as_somebody(Role.ADMINISTRATOR)
    version = office.now(Account, "kari").version
    asked = {"role": "property_manager"}
    assert admin.post("accounts/kari/grant", asked, version).status_code == 200
    granted = browser.get("session").json()["roles"]
    asked = {"role": "caseworker", "reason": "Ny stilling."}
    assert admin.post("accounts/kari/take_back", asked, version + 1).status_code == 200

    assert granted == ["caseworker", "property_manager"]
    assert browser.get("session").json()["roles"] == ["property_manager"]


def test_a_made_up_token_is_nobody(office: Served) -> None:
    """No token, a token of another form, a token that was never given: nobody is logged in."""
    browser = logged_in(office)
    for token in ("", "x", "0" * 43, browser.cookies[COOKIE][:-1], "æ" * 10):
        header = {"cookie": f"{COOKIE}={token}".encode()}
        problem(office.browser().get("session", headers=header), 401, "sign-in-needed")


# ----------------------------------------------------------------------------------- other sites


@pytest.mark.parametrize(
    "headers",
    [
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "x" * 43},
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": "https://office.test.evil.test"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_no_other_site_changes_anything(office: Served, headers: dict[str, str]) -> None:
    """A change without the session's token, or that says it comes from elsewhere, is refused."""
    browser = logged_in(office)

    problem(browser.post("logout", headers=headers), 403, "not-from-here")
    assert browser.get("session").status_code == 200


def test_a_page_of_ours_may(office: Served) -> None:
    """A change that comes from this site, with the token, is done."""
    browser = logged_in(office)
    headers = {"Origin": "https://office.test", "Sec-Fetch-Site": "same-origin"}

    assert browser.post("logout", headers=headers).status_code == 204


def test_no_other_site_logs_anybody_in(office: Served) -> None:
    """A login that another site sends is refused, also as a form."""
    asked = {"login": "kari", "secret": SECRET}
    browser = office.browser()

    problem(browser.post("login", asked, headers={"Origin": "https://evil.test"}), 403)
    form = {"content-type": "text/plain"}
    problem(browser.ask("POST", "login", content=b'{"login": "kari"}', headers=form), 415, "media-type")


# ------------------------------------------------------------------------------------- setting secrets


def test_a_code_sets_a_secret_once(office: Served) -> None:
    """An administrator opens an account and hands over a code; the person sets their own secret."""
    admin = office.as_somebody(Role.ADMINISTRATOR)
    opened = admin.post("accounts/open", {"login": "ny", "name": "Ny Oppdiktet"})
    identifier = opened.json()["id"]
    issued = admin.post(f"accounts/{identifier}/setup-code")
    code = issued.json()["code"]
    asked = {"login": "ny", "code": code, "secret": OTHER}

    assert issued.status_code == 201
    problem(office.browser().log_in("ny", code), 401)
    assert office.browser().post("setup", asked).status_code == 204
    assert office.browser().log_in("ny", OTHER).status_code == 200
    problem(office.browser().post("setup", asked), 401)
    assert code not in str(office.log())


@pytest.mark.parametrize(("age", "status"), [(CODE_HOLDS - timedelta(seconds=1), 204), (CODE_HOLDS, 401)])
def test_a_code_holds_for_two_days(office: Served, age: timedelta, status: int) -> None:
    """An old code sets nothing."""
    code, until = office.logins.issue(office.somebody(Role.ADMINISTRATOR), "kari")
    later(office, age)

    assert until == datetime(2026, 11, 25, 9, tzinfo=UTC)
    asked = {"login": "kari", "code": code, "secret": OTHER}
    assert office.browser().post("setup", asked).status_code == status


def test_a_code_voids_the_secret_there_was(office: Served) -> None:
    """Who is given a code is out, and the old secret lets nobody in."""
    browser = logged_in(office)
    office.logins.issue(office.somebody(Role.ADMINISTRATOR), "kari")

    problem(browser.get("session"), 401)
    problem(office.browser().log_in("kari", SECRET), 401)


def test_a_secret_is_no_code(office: Served) -> None:
    """With a secret one cannot set another without being logged in."""
    problem(
        office.browser().post("setup", {"login": "kari", "code": SECRET, "secret": OTHER}),
        401,
        "login-refused",
    )


def test_only_an_administrator_issues_codes(office: Served) -> None:
    """Others are refused, whoever it is about, and that is logged."""
    worker = office.as_somebody(Role.CASEWORKER, login="kari")

    problem(worker.post("accounts/kari/setup-code"), 403, "not-allowed")
    assert office.log()[-1]["outcome"] == "denied"
    problem(office.as_somebody(Role.ADMINISTRATOR).post("accounts/nobody/setup-code"), 404)


def test_another_secret_ends_every_login(office: Served) -> None:
    """Whoever changes their secret logs in anew everywhere, with the new one alone."""
    here, there = logged_in(office), logged_in(office)

    problem(here.post("secret", {"old": OTHER, "new": OTHER}), 401, "login-refused")
    assert here.post("secret", {"old": SECRET, "new": OTHER}).status_code == 204
    problem(there.get("session"), 401)
    problem(office.browser().log_in("kari", SECRET), 401)
    assert office.browser().log_in("kari", OTHER).status_code == 200


@pytest.mark.parametrize(
    ("secret", "sound"),
    [
        ("elleve tegn", False),
        ("tolv tegn  å", True),
        ("x" * 200, False),
        ("ab" * 10, False),
        ("en god lang setning" * 11, False),
        ("Passord 12345!", False),
        ("iloveyou1234", False),
        ("correcthorsebatterystaple", False),
        ("jeg er Kari.Nordmann i dag", False),
        ("mose fjord kaffe åtte", True),
    ],
)
def test_a_secret_is_long_and_not_easily_guessed(secret: str, *, sound: bool) -> None:
    """Twelve characters at least, none of the common ones, not the name one logs in with."""
    if sound:
        check_secret("kari.nordmann", secret, "/secret")
    else:
        with pytest.raises(RefusalError) as refused:
            check_secret("kari.nordmann", secret, "/secret")
        assert [p.path for p in refused.value.problems] == ["/secret"]
        assert secret not in str(refused.value.problems)


# ------------------------------------------------------------------------------------------ accounts


def test_nobody_changes_what_they_themselves_may_do(office: Served) -> None:
    """Another administrator must."""
    admin = office.somebody(Role.ADMINISTRATOR)

    for name, asked in (
        ("accounts.grant", GrantRole(role=Role.CASEWORKER)),
        ("accounts.disable", Reasoned(reason="Ferie.")),
    ):
        with pytest.raises(RefusalError, match="own-account"):
            office.run(admin, name, asked, admin.account)


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        (GrantRole(role=Role.SCHEME_STAFF), "/schemes"),
        (GrantRole(role=Role.CASEWORKER, schemes=frozenset({"nordlia"})), "/schemes"),
        (GrantRole(role=Role.SCHEME_STAFF, schemes=frozenset({"nowhere"})), "/schemes"),
    ],
)
def test_a_role_is_held_for_schemes_if_it_is_of_schemes(office: Served, asked: GrantRole, place: str) -> None:
    """A scheme's staff work in a scheme that is there; others in none."""
    office.house()
    with pytest.raises(RefusalError) as refused:
        office.run(office.somebody(Role.ADMINISTRATOR), "accounts.grant", asked, "kari")

    assert [p.path for p in refused.value.problems] == [place]


def test_one_name_logs_one_account_in(office: Served) -> None:
    """A name that somebody logs in with is taken, however it is written."""
    answer = office.as_somebody(Role.ADMINISTRATOR).post("accounts/open", {"login": "KARI", "name": "Kari"})

    problem(answer, 409, "taken")


# --------------------------------------------------------------------------------------- in a crisis


def test_access_in_a_crisis_is_short_stated_and_looked_at(office: Served) -> None:
    """It gives what a caseworker sees while that is the purpose, no clearance, and a review the next day."""
    office.house()
    office.seed(Person(name="Per Oppdiktet"), "P-1")
    leader = office.as_somebody(Role.SCHEME_LEADER, "nordlia", purpose=Purpose.CRISIS, login="leder")
    problem(leader.get("people/P-1"), 404)
    asked = {"reason": "Brann i Nordlia, må flytte beboere i natt.", "hours": 2}
    version = office.now(Account, "leder").version
    assert leader.post("accounts/leder/break_glass", asked, version).status_code == 200

    assert leader.get("people/P-1").json()["name"] == "Per Oppdiktet"
    entry = office.log()[-1]
    assert (entry["purpose"], entry["roles"]) == ("crisis", ["caseworker", "scheme_leader"])
    assert leader.get("session").json()["cleared"] == []
    leader.purpose = Purpose.CASEWORK
    problem(leader.get("people/P-1"), 404)
    leader.purpose = Purpose.CRISIS
    with office.storage.read() as tx:
        (review,) = tx.find(Query(Kind.REVIEW))
    assert isinstance(review.body, Review)
    assert (review.body.what, review.body.account) == (ReviewKind.BREAK_GLASS, "leder")
    assert review.body.by == office.clock.today() + timedelta(days=1)
    for minutes in (29, 29, 29, 29, 3):
        later(office, timedelta(minutes=minutes))
        assert leader.get("people/P-1").status_code == 200
    later(office, timedelta(minutes=1))
    problem(leader.get("people/P-1"), 404)


def test_access_in_a_crisis_is_for_oneself_alone(office: Served) -> None:
    """It cannot be taken for somebody else, twice at once, or by roles that have no crises."""
    asked = BreakTheGlass(reason="Brann i Nordlia i natt.", hours=1)
    leader = office.somebody(Role.COMMITTEE_LEADER, login="leder")
    office.run(leader, "accounts.break_glass", asked, "leder")

    with pytest.raises(RefusalError, match="crisis-access-runs"):
        office.run(leader, "accounts.break_glass", asked, "leder")
    with pytest.raises(NotFoundError):
        office.run(leader, "accounts.break_glass", asked, "kari")
    with pytest.raises(ForbiddenError):
        office.run(office.somebody(Role.AUDITOR, login="rev"), "accounts.break_glass", asked, "rev")


# ---------------------------------------------------------------------------------------------- demo


def test_in_a_demonstration_one_click_logs_in_and_every_answer_says_so(
    request: pytest.FixtureRequest,
) -> None:
    """There one can be anyone; the answers shout it."""
    made = Served("sqlite", demo=True)
    request.addfinalizer(made.close)
    made.house()
    for role in Role:
        browser = made.browser()
        answer = browser.post("demo-login", {"role": role.value})
        assert (answer.status_code, answer.json()["demo"]) == (200, True)
        assert answer.json()["roles"] == [role.value]
        assert answer.headers["x-demo"] == "true"
        assert browser.get("session").headers["x-demo"] == "true"
    assert made.browser().post("demo-login", {"role": "caseworker"}).json()["account"] == "demo-caseworker"


def test_elsewhere_there_is_no_such_click(office: Served) -> None:
    """Outside a demonstration the way in is not there at all."""
    answer = office.browser().post("demo-login", {"role": "caseworker"})

    assert answer.status_code == 404
    assert "x-demo" not in answer.headers


# --------------------------------------------------------------------------------- the command line


def run(*arguments: str) -> Any:
    """Return what a command comes to."""
    return CliRunner().invoke(cli.app, list(arguments))


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_first_administrator_gets_in_with_a_code(backend: str) -> None:
    """The command opens one account, once; the code is the way in."""
    address = fresh(backend)
    made = run("account", "first", "sjef", "Sjef Oppdiktet", "--database", address)
    again = run("account", "first", "sjef2", "Sjef Oppdiktet", "--database", address)
    recovered = run("account", "code", "SJEF", "--database", address)
    unknown = run("account", "code", "ingen", "--database", address)

    assert [result.exit_code for result in (made, again, recovered, unknown)] == [0, 2, 0, 2]
    first, second = (result.output.split()[1] for result in (made, recovered))
    assert first != second
    assert "Oppdiktet" not in again.output


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (("account", "code", "x", "--database", "mysql://x/y"), 2),
        (("account", "code", "x", "--database", "sqlite:///nowhere.db"), 2),
        (("serve",), 2),
        (("serve", "--database", "sqlite:///nowhere.db"), 2),
    ],
)
def test_a_database_that_is_not_there_is_named(arguments: tuple[str, ...], exit_code: int) -> None:
    """What cannot be opened is refused in a line."""
    result = run(*arguments)

    assert result.exit_code == exit_code
    assert len(result.output.strip().splitlines()) == 1


def test_an_empty_or_unguarded_database_is_not_served(tmp_path: Any) -> None:
    """A database of another version, or without its guards, is refused with the command to run."""
    import pysqlite3.dbapi2 as sqlite3  # noqa: PLC0415 - to damage a file as an outsider would

    (tmp_path / "empty.db").touch()
    empty = run("serve", "--database", f"sqlite:///{tmp_path}/empty.db")
    address = fresh("sqlite")
    connection = sqlite3.connect(address.removeprefix("sqlite:///"))
    connection.execute("drop trigger log_no_delete")
    connection.close()
    unguarded = run("serve", "--database", address)

    assert (empty.exit_code, unguarded.exit_code) == (1, 1)
    assert "allocator migrate" in empty.output
    assert "allocator migrate" in unguarded.output


def test_the_common_secrets_are_a_list_without_doubles() -> None:
    """The list holds a hundred at least, in the form they are compared in."""
    assert len(login_service._common()) >= 100
    assert all(entry == entry.casefold() for entry in login_service._common())


def test_opening_an_account_gives_nothing_yet(office: Served) -> None:
    """A new account can log in and do nothing."""
    shown = office.run(
        office.somebody(Role.ADMINISTRATOR), "accounts.open", OpenAccount(login="ny", name="Ny Oppdiktet")
    )

    assert (shown.view["grants"], shown.view["cleared"]) == ([], [])
    actor = office.desk.actor(shown.stored.id, Purpose.CASEWORK)
    assert actor is not None
    assert (actor.roles, actor.cleared) == (frozenset(), frozenset[Clearance]())
