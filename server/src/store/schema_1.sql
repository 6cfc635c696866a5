-- Every table but the three directories (codes, logins, brakes) starts its key with the plant, so that the schema
-- shards by plant. PostgreSQL gets the same text with its own names for the types. Ids are 16 bytes, times milliseconds since 1970 by the server's clock unless named `at`, which is
-- what the author's device said.

CREATE TABLE plants (
    plant BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    -- An IANA time zone, and the language of whoever has chosen none.
    time_zone TEXT NOT NULL DEFAULT 'UTC',
    language TEXT NOT NULL DEFAULT 'en',
    -- The last rev given. Taken under the plant's lock, so revs become visible in order.
    rev INTEGER NOT NULL DEFAULT 0,
    -- How many transactions have written to the plant: what watches it sees that it changed. Updating it is what
    -- takes the plant's lock.
    changes INTEGER NOT NULL DEFAULT 0,
    -- The history that the dashboard's mutations belong to.
    dashboard BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    plant BLOB NOT NULL REFERENCES plants,
    account BLOB NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('rider', 'manager')),
    -- What a person who signs in may do. NULL for a rider.
    rank TEXT CHECK (rank IN ('viewer', 'manager', 'owner')),
    name TEXT NOT NULL,
    -- Since when neither password nor device of this account is good.
    disabled_at INTEGER,
    PRIMARY KEY (plant, account),
    CHECK ((role = 'manager') = (rank IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE logins (
    login TEXT PRIMARY KEY,
    plant BLOB NOT NULL,
    account BLOB NOT NULL,
    -- NULL until one is chosen.
    password_hash TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX logins_by_account ON logins (plant, account);

-- The one-time link with which somebody chooses a password; the last one made counts.
CREATE TABLE password_links (
    plant BLOB NOT NULL,
    account BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (plant, account),
    FOREIGN KEY (plant, account) REFERENCES accounts
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    plant BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    account BLOB NOT NULL,
    started_at INTEGER NOT NULL,
    -- Of the last request, to the minute.
    last_seen INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- Where it was opened.
    address TEXT NOT NULL,
    PRIMARY KEY (plant, token_hash),
    FOREIGN KEY (plant, account) REFERENCES accounts
) STRICT, WITHOUT ROWID;

-- Attempts that failed, by a hash of what they are counted by: a login or an address.
CREATE TABLE brakes (
    key BLOB PRIMARY KEY,
    count INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX brakes_by_time ON brakes (last_at);

CREATE TABLE codes (
    code_hash BLOB PRIMARY KEY,
    plant BLOB NOT NULL,
    account BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX codes_open ON codes (plant, expires_at) WHERE used_at IS NULL;

CREATE TABLE devices (
    plant BLOB NOT NULL,
    device BLOB NOT NULL,
    account BLOB NOT NULL,
    name TEXT NOT NULL,
    token_hash BLOB NOT NULL,
    -- What checks the phone's signatures. NULL for a script's token.
    public_key BLOB,
    enrolled_at INTEGER NOT NULL,
    revoked_at INTEGER,
    last_seen INTEGER,
    -- What the phone had given a seq and the server not yet, at the last contact.
    unsent INTEGER,
    -- The phone's hash chain and the server's did not agree.
    chain_broken INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (plant, device),
    UNIQUE (plant, token_hash),
    FOREIGN KEY (plant, account) REFERENCES accounts
) STRICT, WITHOUT ROWID;

CREATE TABLE actors (
    plant BLOB NOT NULL,
    actor BLOB NOT NULL,
    -- NULL for the dashboard's.
    account BLOB,
    -- The phone that last spoke for it.
    device BLOB,
    next_seq INTEGER NOT NULL DEFAULT 1,
    head BLOB NOT NULL,
    -- The vector clock of what this history continues.
    inherited TEXT NOT NULL,
    PRIMARY KEY (plant, actor)
) STRICT, WITHOUT ROWID;

-- Every mutation ever received, once, with the answer. Never pruned: a phone may come back after months.
CREATE TABLE mutations (
    plant BLOB NOT NULL,
    account BLOB NOT NULL,
    txn BLOB NOT NULL,
    actor BLOB NOT NULL,
    seq INTEGER NOT NULL,
    -- Byte for byte as it came.
    body TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('applied', 'rejected', 'parked')),
    answer TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    -- The same account's mutation that dealt with this one, which was rejected or parked: a parked one is then
    -- never to be applied.
    closed_by BLOB,
    -- The same account's mutation that took this one back, which was applied.
    withdrawn_by BLOB,
    -- The rev at which a parked one was settled after all: its author's phones learn of that.
    settled_rev INTEGER,
    -- What it does and to whom, out of the body, for the audit trail. NULL for what cannot be read.
    kind TEXT,
    customer BLOB,
    -- The phone or script that it came from; NULL for a browser's.
    device BLOB,
    -- From where; NULL for the server's own machine.
    address TEXT,
    -- The manager who dealt with this one, which was rejected or parked, when, and what he wrote about it.
    closer BLOB,
    closed_at INTEGER,
    closed_note TEXT,
    PRIMARY KEY (plant, account, txn)
) STRICT, WITHOUT ROWID;
CREATE INDEX mutations_open ON mutations (plant, received_at)
    WHERE status <> 'applied' AND closed_by IS NULL AND closer IS NULL;
CREATE INDEX mutations_closed ON mutations (plant, received_at) WHERE closed_by IS NOT NULL OR closer IS NOT NULL;
-- The status stands in it so that SQLite prefers it to the audit trail's.
CREATE INDEX mutations_parked ON mutations (plant, status, received_at, actor, seq)
    WHERE status = 'parked' AND closed_by IS NULL AND closer IS NULL;
-- The audit trail: with its person and kind, so that a filter walks the index alone.
CREATE INDEX mutations_by_time ON mutations (plant, received_at, actor, seq, account, kind);
CREATE INDEX mutations_by_customer ON mutations (plant, customer, received_at, actor, seq)
    WHERE customer IS NOT NULL;

CREATE INDEX mutations_settled ON mutations (plant, account, settled_rev) WHERE settled_rev IS NOT NULL;

-- Every change that is no mutation. Rows are only ever added.
CREATE TABLE audit (
    plant BLOB NOT NULL REFERENCES plants,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    -- Who; NULL for the command line, and for whoever has not proven who it is.
    account BLOB,
    -- From which script; NULL for a browser.
    device BLOB,
    -- From where; NULL for the server's own machine.
    address TEXT,
    kind TEXT NOT NULL,
    -- What it was done to, if that has an id.
    subject BLOB,
    detail TEXT NOT NULL,
    PRIMARY KEY (plant, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_by_time ON audit (plant, at, number);

-- Which mutation stands at which place of a history. A restored phone's repetition has a place of its own.
CREATE TABLE dots (
    plant BLOB NOT NULL,
    actor BLOB NOT NULL,
    seq INTEGER NOT NULL,
    account BLOB NOT NULL,
    txn BLOB NOT NULL,
    -- The hash chain behind this place.
    hash BLOB NOT NULL,
    PRIMARY KEY (plant, actor, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE customers (
    plant BLOB NOT NULL REFERENCES plants,
    customer BLOB NOT NULL,
    -- The sum of the ledger.
    balance INTEGER NOT NULL DEFAULT 0,
    -- The last record about the customer as a stop, as a phone gets it.
    visit TEXT,
    -- Added by mistake, and not served any more.
    closed INTEGER NOT NULL DEFAULT 0,
    -- Of the last change of balance, profile, visit or closed.
    rev INTEGER NOT NULL,
    PRIMARY KEY (plant, customer)
) STRICT, WITHOUT ROWID;
CREATE INDEX customers_by_rev ON customers (plant, rev);

-- Apart from the balance, which changes every day, so that a payment does not write the profile again.
CREATE TABLE profiles (
    plant BLOB NOT NULL,
    customer BLOB NOT NULL,
    profile TEXT NOT NULL,
    -- What the profile shows, for lists and search. The last two are cut to what an index holds.
    name TEXT NOT NULL,
    phone TEXT NOT NULL,
    sort_name TEXT NOT NULL,
    search TEXT NOT NULL,
    conflicts INTEGER NOT NULL,
    PRIMARY KEY (plant, customer),
    FOREIGN KEY (plant, customer) REFERENCES customers
) STRICT, WITHOUT ROWID;
CREATE INDEX profiles_by_name ON profiles (plant, sort_name, customer, search);
-- The number comes early, or SQLite would rather read all of the plant's profiles.
CREATE INDEX profiles_in_conflict ON profiles (plant, conflicts, sort_name, customer) WHERE conflicts > 0;

CREATE TABLE profile_changes (
    plant BLOB NOT NULL,
    rev INTEGER NOT NULL,
    customer BLOB NOT NULL,
    PRIMARY KEY (plant, rev),
    FOREIGN KEY (plant, customer) REFERENCES customers
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
    plant BLOB NOT NULL,
    rev INTEGER NOT NULL,
    customer BLOB NOT NULL,
    account BLOB NOT NULL,
    txn BLOB NOT NULL,
    kind TEXT NOT NULL,
    amount INTEGER NOT NULL,
    note TEXT,
    role TEXT NOT NULL,
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (plant, rev),
    FOREIGN KEY (plant, customer) REFERENCES customers
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_by_customer ON ledger (plant, customer, rev, amount);

CREATE TABLE failed_visits (
    plant BLOB NOT NULL,
    customer BLOB NOT NULL,
    rev INTEGER NOT NULL,
    account BLOB NOT NULL,
    reason TEXT NOT NULL,
    note TEXT,
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (plant, customer, rev),
    FOREIGN KEY (plant, customer) REFERENCES customers
) STRICT, WITHOUT ROWID;

CREATE TABLE products (
    plant BLOB NOT NULL REFERENCES plants,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    price INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    PRIMARY KEY (plant, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE routes (
    plant BLOB NOT NULL REFERENCES plants,
    route BLOB NOT NULL,
    name TEXT NOT NULL,
    rev INTEGER NOT NULL,
    PRIMARY KEY (plant, route)
) STRICT, WITHOUT ROWID;

CREATE TABLE route_stops (
    plant BLOB NOT NULL,
    route BLOB NOT NULL,
    position INTEGER NOT NULL,
    customer BLOB NOT NULL,
    PRIMARY KEY (plant, route, position),
    FOREIGN KEY (plant, route) REFERENCES routes,
    FOREIGN KEY (plant, customer) REFERENCES customers
) STRICT, WITHOUT ROWID;
CREATE INDEX route_stops_by_customer ON route_stops (plant, customer);

-- What each rider's mutations add up to.
CREATE TABLE rider_days (
    plant BLOB NOT NULL,
    account BLOB NOT NULL,
    day TEXT NOT NULL,
    -- Of the last shift's start, and when that came in.
    since_rev INTEGER NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (plant, account),
    FOREIGN KEY (plant, account) REFERENCES accounts
) STRICT, WITHOUT ROWID;

-- What the mutations of riders' earlier shifts add up to: laid here when the next shift begins.
CREATE TABLE past_shifts (
    plant BLOB NOT NULL,
    account BLOB NOT NULL,
    since_rev INTEGER NOT NULL,
    since INTEGER NOT NULL,
    -- NULL for what was recorded outside of any shift.
    shift TEXT,
    tally TEXT NOT NULL,
    PRIMARY KEY (plant, account, since_rev),
    FOREIGN KEY (plant, account) REFERENCES accounts
) STRICT, WITHOUT ROWID;
CREATE INDEX past_shifts_by_time ON past_shifts (plant, since);

-- Imports that were looked at, to be confirmed within a day.
CREATE TABLE imports (
    plant BLOB NOT NULL,
    import BLOB NOT NULL,
    account BLOB NOT NULL,
    made_at INTEGER NOT NULL,
    plan TEXT NOT NULL,
    -- What was not accepted; NULL until it is confirmed.
    refused TEXT,
    PRIMARY KEY (plant, import),
    FOREIGN KEY (plant, account) REFERENCES accounts
) STRICT, WITHOUT ROWID;

-- The photos that applied mutations speak of: only these are taken, and only from the account that speaks of them.
CREATE TABLE photos (
    plant BLOB NOT NULL,
    hash BLOB NOT NULL,
    account BLOB NOT NULL,
    -- The first mutation that speaks of it.
    txn BLOB NOT NULL,
    bytes INTEGER NOT NULL,
    -- How many bytes from the start are here.
    received INTEGER NOT NULL DEFAULT 0,
    -- All are here, and their hash is the photo's.
    complete INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (plant, hash, account),
    FOREIGN KEY (plant, account) REFERENCES accounts
) STRICT, WITHOUT ROWID;

CREATE TABLE photo_pieces (
    plant BLOB NOT NULL,
    hash BLOB NOT NULL,
    account BLOB NOT NULL,
    start INTEGER NOT NULL,
    piece BLOB NOT NULL,
    PRIMARY KEY (plant, hash, account, start),
    FOREIGN KEY (plant, hash, account) REFERENCES photos
) STRICT;

-- Where a plant was set back by restoring a backup: the last rev that it then held, and the one from which it went
-- on. Revs between them were given in days that are lost.
CREATE TABLE set_backs (
    plant BLOB NOT NULL REFERENCES plants,
    rev INTEGER NOT NULL,
    leapt_to INTEGER NOT NULL,
    PRIMARY KEY (plant, rev)
) STRICT, WITHOUT ROWID;
