//! A server that is started, makes its schema, and ends, on a disk that fails at any operation or whose power goes.

use crate::calls::CALLS;
use crate::failing::Strike;
use crate::{assert_sound, copied, is_thorough, open, temporary};
use carboy_sim::disk::{Disk, Fault, Op};
use carboy_sim::plant::{Plant, Setting, file};
use std::fs;
use std::path::Path;

/// A folder as it is before a server is started on it: what the last one left, and how.
fn folders() -> (Setting, Vec<(&'static str, tempfile::TempDir)>) {
    let ended = temporary();
    let setting = Setting::prepare(ended.path());
    let (killed, busy) = (temporary(), copied(ended.path()));
    let plant = Plant::open(&file(busy.path()), &setting).unwrap();
    (CALLS[0].act)(&plant).unwrap();
    for end in ["", "-wal"] {
        let name = format!("plant.db{end}");
        fs::copy(busy.path().join(&name), killed.path().join(&name)).unwrap();
    }
    (setting, vec![("a clean end", ended), ("a kill", killed), ("no file", temporary())])
}

/// The operations worth trying, from 1 on: making the schema is hundreds of writes, each as good as the next.
fn next(n: u64) -> u64 {
    n + 1 + if is_thorough() { 0 } else { n / 8 }
}

/// What a server shows that is started on a copy of `folder`.
fn shown_in(folder: &Path, setting: &Setting) -> String {
    let copy = copied(folder);
    Plant::open(&file(copy.path()), setting).unwrap().shown()
}

/// What must be in `folder` once the disk is good: all that was there.
fn assert_whole(folder: &Path, setting: &Setting, expected: &str, story: &str) {
    assert_eq!(shown_in(folder, setting), expected, "{story}");
    let plant = Plant::open(&file(folder), setting).unwrap();
    if !expected.is_empty() {
        (CALLS[0].act)(&plant).unwrap();
    }
    drop(plant);
    assert_sound(folder, story);
}

/// Starts a server on `folder`, lets it read, and ends it.
fn start(disk: &Disk, folder: &Path, setting: &Setting) -> Result<(), String> {
    let plant = open(disk, folder, setting).map_err(|error| error.to_string())?;
    plant.server.plants().map(drop).map_err(|error| error.to_string())
}

#[test]
fn starting_and_ending_on_a_disk_that_fails_at_any_operation_changes_nothing() {
    let (setting, folders) = folders();
    for (what, prepared) in &folders {
        let expected = shown_in(prepared.path(), &setting);
        for (fault, lasting, ops) in [
            (Fault::Io, false, &Op::ALL[..]),
            (Fault::Io, true, &Op::ALL),
            (Fault::TornIo, true, &Op::CHANGES),
            (Fault::Full, true, &Op::CHANGES),
        ] {
            let strike = Strike { fault, lasting, ops };
            let disk = Disk::new().unwrap();
            disk.count(ops);
            let mut n = 1;
            loop {
                let folder = copied(prepared.path());
                let before = disk.ops();
                disk.fail_at(n, fault, lasting);
                let told = start(&disk, folder.path(), &setting);
                let is_past = disk.ops() - before < n;
                disk.heal();
                let story = format!("after {what}, operation {n} of {strike:?}: {told:?}");
                assert_whole(folder.path(), &setting, &expected, &story);
                if is_past {
                    assert!(told.is_ok() && n > 1, "{story}");
                    break;
                }
                n = next(n);
            }
        }
    }
}

#[test]
fn a_power_cut_while_a_server_starts_or_ends_changes_nothing() {
    let (setting, folders) = folders();
    for (what, prepared) in &folders {
        let expected = shown_in(prepared.path(), &setting);
        let mut n = 1;
        loop {
            let (disk, folder) = (Disk::new().unwrap(), copied(prepared.path()));
            disk.fail_at(n, Fault::PowerCut, true);
            let told = start(&disk, folder.path(), &setting);
            let is_past = !disk.is_off();
            let aftermath = disk.restart(n).unwrap();
            let story = format!("after {what}, power cut at operation {n}: {told:?}, {aftermath:?}");
            assert_whole(folder.path(), &setting, &expected, &story);
            if is_past {
                assert!(told.is_ok() && n > 1, "{story}");
                break;
            }
            n = next(n);
        }
    }
}
