"""The tables, as migrations: the schema's version is how many of them a file has been through.

Names are kept once: `scopes` are pipelines of a tenant, `ends` are kinds of one side of a scope, so that a record is a
number and its id. What identifies a link stands apart from what was agreed about it, so that most questions read no
values. `ties` leads from a record to its links and carries its settled version, so that standing is told from one
table. Its slot is 0 for a link that lives and shares its record with no other: the primary key keeps two of those from
one record, whatever the code above believes. Every other link takes its own number for its slot.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

APPLICATION = int.from_bytes(b"CRMB", "big")

FINGERPRINT_KEY = 32
"""Bytes."""

_FIRST = """
CREATE TABLE scopes (
    number INTEGER PRIMARY KEY, tenant TEXT NOT NULL, pipeline TEXT NOT NULL,
    sequence INTEGER NOT NULL DEFAULT 0, live_links INTEGER NOT NULL DEFAULT 0, objection TEXT, enabled TEXT,
    UNIQUE (tenant, pipeline));
CREATE TABLE ends (
    number INTEGER PRIMARY KEY, scope INTEGER NOT NULL, side TEXT NOT NULL, system TEXT NOT NULL, kind TEXT NOT NULL,
    UNIQUE (scope, side, system, kind));
CREATE TABLE columns (number INTEGER PRIMARY KEY, fields TEXT NOT NULL UNIQUE);
CREATE TABLE secret (fingerprint_key BLOB NOT NULL);

CREATE TABLE links (
    number INTEGER PRIMARY KEY, scope INTEGER NOT NULL, id NOT NULL,
    left_end INTEGER NOT NULL, left_id NOT NULL, right_end INTEGER NOT NULL, right_id NOT NULL,
    closed INTEGER NOT NULL, shared INTEGER NOT NULL, since INTEGER NOT NULL, left_version, right_version,
    UNIQUE (scope, id));
CREATE TABLE ties (
    end INTEGER NOT NULL, id NOT NULL, slot INTEGER NOT NULL, link INTEGER NOT NULL, closed INTEGER NOT NULL, version,
    PRIMARY KEY (end, id, slot)) WITHOUT ROWID;
CREATE TABLE agreements (
    link INTEGER PRIMARY KEY, left_columns INTEGER NOT NULL, left_cells TEXT NOT NULL,
    right_columns INTEGER NOT NULL, right_cells TEXT NOT NULL, beside TEXT);
CREATE TABLE aliases (
    old_end INTEGER NOT NULL, old_id NOT NULL, new_end INTEGER NOT NULL, new_id NOT NULL,
    PRIMARY KEY (old_end, old_id)) WITHOUT ROWID;
CREATE TABLE progress (
    scope INTEGER NOT NULL, side TEXT NOT NULL, kind TEXT NOT NULL, cursor NOT NULL, filled INTEGER NOT NULL,
    PRIMARY KEY (scope, side, kind)) WITHOUT ROWID;

CREATE TABLE queue (
    end INTEGER NOT NULL, id NOT NULL, scope INTEGER NOT NULL, sequence INTEGER NOT NULL, state TEXT NOT NULL,
    until INTEGER, code TEXT NOT NULL, because TEXT, version, tries INTEGER NOT NULL, departed INTEGER NOT NULL, run,
    PRIMARY KEY (end, id)) WITHOUT ROWID;
CREATE INDEX queue_in_order ON queue (scope, state, departed, sequence);
CREATE INDEX queue_held ON queue (scope, until) WHERE state = 'held';

CREATE TABLE intents (
    number INTEGER PRIMARY KEY, scope INTEGER NOT NULL, key NOT NULL, promised_at INTEGER NOT NULL, body TEXT NOT NULL,
    UNIQUE (scope, key));
CREATE INDEX intents_by_age ON intents (scope, promised_at, key);
CREATE TABLE intent_refs (
    end INTEGER NOT NULL, id NOT NULL, intent INTEGER NOT NULL, PRIMARY KEY (end, id, intent)) WITHOUT ROWID;
CREATE INDEX refs_of_intent ON intent_refs (intent);

CREATE TABLE runs (
    number INTEGER PRIMARY KEY, tenant TEXT NOT NULL, run NOT NULL, last INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, run));
CREATE TABLE decisions (
    run INTEGER NOT NULL, number INTEGER NOT NULL, end INTEGER NOT NULL, id NOT NULL,
    counterpart_end INTEGER, counterpart_id, disposition TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (run, number), UNIQUE (run, end, id));
CREATE INDEX decisions_by_disposition ON decisions (run, disposition, number);

CREATE TABLE create_keys (
    scope INTEGER NOT NULL, kind TEXT NOT NULL, field TEXT NOT NULL, norm TEXT NOT NULL, value NOT NULL,
    run INTEGER NOT NULL, owner INTEGER NOT NULL,
    PRIMARY KEY (scope, kind, value, field, norm, run, owner)) WITHOUT ROWID;
CREATE INDEX keys_of_create ON create_keys (run, owner);

CREATE TABLE slots (
    number INTEGER PRIMARY KEY, end INTEGER NOT NULL, field TEXT NOT NULL, norm TEXT NOT NULL,
    UNIQUE (end, field, norm));
