"""The ledger's tables, step by step: a ledger is brought to the newest step when it is opened, and never back.

Each step is a tuple of statements in SQL that SQLite and PostgreSQL both know, but for {number} and {bytes}, which
each calls otherwise, and {whole}, which tells PostgreSQL to neither compress nor move envelopes. A step that was
published is never changed: what comes later is another step.
"""

from __future__ import annotations

LEDGER = (
    # One row for each envelope in custody, in its order. Nothing here is ever changed or deleted.
    """CREATE TABLE journal (
        number {number} PRIMARY KEY,
        terminal TEXT NOT NULL, epoch BIGINT NOT NULL, seq BIGINT NOT NULL,
        sha256 TEXT NOT NULL, prev TEXT NOT NULL,
        linked BOOLEAN NOT NULL, verdict TEXT NOT NULL, reason TEXT, received BIGINT NOT NULL
    )""",
    # A place is given once. Digests in the chain need no index: whoever knows a result knows its place.
    "CREATE UNIQUE INDEX links ON journal (terminal, epoch, seq) WHERE linked",
    "CREATE UNIQUE INDEX apart ON journal (terminal, sha256) WHERE NOT linked",
    # Numbers are those of the journal. No foreign key says so: it would cost as much as the row, for what one
    # transaction of one function writes.
    """CREATE TABLE results (
        number {number} PRIMARY KEY,
        outcome TEXT NOT NULL, source TEXT NOT NULL,
        request TEXT, subject TEXT, subject_key BIGINT,
        attendant TEXT, outlet TEXT, "transaction" TEXT, envelope {bytes} NOT NULL
    ) {whole}""",
    "CREATE INDEX results_by_request ON results (request) WHERE request IS NOT NULL",
    # Subjects come in no order: an index of eight bytes each stays in memory, where one of their names would not.
    "CREATE INDEX results_by_subject ON results (subject_key) WHERE subject_key IS NOT NULL",
    """CREATE TABLE quarantine (
        number {number} PRIMARY KEY, request TEXT, envelope {bytes} NOT NULL
    ) {whole}""",
    # Anchors begin the epochs after the first; they stand in the journal at seq 0.
    "CREATE TABLE anchors (number {number} PRIMARY KEY, envelope {bytes} NOT NULL)",
    "CREATE INDEX quarantine_by_request ON quarantine (request) WHERE request IS NOT NULL",
    "CREATE INDEX anchors_of_journal ON journal (number) WHERE seq = 0",
    # Receipts that were sent, for runs of numbers.
    "CREATE TABLE receipts (first {number} PRIMARY KEY, last BIGINT NOT NULL, sent BIGINT NOT NULL)",
    """CREATE TABLE gaps (
        terminal TEXT NOT NULL, epoch BIGINT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL,
        noticed BIGINT NOT NULL, PRIMARY KEY (terminal, epoch, first)
    )""",
    """CREATE TABLE refused (
        terminal TEXT NOT NULL, sha256 TEXT NOT NULL, reason TEXT NOT NULL,
        times BIGINT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, PRIMARY KEY (terminal, sha256)
    )""",
    # What was asked, without the reference; its sealed bytes are in `unanswered` only as long as they may be sent.
    """CREATE TABLE requests (
        id TEXT PRIMARY KEY, terminal TEXT NOT NULL, boot TEXT NOT NULL, expires BIGINT NOT NULL, asked TEXT NOT NULL
    )""",
    """CREATE TABLE unanswered (
        id TEXT PRIMARY KEY REFERENCES requests, envelope {bytes} NOT NULL
    )""",
    "CREATE TABLE births (terminal TEXT PRIMARY KEY, received BIGINT NOT NULL, envelope {bytes} NOT NULL)",
)

FLEET = (
    "CREATE TABLE health (terminal TEXT PRIMARY KEY, received BIGINT NOT NULL, envelope {bytes} NOT NULL)",
    """CREATE TABLE commands (
        id TEXT PRIMARY KEY, terminal TEXT NOT NULL, counter BIGINT NOT NULL, boot TEXT NOT NULL, command TEXT NOT NULL,
        expires BIGINT NOT NULL, envelope {bytes} NOT NULL, UNIQUE (terminal, counter)
    )""",
    """CREATE TABLE replies (
        command TEXT PRIMARY KEY REFERENCES commands, received BIGINT NOT NULL,
        status TEXT NOT NULL, reason TEXT, sentence TEXT NOT NULL, envelope {bytes} NOT NULL
    )""",
    # The sealed bytes as they came, in their envelope; `result` is the id (jti) of the result that they belong to.
    """CREATE TABLE evidence (
        terminal TEXT NOT NULL, sha256 TEXT NOT NULL, epoch BIGINT NOT NULL, seq BIGINT NOT NULL, result TEXT NOT NULL,
        verdict TEXT NOT NULL, reason TEXT, received BIGINT NOT NULL, envelope {bytes} NOT NULL,
        PRIMARY KEY (terminal, sha256)
    )""",
    "CREATE INDEX evidence_by_result ON evidence (result)",
)

