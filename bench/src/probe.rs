//! What the machine gives at this moment: a bare fdatasync of one page, and the load.

use anyhow::Result;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// With a flush slower than this, the work beside it does not show.
const SLOW: Duration = Duration::from_millis(1);

/// Prints the probe.
pub(crate) fn print(folder: &Path) -> Result<()> {
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
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_else(|_| "unknown".into());
    println!("disk: fdatasync of one page {}; load {}", summary(&mut times), load.trim());
    if median(&mut times) > SLOW {
        println!(
            "the machine is busy or the disk slow: times on disk are waiting, and ratios of them say little"
        );
    }
    Ok(())
}

/// The median with its neighbours, in microseconds.
pub(crate) fn summary(times: &mut [Duration]) -> String {
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_micros();
    format!("median {} µs (p10 {}, p90 {}, p99 {})", at(50), at(10), at(90), at(99))
}

/// The median. `times` is sorted by this.
pub(crate) fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}
