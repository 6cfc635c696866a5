//! Faults that strike a phone or a server as a whole.

use super::phone::{Backup, Life, Owner, Phone, copy_folder};
use super::tap::Tap;
use super::{Event, Rollout, World};
use crate::clock::Ms;
use crate::dice::Dice;
use crate::model::Wrong;
use crate::schedule::Fault;
use carboy_core::Wake;

const MINUTE: Ms = 60_000;
const HOUR: Ms = 60 * MINUTE;

/// How far a phone's clock may be off, in milliseconds: ten years.
const TEN_YEARS: i64 = 10 * 365 * 24 * 3_600_000;

/// Kinds that an update brings, one group after another: a server of before parks them.
const NEW_KINDS: [&[&str]; 6] = [
    &["note_progress", "fail_delivery"],
    &["collect_cash"],
    &["load_stock", "return_stock", "hand_in_cash"],
    &["add_customer"],
    &["confirm_delivery", "accept"],
    &["start_shift", "finish_shift"],
];

impl World {
    /// A fault strikes.
    pub(super) fn strike(&mut self, fault: Fault, chance: u64) -> Result<(), Wrong> {
        let mut dice = Dice::of(chance);
        match fault {
            Fault::Crash => {
                let node = dice.below(self.nodes.len());
                self.count_fault(fault, None);
                return self.crash(node, dice.within(1_000..5 * MINUTE));
            }
            Fault::Rollout => return self.roll_out(&mut dice),
            _ => {}
        }
        let Some(number) = self.some_phone(&mut dice) else { return Ok(()) };
        let now = self.now();
        self.history.note(now, fault.name(), number, &[]);
        match fault {
            // There is none to lose where riders work without signal.
            Fault::Tunnel if self.config.offline => Ok(()),
            Fault::Tunnel => {
                let length = if dice.chance(150) {
                    dice.within(HOUR..4 * HOUR)
                } else {
                    dice.within(5_000..20 * MINUTE)
                };
                self.count_fault(fault, Some(number));
                self.later(length, Event::Signal { phone: number, is_there: true });
                self.phones[number].signal = false;
                // At times the shell tells, at times requests only fail.
                if dice.chance(500) { self.wake(number, Wake::Offline) } else { Ok(()) }
            }
            Fault::Portal => {
                self.phones[number].portal = true;
                self.later(dice.within(MINUTE..HOUR), Event::PortalLeft { phone: number });
                Ok(())
            }
            Fault::Expiry => {
                self.phones[number].refusals = 1 + u32::from(dice.chance(300)) * 2;
                Ok(())
            }
            Fault::Clock => {
                self.count_fault(fault, Some(number));
                self.phones[number].clock.jump(dice.amount(-TEN_YEARS..TEN_YEARS));
                Ok(())
            }
            Fault::Kill => {
                self.count_fault(fault, Some(number));
                self.phones[number].kill(dice.chance(400))?;
                if dice.chance(700) { self.start(number) } else { Ok(()) }
            }
            Fault::Suspension => self.suspend(number, &mut dice),
            Fault::Restore => self.back_up(number, &mut dice),
            Fault::Clone => self.clone_phone(number, &mut dice),
            Fault::Reinstall => self.reinstall(number),
            Fault::Revocation => self.revoke(number),
            _ => Ok(()),
        }
    }

    pub(super) fn signal(&mut self, number: usize, is_there: bool) -> Result<(), Wrong> {
        if self.is_calm && !is_there {
            return Ok(());
        }
        if self.config.offline && !self.is_calm {
            let dice = &mut self.phones[number].dice;
            let length = if is_there { dice.within(20_000..2 * MINUTE) } else { dice.within(HOUR..2 * HOUR) };
            self.later(length, Event::Signal { phone: number, is_there: !is_there });
        }
        self.phones[number].signal = is_there;
        self.wake(number, if is_there { Wake::Online } else { Wake::Offline })
    }

