//! The one error type of the border: a code fit for a switch and a detail fit for a log.

use carboy_core::{EnrolError, Error};

/// Why a call failed. An action that failed left nothing behind.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum CarboyError {
    /// There is no such customer on this phone.
    #[error("{detail}")]
    UnknownCustomer {
        /// With the values.
        detail: String,
    },
    /// There is no such product on this phone.
    #[error("{detail}")]
    UnknownProduct {
        /// With the values.
        detail: String,
    },
    /// The amount is not in the plant's currency.
    #[error("{detail}")]
    CurrencyMismatch {
        /// With the values.
        detail: String,
    },
    /// A value is out of range or not of the expected form.
    #[error("{detail}")]
    Invalid {
        /// With the values.
        detail: String,
    },
    /// The file belongs to another account.
    #[error("{detail}")]
    WrongAccount {
        /// With the values.
        detail: String,
    },
    /// The file or the server needs a newer version of the app.
    #[error("{detail}")]
    NeedsUpgrade {
        /// With the values.
        detail: String,
    },
    /// The phone's storage is full. Nothing was recorded.
    #[error("{detail}")]
    StorageFull {
        /// With the values.
        detail: String,
    },
    /// The file is damaged or is not a store. It was left as it is.
    #[error("{detail}")]
    Damaged {
        /// With the values.
        detail: String,
    },
    /// The enrolment code is wrong, used or too old.
    #[error("{detail}")]
    WrongCode {
        /// With the values.
        detail: String,
    },
    /// The server could not be reached.
    #[error("{detail}")]
    Unreachable {
        /// With the values.
        detail: String,
    },
    /// Anything else.
    #[error("{detail}")]
    Internal {
        /// With the values.
        detail: String,
    },
}

impl From<Error> for CarboyError {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::UnknownCustomer(_) => Self::UnknownCustomer { detail },
            Error::UnknownProduct(_) => Self::UnknownProduct { detail },
            Error::CurrencyMismatch { .. } => Self::CurrencyMismatch { detail },
            Error::Invalid(_) => Self::Invalid { detail },
            Error::WrongAccount { .. } => Self::WrongAccount { detail },
            Error::NewerSchema { .. } => Self::NeedsUpgrade { detail },
            Error::StorageFull => Self::StorageFull { detail },
            Error::Damaged(_) => Self::Damaged { detail },
            Error::OldSqlite { .. } | Error::Store(_) | Error::NoRandomness(_) => Self::Internal { detail },
        }
    }
}

impl From<EnrolError> for CarboyError {
    fn from(error: EnrolError) -> Self {
        let detail = error.to_string();
        match error {
            EnrolError::WrongCode => Self::WrongCode { detail },
            EnrolError::NeedsUpgrade => Self::NeedsUpgrade { detail },
            EnrolError::Unreachable(_) => Self::Unreachable { detail },
        }
    }
}
