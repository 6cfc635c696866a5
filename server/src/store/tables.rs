//! The tables of the schema, as far as code has to know their columns: to insert many rows at once, and to move a
//! plant from one database to another.

use Kind::{Blob, Int, Text};

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// How many of the columns, from the first on, are the primary key.
    pub(super) key: usize,
    pub(super) columns: &'static [(&'static str, Kind)],
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Text,
    Blob,
}

impl Table {
    /// The columns' names, for a statement.
    pub(super) fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

pub(super) const PLANTS: Table = Table {
    name: "plants",
    key: 1,
    columns: &[
        ("plant", Blob),
        ("name", Text),
        ("currency", Text),
        ("time_zone", Text),
        ("language", Text),
        ("rev", Int),
        ("changes", Int),
        ("dashboard", Blob),
    ],
};

pub(super) const ACCOUNTS: Table = Table {
    name: "accounts",
    key: 2,
    columns: &[
        ("plant", Blob),
        ("account", Blob),
        ("role", Text),
        ("rank", Text),
        ("name", Text),
        ("disabled_at", Int),
    ],
};

pub(super) const LOGINS: Table = Table {
    name: "logins",
    key: 1,
    columns: &[("login", Text), ("plant", Blob), ("account", Blob), ("password_hash", Text)],
};

pub(super) const SESSIONS: Table = Table {
    name: "sessions",
    key: 2,
    columns: &[
        ("plant", Blob),
        ("token_hash", Blob),
        ("account", Blob),
        ("started_at", Int),
        ("last_seen", Int),
        ("expires_at", Int),
        ("address", Text),
    ],
};

pub(super) const PASSWORD_LINKS: Table = Table {
    name: "password_links",
    key: 2,
    columns: &[("plant", Blob), ("account", Blob), ("token_hash", Blob), ("expires_at", Int)],
};

pub(super) const AUDIT: Table = Table {
    name: "audit",
    key: 2,
    columns: &[
        ("plant", Blob),
        ("number", Int),
        ("at", Int),
        ("account", Blob),
        ("device", Blob),
        ("address", Text),
        ("kind", Text),
        ("subject", Blob),
        ("detail", Text),
    ],
};

pub(super) const CODES: Table = Table {
    name: "codes",
    key: 1,
    columns: &[
        ("code_hash", Blob),
        ("plant", Blob),
        ("account", Blob),
        ("expires_at", Int),
        ("used_at", Int),
    ],
};

pub(super) const DEVICES: Table = Table {
    name: "devices",
    key: 2,
    columns: &[
        ("plant", Blob),
        ("device", Blob),
        ("account", Blob),
        ("name", Text),
        ("token_hash", Blob),
        ("public_key", Blob),
        ("enrolled_at", Int),
        ("revoked_at", Int),
        ("last_seen", Int),
        ("unsent", Int),
        ("chain_broken", Int),
    ],
};

pub(super) const ACTORS: Table = Table {
    name: "actors",
    key: 2,
    columns: &[
        ("plant", Blob),
        ("actor", Blob),
        ("account", Blob),
        ("device", Blob),
        ("next_seq", Int),
        ("head", Blob),
        ("inherited", Text),
    ],
};

pub(super) const MUTATIONS: Table = Table {
    name: "mutations",
    key: 3,
    columns: &[
        ("plant", Blob),
        ("account", Blob),
        ("txn", Blob),
        ("actor", Blob),
        ("seq", Int),
        ("body", Text),
        ("status", Text),
        ("answer", Text),
        ("received_at", Int),
        ("closed_by", Blob),
        ("withdrawn_by", Blob),
        ("settled_rev", Int),
        ("kind", Text),
        ("customer", Blob),
        ("device", Blob),
        ("address", Text),
        ("closer", Blob),
        ("closed_at", Int),
        ("closed_note", Text),
    ],
};

pub(super) const DOTS: Table = Table {
    name: "dots",
    key: 3,
    columns: &[
        ("plant", Blob),
        ("actor", Blob),
        ("seq", Int),
        ("account", Blob),
        ("txn", Blob),
        ("hash", Blob),
    ],
};

pub(super) const CUSTOMERS: Table = Table {
    name: "customers",
    key: 2,
    columns: &[
        ("plant", Blob),
        ("customer", Blob),
        ("balance", Int),
        ("visit", Text),
        ("closed", Int),
        ("rev", Int),
    ],
};

pub(super) const PROFILES: Table = Table {
    name: "profiles",
    key: 2,
    columns: &[
        ("plant", Blob),
        ("customer", Blob),
        ("profile", Text),
        ("name", Text),
        ("phone", Text),
        ("sort_name", Text),
        ("search", Text),
        ("conflicts", Int),
    ],
};

pub(super) const PROFILE_CHANGES: Table =
    Table { name: "profile_changes", key: 2, columns: &[("plant", Blob), ("rev", Int), ("customer", Blob)] };

pub(super) const LEDGER: Table = Table {
    name: "ledger",
    key: 2,
    columns: &[
        ("plant", Blob),
        ("rev", Int),
        ("customer", Blob),
        ("account", Blob),
        ("txn", Blob),
        ("kind", Text),
        ("amount", Int),
        ("note", Text),
        ("role", Text),
        ("at", Int),
        ("received_at", Int),
    ],
};

pub(super) const FAILED_VISITS: Table = Table {
    name: "failed_visits",
    key: 3,
    columns: &[
        ("plant", Blob),
        ("customer", Blob),
        ("rev", Int),
        ("account", Blob),
        ("reason", Text),
        ("note", Text),
        ("at", Int),
        ("received_at", Int),
        ("withdrawn", Int),
    ],
};

pub(super) const PRODUCTS: Table = Table {
    name: "products",
    key: 2,
    columns: &[("plant", Blob), ("code", Text), ("name", Text), ("price", Int), ("rev", Int)],
};

pub(super) const ROUTES: Table = Table {
    name: "routes",
    key: 2,
    columns: &[("plant", Blob), ("route", Blob), ("name", Text), ("rev", Int)],
};

pub(super) const ROUTE_STOPS: Table = Table {
    name: "route_stops",
    key: 3,
    columns: &[("plant", Blob), ("route", Blob), ("position", Int), ("customer", Blob)],
};

pub(super) const RIDER_DAYS: Table = Table {
    name: "rider_days",
    key: 2,
    columns: &[("plant", Blob), ("account", Blob), ("day", Text), ("since_rev", Int), ("since", Int)],
};

pub(super) const PAST_SHIFTS: Table = Table {
    name: "past_shifts",
    key: 3,
    columns: &[
        ("plant", Blob),
        ("account", Blob),
        ("since_rev", Int),
        ("since", Int),
        ("shift", Text),
        ("tally", Text),
    ],
};

pub(super) const IMPORTS: Table = Table {
    name: "imports",
    key: 2,
    columns: &[
        ("plant", Blob),
        ("import", Blob),
        ("account", Blob),
        ("made_at", Int),
        ("plan", Text),
        ("refused", Text),
    ],
};

pub(super) const PHOTOS: Table = Table {
    name: "photos",
    key: 3,
    columns: &[
        ("plant", Blob),
        ("hash", Blob),
        ("account", Blob),
        ("txn", Blob),
        ("bytes", Int),
        ("received", Int),
        ("complete", Int),
    ],
};

pub(super) const PHOTO_PIECES: Table = Table {
    name: "photo_pieces",
    key: 4,
    columns: &[("plant", Blob), ("hash", Blob), ("account", Blob), ("start", Int), ("piece", Blob)],
};

pub(super) const SET_BACKS: Table =
    Table { name: "set_backs", key: 2, columns: &[("plant", Blob), ("rev", Int), ("leapt_to", Int)] };

/// Every table, those that others refer to first.
pub(super) const ALL: [&Table; 25] = [
    &PLANTS,
    &ACCOUNTS,
    &LOGINS,
    &PASSWORD_LINKS,
    &SESSIONS,
    &CODES,
    &DEVICES,
    &ACTORS,
    &MUTATIONS,
    &AUDIT,
    &DOTS,
    &CUSTOMERS,
    &PROFILES,
    &PROFILE_CHANGES,
    &LEDGER,
    &FAILED_VISITS,
    &PRODUCTS,
    &ROUTES,
    &ROUTE_STOPS,
    &RIDER_DAYS,
    &PAST_SHIFTS,
    &IMPORTS,
    &PHOTOS,
    &PHOTO_PIECES,
    &SET_BACKS,
];
