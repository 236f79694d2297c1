"""The public page: what a slip stands for and nothing more, the same answer to whoever has none, and objections."""

import http.client
import os
import re
import signal
import subprocess
import sys
import urllib.request

import psycopg
import pytest
import yaml
from customer import APART, KNOWN, NUMBER, OFFLINE, REFUSED, UNKNOWN, WITNESSED, Public
from test_console_text import HOSTILE, is_harmless
from visitor import LIMIT_S

from central.disputes import MAX_PER_RESULT, Dispute, Found, Objection
from central.disputes import Answer as Told
from central.public import house as public_house
from central.public.languages import CATALOGUES, choose
from central.public.registration import Registration
from central.public.site import MAX_BODY_BYTES, MAX_NOTE, plain
from central.registry import load_registry, registry_text
from device.wire.slip import shown_code, slip_code, slip_digest
from provisioning.__main__ import free_port


def test_a_customer_sees_what_was_registered_and_nothing_more(public):
    customer = public.customer()
    words = customer.look_up(KNOWN).words
    for told in ("Verified: a live person was there", "2026-09-21 16:59:59", "outlet-1", "Registration of a SIM card",
                 "The one that you typed", "No", "The picture printed on a card"):  # fmt: skip
        assert told in words, told
    with public.house._readers.lend() as ledger:
        held = next(one for one in ledger.latest(50) if one.facts.outlet == "outlet-1" and one.terminal == "shop-06")
    page = customer.look_up(KNOWN).text
    secrets = (held.facts.subject, held.facts.attendant, held.facts.transaction, held.facts.request, held.sha256,
               held.terminal, "score", "0.4", "shop-0")  # fmt: skip
    assert not [secret for secret in secrets if secret in page]
    assert "set-cookie" not in customer.look_up(KNOWN).headers


def test_each_outcome_in_plain_words(public):
    customer = public.customer()
    offline = customer.look_up(OFFLINE, "").words
    assert "Arrived at central" in offline and "Not known: there was no connection" in offline
    assert "Central was given none: the code alone is enough here" in offline and "demo-outlet" in offline
    assert "does not rely on it" in customer.look_up(APART, "").words
    assert "nobody's face was checked" in customer.look_up(WITNESSED).words
    assert "Yes, instead of a check of the face" in customer.look_up(WITNESSED).words
    refused = customer.look_up(REFUSED).words
    assert "Not verified." in refused and "match" not in refused


@pytest.mark.parametrize("typed", ["{}", " {} ", "{}\t", "lower", "bare"])
def test_code_and_number_are_read_as_people_write_them(public, typed):
    code = {"lower": shown_code(KNOWN).lower(), "bare": KNOWN}.get(typed, typed.format(shown_code(KNOWN)))
    for number in ("+919876543210", "098765 43210", "(98765) 432-10", "९८७६५४३२१०", "0091 98765 43210"):
        assert public.customer().look_up(code, number).status == 200, number


def test_an_unknown_code_another_number_and_no_code_get_the_same_answer(public, monkeypatch):
    """The same page, and the same work: one digest, one pseudonym, the same queries."""
    asked: list[str] = []

    def note(database):
        rows = database.rows
        monkeypatch.setattr(database, "rows", lambda query, *values: (asked.append(query), rows(query, *values))[1])

    with public.house._readers.lend() as ledger, public.house._store.transaction() as store:
        note(ledger.database)
        note(store)
    asked.clear()
    digests = public_house.slip_digest
    monkeypatch.setattr(public_house, "slip_digest", lambda code: (asked.append("digest"), digests(code))[1])
    seen = []
    guesses = ((UNKNOWN, NUMBER), (KNOWN, "+91 98765 43211"), (KNOWN, ""), ("no code", NUMBER), ("", "hello"),
               (KNOWN[:-1], NUMBER), ("\0" * 12, "\0"), (KNOWN + KNOWN, NUMBER))  # fmt: skip
    customer = public.customer()
    for ask in (customer.look_up, customer.object_to):
        for code, number in guesses:
            answer = ask(code, number)
            headers = {name: value for name, value in answer.headers.items() if name not in ("date", "content-length")}
            seen.append((answer.status, answer.words, headers, [*asked]))
            assert seen[-1] == seen[0], (ask, code, number)
            asked.clear()
    assert seen[0][0] == 404 and "There is nothing under this code and this number" in seen[0][1]
    assert seen[0][3].count("digest") == 1


