//! The faulty disk, and SQLite on it: whatever operation fails, a file is sound and no commit is lost or halved.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::ffi::c_int;
use std::path::{Path, PathBuf};

use carboy_sim::disk::{Aftermath, Disk, Fault, Op};
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

/// Rows that each transaction of the workload inserts.
const ROWS: usize = 3;
/// Transactions in the workload.
const TXNS: usize = 5;
/// The size of a `-shm` that has just been made, in bytes.
const SHM: u64 = 32 * 1024;

struct File {
    dir: tempfile::TempDir,
}

impl File {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("rider.db")
    }

    fn open(&self, disk: &Disk) -> rusqlite::Result<Connection> {
        let conn = Connection::open_with_flags_and_vfs(self.path(), OpenFlags::default(), disk.vfs_name())?;
        // Few pages a checkpoint, so that the workload's checkpoints are struck too.
        conn.execute_batch(
            "PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA wal_autocheckpoint = 8;
             CREATE TABLE IF NOT EXISTS row (txn INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
             CREATE TABLE IF NOT EXISTS total (rows INTEGER NOT NULL) STRICT;
             INSERT INTO total SELECT 0 WHERE NOT EXISTS (SELECT * FROM total)",
        )?;
        Ok(conn)
    }
}

fn insert(conn: &mut Connection, txn: usize) -> rusqlite::Result<()> {
    let open = conn.transaction()?;
    for _ in 0..ROWS {
        open.execute("INSERT INTO row VALUES (?1, zeroblob(1500))", [txn])?;
    }
    open.execute("UPDATE total SET rows = rows + ?1", [ROWS])?;
    open.commit()
}

fn rows(conn: &Connection, txn: usize) -> usize {
    conn.query_row("SELECT count(*) FROM row WHERE txn = ?1", [txn], |row| row.get(0)).unwrap()
}

fn code(error: &rusqlite::Error) -> ErrorCode {
    error.sqlite_error_code().unwrap()
}

/// Records, with a reader beside it that keeps the first checkpoints from ending; answers what was committed.
fn work(file: &File, disk: &Disk) -> Vec<usize> {
    let (Ok(mut writer), Ok(reader)) = (file.open(disk), file.open(disk)) else { return Vec::new() };
    let read = reader.execute_batch("BEGIN; SELECT count(*) FROM row");
    let mut committed = Vec::new();
    for txn in 0..TXNS {
        if txn == TXNS / 2 && read.is_ok() {
            reader.execute_batch("COMMIT").unwrap();
        }
        if insert(&mut writer, txn).is_ok() {
            committed.push(txn);
        }
    }
    committed
}

/// Fails if the file is damaged, a transaction is there in part, or one of `committed` is not there.
fn check(file: &File, disk: &Disk, committed: &[usize], story: &str) {
    let conn = file.open(disk).unwrap();
    let sound: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok", "{story}");
    let found: Vec<usize> = (0..TXNS).map(|txn| rows(&conn, txn)).collect();
    assert!(found.iter().all(|rows| [0, ROWS].contains(rows)), "{story}: rows by transaction {found:?}");
    let lost: Vec<_> = committed.iter().filter(|txn| found[**txn] == 0).collect();
    assert!(lost.is_empty(), "{story}: committed {committed:?}, lost {lost:?}");
    let total: usize = conn.query_row("SELECT rows FROM total", [], |row| row.get(0)).unwrap();
    assert_eq!(total, found.iter().sum::<usize>(), "{story}");
}

fn each_operation_fails(fault: Fault, lasting: bool) {
    let disk = Disk::new().unwrap();
    assert_eq!(work(&File::new(), &disk).len(), TXNS);
    let ops = disk.ops();
    assert!(ops > 50, "the workload has only {ops} operations");
    let (mut struck, mut failed) = (0, 0);
    for n in 1..=ops {
        let (file, disk) = (File::new(), Disk::new().unwrap());
        disk.fail_at(n, fault, lasting);
        let committed = work(&file, &disk);
        struck += u64::from(disk.refused() > 0);
        failed += u64::from(committed.len() < TXNS);
        disk.heal();
        check(&file, &disk, &committed, &format!("{fault:?} at operation {n} of {ops}, lasting: {lasting}"));
    }
    let full = matches!(fault, Fault::Full | Fault::TornFull);
    assert!(if full { struck > ops / 2 } else { struck == ops }, "{struck} of {ops} faults struck");
    assert!(failed > ops / 4, "{failed} of {ops} faults made a transaction fail");
}

