//! Each call meets a fault at each of its file operations in turn.

use crate::calls::{CALLS, Ready, Told, morning, phone_on};
use crate::{assert_records, assert_sound, copied, is_thorough, shown, temporary};
use carboy_sim::disk::{Disk, Fault, Op};
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

/// Lets `ready`'s call meet the fault at each of its file operations in turn. Returns how many calls failed.
fn each_operation_fails(prepared: &Path, name: &str, ready: Ready, strike: Strike) -> u32 {
    let disk = Disk::new().unwrap();
    disk.count(strike.ops);
    let (before, after) = {
        let folder = copied(prepared);
        let mut phone = phone_on(&disk, folder.path());
        let call = ready(&mut phone);
        let before = shown(&phone.engine);
        assert!(!matches!(call(&mut phone), Told::Failed(_)), "{name} fails on a good disk");
        (before, shown(&phone.engine))
    };
    assert_ne!(before, after, "{name} has no effect");
    let mut failed = 0;
    for n in 1.. {
        let folder = copied(prepared);
        let mut phone = phone_on(&disk, folder.path());
        let call = ready(&mut phone);
        let ops = disk.ops();
        disk.fail_at(n, strike.fault, strike.lasting);
        let told = call(&mut phone);
        let is_past = disk.ops() - ops < n;
        disk.heal();
        let story = format!("{name}, operation {n} of {strike:?}: {told:?}");
        let found = shown(&phone.engine);
        assert!(found == after || told != Told::Done && !is_past, "{story}");
        assert!(found == before || !matches!(told, Told::Failed(_)), "{story}: {found}");
        assert!(found == before || found == after, "{story}: {found}");
        failed += u32::from(found != after);
        // The process is killed: what it has not done by now is not done.
        let folder = copied(folder.path());
        drop(phone);
        let phone = phone_on(&disk, folder.path());
        let reopened = shown(&phone.engine);
        // Only on a disk that goes on failing a commit that could not be made durable may come back.
        assert!(reopened == found || strike.lasting && reopened == after, "{story}: {reopened}");
        assert_sound(folder.path());
        assert_records(&phone);
        if is_past {
            return failed;
        }
    }
    failed
}

fn everything_fails(fault: Fault, lasting: bool, ops: &'static [Op]) -> u32 {
    let strike = Strike { fault, lasting, ops };
    let prepared = temporary();
    morning(prepared.path());
    CALLS.iter().map(|(name, ready)| each_operation_fails(prepared.path(), name, *ready, strike)).sum()
}

#[test]
fn a_passing_io_error_at_any_operation_leaves_all_or_nothing() {
    assert!(everything_fails(Fault::Io, false, &Op::ALL) > 100);
}

#[test]
fn a_lasting_io_error_at_any_operation_leaves_all_or_nothing() {
    assert!(everything_fails(Fault::Io, true, &Op::ALL) > 100);
}

#[test]
fn a_torn_write_at_any_operation_leaves_all_or_nothing() {
    assert!(everything_fails(Fault::TornIo, false, &[Op::Write]) > 100);
    if is_thorough() {
        assert!(everything_fails(Fault::TornIo, true, &Op::ALL) > 100);
    }
}

#[test]
fn a_full_disk_at_any_operation_leaves_all_or_nothing() {
    // One full write is helped by the reserve.
    assert_eq!(everything_fails(Fault::Full, false, &Op::CHANGES), 0);
    assert!(everything_fails(Fault::TornFull, true, &Op::CHANGES) > 100);
    if is_thorough() {
        assert!(everything_fails(Fault::Full, true, &Op::CHANGES) > 100);
        everything_fails(Fault::TornFull, false, &Op::CHANGES);
    }
}
