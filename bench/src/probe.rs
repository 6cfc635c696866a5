//! What the machine gives at this moment: a bare fdatasync of one page, and the load.

use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// With a flush slower than this, in µs, the work beside it does not show.
const SLOW: u64 = 1_000;

/// What was found.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Probe {
    /// A bare fdatasync of one page, in µs.
    fdatasync_median: u64,
    fdatasync_p99: u64,
    /// The mean number of processes that wanted to run in the last minute.
    load: f64,
}

impl Probe {
    /// Probes the disk of `folder`.
    pub(crate) fn take(folder: &Path) -> Result<Self> {
        let mut file = File::create(folder.join("probe"))?;
        let page = [1; 4096];
        let mut times = Vec::new();
        for _ in 0..200 {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&page)?;
            let start = Instant::now();
            file.sync_data()?;
            times.push(start.elapsed());
        }
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(f64::NAN);
        let [fdatasync_median, fdatasync_p99] = [50, 99].map(|percent| at(&mut times, percent));
        Ok(Self { fdatasync_median, fdatasync_p99, load })
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fdatasync_median, fdatasync_p99, load } = self;
        write!(f, "fdatasync {fdatasync_median} µs (p99 {fdatasync_p99}), load {load}")?;
        if *fdatasync_median > SLOW {
            f.write_str("; so slow that times on disk are waiting, and ratios of them say little")?;
        }
        Ok(())
    }
}

/// The median with its neighbours, in microseconds.
pub(crate) fn summary(times: &mut [Duration]) -> String {
    let [median, p10, p90, p99] = [50, 10, 90, 99].map(|percent| at(times, percent));
    format!("median {median} µs (p10 {p10}, p90 {p90}, p99 {p99})")
}

/// So many microseconds were not passed by `percent` of them. `times` is sorted by this.
fn at(times: &mut [Duration], percent: usize) -> u64 {
    times.sort();
    u64::try_from(times[(times.len() - 1) * percent / 100].as_micros()).unwrap_or(u64::MAX)
}

/// The median. `times` is sorted by this.
pub(crate) fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The median in microseconds.
pub(crate) fn median_us(times: &mut [Duration]) -> f64 {
    median(times).as_secs_f64() * 1e6
}

/// What 99 in 100 do not pass, in microseconds.
pub(crate) fn p99_us(times: &mut [Duration]) -> f64 {
    at(times, 99) as f64
}
