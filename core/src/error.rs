//! The one error type of actions and queries.

use crate::env::KeyStoreError;
use carboy_protocol::{AccountId, Currency, CustomerId, Invalid, ProductCode, RouteId, Timestamp};

/// Why an action or a query failed. An action that failed left nothing behind.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such customer on this phone.
    #[error("unknown customer {0}")]
    UnknownCustomer(CustomerId),
    /// There is no such product on this phone.
    #[error("unknown product {0}")]
    UnknownProduct(ProductCode),
    /// There is no such route on this phone.
    #[error("unknown route {0}")]
    UnknownRoute(RouteId),
    /// There is no such record on this phone, or not any more.
    #[error("unknown record {0}")]
    UnknownRecord(u64),
    /// The record was taken back already.
    #[error("record {0} was withdrawn already")]
    AlreadyWithdrawn(u64),
    /// A record of this kind cannot be taken back, sent again or corrected in this way.
    #[error("{what} is not possible for a {kind}")]
    NotPossible {
        /// What was asked for.
        what: &'static str,
        /// The record's kind; `unreadable` if its bytes cannot be read any more.
        kind: &'static str,
    },
    /// The last shift has not ended.
    #[error("a shift is open since {}", .0.0)]
    ShiftOpen(Timestamp),
    /// No shift is open.
    #[error("no shift is open")]
    NoShift,
    /// There is nothing of this rider's that stands behind another value of this field.
    #[error("no edit of {0} stands behind another one")]
    NoLostEdit(&'static str),
    /// The photo's file cannot be read. Nothing was recorded.
    #[error("the photo cannot be read: {0}")]
    UnreadablePhoto(String),
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
    /// The file is encrypted with another key than the key store has. The file was left as it was.
    #[error("the key does not fit the store")]
    WrongKey,
    /// The file is not encrypted, and this build encrypts. The file was left as it was.
    #[error("the store is not encrypted")]
    NotEncrypted,
    /// The platform's key store failed.
    #[error(transparent)]
    KeyStore(#[from] KeyStoreError),
    /// The key store has lost this phone's signing key: enrol again.
    #[error("this phone has no signing key")]
    NoDeviceKey,
    /// Something has not been sent yet: say what is to become of it.
    #[error(
        "{mutations} mutations and {photos} photos have not been sent, {refused} mutations were not accepted"
    )]
    PendingWork {
        /// Mutations that the server has not settled.
        mutations: u64,
        /// Photos that the server does not have.
        photos: u64,
        /// Mutations that the server did not accept and that nobody has dealt with.
        refused: u64,
    },
    /// The account was signed out; its store is closed.
    #[error("the account was signed out")]
    SignedOut,
    /// The phone's storage is full. Nothing was recorded.
    #[error("the phone's storage is full")]
    StorageFull,
    /// The file is no store of Carboy's. It was left as it is.
    #[error("not a store: {0}")]
    NotAStore(String),
    /// The file is damaged. What can be read of it is saved when it is opened again.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// Any other failure of the store.
    #[error("the store failed: {0}")]
    Store(String),
    /// The random source failed.
    #[error("no randomness: {0}")]
    NoRandomness(String),
}

impl Error {
    /// A failure of a file other than the database.
    #[expect(clippy::needless_pass_by_value, reason = "fits `map_err`")]
    pub(crate) fn from_io(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::StorageFull,
            _ => Self::Store(error.to_string()),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error::{
            FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error,
        };
        use rusqlite::{ErrorCode, ffi};
        // What the store holds was written by this code: a value that is none any more shows damage.
        if let FromSqlConversionFailure(..)
        | IntegralValueOutOfRange(..)
        | InvalidColumnType(..)
        | Utf8Error(..) = error
        {
            return Self::Damaged(error.to_string());
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::StorageFull,
            // The WAL's index is a file too, and cannot grow.
            _ if error.sqlite_error().is_some_and(|e| e.extended_code == ffi::SQLITE_IOERR_SHMSIZE) => {
                Self::StorageFull
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
            // SQLite has no code for a schema format that no version of it knows.
            _ if error.to_string() == "unsupported file format" => Self::Damaged(error.to_string()),
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
