"""What terminals send is text and stays text, on every page and in every file."""

import csv
import io
import json

import pytest
import samples
from visitor import Reader

from central.decisions import Judged
from central.disputes import Found
from central.messages import open_message
from central.verify import RefusedError, open_result
from device.wire.birth import BirthClaims
from device.wire.envelope import Kind, sign
from device.wire.health import HealthClaims

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)><hostile a='{{7*7}}${7*7}'>"
ELEMENTS = {
    "html", "head", "meta", "title", "link", "script", "body", "a", "header", "img", "span", "nav", "ul", "li", "div",
    "form", "input", "button", "p", "main", "footer", "section", "h1", "h2", "small", "dl", "dt", "dd", "figure",
    "svg", "path", "rect", "details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td", "time", "i",
    "bdi", "code", "label", "select", "option", "textarea", "fieldset", "legend", "strong", "ol", "br", "desc", "g",
    "text", "polyline", "article", "h3", "blockquote",
}  # fmt: skip
PAGES = ("/", "/terminals", "/terminals/shop-02", "/results", "/chain", "/quarantine", "/disputes", "/alarms")


def is_harmless(answer):
    """Nothing that was sent became an element, an attribute that runs, or an address that does."""
    page = Reader()
    page.feed(answer.text)
    assert set(page.elements) <= ELEMENTS, set(page.elements) - ELEMENTS
    assert page.elements.count("script") == 1 and page.elements.count("img") <= 1
    for name, value in page.attributes:
        assert not name.startswith("on") and name not in ("style", "srcdoc"), name
        if name in ("href", "src", "action"):
            assert value.startswith(("/", "#")), value
    assert "49" not in [text.strip("{}$ ") for text in page.texts if "7*7" in text]