/// Lets the power go at each operation of the workload with each of these seeds; returns what became of the sectors.
fn each_operation_is_the_last(count: &[Op], seeds: std::ops::Range<u64>) -> Aftermath {
    let disk = Disk::new().unwrap();
    disk.count(count);
    assert_eq!(work(&File::new(), &disk).len(), TXNS);
    let ops = disk.ops();
    let mut sum = Aftermath::default();
    for n in 1..=ops {
        for seed in seeds.clone() {
            let (file, disk) = (File::new(), Disk::new().unwrap());
            disk.count(count);
            disk.fail_at(n, Fault::PowerCut, true);
            let committed = work(&file, &disk);
            assert!(disk.is_off() && disk.refused() > 0);
            let found = disk.restart(seed * ops + n).unwrap();
            sum.kept += found.kept;
            sum.lost += found.lost;
            sum.garbled += found.garbled;
            sum.names += found.names;
            check(&file, &disk, &committed, &format!("power cut at operation {n} of {ops}, seed {seed}"));
        }
    }
    sum
}

#[test]
fn a_power_cut_at_any_operation_loses_no_commit_whatever_arrived_of_what_was_not_synced() {
    let sum = each_operation_is_the_last(&Op::CHANGES, 0..6);
    assert!(sum.kept > 1_000 && sum.lost > 1_000 && sum.garbled > 100 && sum.names > 20, "{sum:?}");
}

#[test]
fn a_read_or_a_lock_that_fails_at_any_operation_loses_no_commit() {
    for op in [Op::Read, Op::Open, Op::ShmMap, Op::ShmLock, Op::Lock] {
        let disk = Disk::new().unwrap();
        disk.count(&[op]);
        work(&File::new(), &disk);
        let ops = disk.ops();
        assert!(ops > 1, "the workload has only {ops} operations {op:?}");
        for n in 1..=ops {
            for lasting in [false, true] {
                let (file, disk) = (File::new(), Disk::new().unwrap());
                disk.count(&[op]);
                disk.fail_at(n, Fault::Io, lasting);
                let committed = work(&file, &disk);
                assert!(disk.refused() > 0);
                disk.heal();
                check(&file, &disk, &committed, &format!("{op:?} {n} of {ops}, lasting: {lasting}"));
            }
        }
    }
}

/// A file without SQLite's care: its pages go to the disk in no order, and are never synced.
fn careless(file: &File, disk: &Disk) -> Connection {
    let conn = file.open(disk).unwrap();
    conn.execute_batch("PRAGMA synchronous = off").unwrap();
    conn
}

#[test]
fn without_a_sync_a_power_cut_takes_commits_and_damages_files() {
    let (mut lost, mut damaged, mut whole) = (0, 0, 0);
    for seed in 0..40 {
        let (file, disk) = (File::new(), Disk::new().unwrap());
        let mut conn = careless(&file, &disk);
        (0..TXNS).for_each(|txn| insert(&mut conn, txn).unwrap());
        disk.cut_power();
        drop(conn);
        disk.restart(seed).unwrap();
        let conn = Connection::open_with_flags_and_vfs(file.path(), OpenFlags::default(), disk.vfs_name());
        let found = conn.and_then(|conn| {
            let sound: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
            let rows = conn.query_row("SELECT count(*) FROM row", [], |row| row.get::<_, usize>(0))?;
            Ok((sound == "ok", rows))
        });
        match found {
            Ok((true, rows)) if rows == TXNS * ROWS => whole += 1,
            Ok((true, _)) => lost += 1,
            _ => damaged += 1,
        }
    }
    assert!(lost > 3 && damaged > 3 && whole > 0, "{lost} lost, {damaged} damaged, {whole} whole");
}

/// What a power cut behind a commit that was not synced leaves of the WAL's sectors: whether each has arrived that was
/// written and is not all zeros.
fn arrived(seed: u64) -> Vec<bool> {
    let (file, disk) = (File::new(), Disk::new().unwrap());
    let conn = careless(&file, &disk);
    let wal = format!("{}-wal", file.path().display());
    let synced = std::fs::metadata(&wal).unwrap().len();
    let row = "INSERT INTO row VALUES (0, CAST(replace(hex(zeroblob(8000)), '0', 'x') AS BLOB))";
    conn.execute_batch(&format!("PRAGMA wal_autocheckpoint = 0; {row}")).unwrap();
    disk.cut_power();
    drop(conn);
    let written = std::fs::read(&wal).unwrap();
    disk.restart(seed).unwrap();
    let mut found = std::fs::read(&wal).unwrap();
    found.resize(written.len(), 0);
    let from = usize::try_from(synced.next_multiple_of(512)).unwrap();
    let sectors = written[from..].chunks(512).zip(found[from..].chunks(512));
    sectors.filter(|(written, _)| written.iter().any(|byte| *byte != 0)).map(|(a, b)| a == b).collect()
}

