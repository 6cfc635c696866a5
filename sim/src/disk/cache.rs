//! What a disk was told to write and has not yet synced, and what of it a power cut leaves.
//!
//! Kept by sectors: until a file is synced, each sector has what was durable and every later version of it. At a power
//! cut any of these may be what is found afterwards, whatever the others are, so that writes are lost, kept in
//! another order, or torn. A sector never changes outside of the bytes that were written: SQLite relies on that
//! (`SQLITE_IOCAP_POWERSAFE_OVERWRITE`).

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// What a disk writes as one.
pub(super) const SECTOR: u64 = 512;

/// What a power cut has made of the sectors that were written and not yet synced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aftermath {
    /// As they were written last.
    pub kept: u64,
    /// As they were at some earlier moment since the last sync, or at the sync.
    pub lost: u64,
    /// With other bytes where they were to be written.
    pub garbled: u64,
    /// Files that are gone because their name was not durable, or back because its removal was not.
    pub names: u64,
}

/// The cache of a disk's files. A file without an entry is durable as it is.
#[derive(Debug, Default)]
pub(super) struct Cache {
    files: BTreeMap<String, Unsynced>,
    /// What was removed from a folder that is not yet synced.
    removed: BTreeMap<String, Vec<u8>>,
    /// How many writes and truncations there were.
    writes: u64,
}

#[derive(Debug)]
struct Unsynced {
    /// Tells the file from a later one of its name.
    inode: u64,
    /// The name itself is not durable.
    is_new: bool,
    /// The durable size, and each one since, with the write that made it.
    sizes: Vec<(u64, u64)>,
    sectors: BTreeMap<u64, Sector>,
}

#[derive(Debug)]
struct Sector {
    durable: Vec<u8>,
    versions: Vec<Version>,
    /// Whether the next sync makes it durable. Not so if one has failed since it was written: the system forgets then
    /// that there is something to write.
    is_dirty: bool,
}

#[derive(Debug)]
struct Version {
    write: u64,
    bytes: Vec<u8>,
    written: Range<usize>,
}

impl Cache {
    /// Takes note of a new file.
    pub(super) fn created(&mut self, path: &str) {
        self.removed.remove(path);
        if let Some(file) = Unsynced::of(path, 0) {
            self.files.insert(path.to_owned(), Unsynced { is_new: true, ..file });
        }
    }

    /// Takes note that `new` was written at `offset` of a file that had `size` bytes. `old` are the bytes before that,
    /// of the sectors around.
    pub(super) fn wrote(&mut self, path: &str, size: u64, old: &[u8], offset: u64, new: &[u8]) {
        self.writes += 1;
        let write = self.writes;
        let Some(file) = self.file(path, size) else { return };
        let end = offset + new.len() as u64;
        if end > size {
            file.sizes.push((write, end));
        }
        for (number, old) in (offset / SECTOR..).zip(old.chunks(to_usize(SECTOR))) {
            let start = number * SECTOR;
            let from = offset.max(start);
            let to = end.min(start + SECTOR);
            let written = to_usize(from - start)..to_usize(to - start);
            let mut bytes = old.to_vec();
            bytes[written.clone()].copy_from_slice(&new[to_usize(from - offset)..to_usize(to - offset)]);
            file.put(number, old, Version { write, bytes, written });
        }
    }

    /// Takes note that a file of `size` bytes now has `to`. `old` are the bytes before that, of the sectors from there
    /// on.
    pub(super) fn resized(&mut self, path: &str, size: u64, old: &[u8], to: u64) {
        self.writes += 1;
        let write = self.writes;
        let Some(file) = self.file(path, size) else { return };
        file.sizes.push((write, to));
        for (number, old) in (to / SECTOR..).zip(old.chunks(to_usize(SECTOR))) {
            let kept = to_usize(to.saturating_sub(number * SECTOR).min(SECTOR));
            let mut bytes = old.to_vec();
            bytes[kept..].fill(0);
            file.put(number, old, Version { write, bytes, written: kept..kept });
        }
    }

    /// What the file holds is durable now; with its name and every other one in the folder, if it is a new journal.
    pub(super) fn synced(&mut self, path: &str, is_journal: bool) {
        let Some(file) = self.files.get_mut(path) else { return };
        file.sectors.retain(|_, sector| !sector.is_dirty);
        let size = file.sizes.last().map_or(0, |(_, size)| *size);
        file.sizes = vec![(0, size)];
        let syncs_folder = file.is_new && is_journal;
        self.drop_if_durable(path);
        if syncs_folder {
            self.folder_synced(path);
        }
    }

    /// What the file holds may be lost for good, unless it is written again.
    pub(super) fn sync_failed(&mut self, path: &str) {
        if let Some(file) = self.files.get_mut(path) {
            file.sectors.values_mut().for_each(|sector| sector.is_dirty = false);
        }
    }

    /// Takes note that a file with these bytes was removed, durably if the folder was synced.
    pub(super) fn removed(&mut self, path: &str, content: Vec<u8>, syncs_folder: bool) {
        let was_new = self.files.remove(path).is_some_and(|file| file.is_new);
        if syncs_folder {
            self.folder_synced(path);
        } else if !was_new {
            self.removed.insert(path.to_owned(), content);
        }
    }

    /// Makes of the files what a power cut leaves of them, as `seed` has it. Nothing is in the cache then.
    pub(super) fn lose(&mut self, seed: u64) -> io::Result<Aftermath> {
        let Self { files, removed, writes } = std::mem::take(self);
        let fates = Fates::of(seed, writes);
        let mut aftermath = Aftermath::default();
        for (path, file) in files {
            // One that was renamed or replaced since is none of ours.
            if inode(&path).is_some_and(|inode| inode == file.inode) {
                file.lose(&path, &fates, &mut aftermath)?;
            }
        }
        for (path, content) in removed {
            let has_folder = Path::new(&path).parent().is_some_and(Path::is_dir);
            if has_folder && !Path::new(&path).exists() && !fates.keeps_name(&path) {
                fs::write(path, content)?;
                aftermath.names += 1;
            }
        }
        Ok(aftermath)
    }

