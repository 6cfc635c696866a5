//! The power goes at each file operation of each call in turn, and of the server's end, and what was not synced by then
//! is there or not, in part and in any order.

use crate::calls::{CALLS, Call};
use crate::{Expected, assert_sound, copied, is_thorough, open, temporary};
use carboy_sim::disk::{Disk, Fault};
use carboy_sim::plant::Setting;
use std::path::Path;

/// How many outcomes each power cut has.
fn outcomes() -> u64 {
    if is_thorough() { 8 } else { 1 }
}

/// Lets the power go at the `n`-th file operation of `call`, or of the server's end behind it. Whether there was one.
fn goes_at(n: u64, seed: u64, call: &Call, expected: &Expected, prepared: (&Path, &Setting)) -> bool {
    let (disk, folder) = (Disk::new().unwrap(), copied(prepared.0));
    let plant = open(&disk, folder.path(), prepared.1).unwrap();
    disk.fail_at(n, Fault::PowerCut, true);
    let told = (call.act)(&plant);
    // Closing the last connection moves the WAL into the database.
    drop(plant);
    let is_struck = disk.is_off();
    let aftermath = disk.restart(seed).unwrap();
    let story = format!("{}, power cut {seed} at operation {n}: {told:?}, {aftermath:?}", call.name);
    let plant = open(&disk, folder.path(), prepared.1).unwrap();
    let found = plant.shown();
    let is_done = found == expected.after;
    assert!(is_done || told.is_err() && found == expected.before, "{story}: {found}");
    if !is_done || call.is_repeatable {
        expected.assert_again(call, &plant, &story);
    }
    drop(plant);
    assert_sound(folder.path(), &story);
    is_struck
}

/// Of the calls, those whose number leaves `part` when divided by two: so that two tests share the work.
fn each_call(part: usize) {
    let prepared = temporary();
    let setting = Setting::prepare(prepared.path());
    for call in CALLS.iter().skip(part).step_by(2) {
        let expected = Expected::of(call, prepared.path(), &setting);
        let is_struck = |n: u64| {
            (0..outcomes())
                .all(|outcome| goes_at(n, n * 8 + outcome, call, &expected, (prepared.path(), &setting)))
        };
        assert!((1..).take_while(|n| is_struck(*n)).count() > 10, "{} does nothing", call.name);
    }
}

#[test]
fn a_power_cut_at_any_operation_of_a_call_takes_nothing_that_was_answered() {
    each_call(0);
}

#[test]
fn a_power_cut_at_any_operation_of_another_call_takes_nothing_that_was_answered() {
    each_call(1);
}
