//! A phone's or a server's disk fails in the middle of a transaction; at times the app, or the server, dies with it.

use super::World;
use super::file::File;
use super::tap::{Done, is_expected};
use crate::dice::Dice;
use crate::disk::{self, Disk};
use crate::model::Wrong;
use crate::schedule::Fault;
use carboy_core::{Error, Wake};

/// How often it fails, of a thousand transactions.
const FAILS: u32 = 12;

/// The last operation of a transaction that fails, on a phone and on a server.
const OPERATIONS: usize = 16;
const SERVER_OPERATIONS: usize = 64;

/// A disk that is about to fail.
#[derive(Clone, Copy)]
pub(super) struct Failing {
    /// Whether it fails for good, and the app or the server dies.
    pub(super) is_lasting: bool,
    refused: u64,
}

impl Failing {
    /// Lets `disk` fail at one of its next operations.
    fn begin(disk: &Disk, operations: usize, dice: &mut Dice) -> Self {
        let fault = [disk::Fault::Io, disk::Fault::TornIo, disk::Fault::Full, disk::Fault::TornFull];
        let (fault, is_lasting) = (fault[dice.below(fault.len())], dice.chance(500));
        let at = 1 + dice.below(operations) as u64;
        let refused = disk.refused();
        disk.fail_at(at, fault, is_lasting);
        Self { is_lasting, refused }
    }

    /// The disk is good again. Whether it had refused anything.
    fn end(self, disk: &Disk) -> bool {
        disk.heal();
        disk.refused() > self.refused
    }
}

impl World {
    /// Lets a phone's disk fail within the next transaction, now and then.
    pub(super) fn fail_disk(&self, number: usize, dice: &mut Dice) -> Option<Failing> {
        self.fail(Fault::Disk, self.phones[number].disk.as_ref(), OPERATIONS, dice)
    }

    /// Lets a server's disk fail within the next request, now and then.
    pub(super) fn fail_server_disk(&self, node: usize, dice: &mut Dice) -> Option<Failing> {
        let disk = self.nodes[node].disk.as_ref().filter(|_| self.nodes[node].server.is_some());
        self.fail(Fault::ServerDisk, disk, SERVER_OPERATIONS, dice)
    }

    fn fail(&self, fault: Fault, disk: Option<&Disk>, operations: usize, dice: &mut Dice) -> Option<Failing> {
        if !self.strikes(fault) || !dice.chance(FAILS) {
            return None;
        }
        Some(Failing::begin(disk?, operations, dice))
    }

    /// A server's disk is good again. Whether it had refused anything of what the phone sent.
    pub(super) fn heal_server(&mut self, node: usize, failing: Failing, phone: usize) -> bool {
        let has_failed = self.nodes[node].disk.as_ref().is_some_and(|disk| failing.end(disk));
        if has_failed {
            self.count_fault(Fault::ServerDisk, Some(phone));
        }
        has_failed
    }

    /// The disk is good again. Whether it had refused anything.
    fn heal(&mut self, number: usize, failing: Failing) -> bool {
        let has_failed = self.phones[number].disk.as_ref().is_some_and(|disk| failing.end(disk));
        if has_failed {
            self.count_fault(Fault::Disk, Some(number));
        }
        has_failed
    }

    /// What must be after a tap while the disk failed: both or neither.
    pub(super) fn after_failing_tap(
        &mut self,
        number: usize,
        failing: Failing,
        done: Done,
    ) -> Result<(), Wrong> {
        // As a kill, before the disk is well again: what the app could not write stays unwritten.
        let dies = failing.is_lasting;
        if dies {
            self.phones[number].kill(false)?;
        }
        let has_failed = self.heal(number, failing);
        let is_saved = match done {
            Ok(Some((saved, means))) => {
                if dies {
                    self.open(number)?;
                }
                self.saved(number, &saved, means)?;
                true
            }
            Ok(None) => true,
            Err(error) if is_expected(&error) || (has_failed && is_of_disk(&error)) => false,
            Err(error) => return Err(format!("phone {number} on a failing disk: {error}")),
        };
        if dies {
            if self.phones[number].engine.is_none() {
                self.open(number)?;
            }
            let pending = self.pending(number)?;
            if !is_saved && pending == self.phones[number].file.pending.len() as u64 + 1 {
                self.adopt(number)?;
            }
        }
        self.check_outbox(number)?;
        self.wake(number, Wake::Now)
    }

    /// What must be after a reply came while the disk failed: all of it is taken, or nothing.
    pub(super) fn after_failing_reply(
        &mut self,
        number: usize,
        failing: Failing,
        is_settled: bool,
        file: File,
    ) -> Result<(), Wrong> {
        let dies = failing.is_lasting;
        let has_failed = self.go_on(number, failing)?;
        if !is_settled && !has_failed {
            return Err(format!("phone {number} does not take the server's answer"));
        }
        let is_taken =
            is_settled || (dies && self.cursor(number)? == (file.cursor, file.pending.len() as u64));
        if is_taken {
            self.phones[number].file = file;
        }
        self.check_outbox(number)?;
        if dies { self.wake(number, Wake::Now) } else { self.pump(number) }
    }

    /// What must be after the answer to a piece of a photo came while the disk failed: nothing else has changed. What the
    /// phone could not note it sends again.
    pub(super) fn after_failing_piece_reply(&mut self, number: usize, failing: Failing) -> Result<(), Wrong> {
        self.go_on(number, failing)?;
        self.check_outbox(number)?;
        if failing.is_lasting { self.wake(number, Wake::Now) } else { self.pump(number) }
    }

    /// After a reply came: the app dies if it has to, the disk is good again, and the app runs. Whether it had failed.
    fn go_on(&mut self, number: usize, failing: Failing) -> Result<bool, Wrong> {
        if failing.is_lasting {
            self.phones[number].kill(false)?;
        }
        let has_failed = self.heal(number, failing);
        if failing.is_lasting {
            self.open(number)?;
        }
        Ok(has_failed)
    }

    fn pending(&self, number: usize) -> Result<u64, Wrong> {
        let engine = self.phones[number].engine.as_ref().ok_or("no app runs")?;
        Ok(engine.status().map_err(|error| format!("phone {number}: {error}"))?.pending)
    }

    /// How far a phone's file has read the feed, and how much waits in it.
    fn cursor(&self, number: usize) -> Result<(u64, u64), Wrong> {
        let sql = "SELECT cursor, last_id - settled_id FROM meta";
        let mut query =
            self.phones[number].inspector()?.prepare_cached(sql).map_err(|error| error.to_string())?;
        query
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(|error| format!("phone {number}: {error}"))
    }
}

/// Errors that a failing disk may cause.
fn is_of_disk(error: &Error) -> bool {
    matches!(error, Error::StorageFull | Error::Store(_) | Error::Damaged(_))
}
