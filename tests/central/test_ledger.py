"""The ledger on SQLite and PostgreSQL: the same tables, the same answers, and nothing is ever overwritten."""

import subprocess
import sys
from pathlib import Path

import pytest
import samples
from bench import Bench

from central.database import LedgerError, migrate
from central.ledger import Ledger, open_database
from central.migrations import APPEND_ONLY, MIGRATIONS


def test_a_file_that_is_no_ledger_is_one_line(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"nonsense" * 1000)
    with pytest.raises(LedgerError, match="cannot be used: file is not a database"):
        Ledger(path)
    with pytest.raises(LedgerError, match="no ledger yet"):
        Ledger(tmp_path / "none", create=False)


def test_the_ledger_is_its_owners_alone(tmp_path):
    path = tmp_path / "ledger.sqlite"
    Ledger(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_database_that_is_not_there_is_one_line():
    with pytest.raises(LedgerError, match="cannot be used") as caught:
        Ledger("postgresql://somebody:secret@/nowhere?host=/nonexistent")
    assert "secret" not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_database_itself_refuses_to_change_what_it_holds(bench, table):
    database = bench.ledger.database
    columns = columns_of(bench.ledger, table)
    # Whatever the columns are: a row that the types take.
    names = {"linked": True, "envelope": b"x"} | dict.fromkeys(("terminal", "verdict", "prev", "sha256"), "x")
    texts = ("id", "boot", "asked", "command", "rule", "about", "occasion", "sentence", "rows", "status", "outcome")
    names |= dict.fromkeys((*texts, "source", "result"), "x")
    if table == "replies":
        database.rows("INSERT INTO commands VALUES ('x', 'x', 1, 'x', 'x', 1, ?)", b"x")
    row = [names.get(column, None if column in NULLABLE else 1) for column in columns]
    database.rows(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", *row)
    before = database.rows(f"SELECT * FROM {table}")
    assert len(before) == 1
    for statement in (f'UPDATE {table} SET "{columns[0]}" = "{columns[0]}"', f"DELETE FROM {table}"):
        with pytest.raises(LedgerError, match="append-only"):
            database.rows(statement)
    assert database.rows(f"SELECT * FROM {table}") == before


def test_a_ledger_is_brought_up_to_date_step_by_step_and_keeps_what_it_holds(place):
    database = open_database(place)
    migrate(database, 1, MIGRATIONS[:1])
    for step in range(1, len(MIGRATIONS) + 1):
        migrate(database, step, MIGRATIONS[:step])
    migrate(database, 9, [*MIGRATIONS, ("CREATE TABLE later (number {number}, raw {bytes})",)])
    assert database.rows("SELECT number, applied FROM migrations ORDER BY number")[-1] == (len(MIGRATIONS) + 1, 9)
    database.close()
    with pytest.raises(LedgerError, match="made by a newer version"):
        Ledger(place)


def test_a_step_that_fails_leaves_the_ledger_as_it_was(place):
    database = open_database(place)
    with pytest.raises(LedgerError):
        migrate(database, 1, [*MIGRATIONS, ("CREATE TABLE later (number BIGINT)", "nonsense")])
    database.close()
    Ledger(place).close()


def test_both_databases_have_the_same_columns(tmp_path, postgresql):
    shapes = []
    for place in (tmp_path / "ledger.sqlite", postgresql.address()):
        ledger = Ledger(place)
        tables = [line.split()[2] for step in MIGRATIONS for line in step if line.startswith("CREATE TABLE")]
        shapes.append({table: columns_of(ledger, table) for table in tables})
        ledger.close()
    assert shapes[0] == shapes[1] and len(shapes[0]) >= 8


def columns_of(ledger, table):
    if isinstance(ledger.database.place, str) and ledger.database.place.endswith(".sqlite"):
        return [row[0] for row in ledger.database.rows(f"SELECT name FROM pragma_table_info('{table}')")]
    query = (
        "SELECT column_name FROM information_schema.columns WHERE table_name = ? AND table_schema = current_schema()"
    )
    return [row[0] for row in ledger.database.rows(f"{query} ORDER BY ordinal_position", table)]


NULLABLE = ("reason", "request", "subject", "attendant", "outlet", "transaction", "first_reason")
WRITER = """
import sys
from pathlib import Path
import samples
from central.custodian import Custodian
from central.ledger import Ledger
from central.registry import load_registry
from central.verify import open_result
place = sys.argv[1] if sys.argv[1].startswith("postgresql:") else Path(sys.argv[1])
ledger, registry = Ledger(place), load_registry(Path(sys.argv[2]))
for line in Path(sys.argv[3]).read_bytes().split():
    with ledger.batch():
        Custodian(ledger).take([open_result(line, "shop-1", registry)], registry, samples.NOW)
"""


def test_two_processes_give_each_place_and_number_once(bench: Bench, place: Path | str):
    raws = [bench.signed().raw for _ in range(60)]
    writers = []
    for number in range(2):
        path = bench.folder / f"{number}.jws"
        # Every third one comes to both.
        path.write_bytes(b"\n".join(raw for index, raw in enumerate(raws) if index % 2 == number or index % 3 == 0))
        command = [sys.executable, "-c", WRITER, str(place), str(bench.folder / "registry.yaml"), str(path)]
        environment = {"PYTHONPATH": f"{Path(samples.__file__).parent}:{Path.cwd()}"}
        writers.append(subprocess.Popen(command, env=environment))
    assert [writer.wait(60) for writer in writers] == [0, 0]
    held = bench.ledger.latest(99)
    assert [custody.number for custody in held] == list(range(1, 61))
    assert sorted(custody.position.seq for custody in held) == list(range(1, 61))
    assert all(custody.linked for custody in held) and bench.ledger.gaps() == []
