"""The tables, as migrations: the schema's version is how many of them a database has been through.

The tables are those of the state file (`_sqlite/schema.py`, which says what each is for), with three differences.
What a vendor gave, ids above all, is `bytea`: its order is that of code points whatever the database's collation, and
it holds the zero byte and the lone surrogates that `text` refuses. An index takes 2,704 bytes a row, so what is longer
than a key may be stands in the index as a hash, and whole in `long_texts`. And `marks` has a row for each connection
that ever wrote, which is how a connection that broke inside a commit can be asked what became of it.
"""

from __future__ import annotations

_FIRST = """
CREATE TABLE meta (version integer NOT NULL, fingerprint_key bytea NOT NULL);
INSERT INTO meta VALUES (0, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
CREATE TABLE marks (id uuid PRIMARY KEY, writes bigint NOT NULL, at timestamptz NOT NULL DEFAULT now());

CREATE TABLE scopes (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant text COLLATE "C" NOT NULL,
    pipeline text COLLATE "C" NOT NULL, sequence bigint NOT NULL DEFAULT 0, live_links bigint NOT NULL DEFAULT 0,
    objection text, enabled text, UNIQUE (tenant, pipeline)) WITH (fillfactor = 50);
CREATE TABLE ends (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, scope bigint NOT NULL, side text NOT NULL,
    system text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL, UNIQUE (scope, side, system, kind));
CREATE TABLE columns (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, scope bigint NOT NULL, digest bytea NOT NULL,
    fields text NOT NULL, UNIQUE (scope, digest));
CREATE TABLE long_texts (scope bigint NOT NULL, hash bytea NOT NULL, body bytea NOT NULL, PRIMARY KEY (scope, hash));

CREATE TABLE links (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, scope bigint NOT NULL, id bytea NOT NULL,
    left_end bigint NOT NULL, left_id bytea NOT NULL, right_end bigint NOT NULL, right_id bytea NOT NULL,
    closed boolean NOT NULL, shared boolean NOT NULL, since bigint NOT NULL, left_version bytea, right_version bytea,
    UNIQUE (scope, id));
CREATE TABLE ties (
    end_no bigint NOT NULL, id bytea NOT NULL, slot bigint NOT NULL, link bigint NOT NULL, closed boolean NOT NULL,
    version bytea, CONSTRAINT one_live_link PRIMARY KEY (end_no, id, slot));
CREATE TABLE agreements (
    link bigint PRIMARY KEY, left_columns bigint NOT NULL, left_cells text NOT NULL,
    right_columns bigint NOT NULL, right_cells text NOT NULL, beside text);
CREATE TABLE aliases (
    old_end bigint NOT NULL, old_id bytea NOT NULL, new_end bigint NOT NULL, new_id bytea NOT NULL,
    PRIMARY KEY (old_end, old_id));
CREATE INDEX aliases_by_new ON aliases (new_end, new_id);
CREATE TABLE progress (
    scope bigint NOT NULL, side text NOT NULL, kind text COLLATE "C" NOT NULL, cursor bytea NOT NULL,
    filled boolean NOT NULL, PRIMARY KEY (scope, side, kind));

CREATE TABLE queue (
    end_no bigint NOT NULL, id bytea NOT NULL, scope bigint NOT NULL, sequence bigint NOT NULL, state text NOT NULL,
    until bigint, code text NOT NULL, because text, version bytea, tries bigint NOT NULL, departed boolean NOT NULL,
    run bytea, PRIMARY KEY (end_no, id));
CREATE INDEX queue_in_order ON queue (scope, state, departed, sequence);
CREATE INDEX queue_held ON queue (scope, until) WHERE state = 'held';

CREATE TABLE intents (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, scope bigint NOT NULL, key bytea NOT NULL,
    promised_at bigint NOT NULL, body text NOT NULL, UNIQUE (scope, key));
CREATE INDEX intents_by_age ON intents (scope, promised_at, key);
CREATE TABLE intent_refs (
    end_no bigint NOT NULL, id bytea NOT NULL, intent bigint NOT NULL, PRIMARY KEY (end_no, id, intent));
CREATE INDEX refs_of_intent ON intent_refs (intent);

CREATE TABLE runs (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant text COLLATE "C" NOT NULL, run bytea NOT NULL,
    last bigint NOT NULL DEFAULT 0, UNIQUE (tenant, run));
CREATE TABLE decisions (
    run bigint NOT NULL, number bigint NOT NULL, end_no bigint NOT NULL, id bytea NOT NULL,
    counterpart_end bigint, counterpart_id bytea, disposition text NOT NULL, body text NOT NULL,
    PRIMARY KEY (run, number), UNIQUE (run, end_no, id));
CREATE INDEX decisions_by_disposition ON decisions (run, disposition, number);

CREATE TABLE create_keys (
    scope bigint NOT NULL, kind text COLLATE "C" NOT NULL, field text COLLATE "C" NOT NULL,
    norm text COLLATE "C" NOT NULL, value bytea NOT NULL, run bigint NOT NULL, owner bigint NOT NULL,
    PRIMARY KEY (scope, kind, value, field, norm, run, owner));
CREATE INDEX keys_of_create ON create_keys (run, owner);

CREATE TABLE slots (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, end_no bigint NOT NULL, field text COLLATE "C" NOT NULL,
    norm text COLLATE "C" NOT NULL, UNIQUE (end_no, field, norm));
CREATE TABLE keys (slot bigint NOT NULL, value bytea NOT NULL, id bytea NOT NULL, PRIMARY KEY (slot, value, id));
CREATE INDEX keys_of_record ON keys (id, slot);
CREATE TABLE schemas (
    scope bigint NOT NULL, side text NOT NULL, kind text COLLATE "C" NOT NULL, body text NOT NULL,
    PRIMARY KEY (scope, side, kind));

CREATE TABLE inbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, scope bigint NOT NULL, id bytea NOT NULL, end_no bigint,
    ref_id bytea, body text, whole boolean NOT NULL, taken boolean NOT NULL DEFAULT false, UNIQUE (scope, id));
CREATE INDEX inbox_waiting ON inbox (scope, number) WHERE body IS NOT NULL AND NOT taken;
CREATE INDEX inbox_of_ref ON inbox (end_no, ref_id) WHERE body IS NOT NULL;
CREATE TABLE journal (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run bigint NOT NULL, ref_end bigint NOT NULL,
    ref_id bytea NOT NULL, origin_end bigint NOT NULL, origin_id bytea NOT NULL, body text NOT NULL);
CREATE INDEX journal_of_run ON journal (run, number);
CREATE INDEX journal_of_ref ON journal (ref_end, ref_id);
CREATE INDEX journal_of_origin ON journal (origin_end, origin_id);
CREATE TABLE rulings (end_no bigint NOT NULL, id bytea NOT NULL, body text NOT NULL, PRIMARY KEY (end_no, id));
CREATE TABLE notices (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant text COLLATE "C" NOT NULL, key bytea NOT NULL,
    end_no bigint NOT NULL, id bytea NOT NULL, body text NOT NULL, UNIQUE (tenant, key));

CREATE TABLE leases (
    tenant text COLLATE "C" NOT NULL, partition text COLLATE "C" NOT NULL, token bigint NOT NULL, owner text,
    until bigint NOT NULL, PRIMARY KEY (tenant, partition));
CREATE TABLE tokens (
    tenant text COLLATE "C" NOT NULL, credential text COLLATE "C" NOT NULL, value bytea NOT NULL, refresh bytea,
    expires text, serial bigint NOT NULL, PRIMARY KEY (tenant, credential));
CREATE TABLE refreshers (name text COLLATE "C" PRIMARY KEY);
CREATE TABLE budgets (
    tenant text COLLATE "C" NOT NULL, account text COLLATE "C" NOT NULL, lane text COLLATE "C" NOT NULL,
    level double precision, at double precision, held_until double precision NOT NULL,
    PRIMARY KEY (tenant, account, lane)) WITH (fillfactor = 50);
CREATE TABLE forgotten (tenant text COLLATE "C" NOT NULL, print bytea NOT NULL, PRIMARY KEY (tenant, print))
"""

