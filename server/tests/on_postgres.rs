//! Every rule of the server, on PostgreSQL.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;
mod conformance;

use common::{Engine, World, world_on};

fn world() -> World {
    world_on(Engine::Postgres)
}
