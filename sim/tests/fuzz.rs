//! Every fuzz target over all inputs that are kept: the seeds, what the fuzzer has found worth keeping, and what once
//! failed.
//!
//! `CARBOY_WRITE_SEEDS=1` writes the seeds anew, when the plant that they are made for has changed.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use carboy_sim::fuzz::{TARGETS, Target, seeds};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The most that all of it may take in the repository, in bytes.
const MOST_BYTES: u64 = 200 * 1024;

fn kept(part: &str, target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(part).join(target)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn run_all(name: &str) {
    let target: Target = TARGETS.iter().find(|(of, _)| *of == name).unwrap().1;
    let inputs = [files(&kept("corpus", name)), files(&kept("regressions", name))].concat();
    assert!(inputs.len() >= seeds(name).len(), "{} inputs", inputs.len());
    for input in &inputs {
        let begun = Instant::now();
        // The name is the last line before a panic's.
        println!("{}", input.display());
        target(&fs::read(input).unwrap());
        println!("  {} ms", begun.elapsed().as_millis());
    }
}

#[test]
fn whatever_is_sent_to_the_sync_endpoint_is_settled_once_or_refused() {
    run_all("sync");
}

#[test]
fn whatever_comes_back_the_phone_loses_no_record_and_goes_on() {
    run_all("reply");
}

#[test]
fn a_store_of_any_bytes_opens_or_says_why_not_and_no_file_is_lost() {
    run_all("store");
}

#[test]
fn any_order_of_arrival_gives_one_profile() {
    run_all("resolution");
}

#[test]
fn the_seeds_are_those_of_this_version_and_the_corpus_is_small() {
    let mut bytes = 0;
    for (name, _) in TARGETS {
        for (seed, content) in seeds(name) {
            let file = kept("corpus", name).join(format!("seed-{seed}"));
            if std::env::var("CARBOY_WRITE_SEEDS").is_ok_and(|value| value == "1") {
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(&file, &content).unwrap();
            }
            let is_same = fs::read(&file).is_ok_and(|found| found == content);
            assert!(is_same, "{} is out of date: see this file's head", file.display());
        }
        let inputs = [files(&kept("corpus", name)), files(&kept("regressions", name))].concat();
        bytes += inputs.iter().map(|input| input.metadata().unwrap().len()).sum::<u64>();
    }
    assert!(bytes <= MOST_BYTES, "{bytes} bytes");
}