    fn file(&mut self, path: &str, size: u64) -> Option<&mut Unsynced> {
        if !self.files.contains_key(path) {
            self.files.insert(path.to_owned(), Unsynced::of(path, size)?);
        }
        self.files.get_mut(path)
    }

    fn folder_synced(&mut self, path: &str) {
        let folder = Path::new(path).parent();
        self.removed.retain(|other, _| Path::new(other).parent() != folder);
        for (other, file) in &mut self.files {
            if Path::new(other).parent() == folder {
                file.is_new = false;
            }
        }
        self.files.retain(|_, file| !file.is_durable());
    }

    fn drop_if_durable(&mut self, path: &str) {
        if self.files.get(path).is_some_and(Unsynced::is_durable) {
            self.files.remove(path);
        }
    }
}

impl Unsynced {
    /// A durable file of this size, if there is one.
    fn of(path: &str, size: u64) -> Option<Self> {
        let sizes = vec![(0, size)];
        Some(Self { inode: inode(path)?, is_new: false, sizes, sectors: BTreeMap::new() })
    }

    fn is_durable(&self) -> bool {
        !self.is_new && self.sectors.is_empty() && self.sizes.len() == 1
    }

    fn put(&mut self, number: u64, old: &[u8], version: Version) {
        let new = || Sector { durable: old.to_vec(), versions: Vec::new(), is_dirty: true };
        let sector = self.sectors.entry(number).or_insert_with(new);
        sector.versions.push(version);
        sector.is_dirty = true;
    }

    fn lose(self, path: &str, fates: &Fates, aftermath: &mut Aftermath) -> io::Result<()> {
        if self.is_new && !fates.keeps_name(path) {
            aftermath.names += 1;
            return fs::remove_file(path);
        }
        let file = OpenOptions::new().write(true).open(path)?;
        for (number, sector) in self.sectors {
            sector.lose(&file, number, fates, aftermath)?;
        }
        let kept = self.sizes.iter().rev().find(|(write, _)| *write == 0 || fates.keeps(*write));
        file.set_len(kept.map_or(0, |(_, size)| *size))
    }
}

impl Sector {
    fn lose(self, file: &File, number: u64, fates: &Fates, aftermath: &mut Aftermath) -> io::Result<()> {
        let newest = self.versions.len();
        for (age, version) in self.versions.into_iter().rev().enumerate() {
            match fates.piece(version.write, number) {
                Piece::Old => {}
                Piece::New if age == 0 => {
                    aftermath.kept += 1;
                    return Ok(());
                }
                Piece::New => {
                    aftermath.lost += 1;
                    return file.write_all_at(&version.bytes, number * SECTOR);
                }
                Piece::Garbage => {
                    aftermath.garbled += 1;
                    let mut bytes = version.bytes;
                    bytes[version.written].iter_mut().for_each(|byte| *byte ^= 0xa5);
                    return file.write_all_at(&bytes, number * SECTOR);
                }
            }
        }
        aftermath.lost += u64::from(newest > 0);
        file.write_all_at(&self.durable, number * SECTOR)
    }
}

/// What becomes of a sector that was to be written.
enum Piece {
    New,
    Old,
    Garbage,
}

/// What one power cut does, all of it drawn from its seed.
struct Fates {
    seed: u64,
    which: Which,
    /// Whether a write may be kept in part.
    tears: bool,
}

/// Which writes are kept.
enum Which {
    /// As when only the process ends.
    All,
    None,
    /// The first so many.
    Before(u64),
    /// So many of eight, in any order.
    Of8(u64),
}

impl Fates {
    fn of(seed: u64, writes: u64) -> Self {
        let seed = scramble(seed);
        let which = match seed % 8 {
            0 => Which::All,
            1 => Which::None,
            // Most often only the newest are not synced.
            2 | 3 => Which::Before(writes.saturating_sub(scramble(seed ^ 1) % 32)),
            _ => Which::Of8(1 + scramble(seed ^ 2) % 7),
        };
        Self { seed, which, tears: scramble(seed ^ 3).is_multiple_of(2) }
    }

    fn keeps(&self, write: u64) -> bool {
        match self.which {
            Which::All => true,
            Which::None => false,
            Which::Before(first) => write <= first,
            Which::Of8(kept) => scramble(self.seed ^ write) % 8 < kept,
        }
    }

    fn piece(&self, write: u64, sector: u64) -> Piece {
        let dice = scramble(self.seed ^ (write << 20) ^ sector);
        match (self.keeps(write), dice % 16) {
            (true, 0..=3) if self.tears => Piece::Old,
            (true, 4) if self.tears => Piece::Garbage,
            (true, _) => Piece::New,
            (false, _) => Piece::Old,
        }
    }

    fn keeps_name(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let sum = name.bytes().fold(self.seed, |sum, byte| scramble(sum ^ u64::from(byte)));
        match self.which {
            Which::All => true,
            Which::None => false,
            Which::Before(_) | Which::Of8(_) => sum.is_multiple_of(2),
        }
    }
}

/// Sebastiano Vigna's SplitMix64: a number that looks as if it had nothing to do with `seed`.
fn scramble(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn inode(path: &str) -> Option<u64> {
    fs::metadata(path).ok().map(|found| found.ino())
}

/// An offset within a sector or a write, which fits.
fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
