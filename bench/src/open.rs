//! Opening a store with up to a million records pending, up to the first screen, against an empty one.

use crate::filled::Filled;
use crate::marks::Marks;
use crate::probe::{median_us, summary};
use anyhow::{Result, ensure};
use carboy_core::Engine;
use std::time::{Duration, Instant};

/// How many of the queue a screen shows at first.
const FIRST: u32 = 100;

/// Opens all `rounds` times, in turn.
pub(crate) fn run(filled: &Filled, rounds: usize, marks: &mut Marks) -> Result<()> {
    let (mut openings, mut queues) = ([const { Vec::new() }; 5], [const { Vec::new() }; 5]);
    for _ in 0..rounds {
        for ((store, openings), queues) in filled.stores.iter().zip(&mut openings).zip(&mut queues) {
            let start = Instant::now();
            let engine = filled.world.engine(&store.folder)?;
            first_screen(&engine)?;
            openings.push(start.elapsed());
            queues.push(queue(&engine, store.count)?);
        }
    }
    println!("opening after a clean stop, with status, routes and stops, {rounds} rounds in turn");
    let mut medians = Vec::new();
    for ((store, openings), queues) in filled.stores.iter().zip(&mut openings).zip(&mut queues) {
        println!("  {} pending: opening {}", store.count, summary(openings));
        println!("  {} pending: the first {FIRST} of the queue {}", store.count, summary(queues));
        medians.push((median_us(openings) / 1e3, median_us(queues) / 1e3));
    }
    let ((empty, _), (full, queue)) = (medians[0], medians[medians.len() - 1]);
    marks.note("opening with none pending, up to the first screen", empty, "ms");
    marks.at_most("what the fullest takes more", full - empty, 10.0, "ms");
    marks.at_most(&format!("the first {FIRST} of the fullest queue"), queue, 1.0, "ms");
    Ok(())
}

fn first_screen(engine: &Engine) -> Result<()> {
    engine.status()?;
    for route in engine.routes()? {
        engine.stops(route.route)?;
    }
    Ok(())
}

fn queue(engine: &Engine, pending: usize) -> Result<Duration> {
    let start = Instant::now();
    let queue = engine.waiting(0, FIRST)?;
    let took = start.elapsed();
    ensure!(queue.len() == pending.min(FIRST as usize), "{} of {pending} are shown", queue.len());
    Ok(took)
}
