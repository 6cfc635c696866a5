//! Opening a store with half a million records pending, up to the first screen, against an empty one.

use crate::filled::Filled;
use crate::marks::Marks;
use crate::probe::{median, summary};
use anyhow::Result;
use std::path::Path;
use std::time::{Duration, Instant};

/// Opens both `rounds` times, in turn.
pub(crate) fn run(filled: &Filled, rounds: usize, marks: &mut Marks) -> Result<()> {
    let (mut slow, mut fast) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        slow.push(opening(filled, &filled.full)?);
        fast.push(opening(filled, &filled.empty)?);
    }
    println!("opening after a clean stop, with status, routes and stops, {rounds} rounds in turn");
    println!("  {} records pending  {}", filled.count, summary(&mut slow));
    println!("  none pending            {}", summary(&mut fast));
    let more = (median(&mut slow).as_secs_f64() - median(&mut fast).as_secs_f64()) * 1e3;
    marks.at_most("difference of the medians", more, 10.0, " ms");
    Ok(())
}

fn opening(filled: &Filled, folder: &Path) -> Result<Duration> {
    let start = Instant::now();
    let engine = filled.world.engine(folder)?;
    engine.status()?;
    for route in engine.routes()? {
        engine.stops(route.route)?;
    }
    Ok(start.elapsed())
}
