//! Accounts on this phone: enrolled, opened and signed out.

use crate::{AccountId, CarboyError, DeviceId, PlantId, convert, core};
use carboy_protocol::wire::EnrolReply;
use std::path::PathBuf;
use std::time::Duration;

/// Whose store to open, and where.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Config {
    /// The folder of all accounts on this phone, made if it is missing; each account has a file of its own in it. The
    /// system must not back it up, and nothing else may open these files.
    pub folder: String,
    /// The server's address, for example `https://plant.example`.
    pub server: String,
    /// The rider's plant, as enrolment told.
    pub plant: PlantId,
    /// The rider, as enrolment told.
    pub account: AccountId,
    /// The plant's currency, as enrolment told, for example `KES`.
    pub currency: String,
}

impl TryFrom<&Config> for core::Identity {
    type Error = CarboyError;

    fn try_from(config: &Config) -> Result<Self, CarboyError> {
        Ok(Self { plant: config.plant, account: config.account, currency: convert::id(&config.currency)? })
    }
}

/// What an enrolled phone works with.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Enrolment {
    /// The bearer token. It belongs in the platform's key store.
    pub token: String,
    /// The phone, as the manager's device list names it.
    pub device: DeviceId,
    /// The rider.
    pub account: AccountId,
    /// The rider's name.
    pub account_name: String,
    /// The plant.
    pub plant: PlantId,
    /// The plant's name.
    pub plant_name: String,
    /// The plant's currency, for example `KES`.
    pub currency: String,
}

impl From<EnrolReply> for Enrolment {
    fn from(reply: EnrolReply) -> Self {
        Self {
            token: reply.token,
            device: reply.device,
            account: reply.account,
            account_name: reply.account_name,
            plant: reply.plant,
            plant_name: reply.plant_name,
            currency: reply.currency.to_string(),
        }
    }
}

/// An account with a store on this phone.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StoredAccount {
    /// Who.
    pub account: AccountId,
    /// The rider's plant.
    pub plant: PlantId,
    /// The plant's currency, for example `KES`.
    pub currency: String,
    /// Mutations that the server has not settled.
    pub pending: u64,
    /// Photos that the server does not have.
    pub photos: u64,
}

impl From<core::StoredAccount> for StoredAccount {
    fn from(stored: core::StoredAccount) -> Self {
        let core::StoredAccount { account, plant, currency, pending, photos } = stored;
        Self { account, plant, currency: currency.to_string(), pending, photos }
    }
}

/// What is to become of work that has not been sent when a rider signs out.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum SignOut {
    /// Sign out only if there is none, and otherwise say how much there is.
    IfDone,
    /// Send it first.
    SendFirst {
        /// How long that may take.
        window: Duration,
    },
    /// Keep it on the phone, sealed for this account, until the same rider signs in again.
    KeepSealed,
    /// Write it into a file that a server can take in, and keep it sealed too.
    Export {
        /// The file to write.
        path: String,
    },
}

impl From<SignOut> for core::SignOut {
    fn from(choice: SignOut) -> Self {
        match choice {
            SignOut::IfDone => Self::IfDone,
            SignOut::SendFirst { window } => Self::SendFirst(window),
            SignOut::KeepSealed => Self::KeepSealed,
            SignOut::Export { path } => Self::Export(PathBuf::from(path)),
        }
    }
}

/// What signing out came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum SignedOut {
    /// Everything was sent: nothing of the account is left on the phone.
    Removed,
    /// The account's file is kept for the same rider.
    Sealed {
        /// Mutations in it that the server has not settled.
        pending: u64,
    },
}

impl From<core::SignedOut> for SignedOut {
    fn from(signed_out: core::SignedOut) -> Self {
        match signed_out {
            core::SignedOut::Removed => Self::Removed,
            core::SignedOut::Sealed { pending } => Self::Sealed { pending },
        }
    }
}
