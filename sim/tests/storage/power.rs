//! The power goes at each file operation of each call in turn, and what was not synced by then is there or not, in
//! part and in any order.

use crate::calls::{CALLS, Ready, Told, morning, phone_on};
use crate::{assert_records, assert_sound, copied, is_thorough, shown, temporary};
use carboy_sim::disk::{Disk, Fault};
use std::path::Path;

/// How many outcomes each power cut has.
fn outcomes() -> u64 {
    if is_thorough() { 8 } else { 1 }
}

/// Lets the power go at each file operation of `ready`'s call, and right behind it.
fn each_operation_is_the_last(prepared: &Path, name: &str, ready: Ready) {
    let disk = Disk::new().unwrap();
    let states = |is_done: bool| {
        let folder = copied(prepared);
        let mut phone = phone_on(&disk, folder.path());
        let call = ready(&mut phone);
        if is_done {
            call(&mut phone);
        }
        drop(phone);
        shown(&phone_on(&disk, folder.path()).engine)
    };
    let (before, after) = (states(false), states(true));
    assert_ne!(before, after, "{name} has no effect");
    for n in 1.. {
        let mut is_past = false;
        for outcome in 0..outcomes() {
            let seed = n * 8 + outcome;
            let folder = copied(prepared);
            let mut phone = phone_on(&disk, folder.path());
            let call = ready(&mut phone);
            disk.fail_at(n, Fault::PowerCut, true);
            let told = call(&mut phone);
            is_past = !disk.is_off();
            disk.cut_power();
            drop(phone);
            let aftermath = disk.restart(seed).unwrap();
            let phone = phone_on(&disk, folder.path());
            let found = shown(&phone.engine);
            let story = format!("{name}, power cut {seed} at operation {n}: {told:?}, {aftermath:?}");
            let is_told = told == Told::Done || is_past;
            assert!(found == after || !is_told && found == before, "{story}: {found}");
            assert_sound(folder.path());
            assert_records(&phone);
        }
        if is_past {
            assert!(n > 1, "{name} does nothing");
            return;
        }
    }
}

/// Of the calls, those whose number leaves `part` when divided by two: so that two tests share the work.
fn each_call(part: usize) {
    let prepared = temporary();
    morning(prepared.path());
    for (name, ready) in CALLS.iter().skip(part).step_by(2) {
        each_operation_is_the_last(prepared.path(), name, *ready);
    }
}

#[test]
fn a_power_cut_at_any_operation_of_a_call_leaves_all_of_it_or_nothing() {
    each_call(0);
}

#[test]
fn a_power_cut_at_any_operation_of_another_call_leaves_all_of_it_or_nothing() {
    each_call(1);
}
