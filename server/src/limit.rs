//! A brake on guessing: so many failed attempts per key and minute.

use carboy_protocol::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The window in which attempts are counted, in milliseconds.
const WINDOW: i64 = 60_000;

/// The most keys remembered: beyond, all are held back until a window ends.
const MAX_KEYS: usize = 10_000;

/// Counts failed attempts by key (an address, a login) and says when there were too many.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: u32,
    failures: Mutex<HashMap<String, (Timestamp, u32)>>,
}

impl Limiter {
    /// A brake that holds after `limit` failures within a minute.
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit, failures: Mutex::default() }
    }

    /// Whether `key` may try now.
    pub(crate) fn may_try(&self, key: &str, now: Timestamp) -> bool {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock set back must not hold anybody longer than a window.
        failures.retain(|_, (since, _)| now.0.abs_diff(since.0) < WINDOW.unsigned_abs());
        match failures.get(key) {
            Some(&(_, count)) => count < self.limit,
            None => failures.len() < MAX_KEYS,
        }
    }

    /// Takes note that `key` failed.
    pub(crate) fn failed(&self, key: &str, now: Timestamp) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, count) = failures.entry(key.to_owned()).or_insert((now, 0));
        *count = count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_too_many_failures_a_key_waits_for_the_window_to_end_and_others_do_not() {
        let limiter = Limiter::new(2);
        for now in [1, 2] {
            assert!(limiter.may_try("a", Timestamp(now)));
            limiter.failed("a", Timestamp(now));
        }
        assert!(!limiter.may_try("a", Timestamp(3)));
        assert!(limiter.may_try("b", Timestamp(3)));
        assert!(limiter.may_try("a", Timestamp(1 + WINDOW)));
    }
}
