//! A store with half a million records pending, and the same one empty.

use crate::world::{VirtualClock, World, copy};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The two stores' folders.
pub(crate) struct Filled {
    pub(crate) world: World,
    pub(crate) full: PathBuf,
    pub(crate) empty: PathBuf,
    pub(crate) count: usize,
}

impl Filled {
    /// Records `count` actions one by one, as a rider would. That happens in memory where the system has a place for
    /// files there, since flushing each to the disk proves nothing here.
    pub(crate) fn create(folder: &Path, count: usize) -> Result<Self> {
        let (full, empty) = (folder.join("full"), folder.join("empty"));
        let memory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir_in(folder))?;
        let world = World::create(memory.path())?;
        copy(memory.path(), &empty)?;
        let (start, clock) = (Instant::now(), VirtualClock::default());
        world.record(&world.engine(memory.path())?, &clock, count)?;
        copy(memory.path(), &full)?;
        let file = crate::world::options(&full, &world.identity)?.file();
        let (took, size) = (start.elapsed().as_secs_f64(), std::fs::metadata(file)?.len() / (1 << 20));
        println!("made a store with {count} records pending: {size} MiB in {took:.0} s\n");
        Ok(Self { world, full, empty, count })
    }
}
