//! A phone: a real core on virtual time, with a clock of its own that may be years off.

use super::file::File;
use crate::clock::Ms;
use crate::dice::{Dice, Source, seed_of};
use crate::disk::{Disk, cut_power, kill};
use crate::link::Link;
use carboy_core::{Drainer, Engine, Identity, KeyStore, MemoryKeys, Options};
use carboy_protocol::{AccountId, Currency, PlantId, Timestamp};
use rusqlite::Connection;
use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// When every world begins, by a right clock.
pub(crate) const BEGIN: i64 = 1_732_350_000_000;

/// Virtual time, as all clocks of a world read it.
#[derive(Debug, Default)]
pub(crate) struct Time(AtomicU64);

impl Time {
    pub(crate) fn now(&self) -> Ms {
        self.0.load(Relaxed)
    }

    pub(crate) fn set(&self, now: Ms) {
        self.0.store(now, Relaxed);
    }
}

impl carboy_server::env::Clock for Time {
    fn now(&self) -> Timestamp {
        Timestamp(BEGIN + self.now().cast_signed())
    }
}

/// A phone's clocks: the wall clock may be wrong, the other one only goes on.
#[derive(Debug)]
pub(crate) struct PhoneClock {
    time: Arc<Time>,
    off: AtomicI64,
}

impl PhoneClock {
    pub(crate) fn jump(&self, off: i64) {
        self.off.store(off, Relaxed);
    }
}

impl carboy_core::Clock for PhoneClock {
    fn now(&self) -> Timestamp {
        Timestamp(BEGIN + self.time.now().cast_signed() + self.off.load(Relaxed))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.time.now())
    }
}

/// What carries a phone's requests.
#[derive(Debug, Clone)]
pub(crate) enum Carrier {
    /// A link with this round-trip time, as wide as anything sent needs.
    Wide(Ms),
    /// The recorded 3G link.
    Recorded(Box<Link>),
}

/// How bad a phone's link is: of a thousand requests or replies so many are lost, of a thousand requests so many are
/// repeated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) loss: u32,
    pub(crate) replay: u32,
}

/// What an app is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// In front, or in the background and not suspended.
    Runs,
    /// Suspended by the system: nothing is sent.
    Suspended,
    /// Not running until somebody opens it.
    Killed,
    /// Broken or wiped: nobody will ever see its file again.
    Gone,
}

/// A copy of a phone's file, and what the simulator knows to be in it.
#[derive(Debug)]
pub(crate) struct Backup {
    pub(crate) folder: PathBuf,
    pub(crate) file: File,
}

/// A phone.
pub(crate) struct Phone {
    pub(crate) plant: usize,
    pub(crate) account: AccountId,
    pub(crate) life: Life,
    /// How often the app was started.
    pub(crate) starts: u32,
    pub(crate) engine: Option<Arc<Engine>>,
    pub(crate) drainer: Option<Drainer>,
    pub(crate) folder: PathBuf,
    /// Looks into its file, once that was asked for: to open one for each look takes longer than a tap.
    inspector: OnceCell<Connection>,
    pub(crate) keys: Arc<MemoryKeys>,
    pub(crate) token: String,
    pub(crate) clock: Arc<PhoneClock>,
    random: Arc<Source>,
    /// What happens to its requests.
    pub(crate) dice: Dice,
    pub(crate) carrier: Carrier,
    pub(crate) weather: Weather,
    pub(crate) signal: bool,
    pub(crate) portal: bool,
    /// So many of the next tokens are refused on the way.
    pub(crate) refusals: u32,
    /// The request under way.
    pub(crate) flight: Option<u64>,
    pub(crate) flights: u64,
    /// When the drainer wants to be asked again.
    pub(crate) wakes_at: Option<Ms>,
    /// Whether a person may have to do something: until a server's answer has come, which says that nobody has to.
    pub(crate) may_need_help: bool,
    /// Whether somebody is on the way to sign in, or to update the app.
    pub(crate) is_helped: bool,
    pub(crate) app: u32,
    pub(crate) file: File,
    /// A disk that fails, where that is asked for.
    pub(crate) disk: Option<Disk>,
    pub(crate) backup: Option<Backup>,
}

/// Whose phone it is, and in which world.
pub(crate) struct Owner {
    pub(crate) plant: usize,
    pub(crate) identity: Identity,
    pub(crate) time: Arc<Time>,
    pub(crate) seed: u64,
    pub(crate) number: u64,
}

impl Owner {
    pub(crate) fn identity(plant: PlantId, account: AccountId, currency: Currency) -> Identity {
        Identity { plant, account, currency }
    }

