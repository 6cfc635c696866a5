//! The server of a plant: it settles what the riders' phones send, resolves it with what the manager changes,
//! and shows it on a dashboard.
//!
//! [`Server`] is all of it as a library; [`http::router`] puts it on the network.
//!
//! - [`mod@env`]: the clock and the randomness, injected
//! - `apply`: the one rule for every mutation, in the plant's `books`; `effect`: what each kind does; `reversal`: what takes it back
//! - `batch`: many of a manager's actions at once
//! - `sync`: one round trip of a phone; `tamper`: what its hash chain vouches for; `photos`: a photo, piece by piece
//! - `who`: who does something, and what that person may; `audit`: what the audit trail says of it
//! - `sign_in`: passwords and sessions; `staff`: a plant's people; `admin`: setting a plant up; [`sample`]: a plant to
//!   try things on
//! - `live`: who watches a plant is told that something changed there
//! - [`store`]: the embedded database, with all of the SQL
//! - `secret`: tokens, codes, passwords; `brake`: the brake on guessing them; `limit`: the one on requests
//! - [`http`]: the routes; [`serve`]: sockets, TLS, limits and the end; `metrics`: what is counted
//! - [`config`]: flags, environment and file; [`backup`]: a copy of a running plant, and back;
//!   [`health`]: how a running server is
#![forbid(unsafe_code)]

mod admin;
mod apply;
mod audit;
pub mod backup;
mod batch;
mod books;
mod brake;
pub mod config;
mod effect;
pub mod env;
mod error;
mod fold;
pub mod health;
pub mod http;
mod limit;
mod live;
mod metrics;
mod parked;
mod photos;
mod reversal;
pub mod sample;
mod secret;
pub mod serve;
mod server;
mod sign_in;
mod staff;
pub mod store;
mod sync;
mod tamper;
mod who;

pub use admin::CODE_SPAN;
pub use apply::Outcome;
pub use error::Error;
pub use server::{Auth, Options, Server};
pub use sign_in::LINK_SPAN;
pub use staff::{Invitation, Unfit};
pub use who::{Author, By, Origin, Rank};
