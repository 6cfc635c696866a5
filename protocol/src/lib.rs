//! What a phone and a server agree on.
//!
//! Everything here is pure: values and functions of values. There is no I/O, no clock and no source of
//! randomness, so the same code decides the same thing on a phone, on a server and in a simulator.
//!
//! - [`id`]: the identifiers, among them the idempotency key [`TxnId`] and the history id [`ActorId`]
//! - [`clock`]: dots and vector clocks
//! - [`money`]: integer amounts with a currency
//! - [`mutation`] and [`action`]: the things a person does, and their validation
//! - [`day`]: what a rider's mutations add up to
//! - [`profile`]: how concurrent edits of a customer's profile are resolved
//! - [`chain`] and [`device_key`]: the hash chain over an outbox, and the phone's signature under its head
//! - [`wire`]: the messages of `POST /v1/sync` and `POST /v1/enrol`
#![forbid(unsafe_code)]

pub mod action;
pub mod chain;
pub mod clock;
pub mod day;
pub mod device_key;
pub mod hex32;
pub mod id;
pub mod money;
pub mod mutation;
#[cfg(feature = "planted")]
pub mod planted;
pub mod profile;
pub mod wire;

pub use action::{Action, DeliveryLine, Edit, FailReason, Photo, Progress, StockLine, StopState};
pub use chain::ChainHash;
pub use clock::{Causality, Dot, VectorClock};
pub use day::{Day, Shift, Tally};
pub use device_key::{DeviceKey, PublicKey, Signature};
pub use hex32::PhotoHash;
pub use id::{AccountId, ActorId, CustomerId, DeviceId, PlantId, ProductCode, RouteId, Timestamp, TxnId};
pub use money::{Currency, Money, MoneyError};
pub use mutation::{Invalid, Mutation};
pub use profile::{Field, Profile, Role, Sibling, Write};
