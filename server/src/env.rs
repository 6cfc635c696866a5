//! What the server takes from its surroundings: time and randomness. Both are passed in, so that a simulator can
//! give one seed one history.

use carboy_protocol::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The server's clock. It stamps receipts and ends codes and sessions; nothing is ordered by it.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Timestamp;
}

/// A source of random bytes fit for keys and ids.
pub trait Random: Send + Sync {
    /// Fills `buffer`.
    ///
    /// # Errors
    /// If the source has none to give; the text says why.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), String>;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock before 1970 counts as 1970: codes and sessions then simply live longer.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
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