    /// A phone with an empty file in `folder`; its app does not run yet.
    pub(crate) fn phone(self, folder: PathBuf, keys: Arc<MemoryKeys>, token: String, app: u32) -> Phone {
        let Self { plant, identity, time, seed, number } = self;
        let mut dice = Dice::of(seed_of(seed, &[2, number]));
        let carrier = match dice.below(4) {
            0 => Carrier::Recorded(Box::new(Link::umts())),
            _ => Carrier::Wide(dice.within(40..2_500)),
        };
        let weather =
            Weather { loss: [0, 20, 100, 300][dice.below(4)], replay: [0, 20, 100, 500][dice.below(4)] };
        Phone {
            plant,
            account: identity.account,
            life: Life::Killed,
            starts: 0,
            engine: None,
            drainer: None,
            folder,
            inspector: OnceCell::new(),
            keys,
            token,
            clock: Arc::new(PhoneClock { time, off: AtomicI64::new(0) }),
            random: Arc::new(Source::of(seed_of(seed, &[3, number]))),
            dice,
            carrier,
            weather,
            signal: true,
            portal: false,
            refusals: 0,
            flight: None,
            flights: 0,
            wakes_at: None,
            may_need_help: false,
            is_helped: false,
            app,
            file: File::default(),
            disk: None,
            backup: None,
        }
    }
}

impl Phone {
    /// Starts the app on its file.
    pub(crate) fn start(&mut self, identity: Identity) -> Result<(), carboy_core::Error> {
        let options = Options {
            clock: self.clock.clone(),
            random: self.random.clone(),
            vfs: self.disk.as_ref().map(|disk| disk.vfs_name().to_owned()),
            ..Options::new(self.folder.clone(), identity, self.keys.clone())
        };
        let engine = Arc::new(Engine::open(&options)?);
        self.drainer = Some(Drainer::new(engine.clone()));
        self.engine = Some(engine);
        self.starts += 1;
        self.life = Life::Runs;
        (self.flight, self.wakes_at, self.is_helped, self.may_need_help) = (None, None, false, true);
        Ok(())
    }

    /// Ends the app as a kill does: its file stays exactly as it is at this moment. With the phone's battery out of it,
    /// what was not synced is gone too.
    pub(crate) fn kill(&mut self, loses_power: bool) -> Result<(), String> {
        self.life = Life::Killed;
        let Some(engine) = self.engine.take() else { return Ok(()) };
        // Closing the file would put it in order.
        kill((engine, self.drainer.take(), self.inspector.take()));
        if loses_power {
            let log = self.folder.join(format!("{}.db-wal", self.account));
            cut_power(&log).map_err(|error| error.to_string())?;
        }
        (self.flight, self.wakes_at) = (None, None);
        Ok(())
    }

    /// What looks into the file of the app that runs.
    pub(crate) fn inspector(&self) -> Result<&Connection, String> {
        if let Some(inspector) = self.inspector.get() {
            return Ok(inspector);
        }
        let engine = self.engine.as_ref().ok_or("no app runs")?;
        let opened = Connection::open(engine.file()).map_err(|error| error.to_string())?;
        Ok(self.inspector.get_or_init(|| opened))
    }

    /// Breaks the phone: nobody will see its file again.
    pub(crate) fn wreck(&mut self) {
        (self.engine, self.drainer, self.flight, self.wakes_at) = (None, None, None, None);
        self.inspector = OnceCell::new();
        self.life = Life::Gone;
        self.file = File::default();
        // A folder that cannot be removed goes with the world's own.
        drop(fs::remove_dir_all(&self.folder));
        if let Some(backup) = self.backup.take() {
            drop(fs::remove_dir_all(&backup.folder));
        }
    }

    /// A random seed for a new key, of the phone's own randomness.
    pub(crate) fn new_key(&self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.random.draw(&mut seed);
        seed
    }

    /// The name under which the core keeps the device's key.
    pub(crate) fn key_name(account: AccountId) -> String {
        format!("carboy.{account}.device")
    }

    /// The secrets of this phone as another one gets them.
    pub(crate) fn copied_keys(&self) -> Arc<MemoryKeys> {
        let (keys, name) = (MemoryKeys::default(), Self::key_name(self.account));
        if let Ok(Some(secret)) = self.keys.load(&name) {
            // Memory never refuses.
            drop(keys.save(&name, &secret));
        }
        Arc::new(keys)
    }
}

/// Copies a folder's files as they are, as a backup program does.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("copying {} to {}: {error}", from.display(), to.display());
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_shared_memory = path.extension().is_some_and(|extension| extension == "db-shm");
        match path.file_name().filter(|_| !is_shared_memory) {
            Some(name) if path.is_dir() => copy_folder(&path, &to.join(name))?,
            Some(name) => drop(fs::copy(&path, to.join(name)).map_err(failed)?),
            None => {}
        }
    }
    Ok(())
}
