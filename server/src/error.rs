//! The server's one error, and how it becomes the refusal that a client sees.

use crate::staff::Unfit;
use carboy_protocol::wire::Refusal;
use rusqlite::ErrorCode;
use tokio_postgres::error::SqlState;

/// Why a request could not be served. Nothing of the request took effect.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request is refused; the client is told why.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The transaction id already stands for something else (dashboard routes only: a phone's is settled).
    #[error("transaction {0} already stands for something else")]
    TxnReused(carboy_protocol::TxnId),
    /// Too many attempts failed: the next one has to wait.
    #[error("too many attempts: wait {seconds} s")]
    Wait {
        /// How long, in seconds.
        seconds: u64,
    },
    /// What is asked for about a plant's people cannot be.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// What was asked for does not exist in this plant.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// A value given to an administrative function is not acceptable.
    #[error("{0}")]
    Invalid(String),
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL failed, or the connection to it.
    #[error("{}", postgres_text(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// No connection to PostgreSQL could be had in time.
    #[error("no connection to the database: {0}")]
    Unreachable(#[from] deadpool_postgres::PoolError),
    /// PostgreSQL took a statement and told in time neither that it was done nor that it failed.
    #[error("the database does not answer")]
    NoAnswer,
    /// The database holds something that this version cannot read.
    #[error("unreadable value in the database: {0}")]
    Corrupt(String),
    /// The database cannot be used by this version.
    #[error("{0}")]
    Unusable(String),
    /// A file could not be read or written.
    #[error("file: {0}")]
    File(std::io::Error),
    /// The random source failed.
    #[error("no random bytes: {0}")]
    Random(String),
    /// A password could not be hashed or its hash not read.
    #[error("password hash: {0}")]
    Password(String),
}

impl Error {
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::Refused(Refusal::Malformed { detail: detail.into() })
    }

    pub(crate) fn sign_in(detail: impl Into<String>) -> Self {
        Self::Refused(Refusal::SignIn { detail: detail.into() })
    }

    /// Whether trying again later may help: a full disk, a failing one, a lock held too long, a connection lost.
    fn is_passing(&self) -> bool {
        use ErrorCode::{CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, OutOfMemory, SystemIoFailure};
        match self {
            Self::Sqlite(error) => error.sqlite_error_code().is_some_and(|code| {
                matches!(
                    code,
                    DiskFull | DatabaseBusy | DatabaseLocked | SystemIoFailure | CannotOpen | OutOfMemory
                )
            }),
            // Without a code, it is the connection that failed.
            Self::Postgres(error) => {
                self.is_outdated_plan()
                    || error.code().is_none_or(|code| {
                        // By class: connection, transaction rollback, lack of resources, lock, operator, system.
                        let class = &code.code()[..2];
                        matches!(class, "08" | "40" | "53" | "55" | "57" | "58")
                            || *code == SqlState::READ_ONLY_SQL_TRANSACTION
                            || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
                    })
            }
            Self::Unreachable(_) | Self::NoAnswer => true,
            _ => false,
        }
    }

    /// Whether a statement was prepared before the schema changed, so that only preparing it anew helps.
    pub(crate) fn is_outdated_plan(&self) -> bool {
        matches!(self, Self::Postgres(error) if error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED))
    }

    /// Whether the database refuses what was to be written, so that only leaving it out helps.
    pub(crate) fn is_its_own(&self) -> bool {
        match self {
            Self::Sqlite(error) => error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation),
            // By class: data, integrity, limits.
            Self::Postgres(error) => {
                error.code().is_some_and(|code| matches!(&code.code()[..2], "22" | "23" | "54"))
            }
            Self::Corrupt(_) => true,
            _ => false,
        }
    }
}

/// What PostgreSQL says, without which its client's own words ("db error") tell nothing.
fn postgres_text(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{error}: {} ({})", db.message(), db.code().code()),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// The one place where an error leaves the server: it is logged here, and the client learns no internals.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal,
            Error::Wait { .. } => Self::Busy,
            Error::TxnReused(_) | Error::NotFound(_) | Error::Invalid(_) | Error::Unfit(_) => {
                Self::Malformed { detail: error.to_string() }
            }
            error if error.is_passing() => {
                tracing::error!(%error, "busy");
                Self::Busy
            }
            error => {
                tracing::error!(%error, "failed");
                Self::Internal
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    fn refusal_for(code: i32) -> Refusal {
        Error::Sqlite(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)).into()
    }

    #[test]
    fn what_may_pass_is_busy_and_what_will_not_is_internal() {
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_FSYNC] {
            assert_eq!(refusal_for(code), Refusal::Busy, "{code}");
        }
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_ERROR, ffi::SQLITE_CONSTRAINT] {
            assert_eq!(refusal_for(code), Refusal::Internal, "{code}");
        }
    }
}
