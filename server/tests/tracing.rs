//! What support can rely on: a mutation can be followed through the log.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use carboy_protocol::TxnId;
use carboy_protocol::wire::SyncRequest;
use common::{Phone, world};
use serde_json::value::RawValue;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// What is logged meanwhile, from this level on.
fn logged(level: tracing::Level, work: impl FnOnce()) -> String {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(level).with_ansi(false).with_writer(log.clone()).finish();
    tracing::subscriber::with_default(subscriber, work);
    let bytes = log.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_settled_mutation_is_logged_with_its_id_its_device_and_its_history() {
    let world = world();
    let mut phone = world.phone();
    let txns = [phone.record(world.cash(5)), phone.record(world.cash(-5))];
    let log = logged(tracing::Level::DEBUG, || {
        phone.try_sync(&world).unwrap();
        phone.try_sync(&world).unwrap();
    });
    for txn in txns {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(&format!("txn_id={txn}"))).collect();
        assert_eq!(lines.len(), 2, "settled, then answered again: {log}");
        for line in lines {
            let (device, actor) = (format!("device={}", phone.auth.device), format!("actor={}", phone.actor));
            assert!(line.contains(&device) && line.contains(&actor), "{line}");
        }
    }
}

#[test]
fn without_asking_for_more_a_batch_is_one_line_and_what_was_not_applied_has_one_of_its_own() {
    let world = world();
    let mut phone = world.phone();
    let applied = [phone.record(world.cash(5)), phone.record(world.cash(6))];
    let rejected = phone.record(world.cash(-5));
    let parked = "01936000-0000-7000-8000-000000000001";
    phone.record_raw(&format!(r#"{{"v":9,"txn":"{parked}","kind":"fly"}}"#));
    let log = logged(tracing::Level::INFO, || {
        phone.try_sync(&world).unwrap();
        phone.try_sync(&world).unwrap();
    });
    let count = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!(count("first_seq=1 last_seq=4 applied=2 duplicate=0 rejected=1 parked=1"), 1, "{log}");
    assert_eq!(count("first_seq=1 last_seq=4 applied=0 duplicate=4 rejected=0 parked=0"), 1, "{log}");
    assert_eq!((count(&rejected.to_string()), count(parked)), (1, 1), "{log}");
    assert!(applied.iter().all(|txn| count(&txn.to_string()) == 0), "{log}");
    assert_eq!(log.lines().count(), 4, "{log}");
}

#[test]
fn what_was_tampered_with_is_a_warning_and_what_a_restored_phone_repeats_is_told_no_more() {
    let world = world();
    let mut phone = world.phone();
    let rejected = phone.record(world.cash(-5));
    phone.record(world.cash(7));
    let altered = phone.outbox[1].replace(r#""minor":7"#, r#""minor":9"#);
    let send = |phone: &Phone| {
        let mut request = phone.pending();
        request.mutations[1] = RawValue::from_string(altered.clone()).unwrap();
        let hashes = Some(phone.hashes(&request));
        let reply = world.server.handle_sync(&phone.auth, &SyncRequest { hashes, ..request }).unwrap();
        reply.results.iter().filter(|settlement| settlement.duplicate).count()
    };
    let log = logged(tracing::Level::INFO, || {
        assert_eq!((send(&phone), send(&phone.restored())), (0, 2));
    });
    for (txn, level) in [(rejected, "INFO"), (TxnId::of_unreadable(altered.as_bytes()), "WARN")] {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(&txn.to_string())).collect();
        assert!(matches!(lines[..], [line] if line.contains(level)), "{log}");
    }
}