ALARMS = (
    # What rules found; `rows` is a JSON list of journal numbers. The same occasion is told once.
    """CREATE TABLE alarms (
        rule TEXT NOT NULL, about TEXT NOT NULL, occasion TEXT NOT NULL, raised BIGINT NOT NULL,
        sentence TEXT NOT NULL, rows TEXT NOT NULL, PRIMARY KEY (rule, about, occasion)
    )""",
    "CREATE INDEX results_by_attendant ON results (attendant, number) WHERE attendant IS NOT NULL",
    # How far the rules have read the journal.
    "CREATE TABLE progress (name TEXT PRIMARY KEY, number BIGINT NOT NULL)",
)

CONSOLE = (
    # What auditors think of envelopes that were set apart, in the order given; the last one stands, none is changed.
    """CREATE TABLE decisions (
        number {number} PRIMARY KEY, custody BIGINT NOT NULL, decided BIGINT NOT NULL,
        account TEXT NOT NULL, decision TEXT NOT NULL, note TEXT NOT NULL
    )""",
    "CREATE INDEX decisions_by_custody ON decisions (custody, number)",
    # The first of a result's reasons; absent from what was taken before there was this column.
    "ALTER TABLE results ADD COLUMN first_reason TEXT",
    # What people look for, each newest first. Outcomes, reasons, outlets and terminals are few: their newest pages stay
    # in memory. Most results are verified, and whoever looks for those finds them without an index.
    "CREATE INDEX results_by_outcome ON results (outcome, number) WHERE outcome <> 'verified'",
    "CREATE INDEX results_by_reason ON results (first_reason, number) WHERE first_reason IS NOT NULL",
    "CREATE INDEX results_by_outlet ON results (outlet, number) WHERE outlet IS NOT NULL",
    'CREATE INDEX results_by_transaction ON results ("transaction", number) WHERE "transaction" IS NOT NULL',
    "CREATE INDEX journal_by_terminal ON journal (terminal, number)",
    "CREATE INDEX set_apart ON journal (number) WHERE verdict <> 'accepted'",
    "CREATE INDEX alarms_by_time ON alarms (raised)",
)

SLIPS = (
    # Eight bytes of the slip's digest, which the envelope holds whole: as with subjects, for the index's sake.
    "ALTER TABLE results ADD COLUMN slip_key BIGINT",
    "ALTER TABLE quarantine ADD COLUMN slip_key BIGINT",
    "CREATE INDEX results_by_slip ON results (slip_key) WHERE slip_key IS NOT NULL",
    "CREATE INDEX quarantine_by_slip ON quarantine (slip_key) WHERE slip_key IS NOT NULL",
    # The keyed pseudonym of the customer's phone number; the number itself stands nowhere.
    "ALTER TABLE requests ADD COLUMN customer_number TEXT",
    # What customers object to, and what auditors answer; `custody` is the result's number in the journal.
    """CREATE TABLE disputes (
        number {number} PRIMARY KEY, custody BIGINT NOT NULL, received BIGINT NOT NULL,
        objection TEXT NOT NULL, note TEXT NOT NULL, language TEXT NOT NULL
    )""",
    "CREATE INDEX disputes_by_custody ON disputes (custody, number)",
    """CREATE TABLE answers (
        number {number} PRIMARY KEY, dispute BIGINT NOT NULL, answered BIGINT NOT NULL,
        account TEXT NOT NULL, decision TEXT NOT NULL, note TEXT NOT NULL
    )""",
    "CREATE INDEX answers_by_dispute ON answers (dispute, number)",
    # When the public page had to turn everybody away, as too many codes were guessed.
    "CREATE TABLE guessing (noticed BIGINT PRIMARY KEY, failed BIGINT NOT NULL)",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (LEDGER, FLEET, ALARMS, CONSOLE, SLIPS)
APPEND_ONLY = (
    "journal", "results", "quarantine", "anchors", "requests", "commands", "replies", "evidence", "alarms", "decisions",
    "disputes", "answers", "guessing",
)  # fmt: skip
"""Tables in which the database itself refuses to change or delete a row."""
