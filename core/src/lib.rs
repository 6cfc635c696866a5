//! The rider's device: everything a rider taps is in SQLite before the call returns, and reaches the server
//! exactly once and in order.
//!
//! - [`Engine`] is the store with its actions and queries. It does no network I/O and has no thread of its own.
//! - [`Drainer`] decides what is sent when, and what a reply means. It has no timer and no socket: it is asked
//!   for the next [`Step`] and told what came of it, so that a simulator can drive it in virtual time.
//! - [`Runtime`] is the thread that drives a drainer in real time over a [`Transport`].
//!
//! Clock, randomness, key store, transport and token provider are passed in (see [`mod@env`]).
//!
//! ```
//! use carboy_core::{Engine, Identity, MemoryKeys, Options};
//! use carboy_protocol::{AccountId, PlantId};
//! use std::sync::Arc;
//!
//! let folder = tempfile::tempdir()?;
//! let identity = Identity {
//!     plant: PlantId::from_bytes([1; 16]),
//!     account: AccountId::from_bytes([2; 16]),
//!     currency: "KES".parse()?,
//! };
//! let engine = Engine::open(&Options::new(folder.path(), identity, Arc::new(MemoryKeys::default())))?;
//! assert_eq!(engine.status()?.pending, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod accounts;
mod action;
mod attention;
mod diagnostics;
mod drainer;
mod engine;
mod enrol;
pub mod env;
mod error;
#[cfg(feature = "http")]
mod http;
mod observe;
mod query;
mod record;
mod runtime;
mod store;
mod transport;

pub use accounts::{SignOut, SignedOut, StoredAccount, accounts};
pub use action::{DayReceipt, DeliveredLine, Receipt};
pub use attention::{Attention, Choice, Correction, Keep, LostEdit, Refused};
pub use drainer::{Drainer, Step, Wake};
pub use engine::{Engine, Identity, Options};
pub use enrol::{EnrolError, enrol};
pub use env::{Clock, KeyStore, KeyStoreError, MemoryKeys, Random, SystemClock, SystemRandom};
pub use error::Error;
#[cfg(feature = "http")]
pub use http::HttpTransport;
pub use observe::{Change, Changes, Observer};
pub use query::{
    Customer, CustomerRow, DayProduct, DaySummary, HistoryLine, Product, Record, Route, Settlement, Stop,
    Value,
};
pub use runtime::{Runtime, SyncReport, TokenError, TokenProvider};
pub use store::settle::{Rejected, Settled};
pub use transport::{Body, Exchange, LinkError, Reply, Transport};

/// What a rider's screens say about the exchange with the server.
pub use engine::{Status, SyncState, WaitReason, Waiting};
