//! Bad weather for Carboy: a phone's real 3G link, replayed over a virtual clock in front of a real server, and a disk
//! that fails; and a simulator that puts whole plants under every fault at once.
//!
//! - [`run`]: a [`world`] from its beginning to its end, as a [`schedule`] says; [`shrink`]: the few operations that a
//!   failure needs
//! - [`model`]: what must come of it; [`history`]: what came of it, as one hash; [`report`]: what is counted
//! - [`dice`]: all chance; [`disk`]: a disk that fails
//! - [`fuzz`]: what the fuzzers run; [`plant`]: a plant in the middle of a day, for them and for tests
//! - [`link`], [`trace`], [`clock`], [`proxy`]: a recorded link, for the simulator and in front of a real server

pub mod clock;
pub mod dice;
pub mod disk;
pub mod fuzz;
pub mod history;
pub mod link;
pub mod model;
pub mod plant;
pub mod proxy;
pub mod report;
pub mod run;
pub mod schedule;
pub mod shrink;
pub mod trace;
pub mod world;