def test_an_objection_is_an_event_that_an_auditor_answers_and_the_customer_reads(own_public):
    town, console, public = own_public()
    customer, auditor = public.customer(), console.visitor("auditor")
    answer = customer.object_to(KNOWN, note="मैं उस दिन\nगाँव में था\u200d। \u202eevil\x07")
    assert answer.status == 200 and "Your objection has the number 1" in answer.words
    assert "number 1" in customer.object_to(KNOWN, note="मैं उस दिन गाँव में था\u200d। evil").words, "sent twice"
    (made,) = town.ledger.disputes.before(10, 10)
    assert (made.objection, made.note, made.language) == ("not-there", "मैं उस दिन गाँव में था\u200d। evil", "en")
    assert "Number 1" in customer.look_up(KNOWN).words and "Not answered yet." in customer.look_up(KNOWN).words
    console.house.watch.look()
    page = auditor.get("/disputes")
    assert "Disputes 1 open" in page.words and f"#{made.custody}" in page.words
    words = auditor.get(f"/results/{made.custody}").words
    assert "मैं उस दिन" in words and "Slip a code was drawn for the customer" in words
    for role in ("viewer", "administrator"):
        words = console.visitor(role).get(f"/results/{made.custody}").words
        assert "not there" in words and "मैं उस दिन" not in words
    assert "disputed" in auditor.get("/results?terminal=shop-06").words
    auditor.get("/disputes")
    for form in ({"decision": "justified", "note": "x"}, {"decision": "sure", "note": "a note"}, {"note": "a note"}):
        assert auditor.post("/disputes/1", form).status == 400
    assert auditor.post("/disputes/99", {"decision": "justified", "note": "a note"}).status == 404
    assert auditor.post("/disputes/1", {"decision": "investigating", "note": "We look into it."}).status == 303
    console.house.watch.look()
    assert "Disputes 1 open" in auditor.get("/disputes").words
    answer = auditor.post("/disputes/1", {"decision": "justified", "note": "The SIM was blocked <b>today</b>."})
    assert answer.location == f"/results/{made.custody}#disputes"
    console.house.watch.look()
    assert "open" not in auditor.get("/disputes").words
    read = customer.look_up(KNOWN)
    assert "The auditor agrees with you." in read.words and "The SIM was blocked <b>today</b>." in read.words
    assert "one-auditor" not in read.text
    acts = [(act.act, act.about) for act in console.house.acts.before(10**9, 3)]
    assert ("answered", "dispute 1") in acts


def test_a_few_objections_and_no_more(own_public):
    town, _, public = own_public()
    customer = public.customer()
    assert customer.object_to(KNOWN, objection="").status == 400
    assert customer.object_to(KNOWN, objection="<b>").status == 400
    for number in range(MAX_PER_RESULT):
        assert customer.object_to(KNOWN, note=f"once more {number}").status == 200
    assert customer.object_to(KNOWN, note="and again").status == 409
    page = customer.look_up(KNOWN)
    assert f"There are {MAX_PER_RESULT} objections" in page.words and "textarea" not in page.text
    assert customer.object_to(OFFLINE, "", note="x" * 5000).status == 200
    assert len(town.ledger.disputes.before(100, 10)[0].note) == MAX_NOTE


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
])  # fmt: skip
def test_no_other_site_objects_or_looks_up_in_a_customer_s_name(public, headers):
    customer = public.customer()
    for path in ("/", "/dispute"):
        form = {"code": KNOWN, "number": NUMBER, "objection": "not-there"}
        assert customer.post(path, form, **headers).status == 403
    assert customer.post("/dispute", {"objection": "not-there"}, Origin=public.url).status == 404, "without the slip"
    with public.house._readers.lend() as ledger:
        assert ledger.disputes.state() == (0, 0, 0)