_STARTS = """
CREATE TABLE starts (scope bigint NOT NULL, at bigint NOT NULL, key bytea NOT NULL, PRIMARY KEY (scope, at, key))
"""

_IN_COLUMNS = "SELECT 'intents, decisions and journal rows are lists, which older versions cannot read'"

_AGES = """
ALTER TABLE scopes ADD COLUMN kept_since bigint;
ALTER TABLE runs ADD COLUMN scope bigint, ADD COLUMN at bigint, ADD COLUMN going boolean NOT NULL DEFAULT false;
UPDATE runs SET scope = (SELECT scope FROM ends WHERE ends.number = coalesce(
    (SELECT end_no FROM decisions WHERE run = runs.number LIMIT 1),
    (SELECT ref_end FROM journal WHERE run = runs.number LIMIT 1)))
"""

_QUESTIONS = """
ALTER TABLE queue ADD COLUMN question bytea;
UPDATE queue SET state = 'ready', code = '', because = NULL
    WHERE state = 'disputed' OR (state = 'quarantined' AND code IN ('too_long', 'too_many_bytes', 'too_many_digits',
    'out_of_range', 'not_an_option', 'not_an_email', 'not_a_number', 'wrong_type', 'required', 'several_values',
    'codec_failed'))
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _STARTS, _IN_COLUMNS, _AGES, _QUESTIONS)
"""Applied in order, all that a database lacks in one transaction; a released one is never changed."""
