//! How many requests a phone or an address may send: a bucket of tokens for each, filled again as time goes by.

use carboy_protocol::Timestamp;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// The most buckets remembered. Full ones go first; if none is full, all go, and nobody waits for that.
const MAX_BUCKETS: usize = 50_000;

/// A brake on requests, by key. Kept in memory: each server process counts what it serves itself.
#[derive(Debug)]
pub(crate) struct Limiter<K> {
    /// Requests at once, after a rest.
    burst: i64,
    /// Requests per second in the long run.
    rate: i64,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    /// In thousandths of a request, as of then.
    tokens: i64,
    then: Timestamp,
}

impl<K: Hash + Eq> Limiter<K> {
    pub(crate) fn new(burst: i64, rate: i64) -> Self {
        Self { burst, rate, buckets: Mutex::default() }
    }

    /// Takes a request's token. `Err` if there is none: so many seconds until there is.
    pub(crate) fn take(&self, key: K, now: Timestamp) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| self.filled(bucket, now) < self.burst * 1000);
            if buckets.len() >= MAX_BUCKETS {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(key).or_insert(Bucket { tokens: self.burst * 1000, then: now });
        *bucket = Bucket { tokens: self.filled(bucket, now), then: now };
        if bucket.tokens >= 1000 {
            bucket.tokens -= 1000;
            return Ok(());
        }
        // A token is so many milliseconds away; never told as no time at all.
        let millis = (1000 - bucket.tokens) / self.rate;
        Err(millis.unsigned_abs().div_ceil(1000).max(1))
    }

    /// The tokens there now. One thousandth comes in per millisecond and unit of the rate; a clock set back adds none.
    fn filled(&self, bucket: &Bucket, now: Timestamp) -> i64 {
        let since = now.0.saturating_sub(bucket.then.0).max(0);
        bucket.tokens.saturating_add(since.saturating_mul(self.rate)).min(self.burst * 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_burst_a_key_goes_on_at_the_rate_and_others_are_not_held() {
        let limiter = Limiter::new(3, 2);
        let at = |millis: i64| Timestamp(10_000 + millis);
        assert_eq!([0; 4].map(|_| limiter.take('a', at(0))), [Ok(()), Ok(()), Ok(()), Err(1)]);
        assert_eq!(limiter.take('b', at(0)), Ok(()));
        let later = [500, 600, 1_000, -90_000, 3_600_000].map(|millis| limiter.take('a', at(millis)));
        assert_eq!(later, [Ok(()), Err(1), Ok(()), Err(1), Ok(())]);
    }

    #[test]
    fn no_number_of_keys_fills_the_memory_or_holds_anybody() {
        let limiter = Limiter::new(2, 1);
        for key in 0..3 * MAX_BUCKETS {
            limiter.take(key, Timestamp(0)).unwrap();
            assert!(limiter.buckets.lock().unwrap().len() <= MAX_BUCKETS);
        }
    }
}
