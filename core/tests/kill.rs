//! A rider's process is killed with SIGKILL at random moments, 200 times. Every action whose call had returned is
//! there afterwards with its entry and its effect, and the file is sound.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod support;

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use support::*;

const KILLS: usize = 200;
#[test]
fn every_action_whose_call_had_returned_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    drop(Phone::with_plant(folder.path()));
    let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut returned = Vec::new();
    for _ in 0..KILLS {
        returned.extend(record_and_kill(folder.path(), rng.next_u32() % 20, rng.next_u32() % 400));
        let connection = raw(&file(folder.path()));
        let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
        let (entries, last, pending): (i64, i64, i64) = connection
            .query_row("SELECT (SELECT count(*) FROM record), last_id, pending FROM meta, customer WHERE customer.id = 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap();
        // Both or neither: as many entries as numbers given, and the balance has the effect of each.
        assert_eq!((entries, -pending), (last, last));
    }
    let phone = Phone::empty(folder.path());
    let kept: std::collections::HashSet<String> = phone
        .engine
        .waiting(0, u32::MAX)
        .unwrap()
        .into_iter()
        .map(|item| item.txn.unwrap().to_string())
        .collect();
    assert!(returned.len() > KILLS, "only {} actions were recorded", returned.len());
    let lost: Vec<_> = returned.iter().filter(|txn| !kept.contains(*txn)).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), returned.len());
    // At most one per kill was committed without its call having returned.
    assert!(kept.len() <= returned.len() + KILLS);
}

/// Lets a rider record, kills him `micros` after his `after`-th action, and returns the actions that returned.
fn record_and_kill(folder: &Path, after: u32, micros: u32) -> Vec<String> {
    let tests = std::env::current_exe().unwrap();
    let rider = tests.parent().and_then(Path::parent).unwrap().join("examples/record_forever");
    let mut rider = Command::new(rider).arg(folder).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(rider.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut returned = Vec::new();
    let txn = |line: String| line.strip_prefix("recorded ").map(str::to_owned);
    while returned.len() < after as usize {
        returned.extend(txn(lines.next().unwrap()));
    }
    // A moment inside a call, not at its end.
    let start = std::time::Instant::now();
    while start.elapsed().as_micros() < u128::from(micros) {
        std::hint::spin_loop();
    }
    rider.kill().unwrap();
    rider.wait().unwrap();
    // A line cut in the middle is no call that returned.
    returned.extend(lines.filter_map(txn).filter(|txn| txn.len() == 36));
    returned
}
