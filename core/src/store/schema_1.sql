-- One row: whose file this is, where its history stands, and where it is in the feed.
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    plant BLOB NOT NULL,
    account BLOB NOT NULL,
    currency TEXT NOT NULL,
    -- The actor of this history. A record's seq is its id minus base: a new actor after a restore only moves the
    -- base, the ids stay.
    actor BLOB NOT NULL,
    base INTEGER NOT NULL DEFAULT 0,
    -- The last event of the history that this one continues, if any.
    parent_actor BLOB,
    parent_seq INTEGER,
    -- The last id given, the last id settled, and the chain's hash behind the last id given.
    last_id INTEGER NOT NULL DEFAULT 0,
    settled_id INTEGER NOT NULL DEFAULT 0,
    head BLOB NOT NULL,
    -- The last rev of the feed that is in this file.
    cursor INTEGER NOT NULL DEFAULT 0,
    -- The bytes of the unsettled bodies together.
    pending_bytes INTEGER NOT NULL DEFAULT 0,
    -- When the server last answered, by this phone's clock.
    last_contact INTEGER,
    -- The shift that screens show as JSON, and the last record that changed it; the last record that began one.
    shift TEXT NOT NULL DEFAULT 'null',
    shift_id INTEGER NOT NULL DEFAULT 0,
    since INTEGER NOT NULL DEFAULT 0,
    -- What the outbox counts, to be laid over the server's day, as JSON: since the shift began, and in all.
    laid_in_shift TEXT NOT NULL DEFAULT '{}',
    laid_in_all TEXT NOT NULL DEFAULT '{}',
    -- How often the file was put to rest: something to write, so that the WAL starts anew.
    rests INTEGER NOT NULL DEFAULT 0
) STRICT;

-- One row: the rider's day as the server told it, as JSON.
CREATE TABLE day (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    day TEXT NOT NULL
) STRICT;

CREATE TABLE product (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    price INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE customer (
    id INTEGER PRIMARY KEY,
    customer BLOB NOT NULL UNIQUE,
    -- What the server said, and the sum of the outbox's amounts laid over it.
    balance INTEGER NOT NULL DEFAULT 0,
    pending INTEGER NOT NULL DEFAULT 0,
    -- The server's registers as JSON; NULL until the feed has brought them.
    profile TEXT,
    -- The registers' clock as JSON, and the Lamport counter behind theirs: what an edit made now has seen.
    clock TEXT NOT NULL DEFAULT '{}',
    lamport INTEGER NOT NULL DEFAULT 1,
    -- What screens show: the registers with the outbox's updates laid over them.
    name TEXT NOT NULL DEFAULT '',
    phone TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    -- How many fields the server has in conflict, and in how many a value of this rider stands behind another one.
    conflicts INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0,
    -- The last visit as the server told it: state (0 none), mutation and shift.
    told_state INTEGER NOT NULL DEFAULT 0,
    told_txn BLOB,
    told_shift BLOB,
    -- The last visit in the outbox: state (0 none, -1 the one told is taken back) and which record says so.
    visit INTEGER NOT NULL DEFAULT 0,
    visit_id INTEGER NOT NULL DEFAULT 0,
    -- For a customer who was added here and whom the feed has not brought back yet: the record, and the route.
    added_id INTEGER NOT NULL DEFAULT 0,
    added_route BLOB,
    -- Whether the server serves the customer no more, and the record that asks for it.
    closed INTEGER NOT NULL DEFAULT 0,
    closing_id INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX customer_name ON customer (name, customer);
CREATE INDEX customer_lost ON customer (id) WHERE lost > 0;

CREATE TABLE route (
    route BLOB PRIMARY KEY,
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE stop (
    route BLOB NOT NULL REFERENCES route (route),
    position INTEGER NOT NULL,
    customer INTEGER NOT NULL REFERENCES customer (id),
    PRIMARY KEY (route, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX stop_customer ON stop (customer);

-- The ledger as the server sent it.
CREATE TABLE entry (
    rev INTEGER PRIMARY KEY,
    customer INTEGER NOT NULL REFERENCES customer (id),
    txn BLOB NOT NULL,
    kind TEXT NOT NULL,
    amount INTEGER NOT NULL,
    note TEXT,
    role TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX entry_customer ON entry (customer);

-- What was recorded on this phone. Behind meta.settled_id it is the outbox. A record is laid over the server's
-- state until the feed has brought its effect; the newest ones stay afterwards, to be looked at and taken back.
CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    -- Whom it is about, if about anybody, and its signed effect on that customer's balance.
    customer INTEGER REFERENCES customer (id),
    amount INTEGER NOT NULL,
    profile_update INTEGER NOT NULL,
    -- For an update of a profile: what the changed fields showed before, as JSON.
    before TEXT,
    -- Exactly as first written, and the chain's hash behind it.
    body TEXT NOT NULL,
    hash BLOB NOT NULL,
    -- The record that it takes back, if any, and the one that takes it back.
    undoes INTEGER,
    undone_by INTEGER,
    -- Set when settled: the rev of the feed that will bring the effect.
    rev INTEGER,
    -- 0 while it is laid over the server's state, 1 when the server's state contains it, 2 if it was not accepted.
    done INTEGER NOT NULL DEFAULT 0
) STRICT;
-- Of all records: one for the overlay alone would have to be written anew, on a page for each customer, with every reply.
CREATE INDEX record_customer ON record (customer);
CREATE INDEX record_profile_update ON record (customer) WHERE profile_update AND done = 0;
CREATE INDEX record_awaiting ON record (rev) WHERE rev IS NOT NULL AND done = 0;

-- What needs a person: mutations that the server rejected or parked, until somebody has dealt with them.
CREATE TABLE attention (
    id INTEGER PRIMARY KEY,
    customer INTEGER REFERENCES customer (id),
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- Photos that wait for their record to be applied (0), to be sent (1), or that the server does not take (2).
CREATE TABLE photo (
    id INTEGER PRIMARY KEY,
    record INTEGER NOT NULL,
    hash BLOB NOT NULL,
    bytes INTEGER NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0,
    state INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX photo_record ON photo (record);
CREATE INDEX photo_hash ON photo (hash);

-- Empty. What is put here and taken out again leaves free pages in the file, the room for a full disk.
CREATE TABLE reserve (room BLOB) STRICT;
