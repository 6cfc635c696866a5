//! What was acknowledged stays, once and in order: servers, connections and databases fail under load, for real.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod client;
mod commit;
#[path = "../common/mod.rs"]
mod common;
mod connections;
mod failover;
mod kill;
mod many_servers;
#[path = "../common/patience.rs"]
mod patience;
mod process;
mod wire;
