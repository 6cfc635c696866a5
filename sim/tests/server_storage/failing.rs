//! Each call meets a fault at each of its file operations in turn.

use crate::calls::{CALLS, Call};
use crate::{Expected, assert_sound, copied, is_thorough, open, temporary};
use carboy_sim::disk::{Disk, Fault, Op};
use carboy_sim::plant::Setting;
use std::path::Path;

/// What goes wrong with the disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strike {
    pub(crate) fault: Fault,
    /// For good, and not once.
    pub(crate) lasting: bool,
    /// Which operations it can meet.
    pub(crate) ops: &'static [Op],
}

/// Lets `call` meet the fault at each of its file operations in turn. Returns how often it failed.
fn each_operation_fails(call: &Call, prepared: &Path, setting: &Setting, strike: Strike) -> u32 {
    let expected = Expected::of(call, prepared, setting);
    let disk = Disk::new().unwrap();
    disk.count(strike.ops);
    let mut failed = 0;
    for n in 1.. {
        let folder = copied(prepared);
        let plant = open(&disk, folder.path(), setting).unwrap();
        let ops = disk.ops();
        disk.fail_at(n, strike.fault, strike.lasting);
        let told = (call.act)(&plant);
        let is_past = disk.ops() - ops < n;
        disk.heal();
        let story = format!("{}, operation {n} of {strike:?}: {told:?}", call.name);
        let found = plant.shown();
        match &told {
            Ok(answer) => assert!(*answer == expected.answer && found == expected.after, "{story}: {found}"),
            Err(_) if call.reads_after && found == expected.after => {}
            Err(_) => assert_eq!(found, expected.before, "{story}"),
        }
        failed += u32::from(told.is_err());
        if n % 2 == 0 {
            // The server goes on.
            if found == expected.before || call.is_repeatable {
                expected.assert_again(call, &plant, &story);
            }
            drop(plant);
        } else {
            // It is started anew. A commit that failed because it could not be made durable may be there now.
            drop(plant);
            let plant = open(&disk, folder.path(), setting).unwrap();
            let reopened = plant.shown();
            let is_done = reopened == expected.after;
            assert!(
                is_done || reopened == expected.before && found == expected.before,
                "{story}: {reopened}"
            );
            if !is_done || call.is_repeatable {
                expected.assert_again(call, &plant, &story);
            }
        }
        assert_sound(folder.path(), &story);
        if is_past {
            assert!(told.is_ok() && n > 1, "{story}");
            return failed;
        }
    }
    failed
}

fn everything_fails(fault: Fault, lasting: bool, ops: &'static [Op]) -> u32 {
    let prepared = temporary();
    let setting = Setting::prepare(prepared.path());
    let strike = Strike { fault, lasting, ops };
    CALLS.iter().map(|call| each_operation_fails(call, prepared.path(), &setting, strike)).sum()
}

#[test]
fn a_passing_io_error_at_any_operation_is_answered_or_changes_nothing() {
    assert!(everything_fails(Fault::Io, false, &Op::ALL) > 100);
}

#[test]
fn a_lasting_io_error_at_any_operation_is_answered_or_changes_nothing() {
    assert!(everything_fails(Fault::Io, true, &Op::ALL) > 100);
}

#[test]
fn a_torn_write_at_any_operation_is_answered_or_changes_nothing() {
    assert!(everything_fails(Fault::TornIo, false, &[Op::Write]) > 100);
    if is_thorough() {
        assert!(everything_fails(Fault::TornIo, true, &Op::ALL) > 100);
    }
}

#[test]
fn a_full_disk_at_any_operation_is_answered_or_changes_nothing() {
    assert!(everything_fails(Fault::TornFull, true, &Op::CHANGES) > 100);
    if is_thorough() {
        assert!(everything_fails(Fault::Full, true, &Op::CHANGES) > 100);
        assert!(everything_fails(Fault::TornFull, false, &Op::CHANGES) > 100);
    }
}
