//! Mutations found in the raw bytes of a damaged database or WAL, whatever SQLite makes of it.
//!
//! A page that is still a leaf of a table tells each row's number. What lies elsewhere has none.

use carboy_protocol::Mutation;
use serde_json::value::RawValue;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// SQLite's default, which a store never changes. (<https://sqlite.org/fileformat2.html>)
const PAGE: usize = 4_096;
const WAL_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// How a WAL begins; the last bit tells the order of bytes in its checksums.
const WAL_MAGIC: u32 = 0x377f_0682;

/// The type of a page that is a leaf of a table.
const TABLE_LEAF: u8 = 0x0d;

/// How each mutation that this version writes begins.
const BEGIN: &[u8] = br#"{"v":1,"txn":""#;

/// A mutation in raw bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Carved {
    /// The row's number, where the page still tells it.
    pub(super) id: Option<u64>,
    pub(super) mutation: Mutation,
    pub(super) body: Vec<u8>,
}

/// What is in a database's bytes.
pub(super) fn database(bytes: &[u8]) -> Vec<Carved> {
    bytes.chunks(PAGE).flat_map(page).collect()
}

/// What is in a WAL's bytes.
pub(super) fn wal(bytes: &[u8]) -> Vec<Carved> {
    let frames = bytes.get(WAL_HEADER..).unwrap_or_default().chunks(FRAME_HEADER + PAGE);
    frames.filter_map(|frame| frame.get(FRAME_HEADER..)).flat_map(page).collect()
}

/// Whether a WAL can be read from its beginning; one that is empty or not there can.
pub(super) fn has_wal_header(path: &Path) -> bool {
    let mut magic = [0; 4];
    match File::open(path).and_then(|mut wal| wal.read_exact(&mut magic)) {
        Ok(()) => u32::from_be_bytes(magic) & !1 == WAL_MAGIC,
        Err(_) => true,
    }
}

fn page(page: &[u8]) -> Vec<Carved> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = position(&page[at..]) {
        at += next;
        let mut values = serde_json::Deserializer::from_slice(&page[at..]).into_iter::<&RawValue>();
        let value = values.next().and_then(Result::ok).map(RawValue::get);
        let read = value.and_then(|body| Some((body, serde_json::from_str(body).ok()?)));
        if let Some((body, mutation)) = read {
            found.push(Carved { id: row_at(page, at), mutation, body: body.into() });
        }
        at += BEGIN.len();
    }
    found
}

fn position(bytes: &[u8]) -> Option<usize> {
    bytes.windows(BEGIN.len()).position(|window| window == BEGIN)
}

/// The number of the row whose cell holds the byte at `position`.
fn row_at(page: &[u8], position: usize) -> Option<u64> {
    let short = |at: usize| Some(usize::from(u16::from_be_bytes([*page.get(at)?, *page.get(at + 1)?])));
    if *page.first()? != TABLE_LEAF {
        return None;
    }
    for cell in 0..short(3)? {
        let start = short(8 + 2 * cell)?;
        let (length, row) = varint(page, start)?;
        let (id, content) = varint(page, row)?;
        if (content..content.saturating_add(usize::try_from(length).ok()?)).contains(&position) {
            return Some(id);
        }
    }
    None
}

/// SQLite's variable-length integer at `at`, and where it ends.
fn varint(page: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for place in 0..8 {
        let byte = *page.get(at + place)?;
        value = value << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some((value, at + place + 1));
        }
    }
    Some((value << 8 | u64::from(*page.get(at + 8)?), at + 9))
}
