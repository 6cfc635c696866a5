//! A rider who collects one cent after another until he is killed, and says so after each call that returned:
//! `record_forever FOLDER`, where the account's file holds at least one customer. The kill test runs it.

use carboy_core::{Engine, Identity, KeyStore, MemoryKeys, Options};
use carboy_protocol::{AccountId, CustomerId, Money, PlantId};
use std::error::Error;
use std::io::Write;
use std::sync::Arc;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: record_forever FOLDER")?;
    let (currency, account) = ("KES".parse()?, AccountId::from_bytes([2; 16]));
    let identity = Identity { plant: PlantId::from_bytes([1; 16]), account, currency };
    let keys = MemoryKeys::default();
    // The key that the test made the file with, should files be encrypted.
    keys.save(&format!("carboy.{account}.store"), &[8; 32])?;
    let engine = Engine::open(&Options::new(folder, identity, Arc::new(keys)))?;
    let mut out = std::io::stdout();
    loop {
        let receipt = engine.collect_cash(CustomerId::from_bytes([1; 16]), Money::new(1, currency))?;
        writeln!(out, "recorded {}", receipt.txn)?;
        out.flush()?;
    }
}
