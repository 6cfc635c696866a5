//! One action with half a million records pending against the same with none.

use crate::filled::Filled;
use crate::marks::Marks;
use crate::probe::{median, summary};
use crate::record::Kind;
use anyhow::Result;
use std::time::Instant;

/// Measures `rounds` actions of each kind, in turn in both files.
pub(crate) fn run(filled: &Filled, rounds: usize, marks: &mut Marks) -> Result<()> {
    let (full, empty) = (filled.world.engine(&filled.full)?, filled.world.engine(&filled.empty)?);
    println!("one action with {} records pending, {rounds} rounds in turn", filled.count);
    for kind in [Kind::Delivery, Kind::Cash] {
        let (mut slow, mut fast) = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
        for round in 0..rounds + rounds / 10 {
            for (engine, times) in [(&full, &mut slow), (&empty, &mut fast)] {
                let start = Instant::now();
                kind.act(engine, &filled.world, round)?;
                let took = start.elapsed();
                // The first tenth warms up.
                if round >= rounds / 10 {
                    times.push(took);
                }
            }
        }
        println!("  {} with all pending  {}", kind.name(), summary(&mut slow));
        println!("  {} with none         {}", kind.name(), summary(&mut fast));
        let ratio = median(&mut slow).as_secs_f64() / median(&mut fast).as_secs_f64();
        marks.at_most(&format!("{}, ratio of the medians", kind.name()), ratio, 1.10, "");
    }
    Ok(())
}
