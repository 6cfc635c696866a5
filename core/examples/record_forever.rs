//! A rider who collects one cent after another until he is killed, and says so after each call that returned:
//! `record_forever FILE`, where the file holds at least one customer. The kill test runs it.

use carboy_core::{Engine, Identity, SystemClock, SystemRandom};
use carboy_protocol::{AccountId, CustomerId, Money, PlantId};
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: record_forever FILE")?;
    let currency = "KES".parse()?;
    let identity =
        Identity { plant: PlantId::from_bytes([1; 16]), account: AccountId::from_bytes([2; 16]), currency };
    let engine = Engine::open(Path::new(&path), &identity, Arc::new(SystemClock), Arc::new(SystemRandom))?;
    let mut out = std::io::stdout();
    loop {
        let receipt = engine.collect_cash(CustomerId::from_bytes([1; 16]), Money::new(1, currency))?;
        writeln!(out, "recorded {}", receipt.txn)?;
        out.flush()?;
    }
}
