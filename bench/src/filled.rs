//! One phone's store with more and more records pending.

use crate::world::{VirtualClock, World, copy, options};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How many records the stores have pending, in a full run.
const COUNTS: [usize; 5] = [0, 1_000, 100_000, 500_000, 1_000_000];

/// The stores, and what they are opened with. Who changes one works on a copy.
pub(crate) struct Filled {
    pub(crate) world: World,
    pub(crate) stores: [Store; COUNTS.len()],
    folder: PathBuf,
}

/// A store in a folder of its own, closed after a clean stop.
pub(crate) struct Store {
    pub(crate) count: usize,
    pub(crate) folder: PathBuf,
    /// The length of its file.
    pub(crate) bytes: u64,
}

impl Filled {
    /// Records the actions one by one, as a rider would. That happens in memory where the system has a place for
    /// files there, since flushing each to the disk proves nothing here.
    pub(crate) fn create(folder: &Path, rounds: impl Fn(usize) -> usize) -> Result<Self> {
        let memory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir_in(folder))?;
        let world = World::create(memory.path())?;
        let (start, clock) = (Instant::now(), VirtualClock::default());
        let (mut stores, mut before) = (Vec::new(), 0);
        for count in COUNTS.map(rounds) {
            world.record(&world.engine(memory.path())?, &clock, before..count)?;
            let folder = folder.join(format!("pending-{count}"));
            copy(memory.path(), &folder)?;
            let bytes = std::fs::metadata(options(&folder, &world.identity)?.file())?.len();
            stores.push(Store { count, folder, bytes });
            before = count;
        }
        println!("made stores with up to {before} records pending in {:.0?}\n", start.elapsed());
        let stores = stores.try_into().map_err(|_| anyhow::anyhow!("a store is missing"))?;
        Ok(Self { world, stores, folder: folder.to_owned() })
    }

    pub(crate) fn empty(&self) -> &Store {
        &self.stores[0]
    }

    /// The one with half of the most pending.
    pub(crate) fn half(&self) -> &Store {
        &self.stores[COUNTS.len() - 2]
    }

    pub(crate) fn fullest(&self) -> &Store {
        &self.stores[COUNTS.len() - 1]
    }

    /// The folder of a copy of `store`, to be changed; in the place of an earlier one.
    pub(crate) fn copied(&self, store: &Store) -> Result<PathBuf> {
        let folder = self.folder.join(format!("copy-{}", store.count));
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        copy(&store.folder, &folder)?;
        Ok(folder)
    }
}
