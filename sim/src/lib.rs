//! Bad weather for Carboy: a phone's real 3G link, replayed over a virtual clock in front of a real server, and a disk
//! that fails.

pub mod clock;
pub mod disk;
pub mod link;
pub mod proxy;
pub mod trace;