CREATE TABLE keys (slot INTEGER NOT NULL, value NOT NULL, id NOT NULL, PRIMARY KEY (slot, value, id)) WITHOUT ROWID;
CREATE INDEX keys_of_record ON keys (id, slot);
CREATE TABLE schemas (
    scope INTEGER NOT NULL, side TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (scope, side, kind)) WITHOUT ROWID;

CREATE TABLE inbox (
    number INTEGER PRIMARY KEY, scope INTEGER NOT NULL, id NOT NULL, end INTEGER, ref_id, body TEXT,
    whole INTEGER NOT NULL DEFAULT 0, taken INTEGER NOT NULL DEFAULT 0, UNIQUE (scope, id));
CREATE INDEX inbox_waiting ON inbox (scope, number) WHERE body IS NOT NULL AND taken = 0;
CREATE INDEX inbox_of_ref ON inbox (end, ref_id) WHERE body IS NOT NULL;
CREATE TABLE journal (
    number INTEGER PRIMARY KEY, run INTEGER NOT NULL, ref_end INTEGER NOT NULL, ref_id NOT NULL,
    origin_end INTEGER NOT NULL, origin_id NOT NULL, body TEXT NOT NULL);
CREATE INDEX journal_of_run ON journal (run, number);
CREATE INDEX journal_of_ref ON journal (ref_end, ref_id);
CREATE INDEX journal_of_origin ON journal (origin_end, origin_id);
CREATE TABLE rulings (
    end INTEGER NOT NULL, id NOT NULL, body TEXT NOT NULL, PRIMARY KEY (end, id)) WITHOUT ROWID;
CREATE TABLE notices (
    number INTEGER PRIMARY KEY, tenant TEXT NOT NULL, key NOT NULL, end INTEGER NOT NULL, id NOT NULL,
    body TEXT NOT NULL, UNIQUE (tenant, key));

CREATE TABLE leases (
    tenant TEXT NOT NULL, partition TEXT NOT NULL, token INTEGER NOT NULL, owner TEXT, until INTEGER NOT NULL,
    PRIMARY KEY (tenant, partition)) WITHOUT ROWID;
CREATE TABLE tokens (
    tenant TEXT NOT NULL, credential TEXT NOT NULL, value TEXT NOT NULL, refresh TEXT, expires TEXT,
    serial INTEGER NOT NULL, PRIMARY KEY (tenant, credential)) WITHOUT ROWID;
CREATE TABLE budgets (
    tenant TEXT NOT NULL, account TEXT NOT NULL, lane TEXT NOT NULL, level REAL, at REAL, held_until REAL NOT NULL,
    PRIMARY KEY (tenant, account, lane)) WITHOUT ROWID;
CREATE TABLE forgotten (tenant TEXT NOT NULL, print BLOB NOT NULL, PRIMARY KEY (tenant, print)) WITHOUT ROWID
"""


def _create(connection: sqlite3.Connection) -> None:
    for statement in _FIRST.split(";"):
        connection.execute(statement)
    connection.execute("INSERT INTO secret VALUES (randomblob(?))", (FINGERPRINT_KEY,))
    connection.execute(f"PRAGMA application_id = {APPLICATION}")


def _count_starts(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE starts (scope INTEGER NOT NULL, at INTEGER NOT NULL, key NOT NULL, "
        "PRIMARY KEY (scope, at, key)) WITHOUT ROWID"
    )


def _keep_in_columns(connection: sqlite3.Connection) -> None:
    """Change no table: intents, decisions and journal rows from here on are lists, which older versions cannot read."""


def _tell_ages(connection: sqlite3.Connection) -> None:
    """Let runs tell whose they are and when they ended, so that old ones can go.

    Those that are there have no time: they ended before the first that has one.
    """
    connection.execute("ALTER TABLE scopes ADD COLUMN kept_since INTEGER")
    connection.execute("ALTER TABLE runs ADD COLUMN scope INTEGER")
    connection.execute("ALTER TABLE runs ADD COLUMN at INTEGER")
    connection.execute("ALTER TABLE runs ADD COLUMN going INTEGER NOT NULL DEFAULT 0")
    connection.execute(
        "UPDATE runs SET scope = (SELECT scope FROM ends WHERE ends.number = coalesce("
        "(SELECT end FROM decisions WHERE run = runs.number LIMIT 1), "
        "(SELECT ref_end FROM journal WHERE run = runs.number LIMIT 1)))"
    )


def _ask_by_name(connection: sqlite3.Connection) -> None:
    """Let parked rows tell what a person is asked.

    Those that are there do not know it: they are looked at once more, and nothing of theirs is sent for that, since what
    asks a person is a dispute or a value that would be refused.
    """
    connection.execute("ALTER TABLE queue ADD COLUMN question")
    connection.execute(
        "UPDATE queue SET state = 'ready', code = '', because = NULL "
        "WHERE state = 'disputed' OR (state = 'quarantined' AND code IN ('too_long', 'too_many_bytes', "
        "'too_many_digits', 'out_of_range', 'not_an_option', 'not_an_email', 'not_a_number', 'wrong_type', 'required', "
        "'several_values', 'codec_failed'))"
    )


Migration = Callable[[sqlite3.Connection], None]

MIGRATIONS: tuple[Migration, ...] = (_create, _count_starts, _keep_in_columns, _tell_ages, _ask_by_name)
"""Applied in order, all that a file lacks in one transaction; a released one is never changed."""
