"""`likeness-central` as people call it: help with examples, bad input in one line, tables that run nothing."""

import csv
import json

import pytest
import samples
import yaml
from bench import Bench
from hypothesis import given
from hypothesis import strategies as st

from central.__main__ import main
from central.commands.options import TRY_AGAIN
from central.config import load_central
from central.tables import FORMULA, neutral
from device.settings import SettingsError
from provisioning.demo import create_demo_authority

COMMANDS = ("run", "request", "command", "results", "follow", "verify", "report", "export", "evidence", "console")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps_with_an_example(capsys, command):
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert left.value.code == 0 and f"example: likeness-central {command} --config central.yaml" in shown


@pytest.fixture
def made(tmp_path):
    return create_demo_authority(tmp_path / "keys", ("shop-1",), port=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("report",), "there is no ledger yet"),
        (("export",), "there is no ledger yet"),
        (("evidence", "x", "--key", "none.key", "--out", "out"), "none.key: cannot be read"),
        (("command", "shop-9", "identify"), "there is no terminal 'shop-9'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(made, capsys, arguments, message):
    name, *others = arguments
    assert main([name, "--config", str(made.central), *others]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1 and message in printed.err


@pytest.mark.parametrize(("command", "code"), [("run", TRY_AGAIN), ("public", TRY_AGAIN), ("results", 2)])
def test_a_database_that_is_away_is_no_fault_of_the_configuration(made, capsys, command, code):
    document = yaml.safe_load(made.central.read_text())
    made.central.write_text(yaml.safe_dump(document | {"ledger": "postgresql:///likeness?host=/nowhere"}))
    assert main([command, "--config", str(made.central)]) == code
    assert "postgresql: the ledger cannot be used" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, "no certificate"])
@pytest.mark.parametrize("place", ["authority", "receiver"])
def test_a_certificate_that_cannot_be_used_is_one(made, capsys, place, content):
    """2: no restart mends it."""
    certificate = made.central.with_name("other.pem")
    if content is not None:
        certificate.write_text(content)
    document = yaml.safe_load(made.central.read_text())
    broker = document["broker"]
    broker[place] = certificate.name if place == "authority" else broker[place] | {"certificate": certificate.name}
    made.central.write_text(yaml.safe_dump(document))
    assert main(["run", "--config", str(made.central)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"{certificate}: no certificate ") and told.count("\n") == 1


def test_a_password_in_the_configuration_is_refused_and_not_repeated(made):
    document = yaml.safe_load(made.central.read_text())
    for address, refused in (("postgresql:///likeness", False), ("postgresql://central:secret@host/likeness", True)):
        made.central.write_text(yaml.safe_dump(document | {"ledger": address}))
        if not refused:
            assert load_central(made.central).ledger == address
            continue
        with pytest.raises(SettingsError, match=r"ledger: holds a password: put that into ~/\.pgpass") as caught:
            load_central(made.central)
        assert "secret" not in str(caught.value)


def test_rules_are_read_from_the_configuration_with_line_and_place(made):
    made.central.write_text(made.central.read_text() + "rules:\n  hot_terminals: {results: 0}\n  clocks: null\n")
    with pytest.raises(
        SettingsError, match=r"central\.yaml:\d+: rules\.hot_terminals\.results: .*greater than or equal"
    ):
        load_central(made.central)


def test_an_export_has_every_row_and_its_table_runs_nothing(made, capsys):
    bench = Bench(made.central.parent)
    for number, name in enumerate(("+cmd", "-cmd", "plain")):
        claims = samples.request(jti=samples.uuid7(number, bytes(10)), attendant=name)
        told = claims.echo()
        bench.asks(claims)
        bench.judge(bench.signed(offline=False, request=told, reference=samples.card()).raw)
    bench.judge(bench.signed(challenge=None).raw)
    bench.judge(bench.anchor("shop-2", epoch=2).raw, "shop-2")
    bench.ledger.close()
    assert main(["export", "--config", str(made.central), "--format", "csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["attendant"] for row in rows] == ["'+cmd", "'-cmd", "plain", "", ""]
    assert [row["kind"] for row in rows] == ["result"] * 4 + ["anchor"]
    assert rows[3]["reason"] == "verified-without-evidence" and rows[0]["signature_valid"] == "True"
    assert main(["export", "--config", str(made.central), "--after", "3"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["number"], line["kind"]) for line in lines] == [(4, "result"), (5, "anchor")]
    assert lines[1]["claims"]["previous"]["seq"] == 7
    assert main(["results", "--config", str(made.central)]) == 0
    assert "epoch 2 begins: new-key" in capsys.readouterr().out


@given(text=st.text(max_size=20))
def test_no_cell_begins_a_formula(text):
    assert not str(neutral(text)).startswith(FORMULA) and str(neutral(text)).removeprefix("'").endswith(
        text.removeprefix("'")
    )
    assert neutral(-1.5) == -1.5