    /// The system suspends the app, in the middle of a request too.
    fn suspend(&mut self, number: usize, dice: &mut Dice) -> Result<(), Wrong> {
        if self.phones[number].life != Life::Runs {
            return Ok(());
        }
        self.count_fault(Fault::Suspension, Some(number));
        let phone = &mut self.phones[number];
        if let Some(drainer) = &mut phone.drainer {
            drainer.wake(Wake::Pause);
        }
        (phone.life, phone.flight) = (Life::Suspended, None);
        self.later(dice.within(MINUTE..HOUR), Event::Resume { phone: number });
        Ok(())
    }

    /// A backup is made. Sooner or later it comes back onto the phone.
    fn back_up(&mut self, number: usize, dice: &mut Dice) -> Result<(), Wrong> {
        let folder = self.folder.path().join(format!("backup-{number}"));
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
        }
        let phone = &mut self.phones[number];
        copy_folder(&phone.folder, &folder)?;
        phone.backup = Some(Backup { folder, file: phone.file.clone() });
        self.later(dice.within(MINUTE..HOUR), Event::Restore { phone: number });
        Ok(())
    }

    pub(super) fn restore(&mut self, number: usize) -> Result<(), Wrong> {
        if self.is_calm {
            return Ok(());
        }
        let Some(Backup { folder, file }) = self.phones[number].backup.take() else { return Ok(()) };
        self.count_fault(Fault::Restore, Some(number));
        let phone = &mut self.phones[number];
        phone.kill(false)?;
        std::fs::remove_dir_all(&phone.folder).map_err(|error| error.to_string())?;
        // Moved, not copied: the files of half a million actions are gigabytes.
        std::fs::rename(&folder, &phone.folder).map_err(|error| error.to_string())?;
        self.stats.lost_with_phones += lost(&phone.file, &file);
        self.set_back.insert(phone.account);
        phone.file = file;
        self.start(number)
    }

    /// The phone's file, with its secrets, goes on a second phone of the same rider.
    fn clone_phone(&mut self, number: usize, dice: &mut Dice) -> Result<(), Wrong> {
        // More than a few phones to a rider only slow the run down.
        let site = self.phones[number].plant;
        let account = self.phones[number].account;
        let Some(rider) = self.sites[site].riders.iter().position(|rider| rider.account == account) else {
            return Ok(());
        };
        let is_alive = |&&phone: &&usize| self.phones[phone].life != Life::Gone;
        if self.sites[site].riders[rider].phones.iter().filter(is_alive).count() > 2 {
            return Ok(());
        }
        self.count_fault(Fault::Clone, Some(number));
        let copy = self.phones.len();
        let owner = Owner {
            plant: site,
            identity: Owner::identity(self.sites[site].id, account, self.sites[site].currency),
            time: self.time.clone(),
            seed: self.config.seed,
            number: copy as u64,
        };
        let folder = self.folder.path().join(format!("phone-{copy}"));
        let original = &self.phones[number];
        copy_folder(&original.folder, &folder)?;
        let (keys, token, app) = (original.copied_keys(), original.token.clone(), original.app);
        let mut phone = owner.phone(folder, keys, token, app);
        phone.file = original.file.clone();
        self.phones.push(phone);
        self.sites[site].riders[rider].phones.push(copy);
        // One hand does not know what the other does: both take back the same.
        let chance = dice.seed();
        for phone in [number, copy] {
            let event = Event::Tap { phone, tap: Tap::Withdraw, customer: None, dice: chance };
            self.later(dice.within(0..MINUTE), event);
        }
        self.start(copy)
    }

    /// The app is removed with its file, and installed anew.
    fn reinstall(&mut self, number: usize) -> Result<(), Wrong> {
        let (site, account) = (self.phones[number].plant, self.phones[number].account);
        let rider = self.sites[site].riders.iter().position(|rider| rider.account == account);
        let Some(rider) = rider.filter(|_| self.nodes.iter().any(|node| node.server.is_some())) else {
            return Ok(());
        };
        self.count_fault(Fault::Reinstall, Some(number));
        let phone: &mut Phone = &mut self.phones[number];
        self.stats.lost_with_phones += phone.file.pending.len() as u64;
        phone.wreck();
        self.set_back.insert(account);
        self.add_phone(site, rider).map(drop)
    }

    /// A manager ends a phone's access.
    fn revoke(&mut self, number: usize) -> Result<(), Wrong> {
        let Some(server) = self.nodes.iter().find_map(|node| node.server.as_ref()) else { return Ok(()) };
        let Some(device) = self.devices.get_mut(&self.phones[number].token) else { return Ok(()) };
        let plant = self.sites[device.plant].id;
        server.revoke_device(plant, device.id).map_err(|error| format!("revoking: {error}"))?;
        device.is_revoked = true;
        self.count_fault(Fault::Revocation, Some(number));
        Ok(())
    }

    /// Somebody signs in again or updates the app, as its screen asks.
    pub(super) fn help(&mut self, number: usize) -> Result<(), Wrong> {
        let phone = &mut self.phones[number];
        phone.is_helped = false;
        if phone.life != Life::Runs {
            return Ok(());
        }
        if phone.app < self.least_app {
            phone.app = self.version;
            phone.kill(false)?;
            return self.start(number);
        }
        phone.refusals = 0;
        let is_good = self.devices.get(&phone.token).is_some_and(|device| !device.is_revoked);
        if !is_good && !self.enrol(number)? {
            let starts = self.phones[number].starts;
            self.phones[number].is_helped = true;
            self.later(MINUTE, Event::Help { phone: number, starts });
            return Ok(());
        }
        self.wake(number, Wake::SignedIn)
    }

    /// A server process dies.
    pub(super) fn crash(&mut self, node: usize, down: Ms) -> Result<(), Wrong> {
        if self.nodes[node].server.take().is_some() {
            let now = self.now();
            self.history.note(now, "crash", node, &[]);
            self.nodes[node].up_at = now + down;
            self.later(down, Event::Up { node });
        }
        Ok(())
    }

    /// A server process starts: it settles what is parked and what it knows.
    pub(super) fn bring_up(&mut self, node: usize) -> Result<(), Wrong> {
        if self.nodes[node].server.is_some() {
            return Ok(());
        }
        let (path, time) = (self.path(), self.time.clone());
        self.nodes[node].start(&path, &time)?;
        let Some(server) = &self.nodes[node].server else { return Ok(()) };
        let unknown = self.unknown_to(node);
        let settled = super::older::knowing_all_but(unknown, || server.settle_parked());
        let settled = settled.map_err(|error| format!("settling what is parked: {error}"))?;
        let mut expected = 0;
        for site in &mut self.sites {
            expected += site.model.unpark(unknown)?;
        }
        if settled == expected {
            Ok(())
        } else {
            Err(format!("{settled} parked mutations are settled, not {expected}"))
        }
    }

    /// An update begins: phones have it at once, one server after another gets it.
    fn roll_out(&mut self, dice: &mut Dice) -> Result<(), Wrong> {
        if self.rollout.is_some() {
            return Ok(());
        }
        self.count_fault(Fault::Rollout, None);
        // Only a build with the hooks can be a version that knows less.
        let kinds = if cfg!(feature = "planted") { NEW_KINDS[dice.below(NEW_KINDS.len())] } else { &[] };
        self.version += 1;
        self.rollout = Some(Rollout { kinds });
        let mut delay = 0;
        for node in 0..self.nodes.len() {
            delay += dice.within(10 * MINUTE..2 * HOUR);
            self.later(delay, Event::Upgrade { node });
        }
        Ok(())
    }

    /// A server gets the newest version.
    pub(super) fn upgrade(&mut self, node: usize) -> Result<(), Wrong> {
        self.nodes[node].version = self.version;
        self.nodes[node].server = None;
        self.bring_up(node)?;
        if self.nodes.iter().all(|node| node.version == self.version) {
            self.rollout = None;
            self.later(HOUR, Event::NeedNewApps);
        }
        Ok(())
    }
}

/// How many unsettled records go with a file that is replaced by a backup of it.
fn lost(file: &super::file::File, backup: &super::file::File) -> u64 {
    let kept = |txn| backup.pending.iter().any(|record| record.txn == txn);
    file.pending.iter().filter(|record| !kept(record.txn)).count() as u64
}
