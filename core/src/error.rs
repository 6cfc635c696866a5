//! The one error type of actions and queries.

use carboy_protocol::{AccountId, Currency, CustomerId, Invalid, ProductCode};

/// Why an action or a query failed. An action that failed left nothing behind.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such customer on this phone.
    #[error("unknown customer {0}")]
    UnknownCustomer(CustomerId),
    /// There is no such product on this phone.
    #[error("unknown product {0}")]
    UnknownProduct(ProductCode),
    /// The amount is not in the plant's currency.
    #[error("currency {given} is not the plant's {expected}")]
    CurrencyMismatch {
        /// The currency of the amount.
        given: Currency,
        /// The plant's currency.
        expected: Currency,
    },
    /// A value is out of range.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The file belongs to somebody else: each account has its own.
    #[error("this store belongs to account {found}, not {wanted}")]
    WrongAccount {
        /// Whose file it is.
        found: AccountId,
        /// Who wanted to open it.
        wanted: AccountId,
    },
    /// The file was written by a newer version of the app.
    #[error("the store has schema {found}, newer than {known}")]
    NewerSchema {
        /// The file's schema version.
        found: u32,
        /// The newest version that this code knows.
        known: u32,
    },
    /// The linked SQLite is older than the one whose WAL-reset bug is fixed (<https://sqlite.org/wal.html>).
    #[error("SQLite {found} is too old: 3.51.3 or newer is needed")]
    OldSqlite {
        /// The version that is linked.
        found: &'static str,
    },
    /// The phone's storage is full. Nothing was recorded.
    #[error("the phone's storage is full")]
    StorageFull,
    /// The file is not a store or is damaged. It was left as it is.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// Any other failure of the store.
    #[error("the store failed: {0}")]
    Store(String),
    /// The random source failed.
    #[error("no randomness: {0}")]
    NoRandomness(String),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::StorageFull,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
            _ => Self::Store(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for Error {
    /// What the store holds as JSON was written by this code: if it does not read back, the file is damaged.
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}
