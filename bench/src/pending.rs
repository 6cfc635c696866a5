//! One action with up to a million records pending against the same with none, and what a record takes on the disk.

use crate::filled::Filled;
use crate::marks::{Marks, Plot};
use crate::probe::{median_us, summary};
use crate::record::Kind;
use anyhow::Result;
use std::time::Instant;

/// Measures `rounds` actions of each kind, in turn in all files.
pub(crate) fn run(filled: &Filled, rounds: usize, marks: &mut Marks) -> Result<()> {
    let (world, most) = (&filled.world, filled.fullest().count);
    let engines = filled.stores.iter().map(|store| world.engine(&filled.copied(store)?));
    let engines = engines.collect::<Result<Vec<_>>>()?;
    println!("one action with up to {most} records pending, {rounds} rounds in turn");
    for kind in [Kind::Delivery, Kind::Cash] {
        let mut times = vec![Vec::with_capacity(rounds); engines.len()];
        for round in 0..rounds + rounds / 10 {
            for (engine, times) in engines.iter().zip(&mut times) {
                let start = Instant::now();
                kind.act(engine, world, round)?;
                let took = start.elapsed();
                // The first tenth warms up.
                if round >= rounds / 10 {
                    times.push(took);
                }
            }
        }
        let mut points = Vec::new();
        for (store, times) in filled.stores.iter().zip(&mut times) {
            println!("  {}, {} pending: {}", kind.name(), store.count, summary(times));
            points.push((store.count as f64, median_us(times)));
        }
        let ratio = points[points.len() - 1].1 / points[0].1;
        marks.line(Plot::Pending, kind.name(), points);
        marks.at_most(&format!("{} with {most} pending against none", kind.name()), ratio, 1.1, "");
    }
    let bytes = (filled.fullest().bytes - filled.empty().bytes) as f64 / most as f64;
    marks.at_most("bytes on disk per action, as a round brings them", bytes, 450.0, "bytes");
    Ok(())
}
