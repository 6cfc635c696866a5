//! The one error type of the border: a code fit for a switch and a detail fit for a log.

use carboy_core::{EnrolError, Error};

/// Declares the codes. Each carries its detail; [`CarboyError::PendingWork`] also says how much there is.
macro_rules! codes {
    ($($(#[$doc:meta])+ $code:ident),+ $(,)?) => {
        /// Why a call failed. An action that failed left nothing behind.
        #[derive(Debug, thiserror::Error, uniffi::Error)]
        pub enum CarboyError {
            $(
                $(#[$doc])+
                #[error("{detail}")]
                $code {
                    /// The reason with its values, for a log.
                    detail: String,
                },
            )+
            /// Something waits to be sent or for the rider: ask the rider what is to become of it. Nothing has changed.
            #[error("{detail}")]
            PendingWork {
                /// Mutations that the server has not settled.
                mutations: u64,
                /// Photos that the server does not have.
                photos: u64,
                /// Mutations that the server did not accept and that nobody has dealt with.
                refused: u64,
                /// The reason with its values, for a log.
                detail: String,
            },
        }
    };
}

codes! {
    /// There is no such customer on this phone.
    UnknownCustomer,
    /// There is no such product on this phone.
    UnknownProduct,
    /// There is no such route on this phone.
    UnknownRoute,
    /// There is no such record on this phone, or not any more.
    UnknownRecord,
    /// That cannot be done with this record: its kind does not allow it, or it was done already.
    NotPossible,
    /// The last shift has not ended.
    ShiftOpen,
    /// No shift is open.
    NoShift,
    /// The photo's file cannot be read. Nothing was recorded.
    UnreadablePhoto,
    /// The amount is not in the plant's currency.
    CurrencyMismatch,
    /// A value is out of range or not of the expected form.
    Invalid,
    /// The file belongs to another account.
    WrongAccount,
    /// The account was signed out; its store is closed.
    SignedOut,
    /// The key store's key does not fit the file. The file was left as it is.
    WrongKey,
    /// The key store has lost this phone's signing key: enrol again.
    NoDeviceKey,
    /// The key store failed: try again once it can be read.
    KeyStoreFailed,
    /// The file or the server needs a newer version of the app.
    NeedsUpgrade,
    /// The phone's storage is full. Nothing was recorded.
    StorageFull,
    /// The file is damaged. What can be read of it is saved when it is opened again.
    Damaged,
    /// The file is no store of Carboy's. It was left as it is.
    NotAStore,
    /// The enrolment code is wrong, used or too old.
    WrongCode,
    /// The server could not be reached.
    Unreachable,
    /// Anything else.
    Internal,
}

impl CarboyError {
    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        Self::Internal { detail: error.to_string() }
    }

    pub(crate) fn invalid(error: impl std::fmt::Display) -> Self {
        Self::Invalid { detail: error.to_string() }
    }
}

impl From<Error> for CarboyError {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::UnknownCustomer(_) => Self::UnknownCustomer { detail },
            Error::UnknownProduct(_) => Self::UnknownProduct { detail },
            Error::UnknownRoute(_) => Self::UnknownRoute { detail },
            Error::UnknownRecord(_) => Self::UnknownRecord { detail },
            Error::AlreadyWithdrawn(_) | Error::NotPossible { .. } | Error::NoLostEdit(_) => {
                Self::NotPossible { detail }
            }
            Error::ShiftOpen(_) => Self::ShiftOpen { detail },
            Error::NoShift => Self::NoShift { detail },
            Error::UnreadablePhoto(_) => Self::UnreadablePhoto { detail },
            Error::CurrencyMismatch { .. } => Self::CurrencyMismatch { detail },
            Error::Invalid(_) => Self::Invalid { detail },
            Error::WrongAccount { .. } => Self::WrongAccount { detail },
            Error::SignedOut => Self::SignedOut { detail },
            Error::WrongKey | Error::NotEncrypted => Self::WrongKey { detail },
            Error::NoDeviceKey => Self::NoDeviceKey { detail },
            Error::KeyStore(_) => Self::KeyStoreFailed { detail },
            Error::PendingWork { mutations, photos, refused } => {
                Self::PendingWork { mutations, photos, refused, detail }
            }
            Error::NewerSchema { .. } => Self::NeedsUpgrade { detail },
            Error::StorageFull => Self::StorageFull { detail },
            Error::Damaged(_) => Self::Damaged { detail },
            Error::NotAStore(_) => Self::NotAStore { detail },
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
            EnrolError::NoKey(_) => Self::KeyStoreFailed { detail },
            EnrolError::Unreachable(_) => Self::Unreachable { detail },
        }
    }
}