#[test]
fn a_later_write_may_arrive_without_an_earlier_one_and_each_in_part() {
    let outcomes: Vec<Vec<bool>> = (0..40).map(arrived).collect();
    let count = |matches: fn(&[bool]) -> bool| outcomes.iter().filter(|sectors| matches(sectors)).count();
    assert!(count(|sectors| sectors.windows(2).any(|two| two == [false, true])) > 10);
    assert!(count(|sectors| sectors.iter().all(|arrived| *arrived)) > 1);
    assert!(count(|sectors| sectors.iter().all(|arrived| !arrived)) > 1);
}

#[test]
fn one_seed_of_a_power_cut_has_one_outcome() {
    for seed in 0..20 {
        assert_eq!(arrived(seed), arrived(seed), "seed {seed}");
    }
}

#[test]
fn what_a_failed_sync_was_to_make_durable_may_be_lost_though_a_later_one_succeeds() {
    let lost = (0..40).any(|seed| {
        let (file, disk) = (File::new(), Disk::new().unwrap());
        let path = file.path();
        let conn = Connection::open_with_flags_and_vfs(&path, OpenFlags::default(), disk.vfs_name()).unwrap();
        conn.execute_batch("PRAGMA journal_mode = off; CREATE TABLE row (n INTEGER)").unwrap();
        disk.count(&[Op::Sync]);
        disk.fail_at(1, Fault::Io, false);
        conn.execute("INSERT INTO row VALUES (1)", []).unwrap_err();
        // Another table's pages: the sync succeeds, and says nothing of the page above.
        conn.execute_batch("CREATE TABLE other (n INTEGER)").unwrap();
        drop(conn);
        disk.restart(seed).unwrap().lost > 0
    });
    assert!(lost);
}

#[test]
fn the_power_stays_off_until_nothing_has_a_file_open() {
    let (file, disk) = (File::new(), Disk::new().unwrap());
    let mut conn = file.open(&disk).unwrap();
    insert(&mut conn, 0).unwrap();
    disk.cut_power();
    assert_eq!(code(&insert(&mut conn, 1).unwrap_err()), ErrorCode::SystemIoFailure);
    assert!(file.open(&disk).is_err());
    assert!(disk.restart(1).unwrap_err().to_string().contains("still open"));
    assert!(disk.is_off());
    drop(conn);
    disk.restart(1).unwrap();
    check(&file, &disk, &[0], "after a power cut");
}

#[test]
fn a_path_with_signs_of_a_uri_is_opened_on_the_disk_by_its_uri() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), Disk::new().unwrap());
    let path = folder.path().join("50% #1?.db");
    let conn = Connection::open(disk.uri(&path)).unwrap();
    conn.execute_batch("CREATE TABLE row (n INTEGER)").unwrap();
    assert!(path.exists() && disk.ops() > 0);
}

#[test]
fn a_full_disk_at_any_operation_loses_no_commit() {
    each_operation_fails(Fault::Full, false);
    each_operation_fails(Fault::Full, true);
}

#[test]
fn an_io_error_at_any_operation_loses_no_commit() {
    each_operation_fails(Fault::Io, false);
    each_operation_fails(Fault::Io, true);
}

#[test]
fn a_torn_write_at_any_operation_loses_no_commit() {
    each_operation_fails(Fault::TornFull, false);
    each_operation_fails(Fault::TornIo, true);
}

#[test]
fn a_fault_strikes_the_planned_operation_and_a_lasting_one_those_behind_it_until_healed() {
    let (file, disk) = (File::new(), Disk::new().unwrap());
    let mut conn = file.open(&disk).unwrap();
    disk.fail_at(1, Fault::Full, false);
    assert_eq!(code(&insert(&mut conn, 0).unwrap_err()), ErrorCode::DiskFull);
    insert(&mut conn, 1).unwrap();
    assert_eq!(disk.refused(), 1);

    disk.fail_at(1, Fault::Io, true);
    assert_eq!(code(&insert(&mut conn, 2).unwrap_err()), ErrorCode::SystemIoFailure);
    assert_eq!(code(&insert(&mut conn, 3).unwrap_err()), ErrorCode::SystemIoFailure);
    disk.heal();
    insert(&mut conn, 4).unwrap();
    drop(conn);
    check(&file, &disk, &[1, 4], "after two faults");
}

