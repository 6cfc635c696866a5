//! What the core takes from its surroundings: time and randomness. Both are passed in, so that a simulator can
//! give one seed one history.

use carboy_protocol::Timestamp;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The device's clocks.
pub trait Clock: Send + Sync {
    /// What the wall clock says. Evidence only: it may be years off and may jump.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment, never going back. What the drainer waits by.
    fn elapsed(&self) -> Duration;
}

/// A source of random bytes fit for keys and ids.
pub trait Random: Send + Sync {
    /// Fills `buffer`.
    ///
    /// # Errors
    /// If the source has none to give; the text says why.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), String>;
}

/// The operating system's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()),
            Err(before) => i64::try_from(before.duration().as_millis()).map(std::ops::Neg::neg),
        };
        Timestamp(millis.unwrap_or(i64::MAX))
    }

    fn elapsed(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
}

/// The operating system's secure random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), String> {
        getrandom::fill(buffer).map_err(|error| error.to_string())
    }
}
