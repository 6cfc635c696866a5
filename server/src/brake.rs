//! The brake on guessing passwords and codes: after so many failed attempts each further one has to wait, longer
//! every time. It is kept in the database, so that it holds across server processes and restarts.

use crate::store::Tx;
use crate::{Error, Server, secret};
use carboy_protocol::Timestamp;
use std::net::IpAddr;

/// The first wait, in milliseconds; each further one is twice as long.
const FIRST_WAIT: i64 = 60_000;

/// The longest wait, in milliseconds: a stranger who fails on purpose must not lock anybody out for a day.
const LONGEST_WAIT: i64 = 15 * 60_000;

/// After so long without a failure all is forgotten, in milliseconds.
const MEMORY: i64 = 24 * 60 * 60 * 1000;

/// What attempts are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Brake {
    key: [u8; 32],
    /// Attempts that may fail before the first wait.
    free: u32,
}

/// What is known of a brake's attempts that failed or are under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attempts {
    pub(crate) count: u32,
    pub(crate) last_at: Timestamp,
}

impl Brake {
    /// Attempts with a login, whether there is such a one or not.
    pub(crate) fn login(login: &str) -> Self {
        Self { key: secret::brake_key("login", login), free: 10 }
    }

    /// Attempts to sign in from an address. Many people may share one.
    pub(crate) fn sign_in_from(address: &str) -> Self {
        Self { key: secret::brake_key("sign-in", &network(address)), free: 50 }
    }

    /// Attempts to enrol from an address.
    pub(crate) fn enrol_from(address: &str) -> Self {
        Self { key: secret::brake_key("enrol", &network(address)), free: 10 }
    }

    /// How long the next attempt has to wait, in milliseconds; 0 if it need not.
    fn wait(self, attempts: Attempts, now: Timestamp) -> i64 {
        let Some(doublings) = attempts.count.checked_sub(self.free) else { return 0 };
        let wait = FIRST_WAIT.saturating_mul(1 << doublings.min(10)).min(LONGEST_WAIT);
        // A clock set back must not hold anybody longer than that.
        let since = now.0.saturating_sub(attempts.last_at.0).max(0);
        (wait - since).max(0)
    }

    fn check(self, attempts: Attempts, now: Timestamp) -> Result<(), Error> {
        match self.wait(attempts, now) {
            0 => Ok(()),
            wait => Err(Error::Wait { seconds: wait.unsigned_abs().div_ceil(1000) }),
        }
    }

    /// Notes an attempt that failed, and says whether the next one has to wait.
    pub(crate) fn failed(self, tx: &Tx<'_>, now: Timestamp) -> Result<bool, Error> {
        let count = tx.lock_brake(self.key, now)?.count.max(1);
        tx.set_brake(self.key, Attempts { count, last_at: now })?;
        Ok(count >= self.free)
    }

    /// Forgets the attempts that failed before one that did not.
    pub(crate) fn release(self, tx: &Tx<'_>) -> Result<(), Error> {
        tx.delete_brake(self.key)
    }

    /// Takes back one attempt, which did not fail; the others stay.
    pub(crate) fn give_back(self, tx: &Tx<'_>, now: Timestamp) -> Result<(), Error> {
        let Attempts { count, last_at } = tx.lock_brake(self.key, now)?;
        tx.set_brake(self.key, Attempts { count: count.saturating_sub(1), last_at })
    }
}

impl Server {
    /// Counts an attempt under each of these brakes before it is made: a thousand at once are a thousand.
    ///
    /// # Errors
    /// [`Error::Wait`] if it may not be made yet; it is not counted then.
    pub(crate) fn attempt<const N: usize>(&self, mut brakes: [Brake; N]) -> Result<(), Error> {
        // In one order everywhere, so that two processes never wait for each other.
        brakes.sort_unstable();
        let now = self.now();
        // Whoever has to wait costs no write.
        self.store().read(|tx| {
            brakes.iter().try_for_each(|brake| match tx.brake(brake.key)? {
                Some(attempts) => brake.check(attempts, now),
                None => Ok(()),
            })
        })?;
        self.store().write_apart(|tx| {
            tx.delete_brakes_before(Timestamp(now.0.saturating_sub(MEMORY)))?;
            for brake in brakes {
                let attempts = tx.lock_brake(brake.key, now)?;
                brake.check(attempts, now)?;
                tx.set_brake(brake.key, Attempts { count: attempts.count.saturating_add(1), last_at: now })?;
            }
            Ok(())
        })
    }
}

/// What an address is counted as: of IPv6, one customer of a provider has a network of 2^64 of them.
fn network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::")
        }
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_twice_as_long_as_the_one_before_up_to_a_quarter_of_an_hour() {
        let brake = Brake { key: [0; 32], free: 10 };
        let at = Timestamp(1_000_000);
        let wait = |count| brake.wait(Attempts { count, last_at: at }, at) / 60_000;
        assert_eq!([0, 9, 10, 11, 12, 13, 14, 15, u32::MAX].map(wait), [0, 0, 1, 2, 4, 8, 15, 15, 15]);
        let after = |millis: i64| {
            brake.wait(Attempts { count: 10, last_at: at }, Timestamp(at.0.saturating_add(millis)))
        };
        assert_eq!([59_999, 60_000, -1_000_000_000, i64::MAX].map(after), [1, 0, 60_000, 0]);
    }

    #[test]
    fn addresses_of_one_network_count_as_one() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::9"));
        assert_ne!(network("2001:db8:1:3::9"), network("2001:db8:1:2::9"));
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
    }
}
