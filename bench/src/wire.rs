//! Bytes per mutation, compressed as sent.

use crate::marks::Marks;
use crate::world::{VirtualClock, World, lines};
use anyhow::{Result, ensure};
use carboy_core::Exchange;
use carboy_protocol::Money;
use std::path::Path;
use std::sync::Arc;

const STOPS: usize = 100;

/// A round's hundred deliveries, each with its cash, in one request.
pub(crate) fn run(folder: &Path, marks: &mut Marks) -> Result<()> {
    let folder = folder.join("wire");
    let world = World::create(&folder)?;
    let clock = Arc::new(VirtualClock::default());
    let mut session = world.session(&folder, &clock)?;
    session.sync()?;
    for (stop, &customer) in world.customers.iter().take(STOPS).enumerate() {
        clock.advance(50_000 + stop as u64 * 7_919 % 19_973);
        session.engine.confirm_delivery(customer, &lines(stop), None, &[])?;
        clock.advance(9_000 + stop as u64 * 5_407 % 9_973);
        let owed = session.engine.customer(customer)?.balance;
        session.engine.collect_cash(customer, Money::new(owed.minor, owed.currency))?;
    }
    let mut sizes = Vec::new();
    session.drive(
        |session, exchange: &Exchange| {
            let reply = session.serve(exchange)?;
            sizes.push((exchange.body.bytes().len(), reply.body.len()));
            Ok(Ok(reply))
        },
        None,
    )?;
    ensure!(session.engine.status()?.pending == 0, "not all was settled");
    let each = |bytes: usize| f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / (2 * STOPS) as f64;
    let (up, down) = sizes.iter().fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1));
    println!("{STOPS} deliveries, each with its cash, to {STOPS} customers, in {} request", sizes.len());
    println!("  up {up} bytes; results and feed down {down} bytes, {:.2} per mutation", each(down));
    marks.at_most("up, per mutation", each(up), 64.0, "bytes");
    Ok(())
}
