//! The resident memory of the server's process while it applies a million mutations.

use crate::marks::Marks;
use crate::riders::Rider;
use crate::served::{Connection, Served, sync_request};
use anyhow::{Context, Result, ensure};
use carboy_protocol::wire::{MAX_BATCH, SyncReply, SyncRequest};
use carboy_server::Server;
use flate2::read::GzDecoder;
use std::path::Path;
use std::time::Instant;

/// Riders of the one plant, each with a round of its own.
const RIDERS: usize = 4;

/// Customers of each round.
const CUSTOMERS: usize = 120;

/// Sends `count` mutations in the largest batches that there are, and fetches the feed behind each.
pub(crate) fn run(folder: &Path, count: usize, marks: &mut Marks) -> Result<()> {
    let file = folder.join("memory.db");
    let server = Server::open(&file)?;
    let plant = server.create_plant("Maji Safi", "KES".parse()?)?;
    let mut riders = Vec::new();
    for number in 0..RIDERS {
        let mut rider = Rider::enrol(&server, plant, number)?;
        rider.add_customers(&server, CUSTOMERS)?;
        riders.push((rider, 0));
    }
    drop(server);
    let served = Served::start(file.to_str().context("no UTF-8")?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut connection = runtime.block_on(served.connect())?;
    let (idle, start, mut samples) = (served.resident()?, Instant::now(), Vec::new());
    for batch in 0..count / MAX_BATCH {
        let (rider, cursor) = &mut riders[batch % RIDERS];
        *cursor = runtime.block_on(synced(&mut connection, rider, *cursor))?;
        samples.push(served.resident()?);
    }
    let (warm, rest) = samples.split_at(samples.len() / 10);
    let early = warm.last().copied().context("nothing was sent")?;
    let peak = rest.iter().max().copied().unwrap_or(early);
    let mib = |kib: u32| f64::from(kib) / 1024.0;
    println!("{count} mutations over HTTP on SQLite, {MAX_BATCH} in a request, {:.0?}", start.elapsed());
    println!("  resident: {:.1} MiB before, {:.1} behind the first tenth", mib(idle), mib(early));
    marks.at_most("at most from there on", mib(peak) - mib(early), 16.0, " MiB more");
    Ok(())
}

/// Sends a batch and fetches the feed to its end, as a phone does. Returns the cursor there.
async fn synced(connection: &mut Connection, rider: &mut Rider, mut cursor: u64) -> Result<u64> {
    let mut count = MAX_BATCH;
    loop {
        let request: SyncRequest = rider.round(count, cursor)?;
        let body = connection.exchange(sync_request(&rider.token, &request)?).await?;
        let reply: SyncReply = serde_json::from_reader(GzDecoder::new(&body[..]))?;
        ensure!(reply.results.len() == count, "{} results for {count}", reply.results.len());
        if !reply.more {
            return Ok(reply.cursor);
        }
        (count, cursor) = (0, reply.cursor);
    }
}
