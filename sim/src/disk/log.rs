//! A write-ahead log while it is open: read and written where it lies in memory, and the file's own content all the time.
#![allow(unsafe_code)]

use memmap2::{MmapMut, MmapOptions};
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// So many bytes are mapped at a time.
const PART: usize = 1 << 20;

/// A log of a database that is open. What its file has behind its end are zeros, which SQLite takes for no frame.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    parts: Vec<MmapMut>,
    size: usize,
    /// Where the first byte lies that is not synced.
    pub(super) unsynced: Option<u64>,
}

impl Log {
    /// The log at `path`, which is there.
    pub(super) fn open(path: &Path, unsynced: Option<u64>) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let size = place(file.metadata()?.len())?;
        Ok(Self { file, parts: Vec::new(), size, unsynced })
    }

    /// In bytes.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Reads what is at `offset`, and zeros behind the end. Whether the end was not reached.
    pub(super) fn read(&mut self, to: &mut [u8], offset: u64) -> io::Result<bool> {
        let start = place(offset)?;
        let end = (start + to.len()).min(self.size).max(start);
        let (found, behind) = to.split_at_mut(end - start);
        self.each(start, found.len(), |part, range| found[range].copy_from_slice(part))?;
        behind.fill(0);
        Ok(behind.is_empty())
    }

    /// Writes at `offset`.
    pub(super) fn write(&mut self, from: &[u8], offset: u64) -> io::Result<()> {
        let start = place(offset)?;
        self.each(start, from.len(), |part, range| part.copy_from_slice(&from[range]))?;
        self.size = self.size.max(start + from.len());
        self.unsynced = Some(self.unsynced.map_or(offset, |first| first.min(offset)));
        Ok(())
    }

    /// Cuts it short.
    pub(super) fn truncate(&mut self, size: u64) -> io::Result<()> {
        self.parts.clear();
        self.file.set_len(size)?;
        self.size = place(size)?;
        Ok(())
    }

    /// Leaves the file as long as it is.
    pub(super) fn close(&mut self) -> io::Result<()> {
        self.truncate(self.size as u64)
    }

    /// Hands out the bytes from `start` on, part by part, each with its range among them.
    fn each(
        &mut self,
        start: usize,
        len: usize,
        mut work: impl FnMut(&mut [u8], std::ops::Range<usize>),
    ) -> io::Result<()> {
        if len > 0 {
            self.map(start + len)?;
        }
        let mut done = 0;
        while done < len {
            let (part, within) = ((start + done) / PART, (start + done) % PART);
            let count = (PART - within).min(len - done);
            work(&mut self.parts[part][within..within + count], done..done + count);
            done += count;
        }
        Ok(())
    }

    /// Maps what lies before `end`.
    fn map(&mut self, end: usize) -> io::Result<()> {
        while self.parts.len() * PART < end {
            let offset = (self.parts.len() * PART) as u64;
            // Room that is there for sure: a page that the disk has no room for would end the process.
            fallocate(&self.file, FallocateFlags::empty(), offset, PART as u64)?;
            // SAFETY: the file is in a world's own folder, where nobody but this process changes it, and it is cut short
            // only after its parts are let go.
            let part = unsafe { MmapOptions::new().offset(offset).len(PART).populate().map_mut(&self.file)? };
            self.parts.push(part);
        }
        Ok(())
    }
}

fn place(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(io::Error::other)
}