def leaves(document, path=()):
    """The path of every string, and of every list of strings, in a document."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from leaves(value, (*path, key))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from leaves(value, (*path, index))
    elif isinstance(document, str):
        yield path


def changed(document, path, value):
    copy = json.loads(json.dumps(document))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copy


def test_no_string_of_a_terminal_becomes_markup(own_town):
    """Each string of each message is hostile once; whatever central lets in is on the pages, as text."""
    town, console = own_town()
    key, now = town.keys["shop-02"].result_key, town.now
    envelope = town.session("shop-02", now, outcome="rejected", reasons=("wrong-action",), sentence=HOSTILE)
    first, claims = town.ledger.newest(), json.loads(envelope.payload)
    for path in leaves(claims):
        position = town.heads["shop-02"].next()
        document = changed(claims, path, HOSTILE) | {"epoch": 1, "seq": position.seq, "prev": position.prev}
        signed = sign(Kind.RESULT, json.dumps(document).encode(), key)
        try:
            open_result(signed.raw, "shop-02", town.registry)
        except RefusedError:
            continue
        town.take("shop-02", signed, now)
        town.heads["shop-02"] = town.heads["shop-02"].advanced(signed.sha256)
    assert town.ledger.newest() > first + 20
    visitor = console.visitor("auditor")
    for number in range(first, town.ledger.newest() + 1):
        is_harmless(visitor.get(f"/results/{number}"))
    for path in PAGES:
        is_harmless(visitor.get(path))
    assert HOSTILE in visitor.get(f"/results/{first}").words


@pytest.mark.parametrize(("kind", "said", "make"), [
    (Kind.BIRTH, BirthClaims, samples.birth), (Kind.HEALTH, HealthClaims, samples.health),
])  # fmt: skip
def test_what_a_terminal_says_of_itself_is_text(own_town, kind, said, make):
    town, console = own_town()
    visitor, claims = console.visitor("viewer"), json.loads(make(iss="shop-02").write())
    for path in leaves(claims):
        for value in (HOSTILE, "javascript-alert.1", "x" * 63):
            signed = sign(kind, json.dumps(changed(claims, path, value)).encode(), town.keys["shop-02"].result_key)
            try:
                open_message(signed.raw, "shop-02", town.registry, said)
            except RefusedError:
                continue
            with town.ledger.batch():
                (town.ledger.fleet.set_births if kind is Kind.BIRTH else town.ledger.fleet.set_health)(
                    {"shop-02": signed.raw}, town.now
                )
            console.house.watch.look()
            for place in ("/terminals", "/terminals/shop-02", "/alarms"):
                is_harmless(visitor.get(place))


def test_what_stands_in_the_database_is_text_whoever_wrote_it_there(own_town):
    """Beyond what a terminal can do: rows that no parser of ours would have let in."""
    town, console = own_town()
    database, now = town.ledger.database, town.now
    with town.ledger.batch():
        database.rows("INSERT INTO alarms VALUES (?, ?, ?, ?, ?, '[1]')", "hot-terminals", HOSTILE, "x", now, HOSTILE)
        database.rows("INSERT INTO alarms VALUES (?, ?, ?, ?, ?, '[]')", HOSTILE, "shop-02", "x", now, HOSTILE)
        database.rows("INSERT INTO refused VALUES (?, ?, ?, 1, 1, 1)", HOSTILE, "0", HOSTILE)
        database.rows("INSERT INTO gaps VALUES (?, 1, 1, 2, 3)", HOSTILE)
        number = town.ledger.newest() + 1
        journal = (number, HOSTILE, 1, 1, HOSTILE, HOSTILE, True, "quarantined", HOSTILE, now)
        database.rows("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *journal)
        database.rows(
            "INSERT INTO quarantine (number, request, envelope) VALUES (?, ?, ?)", number, HOSTILE, HOSTILE.encode()
        )
        database.rows("INSERT INTO decisions VALUES (1, ?, 1, ?, ?, ?)", number, HOSTILE, Judged.UPHELD.value, HOSTILE)
        database.rows("INSERT INTO disputes VALUES (1, ?, ?, ?, ?, ?)", number, now, HOSTILE, HOSTILE, HOSTILE)
        database.rows("INSERT INTO disputes VALUES (2, 99999999, ?, ?, ?, ?)", now, HOSTILE, HOSTILE, HOSTILE)
        database.rows("INSERT INTO answers VALUES (1, 1, ?, ?, ?, ?)", now, HOSTILE, Found.JUSTIFIED.value, HOSTILE)
    console.house.watch.look()
    for role in ("auditor", "viewer"):
        visitor = console.visitor(role)
        for path in (*PAGES, f"/results/{number}"):
            answer = visitor.get(path)
            assert answer.status == 200
            is_harmless(answer)


def test_what_people_type_is_text_too(shared):
    visitor = shared.visitor("auditor")
    fields = ("terminal", "outcome", "reason", "outlet", "attendant", "transaction", "request", "since", "verdict")
    for path in [*(f"/results?{field}=" for field in fields), "/alarms?rule=", "/?day=", "/terminals?state="]:
        answer = visitor.get(path + "%3Cscript%3E%22%27%3E%3Cimg%20src=x%20onerror=alert(1)%3E")
        assert answer.status == 200
        is_harmless(answer)
    for path in ("/%3Cscript%3E", "/results/%3Cscript%3E", "/terminals/%3Cscript%3E", "/welcome/%3Cscript%3E"):
        answer = visitor.get(path)
        assert answer.status == 404
        is_harmless(answer)
    visitor.get("/chain")
    for text in (HOSTILE, "e30.e30.e30", "\0" * 9, "." * 500):
        answer = visitor.post("/chain", {"envelope": text})
        assert answer.status == 200 and "It does not hold" in answer.text
        is_harmless(answer)
    stranger = shared.visitor()
    is_harmless(stranger.get(f"/sign-in?wanted=/%22%3E{'%3Cscript%3E'}"))
    is_harmless(stranger.post("/sign-in", {"name": HOSTILE, "password": "x", "wanted": HOSTILE}))


@pytest.mark.parametrize("path", [
    "/static/../site.py", "/static/%2e%2e/site.py", "/static/..%2f..%2fdatabase.py", "/static/%2e%2e%2f%2e%2e%2f",
    "//etc/passwd", "/static//etc/passwd", "/static/....//site.py", "/static/..\\site.py", "/static/%00", "/static/",
    "/static/style.css/../../templates/base.html", "/results/../../static/../site.py", "/terminals/..%2f..%2fsite.py",
])  # fmt: skip
def test_no_path_leads_out(shared, path):
    answer = shared.visitor("auditor").get(path)
    assert answer.status in (303, 404, 405)
    assert b"import" not in answer.body and b"root:" not in answer.body


@pytest.mark.parametrize("number", ["0", "-1", "9" * 18, "9" * 30, "9" * 5000, "1e3", "%D9%A3", "0x1", "1.0", ""])
def test_numbers_that_are_none_find_nothing(shared, number):
    visitor = shared.visitor("auditor")
    visitor.get("/account")
    assert visitor.get(f"/results/{number}").status == 404
    assert visitor.post(f"/quarantine/{number}", {"decision": "upheld", "note": "a note"}).status == 404
    assert visitor.post(f"/disputes/{number}", {"decision": "justified", "note": "a note"}).status == 404
    for path in ("/results?before=", "/quarantine?before=", "/disputes?before=", "/alarms?page=", "/terminals?page="):
        assert visitor.get(path + number).status == 200


def test_an_exported_table_runs_nothing(own_town):
    """CSV formulae: through every field that a terminal or a desk fills."""
    town, console = own_town()
    for name in ("+cmd", "-2+3", "=1+1", "@sum"):
        plain = name if name[0] in "+-" else "plain"
        town.session("shop-02", town.now, attendant=plain, subject=plain, outcome="verified", reasons=(), sentence=name)
    visitor = console.visitor("auditor")
    visitor.get("/export")
    answer = visitor.post("/export", {"format": "csv", "terminal": "shop-02"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="results.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {"'+cmd", "'-2+3"} <= {row["attendant"] for row in rows}
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert {row["terminal"] for row in rows} == {"shop-02"} and {row["signature_valid"] for row in rows} == {"True"}
    lines = visitor.post("/export", {"format": "jsonl"}).text.splitlines()
    numbers = [json.loads(line)["number"] for line in lines]
    assert numbers == list(range(town.ledger.newest(), 0, -1))
    assert visitor.post("/export", {"format": "exe"}).status == 400
