//! Several threads open a store each as the first thing in a process.
#![allow(clippy::unwrap_used)]

mod support;

use carboy_core::Engine;
use std::process::Command;
use std::sync::Barrier;
use std::{env, thread};
use support::*;

/// Set in the processes that this test starts: it is itself, run anew.
const AGAIN: &str = "CARBOY_TEST_FIRST_OPENING";
const PROCESSES: usize = 100;
const THREADS: usize = 8;

#[test]
fn stores_opened_at_once_in_a_new_process_all_open() {
    if env::var_os(AGAIN).is_some() {
        return open_at_once();
    }
    for _ in 0..PROCESSES {
        let this = env::current_exe().unwrap();
        let output = Command::new(this).env(AGAIN, "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

fn open_at_once() {
    let folders: Vec<_> = (0..THREADS).map(|_| tempfile::tempdir().unwrap()).collect();
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for folder in &folders {
            scope.spawn(|| {
                let options = options(folder.path());
                start.wait();
                Engine::open(&options).map(drop).unwrap();
            });
        }
    });
}
