//! The exchange with the server, as a rider's screens tell of it, and what changes and log lines are called.

use crate::convert::same_variants;
use crate::{Timestamp, core};
use std::time::Duration;
use tracing::Level;

/// What the exchange with the server is doing.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum SyncState {
    /// Everything is sent and nothing is to do.
    Idle,
    /// A request is under way.
    Sending,
    /// The shell says that there is no network.
    Offline,
    /// The shell has paused it.
    Paused,
    /// Something failed; it is tried again by itself.
    Waiting {
        /// The reason, for a switch.
        reason: WaitReason,
        /// The reason, for a log.
        detail: String,
        /// How long until the next try, from when it began to wait. A wake-up comes before that.
        delay: Duration,
    },
    /// The server wants a new sign-in. Recording goes on.
    NeedsSignIn,
    /// The server needs a newer version of the app. Recording goes on.
    NeedsUpgrade,
}

impl From<core::SyncState> for SyncState {
    fn from(state: core::SyncState) -> Self {
        match state {
            core::SyncState::Idle => Self::Idle,
            core::SyncState::Sending => Self::Sending,
            core::SyncState::Offline => Self::Offline,
            core::SyncState::Paused => Self::Paused,
            core::SyncState::Waiting(core::Waiting { reason, detail, delay }) => {
                Self::Waiting { reason: reason.into(), detail, delay }
            }
            core::SyncState::NeedsSignIn => Self::NeedsSignIn,
            core::SyncState::NeedsUpgrade => Self::NeedsUpgrade,
        }
    }
}

/// What stands in the way of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum WaitReason {
    /// No usable reply: no route, a timeout, a reset, a captive portal's page.
    Link,
    /// The server has too much to do.
    Busy,
    /// The token provider has no token at the moment.
    Token,
    /// The server's replies cannot be acted on.
    Server,
    /// The phone's own store fails, for example because its storage is full.
    Store,
}

same_variants!(core::WaitReason => WaitReason: Link, Busy, Token, Server, Store);

/// What is waiting to be sent, and why.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Status {
    /// Mutations that the server has not settled. All of them are safe on this phone.
    pub pending: u64,
    /// Their size in bytes, before compression.
    pub pending_bytes: u64,
    /// When the oldest of them was recorded by this phone's clock.
    pub oldest_pending: Option<Timestamp>,
    /// How long ago that was; zero if the clock was set back since.
    pub oldest_age: Duration,
    /// Photos that the server does not have yet.
    pub photos: u64,
    /// How many of their bytes it does not have.
    pub photo_bytes: u64,
    /// What needs the rider, see `attention`.
    pub attention: u64,
    /// What the exchange with the server is doing.
    pub state: SyncState,
    /// When the server last answered by this phone's clock.
    pub last_contact: Option<Timestamp>,
}

impl From<core::Status> for Status {
    fn from(status: core::Status) -> Self {
        Self {
            pending: status.pending,
            pending_bytes: status.pending_bytes,
            oldest_pending: status.oldest_pending,
            oldest_age: status.oldest_age,
            photos: status.photos,
            photo_bytes: status.photo_bytes,
            attention: status.attention,
            state: status.state.into(),
            last_contact: status.last_contact,
        }
    }
}

/// What an asked-for exchange with the server came to.
#[derive(Debug, Clone, uniffi::Record)]
pub struct SyncReport {
    /// How many mutations were settled meanwhile.
    pub settled: u64,
    /// How many of those the server did not accept.
    pub rejected: u64,
    /// How things stand now.
    pub status: Status,
}

impl From<core::SyncReport> for SyncReport {
    fn from(report: core::SyncReport) -> Self {
        Self { settled: report.settled, rejected: report.rejected, status: report.status.into() }
    }
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Change {
    /// Customers, balances, routes, products.
    Customers,
    /// The shift and its counts.
    Day,
    /// What is waiting to be sent.
    Outbox,
    /// What needs attention.
    Attention,
    /// What the exchange with the server is doing.
    Status,
}

same_variants!(core::Change => Change: Customers, Day, Outbox, Attention, Status);

/// How much a line of the log matters. A sink gets the lines of its level and of those above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum LogLevel {
    /// Something failed for good.
    Error,
    /// Something is not as it should be.
    Warn,
    /// What a person may want to know.
    Info,
    /// Every mutation and every request.
    Debug,
    /// Everything.
    Trace,
}

impl From<LogLevel> for Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::ERROR => Self::Error,
            Level::WARN => Self::Warn,
            Level::INFO => Self::Info,
            Level::DEBUG => Self::Debug,
            Level::TRACE => Self::Trace,
        }
    }
}
