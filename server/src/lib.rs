//! The server of a plant: it settles what the riders' phones send, resolves it with what the manager changes,
//! and shows it on a dashboard.
//!
//! [`Server`] is all of it as a library; [`http::router`] puts it on the network.
//!
//! - [`mod@env`]: the clock and the randomness, injected
//! - `apply`: the one rule for every mutation; `effect`: what each kind does; `reversal`: what takes it back
//! - `sync`: one round trip of a phone; `tamper`: what its hash chain vouches for; `photos`: a photo, piece by piece
//! - `admin`: setting a plant up; [`sample`]: a plant to try things on
//! - [`store`]: the embedded database, with all of the SQL
//! - `secret`, `limit`: tokens, codes, passwords, and the brake on guessing them
//! - [`http`]: the routes; [`serve`]: sockets, TLS, limits and the end; `metrics`: what is counted
//! - [`config`]: flags, environment and file; [`backup`]: a copy of a running plant, and back;
//!   [`health`]: how a running server is
#![forbid(unsafe_code)]

mod admin;
mod apply;
pub mod backup;
pub mod config;
mod effect;
pub mod env;
mod error;
mod fold;
pub mod health;
pub mod http;
mod limit;
mod metrics;
mod parked;
mod photos;
mod reversal;
pub mod sample;
mod secret;
pub mod serve;
mod server;
pub mod store;
mod sync;
mod tamper;

pub use admin::CODE_SPAN;
pub use apply::Outcome;
pub use error::Error;
pub use server::{Auth, Options, Server};
