"""The console and its ledger: it reads, on either database, and writes one thing."""

import psycopg
import pytest
from visitor import NOW, Console

from central.database import LedgerError, migrate
from central.ledger import Ledger, open_database
from central.migrations import MIGRATIONS


def test_the_connection_for_pages_cannot_write(twin):
    for statement in ("DELETE FROM gaps", "INSERT INTO progress VALUES ('x', 1)", "CREATE TABLE x (a BIGINT)"):
        with pytest.raises(LedgerError, match=r"readonly|read-only"):
            twin.database.rows(statement)


def test_a_role_that_reads_and_decides_is_enough_on_postgresql(filled, tmp_path, postgresql, address):
    """PostgreSQL itself keeps the console from everything else."""
    schema = address.rpartition("%3D")[2]
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS console")
        connection.execute("CREATE ROLE console LOGIN")
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO console")
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO console")
        connection.execute("GRANT INSERT ON decisions TO console")
    console = Console(filled, tmp_path, NOW, ledger=address.replace("ledger@", "console@"))
    try:
        visitor = console.visitor("auditor")
        for path in (
            "/",
            "/terminals",
            "/terminals/shop-08",
            "/results",
            "/results/1",
            "/chain",
            "/quarantine",
            "/alarms",
        ):
            assert visitor.get(path).status == 200, path
        with console.house.readers.lend() as ledger:
            number = ledger.quarantined(0)[0].number
        visitor.get("/account")
        assert visitor.post(f"/quarantine/{number}", {"decision": "upheld", "note": "a clone"}).status == 303
        assert "upheld" in visitor.get("/quarantine").words
        lines = visitor.post("/export", {"format": "csv"}).text.splitlines()
        assert len(lines) > 200
        with psycopg.connect(address.replace("ledger@", "console@")) as connection, pytest.raises(psycopg.Error):
            connection.execute("INSERT INTO gaps VALUES ('x', 1, 1, 1, 1)")
    finally:
        console.stop()


def test_a_database_that_goes_away_is_one_page_and_comes_back(filled, tmp_path, postgresql, address):
    console = Console(filled, tmp_path, NOW, ledger=address)
    try:
        visitor = console.visitor("viewer")
        with psycopg.connect(postgresql.host, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'likeness-central'"
            )
        answers = [visitor.get("/results").status for _ in range(4)]
        assert set(answers) <= {200, 503} and answers[-1] == 200
    finally:
        console.stop()


def test_a_ledger_that_is_missing_or_older_is_told_in_one_line(tmp_path, postgresql):
    for nowhere in (tmp_path / "none", postgresql.address()):
        with pytest.raises(LedgerError, match="there is no ledger yet: start `likeness-central run` first"):
            Ledger(nowhere, read_only=True)
    database = open_database(tmp_path / "old.sqlite")
    migrate(database, 1, MIGRATIONS[:3])
    database.close()
    with pytest.raises(LedgerError, match="is older: start `likeness-central run`"):
        Ledger(tmp_path / "old.sqlite", read_only=True)
