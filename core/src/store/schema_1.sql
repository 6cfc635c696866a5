-- One row: whose file this is, where its history stands, and where it is in the feed.
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    plant BLOB NOT NULL,
    account BLOB NOT NULL,
    currency TEXT NOT NULL,
    -- The actor of this history. An outbox entry's seq is its id minus base: a new actor after a restore only
    -- moves the base, the ids stay.
    actor BLOB NOT NULL,
    base INTEGER NOT NULL,
    -- The last event of the history that this one continues, if any.
    parent_actor BLOB,
    parent_seq INTEGER,
    -- The last id given, the last id settled, and the chain's hash behind the last id given.
    last_id INTEGER NOT NULL,
    settled_id INTEGER NOT NULL,
    head BLOB NOT NULL,
    -- The last rev of the feed that is in this file.
    cursor INTEGER NOT NULL
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
    -- What screens show: the registers with the outbox's updates laid over them.
    name TEXT NOT NULL DEFAULT '',
    phone TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    -- How the last visit ended (0 none, 1 delivered, 2 failed) and which outbox id says so.
    visit INTEGER NOT NULL DEFAULT 0,
    visit_id INTEGER NOT NULL DEFAULT 0
) STRICT;

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

-- Mutations that the server has not settled, and behind them those whose effect the feed has not brought yet.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    customer INTEGER NOT NULL REFERENCES customer (id),
    -- Its signed effect on the customer's balance.
    amount INTEGER NOT NULL,
    profile_update INTEGER NOT NULL,
    -- Exactly as first written, and the chain's hash behind it.
    body TEXT NOT NULL,
    hash BLOB NOT NULL,
    -- Set when settled: the rev of the feed that will bring the effect.
    rev INTEGER
) STRICT;
CREATE INDEX outbox_customer ON outbox (customer);
CREATE INDEX outbox_profile_update ON outbox (customer) WHERE profile_update;
CREATE INDEX outbox_awaiting ON outbox (rev) WHERE rev IS NOT NULL;

-- Mutations that the server rejected or parked, until a person has dealt with them.
CREATE TABLE attention (
    id INTEGER PRIMARY KEY,
    customer INTEGER REFERENCES customer (id),
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