def test_nothing_that_anybody_writes_becomes_markup(public, monkeypatch):
    """Outlet, purpose, grade and outcome by a terminal or a desk, notes by an auditor, and what is typed."""
    customer = public.customer()
    for answer in (customer.look_up(HOSTILE, HOSTILE), customer.object_to(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
                   customer.get("/?lang=%3Cscript%3E", Accept_Language=HOSTILE), customer.get("/%3Cscript%3E"),
                   customer.post("/", {"code": KNOWN, "lang": HOSTILE})):  # fmt: skip
        is_harmless(answer)
    told = Told(7, 1, HOSTILE, Found.JUSTIFIED, HOSTILE)
    dispute = Dispute(1, 1, Objection.NOT_THERE, HOSTILE, HOSTILE, 7, (told,))
    hostile = Registration(1, 1, False, HOSTILE, HOSTILE, HOSTILE, HOSTILE, True, True, (dispute,))
    monkeypatch.setattr(public.house, "look_up", lambda typed, address: hostile)
    answer = customer.look_up(HOSTILE[:60], HOSTILE[:60])
    is_harmless(answer)
    assert answer.status == 200 and HOSTILE in answer.words


@pytest.mark.parametrize("path", [
    "/static/../site.py", "/static/%2e%2e/site.py", "/static/..%2f..%2fdatabase.py", "/static//etc/passwd",
    "/static/..\\site.py", "/static/%00", "/static/", "/static/style.css/../../../console/site.py", "/dispute", "//",
    "/static/console.js", "/results/1", "/disputes", "/sign-in", f"/{KNOWN}",
])  # fmt: skip
def test_no_path_leads_out_or_to_the_console(public, path):
    answer = public.customer().get(path)
    assert answer.status in (404, 405) and b"import" not in answer.body and b"root:" not in answer.body
    is_harmless(answer)


def test_every_answer_bears_the_headers_and_other_hosts_get_none(public):
    customer = public.customer()
    for path in ("/", "/static/public.js", "/nothing"):
        headers = customer.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"] and headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "same-origin" and "set-cookie" not in headers
    assert customer.post("/", {"code": "x" * MAX_BODY_BYTES}).status == 413
    assert customer.post("/", {f"field{number}": "x" for number in range(50)}).status == 400
    connection = http.client.HTTPConnection("127.0.0.1", public.port, timeout=LIMIT_S)
    connection.request("GET", "/", headers={"Host": "evil.example"})
    assert connection.getresponse().status == 403
    connection.close()


def test_no_text_is_missing_in_any_language():
    texts = {tag: catalogue.texts for tag, catalogue in CATALOGUES.items()}
    for tag, own in texts.items():
        assert own.keys() == texts["en"].keys(), tag
        for key, text in own.items():
            assert re.findall(r"{\w*}", text) == re.findall(r"{\w*}", texts["en"][key]) and text.strip(), (tag, key)
    for group, words in (("objection", Objection), ("answer", Found)):
        assert all(f"{group}.{word}" in texts["en"] for word in words)


@pytest.mark.parametrize(("asked", "preferred", "tag"), [
    ("", "", "en"), ("", "fr, hi-IN;q=0.8, en;q=0.5", "hi"), ("", "zh-TW,zh;q=0.9", "zh-CN"), ("es", "hi", "es"),
    ("klingon", "es-419", "es"), ("", "en;q=0, es;q=0.1", "es"), ("", ";;,q=,hi;q=x,*", "en"), ("", "hi;q=nan", "en"),
])  # fmt: skip
def test_the_language_is_the_one_asked_for_or_else_the_browser_s(asked, preferred, tag):
    assert choose(asked, preferred).tag == tag


def test_each_page_in_each_language(public):
    customer = public.customer()
    for tag, catalogue in CATALOGUES.items():
        text = catalogue.texts
        assert text["title"] in customer.get(f"/?lang={tag}").words
        form = {"code": KNOWN, "number": NUMBER, "lang": tag}
        assert text["outcome.verified"] in customer.post("/", form).words
        assert text["not-found"] in customer.post("/", form | {"number": ""}).words
        assert text["dispute.choose"] in customer.post("/dispute", form).words
        assert text["error.refused"] in customer.get("/nothing", Accept_Language=tag).words


def test_notes_are_one_line_of_what_is_seen():
    assert plain("  a\n\tb\u200d\u202ec\x00 \ud800") == "a b\u200dc" and plain("x" * 9999) == "x" * MAX_NOTE


def test_a_role_that_reads_little_and_disputes_is_enough_on_postgresql(slips, tmp_path, slips_address):
    """PostgreSQL itself keeps the public page from everything else."""
    address = slips_address
    schema = address.rpartition("%3D")[2]
    tables = "migrations, journal, results, quarantine, disputes, answers, guessing"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS public_page")
        connection.execute("CREATE ROLE public_page LOGIN")
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO public_page")
        connection.execute(f"GRANT SELECT ON {tables} TO public_page")
        connection.execute("GRANT SELECT (id, customer_number) ON requests TO public_page")
        connection.execute("GRANT INSERT ON disputes, guessing TO public_page")
    role = address.replace("ledger@", "public_page@")
    public = Public(slips, tmp_path, ledger=role)
    try:
        customer = public.customer()
        assert customer.look_up(KNOWN).status == 200 and customer.look_up(KNOWN, "").status == 404
        assert "number 1" in customer.object_to(KNOWN).words
        public.house._tell_of(public_house.Refusal(public_house.EVERYBODY, 1))
        for forbidden in ("INSERT INTO answers VALUES (1, 1, 1, 'x', 'justified', 'x')", "SELECT asked FROM requests",
                          "SELECT * FROM evidence", "INSERT INTO alarms VALUES ('a', 'b', 'c', 1, 'd', '[]')",
                          "DELETE FROM disputes"):  # fmt: skip
            with psycopg.connect(role) as connection, pytest.raises(psycopg.Error, match="permission denied"):
                connection.execute(forbidden)
    finally:
        public.stop()


def test_a_result_that_does_not_hold_is_not_shown(own_public):
    """Whoever can write into the database cannot make the page say `verified`."""
    town, _, public = own_public()
    path = town.settings.registry
    entries = dict(load_registry(path).terminals)
    entries["shop-06"] = entries["shop-06"].model_copy(update={"result_keys": entries["shop-07"].result_keys})
    path.write_text(registry_text({name: entry for name, entry in entries.items() if name != "shop-07"}))
    assert public.customer().look_up(KNOWN).status == 404


def test_a_terminal_cannot_put_another_result_in_the_place_of_a_slip_s(own_public):
    town, _, public = own_public()
    town.slip("shop-08", town.now, KNOWN, NUMBER, outcome="rejected", reasons=("wrong-action",))
    assert "Verified" in public.customer().look_up(KNOWN).words


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_end(slips, tmp_path, number):
    settings = yaml.safe_load(slips.central.read_text())
    settings["public"] = {"port": free_port(), "store": str(tmp_path / "public.sqlite")}
    config = slips.central.with_name(f"public-{number}.yaml")
    config.write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "central", "public", "--config", str(config)]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().split()[-1]
            with urllib.request.urlopen(address, timeout=LIMIT_S) as answer:
                assert b"Your slip" in answer.read()
        finally:
            os.kill(process.pid, number)
            _, told = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0 and "Traceback" not in told
    assert (tmp_path / "public.sqlite").stat().st_mode & 0o777 == 0o600


def test_without_its_packages_it_says_which_to_install(slips):
    blocked = "import sys\nfor name in ('starlette', 'uvicorn', 'jinja2'): sys.modules[name] = None\n"
    program = blocked + "from central.__main__ import main\nsys.exit(main(sys.argv[1:]))"
    arguments = [sys.executable, "-c", program, "public", "--config", str(slips.central)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    assert done.returncode == 2 and "pip install 'likeness[central,console]'" in done.stderr


def test_the_code_of_a_customer_is_never_kept(public, tmp_path):
    public.customer().look_up(KNOWN)
    public.customer().look_up(slip_code(bytes(8)))
    held = b"".join(path.read_bytes() for path in tmp_path.glob("public.sqlite*"))
    for secret in (KNOWN, shown_code(KNOWN), "9876543210", slip_code(bytes(8)), slip_digest(slip_code(bytes(8)))):
        assert secret.encode() not in held
