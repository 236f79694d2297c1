"""The ledger's tables, in SQL that SQLite and PostgreSQL both know."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS journal (
    number INTEGER PRIMARY KEY,
    terminal TEXT NOT NULL, epoch BIGINT NOT NULL, seq BIGINT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE, prev TEXT NOT NULL,
    linked BOOLEAN NOT NULL, verdict TEXT NOT NULL, reason TEXT, received BIGINT NOT NULL, receipted BIGINT
);
CREATE UNIQUE INDEX IF NOT EXISTS links ON journal (terminal, epoch, seq) WHERE linked;
CREATE TABLE IF NOT EXISTS results (
    number INTEGER PRIMARY KEY REFERENCES journal,
    outcome TEXT NOT NULL, source TEXT NOT NULL, request TEXT, envelope BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS results_by_request ON results (request) WHERE request IS NOT NULL;
CREATE TABLE IF NOT EXISTS quarantine (
    number INTEGER PRIMARY KEY REFERENCES journal, request TEXT, envelope BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS quarantine_by_request ON quarantine (request) WHERE request IS NOT NULL;
CREATE TABLE IF NOT EXISTS gaps (
    terminal TEXT NOT NULL, epoch BIGINT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, noticed BIGINT NOT NULL,
    PRIMARY KEY (terminal, epoch, first)
);
CREATE TABLE IF NOT EXISTS refused (
    terminal TEXT NOT NULL, sha256 TEXT NOT NULL, reason TEXT NOT NULL,
    times BIGINT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL,
    PRIMARY KEY (terminal, sha256)
);
CREATE TABLE IF NOT EXISTS requests (
    id TEXT PRIMARY KEY, terminal TEXT NOT NULL, boot TEXT NOT NULL, expires BIGINT NOT NULL, envelope BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS births (terminal TEXT PRIMARY KEY, received BIGINT NOT NULL, envelope BLOB NOT NULL);
"""
