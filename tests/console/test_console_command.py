"""`likeness-central console` as people call it: accounts at the prompt, a server that starts and ends in order."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
import yaml

from central.__main__ import main
from central.commands.options import TRY_AGAIN
from central.config import load_central
from central.ledger import Ledger
from provisioning.__main__ import free_port
from provisioning.demo import create_demo_authority

LIMIT_S = 60


@pytest.fixture
def made(tmp_path):
    authority = create_demo_authority(tmp_path / "keys", ("shop-1",), port=1)
    settings = yaml.safe_load(authority.central.read_text())
    settings["console"]["port"] = free_port()
    authority.central.write_text(yaml.safe_dump(settings))
    return authority


def test_accounts_are_kept_at_the_command_line(made, capsys, monkeypatch):
    def account(*arguments):
        return main(["console", "--config", str(made.central), "account", *arguments])

    assert account("add", "anna", "--role", "administrator") == 0
    printed = capsys.readouterr()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/welcome/[\w-]{43}\n", printed.out) and "24 hours" in printed.err
    typed = iter(["correct horse battery", "correct horse battery", "one password here", "another one there"])
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(typed))
    assert account("add", "berta", "--role", "auditor", "--password") == 0
    assert account("password", "berta") == 2 and "the two passwords differ" in capsys.readouterr().err
    assert account("disable", "berta") == 0 and account("enable", "berta") == 0
    assert account("add", "anna", "--role", "viewer") == 2 and "already" in capsys.readouterr().err
    assert account("link", "nobody") == 2 and account("password", "nobody") == 2
    capsys.readouterr()
    assert account("list") == 0
    told = "anna  administrator  waits for its first sign-in\nberta  auditor\n"
    assert capsys.readouterr().out == told


@pytest.mark.parametrize("page", ["console", "public"])
def test_a_page_without_a_ledger_says_what_to_do_and_that_it_may_be_tried_again(made, page, capsys):
    assert main([page, "--config", str(made.central)]) == TRY_AGAIN
    assert "there is no ledger yet: start `likeness-central run` first" in capsys.readouterr().err


def test_a_port_that_is_taken_may_be_free_in_a_moment(made, capsys):
    Ledger(made.central.parent / "ledger.sqlite").close()
    with socket.create_server(("127.0.0.1", load_central(made.central).console.port)):
        assert main(["console", "--config", str(made.central)]) == TRY_AGAIN
    assert capsys.readouterr().err.count("\n") == 1


def test_an_address_without_tls_is_refused_with_its_line(made, capsys):
    settings = yaml.safe_load(made.central.read_text())
    settings["console"]["address"] = "http://console.example"
    made.central.write_text(yaml.safe_dump(settings))
    assert main(["console", "--config", str(made.central)]) == 2
    error = capsys.readouterr().err
    assert re.search(r"central\.yaml:\d+: console\.address: what people type would go over the network", error)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_end(made, number):
    Ledger(made.central.parent / "ledger.sqlite").close()
    command = [sys.executable, "-m", "central", "console", "--config", str(made.central)]
    # What a shell starts in its background is deaf to SIGINT; this test may have been.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().split()[-1]
            with urllib.request.urlopen(address, timeout=LIMIT_S) as answer:
                assert answer.url.startswith(f"{address}/sign-in") and b"Sign in" in answer.read()
        finally:
            os.kill(process.pid, number)
            _, told = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0 and "Traceback" not in told
    assert "account add NAME --role administrator" in told
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address, timeout=LIMIT_S)


def test_without_its_packages_it_says_which_to_install_and_nothing_else_needs_them(made):
    Ledger(made.central.parent / "ledger.sqlite").close()
    blocked = "import sys\nfor name in ('starlette', 'argon2', 'uvicorn', 'jinja2'): sys.modules[name] = None\n"
    program = blocked + "from central.__main__ import main\nsys.exit(main(sys.argv[1:]))"
    for command, status, told in (("report", 0, ""), ("console", 2, "pip install 'likeness[central,console]'")):
        arguments = [sys.executable, "-c", program, command, "--config", str(made.central)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=LIMIT_S)
        assert done.returncode == status and told in done.stderr and done.stderr.count("\n") == (1 if told else 0)
