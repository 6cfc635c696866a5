//! The morning's timetable: when each rider acts, when he has signal, when the manager steps in.

use crate::rider::Rider;
use crate::{Options, Plant, manager};
use anyhow::{Context, Result, ensure};
use carboy_sim::clock::{Clock, Ms};
use carboy_sim::link::Link;
use std::fmt::Write;
use std::num::NonZeroU32;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

/// A virtual minute, in virtual milliseconds.
pub(crate) const MINUTE: Ms = 60_000;

/// From the first minute to the last, in virtual minutes.
const LENGTH: Ms = 180;

/// The riders act between these minutes; the rest is for the last of it to be sent.
const WORK: Range<Ms> = 5..165;

/// When each rider has no signal, in minutes. The first spends two hours in the basement of a supermarket.
const BASEMENTS: [&[(Ms, Ms)]; 3] =
    [&[(20, 140)], &[(30, 55), (90, 110)], &[(12, 20), (60, 100), (130, 134)]];

/// When the first rider, in his basement, takes cash from the customer whom the manager changes too.
const RIDER_AT_DISPUTED: Ms = 40;

/// When the manager opens the customer's page, and when he sends what he changed on it.
const MANAGER_LOOKS: Ms = 15;
const MANAGER_CHANGES: Ms = 60;

/// How often a rider who has signal but could not send everything is asked again, in the end.
const LAST_TRIES: usize = 60;

/// Lets the three riders work. Returns them with all that they recorded settled.
pub(crate) async fn run(options: &Options, plant: &Plant, folder: &Path) -> Result<Vec<Rider>> {
    let virtual_seconds = u32::try_from(LENGTH * 60)?;
    let scale =
        NonZeroU32::new(virtual_seconds / options.seconds.max(1)).context("the morning is too long")?;
    let clock = Clock::start(scale);
    let disputed = manager::debtor(plant)?;
    let mut riders = Vec::new();
    for (number, basements) in BASEMENTS.iter().enumerate() {
        let link = basements
            .iter()
            .try_fold(Link::umts(), |link, (start, end)| link.with_outage(start * MINUTE..end * MINUTE))?;
        riders.push(Rider::enrol(plant, number, link, clock, folder, disputed).await?);
    }
    let seen = {
        let looked = clock.sleep_until(MANAGER_LOOKS * MINUTE);
        let share = options.actions.div_ceil(riders.len());
        let (mut schedule, mut signals) = (Vec::new(), Vec::new());
        for rider in &riders {
            signals.push(rider.follow_signal(clock));
            schedule.push(work(rider, clock, share));
        }
        let manager = async {
            looked.await;
            let seen = manager::look(plant, disputed)?;
            clock.sleep_until(MANAGER_CHANGES * MINUTE).await;
            manager::change(plant, disputed, &seen).await?;
            anyhow::Ok(seen)
        };
        let dispute = async {
            clock.sleep_until(RIDER_AT_DISPUTED * MINUTE).await;
            riders[0].at_disputed(disputed)
        };
        let [first, second, third] = <[_; 3]>::try_from(schedule).ok().context("three riders")?;
        let all = async { tokio::try_join!(first, second, third, manager, dispute) };
        let (.., seen, ()) = tokio::select! {
            done = all => done?,
            never = progress(&riders, clock) => never,
        };
        for signal in signals {
            signal.abort();
        }
        seen
    };
    finish(&riders, clock).await?;
    for rider in &mut riders {
        rider.disputed = Some((disputed, seen.clone()));
    }
    Ok(riders)
}

/// One rider's share of the work, evenly over his hours.
async fn work(rider: &Rider, clock: Clock, actions: usize) -> Result<()> {
    let (start, end) = (WORK.start * MINUTE, WORK.end * MINUTE);
    rider.begin_day()?;
    for action in 0..actions {
        let at = start + (end - start) * action as u64 / actions as u64;
        clock.sleep_until(at).await;
        rider.act(action)?;
    }
    Ok(())
}

/// Prints how things stand, until dropped.
async fn progress<T>(riders: &[Rider], clock: Clock) -> T {
    loop {
        print_line(riders, clock);
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

fn print_line(riders: &[Rider], clock: Clock) {
    let minutes = clock.now() / MINUTE;
    let mut line = format!("{:02}:{:02}", 7 + minutes / 60, minutes % 60);
    for rider in riders {
        let signal = if rider.has_signal(clock) { "signal   " } else { "no signal" };
        let (recorded, pending) = (rider.recorded().len() as u64, rider.pending());
        let settled = recorded.saturating_sub(pending);
        let name = rider.name.split(' ').next().unwrap_or_default();
        let _ = write!(line, " │ {name:<8} {signal} pending {pending:>4} sent {settled:>4}");
    }
    println!("{line}");
}

/// Everybody has signal: what is left is sent, and everybody fetches what the others did.
async fn finish(riders: &[Rider], clock: Clock) -> Result<()> {
    for rider in riders {
        rider.end_day()?;
        for _ in 0..LAST_TRIES {
            rider.runtime.network_changed(true);
            let report = rider.runtime.sync_now().await.context("the drainer ended")?;
            if report.status.pending == 0 && report.status.state == carboy_core::SyncState::Idle {
                break;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        ensure!(rider.pending() == 0, "{} still holds {} actions", rider.name, rider.pending());
    }
    for rider in riders {
        rider.runtime.sync_now().await.context("the drainer ended")?;
    }
    print_line(riders, clock);
    Ok(())
}
