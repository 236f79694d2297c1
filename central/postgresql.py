"""The ledger for production: PostgreSQL, through psycopg."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from central.database import NONE_YET, Columns, LedgerError, Row

try:
    import psycopg
except ImportError as error:  # the extra `postgresql` is not installed
    raise LedgerError("a ledger in PostgreSQL needs psycopg: pip install 'likeness[postgresql]'") from error

ONE_WRITER = 0x6C696B65
"""Key of the lock that every transaction of a ledger takes: places and numbers are then given in one order."""
CONNECT_LIMIT_S = 10


class PostgresqlDatabase:
    """A connection to a PostgreSQL database that holds nothing but one ledger."""

    types = {"number": "BIGINT", "bytes": "BYTEA", "whole": "WITH (toast_tuple_target = 8160)"}  # noqa: RUF012 - never changed

    def __init__(self, address: str, *, read_only: bool = False) -> None:
        """Connects to `address`, a libpq URI; raises LedgerError."""
        self.place = "postgresql"
        with self._typed_errors():
            self._connection = psycopg.connect(
                address,
                autocommit=True,
                connect_timeout=CONNECT_LIMIT_S,
                # A plan made while the ledger was small would still be used when it is not.
                prepare_threshold=None,
                application_name="likeness-central",
            )
            info = self._connection.info
            self.place = f"postgresql database {info.dbname}"
            self.rows("SET synchronous_commit = on")
            self.rows(f"SET default_transaction_read_only = {'on' if read_only else 'off'}")
            self.rows("SET client_min_messages = warning")

    def rows(self, query: str, *values: object) -> list[Row]:
        """See Database."""
        return self._run(query.replace("?", "%s"), values)

    def rows_given(self, columns: Columns, given: Sequence[Row], query: str, *values: object) -> list[Row]:
        """See Database."""
        if not given:
            return []
        names = ", ".join(f'"{name}"' for name in columns)
        types = ", ".join(f"%b::{'bytea' if kind == 'bytes' else kind}[]" for kind in columns.values())
        table = f"WITH given({names}) AS (SELECT * FROM unnest({types})) "  # noqa: S608 - names are ours
        arrays = [list(column) for column in zip(*given, strict=True)]
        return self._run(table + query.replace("?", "%s"), [*arrays, *values])

    def _run(self, query: str, values: Sequence[object]) -> list[Row]:
        with self._typed_errors():
            # Binary, as a megabyte of envelopes is not worth writing out in hexadecimal digits.
            cursor = self._connection.execute(cast("psycopg.sql.SQL", query), values, binary=True)
            return cursor.fetchall() if cursor.description else []

    def _both(self, statements: str) -> None:
        """Two statements for one journey to the server and back."""
        with self._typed_errors():
            self._connection.execute(cast("psycopg.sql.SQL", statements))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See Database."""
        self._both(f"BEGIN; SELECT pg_advisory_xact_lock({ONE_WRITER})")
        try:
            yield
            self.rows("COMMIT")
        except BaseException:
            if not self._connection.closed:
                self.rows("ROLLBACK")
            raise

    def forbid_changes(self, table: str) -> None:
        """See Database."""
        self.rows(
            "CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$".replace("%", "%%")
        )
        self.rows(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} EXECUTE FUNCTION append_only()"
        )

    def close(self) -> None:
        """See Database."""
        self._connection.close()

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except psycopg.errors.UndefinedTable as error:
            raise LedgerError(f"{self.place}: {NONE_YET}") from error
        except psycopg.Error as error:
            # The first line says what; the others may quote rows.
            said = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise LedgerError(f"{self.place}: the ledger cannot be used: {said}") from error