/// SQLite's answer when the last operation of a commit under `pragmas` fails.
fn commit_failing_last(pragmas: &str, fault: Fault) -> Option<c_int> {
    let (file, disk) = (File::new(), Disk::new().unwrap());
    let conn = file.open(&disk).unwrap();
    conn.execute_batch(pragmas).unwrap();
    // Each of these commits has the same operations.
    let commit = || conn.execute("UPDATE total SET rows = rows + 1", []);
    commit().unwrap();
    let before = disk.ops();
    commit().unwrap();
    disk.fail_at(disk.ops() - before, fault, false);
    commit().err().map(|error| error.sqlite_error().unwrap().extended_code)
}

#[test]
fn each_kind_of_operation_fails_with_its_own_error_and_a_full_disk_lets_some_pass() {
    for (pragmas, io, full) in [
        (
            "PRAGMA journal_mode = off; PRAGMA synchronous = off",
            ffi::SQLITE_IOERR_WRITE,
            Some(ffi::SQLITE_FULL),
        ),
        (
            "PRAGMA journal_mode = truncate; PRAGMA synchronous = normal",
            ffi::SQLITE_IOERR_TRUNCATE,
            Some(ffi::SQLITE_FULL),
        ),
        ("PRAGMA wal_autocheckpoint = 0", ffi::SQLITE_IOERR_FSYNC, None),
        ("PRAGMA journal_mode = delete", ffi::SQLITE_IOERR_DELETE, None),
    ] {
        assert_eq!(commit_failing_last(pragmas, Fault::Io), Some(io), "{pragmas}");
        assert_eq!(commit_failing_last(pragmas, Fault::Full), full, "{pragmas}");
    }
    for (fault, answer) in [(Fault::Io, ErrorCode::CannotOpen), (Fault::Full, ErrorCode::DiskFull)] {
        let (file, disk) = (File::new(), Disk::new().unwrap());
        disk.fail_at(1, fault, false);
        assert_eq!(code(&file.open(&disk).unwrap_err()), answer);
        assert!(!file.path().exists());
    }
}

#[test]
fn a_torn_write_leaves_its_first_half() {
    for (fault, kept) in [(Fault::Io, 0), (Fault::TornIo, 2048), (Fault::Full, 0), (Fault::TornFull, 2048)] {
        let (file, disk) = (File::new(), Disk::new().unwrap());
        let path = file.path();
        let conn = Connection::open_with_flags_and_vfs(&path, OpenFlags::default(), disk.vfs_name()).unwrap();
        conn.execute_batch("PRAGMA journal_mode = off; PRAGMA page_size = 4096").unwrap();
        // The first operations of a transaction without a journal are its writes, in the order of the pages.
        disk.fail_at(1, fault, true);
        conn.execute_batch("CREATE TABLE row (bytes BLOB)").unwrap_err();
        assert_eq!(path.metadata().unwrap().len(), kept, "{fault:?}");
    }
}

#[test]
fn a_read_counts_and_fails_only_on_demand() {
    let (file, disk) = (File::new(), Disk::new().unwrap());
    insert(&mut file.open(&disk).unwrap(), 0).unwrap();
    let conn = file.open(&disk).unwrap();
    conn.execute_batch("PRAGMA cache_size = 0").unwrap();
    disk.fail_at(1, Fault::Io, true);
    let before = disk.ops();
    assert_eq!(rows(&conn, 0), ROWS);
    assert_eq!(disk.ops(), before);

    disk.count(&Op::ALL);
    let error =
        conn.query_row("SELECT sum(length(bytes)) FROM row", [], |row| row.get::<_, u64>(0)).unwrap_err();
    assert_eq!(code(&error), ErrorCode::SystemIoFailure);
    assert!(disk.ops() > before);
    disk.heal();
    assert_eq!(rows(&conn, 0), ROWS);
}

