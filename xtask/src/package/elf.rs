//! What a native library is made for, read from the head of its file.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;

/// Android's largest page, in bytes: a library whose segments are aligned to less is not loaded on a phone with it.
pub(crate) const PAGE: u64 = 16 * 1024;

/// A segment that is mapped into memory.
const PT_LOAD: u64 = 1;

/// A native library.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Library {
    /// The processor, by its number in ELF: 40 ARM, 62 x86-64, 183 AArch64.
    pub(crate) machine: u64,
    /// The least alignment of its segments, in bytes.
    pub(crate) alignment: u64,
}

/// Reads the head of the library at `path`.
pub(crate) fn read(path: &Path) -> Result<Library> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&bytes).with_context(|| format!("{} is no library", path.display()))
}

fn parse(bytes: &[u8]) -> Result<Library> {
    ensure!(bytes.starts_with(b"\x7fELF"), "not an ELF file");
    ensure!(bytes.get(5) == Some(&1), "its numbers are not little-endian");
    let wide = bytes.get(4) == Some(&2);
    let field = |at: u64, size: usize| -> Result<u64> {
        let at = usize::try_from(at)?;
        let field = bytes.get(at..at + size).context("it ends too early")?;
        Ok(field.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    // The offset, the size and the number of the program headers, and where a header holds its alignment.
    let (table, size, count, alignment, word) = if wide {
        (field(32, 8)?, field(54, 2)?, field(56, 2)?, 48, 8)
    } else {
        (field(28, 4)?, field(42, 2)?, field(44, 2)?, 28, 4)
    };
    let mut least = None;
    for header in (0..count).map(|index| table + index * size) {
        if field(header, 4)? == PT_LOAD {
            let found = field(header + alignment, word)?;
            least = Some(least.map_or(found, |least: u64| least.min(found)));
        }
    }
    Ok(Library { machine: field(18, 2)?, alignment: least.context("nothing of it is loaded")? })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The head of a library for `machine` with two segments, the second of which is aligned to `alignment`.
    pub(crate) fn library(machine: u16, wide: bool, alignment: u32) -> Vec<u8> {
        let (head, header, at) = if wide { (64, 56, 48) } else { (52, 32, 28) };
        let mut bytes = vec![0; head + 2 * header];
        bytes[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', if wide { 2 } else { 1 }, 1]);
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        bytes[if wide { 32 } else { 28 }] = u8::try_from(head).unwrap();
        bytes[if wide { 54 } else { 42 }] = u8::try_from(header).unwrap();
        bytes[if wide { 56 } else { 44 }] = 2;
        for (start, alignment) in [(head, 0x10000_u32), (head + header, alignment)] {
            bytes[start] = 1;
            bytes[start + at..start + at + 4].copy_from_slice(&alignment.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn the_least_alignment_of_what_is_loaded_counts_in_both_widths() {
        for (machine, wide) in [(183, true), (62, true), (40, false)] {
            let machine_read = u64::from(machine);
            for alignment in [0x1000_u32, 0x4000, 0x10000] {
                let found = parse(&library(machine, wide, alignment)).unwrap();
                assert_eq!(found, Library { machine: machine_read, alignment: u64::from(alignment) });
            }
        }
    }

    #[test]
    fn what_is_no_library_is_told_so() {
        let whole = library(183, true, 0x4000);
        for bytes in [&b"MZ"[..], b"\x7fELF", &whole[..100], &[]] {
            parse(bytes).expect_err("it is none");
        }
    }

    #[test]
    fn this_programs_own_head_is_read_as_the_system_does() {
        let this = read(&std::env::current_exe().unwrap()).unwrap();
        assert!(this.alignment >= 0x1000 && this.alignment.is_power_of_two(), "{this:?}");
    }
}
