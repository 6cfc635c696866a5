//! Virtual time: milliseconds since a run began, passing faster than real ones by a fixed factor.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

/// A moment or a length of virtual time, in milliseconds.
pub type Ms = u64;

const NANOS_PER_MS: u128 = 1_000_000;

/// A virtual clock. Copies of one clock agree, so that all phones of a run can share its time.
///
/// It runs on tokio's time: a paused tokio runtime pauses it too.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    scale: NonZeroU32,
}

impl Clock {
    /// Starts at 0 now; `scale` virtual milliseconds pass in each real one (240: four hours in a minute).
    ///
    /// Tokio's timers tick each real millisecond, so whatever waits wakes up to `scale` virtual ms late. Up to some 240 a
    /// [`crate::proxy::Proxy`] keeps a transfer within 1 % of its link's pace; at 1000 it lags by a third.
    #[must_use]
    pub fn start(scale: NonZeroU32) -> Self {
        Self { origin: Instant::now(), scale }
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Ms {
        let virtual_nanos = self.origin.elapsed().as_nanos() * u128::from(self.scale.get());
        Ms::try_from(virtual_nanos / NANOS_PER_MS).unwrap_or(Ms::MAX)
    }

    /// Waits until [`Clock::now`] is at least `at`; returns at once when it already is.
    pub async fn sleep_until(&self, at: Ms) {
        if self.now() < at {
            let nanos = (u128::from(at) * NANOS_PER_MS).div_ceil(u128::from(self.scale.get()));
            let real = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            tokio::time::sleep_until(self.origin + real).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn four_virtual_hours_pass_in_a_real_minute() {
        let real = Instant::now();
        let clock = Clock::start(NonZeroU32::new(240).unwrap());
        clock.sleep_until(4 * 3_600_000).await;
        assert_eq!(real.elapsed(), Duration::from_secs(60));
        assert_eq!(clock.now(), 4 * 3_600_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleeper_never_wakes_before_its_time() {
        let clock = Clock::start(NonZeroU32::new(7).unwrap());
        for at in [1, 6, 8, 13, 100, 1_003] {
            clock.sleep_until(at).await;
            assert!((at..at + 7).contains(&clock.now()), "asked for {at}, woke at {}", clock.now());
        }
    }
}
