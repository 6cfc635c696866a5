//! Opening a store, making a new one, and bringing an old one to today's schema, on a disk that fails at any operation
//! or whose power goes.

use crate::calls::{morning, options_on, phone_on};
use crate::failing::Strike;
use crate::support::*;
use crate::{assert_records, assert_sound, copied, is_thorough, shown, temporary};
use carboy_core::Engine;
use carboy_sim::disk::{Disk, Fault, Op};
use std::fs;
use std::path::Path;

/// Makes a folder what it is before it is opened.
type Prepare = fn(&Path);

/// As a clean end leaves it, without the WAL's index, with a reserve to be filled up, as a file of each older schema,
/// and without any file.
const FOLDERS: [(&str, Prepare); 5] = [
    ("a morning", morning),
    ("a morning without an index", |folder| {
        morning(folder);
        fs::remove_file(format!("{}-shm", file(folder).display())).unwrap();
    }),
    ("a morning without a reserve", |folder| {
        morning(folder);
        raw(&file(folder)).execute_batch("PRAGMA incremental_vacuum").unwrap();
    }),
    ("a file of the first schema", |folder| {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/fixtures/version_1.db");
        fs::copy(fixture, file(folder)).unwrap();
    }),
    ("no file", |_| ()),
];

/// The operations worth trying, from 1 on: filling the reserve up is a thousand writes, each as good as the next.
fn next(n: u64) -> u64 {
    n + 1 + if is_thorough() { n / 40 } else { n / 5 }
}

fn shown_in(folder: &Path) -> String {
    shown(&phone_on(&Disk::new().unwrap(), folder).engine)
}

fn each_operation_fails(prepared: &Path, what: &str, strike: Strike) {
    let expected = shown_in(copied(prepared).path());
    let disk = Disk::new().unwrap();
    disk.count(strike.ops);
    let mut n = 1;
    loop {
        let folder = copied(prepared);
        let ops = disk.ops();
        disk.fail_at(n, strike.fault, strike.lasting);
        let opened = Engine::open(&options_on(&disk, folder.path())).map(drop);
        let is_past = disk.ops() - ops < n;
        disk.heal();
        let story = format!("{what}, operation {n} of {strike:?}: {opened:?}");
        assert_eq!(shown_in(folder.path()), expected, "{story}");
        assert_sound(folder.path());
        if is_past {
            assert!(opened.is_ok(), "{story}");
            return;
        }
        n = next(n);
    }
}

#[test]
fn opening_on_a_disk_that_fails_at_any_operation_changes_nothing() {
    for (what, prepare) in FOLDERS {
        let prepared = temporary();
        prepare(prepared.path());
        for (fault, lasting, ops) in [
            (Fault::Io, false, &Op::ALL[..]),
            (Fault::Io, true, &Op::ALL),
            (Fault::TornIo, true, &Op::CHANGES),
            (Fault::Full, true, &Op::CHANGES),
        ] {
            each_operation_fails(prepared.path(), what, Strike { fault, lasting, ops });
        }
    }
}

#[test]
fn a_power_cut_while_a_store_is_opened_changes_nothing() {
    let disk = Disk::new().unwrap();
    for (what, prepare) in FOLDERS {
        let prepared = temporary();
        prepare(prepared.path());
        let expected = shown_in(copied(prepared.path()).path());
        let mut n = 1;
        loop {
            let folder = copied(prepared.path());
            disk.fail_at(n, Fault::PowerCut, true);
            let opened = Engine::open(&options_on(&disk, folder.path())).map(drop);
            let is_past = !disk.is_off();
            let aftermath = disk.restart(n).unwrap();
            let story = format!("{what}, power cut at operation {n}: {opened:?}, {aftermath:?}");
            let phone = phone_on(&disk, folder.path());
            assert_eq!(shown(&phone.engine), expected, "{story}");
            assert_sound(folder.path());
            assert_records(&phone);
            if is_past {
                assert!(opened.is_ok(), "{story}");
                break;
            }
            n = next(n);
        }
    }
}
