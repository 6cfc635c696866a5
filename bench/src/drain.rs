//! What was recorded offline, over a recorded 3G link in virtual time, against what the link could carry.

use crate::marks::{Marks, Plot};
use crate::world::{VirtualClock, World, copy};
use anyhow::{Result, ensure};
use carboy_core::{Exchange, LinkError, Reply, Wake};
use carboy_sim::link::Direction::{Down, Up};
use carboy_sim::link::{Link, UMTS_RTT};
use carboy_sim::trace::Trace;
use std::path::Path;
use std::sync::Arc;

/// What an HTTP request and its reply add to their bodies, in bytes.
const HEADERS: u64 = 400;

/// A step from one starting moment to the next, in ms: no divisor of the recording's length.
const STEP: u64 = 61_700;

/// How many records are pending: one request holds the first three.
const COUNTS: [usize; 4] = [200, 1_000, 5_000, 20_000];

/// So many points make the line of what the link could carry.
const POINTS: u64 = 40;

/// One draining of an outbox.
struct Run {
    /// When it began, in ms since the recording did.
    start: u64,
    exchanges: u64,
    up: u64,
    down: u64,
    /// Until the outbox was empty, in ms.
    took: u64,
    /// Until a request that holds everything could have arrived and its reply come back, in ms.
    ideal: u64,
    /// The same with a reply that weighs nothing, in ms.
    ideal_up: u64,
    /// How many were pending, by ms since it began.
    course: Vec<(u64, u64)>,
}

/// Drains outboxes of several sizes, each from several moments of the recording on.
pub(crate) fn run(folder: &Path, quick: bool, marks: &mut Marks) -> Result<()> {
    let memory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir_in(folder))?;
    let plant = memory.path().join("plant");
    let world = World::create(&plant)?;
    let starts = if quick { 3 } else { 15 };
    println!("draining over the recorded 3G link, {UMTS_RTT} ms round trip, from {starts} moments of it");
    for count in COUNTS {
        let offline = memory.path().join(format!("offline-{count}"));
        copy(&plant, &offline)?;
        world.record(&world.engine(&offline)?, &VirtualClock::default(), 0..count)?;
        let mut runs = Vec::new();
        for start in 0..starts {
            let copied = memory.path().join("copy");
            copy(&offline, &copied)?;
            runs.push(drained(&world, &copied, start * STEP)?);
            std::fs::remove_dir_all(&copied)?;
        }
        // By how much longer they took than they could have, the best first.
        runs.sort_by(|a, b| ratio(a.took, a.ideal).total_cmp(&ratio(b.took, b.ideal)));
        report(count, &runs, marks);
        if count == COUNTS[COUNTS.len() - 1] {
            plot(count, &runs, marks);
        }
    }
    Ok(())
}

fn report(count: usize, runs: &[Run], marks: &mut Marks) {
    let most = runs.iter().map(|run| run.exchanges).max().unwrap_or_default();
    if count == COUNTS[0] {
        marks.at_most(&format!("{count} pending, round trips until idle"), ratio(most, 1), 1.0, "");
    }
    let first = &runs[0];
    println!("  {count} pending: {most} round trips until idle, {} bytes up, {} down", first.up, first.down);
    let mut up: Vec<f64> = runs.iter().map(|run| ratio(run.took, run.ideal_up)).collect();
    up.sort_by(f64::total_cmp);
    println!("  against the uplink alone, median {:.2}, worst {:.2}", up[up.len() / 2], up[up.len() - 1]);
    let both = |run: &Run| ratio(run.took, run.ideal);
    marks.note(&format!("{count} pending, against the link, median"), both(&runs[runs.len() / 2]), "");
    marks.at_most(&format!("{count} pending, against the link, worst"), both(&runs[runs.len() - 1]), 1.1, "");
}

/// The courses of the run in the middle and of the worst, each beside what the link could have carried.
fn plot(count: usize, runs: &[Run], marks: &mut Marks) {
    let seconds = |ms: u64| ratio(ms, 1_000);
    for (name, run) in [("median", &runs[runs.len() / 2]), ("worst", &runs[runs.len() - 1])] {
        // What is pending stays so until a reply settles it.
        let steps = run.course.windows(2).flat_map(|two| [two[0], (two[1].0, two[0].1)]);
        let course = steps.chain(run.course.last().copied());
        let course = course.map(|(ms, pending)| (seconds(ms), ratio(pending, 1)));
        marks.line(Plot::Drain, &format!("{name} moment"), course);
        let link = (0..=POINTS).map(|n| {
            let sent = Trace::umts_up().last_byte_at(run.start, run.up * n / POINTS) - run.start;
            let left = ratio(count as u64 * (POINTS - n), POINTS);
            (seconds(if n == POINTS { run.ideal } else { sent }), left)
        });
        marks.line(Plot::Drain, &format!("{name} moment, what the link carries"), link);
    }
}

fn ratio(value: u64, of: u64) -> f64 {
    let float = |value: u64| f64::from(u32::try_from(value).unwrap_or(u32::MAX));
    float(value) / float(of)
}

/// Drains the phone in `folder` from `start` on, in ms since the recording began.
fn drained(world: &World, folder: &Path, start: u64) -> Result<Run> {
    let clock = Arc::new(VirtualClock::default());
    let mut session = world.session(folder, &clock)?;
    let mut link = Link::umts();
    let pending = session.engine.status()?.pending;
    let course = vec![(0, pending)];
    let mut run = Run { start, exchanges: 0, up: 0, down: 0, took: 0, ideal: 0, ideal_up: 0, course };
    clock.set(start);
    session.drainer.wake(Wake::Online);
    session.drive(
        |session, exchange| {
            run.exchanges += 1;
            let (now, pending) = (clock.ms() - start, session.engine.status()?.pending);
            run.course.push((now, pending));
            let is_empty = pending == 0;
            if is_empty && run.took == 0 {
                run.took = now;
            }
            let (reply, up, down) = carried(&mut link, &clock, session.serve(exchange)?, exchange);
            if !is_empty {
                run.up += up;
                run.down += down;
            }
            Ok(reply)
        },
        Some(&clock),
    )?;
    if run.took == 0 {
        run.took = clock.ms() - start;
        run.course.push((run.took, 0));
    }
    ensure!(session.engine.status()?.pending == 0, "not all was settled");
    run.course.truncate(1 + run.course.iter().position(|&(_, pending)| pending == 0).unwrap_or_default());
    let mut link = Link::umts();
    let there = link.send(Up, start, run.up + HEADERS).unwrap_or(u64::MAX);
    let back = link.send(Down, there, run.down + HEADERS).unwrap_or(u64::MAX);
    run.ideal = back - start;
    run.ideal_up = Trace::umts_up().last_byte_at(start, run.up) + UMTS_RTT - start;
    Ok(run)
}

/// Carries one exchange over the link, in its time. Tells what the bodies weighed.
fn carried(
    link: &mut Link,
    clock: &VirtualClock,
    reply: Reply,
    exchange: &Exchange,
) -> (Result<Reply, LinkError>, u64, u64) {
    let (up, down) = (exchange.body.bytes().len() as u64, reply.body.len() as u64);
    let there = link.send(Up, clock.ms(), up + HEADERS);
    let back = there.and_then(|there| link.send(Down, there, down + HEADERS));
    let lost = || LinkError("signal lost".to_owned());
    if let Some(back) = back {
        clock.set(back);
    }
    (back.map(|_| reply).ok_or_else(lost), up, down)
}
