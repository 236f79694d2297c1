"""Every page and action against every role: the table is written out here, not taken from the code."""

import pytest

from central.console.site import PAGES, Access

NOBODY, VIEWER, AUDITOR, ADMINISTRATOR = "nobody", "viewer", "auditor", "administrator"
ALL = {VIEWER, AUDITOR, ADMINISTRATOR}
MAY = {
    ("GET", "/"): ALL,
    ("GET", "/live"): ALL,
    ("GET", "/terminals"): ALL,
    ("GET", "/terminals/{name}"): ALL,
    ("GET", "/results"): ALL,
    ("GET", "/results/{number}"): ALL,
    ("GET", "/chain"): ALL,
    ("POST", "/chain"): ALL,
    ("GET", "/quarantine"): ALL,
    ("POST", "/quarantine/{number}"): {AUDITOR},
    ("GET", "/disputes"): ALL,
    ("POST", "/disputes/{number}"): {AUDITOR},
    ("GET", "/alarms"): ALL,
    ("GET", "/export"): {AUDITOR},
    ("POST", "/export"): {AUDITOR},
    ("GET", "/accounts"): {ADMINISTRATOR},
    ("POST", "/accounts"): {ADMINISTRATOR},
    ("GET", "/account"): ALL,
    ("POST", "/account"): ALL,
    ("POST", "/sign-out"): ALL,
    ("GET", "/sign-in"): ALL | {NOBODY},
    ("POST", "/sign-in"): ALL | {NOBODY},
    ("GET", "/welcome/{token}"): ALL | {NOBODY},
    ("POST", "/welcome/{token}"): ALL | {NOBODY},
}
PLACES = {"name": "shop-03", "number": "1", "token": "none"}


def test_the_table_names_every_page():
    assert {(page.method, page.path) for page in PAGES} == set(MAY)
    assert all(page.needs is not Access.ANYBODY or NOBODY in MAY[page.method, page.path] for page in PAGES)


@pytest.mark.parametrize("role", [NOBODY, VIEWER, AUDITOR, ADMINISTRATOR])
def test_each_role_gets_its_pages_and_no_other(console, role):
    got, expected = {}, {}
    for (method, path), allowed in MAY.items():
        if path != "/live":
            visitor = console.visitor(None if role == NOBODY else role)
            visitor.get("/sign-in" if role == NOBODY else "/account")  # the token of a form
            here = path.format(**PLACES)
            got[method, path] = word(visitor.get(here) if method == "GET" else visitor.post(here))
            expected[method, path] = "in" if role in allowed else "entrance" if role == NOBODY else "refused"
    assert got == expected


def word(answer):
    if answer.status == 401 or (answer.status == 303 and answer.location.startswith("/sign-in?wanted=")):
        return "entrance"
    return "refused" if answer.status == 403 and "Not for this account" in answer.text else "in"


def test_the_live_stream_is_for_those_who_are_signed_in(console):
    assert console.visitor().get("/live").status == 401


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_no_other_method_does_anything(shared, method):
    for path in ("/", "/results/1", "/accounts", "/static/style.css"):
        assert shared.visitor("auditor").send(method, path).status in (403, 405)


def test_what_is_for_auditors_is_on_no_other_page(shared):
    """A viewer sees neither pseudonyms nor what was measured, an administrator neither."""
    subject = "f" * 32
    with shared.house.readers.lend() as ledger:
        number = ledger.database.rows("SELECT max(number) FROM results WHERE subject = ?", subject)[0][0]
    for role in (VIEWER, ADMINISTRATOR):
        visitor = shared.visitor(role)
        for path in ("/", "/results", f"/results/{number}", "/alarms", "/quarantine", "/chain", "/terminals/shop-01"):
            page = visitor.get(path)
            assert page.status == 200 and subject not in page.text, path
        assert "auditors may see it" in visitor.get(f"/results/{number}").text
    page = shared.visitor(AUDITOR).get(f"/results/{number}")
    assert subject in page.text and "polyline" in page.text and "auditors may see it" not in page.text
    assert subject in shared.visitor(AUDITOR).get("/alarms").text