/// The bytes of the file, its WAL and its shared memory.
fn used(path: &Path) -> u64 {
    let size = |end| std::fs::metadata(format!("{}{end}", path.display())).map_or(0, |found| found.len());
    ["", "-wal", "-shm"].into_iter().map(size).sum()
}

#[test]
fn a_limited_disk_refuses_growth_and_accepts_overwriting() {
    let (file, disk) = (File::new(), Disk::new().unwrap());
    let mut conn = file.open(&disk).unwrap();
    conn.execute_batch("PRAGMA wal_autocheckpoint = 0").unwrap();
    insert(&mut conn, 0).unwrap();
    let full = used(&file.path());
    disk.limit(Some(0));
    assert_eq!(code(&insert(&mut conn, 1).unwrap_err()), ErrorCode::DiskFull);
    assert_eq!(rows(&conn, 1), 0);
    assert_eq!(used(&file.path()), full);

    // The checkpoint writes to the file, which has to grow for that; behind it the WAL is written again from its start.
    disk.limit(None);
    conn.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
    disk.limit(Some(0));
    let before = (disk.ops(), used(&file.path()));
    conn.execute("UPDATE row SET bytes = randomblob(1500)", []).unwrap();
    assert!(disk.ops() > before.0);
    assert_eq!((disk.room(), used(&file.path())), (Some(0), before.1));

    disk.limit(None);
    insert(&mut conn, 2).unwrap();
    drop(conn);
    check(&file, &disk, &[0, 2], "after a full disk");
}

#[test]
fn a_limited_disk_reckons_to_the_byte_what_grows_and_what_is_given_back() {
    let (file, disk) = (File::new(), Disk::new().unwrap());
    let limit = 10_000_000;
    disk.limit(Some(limit));
    let mut conn = file.open(&disk).unwrap();
    for txn in 0..50 {
        insert(&mut conn, txn).unwrap();
        assert_eq!(disk.room(), Some(limit - used(&file.path())), "after transaction {txn}");
    }
    // A temporary file has no name to measure it by; it takes room until it is closed.
    conn.execute_batch("PRAGMA temp_store = file; CREATE TEMP TABLE copy AS SELECT * FROM row").unwrap();
    conn.execute_batch("PRAGMA temp.cache_size = 1; INSERT INTO copy SELECT * FROM row").unwrap();
    assert!(disk.room() < Some(limit - used(&file.path())));
    conn.execute_batch("DELETE FROM row WHERE txn > 0; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(conn);
    assert_eq!(disk.room(), Some(limit - used(&file.path())), "after closing");
}

#[test]
fn opening_needs_room_for_the_shared_memory() {
    let (file, disk) = (File::new(), Disk::new().unwrap());
    insert(&mut file.open(&disk).unwrap(), 0).unwrap();
    disk.limit(Some(SHM - 1));
    assert_eq!(code(&file.open(&disk).unwrap_err()), ErrorCode::SystemIoFailure);
    disk.limit(Some(SHM));
    assert_eq!(rows(&file.open(&disk).unwrap(), 0), ROWS);
}

#[test]
fn two_disks_do_not_disturb_each_other() {
    let (bad, good) = (Disk::new().unwrap(), Disk::new().unwrap());
    assert_ne!(bad.vfs_name(), good.vfs_name());
    let (bad_file, good_file) = (File::new(), File::new());
    let (mut on_bad, mut on_good) = (bad_file.open(&bad).unwrap(), good_file.open(&good).unwrap());
    let before = bad.ops();
    insert(&mut on_good, 0).unwrap();
    assert_eq!(bad.ops(), before);

    bad.fail_at(1, Fault::Io, true);
    bad.limit(Some(0));
    insert(&mut on_bad, 1).unwrap_err();
    insert(&mut on_good, 1).unwrap();
    // A file is not bound to the disk that made it.
    assert_eq!(rows(&good_file.open(&Disk::new().unwrap()).unwrap(), 1), ROWS);
    assert_eq!((good.refused(), good.room()), (0, None));
}

#[test]
fn a_connection_outlives_its_disk() {
    let (file, disk) = (File::new(), Disk::new().unwrap());
    let mut conn = file.open(&disk).unwrap();
    let name = disk.vfs_name().to_owned();
    drop(disk);
    insert(&mut conn, 0).unwrap();
    assert_eq!(rows(&conn, 0), ROWS);
    let again = Connection::open_with_flags_and_vfs(file.path(), OpenFlags::default(), name.as_str());
    assert!(again.unwrap_err().to_string().contains("no such vfs"));
}
